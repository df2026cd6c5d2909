package detect

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/stix/pattern"
)

// maxPatternBytes bounds the events that all patterns together retain.
const maxPatternBytes = 256 << 20

// Patterns are STIX patterns that events are held against. An event is tried against those alone of which it has a
// value that they cannot match without. Patterns that one event decides keep nothing; the others retain the events that
// meet a part of them, within the bounds of [pattern.StreamOptions] and of 256 MiB together. It may be used by many
// goroutines.
type Patterns struct {
	set     *pattern.Set
	all     []*pattern.Matcher
	streams []*patternStream // by pattern, nil for one that keeps nothing
	skipped atomic.Uint64
}

// patternStream is the state of a pattern that one event does not decide.
type patternStream struct {
	sync.Mutex
	*pattern.Stream
}

// NewPatterns takes patterns; what matches names them by their index.
func NewPatterns(all []*pattern.Matcher, o pattern.StreamOptions) *Patterns {
	p := &Patterns{set: pattern.NewSet(all), all: all, streams: make([]*patternStream, len(all))}
	stateful := 0
	for _, m := range all {
		if !m.Stateless() {
			stateful++
		}
	}
	if o.MaxBytes <= 0 && stateful > 0 {
		o.MaxBytes = min(16<<20, max(1<<16, maxPatternBytes/stateful))
	}
	for i, m := range all {
		if !m.Stateless() {
			p.streams[i] = &patternStream{Stream: pattern.NewStream(m, o)}
		}
	}
	return p
}

// Len is the number of patterns.
func (p *Patterns) Len() int { return len(p.all) }

// PatternStats are what the patterns hold and what they let go, together.
type PatternStats struct {
	pattern.StreamStats
	Skipped uint64 // events of which a test took too much work
}

// Stats are the counts so far.
func (p *Patterns) Stats() PatternStats {
	sum := PatternStats{Skipped: p.skipped.Load()}
	for _, s := range p.streams {
		if s == nil {
			continue
		}
		s.Lock()
		one := s.Stats()
		s.Unlock()
		sum.Retained += one.Retained
		sum.Bytes += one.Bytes
		sum.Expired += one.Expired
		sum.Crowded += one.Crowded
		sum.Unsettled += one.Unsettled
	}
	return sum
}

// PatternEvent is an event that a pattern bound.
type PatternEvent struct {
	File     string
	Index    int
	Time     time.Time
	Raw      []byte
	Evidence []Evidence
}

// PatternHit is a pattern that matched, with the events it bound in the order they came; the last completed it.
type PatternHit struct {
	Pattern int
	Events  []PatternEvent
}

// PatternWatcher holds events against patterns. It is for one goroutine.
type PatternWatcher struct {
	patterns *Patterns
	finder   *pattern.Finder
	observer *CyberObserver
	file     string
}

// NewWatcher is a watcher for one goroutine, of the events of a file or intake.
func (p *Patterns) NewWatcher(file string) *PatternWatcher {
	return &PatternWatcher{patterns: p, finder: p.set.NewFinder(), observer: NewCyberObserver(p.set.Wants), file: file}
}

// Watch calls found for every pattern that the event matches or completes.
func (w *PatternWatcher) Watch(ev *event.Event, found func(PatternHit)) {
	if len(w.patterns.all) == 0 {
		return
	}
	o := w.observer.Observe(ev)
	hits, err := w.finder.Find(o)
	if err != nil {
		w.patterns.skipped.Add(1)
	}
	for _, h := range hits {
		e := PatternEvent{
			File: w.file, Index: ev.Index, Time: o.First, Raw: append([]byte(nil), ev.Raw...),
			Evidence: w.observer.Evidence(w.patterns.all[h.Pattern].Evidence(o)),
		}
		s := w.patterns.streams[h.Pattern]
		if s == nil {
			found(PatternHit{Pattern: h.Pattern, Events: []PatternEvent{e}})
			continue
		}
		s.Lock()
		bound, _ := s.Take(h, o, pattern.Entry{Value: e, Bytes: e.size()}) // what was given up is counted in Stats
		s.Unlock()
		if bound != nil {
			hit := PatternHit{Pattern: h.Pattern}
			for _, b := range bound {
				hit.Events = append(hit.Events, b.Value.(PatternEvent))
			}
			found(hit)
		}
	}
}

// size is about the memory that a retained event takes.
func (e *PatternEvent) size() int {
	n := 200 + len(e.Raw)
	for _, v := range e.Evidence {
		n += len(v.Field) + len(v.Value)
	}
	return n
}
