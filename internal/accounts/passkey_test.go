package accounts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// device is an authenticator in software, which a test can spoil.
type device struct {
	t       testing.TB
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte
	counter uint32

	flags     byte   // of the next answer; present and verified
	origin    string // that the browser claims to be at
	rp        string // whose key it is
	kind      string // of the client data; empty: as it should be
	challenge string // empty: the one asked
	sign      func([]byte) []byte
}

const (
	userPresent  = 0x01
	userVerified = 0x04
	withKey      = 0x40
)

func newDevice(t testing.TB) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	d := &device{t: t, key: key, id: make([]byte, 32), flags: userPresent | userVerified, origin: "https://polder.example", rp: "polder.example"}
	_, _ = rand.Read(d.id)
	d.sign = func(data []byte) []byte {
		sum := sha256.Sum256(data)
		s, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
		ok(t, err)
		return s
	}
	return d
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (d *device) client(kind string, question []byte) []byte {
	var q struct{ PublicKey struct{ Challenge string } }
	ok(d.t, json.Unmarshal(question, &q))
	if d.challenge != "" {
		q.PublicKey.Challenge = d.challenge
	}
	if d.kind != "" {
		kind = d.kind
	}
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": q.PublicKey.Challenge, "origin": d.origin, "crossOrigin": false})
	ok(d.t, err)
	return text
}

func (d *device) data(flags byte) []byte {
	rp := sha256.Sum256([]byte(d.rp))
	return binary.BigEndian.AppendUint32(append(rp[:], flags), d.counter)
}

// make answers a question for a new passkey.
func (d *device) make(question []byte) []byte {
	var q struct {
		PublicKey struct {
			User                   struct{ ID string }
			AuthenticatorSelection struct{ UserVerification, ResidentKey string }
		}
	}
	ok(d.t, json.Unmarshal(question, &q))
	if s := q.PublicKey.AuthenticatorSelection; s.UserVerification != "required" || s.ResidentKey != "required" {
		d.t.Errorf("the question asks for %+v", s)
	}
	d.handle, _ = base64.RawURLEncoding.DecodeString(q.PublicKey.User.ID)
	point, err := d.key.PublicKey.Bytes()
	ok(d.t, err)
	data := append(d.data(d.flags|withKey), make([]byte, 16)...)
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(d.id))), d.id...)
	data = append(append(data, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32), point[1:33]...)
	data = append(append(data, 0x22, 0x58, 32), point[33:]...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59"), byte(len(data)>>8), byte(len(data)))
	return d.answer(map[string]string{"attestationObject": base64url(append(object, data...)), "clientDataJSON": base64url(d.client("webauthn.create", question))})
}

// show answers a question for a passkey.
func (d *device) show(question []byte) []byte {
	d.counter++
	return d.showAgain(question)
}

func (d *device) showAgain(question []byte) []byte {
	client, data := d.client("webauthn.get", question), d.data(d.flags)
	sum := sha256.Sum256(client)
	return d.answer(map[string]string{"clientDataJSON": base64url(client), "authenticatorData": base64url(data), "userHandle": base64url(d.handle),
		"signature": base64url(d.sign(append(bytes.Clone(data), sum[:]...)))})
}

func (d *device) answer(response map[string]string) []byte {
	text, err := json.Marshal(map[string]any{"id": base64url(d.id), "rawId": base64url(d.id), "type": "public-key", "response": response})
	ok(d.t, err)
	return text
}

// keyed is a house where the reader has a passkey.
type keyed struct {
	*house
	*Passkeys
	d    *device
	here Session
}

func newKeyed(t testing.TB) *keyed {
	t.Helper()
	k := &keyed{house: newHouse(t), d: newDevice(t)}
	k.offer()
	_, k.here = k.in(k.read)
	k.add(k.d, k.read, k.here.ID)
	return k
}

