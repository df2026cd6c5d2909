package keys

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// checkAt judges an object in the community of another node.
func (w *world) checkAt(home *world, o stix.Object, at polder.Seq) exchange.Signature {
	w.t.Helper()
	found, err := w.Check(context.Background(), home.where.ID, o, at)
	must(w.t, err)
	return found
}

// signFor makes an object of an organisation for another node's community.
func (w *world) signFor(home *world, name string, raw []byte) stix.Object {
	w.t.Helper()
	c, err := w.acc.Community(context.Background(), string(home.where.ID))
	must(w.t, err)
	o, err := w.Sign(context.Background(), w.orgs[name].ID, c, mustParse(w.t, raw))
	must(w.t, err)
	return o
}

// TestStatementsTravel: what one member says of its keys reaches the home and every other member in one sync each, with
// the home's numbers.
func TestStatementsTravel(t *testing.T) {
	ctx := context.Background()
	home, m1, m2 := newWorld(t, "Home"), newWorld(t, "First"), newWorld(t, "Second")
	d1, s1 := link(t, m1, home, "a")
	d2, s2 := link(t, m2, home, "b")
	w1, w2 := &wire{home: home, link: s1}, &wire{home: home, link: s2}
	sync := func() {
		t.Helper()
		must(t, m1.Sync(ctx, d1, w1))
		must(t, m2.Sync(ctx, d2, w2))
	}
	sync()
	a := m1.orgs["a"].ID
	o := m1.signFor(home, "a", object(1, 1, "x", a))
	for name, w := range map[string]*world{"the home": home, "another member": m2} {
		if found := w.checkAt(home, o, 0); found.State != exchange.SignatureValid {
			t.Errorf("%s: %+v", name, found)
		}
	}
	// Nothing new costs one question, and is no change.
	<-home.Changed()
	before := w2.calls
	sync()
	if w2.calls != before+1 {
		t.Errorf("a sync without news asks %d times", w2.calls-before)
	}
	select {
	case <-home.Changed():
		t.Error("a sync without news rings")
	default:
	}
	// Of the home's own organisations, only those that signed have keys to tell of.
	if _, err := m1.Chain(ctx, home.orgs["a"].ID); polder.KindOf(err) != polder.NotFound {
		t.Errorf("the home's organisation that never signed: %v", err)
	}
	for _, id := range []polder.OrgID{s1.Peer, s2.Peer, d1.Peer, m2.orgs["b"].ID} {
		if _, err := m1.KeyOf(ctx, id); err != nil && id != m2.orgs["b"].ID {
			t.Errorf("%s: %v", id, err)
		}
	}
	// Both see the same numbers.
	q := home.read(ctx)
	of, err := home.owner(q, a)
	must(t, err)
	at, err := m2.known(ctx, a)
	must(t, err)
	if got := at.homes[d2.Peer]; len(got) != 1 || got[0] != of.marks[0] {
		t.Errorf("the member has %v, the home %v", got, of.marks)
	}
}

// TestS17StolenNode: a revocation at one node holds at the home at once, and at every peer within one sync; what was
// numbered before stays valid and is marked. A clock that is a day off on any side changes nothing.
func TestS17StolenNode(t *testing.T) {
	for _, off := range []time.Duration{0, 24 * time.Hour, -24 * time.Hour} {
		t.Run(fmt.Sprint(off), func(t *testing.T) {
			ctx := context.Background()
			home, m1, m2 := newWorld(t, "Home"), newWorld(t, "Stolen"), newWorld(t, "Other")
			m1.pass(off)
			d1, s1 := link(t, m1, home, "a")
			d2, s2 := link(t, m2, home, "b")
			w1, w2 := &wire{home: home, link: s1}, &wire{home: home, link: s2}
			must(t, m1.Sync(ctx, d1, w1))
			must(t, m2.Sync(ctx, d2, w2))
			a := m1.orgs["a"].ID
			early := m1.signFor(home, "a", object(1, 1, "before", a))
			stolen, err := m1.signing(ctx, a)
			must(t, err)
			home.put("a", exchange.Request{}, object(5, 1, "something that moves the log", home.orgs["a"].ID))
			atEarly := home.journal.Top()

			home.pass(time.Second)
			_, err = m1.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRevoke})
			must(t, err)
			must(t, m1.Sync(ctx, d1, w1))
			select {
			case <-home.Changed():
			default:
				t.Error("the home does not tell its members")
			}
			must(t, m2.Sync(ctx, d2, w2))
			home.put("a", exchange.Request{}, object(6, 1, "and again", home.orgs["a"].ID))
			atLate := home.journal.Top()
			late := mustParse(t, object(2, 1, "by the thief", a))
			form, err := late.SignedBytes()
			must(t, err)
			late, err = late.WithSignature(stix.Signature{Signer: string(a), Key: string(stolen.Public().ID()), Value: stolen.Sign(seal.DomainObject, form)})
			must(t, err)
			for name, w := range map[string]*world{"home": home, "its node": m1, "another": m2} {
				if found := w.checkAt(home, early, atEarly); found.State != exchange.SignatureEarlier {
					t.Errorf("%s, what was there before: %+v", name, found)
				}
				if found := w.checkAt(home, late, atLate); found.State != exchange.SignatureWrong {
					t.Errorf("%s, what came later: %+v", name, found)
				}
				if found := w.checkAt(home, late, 0); found.State != exchange.SignatureWrong {
					t.Errorf("%s, what comes now: %+v", name, found)
				}
				if found := w.checkAt(home, m1.signFor(home, "a", object(3, 1, "by the new key", a)), atLate+1); found.State != exchange.SignatureValid {
					t.Errorf("%s, the new key: %+v", name, found)
				}
			}
		})
	}
}

