package cases

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases/triage"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file reads and shows the form of a case's own fields: for a new case and for a change.

// Bounds of what the forms take; the service's own are stricter or the same.
const (
	caseMaxTitle = 200
	caseMaxText  = 20_000
	caseMaxShort = 200
)

// caseInput is what the form of a case holds, as it was typed.
type caseInput struct {
	Title, Summary, Noticed, Class, Sector, Countries, Victim string
	Aware, Occurred, Ended                                    string
	Kind                                                      Kind
	Severity                                                  Severity
	Roads                                                     []Road
	Level                                                     stix.Marking
	Jewels                                                    []string
	Report                                                    string
}

// caseInputOf is what was typed.
func caseInputOf(v url.Values) caseInput {
	trim := func(name string) string { return strings.TrimSpace(caseLines(v.Get(name))) }
	in := caseInput{Title: trim("title"), Summary: trim("summary"), Noticed: trim("noticed"), Class: v.Get("class"), Sector: trim("sector"), Countries: trim("countries"), Victim: trim("victim"),
		Aware: trim("aware"), Occurred: trim("occurred"), Ended: trim("ended"), Kind: Kind(v.Get("kind")), Severity: Severity(v.Get("severity")), Jewels: v["jewels"], Report: v.Get("report")}
	for _, r := range v["roads"] {
		in.Roads = append(in.Roads, Road(r))
	}
	in.Level, _ = stix.ParseMarking(v.Get("tlp")) // none that is known: the service takes its own
	return in
}

// caseInputFrom is the form of a case as it stands.
func caseInputFrom(words web.Words, c Case) caseInput {
	return caseInput{Title: c.Title, Summary: c.Summary, Noticed: c.Noticed, Class: c.Class, Sector: c.Sector, Countries: strings.Join(c.Countries, ", "), Victim: c.Victim,
		Aware: words.Input(c.Aware), Occurred: words.Input(c.Occurred), Ended: words.Input(c.Ended), Kind: c.Kind, Severity: c.Severity, Roads: c.Roads, Level: c.Level}
}

// times reads the times of the form.
func (in caseInput) times(words web.Words) (aware, occurred, ended time.Time, err error) {
	for _, f := range []struct {
		name, text string
		into       *time.Time
	}{{"aware", in.Aware, &aware}, {"occurred", in.Occurred, &occurred}, {"ended", in.Ended, &ended}} {
		if *f.into, err = words.ReadInput(f.text); err != nil {
			return aware, occurred, ended, polder.Errorf(polder.Invalid, "%s: %w", f.name, err)
		}
	}
	return aware, occurred, ended, nil
}

