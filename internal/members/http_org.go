package members

import (
	"net/http"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

func (p *Pages) orgsPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderOrgs(w, r, answers{})
}

func (p *Pages) renderOrgs(w http.ResponseWriter, r *http.Request, a answers) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	all, err := p.neighbours(r.Context(), by)
	if err != nil {
		return err
	}
	t := table{Label: words.T("members.orgs")}
	for _, n := range all {
		name := cell{Text: n.Name, Href: path("organisations", string(n.ID)), Tag: whose(words, n.Org, by)}
		t.Rows = append(t.Rows, row{name, {Text: sectorText(words, n.Sector)}, {Text: n.Country}, {Text: strings.Join(n.Shared, ", ")}})
	}
	shared := "members.orgs.shared"
	if by.Role == polder.RoleAdmin {
		shared = "members.orgs.communities"
	}
	t = t.sorted(r.URL, web.Column{Key: "name", Label: words.T("members.name")}, web.Column{Key: "sector", Label: words.T("members.orgs.sector")},
		web.Column{Key: "country", Label: words.T("members.orgs.country")}, web.Column{Label: words.T(shared)})
	v := view{}
	lede := "members.orgs.lede"
	if by.Role == polder.RoleAdmin {
		lede = "members.orgs.lede-admin"
		v.Aside = []web.Block{block(words.T("members.orgs.new"), "", "form", form{Action: "/organisations", Submit: words.T("members.orgs.add"), Fields: orgFields(words, a, polder.Org{})})}
	} else if len(all) == 1 {
		t.Foot = words.T("members.orgs.alone")
	}
	v.Main = []web.Block{block(words.T("members.orgs.count", "n", len(all)), "", "table", t)}
	return p.render(w, r, web.Page{Title: words.T("members.orgs"), Lede: words.T(lede), Data: v}, a)
}

// sectorText is a term of the STIX vocabulary as people say it, or the word that was given.
func sectorText(words web.Words, sector string) string {
	if key := "members.sector." + sector; words.Has(key) {
		return words.T(key)
	}
	return strings.ReplaceAll(sector, "-", " ")
}

// orgFields are what an organisation is made from, or changed to.
func orgFields(words web.Words, a answers, o polder.Org) []web.Field {
	return []web.Field{
		a.field(web.Field{Name: "name", Label: words.T("members.orgs.name"), Help: words.T("members.orgs.name-help"), Value: o.Name, Required: true, Max: accounts.MaxName}),
		a.field(web.Field{Name: "country", Label: words.T("members.orgs.country"), Help: words.T("members.orgs.country-help"), Value: o.Country, Short: true, Max: 2}),
		a.field(web.Field{Name: "sector", Label: words.T("members.orgs.sector"), Help: words.T("members.orgs.sector-help"), Value: o.Sector, Max: 60}),
	}
}

// newOrg reads [orgFields].
func newOrg(words web.Words, a answers) (accounts.NewOrg, answers) {
	a.wrong = map[string]string{}
	n := accounts.NewOrg{Name: a.values.Get("name"), Country: a.values.Get("country"), Sector: a.values.Get("sector")}
	if strings.TrimSpace(n.Name) == "" {
		a.wrong["name"] = words.T("members.orgs.name-missing")
	}
	return n, a
}

func (p *Pages) addOrg(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	n, a := newOrg(web.WordsOf(r), answers{values: values})
	if len(a.wrong) > 0 {
		return p.renderOrgs(w, r, a)
	}
	o, err := p.accounts.AddOrg(r.Context(), web.ActorOf(r), n)
	if err != nil {
		if a, err = a.refused(err); err != nil {
			return err
		}
		return p.renderOrgs(w, r, a)
	}
	return p.done(w, r, path("organisations", string(o.ID)), "members.orgs.added", "name", o.Name)
}

func (p *Pages) orgPage(w http.ResponseWriter, r *http.Request) error {
	return p.renderOrg(w, r, answers{})
}

