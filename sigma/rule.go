package sigma

import (
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/event"
)

// Rule is a detection rule: what to look for in one event of some log.
type Rule struct {
	ID, Title, Name              string
	Status, Level                string
	Author, License, Description string
	Date, Modified               string
	References, Tags             []string
	FalsePositives, Fields       []string
	LogSource                    LogSource
	// File and Line are where the rule begins.
	File string
	Line int

	match clause // when it matches, all its conditions together
}

// LogSource is which logs a rule is about, in words of Sigma's taxonomy. Empty ones are not asked.
type LogSource struct {
	Product, Category, Service string
	// Definition says in words what must be configured for the log to be written.
	Definition string
}

// Covers says whether a rule with this log source is asked of events of a source. Product, category and service must
// each be the source's, where the rule names them; beyond that
//
//   - a rule that names nothing of the source's is never asked: of an event of unknown source no rule is, since its
//     keywords would be found in any text;
//   - a rule for Windows that names neither category nor service is asked only of Windows events of channels that are
//     no service's: it names no channel, and a search of every event's text would report those that merely speak of
//     an attack. It is the one product whose every log has its rules.
func (l LogSource) Covers(s *event.Source) bool {
	if s == nil || l.Product == "" && l.Category == "" && l.Service == "" || !s.Is(l.Product, l.Category, l.Service) {
		return false
	}
	bare := l.Category == "" && l.Service == ""
	return !(bare && l.Product == "windows" && len(s.Categories)+len(s.Services) > 0)
}

// Collection is what was loaded.
type Collection struct {
	Rules        []*Rule
	Correlations []*Correlation
	Filters      []*Filter
}

// Error is what is wrong with a file of rules, where, and what would be right.
type Error struct {
	File         string
	Line, Column int // from 1; 0 when it is about the file as a whole
	Text         string
}

// Error is the error as one line: file:line:column: text.
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.File, number(e.Line), number(e.Column)} {
		if part != "" {
			b.WriteString(part)
			b.WriteByte(':')
		}
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(e.Text)
	return b.String()
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Levels are the levels of rules, from the least. Statuses are their statuses, from the most mature.
var (
	Levels   = []string{"informational", "low", "medium", "high", "critical"}
	Statuses = []string{"stable", "test", "experimental", "deprecated", "unsupported"}
)

// parseHeader reads what a rule, a correlation and a filter say about themselves.
func parseHeader(doc *node, r *Rule) error {
	for _, f := range []struct {
		key  string
		text *string
	}{
		{"id", &r.ID}, {"title", &r.Title}, {"name", &r.Name}, {"status", &r.Status}, {"level", &r.Level},
		{"author", &r.Author}, {"license", &r.License}, {"description", &r.Description},
		{"date", &r.Date}, {"modified", &r.Modified},
	} {
		n, ok := doc.get(f.key)
		if !ok || n.kind == nullNode {
			continue
		}
		if f.key == "author" && n.kind == listNode {
			all, err := n.list(f.key)
			if err != nil {
				return err
			}
			*f.text = strings.Join(all, ", ")
			continue
		}
		var err error
		if *f.text, err = n.str(f.key); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		key  string
		list *[]string
	}{{"references", &r.References}, {"tags", &r.Tags}, {"falsepositives", &r.FalsePositives}, {"fields", &r.Fields}} {
		n, ok := doc.get(f.key)
		if !ok {
			continue
		}
		var err error
		if *f.list, err = n.list(f.key); err != nil {
			return err
		}
	}
	if r.Title == "" {
		return doc.errorf("no title; every rule has one: title: What it finds")
	}
	if err := oneOf(doc, "level", &r.Level, Levels); err != nil {
		return err
	}
	return oneOf(doc, "status", &r.Status, Statuses)
}

// oneOf checks a word of a closed list, in any case.
func oneOf(doc *node, key string, have *string, words []string) error {
	if *have == "" {
		return nil
	}
	low := strings.ToLower(*have)
	for _, w := range words {
		if w == low {
			*have = w
			return nil
		}
	}
	n, _ := doc.get(key)
	return n.errorf("%s %s is unknown; %s", key, quote(*have), meant(*have, words))
}

// parseLogSource reads a log source.
func parseLogSource(doc *node) (LogSource, error) {
	var l LogSource
	n, ok := doc.get("logsource")
	if !ok {
		return l, doc.errorf("no logsource; say of which log: logsource: {product: windows, category: process_creation}")
	}
	if n.kind != mapNode {
		return l, n.errorf("logsource is %s; write a map of product, category, service", n.kind)
	}
	for _, f := range []struct {
		key  string
		text *string
	}{{"product", &l.Product}, {"category", &l.Category}, {"service", &l.Service}, {"definition", &l.Definition}} {
		v, ok := n.get(f.key)
		if !ok || v.kind == nullNode {
			continue
		}
		text, err := v.str("logsource " + f.key)
		if err != nil {
			return l, err
		}
		*f.text = text
		if f.key != "definition" {
			*f.text = strings.ToLower(strings.TrimSpace(text))
		}
	}
	if l.Product == "" && l.Category == "" && l.Service == "" {
		return l, n.errorf("logsource names no product, category or service; name at least one")
	}
	return l, nil
}

// parseRule reads a detection rule.
func parseRule(doc *node, o *LoadOptions) (*Rule, error) {
	r := &Rule{Line: doc.line}
	if err := parseHeader(doc, r); err != nil {
		return nil, err
	}
	var err error
	if r.LogSource, err = parseLogSource(doc); err != nil {
		return nil, err
	}
	det, ok := doc.get("detection")
	if !ok {
		return nil, doc.errorf("no detection; a rule has detection, a correlation has correlation, a filter has filter")
	}
	s, err := parseSearches(det, o)
	if err != nil {
		return nil, err
	}
	r.match, err = s.condition()
	return r, err
}
