package release

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// gap is what stands before a letter.
type gap uint8

const (
	joined gap = iota // nothing: the letter goes on the word
	soft              // nothing, but the case changes, or a digit follows a letter
	dot               // a dot, however it is written
	short             // a few other signs, or white space
	long              // more; no fact goes across
)

// letter is one letter or digit of a text in the form in which facts are compared: lower case, without diacritics.
type letter struct {
	rune       rune
	start, end int // in bytes of the text; the letters of one rune have the same
	before     gap
	unseen     bool // a sign that nobody sees stands before it, which may part words or not
	code       bool // of a digest or another long code, in which a change of case or a digit sets nothing apart
}

// neutral are the words that stand in for facts. They hide from the search, so that what was taken out stays out.
var neutral = []string{"[organisation]", "[person]", "[address]", "[host]", "[project]"}

// longestCode is the longest word that is still read as one; what is longer is a code.
const longestCode = 40

// fold is the text as letters.
func fold(text string) []letter {
	f := folder{text: text, out: make([]letter, 0, len(text))}
	for f.at < len(text) {
		f.step()
	}
	f.closeWord()
	return f.out
}

// folder goes over one text.
type folder struct {
	text  string
	at    int
	out   []letter
	word  int  // where in out the word under way begins
	wall  bool // something that no fact goes across stands there
	last  rune // the last letter as it was written
	after int  // behind the last letter in the text
}

func (f *folder) step() {
	if f.text[f.at] == '[' {
		for _, w := range neutral {
			if strings.HasPrefix(f.text[f.at:], w) {
				f.at, f.wall = f.at+len(w), true
				return
			}
		}
	}
	if n := dotAt(f.text[f.at:]); n > 1 {
		f.at += n
		return
	}
	if strings.HasPrefix(f.text[f.at:], "&amp;") {
		f.at += len("&amp;")
		return
	}
	r, n := runeAt(f.text[f.at:])
	f.add(r, f.at, f.at+n)
	f.at += n
}

// runeAt is the first rune of a text, which may be written with percent signs, and the bytes it takes.
func runeAt(s string) (rune, int) {
	if s[0] < utf8.RuneSelf && s[0] != '%' {
		return rune(s[0]), 1
	}
	if s[0] != '%' {
		return utf8.DecodeRuneInString(s)
	}
	var b [utf8.UTFMax]byte
	for n := 0; n < len(b) && len(s) >= 3*n+3 && s[3*n] == '%'; n++ {
		hi, lo := hexDigit(s[3*n+1]), hexDigit(s[3*n+2])
		if hi < 0 || lo < 0 {
			break
		}
		b[n] = byte(hi<<4 | lo)
		if r, size := utf8.DecodeRune(b[:n+1]); r != utf8.RuneError && size == n+1 {
			return r, 3 * (n + 1)
		}
	}
	return '%', 1
}

func hexDigit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		return int(b|0x20-'a') + 10
	}
	return -1
}

// dotAt is how many bytes of the beginning of s are a dot, defanged or not; 0 when there is none.
func dotAt(s string) int {
	switch s[0] {
	case '.':
		return 1
	case '\\':
		if strings.HasPrefix(s, `\.`) {
			return 2
		}
	case '%':
		if len(s) >= 3 && s[1] == '2' && s[2]|0x20 == 'e' {
			return 3
		}
	case '[', '(', '{':
		closing := strings.IndexAny(s[:min(len(s), 8)], "])}")
		if closing < 2 {
			return 0
		}
		if in := strings.ToLower(strings.TrimSpace(s[1:closing])); in == "." || in == "dot" || in == "punt" {
			return closing + 1
		}
	}
	if strings.HasPrefix(s, "\u3002") || strings.HasPrefix(s, "\uff0e") {
		return len("\u3002")
	}
	return 0
}

