package detect

import (
	"context"
	"embed"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

//go:embed templates locale
var pageFiles embed.FS

// Part is what this capability brings to the console.
func Part() web.Part { return web.Part{Name: "detect", Files: pageFiles} }

// KnowledgeSource is a set of rules or a list of indicators that events are held against.
type KnowledgeSource struct {
	Name    string
	Count   int
	Changed time.Time // when it was loaded or last changed
	Trouble []string  // what of it could not be loaded
}

// Overview is what the engine says of itself, for one organisation.
type Overview struct {
	Knowing    Knowing
	Rules      []KnowledgeSource
	Indicators []KnowledgeSource
	History    *Kept // nil when none is kept
}

// Kept is where a history stands.
type Kept struct {
	Events, Bytes int64     // Bytes on disk; what came last is not there yet
	First, Last   time.Time // of the events on disk; zero when none says when it was
	Damaged       bool      // some of it cannot be read
}

// Overviewer is the engine, as the page of rules and sources needs it. node plugs it in.
type Overviewer interface {
	Overview(ctx context.Context, by polder.Actor) (Overview, error)
}

// PagesOptions are what the console pages show beside alerts; each may be nil.
type PagesOptions struct {
	Checker  Checker    // nil: no log can be checked here
	Overview Overviewer // nil: nothing is said of rules and sources
	Notifier *Notifier  // nil: nobody is told of alerts
	Intake   *Intake    // nil: nothing is taken in
}

// Pages are the console pages of detection. They decide nothing: each asks the service as whoever reads.
type Pages struct {
	*Service
	site  *web.Site
	more  PagesOptions
	check chan struct{} // one for each log that is checked now
}

// atOnce is how many logs are checked at the same time.
const atOnce = 2

// Pages makes the console pages of s, on a site that was made with [Part].
func (s *Service) Pages(site *web.Site, o PagesOptions) *Pages {
	return &Pages{s, site, o, make(chan struct{}, atOnce)}
}

// Routes are all pages.
func (p *Pages) Routes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: pattern, Need: need, Exit: "detect." + exit, Handler: h.Serve}
	}
	return []web.Route{
		route("GET", "/alerts", "alerts", web.Reader, p.queue),
		{Method: "GET", Pattern: "/alerts/feed", Need: web.Reader, Exit: "detect.feed", Handler: web.Handler(p.feed).Serve, Stream: true},
		route("GET", "/alerts/{id}", "alert", web.Reader, p.alert),
		route("POST", "/alerts/{id}/state", "alert", web.Contributor, p.setState),
		route("GET", "/alerts/{id}/suppress", "alert.suppress", web.Contributor, p.suppressPage),
		route("POST", "/alerts/{id}/suppress", "alert.suppress", web.Contributor, p.suppress),
		route("GET", "/alerts/{id}/sighting", "alert.sighting", web.Contributor, p.sightingPage),
		route("POST", "/alerts/{id}/sighting", "alert.sighting", web.Contributor, p.shareSighting),
		route("GET", "/suppressions", "suppressions", web.Reader, p.suppressions),
		route("POST", "/suppressions/{id}/end", "suppressions", web.Contributor, p.endSuppression),
		route("GET", "/detection", "detection", web.Reader, p.detection),
		route("POST", "/detection/sightings", "detection", web.Steward, p.setSightingRule),
		route("POST", "/detection/sightings/end", "detection", web.Steward, p.dropSightingRule),
		route("GET", "/check", "check", web.Reader, p.checkPage),
		{Method: "POST", Pattern: "/check", Need: web.Reader, Exit: "detect.check", Handler: web.Handler(p.checkLog).Serve, MaxBody: maxUpload, Timeout: checkTimeout},
		route("GET", "/account/alerts", "notices", web.LoggedIn, p.notices),
		route("POST", "/account/alerts", "notices", web.LoggedIn, p.addNotice),
		route("POST", "/account/alerts/{id}/delete", "notice", web.LoggedIn, p.onNotice("detect.notice.deleted", (*Notifier).DeleteNotice)),
		route("POST", "/account/alerts/{id}/on", "notice", web.LoggedIn, p.onNotice("detect.notice.switched", noticeTo(true))),
		route("POST", "/account/alerts/{id}/off", "notice", web.LoggedIn, p.onNotice("detect.notice.switched", noticeTo(false))),
		route("GET", "/alert-off/{token}", "notice.off", web.Public, p.offPage),
		route("POST", "/alert-off/{token}", "notice.off", web.Public, p.off),
	}
}

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	waits := func(ctx context.Context, by polder.Actor) (int, bool) {
		n, urgent, err := p.Waiting(ctx, by)
		return n, err == nil && urgent > 0
	}
	return []web.NavItem{
		{Group: web.Respond, Key: "a", Path: "/alerts", Icon: "radar", Title: "detect.alerts", Need: web.Reader, Order: 10, Count: waits},
		{Group: web.Respond, Key: "l", Path: "/check", Icon: "search", Title: "detect.check", Need: web.Reader, Order: 20},
		{Group: web.Respond, Path: "/suppressions", Icon: "veil", Title: "detect.suppressions", Need: web.Reader, Order: 30},
		{Group: web.Node, Key: "d", Path: "/detection", Icon: "shield", Title: "detect.detection", Need: web.Reader, Order: 40},
	}
}

