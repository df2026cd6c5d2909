package screen

import (
	"cmp"
	"context"
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale
var pageFiles embed.FS

// ConsolePart is what this capability brings to the console.
func ConsolePart() web.Part { return web.Part{Name: "screen", Files: pageFiles} }

// PagesOptions are what the pages and the REST API show beside what the service keeps.
type PagesOptions struct {
	Lists    ListKeeper       // must be there
	Now      func() time.Time // nil is the service's
	Accounts Refresher        // nil: a stream does not look again whether its reader may still read

	Communities Communities // nil: lists cannot be shared from their pages
}

// Refresher says what an actor may do now. *accounts.Service is one.
type Refresher interface {
	Refresh(ctx context.Context, by polder.Actor) (polder.Actor, error)
}

// Pages are the console pages of screening. They decide nothing: each asks the service as whoever reads.
type Pages struct {
	*Service
	site *web.Site
	more PagesOptions
}

// Pages makes the console pages of s, on a site that was made with [ConsolePart].
func (s *Service) Pages(site *web.Site, o PagesOptions) *Pages {
	if o.Now == nil {
		o.Now = s.o.Now
	}
	return &Pages{s, site, o}
}

const (
	maxUpload     = 200_000_000 // bytes of a list or a batch that is sent to the page
	uploadTimeout = 20 * time.Minute
	maxBoxBody    = 2 << 20 // of a form with a contract in it
)

// Routes are all pages.
func (p *Pages) Routes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: "/screen" + pattern, Need: need, Exit: "screen." + exit, Handler: h.Serve}
	}
	upload := func(pattern, exit string, need web.Need, h web.Handler) web.Route {
		r := route("POST", pattern, exit, need, h)
		r.MaxBody, r.Timeout = maxUpload, uploadTimeout
		return r
	}
	file := func(pattern, exit string, h web.Handler) web.Route {
		r := route("GET", pattern, exit, web.Reader, h)
		r.Timeout = uploadTimeout // it may be long
		return r
	}
	box := func(pattern string, need web.Need, h web.Handler) web.Route {
		r := route("POST", pattern, "answer", need, h)
		r.MaxBody = maxBoxBody
		return r
	}
	return []web.Route{
		route("GET", "", "ask", web.Reader, p.askPage),
		box("", web.Reader, p.ask),
		box("/compare", web.Reader, p.compare),
		box("/keep", web.Contributor, p.keep),
		route("GET", "/queue", "queue", web.Reader, p.queue),
		route("POST", "/queue", "queue", web.Reader, p.queue),
		route("GET", "/reviews/{id}", "review", web.Reader, p.review),
		route("POST", "/reviews/{id}", "review", web.Contributor, p.decide),
		route("GET", "/parties", "parties", web.Reader, p.parties),
		route("POST", "/parties", "parties", web.Contributor, p.addParty),
		route("POST", "/parties/find", "parties", web.Reader, p.findParties),
		upload("/parties/import", "parties", web.Contributor, p.importParties),
		route("POST", "/groups", "groups", web.Steward, p.addGroup),
		route("POST", "/groups/{name}/remove", "groups", web.Steward, p.removeGroup),
		route("GET", "/parties/{id}", "party", web.Reader, p.party),
		route("POST", "/parties/{id}", "party", web.Contributor, p.changeParty),
		route("POST", "/parties/{id}/remove", "party", web.Contributor, p.removeParty),
		route("POST", "/parties/{id}/erase", "party", web.Steward, p.eraseParty),
		route("GET", "/batches", "batches", web.Reader, p.batches),
		upload("/batches", "batches", web.Contributor, p.startBatch),
		route("GET", "/batches/{id}", "batch", web.Reader, p.batch),
		{Method: "GET", Pattern: "/screen/batches/{id}/progress", Need: web.Reader, Exit: "screen.progress", Handler: web.Handler(p.progress).Serve, Stream: true},
		route("POST", "/batches/{id}/stop", "batch", web.Contributor, p.stopBatch),
		file("/batches/{id}/results", "results", p.results),
		route("GET", "/lists", "lists", web.Reader, p.lists),
		upload("/lists", "lists", web.Steward, p.importList),
		route("GET", "/lists/{name}", "list", web.Reader, p.list),
		{Method: "POST", Pattern: "/screen/lists/{name}/share", Need: web.Contributor, Exit: "screen.share", Handler: web.Handler(p.shareList).Serve, Timeout: uploadTimeout},
		route("POST", "/lists/{name}/refresh", "list", web.Steward, p.refreshList),
		route("GET", "/settings", "settings", web.Reader, p.settings),
		route("POST", "/settings", "settings", web.Steward, p.setSettings),
		route("POST", "/settings/ask-again", "settings", web.Steward, p.askAgain),
		route("GET", "/record", "record", web.Reader, p.recordPage),
		route("GET", "/record/{id}", "screening", web.Reader, p.screening),
		route("POST", "/record/{id}/erase", "screening", web.Steward, p.eraseScreening),
		file("/record.csv", "record", p.recordCSV),
		file("/record.pdf", "record", p.recordPDF),
	}
}

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	waits := func(ctx context.Context, by polder.Actor) (int, bool) {
		n, err := p.Waiting(ctx, by)
		if err != nil {
			return 0, false // the page itself says what is wrong
		}
		return n, false
	}
	return []web.NavItem{
		{Group: web.Decide, Key: "n", Path: "/screen", Icon: "screen", Title: "screen.nav", Need: web.Reader, Order: 10, Count: waits},
	}
}

