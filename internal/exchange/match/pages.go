package match

import (
	"embed"
	"net/http"
	"strconv"
	"time"

	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale
var matchPageFiles embed.FS

// ConsolePart is what this package brings to the console.
func ConsolePart() web.Part { return web.Part{Name: "match", Files: matchPageFiles} }

// Pages are the console pages of private matching.
type Pages struct {
	*Service
	site *web.Site
}

// Pages makes the console pages of s, on a site that was made with [ConsolePart].
func (s *Service) Pages(site *web.Site) *Pages { return &Pages{s, site} }

// Routes are all pages.
func (p *Pages) Routes() []web.Route {
	return []web.Route{
		{Method: "GET", Pattern: "/match", Need: web.Reader, Exit: "match.sets", Handler: web.Handler(p.sets).Serve},
		{Method: "GET", Pattern: "/match/{set}", Need: web.Reader, Exit: "match.set", Handler: web.Handler(p.set).Serve},
	}
}

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	return []web.NavItem{{Group: web.Know, Path: "/match", Icon: "lock", Title: "match.nav", Need: web.Reader, Order: 60}}
}

// matchView is the data of templates/page.html.
type matchView struct {
	Alerts []web.Alert
	Main   []web.Block
	Aside  []web.Block
}

// matchTable is the data of "table".
type matchTable struct {
	Label string
	Heads []web.Head
	Rows  []matchRow
	Empty web.Empty
	Foot  string
}

// matchRow is a row: its name, perhaps with a page of its own, and its cells in the order of the heads.
type matchRow struct {
	Name, Href, Sub string
	Cells           []matchCell
}

type matchCell struct {
	Label, Text string
	Num         bool
	At          time.Time
}

func matchBlock(title, note, template string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "match/" + template, Data: data}
}

// cells labels the cells of a row with their heads.
func (t *matchTable) add(row matchRow) {
	for i := range row.Cells {
		row.Cells[i].Label, row.Cells[i].Num = t.Heads[i+1].Label, t.Heads[i+1].Num
	}
	t.Rows = append(t.Rows, row)
}

// learns says what each side learns: it stands on every page of a set.
func learns(words web.Words) web.Block {
	return matchBlock(words.T("match.learns"), "", "marks-body", []web.Mark{
		{Class: "no", Text: words.T("match.learns.owner-not")},
		{Class: "mind", Text: words.T("match.learns.owner")},
		{Class: "no", Text: words.T("match.learns.asker-not")},
		{Class: "mind", Text: words.T("match.learns.asker")},
		{Class: "mind", Text: words.T("match.learns.node")},
		{Class: "mind", Text: words.T("match.learns.relay")},
		{Class: "no", Text: words.T("match.learns.filter")},
	})
}

// sets is the page of the sets that one may ask.
func (p *Pages) sets(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	all, silent, err := p.Reachable(r.Context(), by)
	if err != nil {
		return err
	}
	heads := web.PlainHeads(words.T("match.name"), words.T("match.owner"), words.T("match.community"), words.T("match.type"), "#"+words.T("match.budget"))
	ask := matchTable{Label: words.T("match.offered"), Heads: heads, Empty: web.Empty{Icon: "lock", Title: words.T("match.none"), Text: words.T("match.none-text")}, Foot: words.T("match.budget-foot")}
	for _, o := range all {
		owner := o.Owner
		if o.Own {
			owner = words.T("match.own")
		}
		ask.add(matchRow{Name: o.Name, Href: "/match/" + o.ID, Sub: homeOf(words, o), Cells: []matchCell{{Text: owner}, {Text: o.Alias}, {Text: string(o.Kind)}, {Text: words.Number(int64(o.Budget))}}})
	}
	v := matchView{Main: []web.Block{matchBlock(words.T("match.offered"), "", "table", ask)}, Aside: []web.Block{learns(words)}}
	for _, q := range silent {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("match.silent", "home", q.Home), Text: words.T("match.silent-text")})
	}
	p.site.Render(w, r, web.Page{Template: "match/page", Title: words.T("match.title"), Lede: words.T("match.lede"), Data: v})
	return nil
}

