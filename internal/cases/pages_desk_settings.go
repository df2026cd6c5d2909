package cases

import (
	"net/http"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
)

// This file holds the pages of desks: which there are, what is said of them, who reads, and the poster.

// deskList lists the desks of the organisation, with the form of a new one for stewards.
func (p *Pages) deskList(w http.ResponseWriter, r *http.Request) error {
	return p.showDesks(w, r, DeskSettings{Kind: DeskReports, Listed: true}, nil)
}

func (p *Pages) showDesks(w http.ResponseWriter, r *http.Request, in DeskSettings, wrong error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	desks, err := p.OwnDesks(r.Context(), by)
	if err != nil {
		return err
	}
	v := caseView{Tabs: caseTabs(words, by, "/cases/desks"), Alerts: caseNotDone(words, wrong), Actions: []web.Action{{Label: words.T("cases.desk.key"), Href: "/cases/key", Icon: "lock"}}}
	t := caseTable{Label: words.T("cases.tab.desks"), Heads: web.PlainHeads(words.T("cases.desk.name"), words.T("cases.desk.kind"), words.T("cases.desk.address"), words.T("cases.desk.readers")),
		Empty: web.Empty{Icon: "flag", Title: words.T("cases.desks.none"), Text: words.T("cases.desks.none.text")}}
	for _, d := range desks {
		reading, waiting := deskCount(d)
		readers := caseCell{Text: words.T("cases.desk.readers.n", "n", reading)}
		switch {
		case reading == 0:
			readers.Mark = caseMark{"bad", "alert", words.T("cases.desk.nobody")}
		case waiting > 0:
			readers.Mark = caseMark{"warn", "clock", words.T("cases.desk.waiting.n", "n", waiting)}
		}
		t.add(caseRow{Name: d.Name, Href: deskPath(d.Alias), Cells: []caseCell{{Text: words.T("cases.desk.kind." + string(d.Kind))}, {Text: deskAddress(d.Kind, d.Alias)}, readers}})
	}
	v.add(caseBlock(words.T("cases.desks.all"), "", "case-table", t))
	if deskSteward(by) {
		f := deskFields(words, in, true)
		caseBlame(&f, wrong)
		v.Errors = f.errors()
		v.beside(caseBlock(words.T("cases.desk.new"), "", "case-form", f))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: words.T("cases.tab.desks"), Lede: words.T("cases.desks.lede"), Status: caseStatus(wrong), Crumbs: deskCrumbs(words), Data: v})
	return nil
}

func deskCount(d DeskDetail) (reading, waiting int) {
	for _, one := range d.Readers {
		switch one.State {
		case DeskReaderReading:
			reading++
		case DeskReaderWaiting:
			waiting++
		}
	}
	return reading, waiting
}

// deskFields are the form of a desk, new or as it stands.
func deskFields(words web.Words, in DeskSettings, fresh bool) caseForm {
	f := caseForm{Action: "/cases/desks", Submit: words.T("cases.desk.make"), Primary: true}
	f.Fields = []web.Field{{Name: "name", Label: words.T("cases.desk.name"), Help: words.T("cases.desk.name.help"), Value: in.Name, Max: maxDeskName, Required: true}}
	if fresh {
		f.Fields = append(f.Fields,
			web.Field{Name: "alias", Label: words.T("cases.desk.alias"), Help: words.T("cases.desk.alias.help"), Value: in.Alias, Max: maxDeskAlias, Short: true},
			web.Field{Name: "kind", Label: words.T("cases.desk.kind"), Class: "across", Options: caseOptions([]DeskKind{DeskReports, DeskTeam, DeskPressed}, in.Kind, func(k DeskKind) string { return words.T("cases.desk.kind." + string(k)) })},
			deskYes(words, "confirmed", "cases.desk.confirmed", in.Confirmed))
	} else {
		f.Action, f.Submit = deskPath(in.Alias), words.T("cases.desk.save")
		f.Hidden = []web.Hidden{{Name: "kind", Value: string(in.Kind)}}
		if in.Kind == DeskPressed {
			f.Fields = append(f.Fields, deskYes(words, "confirmed", "cases.desk.confirmed", true))
		}
	}
	f.Fields = append(f.Fields,
		deskYes(words, "listed", "cases.desk.listed", in.Listed),
		web.Field{Name: "promise", Label: words.T("cases.desk.promise"), Help: words.T("cases.desk.promise.help"), Value: in.Promise, Rows: 3, Max: maxDeskPromise},
		web.Field{Name: "phone", Label: words.T("cases.desk.phone"), Help: words.T("cases.desk.phone.help"), Value: in.Phone, Max: maxDeskPhone, Short: true},
		web.Field{Name: "team", Label: words.T("cases.desk.team"), Help: words.T("cases.desk.team.help"), Value: in.Team, Max: maxDeskAlias, Short: true})
	return f
}