// tabs are the pages of screening beside each other; here is the path of the one that is open.
func (p *Pages) tabs(words web.Words, here string) []pageTab {
	var out []pageTab
	for _, t := range []struct{ key, path string }{{"screen.tab.ask", "/screen"}, {"screen.tab.queue", "/screen/queue"}, {"screen.tab.parties", "/screen/parties"}, {"screen.tab.batches", "/screen/batches"},
		{"screen.tab.lists", "/screen/lists"}, {"screen.tab.record", "/screen/record"}, {"screen.tab.settings", "/screen/settings"}} {
		out = append(out, pageTab{words.T(t.key), t.path, t.path == here})
	}
	return out
}

// done sends the reader on to a page, where the text of key is said.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, to, key string, pairs ...any) error {
	p.site.Toast(w, "", key, pairs...)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// contributes tells whether by may decide and keep.
func contributes(by polder.Actor) bool { return mayScreen(by, polder.RoleContributor) == nil }

// stewards tells whether by may change what all of the organisation rely on.
func stewards(by polder.Actor) bool { return mayScreen(by, polder.RoleSteward) == nil }

// Search offers to screen a text that reads like a name. Nothing is asked yet: the page that it leads to has the name in
// its box, and a person asks. The name stands in the address of the search already.
func (p *Pages) Search(_ context.Context, by polder.Actor, text string, _ int, words web.Words) ([]web.Hit, error) {
	text = strings.TrimSpace(text)
	if mayScreen(by, polder.RoleReader) != nil || !looksLikeName(text) {
		return nil, nil
	}
	return []web.Hit{{Kind: words.T("screen.nav"), Icon: "screen", Title: words.T("screen.search.offer", "name", web.Clip(text, 80)), Href: "/screen?" + url.Values{"name": {text}}.Encode(), Text: words.T("screen.search.text")}}, nil
}

// The card shows some of what waits, and looks at more to find the most pressing.
const (
	cardShows = 4
	cardLooks = 50
)

// Card is what waits for a decision, and which lists are too old, on the overview.
func (p *Pages) Card(ctx context.Context, by polder.Actor, words web.Words) (web.Block, error) {
	if mayScreen(by, polder.RoleReader) != nil {
		return web.Block{}, nil
	}
	asking, err := p.asksNow(ctx, by)
	if err != nil {
		return web.Block{}, err
	}
	page, err := p.Queue(ctx, by, QueueFilter{Limit: cardLooks})
	if err != nil {
		return web.Block{}, err
	}
	pressing := func(r Review) int { // a hit that speaks for a party waits longer than one that speaks against it
		if asking[r.List].Purpose == lists.Verified {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(page.Reviews, func(a, b Review) int { return cmp.Compare(pressing(a), pressing(b)) })
	page.Reviews = page.Reviews[:min(len(page.Reviews), cardShows)]
	waiting, err := p.Waiting(ctx, by)
	if err != nil {
		return web.Block{}, err
	}
	kept, err := p.more.Lists.Lists(ctx, by)
	if err != nil {
		return web.Block{}, err
	}
	var rows []web.Todo
	for _, one := range page.Reviews {
		m := stateMarkOf(words, one.State)
		rows = append(rows, web.Todo{Icon: "screen", Title: web.Clip(oneLine(one.Query.Name), 120), Href: pagePath("/screen/reviews", one.ID), Text: words.T("screen.list.of-date", "list", web.Clip(oneLine(one.Name), 120), "date", asking.title(one.List)), Tag: m.Text, TagIcon: m.Icon})
	}
	for _, l := range kept {
		if l.Stale && len(rows) < 6 {
			rows = append(rows, web.Todo{Class: "warn", Icon: "list", Title: words.T("screen.list.stale-title", "list", listTitle(l.Meta)), Href: pagePath("/screen/lists", l.Name), Text: listAge(words, p, l)})
		}
	}
	if len(rows) == 0 {
		return web.Block{}, nil
	}
	b := pageBlock(words.T("screen.nav"), "", "todos", rows)
	b.More = web.Link{Text: words.T("screen.card.all", "n", waiting), Href: "/screen/queue"}
	if waiting == 0 {
		b.More = web.Link{Text: words.T("screen.lists"), Href: "/screen/lists"}
	}
	return b, nil
}