// caseCountries are the countries of a line, as they were written.
func caseCountries(line string) []string {
	return strings.FieldsFunc(strings.ToUpper(line), func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' })
}

// caseLines is a text of a form with the line ends of this system.
func caseLines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// proposed is the form with what its words suggest, and why.
func (in caseInput) proposed(words web.Words) (caseInput, web.Alert) {
	ask := triage.Answers{What: in.Title + "\n" + in.Summary + "\n" + in.Noticed, Kind: string(in.Kind), Language: words.Lang()}
	for _, r := range in.Roads {
		ask.Roads = append(ask.Roads, string(r))
	}
	got := triage.Propose(ask)
	in.Class, in.Severity = got.Class, Severity(got.Severity)
	a := web.Alert{Title: words.T("cases.propose.is", "class", caseClassText(words, got.Class), "severity", words.T("cases.severity."+got.Severity)), Text: words.T("cases.propose.none")}
	var why []string
	for _, r := range got.Why {
		why = append(why, words.T("cases.propose.why", "words", r.Words, "says", r.Says))
	}
	if len(why) > 0 {
		a.Text = strings.Join(why, "; ") + ". " + words.T("cases.propose.change")
	}
	return in, a
}

// fields are those of the form: what must be said, and what may wait. The time of awareness is asked of a new case alone;
// afterwards it moves on a page of its own, with a reason.
func (in caseInput) fields(words web.Words, fresh bool) (first, more []web.Field) {
	if fresh {
		first = append(first, web.Field{Name: "aware", Label: words.T("cases.aware"), Help: words.T("cases.aware.help", "zone", words.ZoneName()), Type: "datetime-local", Value: in.Aware, Short: true, Required: true})
	}
	first = append(first,
		web.Field{Name: "title", Label: words.T("cases.title"), Help: words.T("cases.title.help"), Value: in.Title, Max: caseMaxTitle, Required: true},
		web.Field{Name: "summary", Label: words.T("cases.summary"), Help: words.T("cases.summary.help"), Value: in.Summary, Rows: 4, Max: caseMaxText},
		web.Field{Name: "kind", Label: words.T("cases.kind"), Class: "across", Options: caseOptions(caseKinds, in.Kind, func(k Kind) string { return words.T("cases.kind." + string(k)) })},
		in.roadsField(words),
		web.Field{Name: "class", Label: words.T("cases.class"), Help: words.T("cases.class.help"), Options: caseOptions(caseClasses, caseOr(in.Class, "other/undetermined"), func(c string) string { return caseClassText(words, c) })},
		web.Field{Name: "severity", Label: words.T("cases.severity"), Class: "across", Options: caseOptions(caseSeverities, in.Severity, func(s Severity) string { return words.T("cases.severity." + string(s)) })},
		caseLevelField(words, in.Level, stix.Red))
	more = []web.Field{
		{Name: "noticed", Label: words.T("cases.noticed"), Help: words.T("cases.noticed.help"), Value: in.Noticed, Max: caseMaxText},
		{Name: "occurred", Label: words.T("cases.occurred"), Help: words.T("cases.occurred.help", "zone", words.ZoneName()), Type: "datetime-local", Value: in.Occurred, Short: true},
		{Name: "ended", Label: words.T("cases.ended"), Type: "datetime-local", Value: in.Ended, Short: true},
		{Name: "sector", Label: words.T("cases.sector"), Help: words.T("cases.sector.help"), Value: in.Sector, Short: true, Max: caseMaxShort},
		{Name: "countries", Label: words.T("cases.countries"), Help: words.T("cases.countries.help"), Value: in.Countries, Short: true, Max: caseMaxShort},
		{Name: "victim", Label: words.T("cases.victim"), Help: words.T("cases.victim.help"), Value: in.Victim, Max: caseMaxShort},
	}
	return first, more
}

func (in caseInput) roadsField(words web.Words) web.Field {
	f := web.Field{Name: "roads", Label: words.T("cases.roads"), Help: words.T("cases.roads.help"), Many: true, Class: "across"}
	for _, r := range caseRoads {
		f.Options = append(f.Options, web.Option{Value: string(r), Label: words.T("cases.road." + string(r)), Chosen: slices.Contains(in.Roads, r)})
	}
	return f
}

// caseOptions are choices of a value in words.
func caseOptions[T ~string](all []T, chosen T, say func(T) string) []web.Option {
	var out []web.Option
	for _, one := range all {
		out = append(out, web.Option{Value: string(one), Label: say(one), Chosen: one == chosen})
	}
	return out
}

// caseLevelField asks for a level, of which those above the ceiling are left out: what one may not read one cannot write.
func caseLevelField(words web.Words, chosen, ceiling stix.Marking) web.Field {
	f := web.Field{Name: "tlp", Label: words.T("cases.level"), Help: words.T("cases.level.help"), Class: "rows"}
	if chosen == stix.None {
		chosen = min(stix.AmberStrict, ceiling)
	}
	for _, m := range caseLevels {
		if m <= ceiling {
			f.Options = append(f.Options, web.Option{Value: m.String(), TLP: m, Help: words.T("cases.level." + strings.ReplaceAll(m.String(), "+", "-")), Chosen: m == chosen})
		}
	}
	return f
}

// caseBlame puts an error that names a field of a form at that field; it tells whether there is such a field.
func caseBlame(f *caseForm, err error) bool {
	if err == nil {
		return false
	}
	name, text, found := strings.Cut(err.Error(), ": ")
	if !found {
		return false
	}
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			f.Fields[i].Error = web.Sentence(text)
			return true
		}
	}
	for i := range f.More {
		if f.More[i].Name == name {
			f.More[i].Error, f.Opened = web.Sentence(text), true
			return true
		}
	}
	return false
}

// casePlainLevels is a field of levels without what each means, for where that stands elsewhere.
func casePlainLevels(f web.Field) web.Field {
	f.Class = "across"
	for i := range f.Options {
		f.Options[i].Help = ""
	}
	return f
}

// caseOr is s, or other where s is empty.
func caseOr[T ~string](s, other T) T {
	if s == "" {
		return other
	}
	return s
}
