package members

import (
	"net/http"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

func (p *Pages) communityPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderCommunity(w, r, answers{})
}

// renderCommunity is the page of one community: what its reader may see and do there.
func (p *Pages) renderCommunity(w http.ResponseWriter, r *http.Request, a answers) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	c, err := p.place(r)
	if err != nil {
		return err
	}
	agreement, err := p.accounts.Agreement(r.Context(), c.ID)
	if err != nil {
		return err
	}
	v := view{}
	lede := words.T("members.community.lede-admin")
	if c.member {
		lede = words.T("members.community.lede", "role", roleText(words, c.membership.Role))
	}
	if c.member && !c.membership.Accepted {
		lede = words.T("members.community.lede-waits")
		v.Main = append(v.Main, p.acceptBlocks(words, by, c, agreement)...)
	}
	if c.reads(by) {
		members, err := p.memberBlock(r, c)
		if err != nil {
			return err
		}
		v.Main = append(v.Main, members)
	}
	if c.manages {
		more, err := p.stewardBlocks(r, c)
		if err != nil {
			return err
		}
		v.Main = append(v.Main, more...)
		v.Aside = p.stewardForms(r, c, a)
		if by.Role == polder.RoleAdmin {
			join, err := p.joinForm(r, c)
			if err != nil {
				return err
			}
			v.Aside = append(v.Aside, join...)
		}
	}
	if !c.member || c.membership.Accepted {
		v.Main = append(v.Main, web.Block{Title: words.T("members.agreement"), More: web.Link{Text: words.T("members.agreement.read", "n", agreement.Version), Href: path("communities", c.Alias, "agreement")},
			Template: "members/notes", Data: communityNotes(words, c)})
	}
	if d, ok := leaveOf(words, by, c); ok {
		v.Dialogs = []web.Dialog{d}
	}
	page := web.Page{Title: c.Name, Lede: lede, Crumbs: []web.Link{{Text: words.T("members.communities"), Href: "/communities"}}, Data: v, Facts: []web.Pair{
		{Term: words.T("members.community.alias"), Text: c.Alias}, {Term: words.T("members.unmarked"), Text: unmarkedText(words, c)},
		{Term: words.T("members.community.since"), Text: words.Date(c.Created)}}}
	return p.render(w, r, page, a)
}

func unmarkedText(words web.Words, c place) string {
	for _, o := range unmarkedField(words, c.Unmarked).Options {
		if o.Chosen {
			return o.Label
		}
	}
	return ""
}

// communityNotes say what the rules of every community are, in three lines.
func communityNotes(words web.Words, c place) []web.Mark {
	notes := []web.Mark{
		{Icon: "own", Text: words.T("members.community.custody")},
		{Icon: "veil", Text: words.T("members.community.blind")},
		{Icon: "clock", Text: words.T("members.community.history")},
	}
	if c.member {
		notes = append([]web.Mark{{Class: "yes", Text: words.T("members.agreement.you-accepted")}}, notes...)
	}
	return notes
}

// memberBlock lists the members; whoever manages the community gets to each.
func (p *Pages) memberBlock(r *http.Request, c place) (web.Block, error) {
	words, by := web.WordsOf(r), web.ActorOf(r)
	members, err := p.accounts.MemberList(r.Context(), by, c.ID)
	if err != nil {
		return web.Block{}, err
	}
	t := table{Label: words.T("members.community.members"), Empty: web.Empty{Icon: "people", Title: words.T("members.community.nobody"), Text: words.T("members.community.nobody-text")}}
	for _, m := range members {
		name := cell{Text: m.Organisation.Name, Href: path("organisations", string(m.Org))}
		if c.manages {
			name.Href = path("communities", c.Alias, "members", string(m.Org))
		}
		name.Tag = whose(words, m.Organisation, by)
		state := tag{"ok", "check", words.T("members.agreement.accepted")}
		if !m.Accepted {
			state = tag{"warn", "clock", words.T("members.agreement.not-yet")}
		}
		version := ""
		if m.Version > 0 {
			version = words.T("members.agreement.version", "n", m.Version)
		}
		t.Rows = append(t.Rows, row{name, {Text: roleText(words, m.Role), sort: string(rune('0' + m.Role))}, {Text: sectorText(words, m.Organisation.Sector)}, {At: m.Since},
			{Tag: &state, Sub: version, sort: state.Text}})
	}
	t = t.sorted(r.URL, web.Column{Key: "name", Label: words.T("members.org")}, web.Column{Key: "role", Label: words.T("members.role"), Down: true},
		web.Column{Key: "sector", Label: words.T("members.orgs.sector")}, web.Column{Key: "since", Label: words.T("members.since"), Down: true},
		web.Column{Key: "agreement", Label: words.T("members.agreement")})
	return block(counted(words, "members.community.members", len(members)), "", "table", t), nil
}

