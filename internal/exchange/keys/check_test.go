package keys

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// TestSignedWhenShared: what an organisation creates bears its signature in the journal, on every way in but the one that
// keeps the bytes; what is others' or nobody's stays as it is.
func TestSignedWhenShared(t *testing.T) {
	w := newWorld(t, "Node")
	a := w.orgs["a"].ID
	w.put("a", exchange.Request{}, object(1, 1, "mine", a), object(2, 1, "nobody's", ""), object(3, 1, "a stranger's", "identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11"))
	w.put("a", exchange.Request{Bytes: true, Partial: true}, object(4, 1, "over TAXII", a))
	for n, want := range map[int]exchange.SignatureState{1: exchange.SignatureValid, 2: exchange.SignatureNone, 3: exchange.SignatureNone, 4: exchange.SignatureMissing} {
		o, _ := w.stored(n)
		found := w.check(o, 0)
		if found.State != want {
			t.Errorf("object %d: %+v, want %s", n, found, want)
		}
		if signed := strings.Contains(o.Text(), stix.SignatureExtension); signed != (want == exchange.SignatureValid) {
			t.Errorf("object %d is %s", n, o.Text())
		}
	}
	// Kept apart: the bytes that came over TAXII are the bytes that are stored.
	if o, _ := w.stored(4); o.Text() != string(object(4, 1, "over TAXII", a)) {
		t.Errorf("over TAXII: %s", o.Text())
	}
	// Without the signature, the bytes are those that came.
	o, _ := w.stored(1)
	if before, _, _ := strings.Cut(o.Text(), `,"extensions"`); before+"}" != string(object(1, 1, "mine", a)) {
		t.Errorf("signed: %s", o.Text())
	}
}

// TestSignedAgainIsADuplicate: sharing what one shared already, with its signature or without, changes nothing (X16).
func TestSignedAgainIsADuplicate(t *testing.T) {
	w := newWorld(t, "Node")
	a := w.orgs["a"].ID
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		content := rapid.StringMatching(`[a-zA-Z0-9 .:/<>é]{1,40}`).Draw(rt, "name")
		raw := object(n, 1, content, a)
		if got := w.put("a", exchange.Request{}, raw); got.Stored != 1 {
			rt.Fatalf("first: %+v", got)
		}
		held, seq := w.stored(n)
		for why, again := range map[string][]byte{"unsigned": raw, "signed": held.Raw(), "with white space": bytes.Replace(raw, []byte(`,"name"`), []byte(` , "name"`), 1)} {
			if got := w.put("a", exchange.Request{}, again); got.Stored != 0 || got.Duplicates != 1 {
				rt.Fatalf("%s again: %+v", why, got)
			}
		}
		if o, at := w.stored(n); at != seq || o.Text() != held.Text() || w.check(o, at).State != exchange.SignatureValid {
			rt.Fatalf("now: %s", o.Text())
		}
	})
	// The same holds for what Polder makes, whose times are those of the making: signed, it is still the same substance.
	made := exchange.Request{Named: true, Level: stix.Green}
	raw := object(9001, 1, "made", "")
	for i, want := range []int{1, 0} {
		r := made
		r.Community, r.Objects = w.where.Alias, []exchange.Incoming{{Raw: raw, Made: true}}
		got, err := w.x.Share(context.Background(), w.as("a"), r)
		if err != nil || got.Stored != want {
			t.Fatalf("share %d of what is made: %+v, %v", i+1, got, err)
		}
	}
	if o, at := w.stored(9001); w.check(o, at).State != exchange.SignatureValid || o.CreatedByRef != string(a) {
		t.Errorf("made: %s", o.Text())
	}
}

