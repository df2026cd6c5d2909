// Package pattern reads and prints the patterns of STIX 2.1 indicators: the whole grammar of the patterning language,
// as an abstract syntax tree that a matcher or a search index can walk.
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
// The package matches nothing and resolves no reference: a path such as resolves_to_refs[*].value is kept as written.
// Input is bounded by [MaxBytes] and [MaxDepth].
package pattern

// Bounds of a pattern. Both are far above what indicators in use need.
const (
	MaxBytes = 1 << 20 // longest text that Parse reads
	MaxDepth = 100     // deepest nesting of parentheses
)