// TestS16OneKeyOneOwner: an organisation that says another's key is its own is refused, and what it said is kept.
func TestS16OneKeyOneOwner(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	shared := seal.NewSigningKey([32]byte{7})
	first := polder.OrgID("identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11")
	second := polder.OrgID("identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c12")
	chains := map[polder.OrgID]seal.Chain{}
	for _, id := range []polder.OrgID{first, second} {
		c, err := seal.Begin(string(id), w.clock(), shared, seal.NewPrivateKey([32]byte{byte(len(id))}).Public())
		must(t, err)
		chains[id] = c
	}
	must(t, w.Learn(ctx, first, rawChain(chains[first])))
	if err := w.Learn(ctx, second, rawChain(chains[second])); polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), "belongs to one owner alone") {
		t.Errorf("the same key twice: %v", err)
	}
	// Later in a chain as well.
	other, err := seal.Begin(string(second), w.clock(), seal.NewSigningKey([32]byte{8}), seal.NewPrivateKey([32]byte{9}).Public())
	must(t, err)
	must(t, w.Learn(ctx, second, rawChain(other)))
	rotated, err := other.Say(seal.NewStatement{Act: seal.KeyRotate, Now: w.clock(), By: seal.NewSigningKey([32]byte{8}), Fresh: shared})
	must(t, err)
	if err := w.Learn(ctx, second, rawChain(rotated)); polder.KindOf(err) != polder.Conflict {
		t.Errorf("rotated to another's key: %v", err)
	}
	if chain, err := w.Chain(ctx, second); err != nil || len(chain) != 1 {
		t.Errorf("%d statements are kept, %v", len(chain), err)
	}
	kept, err := readDisputes(w.read(ctx))
	must(t, err)
	if len(kept) != 2 || kept[0].owner != second {
		t.Errorf("evidence: %+v", kept)
	}
	if _, err := w.audit.Verify(ctx, nil); err != nil {
		t.Error(err)
	}
}

