package triage

import (
	"cmp"
	"slices"
	"strings"
)

// span is where a concept was found: words from…to, both included.
type span struct {
	from, to int
	denied   bool
}

// reading is a text with what was found in it.
type reading struct {
	text  string
	words []word
	found map[string][]span
}

func (r *ruleSet) read(text string) *reading {
	d := &reading{text: text, words: r.words(text), found: map[string][]span{}}
	for i := range d.words {
		to := map[string]int{} // of each concept that begins here, where its longest phrase ends
		for _, b := range r.begins(d.words[i].text) {
			if end := d.follow(b.phrase, i, d.words[i].sentence); end >= 0 {
				to[b.concept] = max(to[b.concept], end)
			}
		}
		for name, end := range to {
			d.found[name] = append(d.found[name], span{i, end, r.denied(d.words, i, end)})
		}
	}
	return d
}

// follow is where p ends when it begins at word i, or -1. It stays in one sentence.
func (d *reading) follow(p phrase, i, sentence int) int {
	if len(p) == 0 {
		return i - 1
	}
	if p[0].gap {
		for skip := range 5 {
			if to := d.follow(p[1:], i+skip, sentence); to >= 0 {
				return to
			}
		}
		return -1
	}
	if i >= len(d.words) || d.words[i].sentence != sentence || !p[0].fits(d.words[i].text) {
		return -1
	}
	return d.follow(p[1:], i+1, sentence)
}

func (p part) fits(w string) bool {
	switch {
	case p.before && p.after:
		return strings.Contains(w, p.text)
	case p.before:
		return strings.HasSuffix(w, p.text)
	case p.after:
		return strings.HasPrefix(w, p.text)
	}
	return w == p.text
}

// denied says whether a word that denies stands in the same clause, up to four words before or two after.
func (r *ruleSet) denied(words []word, from, to int) bool {
	for i := max(0, from-4); i <= min(len(words)-1, to+2); i++ {
		if (i < from || i > to) && words[i].clause == words[from].clause && r.negators[words[i].text] {
			return true
		}
	}
	return false
}

// spans are those of an atom: "name", "+name" not denied, "-name" denied.
func (d *reading) spans(atom string) []span {
	name := strings.TrimLeft(atom, "+-")
	found := d.found[name]
	if name == atom {
		return found
	}
	var kept []span
	for _, s := range found {
		if s.denied == (atom[0] == '-') {
			kept = append(kept, s)
		}
	}
	return kept
}

// holds says whether a rule fits, and by which words.
func (d *reading) holds(r rule, a Answers, class string) (words string, ok bool) {
	if !anyOf(r.Roads, a.Roads...) || !anyOf(r.Kinds, a.Kind) || !anyOf(r.Ongoing, a.Ongoing) || !isClass(r.Classes, class) {
		return "", false
	}
	for atom := range strings.FieldsSeq(r.Unless) {
		if len(d.spans(atom)) > 0 {
			return "", false
		}
	}
	var also []span
	for atom := range strings.FieldsSeq(r.Also) {
		s := d.spans(atom)
		if len(s) == 0 {
			return "", false
		}
		also = append(also, s[0])
	}
	if r.If == "" {
		return d.quote(also), true
	}
	together, ok := d.together(strings.Fields(r.If))
	if !ok {
		return "", false
	}
	return d.quote(append(together, also...)), true
}

// together is one span of every atom, all in the first sentence that has them all.
func (d *reading) together(atoms []string) ([]span, bool) {
	for _, first := range d.spans(atoms[0]) {
		sentence := d.words[first.from].sentence
		found := []span{first}
		for _, atom := range atoms[1:] {
			all := d.spans(atom)
			i := slices.IndexFunc(all, func(s span) bool { return d.words[s.from].sentence == sentence })
			if i < 0 {
				break
			}
			found = append(found, all[i])
		}
		if len(found) == len(atoms) {
			return found, true
		}
	}
	return nil, false
}

// quote is the words of spans as they stand in the text, each once, in the order of the text.
func (d *reading) quote(spans []span) string {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.from-b.from, a.to-b.to) })
	var whole []span
	for _, s := range spans {
		if last := len(whole) - 1; last >= 0 && s.from <= whole[last].to {
			whole[last].to = max(whole[last].to, s.to)
			continue
		}
		whole = append(whole, s)
	}
	quoted := make([]string, len(whole))
	for i, s := range whole {
		quoted[i] = d.text[d.words[s.from].from:d.words[s.to].to]
	}
	return strings.Join(quoted, " … ")
}

// anyOf says whether one of have is in want; an empty want is content with everything.
func anyOf(want []string, have ...string) bool {
	return len(want) == 0 || slices.ContainsFunc(have, func(s string) bool { return slices.Contains(want, s) })
}

// isClass says whether class is one of want, or begins with one that ends in a slash.
func isClass(want []string, class string) bool {
	return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool {
		return w == class || strings.HasSuffix(w, "/") && strings.HasPrefix(class, w)
	})
}
