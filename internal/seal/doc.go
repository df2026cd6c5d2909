// Package seal keeps words for those they are meant for: boxes that only the holders of certain keys open, keys that a
// passphrase opens, receipts of six words, and padding that hides how much was said. It has no input or output, and
// knows no database.
//
// The same is done in a browser by static/seal.js; both are held to the vectors of RFC 9180, and to each other.
package seal
