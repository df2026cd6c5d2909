// Package audit is the node's memory of who did what: a list of entries that is only ever appended to, each in the
// transaction of the action itself, so that an action without its entry cannot be.
//
// # The chain
//
// Entries are numbered 1, 2, 3 … Each carries a SHA-256 over itself and the hash before it, so that an entry that was
// changed, taken out, put in, swapped or renumbered is found by [Log.Verify], which names the first wrong one. Entries
// taken from the end leave a chain that is whole but short: [Log.Contains] notices that against a head noted
// elsewhere. Who can write to the file can also compute a new chain; against that too only a head elsewhere helps.
//
// What is hashed, in this order; a text is preceded by its length, numbers are big-endian:
//
//	"polder audit 1\n"      15 bytes
//	hash of the entry before 32 bytes, zero for the first
//	n, time in µs            8 bytes each
//	flags                    1 byte: 1 blind, 2 narrow
//	salt                     16 bytes
//	org, person, token, action, community, object, detail    4 bytes of length and the bytes, each
//
// detail is hashed as it is stored: a JSON object with sorted names, or nothing. The salt is never shown: without it,
// a reader who sees the hash of an entry could try who stands behind "a member".
//
// # Who reads
//
// [ViewOf] is the one rule. An organisation's people read their own organisation's entries; stewards those of their
// communities, blind ones without the actor (rule X20); who manages the node reads what is none of a community's or is
// about no single thing, and nothing of objects (rule X8).
package audit
