package detect

import (
	"fmt"
	"sync"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/sigma"
	"github.com/polder-exchange/polder/stix/pattern"
)

// Engine holds events against rules and against what is known. It may be used by many goroutines.
type Engine struct {
	rules *Rules
	known *Knowledge // nil: rules alone are asked
	about subjects

	mu       sync.Mutex
	merged   *ruleSet // of the rules of mergedOf and those that were shared, in their state mergedAt
	mergedOf *ruleSet
	mergedAt uint64
}

// NewEngine makes an engine. known may be nil: then rules alone are asked.
func NewEngine(rules *Rules, known *Knowledge) *Engine { return &Engine{rules: rules, known: known} }

// ruleSet is a collection of rules, compiled.
type ruleSet struct {
	collection *sigma.Collection
	engine     *sigma.Engine
	advise     Advice
	shared     map[*sigma.Rule]*KnownPattern // those that came by the exchange
}

// Advice is what to do about a finding of a rule, by the rule's id; "" when nothing was written.
type Advice func(rule string) string

func newRuleSet(c *sigma.Collection, advise Advice) (*ruleSet, error) {
	compiled, err := sigma.Compile(c, sigma.Options{})
	if err != nil {
		return nil, fmt.Errorf("compile rules: %w", err)
	}
	return &ruleSet{collection: c, engine: compiled, advise: advise}, nil
}

// Knowing is what events are held against now.
func (e *Engine) Knowing() Knowing {
	set := e.ruleSet()
	k := Knowing{Rules: len(set.collection.Rules), Correlations: len(set.collection.Correlations)}
	if e.known != nil {
		patterns, _ := e.known.Patterns()
		k.Patterns = len(patterns)
		k.Indicators = e.known.Len() - k.Patterns - len(set.shared)
	}
	return k
}

// patternSet is the patterns of a moment, compiled.
type patternSet struct {
	known    []*KnownPattern
	compiled *Patterns
	version  uint64
	ordered  bool // some look at more than one event, and want them in order
}

// patterns compiles the patterns that are known now. One that cannot be matched is left out: what it came from said so
// when it was loaded.
func (e *Engine) patterns() *patternSet {
	s := &patternSet{}
	if e.known == nil {
		s.compiled = NewPatterns(nil, pattern.StreamOptions{})
		return s
	}
	all, version := e.known.Patterns()
	s.version = version
	var compiled []*pattern.Matcher
	for _, k := range all {
		m, err := pattern.Compile(k.Pattern)
		if err != nil {
			continue
		}
		s.known, compiled = append(s.known, k), append(compiled, m)
		s.ordered = s.ordered || !m.Stateless()
	}
	s.compiled = NewPatterns(compiled, pattern.StreamOptions{})
	return s
}

// match is an event that something matched.
type match struct {
	finding Finding
	rule    *sigma.Rule  // nil when it was no rule
	event   *event.Event // a copy, when a correlation is about the rule
}

// judge judges one event after the other; each goroutine has one.
type judge struct {
	e        *Engine
	set      *ruleSet
	rules    *sigma.Matcher
	known    *IndicatorMatcher // nil when nothing is known
	patterns *patternSet
	watcher  *PatternWatcher
	wants    map[*sigma.Rule]bool
	file     string
	gated    int64 // hits that a warning list explained away
}

func (e *Engine) newJudge(set *ruleSet, patterns *patternSet, wants map[*sigma.Rule]bool, file string) *judge {
	j := &judge{e: e, set: set, rules: set.engine.NewMatcher(), patterns: patterns, watcher: patterns.compiled.NewWatcher(file), wants: wants, file: file}
	if e.known != nil {
		j.known = e.known.NewMatcher()
	}
	return j
}

// of is the judge for events of another file.
func (j *judge) of(file string) *judge {
	j.file, j.watcher.file = file, file
	return j
}

