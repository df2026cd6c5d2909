// Package members is the capability of people, organisations, communities, tokens and the audit: the commands and pages
// by which they are managed, log-in, and the account of whoever is logged in.
//
// It decides nothing: package accounts does, and reads every right again in the transaction that uses it. What this
// package promises is about its two faces:
//
//   - A generated secret (password, token, invitation) is shown once, in the answer to the request that made it, and is
//     in no address, no cookie and no log line. An invitation travels in the fragment of a link, which no server sees.
//   - An organisation reads the names of those organisations with which it shares a community, after it has accepted
//     that community's agreement. Of all others it learns nothing, not even that they are here.
//   - Whoever logs in with a generated password can do nothing before choosing another.
//   - The audit page shows times and no numbers (rule X28); where a page begins is sealed, so that nobody reads from an
//     address how much happened that he may not see.
//   - What cannot be undone asks first, with script and without.
//
// It has no tables of its own.
package members