// TestS9Signatures, version hijack: another creator's newer version, other content under the same version and
// revocation by another bear no signature that counts, and the first signer of an id is the only one.
func TestS9Signatures(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a, b := w.orgs["a"].ID, w.orgs["b"].ID
	w.put("a", exchange.Request{}, object(1, 1, "mine", a))
	mine, at := w.stored(1)
	theirs := w.sign("b", object(1, 2, "taken over", b))
	if found := w.check(theirs, at+1); found.State != exchange.SignatureWrong || !strings.Contains(found.Reason, "first signed by another") || strings.Contains(found.Reason, string(a)) {
		t.Errorf("another signer of a bound id: %+v", found)
	}
	unsigned, _ := stix.Parse(object(1, 2, "taken over", "identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11"))
	if found := w.check(unsigned, at+1); found.State != exchange.SignatureWrong {
		t.Errorf("a stranger's version of a bound id: %+v", found)
	}
	stripped, _ := stix.Parse(object(1, 2, "in its name", a))
	if found := w.check(stripped, at+1); found.State != exchange.SignatureMissing {
		t.Errorf("in the name of its signer, unsigned: %+v", found)
	}
	moved, err := stix.Parse([]byte(strings.Replace(mine.Text(), "00:00:01.000Z", "00:00:02.000Z", 1)))
	must(t, err)
	if found := w.check(moved, at+1); found.State != exchange.SignatureWrong || !strings.Contains(found.Reason, "does not fit") {
		t.Errorf("another time under the same signature: %+v", found)
	}
	revoked, err := stix.Parse([]byte(strings.Replace(mine.Text(), `"pattern_type"`, `"revoked":true,"pattern_type"`, 1)))
	must(t, err)
	if found := w.check(revoked, at+1); found.State != exchange.SignatureWrong {
		t.Errorf("revoked under the same signature: %+v", found)
	}
	// At the door such an object is refused with its reason, and the original is still served.
	res, err := w.x.Share(ctx, w.as("b"), exchange.Request{Community: w.where.Alias, Objects: []exchange.Incoming{{Raw: moved.Raw()}}})
	if err != nil || len(res.Refused) != 1 || !strings.Contains(res.Refused[0].Error, "signature: its signature does not fit") {
		t.Errorf("shared: %+v, %v", res, err)
	}
	if o, _ := w.stored(1); o.Text() != mine.Text() {
		t.Errorf("now %s", o.Text())
	}
	// In another community the id is free: nothing there tells of what is held here.
	other, err := w.acc.AddCommunity(ctx, accounts.Local(), "Other", stix.None)
	must(t, err)
	if found, err := w.Check(ctx, other.ID, theirs, 0); err != nil || found.State != exchange.SignatureValid {
		t.Errorf("elsewhere: %+v, %v", found, err)
	}
}

// TestS24AnyByte: a byte changed anywhere in a signed object, the signature included, is never taken for the original.
func TestS24AnyByte(t *testing.T) {
	w := newWorld(t, "Node")
	o := w.sign("a", object(1, 1, "any byte", w.orgs["a"].ID))
	raw := o.Raw()
	form, err := o.SignedBytes()
	must(t, err)
	taken := 0
	for i := range raw {
		for _, flip := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
			bad := bytes.Clone(raw)
			bad[i] ^= flip
			changed, err := stix.Parse(bad)
			if err != nil {
				continue // refused at the door
			}
			taken++
			found := w.check(changed, 0)
			if found.State == exchange.SignatureValid || found.State == exchange.SignatureEarlier {
				t.Fatalf("byte %d changed by %#x is %+v:\n%s", i, flip, found, bad)
			}
			// What loses its creator or its signature as a whole is unsigned, not forged: it claims nothing.
			if again, _ := changed.SignedBytes(); bytes.Equal(again, form) && found.State == exchange.SignatureNone {
				t.Fatalf("byte %d changed by %#x hides the signature of the same object:\n%s", i, flip, bad)
			}
		}
	}
	if taken < len(raw) {
		t.Errorf("only %d of %d changes were objects at all", taken, 8*len(raw))
	}
}

