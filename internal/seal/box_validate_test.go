package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	k := newKey(t)
	good := func() Box { return mustSeal(t, "report", []byte("text"), 1024, k.Public()) }
	for _, c := range []struct {
		why, says string
		change    func(b *Box)
	}{
		{"another version may mean anything", "v:", func(b *Box) { b.V = 2 }},
		{"a short nonce", "nonce:", func(b *Box) { b.Nonce = b.Nonce[:11] }},
		{"a long nonce", "nonce:", func(b *Box) { b.Nonce = append(b.Nonce, 0) }},
		{"no body", "body:", func(b *Box) { b.Body = nil }},
		{"a body in no size class tells its length", "body:", func(b *Box) { b.Body = append(b.Body, 0) }},
		{"a body that is too large", "at most", func(b *Box) { b.Body = make([]byte, 1<<20+16) }},
		{"nobody can open it", "wraps:", func(b *Box) { b.Wraps = nil }},
		{"more readers than a box has", "wraps:", func(b *Box) { b.Wraps = make([]Wrap, MaxWraps+1) }},
		{"a name that is no id", "wraps[0].to", func(b *Box) { b.Wraps[0].To = "X" }},
		{"an id in capitals would be a second name", "wraps[0].to", func(b *Box) { b.Wraps[0].To = KeyID(strings.Repeat("A", 32)) }},
		{"two wraps for one key", "twice", func(b *Box) { b.Wraps = append(b.Wraps, b.Wraps[0]) }},
		{"a short point", "enc:", func(b *Box) { b.Wraps[0].Enc = b.Wraps[0].Enc[:31] }},
		{"a long key", "key:", func(b *Box) { b.Wraps[0].Key = append(b.Wraps[0].Key, 0) }},
	} {
		b := good()
		c.change(&b)
		if err := b.Validate(1 << 20); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error that says %q", c.why, err, c.says)
		}
	}
	if err := good().Validate(1 << 20); err != nil {
		t.Errorf("a whole box: %v", err)
	}
}

func TestSealRefuses(t *testing.T) {
	k := newKey(t).Public()
	var many []PublicKey
	for range MaxWraps + 1 {
		many = append(many, newKey(t).Public())
	}
	for _, c := range []struct {
		why, purpose string
		least        int
		to           []PublicKey
	}{
		{"to nobody", "report", 0, nil},
		{"to the zero key", "report", 0, []PublicKey{{}}},
		{"to too many", "report", 0, many},
		{"without a purpose", "", 0, []PublicKey{k}},
		{"for a purpose that could hold another", "report\nmessage", 0, []PublicKey{k}},
		{"padded without bound", "report", maxText + 1, []PublicKey{k}},
	} {
		if _, err := Seal(rand.Reader, c.purpose, []byte("x"), c.least, c.to...); err == nil {
			t.Errorf("sealed %s", c.why)
		}
	}
	if _, err := Seal(bytes.NewReader(nil), "report", nil, 0, k); err == nil {
		t.Error("sealed without randomness")
	}
	if _, err := GenerateKey(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("made a key without randomness")
	}
}

// FuzzBox: whatever comes in as a box is refused or opened, and nothing else.
func FuzzBox(f *testing.F) {
	k := NewPrivateKey([32]byte{1: 1})
	b, err := Seal(rand.Reader, "report", []byte("text"), 64, k.Public())
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(b)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{string(text), `{}`, `{"v":1,"wraps":[{}],"nonce":"","body":""}`, `{"v":1e9}`, `{"wraps":null}`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var b Box
		if json.Unmarshal(in, &b) != nil {
			return
		}
		valid := b.Validate(1 << 16)
		got, err := b.Open("report", k)
		if err == nil && valid != nil && len(b.Body) <= 1<<16 && len(b.Wraps) == 1 {
			t.Errorf("a box that the door refuses (%v) opens to %q", valid, got)
		}
		if err != nil && !errors.Is(err, ErrNotForKey) && !errors.Is(err, ErrDamaged) {
			t.Errorf("opening says %v", err)
		}
		b.Without(b.Readers()...).With(b.Wraps...)
	})
}
