package cases

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file adds items to a case, shows one, and changes it.

// caseMaxValues is how many values one form takes, one on each line.
const caseMaxValues = 100

// caseKindOf is the kind that a path names.
func caseKindOf(r *http.Request) (ItemKind, error) {
	kind := ItemKind(r.PathValue("item"))
	if !slices.Contains(itemKinds, kind) {
		return "", polder.Errorf(polder.NotFound, "a case holds nothing of that kind")
	}
	return kind, nil
}

// caseDraft is an item as it was typed.
type caseDraft struct {
	Title, Text, At, Value, First, Last, Where, Reason, To string
	Owner                                                  polder.PersonID
	Level                                                  stix.Marking
	Weighs, Bad, Confirmed                                 bool
	Supersedes                                             string
	Version                                                int
}

func caseDraftOf(v url.Values) caseDraft {
	trim := func(name string) string { return strings.TrimSpace(caseLines(v.Get(name))) }
	d := caseDraft{Title: trim("title"), Text: trim("text"), At: trim("at"), Value: trim("value"), First: trim("first"), Last: trim("last"), Where: trim("where"), Reason: trim("reason"), To: trim("to"),
		Owner: polder.PersonID(v.Get("owner")), Weighs: v.Get("weighs") == "yes", Bad: v.Get("bad") == "yes", Confirmed: v.Get("confirmed") == "yes", Supersedes: v.Get("supersedes")}
	d.Level, _ = stix.ParseMarking(v.Get("tlp")) // none that is known: the service takes the case's
	d.Version, _ = strconv.Atoi(v.Get("version"))
	return d
}

// caseDraftFrom is the form of an item as it stands.
func caseDraftFrom(words web.Words, it Item) caseDraft {
	d := caseDraft{Title: it.Title, Text: it.Text, At: words.Input(it.At), Level: it.Level, Weighs: it.Weighs, Version: it.Version}
	if o := it.Observable; o != nil {
		d.Value, d.First, d.Last, d.Bad = o.Value, words.Input(o.First), words.Input(o.Last), o.Bad
	}
	if e := it.Evidence; e != nil {
		d.Where = e.Where
	}
	if k := it.Task; k != nil {
		d.Owner = k.Owner
	}
	if k := it.Decision; k != nil {
		d.Reason = k.Reason
	}
	if l := it.Link; l != nil {
		d.To = string(l.To)
	}
	return d
}

// item is what the form makes of kind, on was where it changes one. What the form does not hold stays.
func (d caseDraft) item(words web.Words, kind ItemKind, was Item) (Item, error) {
	it := was
	it.Kind, it.Level, it.Title, it.Text, it.Weighs, it.Version, it.Confirmed = kind, d.Level, d.Title, d.Text, d.Weighs, d.Version, d.Confirmed
	var first, last time.Time
	for _, f := range []struct {
		name, text string
		into       *time.Time
	}{{"at", d.At, &it.At}, {"first", d.First, &first}, {"last", d.Last, &last}} {
		at, err := words.ReadInput(f.text)
		if err != nil {
			return it, polder.Errorf(polder.Invalid, "%s: %w", f.name, err)
		}
		*f.into = at
	}
	switch kind {
	case ItemObservable:
		o := Observable{Value: d.Value, First: first, Last: last, Bad: d.Bad}
		if was.Observable != nil && was.Observable.Value == d.Value {
			o.Type = was.Observable.Type
		}
		it.Observable = &o
	case ItemEvidence:
		e := Evidence{}
		if was.Evidence != nil {
			e = *was.Evidence
		}
		e.Where = d.Where
		it.Evidence = &e
	case ItemTask:
		k := Task{}
		if was.Task != nil {
			k = *was.Task
		}
		k.Owner = d.Owner
		it.Task = &k
	case ItemDecision:
		it.Decision = &Decision{Reason: d.Reason, Supersedes: d.Supersedes}
	case ItemLink:
		it.Link = &Link{To: CaseID(caseLinkID(d.To))}
	}
	return it, nil
}

