package event

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// This file reads Windows events as XML, as wevtutil and the event viewer write them: <Event> elements one after the
// other, in a root or without one, with the rendered texts or without. The paths are those of the same event as
// evtx_dump writes it, so that one mapping serves both: Event.System.Channel, Event.EventData.Image,
// Event.System.Provider.#attributes.Name. Data without a name is Event.EventData.Data, once for each.

// wevtutil is the format of Windows events as XML.
func wevtutil() format {
	return format{
		name:    Wevtutil,
		mapping: "evtx_dump",
		sniff:   sniffEventXML,
		cutter:  func(*head) cutter { return &xmlCutter{} },
		reader:  func() reader { return new(xmlReader) },
	}
}

func sniffEventXML(h *head) int {
	data := bytes.TrimSpace(h.data)
	if len(data) == 0 || data[0] != '<' {
		return 0
	}
	switch {
	case bytes.Contains(data, []byte("http://schemas.microsoft.com/win/2004/08/events/event")):
		return 95
	case openEvent(data) >= 0 && bytes.Contains(data, []byte("<EventID")):
		return 90
	}
	return 0
}

// openEvent is where the next <Event> or <Event …> begins, -1 without.
func openEvent(data []byte) int {
	for at := 0; ; {
		i := bytes.Index(data[at:], []byte("<Event"))
		if i < 0 || at+i+6 >= len(data) {
			return -1
		}
		at += i
		if c := data[at+6]; c == '>' || c == ' ' || c == '\n' || c == '\r' || c == '\t' {
			return at
		}
		at += 6
	}
}

// xmlCutter cuts out the Event elements.
type xmlCutter struct{}

var closeEvent = []byte("</Event>")

func (x *xmlCutter) cut(data []byte, eof bool, c *Chunk) int {
	at := 0
	for {
		from := openEvent(data[at:])
		if from < 0 {
			if eof {
				return len(data)
			}
			return max(at, len(data)-len(closeEvent)) // the beginning of one may be there
		}
		from += at
		to := bytes.Index(data[from:], closeEvent)
		if to < 0 {
			return from
		}
		at = from + to + len(closeEvent)
		c.records = append(c.records, span{from, at})
	}
}

func (x *xmlCutter) skip(data []byte, eof bool) (int, bool) {
	if i := bytes.Index(data, closeEvent); i >= 0 {
		return i + len(closeEvent), true
	}
	if eof {
		return len(data), false
	}
	return max(0, len(data)-len(closeEvent)), false
}

// maxXMLName is the longest name of an element or an attribute.
const maxXMLName = 256

// maxXMLDepth is how deep elements may stand in each other.
const maxXMLDepth = 64

// xmlReader reads one Event element.
type xmlReader struct {
	words words
	path  []byte
	ends  []int // of path, before each open element
	buf   []byte

	text     []byte // of the open element, as far as it is known
	children bool
	attrs    int

	channel, id []byte
}

var (
	errXMLOpen  = errors.New("the event breaks off inside a tag")
	errXMLQuote = errors.New("an attribute of the event has no value in quotes")
	errXMLDepth = fmt.Errorf("the event nests deeper than %d elements", maxXMLDepth)
	errXMLName  = fmt.Errorf("an element or attribute of the event has a name longer than %d bytes", maxXMLName)
	errXMLNoID  = errors.New("no Windows event: an Event element must hold System with an EventID")
)

func (r *xmlReader) read(record []byte, _ *Chunk, e *Event) error {
	r.path, r.ends, r.buf = r.path[:0], r.ends[:0], r.buf[:0]
	r.text, r.children, r.attrs, r.channel, r.id = nil, false, 0, nil, nil
	rest := record
	for len(rest) > 0 {
		open := bytes.IndexByte(rest, '<')
		if open < 0 {
			break
		}
		r.add(rest[:open], true)
		rest = rest[open:]
		var err error
		if rest, err = r.markup(rest, e); err != nil {
			return err
		}
		if e.full() {
			return errFull
		}
		if len(r.ends) == 0 && len(e.Fields) > 0 {
			break
		}
	}
	if len(r.ends) > 0 {
		return fmt.Errorf("the event ends before its element %s does", r.path)
	}
	if r.id == nil {
		return errXMLNoID
	}
	e.Source = WindowsSource(r.channel, small(r.id))
	return nil
}

