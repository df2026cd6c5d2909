package cases

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/paper"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// DeadlineForm is the form of a report, filled in with what the case knows. Nothing of it is sent.
type DeadlineForm struct {
	Deadline CaseDeadline    `json:"deadline"`
	Level    stix.Marking    `json:"tlp"` // the strictest of what was filled in
	Form     deadline.Filled `json:"form"`
	Made     time.Time       `json:"made"`
	Access   Access          `json:"-"`
	Title    string          `json:"-"`
}

// maxFormItems is how many observables and measures of a case go into a form.
const maxFormItems = 200

// DeadlineForm fills in the form of a report of a case with what by sees of it. It asks for somebody of the organisation
// whose case it is.
func (s *Service) DeadlineForm(ctx context.Context, by polder.Actor, id CaseID, rule string) (DeadlineForm, error) {
	duties, err := s.Deadlines(ctx, by, id)
	if err != nil {
		return DeadlineForm{}, err
	}
	if !duties.Access.Own {
		return DeadlineForm{}, polder.Errorf(polder.Forbidden, "the reports of a case are its own organisation's")
	}
	out := DeadlineForm{Level: duties.Case.Level, Made: s.caseNow(), Access: duties.Access, Title: duties.Case.Title}
	found := false
	for _, d := range duties.Deadlines {
		if d.Rule == rule {
			out.Deadline, found = d, true
		}
	}
	form, ok := deadline.FormNamed(out.Deadline.Form)
	if !found || !ok {
		return out, polder.Errorf(polder.NotFound, "the case has no such report, or the report has no form; its page of deadlines lists them")
	}
	facts, level, err := s.caseFacts(ctx, by, duties, out.Deadline)
	if err != nil {
		return out, err
	}
	out.Level = max(out.Level, level)
	facts["case.tlp"] = out.Level.Label()
	out.Form = deadline.Fill(form, facts)
	return out, nil
}

// caseFacts are what a case knows that forms ask for, and the strictest level of it.
func (s *Service) caseFacts(ctx context.Context, by polder.Actor, duties CaseDuties, d CaseDeadline) (deadline.Facts, stix.Marking, error) {
	c := duties.Case
	org, err := s.o.Accounts.Org(ctx, c.Org)
	if err != nil {
		return nil, 0, err
	}
	zone, err := time.LoadLocation(d.Zone)
	if err != nil {
		zone = time.UTC
	}
	moment := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone).Format("2006-01-02 15:04 MST")
	}
	facts := deadline.Facts{
		"organisation.name": org.Name, "organisation.country": org.Country, "organisation.sector": org.Sector, "contact.name": by.Name, "case.reference": string(c.ID), "case.aware": moment(c.Aware),
		"case.occurred": moment(c.Occurred), "case.ended": moment(c.Ended), "case.summary": strings.TrimSpace(c.Title + "\n\n" + c.Summary), "case.class": c.Class, "case.severity": string(c.Severity),
		"case.status": string(c.Status), "case.countries": strings.Join(c.Countries, ", "),
	}
	if len(duties.Profile.Sectors) > 0 && duties.Profile.Sectors[0] != "any" {
		facts["organisation.sector"] = strings.Join(duties.Profile.Sectors, ", ")
	}
	facts["case.roads"] = strings.Join(roadNames(c.Roads), ", ")
	for _, e := range duties.Events {
		if e.Name == "classified" && !e.Struck && facts["case.classified"] == "" {
			facts["case.classified"] = moment(e.At)
		}
	}
	facts["earlier.reference"] = earlierReference(duties.Deadlines, d)
	classFacts(c, facts)
	level, err := s.itemFacts(ctx, by, c, facts)
	if err != nil {
		return nil, level, err
	}
	return facts, level, s.damageFacts(ctx, by, c, facts)
}

// earlierReference is what the recipient gave back for the report of the same act that was sent last.
func earlierReference(all []CaseDeadline, d CaseDeadline) (reference string) {
	pack, _, _ := strings.Cut(d.Rule, "/")
	var last time.Time
	for _, o := range all {
		if have, _, _ := strings.Cut(o.Rule, "/"); have == pack && o.Rule != d.Rule && o.Sent.After(last) {
			last, reference = o.Sent, o.Reference
		}
	}
	return reference
}

// itemFacts adds what the items of a case say: values known to be the adversary's, and tasks that are done. What is marked
// stricter than the case itself stays out: a report leaves the organisation.
func (s *Service) itemFacts(ctx context.Context, by polder.Actor, c Case, facts deadline.Facts) (stix.Marking, error) {
	page, err := s.Items(ctx, by, c.ID, ItemFilter{Kinds: []ItemKind{ItemObservable, ItemTask}, Oldest: true, Limit: maxFormItems})
	if err != nil {
		return 0, err
	}
	var indicators, measures []string
	level := c.Level
	for _, it := range page.Items {
		if it.Level > c.Level {
			continue
		}
		switch {
		case it.Observable != nil && it.Observable.Bad:
			indicators = append(indicators, string(it.Observable.Type)+": "+it.Observable.Value)
		case it.Task != nil && !it.Task.Done.IsZero():
			measures = append(measures, it.Title)
		}
	}
	facts["case.indicators"], facts["case.measures"] = strings.Join(indicators, "\n"), strings.Join(measures, "\n")
	return level, nil
}

// WriteDeadlineForm writes a filled form for people who print it, in a language ("en", "nl"). Fields that are required and
// not known yet are marked.
func WriteDeadlineForm(w io.Writer, f DeadlineForm, words web.Words) error {
	lang := words.Lang()
	title := f.Form.EN
	if lang == "nl" {
		title = f.Form.NL
	}
	d := paper.New(paper.Options{Title: title, Language: lang, Made: f.Made, Level: f.Level, Foot: words.T("cases.form.foot", "at", deadlineWhen(words, f.Made)),
		Page: func(n, all string) string { return words.T("cases.form.page", "n", n, "all", all) }, Cut: words.T("cases.form.cut")})
	d.Title(title)
	d.Paragraph(words.T("cases.form.lede", "act", f.Deadline.Regulation, "article", f.Deadline.Article, "to", f.Deadline.Recipient))
	d.Paragraph(deadlineUntil(words, f.Deadline))
	if n := len(f.Form.Missing); n > 0 {
		d.Strong(words.T("cases.form.missing", "n", n))
	}
	d.Space(2)
	for _, field := range f.Form.Fields {
		value := field.Value
		switch {
		case field.Missing:
			value = words.T("cases.form.empty-required")
		case value == "":
			value = words.T("cases.form.empty")
		}
		d.Pair(field.In(lang), value)
	}
	d.Space(2)
	d.Small(words.T("cases.form.source", "source", f.Deadline.Source))
	d.Small(words.T("cases.form.not-sent"))
	_, err := d.WriteTo(w)
	return err
}