// judge appends to list what matches the event.
func (j *judge) judge(ev *event.Event, list *[]match) {
	for _, rule := range j.rules.Match(ev) {
		if !j.set.meant(rule, ev.Time()) {
			continue
		}
		m := match{finding: j.byRule(ev, rule), rule: rule}
		if j.wants[rule] {
			c := ev.Clone()
			m.event = &c
		}
		*list = append(*list, m)
	}
	if j.known == nil {
		return
	}
	for _, h := range j.known.Match(ev) {
		if h.Gate != "" && !fail.Bug("gate-ignored") {
			j.gated++
			continue
		}
		*list = append(*list, match{finding: j.byIndicator(ev, &h)})
	}
	j.watcher.Watch(ev, func(h PatternHit) { *list = append(*list, match{finding: j.byPattern(ev, h)}) })
}

// byIndicator is the finding that somebody knows of a value in an event.
func (j *judge) byIndicator(ev *event.Event, h *Hit) Finding {
	f := j.finding(ev)
	f.Kind, f.ID, f.Title, f.Level, f.Why, f.Origin = ByIndicator, h.ID, h.Title, h.Level, h.Why, h.Origin
	f.Evidence = []Evidence{{Field: h.Field.String(), Value: h.Value}}
	if h.Entry != h.Value {
		f.Why = "it is of " + h.Entry + "; " + f.Why
	}
	return f
}

// byPattern is the finding that an event matched a pattern, or completed it.
func (j *judge) byPattern(ev *event.Event, h PatternHit) Finding {
	k := j.patterns.known[h.Pattern]
	f := j.finding(ev)
	f.Kind, f.ID, f.Title, f.Level, f.Why, f.Origin, f.Events = ByPattern, k.ID, k.Title, k.Level, k.Why, k.Origin, nil
	for _, e := range h.Events {
		f.Evidence = append(f.Evidence, e.Evidence...)
		if len(f.Events) < MaxEvents {
			f.Events = append(f.Events, e.Raw)
		}
	}
	return f
}

// byRule is the finding that a rule matched an event.
func (j *judge) byRule(ev *event.Event, r *sigma.Rule) Finding {
	f := j.finding(ev)
	f.Kind, f.ID, f.Title, f.Advice = ByRule, r.ID, r.Title, j.set.advise(r.ID)
	f.Level, f.Why = ruleLevel(r)
	f.Origin = j.set.origin(r)
	for _, e := range j.rules.Evidence(ev, r) {
		f.Evidence = append(f.Evidence, Evidence{Field: e.Field, Value: e.Value})
	}
	return f
}

// finding is what every finding says of its event.
func (j *judge) finding(ev *event.Event) Finding {
	f := Finding{File: j.file, Event: ev.Index, Time: ev.Time(), Events: [][]byte{append([]byte(nil), ev.Raw...)}}
	f.Host, f.Account = j.e.about.of(ev)
	return f
}

// ruleLevel is the level of a rule, and why.
func ruleLevel(r *sigma.Rule) (Level, string) {
	if r.Level == "" {
		return Medium, "the rule names no level; it is taken as medium"
	}
	why := "the rule's own level"
	if len(r.FalsePositives) > 0 {
		why += "; it may also be: " + shorten(r.FalsePositives[0], 120)
	}
	return Level(r.Level), why
}

// originOf is under which terms a rule is used.
func originOf(r *sigma.Rule) Origin {
	return Origin{Author: r.Author, License: r.License, References: r.References, Tags: r.Tags}
}

// linker runs the correlations over the matches of rules, which it is given in the order of the events.
type linker struct {
	set        *ruleSet
	correlator *sigma.Correlator
	kept       map[sigma.Ref]keptEvent
	next       sigma.Ref
	bytes      int
	oldest     sigma.Ref
}

// keptEvent is what a correlation says of one of its events.
type keptEvent struct {
	file          string
	index         int
	time          time.Time
	host, account string
	raw           []byte
}

