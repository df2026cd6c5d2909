package screen

import (
	"fmt"
	"strings"

	"github.com/polder-exchange/polder"
)

// Remark is what the node itself says of a review, in parts, so that a page says it in its reader's language. The zero
// value says nothing.
type Remark struct {
	Kind    RemarkKind `json:"kind,omitempty"`
	Party   []string   `json:"party,omitempty"`   // what of the party changed
	Listing []string   `json:"listing,omitempty"` // what of the listing changed
	Since   string     `json:"since,omitempty"`   // the date of the list before
	Unmet   bool       `json:"unmet,omitempty"`   // they no longer meet
	List    string     `json:"list,omitempty"`
	Date    string     `json:"date,omitempty"` // of that list
}

// RemarkKind is what a remark tells.
type RemarkKind string

// The kinds of remarks.
const (
	RemarkChanged   RemarkKind = "changed"   // the party or the listing did
	RemarkMet       RemarkKind = "met"       // it is met again
	RemarkRelisted  RemarkKind = "relisted"  // the listing is on its list again
	RemarkUnlisted  RemarkKind = "unlisted"  // it is no longer
	RemarkForgotten RemarkKind = "forgotten" // the party is no longer known
	RemarkDisagree  RemarkKind = "disagree"  // two people do
)

// String is the remark in English, as the record and the API have it.
func (m Remark) String() string {
	switch m.Kind {
	case RemarkChanged:
		return m.changes()
	case RemarkMet:
		return "it is met again"
	case RemarkRelisted:
		return "the listing is on its list again"
	case RemarkUnlisted:
		if m.Date == "" {
			return "no longer listed"
		}
		return "no longer listed on " + m.List + " of " + m.Date
	case RemarkForgotten:
		return "the party is no longer known"
	case RemarkDisagree:
		return "two people disagree; talk, then decide again"
	}
	return ""
}

func (m Remark) changes() string {
	var said []string
	if len(m.Party) > 0 {
		said = append(said, "the party changed: "+strings.Join(m.Party, ", "))
	}
	if len(m.Listing) > 0 {
		said = append(said, fmt.Sprintf("the listing changed since %s: %s", m.Since, strings.Join(m.Listing, ", ")))
	}
	if len(said) == 0 {
		said = append(said, "the party or the listing changed")
	}
	if m.Unmet {
		said = append(said, "they no longer meet at the threshold")
	}
	return strings.Join(said, "; ")
}

// remark puts what the node says of a review into it.
func (r Review) remark(m Remark) Review {
	r.Told, r.Note = m, m.String()
	return r
}

// refusal is why somebody may not decide, by its key, so that a page says it in its reader's language.
type refusal struct {
	error
	key  string
	told Remark
}

func (f *refusal) Unwrap() error { return f.error }

// refuse is an error with a key.
func refuse(key string, told Remark, kind polder.Kind, format string, args ...any) error {
	return &refusal{polder.Errorf(kind, format, args...), key, told}
}
