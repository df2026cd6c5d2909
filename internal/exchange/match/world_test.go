package match

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
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

// fakeSigner is a node's key.
type fakeSigner struct {
	id  polder.OrgID
	key ed25519.PrivateKey
}

func newFakeSigner(id polder.OrgID) fakeSigner {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, id)
	return fakeSigner{id, ed25519.NewKeyFromSeed(seed)}
}

func (f fakeSigner) Node(context.Context) (polder.OrgID, ed25519.PublicKey, error) {
	return f.id, f.key.Public().(ed25519.PublicKey), nil
}

func (f fakeSigner) SignNode(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(f.key, message), nil
}

// fakeReds are TLP:RED indicators that a test changes.
type fakeReds struct {
	mu      sync.Mutex
	values  []string
	changed chan struct{}
}

func (f *fakeReds) Red(_ context.Context, _ polder.OrgID, _ polder.CommunityID, _ Kind, each func(string) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.values {
		if err := each(v); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeReds) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// matchWorld is a node's sets, with two members of one community and a stranger, its REST API and its pages.
type matchWorld struct {
	*Service
	t      testing.TB
	path   string
	now    time.Time     // the wall clock
	ran    time.Duration // the steady clock
	mu     sync.Mutex
	db     *db.DB
	acc    *accounts.Service
	reds   *fakeReds
	signer fakeSigner
	com    polder.Community
	owner  polder.Actor
	asker  polder.Actor
	server *httptest.Server
	secret map[polder.OrgID]string
}

func newMatchWorld(t testing.TB) *matchWorld {
	t.Helper()
	w := &matchWorld{t: t, path: filepath.Join(t.TempDir(), "polder.db"), now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), reds: &fakeReds{changed: make(chan struct{})},
		signer: newFakeSigner("identity--0f0f0f0f-0000-4000-8000-000000000001"), secret: map[polder.OrgID]string{}}
	w.open()
	ctx := t.Context()
	_, err := w.acc.Init(ctx, "Hub", "NL")
	must(t, err)
	w.com, err = w.acc.AddCommunity(ctx, accounts.Local(), "Chips", stix.None)
	must(t, err)
	w.owner, w.asker = w.member("Authority", polder.RoleContributor), w.member("Lenswerk", polder.RoleReader)
	return w
}

// open opens the database, as a node does at its start.
func (w *matchWorld) open() {
	t := w.t
	d, err := db.Open(t.Context(), w.path, db.Options{})
	must(t, err)
	t.Cleanup(func() { d.Close() })
	clock := func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
	l := audit.New(d, clock)
	w.db, w.acc = d, accounts.New(d, l, accounts.Options{Now: clock, Password: accounts.PasswordCost{MemoryKiB: 64, Passes: 1, Lanes: 1}})
	must(t, l.Migrate(t.Context()))
	must(t, w.acc.Migrate(t.Context()))
	must(t, Migrate(t.Context(), d))
	w.Service = New(Options{DB: d, Audit: l, Accounts: w.acc, Signer: w.signer, Reds: w.reds, Now: clock, Pause: time.Millisecond,
		Steady: func() time.Duration { w.mu.Lock(); defer w.mu.Unlock(); return w.ran }})
	site, err := web.New(web.Options{Identify: w, Now: clock}, ConsolePart())
	must(t, err)
	pages := w.Pages(site)
	site.AddNav(pages.Nav()...)
	handler, err := site.Handler(append(pages.Routes(), NewAPI(w.Service).Routes()...)...)
	must(t, err)
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
}

// restart closes and opens the database: the steady clock begins anew.
func (w *matchWorld) restart() {
	w.server.Close()
	must(w.t, w.db.Close())
	w.set(func() { w.ran = 0 })
	w.open()
}

func (w *matchWorld) set(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }

// member is an actor of a new organisation that belongs to the community.
func (w *matchWorld) member(name string, r polder.Role) polder.Actor {
	w.t.Helper()
	o, err := w.acc.AddOrg(w.t.Context(), accounts.Local(), accounts.NewOrg{Name: name})
	must(w.t, err)
	_, err = w.acc.Join(w.t.Context(), accounts.Local(), w.com.ID, o.ID, r)
	must(w.t, err)
	return w.token(o.ID, r)
}

// token is an actor of an organisation by a new token.
func (w *matchWorld) token(org polder.OrgID, r polder.Role) polder.Actor {
	w.t.Helper()
	tok, secret, err := w.acc.CreateToken(w.t.Context(), accounts.Local(), accounts.NewToken{Org: org, Role: r})
	must(w.t, err)
	w.secret[org] = secret
	return polder.Actor{Org: org, Token: tok.ID, Role: r}
}

func (w *matchWorld) BySession(ctx context.Context, cookie string) (web.Identity, error) {
	return w.BySecret(ctx, cookie, netip.Addr{})
}

func (w *matchWorld) BySecret(ctx context.Context, secret string, from netip.Addr) (web.Identity, error) {
	a, err := w.acc.Authenticate(ctx, secret, netip.MustParseAddr("127.0.0.1"))
	return web.Identity{Actor: a, OrgName: "Somebody"}, err
}

func given(values ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// publish makes a set of the owner.
func (w *matchWorld) publish(name string, k Kind, budget int, values ...string) Published {
	w.t.Helper()
	p, err := w.Publish(w.t.Context(), accounts.Local(), NewSet{Org: w.owner.Org, Community: w.com.Alias, Name: name, Kind: k, Source: FromFile, Budget: budget}, given(values...), nil)
	must(w.t, err)
	return p
}

// client asks the node over HTTP as an organisation.
func (w *matchWorld) client(org polder.OrgID) *Client {
	return &Client{Node: &cli.Node{URL: w.server.URL, Token: w.secret[org], Wait: func(context.Context, time.Duration) error { return nil }}, Rand: rand.Reader}
}

// ask asks about values, and answers which of them are in the set.
func (w *matchWorld) ask(c *Client, set string, values ...string) (*Matched, error) {
	d, err := c.Describe(w.t.Context(), set, "")
	if err != nil {
		return &Matched{}, err
	}
	return c.Match(w.t.Context(), d, values, nil)
}

// get asks the REST API or a page.
func (w *matchWorld) get(org polder.OrgID, path string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.server.URL+path, nil)
	must(w.t, err)
	req.Header.Set("Authorization", "Bearer "+w.secret[org])
	res, err := http.DefaultTransport.RoundTrip(req) //house:allow http.DefaultTransport: a test's request
	must(w.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(w.t, err)
	return res.StatusCode, string(b)
}

// audited are the entries of an action that an actor may read.
func (w *matchWorld) audited(by polder.Actor, action string) []audit.Record {
	w.t.Helper()
	by.Role = polder.RoleSteward
	out, err := w.o.Audit.List(w.t.Context(), audit.Filter{Viewer: by, Action: action, Limit: 1000})
	must(w.t, err)
	return out
}

func numbered(n int, form string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(form, i)
	}
	return out
}

func addresses(from, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("10.%d.%d.%d", (from+i)>>16&255, (from+i)>>8&255, (from+i)&255)
	}
	return out
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return string(b)
}

func sortedKeys(m map[string]bool) (out []string) {
	for k, in := range m {
		if in {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}
