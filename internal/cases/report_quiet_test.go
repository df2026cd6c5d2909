package cases

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// quietTag is the beginning of an element under which people write what is sealed later, or read what was.
var quietTag = regexp.MustCompile(`<(?:form|div|ol)[^>]*>`)

// TestS29WordsStayHere (S29): a browser that has spelling checked, sentences completed or pages translated by somebody else
// is told to leave alone what is written to be sealed, and what was opened.
func TestS29WordsStayHere(t *testing.T) {
	spelling, translation := []string{`spellcheck="false"`, `writingsuggestions="false"`}, []string{`translate="no"`}
	for _, c := range []struct {
		why, file, tag string
		want           []string
	}{
		{"the form of a report", "report/templates/form.html", `id="form"`, spelling},
		{"the form of somebody who is pressed", "report/templates/pressed.html", `id="form"`, spelling},
		{"the words of a receipt", "report/templates/thread.html", `id="enter"`, spelling},
		{"what is written back by script", "report/templates/thread.html", `id="talk"`, spelling},
		{"what is written back without script", "report/templates/talk.html", "/report/thread/say", spelling},
		{"a conversation without script", "report/templates/talk.html", `class="talk"`, translation},
		{"what a reader opens and answers", "templates/desk.html", `id="desk"`, append(translation, spelling...)},
	} {
		files := fs.FS(reportFiles)
		if strings.HasPrefix(c.file, "templates/") {
			files = ConsolePart().Files
		}
		text, err := fs.ReadFile(files, c.file)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, tag := range quietTag.FindAllString(strings.NewReplacer(`{{to "`, "", `"}}`, "").Replace(string(text)), -1) {
			if !strings.Contains(tag, c.tag) {
				continue
			}
			found++
			for _, want := range c.want {
				if !strings.Contains(tag, want) {
					t.Errorf("%s (%s): %s lacks %s", c.why, c.file, tag, want)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: %s has no element with %s", c.why, c.file, c.tag)
		}
	}
}

// TestBrowserReportS29Least (S29): a node that asks for less padding gets a report that is as long as any other.
func TestBrowserReportS29Least(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true})
	b := webtest.Start(t)
	plain, _ := w.sends(t, b, "a", nil)
	w.lie = func(d *DeskView) { d.Limits.Least = 64 }
	asked, _ := w.sends(t, b, "a", nil)
	if len(plain) != len(asked) {
		t.Errorf("a report has %d bytes, and %d where the node asks for less padding", len(plain), len(asked))
	}
	var p ReportPost
	if err := json.Unmarshal(asked, &p); err != nil || len(p.Box.Body) < SealLeast {
		t.Errorf("it is padded to %d bytes, %v", len(p.Box.Body), err)
	}
}
