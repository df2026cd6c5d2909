package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawKeys draws from one to five keys that differ.
func drawKeys(t *rapid.T) []PrivateKey {
	seeds := rapid.SliceOfNDistinct(rapid.Uint32(), 1, 5, func(n uint32) uint32 { return n }).Draw(t, "keys")
	var keys []PrivateKey
	for _, n := range seeds {
		keys = append(keys, NewPrivateKey([32]byte{4: byte(n), 5: byte(n >> 8), 6: byte(n >> 16), 7: byte(n >> 24), 8: 1}))
	}
	return keys
}

func publics(keys []PrivateKey) (out []PublicKey) {
	for _, k := range keys {
		out = append(out, k.Public())
	}
	return out
}

// stranger is a key that drawKeys never draws.
var stranger = NewPrivateKey([32]byte{8: 2})

func mustSeal(t rapid.TB, purpose string, text []byte, least int, to ...PublicKey) Box {
	t.Helper()
	b, err := Seal(rand.Reader, purpose, text, least, to...)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Validate(1 << 24); err != nil {
		t.Fatalf("a box that was just made: %v", err)
	}
	return b
}

// TestLawSeal: what is sealed opens with each of its keys, with no other, and for no other purpose.
func TestLawSeal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := drawKeys(t)
		text := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "text")
		least := rapid.SampledFrom([]int{0, 100, 1024}).Draw(t, "least")
		b := mustSeal(t, "report", text, least, publics(keys)...)
		for _, k := range keys {
			got, err := b.Open("report", k)
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("its own key opens %x, %v; want %x", got, err, text)
			}
			if _, err := b.Open("message", k); !errors.Is(err, ErrDamaged) {
				t.Fatalf("for another purpose: %v", err)
			}
		}
		if _, err := b.Open("report", stranger); !errors.Is(err, ErrNotForKey) {
			t.Fatalf("a stranger's key: %v", err)
		}
		// A wrap that is made out to the stranger's name and was for somebody else opens nothing either.
		b.Wraps[0].To = stranger.Public().ID()
		if _, err := b.Open("report", stranger); !errors.Is(err, ErrDamaged) {
			t.Fatalf("a stranger's key under another's wrap: %v", err)
		}
	})
}

// TestLawFlip: a box with one bit changed, wherever, never opens; what is not that reader's wrap does not matter.
func TestLawFlip(t *testing.T) {
	k := newKey(t)
	whole := mustSeal(t, "report", []byte("a visitor photographed the machine hall"), 100, k.Public())
	rapid.Check(t, func(t *rapid.T) {
		b := whole
		b.Nonce, b.Body, b.Wraps = bytes.Clone(b.Nonce), bytes.Clone(b.Body), slices.Clone(b.Wraps)
		b.Wraps[0].Enc, b.Wraps[0].Key = bytes.Clone(b.Wraps[0].Enc), bytes.Clone(b.Wraps[0].Key)
		part := rapid.SampledFrom([][]byte{b.Nonce, b.Body, b.Wraps[0].Enc, b.Wraps[0].Key}).Draw(t, "part")
		i := rapid.IntRange(0, len(part)-1).Draw(t, "byte")
		bit := byte(1) << rapid.IntRange(0, 7).Draw(t, "bit")
		part[i] ^= bit
		if _, err := b.Open("report", k); !errors.Is(err, ErrDamaged) {
			t.Fatalf("it opens, or says %v", err)
		}
	})
	cut := whole
	cut.Body = whole.Body[:len(whole.Body)-1]
	if _, err := cut.Open("report", k); !errors.Is(err, ErrDamaged) {
		t.Errorf("a body that was cut: %v", err)
	}
	weak := whole
	weak.Wraps = []Wrap{{To: k.Public().ID(), Enc: make([]byte, encSize), Key: whole.Wraps[0].Key}}
	if _, err := weak.Open("report", k); !errors.Is(err, ErrDamaged) {
		t.Errorf("a wrap whose sender's key is zero: %v", err)
	}
	other := mustSeal(t, "report", []byte("another text"), 100, k.Public())
	spliced := whole
	spliced.Wraps = other.Wraps
	if _, err := spliced.Open("report", k); !errors.Is(err, ErrDamaged) {
		t.Errorf("the wrap of another box: %v", err)
	}
}

