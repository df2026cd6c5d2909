package cases

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file shows cases that others share, those that cross borders, and what an organisation chose about its cases.

// caseShared lists the cases that other organisations share with the reader's.
func (p *Pages) caseShared(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	all, err := p.SharedWithUs(r.Context(), by)
	if err != nil {
		return err
	}
	v := caseView{Tabs: caseTabs(words, by, "/cases/shared")}
	v.add(caseBlock(words.T("cases.shared.count", "n", len(all)), "", "case-table", caseSharedTable(words, all, web.Empty{Icon: "share", Title: words.T("cases.shared.none"), Text: words.T("cases.shared.none-text")})))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: words.T("cases.tab.shared"), Lede: words.T("cases.shared.lede"), Crumbs: []web.Link{{Text: words.T("cases.nav"), Href: "/cases"}}, Data: v})
	return nil
}

func caseSharedTable(words web.Words, all []SharedCase, empty web.Empty) caseTable {
	t := caseTable{Label: words.T("cases.tab.shared"), Empty: empty, Heads: web.PlainHeads(words.T("cases.case"), words.T("cases.shared.from"), words.T("cases.severity.short"), words.T("cases.status"), words.T("cases.countries.short"), words.T("cases.stage"), words.T("cases.changed"))}
	for _, c := range all {
		row := caseRow{Name: caseOr(c.Title, words.T("cases.untitled")), Level: c.Level, Sub: caseClassText(words, c.Class), Cells: []caseCell{{Text: caseOr(c.Owner, words.T("cases.shared.member")), Sub: c.Community}, {}, {}, {Text: strings.Join(c.Countries, ", ")}, {Text: caseStageText(words, c.Stage)}, {At: c.Changed}}}
		if c.Severity != "" {
			row.Cells[1].Mark = caseSeverityMark(words, c.Severity)
		}
		if c.Status != "" {
			row.Cells[2].Mark = caseStatusMark(words, c.Status)
		}
		switch {
		case strings.HasPrefix(c.Key, "case--"): // of the reader's own organisation
			row.Href = casePath("/cases", c.Key)
		case c.Key != "":
			row.Href = casePath("/cases/shared", c.Key)
		}
		t.add(row)
	}
	return t
}

// caseStageText says how far the duty to report has come.
func caseStageText(words web.Words, stage string) string {
	if stage == "" {
		return ""
	}
	return words.T("cases.stage." + stage)
}

// caseSharedOne is a case of another organisation.
func (p *Pages) caseSharedOne(w http.ResponseWriter, r *http.Request) error {
	return p.showCaseShared(w, r, ItemEntry, caseDraft{At: web.WordsOf(r).Input(p.o.Now())}, nil)
}

func (p *Pages) showCaseShared(w http.ResponseWriter, r *http.Request, kind ItemKind, d caseDraft, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	one, err := p.SharedWith(r.Context(), by, r.PathValue("key"))
	if err != nil {
		return err
	}
	t, v := words.T, caseView{Tabs: caseTabs(words, by, "/cases/shared")}
	level, names := one.Level, p.caseNames(r.Context(), words)
	var rows []caseEntry
	for _, it := range slices.Backward(one.Items) {
		level = caseStricter(level, it.Level)
		e := caseEntry{Item: it, Title: caseItemTitle(words, it), Text: it.Text, By: names.person(it.MadeBy, it.Org)}
		if e.Item.At.IsZero() {
			e.Item.At = it.Made
		}
		if it.Observable != nil {
			e.Says = caseDefang(it.Observable.Type, it.Observable.Value)
		}
		rows = append(rows, e)
	}
	happened := caseBlock(t("cases.happened"), "", "case-timeline", rows)
	if len(rows) == 0 {
		happened = caseBlock(t("cases.happened"), "", "case-nothing", web.Empty{Icon: "list", Title: t("cases.shared.quiet"), Text: t("cases.shared.quiet-text")})
	}
	v.add(happened)
	if one.Part == PartWork && web.Contributor.Allows(by) {
		f := caseReplyForm(words, casePath("/cases/shared", one.Key), kind, d, caseStricterOr(one.Level))
		if !caseBlame(&f, failed) {
			v.Alerts = caseNotDone(words, failed)
		}
		v.Errors = f.errors()
		v.add(caseBlock(t("cases.reply"), "", "case-form", f))
	}
	v.beside(caseBlock(t("cases.about"), "", "case-facts", caseSharedRows(words, one)))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: caseOr(one.Title, t("cases.untitled")), Lede: caseFirstLine(one.Summary, 400), TLP: level, Crumbs: []web.Link{{Text: t("cases.nav"), Href: "/cases"}, {Text: t("cases.tab.shared"), Href: "/cases/shared"}}, Status: caseStatus(failed), Data: v})
	return nil
}

// caseStricterOr is a level of a shared case, the strictest that still leaves where it has none.
func caseStricterOr(m stix.Marking) stix.Marking { return caseLevelOr(m, stix.AmberStrict) }

