package detect

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// goldOf reads a list of rule and event, a pair a line.
func goldOf(t testing.TB, path string) map[string]int {
	t.Helper()
	f, err := os.Open(path)
	noErr(t, err)
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		in, err = gzip.NewReader(f)
		noErr(t, err)
	}
	out := map[string]int{}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		out[lines.Text()]++
	}
	return out
}

// TestDetectGold: the command finds in real logs of Windows exactly what the gold sets list, with one thread and with two, and both
// print the same bytes.
func TestDetectGold(t *testing.T) {
	dir := testdata.File(t, "detect")
	rules := []string{"--rules", filepath.Join(dir, "sigma", "rules", "windows"), "--rules", filepath.Join(dir, "sigma", "rules-emerging-threats"), "--rules", filepath.Join(dir, "sigma", "rules-threat-hunting")}
	for _, c := range []struct {
		events, gold string
		want         int
	}{
		{"windows_purplesharp_25993.jsonl.gz", "purplesharp.matches.tsv", 546},
		{"windows_mix_123169.jsonl.gz", "mix_123169.matches.tsv.gz", 5018},
	} {
		want, printed := goldOf(t, filepath.Join(dir, "gold", c.gold)), ""
		for _, threads := range []string{"1", "2"} {
			args := append(append([]string{"detect", "--json", "--threads", threads}, rules...), filepath.Join(dir, "events", c.events))
			out, _, code := asked(t, "", args...)
			got, last, bare := map[string]int{}, -1, 0
			for l := range strings.Lines(out) {
				var x line
				noErr(t, json.Unmarshal([]byte(l), &x))
				got[fmt.Sprintf("%s\t%d", x.ID, x.Event)]++
				if x.Event < last {
					t.Errorf("%s: event %d comes after %d", c.events, x.Event, last)
				}
				last = x.Event
				if x.Why == "" || x.Author == "" {
					t.Errorf("%s: an alert says too little: %s", c.events, l)
				}
				if len(x.Evidence) == 0 { // a rule that only says what is not there
					bare++
				}
			}
			if bare > c.want/100 {
				t.Errorf("%s: %d of %d alerts name no field", c.events, bare, c.want)
			}
			if code != 0 || strings.Count(out, "\n") != c.want || !maps.Equal(got, want) {
				t.Errorf("%s, %s threads: exit %d, %d alerts, want %d and those of the gold set", c.events, threads, code, strings.Count(out, "\n"), c.want)
			}
			if printed != "" && printed != out {
				t.Errorf("%s: one thread and two print differently", c.events)
			}
			printed = out
		}
		out, _, code := asked(t, "", "detect", "--count", filepath.Join(dir, "events", c.events))
		var own counts
		if err := json.Unmarshal([]byte(out), &own); err != nil || code != 0 || own.Alerts > own.Events/200 { // these logs are of attacks
			t.Errorf("%s with Polder's own rules: exit %d, %s", c.events, code, out)
		}
	}
}

// TestDetectZeek: a folder of Zeek logs and a list with the address of the attacker: each record that names it is an alert, and
// neither its address nor that of a site is taken for a machine of one's own.
func TestDetectZeek(t *testing.T) {
	day := testdata.File(t, "detect", "zeek-apt29", "day1")
	list := written(t, "c2.txt", "# the attacker\n192[.]168[.]0[.]4\n")
	out, said, code := asked(t, "", "detect", "--indicators", list, "--json", day)
	if code != 0 || said != "" {
		t.Fatalf("exit %d, %s", code, said)
	}
	want := 0
	files, err := filepath.Glob(filepath.Join(day, "*"))
	noErr(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		noErr(t, err)
		for l := range strings.Lines(string(text)) {
			var record map[string]any
			noErr(t, json.Unmarshal([]byte(l), &record))
			for _, v := range record {
				list, _ := v.([]any)
				if v == "192.168.0.4" || slices.Contains(list, any("192.168.0.4")) {
					want++
					break
				}
			}
		}
	}
	if got := strings.Count(out, "\n"); want < 500 || got < want { // names of hosts and texts may hold it too
		t.Errorf("%d alerts, %d records have a field that is the address", got, want)
	}
	for l := range strings.Lines(out) {
		var x line
		noErr(t, json.Unmarshal([]byte(l), &x))
		if x.Kind != ByIndicator || x.Evidence[0].Value != "192.168.0.4" || x.Host == "192.168.0.4" {
			t.Fatalf("an alert says %s", l)
		}
	}
}

