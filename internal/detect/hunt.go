package detect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/detect/history"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/sigma"
	"github.com/polder-exchange/polder/stix/pattern"
)

// HistoryDir is the folder of the history in that of a node.
const HistoryDir = "history"

// HistoryObserver lists the values of an event for the history. It is for one goroutine.
type HistoryObserver struct{ observer *Observer }

// NewHistoryObserver has met no field yet.
func NewHistoryObserver() *HistoryObserver { return &HistoryObserver{NewObserver()} }

// Observe is what [history.Observer] asks for.
func (h *HistoryObserver) Observe(ev *event.Event, yield func(field string, v history.Value)) {
	h.observer.Observe(ev, func(kind indicator.Kind, value []byte, field event.Name) {
		if kind != "" {
			yield(field.String(), history.Value{Kind: kind, Value: string(value)})
		}
	})
}

// Hunted is how a hunt went.
type Hunted struct {
	history.Progress
	Findings int64
	Damaged  []string // what could not be read, in words, the first few
}

// Hunt looks for something in a history between two times, zero being open. found gets each finding in the order of time;
// its error ends the hunt.
type Hunt struct {
	Store        *history.Store
	Since, Until time.Time
	Progress     func(history.Progress)
}

// Values looks for values. Many at once cost little more than one.
func (h *Hunt) Values(ctx context.Context, values []history.Value, found func(*Finding) error) (Hunted, error) {
	return h.run(ctx, history.Query{Values: values}, func(hit *history.Hit) error {
		v := values[hit.What]
		f := findingOf(hit)
		f.Kind, f.ID, f.Title = ByIndicator, v.Value, fmt.Sprintf("%s %s", v.Kind, v.Value)
		f.Level, f.Why = Medium, "it was asked for by value, and nothing more is known of it here"
		return found(f)
	})
}

// Pattern looks for a STIX pattern. One that asks for no more than one of some values is answered by the filters; any other
// sees all events, in the order of time when it joins several.
func (h *Hunt) Pattern(ctx context.Context, p *pattern.Pattern, found func(*Finding) error) (Hunted, error) {
	m, err := pattern.Compile(p)
	if err != nil {
		return Hunted{}, err
	}
	set := func(f *Finding) error {
		f.Kind, f.ID, f.Title = ByPattern, p.String(), "the pattern asked for"
		f.Level, f.Why = Medium, "the pattern was asked for, and nothing more is known of it here"
		return found(f)
	}
	if values, err := indicator.Values(p); err == nil && answerable(values) {
		return h.run(ctx, history.Query{Values: values}, func(hit *history.Hit) error { return set(findingOf(hit)) })
	}
	q := history.Query{Ordered: !m.Stateless(), Match: func() history.Matcher {
		return &patternMatcher{matcher: m, stream: pattern.NewStream(m, pattern.StreamOptions{}), observer: NewCyberObserver(nil)}
	}}
	return h.run(ctx, q, func(hit *history.Hit) error { return set(findingOf(hit)) })
}

// answerable says whether a pattern's values mean in a history what they mean in a pattern: a domain there finds its
// subdomains, and a name of a file is compared without case, which a pattern does not ask for.
func answerable(values []indicator.Value) bool {
	for _, v := range values {
		switch v.Kind {
		case indicator.IPv4, indicator.IPv6, indicator.CIDR, indicator.MD5, indicator.SHA1, indicator.SHA256, indicator.SHA512:
		default:
			return false
		}
	}
	return len(values) > 0
}

// patternMatcher holds events against a pattern.
type patternMatcher struct {
	matcher  *pattern.Matcher
	stream   *pattern.Stream
	observer *CyberObserver
}

// Match is what [history.Matcher] asks for.
func (p *patternMatcher) Match(ev *event.Event, w history.Where) []history.Finding {
	o := p.observer.Observe(ev)
	o.First, o.Last = w.Time, w.Time
	met, err := p.stream.Add(o, pattern.Entry{Bytes: 1})
	if err != nil || len(met) == 0 {
		return nil
	}
	var f history.Finding
	for _, e := range p.observer.Evidence(p.matcher.Evidence(o)) {
		f.Evidence = append(f.Evidence, history.Evidence{Field: e.Field, Value: e.Value})
	}
	return []history.Finding{f}
}

// Rules runs rules over the events as they were received. Correlations among them see the events in the order of time.
func (h *Hunt) Rules(ctx context.Context, c *sigma.Collection, found func(*Finding) error) (Hunted, error) {
	compiled, err := sigma.Compile(c, sigma.Options{})
	if err != nil {
		return Hunted{}, fmt.Errorf("compile rules: %w", err)
	}
	if len(c.Correlations) > 0 {
		return h.correlations(ctx, &ruleSet{collection: c, engine: compiled, advise: func(string) string { return "" }}, found)
	}
	number := map[*sigma.Rule]int{}
	for i, r := range c.Rules {
		number[r] = i
	}
	q := history.Query{Match: func() history.Matcher { return &ruleMatcher{rules: compiled.NewMatcher(), number: number} }}
	return h.run(ctx, q, func(hit *history.Hit) error {
		f := findingOf(hit)
		f.byRule(c.Rules[hit.What])
		return found(f)
	})
}

