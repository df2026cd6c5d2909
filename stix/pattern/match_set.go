package pattern

import "strings"

// A Set holds many patterns, sorted by what an observation must have to meet one of their tests: a value at a path, a
// text within it, the path, the type. An observation is held against those tests only that it may meet. A Set may be
// used by several goroutines at once, each with a [Finder] of its own.
type Set struct {
	matchers []*Matcher
	units    []unit
	types    map[string]*typeIndex
}

// unit is one test of one pattern.
type unit struct{ matcher, test int32 }

// typeIndex are the tests that an object of a type may meet.
type typeIndex struct {
	always []int32
	paths  []*pathIndex
	byText map[string]*pathIndex
}

// pathIndex are the tests that a value at a path may meet.
type pathIndex struct {
	routes  []route
	present []int32             // any value
	texts   map[string][]int32  // this text
	numbers map[float64][]int32 // this number
	grams   map[uint32][]needle // a text with these four bytes in it
	filter  [1 << 10]uint64     // which grams there are, by hash
}

// needle is a text that a value must hold.
type needle struct {
	text string
	unit int32
}

// NewSet sorts patterns into a set. A [Hit] names them by their index.
func NewSet(matchers []*Matcher) *Set {
	s := &Set{matchers: matchers, types: map[string]*typeIndex{}}
	for i, m := range matchers {
		for j, c := range m.tests {
			s.units = append(s.units, unit{int32(i), int32(j)})
			s.index(witnesses(c), int32(len(s.units)-1))
		}
	}
	return s
}

// Len is the number of patterns.
func (s *Set) Len() int { return len(s.matchers) }

// grade says how much a witness narrows, from the most.
type grade uint8

const (
	byValue grade = iota
	byNeedle
	byPath
	byType
)

// witness is what an object has to have so that a test may be met.
type witness struct {
	grade  grade
	kind   string // type of the object
	one    *comparison
	needle string
}

// witnesses are such that an object that meets the check has one of them.
func witnesses(c *check) []witness {
	if c.one != nil {
		return []witness{witnessOf(c.one)}
	}
	var all []witness
	for i, t := range c.terms {
		sub := witnesses(t)
		if c.op == Or {
			all = append(all, sub...)
			continue
		}
		if i == 0 || worst(sub) < worst(all) || worst(sub) == worst(all) && len(sub) < len(all) {
			all = sub
		}
	}
	return all
}

func worst(all []witness) grade {
	g := byValue
	for _, w := range all {
		g = max(g, w.grade)
	}
	return g
}

// minNeedle is the shortest text that a needle is looked up by.
const minNeedle = 4

func witnessOf(c *comparison) witness {
	w := witness{grade: byPath, kind: c.path.ObjectType, one: c}
	switch {
	case c.op == "" && c.negated:
		w.grade = byType
	case c.negated:
	case c.op == Equal || c.op == In:
		if indexable(c) {
			w.grade = byValue
		}
	case c.op == Like:
		for _, l := range c.like.literals() {
			w.needle = longer(w.needle, l)
		}
	case c.op == Matches:
		w.needle = c.matches.needs
	}
	if len(w.needle) >= minNeedle && codingAt(c) == plain {
		w.grade = byNeedle
	}
	return w
}

// codingAt is how texts at the end of a path stand for bytes.
func codingAt(c *comparison) coding {
	r := c.routes[0]
	return r[len(r)-1].enc
}

// indexable says whether equality with the values is equality of texts or of numbers.
func indexable(c *comparison) bool {
	if codingAt(c) != plain {
		return false
	}
	for i := range c.values {
		v := &c.values[i]
		const exactly = 1 << 53
		switch {
		case v.kind == String || v.kind == Float:
		case v.kind == Int && v.exact && v.whole > -exactly && v.whole < exactly:
		default:
			return false
		}
	}
	return true
}

// index enters a test under its witnesses.
func (s *Set) index(all []witness, u int32) {
	for _, w := range all {
		t := s.types[w.kind]
		if t == nil {
			t = &typeIndex{byText: map[string]*pathIndex{}}
			s.types[w.kind] = t
		}
		if w.grade == byType {
			t.always = append(t.always, u)
			continue
		}
		p := t.byText[w.one.path.Property()]
		if p == nil {
			p = &pathIndex{routes: w.one.routes, texts: map[string][]int32{}, numbers: map[float64][]int32{}, grams: map[uint32][]needle{}}
			t.byText[w.one.path.Property()] = p
			t.paths = append(t.paths, p)
		}
		p.enter(w, u)
	}
}

