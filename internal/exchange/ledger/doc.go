// Package ledger keeps the transparency log of what this node delivered, and witnesses the logs of others.
//
// # The log
//
// A node's log is a Merkle tree that a reader of the journal builds: for each delivery a leaf that commits to its number,
// community, kind, id, version and digest without telling them (see [seal.Leaf]), and behind it none to seven leaves that
// commit to nothing. It is the same whenever it is built from the same journal, so it may be deleted. A checkpoint says
// its size and root, and up to which number every delivery is in it; the node signs one after deliveries, at most every
// five seconds, and never one that contradicts the last.
//
// A restored journal has another lineage, and so another log. Members see that the old one ended and when.
//
// # Witnesses
//
// A member copies all leaves of its home's log. It accepts a checkpoint when the leaves make its root, when the log only
// grew since the last one accepted, and when every delivery that the home handed over, up to the checkpoint's number, has
// its leaf. What is accepted is on disk before the member signs it too and says so to the home, which passes it on; so a
// member that is killed at any moment never signs an older or another tree.
//
// # Two stories
//
// Two signed checkpoints that contradict each other, a log that became shorter, and a delivery that is not in the log are
// evidence: kept for good, shown, audited, and the link is stopped. Silence shows as well: deliveries without a checkpoint
// that covers them, or no answer, for a day.
//
// # What a log tells
//
// To each node that is linked: when something was delivered, to within five seconds, and how many leaves there are, which
// is on average four and a half for one delivery. It tells nobody what, for whom, in which community, or from whom.
// What is not shown: that a delivery which is missing was handed over at all is the member's word, since deliveries are
// not signed by the home; and a home that shows one story to all its members is not caught by the log.
//
// Tables: ledger_log, ledger_checkpoint, ledger_cosignature, ledger_witness, ledger_key, ledger_received,
// ledger_evidence. In log.db: tree, chunk, leaf.
package ledger
