package cases

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/internal/web"
)

// reportFiles are the pages for who reports: LANG.txt the texts of a language, templates the pages, help the contacts.
//
//go:embed report
var reportFiles embed.FS

// mailRoads are the answers to the third question, in the order in which they are asked everywhere.
var mailRoads = []Road{RoadCyber, RoadInsider, RoadAcquisition, RoadExport, RoadResearch, RoadUnknown}

// mailQuestion is one of the six questions as an e-mail asks it.
type mailQuestion struct {
	Field   string // of [Answers] in JSON: what, noticed, roads, ongoing, call, may_know
	Text    string // begins its line, after its number: "1. What did you notice?"
	Help    string
	Options []mailOption // none: free words
}

// mailOption is one answer to choose; it stands on a line of its own after "[ ] ".
type mailOption struct{ Value, Text string }

// mailCatalogue are the texts of a language; those of English where there is no such language.
func mailCatalogue(lang string) web.Catalogue {
	text, err := fs.ReadFile(reportFiles, "report/"+lang+".txt")
	if err != nil {
		text, err = fs.ReadFile(reportFiles, "report/en.txt")
	}
	if err != nil {
		panic(err) // it is embedded
	}
	c, err := web.ParseCatalogue(string(text))
	if err != nil {
		panic(fmt.Sprintf("report/%s.txt: %v", lang, err)) // it is embedded, and a test reads it
	}
	return c
}

// mailQuestions are the six questions of an e-mail, in order.
func mailQuestions(lang string) []mailQuestion {
	c := mailCatalogue(lang)
	options := func(prefix string, values ...string) []mailOption {
		var all []mailOption
		for _, v := range values {
			text := strings.ReplaceAll(c[prefix+v], "{desk}", c["mail.desk"])
			all = append(all, mailOption{v, text})
		}
		return all
	}
	var roads []string
	for _, r := range mailRoads {
		roads = append(roads, string(r))
	}
	return []mailQuestion{
		{"what", c["q1"], c["q1.help"], nil},
		{"noticed", c["q2"], c["q2.help"], nil},
		{"roads", c["q3"], c["q3.help"], options("road.", roads...)},
		{"ongoing", c["q4"], "", options("q4.", "yes", "no", "unknown")},
		{"call", c["q5"], c["mail.call"], nil},
		{"may_know", c["q6"], "", options("q6.", "desk", "team", "members", "police")},
	}
}

// mailTemplate is the text of an e-mail with the six questions, in a language of the report pages. An answer stands on
// the lines below its question; a chosen option has an x between its brackets.
func mailTemplate(lang string) string { return mailTemplateFor(lang, "") }

// mailTemplateFor is [mailTemplate] addressed to a desk by its name.
func mailTemplateFor(lang, desk string) string {
	c := mailCatalogue(lang)
	var b strings.Builder
	b.WriteString(c["mail.title"] + "\n")
	if desk != "" {
		b.WriteString(strings.ReplaceAll(c["mail.to"], "{desk}", strings.Join(strings.Fields(web.Visible(desk)), " ")) + "\n")
	}
	b.WriteString("\n" + mailWrap(c["mail.warning"]) + "\n\n" + mailWrap(c["mail.how"]) + "\n")
	for i, q := range mailQuestions(lang) {
		b.WriteString("\n" + strconv.Itoa(i+1) + ". " + q.Text + "\n")
		if q.Help != "" {
			b.WriteString("   (" + q.Help + ")\n")
		}
		for _, o := range q.Options {
			b.WriteString("[ ] " + o.Text + "\n")
		}
		if q.Options == nil {
			b.WriteString("\n\n")
		}
	}
	b.WriteString("\n--\n" + mailWrap(c["mail.end"]) + "\n")
	return b.String()
}

// mailWrap breaks a text into lines that no mail program breaks again.
func mailWrap(text string) string {
	var b strings.Builder
	line := 0
	for _, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case line == 0:
		case line+1+n > 72:
			b.WriteByte('\n')
			line = 0
		default:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += n
	}
	return b.String()
}
