package members

import (
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// step is one thing to do on the first-run page.
type step struct {
	Class, Title, Text, Tag string
	Actions                 []web.Action
}

// Home is the route of the overview: whoever has nothing to see there yet is told what to do first, everybody else gets
// overview.
func (p *Pages) Home(overview http.HandlerFunc) web.Route {
	return web.Route{Method: http.MethodGet, Pattern: "/{$}", Need: web.LoggedIn, Exit: "members.home", Handler: handler(func(w http.ResponseWriter, r *http.Request) error {
		first, err := p.firstRun(r)
		if err != nil {
			return err
		}
		if !first {
			overview(w, r)
			return nil
		}
		if web.ActorOf(r).Role == polder.RoleAdmin {
			return p.firstSteps(w, r)
		}
		return p.welcome(w, r)
	}).serve}
}

// firstRun tells whether there is nothing to see yet: for an administrator, while no two organisations share a
// community; for others, while their organisation sees none.
func (p *Pages) firstRun(r *http.Request) (bool, error) {
	by := web.ActorOf(r)
	if by.Role != polder.RoleAdmin {
		all, err := p.readable(r.Context(), by)
		return len(all) == 0, err
	}
	n, err := p.largest(r)
	return n < 2, err
}

// largest is the number of members of the node's largest community; -1 when there is no community.
func (p *Pages) largest(r *http.Request) (int, error) {
	most := -1
	all, err := p.accounts.Communities(r.Context())
	if err != nil {
		return most, err
	}
	for _, c := range all {
		members, err := p.accounts.Members(r.Context(), c.ID)
		if err != nil {
			return most, err
		}
		most = max(most, len(members))
	}
	return most, nil
}

// firstSteps tell an administrator what to do first, and what is done already.
func (p *Pages) firstSteps(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	orgs, err := p.accounts.Orgs(r.Context())
	if err != nil {
		return err
	}
	most, err := p.largest(r)
	if err != nil {
		return err
	}
	people, err := p.accounts.People(r.Context(), by, "")
	if err != nil {
		return err
	}
	others := 0
	for _, q := range people {
		if q.Role != polder.RoleAdmin && !q.Disabled {
			others++
		}
	}
	steps := inOrder(words, []bool{most >= 0, len(orgs) > 1, most >= 2, others > 0}, []step{
		{Title: words.T("members.first.community"), Text: words.T("members.first.community-text"), Actions: []web.Action{{Label: words.T("members.communities.new"), Href: "/communities"}}},
		{Title: words.T("members.first.orgs"), Text: words.T("members.first.orgs-text"), Actions: []web.Action{{Label: words.T("members.orgs.new"), Href: "/organisations"}}},
		{Title: words.T("members.first.join"), Text: words.T("members.first.join-text"), Actions: []web.Action{{Label: words.T("members.first.join-go"), Href: "/communities"}}},
		{Title: words.T("members.first.people"), Text: words.T("members.first.people-text"), Actions: []web.Action{{Label: words.T("members.first.people-go"), Href: "/organisations"}}},
	})
	v := view{Main: []web.Block{block(words.T("members.first.steps"), "", "steps", steps)},
		Aside: []web.Block{block(words.T("members.first.know"), "", "notes", []web.Mark{
			{Icon: "lock", Text: words.T("members.first.admin-reads-nothing")}, {Icon: "list", Text: words.T("members.first.audited")}, {Icon: "key", Text: words.T("members.first.cli")}})}}
	return p.render(w, r, web.Page{Title: words.T("members.first"), Lede: words.T("members.first.lede"), Data: v}, answers{})
}

// inOrder marks what is done, and the first thing that is not; only that one keeps its buttons.
func inOrder(words web.Words, done []bool, steps []step) []step {
	now := false
	for i := range steps {
		switch {
		case done[i]:
			steps[i].Class, steps[i].Tag, steps[i].Actions = "ok", words.T("members.first.done"), nil
		case !now:
			steps[i].Class, now = "now", true
			steps[i].Actions[0].Primary = true
		default:
			steps[i].Actions = nil
		}
	}
	return steps
}

// welcome tells whoever belongs to no community yet how to get in, and whether an agreement waits.
func (p *Pages) welcome(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	memberships, err := p.accounts.MembershipsOf(r.Context(), by)
	if err != nil {
		return err
	}
	signs := by.Person != "" && by.Role >= polder.RoleContributor
	v := view{}
	for _, m := range memberships {
		if !m.Accepted {
			v.Main = append(v.Main, welcomeAgreement(words, m, signs))
		}
	}
	if len(v.Main) == 0 {
		e := web.Empty{Icon: "people", Title: words.T("members.communities.none"), Text: words.T("members.welcome.ask-colleague")}
		if signs {
			e.Text, e.Actions = words.T("members.communities.none-text"), []web.Action{{Label: words.T("members.join"), Href: "/join", Primary: true}}
		}
		v.Main = []web.Block{block(words.T("members.communities"), "", "nothing", e)}
	}
	asked, err := p.askedBlock(r)
	if err != nil {
		return err
	}
	v.Main = append(v.Main, asked...)
	return p.render(w, r, web.Page{Title: words.T("members.welcome", "name", by.Name), Lede: words.T("members.welcome.lede"), Data: v}, answers{})
}

func welcomeAgreement(words web.Words, m polder.Membership, signs bool) web.Block {
	e := web.Empty{Icon: "doc", Title: words.T("members.welcome.agreement", "name", m.Name), Text: words.T("members.agreement.not-you")}
	if signs {
		e.Text = words.T("members.welcome.agreement-text")
		e.Actions = []web.Action{{Label: words.T("members.welcome.read"), Href: path("communities", m.Alias), Primary: true}}
	}
	return block(m.Name, "", "nothing", e)
}

// effective is what by may do with the objects of a community, in a word.
func effective(by polder.Actor, m polder.Membership) string {
	return m.Right(by).String()
}
