package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
)

func TestSealOpens(t *testing.T) {
	a, _ := GenerateKey(rand.Reader)
	b, _ := GenerateKey(rand.Reader)
	c, _ := GenerateKey(rand.Reader)
	text := []byte("somebody asked for the drawings of the pump")
	box, err := Seal(rand.Reader, "report", text, 8192, a.Public(), b.Public(), a.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Validate(1 << 20); err != nil {
		t.Fatal(err)
	}
	if len(box.Wraps) != 2 || len(box.Body) != 8192+16 {
		t.Fatalf("%d wraps, %d bytes; want 2 and 8208", len(box.Wraps), len(box.Body))
	}
	for _, k := range []PrivateKey{a, b} {
		if got, err := box.Open("report", k); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if _, err := box.Open("report", c); !errors.Is(err, ErrNotForKey) {
		t.Fatalf("another key: %v", err)
	}
	if _, err := box.Open("message", a); !errors.Is(err, ErrDamaged) {
		t.Fatalf("another purpose: %v", err)
	}
	w, err := box.For(rand.Reader, "report", a, b.Public(), c.Public())
	if err != nil || len(w) != 1 {
		t.Fatalf("%d wraps, %v; want one, for the key that had none", len(w), err)
	}
	box = box.With(w...).Without(a.Public().ID())
	if got, err := box.Open("report", c); err != nil || !bytes.Equal(got, text) {
		t.Fatalf("added reader: %q, %v", got, err)
	}
	if _, err := box.Open("report", a); !errors.Is(err, ErrNotForKey) {
		t.Fatalf("removed reader: %v", err)
	}
}
