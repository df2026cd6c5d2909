package peers

import (
	"context"
	"embed"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale
var pageFiles embed.FS

// ConsolePart is what this package brings to the console.
func ConsolePart() web.Part { return web.Part{Name: "peers", Files: pageFiles} }

// Pages are the console pages of links. They decide nothing: each asks the service as whoever reads.
type Pages struct {
	*Service
	site *web.Site
	url  string // of this node, for invitations
}

// Pages makes the console pages of s, on a site that was made with [ConsolePart].
func (s *Service) Pages(site *web.Site, url string) *Pages { return &Pages{s, site, url} }

// Routes are all pages.
func (p *Pages) Routes() []web.Route {
	route := func(method, pattern string, need web.Need, h web.Handler) web.Route {
		return web.Route{Method: method, Pattern: "/peers" + pattern, Need: need, Exit: "peers.pages", Handler: h.Serve}
	}
	return []web.Route{
		route("GET", "", web.LoggedIn, p.list),
		route("POST", "/invite", web.Admin, p.invite),
		route("POST", "/accept", web.Admin, p.accept),
		route("POST", "/invitations/{id}/revoke", web.Admin, p.revoke),
		route("GET", "/{id}", web.Admin, p.show),
		route("POST", "/{id}", web.Admin, p.act),
	}
}

// Nav are the entries of the rail: who manages the node sees all links, who manages a community those of it.
func (p *Pages) Nav() []web.NavItem {
	item := web.NavItem{Group: web.Node, Path: "/peers", Icon: "chain", Title: "peers.nav", Need: web.Admin, Order: 60}
	steward := item
	steward.Need = web.Steward
	return []web.NavItem{item, steward}
}

// peersView is the data of templates/page.html.
type peersView struct {
	Alerts []web.Alert
	Errors []web.FieldError
	Main   []web.Block
	Aside  []web.Block
}

// peersTable is the data of "table".
type peersTable struct {
	Label string
	Heads []web.Head
	Rows  []peersRow
	Empty web.Empty
}

// peersRow is a row: its name, perhaps with a page of its own, its cells in the order of the heads, and what can be done.
type peersRow struct {
	Name, Href, Sub string
	Cells           []peersCell
	Action, Do      string // a form that posts, and its word
}

type peersCell struct {
	Label, Text, Class, Icon string
	Num                      bool
	At                       time.Time
}

// peersForm is the data of "form".
type peersForm struct {
	Action string
	Text   string
	Code   string
	Hidden []web.Hidden
	Fields []web.Field
	Submit string
	Danger bool
}

func peersBlock(title, note, template string, data any) web.Block {
	return web.Block{Title: title, Note: note, Template: "peers/" + template, Data: data}
}

func (t *peersTable) add(row peersRow) {
	for i := range row.Cells {
		row.Cells[i].Label, row.Cells[i].Num = t.Heads[i+1].Label, t.Heads[i+1].Num
	}
	t.Rows = append(t.Rows, row)
}

func isAdmin(by polder.Actor) bool { return by.Role == polder.RoleAdmin }

// list is the page of all links that the reader may know of.
func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.listWith(w, r, peersView{}, nil)
}

func (p *Pages) listWith(w http.ResponseWriter, r *http.Request, v peersView, values url.Values) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	all, err := p.Links(r.Context(), by)
	if err != nil {
		return err
	}
	if !isAdmin(by) && by.Role.OnObjects() < polder.RoleSteward {
		return polder.Errorf(polder.Forbidden, "links to other nodes are shown to administrators, and to the stewards of their communities")
	}
	t := peersTable{Label: words.T("peers.title"), Heads: web.PlainHeads(words.T("peers.peer"), words.T("peers.community"), words.T("peers.direction"), words.T("peers.state"), words.T("peers.fingerprint"), words.T("peers.contact"), "#"+words.T("peers.behind"), "#"+words.T("peers.refused")),
		Empty: web.Empty{Icon: "chain", Title: words.T("peers.none"), Text: words.T("peers.none-text")}}
	for _, l := range all {
		row := peersRow{Name: l.Name, Sub: l.ID, Cells: p.cells(r.Context(), words, l)}
		if isAdmin(by) {
			row.Href = "/peers/" + l.ID
		}
		t.add(row)
	}
	v.Main = append([]web.Block{peersBlock(words.T("peers.links"), "", "table", t)}, v.Main...)
	if isAdmin(by) {
		if err := p.addTAXII(r, words, &v); err != nil {
			return err
		}
		if err := p.addOffers(r, words, &v); err != nil {
			return err
		}
		v.Aside = append(v.Aside, p.inviteForm(r.Context(), words), p.acceptForm(words, values))
	}
	page := web.Page{Template: "peers/page", Title: words.T("peers.title"), Lede: words.T("peers.lede"), Data: v}
	if len(v.Errors) > 0 {
		page.Status = http.StatusUnprocessableEntity
	}
	p.site.Render(w, r, page)
	return nil
}

