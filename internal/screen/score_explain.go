package screen

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/polder-exchange/polder/names"
)

// pointed gives the parts of a name and the moves their points, which add up to score.
func pointed(parts []names.Part, name float64, moves []move, score float64) []Part {
	out := make([]Part, 0, len(parts)+len(moves)+1)
	s := nameAlone * unit(name)
	weigh := func(p *names.Part) float64 { return p.Share * p.Score }
	sum := 0.0
	for i := range parts {
		sum += weigh(&parts[i])
	}
	if !(sum > 0) && name > 0 { // nothing says which word it was
		weigh = func(*names.Part) float64 { return 1 }
		sum = float64(len(parts))
	}
	for i := range parts {
		p := &parts[i]
		points := 0.0
		if sum > 0 {
			points = round(s * weigh(p) / sum)
		}
		out = append(out, Part{Kind: p.Kind, Query: p.A, Listed: p.B, Score: round(unit(p.Score)), Points: points, How: p.How})
	}
	for i := range moves {
		m := &moves[i]
		next := m.apply(s)
		out = append(out, Part{Kind: m.kind, Query: m.query, Listed: m.listed, Score: m.alike, Points: round(next - s), How: m.how})
		s = next
	}
	settle(out, score)
	return out
}

// settle gives what rounding left to the part with the most points, so that all add up to score.
func settle(parts []Part, score float64) {
	if len(parts) == 0 {
		return
	}
	most, sum := 0, 0.0
	for i, p := range parts {
		sum += p.Points
		if p.Points > parts[most].Points {
			most = i
		}
	}
	parts[most].Points = round(parts[most].Points + score - sum)
}

// why says in one sentence how the names meet and what else agrees or differs.
func why(asked, met *names.Name, score float64, parts []names.Part, moves []move) string {
	said := []string{nameWords(asked, met, score, parts)}
	for _, m := range moves {
		if m.why != "" {
			said = append(said, m.why)
		}
	}
	return strings.Join(said, "; ") + "."
}

// mostSaid is how many words of a name a sentence tells of.
const mostSaid = 3

// nameWords says how two names meet.
func nameWords(asked, met *names.Name, score float64, parts []names.Part) string {
	if met == nil || !(score > 0) || len(parts) == 0 {
		return "The names do not agree"
	}
	var alike, apart, missing, extra []string
	same := 0
	for _, p := range parts {
		switch {
		case p.B == "":
			missing = append(missing, p.A)
		case p.A == "":
			extra = append(extra, p.B)
		case strings.EqualFold(p.A, p.B):
			same++
		case p.Score >= 0.5:
			alike = append(alike, fmt.Sprintf("“%s” meets “%s” (%s)", p.A, p.B, p.How))
		default:
			apart = append(apart, fmt.Sprintf("“%s” stands against “%s”", p.A, p.B))
		}
	}
	if len(alike)+len(apart)+len(missing)+len(extra) == 0 {
		if sameOrder(asked, met) {
			return "The names agree word for word"
		}
		return "The names agree word for word, in another order"
	}
	var said []string
	switch {
	case same == 1:
		said = append(said, "One word agrees")
	case same > 1:
		said = append(said, fmt.Sprintf("%d words agree", same))
	}
	said = append(said, some(alike)...)
	said = append(said, some(apart)...)
	if len(missing) > 0 {
		said = append(said, "the listed name lacks "+quoted(missing))
	}
	if len(extra) > 0 {
		said = append(said, "it also has "+quoted(extra))
	}
	text := strings.Join(said, ", ")
	_, first := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:first]) + text[first:]
}

// some are the first few, and how many more there are.
func some(said []string) []string {
	if len(said) <= mostSaid {
		return said
	}
	return append(slices.Clone(said[:mostSaid]), fmt.Sprintf("and %d more like that", len(said)-mostSaid))
}

func quoted(words []string) string {
	more := ""
	if n := len(words) - mostSaid; n > 0 {
		words, more = words[:mostSaid], fmt.Sprintf(" and %d more", n)
	}
	return "“" + strings.Join(words, "”, “") + "”" + more
}

// sameOrder tells whether the words of two names come in the same order.
func sameOrder(a, b *names.Name) bool {
	return slices.EqualFunc(a.Words, b.Words, func(x, y *names.Word) bool { return x.Text == y.Text || x.Latin == y.Latin })
}
