package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// manyCases fills a world with n cases of all levels and severities, in which worker has ceilings of all levels.
func manyCases(t testing.TB, w *caseWorld, n int) {
	t.Helper()
	for first := 0; first < n; first += 500 {
		caseMust(t, w.db.Write(context.Background(), func(tx *db.Tx) error {
			for i := first; i < min(first+500, n); i++ {
				at := time.UnixMicro(int64(1_700_000_000_000_000 + 1_000_000*i)).UTC()
				c := Case{ID: CaseID(fmt.Sprintf("case--10000000-0000-4000-8000-%012d", i)), Org: optics, Title: fmt.Sprintf("Odd log-ins %d", i), Summary: "Somebody logged in at night from abroad, with an account that nobody uses.", Kind: KindIncident, Roads: []Road{caseRoads[i%5]},
					Class: caseClasses[i%len(caseClasses)], Severity: caseSeverities[i%4], Status: caseStatuses[i%3], Level: canaryLevels[i%5], Countries: []string{"NL"}, Aware: at, Opened: at, Changed: at.Add(time.Duration(i*7919%n) * time.Second), Version: 1}
				row, err := insertCase(tx, c)
				if err != nil {
					return err
				}
				for _, m := range []Member{{Person: lead.Person, Part: PartLead, Ceiling: stix.Red}, {Person: worker.Person, Part: PartWork, Ceiling: canaryLevels[i/5%5]}} {
					if err := setMember(tx, row, m); err != nil {
						return err
					}
				}
			}
			return nil
		}))
	}
}

// A page of 50 of 10,000 cases, for a member with another ceiling in each, by each order and with filters that fit few.
func BenchmarkCaseListOpened(b *testing.B) { benchmarkCases(b, CaseFilter{}, 20*time.Millisecond) }
func BenchmarkCaseListChanged(b *testing.B) {
	benchmarkCases(b, CaseFilter{Sort: CasesByChanged}, 20*time.Millisecond)
}
func BenchmarkCaseListSeverity(b *testing.B) {
	benchmarkCases(b, CaseFilter{Sort: CasesBySeverity}, 20*time.Millisecond)
}
func BenchmarkCaseListText(b *testing.B)  { benchmarkCases(b, CaseFilter{Text: "nobody uses"}, 0) }
func BenchmarkCaseListNone(b *testing.B)  { benchmarkCases(b, CaseFilter{Text: "not to be found"}, 0) }
func BenchmarkCaseListClass(b *testing.B) { benchmarkCases(b, CaseFilter{Class: caseClasses[3]}, 0) }

// benchmarkCases measures a page, and fails where a page takes longer than most on average; 0 is no bound.
func benchmarkCases(b *testing.B, f CaseFilter, most time.Duration) {
	b.Helper()
	w := newCaseWorld(b)
	manyCases(b, w, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Cases(b.Context(), worker, f); err != nil {
			b.Fatal(err)
		}
	}
	if took := b.Elapsed() / time.Duration(b.N); most > 0 && took > most {
		b.Fatalf("a page takes %v; at most %v is right", took, most)
	}
}

// TestCaseListReadsItsPageAlone: whatever the order, a page is read along an index that has it, from its place on.
// Nothing sorts all seats of a member, however many those are.
func TestCaseListReadsItsPageAlone(t *testing.T) {
	w := newCaseWorld(t)
	for sort, index := range map[CaseSort]string{CasesByOpened: "PRIMARY KEY (is_org=? AND who=? AND case_n<?)", CasesByChanged: "INDEX cases_member_changed (is_org=? AND who=? AND (by_changed,case_n)<(?,?))", CasesBySeverity: "INDEX cases_member_severity (is_org=? AND who=? AND (by_severity,case_n)<(?,?))"} {
		args := append(caseFilterArgs(caseViewer{person: worker.Person, org: optics}, CaseFilter{}, false), int64(1), int64(1), 50, false)
		rows, err := w.db.Read().QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+caseLists[sort], args...)
		plan, err := db.All(func(r db.Row) (line string, err error) {
			var id, parent, unused int
			err = r.Scan(&id, &parent, &unused, &line)
			return line, err
		}, rows, err)
		caseMust(t, err)
		text := strings.Join(plan, "\n")
		if !strings.Contains(text, index) || strings.Contains(text, "TEMP B-TREE") || strings.Contains(text, "SCAN c") {
			t.Errorf("by %q, want along %s:\n%s", sort, index, text)
		}
	}
}

