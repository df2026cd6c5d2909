package members

import (
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// member is the member {org} of the community {alias}, for whoever manages it.
func (p *Pages) member(r *http.Request) (place, accounts.Member, error) {
	c, err := p.managedPlace(r)
	if err != nil {
		return c, accounts.Member{}, err
	}
	all, err := p.accounts.MemberList(r.Context(), web.ActorOf(r), c.ID)
	if err != nil {
		return c, accounts.Member{}, err
	}
	for _, m := range all {
		if string(m.Org) == r.PathValue("org") {
			return c, m, nil
		}
	}
	return c, accounts.Member{}, polder.Errorf(polder.NotFound, "there is no such member of %s", c.Name)
}

func (p *Pages) memberPage(w http.ResponseWriter, r *http.Request) error {
	c, m, err := p.member(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	accepted, err := p.acceptances(r, c, m)
	if err != nil {
		return err
	}
	v := view{
		Main: []web.Block{
			block(words.T("members.member.accepted"), "", "table", accepted),
			block(words.T("members.orgs.about"), "", "facts", []web.Pair{
				{Term: words.T("members.name"), Text: m.Organisation.Name, Href: path("organisations", string(m.Org))},
				{Term: words.T("members.orgs.sector"), Text: orDashText(sectorText(words, m.Organisation.Sector))},
				{Term: words.T("members.orgs.country"), Text: orDashText(m.Organisation.Country)},
				{Term: words.T("members.since"), Text: words.Date(m.Since)},
			}),
		},
		Aside: []web.Block{block(words.T("members.member.role"), "", "form", form{Action: path("communities", c.Alias, "members", string(m.Org), "role"), Submit: words.T("members.save"), Note: words.T("members.member.role-note"),
			Fields: []web.Field{{Name: "role", Label: words.T("members.communities.as"), Options: memberRoles(words, m.Role), Class: "one"}}})},
		Dialogs: []web.Dialog{removeOf(words, c, m)},
	}
	return p.render(w, r, web.Page{Title: m.Organisation.Name, Lede: words.T("members.member.lede", "role", roleText(words, m.Role), "name", c.Name),
		Crumbs: []web.Link{{Text: words.T("members.communities"), Href: "/communities"}, {Text: c.Name, Href: path("communities", c.Alias)}}, Data: v}, answers{})
}

// acceptances list who accepted which version of the agreement for a member.
func (p *Pages) acceptances(r *http.Request, c place, m accounts.Member) (table, error) {
	words := web.WordsOf(r)
	all, err := p.accounts.Acceptances(r.Context(), web.ActorOf(r), c.ID)
	t := table{Label: words.T("members.member.accepted"), Empty: web.Empty{Icon: "doc", Title: words.T("members.member.not-accepted"), Text: words.T("members.member.not-accepted-text")},
		Heads: plainHeads(words.T("members.agreement"), words.T("members.member.by"), words.T("members.member.at"))}
	for _, a := range all {
		if a.Org == m.Org {
			t.Rows = append(t.Rows, row{{Text: words.T("members.agreement.version", "n", a.Version)}, {Text: a.Name}, {At: a.Accepted}})
		}
	}
	return t, err
}

func removeOf(words web.Words, c place, m accounts.Member) web.Dialog {
	at := path("communities", c.Alias, "members", string(m.Org), "remove")
	return web.Dialog{ID: "remove", Title: words.T("members.member.remove-title", "name", m.Organisation.Name, "community", c.Name), Text: words.T("members.member.remove-text"), Action: at, Page: at,
		Open: words.T("members.member.remove"), Submit: words.T("members.member.remove-submit"), Danger: true}
}

func (p *Pages) removeDialog(r *http.Request) (web.Dialog, string, error) {
	c, m, err := p.member(r)
	return removeOf(web.WordsOf(r), c, m), path("communities", c.Alias), err
}

func (p *Pages) setMemberRole(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, m, err := p.member(r)
	if err != nil {
		return err
	}
	role, err := polder.ParseRole(values.Get("role"))
	if err == nil {
		err = p.accounts.SetMemberRole(r.Context(), web.ActorOf(r), c.ID, m.Org, role)
	}
	if err != nil {
		return err
	}
	return p.done(w, r, path("communities", c.Alias), "members.saved")
}

func (p *Pages) removeMember(w http.ResponseWriter, r *http.Request) error {
	c, m, err := p.member(r)
	if err != nil {
		return err
	}
	if err := p.accounts.Leave(r.Context(), web.ActorOf(r), c.ID, m.Org); err != nil {
		return err
	}
	to := path("communities", c.Alias)
	if m.Org == web.ActorOf(r).Org { // who removes the own organisation may no longer read that page
		to = "/communities"
	}
	return p.done(w, r, to, "members.member.removed", "name", m.Organisation.Name)
}
