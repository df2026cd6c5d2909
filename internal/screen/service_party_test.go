package screen

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

func TestFingerprint(t *testing.T) {
	base := Query{Ref: "A", Name: "Firm", Type: names.Company, Country: "NL", Birth: "1970", Identifiers: []lists.Identifier{{Kind: lists.IDLEI, Value: "1"}, {Kind: lists.IDTax, Value: "2", Country: "NL"}}}
	change := func(f func(q *Query)) Query {
		q := keptQuery(base)
		f(&q)
		return q
	}
	for _, c := range []struct {
		q    Query
		same bool
		why  string
	}{
		{change(func(q *Query) { q.Ref = "B" }), true, "a reference is the asker's own"},
		{change(func(q *Query) { q.Name = " Firm " }), true, "spaces around a field say nothing"},
		{change(func(q *Query) { q.Identifiers[0], q.Identifiers[1] = q.Identifiers[1], q.Identifiers[0] }), true, "nor does the order of identifiers"},
		{change(func(q *Query) { q.Name = "firm" }), false, "another name"},
		{change(func(q *Query) { q.Type = names.Person }), false, "another type"},
		{change(func(q *Query) { q.Country = "BE" }), false, "another country"},
		{change(func(q *Query) { q.Birth = "1971" }), false, "another birth date"},
		{change(func(q *Query) { q.Identifiers = q.Identifiers[:1] }), false, "fewer identifiers"},
		{change(func(q *Query) { q.Identifiers[0].Value = "3" }), false, "another identifier"},
		{change(func(q *Query) { q.Identifiers[1].Country = "BE" }), false, "of another country"},
	} {
		if got := QueryFingerprint(c.q) == QueryFingerprint(base); got != c.same {
			t.Errorf("%s: same %v", c.why, got)
		}
	}
}

func TestImportIsIdempotent(t *testing.T) {
	w := ready(t)
	rows := rowsOf(company("1", "One Firm"), company("2", "Two Firm"), company("", "No Reference"), company("4", ""), company("2", "Two Firm Renamed"))
	got, err := w.ImportParties(t.Context(), anna, Customers, rows)
	must(t, err)
	if got.Added != 3 || got.Changed != 1 || got.Refused != 1 || len(got.Faults) != 1 || !strings.HasPrefix(got.Faults[0], "row 4: name") {
		t.Fatalf("first: %+v", got)
	}
	got, err = w.ImportParties(t.Context(), anna, Customers, rowsOf(company("1", "One Firm"), company("2", "Two Firm Renamed"), company("", "No Reference")))
	must(t, err)
	if got.Added != 0 || got.Changed != 0 || got.Same != 3 {
		t.Errorf("again: %+v", got)
	}
	got, err = w.ImportParties(t.Context(), anna, Suppliers, rowsOf(company("1", "One Firm")))
	must(t, err)
	if got.Added != 1 {
		t.Errorf("another group has its own references: %+v", got)
	}
	_, err = w.ImportParties(t.Context(), anna, "nowhere", rowsOf(company("1", "x")))
	isKind(t, err, polder.Invalid)
	_, err = w.AddParty(t.Context(), anna, Customers, company("1", "Somebody Else"))
	isKind(t, err, polder.Conflict)
	_, err = w.AddParty(t.Context(), anna, Customers, company("", "No Reference"))
	isKind(t, err, polder.Conflict)
	n := 0
	_, err = w.ImportParties(t.Context(), anna, Visitors, func(yield func(Query, error) bool) {
		for n = 0; n < 450; n++ {
			if !yield(company(fmt.Sprint(n), "Visitor"), nil) {
				return
			}
		}
		yield(Query{}, polder.Errorf(polder.Invalid, "no UTF-8"))
	})
	isKind(t, err, polder.Invalid)
	if !strings.Contains(err.Error(), "row 451") || !strings.Contains(err.Error(), "400 parties before it are stored") {
		t.Errorf("a broken file is told as %v", err)
	}
}

