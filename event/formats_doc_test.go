package event

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestFormatsDocument holds docs/formats.md to the code: each format has a section, and each example in it is recognised
// as that format and becomes the source that is written below it.
func TestFormatsDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[Format]int{}
	example := regexp.MustCompile("(?s)```\n(.*?)```\n\nSigma: `([^`]*)`")
	for section := range strings.SplitSeq(string(text), "\n### ") {
		name, body, _ := strings.Cut(section, "\n")
		format, err := ParseFormat(name)
		if err != nil {
			continue // the beginning of the page
		}
		found := example.FindAllStringSubmatch(body, -1)
		if n := strings.Count(body, "```\n"); n != 2*len(found) {
			t.Errorf("%s: %d fences around %d examples; below each example stands its source", format, n, len(found))
		}
		sections[format] = len(found)
		for _, m := range found {
			if got, source := firstOf(t, m[1]); got != format || source != m[2] {
				t.Errorf("%s: the example is read as %s of %s, and the page says %s:\n%s", format, got, source, m[2], m[1])
			}
		}
	}
	for _, f := range Formats() {
		n, ok := sections[f]
		if !ok || n == 0 && f != EVTX { // a binary format has no example line
			t.Errorf("docs/formats.md has %d examples of %s", n, f)
		}
	}
}

// firstOf is the format that a log is recognised as, and the source of its first event in the form product/categories/services.
func firstOf(t *testing.T, log string) (Format, string) {
	t.Helper()
	s, err := Open(strings.NewReader(log), Options{Name: "example", Now: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Error(err)
		return "", ""
	}
	source := ""
	for {
		c, err := s.Next()
		if err == io.EOF {
			return s.Format(), source
		}
		if err != nil {
			t.Error(err)
			continue
		}
		var e Event
		s.NewDecoder().Decode(c, &e, func(bad *Error) bool {
			if bad != nil {
				t.Errorf("%v in %s", bad, log)
			} else if source == "" {
				source = e.Source.Product + "/" + strings.Join(e.Source.Categories, "+") + "/" + strings.Join(e.Source.Services, "+")
			}
			return true
		})
	}
}
