package node

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestReadmeDeadlines runs the command of deadlines that the README shows and holds what it says to what is shown there. A
// line of dots stands for lines that are left out, dots at the end of a line for the rest of it.
func TestReadmeDeadlines(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	ok(t, err)
	_, shown, found := strings.Cut(string(text), "\n$ polder deadlines ")
	if !found {
		t.Fatal("the README shows no run of polder deadlines any more")
	}
	flags, shown, _ := strings.Cut(shown, "\n")
	shown, _, _ = strings.Cut(shown, "```")
	out, err := run(t.Context(), append([]string{"deadlines"}, strings.Fields(flags)...)...)
	ok(t, err)
	got := strings.Split(out, "\n")
	compared := 0
	for line := range strings.SplitSeq(shown, "\n") {
		begin, cut := strings.CutSuffix(line, "…")
		if strings.TrimSpace(begin) == "" {
			continue
		}
		i := slices.IndexFunc(got, func(l string) bool { return l == line || cut && strings.HasPrefix(l, begin) })
		if i < 0 {
			t.Fatalf("the README shows %q, and polder deadlines says\n%s", line, out)
		}
		got, compared = got[i+1:], compared+1
	}
	if compared < 4 {
		t.Errorf("only %d lines are shown", compared)
	}
}
