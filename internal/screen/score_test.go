package screen

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

func TestBirth(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want string // up: raises, down: lowers, "": not read
		why  string
	}{
		{"1961-04-30", "1961-04-30", "up 0.80", "the same day"},
		{"1961-04", "1961-04-30", "up 0.60", "the day is not known on one side"},
		{"1961", "1961-04-30", "up 0.35", "the year alone"},
		{"1961-01-01", "1961-04-30", "up 0.35", "lists write 1 January when they know the year alone"},
		{"1961-04-05", "1961-05-04", "up 0.50", "day and month the other way round"},
		{"1961-04-30", "1961-04-13", "up 0.10", "one of day and month differs"},
		{"1961-04-30", "1961-09-12", "down 0.95", "another day of the year"},
		{"1961", "circa 1962", "up 0.20", "a year beside one that is only known about"},
		{"ca. 1960", "circa 1962", "up 0.20", "both are only known about"},
		{"1961", "1962", "down 0.92", "a year beside"},
		{"1961-04-30", "1971-04-30", "down 0.92", "a slip in the year alone"},
		{"1961", "1964", "down 0.84", "some years"},
		{"1961", "1971", "down 0.74", "far away"},
		{"1961", "1960/1965", "up 0.20", "within a range"},
		{"1961", "1960-1965", "up 0.20", "within a range, written otherwise"},
		{"1959", "circa 1960/1965", "up 0.20", "a year beside a range that is only known about"},
		{"1970", "1960/1965", "down 0.84", "beside a range"},
		{"1980", "1960/1965", "down 0.74", "far from a range"},
		{"1961-13-30", "1961", "", "no month"}, {"0000", "1961", "", "no year"}, {"spring 1961", "1961", "", "words"}, {"1965/1960", "1961", "", "a range that ends before it begins"},
	} {
		a, okA := parseBirth(c.a)
		b, okB := parseBirth(c.b)
		if !okA || !okB {
			if c.want != "" {
				t.Errorf("%s and %s: not read", c.a, c.b)
			}
			continue
		}
		for _, m := range []move{a.meets(b), b.meets(a)} {
			got := "up " + fixed(m.raise)
			if m.lower > 0 {
				got = "down " + fixed(m.lower)
			}
			if got != c.want {
				t.Errorf("%s and %s: %s, want %s: %s", c.a, c.b, got, c.want, c.why)
			}
			if m.how == "" || m.why == "" {
				t.Errorf("%s and %s: no words", c.a, c.b)
			}
		}
	}
}

func fixed(x float64) string { return fmt.Sprintf("%.2f", x) }

func TestIdentifiers(t *testing.T) {
	for _, c := range []struct {
		asked, listed lists.Identifier
		want          string
		why           string
	}{
		{lists.Identifier{Kind: "lei", Value: "5493001KJTIIGC8Y1R12"}, lists.Identifier{Kind: "lei", Value: "5493 001K JTII GC8Y 1R12"}, "decides", "spaces do not matter"},
		{lists.Identifier{Kind: "imo", Value: "9074729"}, lists.Identifier{Kind: "imo", Value: "IMO 9074729"}, "decides", "the word IMO does not matter"},
		{lists.Identifier{Kind: "imo", Value: "9074729"}, lists.Identifier{Kind: "imo", Value: "9319466"}, "down 0.55", "another ship"},
		{lists.Identifier{Kind: "registration", Value: "12345678", Country: "NL"}, lists.Identifier{Kind: "registration", Value: "12345678", Country: "BE"}, "", "registers of two countries"},
		{lists.Identifier{Kind: "registration", Value: "12345678", Country: "NL"}, lists.Identifier{Kind: "registration", Value: "12345678"}, "decides", "one side does not say the country"},
		{lists.Identifier{Kind: "registration", Value: "12345678", Country: "NL"}, lists.Identifier{Kind: "registration", Value: "87654321", Country: "NL"}, "down 0.60", "another firm of one register"},
		{lists.Identifier{Kind: "registration", Value: "12345678", Country: "NL"}, lists.Identifier{Kind: "registration", Value: "87654321"}, "down 0.85", "perhaps of another register"},
		{lists.Identifier{Kind: "passport", Value: "XN12345"}, lists.Identifier{Kind: "passport", Value: "YB99999"}, "", "people have several passports"},
		{lists.Identifier{Kind: "other", Value: "778899"}, lists.Identifier{Kind: "other", Value: "778899"}, "up 0.30", "a number of no known kind never decides"},
		{lists.Identifier{Kind: "tax", Value: "0000000"}, lists.Identifier{Kind: "tax", Value: "0000000"}, "", "a filler is no number"},
		{lists.Identifier{Kind: "tax", Value: "n/a"}, lists.Identifier{Kind: "tax", Value: "n/a"}, "", "a filler is no number"},
		{lists.Identifier{Kind: "lei", Value: "5493001KJTIIGC8Y1R12"}, lists.Identifier{Kind: "tax", Value: "5493001KJTIIGC8Y1R12"}, "", "two kinds are not compared"},
		{lists.Identifier{Kind: "bic", Value: "ABNANL2AXXX"}, lists.Identifier{Kind: "bic", Value: "ABNANL2A"}, "decides", "the head office, written in full"},
	} {
		q := newAsked(Query{Name: "x", Identifiers: []lists.Identifier{c.asked}})
		m, ok := q.compareIdentifiers(&lists.Entry{Identifiers: []lists.Identifier{c.listed}})
		got := ""
		switch {
		case !ok:
		case m.decide:
			got = "decides"
		case m.lower > 0:
			got = "down " + fixed(m.lower)
		default:
			got = "up " + fixed(m.raise)
		}
		if got != c.want {
			t.Errorf("%v and %v: %q, want %q: %s", c.asked, c.listed, got, c.want, c.why)
		}
	}
	if q := newAsked(Query{Identifiers: []lists.Identifier{{Kind: "lei", Value: "5493001KJTIIGC8Y1R12"}, {Kind: "bank account", Value: "12345"}}}); len(q.ids) != 1 {
		t.Errorf("%d identifiers are compared, want 1: an unknown kind is none", len(q.ids))
	}
}

