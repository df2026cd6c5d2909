package payback

import (
	"context"
	"embed"
	"net/http"
	"net/url"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

//go:embed templates locale
var pageFiles embed.FS

// ConsolePart is what payback brings to the console.
func ConsolePart() web.Part { return web.Part{Name: "payback", Files: pageFiles} }

// Pages are the console pages of payback. They decide nothing: each asks the service for whoever reads.
type Pages struct {
	*Service
	site *web.Site
}

// Pages makes the console pages of s, on a site that was made with [ConsolePart].
func (s *Service) Pages(site *web.Site) *Pages { return &Pages{s, site} }

// Routes are all pages.
func (p *Pages) Routes() []web.Route {
	page := func(pattern, exit string, h web.Handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: pattern, Need: web.Reader, Exit: "payback." + exit, Handler: h.Serve, Timeout: countTime}
	}
	return []web.Route{
		page("/payback", "account", p.accountPage),
		page("/payback/contributors", "contributors", p.contributorsPage),
		page("/payback/contributors/{contributor}", "contributor", p.contributorPage),
		page("/payback/health", "health", p.healthPage),
		page("/payback/rules", "rules", p.rulesPage),
	}
}

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	return []web.NavItem{{Group: web.Know, Path: "/payback", Icon: "up", Title: "payback.nav", Need: web.Reader, Order: 45}}
}

// pageView is the data of templates/page.html.
type pageView struct {
	Tabs    []pageTab
	Alerts  []web.Alert
	Actions []web.Action
	Main    []web.Block
	Aside   []web.Block
}

// pageTab is a sibling page, or the same for another community.
type pageTab struct {
	Text, Href string
	Here       bool
}

func block(title, note, fragment string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "payback/" + fragment, Data: data}
}

// things is the data of "things".
type things struct {
	Label string
	Heads []web.Head
	Rows  []thingRow
}

type thingRow struct {
	Title, Href string
	Cells       []thingCell
}

type thingCell struct {
	Text, Label string
	Num         bool
	TLP         stix.Marking
}

// weekly is the data of "weeks".
type weekly struct {
	Lines   web.Lines
	Columns web.Columns
	Figures web.Table
}

// banded is the data of "bands".
type banded struct {
	Shares  web.Shares
	Note    string
	Figures web.Table
}

func at(path, community string) string {
	if community == "" {
		return path
	}
	return path + "?" + url.Values{"community": {community}}.Encode()
}

func objectLink(id, alias string) string { return at("/objects/"+url.PathEscape(id), alias) }

// memberText is how many members, as far as it may be told.
func memberText(words web.Words, m Members) string {
	if m.Says() == "counted" {
		return words.T("payback.members", "n", m.Count())
	}
	return words.T("payback.members." + m.Says())
}

// tabs are the communities of the reader, beside all of them together where a page can show those.
func (p *Pages) tabs(r *http.Request, path string, all bool) ([]pageTab, []polder.Membership, string, error) {
	words, chosen := web.WordsOf(r), r.URL.Query().Get("community")
	in, err := p.places(r.Context(), web.ActorOf(r))
	if err != nil {
		return nil, nil, "", err
	}
	if !all && chosen == "" && len(in) > 0 {
		chosen = in[0].Alias
	}
	var tabs []pageTab
	if all {
		tabs = append(tabs, pageTab{words.T("payback.everywhere"), path, chosen == ""})
	}
	for _, m := range in {
		tabs = append(tabs, pageTab{m.Name, at(path, m.Alias), chosen == m.Alias || chosen == string(m.Community.ID)})
	}
	if len(in) < 2 {
		tabs = nil
	}
	return tabs, in, chosen, nil
}

