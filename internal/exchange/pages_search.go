package exchange

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// maxHits is how many hits a search page shows.
const maxHits = 100

// searchView is the data of templates/search.html.
type searchView struct {
	Text  string
	Hits  []web.Hit
	Said  string
	Empty web.Empty
}

// searchPage finds what all capabilities hold under a text. A STIX id goes to its object, a single value to everything
// known of it.
func (p *Pages) searchPage(w http.ResponseWriter, r *http.Request) error {
	text, words := strings.TrimSpace(r.URL.Query().Get("q")), web.WordsOf(r)
	if id := strings.ToLower(text); stix.ValidID(id) {
		rd, err := p.reader(r)
		if err != nil {
			return err
		}
		if known, err := p.titles(rd, []string{id}); err != nil || len(known) > 0 {
			http.Redirect(w, r, link(id), http.StatusSeeOther)
			return err
		}
	}
	if _, _, err := indicator.Recognise(text); err == nil && text != "" {
		http.Redirect(w, r, query("/values", "value", text), http.StatusSeeOther)
		return nil
	}
	v := searchView{Text: text, Empty: web.Empty{Icon: "search", Title: words.T("exchange.search.start"), Text: words.T("exchange.search.start-text")}}
	lede := words.T("exchange.search.lede")
	if text != "" {
		v.Hits = p.site.Find(r, text, maxHits)
		v.Said = words.T("exchange.search.found", "n", len(v.Hits))
		v.Empty = web.Empty{Icon: "search", Title: words.T("exchange.search.none"), Text: words.T("exchange.search.none-text"),
			Actions: []web.Action{{Label: words.T("exchange.none.all"), Href: "/objects"}}}
		lede = words.T("exchange.search.for", "text", clip(text, 200))
	}
	level := stix.None
	for _, h := range v.Hits {
		level = max(level, h.TLP)
	}
	p.site.Render(w, r, web.Page{Template: "exchange/search", Title: words.T("exchange.search"), Lede: lede, TLP: level, Data: v})
	return nil
}

// Search finds objects for the search box of the console. It is a [web.Search].
func (p *Pages) Search(ctx context.Context, by polder.Actor, text string, limit int, words web.Words) ([]web.Hit, error) {
	if by.Role.OnObjects() < polder.RoleReader {
		return nil, nil
	}
	rd := &reader{ctx: ctx, by: by, words: words}
	if err := p.learn(rd); err != nil {
		return nil, err
	}
	found, err := p.Service.Search(ctx, by, SearchQuery{Text: text, Limit: min(limit, MaxFound)})
	if err != nil {
		if polder.KindOf(err) == polder.Invalid { // nothing to look for in it
			err = nil
		}
		return nil, err
	}
	all, err := p.show(rd, found.Deliveries)
	if err != nil {
		return nil, err
	}
	hits := make([]web.Hit, len(all))
	for i, s := range all {
		hits[i] = web.Hit{Kind: rd.kind(s.Type()), Icon: iconOf(s.Type()), Title: s.Title, Href: query(link(s.ID), "community", rd.where(s)), TLP: s.Level, Exact: s.ID == strings.ToLower(text),
			Text: s.By + " · " + rd.in(s.Community) + " · " + words.When(s.Seq.Time())}
	}
	return hits, nil
}

// valuesPage tells everything known here of a value.
func (p *Pages) valuesPage(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	words := rd.words
	known, err := p.Value(rd.ctx, rd.by, r.URL.Query().Get("value"))
	if err != nil {
		return err
	}
	v := pageView{}
	indicators := make([]journal.Delivery, len(known.Indicators))
	counts := 0
	for i, k := range known.Indicators {
		indicators[i] = k.Delivery
		if k.Worth == WorthCounts {
			counts++
		}
	}
	level := stix.None
	for _, list := range []struct {
		key string
		all []journal.Delivery
	}{{"indicators", indicators}, {"named", known.Objects}, {"sightings", known.Sightings}, {"remarks", known.Remarks}} {
		all, err := p.show(rd, list.all)
		if err != nil {
			return err
		}
		level = max(level, highest(all))
		if len(all) > 0 {
			v.add(block(words.T("exchange.value."+list.key), words.T("exchange.said.count", "n", len(all)), "object-table", objectsView{Heads: rowHeads(words), Rows: p.rows(rd, all)}))
		}
	}
	shownValue := indicator.Defang(known.Kind, known.Value)
	lede := words.T("exchange.value.lede", "n", counts)
	if len(v.Main) == 0 {
		lede = words.T("exchange.value.unknown")
		v.add(block(words.T("exchange.value.nothing"), "", "nothing", p.unknownValue(rd, known)))
	}
	pairs := []web.Pair{{Term: words.T("exchange.type"), Text: words.T("exchange.kind-of." + string(known.Kind))}, {Term: words.T("exchange.value.whole"), Text: known.Value, Code: true}}
	if known.First > 0 {
		pairs = append(pairs, web.Pair{Term: words.T("exchange.value.first"), Text: words.When(known.First.Time())}, web.Pair{Term: words.T("exchange.value.last"), Text: words.When(known.Last.Time())})
	}
	if known.More {
		v.Alerts = append(v.Alerts, web.Alert{Title: words.T("exchange.value.more"), Text: words.T("exchange.value.more-text")})
	}
	if stops := p.Stops(known.Kind, known.Value); len(stops) > 0 {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("exchange.value.harmless"), Text: web.Sentence(stops[0])})
	}
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: shownValue, Lede: lede, TLP: level, Facts: pairs, Data: v, Crumbs: []web.Link{{Text: words.T("exchange.search"), Href: "/search"}}})
	return nil
}

