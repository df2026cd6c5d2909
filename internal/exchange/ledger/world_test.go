package ledger

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

var ctx = context.Background()

const ring = polder.CommunityID("8c39ae5c-0a8a-4c0a-9a58-2c0d3a1f8f11")

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// phone book: the keys of all nodes of a test.
type book struct {
	private map[polder.OrgID]ed25519.PrivateKey
}

// keyring is what a node knows of keys.
type keyring struct {
	exchange.NodeKeys
	node   polder.OrgID
	book   *book
	signed func(message []byte) error // called before each signature
}

func (k *keyring) Node(context.Context) (polder.OrgID, ed25519.PublicKey, error) {
	return k.node, k.book.private[k.node].Public().(ed25519.PublicKey), nil
}

func (k *keyring) SignNode(_ context.Context, m []byte) ([]byte, error) {
	if k.signed != nil {
		if err := k.signed(m); err != nil {
			return nil, err
		}
	}
	return ed25519.Sign(k.book.private[k.node], m), nil
}

func (k *keyring) KeyOf(_ context.Context, owner polder.OrgID) (ed25519.PublicKey, error) {
	p, known := k.book.private[owner]
	if !known {
		return nil, polder.Errorf(polder.NotFound, "nobody vouches for a key of %s", owner)
	}
	return p.Public().(ed25519.PublicKey), nil
}

// site is one node of a test: its folder outlives a restart.
type site struct {
	*Service
	t    testing.TB
	dir  string
	db   *db.DB
	j    *journal.Journal
	keys *keyring
	now  *time.Time
	stop *stopper
}

type stopper struct{ peers []polder.OrgID }

func (s *stopper) StopPeer(_ context.Context, peer polder.OrgID, _ string) error {
	s.peers = append(s.peers, peer)
	return nil
}

// land are the nodes of a test with one clock.
type land struct {
	t    testing.TB
	book *book
	now  time.Time
	n    int
}