// add takes a piece of text of the open element.
func (r *xmlReader) add(piece []byte, coded bool) {
	if len(piece) == 0 {
		return
	}
	if coded && bytes.IndexByte(piece, '&') >= 0 {
		piece = r.decode(piece)
	}
	if r.text == nil {
		r.text = piece
		return
	}
	from := len(r.buf)
	r.buf = append(append(r.buf, r.text...), piece...)
	r.text = r.buf[from:len(r.buf):len(r.buf)]
}

// markup reads what begins with < and returns what follows.
func (r *xmlReader) markup(rest []byte, e *Event) ([]byte, error) {
	for _, m := range xmlSkipped {
		if bytes.HasPrefix(rest, m.open) {
			body, after, ok := bytes.Cut(rest[len(m.open):], m.close)
			if !ok {
				return nil, errXMLOpen
			}
			if m.text {
				r.add(body, false)
			}
			return after, nil
		}
	}
	end := tagEnd(rest)
	if end < 0 {
		return nil, errXMLOpen
	}
	tag, after := rest[1:end], rest[end+1:]
	if len(tag) > 0 && tag[0] == '/' {
		return after, r.end(bytes.TrimSpace(tag[1:]), e)
	}
	empty := len(tag) > 0 && tag[len(tag)-1] == '/'
	if empty {
		tag = tag[:len(tag)-1]
	}
	n := bytes.IndexAny(tag, " \t\r\n")
	if n < 0 {
		n = len(tag)
	}
	name := tag[:n]
	if err := r.start(name, tag[n:], e); err != nil {
		return nil, err
	}
	if empty {
		return after, r.end(name, e)
	}
	return after, nil
}

var xmlSkipped = []struct {
	open, close []byte
	text        bool
}{
	{[]byte("<![CDATA["), []byte("]]>"), true},
	{[]byte("<!--"), []byte("-->"), false},
	{[]byte("<?"), []byte("?>"), false},
	{[]byte("<!"), []byte(">"), false},
}

// tagEnd is where the tag that text begins with ends: the next > outside quotes.
func tagEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '>':
			return i
		case '"', '\'':
			n := bytes.IndexByte(text[i+1:], text[i])
			if n < 0 {
				return -1
			}
			i += n + 1
		}
	}
	return -1
}

// start opens an element.
func (r *xmlReader) start(name, attrs []byte, e *Event) error {
	if len(name) > maxXMLName {
		return errXMLName
	}
	if len(r.ends) >= maxXMLDepth {
		return errXMLDepth
	}
	if colon := bytes.IndexByte(name, ':'); colon >= 0 {
		name = name[colon+1:]
	}
	r.ends = append(r.ends, len(r.path))
	r.text, r.children, r.attrs = nil, false, 0
	data := string(name) == "Data" && len(r.ends) > 2
	named, err := r.attributes(name, attrs, data, e)
	if err != nil {
		return err
	}
	if named != nil {
		name = named
	}
	if len(r.path) > 0 {
		r.path = append(r.path, '.')
	}
	r.path = append(r.path, name...)
	return nil
}

// attributes adds the attributes of an element that is about to open; of a Data element it returns the name.
func (r *xmlReader) attributes(element, text []byte, data bool, e *Event) (named []byte, err error) {
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		if len(text) == 0 {
			return named, nil
		}
		key, rest, ok := bytes.Cut(text, []byte{'='})
		key = bytes.TrimRight(key, " \t\r\n")
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if len(key) > maxXMLName {
			return nil, errXMLName
		}
		if !ok || len(rest) < 2 || rest[0] != '"' && rest[0] != '\'' {
			return nil, errXMLQuote
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil, errXMLQuote
		}
		value := rest[1 : 1+end]
		text = rest[end+2:]
		if bytes.IndexByte(value, '&') >= 0 {
			value = r.decode(value)
		}
		if data && string(key) == "Name" && len(value) > 0 && len(value) <= maxXMLName {
			named = value
			continue
		}
		if bytes.HasPrefix(key, []byte("xmlns")) {
			continue
		}
		r.attribute(element, key, value, e)
	}
}