func (p *Pages) accountPage(w http.ResponseWriter, r *http.Request) error {
	words := web.WordsOf(r)
	tabs, _, chosen, err := p.tabs(r, "/payback", true)
	if err != nil {
		return err
	}
	a, err := p.Account(r.Context(), web.ActorOf(r), chosen)
	if err != nil {
		return err
	}
	v := pageView{Tabs: tabs, Actions: []web.Action{{Label: words.T("payback.contributors"), Href: at("/payback/contributors", chosen), Icon: "people"}, {Label: words.T("payback.health"), Href: at("/payback/health", chosen), Icon: "grid"}}}
	if a.Late {
		v.Alerts = append(v.Alerts, web.Alert{Title: words.T("payback.late"), Text: words.T("payback.late-text")})
	}
	if a.Objects == 0 && a.Answers.Objects == 0 {
		v.Main = append(v.Main, block(words.T("payback.most"), "", "nothing", web.Empty{Icon: "share", Title: words.T("payback.empty"), Text: words.T("payback.empty-text"),
			Actions: []web.Action{{Label: words.T("payback.share"), Href: "/share", Icon: "share", Primary: true}}}))
	} else {
		v.Main = append(v.Main, block(words.T("payback.weeks"), words.T("payback.weeks-note"), "weeks", effectWeeks(words, a.Weeks)))
		if len(a.Most) > 0 {
			v.Main = append(v.Main, block(words.T("payback.most"), "", "things", mostTable(words, a.Most)))
		} else {
			v.Main = append(v.Main, block(words.T("payback.most"), "", "nothing", web.Empty{Icon: "clock", Title: words.T("payback.quiet"), Text: words.T("payback.quiet-text")}))
		}
	}
	v.Aside = append(v.Aside, block(words.T("payback.effects"), "", "facts", effectPairs(words, a)))
	score, err := p.scoreBlock(r, a.Quality)
	if err != nil {
		return err
	}
	v.Aside = append(v.Aside, score, block(words.T("payback.counted"), "", "prose", []string{words.T("payback.counted.once"), words.T("payback.counted.small"), words.T("payback.counted.blocks")}))
	p.site.Render(w, r, web.Page{Template: "payback/page", Title: words.T("payback.title"), Lede: lede(words, a), TLP: highestOf(a.Most), Data: v})
	return nil
}

func highestOf(all []Thing) (m stix.Marking) {
	for _, t := range all {
		if level, err := stix.ParseMarking(t.TLP); err == nil {
			m = max(m, level)
		}
	}
	return m
}

func lede(words web.Words, a Account) string {
	switch {
	case a.Objects == 0:
		return words.T("payback.lede.nothing")
	case a.Sightings.Objects+a.Blocks.Objects == 0:
		return words.T("payback.lede.quiet", "n", a.Objects)
	}
	return words.T("payback.lede", "n", a.Objects, "seen", a.Sightings.Objects, "blocked", a.Blocks.Objects)
}

func effectPairs(words web.Words, a Account) []web.Pair {
	effect := func(key string, e Effect) web.Pair {
		text := words.T("payback.none")
		switch {
		case e.Members.Says() == "hidden":
			text = words.T("payback.members.hidden")
		case e.Objects > 0:
			text = words.T("payback.objects", "n", e.Objects) + " · " + memberText(words, e.Members)
		}
		return web.Pair{Term: words.T("payback.effect." + key), Text: text}
	}
	return []web.Pair{
		{Term: words.T("payback.effect.shared"), Text: words.T("payback.objects", "n", a.Objects)}, effect("seen", a.Sightings), effect("blocked", a.Blocks),
		effect("agreed", a.Agreements), effect("false", a.False), effect("answered", a.Answers),
		{Term: words.T("payback.effect.ended"), Text: words.T("payback.ended", "expired", a.Expired, "revoked", a.Revoked)},
	}
}

