package members

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// acceptBlocks are an agreement to read and, for who may, the form that accepts it.
func (p *Pages) acceptBlocks(words web.Words, by polder.Actor, c place, a accounts.Agreement) []web.Block {
	blocks := []web.Block{block(words.T("members.agreement.of", "name", c.Name), words.T("members.agreement.version", "n", a.Version), "prose", a.Text)}
	if by.Person == "" || by.Role < polder.RoleContributor {
		return append(blocks, block(words.T("members.agreement.accept"), "", "notes", []web.Mark{{Class: "mind", Text: words.T("members.agreement.not-you")}}))
	}
	return append(blocks, block(words.T("members.agreement.accept"), "", "form", form{Action: path("communities", c.Alias, "accept"), Submit: words.T("members.agreement.accept-submit"),
		Note: words.T("members.agreement.accept-note", "name", by.Name), Hidden: []web.Hidden{{Name: "version", Value: strconv.Itoa(a.Version)}}}))
}

func (p *Pages) agreementPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderAgreement(w, r, answers{})
}

func (p *Pages) renderAgreement(w http.ResponseWriter, r *http.Request, a answers) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	c, err := p.place(r)
	if err != nil {
		return err
	}
	agreement, err := p.accounts.Agreement(r.Context(), c.ID)
	if err != nil {
		return err
	}
	v := view{Main: []web.Block{block(words.T("members.agreement.text"), words.T("members.agreement.written", "n", agreement.Version, "date", words.Date(agreement.Written)), "prose", agreement.Text)}}
	if c.member && !c.membership.Accepted {
		v.Main = p.acceptBlocks(words, by, c, agreement)
	}
	if c.manages {
		v.Main = append(v.Main, block(words.T("members.agreement.change"), "", "form", form{Action: path("communities", c.Alias, "agreement"), Submit: words.T("members.agreement.publish"), Fields: []web.Field{
			a.field(web.Field{Name: "text", Label: words.T("members.agreement.next"), Help: words.T("members.agreement.next-help"), Value: agreement.Text, Rows: 14, Required: true}),
			a.field(web.Field{Name: "anew", Label: words.T("members.agreement.who"), Class: "one", Options: []web.Option{
				{Value: "no", Label: words.T("members.agreement.new-only"), Help: words.T("members.agreement.new-only-help"), Chosen: true},
				{Value: "yes", Label: words.T("members.agreement.everybody"), Help: words.T("members.agreement.everybody-help")}}}),
		}}))
	}
	return p.render(w, r, web.Page{Title: words.T("members.agreement.of", "name", c.Name), Lede: words.T("members.agreement.lede"),
		Crumbs: []web.Link{{Text: words.T("members.communities"), Href: "/communities"}, {Text: c.Name, Href: path("communities", c.Alias)}}, Data: v}, a)
}

func (p *Pages) setAgreement(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.managedPlace(r)
	if err != nil {
		return err
	}
	if _, err := p.accounts.SetAgreement(r.Context(), web.ActorOf(r), c.ID, values.Get("text"), values.Get("anew") == "yes"); err != nil {
		a, err := answers{values: values}.refused(err)
		if err != nil {
			return err
		}
		return p.renderAgreement(w, r, a)
	}
	return p.done(w, r, path("communities", c.Alias, "agreement"), "members.agreement.published")
}

func (p *Pages) acceptAgreement(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.place(r)
	if err != nil {
		return err
	}
	if err := p.accounts.AcceptAgreement(r.Context(), web.ActorOf(r), c.ID, version(values)); err != nil {
		return err
	}
	return p.done(w, r, path("communities", c.Alias), "members.agreement.thanks", "name", c.Name)
}

// version is the version of an agreement that a form was shown with; -1, which no agreement has, when it is none.
func version(values url.Values) int {
	n, err := strconv.Atoi(values.Get("version"))
	if err != nil || n < 1 {
		return -1
	}
	return n
}

func (p *Pages) joinPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderJoin(w, r, answers{})
}

