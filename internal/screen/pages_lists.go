package screen

import (
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/names"
)

const (
	maxShownChanges  = 200 // of each kind on the page of a list
	maxShownVersions = 50
	maxMapping       = 64 << 10 // bytes of a mapping file
)

// listAge says how old a list is, and what of its refreshing should be known.
func listAge(words web.Words, p *Pages, l KeptList) string {
	said := []string{}
	if at, err := time.Parse(time.DateOnly, l.Date); err == nil {
		if days := int(p.more.Now().UTC().Sub(at).Hours() / 24); days >= 0 {
			said = append(said, ageText(words, days))
		}
	}
	if l.Stale {
		said = append(said, words.T("screen.list.stale"))
	}
	if l.Failures > 0 {
		said = append(said, words.T("screen.list.failures", "n", l.Failures))
	}
	return strings.Join(said, " · ")
}

func ageText(words web.Words, days int) string {
	if days == 0 {
		return words.T("screen.list.today")
	}
	return words.T("screen.list.age", "n", days)
}

// staleAlert says that a list is older than it should be, and that it is asked nevertheless.
func staleAlert(words web.Words, p *Pages, l KeptList) web.Alert {
	return web.Alert{Class: "warn", Title: words.T("screen.list.stale-title", "list", listTitle(l.Meta)), Text: strings.TrimSpace(words.T("screen.list.stale-text", "date", listDate(words, l.Meta)) + " " + failureText(words, l)),
		Links: []web.Link{{Text: words.T("screen.list.open"), Href: pagePath("/screen/lists", l.Name)}}}
}

// failureText says that refreshing fails; "" while it does not.
func failureText(words web.Words, l KeptList) string {
	if l.Failures == 0 {
		return ""
	}
	return words.T("screen.list.failing", "n", l.Failures, "list", listTitle(l.Meta), "date", listDate(words, l.Meta), "at", l.Failed)
}

func ageMark(words web.Words, l KeptList) pageMark {
	switch {
	case l.Failures > 0:
		return pageMark{"bad", "alert", words.T("screen.list.refresh-fails")}
	case l.Stale:
		return pageMark{"warn", "clock", words.T("screen.list.stale")}
	}
	return pageMark{"ok", "check", words.T("screen.list.fresh")}
}

// lists is the page of the lists that are asked, and for stewards the form that imports one.
func (p *Pages) lists(w http.ResponseWriter, r *http.Request) error { return p.showLists(w, r, nil) }

func (p *Pages) showLists(w http.ResponseWriter, r *http.Request, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	kept, err := p.more.Lists.Lists(r.Context(), by)
	if err != nil {
		return err
	}
	v := pageView{Tabs: p.tabs(words, "/screen/lists"), Alerts: pageNotDone(words, failed)}
	t := pageTable{Label: words.T("screen.tab.lists"), Heads: web.PlainHeads(words.T("screen.list"), words.T("screen.list.purpose"), words.T("screen.list.date"), "#"+words.T("screen.list.entries"), words.T("screen.list.refreshed")), Empty: noLists(words, stewards(by))}
	entries, stale := 0, 0
	for _, l := range kept {
		entries += l.Entries
		if l.Stale {
			stale++
		}
		if l.Stale || l.Failures > 0 {
			v.Alerts = append(v.Alerts, listAlert(words, p, l))
		}
		sub := words.T("screen.owner." + string(l.Owner))
		if l.Owner == OwnedByMember {
			sub = words.T("screen.owner.from", "who", sharedIn(l))
		}
		t.add(pageRow{Name: listTitle(l.Meta), Href: pagePath("/screen/lists", l.Name), Sub: sub, Cells: []pageCell{purposeCell(words, l.Purpose), {Text: listDate(words, l.Meta), Sub: listAge(words, p, l)}, {Text: words.Number(int64(l.Entries))}, {Mark: ageMark(words, l), Sub: scheduleText(words, l)}}})
	}
	v.add(pageBlock(words.T("screen.lists.count", "n", len(kept)), words.T("screen.lists.entries", "n", entries), "table", t))
	if stewards(by) {
		v.beside(pageBlock(words.T("screen.import"), words.T("screen.import.own"), "form", importForm(words)))
	}
	lede := words.T("screen.lists.lede")
	if stale > 0 {
		lede = words.T("screen.lists.stale", "n", stale)
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: words.T("screen.lists"), Lede: lede, Status: pageStatus(failed), Crumbs: p.crumbs(words), Data: v})
	return nil
}

// sharedIn is the community in which members share a list.
func sharedIn(l KeptList) string {
	alias, _, _ := strings.Cut(l.Name, "/")
	return alias
}

