package screen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// ours and theirs are two organisations of the node.
const (
	ours   polder.OrgID = "identity--11111111-1111-4111-8111-111111111111"
	theirs polder.OrgID = "identity--22222222-2222-4222-8222-222222222222"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isKind(t testing.TB, err error, k polder.Kind) {
	t.Helper()
	if err == nil || polder.KindOf(err) != k {
		t.Fatalf("error %v, want one of kind %s", err, k)
	}
}

// serviceWorld is a service over a database, with lists that a test changes.
type serviceWorld struct {
	*Service
	t     testing.TB
	mu    sync.Mutex
	now   time.Time
	db    *db.DB
	audit *audit.Log
	lists *fakeLists
	path  string
}

func newServiceWorld(t testing.TB) *serviceWorld {
	t.Helper()
	return openServiceWorld(t, filepath.Join(t.TempDir(), "polder.db"))
}

// openServiceWorld is a world over a database that may be there already.
func openServiceWorld(t testing.TB, path string) *serviceWorld {
	t.Helper()
	w := &serviceWorld{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), lists: newFakeLists(), path: path}
	clock := func() time.Time { return w.pass(time.Millisecond) }
	d, err := db.Open(t.Context(), path, db.Options{})
	must(t, err)
	t.Cleanup(func() { d.Close() })
	w.db, w.audit = d, audit.New(d, clock)
	must(t, w.audit.Migrate(t.Context()))
	must(t, Migrate(t.Context(), d))
	w.Service = NewService(ServiceOptions{DB: d, Audit: w.audit, Now: clock, Lists: w.lists})
	return w
}

// pass lets time pass, and says what time it is then.
func (w *serviceWorld) pass(d time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return w.now
}

func actor(org polder.OrgID, person string, role polder.Role) polder.Actor {
	return polder.Actor{Org: org, Person: polder.PersonID(person), Name: person, Role: role}
}

var (
	anna  = actor(ours, "anna", polder.RoleContributor)
	bram  = actor(ours, "bram", polder.RoleContributor)
	carla = actor(ours, "carla", polder.RoleSteward)
	dirk  = actor(ours, "dirk", polder.RoleReader)
	other = actor(theirs, "olaf", polder.RoleSteward)
	robot = polder.Actor{Org: ours, Token: "t1", Role: polder.RoleContributor}
)

// fakeLists are lists in versions, the same for everybody.
type fakeLists struct {
	mu       sync.Mutex
	now      map[string]*lists.List
	old      map[string]*lists.List // by name and hash
	forget   bool                   // former versions are not kept
	screener *Screener
	changed  chan struct{}
	versions int // calls of Version
}

func newFakeLists() *fakeLists {
	return &fakeLists{now: map[string]*lists.List{}, old: map[string]*lists.List{}, changed: make(chan struct{}), screener: NewScreener()}
}

// put makes entries the present version of a list.
func (f *fakeLists) put(name, date string, entries ...lists.Entry) {
	text, err := json.Marshal(entries)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(append(text, date...))
	l := &lists.List{Meta: lists.Meta{Name: name, Title: "List " + name, Purpose: lists.Restricted, Date: date, SHA256: hex.EncodeToString(sum[:]), Entries: len(entries), Names: len(entries)}, Parties: slices.Clone(entries)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now[name], f.old[name+" "+l.SHA256] = l, l
	f.index()
}

func (f *fakeLists) drop(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.now, name)
	f.index()
}

func (f *fakeLists) index() {
	var all []*lists.List
	for _, l := range f.now {
		all = append(all, l)
	}
	f.screener = NewScreener(all...)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeLists) Screener(context.Context, polder.OrgID) (*Screener, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.screener, nil
}

func (f *fakeLists) Version(_ context.Context, _ polder.OrgID, name, sha256 string) (*lists.List, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.versions++
	l := f.old[name+" "+sha256]
	if l == nil || f.forget && f.now[name] != l {
		return nil, polder.Errorf(polder.NotFound, "no such version")
	}
	return l, nil
}

func (f *fakeLists) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// entry is a listed company.
func entry(id, name string) lists.Entry {
	return lists.Entry{ID: id, Name: name, Type: names.Company, Countries: []string{"RU"}, Programmes: []string{"TEST"}, Means: "no trade"}
}

// company is a query for a company.
func company(ref, name string) Query { return Query{Ref: ref, Name: name, Type: names.Company} }

// The three listed firms of most tests.
const (
	firmOne   = "Zarkonta Vexillium Optics"
	firmTwo   = "Brundelwick Photonics"
	firmThree = "Quaxmire Halgrove Turbines"
)

// ready is a world with a list of two firms.
func ready(t testing.TB) *serviceWorld {
	t.Helper()
	w := newServiceWorld(t)
	w.lists.put("alpha", "2026-11-01", entry("1", firmOne), entry("2", firmTwo))
	return w
}

// ask asks one query, without keeping.
func (w *serviceWorld) ask(q Query) Answer {
	w.t.Helper()
	got, err := w.Screen(w.t.Context(), anna, []Query{q}, Options{})
	must(w.t, err)
	return got[0]
}

// review keeps an answer to a query and gives the one review that it led to.
func (w *serviceWorld) review(q Query) Review {
	w.t.Helper()
	c, err := w.Keep(w.t.Context(), anna, w.ask(q), KeepOptions{})
	must(w.t, err)
	if len(c.Hits) != 1 {
		w.t.Fatalf("%d hits, want 1: %v", len(c.Hits), c.Hits)
	}
	return w.get(c.Hits[0].Review)
}

func (w *serviceWorld) get(id string) Review {
	w.t.Helper()
	d, err := w.Review(w.t.Context(), dirk, id)
	must(w.t, err)
	return d.Review
}

// all is the whole queue of ours.
func (w *serviceWorld) all(state string) []Review {
	w.t.Helper()
	var out []Review
	f := QueueFilter{State: state, Limit: 200}
	for {
		p, err := w.Queue(w.t.Context(), dirk, f)
		must(w.t, err)
		out = append(out, p.Reviews...)
		if f.Next = p.Next; f.Next == "" {
			return out
		}
	}
}

// say decides a review as it is now.
func (w *serviceWorld) say(by polder.Actor, id string, v Verdict) (Review, error) {
	return w.Decide(w.t.Context(), by, id, Judgement{v, "checked the register of trade", w.get(id).Version})
}

func (w *serviceWorld) work() {
	w.t.Helper()
	must(w.t, w.Work(w.t.Context()))
}

// rowsOf are queries as a reader of files gives them.
func rowsOf(qs ...Query) iter.Seq2[Query, error] {
	return func(yield func(Query, error) bool) {
		for _, q := range qs {
			if !yield(q, nil) {
				return
			}
		}
	}
}

// manyRows are n harmless rows, and a listed one each every so many.
func manyRows(n, every int) iter.Seq2[Query, error] {
	return func(yield func(Query, error) bool) {
		for i := range n {
			q := company(fmt.Sprintf("R%06d", i), fmt.Sprintf("Harmless Bakery Number%d", i))
			if every > 0 && i%every == 0 {
				q = company(q.Ref, firmOne)
			}
			if !yield(q, nil) {
				return
			}
		}
	}
}
