package payback

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/polder-exchange/polder/internal/web"
)

// nowhere is a page for whoever is in no community.
func (p *Pages) nowhere(w http.ResponseWriter, r *http.Request, title string) error {
	words := web.WordsOf(r)
	v := pageView{Main: []web.Block{block(title, "", "nothing", web.Empty{Icon: "people", Title: words.T("payback.nowhere"), Text: words.T("payback.nowhere-text"), Actions: []web.Action{{Label: words.T("payback.communities"), Href: "/communities", Icon: "people"}}})}}
	p.site.Render(w, r, web.Page{Template: "payback/page", Title: title, Data: v})
	return nil
}

func (p *Pages) contributorsPage(w http.ResponseWriter, r *http.Request) error {
	words := web.WordsOf(r)
	tabs, in, chosen, err := p.tabs(r, "/payback/contributors", false)
	if err != nil {
		return err
	}
	if len(in) == 0 {
		return p.nowhere(w, r, words.T("payback.contributors"))
	}
	all, err := p.Contributors(r.Context(), web.ActorOf(r), chosen)
	if err != nil {
		return err
	}
	t := things{Label: words.T("payback.contributors"), Heads: web.PlainHeads(words.T("payback.contributor"), "#"+words.T("payback.given"), "#"+words.T("payback.judged"), words.T("payback.quality"))}
	for _, c := range all {
		quality := words.T("payback.too-little")
		if c.Quality.Known {
			quality = words.T("payback.value-of-100", "value", c.Quality.Value)
		}
		t.Rows = append(t.Rows, thingRow{Title: contributorName(words, c), Href: at("/payback/contributors/"+c.ID, chosen), Cells: []thingCell{
			{Text: words.Number(int64(c.Quality.Objects)), Num: true, Label: words.T("payback.given")}, {Text: words.Number(int64(c.Quality.Judged)), Num: true, Label: words.T("payback.judged")},
			{Text: quality, Label: words.T("payback.quality")},
		}})
	}
	v := pageView{Tabs: tabs}
	if len(all) == 0 {
		v.Main = append(v.Main, block(words.T("payback.contributors"), "", "nothing", web.Empty{Icon: "veil", Title: words.T("payback.nobody"), Text: words.T("payback.nobody-text")}))
	} else {
		v.Main = append(v.Main, block(words.T("payback.contributors"), "", "things", t))
	}
	v.Aside = append(v.Aside, block(words.T("payback.rules.least"), "", "prose", []string{words.T("payback.contributors.note"), words.T("payback.rules.least-text", "least", p.Rules().Least)}))
	p.site.Render(w, r, web.Page{Template: "payback/page", Title: words.T("payback.contributors"), Lede: words.T("payback.contributors.lede"), Data: v, Crumbs: []web.Link{{Text: words.T("payback.title"), Href: "/payback"}}})
	return nil
}

// contributorName is what people call a contributor: its name, or the beginning of its pseudonym.
func contributorName(words web.Words, c Contributor) string {
	if c.Name != "" {
		return c.Name
	}
	_, id, _ := strings.Cut(c.ID, "--")
	return words.T("payback.pseudonym", "id", cmp.Or(id, c.ID)[:min(8, len(cmp.Or(id, c.ID)))])
}

func (p *Pages) contributorPage(w http.ResponseWriter, r *http.Request) error {
	words, community := web.WordsOf(r), r.URL.Query().Get("community")
	c, err := p.Quality(r.Context(), web.ActorOf(r), community, r.PathValue("contributor"))
	if err != nil {
		return err
	}
	score, err := p.scoreBlock(r, c.Quality)
	if err != nil {
		return err
	}
	v := pageView{Main: []web.Block{score}, Aside: []web.Block{block(words.T("payback.contributor"), "", "facts", []web.Pair{
		{Term: words.T("payback.id"), Text: c.ID, Code: true}, {Term: words.T("payback.given"), Text: words.Number(int64(c.Quality.Objects))}, {Term: words.T("payback.judged"), Text: words.Number(int64(c.Quality.Judged))},
	}), block(words.T("payback.rules"), "", "prose", []string{words.T("payback.rules.others")})}}
	p.site.Render(w, r, web.Page{Template: "payback/page", Title: contributorName(words, c), Lede: words.T("payback.contributor.lede"), Data: v,
		Crumbs: []web.Link{{Text: words.T("payback.title"), Href: "/payback"}, {Text: words.T("payback.contributors"), Href: at("/payback/contributors", community)}}})
	return nil
}

