package deadline

import (
	"io/fs"
	"time"
)

// Packs are rules of the law, by regulation and jurisdiction. The zero value holds those that are in the package. Its
// methods may be called from any goroutine.
type Packs struct{ book *book }

// Pack is the rules of one act in one jurisdiction.
type Pack struct {
	ID           string            `yaml:"id"`           // "nis2-nl"
	Act          string            `yaml:"act"`          // "nis2": a pack of a country takes the place of the pack of the EU with the same act
	Regulation   string            `yaml:"regulation"`   // "NIS2 (Cbw)"
	Jurisdiction string            `yaml:"jurisdiction"` // "NL", "EU"
	Calendar     string            `yaml:"calendar"`     // of public holidays: "NL"; empty: that of the country asked about
	Zone         string            `yaml:"zone"`         // "Europe/Amsterdam"; empty: that of the country asked about
	Base         string            `yaml:"base"`         // id of a pack whose rules this one takes over
	Recipients   map[string]string `yaml:"recipients"`   // by rule id of the base: who gets it here
	Note         string            `yaml:"note"`
	Rules        []Rule            `yaml:"rules"`
}

// Rule is one duty.
type Rule struct {
	ID        string   `yaml:"id"`        // in a pack: "early-warning"; in answers with the pack before it: "nis2-nl/early-warning"
	What      string   `yaml:"what"`      // "early warning"
	WhatNL    string   `yaml:"what_nl"`   // the same in Dutch
	Article   string   `yaml:"article"`   // "art. 23(4)(a)"
	Sectors   []string `yaml:"sectors"`   // none: all
	Not       []string `yaml:"not"`       // sectors that it does not hold for
	Kinds     []string `yaml:"kinds"`     // "incident", "personal-data-breach", …
	Trigger   string   `yaml:"trigger"`   // "aware", an event ("classified"), or what another rule's report makes: "sent:notification"
	If        string   `yaml:"if"`        // the event without which there is no such duty: "ongoing"
	Delay     string   `yaml:"delay"`     // "24 hours", "1 month", "7 days", "5 working days", "without undue delay", "on request"
	Cap       *Cap     `yaml:"cap"`       // a second limit; the earlier of both counts
	Else      *Cap     `yaml:"else"`      // counts while the trigger has not happened
	Rest      string   `yaml:"rest"`      // what a day off at the end does: "1182" next working day, "noon" noon of it, "none" nothing
	RestNot   []string `yaml:"rest_not"`  // sectors for which Rest does nothing
	Form      string   `yaml:"form"`      // id of the form
	Recipient string   `yaml:"recipient"` // who gets it
	Status    string   `yaml:"status"`    // "in-force", "voluntary"
	Note      string   `yaml:"note"`      // what to know of it
	From      string   `yaml:"from"`      // first day that the rule holds
	To        string   `yaml:"to"`        // last day; empty: still
	Source    string   `yaml:"source"`    // where it is written: act, article, address
}

// Cap is a period with its own beginning.
type Cap struct {
	Trigger string `yaml:"trigger"`
	Delay   string `yaml:"delay"`
}

// Situation is what the rules are asked about.
type Situation struct {
	Jurisdiction string
	Sector       string
	Kind         string
	Aware        time.Time
	Events       map[string]time.Time // "sent:early-warning" and others, with the times they happened first
}

// Deadline is a duty with the time until which it is to be met.
type Deadline struct {
	ID           string // of the rule, with the pack before it: "nis2-nl/early-warning"
	Rule         Rule
	Regulation   string
	Jurisdiction string
	Start        time.Time // from when it is counted; zero while that is not known
	Due          time.Time // zero where the rule gives no time: without undue delay, on request
	Estimated    bool      // counted from the last moment of a report that was not sent yet
	Waits        string    // the event that it waits for; empty where it runs
	Hours        bool      // counted in hours by the clock, not in days
	Why          string    // how it was counted, in a sentence
}

// Term is a word that the rules know: a sector, a kind, a jurisdiction, an event.
type Term struct {
	ID      string   `yaml:"id"`
	EN      string   `yaml:"en"`
	NL      string   `yaml:"nl"`
	Aliases []string `yaml:"aliases"`
}

// Load reads packs from the *.yaml files of a folder, and refuses all when one is wrong.
func Load(files fs.FS) (Packs, error) { return Packs{}, nil }

// Due are the deadlines of a situation, the earliest first, those without a time last.
func (p Packs) Due(s Situation) ([]Deadline, error) { return nil, nil }

// Sectors are those that the rules tell apart.
func (p Packs) Sectors() []Term { return nil }

// Kinds are what can have happened.
func (p Packs) Kinds() []Term { return nil }

// Jurisdictions are the countries whose rules are known, and "EU".
func (p Packs) Jurisdictions() []Term { return nil }

// Events are what rules wait for.
func (p Packs) Events() []Term { return nil }

type book struct{}
