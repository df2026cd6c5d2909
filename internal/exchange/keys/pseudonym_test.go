package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// pseudonymWorld is a world whose members share under pseudonyms, with a steward.
type pseudonymWorld struct {
	*world
	book *PseudonymBook
	log  *bytes.Buffer
}

func newPseudonymWorld(t testing.TB, name string, steward bool) *pseudonymWorld {
	t.Helper()
	w := &pseudonymWorld{world: newWorld(t, name), log: &bytes.Buffer{}}
	w.Service.o.Log = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	must(t, MigratePseudonyms(context.Background(), w.o.DB))
	w.book = NewPseudonyms(w.Service)
	if steward {
		w.org("steward")
		_, err := w.acc.Join(context.Background(), accounts.Local(), w.where.ID, w.orgs["steward"].ID, polder.RoleSteward)
		must(t, err)
	}
	return w
}

// blind is an object that stands for a member, as name shares it: signed and stored, and read back.
func (w *pseudonymWorld) blind(name string, n int) (stix.Object, polder.Seq) {
	w.t.Helper()
	return w.made(name, n, object(n, 0, "blind", w.where.Blind))
}

// made shares what Polder made for a member.
func (w *pseudonymWorld) made(name string, n int, raw []byte) (stix.Object, polder.Seq) {
	w.t.Helper()
	r := exchange.Request{Objects: []exchange.Incoming{{Raw: raw, Made: true}}}
	if res := w.put(name, r); len(res.Refused) > 0 {
		w.t.Fatalf("refused: %+v", res.Refused)
	}
	return w.stored(n)
}

func signerOf(t testing.TB, o stix.Object) string {
	t.Helper()
	sig, ok, err := o.Signature()
	must(t, err)
	if !ok {
		t.Fatal("not signed")
	}
	return sig.Signer
}

// TestPseudonymSigns: what a member shares without its name is signed by its pseudonym, the same each time and another
// than that of every other member; reputation and binding are the pseudonym's.
func TestPseudonymSigns(t *testing.T) {
	w := newPseudonymWorld(t, "Home", true)
	first, seq := w.blind("a", 1)
	second, _ := w.blind("a", 2)
	other, _ := w.blind("b", 3)
	p := signerOf(t, first)
	if !seal.IsPseudonym(p) || signerOf(t, second) != p || signerOf(t, other) == p {
		t.Fatalf("a signs as %s and %s, b as %s", p, signerOf(t, second), signerOf(t, other))
	}
	for _, at := range []polder.Seq{0, seq} {
		if found := w.check(first, at); found.State != exchange.SignatureValid || found.Signer != p {
			t.Errorf("at %d: %+v", at, found)
		}
	}
	// Another member's pseudonym adds no version to its object, however validly it signs.
	k, err := w.book.keyFor(context.Background(), w.orgs["b"].ID, w.where, "")
	must(t, err)
	forged := mustParse(t, object(1, 5, "forged", w.where.Blind))
	form, err := forged.SignedBytes()
	must(t, err)
	forged, err = forged.WithSignature(stix.Signature{Signer: k.id, Key: string(k.key.Public().ID()), Value: k.key.Sign(seal.DomainObject, form)})
	must(t, err)
	if found := w.check(forged, 0); found.State != exchange.SignatureWrong || !strings.Contains(found.Reason, "first signed by another") || strings.Contains(found.Reason, p) {
		t.Errorf("a version by another pseudonym: %+v", found)
	}
	// The organisation's own key is no pseudonym, and a pseudonym that nobody certified is unknown.
	stray, err := seal.GenerateSigningKey(w.o.Rand)
	must(t, err)
	for signer, want := range map[string]exchange.SignatureState{string(w.orgs["a"].ID): exchange.SignatureWrong, seal.PseudonymID(stray.Public()): exchange.SignatureUnknown} {
		o := mustParse(t, object(9, 0, "stray", w.where.Blind))
		o, err := o.WithSignature(stix.Signature{Signer: signer, Key: string(stray.Public().ID()), Value: []byte("0123456789")})
		must(t, err)
		if found := w.check(o, 0); found.State != want {
			t.Errorf("signed by %s: %+v", signer, found)
		}
	}
	if found := w.check(mustParse(t, object(8, 0, "old", w.where.Blind)), 0); found.State != exchange.SignatureNone {
		t.Errorf("without a signature: %+v", found)
	}
}

