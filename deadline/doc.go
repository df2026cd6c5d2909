// Package deadline says what the law wants to be reported, to whom, until when, and why. The rules are data: dated packs
// of YAML. Periods are counted as Regulation (EEC, Euratom) No 1182/71 says, hours by the clock that never pauses.
package deadline