// deskYes is a box to tick.
func deskYes(words web.Words, name, key string, chosen bool) web.Field {
	return web.Field{Name: name, Label: words.T(key), Help: words.T(key + ".help"), Many: true, Class: "across", Options: []web.Option{{Value: "yes", Label: words.T(key + ".yes"), Chosen: chosen}}}
}

func (p *Pages) deskOpen(w http.ResponseWriter, r *http.Request) error {
	v, err := web.Form(r)
	if err != nil {
		return err
	}
	in := deskForm(v)
	d, err := p.OpenDesk(r.Context(), web.ActorOf(r), in)
	switch {
	case web.Mendable(err):
		return p.showDesks(w, r, in, err)
	case err != nil:
		return err
	}
	return p.caseDone(w, r, deskPath(d.Alias), "cases.desk.opened", "desk", d.Name)
}

// deskOne is one desk: what is said of it, who reads, and the list of keys.
func (p *Pages) deskOne(w http.ResponseWriter, r *http.Request) error {
	return p.showDesk(w, r, nil, nil)
}

func (p *Pages) showDesk(w http.ResponseWriter, r *http.Request, in *DeskSettings, wrong error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	d, err := p.OwnDesk(r.Context(), by, r.PathValue("alias"))
	if err != nil {
		return err
	}
	v := caseView{Tabs: caseTabs(words, by, ""), Alerts: caseNotDone(words, wrong), Actions: []web.Action{{Label: words.T("cases.desk.poster"), Href: deskPath(d.Alias, "poster"), Icon: "doc"}}}
	reading, waiting := deskCount(d)
	if reading == 0 {
		v.Alerts = append(v.Alerts, web.Alert{Class: "warn", Title: words.T("cases.desk.nobody"), Text: words.T("cases.desk.nobody.text")})
	}
	if waiting > 0 && d.MayConfirm {
		v.Alerts = append(v.Alerts, web.Alert{Title: words.T("cases.desk.waiting.n", "n", waiting), Text: words.T("cases.desk.waiting.text")})
	}
	v.add(caseBlock(words.T("cases.desk.readers"), words.T("cases.desk.readers.note"), "case-table", deskReadersTable(words, d)),
		caseBlock(words.T("cases.desk.log"), words.T("cases.desk.log.note"), "case-table", deskLogTable(words, d)))
	if d.Manages {
		if err := p.deskManage(r, words, d, in, wrong, &v); err != nil {
			return err
		}
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: d.Name, Lede: words.T("cases.desk.lede", "address", deskAddress(d.Kind, d.Alias)), Status: caseStatus(wrong), Data: v,
		Crumbs: deskCrumbs(words, web.Link{Text: words.T("cases.tab.desks"), Href: "/cases/desks"})})
	return nil
}

