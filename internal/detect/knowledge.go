package detect

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/sigma"
	"github.com/polder-exchange/polder/stix/pattern"
)

// Knowledge is every indicator that this place may use: single values in a table, expressions over paths, STIX patterns,
// and the gate of values that mean nothing. It is filled from files ([Knowledge.LoadFile]) or kept current from the
// journal ([Follower]). Any number of goroutines match while it changes. Nothing here asks anybody outside.
type Knowledge struct {
	Table *indicator.Table
	// Gate is filled before the first match and not changed after.
	Gate *indicator.Gate

	mu       sync.RWMutex
	lists    []knownList // by the number that references carry
	listNo   map[string]uint32
	titles   titles
	paths    *indicator.PathTable
	pathOf   []pathOrigin // by number in paths
	patterns map[patternKey]*KnownPattern
	version  atomic.Uint64 // of the patterns
	// rulesVersion rises with every change of the Sigma rules among patterns.
	rulesVersion atomic.Uint64
}

// knownList is where values came from: a file, or a community.
type knownList struct {
	name      string // of the file
	community string // alias; "" for a file
	lines     bool   // references hold a line and a title, not the id of an object
}

type patternKey struct {
	object [16]byte
	list   uint32
}

// KnownPattern is a STIX pattern that is more than values, or a Sigma rule that somebody shared, with whose it is. One of
// the two is set.
type KnownPattern struct {
	Pattern               *pattern.Pattern
	Sigma                 *sigma.Collection
	ID, Title             string
	ValidFrom, ValidUntil time.Time
	Level                 Level
	Why                   string
	Origin                Origin
}

type pathOrigin struct {
	expression *indicator.PathExpression
	list       uint32
	line       int
	confidence uint8
}

// NewKnowledge knows nothing, and gates nothing but what gate does; nil gates nothing.
func NewKnowledge(gate *indicator.Gate) *Knowledge {
	if gate == nil {
		gate = indicator.NewGate()
	}
	return &Knowledge{Table: indicator.NewTable(), Gate: gate, listNo: map[string]uint32{}, paths: &indicator.PathTable{},
		patterns: map[patternKey]*KnownPattern{}, titles: newTitles()}
}

// Len is how many values, expressions and patterns there are.
func (k *Knowledge) Len() int {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.Table.Len() + k.paths.Len() + len(k.patterns)
}

// Patterns lists the patterns that are in force, in the order of their ids, and the number of this state of them, by
// which a reader sees when to ask again; see [Knowledge.PatternsVersion].
func (k *Knowledge) Patterns() ([]*KnownPattern, uint64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.known(func(p *KnownPattern) bool { return p.Pattern != nil }), k.version.Load()
}

// SharedRules lists the Sigma rules that came as indicators and are in force, as [Knowledge.Patterns] lists patterns.
func (k *Knowledge) SharedRules() ([]*KnownPattern, uint64) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.known(func(p *KnownPattern) bool { return p.Sigma != nil }), k.rulesVersion.Load()
}

// known lists the patterns that are wanted, in the order of their ids. k.mu is held.
func (k *Knowledge) known(wanted func(*KnownPattern) bool) []*KnownPattern {
	all := make([]*KnownPattern, 0, len(k.patterns))
	for _, p := range k.patterns {
		if wanted(p) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *KnownPattern) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Origin.Community, b.Origin.Community), cmp.Compare(a.Origin.List, b.Origin.List))
	})
	return all
}

// PatternsVersion rises with every change of the patterns.
func (k *Knowledge) PatternsVersion() uint64 { return k.version.Load() }

// listNumber is the number of a list, which is made when it is new.
func (k *Knowledge) listNumber(key string, l knownList) uint32 {
	k.mu.Lock()
	defer k.mu.Unlock()
	no, ok := k.listNo[key]
	if !ok {
		no = uint32(len(k.lists))
		k.listNo[key] = no
		k.lists = append(k.lists, l)
	} else {
		k.lists[no] = l
	}
	return no
}

