package members

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// flowAge is how long a browser keeps what binds it to a log-in that has gone to a provider.
const flowAge = 10 * 60

// flowCookie is the cookie that binds a browser to the log-in it began elsewhere.
func (p *Pages) flowCookie() string {
	if p.o.Secure {
		return "__Host-polder-signin"
	}
	return "polder-signin"
}

func query(key, value string) string { return url.Values{key: {value}}.Encode() }

var errNoProvider = polder.Errorf(polder.NotFound, "no log-in by a provider here")

// leaveToProvider sends the browser to a provider to log in there.
func (p *Pages) leaveToProvider(w http.ResponseWriter, r *http.Request) error {
	if p.o.OIDC == nil {
		return errNoProvider
	}
	key, to, err := p.o.OIDC.LogIn(r.Context(), r.PathValue("provider"), p.o.From(r), web.LocalPath(r.URL.Query().Get("next")))
	if err != nil {
		return p.wayRefused(w, r, err)
	}
	p.setCookie(w, p.flowCookie(), key, flowAge)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// backFromProvider takes what the provider sent the browser back with: a session begins, or an identity is linked.
func (p *Pages) backFromProvider(w http.ResponseWriter, r *http.Request) error {
	if p.o.OIDC == nil {
		return errNoProvider
	}
	key := ""
	if c, err := r.Cookie(p.flowCookie()); err == nil {
		key = c.Value
	}
	p.setCookie(w, p.flowCookie(), "", -1)
	here, err := p.here(r)
	if err != nil {
		return err
	}
	a, err := p.o.OIDC.Finish(r.Context(), r.PathValue("provider"), key, r.URL.Query(), here.ID, p.o.From(r), r.UserAgent())
	if err != nil {
		return p.wayRefused(w, r, err)
	}
	if a.Linked {
		return p.done(w, r, "/account", "members.identities.linked", "name", r.PathValue("provider"))
	}
	if err := p.start(w, r, a.Cookie, a.Session); err != nil {
		return err
	}
	http.Redirect(w, r, web.LocalPath(a.Next), http.StatusSeeOther)
	return nil
}

// start gives the browser a session in place of the one that it had.
func (p *Pages) start(w http.ResponseWriter, r *http.Request, cookie string, ses accounts.Session) error {
	if old := p.site.Session(r); old != "" {
		if err := p.accounts.LogOut(r.Context(), old); err != nil {
			return err
		}
	}
	p.site.StartSession(w, cookie, ses.Expires)
	p.keep(w, ses.Preferences)
	return nil
}

// wayRefused says why a log-in elsewhere came to nothing, and what to do.
func (p *Pages) wayRefused(w http.ResponseWriter, r *http.Request, err error) error {
	words := web.WordsOf(r)
	page := web.Page{Template: "members/signin", Title: words.T("members.login.not"), Solo: true, Status: web.Status(err)}
	v := view{Actions: []web.Action{{Label: words.T("members.login.otherwise"), Href: "/login", Icon: "key"}}}
	var stranger *accounts.Stranger
	switch kind := polder.KindOf(err); {
	case errors.As(err, &stranger):
		page.Lede = words.T("members.stranger", "name", stranger.Provider)
		v.Alert = &web.Alert{Class: "warn", Title: words.T("members.stranger.title"), Text: words.T("members.stranger.do", "name", stranger.Provider)}
		v.Main = []web.Block{block(words.T("members.stranger.who"), "", "facts", []web.Pair{
			{Term: words.T("members.identities.issuer"), Text: stranger.Issuer}, {Term: words.T("members.identities.subject"), Text: stranger.Subject}})}
	case kind == polder.Limited:
		after := accounts.RetryAfter(err)
		w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
		v.Alert = &web.Alert{Class: "bad", Title: words.T("members.login.limited", "time", words.Span(after))}
	case kind == polder.Unauthorised:
		v.Alert = &web.Alert{Class: "bad", Title: words.T("members.login.unbelieved")}
	case kind == polder.Unavailable:
		v.Alert = &web.Alert{Class: "warn", Title: words.T("members.login.silent")}
	case errors.Is(err, accounts.ErrFlow):
		v.Alert = &web.Alert{Class: "warn", Title: words.T("members.login.stale")}
	default:
		return err
	}
	page.Data = v
	return p.render(w, r, page, answers{})
}

// providerPage asks whoever links an identity to prove who it is.
func (p *Pages) providerPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderProvider(w, r, answers{})
}

func (p *Pages) renderProvider(w http.ResponseWriter, r *http.Request, a answers) error {
	me, err := p.me(r)
	if err != nil {
		return err
	}
	name, words := r.PathValue("provider"), web.WordsOf(r)
	if !p.offers(name) {
		return errNoProvider
	}
	f := form{Action: path("account", "providers", name), Submit: words.T("members.identities.go"), Back: "/account", Fields: proofFields(words, a)}
	return p.renderProof(w, r, me.ID, f, web.Page{Title: words.T("members.identities.link", "name", name), Lede: words.T("members.identities.link-lede", "name", name)}, a)
}

