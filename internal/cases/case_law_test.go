package cases

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// caseModel is what a case should be after any order of grants and revocations.
type caseModel struct {
	w       *caseWorld
	id      CaseID
	members map[polder.OrgID]map[polder.PersonID]Member // of persons by their organisation, of organisations under ""
	items   map[string]stix.Marking
}

var lawActors = []polder.Actor{lead, worker, looker, chief, partner, guest, contact}

// access is what the model gives somebody.
func (m *caseModel) access(by polder.Actor) Access {
	row, ok := m.members[by.Org][by.Person]
	if by.Org != optics {
		row, ok = m.members[by.Org][""]
	}
	if !ok || row.Part == PartContact {
		return Access{}
	}
	x := Access{Part: row.Part, Ceiling: row.Ceiling, Own: by.Org == optics}
	if by.Role < polder.RoleContributor {
		x.Part = PartRead
	}
	return x
}

func (m *caseModel) all() (out []Member) {
	for _, people := range m.members {
		for _, one := range people {
			out = append(out, one)
		}
	}
	return out
}

// grant lets somebody make somebody a member, and holds it to the law: a lead alone, nothing above the own ceiling, nobody
// who sees more, and one lead who sees everything stays.
func (m *caseModel) grant(rt *rapid.T) {
	by, who := rapid.SampledFrom(lawActors).Draw(rt, "by"), rapid.SampledFrom(lawActors).Draw(rt, "who")
	ask := CaseWithWhom{Person: who.Person, Part: rapid.SampledFrom(caseParts).Draw(rt, "part"), Ceiling: rapid.SampledFrom(caseLevels).Draw(rt, "ceiling")}
	key := who.Person
	if who.Org != optics {
		ask.Person, ask.Org, key = "", who.Org, ""
	}
	x, had := m.access(by), m.members[who.Org][key]
	next := Member{Person: ask.Person, Org: ask.Org, Part: ask.Part, Ceiling: ask.Ceiling}
	after := append(slices.DeleteFunc(m.all(), func(h Member) bool { return h.Person == next.Person && h.Org == next.Org }), next)
	fits := ask.Org == "" && ask.Part != PartContact || ask.Org != "" && ask.Part != PartLead
	right := x.Part == PartLead && ask.Ceiling <= x.Ceiling && had.Ceiling <= x.Ceiling && fits && ledBy(after)
	_, err := m.w.SetMember(m.w.t.Context(), by, m.id, ask)
	if (err == nil) != right {
		rt.Fatalf("%s with %+v makes %+v of %+v: %v, want right %v", by.Person, x, ask, had, err, right)
	}
	if right {
		if m.members[who.Org] == nil {
			m.members[who.Org] = map[polder.PersonID]Member{}
		}
		m.members[who.Org][key] = next
	}
}

// revoke ends a membership; whoever lost it sees nothing from the next request on.
func (m *caseModel) revoke(rt *rapid.T) {
	by, who := rapid.SampledFrom(lawActors).Draw(rt, "by"), rapid.SampledFrom(lawActors).Draw(rt, "who")
	person, org, key := who.Person, polder.OrgID(""), who.Person
	if who.Org != optics {
		person, org, key = "", who.Org, ""
	}
	x := m.access(by)
	had, there := m.members[who.Org][key]
	after := slices.DeleteFunc(m.all(), func(h Member) bool { return h.Person == person && h.Org == org })
	self := by.Org == optics && by.Person == who.Person || by.Org != optics && by.Org == org && by.Role >= polder.RoleContributor
	right := there && ledBy(after) && (x.Part == PartLead && had.Ceiling <= x.Ceiling || self && x.Part != "")
	err := m.w.RemoveMember(m.w.t.Context(), by, m.id, person, org)
	if (err == nil) != right {
		rt.Fatalf("%s with %+v removes %+v: %v, want right %v", by.Person, x, had, err, right)
	}
	if right {
		delete(m.members[who.Org], key)
	}
}

// add adds an item, which nobody marks above the own ceiling.
func (m *caseModel) add(rt *rapid.T) {
	by, level := rapid.SampledFrom(lawActors).Draw(rt, "by"), rapid.SampledFrom(caseLevels).Draw(rt, "level")
	x := m.access(by)
	right := x.May(PartWork) && level <= x.Ceiling
	it, err := m.w.AddItem(m.w.t.Context(), by, m.id, Item{Kind: ItemNote, Level: level, Text: "x"})
	if (err == nil) != right {
		rt.Fatalf("%s with %+v adds an item marked %s: %v", by.Person, x, level, err)
	}
	if right {
		m.items[it.ID] = level
	}
}

