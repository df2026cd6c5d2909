package sigma

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Bounds of regular expressions.
const (
	MaxRegexp = 4 << 10 // bytes
	// maxProgram is the most instructions an expression may compile to.
	maxProgram = 16 << 10
	// maxRegexpSteps is what an expression may cost on one value: bytes looked at times instructions.
	maxRegexpSteps = 1 << 28
	// minRegexpReach is how many bytes of a value every expression looks at.
	minRegexpReach = 64 << 10
)

// newExpr compiles a regular expression with flags of i, m and s.
func newExpr(text, flags string) (*expr, error) {
	if len(text) > MaxRegexp {
		return nil, fmt.Errorf("the regular expression has %d bytes; at most %d", len(text), MaxRegexp)
	}
	if flags != "" {
		text = "(?" + flags + ")" + text
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, regexpError(err)
	}
	tree, changed := lastLine(tree)
	pattern := text
	if changed {
		pattern = tree.String() // slow where there are classes of letters, so only of the few that need it
	}
	simple := tree.Simplify()
	prog, err := syntax.Compile(simple)
	if err != nil {
		return nil, regexpError(err)
	}
	if len(prog.Inst) > maxProgram {
		return nil, fmt.Errorf("the regular expression compiles to %d instructions; at most %d: repeat less, {1000} of a group counts each time", len(prog.Inst), maxProgram)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, regexpError(err)
	}
	some := needed(simple)
	reach := min(MaxValue, max(minRegexpReach, maxRegexpSteps/len(prog.Inst)))
	return &expr{text: text, re: re, prog: prog, some: some, reach: reach}, nil
}

// lastLine lets a $ that means the end of the value also match before a line end there, as in the engines that rules
// are written for, and tells whether there was one.
func lastLine(x *syntax.Regexp) (_ *syntax.Regexp, changed bool) {
	for i, s := range x.Sub {
		sub, c := lastLine(s)
		x.Sub[i], changed = sub, changed || c
	}
	if x.Op != syntax.OpEndText || x.Flags&syntax.WasDollar == 0 {
		return x, changed
	}
	x.Flags &^= syntax.WasDollar
	newline := &syntax.Regexp{Op: syntax.OpLiteral, Rune: []rune{'\n'}}
	maybe := &syntax.Regexp{Op: syntax.OpQuest, Sub: []*syntax.Regexp{newline}}
	return &syntax.Regexp{Op: syntax.OpConcat, Sub: []*syntax.Regexp{maybe, x}}, true
}

// lookAround begins the constructs that need more than linear time, and what they are called.
var lookAround = []struct{ begin, name string }{
	{"(?=", "look-ahead"}, {"(?!", "look-ahead"}, {"(?<=", "look-behind"}, {"(?<!", "look-behind"}, {"(?>", "an atomic group"},
}

// regexpError says what of an expression cannot be used.
func regexpError(err error) error {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("the regular expression cannot be used: %w", err)
	}
	for _, l := range lookAround {
		if strings.HasPrefix(e.Expr, l.begin) {
			return fmt.Errorf("the regular expression uses %s, %s, whose time has no bound; say it with a second selection and not", l.name, quote(l.begin))
		}
	}
	if e.Code == syntax.ErrInvalidEscape && len(e.Expr) == 2 && e.Expr[1] >= '1' && e.Expr[1] <= '9' {
		return fmt.Errorf("the regular expression uses the backreference %s, whose time has no bound; write out what it may repeat", e.Expr)
	}
	return fmt.Errorf("the regular expression cannot be used: %s: %s", e.Code, quote(e.Expr))
}
