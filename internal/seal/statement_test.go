package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const chainOwner = "identity--0b4a2f6e-6a55-4d53-8a3f-1f8ea3b45c11"

var chainTime = time.Date(2026, 4, 6, 12, 0, 0, 0, time.UTC)

func sealKey(b byte) PublicKey { return NewPrivateKey([32]byte{b, 2}).Public() }

func beginChain(t testing.TB, owner string, b byte) Chain {
	t.Helper()
	c, err := Begin(owner, chainTime, signer(b), sealKey(b))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c Chain) must(t testing.TB, n NewStatement) Chain {
	t.Helper()
	if n.Now.IsZero() {
		n.Now = chainTime.Add(time.Hour)
	}
	next, err := c.Say(n)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// raws are the bytes of a chain.
func raws(c Chain) (out [][]byte) {
	for _, s := range c.Statements() {
		out = append(out, s.Raw())
	}
	return out
}

// resigned is a statement changed by a forger who has the keys given.
func resigned(t *testing.T, s Statement, change func(*Statement), by, fresh SigningKey) []byte {
	t.Helper()
	change(&s)
	s.Polder, s.By, s.Proof, s.Signature = statementForm, by.Public().ID(), nil, nil
	if !fresh.IsZero() {
		form, err := s.bare(true)
		if err != nil {
			t.Fatal(err)
		}
		s.Proof = fresh.Sign(DomainProof, form)
	}
	form, err := s.bare(false)
	if err != nil {
		t.Fatal(err)
	}
	s.Signature = by.Sign(DomainStatement, form)
	raw, err := s.form()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestChain: what a chain says after each statement.
func TestChain(t *testing.T) {
	c := beginChain(t, chainOwner, 1)
	if c.InForce() != signer(1).Public() || c.SealTo() != sealKey(1) || c.Owner() != chainOwner {
		t.Fatalf("begun: %+v", c)
	}
	c = c.must(t, NewStatement{Act: KeyRotate, By: signer(1), Fresh: signer(2)})
	c = c.must(t, NewStatement{Act: KeyRecovery, By: signer(2), Fresh: signer(9)})
	if k, ok := c.Recovery(); !ok || k != signer(9).Public() || c.InForce() != signer(2).Public() || c.SealTo() != sealKey(1) {
		t.Fatalf("with a recovery key: %+v", c)
	}
	// A thief who has the key in force rotates; the owner takes it back, and what is sealed goes to another key from now on.
	thief := c.must(t, NewStatement{Act: KeyRotate, By: signer(2), Fresh: signer(66)})
	to := sealKey(3)
	back := thief.must(t, NewStatement{Act: KeyRevoke, By: signer(9), Fresh: signer(3), Seal: &to, Revoked: []KeyID{signer(66).Public().ID(), signer(2).Public().ID(), signer(1).Public().ID()}})
	if back.InForce() != signer(3).Public() || back.SealTo() != to {
		t.Fatalf("taken back: %+v", back)
	}
	for i, want := range []ChainKey{{signer(1).Public(), 1, 2, 5}, {signer(2).Public(), 2, 4, 5}, {signer(66).Public(), 4, 0, 5}, {signer(3).Public(), 5, 0, 0}} {
		if got := back.Keys()[i]; got != want {
			t.Errorf("key %d: %+v, want %+v", i, got, want)
		}
	}
	if n := len(back.AllKeys()); n != 5 {
		t.Errorf("%d keys, want 5", n)
	}
	again, err := ReadChain(raws(back))
	if err != nil || again.InForce() != back.InForce() || again.Len() != 5 {
		t.Fatalf("read again: %v", err)
	}
	// A continuation alone extends what is known, with or without what is known already.
	if got, err := c.Extend(raws(back)[3:]); err != nil || got.Len() != 5 {
		t.Errorf("continued: %v", err)
	}
	if got, err := c.Extend(raws(back)); err != nil || got.Len() != 5 {
		t.Errorf("continued from the beginning: %v", err)
	}
	// The other story, which the thief tells, is refused by whoever knows the first.
	other := thief.must(t, NewStatement{Act: KeyRotate, By: signer(66), Fresh: signer(67)})
	if _, err := back.Extend(raws(other)); !errors.Is(err, ErrOtherChain) {
		t.Errorf("two stories: %v", err)
	}
	if _, err := back.Extend([][]byte{beginChain(t, chainOwner, 5).Statement(1).Raw()}); !errors.Is(err, ErrOtherChain) {
		t.Errorf("another begin: %v", err)
	}
}

// TestS26WhoMayChange: a rotation needs the key in force or the recovery key, and proof that its maker has the new key;
// whoever has a stolen key cannot replace the recovery key, and cannot speak again once that has spoken.
func TestS26WhoMayChange(t *testing.T) {
	c := beginChain(t, chainOwner, 1)
	c = c.must(t, NewStatement{Act: KeyRecovery, By: signer(1), Fresh: signer(9)})
	rotated := c.must(t, NewStatement{Act: KeyRotate, By: signer(1), Fresh: signer(2)})
	revoked := c.must(t, NewStatement{Act: KeyRevoke, By: signer(9), Fresh: signer(3), Seal: ptr(sealKey(3)), Revoked: []KeyID{signer(1).Public().ID()}})
	next := rotated.Statement(3)
	for _, x := range []struct {
		why  string
		c    Chain
		raw  []byte
		want string
	}{
		{"a stranger's signature", c, resigned(t, next, func(*Statement) {}, signer(8), signer(2)), "neither the key in force nor the recovery key"},
		{"signed by the new key itself", c, resigned(t, next, func(*Statement) {}, signer(2), signer(2)), "neither the key in force"},
		{"by the key that was rotated out", rotated, resigned(t, next, func(s *Statement) { s.N, s.Prev, s.Key = 4, next.Hash(), signer(4).Public().String() }, signer(1), signer(4)), "neither the key in force"},
		{"by the key that was revoked", revoked, resigned(t, next, func(s *Statement) { s.N, s.Prev, s.Key = 4, revoked.Statement(3).Hash(), signer(4).Public().String() }, signer(1), signer(4)), "neither the key in force"},
		{"no proof of the new key", c, resigned(t, next, func(*Statement) {}, signer(1), SigningKey{}), "proof: is there without need, or missing"},
		{"a proof by another key", c, resigned(t, next, func(*Statement) {}, signer(1), signer(8)), "proof: is not a signature by the new key"},
		{"a key that was there before", rotated, resigned(t, next, func(s *Statement) { s.N, s.Prev, s.Key = 4, next.Hash(), signer(1).Public().String() }, signer(2), signer(1)), "every key is used once"},
		{"the recovery key as a key that signs", c, resigned(t, next, func(s *Statement) { s.Key = signer(9).Public().String() }, signer(1), signer(9)), "every key is used once"},
		{"another recovery key by the key in force", c, resigned(t, next, func(s *Statement) { s.Act, s.Key, s.Recovery = KeyRecovery, "", signer(8).Public().String() }, signer(1), signer(8)), "another recovery key needs the signature of the one before"},
		{"time moved back", c, resigned(t, next, func(s *Statement) { s.Made = "2025-04-06T12:00:00Z" }, signer(1), signer(2)), "is older than the one before it"},
		{"a statement left out", beginChain(t, chainOwner, 1), next.Raw(), "does not follow statement 1"},
		{"another one before it", c, resigned(t, next, func(s *Statement) { s.Prev = strings.Repeat("0", 64) }, signer(1), signer(2)), "something was changed or left out"},
		{"another owner's", c, resigned(t, next, func(s *Statement) { s.Owner = strings.Replace(chainOwner, "c11", "c12", 1) }, signer(1), signer(2)), "does not belong to the chain"},
		{"the key in force revoked without another", c, resigned(t, next, func(s *Statement) { s.Act, s.Key, s.Revoked = KeyRevoke, "", []KeyID{signer(1).Public().ID()} }, signer(1), SigningKey{}), "so another must follow"},
		{"a key revoked that is none", c, resigned(t, next, func(s *Statement) { s.Act, s.Key, s.Revoked = KeyRevoke, "", []KeyID{signer(5).Public().ID()} }, signer(1), SigningKey{}), "is no key of this owner"},
		{"an old key revoked, and the one in force replaced on the way", rotated, resigned(t, next, func(s *Statement) {
			s.N, s.Prev, s.Act, s.Key, s.Revoked = 4, next.Hash(), KeyRevoke, signer(4).Public().String(), []KeyID{signer(1).Public().ID()}
		}, signer(2), signer(4)), "the key in force stays"},
		{"a second beginning", c, resigned(t, next, func(s *Statement) { s.Act, s.Seal = KeyBegin, sealKey(1).String() }, signer(1), signer(2)), "begin is the first statement"},
		{"an act that is none", c, resigned(t, next, func(s *Statement) { s.Act = "forget" }, signer(1), signer(2)), "must be begin, rotate, revoke or recovery"},
		{"no signature", c, bytes.Replace(next.Raw(), []byte(`"signature":"`), []byte(`"signature":"A`), 1), "not JSON of the right form"},
	} {
		s, err := ParseStatement(x.raw)
		if err == nil {
			_, err = x.c.Add(s)
		}
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v; want %q", x.why, err, x.want)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestStatementBytes: a statement has one spelling, and any single byte of it changed breaks it.
func TestStatementBytes(t *testing.T) {
	c := beginChain(t, chainOwner, 1)
	c = c.must(t, NewStatement{Act: KeyRevoke, By: signer(1), Fresh: signer(2), Seal: ptr(sealKey(2)), Revoked: []KeyID{signer(1).Public().ID()}})
	raw := c.Statement(2).Raw()
	before := beginChain(t, chainOwner, 1)
	for i := range raw {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			bad := bytes.Clone(raw)
			bad[i] ^= flip
			s, err := ParseStatement(bad)
			if err == nil {
				_, err = before.Add(s)
			}
			if err == nil {
				t.Fatalf("byte %d changed by %#x passes: %s", i, flip, bad)
			}
		}
	}
	for why, bad := range map[string]string{
		"white space":           strings.Replace(string(raw), `,"by"`, `, "by"`, 1),
		"a doubled name":        strings.Replace(string(raw), `{"act":"revoke",`, `{"act":"revoke","act":"revoke",`, 1),
		"a name in capitals":    strings.Replace(string(raw), `"by"`, `"BY"`, 1),
		"an unknown field":      strings.Replace(string(raw), `{"act"`, `{"aaa":1,"act"`, 1),
		"something behind it":   string(raw) + "{}",
		"an escape":             strings.Replace(string(raw), `"act"`, `"\u0061ct"`, 1),
		"another order":         `{"by":"` + string(signer(1).Public().ID()) + `","act":"revoke"` + string(raw[strings.Index(string(raw), `,"key"`):]),
		"more than a statement": string(raw) + strings.Repeat(" ", MaxStatement),
	} {
		if _, err := ParseStatement([]byte(bad)); err == nil {
			t.Errorf("%s is read", why)
		}
	}
}

// TestChainLaw: however keys change, what was said is read back the same, the key in force is the last that came, and
// nobody but its holder or the recovery key says the next thing.
func TestChainLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		next := byte(1)
		fresh := func() SigningKey { next++; return signer(next) }
		now := chainTime
		inForce := fresh()
		c, err := Begin(chainOwner, now, inForce, sealKey(1))
		if err != nil {
			t.Fatal(err)
		}
		var recovery SigningKey
		for range rapid.IntRange(0, 8).Draw(t, "statements") {
			now = now.Add(time.Duration(rapid.IntRange(-86400, 86400).Draw(t, "seconds")) * time.Second)
			n := NewStatement{Now: now, By: inForce, Fresh: fresh()}
			if !recovery.IsZero() && rapid.Bool().Draw(t, "by recovery") {
				n.By = recovery
			}
			switch n.Act = rapid.SampledFrom([]KeyAct{KeyRotate, KeyRevoke, KeyRecovery}).Draw(t, "act"); n.Act {
			case KeyRevoke:
				n.Revoked = []KeyID{c.InForce().ID()}
			case KeyRecovery:
				if !recovery.IsZero() {
					n.By = recovery
				}
			}
			stranger := n
			stranger.By = fresh()
			if _, err := c.Say(stranger); err == nil {
				t.Fatal("a stranger speaks")
			}
			if c, err = c.Say(n); err != nil {
				t.Fatal(err)
			}
			if n.Act == KeyRecovery {
				recovery = n.Fresh
			} else {
				inForce = n.Fresh
			}
		}
		again, err := ReadChain(raws(c))
		if err != nil || again.InForce() != inForce.Public() || again.Len() != c.Len() {
			t.Fatalf("read again: %v", err)
		}
	})
}

func FuzzParseStatement(f *testing.F) {
	c, err := Begin(chainOwner, chainTime, signer(1), sealKey(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Statement(1).Raw())
	f.Add([]byte(`{"act":"rotate","by":"00112233445566778899aabbccddeeff","made":"2026-01-01T00:00:00Z","n":2,"owner":"x","polder":"statement 1","prev":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := ParseStatement(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Raw(), raw) || !json.Valid(raw) || s.Time().IsZero() {
			t.Fatalf("%s is read as %s", raw, s.Raw())
		}
		if next, err := c.Add(s); err == nil && next.Len() != 1 && s.N != 2 {
			t.Fatalf("statement %d follows the first", s.N)
		}
	})
}
