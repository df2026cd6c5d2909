package keys

import (
	"cmp"
	"embed"
	"net/http"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale
var keysPageFiles embed.FS

// ConsolePart is what keys bring to the console.
func ConsolePart() web.Part { return web.Part{Name: "keys", Files: keysPageFiles} }

// Pages are the console pages of keys.
type Pages struct {
	*Service
	site *web.Site
}

// Pages makes the console pages of s, on a site that was made with [ConsolePart].
func (s *Service) Pages(site *web.Site) *Pages { return &Pages{s, site} }

// Routes are all pages.
func (p *Pages) Routes() []web.Route {
	return []web.Route{{Method: "GET", Pattern: "/keys", Need: web.LoggedIn, Exit: "keys.list", Handler: web.Handler(p.list).Serve}}
}

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	return []web.NavItem{{Group: web.Know, Path: "/keys", Icon: "key", Title: "keys.nav", Need: web.LoggedIn, Order: 62}}
}

// keysView is the data of templates/page.html.
type keysView struct {
	Alerts []web.Alert
	Main   []web.Block
	Aside  []web.Block
}

// keysTable is the data of "table".
type keysTable struct {
	Label string
	Heads []web.Head
	Rows  []keysRow
	Foot  string
}

// keysRow is a row: its name and its cells in the order of the heads.
type keysRow struct {
	Name, Sub string
	Cells     []keysCell
}

type keysCell struct {
	Label, Text string
	Code        bool
	At          time.Time
}

func (t *keysTable) add(row keysRow) {
	for i := range row.Cells {
		row.Cells[i].Label = t.Heads[i+1].Label
	}
	t.Rows = append(t.Rows, row)
}

func keysBlock(title, template string, data any) web.Block {
	return web.Block{Title: title, Template: "keys/" + template, Data: data}
}

// newest sorts changes, and keeps those that are shown.
func newest(all []Event) []Event {
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(b.N, a.N)) })
	return all[:min(len(all), maxEvents)]
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx, words, by := r.Context(), web.WordsOf(r), web.ActorOf(r)
	all, err := p.Met(ctx, by)
	if err != nil {
		return err
	}
	events, err := p.Events(ctx, all)
	if err != nil {
		return err
	}
	alerts, err := p.alerts(r, all)
	if err != nil {
		return err
	}
	inForce := keysTable{Label: words.T("keys.in-force"), Heads: web.PlainHeads(words.T("keys.owner"), words.T("keys.key"), words.T("keys.fingerprint"), words.T("keys.recovery")), Foot: words.T("keys.fingerprint-foot")}
	for _, e := range all {
		recovery := words.T("keys.recovery.no")
		if e.Recovery != "" {
			recovery = words.T("keys.recovery.yes")
		}
		inForce.add(keysRow{Name: shownAs(e.Name, e.Owner), Sub: e.Owner, Cells: []keysCell{{Text: e.Key, Code: true}, {Text: e.Fingerprint, Code: true}, {Text: recovery}}})
	}
	changes := keysTable{Label: words.T("keys.changes"), Heads: web.PlainHeads(words.T("keys.owner"), words.T("keys.what"), words.T("keys.by"), words.T("keys.seen"), words.T("keys.made")), Foot: words.T("keys.changes-foot")}
	for _, e := range events {
		changes.add(keysRow{Name: shownAs(e.Name, string(e.Owner)), Cells: []keysCell{{Text: said(words, e)}, {Text: signedBy(words, e)}, {At: e.Seen}, {At: e.Made}}})
	}
	v := keysView{Alerts: alerts, Main: []web.Block{keysBlock(words.T("keys.in-force"), "table", inForce), keysBlock(words.T("keys.changes"), "table", changes)},
		Aside: []web.Block{keysBlock(words.T("keys.means"), "marks-body", []web.Mark{
			{Class: "yes", Text: words.T("keys.means.signed")}, {Class: "yes", Text: words.T("keys.means.order")}, {Class: "mind", Text: words.T("keys.means.compare")}, {Class: "mind", Text: words.T("keys.means.stolen")},
		})}}
	p.site.Render(w, r, web.Page{Template: "keys/page", Title: words.T("keys.page-title"), Lede: words.T("keys.page-lede"), Data: v})
	return nil
}

func shownAs(name, id string) string { return cmp.Or(name, id) }

// alerts are the two things that somebody must look at: two stories about an owner, and a key of this node's that is in
// force and was not made here.
func (p *Pages) alerts(r *http.Request, met []Entry) (out []web.Alert, err error) {
	ctx, words := r.Context(), web.WordsOf(r)
	disputes, err := readDisputes(p.read(ctx))
	if err != nil {
		return nil, err
	}
	for _, e := range met {
		if i := slices.IndexFunc(disputes, func(d dispute) bool { return string(d.owner) == e.Owner }); i >= 0 {
			out = append(out, web.Alert{Class: "bad", Title: words.T("keys.dispute", "name", shownAs(e.Name, e.Owner)), Text: words.T("keys.dispute-text", "n", disputes[i].n, "at", words.When(time.UnixMicro(disputes[i].seen).UTC()))})
		}
		if !e.Local {
			continue
		}
		if _, err := p.signing(ctx, polder.OrgID(e.Owner)); polder.KindOf(err) == polder.Unavailable {
			out = append(out, web.Alert{Class: "bad", Title: words.T("keys.taken", "name", shownAs(e.Name, e.Owner)), Text: words.T("keys.taken-text")})
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// briefKey is the beginning of a key's name, enough to tell the keys of one owner apart.
func briefKey(id seal.KeyID) string { return string(id[:min(len(id), 12)]) + "…" }

// said is what a change did.
func said(words web.Words, e Event) string {
	switch e.Act {
	case seal.KeyBegin:
		return words.T("keys.act.begin", "key", briefKey(e.Key))
	case seal.KeyRotate:
		return words.T("keys.act.rotate", "key", briefKey(e.Key))
	case seal.KeyRecovery:
		return words.T("keys.act.recovery", "key", briefKey(e.Key))
	}
	gone := ""
	for i, id := range e.Gone {
		if i > 0 {
			gone += ", "
		}
		gone += briefKey(id)
	}
	if e.Key == "" {
		return words.T("keys.act.revoke", "gone", gone)
	}
	return words.T("keys.act.revoke-replaced", "gone", gone, "key", briefKey(e.Key))
}

func signedBy(words web.Words, e Event) string {
	if e.ByRec {
		return words.T("keys.by.recovery", "key", briefKey(e.By))
	}
	return words.T("keys.by.key", "key", briefKey(e.By))
}
