package cases

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMailTemplate(t *testing.T) {
	for _, lang := range []string{"en", "nl"} {
		text := mailTemplateFor(lang, "Orion\r\nBcc: all@example.com \u202Edesk")
		if strings.Contains(text, "\nBcc:") || strings.ContainsAny(text, "\r\u202E") {
			t.Errorf("the name of a desk becomes a line or hides: %q", text)
		}
		at := -1
		for i, q := range mailQuestions(lang) {
			next := strings.Index(text, "\n"+string(rune('1'+i))+". "+q.Text+"\n")
			if next <= at {
				t.Errorf("%s: question %d, %q, is not in its place", lang, i+1, q.Text)
			}
			at = next
			for _, o := range q.Options {
				if !strings.Contains(text, "\n[ ] "+o.Text+"\n") || strings.ContainsAny(o.Text, "{}") {
					t.Errorf("%s: option %q is no line of its own", lang, o.Text)
				}
			}
		}
		if len(mailQuestions(lang)) != 6 {
			t.Errorf("%s has %d questions", lang, len(mailQuestions(lang)))
		}
		warning := mailCatalogue(lang)["mail.warning"]
		if !strings.Contains(strings.Join(strings.Fields(text), " "), warning) {
			t.Errorf("%s does not warn that e-mail is not sealed", lang)
		}
	}
	if mailTemplate("xx") != mailTemplate("en") || mailTemplate("../en") != mailTemplate("en") {
		t.Error("a language that is not there is not English")
	}
}

func TestMailWrap(t *testing.T) {
	long := strings.Repeat("één woord ", 40) + strings.Repeat("x", 90)
	wrapped := mailWrap(long)
	for line := range strings.Lines(wrapped) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 72 && n != 90 {
			t.Errorf("a line has %d characters: %q", n, line)
		}
	}
	if strings.Join(strings.Fields(wrapped), " ") != strings.Join(strings.Fields(long), " ") {
		t.Error("words were lost")
	}
}

// TestReportMailPage: the text that the node hands out is the one of the command.
func TestReportMailPage(t *testing.T) {
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Alias: "orion", Listed: true})
	w.openDesk(DeskSettings{Name: "Hidden desk", Alias: "hidden"})
	for path, want := range map[string]string{"/report/mail.txt?lang=nl": mailTemplateFor("nl", "Orion Optics"), "/report/mail.txt?lang=en&to=hidden": mailTemplateFor("en", "Hidden desk")} {
		if got := w.page(path); got != want {
			t.Errorf("%s is %q", path, got)
		}
	}
	r, err := http.Get(w.url + "/report/mail.txt?to=nobody")
	w.must(err)
	defer r.Body.Close()
	if r.StatusCode != http.StatusNotFound {
		t.Errorf("a desk that is not there answers %d", r.StatusCode)
	}
}
