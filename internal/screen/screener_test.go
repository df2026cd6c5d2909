package screen

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// testList is a small list of parties that nobody is.
func testList(name string, purpose lists.Purpose, parties ...lists.Entry) *lists.List {
	return &lists.List{Meta: lists.Meta{Name: name, Purpose: purpose, Date: "2026-03-01", SHA256: strings.Repeat("ab", 32), Entries: len(parties)}, Parties: parties}
}

var someParties = []lists.Entry{
	{ID: "1", Type: names.Person, Name: "VOLKONTEV, Zarimir", Aliases: []lists.Alias{{Name: "Zaza Volkontev"}, {Name: "The Ferryman", Weak: true}}, Births: []string{"1961-04-30"}},
	{ID: "2", Type: names.Company, Name: "Harmattan Gyroscope Trading LLC", Countries: []string{"AE"}, Identifiers: []lists.Identifier{{Kind: "lei", Value: "5493001KJTIIGC8Y1R12"}}},
	{ID: "3", Name: "Brindlecroft Avionics", Countries: []string{"CN"}},
	{ID: "4", Type: names.Vessel, Name: "OCEAN HERON", Identifiers: []lists.Identifier{{Kind: "imo", Value: "9074729"}}},
}

func ids(a Answer) string {
	var out []string
	for _, h := range a.Hits {
		out = append(out, h.ID)
	}
	return strings.Join(out, " ")
}

func TestScreen(t *testing.T) {
	s := NewScreener(testList("own", lists.Restricted, someParties...))
	lei := []lists.Identifier{{Kind: "lei", Value: "5493001KJTIIGC8Y1R12"}}
	for _, c := range []struct {
		name, why string
		query     Query
		want      string
		says      string
	}{
		{"exact", "the name alone", Query{Name: "Zarimir Volkontev"}, "1", "The names agree word for word"},
		{"an alias", "a further name is a name", Query{Name: "Zaza Volkontev"}, "1", ""},
		{"no word alike letter for letter", "a sentence that begins with a quotation is whole", Query{Name: "Бриндлкрофт Авионикс"}, "3", "“бриндлкрофт” meets"},
		{"nobody", "another name", Query{Name: "Marigold Hetherington"}, "", ""},
		{"nothing", "no name and no number", Query{}, "", ""},
		{"an identifier alone", "the number decides", Query{Identifiers: lei}, "2", "The names do not agree; the LEI is the same."},
		{"an identifier and another name", "the number decides whatever the name", Query{Name: "Quillfeather Foods", Identifiers: lei}, "2", "the LEI is the same"},
		{"a contradicting type", "what the asker says and the list says otherwise is no hit", Query{Name: "Ocean Heron", Type: names.Company}, "", ""},
		{"a type that agrees", "", Query{Name: "Ocean Heron", Type: names.Vessel}, "4", ""},
		{"a type that the list does not say", "never filters", Query{Name: "Brindlecroft Avionics", Type: names.Person}, "3", ""},
		{"a type against a number", "the number is stronger", Query{Name: "Heron", Type: names.Company, Identifiers: []lists.Identifier{{Kind: "imo", Value: "IMO 9074729"}}}, "4", "it is listed as a vessel, not as a company"},
		{"a year that differs", "is said", Query{Name: "Zarimir Volkontev", Birth: "1971"}, "1", "the birth year differs (1971, listed 1961-04-30)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.Screen(c.query, Options{})
			if ids(a) != c.want {
				t.Fatalf("%s: got %q, want %q", c.why, ids(a), c.want)
			}
			if len(a.Hits) > 0 && !strings.Contains(a.Hits[0].Why, c.says) {
				t.Errorf("why: %q, want %q in it", a.Hits[0].Why, c.says)
			}
			if len(a.Lists) != 1 || a.Lists[0].Date != "2026-03-01" {
				t.Errorf("the answer names the lists %+v", a.Lists)
			}
		})
	}
}

