package triage

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// grouped is a report of testdata/pairs.tsv: those of one group speak of the same thing; without a group of nothing else.
type grouped struct{ id, group, text string }

func readPairs(t testing.TB) []grouped {
	t.Helper()
	f, err := os.Open("testdata/pairs.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []grouped
	lines := bufio.NewScanner(f)
	lines.Scan()
	for lines.Scan() {
		group, text, _ := strings.Cut(lines.Text(), "\t")
		all = append(all, grouped{fmt.Sprintf("%s%d", group, len(all)), group, text})
	}
	return all
}

// TestDuplicates publishes how many pairs are found and how many of those are right.
func TestDuplicates(t *testing.T) {
	all := readPairs(t)
	group := map[string]string{}
	texts := make([]Text, len(all))
	same := 0
	for i, g := range all {
		texts[i] = Text{ID: g.id, Words: g.text}
		group[g.id] = g.group
		for _, h := range all[:i] {
			if g.group != "" && g.group == h.group {
				same++
			}
		}
	}
	found, right := Duplicates(texts, "en"), 0
	for _, p := range found {
		if group[p.A] != "" && group[p.A] == group[p.B] {
			right++
		} else {
			t.Logf("not the same: %s and %s, %.2f %q", p.A, p.B, p.Score, p.Why)
		}
		if len(p.Why) == 0 || p.Score <= 0 || p.Score > 1 {
			t.Errorf("%s and %s: score %v, reasons %q", p.A, p.B, p.Score, p.Why)
		}
	}
	for _, g := range all {
		for _, h := range all {
			if g.group != "" && g.group == h.group && g.id < h.id && !slices.ContainsFunc(found, func(p Pair) bool { return p.A == g.id && p.B == h.id || p.A == h.id && p.B == g.id }) {
				t.Logf("not found: %s and %s", g.id, h.id)
			}
		}
	}
	t.Logf("%d of %d pairs found, %d of %d right", right, same, right, len(found))
	if right*100 < 80*same || right*100 < 90*len(found) {
		t.Errorf("recall is %d of %d, precision %d of %d", right, same, right, len(found))
	}
}

// TestDuplicatesTime: that two reports came close together is a reason, not the only one.
func TestDuplicatesTime(t *testing.T) {
	day := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	far := Duplicates([]Text{{"a", "Traffic to evil.example", day}, {"b", "Verkeer naar evil.example", day.AddDate(-1, 0, 0)}, {"c", "The coffee is cold", day}}, "en")
	near := Duplicates([]Text{{"a", "Traffic to evil.example", day}, {"b", "Verkeer naar evil.example", day.Add(time.Hour)}, {"c", "The coffee is cold", day}}, "en")
	if len(near) != 1 || near[0].A != "a" || near[0].B != "b" {
		t.Fatalf("near: %+v", near)
	}
	if len(far) > 1 || len(far) == 1 && far[0].Score >= near[0].Score {
		t.Errorf("far %+v is no less than near %+v", far, near)
	}
}

func TestNamed(t *testing.T) {
	for _, c := range []struct{ text, want, why string }{
		{"see hxxps://Evil[.]Example/path", "evil.example", "a link names its host, defanged or not"},
		{"mail van A.B@bad-site.example.", "a.b@bad-site.example", "an address of mail keeps its name"},
		{"203[.]0[.]113[.]7:443", "203.0.113.7", "a port is not the address"},
		{"PLC-12 and srv_files01", "plc-12 srv_files01", "names of systems have digits behind a hyphen or underscore"},
		{"CVE-2024-3400", "cve-2024-3400", "numbers of vulnerabilities"},
		{"e-mail usb-stick vijf-assig 2024-11-20 a.b", "", "ordinary words and dates name nothing"},
		{"44D88612FEA8A8F36DE82E1278ABB02F", "44d88612fea8a8f36de82e1278abb02f", "hashes in any case"},
	} {
		points, at := spread(c.text)
		if got := strings.Join(names(points, at, c.text), " "); got != c.want {
			t.Errorf("%q names %q, want %q: %s", c.text, got, c.want, c.why)
		}
	}
}
