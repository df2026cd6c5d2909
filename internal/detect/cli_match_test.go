package detect

import (
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/cli/clitest"
)

func TestMatchCommand(t *testing.T) {
	clitest.Commands(t, MatchCommand())
	const data = `{"type":"observed-data","id":"observed-data--1","first_observed":"2024-01-01T00:00:00Z",` +
		`"last_observed":"2024-01-01T00:00:00Z","number_observed":1,"objects":{"0":{"type":"url","value":"http://x.example/"}}}`
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		want        string // in what it prints, on either side
	}{
		{"a match", data, []string{"--pattern", "[url:value LIKE 'http://x%']", "-"}, 0, "observed-data--1"},
		{"a match as JSON", data, []string{"--json", "--pattern", "[EXISTS url:value]", "-"}, 0, `"observed":[{"index":0,"id":"observed-data--1",`},
		{"none", data, []string{"--pattern", "[url:value = 'x']", "-"}, 3, "none of 1 observations"},
		{"none as JSON", data, []string{"--json", "--pattern", "[url:value = 'x']", "-"}, 3, `{"match":false,`},
		{"a pattern that does not parse", data, []string{"--pattern", "[url:value = x]", "-"}, 1, "--pattern:1: column 14: found \"x\""},
		{"a pattern that does not compile", data, []string{"--pattern", `[url:value MATCHES '(a)\\1']`, "-"}, 1, "back-references"},
		{"a second line", data, []string{"--pattern", "[url:value = 'x']\nAND", "-"}, 1, "--pattern:2: column 4"},
		{"no data", "", []string{"--pattern", "[url:value = 'x']", "-"}, 1, "there is no observed-data"},
		{"broken data", data[:40], []string{"--pattern", "[url:value = 'x']", "-"}, 1, "cannot be read as JSON"},
		{"too much work", strings.Replace(data, `"value":"http://x.example/"`, `"k_refs":["0","0"]`, 1),
			[]string{"--pattern", "[url:" + strings.Repeat("k_refs[*].", 60) + "v = 1]", "-"}, 1, "more steps"},
		{"no pattern", data, []string{"-"}, 2, "pattern"},
		{"two patterns", data, []string{"--pattern", "[url:value = 'x']", "--pattern-file", "p", "-"}, 2, "pattern"},
		{"no file", data, []string{"--pattern", "[url:value = 'x']"}, 2, "arg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs, code := clitest.Run(t, c.stdin, append([]string{"match"}, c.args...), MatchCommand())
			if code != c.code || !strings.Contains(out+errs, c.want) {
				t.Errorf("exit %d, want %d and %q; it printed\n%s%s", code, c.code, c.want, out, errs)
			}
		})
	}
}