func (p *Pages) renderOrg(w http.ResponseWriter, r *http.Request, a answers) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	n, err := p.neighbour(r)
	if err != nil {
		return err
	}
	facts := []web.Pair{
		{Term: words.T("members.orgs.sector"), Text: orDashText(sectorText(words, n.Sector))},
		{Term: words.T("members.orgs.country"), Text: orDashText(n.Country)},
		{Term: words.T("members.orgs.id"), Text: string(n.ID), Code: true},
	}
	v := view{}
	lede := words.T("members.orgs.shares", "names", strings.Join(n.Shared, ", "))
	switch {
	case by.Role == polder.RoleAdmin && len(n.Shared) == 0:
		lede = words.T("members.orgs.in-none")
	case by.Role == polder.RoleAdmin, n.ID == by.Org && len(n.Shared) > 0:
		lede = words.T("members.orgs.belongs", "names", strings.Join(n.Shared, ", "))
	case n.ID == by.Org:
		lede = words.T("members.orgs.own-in-none")
	}
	if n.ID == by.Org || by.Role == polder.RoleAdmin {
		people, err := p.people(r, n.ID)
		if err != nil {
			return err
		}
		v.Main = append(v.Main, people)
		facts = append(facts, web.Pair{Term: words.T("members.orgs.widest"), TLP: n.Widest})
		v.Aside = p.orgForms(r, n, a)
	}
	v.Main = append(v.Main, block(words.T("members.orgs.about"), "", "facts", facts))
	return p.render(w, r, web.Page{Title: n.Name, Lede: lede, Crumbs: []web.Link{{Text: words.T("members.orgs"), Href: "/organisations"}}, Data: v}, a)
}