// marks are the signs of states that are not as they should be, or are.
var marks = map[string][2]string{
	stateLive: {"ok", "check"}, stateStopped: {"bad", "alert"}, statePaused: {"warn", "clock"}, stateThere: {"warn", "clock"}, stateUnreached: {"warn", "alert"},
	stateCatching: {"info", "down"}, stateConnecting: {"info", "clock"}, stateWaiting: {"info", "clock"}, stateEnded: {"", "cross"},
}

// stateKey is the part of the catalogue's keys that a state has.
func stateKey(state string) string {
	key := []byte("peers.state." + state)
	for i, c := range key {
		if c == ' ' {
			key[i] = '-'
		}
	}
	return string(key)
}

func (p *Pages) cells(ctx context.Context, words web.Words, l Link) []peersCell {
	mark := marks[l.Standing()]
	confirmed := peersCell{Text: words.T("peers.confirmed"), Class: "ok", Icon: "check"}
	if !l.Compared() {
		confirmed = peersCell{Text: words.T("peers.unconfirmed"), Class: "warn", Icon: "alert"}
	}
	behind := words.Number(int64(l.Behind))
	if l.Behind > 0 {
		behind += ", " + words.Span(l.Lag)
	}
	contact := peersCell{At: l.Contact}
	if l.Contact.IsZero() {
		contact.Text = words.T("peers.never")
	}
	return []peersCell{{Text: aliasesOf(l)}, {Text: words.T("peers.direction." + l.Direction())}, {Text: words.T(stateKey(l.Standing())), Class: mark[0], Icon: mark[1]}, confirmed, contact, {Text: behind}, {Text: words.Number(int64(l.Quarantined))}}
}

// addTAXII shows the plain TAXII servers, where there are any; they are connected by command.
func (p *Pages) addTAXII(r *http.Request, words web.Words, v *peersView) error {
	all, err := p.TAXIIServers(r.Context(), web.ActorOf(r))
	if err != nil || len(all) == 0 {
		return err
	}
	t := peersTable{Label: words.T("peers.taxii"), Heads: web.PlainHeads(words.T("peers.taxii.collection"), words.T("peers.community"), words.T("peers.direction"), words.T("peers.state"), words.T("peers.contact"), "#"+words.T("peers.refused"))}
	for _, s := range all {
		alias := string(s.Community)
		if com, err := p.o.Accounts.Community(r.Context(), alias); err == nil {
			alias = com.Alias
		}
		mark := map[string][2]string{"live": {"ok", "check"}, "paused": {"warn", "clock"}, "failing": {"warn", "alert"}, "new": {"info", "clock"}}[s.State()]
		contact := peersCell{At: s.Contact}
		if s.Contact.IsZero() {
			contact.Text = words.T("peers.never")
		}
		t.add(peersRow{Name: s.Collection, Sub: s.URL, Cells: []peersCell{{Text: alias}, {Text: words.T("peers.taxii." + direction(s))}, {Text: words.T("peers.taxii." + s.State()), Class: mark[0], Icon: mark[1]}, contact, {Text: words.Number(int64(s.Failures))}}})
	}
	v.Main = append(v.Main, peersBlock(words.T("peers.taxii"), "", "table", t))
	return nil
}

