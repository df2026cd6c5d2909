// Package strip takes out of files what they say about who made them.
package strip