func (k *keyed) offer() {
	k.t.Helper()
	var err error
	k.Passkeys, err = k.Service.Passkeys("https://polder.example")
	ok(k.t, err)
}

func (k *keyed) add(d *device, a account, here SessionID) Passkey {
	k.t.Helper()
	key, question, err := k.BeginAdd(ctx, a.actor, Proof{Password: a.password, Session: here}, home)
	ok(k.t, err)
	p, err := k.Add(ctx, a.actor, key, "blue key", d.make(question), here)
	ok(k.t, err)
	return p
}

// enter logs in by the device, from an address.
func (k *keyed) enter(from string) (string, Session, error) {
	k.t.Helper()
	key, question, err := k.BeginLogIn(netip.MustParseAddr(from))
	ok(k.t, err)
	return k.Passkeys.LogIn(ctx, key, k.d.show(question), netip.MustParseAddr(from), "Firefox")
}

// TestPasskey: a passkey logs its person in without name and password, session rules as ever; what the authenticator
// keeps says nothing of who it is.
func TestPasskey(t *testing.T) {
	k := newKeyed(t)
	cookie, ses, err := k.enter("192.0.2.7")
	ok(t, err)
	who, got, err := k.Session(ctx, cookie)
	if err != nil || who.Person != k.read.ID || ses.Person != k.read.ID || got.Way != ByPasskey || got.MustChange {
		t.Errorf("the passkey logs in %v, %+v: %v", who, got, err)
	}
	if bytes.Contains(k.d.handle, []byte(k.read.ID)) || len(k.d.handle) < 16 {
		t.Errorf("the handle is %x", k.d.handle)
	}
	all, err := k.Of(ctx, k.read.ID)
	if err != nil || len(all) != 1 || all[0].Name != "blue key" || all[0].Used.IsZero() {
		t.Errorf("kept are %+v: %v", all, err)
	}
	for address, want := range map[string]bool{
		"https://polder.example": true, "https://polder.example:8443/": true, "http://localhost:8080": true, "http://polder.example": false,
		"https://192.0.2.1": false, "https://[2001:db8::1]": false, "http://127.0.0.1:8080": false, "": false, "https://polder": false,
	} {
		if _, err := k.Service.Passkeys(address); (err == nil) != want {
			t.Errorf("passkeys at %q: %v", address, err)
		}
	}
}

// TestPasskeyRefused: an answer that is wrong in one thing logs nobody in and says always the same; put right, it does.
func TestPasskeyRefused(t *testing.T) {
	k := newKeyed(t)
	good := *k.d
	other := newDevice(t)
	for n, c := range []struct {
		why   string
		spoil func(d *device)
	}{
		{"the device did not verify the person", func(d *device) { d.flags = userPresent }},
		{"nobody was there", func(d *device) { d.flags = userVerified }},
		{"another origin", func(d *device) { d.origin = "https://polder.example.evil" }},
		{"without TLS", func(d *device) { d.origin = "http://polder.example" }},
		{"another site's key", func(d *device) { d.rp = "evil.example" }},
		{"another question", func(d *device) { d.challenge = base64url(make([]byte, 32)) }},
		{"an answer of another kind", func(d *device) { d.kind = "webauthn.create" }},
		{"another's signature", func(d *device) { d.sign = other.sign }},
		{"no signature", func(d *device) { d.sign = func([]byte) []byte { return nil } }},
		{"a passkey of nobody", func(d *device) { d.id = other.id }},
		{"another's handle", func(d *device) { d.handle = make([]byte, 32) }},
		{"no handle", func(d *device) { d.handle = nil }},
	} {
		k.pass(time.Hour) // the account's allowance is not what this test is about
		spoiled := good
		spoiled.counter = k.d.counter
		c.spoil(&spoiled)
		k.d = &spoiled
		from := apart(n)
		if cookie, _, err := k.enter(from); !errors.Is(err, ErrPasskey) || cookie != "" {
			t.Errorf("%s: %v", c.why, err)
		}
		counter := spoiled.counter
		again := good
		again.counter = counter
		k.d = &again
		if _, _, err := k.enter(from); err != nil {
			t.Errorf("%s: put right: %v", c.why, err)
		}
	}
	for _, answer := range []string{"", "{}", "null", "[]", `{"id":"x"}`, strings.Repeat("[", 10_000), strings.Repeat("a", 100_000)} {
		key, _, err := k.BeginLogIn(netip.MustParseAddr("203.0.113.77"))
		ok(t, err)
		if _, _, err := k.Passkeys.LogIn(ctx, key, []byte(answer), home, ""); !errors.Is(err, ErrPasskey) {
			t.Errorf("answer %.20q: %v", answer, err)
		}
	}
}

