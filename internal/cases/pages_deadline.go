package cases

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/web"
)

func (p *Pages) deadlineRoutes() []web.Route {
	page := func(method, pattern, exit string, need web.Need, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: "/cases" + pattern, Need: need, Exit: "cases.deadline." + exit, Handler: h.Serve}
	}
	const one = "/deadlines/{id}/{rule}" // literals first, so that no pattern under /cases contradicts another
	return []web.Route{
		page("GET", "/deadlines", "open", web.Reader, p.openPage),
		page("GET", "/assistant", "assistant", web.Reader, p.assistantPage),
		page("GET", "/deadlines/{id}", "case", web.Reader, p.dutiesPage),
		page("POST", "/deadlines/{id}/duties", "profile", web.Contributor, p.postProfile),
		page("POST", "/deadlines/{id}/aware", "aware", web.Contributor, p.postAware),
		page("POST", "/deadlines/{id}/events", "event", web.Contributor, p.postEvent),
		page("POST", "/deadlines/{id}/events/{n}/struck", "struck", web.Contributor, p.postStruck),
		page("GET", one, "form", web.Reader, p.formPage),
		page("GET", one+"/form.pdf", "pdf", web.Reader, p.formPDF),
		page("GET", one+"/form.json", "json", web.Reader, p.formJSON),
		page("POST", one+"/sent", "sent", web.Contributor, p.postSent),
		page("POST", one+"/excused", "excused", web.Contributor, p.postExcused),
		page("POST", one+"/reopened", "reopened", web.Contributor, p.postReopened),
	}
}

// rulePath is a rule as it stands in an address.
func rulePath(rule string) string { return strings.Replace(rule, "/", ".", 1) }

func dutiesPath(id CaseID) string { return casePath("/cases/deadlines", string(id)) }

func formPath(d CaseDeadline) string {
	return casePath("/cases/deadlines", string(d.Case), rulePath(d.Rule))
}

// openPage lists the open deadlines of all cases that the reader may see.
func (p *Pages) openPage(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	late := r.URL.Query().Get("late") == "yes"
	page, err := p.OpenDeadlines(r.Context(), by, DeadlineFilter{Late: late, Limit: 200})
	if err != nil {
		return err
	}
	now := p.o.Now()
	v := caseView{Tabs: caseTabs(words, by, "/cases/deadlines")}
	if near := nearest(page.Deadlines, 4); len(near) > 0 {
		v.across(caseBlock(words.T("cases.deadline.next"), words.T("cases.deadline.next.note"), "case-clocks", deadlineClocks(words, near, now)))
	}
	t := caseTable{Label: words.T("cases.deadline.all"), Heads: web.PlainHeads(words.T("cases.deadline.what"), words.T("cases.deadline.case"), words.T("cases.deadline.until"), words.T("cases.deadline.state")),
		Empty: web.Empty{Icon: "clock", Title: words.T("cases.deadline.none"), Text: words.T("cases.deadline.none.text"), Actions: []web.Action{{Label: words.T("cases.tab.assistant"), Href: "/cases/assistant"}}}}
	for _, d := range page.Deadlines {
		row := deadlineTableRow(words, d, now)
		row.Cells = slices.Insert(row.Cells, 0, caseCell{Text: web.Clip(d.CaseTitle, 80), Href: casePath("/cases", string(d.Case))})
		t.add(row)
	}
	if page.More {
		t.Foot = words.T("cases.deadline.more")
	}
	v.add(caseBlock(words.T("cases.deadline.all"), words.T("cases.deadline.counted", "open", page.Open, "late", page.Late), "case-table", t))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: words.T("cases.tab.deadlines"), Lede: openLede(words, page), Data: v})
	return nil
}

func openLede(words web.Words, page DeadlinePage) string {
	switch {
	case page.Late > 0:
		return words.T("cases.deadline.lede.late", "n", page.Late)
	case page.Open > 0:
		return words.T("cases.deadline.lede.open", "n", page.Open)
	}
	return words.T("cases.deadline.lede.none")
}

// timed are the first deadlines that have a time, those that were sent too.
func timed(all []CaseDeadline, most int) (out []CaseDeadline) {
	for _, d := range all {
		if !d.Due.IsZero() && !d.Gone && len(out) < most {
			out = append(out, d)
		}
	}
	return out
}

// nearest are the first open deadlines that have a time.
func nearest(all []CaseDeadline, most int) (out []CaseDeadline) {
	for _, d := range all {
		if !d.Due.IsZero() && len(out) < most && d.Open() {
			out = append(out, d)
		}
	}
	return out
}