func newLand(t testing.TB) *land {
	return &land{t: t, book: &book{map[polder.OrgID]ed25519.PrivateKey{}}, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
}

func (l *land) site(dir string) *site {
	l.t.Helper()
	l.n++
	id := polder.OrgID(fmt.Sprintf("identity--00000000-0000-4000-8000-%012d", l.n))
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = byte(l.n)
	l.book.private[id] = ed25519.NewKeyFromSeed(seed)
	x := &site{t: l.t, dir: dir, keys: &keyring{node: id, book: l.book}, now: &l.now, stop: &stopper{}}
	x.open()
	l.t.Cleanup(x.close)
	return x
}

func (x *site) open() {
	x.t.Helper()
	var err error
	x.db, err = db.Open(ctx, filepath.Join(x.dir, "polder.db"), db.Options{})
	ok(x.t, err)
	ok(x.t, journal.Migrate(ctx, x.db))
	n := int64(0)
	x.j, err = journal.Open(ctx, x.db, journal.Options{Now: func() time.Time { return *x.now }, Step: func() int64 { n = n%16 + 1; return n }, Head: filepath.Join(x.dir, "head")})
	ok(x.t, err)
	log := audit.New(x.db, func() time.Time { return *x.now })
	ok(x.t, log.Migrate(ctx))
	x.Service, err = Open(ctx, Options{DB: x.db, Path: filepath.Join(x.dir, File), Journal: x.j, Audit: log, Keys: x.keys,
		Secret: []byte("secret of " + string(x.keys.node)), Stop: x.stop, Now: func() time.Time { return *x.now }, Every: -1})
	ok(x.t, err)
}

func (x *site) close() {
	if x.db == nil {
		return
	}
	err := errors.Join(x.Service.Close(), x.j.Close(), x.db.Close())
	x.db = nil
	ok(x.t, err)
}

func (x *site) restart() { x.t.Helper(); x.close(); x.open() }

func indicator(n int, name string) []byte {
	return fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":%q,"pattern":"[ipv4-addr:value = '198.51.100.%d']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}`, n, name, n%250)
}

// shares puts n indicators into the journal.
func (x *site) shares(from, n int) (out []journal.Delivery) {
	x.t.Helper()
	var batch []journal.Delivery
	for i := range n {
		raw := indicator(from+i, "a name")
		o, err := stix.Parse(raw)
		ok(x.t, err)
		digest, err := o.Digest()
		ok(x.t, err)
		batch = append(batch, journal.Delivery{Community: ring, ID: o.ID, Version: strings.TrimSuffix(o.Version(), "Z"), Sharer: "identity--a", Custodian: "identity--a",
			Level: stix.Amber, Nominal: polder.Everyone(), Reached: polder.Everyone(), Last: polder.Everyone(), Raw: raw, Digest: digest})
	}
	ok(x.t, x.db.Write(ctx, func(tx *db.Tx) (err error) { out, err = x.j.Append(tx, batch); return err }))
	return out
}

// handed is how deliveries leave a node.
func (x *site) handed(all []journal.Delivery) (out []exchange.Handed) {
	for _, d := range all {
		h, leaves := exchange.HandOut(d, "identity--reader")
		if !leaves {
			x.t.Fatalf("%s does not leave", d.ID)
		}
		h.Nonce = x.Nonce(d)
		out = append(out, h)
	}
	return out
}

// takes notes deliveries as received over a link.
func (x *site) takes(l exchange.PeerLink, batch []exchange.Handed) {
	x.t.Helper()
	ok(x.t, x.db.Write(ctx, func(tx *db.Tx) error { return x.Received(tx, l, batch) }))
}

// linked is how x, which dials, knows another node.
func (x *site) linked(home *site) exchange.PeerLink {
	return exchange.PeerLink{ID: "link-" + x.dir[len(x.dir)-3:], Peer: home.keys.node, Key: x.keys.book.private[home.keys.node].Public().(ed25519.PublicKey), Name: "the hub", Org: "identity--reader"}
}

// line calls what another node answers to its peers, as it would over the wire.
type line struct {
	to     *site
	as     exchange.PeerLink // as the home knows it
	before func(method, path string) error
	change func(path string, answer []byte) []byte
	calls  int
	cut    int // after so many calls; 0 never
}

var errCut = errors.New("the line was cut")

func (c *line) Call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	if c.calls++; c.cut > 0 && c.calls > c.cut {
		return errCut
	}
	if c.before != nil {
		if err := c.before(method, path); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for _, r := range c.to.PeerRoutes() {
		if r.Method != method || r.Path != path {
			continue
		}
		got, err := r.Handle(ctx, c.as, query, raw)
		if err != nil {
			return err
		}
		answer, err := json.Marshal(got)
		if err != nil {
			return err
		}
		if c.change != nil {
			answer = c.change(path, answer)
		}
		if into == nil {
			return nil
		}
		return json.Unmarshal(answer, into)
	}
	return fmt.Errorf("no route %s %s", method, path)
}

func (x *site) lineTo(home *site) *line {
	return &line{to: home, as: exchange.PeerLink{ID: "served", Peer: x.keys.node, Key: x.keys.book.private[x.keys.node].Public().(ed25519.PublicKey), Name: "a member", Serves: true}}
}

// syncs follows the home's log.
func (x *site) syncs(home *site) error { return x.Sync(ctx, x.linked(home), x.lineTo(home)) }

// kinds are those of the evidence that a node keeps, the newest first.
func (x *site) kinds() (out []string) {
	x.t.Helper()
	all, err := x.allEvidence(ctx)
	ok(x.t, err)
	for _, e := range all {
		out = append(out, e.Kind)
	}
	return out
}

// logKey is the key under the checkpoints of a node's own log.
func (x *site) logKey() seal.LogKey {
	return seal.LogKeyOf(x.origin, x.keys.book.private[x.keys.node].Public().(ed25519.PublicKey))
}

func mustParse(t testing.TB, raw []byte) stix.Object {
	t.Helper()
	o, err := stix.Parse(raw)
	ok(t, err)
	return o
}

// Build builds and signs everything at once, whatever the pause between checkpoints.
func (s *Service) Build(ctx context.Context) error {
	s.build.Lock()
	defer s.build.Unlock()
	for {
		more, err := s.step(ctx)
		if err != nil {
			return err
		}
		if !more {
			return s.sign(ctx)
		}
	}
}
