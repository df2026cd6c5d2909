package seal

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files that are made from others")

// wordsScript is static/words.js as the lists make it.
func wordsScript() []byte {
	var b bytes.Buffer
	b.WriteString("// The words of receipts and passphrases, as package seal has them: 2048 of each language.\n\nexport const words = {\n")
	for _, lang := range []string{"en", "nl"} {
		fmt.Fprintf(&b, "  %s: (\"\"", lang)
		for line := range slices.Chunk(Words(lang), 16) {
			fmt.Fprintf(&b, " +\n    \"%s \"", strings.Join(line, " "))
		}
		b.WriteString(").trimEnd().split(\" \"),\n")
	}
	b.WriteString("};\n")
	return b.Bytes()
}

// TestWordsOfBrowser holds static/words.js to the lists; -update writes it.
func TestWordsOfBrowser(t *testing.T) {
	const file = "static/words.js"
	want := wordsScript()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s is not what the lists make (%v); run: go test ./internal/seal -run TestWordsOfBrowser -update", file, err)
	}
}

// TestWordLists holds that no word is taken for another by somebody who writes with a cold hand, and that four letters
// are enough to know which one it is.
func TestWordLists(t *testing.T) {
	for _, lang := range []string{"en", "nl"} {
		list := Words(lang)
		if len(list) != 1<<wordBits {
			t.Errorf("%s: %d words; a word is worth %d bits only where there are %d", lang, len(list), wordBits, 1<<wordBits)
		}
		if !slices.IsSorted(list) {
			t.Errorf("%s: is not in order", lang)
		}
		seen, begins := map[string]bool{}, map[string]string{}
		for _, w := range list {
			if len(w) < 3 || len(w) > 8 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("%s: %q has other than 3 to 8 letters a-z", lang, w)
			}
			if seen[w] {
				t.Errorf("%s: %q is there twice", lang, w)
			}
			seen[w] = true
			begin := w[:min(4, len(w))]
			if other, ok := begins[begin]; ok {
				t.Errorf("%s: %q and %q begin alike", lang, other, w)
			}
			begins[begin] = w
		}
		for i, a := range list {
			for _, b := range list[i+1:] {
				if oneApart(a, b) {
					t.Errorf("%s: %q and %q are one letter apart", lang, a, b)
				}
			}
		}
		if bits := ReceiptWords * math.Log2(float64(len(seen))); bits < 64 {
			t.Errorf("%s: a receipt has %.1f bits; it must have 64", lang, bits)
		}
	}
}

// oneApart is whether one letter put in, left out or changed, or two neighbours changed round, makes a of b.
func oneApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		swapped := i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		return i < len(a) && (a[i+1:] == b[i+1:] || swapped)
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

func TestOneApart(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
		why  string
	}{
		{"boat", "boats", true, "one letter more"},
		{"boat", "bat", true, "one letter less"},
		{"boat", "coat", true, "one letter other"},
		{"form", "from", true, "neighbours changed round"},
		{"form", "farm", true, "one letter in the middle"},
		{"boat", "boat", false, "the same is not another"},
		{"boat", "beats", false, "two letters"},
		{"boat", "brown", false, "much"},
	} {
		if got := oneApart(c.a, c.b); got != c.want {
			t.Errorf("%s: oneApart(%q, %q) = %v, want %v", c.why, c.a, c.b, got, c.want)
		}
	}
}
