package sigma

import (
	"cmp"
	"math"
	"slices"
)

// window is the running summary of a run of events, from which a correlation that is judged at once is judged.
type window struct {
	plan  *plan
	n     int
	sum   float64
	drops int            // since sum was last added up
	count map[string]int // how often each value occurs
	last  []int64        // the newest time of each rule
	best  []int64        // of an ordered one, by length and last place of a part of the chain: its latest beginning
}

func newWindow(p *plan) window {
	w := window{plan: p}
	switch p.c.Type {
	case ValueCount:
		w.count = map[string]int{}
	case Temporal:
		w.last = make([]int64, len(p.c.Refs))
		never(w.last)
	case TemporalOrdered:
		w.best = make([]int64, (p.chain.n+1)*p.chain.n)
		never(w.best)
	}
	return w
}

func never(times []int64) {
	for i := range times {
		times[i] = math.MinInt64
	}
}

// add takes the next event in.
func (w *window) add(e entry) {
	w.n++
	switch w.plan.c.Type {
	case ValueCount:
		w.count[e.value]++
	case ValueSum:
		w.sum += e.num
	case Temporal:
		w.last[e.rule] = max(w.last[e.rule], e.at)
	case TemporalOrdered:
		w.step(e)
	}
}

// step carries the parts of the chain on. A part's row is its length, its column the place it ends with.
func (w *window) step(e entry) {
	c := &w.plan.chain
	if c.not[e.rule] {
		never(w.best)
		return
	}
	at := c.place[e.rule]
	if at < 0 {
		return
	}
	for length := min(at+1, c.need); length >= max(1, c.need-(c.n-1-at)); length-- {
		begin := e.at
		if length > 1 {
			begin = math.MinInt64
			for _, b := range w.best[(length-1)*c.n : (length-1)*c.n+at] {
				begin = max(begin, b)
			}
		}
		cell := &w.best[length*c.n+at]
		*cell = max(*cell, begin)
	}
}

// drop takes out the oldest event.
func (w *window) drop(e entry) {
	w.n--
	switch w.plan.c.Type {
	case ValueCount:
		if w.count[e.value]--; w.count[e.value] == 0 {
			delete(w.count, e.value)
		}
	case ValueSum:
		w.sum -= e.num
		w.drops++
	}
}

// holds judges the window that ends at this time, and says what was compared.
func (w *window) holds(end int64) (number float64, ok bool) {
	p := w.plan
	cond := &p.c.Condition
	since := end - p.span
	switch p.c.Type {
	case EventCount:
		number = float64(w.n)
	case ValueCount:
		number = float64(len(w.count))
	case ValueSum:
		number = w.sum
	case Temporal:
		return p.present(func(rule int, _ bool) bool { return w.last[rule] >= since })
	case TemporalOrdered:
		if p.chain.need > p.chain.n {
			return 0, false
		}
		for _, b := range w.best[p.chain.need*p.chain.n:] {
			if b >= since && b != math.MinInt64 {
				return float64(p.chain.need), true
			}
		}
		return 0, false
	}
	return number, cond.holds(number)
}

// present judges which rules are there.
func (p *plan) present(there func(rule int, negated bool) bool) (float64, bool) {
	n := 0
	for i := range p.c.Refs {
		if there(i, false) {
			n++
		}
	}
	if e := p.c.Condition.expr; e != nil {
		return float64(n), e.holds(there)
	}
	if len(p.c.Condition.Bounds) == 0 {
		return float64(n), n == len(p.c.Refs)
	}
	return float64(n), p.c.Condition.holds(float64(n))
}

// judge takes in an event of a correlation that is judged at once.
func (c *Correlator) judge(g *group, e entry, out *[]Correlated) {
	at := g.insert(e)
	if at < len(g.ev)-1 {
		c.judgeLate(g, at, out)
		return
	}
	g.win.add(e)
	for g.ev[g.lo].at < e.at-g.plan.span {
		g.win.drop(g.ev[g.lo])
		g.lo++
	}
	g.freshen()
	if n, ok := g.win.holds(e.at); ok {
		c.match(g, g.lo, at, n, out)
	}
}

