package cases

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"errors"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// jewelMaxFile is the longest file of jewels that a page takes.
const jewelMaxFile = 4 << 20

func (p *Pages) jewelRoutes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: "/cases/jewels" + pattern, Need: need, Exit: "cases." + exit, Handler: h.Serve}
	}
	load := route("POST", "/import", "jewels", web.Steward, p.importJewels)
	load.MaxBody = jewelMaxFile + caseFormBytes
	return []web.Route{
		route("GET", "", "jewels", web.Reader, p.jewelList),
		route("POST", "/find", "jewels", web.Reader, p.jewelList),
		route("GET", "/new", "jewel", web.Steward, p.jewelNew),
		route("POST", "/new", "jewel", web.Steward, p.setJewel),
		load,
		route("GET", "/{jewel}", "jewel", web.Reader, p.jewelPage),
		route("POST", "/{jewel}", "jewel", web.Steward, p.setJewel),
		route("POST", "/{jewel}/remove", "jewel", web.Steward, p.removeJewel),
	}
}

// jewelCrumbs is the way to a page of the register.
func jewelCrumbs(words web.Words) []web.Link {
	return []web.Link{{Text: words.T("cases.nav"), Href: "/cases"}, {Text: words.T("cases.tab.jewels"), Href: "/cases/jewels"}}
}

// jewelList is the register.
func (p *Pages) jewelList(w http.ResponseWriter, r *http.Request) error {
	return p.showJewels(w, r, nil, nil)
}

func (p *Pages) showJewels(w http.ResponseWriter, r *http.Request, imported *JewelImport, failed error) error {
	words, by, at := web.WordsOf(r), web.ActorOf(r), r.URL
	find := ""
	if r.Method == http.MethodPost {
		if strings.HasSuffix(r.URL.Path, "/find") {
			var err error
			if find, err = caseFound(r); err != nil {
				return err
			}
		}
		at = &url.URL{Path: "/cases/jewels"}
	}
	f := JewelFilter{Text: find, Removed: at.Query().Get("removed") == "yes", Next: at.Query().Get("next")}
	if find != "" {
		f.Limit = 200
	}
	page, err := p.Jewels(r.Context(), by, f)
	if err != nil {
		return err
	}
	t, v := words.T, caseListView{Tabs: caseTabs(words, by, "/cases/jewels"), Find: &caseFind{"/cases/jewels/find", words.T("cases.jewel.find"), find}, Alerts: caseNotDone(words, failed), Count: words.T("cases.jewel.register"), Note: words.T("cases.jewel.private")}
	if imported != nil {
		v.Alerts = append(v.Alerts, jewelImportAlerts(words, *imported)...)
	}
	v.Facets, v.Chosen = web.OneOfEach(web.Facets{At: at, Groups: []web.FacetGroup{{Name: "removed", Legend: t("cases.jewel.which"), Options: []web.FacetOption{{Value: "yes", Label: t("cases.jewel.removed"), Chosen: f.Removed}}}}}, t("cases.jewel.kept"))
	v.Table = caseTable{Label: t("cases.tab.jewels"), Heads: web.PlainHeads(t("cases.jewel.name"), t("cases.jewel.technology"), t("cases.jewel.depends"), t("cases.jewel.owner"), t("cases.changed")), Empty: jewelEmpty(words, by, f.Removed || find != "")}
	for _, j := range page.Jewels {
		v.Table.add(caseRow{Name: web.Clip(j.Name, caseMaxShort), Href: casePath("/cases/jewels", j.ID), Sub: caseFirstLine(j.Worth, 120), Cells: []caseCell{{Text: web.Clip(strings.Join(j.Technology, ", "), 120)}, {Text: jewelDepends(words, j)}, {Text: web.Clip(j.Owner, 80)}, {At: j.Changed}}})
	}
	if find == "" {
		v.Table.Pager = web.NextPart(at, page.Next, f.Next != "")
	}
	if web.Steward.Allows(by) {
		v.Actions = []web.Action{{Label: t("cases.jewel.new"), Href: "/cases/jewels/new", Icon: "plus", Primary: true, Shortcut: "n"}}
		v.Below = append(v.Below, caseBlock(t("cases.jewel.import"), "", "case-form", caseForm{Action: "/cases/jewels/import", Files: true, Submit: t("cases.jewel.import"), Note: t("cases.jewel.import-note"), Fields: []web.Field{{Name: "file", Label: t("cases.jewel.file"), Help: t("cases.jewel.file-help"), Type: "file", Accept: ".csv,.json", Required: true}}}))
	}
	p.site.Render(w, r, web.Page{Template: "cases/caselist", Title: t("cases.tab.jewels"), Lede: t("cases.jewel.lede"), Crumbs: []web.Link{{Text: t("cases.nav"), Href: "/cases"}}, Status: caseStatus(failed), Data: v})
	return nil
}

