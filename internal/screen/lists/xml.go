package lists

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// element is a piece of XML that is held in memory: one record of a list.
type element struct {
	name  string
	attrs []xml.Attr
	kids  []*element
	text  string
	line  int
}

// xmlReader walks a document. It refuses a DOCTYPE, entities of its own, a second root, text around the root, nesting
// beyond 64, and records beyond 16 MiB.
type xmlReader struct {
	s     *source
	dec   *xml.Decoder
	take  func(path []string) bool // tells which elements are held whole
	open  func(el *element) error  // is called for the start of each other, with its attributes; may be nil
	each  func(el *element) error  // is called for each that was held
	path  []string                 // of the elements that are open
	held  []*element               // the open ones of the record at hand
	size  int                      // of the record at hand, bytes
	text  [][]byte                 // of the open ones of the record
	once  map[string]bool          // names of elements that may stand once only
	seen  map[string]bool          // of these, those that stood
	names map[string]string        // names of elements, each once
}

// readXML calls each for every element that take says, in the order of the document. once names elements that a valid
// document has once: a second one is refused, since two readers could take either.
func readXML(s *source, take func(path []string) bool, open, each func(el *element) error, once ...string) error {
	x := &xmlReader{s: s, take: take, open: open, each: each, once: map[string]bool{}, seen: map[string]bool{}, names: map[string]string{}}
	for _, n := range once {
		x.once[n] = true
	}
	x.dec = xml.NewDecoder(s.in)
	x.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is UTF-8 by now
	s.line = func() int { line, _ := x.dec.InputPos(); return line }
	done := false
	for {
		tok, err := x.dec.RawToken()
		if err == io.EOF && done {
			return nil
		}
		if err != nil {
			return x.fault(err)
		}
		if done, err = x.token(tok, done); err != nil {
			return err
		}
	}
}

func (x *xmlReader) fail(what, right string) error { return x.s.fail(x.s.line(), what, right) }

func (x *xmlReader) fault(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		what := "the file ends in the middle"
		if len(x.path) > 0 {
			what += " of <" + x.path[len(x.path)-1] + ">"
		}
		return x.fail(what, "load it again; it was cut off")
	}
	if syn, ok := errors.AsType[*xml.SyntaxError](err); ok {
		if strings.Contains(syn.Msg, "invalid character entity") {
			return x.s.fail(syn.Line, "an entity that XML does not know: "+syn.Msg, "the character itself")
		}
		if strings.Contains(syn.Msg, "unexpected EOF") {
			return x.s.fail(syn.Line, "the file ends in the middle", "load it again; it was cut off")
		}
		return x.s.fail(syn.Line, "this is no well-formed XML: "+syn.Msg, "load it again")
	}
	return x.s.locate(err)
}

// token takes one token; done tells that the root is closed.
func (x *xmlReader) token(tok xml.Token, done bool) (bool, error) {
	switch t := tok.(type) {
	case xml.StartElement:
		if done {
			return done, x.fail("a second root element <"+clip(t.Name.Local, 60)+">", "one document")
		}
		return false, x.start(t)
	case xml.EndElement:
		return x.end(t)
	case xml.CharData:
		if len(x.path) == 0 && len(strings.TrimSpace(string(t))) > 0 {
			return done, x.fail("text outside the root element", "only the document")
		}
		if n := len(x.held); n > 0 {
			if x.size += len(t); x.size > maxRecord {
				return done, x.fail("a record of more than 16 MiB", "")
			}
			x.text[n-1] = append(x.text[n-1], t...)
		}
	case xml.Directive:
		return done, x.fail("a DOCTYPE or other declaration", "a list needs none, and entities of its own are not read")
	}
	return done, nil
}

