package sigma

import (
	"math/bits"

	"github.com/polder-exchange/polder/event"
)

// Matcher asks an engine's rules of one event after the other. It is for one goroutine. It allocates nothing for an
// event once it has met its like.
type Matcher struct {
	e       *Engine
	source  *event.Source // of the last event, and its bucket
	bucket  *bucket
	buckets map[*event.Source]*bucket

	mapping *event.Mapping // of the last event, and its table
	table   *nameTable
	tables  map[*event.Mapping]*nameTable

	now     uint32  // counts events; what is marked with another number is of an earlier one
	heads   []stamp // by slot: the first of its entries
	entries []entryOf
	filled  []int32 // slots with entries
	vals    []val
	arena   []byte

	found   []uint32 // by question: when a needle of it was found
	answers []uint32 // by question: twice the event's number, and 1 for yes
	runs    []exprRun
	lazies  []*lazy

	seen  []uint32 // by what an automaton finds: the last scan that found it
	scans uint32

	cand []uint64
	out  []*Rule
	hits []hit // of the slot being scanned
}

// stamp is a number that holds for one event.
type stamp struct {
	now uint32
	n   int32
}

// entryOf links a value to the slot it stands in, and to the next one there.
type entryOf struct{ val, next int32 }

// val is a value of the event, its text and folded text made when first asked for.
type val struct {
	field           int32
	raw             []byte
	text, low       []byte
	escaped, null   bool
	hasText, hasLow bool
}

// exprRun remembers what an expression said of values of this event.
type exprRun struct {
	now  uint32
	said []int32 // twice the value's number, and 1 for yes
}

// nameTable leads from the names of fields to slots, for events of one mapping.
type nameTable struct {
	at    []int32 // by name: 0 not asked yet, 1 no slot, else 2 more than the index into lists
	lists [][]int32
}

// maxTables bounds the mappings a matcher remembers.
const maxTables = 64

// NewMatcher is a matcher for one goroutine.
func (e *Engine) NewMatcher() *Matcher {
	m := &Matcher{
		e: e, buckets: map[*event.Source]*bucket{}, tables: map[*event.Mapping]*nameTable{}, heads: make([]stamp, len(e.slots)),
		found: make([]uint32, e.count), answers: make([]uint32, e.count),
		runs: make([]exprRun, len(e.exprs)), lazies: make([]*lazy, len(e.exprs)),
	}
	return m
}

// Match is the rules that match an event, in the order of the collection. The answer is valid until the next call.
func (m *Matcher) Match(ev *event.Event) []*Rule {
	m.out = m.out[:0]
	if !m.begin(ev) {
		return m.out
	}
	b := m.bucket
	m.cand = append(m.cand[:0], b.open...)
	for _, slot := range m.filled {
		m.index(b.slots[slot], slot)
	}
	for w, word := range m.cand {
		for ; word != 0; word &= word - 1 {
			r := b.rules[w*64+bits.TrailingZeros64(word)]
			if m.holds(&m.e.steps[r]) {
				m.out = append(m.out, m.e.rules[r])
			}
		}
	}
	return m.out
}

// begin takes up an event; it says whether any rule is asked of it.
func (m *Matcher) begin(ev *event.Event) bool {
	if ev.Source == nil {
		return false
	}
	if m.source != ev.Source {
		m.source, m.bucket = ev.Source, m.bucketOf(ev.Source)
	}
	if len(m.bucket.rules) == 0 {
		return false
	}
	if m.table == nil || m.mapping != ev.Mapping {
		m.turn(ev.Mapping)
	}
	if m.now++; m.now >= 1<<31 { // the marks have gone round
		m.now = 1
		clear(m.heads)
		clear(m.found)
		clear(m.answers)
		clear(m.runs)
	}
	if cap(m.arena) > maxArena {
		m.arena = nil
	}
	clear(m.vals) // lets go of the bytes of the event before
	m.entries, m.filled, m.vals, m.arena = m.entries[:0], m.filled[:0], m.vals[:0], m.arena[:0]
	left, every := MaxEventBytes, m.bucket.slots[0] != nil
	for i := range ev.Fields {
		f := &ev.Fields[i]
		raw := f.Value
		if len(raw) > MaxValue || len(raw) > left {
			raw = reached(raw, left)
		}
		left -= len(raw)
		slots := m.slotsOf(f.Name)
		if slots == nil && !every {
			continue
		}
		m.take(f, int32(i), raw, slots, every)
	}
	return true
}

// bucketOf is the rules for a source, without asking the engine, which others ask too, more than once.
func (m *Matcher) bucketOf(s *event.Source) *bucket {
	b := m.buckets[s]
	if b == nil {
		if len(m.buckets) >= maxBuckets {
			clear(m.buckets)
		}
		b = m.e.bucket(s)
		m.buckets[s] = b
	}
	return b
}

// maxArena is how much memory for texts a matcher keeps from one event to the next.
const maxArena = 8 << 20

