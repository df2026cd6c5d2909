package screen

import (
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
)

// maxShownFaults is how many refused rows of a file a page tells of.
const maxShownFaults = 20

// partyFilterOf is what an address asks of the list of parties.
func partyFilterOf(q url.Values) (PartyFilter, error) {
	f := PartyFilter{Group: q.Get("group"), Text: strings.TrimSpace(q.Get("text")), Due: q.Get("due") == "yes", Hit: q.Get("hit") == "yes", Removed: q.Get("removed") == "yes", Next: q.Get("next")}
	var err error
	f.Limit, err = limitOf(q, 200)
	return f, err
}

// limitOf reads how many of something an address asks for; 0 when it does not say.
func limitOf(q url.Values, most int) (int, error) {
	text := q.Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, polder.Errorf(polder.Invalid, "limit: %.40q is not a number from 1 to %d", text, most)
	}
	return n, nil
}

func (f PartyFilter) narrows() bool {
	return f.Group != "" || f.Text != "" || f.Due || f.Hit || f.Removed
}

// partiesShown is what the page of parties shows beside its list: what was typed before, what an import came to.
type partiesShown struct {
	typed    askForm
	ref      string
	imported *PartyImport
	find     string
	failed   error
}

// parties is the page of the parties that are known and watched.
func (p *Pages) parties(w http.ResponseWriter, r *http.Request) error {
	return p.showParties(w, r, partiesShown{})
}

// findParties lists the parties whose name or reference holds what a form says.
func (p *Pages) findParties(w http.ResponseWriter, r *http.Request) error {
	find, err := foundHere(r)
	if err != nil {
		return err
	}
	return p.showParties(w, r, partiesShown{find: find})
}

func (p *Pages) showParties(w http.ResponseWriter, r *http.Request, shown partiesShown) error {
	words, by, at := web.WordsOf(r), web.ActorOf(r), r.URL
	if r.Method == http.MethodPost {
		at = &url.URL{Path: "/screen/parties"}
	}
	f, err := partyFilterOf(at.Query())
	if err != nil {
		return err
	}
	if f.Text = shown.find; f.Text != "" {
		f.Limit = 200
	}
	page, err := p.Parties(r.Context(), by, f)
	if err != nil {
		return err
	}
	groups, err := p.Groups(r.Context(), by)
	if err != nil {
		return err
	}
	progress, err := p.Progress(r.Context(), by)
	if err != nil {
		return err
	}
	v := queueView{Tabs: p.tabs(words, "/screen/parties"), Alerts: pageNotDone(words, shown.failed), Count: words.T("screen.parties.count", "n", progress.Parties), Note: progressText(words, progress)}
	v.Find = &pageFind{"/screen/parties/find", words.T("screen.parties.find"), shown.find}
	v.Facets, v.Chosen = web.OneOfEach(partyFacets(words, at, f, groups), words.T("screen.parties.all"), words.T("screen.queue.any"))
	if shown.imported != nil {
		v.Alerts = append(v.Alerts, web.Alert{Title: words.T("screen.parties.imported", "added", shown.imported.Added, "changed", shown.imported.Changed, "same", shown.imported.Same)})
		if n := shown.imported.Refused; n > 0 {
			v.Alerts = append(v.Alerts, faultsAlert(words, n, shown.imported.Faults))
		}
	}
	if f.narrows() {
		v.Count = words.T("screen.queue.chosen")
	}
	v.Table = partyTable(words, groups, page.Parties, emptyParties(words, by, f.narrows()))
	if shown.find == "" { // the address of a next page would have to hold what is looked for
		v.Table.Pager = web.NextPart(at, page.Next, f.Next != "")
	}
	if contributes(by) {
		v.Below = append(v.Below, pageBlock(words.T("screen.parties.add"), "", "form", partyForm(words, groups, shown.typed, shown.ref, f.Group)), pageBlock(words.T("screen.parties.import"), "", "form", partiesForm(words, groups, f.Group)))
	}
	if stewards(by) {
		v.Below = append(v.Below, groupBlocks(words, groups)...)
	}
	p.site.Render(w, r, web.Page{Template: "screen/queue", Title: words.T("screen.parties"), Lede: words.T("screen.parties.lede"), Status: pageStatus(shown.failed), Crumbs: p.crumbs(words), Data: v})
	return nil
}

// progressText says against what parties were last screened.
func progressText(words web.Words, g Progress) string {
	switch {
	case g.Parties == 0:
		return ""
	case g.Settled == g.Parties:
		return words.T("screen.parties.settled")
	}
	return words.T("screen.parties.progress", "n", g.Settled, "of", g.Parties)
}

