package members

import (
	"net/http"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// tokensOf are the tokens that whoever asks may see: an administrator's page holds all of the node's.
func (p *Pages) tokensOf(r *http.Request) ([]accounts.Token, error) {
	by := web.ActorOf(r)
	org := by.Org
	if by.Role == polder.RoleAdmin {
		org = ""
	}
	return p.accounts.Tokens(r.Context(), by, org)
}

func (p *Pages) tokensPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderTokens(w, r, answers{})
}

func (p *Pages) renderTokens(w http.ResponseWriter, r *http.Request, a answers) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	tokens, err := p.tokensOf(r)
	if err != nil {
		return err
	}
	names, err := p.names(r)
	if err != nil {
		return err
	}
	create, err := p.tokenForm(r, a)
	if err != nil {
		return err
	}
	t := table{Label: words.T("members.tokens"), Empty: web.Empty{Icon: "key", Title: words.T("members.tokens.none"), Text: words.T("members.tokens.none-text")}}
	for _, token := range tokens {
		t.Rows = append(t.Rows, p.tokenRow(words, token, names, mayRevoke(by, token)))
	}
	t = t.sorted(r.URL, web.Column{Key: "name", Label: words.T("members.tokens.name")}, web.Column{Key: "org", Label: words.T("members.org")},
		web.Column{Key: "role", Label: words.T("members.role")}, web.Column{Key: "state", Label: words.T("members.state")},
		web.Column{Key: "used", Label: words.T("members.tokens.used"), Down: true}, web.Column{Label: words.T("members.actions")})
	lede := "members.tokens.lede"
	if by.Role < polder.RoleSteward {
		lede = "members.tokens.lede-own"
	}
	v := view{Main: []web.Block{block(counted(words, "members.tokens", len(tokens)), "", "table", t)},
		Aside: []web.Block{block(words.T("members.tokens.new"), "", "form", create)}}
	return p.render(w, r, web.Page{Title: words.T("members.tokens"), Lede: words.T(lede), Data: v}, a)
}

// mayRevoke tells whether to offer it; accounts decides.
func mayRevoke(by polder.Actor, t accounts.Token) bool {
	return by.Role == polder.RoleAdmin || t.Maker != "" && t.Maker == by.Person || by.Role >= polder.RoleSteward && t.Role <= by.Role
}

func (p *Pages) tokenRow(words web.Words, t accounts.Token, orgs map[polder.OrgID]string, revocable bool) row {
	state := tokenState(t, p.o.Now())
	shown := map[string]tag{"works": {"ok", "check", words.T("members.tokens.works")}, "expired": {"", "clock", words.T("members.tokens.expired")},
		"revoked": {"", "cross", words.T("members.tokens.revoked")}}[state]
	end := cell{Bare: true}
	if state == "works" && revocable {
		d := revokeDialog(words, t)
		end.Dialog = &d
	}
	sub := words.T("members.tokens.forever")
	if !t.Expires.IsZero() {
		sub = words.T("members.tokens.until", "date", words.Date(t.Expires))
	}
	name := t.Name
	if name == "" {
		name = words.T("members.tokens.unnamed")
	}
	scope := ""
	if n := len(t.Scope); n > 0 {
		scope = words.T("members.tokens.scoped", "n", n)
	}
	return row{{Text: name, Sub: string(t.ID)}, {Text: orgs[t.Org]}, {Text: roleText(words, t.Role), Sub: scope, sort: string(rune('0' + t.Role))},
		{Tag: &shown, Sub: sub, sort: state}, {At: t.Used, Text: never(words, t), sort: stamp(t.Used)}, end}
}

func never(words web.Words, t accounts.Token) string {
	if t.Used.IsZero() {
		return words.T("members.never")
	}
	return ""
}

// tokenForm makes a token: of the own organisation, up to the own role; an administrator chooses the organisation.
func (p *Pages) tokenForm(r *http.Request, a answers) (form, error) {
	words, by := web.WordsOf(r), web.ActorOf(r)
	f := form{Action: "/tokens", Submit: words.T("members.tokens.create"), Note: words.T("members.tokens.note")}
	f.Fields = append(f.Fields, a.field(web.Field{Name: "name", Label: words.T("members.tokens.for"), Help: words.T("members.tokens.for-help"), Max: accounts.MaxName, Required: true}))
	if by.Role == polder.RoleAdmin {
		orgs, err := p.accounts.Orgs(r.Context())
		if err != nil {
			return f, err
		}
		f.Fields = append(f.Fields, a.field(web.Field{Name: "org", Label: words.T("members.org"), Options: orgOptions(orgs, by.Org)}))
	}
	memberships, err := p.accounts.MembershipsOf(r.Context(), by)
	if err != nil {
		return f, err
	}
	f.Fields = append(f.Fields, a.field(web.Field{Name: "role", Label: words.T("members.role"), Options: roleOptions(words, by.Role, polder.RoleReader), Class: "one"}))
	if len(memberships) > 1 && by.Role != polder.RoleAdmin {
		scope := web.Field{Name: "community", Label: words.T("members.tokens.only"), Help: words.T("members.tokens.only-help"), Many: true}
		for _, m := range memberships {
			scope.Options = append(scope.Options, web.Option{Value: string(m.ID), Label: m.Name})
		}
		f.Fields = append(f.Fields, a.field(scope))
	}
	f.Fields = append(f.Fields, a.field(web.Field{Name: "expires", Label: words.T("members.tokens.expires"), Options: []web.Option{
		{Value: "30d", Label: words.T("members.tokens.days", "n", 30)}, {Value: "90d", Label: words.T("members.tokens.days", "n", 90), Chosen: true},
		{Value: "365d", Label: words.T("members.tokens.year")}, {Value: "", Label: words.T("members.tokens.forever")}}}))
	return f, nil
}

