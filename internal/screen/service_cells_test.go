package screen

import (
	"context"
	"go/parser"
	"go/token"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
)

// TestWhoMayDoWhat tries each operation as each kind of actor: readers read, contributors keep and decide, stewards
// choose and erase; another organisation finds nothing, and who manages the node is refused.
func TestWhoMayDoWhat(t *testing.T) {
	const fine, forbidden, missing = polder.Kind(255), polder.Forbidden, polder.NotFound
	w := ready(t)
	ctx := t.Context()
	r := w.review(company("", firmOne))
	c, err := w.Screenings(ctx, anna, ScreeningFilter{})
	must(t, err)
	screening := c.Screenings[0].ID
	party, err := w.AddParty(ctx, anna, Customers, company("C1", firmTwo))
	must(t, err)
	b, err := w.AddBatch(ctx, anna, BatchOrder{Name: "b"}, rowsOf(company("", "Harmless")))
	must(t, err)
	answer := w.ask(company("", "Harmless Bakery"))
	fresh := func() string { // something that can be erased, or changed, once for each actor
		p, err := w.AddParty(ctx, anna, Visitors, company("V"+newScreenID(), "Harmless Visitor"))
		must(t, err)
		return p.ID
	}
	must(t, w.AddGroup(ctx, carla, PartyGroup{Name: "agents"}))

	reader := []polder.Kind{fine, fine, fine}
	contributor := []polder.Kind{forbidden, fine, fine}
	steward := []polder.Kind{forbidden, forbidden, fine}
	for _, op := range []struct {
		name  string
		own   []polder.Kind // as reader, contributor, steward of the organisation
		alien polder.Kind   // as the steward of another one
		do    func(by polder.Actor) error
	}{
		{"screen", reader, fine, func(by polder.Actor) error {
			_, err := w.Screen(ctx, by, []Query{company("", "x")}, Options{})
			return err
		}},
		{"keep", contributor, fine, func(by polder.Actor) error { _, err := w.Keep(ctx, by, answer, KeepOptions{}); return err }},
		{"keep about a party", contributor, missing, func(by polder.Actor) error {
			_, err := w.Keep(ctx, by, w.ask(company("C1", firmTwo)), KeepOptions{Party: party.ID})
			return err
		}},
		{"decided", reader, fine, func(by polder.Actor) error { _, err := w.Decided(ctx, by, []Answer{answer}, ""); return err }},
		{"screenings", reader, fine, func(by polder.Actor) error { _, err := w.Screenings(ctx, by, ScreeningFilter{}); return err }},
		{"screening", reader, missing, func(by polder.Actor) error { _, err := w.Screening(ctx, by, screening); return err }},
		{"queue", reader, fine, func(by polder.Actor) error { _, err := w.Queue(ctx, by, QueueFilter{}); return err }},
		{"counts", reader, fine, func(by polder.Actor) error { _, err := w.Counts(ctx, by); return err }},
		{"waiting", reader, fine, func(by polder.Actor) error { _, err := w.Waiting(ctx, by); return err }},
		{"review", reader, missing, func(by polder.Actor) error { _, err := w.Review(ctx, by, r.ID); return err }},
		{"decide", contributor, missing, func(by polder.Actor) error {
			_, err := w.Decide(ctx, by, r.ID, Judgement{VerdictMore, "ask the office in Delft", w.get(r.ID).Version})
			return err
		}},
		{"groups", reader, fine, func(by polder.Actor) error { _, err := w.Groups(ctx, by); return err }},
		{"add group", steward, fine, func(by polder.Actor) error {
			return w.AddGroup(ctx, by, PartyGroup{Name: "g" + strings.ToLower(newScreenID()[:8])})
		}},
		{"remove group", steward, missing, func(by polder.Actor) error { return w.RemoveGroup(ctx, by, "agents") }},
		{"parties", reader, fine, func(by polder.Actor) error { _, err := w.Parties(ctx, by, PartyFilter{}); return err }},
		{"party", reader, missing, func(by polder.Actor) error { _, err := w.Party(ctx, by, party.ID); return err }},
		{"add party", contributor, fine, func(by polder.Actor) error {
			_, err := w.AddParty(ctx, by, Partners, company(newScreenID(), "x"))
			return err
		}},
		{"import parties", contributor, fine, func(by polder.Actor) error {
			_, err := w.ImportParties(ctx, by, Partners, rowsOf(company("1", "x")))
			return err
		}},
		{"change party", contributor, missing, func(by polder.Actor) error {
			_, err := w.ChangeParty(ctx, by, fresh(), PartyChange{Query: company(newScreenID(), "y"), Seen: 1})
			return err
		}},
		{"remove party", contributor, missing, func(by polder.Actor) error { return w.RemoveParty(ctx, by, fresh()) }},
		{"erase party", steward, missing, func(by polder.Actor) error { _, err := w.EraseParty(ctx, by, fresh(), GroundRequest); return err }},
		{"erase screening", steward, missing, func(by polder.Actor) error {
			c, err := w.Keep(ctx, anna, answer, KeepOptions{})
			must(t, err)
			_, err = w.EraseScreening(ctx, by, c.ID, GroundRequest)
			return err
		}},
		{"erase review", steward, missing, func(by polder.Actor) error {
			_, err := w.EraseReview(ctx, by, w.review(company("", firmTwo)).ID, GroundEnded)
			return err
		}},
		{"tombstones", reader, fine, func(by polder.Actor) error { _, err := w.Tombstones(ctx, by, 10); return err }},
		{"progress", reader, fine, func(by polder.Actor) error { _, err := w.Progress(ctx, by); return err }},
		{"rescreenings", reader, fine, func(by polder.Actor) error { _, err := w.Rescreenings(ctx, by, 10); return err }},
		{"add batch", contributor, fine, func(by polder.Actor) error {
			b, err := w.AddBatch(ctx, by, BatchOrder{Name: "c"}, rowsOf(company("", "x")))
			if err == nil {
				must(t, w.CancelBatch(ctx, by, b.ID))
			}
			return err
		}},
		{"batches", reader, fine, func(by polder.Actor) error { _, err := w.Batches(ctx, by, 10); return err }},
		{"batch", reader, missing, func(by polder.Actor) error { _, err := w.Batch(ctx, by, b.ID); return err }},
		{"batch rows", reader, missing, func(by polder.Actor) error { _, err := w.BatchRows(ctx, by, b.ID, BatchFilter{}); return err }},
		{"cancel batch", contributor, missing, func(by polder.Actor) error {
			b, err := w.AddBatch(ctx, anna, BatchOrder{Name: "d"}, rowsOf(company("", "x")))
			must(t, err)
			defer func() { _ = w.CancelBatch(ctx, anna, b.ID) }()
			return w.CancelBatch(ctx, by, b.ID)
		}},
		{"settings", reader, fine, func(by polder.Actor) error { _, err := w.Settings(ctx, by); return err }},
		{"set", steward, fine, func(by polder.Actor) error {
			set, err := settingsOf(w.db.In(ctx), by.Org)
			must(t, err)
			_, err = w.Set(ctx, by, set)
			return err
		}},
		{"ask again", steward, fine, func(by polder.Actor) error { return w.AskAgain(ctx, by) }},
		{"CSV", reader, fine, func(by polder.Actor) error { return w.WriteCSV(ctx, by, year, io.Discard) }},
		{"PDF", reader, fine, func(by polder.Actor) error { return w.WritePDF(ctx, by, year, io.Discard) }},
		{"record", reader, fine, func(by polder.Actor) error {
			for _, err := range w.Record(ctx, by, year) {
				return err
			}
			return nil
		}},
	} {
		for _, c := range []struct {
			by   polder.Actor
			want polder.Kind
		}{
			{dirk, op.own[0]}, {anna, op.own[1]}, {carla, op.own[2]}, {robot, op.own[1]}, {other, op.alien},
			{actor(ours, "admin", polder.RoleAdmin), forbidden}, {actor("", "admin", polder.RoleAdmin), forbidden}, {actor("", "nobody", polder.RoleSteward), forbidden},
			{actor(ours, "none", polder.RoleNone), forbidden}, {polder.Actor{}, forbidden},
		} {
			got := fine
			err := op.do(c.by)
			if err != nil {
				got = polder.KindOf(err)
			}
			if got != c.want {
				t.Errorf("%s as %s %s of %.12s: %v", op.name, c.by.Role, c.by.Person+polder.PersonID(c.by.Token), c.by.Org, err)
			}
		}
	}
}

