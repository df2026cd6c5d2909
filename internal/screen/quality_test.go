package screen

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/names"
)

// labelledQuery is a query of the real data whose listings are known; an innocuous one has none.
type labelledQuery struct {
	Cat   string   `json:"cat"`
	Query string   `json:"query"`
	Truth []string `json:"truth"`
	Type  string   `json:"type"`
}

// realList is the US Consolidated Screening List, indexed once for all tests.
var realList = sync.OnceValues(func() (*Screener, error) {
	l, err := lists.ReadPath(realPath, lists.ReadOptions{})
	if err != nil {
		return nil, err
	}
	return NewScreener(l), nil
})

var realPath string

func realScreener(t testing.TB) *Screener {
	realPath = testdata.File(t, "screen", "us_csl.jsonl")
	s, err := realList()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func labelledQueries(t testing.TB) []labelledQuery {
	f, err := os.Open(testdata.File(t, "screen", "queries_dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []labelledQuery
	for in := bufio.NewScanner(f); in.Scan(); {
		var q labelledQuery
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			t.Fatal(err)
		}
		out = append(out, q)
	}
	return out
}

// innocuous are names that nobody has listed: those of the two sets of negatives, and the innocuous queries.
func innocuous(t testing.TB) []labelledQuery {
	var out []labelledQuery
	for _, file := range []string{"negatives_global.csv", "negatives_us.csv"} {
		f, err := os.Open(testdata.File(t, "names", file))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			out = append(out, labelledQuery{Cat: file, Query: row[0]})
		}
	}
	for _, q := range labelledQueries(t) {
		if len(q.Truth) == 0 {
			out = append(out, q)
		}
	}
	return out
}

// realScores are the best scores of innocuous names and of the true listings of the others, by kind; first says how many
// of a kind had a true listing in the first place.
type realScores struct {
	innocent []float64
	found    map[string][]float64
	first    map[string]int
}

func (r *realScores) all() (out []float64) {
	for _, v := range r.found {
		out = append(out, v...)
	}
	return out
}

var scores struct {
	once sync.Once
	realScores
}

// measure asks the real list about all real queries, with the name alone, whatever their scores.
func measure(t *testing.T) *realScores {
	s := realScreener(t)
	scores.once.Do(func() {
		o := Options{Threshold: least, Limit: 20}
		scores.found, scores.first = map[string][]float64{}, map[string]int{}
		for _, q := range innocuous(t) {
			best := 0.0
			if a := s.Screen(Query{Name: q.Query}, o); len(a.Hits) > 0 {
				best = a.Hits[0].Score
			}
			scores.innocent = append(scores.innocent, best)
		}
		for _, q := range labelledQueries(t) {
			if len(q.Truth) == 0 {
				continue
			}
			best := 0.0
			for i, h := range s.Screen(Query{Name: q.Query}, o).Hits {
				if slices.Contains(q.Truth, h.ID) {
					if best = max(best, h.Score); i == 0 {
						scores.first[q.Cat]++
					}
				}
			}
			scores.found[q.Cat] = append(scores.found[q.Cat], best)
		}
	})
	return &scores.realScores
}

// reaching is the share of scores that reach a threshold, and how many do.
func reaching(all []float64, threshold float64) (share float64, n int) {
	for _, s := range all {
		if s >= threshold {
			n++
		}
	}
	return float64(n) / float64(max(len(all), 1)), n
}

// wilson is the interval in which a share lies that was measured as k of n, with 95 % confidence.
func wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.96
	p, m := float64(k)/float64(n), float64(n)
	middle, half := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return (middle - half) / (1 + z*z/m), (middle + half) / (1 + z*z/m)
}

func rate(k, n int) string {
	low, high := wilson(k, n)
	return fmt.Sprintf("%5.1f %% (%d of %d; %.1f to %.1f)", 100*float64(k)/float64(max(n, 1)), k, n, 100*low, 100*high)
}

// latin are the kinds of queries in Latin letters that the floor for them counts.
var latin = []string{"exact", "reorder", "typo1", "typo_multi", "alias", "drop_token", "legal_form", "spacing", "romanisation"}

