package names

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// scorePair is the score of two names of one type.
func scorePair(a, b string, t Type) float64 {
	var s scorer
	return s.score(Parse(a, t), Parse(b, t))
}

func TestParseWords(t *testing.T) {
	for _, c := range []struct {
		text string
		t    Type
		want string
		why  string
	}{
		{"KULYGINA, Olga Ivanovna", Person, "kulygina|olga|ivanovna", "the comma of the surname is no word"},
		{"Gboto-Nambi", Person, "gboto|nambi", "a hyphen divides, so that it meets names written with a space"},
		{"O'Brien", Person, "obrien", "an apostrophe does not divide"},
		{"Société d'Arachide", Company, "societe|d|arachide", "but an elided word is one of its own"},
		{"Goldman Sachs L.L.C.", Company, "goldman|sachs|llc", "dots of an abbreviation do not divide"},
		{"J.P. Morgan", Company, "jp|morgan", "letters of a firm's name are one word"},
		{"J.P. Morgan", Person, "j|p|morgan", "letters of a person's name are initials"},
		{"novar group s a", Company, "novar|group|sa", "a legal form is known without its dots"},
		{"Procter & Gamble", Company, "procter|and|gamble", "the sign is the word"},
		{"ООО «АЯС-2000»", Company, "ооо|аяс|2000", "quotes divide"},
		{"Siemens AG (Schweiz)", Company, "siemens|ag|schweiz", "brackets divide"},
		{"", Any, "", "nothing"},
		{"…—!", Any, "", "no letter"},
		{"\xff\xfeab", Any, "ab", "broken bytes divide"},
	} {
		t.Run(c.text, func(t *testing.T) {
			var got []string
			for _, w := range Parse(c.text, c.t).Words {
				got = append(got, w.Text)
			}
			if s := strings.Join(got, "|"); s != c.want {
				t.Errorf("got %q, want %q: %s", s, c.want, c.why)
			}
		})
	}
}

