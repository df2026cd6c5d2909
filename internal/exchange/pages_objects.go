package exchange

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

const (
	pageRows = 50   // objects on a page
	scanRows = 3000 // that one page looks at for them at most
	counted  = 1000 // the newest objects, over which facets are counted
)

// row is a line of the table of objects.
type row struct {
	Href, Title, Kind, Icon, By, Community string
	TLP                                    stix.Marking
	Worth                                  tag
	At                                     polder.Seq
}

// objectsView is the data of templates/objects.html.
type objectsView struct {
	Facets web.Facets
	Text   string
	Hidden []web.Hidden
	Count  string
	Note   string
	Heads  []web.Head
	Rows   []row
	Empty  web.Empty
	Pager  web.Pager
}

// listing is what the address asks of the list of objects.
type listing struct {
	types, levels, communities []string
	text                       string
	oldest                     bool
	from                       polder.Seq
}

func listingOf(q url.Values) (l listing, err error) {
	l = listing{types: q["type"], levels: q["tlp"], communities: q["community"], text: strings.TrimSpace(q.Get("q")), oldest: q.Get("sort") == "when"}
	if t := q.Get("next"); t != "" {
		n, err := strconv.ParseInt(t, 10, 64)
		if err != nil || n <= 0 {
			return l, polder.Errorf(polder.Invalid, "next: %q is no place in the list; begin at its first page", t)
		}
		l.from = polder.Seq(n)
	}
	return l, nil
}

// narrowed tells whether the list leaves anything out.
func (l listing) narrowed() bool {
	return len(l.types)+len(l.levels)+len(l.communities) > 0 || l.text != ""
}

func (l listing) takes(s shown) bool {
	if len(l.levels) > 0 && !slices.Contains(l.levels, s.Level.String()) {
		return false
	}
	return l.text == "" || contains(s, l.text)
}

// backstage tells whether d is one of the objects that make others work and that nobody reads for themselves: definitions,
// translations, the identity of "a member". They are listed only for whoever chooses their type.
func (rd *reader) backstage(l listing, d journal.Delivery) bool {
	switch d.Type() {
	case "extension-definition", "marking-definition", "language-content":
		return !slices.Contains(l.types, d.Type())
	case "identity":
		_, blind := rd.blind[d.ID]
		return blind && !slices.Contains(l.types, "identity")
	}
	return false
}

// contains tells whether a text stands in what people read of an object.
func contains(s shown, text string) bool {
	text = strings.ToLower(text)
	for _, in := range []string{s.Title, s.o.Name, s.o.Description, s.o.Pattern, s.o.Value, s.ID} {
		if strings.Contains(strings.ToLower(in), text) {
			return true
		}
	}
	return false
}

// sight is what of the reader's sight the list is about.
func (l listing) sight(rd *reader) polder.Sight {
	if len(l.communities) == 0 {
		return rd.sight
	}
	s := polder.Sight{Org: rd.sight.Org}
	for _, c := range l.communities {
		if m, ok := rd.place(c); ok {
			s.Communities = append(s.Communities, rd.sight.In(m.Community.ID).Communities...)
		}
	}
	slices.Sort(s.Communities)
	s.Communities = slices.Compact(s.Communities)
	return s
}

// list reads one page. next is where the following one begins, 0 at the end; whole tells that everything up to there
// was looked at, not that a bound was met.
func (p *Pages) list(rd *reader, l listing) (out []shown, next polder.Seq, whole bool, err error) {
	q := journal.Query{Limit: 200, Types: l.types, Newest: !l.oldest}
	if !l.narrowed() {
		q.Limit = pageRows
	}
	move := func(at polder.Seq) {
		if l.oldest {
			q.After = at
		} else {
			q.Before = at
		}
	}
	move(l.from)
	for seen := 0; seen < scanRows; {
		page, err := p.journal.Page(rd.ctx, l.sight(rd), q)
		if err != nil {
			return nil, 0, false, err
		}
		seen += len(page.Deliveries)
		all, err := p.show(rd, page.Deliveries)
		if err != nil {
			return nil, 0, false, err
		}
		for i, s := range all {
			if l.takes(s) && !rd.backstage(l, s.Delivery) {
				out = append(out, s)
			}
			if len(out) == pageRows && (i+1 < len(all) || page.More) {
				return out, s.Seq, true, nil
			}
			move(s.Seq)
		}
		if !page.More {
			return out, 0, true, nil
		}
	}
	return out, max(q.After, q.Before), false, nil
}

func (p *Pages) objectsPage(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	l, err := listingOf(r.URL.Query())
	if err != nil {
		return err
	}
	all, next, whole, err := p.list(rd, l)
	if err != nil {
		return err
	}
	v := objectsView{Text: l.text, Rows: p.rows(rd, all), Empty: p.noObjects(rd, l)}
	if err := p.facets(rd, r.URL, l, &v); err != nil {
		return err
	}
	by := "-when"
	if l.oldest {
		by = "when"
	}
	v.Heads = web.Heads(r.URL, by, web.Column{Label: rd.words.T("exchange.object")}, web.Column{Label: rd.words.T("exchange.type")}, web.Column{Label: rd.words.T("exchange.marking")},
		web.Column{Label: rd.words.T("exchange.worth")}, web.Column{Label: rd.words.T("exchange.created-by")},
		web.Column{Key: "when", Label: rd.words.T("exchange.when"), Down: true})
	v.Note = rd.words.T("exchange.order.newest")
	if l.oldest {
		v.Note = rd.words.T("exchange.order.oldest")
	}
	v.Pager.Older = older(r.URL, next)
	if l.from > 0 {
		v.Pager.Newer = web.With(r.URL, "next", "")
	}
	if !whole {
		v.Pager.Says = rd.words.T("exchange.list.bound", "n", scanRows)
	}
	p.site.Render(w, r, web.Page{Template: "exchange/objects", Title: rd.words.T("exchange.objects"), Lede: rd.words.T("exchange.objects.lede"), TLP: highest(all), Data: v})
	return nil
}

