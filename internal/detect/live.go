package detect

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/sigma"
)

// Live judges what comes in, batch after batch: it is the [Judge] of an intake. Correlations are within one
// organisation. When rules are exchanged for others, correlations begin anew.
type Live struct {
	engine *Engine
	log    *slog.Logger
	keep   func(b Batch, s *event.Scanner, c event.Chunk) error // into history; nil keeps nothing

	mu    sync.Mutex
	orgs  map[polder.OrgID]*orgJudge
	stats LiveStats
}

// LiveStats are figures of what was judged since the start.
type LiveStats struct {
	Batches, Events, Unreadable, Findings int64
	Last                                  time.Time // when the last batch was received
	Dropped                               sigma.Dropped
}

// orgJudge is what judging remembers of one organisation's events.
type orgJudge struct {
	set      *ruleSet
	linked   *linker
	wants    map[*sigma.Rule]bool
	patterns *patternSet
}

// NewLive makes the judge of an intake.
func NewLive(e *Engine, log *slog.Logger) *Live {
	return &Live{engine: e, log: log, orgs: map[polder.OrgID]*orgJudge{}}
}

// Judge reads the records of a batch and returns what is found in them. A record that cannot be read is counted and
// passed over, and so is a batch whose format is not known: no later try would read it.
func (l *Live) Judge(ctx context.Context, b Batch) ([]Finding, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, err := l.of(b.Org)
	if err != nil {
		return nil, err
	}
	var found []Finding
	take := func(f *Finding) error {
		found = append(found, *f)
		return nil
	}
	l.stats.Batches++
	s, err := event.Open(bytes.NewReader(b.Data), event.Options{Name: b.Name})
	if err != nil {
		l.stats.Unreadable += int64(b.Events)
		l.log.Warn("events of no known format were taken in", "org", b.Org, "source", b.Source, "error", err)
		return nil, nil
	}
	j, d := l.engine.newJudge(o.set, o.patterns, o.wants, b.Name), s.NewDecoder()
	for {
		c, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			l.stats.Unreadable++
			continue
		}
		if err := l.chunk(ctx, b, j, d, c, o.linked, take); err != nil {
			return nil, err
		}
		if l.keep != nil && !b.Again {
			if err := l.keep(b, s, c); err != nil {
				l.log.Error("history keeps no events; judging goes on", "error", err)
			}
		}
	}
	l.stats.Findings += int64(len(found))
	l.stats.Last = b.Received
	l.stats.Dropped = o.linked.correlator.Dropped()
	return found, nil
}

// chunk judges the records of a chunk.
func (l *Live) chunk(ctx context.Context, b Batch, j *judge, d event.Decoder, c event.Chunk, linked *linker, take func(*Finding) error) error {
	var matches []match
	var ev event.Event
	d.Decode(c, &ev, func(bad *event.Error) bool {
		if bad != nil {
			l.stats.Unreadable++
			return true
		}
		l.stats.Events++
		j.judge(&ev, &matches)
		return ctx.Err() == nil
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range matches {
		matches[i].finding.Event += b.First
		if err := linked.take(&matches[i], take); err != nil {
			return err
		}
	}
	return nil
}

// of is what is remembered of an organisation, under the rules and patterns of now.
func (l *Live) of(org polder.OrgID) (*orgJudge, error) {
	set := l.engine.rules.Load()
	o := l.orgs[org]
	if o == nil || o.set != set {
		linked, err := newLinker(set, sigma.CorrelatorOptions{})
		if err != nil {
			return nil, err
		}
		o = &orgJudge{set: set, linked: linked, wants: linked.wants(), patterns: l.engine.patterns()}
		l.orgs[org] = o
	}
	if l.engine.known != nil && o.patterns.version != l.engine.known.PatternsVersion() {
		o.patterns = l.engine.patterns()
	}
	return o, nil
}

// Stats are the figures of now.
func (l *Live) Stats() LiveStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}
