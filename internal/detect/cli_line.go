package detect

import (
	"time"

	"github.com/polder-exchange/polder/stix"
)

// line is a finding as `detect --json` and `hunt --json` print it, one a line.
type line struct {
	Kind     Kind       `json:"kind"`
	ID       string     `json:"id"`
	Title    string     `json:"title"`
	Level    Level      `json:"level"`
	File     string     `json:"file"`
	Event    int        `json:"event"`
	Time     *time.Time `json:"time"` // null when the event does not say
	Evidence []Evidence `json:"evidence"`

	Why        string   `json:"why,omitempty"`
	Advice     string   `json:"advice,omitempty"`
	Host       string   `json:"host,omitempty"`
	Account    string   `json:"account,omitempty"`
	Author     string   `json:"author,omitempty"`
	License    string   `json:"license,omitempty"`
	References []string `json:"references,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	List       string   `json:"list,omitempty"`
	Object     string   `json:"object,omitempty"`
	Community  string   `json:"community,omitempty"`
	TLP        string   `json:"tlp,omitempty"`
	PAP        string   `json:"pap,omitempty"`
}

func (f *Finding) line() line {
	l := line{
		Kind: f.Kind, ID: f.ID, Title: f.Title, Level: f.Level, File: f.File, Event: f.Event, Evidence: f.Evidence,
		Why: f.Why, Advice: f.Advice, Host: f.Host, Account: f.Account,
		Author: f.Origin.Author, License: f.Origin.License, References: f.Origin.References, Tags: f.Origin.Tags,
		List: f.Origin.List, Object: f.Origin.Object, Community: f.Origin.Community, TLP: f.Origin.Level.String(),
	}
	if f.Origin.PAP != stix.PAPNone {
		l.PAP = f.Origin.PAP.String()
	}
	if !f.Time.IsZero() {
		t := f.Time.UTC()
		l.Time = &t
	}
	if l.Evidence == nil {
		l.Evidence = []Evidence{}
	}
	return l
}