func (x *xmlReader) start(t xml.StartElement) error {
	name, ok := x.names[t.Name.Local]
	if !ok {
		name = t.Name.Local
		if len(x.names) < 10_000 {
			x.names[name] = name
		}
	}
	x.path = append(x.path, name)
	if len(x.path) > maxDepth {
		return x.fail(fmt.Sprintf("elements nested deeper than %d", maxDepth), "a list is flatter")
	}
	if x.once[name] {
		if x.seen[name] {
			return x.fail("a second <"+name+">", "one")
		}
		x.seen[name] = true
	}
	el := &element{name: name, line: x.s.line()}
	if len(t.Attr) > 0 {
		el.attrs = t.Attr
		for i, a := range t.Attr {
			x.size += len(a.Name.Local) + len(a.Value)
			for _, b := range t.Attr[:i] {
				if a.Name == b.Name {
					return x.fail("the attribute "+clip(a.Name.Local, 60)+" twice", "once")
				}
			}
		}
	}
	if n := len(x.held); n > 0 {
		x.held[n-1].kids = append(x.held[n-1].kids, el)
		if x.size += 200; x.size > maxRecord {
			return x.fail("a record of more than 16 MiB", "")
		}
	} else if !x.take(x.path) {
		if x.open != nil {
			return x.open(el)
		}
		return nil
	} else {
		x.size = 0
	}
	x.held = append(x.held, el)
	x.text = append(x.text, nil)
	return nil
}

func (x *xmlReader) end(t xml.EndElement) (bool, error) {
	n := len(x.path)
	if n == 0 || x.path[n-1] != t.Name.Local {
		return false, x.fail("</"+clip(t.Name.Local, 60)+"> closes what is not open", "load it again")
	}
	x.path = x.path[:n-1]
	if n := len(x.held); n > 0 {
		el := x.held[n-1]
		el.text = strings.TrimSpace(string(x.text[n-1]))
		x.held, x.text = x.held[:n-1], x.text[:n-1]
		if n == 1 {
			if err := x.each(el); err != nil {
				return false, x.s.locate(err)
			}
		}
	}
	return n == 1, nil
}

// within tells whether a path ends in names.
func within(path []string, names ...string) bool {
	if len(path) == 0 {
		return false
	}
	for _, n := range names {
		if path[len(path)-1] == n {
			return true
		}
	}
	return false
}

// kid is the first element within el that has a name; nil when there is none. It may be asked of nil.
func (el *element) kid(name string) *element {
	if el == nil {
		return nil
	}
	for _, k := range el.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// all are the elements at the end of a path within el, in their order.
func (el *element) all(path ...string) []*element {
	if el == nil {
		return nil
	}
	if len(path) == 0 {
		return []*element{el}
	}
	var out []*element
	for _, k := range el.kids {
		if k.name == path[0] {
			out = append(out, k.all(path[1:]...)...)
		}
	}
	return out
}

// get is the text at the end of a path within el, cleaned; "" when there is none.
func (el *element) get(path ...string) string {
	for _, p := range path {
		el = el.kid(p)
	}
	if el == nil {
		return ""
	}
	return clean(el.text)
}

// attr is an attribute; "" when there is none.
func (el *element) attr(name string) string {
	if el == nil {
		return ""
	}
	for _, a := range el.attrs {
		if a.Name.Local == name {
			return clean(a.Value)
		}
	}
	return ""
}

// texts are the texts at the end of a path, without empty ones.
func (el *element) texts(path ...string) []string {
	var out []string
	for _, k := range el.all(path...) {
		if t := clean(k.text); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// single refuses a record in which one of these elements stands twice: two readers could take either.
func (el *element) single(s *source, names ...string) error {
	for _, n := range names {
		found := 0
		for _, k := range el.kids {
			if k.name == n {
				if found++; found > 1 {
					return s.fail(k.line, "a second <"+n+"> in one <"+el.name+">", "one")
				}
			}
		}
	}
	return nil
}

// deep are the texts of all elements within el, at any depth, that have a name.
func (el *element) deep(name string) []string {
	if el == nil {
		return nil
	}
	var out []string
	for _, k := range el.kids {
		if t := clean(k.text); k.name == name && t != "" {
			out = append(out, t)
		}
		out = append(out, k.deep(name)...)
	}
	return out
}
