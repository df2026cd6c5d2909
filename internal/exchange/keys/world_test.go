package keys

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
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

// world is a small node without its faces: an exchange that signs.
type world struct {
	*Service
	t       testing.TB
	mu      sync.Mutex // several goroutines ask for the time
	now     time.Time
	acc     *accounts.Service
	journal *journal.Journal
	audit   *audit.Log
	x       *exchange.Service
	index   *exchange.Index
	orgs    map[string]polder.Org
	where   polder.Community
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newWorld has a community "ring" of contributors a and b.
func newWorld(t testing.TB, name string) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), orgs: map[string]polder.Org{}}
	dir := t.TempDir()
	d, err := db.Open(ctx, filepath.Join(dir, "polder.db"), db.Options{})
	must(t, err)
	t.Cleanup(func() { d.Close() })
	w.audit = audit.New(d, w.clock)
	w.acc = accounts.New(d, w.audit, accounts.Options{Now: w.clock, Password: accounts.PasswordCost{MemoryKiB: 64, Passes: 1, Lanes: 1}})
	for _, migrate := range []func() error{
		func() error { return w.audit.Migrate(ctx) }, func() error { return w.acc.Migrate(ctx) },
		func() error { return journal.Migrate(ctx, d) }, func() error { return exchange.Migrate(ctx, d) }, func() error { return Migrate(ctx, d) },
	} {
		must(t, migrate())
	}
	step := int64(0)
	w.journal, err = journal.Open(ctx, d, journal.Options{Now: w.clock, Step: func() int64 { step = step%16 + 1; return step }, Head: filepath.Join(dir, "head")})
	must(t, err)
	t.Cleanup(func() { w.journal.Close() })
	_, err = w.acc.Init(ctx, name, "NL")
	must(t, err)
	w.index, err = exchange.OpenIndex(ctx, filepath.Join(dir, "search.db"), w.journal, nil)
	must(t, err)
	t.Cleanup(func() { w.index.Close() })
	w.Service = New(Options{DB: d, Audit: w.audit, Accounts: w.acc, Now: w.clock, Top: w.journal.Top})
	w.x = exchange.New(exchange.Options{DB: d, Journal: w.journal, Audit: w.audit, Accounts: w.acc, Now: w.clock, Secret: []byte("0123456789abcdef0123456789abcdef"), Search: w.index, Signatures: w.Service})
	w.where, err = w.acc.AddCommunity(ctx, accounts.Local(), "Ring", stix.None)
	must(t, err)
	for _, org := range []string{"a", "b"} {
		w.org(org)
		_, err := w.acc.Join(ctx, accounts.Local(), w.where.ID, w.orgs[org].ID, polder.RoleContributor)
		must(t, err)
	}
	return w
}

func (w *world) org(name string) polder.OrgID {
	o, err := w.acc.AddOrg(context.Background(), accounts.Local(), accounts.NewOrg{Name: "Org " + name})
	must(w.t, err)
	w.orgs[name] = o
	return o.ID
}

// clock passes a little with each look.
func (w *world) clock() time.Time { return w.pass(37 * time.Microsecond) }

func (w *world) pass(d time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return w.now
}

// as is an actor of an organisation.
func (w *world) as(name string) polder.Actor {
	ctx := context.Background()
	_, text, err := w.acc.CreateToken(ctx, accounts.Local(), accounts.NewToken{Org: w.orgs[name].ID, Role: polder.RoleContributor, Name: "test"})
	must(w.t, err)
	a, err := w.acc.Authenticate(ctx, text, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	must(w.t, err)
	return a
}

// object is an indicator that creator made; "" names nobody.
func object(n, version int, content string, creator polder.OrgID) []byte {
	by := ""
	if creator != "" {
		by = fmt.Sprintf(`"created_by_ref":%q,`, creator)
	}
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d",%s"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:%02d.000Z","name":%q,"pattern":"[domain-name:value = 'x%d.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","object_marking_refs":[%q]}`,
		n, by, version, content, n, stix.Green.ID())
}

// put shares objects of an organisation.
func (w *world) put(name string, r exchange.Request, raw ...[]byte) exchange.Result {
	w.t.Helper()
	r.Community = w.where.Alias
	for _, b := range raw {
		r.Objects = append(r.Objects, exchange.Incoming{Raw: b})
	}
	res, err := w.x.Share(context.Background(), w.as(name), r)
	must(w.t, err)
	return res
}

// stored is the last version of an object as b reads it, and its number.
func (w *world) stored(n int) (stix.Object, polder.Seq) {
	w.t.Helper()
	sight, err := w.x.Sight(context.Background(), w.as("b"))
	must(w.t, err)
	page, err := w.journal.Page(context.Background(), sight, journal.Query{IDs: []string{fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n)}, Limit: 10})
	must(w.t, err)
	if len(page.Deliveries) == 0 {
		w.t.Fatalf("object %d is not there", n)
	}
	d := page.Deliveries[len(page.Deliveries)-1]
	o, err := stix.Parse(d.Raw)
	must(w.t, err)
	return o, d.Seq
}

