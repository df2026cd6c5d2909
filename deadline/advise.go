package deadline

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Question is one of the five that the assistant asks.
type Question struct {
	ID      string `yaml:"id"`
	Take    string `yaml:"take"` // jurisdiction, sector, kind, serious, aware: what the answer fills
	Many    bool   `yaml:"many"`
	EN      string `yaml:"en"`
	NL      string `yaml:"nl"`
	HelpEN  string `yaml:"help_en"`
	HelpNL  string `yaml:"help_nl"`
	Options []Term `yaml:"options"` // where the answer is one of few; the words of the rules else
}

// In are the question and its help in a language, "en" or "nl".
func (q Question) In(lang string) (ask, help string) {
	if lang == "nl" {
		return q.NL, q.HelpNL
	}
	return q.EN, q.HelpEN
}

// Questions are the five questions of the assistant, with the words to choose from.
func (p Packs) Questions() []Question {
	out := slices.Clone(words().questions)
	for i, q := range out {
		switch q.Take {
		case "jurisdiction":
			out[i].Options = p.Jurisdictions()
		case "sector":
			out[i].Options = p.Sectors()
		case "kind":
			out[i].Options = p.Kinds()
		}
	}
	return out
}

// Answers are what was said to the five questions.
type Answers struct {
	Jurisdiction string
	Sectors      []string // none: any
	Kinds        []string
	Serious      Tribool
	Aware        time.Time
	Events       map[string]time.Time // as in a [Situation]
}

// Advice is what must be reported, and what not.
type Advice struct {
	Duties []Deadline // the earliest first, those without a time last
	Not    []NoDuty   // one for each act that asks nothing, by regulation
}

// NoDuty says why an act asks nothing.
type NoDuty struct {
	Act        string
	Regulation string
	Reason     Reason
	Source     string // where to read it
	From       string // for [NotYet]: the first day on which it holds
	To         string // for [NoLonger]: the last day on which it held
}

// Reason is why an act asks nothing.
type Reason string

// The reasons.
const (
	OtherKind   Reason = "kind"    // it is about something else than what happened
	OtherSector Reason = "sector"  // it does not hold for the sector
	NotSerious  Reason = "serious" // it asks for reports of what is serious only
	NotYet      Reason = "date"    // it did not hold yet on the day of awareness
	NoLonger    Reason = "ended"   // it held no longer
)

// MaxAnswers is how many sectors and how many kinds may be chosen.
const MaxAnswers = 30

// Advise answers the five questions. A duty that follows from two of the answers is listed once.
func (p Packs) Advise(a Answers) (Advice, error) {
	situations, err := a.situations()
	if err != nil {
		return Advice{}, err
	}
	var out Advice
	seen := map[string]bool{}
	reasons := map[string]NoDuty{}
	asks := map[string]bool{}
	for _, s := range situations {
		due, err := p.Due(s)
		if err != nil {
			return Advice{}, err
		}
		for _, d := range due {
			pack, _, _ := strings.Cut(d.ID, "/")
			asks[p.open().kept[pack].Act] = true
			if !seen[d.ID] {
				seen[d.ID] = true
				out.Duties = append(out.Duties, d)
			} else if i := slices.IndexFunc(out.Duties, func(o Deadline) bool { return o.ID == d.ID }); sooner(d, out.Duties[i]) {
				out.Duties[i] = d
			}
		}
		if err := p.whyNot(s, reasons); err != nil {
			return Advice{}, err
		}
	}
	sortDeadlines(out.Duties)
	for act, n := range reasons {
		if !asks[act] {
			out.Not = append(out.Not, n)
		}
	}
	slices.SortFunc(out.Not, func(a, b NoDuty) int {
		return cmp.Or(cmp.Compare(a.Regulation, b.Regulation), cmp.Compare(a.Act, b.Act))
	})
	return out, nil
}

// situations are the questions about the rules that the answers make.
func (a Answers) situations() ([]Situation, error) {
	sectors := a.Sectors
	if len(sectors) == 0 {
		sectors = []string{"any"}
	}
	if len(a.Kinds) == 0 {
		return nil, &UnknownError{What: "kind", Known: idsOf(words().kinds)}
	}
	if len(sectors) > MaxAnswers || len(a.Kinds) > MaxAnswers {
		return nil, &UnknownError{What: "sector or kind", Word: "more than 30 of them", Known: []string{"fewer"}}
	}
	var out []Situation
	for _, sector := range sectors {
		for _, kind := range a.Kinds {
			out = append(out, Situation{a.Jurisdiction, sector, kind, a.Aware, a.Events, a.Serious})
		}
	}
	return out, nil
}

// nearness orders reasons: the one that came nearest to a duty is said.
var nearness = map[Reason]int{OtherKind: 1, OtherSector: 2, NoLonger: 3, NotYet: 4, NotSerious: 5}

// whyNot adds, for each act, why its rules ask nothing in a situation.
func (p Packs) whyNot(s Situation, reasons map[string]NoDuty) error {
	q, err := p.question(s)
	if err != nil {
		return err
	}
	for _, r := range p.packsAt(q.at) {
		c := q.countIn(r)
		for _, rule := range r.Rules {
			n := NoDuty{Act: r.Act, Regulation: r.Regulation, Reason: c.reason(rule), Source: rule.Source}
			if n.Reason == NotYet {
				n.From, n.To = c.validity(rule)
				if n.To != "" && c.Aware.In(c.zone).Format(time.DateOnly) > n.To {
					n.Reason = NoLonger
				}
			}
			if nearness[n.Reason] > nearness[reasons[r.Act].Reason] {
				reasons[r.Act] = n
			}
		}
	}
	return nil
}

// validity is the first day on which a rule holds, and the last; empty: still.
func (c counting) validity(r Rule) (from, to string) {
	if s := c.pack.States; len(s) > 0 {
		return s[0].From, s[len(s)-1].To
	}
	return r.From, r.To
}

// reason is why a rule asks nothing; empty where it does, or waits for an event.
func (c counting) reason(r Rule) Reason {
	if !c.covers(r) {
		if !slices.Contains(r.Kinds, c.kind.ID) {
			return OtherKind
		}
		return OtherSector
	}
	if _, ok := c.stateOf(r); !ok {
		return NotYet
	}
	if r.Serious && c.Serious == No {
		return NotSerious
	}
	return ""
}
