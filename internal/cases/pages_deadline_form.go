package cases

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/internal/web"
)

// formPage shows the form of a report, filled in with what the case knows, and takes the word that it was sent.
func (p *Pages) formPage(w http.ResponseWriter, r *http.Request) error {
	return p.showForm(w, r, nil, nil)
}

// deadlineFormRow is a field of "deadline-form".
type deadlineFormRow struct {
	Label, Value string
	Missing      bool
	Required     bool
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, entered url.Values, wrong error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	f, err := p.DeadlineForm(r.Context(), by, CaseID(r.PathValue("id")), deadlineRule(r))
	if err != nil {
		return err
	}
	d, now, path := f.Deadline, p.o.Now(), formPath(f.Deadline)
	v := caseView{Tabs: caseTabs(words, by, ""), Alerts: caseNotDone(words, wrong), Actions: []web.Action{{Label: words.T("cases.form.pdf"), Href: path + "/form.pdf", Icon: "doc"}, {Label: words.T("cases.form.json"), Href: path + "/form.json"}}}
	if n := len(f.Form.Missing); n > 0 && d.Open() {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("cases.form.missing", "n", n), Text: words.T("cases.form.missing.text")})
	}
	var rows []deadlineFormRow
	for _, field := range f.Form.Fields {
		rows = append(rows, deadlineFormRow{field.In(words.Lang()), field.Value, field.Missing, field.Required})
	}
	v.across(caseBlock(words.T("cases.form.clock"), d.Why, "case-clocks", deadlineClocks(words, []CaseDeadline{d}, now)))
	v.add(caseBlock(words.T("cases.form.fields"), words.T("cases.form.not-sent"), "deadline-form", rows))
	v.beside(caseBlock(words.T("cases.form.about"), "", "case-facts", p.formFacts(words, f)))
	if f.Access.May(PartWork) {
		v.beside(p.markForms(r, words, f, entered)...)
	}
	title := f.Form.EN
	if words.Lang() == "nl" {
		title = f.Form.NL
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: title, Lede: deadlineCapital(d.Regulation + " " + d.Article + ": " + deadlineUntil(words, d)), TLP: f.Level, Status: caseStatus(wrong), Data: v,
		Crumbs: []web.Link{{Text: words.T("cases.tab.cases"), Href: "/cases"}, {Text: web.Clip(f.Title, 60), Href: casePath("/cases", string(d.Case))}, {Text: words.T("cases.tab.deadlines"), Href: dutiesPath(d.Case)}}})
	return nil
}

// formFacts are who gets a report, by which article, and what was said of it.
func (p *Pages) formFacts(words web.Words, f DeadlineForm) []web.Pair {
	d := f.Deadline
	out := []web.Pair{{Term: words.T("cases.deadline.to"), Text: d.Recipient}, {Term: words.T("cases.deadline.source"), Text: d.Source}, {Term: words.T("cases.deadline.until"), Text: deadlineUntil(words, d)}}
	for _, more := range []web.Pair{{Term: words.T("cases.deadline.binding"), Text: deadlineStatus(words, d.Status)}, {Term: words.T("cases.deadline.note"), Text: d.Note}, {Term: words.T("cases.deadline.reference"), Text: d.Reference},
		{Term: words.T("cases.deadline.reason"), Text: d.Reason}} {
		if more.Text != "" {
			out = append(out, more)
		}
	}
	if !d.Sent.IsZero() {
		out = append(out, web.Pair{Term: words.T("cases.deadline.sent-at"), Text: deadlineWhen(words, d.Sent.In(d.Due.Location()))})
	}
	return out
}