// stewardBlocks are what waits for a steward: requests, and the invitations that are out.
func (p *Pages) stewardBlocks(r *http.Request, c place) ([]web.Block, error) {
	words, by := web.WordsOf(r), web.ActorOf(r)
	requests, err := p.openRequests(r.Context(), by, c.ID)
	if err != nil {
		return nil, err
	}
	invitations, err := p.accounts.Invitations(r.Context(), by, c.ID)
	if err != nil {
		return nil, err
	}
	var blocks []web.Block
	if len(requests) > 0 {
		t, err := p.requestTable(r, c, requests)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block(words.T("members.requests.count", "n", len(requests)), "", "table", t))
	}
	t := p.invitationTable(words, c, invitations)
	return append(blocks, block(words.T("members.invitations"), words.T("members.invitations.note"), "table", t)), nil
}

// requestTable lists open requests. Who asks is named: that is what asking says.
func (p *Pages) requestTable(r *http.Request, c place, requests []accounts.JoinRequest) (table, error) {
	words := web.WordsOf(r)
	t := table{Label: words.T("members.requests"), Heads: plainHeads(words.T("members.org"), words.T("members.requests.message"), words.T("members.requests.asked"), words.T("members.actions"))}
	for _, q := range requests {
		org, err := p.accounts.Org(r.Context(), q.Org)
		if err != nil {
			return t, err
		}
		d := refuseOf(words, c, q, org)
		accepted := words.T("members.requests.not-accepted")
		if q.Version > 0 {
			accepted = words.T("members.requests.accepted", "n", q.Version)
		}
		t.Rows = append(t.Rows, row{{Text: org.Name, Sub: sectorText(words, org.Sector)}, {Text: q.Message, Sub: accepted}, {At: q.Created},
			{Post: &button{Action: path("communities", c.Alias, "requests", string(q.ID), "approve"), Label: words.T("members.requests.approve"), Name: words.T("members.requests.approve-named", "name", org.Name)}, Dialog: &d, Bare: true}})
	}
	return t, nil
}

func refuseOf(words web.Words, c place, q accounts.JoinRequest, org polder.Org) web.Dialog {
	at := path("communities", c.Alias, "requests", string(q.ID), "refuse")
	return web.Dialog{ID: "refuse-" + string(q.ID), Title: words.T("members.requests.refuse-title", "name", org.Name), Text: words.T("members.requests.refuse-text"), Action: at, Page: at,
		Open: words.T("members.requests.refuse"), Submit: words.T("members.requests.refuse-submit"), Danger: true,
		Fields: []web.Field{{Name: "reason-" + string(q.ID), Label: words.T("members.requests.reason"), Help: words.T("members.requests.reason-help"), Rows: 3, Max: accounts.MaxNote}}}
}

// invitationTable lists the invitations that can still be used.
func (p *Pages) invitationTable(words web.Words, c place, invitations []accounts.Invitation) table {
	t := table{Label: words.T("members.invitations"), Empty: web.Empty{Icon: "key", Title: words.T("members.invitations.none"), Text: words.T("members.invitations.none-text")},
		Heads: plainHeads(words.T("members.invitations.for"), words.T("members.role"), words.T("members.invitations.until"), words.T("members.actions"))}
	now := p.o.Now()
	for _, i := range invitations {
		if !i.Used.IsZero() || !i.Revoked.IsZero() || !now.Before(i.Expires) {
			continue
		}
		d := withdrawOf(words, c, i)
		t.Rows = append(t.Rows, row{{Text: invitationName(words, i)}, {Text: roleText(words, i.Role)}, {Text: words.Date(i.Expires)}, {Dialog: &d, Bare: true}})
	}
	return t
}

