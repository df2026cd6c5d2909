package release

import (
	"regexp"

	"github.com/polder-exchange/polder/stix"
)

// Breach is a wall that an object runs into. It names the wall and the property, never the word.
type Breach struct {
	Label string `json:"label"` // "" is the highest level
	Path  string `json:"path"`
}

func forbiddenFinder(list []Forbidden) *finder {
	var all []term
	for _, f := range list {
		for _, w := range f.Words {
			all = append(all, umlauts(term{label: f.Label, text: w})...)
		}
	}
	return newFinder(all)
}

// expression is a compiled one of a wall.
type expression struct {
	label string
	re    *regexp.Regexp
}

// Breaches are the walls that an object of a level runs into, each once. No step and no person opens them for one share.
func (r *Rules) Breaches(o stix.Object, level stix.Marking) []Breach {
	var out []Breach
	if r.tooStrict(level) {
		out = append(out, Breach{Path: "object_marking_refs"})
	}
	if len(r.words.known) == 0 && len(r.expressions) == 0 {
		return out
	}
	root, err := parse(o.Raw())
	if err != nil {
		return out // a checked object is JSON
	}
	told := map[string]bool{}
	root.texts("", func(path, text string) {
		for _, label := range r.forbidden(text) {
			if !told[label] {
				told[label] = true
				out = append(out, Breach{label, path})
			}
		}
	})
	return out
}

// tooStrict tells whether a level is beyond the highest that leaves.
func (r *Rules) tooStrict(level stix.Marking) bool {
	return r.profile.Highest != stix.None && level > r.profile.Highest
}

// forbidden are the labels of the walls that a text runs into.
func (r *Rules) forbidden(text string) (labels []string) {
	for _, s := range r.words.find(text) {
		labels = append(labels, s.label)
	}
	if v, ok := decoded(text); ok && len(r.words.known) > 0 {
		for _, s := range r.words.find(string(v.text)) {
			labels = append(labels, s.label)
		}
	}
	if len(r.expressions) == 0 {
		return labels
	}
	plain := words(text)
	for _, e := range r.expressions {
		if e.re.MatchString(text) || e.re.MatchString(plain) {
			labels = append(labels, e.label)
		}
	}
	return labels
}

// ForbiddenIn is the label of a wall that a text runs into which is no object, such as the reason of a withdrawal; ""
// when it runs into none.
func (r *Rules) ForbiddenIn(text string) string {
	if found := r.forbidden(text); len(found) > 0 {
		return found[0]
	}
	return ""
}
