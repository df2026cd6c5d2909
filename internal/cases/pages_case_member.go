package cases

import (
	"net/http"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// This file lets people and organisations into a case.

// caseMemberDraft is what the form of a member holds.
type caseMemberDraft struct {
	Who     string // "person:" or "org:" and an id
	Part    Part
	Ceiling stix.Marking
}

// caseMembers is the page of who was let in.
func (p *Pages) caseMembers(w http.ResponseWriter, r *http.Request) error {
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	return p.showCaseMembers(w, r, c, caseMemberDraft{Who: r.URL.Query().Get("who"), Part: PartWork}, nil)
}

func (p *Pages) showCaseMembers(w http.ResponseWriter, r *http.Request, c *caseSheet, d caseMemberDraft, failed error) error {
	t := c.words.T
	all, err := p.Members(r.Context(), c.by, c.ID)
	if err != nil {
		return err
	}
	table := caseTable{Label: t("cases.team"), Heads: web.PlainHeads(t("cases.team.who"), t("cases.team.part"), t("cases.team.ceiling"), t("cases.team.since"), t("cases.team.end"))}
	for _, m := range all {
		row := c.memberRow(m)
		row.Cells = append(row.Cells, caseCell{At: m.Since, Sub: c.names.person(m.By, c.Org)}, caseCell{})
		if c.leads() {
			row.Cells[3].Buttons = []caseButton{{Action: c.home + "/leave", Label: t("cases.team.remove"), About: row.Name, Hidden: []web.Hidden{{Name: "who", Value: caseMemberKey(m)}}}}
		}
		table.add(row)
	}
	v := caseView{}
	v.add(caseBlock(t("cases.team"), t("cases.team.only"), "case-table", table))
	if !c.leads() {
		v.Alerts = caseNotDone(c.words, failed)
		v.add(caseBlock(t("cases.team.leave"), "", "case-form", caseForm{Action: c.home + "/leave", Submit: t("cases.team.leave.do"), Note: t("cases.team.leave.note")}))
	} else {
		f, err := c.memberForm(d)
		if err != nil {
			return err
		}
		if !caseBlame(&f, failed) {
			v.Alerts = caseNotDone(c.words, failed)
		}
		v.Errors = f.errors()
		v.add(caseBlock(t("cases.team.let-in"), "", "case-form", f))
		v.beside(caseBlock(t("cases.team.means"), "", "case-marks", []web.Mark{{Icon: "flag", Text: t("cases.part.lead.means")}, {Icon: "pen", Text: t("cases.part.work.means")}, {Icon: "eye", Text: t("cases.part.read.means")}, {Icon: "out", Text: t("cases.part.contact-point.means")}, {Icon: "lock", Text: t("cases.ceiling.means")}}))
	}
	p.site.Render(w, r, web.Page{Template: "cases/case", Title: t("cases.team.title"), Lede: t("cases.team.lede"), TLP: c.Level, Crumbs: caseCrumbs(c.words, c.CaseView), Status: caseStatus(failed), Data: v})
	return nil
}

// caseMemberKey names a member in a form.
func caseMemberKey(m Member) string {
	if m.Person != "" {
		return "person:" + string(m.Person)
	}
	return "org:" + string(m.Org)
}

// memberForm offers the colleagues, and the organisations that are met in communities of this node.
func (c *caseSheet) memberForm(d caseMemberDraft) (caseForm, error) {
	t := c.words.T
	who := web.Field{Name: "who", Label: t("cases.team.who"), Options: []web.Option{{Value: "", Label: t("cases.team.choose")}}, Required: true}
	people, err := c.p.o.Accounts.Colleagues(c.ctx, c.by)
	if err != nil {
		return caseForm{}, err
	}
	for _, one := range people {
		who.Options = append(who.Options, web.Option{Value: "person:" + string(one.ID), Label: one.Name})
	}
	orgs, err := c.p.caseOrgs(c)
	if err != nil {
		return caseForm{}, err
	}
	for _, o := range orgs {
		who.Options = append(who.Options, web.Option{Value: "org:" + string(o.Org), Label: t("cases.team.all-of", "org", o.Name)})
	}
	for i := range who.Options {
		who.Options[i].Chosen = who.Options[i].Value == d.Who
	}
	part := web.Field{Name: "part", Label: t("cases.team.part"), Class: "across", Options: caseOptions(caseParts, d.Part, func(p Part) string { return t("cases.part." + string(p)) })}
	ceiling := casePlainLevels(caseLevelField(c.words, d.Ceiling, c.Access.Ceiling))
	ceiling.Name, ceiling.Label, ceiling.Help = "ceiling", t("cases.team.ceiling"), t("cases.ceiling.help")
	return caseForm{Action: c.home + "/members", Submit: t("cases.team.let-in"), Primary: true, Back: c.home, Note: t("cases.team.note"), Fields: []web.Field{who, part, ceiling}}, nil
}

// caseOrgs are the organisations that the reader meets in communities, each once, its own left out.
func (p *Pages) caseOrgs(c *caseSheet) ([]PlaceMember, error) {
	if p.o.Exchange == nil {
		return nil, nil
	}
	places, _, err := p.o.Exchange.Places(c.ctx, c.by)
	var out []PlaceMember
	for _, place := range places {
		for _, m := range place.Members {
			if m.Org != c.by.Org && !slices.ContainsFunc(out, func(o PlaceMember) bool { return o.Org == m.Org }) {
				out = append(out, m)
			}
		}
	}
	return out, err
}

// caseMemberWho reads who a form names.
func caseMemberWho(who string) (person polder.PersonID, org polder.OrgID) {
	for prefix, into := range map[string]func(string){"person:": func(s string) { person = polder.PersonID(s) }, "org:": func(s string) { org = polder.OrgID(s) }} {
		if len(who) > len(prefix) && who[:len(prefix)] == prefix {
			into(who[len(prefix):])
		}
	}
	return person, org
}

func (p *Pages) setCaseMember(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	d := caseMemberDraft{Who: values.Get("who"), Part: Part(values.Get("part"))}
	d.Ceiling, _ = stix.ParseMarking(values.Get("ceiling")) // none that is known: refused by the service
	person, org := caseMemberWho(d.Who)
	if person == "" && org == "" {
		err = polder.Errorf(polder.Invalid, "who: %s", c.words.T("cases.team.missing"))
	} else {
		_, err = p.SetMember(r.Context(), c.by, c.ID, CaseWithWhom{Person: person, Org: org, Part: d.Part, Ceiling: d.Ceiling})
	}
	if web.Mendable(err) {
		return p.showCaseMembers(w, r, c, d, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, c.home+"/members", "cases.team.added")
}

// removeCaseMember ends somebody's sight, or the reader's own.
func (p *Pages) removeCaseMember(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	c, err := p.caseSheetOf(r)
	if err != nil {
		return err
	}
	person, org := caseMemberWho(values.Get("who"))
	own := person == "" && org == ""
	if own {
		if person, err = p.o.Accounts.Doer(r.Context(), c.by); err != nil {
			return err
		}
		if !c.Access.Own {
			person, org = "", c.by.Org
		}
	}
	err = p.RemoveMember(r.Context(), c.by, c.ID, person, org)
	if web.Mendable(err) {
		return p.showCaseMembers(w, r, c, caseMemberDraft{Part: PartWork}, err)
	}
	if err != nil {
		return err
	}
	if own {
		return p.caseDone(w, r, "/cases", "cases.team.left")
	}
	return p.caseDone(w, r, c.home+"/members", "cases.team.removed")
}
