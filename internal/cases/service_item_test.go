package cases

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// TestItemCheck: what is wrong with an item is said so that a person can put it right.
func TestItemCheck(t *testing.T) {
	w := newCaseWorld(t)
	c := w.open(stix.Green, "Checks")
	tomorrow := w.now.Add(48 * time.Hour)
	for _, row := range []struct {
		why  string
		it   Item
		kind polder.Kind
		says string
	}{
		{"no kind", Item{Text: "x"}, polder.Invalid, "kind"},
		{"a kind that is none", Item{Kind: "photo", Text: "x"}, polder.Invalid, "use one of"},
		{"nothing said", Item{Kind: ItemNote}, polder.Invalid, "title: is empty"},
		{"a part of another kind", Item{Kind: ItemNote, Text: "x", Task: &Task{}}, polder.Invalid, "no such part"},
		{"two lines in a title", Item{Kind: ItemNote, Title: "a\nb"}, polder.Invalid, "one line"},
		{"a title that is long", Item{Kind: ItemNote, Title: strings.Repeat("a", 400)}, polder.TooLarge, "at most 300"},
		{"a text that is long", Item{Kind: ItemNote, Text: strings.Repeat("a", 65<<10)}, polder.TooLarge, "at most"},
		{"no UTF-8", Item{Kind: ItemNote, Text: "\xff"}, polder.Invalid, "UTF-8"},
		{"a NUL", Item{Kind: ItemNote, Text: "a\x00"}, polder.Invalid, "NUL"},
		{"tomorrow", Item{Kind: ItemEntry, Title: "x", At: tomorrow}, polder.Invalid, "future"},
		{"the year 9999", Item{Kind: ItemTask, Title: "x", At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, polder.Invalid, "1970 to 2199"},
		{"a decision without a reason", Item{Kind: ItemDecision, Title: "x"}, polder.Invalid, "reason"},
		{"a reason of spaces", Item{Kind: ItemDecision, Title: "x", Decision: &Decision{Reason: "   "}}, polder.Invalid, "reason"},
		{"a decision without a title", Item{Kind: ItemDecision, Text: "x", Decision: &Decision{Reason: "because"}}, polder.Invalid, "what was decided"},
		{"no value", Item{Kind: ItemObservable}, polder.Invalid, "observable"},
		{"a value that tells no type", Item{Kind: ItemObservable, Observable: &Observable{Value: "a red van"}}, polder.Invalid, "say the type"},
		{"a value of another type", Item{Kind: ItemObservable, Observable: &Observable{Type: "ipv4", Value: "evil.example"}}, polder.Invalid, "observable"},
		{"last before first", Item{Kind: ItemObservable, Observable: &Observable{Value: "1.2.3.4", First: w.now, Last: w.now.Add(-time.Hour)}}, polder.Invalid, "before first"},
		{"a thing without a place", Item{Kind: ItemEvidence, Evidence: &Evidence{Name: "USB stick"}}, polder.Invalid, "where"},
		{"a hash that somebody claims", Item{Kind: ItemEvidence, Evidence: &Evidence{Name: "a", SHA256: strings.Repeat("a", 64)}}, polder.Invalid, "node's to say"},
		{"a link to itself", Item{Kind: ItemLink, Link: &Link{To: c.ID}}, polder.Invalid, "itself"},
		{"a link to no case", Item{Kind: ItemLink, Link: &Link{To: "case--x"}}, polder.Invalid, "no such case"},
		{"an owner who is nobody", Item{Kind: ItemTask, Title: "x", Task: &Task{Owner: "person-nobody"}}, polder.Invalid, "owner"},
		{"an owner of another organisation", Item{Kind: ItemTask, Title: "x", Task: &Task{Owner: partner.Person}}, polder.Invalid, "owner"},
		{"an owner who was not let in", Item{Kind: ItemTask, Title: "x", Task: &Task{Owner: worker.Person}}, polder.Invalid, "let the person in"},
		{"a level that is none", Item{Kind: ItemNote, Text: "x", Level: 9}, polder.Forbidden, "ceiling"},
	} {
		_, err := w.AddItem(t.Context(), lead, c.ID, row.it)
		if err == nil || polder.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %s that says %q", row.why, err, row.kind, row.says)
		}
	}
}

