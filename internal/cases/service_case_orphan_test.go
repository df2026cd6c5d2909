package cases

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/stix"
)

// leaves takes the account of somebody away, or disables it.
func (w *caseWorld) leaves(who polder.Actor) { delete(w.people.people, who.Person) }

func (w *caseWorld) orphaned() []CaseOrphan {
	w.t.Helper()
	all, err := w.OrphanedCases(w.t.Context(), chief)
	caseMust(w.t, err)
	return all
}

// TestOrphanedCase: while a lead who sees everything may work, a steward learns nothing; when the last one is gone, the day
// on which a case was opened, and nothing else. Only then a colleague may be made lead.
func TestOrphanedCase(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "Canary-title", Summary: "Canary-summary", Level: stix.Red})
	caseMust(t, err)
	w.let(c.ID, looker, PartRead, stix.Red)
	w.let(c.ID, worker, PartLead, stix.Amber) // leads, but does not see everything
	if all := w.orphaned(); len(all) != 0 {
		t.Errorf("with a lead at work a steward sees %+v", all)
	}
	w.leaves(lead)
	all := w.orphaned()
	text, err := json.Marshal(all)
	caseMust(t, err)
	if want := fmt.Sprintf(`[{"case":%q,"since":"2026-11-20T00:00:00Z"}]`, all[0].Case); string(text) != want || strings.Contains(string(text), strings.TrimPrefix(string(c.ID), "case--")) {
		t.Errorf("a steward is told %s, want %s", text, want)
	}
	in := CaseOrphanLead{Case: all[0].Case, Person: worker.Person, Reason: "Lotte has left"}
	for _, x := range []struct {
		why string
		by  polder.Actor
		in  CaseOrphanLead
		is  polder.Kind
	}{
		{"a contributor", worker, in, polder.Forbidden},
		{"a reader who was let in", looker, in, polder.Forbidden},
		{"who manages the node", nodeAdmin, in, polder.Forbidden},
		{"the steward to themselves", chief, CaseOrphanLead{in.Case, chief.Person, in.Reason}, polder.Forbidden},
		{"to a reader, who could not lead", chief, CaseOrphanLead{in.Case, looker.Person, in.Reason}, polder.Invalid},
		{"to somebody of another organisation", chief, CaseOrphanLead{in.Case, partner.Person, in.Reason}, polder.Invalid},
		{"to nobody", chief, CaseOrphanLead{in.Case, "", in.Reason}, polder.Invalid},
		{"without a reason", chief, CaseOrphanLead{in.Case, worker.Person, " "}, polder.Invalid},
		{"with a reason without end", chief, CaseOrphanLead{in.Case, worker.Person, strings.Repeat("x", caseOrphanReason+1)}, polder.TooLarge},
		{"a case of no name", chief, CaseOrphanLead{"", worker.Person, in.Reason}, polder.NotFound},
		{"a case by its id", chief, CaseOrphanLead{string(c.ID), worker.Person, in.Reason}, polder.NotFound},
		{"a steward of another organisation", polder.Actor{Org: wafers, Person: "person-Sven", Role: polder.RoleSteward}, CaseOrphanLead{in.Case, partner.Person, in.Reason}, polder.NotFound},
	} {
		if err := w.HandOver(ctx, x.by, x.in); err == nil || polder.KindOf(err) != x.is {
			t.Errorf("%s: %v, want one of kind %s", x.why, err, x.is)
		}
	}
	caseMust(t, w.HandOver(ctx, chief, in))
	sortedMembers(t, w)
	got, err := w.Case(ctx, worker, c.ID)
	if err != nil || got.Title != "Canary-title" || got.Access.Part != PartLead || got.Access.Ceiling != stix.Red {
		t.Errorf("the colleague gets %+v, %v", got.Access, err)
	}
	if _, err := w.Case(ctx, chief, c.ID); polder.KindOf(err) != polder.NotFound || err == nil {
		t.Errorf("the steward gets the case: %v", err)
	}
	if err := w.HandOver(ctx, chief, in); polder.KindOf(err) != polder.NotFound || err == nil || len(w.orphaned()) != 0 {
		t.Errorf("a case that is led again: %v", err)
	}
	w.toldOfHandover(c.ID)
}

// toldOfHandover: who led before reads it once the account is back, and the audit of the organisation says that a case went
// to the colleague, without saying which.
func (w *caseWorld) toldOfHandover(id CaseID) {
	t := w.t
	t.Helper()
	w.people.people[lead.Person] = lead
	past, err := w.CaseHistory(t.Context(), lead, id)
	caseMust(t, err)
	if r := past[0]; r.Did != "handed" || r.By != chief.Person || r.Reason != "Lotte has left" || r.Member == nil || r.Member.Person != worker.Person || r.Member.Ceiling != stix.Red {
		t.Errorf("the history says %+v", r)
	}
	page, err := w.audit.List(t.Context(), audit.Filter{Viewer: looker, Limit: 1000})
	caseMust(t, err)
	found := 0
	for _, e := range page {
		if e.Action == "case.handed-over" {
			found++
			if e.Person != chief.Person || e.Object != string(worker.Person) || e.Org != optics {
				t.Errorf("the audit says %+v", e)
			}
		}
		if strings.Contains(fmt.Sprint(e), string(id)) {
			t.Errorf("the audit of the organisation names the case: %+v", e)
		}
	}
	if found != 1 {
		t.Errorf("the audit says it %d times", found)
	}
}

