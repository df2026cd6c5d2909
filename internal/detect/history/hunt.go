package history

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/event"
)

// Query says what is looked for, and when it happened. Either Values or Match is set.
type Query struct {
	// Values finds the events that hold at least one of them. Many are asked at once for little more than one.
	Values []Value
	// Match makes a matcher, which sees every event of the time. One is made for each goroutine.
	Match func() Matcher
	// Ordered shows all events to one matcher, in the order of time, as one that remembers needs it.
	Ordered bool
	// Since and Until bound when it happened: from Since up to, and not including, Until; zero is open. Events that do not
	// say when they happened are always looked at.
	Since, Until time.Time
}

// Matcher looks for something in events. It is used by one goroutine.
type Matcher interface {
	// Match says what it found in an event, which is its own until it returns; nothing when the event is none of its
	// business. ev.Time is not known: w says when it happened.
	Match(ev *event.Event, w Where) []Finding
}

// Where says of an event what it does not say itself.
type Where struct {
	Time time.Time // zero when it is not known
	File string    // the file or intake it came from
}

// Finding is one thing that a matcher found in an event.
type Finding struct {
	What     int // which of the things it looks for, in the caller's numbering
	Evidence []Evidence
}

// Evidence is a field of an event and the value in it that matched.
type Evidence struct {
	Field string
	Value string
}

// Hit is an event in which something was found.
type Hit struct {
	Time     time.Time // zero when the event does not say
	Received time.Time
	File     string // the file or intake it came from
	Index    int64  // of the event in it
	Format   event.Format
	Host     string // as far as the event says
	User     string
	Raw      []byte // as it was received; empty when values alone are kept
	// What says which of Query.Values was found, or repeats Finding.What.
	What     int
	Evidence []Evidence
}

// Progress says how far a hunt is.
type Progress struct {
	Segments int   // in the time that is asked for
	Asked    bool  // the filters have answered: Open is known
	Open     int   // segments that have to be opened
	Done     int   // of those, how many are
	Events   int64 // looked at in them
	Skipped  int   // segments that hold values alone, which a matcher cannot look at
	Damaged  int   // segments that cannot be read
}

// Hunt looks for something in all that is kept, and yields each event in which it is, in the order of time. An event in which
// several things are found comes once for each.
//
// An error beside a hit without a time says that a segment cannot be read, and the hunt goes on; errors.Is tells it as
// [ErrDamaged]. Any other error ends it. progress may be nil; it is called from the goroutine that ranges over the result,
// with the last state before the range ends. A hunt does not stop writing.
func (s *Store) Hunt(ctx context.Context, q Query, progress func(Progress)) iter.Seq2[Hit, error] {
	return func(yield func(Hit, error) bool) {
		if progress == nil {
			progress = func(Progress) {}
		}
		if (len(q.Values) == 0) == (q.Match == nil) {
			yield(Hit{}, polder.Errorf(polder.Invalid, "a hunt looks for values or by a matcher; give one of the two"))
			return
		}
		h, err := s.newHunt(q)
		if err != nil {
			yield(Hit{}, err)
			return
		}
		defer h.end()
		h.progress = progress
		if err := h.run(ctx, yield); err != nil {
			yield(Hit{}, err)
		}
	}
}

// ErrDamaged says that a segment cannot be read. The rest of a hunt is not concerned.
var ErrDamaged = errDamaged

// hunt is one running query.
type hunt struct {
	store    *Store
	q        Query
	since    int64
	until    int64
	wanted   *wanted // of a hunt for values
	progress func(Progress)
	state    Progress
	planned  map[string]bool // segments of a store that another process may be changing
}

const forever = 1<<63 - 1

func (s *Store) newHunt(q Query) (*hunt, error) {
	h := &hunt{store: s, q: q, since: -forever, until: forever}
	if !q.Since.IsZero() {
		h.since = q.Since.UnixMicro()
	}
	if !q.Until.IsZero() {
		h.until = q.Until.UnixMicro()
	}
	if h.since >= h.until {
		return nil, polder.Errorf(polder.Invalid, "the time asked for is empty: it ends at %s and begins at %s",
			q.Until.UTC().Format(time.RFC3339), q.Since.UTC().Format(time.RFC3339))
	}
	if q.Match == nil {
		h.wanted = newWanted(q.Values)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	s.hunts++
	return h, nil
}

// end lets go of what the hunt held.
func (h *hunt) end() {
	s := h.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hunts--
	s.dig()
}

// covers says whether an event of this time is asked for.
func (h *hunt) covers(t int64) bool { return t == 0 || t >= h.since && t < h.until }

// task is a segment to open, or events that are in memory alone.
type task struct {
	segment *segment
	rows    []row
	hour    hour
}

// run asks the filters, then opens what they name.
func (h *hunt) run(ctx context.Context, yield func(Hit, error) bool) error {
	tasks, bad, err := h.plan(ctx)
	if err != nil {
		return err
	}
	for _, err := range bad {
		h.state.Damaged++
		if !yield(Hit{}, err) {
			return nil
		}
	}
	h.state.Asked, h.state.Open = true, len(tasks)
	h.progress(h.state)
	if err := h.read(ctx, tasks, yield); !errors.Is(err, errEnough) {
		h.progress(h.state)
		return err
	}
	return nil
}

// errEnough says that whoever ranges over the hits wants no more.
var errEnough = errors.New("enough")