// plain are letters that no decomposition makes plain.
var plain = map[rune]string{'ß': "ss", 'ẞ': "ss", 'ø': "o", 'æ': "ae", 'œ': "oe", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i", 'ħ': "h", 'ŋ': "n"}

// add takes one rune.
func (f *folder) add(r rune, start, end int) {
	if r < utf8.RuneSelf {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			f.letter(r, r, start, end)
		case r >= 'A' && r <= 'Z':
			f.letter(r|0x20, r, start, end)
		}
		return
	}
	if unicode.In(r, unicode.Mn, unicode.Cf) {
		return // a mark on the letter before, or a sign that nobody sees
	}
	if p, ok := plain[unicode.ToLower(r)]; ok {
		for _, x := range p {
			f.letter(x, r, start, end)
		}
		return
	}
	if l := latin(unicode.ToLower(r)); l != unicode.ToLower(r) {
		f.letter(l, r, start, end)
		return
	}
	for _, x := range norm.NFKD.String(string(r)) {
		if p, ok := plain[unicode.ToLower(x)]; ok {
			for _, y := range p {
				f.letter(y, r, start, end)
			}
		} else if unicode.IsLetter(x) || unicode.IsDigit(x) {
			f.letter(latin(unicode.ToLower(x)), r, start, end)
		}
	}
}

func (f *folder) letter(folded, written rune, start, end int) {
	l := letter{rune: folded, start: start, end: end}
	if n := len(f.out); n == 0 {
		l.before = long
	} else if f.out[n-1].start != start {
		l.before = f.gapBefore(written, start)
		l.unseen = l.before <= soft && strings.ContainsFunc(f.text[f.after:start], func(r rune) bool { return unicode.Is(unicode.Cf, r) })
		if l.unseen {
			l.before = soft
		}
	}
	if l.before > soft {
		f.closeWord()
		f.word = len(f.out)
	}
	f.out = append(f.out, l)
	f.last, f.after, f.wall = written, end, false
}

// gapBefore judges what stands between the last letter and one that begins at start.
func (f *folder) gapBefore(written rune, start int) gap {
	between := f.text[f.after:start]
	if f.wall {
		return long
	}
	seen, white := 0, 0
	for _, r := range between {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Cf):
		case unicode.IsSpace(r):
			white++
		default:
			seen++
		}
	}
	switch {
	case seen+white == 0:
		if f.apart(written) {
			return soft
		}
		return joined
	case white == 0 && dotAt(between) == len(between):
		return dot
	case seen > 8 || white > 64:
		return long
	}
	return short
}

// apart tells whether a letter begins a part of its word: a capital after a small letter, a digit after a letter, a
// letter after a digit, or the last of several capitals before a small letter.
func (f *folder) apart(written rune) bool {
	digit, was := unicode.IsDigit(written), unicode.IsDigit(f.last)
	if digit != was || unspaced(written) || unspaced(f.last) {
		return true
	}
	if !unicode.IsUpper(written) {
		return false
	}
	if unicode.IsLower(f.last) {
		return true
	}
	next, _ := utf8.DecodeRuneInString(f.text[min(len(f.text), f.at+utf8.RuneLen(written)):])
	return unicode.IsUpper(f.last) && unicode.IsLower(next)
}

// unspaced tells whether a letter is of a script that sets no spaces between words.
func unspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// closeWord says of a finished word whether it is a code.
func (f *folder) closeWord() {
	w := f.out[f.word:]
	hex := len(w) >= 16
	for _, l := range w {
		hex = hex && l.rune < utf8.RuneSelf && hexDigit(byte(l.rune)) >= 0
	}
	if hex || len(w) > longestCode {
		for i := range w {
			w[i].code = true
		}
	}
}

// words is a text in the form in which facts are compared, with single spaces between its words.
func words(text string) string {
	var b strings.Builder
	for i, l := range fold(text) {
		if i > 0 && l.before > soft {
			b.WriteByte(' ')
		}
		b.WriteRune(l.rune)
	}
	return b.String()
}