// deadlineTableRow is a duty as a row: what it is, until when, its state.
func deadlineTableRow(words web.Words, d CaseDeadline, now time.Time) caseRow {
	row := caseRow{Name: deadlineCapital(d.Said(words.Lang())), Href: formPath(d), Sub: d.Regulation + " " + d.Article}
	until := caseCell{Text: deadlineUntil(words, d), Sub: deadlineStatus(words, d.Status)}
	state := caseCell{Mark: deadlineMarkOf(words, d, now)}
	if d.Open() && d.State != DeadlineWaits && !d.Due.IsZero() {
		state.Sub = deadlineLeft(words, d, now)
	}
	row.Cells = []caseCell{until, state}
	return row
}

// dutiesPage is what the law asks in one case.
func (p *Pages) dutiesPage(w http.ResponseWriter, r *http.Request) error {
	return p.showDuties(w, r, nil, nil)
}

// showDuties renders the duties of a case, after a change that was refused with its error and what was entered.
func (p *Pages) showDuties(w http.ResponseWriter, r *http.Request, entered url.Values, wrong error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	duties, err := p.Deadlines(r.Context(), by, CaseID(r.PathValue("id")))
	if err != nil {
		return err
	}
	now, c := p.o.Now(), duties.Case
	v := caseView{Tabs: caseTabs(words, by, ""), Alerts: caseNotDone(words, wrong)}
	if duties.Profile.Proposed {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("cases.duties.proposed"), Text: words.T("cases.duties.proposed.text")})
	}
	if near := timed(duties.Deadlines, 6); len(near) > 0 {
		v.across(caseBlock(words.T("cases.deadline.next"), words.T("cases.duties.clock", "at", deadlineWhen(words, p.inZone(duties, c.Aware))), "case-clocks", deadlineClocks(words, near, now)))
	}
	v.add(caseBlock(words.T("cases.duties.all"), words.T("cases.deadline.nothing-sent"), "case-table", p.dutiesTable(words, duties, now)))
	if len(duties.Not) > 0 {
		v.add(caseBlock(words.T("cases.duties.not"), "", "case-marks", noDuties(words, duties.Not)))
	}
	v.add(caseBlock(words.T("cases.duties.history"), words.T("cases.duties.history.note"), "deadline-history", p.awareHistory(r, words, duties)))
	if duties.Access.Own && duties.Access.May(PartWork) {
		v.beside(caseBlock(words.T("cases.duties.rules"), "", "case-form", p.profileForm(words, duties, entered)),
			caseBlock(words.T("cases.duties.event"), "", "case-form", p.eventForm(words, duties, entered)),
			caseBlock(words.T("cases.duties.aware"), "", "case-form", p.awareForm(words, duties, entered)))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: words.T("cases.duties.title"), Lede: c.Title, TLP: c.Level, Status: caseStatus(wrong), Data: v,
		Crumbs: []web.Link{{Text: words.T("cases.tab.cases"), Href: "/cases"}, {Text: web.Clip(c.Title, 60), Href: casePath("/cases", string(c.ID))}}})
	return nil
}

// inZone is a time in the zone of the first jurisdiction that a case is counted by.
func (p *Pages) inZone(duties CaseDuties, t time.Time) time.Time {
	return t.In(p.zoneOf(duties))
}

func (p *Pages) zoneOf(duties CaseDuties) *time.Location {
	for _, j := range duties.Profile.Jurisdictions {
		if zone, err := p.o.Packs.Zone(j); err == nil {
			return zone
		}
	}
	return time.UTC
}

func (p *Pages) dutiesTable(words web.Words, duties CaseDuties, now time.Time) caseTable {
	t := caseTable{Label: words.T("cases.duties.all"), Heads: web.PlainHeads(words.T("cases.deadline.what"), words.T("cases.deadline.until"), words.T("cases.deadline.state"), words.T("cases.deadline.to")),
		Empty: web.Empty{Icon: "clock", Title: words.T("cases.duties.none"), Text: words.T("cases.duties.none.text")}}
	for _, d := range duties.Deadlines {
		row := deadlineTableRow(words, d, now)
		if d.Gone {
			row.Sub += " · " + words.T("cases.deadline.gone")
		}
		row.Cells = append(row.Cells, caseCell{Text: d.Recipient, Sub: d.Reference})
		t.add(row)
	}
	return t
}

// noDuties says which acts ask nothing, and why.
func noDuties(words web.Words, all []deadline.NoDuty) []web.Mark {
	var out []web.Mark
	for _, n := range all {
		out = append(out, web.Mark{Class: "no", Text: words.T("cases.assistant.not."+string(n.Reason), "act", n.Regulation, "source", n.Source, "from", n.From, "to", n.To)})
	}
	return out
}

