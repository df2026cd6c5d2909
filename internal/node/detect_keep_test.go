package node

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// TestDetectRestart: after a restart alerts are there, what is known holds, and history is looked through for what is new;
// `polder hunt` finds the same in the folder of the node.
func TestDetectRestart(t *testing.T) {
	p := newWatch(t)
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Amber, ""))
	p.send(t, "plain", p.looksUp("x1.example", "pc-1", 3*time.Minute), p.looksUp("x2.example", "pc-1", 48*time.Hour))
	n := p.about(t, "plain", entryID(1), 1)
	p.decide(t, "plain", n.ID, "in-work")
	p.end()
	code, out, errs := polderRun(t, "hunt", "--data", p.dir, "--value", "x2.example", "--json")
	if code != 0 || strings.Count(out, "\n") != 1 || !strings.Contains(out, `"host":"pc-1"`) {
		t.Errorf("hunt in the folder of the node: %d %s %s", code, out, errs)
	}
	if code, _, errs := polderRun(t, "hunt", "--data", p.dir, "--org", string(p.orgs["named"].ID), "--value", "x2.example"); code != 1 || !strings.Contains(errs, string(p.orgs["plain"].ID)) {
		t.Errorf("hunt for who has no history: %d %s", code, errs)
	}
	p.openWith(t, "")
	if got := p.about(t, "plain", entryID(1), 1); got.ID != n.ID || got.State != "in-work" || len(got.Alerts) != 1 || len(got.Alerts[0].Events) != 1 {
		t.Errorf("after the restart the alert is %+v", got)
	}
	p.send(t, "plain", p.looksUp("x1.example", "pc-1", time.Minute))
	p.about(t, "plain", entryID(1), 2)
	p.share(t, "sharer", "ring", "", entry(2, 0, stix.Amber, ""))
	if got := p.about(t, "plain", entryID(2), 1); !strings.HasPrefix(got.Why, "found in history") || p.now().Sub(got.First) < 47*time.Hour {
		t.Errorf("what was shared after the restart is found as %+v", got)
	}
}

// TestDetectSharedMeanwhile: what was shared when nobody could look back, since the node stopped, is hunted for at the next
// start.
func TestDetectSharedMeanwhile(t *testing.T) {
	p := newWatch(t)
	p.send(t, "plain", p.looksUp("x1.example", "pc-1", time.Hour))
	p.end()
	p.open(t) // and does not serve: nothing runs by itself
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Amber, ""))
	if got := p.noticed(t, "plain"); len(got) > 0 {
		t.Fatalf("found by nobody: %+v", got)
	}
	p.end()
	p.openWith(t, "")
	p.about(t, "plain", entryID(1), 1)
}

// TestDetectWatch: a folder of polder.yaml is taken in for its organisation; a folder that is nobody's is refused.
func TestDetectWatch(t *testing.T) {
	p := unopened(t)
	logs := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(logs, "dns.json"), []byte(p.looksUp("x1.example", "pc-1", time.Minute)+p.looksUp("www.example", "pc-1", time.Minute)), 0o600))
	p.openWith(t, fmt.Sprintf("watch:\n  - org: %s\n    folder: %s\n", p.orgs["plain"].ID, logs))
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Amber, ""))
	if n := p.about(t, "plain", entryID(1), 1); n.Alerts[0].File != "dns.json" {
		t.Errorf("the alert is %+v", n)
	}
	if got := p.noticed(t, "named"); len(got) > 0 {
		t.Errorf("another organisation has %+v", got)
	}
	p.end()
	c, err := ReadConfig(p.dir)
	ok(t, err)
	c.Watch[0].Org = "identity--5d0092c5-5f74-4287-9642-33f4c354e56d"
	if _, err := Open(t.Context(), p.dir, c, Options{Log: p.log, Now: p.now}); err == nil || !strings.Contains(err.Error(), "polder org list") {
		t.Errorf("a folder of nobody: %v", err)
	}
}

