package screen

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
)

// queueView is the data of templates/queue.html.
type queueView struct {
	Tabs    []pageTab
	Alerts  []web.Alert
	Actions []web.Action
	Facets  web.Facets
	Chosen  []web.Link // each leads to the page without it
	Find    *pageFind
	Count   string
	Note    string
	Table   pageTable
	Below   []web.Block
}

// pageFind looks for a name in a list. It is posted, since the address must not hold who is looked for.
type pageFind struct{ Action, Label, Value string }

// foundHere is what a posted form looks for; "" when nothing was posted.
func foundHere(r *http.Request) (string, error) {
	if r.Method != http.MethodPost {
		return "", nil
	}
	values, err := web.Form(r)
	return strings.TrimSpace(values.Get("find")), err
}

// queueFilterOf is what an address asks of the queue.
func queueFilterOf(q url.Values) (QueueFilter, error) {
	f := QueueFilter{State: q.Get("state"), List: q.Get("list"), Group: q.Get("group"), Party: q.Get("party"), Batch: q.Get("batch"), Text: strings.TrimSpace(q.Get("text")),
		Asked: q.Get("asked") == "yes", Second: q.Get("second") == "yes", Sort: q.Get("sort"), Next: q.Get("next")}
	var err error
	f.Limit, err = limitOf(q, 200)
	return f, err
}

func (f QueueFilter) narrows() bool {
	return f.State != "" || f.List != "" || f.Group != "" || f.Party != "" || f.Batch != "" || f.Text != "" || f.Asked || f.Second
}

// queue is the list of reviews: those that wait first.
func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	f, err := queueFilterOf(r.URL.Query())
	if err != nil {
		return err
	}
	find, err := foundHere(r)
	if err != nil {
		return err
	}
	if find != "" {
		f = QueueFilter{State: "all", Text: find, Limit: 200}
	}
	page, err := p.Queue(r.Context(), by, f)
	if err != nil {
		return err
	}
	counts, err := p.Counts(r.Context(), by)
	if err != nil {
		return err
	}
	groups, err := p.Groups(r.Context(), by)
	if err != nil {
		return err
	}
	sort := pageOr(f.Sort, QueueSorts[0])
	asking, err := p.asksNow(r.Context(), by)
	if err != nil {
		return err
	}
	v := queueView{Tabs: p.tabs(words, "/screen/queue"), Note: words.T("screen.queue.sort." + sort)}
	v.Find = &pageFind{"/screen/queue", words.T("screen.queue.find"), find}
	v.Facets, v.Chosen = web.OneOfEach(queueFacets(words, r.URL, f, counts, groups, asking), words.T("screen.queue.waiting"), words.T("screen.queue.any"))
	waiting := counts.States[StateOpen] + counts.States[StateSecond]
	v.Count = words.T("screen.queue.waits", "n", waiting)
	if f.narrows() {
		v.Count = words.T("screen.queue.chosen")
	}
	v.Table = pageTable{Label: words.T("screen.queue"), Empty: p.emptyQueue(words, by, f.narrows())}
	v.Table.Heads = web.Heads(r.URL, sort, web.Column{Label: words.T("screen.yours")}, web.Column{Label: words.T("screen.listed")}, web.Column{Label: words.T("screen.list")}, web.Column{Key: "score", Label: words.T("screen.score"), Num: true, Down: true},
		web.Column{Label: words.T("screen.state")}, web.Column{Key: "made", Label: words.T("screen.queue.age"), Down: true})
	for i := range v.Table.Heads { // a score is sorted from the top alone
		if strings.HasSuffix(v.Table.Heads[i].Href, "sort=score") {
			v.Table.Heads[i].Href = ""
		}
	}
	for _, one := range page.Reviews {
		v.Table.add(queueRow(words, groups, asking, one, r.URL.RawQuery))
	}
	if find == "" { // the address of a next page would have to hold what is looked for
		v.Table.Pager = web.NextPart(r.URL, page.Next, f.Next != "")
	}
	p.site.Render(w, r, web.Page{Template: "screen/queue", Title: words.T("screen.queue"), Lede: queueLede(words, counts), Crumbs: p.crumbs(words), Data: v})
	return nil
}

func queueLede(words web.Words, c QueueCounts) string {
	switch waiting := c.States[StateOpen] + c.States[StateSecond]; {
	case waiting == 0:
		return words.T("screen.queue.calm")
	case c.States[StateSecond] > 0:
		return words.T("screen.queue.lede-second", "n", waiting, "second", c.States[StateSecond])
	default:
		return words.T("screen.queue.lede", "n", waiting)
	}
}

