package stix

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds on one JSON document. STIX objects of the wild nest less than ten deep.
const (
	defaultDepth = 64
	defaultBytes = 8 << 20
)

// A document is one JSON value as received, beside a flat tree over its text. It is immutable once checked.
type document struct {
	text  string
	nodes []node

	once sync.Once // guards sums
	sums sums
}

// A node is a JSON value, or the name of a member (kindName), which the member's value follows. A value that holds
// others is followed by them; next is the index of the first node behind all of it.
type node struct {
	start, end int32 // text[start:end], quotes included
	next       int32
	kind       byte // '{' '[' '"' '0' 't' 'f' 'n', or kindName
	escaped    bool // a string or name with a backslash
	instant    bool // a string that was checked as a timestamp
}

const kindName = 'k'

var decoders = sync.Pool{New: func() any { return new(strictDecoder) }}

type strictDecoder struct {
	buf bytes.Buffer
	dec jsontext.Decoder
}

// strict checks that raw is exactly one JSON value by RFC 7493: unique names, valid UTF-8, nothing behind it.
func strict(raw []byte) *Error {
	d := decoders.Get().(*strictDecoder)
	defer decoders.Put(d)
	d.buf = *bytes.NewBuffer(raw)
	d.dec.Reset(&d.buf)
	defer func() { d.buf = bytes.Buffer{} }()
	if _, err := d.dec.ReadValue(); err != nil {
		return syntaxError(raw, err)
	}
	switch _, err := d.dec.ReadToken(); err {
	case io.EOF:
		return nil
	default:
		at := int(d.dec.InputOffset())
		return &Error{Line: lineAt(string(raw), min(at, len(raw))), Text: "something follows the JSON value; give one value"}
	}
}

// readDocument reads one JSON value strictly.
func readDocument(raw []byte, depth, size int) (*document, *Error) {
	if len(raw) > size {
		return nil, &Error{Line: 1, Text: fmt.Sprintf("is %d bytes long; at most %d are read", len(raw), size)}
	}
	if err := strict(raw); err != nil {
		return nil, err
	}
	d := &document{text: string(raw)}
	d.nodes = make([]node, 0, len(raw)/14+16)
	if end := d.value(0, depth); end < 0 {
		return nil, &Error{Line: 1, Text: fmt.Sprintf("is nested deeper than %d levels", depth)}
	}
	return d, nil
}

// value appends the node of the value at i, which is known to be sound, and those within it. It returns the offset
// behind the value, or -1 when it nests deeper than depth.
func (d *document) value(i, depth int) int {
	i = d.space(i)
	at := len(d.nodes)
	d.nodes = append(d.nodes, node{start: int32(i)})
	kind := d.text[i]
	escaped := false
	switch kind {
	case '{', '[':
		i = d.container(i, depth-1)
	case '"':
		i, escaped = d.str(i)
	case 't', 'n':
		i += 4
	case 'f':
		i += 5
	default:
		kind = '0'
		for i < len(d.text) && strings.IndexByte("+-.eE0123456789", d.text[i]) >= 0 {
			i++
		}
	}
	n := &d.nodes[at]
	n.kind, n.escaped, n.end, n.next = kind, escaped, int32(i), int32(len(d.nodes))
	return i
}

func (d *document) container(i, depth int) int {
	if depth < 0 {
		return -1
	}
	object := d.text[i] == '{'
	for {
		i = d.space(i + 1) // behind the opening bracket or the comma
		if c := d.text[i]; c == '}' || c == ']' {
			return i + 1
		}
		if object {
			i = d.space(d.name(i)) + 1 // behind the colon
		}
		if i = d.value(i, depth); i < 0 {
			return -1
		}
		if i = d.space(i); d.text[i] != ',' {
			return i + 1
		}
	}
}

func (d *document) name(i int) int {
	end, escaped := d.str(i)
	next := int32(len(d.nodes) + 1)
	d.nodes = append(d.nodes, node{start: int32(i), end: int32(end), next: next, kind: kindName, escaped: escaped})
	return end
}

// str returns the offset behind the string at i, and whether it has a backslash.
func (d *document) str(i int) (end int, escaped bool) {
	j := i + 1
	for {
		rest := d.text[j:]
		q := strings.IndexByte(rest, '"')
		b := strings.IndexByte(rest[:q], '\\')
		if b < 0 {
			return j + q + 1, escaped
		}
		escaped = true
		j += b + 2
	}
}

func (d *document) space(i int) int {
	for i < len(d.text) {
		switch d.text[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// raw is the text of node n as received.
func (d *document) raw(n int32) string { return d.text[d.nodes[n].start:d.nodes[n].end] }

// string is the decoded text of n, a string or a name.
func (d *document) string(n int32) string {
	v := &d.nodes[n]
	if !v.escaped {
		return d.text[v.start+1 : v.end-1]
	}
	b, _ := jsontext.AppendUnquote(nil, d.text[v.start:v.end]) // sound: the strict decoder took it
	return string(b)
}

// kind is the kind of n; 0 for an n below zero, which is how [document.get] says that there is none.
func (d *document) kind(n int32) byte {
	if n < 0 {
		return 0
	}
	return d.nodes[n].kind
}

// members yields the names and values of object n, and nothing when n is none.
func (d *document) members(n int32) iter.Seq2[string, int32] {
	return func(yield func(string, int32) bool) {
		if d.kind(n) != '{' {
			return
		}
		for i := n + 1; i < d.nodes[n].next; i = d.nodes[i+1].next {
			if !yield(d.string(i), i+1) {
				return
			}
		}
	}
}

// items yields the elements of list n with their positions, and nothing when n is none.
func (d *document) items(n int32) iter.Seq2[int, int32] {
	return func(yield func(int, int32) bool) {
		if d.kind(n) != '[' {
			return
		}
		for k, i := 0, n+1; i < d.nodes[n].next; k, i = k+1, d.nodes[i].next {
			if !yield(k, i) {
				return
			}
		}
	}
}

// get is the value of object n under name, or -1.
func (d *document) get(n int32, name string) int32 {
	if d.kind(n) != '{' {
		return -1
	}
	for i := n + 1; i < d.nodes[n].next; i = d.nodes[i+1].next {
		v := &d.nodes[i]
		if !v.escaped && d.text[v.start+1:v.end-1] == name || v.escaped && d.string(i) == name {
			return i + 1
		}
	}
	return -1
}

// has tells whether object n has a member of that name.
func (d *document) has(n int32, name string) bool { return d.get(n, name) >= 0 }

// textOf is the string under name, or "" when there is none.
func (d *document) textOf(n int32, name string) string {
	if v := d.get(n, name); d.kind(v) == '"' {
		return d.string(v)
	}
	return ""
}

// isTrue tells whether the member is the literal true.
func (d *document) isTrue(n int32, name string) bool { return d.kind(d.get(n, name)) == 't' }

// strings are the strings of list n; others are left out.
func (d *document) strings(n int32) []string {
	var list []string
	for _, v := range d.items(n) {
		if d.kind(v) == '"' {
			list = append(list, d.string(v))
		}
	}
	return list
}

// empty tells whether n is a list or an object that holds nothing.
func (d *document) empty(n int32) bool { return d.nodes[n].next == n+1 }

func (d *document) line(n int32) int { return lineAt(d.text, int(d.nodes[n].start)) }