func TestParseBounds(t *testing.T) {
	for _, c := range []struct{ text, why string }{
		{strings.Repeat("a", 100_000), "one word of 100,000 letters"},
		{strings.Repeat("a ", 50_000), "50,000 words"},
		{strings.Repeat("大", 100_000), "100,000 characters without a space"},
		{strings.Repeat("á̈̃", 30_000), "letters under heaps of marks"},
		{strings.Repeat("\u202e(«", 30_000), "signs alone"},
		{strings.Repeat("ab' ", 30_000), "apostrophes"},
	} {
		t.Run(c.why, func(t *testing.T) {
			began := time.Now() //house:allow time.Now: measures how long the test itself takes
			n := Parse(c.text, Any)
			if len(n.Words) > maxWords {
				t.Errorf("%d words, want at most %d", len(n.Words), maxWords)
			}
			for _, w := range n.Words {
				if utf8.RuneCountInString(w.Text) > maxWordRunes*maxWords || len(w.Latin) > maxWordRunes || len(w.Alt) > 8 {
					t.Errorf("a word of %d bytes, %d romanised, %d readings", len(w.Text), len(w.Latin), len(w.Alt))
				}
			}
			c := Compare(n, Parse(c.text+"x", Any))
			if c.Score < 0 || c.Score > 1 {
				t.Errorf("score %v", c.Score)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestParseCutIsNotEqual(t *testing.T) {
	long := strings.Repeat("alpha ", 100)
	if got := scorePair(long+"one", long+"two", Any); got == 1 {
		t.Errorf("two names that differ behind what is read score 1")
	}
	if got := scorePair(long, long, Any); got != 1 {
		t.Errorf("a long name and itself score %v, want 1", got)
	}
}

func TestParseSharesWords(t *testing.T) {
	p := parser{words: map[wordKey]*Word{}}
	a, b := p.parse("Ivan Petrov", Person), p.parse("PETROV, Ivan", Person)
	if a.Words[0] != b.Words[1] || a.Words[1] != b.Words[0] {
		t.Error("the names of one parser do not share their words")
	}
	if len(p.words) != 2 {
		t.Errorf("%d words kept, want 2", len(p.words))
	}
}

// checkComparison fails when a comparison is not what every comparison is.
func checkComparison(t interface {
	Errorf(format string, args ...any)
}, a, b *Name) {
	c, d := Compare(a, b), Compare(b, a)
	if c.Score != d.Score {
		t.Errorf("%q and %q score %v, turned round %v", a.Text, b.Text, c.Score, d.Score)
	}
	if math.IsNaN(c.Score) || c.Score < 0 || c.Score > 1 {
		t.Errorf("%q and %q score %v", a.Text, b.Text, c.Score)
	}
	sum := 0.0
	for _, p := range c.Parts {
		sum += p.Share
		if p.How == "" || p.Kind == "" || p.A == "" && p.B == "" || !(p.Score >= 0 && p.Score <= 1) {
			t.Errorf("%q and %q: part %+v", a.Text, b.Text, p)
		}
	}
	if len(c.Parts) > 0 && math.Abs(sum-1) > 1e-9 {
		t.Errorf("%q and %q: shares add up to %v", a.Text, b.Text, sum)
	}
	if len(a.Words) > 0 && len(b.Words) > 0 && len(c.Parts) == 0 {
		t.Errorf("%q and %q: no parts", a.Text, b.Text)
	}
	if len(a.Words) > 0 && Compare(a, a).Score != 1 {
		t.Errorf("%q and itself do not score 1", a.Text)
	}
}

// drawName draws a name: of words that are used in names, of letters of any script, or of anything.
func drawName() *rapid.Generator[string] {
	word := rapid.OneOf(
		rapid.SampledFrom([]string{
			"ivan", "ivanov", "ivanovna", "Olga", "Mohammed", "muhammad", "al", "bin", "J.", "Ltd", "GmbH", "ООО", "Технологии",
			"科技", "有限公司", "技术", "Иванов", "محمد", "بن", "No.", "8", "VII", "(Hong Kong)", "S.A.", "&", "Sons", "of", "",
			"kha", "lil", "khalil", "AECC", "aero", "engine", "corporation", "of China", "-", ",", "김정은", "Αλέξανδρος", "משה",
		}),
		rapid.StringMatching(`[a-zA-Z]{1,9}`),
		rapid.StringN(0, 6, 30),
	)
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(word, 0, 9).Draw(t, "words"), " ")
	})
}

func TestCompareLaws(t *testing.T) {
	types := rapid.SampledFrom([]Type{Any, Person, Company, Vessel})
	rapid.Check(t, func(t *rapid.T) {
		a := Parse(drawName().Draw(t, "a"), types.Draw(t, "ta"))
		b := Parse(drawName().Draw(t, "b"), types.Draw(t, "tb"))
		checkComparison(t, a, b)
	})
}

func TestWordSimLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ws := Parse(drawName().Draw(t, "words"), Any).Words
		for _, v := range ws {
			if s, _ := wordSim(v, v); s != 1 {
				t.Errorf("%q and itself: %v", v.Text, s)
			}
			for _, w := range ws {
				s, h := wordSim(v, w)
				r, g := wordSim(w, v)
				if s != r || h != g || !(s >= 0 && s <= 1) {
					t.Errorf("%q and %q: %v %v, turned round %v %v", v.Text, w.Text, s, h, r, g)
				}
			}
		}
	})
}

// TestScorerKeepsNothing holds that a scorer that was used scores as a new one does.
func TestScorerKeepsNothing(t *testing.T) {
	var used scorer
	rapid.Check(t, func(t *rapid.T) {
		a, b := Parse(drawName().Draw(t, "a"), Any), Parse(drawName().Draw(t, "b"), Any)
		var fresh scorer
		if x, y := used.score(a, b), fresh.score(a, b); x != y {
			t.Errorf("%q and %q: %v with a used scorer, %v with a new one", a.Text, b.Text, x, y)
		}
	})
}

func TestAssignmentIsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(1, 5).Draw(t, "n"), rapid.IntRange(1, 5).Draw(t, "m")
		var values [5][5]float64
		var x assignment
		for i := range n {
			for j := range m {
				if v := rapid.IntRange(0, 9).Draw(t, "value"); v > 0 {
					values[i][j] = float64(v)
					x.offer(i, j, float64(v))
				}
			}
		}
		got := 0.0
		for _, p := range x.solve() {
			got += p.value
		}
		var best func(i int, used uint) float64
		best = func(i int, used uint) float64 {
			if i == n {
				return 0
			}
			most := best(i+1, used)
			for j := range m {
				if used>>j&1 == 0 {
					most = max(most, values[i][j]+best(i+1, used|1<<j))
				}
			}
			return most
		}
		if want := best(0, 0); got != want {
			t.Errorf("pairs worth %v, want %v", got, want)
		}
	})
}