// caseLinkID is the id of a case in what a person pastes: the id, or the address of its page.
func caseLinkID(s string) string {
	if _, rest, found := strings.Cut(s, "/cases/"); found {
		s, _, _ = strings.Cut(rest, "/")
	}
	return strings.TrimSpace(s)
}

// fields are those of the form of a kind. fresh is a new item.
func (c *caseSheet) fields(kind ItemKind, d caseDraft, fresh bool) ([]web.Field, []web.Field, error) {
	t, zone := c.words.T, c.words.ZoneName()
	title := web.Field{Name: "title", Label: t("cases.ask." + string(kind)), Value: d.Title, Max: caseMaxTitle, Required: kind != ItemObservable && kind != ItemNote && kind != ItemLink && kind != ItemEvidence}
	text := web.Field{Name: "text", Label: t("cases.item.text"), Help: t("cases.item.text-help"), Value: d.Text, Rows: 5, Max: caseMaxText, Required: kind == ItemNote}
	at := web.Field{Name: "at", Label: t("cases.moment." + string(kind)), Help: t("cases.item.zone", "zone", zone), Type: "datetime-local", Value: d.At, Short: true}
	level := casePlainLevels(caseLevelField(c.words, caseLevelOr(d.Level, c.Level), c.Access.Ceiling))
	level.Help = t("cases.item.level-help")
	weighs := web.Field{Name: "weighs", Label: t("cases.item.weighs"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.item.weighs.yes"), Chosen: d.Weighs}}}
	switch kind {
	case ItemEntry:
		at.Required = true
		return []web.Field{at, title, text, level}, []web.Field{weighs}, nil
	case ItemObservable:
		value := web.Field{Name: "value", Label: t("cases.value"), Help: t("cases.value.help"), Value: d.Value, Max: 4000, Required: true}
		if fresh {
			value.Label, value.Help, value.Rows, value.Max = t("cases.values"), t("cases.values.help", "n", caseMaxValues), 4, caseMaxText
		}
		return []web.Field{value, title, {Name: "bad", Label: t("cases.value.bad-is"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.value.bad-yes"), Chosen: d.Bad}}}, level},
			[]web.Field{{Name: "first", Label: t("cases.value.first"), Help: t("cases.item.zone", "zone", zone), Type: "datetime-local", Value: d.First, Short: true}, {Name: "last", Label: t("cases.value.last"), Type: "datetime-local", Value: d.Last, Short: true}, text}, nil
	case ItemEvidence:
		where := web.Field{Name: "where", Label: t("cases.evidence.where"), Help: t("cases.evidence.where-help"), Value: d.Where, Max: caseMaxShort}
		fields := []web.Field{title, where, level}
		if fresh {
			fields = []web.Field{{Name: "file", Label: t("cases.evidence.file"), Help: t("cases.evidence.file-help", "size", c.words.Size(MaxEvidence)), Type: "file"}, title, where, level}
		}
		return fields, []web.Field{at, text}, nil
	case ItemTask:
		owner, err := c.ownerField(d.Owner)
		return []web.Field{title, owner, at, level}, []web.Field{text}, err
	case ItemNote:
		return []web.Field{title, text, level}, []web.Field{weighs}, nil
	case ItemDecision:
		supersedes, err := c.supersedesField(d.Supersedes)
		fields := []web.Field{title, {Name: "reason", Label: t("cases.decision.reason"), Help: t("cases.decision.reason-help"), Value: d.Reason, Rows: 4, Max: caseMaxText, Required: true}, level}
		more := []web.Field{at, text}
		if len(supersedes.Options) > 1 {
			more = append(more, supersedes)
		}
		return fields, more, err
	}
	return []web.Field{{Name: "to", Label: t("cases.link.to"), Help: t("cases.link.to-help"), Value: d.To, Max: caseMaxShort, Required: true}, title, level}, []web.Field{text}, nil
}

// caseLevelOr is a level, or other where there is none.
func caseLevelOr(m, other stix.Marking) stix.Marking {
	if m == stix.None {
		return other
	}
	return m
}

// ownerField offers the people of the case whose names the reader may know.
func (c *caseSheet) ownerField(chosen polder.PersonID) (web.Field, error) {
	f := web.Field{Name: "owner", Label: c.words.T("cases.task.owner"), Options: []web.Option{{Value: "", Label: c.words.T("cases.task.nobody"), Chosen: chosen == ""}}}
	members, err := c.p.Members(c.ctx, c.by, c.ID)
	for _, m := range members {
		if m.Person != "" && m.Part != PartContact {
			f.Options = append(f.Options, web.Option{Value: string(m.Person), Label: caseOr(m.Name, c.names.person(m.Person, m.Org)), Chosen: m.Person == chosen})
		}
	}
	if chosen != "" && !slices.ContainsFunc(f.Options, func(o web.Option) bool { return o.Chosen }) { // no longer in the case
		f.Options = append(f.Options, web.Option{Value: string(chosen), Label: c.names.person(chosen, ""), Chosen: true})
	}
	return f, err
}

// supersedesField offers the decisions whose place a new one may take.
func (c *caseSheet) supersedesField(chosen string) (web.Field, error) {
	f := web.Field{Name: "supersedes", Label: c.words.T("cases.decision.supersedes"), Options: []web.Option{{Value: "", Label: c.words.T("cases.decision.supersedes-none"), Chosen: chosen == ""}}}
	page, err := c.p.Items(c.ctx, c.by, c.ID, ItemFilter{Kind: ItemDecision, Limit: 200})
	for _, it := range page.Items {
		if it.Decision != nil && it.Decision.SupersededBy == "" {
			f.Options = append(f.Options, web.Option{Value: it.ID, Label: web.Clip(caseItemTitle(c.words, it), 120), Chosen: it.ID == chosen})
		}
	}
	return f, err
}

// itemForm is the form of a kind.
func (c *caseSheet) itemForm(kind ItemKind, d caseDraft, fresh bool) (caseForm, error) {
	f := caseForm{Action: casePath(c.home, "add", string(kind)), Submit: c.words.T("cases.add." + string(kind) + ".do"), Primary: true, Back: c.home, MoreIs: c.words.T("cases.item.more")}
	if kind == ItemEvidence && fresh {
		f.Action, f.Files = casePath(c.home, "add", string(kind), "file"), true
	}
	if !fresh {
		f.Submit, f.Hidden = c.words.T("cases.item.change.do"), []web.Hidden{{Name: "version", Value: strconv.Itoa(d.Version)}}
	}
	var err error
	f.Fields, f.More, err = c.fields(kind, d, fresh)
	return f, err
}

// caseAdd shows the form of a new item.
func (p *Pages) caseAdd(w http.ResponseWriter, r *http.Request) error {
	kind, err := caseKindOf(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	d := caseDraft{Supersedes: r.URL.Query().Get("supersedes")}
	if kind == ItemEntry {
		d.At = c.words.Input(p.o.Now())
	}
	return p.showCaseAdd(w, r, c, kind, d, nil)
}

func (p *Pages) showCaseAdd(w http.ResponseWriter, r *http.Request, c *caseSheet, kind ItemKind, d caseDraft, failed error) error {
	if !c.works() {
		return polder.Errorf(polder.Forbidden, "you read this case; who leads it can let you work on it")
	}
	f, err := c.itemForm(kind, d, true)
	if err != nil {
		return err
	}
	v := caseView{}
	if !caseHold(c.words, &f, failed) && !caseBlame(&f, failed) {
		v.Alerts = caseNotDone(c.words, failed)
	}
	v.Errors = f.errors()
	v.add(caseBlock(c.words.T("cases.add."+string(kind)), "", "case-form", f))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: c.words.T("cases.add." + string(kind)), Lede: c.words.T("cases.add." + string(kind) + ".lede"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

// addCaseItem adds an item; of values one for each line.
func (p *Pages) addCaseItem(w http.ResponseWriter, r *http.Request) error {
	kind, err := caseKindOf(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	d := caseDraftOf(values)
	added, err := p.addCaseDraft(r, kind, d)
	if web.Mendable(err) {
		c, sheetErr := p.caseSheetOf(r)
		if sheetErr != nil {
			return sheetErr
		}
		if added > 0 { // what was taken is not sent again
			d.Value = strings.Join(caseValueLines(d.Value)[added:], "\n")
		}
		return p.showCaseAdd(w, r, c, kind, d, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, casePath("/cases", r.PathValue("id")), "cases.added."+string(kind), "n", added)
}

// addCaseDraft adds what a form holds, and says how many items were added before an error.
func (p *Pages) addCaseDraft(r *http.Request, kind ItemKind, d caseDraft) (int, error) {
	id, by, words := CaseID(r.PathValue("id")), web.ActorOf(r), web.WordsOf(r)
	lines := []string{d.Value}
	if kind == ItemObservable {
		if lines = caseValueLines(d.Value); len(lines) > caseMaxValues {
			return 0, polder.Errorf(polder.TooLarge, "value: %s", words.T("cases.values.many", "n", len(lines), "most", caseMaxValues))
		}
		if len(lines) == 0 {
			return 0, polder.Errorf(polder.Invalid, "value: %s", words.T("cases.values.missing"))
		}
	}
	for i, line := range lines {
		one := d
		one.Value = line
		it, err := one.item(words, kind, Item{})
		if err == nil {
			_, err = p.AddItem(r.Context(), by, id, it)
		}
		if err != nil {
			return i, err
		}
	}
	return len(lines), nil
}

// caseValueLines are the values of a text, one on each line.
func caseValueLines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// caseAll is the page of all items of a kind.
func (p *Pages) caseAll(w http.ResponseWriter, r *http.Request) error {
	kind, err := caseKindOf(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	struck := r.URL.Query().Get("struck") == "yes"
	page, err := p.Items(r.Context(), c.by, c.ID, ItemFilter{Kind: kind, Struck: struck, Next: r.URL.Query().Get("next"), Limit: 50})
	if err != nil {
		return err
	}
	b, err := c.listed(kind, page.Items)
	if err != nil {
		return err
	}
	for _, it := range page.Items {
		c.level = caseStricter(c.level, it.Level)
	}
	v := caseView{}
	c.more(&b, kind, "cases.add."+string(kind))
	v.add(b)
	t := caseTable{}
	t.Pager = web.NextPart(r.URL, page.Next, r.URL.Query().Get("next") != "")
	links := []web.Mark{{Icon: "list", Text: c.words.T("cases.all.struck"), Href: web.With(r.URL, "struck", "yes")}}
	if struck {
		links[0] = web.Mark{Icon: "list", Text: c.words.T("cases.all.unstruck"), Href: web.With(r.URL, "struck", "")}
	}
	if t.Pager.Older != "" {
		links = append(links, web.Mark{Icon: "down", Text: c.words.T("cases.all.older"), Href: t.Pager.Older})
	}
	if t.Pager.Newer != "" {
		links = append(links, web.Mark{Icon: "up", Text: c.words.T("cases.all.first"), Href: t.Pager.Newer})
	}
	v.add(caseBlock(c.words.T("cases.all.more"), "", "case-marks", links))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: c.words.T("cases.all." + string(kind) + ".title"), TLP: c.level, Crumbs: caseCrumbs(c.words, c.CaseView), Data: v})
	return nil
}

// listed is a block of items of a kind, as the page of the case shows them.
func (c *caseSheet) listed(kind ItemKind, all []Item) (web.Block, error) {
	title := c.words.T("cases.all." + string(kind) + ".title")
	switch kind {
	case ItemObservable:
		t, err := c.observables(all)
		return caseBlock(title, "", "case-values", t), err
	case ItemEvidence:
		return caseBlock(title, "", "case-table", c.evidenceTable(all)), nil
	case ItemTask:
		return caseBlock(title, "", "case-table", c.taskTable(all)), nil
	}
	var rows []caseEntry
	for _, it := range all {
		rows = append(rows, c.entry(it))
	}
	if len(rows) == 0 {
		return caseBlock(title, "", "case-nothing", c.nothing("list", "cases.all.none", "cases.all.none-text", kind, "cases.add."+string(kind))), nil
	}
	if kind == ItemNote {
		return caseBlock(title, "", "case-notes", rows), nil
	}
	return caseBlock(title, "", "case-timeline", rows), nil
}

// caseItem is the page of one item.
func (p *Pages) caseItem(w http.ResponseWriter, r *http.Request) error {
	c, it, err := p.caseItemOf(r)
	if err != nil {
		return err
	}
	return p.showCaseItem(w, r, c, it, caseDraftFrom(c.words, it), nil)
}

func (p *Pages) caseItemOf(r *http.Request) (*caseSheet, Item, error) {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return nil, Item{}, err
	}
	it, err := p.Item(r.Context(), c.by, c.ID, r.PathValue("item"))
	return c, it, err
}

// showCaseItem shows an item: what it is, what is known of it, and the form that changes it, with what was typed.
func (p *Pages) showCaseItem(w http.ResponseWriter, r *http.Request, c *caseSheet, it Item, d caseDraft, failed error) error {
	v := caseView{Alerts: c.struckAlerts(it)}
	changes := c.works() && c.Status != StatusClosed && it.Struck.IsZero() && !it.Erased && it.Kind != ItemDecision
	f, err := c.itemForm(it.Kind, d, false)
	if err != nil {
		return err
	}
	f.Action = c.item(it)
	if _, stale := errors.AsType[*CaseConflict](failed); !stale && !caseHold(c.words, &f, failed) && !caseBlame(&f, failed) {
		v.Alerts = append(v.Alerts, caseNotDone(c.words, failed)...)
	}
	v.Errors = f.errors()
	if conflict, stale := errors.AsType[*CaseConflict](failed); stale && conflict.Item != nil {
		v.Alerts = append(v.Alerts, caseConflictAlert(c.words))
		f.Hidden = []web.Hidden{{Name: "version", Value: strconv.Itoa(conflict.Item.Version)}}
		v.across(caseConflictBlock(c.words, c.names.person(conflict.Item.By, conflict.Item.Org), conflict.Item.Changed, caseItemDiffers(c.words, caseDraftFrom(c.words, *conflict.Item), d)))
		it = *conflict.Item
	}
	if err := c.itemBlocks(&v, it); err != nil {
		return err
	}
	if changes {
		v.add(caseBlock(c.words.T("cases.item.change"), "", "case-form", f))
		c.itemDialogs(&v, it)
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: web.Clip(caseItemTitle(c.words, it), caseMaxTitle), TLP: it.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

// struckAlerts say that an item counts no more.
func (c *caseSheet) struckAlerts(it Item) []web.Alert {
	switch {
	case it.Erased:
		return []web.Alert{{Title: c.words.T("cases.item.erased"), Text: c.words.T("cases.item.erased-text")}}
	case !it.Struck.IsZero():
		return []web.Alert{{Title: c.words.T("cases.item.struck-at", "at", it.Struck), Text: c.words.T("cases.item.struck-text")}}
	case it.Decision != nil && it.Decision.SupersededBy != "":
		return []web.Alert{{Title: c.words.T("cases.decision.superseded"), Links: []web.Link{{Text: c.words.T("cases.decision.newer"), Href: casePath(c.home, "items", it.Decision.SupersededBy)}}}}
	}
	return nil
}

// itemBlocks are what an item says.
func (c *caseSheet) itemBlocks(v *caseView, it Item) error {
	t := c.words.T
	rows := []web.Pair{{Term: t("cases.item.made"), Text: t("cases.by", "at", it.Made, "who", c.who(it))}}
	if it.Version > 1 {
		rows = append(rows, web.Pair{Term: t("cases.changed"), Text: t("cases.by", "at", it.Changed, "who", c.names.person(it.By, it.Org))})
	}
	if !it.At.IsZero() {
		rows = append(rows, web.Pair{Term: t("cases.item.at"), Text: c.words.When(it.At)})
	}
	rows = append(rows, web.Pair{Term: t("cases.marking"), Text: it.Level.Label()})
	if it.Text != "" {
		v.add(caseBlock(t("cases.item.says"), "", "case-written", it.Text))
	}
	switch {
	case it.Erased:
	case it.Observable != nil:
		if err := c.observableBlocks(v, it, &rows); err != nil {
			return err
		}
	case it.Evidence != nil:
		c.evidenceBlocks(v, it, &rows)
	case it.Task != nil:
		rows = append(rows, web.Pair{Term: t("cases.task.owner"), Text: caseTaskOwner(c, it)}, web.Pair{Term: t("cases.task.state"), Text: caseTaskState(c.words, it)})
		if c.works() && c.Status != StatusClosed && it.Struck.IsZero() {
			v.add(caseBlock(t("cases.task.state"), "", "case-form", caseTaskForm(c, it)))
		}
	case it.Decision != nil:
		rows = append(rows, web.Pair{Term: t("cases.decision.by"), Text: c.names.person(it.Decision.Person, it.Org)})
		v.add(caseBlock(t("cases.decision.reason"), "", "case-written", it.Decision.Reason))
		if c.works() && c.Status != StatusClosed && it.Struck.IsZero() && it.Decision.SupersededBy == "" {
			v.add(caseBlock(t("cases.decision.change"), "", "case-marks", []web.Mark{{Icon: "pen", Text: t("cases.decision.stands"), Href: casePath(c.home, "add", string(ItemDecision)) + "?" + url.Values{"supersedes": {it.ID}}.Encode()}}))
			c.itemDialogs(v, it)
		}
	case it.Link != nil:
		v.add(caseBlock(t("cases.link.to"), "", "case-marks", []web.Mark{{Icon: "chain", Text: caseOr(it.Link.Title, t("cases.untitled")), Href: casePath("/cases", string(it.Link.To))}}))
	}
	v.beside(caseBlock(t("cases.about"), "", "case-facts", rows))
	return c.itemHistory(v, it)
}

func caseTaskOwner(c *caseSheet, it Item) string {
	if it.Task.Owner == "" {
		return c.words.T("cases.task.nobody")
	}
	return c.names.person(it.Task.Owner, it.Org)
}

func caseTaskState(words web.Words, it Item) string {
	if it.Task.Done.IsZero() {
		return words.T("cases.task.open")
	}
	return words.T("cases.task.done-at", "at", it.Task.Done)
}

// caseTaskForm says that a task is done, or that it is not.
func caseTaskForm(c *caseSheet, it Item) caseForm {
	if it.Task.Done.IsZero() {
		return caseForm{Action: casePath(c.item(it), "done"), Submit: c.words.T("cases.task.finish"), Primary: true, Hidden: []web.Hidden{{Name: "done", Value: "yes"}}}
	}
	return caseForm{Action: casePath(c.item(it), "done"), Submit: c.words.T("cases.task.again"), Hidden: []web.Hidden{{Name: "done", Value: "no"}}}
}

// observableBlocks say what a value is, and where else it is known.
func (c *caseSheet) observableBlocks(v *caseView, it Item, rows *[]web.Pair) error {
	t, o := c.words.T, it.Observable
	*rows = append(*rows, web.Pair{Term: t("cases.value.what"), Text: c.kind(o.Type)}, web.Pair{Term: t("cases.value.seen"), Text: caseOr(c.span(o), "–")})
	look, err := c.p.LookUp(c.ctx, c.by, c.ID, it.ID)
	if err != nil {
		return err
	}
	all, err := c.observables([]Item{it})
	if err != nil {
		return err
	}
	v.add(caseBlock(t("cases.value"), "", "case-values", all))
	known, others := c.knownLinks(look, 50)
	var marks []web.Mark
	for _, l := range known {
		marks = append(marks, web.Mark{Icon: "share", Text: l.Text, Href: l.Href})
	}
	for _, l := range others {
		marks = append(marks, web.Mark{Icon: "flag", Text: t("cases.value.also", "title", l.Text), Href: l.Href})
	}
	if len(marks) == 0 {
		marks = []web.Mark{{Icon: "question", Text: t("cases.value.nowhere")}}
	}
	v.add(caseBlock(t("cases.value.known"), t("cases.value.not-kept"), "case-marks", marks))
	return nil
}

// itemHistory is what an item once was.
func (c *caseSheet) itemHistory(v *caseView, it Item) error {
	all, err := c.p.ItemHistory(c.ctx, c.by, c.ID, it.ID)
	if err != nil {
		return err
	}
	if events := c.revisions(all); len(events) > 0 {
		v.beside(caseBlock(c.words.T("cases.history"), "", "case-events", events))
	}
	return nil
}

// itemDialogs strike an item out, or take its content away.
func (c *caseSheet) itemDialogs(v *caseView, it Item) {
	t, page := c.words.T, c.item(it)
	why := web.Field{Name: "why", Label: t("cases.why"), Rows: 3, Max: 2000, Required: true}
	v.Dialogs = append(v.Dialogs, web.Dialog{ID: "strike", Title: t("cases.strike.title"), Text: t("cases.strike.text"), Action: casePath(page, "strike"), Page: page, Open: t("cases.strike.open"), Submit: t("cases.strike.do"), Keep: t("cases.keep-it"), Fields: []web.Field{why}, Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(it.Version)}}})
	if c.leads() && c.Access.Own {
		ground := web.Field{Name: "ground", Label: t("cases.why"), Rows: 3, Max: 2000, Required: true}
		v.Dialogs = append(v.Dialogs, web.Dialog{ID: "erase", Danger: true, Title: t("cases.erase.title"), Text: t("cases.erase.text"), Action: casePath(page, "erase"), Page: page, Open: t("cases.erase.open"), Submit: t("cases.erase.do"), Keep: t("cases.keep-it"), Fields: []web.Field{ground}})
	}
}

// changeCaseItem changes an item. Where somebody else was faster, both texts are shown and nothing is written.
func (p *Pages) changeCaseItem(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, was, err := p.caseItemOf(r)
	if err != nil {
		return err
	}
	d := caseDraftOf(values)
	it, err := d.item(c.words, was.Kind, was)
	if err == nil {
		_, err = p.ChangeItem(r.Context(), c.by, c.ID, it)
	}
	if web.Mendable(err) {
		return p.showCaseItem(w, r, c, was, d, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, c.item(was), "cases.item.changed")
}

// caseActed leads on after something was done with an item, or says on its page why it was not.
func (p *Pages) caseActed(w http.ResponseWriter, r *http.Request, err error, to, said string) error {
	if web.Mendable(err) {
		c, it, itemErr := p.caseItemOf(r)
		if itemErr != nil {
			return itemErr
		}
		return p.showCaseItem(w, r, c, it, caseDraftFrom(c.words, it), err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, to, said)
}

func (p *Pages) finishCaseTask(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	done, said := values.Get("done") == "yes", "cases.task.opened-again"
	if done {
		said = "cases.task.finished"
	}
	_, err = p.FinishTask(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), r.PathValue("item"), done)
	return p.caseActed(w, r, err, casePath("/cases", r.PathValue("id")), said)
}

func (p *Pages) strikeCaseItem(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(values.Get("version"))
	if err != nil {
		return polder.Errorf(polder.Invalid, "the form does not say which state you saw; open the page again")
	}
	_, err = p.StrikeItem(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), r.PathValue("item"), version, strings.TrimSpace(caseLines(values.Get("why"))))
	return p.caseActed(w, r, err, casePath("/cases", r.PathValue("id")), "cases.struck")
}

func (p *Pages) eraseCaseItem(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	_, err = p.EraseItem(r.Context(), web.ActorOf(r), CaseID(r.PathValue("id")), r.PathValue("item"), strings.TrimSpace(caseLines(values.Get("ground"))))
	return p.caseActed(w, r, err, casePath("/cases", r.PathValue("id")), "cases.erased")
}