// TestLawReaders: readers who are added read the same text; who was taken away reads nothing of it, and nothing of what is
// sealed to the others later (S30).
func TestLawReaders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := drawKeys(t)
		text := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "text")
		at := rapid.IntRange(1, len(keys)).Draw(t, "first readers")
		first, more := keys[:at], keys[at:]
		b := mustSeal(t, "message", text, 0, publics(first)...)
		body := bytes.Clone(b.Body)
		wraps, err := b.For(rand.Reader, "message", first[len(first)-1], publics(keys)...)
		if err != nil || len(wraps) != len(more) {
			t.Fatalf("%d wraps, %v; want %d", len(wraps), err, len(more))
		}
		b = b.With(wraps...)
		if !bytes.Equal(b.Body, body) || b.Validate(1<<20) != nil {
			t.Fatal("adding readers touched the body, or made a box that is refused")
		}
		for _, k := range keys {
			if got, err := b.Open("message", k); err != nil || !bytes.Equal(got, text) {
				t.Fatalf("after adding readers: %x, %v; want %x", got, err, text)
			}
		}
		gone := keys[rapid.IntRange(0, len(keys)-1).Draw(t, "gone")]
		left := slices.DeleteFunc(slices.Clone(keys), func(k PrivateKey) bool { return k.Equal(gone) })
		if _, err := b.Without(gone.Public().ID()).Open("message", gone); !errors.Is(err, ErrNotForKey) {
			t.Fatalf("without its wrap: %v", err)
		}
		if _, err := b.For(rand.Reader, "message", stranger, stranger.Public()); !errors.Is(err, ErrNotForKey) {
			t.Fatalf("a stranger lets itself in: %v", err)
		}
		if len(left) > 0 {
			later := mustSeal(t, "message", text, 0, publics(left)...)
			if _, err := later.Open("message", gone); !errors.Is(err, ErrNotForKey) {
				t.Fatalf("a later box: %v", err)
			}
		}
	})
}

// TestS29Sizes: what is sealed has a size that tells little of its text: at most twelve in a hundred more than it needs
// above the floor, few different sizes, and 200 bytes look like five thousand (S29).
func TestS29Sizes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 20<<20).Draw(t, "bytes")
		least := rapid.SampledFrom([]int{0, 8192, 9000}).Draw(t, "least")
		size := PaddedSize(n, least)
		if size < n+prefix || size < least || size != PaddedSize(size-prefix, 0) {
			t.Fatalf("%d bytes are padded to %d, at least %d", n, size, least)
		}
		if need := max(n+prefix, least); 100*size > 112*need {
			t.Fatalf("%d bytes are padded to %d, more than 12 %% above %d", n, size, need)
		}
		if PaddedSize(n+1, least) < size {
			t.Fatalf("a longer text than %d is padded to less", n)
		}
	})
	sizes := map[int]bool{}
	for n := range 1 << 20 {
		sizes[PaddedSize(n, 8192)] = true
	}
	if len(sizes) > 200 {
		t.Errorf("%d sizes up to a megabyte; want at most 200", len(sizes))
	}
	k := newKey(t)
	short, long := mustSeal(t, "report", make([]byte, 200), 8192, k.Public()), mustSeal(t, "report", make([]byte, 5000), 8192, k.Public())
	if len(short.Body) != len(long.Body) {
		t.Errorf("200 bytes are sealed to %d, 5000 to %d", len(short.Body), len(long.Body))
	}
}

// TestLawPad: unpadding gives back the text, and takes nothing else.
func TestLawPad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "text")
		padded, err := Pad(text, rapid.IntRange(0, 9000).Draw(t, "least"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Unpad(padded)
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("got %x, %v; want %x", got, err, text)
		}
		if len(padded) > prefix+len(text) {
			padded[rapid.IntRange(prefix+len(text), len(padded)-1).Draw(t, "at")] = 1
			if _, err := Unpad(padded); err == nil {
				t.Fatal("something hides behind the text")
			}
		}
	})
	if _, err := Pad(make([]byte, 1), -1); err == nil {
		t.Error("a size below zero is taken")
	}
	if _, err := Pad(nil, maxText+1); err == nil {
		t.Error("a size without bound is taken")
	}
}

// TestOneBodyOneText: no body is the same text to one reader and another text to another. A text begins with zeros, so
// a ciphertext is tied to its key: under another key it does not begin with them.
func TestOneBodyOneText(t *testing.T) {
	k := newKey(t)
	b := mustSeal(t, "report", []byte("what all readers see"), 0, k.Public())
	key, err := b.unwrap("report", k)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := gcm(key)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody who knows the key seals a padded text whose first bytes are no zeros, as one that fits two keys must have.
	padded := make([]byte, 64)
	padded[3] = 1
	b.Body = aead.Seal(nil, b.Nonce, padded, []byte(context+"report"))
	if b.Wraps, err = b.wrap("report", key, []PublicKey{k.Public()}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open("report", k); !errors.Is(err, ErrDamaged) {
		t.Errorf("a body that could fit two keys: %v", err)
	}
}
