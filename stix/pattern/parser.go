package pattern

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Error says where a pattern is wrong and what would be right.
type Error struct {
	Pos  Pos
	Text string
}

// Error is the place and the text in one line.
func (e *Error) Error() string { return e.Pos.String() + ": " + e.Text }

// Parse reads one pattern. The error is an [*Error].
func Parse(s string) (*Pattern, error) {
	if len(s) > MaxBytes {
		return nil, &Error{Pos{1, 1, 0}, fmt.Sprintf("the pattern has %d bytes; at most %d are read", len(s), MaxBytes)}
	}
	p := &parser{lex: lexer{text: s, line: 1}}
	if i := invalidUTF8(s); i >= 0 {
		p.lex.advance(i)
		return nil, &Error{p.lex.pos(), "this is not UTF-8; save the pattern as UTF-8"}
	}
	if err := p.step(); err != nil {
		return nil, err
	}
	root, err := p.observations(FollowedBy)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokEnd {
		return nil, p.unexpected("AND, OR, FOLLOWEDBY, WITHIN, REPEATS, START or the end of the pattern")
	}
	return &Pattern{Root: root}, nil
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, -1 if all is.
func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return -1
}

// parser holds the lexer and one token of look-ahead.
type parser struct {
	lex   lexer
	tok   token
	depth int
}

// step reads the next token.
func (p *parser) step() (err error) {
	p.tok, err = p.lex.next()
	return err
}

func (p *parser) unexpected(want string) error {
	return &Error{p.tok.pos, "found " + p.tok.String() + ", expected " + want}
}

// expect passes one keyword or sign.
func (p *parser) expect(text, want string) error {
	if !p.tok.is(text) {
		return p.unexpected(want)
	}
	return p.step()
}

