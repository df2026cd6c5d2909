package pattern

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxSteps bounds the work of one match: this many steps, and 1,000 more for each object of the data. A step is a value
// looked at, 16 instructions of an expression over one character, or one observation tried for one place of a binding.
const MaxSteps = 10_000_000

// ErrTooMuchWork says that a match would take more than [MaxSteps] allows. Whether the pattern matches is not known.
var ErrTooMuchWork = errors.New("the pattern takes more steps against these observations than are allowed; " +
	"make it narrower, or match fewer observations at a time")

// MaxTests is how many different bracketed tests a pattern to be matched may have.
const MaxTests = 1024

// work counts down the steps that a match has left.
type work struct {
	left int64
	// badTime is the first text that was compared with a timestamp and is none.
	badTime *badTime
}

type badTime struct {
	path string
	text string
}

// spend takes steps; false when there are none left.
func (w *work) spend(steps int64) bool {
	w.left -= steps
	return w.left >= 0
}

func (w *work) err() error {
	switch {
	case w.left < 0:
		return ErrTooMuchWork
	case w.badTime != nil:
		return fmt.Errorf("%s is %s, which is no timestamp, and the pattern compares it with one", w.badTime.path, quote(shortened(w.badTime.text)))
	}
	return nil
}

func shortened(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// A Matcher is a pattern made ready to be matched. It may be used by several goroutines at once.
type Matcher struct {
	pattern *Pattern
	tests   []*check // of the bracketed tests, each once
	root    *term
}

// Compile makes a pattern ready. Its error, an [*Error], is what the grammar lets pass and cannot be matched: an
// expression with look-around or back-references, a list after IN of mixed types, an address that is none, an AND in
// brackets of comparisons of different types.
func Compile(p *Pattern) (*Matcher, error) {
	c := compiler{seen: map[string]int{}}
	root, err := c.observation(p.Root)
	if err != nil {
		return nil, err
	}
	return &Matcher{pattern: p, tests: c.tests, root: root}, nil
}

// String is the pattern as it is printed by [Pattern.String].
func (m *Matcher) String() string { return m.pattern.String() }

// Stateless says whether a single observation decides: then every match binds exactly one.
func (m *Matcher) Stateless() bool { return m.root.kind == setTerm }

// Match looks for observations that together meet the pattern, each used as often as it was observed. It returns the
// indices of the first such set found, rising, tried from the smallest, or none when there is no such set.
//
// The time of an observation is any instant from its first to its last: a qualifier is met when there are instants that
// meet it. The error is [ErrTooMuchWork], or that a text in the data is compared with a timestamp and is none.
func (m *Matcher) Match(seen []*Observed) ([]int, error) {
	w := work{left: MaxSteps}
	for _, o := range seen {
		w.left += 1000 * int64(len(o.roots))
	}
	hit := newTestSet(len(m.tests))
	if m.Stateless() {
		for i, o := range seen {
			if m.test(o, hit, &w); m.root.meets(hit, o) {
				return []int{i}, w.err()
			}
		}
		return nil, w.err()
	}
	s := search{work: &w, must: -1}
	for i, o := range seen {
		if m.test(o, hit, &w); !hit.empty() {
			c := candidateOf(slices.Clone(hit), o)
			c.index = i
			s.add(c)
		}
	}
	if err := w.err(); err != nil {
		return nil, err
	}
	return s.solve(m.root)
}

// test says which of the pattern's tests an observation meets, in hit, which has room for them.
func (m *Matcher) test(o *Observed, hit testSet, w *work) {
	clear(hit)
	for i, c := range m.tests {
		if c.meets(o, w) {
			hit.set(i)
		}
	}
}

// check is a test made ready: one comparison, or several joined.
type check struct {
	one   *comparison
	op    JunctionOp
	terms []*check
	types []string // an object meets it only when it is of one of these types
}

// meets says whether an object of the observation meets the check.
func (c *check) meets(o *Observed, w *work) bool {
	for i := range o.roots {
		r := &o.roots[i]
		if contains(c.types, r.kind) && c.holds(r, o.scope, w) {
			return true
		}
	}
	return false
}

func contains(types []string, one string) bool {
	for _, t := range types {
		if t == one {
			return true
		}
	}
	return false
}

func (c *check) holds(r *root, s *scope, w *work) bool {
	if c.one != nil {
		return c.one.holds(r, s, w)
	}
	for _, t := range c.terms {
		if t.holds(r, s, w) == (c.op == Or) {
			return c.op == Or
		}
	}
	return c.op == And
}

// comparison is one made ready.
type comparison struct {
	path    ObjectPath
	routes  []route
	op      Op // empty for EXISTS
	negated bool
	values  []constant
	texts   map[string]bool // of an IN of texts
	like    glob
	matches *expression
	net     netRange
}

// holds says whether one value at the path passes; NOT turns the verdict on each value. Without a value it is false,
// but for NOT EXISTS.
func (c *comparison) holds(r *root, s *scope, w *work) bool {
	if r.kind != c.path.ObjectType {
		return false
	}
	walk := walker{scope: s, work: w}
	if c.op == "" {
		walk.take = func(*node, coding) bool { return true }
		return walk.followAny(r.node, c.routes) != c.negated && w.left >= 0
	}
	walk.take = func(n *node, enc coding) bool { return c.passes(n, enc, w) != c.negated }
	return walk.followAny(r.node, c.routes)
}

// passes is the verdict on one value, NOT aside.
func (c *comparison) passes(n *node, enc coding, w *work) bool {
	switch c.op {
	case Equal, NotEqual:
		yes, bad := c.values[0].equal(n, enc)
		c.complain(bad, n, w)
		return yes == (c.op == Equal)
	case In:
		return c.in(n, enc, w)
	case Greater, Less, GreaterOrEqual, LessOrEqual:
		o, bad := c.values[0].compare(n, enc)
		c.complain(bad, n, w)
		return o != apart && ordered(c.op, o)
	case Like:
		text, ok := c.textOf(n, enc)
		return ok && w.spend(1+int64(len(text))*int64(1+len(c.like.runes)/8)/16) && c.like.match(normal(text))
	case Matches:
		return c.matchesText(n, enc, w)
	case IsSubset, IsSuperset:
		return c.net.passes(n, enc, c.op)
	}
	return false
}

func ordered(op Op, o order) bool {
	switch op {
	case Greater:
		return o == greater
	case Less:
		return o == less
	case GreaterOrEqual:
		return o == greater || o == same
	}
	return o == less || o == same
}

func (c *comparison) complain(bad bool, n *node, w *work) {
	if bad && w.badTime == nil {
		w.badTime = &badTime{c.path.String(), n.text}
	}
}

func (c *comparison) in(n *node, enc coding, w *work) bool {
	if c.texts != nil && enc == plain {
		return n.kind == isText && c.texts[n.text]
	}
	if !w.spend(int64(len(c.values))) {
		return false
	}
	for i := range c.values {
		yes, bad := c.values[i].equal(n, enc)
		c.complain(bad, n, w)
		if yes {
			return true
		}
	}
	return false
}

// textOf is the text to be held against LIKE: of bytes, each as a character.
func (c *comparison) textOf(n *node, enc coding) (string, bool) {
	if n.kind != isText {
		return "", false
	}
	if b, ok := bytesOf(n.text, enc); ok {
		return characters(b), true
	}
	return n.text, true
}

func (c *comparison) matchesText(n *node, enc coding, w *work) bool {
	if n.kind != isText {
		return false
	}
	text, isBytes := bytesOf(n.text, enc)
	switch {
	case isBytes && !c.matches.octets:
		return false
	case isBytes:
		text = characters(text)
	default:
		text = normal(n.text)
	}
	if c.matches.needs != "" && !isBytes && !strings.Contains(text, c.matches.needs) {
		w.spend(1 + int64(len(text))/16)
		return false
	}
	return w.spend(1+int64(len(text))*c.matches.size/16) && c.matches.re.MatchString(text)
}

// Evidence lists the values in an observation that pass a comparison of the pattern, each once, in the order of the
// pattern: why it matched. Numbers are written in decimal. A comparison that a value fails is not in it, nor is NOT EXISTS.
func (m *Matcher) Evidence(o *Observed) []Value {
	w := work{left: MaxSteps}
	var all []Value
	for _, t := range m.tests {
		for i := range o.roots {
			if r := &o.roots[i]; contains(t.types, r.kind) && t.holds(r, o.scope, &w) {
				all = t.evidence(all, r, o.scope, &w)
			}
		}
	}
	return all
}

func (c *check) evidence(all []Value, r *root, s *scope, w *work) []Value {
	if c.one == nil {
		for _, t := range c.terms {
			if t.holds(r, s, w) {
				all = t.evidence(all, r, s, w)
			}
		}
		return all
	}
	if c.one.path.ObjectType != r.kind {
		return all
	}
	walk := walker{scope: s, work: w, take: func(n *node, enc coding) bool {
		text, ok := n.written()
		v := Value{r.kind, c.one.path.Property(), text}
		if ok && (c.one.op == "" || c.one.passes(n, enc, w) != c.one.negated) && !slices.Contains(all, v) {
			all = append(all, v)
		}
		return false
	}}
	walk.followAny(r.node, c.one.routes)
	return all
}
