package exchange

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// act is something that a reader may do with an object. Each is a dialog on the object's page, and a page of its own for
// browsers that open no dialogs and for answers that need a change.
type act struct {
	name   string // of the address and the texts
	danger bool
	away   bool // afterwards the object may be gone: the list follows
	may    func(*sheet) bool
	fields func(*Pages, *sheet) ([]web.Field, error)
	do     func(*Pages, *sheet, url.Values) (Result, error)
}

var acts = []act{
	{name: "sighting", may: answersTo, fields: sightingFields, do: (*Pages).doSighting},
	{name: "opinion", may: answersTo, fields: opinionFields, do: (*Pages).doOpinion},
	{name: "note", may: answersTo, fields: noteFields, do: (*Pages).doNote},
	{name: "propose", may: proposes, fields: proposalFields, do: (*Pages).doPropose},
	{name: "custodian", may: func(sh *sheet) bool { return manages(sh) && sh.now.Version != "" }, fields: custodianFields, do: (*Pages).doCustodian},
	{name: "withdraw", danger: true, away: true, may: withdraws, fields: whyFields, do: (*Pages).doWithdraw},
	{name: "erase", danger: true, away: true, may: manages, fields: whyFields, do: (*Pages).doErase},
}

// answersTo: who may share may say something about an object that still says something itself.
func answersTo(sh *sheet) bool {
	return sh.at.Right(sh.rd.by) >= polder.RoleContributor && !sh.now.Erased
}

func manages(sh *sheet) bool { return sh.at.Right(sh.rd.by) >= polder.RoleSteward && !sh.now.Erased }

// withdraws: its custodian, a steward, and whoever shared an observable, which has no custodian (X15).
func withdraws(sh *sheet) bool {
	own := sh.now.Custodian == sh.rd.by.Org
	if sh.now.Version == "" {
		own = sh.now.Sharer == sh.rd.by.Org
	}
	return manages(sh) || answersTo(sh) && own
}

// actRoutes are a page and a form for each act.
func (p *Pages) actRoutes() (all []web.Route) {
	for _, a := range acts {
		need := web.Contributor
		if a.name == "custodian" || a.name == "erase" {
			need = web.Steward
		}
		at := "/objects/{id}/" + a.name
		all = append(all, web.Route{Method: http.MethodGet, Pattern: at, Need: need, Exit: "exchange.object", Handler: handler(func(w http.ResponseWriter, r *http.Request) error {
			rd, sh, err := p.acting(r, a, r.URL.Query().Get("community"))
			if err != nil {
				return err
			}
			return p.actPage(w, r, rd, sh, a, nil, web.Alert{}, http.StatusOK)
		}).serve}, web.Route{Method: http.MethodPost, Pattern: at, Need: need, Exit: "exchange.object", Handler: handler(func(w http.ResponseWriter, r *http.Request) error {
			return p.perform(w, r, a)
		}).serve})
	}
	return all
}

// acting reads the object, and refuses whoever may not act on it.
func (p *Pages) acting(r *http.Request, a act, community string) (*reader, *sheet, error) {
	rd, err := p.reader(r)
	if err != nil {
		return nil, nil, err
	}
	sh, err := p.sheet(rd, strings.ToLower(r.PathValue("id")), community)
	if err == nil && !a.may(sh) {
		err = polder.Errorf(polder.Forbidden, "%s: you may read this object but not do this with it; its custodian or a steward may", a.name)
	}
	return rd, sh, err
}