// TestDetectRules: rules of the node's folder are in force soon after they come, change or go, and drop no event.
func TestDetectRules(t *testing.T) {
	p := newWatch(t)
	const id = "c0a80101-0000-4000-8000-000000000001"
	rule := func(name string) string {
		return "title: Asks for " + name + "\nid: " + id + "\nlevel: high\nauthor: A. Author\nlogsource: {product: windows, category: dns_query}\ndetection:\n  s: {QueryName: " + name + "}\n  condition: s\n"
	}
	folder := filepath.Join(p.dir, rulesFolder)
	ok(t, os.MkdirAll(folder, 0o700))
	loaded := func(want int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d rules of the folder are loaded", want), func() bool {
			a := p.ask(ask{as: "session", path: "/detection"})
			row := regexp.MustCompile(`<th scope="row">rules</th><td[^>]*>(\d+)<`).FindStringSubmatch(a.body)
			return row == nil && want < 0 || row != nil && row[1] == strconv.Itoa(want)
		})
	}
	p.send(t, "plain", p.looksUp("one.example", "pc-0", time.Minute))
	ok(t, os.WriteFile(filepath.Join(folder, "own.yml"), []byte(rule("one.example")), 0o600))
	loaded(1)
	p.send(t, "plain", p.looksUp("one.example", "pc-1", time.Minute), p.looksUp("two.example", "pc-1", time.Minute))
	if n := p.about(t, "plain", id, 1); n.Kind != "rule" || n.Host != "pc-1" || n.TLP != "" || n.Title != "Asks for one.example" {
		t.Errorf("the alert is %+v", n)
	}
	ok(t, os.WriteFile(filepath.Join(folder, "broken.yml"), []byte("title: [\n"), 0o600))
	ok(t, os.WriteFile(filepath.Join(folder, "own.yml"), []byte(strings.Replace(rule("two.example"), "high", "medium", 1)), 0o600))
	eventually(t, "the broken rule is said", func() bool { return strings.Contains(p.ask(ask{as: "session", path: "/detection"}).body, "broken.yml") })
	p.send(t, "plain", p.looksUp("one.example", "pc-2", time.Minute), p.looksUp("two.example", "pc-2", time.Minute))
	all := p.noticed(t, "plain")
	if len(all) != 2 || all[0].Host+all[1].Host != "pc-2pc-1" && all[0].Host+all[1].Host != "pc-1pc-2" {
		t.Errorf("with the other rule: %+v", all)
	}
	ok(t, os.RemoveAll(folder))
	loaded(-1)
	p.send(t, "plain", p.looksUp("two.example", "pc-3", time.Minute))
	if got := p.noticed(t, "plain"); len(got) != 2 {
		t.Errorf("without the rules: %+v", got)
	}
}

// TestDetectBackInTime: a value that is shared is found in a month of history within seconds, wherever it lies.
func TestDetectBackInTime(t *testing.T) {
	p := newWatch(t)
	const days, each = 30, 400
	for day := range days {
		var log strings.Builder
		for i := range each {
			name := fmt.Sprintf("host%d.day%d.example", i, day)
			if i == each/2 && day%10 == 5 {
				name = "x1.example"
			}
			log.WriteString(p.looksUp(name, fmt.Sprintf("pc-%d", i%7), time.Duration(day)*24*time.Hour+time.Duration(i)*time.Minute))
		}
		p.send(t, "plain", log.String())
	}
	began := time.Now()
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Amber, ""), entry(2, 0, stix.Amber, ""))
	count := func() (n int) {
		for _, a := range p.noticed(t, "plain") {
			if a.Rule == entryID(1) {
				n += a.Count
			}
		}
		return n
	}
	eventually(t, "all three are found", func() bool { return count() == 3 })
	took := time.Since(began)
	t.Logf("%d events of %d days were looked through %v after the share", days*each, days, took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("it took %v to look back", took)
	}
	for _, a := range p.noticed(t, "plain") {
		if a.Rule != entryID(1) {
			t.Errorf("found as well: %+v", a)
		}
	}
	eventually(t, "the figures count the three alerts, once they are stored", func() bool {
		j := p.detection.detector.Judged()
		return j.Hunted == 3 && j.Kept == days*each
	})
}

// TestDetectMetrics: totals are counted, and nothing in them tells one organisation from the other.
func TestDetectMetrics(t *testing.T) {
	p := newWatch(t)
	p.share(t, "sharer", "ring", "", entry(1, 0, stix.Amber, ""))
	p.send(t, "plain", p.looksUp("x1.example", "pc-1", time.Minute), p.looksUp("a.example", "pc-1", time.Minute))
	p.send(t, "named", p.looksUp("x1.example", "pc-2", time.Minute))
	p.about(t, "named", entryID(1), 1)
	a := p.ask(ask{as: "admin", path: "/metrics"})
	for _, line := range []string{"polder_events_judged_total 3", "polder_findings_total 2", "polder_events_kept_total 3", "polder_events_unreadable_total 0", "polder_hunted_alerts_total 0", "polder_events_waiting_bytes 0"} {
		if !strings.Contains(a.body, "\n"+line+"\n") {
			t.Errorf("%q is not among the metrics", line)
		}
	}
	for _, who := range []string{"plain", "named", "sharer"} {
		for _, tells := range []string{string(p.orgs[who].ID), p.orgs[who].Name, "pc-1", "x1.example", entryID(1)} {
			if strings.Contains(a.body, tells) {
				t.Errorf("the metrics say %q", tells)
			}
		}
	}
	for _, as := range []string{"plain", "reader", "steward"} {
		if a := p.ask(ask{as: as, path: "/metrics"}); a.status != 403 {
			t.Errorf("%s reads the metrics: %d", as, a.status)
		}
	}
}
