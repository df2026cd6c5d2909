package triage

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Files holds the rules in its folder static, as the module triage_rules.js, so that a browser reads the same file.
//
//go:embed static
var Files embed.FS

// ruleSet is triage_rules.js. Its own comments say what each part is for.
type ruleSet struct {
	About    []string          `json:"about"`
	Fold     map[string]string `json:"fold"`
	Negators string            `json:"negators"`
	Concepts map[string]string `json:"concepts"`
	Classes  []classRule       `json:"classes"`
	Least    int               `json:"least"`
	Rules    []rule            `json:"rules"`
	Kinds    []rule            `json:"kinds"`
	Defaults []rule            `json:"defaults"`
	Severity []rule            `json:"severity"`
	Common   string            `json:"common"`

	negators map[string]bool
	common   map[string]bool
	concepts []concept
	exact    map[string][]beginning // by the whole first word
	prefixed map[string][]beginning // by what the first word begins with
	starred  []beginning            // whose first word begins with a star
}

// beginning is a phrase of a concept, found by its first word.
type beginning struct {
	concept string
	phrase  phrase
}

// classRule is a class that may be proposed, what it is called, and how bad it is by the kind of report.
type classRule struct {
	ID   string            `json:"id"`
	EN   string            `json:"en"`
	NL   string            `json:"nl"`
	Base map[string]string `json:"base"` // by kind; "" is every other kind
}

// rule says what words speak for. If are concepts found in one sentence: "name" found, "+name" found and not denied,
// "-name" denied. Also must be found anywhere, Unless nowhere.
type rule struct {
	Class   string   `json:"class,omitempty"` // of a class rule and a default
	Kind    string   `json:"kind,omitempty"`  // of a rule for kinds
	Weight  int      `json:"w,omitempty"`
	Floor   string   `json:"floor,omitempty"` // of a severity rule: never less than this, whatever the others say
	If      string   `json:"if,omitempty"`
	Also    string   `json:"also,omitempty"`
	Unless  string   `json:"unless,omitempty"`
	Roads   []string `json:"roads,omitempty"`   // any of these
	Kinds   []string `json:"kinds,omitempty"`   // any of these
	Ongoing []string `json:"ongoing,omitempty"` // any of these
	Classes []string `json:"classes,omitempty"` // of a severity rule: any of these, or what begins with one that ends in "/"
	EN      string   `json:"en,omitempty"`
	NL      string   `json:"nl,omitempty"`
}

// concept is a name for words and phrases that mean the same.
type concept struct {
	name    string
	phrases []phrase
}

// phrase is words in a row: each literal, with a star before or after, or "~" for up to four words of any kind.
type phrase []part

type part struct {
	text          string
	before, after bool // a star stands there
	gap           bool
}

var theRules = sync.OnceValue(func() *ruleSet {
	r, err := readRules()
	if err != nil {
		panic(err) // the file is part of the binary, and a test reads it
	}
	return r
})

func readRules() (*ruleSet, error) {
	raw, err := Files.ReadFile("static/triage_rules.js")
	if err != nil {
		return nil, err
	}
	body, isModule := bytes.CutPrefix(raw, []byte("export default "))
	body, closed := bytes.CutSuffix(bytes.TrimSpace(body), []byte(";"))
	if !isModule || !closed {
		return nil, fmt.Errorf("triage_rules.js: is not of the form %q", "export default {…};")
	}
	r := &ruleSet{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("triage_rules.js: %w", err)
	}
	r.negators, r.common = set(r.Negators), set(r.Common)
	for _, name := range slices.Sorted(maps.Keys(r.Concepts)) {
		c := concept{name: name}
		for p := range strings.SplitSeq(r.Concepts[name], ",") {
			c.phrases = append(c.phrases, readPhrase(p))
		}
		r.concepts = append(r.concepts, c)
	}
	r.index()
	return r, nil
}

// index sorts phrases by their first word, so that a text is read in one go however many there are.
func (r *ruleSet) index() {
	r.exact, r.prefixed = map[string][]beginning{}, map[string][]beginning{}
	for _, c := range r.concepts {
		for _, p := range c.phrases {
			b := beginning{c.name, p}
			switch first := p[0]; {
			case first.before:
				r.starred = append(r.starred, b)
			case first.after:
				r.prefixed[first.text] = append(r.prefixed[first.text], b)
			default:
				r.exact[first.text] = append(r.exact[first.text], b)
			}
		}
	}
}

// begins are the phrases that may begin with w.
func (r *ruleSet) begins(w string) []beginning {
	all := append(slices.Clip(r.exact[w]), r.starred...)
	for i := range len(w) {
		all = append(all, r.prefixed[w[:i+1]]...)
	}
	return all
}

func set(words string) map[string]bool {
	s := map[string]bool{}
	for _, w := range strings.Fields(words) {
		s[w] = true
	}
	return s
}

func readPhrase(text string) phrase {
	var p phrase
	for _, w := range strings.Fields(text) {
		if w == "~" {
			p = append(p, part{gap: true})
			continue
		}
		bare, before := strings.CutPrefix(w, "*")
		bare, after := strings.CutSuffix(bare, "*")
		p = append(p, part{text: bare, before: before, after: after})
	}
	return p
}
