package history

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/polder-exchange/polder/indicator"
)

// wanted are the values of a hunt, by the keys under which filters and events know them.
type wanted struct {
	values []Value
	keys   []uint64         // all of them, to put to filters
	of     map[uint64][]int // which values a key may mean
	wide   []int            // values that filters cannot tell
}

func newWanted(values []Value) *wanted {
	w := &wanted{of: map[uint64][]int{}}
	for i, v := range values {
		v = spelled(v)
		w.values = append(w.values, v)
		keys, ok := probes(v)
		if !ok {
			w.wide = append(w.wide, i)
			continue
		}
		for _, k := range keys {
			if w.of[k] == nil {
				w.keys = append(w.keys, k)
			}
			w.of[k] = append(w.of[k], i)
		}
	}
	slices.Sort(w.keys)
	return w
}

// in says whether the segment may hold one of the values.
func (w *wanted) in(e *entry) bool {
	if len(w.wide) > 0 {
		return true
	}
	for _, k := range w.keys {
		if e.has(k) {
			return true
		}
	}
	return false
}

// find appends which of the values are in what stands in an event, keys being memory to use.
func (w *wanted) find(found []int, have Value, keys []uint64) ([]int, []uint64) {
	keys = keysOf(keys[:0], have)
	for _, k := range keys {
		for _, i := range w.of[k] {
			if !slices.Contains(found, i) && Matches(w.values[i], have) {
				found = append(found, i)
			}
		}
	}
	for _, i := range w.wide {
		if !slices.Contains(found, i) && Matches(w.values[i], have) {
			found = append(found, i)
		}
	}
	return found, keys
}

// exact are the values as texts, when each can only stand in an event as it is: what bloom filters of a file can tell.
func (w *wanted) exact() []string {
	var all []string
	for _, v := range w.values {
		switch v.Kind {
		case indicator.Domain, indicator.CIDR:
			return nil
		}
		all = append(all, v.Value)
	}
	if len(all) > 1000 {
		return nil
	}
	return all
}

// plan finds what has to be opened, in the order of time, and the segments that cannot be.
func (h *hunt) plan(ctx context.Context) (tasks []task, bad []error, err error) {
	s := h.store
	s.mu.Lock()
	defer s.mu.Unlock()
	var days []*day
	for _, d := range s.days {
		if !h.touches(d) {
			continue
		}
		if err := s.load(d); err != nil {
			return nil, nil, err
		}
		bad = append(bad, d.bad...)
		days = append(days, d)
	}
	found := make([][]task, len(days))
	errs := make([]error, len(days))
	var next atomic.Int64
	var segments, skipped atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), max(1, len(days)/8)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(days) {
					return
				}
				var n, not int
				found[i], n, not, errs[i] = h.ask(days[i])
				segments.Add(int64(n))
				skipped.Add(int64(not))
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	h.state.Segments, h.state.Skipped = int(segments.Load()), int(skipped.Load())
	for i := range found {
		if errs[i] != nil {
			return nil, nil, errs[i]
		}
		tasks = append(tasks, found[i]...)
	}
	for hr, p := range s.pending {
		tasks = append(tasks, task{rows: p.rows[:len(p.rows):len(p.rows)], hour: hr})
	}
	slices.SortStableFunc(tasks, compareTasks)
	return tasks, bad, nil
}

func compareTasks(a, b task) int {
	if c := cmp.Compare(a.hour, b.hour); c != 0 {
		return c
	}
	number := func(t task) int {
		if t.segment == nil {
			return 1 << 40
		}
		return t.segment.number
	}
	return cmp.Compare(number(a), number(b))
}

// touches says whether a day may hold events of the time asked for.
func (h *hunt) touches(d *day) bool {
	return slices.ContainsFunc(d.segments, h.touchesHour) || len(d.bad) > 0
}

func (h *hunt) touchesHour(g *segment) bool {
	return g.hour == undated || int64(g.hour)*microsHour < h.until && int64(g.hour+1)*microsHour > h.since
}

// ask puts the query to the filters of a day.
func (h *hunt) ask(d *day) (found []task, segments, skipped int, err error) {
	var entries map[string]*entry
	if d.cold && h.wanted != nil {
		if entries, err = h.store.filtersOf(d); err != nil {
			return nil, 0, 0, err
		}
	}
	for _, g := range d.segments {
		e := g.entry
		if e == nil || !h.touchesHour(g) || e.Last != 0 && (e.Last < h.since || e.First >= h.until) {
			continue
		}
		segments++
		if d.cold && h.wanted != nil {
			if e = entries[g.name]; e == nil {
				found = append(found, task{segment: g, hour: g.hour})
				continue
			}
		}
		switch {
		case h.wanted == nil && !e.Whole:
			skipped++
		case h.wanted == nil || h.wanted.in(e):
			found = append(found, task{segment: g, hour: g.hour})
		}
	}
	return found, segments, skipped, nil
}
