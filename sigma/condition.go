package sigma

import (
	"slices"
	"strings"
)

// maxCondition bounds the words of a condition.
const maxCondition = 4096

// condition is when the detection matches: one of its conditions.
func (s *searches) condition() (clause, error) {
	var kids []clause
	for i := range s.conditions {
		c, err := s.parse(&s.conditions[i])
		if err != nil {
			return clause{}, err
		}
		kids = append(kids, c)
	}
	c := newClause(anyOf, kids...)
	if c.size > 2*MaxValues {
		return clause{}, s.at.errorf("the condition asks for more than %d values, those of a search counted each time it is named; name it less often", MaxValues)
	}
	return c, nil
}

// parse reads one condition.
func (s *searches) parse(n *node) (clause, error) {
	text, err := n.str("condition")
	if err != nil {
		return clause{}, err
	}
	p := conditionParser{s: s, at: n, words: conditionWords(text)}
	if len(p.words) > maxCondition {
		return clause{}, n.errorf("the condition has %d words; at most %d", len(p.words), maxCondition)
	}
	if slices.Contains(p.words, "|") {
		return clause{}, n.errorf("a condition cannot count with |; write a correlation rule of type event_count")
	}
	c, err := p.or(0)
	if err == nil && p.next < len(p.words) {
		err = n.errorf("%s is not expected there in the condition %s; write and, or, not between searches", quote(p.words[p.next]), quote(text))
	}
	return c, err
}

// conditionWords cuts a condition into names, words of the language, brackets and bars.
func conditionWords(s string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ", "|", " | ").Replace(s))
}

// conditionParser goes through a condition from left to right: or binds weaker than and, and weaker than not.
type conditionParser struct {
	s     *searches
	at    *node
	words []string
	next  int
}

func (p *conditionParser) peek() string {
	if p.next == len(p.words) {
		return ""
	}
	return p.words[p.next]
}

// takes goes past the next word if it is this one, in any case.
func (p *conditionParser) takes(word string) bool {
	if !strings.EqualFold(p.peek(), word) {
		return false
	}
	p.next++
	return true
}

func (p *conditionParser) or(depth int) (clause, error) {
	return p.joined("or", anyOf, depth, p.and)
}

func (p *conditionParser) and(depth int) (clause, error) {
	return p.joined("and", allOf, depth, p.not)
}

func (p *conditionParser) joined(word string, op clauseOp, depth int, part func(int) (clause, error)) (clause, error) {
	c, err := part(depth)
	kids := []clause{c}
	for err == nil && p.takes(word) {
		c, err = part(depth)
		kids = append(kids, c)
	}
	if err != nil {
		return clause{}, err
	}
	return newClause(op, kids...), nil
}

func (p *conditionParser) not(depth int) (clause, error) {
	if depth > MaxDepth {
		return clause{}, p.at.errorf("the condition nests deeper than %d levels", MaxDepth)
	}
	switch {
	case p.takes("not"):
		c, err := p.not(depth + 1)
		if err != nil {
			return clause{}, err
		}
		return newClause(noneOf, c), nil
	case p.takes("("):
		c, err := p.or(depth + 1)
		if err == nil && !p.takes(")") {
			err = p.at.errorf("a bracket of the condition is not closed; write ) where it ends")
		}
		return c, err
	}
	return p.search()
}

// quantifiers are the words before of, and how the searches they cover are joined.
var quantifiers = map[string]clauseOp{"1": anyOf, "any": anyOf, "all": allOf}

// search reads the name of a search, or a quantifier over several.
func (p *conditionParser) search() (clause, error) {
	word := p.peek()
	if word == "" || slices.Contains([]string{")", "and", "or"}, strings.ToLower(word)) {
		return clause{}, p.at.errorf("the condition lacks the name of a search where it %s", ends(word))
	}
	p.next++
	if !strings.EqualFold(p.peek(), "of") {
		if c, ok := p.s.clauses[word]; ok {
			return c, nil
		}
		return clause{}, p.at.errorf("the condition names %s, which the detection does not define; %s", quote(word), meant(word, p.s.names))
	}
	op, ok := quantifiers[strings.ToLower(word)]
	if !ok {
		return clause{}, p.at.errorf("%s of is not part of a condition; write 1 of, any of or all of", quote(word))
	}
	p.next++
	which := p.peek()
	if which == "" {
		return clause{}, p.at.errorf("the condition ends after of; write them, a name or a name with *")
	}
	p.next++
	return p.several(op, which)
}

func ends(word string) string {
	if word == "" {
		return "ends"
	}
	return "says " + quote(word)
}

// several joins the searches that a name with wildcards, or them, stands for.
func (p *conditionParser) several(op clauseOp, which string) (clause, error) {
	var kids []clause
	for _, name := range p.s.names {
		covered := name == which || strings.EqualFold(which, "them") && !strings.HasPrefix(name, "_")
		if !covered && strings.Contains(which, "*") {
			covered = starMatch(which, name)
		}
		if covered {
			kids = append(kids, p.s.clauses[name])
		}
	}
	if len(kids) == 0 {
		return clause{}, p.at.errorf("the condition asks for %s, and the detection defines no such search; %s", quote(which), meant(strings.TrimRight(which, "*"), p.s.names))
	}
	return newClause(op, kids...), nil
}

// starMatch says whether a name is what a pattern with stars stands for.
func starMatch(p, name string) bool {
	pieces := strings.Split(p, "*")
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(name, piece)
		if i < 0 {
			return false
		}
		name = name[i+len(piece):]
	}
	return true
}
