package exchange

import (
	"strings"

	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/internal/exchange/release"
)

// This file shows on a terminal what leaves otherwise than it is: a line as it is, a line as it leaves, rule and reason.

// tellChanges prints the difference of each object, line by line.
func tellChanges(p *cli.Printer, items []Item) {
	for _, it := range items {
		if len(it.Changes) == 0 && it.DerivedFrom == "" && it.Override == "" {
			continue
		}
		p.Printf("\n%s\n", it.ID)
		if it.DerivedFrom != "" {
			p.Printf("  another object, derived from %s\n", it.DerivedFrom)
		}
		printChanges(p, it.Changes)
		if it.Override != "" {
			p.Printf("  sent past a stop: %s\n", it.Override)
		}
	}
}

func printChanges(p *cli.Printer, changes []release.Change) {
	for _, c := range changes {
		p.Printf("  %s (%s: %s)\n", c.Path, c.Rule, c.Why)
		before, after := strings.Split(c.Before, "\n"), strings.Split(c.After, "\n")
		if c.After == "" {
			after = nil
		}
		for _, line := range lineDiff(before, after) {
			p.Printf("  %s %s\n", string(line[0]), clip(line[1:], 500))
		}
	}
}

// lineDiff is the lines that differ, each behind a sign: - as it is, + as it leaves. A text keeps its lines when facts
// in it are replaced, but where a fact goes over the end of one; then all lines are shown.
func lineDiff(before, after []string) (out []string) {
	if len(before) == len(after) {
		for i := range before {
			if before[i] != after[i] {
				out = append(out, "-"+before[i], "+"+after[i])
			}
		}
		return out
	}
	for _, line := range before {
		out = append(out, "-"+line)
	}
	for _, line := range after {
		out = append(out, "+"+line)
	}
	return out
}

// tellReaders prints who will be able to see any of it.
func tellReaders(p *cli.Printer, r Result) {
	if len(r.Readers) == 0 {
		p.Printf("nobody else would be able to see it\n")
		return
	}
	p.Printf("who would be able to see it: %s\n", strings.Join(r.Readers, ", "))
}