// check judges an object in the community.
func (w *world) check(o stix.Object, at polder.Seq) exchange.Signature {
	w.t.Helper()
	found, err := w.Check(context.Background(), w.where.ID, o, at)
	must(w.t, err)
	return found
}

// sign makes an object of an organisation, signed.
func (w *world) sign(name string, raw []byte) stix.Object {
	w.t.Helper()
	o, err := stix.Parse(raw)
	must(w.t, err)
	o, err = w.Sign(context.Background(), w.orgs[name].ID, w.where, o)
	must(w.t, err)
	return o
}

// link joins the organisation name of member to the community of home, as peers do it, and returns both ends.
func link(t testing.TB, member, home *world, name string) (dials, serves exchange.PeerLink) {
	t.Helper()
	ctx := context.Background()
	org := member.orgs[name]
	memberID, memberKey, err := member.Node(ctx)
	must(t, err)
	homeID, homeKey, err := home.Node(ctx)
	must(t, err)
	shape, err := home.acc.Shape(ctx, home.where.ID)
	must(t, err)
	must(t, home.o.DB.Write(ctx, func(tx *db.Tx) error {
		if _, err := home.acc.PutRemoteOrg(tx, accounts.Local(), accounts.RemoteOrg{ID: org.ID, Name: org.Name}, accounts.Home{ID: memberID, Name: "member " + name}); err != nil {
			return err
		}
		_, err := home.acc.JoinRemote(tx, accounts.Local(), accounts.RemoteMember{Community: home.where.ID, Org: org.ID, Role: polder.RoleContributor, Version: shape.Agreement.Version, Accepted: "test"})
		return err
	}))
	must(t, member.o.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := member.acc.MirrorCommunity(tx, accounts.Local(), shape, accounts.Home{ID: homeID, Name: "home"}, org.ID, polder.RoleContributor, shape.Agreement.Version)
		return err
	}))
	for owner, w := range map[polder.OrgID]*world{memberID: home, homeID: member} {
		from := map[bool]*world{true: member, false: home}[owner == memberID]
		chain, err := from.Chain(ctx, owner)
		must(t, err)
		must(t, w.Learn(ctx, owner, chain))
	}
	both := []polder.CommunityID{home.where.ID}
	return exchange.PeerLink{ID: "l-" + name, Peer: homeID, Key: homeKey, Org: org.ID, Communities: both, Confirmed: true},
		exchange.PeerLink{ID: "s-" + name, Peer: memberID, Key: memberKey, Org: org.ID, Serves: true, Communities: both, Confirmed: true}
}

// wire is a link without a network: every question goes through JSON to what the home answers.
type wire struct {
	home  *world
	link  exchange.PeerLink // as the home knows it
	calls int
}

func (w *wire) Call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	w.calls++
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for _, r := range w.home.PeerRoutes() {
		if r.Method == method && r.Path == path && int64(len(raw)) <= r.MaxBody {
			out, err := r.Handle(ctx, w.link, query, raw)
			if err != nil {
				return err
			}
			if raw, err = json.Marshal(out); err != nil {
				return err
			}
			return json.Unmarshal(raw, into)
		}
	}
	return fmt.Errorf("the home has no %s %s for %d bytes", method, path, len(raw))
}