// TestPasskeyOnce: a question is answered once, in its time, and for what it was asked.
func TestPasskeyOnce(t *testing.T) {
	k := newKeyed(t)
	key, question, err := k.BeginLogIn(home)
	ok(t, err)
	answer := k.d.show(question)
	_, _, err = k.Passkeys.LogIn(ctx, key, answer, home, "")
	ok(t, err)
	if _, _, err := k.Passkeys.LogIn(ctx, key, answer, home, ""); !errors.Is(err, ErrFlow) {
		t.Errorf("the same answer again: %v", err)
	}
	key, question, err = k.BeginLogIn(home)
	ok(t, err)
	k.pass(ceremonyLife)
	if _, _, err := k.Passkeys.LogIn(ctx, key, k.d.show(question), home, ""); !errors.Is(err, ErrFlow) {
		t.Errorf("after its time: %v", err)
	}
	key, question, err = k.BeginProof(ctx, k.read.actor, k.here.ID, home)
	ok(t, err)
	if _, _, err := k.Passkeys.LogIn(ctx, key, k.d.show(question), home, ""); !errors.Is(err, ErrFlow) {
		t.Errorf("a proof logs in: %v", err)
	}
}

// TestPasskeyCopied: a counter that goes back means a copy; the passkey is good for nothing from then on, what it opened
// ends, and its person reads why.
func TestPasskeyCopied(t *testing.T) {
	k := newKeyed(t)
	cookie, _, err := k.enter("192.0.2.7")
	ok(t, err)
	k.d.counter = 0
	if _, _, err := k.enter("198.51.100.9"); !errors.Is(err, ErrPasskey) {
		t.Fatalf("the copy: %v", err)
	}
	if k.actions()[0] != "passkey.copied" {
		t.Errorf("audited as %s", k.actions()[0])
	}
	if _, _, err := k.Session(ctx, cookie); err == nil {
		t.Error("what the passkey opened goes on")
	}
	k.d.counter = 100
	if _, _, err := k.enter("192.0.2.7"); !errors.Is(err, ErrPasskey) {
		t.Errorf("the copied passkey with a high counter: %v", err)
	}
	all, err := k.Of(ctx, k.read.ID)
	if err != nil || len(all) != 1 || all[0].Cloned.IsZero() {
		t.Errorf("its person reads %+v: %v", all, err)
	}
}

// TestPasskeyDisabled: a passkey of a disabled person gives nothing, and works again when the person is enabled.
func TestPasskeyDisabled(t *testing.T) {
	k := newKeyed(t)
	ok(t, k.Disable(ctx, Local(), k.read.ID))
	if _, _, err := k.enter("192.0.2.7"); !errors.Is(err, ErrPasskey) {
		t.Errorf("disabled: %v", err)
	}
	ok(t, k.Enable(ctx, Local(), k.read.ID))
	_, _, err := k.enter("192.0.2.7")
	ok(t, err)
}

