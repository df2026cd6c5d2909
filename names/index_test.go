package names

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func indexOf(names ...string) *Index {
	b := NewBuilder()
	for i, name := range names {
		b.Add(int32(i), name, Any)
	}
	return b.Index()
}

func texts(x *Index, found []Found) (out []string) {
	for _, f := range found {
		out = append(out, x.Name(f).Text)
	}
	return out
}

// checkFound holds what every answer keeps: scores from the threshold to 1, best first, equals by ref, each ref once.
func checkFound(t interface{ Fatalf(string, ...any) }, x *Index, q *Name, threshold float64, limit int, found []Found) {
	if len(found) > max(limit, 0) {
		t.Fatalf("%d found for limit %d", len(found), limit)
	}
	refs := map[int32]bool{}
	for i, f := range found {
		if math.IsNaN(f.Score) || f.Score < 0 || f.Score > 1 || f.Score < threshold {
			t.Fatalf("%q: score %v at threshold %v", q.Text, f.Score, threshold)
		}
		if i > 0 && (f.Score > found[i-1].Score || f.Score == found[i-1].Score && f.Ref < found[i-1].Ref) {
			t.Fatalf("%q: %v after %v", q.Text, f, found[i-1])
		}
		if refs[f.Ref] {
			t.Fatalf("%q: ref %d twice", q.Text, f.Ref)
		}
		refs[f.Ref] = true
		if got := Compare(q, x.Name(f)).Score; math.Abs(got-f.Score) > 1e-9 {
			t.Fatalf("%q met %q: found with %v, compared %v", q.Text, x.Name(f).Text, f.Score, got)
		}
	}
}

func TestSearchFinds(t *testing.T) {
	x := indexOf(
		"KADYROVA, Tabarik", "KADYROV, Ramzan Akhmatovich", "HAMANI, Hamma", "KHALIL, Ezedin Abdel Aziz",
		"Beijing Zhipu Linghang Technology Co., Ltd.", "Shaanxi Zhi En Electromechanical Technology Co., Ltd.",
		"MATUS TAMARIZ, Lester", "Sichuan University", "Sichuan Airlines", "MILITECH", "Milandr ICC JSC",
		"PUTIN, Vladimir Vladimirovich", "QANSU, Ali Muhammad", "Abdul Aziz Trading Company", "Sukhoi Aviation JSC",
		"Central Aerohydrodynamic Research Institute", "NOVRI LLC", "Scikro (Hong Kong) Instruments Limited",
	)
	for _, c := range []struct{ query, want, why string }{
		{"tabarik kadyrova", "KADYROVA, Tabarik", "the other order"},
		{"taarik kadyrov", "KADYROVA, Tabarik", "a word that another name holds exactly does not hide one that is near"},
		{"hammahamani", "HAMANI, Hamma", "two words written as one, in the other order"},
		{"ezedin abdel aziz kha lil", "KHALIL, Ezedin Abdel Aziz", "one word written as two"},
		{"beijing zhipulinghang technology", "Beijing Zhipu Linghang Technology Co., Ltd.", "listed words written as one"},
		{"shaanxi zhien electromechanical technology co ltd", "Shaanxi Zhi En Electromechanical Technology Co., Ltd.", "short listed words written as one"},
		{"lester tamariz", "MATUS TAMARIZ, Lester", "a word left out"},
		{"四川大学", "Sichuan University", "a reading and a meaning, in another script"},
		{"Milandr ICC Joint Stock Company", "Milandr ICC JSC", "the legal form written out"},
		{"Владимир Владимирович Путин", "PUTIN, Vladimir Vladimirovich", "Cyrillic"},
		{"ali mohammed kansu", "QANSU, Ali Muhammad", "other romanisations in each word"},
		{"CARI", "Central Aerohydrodynamic Research Institute", "the first letters of the words"},
		{"Northern Optical Valve Research Institute", "NOVRI LLC", "words whose first letters are listed"},
		{"scikrohong kong instruments limited", "Scikro (Hong Kong) Instruments Limited", "a word written together with a part of a phrase"},
		{"sukhoi avaition", "Sukhoi Aviation JSC", "letters that changed places"},
	} {
		q := Parse(c.query, Any)
		found := x.Search(q, 0.4, 5)
		checkFound(t, x, q, 0.4, 5, found)
		if len(found) == 0 || x.Name(found[0]).Text != c.want {
			t.Errorf("%q (%s): found %q, want %q first", c.query, c.why, texts(x, found), c.want)
		}
	}
}