// mark is the data of "mark": a state in a word with its sign.
type mark struct{ Class, Icon, Text string }

func levelMark(words web.Words, l Level) mark {
	m := map[Level]mark{Critical: {"bad", "alert", ""}, High: {"bad", "flag", ""}, Medium: {"warn", "eye", ""}, Low: {"info", "info", ""}, Informational: {"", "info", ""}}[l]
	m.Text = words.T("detect.level." + string(l))
	return m
}

func stateMark(words web.Words, s State) mark {
	m := map[State]mark{StateNew: {"info", "plus", ""}, StateInWork: {"warn", "clock", ""}, StateConfirmed: {"bad", "target", ""}, StateFalse: {"", "cross", ""}, StateClosed: {"ok", "check", ""}, StateSuppressed: {"", "veil", ""}}[s]
	m.Text = words.T("detect.state." + string(s))
	return m
}

func kindIcon(k Kind) string {
	return map[Kind]string{ByRule: "list", ByIndicator: "target", ByPattern: "layers", ByCorrelation: "chain"}[k]
}

// titleOf is how a group is called.
func titleOf(words web.Words, g Shown) string {
	switch {
	case g.Hidden:
		return words.T("detect.hidden")
	case g.Kind == ByIndicator:
		return web.Defang(g.Title)
	}
	return g.Title
}

// whereOf is the host and the account of a group, in a line.
func whereOf(g Group) string {
	return strings.Trim(g.Host+" · "+g.Account, " ·")
}

// pageView is the data of templates/page.html: blocks in one or two columns.
type pageView struct {
	Errors  []web.FieldError
	Alerts  []web.Alert
	Actions []web.Action
	Dialogs []web.Dialog
	Main    []web.Block
	Aside   []web.Block
}

func (v *pageView) add(b ...web.Block)    { v.Main = append(v.Main, b...) }
func (v *pageView) beside(b ...web.Block) { v.Aside = append(v.Aside, b...) }

// panel is a block of this part.
func panel(title, note, template string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "detect/" + template, Data: data}
}

// form is the data of "form".
type form struct {
	Action  string
	Files   bool
	Hidden  []web.Hidden
	Fields  []web.Field
	Note    string
	Submit  string
	Primary bool
	Danger  bool
	Back    string
}

// entries is the data of "entries": a list whose rows may have buttons.
type entries struct {
	Rows  []entry
	Empty web.Empty
}

type entry struct {
	Icon, Title, Href string
	Lines             []string
	Mark              mark
	TLP               stix.Marking
	At                time.Time
	Buttons           []button
}

// button is a form of one button.
type button struct {
	Action, Label string
	Hidden        []web.Hidden
}

