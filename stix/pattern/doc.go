// Package pattern reads, prints and matches the patterns of STIX 2.1 indicators.
//
// [Parse] checks a pattern and says where it is wrong and what would be right. [Pattern.String] prints it in one
// normal layout, so that parsing what was printed gives an equal tree. [Pattern.Comparisons] and [Pattern.Values] take
// out what a pattern compares, without the caller walking the tree.
//
// The tree has two floors. An [Observation] says what must be seen, in which combination and when: one [Single]
// bracketed test, a [Combination] of several, or a [Qualified] one with WITHIN, REPEATS or START … STOP. A [Test] is
// what stands inside the brackets: a [Comparison], or a [Junction] of several by AND or OR. Parentheses are not in the
// tree: they are its shape.
//
// [Compile] makes a [Matcher], which holds a pattern against all of what was [Observed]: read from STIX by
// [ReadObserved], or put together from [Object] values. A [Stream] does the same with observations that come one by
// one, and a [Set] sorts many patterns so that an observation is tried against few.
//
// Section 9 of the standard decides what matches, and where it is silent:
//
//   - The time of an observation is any instant from its first to its last; a qualifier is met when there are instants
//     that meet it. START … STOP is half-open. An observation at no known time meets no qualifier of time.
//   - An observation that was made n times can stand in n places of a binding.
//   - A comparison without a value at its path is false, with NOT too; NOT EXISTS alone is true then.
//   - MATCHES takes Perl-compatible expressions whose time is linear: [Compile] refuses look-around and back-references.
//     A point matches line breaks, $ stands before a last line break too, and both sides are in Unicode form NFC, as
//     with LIKE.
//   - One binding is looked for, not all: their number can grow as n!.
//
// All input is bounded: patterns by [MaxBytes], [MaxDepth] and [MaxTests], data by [MaxDataBytes] and [MaxDataDepth], the
// work of a match by [MaxSteps].
package pattern

// Bounds of a pattern. Both are far above what indicators in use need.
const (
	MaxBytes = 1 << 20 // longest text that Parse reads
	MaxDepth = 100     // deepest nesting of parentheses
)
