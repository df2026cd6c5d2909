package deadline

import (
	"io/fs"
	"time"
)

// Packs are rules of the law, by regulation and jurisdiction. The zero value holds those that are in the package.
type Packs struct{ packs []Pack }

// Pack is the rules of one regulation in one jurisdiction.
type Pack struct {
	ID           string `yaml:"id"`           // "nis2-nl"
	Regulation   string `yaml:"regulation"`   // "NIS2 (Cbw)"
	Jurisdiction string `yaml:"jurisdiction"` // "NL", "EU"
	Calendar     string `yaml:"calendar"`     // of public holidays: "NL"
	Zone         string `yaml:"zone"`         // "Europe/Amsterdam"
	Rules        []Rule `yaml:"rules"`
}

// Rule is one duty.
type Rule struct {
	ID        string   `yaml:"id"`
	What      string   `yaml:"what"`      // "early warning"
	Article   string   `yaml:"article"`   // "art. 23(4)(a)"
	Sectors   []string `yaml:"sectors"`   // none: all
	Kinds     []string `yaml:"kinds"`     // "incident", "personal-data-breach", …
	Trigger   string   `yaml:"trigger"`   // "aware", or what another rule's report makes: "sent:notification"
	Delay     string   `yaml:"delay"`     // "24 hours", "1 month", "7 days", "5 working days", "without undue delay"
	Form      string   `yaml:"form"`      // id of the form
	Recipient string   `yaml:"recipient"` // who gets it
	From      string   `yaml:"from"`      // first day that the rule holds
	To        string   `yaml:"to"`        // last day; empty: still
	Source    string   `yaml:"source"`    // where it is written: act, article, address
}

// Situation is what the rules are asked about.
type Situation struct {
	Jurisdiction string
	Sector       string
	Kind         string
	Aware        time.Time
	Events       map[string]time.Time // "sent:early-warning" and others, with the times they happened
}

// Deadline is a duty with the time until which it is to be met.
type Deadline struct {
	Rule         Rule
	Regulation   string
	Jurisdiction string
	Due          time.Time // zero where the rule gives no time: without undue delay, on request
	Estimated    bool      // counted from the last moment of a report that was not sent yet
	Why          string    // how it was counted, in a sentence
}

// Load reads packs from the *.yaml files of a folder, and refuses all when one is wrong.
func Load(files fs.FS) (Packs, error) { return Packs{}, nil }

// Due are the deadlines of a situation, the earliest first, those without a time last.
func (p Packs) Due(s Situation) ([]Deadline, error) { return nil, nil }
