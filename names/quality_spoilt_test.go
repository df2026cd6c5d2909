package names

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// spoiler spoils names as people do.
type spoiler struct{ random *rand.Rand }

// slip makes one slip in a word: a letter lost, put in, changed, or swapped with the next.
func (s spoiler) slip(w string) string {
	r := []rune(w)
	i := 1 + s.random.IntN(len(r)-2)
	letter := rune('a' + s.random.IntN(26))
	switch s.random.IntN(4) {
	case 0:
		r = slices.Delete(r, i, i+1)
	case 1:
		r = slices.Insert(r, i, letter)
	case 2:
		r[i] = letter
	case 3:
		r[i], r[i+1] = r[i+1], r[i]
	}
	return string(r)
}

// slips makes a slip in each of the words of four letters and more, or in one of them.
func (s spoiler) slips(words []string, all bool) []string {
	long := s.random.IntN(len(words))
	for i := range words {
		if at := (long + i) % len(words); len(words[at]) >= 4 {
			words[at] = s.slip(words[at])
			if !all {
				break
			}
		}
	}
	return words
}

// spoil is the name spoilt in one way; "" when that way does not suit it.
func (s spoiler) spoil(kind, name string) string {
	words := strings.Fields(strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(",.()\"“”'", r) {
			return -1
		}
		return r
	}, name)))
	if len(words) < 2 || len(name) < 8 {
		return ""
	}
	i := s.random.IntN(len(words) - 1)
	switch kind {
	case "one slip":
		words = s.slips(words, false)
	case "a slip in each word":
		words = s.slips(words, true)
	case "turned round":
		words = append(words[i+1:], words[:i+1]...)
	case "two words as one":
		words[i] += words[i+1]
		words = slices.Delete(words, i+1, i+2)
	case "one word as two":
		if len(words[i]) < 6 {
			return ""
		}
		words = slices.Insert(words, i+1, words[i][3:])
		words[i] = words[i][:3]
	case "a word left out":
		if len(words) < 3 {
			return ""
		}
		words = slices.Delete(words, i, i+1)
	}
	return strings.Join(words, " ")
}

// TestSearchOfSpoiltNames spoils names of the list in ways of its own, so that retrieval is held to more names, and
// other ones, than there are labelled questions.
func TestSearchOfSpoiltNames(t *testing.T) {
	parties, x := listed(t)
	s := spoiler{rand.New(rand.NewPCG(7, 7))}
	for _, c := range []struct {
		kind  string
		least float64 // of retrieval
	}{
		{"one slip", 0.98}, {"a slip in each word", 0.95}, {"turned round", 0.99},
		{"two words as one", 0.97}, {"one word as two", 0.97}, {"a word left out", 0.95},
	} {
		var compared, first proportion
		for range 200 {
			p := parties[s.random.IntN(len(parties))]
			spoilt := s.spoil(c.kind, p.Name)
			if spoilt == "" {
				continue
			}
			a := ask(x, parties, question{Query: spoilt, Cat: c.kind, Truth: []string{p.ID}})
			compared.add(a.compared)
			first.add(a.right > 0 && a.right >= a.best) // many parties are listed twice
			if !a.compared {
				t.Logf("%s: %q of %q is not compared, best is %q", c.kind, spoilt, p.Name, a.met)
			}
		}
		t.Logf("%-20s compared %v  first or tied %v", c.kind, compared, first)
		if compared.share() < c.least {
			t.Errorf("%s: compared %v, want at least %.2f", c.kind, compared, c.least)
		}
	}
}
