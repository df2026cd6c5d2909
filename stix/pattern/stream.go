package pattern

import (
	"slices"
	"time"
)

// StreamOptions bound what a [Stream] retains. A zero field means its default.
type StreamOptions struct {
	Window      time.Duration // how far back a binding reaches; a day by default, and never beyond the pattern's own WITHIN
	MaxRetained int           // observations; 4,096 by default
	MaxBytes    int           // of the entries, as their makers count them; 16 MiB by default
	MaxSteps    int64         // of the search for one observation; 500,000 by default
}

func (o StreamOptions) filled() StreamOptions {
	if o.Window <= 0 {
		o.Window = 24 * time.Hour
	}
	if o.MaxRetained <= 0 {
		o.MaxRetained = 4096
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 20
	}
	if o.MaxSteps <= 0 {
		o.MaxSteps = 500_000
	}
	return o
}

// Entry is what a stream hands back of an observation: whatever its maker needs to know it by, and the bytes that this
// keeps in memory.
type Entry struct {
	Value any
	Bytes int
}

// StreamStats count what a stream holds and what it let go.
type StreamStats struct {
	Retained  int    // observations that a later binding may use
	Bytes     int    // of their entries
	Expired   uint64 // let go because the window passed them, or too late when they came
	Crowded   uint64 // let go, the oldest first, because there were too many or too large
	Unsettled uint64 // for which the search was given up; they stay for later bindings
}

// A Stream matches one pattern against observations as they come, in about the order of their time. A pattern that one
// observation decides keeps nothing. Of others the stream retains, for each observation that meets one of the tests,
// when it was, how often and its entry, but none of its objects. It is for one goroutine.
//
// What it finds is what [Matcher.Match] finds in the observations that are retained: a binding is reported when the
// observation arrives that completes it, and that observation is part of it.
type Stream struct {
	matcher *Matcher
	options StreamOptions
	window  tick
	newest  tick // the time up to which the stream has come
	ahead   tick // a time that was far ahead of it; a second one near makes it the newest
	held    []held
	stats   StreamStats
	search  search
}

// held is a retained observation.
type held struct {
	candidate
	entry Entry
}

// NewStream begins a stream for one pattern.
func NewStream(m *Matcher, o StreamOptions) *Stream {
	o = o.filled()
	s := &Stream{matcher: m, options: o, window: tick(o.Window / 100), newest: never, ahead: never}
	if t := m.root; t.kind == withinTerm {
		s.window = min(s.window, t.duration)
	}
	return s
}

// Stats are the counts so far.
func (s *Stream) Stats() StreamStats {
	s.stats.Retained = len(s.held)
	return s.stats
}

// Forget lets go of what is retained, so that the next binding begins anew.
func (s *Stream) Forget() {
	clear(s.held)
	s.held, s.stats.Bytes = s.held[:0], 0
}

// Add takes an observation and returns the entries of a binding that it completes, in the order they came, or none. The
// error is [ErrTooMuchWork], or that of [Matcher.Match] about a text that is no timestamp; the observation is retained
// all the same if it meets a test.
func (s *Stream) Add(o *Observed, e Entry) ([]Entry, error) {
	w := work{left: MaxSteps}
	hit := newTestSet(len(s.matcher.tests))
	s.matcher.test(o, hit, &w)
	found, err := s.take(hit, o, e)
	if own := w.err(); own != nil {
		return found, own
	}
	return found, err
}

// Take is [Stream.Add] for an observation of which a [Finder] has found what it meets.
func (s *Stream) Take(h Hit, o *Observed, e Entry) ([]Entry, error) { return s.take(h.tests, o, e) }

func (s *Stream) take(hit testSet, o *Observed, e Entry) ([]Entry, error) {
	if hit.empty() {
		return nil, nil
	}
	if s.matcher.Stateless() {
		if s.matcher.root.meets(hit, o) {
			return []Entry{e}, nil
		}
		return nil, nil
	}
	c := candidateOf(slices.Clone(hit), o)
	if !s.advance(c) {
		return nil, nil
	}
	s.held = append(s.held, held{c, e})
	s.stats.Bytes += e.Bytes
	s.crowd()
	if len(s.held) == 0 {
		return nil, nil
	}
	return s.look()
}

// advance moves the window to an observation and lets go of what it has passed; false when that is the observation
// itself. One observation alone does not move it by more than its length, since clocks may be wrong.
func (s *Stream) advance(c candidate) bool {
	if c.last == never {
		return true // at no known time
	}
	before := s.newest
	switch {
	case s.newest == never || c.first > s.newest && c.first <= later(s.newest, s.window):
		s.newest = c.first
	case c.first > s.newest && s.ahead != never && c.first <= later(s.ahead, s.window) && s.ahead <= later(c.first, s.window):
		s.newest, s.ahead = c.first, never
	case c.first > s.newest:
		s.ahead = c.first
	}
	passed := func(c candidate) bool { return c.last != never && later(c.last, s.window) < s.newest }
	if passed(c) {
		s.stats.Expired++
		return false
	}
	if s.newest == before {
		return true
	}
	kept := s.held[:0]
	for _, h := range s.held {
		if passed(h.candidate) {
			s.stats.Expired++
			s.stats.Bytes -= h.entry.Bytes
			continue
		}
		kept = append(kept, h)
	}
	clear(s.held[len(kept):])
	s.held = kept
	return true
}

// crowd lets go of the oldest observations while there are too many or too large.
func (s *Stream) crowd() {
	drop := 0
	for len(s.held)-drop > s.options.MaxRetained || len(s.held) > drop && s.stats.Bytes > s.options.MaxBytes {
		s.stats.Bytes -= s.held[drop].entry.Bytes
		drop++
	}
	s.stats.Crowded += uint64(drop)
	s.held = slices.Delete(s.held, 0, drop)
}

// look searches for a binding with the observation that came last.
func (s *Stream) look() ([]Entry, error) {
	w := work{left: s.options.MaxSteps}
	s.search.work, s.search.seen, s.search.widest = &w, s.search.seen[:0], 0
	for i, h := range s.held {
		h.index = i
		s.search.add(h.candidate)
	}
	s.search.must = len(s.held) - 1
	bound, err := s.search.solve(s.matcher.root)
	if err != nil {
		s.stats.Unsettled++
		return nil, err
	}
	var found []Entry
	for _, i := range bound {
		found = append(found, s.held[i].entry)
	}
	return found, nil
}
