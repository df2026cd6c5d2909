package stix

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical is the canonical form of one JSON value by RFC 8785. It refuses what two readers could take for different
// values: anything [Parse] refuses as JSON, numbers beyond IEEE 754 double precision (1e400), and integers written
// out in full that no double holds (9007199254740993), unless they are written as RFC 8785 itself writes a double.
func Canonical(raw []byte) ([]byte, error) {
	d, err := readDocument(raw, defaultDepth, defaultBytes)
	if err != nil {
		return nil, err
	}
	if err := d.numbers(); err != nil {
		return nil, err
	}
	w := canons.Get().(*canon)
	defer canons.Put(w)
	w.doc, w.buf, w.order, w.instants, w.bare, w.unsigned = d, make([]byte, 0, len(raw)), w.order[:0], false, false, false
	w.value(0)
	form := w.buf
	w.doc, w.buf = nil, nil
	return form, nil
}

// numbers checks that every number has a canonical form.
func (d *document) numbers() *Error {
	for i := range d.nodes {
		if d.nodes[i].kind == '0' {
			if why := wrongNumber(d.raw(int32(i))); why != "" {
				return &Error{Line: d.line(int32(i)), Text: why}
			}
		}
	}
	return nil
}

// plainInteger tells whether s is an integer of so few digits that it is its own canonical form.
func plainInteger(s string) bool {
	if len(s) > 15 || s == "-0" {
		return false
	}
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (i > 0 || s[i] != '-') {
			return false
		}
	}
	return true
}

// wrongNumber says why the JSON number s has no canonical form, or "".
func wrongNumber(s string) string {
	if plainInteger(s) {
		return ""
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return fmt.Sprintf("the number %s is beyond double precision (IEEE 754)", shorten(s))
	}
	if strings.ContainsAny(s, ".eE") || math.Abs(f) < 1<<53 {
		return ""
	}
	if s == strconv.FormatFloat(f, 'f', 0, 64) || s == string(appendNumber(nil, s)) {
		return ""
	}
	return fmt.Sprintf("the integer %s is not exact in double precision (IEEE 754); write it as a string", shorten(s))
}

// appendNumber appends the canonical form of the JSON number s, which wrongNumber has passed.
func appendNumber(b []byte, s string) []byte {
	if plainInteger(s) {
		return append(b, s...)
	}
	f, _ := strconv.ParseFloat(s, 64)
	if f == 0 {
		return append(b, '0') // -0 too
	}
	return jsontext.AppendFloat(b, f, 64)
}

// canon writes a document in canonical form.
type canon struct {
	doc      *document
	buf      []byte
	order    []member // a stack of the members of the objects being written
	instants bool     // write timestamps as the instants they name
	bare     bool     // leave the TLP out of the object's object_marking_refs
	unsigned bool     // leave the object's signature out of its extensions
	within   int32    // the extensions being written without the signature
}

type member struct {
	name  string
	value int32
}

func (w *canon) value(n int32) {
	v := &w.doc.nodes[n]
	switch v.kind {
	case '{':
		w.object(n)
	case '[':
		w.list(n)
	case '"':
		if w.instants && v.instant {
			w.buf = append(w.buf, '"')
			w.buf = append(w.buf, instant(w.doc.string(n))...)
			w.buf = append(w.buf, '"')
			return
		}
		w.string(n)
	case '0':
		w.buf = appendNumber(w.buf, w.doc.raw(n))
	default:
		w.buf = append(w.buf, w.doc.raw(n)...)
	}
}

// string writes a string or a name. One without a backslash is in canonical form as it stands.
func (w *canon) string(n int32) {
	if !w.doc.nodes[n].escaped {
		w.buf = append(w.buf, w.doc.raw(n)...)
		return
	}
	w.buf, _ = jsontext.AppendQuote(w.buf, w.doc.string(n)) // sound: the strict decoder took it
}

func (w *canon) list(n int32) {
	w.buf = append(w.buf, '[')
	for i, v := range w.doc.items(n) {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.value(v)
	}
	w.buf = append(w.buf, ']')
}

func (w *canon) object(n int32) {
	base := len(w.order)
	for name, v := range w.doc.members(n) {
		if w.unsigned && w.signature(n, name, v) {
			continue
		}
		w.order = append(w.order, member{name, v})
	}
	slices.SortFunc(w.order[base:], func(a, b member) int { return compareUTF16(a.name, b.name) })
	w.buf = append(w.buf, '{')
	first := true
	for i := base; i < len(w.order); i++ {
		m := w.order[i]
		refs, cut := []int32(nil), w.bare && n == 0 && m.name == "object_marking_refs"
		if cut {
			if refs = w.unlevelled(m.value); len(refs) == 0 {
				continue
			}
		}
		if !first {
			w.buf = append(w.buf, ',')
		}
		first = false
		w.string(m.value - 1)
		w.buf = append(w.buf, ':')
		if cut {
			w.picked(refs)
		} else {
			w.value(m.value)
		}
	}
	w.order = w.order[:base]
	w.buf = append(w.buf, '}')
}

// signature tells whether a member is left out of the form that is signed: the signature itself, and extensions that
// hold nothing else.
func (w *canon) signature(n int32, name string, v int32) bool {
	switch {
	case n == 0 && name == "extensions":
		w.within = v
		return w.doc.onlySignature(v)
	case n > 0 && n == w.within:
		return name == SignatureExtension
	}
	return false
}

// unlevelled are the elements of a list of marking references that are no TLP.
func (w *canon) unlevelled(n int32) []int32 {
	var kept []int32
	for _, v := range w.doc.items(n) {
		if MarkingOf(w.doc.string(v)) == None {
			kept = append(kept, v)
		}
	}
	return kept
}

func (w *canon) picked(list []int32) {
	w.buf = append(w.buf, '[')
	for i, v := range list {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.value(v)
	}
	w.buf = append(w.buf, ']')
}

// compareUTF16 orders names as RFC 8785 asks: by UTF-16 code units.
func compareUTF16(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] >= 0x80 || b[i] >= 0x80 {
			return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		}
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

// sums are the digests of an object.
type sums struct{ whole, bare [32]byte }

// canons are reused for the space of their forms.
var canons = sync.Pool{New: func() any { return new(canon) }}

// digests computes both digests once; d has been checked, so that its timestamps are known.
func (d *document) digests() sums {
	d.once.Do(func() {
		w := canons.Get().(*canon)
		defer canons.Put(w)
		d.sums.whole = w.sum(d, false)
		d.sums.bare = d.sums.whole
		if d.levelled() {
			d.sums.bare = w.sum(d, true)
		}
		w.doc = nil
	})
	return d.sums
}

func (w *canon) sum(d *document, bare bool) [32]byte {
	w.doc, w.buf, w.order, w.instants, w.bare, w.unsigned, w.within = d, w.buf[:0], w.order[:0], true, bare, true, 0
	w.value(0)
	return sha256.Sum256(w.buf)
}

// levelled tells whether object_marking_refs names a TLP.
func (d *document) levelled() bool {
	for _, v := range d.items(d.get(0, "object_marking_refs")) {
		if MarkingOf(d.string(v)) != None {
			return true
		}
	}
	return false
}
