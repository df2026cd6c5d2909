package accounts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// node is a service on a database of its own, with clocks that the test moves.
type node struct {
	*Service
	t     testing.TB
	db    *db.DB
	path  string
	log   *safeBuffer
	audit *audit.Log

	mu     sync.Mutex
	wall   time.Time
	steady time.Duration
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var (
	cheap = PasswordCost{MemoryKiB: 64, Passes: 1, Lanes: 1}
	home  = netip.MustParseAddr("192.0.2.7")
	ctx   = context.Background()
	start = time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC) // half an hour before a change of daylight saving time
)

// template is a migrated, empty database, so that a test need not migrate.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "accounts")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "node.db")
	d, err := db.Open(ctx, path, db.Options{})
	if err != nil {
		return nil, err
	}
	l := audit.New(d, time.Now)
	if err := errors.Join(l.Migrate(ctx), New(d, l, Options{}).Migrate(ctx), d.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func newNode(t testing.TB) *node {
	t.Helper()
	return newNodeAt(t, t.TempDir(), Options{})
}

func newNodeAt(t testing.TB, dir string, o Options) *node {
	t.Helper()
	empty, err := template()
	ok(t, err)
	n := &node{t: t, path: filepath.Join(dir, "node.db"), wall: start, log: &safeBuffer{}}
	ok(t, os.WriteFile(n.path, empty, 0o600))
	n.open(o)
	return n
}

// open starts the service on the node's file, as a new process would.
func (n *node) open(o Options) {
	n.t.Helper()
	d, err := db.Open(ctx, n.path, db.Options{})
	ok(n.t, err)
	n.t.Cleanup(func() { _ = d.Close() })
	n.db = d
	n.audit = audit.New(d, n.now)
	n.mu.Lock()
	n.steady = 0
	n.mu.Unlock()
	o.Now, o.Steady, o.Password = n.now, n.running, cheap
	o.Log = slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n.Service = New(d, n.audit, o)
}

func (n *node) restart(o Options) {
	n.t.Helper()
	ok(n.t, n.db.Close())
	n.open(o)
}

func (n *node) now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.wall
}

func (n *node) running() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.steady
}

// pass lets time pass; jump moves the machine's clock only.
func (n *node) pass(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wall, n.steady = n.wall.Add(d), n.steady+d
}

func (n *node) jump(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wall = n.wall.Add(d)
}

// house is a small node: two organisations and one community.
type house struct {
	*node
	init          Init
	acme, bolt    polder.Org
	optics        polder.Community
	steward, read account // of acme
	boltSteward   account // of bolt
}

type account struct {
	Person
	password string
	actor    polder.Actor
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{node: newNode(t)}
	var err error
	h.init, err = h.Init(ctx, "Dike Hub", "NL")
	ok(t, err)
	h.acme = h.org("Acme Optics")
	h.bolt = h.org("Bolt Valves")
	h.optics, err = h.AddCommunity(ctx, Local(), "Optics supply chain", stix.None)
	ok(t, err)
	h.steward = h.person(h.acme.ID, "sam@acme.example", polder.RoleSteward)
	h.read = h.person(h.acme.ID, "rita@acme.example", polder.RoleReader)
	h.boltSteward = h.person(h.bolt.ID, "bea@bolt.example", polder.RoleSteward)
	return h
}

func (n *node) org(name string) polder.Org {
	n.t.Helper()
	o, err := n.AddOrg(ctx, Local(), NewOrg{Name: name})
	ok(n.t, err)
	return o
}

func (n *node) person(org polder.OrgID, email string, r polder.Role) account {
	n.t.Helper()
	p, password, err := n.AddPerson(ctx, Local(), NewPerson{Org: org, Email: email, Role: r})
	ok(n.t, err)
	return account{p, password, polder.Actor{Org: org, Person: p.ID, Name: p.Name, Role: r}}
}

func (n *node) token(org polder.OrgID, r polder.Role) (Token, string) {
	n.t.Helper()
	t, text, err := n.CreateToken(ctx, Local(), NewToken{Org: org, Role: r})
	ok(n.t, err)
	return t, text
}