// freshen adds a sum up anew when so much was taken off that its rounding errors could show.
func (g *group) freshen() {
	if g.win.drops <= len(g.ev)-g.lo {
		return
	}
	g.win.sum, g.win.drops = 0, 0
	for _, e := range g.ev[g.lo:] {
		g.win.sum += e.num
	}
}

// judgeLate looks at every window that an event which came out of order is in.
func (c *Correlator) judgeLate(g *group, at int, out *[]Correlated) {
	e, span := g.ev[at], g.plan.span
	switch {
	case e.at < g.newest-span:
		g.lo++
	case g.plan.c.Type == TemporalOrdered:
		g.win = newWindow(g.plan)
		for _, x := range g.ev[g.lo:] {
			g.win.add(x)
		}
	default:
		g.win.add(e)
	}
	last := at
	for last+1 < len(g.ev) && g.ev[last+1].at <= e.at+span {
		last++
	}
	if g.quietAll(e.at, g.ev[last].at) {
		c.dropped.Repeating++
		return
	}
	first, _ := slices.BinarySearchFunc(g.ev[:at], e.at-span, func(x entry, t int64) int { return cmp.Compare(x.at, t) })
	w := newWindow(g.plan)
	if g.plan.c.Type == EventCount {
		w.n = at - first
	} else {
		for _, x := range g.ev[first:at] {
			w.add(x)
		}
	}
	for i := at; i <= last; i++ {
		w.add(g.ev[i])
		for g.ev[first].at < g.ev[i].at-span {
			w.drop(g.ev[first])
			first++
		}
		if n, ok := w.holds(g.ev[i].at); ok && c.match(g, first, i, n, out) {
			return
		}
	}
}

// match fires for the window from one event to another unless the group has just fired.
func (c *Correlator) match(g *group, from, to int, number float64, out *[]Correlated) bool {
	anchor := g.ev[to]
	if g.quiet(anchor.at) {
		c.dropped.Repeating++
		return false
	}
	g.mark(anchor.at)
	run := g.ev[from : to+1]
	c.fire(g, match{anchor: anchor, from: run[0].at, events: len(run), number: number, chosen: g.plan.choose(run)}, out)
	return true
}

// match is a window that satisfied its condition.
type match struct {
	anchor entry
	from   int64
	events int
	number float64
	values []string
	chosen []entry // those to name, the oldest first
}

// refs names the events of a match, each chosen one's last event at least, and says how many of them were left out.
func (m *match) refs() (refs []Ref, left int) {
	each := max(1, MaxRefs/max(1, len(m.chosen)))
	for _, e := range m.chosen {
		of := e.refs()
		refs = append(refs, of[max(0, len(of)-each):]...)
	}
	if len(refs) > MaxRefs {
		refs = refs[len(refs)-MaxRefs:]
	}
	return refs, max(0, m.events-len(refs))
}

// choose picks the events of a window that show why it matched.
func (p *plan) choose(run []entry) []entry {
	if p.c.Type == TemporalOrdered {
		return p.chooseChain(run)
	}
	var back []entry
	seen := map[string]bool{}
	rules := make([]bool, len(p.c.Refs))
	for i := len(run) - 1; i >= 0 && len(back) < MaxRefs; i-- {
		e := run[i]
		switch {
		case p.temporal && rules[e.rule], p.c.Type == ValueCount && seen[e.value]:
			continue
		}
		rules[e.rule], seen[e.value] = true, true
		back = append(back, e)
	}
	return reversed(back)
}

// chooseChain walks the chain back from its end: of each place the latest event before the next place's.
func (p *plan) chooseChain(run []entry) []entry {
	var back []entry
	below := p.chain.n
	for i := len(run) - 1; i >= 0 && len(back) < MaxRefs; i-- {
		at := p.chain.place[run[i].rule]
		whole := p.chain.need == p.chain.n
		if at >= 0 && at < below && (!whole || at == below-1) {
			back = append(back, run[i])
			below = at
		}
	}
	return reversed(back)
}

func reversed(list []entry) []entry {
	out := make([]entry, len(list))
	for i, e := range list {
		out[len(list)-1-i] = e
	}
	return out
}
