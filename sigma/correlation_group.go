package sigma

import (
	"container/heap"
	"math"
	"slices"
)

// entry is an event of a group.
type entry struct {
	at    int64
	ref   Ref
	value string
	num   float64
	rule  int
	*extra
}

// extra is what only events of correlations over correlations have.
type extra struct {
	more []Ref    // of a correlation's match: its events, ref of the entry the last of them
	up   []string // what correlations above may ask for
}

// refs are the events of an entry.
func (e *entry) refs() []Ref {
	if e.extra == nil || e.more == nil {
		return []Ref{e.ref}
	}
	return e.more
}

// group is the events of a correlation that have the group-by values in common, in order of time; of one time, in the
// order of the rules.
type group struct {
	plan   *plan
	key    string
	values []string

	ev    []entry
	lo    int // the first event of the window that the newest one ends
	win   window
	fired []int64 // times at which it fired, ascending
	told  []int64 // times at which it had fired before the events were seen again

	used    bool
	lastRef Ref
	lastAt  int64
	newest  int64
	seen    int64 // the newest time of all events when this group last had one

	// Of one that is judged later:
	closed   int64     // everything up to here has been judged
	next     int       // the first event that has not, of an absence
	times    [][]int64 // of an absence: the times of each rule
	deadline int64
	heapAt   int

	older, newer *group
}

// maxFired bounds the memory of past firings.
const maxFired = 1024

func (c *Correlator) newGroup(p *plan, key string, values []string) *group {
	g := &group{plan: p, key: key, values: values, heapAt: -1, newest: math.MinInt64, closed: math.MinInt64}
	if !p.deferred {
		g.win = newWindow(p)
	}
	if p.absence {
		g.times = make([][]int64, len(p.c.Refs))
	}
	p.groups[key] = g
	return g
}

// late says whether an event comes too late for this group.
func (g *group) late(at int64) bool {
	if g.newest == math.MinInt64 {
		return false
	}
	return at < g.newest-g.plan.span-g.plan.grace || g.plan.deferred && at <= g.closed
}

// insert puts an entry in its place and says where that is.
func (g *group) insert(e entry) int {
	i := len(g.ev)
	for i > 0 && g.plan.before(e, g.ev[i-1]) && len(g.ev)-i < 8 {
		i--
	}
	if i > 0 && g.plan.before(e, g.ev[i-1]) {
		i, _ = slices.BinarySearchFunc(g.ev, e, func(a, b entry) int {
			if g.plan.before(b, a) {
				return 1
			}
			return -1 // after its equals
		})
	}
	g.ev = slices.Insert(g.ev, i, e)
	g.newest = max(g.newest, e.at)
	g.plan.events++
	if g.times != nil {
		t := g.times[e.rule]
		j, _ := slices.BinarySearch(t, e.at)
		g.times[e.rule] = slices.Insert(t, j, e.at)
	}
	return i
}

// before orders events by time; those of one time by rule, where order matters.
func (p *plan) before(a, b entry) bool {
	return a.at < b.at || a.at == b.at && a.rule < b.rule && p.c.Type == TemporalOrdered
}

// cut forgets the first n events.
func (c *Correlator) cut(g *group, n int) {
	if n <= 0 {
		return
	}
	if g.times != nil {
		for _, e := range g.ev[:n] {
			g.times[e.rule] = g.times[e.rule][1:]
		}
	}
	if !g.plan.deferred {
		for _, e := range g.ev[min(g.lo, n):n] {
			g.win.drop(e)
		}
		g.lo = max(0, g.lo-n)
	}
	clear(g.ev[:n])
	g.ev = g.ev[n:]
	g.next = max(0, g.next-n)
	g.plan.events -= n
	c.events -= n
}

// trim forgets what no event to come can reach, and what is too much.
func (c *Correlator) trim(g *group) {
	if !g.plan.deferred {
		oldest := g.newest - g.plan.span - g.plan.grace
		n := 0
		for n < g.lo && g.ev[n].at < oldest {
			n++
		}
		c.cut(g, n)
	}
	if n := len(g.ev) - g.plan.cap; n > 0 {
		c.dropped.Events += uint64(n)
		c.cut(g, n)
		c.requeue(g)
	}
}