// TestOrphansAmongMany: of many cases those alone are shown that nobody leads, and each goes to whom it was given.
func TestOrphansAmongMany(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	var own []CaseID
	for i := range 4 {
		c, err := w.OpenCase(ctx, []polder.Actor{lead, worker}[i%2], CaseNew{Title: fmt.Sprint("Case ", i)})
		caseMust(t, err)
		own = append(own, c.ID)
	}
	w.leaves(lead)
	all := w.orphaned()
	if len(all) != 2 || all[0].Case == all[1].Case {
		t.Fatalf("orphaned are %+v", all)
	}
	caseMust(t, w.HandOver(ctx, chief, CaseOrphanLead{all[1].Case, worker.Person, "gone"}))
	if _, err := w.Case(ctx, worker, own[0]); polder.KindOf(err) != polder.NotFound || err == nil {
		t.Errorf("the other orphan: %v", err)
	}
	if _, err := w.Case(ctx, worker, own[2]); err != nil {
		t.Errorf("the one that was given: %v", err)
	}
	if left := w.orphaned(); len(left) != 1 || left[0].Case != all[0].Case {
		t.Errorf("left are %+v", left)
	}
}

// TestOrphanDoors: the routes ask for a steward, and say nothing of a case in any answer.
func TestOrphanDoors(t *testing.T) {
	d := newCaseDoor(t)
	c, err := d.OpenCase(t.Context(), lead, CaseNew{Title: "Canary-title", Level: stix.Red})
	caseMust(t, err)
	actors := maps.Clone(everyCaseActor)
	d.leaves(lead)
	for name, by := range actors {
		out := d.ask(name, "GET", "/api/v1/cases/orphaned", "")
		if (out.Code == 200) != (by.Role == polder.RoleSteward) || strings.Contains(out.Body.String(), "Canary") || strings.Contains(out.Body.String(), string(c.ID)) {
			t.Errorf("%s gets %d %s", name, out.Code, out.Body)
		}
	}
	list := caseGot[CaseOrphanList](t, d.ask("chief", "GET", "/api/v1/cases/orphaned", ""), 200)
	body := fmt.Sprintf(`{"case":%q,"person":%q,"reason":"left"}`, list.Cases[0].Case, worker.Person)
	if out := d.ask("worker", "POST", "/api/v1/cases/orphaned", body); out.Code != 403 {
		t.Errorf("a contributor hands over: %d", out.Code)
	}
	if out := d.ask("chief", "POST", "/api/v1/cases/orphaned", body); out.Code != 204 || out.Body.Len() != 0 {
		t.Errorf("handing over: %d %s", out.Code, out.Body)
	}
	caseGot[CaseView](t, d.ask("worker", "GET", "/api/v1/cases/"+string(c.ID), ""), 200)
}

// TestOrphanPage: a steward meets the form where there is such a case, and nobody else does.
func TestOrphanPage(t *testing.T) {
	w := newCasePages(t)
	c, err := w.OpenCase(t.Context(), lead, CaseNew{Title: "Canary-title", Level: stix.Red})
	caseMust(t, err)
	lacksText(t, w.see("chief", "/cases/settings?lang=en"), "A case that nobody leads")
	w.leaves(lead)
	page := w.see("chief", "/cases/settings?lang=en")
	holdsText(t, page, "A case that nobody leads", "A case opened on 20 Nov", "Wim", "choose somebody who is trusted beyond doubt")
	lacksText(t, page, "Canary-title", string(c.ID), `value="person-Stella"`, `value="person-Rens"`)
	lacksText(t, w.see("worker", "/cases/settings?lang=en"), "A case that nobody leads")
	name := w.orphaned()[0].Case
	if out := w.post("chief", "/cases/orphaned", "case", name, "person", string(worker.Person), "reason", ""); out.Code != 400 || !strings.Contains(out.Body.String(), "say why") {
		t.Errorf("without a reason: %d %s", out.Code, caseMain(out.Body.String()))
	}
	w.did("chief", "/cases/orphaned", "case", name, "person", string(worker.Person), "reason", "She left")
	holdsText(t, w.see("worker", "/cases/"+string(c.ID)+"/history?lang=en"), "was handed the case by a steward", "She left", "Stella")
	lacksText(t, w.see("chief", "/cases/settings?lang=en"), "A case that nobody leads")
}