// check compares what everybody sees with the model.
func (m *caseModel) check(rt *rapid.T) {
	for _, by := range lawActors {
		x := m.access(by)
		var want []string
		for id, level := range m.items {
			if x.Part != "" && level <= x.Ceiling {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		var got []string
		page, err := m.w.Items(m.w.t.Context(), by, m.id, ItemFilter{Limit: 200})
		if got = itemIDs(page.Items); !slices.Equal(got, want) || (err == nil) != (x.Part != "") {
			rt.Fatalf("%s with %+v sees %d items, %v, want %d", by.Person, x, len(got), err, len(want))
		}
	}
	sortedMembers(rt, m.w)
	if !ledBy(m.all()) {
		rt.Fatal("nobody leads who sees everything")
	}
}

// TestCaseRightsLaw (S6): over any order of grants, revocations and new items nobody ever holds what no holder of it
// granted, nobody grants more than he has, and nobody sees above the ceiling.
func TestCaseRightsLaw(t *testing.T) {
	w := newCaseWorld(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		c := w.open(stix.Clear, fmt.Sprintf("Case %d", n))
		m := &caseModel{w: w, id: c.ID, items: map[string]stix.Marking{}, members: map[polder.OrgID]map[polder.PersonID]Member{optics: {lead.Person: {Person: lead.Person, Part: PartLead, Ceiling: stix.Red}}}}
		rt.Repeat(map[string]func(*rapid.T){"grant": m.grant, "grant more": m.grant, "revoke": m.revoke, "add": m.add, "": m.check})
	})
}

// TestTwoOfficersAtOnce: of changes that are made on one version one is taken, the others get what stands there now, and
// every version is kept: nobody's words vanish.
func TestTwoOfficersAtOnce(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	c := w.open(stix.Green, "One case")
	w.let(c.ID, worker, PartWork, stix.Red)
	it := w.add(lead, c.ID, Item{Kind: ItemNote, Text: "start"})
	var all sync.WaitGroup
	var mu sync.Mutex
	taken, told := map[string]bool{"start": true}, 0
	for i := range 40 {
		by, text := []polder.Actor{lead, worker}[i%2], fmt.Sprintf("words %d", i)
		all.Go(func() {
			seen := it
			for {
				n := seen
				n.Text = text
				_, err := w.ChangeItem(ctx, by, c.ID, n)
				if err == nil {
					mu.Lock()
					taken[text] = true
					mu.Unlock()
					return
				}
				conflict, ok := err.(*CaseConflict)
				if !ok || conflict.Item == nil || conflict.Item.Version <= seen.Version || conflict.Item.Text == "" {
					t.Errorf("%v", err)
					return
				}
				mu.Lock()
				told++
				mu.Unlock()
				seen = *conflict.Item
			}
		})
	}
	all.Wait()
	past, err := w.ItemHistory(ctx, lead, c.ID, it.ID)
	caseMust(t, err)
	if told == 0 || len(past) != 41 {
		t.Fatalf("%d were told, %d versions are kept", told, len(past))
	}
	for _, r := range past {
		delete(taken, r.Of.Text)
	}
	if len(taken) != 0 {
		t.Errorf("lost: %v", taken)
	}
	title, summary := "Her title", "his summary"
	_, err = w.ChangeCase(ctx, lead, c.ID, CaseChange{Version: 1, Title: &title})
	caseMust(t, err)
	_, err = w.ChangeCase(ctx, worker, c.ID, CaseChange{Version: 1, Summary: &summary})
	if conflict, ok := err.(*CaseConflict); !ok || conflict.Case.Title != title || conflict.Case.Version != 2 || polder.KindOf(err) != polder.Conflict {
		t.Errorf("the second gets %v", err)
	}
	d := newCaseDoor(t)
	own := d.open(stix.Green, "By REST")
	caseGot[CaseView](t, d.ask("lead", "PATCH", "/api/v1/cases/"+string(own.ID), `{"title":"A"}`, "If-Match", `"1"`), 200)
	body := caseGot[struct {
		Status  int
		Current CaseView
	}](t, d.ask("lead", "PATCH", "/api/v1/cases/"+string(own.ID), `{"title":"B","version":1}`), 409)
	if body.Current.Title != "A" || body.Current.Version != 2 || body.Status != 409 {
		t.Errorf("%+v", body)
	}
}
