package pattern

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of observed data that is read.
const (
	MaxDataBytes = 256 << 20 // longest stream that ReadObserved reads, unless told otherwise
	MaxDataDepth = 64        // deepest nesting of one object
	MaxValues    = 5_000_000 // values in one stream
)

// Observed is something that was observed: the objects seen together, when, and how often. One made by hand is filled
// before it is matched and not changed after.
type Observed struct {
	ID     string    // of the observed-data; of a bare object its own
	First  time.Time // the first and the last time it was observed; zero when that is not known
	Last   time.Time
	Number int // how often, at least 1; 0 is 1

	roots []root
	scope *scope
}

// root is an object that tests are held against.
type root struct {
	kind string
	node *node
}

// Add puts an object among those observed.
func (o *Observed) Add(x *Object) { o.roots = append(o.roots, root{x.Type, &x.node}) }

// Reset empties it for the next observation.
func (o *Observed) Reset() {
	*o = Observed{roots: o.roots[:0]}
}

func (o *Observed) number() int64 { return int64(max(o.Number, 1)) }

// ReadObserved reads the observed-data of a stream of STIX 2.1 or 2.0: bundles, lists, single objects, or several of
// these one after the other; at most limit bytes, [MaxDataBytes] when it is 0. References are looked up in the
// observed-data's own objects, then its bundle, then the whole stream.
//
// A stream without observed-data but with cyber-observable objects gives each of these as an observation of its own,
// made once at a time that is not known. Other objects are passed over.
func ReadObserved(r io.Reader, limit int64) ([]*Observed, error) {
	return readObserved(r, limit, MaxValues)
}

func readObserved(r io.Reader, limit int64, values int) ([]*Observed, error) {
	if limit <= 0 {
		limit = MaxDataBytes
	}
	bounded := &io.LimitedReader{R: withoutMark(r), N: limit + 1}
	d := reader{dec: jsontext.NewDecoder(bounded, jsontext.AllowDuplicateNames(true)), whole: &scope{byID: map[string]*node{}}, values: values}
	for {
		n, err := d.value(0)
		if bounded.N <= 0 {
			return nil, fmt.Errorf("the data has more than %d bytes; match it in parts", limit)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("it cannot be read as JSON of STIX: %w", plainly(err))
		}
		if err := d.spread(&n, d.whole); err != nil {
			return nil, err
		}
	}
	for _, o := range d.observed {
		o.resolve()
	}
	if d.observed == nil {
		d.observed = d.bare
	}
	if d.observed == nil {
		return nil, errors.New("there is no observed-data and no cyber-observable object in it")
	}
	return d.observed, nil
}

// withoutMark passes over a byte order mark.
func withoutMark(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if start, err := b.Peek(3); err == nil && string(start) == "\xef\xbb\xbf" {
		_, _ = b.Discard(3) // they are there
	}
	return b
}

// plainly is the error of the JSON decoder without its preamble.
func plainly(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "jsontext: "))
}

// reader turns JSON into observations.
type reader struct {
	dec      *jsontext.Decoder
	values   int // that may still come
	whole    *scope
	observed []*Observed
	bare     []*Observed
}

// value reads one JSON value.
func (d *reader) value(depth int) (node, error) {
	if depth > MaxDataDepth {
		return node{}, fmt.Errorf("it is nested more than %d deep at byte %d", MaxDataDepth, d.dec.InputOffset())
	}
	if d.values--; d.values < 0 {
		return node{}, errors.New("it holds too many values; match it in parts")
	}
	t, err := d.dec.ReadToken()
	if err != nil {
		return node{}, err
	}
	switch t.Kind() {
	case 't', 'f':
		return node{kind: isBool, yes: t.Bool()}, nil
	case '"':
		return node{kind: isText, text: t.String()}, nil
	case '0':
		return numberNode(t.String()), nil
	case '[':
		n := node{kind: isList}
		for d.dec.PeekKind() != ']' {
			v, err := d.value(depth + 1)
			if err != nil {
				return node{}, truncated(err)
			}
			n.list = append(n.list, v)
		}
		_, err := d.dec.ReadToken()
		return n, truncated(err)
	case '{':
		n := node{kind: isObject}
		for d.dec.PeekKind() != '}' {
			name, err := d.dec.ReadToken()
			if err != nil {
				return node{}, truncated(err)
			}
			m := member{name: name.String()}
			if m.value, err = d.value(depth + 1); err != nil {
				return node{}, truncated(err)
			}
			n.keys = append(n.keys, m)
		}
		_, err := d.dec.ReadToken()
		return n, truncated(err)
	}
	return node{}, nil
}