// notDone says on the page why something was not done; nil for nothing.
func notDone(words web.Words, err error) []web.Alert {
	if err == nil {
		return nil
	}
	return []web.Alert{{Class: "bad", Title: words.T("detect.not-done"), Text: web.Sentence(err.Error())}}
}

func statusFor(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return web.Status(err)
}

// done sends the reader on to a page, where the text of key is said.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, to, key string, pairs ...any) error {
	p.site.Toast(w, "", key, pairs...)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func alertPath(id string, more ...string) string {
	return strings.Join(append([]string{"/alerts", url.PathEscape(id)}, more...), "/")
}

// pathOf is a link to something with an id of one's own.
func pathOf(base, id, verb string) string { return base + "/" + url.PathEscape(id) + "/" + verb }

// Card is what waits in the queue, on the overview.
func (p *Pages) Card(ctx context.Context, by polder.Actor, words web.Words) (web.Block, error) {
	if may(by, polder.RoleReader) != nil {
		return web.Block{}, nil
	}
	page, err := p.Alerts(ctx, by, Filter{States: []State{StateNew}, Sort: "-level", Limit: 5})
	if err != nil || len(page.Groups) == 0 {
		return web.Block{}, err
	}
	waiting, _, err := p.Waiting(ctx, by)
	if err != nil {
		return web.Block{}, err
	}
	var rows []web.Todo
	for _, g := range page.Groups {
		m := levelMark(words, g.Level)
		class := ""
		if g.Level.rank() >= High.rank() {
			class = "bad"
		}
		rows = append(rows, web.Todo{Class: class, Icon: kindIcon(g.Kind), Title: titleOf(words, g), Href: alertPath(g.ID), Text: p.said(words, g), Tag: m.Text, TagIcon: m.Icon})
	}
	b := panel(words.T("detect.alerts"), "", "todos", rows)
	b.More = web.Link{Text: words.T("detect.card.all", "n", waiting), Href: "/alerts?state=new"}
	return b, nil
}

// said is what is known of a group in a line: how often, where, when.
func (p *Pages) said(words web.Words, g Shown) string {
	parts := []string{words.T("detect.times", "n", g.Count)}
	if at := whereOf(g.Group); at != "" {
		parts = append(parts, at)
	}
	return strings.Join(append(parts, words.When(g.Last)), " · ")
}

// Panel says on the page of an object how often it was met in the reader's own events.
func (p *Pages) Panel(ctx context.Context, by polder.Actor, object string, words web.Words) (web.Block, error) {
	if may(by, polder.RoleReader) != nil {
		return web.Block{}, nil
	}
	groups, err := p.Seen(ctx, by, object)
	if err != nil || len(groups) == 0 {
		return web.Block{}, err
	}
	n := 0
	list := entries{}
	for _, g := range groups {
		if g.Hidden {
			continue
		}
		n += g.Count
		list.Rows = append(list.Rows, entry{Icon: "radar", Title: strings.TrimPrefix(whereOf(g.Group)+" · "+words.T("detect.times", "n", g.Count), " · "), Href: alertPath(g.ID), Mark: stateMark(words, g.State), At: g.Last})
	}
	if n == 0 {
		return web.Block{}, nil
	}
	b := panel(words.T("detect.seen-here", "n", n), "", "entries", list)
	b.Aside = true
	return b, nil
}

// Search finds alerts by title, host, account, rule and id.
func (p *Pages) Search(ctx context.Context, by polder.Actor, text string, limit int, words web.Words) ([]web.Hit, error) {
	if may(by, polder.RoleReader) != nil {
		return nil, nil
	}
	found, err := p.Find(ctx, by, text, limit)
	var hits []web.Hit
	for _, g := range found {
		hits = append(hits, web.Hit{Kind: words.T("detect.alert"), Icon: "radar", Title: titleOf(words, g), Href: alertPath(g.ID), Text: p.said(words, g), TLP: g.TLP(), Exact: g.ID == text})
	}
	return hits, err
}
