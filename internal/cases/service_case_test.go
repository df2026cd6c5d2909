package cases

import (
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestCaseStory walks a case from its opening to the archive.
func TestCaseStory(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Amber, "Odd log-ins at night")
	if c.Access.Part != PartLead || c.Access.Ceiling != stix.Red || !c.Access.Own || c.Status != StatusOpen || c.Level != stix.Amber || c.Aware.IsZero() || c.Version != 1 || c.OrgName != "Acme Optics" {
		t.Fatalf("%+v", c)
	}
	if _, err := w.Case(ctx, worker, c.ID); polder.KindOf(err) != polder.NotFound {
		t.Fatalf("a colleague who was not let in: %v", err)
	}
	w.let(c.ID, worker, PartWork, stix.Amber)
	it := w.add(worker, c.ID, Item{Kind: ItemObservable, Observable: &Observable{Value: "hxxp://Evil[.]example/a"}})
	if it.Observable.Value != "http://evil.example/a" || it.Level != stix.Amber {
		t.Fatalf("%+v", it.Observable)
	}
	title := "Log-ins at night from abroad"
	c2, err := w.ChangeCase(ctx, worker, c.ID, CaseChange{Version: 1, Title: &title, Countries: &[]string{"de"}})
	caseMust(t, err)
	if c2.Version != 2 || c2.Title != title || !c2.Crosses || c2.Counts[ItemObservable] != 1 {
		t.Fatalf("%+v", c2)
	}
	if _, err := w.SetCaseStatus(ctx, worker, c.ID, CaseStatusChange{Status: StatusClosed, Reason: "all done", Version: 2, Late: true}); polder.KindOf(err) != polder.Conflict {
		t.Fatalf("closed without an assessment: %v", err)
	}
	d, err := w.AssessDamage(ctx, lead, c.ID, Damage{Taken: TakenNothing, What: "The account had no rights on drawings."})
	caseMust(t, err)
	if !d.Signed || d.AssessedBy != lead.Person {
		t.Fatalf("%+v", d)
	}
	c3, err := w.SetCaseStatus(ctx, worker, c.ID, CaseStatusChange{Status: StatusClosed, Reason: "all done", Version: 2, Late: true})
	caseMust(t, err)
	if c3.Closed.IsZero() {
		t.Fatalf("%+v", c3)
	}
	_, err = w.AddItem(ctx, worker, c.ID, Item{Kind: ItemNote, Text: "later"})
	caseIs(t, err, polder.Conflict, "open it again")
	c4, err := w.ArchiveCase(ctx, lead, c.ID, true)
	caseMust(t, err)
	page, err := w.Cases(ctx, lead, CaseFilter{})
	caseMust(t, err)
	if len(page.Cases) != 0 || c4.Archived.IsZero() {
		t.Fatal("what was put away is in the list")
	}
	h, err := w.CaseHistory(ctx, lead, c.ID)
	caseMust(t, err)
	var did []string
	for _, r := range h {
		did = append(did, r.What+" "+r.Did)
	}
	t.Log(did)
	if h[len(h)-1].Did != "opened" && h[len(h)-2].Did != "opened" && h[len(h)-3].Did != "opened" {
		t.Errorf("history %q", did)
	}
}
