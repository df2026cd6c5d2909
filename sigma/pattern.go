package sigma

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxPattern is the longest text that a rule may look for, in bytes.
const MaxPattern = 8 << 10

// maxLoose bounds the parts of a pattern, and with them the time that one position of a value costs.
const maxLoose = 256

// partKind is what a part of a pattern stands for.
type partKind uint8

const (
	literal partKind = iota
	anyText          // *: any text, none included
	anyRune          // ?: one character
	anyDash          // windash: one of the characters that start an option
)

// dashes are the characters that windash takes for each other.
var dashes = []string{"-", "/", "–", "—", "―"}

// part is a piece of a pattern; text is that of a literal.
type part struct {
	kind partKind
	text string
}

// pattern is a text with wildcards. It matches a whole value.
type pattern struct {
	parts []part
	cased bool
}

// parsePattern reads a text of a rule: * and ? are wildcards, a backslash before one of them or before another
// backslash makes it plain, and any other backslash is itself.
func parsePattern(s string) pattern {
	var p pattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p.parts = append(p.parts, part{literal, lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`*?\`, s[i+1]) >= 0:
			i++
			lit.WriteByte(s[i])
		case c == '*':
			flush()
			p.add(part{kind: anyText})
		case c == '?':
			flush()
			p.add(part{kind: anyRune})
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	return p
}

// plainPattern matches this text.
func plainPattern(s string) pattern {
	if s == "" {
		return pattern{}
	}
	return pattern{parts: []part{{literal, s}}}
}

// add appends a part; one * after another adds nothing.
func (p *pattern) add(x part) {
	if n := len(p.parts); x.kind == anyText && n > 0 && p.parts[n-1].kind == anyText {
		return
	}
	p.parts = append(p.parts, x)
}

// plain is the text of a pattern without wildcards.
func (p pattern) plain() (string, bool) {
	switch {
	case len(p.parts) == 0:
		return "", true
	case len(p.parts) == 1 && p.parts[0].kind == literal:
		return p.parts[0].text, true
	}
	return "", false
}

// open is the pattern with any text allowed before it, after it, or both.
func (p pattern) open(before, after bool) pattern {
	out := pattern{cased: p.cased}
	if before {
		out.add(part{kind: anyText})
	}
	for _, x := range p.parts {
		out.add(x)
	}
	if after {
		out.add(part{kind: anyText})
	}
	return out
}

// loosened has each dash that may start an option stand for all characters that may.
func (p pattern) loosened() pattern {
	out := pattern{cased: p.cased}
	before := rune(' ')
	for _, x := range p.parts {
		if x.kind != literal {
			out.add(x)
			before = ' '
			continue
		}
		from := 0
		for i, r := range x.text {
			if (r == '-' || r == '/') && !wordRune(before) && wordStart(x.text[i+1:]) {
				if i > from {
					out.add(part{literal, x.text[from:i]})
				}
				out.add(part{kind: anyDash})
				from = i + 1
			}
			before = r
		}
		if from < len(x.text) {
			out.add(part{literal, x.text[from:]})
		}
	}
	return out
}

func wordStart(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && wordRune(r)
}

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// spelled is the pattern once for each choice of its dashes; ok is false when there are more than most.
func (p pattern) spelled(most int) (out []pattern, ok bool) {
	out = []pattern{{cased: p.cased}}
	for _, x := range p.parts {
		choices := []part{x}
		if x.kind == anyDash {
			choices = choices[:0]
			for _, d := range dashes {
				choices = append(choices, part{literal, d})
			}
		}
		if len(out)*len(choices) > most {
			return nil, false
		}
		var next []pattern
		for _, o := range out {
			for _, c := range choices {
				n := pattern{cased: p.cased, parts: append([]part(nil), o.parts...)}
				n.join(c)
				next = append(next, n)
			}
		}
		out = next
	}
	return out, true
}

// join appends a part, a literal to the literal before it.
func (p *pattern) join(x part) {
	if n := len(p.parts); n > 0 && x.kind == literal && p.parts[n-1].kind == literal {
		p.parts[n-1].text += x.text
		return
	}
	p.add(x)
}

// folded is the pattern as it is compared with folded values; one that minds case stays as it is.
func (p pattern) folded() pattern {
	if p.cased {
		return p
	}
	out := pattern{parts: make([]part, len(p.parts))}
	for i, x := range p.parts {
		out.parts[i] = part{x.kind, foldText(x.text)}
	}
	return out
}

func foldText(s string) string { return string(fold(nil, []byte(s))) }

// lower maps ASCII letters to lower case and every other byte to itself.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = byte(c) | 0x20
	}
	return t
}()

// foldRune is the character that stands for all that differ from r by case alone, and is not longer than any of them.
func foldRune(r rune) rune {
	if r >= 0x2E80 && r < 0xA640 || r >= 0xAC00 && r < 0xFB00 { // scripts without case
		return r
	}
	least := r
	for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
		least = min(least, x)
	}
	if least < utf8.RuneSelf {
		return rune(lower[least])
	}
	return least
}

// fold appends src without the difference of case, letter by letter: ASCII in lower case, of other letters the one that
// stands for all its cases. Bytes that are not UTF-8 stay as they are. What it appends is not longer than src.
func fold(dst, src []byte) []byte {
	dst = slices.Grow(dst, len(src))
	for i := 0; i < len(src); {
		c := src[i]
		if c < utf8.RuneSelf {
			dst = append(dst, lower[c])
			i++
			continue
		}
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError {
			dst = append(dst, src[i:i+n]...)
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += n
	}
	return dst
}

// foldEscaped appends the folded text of a JSON string with simple escapes; ok is false when it holds others, or
// letters beyond ASCII.
func foldEscaped(dst, src []byte) (out []byte, ok bool) {
	at := len(dst)
	dst = slices.Grow(dst, len(src))[:at+len(src)]
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c == '\\' {
			if i++; i == len(src) {
				return nil, false
			}
			if c = plainEscape[src[i]]; c == 0 {
				return nil, false
			}
		}
		if c >= utf8.RuneSelf {
			return nil, false
		}
		dst[at] = lower[c]
		at++
	}
	return dst[:at], true
}