// effectWeeks are the last twelve weeks as two lines.
func effectWeeks(words web.Words, all []Week) weekly {
	out := weekly{Figures: web.Table{Label: words.T("payback.weeks"), Heads: web.PlainHeads(words.T("payback.week"), "#"+words.T("payback.effect.seen"), "#"+words.T("payback.effect.false"))}}
	seen, wrong := web.Line{Name: words.T("payback.line.seen")}, web.Line{Name: words.T("payback.line.false")}
	for _, w := range all {
		seen.Values, wrong.Values = append(seen.Values, float64(w.Sightings)), append(wrong.Values, float64(w.False))
		out.Figures.Rows = append(out.Figures.Rows, web.Row{Name: words.Date(w.Begins), Cells: []string{words.Number(int64(w.Sightings)), words.Number(int64(w.False))}})
	}
	last := all[len(all)-1]
	seen.Text, wrong.Text = words.Number(int64(last.Sightings)), words.Number(int64(last.False))
	out.Lines = web.Lines{Label: words.T("payback.weeks.label"), Lines: []web.Line{seen, wrong}, First: words.Date(all[0].Begins), Last: words.Date(last.Begins)}
	return out
}

func mostTable(words web.Words, all []Thing) things {
	t := things{Label: words.T("payback.most"), Heads: web.PlainHeads(words.T("payback.object"), words.T("payback.marking"), words.T("payback.effect.seen"), words.T("payback.effect.blocked"), words.T("payback.effect.false"))}
	for _, one := range all {
		level, _ := stix.ParseMarking(one.TLP) // the exchange wrote it
		t.Rows = append(t.Rows, thingRow{Title: one.Title, Href: objectLink(one.ID, one.Alias), Cells: []thingCell{
			{TLP: level}, {Text: memberText(words, one.Sightings), Label: words.T("payback.effect.seen")}, {Text: memberText(words, one.Blocks), Label: words.T("payback.effect.blocked")},
			{Text: memberText(words, one.False), Label: words.T("payback.effect.false")},
		}})
	}
	return t
}

// scoreBlock is a score that opens into its evidence, or why there is none.
func (p *Pages) scoreBlock(r *http.Request, q Score) (web.Block, error) {
	words := web.WordsOf(r)
	more := web.Link{Text: words.T("payback.rules"), Href: "/payback/rules"}
	if !q.Known {
		b := block(words.T("payback.quality"), "", "nothing", web.Empty{Icon: "clock", Title: words.T("payback.too-little"), Text: words.T("payback.too-little-text", "n", q.Judged, "least", q.Least)})
		b.More = more
		return b, nil
	}
	s := web.Score{Value: q.Value, Of: 100, Says: words.T("payback.of-100", "objects", q.Objects, "judged", q.Judged), Label: words.T("payback.score-label", "value", q.Value)}
	for _, part := range q.Parts {
		sp := web.ScorePart{Name: words.T("payback.part." + part.Name), Value: int(part.Points + 0.5), Max: part.Weight, Evidence: []string{words.T("payback.part." + part.Name + ".says"), words.T("payback.evidence."+part.Name, countPairs(part.Counts)...)}}
		behind, err := p.behind(r, part)
		if err != nil {
			return web.Block{}, err
		}
		for i, t := range behind {
			if i == 0 {
				sp.Evidence = append(sp.Evidence, words.T("payback.behind."+part.Name))
				sp.More = web.Link{Text: words.T("payback.behind.first"), Href: objectLink(t.ID, t.Alias)}
			}
			sp.Evidence = append(sp.Evidence, t.Title)
		}
		s.Parts = append(s.Parts, sp)
	}
	b := block(words.T("payback.quality"), "", "score-of", s)
	b.More = more
	return b, nil
}

// maxTold is how many of the objects behind a part a page names.
const maxTold = 5

func (p *Pages) behind(r *http.Request, part ScorePart) ([]Thing, error) {
	in, err := p.places(r.Context(), web.ActorOf(r))
	if err != nil {
		return nil, err
	}
	things := make([]Thing, min(len(part.Behind), maxTold))
	for i := range things {
		things[i].Ref = part.Behind[i]
	}
	return p.shown(r.Context(), web.ActorOf(r), in, things)
}