// deadlineHistoryRow is a line of "deadline-history".
type deadlineHistoryRow struct {
	Made            time.Time
	Title, Text, By string
	Struck          bool
	Action          string // where it is struck out; empty: not
	Reason          web.Field
}

// awareHistory is what was said of when it was known, and of events.
func (p *Pages) awareHistory(r *http.Request, words web.Words, duties CaseDuties) (out []deadlineHistoryRow) {
	who := func(id polder.PersonID) string {
		if id == "" {
			return words.T("cases.duties.another")
		}
		name, _, err := p.o.Accounts.Named(r.Context(), id)
		if err != nil {
			return words.T("cases.duties.another")
		}
		return name
	}
	for _, a := range duties.Aware {
		out = append(out, deadlineHistoryRow{Title: words.T("cases.duties.known", "at", deadlineWhen(words, p.inZone(duties, a.At))), Text: a.Reason, By: who(a.By), Made: a.Made})
	}
	for _, e := range duties.Events {
		row := deadlineHistoryRow{Title: deadlineCapital(deadlineEvent(words, e.Name)) + ": " + deadlineWhen(words, p.inZone(duties, e.At)), Text: e.Reason, By: who(e.By), Made: e.Made, Struck: e.Struck}
		if !e.Struck && duties.Access.Own && duties.Access.May(PartWork) {
			row.Action = casePath("/cases/deadlines", string(duties.Case.ID), "events", strconv.Itoa(e.N), "struck")
			row.Reason = web.Field{Name: "reason-" + strconv.Itoa(e.N), Label: words.T("cases.deadline.reason"), Max: maxCaseWords, Required: true}
		}
		out = append(out, row)
	}
	return out
}

// termOptions are words to choose from.
func termOptions(words web.Words, terms []deadline.Term, chosen []string) []web.Option {
	out := make([]web.Option, len(terms))
	for i, t := range terms {
		out[i] = web.Option{Value: t.ID, Label: deadlineCapital(t.In(words.Lang())), Chosen: slices.Contains(chosen, t.ID)}
	}
	return out
}

// deadlineQuestion is a question of the assistant as a field of a form.
func (p *Pages) deadlineQuestion(words web.Words, take string, chosen []string) web.Field {
	for _, q := range p.o.Packs.Questions() {
		if q.Take != take {
			continue
		}
		ask, help := q.In(words.Lang())
		f := web.Field{Name: q.ID, Label: ask, Help: help, Required: !q.Many}
		switch {
		case take == "aware":
			f.Short, f.Max = true, 40
		case take == "jurisdiction":
			f.Options = termOptions(words, q.Options, chosen)
		default:
			f.Options, f.Many, f.Class = termOptions(words, q.Options, chosen), q.Many, "across"
		}
		if len(chosen) > 0 && take == "aware" {
			f.Value = chosen[0]
		}
		return f
	}
	return web.Field{}
}

func (p *Pages) profileForm(words web.Words, duties CaseDuties, entered url.Values) caseForm {
	have := duties.Profile
	chosen := func(name string, otherwise []string) []string {
		if entered.Has("profile") {
			return entered[name]
		}
		return otherwise
	}
	where := p.deadlineQuestion(words, "jurisdiction", chosen("jurisdiction", have.Jurisdictions))
	where.Many, where.Class, where.Required = true, "across", false
	return caseForm{Action: casePath("/cases/deadlines", string(duties.Case.ID), "duties"), Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(have.Version)}, {Name: "profile", Value: "1"}},
		Fields: []web.Field{p.deadlineQuestion(words, "kind", chosen("kind", have.Kinds)), p.deadlineQuestion(words, "serious", chosen("serious", []string{have.Serious}))},
		More:   []web.Field{p.deadlineQuestion(words, "sector", chosen("sector", have.Sectors)), where}, MoreIs: words.T("cases.duties.where"),
		Note: words.T("cases.duties.rules.note"), Submit: words.T("cases.duties.rules.save"), Primary: have.Proposed}
}

func (p *Pages) eventForm(words web.Words, duties CaseDuties, entered url.Values) caseForm {
	return caseForm{Action: casePath("/cases/deadlines", string(duties.Case.ID), "events"), Fields: []web.Field{
		{Name: "event", Label: words.T("cases.duties.event.what"), Options: termOptions(words, p.o.Packs.Events(), entered["event"]), Required: true},
		p.timeField(words, duties, "event-at", words.T("cases.duties.event.when"), entered)}, Note: words.T("cases.duties.event.note"), Submit: words.T("cases.duties.event.save")}
}

