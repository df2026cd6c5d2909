// Package cases takes reports of incidents and suspicions, and keeps what an organisation does about them until the case
// is closed.
//
// # Reports
//
// Anybody may report, without an account. A report is sealed on the device that sends it to the keys of those who read
// for a desk; the node keeps what it cannot open. Only where a browser runs no script, or a script posts plain answers,
// the node seals on arrival, and says so.
//
// # Cases
//
// A case belongs to one organisation. People and organisations are let into it with a part and a ceiling: whoever has the
// ceiling TLP:GREEN sees of a case what is marked green or wider, in every list, count, export and answer. What is shared
// with others leaves through the exchange, and never by itself.
package cases
