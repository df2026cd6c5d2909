package pattern

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// testSet is a small set of test indices.
type testSet []uint64

func newTestSet(n int) testSet { return make(testSet, (n+63)/64) }

func (b *testSet) set(i int) {
	for len(*b) <= i/64 {
		*b = append(*b, 0)
	}
	(*b)[i/64] |= 1 << (i % 64)
}

func (b testSet) any(of testSet) bool {
	for i := range min(len(b), len(of)) {
		if b[i]&of[i] != 0 {
			return true
		}
	}
	return false
}

func (b testSet) empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

func (b testSet) union(of testSet) testSet {
	out := slices.Clone(b)
	for len(out) < len(of) {
		out = append(out, 0)
	}
	for i := range of {
		out[i] |= of[i]
	}
	return out
}

// tick counts time in steps of 100 nanoseconds, fine enough for any clock that observes and wide enough for every year
// that a timestamp can name.
type tick = int64

const (
	never   tick = math.MinInt64
	forever tick = math.MaxInt64
)

func tickOf(t time.Time) tick { return t.Unix()*10_000_000 + int64(t.Nanosecond()/100) }

// later is t+d, as far as there is time.
func later(t, d tick) tick {
	if t > forever-d {
		return forever
	}
	return t + d
}

// termKind says how a term binds observations.
type termKind uint8

const (
	setTerm    termKind = iota // one observation that meets one of the tests, at a time from lo to hi
	allTerm                    // every term, disjointly
	eitherTerm                 // one of the terms
	thenTerm                   // the first term, then the second
	withinTerm                 // all of the term within so much time
	spanTerm                   // all of the term from start to before stop
	repeatTerm                 // the term so many times, disjointly
)

// term is an observation of the pattern made ready for the search.
type term struct {
	kind        termKind
	tests       testSet // all tests below
	terms       []*term
	duration    tick
	start, stop tick
	lo, hi      tick
	times       int64
	fixed       bool // no time to choose and no branch: the term is a sum of sets
}

func newSet(tests testSet) *term {
	return &term{kind: setTerm, tests: tests, fixed: true, lo: never, hi: forever}
}

// meets says whether an observation that meets these tests is all that a set asks for.
func (t *term) meets(hit testSet, o *Observed) bool {
	c := candidateOf(hit, o)
	return c.fits(t.tests, t.lo, t.hi)
}

func combine(op ObservationOp, terms []*term) *term {
	if op == FollowedBy {
		t := terms[0]
		for _, next := range terms[1:] {
			t = &term{kind: thenTerm, tests: t.tests.union(next.tests), terms: []*term{t, next}}
		}
		return t
	}
	t := &term{kind: allTerm, terms: terms, fixed: true}
	sets := true
	for _, sub := range terms {
		t.tests = t.tests.union(sub.tests)
		t.fixed = t.fixed && sub.fixed
		sets = sets && sub.kind == setTerm && sub.lo == never && sub.hi == forever
	}
	if op == ObservationOr {
		if sets {
			return newSet(t.tests)
		}
		t.kind, t.fixed = eitherTerm, false
	}
	return t
}

// newWithin says nothing of one observation alone: it is one instant.
func newWithin(t *term, seconds float64) *term {
	if t.kind == setTerm {
		return t
	}
	d := forever
	if ticks := seconds * 10_000_000; ticks < math.MaxInt64/4 {
		d = tick(ticks)
	}
	return &term{kind: withinTerm, tests: t.tests, terms: []*term{t}, duration: d}
}

// newSpan bounds the time of a set at once; one that stops before it starts is met by none.
func newSpan(t *term, start, stop tick) *term {
	if t.kind == setTerm {
		if start >= stop {
			start, stop = forever, never+1
		}
		return &term{kind: setTerm, tests: t.tests, fixed: true, lo: max(t.lo, start), hi: min(t.hi, stop-1)}
	}
	return &term{kind: spanTerm, tests: t.tests, terms: []*term{t}, start: start, stop: stop, fixed: t.fixed}
}

func newRepeat(t *term, times int64) *term {
	if times == 1 {
		return t
	}
	return &term{kind: repeatTerm, tests: t.tests, terms: []*term{t}, times: times, fixed: t.fixed}
}

// maxDepth bounds how many choices of time and branch one binding may take.
const maxDepth = 10_000

// search looks for a binding. Each WITHIN is met exactly when there is an instant after which everything lies within
// its time, each FOLLOWEDBY when there is one that parts its sides. So the search chooses these instants, each among
// the times of the observations, and what remains is to give every place of the pattern an observation of its own: a
// flow, which has no need to try.
type search struct {
	work   *work
	seen   []candidate
	first  []int32 // indices into seen, by first
	widest tick    // the longest that one was observed
	places []place
	depth  int
	must   int // index into seen of one that has to be bound; -1
}

// candidate is an observation that meets some test.
type candidate struct {
	index       int // as the caller counts
	tests       testSet
	first, last tick
	number      int64
}

// place asks for observations that meet one of the tests at a time from lo to hi.
type place struct {
	tests  testSet
	lo, hi tick
	want   int64
}

// candidateOf is an observation that meets these tests. At no known time it fits no bound of time.
func candidateOf(hit testSet, o *Observed) candidate {
	c := candidate{tests: hit, first: forever, last: never, number: o.number()}
	if !o.First.IsZero() {
		c.first, c.last = tickOf(o.First), tickOf(o.First)
		if o.Last.After(o.First) {
			c.last = tickOf(o.Last)
		}
	}
	return c
}