// crumbs is the way to a page below the first.
func (p *Pages) crumbs(words web.Words, more ...web.Link) []web.Link {
	return append([]web.Link{{Text: words.T("screen.nav"), Href: "/screen"}}, more...)
}

// listAlert says on the page of the lists why one needs a look.
func listAlert(words web.Words, p *Pages, l KeptList) web.Alert {
	if l.Stale {
		return staleAlert(words, p, l)
	}
	return web.Alert{Class: "warn", Title: words.T("screen.list.refresh-fails"), Text: failureText(words, l), Links: []web.Link{{Text: words.T("screen.list.open"), Href: pagePath("/screen/lists", l.Name)}}}
}

func purposeCell(words web.Words, p lists.Purpose) pageCell {
	if p == lists.Verified {
		return pageCell{Mark: pageMark{"ok", "shield", words.T("screen.purpose.verified")}}
	}
	return pageCell{Mark: pageMark{"", "flag", words.T("screen.purpose.restricted")}}
}

// scheduleText says how a list is refreshed.
func scheduleText(words web.Words, l KeptList) string {
	switch {
	case l.Owner == OwnedByMember:
		return words.T("screen.list.by-members")
	case l.Every <= 0:
		return words.T("screen.list.by-hand")
	case l.Checked.IsZero():
		return words.T("screen.list.every", "span", words.Span(l.Every))
	}
	return words.T("screen.list.every", "span", words.Span(l.Every)) + " · " + words.T("screen.list.checked", "at", l.Checked)
}

func noLists(words web.Words, steward bool) web.Empty {
	e := web.Empty{Icon: "list", Title: words.T("screen.lists.none"), Text: words.T("screen.lists.first")}
	if !steward {
		e.Text = words.T("screen.lists.none-text")
	}
	return e
}

func importForm(words web.Words) pageForm {
	purposes := []web.Option{{Value: "restricted", Label: words.T("screen.purpose.restricted"), Help: words.T("screen.purpose.restricted-help"), Chosen: true}, {Value: "verified", Label: words.T("screen.purpose.verified"), Help: words.T("screen.purpose.verified-help")}}
	return pageForm{Action: "/screen/lists", Files: true, Submit: words.T("screen.import.do"), MoreIs: words.T("screen.ask.more"), Note: words.T("screen.import.note"),
		Fields: []web.Field{{Name: "name", Label: words.T("screen.import.name"), Help: words.T("screen.import.name-help"), Max: 60}, {Name: "purpose", Label: words.T("screen.import.purpose"), Options: purposes, Class: "across"},
			{Name: "file", Label: words.T("screen.import.file"), Help: words.T("screen.import.file-help"), Type: "file", Required: true}},
		More: []web.Field{{Name: "title", Label: words.T("screen.import.title"), Max: 200}, {Name: "source", Label: words.T("screen.list.publisher"), Max: 200}, {Name: "licence", Label: words.T("screen.list.licence"), Max: 200}, {Name: "date", Label: words.T("screen.list.date"), Help: words.T("screen.import.date-help"), Short: true, Max: 10},
			{Name: "mapping", Label: words.T("screen.import.mapping"), Help: words.T("screen.import.mapping-help"), Type: "file"}}}
}

// formFile is a file of a form, and the fields that came with it. Close removes what was put aside.
type formFile struct {
	values map[string][]string
	form   *multipart.Form
	name   string
	file   multipart.File
}