// TestPseudonymUnlinkable: in two communities, and after a renewal, nothing joins the pseudonyms of one organisation.
func TestPseudonymUnlinkable(t *testing.T) {
	ctx := context.Background()
	w := newPseudonymWorld(t, "Home", true)
	here, _ := w.blind("a", 1)
	other, err := w.acc.AddCommunity(ctx, accounts.Local(), "Other", stix.None)
	must(t, err)
	_, err = w.acc.Join(ctx, accounts.Local(), other.ID, w.orgs["a"].ID, polder.RoleContributor)
	must(t, err)
	there, err := w.Sign(ctx, w.orgs["a"].ID, other, mustParse(t, object(2, 0, "blind", other.Blind)))
	must(t, err)
	must(t, w.book.Renew(ctx, w.as("a"), w.orgs["a"].ID, w.where))
	after, _ := w.blind("a", 3)
	ids := []string{signerOf(t, here), signerOf(t, there), signerOf(t, after)}
	if ids[0] == ids[1] || ids[0] == ids[2] || ids[1] == ids[2] {
		t.Fatalf("one organisation signs as %v", ids)
	}
	if found := w.check(after, 0); found.State != exchange.SignatureValid {
		t.Errorf("after renewal: %+v", found)
	}
	// A new version of the old object stays with the pseudonym that signed it first.
	if newer, _ := w.made("a", 1, object(1, 7, "newer", w.where.Blind)); signerOf(t, newer) != ids[0] {
		t.Errorf("a version after renewal is signed by %s, the object is of %s", signerOf(t, newer), ids[0])
	}
	// A certificate of one community is worth nothing in another.
	moved, err := there.WithSignature(stix.Signature{Signer: ids[0], Key: "00000000000000000000000000000000", Value: []byte("0123456789")})
	must(t, err)
	found, err := w.Check(ctx, other.ID, moved, 0)
	must(t, err)
	if found.State != exchange.SignatureUnknown {
		t.Errorf("a pseudonym of another community: %+v", found)
	}
	for _, e := range pseudonymAudit(t, w, "pseudonym.") {
		if strings.Contains(string(marshal(t, e)), "pseudonym--") {
			t.Errorf("the audit of a renewal joins an organisation and a pseudonym: %+v", e)
		}
	}
}

func pseudonymAudit(t testing.TB, w *pseudonymWorld, action string) []audit.Record {
	t.Helper()
	viewer := w.as("a")
	viewer.Role = polder.RoleSteward
	out, err := w.audit.List(context.Background(), audit.Filter{Viewer: viewer, Communities: []polder.CommunityID{w.where.ID}, Action: action, Limit: 1000})
	must(t, err)
	return out
}

// TestPseudonymNamesNobody: in certificates, in what travels, in what verify says, in the tables and in the log stands
// neither the name nor the id of the organisation behind a pseudonym.
func TestPseudonymNamesNobody(t *testing.T) {
	ctx := context.Background()
	w := newPseudonymWorld(t, "Home", true)
	o, _ := w.blind("a", 1)
	canaries := []string{string(w.orgs["a"].ID), strings.TrimPrefix(string(w.orgs["a"].ID), "identity--"), w.orgs["a"].Name}
	lines, err := w.book.Certificates(ctx)
	must(t, err)
	if len(lines) != 1 {
		t.Fatalf("%d certificates", len(lines))
	}
	said := map[string]string{"log": w.log.String()}
	for _, l := range lines {
		said["certificates"] += string(l)
	}
	answer, err := w.book.answer(ctx, exchange.PeerLink{Communities: []polder.CommunityID{w.where.ID}}, nil, []byte(`{"have":{}}`))
	must(t, err)
	said["what travels"] = string(marshal(t, answer))
	said["verdict"] = string(marshal(t, w.check(o, 0)))
	state, err := w.book.List(ctx, w.where.ID)
	must(t, err)
	said["list"] = string(marshal(t, state))
	for _, table := range []string{"pseudonym_entry", "pseudonym_box", "pseudonym_own", "pseudonym_count"} {
		said[table] = dumpTable(t, w.o.DB, table)
	}
	for what, text := range said {
		for _, canary := range canaries {
			if strings.Contains(text, canary) {
				t.Errorf("%s holds %q: %s", what, canary, text)
			}
		}
	}
	if !strings.Contains(said["certificates"], signerOf(t, o)) {
		t.Error("the certificate is of nobody")
	}
}

