package stix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Pos says where in a stream an object stands.
type Pos struct {
	Line  int // on which the object begins, counted from 1
	Index int // of the object, counted from 0; -1 for what is said of the bundle around the objects
}

// A Reader reads the objects of a stream one by one, in little memory however long the stream is. The stream is a STIX
// bundle, a TAXII envelope ({"objects": […]}), a list of objects, one object, or several of these one after the other
// (JSON lines). A byte order mark at its beginning is passed over.
type Reader struct {
	src    source
	limits Limits
	mode   mode
	index  int   // of the next object
	again  bool  // in a list: an element went before
	around outer // the bundle or envelope being read
	queued []*Error
}

type mode uint8

const (
	atTop    mode = iota // between values
	inList               // within a list at the top
	inBundle             // within the objects of a bundle or an envelope
	atTail               // behind the objects of a bundle or an envelope
	atEnd                // nothing more will come
)

// outer is what has been read of a bundle or an envelope.
type outer struct {
	line  int
	props map[string]string // the JSON of its properties, "" for those that are too long to matter
}

// NewReader reads from r. Where a bound of the limits is passed, the object concerned is an error, and the stream goes on;
// the bound on the number of objects ends it.
func NewReader(r io.Reader, limits Limits) *Reader {
	limits = limits.filled()
	return &Reader{src: source{r: r, line: 1, most: limits.ObjectBytes}, limits: limits}
}

// Next returns the next object, checked as [Parse] checks it. An object that is wrong gives an *[Error] whose line is that of
// the stream, and the next call goes on behind it. JSON that is broken in such a way that the objects behind it cannot
// be told apart gives an error too, and then io.EOF follows. io.EOF is returned at the end, alone and ever after.
func (r *Reader) Next() (Object, Pos, error) {
	raw, pos, err := r.next()
	if err != nil {
		return Object{}, pos, err
	}
	o, err := parse(raw, r.limits)
	if e, ok := err.(*Error); ok {
		e.Line += pos.Line - 1
	}
	return o, pos, err
}

// NextRaw is like [Reader.Next], and returns the bytes of the object unchecked; they may be anything between the brackets
// and commas around them. They are the caller's to keep.
func (r *Reader) NextRaw() ([]byte, Pos, error) {
	raw, pos, err := r.next()
	return bytes.Clone(raw), pos, err
}

// next returns bytes that are valid until its next call.
func (r *Reader) next() ([]byte, Pos, error) {
	for {
		if len(r.queued) > 0 {
			e := r.queued[0]
			r.queued = r.queued[1:]
			return nil, Pos{e.Line, -1}, e
		}
		if r.mode == atEnd {
			return nil, Pos{r.src.line, -1}, io.EOF
		}
		raw, pos, err := r.step()
		if err != nil {
			r.mode = atEnd
			if e, ok := err.(*Error); ok && e.Line == 0 {
				e.Line = r.src.line
			}
			return nil, Pos{r.src.line, -1}, err
		}
		if raw != nil {
			return r.found(raw, pos)
		}
	}
}

// found counts an object, and refuses one that is too long.
func (r *Reader) found(raw []byte, pos Pos) ([]byte, Pos, error) {
	pos.Index = r.index
	r.index++
	switch {
	case pos.Index >= r.limits.Objects:
		r.mode = atEnd
		return nil, pos, &Error{Line: pos.Line, Text: fmt.Sprintf("is object %d; at most %d are read", r.index, r.limits.Objects)}
	case r.src.dropped:
		return nil, pos, &Error{Line: pos.Line, Text: fmt.Sprintf("is longer than %d bytes; no more are read", r.limits.ObjectBytes)}
	}
	return raw, pos, nil
}

// step moves on by one piece of the stream. It returns an object when it has come upon one, and an error when the
// stream cannot go on.
func (r *Reader) step() ([]byte, Pos, error) {
	r.src.release()
	c, err := r.src.peek()
	switch {
	case err == io.EOF && r.mode != atTop:
		return nil, Pos{}, errCutOff
	case err == io.EOF:
		r.mode = atEnd
		return nil, Pos{}, nil
	case err != nil:
		return nil, Pos{}, err
	}
	pos := Pos{Line: r.src.line}
	switch r.mode {
	case inList, inBundle:
		return r.element(c, pos)
	case atTail:
		return nil, pos, r.tail()
	}
	switch c {
	case '[':
		r.src.skip()
		r.mode, r.again = inList, false
		return nil, pos, nil
	case '{':
		return r.top(pos)
	}
	return nil, pos, &Error{Text: "is not JSON with objects of STIX; give a bundle, an object or a list of objects"}
}

var errCutOff = &Error{Text: "the JSON ends too early; it may have been cut off"}