func invitationName(words web.Words, i accounts.Invitation) string {
	if i.Note == "" {
		return words.T("members.invitations.unnamed")
	}
	return i.Note
}

func withdrawOf(words web.Words, c place, i accounts.Invitation) web.Dialog {
	at := path("communities", c.Alias, "invitations", string(i.ID), "revoke")
	return web.Dialog{ID: "withdraw-" + string(i.ID), Title: words.T("members.invitations.withdraw-title", "name", invitationName(words, i)), Text: words.T("members.invitations.withdraw-text"), Action: at, Page: at,
		Open: words.T("members.invitations.withdraw"), Submit: words.T("members.invitations.withdraw-submit"), Danger: true}
}

// stewardForms are what a steward makes or sets.
func (p *Pages) stewardForms(r *http.Request, c place, a answers) []web.Block {
	words := web.WordsOf(r)
	at := path("communities", c.Alias)
	return []web.Block{
		block(words.T("members.invitations.new"), "", "form", form{Action: at + "/invitations", Submit: words.T("members.invitations.make"), Note: words.T("members.invitations.how"), Fields: []web.Field{
			a.field(web.Field{Name: "note", Label: words.T("members.invitations.for"), Help: words.T("members.invitations.for-help"), Max: accounts.MaxNote}),
			a.field(web.Field{Name: "invite-role", Label: words.T("members.communities.as"), Options: memberRoles(words, polder.RoleContributor)}),
			a.field(web.Field{Name: "days", Label: words.T("members.invitations.lasts"), Options: []web.Option{
				{Value: "3", Label: words.T("members.tokens.days", "n", 3)}, {Value: "14", Label: words.T("members.tokens.days", "n", 14), Chosen: true}, {Value: "30", Label: words.T("members.tokens.days", "n", 30)}}}),
		}}),
		block(words.T("members.community.settings"), "", "form", form{Action: at + "/unmarked", Beside: true, Submit: words.T("members.save"), Fields: []web.Field{unmarkedField(words, c.Unmarked)}}),
	}
}

func memberRoles(words web.Words, chosen polder.Role) []web.Option {
	return roleOptions(words, polder.RoleSteward, chosen)
}

// joinForm lets an administrator make an organisation a member.
func (p *Pages) joinForm(r *http.Request, c place) ([]web.Block, error) {
	words := web.WordsOf(r)
	orgs, err := p.accounts.Orgs(r.Context())
	if err != nil {
		return nil, err
	}
	members, err := p.accounts.Members(r.Context(), c.ID)
	if err != nil {
		return nil, err
	}
	in := map[polder.OrgID]bool{}
	for _, m := range members {
		in[m.Org] = true
	}
	if c.Mirrored() {
		return nil, nil // its home says who belongs to it
	}
	var others []polder.Org
	for _, o := range orgs {
		if !in[o.ID] && !o.Remote() {
			others = append(others, o)
		}
	}
	if len(others) == 0 {
		return nil, nil
	}
	return []web.Block{block(words.T("members.community.add"), "", "form", form{Action: path("communities", c.Alias, "members"), Beside: true, Submit: words.T("members.community.add-submit"), Note: words.T("members.community.add-note"),
		Fields: []web.Field{{Name: "org", Label: words.T("members.org"), Options: orgOptions(others, "")},
			{Name: "member-role", Label: words.T("members.communities.as"), Options: memberRoles(words, polder.RoleContributor)}}})}, nil
}

func (p *Pages) addMember(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.managedPlace(r)
	if err != nil {
		return err
	}
	role, err := polder.ParseRole(values.Get("member-role"))
	if err != nil {
		return err
	}
	if _, err := p.accounts.Join(r.Context(), web.ActorOf(r), c.ID, polder.OrgID(values.Get("org")), role); err != nil {
		return err
	}
	return p.done(w, r, path("communities", c.Alias), "members.community.added")
}