func orgOptions(orgs []polder.Org, chosen polder.OrgID) []web.Option {
	all := make([]web.Option, 0, len(orgs))
	for _, o := range orgs {
		if !o.Remote() { // nobody acts here for an organisation of another node
			all = append(all, web.Option{Value: string(o.ID), Label: o.Name, Chosen: o.ID == chosen})
		}
	}
	return all
}

func (p *Pages) createToken(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	words, by := web.WordsOf(r), web.ActorOf(r)
	a := answers{values: values, wrong: map[string]string{}}
	n := accounts.NewToken{Org: by.Org, Name: values.Get("name")}
	if org := values.Get("org"); org != "" {
		n.Org = polder.OrgID(org)
	}
	for _, c := range values["community"] {
		n.Scope = append(n.Scope, polder.CommunityID(c))
	}
	if strings.TrimSpace(n.Name) == "" {
		a.wrong["name"] = words.T("members.tokens.name-missing")
	}
	if n.Role, err = polder.ParseRole(values.Get("role")); err != nil {
		a.wrong["role"] = web.Sentence(err.Error())
	}
	if n.Expires, err = parseExpiry(values.Get("expires"), p.o.Now()); err != nil {
		a.wrong["expires"] = web.Sentence(err.Error())
	}
	if len(a.wrong) > 0 {
		return p.renderTokens(w, r, a)
	}
	t, text, err := p.accounts.CreateToken(r.Context(), by, n)
	if err != nil {
		if a, err = a.refused(err); err != nil {
			return err
		}
		return p.renderTokens(w, r, a)
	}
	return p.renderSecret(w, r, words.T("members.token.made"), words.T("members.token.made-lede"), []web.Link{{Text: words.T("members.tokens"), Href: "/tokens"}}, secret{
		Text: text, Says: words.T("members.token.says"), Next: web.Action{Label: words.T("members.token.kept"), Href: "/tokens", Primary: true},
		Pairs: []web.Pair{{Term: words.T("members.tokens.name"), Text: t.Name}, {Term: words.T("members.role"), Text: roleText(words, t.Role)},
			{Term: words.T("members.tokens.expires"), Text: expiryText(words, t)}},
	})
}

func expiryText(words web.Words, t accounts.Token) string {
	if t.Expires.IsZero() {
		return words.T("members.tokens.forever")
	}
	return words.Date(t.Expires)
}

// renderSecret shows something once.
func (p *Pages) renderSecret(w http.ResponseWriter, r *http.Request, title, lede string, crumbs []web.Link, s secret) error {
	words := web.WordsOf(r)
	v := view{Main: []web.Block{block(words.T("members.once"), "", "secret", s)}}
	return p.render(w, r, web.Page{Title: title, Lede: lede, Crumbs: crumbs, Data: v}, answers{})
}

func revokeDialog(words web.Words, t accounts.Token) web.Dialog {
	at := path("tokens", string(t.ID), "revoke")
	name := t.Name
	if name == "" {
		name = string(t.ID)
	}
	return web.Dialog{ID: "revoke-" + string(t.ID), Title: words.T("members.token.revoke-title", "name", name), Text: words.T("members.token.revoke-text"),
		Action: at, Page: at, Open: words.T("members.token.revoke"), Submit: words.T("members.token.revoke-submit"), Danger: true}
}

func (p *Pages) revokeTokenDialog(r *http.Request) (web.Dialog, string, error) {
	tokens, err := p.tokensOf(r)
	if err != nil {
		return web.Dialog{}, "", err
	}
	for _, t := range tokens {
		if string(t.ID) == r.PathValue("id") {
			return revokeDialog(web.WordsOf(r), t), "/tokens", nil
		}
	}
	return web.Dialog{}, "", polder.Errorf(polder.NotFound, "there is no such token")
}

func (p *Pages) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := p.accounts.RevokeToken(r.Context(), web.ActorOf(r), polder.TokenID(r.PathValue("id"))); err != nil {
		return err
	}
	return p.done(w, r, "/tokens", "members.token.ended")
}
