package cases

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// This file holds the reader's side of reports. Its pages carry no word of a report: they hold the places and the texts
// of the page, and the script desk.js asks for sealed boxes, opens them with the key that the reader's passphrase
// unlocks in that tab, and shows what they say there.

// deskRoutes are the pages of reports, desks and keys, for who reads and for stewards.
func (p *Pages) deskRoutes() []web.Route {
	page := func(method, pattern, exit string, need web.Need, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: "/cases" + pattern, Need: need, Exit: "cases.desk." + exit, Handler: h.Serve}
	}
	return []web.Route{
		page("GET", "/reports", "queue", web.Reader, p.deskQueue),
		page("GET", "/reports/{id}", "report", web.Reader, p.deskReport),
		page("GET", "/key", "key", web.Reader, p.deskKey),
		page("GET", "/desks", "desks", web.Reader, p.deskList),
		page("POST", "/desks", "open", web.Steward, p.deskOpen),
		page("GET", "/desks/{alias}", "desk", web.Reader, p.deskOne),
		page("POST", "/desks/{alias}", "change", web.Steward, p.deskChange),
		page("POST", "/desks/{alias}/close", "close", web.Steward, p.deskClose),
		page("POST", "/desks/{alias}/readers", "reader", web.Steward, p.deskAddReader),
		page("POST", "/desks/{alias}/confirm", "confirm", web.Reader, p.deskConfirm),
		page("POST", "/desks/{alias}/remove", "remove", web.Reader, p.deskRemove),
		page("GET", "/desks/{alias}/poster", "poster", web.Reader, p.deskPoster),
	}
}

// deskWork is the data of templates/desk.html: the queue and a report, which desk.js fills in.
type deskWork struct {
	Tabs   []caseTab
	Report string     // id of the report that is open at first; empty: the queue
	Says   []deskSaid // what the script says
	Has    bool       // the reader has a key
	Reads  bool       // the reader reads for a desk
	Desks  []web.Option
	Titles []deskSaid // names of classes
	Shares bool       // the reader may open cases and share
}

// deskSaid is a text that a script uses, by its name.
type deskSaid struct{ Key, Text string }

// deskTexts are the texts of the scripts of these pages, without the "cases.desk.js." before them.
var deskTexts = []string{
	"opening", "opened.one", "opened.other", "none", "none.filter", "wrong-passphrase", "offline", "refused", "locked.idle", "locked.leave", "locked", "unopened", "unopened.title",
	"title.empty", "class", "severity", "why", "why.none", "proposed.reporter", "duplicate", "duplicate.with", "age.hours.one", "age.hours.other",
	"age.days.one", "age.days.other", "age.now", "state.new", "state.acknowledged", "state.in-case", "state.closed", "sealed.device", "sealed.server", "thread.yes", "thread.no", "back", "answers",
	"q.what", "q.noticed", "q.roads", "q.ongoing", "q.call", "q.may_know", "q.name", "q.kind", "q.systems", "q.know_how", "q.people", "q.organisation", "q.told", "v.yes", "v.no", "v.unknown",
	"v.desk", "v.team", "v.members", "v.police", "not-given", "files", "files.none", "file.open", "file.opening", "file.warn", "file.type", "file.damaged", "thread", "thread.none", "thread.reporter",
	"thread.desk", "thread.unopened", "answer", "answer.help", "answer.send", "answer.sent", "answer.empty", "answer.cannot", "answer.changed", "acknowledge", "acknowledged", "close", "closed", "reopen", "reopened",
	"readers", "readers.help", "readers.missing", "rewrap", "rewrapped.one", "rewrapped.other", "rewrap.partial", "untrusted", "judge", "judge.help", "judge.saved", "case", "case.warn",
	"case.title", "case.summary", "case.summary.help", "case.aware", "case.aware.help", "case.open", "case.opened", "case.link", "case.link.help", "case.link.save", "case.linked", "case.go",
	"case.kind", "case.roads", "case.values", "case.values.help", "share", "share.help", "share.go", "share.values", "share.title", "share.text", "share.text.help", "deadline.acknowledge", "deadline.feedback", "key.making", "key.different", "key.short",
	"key.same", "key.long", "key.changing", "key.changed.one", "key.changed.other", "key.unchanged", "key.not-kept", "key.unsupported", "more", "note.judged", "road.cyber", "road.insider", "road.acquisition", "road.export", "road.research",
	"road.unknown", "kind.incident", "kind.near-miss", "kind.approach", "kind.suspicion", "severity.low", "severity.medium", "severity.high", "severity.critical",
}

