package deadline

import "time"

// Packs are rules of the law, by regulation and jurisdiction. The zero value holds those that are in the package. Its
// methods may be called from any goroutine.
type Packs struct{ book *book }

// Pack is the rules of one act in one jurisdiction.
type Pack struct {
	ID           string            `yaml:"id"`           // "nis2-nl"
	Act          string            `yaml:"act"`          // "nis2": a pack of a country takes the place of the pack of the EU with the same act
	Regulation   string            `yaml:"regulation"`   // "NIS2 (Cbw)"
	Jurisdiction string            `yaml:"jurisdiction"` // "NL", "EU"
	Calendar     string            `yaml:"calendar"`     // of public holidays: "NL"; where a pack of the EU is used for a member state, that of the state counts
	Zone         string            `yaml:"zone"`         // "Europe/Amsterdam"; for a pack of the EU as with the calendar
	Base         string            `yaml:"base"`         // id of a pack whose rules this one takes over
	Recipients   map[string]string `yaml:"recipients"`   // by rule id of the base: who gets it here
	Note         string            `yaml:"note"`         // what to know of the pack as a whole
	States       []State           `yaml:"states"`       // how binding the pack was and is; they take the place of the rules' own from and to
	Rules        []Rule            `yaml:"rules"`        // with those of the base, once read
}

// State is how binding a pack is in a time.
type State struct {
	From   string `yaml:"from"`
	To     string `yaml:"to"`
	Status string `yaml:"status"`
	Note   string `yaml:"note"`
}

// How binding a rule is.
const (
	InForce     = "in-force"
	Voluntary   = "voluntary"
	Unconfirmed = "unconfirmed" // whether the national law is in force could not be established: act as if, and check
)

// Rule is one duty.
type Rule struct {
	ID        string   `yaml:"id"`        // in a pack: "early-warning"; with the pack before it in answers: "nis2-nl/early-warning"
	Report    string   `yaml:"report"`    // what "sent:" of other rules calls it; empty: the id
	What      string   `yaml:"what"`      // "early warning"
	WhatNL    string   `yaml:"what_nl"`   // the same in Dutch
	Article   string   `yaml:"article"`   // "art. 23(4)(a)"
	Sectors   []string `yaml:"sectors"`   // or groups of sectors; none: all
	Not       []string `yaml:"not"`       // sectors that it does not hold for
	Kinds     []string `yaml:"kinds"`     // "incident", "personal-data-breach", …
	Also      []Also   `yaml:"also"`      // other cases in which it holds
	Serious   bool     `yaml:"serious"`   // holds only for what is serious; what nobody has judged yet counts as serious
	Trigger   string   `yaml:"trigger"`   // "aware", an event ("classified"), or what another rule's report makes: "sent:notification"
	If        string   `yaml:"if"`        // the event without which there is no such duty
	Unless    string   `yaml:"unless"`    // the event with which there is none
	Delay     string   `yaml:"delay"`     // see [ParsePeriod]
	Cap       *Limit   `yaml:"cap"`       // a second limit: the earlier counts; where it was over before the trigger came, it does not
	Else      *Limit   `yaml:"else"`      // counts while the trigger has not come
	Rest      Rest     `yaml:"rest"`      // what a day off at the end does
	RestNot   []string `yaml:"rest_not"`  // sectors for which Rest does nothing
	Form      string   `yaml:"form"`      // id of the form
	Recipient string   `yaml:"recipient"` // who gets it
	Status    string   `yaml:"status"`    // "in-force" where nothing stands
	Note      string   `yaml:"note"`      // what to know of it
	From      string   `yaml:"from"`      // first day of awareness for which it holds
	To        string   `yaml:"to"`        // last one; empty: still
	Source    string   `yaml:"source"`    // where it is written
}

// Also is a case beside sectors and kinds in which a rule holds.
type Also struct {
	Sector string `yaml:"sector"`
	Kind   string `yaml:"kind"`
}

// Limit is a period with its own beginning.
type Limit struct {
	Trigger string `yaml:"trigger"`
	Delay   string `yaml:"delay"`
	Settled bool   `yaml:"settled"` // of an else: the act itself says so, it is no estimate
}

// Situation is what the rules are asked about.
type Situation struct {
	Jurisdiction string
	Sector       string // "any" where empty: whatever may hold
	Kind         string
	Aware        time.Time
	// Events are those that have happened, and when first: "classified", "sent:notification", or of one pack alone
	// "sent:nis2-nl/notification".
	Events  map[string]time.Time
	Serious Tribool // whether it is serious; Unknown counts as yes
}

// Tribool is yes, no, or not known.
type Tribool uint8

// What is known.
const (
	Unknown Tribool = iota
	Yes
	No
)

// Deadline is a duty with the time until which it is to be met.
type Deadline struct {
	ID           string // of the rule, with the pack before it: "nis2-nl/early-warning"
	Rule         Rule
	Regulation   string
	Jurisdiction string    // that was asked about
	Start        time.Time // from when it is counted; zero while that is not known
	Due          time.Time // in the zone of the jurisdiction; zero where the rule gives no time (without undue delay, on request) or waits
	Estimated    bool      // counted from the last moment of a report that was not sent, or of an event that has not come
	Waits        string    // the event that it waits for; empty where it runs
	Hours        bool      // counted in hours by the clock, not in days
	Status       string    // how binding it is: [InForce], [Voluntary], [Unconfirmed]
	Note         string    // of the rule and of its state
	Why          string    // how it was counted, in a sentence
}

// Term is a word that the rules know: a sector, a kind, a jurisdiction, an event.
type Term struct {
	ID      string   `yaml:"id"`
	EN      string   `yaml:"en"`
	NL      string   `yaml:"nl"`
	Aliases []string `yaml:"aliases"`
	Groups  []string `yaml:"groups"` // of sectors
}

// In is what t is called in a language, "en" or "nl".
func (t Term) In(lang string) string {
	if lang == "nl" && t.NL != "" {
		return t.NL
	}
	return t.EN
}

// Said is what r is called in a language.
func (r Rule) Said(lang string) string {
	if lang == "nl" && r.WhatNL != "" {
		return r.WhatNL
	}
	return r.What
}
