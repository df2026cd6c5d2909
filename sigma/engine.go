package sigma

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/polder-exchange/polder/event"
)

// Options say how a collection is compiled. The zero value is ready.
type Options struct{}

// Engine matches events against all rules of a collection. It is safe for many goroutines; each asks a Matcher of its
// own. The rules for a source are put together when its first event comes.
type Engine struct {
	rules   []*Rule
	steps   []branch
	witness []*witness
	slots   map[string]int32 // of the fields that rules ask for; slot 0 is every value
	count   int              // questions
	exprs   []*expr

	mu       sync.RWMutex
	bySource map[*event.Source]*bucket
	byRules  map[string]*bucket
}

// maxBuckets bounds the sources remembered; beyond it all are forgotten and asked for anew.
const maxBuckets = 1 << 14

// MaxRules is the most rules of an engine.
const MaxRules = 1 << 17

// Compile makes an engine of the rules of a collection, narrowed by its filters. The rules are not to be changed while
// the engine is used. What filters and correlations say of rules that are not there was an error when they were loaded;
// here it is passed over.
func Compile(c *Collection, _ Options) (*Engine, error) {
	if len(c.Rules) > MaxRules {
		return nil, fmt.Errorf("%d rules in one engine; at most %d: load fewer folders", len(c.Rules), MaxRules)
	}
	c.link()
	b := builder{
		e:     &Engine{rules: c.Rules, slots: map[string]int32{"": 0}, bySource: map[*event.Source]*bucket{}, byRules: map[string]*bucket{}},
		exprs: map[string]int32{}, questions: map[string]*question{},
	}
	for _, r := range c.Rules {
		s := b.step(&r.match)
		b.e.steps = append(b.e.steps, s)
	}
	b.e.count = len(b.questions)
	for i := range b.e.steps {
		w := b.e.steps[i].witness(false)
		b.e.witness = append(b.e.witness, w)
		if w != nil {
			for _, q := range w.questions {
				q.indexed = q.needles != nil
			}
		}
	}
	for _, q := range b.questions {
		q.indexed = q.indexed || q.needles != nil && (q.atom.kind == isRegexp || q.decides && len(q.needles) >= minDecided)
		q.estimate(b.e.exprs)
	}
	for i := range b.e.steps {
		b.e.steps[i].arrange()
	}
	return b.e, nil
}

// builder gathers what rules share.
type builder struct {
	e         *Engine
	questions map[string]*question
	exprs     map[string]int32
}

func (b *builder) step(c *clause) branch {
	s := branch{op: c.op}
	if c.op == isAtom {
		s.q = b.question(c.atom)
		return s
	}
	for i := range c.kids {
		s.kids = append(s.kids, b.step(&c.kids[i]))
	}
	return s
}

func (b *builder) question(a *atom) *question {
	key := a.key()
	if q := b.questions[key]; q != nil {
		return q
	}
	q := &question{atom: a, id: int32(len(b.questions)), slot: b.slot(a.field)}
	if a.kind == isField {
		q.other = b.slot(a.other)
	}
	for _, x := range a.regexps {
		id, ok := b.exprs[x.text]
		if !ok {
			id = int32(len(b.e.exprs))
			b.exprs[x.text], b.e.exprs = id, append(b.e.exprs, x)
		}
		q.exprs = append(q.exprs, id)
	}
	q.prepare(b.e.exprs)
	b.questions[key] = q
	return q
}

func (b *builder) slot(field string) int32 {
	s, ok := b.e.slots[field]
	if !ok {
		s = int32(len(b.e.slots))
		b.e.slots[field] = s
	}
	return s
}

// Rules are the engine's rules, in the order of the collection.
func (e *Engine) Rules() []*Rule { return e.rules }

// bucket is the rules that are asked of events of one source, and the index over them. Rules have numbers of their own
// in it.
type bucket struct {
	rules []int32 // of the engine
	open  []uint64
	slots []*slotIndex // by the engine's slots; nil where no rule of the bucket asks
}