// TestS24WrongKeys: whatever a signature says of itself, it counts by the keys of the creator alone.
func TestS24WrongKeys(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a, b := w.orgs["a"].ID, w.orgs["b"].ID
	ka, err := w.signing(ctx, a)
	must(t, err)
	kb, err := w.signing(ctx, b)
	must(t, err)
	plain, err := stix.Parse(object(1, 1, "x", a))
	must(t, err)
	form, err := plain.SignedBytes()
	must(t, err)
	good := ka.Sign(seal.DomainObject, form)
	keyA, keyB := string(ka.Public().ID()), string(kb.Public().ID())
	stranger := seal.NewSigningKey([32]byte{42})
	for _, c := range []struct {
		why   string
		sig   stix.Signature
		state exchange.SignatureState
	}{
		{"as it should be", stix.Signature{Signer: string(a), Key: keyA, Value: good}, exchange.SignatureValid},
		{"the key of another organisation, in its name", stix.Signature{Signer: string(b), Key: keyB, Value: kb.Sign(seal.DomainObject, form)}, exchange.SignatureWrong},
		{"the key of another organisation, in the creator's name", stix.Signature{Signer: string(a), Key: keyB, Value: kb.Sign(seal.DomainObject, form)}, exchange.SignatureUnknown},
		{"another's signature under the creator's key", stix.Signature{Signer: string(a), Key: keyA, Value: kb.Sign(seal.DomainObject, form)}, exchange.SignatureWrong},
		{"a key that nobody knows", stix.Signature{Signer: string(a), Key: string(stranger.Public().ID()), Value: stranger.Sign(seal.DomainObject, form)}, exchange.SignatureUnknown},
		{"made for another purpose", stix.Signature{Signer: string(a), Key: keyA, Value: ka.Sign(seal.DomainStatement, form)}, exchange.SignatureWrong},
		{"a node's message", stix.Signature{Signer: string(a), Key: keyA, Value: ka.Sign("", form)}, exchange.SignatureWrong},
		{"cut", stix.Signature{Signer: string(a), Key: keyA, Value: good[:32]}, exchange.SignatureWrong},
		{"zeroes", stix.Signature{Signer: string(a), Key: keyA, Value: make([]byte, 64)}, exchange.SignatureWrong},
		{"the id of the key in capitals", stix.Signature{Signer: string(a), Key: strings.ToUpper(keyA) + "", Value: good}, exchange.SignatureUnknown},
		{"the signer in capitals", stix.Signature{Signer: "identity--" + strings.ToUpper(string(a)[10:]), Key: keyA, Value: good}, exchange.SignatureWrong},
		{"a signer that is no identity", stix.Signature{Signer: "acme", Key: keyA, Value: good}, exchange.SignatureWrong},
	} {
		o, err := plain.WithSignature(c.sig)
		must(t, err)
		if c.why == "the id of the key in capitals" && strings.ToUpper(keyA) == keyA {
			continue // it has no letters
		}
		if found := w.check(o, 0); found.State != c.state || (found.Reason == "") != (c.state == exchange.SignatureValid) {
			t.Errorf("%s: %+v, want %s", c.why, found, c.state)
		}
	}
	// No algorithm can be named, and an empty signature is none.
	for why, member := range map[string]string{
		"alg none": `,"alg":"none"`, "alg HS256": `,"alg":"HS256"`,
	} {
		raw := strings.Replace(string(object(1, 1, "x", a)), `,"object_marking_refs"`, fmt.Sprintf(`,"extensions":{%q:{"extension_type":"property-extension","signer":%q,"key":%q,"signature":%q%s}},"object_marking_refs"`,
			stix.SignatureExtension, a, keyA, base64.RawURLEncoding.EncodeToString(good), member), 1)
		o, err := stix.Parse([]byte(raw))
		must(t, err)
		if found := w.check(o, 0); found.State != exchange.SignatureWrong {
			t.Errorf("%s: %+v", why, found)
		}
	}
}

