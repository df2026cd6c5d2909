// Package release takes out of an object, before it leaves, what its organisation wants to keep: pure rules over the
// object's text and properties.
package release
