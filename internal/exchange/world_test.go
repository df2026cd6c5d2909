package exchange

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
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// world is a small node without its faces.
type world struct {
	*Service
	t     testing.TB
	mu    sync.Mutex // several goroutines ask for the time
	now   time.Time
	orgs  map[string]polder.Org
	where polder.Community
	dir   string
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newWorld has a community "ring" of contributors a, b, c and d, and an organisation "out" that is no member.
func newWorld(t testing.TB) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), orgs: map[string]polder.Org{}, dir: t.TempDir()}
	clock := func() time.Time { return w.pass(37 * time.Microsecond) }
	d, err := db.Open(ctx, filepath.Join(w.dir, "polder.db"), db.Options{})
	ok(t, err)
	t.Cleanup(func() { d.Close() })
	log := audit.New(d, clock)
	acc := accounts.New(d, log, accounts.Options{Now: clock, Password: accounts.PasswordCost{MemoryKiB: 64, Passes: 1, Lanes: 1}})
	for _, migrate := range []func() error{
		func() error { return log.Migrate(ctx) }, func() error { return acc.Migrate(ctx) },
		func() error { return journal.Migrate(ctx, d) }, func() error { return Migrate(ctx, d) },
	} {
		ok(t, migrate())
	}
	step := int64(0)
	j, err := journal.Open(ctx, d, journal.Options{Now: clock, Step: func() int64 { step = step%16 + 1; return step }, Head: filepath.Join(w.dir, "head")})
	ok(t, err)
	t.Cleanup(func() { j.Close() })
	_, err = acc.Init(ctx, "Node", "NL")
	ok(t, err)
	x, err := OpenIndex(ctx, filepath.Join(w.dir, "search.db"), j, nil)
	ok(t, err)
	t.Cleanup(func() { x.Close() })
	w.Service = New(Options{DB: d, Journal: j, Audit: log, Accounts: acc, Now: clock, Secret: []byte("0123456789abcdef0123456789abcdef"), Search: x})
	w.where = w.community("Ring")
	for _, name := range []string{"a", "b", "c", "d", "out"} {
		w.org(name)
		if name != "out" {
			w.join(name, w.where, polder.RoleContributor)
		}
	}
	return w
}

// pass lets time pass, and says what time it is then.
func (w *world) pass(d time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return w.now
}

func (w *world) community(name string) polder.Community {
	c, err := w.accounts.AddCommunity(context.Background(), accounts.Local(), name, stix.None)
	ok(w.t, err)
	return c
}

func (w *world) org(name string) polder.Org {
	o, err := w.accounts.AddOrg(context.Background(), accounts.Local(), accounts.NewOrg{Name: "Org " + name})
	ok(w.t, err)
	w.orgs[name] = o
	return o
}

func (w *world) join(name string, c polder.Community, r polder.Role) {
	_, err := w.accounts.Join(context.Background(), accounts.Local(), c.ID, w.orgs[name].ID, r)
	ok(w.t, err)
}

// as is a person-like actor of an organisation with a role.
func (w *world) as(name string, r polder.Role) polder.Actor {
	_, text, err := w.accounts.CreateToken(context.Background(), accounts.Local(), accounts.NewToken{Org: w.orgs[name].ID, Role: r, Name: "test"})
	ok(w.t, err)
	a, err := w.accounts.Authenticate(context.Background(), text, netipLoopback)
	ok(w.t, err)
	return a
}

// someIndicator is a valid object with a chosen id, version and content.
func someIndicator(n int, version int, content string, level stix.Marking, extra string) []byte {
	id := fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n)
	mark := ""
	if level != stix.None {
		mark = fmt.Sprintf(`,"object_marking_refs":["%s"]`, level.ID())
	}
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"%s","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:%02d.000Z","name":"%s","pattern":"[domain-name:value = 'x%d.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"%s%s}`,
		id, version, content, n, mark, extra)
}

func (w *world) share(a polder.Actor, r Request) Result {
	w.t.Helper()
	if r.Community == "" {
		r.Community = w.where.Alias
	}
	res, err := w.Share(context.Background(), a, r)
	ok(w.t, err)
	return res
}

func one(raw ...[]byte) []Incoming {
	var out []Incoming
	for _, r := range raw {
		out = append(out, Incoming{Raw: r})
	}
	return out
}
