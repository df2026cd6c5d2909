package sigma

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/polder-exchange/polder/event"
)

// Ref is the caller's own number for an event, by which it finds the event again. Different events have different ones.
type Ref uint64

// CorrelatorOptions bound what a [Correlator] remembers. The zero value is ready to use.
type CorrelatorOptions struct {
	// MaxGroups is how many groups each correlation remembers; the one that was longest without an event is forgotten
	// first. Default 50,000.
	MaxGroups int
	// MaxEventsPerGroup is how many events each group remembers; the oldest are forgotten first. Default 10,000, and
	// never less than a correlation's own threshold needs.
	MaxEventsPerGroup int
	// MaxEvents is how many events all groups together remember. Default 1,000,000, which is about 100 MB.
	MaxEvents int
	// Grace is how much older than the newest event of its group an event may be beyond the timespan and still be put
	// in its place. For files that were written one beside the other, and are read one after the other, it is as long
	// as the files are: Forever. Default five minutes; negative is none.
	Grace time.Duration
	// Now is the clock of a stream of events as they happen: an event that says it is of later than now and Grace is
	// taken to be of now, so that one wrong clock does not move the time of all. Nil believes every event, as is right
	// for files.
	Now func() time.Time
}

// Forever is a grace that forgets nothing for being old.
const Forever = 100 * 365 * 24 * time.Hour

// maxThreshold is the largest number of events or values that a correlation may ask for in one window.
const maxThreshold = 1_000_000

// MaxRefs is how many events a [Correlated] names at most.
const MaxRefs = 20

// Correlated is a match of a correlation.
type Correlated struct {
	Correlation *Correlation
	// Group is what the events have in common: the fields of group-by and their values.
	Group []GroupValue
	// From and Time are the times of the first and the last event of the window. The last is the one at which the
	// correlation matched, or with which its window closed.
	From, Time time.Time
	// Refs name the events that made it, the oldest first, at most MaxRefs: of the temporal types one of each rule, of
	// a count of values one of each value, otherwise the last ones.
	Refs []Ref
	// Events is how many events the window held, and Number what was compared: their count, the count of values, of
	// rules, the sum, the mean, the percentile; of shares how many values have such a share.
	Events int
	Number float64
	// Values are the values with such a share, of a value_percentile without a percentile; at most MaxRefs.
	Values []string
}

// GroupValue is a field of group-by and its value, as first seen.
type GroupValue struct{ Field, Value string }

// Dropped counts what a [Correlator] could not take into account.
type Dropped struct {
	Late      uint64 // events older than grace allows
	Events    uint64 // events forgotten because their group, or all groups together, had too many
	Groups    uint64 // groups forgotten because there were too many
	Unusable  uint64 // events without a field of group-by or of the condition, or with a text where a number is needed
	Evidence  uint64 // matches of rules that were not named in Refs because there were more than MaxRefs
	Ahead     uint64 // events of a time that had not come yet, by Now, which are taken to be of now
	Timeless  uint64 // events without a time, which are taken to be as late as the newest one before
	Repeating uint64 // matches held back because the group had already fired within the timespan
}

// Correlator runs the correlations of a collection over the matches of its rules. It is for one goroutine.
//
// Time is that of the events. Windows slide: two events are together when they are at most the timespan apart, and a
// window is looked at whenever an event ends it. An event may come out of order, as far as Grace says.
//
// A correlation with lower bounds alone (gt, gte), a temporal one, and an ordered one fire at the event that makes them
// true. What a later event could undo is judged when its window is over, that is when an event more than timespan and
// grace later has come, or at [Correlator.Flush]: upper bounds, equality, means, percentiles over windows that follow
// one on the other, each beginning with an event; and "a and not b" around each event of a, with no b for a timespan
// before and after.
//
// A group that fired fires again only at an event more than a timespan later, so that no event is in two matches of one
// correlation and an attack that goes on is one match per timespan.
//
// Group values and counted values are compared without regard to case, as Sigma compares. An event without one of the
// group-by fields takes no part. Of a list the first value counts.
//
// An event in order costs the same however many are remembered. One that comes late costs at most as much as looking
// once at every event of its group.
type Correlator struct {
	o       CorrelatorOptions
	plans   []*plan
	uses    map[*Rule][]use
	silent  map[*Rule]bool
	slots   slotTable
	latest  int64 // newest event time, microseconds
	begun   bool
	events  int // remembered, over all groups
	due     dueHeap
	dropped Dropped
}