func (n *node) join(c polder.Community, o polder.Org, r polder.Role) {
	n.t.Helper()
	_, err := n.Join(ctx, Local(), c.ID, o.ID, r)
	ok(n.t, err)
}

func (n *node) epoch() int64 {
	n.t.Helper()
	e, err := n.Epoch(ctx)
	ok(n.t, err)
	return e
}

// actions are the audit's actions, latest first.
func (n *node) actions() []string {
	n.t.Helper()
	var all []string
	rows, err := n.db.Read().Query(`SELECT action FROM audit ORDER BY n DESC`)
	ok(n.t, err)
	defer rows.Close()
	for rows.Next() {
		var a string
		ok(n.t, rows.Scan(&a))
		all = append(all, a)
	}
	return all
}

// dump is every value of every table, as text.
func (n *node) dump() []string {
	n.t.Helper()
	names, err := list(n.read(ctx), func(r db.Row) (s string, err error) { err = r.Scan(&s); return s, err },
		`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
	ok(n.t, err)
	var all []string
	for _, name := range names {
		rows, err := n.db.Read().Query(`SELECT * FROM ` + name)
		ok(n.t, err)
		cols, err := rows.Columns()
		ok(n.t, err)
		for rows.Next() {
			values := make([]any, len(cols))
			for i := range values {
				values[i] = new(any)
			}
			ok(n.t, rows.Scan(values...))
			for _, v := range values {
				switch v := (*v.(*any)).(type) {
				case []byte:
					all = append(all, string(v), fmt.Sprintf("%x", v))
				default:
					all = append(all, fmt.Sprint(v))
				}
			}
		}
		ok(n.t, rows.Err())
	}
	return all
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("error: %v", err)
	}
}

// kind fails unless err is of the kind.
func kind(t testing.TB, err error, want polder.Kind, why string) {
	t.Helper()
	if err == nil || polder.KindOf(err) != want {
		t.Fatalf("%s: got %v, want kind %v", why, err, want)
	}
	if strings.TrimSpace(err.Error()) == "" {
		t.Fatalf("%s: an error without a text", why)
	}
}

func TestInit(t *testing.T) {
	n := newNode(t)
	_, err := n.Host(ctx)
	kind(t, err, polder.NotFound, "a node that was not initialised has no host")
	got, err := n.Init(ctx, "Dike Hub", "nl")
	ok(t, err)
	if !strings.HasPrefix(string(got.Org.ID), "identity--") || got.Admin != "admin" || got.Org.Country != "NL" {
		t.Fatalf("init answers %+v", got)
	}
	host, err := n.Host(ctx)
	if err != nil || host != got.Org {
		t.Fatalf("host %+v, %v; want %+v", host, err, got.Org)
	}
	a, err := n.Authenticate(ctx, got.Token, home)
	ok(t, err)
	if a.Role != polder.RoleAdmin || a.Org != got.Org.ID || a.Token == "" {
		t.Fatalf("the token is %+v", a)
	}
	_, ses, err := n.LogIn(ctx, "Admin ", got.Password, home, "test")
	ok(t, err)
	if !ses.MustChange {
		t.Fatal("a printed password must be changed")
	}
	_, err = n.Init(ctx, "Other", "")
	kind(t, err, polder.Conflict, "a node is initialised once")
	all, err := n.Orgs(ctx)
	if err != nil || len(all) != 1 {
		t.Fatalf("a refused init left %d organisations, %v", len(all), err)
	}
}

func TestMigrateFromEmptyAndAgain(t *testing.T) {
	d, err := db.Open(ctx, filepath.Join(t.TempDir(), "node.db"), db.Options{})
	ok(t, err)
	defer d.Close()
	l := audit.New(d, time.Now)
	ok(t, l.Migrate(ctx))
	s := New(d, l, Options{Password: cheap})
	ok(t, s.Migrate(ctx))
	if _, err := s.Init(ctx, "Dike Hub", ""); err != nil {
		t.Fatalf("init on a fresh database: %v", err)
	}
	ok(t, s.Migrate(ctx))
	if o, err := s.Host(ctx); err != nil || o.Name != "Dike Hub" {
		t.Fatalf("after migrating again: %v, %v", o, err)
	}
}

func TestNodeKey(t *testing.T) {
	n := newNode(t)
	var wg sync.WaitGroup
	keys := make([][]byte, 8)
	for i := range keys {
		wg.Go(func() { keys[i], _ = n.NodeKey(ctx, "cursor") })
	}
	wg.Wait()
	for _, k := range keys {
		if len(k) != 32 || !bytes.Equal(k, keys[0]) {
			t.Fatalf("a node key is made once and has 32 bytes: %x and %x", k, keys[0])
		}
	}
	other, err := n.NodeKey(ctx, "blind")
	if err != nil || bytes.Equal(other, keys[0]) {
		t.Fatalf("another use has another key: %v", err)
	}
	n.restart(Options{})
	again, err := n.NodeKey(ctx, "cursor")
	if err != nil || !bytes.Equal(again, keys[0]) {
		t.Fatalf("a key stays over a restart: %v", err)
	}
}

// TestSecretsAreStoredNowhere is S34 for this package: no password, token, cookie or invitation is in the database, the
// audit or the log.
func TestSecretsAreStoredNowhere(t *testing.T) {
	h := newHouse(t)
	_, token := h.token(h.acme.ID, polder.RoleReader)
	cookie, _, err := h.LogIn(ctx, h.steward.Email, h.steward.password, home, "test")
	ok(t, err)
	_, invitation, err := h.Invite(ctx, Local(), NewInvitation{Community: h.optics.ID})
	ok(t, err)
	_, _, err = h.LogIn(ctx, h.steward.password, "typed in the wrong field", home, "test")
	kind(t, err, polder.Unauthorised, "no such account")
	secrets := map[string]string{"password": h.steward.password, "init password": h.init.Password, "init token": h.init.Token,
		"token": token, "cookie": cookie, "invitation": invitation, "password as name": "typed in the wrong field"}
	everything := strings.Join(h.dump(), "\n") + h.log.String()
	for what, secret := range secrets {
		for _, part := range []string{secret, secret[len(secret)-20:]} {
			if strings.Contains(everything, part) {
				t.Errorf("the %s is stored or logged", what)
			}
		}
	}
}

func TestEveryChangeRaisesTheEpochAndIsAudited(t *testing.T) {
	h := newHouse(t)
	by := h.steward.actor
	h.join(h.optics, h.acme, polder.RoleSteward)
	tok, _ := h.token(h.acme.ID, polder.RoleReader)
	var inv Invitation
	var text string
	var req JoinRequest
	var cookie string
	var ses Session
	must := func(err error) { t.Helper(); ok(t, err) }
	steps := []struct {
		action string
		do     func() error
	}{
		{"org.add", func() error { _, err := h.AddOrg(ctx, Local(), NewOrg{Name: "Third"}); return err }},
		{"org.change", func() error { return h.ChangeOrg(ctx, Local(), h.bolt.ID, NewOrg{Name: "Bolt"}) }},
		{"org.widest", func() error { return h.SetWidest(ctx, by, h.acme.ID, stix.Amber) }},
		{"person.add", func() error {
			_, _, err := h.AddPerson(ctx, by, NewPerson{h.acme.ID, "new@acme.example", "", polder.RoleReader})
			return err
		}},
		{"person.role", func() error { return h.SetRole(ctx, by, h.read.ID, polder.RoleContributor) }},
		{"person.disable", func() error { return h.Disable(ctx, by, h.read.ID) }},
		{"person.enable", func() error { return h.Enable(ctx, by, h.read.ID) }},
		{"person.reset", func() error { _, err := h.ResetPassword(ctx, by, h.read.ID); return err }},
		{"person.preferences", func() error { return h.SetPreferences(ctx, by, Preferences{Language: "nl"}) }},
		{"session.login", func() (err error) {
			cookie, ses, err = h.LogIn(ctx, h.steward.Email, h.steward.password, home, "")
			return err
		}},
		{"session.revoke", func() error { return h.RevokeSession(ctx, by, ses.ID) }},
		{"session.logout", func() (err error) {
			cookie, _, err = h.LogIn(ctx, h.steward.Email, h.steward.password, home, "")
			must(err)
			return h.LogOut(ctx, cookie)
		}},
		{"person.password", func() error {
			return h.ChangePassword(ctx, by, h.steward.password, "correct horse battery staple", "")
		}},
		{"token.create", func() error {
			_, _, err := h.CreateToken(ctx, by, NewToken{Org: h.acme.ID, Role: polder.RoleReader})
			return err
		}},
		{"token.revoke", func() error { return h.RevokeToken(ctx, by, tok.ID) }},
		{"community.add", func() error { _, err := h.AddCommunity(ctx, Local(), "Other", stix.Green); return err }},
		{"community.unmarked", func() error { return h.SetUnmarked(ctx, by, h.optics.ID, stix.Clear) }},
		{"invitation.create", func() (err error) {
			inv, _, err = h.Invite(ctx, by, NewInvitation{Community: h.optics.ID})
			return err
		}},
		{"invitation.revoke", func() error { return h.RevokeInvitation(ctx, by, inv.ID) }},
		{"community.join", func() (err error) {
			_, text, err = h.Invite(ctx, by, NewInvitation{Community: h.optics.ID})
			must(err)
			_, err = h.AcceptInvitation(ctx, h.boltSteward.actor, text, 0)
			return err
		}},
		{"agreement.accept", func() error { return h.AcceptAgreement(ctx, h.boltSteward.actor, h.optics.ID, 1) }},
		{"agreement.set", func() error { _, err := h.SetAgreement(ctx, by, h.optics.ID, "Be kind.", false); return err }},
		{"community.role", func() error {
			return h.SetMemberRole(ctx, by, h.optics.ID, h.bolt.ID, polder.RoleReader)
		}},
		{"community.leave", func() error { return h.Leave(ctx, h.boltSteward.actor, h.optics.ID, h.bolt.ID) }},
		{"request.create", func() (err error) {
			req, err = h.RequestJoin(ctx, h.boltSteward.actor, h.optics.ID, "please", 0)
			return err
		}},
		{"request.refuse", func() error { return h.RefuseRequest(ctx, by, req.ID, "not now") }},
		{"request.withdraw", func() error {
			r, err := h.RequestJoin(ctx, h.boltSteward.actor, h.optics.ID, "please", 0)
			must(err)
			return h.WithdrawRequest(ctx, h.boltSteward.actor, r.ID)
		}},
	}
	for _, s := range steps {
		before, count := h.epoch(), len(h.actions())
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.action, err)
		}
		if h.epoch() <= before {
			t.Errorf("%s does not raise the epoch", s.action)
		}
		if got := h.actions(); len(got) <= count || got[0] != s.action {
			t.Errorf("%s is audited as %v", s.action, got[:len(got)-count])
		}
	}
	if n, err := h.audit.Verify(ctx, func(int64) {}); err != nil || n == 0 {
		t.Fatalf("the audit verifies %d entries: %v", n, err)
	}
}

// TestARefusalChangesNothing: neither the epoch nor the audit moves when an operation is refused.
func TestARefusalChangesNothing(t *testing.T) {
	h := newHouse(t)
	before, count := h.epoch(), len(h.actions())
	_, err := h.AddOrg(ctx, h.steward.actor, NewOrg{Name: "Mine"})
	kind(t, err, polder.Forbidden, "a steward adds no organisation")
	kind(t, h.Disable(ctx, h.boltSteward.actor, h.read.ID), polder.NotFound, "another organisation's person")
	if h.epoch() != before || len(h.actions()) != count {
		t.Fatal("a refused change left a trace")
	}
}
