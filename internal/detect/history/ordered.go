package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/polder-exchange/polder/event"
)

// stream is the events of one segment, or of memory, in the order of time.
type stream struct {
	hunt   *hunt
	name   string
	file   *opened
	lay    *layout
	group  int
	reader *eventReader

	rows []row // in memory, sorted
	at   int

	event *event.Event // the current one
	time  int64
	where Where
}

// next goes to the next event of which more than the values are kept; false at the end.
func (s *stream) next() (bool, error) {
	if s.file == nil {
		return s.nextRow()
	}
	for {
		if s.reader == nil {
			groups := s.file.pq.RowGroups()
			if s.group == len(groups) {
				return false, nil
			}
			s.reader = s.hunt.newEventReader(groups[s.group], s.lay)
			s.group++
		}
		ok, known, err := s.reader.next()
		if err != nil {
			return false, err
		}
		if ok && known {
			s.event, s.time, s.where = &s.reader.event, s.reader.time, s.reader.where()
			return true, nil
		}
		if !ok {
			err := s.reader.Close()
			if s.reader = nil; err != nil {
				return false, err
			}
		}
	}
}

func (s *stream) nextRow() (bool, error) {
	for s.at < len(s.rows) {
		r := &s.rows[s.at]
		s.at++
		if len(r.Fields) == 0 {
			continue
		}
		if s.event == nil {
			s.event = &event.Event{}
		}
		s.event.Raw, s.event.Index, s.time = r.Raw, int(r.Metadata.Index), r.Time
		s.where = Where{Time: fromMicros(r.Time), File: r.Metadata.File}
		return true, s.lay.read(r.Fields, s.event)
	}
	return false, nil
}

// current is the row of the current event.
func (s *stream) current() (out row, err error) {
	if s.file == nil {
		return s.rows[s.at-1], nil
	}
	err = rowsAt(s.file.pq.RowGroups()[s.group-1], []int64{s.reader.at}, func(_ int, r *row) { out = *r })
	return out, err
}

func (s *stream) Close() error {
	var err error
	if s.reader != nil {
		err = s.reader.Close()
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return err
}

// readOrdered shows all events to one matcher in the order of time.
func (h *hunt) readOrdered(ctx context.Context, tasks []task, yield func(Hit, error) bool) error {
	m := h.q.Match()
	return byHour(tasks, func(of []task) error {
		var in []*stream
		defer func() {
			for _, s := range in {
				_ = s.Close()
			}
		}()
		for _, t := range of {
			s, err := h.openStream(t)
			if err == nil && s != nil {
				if ok, nextErr := h.advance(s); ok || nextErr != nil {
					in = append(in, s)
					err = nextErr
				}
			}
			if err != nil {
				h.state.Damaged++
				if !yield(Hit{}, err) {
					return errEnough
				}
			}
		}
		if err := h.mergeStreams(ctx, in, m, yield); err != nil {
			return err
		}
		h.state.Done += len(of)
		h.progress(h.state)
		return nil
	})
}

// openStream opens a task; nil when the segment is gone.
func (h *hunt) openStream(t task) (*stream, error) {
	if t.segment == nil {
		rows := slices.Clone(t.rows)
		slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.Time, b.Time) })
		w, err := h.store.words.wordsFor(rows)
		if err != nil {
			return nil, err
		}
		return &stream{hunt: h, rows: rows, lay: h.store.words.layout(w)}, nil
	}
	o, err := t.segment.open(h.store.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &stream{hunt: h, name: t.segment.day + "/" + t.segment.name, file: o, lay: h.store.words.layout(o.meta.Words)}, nil
}

// advance is next, with damage told as such.
func (h *hunt) advance(s *stream) (ok bool, err error) {
	err = guard(func() error {
		ok, err = s.next()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("%s: %w: %w", s.name, errDamaged, err)
	}
	return ok, nil
}

// mergeStreams takes the earliest event of several streams again and again. A stream that breaks off is left out.
func (h *hunt) mergeStreams(ctx context.Context, in []*stream, m Matcher, yield func(Hit, error) bool) error {
	live := slices.Clone(in)
	live = slices.DeleteFunc(live, func(s *stream) bool { return s.event == nil })
	for len(live) > 0 {
		if h.state.Events++; h.state.Events%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		s := slices.MinFunc(live, func(a, b *stream) int { return cmp.Compare(a.time, b.time) })
		if h.covers(s.time) {
			s.event.SetTime(s.where.Time)
			if f := cloneFindings(m.Match(s.event, s.where)); len(f) > 0 {
				if err := h.yieldFindings(s, f, yield); err != nil {
					return err
				}
			}
		}
		ok, err := h.advance(s)
		if err != nil {
			h.state.Damaged++
			if !yield(Hit{}, err) {
				return errEnough
			}
		}
		if !ok {
			live = slices.DeleteFunc(live, func(o *stream) bool { return o == s })
		}
	}
	return nil
}

func (h *hunt) yieldFindings(s *stream, findings []Finding, yield func(Hit, error) bool) error {
	var r row
	err := guard(func() (err error) {
		r, err = s.current()
		return err
	})
	if err != nil {
		h.state.Damaged++
		if !yield(Hit{}, fmt.Errorf("%s: %w: %w", s.name, errDamaged, err)) {
			return errEnough
		}
		return nil
	}
	for _, f := range findings {
		if !yield(hitOf(&r, f.What, f.Evidence).hit, nil) {
			return errEnough
		}
	}
	return nil
}
