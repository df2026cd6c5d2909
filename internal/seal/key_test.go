package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

// badKeys are texts that are no public key to seal to.
var badKeys = []struct{ text, why string }{
	{"", "nothing"},
	{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "the zero point"},
	{"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a point of order 1 on the curve's other form"},
	{"4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA", "a point of order 8"},
	{"X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc", "the other point of order 8"},
	{"7P_______________________________________38", "p-1, of order 2"},
	{"7f_______________________________________38", "p, which is zero again"},
	{"7v_______________________________________38", "p+1, which is one again"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA", "the base point with the bit that does not count"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "bits behind the end"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "padded"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "one character short"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+A", "the other alphabet of base64"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nA", "a line end"},
	{"CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A", "a space"},
}

func TestBadKeys(t *testing.T) {
	for _, c := range badKeys {
		if k, err := ParsePublicKey(c.text); err == nil {
			t.Errorf("%s: %q was read as %x", c.why, c.text, k[:])
		}
	}
}

// FuzzKey: a text is a key or is refused; what is a key has that one text.
func FuzzKey(f *testing.F) {
	for _, c := range badKeys {
		f.Add(c.text)
	}
	f.Add(NewPrivateKey([32]byte{1: 1}).Public().String())
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParsePublicKey(s)
		if err != nil {
			return
		}
		if k.String() != s {
			t.Errorf("%q is read as %s", s, k)
		}
		if !k.Matches(k.Fingerprint()) || !k.ID().Valid() {
			t.Errorf("%s has the fingerprint %q and the id %q", k, k.Fingerprint(), k.ID())
		}
		if _, err := ParseKeyID(s); err == nil {
			t.Errorf("%q is a key and the id of one", s)
		}
	})
}

func TestFingerprint(t *testing.T) {
	k := NewPrivateKey([32]byte{1: 1}).Public()
	f := k.Fingerprint()
	if !regexp.MustCompile(`^(\d{5} ){5}\d{5}$`).MatchString(f) {
		t.Fatalf("%q is not six groups of five digits", f)
	}
	for _, c := range []struct {
		typed string
		want  bool
		why   string
	}{
		{f, true, "as it is shown"},
		{strings.ReplaceAll(f, " ", ""), true, "without spaces"},
		{strings.ReplaceAll(f, " ", "-") + "\n", true, "with dashes"},
		{f[:len(f)-1], false, "one digit short"},
		{f + "0", false, "one digit more"},
		{"x" + f, false, "with a letter"},
		{"", false, "nothing"},
		{newKey(t).Public().Fingerprint(), false, "of another key"},
	} {
		if got := k.Matches(c.typed); got != c.want {
			t.Errorf("%s: %q matches: %v, want %v", c.why, c.typed, got, c.want)
		}
	}
}

// TestSecretsDoNotPrint: nothing prints, logs or encodes a private key or the words of a receipt, whatever it is asked to.
func TestSecretsDoNotPrint(t *testing.T) {
	k := NewPrivateKey([32]byte([]byte("a seed of thirty-two bytes long!")))
	r := Receipt("amber bread cloud delta ember flour")
	a := Access{Proof: [32]byte([]byte("a proof that has 32 bytes, look!")), Key: k}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k, "receipt", r, "access", a, "all", []any{k, r, a})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", k, "receipt", r, "access", a, "all", []any{k, r, a})
	out := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t", "%b", "%c", "%e", "%U"} {
		out += fmt.Sprintf(verb+verb+verb+verb, k, r, a, struct {
			K PrivateKey
			R Receipt
		}{k, r})
	}
	for _, secret := range []string{"amber", "seed of", hex.EncodeToString([]byte("amber")), hex.EncodeToString([]byte("seed of")), "97 32 115", "proof that"} {
		if strings.Contains(strings.ToLower(out), secret) {
			t.Errorf("%q is printed: %s", secret, out)
		}
	}
	for _, v := range []any{k, r} {
		if b, err := json.Marshal(v); err == nil {
			t.Errorf("%T is encoded as %s", v, b)
		}
	}
	if v, err := r.Value(); err == nil {
		t.Errorf("a receipt goes into a database as %v", v)
	}
}
