package members

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// scriptPath is where the script of invitations lies.
const scriptPath = "/invitation.js"

func (p *Pages) script(w http.ResponseWriter, _ *http.Request) error {
	body, err := files.ReadFile("static/invitation.js")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	_, _ = w.Write(body) // the client is gone
	return nil
}

// logInPage asks who it is. Whoever is logged in goes on; whoever has yet to choose a password goes there.
func (p *Pages) logInPage(w http.ResponseWriter, r *http.Request) error {
	next := web.LocalPath(r.URL.Query().Get("next"))
	if web.ActorOf(r) != (polder.Actor{}) {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	if _, ok, err := p.newcomer(r); err != nil || ok {
		return p.toFirstPassword(w, r, next, err)
	}
	return p.renderLogIn(w, r, next, answers{}, "")
}

// toFirstPassword sends a newcomer on to choose a password.
func (p *Pages) toFirstPassword(w http.ResponseWriter, r *http.Request, next string, err error) error {
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/login/password?"+url.Values{"next": {next}}.Encode(), http.StatusSeeOther)
	return nil
}

func (p *Pages) renderLogIn(w http.ResponseWriter, r *http.Request, next string, a answers, says string) error {
	words := web.WordsOf(r)
	v := view{Script: scriptPath, Form: form{
		Action: "/login", Submit: words.T("members.login.submit"), Large: true, Class: "invitation",
		Hidden: []web.Hidden{{Name: "next", Value: next}},
		Fields: []web.Field{
			a.field(web.Field{Name: "email", Label: words.T("members.login.name"), Help: words.T("members.login.name-help"), Autocomplete: "username", Required: true, Max: 254}),
			a.field(web.Field{Name: "password", Label: words.T("members.login.password"), Type: "password", Autocomplete: "current-password", Required: true, Max: accounts.MaxPassword}),
		},
		Note: words.T("members.login.forgotten"),
	}}
	if says != "" {
		v.Alert = &web.Alert{Class: "bad", Title: says}
	}
	other, scripts := p.otherWays(r, next)
	v.Main = other
	status := 0
	if a.failed != nil {
		status = web.Status(a.failed)
	}
	page := web.Page{Template: "members/solo", Title: words.T("members.login"), Lede: words.T("members.login.lede"), Solo: true, Status: status, Scripts: scripts, Data: v}
	return p.render(w, r, page, answers{wrong: a.wrong})
}

// logIn begins a session.
func (p *Pages) logIn(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	words, next := web.WordsOf(r), web.LocalPath(values.Get("next"))
	a := answers{values: values, wrong: map[string]string{}}
	for _, name := range []string{"email", "password"} {
		if values.Get(name) == "" {
			a.wrong[name] = words.T("members.login." + name + "-missing")
		}
	}
	if len(a.wrong) > 0 {
		return p.renderLogIn(w, r, next, a, "")
	}
	cookie, ses, err := p.accounts.LogIn(r.Context(), values.Get("email"), values.Get("password"), p.o.From(r), r.UserAgent())
	if err != nil {
		return p.logInRefused(w, r, next, a, err)
	}
	if err := p.start(w, r, cookie, ses); err != nil {
		return err
	}
	if ses.MustChange {
		return p.toFirstPassword(w, r, next, nil)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// logInRefused shows the form again and says why: a wrong name or password, without saying which; or when to try again.
func (p *Pages) logInRefused(w http.ResponseWriter, r *http.Request, next string, a answers, err error) error {
	words := web.WordsOf(r)
	a.failed = err
	switch polder.KindOf(err) {
	case polder.Unauthorised:
		w.Header().Set("WWW-Authenticate", `Bearer realm="polder"`)
		return p.renderLogIn(w, r, next, a, words.T("members.login.wrong"))
	case polder.Limited:
		after := accounts.RetryAfter(err)
		w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
		return p.renderLogIn(w, r, next, a, words.T("members.login.limited", "time", words.Span(after)))
	}
	return err
}

// logOut ends the session of this browser.
func (p *Pages) logOut(w http.ResponseWriter, r *http.Request) error {
	if cookie := p.site.Session(r); cookie != "" {
		if err := p.accounts.LogOut(r.Context(), cookie); err != nil {
			return err
		}
	}
	p.site.EndSession(w)
	return p.done(w, r, "/login", "members.login.out")
}

// newcomer is somebody whose session allows one thing: to choose a password.
type newcomer struct {
	actor polder.Actor
	ses   accounts.Session
}

// newcomer is who has logged in with a generated password here; ok is false when nobody has.
func (p *Pages) newcomer(r *http.Request) (n newcomer, ok bool, err error) {
	cookie := p.site.Session(r)
	if cookie == "" {
		return n, false, nil
	}
	n.actor, n.ses, err = p.accounts.Session(r.Context(), cookie)
	if polder.KindOf(err) == polder.Unauthorised {
		return n, false, nil
	}
	return n, err == nil && n.ses.MustChange, err
}

func (p *Pages) firstPasswordPage(w http.ResponseWriter, r *http.Request) error {
	next := web.LocalPath(r.URL.Query().Get("next"))
	_, ok, err := p.newcomer(r)
	if err != nil {
		return err
	}
	if !ok {
		http.Redirect(w, r, "/login?"+url.Values{"next": {next}}.Encode(), http.StatusSeeOther)
		return nil
	}
	return p.renderFirstPassword(w, r, next, answers{})
}

func (p *Pages) renderFirstPassword(w http.ResponseWriter, r *http.Request, next string, a answers) error {
	words := web.WordsOf(r)
	v := view{Script: scriptPath, Form: form{
		Action: "/login/password", Submit: words.T("members.first-password.submit"), Large: true, Class: "invitation",
		Hidden: []web.Hidden{{Name: "next", Value: next}},
		Fields: passwordFields(words, a, words.T("members.first-password.given")),
	}}
	return p.render(w, r, web.Page{Template: "members/solo", Title: words.T("members.first-password"), Lede: words.T("members.first-password.lede"), Solo: true, Data: v}, a)
}

// firstPassword takes the password that a newcomer chose; from then on the session is one like others.
func (p *Pages) firstPassword(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	n, ok, err := p.newcomer(r)
	if err != nil {
		return err
	}
	next := web.LocalPath(values.Get("next"))
	if !ok {
		http.Redirect(w, r, "/login?"+url.Values{"next": {next}}.Encode(), http.StatusSeeOther)
		return nil
	}
	a, err := p.choosePassword(r, n.actor, n.ses.ID, values)
	if err != nil {
		return err
	}
	if a.status() != http.StatusOK {
		return p.renderFirstPassword(w, r, next, a)
	}
	return p.done(w, r, next, "members.password.changed")
}

// passwordFields are the three fields of whoever chooses a password. old names the first.
func passwordFields(words web.Words, a answers, old string) []web.Field {
	return []web.Field{
		a.field(web.Field{Name: "old", Label: old, Type: "password", Autocomplete: "current-password", Required: true, Max: accounts.MaxPassword}),
		a.field(web.Field{Name: "new", Label: words.T("members.password.new"), Help: words.T("members.password.help", "n", accounts.MinPassword), Type: "password", Autocomplete: "new-password", Required: true, Max: accounts.MaxPassword}),
		a.field(web.Field{Name: "again", Label: words.T("members.password.again"), Type: "password", Autocomplete: "new-password", Required: true, Max: accounts.MaxPassword}),
	}
}

// choosePassword changes by's password. What the reader can mend is in the answers; an error is for the door.
func (p *Pages) choosePassword(r *http.Request, by polder.Actor, keep accounts.SessionID, values url.Values) (answers, error) {
	words := web.WordsOf(r)
	a := answers{values: values, wrong: map[string]string{}}
	if values.Get("new") != values.Get("again") {
		a.wrong["again"] = words.T("members.password.differ")
		return a, nil
	}
	person, err := p.accounts.Person(r.Context(), by.Person)
	if err != nil {
		return a, err
	}
	if err := accounts.CheckPassword(values.Get("new"), person.Email); err != nil {
		a.wrong["new"] = web.Sentence(err.Error())
		return a, nil
	}
	err = p.accounts.ChangePassword(r.Context(), by, values.Get("old"), values.Get("new"), keep)
	switch polder.KindOf(err) {
	case polder.Forbidden:
		a.wrong["old"] = words.T("members.password.old-wrong")
		return a, nil
	case polder.Invalid:
		a.wrong["new"] = web.Sentence(err.Error())
		return a, nil
	}
	return a, later(err)
}