// TestOrder: what is known beside an exact name puts answers in an order; nothing ties with the name alone.
func TestOrder(t *testing.T) {
	e := lists.Entry{ID: "1", Type: names.Person, Name: "Zarimir Volkontev", Births: []string{"1961-04-30"}, Countries: []string{"AE"}, Identifiers: []lists.Identifier{{Kind: "national", Value: "99887766", Country: "AE"}}}
	s := NewScreener(testList("own", lists.Restricted, e))
	score := func(q Query) float64 {
		q.Name = "Zarimir Volkontev"
		a := s.Screen(q, Options{Threshold: 0.3})
		if len(a.Hits) != 1 {
			t.Fatalf("%+v: %d hits", q, len(a.Hits))
		}
		return a.Hits[0].Score
	}
	rising := []struct {
		what string
		q    Query
	}{
		{"another number", Query{Identifiers: []lists.Identifier{{Kind: "national", Value: "11223344", Country: "AE"}}}},
		{"a birth far away", Query{Birth: "1990"}},
		{"a birth some years away", Query{Birth: "1964"}},
		{"a birth a year away", Query{Birth: "1962"}},
		{"the name alone", Query{}},
		{"the country", Query{Country: "AE"}},
		{"the year of birth", Query{Birth: "1961"}},
		{"the date of birth", Query{Birth: "1961-04-30"}},
		{"the date of birth and the country", Query{Birth: "1961-04-30", Country: "AE"}},
		{"the number", Query{Identifiers: []lists.Identifier{{Kind: "national", Value: "99887766", Country: "AE"}}}},
	}
	last := -1.0
	for _, r := range rising {
		now := score(r.q)
		if now <= last {
			t.Errorf("%s scores %v, not more than what stands before it (%v)", r.what, now, last)
		}
		last = now
	}
	if alone := score(Query{}); alone > nameAlone {
		t.Errorf("the name alone scores %v, more than %v", alone, nameAlone)
	}
	if by := score(Query{Identifiers: rising[9].q.Identifiers}); by < decided {
		t.Errorf("the number scores %v, less than %v", by, decided)
	}
}

// TestWeakAlias: a name that the list calls weak scores less than the same name that it does not.
func TestWeakAlias(t *testing.T) {
	at := func(weak bool) Hit {
		s := NewScreener(testList("own", lists.Restricted, lists.Entry{ID: "1", Name: "Someone Else", Aliases: []lists.Alias{{Name: "Zarimir Volkontev", Weak: weak}}}))
		a := s.Screen(Query{Name: "Zarimir Volkontev"}, Options{Threshold: 0.3})
		if len(a.Hits) != 1 {
			t.Fatalf("weak %v: %d hits", weak, len(a.Hits))
		}
		return a.Hits[0]
	}
	strong, weak := at(false), at(true)
	if weak.Score >= strong.Score || !strings.Contains(weak.Why, "weak") || weak.Name != "Zarimir Volkontev" {
		t.Errorf("weak: %v %q by %q; strong: %v", weak.Score, weak.Why, weak.Name, strong.Score)
	}
	both := NewScreener(testList("own", lists.Restricted, lists.Entry{ID: "1", Name: "Zarimir Volkontev", Aliases: []lists.Alias{{Name: "Zarimir Volkontev", Weak: true}}}))
	if a := both.Screen(Query{Name: "Zarimir Volkontev"}, Options{}); len(a.Hits) != 1 || a.Hits[0].Score != strong.Score {
		t.Errorf("a name that is weak and strong: %+v", a.Hits)
	}
}

// TestTies: equal scores come restricted before verified, then by list and id, whatever the order of the lists.
func TestTies(t *testing.T) {
	e := func(id string) lists.Entry { return lists.Entry{ID: id, Name: "Zarimir Volkontev"} }
	a := NewScreener(testList("alpha", lists.Verified, e("1")))
	b := NewScreener(testList("beta", lists.Restricted, e("9"), e("3")))
	c := NewScreener(testList("gamma", lists.Restricted, e("2")))
	for _, s := range []*Screener{Join(a, b, c), Join(c, b, a, nil), Join(Join(a, b), Join(b, c))} {
		answer := s.Screen(Query{Name: "Zarimir Volkontev"}, Options{})
		if got := ids(answer); got != "3 9 2 1" {
			t.Errorf("got %q, want 3 9 (beta), 2 (gamma), 1 (alpha, verified)", got)
		}
		var order []string
		for _, m := range answer.Lists {
			order = append(order, m.Name)
		}
		if got := strings.Join(order, " "); got != "beta gamma alpha" {
			t.Errorf("lists: %s", got)
		}
	}
}

