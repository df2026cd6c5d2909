package cases

import (
	"net/http"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// caseOrphanBlock adds, for stewards, the form that hands a case which nobody leads any more to a colleague; where there is
// none, only what failed.
func (p *Pages) caseOrphanBlock(r *http.Request, v *caseView, was *CaseOrphanLead, failed error) error {
	words, by := web.WordsOf(r), web.ActorOf(r)
	var f caseForm
	if web.Steward.Allows(by) {
		all, err := p.OrphanedCases(r.Context(), by)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			if f, err = p.caseOrphanForm(r, all, was); err != nil {
				return err
			}
		}
	}
	if was == nil || !caseBlame(&f, failed) {
		v.Alerts = append(v.Alerts, caseNotDone(words, failed)...)
	}
	v.Errors = f.errors()
	if f.Action != "" {
		v.add(caseBlock(words.T("cases.orphaned"), words.T("cases.orphaned.lede"), "case-form", f))
	}
	return nil
}

func (p *Pages) caseOrphanForm(r *http.Request, all []CaseOrphan, was *CaseOrphanLead) (caseForm, error) {
	words, by := web.WordsOf(r), web.ActorOf(r)
	if was == nil {
		was = &CaseOrphanLead{}
	}
	t := words.T
	which := web.Field{Name: "case", Label: t("cases.orphaned.which"), Help: t("cases.orphaned.which-help"), Required: true}
	for _, o := range all {
		which.Options = append(which.Options, web.Option{Value: o.Case, Label: t("cases.orphaned.since", "day", words.Date(o.Since)), Chosen: o.Case == was.Case})
	}
	v, err := p.orphanSteward(r.Context(), by)
	if err != nil {
		return caseForm{}, err
	}
	people, err := p.o.Accounts.Colleagues(r.Context(), by)
	if err != nil {
		return caseForm{}, err
	}
	who := web.Field{Name: "person", Label: t("cases.orphaned.person"), Help: t("cases.orphaned.person-help"), Required: true, Options: []web.Option{{Value: "", Label: t("cases.team.choose")}}}
	for _, c := range people {
		if c.ID != v.person && c.Role.OnObjects() >= polder.RoleContributor {
			who.Options = append(who.Options, web.Option{Value: string(c.ID), Label: c.Name, Chosen: c.ID == was.Person})
		}
	}
	why := web.Field{Name: "reason", Label: t("cases.why"), Help: t("cases.orphaned.why-help"), Value: was.Reason, Rows: 3, Max: caseOrphanReason, Required: true}
	return caseForm{Action: "/cases/orphaned", Submit: t("cases.orphaned.do"), Note: t("cases.orphaned.note"), Fields: []web.Field{which, who, why}}, nil
}

// handOverCase hands a case that nobody leads to a colleague.
func (p *Pages) handOverCase(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	in := CaseOrphanLead{Case: values.Get("case"), Person: polder.PersonID(values.Get("person")), Reason: values.Get("reason")}
	err = p.HandOver(r.Context(), web.ActorOf(r), in)
	if web.Mendable(err) {
		return p.showCaseSettings(w, r, &in, err)
	}
	if err != nil {
		return err
	}
	return p.caseDone(w, r, "/cases/settings", "cases.orphaned.done")
}