// dumpTable is all of a table as text.
func dumpTable(t testing.TB, d *db.DB, table string) (out string) {
	t.Helper()
	rows, err := d.Read().Query(map[string]string{
		"pseudonym_entry": `SELECT community || pseudonym || body FROM pseudonym_entry`, "pseudonym_box": `SELECT community || pseudonym || box FROM pseudonym_box`,
		"pseudonym_own": `SELECT slot || pseudonym || community || hex(seed) FROM pseudonym_own`, "pseudonym_count": `SELECT slot FROM pseudonym_count`}[table])
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		out += text + "\n"
	}
	must(t, rows.Err())
	if out == "" {
		t.Errorf("%s is empty", table)
	}
	return out
}

// TestPseudonymOpened: opening needs a steward, a key and a reason; what it says in public is written first.
func TestPseudonymOpened(t *testing.T) {
	ctx := context.Background()
	w := newPseudonymWorld(t, "Home", true)
	o, _ := w.blind("a", 1)
	p := signerOf(t, o)
	steward := w.orgs["steward"].ID
	w.org("late")
	_, err := w.acc.Join(ctx, accounts.Local(), w.where.ID, w.orgs["late"].ID, polder.RoleSteward)
	must(t, err)
	actor := func(name string, r polder.Role) polder.Actor { return polder.Actor{Org: w.orgs[name].ID, Role: r} }
	for _, c := range []struct {
		why       string
		by        polder.Actor
		org       polder.OrgID
		pseudonym string
		reason    string
		kind      polder.Kind
	}{
		{"a member that is no steward", actor("b", polder.RoleSteward), w.orgs["b"].ID, p, "because I want to", polder.Forbidden},
		{"the member itself", actor("a", polder.RoleSteward), w.orgs["a"].ID, p, "because I want to", polder.Forbidden},
		{"a reader of the steward's organisation", actor("steward", polder.RoleReader), steward, p, "because I want to", polder.Forbidden},
		{"somebody else in the steward's name", actor("b", polder.RoleSteward), steward, p, "because I want to", polder.Forbidden},
		{"a steward that has no key for it", actor("late", polder.RoleSteward), w.orgs["late"].ID, p, "because I want to", polder.Forbidden},
		{"no reason", actor("steward", polder.RoleSteward), steward, p, "  ", polder.Invalid},
		{"a pseudonym that is none", actor("steward", polder.RoleSteward), steward, "pseudonym--0", "because I want to", polder.NotFound},
	} {
		if b, err := w.book.Open(ctx, c.by, c.org, w.where, c.pseudonym, c.reason); err == nil || polder.KindOf(err) != c.kind || b.Organisation != "" {
			t.Errorf("%s: %+v, %v", c.why, b, err)
		}
	}
	if n, err := countEntries(w.read(ctx), w.where.ID); err != nil || n != 1 {
		t.Fatalf("%d entries after nothing was opened, %v", n, err)
	}
	b, err := w.book.Open(ctx, actor("steward", polder.RoleSteward), steward, w.where, p, "shared a forged report")
	must(t, err)
	if b.Organisation != w.orgs["a"].ID || b.Name != w.orgs["a"].Name {
		t.Errorf("behind it is %+v", b)
	}
	list, err := w.book.List(ctx, w.where.ID)
	must(t, err)
	if len(list) != 1 || len(list[0].Opened) != 1 || list[0].Opened[0].By != string(steward) || list[0].Opened[0].Reason != "shared a forged report" {
		t.Fatalf("members read %+v", list)
	}
	audited := pseudonymAudit(t, w, "pseudonym.opened")
	if len(audited) != 1 || audited[0].Object != p || audited[0].Detail["reason"] != "shared a forged report" || strings.Contains(string(marshal(t, audited)), string(w.orgs["a"].ID)) {
		t.Errorf("audit: %+v", audited)
	}
}