// NewCorrelator prepares the correlations of a collection.
func NewCorrelator(c *Collection, o CorrelatorOptions) (*Correlator, error) {
	setDefault(&o.MaxGroups, 50_000)
	setDefault(&o.MaxEventsPerGroup, 10_000)
	setDefault(&o.MaxEvents, 1_000_000)
	switch {
	case o.Grace == 0:
		o.Grace = 5 * time.Minute
	case o.Grace < 0:
		o.Grace = 0
	}
	o.Grace = min(o.Grace, Forever)
	r := &Correlator{o: o, uses: map[*Rule][]use{}, silent: map[*Rule]bool{}, slots: newSlotTable()}
	if err := r.plan(c); err != nil {
		return nil, fmt.Errorf("prepare correlations: %w", err)
	}
	return r, nil
}

func setDefault(n *int, to int) {
	if *n <= 0 {
		*n = to
	}
}

// Wants says whether matches of the rule must be given to Observe.
func (c *Correlator) Wants(r *Rule) bool { return len(c.uses[r]) > 0 }

// Alone says whether a match of the rule is a finding by itself. A rule that a correlation is about is not, unless a
// correlation about it says generate.
func (c *Correlator) Alone(r *Rule) bool { return !c.silent[r] }

// Observe takes a match of a rule into account and returns the correlations that it completes, and those whose windows
// are over by its time. The event is not kept.
func (c *Correlator) Observe(rule *Rule, ev *event.Event, ref Ref) []Correlated {
	uses := c.uses[rule]
	if len(uses) == 0 {
		return nil
	}
	return c.observe(uses, ev, ref, ev.Time())
}

func (c *Correlator) observe(uses []use, ev *event.Event, ref Ref, t time.Time) []Correlated {
	var out []Correlated
	at := c.believed(t)
	if t.IsZero() {
		at = c.latest
		c.dropped.Timeless++
	}
	c.advance(at, &out)
	c.slots.read(ev)
	for _, u := range uses {
		c.feed(u, entry{at: at, ref: ref, rule: u.rule}, c.slots.value, &out)
	}
	return out
}

// Advance says that the time of events has come to t, with no match, and returns the correlations whose windows are
// over by then. Without it such a window waits for the next match of any rule that Wants names.
func (c *Correlator) Advance(t time.Time) []Correlated {
	var out []Correlated
	if !t.IsZero() {
		c.advance(c.believed(t), &out)
	}
	return out
}

// believed is the time an event says, or now when that has not come yet.
func (c *Correlator) believed(t time.Time) int64 {
	at := t.UnixMicro()
	if c.o.Now == nil {
		return at
	}
	now := c.o.Now().UnixMicro()
	if at <= now+c.o.Grace.Microseconds() {
		return at
	}
	c.dropped.Ahead++
	return now
}

// Flush judges every window that is still open as if no event would come any more: at the end of a file.
func (c *Correlator) Flush() []Correlated {
	var out []Correlated
	for len(c.due) > 0 {
		c.close(c.due[0], &out)
	}
	return out
}

// Remember says that a match of the correlation with this id, for this group, was told before, when the process starts
// anew and gives the events since [Correlator.Horizon] again: it is not told a second time, nor one like it within a
// timespan. Correlations about it see it all the same. False when there is no such correlation or group.
func (c *Correlator) Remember(id string, group []GroupValue, at time.Time) bool {
	for _, p := range c.plans {
		if p.c.ID != id || len(group) != len(p.c.GroupBy) {
			continue
		}
		key, values, _ := groupKey(p.groupSlots, func(slot int) (string, bool) {
			return group[slices.Index(p.groupSlots, slot)].Value, true
		})
		g := p.groups[key]
		if g == nil {
			c.makeRoom(p, true)
			g = c.newGroup(p, key, values)
		}
		p.touch(g, max(c.latest, at.UnixMicro()))
		g.told = append(g.told, at.UnixMicro())
		return true
	}
	return false
}