func jewelEmpty(words web.Words, by polder.Actor, narrowed bool) web.Empty {
	if narrowed {
		return web.Empty{Icon: "search", Title: words.T("cases.jewel.none-chosen"), Text: words.T("cases.list.none-chosen-text"), Actions: []web.Action{{Label: words.T("cases.jewel.kept"), Href: "/cases/jewels"}}}
	}
	e := web.Empty{Icon: "target", Title: words.T("cases.jewel.none"), Text: words.T("cases.jewel.none-text")}
	if web.Steward.Allows(by) {
		e.Actions = []web.Action{{Label: words.T("cases.jewel.new"), Href: "/cases/jewels/new", Primary: true}}
	}
	return e
}

// jewelDepends counts what hangs on a jewel.
func jewelDepends(words web.Words, j Jewel) string {
	var said []string
	for _, f := range []struct {
		key string
		n   int
	}{{"cases.jewel.n-products", len(j.Products)}, {"cases.jewel.n-partners", len(j.Partners)}, {"cases.jewel.n-platforms", len(j.Platforms)}} {
		if f.n > 0 {
			said = append(said, words.T(f.key, "n", f.n))
		}
	}
	return strings.Join(said, ", ")
}

// jewelImportAlerts say what became of a file.
func jewelImportAlerts(words web.Words, in JewelImport) []web.Alert {
	out := []web.Alert{{Title: words.T("cases.jewel.imported", "added", in.Added, "changed", in.Changed, "same", in.Same)}}
	if in.Refused > 0 {
		out = append(out, web.Alert{Class: "warn", Title: words.T("cases.jewel.refused", "n", in.Refused), Text: strings.Join(in.Faults, " · ")})
	}
	return out
}

// jewelDraft is a jewel as it was typed: lists one on each line.
type jewelDraft struct {
	Name, Technology, Systems, Products, Partners, Platforms, Worth, Owner string
	Version                                                                int
}

func jewelDraftOf(v url.Values) jewelDraft {
	trim := func(name string) string { return strings.TrimSpace(caseLines(v.Get(name))) }
	d := jewelDraft{trim("name"), trim("technology"), trim("systems"), trim("products"), trim("partners"), trim("platforms"), trim("worth"), trim("owner"), 0}
	d.Version, _ = strconv.Atoi(v.Get("version"))
	return d
}

func jewelDraftFrom(j Jewel) jewelDraft {
	line := func(all []string) string { return strings.Join(all, "\n") }
	return jewelDraft{j.Name, line(j.Technology), line(j.Systems), line(j.Products), line(j.Partners), line(j.Platforms), j.Worth, j.Owner, j.Version}
}

func (d jewelDraft) jewel(id string) Jewel {
	return Jewel{ID: id, Name: d.Name, Technology: caseValueLines(d.Technology), Systems: caseValueLines(d.Systems), Products: caseValueLines(d.Products), Partners: caseValueLines(d.Partners), Platforms: caseValueLines(d.Platforms), Worth: d.Worth, Owner: d.Owner, Version: d.Version}
}

func (d jewelDraft) form(words web.Words, action string) caseForm {
	t := words.T
	lines := func(name, value string) web.Field {
		return web.Field{Name: name, Label: t("cases.jewel." + name), Help: t("cases.jewel." + name + "-help"), Value: value, Rows: 3, Max: caseMaxText}
	}
	return caseForm{Action: action, Submit: t("cases.jewel.do"), Primary: true, Back: "/cases/jewels", Note: t("cases.jewel.note"), Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(d.Version)}}, Fields: []web.Field{
		{Name: "name", Label: t("cases.jewel.name"), Help: t("cases.jewel.name-help"), Value: d.Name, Max: caseMaxShort, Required: true},
		{Name: "worth", Label: t("cases.jewel.worth"), Help: t("cases.jewel.worth-help"), Value: d.Worth, Rows: 3, Max: caseMaxText},
		lines("technology", d.Technology), lines("systems", d.Systems), lines("products", d.Products), lines("partners", d.Partners), lines("platforms", d.Platforms),
		{Name: "owner", Label: t("cases.jewel.owner"), Help: t("cases.jewel.owner-help"), Value: d.Owner, Max: caseMaxShort}}}
}

func (p *Pages) jewelNew(w http.ResponseWriter, r *http.Request) error {
	return p.showJewelNew(w, r, jewelDraft{}, nil)
}