func (k *Knowledge) setPattern(object [16]byte, no uint32, p *KnownPattern) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := patternKey{object, no}
	k.changed(k.patterns[key])
	k.patterns[key] = p
	k.changed(p)
}

// changed counts a change of p, which may be nil. k.mu is held.
func (k *Knowledge) changed(p *KnownPattern) {
	switch {
	case p == nil:
	case p.Sigma != nil:
		k.rulesVersion.Add(1)
	default:
		k.version.Add(1)
	}
}

func (k *Knowledge) dropPatterns(drop func(patternKey) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, p := range k.patterns {
		if drop(key) {
			delete(k.patterns, key)
			k.changed(p)
		}
	}
}

func (k *Knowledge) dropPattern(object [16]byte, no uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := patternKey{object, no}
	k.changed(k.patterns[key])
	delete(k.patterns, key)
}

// Hit is a value in an event that somebody knows of.
type Hit struct {
	Kind  indicator.Kind // of the entry; "" for an expression over a path
	Value string         // what stands in the event, in the form that was looked up
	Entry string         // the indicator: the value, the name above it, the network around it, the expression
	Field event.Name
	ID    string // of the STIX object, or the list and the line
	Title string
	Level Level
	Why   string
	// Gate names the warning list that says that the value means nothing; "" when none does. A gated hit is no finding:
	// it is told apart only so that it can be counted and shown.
	Gate                  string
	Confidence            uint8
	ValidFrom, ValidUntil time.Time
	Origin                Origin
}

// IndicatorMatcher matches events against a knowledge. One goroutine uses it at a time.
type IndicatorMatcher struct {
	k     *Knowledge
	o     *Observer
	at    time.Time
	timed bool
	ev    *event.Event
	found []indicator.Found
	paths []int
	room  []byte
	hits  []Hit
	match func(kind indicator.Kind, value []byte, field event.Name)
}

// NewMatcher makes a matcher.
func (k *Knowledge) NewMatcher() *IndicatorMatcher {
	m := &IndicatorMatcher{k: k, o: NewObserver()}
	m.match = m.look
	return m
}

// Match is what is known of the values of an event, each indicator once for each value: what was valid when the event
// happened, and gated hits marked as such. The hits hold until the next call. It costs no memory when nothing is known.
func (m *IndicatorMatcher) Match(ev *event.Event) []Hit {
	m.hits, m.timed, m.ev = m.hits[:0], false, ev
	m.o.Observe(ev, m.match)
	m.ev = nil
	return m.hits
}

// Match is [IndicatorMatcher.Match] for one event by itself.
func (k *Knowledge) Match(ev *event.Event) []Hit { return k.NewMatcher().Match(ev) }

// time is when the event happened, read only for events that hit something.
func (m *IndicatorMatcher) time() time.Time {
	if !m.timed {
		m.at, m.timed = m.ev.Time(), true
	}
	return m.at
}

func (m *IndicatorMatcher) look(kind indicator.Kind, value []byte, field event.Name) {
	if kind == "" {
		m.lookPath(value, field)
		return
	}
	m.found = m.k.Table.Lookup(m.found[:0], kind, value)
	for i := range m.found {
		f := &m.found[i]
		if f.ValidAt(m.time()) {
			m.hit(kind, value, field, f)
		}
	}
}

func (m *IndicatorMatcher) hit(kind indicator.Kind, value []byte, field event.Name, f *indicator.Found) {
	entry := value[f.From:]
	h := Hit{Kind: f.Kind, Field: field, Confidence: f.Confidence, ValidFrom: f.ValidFrom, ValidUntil: f.ValidUntil}
	if f.Kind == indicator.CIDR && f.Network.IsValid() {
		entry = []byte(f.Network.String())
	}
	h.Value, h.Entry = string(value), string(entry)
	m.k.describe(&h, f)
	if slices.ContainsFunc(m.hits, func(have Hit) bool {
		return have.Entry == h.Entry && have.Value == h.Value && have.Origin.Community == h.Origin.Community &&
			(have.ID == h.ID || h.Origin.Object == "" && have.Origin.List == h.Origin.List) // a list may name a value twice
	}) {
		return
	}
	h.Level, h.Why = severity(f.Kind, f.Confidence)
	check := m.k.Gate.CheckKey
	if h.Origin.Community == "" {
		check = m.k.Gate.CheckOwn
	}
	if list, gated := check(kind, value); gated {
		h.Gate = list
	} else if f.From > 0 || f.Kind != kind {
		h.Gate, _ = check(f.Kind, entry)
	}
	m.hits = append(m.hits, h)
}

