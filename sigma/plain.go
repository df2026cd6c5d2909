package sigma

import (
	"bytes"
	"net/netip"
	"slices"
	"unicode/utf8"

	"github.com/polder-exchange/polder/event"
)

// Bounds of what is looked at of an event.
const (
	MaxValue      = 1 << 20 // bytes of one value, as the log wrote it
	MaxEventBytes = 4 << 20 // bytes of all values together
)

// reached are the bytes of a value that are looked at when left bytes of the event remain.
func reached(v []byte, left int) []byte { return v[:min(len(v), MaxValue, max(left, 0))] }

// number of a log: a whole number that was written with a fraction of zeros loses it.
func trimNumber(v []byte) []byte {
	if whole, zeros, ok := bytes.Cut(v, []byte{'.'}); ok && len(whole) > 0 && len(bytes.Trim(zeros, "0")) == 0 {
		return whole
	}
	return v
}

// Matches says whether an event is what the rule looks for, whatever its source. It is the rule in plain words: each
// question is answered by itself, from the event. An [Engine] gives the same answers for many rules faster.
func (r *Rule) Matches(ev *event.Event) bool { return r.match.holds(ev) }

func (c *clause) holds(ev *event.Event) bool {
	switch c.op {
	case isAtom:
		return c.atom.holds(ev)
	case allOf:
		for i := range c.kids {
			if !c.kids[i].holds(ev) {
				return false
			}
		}
		return true
	case anyOf:
		for i := range c.kids {
			if c.kids[i].holds(ev) {
				return true
			}
		}
		return false
	}
	return !c.kids[0].holds(ev)
}

// values are the texts of a field, of every field when it is "". null says that it is there with null.
func values(ev *event.Event, field string) (texts [][]byte, null bool) {
	left := MaxEventBytes
	for i := range ev.Fields {
		f := ev.Fields[i]
		f.Value = reached(f.Value, left)
		left -= len(f.Value)
		if field != "" && !slices.Contains(namesOf(ev.Mapping, f.Name.String()), field) {
			continue
		}
		switch f.Kind {
		case event.Null:
			null = true
		case event.Number:
			texts = append(texts, trimNumber(f.Value))
		default:
			texts = append(texts, f.Text(nil))
		}
	}
	return texts, null
}

func namesOf(m *event.Mapping, path string) []string {
	if m == nil {
		return []string{path}
	}
	return m.Names(path)
}

func (a *atom) holds(ev *event.Event) bool {
	texts, null := values(ev, a.field)
	switch a.kind {
	case isNull:
		return len(texts) == 0
	case isThere:
		return null || len(texts) > 0
	case isField:
		others, _ := values(ev, a.other)
		return slices.ContainsFunc(texts, func(t []byte) bool {
			return slices.ContainsFunc(others, func(o []byte) bool {
				if !a.cased {
					t, o = fold(nil, t), fold(nil, o)
				}
				return a.refers(t, o)
			})
		})
	}
	return slices.ContainsFunc(texts, a.accepts)
}

// accepts says whether one value is what the atom asks for.
func (a *atom) accepts(text []byte) bool {
	switch a.kind {
	case isPattern:
		low := fold(nil, text)
		return slices.ContainsFunc(a.patterns, func(p pattern) bool {
			if p.cased {
				return p.accepts(text)
			}
			return p.folded().accepts(low)
		})
	case isRegexp:
		return slices.ContainsFunc(a.regexps, func(x *expr) bool { return x.re.Match(text[:min(len(text), x.reach)]) })
	case isNetwork:
		return a.contains(text)
	}
	return a.compares(text)
}

// contains says whether a value is an address in one of the networks.
func (a *atom) contains(text []byte) bool {
	if len(text) > 64 || !slices.ContainsFunc(text, isAddrMark) || slices.ContainsFunc(text, notAddr) {
		return false
	}
	addr, err := netip.ParseAddr(string(text))
	if err != nil {
		return false
	}
	addr = addr.WithZone("").Unmap()
	return slices.ContainsFunc(a.networks, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// isAddrMark and notAddr tell at a look what cannot be an address, before it is read as one.
func isAddrMark(c byte) bool { return c == '.' || c == ':' }

func notAddr(c byte) bool {
	return !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || isAddrMark(c) || c == '%')
}

// compares says whether a number, or the part of a time, stands in the relation asked for.
func (a *atom) compares(text []byte) bool {
	if len(text) > 64 {
		return false
	}
	var n float64
	if a.part != noPart {
		t, ok := parseTime(string(text))
		if !ok {
			return false
		}
		n = a.part.of(t)
	} else {
		var ok bool
		if n, ok = parseNumber(string(text)); !ok {
			return false
		}
	}
	switch a.op {
	case "lt":
		return n < a.number
	case "lte":
		return n <= a.number
	case "gt":
		return n > a.number
	case "gte":
		return n >= a.number
	}
	return n == a.number
}

// refers says whether a value is, begins with, ends with or contains that of the other field; both are folded unless
// case counts.
func (a *atom) refers(text, other []byte) bool {
	switch {
	case a.before && a.after:
		return bytes.Contains(text, other)
	case a.before:
		return bytes.HasSuffix(text, other)
	case a.after:
		return bytes.HasPrefix(text, other)
	}
	return bytes.Equal(text, other)
}

// accepts follows a pattern through a text part by part, with every place where the part may end.
func (p pattern) accepts(s []byte) bool {
	at := make([]bool, len(s)+1)
	at[0] = true
	for _, x := range p.parts {
		next := make([]bool, len(s)+1)
		for i := range at {
			if !at[i] {
				continue
			}
			switch x.kind {
			case literal:
				if bytes.HasPrefix(s[i:], []byte(x.text)) {
					next[i+len(x.text)] = true
				}
			case anyRune:
				if i < len(s) && !inside(s, i) {
					_, n := utf8.DecodeRune(s[i:])
					next[i+n] = true
				}
			case anyDash:
				for _, d := range dashes {
					if bytes.HasPrefix(s[i:], []byte(d)) {
						next[i+len(d)] = true
					}
				}
			case anyText:
				for j := i; j < len(next); j++ {
					next[j] = true
				}
			}
			if x.kind == anyText {
				break // what any later place reaches is reached
			}
		}
		at = next
	}
	return at[len(s)]
}

// inside says that a place in a text is within a character, not before it.
func inside(s []byte, i int) bool {
	if i >= len(s) || utf8.RuneStart(s[i]) {
		return false
	}
	for j := i - 1; j >= 0 && j > i-utf8.UTFMax; j-- {
		if utf8.RuneStart(s[j]) {
			_, n := utf8.DecodeRune(s[j:])
			return j+n > i
		}
	}
	return false
}