func (p *Pages) addOffers(r *http.Request, words web.Words, v *peersView) error {
	offers, err := p.Invited(r.Context(), web.ActorOf(r))
	if err != nil || len(offers) == 0 {
		return err
	}
	t := peersTable{Label: words.T("peers.invited"), Heads: web.PlainHeads(words.T("peers.community"), words.T("peers.role"), words.T("peers.made"), words.T("peers.expires"))}
	for _, o := range offers {
		t.add(peersRow{Name: o.Community, Cells: []peersCell{{Text: words.T("peers.role." + o.Role.String())}, {At: o.Created}, {At: o.Expires}}, Action: "/peers/invitations/" + o.ID + "/revoke", Do: words.T("peers.revoke")})
	}
	v.Main = append(v.Main, peersBlock(words.T("peers.invited"), "", "table", t))
	return nil
}

func (p *Pages) inviteForm(ctx context.Context, words web.Words) web.Block {
	f := peersForm{Action: "/peers/invite", Text: words.T("peers.invite-text"), Submit: words.T("peers.invite")}
	all, err := p.o.Accounts.Communities(ctx)
	if err != nil {
		p.o.Log.ErrorContext(ctx, "communities could not be read", "err", err)
	}
	var options []web.Option
	for _, c := range all {
		if !c.Mirrored() {
			options = append(options, web.Option{Value: c.Alias, Label: c.Name})
		}
	}
	if len(options) == 0 {
		return peersBlock(words.T("peers.invite"), "", "form", peersForm{Text: words.T("peers.no-community")})
	}
	var roles []web.Option
	for _, role := range []polder.Role{polder.RoleContributor, polder.RoleReader, polder.RoleSteward} {
		roles = append(roles, web.Option{Value: role.String(), Label: words.T("peers.role." + role.String())})
	}
	f.Fields = []web.Field{
		{Name: "community", Label: words.T("peers.community"), Options: options},
		{Name: "role", Label: words.T("peers.role"), Options: roles},
		{Name: "url", Label: words.T("peers.url"), Help: words.T("peers.url-help"), Value: p.url, Required: true, Max: maxURL},
	}
	return peersBlock(words.T("peers.invite"), "", "form", f)
}

func (p *Pages) acceptForm(words web.Words, values url.Values) web.Block {
	f := peersForm{Action: "/peers/accept", Text: words.T("peers.accept-text"), Submit: words.T("peers.look")}
	f.Fields = []web.Field{{Name: "invitation", Label: words.T("peers.invitation"), Value: values.Get("invitation"), Rows: 3, Required: true, Max: maxInvitation}}
	return peersBlock(words.T("peers.accept"), "", "form", f)
}

