package stix

import (
	"encoding/hex"
	"slices"
)

// observableNamespace is the UUID namespace in which STIX makes the ids of observables.
var observableNamespace = mustUUID("00abedb4aa42466c9c01fed23315a9b7")

func mustUUID(s string) (u [16]byte) {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return [16]byte(b)
}

// preferredHashes are the algorithms of which the first one given makes up an observable's id.
var preferredHashes = []string{"MD5", "SHA-1", "SHA-256", "SHA-512"}

// ObservableID is the version-5 id of the observable in raw, made of its properties as STIX 2.1 says. It is an error
// when the type has no such properties, or the object has none of them: it then carries a random id, as [NewID] makes.
// The object itself is not checked, and its own id, if it has one, is ignored.
func ObservableID(raw []byte) (string, error) {
	d, err := readDocument(raw, defaultDepth, defaultBytes)
	if err != nil {
		return "", err
	}
	if err := d.numbers(); err != nil {
		return "", err
	}
	typ := d.textOf(0, "type")
	s := specs[typ]
	if s == nil || s.class != observable {
		return "", &Error{Property: "type", Text: "is " + quoted(typ) + "; must be an observable of the standard"}
	}
	id := d.observableID(0, typ, s.ids)
	if id == "" {
		return "", &Error{Text: "a " + typ + " without any of its id-contributing properties has a random id; make it with NewID"}
	}
	return id, nil
}

// observableID is the version-5 id of observable n, or "" when none of the properties are there.
func (d *document) observableID(n int32, typ string, ids []string) string {
	names := slices.Clone(ids)
	slices.Sort(names)
	w := canon{doc: d, buf: []byte{'{'}}
	for _, name := range names {
		v := d.get(n, name)
		if v < 0 {
			continue
		}
		if len(w.buf) > 1 {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(w.buf, '"')
		w.buf = append(w.buf, name...)
		w.buf = append(w.buf, '"', ':')
		if h := d.preferredHash(v); name == "hashes" && h >= 0 {
			w.buf = append(w.buf, '{')
			w.string(h - 1)
			w.buf = append(w.buf, ':')
			w.value(h)
			w.buf = append(w.buf, '}')
			continue
		}
		w.value(v)
	}
	if len(w.buf) == 1 {
		return ""
	}
	return typ + "--" + nameUUID(observableNamespace, append(w.buf, '}'))
}

// preferredHash is the hash of n that counts: the first by preference, else the first by name; -1 when n holds none.
func (d *document) preferredHash(n int32) int32 {
	for _, name := range preferredHashes {
		if v := d.get(n, name); v >= 0 {
			return v
		}
	}
	first, found := "", int32(-1)
	for name, v := range d.members(n) {
		if found < 0 || compareUTF16(name, first) < 0 {
			first, found = name, v
		}
	}
	return found
}

// deterministicID checks a version-5 id of an observable (rule X15); one of version 1 to 4 is taken as it is.
func deterministicID(c *checker, n int32) {
	id := foldID(c.d.textOf(n, "id"))
	if c.nested || TypeOf(id) != c.typ || uuidVersion(id) != 5 {
		return
	}
	s := c.table[c.typ]
	if s == nil {
		return // which properties make up the id of a custom observable only its extension knows
	}
	switch want := c.d.observableID(n, c.typ, s.ids); want {
	case id:
	case "":
		c.failAt(n, "id", "is of version 5, while nothing given makes up such an id; use one of version 4")
	default:
		c.failAt(n, "id", "is of version 5, so it must be the one of its properties, "+want+"; or use one of version 4")
	}
}
