package rules

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/sigma"
)

// load reads all rules of this package.
func load(t testing.TB) *sigma.Collection {
	t.Helper()
	c, errs := sigma.Load([]string{"."}, sigma.LoadOptions{FS: FS()})
	for _, e := range errs {
		t.Error(e)
	}
	if t.Failed() {
		t.FailNow()
	}
	return c
}

// result is what the rules said of some events.
type result struct {
	events  int
	covered map[string]int // events of the rule's log source, by rule id
	matched map[string]int // events that the rule matches, those of silent rules too
	fired   map[string]int // findings, by id of rule or correlation
}

// run judges all events of the files, in their order, by every rule in plain words.
func run(t testing.TB, c *sigma.Collection, files ...string) result {
	t.Helper()
	cor, err := sigma.NewCorrelator(c, sigma.CorrelatorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := result{covered: map[string]int{}, matched: map[string]int{}, fired: map[string]int{}}
	tell := func(list []sigma.Correlated) {
		for _, m := range list {
			r.fired[m.Correlation.ID]++
		}
	}
	bySource := map[*event.Source][]*sigma.Rule{}
	for _, name := range files {
		each(t, name, func(e *event.Event) {
			r.events++
			list, ok := bySource[e.Source]
			if !ok {
				for _, rule := range c.Rules {
					if rule.LogSource.Covers(e.Source) {
						list = append(list, rule)
					}
				}
				bySource[e.Source] = list
			}
			for _, rule := range list {
				r.covered[rule.ID]++
				if !rule.Matches(e) {
					continue
				}
				r.matched[rule.ID]++
				if cor.Alone(rule) {
					r.fired[rule.ID]++
				}
				tell(cor.Observe(rule, e, sigma.Ref(r.events)))
			}
		})
	}
	tell(cor.Flush())
	return r
}

// each reads the events of a file. The year of dates without one is that of the tests' own events.
func each(t testing.TB, name string, yield func(*event.Event)) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := event.Open(f, event.Options{Name: filepath.Base(name), Now: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	d := s.NewDecoder()
	var e event.Event
	for {
		chunk, err := s.Next()
		if err != nil {
			if err.Error() != "EOF" {
				t.Fatalf("%s: %v", name, err)
			}
			return
		}
		d.Decode(chunk, &e, func(bad *event.Error) bool {
			if bad != nil {
				t.Errorf("%s: %v", name, bad)
				return true
			}
			yield(&e)
			return true
		})
	}
}

// subject is a rule or correlation that raises findings.
type subject struct {
	*sigma.Rule
	file  string
	parts []string // of a correlation: the ids of the rules it is about, rules of correlations included
}

// subjects are all that raise findings, with the rules below them.
func subjects(t testing.TB, c *sigma.Collection) []subject {
	t.Helper()
	cor, err := sigma.NewCorrelator(c, sigma.CorrelatorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string][]string{} // of rules and correlations, by name
	for _, r := range c.Rules {
		ids[r.Name] = []string{r.ID}
	}
	var list []subject
	for _, r := range c.Rules {
		if cor.Alone(r) {
			list = append(list, subject{r, r.File, []string{r.ID}})
		}
	}
	for range c.Correlations { // as deep as they go
		for _, k := range c.Correlations {
			ids[k.Name] = nil
			for _, ref := range k.Refs {
				ids[k.Name] = append(ids[k.Name], ids[ref]...)
			}
		}
	}
	for _, k := range c.Correlations {
		if !cor.Alone(&k.Rule) {
			continue
		}
		s := subject{Rule: &k.Rule, file: k.File}
		for _, ref := range k.Refs {
			s.parts = append(s.parts, ids[ref]...)
		}
		list = append(list, s)
	}
	return list
}

// TestEveryRuleFires walks all rules: each has events that make it fire, and events that nearly do, which reach at
// least its log source.
func TestEveryRuleFires(t *testing.T) {
	c := load(t)
	seen := map[string]bool{}
	for _, s := range subjects(t, c) {
		name := strings.TrimSuffix(path.Base(s.file), ".yml")
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{"fire", "near"} {
				files, _ := filepath.Glob(filepath.Join("testdata", name, kind+"*.*"))
				if len(files) == 0 {
					t.Errorf("no testdata/%s/%s.*; write events that %s", name, kind, map[string]string{"fire": "make the rule fire", "near": "nearly do"}[kind])
				}
				for _, f := range files {
					judge(t, c, s, f, kind == "fire")
				}
			}
		})
	}
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !seen[f.Name()] {
			t.Errorf("testdata/%s belongs to no rule that raises findings", f.Name())
		}
	}
}