func TestSearchBounds(t *testing.T) {
	x := indexOf("Acme Optics Ltd", "Acme Optics", "Acme Optical Works")
	q := Parse("acme optics", Any)
	for _, c := range []struct {
		why       string
		q         *Name
		threshold float64
		limit     int
		want      int
	}{
		{"a limit of none", q, 0, 0, 0},
		{"a limit below none", q, 0, -1, 0},
		{"a limit", q, 0, 1, 1},
		{"a threshold that nothing reaches", q, 1.1, 9, 0},
		{"a threshold that is no number", q, math.NaN(), 9, 0},
		{"a query without words", Parse("  ...", Any), 0, 9, 0},
		{"a query that nothing is like", Parse("zzyzx", Any), 0.5, 9, 0},
	} {
		if got := x.Search(c.q, c.threshold, c.limit); len(got) != c.want {
			t.Errorf("%s: found %d, want %d", c.why, len(got), c.want)
		}
	}
	empty := NewBuilder().Index()
	if got := empty.Search(q, 0, 9); len(got) != 0 {
		t.Errorf("an empty index found %v", got)
	}
	if got := empty.Name(Found{name: 3}); got == nil || got.Text != "" {
		t.Errorf("the name of what was not found here is %v", got)
	}
	b := NewBuilder()
	b.Add(7, "Acme Optics", Any)
	b.Add(7, "Acme Optics Ltd", Any)
	x = b.Index()
	if got := x.Search(q, 0, 9); len(got) != 1 || got[0].Ref != 7 || x.Name(got[0]).Text != "Acme Optics" {
		t.Errorf("a party of two names: found %v, want it once with its best name", texts(x, got))
	}
}

// One search is bounded whatever is asked: a name of 100,000 characters, 64 words, thousands of near neighbours.
func TestSearchWorkIsBounded(t *testing.T) {
	b := NewBuilder()
	for i := range int32(20_000) {
		b.Add(i, fmt.Sprintf("Kov%c%c%cnov Ivan", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26), Person)
	}
	long := strings.Repeat("kovalenov ", 10_000)
	b.Add(20_000, long, Person)
	x := b.Index()
	for _, text := range []string{long, strings.Repeat("x", 100_000), "ivan", strings.Repeat("ivan ", 64), "kovabcnov ivan"} {
		q := Parse(text, Any)
		s := newSearch(x)
		s.begin(q, 0.5)
		s.gather()
		if most := max(maxMeetings, minMeetings*len(q.Words)) * 3; len(s.met) > most || len(s.chosen) > maxCompared {
			t.Errorf("%.20q: met %d words, chose %d names", text, len(s.met), len(s.chosen))
		}
		checkFound(t, x, q, 0.5, 9, x.Search(q, 0.5, 9))
	}
	if got := x.Search(Parse("kovabcnov ivan", Person), 0.9, 5); len(got) == 0 || x.Name(got[0]).Text != "Kovabcnov Ivan" {
		t.Errorf("among thousands of near names the equal one is not first: %q", texts(x, got))
	}
}

// Many goroutines may search at once, and each gets the answer that one gets alone.
func TestSearchFromManyGoroutines(t *testing.T) {
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("Acme %c%c Optics %d", 'a'+i%26, 'a'+i/26, i%7))
	}
	x := indexOf(names...)
	alone := map[string][]Found{}
	for _, name := range names {
		alone[name] = x.Search(Parse(name, Any), 0.5, 10)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, name := range names {
				if got := x.Search(Parse(name, Any), 0.5, 10); !slices.Equal(got, alone[name]) {
					t.Errorf("%q: found %v, alone %v", name, got, alone[name])
				}
			}
		})
	}
	all.Wait()
}

// A listed name that is searched exactly is found, and nothing scores higher.
func TestSearchFindsListedNames(t *testing.T) {
	syllable := rapid.SampledFrom([]string{"ka", "ri", "mov", "an", "chen", "el", "bo", "shu", "ltd", "v", "Технологии", "国防", "محمد", "7"})
	word := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(syllable, 1, 4).Draw(t, "syllables"), "")
	})
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(word, 1, 5).Draw(t, "words"), " ")
	})
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(name, 1, 40).Draw(t, "names")
		x := indexOf(names...)
		i := rapid.IntRange(0, len(names)-1).Draw(t, "i")
		q := Parse(names[i], Any)
		if len(q.Words) == 0 {
			return
		}
		found := x.Search(q, 0.5, len(names))
		checkFound(t, x, q, 0.5, len(names), found)
		at := slices.IndexFunc(found, func(f Found) bool { return x.Name(f).Text == names[i] })
		if at < 0 || found[at].Score < found[0].Score {
			t.Fatalf("%q is listed, but the answer is %q", names[i], texts(x, found))
		}
	})
}

func FuzzSearch(f *testing.F) {
	f.Add("Acme Optics Ltd\nIvan Petrov\nПутин", "acme optic", 0.5)
	f.Add("国防科技大学\n金正恩", "Kim Jong Un", 0.3)
	f.Add("a\n\nb b b\n...", "b", 0.0)
	f.Add("\xff\xfe\nKha lil", "khalil\u202e", -1.0)
	f.Fuzz(func(t *testing.T, listed, query string, threshold float64) {
		x := indexOf(strings.Split(listed, "\n")...)
		q := Parse(query, Any)
		found := x.Search(q, threshold, 20)
		checkFound(t, x, q, threshold, 20, found)
		if again := x.Search(q, threshold, 20); !slices.Equal(again, found) {
			t.Fatalf("%q: first %v, then %v", query, found, again)
		}
	})
}