// unknownValue says what to do with a value of which nothing is known.
func (p *Pages) unknownValue(rd *reader, known Known) web.Empty {
	e := web.Empty{Icon: "search", Title: rd.words.T("exchange.value.unknown"), Text: rd.words.T("exchange.value.unknown-text")}
	if rd.right() >= polder.RoleContributor {
		e.Actions = []web.Action{{Label: rd.words.T("exchange.value.share"), Href: query("/share", "value", known.Value), Icon: "share"}}
	}
	return e
}

func rowHeads(words web.Words) []web.Head {
	var heads []web.Head
	for _, key := range []string{"object", "type", "marking", "worth", "created-by", "when"} {
		heads = append(heads, web.Head{Label: words.T("exchange." + key)})
	}
	return heads
}

// leftRow is an indicator that no block list holds, and why.
type leftRow struct{ Title, Href, Reason string }

// listRow is a format of block lists.
type listRow struct{ Name, Help, Href, Address string }

// listsView is the data of templates/blocklists.html.
type listsView struct {
	Places  []web.Link
	Lists   []listRow
	Left    []leftRow
	LeftOut string
	Empty   web.Empty
	Nothing *web.Empty
}

// maxLeft is how many left-out indicators are named on the page.
const maxLeft = 200

// blocklistsPage offers the lists of one community or of all, and says what they leave out today.
func (p *Pages) blocklistsPage(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	words, community := rd.words, r.URL.Query().Get("community")
	v := listsView{Empty: web.Empty{Icon: "check", Title: words.T("exchange.lists.whole"), Text: words.T("exchange.lists.whole-text")}}
	if len(rd.places) == 0 {
		e := rd.nothingYet()
		v.Nothing = &e
	} else {
		left, err := p.Export(rd.ctx, rd.by, community, AsPlain, io.Discard)
		if err != nil {
			return err
		}
		for _, l := range left[:min(len(left), maxLeft)] {
			v.Left = append(v.Left, leftRow{muzzled(clip(l.Value, 120)), link(l.ID), l.Reason})
		}
		v.LeftOut = words.T("exchange.lists.left", "n", len(left))
		v.Lists = p.formats(words, community)
	}
	if len(rd.places) > 1 {
		v.Places = append(v.Places, web.Link{Text: words.T("exchange.lists.all"), Href: "/blocklists"})
		for _, m := range rd.places {
			v.Places = append(v.Places, web.Link{Text: m.Name, Href: query("/blocklists", "community", m.Alias)})
		}
	}
	facts := []web.Pair{{Term: words.T("exchange.community"), Text: words.T("exchange.lists.all")}}
	if m, ok := rd.place(community); ok {
		facts[0].Text = m.Name
	} else if len(rd.places) == 1 {
		facts[0].Text = rd.places[0].Name
	}
	p.site.Render(w, r, web.Page{Template: "exchange/blocklists", Title: words.T("exchange.blocklists"), Lede: words.T("exchange.lists.lede"), Facts: facts, Data: v})
	return nil
}

// formats are the formats of an export, with where each is fetched.
func (p *Pages) formats(words web.Words, community string) (rows []listRow) {
	for _, f := range ExportFormats {
		at := query("/api/v1/export", "format", string(f), "community", community)
		rows = append(rows, listRow{words.T("exchange.format." + string(f)), words.T("exchange.format-help." + string(f)), at, "GET " + at})
	}
	slices.SortStableFunc(rows, func(a, b listRow) int { return blockRank(a) - blockRank(b) })
	return rows
}

// blockRank puts what machines act on first.
func blockRank(l listRow) int {
	at, err := url.Parse(l.Href)
	if err == nil && ExportFormat(at.Query().Get("format")).Blocks() {
		return 0
	}
	return 1
}
