// Package names compares names of people, firms and vessels across scripts, and says word by word what met what.
//
// A name is parsed once into words ([Parse]); each word carries its romanisations, a key that all its romanisations
// share, and, where the word is one of the trade (a legal form, "Technology", "大学"), its meaning. [Compare] aligns the
// words of two names and scores them from 0 to 1; an [Index] finds, among a million names, the few that are worth that
// comparison. Nothing here knows where a name comes from: a name only ever matches a name.
//
// No network, no model, no data beside the tables in this folder. All functions may be called from any goroutine.
package names
