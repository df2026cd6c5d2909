package names

import (
	"slices"
	"strconv"
	"strings"
)

// parts explains the last score, in the order of the first name's words and what only the second has at the end, for
// the two names as they were given to it.
func (s *scorer) parts(a, b *Name) []Part {
	links := slices.Clone(s.links)
	total := 0.0
	for i := range links {
		l := &links[i]
		if s.turned {
			l.ai, l.an, l.bi, l.bn = l.bi, l.bn, l.ai, l.an
		}
		l.weight = max(l.weight, 1e-6)
		total += l.weight
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
		parts = append(parts, explain(runOf(a.Words, l.ai, l.an), runOf(b.Words, l.bi, l.bn), l, l.weight/total))
	}
	return parts
}

// explain is a link in plain words.
func explain(a, b []*Word, l link, share float64) Part {
	p := Part{A: textOf(a), B: textOf(b), Score: l.sim, Share: share}
	switch {
	case len(b) == 0:
		p.Kind, p.How = "missing", only(a[0], "first")
	case len(a) == 0:
		p.Kind, p.How = "extra", only(b[0], "second")
	default:
		p.Kind, p.How = kindOfLink(a, b, l.how), howMet(a, b, l)
	}
	return p
}

// runOf are n words from i on, of words that stand in a ring.
func runOf(words []*Word, i, n int) []*Word {
	if i+n <= len(words) {
		return words[i : i+n]
	}
	return append(slices.Clone(words[i:]), words[:i+n-len(words)]...)
}

// textOf is a run of words as it was read.
func textOf(words []*Word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.Text
	}
	return strings.Join(texts, " ")
}

// only says that a word has no partner, and what it is when that makes it matter little.
func only(w *Word, which string) string {
	what := ""
	if w.Kind == LegalForm || w.Kind == Title || w.Kind == Particle {
		what = w.Kind.String() + ", "
	} else if isCountry(w) {
		what = "another country in the name, "
	}
	return what + "only in the " + which + " name"
}

// kindOfLink names what was compared.
func kindOfLink(a, b []*Word, h how) string {
	switch h {
	case howJoined:
		return "joined"
	case howAcronym:
		return "first letters"
	case howOrganisation:
		return "organisation"
	case howInitial:
		return "initial"
	case howGiven:
		return "given name"
	case howContrary:
		if a[0].Kind == LegalForm {
			return LegalForm.String()
		}
		return "different"
	}
	switch k := a[0].Kind; k {
	case LegalForm, Title, Particle, Number:
		if b[0].Kind == k {
			return k.String()
		}
	}
	if h == howMeaning {
		return "meaning"
	}
	return "word"
}

// howMet says in which way words met.
func howMet(a, b []*Word, l link) string {
	v, w := a[0], b[0]
	switch l.how {
	case howSame:
		return "same"
	case howReading:
		if v.Script != w.Script {
			return "romanised alike: " + commonReading(v, w)
		}
		return "spelt alike: " + commonReading(v, w)
	case howMeaning:
		return meantBy(v)
	case howSound:
		return "romanised or spelt by the same sound"
	case howEdit:
		return differs(v, w)
	case howGiven:
		return "forms of one given name"
	case howInitial:
		return "an initial and a name that begins with it"
	case howJoined:
		if l.sim > 0.95 {
			return "same but for the spaces"
		}
		return "alike but for the spaces: " + lettersDiffer(latinOf(a), latinOf(b))
	case howAcronym:
		return "the first letters of the words"
	case howOrganisation:
		return "two names of one organisation"
	case howForeign:
		return "legal form of another country"
	case howPart:
		return "a word of the phrase"
	case howContrary:
		return contradicts(v, w)
	}
	return "compared"
}

// meantBy says what two words of one meaning mean.
func meantBy(w *Word) string {
	meaning := w.Concept.String()
	switch {
	case w.Kind == Number:
		return "same number"
	case meaning == "":
		return "same meaning"
	case w.Kind == LegalForm:
		return "same legal form: " + meaning
	}
	return "same meaning: " + meaning
}

// contradicts says how two words that are no partners stand to one another.
func contradicts(v, w *Word) string {
	switch {
	case v.Kind == LegalForm:
		return "different legal forms"
	case isCountry(v) && isCountry(w):
		return "another country in the name"
	case v.Kind == Number && w.Kind == Number:
		return "different numbers"
	case v.Concept != 0 && w.Concept != 0:
		return "different meanings: " + v.Concept.String() + ", " + w.Concept.String()
	}
	return "different words"
}

// commonReading is a romanisation that two words share.
func commonReading(v, w *Word) string {
	if v.Latin == w.Latin || slices.Contains(w.Alt, v.Latin) {
		return v.Latin
	}
	for _, r := range v.Alt {
		if r == w.Latin || slices.Contains(w.Alt, r) {
			return r
		}
	}
	return w.Latin
}

// differs says how two words that are not written alike differ.
func differs(v, w *Word) string {
	if v.Latin == "" || w.Latin == "" {
		return lettersDiffer(v.Text, w.Text)
	}
	text := lettersDiffer(v.Latin, w.Latin)
	if v.Script != w.Script {
		return "romanised, " + text
	}
	return text
}

// latinOf is a run of words romanised and joined.
func latinOf(words []*Word) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.Latin)
	}
	return b.String()
}

// lettersDiffer counts the letters in which two words differ, in words.
func lettersDiffer(a, b string) string {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	head, tail := 0, 0
	for head < len(x) && x[head] == y[head] {
		head++
	}
	for tail < len(x)-head && x[len(x)-1-tail] == y[len(y)-1-tail] {
		tail++
	}
	x, y = x[head:len(x)-tail], y[head:len(y)-tail]
	switch {
	case len(x) == 0 && len(y) == 1:
		return "one letter more or less"
	case len(x) == 1 && len(y) == 1:
		return "one letter differs"
	case len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]:
		return "two letters are swapped"
	}
	if d := plainDistance(x, y); d > 1 {
		return strconv.Itoa(d) + " letters differ"
	}
	return "one letter differs"
}

// plainDistance is the number of letters to put in, leave out or change.
func plainDistance(x, y []rune) int {
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j, q := range y {
			d := min(row[j], row[j+1]) + 1
			if r == q {
				d = min(d, diagonal)
			} else {
				d = min(d, diagonal+1)
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(y)]
}