func orDashText(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// people lists who is in an organisation; who manages them gets to each.
func (p *Pages) people(r *http.Request, org polder.OrgID) (web.Block, error) {
	words, by := web.WordsOf(r), web.ActorOf(r)
	people, err := p.accounts.People(r.Context(), by, org)
	if err != nil {
		if polder.KindOf(err) != polder.NotFound {
			return web.Block{}, err
		}
		people = nil // a token for some communities reads no people
	}
	t := table{Label: words.T("members.people"), Empty: web.Empty{Icon: "person", Title: words.T("members.people.none"), Text: words.T("members.people.none-text")}}
	for _, q := range people {
		name := cell{Text: q.Name, Sub: q.Email}
		if manages(by, org) {
			name.Href = path("organisations", string(org), "people", string(q.ID))
		}
		state := personState(words, q)
		t.Rows = append(t.Rows, row{name, {Text: roleText(words, q.Role), sort: string(rune('0' + q.Role))}, {Tag: &state, sort: state.Text}, {At: q.Created}})
	}
	t = t.sorted(r.URL, web.Column{Key: "person", Label: words.T("members.name")}, web.Column{Key: "role", Label: words.T("members.role"), Down: true},
		web.Column{Key: "state", Label: words.T("members.state")}, web.Column{Key: "since", Label: words.T("members.since"), Down: true})
	return block(counted(words, "members.people", len(people)), "", "table", t), nil
}

func personState(words web.Words, q accounts.Person) tag {
	switch {
	case q.Disabled:
		return tag{"bad", "block", words.T("members.people.disabled")}
	case q.MustChange:
		return tag{"warn", "clock", words.T("members.people.new")}
	}
	return tag{"ok", "check", words.T("members.people.active")}
}

// orgForms are what whoever manages an organisation can change.
func (p *Pages) orgForms(r *http.Request, n neighbour, a answers) []web.Block {
	words, by := web.WordsOf(r), web.ActorOf(r)
	if !manages(by, n.ID) {
		return nil
	}
	at := path("organisations", string(n.ID))
	widest := web.Field{Name: "widest", Label: words.T("members.orgs.widest"), Help: words.T("members.orgs.widest-help")}
	for m := stix.Clear; m <= stix.Red; m++ {
		widest.Options = append(widest.Options, web.Option{Value: m.String(), Label: m.Label(), Chosen: m == n.Widest})
	}
	blocks := []web.Block{
		block(words.T("members.people.new-one"), "", "form", form{Action: at + "/people", Submit: words.T("members.people.add"), Note: words.T("members.people.add-note"), Fields: []web.Field{
			a.field(web.Field{Name: "person-name", Label: words.T("members.name"), Max: accounts.MaxName, Required: true}),
			a.field(web.Field{Name: "email", Label: words.T("members.email"), Help: words.T("members.people.email-help"), Type: "email", Max: 254, Required: true}),
			a.field(web.Field{Name: "role", Label: words.T("members.role"), Options: roleOptions(words, by.Role, polder.RoleContributor), Class: "one"}),
		}}),
		block(words.T("members.orgs.limits"), "", "form", form{Action: at + "/widest", Beside: true, Submit: words.T("members.save"), Fields: []web.Field{a.field(widest)}}),
	}
	if by.Role == polder.RoleAdmin {
		blocks = append(blocks, block(words.T("members.orgs.change"), "", "form", form{Action: at, Beside: true, Submit: words.T("members.save"), Fields: orgFields(words, a, n.Org)}))
	}
	return blocks
}

func (p *Pages) changeOrg(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	org, err := p.neighbour(r)
	if err != nil {
		return err
	}
	n, a := newOrg(web.WordsOf(r), answers{values: values})
	if len(a.wrong) == 0 {
		err = p.accounts.ChangeOrg(r.Context(), web.ActorOf(r), org.ID, n)
		if err == nil {
			return p.done(w, r, path("organisations", string(org.ID)), "members.saved")
		}
		if a, err = a.refused(err); err != nil {
			return err
		}
	}
	return p.renderOrg(w, r, a)
}

func (p *Pages) setWidest(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	n, err := p.neighbour(r)
	if err != nil {
		return err
	}
	m, err := stix.ParseMarking(values.Get("widest"))
	if err != nil {
		return polder.Errorf(polder.Invalid, "%.20q is no level; choose one of the list", values.Get("widest"))
	}
	if err := p.accounts.SetWidest(r.Context(), web.ActorOf(r), n.ID, m); err != nil {
		return err
	}
	return p.done(w, r, path("organisations", string(n.ID)), "members.saved")
}

func (p *Pages) addPerson(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	org, err := p.neighbour(r)
	if err != nil {
		return err
	}
	words := web.WordsOf(r)
	a := answers{values: values, wrong: map[string]string{}}
	n := accounts.NewPerson{Org: org.ID, Email: values.Get("email"), Name: values.Get("person-name")}
	if strings.TrimSpace(n.Email) == "" {
		a.wrong["email"] = words.T("members.people.email-missing")
	}
	if n.Role, err = polder.ParseRole(values.Get("role")); err != nil {
		a.wrong["role"] = web.Sentence(err.Error())
	}
	if len(a.wrong) > 0 {
		return p.renderOrg(w, r, a)
	}
	q, password, err := p.accounts.AddPerson(r.Context(), web.ActorOf(r), n)
	if err != nil {
		if !manages(web.ActorOf(r), org.ID) {
			return err
		}
		if a, err = a.refused(err); err != nil {
			return err
		}
		return p.renderOrg(w, r, a)
	}
	return p.renderPassword(w, r, org, q, password, words.T("members.person.added", "name", q.Name))
}

// renderPassword shows a generated password once.
func (p *Pages) renderPassword(w http.ResponseWriter, r *http.Request, org neighbour, q accounts.Person, password, title string) error {
	words := web.WordsOf(r)
	back := path("organisations", string(org.ID))
	return p.renderSecret(w, r, title, words.T("members.person.password-lede"),
		[]web.Link{{Text: words.T("members.orgs"), Href: "/organisations"}, {Text: org.Name, Href: back}}, secret{
			Text: password, Says: words.T("members.person.password-says"), Next: web.Action{Label: words.T("members.person.password-kept"), Href: back, Primary: true},
			Pairs: []web.Pair{{Term: words.T("members.person.logs-in"), Text: q.Email}, {Term: words.T("members.role"), Text: roleText(words, q.Role)}},
		})
}

// whose marks the reader's own organisation, and those that live on another node.
func whose(words web.Words, o polder.Org, by polder.Actor) *tag {
	switch {
	case o.ID == by.Org:
		return &tag{"info", "person", words.T("members.orgs.own")}
	case o.Remote():
		return &tag{"", "out", words.T("members.orgs.elsewhere")}
	}
	return nil
}