func (p *Pages) awareForm(words web.Words, duties CaseDuties, entered url.Values) caseForm {
	return caseForm{Action: casePath("/cases/deadlines", string(duties.Case.ID), "aware"), Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(duties.Case.Version)}}, Fields: []web.Field{
		p.timeField(words, duties, "aware-at", words.T("cases.duties.aware.when"), entered),
		{Name: "aware-reason", Label: words.T("cases.deadline.reason"), Value: entered.Get("aware-reason"), Rows: 2, Max: maxCaseWords, Required: true}}, Note: words.T("cases.duties.aware.note"), Submit: words.T("cases.duties.aware.save")}
}

// timeField asks for a time in the zone that the case is counted in.
func (p *Pages) timeField(words web.Words, duties CaseDuties, name, label string, entered url.Values) web.Field {
	return web.Field{Name: name, Label: label, Help: words.T("cases.deadline.time-help", "zone", p.zoneOf(duties).String()), Value: entered.Get(name), Short: true, Max: 40, Required: true}
}

// deadlineEntered reads a time that a form of a case holds.
func (p *Pages) deadlineEntered(r *http.Request, what, text string) (time.Time, error) {
	duties, err := p.Deadlines(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")))
	if err != nil {
		return time.Time{}, err
	}
	t, err := deadlineMoment(what, text, p.zoneOf(duties), p.o.Now)
	if err != nil {
		return t, polder.Errorf(polder.Invalid, "%w", err)
	}
	return t, nil
}

// dutyPosted does what a form of the page of duties asks, and shows the page again where that was refused.
func (p *Pages) dutyPosted(w http.ResponseWriter, r *http.Request, said string, do func(url.Values) error) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	if err = do(form); web.Mendable(err) {
		return p.showDuties(w, r, form, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, dutiesPath(CaseID(r.PathValue("id"))), said)
}

func (p *Pages) postProfile(w http.ResponseWriter, r *http.Request) error {
	return p.dutyPosted(w, r, "cases.duties.rules.saved", func(f url.Values) error {
		_, err := p.SetDeadlineProfile(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")),
			DeadlineProfile{Jurisdictions: f["jurisdiction"], Sectors: f["sector"], Kinds: f["kind"], Serious: f.Get("serious"), Version: deadlineNumber(f.Get("version"))})
		return err
	})
}

func (p *Pages) postAware(w http.ResponseWriter, r *http.Request) error {
	return p.dutyPosted(w, r, "cases.duties.aware.saved", func(f url.Values) error {
		at, err := p.deadlineEntered(r, "aware", f.Get("aware-at"))
		if err != nil {
			return err
		}
		_, err = p.SetAware(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineNumber(f.Get("version")), at, f.Get("aware-reason"))
		return err
	})
}

func (p *Pages) postEvent(w http.ResponseWriter, r *http.Request) error {
	return p.dutyPosted(w, r, "cases.duties.event.saved", func(f url.Values) error {
		at, err := p.deadlineEntered(r, "event", f.Get("event-at"))
		if err != nil {
			return err
		}
		_, err = p.SetCaseEvent(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), f.Get("event"), at)
		return err
	})
}

func (p *Pages) postStruck(w http.ResponseWriter, r *http.Request) error {
	n := deadlineNumber(r.PathValue("n"))
	return p.dutyPosted(w, r, "cases.duties.struck", func(f url.Values) error {
		_, err := p.StrikeCaseEvent(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), n, f.Get("reason-"+strconv.Itoa(n)))
		return err
	})
}

// formPDF hands out the filled form for print.
func (p *Pages) formPDF(w http.ResponseWriter, r *http.Request) error {
	return sendFormPDF(p.Service, w, r)
}

func sendFormPDF(s *Service, w http.ResponseWriter, r *http.Request) error {
	f, err := s.DeadlineForm(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := WriteDeadlineForm(&out, f, web.WordsOf(r)); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+f.Form.ID+`.pdf"`)
	h.Set("Cache-Control", "no-store")
	w.Write(out.Bytes())
	return nil
}

// formJSON hands out the filled form for machines.
func (p *Pages) formJSON(w http.ResponseWriter, r *http.Request) error {
	f, err := p.DeadlineForm(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), deadlineRule(r))
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="`+f.Form.ID+`.json"`)
	h.Set("Cache-Control", "no-store")
	w.Write(append(raw, '\n'))
	return nil
}