// TestPasskeyProof: how one logs in changes only after a proof, which is the password or a passkey, for one change, in
// one session.
func TestPasskeyProof(t *testing.T) {
	k := newKeyed(t)
	by, here := k.read.actor, k.here.ID
	second := newDevice(t)
	for why, proof := range map[string]Proof{
		"none": {Session: here}, "a wrong password": {Password: "wrong", Session: here}, "a ticket of nobody": {Ticket: strings.Repeat("t", 43), Session: here},
		"another's password": {Password: k.steward.password, Session: here},
	} {
		if _, _, err := k.BeginAdd(ctx, by, proof, home); !errors.Is(err, ErrProof) {
			t.Errorf("add with proof %s: %v", why, err)
		}
	}
	ticket := func() string {
		t.Helper()
		key, question, err := k.BeginProof(ctx, by, here, home)
		ok(t, err)
		text, err := k.Prove(ctx, by, key, k.d.show(question), here, home)
		ok(t, err)
		return text
	}
	text := ticket()
	if _, _, err := k.BeginAdd(ctx, k.steward.actor, Proof{Ticket: text, Session: here}, home); !errors.Is(err, ErrProof) {
		t.Errorf("another's ticket: %v", err)
	}
	if _, _, err := k.BeginAdd(ctx, by, Proof{Ticket: ticket(), Session: "elsewhere"}, home); !errors.Is(err, ErrProof) {
		t.Errorf("a ticket of another session: %v", err)
	}
	old := ticket()
	k.pass(proofLife)
	if _, _, err := k.BeginAdd(ctx, by, Proof{Ticket: old, Session: here}, home); !errors.Is(err, ErrProof) {
		t.Errorf("an old ticket: %v", err)
	}
	text = ticket()
	key, question, err := k.BeginAdd(ctx, by, Proof{Ticket: text, Session: here}, home)
	ok(t, err)
	if _, _, err := k.BeginAdd(ctx, by, Proof{Ticket: text, Session: here}, home); !errors.Is(err, ErrProof) {
		t.Errorf("a ticket twice: %v", err)
	}
	if _, err := k.Add(ctx, k.steward.actor, key, "", second.make(question), here); !errors.Is(err, ErrFlow) {
		t.Errorf("somebody else adds it: %v", err)
	}
	p := k.add(second, k.read, here)
	key, question, err = k.BeginAdd(ctx, k.steward.actor, Proof{Password: k.steward.password}, home)
	ok(t, err)
	_, err = k.Add(ctx, k.steward.actor, key, "", second.make(question), "")
	kind(t, err, polder.Conflict, "a passkey of two people")
	kind(t, k.Rename(ctx, k.steward.actor, p.ID, "mine"), polder.NotFound, "another's passkey is renamed")
	kind(t, k.Remove(ctx, k.steward.actor, p.ID, Proof{Password: k.steward.password}), polder.NotFound, "another's passkey is removed")
	if err := k.Remove(ctx, by, p.ID, Proof{Session: here}); !errors.Is(err, ErrProof) {
		t.Errorf("removed without proof: %v", err)
	}
	ok(t, k.Rename(ctx, by, p.ID, "red key"))
	ok(t, k.Remove(ctx, by, p.ID, Proof{Ticket: ticket(), Session: here}))
}

// TestPasskeyLast: whoever has no password of the own keeps the last other way in; a new password by a steward takes
// every other way in away.
func TestPasskeyLast(t *testing.T) {
	k := newKeyed(t)
	all, err := k.Of(ctx, k.read.ID)
	ok(t, err)
	kind(t, k.Remove(ctx, k.read.actor, all[0].ID, Proof{Password: k.read.password}), polder.Conflict, "the password is not the own yet")
	ok(t, k.ChangePassword(ctx, k.read.actor, k.read.password, "correct horse battery staple", k.here.ID))
	cookie, _, err := k.enter("192.0.2.7")
	ok(t, err)
	ok(t, k.Remove(ctx, k.read.actor, all[0].ID, Proof{Password: "correct horse battery staple"}))
	if _, _, err := k.Session(ctx, cookie); err == nil {
		t.Error("a session of the removed passkey goes on")
	}
	k.read.password = "correct horse battery staple"
	k.add(k.d, k.read, k.here.ID)
	_, err = k.ResetPassword(ctx, k.steward.actor, k.read.ID)
	ok(t, err)
	if _, _, err := k.enter("192.0.2.7"); !errors.Is(err, ErrPasskey) {
		t.Errorf("after a new password: %v", err)
	}
}

