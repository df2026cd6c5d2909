package keys

import (
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// PseudonymPart is what pseudonyms bring to the console.
func PseudonymPart() web.Part {
	sub, err := fs.Sub(pseudonymFiles, "pseudonym")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return web.Part{Name: "pseudonym", Files: sub.(web.FS)}
}

// PseudonymPages are the console pages of pseudonyms: for members to see, for stewards to open and stop.
type PseudonymPages struct {
	*PseudonymBook
	site *web.Site
}

// Pages makes the console pages of p, on a site that was made with [PseudonymPart].
func (p *PseudonymBook) Pages(site *web.Site) *PseudonymPages { return &PseudonymPages{p, site} }

// Routes are all pages.
func (p *PseudonymPages) Routes() []web.Route {
	route := func(method, pattern, exit string, need web.Need, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: "/pseudonyms" + pattern, Need: need, Exit: "pseudonym." + exit, Handler: h.Serve}
	}
	return []web.Route{
		route("GET", "", "communities", web.Reader, p.communities),
		route("GET", "/{community}", "list", web.Reader, p.listPage),
		route("GET", "/{community}/{pseudonym}", "one", web.Reader, p.onePage),
		route("POST", "/{community}/{pseudonym}/open", "open", web.Steward, p.openPage),
		route("POST", "/{community}/{pseudonym}/stop", "stop", web.Steward, p.stopPage),
		route("POST", "/{community}/renew", "renew", web.Contributor, p.renewPage),
	}
}

// Nav are the entries of the rail.
func (p *PseudonymPages) Nav() []web.NavItem {
	return []web.NavItem{{Group: web.Know, Path: "/pseudonyms", Icon: "veil", Title: "pseudonym.nav", Need: web.Reader, Order: 61}}
}

// pseudonymView is the data of templates/page.html.
type pseudonymView struct {
	Errors []web.FieldError
	Alerts []web.Alert
	Main   []web.Block
	Aside  []web.Block
}

type pseudonymRow struct {
	Name, Href, Since string
	Tag               [3]string // class, icon, text
	Opened            string
}

type pseudonymTable struct {
	Label string
	Heads []web.Head
	Rows  []pseudonymRow
	Empty web.Empty
}

type pseudonymForm struct {
	Action, Submit, Note string
	Danger               bool
	Fields               []web.Field
}

func pseudonymBlock(title, note, template string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "pseudonym/" + template, Data: data}
}

// member is the membership in which whoever asks sees a community; NotFound for all others.
func (p *PseudonymPages) member(r *http.Request) (polder.Membership, error) {
	by := web.ActorOf(r)
	ms, err := p.s.o.Accounts.MembershipsOf(r.Context(), by)
	if err != nil {
		return polder.Membership{}, err
	}
	for _, m := range ms {
		if m.Alias == r.PathValue("community") && m.Right(by) >= polder.RoleReader {
			return m, nil
		}
	}
	return polder.Membership{}, polder.Errorf(polder.NotFound, "your organisation is not a member of a community of that name")
}

// communities lists where one may look.
func (p *PseudonymPages) communities(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	ms, err := p.s.o.Accounts.MembershipsOf(r.Context(), by)
	if err != nil {
		return err
	}
	t := pseudonymTable{Label: words.T("pseudonym.communities"), Heads: web.PlainHeads(words.T("pseudonym.community")), Empty: web.Empty{Icon: "people", Title: words.T("pseudonym.no-community"), Text: words.T("pseudonym.no-community-text")}}
	for _, m := range ms {
		if m.Right(by) >= polder.RoleReader {
			t.Rows = append(t.Rows, pseudonymRow{Name: m.Name, Href: "/pseudonyms/" + url.PathEscape(m.Alias)})
		}
	}
	v := pseudonymView{Main: []web.Block{pseudonymBlock(words.T("pseudonym.communities"), "", "communities", t)}, Aside: []web.Block{pseudonymTells(words)}}
	p.site.Render(w, r, web.Page{Template: "pseudonym/page", Title: words.T("pseudonym.title"), Lede: words.T("pseudonym.lede"), Data: v})
	return nil
}