// invite shows the line of a new invitation, once.
func (p *Pages) invite(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	role, err := polder.ParseRole(form.Get("role"))
	var inv Invitation
	if err == nil {
		inv, err = p.Invite(r.Context(), web.ActorOf(r), NewInvitation{Community: form.Get("community"), URL: form.Get("url"), Role: role})
	}
	if web.Mendable(err) {
		return p.listWith(w, r, peersView{Errors: []web.FieldError{{Name: "url", Text: web.Sentence(err.Error())}}}, nil)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	var alerts []web.Alert
	if far, _ := reachOf(inv.URL); far != reachable {
		alerts = []web.Alert{{Class: "warn", Title: words.T("peers.reach"), Text: words.T(map[reach]string{fromHere: "peers.reach-here", fromInside: "peers.reach-inside"}[far], "url", inv.URL)}}
	}
	v := peersView{Alerts: alerts, Main: []web.Block{peersBlock(words.T("peers.line"), "", "form", peersForm{Text: words.T("peers.line-text", "at", words.Date(time.Unix(inv.Expires, 0)), "fingerprint", inv.Fingerprint()), Code: inv.String()})}}
	p.site.Render(w, r, web.Page{Template: "peers/page", Title: words.T("peers.line"), Crumbs: []web.Link{{Text: words.T("peers.title"), Href: "/peers"}}, Data: v})
	return nil
}

// errLook ends an acceptance before anything is agreed to.
var errLook = errors.New("only looked at")

// accept shows what an invitation is for, and with the person's yes joins.
func (p *Pages) accept(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	var terms Terms
	a := Acceptance{Line: form.Get("invitation"), Agree: func(t Terms) error {
		if terms = t; form.Get("agree") == "yes" {
			return nil
		}
		return errLook
	}}
	got, err := p.Accept(r.Context(), web.ActorOf(r), a)
	switch {
	case errors.Is(err, errLook):
		f := peersForm{Action: "/peers/accept", Text: words.T("peers.terms", "home", terms.Home, "url", terms.URL, "community", terms.Community, "org", terms.Org.Name, "role", terms.Role), Code: terms.Fingerprint,
			Hidden: []web.Hidden{{Name: "invitation", Value: form.Get("invitation")}, {Name: "agree", Value: "yes"}}, Submit: words.T("peers.agree")}
		v := peersView{Main: []web.Block{peersBlock(words.T("peers.compare"), "", "form", f), peersBlock(words.T("peers.agreement"), "", "prose", terms.Agreement)}}
		p.site.Render(w, r, web.Page{Template: "peers/page", Title: words.T("peers.accept"), Crumbs: []web.Link{{Text: words.T("peers.title"), Href: "/peers"}}, Data: v})
		return nil
	case err != nil && polder.KindOf(err) != polder.Internal:
		return p.listWith(w, r, peersView{Errors: []web.FieldError{{Name: "invitation", Text: web.Sentence(err.Error())}}}, form)
	case err != nil:
		return err
	}
	p.site.Toast(w, "", "peers.joined", "alias", got.Alias)
	http.Redirect(w, r, "/peers/"+got.Link, http.StatusSeeOther)
	return nil
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	if err := p.Revoke(r.Context(), web.ActorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	p.site.Toast(w, "", "peers.revoked")
	http.Redirect(w, r, "/peers", http.StatusSeeOther)
	return nil
}

// show is the page of one link.
func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	return p.showWith(w, r, peersView{})
}

func (p *Pages) showWith(w http.ResponseWriter, r *http.Request, v peersView) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	l, err := p.Link(r.Context(), by, r.PathValue("id"))
	if err != nil {
		return err
	}
	refused, err := p.Quarantine(r.Context(), by, l.ID)
	if err != nil {
		return err
	}
	if why := l.Why(); why != "" {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T(stateKey(l.Standing())), Text: web.Sentence(why)})
	}
	t := peersTable{Label: words.T("peers.refused"), Heads: web.PlainHeads(words.T("peers.object"), words.T("peers.reason"), words.T("peers.at")), Empty: web.Empty{Icon: "check", Title: words.T("peers.none-refused"), Text: words.T("peers.none-refused-text")}}
	for _, one := range refused[:min(len(refused), 100)] {
		t.add(peersRow{Name: one.ID, Cells: []peersCell{{Text: one.Reason}, {At: one.At}}})
	}
	v.Main = append(v.Main, peersBlock(words.T("peers.refused"), "", "table", t))
	if l.Ended.IsZero() {
		v.Aside = p.actions(r.Context(), words, l)
	}
	facts := []web.Pair{{Term: words.T("peers.state"), Text: words.T(stateKey(l.Standing()))}, {Term: words.T("peers.community"), Text: aliasesOf(l)}, {Term: words.T("peers.direction"), Text: words.T("peers.direction." + l.Direction())},
		{Term: words.T("peers.fingerprint"), Text: p.Fingerprint(r.Context(), l), Code: true}, {Term: words.T("peers.behind"), Text: words.Number(int64(l.Behind))}}
	page := web.Page{Template: "peers/page", Title: l.Name, Lede: words.T("peers.link-lede"), Crumbs: []web.Link{{Text: words.T("peers.title"), Href: "/peers"}}, Facts: facts, Data: v}
	if len(v.Errors) > 0 {
		page.Status = http.StatusUnprocessableEntity
	}
	p.site.Render(w, r, page)
	return nil
}

