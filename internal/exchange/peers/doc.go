// Package peers links this node with others: invitations, what flows over a link and how far it has come.
//
// # Links
//
// A community has one home. A node that joins it for one of its organisations makes a link to the home: it dials, the
// home serves, and both sides know the link under one id. Links form a tree, since a mirrored community is joined at its
// home alone, so nothing goes in a circle.
//
// Down, the home hands over what the organisation may see, as frames that follow a cursor: over a stream for speed, in
// pages for certainty, with the same numbers. A frame and its cursor are stored in one transaction, so each delivery is
// taken once, in order, however often the connection is cut. Up, the member pushes what its organisation shares, and the
// home notes in the transaction that stores it how far the member's log was taken, so an answer that was lost doubles
// nothing. A link has a generation: the lineage of the home's log and a number that rises when what may flow changes.
// Under another generation everything is read and pushed again from the start, which is harmless.
//
// # Promises
//
//   - Nothing is asked or answered without a session that both nodes signed, each request with a rising number and a
//     signature of its own. No clock is trusted.
//   - Until a person has compared the fingerprint, only CLEAR and GREEN flow, both ways.
//   - Removing or pausing a link cuts its streams within a second.
//   - A peer that misbehaves is bounded in memory, time and rate; what it sent and was refused is kept as far as it is
//     small, named in the link's state, and stops that link alone when it does not end.
//
// What the other node says of itself (names, reasons) is text of a stranger: it is cut, and shown as text.
//
// Tables: peers_state, peers_link, peers_community, peers_invitation, peers_taken, peers_mark, peers_usage,
// peers_quarantine, peers_reached.
package peers
