package names

import "slices"

// parts explains the last score, in the order of the first name's words, for the names as they were given.
func (s *scorer) parts(a, b *Name) []Part {
	total := 0.0
	for _, l := range s.links {
		total += l.weight
	}
	links := slices.Clone(s.links)
	if s.turned {
		for i, l := range links {
			l.ai, l.an, l.bi, l.bn = l.bi, l.bn, l.ai, l.an
			links[i] = l
		}
	}
	slices.SortStableFunc(links, func(x, y link) int {
		switch {
		case x.an == 0 && y.an == 0:
			return x.bi - y.bi
		case x.an == 0:
			return 1
		case y.an == 0:
			return -1
		}
		return x.ai - y.ai
	})
	parts := make([]Part, 0, len(links))
	for _, l := range links {
		p := Part{A: textOf(a, l.ai, l.an), B: textOf(b, l.bi, l.bn), Score: l.sim}
		if total > 0 {
			p.Share = l.weight / total
		}
		p.Kind, p.How = explain(a, b, l)
		parts = append(parts, p)
	}
	return parts
}

// textOf is n words of a name from word i on.
func textOf(name *Name, i, n int) string {
	text := ""
	for _, w := range name.Words[i : i+n] {
		if text != "" {
			text += " "
		}
		text += w.Text
	}
	return text
}

// explain names the kind of a link and says how its words met.
func explain(a, b *Name, l link) (kind, text string) {
	switch {
	case l.bn == 0:
		return "missing", "only in the first name"
	case l.an == 0:
		return "extra", "only in the second name"
	}
	return "word", "same"
}
