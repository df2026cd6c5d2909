package pattern

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Bounds of an expression after MATCHES.
const (
	maxExpression = 32 << 10 // bytes
	maxProgram    = 20_000   // about the instructions of its program
	maxPrograms   = 100_000  // of all in one pattern
)

// expression is the operand of MATCHES: a Perl-compatible expression without the parts that take more than linear time.
type expression struct {
	re     *regexp.Regexp
	size   int64  // instructions of its program
	octets bool   // has no character above U+00FF, so that it can be held against bytes
	needs  string // a text that everything that matches holds; "" when none is known
}

func expressionOf(text string) (*expression, string) {
	if len(text) > maxExpression {
		return nil, fmt.Sprintf("this expression has %d bytes; at most %d are read", len(text), maxExpression)
	}
	text = normal(text)
	translated, problem := translate(text)
	if problem != "" {
		return nil, problem
	}
	tree, err := syntax.Parse(translated, syntax.Perl|syntax.DotNL)
	if err != nil {
		return nil, "this is no expression that can be read: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	if programSize(tree) > maxProgram {
		return nil, "this expression is too large when its repetitions are written out; repeat less"
	}
	softenEnds(tree)
	re, err := regexp.Compile(tree.String())
	if err != nil {
		return nil, "this is no expression that can be read: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	e := &expression{re: re, octets: true}
	for _, r := range text {
		e.octets = e.octets && r <= 0xff
	}
	simple := tree.Simplify()
	e.needs = required(simple)
	if prog, err := syntax.Compile(simple); err == nil {
		e.size = int64(len(prog.Inst))
	}
	return e, ""
}

// translate writes the escapes of PCRE that Go lacks in Go's way, and refuses what has no equal.
func translate(text string) (string, string) {
	var b strings.Builder
	class := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			out, problem := translateEscape(text[i], class)
			if problem != "" {
				return "", problem
			}
			b.WriteString(out)
			if text[i] == 'Q' {
				end := strings.Index(text[i:], `\E`)
				if end < 0 {
					end = len(text) - i
				}
				b.WriteString(text[i+1 : i+end])
				i += end - 1
			}
			continue
		case class:
			class = c != ']'
			if c == '[' && i+1 < len(text) && text[i+1] == ':' {
				if end := strings.Index(text[i:], ":]"); end > 0 {
					b.WriteString(text[i : i+end+1])
					i += end + 1
					c, class = ']', true
				}
			}
		case c == '[':
			class = true
			b.WriteByte(c)
			for _, first := range []string{"^", "]"} {
				if strings.HasPrefix(text[i+1:], first) {
					b.WriteString(first)
					i++
				}
			}
			continue
		case c == '(':
			if problem := refusedGroup(text[i+1:]); problem != "" {
				return "", problem
			}
		case c == '+' && i > 0 && strings.IndexByte("*+?}", text[i-1]) >= 0 && !(i > 1 && text[i-2] == '\\'):
			return "", "possessive repetition (such as a++) is not supported; write a plain one"
		}
		b.WriteByte(c)
	}
	return b.String(), ""
}

func translateEscape(c byte, class bool) (out, problem string) {
	switch {
	case class && c == 'b':
		return `\x08`, ""
	case c >= '1' && c <= '9' && !class || c == 'k' || c == 'g':
		return "", `back-references (such as \1) are not supported; they could take endless time`
	case c == 'e':
		return `\x1b`, ""
	case c == 'h' && class:
		return `\t\p{Zs}`, ""
	case c == 'h':
		return `[\t\p{Zs}]`, ""
	case c == 'R' && !class:
		return `(?:\r\n|[\n\v\f\r\x{85}\x{2028}\x{2029}])`, ""
	case c == 'Z' && !class:
		return `(?:\n?\z)`, ""
	}
	return `\` + string(rune(c)), ""
}

func refusedGroup(rest string) string {
	for _, look := range []string{"?=", "?!", "?<=", "?<!"} {
		if strings.HasPrefix(rest, look) {
			return "look-around (" + look + ") is not supported; say it as a second comparison joined by AND, with NOT MATCHES for its opposite"
		}
	}
	switch {
	case strings.HasPrefix(rest, "?>"):
		return "atomic groups are not supported; write a plain group (?:…)"
	case strings.HasPrefix(rest, "?P=") || strings.HasPrefix(rest, "?P>") || strings.HasPrefix(rest, "?&") ||
		strings.HasPrefix(rest, "?R") || strings.HasPrefix(rest, "?("):
		return "back-references, recursion and conditions are not supported; they could take endless time"
	}
	return ""
}

// softenEnds makes $ match before a last line break too, as in PCRE.
func softenEnds(re *syntax.Regexp) {
	for i, sub := range re.Sub {
		if sub.Op == syntax.OpEndText && sub.Flags&syntax.WasDollar != 0 {
			re.Sub[i] = softEnd()
			continue
		}
		softenEnds(sub)
	}
	if re.Op == syntax.OpEndText && re.Flags&syntax.WasDollar != 0 {
		*re = *softEnd()
	}
}

func softEnd() *syntax.Regexp {
	end, err := syntax.Parse(`(?:\n?\z)`, syntax.Perl)
	if err != nil {
		panic(err) // a constant
	}
	return end
}

// programSize is about the instructions that an expression takes, its repetitions written out.
func programSize(re *syntax.Regexp) int64 {
	n := int64(1 + len(re.Rune))
	for _, sub := range re.Sub {
		n += programSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		return n * int64(max(re.Max, re.Min, 1))
	}
	return n
}

// required is the longest text that every match of a simplified expression holds.
func required(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		best, run := "", ""
		for _, sub := range re.Sub {
			if sub.Op == syntax.OpLiteral && sub.Flags&syntax.FoldCase == 0 {
				run += string(sub.Rune)
			} else {
				run = ""
				best = longer(best, required(sub))
			}
			best = longer(best, run)
		}
		return best
	}
	return ""
}

func longer(a, b string) string {
	if len(b) > len(a) {
		return b
	}
	return a
}
