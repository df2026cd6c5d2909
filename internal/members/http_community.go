package members

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// place is a community as whoever asks stands to it.
type place struct {
	polder.Community
	membership polder.Membership // of the own organisation; zero when it is none
	member     bool
	manages    bool // members, invitations, requests and agreement
}

// reads tells whether the list of members may be read there.
func (c place) reads(by polder.Actor) bool {
	return by.Role == polder.RoleAdmin || c.member && c.membership.Right(by) >= polder.RoleReader
}

// places are the communities that by knows of: those its organisation belongs to, and for an administrator all.
func (p *Pages) places(ctx context.Context, by polder.Actor) ([]place, error) {
	memberships, err := p.accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, err
	}
	own := map[polder.CommunityID]polder.Membership{}
	var all []place
	for _, m := range memberships {
		own[m.ID] = m
		all = append(all, place{m.Community, m, true, m.Right(by) >= polder.RoleSteward})
	}
	if by.Role != polder.RoleAdmin {
		return all, nil
	}
	communities, err := p.accounts.Communities(ctx)
	if err != nil {
		return nil, err
	}
	all = all[:0]
	for _, c := range communities {
		m, member := own[c.ID]
		all = append(all, place{c, m, member, true})
	}
	return all, nil
}

// place is the community {alias} of the address, if whoever asks knows of it; NotFound otherwise.
func (p *Pages) place(r *http.Request) (place, error) {
	all, err := p.places(r.Context(), web.ActorOf(r))
	if err != nil {
		return place{}, err
	}
	for _, c := range all {
		if alias := r.PathValue("alias"); c.Alias == alias || string(c.ID) == alias {
			return c, nil
		}
	}
	return place{}, polder.Errorf(polder.NotFound, "there is no such community, or your organisation does not belong to it")
}

// managedPlace is [Pages.place] for whoever manages it; others who know of it are refused.
func (p *Pages) managedPlace(r *http.Request) (place, error) {
	c, err := p.place(r)
	if err == nil && !c.manages {
		err = polder.Errorf(polder.Forbidden, "only a steward of %s may: in the community and as a person or token", c.Name)
	}
	return c, err
}

// waiting counts what waits for by among the communities: requests that it decides, agreements that it has not accepted.
func (p *Pages) waiting(ctx context.Context, by polder.Actor) (n int, due bool) {
	all, err := p.places(ctx, by)
	if err != nil {
		return 0, false // the page itself says what is wrong
	}
	for _, c := range all {
		if c.member && !c.membership.Accepted {
			n++
		}
		if !c.manages {
			continue
		}
		requests, err := p.openRequests(ctx, by, c.ID)
		if err != nil {
			return 0, false
		}
		n += len(requests)
	}
	return n, false
}

func (p *Pages) openRequests(ctx context.Context, by polder.Actor, id polder.CommunityID) ([]accounts.JoinRequest, error) {
	all, err := p.accounts.Requests(ctx, by, id)
	var open []accounts.JoinRequest
	for _, q := range all {
		if q.State == accounts.RequestOpen {
			open = append(open, q)
		}
	}
	return open, err
}

func (p *Pages) communitiesPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderCommunities(w, r, answers{})
}

func (p *Pages) renderCommunities(w http.ResponseWriter, r *http.Request, a answers) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	all, err := p.places(r.Context(), by)
	if err != nil {
		return err
	}
	t := table{Label: words.T("members.communities"), Empty: p.noCommunities(words, by)}
	for _, c := range all {
		line, err := p.communityRow(r, c)
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, line)
	}
	t = t.sorted(r.URL, web.Column{Key: "name", Label: words.T("members.name")}, web.Column{Key: "role", Label: words.T("members.communities.as")},
		web.Column{Key: "members", Label: words.T("members.communities.members")}, web.Column{Key: "agreement", Label: words.T("members.agreement")})
	v := view{Main: []web.Block{block(counted(words, "members.communities", len(all)), "", "table", t)}}
	asked, err := p.askedBlock(r)
	if err != nil {
		return err
	}
	v.Main = append(v.Main, asked...)
	lede := "members.communities.lede"
	if by.Role == polder.RoleAdmin {
		lede = "members.communities.lede-admin"
		v.Aside = []web.Block{block(words.T("members.communities.new"), "", "form", form{Action: "/communities", Submit: words.T("members.communities.add"), Fields: []web.Field{
			a.field(web.Field{Name: "name", Label: words.T("members.name"), Help: words.T("members.communities.name-help"), Required: true, Max: accounts.MaxName}),
			a.field(unmarkedField(words, stix.None)),
		}})}
	}
	if by.Person != "" && by.Role >= polder.RoleContributor {
		v.Actions = []web.Action{{Label: words.T("members.join"), Href: "/join", Icon: "plus", Primary: by.Role != polder.RoleAdmin}}
	}
	return p.render(w, r, web.Page{Title: words.T("members.communities"), Lede: words.T(lede), Data: v}, a)
}

func (p *Pages) noCommunities(words web.Words, by polder.Actor) web.Empty {
	e := web.Empty{Icon: "people", Title: words.T("members.communities.none"), Text: words.T("members.communities.none-text")}
	switch {
	case by.Role == polder.RoleAdmin:
		e.Title, e.Text = words.T("members.communities.none-here"), words.T("members.communities.none-admin")
	case by.Person != "" && by.Role >= polder.RoleContributor:
		e.Actions = []web.Action{{Label: words.T("members.join"), Href: "/join", Primary: true}}
	}
	return e
}

