package payback

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
)

var day0 = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func judgedOf(n int, confirmed, wrong polder.Seq) Judged {
	return Judged{Ref: exchange.Ref{ID: fmt.Sprintf("indicator--%d", n)}, Type: "indicator", Observed: day0, Shared: day0, Confirmed: confirmed, False: wrong}
}

// TestQuality: what each part is worth, from objects of which the answer is plain.
func TestQuality(t *testing.T) {
	r := QualityRules()
	repeat := func(n int, change func(i int, j *Judged)) (all []Judged) {
		for i := range n {
			j := judgedOf(i, 1, 0)
			change(i, &j)
			all = append(all, j)
		}
		return all
	}
	for _, c := range []struct {
		why  string
		all  []Judged
		want int // -1 for none
	}{
		{"nothing", nil, -1},
		{"four judged objects", repeat(4, func(int, *Judged) {}), -1},
		{"a hundred of which four are judged", repeat(100, func(i int, j *Judged) {
			if i >= 4 {
				j.Confirmed = 0
			}
		}), -1},
		{"five that are not knowledge", repeat(5, func(_ int, j *Judged) { j.Type = "identity" }), -1},
		{"at once, confirmed, never wrong, without context", repeat(5, func(int, *Judged) {}), 80},
		{"with all context", repeat(5, func(_ int, j *Judged) { j.Context = 31 }), 100},
		{"valid_until is not asked of malware", repeat(5, func(_ int, j *Judged) { j.Type, j.Context = "malware", 15 }), 100},
		{"a day later still counts as at once", repeat(5, func(_ int, j *Judged) { j.Shared, j.Context = day0.Add(24*time.Hour), 31 }), 100},
		{"a month later does not", repeat(5, func(_ int, j *Judged) { j.Shared, j.Context = day0.Add(30*24*time.Hour), 31 }), 75},
		{"all wrong", repeat(5, func(_ int, j *Judged) { j.Confirmed, j.False, j.Context = 0, 1, 31 }), 45},
		{"called wrong and confirmed after that", repeat(5, func(_ int, j *Judged) { j.Confirmed, j.False, j.Context = 2, 1, 31 }), 100},
		{"one of ten wrong halves the last part", repeat(10, func(i int, j *Judged) {
			j.Context = 31
			if i == 0 {
				j.Confirmed, j.False = 0, 1
			}
		}), 87},
	} {
		s := r.Score(c.all)
		if got := s.Value; s.Known != (c.want >= 0) || s.Known && got != c.want || !s.Known && (got != 0 || len(s.Parts) != 0) {
			t.Errorf("%s: %d (known %v), want %d", c.why, got, s.Known, c.want)
		}
	}
}

func drawJudged(t *rapid.T) []Judged {
	n := rapid.IntRange(0, 30).Draw(t, "n")
	out := make([]Judged, n)
	for i := range out {
		out[i] = judgedOf(i, polder.Seq(rapid.IntRange(0, 3).Draw(t, "confirmed")), polder.Seq(rapid.IntRange(0, 3).Draw(t, "false")))
		out[i].Shared = day0.Add(time.Duration(rapid.IntRange(-100, 2000).Draw(t, "hours")) * time.Hour)
		out[i].Context = rapid.IntRange(0, 31).Draw(t, "context")
		out[i].Type = rapid.SampledFrom([]string{"indicator", "malware", "identity"}).Draw(t, "type")
	}
	return out
}

// TestQualityLaws: the score lies between 0 and 100 and is the sum of its parts; order counts for nothing; a confirmation
// never lowers it, a false positive never raises it; without enough evidence there is none.
func TestQualityLaws(t *testing.T) {
	r := QualityRules()
	rapid.Check(t, func(t *rapid.T) {
		all := drawJudged(t)
		s := r.Score(all)
		sum := 0.0
		for _, p := range s.Parts {
			if p.Value < 0 || p.Value > 1 || p.Points < 0 || p.Points > float64(p.Weight) || len(p.Behind) > maxBehind {
				t.Fatalf("part %+v", p)
			}
			sum += p.Points
		}
		if s.Known != (s.Judged >= r.Least) || s.Value < 0 || s.Value > 100 || s.Known && int(sum+0.5) != s.Value {
			t.Fatalf("score %+v of parts %v", s, sum)
		}
		turned := slices.Clone(all)
		slices.Reverse(turned)
		if got := r.Score(turned); fmt.Sprint(got.Value, got.Judged, got.Objects) != fmt.Sprint(s.Value, s.Judged, s.Objects) {
			t.Fatalf("in another order %d, before %d", got.Value, s.Value)
		}
		if len(all) == 0 || !s.Known {
			return
		}
		i := rapid.IntRange(0, len(all)-1).Draw(t, "which")
		better, worse := slices.Clone(all), slices.Clone(all)
		better[i].Confirmed, worse[i].False = 9, 9
		if got := r.Score(better); got.Value < s.Value {
			t.Fatalf("a confirmation lowers %d to %d", s.Value, got.Value)
		}
		if got := r.Score(worse); got.Value > s.Value {
			t.Fatalf("a false positive raises %d to %d", s.Value, got.Value)
		}
	})
}

// TestRules: rules that would mislead are refused.
func TestRules(t *testing.T) {
	text := string(qualityText)
	for _, c := range []struct{ was, is, why string }{
		{"least: 5", "least: 4", "a number from four judged objects"}, {"weight: 25", "weight: 26", "weights that do not add up"}, {"version: 1", "version: 9", "another form"},
		{"name: confirmed", "name: timeliness", "a part twice"}, {"name: confirmed", "name: country", "a part that no rule knows"}, {"worst: 0.2", "worst: 0", "a division by nothing"},
		{"none_days: 30", "none_days: 1", "no way from all to nothing"}, {"items: [description", "items: [country", "an item that no rule knows"}, {"least: 5", "least: 5\nbonus: 3", "a word that no rule has"},
	} {
		if _, err := parseRules([]byte(strings.Replace(text, c.was, c.is, 1))); err == nil {
			t.Errorf("%s is read", c.why)
		}
	}
}

// FuzzRules: no file of rules brings the program down, and what is read scores within bounds.
func FuzzRules(f *testing.F) {
	f.Add(qualityText)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRules(text)
		if err != nil {
			return
		}
		var all []Judged
		for i := range 200 {
			all = append(all, judgedOf(i, polder.Seq(i%3), polder.Seq(i%2)))
		}
		if s := r.Score(all); s.Value < 0 || s.Value > 100 {
			t.Fatalf("score %d", s.Value)
		}
	})
}