// TestPseudonymOpenedFirst: when the public line cannot be written, nothing is opened.
func TestPseudonymOpenedFirst(t *testing.T) {
	ctx := context.Background()
	w := newPseudonymWorld(t, "Home", true)
	o, _ := w.blind("a", 1)
	p := signerOf(t, o)
	must(t, w.o.DB.Write(ctx, func(tx *db.Tx) error { // the place of the line is taken
		_, err := tx.Exec(`CREATE TRIGGER full BEFORE INSERT ON pseudonym_entry BEGIN SELECT RAISE(ABORT, 'no room'); END`)
		return err
	}))
	b, err := w.book.Open(ctx, accounts.Local(), w.orgs["steward"].ID, w.where, p, "shared a forged report")
	if err == nil || b.Organisation != "" {
		t.Errorf("opened without a line: %+v, %v", b, err)
	}
}

// TestPseudonymWithoutSteward: where no steward has a key, the home's own organisation is sealed to, and it opens as a
// steward only.
func TestPseudonymWithoutSteward(t *testing.T) {
	ctx := context.Background()
	w := newPseudonymWorld(t, "Home", false)
	o, _ := w.blind("a", 1)
	host, err := w.acc.Host(ctx)
	must(t, err)
	_, err = w.book.Open(ctx, accounts.Local(), host.ID, w.where, signerOf(t, o), "shared a forged report")
	if polder.KindOf(err) != polder.Forbidden {
		t.Errorf("the host, no steward: %v", err)
	}
	_, err = w.acc.Join(ctx, accounts.Local(), w.where.ID, host.ID, polder.RoleSteward)
	must(t, err)
	b, err := w.book.Open(ctx, accounts.Local(), host.ID, w.where, signerOf(t, o), "shared a forged report")
	must(t, err)
	if b.Organisation != w.orgs["a"].ID {
		t.Errorf("%+v", b)
	}
}

// TestPseudonymStopped: what comes after a stop is refused; what the log numbered before stays, marked.
func TestPseudonymStopped(t *testing.T) {
	ctx := context.Background()
	w := newPseudonymWorld(t, "Home", true)
	before, seq := w.blind("a", 1)
	p := signerOf(t, before)
	if _, err := w.book.Stop(ctx, accounts.Local(), w.orgs["b"].ID, w.where, p, "its key was published"); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a member stops it: %v", err)
	}
	_, err := w.book.Stop(ctx, accounts.Local(), w.orgs["steward"].ID, w.where, p, "its key was published")
	must(t, err)
	if found := w.check(before, seq); found.State != exchange.SignatureEarlier || !found.State.Accepted() {
		t.Errorf("numbered before: %+v", found)
	}
	if found := w.check(before, 0); found.State != exchange.SignatureWrong || !strings.Contains(found.Reason, "stopped") {
		t.Errorf("comes now: %+v", found)
	}
	lines, err := w.book.Certificates(ctx)
	must(t, err)
	if len(lines) != 2 {
		t.Errorf("%d lines for a certificate and a stop", len(lines))
	}
}

// ringOf is a file of keys with the node's chain and its pseudonyms.
func ringOf(t testing.TB, w *pseudonymWorld) *Ring {
	t.Helper()
	var file bytes.Buffer
	entries, err := w.Entries(context.Background(), true)
	must(t, err)
	for _, e := range entries {
		file.Write(append(must2(json.Marshal(e))(t), '\n'))
	}
	more, err := w.more(context.Background())
	must(t, err)
	for _, l := range more {
		file.Write(append(slices.Clone(l), '\n'))
	}
	r, err := ReadRing(&file, ReadCertificates())
	must(t, err)
	return r
}