// byRule says which rule made the finding.
func (f *Finding) byRule(r *sigma.Rule) {
	f.Kind, f.ID, f.Title, f.Origin = ByRule, r.ID, r.Title, originOf(r)
	f.Level, f.Why = ruleLevel(r)
}

// ruleMatcher holds events against rules.
type ruleMatcher struct {
	rules  *sigma.Matcher
	number map[*sigma.Rule]int
	found  []history.Finding
}

// Match is what [history.Matcher] asks for.
func (m *ruleMatcher) Match(ev *event.Event, _ history.Where) []history.Finding {
	m.found = m.found[:0]
	for _, r := range m.rules.Match(ev) {
		f := history.Finding{What: m.number[r]}
		for _, e := range m.rules.Evidence(ev, r) {
			f.Evidence = append(f.Evidence, history.Evidence{Field: e.Field, Value: e.Value})
		}
		m.found = append(m.found, f)
	}
	return m.found
}

// correlations shows all events to rules and correlations, in the order of time.
func (h *Hunt) correlations(ctx context.Context, set *ruleSet, found func(*Finding) error) (Hunted, error) {
	l, err := newLinker(set, sigma.CorrelatorOptions{})
	if err != nil {
		return Hunted{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var count int64
	m := &linkMatcher{rules: set.engine.NewMatcher(), linked: l, wants: l.wants(), stop: cancel, found: func(f *Finding) error {
		count++
		return found(f)
	}}
	done, err := h.run(ctx, history.Query{Ordered: true, Match: func() history.Matcher { return m }}, nil)
	if cause := context.Cause(ctx); cause != nil {
		return done, cause
	}
	if err == nil {
		err = l.end(m.found)
	}
	done.Findings = count
	return done, err
}

// linkMatcher gives what matched rules to the correlations. It tells findings itself, since those of correlations are of
// several events.
type linkMatcher struct {
	rules  *sigma.Matcher
	linked *linker
	wants  map[*sigma.Rule]bool
	about  subjects
	found  func(*Finding) error
	stop   func(error)
}

// Match is what [history.Matcher] asks for.
func (m *linkMatcher) Match(ev *event.Event, w history.Where) []history.Finding {
	matched := m.rules.Match(ev)
	if len(matched) == 0 {
		return nil
	}
	var err error
	for i := 0; i < len(matched) && err == nil; i++ {
		r := matched[i]
		one := match{rule: r, finding: Finding{File: w.File, Event: ev.Index, Time: w.Time, Events: [][]byte{bytes.Clone(ev.Raw)}}}
		one.finding.byRule(r)
		one.finding.Host, one.finding.Account = m.about.of(ev)
		for _, e := range m.rules.Evidence(ev, r) {
			one.finding.Evidence = append(one.finding.Evidence, Evidence{Field: e.Field, Value: e.Value})
		}
		if m.wants[r] {
			kept := ev.Clone()
			one.event = &kept
		}
		err = m.linked.take(&one, m.found)
	}
	if err != nil {
		m.stop(err)
	}
	return nil
}

// run goes through the hits of a query.
func (h *Hunt) run(ctx context.Context, q history.Query, hit func(*history.Hit) error) (Hunted, error) {
	q.Since, q.Until = h.Since, h.Until
	if fail.Bug("hunt-until") {
		q.Until = time.Time{}
	}
	var done Hunted
	progress := func(p history.Progress) {
		done.Progress = p
		if h.Progress != nil {
			h.Progress(p)
		}
	}
	for found, err := range h.Store.Hunt(ctx, q, progress) {
		switch {
		case errors.Is(err, history.ErrDamaged):
			if len(done.Damaged) < maxTrouble {
				done.Damaged = append(done.Damaged, err.Error())
			}
		case err != nil:
			return done, err
		default:
			done.Findings++
			if err := hit(&found); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// findingOf is what every finding says of a hit.
func findingOf(hit *history.Hit) *Finding {
	f := &Finding{File: hit.File, Event: int(hit.Index), Time: hit.Time, Host: hit.Host, Account: hit.User}
	if len(hit.Raw) > 0 {
		f.Events = [][]byte{hit.Raw}
	}
	for _, e := range hit.Evidence {
		f.Evidence = append(f.Evidence, Evidence{Field: e.Field, Value: e.Value})
	}
	return f
}
