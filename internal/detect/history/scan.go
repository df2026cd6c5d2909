package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
)

// unit is a group of rows of a segment, or events in memory: what one goroutine reads at a time.
type unit struct {
	hour   hour
	rows   []row // events in memory
	file   *sharedFile
	group  parquet.RowGroup
	number int    // of the group
	name   string // of the segment, for errors
	last   bool   // of its task
	out    chan result
}

// sharedFile is closed by the last of its units.
type sharedFile struct {
	*opened
	left atomic.Int32
}

func (f *sharedFile) done() {
	if f != nil && f.left.Add(-1) == 0 {
		_ = f.Close()
	}
}

// result is what was found in a unit, or why it cannot be read.
type result struct {
	hits   []found
	events int64
	err    error
}

// found is a hit with what tells its event apart.
type found struct {
	hit Hit
	id  uint64
}

// read opens the tasks in turn, reads their groups of rows in parallel and yields what is found in the order of time.
func (h *hunt) read(ctx context.Context, tasks []task, yield func(Hit, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if h.q.Ordered && h.q.Match != nil {
		return h.readOrdered(ctx, tasks, yield)
	}
	workers := runtime.GOMAXPROCS(0)
	work := make(chan *unit)
	order := make(chan *unit, 2*workers)
	go func() {
		defer close(order)
		defer close(work)
		h.dispatch(ctx, tasks, work, order)
	}()
	for range workers {
		go h.work(work)
	}
	err := h.deliver(ctx, order, yield)
	cancel()
	for u := range order { // until the dispatcher has ended; what was begun is read to its end
		<-u.out
	}
	return err
}

// dispatch cuts tasks into units and hands each to the workers and, in order, to the one that delivers.
func (h *hunt) dispatch(ctx context.Context, tasks []task, work, order chan<- *unit) {
	send := func(u *unit) bool {
		select {
		case order <- u:
		case <-ctx.Done():
			u.file.done()
			return false
		}
		select {
		case work <- u:
			return true
		case <-ctx.Done():
			u.file.done()
			u.out <- result{}
			return false
		}
	}
	for len(tasks) > 0 && ctx.Err() == nil {
		t := tasks[0]
		tasks = tasks[1:]
		if t.segment == nil {
			if !send(&unit{hour: t.hour, rows: t.rows, last: true, out: make(chan result, 1)}) {
				return
			}
			continue
		}
		o, err := t.segment.open(h.store.dir)
		if errors.Is(err, fs.ErrNotExist) {
			tasks = append(h.successors(t.segment), tasks...)
			err = nil
		}
		if o == nil || len(o.pq.RowGroups()) == 0 {
			u := &unit{hour: t.hour, last: true, out: make(chan result, 1)}
			u.out <- result{err: err}
			select {
			case order <- u:
			case <-ctx.Done():
				return
			}
			continue
		}
		groups := o.pq.RowGroups()
		file := &sharedFile{opened: o}
		file.left.Store(int32(len(groups)))
		for i, rg := range groups {
			u := &unit{hour: t.hour, file: file, group: rg, number: i, name: t.segment.day + "/" + t.segment.name,
				last: i == len(groups)-1, out: make(chan result, 1)}
			if !send(u) {
				for range groups[i+1:] {
					file.done()
				}
				return
			}
		}
	}
}

// successors are segments that another process put in the place of one that is gone.
func (h *hunt) successors(gone *segment) []task {
	s := h.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.planned == nil {
		h.planned = map[string]bool{}
	}
	if d := s.days[gone.day]; d != nil {
		for _, g := range d.segments {
			h.planned[g.day+"/"+g.name] = true
		}
	}
	d, err := s.listDay(gone.day)
	if err != nil || d == nil || s.load(d) != nil {
		return nil
	}
	s.days[d.name] = d
	var more []task
	for _, g := range d.segments {
		if g.hour == gone.hour && g.entry != nil && !h.planned[g.day+"/"+g.name] {
			more = append(more, task{segment: g, hour: g.hour})
		}
	}
	return more
}

// work reads units until there are no more. Each worker has a matcher of its own.
func (h *hunt) work(units <-chan *unit) {
	var m Matcher
	if h.q.Match != nil {
		m = h.q.Match()
	}
	for u := range units {
		u.out <- h.readUnit(u, m)
		u.file.done()
	}
}

func (h *hunt) readUnit(u *unit, m Matcher) (r result) {
	if u.group == nil {
		if m != nil {
			return h.matchRows(u.rows, m)
		}
		return h.valuesInRows(u.rows)
	}
	err := guard(func() error {
		var err error
		if m != nil {
			r, err = h.matchGroup(u, m)
		} else {
			r, err = h.valuesInGroup(u)
		}
		return err
	})
	if err != nil {
		r.err = fmt.Errorf("%s: %w: %w", u.name, errDamaged, err)
	}
	return r
}

// sortAtMost bounds the hits that are held back to be sorted.
const sortAtMost = 1 << 16

// deliver yields hits hour by hour, sorted by time.
func (h *hunt) deliver(ctx context.Context, order <-chan *unit, yield func(Hit, error) bool) error {
	var held []found
	seen := map[seenHit]bool{}
	now := hour(-1 << 62)
	release := func() bool {
		slices.SortStableFunc(held, func(a, b found) int { return a.hit.Time.Compare(b.hit.Time) })
		for _, f := range held {
			if !yield(f.hit, nil) {
				return false
			}
		}
		held = held[:0]
		return true
	}
	for u := range order {
		var r result
		select {
		case r = <-u.out:
		case <-ctx.Done():
			<-u.out // what was begun is read to its end
			return ctx.Err()
		}
		if u.hour != now || len(held) > sortAtMost {
			if !release() {
				return errEnough
			}
			if u.hour != now {
				clear(seen)
			}
			now = u.hour
		}
		if r.err != nil {
			h.state.Damaged++
			if !yield(Hit{}, r.err) {
				return errEnough
			}
		}
		for _, f := range r.hits {
			// Another process may have merged a segment while this one read it.
			if k := (seenHit{f.id, f.hit.What}); h.store.o.ReadOnly {
				if seen[k] {
					continue
				}
				seen[k] = true
			}
			held = append(held, f)
		}
		h.state.Events += r.events
		if u.last {
			h.state.Done++
			h.progress(h.state)
		}
	}
	if !release() {
		return errEnough
	}
	return ctx.Err()
}

type seenHit struct {
	id   uint64
	what int
}

// byHour groups tasks of one hour.
func byHour(tasks []task, fn func(of []task) error) error {
	for len(tasks) > 0 {
		n := 1
		for n < len(tasks) && cmp.Compare(tasks[n].hour, tasks[0].hour) == 0 {
			n++
		}
		if err := fn(tasks[:n]); err != nil {
			return err
		}
		tasks = tasks[n:]
	}
	return nil
}