func must2[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// TestPseudonymOffline: a file of keys verifies what pseudonyms signed, without a node; a changed object, another
// community's pseudonym and a certificate that its home did not sign are refused.
func TestPseudonymOffline(t *testing.T) {
	ctx := context.Background()
	w := newPseudonymWorld(t, "Home", true)
	o, _ := w.blind("a", 1)
	r := ringOf(t, w)
	if found := r.Verify(o); found.State != exchange.SignatureValid || found.Signer != signerOf(t, o) {
		t.Errorf("%+v", found)
	}
	sig, _, err := o.Signature()
	must(t, err)
	changed, err := mustParse(t, object(1, 0, "changed", w.where.Blind)).WithSignature(sig)
	must(t, err)
	if found := r.Verify(changed); found.State != exchange.SignatureWrong {
		t.Errorf("changed: %+v", found)
	}
	elsewhere, err := mustParse(t, object(1, 0, "blind", "identity--00000000-0000-4000-8000-000000000009")).WithSignature(sig)
	must(t, err)
	if found := r.Verify(elsewhere); found.State != exchange.SignatureWrong {
		t.Errorf("of another community: %+v", found)
	}
	forger := newPseudonymWorld(t, "Forger", true)
	lines, err := w.book.Certificates(ctx)
	must(t, err)
	var l pseudonymLine
	must(t, json.Unmarshal(lines[0], &l))
	e, err := seal.ParsePseudonymEntry(l.Entry)
	must(t, err)
	_, key, err := forger.Node(ctx)
	must(t, err)
	node, err := forger.NodeID(ctx)
	must(t, err)
	sign, err := forger.signing(ctx, node)
	must(t, err)
	e, raw, err := e.SignedBy(sign) // says that the home says so
	must(t, err)
	fake := ReadCertificates()
	_, err = fake.Add(marshal(t, pseudonymLine{e.Pseudonym, raw}))
	must(t, err)
	if found, known := fake.Verify(o, sig, r); !known || found.State.Accepted() {
		t.Errorf("certified by %x: %+v", key, found)
	}
	_, err = w.book.Stop(ctx, accounts.Local(), w.orgs["steward"].ID, w.where, signerOf(t, o), "its key was published")
	must(t, err)
	if found := ringOf(t, w).Verify(o); found.State != exchange.SignatureEarlier || Right(found.State) {
		t.Errorf("stopped later: %+v", found)
	}
	for _, bad := range []string{`{"pseudonym":"x"}`, `{"pseudonym":"x","entry":{}}`, string(bytes.Replace(lines[0], []byte(`"n":1`), []byte(`"n": 1`), 1))} {
		if known, err := ReadCertificates().Add([]byte(bad)); !known || err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// pseudonymWire is a link without a network for pseudonyms.
type pseudonymWire struct {
	home *pseudonymWorld
	link exchange.PeerLink
	said []byte // the last question and answer
	lie  func(*pseudonymAnswer)
}

func (w *pseudonymWire) Call(ctx context.Context, _, _ string, _ url.Values, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	a, err := w.home.book.answer(ctx, w.link, nil, b)
	if err != nil {
		return err
	}
	out := a.(pseudonymAnswer)
	if w.lie != nil {
		w.lie(&out)
	}
	answer, err := json.Marshal(out)
	w.said = append(b, answer...)
	return errors.Join(err, json.Unmarshal(answer, into))
}

// TestPseudonymTravels: a member's home certifies its pseudonym, every member learns of it in order and learns nothing
// else, and a steward on another node opens one with its own key.
func TestPseudonymTravels(t *testing.T) {
	ctx := context.Background()
	home, maker, third := newPseudonymWorld(t, "Home", true), newPseudonymWorld(t, "Maker", false), newPseudonymWorld(t, "Third", false)
	maker.org("m")
	third.org("s")
	md, ms := link(t, maker.world, home.world, "m")
	td, ts := link(t, third.world, home.world, "s")
	mw, tw := &pseudonymWire{home: home, link: ms}, &pseudonymWire{home: home, link: ts}
	mirror, err := maker.acc.Community(ctx, string(home.where.ID))
	must(t, err)
	must(t, maker.book.Sync(ctx, md, mw))
	o, err := maker.Sign(ctx, maker.orgs["m"].ID, mirror, mustParse(t, object(1, 0, "blind", home.where.Blind)))
	must(t, err)
	p := signerOf(t, o)
	if found := maker.checkAt(home.world, o, 0); found.State != exchange.SignatureValid {
		t.Errorf("at the maker, not certified yet: %+v", found)
	}
	if found := home.checkAt(home.world, o, 0); found.State != exchange.SignatureUnknown {
		t.Errorf("at the home, not certified yet: %+v", found)
	}
	must(t, maker.book.Sync(ctx, md, mw))
	must(t, maker.book.Sync(ctx, md, mw))
	must(t, third.book.Sync(ctx, td, tw))
	for name, w := range map[string]*pseudonymWorld{"home": home, "maker": maker, "third": third} {
		if found := w.checkAt(home.world, o, 0); found.State != exchange.SignatureValid || found.Signer != p {
			t.Errorf("at the %s: %+v", name, found)
		}
		list, err := w.book.List(ctx, home.where.ID)
		must(t, err)
		if len(list) != 1 || list[0].ID != p {
			t.Errorf("the list at the %s: %+v", name, list)
		}
	}
	for _, canary := range []string{string(maker.orgs["m"].ID), maker.orgs["m"].Name} {
		if bytes.Contains(tw.said, []byte(canary)) || bytes.Contains(mw.said, []byte(canary)) || strings.Contains(dumpTable(t, third.o.DB, "pseudonym_entry"), canary) {
			t.Errorf("%q travels with the pseudonym", canary)
		}
	}
	stewardElsewhere(t, home, third, td, tw, p, maker.orgs["m"].ID)
}

// stewardElsewhere opens a pseudonym from another node than the community's home: only what was sealed to the steward
// then, and behind a line that everybody reads.
func stewardElsewhere(t *testing.T, home, third *pseudonymWorld, td exchange.PeerLink, tw *pseudonymWire, p string, behind polder.OrgID) {
	t.Helper()
	ctx := context.Background()
	org := third.orgs["s"].ID
	must(t, home.acc.SetMemberRole(ctx, accounts.Local(), home.where.ID, org, polder.RoleSteward))
	shape, err := home.acc.Shape(ctx, home.where.ID)
	must(t, err)
	must(t, third.o.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := third.acc.MirrorCommunity(tx, accounts.Local(), shape, accounts.Home{ID: td.Peer, Name: "home"}, org, polder.RoleSteward, shape.Agreement.Version)
		return err
	}))
	mirror, err := third.acc.Community(ctx, string(home.where.ID))
	must(t, err)
	b, err := third.book.Open(ctx, accounts.Local(), org, mirror, p, "shared a forged report")
	must(t, err)
	if !b.Waits {
		t.Fatalf("opened away from home at once: %+v", b)
	}
	must(t, third.book.Sync(ctx, td, tw))
	if n, _ := countEntries(home.read(ctx), home.where.ID); n != 1 {
		t.Fatalf("a pseudonym from before it was a steward was opened: %d entries", n)
	}
	// The next one is sealed to it too, once the home knows its key.
	chain, err := third.Chain(ctx, org)
	must(t, err)
	must(t, home.Learn(ctx, org, chain))
	o, _ := home.blind("a", 5)
	next := signerOf(t, o)
	must(t, third.book.Sync(ctx, td, tw))
	stranger := tw.link
	stranger.Confirmed = false // whoever found the invitation of a steward
	for _, act := range []seal.PseudonymAct{seal.PseudonymOpened, seal.PseudonymStopped} {
		got := home.book.grant(ctx, stranger, pseudonymWish{home.where.ID, next, act, "shared a forged report"})
		if got.Box != nil || !strings.Contains(got.Refused, "fingerprint") {
			t.Errorf("%s over a link that nobody confirmed: %+v", act, got)
		}
	}
	_, err = third.book.Open(ctx, accounts.Local(), org, mirror, next, "shared a forged report")
	must(t, err)
	must(t, third.book.Sync(ctx, td, tw))
	list, err := home.book.List(ctx, home.where.ID)
	must(t, err)
	if len(list) != 2 || len(list[1].Opened) != 1 || list[1].Opened[0].By != string(org) {
		t.Fatalf("the home's list: %+v", list)
	}
	if b, err = third.book.Open(ctx, accounts.Local(), org, mirror, next, "shared a forged report"); err != nil || b.Organisation != home.orgs["a"].ID || b.Organisation == behind {
		t.Errorf("opened as %+v, %v", b, err)
	}
}

// TestPseudonymLyingHome: entries that the home did not sign, of another place, out of order or of another community are
// refused, and nothing of them is stored.
func TestPseudonymLyingHome(t *testing.T) {
	ctx := context.Background()
	home, third := newPseudonymWorld(t, "Home", true), newPseudonymWorld(t, "Third", false)
	third.org("s")
	td, ts := link(t, third.world, home.world, "s")
	home.blind("a", 1)
	home.blind("b", 2)
	wire := &pseudonymWire{home: home, link: ts}
	first := func(a *pseudonymAnswer) *json.RawMessage { return &a.Entries[home.where.ID][0] }
	for _, c := range []struct {
		why string
		lie func(*pseudonymAnswer)
	}{
		{"a changed byte", func(a *pseudonymAnswer) { *first(a) = bytes.Replace(*first(a), []byte(`"at":`), []byte(`"at":1`), 1) }},
		{"the first left out", func(a *pseudonymAnswer) { a.Entries[home.where.ID] = a.Entries[home.where.ID][1:] }},
		{"the first twice", func(a *pseudonymAnswer) {
			a.Entries[home.where.ID] = append([]json.RawMessage{*first(a)}, a.Entries[home.where.ID]...)
		}},
		{"another community", func(a *pseudonymAnswer) { a.Entries["x"] = a.Entries[home.where.ID] }},
		{"answers to nothing asked", func(a *pseudonymAnswer) { a.Granted = []pseudonymGranted{{}} }},
		{"no JSON of an entry", func(a *pseudonymAnswer) { *first(a) = json.RawMessage(`{"n":1}`) }},
	} {
		wire.lie = c.lie
		if err := third.book.Sync(ctx, td, wire); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: %v", c.why, err)
		}
		if n, _ := countEntries(third.read(ctx), home.where.ID); n != 0 {
			t.Fatalf("%s: %d entries were stored", c.why, n)
		}
	}
	wire.lie = nil
	must(t, third.book.Sync(ctx, td, wire))
	if n, _ := countEntries(third.read(ctx), home.where.ID); n != 2 {
		t.Errorf("%d entries of 2", n)
	}
}

