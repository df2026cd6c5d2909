package stix

import (
	"strings"
	"sync"
)

// An Object is one STIX 2.1 object that has been checked: the decoded envelope beside the bytes as received.
// It is a value and does not change; [Object.WithMarking] and [Object.WithCreator] return another. Unknown properties
// are in the bytes. A property that is absent leaves its field zero. Identifiers are in lower case here, whatever their
// spelling in the bytes, so that they can be compared.
type Object struct {
	Type         string
	ID           string
	SpecVersion  string
	CreatedByRef string
	Created      Timestamp
	Modified     Timestamp
	ValidFrom    Timestamp
	ValidUntil   Timestamp
	Revoked      bool
	MarkingRefs  []string // object_marking_refs
	Granular     []Granular
	Labels       []string
	Lang         string

	Name             string
	Description      string
	Pattern          string
	PatternType      string
	ObjectRefs       []string
	RelationshipType string
	SourceRef        string
	TargetRef        string
	SightingOfRef    string
	Value            string // of the observables that have one

	doc   *document
	class class
}

// Parse reads one STIX 2.1 object strictly: as JSON (unique names, valid UTF-8, nothing behind it, at most 64 levels and
// 8 MiB), and as STIX (every rule of the standard that one object alone must meet). It keeps the bytes as they are.
// The error is an *[Error] that names the first wrong property.
func Parse(raw []byte) (Object, error) { return parse(raw, Limits{}.filled()) }

// Check is like [Parse], and returns everything that is wrong with the object, in the order of its text, and nothing
// when it is right.
func Check(raw []byte) []*Error {
	_, errs := examine(raw, Limits{}.filled(), maxErrors, false)
	return errs
}

// Hints is what the standard advises on a sound object beyond what it demands, such as words outside its vocabularies.
func Hints(raw []byte) []*Error {
	if len(Check(raw)) > 0 {
		return nil
	}
	_, hints := examine(raw, Limits{}.filled(), maxErrors, true)
	return hints
}

// maxErrors bounds what is gathered of one object.
const maxErrors = 100

func parse(raw []byte, limits Limits) (Object, error) {
	d, errs := examine(raw, limits, 1, false)
	if len(errs) > 0 {
		return Object{}, errs[0]
	}
	return d.decode(), nil
}

// checkers are reused for the space of their paths.
var checkers = sync.Pool{New: func() any { return new(checker) }}

// examine reads and checks an object. It returns at most so many errors, and with hints what the standard advises too.
func examine(raw []byte, limits Limits, most int, hints bool) (*document, []*Error) {
	d, err := readDocument(raw, limits.Depth, limits.ObjectBytes)
	if err != nil {
		return nil, []*Error{err}
	}
	c := checkers.Get().(*checker)
	defer checkers.Put(c)
	*c = checker{d: d, path: c.path[:0], most: most, hints: hints, table: specs}
	c.id = shorten(d.textOf(0, "id"))
	c.object(0)
	if err := d.numbers(); err != nil && len(c.errs) < most {
		err.ID = c.id
		c.errs = append(c.errs, err)
	}
	c.d = nil
	return d, c.errs
}

// decode fills the envelope from a document that has been checked.
func (d *document) decode() Object {
	o := Object{doc: d, class: classOf(d)}
	for name, v := range d.members(0) {
		switch name {
		case "created":
			o.Created = d.moment(v)
		case "modified":
			o.Modified = d.moment(v)
		case "valid_from":
			o.ValidFrom = d.moment(v)
		case "valid_until":
			o.ValidUntil = d.moment(v)
		case "revoked":
			o.Revoked = d.kind(v) == 't'
		case "object_marking_refs":
			o.MarkingRefs = foldIDs(d.strings(v))
		case "granular_markings":
			o.Granular = d.granular(v)
		case "labels":
			o.Labels = d.strings(v)
		case "object_refs":
			o.ObjectRefs = foldIDs(d.strings(v))
		default:
			if field := o.text(name); field != nil && d.kind(v) == '"' {
				*field = d.string(v)
			}
			if field := o.identifier(name); field != nil && d.kind(v) == '"' {
				*field = foldID(d.string(v))
			}
		}
	}
	return o
}

// identifier is the field that holds an identifier, or nil.
func (o *Object) identifier(name string) *string {
	switch name {
	case "id":
		return &o.ID
	case "created_by_ref":
		return &o.CreatedByRef
	case "source_ref":
		return &o.SourceRef
	case "target_ref":
		return &o.TargetRef
	case "sighting_of_ref":
		return &o.SightingOfRef
	}
	return nil
}

// text is the field that holds another string property, or nil.
func (o *Object) text(name string) *string {
	switch name {
	case "type":
		return &o.Type
	case "spec_version":
		return &o.SpecVersion
	case "lang":
		return &o.Lang
	case "name":
		return &o.Name
	case "description":
		return &o.Description
	case "pattern":
		return &o.Pattern
	case "pattern_type":
		return &o.PatternType
	case "relationship_type":
		return &o.RelationshipType
	case "value":
		return &o.Value
	}
	return nil
}

