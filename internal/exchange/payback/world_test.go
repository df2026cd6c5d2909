package payback

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// world is a small node without its faces: a community with as many contributors as a test asks for, m0, m1, ….
type world struct {
	*Service
	t        testing.TB
	x        *exchange.Service
	accounts *accounts.Service
	where    polder.Community
	who      map[string]polder.Actor
	dir      string
	db       *db.DB
	journal  *journal.Journal

	mu  sync.Mutex
	now time.Time
	n   int
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t testing.TB, members int) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), who: map[string]polder.Actor{}, dir: t.TempDir()}
	clock := func() time.Time { return w.pass(41 * time.Microsecond) }
	d, err := db.Open(ctx, filepath.Join(w.dir, "polder.db"), db.Options{})
	ok(t, err)
	t.Cleanup(func() { d.Close() })
	log := audit.New(d, clock)
	w.db, w.accounts = d, accounts.New(d, log, accounts.Options{Now: clock, Password: accounts.PasswordCost{MemoryKiB: 64, Passes: 1, Lanes: 1}})
	for _, migrate := range []func() error{
		func() error { return log.Migrate(ctx) }, func() error { return w.accounts.Migrate(ctx) },
		func() error { return journal.Migrate(ctx, d) }, func() error { return exchange.Migrate(ctx, d) },
	} {
		ok(t, migrate())
	}
	step := int64(0)
	w.journal, err = journal.Open(ctx, d, journal.Options{Now: clock, Step: func() int64 { step = step%16 + 1; return step }})
	ok(t, err)
	t.Cleanup(func() { w.journal.Close() })
	_, err = w.accounts.Init(ctx, "Node", "NL")
	ok(t, err)
	search, err := exchange.OpenIndex(ctx, filepath.Join(w.dir, "search.db"), w.journal, nil)
	ok(t, err)
	t.Cleanup(func() { search.Close() })
	w.x = exchange.New(exchange.Options{DB: d, Journal: w.journal, Audit: log, Accounts: w.accounts, Now: clock, Secret: []byte("0123456789abcdef0123456789abcdef"), Search: search})
	w.where, err = w.accounts.AddCommunity(ctx, accounts.Local(), "Ring", stix.None)
	ok(t, err)
	for i := range members {
		w.member(fmt.Sprintf("m%d", i), polder.RoleContributor)
	}
	w.open()
	return w
}

// open opens payback on the world's file, as a node does when it starts.
func (w *world) open() {
	s, err := Open(context.Background(), Options{DB: w.db, Path: filepath.Join(w.dir, "payback.db"), Journal: w.journal, Accounts: w.accounts, Exchange: w.x, Now: func() time.Time { return w.pass(0) }})
	ok(w.t, err)
	w.t.Cleanup(func() { s.Close() })
	w.x.CountBlocks(s)
	w.Service = s
}

func (w *world) pass(d time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return w.now
}

func (w *world) member(name string, role polder.Role) polder.Actor {
	w.t.Helper()
	ctx := context.Background()
	o, err := w.accounts.AddOrg(ctx, accounts.Local(), accounts.NewOrg{Name: "Org " + name})
	ok(w.t, err)
	_, err = w.accounts.Join(ctx, accounts.Local(), w.where.ID, o.ID, role)
	ok(w.t, err)
	_, text, err := w.accounts.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: o.ID, Role: role, Name: "test"})
	ok(w.t, err)
	w.who[name], err = w.accounts.Authenticate(ctx, text, loopback)
	ok(w.t, err)
	return w.who[name]
}

// give shares an indicator of name and gives its id.
func (w *world) give(name string, r exchange.Request, rest string) string {
	w.t.Helper()
	w.n++
	id := fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", w.n)
	raw := fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":%q,"created":"2026-11-19T08:00:00.000Z","modified":"2026-11-19T08:00:00.000Z","pattern":"[domain-name:value = 'x%d.example']","pattern_type":"stix","valid_from":"2026-11-19T08:00:00Z","object_marking_refs":[%q]%s}`,
		id, w.n, stix.Amber.ID(), rest)
	r.Community, r.Confirmed = w.where.Alias, true
	r.Objects = []exchange.Incoming{{Raw: raw, Made: true}}
	res, err := w.x.Share(context.Background(), w.who[name], r)
	ok(w.t, err)
	if len(res.Refused) > 0 {
		w.t.Fatalf("share: %+v", res.Refused)
	}
	return id
}

func (w *world) about(id string) exchange.About {
	return exchange.About{ID: id, Community: w.where.Alias, Confirmed: true}
}

func (w *world) did(res exchange.Result, err error) string {
	w.t.Helper()
	ok(w.t, err)
	if len(res.Refused) > 0 || len(res.Items) == 0 {
		w.t.Fatalf("refused: %+v", res.Refused)
	}
	return res.Items[len(res.Items)-1].ID
}

func (w *world) sight(name, id string) string {
	w.t.Helper()
	return w.did(w.x.MakeSighting(context.Background(), w.who[name], exchange.Sighting{About: w.about(id), Count: 2}))
}

func (w *world) opine(name, id, value string) string {
	w.t.Helper()
	return w.did(w.x.MakeOpinion(context.Background(), w.who[name], exchange.Opinion{About: w.about(id), Value: value}))
}

func (w *world) account(name string) Account {
	w.t.Helper()
	a, err := w.Account(context.Background(), w.who[name], "")
	ok(w.t, err)
	return a
}

func (w *world) health(name string) Health {
	w.t.Helper()
	h, err := w.Health(context.Background(), w.who[name], w.where.Alias)
	ok(w.t, err)
	return h
}

func (w *world) withdraw(name, id string) {
	w.t.Helper()
	_, err := w.x.Withdraw(context.Background(), w.who[name], exchange.Withdrawal{Community: w.where.Alias, ID: id})
	ok(w.t, err)
}
