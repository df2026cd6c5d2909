package release

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is a fact in a text.
type span struct {
	start, end int
	core       int // where the fact itself begins: what stands before it belongs to it, such as the label of a host
	rule       Rule
	label      string // of a forbidden word
	doubt      bool   // it may be one: a person is asked, and it stays
}

// mask has a bit for each letter of a term.
type mask [4]uint64

const maxLetters = 256

func (m *mask) set(i int)         { m[i/64] |= 1 << (i % 64) }
func (m mask) within(o mask) bool { return m[0]&^o[0]|m[1]&^o[1]|m[2]&^o[2]|m[3]&^o[3] == 0 }

// known is a term that the finder knows.
type known struct {
	term
	apart  mask // before which letters a separator stands
	dots   mask // and before which of them a dot
	length int

	acronym bool // it is written in capitals
}

// finder finds the terms in a text. It is read only once it is made.
type finder struct {
	edges map[uint64]int32 // node and rune to node
	ends  map[int32][]int  // node to terms
	first [128]bool        // which letters of ASCII begin a term
	other bool             // a letter beyond ASCII begins one
	known []known
}

func edge(node int32, r rune) uint64 { return uint64(node)<<32 | uint64(uint32(r)) }

func newFinder(all []term) *finder {
	f := &finder{edges: map[uint64]int32{}, ends: map[int32][]int{}}
	seen := map[term]bool{}
	for _, t := range all {
		if !seen[t] {
			seen[t] = true
			f.add(t)
		}
	}
	return f
}

func (f *finder) add(t term) {
	letters := fold(t.text)
	if len(letters) == 0 || len(letters) > maxLetters {
		return
	}
	if r := letters[0].rune; r < 128 {
		f.first[r] = true
	} else {
		f.other = true
	}
	k := known{term: t, length: len(letters), acronym: t.text == strings.ToUpper(t.text)}
	node := int32(0)
	for i, l := range letters {
		if i > 0 && l.before > soft {
			k.apart.set(i)
		}
		if i > 0 && l.before == dot {
			k.dots.set(i)
		}
		next, ok := f.edges[edge(node, l.rune)]
		if !ok {
			next = int32(len(f.edges) + 1)
			f.edges[edge(node, l.rune)] = next
		}
		node = next
	}
	f.ends[node] = append(f.ends[node], len(f.known))
	f.known = append(f.known, k)
}

// find lists the terms in a text, in order and without overlaps.
func (f *finder) find(text string) []span {
	if len(f.known) == 0 || text == "" {
		return nil
	}
	letters := fold(text)
	var out []span
	for i := range letters {
		r := letters[i].rune
		if letters[i].before == joined || r < 128 && !f.first[r] || r >= 128 && !f.other {
			continue
		}
		out = f.from(out, text, letters, i)
	}
	return out
}

// from adds the terms that begin at letter i: the longest of each rule or label.
func (f *finder) from(out []span, text string, letters []letter, i int) []span {
	var apart, dots mask
	node := int32(0)
	base := len(out)
	for j := i; j < len(letters) && j-i < maxLetters; j++ {
		if n := j - i; n > 0 {
			switch letters[j].before {
			case long:
				return out
			case dot:
				dots.set(n)
				apart.set(n)
			case short:
				apart.set(n)
			}
		}
		next, ok := f.edges[edge(node, letters[j].rune)]
		if !ok {
			return out
		}
		node = next
		for _, at := range f.ends[node] {
			k := &f.known[at]
			if !k.fits(apart, dots) || !k.edge(letters, i) {
				continue
			}
			if last := k.last(letters, j); last >= 0 {
				out = extended(out, base, k.grow(text, letters, i, j, last))
			}
		}
	}
	return out
}

// extended adds a span; one of the same rule that began at the same letter is shorter, and goes.
func extended(out []span, base int, s span) []span {
	if s.end <= s.start {
		return out
	}
	for i := base; i < len(out); i++ {
		if out[i].rule == s.rule && out[i].label == s.label && out[i].doubt == s.doubt {
			out[i].start, out[i].end, out[i].core = min(out[i].start, s.start), max(out[i].end, s.end), min(out[i].core, s.core)
			return out
		}
	}
	return append(out, s)
}

// fits tells whether the separators of a text are those of the term.
func (k *known) fits(apart, dots mask) bool {
	switch k.by {
	case freely:
		return true
	case byDots:
		return apart == k.apart && dots == k.dots
	}
	return apart.within(k.apart)
}

// edge tells whether a word begins or ends before a letter: parts of a word count where the case or a digit sets them
// apart, the term is not a short one, and the word is no code.
func (k *known) edge(letters []letter, at int) bool {
	l := letters[at]
	if l.before != soft || l.unseen {
		return l.before != joined
	}
	return !l.code && !k.tight && (k.length >= 4 || k.length >= 2 && unspaced(l.rune))
}