// pseudonymTells says what a pseudonym tells and what it does not.
func pseudonymTells(words web.Words) web.Block {
	return pseudonymBlock(words.T("pseudonym.tells"), "", "marks-body", []web.Mark{
		{Class: "no", Text: words.T("pseudonym.tells.not")}, {Class: "mind", Text: words.T("pseudonym.tells.same")},
		{Class: "mind", Text: words.T("pseudonym.tells.home")}, {Class: "yes", Text: words.T("pseudonym.tells.open")},
	})
}

func (p *PseudonymPages) listPage(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	m, err := p.member(r)
	if err != nil {
		return err
	}
	all, err := p.List(r.Context(), m.Community.ID)
	if err != nil {
		return err
	}
	t := pseudonymTable{Label: words.T("pseudonym.title"), Heads: web.PlainHeads(words.T("pseudonym.name"), words.T("pseudonym.since"), words.T("pseudonym.state"), words.T("pseudonym.opened")),
		Empty: web.Empty{Icon: "veil", Title: words.T("pseudonym.none"), Text: words.T("pseudonym.none-text")}}
	for _, s := range all {
		t.Rows = append(t.Rows, pseudonymRow{Name: s.ID, Href: "/pseudonyms/" + url.PathEscape(m.Alias) + "/" + url.PathEscape(s.ID), Since: s.Since, Tag: pseudonymTag(words, s), Opened: words.Number(int64(len(s.Opened)))})
	}
	v := pseudonymView{Main: []web.Block{pseudonymBlock(words.T("pseudonym.title"), "", "table", t)}, Aside: []web.Block{pseudonymTells(words)}}
	if m.Right(by) >= polder.RoleContributor {
		v.Aside = append(v.Aside, pseudonymBlock(words.T("pseudonym.renew"), "", "form", pseudonymForm{Action: "/pseudonyms/" + url.PathEscape(m.Alias) + "/renew", Submit: words.T("pseudonym.renew-do"), Note: words.T("pseudonym.renew-note")}))
	}
	p.site.Render(w, r, web.Page{Template: "pseudonym/page", Title: words.T("pseudonym.of", "name", m.Name), Lede: words.T("pseudonym.lede"), Crumbs: []web.Link{{Text: words.T("pseudonym.title"), Href: "/pseudonyms"}}, Data: v})
	return nil
}

func pseudonymTag(words web.Words, s PseudonymState) [3]string {
	if s.Stopped != nil {
		return [3]string{"bad", "block", words.T("pseudonym.stopped")}
	}
	return [3]string{"ok", "check", words.T("pseudonym.certified")}
}

func (p *PseudonymPages) onePage(w http.ResponseWriter, r *http.Request) error {
	return p.showOne(w, r, nil, Behind{})
}

// find is a pseudonym of the community of a request.
func (p *PseudonymPages) find(r *http.Request, c polder.CommunityID) (PseudonymState, error) {
	all, err := p.List(r.Context(), c)
	if err != nil {
		return PseudonymState{}, err
	}
	for _, s := range all {
		if s.ID == r.PathValue("pseudonym") {
			return s, nil
		}
	}
	return PseudonymState{}, polder.Errorf(polder.NotFound, "there is no such pseudonym in this community")
}