func (p *Pages) showJewelNew(w http.ResponseWriter, r *http.Request, d jewelDraft, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	f, v := d.form(words, "/cases/jewels/new"), caseView{Tabs: caseTabs(words, by, "/cases/jewels")}
	if !caseBlame(&f, failed) {
		v.Alerts = caseNotDone(words, failed)
	}
	v.Errors = f.errors()
	v.add(caseBlock(words.T("cases.jewel.new"), "", "case-form", f))
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: words.T("cases.jewel.new"), Lede: words.T("cases.jewel.new-lede"), Crumbs: jewelCrumbs(words), Status: caseStatus(failed), Data: v})
	return nil
}

// jewelPage is one jewel: what hangs on it, the cases that touch it, and what it once was.
func (p *Pages) jewelPage(w http.ResponseWriter, r *http.Request) error {
	j, err := p.Jewel(r.Context(), web.ActorOf(r), r.PathValue("jewel"))
	if err != nil {
		return err
	}
	return p.showJewel(w, r, j, jewelDraftFrom(j), nil)
}

func (p *Pages) showJewel(w http.ResponseWriter, r *http.Request, j Jewel, d jewelDraft, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	t, v := words.T, caseView{Tabs: caseTabs(words, by, "/cases/jewels")}
	if conflict, stale := errors.AsType[*CaseConflict](failed); stale && conflict.Jewel != nil {
		j = *conflict.Jewel
		d.Version = j.Version
		v.Alerts = append(v.Alerts, caseConflictAlert(words))
		v.across(caseConflictBlock(words, t("cases.somebody"), j.Changed, jewelDiffers(words, jewelDraftFrom(j), d)))
		failed = polder.Errorf(polder.Conflict, "%s", t("cases.conflict"))
	}
	if !j.Removed.IsZero() {
		v.Alerts = append(v.Alerts, web.Alert{Title: t("cases.jewel.removed-at", "at", j.Removed), Text: t("cases.jewel.removed-text")})
	}
	v.add(caseBlock(t("cases.jewel.hangs"), "", "case-facts", jewelRows(words, j)))
	touched, err := p.JewelCases(r.Context(), by, j.ID)
	if err != nil {
		return err
	}
	var marks []web.Mark
	for _, c := range touched {
		marks = append(marks, web.Mark{Icon: "flag", Text: t("cases.jewel.case", "title", caseOr(c.Title, t("cases.untitled")), "status", t("cases.status."+string(c.Status))), Href: casePath("/cases", string(c.ID))})
	}
	if len(marks) == 0 {
		marks = append(marks, web.Mark{Icon: "question", Text: t("cases.jewel.no-cases")})
	}
	v.beside(caseBlock(t("cases.jewel.cases"), "", "case-marks", marks))
	history, err := p.jewelHistoryBlock(r, words, j)
	if err != nil {
		return err
	}
	v.beside(history)
	if web.Steward.Allows(by) {
		f := d.form(words, casePath("/cases/jewels", j.ID))
		if !caseBlame(&f, failed) && len(v.Wide) == 0 {
			v.Alerts = append(v.Alerts, caseNotDone(words, failed)...)
		}
		v.Errors = f.errors()
		v.add(caseBlock(t("cases.jewel.change"), "", "case-form", f))
		v.Dialogs = append(v.Dialogs, jewelDialog(words, j))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: web.Clip(j.Name, caseMaxShort), Lede: caseFirstLine(j.Worth, 400), Crumbs: jewelCrumbs(words), Status: caseStatus(failed), Data: v})
	return nil
}

// jewelDialog takes a jewel out of the register, or puts it back.
func jewelDialog(words web.Words, j Jewel) web.Dialog {
	t, page := words.T, casePath("/cases/jewels", j.ID)
	hidden := []web.Hidden{{Name: "version", Value: strconv.Itoa(j.Version)}, {Name: "away", Value: "yes"}}
	if j.Removed.IsZero() {
		return web.Dialog{ID: "remove", Title: t("cases.jewel.remove.title"), Text: t("cases.jewel.remove.text"), Action: page + "/remove", Page: page, Open: t("cases.jewel.remove.open"), Submit: t("cases.jewel.remove.do"), Keep: t("cases.keep-it"), Hidden: hidden}
	}
	hidden[1].Value = "no"
	return web.Dialog{ID: "remove", Title: t("cases.jewel.restore.title"), Action: page + "/remove", Page: page, Open: t("cases.jewel.restore"), Submit: t("cases.jewel.restore"), Keep: t("cases.keep-it"), Hidden: hidden}
}