func emptyParties(words web.Words, by polder.Actor, narrowed bool) web.Empty {
	if narrowed {
		return web.Empty{Icon: "search", Title: words.T("screen.parties.none-chosen"), Text: words.T("screen.queue.none-chosen-text"), Actions: []web.Action{{Label: words.T("screen.parties.all"), Href: "/screen/parties"}}}
	}
	e := web.Empty{Icon: "people", Title: words.T("screen.parties.none"), Text: words.T("screen.parties.none-text")}
	if contributes(by) {
		e.Text = words.T("screen.parties.first")
	}
	return e
}

func partyTable(words web.Words, groups []PartyGroup, all []Party, empty web.Empty) pageTable {
	t := pageTable{Label: words.T("screen.parties"), Heads: web.PlainHeads(words.T("screen.party"), words.T("screen.group"), words.T("screen.parties.screened"), words.T("screen.parties.found")), Empty: empty}
	for _, one := range all {
		screened := pageCell{Text: words.T("screen.parties.never")}
		if !one.Screened.IsZero() {
			screened = pageCell{At: one.Screened, Sub: againstText(words, one.Against)}
		}
		t.add(pageRow{Name: web.Clip(one.Query.Name, maxLine), Foreign: true, Href: pagePath("/screen/parties", one.ID), Sub: one.Query.Ref, Cells: []pageCell{{Text: groupTitle(words, groups, one.Group)}, screened, {Mark: partyMark(words, one)}}})
	}
	return t
}

// againstText says which lists a party was last asked against.
func againstText(words web.Words, against []lists.Meta) string {
	var said []string
	for _, m := range against[:min(len(against), 2)] {
		said = append(said, words.T("screen.list.of-date", "list", listTitle(m), "date", listDate(words, m)))
	}
	if more := len(against) - 2; more > 0 {
		said = append(said, words.T("screen.and-more", "n", more))
	}
	return strings.Join(said, "; ")
}

func partyMark(words web.Words, one Party) pageMark {
	switch {
	case !one.Removed.IsZero():
		return pageMark{"", "cross", words.T("screen.parties.removed")}
	case one.True > 0:
		return pageMark{"bad", "alert", words.T("screen.parties.listed", "n", one.True)}
	case one.Waiting > 0:
		return pageMark{"warn", "eye", words.T("screen.parties.waiting", "n", one.Waiting)}
	case one.Screened.IsZero():
		return pageMark{"", "clock", words.T("screen.parties.due")}
	}
	return pageMark{"", "list", words.T("screen.parties.no-hit")}
}

func partyFacets(words web.Words, at *url.URL, f PartyFilter, groups []PartyGroup) web.Facets {
	in := web.FacetGroup{Name: "group", Legend: words.T("screen.group")}
	for _, g := range groups {
		in.Options = append(in.Options, web.FacetOption{Value: g.Name, Label: groupTitle(words, groups, g.Name), Count: g.Parties, Chosen: f.Group == g.Name})
	}
	flag := func(name, key string, on bool) web.FacetGroup {
		return web.FacetGroup{Name: name, Legend: words.T(key), Options: []web.FacetOption{{Value: "yes", Label: words.T(key + ".yes"), Chosen: on}}}
	}
	return web.Facets{At: at, Groups: []web.FacetGroup{in, flag("hit", "screen.parties.found", f.Hit), flag("due", "screen.parties.screened", f.Due), flag("removed", "screen.parties.known", f.Removed)}}
}

func groupOptions(words web.Words, groups []PartyGroup, chosen string) []web.Option {
	var out []web.Option
	for _, g := range groups {
		out = append(out, web.Option{Value: g.Name, Label: groupTitle(words, groups, g.Name), Chosen: g.Name == chosen})
	}
	return out
}

func partyForm(words web.Words, groups []PartyGroup, typed askForm, ref, group string) pageForm {
	f := typed.form(words)
	f.Action, f.Submit, f.Primary, f.Note = "/screen/parties", words.T("screen.parties.add"), true, words.T("screen.parties.note")
	f.Fields = []web.Field{{Name: "text", Label: words.T("screen.parties.name"), Value: typed.Text, Max: maxKeptName, Required: true}, {Name: "group", Label: words.T("screen.group"), Options: groupOptions(words, groups, group)},
		{Name: "ref", Label: words.T("screen.ref"), Help: words.T("screen.ref.help"), Value: ref, Max: maxShort}, f.Fields[1]}
	return f
}