// showOne is the page of one pseudonym; failed is what its form was refused for, behind who was found behind it.
func (p *PseudonymPages) showOne(w http.ResponseWriter, r *http.Request, failed error, behind Behind) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	m, err := p.member(r)
	if err != nil {
		return err
	}
	s, err := p.find(r, m.Community.ID)
	if err != nil {
		return err
	}
	v := pseudonymView{Aside: []web.Block{pseudonymTells(words)}}
	status := 0
	if failed != nil {
		status = web.Status(failed)
		v.Alerts = append(v.Alerts, web.Alert{Class: "bad", Title: words.T("pseudonym.not-done"), Text: web.Sentence(failed.Error())})
	}
	switch {
	case behind.Waits:
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("pseudonym.waits"), Text: words.T("pseudonym.waits-text")})
	case behind.Organisation != "":
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("pseudonym.is", "name", behind.Name), Text: words.T("pseudonym.is-text")})
	}
	var events []web.Event
	for i := len(s.Opened) - 1; i >= 0; i-- {
		e := s.Opened[i]
		events = append(events, web.Event{At: e.Time(), Class: "main", Title: words.T("pseudonym.opened-by", "who", p.orgName(r, e.By)), Text: e.Reason})
	}
	if s.Stopped != nil {
		events = append([]web.Event{{At: s.Stopped.Time(), Class: "bad", Title: words.T("pseudonym.stopped-by", "who", p.orgName(r, s.Stopped.By)), Text: s.Stopped.Reason}}, events...)
	}
	if day, err := time.Parse(time.DateOnly, s.Since); err == nil {
		events = append(events, web.Event{At: day, Title: words.T("pseudonym.certified"), Text: words.T("pseudonym.certified-text")})
	}
	v.Main = append(v.Main, pseudonymBlock(words.T("pseudonym.said"), words.T("pseudonym.said-note"), "history", events))
	if m.Right(by) >= polder.RoleSteward {
		at := "/pseudonyms/" + url.PathEscape(m.Alias) + "/" + url.PathEscape(s.ID)
		reason := web.Field{Name: "reason", Label: words.T("pseudonym.reason"), Help: words.T("pseudonym.reason-help"), Rows: 3, Required: true, Max: 1000}
		stop := reason
		stop.Name = "reason-stop"
		v.Main = append(v.Main, pseudonymBlock(words.T("pseudonym.open"), "", "form", pseudonymForm{Action: at + "/open", Submit: words.T("pseudonym.open-do"), Note: words.T("pseudonym.open-note"), Danger: true, Fields: []web.Field{reason}}))
		if s.Stopped == nil {
			v.Main = append(v.Main, pseudonymBlock(words.T("pseudonym.stop"), "", "form", pseudonymForm{Action: at + "/stop", Submit: words.T("pseudonym.stop-do"), Note: words.T("pseudonym.stop-note"), Danger: true, Fields: []web.Field{stop}}))
		}
	}
	p.site.Render(w, r, web.Page{Template: "pseudonym/page", Title: s.ID, Lede: words.T("pseudonym.one-lede"), Status: status,
		Crumbs: []web.Link{{Text: words.T("pseudonym.title"), Href: "/pseudonyms"}, {Text: m.Name, Href: "/pseudonyms/" + url.PathEscape(m.Alias)}}, Data: v})
	return nil
}

// orgName is how a steward's organisation is called here.
func (p *PseudonymPages) orgName(r *http.Request, id string) string {
	o, err := p.s.o.Accounts.Org(r.Context(), polder.OrgID(id))
	if err != nil {
		return id
	}
	return o.Name
}

func (p *PseudonymPages) openPage(w http.ResponseWriter, r *http.Request) error {
	m, err := p.member(r)
	if err != nil {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	by := web.ActorOf(r)
	behind, err := p.Open(r.Context(), by, by.Org, m.Community, r.PathValue("pseudonym"), form.Get("reason"))
	if err != nil && !web.Mendable(err) {
		return err
	}
	return p.showOne(w, r, err, behind)
}

func (p *PseudonymPages) stopPage(w http.ResponseWriter, r *http.Request) error {
	m, err := p.member(r)
	if err != nil {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	by := web.ActorOf(r)
	waits, err := p.Stop(r.Context(), by, by.Org, m.Community, r.PathValue("pseudonym"), form.Get("reason-stop"))
	if err != nil && !web.Mendable(err) {
		return err
	}
	return p.showOne(w, r, err, Behind{Waits: waits})
}

func (p *PseudonymPages) renewPage(w http.ResponseWriter, r *http.Request) error {
	m, err := p.member(r)
	if err != nil {
		return err
	}
	by := web.ActorOf(r)
	if m.Right(by) < polder.RoleContributor {
		return polder.Errorf(polder.Forbidden, "only who shares in a community has a pseudonym there")
	}
	if err := p.Renew(r.Context(), by, by.Org, m.Community); err != nil {
		return err
	}
	p.site.Toast(w, "", "pseudonym.renewed")
	http.Redirect(w, r, "/pseudonyms/"+url.PathEscape(m.Alias), http.StatusSeeOther)
	return nil
}