func queueRow(words web.Words, groups []PartyGroup, asked askedByName, one Review, from string) pageRow {
	sub := one.Query.Ref
	if one.Group != "" {
		sub = strings.Trim(groupTitle(words, groups, one.Group)+" · "+sub, " ·")
	}
	href := pagePath("/screen/reviews", one.ID)
	if from != "" {
		href += "?" + from
	}
	row := pageRow{Name: web.Clip(one.Query.Name, maxLine), Foreign: true, Href: href, Sub: web.Clip(sub, 120)}
	state := pageCell{Mark: stateMarkOf(words, one.State)}
	switch {
	case one.Question != "":
		state.Sub = words.T("screen.state.asked")
	case one.Note != "":
		state.Sub = web.Clip(one.Note, 160)
	}
	row.Cells = []pageCell{{Text: web.Clip(one.Name, maxLine), Foreign: true}, onList(words, asked, one), {Text: strconv.Itoa(pageHundred(one.Score))}, state, {At: one.Made}}
	return row
}

func stateMarkOf(words web.Words, s State) pageMark {
	m := map[State]pageMark{StateOpen: {"info", "plus", ""}, StateSecond: {"warn", "people", ""}, StateTrue: {"bad", "target", ""}, StateFalse: {"ok", "cross", ""}, StateClosed: {"", "check", ""}}[s]
	m.Text = words.T("screen.state." + string(s))
	return m
}

// groupTitle is how a group is called: those that everybody has in the reader's language.
func groupTitle(words web.Words, groups []PartyGroup, name string) string {
	if slices.Contains(CommonGroups, name) {
		return words.T("screen.group." + name)
	}
	if i := slices.IndexFunc(groups, func(g PartyGroup) bool { return g.Name == name }); i >= 0 && groups[i].Title != "" {
		return groups[i].Title
	}
	return name
}

// onList says on which list a review's listing stands, and what for where that is not to restrict.
func onList(words web.Words, asked askedByName, one Review) pageCell {
	c := pageCell{Text: asked.title(one.List), Sub: one.Listing}
	if asked[one.List].Purpose == lists.Verified {
		c.Mark = purposeCell(words, lists.Verified).Mark
	}
	return c
}

// askedByName are the lists that are asked, by name.
type askedByName map[string]lists.Meta

// title is the title of a list; of one that is no longer asked, its name.
func (n askedByName) title(name string) string {
	if l, is := n[name]; is {
		return listTitle(l)
	}
	return name
}

func (p *Pages) asksNow(ctx context.Context, by polder.Actor) (askedByName, error) {
	kept, err := p.more.Lists.Lists(ctx, by)
	out := askedByName{}
	for _, l := range kept {
		out[l.Name] = l.Meta
	}
	return out, err
}

// queueFacets are the choices beside the queue.
func queueFacets(words web.Words, at *url.URL, f QueueFilter, c QueueCounts, groups []PartyGroup, asked askedByName) web.Facets {
	out := web.Facets{At: at, Keep: []string{"sort", "party", "batch", "text"}}
	states := web.FacetGroup{Name: "state", Legend: words.T("screen.state")}
	for _, s := range States {
		states.Options = append(states.Options, web.FacetOption{Value: string(s), Label: words.T("screen.state." + string(s)), Count: c.States[s], Chosen: f.State == string(s)})
	}
	states.Options = append(states.Options, web.FacetOption{Value: "all", Label: words.T("screen.queue.everything"), Chosen: f.State == "all"})
	out.Groups = append(out.Groups, states)
	more := web.FacetGroup{Name: "asked", Legend: words.T("screen.queue.more"), Options: []web.FacetOption{{Value: "yes", Label: words.T("screen.queue.asked"), Count: c.Asked, Chosen: f.Asked}}}
	out.Groups = append(out.Groups, more)
	named := web.FacetGroup{Name: "list", Legend: words.T("screen.list")}
	for _, name := range namesOf(c.Lists, f.List) {
		named.Options = append(named.Options, web.FacetOption{Value: name, Label: asked.title(name), Count: c.Lists[name], Chosen: f.List == name})
	}
	if len(named.Options) > 0 {
		out.Groups = append(out.Groups, named)
	}
	inGroup := web.FacetGroup{Name: "group", Legend: words.T("screen.group")}
	for _, name := range namesOf(c.Groups, f.Group) {
		inGroup.Options = append(inGroup.Options, web.FacetOption{Value: name, Label: groupTitle(words, groups, name), Count: c.Groups[name], Chosen: f.Group == name})
	}
	if len(inGroup.Options) > 0 {
		out.Groups = append(out.Groups, inGroup)
	}
	return out
}