func (m *IndicatorMatcher) lookPath(value []byte, field event.Name) {
	if cap(m.room) < len(value) {
		m.room = make([]byte, 0, 2*len(value))
	}
	m.k.mu.RLock()
	defer m.k.mu.RUnlock()
	m.paths = m.k.paths.Lookup(m.paths[:0], value, m.room)
	for _, no := range m.paths {
		from := m.k.pathOf[no]
		h := Hit{Value: string(value), Entry: from.expression.Text, Field: field, Confidence: from.confidence}
		l := m.k.lists[from.list]
		h.ID = l.name + ":" + strconv.Itoa(from.line)
		h.Title = "a path that " + l.name + " describes"
		h.Origin = Origin{List: l.name}
		h.Level, h.Why = severity(indicator.Filename, from.confidence)
		if slices.ContainsFunc(m.hits, func(have Hit) bool { return have.ID == h.ID && have.Value == h.Value }) {
			continue
		}
		m.hits = append(m.hits, h)
	}
}

// describe says whose knowledge a reference is.
func (k *Knowledge) describe(h *Hit, f *indicator.Found) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	l := k.lists[f.List]
	h.Origin = Origin{Level: f.Marking, PAP: f.PAP, List: l.name, Community: l.community}
	if l.lines {
		line, title := k.titles.ofLine(f.Object)
		h.ID = l.name + ":" + strconv.Itoa(line)
		h.Title = title
	} else {
		h.ID = idOf(f.Object)
		h.Origin.Object = h.ID
		h.Title = k.titles.ofObject(f.Object)
	}
	if h.Title == "" {
		h.Title = fmt.Sprintf("%s %s", f.Kind, h.Entry)
	}
}

// idOf is the id of the indicator object with a UUID.
func idOf(u [16]byte) string {
	t := hex.EncodeToString(u[:])
	return "indicator--" + t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:]
}

var levels = [...]Level{Informational, Low, Medium, High, Critical}

// kindWeight says how much a hit on a kind of value means by itself: an index into levels, and the reason in words.
func kindWeight(kind indicator.Kind) (weight int, why string) {
	switch kind {
	case indicator.MD5, indicator.SHA1, indicator.SHA256, indicator.SHA512:
		return 3, "a hash names exactly one file"
	case indicator.CertHash, indicator.CertSerial:
		return 3, "a certificate belongs to one holder"
	case indicator.URL, indicator.Mutex:
		return 3, "hardly anything harmless has this exact value"
	case indicator.Domain, indicator.Email:
		return 2, "a name may be used by others too"
	case indicator.IPv4, indicator.IPv6:
		return 2, "an address may be shared or change hands"
	case indicator.CIDR:
		return 1, "a network holds many that are innocent"
	case indicator.Filename, indicator.RegistryKey:
		return 1, "harmless things can have the same name"
	case "":
		return 2, "the pattern describes more than one value"
	}
	return 1, "many programs share such a fingerprint"
}

// severity is how severe a hit on a kind is at a confidence, and why, in words.
func severity(kind indicator.Kind, confidence uint8) (Level, string) {
	weight, why := kindWeight(kind)
	switch {
	case confidence == indicator.NoConfidence:
		why += "; no confidence is stated"
	case confidence >= 80:
		weight++
		why += fmt.Sprintf("; the indicator's confidence is %d, which raises it by one step", confidence)
	case confidence < 30:
		weight--
		why += fmt.Sprintf("; the indicator's confidence is only %d, which lowers it by one step", confidence)
	default:
		why += fmt.Sprintf("; the indicator's confidence is %d", confidence)
	}
	return levels[min(max(weight, 0), len(levels)-1)], why
}