func TestPartyPagesAndGroups(t *testing.T) {
	w := ready(t)
	must(t, w.AddGroup(t.Context(), carla, PartyGroup{Name: "agents", Title: "Our agents"}))
	for _, bad := range []string{"", "Big", "customers", "a b", strings.Repeat("x", 41)} {
		if err := w.AddGroup(t.Context(), carla, PartyGroup{Name: bad}); err == nil {
			t.Errorf("a group may be named %q", bad)
		}
	}
	_, err := w.ImportParties(t.Context(), anna, "agents", manyRows(25, 0))
	must(t, err)
	_, err = w.AddParty(t.Context(), anna, Customers, company("A", firmOne))
	must(t, err)
	w.work()
	isKind(t, w.RemoveGroup(t.Context(), carla, "agents"), polder.Conflict)
	gs, err := w.Groups(t.Context(), dirk)
	must(t, err)
	if len(gs) != 5 || gs[4].Name != "agents" || gs[4].Parties != 25 || !gs[4].Own || gs[0].Parties != 1 {
		t.Errorf("the groups are %+v", gs)
	}
	var all []string
	f := PartyFilter{Group: "agents", Limit: 10}
	for {
		p, err := w.Parties(t.Context(), dirk, f)
		must(t, err)
		for _, q := range p.Parties {
			all = append(all, q.Query.Ref)
		}
		if f.Next = p.Next; f.Next == "" {
			break
		}
	}
	seen := map[string]bool{}
	for _, r := range all {
		seen[r] = true
	}
	if len(all) != 25 || len(seen) != 25 {
		t.Errorf("paging gives %d parties, %d different", len(all), len(seen))
	}
	for _, c := range []struct {
		f    PartyFilter
		want int
	}{{PartyFilter{Text: "ZARKONTA"}, 1}, {PartyFilter{Hit: true}, 1}, {PartyFilter{Due: true}, 0}, {PartyFilter{Text: "r000007"}, 1}, {PartyFilter{Group: Visitors}, 0}} {
		if p, err := w.Parties(t.Context(), dirk, c.f); err != nil || len(p.Parties) != c.want {
			t.Errorf("%+v gives %d parties: %v", c.f, len(p.Parties), err)
		}
	}
	hit, err := w.Parties(t.Context(), dirk, PartyFilter{Hit: true})
	must(t, err)
	p := hit.Parties[0]
	_, err = w.ChangeParty(t.Context(), anna, p.ID, PartyChange{Group: Suppliers, Query: p.Query, Seen: p.Version})
	must(t, err)
	if r := w.all("")[0]; r.Group != Suppliers || r.State != StateOpen {
		t.Errorf("the review of a party that moved is in %s, %s", r.Group, r.State)
	}
	if moved, err := w.Party(t.Context(), dirk, p.ID); err != nil || moved.Screened.IsZero() {
		t.Errorf("moving alone makes a party be asked again: %+v, %v", moved, err)
	}
	_, err = w.Parties(t.Context(), dirk, PartyFilter{Next: "nonsense"})
	isKind(t, err, polder.Invalid)
}

