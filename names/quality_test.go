package names

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// listing is a party of the list that quality is measured on: the US Consolidated Screening List.
type listing struct {
	ID      string
	Name    string
	Aliases []string
	Type    string
}

func (l listing) names() []string { return append([]string{l.Name}, l.Aliases...) }

func (l listing) kind() Type {
	switch l.Type {
	case "person":
		return Person
	case "entity":
		return Company
	case "vessel", "aircraft":
		return Vessel
	}
	return Any
}

// question is a labelled query: the listings that are right answers, none of an innocuous name.
type question struct {
	QID    string
	Cat    string
	Query  string
	Truth  []string
	Listed string `json:"listed_name"`
}

func readLines[T any](t testing.TB, elem ...string) (out []T) {
	t.Helper()
	f, err := os.Open(testdata.File(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func readCells(t testing.TB, elem ...string) (rows []map[string]string) {
	t.Helper()
	f, err := os.Open(testdata.File(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// theList is the list once it was indexed for a test; tests of this package run one after the other.
var theList struct {
	parties []listing
	index   *Index
}

// listed is the list, indexed: the ref of a name is the place of its party.
func listed(t testing.TB) ([]listing, *Index) {
	t.Helper()
	if theList.index == nil {
		theList.parties, theList.index = indexList(t)
	}
	return theList.parties, theList.index
}

// indexList reads the list from its file and indexes it.
func indexList(t testing.TB) ([]listing, *Index) {
	t.Helper()
	parties := readLines[listing](t, "screen", "us_csl.jsonl")
	b := NewBuilder()
	for i, p := range parties {
		for _, name := range p.names() {
			b.Add(int32(i), name, p.kind())
		}
	}
	return parties, b.Index()
}

// innocuous are names of nobody on the list, after those among the questions.
func innocuous(t testing.TB) (out []string) {
	t.Helper()
	for _, file := range []string{"negatives_global.csv", "negatives_us.csv"} {
		for _, row := range readCells(t, "names", file) {
			out = append(out, row["full_name"])
		}
	}
	return out
}

// proportion is a share with its 95 % Wilson interval.
type proportion struct{ n, of int }

func (r *proportion) add(ok bool) {
	r.of++
	if ok {
		r.n++
	}
}

func (r proportion) share() float64 { return float64(r.n) / float64(max(r.of, 1)) }

func (r proportion) String() string {
	if r.of == 0 {
		return "none"
	}
	const z = 1.96
	n, p := float64(r.of), r.share()
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return fmt.Sprintf("%5.1f %% of %4d (%.1f to %.1f)", 100*p, r.of, 100*max(mid-half, 0), 100*min(mid+half, 1))
}

// asked is a question with what became of it.
type asked struct {
	question
	compared bool    // a right answer was among the names that were compared
	first    bool    // the best answer is right
	right    float64 // the score of the best right answer; 0 for none
	best     float64 // of any answer
	met      string  // the name that met best
}

// ask puts a question to the index.
func ask(x *Index, parties []listing, q question) asked {
	a := asked{question: q}
	n := Parse(q.Query, Any)
	const low = 0.3
	s := newSearch(x)
	s.begin(n, low)
	s.gather()
	for _, c := range s.chosen {
		a.compared = a.compared || slices.Contains(q.Truth, parties[x.refs[c.name]].ID)
	}
	for i, f := range s.compare(50) {
		right := slices.Contains(q.Truth, parties[f.Ref].ID)
		if i == 0 {
			a.first, a.best, a.met = right, f.Score, x.Name(f).Text
		}
		if right {
			a.right = max(a.right, f.Score)
		}
	}
	return a
}

// thresholdFor is the lowest threshold that stops at most a share of the innocuous.
func thresholdFor(innocent []asked, share float64) float64 {
	scores := make([]float64, 0, len(innocent))
	for _, a := range innocent {
		scores = append(scores, a.best)
	}
	slices.SortFunc(scores, func(a, b float64) int { return -1 * cmpFloat(a, b) })
	return math.Nextafter(scores[int(share*float64(len(scores)))], 2)
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

var latinKinds = []string{"exact", "reorder", "typo1", "typo_multi", "alias", "drop_token", "legal_form", "spacing", "romanisation", "pinyin"}

// crossScript are the labelled pairs of one name in two scripts, one of them Latin, by the script of the other.
func crossScript(t testing.TB) map[Script][][2]string {
	t.Helper()
	out := map[Script][][2]string{}
	add := func(a, b string) {
		sa, sb := mainScript(a), mainScript(b)
		if sa == Latin && sb != Latin {
			a, b, sa, sb = b, a, sb, sa
		}
		if sa != Latin && sb == Latin {
			out[sa] = append(out[sa], [2]string{a, b})
		}
	}
	for _, row := range readCells(t, "names", "nomenklatura_name_bench_cases.csv") {
		if row["is_match"] == "true" {
			add(row["name1"], row["name2"])
		}
	}
	text, err := os.ReadFile(testdata.File(t, "names", "watchman_cross_script_pairs.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, ","); len(cells) == 4 && !strings.HasPrefix(line, "#") {
			add(cells[0], cells[1])
		}
	}
	return out
}

// mainScript is the script of the first letter.
func mainScript(s string) Script {
	for _, w := range Parse(s, Any).Words {
		return w.Script
	}
	return OtherScript
}

// TestQualityOnTheConsolidatedList measures the whole, retrieval and score, at the threshold that stops 1 % of names of
// nobody on the list.
func TestQualityOnTheConsolidatedList(t *testing.T) {
	parties, x := listed(t)
	var truths, innocent []asked
	for _, q := range readLines[question](t, "screen", "queries_dev.jsonl") {
		if a := ask(x, parties, q); len(q.Truth) > 0 {
			truths = append(truths, a)
		} else {
			innocent = append(innocent, a)
		}
	}
	for _, name := range innocuous(t) {
		innocent = append(innocent, ask(x, parties, question{Query: name, Cat: "negative"}))
	}
	if len(innocent) < 2000 {
		t.Fatalf("only %d innocuous names", len(innocent))
	}
	threshold := thresholdFor(innocent, 0.01)
	t.Logf("threshold %.4f stops 1 %% of %d innocuous names", threshold, len(innocent))
	m := measured{threshold: threshold}
	for _, a := range truths {
		m.add(a)
	}
	for script, pairs := range crossScript(t) {
		for _, p := range pairs {
			m.addPair(script, p)
		}
	}
	m.log(t)
	m.check(t)
	for _, a := range innocent {
		if a.best >= threshold {
			t.Logf("false hit %.3f %s %q met %q", a.best, a.Cat, a.Query, a.met)
		}
	}
}

// measured is what came of the questions, by kind.
type measured struct {
	threshold                float64
	recall, first, retrieval map[string]*proportion
	misses                   []string
}

func (m *measured) add(a asked) {
	hit := a.right >= m.threshold
	kinds := []string{"all", a.Cat}
	if strings.HasPrefix(a.Cat, "cross_") {
		count(&m.recall, a.Cat+" with pairs", hit)
	}
	if slices.Contains(latinKinds, a.Cat) {
		kinds = append(kinds, "latin")
	}
	if slices.Contains([]string{"exact", "reorder", "typo1", "alias"}, a.Cat) {
		kinds = append(kinds, "plain")
	}
	for _, kind := range kinds {
		count(&m.recall, kind, hit)
		count(&m.first, kind, a.first)
		count(&m.retrieval, kind, a.compared)
	}
	if !hit || !a.first {
		m.misses = append(m.misses, fmt.Sprintf("%-12s compared=%-5v right=%.3f best=%.3f %q is %q, met %q",
			a.Cat, a.compared, a.right, a.best, a.Query, a.Listed, a.met))
	}
}

var pooled = map[Script]string{Cyrillic: "cross_ru", Arabic: "cross_ar", Han: "cross_zh"}

func (m *measured) addPair(s Script, p [2]string) {
	score := Compare(Parse(p[0], Any), Parse(p[1], Any)).Score
	kind := pooled[s]
	if kind == "" {
		kind = "other script"
	}
	count(&m.recall, kind+" with pairs", score >= m.threshold)
	if score < m.threshold {
		m.misses = append(m.misses, fmt.Sprintf("pair %-12s %.3f %q %q", kind, score, p[0], p[1]))
	}
}

func count(rates *map[string]*proportion, kind string, ok bool) {
	if *rates == nil {
		*rates = map[string]*proportion{}
	}
	if (*rates)[kind] == nil {
		(*rates)[kind] = &proportion{}
	}
	(*rates)[kind].add(ok)
}

func (m *measured) log(t *testing.T) {
	for _, kind := range sortedKinds(m.recall) {
		line := fmt.Sprintf("%-20s recall %v", kind, *m.recall[kind])
		if m.first[kind] != nil {
			line += fmt.Sprintf("  first %v  compared %v", *m.first[kind], *m.retrieval[kind])
		}
		t.Log(line)
	}
	slices.Sort(m.misses)
	for _, miss := range m.misses {
		t.Log(miss)
	}
}

// floors are what must be kept of each kind, small kinds together with the labelled pairs of their script.
var floors = []struct {
	kind                     string
	recall, first, retrieval float64
}{
	{"all", 0.85, 0, 0.97},
	{"latin", 0.95, 0, 0.98},
	{"plain", 0, 0.95, 0.99},
	{"pinyin", 0.80, 0, 0},
	{"cross_ru with pairs", 0.90, 0, 0},
	{"cross_ar with pairs", 0.70, 0, 0},
	{"cross_zh with pairs", 0.60, 0, 0},
}

func (m *measured) check(t *testing.T) {
	t.Helper()
	for _, f := range floors {
		for _, c := range []struct {
			what  string
			got   *proportion
			least float64
		}{{"recall", m.recall[f.kind], f.recall}, {"first", m.first[f.kind], f.first}, {"compared", m.retrieval[f.kind], f.retrieval}} {
			if c.least > 0 && (c.got == nil || c.got.share() < c.least) {
				t.Errorf("%s: %s %v, want at least %.0f %%", f.kind, c.what, c.got, 100*c.least)
			}
		}
	}
}

func sortedKinds(rates map[string]*proportion) (out []string) {
	for kind := range rates {
		out = append(out, kind)
	}
	slices.Sort(out)
	return out
}

// TestSearchMissesNothing compares questions with every name of the list, and holds that the index finds what that finds.
func TestSearchMissesNothing(t *testing.T) {
	parties, x := listed(t)
	questions := readLines[question](t, "screen", "queries_dev.jsonl")
	const threshold = 0.7
	var kept proportion
	var s scorer
	questions = slices.DeleteFunc(questions, func(q question) bool { return len(q.Truth) == 0 })
	for i := 0; i < len(questions); i += 32 {
		q := Parse(questions[i].Query, Any)
		best := map[int32]float64{}
		for name, n := range x.names {
			if score := s.score(q, n); score >= threshold {
				best[x.refs[name]] = max(best[x.refs[name]], score)
			}
		}
		found := x.Search(q, threshold, len(parties))
		for ref, score := range best {
			ok := slices.ContainsFunc(found, func(f Found) bool { return f.Ref == ref && f.Score == score })
			kept.add(ok)
			if !ok {
				t.Logf("%q does not find %q (%.3f)", q.Text, parties[ref].names(), score)
			}
		}
	}
	t.Logf("found of what a comparison with every name finds: %v", kept)
	if kept.share() < 0.98 {
		t.Errorf("the index loses %d of %d", kept.of-kept.n, kept.of)
	}
}
