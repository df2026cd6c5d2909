package cases

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// caseListView is the data of templates/caselist.html.
type caseListView struct {
	Tabs    []caseTab
	Alerts  []web.Alert
	Actions []web.Action
	Facets  web.Facets
	Chosen  []web.Link // each leads to the page without it
	Find    *caseFind
	Count   string
	Note    string
	Table   caseTable
	Below   []web.Block
}

// caseFind looks for a text in a list. It is posted, since an address must not hold what is looked for.
type caseFind struct{ Action, Label, Value string }

// caseFound is what a posted form looks for; "" when nothing was posted.
func caseFound(r *http.Request) (string, error) {
	if r.Method != http.MethodPost {
		return "", nil
	}
	values, err := web.Form(r)
	return strings.TrimSpace(values.Get("find")), err
}

// caseMine is the choice of the cases that the reader leads.
const caseMine = "mine"

// caseFilterOf is what an address asks of the list.
func caseFilterOf(q url.Values) CaseFilter {
	f := CaseFilter{Status: Status(q.Get("status")), Class: q.Get("class"), Severity: Severity(q.Get("severity")), Road: Road(q.Get("road")), Kind: Kind(q.Get("kind")), Leads: q.Get("with") == caseMine, Sort: CaseSort(strings.TrimPrefix(q.Get("sort"), "-")), Next: q.Get("next")}
	switch q.Get("status") {
	case "":
		f.Open = true
	case "all":
		f.Status = ""
	case "archived":
		f.Status, f.Archived = "", true
	}
	return f
}

// caseNarrows tells whether an address asks for less than all that is open.
func caseNarrows(q url.Values) bool {
	for _, name := range []string{"status", "class", "severity", "road", "kind", "with"} {
		if q.Get(name) != "" {
			return true
		}
	}
	return false
}

