package detect

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// Levels are the levels of findings, from the least.
var Levels = []Level{Informational, Low, Medium, High, Critical}

// rank orders levels; one that is unknown or not said counts as informational.
func (l Level) rank() int { return max(0, slices.Index(Levels, l)) }

// levelAt is the level of a rank.
func levelAt(rank int) Level { return Levels[min(max(rank, 0), len(Levels)-1)] }

// ParseLevel reads a level by its name.
func ParseLevel(s string) (Level, error) {
	if l := Level(s); slices.Contains(Levels, l) {
		return l, nil
	}
	return "", polder.Errorf(polder.Invalid, "level: %.40q is unknown; use informational, low, medium, high or critical", s)
}

// Kinds are the kinds of findings.
var Kinds = []Kind{ByRule, ByIndicator, ByPattern, ByCorrelation}

// State is how far people are with a group of alerts.
type State string

// The states. A group begins as new, or as suppressed when a suppression met its first alert.
const (
	StateNew        State = "new"
	StateInWork     State = "in-work"
	StateConfirmed  State = "confirmed"
	StateFalse      State = "false"
	StateClosed     State = "closed"
	StateSuppressed State = "suppressed"
)

// States lists them in the order in which people meet them.
var States = []State{StateNew, StateInWork, StateConfirmed, StateFalse, StateClosed, StateSuppressed}

// open tells whether further alerts may join: what was decided as false or closed is over, and what comes after it is
// news.
func (s State) open() bool { return s != StateFalse && s != StateClosed }

// decidable are the states that a person may give.
func (s State) decidable() bool { return slices.Contains(States, s) && s != StateSuppressed }

// Alert is a finding as it is kept: once, however often its events are judged.
type Alert struct {
	ID       string    // hash of the organisation, the rule and the events
	Time     time.Time // of the event, by its own word; when it was taken in where it does not say
	Received time.Time
	File     string
	Event    int
	Evidence []Evidence
	Events   [][]byte // bounded; empty beyond the first alerts of a large group
	Cut      bool     // some bytes of the events were left out
}

// Group is several alerts of one rule about one host and account, close in time: what a person works at.
type Group struct {
	N     int64  // rises over the node with each new group; never shown, since it tells of others
	Seq   int64  // rises with each new group of the organisation
	ID    string // the id of its first alert
	Org   polder.OrgID
	Kind  Kind
	Rule  string
	Title string
	Level Level
	Why   string
	Host  string
	// Account is the person's account that the events name, if any.
	Account string
	Origin  Origin

	Count       int
	First, Last time.Time
	Made        time.Time

	State       State
	Suppression string // the id of the suppression that met it; empty for none
	By          string // who gave the state last; empty when nobody has
	Reason      string
	Changed     time.Time

	Sighting  string // the id of the sighting that was shared of it
	Sighted   int    // how many alerts that sighting counts
	SightedAt time.Time
}

// Bounds of what is kept of an alert.
const (
	maxScopes    = 1000      // groups that one rule opens in a day; what is beyond stands in one, whatever its host
	maxDetailed  = 50        // alerts of a group that keep their events
	maxEventSize = 64 << 10  // bytes of one event
	maxEvents    = 256 << 10 // bytes of all events of an alert
	maxEvidence  = 50        // fields of an alert
	maxText      = 4 << 10   // bytes of a title, a value, a reason
)

// Grouping says when alerts of one rule, host and account belong together. The zero value is [DefaultGrouping].
type Grouping struct {
	Gap  time.Duration // the longest time between two neighbours
	Span time.Duration // the longest time between the first and the last
}

// DefaultGrouping is what is used when nothing is said.
var DefaultGrouping = Grouping{Gap: time.Hour, Span: 24 * time.Hour}

// takes tells whether an alert at a time joins a group that reaches from first to last.
func (w Grouping) takes(first, last, at time.Time) bool {
	if at.Before(first) {
		return first.Sub(at) <= w.Gap && last.Sub(at) <= w.Span
	}
	return at.Sub(last) <= w.Gap && at.Sub(first) <= w.Span
}

// alertID is the id of a finding of an organisation: the same rule and the same events give the same id, on every
// node and at every start.
func alertID(org polder.OrgID, f Finding) string {
	h := sha256.New()
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	for _, s := range []string{"polder alert 1", string(org), string(f.Kind), f.ID} {
		put([]byte(s))
	}
	for _, e := range f.Events {
		put(e)
	}
	if len(f.Events) == 0 { // nothing but the place tells it apart
		put([]byte(f.File))
		put(binary.BigEndian.AppendUint64(nil, uint64(f.Event)))
		put(binary.BigEndian.AppendUint64(nil, uint64(f.Time.UnixMicro())))
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// scopeKey is what alerts of one rule are grouped by: the same host and account, however they are written.
func scopeKey(host, account string) string {
	return strings.ToLower(host) + "\x00" + strings.ToLower(account)
}

// alertOf is the finding as it is kept.
func alertOf(org polder.OrgID, f Finding, received time.Time) Alert {
	a := Alert{ID: alertID(org, f), Time: f.Time, Received: received, File: clipped(f.File, maxText), Event: f.Event}
	if !plausible(a.Time) {
		a.Time = received
	}
	for _, e := range f.Evidence[:min(len(f.Evidence), maxEvidence)] {
		a.Evidence = append(a.Evidence, Evidence{clipped(e.Field, maxText), clipped(e.Value, maxText)})
	}
	left := maxEvents
	for i, e := range f.Events {
		if i == MaxEvents || left == 0 {
			a.Cut = true
			break
		}
		n := min(len(e), maxEventSize, left)
		a.Cut = a.Cut || n < len(e)
		left -= n
		a.Events = append(a.Events, slices.Clone(e[:n]))
	}
	return a
}

// plausible tells whether a time can be kept and compared: a log may say anything.
func plausible(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 2200 }

// clipped is at most n bytes of s, cut between characters.
func clipped(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// packEvents writes events one after the other, each after its length.
func packEvents(events [][]byte) []byte {
	var b []byte
	for _, e := range events {
		b = binary.AppendUvarint(b, uint64(len(e)))
		b = append(b, e...)
	}
	return b
}

// unpackEvents reads what packEvents wrote, as far as it is whole.
func unpackEvents(b []byte) (out [][]byte) {
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return out
		}
		out = append(out, b[size:size+int(n)])
		b = b[size+int(n):]
	}
	return out
}

// nextSteps are the keys of what a person does next, the most urgent first.
func nextSteps(g Group) []string {
	var out []string
	switch {
	case g.State == StateFalse || g.State == StateClosed || g.State == StateSuppressed:
		return nil
	case g.Level.rank() >= High.rank():
		out = append(out, "isolate")
	}
	switch g.Kind {
	case ByIndicator, ByPattern:
		out = append(out, "who-else", "harmless")
	case ByCorrelation:
		out = append(out, "order", "account")
	default:
		out = append(out, "expected", "account")
	}
	out = append(out, "keep")
	switch {
	case g.State == StateConfirmed && g.Origin.Object != "" && g.Sighting == "":
		out = append(out, "sighting")
	case g.State != StateConfirmed:
		out = append(out, "decide")
	}
	return out
}
