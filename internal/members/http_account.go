package members

import (
	"net/http"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
)

// keep puts a person's preferences on this device, where the console reads them: what the person has not chosen stays
// as the device has it.
func (p *Pages) keep(w http.ResponseWriter, choice accounts.Preferences) {
	device := map[string]string{"polder-lang": choice.Language, "polder-theme": choice.Theme}
	if !choice.Shortcuts {
		device["polder-keys"] = "off"
	}
	for name, value := range device {
		if value != "" {
			p.setCookie(w, name, value, 365*24*3600)
		}
	}
}

func (p *Pages) setCookie(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: p.o.Secure, SameSite: http.SameSiteLaxMode})
}

// me is the person who asks; a token has no account.
func (p *Pages) me(r *http.Request) (accounts.Person, error) {
	by := web.ActorOf(r)
	if by.Person == "" {
		return accounts.Person{}, polder.Errorf(polder.Forbidden, "a token has no account; log in as a person")
	}
	return p.accounts.Person(r.Context(), by.Person)
}

func (p *Pages) accountPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderAccount(w, r, answers{})
}

func (p *Pages) renderAccount(w http.ResponseWriter, r *http.Request, a answers) error {
	me, err := p.me(r)
	if err != nil {
		return err
	}
	sessions, err := p.accounts.Sessions(r.Context(), web.ActorOf(r), me.ID)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	here, err := p.here(r)
	if err != nil {
		return err
	}
	others, err := p.signInBlocks(r, me)
	if err != nil {
		return err
	}
	v := view{
		Main: []web.Block{
			block(words.T("members.account.prefs"), "", "form", preferencesForm(words, me)),
			block(words.T("members.account.sessions"), words.T("members.account.sessions-note"), "table",
				sessionTable(words, sessions, here.ID, func(id accounts.SessionID) string { return path("account", "sessions", string(id), "end") })),
		},
		Aside: []web.Block{
			block(words.T("members.account.who"), "", "facts", []web.Pair{
				{Term: words.T("members.name"), Text: me.Name},
				{Term: words.T("members.email"), Text: me.Email},
				{Term: words.T("members.org"), Text: web.IdentityIn(r.Context()).OrgName, Href: path("organisations", string(me.Org))},
				{Term: words.T("members.role"), Text: roleText(words, me.Role)},
			}),
			block(words.T("members.account.password"), "", "form", form{Action: "/account/password", Beside: true, Submit: words.T("members.account.password-submit"),
				Fields: passwordFields(words, a, words.T("members.password.old"))}),
		},
	}
	v.Main = append(v.Main, others...)
	page := web.Page{Title: words.T("members.account"), Lede: words.T("members.account.lede"), Data: v}
	if p.passkeysAt(r) {
		page.Scripts = []string{passkeyScript}
	}
	return p.render(w, r, page, a)
}

// here is the session of this browser; the zero one when it has none.
func (p *Pages) here(r *http.Request) (accounts.Session, error) {
	cookie := p.site.Session(r)
	if cookie == "" {
		return accounts.Session{}, nil
	}
	_, ses, err := p.accounts.Session(r.Context(), cookie)
	if polder.KindOf(err) == polder.Unauthorised {
		err = nil
	}
	return ses, err
}

func preferencesForm(words web.Words, me accounts.Person) form {
	option := func(value, key, chosen string) web.Option {
		return web.Option{Value: value, Label: words.T("members.account." + key), Chosen: value == chosen}
	}
	languages := []web.Option{option("", "lang-browser", me.Language), option("en", "lang-en", me.Language), option("nl", "lang-nl", me.Language)}
	themes := []web.Option{option("", "theme-system", me.Theme), option("light", "theme-light", me.Theme), option("dark", "theme-dark", me.Theme)}
	return form{Action: "/account", Submit: words.T("members.account.prefs-submit"), Fields: []web.Field{
		{Name: "language", Label: words.T("members.account.lang"), Options: languages, Class: "across"},
		{Name: "theme", Label: words.T("members.account.theme"), Options: themes, Class: "across"},
		{Name: "shortcuts", Label: words.T("members.account.keys"), Help: words.T("members.account.keys-help"), Many: true,
			Options: []web.Option{{Value: "on", Label: words.T("members.account.keys-on"), Chosen: me.Shortcuts}}},
	}}
}