// actions are what an administrator can do with a link.
func (p *Pages) actions(ctx context.Context, words web.Words, l Link) (out []web.Block) {
	form := func(do, text string, danger bool, fields ...web.Field) {
		out = append(out, peersBlock(words.T("peers.do."+do), "", "form", peersForm{Action: "/peers/" + l.ID, Text: text, Hidden: []web.Hidden{{Name: "do", Value: do}}, Fields: fields, Submit: words.T("peers.do." + do), Danger: danger}))
	}
	if l.Serves && !l.Confirmed {
		form("confirm", words.T("peers.confirm-text", "name", l.Name), false, web.Field{Name: "fingerprint", Label: words.T("peers.fingerprint"), Help: words.T("peers.fingerprint-help"), Required: true, Max: 100})
	}
	if l.Paused || l.Stopped != "" {
		form("resume", words.T("peers.resume-text"), false)
	} else {
		form("pause", words.T("peers.pause-text"), false)
	}
	form("limit", words.T("peers.limit-text"), false, web.Field{Name: "rate", Label: words.T("peers.rate"), Type: "number", Value: strconv.FormatInt(l.Rate, 10)}, web.Field{Name: "bytes", Label: words.T("peers.bytes"), Type: "number", Value: strconv.FormatInt(l.Bytes, 10)})
	text := words.T("peers.remove-in")
	if !l.Serves {
		text = words.T("peers.remove-out")
	}
	form("remove", text, true)
	return out
}

// act does what an administrator asks of a link.
func (p *Pages) act(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	by, id, field := web.ActorOf(r), r.PathValue("id"), ""
	switch do := form.Get("do"); do {
	case "confirm":
		field, err = "fingerprint", p.Confirm(r.Context(), by, id, form.Get("fingerprint"))
	case "pause":
		err = p.Pause(r.Context(), by, id)
	case "resume":
		err = p.Resume(r.Context(), by, id)
	case "remove":
		err = p.Remove(r.Context(), by, id)
	case "limit":
		rate, wrong := strconv.ParseInt(form.Get("rate"), 10, 64)
		bytes, also := strconv.ParseInt(form.Get("bytes"), 10, 64)
		field, err = "rate", errors.Join(wrong, also)
		if err != nil {
			err = polder.Errorf(polder.Invalid, "a limit is a number; 0 is the default")
		} else {
			err = p.Limit(r.Context(), by, id, rate, bytes)
		}
	default:
		err = polder.Errorf(polder.Invalid, "do: %.20q is none of confirm, pause, resume, limit and remove", do)
	}
	if field != "" && web.Mendable(err) {
		return p.showWith(w, r, peersView{Errors: []web.FieldError{{Name: field, Text: web.Sentence(err.Error())}}})
	}
	if err != nil {
		return err
	}
	p.site.Toast(w, "", "peers.done."+form.Get("do"))
	http.Redirect(w, r, "/peers/"+id, http.StatusSeeOther)
	return nil
}

// Card is what of the links waits for an administrator, on the overview.
func (p *Pages) Card(ctx context.Context, by polder.Actor, words web.Words) (web.Block, error) {
	if !isAdmin(by) {
		return web.Block{}, nil
	}
	all, err := p.Links(ctx, by)
	if err != nil {
		return web.Block{}, err
	}
	var rows []web.Todo
	for _, l := range all {
		todo := web.Todo{Icon: "chain", Title: l.Name, Href: "/peers/" + l.ID}
		switch {
		case l.Stopped != "":
			todo.Class, todo.Text, todo.Tag, todo.TagIcon = "warn", l.Stopped, words.T(stateKey(stateStopped)), "alert"
		case l.Serves && !l.Confirmed:
			todo.Text, todo.Tag, todo.TagIcon = words.T("peers.card-unconfirmed"), words.T("peers.unconfirmed"), "alert"
		case l.Standing() == stateUnreached && p.o.Now().Sub(l.Contact) > time.Hour:
			todo.Class, todo.Text, todo.Tag, todo.TagIcon = "warn", l.Detail, words.T(stateKey(stateUnreached)), "alert"
		default:
			continue
		}
		if len(rows) < 6 {
			rows = append(rows, todo)
		}
	}
	if len(rows) == 0 {
		return web.Block{}, nil
	}
	b := peersBlock(words.T("peers.title"), "", "todos", rows)
	b.More = web.Link{Text: words.T("peers.links"), Href: "/peers"}
	return b, nil
}