// namesOf are the names that are counted, and the one that is chosen, sorted.
func namesOf(counts map[string]int, chosen string) []string {
	out := []string{}
	for name := range counts {
		if name != "" {
			out = append(out, name)
		}
	}
	if chosen != "" && !slices.Contains(out, chosen) {
		out = append(out, chosen)
	}
	slices.Sort(out)
	return out
}

func (p *Pages) emptyQueue(words web.Words, by polder.Actor, narrowed bool) web.Empty {
	if narrowed {
		return web.Empty{Icon: "search", Title: words.T("screen.queue.none-chosen"), Text: words.T("screen.queue.none-chosen-text"), Actions: []web.Action{{Label: words.T("screen.queue.all"), Href: "/screen/queue"}}}
	}
	e := web.Empty{Icon: "screen", Title: words.T("screen.queue.none"), Text: words.T("screen.queue.none-text"), Actions: []web.Action{{Label: words.T("screen.ask"), Href: "/screen", Icon: "screen", Primary: true}}}
	if contributes(by) {
		e.Actions = append(e.Actions, web.Action{Label: words.T("screen.tab.parties"), Href: "/screen/parties"}, web.Action{Label: words.T("screen.tab.batches"), Href: "/screen/batches"})
	}
	return e
}

// compare shows a party beside a listing that it met, without a record: both come by a form and are compared again.
func (p *Pages) compare(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	words, by := web.WordsOf(r), web.ActorOf(r)
	f := askFormOf(values)
	q, err := f.query(oneLine(f.Text))
	if err != nil {
		return err
	}
	answers, err := p.Screen(r.Context(), by, []Query{q}, Options{Below: belowShown, Limit: MaxLimit})
	if err != nil {
		return err
	}
	a := answers[0]
	all := slices.Concat(a.Hits, a.Below)
	at := slices.IndexFunc(all, func(h Hit) bool { return h.List == values.Get("list") && h.ID == values.Get("entry") })
	if at < 0 {
		return polder.Errorf(polder.NotFound, "the listing no longer resembles this party, or is no longer on its list; ask again")
	}
	h := all[at]
	meta := metaOf(a.Lists, h.List)
	v := pageView{Tabs: p.tabs(words, "/screen")}
	p.addComparison(words, &v, compareOf(words, q, h, meta, a.Threshold))
	if contributes(by) {
		v.beside(pageBlock(words.T("screen.keep"), "", "form", keepForm(words, len(a.Hits), queryHidden(a.Query))))
	} else {
		v.beside(pageBlock(words.T("screen.decision"), "", "marks-body", []web.Mark{{Icon: "person", Text: words.T("screen.decide.reader")}}))
	}
	p.site.Render(w, r, web.Page{Template: "screen/page", Title: words.T("screen.compare.title"), Lede: compareLede(words, q.Name, meta), Crumbs: p.crumbs(words), Data: v,
		Facts: []web.Pair{{Term: words.T("screen.list"), Text: words.T("screen.list.of-date", "list", listTitle(meta), "date", listDate(words, meta))}, {Term: words.T("screen.compare.record"), Text: words.T("screen.compare.not-kept")}}})
	return nil
}

// compareLede says in a sentence what is asked here.
func compareLede(words web.Words, name string, meta lists.Meta) string {
	key := "screen.compare.lede"
	if meta.Purpose == lists.Verified {
		key = "screen.compare.lede-verified"
	}
	return words.T(key, "name", web.Clip(oneLine(name), 120), "list", listTitle(meta))
}

// addComparison puts the blocks of a comparison on a page.
func (p *Pages) addComparison(words web.Words, v *pageView, c compareView) {
	v.add(pageBlock(words.T("screen.score"), "", "score-across", c.Score), pageBlock(words.T("screen.evidence"), words.T("screen.evidence.note"), "evidence", c.Evidence),
		pageBlock(words.T("screen.words"), "", "words", c), pageBlock(words.T("screen.listing"), "", "listing", c.Listing))
}