// deskManage adds what stewards may do.
func (p *Pages) deskManage(r *http.Request, words web.Words, d DeskDetail, in *DeskSettings, wrong error, v *caseView) error {
	people, err := p.o.Accounts.Colleagues(r.Context(), web.ActorOf(r))
	if err != nil {
		return err
	}
	add := caseForm{Action: deskPath(d.Alias, "readers"), Submit: words.T("cases.desk.add"), Note: words.T("cases.desk.add.note"), Primary: true}
	person := web.Field{Name: "person", Label: words.T("cases.desk.person"), Help: words.T("cases.desk.person.help"), Required: true}
	for _, c := range people {
		person.Options = append(person.Options, web.Option{Value: string(c.ID), Label: c.Name})
	}
	add.Fields = []web.Field{person, {Name: "called", Label: words.T("cases.desk.called"), Help: words.T("cases.desk.called.help"), Max: maxDeskName}}
	if d.Kind == DeskPressed {
		add.Fields = append(add.Fields, deskYes(words, "confirmed", "cases.desk.confirmed", false))
	}
	settings := DeskSettings{Alias: d.Alias, Name: d.Name, Kind: d.Kind, Listed: d.Listed, Promise: d.Promise, Phone: d.Phone, Team: d.Team}
	if in != nil {
		settings = *in
	}
	settings.Alias, settings.Kind = d.Alias, d.Kind
	change := deskFields(words, settings, false)
	caseBlame(&change, wrong)
	v.Errors = change.errors()
	if len(people) > 0 {
		v.beside(caseBlock(words.T("cases.desk.add"), "", "case-form", add))
	}
	v.beside(caseBlock(words.T("cases.desk.settings"), "", "case-form", change),
		caseBlock(words.T("cases.desk.close"), "", "case-form", caseForm{Action: deskPath(d.Alias, "close"), Note: words.T("cases.desk.close.note"), Submit: words.T("cases.desk.close"), Danger: true}))
	return nil
}

func deskReadersTable(words web.Words, d DeskDetail) caseTable {
	t := caseTable{Label: words.T("cases.desk.readers"), Heads: web.PlainHeads(words.T("cases.desk.reader"), words.T("cases.desk.fingerprint"), words.T("cases.desk.state"), words.T("cases.desk.do")),
		Empty: web.Empty{Icon: "lock", Title: words.T("cases.desk.nobody"), Text: words.T("cases.desk.nobody.text")}}
	for _, one := range d.Readers {
		state := caseCell{Mark: deskStateMark(words, one.State), At: one.Since}
		if one.State == DeskReaderGone {
			state.At = one.Gone
		}
		switch {
		case one.Stale:
			state.Sub = words.T("cases.desk.stale")
		case one.State == DeskReaderReading && one.Missing > 0:
			state.Sub = words.T("cases.desk.missing", "n", one.Missing)
		}
		row := caseRow{Name: one.Name, Cells: []caseCell{{Text: one.Fingerprint}, state, {Buttons: deskButtons(words, d, one)}}}
		if one.Me {
			row.Sub = words.T("cases.desk.me")
		}
		t.add(row)
	}
	return t
}

func deskStateMark(words web.Words, s DeskReaderState) caseMark {
	text := words.T("cases.desk.state." + string(s))
	switch s {
	case DeskReaderReading:
		return caseMark{"ok", "check", text}
	case DeskReaderWaiting:
		return caseMark{"warn", "clock", text}
	}
	return caseMark{"", "cross", text}
}

func deskButtons(words web.Words, d DeskDetail, one DeskReader) (out []caseButton) {
	key := []web.Hidden{{Name: "key", Value: string(one.Key)}}
	if one.State == DeskReaderWaiting && d.MayConfirm {
		out = append(out, caseButton{Action: deskPath(d.Alias, "confirm"), Label: words.T("cases.desk.confirm"), About: one.Name, Hidden: key})
	}
	if one.State != DeskReaderGone && (d.Manages || d.Reads || one.Me) {
		out = append(out, caseButton{Action: deskPath(d.Alias, "remove"), Label: words.T("cases.desk.remove"), About: one.Name, Hidden: key})
	}
	return out
}

