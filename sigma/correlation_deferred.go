package sigma

import (
	"container/heap"
	"math"
	"slices"
)

// reckon works out when the group is to be judged next; false when it has nothing to judge.
func (g *group) reckon() bool {
	if g.next >= len(g.ev) {
		return false
	}
	g.deadline = g.ev[g.next].at + g.plan.span + g.plan.grace
	return true
}

// close judges the window of a group that is due.
func (c *Correlator) close(g *group, out *[]Correlated) {
	if g.plan.absence {
		c.closeAbsence(g, out)
	} else {
		c.closeWindow(g, out)
	}
}

// closeWindow judges the events from the group's first one to a timespan later, and forgets them.
func (c *Correlator) closeWindow(g *group, out *[]Correlated) {
	end := g.ev[0].at + g.plan.span
	n := 1
	for n < len(g.ev) && g.ev[n].at <= end {
		n++
	}
	g.closed = end
	run := slices.Clone(g.ev[:n])
	c.cut(g, n)
	c.waits(g)
	m := match{anchor: run[n-1], from: run[0].at, events: n, chosen: run}
	if g.plan.whole(&m, run) {
		c.fire(g, m, out)
	}
}

// waits keeps a group among those that are due while it has something to judge.
func (c *Correlator) waits(g *group) {
	if g.reckon() {
		heap.Fix(&c.due, g.heapAt)
	} else {
		heap.Remove(&c.due, g.heapAt)
	}
}

// whole judges a window that is over.
func (p *plan) whole(m *match, run []entry) bool {
	cond := &p.c.Condition
	switch p.c.Type {
	case ValuePercentile:
		if cond.Percentile == nil {
			return p.shares(m, run)
		}
		m.number = percentile(run, *cond.Percentile)
	case ValueAvg, ValueSum:
		for _, e := range run {
			m.number += e.num
		}
		if p.c.Type == ValueAvg {
			m.number /= float64(len(run))
		}
	case ValueCount:
		seen := map[string]bool{}
		for _, e := range run {
			seen[e.value] = true
		}
		m.number = float64(len(seen))
	case EventCount:
		m.number = float64(len(run))
	case Temporal:
		there := make([]bool, len(p.c.Refs))
		for _, e := range run {
			there[e.rule] = true
		}
		n, ok := p.present(func(rule int, _ bool) bool { return there[rule] })
		m.number, m.chosen = n, p.choose(run)
		return ok
	}
	m.chosen = p.choose(run)
	return cond.holds(m.number)
}

// shares finds the values whose share of the window's events, in percent, meets the condition.
func (p *plan) shares(m *match, run []entry) bool {
	count := map[string]int{}
	for _, e := range run {
		count[e.value]++
	}
	found := map[string]bool{}
	m.chosen = nil
	for _, e := range run {
		share := 100 * float64(count[e.value]) / float64(len(run))
		if found[e.value] || !p.c.Condition.holds(share) {
			continue
		}
		found[e.value] = true
		m.number++
		if len(m.values) < MaxRefs {
			m.values = append(m.values, e.value)
			m.chosen = append(m.chosen, e)
		}
	}
	return len(found) > 0
}

// percentile is the smallest value that at least that part of all values does not exceed.
func percentile(run []entry, p float64) float64 {
	nums := make([]float64, len(run))
	for i, e := range run {
		nums[i] = e.num
	}
	slices.Sort(nums)
	rank := int(math.Ceil(p / 100 * float64(len(nums))))
	return nums[max(0, rank-1)]
}

// closeAbsence judges one event: the rules that must come, in the timespan from it on, and those that must not, a
// timespan before or after it.
func (c *Correlator) closeAbsence(g *group, out *[]Correlated) {
	p, at := g.plan, g.next
	e := g.ev[at]
	g.next++
	g.closed = max(g.closed, e.at-1)
	there := func(rule int, negated bool) bool {
		since := e.at
		if negated {
			since -= p.span
		}
		i, _ := slices.BinarySearch(g.times[rule], since)
		return i < len(g.times[rule]) && g.times[rule][i] <= e.at+p.span
	}
	asked := slices.Contains(p.c.Condition.expr.mentioned(false), e.rule)
	var found *match
	if n, ok := p.present(there); ok && asked {
		if g.quiet(e.at) {
			c.dropped.Repeating++
		} else {
			g.mark(e.at)
			found = p.around(g, at, n)
		}
	}
	old := 0
	for old < g.next && g.ev[old].at < e.at-p.span {
		old++
	}
	c.cut(g, old)
	c.waits(g)
	if found != nil {
		c.fire(g, *found, out)
	}
}

// around makes the match of an absence: its window begins with the event that was judged.
func (p *plan) around(g *group, at int, n float64) *match {
	end := at
	for end+1 < len(g.ev) && g.ev[end+1].at <= g.ev[at].at+p.span {
		end++
	}
	run := slices.Clone(g.ev[at : end+1])
	return &match{anchor: run[len(run)-1], from: run[0].at, events: len(run), number: n, chosen: p.choose(run)}
}