// perform does what a form asks for.
func (p *Pages) perform(w http.ResponseWriter, r *http.Request, a act) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	rd, sh, err := p.acting(r, a, form.Get("community"))
	if err != nil {
		return err
	}
	given := url.Values{}
	for name, value := range r.PostForm {
		given[strings.TrimPrefix(name, a.name+"-")] = value
	}
	res, err := a.do(p, sh, given)
	switch {
	case polder.KindOf(err) == polder.Invalid || polder.KindOf(err) == polder.Conflict:
		return p.actPage(w, r, rd, sh, a, r.PostForm, web.Alert{Class: "bad", Title: rd.words.T("exchange.act.refused"), Text: web.Sentence(err.Error())}, web.Status(err))
	case err != nil:
		return err
	case len(res.Refused) > 0:
		return p.actPage(w, r, rd, sh, a, r.PostForm, web.Alert{Class: "bad", Title: rd.words.T("exchange.act.refused"), Text: web.Sentence(res.Refused[0].Error)}, http.StatusUnprocessableEntity)
	case res.Waits():
		if name := a.name + "-override"; res.Stopped() {
			r.PostForm.Set(name, r.PostForm.Get(name)) // the page asks for it
		}
		var why []string
		for _, warning := range res.Warnings {
			why = append(why, strings.TrimPrefix(warning.Value+": "+warning.Reason, ": "))
		}
		r.PostForm.Set("confirm", "1")
		return p.actPage(w, r, rd, sh, a, r.PostForm, web.Alert{Class: "warn", Title: rd.words.T("exchange.act.careless"), Text: strings.Join(why, "; ")}, http.StatusConflict)
	}
	p.site.Toast(w, "", "exchange.act."+a.name+".done")
	to := query(link(sh.now.ID), "community", sh.at.Alias)
	if a.away {
		to = "/objects"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// confirmView is the data of templates/confirm.html: the form of a dialog on a page of its own.
type confirmView struct {
	Alert  *web.Alert
	Dialog web.Dialog
	Back   string
}

func (p *Pages) actPage(w http.ResponseWriter, r *http.Request, rd *reader, sh *sheet, a act, values url.Values, alert web.Alert, status int) error {
	d, err := p.dialog(sh, a, values)
	if err != nil {
		return err
	}
	v := confirmView{Dialog: d, Back: query(link(sh.now.ID), "community", sh.at.Alias)}
	if alert.Title != "" {
		v.Alert = &alert
	}
	p.site.Render(w, r, web.Page{Template: "exchange/confirm", Title: d.Title, Lede: d.Text, TLP: sh.now.Level, Status: status, Data: v, Crumbs: []web.Link{{Text: rd.words.T("exchange.objects"), Href: "/objects"}, {Text: sh.now.Title, Href: v.Back}}})
	return nil
}

// dialogs are those of everything that the reader may do.
func (p *Pages) dialogs(sh *sheet) (all []web.Dialog, err error) {
	for _, a := range acts {
		if !a.may(sh) {
			continue
		}
		d, err := p.dialog(sh, a, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func (p *Pages) dialog(sh *sheet, a act, values url.Values) (web.Dialog, error) {
	words, key := sh.rd.words, "exchange.act."+a.name
	fields, err := a.fields(p, sh)
	if err != nil {
		return web.Dialog{}, err
	}
	if _, asked := values[a.name+"-override"]; asked {
		fields = append(fields, overrideField(words, ""))
	}
	for i := range fields {
		fields[i].Name = a.name + "-" + fields[i].Name // several dialogs stand on one page
		fields[i] = answered(fields[i], values)
	}
	at := address("objects", sh.now.ID, a.name)
	d := web.Dialog{ID: a.name, Title: words.T(key+".title", "what", sh.now.Title), Text: words.T(key+".text", "name", sh.at.Name), Action: at, Page: query(at, "community", sh.at.Alias),
		Open: words.T(key + ".open"), Submit: words.T(key + ".submit"), Danger: a.danger, Fields: fields, Hidden: []web.Hidden{{Name: "community", Value: sh.at.Alias}}}
	if !a.danger {
		d.Keep = words.T("exchange.act.not-now")
	}
	if values.Get("confirm") != "" {
		d.Hidden = append(d.Hidden, web.Hidden{Name: "confirm", Value: "1"})
	}
	return d, nil
}

// answered is a field with what was written into it.
func answered(f web.Field, values url.Values) web.Field {
	given, there := values[f.Name]
	if !there {
		return f
	}
	f.Value = given[0]
	for i := range f.Options {
		f.Options[i].Chosen = f.Options[i].Value == given[0]
	}
	return f
}

// about is what an answer is about, and whose name it bears.
func about(sh *sheet, f url.Values) About {
	return About{ID: sh.now.ID, Community: sh.at.Alias, Named: f.Get("named") == "yes", Confirmed: f.Get("confirm") != "", Override: f.Get("override")}
}

func namedField(sh *sheet) web.Field {
	words := sh.rd.words
	return web.Field{Name: "named", Label: words.T("exchange.share.name-us"), Options: []web.Option{{Value: "no", Label: words.T("exchange.share.blind"), Chosen: true},
		{Value: "yes", Label: words.T("exchange.share.named", "name", sh.rd.orgs[sh.rd.by.Org])}}}
}

func whyFields(_ *Pages, sh *sheet) ([]web.Field, error) {
	words := sh.rd.words
	return []web.Field{{Name: "why", Label: words.T("exchange.act.why"), Help: words.T("exchange.act.why-help"), Rows: 2, Max: 500, Required: true}}, nil
}

// whyOf is the reason of a form; who takes something out says why.
func whyOf(f url.Values) (string, error) {
	why := strings.TrimSpace(f.Get("why"))
	if why == "" {
		return "", polder.Errorf(polder.Invalid, "why: say in a few words why; it stands in the audit log")
	}
	return why, nil
}

func sightingFields(_ *Pages, sh *sheet) ([]web.Field, error) {
	words := sh.rd.words
	return []web.Field{{Name: "count", Label: words.T("exchange.act.count"), Type: "number", Value: "1", Short: true},
		{Name: "seen", Label: words.T("exchange.act.seen"), Help: words.T("exchange.act.seen-help"), Type: "datetime-local", Short: true},
		{Name: "text", Label: words.T("exchange.act.how"), Help: words.T("exchange.share.description-help"), Rows: 3, Max: 2000},
		{Name: "blocked", Label: words.T("exchange.act.blocked"), Options: []web.Option{{Value: "no", Label: words.T("exchange.act.blocked-no"), Chosen: true}, {Value: "yes", Label: words.T("exchange.act.blocked-yes")}}}, namedField(sh)}, nil
}

func opinionFields(_ *Pages, sh *sheet) ([]web.Field, error) {
	words := sh.rd.words
	value := web.Field{Name: "value", Label: words.T("exchange.act.agree")}
	for i := len(Opinions) - 1; i >= 0; i-- {
		value.Options = append(value.Options, web.Option{Value: Opinions[i], Label: words.T("exchange.opinion." + Opinions[i]), Chosen: Opinions[i] == "agree"})
	}
	return []web.Field{value, {Name: "text", Label: words.T("exchange.act.why"), Rows: 3, Max: 2000}, namedField(sh)}, nil
}

func noteFields(_ *Pages, sh *sheet) ([]web.Field, error) {
	words := sh.rd.words
	return []web.Field{{Name: "abstract", Label: words.T("exchange.act.abstract"), Max: 200}, {Name: "text", Label: words.T("exchange.content"), Help: words.T("exchange.share.description-help"), Rows: 5, Max: 10000, Required: true}, namedField(sh)}, nil
}

func custodianFields(p *Pages, sh *sheet) ([]web.Field, error) {
	members, err := p.accounts.MemberList(sh.rd.ctx, sh.rd.by, sh.at.Community.ID)
	to := web.Field{Name: "to", Label: sh.rd.words.T("exchange.act.to")}
	for _, m := range members {
		if m.Accepted && m.Role >= polder.RoleContributor {
			to.Options = append(to.Options, web.Option{Value: string(m.Org), Label: m.Organisation.Name})
		}
	}
	return []web.Field{to}, err
}

func (p *Pages) doSighting(sh *sheet, f url.Values) (Result, error) {
	g := Sighting{About: about(sh, f), Text: strings.TrimSpace(f.Get("text")), Blocked: f.Get("blocked") == "yes"}
	var err error
	if n := strings.TrimSpace(f.Get("count")); n != "" {
		if g.Count, err = strconv.Atoi(n); err != nil || g.Count < 1 {
			return Result{}, polder.Errorf(polder.Invalid, "how often: %q is not a number from 1 on", n)
		}
	}
	if at := f.Get("seen"); at != "" {
		if g.First, err = time.Parse("2006-01-02T15:04", at); err != nil {
			return Result{}, polder.Errorf(polder.Invalid, "when: %q is no time such as 2026-11-24T09:12", at)
		}
		g.Last = g.First
	}
	return p.MakeSighting(sh.rd.ctx, sh.rd.by, g)
}

func (p *Pages) doOpinion(sh *sheet, f url.Values) (Result, error) {
	return p.MakeOpinion(sh.rd.ctx, sh.rd.by, Opinion{About: about(sh, f), Value: f.Get("value"), Text: strings.TrimSpace(f.Get("text"))})
}

func (p *Pages) doNote(sh *sheet, f url.Values) (Result, error) {
	return p.MakeNote(sh.rd.ctx, sh.rd.by, Note{About: about(sh, f), Abstract: strings.TrimSpace(f.Get("abstract")), Text: strings.TrimSpace(f.Get("text"))})
}

func (p *Pages) doCustodian(sh *sheet, f url.Values) (Result, error) {
	return Result{}, p.Reassign(sh.rd.ctx, sh.rd.by, sh.at.Alias, sh.now.ID, polder.OrgID(f.Get("to")))
}

func (p *Pages) doWithdraw(sh *sheet, f url.Values) (Result, error) { return p.takeAway(sh, f, false) }

func (p *Pages) doErase(sh *sheet, f url.Values) (Result, error) { return p.takeAway(sh, f, true) }

func (p *Pages) takeAway(sh *sheet, f url.Values, erase bool) (Result, error) {
	why, err := whyOf(f)
	if err == nil {
		_, err = p.Withdraw(sh.rd.ctx, sh.rd.by, Withdrawal{Community: sh.at.Alias, ID: sh.now.ID, Erase: erase, Reason: why})
	}
	return Result{}, err
}