// TestPasskeyMost: a person keeps so many passkeys and no more.
func TestPasskeyMost(t *testing.T) {
	k := newKeyed(t)
	ok(t, k.ChangePassword(ctx, k.read.actor, k.read.password, "correct horse battery staple", k.here.ID))
	k.read.password = "correct horse battery staple"
	for range maxPasskeys - 1 {
		k.add(newDevice(t), k.read, k.here.ID)
	}
	_, _, err := k.BeginAdd(ctx, k.read.actor, Proof{Password: k.read.password, Session: k.here.ID}, home)
	kind(t, err, polder.Conflict, "one too many")
}

// TestS8Passkeys: wrong answers are limited per account, per address and over all, across a restart and with the clock
// moved; right ones cost nothing, and the password of the account is not locked with the passkey.
func TestS8Passkeys(t *testing.T) {
	small := Options{LogIn: LogInLimits{
		Account: Allowance{5, time.Minute}, Known: Allowance{4, time.Minute}, Network: Allowance{8, time.Minute}, Node: Allowance{12, time.Minute}}}
	for _, c := range []struct {
		why    string
		want   int
		nobody bool // the passkey is of nobody
		from   func(int) string
		each   func(k *keyed, n int)
	}{
		{"an account, from many networks", 5, false, apart, nil},
		{"a network", 8, true, same, nil},
		{"the node", 12, true, apart, nil},
		{"an account across restarts", 5, false, apart, func(k *keyed, _ int) { k.restart(small); k.offer() }},
		{"an account with the clock a day ahead each time", 5, false, apart, func(k *keyed, _ int) { k.jump(24 * time.Hour) }},
	} {
		k := newKeyed(t)
		k.restart(small)
		k.offer()
		right := *k.d
		for range 20 {
			if _, _, err := k.enter(same(0)); err != nil {
				t.Fatalf("%s: the right one costs: %v", c.why, err)
			}
			k.pass(10 * time.Second) // beginning has a limit of its own
		}
		counter := k.d.counter
		wrong := right
		wrong.origin = "https://evil.example"
		if c.nobody {
			wrong.id = newDevice(t).id
		}
		k.d = &wrong
		n := 0
		for ; n < 100; n++ {
			if _, _, err := k.enter(c.from(n)); polder.KindOf(err) == polder.Limited {
				break
			}
			if c.each != nil {
				c.each(k, n)
			}
		}
		if n != c.want {
			t.Errorf("%s: %d tries, want %d", c.why, n, c.want)
		}
		right.counter = counter
		k.d = &right
		if _, _, err := k.enter(c.from(0)); c.want == 5 && polder.KindOf(err) != polder.Limited {
			t.Errorf("%s: while the limit holds the right one is tried: %v", c.why, err)
		}
		if c.want == 5 {
			_, _, err := k.Service.LogIn(ctx, k.read.Email, k.read.password, netip.MustParseAddr("198.51.200.1"), "")
			ok(t, err)
		}
	}
}