// TestOptions: limits, thresholds that are none, and what is shown below.
func TestOptions(t *testing.T) {
	var many []lists.Entry
	for i := range 50 {
		many = append(many, lists.Entry{ID: fmt.Sprintf("%02d", i), Name: "Zarimir Volkontev"})
	}
	many = append(many, lists.Entry{ID: "near", Name: "Zarimir Volkontev Ostrander"})
	s := NewScreener(testList("own", lists.Restricted, many...))
	q := Query{Name: "Zarimir Volkontev"}
	for limit, want := range map[int]int{0: DefaultLimit, 3: 3, -1: DefaultLimit, 1 << 30: 51} {
		if a := s.Screen(q, Options{Limit: limit}); len(a.Hits) > want || len(a.Hits) < min(want, 50) {
			t.Errorf("limit %d: %d hits", limit, len(a.Hits))
		}
	}
	for _, bad := range []float64{0, -1, 2, math.NaN(), math.Inf(1)} {
		if a := s.Screen(q, Options{Threshold: bad}); a.Threshold != DefaultThreshold {
			t.Errorf("threshold %v became %v", bad, a.Threshold)
		}
	}
	a := s.Screen(q, Options{Threshold: 0.94, Limit: 60, Below: 5})
	if len(a.Hits) != 50 {
		t.Errorf("%d hits at 0.94", len(a.Hits))
	}
	for _, h := range a.Below {
		if h.Score >= 0.94 || h.Score < 0.94-belowBy {
			t.Errorf("below: %v", h.Score)
		}
	}
}

// TestScreenLaws: whatever is asked, hits are in order, within bounds, with parts that add up and a reason.
func TestScreenLaws(t *testing.T) {
	s := Join(NewScreener(testList("own", lists.Restricted, someParties...)), NewScreener(testList("good", lists.Verified, someParties[1])))
	words := []string{"Zarimir", "Volkontev", "Harmattan", "Gyroscope", "Trading", "LLC", "Ocean", "Heron", "Brindlecroft", "Avionics", "The", "Ferryman", "x", "有限公司", "\u202e", "\xff", "1"}
	rapid.Check(t, func(t *rapid.T) {
		q := Query{
			Name:    strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 6).Draw(t, "words"), " "),
			Type:    names.Type(rapid.IntRange(0, 3).Draw(t, "type")),
			Country: rapid.SampledFrom([]string{"", "AE", "CN", "zz", "\xff"}).Draw(t, "country"),
			Birth:   rapid.SampledFrom([]string{"", "1961", "1961-04-30", "1970", "x"}).Draw(t, "birth"),
		}
		if rapid.Bool().Draw(t, "number") {
			q.Identifiers = []lists.Identifier{{Kind: "imo", Value: "9074729"}}
		}
		threshold := rapid.Float64Range(0.2, 1).Draw(t, "threshold")
		a := s.Screen(q, Options{Threshold: threshold, Limit: 3, Below: 2})
		last := 1.0
		for _, h := range slices.Concat(a.Hits, a.Below) {
			sum := 0.0
			for _, p := range h.Parts {
				sum += p.Points
			}
			if !(h.Score >= 0 && h.Score <= last) || math.Abs(sum-h.Score) > 1e-6 || h.Why == "" || !utf8.ValidString(h.Why) || !strings.HasSuffix(h.Why, ".") || h.Listing == nil {
				t.Fatalf("%+v: %+v, the points add up to %v", q, h, sum)
			}
			last = h.Score
		}
		if len(a.Hits) > 3 || len(a.Below) > 2 || slices.ContainsFunc(a.Hits, func(h Hit) bool { return h.Score < threshold }) {
			t.Fatalf("%d hits, %d below", len(a.Hits), len(a.Below))
		}
	})
}

// TestScreenAtOnce: many may ask at once and get what one gets.
func TestScreenAtOnce(t *testing.T) {
	s := NewScreener(testList("own", lists.Restricted, someParties...))
	want := s.Screen(Query{Name: "Zarimir Volkontev"}, Options{}).Hits[0].Score
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				if a := s.Screen(Query{Name: "Zarimir Volkontev"}, Options{}); len(a.Hits) != 1 || a.Hits[0].Score != want {
					t.Errorf("got %+v", a.Hits)
					return
				}
			}
		})
	}
	wait.Wait()
}

// TestHugeNames: names of a hundred thousand characters, of one, of signs and of turned writing are met politely.
func TestHugeNames(t *testing.T) {
	s := NewScreener(testList("own", lists.Restricted, append([]lists.Entry{{ID: "huge", Name: strings.Repeat("Zarimir ", 12_500)}}, someParties...)...))
	for _, name := range []string{strings.Repeat("a", 100_000), strings.Repeat("Volkontev ", 10_000), "x", "\u202e\u2066", "....", strings.Repeat("有限", 50_000), strings.Repeat("\xff", 1000)} {
		a := s.Screen(Query{Name: name}, Options{Threshold: least})
		for _, h := range a.Hits {
			if math.IsNaN(h.Score) || h.Score > nameAlone {
				t.Errorf("%.20q scores %v", name, h.Score)
			}
		}
	}
}