func (p *Pages) setPreferences(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	choice := accounts.Preferences{Language: values.Get("language"), Theme: values.Get("theme"), Shortcuts: slices.Contains(values["shortcuts"], "on")}
	if err := p.accounts.SetPreferences(r.Context(), web.ActorOf(r), choice); err != nil {
		return err
	}
	for name, chosen := range map[string]bool{"polder-lang": choice.Language != "", "polder-theme": choice.Theme != "", "polder-keys": !choice.Shortcuts} {
		if !chosen {
			p.setCookie(w, name, "", -1) // what was kept on this device gives way to "as the device"
		}
	}
	p.keep(w, choice)
	return p.done(w, r, "/account", "members.account.saved")
}

func (p *Pages) changePassword(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if _, err := p.me(r); err != nil {
		return err
	}
	here, err := p.here(r)
	if err != nil {
		return err
	}
	a, err := p.choosePassword(r, web.ActorOf(r), here.ID, values)
	if err != nil {
		return err
	}
	if a.status() != http.StatusOK {
		return p.renderAccount(w, r, a)
	}
	return p.done(w, r, "/account", "members.password.changed")
}

// sessionTable lists sessions; here is the one that asks, which ends by logging out. end is where another one ends.
func sessionTable(words web.Words, sessions []accounts.Session, here accounts.SessionID, end func(accounts.SessionID) string) table {
	t := table{Label: words.T("members.account.sessions"), Empty: web.Empty{Icon: "screen", Title: words.T("members.sessions.none"), Text: words.T("members.sessions.none-text")},
		Heads: plainHeads(words.T("members.sessions.device"), words.T("members.sessions.from"), words.T("members.sessions.seen"), words.T("members.sessions.began"), words.T("members.actions"))}
	for _, s := range sessions {
		last := cell{Post: &button{Action: end(s.ID), Label: words.T("members.sessions.end"), Name: words.T("members.sessions.end-named", "device", device(words, s.Agent))}, Bare: true}
		if s.ID == here {
			last = cell{Tag: &tag{"info", "check", words.T("members.sessions.this")}, Bare: true}
		}
		t.Rows = append(t.Rows, row{{Text: device(words, s.Agent)}, {Text: s.Network}, {At: s.Seen}, {At: s.Created}, last})
	}
	return t
}

// browsers and systems are words in what browsers call themselves; the first that is there counts.
var (
	browsers = []string{"Firefox", "Edg", "OPR", "Chrome", "Safari", "curl"}
	systems  = []string{"Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux"}
	called   = map[string]string{"Edg": "Edge", "OPR": "Opera", "Mac OS X": "macOS", "CrOS": "ChromeOS"}
)

// device says in two words what a browser calls itself. Any of it may be a lie.
func device(words web.Words, agent string) string {
	first := func(of []string) string {
		for _, name := range of {
			if strings.Contains(agent, name) {
				if other, ok := called[name]; ok {
					return other
				}
				return name
			}
		}
		return ""
	}
	browser, system := first(browsers), first(systems)
	switch {
	case browser == "" && system == "":
		return words.T("members.sessions.unknown")
	case browser == "" || system == "":
		return browser + system
	}
	return words.T("members.sessions.on", "browser", browser, "system", system)
}

func (p *Pages) endSession(w http.ResponseWriter, r *http.Request) error {
	me, err := p.me(r)
	if err != nil {
		return err
	}
	if err := p.endOne(r, me.ID); err != nil {
		return err
	}
	return p.done(w, r, "/account", "members.sessions.ended")
}

// endOne ends the session {id} if it is one of person's: an address names whose it is, and is held to that.
func (p *Pages) endOne(r *http.Request, person polder.PersonID) error {
	by, id := web.ActorOf(r), accounts.SessionID(r.PathValue("id"))
	sessions, err := p.accounts.Sessions(r.Context(), by, person)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(sessions, func(s accounts.Session) bool { return s.ID == id }) {
		return polder.Errorf(polder.NotFound, "there is no such session, or it has ended")
	}
	return p.accounts.RevokeSession(r.Context(), by, id)
}
