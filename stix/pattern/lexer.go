package pattern

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// tokenKind is what a token is to the parser.
type tokenKind uint8

const (
	tokEnd        tokenKind = iota
	tokWord                 // identifier without a hyphen
	tokHyphenWord           // identifier with one
	tokKeyword              // AND, OR, …: text says which
	tokLiteral              // literal is set
	tokPunct                // [ ] ( ) , : . * and the comparison signs: text says which
)

// token is one word of a pattern.
type token struct {
	kind    tokenKind
	text    string // as written; comparison signs in their normal form
	literal Literal
	pos     Pos
}

// is says whether the token is this keyword or sign.
func (t token) is(text string) bool {
	return (t.kind == tokKeyword || t.kind == tokPunct) && t.text == text
}

// String shows the token in an error message, cut short when long.
func (t token) String() string {
	if t.kind == tokEnd {
		return "the end of the pattern"
	}
	text := t.text
	if t.kind == tokLiteral {
		text = t.literal.String()
	}
	if r := []rune(text); len(r) > 40 {
		text = string(r[:40]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

var keywords = map[string]bool{
	"AND": true, "OR": true, "NOT": true, "FOLLOWEDBY": true, "LIKE": true, "MATCHES": true, "ISSUPERSET": true,
	"ISSUBSET": true, "EXISTS": true, "LAST": true, "IN": true, "START": true, "STOP": true, "SECONDS": true,
	"true": true, "false": true, "WITHIN": true, "REPEATS": true, "TIMES": true,
}

// lexer cuts the text into tokens, the longest that fits first.
type lexer struct {
	text  string
	at    int // offset of the next byte
	line  int
	colAt int // offset up to which col counts
	col   int // characters of the line before colAt
}

func (l *lexer) pos() Pos {
	l.col += utf8.RuneCountInString(l.text[l.colAt:l.at])
	l.colAt = l.at
	return Pos{Line: l.line, Column: l.col + 1, Offset: l.at}
}

// advance goes on to an offset and counts the lines between.
func (l *lexer) advance(to int) {
	if i := strings.LastIndexByte(l.text[l.at:to], '\n'); i >= 0 {
		l.line += strings.Count(l.text[l.at:to], "\n")
		l.colAt, l.col = l.at+i+1, 0
	}
	l.at = to
}

// next reads one token.
func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	pos := l.pos()
	if l.at == len(l.text) {
		return token{kind: tokEnd, pos: pos}, nil
	}
	rest, c := l.text[l.at:], l.text[l.at]
	switch {
	case c == '\'':
		return l.quoted(pos, "", String)
	case len(rest) > 1 && rest[1] == '\'' && c == 't':
		return l.quoted(pos, "t", Timestamp)
	case len(rest) > 1 && rest[1] == '\'' && c == 'h':
		return l.quoted(pos, "h", Hex)
	case len(rest) > 1 && rest[1] == '\'' && c == 'b':
		return l.quoted(pos, "b", Binary)
	case isLetter(c):
		return l.word(pos), nil
	case numberLength(rest) > 0:
		return l.number(pos), nil
	}
	return l.punct(pos)
}

// skip passes white space and comments.
func (l *lexer) skip() error {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			l.advance(l.at + end)
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return &Error{l.pos(), "this comment has no end; close it with */"}
			}
			l.advance(l.at + 2 + end + 2)
		default:
			r, size := utf8.DecodeRuneInString(rest)
			if !isSpace(r) {
				return nil
			}
			l.advance(l.at + size)
		}
	}
	return nil
}

// word reads an identifier or a keyword.
func (l *lexer) word(pos Pos) token {
	end := l.at
	for end < len(l.text) && isWordByte(l.text[end]) {
		end++
	}
	t := token{kind: tokWord, text: l.text[l.at:end], pos: pos}
	switch {
	case t.text == "true" || t.text == "false":
		t.kind, t.literal = tokLiteral, Literal{Bool, t.text}
	case keywords[t.text]:
		t.kind = tokKeyword
	case strings.Contains(t.text, "-"):
		t.kind = tokHyphenWord
	}
	l.advance(end)
	return t
}

// number reads a whole or decimal number that numberLength has found.
func (l *lexer) number(pos Pos) token {
	text := l.text[l.at : l.at+numberLength(l.text[l.at:])]
	kind := Int
	if strings.Contains(text, ".") {
		kind = Float
	}
	l.advance(l.at + len(text))
	return token{kind: tokLiteral, text: text, literal: Literal{kind, text}, pos: pos}
}

// numberLength is the length of the number at the start of the text, 0 if there is none. A whole number has no
// leading zero; a decimal one may, and needs a digit after its point only.
func numberLength(s string) int {
	i := 0
	if s != "" && (s[0] == '+' || s[0] == '-') {
		i++
	}
	digits := i
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	if digits+1 < len(s) && s[digits] == '.' && isDigit(s[digits+1]) {
		end := digits + 1
		for end < len(s) && isDigit(s[end]) {
			end++
		}
		return end
	}
	switch {
	case digits == i:
		return 0
	case s[i] == '0':
		return i + 1
	}
	return digits
}

// quoted reads a literal in quotes after its prefix letter.
func (l *lexer) quoted(pos Pos, prefix string, kind LiteralKind) (token, error) {
	body := l.text[l.at+len(prefix)+1:]
	end, escaped, err := l.closing(body, pos)
	if err != nil {
		return token{}, err
	}
	text := body[:end]
	if what := malformed(kind, text); what != "" {
		return token{}, &Error{pos, what}
	}
	if escaped && kind == String {
		text = unescape(text)
	}
	l.advance(l.at + len(prefix) + 1 + end + 1)
	return token{kind: tokLiteral, literal: Literal{kind, text}, pos: pos}, nil
}

// closing finds the quote that ends a literal.
func (l *lexer) closing(body string, pos Pos) (end int, escaped bool, err error) {
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '\'':
			return i, escaped, nil
		case '\\':
			if i+1 == len(body) || body[i+1] != '\'' && body[i+1] != '\\' {
				l.advance(len(l.text) - len(body) + i)
				return 0, false, &Error{l.pos(), `a backslash in a text escapes only ' and \; write \\ for a backslash`}
			}
			escaped = true
			i++
		}
	}
	return 0, false, &Error{pos, "this text has no end; close it with a single quote, and write \\' for a quote inside it"}
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// punct reads a sign.
func (l *lexer) punct(pos Pos) (token, error) {
	rest := l.text[l.at:]
	for _, sign := range [...]struct{ text, normal string }{
		{"==", "="}, {"!=", "!="}, {"<>", "!="}, {"<=", "<="}, {">=", ">="}, {"=", "="}, {"<", "<"}, {">", ">"},
		{"[", "["}, {"]", "]"}, {"(", "("}, {")", ")"}, {",", ","}, {":", ":"}, {".", "."}, {"*", "*"},
	} {
		if strings.HasPrefix(rest, sign.text) {
			l.advance(l.at + len(sign.text))
			return token{kind: tokPunct, text: sign.normal, pos: pos}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	what := fmt.Sprintf("%q cannot stand here", r)
	switch r {
	case '"', '“', '”', '‘', '’', '`':
		what += "; texts are in straight single quotes: 'text'"
	case '/':
		what += "; an expression is a text: MATCHES 'expression'"
	case '+', '-':
		what += "; a sign must be followed by a number"
	default:
		what += "; remove it, or put it into a text in single quotes"
	}
	return token{}, &Error{pos, what}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' }

// isSpace knows the white space of the grammar, which is not that of Unicode.
func isSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\r', '\n', '\v', '\f', 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200a
}
