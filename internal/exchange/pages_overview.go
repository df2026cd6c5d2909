package exchange

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

const (
	feedRows  = 12
	chartDays = 14
)

// Overview is the handler of the start page: what is new, what waits, what it is worth.
func (p *Pages) Overview(w http.ResponseWriter, r *http.Request) { handler(p.overview).serve(w, r) }

func (p *Pages) overview(w http.ResponseWriter, r *http.Request) error {
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	feed, level, err := p.newest(rd)
	if err != nil {
		return err
	}
	words := rd.words
	v := pageView{}
	if rd.right() >= polder.RoleContributor {
		v.Actions = []web.Action{{Label: words.T("exchange.share"), Href: "/share", Icon: "share", Primary: true}}
	}
	live := block(words.T("exchange.live"), "", "feed", feed)
	live.More = web.Link{Text: words.T("exchange.none.all"), Href: "/objects"}
	v.add(live)
	blocks, err := p.figures(rd)
	if err != nil {
		return err
	}
	v.add(blocks...)
	for _, b := range p.site.Cards(r) {
		if b.Aside {
			v.Aside = append(v.Aside, b)
		} else {
			v.Main = slices.Insert(v.Main, 0, b) // what waits stands before what is new
		}
	}
	lede := words.Now()
	if level != stix.None {
		lede += ". " + words.T("exchange.overview.level", "level", level)
	}
	p.site.Render(w, r, web.Page{Template: "exchange/page", Title: words.T("exchange.overview"), Lede: lede, TLP: level, Live: true, Data: v})
	return nil
}

// newest is the feed, and the strictest level in it. The stream goes on where the reader's own deliveries end: no number
// of what it may not see stands in the page.
func (p *Pages) newest(rd *reader) (web.Feed, stix.Marking, error) {
	feed := web.Feed{URL: "/feed", Label: rd.words.T("exchange.live"), Newer: "/", Empty: rd.nothingYet()}
	page, err := p.journal.Page(rd.ctx, rd.sight, journal.Query{Limit: 3 * feedRows, All: true, Withdrawals: true, Newest: true})
	if err != nil {
		return feed, stix.None, err
	}
	feed.Since = "0"
	if len(page.Deliveries) > 0 {
		feed.Since = strconv.FormatInt(int64(page.Deliveries[0].Seq), 10)
	}
	all, err := p.show(rd, rd.news(page.Deliveries))
	if err != nil {
		return feed, stix.None, err
	}
	all = all[:min(len(all), feedRows)]
	for _, s := range all {
		feed.Rows = append(feed.Rows, p.feedRow(rd, s))
	}
	return feed, highest(all), nil
}

// news are the deliveries that stand in a feed: each object once, and not the identities that Polder brings along.
func (rd *reader) news(all []journal.Delivery) (out []journal.Delivery) {
	seen := map[string]bool{}
	for _, d := range all {
		if !seen[key(d)] && rd.tells(d) {
			out = append(out, d)
		}
		seen[key(d)] = true
	}
	return out
}

// tells whether d is news to people: an object, and not the identity of a neighbour or of "a member".
func (rd *reader) tells(d journal.Delivery) bool {
	_, blind := rd.blind[d.ID]
	_, org := rd.orgs[polder.OrgID(d.ID)]
	return d.Kind == journal.Object && d.Raw != nil && !blind && !org && d.Type() != "extension-definition" && d.Type() != "marking-definition"
}

// key tells the rows of a feed apart.
func key(d journal.Delivery) string { return string(d.Community) + "/" + d.ID }

func (p *Pages) feedRow(rd *reader, s shown) web.FeedRow {
	said := rd.kind(s.Type()) + " · " + s.By
	if len(rd.places) > 1 {
		said += " · " + rd.in(s.Community)
	}
	if state := p.worth(rd.words, s); state.Class != "ok" && state.Text != "" {
		said += " · " + state.Text
	}
	return web.FeedRow{Key: key(s.Delivery), Icon: iconOf(s.Type()), Title: s.Title, Href: query(link(s.ID), "community", rd.where(s)), Text: said, At: s.Seq.Time(), TLP: s.Level}
}

// feed is the stream behind the overview: an event "row" with the row of each delivery that the reader may see, as the
// page would show it, and "gone" with the key of one that was withdrawn. It resumes by Last-Event-ID or ?since=.
func (p *Pages) feed(w http.ResponseWriter, r *http.Request) error {
	since, err := sinceOf(r)
	if err != nil {
		return err
	}
	rd, err := p.reader(r)
	if err != nil {
		return err
	}
	var out *web.EventStream
	err = p.Follow(r.Context(), rd.by, "", since, func(batch []journal.Delivery) error {
		if out == nil {
			if out, err = web.OpenStream(w, r); err != nil {
				return err
			}
		}
		if len(batch) == 0 {
			return out.Beat()
		}
		events, err := p.feedEvents(rd, batch)
		if err != nil {
			return err
		}
		return out.Send(events...)
	})
	if out != nil {
		return nil // the head is out; whoever reads comes again
	}
	return err
}