// element reads one element of a list, or its end.
func (r *Reader) element(c byte, pos Pos) ([]byte, Pos, error) {
	switch {
	case c == ']':
		if r.mode == inBundle && !r.again {
			r.queued = append(r.queued, &Error{Property: "objects", Text: "must not be an empty list; leave it out", Line: pos.Line})
		}
		r.src.skip()
		if r.mode == inBundle {
			r.mode = atTail
		} else {
			r.mode = atTop
		}
		return nil, pos, nil
	case r.again && c != ',':
		return nil, pos, &Error{Text: "a comma or the end of the list is missing here"}
	case r.again:
		r.src.skip()
		r.src.release()
		if _, err := r.src.peek(); err != nil {
			return nil, pos, cutOff(err)
		}
		pos.Line = r.src.line
	}
	r.again = true
	if err := r.src.value(); err != nil {
		return nil, pos, cutOff(err)
	}
	return r.src.held(), pos, nil
}

func cutOff(err error) error {
	if err == io.EOF {
		e := *errCutOff
		return &e
	}
	return err
}

// top reads an object at the top of the stream: an object of STIX as a whole, or a bundle or envelope up to its objects.
func (r *Reader) top(pos Pos) ([]byte, Pos, error) {
	r.around = outer{line: pos.Line, props: make(map[string]string)}
	r.src.skip()
	for first := true; ; first = false {
		done, name, err := r.member(first)
		switch {
		case err != nil:
			return nil, pos, err
		case done && r.around.props["type"] == `"bundle"`:
			r.closeBundle()
			return nil, pos, nil
		case done:
			return r.src.held(), pos, nil
		}
		c, err := r.src.peek()
		if err != nil {
			return nil, pos, cutOff(err)
		}
		if typ, typed := r.around.props["type"]; name == "objects" && c == '[' && (!typed || typ == `"bundle"`) {
			r.src.skip()
			r.mode, r.again = inBundle, false
			return nil, pos, r.note(name, "[]")
		}
		if err := r.property(name); err != nil {
			return nil, pos, err
		}
	}
}

// member reads up to the value of the next member of an object, or the object's end.
func (r *Reader) member(first bool) (done bool, name string, err error) {
	c, err := r.src.peek()
	if err != nil {
		return false, "", cutOff(err)
	}
	if c == '}' {
		r.src.skip()
		return true, "", nil
	}
	if !first {
		if c != ',' {
			return false, "", &Error{Text: "a comma or the end of the object is missing here"}
		}
		r.src.skip()
		if c, err = r.src.peek(); err != nil {
			return false, "", cutOff(err)
		}
	}
	if c != '"' {
		return false, "", &Error{Text: "the name of a property is missing here"}
	}
	raw, err := r.src.piece()
	if err != nil {
		return false, "", cutOff(err)
	}
	if c, err = r.src.peek(); err != nil {
		return false, "", cutOff(err)
	}
	if c != ':' {
		return false, "", &Error{Text: "a colon is missing here"}
	}
	r.src.skip()
	return false, decodeText(raw), nil
}

// property reads the value of a member and notes it.
func (r *Reader) property(name string) error {
	if _, err := r.src.peek(); err != nil {
		return cutOff(err)
	}
	raw, err := r.src.piece()
	if err != nil {
		return cutOff(err)
	}
	const mattersMost = 300
	if len(raw) > mattersMost {
		return r.note(name, "")
	}
	return r.note(name, string(raw))
}

// note keeps a property of the bundle. A second one of the same name is left to [Parse] where the bundle turns out to be
// an object of STIX.
func (r *Reader) note(name, raw string) error {
	const most = 1000
	if _, twice := r.around.props[name]; twice {
		r.around.props["\x00twice"] = name
		return nil
	}
	if len(r.around.props) > most {
		return &Error{Text: fmt.Sprintf("has more than %d properties", most)}
	}
	r.around.props[name] = raw
	return nil
}

// tail reads what follows the objects of a bundle.
func (r *Reader) tail() error {
	for {
		done, name, err := r.member(false)
		if err != nil {
			return err
		}
		if done {
			r.closeBundle()
			return nil
		}
		if err := r.property(name); err != nil {
			return err
		}
		r.src.release()
	}
}

// closeBundle checks the bundle around the objects, and queues what is wrong with it.
func (r *Reader) closeBundle() {
	r.mode = atTop
	p := r.around.props
	wrong := func(property, text string) {
		r.queued = append(r.queued, &Error{Property: property, Text: text, Line: r.around.line})
	}
	if name, twice := p["\x00twice"]; twice {
		wrong(shorten(name), "is given twice; give each property once")
	}
	typ, typed := p["type"]
	if !typed { // an envelope of TAXII
		return
	}
	if typ != `"bundle"` {
		wrong("type", `must be "bundle" beside a list of objects`)
		return
	}
	if id := decodeText([]byte(p["id"])); TypeOf(id) != "bundle" {
		wrong("id", "must be the bundle's identifier, bundle-- and a UUID in lower case")
	}
	if v, given := p["spec_version"]; given && v != `"2.0"` && v != `"2.1"` {
		wrong("spec_version", "is not a property of bundles of STIX 2.1; leave it out")
	}
}

