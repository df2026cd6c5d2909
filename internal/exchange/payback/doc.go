// Package payback shows contributors what their knowledge did, and communities how they are.
package payback
