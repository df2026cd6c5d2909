package cases

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file lets something out of a case: as a file, as objects of the exchange, to another organisation, to the contact
// points of the countries it touches. Each is shown first, and leaves on a person's word.

// caseExport asks in which form a case leaves as a file.
func (p *Pages) caseExport(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	return p.showCaseExport(w, r, c, nil)
}

func (p *Pages) showCaseExport(w http.ResponseWriter, r *http.Request, c *caseSheet, failed error) error {
	t := c.words.T
	format := web.Field{Name: "format", Label: t("cases.export.format"), Class: "across"}
	for i, f := range Formats {
		format.Options = append(format.Options, web.Option{Value: string(f), Label: t("cases.export." + string(f)), Help: t("cases.export." + string(f) + ".means"), Chosen: i == 0})
	}
	ceiling := casePlainLevels(caseLevelField(c.words, min(c.Access.Ceiling, stix.AmberStrict), min(c.Access.Ceiling, stix.AmberStrict)))
	ceiling.Name, ceiling.Label, ceiling.Help = "ceiling", t("cases.export.ceiling"), t("cases.export.ceiling-help")
	f := caseForm{Action: c.home + "/export", Submit: t("cases.export.do"), Primary: true, Back: c.home, MoreIs: t("cases.item.more"), Note: t("cases.export.note"), Fields: []web.Field{format, ceiling}}
	language := web.Field{Name: "language", Label: t("cases.export.language"), Options: []web.Option{{Value: "en", Label: "English", Chosen: c.words.Lang() == "en"}, {Value: "nl", Label: "Nederlands", Chosen: c.words.Lang() == "nl"}}}
	f.More = []web.Field{language, {Name: "named", Label: t("cases.export.named"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.export.named-yes")}}}}
	if c.leads() {
		f.More = append(f.More, web.Field{Name: "red", Label: t("cases.export.red"), Help: t("cases.export.red-help"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.export.red-yes")}}})
	}
	v := caseView{Alerts: caseNotDone(c.words, failed)}
	v.add(caseBlock(t("cases.export"), "", "case-form", f))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.export.title"), Lede: t("cases.export.lede"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

// exportCase hands a case out as a file.
func (p *Pages) exportCase(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	ask := ExportAsk{Format: Format(values.Get("format")), Red: values.Get("red") == "yes", Language: values.Get("language"), Named: values.Get("named") == "yes"}
	if ask.Ceiling, err = stix.ParseMarking(values.Get("ceiling")); err != nil {
		ask.Ceiling = stix.None // the service takes its own
	}
	if ask.Red {
		ask.Ceiling = stix.Red
	}
	out, err := p.Export(r.Context(), c.by, c.ID, ask)
	if web.Mendable(err) {
		return p.showCaseExport(w, r, c, err)
	}
	if err != nil {
		return err
	}
	caseDownload(w, out.Name, out.Type)
	_, err = w.Write(out.Body)
	if err != nil {
		return nil // the reader has gone; nobody is there to be told
	}
	return nil
}

// caseReleaseDraft is what the form of a release holds.
type caseReleaseDraft struct {
	Items            []string
	Report           string   // that it comes from, where it comes from no case
	Values           []string // then: each a kind, a space and a value
	Bad              bool     // others should look for them
	Title, Text      string
	Community        string
	To               []string
	Level            stix.Marking
	Named, Confirmed bool
	Seen             string
}

func caseReleaseDraftOf(v url.Values) caseReleaseDraft {
	d := caseReleaseDraft{Items: v["items"], Report: v.Get("report"), Values: v["values"], Bad: v.Get("bad") == "yes", Title: strings.TrimSpace(v.Get("title")), Text: strings.TrimSpace(caseLines(v.Get("text"))), Community: v.Get("community"), To: v["to"], Named: v.Get("named") == "yes", Confirmed: v.Get("confirmed") == "yes", Seen: v.Get("seen")}
	d.Level, _ = stix.ParseMarking(v.Get("tlp")) // none that is known: refused by the service
	return d
}

func (d caseReleaseDraft) ask(id CaseID, preview bool) ReleaseAsk {
	ask := ReleaseAsk{Case: id, Items: d.Items, Title: d.Title, Text: d.Text, Community: d.Community, Level: d.Level, Named: d.Named, Confirmed: d.Confirmed, Preview: preview}
	for _, o := range d.To {
		ask.To = append(ask.To, polder.OrgID(o))
	}
	if id == "" {
		ask.Report = d.Report
	}
	for _, one := range d.Values {
		kind, value, _ := strings.Cut(one, " ")
		ask.Values = append(ask.Values, Observable{Type: indicator.Kind(kind), Value: value, Bad: d.Bad})
	}
	if !preview {
		ask.Seen = d.Seen
	}
	return ask
}

// hidden carries the form along to the word that lets it out.
func (d caseReleaseDraft) hidden(digest string) []web.Hidden {
	out := []web.Hidden{{Name: "title", Value: d.Title}, {Name: "text", Value: d.Text}, {Name: "community", Value: d.Community}, {Name: "tlp", Value: d.Level.String()}, {Name: "seen", Value: digest}, {Name: "send", Value: "yes"}}
	for _, it := range d.Items {
		out = append(out, web.Hidden{Name: "items", Value: it})
	}
	for _, o := range d.To {
		out = append(out, web.Hidden{Name: "to", Value: o})
	}
	for _, one := range d.Values {
		out = append(out, web.Hidden{Name: "values", Value: one})
	}
	for name, set := range map[string]bool{"named": d.Named, "bad": d.Bad} {
		if set {
			out = append(out, web.Hidden{Name: name, Value: "yes"})
		}
	}
	if d.Report != "" {
		out = append(out, web.Hidden{Name: "report", Value: d.Report})
	}
	return out
}

// caseRelease asks what of a case may be shared with a community.
func (p *Pages) caseRelease(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	return p.showCaseRelease(w, r, c, caseReleaseDraft{Level: stix.Amber}, nil, nil)
}

func (p *Pages) showCaseRelease(w http.ResponseWriter, r *http.Request, c *caseSheet, d caseReleaseDraft, shown *ReleaseAnswer, failed error) error {
	t, v := c.words.T, caseView{Alerts: caseNotDone(c.words, failed)}
	if shown != nil {
		v.across(caseReleaseBlocks(c.words, c.home+"/release", d.hidden(shown.Digest), *shown)...)
	}
	f, ready, err := c.releaseForm(d)
	if err != nil {
		return err
	}
	if ready {
		v.add(caseBlock(t("cases.release.what"), "", "case-form", f))
	} else {
		v.add(caseBlock(t("cases.release.what"), "", "case-nothing", web.Empty{Icon: "people", Title: t("cases.release.nowhere"), Text: t("cases.release.nowhere-text")}))
	}
	v.beside(caseBlock(t("cases.release.rules"), "", "case-marks", []web.Mark{{Icon: "veil", Text: t("cases.release.blind")}, {Icon: "eye", Text: t("cases.release.first")}, {Icon: "lock", Text: t("cases.release.rest")}}))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.release.title"), Lede: t("cases.release.lede"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

// releaseForm asks what leaves, and to whom; ready is false where there is nobody.
func (c *caseSheet) releaseForm(d caseReleaseDraft) (caseForm, bool, error) {
	t := c.words.T
	f := caseForm{Action: c.home + "/release", Submit: t("cases.release.preview"), Primary: true, Back: c.home}
	place, levels, err := c.placeField(d.Community)
	if err != nil || len(place.Options) == 0 {
		return f, false, err
	}
	items, err := c.releaseItems(d)
	if err != nil {
		return f, false, err
	}
	f.Fields = append(f.Fields, place)
	if len(items.Options) > 0 {
		f.Fields = append(f.Fields, items)
	}
	if d.Report != "" && len(items.Options) > 0 {
		f.Fields = append(f.Fields, web.Field{Name: "bad", Label: t("cases.release.bad"), Help: t("cases.release.bad-help"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.release.bad-yes"), Chosen: d.Bad}}})
	}
	to := web.Field{Name: "to", Label: t("cases.release.to"), Help: t("cases.release.to-help"), Many: true, Class: "across"}
	orgs, err := c.p.caseOrgs(c)
	if err != nil {
		return f, false, err
	}
	for _, o := range orgs {
		to.Options = append(to.Options, web.Option{Value: string(o.Org), Label: o.Name, Chosen: slices.Contains(d.To, string(o.Org))})
	}
	if len(to.Options) > 0 {
		f.Fields = append(f.Fields, to)
	}
	level := web.Field{Name: "tlp", Label: t("cases.release.level"), Help: t("cases.release.level-help"), Class: "across"}
	for _, m := range caseLevels {
		if slices.Contains(levels, m) {
			level.Options = append(level.Options, web.Option{Value: m.String(), TLP: m, Chosen: m == d.Level})
		}
	}
	f.Fields = append(f.Fields, web.Field{Name: "title", Label: t("cases.release.note"), Help: t("cases.release.note-help"), Value: d.Title, Max: caseMaxTitle}, web.Field{Name: "text", Label: t("cases.release.text"), Value: d.Text, Rows: 4, Max: caseMaxText}, level,
		web.Field{Name: "named", Label: t("cases.release.named"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.release.named-yes"), Chosen: d.Named}}})
	return f, true, nil
}

// releaseItems offers the observables of the case; of a report, what its reader chose on the device.
func (c *caseSheet) releaseItems(d caseReleaseDraft) (web.Field, error) {
	t := c.words.T
	if d.Report != "" {
		f := web.Field{Name: "values", Label: t("cases.release.values"), Help: t("cases.release.chosen-help"), Many: true, Class: "across"}
		for _, one := range d.Values {
			kind, value, _ := strings.Cut(one, " ")
			f.Options = append(f.Options, web.Option{Value: one, Label: web.Clip(caseDefang(indicator.Kind(kind), value), 120), Help: web.Clip(kind, 40), Chosen: true})
		}
		return f, nil
	}
	f := web.Field{Name: "items", Label: t("cases.release.values"), Help: t("cases.release.values-help"), Many: true, Class: "across"}
	page, err := c.p.Items(c.ctx, c.by, c.ID, ItemFilter{Kind: ItemObservable, Limit: 200})
	for _, it := range page.Items {
		if it.Observable != nil {
			f.Options = append(f.Options, web.Option{Value: it.ID, Label: web.Clip(caseDefang(it.Observable.Type, it.Observable.Value), 120), Help: caseReleaseHelp(it), Chosen: slices.Contains(d.Items, it.ID)})
		}
	}
	return f, err
}

// caseReleaseHelp says what a value is, and how it is marked.
func caseReleaseHelp(it Item) string {
	if it.Title == "" || it.Title == it.Observable.Value {
		return it.Level.Label()
	}
	return web.Clip(it.Title, 100) + " · " + it.Level.Label()
}

// placeField offers the communities where the reader may share, and says at which levels.
func (c *caseSheet) placeField(chosen string) (web.Field, []stix.Marking, error) {
	f := web.Field{Name: "community", Label: c.words.T("cases.release.community"), Required: true}
	if c.p.o.Exchange == nil {
		return f, nil, nil
	}
	places, levels, err := c.p.o.Exchange.Places(c.ctx, c.by)
	for _, place := range places {
		f.Options = append(f.Options, web.Option{Value: place.Alias, Label: c.words.T("cases.release.place", "name", place.Name, "n", len(place.Members)), Chosen: place.Alias == chosen})
	}
	return f, levels, err
}

// caseReleaseBlocks show what would leave: each object as it leaves, who will read it, what to mind, and the word that
// lets it out. Hidden is what that word carries along.
func caseReleaseBlocks(words web.Words, action string, hidden []web.Hidden, a ReleaseAnswer) []web.Block {
	t := words.T
	var out []web.Block
	table := caseTable{Label: t("cases.release.leaves"), Heads: web.PlainHeads(t("cases.release.object"), t("cases.release.kind")), Empty: web.Empty{Icon: "share", Title: t("cases.release.nothing"), Text: t("cases.release.nothing-text")}}
	var raw []caseRaw
	for _, l := range a.Lines {
		table.add(caseRow{Name: l.Says, Level: l.Level, Cells: []caseCell{{Text: l.Type}}})
		raw = append(raw, caseRaw{l.Says, l.Raw})
	}
	out = append(out, caseBlock(t("cases.release.leaves"), t("cases.release.count", "n", len(a.Lines)), "case-table", table))
	if len(raw) > 0 {
		out = append(out, caseBlock(t("cases.release.raw"), "", "case-raws", raw))
	}
	var marks []web.Mark
	for _, name := range a.Readers {
		marks = append(marks, web.Mark{Icon: "eye", Text: name})
	}
	if len(marks) == 0 {
		marks = append(marks, web.Mark{Class: "no", Text: t("cases.release.no-readers")})
	}
	for _, warning := range a.Warnings {
		marks = append(marks, web.Mark{Class: "mind", Text: web.Sentence(warning)})
	}
	out = append(out, caseBlock(t("cases.release.readers"), t("cases.release.readers-count", "n", len(a.Readers)), "case-marks", marks))
	if len(a.Lines) == 0 {
		return out
	}
	f := caseForm{Action: action, Hidden: hidden, Submit: t("cases.release.do", "n", len(a.Readers)), Primary: true}
	if a.Held {
		f.Fields = append(f.Fields, web.Field{Name: "confirmed", Label: t("cases.release.held"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: t("cases.release.held-yes")}}})
	}
	return append(out, caseBlock(t("cases.release.word"), "", "case-form", f))
}

// caseRaw is an object as it leaves.
type caseRaw struct{ Says, Raw string }

// releaseCase shows what would leave, or lets it out on the word of who saw it.
func (p *Pages) releaseCase(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	d, send := caseReleaseDraftOf(values), values.Get("send") == "yes"
	a, err := p.ReleaseFrom(r.Context(), c.by, d.ask(c.ID, !send))
	if web.Mendable(err) {
		return p.showCaseRelease(w, r, c, d, nil, err)
	}
	if err != nil {
		return err
	}
	if a.Left {
		return p.caseDone(w, r, c.home, "cases.release.done", "n", len(a.IDs))
	}
	return p.showCaseRelease(w, r, c, d, &a, nil)
}

// caseSharingDraft is what the form of a sharing holds.
type caseSharingDraft struct {
	Community string
	Org       polder.OrgID
	Part      Part
	Ceiling   stix.Marking
	Confirmed bool
}

// caseSharing is the page of with whom a case is shared.
func (p *Pages) caseSharing(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	return p.showCaseSharing(w, r, c, caseSharingDraft{Part: PartRead, Ceiling: stix.Amber}, nil, nil)
}

// showCaseSharing shows it, below what would leave where somebody asked for that.
func (p *Pages) showCaseSharing(w http.ResponseWriter, r *http.Request, c *caseSheet, d caseSharingDraft, shown []web.Block, failed error) error {
	t, v := c.words.T, caseView{Alerts: caseNotDone(c.words, failed), Wide: shown}
	all, err := p.Sharings(r.Context(), c.by, c.ID)
	if err != nil {
		return err
	}
	v.add(caseBlock(t("cases.sharing.with"), "", "case-table", c.sharingTable(all)))
	if slices.ContainsFunc(all, func(s Sharing) bool { return s.Behind && s.Stopped.IsZero() }) {
		v.add(caseBlock(t("cases.sharing.behind"), "", "case-form", caseForm{Action: c.home + "/bring", Submit: t("cases.sharing.bring"), Note: t("cases.sharing.bring-note")}))
	}
	with := web.Field{Name: "with", Label: t("cases.sharing.org"), Required: true}
	if p.o.Exchange != nil {
		places, _, err := p.o.Exchange.Places(r.Context(), c.by)
		if err != nil {
			return err
		}
		for _, place := range places {
			for _, m := range place.Members {
				if m.Org != c.by.Org {
					with.Options = append(with.Options, web.Option{Value: place.Alias + "\n" + string(m.Org), Label: t("cases.sharing.in", "org", m.Name, "community", place.Name), Chosen: m.Org == d.Org && place.Alias == d.Community})
				}
			}
		}
	}
	if len(with.Options) == 0 {
		v.add(caseBlock(t("cases.sharing.new"), "", "case-nothing", web.Empty{Icon: "people", Title: t("cases.release.nowhere"), Text: t("cases.release.nowhere-text")}))
	} else {
		part := web.Field{Name: "part", Label: t("cases.team.part"), Class: "across", Options: caseOptions([]Part{PartRead, PartWork}, d.Part, func(p Part) string { return t("cases.part." + string(p)) })}
		ceiling := casePlainLevels(caseLevelField(c.words, d.Ceiling, c.Access.Ceiling))
		ceiling.Name, ceiling.Label, ceiling.Help = "ceiling", t("cases.team.ceiling"), t("cases.ceiling.help")
		v.add(caseBlock(t("cases.sharing.new"), "", "case-form", caseForm{Action: c.home + "/sharing", Submit: t("cases.release.preview"), Primary: true, Back: c.home, Fields: []web.Field{with, part, ceiling}}))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.sharing.title"), Lede: t("cases.sharing.lede"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

func (c *caseSheet) sharingTable(all []Sharing) caseTable {
	t := c.words.T
	table := caseTable{Label: t("cases.sharing.with"), Heads: web.PlainHeads(t("cases.sharing.org"), t("cases.team.part"), t("cases.team.ceiling"), t("cases.sharing.sent"), t("cases.team.end")), Empty: web.Empty{Icon: "lock", Title: t("cases.sharing.none"), Text: t("cases.sharing.none-text")}}
	for _, s := range all {
		row := caseRow{Name: caseOr(s.Name, c.names.org(s.Org)), Sub: s.Community, Cells: []caseCell{{Text: t("cases.part." + string(s.Part))}, {Text: t("cases.ceiling", "level", s.Ceiling)}, {At: s.Sent}, {}}}
		switch {
		case !s.Stopped.IsZero():
			row.Cells[3] = caseCell{Mark: caseMark{"", "cross", t("cases.sharing.stopped")}, At: s.Stopped}
		default:
			if s.Behind {
				row.Cells[2].Mark = caseMark{"warn", "clock", t("cases.sharing.is-behind")}
			}
			row.Cells[3].Buttons = []caseButton{{Action: c.home + "/stop", Label: t("cases.sharing.stop"), About: row.Name, Hidden: []web.Hidden{{Name: "sharing", Value: s.ID}}}}
		}
		table.add(row)
	}
	return table
}

func (p *Pages) shareCase(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	d := caseSharingDraft{Part: Part(values.Get("part")), Confirmed: values.Get("confirmed") == "yes"}
	community, org, _ := strings.Cut(caseLines(values.Get("with")), "\n")
	d.Community, d.Org = community, polder.OrgID(org)
	d.Ceiling, _ = stix.ParseMarking(values.Get("ceiling")) // none that is known: refused by the service
	send := values.Get("send") == "yes"
	a, err := p.ShareCase(r.Context(), c.by, SharingAsk{Case: c.ID, Community: d.Community, Org: d.Org, Part: d.Part, Ceiling: d.Ceiling, Confirmed: d.Confirmed, Preview: !send})
	if web.Mendable(err) {
		return p.showCaseSharing(w, r, c, d, nil, err)
	}
	if err != nil {
		return err
	}
	if a.Left {
		return p.caseDone(w, r, c.home+"/sharing", "cases.sharing.done")
	}
	hidden := []web.Hidden{{Name: "with", Value: d.Community + "\n" + string(d.Org)}, {Name: "part", Value: string(d.Part)}, {Name: "ceiling", Value: d.Ceiling.String()}, {Name: "send", Value: "yes"}}
	return p.showCaseSharing(w, r, c, d, caseReleaseBlocks(c.words, c.home+"/sharing", hidden, a), nil)
}

func (p *Pages) stopSharing(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	id := CaseID(r.PathValue("id"))
	if err := p.StopSharing(r.Context(), web.ActorOf(r), id, values.Get("sharing")); err != nil {
		return err
	}
	return p.caseDone(w, r, casePath("/cases", string(id), "sharing"), "cases.sharing.ended")
}

// bringShared shows what would bring everybody up to date, or does it on the word of who saw it.
func (p *Pages) bringShared(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	fresh := caseSharingDraft{Part: PartRead, Ceiling: stix.Amber}
	a, err := p.BringShared(r.Context(), c.by, c.ID, values.Get("confirmed") == "yes", values.Get("send") != "yes")
	if web.Mendable(err) {
		return p.showCaseSharing(w, r, c, fresh, nil, err)
	}
	if err != nil {
		return err
	}
	if a.Left {
		return p.caseDone(w, r, c.home+"/sharing", "cases.sharing.brought")
	}
	return p.showCaseSharing(w, r, c, fresh, caseReleaseBlocks(c.words, c.home+"/bring", []web.Hidden{{Name: "send", Value: "yes"}}, a), nil)
}

// caseStages are how far the duty to report can have come when contact points are told.
var caseStages = []string{"early-warning", "notification", "final"}

// caseTell shows which contact points would be told that a case crosses borders.
func (p *Pages) caseTell(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	return p.showCaseTell(w, r, c, nil)
}

func (p *Pages) showCaseTell(w http.ResponseWriter, r *http.Request, c *caseSheet, failed error) error {
	t, v := c.words.T, caseView{Alerts: caseNotDone(c.words, failed)}
	told, err := p.TellContacts(r.Context(), c.by, c.ID, caseStages[0], true)
	if err != nil && !web.Mendable(err) && polder.KindOf(err) != polder.Unavailable {
		return err
	}
	if err != nil && failed == nil {
		v.Alerts = caseNotDone(c.words, err)
	}
	if len(told) == 0 {
		v.add(caseBlock(t("cases.tell.whom"), "", "case-nothing", web.Empty{Icon: "out", Title: t("cases.tell.nobody"), Text: t("cases.tell.nobody-text"), Actions: []web.Action{{Label: t("cases.border"), Href: "/cases/border"}}}))
	} else {
		var marks []web.Mark
		for _, one := range told {
			marks = append(marks, web.Mark{Icon: "out", Text: t("cases.tell.point", "org", one.Name, "country", one.Country)})
		}
		stage := web.Field{Name: "stage", Label: t("cases.tell.stage"), Class: "across", Options: caseOptions(caseStages, caseStages[0], func(s string) string { return t("cases.stage." + s) })}
		v.add(caseBlock(t("cases.tell.whom"), "", "case-marks", marks), caseBlock(t("cases.tell.word"), "", "case-form", caseForm{Action: c.home + "/tell", Submit: t("cases.tell.do", "n", len(told)), Primary: true, Back: c.home, Fields: []web.Field{stage}, Note: t("cases.tell.note")}))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.tell.title"), Lede: t("cases.tell.lede"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

func (p *Pages) tellContacts(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	told, err := p.TellContacts(r.Context(), c.by, c.ID, values.Get("stage"), false)
	if web.Mendable(err) {
		return p.showCaseTell(w, r, c, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, c.home, "cases.tell.done", "n", len(told))
}
