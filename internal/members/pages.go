package members

import (
	"embed"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/web"
)

//go:embed templates locale static
var files embed.FS

// Part is what this capability brings to the console.
func Part() web.Part { return web.Part{Name: "members", Files: files} }

// Options is what [Pages] need. Accounts, Audit and Site must be there.
type Options struct {
	Accounts *accounts.Service
	Audit    *audit.Log
	Site     *web.Site

	From   func(*http.Request) netip.Addr // the address that asks, as the site sees it; nil is the connection's
	URL    string                         // how people reach the node, for links in invitations; empty is the address they ask at
	Secure bool                           // cookies are Secure, as the site's
	Now    func() time.Time               // nil is time.Now

	OIDC     *accounts.OIDC     // log-in by providers; nil offers none
	Passkeys *accounts.Passkeys // log-in by passkey; nil offers none
}

// Pages are the pages and REST routes of this capability.
type Pages struct {
	o        Options
	accounts *accounts.Service
	site     *web.Site
}

// New makes the pages.
func New(o Options) *Pages {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.From == nil {
		o.From = remote
	}
	o.URL = strings.TrimRight(o.URL, "/")
	return &Pages{o: o, accounts: o.Accounts, site: o.Site}
}

// remote is the address of the connection.
func remote(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// Routes are all routes of this capability but that of the overview, see [Pages.Home]. Where stewards and administrators
// may, the door asks for no more than a log-in: no single role is the least of both, and accounts decides.
func (p *Pages) Routes() []web.Route {
	page := func(pattern, exit string, need web.Need, h handler) web.Route {
		return web.Route{Method: http.MethodGet, Pattern: pattern, Need: need, Exit: "members." + exit, Handler: h.serve}
	}
	do := func(pattern, exit string, need web.Need, h handler) web.Route {
		return web.Route{Method: http.MethodPost, Pattern: pattern, Need: need, Exit: "members." + exit, Handler: h.serve}
	}
	script := func(pattern, exit string, need web.Need, h handler) web.Route {
		r := do(pattern, exit, need, h)
		r.API, r.MaxBody = true, 128<<10
		return r
	}
	const in = web.LoggedIn
	return []web.Route{
		page("/login", "login", web.Public, p.logInPage),
		do("/login", "login", web.Public, p.logIn),
		page("/login/password", "first password", web.Public, p.firstPasswordPage),
		do("/login/password", "first password", web.Public, p.firstPassword),
		do("/logout", "logout", web.Public, p.logOut),
		page("/invitation.js", "invitation script", web.Public, p.script),

		page("/login/with/{provider}", "login provider", web.Public, p.leaveToProvider),
		page("/login/with/{provider}/back", "login provider", web.Public, p.backFromProvider),
		script("/login/passkey/begin", "login passkey", web.Public, p.beginPasskeyLogIn),
		script("/login/passkey", "login passkey", web.Public, p.passkeyLogIn),
		script("/account/proof/begin", "proof", in, p.beginProof),
		script("/account/proof", "proof", in, p.takeProof),
		script("/account/passkeys/begin", "passkeys", in, p.beginPasskey),
		script("/account/passkeys", "passkeys", in, p.addPasskey),
		page("/account/passkeys/{id}", "passkey", in, p.passkeyPage),
		do("/account/passkeys/{id}", "passkey", in, p.renamePasskey),
		do("/account/passkeys/{id}/remove", "passkey", in, p.removePasskey),
		page("/account/providers/{provider}", "provider", in, p.providerPage),
		do("/account/providers/{provider}", "provider", in, p.linkProvider),
		page("/account/identities/{id}", "identity", in, p.identityPage),
		do("/account/identities/{id}/remove", "identity", in, p.removeIdentity),

		page("/account", "account", in, p.accountPage),
		do("/account", "account", in, p.setPreferences),
		do("/account/password", "account", in, p.changePassword),
		do("/account/sessions/{id}/end", "account", in, p.endSession),

		page("/tokens", "tokens", in, p.tokensPage),
		do("/tokens", "tokens", in, p.createToken),
		page("/tokens/{id}/revoke", "token", in, p.confirm(p.revokeTokenDialog)),
		do("/tokens/{id}/revoke", "token", in, p.revokeToken),

		page("/organisations", "organisations", in, p.orgsPage),
		do("/organisations", "organisations", web.Admin, p.addOrg),
		page("/organisations/{org}", "organisation", in, p.orgPage),
		do("/organisations/{org}", "organisation", web.Admin, p.changeOrg),
		do("/organisations/{org}/widest", "organisation", in, p.setWidest),
		do("/organisations/{org}/people", "people", in, p.addPerson),
		page("/organisations/{org}/people/{person}", "person", in, p.personPage),
		do("/organisations/{org}/people/{person}/role", "person", in, p.setRole),
		page("/organisations/{org}/people/{person}/disable", "person", in, p.confirm(p.disableDialog)),
		do("/organisations/{org}/people/{person}/disable", "person", in, p.disablePerson),
		do("/organisations/{org}/people/{person}/enable", "person", in, p.enablePerson),
		page("/organisations/{org}/people/{person}/reset", "person", in, p.confirm(p.resetDialog)),
		do("/organisations/{org}/people/{person}/reset", "person", in, p.resetPassword),
		do("/organisations/{org}/people/{person}/sessions/{id}/end", "person", in, p.endSessionOf),

		page("/communities", "communities", in, p.communitiesPage),
		do("/communities", "communities", web.Admin, p.addCommunity),
		page("/communities/{alias}", "community", in, p.communityPage),
		page("/communities/{alias}/agreement", "agreement", in, p.agreementPage),
		do("/communities/{alias}/agreement", "agreement", in, p.setAgreement),
		do("/communities/{alias}/accept", "agreement", in, p.acceptAgreement),
		do("/communities/{alias}/unmarked", "community", in, p.setUnmarked),
		page("/communities/{alias}/leave", "leave", in, p.confirm(p.leaveDialog)),
		do("/communities/{alias}/leave", "leave", in, p.leave),
		do("/communities/{alias}/members", "members", web.Admin, p.addMember),
		page("/communities/{alias}/members/{org}", "member", in, p.memberPage),
		do("/communities/{alias}/members/{org}/role", "member", in, p.setMemberRole),
		page("/communities/{alias}/members/{org}/remove", "member", in, p.confirm(p.removeDialog)),
		do("/communities/{alias}/members/{org}/remove", "member", in, p.removeMember),
		do("/communities/{alias}/invitations", "invitations", in, p.invite),
		page("/communities/{alias}/invitations/{id}/revoke", "invitation", in, p.confirm(p.revokeInvitationDialog)),
		do("/communities/{alias}/invitations/{id}/revoke", "invitation", in, p.revokeInvitation),
		do("/communities/{alias}/requests/{id}/approve", "request", in, p.approve),
		page("/communities/{alias}/requests/{id}/refuse", "request", in, p.confirm(p.refuseDialog)),
		do("/communities/{alias}/requests/{id}/refuse", "request", in, p.refuse),

		page("/join", "join", in, p.joinPage),
		do("/join", "join", in, p.openInvitation),
		do("/join/accept", "join", in, p.acceptInvitation),
		page("/join/request", "join request", in, p.askPage),
		do("/join/request", "join request", in, p.ask),
		do("/join/requests/{id}/withdraw", "join request", in, p.withdrawRequest),

		page("/audit", "audit", in, p.auditPage),

		described(page("/api/v1/me", "api.me", in, p.apiMe), web.Doc{Summary: "Who you are here, and where you belong", Answer: apiSelf{}}),
		described(page("/api/v1/communities/{alias}/members", "api.members", in, p.apiMembers), web.Doc{Summary: "The members of a community that you belong to", Answer: apiMemberList{}}),
	}
}

// described gives a route of the REST API its description.
func described(r web.Route, d web.Doc) web.Route {
	r.Doc = &d
	return r
}

// Nav are the entries of the rail.
func (p *Pages) Nav() []web.NavItem {
	return []web.NavItem{
		{Group: web.Node, Path: "/communities", Icon: "people", Title: "members.communities", Key: "m", Need: web.LoggedIn, Order: 10, Count: p.waiting},
		{Group: web.Node, Path: "/organisations", Icon: "build", Title: "members.orgs", Need: web.LoggedIn, Order: 20},
		{Group: web.Node, Path: "/tokens", Icon: "key", Title: "members.tokens", Need: web.LoggedIn, Order: 30},
		{Group: web.Node, Path: "/audit", Icon: "list", Title: "members.audit", Need: web.LoggedIn, Order: 40},
	}
}

// handler answers a request, or says why not; the door turns that into a page or problem details.
type handler func(http.ResponseWriter, *http.Request) error

func (h handler) serve(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		web.Problem(w, r, err)
	}
}

// done sends the reader on to a page of this site, where the text of key is said.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, to, key string, pairs ...any) error {
	p.site.Toast(w, "", key, pairs...)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// path puts an address together; each part is escaped.
func path(parts ...string) string {
	var b strings.Builder
	for _, s := range parts {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}
