package house

import (
	"regexp"
	"strings"
)

// Test is a test function of a package, as docs/proof.md names it: `internal/notify TestS20Dialer`.
type Test struct{ Package, Name string }

// Promise is a row of the first table of docs/proof.md: what holds, and the tests that fail when it does not.
type Promise struct {
	Name, Text string
	Tests      []Test
}

// Bug is a row of the second table: a fault that can be put back, and the test that notices it.
type Bug struct {
	Name  string // as fail.Bug knows it
	Text  string
	Tests []Test
	Found string // who or what found it first
}

var named = regexp.MustCompile("`([\\w./-]+) ((?:Test|Fuzz)\\w+)`")

// Proof reads docs/proof.md: rows of three cells are promises, rows of four are bugs. Everything else is prose.
func Proof(text string) (promises []Promise, bugs []Bug) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || !strings.Contains(line, "`") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) < 3 {
			continue
		}
		var tests []Test
		for _, m := range named.FindAllStringSubmatch(cells[2], -1) {
			tests = append(tests, Test{m[1], m[2]})
		}
		if len(cells) == 3 {
			promises = append(promises, Promise{cells[0], cells[1], tests})
		} else {
			bugs = append(bugs, Bug{strings.Trim(cells[0], "`"), cells[1], tests, cells[3]})
		}
	}
	return promises, bugs
}