// TestOthersSeeNothing: what one organisation keeps is in no list, count or record of another one.
func TestOthersSeeNothing(t *testing.T) {
	w := ready(t)
	ctx := t.Context()
	w.review(company("", firmOne))
	_, err := w.AddParty(ctx, anna, Customers, company("C1", firmTwo))
	must(t, err)
	_, err = w.AddBatch(ctx, anna, BatchOrder{Name: "b"}, rowsOf(company("", firmOne)))
	must(t, err)
	w.work()
	q, err := w.Queue(ctx, other, QueueFilter{State: "all"})
	must(t, err)
	ps, err := w.Parties(ctx, other, PartyFilter{})
	must(t, err)
	cs, err := w.Screenings(ctx, other, ScreeningFilter{})
	must(t, err)
	bs, err := w.Batches(ctx, other, 10)
	must(t, err)
	counts, err := w.Counts(ctx, other)
	must(t, err)
	runs, err := w.Rescreenings(ctx, other, 10)
	must(t, err)
	if len(q.Reviews)+len(ps.Parties)+len(cs.Screenings)+len(bs)+len(counts.States)+len(runs) != 0 {
		t.Errorf("another organisation sees %v %v %v %v %v %v", q, ps, cs, bs, counts, runs)
	}
	for l, err := range w.Record(ctx, other, year) {
		t.Errorf("another organisation's record has %v, %v", l, err)
	}
	// The same query of theirs is a review of their own, and takes nothing of ours over.
	a, err := w.Screen(ctx, other, []Query{company("", firmOne)}, Options{})
	must(t, err)
	known, err := w.Decided(ctx, other, a, "")
	must(t, err)
	if known[0][0].Review != "" {
		t.Errorf("another organisation is told of our review: %v", known)
	}
}