func (r *xmlReader) attribute(element, key, value []byte, e *Event) {
	at := len(r.path)
	if at > 0 {
		r.path = append(r.path, '.')
	}
	r.path = append(append(append(r.path, element...), ".#attributes."...), key...)
	e.add(r.words.name(r.path), String, value)
	if string(r.path) == "Event.System.TimeCreated.#attributes.SystemTime" {
		e.at(value, readStamp)
	}
	r.path = r.path[:at]
	r.attrs++
}

// end closes an element: one without elements in it is a field.
func (r *xmlReader) end(name []byte, e *Event) error {
	if colon := bytes.IndexByte(name, ':'); colon >= 0 {
		name = name[colon+1:]
	}
	n := len(r.ends)
	if n == 0 {
		return fmt.Errorf("the event closes %s, which is not open", name)
	}
	last := r.path[r.ends[n-1]:]
	last = bytes.TrimPrefix(last, []byte{'.'})
	if !bytes.Equal(last, name) && string(name) != "Data" {
		return fmt.Errorf("the event closes %s where %s is open", name, last)
	}
	if !r.children {
		r.value(e)
	}
	r.path, r.ends = r.path[:r.ends[n-1]], r.ends[:n-1]
	r.text, r.children, r.attrs = nil, true, 0
	return nil
}

// value adds the text of the element at the path; one with attributes and no text is no field.
func (r *xmlReader) value(e *Event) {
	text := r.text
	if len(bytes.TrimSpace(text)) == 0 {
		text = nil
		if r.attrs > 0 {
			return
		}
	}
	switch string(r.path) {
	case "Event.System.Channel":
		r.channel = text
	case "Event.System.EventID":
		r.id = bytes.TrimSpace(text)
	}
	e.add(r.words.name(r.path), String, text)
}

// decode resolves the references of XML into memory that lives until the next record.
func (r *xmlReader) decode(text []byte) []byte {
	from := len(r.buf)
	for len(text) > 0 {
		amp := bytes.IndexByte(text, '&')
		if amp < 0 {
			break
		}
		r.buf = append(r.buf, text[:amp]...)
		text = text[amp:]
		end := bytes.IndexByte(text[:min(len(text), 12)], ';')
		if end < 0 {
			r.buf = append(r.buf, '&')
			text = text[1:]
			continue
		}
		r.buf = appendReference(r.buf, text[:end+1])
		text = text[end+1:]
	}
	r.buf = append(r.buf, text...)
	return r.buf[from:len(r.buf):len(r.buf)]
}

// appendReference appends what &…; stands for, or itself when that is not known.
func appendReference(dst, ref []byte) []byte {
	name := ref[1 : len(ref)-1]
	switch string(name) {
	case "amp":
		return append(dst, '&')
	case "lt":
		return append(dst, '<')
	case "gt":
		return append(dst, '>')
	case "quot":
		return append(dst, '"')
	case "apos":
		return append(dst, '\'')
	}
	if len(name) < 2 || name[0] != '#' {
		return append(dst, ref...)
	}
	n, digits, base := rune(0), name[1:], rune(10)
	if digits[0]|0x20 == 'x' {
		digits, base = digits[1:], 16
	}
	for _, c := range digits {
		d := rune(unhex(c))
		if d >= base {
			return append(dst, ref...)
		}
		n = n*base + d
	}
	if len(digits) == 0 || !utf8.ValidRune(n) {
		return append(dst, ref...)
	}
	return utf8.AppendRune(dst, n)
}
