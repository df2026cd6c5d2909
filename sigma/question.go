package sigma

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// question is an atom made ready: rules that ask the same share one, and an event answers it once.
type question struct {
	atom  *atom
	id    int32
	slot  int32 // of the field
	other int32 // of the other field of isField
	globs []glob
	exprs []int32
	cost  int

	// needles are texts of which a value holds one when the answer is yes; nil when there are no such texts. When
	// decides is set the answer is yes as soon as one is found.
	needles []needle
	decides bool
	indexed bool // its needles are looked for in every event, so that no hit means no
}

// Bounds of the texts that are looked for in one pass.
const (
	maxNeedle    = 200  // bytes of a text that decides
	clippedTo    = 16   // bytes of what is looked for of a longer one, or of one of very many
	manyNeedles  = 4096 // texts of one question
	maxSpellings = 25   // texts that one text with dashes is spelled as
	// minDecided is from how many texts on a question is answered by the one pass even where no rule waits for it.
	minDecided = 8
)

// prepare finds the needles of a question.
func (q *question) prepare(exprs []*expr) {
	switch q.atom.kind {
	case isPattern:
		q.decides = true
		for _, p := range q.atom.patterns {
			q.globs = append(q.globs, newGlob(p))
			if !q.need(p) {
				q.needles, q.decides = nil, false
				break
			}
		}
		for len(q.globs) < len(q.atom.patterns) {
			q.globs = append(q.globs, newGlob(q.atom.patterns[len(q.globs)]))
		}
		if len(q.needles) > manyNeedles && !q.wholes() {
			q.clip()
		}
	case isRegexp:
		for _, id := range q.exprs {
			if exprs[id].some == nil {
				q.needles = nil
				return
			}
			for _, s := range exprs[id].some {
				q.needles = append(q.needles, needle{text: s})
			}
		}
	}
}

// wholes says that all needles are whole values.
func (q *question) wholes() bool {
	return !slices.ContainsFunc(q.needles, func(n needle) bool { return !n.begin || !n.end })
}

// clip shortens all needles.
func (q *question) clip() {
	q.decides = false
	for i, n := range q.needles {
		if len(n.text) > clippedTo {
			q.needles[i] = needle{text: n.text[:clippedTo], begin: n.begin}
		}
	}
}

// need adds the needles of a pattern; ok is false when it has none.
func (q *question) need(p pattern) (ok bool) {
	p = p.folded()
	spelled, ok := p.spelled(maxSpellings)
	if !ok {
		spelled = []pattern{p}
	}
	for _, s := range spelled {
		n, all := s.needle()
		if n.text == "" && !(n.begin && n.end) {
			return false
		}
		if len(n.text) > maxNeedle {
			n, all = needle{text: n.text[:clippedTo], begin: n.begin}, false
		}
		q.decides = q.decides && all && !p.cased
		n.text = foldText(n.text)
		q.needles = append(q.needles, n)
	}
	return true
}

// needle is the rarest text of a pattern, and whether finding it is all that the pattern asks.
func (p pattern) needle() (n needle, all bool) {
	if len(p.parts) == 0 {
		return needle{begin: true, end: true}, true
	}
	last, least := len(p.parts)-1, 2.0
	literals := 0
	for i, x := range p.parts {
		if x.kind != literal {
			continue
		}
		literals++
		begin, end := i == 0, i == last
		if c := textChance(foldText(x.text), begin, end); c < least {
			least, n = c, needle{text: x.text, begin: begin, end: end}
		}
	}
	loose := slices.ContainsFunc(p.parts, func(x part) bool { return x.kind == anyRune || x.kind == anyDash })
	return n, literals == 1 && !loose
}

// chance is a guess at how often an event gives the question's needles something to find.
func (q *question) chance() float64 {
	sum := 0.0
	for _, n := range q.needles {
		sum += textChance(n.text, n.begin, n.end)
	}
	return min(sum, 0.9)
}

// costs of answering, about, in nanoseconds; only their order matters.
func (q *question) estimate(exprs []*expr) {
	switch {
	case q.decides && q.indexed:
		q.cost = 1
	case q.atom.kind == isRegexp:
		q.cost = 2000
		if q.indexed {
			q.cost = 1000
		}
	case q.atom.kind == isPattern:
		for i := range q.globs {
			switch q.globs[i].shape {
			case within:
				q.cost += 20
			case mixed:
				q.cost += 60
			default:
				q.cost += 4
			}
		}
		if q.indexed {
			q.cost /= 2
		}
	case q.atom.kind == isNull, q.atom.kind == isThere:
		q.cost = 1
	default:
		q.cost = 100
	}
}

// key tells questions apart.
func (a *atom) key() string {
	var b strings.Builder
	w := func(parts ...string) {
		for _, s := range parts {
			b.WriteString(strconv.Itoa(len(s)))
			b.WriteByte(':')
			b.WriteString(s)
		}
	}
	w(a.field, strconv.Itoa(int(a.kind)), strconv.Itoa(int(a.part)), a.op, strconv.FormatFloat(a.number, 'g', -1, 64), a.other,
		strconv.FormatBool(a.before), strconv.FormatBool(a.after), strconv.FormatBool(a.cased))
	for _, p := range a.patterns {
		w("p", strconv.FormatBool(p.cased))
		for _, x := range p.parts {
			w(strconv.Itoa(int(x.kind)), x.text)
		}
	}
	for _, x := range a.regexps {
		w("r", x.text)
	}
	for _, n := range a.networks {
		w("n", n.String())
	}
	return b.String()
}

// branch is a clause made ready to be answered, the cheap parts first.
type branch struct {
	op   clauseOp
	kids []branch
	q    *question
	cost int
}

func (s *branch) arrange() {
	for i := range s.kids {
		s.kids[i].arrange()
		s.cost += s.kids[i].cost
	}
	if s.op == isAtom {
		s.cost = s.q.cost
	}
	if s.op == allOf || s.op == anyOf {
		slices.SortStableFunc(s.kids, func(a, b branch) int { return cmp.Compare(a.cost, b.cost) })
	}
}

// witness is what must be in an event for a rule to match: a needle of one of these questions, or, of those without,
// their field. A nil witness says that nothing must.
type witness struct {
	questions []*question
	chance    float64
}

// witness chooses the rarest of what a clause cannot match without. not asks it of the clause's opposite.
func (s *branch) witness(not bool) *witness {
	switch {
	case s.op == noneOf:
		return s.kids[0].witness(!not)
	case s.op == isAtom:
		return s.q.witness(not)
	case (s.op == allOf) != not: // all must hold: the rarest of them
		var best *witness
		for i := range s.kids {
			if w := s.kids[i].witness(not); w != nil && (best == nil || w.chance < best.chance) {
				best = w
			}
		}
		return best
	}
	all := &witness{} // one of them must hold: any of theirs
	for i := range s.kids {
		w := s.kids[i].witness(not)
		if w == nil {
			return nil
		}
		all.questions = append(all.questions, w.questions...)
		all.chance += w.chance
	}
	return all
}

func (q *question) witness(not bool) *witness {
	if not != (q.atom.kind == isNull) { // what holds of an event without the field
		return nil
	}
	w := &witness{questions: []*question{q}, chance: 0.95}
	if q.needles != nil {
		w.chance = q.chance()
	}
	return w
}
