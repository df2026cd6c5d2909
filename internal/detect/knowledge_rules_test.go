package detect

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/sigma"
)

// ruleIndicator is a Sigma rule as it travels in STIX.
func ruleIndicator(n int, rule, more string) string {
	text, _ := json.Marshal(rule)
	return fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Shared","pattern_type":"sigma","pattern":%s,"valid_from":"2025-12-01T00:00:00Z"%s}`, n, text, more)
}

const sharedSigma = `title: Tool of the group
id: 0f7a3a52-5d52-4a52-9d3a-6d1a4f6f0001
author: A member
license: DRL-1.1
level: high
logsource: {product: windows, category: process_creation}
detection:
  s:
    Image|endswith: '\oddtool.exe'
  condition: s
`

// TestSharedRules: a Sigma rule that came as an indicator is run beside the others, under its author's terms and the
// object's, as long as it is valid, and one that does not load is said.
func TestSharedRules(t *testing.T) {
	const event = `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"ws-1","UtcTime":"%s 10:00:00.000","Image":"C:\\x\\oddtool.exe"}`
	for _, c := range []struct {
		why, objects, day string
		found             int
		wrong             string
	}{
		{"a rule in force", ruleIndicator(1, sharedSigma, ""), "2026-03-02", 1, ""},
		{"before it means something", ruleIndicator(1, sharedSigma, ""), "2025-03-02", 0, ""},
		{"after its end", ruleIndicator(1, sharedSigma, `,"valid_until":"2026-02-01T00:00:00Z"`), "2026-03-02", 0, ""},
		{"one that is revoked", ruleIndicator(1, sharedSigma, `,"revoked":true`), "2026-03-02", 0, ""},
		{"one that does not load", ruleIndicator(1, strings.Replace(sharedSigma, "endswith", "endwith", 1), ""), "2026-03-02", 0, "endswith"},
		{"a newer version takes its place", ruleIndicator(1, sharedSigma, "") + "," + strings.Replace(ruleIndicator(1, strings.Replace(sharedSigma, "oddtool", "other", 1), ""), `"modified":"2026-01-01`, `"modified":"2026-01-02`, 1), "2026-03-02", 0, ""},
	} {
		k := NewKnowledge(nil)
		report, err := k.LoadFile(strings.NewReader(`{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[`+c.objects+`]}`), indicator.LoadOptions{Name: "feed.json"})
		if err != nil {
			t.Fatalf("%s: %v", c.why, err)
		}
		if got := fmt.Sprint(report.Errors); c.wrong == "" && report.Wrong > 0 || !strings.Contains(got, c.wrong) {
			t.Errorf("%s: %s", c.why, got)
		}
		set, err := FixedRules(&sigma.Collection{}, ownAdvice)
		if err != nil {
			t.Fatal(err)
		}
		var found []Finding
		run, err := NewEngine(set, k).NewRun(RunOptions{}, func(f *Finding) error { found = append(found, *f); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.File(context.Background(), "log", strings.NewReader(fmt.Sprintf(event, c.day))); err != nil {
			t.Fatal(err)
		}
		if len(found) != c.found {
			t.Errorf("%s: %d findings, want %d", c.why, len(found), c.found)
		}
		for _, f := range found {
			if f.Kind != ByRule || f.Origin.Author != "A member" || f.Origin.License != "DRL-1.1" || !strings.HasPrefix(f.Origin.Object, "indicator--") || f.Origin.List != "feed.json" || f.Level != High {
				t.Errorf("%s: %+v", c.why, f)
			}
		}
	}
}
