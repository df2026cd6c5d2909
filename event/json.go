package event

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Bounds of one JSON record.
const (
	// maxDepth is how deep objects and lists are walked. What is deeper is one value: its JSON text.
	maxDepth = 32
	// maxFields is how many values a record may hold.
	maxFields = 1 << 16
	// maxNodes bounds the keys that a reader remembers, and so the names that one stream can enter.
	maxNodes = 1 << 13
)

// node is a key at one place in the records of a format, with what usually follows it: records of a log are alike, so
// that the next key is nearly always found by comparing it with one or two, without a look-up.
type node struct {
	key  string // as it stands between the quotes
	path string
	name Name
	// fleeting nodes are for one record; nothing is remembered behind them. A lost one has a path too long for a name.
	fleeting, lost bool
	role           *role  // what the kind wants of this place, nil nearly always
	next           follow // keys met after this one in the same object
	first          follow // keys met first in the object that is this one's value
	kids           map[string]*node
}

// role is what a kind wants of the values at one place.
type role struct {
	watch, time int  // index+1 in the kind's watch and times, 0 for none
	whole       bool // the text of an object here is a field as well
	pairs       int  // index+1 in the kind's pairs of the list that this is a member of
	value       int  // index+1 of the value in the pair; 0 for its name
}

// pairHit is a field that belongs to a name-value object.
type pairHit struct {
	*role
	field, element int
}

// follow are keys met at one place, those met most often first.
type follow [4]*node

// jsonReader reads records that are JSON objects.
type jsonReader struct {
	kind   *jsonKind
	root   node
	nodes  int
	fields []Field
	at     [maxWatch]int32 // 1 + where in the event's fields the watched ones are, 0 without
	times  [maxTimes]int32 // the same for the times
	e      *Event
	bad    error

	element int // counts the objects that are elements of lists
	hits    []pairHit
	path    []byte
	words   []byte             // see schemaSource
	known   map[string]*Source // the same
	buf     []byte             // see keep
}

func newJSONReader(k *jsonKind) *jsonReader { return &jsonReader{kind: k} }

// seen is the first field at the i-th path that the kind watches, or nil. It holds until the next record.
func (r *jsonReader) seen(i int) *Field {
	if r.at[i] == 0 {
		return nil
	}
	return &r.e.Fields[r.at[i]-1]
}

// keep is room for n bytes that lives until the next record; append to it. It grows with the largest record.
func (r *jsonReader) keep(n int) []byte {
	if cap(r.buf)-len(r.buf) < n {
		r.buf = make([]byte, 0, max(2*cap(r.buf), n, 4096))
	}
	at := len(r.buf)
	r.buf = r.buf[:at+n]
	return r.buf[at : at : at+n]
}

func (r *jsonReader) read(record []byte, _ *Chunk, e *Event) error {
	r.begin(e)
	if !r.walk(record) {
		return r.bad
	}
	if r.kind.finish != nil {
		r.kind.finish(r, e)
	}
	r.settle()
	return nil
}

// begin makes the reader ready for the fields of e.
func (r *jsonReader) begin(e *Event) {
	r.at, r.times = [maxWatch]int32{}, [maxTimes]int32{}
	r.e, r.bad, r.buf, r.element, r.hits = e, nil, r.buf[:0], 0, r.hits[:0]
}

// settle sets the source and the time of the event by the fields that the kind watches.
func (r *jsonReader) settle() {
	e := r.e
	if r.kind.source != nil {
		if s := r.kind.source(r, e); s != nil {
			e.Source = s
		}
	}
	for i, s := range r.kind.times {
		if at := r.times[i]; at > 0 && len(e.Fields[at-1].Value) > 1 {
			e.at(e.Fields[at-1].Value, s.read)
			break
		}
	}
}

// walk adds the fields of the object to the event; it says whether the object is sound.
func (r *jsonReader) walk(object []byte) bool {
	r.fields = r.e.Fields
	end := r.document(object)
	if end >= 0 && len(r.hits) > 0 {
		r.pair()
	}
	r.e.Fields = r.fields
	return end >= 0
}

// pair adds the fields that name-value objects stand for.
func (r *jsonReader) pair() {
	for i, h := range r.hits {
		if h.value == 0 {
			continue
		}
		p := &r.kind.pairs[h.pairs-1]
		for k := max(0, i-4); k < min(len(r.hits), i+5); k++ {
			n := r.hits[k]
			if n.element != h.element || n.pairs != h.pairs || n.value != 0 {
				continue
			}
			f, v := &r.fields[n.field], r.fields[h.field]
			if len(f.Value) == 0 || len(f.Value) > 128 {
				break
			}
			r.path = append(append(r.path[:0], p.list...), '.')
			r.path = append(r.path, f.Text(nil)...)
			if len(p.values) > 1 {
				r.path = append(append(r.path, '.'), p.values[h.value-1]...)
			}
			v.Name = Known(r.path)
			r.fields = append(r.fields, v)
			break
		}
	}
	r.hits = r.hits[:0]
}