// TestThreadsGiveTheSame: findings come in the order of the events, with their index in the file, however many threads read; and a
// correlation sees them so.
func TestThreadsGiveTheSame(t *testing.T) {
	rules := everyProcess + `---
title: Ten of one user
id: 21111111-2222-4333-8444-666666666666
correlation:
  type: event_count
  rules: [21111111-2222-4333-8444-555555555555]
  group-by: [User]
  timespan: 1h
  condition: {gte: 10}
  generate: true
`
	var log strings.Builder
	pad := strings.Repeat("x", 5000)
	for i := range 4000 {
		fmt.Fprintf(&log, `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","UtcTime":"2026-03-02 09:%02d:%02d.000","Image":"i%d","User":"u%d","CommandLine":%q}`+"\n", i/60%60, i%60, i, i%7, pad)
	}
	var first []string
	for _, threads := range []int{1, 2, 5} {
		found, x := judgedBy(t, engineOf(t, rules, ""), RunOptions{Threads: threads}, "f", strings.NewReader(log.String()))
		var got []string
		singles := 0
		for _, f := range found {
			got = append(got, fmt.Sprint(f.Kind, f.ID, f.Event, f.Evidence))
			if f.Kind == ByRule {
				if f.Event != singles || f.Evidence[0].Value != fmt.Sprintf("i%d", singles) {
					t.Fatalf("%d threads: finding %d is of event %d, %v", threads, singles, f.Event, f.Evidence)
				}
				singles++
			}
		}
		if x.Events != 4000 || singles != 4000 || len(found) == singles {
			t.Errorf("%d threads: %d events, %d findings of which %d are of single events", threads, x.Events, len(found), singles)
		}
		if first == nil {
			first = got
		} else if !slices.Equal(first, got) {
			t.Errorf("%d threads find otherwise than one", threads)
		}
	}
}

// TestGateCounts: a value that a warning list explains is no finding, and is counted.
func TestGateCounts(t *testing.T) {
	lists := filepath.Join(t.TempDir(), "lists")
	noErr(t, os.MkdirAll(filepath.Join(lists, "own"), 0o700))
	noErr(t, os.WriteFile(filepath.Join(lists, "own", "list.json"), []byte(`{"name":"Own","version":1,"description":"d","type":"hostname","matching_attributes":["domain","hostname"],"list":["gate.example"]}`), 0o600))
	list := written(t, "list.txt", "gate.example\nother.example\n")
	events := written(t, "dns.jsonl", `{"_path":"dns","ts":1772442764.1,"uid":"C1","id.orig_h":"198.51.100.1","id.resp_h":"198.51.100.2","query":"cdn.gate.example"}`+"\n"+
		`{"_path":"dns","ts":1772442765.1,"uid":"C2","id.orig_h":"198.51.100.1","id.resp_h":"198.51.100.2","query":"other.example"}`+"\n")
	with, _, _ := asked(t, "", "detect", "--indicators", list, "--warninglists", lists, events)
	without, _, _ := asked(t, "", "detect", "--indicators", list, events)
	if strings.Contains(with, "gate.example\n   when") || !strings.Contains(with, "1 known values that a warning list explains") || !strings.Contains(with, "other.example") {
		t.Errorf("with the list:\n%s", with)
	}
	if !strings.Contains(without, "domain gate.example") || strings.Contains(without, "explains") {
		t.Errorf("without it:\n%s", without)
	}
}

// TestHuntBetween: a hunt keeps to its two times, the first in it and the second not; what is put in twice is there once.
func TestHuntBetween(t *testing.T) {
	store := filepath.Join(t.TempDir(), "history")
	var log strings.Builder
	for i := range 3 {
		fmt.Fprintf(&log, `{"_path":"dns","ts":"2026-03-0%dT12:00:00.000Z","uid":"C%d","id.orig_h":"198.51.100.1","id.resp_h":"198.51.100.2","query":"gate.example"}`+"\n", i+1, i)
	}
	events := written(t, "dns.jsonl", log.String())
	for range 2 {
		if _, said, code := asked(t, "", "ingest", "--store", store, events); code != 0 {
			t.Fatal(said)
		}
	}
	for _, c := range []struct {
		since, until string
		want         int
	}{
		{"", "", 3}, {"2026-03-02T12:00:00Z", "", 2}, {"", "2026-03-02T12:00:00Z", 1}, {"2026-03-02", "2026-03-03", 1},
		{"2026-03-02T12:00:00.001Z", "2026-03-03T12:00:00Z", 0}, {"2027-01-01", "", 0}, {"", "2026-03-01", 0},
	} {
		args := []string{"hunt", "--store", store, "--value", "gate.example", "--json"}
		if c.since != "" {
			args = append(args, "--since", c.since)
		}
		if c.until != "" {
			args = append(args, "--until", c.until)
		}
		out, said, code := asked(t, "", args...)
		if got := strings.Count(out, "\n"); code != 0 || got != c.want {
			t.Errorf("since %q until %q: %d found, want %d; exit %d %s", c.since, c.until, got, c.want, code, said)
		}
	}
}