func TestParseIdentifier(t *testing.T) {
	for text, want := range map[string]string{
		"lei:5493001KJTIIGC8Y1R12": "lei//5493001KJTIIGC8Y1R12", "registration:NL:12345678": "registration/NL/12345678", " IMO : 9074729": "imo//9074729",
		"tax:NL": "", "phone:123456": "", "5493001KJTIIGC8Y1R12": "", "": "", "lei:": "",
	} {
		id, err := ParseIdentifier(text)
		got := ""
		if err == nil {
			got = id.Kind + "/" + id.Country + "/" + id.Value
		}
		if got != want {
			t.Errorf("%q: %q (%v), want %q", text, got, err, want)
		}
	}
}

func TestCountries(t *testing.T) {
	for _, c := range []struct {
		query  Query
		entry  lists.Entry
		factor string
		why    string
	}{
		{Query{Country: "CN", Type: names.Company}, lists.Entry{Countries: []string{"HK", "CN"}}, "up", "one of its countries"},
		{Query{Country: "China"}, lists.Entry{Countries: []string{"CN"}}, "up", "a country by its name"},
		{Query{Country: "NL"}, lists.Entry{Countries: []string{"CN"}, Type: names.Company}, "down", "another country"},
		{Query{Country: "NL"}, lists.Entry{Countries: []string{"CN"}, Type: names.Person}, "", "people move"},
		{Query{Country: "NL", Type: names.Person}, lists.Entry{Countries: []string{"CN"}}, "", "people move"},
		{Query{Country: "NL"}, lists.Entry{}, "", "not known"},
		{Query{}, lists.Entry{Countries: []string{"CN"}}, "", "not asked"},
		{Query{Country: "NL"}, lists.Entry{Countries: []string{"somewhere in the east"}}, "", "not known which"},
	} {
		m, ok := newAsked(c.query).compareCountry(&c.entry)
		got := ""
		if ok && m.raise > 0 {
			got = "up"
		} else if ok && m.lower > 0 {
			got = "down"
		}
		if got != c.factor {
			t.Errorf("%v against %v: %q, want %q: %s", c.query.Country, c.entry.Countries, got, c.factor, c.why)
		}
	}
}

// drawMoves draws what may be known beside a name.
func drawMoves(t *rapid.T) []move {
	kinds := []move{
		{raise: raiseBirthDay}, {raise: raiseBirthYear}, {lower: lowerBirthFar}, {raise: raiseCountry}, {lower: lowerCountry}, {lower: lowerWeak}, {lower: lowerType},
		{raise: raiseOtherID}, {lower: 0.55}, {decide: true},
	}
	return rapid.SliceOfN(rapid.SampledFrom(kinds), 0, 5).Draw(t, "moves")
}

// TestScoreLaws: the score rises with the name's, stays within 0 to 1 and is a number; an identifier decides.
func TestScoreLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moves := drawMoves(t)
		a, b := rapid.Float64().Draw(t, "a"), rapid.Float64Range(0, 1).Draw(t, "b")
		x, y := scored(a, moves), scored(b, moves)
		if math.IsNaN(x) || x < 0 || x > 1 || a <= b && x > y || a >= b && x < y {
			t.Fatalf("%v gives %v, %v gives %v", a, x, b, y)
		}
		if n := len(moves); n > 0 && moves[n-1].decide && x < decided {
			t.Fatalf("an identifier that decides gives %v", x)
		}
	})
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 2} {
		if s := scored(x, []move{{raise: raiseBirthDay}}); !(s >= 0 && s <= 1) {
			t.Errorf("%v gives %v", x, s)
		}
	}
}

// TestPointsAddUp: the points of the parts add up to the score.
func TestPointsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moves := drawMoves(t)
		name := rapid.Float64Range(0, 1).Draw(t, "name")
		parts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) names.Part {
			return names.Part{Kind: "word", A: "a", B: "b", Score: rapid.Float64Range(0, 1).Draw(t, "score"), Share: rapid.Float64Range(0, 1).Draw(t, "share")}
		}), 1, 8).Draw(t, "parts")
		score := scored(name, moves)
		sum := 0.0
		for _, p := range pointed(parts, name, moves, score) {
			sum += p.Points
		}
		if math.Abs(sum-score) > 1e-6 {
			t.Fatalf("the parts add up to %v, the score is %v", sum, score)
		}
	})
}
