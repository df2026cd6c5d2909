package release

import (
	"encoding/base64"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// This file reads what is written in other dress: escapes of JSON, HTML, URLs and mail, letters of full width, signs that
// nobody sees, addresses with words for their signs, and base64.

// view is a text as its reader would see it, and where each byte of it stands in the text as it is written.
type view struct {
	text     []byte
	from, to []int32
}

func (v *view) put(s string, from, to int) {
	v.text = append(v.text, s...)
	for range len(s) {
		v.from, v.to = append(v.from, int32(from)), append(v.to, int32(to))
	}
}

// back is a span of the view in the text.
func (v *view) back(s span) span {
	s.core = int(v.from[s.core])
	s.start, s.end = int(v.from[s.start]), int(v.to[s.end-1])
	return s
}

// decoded reads a text; ok is false when it reads as it is written.
func decoded(text string) (v view, ok bool) {
	if plainly(text) {
		return v, false
	}
	words := strings.Contains(text, " dot ") || strings.Contains(text, " DOT ") || strings.Contains(text, " punt ")
	for i := 0; i < len(text); {
		s, n := next(text, i, words)
		ok = ok || s != text[i:i+n]
		v.put(s, i, i+n)
		i += n
	}
	return v, ok
}

// plainly tells whether nothing in a text can be in other dress.
func plainly(text string) bool {
	for i := range len(text) {
		switch b := text[i]; {
		case b == '-' && hyphenated(text[i:]) > 0:
			return false
		case b >= utf8.RuneSelf || b == '\\' || b == '&' || b == '%' || b == '<' || b == '=':
			return false
		case b == ' ' && spoken(text[i:], true) != "":
			return false
		}
	}
	return true
}

// next reads what stands at i, and how many bytes it takes.
func next(text string, i int, words bool) (string, int) {
	rest := text[i:]
	switch b := rest[0]; {
	case b == '[' && neutralAt(rest) > 0:
		n := neutralAt(rest)
		return rest[:n], n
	case b == '-':
		if n := hyphenated(rest); n > 0 {
			return "", n
		}
	case b == '\\':
		return unescaped(rest)
	case b == '&':
		if end := strings.IndexByte(rest[:min(len(rest), 12)], ';'); end > 1 {
			if s := html.UnescapeString(rest[:end+1]); s != rest[:end+1] && utf8.RuneCountInString(s) == 1 {
				return seen(s), end + 1
			}
		}
	case b == '%':
		layers := 0
		for layers < 3 && strings.HasPrefix(rest[1+2*layers:], "25") {
			layers++
		}
		coded := rest[1+2*layers:]
		if r, n := runeAt("%" + coded[:min(len(coded), 3*utf8.UTFMax)]); n > 1 {
			return seen(string(r)), n + 2*layers
		}
	case b == '=':
		return quotedPrintable(rest)
	case b == '<':
		return tag(rest)
	case b == ' ':
		if said := spoken(rest, words); said != "" {
			return map[bool]string{true: "@", false: "."}[strings.Contains(strings.ToLower(said), "at")], len(said)
		}
	case b >= utf8.RuneSelf:
		r, n := utf8.DecodeRuneInString(rest)
		if r == utf8.RuneError {
			return rest[:n], n
		}
		return seen(rest[:n]), n
	}
	return rest[:1], 1
}

// hyphenated is how many bytes a hyphen at the end of a line takes, before a small letter on the next.
func hyphenated(s string) int {
	for _, end := range []string{"-\n", "-\r\n"} {
		if strings.HasPrefix(s, end) && len(s) > len(end) && s[len(end)] >= 'a' && s[len(end)] <= 'z' {
			return len(end)
		}
	}
	return 0
}

func neutralAt(s string) int {
	for _, w := range neutral {
		if strings.HasPrefix(s, w) {
			return len(w)
		}
	}
	return 0
}

// seen is one letter as it is read: in ASCII where it is a form of a sign of ASCII, nothing where nobody sees it.
func seen(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	if r < utf8.RuneSelf {
		return s
	}
	if unicode.Is(unicode.Cf, r) {
		return ""
	}
	if r == '\u3002' || r == '\uff61' {
		return "."
	}
	if k := norm.NFKC.String(s); !strings.ContainsFunc(k, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return k
	}
	if d := latin(r); unicode.IsDigit(r) && d < utf8.RuneSelf {
		return string(d)
	}
	return s
}

// unescaped reads an escape of JSON and its like.
func unescaped(s string) (string, int) {
	if len(s) < 2 {
		return s, 1
	}
	switch s[1] {
	case '"', '/', '\\', '\'':
		return s[1:2], 2
	case 'n', 'r', 't':
		return " ", 2
	case 'x':
		if v, ok := hexValue(s[2:], 2); ok && v < utf8.RuneSelf {
			return string(v), 4
		}
	case 'u':
		v, ok := hexValue(s[2:], 4)
		if !ok {
			break
		}
		if utf16.IsSurrogate(v) && strings.HasPrefix(s[6:], `\u`) {
			if low, ok := hexValue(s[8:], 4); ok {
				if r := utf16.DecodeRune(v, low); r != utf8.RuneError {
					return seen(string(r)), 12
				}
			}
		}
		if !utf16.IsSurrogate(v) {
			return seen(string(v)), 6
		}
	}
	return s[:1], 1
}

func hexValue(s string, digits int) (v rune, ok bool) {
	if len(s) < digits {
		return 0, false
	}
	for i := range digits {
		d := hexDigit(s[i])
		if d < 0 {
			return 0, false
		}
		v = v<<4 | rune(d)
	}
	return v, true
}

// quotedPrintable reads an escape of mail: = and two capital digits, or = at the end of a line.
func quotedPrintable(s string) (string, int) {
	for _, end := range []string{"=\r\n", "=\n"} {
		if strings.HasPrefix(s, end) {
			return "", len(end)
		}
	}
	var b [utf8.UTFMax]byte
	for n := 0; n < len(b) && len(s) >= 3*n+3 && s[3*n] == '='; n++ {
		v, ok := hexValue(s[3*n+1:], 2)
		if !ok || strings.ToUpper(s[3*n+1:3*n+3]) != s[3*n+1:3*n+3] {
			break
		}
		b[n] = byte(v)
		if r, size := utf8.DecodeRune(b[:n+1]); r != utf8.RuneError && size == n+1 {
			return seen(string(r)), 3 * (n + 1)
		}
	}
	return s[:1], 1
}

// inline are elements of HTML that part no words, and blocks some that do.
var (
	inline = []string{"a", "b", "i", "u", "s", "em", "strong", "span", "font", "code", "mark", "small", "sup", "sub", "wbr", "abbr", "tt"}
	blocks = []string{"br", "p", "div", "td", "th", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4"}
)

// tag reads a tag of HTML as nothing, or as white space.
func tag(s string) (string, int) {
	end := strings.IndexByte(s[:min(len(s), 120)], '>')
	if end < 2 {
		return s[:1], 1
	}
	name := strings.TrimPrefix(s[1:end], "/")
	if cut := strings.IndexAny(name, " \t\n/"); cut >= 0 {
		if strings.ContainsAny(name[cut:], "=") && !strings.HasPrefix(s, "</") {
			return s[:1], 1 // what stands in attributes is read
		}
		name = name[:cut]
	}
	name = strings.ToLower(name)
	switch {
	case slices.Contains(inline, name):
		return "", end + 1
	case slices.Contains(blocks, name):
		return " ", end + 1
	}
	return s[:1], 1
}

// signs are words for the signs of addresses, in brackets or alone.
var signs = func() (out []struct {
	form string
	bare bool
}) {
	for _, w := range []string{"dot", "punt", "at", "@", "."} {
		for _, form := range []string{"(" + w + ")", "[" + w + "]", "{" + w + "}", w} {
			if form != w || len(w) > 1 {
				out = append(out, struct {
					form string
					bare bool
				}{form, form == w})
			}
		}
	}
	return out
}()

// spoken is the beginning of s, a space, when a word for a sign follows: " (at) ", " [dot] ", and with words " dot ".
func spoken(s string, words bool) string {
	if len(s) < 4 || strings.IndexByte("([{dDpPaA", s[1]) < 0 {
		return ""
	}
	for _, w := range signs {
		if w.bare && !words || len(s) < len(w.form)+2 || !strings.EqualFold(s[1:1+len(w.form)], w.form) {
			continue
		}
		switch rest := s[1+len(w.form):]; {
		case rest[0] == ' ' && len(rest) > 1 && isWord(rest[1]):
			return s[:2+len(w.form)]
		case !w.bare && isWord(rest[0]):
			return s[:1+len(w.form)]
		}
	}
	return ""
}

// Bounds of what is read of base64 in one text.
const (
	minBase64 = 16
	maxBase64 = 256 << 10
)

// encoded are the stretches of base64 in a text that hold facts.
func (r *Rules) encoded(text string) (out []span) {
	left := maxBase64
	for i := 0; i < len(text) && left > 0; {
		if !inBase64(text[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(text) && inBase64(text[end]) {
			end++
		}
		if end-i >= minBase64 {
			out = append(out, r.inCode(text, i, end, &left)...)
		}
		i = end
	}
	return out
}

func inBase64(b byte) bool { return isWord(b) || b == '+' || b == '/' || b == '-' || b == '_' }

// inCode looks into a stretch as a whole, and else between its slashes.
func (r *Rules) inCode(text string, from, end int, left *int) []span {
	if s, ok := r.code(text, from, end, left); ok {
		return []span{s}
	}
	var out []span
	for at := from; at < end; {
		to := strings.IndexByte(text[at:end], '/')
		if to < 0 {
			to = end - at
		}
		if to >= minBase64 && to < end-from {
			if s, ok := r.code(text, at, at+to, left); ok {
				out = append(out, s)
			}
		}
		at += to + 1
	}
	return out
}

// code tells whether a stretch is base64 of a text with a fact in it.
func (r *Rules) code(text string, from, end int, left *int) (span, bool) {
	token := text[from:end]
	if len(token)%4 == 1 {
		token = token[:len(token)-1]
	}
	if *left -= len(token); *left < 0 {
		return span{}, false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(token, "-_") {
		encoding = base64.RawURLEncoding
	}
	raw, err := encoding.DecodeString(token)
	if err != nil {
		return span{}, false
	}
	said := textOf(raw)
	if said == "" {
		return span{}, false
	}
	found := slices.DeleteFunc(r.direct(said), func(s span) bool { return s.doubt })
	if len(found) == 0 {
		return span{}, false
	}
	for n := 0; n < 2 && end < len(text) && text[end] == '='; n++ {
		end++
	}
	return span{start: from, end: end, core: from, rule: found[0].rule}, true
}

// textOf is the text that bytes are, in UTF-8 or UTF-16; "" when they are none.
func textOf(raw []byte) string {
	zeros := 0
	for i := 1; i < len(raw); i += 2 {
		if raw[i] == 0 {
			zeros++
		}
	}
	if zeros > 0 && zeros*5 >= len(raw)/2*4 {
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
		}
		return string(utf16.Decode(units))
	}
	for n := 0; n < utf8.UTFMax-1 && len(raw) > 0 && !utf8.Valid(raw); n++ {
		raw = raw[:len(raw)-1] // the last letter may be cut off
	}
	odd := 0
	for _, r := range string(raw) {
		if r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			odd++
		}
	}
	if odd*10 > len(raw) {
		return ""
	}
	return string(raw)
}