// TestS26Rotation: old and new keys are valid in the overlap; after it, and from a revocation on, the old one is not; what
// came before stays. Order decides, so that time moved back revives no key.
func TestS26Rotation(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	w.put("a", exchange.Request{}, object(1, 1, "before", a))
	first, atFirst := w.stored(1)
	old, err := w.signing(ctx, a)
	must(t, err)
	byOld := func(n int) stix.Object {
		o, err := stix.Parse(object(n, 1, "by the old key", a))
		must(t, err)
		form, err := o.SignedBytes()
		must(t, err)
		o, err = o.WithSignature(stix.Signature{Signer: string(a), Key: string(old.Public().ID()), Value: old.Sign(seal.DomainObject, form)})
		must(t, err)
		return o
	}
	_, err = w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRotate})
	must(t, err)
	rotated := w.pass(0)
	late := byOld(2)
	for _, c := range []struct {
		why   string
		after time.Duration
		state exchange.SignatureState
	}{
		{"at once", time.Minute, exchange.SignatureValid},
		{"in the overlap", 6*24*time.Hour + 23*time.Hour, exchange.SignatureValid},
		{"after it", 7*24*time.Hour + time.Minute, exchange.SignatureWrong},
	} {
		if found := w.check(late, polder.SeqAt(rotated.Add(c.after))); found.State != c.state {
			t.Errorf("the old key, %s: %+v", c.why, found)
		}
		w.mu.Lock()
		w.now = rotated.Add(c.after)
		w.mu.Unlock()
		if found := w.check(late, 0); found.State != c.state {
			t.Errorf("the old key, %s, now: %+v", c.why, found)
		}
	}
	if found := w.check(first, atFirst); found.State != exchange.SignatureValid {
		t.Errorf("what was signed before: %+v", found)
	}
	fresh := w.sign("a", object(3, 1, "by the new key", a))
	if found := w.check(fresh, 0); found.State != exchange.SignatureValid {
		t.Errorf("the new key: %+v", found)
	}
	w.put("a", exchange.Request{}, object(4, 1, "by the new key, shared", a))
	_, atFresh := w.stored(4)

	_, err = w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRevoke})
	must(t, err)
	for _, c := range []struct {
		why   string
		o     stix.Object
		at    polder.Seq
		state exchange.SignatureState
	}{
		{"signed and numbered before", fresh, atFresh, exchange.SignatureEarlier},
		{"the first one", first, atFirst, exchange.SignatureEarlier},
		{"brought now", fresh, 0, exchange.SignatureWrong},
		{"numbered later", fresh, atFresh + 1_000_000_000, exchange.SignatureWrong},
	} {
		if found := w.check(c.o, c.at); found.State != c.state {
			t.Errorf("after the revocation, %s: %+v", c.why, found)
		}
	}
	// The clock goes back to before all of it: what is revoked stays revoked, since the order decides.
	w.mu.Lock()
	w.now = rotated.AddDate(-1, 0, 0)
	w.mu.Unlock()
	if found := w.check(fresh, 0); found.State != exchange.SignatureWrong {
		t.Errorf("a year back: %+v", found)
	}
	if found := w.check(w.sign("a", object(5, 1, "by the newest", a)), 0); found.State != exchange.SignatureValid {
		t.Errorf("the key in force, a year back: %+v", found)
	}
	res, err := w.x.Share(ctx, w.as("b"), exchange.Request{Community: w.where.Alias, Objects: []exchange.Incoming{{Raw: byOld(6).Raw()}}})
	if err != nil || len(res.Refused) != 1 || !strings.Contains(res.Refused[0].Error, "was revoked on") {
		t.Errorf("shared with a revoked key: %+v, %v", res, err)
	}
}

// TestS26NotAlone: who stole a key and rotates it does not keep it from its owner, and leaves an entry that is never
// taken out.
func TestS26NotAlone(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	recovery, err := w.NewRecovery()
	must(t, err)
	_, err = w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRecovery, Fresh: recovery})
	must(t, err)
	stolen, err := w.signing(ctx, a)
	must(t, err)
	chain, err := w.Chain(ctx, a)
	must(t, err)
	known, err := extend(seal.Chain{}, chain)
	must(t, err)
	thief := seal.NewSigningKey([32]byte{66})
	taken, err := known.Say(seal.NewStatement{Act: seal.KeyRotate, Now: w.clock(), By: stolen, Fresh: thief})
	must(t, err)
	must(t, w.Learn(ctx, a, rawChain(taken)))
	// The owner's node notices at once that somebody else speaks for it, and says what to do.
	if _, err := w.Sign(ctx, a, w.where, mustParse(t, object(1, 1, "x", a))); polder.KindOf(err) != polder.Unavailable || !strings.Contains(err.Error(), "polder keys revoke --recovery") {
		t.Errorf("signing: %v", err)
	}
	if _, err := w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRotate}); err == nil {
		t.Error("rotated without a key")
	}
	next, err := w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRevoke, Recovery: &recovery})
	must(t, err)
	if k, ok := next.Key(thief.Public().ID()); !ok || k.Revoked == 0 {
		t.Errorf("the thief's key: %+v", k)
	}
	if found := w.check(w.sign("a", object(1, 1, "x", a)), 0); found.State != exchange.SignatureValid {
		t.Errorf("taken back: %+v", found)
	}
	wrong := seal.NewSigningKey([32]byte{67})
	if _, err := w.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRevoke, Recovery: &wrong}); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("another recovery key: %v", err)
	}
}

