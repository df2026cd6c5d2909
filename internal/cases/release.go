package cases

import (
	"context"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// ReleaseAsk is what an officer lets out of a case, or of a report whose content was read where it may be read.
type ReleaseAsk struct {
	Case      CaseID         // what comes from a case; its items are chosen by id
	Items     []string       // ids of observables of the case
	Report    string         // what comes from a report; nothing of it but Values and Text is known here
	Values    []Observable   // values typed in, or chosen in the reader's browser
	Title     string         // of the note
	Text      string         // of the note; empty: no note
	Community string         // alias
	To        []polder.OrgID // none: every member
	Level     stix.Marking
	Named     bool   // names the organisation
	Confirmed bool   // the warnings were read
	Preview   bool   // nothing leaves
	Seen      string // the digest of the preview that was confirmed; where it is given and something has changed since, nothing leaves
}

// ReleaseAnswer says what left, or would leave.
type ReleaseAnswer struct {
	IDs      []string      `json:"ids"`
	Lines    []ReleaseLine `json:"lines"`   // each object as it leaves
	Readers  []string      `json:"readers"` // names of the organisations that will be able to read it
	Warnings []string      `json:"warnings"`
	Held     bool          `json:"held"`   // a warning must be confirmed first
	Digest   string        `json:"digest"` // of what leaves, at which level, to whom
	Left     bool          `json:"left"`   // it has left
}

// ReleaseLine is one object of a release.
type ReleaseLine struct {
	ID    string       `json:"id"`
	Type  string       `json:"type"`
	Says  string       `json:"says"` // what it is, in a line
	Level stix.Marking `json:"tlp"`
	Raw   string       `json:"raw"` // as it leaves
}

// ReleaseFrom shares what is safe, or shows what would leave. What leaves is noted in the case.
func (s *Service) ReleaseFrom(ctx context.Context, by polder.Actor, ask ReleaseAsk) (ReleaseAnswer, error) {
	return ReleaseAnswer{}, polder.Errorf(polder.Unavailable, "releases are being built")
}
