package names

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// The size of the balanced list and of what is asked of it, and how unequal rates may be.
const (
	paritySeeds  = 4    // lists, each with probes of its own
	parityListed = 400  // names of each origin on each list
	parityProbes = 520  // innocent names of each origin that each list is asked
	parityRatio  = 1.25 // highest rate to lowest
	parityAlpha  = 0.01 // of the test that they differ, for all pairs of origins together
)

// parityThresholds are the one that stops about one innocent name in a hundred, two above it, and one that is
// high; rates at the last are only logged, since few meet at all.
var parityThresholds = []float64{0.42, 0.45, 0.50, 0.60}

// origin is where names of testdata/origins.tsv are common.
type origin struct {
	name               string
	women, men, family []string
}

// readOrigins reads testdata/origins.tsv.
func readOrigins(t testing.TB) []origin {
	t.Helper()
	text, err := os.ReadFile("testdata/origins.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var all []origin
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 3 {
			t.Fatalf("origins.tsv: %q: want origin, part, names", line)
		}
		if len(all) == 0 || all[len(all)-1].name != f[0] {
			all = append(all, origin{name: f[0]})
		}
		o := &all[len(all)-1]
		switch names := strings.Split(f[2], ", "); f[1] {
		case "women":
			o.women = names
		case "men":
			o.men = names
		case "family":
			o.family = names
		default:
			t.Fatalf("origins.tsv: %q: want women, men or family", f[1])
		}
	}
	for _, o := range all {
		if len(o.women)+len(o.men) < 60 || len(o.family) < 120 {
			t.Fatalf("origins.tsv: %s has %d given names and %d family names; want 60 and 120", o.name, len(o.women)+len(o.men), len(o.family))
		}
	}
	return all
}

// draw chooses one of all: each as likely, or the first more often, as names in life are.
type draw func(r *rand.Rand, all []string) string

func drawEvenly(r *rand.Rand, all []string) string { return all[r.IntN(len(all))] }

func drawAsInLife(r *rand.Rand, all []string) string {
	for {
		if i := r.IntN(len(all)); r.Float64() < 1/math.Sqrt(float64(i+1)) {
			return all[i]
		}
	}
}

// person is a name of an origin: the family name apart from the rest. Half the names are long where long is set: as
// people there bear names beside these two. Only names of one shape can be compared across origins.
func (o origin) person(r *rand.Rand, d draw, long bool) (given, family string) {
	woman := r.IntN(2) == 0
	own := pickNames(woman, o.women, o.men)
	given, family = d(r, own), d(r, o.family)
	long = long && r.IntN(2) == 0
	switch o.name {
	case "russian":
		if long {
			given += " " + patronymic(d(r, o.men), woman)
		}
		if woman {
			family += "a"
		}
	case "spanish":
		if long {
			family += " " + d(r, o.family)
		}
	case "arabic", "indian":
		if long {
			given += " " + d(r, o.men)
		}
	case "vietnamese":
		if long {
			given = map[bool]string{true: "Thi ", false: "Van "}[woman] + given
		}
	case "chinese", "korean", "japanese": // no second given name
	default:
		if second := d(r, own); long && second != given {
			given += " " + second
		}
	}
	return given, family
}

func pickNames(yes bool, a, b []string) []string {
	if yes {
		return a
	}
	return b
}

// patronymic is the father's name as a Russian bears it.
func patronymic(father string, woman bool) string {
	stem := father + "ov"
	for _, end := range [...][2]string{{"iy", "iev"}, {"ey", "eev"}, {"ay", "aev"}, {"y", "iev"}, {"i", "iev"}} {
		if s, ok := strings.CutSuffix(father, end[0]); ok {
			stem = s + end[1]
			break
		}
	}
	return stem + map[bool]string{true: "na", false: "ich"}[woman]
}

