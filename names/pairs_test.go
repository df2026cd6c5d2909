package names

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// labelled is a pair of names that people judged.
type labelled struct {
	a, b  string
	t     Type
	same  bool
	group string
}

// readPairs reads a CSV file of the real data, its first row included; lines that begin with # are passed over.
func readPairs(t testing.TB, elem ...string) [][]string {
	t.Helper()
	f, err := os.Open(testdata.File(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment, r.FieldsPerRecord = '#', -1
	rows, err := r.ReadAll()
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return rows
}

// benchPairs are the pairs of nomenklatura's name_bench.
func benchPairs(t testing.TB) []labelled {
	var out []labelled
	for _, r := range readPairs(t, "names", "nomenklatura_name_bench_cases.csv")[1:] {
		out = append(out, labelled{r[2], r[3], benchType(r[1]), r[4] == "true", r[0]})
	}
	return out
}

// siblingPairs are firms and ships that are alike and not the same.
func siblingPairs(t testing.TB) []labelled {
	var out []labelled
	for _, r := range readPairs(t, "names", "cascade_hard_negatives_subset.csv")[1:] {
		out = append(out, labelled{r[1], r[2], benchType(r[0]), r[3] == "true", r[4]})
	}
	return out
}

// benchType is our type for the word that the pairs use.
func benchType(schema string) Type {
	switch schema {
	case "Person":
		return Person
	case "Company", "Organization":
		return Company
	case "Vessel":
		return Vessel
	}
	return Any
}

// scoreAll scores pairs.
func scoreAll(pairs []labelled) []float64 {
	var s scorer
	out := make([]float64, len(pairs))
	for i, p := range pairs {
		out[i] = s.score(Parse(p.a, p.t), Parse(p.b, p.t))
	}
	return out
}

// rate is how well a threshold tells pairs apart.
type rate struct{ threshold, precision, recall, f1 float64 }

func (r rate) String() string {
	return fmt.Sprintf("at %.3f: precision %.3f, recall %.3f, F1 %.3f", r.threshold, r.precision, r.recall, r.f1)
}

// rateAt is the rate of one threshold.
func rateAt(pairs []labelled, scores []float64, threshold float64) rate {
	var hit, miss, wrong float64
	for i, p := range pairs {
		switch {
		case p.same && scores[i] >= threshold:
			hit++
		case p.same:
			miss++
		case scores[i] >= threshold:
			wrong++
		}
	}
	r := rate{threshold: threshold}
	if hit > 0 {
		r.precision, r.recall = hit/(hit+wrong), hit/(hit+miss)
		r.f1 = 2 * r.precision * r.recall / (r.precision + r.recall)
	}
	return r
}

// bestRate is the rate of the threshold with the greatest F1.
func bestRate(pairs []labelled, scores []float64) rate {
	sorted := slices.Clone(scores)
	slices.Sort(sorted)
	var best rate
	for _, v := range slices.Compact(sorted) {
		if r := rateAt(pairs, scores, v); r.f1 > best.f1 {
			best = r
		}
	}
	return best
}

func TestPairsNameBench(t *testing.T) {
	pairs := benchPairs(t)
	scores := scoreAll(pairs)
	best := bestRate(pairs, scores)
	t.Logf("%d pairs, best %v", len(pairs), best)
	for _, v := range []float64{0.5, 0.6, 0.7, 0.8, 0.85, 0.9} {
		t.Logf("  %v", rateAt(pairs, scores, v))
	}
	if best.f1 <= 0.80 {
		t.Errorf("best F1 %.3f, want more than 0.80", best.f1)
	}
}

func TestPairsReliability(t *testing.T) {
	pairs := append(benchPairs(t), siblingPairs(t)...)
	table, off := reliability(pairs, scoreAll(pairs))
	t.Log("\n" + table)
	if off > 0.08 {
		t.Errorf("scores are %.3f off what they say on average, want at most 0.08", off)
	}
}

// TestPairsSiblings reports firms and ships that are alike and not the same: how many score as high as true variants do.
func TestPairsSiblings(t *testing.T) {
	pairs := siblingPairs(t)
	scores := scoreAll(pairs)
	var high [3]int
	for i, p := range pairs {
		for k, v := range []float64{0.5, 0.7, 0.9} {
			if scores[i] >= v {
				high[k]++
			}
		}
		if scores[i] >= 0.5 {
			t.Logf("%.3f %s: %s | %s", scores[i], p.group, p.a, p.b)
		}
	}
	t.Logf("of %d traps %d score at least 0.5, %d at least 0.7, %d at least 0.9", len(pairs), high[0], high[1], high[2])
	if high[0] > len(pairs)/3 {
		t.Errorf("%d of %d traps score at least 0.5, want at most a third", high[0], len(pairs))
	}
}

// TestPairsUN compares the names of the UN list with the same names as they are often written.
func TestPairsUN(t *testing.T) {
	plain := readPairs(t, "names", "positives_un_untreated.csv")[1:]
	treated := readPairs(t, "names", "positives_un_treated.csv")[1:]
	if len(plain) != len(treated) {
		t.Fatalf("%d and %d rows", len(plain), len(treated))
	}
	var s scorer
	n, hit, wrong := 0, 0, 0
	for i, r := range treated {
		a := Parse(r[0], Person)
		if r[0] != plain[i][0] {
			n++
			if v := s.score(a, Parse(plain[i][0], Person)); v >= 0.5 {
				hit++
			} else if n%40 == 0 {
				t.Logf("%.3f %s | %s", v, r[0], plain[i][0])
			}
		}
		if v := s.score(a, Parse(plain[(i+137)%len(plain)][0], Person)); v >= 0.5 {
			wrong++
		}
	}
	t.Logf("at 0.5: %d of %d changed names meet their own, %d of %d meet another's", hit, n, wrong, len(plain))
	if hit < n*90/100 || wrong > len(plain)/100 {
		t.Errorf("at 0.5: %d of %d meet their own (want 90 %%), %d of %d another's (want at most 1 %%)", hit, n, wrong, len(plain))
	}
}

// TestPairsAcrossScripts compares names with their romanisations.
func TestPairsAcrossScripts(t *testing.T) {
	rows := readPairs(t, "names", "watchman_cross_script_pairs.csv")
	var s scorer
	hit := 0
	for _, r := range rows {
		if v := s.score(Parse(r[0], Person), Parse(r[1], Person)); v >= 0.5 {
			hit++
		} else {
			t.Logf("%.3f %s | %s", v, r[0], r[1])
		}
	}
	t.Logf("at 0.5: %d of %d", hit, len(rows))
	if hit < len(rows)*3/4 {
		t.Errorf("%d of %d pairs of two scripts score at least 0.7, want 85 %%", hit, len(rows))
	}
}

// reliability is a table of what scores mean: of the pairs in each tenth, how many are the same, and what their mean
// score said.
func reliability(pairs []labelled, scores []float64) (table string, off float64) {
	var n, same [10]int
	var sum [10]float64
	for i, p := range pairs {
		k := min(9, int(scores[i]*10))
		n[k]++
		sum[k] += scores[i]
		if p.same {
			same[k]++
		}
	}
	var b strings.Builder
	b.WriteString("score      pairs  mean score  same\n")
	for k := range n {
		if n[k] == 0 {
			continue
		}
		mean, share := sum[k]/float64(n[k]), float64(same[k])/float64(n[k])
		off += math.Abs(mean-share) * float64(n[k]) / float64(len(pairs))
		fmt.Fprintf(&b, "%.1f–%.1f  %5d  %10.3f  %.3f\n", float64(k)/10, float64(k+1)/10, n[k], mean, share)
	}
	fmt.Fprintf(&b, "mean distance %.3f\n", off)
	return b.String(), off
}