// renderJoin shows the two ways in: an invitation, or a request.
func (p *Pages) renderJoin(w http.ResponseWriter, r *http.Request, a answers) error {
	words := web.WordsOf(r)
	v := view{Script: scriptPath, Main: []web.Block{
		block(words.T("members.join.invited"), "", "form", form{Action: "/join", Submit: words.T("members.join.show"), Class: "invitation", Fields: []web.Field{
			a.field(web.Field{Name: "invitation", Label: words.T("members.join.code"), Help: words.T("members.join.code-help"), Required: true, Max: 400, Autocomplete: "off"})}}),
		block(words.T("members.join.ask"), "", "form", form{Action: "/join/request", Get: true, Beside: true, Submit: words.T("members.join.agreement"), Fields: []web.Field{
			a.field(web.Field{Name: "community", Label: words.T("members.community.alias"), Help: words.T("members.join.alias-help"), Required: true, Max: 60})}}),
	}}
	return p.render(w, r, web.Page{Title: words.T("members.join"), Lede: words.T("members.join.lede"), Crumbs: []web.Link{{Text: words.T("members.communities"), Href: "/communities"}}, Data: v}, a)
}

// invitationIn is the text of an invitation within what somebody pasted: the whole link, or what stands behind its "#".
func invitationIn(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '#'); i >= 0 {
		s = s[i+1:]
	}
	return s
}

// openInvitation shows what an invitation is for, and the agreement, before it is accepted.
func (p *Pages) openInvitation(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	words, text := web.WordsOf(r), invitationIn(values.Get("invitation"))
	i, err := p.accounts.Invitation(r.Context(), text)
	if polder.KindOf(err) == polder.Unauthorised {
		return p.renderJoin(w, r, answers{values: values, wrong: map[string]string{"invitation": words.T("members.join.unknown")}})
	}
	if err != nil {
		return err
	}
	agreement, err := p.accounts.Agreement(r.Context(), i.Community.ID)
	if err != nil {
		return err
	}
	by := web.ActorOf(r)
	v := view{Main: []web.Block{
		block(words.T("members.agreement.of", "name", i.Community.Name), words.T("members.agreement.version", "n", agreement.Version), "prose", agreement.Text),
		block(words.T("members.join.accept"), "", "form", form{Action: "/join/accept", Submit: words.T("members.join.accept-submit"), Back: "/join",
			Note:   words.T("members.agreement.accept-note", "name", by.Name),
			Hidden: []web.Hidden{{Name: "invitation", Value: text}, {Name: "version", Value: strconv.Itoa(agreement.Version)}}}),
	}}
	return p.render(w, r, web.Page{Title: words.T("members.join.to", "name", i.Community.Name),
		Lede:   words.T("members.join.as", "org", web.IdentityIn(r.Context()).OrgName, "role", roleText(words, i.Role)),
		Crumbs: []web.Link{{Text: words.T("members.join"), Href: "/join"}}, Data: v}, answers{})
}

func (p *Pages) acceptInvitation(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	m, err := p.accounts.AcceptInvitation(r.Context(), web.ActorOf(r), invitationIn(values.Get("invitation")), version(values))
	if polder.KindOf(err) == polder.Unauthorised {
		return p.renderJoin(w, r, answers{wrong: map[string]string{"invitation": web.WordsOf(r).T("members.join.unknown")}})
	}
	if err != nil {
		return err
	}
	return p.done(w, r, path("communities", m.Alias), "members.agreement.thanks", "name", m.Name)
}

// asked is the community that somebody wants to ask to join. Who knows its alias may read its agreement.
func (p *Pages) asked(r *http.Request, alias string) (polder.Community, accounts.Agreement, error) {
	c, err := p.accounts.Community(r.Context(), strings.ToLower(strings.TrimSpace(alias)))
	if err != nil {
		return c, accounts.Agreement{}, err
	}
	a, err := p.accounts.Agreement(r.Context(), c.ID)
	return c, a, err
}

func (p *Pages) askPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderAsk(w, r, r.URL.Query().Get("community"), answers{})
}

