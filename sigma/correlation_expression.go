package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// expression is the condition of a temporal correlation in words, over indexes into its rules.
type expression struct {
	op   byte // 'r' a rule, '!' not, '&' and, '|' or
	rule int
	args []*expression
}

// maxExpression bounds the words of a condition, and with them its depth.
const maxExpression = 256

// parseExpression reads "a and not (b or c)". Every name must be one of the rules.
func parseExpression(text string, rules []string) (*expression, error) {
	p := &expressionParser{words: words(text), rules: rules}
	if len(p.words) > maxExpression {
		return nil, fmt.Errorf("the condition has %d words; at most %d", len(p.words), maxExpression)
	}
	e, err := p.or()
	if err == nil && p.at < len(p.words) {
		err = fmt.Errorf("%q is not expected there; write and, or, not between the names of rules", p.words[p.at])
	}
	return e, err
}

// words cuts a condition into names, keywords and brackets.
func words(text string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
}

type expressionParser struct {
	words []string
	at    int
	rules []string
}

// take goes past the next word if it is this one, in any case.
func (p *expressionParser) take(word string) bool {
	if p.at < len(p.words) && strings.EqualFold(p.words[p.at], word) {
		p.at++
		return true
	}
	return false
}

func (p *expressionParser) or() (*expression, error)  { return p.list('|', "or", p.and) }
func (p *expressionParser) and() (*expression, error) { return p.list('&', "and", p.not) }

func (p *expressionParser) list(op byte, word string, next func() (*expression, error)) (*expression, error) {
	e, err := next()
	for err == nil && p.take(word) {
		var more *expression
		if more, err = next(); err == nil {
			e = &expression{op: op, args: []*expression{e, more}}
		}
	}
	return e, err
}

func (p *expressionParser) not() (*expression, error) {
	if p.take("not") {
		e, err := p.not()
		return &expression{op: '!', args: []*expression{e}}, err
	}
	if p.take("(") {
		e, err := p.or()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a bracket is not closed; write )")
		}
		return e, err
	}
	if p.at == len(p.words) {
		return nil, fmt.Errorf("the condition ends where the name of a rule is expected")
	}
	word := p.words[p.at]
	p.at++
	i := slices.Index(p.rules, word)
	if i < 0 {
		return nil, fmt.Errorf("%q is none of the correlation's rules; they are %s", word, strings.Join(p.rules, ", "))
	}
	return &expression{op: 'r', rule: i}, nil
}

// negates says whether a rule's absence matters.
func (e *expression) negates() bool {
	return e.op == '!' || slices.ContainsFunc(e.args, (*expression).negates)
}

// holds evaluates the expression. present says whether a rule matched; it is told whether the rule is asked for under
// an odd number of nots.
func (e *expression) holds(present func(rule int, negated bool) bool) bool {
	return e.eval(present, false)
}

func (e *expression) eval(present func(int, bool) bool, negated bool) bool {
	switch e.op {
	case 'r':
		return present(e.rule, negated)
	case '!':
		return !e.args[0].eval(present, !negated)
	case '&':
		return e.args[0].eval(present, negated) && e.args[1].eval(present, negated)
	}
	return e.args[0].eval(present, negated) || e.args[1].eval(present, negated)
}

// rules are the rules that stand under an even number of nots (positive) or an odd one, by index.
func (e *expression) mentioned(negated bool) []int {
	var out []int
	var walk func(e *expression, under bool)
	walk = func(e *expression, under bool) {
		if e.op == 'r' && under == negated && !slices.Contains(out, e.rule) {
			out = append(out, e.rule)
		}
		for _, a := range e.args {
			walk(a, under != (e.op == '!'))
		}
	}
	walk(e, false)
	slices.Sort(out)
	return out
}

// chain reads the expression as a conjunction: the rules that must come, and those that must not. ok is false when it
// is something else.
func (e *expression) chain() (want, not []int, ok bool) {
	switch {
	case e.op == 'r':
		return []int{e.rule}, nil, true
	case e.op == '!' && e.args[0].op == 'r':
		return nil, []int{e.args[0].rule}, true
	case e.op != '&':
		return nil, nil, false
	}
	for _, a := range e.args {
		w, n, ok := a.chain()
		if !ok {
			return nil, nil, false
		}
		want, not = append(want, w...), append(not, n...)
	}
	slices.Sort(want)
	slices.Sort(not)
	return slices.Compact(want), slices.Compact(not), true
}
