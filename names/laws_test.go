package names

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// lawWords are words of every kind, by the type of the names that they stand in.
var lawWords = map[Type][]string{
	Person: {"Abdul", "Majid", "Hafiz", "Haji", "Dr", "General", "Ivan", "Petrov", "Olga", "Kulygina", "Garcia", "Lopez", "Maria",
		"van", "de", "al", "Kim", "Wei", "Zhang", "Nguyen", "J.", "A.", "Said", "Khan", "Okonkwo", "Yilmaz", "Schmidt", "O'Brien", "Sa", "Li",
		"محمد", "Иванов", "Смирнова"},
	Company: {"Brennock", "Korvessa", "Uralvagon", "Qztx", "Vostok", "Steel", "Tubes", "Trading", "Technology", "International", "Group",
		"Industrial", "7", "44", "A320", "Plant", "No.", "Thailand", "Shenzhen", "Iran", "of", "and", "Ltd", "GmbH", "LLC", "Company", "Bank",
		"Завод", "Технологии", "科技", "Sons"},
}

// drawWords draws words for a name of a type.
func drawWords(t *rapid.T, kind Type, least, most int, label string) []string {
	return rapid.SliceOfN(rapid.SampledFrom(lawWords[kind]), least, most).Draw(t, label)
}

// drawLawType draws one of the types that [lawWords] has words for.
func drawLawType(t *rapid.T) Type { return rapid.SampledFrom([]Type{Person, Company}).Draw(t, "type") }

// TestOrderIsFree holds that the same words in any order score at least 0.97, and no less than any name that lacks one of
// them or has another in its place.
func TestOrderIsFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := drawLawType(t)
		words := drawWords(t, kind, 2, 6, "words")
		turned := rapid.Permutation(words).Draw(t, "turned")
		as := rapid.SampledFrom([]Type{Any, kind}).Draw(t, "as")
		query, whole := Parse(strings.Join(words, " "), as), Parse(strings.Join(turned, " "), kind)
		got := Compare(query, whole).Score
		if got < 0.97 {
			t.Errorf("%q and %q score %.3f", query.Text, whole.Text, got)
		}
		at := rapid.IntRange(0, len(words)-1).Draw(t, "at")
		other := slices.Clone(turned)
		if rapid.Bool().Draw(t, "lacks") {
			other = slices.Delete(other, at, at+1)
		} else {
			other[at] = "Ebrahimpour"
		}
		changed := Parse(strings.Join(other, " "), kind)
		if v := Compare(query, changed).Score; v > got {
			t.Errorf("%q scores %.3f with %q, and only %.3f with %q", query.Text, v, changed.Text, got, whole.Text)
		}
	})
}

// readAlike says whether the words of a name are read as the same with and without one more behind them: what is taken for
// a title at its end may be a name when it stands inside.
func readAlike(words []string, more string, kind Type) bool {
	without := Parse(strings.Join(words, " "), kind).Words
	with := Parse(strings.Join(words, " ")+" "+more, kind).Words
	return len(with) == len(without)+1 && slices.EqualFunc(without, with[:len(without)], func(v, w *Word) bool {
		return v.Kind == w.Kind && v.Text == w.Text
	})
}

// TestEqualWordsNeverHarm holds that a word more which both names have never lowers the score, of whatever kind it is.
func TestEqualWordsNeverHarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := drawLawType(t)
		a, b := drawWords(t, kind, 1, 4, "a"), drawWords(t, kind, 1, 4, "b")
		more := rapid.SampledFrom(lawWords[kind]).Draw(t, "more")
		before := Compare(Parse(strings.Join(a, " "), kind), Parse(strings.Join(b, " "), kind)).Score
		if !readAlike(a, more, kind) || !readAlike(b, more, kind) {
			return
		}
		a, b = append(a, more), append(b, more)
		after := Compare(Parse(strings.Join(a, " "), kind), Parse(strings.Join(b, " "), kind)).Score
		if after < before-0.005 { // a third word may be what puts the words in another order
			t.Errorf("%q and %q score %.3f, and only %.3f with %q", strings.Join(a[:len(a)-1], " "), strings.Join(b[:len(b)-1], " "), before, after, more)
		}
	})
}