// TestS8Begin: one address begins only so many log-ins at a time.
func TestS8Begin(t *testing.T) {
	k := newKeyed(t)
	n := 0
	for ; n < 100; n++ {
		if _, _, err := k.BeginLogIn(netip.MustParseAddr("203.0.113.1")); polder.KindOf(err) == polder.Limited && RetryAfter(err) > 0 {
			break
		}
	}
	if n != beginnings.Burst {
		t.Errorf("%d log-ins begun at once, want %d", n, beginnings.Burst)
	}
	c := newCeremonies[int](k.running)
	for i := range mostCeremony {
		ok(t, c.begin(string(rune(i)), i, time.Minute))
	}
	kind(t, c.begin("one more", 0, time.Minute), polder.Unavailable, "the memory is bounded")
	k.pass(time.Minute)
	ok(t, c.begin("one more", 0, time.Minute))
	if len(c.all) != 1 {
		t.Errorf("%d are kept, all but one too old", len(c.all))
	}
}

// TestSignInIsAudited: every change of how somebody logs in raises the epoch and is in the audit, without the subject and
// without what an authenticator said.
func TestSignInIsAudited(t *testing.T) {
	k := newKeyed(t)
	id := Identity{Issuer: "https://id.example", Subject: "the-subject-of-rita"}
	var p Passkey
	for _, s := range []struct {
		action string
		do     func() error
	}{
		{"person.link", func() error { return k.LinkIdentity(ctx, Local(), k.read.ID, id) }},
		{"person.unlink", func() error { return k.UnlinkIdentity(ctx, Local(), k.read.ID, id) }},
		{"passkey.add", func() error { p = k.add(newDevice(t), k.read, k.here.ID); return nil }},
		{"passkey.rename", func() error { return k.Rename(ctx, k.read.actor, p.ID, "red key") }},
		{"passkey.remove", func() error { return k.Remove(ctx, k.read.actor, p.ID, Proof{Password: k.read.password}) }},
	} {
		before := k.epoch()
		ok(t, s.do())
		if got := k.actions()[0]; got != s.action || k.epoch() <= before {
			t.Errorf("%s is audited as %s, the epoch went from %d to %d", s.action, got, before, k.epoch())
		}
	}
	rows, err := list(k.Service.read(ctx), func(r db.Row) (s string, err error) { err = r.Scan(&s); return s, err }, `SELECT detail FROM audit`)
	ok(t, err)
	for _, detail := range rows {
		if strings.Contains(detail, id.Subject) || strings.Contains(detail, base64url(k.d.id)) {
			t.Errorf("the audit says %s", detail)
		}
	}
	for why, id := range map[string]Identity{
		"no issuer": {Subject: "x"}, "an issuer without TLS": {Issuer: "http://id.example", Subject: "x"}, "no subject": {Issuer: "https://id.example"},
		"a long subject": {Issuer: "https://id.example", Subject: strings.Repeat("x", 256)}, "a hidden character": {Issuer: "https://id.example", Subject: "x\u202ey"},
	} {
		kind(t, k.LinkIdentity(ctx, Local(), k.read.ID, id), polder.Invalid, why)
	}
	for i := range maxIdentities {
		ok(t, k.LinkIdentity(ctx, Local(), k.read.ID, Identity{Issuer: "https://id.example", Subject: strings.Repeat("x", i+1)}))
	}
	kind(t, k.LinkIdentity(ctx, Local(), k.read.ID, Identity{Issuer: "https://id.example", Subject: "one more"}), polder.Conflict, "one too many")
}

// FuzzPasskeyAnswer: whatever an authenticator, or somebody in its place, says, nobody gets in by it and nothing breaks.
func FuzzPasskeyAnswer(f *testing.F) {
	k := newKeyed(f)
	_, question, err := k.BeginLogIn(home)
	ok(f, err)
	f.Add(k.d.show(question))
	f.Add(k.d.make([]byte(`{"publicKey":{"challenge":"AAAA","user":{"id":"AAAA"},"authenticatorSelection":{"userVerification":"required","residentKey":"required"}}}`)))
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		k.pass(time.Hour)
		key, _, err := k.BeginLogIn(home)
		ok(t, err)
		if cookie, _, err := k.Passkeys.LogIn(ctx, key, answer, home, ""); err == nil || cookie != "" {
			t.Fatalf("logged in by %q", answer)
		}
	})
}