func mustParse(t testing.TB, raw []byte) stix.Object {
	t.Helper()
	o, err := stix.Parse(raw)
	must(t, err)
	return o
}

// TestNotSigned: what says by itself what it is, and what is everybody's, is not signed; nor is what bears a blind
// identity while there are no pseudonyms.
func TestNotSigned(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	blind, err := w.acc.BlindObject(ctx, w.where.ID)
	must(t, err)
	own, err := w.acc.IdentityObject(ctx, a)
	must(t, err)
	for _, c := range []struct {
		why    string
		raw    []byte
		signed bool
	}{
		{"an observable", []byte(`{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"198.51.100.3"}`), false},
		{"a definition of TLP", stix.Definition(stix.Green), false},
		{"a definition of an extension", fmt.Appendf(nil, `{"type":"extension-definition","spec_version":"2.1","id":"extension-definition--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11","created_by_ref":%q,"created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","name":"x","schema":"x","version":"1.0","extension_types":["property-extension"]}`, a), false},
		{"the blind identity", blind, false},
		{"what a member made", object(1, 1, "x", w.where.Blind), false},
		{"another's", object(1, 1, "x", w.orgs["b"].ID), false},
		{"the identity of who shares", own, true},
		{"what names it as creator", object(1, 1, "x", a), true},
	} {
		o := mustParse(t, c.raw)
		got, err := w.Sign(ctx, a, w.where, o)
		must(t, err)
		if _, ok, _ := got.Signature(); ok != c.signed {
			t.Errorf("%s: signed %v", c.why, ok)
		}
		if !c.signed && got.Text() != o.Text() {
			t.Errorf("%s: %s", c.why, got.Text())
		}
		if found := w.check(got, 0); c.why != "another's" && !found.State.Accepted() {
			t.Errorf("%s: %+v", c.why, found)
		}
	}
	// Signing again what is signed changes nothing.
	once := w.sign("a", object(1, 1, "x", a))
	if again := w.sign("a", once.Raw()); again.Text() != once.Text() {
		t.Error("signed twice")
	}
}

// TestBeforeThereWereKeys: what was stored before its creator had a key is no forgery.
func TestBeforeThereWereKeys(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	w.put("a", exchange.Request{Bytes: true, Partial: true}, object(1, 1, "from an older version", a))
	o, at := w.stored(1)
	if found := w.check(o, at); found.State != exchange.SignatureNone {
		t.Errorf("without any key: %+v", found)
	}
	_, err := w.KeyOf(ctx, a)
	must(t, err)
	if found := w.check(o, at); found.State != exchange.SignatureNone || !strings.Contains(found.Reason, "before its creator had a key") {
		t.Errorf("afterwards: %+v", found)
	}
	if found := w.check(o, at+polder.Seq(time.Hour.Microseconds())); found.State != exchange.SignatureMissing {
		t.Errorf("if it came later: %+v", found)
	}
}

// TestSignNode: a node signs messages of its own, and nothing that could be taken for an object or a statement.
func TestSignNode(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	id, key, err := w.Node(ctx)
	must(t, err)
	sig, err := w.SignNode(ctx, []byte("polder session 1\nx"))
	must(t, err)
	if !seal.VerifyKey(key).Verify("polder session 1\n", []byte("x"), sig) {
		t.Error("does not fit")
	}
	if again, _, _ := w.Node(ctx); again != id || !stix.ValidID(string(id)) {
		t.Errorf("the node is %s, then %s", id, again)
	}
	if _, err := w.SignNode(ctx, []byte(string(seal.DomainObject)+"{}")); polder.KindOf(err) != polder.Invalid {
		t.Errorf("an object as a message: %v", err)
	}
	if _, err := w.KeyOf(ctx, "identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11"); polder.KindOf(err) != polder.NotFound {
		t.Errorf("a stranger's key: %v", err)
	}
}