func (p *Pages) offers(name string) bool {
	for _, n := range p.providerNames() {
		if n == name {
			return true
		}
	}
	return false
}

// renderProof is a page of one form that asks who sends it to prove who it is.
func (p *Pages) renderProof(w http.ResponseWriter, r *http.Request, me polder.PersonID, f form, page web.Page, a answers, more ...web.Block) (err error) {
	if f.Prove, err = p.proofBy(r, me); err != nil {
		return err
	}
	if f.Prove == "passkey" {
		page.Scripts = []string{passkeyScript}
	}
	words := web.WordsOf(r)
	page.Crumbs = []web.Link{{Text: words.T("members.account"), Href: "/account"}}
	page.Data = view{Main: append(more, block(words.T("members.proof"), "", "form", f))}
	return p.render(w, r, page, a)
}

// proof is what a form says of who sends it.
func (p *Pages) proof(r *http.Request, values url.Values) (accounts.Proof, error) {
	here, err := p.here(r)
	return accounts.Proof{Password: values.Get("password"), Ticket: values.Get("ticket"), Session: here.ID}, err
}

// unproven is a with what is wrong with the proof; an error that the reader cannot mend in the form comes back.
func unproven(words web.Words, a answers, err error) (answers, error) {
	if errors.Is(err, accounts.ErrProof) {
		a.wrong["password"] = words.T("members.proof.wrong")
		return a, nil
	}
	a, err = a.refused(err)
	return a, later(err)
}

// linkProvider shows the way to the provider to whoever has proven who it is.
func (p *Pages) linkProvider(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if _, err := p.me(r); err != nil {
		return err
	}
	name, words := r.PathValue("provider"), web.WordsOf(r)
	if !p.offers(name) {
		return errNoProvider
	}
	proof, err := p.proof(r, values)
	if err != nil {
		return err
	}
	key, to, err := p.o.OIDC.Link(r.Context(), web.ActorOf(r), name, proof, p.o.From(r))
	if err != nil {
		a, err := unproven(words, answers{values: values, wrong: map[string]string{}}, err)
		if err != nil {
			return err
		}
		return p.renderProvider(w, r, a)
	}
	p.setCookie(w, p.flowCookie(), key, flowAge)
	page := web.Page{Template: "members/signin", Title: words.T("members.identities.link", "name", name), Lede: words.T("members.identities.away-lede", "name", name),
		Crumbs: []web.Link{{Text: words.T("members.account"), Href: "/account"}}}
	page.Data = view{Away: web.Link{Text: words.T("members.identities.away", "name", name), Href: to}, Actions: []web.Action{{Label: words.T("form.back"), Href: "/account", Icon: "list"}}}
	return p.render(w, r, page, answers{})
}

// identity is the identity {id} of the address, of whoever asks.
func (p *Pages) identity(r *http.Request) (accounts.Person, accounts.Identity, error) {
	me, err := p.me(r)
	if err != nil {
		return me, accounts.Identity{}, err
	}
	linked, err := p.accounts.Identities(r.Context(), me.ID)
	if err != nil {
		return me, accounts.Identity{}, err
	}
	for _, i := range linked {
		if i.ID() == r.PathValue("id") {
			return me, i, nil
		}
	}
	return me, accounts.Identity{}, polder.Errorf(polder.NotFound, "no such account of a provider is linked to yours")
}

func (p *Pages) identityPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderIdentity(w, r, answers{})
}

func (p *Pages) renderIdentity(w http.ResponseWriter, r *http.Request, a answers) error {
	me, i, err := p.identity(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	facts := block(words.T("members.stranger.who"), "", "facts", []web.Pair{
		{Term: words.T("members.identities.issuer"), Text: i.Issuer}, {Term: words.T("members.identities.subject"), Text: i.Subject},
		{Term: words.T("members.passkeys.added"), Text: words.Date(i.Linked)}})
	f := form{Action: path("account", "identities", i.ID(), "remove"), Submit: words.T("members.identities.remove"), Back: "/account", Fields: proofFields(words, a)}
	return p.renderProof(w, r, me.ID, f, web.Page{Title: providerOf(i, p.issuerNames()), Lede: words.T("members.identities.remove-lede")}, a, facts)
}

func (p *Pages) removeIdentity(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	_, i, err := p.identity(r)
	if err != nil {
		return err
	}
	proof, err := p.proof(r, values)
	if err != nil {
		return err
	}
	err = p.accounts.Unlink(r.Context(), web.ActorOf(r), i, proof, p.o.Passkeys)
	if err != nil {
		a, err := unproven(web.WordsOf(r), answers{values: values, wrong: map[string]string{}}, err)
		if err != nil {
			return err
		}
		return p.renderIdentity(w, r, a)
	}
	return p.done(w, r, "/account", "members.identities.removed")
}
