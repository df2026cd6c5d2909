package seal

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
)

// typedWords are what people type, and what it is read as.
var typedWords = []struct{ typed, want, why string }{
	{"apple river", "apple river", "as it stands on the paper"},
	{"  Apple  RIVER\r\n", "apple river", "capitals, and spaces around and between"},
	{"apple-river_stone,lamp. boat", "apple river stone lamp boat", "other signs between words"},
	{"apple\u2013river\u00a0stone", "apple river stone", "a long dash, and a space that does not break"},
	{"\u00e9\u00e9n e\u0301\u00ebn", "een een", "accents, in one character and in two"},
	{"\u0133sje \u0132SJE", "ijsje ijsje", "the Dutch ij in one character"},
	{"ap\u00adple\u200b riv\ufeffer", "apple river", "what is not seen"},
	{"stra\u00dfe \u0152uvre", "strasse oeuvre", "two letters in one"},
	{"\u044f\u0431\u043b\u043e\u043a\u043e \u0130I\u0131", "\u044f\u0431\u043b\u043e\u043a\u043e iii", "other scripts stay; i with and without point is i"},
	{" - . ", "", "nothing"},
}

func TestNormalise(t *testing.T) {
	for _, c := range typedWords {
		if got := Normalise(c.typed); got != c.want {
			t.Errorf("%s: %q is read as %q, want %q", c.why, c.typed, got, c.want)
		}
	}
}

func TestNewReceipt(t *testing.T) {
	seen := map[Receipt]bool{}
	for _, lang := range []string{"en", "nl", "xx", ""} {
		for range 100 {
			r, err := NewReceipt(rand.Reader, lang)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Check(); err != nil {
				t.Fatalf("%s: %v", lang, err)
			}
			if r.Normalise() != r || seen[r] {
				t.Fatalf("%s: %q is not as it is derived from, or came twice", lang, r.Words())
			}
			seen[r] = true
		}
	}
	if _, err := NewReceipt(bytes.NewReader(make([]byte, 11)), "en"); err == nil {
		t.Error("a receipt was drawn without randomness")
	}
	// Every word is drawn: the two bytes of each choose among all.
	list := Words("en")
	for i, w := range list {
		r, err := NewReceipt(bytes.NewReader(bytes.Repeat([]byte{byte(i >> 8), byte(i)}, 6)), "en")
		if err != nil || r != Receipt(strings.TrimSpace(strings.Repeat(w+" ", 6))) {
			t.Fatalf("bytes for word %d draw %q, %v; want %q", i, r.Words(), err, w)
		}
	}
}

func TestReceiptCheck(t *testing.T) {
	w := Words("en")
	right := strings.Join(w[:6], " ")
	for _, c := range []struct {
		words, says, why string
	}{
		{right, "", "six words"},
		{strings.ToUpper(strings.ReplaceAll(right, " ", "-")), "", "however they are written"},
		{strings.Join(Words("nl")[:6], "\n"), "", "Dutch ones"},
		{strings.Join(w[:5], " "), "not 5", "one is missing"},
		{strings.Join(w[:7], " "), "not 7", "one too many"},
		{strings.Join(w[:5], " ") + " qqqq", "word 6", "one that is in no list"},
		{"", "not 0", "nothing"},
	} {
		err := Receipt(c.words).Check()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.why, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "qqqq") {
			t.Errorf("%s: the error holds a word of the receipt", c.why)
		}
	}
}

// TestS30Access: what opens a thread follows from all six words and the salt, and differs with either; words that are no
// receipt take the same way (S30).
func TestS30Access(t *testing.T) {
	salt := bytes.Repeat([]byte{1}, 16)
	access := func(words string, salt []byte) Access {
		a, err := Receipt(words).Access(salt)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := access("amber bread cloud delta ember forest", salt)
	for why, b := range map[string]Access{
		"another word":  access("amber bread cloud delta ember forests", salt),
		"another order": access("bread amber cloud delta ember forest", salt),
		"another node":  access("amber bread cloud delta ember forest", bytes.Repeat([]byte{2}, 16)),
		"no receipt":    access("", salt),
	} {
		if a.Proof == b.Proof || a.Key.Equal(b.Key) {
			t.Errorf("%s leads to the same thread", why)
		}
	}
	if b := access(" AMBER-bread cloud\tdelta ember  forest.", salt); a.Proof != b.Proof || !a.Key.Equal(b.Key) {
		t.Error("the same words, written otherwise, lead elsewhere")
	}
	if a.Proof == a.Key.seed {
		t.Error("what the server is shown opens the thread")
	}
	for _, n := range []int{0, 15, 1025} {
		if _, err := Receipt("x").Access(make([]byte, n)); err == nil {
			t.Errorf("a salt of %d bytes is taken", n)
		}
	}
}

// FuzzReceipt: whatever is typed is read one way, and reading it twice changes nothing.
func FuzzReceipt(f *testing.F) {
	for _, c := range typedWords {
		f.Add(c.typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		once := Receipt(typed).Normalise()
		if twice := once.Normalise(); twice != once {
			t.Errorf("%q is read as %q, and that as %q", typed, once.Words(), twice.Words())
		}
		if strings.ContainsAny(once.Words(), "\n\t-_,.ABCDEFGHIJKLMNOPQRSTUVWXYZ") || strings.Contains(once.Words(), "  ") {
			t.Errorf("%q is read as %q", typed, once.Words())
		}
		if err := Receipt(typed).Check(); err == nil && len(strings.Fields(once.Words())) != ReceiptWords {
			t.Errorf("%q passes for a receipt", typed)
		}
	})
}

// BenchmarkAccess is what guessing one receipt costs whoever guesses, and opening one whoever has it.
func BenchmarkAccess(b *testing.B) {
	salt := make([]byte, 32)
	for b.Loop() {
		if _, err := Receipt("amber bread cloud delta ember forest").Access(salt); err != nil {
			b.Fatal(err)
		}
	}
}