// Bounds of what a linker keeps to show the events of a correlation: beyond them the oldest are named no more.
const (
	maxKept      = 1_000_000
	maxKeptBytes = 64 << 20
)

func newLinker(set *ruleSet, o sigma.CorrelatorOptions) (*linker, error) {
	c, err := sigma.NewCorrelator(set.collection, o)
	if err != nil {
		return nil, err
	}
	return &linker{set: set, correlator: c, kept: map[sigma.Ref]keptEvent{}, next: 1, oldest: 1}, nil
}

// wants are the rules whose events the linker must be given.
func (l *linker) wants() map[*sigma.Rule]bool {
	w := map[*sigma.Rule]bool{}
	for _, r := range l.set.collection.Rules {
		if l.correlator.Wants(r) {
			w[r] = true
		}
	}
	return w
}

// take hands on what a match is: a finding, and whatever correlations it completes.
func (l *linker) take(m *match, found func(*Finding) error) error {
	if m.rule == nil || l.correlator.Alone(m.rule) {
		if err := found(&m.finding); err != nil {
			return err
		}
	}
	if m.event == nil {
		return nil
	}
	ref := l.keep(m)
	return l.each(l.correlator.Observe(m.rule, m.event, ref), found)
}

func (l *linker) end(found func(*Finding) error) error { return l.each(l.correlator.Flush(), found) }

func (l *linker) each(list []sigma.Correlated, found func(*Finding) error) error {
	for i := range list {
		f := l.finding(&list[i])
		if err := found(&f); err != nil {
			return err
		}
	}
	return nil
}

// keep remembers an event as long as there is room.
func (l *linker) keep(m *match) sigma.Ref {
	ref := l.next
	l.next++
	k := keptEvent{file: m.finding.File, index: m.finding.Event, time: m.finding.Time, host: m.finding.Host, account: m.finding.Account, raw: m.event.Raw}
	l.kept[ref] = k
	l.bytes += len(k.raw)
	for len(l.kept) > maxKept || l.bytes > maxKeptBytes && l.oldest < ref {
		l.bytes -= len(l.kept[l.oldest].raw)
		delete(l.kept, l.oldest)
		l.oldest++
	}
	return ref
}

// finding is a correlation's match as a finding: its evidence is what the events have in common and what was counted.
func (l *linker) finding(c *sigma.Correlated) Finding {
	r := &c.Correlation.Rule
	f := Finding{Kind: ByCorrelation, ID: r.ID, Title: r.Title, Time: c.Time, Advice: l.set.advise(r.ID), Origin: l.set.origin(r)}
	f.Level, f.Why = ruleLevel(r)
	for _, g := range c.Group {
		f.Evidence = append(f.Evidence, Evidence{Field: g.Field, Value: g.Value})
	}
	f.Evidence = append(f.Evidence, Evidence{Field: string(c.Correlation.Type), Value: compared(c)})
	for _, v := range c.Values {
		f.Evidence = append(f.Evidence, Evidence{Field: "value", Value: v})
	}
	for _, ref := range c.Refs {
		k, ok := l.kept[ref]
		if !ok {
			continue
		}
		f.File, f.Event = k.file, k.index
		f.Host, f.Account = orElse(k.host, f.Host), orElse(k.account, f.Account) // the last one completed it
		if len(f.Events) < MaxEvents {
			f.Events = append(f.Events, k.raw)
		}
	}
	return f
}

// compared is in words what a correlation compared, and within which time.
func compared(c *sigma.Correlated) string {
	what := "%v"
	switch c.Correlation.Type {
	case sigma.EventCount:
		what = "%v events"
	case sigma.ValueCount:
		what = "%v different values"
	case sigma.Temporal:
		what = "%v rules"
	case sigma.TemporalOrdered:
		what = "%v rules, one after the other"
	}
	return fmt.Sprintf(what+", within %v", c.Number, max(c.Time.Sub(c.From), time.Second).Round(time.Second))
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
