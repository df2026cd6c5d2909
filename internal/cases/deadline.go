package cases

import (
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// DeadlineState is how far a duty of a case is.
type DeadlineState string

// The states.
const (
	DeadlineDue     DeadlineState = "due"     // to be done; without a time as soon as can be
	DeadlineSent    DeadlineState = "sent"    // sent in time, or where there was no time
	DeadlineLate    DeadlineState = "late"    // not sent in time, or sent too late
	DeadlineExcused DeadlineState = "excused" // a person said why it need not be sent
	DeadlineWaits   DeadlineState = "waits"   // for an event, or until somebody asks for it
)

// CaseDeadline is a duty of a case.
type CaseDeadline struct {
	Case       CaseID          `json:"case"`
	CaseTitle  string          `json:"case_title"`
	Rule       string          `json:"rule"` // "nis2-nl/early-warning"
	Regulation string          `json:"regulation"`
	What       string          `json:"what"`
	WhatNL     string          `json:"what_nl"`
	Article    string          `json:"article"`
	Source     string          `json:"source"`
	Recipient  string          `json:"recipient"`
	Form       string          `json:"form,omitempty"`
	Delay      string          `json:"delay"`
	Status     string          `json:"status"` // in-force, voluntary, unconfirmed
	Note       string          `json:"note,omitempty"`
	Why        string          `json:"why"`
	Zone       string          `json:"zone"`            // of the jurisdiction: the day of a deadline is a day there
	Start      time.Time       `json:"start,omitzero"`  // from when it is counted
	Due        time.Time       `json:"due,omitzero"`    // none: no fixed time, or it waits
	Estimated  bool            `json:"estimated"`       // counted from the last moment of a report that was not sent yet
	Hours      bool            `json:"hours"`           // counted by the clock
	Waits      string          `json:"waits,omitempty"` // the event it waits for
	State      DeadlineState   `json:"state"`
	Sent       time.Time       `json:"sent,omitzero"`
	Reference  string          `json:"reference,omitempty"` // what the recipient gave back
	Reason     string          `json:"reason,omitempty"`    // of the excuse
	By         polder.PersonID `json:"by,omitempty"`        // who said so
	Gone       bool            `json:"gone,omitempty"`      // the rules no longer ask it; it stays because somebody said something of it
	Version    int             `json:"version"`             // a change names the one it saw

	late, fired time.Time
}

// Said is what the duty is called in a language.
func (d CaseDeadline) Said(lang string) string {
	return deadline.Rule{What: d.What, WhatNL: d.WhatNL}.Said(lang)
}

// Open tells whether something is still to be done, or may come.
func (d CaseDeadline) Open() bool {
	return !d.Gone && d.State != DeadlineExcused && d.Sent.IsZero()
}

// stateAt is the state of d at a moment, where mark is what a person said.
func (d CaseDeadline) stateAt(now time.Time, mark string) DeadlineState {
	switch {
	case mark == string(DeadlineExcused):
		return DeadlineExcused
	case mark == string(DeadlineSent) && !d.Due.IsZero() && d.Sent.After(d.Due):
		return DeadlineLate
	case mark == string(DeadlineSent):
		return DeadlineSent
	case d.Waits != "", d.Delay == "on request", d.Delay == "when you choose":
		return DeadlineWaits
	case !d.Due.IsZero() && (now.After(d.Due) || !d.late.IsZero()):
		return DeadlineLate
	}
	return DeadlineDue
}

// Used is how much of the time is used at a moment, from 0 to 1.
func (d CaseDeadline) Used(now time.Time) float64 {
	whole := d.Due.Sub(d.Start)
	if d.Due.IsZero() || whole <= 0 {
		return 0
	}
	return min(max(float64(now.Sub(d.Start))/float64(whole), 0), 1)
}

// DeadlineProfile says by which rules a case is counted.
type DeadlineProfile struct {
	Jurisdictions []string        `json:"jurisdictions"`
	Sectors       []string        `json:"sectors"`
	Kinds         []string        `json:"kinds"` // none: nothing is asked
	Serious       string          `json:"serious"`
	Proposed      bool            `json:"proposed"` // nobody has chosen it yet
	Changed       time.Time       `json:"changed"`
	By            polder.PersonID `json:"by,omitempty"`
	Version       int             `json:"version"`
}

// Bounds of a profile and of what is said of a case.
const (
	maxJurisdictions = 10
	maxProfileWords  = 30
	maxAwareChanges  = 200
	maxCaseEvents    = 200
	maxReference     = 300 // bytes
)

// check puts the words of a profile right, or says what is wrong.
func (p DeadlineProfile) check(packs deadline.Packs) (DeadlineProfile, error) {
	if len(p.Jurisdictions) == 0 || len(p.Jurisdictions) > maxJurisdictions {
		return p, polder.Errorf(polder.Invalid, "jurisdictions: name 1 to %d member states, or EU", maxJurisdictions)
	}
	if len(p.Sectors) > maxProfileWords || len(p.Kinds) > maxProfileWords {
		return p, polder.Errorf(polder.TooLarge, "sectors, kinds: at most %d each", maxProfileWords)
	}
	if len(p.Sectors) == 0 {
		p.Sectors = []string{"any"}
	}
	for _, list := range []struct {
		words *[]string
		find  func(string) (deadline.Term, error)
	}{{&p.Jurisdictions, packs.Jurisdiction}, {&p.Sectors, packs.Sector}, {&p.Kinds, packs.Kind}} {
		out := []string{}
		for _, w := range *list.words {
			t, err := list.find(w)
			if err != nil {
				return p, polder.Errorf(polder.Invalid, "%w", err)
			}
			out = append(out, t.ID)
		}
		slices.Sort(out)
		*list.words = slices.Compact(out)
	}
	if _, err := deadlineTribool(p.Serious); err != nil {
		return p, err
	}
	if p.Serious == "" {
		p.Serious = "unknown"
	}
	return p, nil
}

func deadlineTribool(s string) (deadline.Tribool, error) {
	switch s {
	case "yes":
		return deadline.Yes, nil
	case "no":
		return deadline.No, nil
	case "", "unknown":
		return deadline.Unknown, nil
	}
	return 0, polder.Errorf(polder.Invalid, "serious: %q is not known; use yes, no or unknown", clipCase(s, 40))
}

// AwareChange is when the organisation first knew, as somebody said it.
type AwareChange struct {
	At     time.Time       `json:"at"`
	Made   time.Time       `json:"made"`
	By     polder.PersonID `json:"by"`
	Reason string          `json:"reason"`
}

// CaseEvent is something that rules wait for.
type CaseEvent struct {
	N      int             `json:"n"`
	Name   string          `json:"name"`
	At     time.Time       `json:"at"`
	Made   time.Time       `json:"made"`
	By     polder.PersonID `json:"by"`
	Struck bool            `json:"struck"` // it does not count
	Reason string          `json:"reason,omitempty"`
}

// CaseDuties is what the law asks in a case.
type CaseDuties struct {
	Case      Case              `json:"-"`
	Access    Access            `json:"-"`
	Profile   DeadlineProfile   `json:"profile"`
	Aware     []AwareChange     `json:"aware"` // the oldest first; the last counts
	Events    []CaseEvent       `json:"events"`
	Deadlines []CaseDeadline    `json:"deadlines"` // the earliest first, those without a time last
	Not       []deadline.NoDuty `json:"not"`       // acts that ask nothing, and why
}

// DeadlineMoment is when somebody is reminded of a deadline.
type DeadlineMoment struct {
	Name   string        // "half", "last-quarter", "before", "after"
	Hours  bool          // of deadlines in hours; of the others else
	Part   float64       // of the time, used; 0: see Before
	Before time.Duration // before it is due; negative: after
}

// DeadlineMoments are the moments at which people are reminded, where a node names no others.
func DeadlineMoments() []DeadlineMoment {
	const day = 24 * time.Hour
	return []DeadlineMoment{
		{Name: "half", Hours: true, Part: 0.5}, {Name: "last-quarter", Hours: true, Part: 0.75}, {Name: "before", Hours: true, Before: 2 * time.Hour}, {Name: "over", Hours: true},
		{Name: "before", Before: 5 * day}, {Name: "before", Before: 2 * day}, {Name: "after", Before: -day},
	}
}

// at is when m is, for a deadline.
func (m DeadlineMoment) at(d CaseDeadline) time.Time {
	if m.Part > 0 {
		return d.Start.Add(time.Duration(m.Part * float64(d.Due.Sub(d.Start)))).Truncate(time.Microsecond)
	}
	return d.Due.Add(-m.Before)
}

// DeadlineReminder is what people are reminded of.
type DeadlineReminder struct {
	Key      string // the same reminder has the same key
	Org      polder.OrgID
	Case     CaseID
	Level    stix.Marking      // of the case: of one above GREEN nothing but that something is due belongs in a message
	People   []polder.PersonID // members of the case, of its organisation, who work on it
	Deadline CaseDeadline
	Moment   string // the name of the [DeadlineMoment]
}

// Reminder tells people. Remind is called in the transaction that notes that it was done, so each reminder is given once.
// It must be quick: what goes out goes out later. node plugs it in.
type Reminder interface {
	Remind(tx *db.Tx, r DeadlineReminder) error
}

// nextMoment is the first moment to look at d again after one, and the reminder that belongs to it; the moment at which it
// is over is always looked at. ok is false when there is none.
func nextMoment(moments []DeadlineMoment, d CaseDeadline, after time.Time) (at time.Time, m DeadlineMoment, ok bool) {
	if d.Due.IsZero() || d.Waits != "" || !d.Open() {
		return at, m, false
	}
	over := DeadlineMoment{}
	for _, one := range append(slices.Clone(moments), over) {
		if one.Hours != d.Hours && one.Name != "" {
			continue
		}
		t := one.at(d)
		if t.After(after) && !t.Before(d.Start) && (!ok || t.Before(at) || t.Equal(at) && m.Name == "") {
			at, m, ok = t, one, true
		}
	}
	return at, m, ok
}

// DeadlineMark is what a person says of a deadline.
type DeadlineMark struct {
	Version   int       `json:"version"`             // that was seen
	Sent      time.Time `json:"sent,omitzero"`       // none: now
	Reference string    `json:"reference,omitempty"` // what the recipient gave back
	Reason    string    `json:"reason,omitempty"`
}

// DeadlineFilter asks for deadlines of all cases.
type DeadlineFilter struct {
	Late  bool // only those that are over
	Until time.Time
	Limit int // 0: 100; at most 500
}

// DeadlinePage are deadlines of cases that somebody may see.
type DeadlinePage struct {
	Deadlines []CaseDeadline `json:"deadlines"`
	Open      int            `json:"open"` // all that are open, and may be seen
	Late      int            `json:"late"` // of them over
	More      bool           `json:"more"` // there are more than are listed
}