// TestPseudonymPeerRefused: a member has nobody else's key certified, nothing outside its link, and no steward's right
// that it has not.
func TestPseudonymPeerRefused(t *testing.T) {
	ctx := context.Background()
	home, third := newPseudonymWorld(t, "Home", true), newPseudonymWorld(t, "Third", false)
	third.org("s")
	_, ts := link(t, third.world, home.world, "s")
	o, _ := home.blind("a", 1)
	k, other := must2(seal.GenerateSigningKey(home.o.Rand))(t), must2(seal.GenerateSigningKey(home.o.Rand))(t)
	ask := func(a pseudonymAsk) (pseudonymAnswer, error) {
		out, err := home.book.answer(ctx, ts, nil, marshal(t, a))
		if err != nil {
			return pseudonymAnswer{}, err
		}
		return out.(pseudonymAnswer), nil
	}
	c := home.where.ID
	for why, want := range map[string]pseudonymCertify{
		"no proof":              {c, k.Public(), nil},
		"another's proof":       {c, k.Public(), seal.PseudonymProof(other, string(c))},
		"for another community": {c, k.Public(), seal.PseudonymProof(k, "x")},
		"of no link":            {"x", k.Public(), seal.PseudonymProof(k, "x")},
	} {
		if _, err := ask(pseudonymAsk{Certify: []pseudonymCertify{want}}); err == nil {
			t.Errorf("%s: certified", why)
		}
	}
	good := pseudonymAsk{Certify: []pseudonymCertify{{c, k.Public(), seal.PseudonymProof(k, string(c))}}}
	for range 2 { // the answer may have been lost
		if _, err := ask(good); err != nil {
			t.Fatal(err)
		}
	}
	for _, act := range []seal.PseudonymAct{seal.PseudonymOpened, seal.PseudonymStopped, "named"} {
		got, err := ask(pseudonymAsk{Wishes: []pseudonymWish{{c, signerOf(t, o), act, "because I want to"}}})
		must(t, err)
		if len(got.Granted) != 1 || got.Granted[0].Refused == "" || got.Granted[0].Box != nil {
			t.Errorf("%s by a member that is no steward: %+v", act, got.Granted)
		}
	}
	if n, _ := countEntries(home.read(ctx), c); n != 2 {
		t.Errorf("%d entries, want two certificates", n)
	}
	for _, bad := range []string{"", "[]", `{"have":1}`} {
		if _, err := home.book.answer(ctx, ts, nil, []byte(bad)); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestPseudonymBound: a member has so many pseudonyms in a community, and no more.
func TestPseudonymBound(t *testing.T) {
	ctx := context.Background()
	w := newPseudonymWorld(t, "Home", true)
	slot, err := w.book.pseudonymSlot(ctx, w.orgs["a"].ID, w.where.ID)
	must(t, err)
	must(t, w.o.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO pseudonym_count (slot, n) VALUES (?, ?)`, slot, maxPseudonyms)
		return err
	}))
	_, err = w.Sign(ctx, w.orgs["a"].ID, w.where, mustParse(t, object(1, 0, "blind", w.where.Blind)))
	if polder.KindOf(err) != polder.Limited {
		t.Errorf("one more than %d: %v", maxPseudonyms, err)
	}
}