func (p *pathIndex) enter(w witness, u int32) {
	switch w.grade {
	case byValue:
		for i := range w.one.values {
			if v := &w.one.values[i]; v.kind == String {
				p.texts[v.text] = append(p.texts[v.text], u)
			} else {
				p.numbers[v.float] = append(p.numbers[v.float], u)
			}
		}
	case byNeedle:
		best := gramAt(w.needle, 0)
		for i := 1; i+minNeedle <= len(w.needle); i++ {
			if g := gramAt(w.needle, i); len(p.grams[g]) < len(p.grams[best]) {
				best = g
			}
		}
		p.grams[best] = append(p.grams[best], needle{w.needle, u})
		h := filterBit(best)
		p.filter[h/64] |= 1 << (h % 64)
	default:
		p.present = append(p.present, u)
	}
}

func gramAt(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func filterBit(gram uint32) uint32 { return gram * 2654435761 >> 16 }

// A Hit is a pattern and which of its tests an observation meets.
type Hit struct {
	Pattern int // index in the set
	tests   testSet
}

// A Finder holds observations against a [Set]. It is for one goroutine.
type Finder struct {
	set   *Set
	round uint32
	seen  []uint32 // of a unit, the round it was looked at last
	units []int32
	where []int32 // of a matcher, 1 + its place in hits this round
	hits  []Hit
	tried uint64
}

// NewFinder is a finder for one goroutine.
func (s *Set) NewFinder() *Finder {
	return &Finder{set: s, seen: make([]uint32, len(s.units)), where: make([]int32, len(s.matchers))}
}

// Tried is how many tests have been held against observations, of all those that there are.
func (f *Finder) Tried() uint64 { return f.tried }

// Find lists the patterns of which the observation meets a test; of those that one observation decides, the ones that
// it matches. The list holds until the next call; the hits in it may
// be kept. A test that takes more than [MaxSteps] is not met, and the error is [ErrTooMuchWork] beside the others' hits.
func (f *Finder) Find(o *Observed) ([]Hit, error) {
	f.units = f.units[:0]
	for _, h := range f.hits {
		f.where[h.Pattern] = 0
	}
	clear(f.hits)
	f.hits = f.hits[:0]
	if f.round++; f.round == 0 {
		clear(f.seen)
		f.round = 1
	}
	w := work{left: MaxSteps}
	for i := range o.roots {
		if t := f.set.types[o.roots[i].kind]; t != nil {
			f.candidates(t, &o.roots[i], o.scope, &w)
		}
	}
	var failed error
	if w.left < 0 {
		failed = ErrTooMuchWork
	}
	for _, u := range f.units {
		at := f.set.units[u]
		w := work{left: MaxSteps}
		f.tried++
		if m := f.set.matchers[at.matcher]; m.tests[at.test].meets(o, &w) && w.left >= 0 && m.inTime(o) {
			f.hit(at)
		}
		if w.left < 0 {
			failed = ErrTooMuchWork
		}
	}
	return f.hits, failed
}

// inTime says whether an observation can be in a binding for all of its time, as far as a stateless pattern says.
func (m *Matcher) inTime(o *Observed) bool {
	return !m.Stateless() || m.root.lo == never && m.root.hi == forever || m.root.meets(m.root.tests, o)
}

func (f *Finder) hit(at unit) {
	if f.where[at.matcher] == 0 {
		f.hits = append(f.hits, Hit{Pattern: int(at.matcher)})
		f.where[at.matcher] = int32(len(f.hits))
	}
	f.hits[f.where[at.matcher]-1].tests.set(int(at.test))
}

// candidates lists the tests that an object may meet.
func (f *Finder) candidates(t *typeIndex, r *root, s *scope, w *work) {
	f.enter(t.always)
	for _, p := range t.paths {
		walk := walker{scope: s, work: w, take: func(n *node, _ coding) bool {
			f.value(p, n)
			return false
		}}
		walk.followAny(r.node, p.routes)
	}
}

func (f *Finder) value(p *pathIndex, n *node) {
	f.enter(p.present)
	switch n.kind {
	case isInt:
		f.enter(p.numbers[float64(n.whole)])
	case isFloat:
		f.enter(p.numbers[n.float])
	case isText:
		f.enter(p.texts[n.text])
		if len(p.grams) > 0 {
			f.needles(p, normal(n.text))
		}
	}
}

func (f *Finder) needles(p *pathIndex, text string) {
	for i := 0; i+minNeedle <= len(text); i++ {
		g := gramAt(text, i)
		if h := filterBit(g); p.filter[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		for _, n := range p.grams[g] {
			if f.seen[n.unit] != f.round && strings.Contains(text, n.text) {
				f.seen[n.unit] = f.round
				f.units = append(f.units, n.unit)
			}
		}
	}
}

func (f *Finder) enter(units []int32) {
	for _, u := range units {
		if f.seen[u] != f.round {
			f.seen[u] = f.round
			f.units = append(f.units, u)
		}
	}
}

// Wants says whether a pattern of the set asks about objects of this type.
func (s *Set) Wants(objectType string) bool { return s.types[objectType] != nil }