// judge sees whether a file of events makes a rule fire.
func judge(t *testing.T, c *sigma.Collection, s subject, file string, fire bool) {
	r := run(t, c, file)
	reached := 0
	for _, id := range s.parts {
		reached += r.covered[id]
	}
	if reached == 0 {
		t.Errorf("%s: none of its %d events is of the rule's log source", file, r.events)
	}
	if got := r.fired[s.ID]; (got > 0) != fire {
		t.Errorf("%s: fired %d times; matches of its parts %v", file, got, r.matched)
	}
}

var (
	uuid      = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	technique = regexp.MustCompile(`^attack\.t\d{4}(\.\d{3})?$`)
)

// TestRulesAreComplete: what raises a finding tells a person what it means and what to do, in both languages.
func TestRulesAreComplete(t *testing.T) {
	c := load(t)
	list := subjects(t, c)
	if len(list) < 120 {
		t.Errorf("%d rules raise findings, want at least 120", len(list))
	}
	correlations := 0
	for _, s := range list {
		if len(s.parts) > 1 || s.parts[0] != s.ID {
			correlations++
		}
		var lacks []string
		miss := func(bad bool, what string) {
			if bad {
				lacks = append(lacks, what)
			}
		}
		miss(len(s.Description) < 60, "a description")
		miss(!slices.Contains(sigma.Levels, s.Level), "a level")
		miss(!slices.ContainsFunc(s.Tags, technique.MatchString), "a tag attack.tXXXX")
		miss(len(s.FalsePositives) == 0, "falsepositives")
		miss(s.Date == "" || s.Status == "", "date and status")
		en, nl := Next(s.ID, "en"), Next(s.ID, "nl")
		miss(len(en) < 40, "polder.next.en")
		miss(len(nl) < 40 || nl == en, "polder.next.nl")
		if len(lacks) > 0 {
			t.Errorf("%s (%s) lacks %s", s.Title, s.file, strings.Join(lacks, ", "))
		}
	}
	if correlations < 30 {
		t.Errorf("%d correlations, want at least 30", correlations)
	}
	ids := map[string]string{}
	all := slices.Clone(c.Rules)
	for _, k := range c.Correlations {
		all = append(all, &k.Rule)
	}
	for _, r := range all {
		if !uuid.MatchString(r.ID) || ids[r.ID] != "" {
			t.Errorf("%s: id %q is no UUID of version 4, or also that of %s", r.Title, r.ID, ids[r.ID])
		}
		ids[r.ID] = r.Title
		if r.Author != "Polder" || r.License != "Apache-2.0" {
			t.Errorf("%s: author %q, license %q", r.Title, r.Author, r.License)
		}
	}
}

func TestNext(t *testing.T) {
	var id string
	for known := range next() {
		id = known
		break
	}
	if got, want := Next(id, "xx"), Next(id, "en"); got == "" || got != want {
		t.Errorf("an unknown language gives %q, want the English", got)
	}
	if got := Next("00000000-0000-4000-8000-000000000000", "en"); got != "" {
		t.Errorf("an unknown rule gives %q", got)
	}
}