func (f formFile) get(name string) string {
	if v := f.values[name]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

func (f formFile) Close() {
	if f.file != nil {
		f.file.Close()
	}
	if f.form != nil {
		_ = f.form.RemoveAll() // a file in the folder for such things that the system clears
	}
}

// small reads a second, small file of the form; nil when none was chosen.
func (f formFile) small(name string, most int64) ([]byte, error) {
	all := f.form.File[name]
	if len(all) == 0 || all[0].Filename == "" {
		return nil, nil
	}
	in, err := all[0].Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if int64(len(text)) > most {
		return nil, polder.Errorf(polder.TooLarge, "%s: the file is above %d bytes", name, most)
	}
	return text, err
}

// fileOf is the file that a form sends under name; what of it is large waits on disk.
func fileOf(r *http.Request, name string) (formFile, error) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		if err = web.Translate(err); polder.KindOf(err) == polder.Internal {
			err = polder.Errorf(polder.Invalid, "the form holds no file that can be read; choose a file and send it")
		}
		return formFile{}, err
	}
	f := formFile{values: r.MultipartForm.Value, form: r.MultipartForm}
	all := r.MultipartForm.File[name]
	if len(all) == 0 || all[0].Filename == "" {
		f.Close()
		return formFile{}, polder.Errorf(polder.Invalid, "%s: no file was chosen; choose one and send it", name)
	}
	f.name = web.Clip(path.Base(strings.ReplaceAll(all[0].Filename, `\`, "/")), maxShort)
	var err error
	if f.file, err = all[0].Open(); err != nil {
		f.Close()
		return formFile{}, err
	}
	return f, nil
}

// importList takes a list of the organisation's own.
func (p *Pages) importList(w http.ResponseWriter, r *http.Request) error {
	l, err := p.takeList(r)
	if web.Mendable(err) {
		return p.showLists(w, r, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, pagePath("/screen/lists", l.Name), "screen.import.done", "n", l.Entries)
}

func (p *Pages) takeList(r *http.Request) (KeptList, error) {
	f, err := fileOf(r, "file")
	if err != nil {
		return KeptList{}, err
	}
	defer f.Close()
	mapping, err := f.small("mapping", maxMapping)
	if err != nil {
		return KeptList{}, err
	}
	o := ListImport{Name: f.get("name"), File: f.name, Purpose: lists.Purpose(pageOr(f.get("purpose"), string(lists.Restricted))), Title: f.get("title"), Source: f.get("source"), Licence: f.get("licence"), Date: f.get("date"), Mapping: mapping}
	if err := o.check(); err != nil {
		return KeptList{}, err
	}
	return p.more.Lists.Import(r.Context(), web.ActorOf(r), o, f.file)
}

// check refuses what no list is.
func (o ListImport) check() error {
	if o.Purpose != "" && o.Purpose != lists.Restricted && o.Purpose != lists.Verified {
		return polder.Errorf(polder.Invalid, "purpose: %.40q is not known; use restricted or verified", o.Purpose)
	}
	if o.Date != "" {
		if _, err := time.Parse(time.DateOnly, o.Date); err != nil {
			return polder.Errorf(polder.Invalid, "date: %.40q is no date; write it as 2026-11-22", o.Date)
		}
	}
	return nil
}

// list is the page of one list: what it is, its versions, and what the last one changed.
func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, Share{}, nil)
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, typed Share, failed error) error {
	words, by, q := web.WordsOf(r), web.ActorOf(r), r.URL.Query()
	l, err := keptList(r, p.more.Lists, r.PathValue("name"))
	if err != nil {
		return err
	}
	versions, err := p.more.Lists.Versions(r.Context(), by, l.Name)
	if err != nil {
		return err
	}
	v := pageView{Tabs: p.tabs(words, "/screen/lists"), Alerts: pageNotDone(words, failed)}
	if l.Stale || l.Failures > 0 {
		a := listAlert(words, p, l)
		a.Links = nil
		v.Alerts = append(v.Alerts, a)
	}
	switch {
	case l.Owner == OwnedByMember:
		v.add(pageBlock(words.T("screen.changes"), "", "nothing-here", web.Empty{Icon: "people", Title: words.T("screen.list.by-members"), Text: words.T("screen.changes.shared-text")}))
	case len(versions) > 1:
		d, err := p.more.Lists.Difference(r.Context(), by, l.Name, q.Get("old"), q.Get("new"), maxShownChanges)
		if err != nil {
			return err
		}
		v.add(differenceBlocks(words, d)...)
	default:
		v.add(pageBlock(words.T("screen.changes"), "", "nothing-here", web.Empty{Icon: "layers", Title: words.T("screen.changes.first"), Text: words.T("screen.changes.first-text")}))
	}
	v.add(versionsBlock(words, l, versions))
	v.beside(pageBlock(words.T("screen.list.about"), "", "facts", aboutList(words, l)))
	if notes := l.Notes; len(notes) > 0 {
		marks := []web.Mark{}
		for _, n := range notes {
			marks = append(marks, web.Mark{Class: "mind", Text: n})
		}
		v.beside(pageBlock(words.T("screen.list.notes"), "", "marks-body", marks))
	}
	v.beside(pageBlock(words.T("screen.list.refresh"), "", "facts", refreshPairs(words, l)))
	if l.Origin != "" && stewards(by) {
		v.beside(pageBlock(words.T("screen.list.refresh-now"), "", "form", pageForm{Action: pagePath("/screen/lists", l.Name, "refresh"), Note: words.T("screen.list.refresh-note"), Submit: words.T("screen.list.refresh-now")}))
	}
	share, ok, err := p.shareBlock(r, words, l, typed)
	if err != nil {
		return err
	}
	if ok {
		v.beside(share)
		v.Leaves = true
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: listTitle(l.Meta), Lede: words.T("screen.list.lede", "n", l.Entries, "names", l.Names, "date", listDate(words, l.Meta)), Status: pageStatus(failed),
		Crumbs: p.crumbs(words, web.Link{Text: words.T("screen.lists"), Href: "/screen/lists"}), Data: v})
	return nil
}

// keptList is one list by its name.
func keptList(r *http.Request, k ListKeeper, name string) (KeptList, error) {
	kept, err := k.Lists(r.Context(), web.ActorOf(r))
	if err != nil {
		return KeptList{}, err
	}
	if i := slices.IndexFunc(kept, func(l KeptList) bool { return l.Name == name }); i >= 0 {
		return kept[i], nil
	}
	return KeptList{}, polder.Errorf(polder.NotFound, "there is no such list; see the page of the lists, or GET /api/v1/screen/lists")
}

func aboutList(words web.Words, l KeptList) []web.Pair {
	var out []web.Pair
	add := func(key, text string) {
		if text != "" {
			out = append(out, web.Pair{Term: words.T(key), Text: text})
		}
	}
	add("screen.list.purpose", words.T("screen.purpose."+string(l.Purpose)))
	add("screen.list.date", listDate(words, l.Meta))
	add("screen.list.version", l.Version)
	add("screen.list.entries", words.Number(int64(l.Entries)))
	add("screen.list.names", words.Number(int64(l.Names)))
	if l.Owner == OwnedByMember {
		add("screen.list.publisher", words.T("screen.owner.from", "who", sharedIn(l)))
	} else {
		add("screen.list.publisher", l.Source)
	}
	add("screen.list.licence", l.Licence)
	add("screen.list.form", l.Form)
	add("screen.list.read", words.When(l.Read))
	return append(out, web.Pair{Term: words.T("screen.list.hash"), Text: l.SHA256, Code: true})
}

// refreshPairs say how a list is kept up to date, and how that goes.
func refreshPairs(words web.Words, l KeptList) []web.Pair {
	out := []web.Pair{{Term: words.T("screen.list.how"), Text: scheduleText(words, l)}}
	if l.Origin != "" {
		out = append(out, web.Pair{Term: words.T("screen.list.origin"), Text: web.Defang(l.Origin)})
	}
	if !l.Next.IsZero() {
		out = append(out, web.Pair{Term: words.T("screen.list.next"), Text: words.When(l.Next)})
	}
	if !l.StaleAt.IsZero() {
		out = append(out, web.Pair{Term: words.T("screen.list.stale-at"), Text: words.When(l.StaleAt)})
	}
	if l.Failures > 0 {
		out = append(out, web.Pair{Term: words.T("screen.list.failure"), Text: words.When(l.Failed) + ": " + l.Failure})
	}
	return out
}

func versionsBlock(words web.Words, l KeptList, versions []ListVersion) web.Block {
	t := pageTable{Label: words.T("screen.versions"), Heads: web.PlainHeads(words.T("screen.list.date"), words.T("screen.list.read"), "#"+words.T("screen.list.entries"), words.T("screen.versions.by"), words.T("screen.changes"))}
	t.Empty = web.Empty{Icon: "layers", Title: words.T("screen.changes.first"), Text: words.T("screen.changes.first-text")}
	itself := words.T("screen.versions.itself")
	if l.Owner == OwnedByMember {
		itself = words.T("screen.versions.members")
	}
	for i, one := range versions[:min(len(versions), maxShownVersions)] {
		row := pageRow{Name: listDate(words, one.Meta), Sub: one.Version, Cells: []pageCell{{At: one.Read}, {Text: words.Number(int64(one.Entries))}, {Text: pageOr(one.By, itself)}, {}}}
		if one.Now {
			row.Cells[3].Mark = pageMark{"info", "check", words.T("screen.versions.now")}
		}
		if i+1 < len(versions) {
			row.Href = pagePath("/screen/lists", l.Name) + "?old=" + versions[i+1].SHA256 + "&new=" + one.SHA256
			row.Cells[3].Sub = words.T("screen.versions.against", "date", listDate(words, versions[i+1].Meta))
		}
		t.add(row)
	}
	return pageBlock(words.T("screen.versions"), words.T("screen.versions.count", "n", len(versions)), "table", t)
}

// changeRow is a row of "changes": a listing that came, went, or is another.
type changeRow struct {
	Icon, Name, Text string
	Mark             pageMark
	Changes          []web.Change
}

// differenceBlocks are what came, what went and what is another.
func differenceBlocks(words web.Words, d ListDifference) []web.Block {
	between := words.T("screen.changes.between", "old", listDate(words, d.Old.Meta), "new", listDate(words, d.New.Meta))
	var changed, added, removed []changeRow
	for _, c := range d.Changed {
		changed = append(changed, changeRow{Icon: "pen", Name: web.Clip(c.New.Name, maxLine), Text: entryText(words, c.New), Mark: pageMark{"info", "pen", words.T("screen.changes.changed")}, Changes: entryChanges(words, c.Old, c.New)})
	}
	for _, e := range d.Added {
		added = append(added, changeRow{Icon: "plus", Name: web.Clip(e.Name, maxLine), Text: entryText(words, e), Mark: pageMark{"warn", "plus", words.T("screen.changes.added")}})
	}
	for _, e := range d.Removed {
		removed = append(removed, changeRow{Icon: "cross", Name: web.Clip(e.Name, maxLine), Text: entryText(words, e), Mark: pageMark{"", "cross", words.T("screen.changes.removed")}})
	}
	block := func(key string, n, shown int, rows []changeRow) web.Block {
		note := words.T("screen.changes.count", "n", n)
		if n > shown {
			note = words.T("screen.changes.some", "n", shown, "of", n)
		}
		return pageBlock(words.T(key), note, "changes", rows)
	}
	out := []web.Block{pageBlock(words.T("screen.changes"), between, "facts", []web.Pair{{Term: words.T("screen.changes.added"), Text: words.Number(int64(d.AddedCount))}, {Term: words.T("screen.changes.removed"), Text: words.Number(int64(d.RemovedCount))}, {Term: words.T("screen.changes.changed"), Text: words.Number(int64(d.ChangedCount))}})}
	for _, one := range []struct {
		key  string
		n    int
		rows []changeRow
	}{{"screen.changes.added", d.AddedCount, added}, {"screen.changes.removed", d.RemovedCount, removed}, {"screen.changes.changed", d.ChangedCount, changed}} {
		if one.n > 0 {
			out = append(out, block(one.key, one.n, len(one.rows), one.rows))
		}
	}
	return out
}

// entryText is what tells a listing from others of its name.
func entryText(words web.Words, e lists.Entry) string {
	said := []string{e.ID}
	if e.Type != names.Any {
		said = append(said, words.T("screen.type."+e.Type.String()))
	}
	said = append(said, e.List, strings.Join(e.Programmes[:min(len(e.Programmes), 3)], "; "))
	return strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), " · ")
}

// entryChanges are the properties of a listing that changed: what each was, what it is.
func entryChanges(words web.Words, old, now lists.Entry) (out []web.Change) {
	add := func(key, was, is string) {
		if was != is {
			out = append(out, web.Change{Property: words.T(key), Was: web.Clip(was, 300), Is: web.Clip(is, 300)})
		}
	}
	gone := func(key string, was, is []string) { // of a list only what came and went
		add(key, strings.Join(without(was, is), "; "), strings.Join(without(is, was), "; "))
	}
	add("screen.listing.name", old.Name, now.Name)
	gone("screen.listing.aliases", aliasTexts(words, old), aliasTexts(words, now))
	add("screen.type", old.Type.String(), now.Type.String())
	gone("screen.kind.country", old.Countries, now.Countries)
	gone("screen.kind.birth-date", old.Births, now.Births)
	gone("screen.kind.identifier", compareIDs(words, old.Identifiers), compareIDs(words, now.Identifiers))
	gone("screen.address", old.Addresses, now.Addresses)
	gone("screen.listing.programme", old.Programmes, now.Programmes)
	add("screen.listing.means", old.Means, now.Means)
	add("screen.listing.note", old.Note, now.Note)
	add("screen.listing.since", old.Listed, now.Listed)
	add("screen.listing.changed", old.Changed, now.Changed)
	return out
}

func aliasTexts(words web.Words, e lists.Entry) (out []string) {
	for _, a := range e.Aliases {
		if a.Weak {
			a.Name += " (" + words.T("screen.alias.weak") + ")"
		}
		out = append(out, a.Name)
	}
	return out
}

// without is all of a that b has not.
func without(a, b []string) []string {
	have := map[string]bool{}
	for _, s := range b {
		have[s] = true
	}
	var out []string
	for _, s := range a {
		if !have[s] {
			out = append(out, s)
		}
	}
	return out
}

func (p *Pages) refreshList(w http.ResponseWriter, r *http.Request) error {
	l, err := p.more.Lists.Refresh(r.Context(), web.ActorOf(r), r.PathValue("name"))
	if web.Mendable(err) || err != nil && polder.KindOf(err) == polder.Unavailable {
		return p.showList(w, r, Share{}, err)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, pagePath("/screen/lists", l.Name), "screen.list.refresh-done")
}
