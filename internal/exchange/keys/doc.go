// Package keys holds who signs: the keys of organisations and nodes, the statements by which they change, the
// signatures of objects, and what a signature that comes is worth.
//
// # What it promises
//
// What an organisation of this node creates leaves with its signature over the object's canonical form. What comes in
// the name of an organisation that is known to sign is valid, or it is refused with the reason; what nobody who is known
// would sign is taken as it is. Who first signed an id in a community is the only one who signs later versions of it.
//
// An owner of keys, which is an organisation or a node, has one chain of statements ([seal.Chain]) for good: another
// beginning, another statement of the same number, and a key of another owner are refused and kept as evidence. The
// order in which statements came among the objects of a community's home decides what a key was worth when an object
// came; clocks decide the seven days of a rotation alone, and never backwards. What another process changes holds from the next
// request.
//
// Private keys that sign lie in the database, the last one of each owner alone. Recovery keys are never stored.
//
// # Tables
//
//	keys_statement  what owners said, with this node's numbers
//	keys_at         the numbers that homes of communities gave to the same
//	keys_key        whose each key is
//	keys_own        private keys of this node's owners
//	keys_bound      who signs an id in a community
//	keys_signer     who ever signed in a community
//	keys_dispute    statements that contradict known ones
//	keys_state      a number that rises with every change
package keys