// decodeText is the string that raw is as JSON, or "" when it is none.
func decodeText(raw []byte) string {
	d, err := readDocument(raw, 1, len(raw))
	if err != nil || d.kind(0) != '"' {
		return ""
	}
	return d.string(0)
}

// A source is a window on a stream: what lies between pos and cur is held, what lies before is gone.
type source struct {
	r        io.Reader
	buf      []byte
	pos, cur int
	end      int
	line     int  // at pos
	most     int  // bytes to hold
	dropped  bool // more than that came by since the last release, and were let go
	started  bool
}

// release lets go of what is held.
func (s *source) release() {
	s.line += bytes.Count(s.buf[s.pos:s.cur], []byte{'\n'})
	s.pos, s.dropped = s.cur, false
}

// held is what lies between pos and cur; it is never nil, and valid until the next fill.
func (s *source) held() []byte { return s.buf[s.pos:s.cur:s.cur] }

func (s *source) skip() { s.cur++ }

// fill reads more behind end. It returns io.EOF only when nothing more came.
func (s *source) fill() error {
	if s.cur-s.pos > s.most {
		s.release()
		s.dropped = true
	}
	if s.pos > 0 {
		copy(s.buf, s.buf[s.pos:s.end])
		s.cur, s.end, s.pos = s.cur-s.pos, s.end-s.pos, 0
	}
	if s.end == len(s.buf) {
		grown := make([]byte, max(64<<10, 2*len(s.buf)))
		copy(grown, s.buf[:s.end])
		s.buf = grown
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		switch {
		case n > 0 && s.passMark():
			return nil
		case n > 0: // a part of the mark; the rest of it comes
		case err == io.EOF:
			return io.EOF
		case err != nil:
			return fmt.Errorf("read: %w", err)
		}
	}
	return errors.New("read: the stream gives nothing and does not end")
}

// passMark skips a byte order mark at the beginning of the stream, and tells whether it is past that.
func (s *source) passMark() bool {
	const byteOrderMark = "\xEF\xBB\xBF"
	begin := string(s.buf[:min(s.end, len(byteOrderMark))])
	switch {
	case s.started:
	case begin == byteOrderMark:
		s.pos, s.cur, s.started = len(begin), len(begin), true
	default:
		s.started = !strings.HasPrefix(byteOrderMark, begin)
	}
	return s.started
}

// peek passes over white space and returns the byte that follows, which is not taken.
func (s *source) peek() (byte, error) {
	idle := s.pos == s.cur
	for {
		for s.cur < s.end {
			switch c := s.buf[s.cur]; c {
			case ' ', '\t', '\n', '\r':
				s.cur++
			default:
				if idle && s.pos < s.cur {
					s.release()
				}
				return c, nil
			}
		}
		if idle {
			s.release()
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// piece takes a value and returns it alone, or nothing where so much came by that it was let go.
func (s *source) piece() ([]byte, error) {
	from, was := s.cur-s.pos, s.dropped
	s.dropped = false
	err := s.value()
	lost := s.dropped
	s.dropped = was || lost
	if err != nil || lost {
		return nil, err
	}
	return s.buf[s.pos+from : s.cur], nil
}

// value takes a JSON value: it finds its end by brackets and quotes, and leaves it to others to judge what is within.
func (s *source) value() error {
	var v splitter
	for {
		n, done := v.step(s.buf[s.cur:s.end])
		s.cur += n
		if done {
			return nil
		}
		switch err := s.fill(); {
		case err == io.EOF && v.scalar:
			return nil
		case err != nil:
			return err
		}
	}
}

// A splitter finds the end of a JSON value.
type splitter struct {
	depth    int
	inString bool
	escaped  bool
	scalar   bool // within a number or a literal at the top
}

// step goes over b, and returns how much of it belongs to the value and whether the value has ended.
func (v *splitter) step(b []byte) (int, bool) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if v.inString {
			n, closed := v.text(b[i:])
			i += n - 1
			if closed && v.depth == 0 {
				return i + 1, true
			}
			continue
		}
		switch c {
		case '"':
			if v.scalar {
				return i, true
			}
			v.inString = true
		case '{', '[':
			if v.scalar {
				return i, true
			}
			v.depth++
		case '}', ']':
			if v.depth == 0 {
				return i, true
			}
			if v.depth--; v.depth == 0 {
				return i + 1, true
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if v.depth == 0 {
				return i, true
			}
		default:
			if v.depth == 0 {
				v.scalar = true
			}
		}
	}
	return len(b), false
}

// text goes over the inside of a string, up to and with its closing quote.
func (v *splitter) text(b []byte) (n int, closed bool) {
	for n < len(b) {
		switch c := b[n]; {
		case v.escaped:
			v.escaped = false
		case c == '\\':
			v.escaped = true
		case c == '"':
			v.inString = false
			return n + 1, true
		}
		n++
	}
	return n, false
}