// TestObservables: a value is kept once in its one spelling, and looked up where the asker may look.
func TestObservables(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "One")
	w.let(c.ID, worker, PartWork, stix.Amber)
	red := w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Red, Observable: &Observable{Value: "evil.example", Bad: true}})
	mine := w.add(worker, c.ID, Item{Kind: ItemObservable, Observable: &Observable{Type: "domain", Value: "EVIL[.]example."}})
	if mine.ID == red.ID || mine.Observable.Value != "evil.example" || mine.Level != stix.Green {
		t.Fatalf("what a worker adds without seeing it is %+v", mine)
	}
	again := w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Amber, Observable: &Observable{Value: "evil.example"}})
	if again.ID != mine.ID {
		t.Errorf("the value that the case holds as wide is added again")
	}
	own, err := w.OpenCase(ctx, worker, CaseNew{Title: "Two", Level: stix.Green, Observables: []Observable{{Value: "evil.example"}, {Value: "evil[.]example"}}})
	caseMust(t, err)
	if own.Counts[ItemObservable] != 1 {
		t.Errorf("%v", own.Counts)
	}
	w.exchange.known["evil.example"] = KnownObject{ID: "indicator--1", Title: "Evil"}
	for _, row := range []struct {
		by   polder.Actor
		want int
		why  string
	}{{worker, 1, "sees both cases"}, {lead, 0, "was not let into the other one, and does not learn of it (iris#462)"}} {
		found, err := w.LookUp(ctx, row.by, c.ID, mine.ID)
		caseMust(t, err)
		if len(found.Known) != 1 || len(found.Cases) != row.want {
			t.Errorf("%s: %+v: %s", row.by.Name, found, row.why)
		}
		similar, err := w.SimilarCases(ctx, row.by, c.ID)
		if err != nil || len(similar) != row.want {
			t.Errorf("%s: %v, %v: %s", row.by.Name, similar, err, row.why)
		}
	}
	refs, err := w.CasesNaming(ctx, worker, "hxxp://EVIL[.]example")
	if err != nil || len(refs) != 0 {
		t.Errorf("a URL is no name: %v, %v", refs, err)
	}
	refs, err = w.CasesNaming(ctx, worker, " EVIL[.]example ")
	if err != nil || len(refs) != 2 || refs[0].Why != "evil.example" || refs[0].Item == "" {
		t.Errorf("%+v, %v", refs, err)
	}
	_, err = w.StrikeItem(ctx, worker, c.ID, mine.ID, 1, "was our own scanner")
	caseMust(t, err)
	if refs, _ = w.CasesNaming(ctx, worker, "evil.example"); len(refs) != 1 {
		t.Errorf("what was struck out counts: %+v", refs)
	}
}

// TestS12Careless: a text that holds what the case keeps marked stricter is held until it is confirmed, at every door where
// text comes in or is made wider; what the writer cannot see is not told.
func TestS12Careless(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Careless")
	w.let(c.ID, worker, PartWork, stix.Amber)
	w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Red, Observable: &Observable{Value: "10.20.30.4"}})
	f, err := w.AddEvidence(ctx, lead, c.ID, Item{Level: stix.Red, Evidence: &Evidence{Name: "lens-drawing.step"}}, strings.NewReader("x"))
	caseMust(t, err)
	for _, row := range []struct {
		text string
		held bool
		why  string
	}{
		{"they came from 10.20.30.4 at night", true, "the exact value"},
		{"they came from 10[.]20[.]30[.]4", true, "the same, written so that nobody clicks it"},
		{"they came from 110.20.30.42", false, "another address"},
		{"they took LENS-DRAWING.step", true, "the name of a file"},
		{"hash " + f.Evidence.SHA256, true, "the hash of a file"},
		{"nothing of that", false, "harmless"},
	} {
		_, err := w.AddItem(ctx, lead, c.ID, Item{Kind: ItemNote, Text: row.text})
		hold, is := err.(*CarelessHold)
		if is != row.held || is && (hold.Found[0].Level != stix.Red || polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), "TLP:RED")) || !is && err != nil {
			t.Errorf("%q: %v: %s", row.text, err, row.why)
		}
	}
	note := w.add(lead, c.ID, Item{Kind: ItemNote, Level: stix.Red, Text: "from 10.20.30.4"})
	note.Level = stix.Green
	if _, err := w.ChangeItem(ctx, lead, c.ID, note); polder.KindOf(err) != polder.Conflict {
		t.Errorf("made wider: %v", err)
	}
	note.Confirmed = true
	if _, err := w.ChangeItem(ctx, lead, c.ID, note); err != nil {
		t.Errorf("confirmed: %v", err)
	}
	summary := "it was 10.20.30.4"
	if _, err := w.ChangeCase(ctx, lead, c.ID, CaseChange{Version: 1, Summary: &summary}); polder.KindOf(err) != polder.Conflict {
		t.Errorf("in a summary: %v", err)
	}
	if _, err := w.AddItem(ctx, worker, c.ID, Item{Kind: ItemNote, Text: "from 10.20.30.4"}); err != nil {
		t.Errorf("a worker is told of what he cannot see: %v", err)
	}
	found, err := w.CarelessIn(ctx, lead, c.ID, stix.Green, map[string]string{"note": "from 10.20.30.4"})
	if err != nil || len(found) != 1 || found[0].Where != "note" {
		t.Errorf("at release: %+v, %v", found, err)
	}
	if found, err = w.CarelessIn(ctx, worker, c.ID, stix.Green, map[string]string{"note": "from 10.20.30.4"}); err != nil || len(found) != 0 {
		t.Errorf("at a worker's release: %+v, %v", found, err)
	}
}

