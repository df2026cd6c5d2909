package stix

import (
	"fmt"
	"strconv"
)

// This file holds how an object is checked; what is asked of each type is in the tables of spec_*.go.

// A check looks at the value n and reports through c what is wrong with it.
type check func(c *checker, n int32)

// A rule looks at an object n whose properties have each been checked, and at how they fit together.
type rule func(c *checker, n int32)

// props names the properties of a shape and the check of each.
type props map[string]check

// A shape says what an object must look like. Properties that it does not name are custom ones.
type shape struct {
	props    props
	required []string
	rules    []rule
}

// A checker goes over one document and gathers what is wrong with it.
type checker struct {
	d     *document
	id    string // of the object, for error texts
	typ   string // of the object being checked
	path  []byte // of the value being checked
	errs  []*Error
	most  int  // errors to gather
	hints bool // gather hints too: what the standard advises, such as the words of open vocabularies
	table map[string]*spec

	// Within the deprecated objects of an observed-data there are no ids, references are keys of the container, and an
	// observable may be as STIX 2.0 has it.
	nested    bool
	container int32
}

// fail reports that value n is wrong. The text says how, and what would be right.
func (c *checker) fail(n int32, text string) {
	if len(c.errs) < c.most {
		c.errs = append(c.errs, &Error{ID: c.id, Property: string(c.path), Text: text, Line: c.d.line(n)})
	}
}

func (c *checker) failf(n int32, format string, args ...any) {
	if len(c.errs) < c.most {
		c.fail(n, fmt.Sprintf(format, args...))
	}
}

// failAt reports that member name of object n is wrong.
func (c *checker) failAt(n int32, name, text string) {
	at := n
	if v := c.d.get(n, name); v >= 0 {
		at = v
	}
	back := c.enter(name)
	c.fail(at, text)
	c.path = c.path[:back]
}

// enter steps into a member; the path is cut back to what it returns afterwards.
func (c *checker) enter(name string) int {
	back := len(c.path)
	if back > 0 {
		c.path = append(c.path, '.')
	}
	c.path = append(c.path, shorten(name)...)
	return back
}

func (c *checker) enterItem(i int) int {
	back := len(c.path)
	c.path = append(c.path, '[')
	c.path = strconv.AppendInt(c.path, int64(i), 10)
	c.path = append(c.path, ']')
	return back
}

// shape checks object n against s.
func (c *checker) shape(n int32, s *shape) {
	if !c.isObject(n) {
		return
	}
	for name, v := range c.d.members(n) {
		back := c.enter(name)
		if chk := s.props[name]; chk != nil {
			chk(c, v)
		} else {
			c.custom(name, v)
		}
		c.path = c.path[:back]
	}
	for _, name := range s.required {
		if !c.d.has(n, name) && !(c.nested && name == "id") {
			c.failAt(n, name, "is required")
		}
	}
	for _, r := range s.rules {
		r(c, n)
	}
}

func (c *checker) isObject(n int32) bool {
	switch {
	case c.d.kind(n) != '{':
		c.fail(n, "must be an object")
		return false
	case c.d.empty(n):
		c.fail(n, "must not be empty; leave it out")
		return false
	}
	return true
}

// custom checks a property that the standard does not know: it is kept, if its name and value are ones of STIX.
func (c *checker) custom(name string, n int32) {
	if !validProperty(name) {
		c.fail(n, "is not the name of a property; write 3 to 250 of a-z, 0-9 and _, a letter first")
		return
	}
	switch c.d.kind(n) {
	case 'n':
		c.fail(n, "must not be null; leave it out")
	case '[':
		if c.d.empty(n) {
			c.fail(n, "must not be an empty list; leave it out")
		}
	case '"':
		switch {
		case hasSuffix(name, "_bin"):
			binary(c, n)
		case hasSuffix(name, "_hex"):
			hexadecimal(c, n)
		}
	}
}

func hasSuffix(s, end string) bool { return len(s) > len(end) && s[len(s)-len(end):] == end }

func validProperty(s string) bool {
	if len(s) < 3 || len(s) > 250 || s[0] < 'a' || s[0] > 'z' {
		return s == "id"
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}

// object checks a whole STIX object: it finds out what it is, and checks it against the table of its type.
func (c *checker) object(n int32) {
	if !c.isObject(n) {
		return
	}
	typ := c.d.get(n, "type")
	switch {
	case typ < 0:
		c.failAt(n, "type", "is required")
		return
	case c.d.kind(typ) != '"':
		c.failAt(n, "type", "must be a string")
		return
	}
	outer := c.typ
	c.typ = c.d.string(typ)
	s := c.table[c.typ]
	if s == nil {
		s = c.unknown(n)
	}
	if s != nil {
		c.shape(n, &s.shape)
	}
	c.typ = outer
}

// unknown finds the table of an object of a type that the standard does not know.
func (c *checker) unknown(n int32) *spec {
	switch {
	case c.typ == "bundle":
		c.failAt(n, "type", "is bundle, which is no object but holds them; read its objects one by one")
		return nil
	case !validType(c.typ):
		c.failAt(n, "type", "is not the name of a type; write 3 to 250 of a-z, 0-9 and single hyphens, a letter first")
		return nil
	case c.typ == "action":
		c.failAt(n, "type", "is action, a name that STIX keeps for itself; choose another")
		return nil
	}
	return customSpec(classOfCustom(c.d, n, c.nested))
}

// classOfCustom tells what an object of an unknown type is: what its extension says, and otherwise a domain object
// if it has a creation time, an observable if not.
func classOfCustom(d *document, n int32, nested bool) class {
	for _, ext := range d.members(d.get(n, "extensions")) {
		switch d.textOf(ext, "extension_type") {
		case "new-sdo":
			return domainObject
		case "new-sro":
			return relationObject
		case "new-sco":
			return observable
		}
	}
	if nested || !d.has(n, "created") && !d.has(n, "modified") && !d.has(n, "spec_version") {
		return observable
	}
	return domainObject
}