func classOf(d *document) class {
	if s := specs[d.textOf(0, "type")]; s != nil {
		return s.class
	}
	return classOfCustom(d, 0, false)
}

// moment is the timestamp n, or the zero one where a custom type means something else by the name.
func (d *document) moment(n int32) Timestamp {
	if d.kind(n) != '"' {
		return Timestamp{}
	}
	t, _ := parseTimestamp(d.string(n)) // zero when it is none
	return t
}

func (d *document) granular(n int32) []Granular {
	var all []Granular
	for _, v := range d.items(n) {
		all = append(all, Granular{d.strings(d.get(v, "selectors")), foldID(d.textOf(v, "marking_ref")), d.textOf(v, "lang")})
	}
	return all
}

// Raw is the object as received. It is the caller's to keep and change.
func (o Object) Raw() []byte {
	if o.doc == nil {
		return nil
	}
	return []byte(o.doc.text)
}

// Text is the object as received, as a string.
func (o Object) Text() string {
	if o.doc == nil {
		return ""
	}
	return o.doc.text
}

// MarshalJSON returns the object as received.
func (o Object) MarshalJSON() ([]byte, error) {
	if o.doc == nil {
		return []byte("null"), nil
	}
	return o.Raw(), nil
}

// Property is the JSON of a property of the object as received, or nil when it has none of that name.
func (o Object) Property(name string) []byte {
	if o.doc == nil {
		return nil
	}
	if v := o.doc.get(0, name); v >= 0 {
		return []byte(o.doc.raw(v))
	}
	return nil
}

// IsObservable tells whether the object is an observable (SCO): without creator, time and versions.
func (o Object) IsObservable() bool { return o.class == observable && o.doc != nil }

// IsRelation tells whether the object is a relationship object (SRO): a relationship or a sighting.
func (o Object) IsRelation() bool { return o.class == relationObject }

// IsMarkingFree tells whether the object needs no TLP (rule X2): marking-definition, extension-definition, language-content.
func (o Object) IsMarkingFree() bool { return o.class == metaObject }

// Version names this version of the object among those of its id: the instant of modified, or of created where there is
// no modified, in one form for equal instants ("2024-01-02T03:04:05.123Z"). It is "" for observables.
func (o Object) Version() string {
	switch {
	case o.IsObservable():
		return ""
	case !o.Modified.IsZero():
		return o.Modified.Instant()
	}
	return o.Created.Instant()
}

// Digest is the SHA-256 of the object's canonical form (RFC 8785) with its timestamps written as instants and without
// the signature that it carries. Two objects are equal (rule X16) exactly when their digests are. It is computed once.
// Only the zero Object has none.
func (o Object) Digest() ([32]byte, error) {
	if o.doc == nil {
		return [32]byte{}, errNoObject
	}
	return o.doc.digests().whole, nil
}

// DigestWithoutLevel is the [Object.Digest] of the object without the TLP in its object_marking_refs, and without that property
// if nothing else is in it: objects that differ in their level alone have the same.
func (o Object) DigestWithoutLevel() ([32]byte, error) {
	if o.doc == nil {
		return [32]byte{}, errNoObject
	}
	return o.doc.digests().bare, nil
}

var errNoObject = &Error{Text: "there is no object; take one from Parse"}

// A Ref is a reference to another object.
type Ref struct {
	Property string // path of the property that holds it, as in granular_markings[0].marking_ref
	ID       string
}

// Refs are all references that the object makes, in the order of its text: the identifiers under properties whose names
// end in _ref or _refs, custom ones included, at any depth.
func (o Object) Refs() []Ref {
	if o.doc == nil {
		return nil
	}
	w := refWalk{checker: checker{d: o.doc}}
	w.object(0)
	return w.refs
}

type refWalk struct {
	checker
	refs []Ref
}

func (w *refWalk) object(n int32) {
	for name, v := range w.d.members(n) {
		back := w.enter(name)
		switch {
		case strings.HasSuffix(name, "_ref"):
			w.ref(v)
		case strings.HasSuffix(name, "_refs"):
			for i, item := range w.d.items(v) {
				inside := w.enterItem(i)
				w.ref(item)
				w.path = w.path[:inside]
			}
		default:
			w.within(v)
		}
		w.path = w.path[:back]
	}
}

func (w *refWalk) within(n int32) {
	w.object(n)
	for i, v := range w.d.items(n) {
		back := w.enterItem(i)
		w.within(v)
		w.path = w.path[:back]
	}
}

func (w *refWalk) ref(n int32) {
	if w.d.kind(n) != '"' {
		return
	}
	if id := w.d.string(n); ValidID(id) {
		w.refs = append(w.refs, Ref{string(w.path), foldID(id)})
	}
}