// TestDecisionsStay: a decision is never changed or struck out, only superseded; whoever decided is the one who acted.
func TestDecisionsStay(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Decide")
	first := w.add(lead, c.ID, Item{Kind: ItemDecision, Title: "Block the account", Decision: &Decision{Reason: "it was used at night", Person: "person-Wim"}})
	if first.Decision.Person != lead.Person {
		t.Errorf("decided by %s", first.Decision.Person)
	}
	n := first
	n.Decision = &Decision{Reason: "another reason"}
	_, err := w.ChangeItem(ctx, lead, c.ID, n)
	caseIs(t, err, polder.Conflict, "supersedes")
	_, err = w.StrikeItem(ctx, lead, c.ID, first.ID, 1, "a mistake")
	caseIs(t, err, polder.Conflict, "supersedes")
	second := w.add(lead, c.ID, Item{Kind: ItemDecision, Title: "Open the account", Level: stix.Red, Decision: &Decision{Reason: "it was the auditor", Supersedes: first.ID}})
	now, err := w.Item(ctx, lead, c.ID, first.ID)
	if err != nil || now.Decision.SupersededBy != second.ID || now.Decision.Reason != "it was used at night" {
		t.Errorf("%+v, %v", now.Decision, err)
	}
	w.let(c.ID, looker, PartRead, stix.Green)
	if now, err = w.Item(ctx, looker, c.ID, first.ID); err != nil || now.Decision.SupersededBy != "" {
		t.Errorf("who does not see the second learns of it: %+v, %v", now.Decision, err)
	}
}

// TestEvidenceCustody: custody begins with "collected", every opening is a step, steps are only added, and nobody writes
// the steps that the node writes.
func TestEvidenceCustody(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Custody")
	w.let(c.ID, looker, PartRead, stix.Green)
	it, err := w.AddEvidence(ctx, lead, c.ID, Item{Evidence: &Evidence{Name: "log.txt"}}, strings.NewReader("lines"))
	caseMust(t, err)
	f, _, err := w.OpenEvidence(ctx, looker, c.ID, it.ID, "")
	caseMust(t, err)
	f.Close()
	for _, did := range []string{"collected", "opened", "stolen", ""} {
		_, err = w.AddCustody(ctx, lead, c.ID, it.ID, Custody{Did: did})
		caseIs(t, err, polder.Invalid, "did")
	}
	_, err = w.AddCustody(ctx, lead, c.ID, it.ID, Custody{Did: "handed over"})
	caseIs(t, err, polder.Invalid, "to whom")
	_, err = w.AddCustody(ctx, looker, c.ID, it.ID, Custody{Did: "copied"})
	caseIs(t, err, polder.Forbidden, "")
	w.mu.Lock()
	w.now = w.now.Add(-240 * time.Hour)
	w.mu.Unlock()
	it, err = w.AddCustody(ctx, lead, c.ID, it.ID, Custody{Did: "handed over", To: "police", Reason: "they asked for it"})
	caseMust(t, err)
	var did []string
	for i, s := range it.Evidence.Custody {
		did = append(did, s.Did+" "+string(s.Person))
		if i > 0 && s.At.Before(it.Evidence.Custody[i-1].At) {
			t.Error("a clock that was set back changes the order")
		}
	}
	if !slices.Equal(did, []string{"collected person-Lotte", "opened person-Rens", "handed over person-Lotte"}) {
		t.Errorf("%q", did)
	}
}