// right are findings on the recordings that are no false alarms, by set and title, and how many there are: whoever made
// the recordings broke in by way of exercise, and cleared the security log 27 times to begin anew.
var right = map[string]map[string]int{
	"purplesharp": {
		"One password tried on many accounts":                 1,
		"Tickets of many services asked for in an old cipher": 1,
	},
	"mix": {
		"A command that intruders give, in the security log":                      39,
		"A command that waits in WMI":                                             2,
		"A file appeared that holds passwords":                                    11,
		"A program of Windows used to fetch code from outside":                    5,
		"A program put code into another one":                                     94,
		"A program put on another computer by its administrative share":           8,
		"A program started on another computer by WMI":                            2,
		"A program to run commands from another computer was used":                1,
		"A scheduled task that runs a hidden script":                              3,
		"A script blinded the virus scanner within PowerShell":                    1,
		"A script fetched from an odd address and run in memory":                  1,
		"A script of a known kit of intruders":                                    39,
		"A script unpacked hidden code and ran it in memory":                      63,
		"A server program ran commands of an intruder":                            2,
		"A service was made that runs a command":                                  4,
		"Commands given from another computer with an intruder's kit":             6,
		"One password tried on many accounts":                                     1,
		"Passwords taken from the memory of Windows":                              9,
		"PowerShell started to fetch or unpack a program":                         15,
		"Somebody from the internet is on the desktop of a computer":              2,
		"The file with all passwords of the domain copied":                        1,
		"The password database of a computer copied":                              3,
		"The password of a computer changed by nobody":                            1,
		"The passwords of the domain were asked for as a domain controller would": 6,
		"The recording of a computer switched off":                                1,
		"The security log of a computer cleared":                                  27,
		"Tickets of many services asked for in an old cipher":                     1,
	},
	"regression": {
		"A command switched the virus scanner off":             1,
		"A file appeared that holds passwords":                 2,
		"A program of Windows used to fetch code from outside": 8,
		"A program opened the memory that holds passwords":     1,
		"A program started on another computer by WMI":         2,
		"Malware found that Defender could not remove":         1,
		"The password database of a computer copied":           1,
	},
	"zeek": {},
}

// TestFalseAlarms: on recordings of attacks the rules about intrusions find what was done, no more and no less often
// than is right; any other rule of ours may fire a handful of times there.
func TestFalseAlarms(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 150,000 events one rule at a time; run without -short")
	}
	c := load(t)
	titles, intrusion := map[string]string{}, map[string]bool{}
	for _, s := range subjects(t, c) {
		titles[s.ID] = s.Title
		intrusion[s.ID] = strings.HasPrefix(s.file, "intrusion/")
	}
	zeek, err := fs.Glob(os.DirFS(testdata.File(t, "detect", "zeek-apt29")), "day*/*.log")
	if err != nil {
		t.Fatal(err)
	}
	for i := range zeek {
		zeek[i] = testdata.File(t, "detect", "zeek-apt29", zeek[i])
	}
	for _, set := range []struct {
		name  string
		files []string
	}{
		{"purplesharp", []string{testdata.File(t, "detect", "events", "windows_purplesharp_25993.jsonl.gz")}},
		{"mix", []string{testdata.File(t, "detect", "events", "windows_mix_123169.jsonl.gz")}},
		{"regression", []string{testdata.File(t, "detect", "gold", "sigma_regression_events.jsonl")}},
		{"zeek", zeek},
	} {
		t.Run(set.name, func(t *testing.T) {
			r := run(t, c, set.files...)
			want := right[set.name]
			got := map[string]int{}
			var told []string
			for id, n := range r.fired {
				got[titles[id]] = n
				told = append(told, fmt.Sprintf("%s: %d", titles[id], n))
				if _, known := want[titles[id]]; !known && (n > handful || intrusion[id]) {
					t.Errorf("%s fired %d times in %d events, which nobody has found right", titles[id], n, r.events)
				}
			}
			for title, n := range want {
				if got[title] != n {
					t.Errorf("%s fired %d times in %d events, want %d", title, got[title], r.events, n)
				}
			}
			slices.Sort(told)
			t.Logf("%d events: %s", r.events, strings.Join(told, "; "))
		})
	}
}

// handful is how often a rule may fire on a log that is not about it, unless it is one about intrusions.
const handful = 10
