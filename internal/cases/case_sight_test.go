package cases

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// drawnCase is a case of a random world, with its members and items.
type drawnCase struct {
	Case
	n       int64
	members []Member
	items   []Item
}

// seenBy is what the rule in Go gives a viewer.
func (c drawnCase) seenBy(v caseViewer) (x Access) {
	for _, m := range c.members {
		if got := v.access(c.Case, m); got.Part != "" {
			x = got
		}
	}
	return x
}

var drawnViewers = []polder.Actor{lead, worker, looker, chief, partner, guest, contact, leadToken}

// drawCases makes a random world of cases and stores it in place of what was there.
func drawCases(rt *rapid.T, w *caseWorld) []drawnCase {
	values := []string{"a.example", "b.example", "c.example"}
	level := rapid.SampledFrom([]stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red})
	all := make([]drawnCase, rapid.IntRange(1, 5).Draw(rt, "cases"))
	for i := range all {
		c := &all[i]
		at := time.UnixMicro(int64(1_700_000_000_000_000 + i)).UTC()
		c.Case = Case{ID: CaseID(fmt.Sprintf("case--00000000-0000-4000-8000-%012d", i)), Org: rapid.SampledFrom([]polder.OrgID{optics, wafers}).Draw(rt, "org"), Title: fmt.Sprintf("Title %d", i), Summary: "about it", Kind: KindIncident, Roads: []Road{RoadCyber},
			Severity: SeverityHigh, Status: rapid.SampledFrom(caseStatuses).Draw(rt, "status"), Level: level.Draw(rt, "level"), Countries: []string{}, Aware: at, Opened: at, Changed: at, Version: 1}
		if rapid.Bool().Draw(rt, "announced") {
			c.Announced = at
		}
		for _, who := range []polder.Actor{lead, worker, looker, partner, guest, contact} {
			if !rapid.Bool().Draw(rt, "member") {
				continue
			}
			m := Member{Person: who.Person, Part: rapid.SampledFrom([]Part{PartLead, PartWork, PartRead}).Draw(rt, "part"), Ceiling: level.Draw(rt, "ceiling"), Since: at}
			if who.Org != c.Org {
				m.Person, m.Org, m.Part = "", who.Org, rapid.SampledFrom([]Part{PartWork, PartRead, PartContact}).Draw(rt, "part of an organisation")
			}
			if !slices.ContainsFunc(c.members, func(h Member) bool { return h.Person == m.Person && h.Org == m.Org }) {
				c.members = append(c.members, m)
			}
		}
		for j := range rapid.IntRange(0, 4).Draw(rt, "items") {
			it := Item{ID: fmt.Sprintf("item-%d-%d", i, j), Case: c.ID, Kind: rapid.SampledFrom([]ItemKind{ItemNote, ItemObservable, ItemLink, ItemTask}).Draw(rt, "kind"), Level: level.Draw(rt, "level of an item"), Title: "word", Version: 1, At: at, Made: at, Changed: at, Org: c.Org}
			switch it.Kind {
			case ItemObservable:
				it.Observable = &Observable{Type: "domain", Value: rapid.SampledFrom(values).Draw(rt, "value")}
			case ItemLink:
				it.Link = &Link{To: CaseID(fmt.Sprintf("case--00000000-0000-4000-8000-%012d", rapid.IntRange(0, len(all)-1).Draw(rt, "to")))}
			case ItemTask:
				it.Task = &Task{Owner: rapid.SampledFrom([]polder.PersonID{lead.Person, partner.Person}).Draw(rt, "owner")}
			}
			c.items = append(c.items, it)
		}
	}
	err := w.db.Write(w.t.Context(), func(tx *db.Tx) error { return storeDrawn(tx, all) })
	if err != nil {
		rt.Fatal(err)
	}
	return all
}

func storeDrawn(tx *db.Tx, all []drawnCase) error {
	for _, clear := range []string{`DELETE FROM cases_custody`, `DELETE FROM cases_revision`, `DELETE FROM cases_touch`, `DELETE FROM cases_damage`, `DELETE FROM cases_item`, `DELETE FROM cases_member`, `DELETE FROM cases_case`} {
		if _, err := tx.Exec(clear); err != nil {
			return err
		}
	}
	for i := range all {
		c := &all[i]
		n, err := insertCase(tx, c.Case)
		if err != nil {
			return err
		}
		c.n = n
		for _, m := range c.members {
			if err := setMember(tx, n, m); err != nil {
				return err
			}
		}
		for _, it := range c.items {
			if _, err := insertItem(tx, n, it); err != nil {
				return err
			}
			if err := insertRevision(tx, n, caseViewer{}, CaseRevision{What: "item", Item: it.ID, Version: 1, At: it.Made, Did: "added", Level: it.Level, Of: &it}); err != nil {
				return err
			}
		}
	}
	return nil
}

