package release

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// node is one JSON value, in the order of its text. Numbers keep their text.
type node struct {
	kind    byte // '{', '[', '"', or 'v' for numbers, true, false and null
	text    string
	members []member
	items   []*node
}

type member struct {
	name  string
	value *node
}

var errDeep = errors.New("the object is nested too deeply")

// maxDepth is beyond what package stix takes.
const maxDepth = 100

func parse(raw []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return parseValue(d, 0)
}

func parseValue(d *json.Decoder, depth int) (*node, error) {
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return nil, errors.Join(err, errDeep)
	}
	switch v := t.(type) {
	case string:
		return &node{kind: '"', text: v}, nil
	case json.Number:
		return &node{kind: 'v', text: v.String()}, nil
	case bool:
		return &node{kind: 'v', text: strconv.FormatBool(v)}, nil
	case json.Delim:
		n := &node{kind: byte(v)}
		for d.More() {
			if err := n.child(d, depth); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return n, err
	}
	return &node{kind: 'v', text: "null"}, nil
}

func (n *node) child(d *json.Decoder, depth int) error {
	name := ""
	if n.kind == '{' {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ = t.(string)
	}
	v, err := parseValue(d, depth+1)
	if err != nil {
		return err
	}
	if n.kind == '{' {
		n.members = append(n.members, member{name, v})
	} else {
		n.items = append(n.items, v)
	}
	return nil
}

func (n *node) get(name string) *node {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

func (n *node) drop(name string) {
	for i, m := range n.members {
		if m.name == name {
			n.members = append(n.members[:i], n.members[i+1:]...)
			return
		}
	}
}

// set gives a member of an object a value, in its place or at the end.
func (n *node) set(name string, value *node) {
	for i, m := range n.members {
		if m.name == name {
			n.members[i].value = value
			return
		}
	}
	n.members = append(n.members, member{name, value})
}

func textNode(s string) *node { return &node{kind: '"', text: s} }

// string is the text of a string, else "".
func (n *node) string() string {
	if n == nil || n.kind != '"' {
		return ""
	}
	return n.text
}

// texts visits every text of a value with its path, names of members included.
func (n *node) texts(path string, visit func(path, text string)) {
	switch n.kind {
	case '"':
		visit(path, n.text)
	case '[':
		for i, x := range n.items {
			x.texts(inList(path, i), visit)
		}
	case '{':
		for _, m := range n.members {
			at := below(path, m.name)
			visit(at, m.name)
			m.value.texts(at, visit)
		}
	}
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func inList(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// json is the value written compactly.
func (n *node) json() []byte {
	var b bytes.Buffer
	n.write(&b)
	return b.Bytes()
}

func (n *node) write(b *bytes.Buffer) {
	switch n.kind {
	case '"':
		writeString(b, n.text)
	case '[':
		b.WriteByte('[')
		for i, x := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			x.write(b)
		}
		b.WriteByte(']')
	case '{':
		b.WriteByte('{')
		for i, m := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, m.name)
			b.WriteByte(':')
			m.value.write(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(n.text)
	}
}

func writeString(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string and a buffer: nothing fails
	b.Truncate(b.Len() - 1)
}

// shown is a value for people: a text as it is, else JSON.
func (n *node) shown() string {
	if n == nil {
		return ""
	}
	if n.kind == '"' {
		return n.text
	}
	return strings.TrimSpace(string(n.json()))
}