// take notes a value under its slots.
func (m *Matcher) take(f *event.Field, i int32, raw []byte, slots []int32, every bool) {
	noted := int32(-1)
	note := func(slot int32) {
		if m.bucket.slots[slot] == nil {
			return
		}
		if noted < 0 {
			noted = int32(len(m.vals))
			v := val{field: i, raw: raw, escaped: f.Escaped, null: f.Kind == event.Null}
			if f.Kind == event.Number {
				v.raw, v.escaped = trimNumber(raw), false
			}
			m.vals = append(m.vals, v)
		}
		h := &m.heads[slot]
		if h.now != m.now {
			*h = stamp{m.now, -1}
			m.filled = append(m.filled, slot)
		}
		m.entries = append(m.entries, entryOf{noted, h.n})
		h.n = int32(len(m.entries) - 1)
	}
	for _, s := range slots {
		note(s)
	}
	if every {
		note(0)
	}
}

// turn goes over to the names of another mapping.
func (m *Matcher) turn(to *event.Mapping) {
	m.mapping = to
	if m.table = m.tables[to]; m.table == nil {
		if len(m.tables) >= maxTables {
			clear(m.tables)
		}
		m.table = &nameTable{}
		m.tables[to] = m.table
	}
}

// slotsOf is where the values of a field stand; nil when no rule asks for it.
func (m *Matcher) slotsOf(n event.Name) []int32 {
	if int(n) < len(m.table.at) {
		switch at := m.table.at[n]; {
		case at == 1:
			return nil
		case at > 1:
			return m.table.lists[at-2]
		}
	}
	return m.meet(n)
}

// meet finds the slots of a name that is new.
func (m *Matcher) meet(n event.Name) []int32 {
	t := m.table
	if int(n) >= len(t.at) {
		t.at = append(t.at, make([]int32, int(n)+64-len(t.at))...)
	}
	var slots []int32
	for _, name := range namesOf(m.mapping, n.String()) {
		if s, ok := m.e.slots[name]; ok && s != 0 {
			known := false
			for _, have := range slots {
				known = known || have == s
			}
			if !known {
				slots = append(slots, s)
			}
		}
	}
	if slots == nil {
		t.at[n] = 1
		return nil
	}
	t.lists = append(t.lists, slots)
	t.at[n] = int32(len(t.lists) + 1)
	return slots
}

// index finds the rules and questions that the values of a slot speak to.
func (m *Matcher) index(x *slotIndex, slot int32) {
	if x.present != nil {
		for i, w := range x.present {
			m.cand[i] |= w
		}
	}
	if len(x.hits) == 0 {
		return
	}
	m.hits = x.hits
	for at := m.heads[slot].n; at >= 0; at = m.entries[at].next {
		v := &m.vals[m.entries[at].val]
		if v.null {
			continue
		}
		if x.exact != nil && len(v.raw) <= 6*x.longest+6 { // an escape is six bytes at most for one
			if id, ok := x.exact[string(m.low(v))]; ok {
				m.note(id)
			}
		}
		m.scan(x, v)
	}
}

// scan looks for the texts of a slot in a value: as it was written if that will do, else folded.
func (m *Matcher) scan(x *slotIndex, v *val) {
	if x.auto != nil && m.scanRaw(x.auto, v.raw, v.escaped) || x.auto == nil && x.beyond == nil {
		return
	}
	low := m.low(v)
	if x.auto != nil {
		m.scanFolded(x.auto, low)
	}
	if x.beyond != nil {
		m.scanFolded(x.beyond, low)
	}
}

// hit notes what is found at a state of an automaton, the first time in a value.
func (m *Matcher) hit(a *automaton, state uint32) {
	o := a.out[state/uint32(a.width)]
	if m.seen[o] == m.scans {
		return
	}
	m.seen[o] = m.scans
	for _, id := range a.outs[o] {
		m.note(id)
	}
}

// scanFolded notes what is found in a folded value.
func (m *Matcher) scanFolded(a *automaton, v []byte) {
	m.ready(a)
	s := a.begin
	if s >= a.first {
		m.hit(a, s)
	}
	for _, c := range v {
		if s = a.next[s+uint32(a.low[c])]; s >= a.first {
			m.hit(a, s)
		}
	}
	if s = a.next[s+classEnd]; s >= a.first {
		m.hit(a, s)
	}
}

// scanRaw notes what is found in a value as the log wrote it, escapes of JSON included if it says so. ok is false when
// the value needs to be folded first; what was noted until then is found all the same.
func (m *Matcher) scanRaw(a *automaton, v []byte, escaped bool) (ok bool) {
	m.ready(a)
	s := a.begin
	if s >= a.first {
		m.hit(a, s)
	}
	next, raw, first := a.next, &a.raw, a.first
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c == '\\' && escaped {
			if i++; i == len(v) {
				return false
			}
			if c = plainEscape[v[i]]; c == 0 {
				return false
			}
		}
		class := raw[c]
		if class == special {
			return false
		}
		if s = next[s+uint32(class)]; s >= first {
			m.hit(a, s)
		}
	}
	if s = next[s+classEnd]; s >= first {
		m.hit(a, s)
	}
	return true
}

