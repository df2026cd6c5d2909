package sigma

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder/event"
)

// plan is a correlation made ready to run.
type plan struct {
	c        *Correlation
	temporal bool
	deferred bool
	absence  bool // deferred because of a rule that must not come
	alone    bool
	span     int64 // microseconds, as are all times here
	grace    int64
	reach    int64 // how far back an event can still matter, children included
	cap      int   // events per group
	chain    chain // of an ordered one

	groupSlots []int // of the group-by names as written
	up         []int // slots that correlations about this one will ask for
	parents    []use

	groups        map[string]*group
	events        int
	recent, stale *group // ends of the list by last use
}

// use is the part that one rule plays in one correlation.
type use struct {
	plan   *plan
	rule   int   // which of the correlation's rules
	group  []int // slots of the group-by fields in events of this rule
	fields []int // slots of the condition's fields
}

// chain is what an ordered correlation waits for: rules by their index, in ascending order.
type chain struct {
	place []int // of each rule its place in the chain, -1 if it has none
	not   []bool
	n     int // places
	need  int // how many of them must come
}

// plan makes the plans, children before parents, and says who feeds whom.
func (c *Correlator) plan(col *Collection) error {
	plans := map[*Correlation]*plan{}
	for _, cor := range col.Correlations {
		p := &plan{c: cor, temporal: cor.Type.temporal(), deferred: cor.deferred(), alone: true,
			span: cor.Timespan.Microseconds(), groups: map[string]*group{}, cap: c.o.MaxEventsPerGroup}
		p.absence = p.deferred && cor.Condition.expr != nil
		if len(cor.targets) != len(cor.Refs) || cor.Timespan <= 0 || cor.Timespan > maxTimespan {
			return fmt.Errorf("%s: not a correlation that Parse or Load made", cor.Title)
		}
		if err := p.threshold(); err != nil {
			return err
		}
		p.order()
		plans[cor] = p
		c.plans = append(c.plans, p)
	}
	loud := map[*Rule]bool{}
	for _, p := range c.plans {
		c.connect(p, plans, loud)
	}
	for _, p := range c.plans {
		c.reaches(p, plans)
		c.ups(p)
	}
	for _, p := range c.plans {
		p.alone = !c.silent[&p.c.Rule]
	}
	return nil
}

// threshold sees to it that a group can remember as many events as the condition asks for.
func (p *plan) threshold() error {
	if p.c.Type != EventCount && p.c.Type != ValueCount {
		return nil
	}
	for _, b := range p.c.Condition.Bounds {
		if b.Value > maxThreshold {
			return fmt.Errorf("%s: %s: %v in one window is more than can be remembered; at most %d", p.c.Title, b.Op, b.Value, maxThreshold)
		}
		p.cap = max(p.cap, int(b.Value)+2)
	}
	return nil
}

// order works out the chain of an ordered correlation.
func (p *plan) order() {
	n := len(p.c.Refs)
	p.chain = chain{place: make([]int, n), not: make([]bool, n)}
	want := make([]int, n)
	for i := range want {
		want[i] = i
	}
	if e := p.c.Condition.expr; e != nil {
		var not []int
		want, not, _ = e.chain()
		for _, r := range not {
			p.chain.not[r] = true
		}
	}
	for i := range p.chain.place {
		p.chain.place[i] = slices.Index(want, i)
	}
	p.chain.n = len(want)
	p.chain.need = p.need(len(want))
}

// need is the least count of rules that satisfies a rising condition.
func (p *plan) need(all int) int {
	if len(p.c.Condition.Bounds) == 0 {
		return all
	}
	for n := 1; n <= all; n++ {
		if p.c.Condition.holds(float64(n)) {
			return n
		}
	}
	return all + 1
}

// connect enters the uses of the rules of p, and says which rules are silent.
func (c *Correlator) connect(p *plan, plans map[*Correlation]*plan, loud map[*Rule]bool) {
	for i, t := range p.c.targets {
		field := func(name string) int {
			if to, ok := p.c.Aliases[name][p.c.Refs[i]]; ok {
				name = to
			}
			return c.slots.slot(name)
		}
		u := use{plan: p, rule: i}
		for _, f := range p.c.GroupBy {
			u.group = append(u.group, field(f))
		}
		for _, f := range p.c.Condition.Fields {
			u.fields = append(u.fields, field(f))
		}
		rule := t.rule
		if t.correlation != nil {
			rule = &t.correlation.Rule
			child := plans[t.correlation]
			child.parents = append(child.parents, u)
		} else {
			c.uses[rule] = append(c.uses[rule], u)
		}
		if p.c.Generate {
			loud[rule] = true
		}
		c.silent[rule] = !loud[rule]
	}
	for _, f := range p.c.GroupBy {
		p.groupSlots = append(p.groupSlots, c.slots.slot(f))
	}
}

// reaches works out, children first, how long after its time an event of p can still come, and how far back one matters.
func (c *Correlator) reaches(p *plan, plans map[*Correlation]*plan) {
	if p.reach > 0 {
		return
	}
	below := int64(0)
	p.grace = c.o.Grace.Microseconds()
	for _, t := range p.c.targets {
		if t.correlation == nil {
			continue
		}
		child := plans[t.correlation]
		c.reaches(child, plans)
		below = max(below, child.reach)
		if child.deferred {
			p.grace = max(p.grace, c.o.Grace.Microseconds()+child.span+child.grace)
		}
	}
	p.reach = 2*p.span + p.grace + below
}

