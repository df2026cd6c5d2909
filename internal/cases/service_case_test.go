package cases

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
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
	for _, r := range slices.Backward(h) {
		did = append(did, r.What+" "+r.Did)
	}
	want := []string{"member added", "case opened", "member added", "item added", "case changed", "damage assessed", "case closed", "case archived"}
	if !slices.Equal(did, want) {
		t.Errorf("history %q, want %q", did, want)
	}
}

// TestCaseCheck: what is wrong with a case is said so that a person can put it right, and nothing is stored.
func TestCaseCheck(t *testing.T) {
	w := newCaseWorld(t)
	for _, row := range []struct {
		why  string
		n    CaseNew
		kind polder.Kind
		says string
	}{
		{"no title", CaseNew{}, polder.Invalid, "title"},
		{"a kind that is none", CaseNew{Title: "x", Kind: "crime"}, polder.Invalid, "near-miss"},
		{"a road that is none", CaseNew{Title: "x", Roads: []Road{"water"}}, polder.Invalid, "acquisition"},
		{"a class that is none", CaseNew{Title: "x", Class: "intrusions/ghost"}, polder.Invalid, "RSIT"},
		{"a severity that is none", CaseNew{Title: "x", Severity: "bad"}, polder.Invalid, "critical"},
		{"a country that is none", CaseNew{Title: "x", Countries: []string{"Holland"}}, polder.Invalid, "ISO 3166"},
		{"known tomorrow", CaseNew{Title: "x", Aware: w.now.Add(time.Hour)}, polder.Invalid, "aware"},
		{"it ended before it began", CaseNew{Title: "x", Occurred: w.now, Ended: w.now.Add(-time.Hour)}, polder.Invalid, "ended"},
		{"a summary that is long", CaseNew{Title: "x", Summary: strings.Repeat("a", 65<<10)}, polder.TooLarge, "summary"},
		{"a value that is none", CaseNew{Title: "x", Observables: []Observable{{Value: "what?"}}}, polder.Invalid, "item 1"},
		{"a jewel of nobody", CaseNew{Title: "x", Jewels: []string{"jewel--1"}}, polder.Invalid, "jewels"},
		{"a member who is nobody", CaseNew{Title: "x", Members: []CaseWithWhom{{Person: "person-nobody", Part: PartRead, Ceiling: stix.Green}}}, polder.Invalid, "member"},
		{"a report that is none", CaseNew{Title: "x", Report: "report--1"}, polder.NotFound, ""},
	} {
		_, err := w.OpenCase(t.Context(), lead, row.n)
		if err == nil || polder.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %s that says %q", row.why, err, row.kind, row.says)
		}
	}
	for who, by := range map[string]polder.Actor{"a reader": looker, "a reader's token": leadToken, "who manages the node": nodeAdmin, "nobody": {}} {
		if _, err := w.OpenCase(t.Context(), by, CaseNew{Title: "x"}); polder.KindOf(err) != polder.Forbidden {
			t.Errorf("%s: %v", who, err)
		}
	}
	page, err := w.Cases(t.Context(), lead, CaseFilter{})
	if err != nil || len(page.Cases) != 0 {
		t.Errorf("%d cases are stored, %v", len(page.Cases), err)
	}
}

// TestAwareIsFirst: the moment of awareness is stored with the case, in the history of awareness, before everything else,
// and no change of the case's fields moves it.
func TestAwareIsFirst(t *testing.T) {
	w := newCaseWorld(t)
	aware := w.now.Add(-5 * time.Hour)
	c, err := w.OpenCase(t.Context(), lead, CaseNew{Title: "Known since", Aware: aware})
	caseMust(t, err)
	if !c.Aware.Equal(aware) {
		t.Errorf("aware %s", c.Aware)
	}
	all, err := listAware(w.committed(t.Context()), c.ID)
	if err != nil || len(all) != 1 || !all[0].At.Equal(aware) {
		t.Errorf("%+v, %v", all, err)
	}
	title, kind := "Other title", KindSuspicion
	c, err = w.ChangeCase(t.Context(), lead, c.ID, CaseChange{Version: 1, Title: &title, Kind: &kind})
	if err != nil || !c.Aware.Equal(aware) {
		t.Errorf("%s, %v", c.Aware, err)
	}
}