// ready begins a value: nothing has been found in it.
func (m *Matcher) ready(a *automaton) {
	if len(m.seen) < len(a.outs) {
		m.seen = append(m.seen, make([]uint32, len(a.outs)-len(m.seen))...)
	}
	if m.scans++; m.scans == 0 { // the marks have gone round
		clear(m.seen)
		m.scans = 1
	}
}

func (m *Matcher) note(id int32) {
	h := &m.hits[id]
	for _, r := range h.rules {
		m.cand[r>>6] |= 1 << (r & 63)
	}
	for _, q := range h.questions {
		m.found[q] = m.now
	}
}

// text is a value with its escapes resolved.
func (m *Matcher) text(v *val) []byte {
	if !v.hasText {
		v.text, v.hasText = v.raw, true
		if v.escaped {
			f := event.Field{Value: v.raw, Escaped: true}
			v.text = m.keep(f.Text(m.room(len(v.raw))))
		}
	}
	return v.text
}

// low is a value folded.
func (m *Matcher) low(v *val) []byte {
	if v.hasLow {
		return v.low
	}
	v.hasLow = true
	if v.escaped && !v.hasText {
		if low, ok := foldEscaped(m.room(len(v.raw)), v.raw); ok {
			v.low = m.keep(low)
			return v.low
		}
	}
	t := m.text(v)
	v.low = m.keep(fold(m.room(len(t)), t))
	return v.low
}

// room is the free end of the arena, long enough for n bytes.
func (m *Matcher) room(n int) []byte {
	if cap(m.arena)-len(m.arena) < n {
		m.arena = make([]byte, 0, max(2*cap(m.arena), n, 4096)) // what is in the old one stays with those who hold it
	}
	return m.arena[len(m.arena):]
}

// keep makes what was written into the room a part of the arena.
func (m *Matcher) keep(s []byte) []byte {
	m.arena = m.arena[:len(m.arena)+len(s)]
	return s[:len(s):len(s)]
}

func (m *Matcher) holds(s *branch) bool {
	switch s.op {
	case isAtom:
		return m.answer(s.q)
	case allOf:
		for i := range s.kids {
			if !m.holds(&s.kids[i]) {
				return false
			}
		}
		return true
	case anyOf:
		for i := range s.kids {
			if m.holds(&s.kids[i]) {
				return true
			}
		}
		return false
	}
	return !m.holds(&s.kids[0])
}

// answer answers a question once for each event.
func (m *Matcher) answer(q *question) bool {
	if a := m.answers[q.id]; a>>1 == m.now {
		return a&1 != 0
	}
	yes := m.ask(q)
	m.answers[q.id] = m.now << 1
	if yes {
		m.answers[q.id] |= 1
	}
	return yes
}

func (m *Matcher) ask(q *question) bool {
	head := m.heads[q.slot]
	there := head.now == m.now
	if q.indexed {
		if m.found[q.id] != m.now {
			return false
		}
		if q.decides {
			return true
		}
	}
	switch q.atom.kind {
	case isThere:
		return there
	case isNull:
		for at := head.n; there && at >= 0; at = m.entries[at].next {
			if !m.vals[m.entries[at].val].null {
				return false
			}
		}
		return true
	}
	if !there {
		return false
	}
	for at := head.n; at >= 0; at = m.entries[at].next {
		if i := m.entries[at].val; !m.vals[i].null && m.accepts(q, i) {
			return true
		}
	}
	return false
}

// accepts says whether one value is what a question asks for.
func (m *Matcher) accepts(q *question, i int32) bool {
	v := &m.vals[i]
	switch q.atom.kind {
	case isPattern:
		for g := range q.globs {
			s := m.low(v)
			if q.globs[g].cased {
				s = m.text(v)
			}
			if q.globs[g].matches(s) {
				return true
			}
		}
		return false
	case isRegexp:
		for _, x := range q.exprs {
			if m.run(x, i) {
				return true
			}
		}
		return false
	case isNetwork:
		return q.atom.contains(m.text(v))
	case isField:
		return m.refers(q, v)
	}
	return q.atom.compares(m.text(v))
}

// refers says whether a value stands in the asked relation to one of the other field.
func (m *Matcher) refers(q *question, v *val) bool {
	head := m.heads[q.other]
	if head.now != m.now {
		return false
	}
	for at := head.n; at >= 0; at = m.entries[at].next {
		if o := &m.vals[m.entries[at].val]; !o.null {
			if q.atom.cased && q.atom.refers(m.text(v), m.text(o)) || !q.atom.cased && q.atom.refers(m.low(v), m.low(o)) {
				return true
			}
		}
	}
	return false
}

// run runs an expression over a value once for each event.
func (m *Matcher) run(x, i int32) bool {
	r := &m.runs[x]
	if r.now != m.now {
		r.now, r.said = m.now, r.said[:0]
	}
	for _, s := range r.said {
		if s>>1 == i {
			return s&1 != 0
		}
	}
	if m.lazies[x] == nil {
		m.lazies[x] = newLazy(m.e.exprs[x])
	}
	text := m.text(&m.vals[i])
	said := i << 1
	yes := m.lazies[x].match(text[:min(len(text), m.e.exprs[x].reach)])
	if yes {
		said |= 1
	}
	r.said = append(r.said, said)
	return yes
}