func deskLogTable(words web.Words, d DeskDetail) caseTable {
	t := caseTable{Label: words.T("cases.desk.log"), Heads: web.PlainHeads(words.T("cases.desk.log.entry"), words.T("cases.desk.log.did"), words.T("cases.desk.log.when"), words.T("cases.desk.log.hash")),
		Empty: web.Empty{Icon: "doc", Title: words.T("cases.desk.log.none"), Text: words.T("cases.desk.nobody.text")}}
	for i := len(d.Log) - 1; i >= 0; i-- {
		e := d.Log[i]
		t.add(caseRow{Name: strconv.Itoa(e.N) + " · " + e.Name, Cells: []caseCell{{Text: words.T("cases.desk.log." + string(e.Did))}, {At: e.At}, {Text: web.Clip(e.Hash, 16), Code: true}}})
	}
	return t
}

func (p *Pages) deskChange(w http.ResponseWriter, r *http.Request) error {
	v, err := web.Form(r)
	if err != nil {
		return err
	}
	in := deskForm(v)
	in.Alias = r.PathValue("alias")
	d, err := p.SetDesk(r.Context(), web.ActorOf(r), in.Alias, in)
	switch {
	case web.Mendable(err):
		return p.showDesk(w, r, &in, err)
	case err != nil:
		return err
	}
	return p.caseDone(w, r, deskPath(d.Alias), "cases.desk.saved")
}

func (p *Pages) deskClose(w http.ResponseWriter, r *http.Request) error {
	if err := p.CloseDesk(r.Context(), web.ActorOf(r), r.PathValue("alias")); err != nil {
		return err
	}
	return p.caseDone(w, r, "/cases/desks", "cases.desk.closed")
}

func (p *Pages) deskAddReader(w http.ResponseWriter, r *http.Request) error {
	v, err := web.Form(r)
	if err != nil {
		return err
	}
	_, err = p.AddReader(r.Context(), web.ActorOf(r), r.PathValue("alias"), DeskReaderPost{Person: polder.PersonID(v.Get("person")), Name: v.Get("called"), Confirmed: v.Get("confirmed") == "yes"})
	return p.deskReaderDone(w, r, err, "cases.desk.added")
}

func (p *Pages) deskConfirm(w http.ResponseWriter, r *http.Request) error {
	v, err := web.Form(r)
	if err != nil {
		return err
	}
	_, err = p.ConfirmReader(r.Context(), web.ActorOf(r), r.PathValue("alias"), seal.KeyID(v.Get("key")))
	return p.deskReaderDone(w, r, err, "cases.desk.confirmed-one")
}

func (p *Pages) deskRemove(w http.ResponseWriter, r *http.Request) error {
	v, err := web.Form(r)
	if err != nil {
		return err
	}
	_, err = p.RemoveReader(r.Context(), web.ActorOf(r), r.PathValue("alias"), seal.KeyID(v.Get("key")))
	return p.deskReaderDone(w, r, err, "cases.desk.removed")
}

func (p *Pages) deskReaderDone(w http.ResponseWriter, r *http.Request, err error, key string) error {
	switch {
	case web.Mendable(err):
		return p.showDesk(w, r, nil, err)
	case err != nil:
		return err
	}
	return p.caseDone(w, r, deskPath(r.PathValue("alias")), key)
}

// deskPosterView is the data of templates/deskposter.html.
type deskPosterView struct {
	Desk    DeskView
	Address string
}

// deskPoster is a page to print and hang up: where to report, and the fingerprints to compare before sending.
func (p *Pages) deskPoster(w http.ResponseWriter, r *http.Request) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	if _, err := p.OwnDesk(r.Context(), by, r.PathValue("alias")); err != nil {
		return err
	}
	d, err := p.DeskNamed(r.Context(), r.PathValue("alias"))
	if err != nil {
		return err
	}
	p.site.Render(w, r, web.Page{Template: "cases/deskposter", Title: words.T("cases.poster.title"), Lede: d.Name + " · " + d.Organisation, Solo: true, Data: deskPosterView{d, r.Host + deskAddress(d.Kind, d.Alias)},
		Crumbs: []web.Link{{Text: d.Name, Href: deskPath(d.Alias)}}})
	return nil
}

// deskAddress is where people report to a desk.
func deskAddress(kind DeskKind, alias string) string {
	if kind == DeskPressed {
		return casePath("/report/pressed", alias)
	}
	return casePath("/report/d", alias)
}