// older is the address of the page that begins behind a number; "" for 0.
func older(at *url.URL, next polder.Seq) string {
	if next == 0 {
		return ""
	}
	q := at.Query()
	q.Set("next", strconv.FormatInt(int64(next), 10))
	return at.EscapedPath() + "?" + q.Encode()
}

func (p *Pages) rows(rd *reader, all []shown) []row {
	rows := make([]row, len(all))
	for i, s := range all {
		rows[i] = row{Href: query(link(s.ID), "community", rd.where(s)), Title: s.Title, Kind: rd.kind(s.Type()), Icon: iconOf(s.Type()), By: s.By,
			TLP: s.Level, Worth: p.worth(rd.words, s), At: s.Seq}
		if len(rd.places) > 1 {
			rows[i].Community = rd.in(s.Community)
		}
	}
	return rows
}

// where is the alias of the community in which s stands; "" when the reader reads one community alone.
func (rd *reader) where(s shown) string {
	if len(rd.places) < 2 {
		return ""
	}
	m, _ := rd.place(string(s.Community))
	return m.Alias
}

// noObjects says what to do where there is nothing.
func (p *Pages) noObjects(rd *reader, l listing) web.Empty {
	if l.narrowed() {
		return web.Empty{Icon: "search", Title: rd.words.T("exchange.none.found"), Text: rd.words.T("exchange.none.found-text"),
			Actions: []web.Action{{Label: rd.words.T("exchange.none.all"), Href: "/objects"}}}
	}
	return rd.nothingYet()
}

func (rd *reader) nothingYet() web.Empty {
	e := web.Empty{Icon: "layers", Title: rd.words.T("exchange.none"), Text: rd.words.T("exchange.none.reader")}
	if rd.right() >= polder.RoleContributor {
		e.Text = rd.words.T("exchange.none.contributor")
		e.Actions = []web.Action{{Label: rd.words.T("exchange.share"), Href: "/share", Icon: "share", Primary: true}}
	}
	return e
}

// common are the types that can always be chosen once there is more than is counted.
var common = []string{"indicator", "malware", "intrusion-set", "threat-actor", "campaign", "attack-pattern", "vulnerability", "report", "note", "sighting", "relationship"}

// facets counts the newest objects in the reader's sight by type, level and community.
func (p *Pages) facets(rd *reader, at *url.URL, l listing, v *objectsView) error {
	page, err := p.journal.Page(rd.ctx, rd.sight, journal.Query{Limit: counted, Newest: true, NoBodies: true})
	if err != nil {
		return err
	}
	types, levels, places := map[string]int{}, map[string]int{}, map[string]int{}
	listed := 0
	for _, d := range page.Deliveries {
		types[d.Type()]++
		if rd.backstage(l, d) {
			continue
		}
		listed++
		levels[d.Level.String()]++
		m, _ := rd.place(string(d.Community))
		places[m.Alias]++
	}
	count, suffix := rd.words.T("exchange.objects.count", "n", listed), ""
	if page.More {
		count, suffix = rd.words.T("exchange.objects.many", "n", counted), " "+rd.words.T("exchange.facets.newest", "n", counted)
		for _, t := range common {
			types[t] += 0
		}
	}
	if !l.narrowed() {
		v.Count = count
	} else {
		v.Count = rd.words.T("exchange.objects.chosen", "of", count)
	}
	v.Facets = web.Facets{At: at, Keep: []string{"q", "sort"}}
	v.Hidden = hiddenOf(at.Query(), "type", "tlp", "community", "sort")
	kinds := web.FacetGroup{Name: "type", Legend: rd.words.T("exchange.type") + suffix}
	for _, t := range chosenToo(types, l.types) {
		kinds.Options = append(kinds.Options, web.FacetOption{Value: t, Label: rd.kind(t), Count: types[t], Chosen: slices.Contains(l.types, t)})
	}
	slices.SortStableFunc(kinds.Options, func(a, b web.FacetOption) int { return b.Count - a.Count })
	marks := web.FacetGroup{Name: "tlp", Legend: rd.words.T("exchange.marking") + suffix}
	for m := stix.Red; m >= stix.Clear; m-- {
		if chosen := slices.Contains(l.levels, m.String()); levels[m.String()] > 0 || chosen {
			marks.Options = append(marks.Options, web.FacetOption{Value: m.String(), Label: strings.TrimPrefix(m.Label(), "TLP:"), Count: levels[m.String()], Chosen: chosen})
		}
	}
	v.Facets.Groups = []web.FacetGroup{kinds, marks}
	if len(rd.places) > 1 {
		in := web.FacetGroup{Name: "community", Legend: rd.words.T("exchange.community") + suffix}
		for _, m := range rd.places {
			in.Options = append(in.Options, web.FacetOption{Value: m.Alias, Label: m.Name, Count: places[m.Alias], Chosen: slices.Contains(l.communities, m.Alias)})
		}
		v.Facets.Groups = append(v.Facets.Groups, in)
	}
	return nil
}

// chosenToo are the keys of counts and the chosen values, sorted.
func chosenToo(counts map[string]int, chosen []string) []string {
	keys := slices.Clone(chosen)
	for k := range counts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// hiddenOf carries values of an address along in a form.
func hiddenOf(q url.Values, names ...string) (out []web.Hidden) {
	for _, name := range names {
		for _, value := range q[name] {
			out = append(out, web.Hidden{Name: name, Value: value})
		}
	}
	return out
}
