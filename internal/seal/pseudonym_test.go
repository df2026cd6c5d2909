package seal

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
)

func pseudonymKey(t testing.TB) SigningKey {
	t.Helper()
	k, err := GenerateSigningKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func pseudonymCertificate(k VerifyKey) PseudonymEntry {
	return PseudonymEntry{Community: "c", Blind: "identity--b", N: 1, Act: PseudonymCertified, Pseudonym: PseudonymID(k), Key: &k, At: 5, Date: "2026-11-22", Home: "identity--h"}
}

// TestPseudonymEntry: an entry is read in the form in which it was signed; a byte changed anywhere breaks it.
func TestPseudonymEntry(t *testing.T) {
	home, k := pseudonymKey(t), pseudonymKey(t).Public()
	e, raw, err := pseudonymCertificate(k).SignedBy(home)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParsePseudonymEntry(raw)
	if err != nil || !back.VerifiedBy(home.Public()) || back.Pseudonym != e.Pseudonym {
		t.Fatalf("read back: %+v, %v", back, err)
	}
	if back.VerifiedBy(pseudonymKey(t).Public()) {
		t.Error("another node's key verifies it")
	}
	for i := range raw {
		b := bytes.Clone(raw)
		b[i] ^= 1
		if c, err := ParsePseudonymEntry(b); err == nil && c.VerifiedBy(home.Public()) {
			t.Fatalf("byte %d changed: %s", i, b)
		}
	}
}

// TestPseudonymEntryRefused: whatever says more than an entry may, or less, is refused when it is made and when it is read.
func TestPseudonymEntryRefused(t *testing.T) {
	home, k := pseudonymKey(t), pseudonymKey(t).Public()
	for _, c := range []struct {
		why    string
		change func(*PseudonymEntry)
	}{
		{"a certificate that names somebody", func(e *PseudonymEntry) { e.By = "identity--1" }},
		{"a certificate with a reason", func(e *PseudonymEntry) { e.Reason = "for Acme" }},
		{"a certificate to the second", func(e *PseudonymEntry) { e.Date = "2026-11-22T10:00:00Z" }},
		{"the name of another key", func(e *PseudonymEntry) { e.Pseudonym = PseudonymID(pseudonymKey(t).Public()) }},
		{"no key", func(e *PseudonymEntry) { e.Key = nil }},
		{"a key of small order", func(e *PseudonymEntry) { e.Key = &VerifyKey{1}; e.Pseudonym = PseudonymID(*e.Key) }},
		{"number 0", func(e *PseudonymEntry) { e.N = 0 }},
		{"no community", func(e *PseudonymEntry) { e.Community = "" }},
		{"another act", func(e *PseudonymEntry) { e.Act = "named" }},
		{"opened by nobody", func(e *PseudonymEntry) {
			e.Act, e.Key, e.Reason, e.Date = PseudonymOpened, nil, "why", "2026-11-22T10:00:00Z"
		}},
		{"opened for no reason", func(e *PseudonymEntry) {
			e.Act, e.Key, e.By, e.Date = PseudonymOpened, nil, "identity--1", "2026-11-22T10:00:00Z"
		}},
		{"a long reason", func(e *PseudonymEntry) {
			e.Act, e.Key, e.By, e.Date, e.Reason = PseudonymStopped, nil, "identity--1", "2026-11-22T10:00:00Z", strings.Repeat("x", 1001)
		}},
	} {
		e := pseudonymCertificate(k)
		c.change(&e)
		if _, _, err := e.SignedBy(home); err == nil {
			t.Errorf("%s: was signed", c.why)
		}
	}
	if PseudonymID(k) == PseudonymID(pseudonymKey(t).Public()) || !IsPseudonym(PseudonymID(k)) || IsPseudonym("identity--1") {
		t.Error("names of pseudonyms")
	}
}

func TestPseudonymProof(t *testing.T) {
	k := pseudonymKey(t)
	proof := PseudonymProof(k, "c")
	if !ProvesPseudonym(k.Public(), "c", proof) || ProvesPseudonym(k.Public(), "d", proof) || ProvesPseudonym(pseudonymKey(t).Public(), "c", proof) {
		t.Error("a proof holds for its key and community alone")
	}
}

// FuzzPseudonymEntry: whatever bytes come, they are refused or are the form of what was read.
func FuzzPseudonymEntry(f *testing.F) {
	_, raw, err := pseudonymCertificate(pseudonymKey(f).Public()).SignedBy(pseudonymKey(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(raw))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParsePseudonymEntry(b)
		if err != nil {
			return
		}
		e.Time()
		if form, err := e.form(); err != nil || !bytes.Equal(form, b) {
			t.Errorf("%q was read as %q", b, form)
		}
	})
}
