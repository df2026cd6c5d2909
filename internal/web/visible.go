package web

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible writes s so that nothing in it hides: a control, a change of reading direction or a zero-width character
// becomes its code point in brackets (⟦U+202E⟧), and a word that mixes scripts is followed by their names
// (⟦Latin+Cyrillic⟧). Text without any of these comes back as it is.
func Visible(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	var word scripts
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			word.end(&b)
		}
		if hides(r) {
			fmt.Fprintf(&b, "⟦U+%04X⟧", r)
			continue
		}
		word.see(r)
		b.WriteRune(r)
	}
	word.end(&b)
	return b.String()
}

// plain tells quickly whether s needs no second look.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || c == 0x7f || c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// hides tells whether r is seen by nobody, or changes how others are seen.
func hides(r rune) bool {
	switch {
	case r < ' ':
		return r != '\n' && r != '\t' && r != '\r'
	case r >= 0x7f && r < 0xa0:
		return true
	case r < 0xad:
		return false
	case r == 0xad, r == 0x034f, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x2800:
		return true // soft hyphen, joiners and letters that fill no space
	case r >= 0xfe00 && r <= 0xfe0e, r >= 0xe0100 && r <= 0xe01ef:
		return true // variation selectors; U+FE0F only asks for a coloured emoji
	case r == 0x2028, r == 0x2029:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// scripts collects which of the scripts that are mistaken for each other one word uses.
type scripts struct{ latin, cyrillic, greek bool }

func (s *scripts) see(r rune) {
	switch {
	case !unicode.IsLetter(r):
	case unicode.Is(unicode.Latin, r):
		s.latin = true
	case unicode.Is(unicode.Cyrillic, r):
		s.cyrillic = true
	case unicode.Is(unicode.Greek, r) && r != 'μ' && r != 'Ω' && r != '\u2126': // μm and kΩ are units
		s.greek = true
	}
}

func (s *scripts) end(b *strings.Builder) {
	var names []string
	for name, used := range map[string]bool{"Latin": s.latin, "Cyrillic": s.cyrillic, "Greek": s.greek} {
		if used {
			names = append(names, name)
		}
	}
	if len(names) > 1 {
		slices.Sort(names)
		b.WriteString("⟦" + strings.Join(names, "+") + "⟧")
	}
	*s = scripts{}
}

// shown rewrites a finished page so that its text and the attributes that people read hide nothing. What a form
// would send back (values, text areas) and addresses stay as they are. It runs over the output of html/template,
// where "<" begins a tag and nothing else, and values stand in double quotes.
func shown(page []byte) []byte {
	if plain(string(page)) {
		return page
	}
	var out bytes.Buffer
	out.Grow(len(page) + len(page)/16)
	verbatim := ""
	for len(page) > 0 {
		text, rest, _ := cutAt(page, '<')
		if verbatim == "" {
			out.WriteString(Visible(string(text)))
		} else {
			out.Write(text)
		}
		if len(rest) == 0 {
			break
		}
		tag := rest
		if i := tagEnd(rest); i > 0 {
			tag = rest[:i]
		}
		page = rest[len(tag):]
		writeTag(&out, tag)
		switch name := tagName(tag); {
		case verbatim == "" && (name == "textarea" || name == "script" || name == "style"):
			verbatim = "/" + name
		case name == verbatim:
			verbatim = ""
		}
	}
	return out.Bytes()
}

func cutAt(b []byte, c byte) (before, from []byte, found bool) {
	i := bytes.IndexByte(b, c)
	if i < 0 {
		return b, nil, false
	}
	return b[:i], b[i:], true
}

// tagEnd is the length of the tag that b begins with; a ">" in quotes does not end it.
func tagEnd(b []byte) int {
	quoted := false
	for i, c := range b {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '>' && !quoted:
			return i + 1
		}
	}
	return -1
}

func tagName(tag []byte) string {
	name := tag[1:]
	if i := bytes.IndexAny(name, " \t\n>"); i >= 0 {
		name = name[:i]
	}
	return string(name)
}

var readAloud = [...]string{` aria-label="`, ` title="`, ` alt="`, ` placeholder="`, ` data-label="`}

// writeTag writes a tag, with the attributes that people read made visible.
func writeTag(out *bytes.Buffer, tag []byte) {
	if plain(string(tag)) {
		out.Write(tag)
		return
	}
	rest := string(tag)
	for rest != "" {
		open := strings.IndexByte(rest, '"')
		if open < 0 {
			break
		}
		end := strings.IndexByte(rest[open+1:], '"')
		if end < 0 {
			break
		}
		name, value := rest[:open+1], rest[open+1:open+1+end]
		for _, a := range readAloud {
			if strings.HasSuffix(name, a) {
				value = Visible(value)
			}
		}
		out.WriteString(name + value + `"`)
		rest = rest[open+end+2:]
	}
	out.WriteString(rest)
}