// TestContactPoint (SERIMA#844): a contact point sees from the early warning on that a case crosses borders and how far it
// is, and nothing else; a title above its ceiling stays neutral.
func TestContactPoint(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "Secret lens", Summary: "the drawing", Level: stix.Red, Class: "intrusions/system-compromise", Severity: SeverityCritical, Countries: []string{"NL", "DE"}, Victim: "Acme"})
	caseMust(t, err)
	w.let(c.ID, contact, PartContact, stix.Amber)
	if _, err := w.Case(ctx, contact, c.ID); polder.KindOf(err) != polder.NotFound {
		t.Errorf("before the early warning: %v", err)
	}
	caseMust(t, w.Announce(ctx, lead, c.ID))
	seen, err := w.Case(ctx, contact, c.ID)
	caseMust(t, err)
	if !seen.Header || seen.Title != c.neutralTitle() || seen.Severity != SeverityCritical || seen.Class != "intrusions/system-compromise" || !seen.Crosses || !slices.Equal(seen.Countries, []string{"DE", "NL"}) || seen.Status != StatusOpen {
		t.Errorf("%+v", seen)
	}
	if seen.Summary != "" || seen.Victim != "" || !seen.Aware.IsZero() || !seen.Opened.IsZero() || seen.OpenedBy != "" || seen.Level != stix.None || len(seen.Counts) != 0 || len(seen.Roads) != 0 {
		t.Errorf("it sees more: %+v", seen)
	}
	for what, do := range map[string]func() error{
		"items":   func() error { _, err := w.Items(ctx, contact, c.ID, ItemFilter{}); return err },
		"members": func() error { _, err := w.Members(ctx, contact, c.ID); return err },
		"history": func() error { _, err := w.CaseHistory(ctx, contact, c.ID); return err },
		"damage":  func() error { _, err := w.Damage(ctx, contact, c.ID); return err },
		"add":     func() error { _, err := w.AddItem(ctx, contact, c.ID, Item{Kind: ItemNote, Text: "x"}); return err },
	} {
		if err := do(); polder.KindOf(err) != polder.Forbidden {
			t.Errorf("%s: %v", what, err)
		}
	}
	level := stix.Amber
	_, err = w.ChangeCase(ctx, lead, c.ID, CaseChange{Version: mustVersion(t, w, c.ID), Level: &level})
	caseMust(t, err)
	if seen, err = w.Case(ctx, contact, c.ID); err != nil || seen.Title != "Secret lens" || seen.Summary != "" {
		t.Errorf("within its ceiling: %+v, %v", seen, err)
	}
}

func mustVersion(t testing.TB, w *caseWorld, id CaseID) int {
	t.Helper()
	c, err := w.Case(t.Context(), lead, id)
	caseMust(t, err)
	return c.Version
}

// TestStewardCases: a steward lists the titles of cases only where, and as far as, the settings say so; nothing else is seen.
func TestStewardCases(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	w.open(stix.Red, "A red one")
	green := w.open(stix.Green, "A green one")
	page, err := w.StewardCases(ctx, chief, "")
	if err != nil || len(page.Cases) != 0 {
		t.Fatalf("without a word: %+v, %v", page, err)
	}
	_, err = w.SetCaseSettings(ctx, lead, CaseSettings{StewardsList: stix.Red})
	caseIs(t, err, polder.Forbidden, "steward")
	_, err = w.SetCaseSettings(ctx, chief, CaseSettings{StewardsList: stix.Amber})
	caseMust(t, err)
	_, err = w.SetCaseSettings(ctx, chief, CaseSettings{})
	caseIs(t, err, polder.Conflict, "version")
	if page, err = w.StewardCases(ctx, chief, ""); err != nil || len(page.Cases) != 1 || page.Cases[0].ID != green.ID || page.Cases[0].Summary != "" {
		t.Errorf("%+v, %v", page, err)
	}
	if _, err := w.Case(ctx, chief, green.ID); polder.KindOf(err) != polder.NotFound {
		t.Errorf("listing lets nobody in: %v", err)
	}
	if _, err := w.StewardCases(ctx, lead, ""); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("who is no steward: %v", err)
	}
}