func (p *Pages) invite(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.managedPlace(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	role, err := polder.ParseRole(values.Get("invite-role"))
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(values.Get("days"))
	if err != nil || days < 1 || days > 90 {
		return polder.Errorf(polder.Invalid, "an invitation lasts 1 to 90 days")
	}
	i, text, err := p.accounts.Invite(r.Context(), web.ActorOf(r), accounts.NewInvitation{Community: c.ID, Role: role, Note: values.Get("note"), Expires: p.o.Now().AddDate(0, 0, days)})
	if err != nil {
		a, err := answers{values: values}.refused(err)
		if err != nil {
			return err
		}
		return p.renderCommunity(w, r, a)
	}
	back := path("communities", c.Alias)
	return p.renderSecret(w, r, words.T("members.invitation.made"), words.T("members.invitation.made-lede", "name", c.Name),
		[]web.Link{{Text: words.T("members.communities"), Href: "/communities"}, {Text: c.Name, Href: back}}, secret{
			Text: p.address(r) + "/join#" + text, Says: words.T("members.invitation.says"), Next: web.Action{Label: words.T("members.invitation.sent"), Href: back, Primary: true},
			Pairs: []web.Pair{{Term: words.T("members.invitations.for"), Text: invitationName(words, i)}, {Term: words.T("members.communities.as"), Text: roleText(words, i.Role)},
				{Term: words.T("members.invitations.until"), Text: words.Date(i.Expires)}},
		})
}

// address is how people reach the node.
func (p *Pages) address(r *http.Request) string {
	if p.o.URL != "" {
		return p.o.URL
	}
	if p.o.Secure {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// revokeInvitationDialog asks before the invitation {id} of a community is withdrawn.
func (p *Pages) revokeInvitationDialog(r *http.Request) (web.Dialog, string, error) {
	c, err := p.managedPlace(r)
	if err != nil {
		return web.Dialog{}, "", err
	}
	all, err := p.accounts.Invitations(r.Context(), web.ActorOf(r), c.ID)
	if err != nil {
		return web.Dialog{}, "", err
	}
	for _, i := range all {
		if string(i.ID) == r.PathValue("id") {
			return withdrawOf(web.WordsOf(r), c, i), path("communities", c.Alias), nil
		}
	}
	return web.Dialog{}, "", polder.Errorf(polder.NotFound, "there is no such invitation")
}

func (p *Pages) revokeInvitation(w http.ResponseWriter, r *http.Request) error {
	c, err := p.managedPlace(r)
	if err != nil {
		return err
	}
	if err := p.accounts.RevokeInvitation(r.Context(), web.ActorOf(r), accounts.InvitationID(r.PathValue("id"))); err != nil {
		return err
	}
	return p.done(w, r, path("communities", c.Alias), "members.invitations.withdrawn")
}

// request is the open request {id} of a community that whoever asks manages.
func (p *Pages) request(r *http.Request) (place, accounts.JoinRequest, error) {
	c, err := p.managedPlace(r)
	if err != nil {
		return c, accounts.JoinRequest{}, err
	}
	open, err := p.openRequests(r.Context(), web.ActorOf(r), c.ID)
	if err != nil {
		return c, accounts.JoinRequest{}, err
	}
	for _, q := range open {
		if string(q.ID) == r.PathValue("id") {
			return c, q, nil
		}
	}
	return c, accounts.JoinRequest{}, polder.Errorf(polder.NotFound, "there is no such request, or it is answered already")
}

func (p *Pages) approve(w http.ResponseWriter, r *http.Request) error {
	c, q, err := p.request(r)
	if err != nil {
		return err
	}
	if _, err := p.accounts.ApproveRequest(r.Context(), web.ActorOf(r), q.ID, polder.RoleNone); err != nil {
		return err
	}
	return p.done(w, r, path("communities", c.Alias), "members.requests.approved")
}

func (p *Pages) refuseDialog(r *http.Request) (web.Dialog, string, error) {
	c, q, err := p.request(r)
	if err != nil {
		return web.Dialog{}, "", err
	}
	org, err := p.accounts.Org(r.Context(), q.Org)
	return refuseOf(web.WordsOf(r), c, q, org), path("communities", c.Alias), err
}

func (p *Pages) refuse(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, q, err := p.request(r)
	if err != nil {
		return err
	}
	if err := p.accounts.RefuseRequest(r.Context(), web.ActorOf(r), q.ID, values.Get("reason-"+string(q.ID))); err != nil {
		return err
	}
	return p.done(w, r, path("communities", c.Alias), "members.requests.refused")
}
