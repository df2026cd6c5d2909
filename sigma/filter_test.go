package sigma

import (
	"strings"
	"testing"
)

const filtered = `title: archiver
id: 6f3e2987-db24-4c78-a860-b4f4095a7095
name: archiver
logsource: {product: windows, category: process_creation}
detection:
  s: {Image|endswith: '\rar.exe'}
  condition: s
---
title: other
name: other
logsource: {product: windows, category: process_creation}
detection:
  s: {Image|endswith: '\rar.exe'}
  condition: s
---
title: dns
name: dns
logsource: {product: windows, category: dns_query}
detection:
  s: {Image|endswith: '\rar.exe'}
  condition: s
---
`

func filterText(rules, condition string) string {
	return filtered + `title: administrators pack every night
logsource: {product: windows, category: process_creation}
filter:
  rules: ` + rules + `
  adm: {User|startswith: adm_}
  night: {Parent: scheduler}
  condition: ` + condition + "\n"
}

func TestFilter(t *testing.T) {
	adm := []string{`Image=C:\tools\rar.exe`, "User=adm_jan", "Parent=scheduler"}
	ann := []string{`Image=C:\tools\rar.exe`, "User=ann", "Parent=explorer"}
	for _, c := range []struct {
		why, rules, condition string
		rule                  string
		event                 []string
		want                  bool
	}{
		{"what is filtered out", "[archiver]", "not adm", "archiver", adm, false},
		{"what is not", "[archiver]", "not adm", "archiver", ann, true},
		{"by id", "[6f3e2987-db24-4c78-a860-b4f4095a7095]", "not adm", "archiver", adm, false},
		{"a rule that is not named", "[archiver]", "not adm", "other", adm, true},
		{"any rule of the log source", "any", "not adm", "other", adm, false},
		{"any as a list", "[ANY]", "not adm", "other", adm, false},
		{"any spares other log sources", "any", "not adm", "dns", adm, true},
		{"a condition without not keeps only what is selected", "[archiver]", "adm and night", "archiver", adm, true},
		{"and nothing else", "[archiver]", "adm and night", "archiver", ann, false},
	} {
		t.Run(c.why, func(t *testing.T) {
			col, errs := Parse([]byte(filterText(c.rules, c.condition)), "f.yml", LoadOptions{})
			if len(errs) > 0 {
				t.Fatal(errs[0])
			}
			col.link() // once more changes nothing
			for _, r := range col.Rules {
				if r.Name == c.rule {
					if got := r.Matches(makeEvent(c.event...)); got != c.want {
						t.Errorf("matches %v, want %v", got, c.want)
					}
				}
			}
		})
	}
}

func TestFilterErrors(t *testing.T) {
	for _, c := range []struct {
		why, text string
		want      string
	}{
		{"no such rule", filterText("[nowhere]", "not adm"), "nowhere"},
		{"another log source", filterText("[dns]", "not adm"), "another log source"},
		{"any beside others", filterText("[any, dns]", "not adm"), "any alone"},
		{"no rules", "title: t\nlogsource: {product: windows}\nfilter:\n  s: {A: 1}\n  condition: s\n", "write the ids or names"},
		{"no condition", "title: t\nlogsource: {product: windows}\nfilter:\n  rules: any\n  s: {A: 1}\n", "condition: not selection"},
		{"no log source", "title: t\nfilter:\n  rules: any\n  s: {A: 1}\n  condition: s\n", "logsource"},
		{"a list", "title: t\nlogsource: {product: windows}\nfilter: [a]\n", "write a map"},
		{"a correlation", "title: t\nlogsource: {product: windows}\nfilter:\n  rules: [k]\n  s: {A: 1}\n  condition: s\n---\ntitle: k\nname: k\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n" + base("a"), "is a correlation"},
	} {
		t.Run(c.why, func(t *testing.T) {
			_, errs := Parse([]byte(c.text), "f.yml", LoadOptions{})
			if len(errs) != 1 || !strings.Contains(errs[0].Text, c.want) || errs[0].Line == 0 {
				t.Errorf("got %v, want one error with a line that says %q", errs, c.want)
			}
		})
	}
}