func (p *Pages) healthPage(w http.ResponseWriter, r *http.Request) error {
	words := web.WordsOf(r)
	tabs, in, chosen, err := p.tabs(r, "/payback/health", false)
	if err != nil {
		return err
	}
	if len(in) == 0 {
		return p.nowhere(w, r, words.T("payback.health"))
	}
	h, err := p.Health(r.Context(), web.ActorOf(r), chosen)
	if err != nil {
		return err
	}
	v := pageView{Tabs: tabs}
	if h.Late {
		v.Alerts = append(v.Alerts, web.Alert{Title: words.T("payback.late"), Text: words.T("payback.late-text")})
	}
	v.Main = append(v.Main, block(words.T("payback.health.weeks"), "", "weeks", objectWeeks(words, h.Weeks)))
	for _, group := range []struct {
		key string
		all []Band
	}{{"gives", h.Gives}, {"takes", h.Takes}} {
		v.Main = append(v.Main, bandBlock(words, group.key, group.all))
	}
	v.Aside = append(v.Aside, block(words.T("payback.health.who"), "", "facts", []web.Pair{
		{Term: words.T("payback.health.members"), Text: words.Number(int64(h.Members))}, {Term: words.T("payback.health.givers"), Text: partText(words, h.Givers)},
		{Term: words.T("payback.health.answerers"), Text: partText(words, h.Answerers)}, {Term: words.T("payback.health.takers"), Text: partText(words, h.Takers)},
	}), block(words.T("payback.health.speed"), "", "facts", []web.Pair{
		{Term: words.T("payback.health.to-shared"), Text: medianText(words, h.ToShared)}, {Term: words.T("payback.health.to-last"), Text: medianText(words, h.ToLast)},
	}), block(words.T("payback.health.became"), "", "facts", []web.Pair{
		{Term: words.T("payback.health.questions"), Text: shareText(words, h.Questions)}, {Term: words.T("payback.health.withdrawn"), Text: shareText(words, h.Withdrawn)},
		{Term: words.T("payback.health.expired"), Text: shareText(words, h.Expired)},
	}), block(words.T("payback.counted"), "", "prose", []string{words.T("payback.health.counted", "n", h.Days), words.T("payback.health.small")}))
	p.site.Render(w, r, web.Page{Template: "payback/page", Title: words.T("payback.health.of", "name", h.Name), Lede: words.T("payback.health.lede", "n", h.Days), Data: v, Crumbs: []web.Link{{Text: words.T("payback.title"), Href: "/payback"}}})
	return nil
}

func objectWeeks(words web.Words, all []WeekOf) weekly {
	out := weekly{Columns: web.Columns{Label: words.T("payback.health.weeks"), First: words.Date(all[0].Begins), Last: words.Date(all[len(all)-1].Begins)},
		Figures: web.Table{Label: words.T("payback.health.weeks"), Heads: web.PlainHeads(words.T("payback.week"), "#"+words.T("payback.given"))}}
	for _, w := range all {
		bar := web.Bar{Label: words.Date(w.Begins), Value: float64(w.Objects)}
		if w.Objects > 0 {
			bar.Text = words.Number(int64(w.Objects))
		}
		out.Columns.Items = append(out.Columns.Items, bar)
		out.Figures.Rows = append(out.Figures.Rows, web.Row{Name: bar.Label, Cells: []string{words.Number(int64(w.Objects))}})
	}
	return out
}

// bandBlock shows who does how much, in groups of at least five.
func bandBlock(words web.Words, key string, all []Band) web.Block {
	title, total := words.T("payback.health."+key), 0.0
	for _, b := range all {
		total += b.Share
	}
	switch {
	case len(all) == 0:
		return block(title, "", "nothing", web.Empty{Icon: "people", Title: words.T("payback.health.few"), Text: words.T("payback.health.few-text")})
	case total == 0:
		return block(title, "", "nothing", web.Empty{Icon: "clock", Title: words.T("payback.health.none"), Text: words.T("payback.health." + key + ".none")})
	}
	out := banded{Shares: web.Shares{Label: title}, Note: words.T("payback.health.bands"), Figures: web.Table{Label: title, Heads: web.PlainHeads(words.T("payback.health.band"), "#"+words.T("payback.health.members"), "#"+words.T("payback.health.share"))}}
	for i, b := range all {
		name, share := words.T("payback.health.band-n", "i", i+1), percent(words, b.Share)
		out.Shares.Items = append(out.Shares.Items, web.Bar{Label: name, Value: b.Share, Text: share})
		out.Figures.Rows = append(out.Figures.Rows, web.Row{Name: name, Cells: []string{words.Number(int64(b.Members)), share}})
	}
	return block(title, "", "bands", out)
}

func percent(words web.Words, share float64) string {
	return words.T("payback.percent", "n", int(100*share+0.5))
}

func partText(words web.Words, p Part28) string {
	if p.Says == "counted" {
		return words.T("payback.part28.counted", "count", p.Count, "of", p.Of)
	}
	return words.T("payback.part28." + p.Says)
}

func medianText(words web.Words, m Median) string {
	text := words.T("payback.nothing-yet")
	if m.Of > 0 {
		text = words.T("payback.median", "time", duration(words, m), "of", m.Of)
	}
	if m.Waiting > 0 {
		text += " · " + words.T("payback.waiting", "n", m.Waiting)
	}
	return text
}

func shareText(words web.Words, s ShareOf) string {
	if s.Of == 0 {
		return words.T("payback.nothing-yet")
	}
	return words.T("payback.share-of", "count", s.N, "of", s.Of, "percent", percent(words, float64(s.N)/float64(s.Of)))
}