// TestS22OtherChain: who is known is known: another beginning, another statement of the same number and a chain for who
// lives here are refused, and kept as evidence; what the peer says of others is taken all the same.
func TestS22OtherChain(t *testing.T) {
	ctx := context.Background()
	home, member := newWorld(t, "Home"), newWorld(t, "Member")
	dials, serves := link(t, member, home, "a")
	must(t, member.Sync(ctx, dials, &wire{home: home, link: serves}))
	_, err := home.KeyOf(ctx, home.orgs["b"].ID)
	must(t, err)
	must(t, member.Sync(ctx, dials, &wire{home: home, link: serves}))
	b := home.orgs["b"].ID
	forged, err := seal.Begin(string(b), home.clock(), seal.NewSigningKey([32]byte{66}), seal.NewPrivateKey([32]byte{66}).Public())
	must(t, err)
	ours, err := seal.Begin(string(member.orgs["b"].ID), home.clock(), seal.NewSigningKey([32]byte{67}), seal.NewPrivateKey([32]byte{67}).Public())
	must(t, err)
	fresh := "identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c99"
	real, err := seal.Begin(fresh, home.clock(), seal.NewSigningKey([32]byte{68}), seal.NewPrivateKey([32]byte{68}).Public())
	must(t, err)
	lies := answers{wireAnswer{Statements: []wireStatement{
		{At: 1, Seen: 1, Statement: forged.Statement(1).Raw()}, {At: 2, Seen: 2, Statement: ours.Statement(1).Raw()}, {At: 3, Seen: 3, Statement: real.Statement(1).Raw()},
	}, Known: map[string]int{}}}
	must(t, member.Sync(ctx, dials, &lies))
	if k, err := member.KeyOf(ctx, b); err != nil || seal.VerifyKey(k) == forged.InForce() {
		t.Errorf("the forged key is taken: %v", err)
	}
	if _, err := member.KeyOf(ctx, polder.OrgID(fresh)); err != nil {
		t.Errorf("what the peer says of a third: %v", err)
	}
	if o, err := member.known(ctx, member.orgs["b"].ID); err != nil || o != nil {
		t.Errorf("the peer begins the keys of who lives here: %+v, %v", o, err)
	}
	kept, err := readDisputes(member.read(ctx))
	must(t, err)
	if len(kept) != 2 || kept[0].source != dials.Peer {
		t.Errorf("evidence: %+v", kept)
	}
	// The other way: a member speaks for its own organisation and node, and for nobody else.
	stranger := rawChain(real)
	if _, err := home.answer(ctx, serves, nil, marshal(t, wireAsk{Statements: stranger})); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a statement of a third: %v", err)
	}
	again, err := seal.Begin(string(member.orgs["a"].ID), home.clock(), seal.NewSigningKey([32]byte{69}), seal.NewPrivateKey([32]byte{69}).Public())
	must(t, err)
	if _, err := home.answer(ctx, serves, nil, marshal(t, wireAsk{Statements: rawChain(again)})); polder.KindOf(err) != polder.Conflict {
		t.Errorf("another beginning of a known owner: %v", err)
	}
}

