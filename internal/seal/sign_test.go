package seal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func signer(b byte) SigningKey { return NewSigningKey([32]byte{b, 1}) }

// TestSignIsRFC8032 holds our signatures to a vector of RFC 8032 (7.1, test 2), so that any other implementation reads them.
func TestSignIsRFC8032(t *testing.T) {
	seed, _ := hex.DecodeString("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
	k := NewSigningKey([32]byte(seed))
	const want = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
	if got := hex.EncodeToString(k.Sign("", []byte{0x72})); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	pub := k.Public()
	if !ed25519.Verify(pub[:], []byte(string(DomainObject)+"x"), k.Sign(DomainObject, []byte("x"))) {
		t.Error("a signature is not over its domain and its message")
	}
}

// TestS24Domains: a signature made for one purpose is worth nothing for another, and nothing when it is cut or empty.
func TestS24Domains(t *testing.T) {
	k, other := signer(1), signer(2)
	message := []byte(`{"id":"x"}`)
	sig := k.Sign(DomainObject, message)
	malleable := bytes.Clone(sig) // S + the order of the group: the same to careless readers
	order, _ := hex.DecodeString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	carry := 0
	for i := range 32 {
		sum := int(malleable[32+i]) + int(order[i]) + carry
		malleable[32+i], carry = byte(sum), sum>>8
	}
	for _, c := range []struct {
		why       string
		key       VerifyKey
		domain    SignatureDomain
		message   []byte
		signature []byte
		want      bool
	}{
		{"as it was made", k.Public(), DomainObject, message, sig, true},
		{"another purpose", k.Public(), DomainStatement, message, sig, false},
		{"no purpose", k.Public(), "", message, sig, false},
		{"the purpose as part of the message", k.Public(), "", append([]byte(DomainObject), message...), sig, true},
		{"another key", other.Public(), DomainObject, message, sig, false},
		{"another message", k.Public(), DomainObject, []byte(`{"id":"y"}`), sig, false},
		{"no signature", k.Public(), DomainObject, message, nil, false},
		{"cut", k.Public(), DomainObject, message, sig[:63], false},
		{"longer", k.Public(), DomainObject, message, append(bytes.Clone(sig), 0), false},
		{"zeroes", k.Public(), DomainObject, message, make([]byte, 64), false},
		{"the other spelling of its number", k.Public(), DomainObject, message, malleable, false},
		{"the zero key", VerifyKey{}, DomainObject, message, make([]byte, 64), false},
	} {
		if got := c.key.Verify(c.domain, c.message, c.signature); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
	// A node signs messages without a domain, so it must not sign what begins with one.
	for _, d := range []SignatureDomain{DomainObject, DomainStatement, DomainProof} {
		if !ReservedDomain(append([]byte(d), 'x')) {
			t.Errorf("%q may be signed as a node's message", d)
		}
	}
	if ReservedDomain([]byte("polder session 1\n")) || ReservedDomain(nil) {
		t.Error("a node's own message is refused")
	}
}

// TestS24WeakKeys: under a point of small order one signature fits many messages, so such keys are refused at the door,
// and so is a second spelling of a point.
func TestS24WeakKeys(t *testing.T) {
	small := []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 0, spelled otherwise
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 1, likewise
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	}
	for _, text := range small {
		b, _ := hex.DecodeString(text)
		if VerifyKey(b).Validate() == nil {
			t.Errorf("%s passes for a key", text)
		}
		if _, err := ParseVerifyKey(VerifyKey(b).String()); err == nil {
			t.Errorf("%s is read as a key", text)
		}
	}
	// The first of them shows why: a signature that nobody made fits every message.
	one, _ := hex.DecodeString(small[0])
	forged := append(bytes.Clone(one), make([]byte, 32)...)
	if !VerifyKey(one).Verify(DomainObject, []byte("a"), forged) || !VerifyKey(one).Verify(DomainObject, []byte("b"), forged) {
		t.Error("the control does not bite: the weak key is not weak")
	}
	rapid.Check(t, func(t *rapid.T) {
		k := NewSigningKey([32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))).Public()
		if got, err := ParseVerifyKey(k.String()); err != nil || got != k {
			t.Fatalf("%s: %v", k, err)
		}
	})
}

// TestSigningKeysStaySecret: no verb, log line or JSON holds a key.
func TestSigningKeysStaySecret(t *testing.T) {
	k := signer(7)
	seed := k.Seed()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if s := fmt.Sprintf(verb, k); !strings.Contains(s, string(k.Public().ID())) || strings.Contains(s, hex.EncodeToString(seed[:])) {
			t.Errorf("%s prints %s", verb, s)
		}
		if s := fmt.Sprintf(verb, struct{ K SigningKey }{k}); strings.Contains(s, fmt.Sprintf(strings.ReplaceAll(verb, "#", ""), seed[:8])) {
			t.Errorf("%s of a struct prints %s", verb, s)
		}
	}
	if b, err := json.Marshal(k); err == nil {
		t.Errorf("JSON of a key: %s", b)
	}
	if k.LogValue().String() != k.String() {
		t.Error("a log line holds something else")
	}
	if _, err := GenerateSigningKey(io.LimitReader(strings.NewReader("short"), 5)); err == nil {
		t.Error("a key was made of five random bytes")
	}
}

// TestRecoveryText: what was written down is read back, and a slip of the pen is seen.
func TestRecoveryText(t *testing.T) {
	k := signer(9)
	text := k.RecoveryText()
	for _, form := range []string{text, "  " + text + "\r\n", "# of Acme\n\n" + text + "\n# end"} {
		if got, err := ParseRecovery(form); err != nil || got.Public() != k.Public() {
			t.Errorf("%q: %v", form, err)
		}
	}
	for i := range text {
		for _, c := range []byte("0Aa-x") {
			if c == text[i] {
				continue
			}
			if got, err := ParseRecovery(text[:i] + string(c) + text[i+1:]); err == nil && got.Public() == k.Public() {
				t.Fatalf("character %d may be anything", i)
			}
		}
	}
	for why, form := range map[string]string{"nothing": "", "two": text + "\n" + text, "cut": text[:len(text)-1], "remarks alone": "# x", "longer": text + "0"} {
		_, err := ParseRecovery(form)
		if err == nil {
			t.Errorf("%s is read", why)
		} else if strings.Contains(err.Error(), text[len(recoveryPrefix):len(recoveryPrefix)+10]) {
			t.Errorf("%s: the error holds the key", why)
		}
	}
}

func FuzzParseRecovery(f *testing.F) {
	f.Add(signer(1).RecoveryText())
	f.Add("# x\npolder-recovery-1:")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParseRecovery(text)
		if err != nil {
			return
		}
		if again, err := ParseRecovery(k.RecoveryText()); err != nil || again.Public() != k.Public() {
			t.Fatalf("%q is read as a key that does not come back: %v", text, err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	k, message := signer(1), bytes.Repeat([]byte("x"), 1400)
	b.ReportAllocs()
	for b.Loop() {
		k.Sign(DomainObject, message)
	}
}

func BenchmarkVerify(b *testing.B) {
	k, message := signer(1), bytes.Repeat([]byte("x"), 1400)
	sig, pub := k.Sign(DomainObject, message), k.Public()
	b.ReportAllocs()
	for b.Loop() {
		if !pub.Verify(DomainObject, message, sig) {
			b.Fatal("does not fit")
		}
	}
}