func (p *Pages) communityRow(r *http.Request, c place) (row, error) {
	words, by := web.WordsOf(r), web.ActorOf(r)
	name := cell{Text: c.Name, Href: path("communities", c.Alias), Sub: c.Alias}
	count := cell{Text: "–", sort: "-"}
	if c.reads(by) {
		members, err := p.accounts.Members(r.Context(), c.ID)
		if err != nil {
			return nil, err
		}
		count = cell{Text: words.Number(int64(len(members)))}
		count.sort = sortable(len(members))
	}
	if c.manages {
		open, err := p.openRequests(r.Context(), by, c.ID)
		if err != nil {
			return nil, err
		}
		if len(open) > 0 {
			count.Tag = &tag{"warn", "clock", words.T("members.communities.asks", "n", len(open))}
		}
	}
	as := cell{Text: words.T("members.communities.not-member")}
	if c.member {
		as = cell{Text: roleText(words, c.membership.Role), sort: string(rune('0' + c.membership.Role))}
	}
	state := agreementState(words, c)
	return row{name, as, count, {Tag: &state, sort: state.Text}}, nil
}

// sortable writes a count so that texts of counts sort as the counts do.
func sortable(n int) string {
	s := "000000000" + strconv.Itoa(n)
	return s[len(s)-9:]
}

func agreementState(words web.Words, c place) tag {
	switch {
	case !c.member:
		return tag{"", "lock", words.T("members.agreement.none")}
	case c.membership.Accepted:
		return tag{"ok", "check", words.T("members.agreement.accepted")}
	}
	return tag{"warn", "clock", words.T("members.agreement.waits")}
}

func unmarkedField(words web.Words, now stix.Marking) web.Field {
	return web.Field{Name: "unmarked", Label: words.T("members.unmarked"), Help: words.T("members.unmarked.help"), Options: []web.Option{
		{Value: "refuse", Label: words.T("members.unmarked.refuse"), Chosen: now == stix.None},
		{Value: "clear", Label: words.T("members.unmarked.as", "level", stix.Clear), Chosen: now == stix.Clear},
		{Value: "green", Label: words.T("members.unmarked.as", "level", stix.Green), Chosen: now == stix.Green},
	}}
}

// unmarkedLevel reads [unmarkedField].
func unmarkedLevel(s string) (stix.Marking, error) {
	f := levelFlag{words: map[string]stix.Marking{"refuse": stix.None, "clear": stix.Clear, "green": stix.Green}, help: "refuse, clear, green"}
	err := f.Set(s)
	return f.level, err
}

func (p *Pages) addCommunity(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	a := answers{values: values, wrong: map[string]string{}}
	if strings.TrimSpace(values.Get("name")) == "" {
		a.wrong["name"] = words.T("members.communities.name-missing")
		return p.renderCommunities(w, r, a)
	}
	level, err := unmarkedLevel(values.Get("unmarked"))
	if err != nil {
		return err
	}
	c, err := p.accounts.AddCommunity(r.Context(), web.ActorOf(r), values.Get("name"), level)
	if err != nil {
		if a, err = a.refused(err); err != nil {
			return err
		}
		return p.renderCommunities(w, r, a)
	}
	return p.done(w, r, path("communities", c.Alias), "members.communities.added", "name", c.Name)
}

func (p *Pages) setUnmarked(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.managedPlace(r)
	if err != nil {
		return err
	}
	level, err := unmarkedLevel(values.Get("unmarked"))
	if err != nil {
		return err
	}
	if err := p.accounts.SetUnmarked(r.Context(), web.ActorOf(r), c.ID, level); err != nil {
		return err
	}
	return p.done(w, r, path("communities", c.Alias), "members.saved")
}

// leaveOf ends the own membership; ok is false for who may not.
func leaveOf(words web.Words, by polder.Actor, c place) (d web.Dialog, ok bool) {
	at := path("communities", c.Alias, "leave")
	return web.Dialog{ID: "leave", Title: words.T("members.leave.title", "name", c.Name), Text: words.T("members.leave.text"), Action: at, Page: at,
		Open: words.T("members.leave"), Submit: words.T("members.leave.submit"), Danger: true}, c.member && by.Role >= polder.RoleSteward
}

func (p *Pages) leaveDialog(r *http.Request) (web.Dialog, string, error) {
	c, err := p.place(r)
	if err != nil {
		return web.Dialog{}, "", err
	}
	d, ok := leaveOf(web.WordsOf(r), web.ActorOf(r), c)
	if !ok {
		return d, "", polder.Errorf(polder.Forbidden, "a steward of your organisation, of the community, or an administrator ends the membership")
	}
	return d, path("communities", c.Alias), nil
}

func (p *Pages) leave(w http.ResponseWriter, r *http.Request) error {
	c, err := p.place(r)
	if err != nil {
		return err
	}
	by := web.ActorOf(r)
	if err := p.accounts.Leave(r.Context(), by, c.ID, by.Org); err != nil {
		return err
	}
	return p.done(w, r, "/communities", "members.leave.done", "name", c.Name)
}
