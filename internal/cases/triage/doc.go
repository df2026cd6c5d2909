// Package triage proposes what a report is.
package triage
