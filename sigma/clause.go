package sigma

import (
	"net/netip"
	"regexp"
	"regexp/syntax"
)

// clauseOp is how a clause is put together.
type clauseOp uint8

const (
	isAtom clauseOp = iota
	allOf           // of no clauses: always
	anyOf           // of no clauses: never
	noneOf
)

// clause is when something matches: an atom, or clauses put together.
type clause struct {
	op   clauseOp
	kids []clause
	atom *atom
	size int // atoms and patterns below, counted as often as they stand there
}

func newClause(op clauseOp, kids ...clause) clause {
	if len(kids) == 1 && (op == allOf || op == anyOf) {
		return kids[0]
	}
	c := clause{op: op, kids: kids, size: 1}
	for i := range kids {
		c.size += kids[i].size
	}
	return c
}

func newAtom(a atom) clause {
	return clause{atom: &a, size: 1 + len(a.patterns) + len(a.regexps) + len(a.networks)}
}

// atomKind is what an atom asks of a field.
type atomKind uint8

const (
	isPattern  atomKind = iota // a value matches one of the patterns
	isRegexp                   // a value contains a match of one of the expressions
	isNetwork                  // a value is an address in one of the networks
	isCompared                 // a value, or a part of the time it says, compares to a number
	isNull                     // the field is absent or has no value but null
	isThere                    // the field is in the event
	isField                    // a value is, begins with, ends with or contains that of another field
)

// atom is one question about one field. A field of several values answers yes when one of them does.
type atom struct {
	field string // "" for a keyword: every value of the event
	kind  atomKind

	patterns []pattern
	regexps  []*expr
	networks []netip.Prefix

	part   timePart // isCompared
	op     string   // isCompared: lt, lte, gt, gte, or "" for equal
	number float64

	other         string // isField
	before, after bool   // any text may stand before it, after it
	cased         bool
}

// expr is a regular expression of a rule.
type expr struct {
	text  string // with its flags
	re    *regexp.Regexp
	prog  *syntax.Prog
	some  []string // every match holds one of these, both without the difference of case; nil when nothing is known
	reach int      // how many bytes of a value are looked at
}
