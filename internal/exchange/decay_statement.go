package exchange

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Stance is what somebody says about an object by a sighting, an opinion or a note.
type Stance string

const (
	StanceSeen     Stance = "seen"           // a sighting
	StanceBlocked  Stance = "blocked"        // a sighting that says that it was put into a block list
	StanceFalse    Stance = "false-positive" // an opinion against it, a sighting of nothing (count 0), a note labelled so
	StanceAgrees   Stance = "agrees"
	StanceNeutral  Stance = "neutral"
	StanceRemarked Stance = "remarked" // a note, or an answer to a question
)

// BlockedExtension is the id of the property extension by which a sighting says that what was sighted is in a block list
// of whoever says so.
const BlockedExtension = "extension-definition--5b0f3c1d-72a9-4e16-8d4c-a1e6f09b37d2"

// Statement is one thing that an object says about another.
type Statement struct {
	About  string
	Stance Stance
	Count  int // of a sighting; at least 1
	At     time.Time
}

// maxStatements is about how many others one note or opinion is read as speaking.
const maxStatements = 100

// falseLabels are the labels that make a note say that something is a false positive.
var falseLabels = []string{"false-positive", "false positive", "false_positive", "falsepositive"}

// StatementsOf reads what a sighting, opinion or note says about other objects; none for every other type and for what
// is revoked. At is what it says itself; its reader holds it against the time when it came.
func StatementsOf(o stix.Object) (out []Statement) {
	if o.Revoked {
		return nil
	}
	at := o.Modified.Time
	if at.IsZero() {
		at = o.Created.Time
	}
	switch o.Type {
	case "sighting":
		return []Statement{sightingStatement(o, at)}
	case "opinion":
		stance := StanceNeutral
		switch text(o, "opinion") {
		case "agree", "strongly-agree":
			stance = StanceAgrees
		case "disagree", "strongly-disagree":
			stance = StanceFalse
		}
		return aboutEach(o, Statement{Stance: stance, Count: 1, At: at})
	case "note":
		stance := StanceRemarked
		if slices.ContainsFunc(texts(o, "labels"), func(l string) bool { return slices.Contains(falseLabels, strings.ToLower(strings.TrimSpace(l))) }) {
			stance = StanceFalse
		}
		return aboutEach(o, Statement{Stance: stance, Count: 1, At: at})
	}
	return nil
}

func sightingStatement(o stix.Object, at time.Time) Statement {
	s := Statement{About: o.SightingOfRef, Stance: StanceSeen, Count: 1, At: at}
	for _, name := range []string{"last_seen", "first_seen"} {
		if t, err := stix.ParseTimestamp(text(o, name)); err == nil {
			s.At = t.Time
			break
		}
	}
	if raw := o.Property("count"); raw != nil {
		s.Count = int(min(999_999_999, max(0, number(o, "count"))))
	}
	switch {
	case s.Count == 0:
		s.Stance, s.Count = StanceFalse, 1
	case saysBlocked(o):
		s.Stance = StanceBlocked
	}
	return s
}

func saysBlocked(o stix.Object) bool {
	var all map[string]json.RawMessage
	var said struct {
		Blocked bool `json:"blocked"`
	}
	return json.Unmarshal(o.Property("extensions"), &all) == nil && json.Unmarshal(all[BlockedExtension], &said) == nil && said.Blocked
}

func aboutEach(o stix.Object, s Statement) (out []Statement) {
	for _, id := range o.ObjectRefs[:min(len(o.ObjectRefs), maxStatements)] {
		s.About = id
		out = append(out, s)
	}
	return out
}

// Heard is the time of a statement as its reader counts it: what it says, and never later than when it came.
func (s Statement) Heard(d journal.Delivery) time.Time { return earlier(s.At, d.Seq.Time()) }
