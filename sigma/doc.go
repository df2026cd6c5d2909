// Package sigma reads Sigma rules (specification 2.1) and matches events against many of them at once.
//
// [Load] reads files and folders into a [Collection]: rules, correlations and filters, each with the terms it is shared
// under. What is wrong with a file is an [Error] that says where and what would be right; one bad rule costs that rule
// alone. [Compile] makes an [Engine] of a collection, and each goroutine asks a [Matcher] of its own.
//
// # What matches
//
// A rule is asked only of events whose [event.Source] is of the rule's log source; see [LogSource.Covers]. Matching
// ignores case, of Unicode letters too, unless a rule says cased or re. A wildcard crosses line ends. A field that
// occurs more than once in an event matches when one of its values does. A number of an event is compared as text after
// a whole number was freed of its fraction: 4688.0 is 4688. null is a field that is absent or null; ” is one that is
// there and empty. A keyword is looked for inside every value of the event.
//
// # Bounds
//
// A file may have [MaxFile] bytes, a rule [MaxDepth] levels and [MaxValues] values, a pattern [MaxPattern] bytes, a
// regular expression [MaxRegexp] bytes and a thousand repetitions. Regular expressions are those of RE2: without
// look-around and backreferences, and so in time linear to the value. Of one value of an event the first [MaxValue]
// bytes are looked at, of all values together [MaxEventBytes]. So the time that an event costs has a bound that is
// linear in its length and in the size of the rules, whatever the event and the rules are.
package sigma
