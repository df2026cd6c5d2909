package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// left are words that say that something is not finished. They are put together here so that this file does not hold them.
var left = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|(?i:lorem ip` + `sum|not imple` + `mented)`)

// machine are paths of the machine that somebody worked on.
var machine = regexp.MustCompile(`(^|[\s"'(=])/(work|home|Users)/\w`)

// bare is a test that is skipped without a word.
var bare = regexp.MustCompile(`\bt\.(Skip|SkipNow)\(\)`)

var texts = []string{".go", ".md", ".html", ".css", ".js", ".txt", ".txtar", ".sql", ".json", ".yml", ".yaml", ".mod", ""}

// unfinished says what is wrong with a line of text; "" when nothing is.
func unfinished(line string) string {
	switch {
	case left.MatchString(line):
		return "left over; finish it or take it away"
	case machine.MatchString(line):
		return "a path of one machine"
	case bare.MatchString(line):
		return "skipped without a reason; t.Skip(why)"
	}
	return ""
}

// TestNothingLeftOver reads every text file of the project.
func TestNothingLeftOver(t *testing.T) {
	read := 0
	err := filepath.WalkDir(root(t), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root(t), p)
		switch {
		case d.IsDir() && (rel == "dist" || d.Name() == ".git" || d.Name() == "fuzz"):
			return filepath.SkipDir
		case d.IsDir() || !slices.Contains(texts, filepath.Ext(p)) || d.Name() == "LICENSE":
			return nil
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 {
			return nil // a built binary, or gone since
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return nil
		}
		read++
		for i, line := range strings.Split(string(text), "\n") {
			if why := unfinished(line); why != "" {
				t.Errorf("%s:%d: %s: %s", filepath.ToSlash(rel), i+1, why, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil || read < 10 {
		t.Fatalf("read %d files: %v", read, err)
	}
}

// TestNothingLeftOverBites shows that each of the three is noticed.
func TestNothingLeftOverBites(t *testing.T) {
	for line, want := range map[string]bool{
		"// TO" + "DO: later":                true,
		`dir := "/ho` + `me/anna/polder"`:    true,
		"	t.Skip" + "()":                     true,
		`	t.Skip("no data")`:                 false,
		"a rule to do with /healthz":         false,
		"panic(\"not imple" + "mented\")":    true,
		"GET /api/v1/home/1":                 false,
		"the home of every path is /root.js": false,
	} {
		if got := unfinished(line) != ""; got != want {
			t.Errorf("%q: found %v, want %v", line, got, want)
		}
	}
}
