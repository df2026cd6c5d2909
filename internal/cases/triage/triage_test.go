package triage

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
)

// labelled is a report of testdata/reports.tsv.
type labelled struct {
	part, language, road, kind, ongoing, class, severity, text string
}

func (l labelled) answers() Answers {
	return Answers{What: l.text, Roads: []string{l.road}, Ongoing: l.ongoing, Kind: l.kind, Language: l.language}
}

func readLabelled(t testing.TB) []labelled {
	t.Helper()
	f, err := os.Open("testdata/reports.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []labelled
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		c := strings.Split(lines.Text(), "\t")
		if len(c) != 8 {
			t.Fatalf("line %d has %d columns", len(all)+2, len(c))
		}
		if c[0] != "part" {
			all = append(all, labelled{c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]})
		}
	}
	return all
}

// TestAgreement publishes how often the proposal is what a person chose, over all and over the part of the set that was
// never looked at while the rules were written.
func TestAgreement(t *testing.T) {
	right, all := map[string]int{}, map[string]int{}
	for _, l := range readLabelled(t) {
		p := Propose(l.answers())
		for _, group := range []string{"all", l.part, l.language, l.road, l.part + " " + l.language, l.part + " " + l.road} {
			all[group]++
			if p.Class == l.class {
				right[group]++
			}
			if p.Severity == l.severity {
				right[group+" severity"]++
			}
		}
		if l.part == "development" && (p.Class != l.class || p.Severity != l.severity) && os.Getenv("SHOW") != "" {
			fmt.Printf("%s\n   want %s %s, got %s %s %q\n", l.text, l.class, l.severity, p.Class, p.Severity, p.Why)
		}
	}
	for g, n := range all {
		t.Logf("%-26s %3d of %3d, %d %%; severity %d %%", g, right[g], n, 100*right[g]/n, 100*right[g+" severity"]/n)
	}
}