// TestS22NumbersOfTheFuture: a home that numbers the first key and the revocation of one of its members' keys as yet to
// come keeps neither from its other members for longer than clocks may be off.
func TestS22NumbersOfTheFuture(t *testing.T) {
	ctx := context.Background()
	home, member := newWorld(t, "Home"), newWorld(t, "Member")
	dials, _ := link(t, member, home, "a")
	b := home.orgs["b"].ID
	thief := home.sign("b", object(1, 1, "by a stolen key", b))
	chain, err := home.Change(ctx, accounts.Local(), b, Change{Act: seal.KeyRevoke})
	must(t, err)
	lie := wireAnswer{Known: map[string]int{}}
	for _, st := range chain.Statements() {
		lie.Statements = append(lie.Statements, wireStatement{At: 1<<62 + int64(st.N), Seen: 1<<62 + int64(st.N), Statement: st.Raw()})
	}
	must(t, member.heard(ctx, dials, lie.Statements))
	now := polder.SeqAt(member.clock())
	later := now + polder.Seq((7 * 24 * time.Hour).Microseconds())
	if found := member.checkAt(home, thief, later); found.State != exchange.SignatureWrong {
		t.Errorf("what a revoked key signed: %+v", found)
	}
	if found := member.checkAt(home, mustParse(t, object(2, 1, "signed by nobody", b)), later); found.State != exchange.SignatureMissing {
		t.Errorf("what nobody signed: %+v", found)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return b
}

// answers is a peer that says the same to every question.
type answers struct{ say wireAnswer }

func (a *answers) Call(_ context.Context, _, _ string, _ url.Values, _, into any) error {
	b, err := json.Marshal(a.say)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// TestPeerBounds: what a peer asks and says is bounded, and never ends a sync that does not end by itself.
func TestPeerBounds(t *testing.T) {
	ctx := context.Background()
	home, member := newWorld(t, "Home"), newWorld(t, "Member")
	dials, serves := link(t, member, home, "a")
	many := make([]json.RawMessage, 2*seal.MaxStatements+1)
	for i := range many {
		many[i] = json.RawMessage(`{}`)
	}
	real, err := home.Chain(ctx, dials.Peer)
	must(t, err)
	for why, body := range map[string]string{
		"no JSON": `{`, "a list": `[]`, "statements without end": string(marshal(t, wireAsk{Statements: many})), "a statement that is none": `{"statements":[{"n":1}]}`,
		"a number": `{"have":{"x":"y"}}`,
	} {
		if _, err := home.answer(ctx, serves, nil, []byte(body)); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: %v", why, err)
		}
	}
	if out, err := home.answer(ctx, serves, nil, []byte(`{"have":{"`+string(dials.Peer)+`":-5,"x":1000000}}`)); err != nil || len(out.(wireAnswer).Statements) == 0 {
		t.Errorf("counts below zero and beyond: %+v, %v", out, err)
	}
	for why, say := range map[string]wireAnswer{
		"more without end":     {More: true},
		"a number below zero":  {Statements: []wireStatement{{At: -1, Statement: real[0]}}},
		"a statement twice":    {Statements: []wireStatement{{Statement: real[0]}, {Statement: real[0]}}},
		"nothing as statement": {Statements: []wireStatement{{Statement: json.RawMessage(`null`)}}},
		"too many":             {Statements: make([]wireStatement, maxAnswer+1)},
	} {
		for i := range say.Statements {
			if say.Statements[i].Statement == nil {
				say.Statements[i].Statement = json.RawMessage(`{}`)
			}
		}
		if err := member.Sync(ctx, dials, &answers{say}); err == nil {
			t.Errorf("%s is taken", why)
		}
	}
	for _, r := range home.PeerRoutes() {
		if r.MaxBody <= 0 || r.Method != http.MethodPost || r.Summary == "" {
			t.Errorf("route %+v", r)
		}
	}
}

// TestHomeRestored: a home that lost what it knew of a member's keys gets it again from the member.
func TestHomeRestored(t *testing.T) {
	ctx := context.Background()
	home, member := newWorld(t, "Home"), newWorld(t, "Member")
	dials, serves := link(t, member, home, "a")
	must(t, member.Sync(ctx, dials, &wire{home: home, link: serves}))
	a := member.orgs["a"].ID
	_, err := member.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRotate})
	must(t, err)
	must(t, member.Sync(ctx, dials, &wire{home: home, link: serves}))
	for _, table := range []string{`DELETE FROM keys_statement WHERE owner = ? AND n = 2`} { // as a backup from before the rotation has it
		_, err := openRaw(t, home).Exec(table, a)
		must(t, err)
	}
	must(t, home.o.DB.Write(ctx, bumpVersion))
	must(t, member.Sync(ctx, dials, &wire{home: home, link: serves}))
	if chain, err := home.Chain(ctx, a); err != nil || len(chain) != 2 {
		t.Errorf("the home has %d statements, %v", len(chain), err)
	}
	if found := home.checkAt(home, member.signFor(home, "a", object(1, 1, "x", a)), 0); found.State != exchange.SignatureValid {
		t.Errorf("the new key: %+v", found)
	}
}

// TestFirst: a new key is at the home before anything that it signed, and where nothing changed nothing is asked.
func TestFirst(t *testing.T) {
	ctx := context.Background()
	home, member := newWorld(t, "Home"), newWorld(t, "Member")
	dials, serves := link(t, member, home, "a")
	w := &wire{home: home, link: serves}
	must(t, member.Sync(ctx, dials, w))
	must(t, member.First(ctx, dials, w)) // what the sync itself taught
	before := w.calls
	must(t, member.First(ctx, dials, w))
	if w.calls != before {
		t.Errorf("%d questions without need", w.calls-before)
	}
	a := member.orgs["a"].ID
	_, err := member.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRotate})
	must(t, err)
	o := member.signFor(home, "a", object(1, 1, "x", a))
	must(t, member.First(ctx, dials, w))
	if found := home.checkAt(home, o, 0); found.State != exchange.SignatureValid {
		t.Errorf("at the home: %+v", found)
	}
}

// TestRunNotices: what a command changes while the node serves is told to members within seconds.
func TestRunNotices(t *testing.T) {
	w := newWorld(t, "Node")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := w.KeyOf(ctx, w.orgs["a"].ID)
	must(t, err)
	<-w.Changed()
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	time.Sleep(50 * time.Millisecond)
	command := New(Options{DB: w.o.DB, Audit: w.audit, Accounts: w.acc, Now: w.clock})
	_, err = command.Change(ctx, accounts.Local(), w.orgs["a"].ID, Change{Act: seal.KeyRotate})
	must(t, err)
	select {
	case <-w.Changed():
	case <-time.After(10 * time.Second):
		t.Error("nobody is told")
	}
	cancel()
	<-done
}