// ups works out, parents first, what the correlations above p will ask of an event of p.
func (c *Correlator) ups(p *plan) []int {
	if p.up != nil {
		return p.up
	}
	p.up = []int{}
	for _, u := range p.parents {
		for _, s := range slices.Concat(u.group, u.fields, c.ups(u.plan)) {
			if !slices.Contains(p.groupSlots, s) && !slices.Contains(p.up, s) {
				p.up = append(p.up, s)
			}
		}
	}
	return p.up
}

// absent marks a value that an event does not have.
const absent = "\x00absent"

// fill gives an entry the values that the condition and the correlations above look at.
func (p *plan) fill(e *entry, u use, look func(int) (string, bool)) bool {
	if len(u.fields) > 0 {
		value, _, ok := groupKey(u.fields, look)
		if !ok {
			return false
		}
		if p.numeric() {
			text, _ := look(u.fields[0])
			n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
				return false
			}
			e.num = n
		} else {
			e.value = value
		}
	}
	if len(p.up) > 0 {
		if e.extra == nil {
			e.extra = &extra{}
		}
		e.up = make([]string, len(p.up))
		for i, s := range p.up {
			if v, ok := look(s); ok {
				e.up[i] = v
			} else {
				e.up[i] = absent
			}
		}
	}
	return true
}

// numeric says whether the field's value is a number.
func (p *plan) numeric() bool {
	t := p.c.Type
	return t == ValueSum || t == ValueAvg || t == ValuePercentile && p.c.Condition.Percentile != nil
}

// groupKey puts values together so that different ones never look alike; case does not count.
func groupKey(slots []int, look func(int) (string, bool)) (key string, values []string, ok bool) {
	if len(slots) == 0 {
		return "", nil, true
	}
	values = make([]string, len(slots))
	var b strings.Builder
	for i, s := range slots {
		v, ok := look(s)
		if !ok {
			return "", nil, false
		}
		values[i] = v
		v = strings.ToLower(v)
		if len(slots) == 1 {
			return v, values, true
		}
		b.WriteString(strconv.Itoa(len(v)))
		b.WriteByte(':')
		b.WriteString(v)
	}
	return b.String(), values, true
}

// slotTable finds the fields that correlations ask for in an event, without a look-up by name per field.
type slotTable struct {
	byName  map[string]int
	names   []string
	byField map[*event.Mapping]map[event.Name][]place
	rank    []int // of the value that was found; 0 is none
	found   []*event.Field
	touched []int
}

// place is a slot that a field fills, and how far down in the list of the field's names the slot's name is, from 1.
type place struct{ slot, rank int }

func newSlotTable() slotTable {
	return slotTable{byName: map[string]int{}, byField: map[*event.Mapping]map[event.Name][]place{}}
}

func (t *slotTable) slot(name string) int {
	if s, ok := t.byName[name]; ok {
		return s
	}
	s := len(t.names)
	t.byName[name] = s
	t.names = append(t.names, name)
	t.rank = append(t.rank, 0)
	t.found = append(t.found, nil)
	return s
}

// read finds the fields of an event. A field's own path goes before its other names, an earlier field before a later.
func (t *slotTable) read(ev *event.Event) {
	for _, s := range t.touched {
		t.rank[s], t.found[s] = 0, nil
	}
	t.touched = t.touched[:0]
	places := t.byField[ev.Mapping]
	if places == nil {
		places = map[event.Name][]place{}
		t.byField[ev.Mapping] = places
	}
	for i := range ev.Fields {
		f := &ev.Fields[i]
		if f.Kind == event.Null {
			continue
		}
		list, ok := places[f.Name]
		if !ok {
			list = t.placesOf(ev.Mapping, f.Name)
			places[f.Name] = list
		}
		for _, p := range list {
			if t.rank[p.slot] == 0 || p.rank < t.rank[p.slot] {
				t.rank[p.slot], t.found[p.slot] = p.rank, f
				t.touched = append(t.touched, p.slot)
			}
		}
	}
}

func (t *slotTable) placesOf(m *event.Mapping, n event.Name) []place {
	names := []string{n.String()}
	if m != nil {
		names = m.Names(n.String())
	}
	var out []place
	for i, name := range names {
		if s, ok := t.byName[name]; ok && n != event.Other {
			out = append(out, place{s, i + 1})
		}
	}
	return out
}

func (t *slotTable) value(slot int) (string, bool) {
	f := t.found[slot]
	if f == nil {
		return "", false
	}
	text := f.Text(nil)
	if f.Kind == event.Number {
		text = trimNumber(text)
	}
	return string(text[:min(len(text), maxCompared)]), true
}

// maxCompared is how many bytes of a value of group-by, or of a value that is counted, set it apart from others.
const maxCompared = 1 << 10

// maxTimespan bounds a window.
const maxTimespan = 10 * 365 * 24 * time.Hour