// homeOf says where a set is asked that is not this node's.
func homeOf(words web.Words, o Offer) string {
	if o.Link == "" {
		return ""
	}
	return words.T("match.at", "home", o.Home)
}

// set is the page of one set: how to ask it, and for its owner how much it was asked.
func (p *Pages) set(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	o, err := p.choose(r.Context(), by, r.PathValue("set"))
	if err != nil {
		return err
	}
	epochs, err := p.EpochsAny(r.Context(), by, o.ID)
	if err != nil {
		return err
	}
	v := matchView{Aside: []web.Block{learns(words)}}
	if len(epochs) == 0 {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("match.no-epoch"), Text: words.T("match.no-epoch-text")})
	} else if e := epochs[0]; !p.o.Now().Before(e.Until) {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("match.over"), Text: words.T("match.over-text", "at", words.Date(e.Until))})
	}
	v.Main = append(v.Main, matchBlock(words.T("match.ask"), "", "ask", matchAsk{
		Text: words.T("match.ask-text"), Command: "polder match-private --set " + o.Name + " --type " + string(o.Kind) + " values.txt", Note: words.T("match.ask-note", "n", o.Budget),
	}))
	if o.Own {
		if err := p.addUse(r, words, o, &v); err != nil {
			return err
		}
	}
	v.Main = append(v.Main, matchBlock(words.T("match.epochs"), "", "table", epochTable(words, epochs)))
	facts := []web.Pair{{Term: words.T("match.owner"), Text: o.Owner}, {Term: words.T("match.community"), Text: o.Alias}, {Term: words.T("match.type"), Text: string(o.Kind)}, {Term: words.T("match.budget"), Text: words.Number(int64(o.Budget))}}
	if o.Link != "" {
		facts = append(facts, web.Pair{Term: words.T("match.home"), Text: o.Home})
	}
	p.site.Render(w, r, web.Page{Template: "match/page", Title: o.Name, Lede: words.T("match.set-lede"), Crumbs: []web.Link{{Text: words.T("match.title"), Href: "/match"}}, Facts: facts, Data: v})
	return nil
}

// matchAsk is the data of "ask".
type matchAsk struct{ Text, Command, Note string }

func epochTable(words web.Words, epochs []Epoch) matchTable {
	t := matchTable{Label: words.T("match.epochs"), Heads: web.PlainHeads(words.T("match.epoch"), words.T("match.key"), "#"+words.T("match.class"), words.T("match.from"), words.T("match.until")),
		Empty: web.Empty{Icon: "clock", Title: words.T("match.no-epoch"), Text: words.T("match.no-epoch-text")}, Foot: words.T("match.epochs-foot")}
	for _, e := range epochs[:min(len(epochs), 20)] {
		until := e.Until
		if !e.Ended.IsZero() {
			until = e.Ended
		}
		t.add(matchRow{Name: strconv.FormatUint(e.N, 10), Cells: []matchCell{{Text: keyPrint(e)}, {Text: words.Number(int64(e.Class))}, {At: e.Made}, {At: until}}})
	}
	return t
}

// addUse adds what the owner sees of how much a set was asked.
func (p *Pages) addUse(r *http.Request, words web.Words, o Offer, v *matchView) error {
	days, err := readDays(p.reader(r.Context()), o.ID, 31)
	if err != nil {
		return err
	}
	t := matchTable{Label: words.T("match.asked"), Heads: web.PlainHeads(words.T("match.day"), "#"+words.T("match.elements"), "#"+words.T("match.stopped")),
		Empty: web.Empty{Icon: "clock", Title: words.T("match.not-asked"), Text: words.T("match.not-asked-text")}, Foot: words.T("match.asked-foot")}
	for i, d := range days {
		t.add(matchRow{Name: d.Date, Cells: []matchCell{{Text: words.Number(int64(d.Elements))}, {Text: words.Number(int64(d.Stopped))}}})
		if d.Stopped > 0 && i < 7 {
			v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("match.used-up"), Text: words.T("match.used-up-text", "n", d.Stopped, "day", d.Date)})
		}
	}
	v.Main = append(v.Main, matchBlock(words.T("match.asked"), "", "table", t))
	return nil
}