// document walks a record: an object, with a comma after it at most.
func (r *jsonReader) document(b []byte) int {
	if len(b) == 0 || b[0] != '{' {
		return r.fail(b, 0, "a JSON object was expected")
	}
	i := r.object(b, 1, &r.root, 1)
	if i < 0 {
		return i
	}
	if i = space(b, i); i < len(b) && b[i] == ',' {
		i = space(b, i+1)
	}
	if i < len(b) {
		return r.fail(b, i, "the JSON object is over, but there is more")
	}
	return i
}

// object walks the members of an object from i, behind its brace, to behind the closing one; -1 when it is broken.
func (r *jsonReader) object(b []byte, i int, in *node, depth int) int {
	after := &in.first
	if i = space(b, i); i < len(b) && b[i] == '}' {
		if in != &r.root {
			r.add(in, Null, nil, false)
		}
		return i + 1
	}
	for {
		if i = space(b, i); i >= len(b) || b[i] != '"' {
			return r.fail(b, i, "the name of a member was expected, in double quotes")
		}
		i++
		n := after.match(b, i)
		if n == nil {
			end, _ := stringEnd(b, i)
			if end < 0 {
				return r.fail(b, i, "a string does not end")
			}
			var kept bool
			if n, kept = r.learn(in, b[i:end]); kept {
				after.put(n)
			}
		}
		i += len(n.key) + 1
		if i >= len(b) || b[i] != ':' {
			if i = space(b, i); i >= len(b) || b[i] != ':' {
				return r.fail(b, i, "a colon was expected")
			}
		}
		i = space(b, i+1)
		from := i
		if i = r.value(b, i, n, depth); i < 0 {
			return i
		}
		if n.role != nil && n.role.whole && (b[from] == '{' || b[from] == '[') {
			r.fields = append(r.fields, Field{Name: n.name, Value: b[from:i]})
		}
		after = &n.next
		if i = space(b, i); i < len(b) && b[i] == ',' {
			i++
			continue
		}
		if i < len(b) && b[i] == '}' {
			return i + 1
		}
		return r.fail(b, i, "a comma or a closing brace was expected")
	}
}

// value walks the value of n at i to behind it.
func (r *jsonReader) value(b []byte, i int, n *node, depth int) int {
	if i >= len(b) {
		return r.fail(b, i, "a value was expected")
	}
	if len(r.fields) >= maxFields {
		return r.fail(b, i, "more than %d values in a record", maxFields)
	}
	switch c := b[i]; {
	case c == '"':
		end, escaped := stringEnd(b, i+1)
		if end < 0 {
			return r.fail(b, i, "a string does not end")
		}
		r.add(n, String, b[i+1:end], escaped)
		return end + 1
	case c == '{' || c == '[':
		if depth >= maxDepth {
			return r.deep(b, i, n)
		}
		if c == '{' {
			return r.object(b, i+1, n, depth+1)
		}
		return r.list(b, i+1, n, depth+1)
	case c == '-' || '0' <= c && c <= '9':
		end := i + 1
		for end < len(b) && numeral[b[end]] {
			end++
		}
		r.add(n, Number, b[i:end], false)
		return end
	case c == 't' && bytes.HasPrefix(b[i:], []byte("true")):
		r.add(n, Bool, b[i:i+4], false)
		return i + 4
	case c == 'f' && bytes.HasPrefix(b[i:], []byte("false")):
		r.add(n, Bool, b[i:i+5], false)
		return i + 5
	case c == 'n' && bytes.HasPrefix(b[i:], []byte("null")):
		r.add(n, Null, nil, false)
		return i + 4
	}
	return r.fail(b, i, "a value was expected")
}

// numeral are the bytes that stand in a number.
var numeral = func() (t [256]bool) {
	for _, c := range "0123456789+-.eE" {
		t[c] = true
	}
	return t
}()

// list walks the elements of a list: each is a field of the list's name.
func (r *jsonReader) list(b []byte, i int, n *node, depth int) int {
	if i = space(b, i); i < len(b) && b[i] == ']' {
		r.add(n, Null, nil, false)
		return i + 1
	}
	for {
		if i = space(b, i); i < len(b) && b[i] == '{' {
			r.element++
		}
		if i = r.value(b, i, n, depth); i < 0 {
			return i
		}
		if i = space(b, i); i < len(b) && b[i] == ',' {
			i++
			continue
		}
		if i < len(b) && b[i] == ']' {
			return i + 1
		}
		return r.fail(b, i, "a comma or a closing bracket was expected")
	}
}