// TestTasks: a task is for who was let in, is on that person's list until it is done, and keeps the step that it comes from.
func TestTasks(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Tasks")
	w.let(c.ID, worker, PartWork, stix.Green)
	late := w.add(lead, c.ID, Item{Kind: ItemTask, Title: "Call the bank", At: w.now.Add(time.Hour), Task: &Task{Owner: worker.Person}})
	soon := w.add(lead, c.ID, Item{Kind: ItemTask, Title: "Pull the plug", At: w.now.Add(time.Minute), Task: &Task{Owner: worker.Person, Step: "contain-1"}})
	w.add(lead, c.ID, Item{Kind: ItemTask, Title: "Some day", Task: &Task{Owner: worker.Person}})
	mine, err := w.MyTasks(ctx, worker)
	caseMust(t, err)
	if len(mine) != 3 || mine[0].Item.ID != soon.ID || mine[1].Item.ID != late.ID || mine[0].Item.Task.Step != "contain-1" || mine[0].Case.Title != "Tasks" {
		t.Fatalf("%+v", mine)
	}
	done, err := w.FinishTask(ctx, worker, c.ID, soon.ID, true)
	if err != nil || done.Task.Done.IsZero() {
		t.Fatalf("%+v, %v", done, err)
	}
	if mine, err = w.MyTasks(ctx, worker); err != nil || len(mine) != 2 {
		t.Errorf("%d tasks, %v", len(mine), err)
	}
	caseMust(t, w.RemoveMember(ctx, lead, c.ID, worker.Person, ""))
	if mine, err = w.MyTasks(ctx, worker); err != nil || len(mine) != 0 {
		t.Errorf("who was taken out keeps %d tasks, %v", len(mine), err)
	}
}

// TestErase: the lead takes content away for good, from the item, its history and the files; that there was one stays.
func TestErase(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Erase")
	w.let(c.ID, worker, PartWork, stix.Green)
	const secret = "Geheimnis"
	it := w.add(lead, c.ID, Item{Kind: ItemNote, Text: secret})
	it.Text = secret + " changed"
	it, err := w.ChangeItem(ctx, lead, c.ID, it)
	caseMust(t, err)
	file, err := w.AddEvidence(ctx, lead, c.ID, Item{Evidence: &Evidence{Name: secret}}, strings.NewReader(secret))
	caseMust(t, err)
	_, err = w.EraseItem(ctx, worker, c.ID, it.ID, "because")
	caseIs(t, err, polder.Forbidden, "lead")
	for _, id := range []string{it.ID, file.ID} {
		gone, err := w.EraseItem(ctx, lead, c.ID, id, "asked by the person")
		if err != nil || !gone.Erased || gone.Text != "" {
			t.Fatalf("%+v, %v", gone, err)
		}
	}
	if _, _, err := w.OpenEvidence(ctx, lead, c.ID, file.ID, ""); polder.KindOf(err) != polder.Conflict {
		t.Errorf("the erased file: %v", err)
	}
	for _, table := range []string{`SELECT count(*) FROM cases_item WHERE title || text || folded || body LIKE '%Geheimnis%'`, `SELECT count(*) FROM cases_revision WHERE body LIKE '%Geheimnis%'`, `SELECT count(*) FROM audit WHERE detail LIKE '%Geheimnis%'`} {
		var n int
		caseMust(t, w.db.Read().QueryRow(table).Scan(&n))
		if n != 0 {
			t.Errorf("%s: %d", table, n)
		}
	}
	past, err := w.ItemHistory(ctx, lead, c.ID, it.ID)
	if err != nil || len(past) != 3 || past[0].Did != "erased" || past[0].Reason == "" {
		t.Errorf("%+v, %v", past, err)
	}
}

// TestS15CustodyOpened (S15): whoever opens evidence over and over comes to an end alone: others still open it, and what is
// done with it still has a place in its custody.
func TestS15CustodyOpened(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "Custody")
	w.let(c.ID, guest, PartRead, stix.Green)
	it, err := w.AddEvidence(ctx, lead, c.ID, Item{Evidence: &Evidence{Name: "log.txt"}}, strings.NewReader("lines"))
	caseMust(t, err)
	fill := func(org polder.OrgID, people, times int) {
		caseMust(t, w.db.Write(ctx, func(tx *db.Tx) error {
			row, err := readItem(tx, caseViewer{lead.Person, lead.Org, lead.Role}, c.ID, it.ID)
			for n := range people * times {
				if err == nil {
					err = insertCustody(tx, row.n, caseViewer{person: polder.PersonID(fmt.Sprintf("person-%d", n%people)), org: org}, Custody{At: w.now, Did: "opened"})
				}
			}
			return err
		}))
	}
	open := func(who polder.Actor) error {
		f, _, err := w.OpenEvidence(ctx, who, c.ID, it.ID, "")
		if err == nil {
			f.Close()
		}
		return err
	}
	caseMust(t, open(guest))
	fill(guest.Org, 10, maxOpenedOrg/10)
	caseIs(t, open(guest), polder.Limited, "each is a step")
	caseMust(t, open(lead))
	fill(lead.Org, 10, (maxCustodyOpened-maxOpenedOrg)/10)
	caseIs(t, open(lead), polder.Limited, "each is a step")
	_, err = w.AddCustody(ctx, lead, c.ID, it.ID, Custody{Did: "handed over", To: "police"})
	caseMust(t, err)
}
