// Package exchange shares threat knowledge between the organisations of a node: by policy, in real time, without giving
// away who or what one is.
//
// What comes in by file, form, API or TAXII becomes objects ([Incoming]); each is checked, given its level and held
// against what the sharer sees of its id; what is new to somebody is appended to the journal with its audit entry in
// one transaction, and from there reaches readers by page, stream, search, export and notification. Every way out asks
// the same predicate of sight.
//
// Promises: what is acknowledged is on disk; a share is stored whole or not at all (TAXII: the right objects of one
// POST in one transaction); sharing again is harmless; no answer tells of an object that its reader may not see; the
// contributor of what Polder makes is named only when it says so.
package exchange
