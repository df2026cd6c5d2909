package detect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/detect/history"
)

// hunts looks in an organisation's history for what the exchange newly tells, as soon as it is told.
type hunts struct {
	d *Detector
	o *orgDetector

	mu       sync.Mutex
	values   []indicator.Known
	patterns []*KnownPattern
	upTo     polder.Seq // what came up to here is among these or was hunted for
	wake     chan struct{}
}

// Bounds of what waits to be hunted for: beyond them what is oldest is dropped and said.
const (
	maxHuntValues   = 100_000
	maxHuntPatterns = 1_000
)

func newHunts(d *Detector, o *orgDetector) *hunts {
	return &hunts{d: d, o: o, wake: make(chan struct{}, 1)}
}

// add takes what is new; see [Follower.New].
func (h *hunts) add(values []indicator.Known, patterns []*KnownPattern) {
	if h.o.store == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.upTo = h.o.follower.Cursor()
	h.values, h.patterns = append(h.values, values...), append(h.patterns, patterns...)
	if over := len(h.values) - maxHuntValues; over > 0 {
		h.d.o.Log.Warn("too many new values at once: the oldest are not hunted for in history", "org", h.o.org, "values", over)
		h.values = h.values[over:]
	}
	if over := len(h.patterns) - maxHuntPatterns; over > 0 {
		h.d.o.Log.Warn("too many new patterns at once: the oldest are not hunted for in history", "org", h.o.org, "patterns", over)
		h.patterns = h.patterns[over:]
	}
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *hunts) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}
		h.mu.Lock()
		values, patterns, upTo := h.values, h.patterns, h.upTo
		h.values, h.patterns = nil, nil
		h.mu.Unlock()
		h.o.settle() // what was judged without the news is in the history then
		began := h.d.o.Now()
		n, err := h.hunt(ctx, values, patterns)
		if err == nil {
			err = h.d.setHunted(ctx, h.o.org, upTo)
		}
		if err != nil && ctx.Err() == nil {
			h.d.o.Log.Error("history was not looked through to its end for what is new", "org", h.o.org, "error", err)
		}
		h.d.o.Log.Info("history was looked through for what is new", "org", h.o.org, "values", len(values), "patterns", len(patterns), "found", n, "took", h.d.o.Now().Sub(began).Round(time.Millisecond).String())
	}
}

// huntedCursor names the number up to which an organisation's history was looked through for what is shared.
func huntedCursor(org polder.OrgID) string { return "hunted " + string(org) }

// setHunted remembers it over a restart. What is hunted for twice makes nothing twice.
func (d *Detector) setHunted(ctx context.Context, org polder.OrgID, upTo polder.Seq) error {
	return d.o.Service.o.DB.Write(ctx, func(tx *db.Tx) error { return setCursor(tx, huntedCursor(org), int64(upTo)) })
}

// settle waits until the batch that is judged now is judged and kept.
func (o *orgDetector) settle() {
	o.turn.Lock()
	defer o.turn.Unlock()
}

// hunt looks for values and patterns and records what it finds.
func (h *hunts) hunt(ctx context.Context, values []indicator.Known, patterns []*KnownPattern) (n int, err error) {
	record := recorder{h: h, ctx: ctx}
	hunt := Hunt{Store: h.o.store}
	if len(values) > 0 {
		q := history.Query{Values: make([]history.Value, len(values))}
		for i, v := range values {
			q.Values[i] = history.Value{Kind: v.Kind, Value: v.Value}
		}
		_, err = hunt.run(ctx, q, func(hit *history.Hit) error { return h.known(hit, values[hit.What].Object, &record) })
	}
	for _, p := range patterns {
		if err != nil {
			break
		}
		_, err = hunt.shared(ctx, p, func(f *Finding) error {
			if !p.validAt(f.Time) {
				return nil
			}
			return record.add(f)
		})
	}
	if err == nil {
		err = record.flush()
	}
	return record.n, err
}

// shared looks for a pattern or a Sigma rule that somebody shared; the findings say whose it is.
func (h *Hunt) shared(ctx context.Context, p *KnownPattern, found func(*Finding) error) (Hunted, error) {
	if p.Sigma == nil {
		return h.Pattern(ctx, p.Pattern, func(f *Finding) error {
			f.ID, f.Title, f.Level, f.Why, f.Origin = p.ID, p.Title, p.Level, p.Why, p.Origin
			return found(f)
		})
	}
	return h.Rules(ctx, p.Sigma, func(f *Finding) error {
		o := &f.Origin
		o.Object, o.Community, o.Level, o.PAP, o.List = p.Origin.Object, p.Origin.Community, p.Origin.Level, p.Origin.PAP, p.Origin.List
		return found(f)
	})
}

// known makes findings of a hit: what the knowledge says now of the value that was found, if it is of this object.
func (h *hunts) known(hit *history.Hit, object [16]byte, record *recorder) error {
	m := h.o.known.NewMatcher()
	m.at, m.timed = hit.Time, true
	for _, e := range hit.Evidence {
		v, err := history.ParseValue(e.Value)
		if err != nil {
			continue
		}
		m.hits = m.hits[:0]
		m.look(v.Kind, []byte(v.Value), event.Intern(e.Field))
		for i := range m.hits {
			if k := &m.hits[i]; k.ID == idOf(object) && k.Gate == "" {
				f := findingOf(hit)
				f.Kind, f.ID, f.Title, f.Level, f.Origin = ByIndicator, k.ID, k.Title, k.Level, k.Origin
				f.Why = fmt.Sprintf("found in history; %s", k.Why)
				if err := record.add(f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// validAt says whether the pattern means something at t; of an event without a time it does.
func (p *KnownPattern) validAt(t time.Time) bool {
	return t.IsZero() || (p.ValidFrom.IsZero() || !t.Before(p.ValidFrom)) && (p.ValidUntil.IsZero() || t.Before(p.ValidUntil))
}

// recorder gives findings to the service, some at a time.
type recorder struct {
	h       *hunts
	ctx     context.Context
	waiting []Finding
	n       int
}

func (r *recorder) add(f *Finding) error {
	r.n++
	if r.waiting = append(r.waiting, *f); len(r.waiting) < recordBatch {
		return nil
	}
	return r.flush()
}

func (r *recorder) flush() error {
	fresh, err := r.h.d.o.Service.Record(r.ctx, r.h.o.org, r.waiting)
	r.h.d.judged.hunted.Add(int64(fresh))
	r.waiting = r.waiting[:0]
	return err
}