func jewelRows(words web.Words, j Jewel) []web.Pair {
	t := words.T
	var rows []web.Pair
	for _, f := range []struct {
		key  string
		text []string
	}{{"technology", j.Technology}, {"systems", j.Systems}, {"products", j.Products}, {"partners", j.Partners}, {"platforms", j.Platforms}} {
		rows = append(rows, web.Pair{Term: t("cases.jewel." + f.key), Text: caseOr(strings.Join(f.text, ", "), "–")})
	}
	return append(rows, web.Pair{Term: t("cases.jewel.worth"), Text: caseOr(j.Worth, "–")}, web.Pair{Term: t("cases.jewel.owner"), Text: caseOr(j.Owner, "–")}, web.Pair{Term: t("cases.changed"), Text: words.When(j.Changed)})
}

func jewelDiffers(words web.Words, there, yours jewelDraft) []caseDiffer {
	var d caseDiffs
	t := words.T
	d.add(t("cases.jewel.name"), there.Name, yours.Name)
	d.add(t("cases.jewel.worth"), there.Worth, yours.Worth)
	d.add(t("cases.jewel.technology"), there.Technology, yours.Technology)
	d.add(t("cases.jewel.systems"), there.Systems, yours.Systems)
	d.add(t("cases.jewel.products"), there.Products, yours.Products)
	d.add(t("cases.jewel.partners"), there.Partners, yours.Partners)
	d.add(t("cases.jewel.platforms"), there.Platforms, yours.Platforms)
	d.add(t("cases.jewel.owner"), there.Owner, yours.Owner)
	return d
}

// jewelHistoryBlock is what a jewel once was, the latest first.
func (p *Pages) jewelHistoryBlock(r *http.Request, words web.Words, j Jewel) (web.Block, error) {
	all, err := p.JewelHistory(r.Context(), web.ActorOf(r), j.ID)
	if err != nil {
		return web.Block{}, err
	}
	names := p.caseNames(r.Context(), words)
	var out []caseEvent
	for i, rev := range all {
		e := caseEvent{Event: web.Event{At: rev.At, Title: rev.Did}, Who: names.person(rev.By, "")}
		if key := "cases.did." + rev.Did; words.Has(key) {
			e.Title = words.T(key)
		}
		if i+1 < len(all) {
			for _, d := range jewelDiffers(words, jewelDraftFrom(all[i+1].Jewel), jewelDraftFrom(rev.Jewel)) {
				e.Changes = append(e.Changes, web.Change{Property: d.Field, Was: web.Clip(caseJoined(d.There), caseHistoryText), Is: web.Clip(caseJoined(d.Yours), caseHistoryText)})
			}
		}
		out = append(out, e)
	}
	return caseBlock(words.T("cases.history"), "", "case-events", out), nil
}

// setJewel adds a jewel, or changes one.
func (p *Pages) setJewel(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	id, d := r.PathValue("jewel"), jewelDraftOf(values)
	j, err := p.SetJewel(r.Context(), web.ActorOf(r), d.jewel(id))
	switch {
	case web.Mendable(err) && id == "":
		return p.showJewelNew(w, r, d, err)
	case web.Mendable(err):
		was, readErr := p.Jewel(r.Context(), web.ActorOf(r), id)
		if readErr != nil {
			return readErr
		}
		return p.showJewel(w, r, was, d, err)
	case err != nil:
		return err
	}
	return p.caseDone(w, r, casePath("/cases/jewels", j.ID), "cases.jewel.saved")
}

func (p *Pages) removeJewel(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(values.Get("version"))
	if err != nil {
		return polder.Errorf(polder.Invalid, "the form does not say which state you saw; open the page again")
	}
	away, said := values.Get("away") == "yes", "cases.jewel.put-back"
	if away {
		said = "cases.jewel.gone"
	}
	if _, err := p.RemoveJewel(r.Context(), web.ActorOf(r), r.PathValue("jewel"), version, away); err != nil {
		return err
	}
	return p.caseDone(w, r, "/cases/jewels", said)
}

// importJewels takes a file of jewels.
func (p *Pages) importJewels(w http.ResponseWriter, r *http.Request) error {
	u, err := caseUploadOf(r)
	if err != nil {
		return err
	}
	defer u.close()
	if u.file == nil {
		return p.showJewels(w, r, nil, polder.Errorf(polder.Invalid, "%s", web.WordsOf(r).T("cases.jewel.no-file")))
	}
	out, err := p.ImportJewels(r.Context(), web.ActorOf(r), u.name, u.file)
	if web.Mendable(err) {
		return p.showJewels(w, r, nil, err)
	}
	if err != nil {
		return err
	}
	return p.showJewels(w, r, &out, nil)
}
