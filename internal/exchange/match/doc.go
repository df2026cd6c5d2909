// Package match answers whether values are in a set that may not be shown, without learning the values or showing the set.
//
// A set belongs to an organisation of the node and is of one kind of value ([Kinds]): indicators, or names of parties.
// Members of its community, readers included, ask it. What stands behind it is the verifiable oblivious function of
// package seal: the asker blinds its values, the node answers with its key without seeing them, and the asker opens the
// answers and looks them up in the filter that the node publishes.
//
// # What each side learns
//
// The owner: how many elements were sent on a day by all together, and how often an organisation used its budget up. The
// node: that, for each organisation, and when; an organisation's number of values to the next multiple of 16. Neither
// learns a value, nor whether it was in the set. The asker: for each value that it sent, whether it is in the set; the
// kind of value, the size class of the set (powers of two from 1,024), its owner and its epochs. The filter alone tells
// nobody anything: without the key no value can be tried against it.
//
// # What holds
//
//   - Of a set the node keeps the key and the filter of the present epoch, and no value. Whoever has a copy of the
//     database has the key, and can try values against the set.
//   - An epoch has one key and one filter. A new one begins when the set is published again, when the indicators that it
//     is made of change, and after 30 days. Answers of the old one stop at once, its secret is erased, and outputs that
//     somebody kept are worth nothing. A set that was made from a file cannot begin an epoch by itself, since its values
//     were not kept: after its 30 days it is silent until it is published again.
//   - What an organisation may ask of a set in a day is bounded ([Budget]), whatever tokens and people it uses, in the
//     database, by a clock that runs only while the node does: neither a restart nor a clock that is set opens it. Dummies
//     count like values, since nobody can tell them apart; fewer than 16 are needed for any number of values.
//   - The audit holds how many elements were asked, never of what; only the organisation that asked reads it.
//   - A set is asked where its community lives. A member with a node of its own asks that node, which passes blinded
//     elements on over a confirmed link; it learns how many somebody sent, and the home counts the organisation's budget.
//   - A client takes no answer that is not proved to be by the key of the epoch, and no other key or filter for an epoch
//     that it has seen ([Client]).
//
// # Tables
//
//	match_set      a set: owner, community, kind, budget, the epoch in force
//	match_epoch    its epochs: key, size class, hash of the filter; the secret of the present one alone
//	match_filter   the filter of the present epoch
//	match_use      what each organisation has used of its budget
//	match_day      what the owner sees
//	match_clock    how long the node has been running
package match