// caseList is the list of cases.
func (p *Pages) caseList(w http.ResponseWriter, r *http.Request) error {
	words, by, at := web.WordsOf(r), web.ActorOf(r), r.URL
	find, err := caseFound(r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodPost {
		at = &url.URL{Path: "/cases"}
	}
	q := at.Query()
	f := caseFilterOf(q)
	if f.Text = find; find != "" {
		f.Open, f.Limit = false, 200
	}
	page, err := p.Cases(r.Context(), by, f)
	if err != nil {
		return err
	}
	totals, err := p.CaseCounts(r.Context(), by)
	if err != nil {
		return err
	}
	due, err := p.caseNextDue(r.Context(), by, words, page.Cases)
	if err != nil {
		return err
	}
	v := caseListView{Tabs: caseTabs(words, by, "/cases"), Find: &caseFind{"/cases/find", words.T("cases.find"), find}, Count: words.T("cases.count", "n", totals.Open+totals.Contained)}
	narrows := caseNarrows(q) || find != ""
	if narrows {
		v.Count = words.T("cases.chosen", "n", len(page.Cases))
	}
	if web.Contributor.Allows(by) {
		v.Actions = append(v.Actions, web.Action{Label: words.T("cases.new"), Href: "/cases/new", Icon: "plus", Primary: true, Shortcut: "n"})
	}
	v.Facets, v.Chosen = web.OneOfEach(caseFacets(words, at, f, totals), words.T("cases.list.open"), words.T("cases.list.any"))
	v.Table = caseListTable(words, at, page.Cases, due, caseListEmpty(words, by, narrows))
	if find == "" { // the address of a next page would have to hold what is looked for
		v.Table.Pager = web.NextPart(at, page.Next, f.Next != "")
	}
	more, err := p.caseListBelow(r.Context(), words, by)
	if err != nil {
		return err
	}
	v.Below = more
	p.site.Render(w, r, web.Page{Template: "cases/caselist", Title: words.T("cases.nav"), Lede: caseListLede(words, totals), Data: v})
	return nil
}

// caseListLede is the answer in a sentence: how much is open, and whether any of it is critical.
func caseListLede(words web.Words, t CaseTotals) string {
	open := t.Open + t.Contained
	switch {
	case open == 0:
		return words.T("cases.lede.calm")
	case t.Critical > 0:
		return words.T("cases.lede.critical", "n", t.Critical)
	}
	return words.T("cases.lede.open", "n", open)
}

// caseFacets are what the list can be narrowed by.
func caseFacets(words web.Words, at *url.URL, f CaseFilter, t CaseTotals) web.Facets {
	q := at.Query()
	group := func(name, key string, options ...web.FacetOption) web.FacetGroup {
		return web.FacetGroup{Name: name, Legend: words.T(key), Options: options}
	}
	status := group("status", "cases.status")
	counts := map[Status]int{StatusOpen: t.Open, StatusContained: t.Contained, StatusClosed: t.Closed}
	for _, s := range caseStatuses {
		status.Options = append(status.Options, web.FacetOption{Value: string(s), Label: words.T("cases.status." + string(s)), Count: counts[s], Chosen: f.Status == s})
	}
	status.Options = append(status.Options, web.FacetOption{Value: "all", Label: words.T("cases.list.all"), Chosen: q.Get("status") == "all"}, web.FacetOption{Value: "archived", Label: words.T("cases.list.archived"), Chosen: f.Archived})
	severity, road, kind := group("severity", "cases.severity.short"), group("road", "cases.road"), group("kind", "cases.kind.short")
	for _, s := range slices.Backward(caseSeverities) {
		severity.Options = append(severity.Options, web.FacetOption{Value: string(s), Label: words.T("cases.severity." + string(s)), Chosen: f.Severity == s})
	}
	for _, s := range caseRoads {
		road.Options = append(road.Options, web.FacetOption{Value: string(s), Label: words.T("cases.road." + string(s)), Chosen: f.Road == s})
	}
	for _, s := range caseKinds {
		kind.Options = append(kind.Options, web.FacetOption{Value: string(s), Label: words.T("cases.kind." + string(s)), Chosen: f.Kind == s})
	}
	groups := []web.FacetGroup{status, group("with", "cases.list.whose", web.FacetOption{Value: caseMine, Label: words.T("cases.list.mine"), Chosen: f.Leads}), severity, road, kind}
	if f.Class != "" { // chosen on a page of a case; the whole taxonomy would fill the column
		groups = append(groups, group("class", "cases.class.short", web.FacetOption{Value: f.Class, Label: caseClassText(words, f.Class), Chosen: true}))
	}
	return web.Facets{At: at, Keep: []string{"sort"}, Groups: groups}
}

// caseDue is the next deadline of a case that was not met yet.
type caseDue struct {
	What string
	At   time.Time
	Mark caseMark
}

func caseListTable(words web.Words, at *url.URL, all []CaseView, due map[CaseID]caseDue, empty web.Empty) caseTable {
	sort := at.Query().Get("sort")
	if sort == "" {
		sort = "-" + string(CasesByOpened)
	}
	t := caseTable{Label: words.T("cases.nav"), Empty: empty, Heads: web.Heads(at, sort, web.Column{Label: words.T("cases.case")}, web.Column{Label: words.T("cases.list.due")}, web.Column{Key: string(CasesBySeverity), Label: words.T("cases.severity.short"), Down: true},
		web.Column{Label: words.T("cases.status")}, web.Column{Label: words.T("cases.road")}, web.Column{Key: string(CasesByOpened), Label: words.T("cases.opened"), Down: true}, web.Column{Key: string(CasesByChanged), Label: words.T("cases.changed"), Down: true})}
	for i := range t.Heads { // each order is from the latest, or the worst, alone
		if t.Heads[i].Order != "" {
			t.Heads[i].Href = ""
		}
	}
	for _, c := range all {
		row := caseRow{Name: caseTitle(words, c), Href: casePath("/cases", string(c.ID)), Level: c.Level, Sub: caseClassText(words, c.Class)}
		d := due[c.ID]
		row.Cells = []caseCell{{At: d.At, Sub: d.What, Mark: d.Mark}, {Mark: caseSeverityMark(words, c.Severity)}, {Mark: caseStatusMark(words, c.Status)}, {Text: caseRoadsText(words, c.Roads)}, {At: c.Opened}, {At: c.Changed}}
		t.add(row)
	}
	return t
}

// caseTitle is what a case is called, as far as its reader may know.
func caseTitle(words web.Words, c CaseView) string {
	if c.Title == "" {
		return words.T("cases.untitled")
	}
	return web.Clip(c.Title, caseMaxTitle)
}

func caseListEmpty(words web.Words, by polder.Actor, narrowed bool) web.Empty {
	if narrowed {
		return web.Empty{Icon: "search", Title: words.T("cases.list.none-chosen"), Text: words.T("cases.list.none-chosen-text"), Actions: []web.Action{{Label: words.T("cases.list.all-open"), Href: "/cases"}}}
	}
	e := web.Empty{Icon: "flag", Title: words.T("cases.list.none"), Text: words.T("cases.list.none-text"), Actions: []web.Action{{Label: words.T("cases.list.report"), Href: "/report"}}}
	if web.Contributor.Allows(by) {
		e.Actions = append([]web.Action{{Label: words.T("cases.new"), Href: "/cases/new", Primary: true}}, e.Actions...)
	}
	return e
}

// caseListBelow is what a list of cases has below it: for stewards the titles of cases that the settings let them list, and
// for everybody the way to cases that cross borders.
func (p *Pages) caseListBelow(ctx context.Context, words web.Words, by polder.Actor) ([]web.Block, error) {
	var out []web.Block
	if web.Steward.Allows(by) {
		page, err := p.StewardCases(ctx, by, "")
		if err != nil {
			return nil, err
		}
		if len(page.Cases) > 0 {
			t := caseTable{Label: words.T("cases.steward"), Heads: web.PlainHeads(words.T("cases.case"), words.T("cases.status"), words.T("cases.opened")), Foot: words.T("cases.steward.note")}
			for _, c := range page.Cases {
				t.add(caseRow{Name: caseTitle(words, c), Level: c.Level, Cells: []caseCell{{Mark: caseStatusMark(words, c.Status)}, {At: c.Opened}}})
			}
			out = append(out, caseBlock(words.T("cases.steward"), "", "case-table", t))
		}
	}
	marks := []web.Mark{{Icon: "out", Text: words.T("cases.border"), Href: "/cases/border"}, {Icon: "doc", Text: words.T("cases.list.report"), Href: "/report"}}
	if web.Steward.Allows(by) {
		marks = append(marks, web.Mark{Icon: "key", Text: words.T("cases.settings"), Href: "/cases/settings"})
	}
	return append(out, caseBlock(words.T("cases.list.more"), "", "case-marks", marks)), nil
}

// caseNew shows the form of a new case.
func (p *Pages) caseNew(w http.ResponseWriter, r *http.Request) error {
	in := caseInput{Kind: KindIncident, Severity: SeverityMedium, Report: r.URL.Query().Get("report")}
	return p.showCaseNew(w, r, in, nil, nil)
}

func (p *Pages) showCaseNew(w http.ResponseWriter, r *http.Request, in caseInput, say []web.Alert, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	f := caseForm{Action: "/cases/new", Submit: words.T("cases.new.do"), Primary: true, Back: "/cases", MoreIs: words.T("cases.new.more"), Note: words.T("cases.new.note"), Also: &caseSubmit{"propose", "yes", words.T("cases.propose")}}
	f.Fields, f.More = in.fields(words, true)
	if in.Report != "" {
		f.Hidden = append(f.Hidden, web.Hidden{Name: "report", Value: in.Report})
	}
	jewels, err := p.caseJewelsField(r.Context(), words, by, in.Jewels)
	if err != nil {
		return err
	}
	if len(jewels.Options) > 0 {
		f.More = append(f.More, jewels)
	}
	v := caseView{Tabs: caseTabs(words, by, "/cases"), Alerts: say}
	if !caseBlame(&f, failed) {
		v.Alerts = append(v.Alerts, caseNotDone(words, failed)...)
	}
	v.Errors = f.errors()
	v.add(caseBlock(words.T("cases.new"), words.T("cases.new.later"), "case-form", f))
	v.beside(caseBlock(words.T("cases.new.who"), "", "case-marks", []web.Mark{{Icon: "lock", Text: words.T("cases.new.alone")}, {Icon: "people", Text: words.T("cases.new.team")}, {Icon: "clock", Text: words.T("cases.new.clocks")}, {Icon: "shield", Text: words.T("cases.new.never")}}))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: words.T("cases.new"), Lede: words.T("cases.new.lede"), Crumbs: []web.Link{{Text: words.T("cases.nav"), Href: "/cases"}}, Status: caseStatus(failed), Data: v})
	return nil
}