// TestOthersPeopleAreHidden: people of another organisation are not named to a guest, nor other guests; a colleague's token
// acts with the lesser of its role and the person's part.
func TestOthersPeopleAreHidden(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Together")
	w.let(c.ID, partner, PartWork, stix.Green)
	_, err := w.SetMember(ctx, lead, c.ID, CaseWithWhom{Org: ncsc, Part: PartWork, Ceiling: stix.Green})
	caseMust(t, err)
	mine := w.add(lead, c.ID, Item{Kind: ItemNote, Text: "ours"})
	third := w.add(contact, c.ID, Item{Kind: ItemNote, Text: "of a third"})
	seen, err := w.Item(ctx, partner, c.ID, mine.ID)
	if err != nil || seen.MadeBy != "" || seen.By != "" || seen.Org != optics {
		t.Errorf("%+v, %v", seen, err)
	}
	if seen, err = w.Item(ctx, partner, c.ID, third.ID); err != nil || seen.Org != "" || seen.MadeBy != "" {
		t.Errorf("a guest learns of another: %+v, %v", seen, err)
	}
	if seen, err = w.Item(ctx, lead, c.ID, third.ID); err != nil || seen.Org != ncsc || seen.MadeBy != "" {
		t.Errorf("the lead: %+v, %v", seen, err)
	}
	members, err := w.Members(ctx, partner, c.ID)
	if err != nil || len(members) != 1 || members[0].Name != "Wafer Werke" {
		t.Errorf("%+v, %v", members, err)
	}
	view, err := w.Case(ctx, guest, c.ID)
	if err != nil || view.OpenedBy != "" || view.Access.Part != PartRead || view.Access.Own {
		t.Errorf("a guest who reads: %+v, %v", view, err)
	}
	if _, err := w.AddItem(ctx, guest, c.ID, Item{Kind: ItemNote, Text: "x"}); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a guest who reads writes: %v", err)
	}
	theirs := w.add(partner, c.ID, Item{Kind: ItemNote, Text: "theirs"})
	theirs.Text = "ours now"
	_, err = w.ChangeItem(ctx, lead, c.ID, theirs)
	caseIs(t, err, polder.Forbidden, "another organisation")
	if _, err := w.StrikeItem(ctx, lead, c.ID, theirs.ID, 1, "it was wrong"); err != nil {
		t.Errorf("the lead strikes it out: %v", err)
	}
	if _, err := w.AddItem(ctx, leadToken, c.ID, Item{Kind: ItemNote, Text: "x"}); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a token that reads writes: %v", err)
	}
	title := "theirs"
	_, err = w.ChangeCase(ctx, partner, c.ID, CaseChange{Version: 1, Title: &title})
	caseIs(t, err, polder.Forbidden, "organisation's to write")
}

// TestNobodyReadsTheAuditOfCases: the audit keeps that something was done, for who verifies the node; in its pages nobody
// learns of a case, colleagues included, and no word of a case stands in it.
func TestNobodyReadsTheAuditOfCases(t *testing.T) {
	w := newCaseWorld(t)
	c := w.open(stix.Red, "Somebody of ours")
	w.add(lead, c.ID, Item{Kind: ItemNote, Text: "words"})
	for who, by := range everyCaseActor {
		all, err := w.audit.List(t.Context(), audit.Filter{Viewer: by, Limit: 1000})
		if err != nil || len(all) != 0 {
			t.Errorf("%s reads %d entries, %v", who, len(all), err)
		}
	}
	n, err := w.audit.Verify(t.Context(), nil)
	if err != nil || n < 2 {
		t.Errorf("%d entries, %v", n, err)
	}
}

// TestCloseWithOpenDeadlines: what the law asks is not left undone by closing a case, unless the reason says why.
func TestCloseWithOpenDeadlines(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "Duties", Kind: KindIncident, Sector: "energy"})
	caseMust(t, err)
	at := caseStamp(w.now.Add(24 * time.Hour))
	caseMust(t, w.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO cases_deadline (case_id, rule, org, start, due, said) VALUES (?, 'test/one', ?, 1, ?, '{"status":"in-force"}')`, string(c.ID), string(optics), at)
		return err
	}))
	_, err = w.SetCaseStatus(ctx, lead, c.ID, CaseStatusChange{Status: StatusClosed, Reason: "no harm done", Nothing: true, Version: 1})
	caseIs(t, err, polder.Conflict, "deadlines")
	_, err = w.SetCaseStatus(ctx, lead, c.ID, CaseStatusChange{Status: StatusClosed, Nothing: true, Late: true, Version: 1})
	caseIs(t, err, polder.Invalid, "reason")
	done, err := w.SetCaseStatus(ctx, lead, c.ID, CaseStatusChange{Status: StatusClosed, Reason: "the authority said that nothing is asked", Nothing: true, Late: true, Version: 1})
	caseMust(t, err)
	d, err := w.Damage(ctx, lead, c.ID)
	if err != nil || d.Taken != TakenNothing || !d.Signed || done.Status != StatusClosed {
		t.Errorf("%+v, %v", d, err)
	}
	again, err := w.SetCaseStatus(ctx, lead, c.ID, CaseStatusChange{Status: StatusOpen, Reason: "new traces", Version: 2})
	if err != nil || !again.Closed.IsZero() || again.Status != StatusOpen {
		t.Errorf("%+v, %v", again, err)
	}
}