// requeue puts a group whose events changed in its place among those that wait.
func (c *Correlator) requeue(g *group) {
	if g.heapAt < 0 {
		return
	}
	if g.reckon() {
		heap.Fix(&c.due, g.heapAt)
	} else {
		heap.Remove(&c.due, g.heapAt)
	}
}

// touch makes g the group of its plan that was used last.
func (p *plan) touch(g *group, now int64) {
	g.seen = now
	if p.recent == g {
		return
	}
	p.unlink(g)
	g.older = p.recent
	if p.recent != nil {
		p.recent.newer = g
	}
	p.recent = g
	if p.stale == nil {
		p.stale = g
	}
}

func (p *plan) unlink(g *group) {
	if g.newer != nil {
		g.newer.older = g.older
	}
	if g.older != nil {
		g.older.newer = g.newer
	}
	if p.stale == g {
		p.stale = g.newer
	}
	if p.recent == g {
		p.recent = g.older
	}
	g.older, g.newer = nil, nil
}

// makeRoom forgets groups that time has passed, and those that are too many, before an event comes, of a new group or not.
func (c *Correlator) makeRoom(p *plan, more bool) {
	for g := p.stale; g != nil && g.heapAt < 0 && g.seen < c.latest-2*p.span-p.grace; g = p.stale {
		c.forget(g)
	}
	for more && len(p.groups) >= c.o.MaxGroups {
		c.dropped.Groups++
		c.dropped.Events += uint64(len(p.stale.ev))
		c.forget(p.stale)
	}
	if c.events < c.o.MaxEvents {
		return
	}
	fullest := slices.MaxFunc(c.plans, func(a, b *plan) int { return a.events - b.events })
	for target := c.o.MaxEvents * 9 / 10; c.events > target && fullest.stale != nil; {
		c.dropped.Groups++
		c.dropped.Events += uint64(len(fullest.stale.ev))
		c.forget(fullest.stale)
	}
}

// forget takes a group away with all its events.
func (c *Correlator) forget(g *group) {
	if g.heapAt >= 0 {
		heap.Remove(&c.due, g.heapAt)
	}
	c.events -= len(g.ev)
	g.plan.events -= len(g.ev)
	g.ev, g.lo, g.next = nil, 0, 0
	g.plan.unlink(g)
	delete(g.plan.groups, g.key)
}

// quiet says whether the group fired within a timespan of this time.
func (g *group) quiet(at int64) bool {
	i, _ := slices.BinarySearch(g.fired, at)
	return i < len(g.fired) && g.fired[i]-at <= g.plan.span || i > 0 && at-g.fired[i-1] <= g.plan.span
}

// quietAll says whether one firing keeps the group quiet from one time to another.
func (g *group) quietAll(from, to int64) bool {
	i, _ := slices.BinarySearch(g.fired, to-g.plan.span)
	return i < len(g.fired) && g.fired[i] <= from+g.plan.span
}

// known says whether a match was told before the events were seen again.
func (g *group) known(m *match) bool {
	for _, t := range g.told {
		if g.plan.deferred && !g.plan.absence && t >= m.from && t <= m.from+g.plan.span {
			return true
		}
		if (!g.plan.deferred || g.plan.absence) && max(t-m.anchor.at, m.anchor.at-t) <= g.plan.span {
			return true
		}
	}
	return false
}

// mark remembers that the group fired.
func (g *group) mark(at int64) {
	i, _ := slices.BinarySearch(g.fired, at)
	g.fired = slices.Insert(g.fired, i, at)
	old := 0
	for old < len(g.fired)-1 && (g.fired[old] < g.newest-2*g.plan.span-g.plan.grace || len(g.fired)-old > maxFired) {
		old++
	}
	g.fired = slices.Delete(g.fired, 0, old)
}
