package sigma

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/internal/testdata"
)

// lines are the lines of a file of the real data, unpacked when it is a gzip.
func lines(t testing.TB, elem ...string) [][]byte {
	t.Helper()
	f, err := os.Open(testdata.File(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(f.Name(), ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(data), []byte("\n"))
}

// windowsRules are the rules for Windows that the gold sets are about.
var windowsRules = sync.OnceValues(func() (*Collection, []*Error) {
	var paths []string
	for _, d := range []string{"rules", "rules-emerging-threats", "rules-threat-hunting"} {
		paths = append(paths, filepath.Join(ruleTree, d))
	}
	c, errs := Load(paths, LoadOptions{})
	var rules []*Rule
	for _, r := range c.Rules {
		if r.LogSource.Product == "windows" {
			rules = append(rules, r)
		}
	}
	return &Collection{Rules: rules}, errs
})

var ruleTree string

func loadWindows(t testing.TB) *Collection {
	t.Helper()
	ruleTree = testdata.File(t, "detect", "sigma")
	c, errs := windowsRules()
	for _, e := range errs {
		if !strings.Contains(e.Text, "placeholder") {
			t.Errorf("%v", e)
		}
	}
	if len(c.Rules) != 2856 {
		t.Errorf("%d rules for Windows, want 2856: all 2,858 but two that need a placeholder list", len(c.Rules))
	}
	return c
}

// loadedTree is the folder of all rules.
func loadedTree(t testing.TB) string { return testdata.File(t, "detect", "sigma") }

func TestRuleTreeLoads(t *testing.T) {
	dir := testdata.File(t, "detect", "sigma")
	c, errs := Load([]string{dir}, LoadOptions{})
	for _, e := range errs {
		if !strings.Contains(e.Text, "no list for the placeholder %") || e.Line == 0 || e.File == "" {
			t.Errorf("%v", e)
		}
	}
	if len(c.Rules) != 3780-25 || len(errs) != 25 {
		t.Errorf("%d rules and %d errors, want all 3,780 but the 25 that need a placeholder list", len(c.Rules), len(errs))
	}
	for _, r := range c.Rules {
		if r.ID == "" || r.Author == "" || r.Level == "" || r.File == "" || r.Line == 0 {
			t.Errorf("%s: %q lacks its id, author, level or place", r.File, r.Title)
		}
	}
}

func TestRegressionPlain(t *testing.T) {
	c := loadWindows(t)
	byID := map[string]*Rule{}
	for _, r := range c.Rules {
		byID[r.ID] = r
	}
	w, fired, want := newWalker(), map[string]bool{}, map[string]bool{}
	for _, line := range lines(t, "detect", "gold", "sigma_regression_events.jsonl") {
		var e struct {
			Rule string `json:"_rule"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		ev, r := w.read(line), byID[e.Rule]
		want[e.Rule] = true
		if r != nil && r.LogSource.Covers(ev.Source) && r.Matches(ev) {
			fired[e.Rule] = true
		}
	}
	for id := range want {
		if !fired[id] {
			t.Errorf("rule %s does not fire on its events", id)
		}
	}
	if len(want) != 202 {
		t.Errorf("%d regression rules, want 202", len(want))
	}
}

func engineOf(t testing.TB, c *Collection) *Engine {
	t.Helper()
	e, err := Compile(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRegression(t *testing.T) {
	m := engineOf(t, loadWindows(t)).NewMatcher()
	w, fired, want := newWalker(), map[string]bool{}, map[string]bool{}
	for _, line := range lines(t, "detect", "gold", "sigma_regression_events.jsonl") {
		var e struct {
			Rule string `json:"_rule"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		want[e.Rule] = true
		ev := w.read(line)
		for _, r := range m.Match(ev) {
			if r.ID == e.Rule {
				fired[e.Rule] = true
			}
		}
		for _, r := range append([]*Rule(nil), m.Match(ev)...) {
			if !r.Matches(ev) {
				t.Errorf("%s matches in the engine only", r.ID)
			}
		}
	}
	for id := range want {
		if !fired[id] {
			t.Errorf("rule %s does not fire on its events", id)
		}
	}
}

func TestGold(t *testing.T) {
	e := engineOf(t, loadWindows(t))
	for _, c := range []struct {
		events, gold string
		n            int
	}{
		{"windows_purplesharp_25993.jsonl.gz", "purplesharp.matches.tsv", 546},
		{"windows_mix_123169.jsonl.gz", "mix_123169.matches.tsv.gz", 5018},
	} {
		if testing.Short() && c.n > 1000 {
			continue
		}
		want := map[string]bool{}
		for _, l := range lines(t, "detect", "gold", c.gold) {
			want[string(l)] = true
		}
		m, got := e.NewMatcher(), 0
		eachEvent(t, testdata.File(t, "detect", "events", c.events), func(ev *event.Event) {
			for _, r := range m.Match(ev) {
				got++
				key := r.ID + "\t" + strconv.Itoa(ev.Index)
				if !want[key] {
					t.Errorf("%s: %s matches event %d, not in gold", c.events, r.ID, ev.Index)
				}
				delete(want, key)
			}
		})
		if got != c.n {
			t.Errorf("%s: %d matches, want %d", c.events, got, c.n)
		}
		for key := range want {
			t.Errorf("%s: missed %s", c.events, key)
		}
	}
}

// eachEvent reads a file as any log is read: compression, format and mapping found by themselves.
func eachEvent(t testing.TB, path string, f func(*event.Event)) {
	t.Helper()
	var ev event.Event
	for _, c := range chunksOf(t, path) {
		c.decoder.Decode(c.Chunk, &ev, func(err *event.Error) bool {
			if err != nil {
				t.Fatalf("%v", err)
			}
			f(&ev)
			return true
		})
	}
}

// chunk is a part of a log and what reads it.
type chunk struct {
	event.Chunk
	decoder event.Decoder
}

func chunksOf(t testing.TB, path string) (out []chunk) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, err := event.Open(file, event.Options{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	d := s.NewDecoder()
	for {
		c, err := s.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, chunk{c, d})
	}
}
