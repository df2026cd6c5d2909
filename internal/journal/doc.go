// Package journal is the one log of everything shared: a row a delivery, numbered in commit order.
//
// A delivery brings one version of one object to an audience of one community. Its number is its date_added in
// microseconds (rule X11). Rows are appended in the caller's transaction together with the audit entry; nothing is ever
// rewritten but four derived columns (custodian, last, withdrawn, widened) and, on erasure, a body.
//
// Reading is by sight: each row carries the audience that it reaches, as the id of a scope (community and audience),
// and a reader's scopes are those that polder.Sight allows. Pages merge the index entries of the reader's scopes, so
// their cost does not depend on what others may see. Every row is checked in Go once more before it leaves: against
// sight, and against its hash.
//
// The journal knows its own end. Each row has a hash and a link to the chain of all before it, and the last number and
// chain are written to a head file beside the database after every commit. At the start the two are compared, so a log
// that was cut short is noticed before anything is served, and a row whose bytes changed is never served.
//
// Tables: lineage, scope, body, delivery. The live tail is kept in memory; see [Journal.Follow].
package journal