// markForms are what a person can say of a report: that it was sent, that it need not be, that this is taken back.
func (p *Pages) markForms(r *http.Request, words web.Words, f DeadlineForm, entered url.Values) []web.Block {
	d, path := f.Deadline, formPath(f.Deadline)
	version := []web.Hidden{{Name: "version", Value: strconv.Itoa(d.Version)}}
	reason := web.Field{Name: "reason", Label: words.T("cases.deadline.reason"), Value: entered.Get("reason"), Rows: 2, Max: maxCaseWords, Required: true}
	if d.State == DeadlineExcused || !d.Sent.IsZero() {
		return []web.Block{caseBlock(words.T("cases.form.reopen"), "", "case-form", caseForm{Action: path + "/reopened", Hidden: version, Fields: []web.Field{reason}, Submit: words.T("cases.form.reopen")})}
	}
	zone := d.Start.Location().String()
	sent := caseForm{Action: path + "/sent", Hidden: version, Primary: true, Submit: words.T("cases.form.sent"), Note: words.T("cases.form.sent.note"), Fields: []web.Field{
		{Name: "sent-at", Label: words.T("cases.deadline.sent-at"), Help: words.T("cases.deadline.time-help", "zone", zone) + " " + words.T("cases.form.sent.now"), Value: entered.Get("sent-at"), Short: true, Max: 40},
		{Name: "reference", Label: words.T("cases.deadline.reference"), Help: words.T("cases.form.reference.help"), Value: entered.Get("reference"), Max: maxReference}}}
	if tell, ok := p.tellField(r, words, d, entered); ok {
		sent.Fields = append(sent.Fields, tell)
	}
	excuse := caseForm{Action: path + "/excused", Hidden: version, Fields: []web.Field{reason}, Note: words.T("cases.form.excuse.note"), Submit: words.T("cases.form.excuse")}
	return []web.Block{caseBlock(words.T("cases.form.sent"), "", "case-form", sent), caseBlock(words.T("cases.form.excuse"), "", "case-form", excuse)}
}

// tellField offers to tell the contact points too, where the case crosses borders and some are set. It is ticked unless
// somebody took that away.
func (p *Pages) tellField(r *http.Request, words web.Words, d CaseDeadline, entered url.Values) (f web.Field, ok bool) {
	if p.deadlineStage(d.Rule) == "" {
		return f, false
	}
	v, err := p.Case(r.Context(), web.ActorOf(r), d.Case)
	if err != nil || !v.Crosses {
		return f, false
	}
	points, err := p.TellContacts(r.Context(), web.ActorOf(r), d.Case, p.deadlineStage(d.Rule), true)
	if err != nil || len(points) == 0 {
		return f, false // who may not tell them is not asked
	}
	var names []string
	for _, one := range points {
		names = append(names, one.Name+" ("+one.Country+")")
	}
	return web.Field{Name: "tell", Label: words.T("cases.form.tell"), Help: words.T("cases.form.tell.help"), Many: true, Class: "across",
		Options: []web.Option{{Value: "yes", Label: words.T("cases.form.tell.yes", "who", strings.Join(names, ", ")), Chosen: entered == nil || entered.Get("tell") == "yes"}}}, true
}

// markPosted does what a form of the page of a report asks, and shows the page again where that was refused.
func (p *Pages) markPosted(w http.ResponseWriter, r *http.Request, said string, do func(url.Values, DeadlineMark) error) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	m := DeadlineMark{Version: deadlineNumber(form.Get("version")), Reason: form.Get("reason"), Reference: form.Get("reference")}
	if err = do(form, m); web.Mendable(err) {
		return p.showForm(w, r, form, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, dutiesPath(CaseID(r.PathValue("id"))), said)
}

func (p *Pages) postSent(w http.ResponseWriter, r *http.Request) error {
	return p.markPosted(w, r, "cases.form.sent.done", func(form url.Values, m DeadlineMark) (err error) {
		if at := form.Get("sent-at"); at != "" {
			if m.Sent, err = p.deadlineEntered(r, "sent", at); err != nil {
				return err
			}
		}
		if form.Get("tell") == "yes" {
			_, _, err = p.MarkSentAndTell(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r), m)
			return err
		}
		_, err = p.MarkSent(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r), m)
		return err
	})
}

func (p *Pages) postExcused(w http.ResponseWriter, r *http.Request) error {
	return p.markPosted(w, r, "cases.form.excused.done", func(_ url.Values, m DeadlineMark) error {
		_, err := p.ExcuseDeadline(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r), m)
		return err
	})
}

func (p *Pages) postReopened(w http.ResponseWriter, r *http.Request) error {
	return p.markPosted(w, r, "cases.form.reopened.done", func(_ url.Values, m DeadlineMark) error {
		_, err := p.ReopenDeadline(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r), m)
		return err
	})
}