// enter counts a parenthesis; the caller calls leave.
func (p *parser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return &Error{p.tok.pos, fmt.Sprintf("parentheses are nested more than %d deep; write a flatter pattern", MaxDepth)}
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// tighter is the operator that binds next tighter.
var tighter = map[ObservationOp]ObservationOp{FollowedBy: ObservationOr, ObservationOr: ObservationAnd}

// chain reads terms joined by one operator.
func chain[T any](p *parser, op string, term func() (T, error)) ([]T, error) {
	var terms []T
	for {
		t, err := term()
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
		if !p.tok.is(op) {
			return terms, nil
		}
		if err := p.step(); err != nil {
			return nil, err
		}
	}
}

// observations reads terms joined by op or by operators that bind tighter.
func (p *parser) observations(op ObservationOp) (Observation, error) {
	terms, err := chain(p, string(op), func() (Observation, error) { return p.observationTerm(op) })
	if err != nil || len(terms) > 1 {
		return &Combination{Op: op, Terms: terms}, err
	}
	return terms[0], nil
}

func (p *parser) observationTerm(op ObservationOp) (Observation, error) {
	if next, ok := tighter[op]; ok {
		return p.observations(next)
	}
	return p.observation()
}

// observation reads one bracketed or parenthesised observation with its qualifiers.
func (p *parser) observation() (Observation, error) {
	var of Observation
	var err error
	simple := p.tok.is("[")
	switch {
	case simple:
		of, err = p.single()
	case p.tok.is("("):
		of, err = p.parenthesised()
	default:
		return nil, p.unexpected("[ or (; a test stands in brackets: [ipv4-addr:value = '192.0.2.1']")
	}
	if err != nil {
		return nil, err
	}
	return p.qualified(of, simple)
}

func (p *parser) single() (Observation, error) {
	if err := p.step(); err != nil {
		return nil, err
	}
	test, err := p.tests(Or)
	if err != nil {
		return nil, err
	}
	return &Single{Test: test}, p.expect("]", "AND, OR or ]")
}

func (p *parser) parenthesised() (Observation, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.step(); err != nil {
		return nil, err
	}
	inner, err := p.observations(FollowedBy)
	if err != nil {
		return nil, err
	}
	return inner, p.expect(")", "AND, OR, FOLLOWEDBY, a qualifier or )")
}

// qualified reads the qualifiers after an observation. In parentheses a kind may come again, which reads as one more
// level: (…) WITHIN 5 SECONDS WITHIN 6 SECONDS is ((…) WITHIN 5 SECONDS) WITHIN 6 SECONDS.
func (p *parser) qualified(of Observation, simple bool) (Observation, error) {
	var list []Qualifier
	for p.tok.is("WITHIN") || p.tok.is("REPEATS") || p.tok.is("START") {
		q, err := p.qualifier()
		if err != nil {
			return nil, err
		}
		if !simple && hasKind(list, q) {
			of, list = &Qualified{Of: of, Qualifiers: list}, nil
		}
		list = append(list, q)
	}
	if list == nil {
		return of, nil
	}
	return &Qualified{Of: of, Qualifiers: list}, nil
}

// hasKind says whether a qualifier of the same kind is in the list.
func hasKind(list []Qualifier, q Qualifier) bool {
	for _, one := range list {
		if keywordOf(one) == keywordOf(q) {
			return true
		}
	}
	return false
}

func (p *parser) qualifier() (Qualifier, error) {
	keyword := p.tok.text
	if err := p.step(); err != nil {
		return nil, err
	}
	switch keyword {
	case "WITHIN":
		return p.within()
	case "REPEATS":
		return p.repeats()
	}
	return p.startStop()
}

func (p *parser) within() (Qualifier, error) {
	n, ok := p.tok.literal.Float()
	if p.tok.kind != tokLiteral || !ok || n <= 0 {
		return nil, p.unexpected("a number of seconds above zero: WITHIN 300 SECONDS")
	}
	q := Within{Seconds: p.tok.literal}
	if err := p.step(); err != nil {
		return nil, err
	}
	return q, p.expect("SECONDS", "SECONDS")
}

func (p *parser) repeats() (Qualifier, error) {
	n, ok := p.tok.literal.Int()
	if p.tok.kind != tokLiteral || !ok || n <= 0 || n > 1<<31-1 {
		return nil, p.unexpected("a whole number above zero: REPEATS 5 TIMES")
	}
	if err := p.step(); err != nil {
		return nil, err
	}
	return Repeats{Times: int(n)}, p.expect("TIMES", "TIMES")
}

func (p *parser) startStop() (Qualifier, error) {
	start, err := p.timestamp()
	if err != nil {
		return nil, err
	}
	if err := p.expect("STOP", "STOP"); err != nil {
		return nil, err
	}
	stop, err := p.timestamp()
	if err != nil {
		return nil, err
	}
	return StartStop{Start: start, Stop: stop}, nil
}

func (p *parser) timestamp() (Literal, error) {
	if p.tok.kind != tokLiteral || p.tok.literal.Kind != Timestamp {
		return Literal{}, p.unexpected("a timestamp: t'2024-01-31T23:59:59Z'")
	}
	l := p.tok.literal
	return l, p.step()
}

// tests reads comparisons joined by op or by an operator that binds tighter.
func (p *parser) tests(op JunctionOp) (Test, error) {
	terms, err := chain(p, string(op), func() (Test, error) { return p.testTerm(op) })
	if err != nil || len(terms) > 1 {
		return &Junction{Op: op, Terms: terms}, err
	}
	return terms[0], nil
}

func (p *parser) testTerm(op JunctionOp) (Test, error) {
	if op == Or {
		return p.tests(And)
	}
	if !p.tok.is("(") {
		return p.comparison()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.step(); err != nil {
		return nil, err
	}
	inner, err := p.tests(Or)
	if err != nil {
		return nil, err
	}
	return inner, p.expect(")", "AND, OR or )")
}

// comparison reads one comparison, EXISTS included.
func (p *parser) comparison() (Test, error) {
	c := &Comparison{Pos: p.tok.pos}
	if p.tok.is("NOT") {
		c.Negated = true
		if err := p.step(); err != nil {
			return nil, err
		}
		if !p.tok.is("EXISTS") {
			return nil, p.unexpected("EXISTS; elsewhere NOT stands after the path: file:size NOT = 5")
		}
	}
	if p.tok.is("EXISTS") {
		c.Exists = true
		if err := p.step(); err != nil {
			return nil, err
		}
	}
	var err error
	if c.Path, err = p.path(); err != nil || c.Exists {
		return c, err
	}
	return c, p.operation(c)
}

// operation reads the operator of a comparison and what follows it.
func (p *parser) operation(c *Comparison) error {
	if p.tok.is("NOT") {
		c.Negated = true
		if err := p.step(); err != nil {
			return err
		}
	}
	const want = "a comparison: =, !=, <, <=, >, >=, IN, LIKE, MATCHES, ISSUBSET or ISSUPERSET"
	if p.tok.kind != tokPunct && p.tok.kind != tokKeyword {
		return p.unexpected(want)
	}
	c.Op = Op(p.tok.text)
	switch c.Op {
	case Equal, NotEqual, Greater, Less, GreaterOrEqual, LessOrEqual, Like, Matches, IsSubset, IsSuperset:
		if err := p.step(); err != nil {
			return err
		}
		l, err := p.operand(c.Op)
		c.Values = []Literal{l}
		return err
	case In:
		if err := p.step(); err != nil {
			return err
		}
		return p.set(c)
	}
	return p.unexpected(want)
}

// operand reads the literal that an operator takes.
func (p *parser) operand(op Op) (Literal, error) {
	l := p.tok.literal
	isLiteral := p.tok.kind == tokLiteral
	switch op {
	case Like, Matches, IsSubset, IsSuperset:
		if !isLiteral || l.Kind != String {
			return l, p.unexpected("a text in single quotes after " + string(op))
		}
	case Greater, Less, GreaterOrEqual, LessOrEqual:
		if !isLiteral || l.Kind == Bool {
			return l, p.unexpected("a text, number, timestamp or bytes after " + string(op))
		}
	default:
		if !isLiteral {
			return l, p.unexpected("a literal: 'text', 5, 0.5, true, t'2024-01-31T23:59:59Z', h'ffd8' or b'dGVzdA=='")
		}
	}
	return l, p.step()
}

// set reads the list after IN, which may be empty.
func (p *parser) set(c *Comparison) error {
	if err := p.expect("(", "a list in parentheses after IN: IN ('a', 'b')"); err != nil {
		return err
	}
	c.Values = []Literal{}
	if p.tok.is(")") {
		return p.step()
	}
	for {
		l, err := p.operand(Equal)
		if err != nil {
			return err
		}
		c.Values = append(c.Values, l)
		if !p.tok.is(",") {
			return p.expect(")", ", or )")
		}
		if err := p.step(); err != nil {
			return err
		}
	}
}

// path reads an object path.
func (p *parser) path() (ObjectPath, error) {
	var path ObjectPath
	if p.tok.kind != tokWord && p.tok.kind != tokHyphenWord {
		return path, p.unexpected("an object path: type:property")
	}
	path.ObjectType = p.tok.text
	if err := p.step(); err != nil {
		return path, err
	}
	if err := p.expect(":", "a colon after the object type: type:property"); err != nil {
		return path, err
	}
	if err := p.key(&path); err != nil {
		return path, err
	}
	for {
		switch {
		case p.tok.is("."):
			if err := p.step(); err != nil {
				return path, err
			}
			if err := p.key(&path); err != nil {
				return path, err
			}
		case p.tok.is("["):
			if err := p.index(&path); err != nil {
				return path, err
			}
		default:
			return path, nil
		}
	}
}

// key reads a property name.
func (p *parser) key(path *ObjectPath) error {
	var name string
	switch {
	case p.tok.kind == tokWord:
		name = p.tok.text
	case p.tok.kind == tokLiteral && p.tok.literal.Kind == String:
		name = p.tok.literal.Text
	case p.tok.kind == tokHyphenWord || p.tok.kind == tokKeyword:
		return p.unexpected("a property name; this one needs quotes: " + quote(p.tok.text))
	default:
		return p.unexpected("a property name, in single quotes if it has other characters than letters, digits and _")
	}
	path.Steps = append(path.Steps, Step{Kind: Key, Key: name})
	return p.step()
}

// index reads [*] or [n].
func (p *parser) index(path *ObjectPath) error {
	if err := p.step(); err != nil {
		return err
	}
	step := Step{Kind: Any}
	if !p.tok.is("*") {
		n, err := strconv.Atoi(p.tok.literal.Text)
		if p.tok.kind != tokLiteral || p.tok.literal.Kind != Int || err != nil {
			return p.unexpected("a position in the list, or * for every one: [0], [*]")
		}
		step = Step{Kind: Index, Index: n}
	}
	path.Steps = append(path.Steps, step)
	if err := p.step(); err != nil {
		return err
	}
	return p.expect("]", "]")
}