func countPairs(counts map[string]int) (pairs []any) {
	for _, name := range []string{"objects", "soon", "late", "judged", "confirmed", "full", "false"} {
		if n, ok := counts[name]; ok {
			pairs = append(pairs, name, n)
		}
	}
	return pairs
}

// rulesPage shows how the score is computed.
func (p *Pages) rulesPage(w http.ResponseWriter, r *http.Request) error {
	words, rules := web.WordsOf(r), p.Rules()
	v := pageView{}
	for _, part := range rules.Parts {
		v.Main = append(v.Main, block(words.T("payback.part."+part.Name), words.T("payback.weight", "n", part.Weight), "prose", []string{words.T("payback.part." + part.Name + ".says"), words.T("payback.part." + part.Name + ".formula")}))
	}
	v.Aside = append(v.Aside, block(words.T("payback.rules.least"), "", "prose", []string{words.T("payback.rules.least-text", "least", rules.Least), words.T("payback.rules.not"), words.T("payback.rules.others")}))
	p.site.Render(w, r, web.Page{Template: "payback/page", Title: words.T("payback.rules"), Lede: words.T("payback.rules.lede"), Data: v, Crumbs: []web.Link{{Text: words.T("payback.title"), Href: "/payback"}}})
	return nil
}

// maxCard is for how many objects the overview waits; more are counted on the page of payback alone.
const maxCard = 10_000

// countTime bounds the counting of a large account.
const countTime = 2 * time.Minute

// Card is what an organisation's knowledge did lately, on the overview of whoever reads for it.
func (p *Pages) Card(ctx context.Context, by polder.Actor, words web.Words) (web.Block, error) {
	if !web.Reader.Allows(by) {
		return web.Block{}, nil
	}
	card := web.Block{Title: words.T("payback.title"), Template: "payback/facts", Aside: true, Order: 30, More: web.Link{Text: words.T("payback.see"), Href: "/payback"}}
	large, err := p.index.gaveMore(ctx, by.Org, maxCard)
	if err != nil {
		return web.Block{}, err
	}
	if large {
		card.Data = []web.Pair{{Term: words.T("payback.effect.shared"), Text: words.T("payback.card.many", "n", maxCard)}}
		return card, nil
	}
	a, err := p.Account(ctx, by, "")
	if err != nil || a.Objects == 0 {
		return web.Block{}, err
	}
	pairs := effectPairs(words, a)[:5]
	if a.Quality.Known {
		pairs = append(pairs, web.Pair{Term: words.T("payback.quality"), Text: words.T("payback.value-of-100", "value", a.Quality.Value)})
	}
	card.Data = pairs
	return card, nil
}

// Panel is what one object did, for its custodian alone.
func (p *Pages) Panel(ctx context.Context, by polder.Actor, object string, words web.Words) (web.Block, error) {
	if !web.Reader.Allows(by) {
		return web.Block{}, nil
	}
	t, mine, err := p.Did(ctx, by, object)
	if err != nil || !mine {
		return web.Block{}, err
	}
	return web.Block{Title: words.T("payback.did"), Template: "payback/facts", Aside: true, Order: 20, More: web.Link{Text: words.T("payback.see"), Href: "/payback"}, Data: []web.Pair{
		{Term: words.T("payback.effect.seen"), Text: memberText(words, t.Sightings)}, {Term: words.T("payback.effect.blocked"), Text: memberText(words, t.Blocks)}, {Term: words.T("payback.effect.false"), Text: memberText(words, t.False)},
	}}, nil
}

// duration is how a median is said: below a second in milliseconds.
func duration(words web.Words, m Median) string {
	d := time.Duration(m.Seconds * float64(time.Second))
	if d < time.Second {
		return words.T("payback.milliseconds", "n", int(d/time.Millisecond))
	}
	return words.Span(d)
}