func TestQueuePages(t *testing.T) {
	w := newServiceWorld(t)
	manyDecisions(t, w, 230)
	for _, state := range []string{"", "open", "all"} {
		for _, sort := range QueueSorts {
			var all []Review
			f := QueueFilter{State: state, Sort: sort, Limit: 50}
			for {
				p, err := w.Queue(t.Context(), dirk, f)
				must(t, err)
				all = append(all, p.Reviews...)
				if f.Next = p.Next; f.Next == "" {
					break
				}
			}
			seen := map[string]bool{}
			for i, r := range all {
				seen[r.ID] = true
				if i > 0 && (sort == "-score" && r.Score > all[i-1].Score || sort == "made" && r.Made.Before(all[i-1].Made) || sort == "-made" && r.Made.After(all[i-1].Made)) {
					t.Fatalf("%q by %s is out of order at %d", state, sort, i)
				}
			}
			if len(seen) != 230 || len(all) != 230 {
				t.Errorf("%q by %s gives %d reviews, %d different", state, sort, len(all), len(seen))
			}
		}
	}
	for _, c := range []struct {
		f    QueueFilter
		want int
	}{{QueueFilter{Text: "R117"}, 1}, {QueueFilter{List: "beta"}, 0}, {QueueFilter{List: "alpha", Text: "r22"}, 11}, {QueueFilter{State: "true"}, 0}, {QueueFilter{Group: Customers}, 0}, {QueueFilter{Asked: true}, 0}, {QueueFilter{Second: true}, 0}, {QueueFilter{Party: "x"}, 0}} {
		if p, err := w.Queue(t.Context(), dirk, c.f); err != nil || len(p.Reviews) != c.want {
			t.Errorf("%+v gives %d reviews, want %d: %v", c.f, len(p.Reviews), c.want, err)
		}
	}
	for _, bad := range []QueueFilter{{State: "x"}, {Sort: "x"}, {Next: "x"}, {Next: "nan"}, {Next: "a_b"}, {Text: strings.Repeat("x", 300)}} {
		if _, err := w.Queue(t.Context(), dirk, bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	c, err := w.Counts(t.Context(), dirk)
	must(t, err)
	if c.States[StateOpen] != 230 || c.Lists["alpha"] != 230 || c.Groups[""] != 230 {
		t.Errorf("the counts are %+v", c)
	}
}

// TestErasing: of what is erased nothing is left in any table, and the tombstone counts it.
func TestErasing(t *testing.T) {
	w := ready(t)
	p, err := w.AddParty(t.Context(), anna, Customers, company("C-77", firmOne))
	must(t, err)
	w.work()
	_, err = w.say(anna, w.all("")[0].ID, VerdictFalse)
	must(t, err)
	_, err = w.Keep(t.Context(), anna, w.ask(company("C-77", firmOne)), KeepOptions{Party: p.ID, Note: "a visit"})
	must(t, err)
	w.review(company("loose", firmOne))
	_, err = w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, rowsOf(company("row", firmOne), company("", "Harmless Bakery")))
	must(t, err)
	w.work()
	got, err := w.EraseParty(t.Context(), carla, p.ID, GroundRequest)
	must(t, err)
	if got.Parties != 1 || got.Screenings != 2 || got.Reviews != 2 || got.Decisions != 1 || got.Rows != 1 || got.Ground != GroundRequest || got.By != "carla" {
		t.Errorf("the tombstone is %+v", got)
	}
	for table, text := range map[string]string{
		"party": `SELECT count(*) FROM screen_party WHERE query LIKE ?1`, "review": `SELECT count(*) FROM screen_review WHERE query LIKE ?1`, "snapshot": `SELECT count(*) FROM screen_snapshot WHERE query LIKE ?1`,
		"screening": `SELECT count(*) FROM screen_screening WHERE query LIKE ?1`, "row": `SELECT count(*) FROM screen_batch_row WHERE query LIKE ?1`, "decision": `SELECT count(*) FROM screen_decision WHERE ?1 <> ''`,
		"audit": `SELECT count(*) FROM audit WHERE detail LIKE ?1 OR object LIKE ?1`, "tombstone": `SELECT count(*) FROM screen_tombstone WHERE actor LIKE ?1 OR ground LIKE ?1`,
	} {
		var n int
		must(t, w.db.Read().QueryRow(text, "%Zarkonta%").Scan(&n))
		if n != 0 {
			t.Errorf("%d rows of %s still hold the name", n, table)
		}
	}
	_, err = w.Party(t.Context(), dirk, p.ID)
	isKind(t, err, polder.NotFound)
	_, err = w.EraseParty(t.Context(), carla, p.ID, GroundRequest)
	isKind(t, err, polder.NotFound)
	r := w.review(company("", firmTwo))
	_, err = w.EraseReview(t.Context(), carla, r.ID, "because")
	isKind(t, err, polder.Invalid)
	if got, err := w.EraseReview(t.Context(), carla, r.ID, GroundEnded); err != nil || got.Reviews != 1 || got.Screenings != 1 {
		t.Errorf("erasing a review: %+v, %v", got, err)
	}
	if c, err := w.Counts(t.Context(), dirk); err != nil || len(c.States) != 0 {
		t.Errorf("what was erased is counted: %v, %v", c.States, err)
	}
	if all, err := w.Tombstones(t.Context(), dirk, 10); err != nil || len(all) != 2 {
		t.Errorf("tombstones: %v, %v", all, err)
	}
}

// TestPrune: what was kept long enough goes and leaves numbers; what is decided of a known party stays while it is known.
func TestPrune(t *testing.T) {
	w := ready(t)
	set, err := w.Settings(t.Context(), dirk)
	must(t, err)
	set.KeepDecided, set.KeepUndecided = 400, 800
	_, err = w.Set(t.Context(), carla, set)
	must(t, err)
	p, err := w.AddParty(t.Context(), anna, Customers, company("A", firmOne))
	must(t, err)
	w.work()
	known := w.all("")[0].ID
	_, err = w.say(anna, known, VerdictFalse)
	must(t, err)
	decided, open := w.review(company("", firmOne)), w.review(company("", firmTwo))
	_, err = w.say(anna, decided.ID, VerdictTrue)
	must(t, err)
	b, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, rowsOf(company("", "Harmless Bakery")))
	must(t, err)
	w.work()
	prune := func(days int) {
		w.pass(time.Duration(days) * 24 * time.Hour)
		_, err := w.Prune(t.Context())
		must(t, err)
	}
	there := func(id string) bool { _, err := w.Review(t.Context(), dirk, id); return err == nil }
	prune(399)
	if !there(known) || !there(decided.ID) || !there(open.ID) {
		t.Fatal("something went too early")
	}
	prune(2)
	if !there(known) || there(decided.ID) || !there(open.ID) {
		t.Errorf("after 401 days: known %v, decided %v, open %v", there(known), there(decided.ID), there(open.ID))
	}
	if _, err := w.Batch(t.Context(), dirk, b.ID); polder.KindOf(err) != polder.NotFound {
		t.Errorf("the batch is there: %v", err)
	}
	prune(400)
	if !there(known) || there(open.ID) {
		t.Errorf("after 801 days: known %v, open %v", there(known), there(open.ID))
	}
	must(t, w.RemoveParty(t.Context(), anna, p.ID))
	prune(401)
	if there(known) {
		t.Error("the review of a removed party is kept for ever")
	}
	prune(1)
	if _, err := w.Party(t.Context(), dirk, p.ID); polder.KindOf(err) != polder.NotFound {
		t.Errorf("the removed party is there: %v", err)
	}
	var sum Tombstone
	all, err := w.Tombstones(t.Context(), dirk, 10)
	must(t, err)
	for _, one := range all {
		if one.Ground != GroundExpired || one.By != "" {
			t.Errorf("a tombstone says %+v", one)
		}
		sum.Parties, sum.Screenings, sum.Reviews, sum.Decisions, sum.Rows = sum.Parties+one.Parties, sum.Screenings+one.Screenings, sum.Reviews+one.Reviews, sum.Decisions+one.Decisions, sum.Rows+one.Rows
	}
	if want := (Tombstone{Parties: 1, Screenings: 2, Reviews: 3, Decisions: 2, Rows: 1}); sum != want {
		t.Errorf("the tombstones count %+v, want %+v", sum, want)
	}
}

// TestMigrateTwice: an up-to-date database is left alone, and one that a newer program wrote is refused.
func TestMigrateTwice(t *testing.T) {
	w := ready(t)
	id := w.review(company("", firmOne)).ID
	must(t, Migrate(t.Context(), w.db))
	must(t, w.db.Close())
	again := openServiceWorld(t, w.path)
	if r := again.get(id); r.ID != id {
		t.Errorf("after opening again: %+v", r)
	}
	must(t, again.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO screen_version (version_id, is_applied) VALUES (999, 1)`)
		return err
	}))
	if err := Migrate(t.Context(), again.db); err == nil {
		t.Error("tables of a newer program are taken for ours")
	}
}
