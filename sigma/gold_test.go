package sigma

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

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