func deskSays(words web.Words) []deskSaid {
	all := make([]deskSaid, len(deskTexts))
	for i, k := range deskTexts {
		key := "cases.desk.js." + strings.ReplaceAll(k, "_", "-")
		for _, shared := range []string{"road.", "kind.", "severity."} {
			if strings.HasPrefix(k, shared) {
				key = "cases." + k
			}
		}
		all[i] = deskSaid{k, words.T(key)}
	}
	return all
}

// deskQueue is the queue of reports, empty until the reader's key opens them.
func (p *Pages) deskQueue(w http.ResponseWriter, r *http.Request) error { return p.deskShow(w, r, "") }

// deskReport is one report.
func (p *Pages) deskReport(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Report(r.Context(), web.ActorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	return p.deskShow(w, r, r.PathValue("id"))
}

func (p *Pages) deskShow(w http.ResponseWriter, r *http.Request, report string) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	keys, err := p.OwnKeys(r.Context(), by)
	if err != nil {
		return err
	}
	desks, err := p.OwnDesks(r.Context(), by)
	if err != nil {
		return err
	}
	v := deskWork{Tabs: caseTabs(words, by, "/cases/reports"), Report: report, Says: deskSays(words), Has: len(keys) > 0, Shares: web.Contributor.Allows(by)}
	open := 0
	for _, d := range desks {
		if d.Reads {
			v.Reads = true
			v.Desks = append(v.Desks, web.Option{Value: d.Alias, Label: d.Name})
			open += d.Open
		}
	}
	for _, c := range caseClasses {
		v.Titles = append(v.Titles, deskSaid{string(c), caseClassText(words, string(c))})
	}
	lede := words.T("cases.desk.queue.none")
	switch {
	case v.Reads && open > 0:
		lede = words.T("cases.desk.queue.open", "n", open)
	case !v.Reads:
		lede = words.T("cases.desk.queue.no-desk")
	}
	w.Header().Set("Cache-Control", "no-store")
	page := web.Page{Template: "cases/desk", Title: words.T("cases.tab.reports"), Lede: lede, Data: v}
	if v.Has && v.Reads {
		page.Scripts = []string{"desk.js"}
	}
	p.site.Render(w, r, page)
	return nil
}

// deskKeyView is the data of templates/deskkey.html.
type deskKeyView struct {
	Tabs []caseTab
	Says []deskSaid
	Keys []OwnKey
}

// deskKey is the page of the reader's own keys.
func (p *Pages) deskKey(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	keys, err := p.OwnKeys(r.Context(), by)
	if err != nil {
		return err
	}
	lede := words.T("cases.desk.key.none")
	if len(keys) > 0 {
		lede = words.T("cases.desk.key.have")
	}
	w.Header().Set("Cache-Control", "no-store")
	p.site.Render(w, r, web.Page{Template: "cases/deskkey", Title: words.T("cases.desk.key"), Lede: lede, Scripts: []string{"desk_key.js"}, Crumbs: deskCrumbs(words),
		Data: deskKeyView{Tabs: caseTabs(words, by, ""), Says: deskSays(words), Keys: keys}})
	return nil
}

func deskCrumbs(words web.Words, more ...web.Link) []web.Link {
	return append([]web.Link{{Text: words.T("cases.tab.reports"), Href: "/cases/reports"}}, more...)
}

// deskPath is the page of a desk.
func deskPath(alias string, more ...string) string {
	return casePath("/cases/desks", append([]string{alias}, more...)...)
}

// deskForm reads the form of a desk's settings.
func deskForm(v url.Values) DeskSettings {
	return DeskSettings{Alias: strings.TrimSpace(v.Get("alias")), Name: strings.TrimSpace(v.Get("name")), Kind: DeskKind(v.Get("kind")), Listed: v.Get("listed") == "yes",
		Promise: strings.TrimSpace(caseLines(v.Get("promise"))), Phone: strings.TrimSpace(v.Get("phone")), Team: strings.TrimSpace(v.Get("team")), Confirmed: v.Get("confirmed") == "yes"}
}

// deskSteward tells whether by may open desks.
func deskSteward(by polder.Actor) bool { return web.Steward.Allows(by) }