// grow is the span of a term and of what belongs to it: a legal form behind a firm, the names of hosts and mail boxes
// before a domain. It is empty where what stands beside the term says that it is none.
func (k *known) grow(text string, letters []letter, i, j, last int) span {
	s := span{letters[i].start, letters[last].end, letters[i].start, k.rule, k.label, k.doubt}
	switch {
	case k.family:
		return k.judge(text, letters, i, j)
	case k.short:
		if !shortName(text, s.end) {
			return span{}
		}
		s.end += 2
	case k.person && !k.capital(text, letters, i, i) && (sentenceEnds(text[s.start:s.end]) || strings.Contains(text[s.start:s.end], ", ")), k.turned && sentenceEnds(text[s.start:s.end]), k.handle && strings.ContainsAny(text[s.start:s.end], " \t\r\n,"), k.upper && !k.capital(text, letters, i, i):
		return span{}
	}
	if k.firm {
		s.end = behindForm(text, letters, last, s.end)
	}
	if k.host {
		s.start = beforeHost(text, letters, i, s.start)
		if k.inner && s.start == letters[i].start {
			return span{}
		}
	}
	return s
}

// sentenceEnds tells whether a sentence or a part of one ends in a text.
func sentenceEnds(s string) bool {
	for _, end := range []string{". ", "; ", ": ", "! ", "? ", ".\n", ") "} {
		if strings.Contains(s, end) {
			return true
		}
	}
	return false
}

// shortName tells whether ~ and a digit stand at the end of a name.
func shortName(text string, at int) bool {
	return at+1 < len(text) && text[at] == '~' && isDigit(text[at+1])
}

// behindTitle is where the form of address begins that stands before letter i, or -1; some stand before a capital only.
func behindTitle(letters []letter, i int, capital bool) int {
	if letters[i].before < dot || letters[i].before == long {
		return -1
	}
	for n, t := range slices.Concat(formal, roles) {
		if n >= len(formal) && !capital {
			break
		}
		at := endsIn(letters[:i], t)
		if at >= 0 && letters[at].before > soft && (t == "deheer" || !slices.ContainsFunc(letters[at+1:i], func(l letter) bool { return l.before > soft })) {
			return letters[at].start
		}
	}
	return -1
}

// behindForm is the end of a legal form that follows letter j, else end.
func behindForm(text string, letters []letter, j, end int) int {
	for _, form := range slices.Backward(legalForms) {
		form = strings.ReplaceAll(form, " ", "")
		last := j + len(form)
		if last >= len(letters) || letters[j+1].before < soft || letters[j+1].before == long || last+1 < len(letters) && letters[last+1].before <= soft {
			continue
		}
		if endsIn(letters[:last+1], form) != j+1 || strings.Contains(text[letters[j].end:letters[j+1].start], "\n\n") {
			continue
		}
		to, dotted := letters[last].end, false
		for _, l := range letters[j+2 : last+1] {
			dotted = dotted || l.before == dot
			if l.before == long {
				return end
			}
		}
		if dotted && to < len(text) && text[to] == '.' {
			to++
		}
		return max(end, to)
	}
	return end
}

// maxHost bounds what belongs to a domain on its left, in bytes.
const maxHost = 255

// beforeHost is where the labels before a domain begin, and the mail box before these.
func beforeHost(text string, letters []letter, i, start int) int {
	k := i
	for k > 0 && start-letters[k-1].start < maxHost {
		between := text[letters[k-1].end:letters[k].start]
		if letters[k].before > dot && between != "-" && between != "_" {
			break
		}
		if letters[k-1].start == letters[k].start || letters[k].before <= dot || between == "-" || between == "_" {
			k--
			continue
		}
		break
	}
	start = min(start, letters[k].start)
	box := start
	if !strings.HasSuffix(text[:box], "@") {
		if n := atSign(text[:box]); n > 0 {
			box -= n
		} else {
			return start
		}
	} else {
		box--
	}
	at := box
	for box > 0 && at-box < maxHost {
		r, n := utf8.DecodeLastRuneInString(text[:box])
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune("._%+-'", r) {
			break
		}
		box -= n
	}
	if box == at {
		return start
	}
	return box
}

// atSign is how many bytes at the end of s are a defanged @.
func atSign(s string) int {
	for _, form := range []string{"[@]", "(@)", "{@}", "[at]", "(at)", "{at}", "%40"} {
		if n := len(form); len(s) >= n && strings.EqualFold(s[len(s)-n:], form) {
			return n
		}
	}
	return 0
}

// merge orders spans so that none overlaps: the first of them stays, the longer one where two begin together. What
// begins within another is broken with that one, unless its fact itself begins behind it.
func merge(all []span) []span {
	slices.SortFunc(all, func(a, b span) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	var out []span
	for _, s := range all {
		if n := len(out); n > 0 && s.start < out[n-1].end {
			if s.core < out[n-1].end {
				continue
			}
			s.start = out[n-1].end
		}
		out = append(out, s)
	}
	return out
}