// truncated is the error within a value: there its end is no end of the stream.
func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func numberNode(text string) node {
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return node{kind: isInt, whole: whole}
	}
	float, _ := strconv.ParseFloat(text, 64) // beyond its range it is infinite, which compares rightly
	return node{kind: isFloat, float: float}
}

// spread takes the observations out of a value: a bundle, a list of values, or an object.
func (d *reader) spread(n *node, around *scope) error {
	switch n.kind {
	case isList:
		return d.group(n.list, around)
	case isObject:
	default:
		return errors.New("the data is neither a bundle nor a list nor an object of STIX")
	}
	if list := n.get("objects"); list != nil && list.kind == isList {
		return d.group(list.list, around)
	}
	return d.group([]node{*n}, around)
}

// group takes the observations out of objects that stand together.
func (d *reader) group(list []node, around *scope) error {
	s := &scope{byID: map[string]*node{}, around: around}
	for i := range list {
		n := &list[i]
		if id := textAt(n, "id"); id != "" && !isBundle(n) {
			if s.byID[id] == nil {
				s.byID[id] = n
			}
			if d.whole.byID[id] == nil {
				d.whole.byID[id] = n
			}
		}
	}
	for i := range list {
		n := &list[i]
		switch {
		case n.kind == isList || isBundle(n):
			if err := d.spread(n, s); err != nil {
				return err
			}
		case n.kind != isObject:
			return fmt.Errorf("entry %d of a list is no object of STIX", i)
		case textAt(n, "type") == "observed-data":
			if err := d.observation(n, s); err != nil {
				return err
			}
		case isObservable(n):
			d.bare = append(d.bare, &Observed{ID: textAt(n, "id"), roots: []root{{textAt(n, "type"), n}}, scope: s})
		}
	}
	return nil
}

func isBundle(n *node) bool {
	objects := n.get("objects")
	return objects != nil && objects.kind == isList
}

// isObservable tells a cyber-observable object from the others, which all say when they were created by whom.
func isObservable(n *node) bool {
	kind := textAt(n, "type")
	return kind != "" && kind != "bundle" && kind != "marking-definition" && (n.get("created") == nil || n.get("modified") == nil)
}

func textAt(n *node, key string) string {
	if v := n.get(key); v != nil && v.kind == isText {
		return v.text
	}
	return ""
}

// observation reads one observed-data.
func (d *reader) observation(n *node, s *scope) error {
	o := &Observed{ID: textAt(n, "id"), Number: 1, scope: s}
	name := o.ID
	if name == "" {
		name = fmt.Sprintf("observed-data number %d", len(d.observed)+1)
	}
	var ok bool
	for _, at := range []struct {
		key  string
		time *time.Time
	}{{"first_observed", &o.First}, {"last_observed", &o.Last}} {
		if *at.time, ok = instant(textAt(n, at.key)); !ok {
			return fmt.Errorf("%s: %s is %s; it has to be a timestamp such as 2024-01-31T23:59:59Z", name, at.key, quote(shortened(textAt(n, at.key))))
		}
	}
	if o.Last.Before(o.First) {
		return fmt.Errorf("%s: last_observed is before first_observed", name)
	}
	if v := n.get("number_observed"); v != nil {
		if v.kind != isInt || v.whole < 1 || v.whole > 999_999_999 {
			return fmt.Errorf("%s: number_observed has to be a whole number from 1 to 999,999,999", name)
		}
		o.Number = int(v.whole)
	}
	if dict := n.get("objects"); dict != nil && dict.kind == isObject && len(dict.keys) > 0 {
		o.scope = &scope{byID: make(map[string]*node, len(dict.keys)), around: s}
		for i := range dict.keys {
			m := &dict.keys[i]
			o.scope.byID[m.name] = &m.value
			o.roots = append(o.roots, root{textAt(&m.value, "type"), &m.value})
		}
	}
	if refs := n.get("object_refs"); refs != nil && refs.kind == isList {
		for i := range refs.list {
			id := refs.list[i].text
			o.roots = append(o.roots, root{"", &node{kind: isText, text: id}})
		}
	}
	d.observed = append(d.observed, o)
	return nil
}

// resolve puts the objects in the place of the references to them; references that lead nowhere go.
func (o *Observed) resolve() {
	found := o.roots[:0]
	for _, r := range o.roots {
		if r.kind == "" && r.node.kind == isText {
			n := o.scope.find(r.node.text)
			if n == nil {
				continue
			}
			r = root{textAt(n, "type"), n}
		}
		found = append(found, r)
	}
	o.roots = found
}