// TestCaseListOrders: after changes of cases, parts and ceilings each order is that of what the member sees, page by page.
func TestCaseListOrders(t *testing.T) {
	w := newCaseWorld(t)
	var all []CaseID
	for i := range 6 {
		c := w.open(stix.Green, fmt.Sprint("Case ", i))
		w.let(c.ID, worker, PartWork, stix.Red)
		all = append(all, c.ID)
	}
	change := func(i int, n CaseChange) {
		v, err := w.Case(t.Context(), lead, all[i])
		caseMust(t, err)
		n.Version = v.Version
		_, err = w.ChangeCase(t.Context(), lead, all[i], n)
		caseMust(t, err)
	}
	want := func(why string, sort CaseSort, cases ...int) {
		t.Helper()
		sortedMembers(t, w)
		var got, order []CaseID
		for f := (CaseFilter{Sort: sort, Limit: 2}); ; {
			page, err := w.Cases(t.Context(), worker, f)
			caseMust(t, err)
			for _, c := range page.Cases {
				got = append(got, c.ID)
			}
			if f.Next = page.Next; f.Next == "" {
				break
			}
		}
		for _, i := range cases {
			order = append(order, all[i])
		}
		if !slices.Equal(got, order) {
			t.Errorf("%s: by %s they are %v, want %v", why, sort, got, order)
		}
	}
	title, critical, low, strict := "Changed", SeverityCritical, SeverityLow, stix.Red
	want("as opened", CasesByChanged, 5, 4, 3, 2, 1, 0)
	change(1, CaseChange{Title: &title})
	want("one was changed", CasesByChanged, 1, 5, 4, 3, 2, 0)
	change(3, CaseChange{Severity: &critical})
	change(4, CaseChange{Severity: &low})
	want("two were weighed", CasesBySeverity, 3, 5, 2, 1, 0, 4)
	w.let(all[3], worker, PartWork, stix.Green)
	change(3, CaseChange{Level: &strict})
	want("the worst one is marked above the ceiling", CasesBySeverity, 5, 2, 1, 0, 4, 3)
	want("and that it was changed tells nothing", CasesByChanged, 4, 1, 5, 2, 0, 3)
	w.let(all[3], worker, PartWork, stix.Red)
	want("the ceiling was raised", CasesBySeverity, 3, 5, 2, 1, 0, 4)
}

// sortedMembers checks that all members stand in lists where what they see puts them.
func sortedMembers(t interface {
	Helper()
	Fatalf(string, ...any)
}, w *caseWorld) {
	t.Helper()
	var wrong int
	err := w.db.Read().QueryRow(`SELECT count(*) FROM cases_member m JOIN cases_case c ON c.n = m.case_n WHERE m.by_changed <> ` + caseKeyChanged + ` OR m.by_severity <> ` + caseKeySeverity).Scan(&wrong)
	if err != nil || wrong != 0 {
		t.Fatalf("%d members stand elsewhere in their lists than what they see, %v", wrong, err)
	}
}

// BenchmarkCaseItems is a page of 50 of 10,000 items, an item, and adding one.
func BenchmarkCaseItems(b *testing.B) {
	w := newCaseWorld(b)
	c := w.open(stix.Green, "Large")
	fillItems(b, w, c.ID, 10_000)
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Items(b.Context(), lead, c.ID, ItemFilter{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.SearchItems(b.Context(), lead, "not to be found", 50); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("add", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.AddItem(b.Context(), lead, c.ID, Item{Kind: ItemNote, Level: stix.Red, Text: "More of it."}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// fillItems adds observables to a case, half of them marked RED.
func fillItems(t testing.TB, w *caseWorld, id CaseID, n int) {
	t.Helper()
	row, err := readCase(w.committed(context.Background()), id)
	caseMust(t, err)
	for first := 0; first < n; first += 500 {
		caseMust(t, w.db.Write(context.Background(), func(tx *db.Tx) error {
			for i := first; i < min(first+500, n); i++ {
				at := time.UnixMicro(int64(1_700_000_000_000_000 + 1_000_000*i)).UTC()
				value := fmt.Sprintf("host%d.example", i)
				it := Item{ID: fmt.Sprintf("item-%d", i), Kind: ItemObservable, Level: []stix.Marking{stix.Green, stix.Red}[i%2], Title: value, At: at, Made: at, Changed: at, Version: 1, MadeBy: lead.Person, By: lead.Person, Org: optics, Observable: &Observable{Type: "domain", Value: value}}
				if _, err := insertItem(tx, row.n, it); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}