func caseSharedRows(words web.Words, one SharedCase) []web.Pair {
	t := words.T
	rows := []web.Pair{{Term: t("cases.shared.from"), Text: caseOr(one.Owner, t("cases.shared.member"))}, {Term: t("cases.release.community"), Text: one.Community}, {Term: t("cases.shared.part"), Text: t("cases.part." + string(caseOr(one.Part, PartRead)))}}
	add := func(key, text string) {
		if text != "" {
			rows = append(rows, web.Pair{Term: t(key), Text: text})
		}
	}
	add("cases.class.short", caseClassText(words, one.Class))
	if one.Severity != "" {
		add("cases.severity.short", t("cases.severity."+string(one.Severity)))
	}
	if one.Status != "" {
		add("cases.status", t("cases.status."+string(one.Status)))
	}
	add("cases.stage", caseStageText(words, one.Stage))
	add("cases.countries.short", strings.Join(one.Countries, ", "))
	if !one.Aware.IsZero() {
		add("cases.known", words.When(one.Aware))
	}
	add("cases.changed", words.When(one.Changed))
	return rows
}

// caseReplyKinds are what one adds to a case of another organisation.
var caseReplyKinds = []ItemKind{ItemEntry, ItemObservable, ItemNote}

// caseReplyForm adds something to a case of another organisation. It leaves: the form says so.
func caseReplyForm(words web.Words, action string, kind ItemKind, d caseDraft, level stix.Marking) caseForm {
	t := words.T
	marks := casePlainLevels(caseLevelField(words, caseLevelOr(d.Level, level), stix.Red))
	marks.Help = t("cases.reply.level-help")
	return caseForm{Action: action, Submit: t("cases.reply.do"), Primary: true, Note: t("cases.reply.note"), Fields: []web.Field{
		{Name: "kind", Label: t("cases.reply.kind"), Class: "across", Options: caseOptions(caseReplyKinds, kind, func(k ItemKind) string { return t("cases.item." + string(k)) })},
		{Name: "title", Label: t("cases.item.title"), Value: d.Title, Max: caseMaxTitle},
		{Name: "text", Label: t("cases.item.text"), Value: d.Text, Rows: 4, Max: caseMaxText},
		{Name: "value", Label: t("cases.value"), Help: t("cases.reply.value-help"), Value: d.Value, Max: 4000},
		{Name: "at", Label: t("cases.moment.entry"), Help: t("cases.item.zone", "zone", words.ZoneName()), Type: "datetime-local", Value: d.At, Short: true}, marks,
		{Name: "confirmed", Label: t("cases.reply.leaves"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.reply.leaves-yes")}}}}}
}

// caseReply adds something to a case of another organisation.
func (p *Pages) caseReply(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	words, d, kind := web.WordsOf(r), caseDraftOf(values), ItemKind(values.Get("kind"))
	key := r.PathValue("key")
	if !slices.Contains(caseReplyKinds, kind) {
		return polder.Errorf(polder.Invalid, "kind: %.40q is not known; use entry, observable or note", kind)
	}
	it, err := d.item(words, kind, Item{})
	if err == nil {
		_, err = p.ReplyToShared(r.Context(), web.ActorOf(r), key, it, values.Get("confirmed") == "yes")
	}
	if web.Mendable(err) {
		return p.showCaseShared(w, r, kind, d, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, casePath("/cases/shared", key), "cases.reply.done")
}

// caseBorder lists the cases that cross borders, and who is told of them.
func (p *Pages) caseBorder(w http.ResponseWriter, r *http.Request) error {
	return p.showCaseBorder(w, r, ContactPoint{}, nil)
}

func (p *Pages) showCaseBorder(w http.ResponseWriter, r *http.Request, typed ContactPoint, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	all, err := p.CrossBorder(r.Context(), by)
	if err != nil {
		return err
	}
	points, err := p.ContactPoints(r.Context(), by)
	if err != nil {
		return err
	}
	t, v := words.T, caseView{Tabs: caseTabs(words, by, "/cases"), Alerts: caseNotDone(words, failed)}
	v.add(caseBlock(t("cases.border.count", "n", len(all)), "", "case-table", caseSharedTable(words, all, web.Empty{Icon: "out", Title: t("cases.border.none"), Text: t("cases.border.none-text")})))
	table := caseTable{Label: t("cases.contacts"), Heads: web.PlainHeads(t("cases.contacts.country"), t("cases.contacts.org"), t("cases.release.community")), Empty: web.Empty{Icon: "people", Title: t("cases.contacts.none"), Text: t("cases.contacts.none-text")}}
	for _, one := range points {
		table.add(caseRow{Name: one.Country, Cells: []caseCell{{Text: one.Name}, {Text: one.Community}}})
	}
	v.add(caseBlock(t("cases.contacts"), "", "case-table", table))
	if web.Steward.Allows(by) {
		c := &caseSheet{p: p, ctx: r.Context(), by: by, words: words}
		f, err := c.contactForm(typed)
		if err != nil {
			return err
		}
		v.add(caseBlock(t("cases.contacts.set"), "", "case-form", f))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.border"), Lede: t("cases.border.lede"), Crumbs: []web.Link{{Text: t("cases.nav"), Href: "/cases"}}, Status: caseStatus(failed), Data: v})
	return nil
}

// contactForm sets who is told of cases that touch a country.
func (c *caseSheet) contactForm(typed ContactPoint) (caseForm, error) {
	t := c.words.T
	with := web.Field{Name: "with", Label: t("cases.contacts.org"), Options: []web.Option{{Value: "", Label: t("cases.contacts.nobody")}}}
	if c.p.o.Exchange != nil {
		places, _, err := c.p.o.Exchange.Places(c.ctx, c.by)
		if err != nil {
			return caseForm{}, err
		}
		for _, place := range places {
			for _, m := range place.Members {
				if m.Org != c.by.Org {
					with.Options = append(with.Options, web.Option{Value: place.Alias + "\n" + string(m.Org), Label: t("cases.sharing.in", "org", m.Name, "community", place.Name), Chosen: m.Org == typed.Org && place.Alias == typed.Community})
				}
			}
		}
	}
	return caseForm{Action: "/cases/border", Submit: t("cases.contacts.do"), Note: t("cases.contacts.note"), Fields: []web.Field{{Name: "country", Label: t("cases.contacts.country"), Help: t("cases.contacts.country-help"), Value: typed.Country, Short: true, Max: 2, Required: true}, with}}, nil
}

func (p *Pages) setCaseBorder(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	community, org, _ := strings.Cut(caseLines(values.Get("with")), "\n")
	point := ContactPoint{Country: strings.ToUpper(strings.TrimSpace(values.Get("country"))), Community: community, Org: polder.OrgID(org)}
	err = p.SetContactPoint(r.Context(), web.ActorOf(r), point)
	if web.Mendable(err) {
		return p.showCaseBorder(w, r, point, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, "/cases/border", "cases.contacts.done")
}

// caseSettingsPage shows what the organisation chose about its cases; stewards change it.
func (p *Pages) caseSettingsPage(w http.ResponseWriter, r *http.Request) error {
	return p.showCaseSettings(w, r, nil, nil)
}

// showCaseSettings shows the page, with what was not taken of it: of the settings, or of the form beside them.
func (p *Pages) showCaseSettings(w http.ResponseWriter, r *http.Request, handed *CaseOrphanLead, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	set, err := p.CaseSettings(r.Context(), by)
	if err != nil {
		return err
	}
	t, v := words.T, caseView{Tabs: caseTabs(words, by, "/cases")}
	if err := p.caseOrphanBlock(r, &v, handed, failed); err != nil {
		return err
	}
	list := web.Field{Name: "stewards", Label: t("cases.settings.stewards"), Help: t("cases.settings.stewards-help"), Class: "across", Options: []web.Option{{Value: "", Label: t("cases.settings.stewards-none"), Chosen: set.StewardsList == stix.None}}}
	for _, m := range slices.Backward(caseLevels) {
		list.Options = append(list.Options, web.Option{Value: m.String(), TLP: m, Chosen: m == set.StewardsList})
	}
	jewels := web.Field{Name: "readers", Label: t("cases.settings.jewels"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.settings.jewels-yes"), Chosen: set.ReadersJewels}}}
	if web.Steward.Allows(by) {
		v.add(caseBlock(t("cases.settings"), "", "case-form", caseForm{Action: "/cases/settings", Submit: t("cases.settings.do"), Primary: true, Back: "/cases", Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(set.Version)}}, Fields: []web.Field{list, jewels}}))
	} else {
		rows := []web.Pair{{Term: t("cases.settings.stewards"), Text: t("cases.settings.stewards-none")}, {Term: t("cases.settings.jewels"), Text: t("cases.no")}}
		if set.StewardsList != stix.None {
			rows[0].Text = t("cases.ceiling", "level", set.StewardsList)
		}
		if set.ReadersJewels {
			rows[1].Text = t("cases.yes")
		}
		v.add(caseBlock(t("cases.settings"), t("cases.settings.who"), "case-facts", rows))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.settings"), Lede: t("cases.settings.lede"), Crumbs: []web.Link{{Text: t("cases.nav"), Href: "/cases"}}, Status: caseStatus(failed), Data: v})
	return nil
}

func (p *Pages) setCaseSettings(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	set := CaseSettings{ReadersJewels: values.Get("readers") == "yes"}
	set.StewardsList, _ = stix.ParseMarking(values.Get("stewards")) // none: stewards list nothing
	if set.Version, err = strconv.Atoi(values.Get("version")); err != nil {
		return polder.Errorf(polder.Invalid, "the form does not say which state you saw; open the page again")
	}
	_, err = p.SetCaseSettings(r.Context(), web.ActorOf(r), set)
	if web.Mendable(err) {
		return p.showCaseSettings(w, r, nil, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, "/cases/settings", "cases.settings.done")
}