// deep takes an object or a list that lies too deep as one value.
func (r *jsonReader) deep(b []byte, i int, n *node) int {
	end := valueEnd(b, i)
	if end < 0 {
		return r.fail(b, i, "an object or a list does not end")
	}
	r.add(n, String, b[i:end], false)
	return end
}

func (r *jsonReader) add(n *node, k Kind, value []byte, escaped bool) {
	r.fields = append(r.fields, Field{Name: n.name, Kind: k, Escaped: escaped, Value: value})
	if n.role != nil {
		r.notice(n.role)
	}
}

// notice remembers where the last field is, when it is the first in its role, and the members of name-value objects.
func (r *jsonReader) notice(o *role) {
	if i := o.watch; i > 0 && r.at[i-1] == 0 {
		r.at[i-1] = int32(len(r.fields))
	}
	if i := o.time; i > 0 && r.times[i-1] == 0 {
		r.times[i-1] = int32(len(r.fields))
	}
	if o.pairs > 0 {
		r.hits = append(r.hits, pairHit{o, len(r.fields) - 1, r.element})
	}
}

func (r *jsonReader) fail(b []byte, i int, text string, args ...any) int {
	text = fmt.Sprintf(text, args...)
	if i >= len(b) {
		r.bad = errors.New(text + ", but the record ends")
	} else {
		r.bad = fmt.Errorf("%s at byte %d, before %q", text, i+1, b[i:min(i+16, len(b))])
	}
	return -1
}

// match is the node of the key that begins at i, or nil.
func (f *follow) match(b []byte, i int) *node {
	for k, n := range f {
		if n == nil {
			return nil
		}
		end := i + len(n.key)
		if end < len(b) && b[end] == '"' && string(b[i:end]) == n.key {
			if k > 0 {
				f[k], f[k-1] = f[k-1], f[k]
			}
			return n
		}
	}
	return nil
}

// put enters a node at the last place.
func (f *follow) put(n *node) {
	for k, have := range f {
		if have == n {
			return
		}
		if have == nil || k == len(f)-1 {
			f[k] = n
			return
		}
	}
}

// learn is the node of a key in an object, and whether it is remembered there. What would take too much room is not: a
// name that is too long is Other, and beyond maxNodes only names that others know already are found.
func (r *jsonReader) learn(in *node, key []byte) (n *node, kept bool) {
	if n := in.kids[string(key)]; n != nil {
		return n, true
	}
	n = &node{key: string(key), name: Other, fleeting: true}
	if n.lost = in.lost || len(in.path)+1+len(key) > MaxNameBytes; n.lost {
		return n, false
	}
	n.path = string(unescape(nil, key))
	if in != &r.root {
		n.path = in.path + "." + n.path
	}
	n.role = r.kind.role(n.path)
	if r.nodes >= maxNodes || in.fleeting {
		n.name = Lookup([]byte(n.path))
		return n, false
	}
	n.name, n.fleeting = Known([]byte(n.path)), false
	r.nodes++
	if in.kids == nil {
		in.kids = map[string]*node{}
	}
	in.kids[n.key] = n
	return n, true
}

// space passes over white space.
func space(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && isSpace(b[i]) {
		i++
	}
	return i
}

// stringEnd is where the closing quote of a string is that begins at i, behind its opening one, and whether there are
// escapes in it; -1 when it does not end.
func stringEnd(b []byte, i int) (end int, escaped bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		q, s := w^('"'*ones), w^('\\'*ones)
		hit := ((q - ones) &^ q & highs) | ((s - ones) &^ s & highs)
		if hit != 0 {
			i += bits.TrailingZeros64(hit) / 8
			if b[i] == '"' {
				return i, false
			}
			return escapedEnd(b, i), true
		}
	}
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i, false
		case '\\':
			return escapedEnd(b, i), true
		}
	}
	return -1, false
}

// escapedEnd is where the string ends in which b[i] is the first backslash. A quote is escaped when an odd number of
// backslashes stands before it.
func escapedEnd(b []byte, i int) int {
	for at := i; ; {
		q := bytes.IndexByte(b[at:], '"')
		if q < 0 {
			return -1
		}
		at += q
		before := at
		for before > i && b[before-1] == '\\' {
			before--
		}
		if (at-before)%2 == 0 {
			return at
		}
		at++
	}
}