// TestQuality holds the whole of screening, with names alone and the usual threshold, to what is promised.
func TestQuality(t *testing.T) {
	m := measure(t)
	_, stopped := reaching(m.innocent, DefaultThreshold)
	t.Logf("innocent names stopped at %.2f: %s", DefaultThreshold, rate(stopped, len(m.innocent)))
	if len(m.innocent) < 2000 || stopped*100 > len(m.innocent) {
		t.Errorf("%d of %d innocent names are stopped, more than 1 in 100", stopped, len(m.innocent))
	}
	var inLatin []float64
	for _, kind := range latin {
		inLatin = append(inLatin, m.found[kind]...)
	}
	for _, c := range []struct {
		name  string
		of    []float64
		floor float64
	}{
		{"all kinds", m.all(), 0.85}, {"Latin kinds", inLatin, 0.95}, {"Cyrillic", m.found["cross_ru"], 0.90},
		{"Arabic", m.found["cross_ar"], 0.70}, {"Han", m.found["cross_zh"], 0.60}, {"pinyin", m.found["pinyin"], 0.80},
	} {
		share, k := reaching(c.of, DefaultThreshold)
		t.Logf("%-12s found %s", c.name, rate(k, len(c.of)))
		if len(c.of) == 0 || share < c.floor {
			t.Errorf("%s: %.3f found, want %.2f", c.name, share, c.floor)
		}
	}
	for kind, of := range m.found {
		_, k := reaching(of, DefaultThreshold)
		t.Logf("  %-12s found %s; first %s", kind, rate(k, len(of)), rate(m.first[kind], len(of)))
	}
	for _, kind := range []string{"exact", "reorder", "typo1", "alias"} {
		if share := float64(m.first[kind]) / float64(len(m.found[kind])); share < 0.95 {
			t.Errorf("%s: in the first place %.3f, want 0.95", kind, share)
		}
	}
}

// TestMeaning measures the published table again: what a threshold is said to do, it does.
func TestMeaning(t *testing.T) {
	m := measure(t)
	var now []string
	for _, x := range Meanings() {
		stopped, _ := reaching(m.innocent, x.Threshold)
		found, _ := reaching(m.all(), x.Threshold)
		now = append(now, fmt.Sprintf("\t{%.2f, %.4f, %.3f},", x.Threshold, stopped, found))
		if math.Abs(stopped-x.Stopped) > max(0.002, 0.15*x.Stopped) || math.Abs(found-x.Found) > 0.015 {
			t.Errorf("%.2f: %.4f stopped and %.3f found, but the table says %.4f and %.3f", x.Threshold, stopped, found, x.Stopped, x.Found)
		}
	}
	t.Logf("the table as measured now:\n%s", strings.Join(now, "\n"))
}

// TestTypeLosesNothing asks with the type, as a person at the console does: the right type loses nothing.
func TestTypeLosesNothing(t *testing.T) {
	s := realScreener(t)
	asked, lost := 0, 0
	for _, q := range labelledQueries(t) {
		kind, err := names.ParseType(q.Type)
		if err != nil || kind == names.Any || len(q.Truth) == 0 {
			continue
		}
		has := func(kind names.Type) bool {
			return slices.ContainsFunc(s.Screen(Query{Name: q.Query, Type: kind}, Options{}).Hits, func(h Hit) bool { return slices.Contains(q.Truth, h.ID) })
		}
		if asked++; has(names.Any) && !has(kind) {
			lost++
			t.Logf("%s %q is lost when asked as %s", q.Cat, q.Query, kind)
		}
	}
	if lost*50 > asked {
		t.Errorf("%d of %d listings are lost when the right type is given", lost, asked)
	}
}

// BenchmarkScreen asks the real list about innocuous names and about listed ones, in turn, as screening does.
func BenchmarkScreen(b *testing.B) {
	s := realScreener(b)
	var qs []Query
	for _, q := range append(innocuous(b), labelledQueries(b)...) {
		qs = append(qs, Query{Name: q.Query})
	}
	took := make([]time.Duration, 0, 1<<16)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		began := time.Now() //house:allow time.Now: a benchmark measures
		s.Screen(qs[i%len(qs)], Options{})
		took = append(took, time.Since(began)) //house:allow time.Since: a benchmark measures
		i++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50/op")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99/op")
}