func (p *Pages) renderAsk(w http.ResponseWriter, r *http.Request, alias string, a answers) error {
	words := web.WordsOf(r)
	c, agreement, err := p.asked(r, alias)
	if polder.KindOf(err) == polder.NotFound {
		return p.renderJoin(w, r, answers{values: url.Values{"community": {alias}}, wrong: map[string]string{"community": words.T("members.join.no-community", "alias", alias)}})
	}
	if err != nil {
		return err
	}
	v := view{Main: []web.Block{
		block(words.T("members.agreement.of", "name", c.Name), words.T("members.agreement.version", "n", agreement.Version), "prose", agreement.Text),
		block(words.T("members.join.ask"), "", "form", form{Action: "/join/request", Submit: words.T("members.join.send"), Back: "/join",
			Hidden: []web.Hidden{{Name: "community", Value: c.Alias}, {Name: "version", Value: strconv.Itoa(agreement.Version)}},
			Fields: []web.Field{
				a.field(web.Field{Name: "message", Label: words.T("members.join.message"), Help: words.T("members.join.message-help"), Rows: 4, Max: accounts.MaxNote}),
				a.field(web.Field{Name: "accept", Label: words.T("members.agreement"), Many: true, Options: []web.Option{
					{Value: "yes", Label: words.T("members.join.accept-now"), Help: words.T("members.join.accept-now-help")}}}),
			}}),
	}}
	return p.render(w, r, web.Page{Title: words.T("members.join.to", "name", c.Name), Lede: words.T("members.join.ask-lede"),
		Crumbs: []web.Link{{Text: words.T("members.join"), Href: "/join"}}, Data: v}, a)
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, _, err := p.asked(r, values.Get("community"))
	if err != nil {
		return err
	}
	accepts := 0
	if slices.Contains(values["accept"], "yes") {
		accepts = version(values)
	}
	if _, err := p.accounts.RequestJoin(r.Context(), web.ActorOf(r), c.ID, values.Get("message"), accepts); err != nil {
		a, err := answers{values: values}.refused(err)
		if err != nil {
			return err
		}
		return p.renderAsk(w, r, c.Alias, a)
	}
	return p.done(w, r, "/communities", "members.join.sent", "name", c.Name)
}

// askedBlock lists the own organisation's requests: open ones, and what became of the others.
func (p *Pages) askedBlock(r *http.Request) ([]web.Block, error) {
	words := web.WordsOf(r)
	requests, err := p.accounts.OwnRequests(r.Context(), web.ActorOf(r))
	if err != nil || len(requests) == 0 {
		return nil, err
	}
	t := table{Label: words.T("members.asked"), Heads: plainHeads(words.T("members.community"), words.T("members.state"), words.T("members.requests.asked"), words.T("members.actions"))}
	for _, q := range requests {
		state := map[accounts.RequestState]tag{
			accounts.RequestOpen: {"warn", "clock", words.T("members.asked.open")}, accounts.RequestApproved: {"ok", "check", words.T("members.asked.approved")},
			accounts.RequestRefused: {"bad", "cross", words.T("members.asked.refused")}, accounts.RequestWithdrawn: {"", "cross", words.T("members.asked.withdrawn")},
		}[q.State]
		end := cell{Bare: true}
		if q.State == accounts.RequestOpen {
			end.Post = &button{Action: path("join", "requests", string(q.ID), "withdraw"), Label: words.T("members.asked.withdraw"), Name: words.T("members.asked.withdraw-named", "name", q.Community.Name)}
		}
		t.Rows = append(t.Rows, row{{Text: q.Community.Name}, {Tag: &state, Sub: q.Reason}, {At: q.Created}, end})
	}
	return []web.Block{block(words.T("members.asked"), "", "table", t)}, nil
}

func (p *Pages) withdrawRequest(w http.ResponseWriter, r *http.Request) error {
	if err := p.accounts.WithdrawRequest(r.Context(), web.ActorOf(r), accounts.RequestID(r.PathValue("id"))); err != nil {
		return err
	}
	return p.done(w, r, "/communities", "members.asked.taken-back")
}