// openCase opens a case, or fills in what its words propose.
func (p *Pages) openCase(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	words, in := web.WordsOf(r), caseInputOf(values)
	if values.Get("propose") != "" {
		in, why := in.proposed(words)
		return p.showCaseNew(w, r, in, []web.Alert{why}, nil)
	}
	v, err := p.openCaseOf(r, words, in)
	if web.Mendable(err) {
		return p.showCaseNew(w, r, in, nil, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, casePath("/cases", string(v.ID)), "cases.opened.toast")
}

func (p *Pages) openCaseOf(r *http.Request, words web.Words, in caseInput) (CaseView, error) {
	aware, occurred, ended, err := in.times(words)
	if err != nil {
		return CaseView{}, err
	}
	if aware.IsZero() {
		return CaseView{}, polder.Errorf(polder.Invalid, "aware: %s", words.T("cases.aware.missing"))
	}
	return p.OpenCase(r.Context(), web.ActorOf(r), CaseNew{Title: in.Title, Summary: in.Summary, Kind: in.Kind, Roads: in.Roads, Class: in.Class, Severity: in.Severity, Level: in.Level, Aware: aware, Noticed: in.Noticed, Occurred: occurred, Ended: ended,
		Sector: in.Sector, Countries: caseCountries(in.Countries), Victim: in.Victim, Report: in.Report, Jewels: in.Jewels})
}

// caseJewelsField offers the crown jewels of the organisation; without options where there are none, or where they are not
// for this reader.
func (p *Pages) caseJewelsField(ctx context.Context, words web.Words, by polder.Actor, chosen []string) (web.Field, error) {
	f := web.Field{Name: "jewels", Label: words.T("cases.jewels"), Help: words.T("cases.jewels.help"), Many: true, Class: "across"}
	page, err := p.Jewels(ctx, by, JewelFilter{Limit: 200})
	if polder.KindOf(err) == polder.Forbidden && err != nil {
		return f, nil
	}
	for _, j := range page.Jewels {
		f.Options = append(f.Options, web.Option{Value: j.ID, Label: web.Clip(j.Name, caseMaxShort), Help: web.Clip(strings.Join(j.Technology, ", "), 80), Chosen: slices.Contains(chosen, j.ID)})
	}
	return f, err
}
