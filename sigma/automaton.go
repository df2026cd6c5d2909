package sigma

import "slices"

// automaton finds all of many texts in a value in one pass, whatever the case of ASCII letters. A text may be bound to
// the value's beginning, to its end, or to both.
type automaton struct {
	raw   [256]uint16 // the class of a byte as logs write it; special for bytes that need more than a look
	low   [256]uint16 // the class of a byte of a folded value
	width int         // classes, those of beginning and end included
	next  []uint32    // by state (times width) and class: the next state (times width)
	first uint32      // the first of the states where texts end; all others come before it
	begin uint32      // the state after the beginning of a value
	// out is what is found at a state: an index into outs, by state.
	out  []int32
	outs [][]int32
}

// special is the class of bytes outside ASCII in a value that was not folded.
const special = 1<<16 - 1

// Classes 0, 1 and 2 are bytes of no text, the beginning and the end of a value.
const (
	classOther = iota
	classBegin
	classEnd
	firstClass
)

// needle is a text for an automaton to find, in folded form, and what finding it means.
type needle struct {
	text       string
	begin, end bool // bound to the beginning, to the end of a value
	id         int32
}

// newAutomaton builds the automaton that finds these texts.
func newAutomaton(needles []needle) *automaton {
	a := &automaton{width: firstClass}
	for _, n := range needles {
		for i := range len(n.text) {
			if c := n.text[i]; a.low[c] == classOther {
				a.low[c] = uint16(a.width)
				a.width++
			}
		}
	}
	a.raw = a.low
	for c := 'A'; c <= 'Z'; c++ {
		a.raw[c] = a.low[c|0x20]
	}
	for c := 0x80; c < 0x100; c++ {
		a.raw[c] = special
	}
	a.grow(needles)
	a.link()
	return a
}

// countStates is how many states the tree of some texts has.
func countStates(needles []needle) int {
	keys := make([]string, len(needles))
	for i, n := range needles {
		keys[i] = "0" + n.text
		if n.begin {
			keys[i] = "1" + n.text
		}
		if n.end {
			keys[i] += "\x00"
		}
	}
	slices.Sort(keys)
	count, last := 1, ""
	for _, k := range keys {
		same := 0
		for same < len(k) && same < len(last) && k[same] == last[same] {
			same++
		}
		count += len(k) - same
		last = k
	}
	return count
}

// state adds an empty state.
func (a *automaton) state() uint32 {
	s := len(a.next)
	a.next = slices.Grow(a.next, a.width)[:s+a.width]
	a.out = append(a.out, -1)
	return uint32(s)
}

// grow makes the tree of all texts.
func (a *automaton) grow(needles []needle) {
	n := countStates(needles)
	a.next, a.out = make([]uint32, 0, n*a.width), make([]int32, 0, n)
	a.state()
	for _, n := range needles {
		s := uint32(0)
		step := func(class uint16) {
			at := s + uint32(class)
			if a.next[at] == 0 {
				t := a.state() // before the assignment, since it moves the table
				a.next[at] = t
			}
			s = a.next[at]
		}
		if n.begin {
			step(classBegin)
		}
		for i := range len(n.text) {
			step(a.low[n.text[i]])
		}
		if n.end {
			step(classEnd)
		}
		i := s / uint32(a.width)
		if a.out[i] < 0 {
			a.out[i] = int32(len(a.outs))
			a.outs = append(a.outs, nil)
		}
		a.outs[a.out[i]] = append(a.outs[a.out[i]], n.id)
	}
}

// link turns the tree into an automaton that never looks back: each missing step is that of the longest text that may
// still begin, and what is found there is found here too.
func (a *automaton) link() {
	w := uint32(a.width)
	fail := make([]uint32, len(a.out))
	queue := make([]uint32, 0, len(a.out))
	for c := range w {
		if t := a.next[c]; t != 0 {
			queue = append(queue, t)
		}
	}
	for i := 0; i < len(queue); i++ {
		s := queue[i]
		f := fail[s/w]
		a.inherit(s/w, f/w)
		for c := range w {
			if t := a.next[s+c]; t != 0 {
				fail[t/w] = a.next[f+c]
				queue = append(queue, t)
			} else {
				a.next[s+c] = a.next[f+c]
			}
		}
	}
	a.order()
	a.begin = a.next[classBegin] // of the first state, which is the root: no text ends there
}

// order moves the states where texts end behind all others, so that one comparison tells them.
func (a *automaton) order() {
	w := uint32(a.width)
	to := make([]uint32, len(a.out))
	n := uint32(0)
	for pass := range 2 {
		if pass == 1 {
			a.first = n * w
		}
		for i, o := range a.out {
			if (o >= 0) == (pass == 1) {
				to[i] = n
				n++
			}
		}
	}
	next, out := make([]uint32, len(a.next)), make([]int32, len(a.out))
	for i, t := range to {
		out[t] = a.out[i]
		row := next[t*w : (t+1)*w]
		for c, s := range a.next[uint32(i)*w : (uint32(i)+1)*w] {
			row[c] = to[s/w] * w
		}
	}
	a.next, a.out = next, out
}

// inherit adds what is found at state f to what is found at s.
func (a *automaton) inherit(s, f uint32) {
	if a.out[f] < 0 {
		return
	}
	if a.out[s] < 0 {
		a.out[s] = a.out[f]
		return
	}
	own := a.outs[a.out[s]]
	a.outs[a.out[s]] = append(own[:len(own):len(own)], a.outs[a.out[f]]...)
}

// plainEscape maps what follows a backslash in a JSON string to the byte it stands for; 0 needs more than a look.
var plainEscape = func() (t [256]byte) {
	for c := range 0x80 {
		t[c] = byte(c)
	}
	t['n'], t['t'], t['r'], t['b'], t['f'], t['u'], t[0] = '\n', '\t', '\r', '\b', '\f', 0, 0
	return t
}()

// bytes is what the automaton holds in memory, about.
func (a *automaton) bytes() int {
	if a == nil {
		return 0
	}
	n := 4*len(a.next) + 4*len(a.out)
	for _, o := range a.outs {
		n += 24 + 4*len(o)
	}
	return n
}