// bucket is the rules for a source.
func (e *Engine) bucket(s *event.Source) *bucket {
	e.mu.RLock()
	b := e.bySource[s]
	e.mu.RUnlock()
	if b != nil {
		return b
	}
	var rules []int32
	for i, r := range e.rules {
		if r.LogSource.Covers(s) {
			rules = append(rules, int32(i))
		}
	}
	key := make([]byte, 0, 4*len(rules))
	for _, r := range rules {
		key = binary.LittleEndian.AppendUint32(key, uint32(r))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if b = e.byRules[string(key)]; b == nil {
		b = e.newBucket(rules)
		e.byRules[string(key)] = b
	}
	if len(e.bySource) >= maxBuckets {
		clear(e.bySource)
	}
	e.bySource[s] = b
	return b
}

// slotIndex says, of the values of one field, which rules and questions they speak to.
type slotIndex struct {
	auto    *automaton       // of texts in ASCII
	beyond  *automaton       // of all other texts, which only values beyond ASCII can hold
	exact   map[string]int32 // whole values, folded, to hits
	longest int              // of the keys of exact
	hits    []hit
	present []uint64 // the rules that wait for the field alone; nil when there are none
}

// hit is what a needle stands for: the rules that wait for it and the questions it answers.
type hit struct{ rules, questions []int32 }

// indexBuilder gathers the needles of one field.
type indexBuilder struct {
	byNeedle map[needle]int32
	needles  []needle
	hits     []hit
	present  []uint64
	asked    map[int32]bool // questions whose needles are in
}

func (x *indexBuilder) add(n needle) *hit {
	i, ok := x.byNeedle[n]
	if !ok {
		i = int32(len(x.needles))
		x.byNeedle[n] = i
		n.id = i
		x.needles, x.hits = append(x.needles, n), append(x.hits, hit{})
	}
	return &x.hits[i]
}

// newBucket builds the index over some rules.
func (e *Engine) newBucket(rules []int32) *bucket {
	b := &bucket{rules: rules, open: make([]uint64, (len(rules)+63)/64), slots: make([]*slotIndex, len(e.slots))}
	build := map[int32]*indexBuilder{}
	at := func(slot int32) *indexBuilder {
		x := build[slot]
		if x == nil {
			x = &indexBuilder{byNeedle: map[needle]int32{}, asked: map[int32]bool{}}
			build[slot] = x
		}
		return x
	}
	for i, r := range rules {
		e.steps[r].each(func(q *question) {
			x := at(q.slot)
			if q.atom.kind == isField {
				at(q.other)
			}
			if !q.indexed || x.asked[q.id] {
				return
			}
			x.asked[q.id] = true
			for _, n := range q.needles {
				h := x.add(n)
				h.questions = append(h.questions, q.id)
			}
		})
		w := e.witness[r]
		if w == nil {
			b.open[i/64] |= 1 << (i % 64)
			continue
		}
		for _, q := range w.questions {
			x := at(q.slot)
			if q.needles == nil {
				if x.present == nil {
					x.present = make([]uint64, len(b.open))
				}
				x.present[i/64] |= 1 << (i % 64)
			}
			for _, n := range q.needles {
				h := x.add(n)
				h.rules = append(h.rules, int32(i))
			}
		}
	}
	for slot, x := range build {
		b.slots[slot] = x.build()
	}
	return b
}

// each goes through the questions of a step.
func (s *branch) each(f func(*question)) {
	if s.op == isAtom {
		f(s.q)
	}
	for i := range s.kids {
		s.kids[i].each(f)
	}
}

// fewWholes is how many whole values are looked for together with the other texts of a field, when there are any.
const fewWholes = 512

func (x *indexBuilder) build() *slotIndex {
	s := &slotIndex{present: x.present, hits: x.hits}
	for i := range s.hits {
		s.hits[i].rules = slices.Compact(s.hits[i].rules)
	}
	var wholes, others []needle
	for _, n := range x.needles {
		if n.begin && n.end {
			wholes = append(wholes, n)
		} else {
			others = append(others, n)
		}
	}
	if len(others) > 0 && len(wholes) <= fewWholes {
		wholes, others = nil, append(others, wholes...)
	}
	if len(wholes) > 0 {
		s.exact = make(map[string]int32, len(wholes))
		for _, n := range wholes {
			s.exact[n.text] = n.id
			s.longest = max(s.longest, len(n.text))
		}
	}
	var ascii, beyond []needle
	for _, n := range others {
		if isASCII(n.text) {
			ascii = append(ascii, n)
		} else {
			beyond = append(beyond, n)
		}
	}
	if len(ascii) > 0 {
		s.auto = newAutomaton(ascii)
	}
	if len(beyond) > 0 {
		s.beyond = newAutomaton(beyond)
	}
	return s
}

// Bytes is about how much memory the indexes hold that were built so far.
func (e *Engine) Bytes() int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	n := 0
	for b := range maps.Values(e.byRules) {
		for _, s := range b.slots {
			if s != nil {
				n += s.auto.bytes() + s.beyond.bytes()
			}
		}
	}
	return n
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