func (p *Pages) feedEvents(rd *reader, batch []journal.Delivery) (events []web.ServerEvent, err error) {
	for _, d := range batch {
		id := strconv.FormatInt(int64(d.Seq), 10)
		if _, known := rd.place(string(d.Community)); !known { // joined while reading
			if err := p.learn(rd); err != nil {
				return nil, err
			}
		}
		if d.Kind == journal.Withdrawn {
			events = append(events, web.ServerEvent{ID: id, Name: "gone", Data: []byte(key(d))})
			continue
		}
		if !rd.tells(d) {
			continue
		}
		all, err := p.show(rd, []journal.Delivery{d})
		if err != nil {
			return nil, err
		}
		row, err := p.site.Fragment(rd.words, "exchange/feed-row", p.feedRow(rd, all[0]))
		if err != nil {
			return nil, err
		}
		events = append(events, web.ServerEvent{ID: id, Name: "row", Data: row})
	}
	return events, nil
}

// chart is the data of "chart".
type chart struct {
	Days    web.Columns
	Kinds   web.Bars
	Figures web.Table
	Note    string
}

// figures are what the reader's communities shared lately, by day and by type, and what of it counts now. They count
// objects that the reader sees, and nothing about who shared them (X28).
func (p *Pages) figures(rd *reader) ([]web.Block, error) {
	words := rd.words
	page, err := p.journal.Page(rd.ctx, rd.sight, journal.Query{Limit: counted, Newest: true})
	if err != nil || len(page.Deliveries) == 0 {
		return nil, err
	}
	today := p.now().UTC().Truncate(24 * time.Hour)
	days, kinds := make([]int, chartDays), map[string]int{}
	var counts, ended, revoked int
	for _, d := range page.Deliveries {
		if !rd.tells(d) {
			continue
		}
		if age := int(today.Sub(d.Seq.Time().Truncate(24*time.Hour)) / (24 * time.Hour)); age >= 0 && age < chartDays {
			days[chartDays-1-age]++
			kinds[d.Type()]++
		}
		if d.Type() != "indicator" {
			continue
		}
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return nil, err
		}
		switch {
		case d.Revoked:
			revoked++
		case !o.ValidUntil.IsZero() && !o.ValidUntil.Time.After(p.now()):
			ended++
		default:
			counts++
		}
	}
	note := ""
	if page.More {
		note = words.T("exchange.facets.newest", "n", counted)
	}
	worth := aside(words.T("exchange.worth"), note, "facts", []web.Pair{{Term: words.T("exchange.worth.now"), Text: words.T("exchange.indicators", "n", counts)},
		{Term: words.T("exchange.worth.ended"), Text: words.T("exchange.indicators", "n", ended)}, {Term: words.T("exchange.worth.revoked"), Text: words.T("exchange.indicators", "n", revoked)}})
	return []web.Block{worth, aside(words.T("exchange.chart"), words.T("exchange.chart.days", "n", chartDays), "chart", rd.chart(today, days, kinds, note))}, nil
}

func (rd *reader) chart(today time.Time, days []int, kinds map[string]int, note string) chart {
	words := rd.words
	c := chart{Note: note, Figures: web.Table{Label: words.T("exchange.chart"), Heads: []web.Head{{Label: words.T("exchange.day")}, {Label: words.T("exchange.objects"), Num: true}}}}
	first := today.AddDate(0, 0, 1-chartDays)
	c.Days = web.Columns{Label: words.T("exchange.chart.label"), First: words.Date(first), Last: words.Date(today)}
	for i, n := range days {
		bar := web.Bar{Label: words.Date(first.AddDate(0, 0, i)), Value: float64(n)}
		if n > 0 {
			bar.Text = words.Number(int64(n))
			c.Figures.Rows = append(c.Figures.Rows, web.Row{Name: bar.Label, Cells: []string{bar.Text}})
		}
		c.Days.Items = append(c.Days.Items, bar)
	}
	c.Kinds.Label = words.T("exchange.chart.kinds")
	for _, t := range chosenToo(kinds, nil) {
		c.Kinds.Items = append(c.Kinds.Items, web.Bar{Label: rd.kind(t), Value: float64(kinds[t]), Text: words.Number(int64(kinds[t]))})
	}
	slices.SortStableFunc(c.Kinds.Items, func(a, b web.Bar) int { return int(b.Value - a.Value) })
	c.Kinds.Items = c.Kinds.Items[:min(len(c.Kinds.Items), 6)]
	return c
}