func FuzzCompare(f *testing.F) {
	for _, s := range [][2]string{
		{"Vladimir Putin", "Путин, Владимир"}, {"kha lil", "KHALIL"}, {"S.p.A.", "s p a"}, {"", " "},
		{"深圳市科技有限公司", "Shenzhen Technology Co., Ltd."}, {"\xff", "\u202e"}, {"AECC", "Aero Engine Corporation of China"},
		{strings.Repeat("a b ", 70), strings.Repeat("b a ", 70)}, {"d'", "l'a"}, {"Brigade 44", "Brigade Forty-Four"},
	} {
		f.Add(s[0], s[1], uint8(0), uint8(1))
	}
	f.Fuzz(func(t *testing.T, a, b string, ta, tb uint8) {
		checkComparison(t, Parse(a, Type(ta%4)), Parse(b, Type(tb%4)))
	})
}

func BenchmarkScore(b *testing.B) {
	for _, c := range []struct{ name, a, b string }{
		{"persons", "Sergey Vladimirovich Nikolayev Petrov", "PETROV, Sergei Vladimirovitch Nikolaev"},
		{"strangers", "Maria Fernanda Lopez Garcia", "PETROV, Sergei Vladimirovitch Nikolaev"},
		{"firms", "Beijing Tiandi Aviation Technology Co., Ltd.", "Beijing Tiandy Aerospace Technologies Limited"},
	} {
		b.Run(c.name, func(b *testing.B) {
			x, y := Parse(c.a, Any), Parse(c.b, Any)
			known := map[[2]*Word]float64{}
			ways := map[[2]*Word]how{}
			for _, v := range x.Words {
				for _, w := range y.Words {
					known[[2]*Word{v, w}], ways[[2]*Word{v, w}] = wordSim(v, w)
				}
			}
			b.Run("words compared", func(b *testing.B) {
				var s scorer
				b.ReportAllocs()
				for b.Loop() {
					s.score(x, y)
				}
			})
			b.Run("words known", func(b *testing.B) {
				s := scorer{sim: func(v, w *Word) (float64, how) {
					k := [2]*Word{v, w}
					return known[k], ways[k]
				}}
				b.ReportAllocs()
				for b.Loop() {
					s.score(x, y)
				}
			})
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"person", "PETROV, Sergei Vladimirovitch"},
		{"firm", "Beijing Tiandi Aviation Technology Co., Ltd."},
		{"cyrillic", "Общество с ограниченной ответственностью «Муромский приборостроительный завод»"},
		{"100000 letters", strings.Repeat("name ", 20_000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Parse(c.text, Any)
			}
		})
	}
}

func BenchmarkCompareLong(b *testing.B) {
	long, other := strings.Repeat("name ", 20_000), strings.Repeat("eman ", 20_000)
	for b.Loop() {
		Compare(Parse(long, Any), Parse(other, Any))
	}
}

// TestCompareIsBounded compares names that are as dear to compare as names can be.
func TestCompareIsBounded(t *testing.T) {
	for _, c := range []struct{ a, b, why string }{
		{strings.Repeat("abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabc ", 64), strings.Repeat("acbacbacbacbacbacbacbacb ", 64), "64 long words, each like two of the other's"},
		{strings.Repeat("aaaa ", 64), strings.Repeat("aa ", 64), "words that may be joined in many ways"},
		{strings.Repeat("abd al rahman ", 22), strings.Repeat("abdulrahman ", 22), "many joins"},
		{strings.Repeat("ال", 30_000), strings.Repeat("شركة ", 20_000), "Arabic without an end"},
		{strings.Repeat("技", 30_000), strings.Repeat("技术", 20_000), "Han without an end"},
	} {
		t.Run(c.why, func(t *testing.T) {
			began := time.Now() //house:allow time.Now: measures how long the test itself takes
			checkComparison(t, Parse(c.a, Any), Parse(c.b, Person))
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
			t.Logf("took %v", time.Since(began))
		})
	}
}
