package detect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/detect/history"
)

// huntLog is a log of three hours: a name looked up each minute, one of them bad, and a program started now and then.
func huntLog(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for i := range 180 {
		at := time.Date(2026, 3, 1, 10, i, 0, 0, time.UTC).Format(time.RFC3339)
		name := fmt.Sprintf("host%d.example.org", i)
		if i == 90 {
			name = "c2.evil.example.com"
		}
		fmt.Fprintf(&b, `{"@timestamp":%q,"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":22,"QueryName":%q,"Computer":"pc%d"}`+"\n", at, name, i%3)
		if i%60 == 30 {
			fmt.Fprintf(&b, `{"@timestamp":%q,"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Image":"C:\\Windows\\whoami.exe","CommandLine":"whoami /all","Computer":"pc7"}`+"\n", at)
		}
	}
	name := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// command runs polder and returns its exit code and what it said.
func huntCommand(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	now := func() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }
	code = cli.Run(context.Background(), args, strings.NewReader(""), &out, &err, IngestCommand(now), HuntCommand(now))
	return code, out.String(), err.String()
}

func TestIngestAndHunt(t *testing.T) {
	log, store := huntLog(t), filepath.Join(t.TempDir(), "history")
	rule := filepath.Join(t.TempDir(), "rule.yml")
	text := "title: Who am I\nid: 11111111-2222-4333-8444-555555555555\nlevel: low\nlogsource: {product: windows, category: process_creation}\ndetection:\n  s: {CommandLine|contains: 'whoami'}\n  condition: s\n"
	if err := os.WriteFile(rule, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := huntCommand("ingest", "--store", store, log)
	if code != 0 || !strings.Contains(out, "windows-json): 183 events, 183 new") {
		t.Fatalf("ingest: %d %q %q", code, out, errs)
	}
	if code, out, errs = huntCommand("ingest", "--json", "--store", store, log); code != 0 || !strings.Contains(out, `"events":183,"new":0`) {
		t.Errorf("ingest again: %d %q %q", code, out, errs)
	}
	for _, c := range []struct {
		why  string
		args []string
		want int
		say  string
	}{
		{"a domain finds its subdomain", []string{"--value", "evil[.]example.com"}, 1, "FOUND: domain evil.example.com, once"},
		{"a value that is nowhere", []string{"--value", "nowhere.example.com"}, 0, "NOT FOUND: domain nowhere.example.com"},
		{"before it happened", []string{"--value", "evil.example.com", "--until", "2026-03-01T11:30:00Z"}, 0, "NOT FOUND"},
		{"from the minute it happened", []string{"--value", "evil.example.com", "--since", "2026-03-01T11:30:00Z"}, 1, "FOUND"},
		{"lately", []string{"--value", "evil.example.com", "--since", "11h"}, 0, "NOT FOUND"},
		{"a pattern of one value", []string{"--pattern", "[domain-name:value = 'c2.evil.example.com']"}, 1, "FOUND"},
		{"a pattern says no subdomains", []string{"--pattern", "[domain-name:value = 'evil.example.com']"}, 0, "NOT FOUND"},
		{"a pattern over time", []string{"--pattern", "[domain-name:value = 'host89.example.org'] FOLLOWEDBY [domain-name:value LIKE '%.evil.example.com'] WITHIN 120 SECONDS"}, 1, "FOUND"},
		{"a pattern over too little time", []string{"--pattern", "([domain-name:value = 'host89.example.org'] FOLLOWEDBY [domain-name:value LIKE '%.evil.example.com']) WITHIN 10 SECONDS"}, 0, "NOT FOUND"},
		{"a rule", []string{"--rule", rule}, 3, "FOUND: the rule Who am I, 3 times"},
	} {
		args := append([]string{"hunt", "--store", store}, c.args...)
		code, out, errs := huntCommand(args...)
		if code != 0 || !strings.HasPrefix(out, c.say) {
			t.Errorf("%s: %d %q %q", c.why, code, out, errs)
		}
		code, out, errs = huntCommand(append(args, "--json")...)
		if n := strings.Count(out, "\n"); code != 0 || n != c.want {
			t.Errorf("%s: %d findings, want %d: %q", c.why, n, c.want, errs)
		}
	}
	_, out, _ = huntCommand("hunt", "--store", store, "--json", "--value", "c2.evil.example.com")
	var l line
	if err := json.Unmarshal([]byte(out), &l); err != nil {
		t.Fatal(err)
	}
	if l.Kind != ByIndicator || l.ID != "c2.evil.example.com" || l.File != log || l.Event != 91 || l.Time == nil ||
		l.Time.Format(time.RFC3339) != "2026-03-01T11:30:00Z" || len(l.Evidence) != 1 || l.Evidence[0] != (Evidence{"QueryName", "c2.evil.example.com"}) {
		t.Errorf("%+v", l)
	}
}

func TestHuntOfACorrelation(t *testing.T) {
	log, store := huntLog(t), filepath.Join(t.TempDir(), "history")
	rule := filepath.Join(t.TempDir(), "rule.yml")
	text := `title: Who am I
id: 11111111-2222-4333-8444-555555555555
name: whoami
level: low
logsource: {product: windows, category: process_creation}
detection:
  s: {CommandLine|contains: 'whoami'}
  condition: s
---
title: Again and again
id: 21111111-2222-4333-8444-555555555555
level: high
correlation:
  type: event_count
  rules: [whoami]
  group-by: [Computer]
  timespan: %s
  condition: {gte: 3}
`
	if code, _, errs := huntCommand("ingest", "--store", store, log); code != 0 {
		t.Fatal(errs)
	}
	for timespan, want := range map[string]int{"3h": 1, "1h": 0} {
		if err := os.WriteFile(rule, fmt.Appendf(nil, text, timespan), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := huntCommand("hunt", "--store", store, "--rule", rule, "--json")
		if n := strings.Count(out, `"kind":"correlation"`); code != 0 || n != want {
			t.Errorf("in %s: %d correlations, want %d: %s %s", timespan, n, want, out, errs)
		}
	}
}

func TestHuntIsAskedWrongly(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		say  string
	}{
		{[]string{"hunt", "--store", dir}, 2, "value pattern rule"},
		{[]string{"hunt", "--store", dir, "--value", "a.example.com", "--pattern", "x"}, 2, "value"},
		{[]string{"hunt", "--value", "a.example.com"}, 2, "data store"},
		{[]string{"hunt", "--store", dir, "--value", "not a value"}, 2, "--value"},
		{[]string{"hunt", "--store", dir, "--pattern", "[x"}, 2, "--pattern"},
		{[]string{"hunt", "--store", dir, "--value", "10.0.0.1", "--since", "yesterday"}, 2, "7d"},
		{[]string{"hunt", "--store", dir, "--value", "10.0.0.1", "--since", "1d", "--until", "2d"}, 2, "turn them round"},
		{[]string{"hunt", "--store", filepath.Join(dir, "none"), "--value", "10.0.0.1"}, 1, "polder ingest"},
		{[]string{"hunt", "--data", dir, "--value", "10.0.0.1"}, 1, "keeps no history yet"},
		{[]string{"hunt", "--store", dir, "--rule", filepath.Join(dir, "none.yml")}, 1, "none.yml"},
		{[]string{"ingest", "x"}, 2, "store"},
		{[]string{"ingest", "--store", filepath.Join(dir, "new"), filepath.Join(dir, "none")}, 1, "none"},
		{[]string{"ingest", "--store", filepath.Join(dir, "new"), "--format", "word", "x"}, 2, "word"},
	} {
		code, out, errs := huntCommand(c.args...)
		if code != c.code || !strings.Contains(errs, c.say) || out != "" {
			t.Errorf("%q: %d %q %q, want %d and %q", c.args, code, out, errs, c.code, c.say)
		}
	}
}

// TestHuntInTheHistoryOfANode: a node keeps a history for each organisation, and nobody's is taken for another's.
func TestHuntInTheHistoryOfANode(t *testing.T) {
	const one, other = "identity--11111111-1111-4111-8111-111111111111", "identity--22222222-2222-4222-8222-222222222222"
	data := t.TempDir()
	fill := func(org string) {
		t.Helper()
		if code, _, errs := huntCommand("ingest", "--store", filepath.Join(data, HistoryDir, org), huntLog(t)); code != 0 {
			t.Fatal(errs)
		}
	}
	hunt := func(code int, say string, more ...string) {
		t.Helper()
		args := append([]string{"hunt", "--data", data, "--value", "evil.example.com"}, more...)
		if got, out, errs := huntCommand(args...); got != code || !strings.Contains(out+errs, say) {
			t.Errorf("%q: %d %q %q, want %d and %q", more, got, out, errs, code, say)
		}
	}
	hunt(1, "keeps no history yet")
	hunt(1, "it keeps none at all", "--org", one)
	fill(one)
	if err := os.Mkdir(filepath.Join(data, HistoryDir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	empty, err := history.Open(filepath.Join(data, HistoryDir, other), history.Options{}) // as of who opened a page and sent nothing
	if err != nil || empty.Close() != nil {
		t.Fatal(err)
	}
	hunt(0, "FOUND: domain evil.example.com, once")
	hunt(0, "FOUND: domain evil.example.com, once", "--org", one)
	hunt(1, "keeps no history of \""+other+"\"; it keeps those of "+one, "--org", other)
	hunt(1, "keeps no history of \"..\"", "--org", "..")
	fill(other)
	hunt(2, "those of "+one+", "+other+"; say with --org")
	hunt(0, "FOUND: domain evil.example.com, once", "--org", other)
	if code, _, errs := huntCommand("hunt", "--store", data, "--org", one, "--value", "evil.example.com"); code != 2 || !strings.Contains(errs, "--data") {
		t.Errorf("--org with --store: %d %q", code, errs)
	}
}

var _ history.Observer = (*HistoryObserver)(nil)