// TestAuditHasNoNames: the audit says who did what to which id, and has neither names of parties nor reasons; nobody but
// the organisation reads it.
func TestAuditHasNoNames(t *testing.T) {
	w := ready(t)
	ctx := t.Context()
	r := w.review(company("", firmOne))
	_, err := w.Decide(ctx, anna, r.ID, Judgement{VerdictFalse, "the owner is Jan Geheim", 1})
	must(t, err)
	p, err := w.AddParty(ctx, anna, Customers, company("REF-77", firmTwo))
	must(t, err)
	_, err = w.ChangeParty(ctx, anna, p.ID, PartyChange{Query: company("REF-78", firmTwo+" Secundo"), Seen: 1})
	must(t, err)
	_, err = w.ImportParties(ctx, anna, Customers, rowsOf(company("REF-79", "Imported Firm")))
	must(t, err)
	_, err = w.AddBatch(ctx, anna, BatchOrder{Name: "secretfile.csv"}, rowsOf(company("", firmOne)))
	must(t, err)
	must(t, w.RemoveParty(ctx, anna, p.ID))
	_, err = w.EraseParty(ctx, carla, p.ID, GroundRequest)
	must(t, err)
	entries, err := w.audit.List(ctx, audit.Filter{Viewer: carla, Limit: 1000})
	must(t, err)
	var actions []string
	for _, e := range entries {
		actions = append(actions, e.Action)
		text := e.Action + e.Object
		for k, v := range e.Detail {
			text += " " + k + " " + v
		}
		for _, secret := range []string{"Zarkonta", "Brundelwick", "Geheim", "REF-7", "Imported", "secretfile"} {
			if strings.Contains(text, secret) {
				t.Errorf("the audit of %s says %q", e.Action, text)
			}
		}
		if !e.Narrow || e.Org != ours {
			t.Errorf("%s is not the organisation's alone", e.Action)
		}
	}
	for _, want := range []string{"screen.keep", "review.decide", "party.add", "party.change", "party.import", "party.remove", "party.erase", "batch.add"} {
		if !slices.Contains(actions, want) {
			t.Errorf("the audit has no %s: %v", want, actions)
		}
	}
	for _, by := range []polder.Actor{other, actor(theirs, "admin", polder.RoleAdmin), actor("", "admin", polder.RoleAdmin)} {
		if seen, err := w.audit.List(ctx, audit.Filter{Viewer: by, Limit: 1000}); err != nil || len(seen) != 0 {
			t.Errorf("%s of %q reads %d entries of the audit: %v", by.Role, by.Org, len(seen), err)
		}
	}
}

// TestNothingLeavesTheNode: nothing that keeps or decides can open a connection: its files import no package that does.
func TestNothingLeavesTheNode(t *testing.T) {
	files, err := os.ReadDir(".")
	must(t, err)
	looked := 0
	for _, f := range files {
		name := f.Name()
		mine := slices.ContainsFunc([]string{"service", "party", "review", "screening", "rescreen", "settings", "store", "record", "screener", "score", "match", "meaning"}, func(p string) bool { return strings.HasPrefix(name, p) })
		if !mine || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		looked++
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		must(t, err)
		for _, i := range file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if path == "net" || strings.HasPrefix(path, "net/") || path == "os/exec" || path == "syscall" || strings.HasSuffix(path, "internal/notify") || strings.HasSuffix(path, "internal/journal") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
	if looked < 15 {
		t.Fatalf("looked at %d files only", looked)
	}
}

// fakeRemote is a hub that knows one more listing.
type fakeRemote struct{ short bool }

func (r fakeRemote) Match(_ context.Context, _ polder.OrgID, qs []Query, _ Options) ([]Answer, error) {
	out := make([]Answer, len(qs))
	for i, q := range qs {
		out[i] = Answer{Query: q, Hits: []Hit{{ID: "h1", List: "hub", Name: q.Name, Score: 0.9}}}
	}
	if r.short {
		out = out[1:]
	}
	return out, nil
}

func TestRemoteIsAdded(t *testing.T) {
	w := ready(t)
	w.o.Remote = fakeRemote{}
	if a := w.ask(company("", firmOne)); len(a.Hits) != 2 || a.Hits[1].List != "hub" {
		t.Errorf("with a hub the hits are %v", a.Hits)
	}
	if a := w.ask(company("", firmOne)); true {
		_, err := w.Keep(t.Context(), anna, a, KeepOptions{}) // a hit without a listing is kept by its id and name
		must(t, err)
	}
	w.o.Remote = fakeRemote{short: true}
	_, err := w.Screen(t.Context(), anna, []Query{company("", "x")}, Options{})
	isKind(t, err, polder.Unavailable)
}
