package stix

import (
	"slices"
	"strconv"
)

// WithMarking is the object with m in its object_marking_refs; all other bytes and their order stay. It is the same
// object when it carries m already, and an error when it carries another TLP.
func (o Object) WithMarking(m Marking) (Object, error) {
	have, err := o.ownLevel()
	switch {
	case o.doc == nil:
		return Object{}, errNoObject
	case err != nil:
		return Object{}, err
	case m.ID() == "":
		return Object{}, &Error{ID: o.ID, Text: "cannot be marked with no level; use " + oneOf(markingNames[1:])}
	case have == m:
		return o, nil
	case have != None:
		return Object{}, &Error{ID: o.ID, Property: "object_marking_refs",
			Text: "is marked " + have.Label() + " already; " + m.Label() + " would contradict it"}
	}
	id := strconv.Quote(m.ID())
	refs := o.doc.get(0, "object_marking_refs")
	if refs < 0 {
		return o.with("object_marking_refs", "["+id+"]")
	}
	last := o.doc.nodes[refs].next - 1 // the list is not empty, and holds strings alone
	at := o.doc.nodes[last].end
	return Parse([]byte(o.doc.text[:at] + "," + id + o.doc.text[at:]))
}

// WithCreator is the object with id as its created_by_ref; all other bytes and their order stay. Observables have no
// creator; for them it is an error.
func (o Object) WithCreator(id string) (Object, error) {
	switch {
	case o.doc == nil:
		return Object{}, errNoObject
	case o.IsObservable():
		return Object{}, &Error{ID: o.ID, Property: "created_by_ref", Text: "is not a property of observables; they have no creator"}
	case TypeOf(id) != "identity":
		return Object{}, &Error{ID: o.ID, Property: "created_by_ref", Text: "is " + quoted(id) + "; must be the id of an identity"}
	}
	return o.with("created_by_ref", strconv.Quote(id))
}

// WithCreated is the object with another created timestamp; all other bytes and their order stay. modified must not
// lie before it.
func (o Object) WithCreated(text string) (Object, error) {
	if o.doc == nil {
		return Object{}, errNoObject
	}
	return o.with("created", strconv.Quote(text))
}

// WithModified is the object with another modified timestamp; all other bytes and their order stay. It must not lie
// before created.
func (o Object) WithModified(text string) (Object, error) {
	if o.doc == nil {
		return Object{}, errNoObject
	}
	return o.with("modified", strconv.Quote(text))
}

// with sets a property to a JSON value: in its place, or behind the last one.
func (o Object) with(name, value string) (Object, error) {
	d := o.doc
	if v := d.get(0, name); v >= 0 {
		return Parse([]byte(d.text[:d.nodes[v].start] + value + d.text[d.nodes[v].end:]))
	}
	at := d.lastMember()
	return Parse([]byte(d.text[:at] + "," + strconv.Quote(name) + ":" + value + d.text[at:]))
}

// lastMember is the offset behind the value of the object's last property.
func (d *document) lastMember() int32 {
	var ends []int32
	for _, v := range d.members(0) {
		ends = append(ends, d.nodes[v].end)
	}
	return slices.Max(ends) // an object of STIX has members
}