// Horizon is the time from which events must be seen again to come to the same state: no older one matters to any
// window. It is zero before the first event.
func (c *Correlator) Horizon() time.Time {
	if !c.begun {
		return time.Time{}
	}
	reach := int64(0)
	for _, p := range c.plans {
		reach = max(reach, p.reach)
	}
	return time.UnixMicro(c.latest - reach).UTC()
}

// Dropped is what could not be taken into account so far.
func (c *Correlator) Dropped() Dropped { return c.dropped }

// Size is how many groups and events are remembered.
func (c *Correlator) Size() (groups, events int) {
	for _, p := range c.plans {
		groups += len(p.groups)
	}
	return groups, c.events
}

func (c *Correlator) advance(at int64, out *[]Correlated) {
	if c.begun && at <= c.latest {
		return
	}
	c.latest, c.begun = at, true
	for len(c.due) > 0 && c.due[0].deadline < at {
		c.close(c.due[0], out)
	}
}

// feed gives one match, of a rule or of a correlation, to the correlation that is about it.
func (c *Correlator) feed(u use, e entry, look func(slot int) (string, bool), out *[]Correlated) {
	p := u.plan
	child := e.extra != nil
	key, values, ok := groupKey(u.group, look)
	if ok {
		ok = p.fill(&e, u, look)
	}
	if !ok {
		c.dropped.Unusable++
		return
	}
	c.makeRoom(p, p.groups[key] == nil)
	g := p.groups[key]
	if g == nil {
		g = c.newGroup(p, key, values)
	}
	p.touch(g, c.latest)
	if !p.temporal && !child && g.used && g.lastRef == e.ref && g.lastAt == e.at {
		return // the same event by another rule of this correlation
	}
	if g.late(e.at) {
		c.dropped.Late++
		return
	}
	g.used, g.lastRef, g.lastAt = true, e.ref, e.at
	c.events++
	if p.deferred {
		c.enqueue(g, e)
	} else {
		c.judge(g, e, out)
	}
	c.trim(g)
}

// fire makes a match known: to the caller if it stands alone, and to the correlations that are about it.
func (c *Correlator) fire(g *group, m match, out *[]Correlated) {
	p := g.plan
	refs, left := m.refs()
	c.dropped.Evidence += uint64(left)
	if p.alone && !g.known(&m) {
		done := Correlated{Correlation: p.c, Group: make([]GroupValue, len(p.c.GroupBy)), Refs: refs, Events: m.events,
			Number: m.number, Values: m.values, From: time.UnixMicro(m.from).UTC(), Time: time.UnixMicro(m.anchor.at).UTC()}
		for i, f := range p.c.GroupBy {
			done.Group[i] = GroupValue{f, g.values[i]}
		}
		*out = append(*out, done)
	}
	for _, u := range p.parents {
		c.feed(u, entry{at: m.anchor.at, ref: m.anchor.ref, rule: u.rule, extra: &extra{more: refs}}, func(slot int) (string, bool) {
			for i, s := range p.groupSlots {
				if s == slot {
					return g.values[i], true
				}
			}
			for i, s := range p.up {
				if s == slot && m.anchor.up[i] != absent {
					return m.anchor.up[i], true
				}
			}
			return "", false
		}, out)
	}
}

// enqueue puts an event of a correlation that is judged later in its place.
func (c *Correlator) enqueue(g *group, e entry) {
	g.insert(e)
	g.reckon()
	if g.heapAt < 0 {
		heap.Push(&c.due, g)
	} else {
		heap.Fix(&c.due, g.heapAt)
	}
}

// dueHeap holds the groups with a window to judge, the earliest first.
type dueHeap []*group

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].deadline < h[j].deadline }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapAt, h[j].heapAt = i, j
}
func (h *dueHeap) Push(g any) {
	g.(*group).heapAt = len(*h)
	*h = append(*h, g.(*group))
}
func (h *dueHeap) Pop() any {
	g := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	g.heapAt = -1
	return g
}
