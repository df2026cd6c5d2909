package evtx

import "unicode/utf8"

// AppendXML appends the event as XML, on one line and without a declaration. An error is a *[Damage]; what was appended
// until then stands, its elements closed.
func (r *Record) AppendXML(dst []byte) ([]byte, error) {
	x := xmlWriter{dst: dst}
	err := r.Visit(&x)
	for len(x.open) > 0 {
		x.End()
	}
	return x.dst, err
}

// xmlWriter is the visitor that writes XML.
type xmlWriter struct {
	dst   []byte
	open  []string
	inTag bool
}

func (x *xmlWriter) Start(name string) {
	x.closeTag()
	x.dst = append(x.dst, '<')
	x.dst = appendName(x.dst, name)
	x.open = append(x.open, name)
	x.inTag = true
}

func (x *xmlWriter) Attr(name string, v Value) {
	x.dst = append(x.dst, ' ')
	x.dst = appendName(x.dst, name)
	x.dst = append(x.dst, '=', '"')
	x.dst = appendEscaped(x.dst, v.Text)
	x.dst = append(x.dst, '"')
}

func (x *xmlWriter) Text(v Value) {
	x.closeTag()
	x.dst = appendEscaped(x.dst, v.Text)
}

func (x *xmlWriter) End() {
	name := x.open[len(x.open)-1]
	x.open = x.open[:len(x.open)-1]
	if x.inTag {
		x.inTag = false
		x.dst = append(x.dst, '/', '>')
		return
	}
	x.dst = append(x.dst, '<', '/')
	x.dst = appendName(x.dst, name)
	x.dst = append(x.dst, '>')
}

func (x *xmlWriter) closeTag() {
	if x.inTag {
		x.inTag = false
		x.dst = append(x.dst, '>')
	}
}

// appendName writes a name so that no name of a hostile log can end its tag: what no name may hold becomes "_".
func appendName(dst []byte, name string) []byte {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0xc0 && r != 0xd7 && r != 0xf7 && r < 0x2000
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '-' || r == '.' || r == ':')) {
			r = '_'
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// plain are the bytes that stand for themselves in XML.
var plain = func() (t [256]bool) {
	for c := range utf8.RuneSelf {
		t[c] = c >= ' ' && c != '&' && c != '<' && c != '>' && c != '"'
	}
	return t
}()

// appendEscaped writes text for between tags and for between quotes. Characters that XML cannot hold become U+FFFD.
func appendEscaped(dst, s []byte) []byte {
	for len(s) > 0 {
		n := 0
		for n < len(s) && plain[s[n]] {
			n++
		}
		if dst, s = append(dst, s[:n]...), s[n:]; len(s) == 0 {
			break
		}
		c := s[0]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(s)
			if r == 0xfffe || r == 0xffff {
				r = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, r)
			s = s[n:]
			continue
		}
		s = s[1:]
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '"':
			dst = append(dst, "&quot;"...)
		case c == '\n':
			dst = append(dst, "&#10;"...)
		case c == '\r':
			dst = append(dst, "&#13;"...)
		case c == '\t':
			dst = append(dst, "&#9;"...)
		default:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		}
	}
	return dst
}