// foldedSet is the words of a name as a set, to leave equal names out.
func foldedSet(name string) string {
	words := strings.FieldsFunc(fold(name), func(r rune) bool { return r == ' ' || r == ',' || r == '-' })
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

// parityRate is how many of the probes of an origin met somebody.
type parityRate struct {
	origin string
	hits   int
	asked  int
}

func (p parityRate) rate() float64 { return float64(p.hits) / float64(p.asked) }

// wilson is the 95 % interval of a rate.
func (p parityRate) wilson() (low, high float64) {
	const z = 1.96
	n, q := float64(p.asked), p.rate()
	mid := (q + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(q*(1-q)/n+z*z/(4*n*n))
	return max(0, mid-half), min(1, mid+half)
}

// differ is the chance of rates as different as these when they are one: the test of two proportions, two-sided.
func differ(a, b parityRate) float64 {
	pool := float64(a.hits+b.hits) / float64(a.asked+b.asked)
	if pool == 0 || pool == 1 {
		return 1
	}
	z := math.Abs(a.rate()-b.rate()) / math.Sqrt(pool*(1-pool)*(1/float64(a.asked)+1/float64(b.asked)))
	return math.Erfc(z / math.Sqrt2)
}

// balancedList puts the same number of names of each origin on a list, in the shapes that lists have, and makes probes
// of other names of the same pools.
func balancedList(origins []origin, d draw, long bool, seed uint64) (*Index, [][]string) {
	r := rand.New(rand.NewPCG(seed, 4711))
	b := NewBuilder()
	listed := map[string]bool{}
	ref := int32(0)
	for _, o := range origins {
		for n := 0; n < parityListed; {
			given, family := o.person(r, d, long)
			key := foldedSet(given + " " + family)
			if listed[key] {
				continue
			}
			listed[key] = true
			name := given + " " + family
			switch r.IntN(3) {
			case 0:
				name = strings.ToUpper(family) + ", " + given
			case 1:
				name = family + " " + given
			}
			b.Add(ref, name, Person)
			ref++
			n++
		}
	}
	probes := make([][]string, len(origins))
	for i, o := range origins {
		asked := map[string]bool{}
		for len(probes[i]) < parityProbes {
			given, family := o.person(r, d, long)
			key := foldedSet(given + " " + family)
			if listed[key] || asked[key] {
				continue
			}
			asked[key] = true
			probes[i] = append(probes[i], given+" "+family)
		}
	}
	return b.Index(), probes
}

// TestParity holds that innocent names of every origin meet a balanced list equally seldom, over several lists together.
func TestParity(t *testing.T) {
	origins := readOrigins(t)
	if len(origins) < 12 {
		t.Fatalf("origins.tsv has %d origins; want 12", len(origins))
	}
	for _, c := range []struct {
		name  string
		draw  draw
		long  bool
		seeds uint64
		hold  bool // else the rates are only logged: origins differ in how many share a name, and how many names one bears
	}{
		{"evenly", drawEvenly, false, paritySeeds, true},
		{"as in life", drawAsInLife, false, paritySeeds, false},
		{"long names", drawEvenly, true, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			best := make([][]Found, len(origins))
			names := make([][]string, len(origins))
			for seed := range c.seeds {
				x, probes := balancedList(origins, c.draw, c.long, seed+1)
				for i := range origins {
					found, met := askAll(x, probes[i])
					best[i], names[i] = append(best[i], found...), append(names[i], met...)
				}
			}
			for k, threshold := range parityThresholds {
				checkParity(t, origins, best, threshold, c.hold && k < len(parityThresholds)-1)
			}
			for i, o := range origins {
				slices.SortFunc(names[i], func(a, b string) int { return cmp.Compare(b, a) })
				t.Logf("%s: %s", o.name, strings.Join(names[i][:min(8, len(names[i]))], " | "))
			}
		})
	}
}

// askAll is the best that each of the probes met, and which those were.
func askAll(x *Index, probes []string) (best []Found, met []string) {
	for _, p := range probes {
		f := Found{Ref: -1}
		if found := x.Search(Parse(p, Person), parityThresholds[0], 1); len(found) > 0 {
			f = found[0]
			met = append(met, fmt.Sprintf("%.2f %s = %s", f.Score, p, x.Name(f).Text))
		}
		best = append(best, f)
	}
	return best, met
}

// checkParity logs the rates at a threshold and, where hold is set, fails when those of two origins differ by more than
// chance and by more than is allowed.
func checkParity(t *testing.T, origins []origin, best [][]Found, threshold float64, hold bool) {
	t.Helper()
	rates := make([]parityRate, len(origins))
	for i, o := range origins {
		rates[i] = parityRate{origin: o.name, asked: len(best[i])}
		for _, f := range best[i] {
			if f.Ref >= 0 && f.Score >= threshold {
				rates[i].hits++
			}
		}
	}
	slices.SortFunc(rates, func(a, b parityRate) int { return cmp.Compare(b.hits, a.hits) })
	var table strings.Builder
	for _, p := range rates {
		low, high := p.wilson()
		fmt.Fprintf(&table, "\n  %-12s %4d of %d  %5.2f %% (%.2f–%.2f)", p.origin, p.hits, p.asked, 100*p.rate(), 100*low, 100*high)
	}
	t.Logf("threshold %.2f:%s", threshold, table.String())
	if !hold {
		return
	}
	pairs := float64(len(rates) * (len(rates) - 1) / 2)
	for i, a := range rates {
		for _, b := range rates[i+1:] {
			if p := differ(a, b) * pairs; p < parityAlpha && a.rate() > parityRatio*b.rate() {
				t.Errorf("threshold %.2f: %s names meet %d of %d, %s names %d of %d: unequal (p = %.2g after correction)", threshold, a.origin, a.hits, a.asked, b.origin, b.hits, b.asked, p)
			}
		}
	}
}