// TestAnotherProcess: what a command changes while the node serves holds from the next request, and a revoked key signs
// nothing more.
func TestAnotherProcess(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	before := w.sign("a", object(1, 1, "x", a))
	command := New(Options{DB: w.o.DB, Audit: w.audit, Accounts: w.acc, Now: w.clock})
	_, err := command.Change(ctx, accounts.Local(), a, Change{Act: seal.KeyRevoke})
	must(t, err)
	if found := w.check(before, 0); found.State != exchange.SignatureWrong {
		t.Errorf("the revoked key: %+v", found)
	}
	after := w.sign("a", object(1, 1, "x", a))
	if found := w.check(after, 0); found.State != exchange.SignatureValid || after.Text() == before.Text() {
		t.Errorf("the new key: %+v", found)
	}
}

// TestKeysStayInside: no private key and no recovery key is in the audit, and those that sign no more are gone.
func TestKeysStayInside(t *testing.T) {
	w := newWorld(t, "Node")
	ctx := context.Background()
	a := w.orgs["a"].ID
	recovery, err := w.NewRecovery()
	must(t, err)
	for _, c := range []Change{{Act: seal.KeyRotate}, {Act: seal.KeyRecovery, Fresh: recovery}, {Act: seal.KeyRevoke}} {
		_, err := w.Change(ctx, accounts.Local(), a, c)
		must(t, err)
	}
	n := 0
	must(t, w.o.DB.Read().QueryRow(`SELECT count(*) FROM keys_own WHERE owner = ? AND use = 'sign'`, a).Scan(&n))
	if n != 1 {
		t.Errorf("%d private keys that sign are kept, want 1", n)
	}
	open, err := w.OpenKeys(ctx, a)
	must(t, err)
	if to, err := w.SealKey(ctx, a); err != nil || len(open) != 2 || open[0].Public() != to && open[1].Public() != to {
		t.Errorf("%d keys that open, %v", len(open), err)
	}
	seed := recovery.Seed()
	var found int
	must(t, w.o.DB.Read().QueryRow(`SELECT count(*) FROM keys_own WHERE seed = ?`, seed[:]).Scan(&found))
	if found != 0 {
		t.Error("the recovery key is stored")
	}
	must(t, w.o.DB.Write(ctx, func(tx *db.Tx) error { return w.Bind(tx, w.where.ID, "x", exchange.Signature{}) }))
}

// TestPseudonymOfElsewhere: what bears a pseudonym of a community that lives elsewhere passes a TAXII hop as it is; nobody
// vouches for it, and nobody can sign so in the name of who is known here.
func TestPseudonymOfElsewhere(t *testing.T) {
	w := newWorld(t, "Node")
	a := w.orgs["a"].ID
	key := seal.NewSigningKey([32]byte{43})
	sig := stix.Signature{Signer: seal.PseudonymID(key.Public()), Key: string(key.Public().ID()), Value: make([]byte, 64)}
	_, err := w.signing(t.Context(), a)
	must(t, err)
	for _, c := range []struct {
		creator polder.OrgID
		state   exchange.SignatureState
		why     string
	}{
		{"identity--7d3c1f5e-0b7a-4f0e-9a51-2f6c8d0e4b19", exchange.SignatureNone, "the blind identity of a community that nobody here knows"},
		{a, exchange.SignatureWrong, "an organisation that signs by itself"},
		{"", exchange.SignatureWrong, "an object that names nobody"},
	} {
		o, err := stix.Parse(object(1, 1, "x", c.creator))
		must(t, err)
		o, err = o.WithSignature(sig)
		must(t, err)
		if found := w.check(o, 0); found.State != c.state || found.Reason == "" {
			t.Errorf("%s: %+v, want %s", c.why, found, c.state)
		}
	}
}