func (s *search) add(c candidate) {
	if c.last != never {
		s.widest = max(s.widest, c.last-c.first)
	}
	s.seen = append(s.seen, c)
}

// todo is what of the pattern is still to be placed.
type todo struct {
	term   *term
	lo, hi tick
	copies int64 // of a fixed term
	again  int64 // how often it comes again after this, of the others
	from   int   // the first choice to try: copies choose in rising order
	next   *todo
}

// solve is the indices of a binding, nil when there is none.
func (s *search) solve(root *term) ([]int, error) {
	s.first = s.first[:0]
	for i := range s.seen {
		s.first = append(s.first, int32(i))
	}
	slices.SortFunc(s.first, func(a, b int32) int {
		return cmp.Or(cmp.Compare(s.seen[a].first, s.seen[b].first), cmp.Compare(a, b))
	})
	list := &todo{term: root, lo: never, hi: forever, copies: 1}
	if !s.possible(list) {
		return nil, s.work.err()
	}
	bound := s.run(list)
	if err := s.work.err(); err != nil {
		return nil, err
	}
	return bound, nil
}

// run places what is to do and returns the binding, nil when there is none.
func (s *search) run(list *todo) []int {
	if list == nil {
		return s.settle()
	}
	if s.depth++; s.depth > maxDepth {
		s.work.left = -1
	}
	defer func() { s.depth-- }()
	if !s.work.spend(1) {
		return nil
	}
	t, next := list.term, list.next
	switch t.kind {
	case setTerm:
		s.places = append(s.places, place{t.tests, max(list.lo, t.lo), min(list.hi, t.hi), list.copies})
		bound := s.run(next)
		s.places = s.places[:len(s.places)-1]
		return bound
	case eitherTerm:
		return s.runEither(list)
	case thenTerm, withinTerm:
		return s.runTimed(list)
	}
	next = list.rest(0)
	switch t.kind {
	case spanTerm:
		if t.start >= t.stop {
			return nil
		}
		return s.run(&todo{term: t.terms[0], lo: max(list.lo, t.start), hi: min(list.hi, t.stop-1), copies: list.copies, next: next})
	case repeatTerm:
		sub := &todo{term: t.terms[0], lo: list.lo, hi: list.hi, copies: 1, again: t.times - 1, next: next}
		if sub.term.fixed {
			sub.copies, sub.again = times(list.copies, t.times), 0
		}
		return s.run(sub)
	}
	for i := len(t.terms) - 1; i >= 0; i-- {
		next = &todo{term: t.terms[i], lo: list.lo, hi: list.hi, copies: list.copies, next: next}
	}
	return s.run(next)
}

// rest is what is to do after this once: the term again, as often as it is due, and what follows.
func (l *todo) rest(from int) *todo {
	if l.again == 0 {
		return l.next
	}
	return &todo{term: l.term, lo: l.lo, hi: l.hi, copies: l.copies, again: l.again - 1, from: from, next: l.next}
}

// times is a product that stops at the largest number.
func times(a, b int64) int64 {
	if a > math.MaxInt64/b {
		return math.MaxInt64
	}
	return a * b
}

func (s *search) runEither(list *todo) []int {
	for i := list.from; i < len(list.term.terms); i++ {
		branch := &todo{term: list.term.terms[i], lo: list.lo, hi: list.hi, copies: 1, next: list.rest(i)}
		if s.possible(branch) {
			if bound := s.run(branch); bound != nil {
				return bound
			}
		}
		if s.work.left < 0 {
			return nil
		}
	}
	return nil
}

// runTimed tries the instants that a WITHIN or a FOLLOWEDBY can turn on. For WITHIN the earliest of the last times
// bound is the start of its time; for FOLLOWEDBY the latest of the first times on its left parts the sides.
func (s *search) runTimed(list *todo) []int {
	t := list.term
	tests := t.tests
	if t.kind == thenTerm {
		tests = t.terms[0].tests
	}
	tried := map[tick]bool{}
	for i := list.from; i < len(s.seen); i++ {
		if !s.work.spend(1) {
			return nil
		}
		c := &s.seen[i]
		at := c.last
		if t.kind == thenTerm {
			at = c.first
		}
		if !c.fits(tests, list.lo, list.hi) || tried[at] || c.last == never {
			continue
		}
		tried[at] = true
		next := list.rest(i)
		if t.kind == thenTerm {
			next = &todo{term: t.terms[1], lo: max(list.lo, at), hi: list.hi, copies: 1, next: next}
			next = &todo{term: t.terms[0], lo: list.lo, hi: min(list.hi, at), copies: 1, next: next}
		} else {
			next = &todo{term: t.terms[0], lo: max(list.lo, at), hi: min(list.hi, later(at, t.duration)), copies: 1, next: next}
		}
		if s.possible(next) {
			if bound := s.run(next); bound != nil {
				return bound
			}
		}
	}
	return nil
}

// fits says whether the observation meets one of the tests and has an instant from lo to hi.
func (c *candidate) fits(tests testSet, lo, hi tick) bool {
	return c.last >= lo && c.first <= hi && c.tests.any(tests)
}