func partiesForm(words web.Words, groups []PartyGroup, group string) pageForm {
	return pageForm{Action: "/screen/parties/import", Files: true, Submit: words.T("screen.parties.import"), Note: words.T("screen.parties.import-note"), Fields: []web.Field{
		{Name: "into", Label: words.T("screen.group"), Options: groupOptions(words, groups, group)}, {Name: "file", Label: words.T("screen.file"), Help: words.T("screen.file.help"), Type: "file", Required: true}}}
}

// groupBlocks let a steward make groups of the organisation's own, and take empty ones away.
func groupBlocks(words web.Words, groups []PartyGroup) []web.Block {
	t := pageTable{Label: words.T("screen.groups"), Heads: web.PlainHeads(words.T("screen.group"), "#"+words.T("screen.parties"), words.T("screen.groups.change")), Empty: web.Empty{Icon: "people", Title: words.T("screen.groups.none"), Text: words.T("screen.groups.none-text")}}
	for _, g := range groups {
		if !g.Own {
			continue
		}
		row := pageRow{Name: groupTitle(words, groups, g.Name), Sub: g.Name, Href: "/screen/parties?" + url.Values{"group": {g.Name}}.Encode(), Cells: []pageCell{{Text: words.Number(int64(g.Parties))}, {}}}
		if g.Parties == 0 {
			row.Cells[1].Buttons = []pageButton{{Action: pagePath("/screen/groups", g.Name, "remove"), Label: words.T("screen.groups.remove")}}
		}
		t.add(row)
	}
	return []web.Block{pageBlock(words.T("screen.groups"), "", "table", t), pageBlock(words.T("screen.groups.add"), "", "form", pageForm{Action: "/screen/groups", Submit: words.T("screen.groups.add"), Fields: []web.Field{
		{Name: "group-name", Label: words.T("screen.groups.name"), Help: words.T("screen.groups.name-help"), Max: 40, Required: true}, {Name: "title", Label: words.T("screen.groups.title"), Max: maxShort}}})}
}

func (p *Pages) addGroup(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	err = p.AddGroup(r.Context(), web.ActorOf(r), PartyGroup{Name: values.Get("group-name"), Title: values.Get("title")})
	return p.groupsAgain(w, r, err, "screen.groups.added")
}

func (p *Pages) removeGroup(w http.ResponseWriter, r *http.Request) error {
	return p.groupsAgain(w, r, p.RemoveGroup(r.Context(), web.ActorOf(r), r.PathValue("name")), "screen.groups.removed")
}

func (p *Pages) groupsAgain(w http.ResponseWriter, r *http.Request, err error, said string) error {
	if web.Mendable(err) {
		return p.showParties(w, r, partiesShown{failed: err})
	}
	if err != nil {
		return err
	}
	return p.done(w, r, "/screen/parties", said)
}

func (p *Pages) addParty(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	f := askFormOf(values)
	q, err := f.query(oneLine(f.Text))
	var one Party
	if err == nil {
		q.Ref = strings.TrimSpace(values.Get("ref"))
		one, err = p.AddParty(r.Context(), web.ActorOf(r), values.Get("group"), q)
	}
	if web.Mendable(err) {
		return p.showParties(w, r, partiesShown{typed: f, ref: values.Get("ref"), failed: err})
	}
	if err != nil {
		return err
	}
	return p.done(w, r, pagePath("/screen/parties", one.ID), "screen.parties.added")
}

// fileQueries are the parties of a file, in the order of its rows. A row that cannot be asked about comes with a
// [RowFault]; any other error ends the reading.
func fileQueries(in *PartyReader) iter.Seq2[Query, error] {
	return func(yield func(Query, error) bool) {
		for {
			row, err := in.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && row.Why != nil {
				err = &RowFault{row.Why}
			}
			if !yield(row.Query, err) {
				return
			}
			if _, one := errors.AsType[*RowFault](err); err != nil && !one {
				return
			}
		}
	}
}

// importParties makes the parties of a file known.
func (p *Pages) importParties(w http.ResponseWriter, r *http.Request) error {
	out, err := p.takeParties(r)
	switch {
	case err == nil:
		return p.showParties(w, r, partiesShown{imported: &out})
	case web.Mendable(err):
		return p.showParties(w, r, partiesShown{failed: err})
	}
	return err
}

func (p *Pages) takeParties(r *http.Request) (PartyImport, error) {
	f, err := fileOf(r, "file")
	if err != nil {
		return PartyImport{}, err
	}
	defer f.Close()
	in, err := NewPartyReader(f.name, f.file, PartyOptions{})
	if err != nil {
		return PartyImport{}, err
	}
	defer in.Close()
	return p.ImportParties(r.Context(), web.ActorOf(r), f.get("into"), fileQueries(in))
}
