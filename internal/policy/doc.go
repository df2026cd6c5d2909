// Package policy decides who may see, share and decide what. It is pure: values in, values out, no context, no clock,
// no storage, so that every rule can be tested over all its cases and be read in one sitting.
//
// The rules are those of the exchange, X1 to X28. Three ideas carry them:
//
//   - A delivery brings one version of one object to an audience ([polder.Audience]) of one community. Sight is one
//     predicate over that audience ([polder.Sight.Allows]); the journal's SQL asks the same of the same audience.
//   - What a sharer sees of an id decides what its share is: an id of which it sees nothing begins a line of its own,
//     an id that it sees belongs to the line's custodian (X13). [Plan] and [Withdraw] compute, once and when something
//     is written, whom each delivery reaches, so that no reader ever gets an id from two lines or a version twice, and
//     reading needs no rule but the predicate.
//   - How far an object may go is its level ([LevelFor]).
package policy
