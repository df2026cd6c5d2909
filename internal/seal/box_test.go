package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// vector is one of RFC 9180: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, the first message; all in hexadecimal.
type vector struct {
	AEAD      uint16 `json:"aead"`
	Info      string `json:"info"`
	Ephemeral string `json:"ephemeral"`
	Private   string `json:"private"`
	Public    string `json:"public"`
	Enc       string `json:"enc"`
	AAD       string `json:"aad"`
	Text      string `json:"text"`
	Sealed    string `json:"sealed"`
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/rfc9180.json")
	if err != nil {
		t.Fatal(err)
	}
	var v []vector
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v) != 2 {
		t.Fatalf("%d vectors; want those of AES-128-GCM and AES-256-GCM", len(v))
	}
	return v
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newKey(t testing.TB) PrivateKey {
	t.Helper()
	k, err := GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestVectors opens what RFC 9180 sealed; that it is sealed the same way is shown by the browser, whose sender's key can be set.
func TestVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		private, err := hpke.DHKEM(ecdh.X25519()).NewPrivateKey(unhex(t, v.Private))
		if err != nil {
			t.Fatal(err)
		}
		aead, err := hpke.NewAEAD(v.AEAD)
		if err != nil {
			t.Fatal(err)
		}
		r, err := hpke.NewRecipient(unhex(t, v.Enc), private, hpke.HKDFSHA256(), aead, unhex(t, v.Info))
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Open(unhex(t, v.AAD), unhex(t, v.Sealed))
		if err != nil || hex.EncodeToString(text) != v.Text {
			t.Errorf("aead %d: got %x, %v; want %s", v.AEAD, text, err, v.Text)
		}
		if got := NewPrivateKey([32]byte(unhex(t, v.Private))).Public(); hex.EncodeToString(got[:]) != v.Public {
			t.Errorf("aead %d: public key %x, want %s", v.AEAD, got[:], v.Public)
		}
	}
}
