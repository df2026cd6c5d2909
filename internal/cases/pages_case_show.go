package cases

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// How many items of a kind the page of a case shows; all of them stand on a page of their own.
const (
	caseShowsEntries = 20
	caseShowsOthers  = 15
)

// caseEntry is a row of "case-timeline" and of "case-notes".
type caseEntry struct {
	Item   Item
	Class  string // of the dot: main, bad, ok or empty
	Title  string
	Text   string // Markdown
	Says   string // plain words of the page's own, after the text
	By     string
	Href   string // of the item
	Known  bool   // it is the moment of awareness: clocks run from here
	Struck bool
}

// caseSheet is one case as its page is made of it.
type caseSheet struct {
	CaseView
	p     *Pages
	ctx   context.Context
	by    polder.Actor
	words web.Words
	names *casesNamed
	home  string
	level stix.Marking // the strictest that the page shows
}

// caseSheetOf reads the case of a request.
func (p *Pages) caseSheetOf(r *http.Request) (*caseSheet, error) {
	by, words := web.ActorOf(r), web.WordsOf(r)
	v, err := p.Case(r.Context(), by, CaseID(r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	return &caseSheet{CaseView: v, p: p, ctx: r.Context(), by: by, words: words, names: p.caseNames(r.Context(), words), home: casePath("/cases", string(v.ID)), level: v.Level}, nil
}

// works tells whether the reader adds and changes; leads, whether everything.
func (c *caseSheet) works() bool {
	return c.Access.Part == PartWork || c.leads()
}
func (c *caseSheet) leads() bool { return c.Access.Part == PartLead }

// items are those of a kind, the latest first, at most n.
func (c *caseSheet) items(kind ItemKind, n int) ([]Item, error) {
	page, err := c.p.Items(c.ctx, c.by, c.ID, ItemFilter{Kind: kind, Limit: n})
	for _, it := range page.Items {
		c.level = caseStricter(c.level, it.Level)
	}
	return page.Items, err
}

// item is the address of an item.
func (c *caseSheet) item(it Item) string { return casePath(c.home, "items", it.ID) }

// who made an item.
func (c *caseSheet) who(it Item) string { return c.names.person(it.MadeBy, it.Org) }

// casePage is the page of one case.
func (p *Pages) casePage(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	if c.Access.Part == PartContact {
		return p.caseHeaderPage(w, r, c)
	}
	v := caseView{Even: true, Actions: c.actions()}
	for _, add := range []func(*caseView) error{c.addNotices, c.addClocks, c.addTimeline, c.addObservables, c.addEvidence, c.addTasks, c.addDecisions, c.addNotes, c.addTeam, c.addJewels, c.addShared, c.addRelated, c.addAbout} {
		if err := add(&v); err != nil {
			return err
		}
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: caseTitle(c.words, c.CaseView), Lede: caseFirstLine(c.Summary, 400), TLP: c.level, Crumbs: []web.Link{{Text: c.words.T("cases.nav"), Href: "/cases"}}, Facts: c.facts(), Data: v})
	return nil
}

// actions are what the reader can do with the whole case.
func (c *caseSheet) actions() []web.Action {
	var out []web.Action
	if c.works() && c.Status != StatusClosed {
		out = append(out, web.Action{Label: c.words.T("cases.add.entry.short"), Href: casePath(c.home, "add", "entry"), Icon: "plus", Shortcut: "e"})
		if !c.Header {
			out = append(out, web.Action{Label: c.words.T("cases.edit"), Href: c.home + "/edit", Icon: "pen"})
		}
	}
	out = append(out, web.Action{Label: c.words.T("cases.export"), Href: c.home + "/export", Icon: "save"})
	switch {
	case !c.works() || !c.Access.Own || c.Header:
	case c.Status == StatusClosed:
		out = append(out, web.Action{Label: c.words.T("cases.reopen"), Href: c.home + "/status"})
	default:
		out = append(out, web.Action{Label: c.words.T("cases.status.move"), Href: c.home + "/status", Primary: true})
	}
	return out
}

// facts is the line below the heading; what the reader may not know of the case's own fields is not in it.
func (c *caseSheet) facts() []web.Pair {
	t := c.words.T
	out := []web.Pair{{Term: t("cases.case"), Text: string(c.ID), Code: true}}
	add := func(key, text string) {
		if text != "" {
			out = append(out, web.Pair{Term: t(key), Text: text})
		}
	}
	if !c.Aware.IsZero() {
		add("cases.known", c.words.When(c.Aware))
	}
	add("cases.road", caseRoadsText(c.words, c.Roads))
	add("cases.class.short", caseClassText(c.words, c.Class))
	add("cases.severity.short", caseWord(c.words, "cases.severity.", c.Severity))
	add("cases.status", caseWord(c.words, "cases.status.", c.Status))
	add("cases.victim.short", web.Clip(c.Victim, 80))
	add("cases.crosses", c.crosses())
	return out
}

// crosses says whether the case touches more than one country.
func (c *caseSheet) crosses() string {
	switch {
	case c.Crosses:
		return c.words.T("cases.crosses.yes", "countries", strings.Join(c.Countries, ", "))
	case len(c.Countries) > 0:
		return c.words.T("cases.crosses.no", "countries", strings.Join(c.Countries, ", "))
	}
	return ""
}

// addNotices says on top what decides about the whole page.
func (c *caseSheet) addNotices(v *caseView) error {
	if c.Status == StatusClosed {
		v.Alerts = append(v.Alerts, web.Alert{Title: c.words.T("cases.closed.since", "at", c.Closed), Text: c.words.T("cases.closed.text")})
	}
	if !c.Archived.IsZero() {
		v.Alerts = append(v.Alerts, web.Alert{Title: c.words.T("cases.archived.since", "at", c.Archived)})
	}
	if c.Header {
		v.Alerts = append(v.Alerts, web.Alert{Title: c.words.T("cases.below"), Text: c.words.T("cases.below.text", "level", c.Access.Ceiling)})
	}
	if !c.Access.Own {
		v.Alerts = append(v.Alerts, web.Alert{Title: c.words.T("cases.guest", "org", c.OrgName), Text: c.words.T("cases.guest.text", "level", c.Access.Ceiling)})
	}
	return nil
}

// addTimeline tells what happened, the latest first, with the moment of awareness in its place.
func (c *caseSheet) addTimeline(v *caseView) error {
	all, err := c.items(ItemEntry, caseShowsEntries)
	if err != nil {
		return err
	}
	rows := make([]caseEntry, 0, len(all)+1)
	for _, it := range all {
		rows = append(rows, c.entry(it))
	}
	if rows, err = c.withOthers(rows); err != nil {
		return err
	}
	if !c.Aware.IsZero() && (len(all) < caseShowsEntries || c.Aware.After(all[len(all)-1].At)) {
		known := caseEntry{Item: Item{At: c.Aware}, Class: "bad", Title: c.words.T("cases.known.entry", "org", caseOr(c.OrgName, c.words.T("cases.case"))), Text: c.Noticed, Known: true}
		at := slices.IndexFunc(rows, func(e caseEntry) bool { return e.Item.At.Before(c.Aware) })
		if at < 0 {
			at = len(rows)
		}
		rows = slices.Insert(rows, at, known)
	}
	b := caseBlock(c.words.T("cases.happened"), "", "case-timeline", rows)
	c.more(&b, ItemEntry, "cases.add.entry")
	v.add(b)
	c.rest(v, ItemEntry, len(all), true)
	return nil
}

// withOthers adds to the timeline what organisations with whom the case is shared added to it, each in its place.
func (c *caseSheet) withOthers(rows []caseEntry) ([]caseEntry, error) {
	others, err := c.p.FromOthers(c.ctx, c.by, c.ID)
	for _, it := range others {
		c.level = caseStricter(c.level, it.Level)
		e := c.entry(it)
		e.Href = "" // it is kept in the exchange, and has no page of its own here
		if e.Item.At.IsZero() {
			e.Item.At = it.Made
		}
		if it.Observable != nil {
			e.Says = caseDefang(it.Observable.Type, it.Observable.Value)
		}
		rows = append(rows, e)
	}
	slices.SortStableFunc(rows, func(a, b caseEntry) int { return b.Item.At.Compare(a.Item.At) })
	return rows, err
}

// entry is an item as the timeline tells it.
func (c *caseSheet) entry(it Item) caseEntry {
	e := caseEntry{Item: it, Title: caseItemTitle(c.words, it), Text: it.Text, By: c.who(it), Href: c.item(it), Struck: !it.Struck.IsZero()}
	switch {
	case it.Weighs:
		e.Class = "main"
	case it.Kind == ItemDecision:
		e.Class = "ok"
	}
	if it.Erased {
		e.Title, e.Text = c.words.T("cases.item.erased"), ""
	}
	if it.Decision != nil {
		e.Says = c.words.T("cases.decision.because", "reason", it.Decision.Reason)
		e.By = c.names.person(it.Decision.Person, it.Org)
		e.Struck = e.Struck || it.Decision.SupersededBy != ""
	}
	return e
}

// caseItemTitle is what an item is called.
func caseItemTitle(words web.Words, it Item) string {
	switch {
	case it.Erased:
		return words.T("cases.item.erased")
	case it.Observable != nil && it.Title == it.Observable.Value:
		return caseDefang(it.Observable.Type, it.Observable.Value)
	case it.Title != "":
		return it.Title
	case it.Observable != nil:
		return caseDefang(it.Observable.Type, it.Observable.Value)
	case it.Evidence != nil && it.Evidence.Name != "":
		return it.Evidence.Name
	case it.Link != nil && it.Link.Title != "":
		return it.Link.Title
	case strings.TrimSpace(it.Text) != "":
		return caseFirstLine(it.Text, 120)
	}
	return words.T("cases.item." + string(it.Kind))
}

// caseDefang writes a value that bites so that nobody follows it by accident.
func caseDefang(kind indicator.Kind, value string) string {
	switch kind {
	case indicator.IPv4, indicator.CIDR, indicator.Domain, indicator.URL, indicator.Email:
		return web.Defang(value)
	}
	return value
}

// more leads from a block to the form that adds to it, for who may; for others to all of its kind.
func (c *caseSheet) more(b *web.Block, kind ItemKind, key string) {
	if c.works() && c.Status != StatusClosed {
		b.More = web.Link{Text: c.words.T(key), Href: casePath(c.home, "add", string(kind))}
	}
}

// rest leads to all items of a kind where the page shows only some.
func (c *caseSheet) rest(v *caseView, kind ItemKind, shown int, main bool) {
	if c.Counts[kind] <= shown {
		return
	}
	b := caseBlock(c.words.T("cases.all."+string(kind), "n", c.Counts[kind]), "", "case-marks", []web.Mark{{Icon: "list", Text: c.words.T("cases.all.shown", "n", shown), Href: casePath(c.home, "all", string(kind))}})
	if main {
		v.add(b)
		return
	}
	v.beside(b)
}

// addObservables shows values that were seen, and where else they are known.
func (c *caseSheet) addObservables(v *caseView) error {
	all, err := c.items(ItemObservable, caseShowsOthers)
	if err != nil {
		return err
	}
	t, err := c.observables(all)
	if err != nil {
		return err
	}
	b := caseBlock(c.words.T("cases.observables"), "", "case-values", t)
	c.more(&b, ItemObservable, "cases.add.observable")
	v.add(b)
	c.rest(v, ItemObservable, len(all), true)
	return nil
}

// caseValue is a row of "case-values".
type caseValue struct {
	Shown, Whole string // as people read it, and as it is copied
	Href         string
	Type         string
	Level        stix.Marking
	Title        string
	Bad          bool
	Seen         string
	Known        []web.Link // objects of the exchange about it
	Cases        []web.Link // other cases that hold it
	Class        string
}

// caseValueTable is the data of "case-values".
type caseValueTable struct {
	Label string
	Rows  []caseValue
	Empty web.Empty
}

// caseKnownShown is how many objects of the exchange stand at a value.
const caseKnownShown = 3

func (c *caseSheet) observables(all []Item) (caseValueTable, error) {
	t := caseValueTable{Label: c.words.T("cases.observables"), Empty: c.nothing("target", "cases.observables.none", "cases.observables.none-text", ItemObservable, "cases.add.observable")}
	for _, it := range all {
		if it.Observable == nil {
			continue
		}
		o := it.Observable
		row := caseValue{Shown: web.Clip(caseDefang(o.Type, o.Value), 200), Whole: o.Value, Href: c.item(it), Type: c.kind(o.Type), Level: it.Level, Title: it.Title, Bad: o.Bad, Seen: c.span(o)}
		look, err := c.p.LookUp(c.ctx, c.by, c.ID, it.ID)
		if err != nil {
			return t, err
		}
		if it.Title == o.Value { // it was given no title of its own
			row.Title = ""
		}
		row.Known, row.Cases = c.knownLinks(look, caseKnownShown)
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// knownLinks are what the exchange and other cases hold of a value, at most n of each.
func (c *caseSheet) knownLinks(look ItemLookUp, n int) (known, cases []web.Link) {
	for _, k := range look.Known[:min(n, len(look.Known))] {
		known = append(known, web.Link{Text: c.words.T("cases.known.in", "what", web.Clip(caseOr(k.Title, k.Type), 80), "community", k.CommunityName), Href: k.Href})
	}
	for _, o := range look.Cases[:min(n, len(look.Cases))] {
		cases = append(cases, web.Link{Text: web.Clip(caseOr(o.Title, c.words.T("cases.untitled")), 80), Href: casePath("/cases", string(o.ID))})
	}
	return known, cases
}

// kind is what a value is, in words.
func (c *caseSheet) kind(k indicator.Kind) string {
	if key := "cases.value." + string(k); c.words.Has(key) {
		return c.words.T(key)
	}
	return string(k)
}

// span says when a value was first and last seen.
func (c *caseSheet) span(o *Observable) string {
	switch {
	case o.First.IsZero() && o.Last.IsZero():
		return ""
	case o.Last.IsZero() || o.First.Equal(o.Last):
		return c.words.When(o.First)
	case o.First.IsZero():
		return c.words.When(o.Last)
	}
	return c.words.T("cases.span", "from", o.First, "to", o.Last)
}

// nothing says what would be here, and what to do first.
func (c *caseSheet) nothing(icon, title, text string, kind ItemKind, add string) web.Empty {
	e := web.Empty{Icon: icon, Title: c.words.T(title), Text: c.words.T(text)}
	if c.works() && c.Status != StatusClosed {
		e.Actions = []web.Action{{Label: c.words.T(add), Href: casePath(c.home, "add", string(kind))}}
	}
	return e
}

// addEvidence shows what is kept as evidence.
func (c *caseSheet) addEvidence(v *caseView) error {
	all, err := c.items(ItemEvidence, caseShowsOthers)
	if err != nil {
		return err
	}
	b := caseBlock(c.words.T("cases.evidence"), "", "case-table", c.evidenceTable(all))
	c.more(&b, ItemEvidence, "cases.add.evidence")
	v.add(b)
	c.rest(v, ItemEvidence, len(all), true)
	return nil
}

func (c *caseSheet) evidenceTable(all []Item) caseTable {
	t := caseTable{Label: c.words.T("cases.evidence"), Heads: web.PlainHeads(c.words.T("cases.evidence.what"), c.words.T("cases.evidence.where"), "SHA-256", c.words.T("cases.evidence.last")), Empty: c.nothing("lock", "cases.evidence.none", "cases.evidence.none-text", ItemEvidence, "cases.add.evidence")}
	for _, it := range all {
		e := it.Evidence
		if e == nil {
			continue
		}
		row := caseRow{Name: caseItemTitle(c.words, it), Href: c.item(it), Level: it.Level, Sub: e.Name, Cells: []caseCell{{Text: caseOr(e.Where, c.words.T("cases.evidence.here"))}, {Text: e.SHA256, Code: e.SHA256 != ""}, {}}}
		if e.Size > 0 {
			row.Cells[0].Sub = c.words.Size(e.Size)
		}
		if e.Name == row.Name {
			row.Sub = ""
		}
		if n := len(e.Custody); n > 0 {
			last := e.Custody[n-1]
			row.Cells[2] = caseCell{At: last.At, Sub: c.words.T("cases.custody.by", "did", caseCustodyText(c.words, last.Did), "who", c.names.person(last.Person, it.Org))}
		}
		t.add(row)
	}
	return t
}

// caseCustodyText is a step of custody in words; one that is not known as it stands.
func caseCustodyText(words web.Words, did string) string {
	if key := "cases.custody." + strings.ReplaceAll(did, " ", "-"); words.Has(key) {
		return words.T(key)
	}
	return did
}

// addTasks shows what is to be done, the most urgent first.
func (c *caseSheet) addTasks(v *caseView) error {
	all, err := c.items(ItemTask, caseShowsOthers)
	if err != nil {
		return err
	}
	b := caseBlock(c.words.T("cases.tasks"), "", "case-table", c.taskTable(all))
	c.more(&b, ItemTask, "cases.add.task")
	v.beside(b)
	c.rest(v, ItemTask, len(all), false)
	return nil
}

func (c *caseSheet) taskTable(all []Item) caseTable {
	t := caseTable{Label: c.words.T("cases.tasks"), Heads: web.PlainHeads(c.words.T("cases.task.what"), c.words.T("cases.task.owner"), c.words.T("cases.task.due"), c.words.T("cases.task.state")), Empty: c.nothing("check", "cases.tasks.none", "cases.tasks.none-text", ItemTask, "cases.add.task")}
	slices.SortStableFunc(all, func(a, b Item) int { return caseTaskRank(a).compare(caseTaskRank(b)) })
	now := c.p.o.Now()
	for _, it := range all {
		if it.Task == nil {
			continue
		}
		row := caseRow{Name: caseItemTitle(c.words, it), Href: c.item(it), Level: it.Level, Cells: []caseCell{{Text: c.words.T("cases.task.nobody")}, {At: it.At}, {}}}
		if it.Task.Owner != "" {
			row.Cells[0].Text = c.names.person(it.Task.Owner, it.Org)
		}
		about := web.Clip(row.Name, 60)
		switch {
		case !it.Task.Done.IsZero():
			row.Cells[2] = caseCell{Mark: caseMark{"ok", "check", c.words.T("cases.task.done")}}
		case c.works() && c.Status != StatusClosed:
			row.Cells[2] = caseCell{Buttons: []caseButton{{Action: casePath(c.item(it), "done"), Label: c.words.T("cases.task.finish"), About: about, Hidden: []web.Hidden{{Name: "done", Value: "yes"}}}}}
		default:
			row.Cells[2] = caseCell{Mark: caseMark{"", "clock", c.words.T("cases.task.open")}}
		}
		if it.Task.Done.IsZero() && !it.At.IsZero() && it.At.Before(now) {
			row.Cells[1].Mark = caseMark{"bad", "alert", c.words.T("cases.task.late")}
		}
		t.add(row)
	}
	return t
}

// caseRank orders tasks: those to be done first, the most urgent of them first, without a time last.
type caseRank struct {
	done bool
	at   int64
}

func caseTaskRank(it Item) caseRank {
	r := caseRank{done: it.Task != nil && !it.Task.Done.IsZero(), at: it.At.Unix()}
	if it.At.IsZero() {
		r.at = 1 << 62
	}
	return r
}

func (a caseRank) compare(b caseRank) int {
	switch {
	case a.done != b.done && b.done, a.done == b.done && a.at < b.at:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// addDecisions shows what was decided, and why.
func (c *caseSheet) addDecisions(v *caseView) error {
	return c.addWritten(v, ItemDecision, "cases.decisions", "cases.add.decision", web.Empty{Icon: "question", Title: c.words.T("cases.decisions.none"), Text: c.words.T("cases.decisions.none-text")}, "case-timeline")
}

// addNotes shows what people wrote down.
func (c *caseSheet) addNotes(v *caseView) error {
	return c.addWritten(v, ItemNote, "cases.notes", "cases.add.note", web.Empty{Icon: "pen", Title: c.words.T("cases.notes.none"), Text: c.words.T("cases.notes.none-text")}, "case-notes")
}

func (c *caseSheet) addWritten(v *caseView, kind ItemKind, title, add string, empty web.Empty, template string) error {
	all, err := c.items(kind, caseShowsOthers)
	if err != nil {
		return err
	}
	var rows []caseEntry
	for _, it := range all {
		rows = append(rows, c.entry(it))
	}
	b := caseBlock(c.words.T(title), "", template, rows)
	if len(rows) == 0 {
		empty.Actions = c.nothing("", add, add, kind, add).Actions
		b = caseBlock(c.words.T(title), "", "case-nothing", empty)
	}
	c.more(&b, kind, add)
	v.beside(b)
	c.rest(v, kind, len(all), false)
	return nil
}

// addTeam shows who was let in.
func (c *caseSheet) addTeam(v *caseView) error {
	all, err := c.p.Members(c.ctx, c.by, c.ID)
	if err != nil {
		return err
	}
	t := caseTable{Label: c.words.T("cases.team"), Heads: web.PlainHeads(c.words.T("cases.team.who"), c.words.T("cases.team.part"), c.words.T("cases.team.ceiling"))}
	for _, m := range all {
		t.add(c.memberRow(m))
	}
	b := caseBlock(c.words.T("cases.team"), c.words.T("cases.team.only"), "case-table", t)
	if c.leads() {
		b.More = web.Link{Text: c.words.T("cases.team.change"), Href: c.home + "/members"}
	}
	v.beside(b)
	return nil
}

func (c *caseSheet) memberRow(m Member) caseRow {
	row := caseRow{Name: m.Name, Cells: []caseCell{{Text: c.words.T("cases.part." + string(m.Part))}, {Text: c.words.T("cases.ceiling", "level", m.Ceiling)}}}
	if row.Name == "" {
		row.Name = c.names.person(m.Person, m.Org)
	}
	if m.Person == "" {
		row.Sub = c.words.T("cases.team.org")
	}
	return row
}

// addJewels shows which crown jewels the case touches, and what was taken; for the own organisation alone.
func (c *caseSheet) addJewels(v *caseView) error {
	if !c.Access.Own || c.Header {
		return nil
	}
	d, err := c.p.Damage(c.ctx, c.by, c.ID)
	if polder.KindOf(err) == polder.Forbidden && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	var marks []web.Mark
	for _, j := range d.Touched {
		marks = append(marks, web.Mark{Icon: "target", Text: c.words.T("cases.jewel.touched", "name", j.Name, "technology", caseOr(strings.Join(j.Technology, ", "), "–")), Href: casePath("/cases/jewels", j.ID)})
	}
	if len(marks) == 0 {
		marks = append(marks, web.Mark{Icon: "question", Text: c.words.T("cases.jewels.none-touched")})
	}
	if d.Signed {
		c.level = caseStricter(c.level, d.Level)
		marks = append(marks, web.Mark{Class: "yes", Text: c.words.T("cases.damage.signed", "taken", c.words.T("cases.taken."+string(d.Taken)), "at", d.Assessed), Href: c.home + "/damage"})
	} else if c.works() {
		marks = append(marks, web.Mark{Class: "mind", Text: c.words.T("cases.damage.due"), Href: c.home + "/damage"})
	}
	b := caseBlock(c.words.T("cases.damage"), "", "case-marks", marks)
	if c.works() && c.Status != StatusClosed {
		b.More = web.Link{Text: c.words.T("cases.jewels.choose"), Href: c.home + "/jewels"}
	}
	v.add(b)
	return nil
}

// addShared says what left, and to whom; for who may let something out.
func (c *caseSheet) addShared(v *caseView) error {
	if !c.works() || c.Header {
		return nil
	}
	marks := []web.Mark{{Icon: "lock", Text: c.words.T("cases.leave.stays")}, {Icon: "share", Text: c.words.T("cases.leave.release"), Href: c.home + "/release"}}
	left, err := c.p.ReleasedOf(c.ctx, c.by, c.ID)
	if err != nil {
		return err
	}
	for _, o := range left[:min(len(left), caseShowsOthers)] {
		c.level = caseStricter(c.level, o.Level)
		marks = append(marks, web.Mark{Class: "yes", Text: c.words.T("cases.leave.left", "what", web.Defang(web.Clip(o.Says, 120)), "community", o.Community, "level", o.Level), Href: casePath("/objects", o.Object)})
	}
	if c.leads() && c.Access.Own {
		all, err := c.p.Sharings(c.ctx, c.by, c.ID)
		if err != nil {
			return err
		}
		for _, one := range all {
			if !one.Stopped.IsZero() {
				continue
			}
			m := web.Mark{Class: "yes", Text: c.words.T("cases.leave.with", "org", caseOr(one.Name, c.names.org(one.Org)), "level", one.Ceiling), Href: c.home + "/sharing"}
			if one.Behind {
				m.Class, m.Text = "mind", m.Text+": "+c.words.T("cases.sharing.is-behind")
			}
			marks = append(marks, m)
		}
		marks = append(marks, web.Mark{Icon: "people", Text: c.words.T("cases.leave.case"), Href: c.home + "/sharing"})
		if c.Crosses {
			m := web.Mark{Class: "mind", Text: c.words.T("cases.leave.tell"), Href: c.home + "/tell"}
			if !c.Announced.IsZero() {
				m = web.Mark{Class: "yes", Text: c.words.T("cases.leave.told", "at", c.Announced), Href: c.home + "/tell"}
			}
			marks = append(marks, m)
		}
	}
	v.beside(caseBlock(c.words.T("cases.leave"), "", "case-marks", marks))
	return nil
}

// addRelated shows cases that are linked, cases that hold one of the same values, and the report that it came from.
func (c *caseSheet) addRelated(v *caseView) error {
	links, err := c.items(ItemLink, caseShowsOthers)
	if err != nil {
		return err
	}
	alike, err := c.p.SimilarCases(c.ctx, c.by, c.ID)
	if err != nil {
		return err
	}
	var marks []web.Mark
	for _, it := range links {
		if it.Link != nil {
			marks = append(marks, web.Mark{Icon: "chain", Text: c.words.T("cases.link.is", "title", caseOr(it.Link.Title, c.words.T("cases.untitled")), "why", caseOr(caseFirstLine(caseOr(it.Title, it.Text), 120), c.words.T("cases.link.plain"))), Href: casePath("/cases", string(it.Link.To))})
		}
	}
	for _, o := range alike[:min(len(alike), caseShowsOthers)] {
		c.level = caseStricter(c.level, o.Level)
		marks = append(marks, web.Mark{Icon: "target", Text: c.words.T("cases.link.alike", "title", caseOr(o.Title, c.words.T("cases.untitled")), "value", web.Defang(web.Clip(o.Why, 80))), Href: casePath("/cases", string(o.ID))})
	}
	if c.Report != "" && c.Access.Own {
		marks = append(marks, web.Mark{Icon: "bell", Text: c.words.T("cases.link.report"), Href: casePath("/cases/reports", c.Report)})
	}
	if len(marks) == 0 {
		marks = append(marks, web.Mark{Icon: "question", Text: c.words.T("cases.link.none")})
	}
	b := caseBlock(c.words.T("cases.links"), "", "case-marks", marks)
	c.more(&b, ItemLink, "cases.add.link")
	v.beside(b)
	return nil
}

// addAbout shows the case's own fields that are not on top, and leads to its history.
func (c *caseSheet) addAbout(v *caseView) error {
	t := c.words.T
	rows := []web.Pair{{Term: t("cases.opened"), Text: t("cases.by", "at", c.Opened, "who", c.names.person(c.OpenedBy, c.Org))}}
	add := func(key, text string) {
		if text != "" {
			rows = append(rows, web.Pair{Term: t(key), Text: text})
		}
	}
	if !c.Changed.IsZero() {
		add("cases.changed", c.words.When(c.Changed))
	}
	add("cases.rsit", c.Class)
	add("cases.noticed.short", web.Clip(c.Noticed, 400))
	if !c.Occurred.IsZero() {
		add("cases.occurred.short", c.words.When(c.Occurred))
	}
	if !c.Ended.IsZero() {
		add("cases.ended.short", c.words.When(c.Ended))
	}
	add("cases.sector", c.Sector)
	rows = append(rows, web.Pair{Term: t("cases.history"), Text: t("cases.history.open"), Href: c.home + "/history"})
	if len(c.Summary) > 400 || strings.Contains(strings.TrimSpace(c.Summary), "\n") {
		v.add(caseBlock(t("cases.summary.short"), "", "case-written", c.Summary))
	}
	v.beside(caseBlock(t("cases.about"), "", "case-facts", rows))
	return nil
}

// caseHeaderPage is what a country's single point of contact sees: that the case crosses borders, and how far it is.
func (p *Pages) caseHeaderPage(w http.ResponseWriter, r *http.Request, c *caseSheet) error {
	t := c.words.T
	v := caseView{}
	rows := []web.Pair{{Term: t("cases.status"), Text: t("cases.status." + string(c.Status))}, {Term: t("cases.class.short"), Text: caseClassText(c.words, c.Class)}, {Term: t("cases.severity.short"), Text: caseWord(c.words, "cases.severity.", c.Severity)}, {Term: t("cases.countries"), Text: caseOr(strings.Join(c.Countries, ", "), "–")}}
	v.add(caseBlock(t("cases.header"), "", "case-facts", rows))
	v.add(caseBlock(t("cases.header.why"), "", "case-marks", []web.Mark{{Icon: "lock", Text: t("cases.header.only")}, {Icon: "out", Text: t("cases.border"), Href: "/cases/border"}}))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: caseTitle(c.words, c.CaseView), Lede: t("cases.header.lede", "org", c.OrgName), TLP: c.Level, Crumbs: []web.Link{{Text: t("cases.nav"), Href: "/cases"}}, Data: v})
	return nil
}