// itemsSeen are the ids of the items of a case that the rule in Go gives a viewer.
func itemsSeen(all []drawnCase, c drawnCase, v caseViewer) (ids []string) {
	x := c.seenBy(v)
	for _, it := range c.items {
		linked := it.Link != nil && slices.ContainsFunc(all, func(o drawnCase) bool { return o.ID == it.Link.To && o.seenBy(v).Part != "" })
		if x.seesItem(it.Kind, it.Level, linked) {
			ids = append(ids, it.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// TestSightIsOneRule: the rule of sight in SQL and in Go are one, over every exit of the service, for every viewer of
// random worlds; so nobody sees above a ceiling, and the same value in two cases (S4) tells nobody of a case that is not
// theirs.
func TestSightIsOneRule(t *testing.T) {
	w := newCaseWorld(t)
	ctx := t.Context()
	rapid.Check(t, func(rt *rapid.T) {
		all := drawCases(rt, w)
		for _, by := range drawnViewers {
			v, err := w.caseViewer(ctx, by)
			if err != nil {
				rt.Fatal(err)
			}
			want := map[CaseID]Access{}
			open := 0
			var found []string
			for _, c := range all {
				if x := c.seenBy(v); x.Part != "" {
					want[c.ID] = x
					if c.Status == StatusOpen {
						open++
					}
				}
				found = append(found, itemsSeen(all, c, v)...)
			}
			slices.Sort(found)
			sightOfLists(rt, w, by, want, open)
			search, err := w.SearchItems(ctx, by, "word", 200)
			if err != nil {
				rt.Fatal(err)
			}
			if got := itemIDs(search); !slices.Equal(got, found) {
				rt.Fatalf("%s finds %q, the rule gives %q", by.Person, got, found)
			}
			for _, c := range all {
				sightOfCase(rt, w, by, v, all, c)
			}
			sightOfValues(rt, w, by, v, all)
		}
	})
}

func itemIDs(items []Item) (ids []string) {
	for _, it := range items {
		ids = append(ids, it.ID)
	}
	slices.Sort(ids)
	return ids
}

// sightOfLists compares the lists in all orders, in pages of two, and the counts.
func sightOfLists(rt *rapid.T, w *caseWorld, by polder.Actor, want map[CaseID]Access, open int) {
	ctx := w.t.Context()
	for _, sort := range []CaseSort{CasesByOpened, CasesByChanged, CasesBySeverity} {
		got := map[CaseID]Access{}
		for next, first := "", true; first || next != ""; first = false {
			page, err := w.Cases(ctx, by, CaseFilter{Sort: sort, Limit: 2, Next: next})
			if err != nil {
				rt.Fatal(err)
			}
			for _, c := range page.Cases {
				if _, twice := got[c.ID]; twice {
					rt.Fatalf("%s lists %s twice by %s", by.Person, c.ID, sort)
				}
				got[c.ID] = c.Access
			}
			next = page.Next
		}
		if !maps.Equal(got, want) {
			rt.Fatalf("%s lists %v by %s, the rule gives %v", by.Person, got, sort, want)
		}
	}
	n, err := w.CaseCounts(ctx, by)
	if err != nil || n.Open != open {
		rt.Fatalf("%s counts %d open cases, %v; the rule gives %d", by.Person, n.Open, err, open)
	}
}

// sightOfCase compares what one case shows.
func sightOfCase(rt *rapid.T, w *caseWorld, by polder.Actor, v caseViewer, all []drawnCase, c drawnCase) {
	ctx, x, want := w.t.Context(), c.seenBy(v), itemsSeen(all, c, v)
	view, err := w.Case(ctx, by, c.ID)
	if (err == nil) != (x.Part != "") {
		rt.Fatalf("%s opens %s: %v; the rule gives %+v", by.Person, c.ID, err, x)
	}
	if err == nil && (view.Title == c.Title) != x.sees(c.Level) {
		rt.Fatalf("%s with %+v reads the title %q of a case marked %s", by.Person, x, view.Title, c.Level)
	}
	page, err := w.Items(ctx, by, c.ID, ItemFilter{})
	if got := itemIDs(page.Items); !slices.Equal(got, want) || (err == nil) != x.May(PartRead) {
		rt.Fatalf("%s sees %q of %s, %v; the rule gives %q", by.Person, got, c.ID, err, want)
	}
	total := 0
	for _, n := range view.Counts {
		total += n
	}
	if total != len(want) {
		rt.Fatalf("%s counts %d items of %s, the rule gives %d", by.Person, total, c.ID, len(want))
	}
	for _, it := range c.items {
		_, err := w.Item(ctx, by, c.ID, it.ID)
		if (err == nil) != slices.Contains(want, it.ID) {
			rt.Fatalf("%s opens %s: %v", by.Person, it.ID, err)
		}
	}
	past, err := w.CaseHistory(ctx, by, c.ID)
	var told []string
	for _, r := range past {
		told = append(told, r.Item)
	}
	slices.Sort(told)
	if !slices.Equal(told, want) || (err == nil) != x.May(PartRead) {
		rt.Fatalf("the history of %s tells %s of %q, %v; the rule gives %q", c.ID, by.Person, told, err, want)
	}
}

// sightOfValues compares who is told that a value stands in another case.
func sightOfValues(rt *rapid.T, w *caseWorld, by polder.Actor, v caseViewer, all []drawnCase) {
	for _, value := range []string{"a.example", "b.example", "c.example"} {
		want := []CaseID{}
		for _, c := range all {
			seen := itemsSeen(all, c, v)
			if slices.ContainsFunc(c.items, func(it Item) bool {
				return it.Observable != nil && it.Observable.Value == value && slices.Contains(seen, it.ID)
			}) {
				want = append(want, c.ID)
			}
		}
		refs, err := w.CasesNaming(w.t.Context(), by, value)
		got := []CaseID{}
		for _, r := range refs {
			got = append(got, r.ID)
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("%s is told that %s stands in %q, %v; the rule gives %q", by.Person, value, got, err, want)
		}
	}
}
