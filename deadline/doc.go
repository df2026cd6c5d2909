// Package deadline says what the law wants to be reported, to whom, until when, and why. It is pure: no network, no clock
// but the times it is given.
//
// # Data
//
// The rules are dated packs of YAML, one act in one jurisdiction each; see folder packs. A pack of a country takes the
// place of the pack of the European Union for the same act; where there is none, the Union's rule holds for every member
// state. Words that rules may use (sectors, kinds, events, places), calendars of public holidays and the five questions
// of the assistant are data too; see folder data. Forms lie in folder forms. What a pack writes wrong is an error with
// file and line.
//
// # Counting
//
// Periods are counted as Regulation (EEC, Euratom) No 1182/71 art. 3 says, and where there is a choice on the safe side:
//
//   - Hours run from the moment itself, by absolute time, and never pause: not at night, not on a holiday, not when the
//     clocks change. The regulation does not count the hour in which the event falls; this package does not add it, so
//     what it says is at most an hour early.
//   - Days, weeks, months and years begin on the day after the event and end with the last hour of their last day, in the
//     zone of the jurisdiction. The end is written as 23:59:59 of that day. A month without that date ends on its last day.
//   - A last day that is a Saturday, a Sunday or a public holiday of the calendar moves to the next working day (3(4)), and
//     a period of two days or more holds at least two working days (3(5)). Other rules are named by the rule itself: see
//     [Rest].
//   - A rule that is counted from a report that was not sent yet is counted from the last moment of that report, and says
//     so. The first version of a report counts, never a later one, unless the act itself says otherwise.
//
// It is no legal advice: every answer names the article to read.
package deadline
