// Package keys holds who signs: the keys of organisations and nodes, the statements by which they change, the
// signatures of objects, and what a signature that comes is worth.
package keys
