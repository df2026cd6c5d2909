package detect

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix/pattern"
)

// TestS46RuleForEverything (S46): a rule that any event meets is one sign of the report, named and counted, however many events there
// are; it costs no memory for each.
func TestS46RuleForEverything(t *testing.T) {
	rule := written(t, "rule.yml", everyProcess)
	var log strings.Builder
	for i := range 30_000 {
		log.WriteString(process(fmt.Sprintf(`C:\%d.exe`, i), fmt.Sprintf("u%d", i), fmt.Sprintf("h%d", i)))
	}
	events := written(t, "events.jsonl", log.String())
	var out string
	most := peak(func() { out, _, _ = asked(t, "", "detect", "--rules", rule, events) })
	if !strings.Contains(out, "1. [high] Any process\n") || !strings.Contains(out, "30000 times") || !strings.Contains(out, "and more") || strings.Contains(out, "\n2. [") || len(out) > 4096 {
		t.Errorf("the report:\n%s", out)
	}
	if most > 96<<20 {
		t.Errorf("it took %d MiB", most>>20)
	}
}

// TestS46LargeRules (S46): a hundred thousand values are loaded, compiled and run within their budget when they stand in two rules, and
// refused, with what would be right, in one; rules that ask for much work an event are refused or bounded.
func TestS46LargeRules(t *testing.T) {
	of := func(from, to int) string {
		var values strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&values, "      - '\\tool%d.exe'\n", i)
		}
		return strings.Replace(everyProcess, "    Image|exists: true\n", "    Image|endswith:\n"+values.String(), 1)
	}
	if out, said, code := asked(t, "", "rules", "lint", written(t, "rule.yml", of(0, 100_000))); code != 1 || !strings.Contains(said, "rule.yml:65546:9: more than 65536 values in one rule; cut it into several") {
		t.Errorf("a rule of a hundred thousand: exit %d, %s%.500s", code, out, said)
	}
	began := time.Now()
	e := engineOf(t, of(0, 50_000)+"---\n"+strings.Replace(of(50_000, 100_000), "555555555555", "555555555556", 1), "")
	loaded := time.Since(began)
	log := strings.Repeat(process(`C:\tool.exe`, "u", "h"), 5000) + process(`C:\TOOL99999.exe`, "u", "h")
	began = time.Now()
	found, x := judgedBy(t, e, RunOptions{}, "f", strings.NewReader(log))
	if len(found) != 1 || found[0].Event != 5000 || x.Events != 5001 {
		t.Errorf("%d findings in %d events", len(found), x.Events)
	}
	if took := time.Since(began); loaded > 10*time.Second || took > 5*time.Second {
		t.Errorf("loading took %v, judging %v", loaded, took)
	}
	for why, items := range map[string]string{
		"stars":               "    CommandLine: '" + strings.Repeat("*a", 500) + "*b'\n",
		"a repetition":        "    CommandLine|re: '" + strings.Repeat("(a|aa)+", 20) + "b$'\n",
		"counted repetitions": "    CommandLine|re: '" + strings.Repeat("(a|b|c){1,100}", 10) + "d'\n",
	} {
		rule := strings.Replace(everyProcess, "    Image|exists: true\n", items, 1)
		out, said, code := asked(t, "", "rules", "lint", written(t, "rule.yml", rule))
		if code == 1 && strings.Contains(said, "rule.yml:") {
			continue // refused, with its place
		}
		if code != 0 {
			t.Fatalf("%s: exit %d, %s%s", why, code, out, said)
		}
		line, err := json.Marshal(map[string]any{"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "CommandLine": strings.Repeat("a", 30_000)})
		noErr(t, err)
		began := time.Now()
		if found, _ := judgedBy(t, engineOf(t, rule, ""), RunOptions{}, "f", strings.NewReader(strings.Repeat(string(line)+"\n", 20))); len(found) != 0 {
			t.Errorf("%s: %d findings", why, len(found))
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: 20 events of 30 kB took %v", why, took)
		}
	}
}

// bombEvents is over how many events each bomb is tried. The worst of them may cost each of these the whole budget of a search,
// half a million steps.
const bombEvents = 150

// TestS47PatternBombs (S47): patterns that ask for a search without end are refused or answered in a time that goes with the events,
// in memory that does not.
func TestS47PatternBombs(t *testing.T) {
	value := "[domain-name:value LIKE 'gate%']"
	deep := value
	for range 30 {
		deep = "(" + deep + " FOLLOWEDBY " + value + ")"
	}
	alternatives := strings.TrimSuffix(strings.Repeat("(a|b|c){1,100}", 50), "")
	for why, p := range map[string]string{
		"repeats of equal events":          value + " REPEATS 20 TIMES WITHIN 3600 SECONDS",
		"more repeats than there will be":  value + " REPEATS 100000 TIMES",
		"one after the other, thirty deep": deep,
		"a long LIKE":                      "[domain-name:value LIKE '" + strings.Repeat("%a", 1000) + "']",
		"counted repetitions":              "[domain-name:value MATCHES '" + alternatives + "z']",
		"and, many times":                  strings.TrimSuffix(strings.Repeat(value+" AND ", 25), " AND "),
	} {
		object, err := json.Marshal(map[string]any{"type": "bundle", "id": "bundle--aaaaaaaa-0000-4000-8000-0000000000ff", "objects": []any{map[string]any{
			"type": "indicator", "spec_version": "2.1", "id": "indicator--aaaaaaaa-0000-4000-8000-000000000001", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z",
			"pattern": p, "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"}}})
		noErr(t, err)
		var log strings.Builder
		for i := range bombEvents {
			fmt.Fprintf(&log, `{"_path":"dns","ts":"2026-03-02T10:%02d:%02d.000Z","uid":"C","id.orig_h":"198.51.100.1","id.resp_h":"198.51.100.2","query":"gate%s.example"}`+"\n", i/60, i%60, strings.Repeat("a", 40))
		}
		began := time.Now()
		var said string
		var code int
		most := peak(func() {
			_, said, code = asked(t, "", "detect", "--rules", written(t, "rule.yml", everyProcess), "--indicators", written(t, "list.json", string(object)), "--count", written(t, "dns.jsonl", log.String()))
		})
		if refused := code == 1 && strings.Contains(said, "list.json"); code != 0 && !refused {
			t.Errorf("%s: exit %d, %s", why, code, said)
		}
		if took := time.Since(began); took > bombEvents*100*time.Millisecond || most > 96<<20 {
			t.Errorf("%s: %d events took %v and %d MiB", why, bombEvents, took, most>>20)
		}
	}
}

// TestS47GivenUp (S47): a pattern that asks for more work than an event is given is named, so that nobody takes its silence for an
// answer.
func TestS47GivenUp(t *testing.T) {
	bundle := `{"type":"bundle","id":"bundle--aaaaaaaa-0000-4000-8000-0000000000ff","objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--aaaaaaaa-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","name":"Four","pattern":"[domain-name:value = 'gate.example'] REPEATS 4 TIMES","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}]}`
	log := strings.Repeat(`{"_path":"dns","ts":"2026-03-02T10:00:00.000Z","uid":"C","id.orig_h":"198.51.100.1","id.resp_h":"198.51.100.2","query":"gate.example"}`+"\n", 6)
	for _, c := range []struct {
		steps int64
		found int
		says  string
	}{{0, 1, ""}, {2, 0, "pattern indicator--aaaaaaaa-0000-4000-8000-000000000001 (Four) asks for too much work: "}} {
		found := 0
		run, err := engineOf(t, everyProcess, bundle).NewRun(RunOptions{}, func(*Finding) error { found++; return nil })
		noErr(t, err)
		run.patterns.compiled = NewPatterns(run.patterns.compiled.all, pattern.StreamOptions{MaxSteps: c.steps})
		_, err = run.File(t.Context(), "dns", strings.NewReader(log))
		noErr(t, err)
		said := strings.Join(run.GaveUp(), "; ")
		if (found > 0) != (c.found > 0) || c.says == "" && said != "" || !strings.HasPrefix(said, c.says) {
			t.Errorf("%d steps: %d findings, said %q", c.steps, found, said)
		}
	}
}
