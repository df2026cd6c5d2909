package sigma

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"
)

// lazy runs a regular expression over values with an automaton that it makes as it goes: one step of a table for each
// character. It answers as the expression does, and where its table would grow too large the expression itself answers.
// It is for one goroutine.
type lazy struct {
	x       *expr
	bounds  []rune // where classes of characters begin, rising from 0
	ascii   [utf8.RuneSelf]uint8
	classes int

	table  []int32 // by state and class: the next state, or one of the marks below
	ends   []int8  // by state: whether a match ends with the value; 0 not known yet
	sets   [][]uint32
	byKey  map[string]int32
	failed int // how often the table was full

	set, seen []uint32 // of the step being made
	mark      uint32
	stack     []uint32
	key       []byte
}

// Marks in a table.
const (
	notMade = -1
	matched = -2
)

// Bounds of a lazy automaton.
const (
	maxTable   = 1 << 16 // entries
	maxClasses = 250
	maxFailed  = 4 // tables filled before the expression itself answers
)

// What stands before a state: nothing yet, a line end, a letter of a word, something else.
const (
	afterNothing = iota
	afterLine
	afterWord
	afterOther
)

func newLazy(x *expr) *lazy {
	l := &lazy{x: x, seen: make([]uint32, len(x.prog.Inst))}
	l.bounds = classBounds(x.prog)
	l.classes = len(l.bounds)
	if l.classes > maxClasses {
		l.failed = maxFailed
		return l
	}
	for r := range rune(utf8.RuneSelf) {
		l.ascii[r] = uint8(l.class(r))
	}
	l.reset()
	return l
}

// classBounds are the characters at which an expression begins to tell characters apart.
func classBounds(p *syntax.Prog) []rune {
	b := []rune{0, '\n', '\n' + 1, '0', '9' + 1, 'A', 'Z' + 1, '_', '_' + 1, 'a', 'z' + 1}
	for i := range p.Inst {
		in := &p.Inst[i]
		switch in.Op {
		case syntax.InstRune, syntax.InstRune1:
			if len(in.Rune) == 1 {
				r := in.Rune[0]
				b = append(b, r, r+1)
				if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
					for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
						b = append(b, f, f+1)
					}
				}
				continue
			}
			for k := 0; k+1 < len(in.Rune); k += 2 {
				b = append(b, in.Rune[k], in.Rune[k+1]+1)
			}
		}
	}
	slices.Sort(b)
	return slices.Compact(b)
}

func (l *lazy) class(r rune) int {
	return sort.Search(len(l.bounds), func(i int) bool { return l.bounds[i] > r }) - 1
}

// reset forgets all states but the first.
func (l *lazy) reset() {
	l.table, l.ends, l.sets, l.byKey = l.table[:0], l.ends[:0], l.sets[:0], map[string]int32{}
	l.state(nil, afterNothing)
}

// state is the number of the state with these instructions to go on from; -1 when the table is full.
func (l *lazy) state(set []uint32, after uint32) int32 {
	slices.Sort(set)
	l.key = binary.LittleEndian.AppendUint32(l.key[:0], after)
	for _, pc := range set {
		l.key = binary.LittleEndian.AppendUint32(l.key, pc)
	}
	if s, ok := l.byKey[string(l.key)]; ok {
		return s
	}
	if len(l.table)+l.classes > maxTable {
		return -1
	}
	s := int32(len(l.sets))
	l.byKey[string(l.key)] = s
	l.sets = append(l.sets, append([]uint32{after}, set...))
	l.ends = append(l.ends, 0)
	for range l.classes {
		l.table = append(l.table, notMade)
	}
	return s
}

// match says whether the value holds a match.
func (l *lazy) match(s []byte) bool {
	if l.failed >= maxFailed {
		return l.x.re.Match(s)
	}
	state := int32(0)
	for i := 0; i < len(s); {
		var class int
		r, n := rune(s[i]), 1
		if r < utf8.RuneSelf {
			class = int(l.ascii[r])
		} else {
			r, n = utf8.DecodeRune(s[i:])
			class = l.class(r)
		}
		next := l.table[int(state)*l.classes+class]
		if next == notMade {
			if next = l.step(state, class); next == notMade {
				l.reset()
				if l.failed++; l.failed >= maxFailed {
					l.table, l.sets, l.byKey, l.ends = nil, nil, nil, nil
				}
				return l.x.re.Match(s)
			}
		}
		if next == matched {
			return true
		}
		state = next
		i += n
	}
	if l.ends[state] == 0 {
		l.ends[state] = -1
		after := l.sets[state][0]
		if l.close(l.sets[state][1:], flagsBetween(after, -1)) {
			l.ends[state] = 1
		}
	}
	return l.ends[state] > 0
}

// flagsBetween are the empty matches possible after what a state stands behind and before a character; -1 is the end.
func flagsBetween(after uint32, next rune) syntax.EmptyOp {
	var f syntax.EmptyOp
	switch after {
	case afterNothing:
		f |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	case afterLine:
		f |= syntax.EmptyBeginLine
	}
	switch next {
	case -1:
		f |= syntax.EmptyEndText | syntax.EmptyEndLine
	case '\n':
		f |= syntax.EmptyEndLine
	}
	if (after == afterWord) != (next >= 0 && syntax.IsWordChar(next)) {
		return f | syntax.EmptyWordBoundary
	}
	return f | syntax.EmptyNoWordBoundary
}

// close gathers in l.set the instructions that read a character, from those of a state and the expression's beginning,
// past all that reads none. It says whether the expression has matched.
func (l *lazy) close(from []uint32, flags syntax.EmptyOp) bool {
	l.mark++
	l.set = l.set[:0]
	l.stack = append(append(l.stack[:0], from...), uint32(l.x.prog.Start))
	for len(l.stack) > 0 {
		pc := l.stack[len(l.stack)-1]
		l.stack = l.stack[:len(l.stack)-1]
		if l.seen[pc] == l.mark {
			continue
		}
		l.seen[pc] = l.mark
		in := &l.x.prog.Inst[pc]
		switch in.Op {
		case syntax.InstMatch:
			return true
		case syntax.InstAlt, syntax.InstAltMatch:
			l.stack = append(l.stack, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			l.stack = append(l.stack, in.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^flags == 0 {
				l.stack = append(l.stack, in.Out)
			}
		case syntax.InstFail:
		default:
			l.set = append(l.set, pc)
		}
	}
	return false
}

// step makes the state that follows on a class of characters, and remembers it.
func (l *lazy) step(state int32, class int) int32 {
	r := l.bounds[class]
	if l.close(l.sets[state][1:], flagsBetween(l.sets[state][0], r)) {
		l.table[int(state)*l.classes+class] = matched
		return matched
	}
	l.mark++
	next := l.stack[:0]
	for _, pc := range l.set {
		in := &l.x.prog.Inst[pc]
		if in.MatchRune(r) && l.seen[in.Out] != l.mark {
			l.seen[in.Out] = l.mark
			next = append(next, in.Out)
		}
	}
	after := uint32(afterOther)
	switch {
	case r == '\n':
		after = afterLine
	case syntax.IsWordChar(r):
		after = afterWord
	}
	l.stack = next
	to := l.state(next, after)
	if to >= 0 {
		l.table[int(state)*l.classes+class] = to
	}
	return to
}
