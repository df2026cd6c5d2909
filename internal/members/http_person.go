package members

import (
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// managed is the person {person} of the address, for whoever manages the organisation {org}: nobody else reads of it.
func (p *Pages) managed(r *http.Request) (neighbour, accounts.Person, error) {
	by := web.ActorOf(r)
	org, err := p.neighbour(r)
	if err != nil {
		return org, accounts.Person{}, err
	}
	if !manages(by, org.ID) {
		return org, accounts.Person{}, polder.Errorf(polder.Forbidden, "people are managed by a steward of the organisation or an administrator")
	}
	q, err := p.accounts.Person(r.Context(), polder.PersonID(r.PathValue("person")))
	if err == nil && q.Org != org.ID || polder.KindOf(err) == polder.NotFound {
		err = polder.Errorf(polder.NotFound, "there is no such person in %s", org.Name)
	}
	if err != nil {
		return org, accounts.Person{}, err
	}
	return org, q, nil
}

func personPath(q accounts.Person, more ...string) string {
	return path(append([]string{"organisations", string(q.Org), "people", string(q.ID)}, more...)...)
}

func (p *Pages) personPage(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	org, q, err := p.managed(r)
	if err != nil {
		return err
	}
	state := personState(words, q)
	v := view{Main: []web.Block{block(words.T("members.account.who"), "", "facts", []web.Pair{
		{Term: words.T("members.email"), Text: q.Email}, {Term: words.T("members.role"), Text: roleText(words, q.Role)},
		{Term: words.T("members.state"), Text: state.Text}, {Term: words.T("members.since"), Text: words.Date(q.Created)},
	})}}
	if q.Role <= by.Role {
		sessions, err := p.accounts.Sessions(r.Context(), by, q.ID)
		if err != nil {
			return err
		}
		here, err := p.here(r)
		if err != nil {
			return err
		}
		v.Main = append(v.Main, block(words.T("members.account.sessions"), "", "table", sessionTable(words, sessions, here.ID, func(id accounts.SessionID) string {
			return personPath(q, "sessions", string(id), "end")
		})))
		v.Aside = p.personForms(words, by, q)
		v.Dialogs = []web.Dialog{resetOf(words, q)}
		if !q.Disabled {
			v.Dialogs = append(v.Dialogs, disableOf(words, q))
		}
	}
	crumbs := []web.Link{{Text: words.T("members.orgs"), Href: "/organisations"}, {Text: org.Name, Href: path("organisations", string(org.ID))}}
	return p.render(w, r, web.Page{Title: q.Name, Lede: words.T("members.person.lede", "org", org.Name), Crumbs: crumbs, Data: v}, answers{})
}

func (p *Pages) personForms(words web.Words, by polder.Actor, q accounts.Person) []web.Block {
	forms := []web.Block{block(words.T("members.person.role"), "", "form", form{Action: personPath(q, "role"), Submit: words.T("members.save"), Note: words.T("members.person.role-note"),
		Fields: []web.Field{{Name: "role", Label: words.T("members.role"), Options: roleOptions(words, by.Role, q.Role), Class: "one"}}})}
	if q.Disabled {
		forms = append(forms, block(words.T("members.person.enable"), "", "form", form{Action: personPath(q, "enable"), Submit: words.T("members.person.enable-submit"), Note: words.T("members.person.enable-note")}))
	}
	return forms
}

func (p *Pages) setRole(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	_, q, err := p.managed(r)
	if err != nil {
		return err
	}
	role, err := polder.ParseRole(values.Get("role"))
	if err == nil {
		err = p.accounts.SetRole(r.Context(), web.ActorOf(r), q.ID, role)
	}
	if err != nil {
		return err
	}
	to := personPath(q)
	if q.ID == web.ActorOf(r).Person { // who lowers the own role may no longer read that page
		to = path("organisations", string(q.Org))
	}
	return p.done(w, r, to, "members.saved")
}

func disableOf(words web.Words, q accounts.Person) web.Dialog {
	at := personPath(q, "disable")
	return web.Dialog{ID: "disable", Title: words.T("members.person.disable-title", "name", q.Name), Text: words.T("members.person.disable-text"),
		Action: at, Page: at, Open: words.T("members.person.disable"), Submit: words.T("members.person.disable-submit"), Danger: true}
}

func resetOf(words web.Words, q accounts.Person) web.Dialog {
	at := personPath(q, "reset")
	return web.Dialog{ID: "reset", Title: words.T("members.person.reset-title", "name", q.Name), Text: words.T("members.person.reset-text"),
		Action: at, Page: at, Open: words.T("members.person.reset"), Submit: words.T("members.person.reset-submit"), Keep: words.T("members.person.reset-keep")}
}

func (p *Pages) disableDialog(r *http.Request) (web.Dialog, string, error) {
	_, q, err := p.managed(r)
	return disableOf(web.WordsOf(r), q), personPath(q), err
}

func (p *Pages) resetDialog(r *http.Request) (web.Dialog, string, error) {
	_, q, err := p.managed(r)
	return resetOf(web.WordsOf(r), q), personPath(q), err
}

func (p *Pages) disablePerson(w http.ResponseWriter, r *http.Request) error {
	_, q, err := p.managed(r)
	if err != nil {
		return err
	}
	if err := p.accounts.Disable(r.Context(), web.ActorOf(r), q.ID); err != nil {
		return err
	}
	return p.done(w, r, path("organisations", string(q.Org)), "members.person.disabled", "name", q.Name)
}

func (p *Pages) enablePerson(w http.ResponseWriter, r *http.Request) error {
	_, q, err := p.managed(r)
	if err != nil {
		return err
	}
	if err := p.accounts.Enable(r.Context(), web.ActorOf(r), q.ID); err != nil {
		return err
	}
	return p.done(w, r, personPath(q), "members.person.enabled", "name", q.Name)
}

func (p *Pages) resetPassword(w http.ResponseWriter, r *http.Request) error {
	org, q, err := p.managed(r)
	if err != nil {
		return err
	}
	password, err := p.accounts.ResetPassword(r.Context(), web.ActorOf(r), q.ID)
	if err != nil {
		return err
	}
	return p.renderPassword(w, r, org, q, password, web.WordsOf(r).T("members.person.reset-done", "name", q.Name))
}

func (p *Pages) endSessionOf(w http.ResponseWriter, r *http.Request) error {
	_, q, err := p.managed(r)
	if err != nil {
		return err
	}
	if err := p.endOne(r, q.ID); err != nil {
		return err
	}
	return p.done(w, r, personPath(q), "members.sessions.ended")
}
