package stix

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// SignatureExtension names the property extension in which an object carries the signature of its creator.
const SignatureExtension = "extension-definition--7e0c5a94-1b3d-4f68-a2c7-d95e3b806f12"

// Bounds on what a signature says of itself.
const (
	maxSigner    = 128 // bytes of signer and of key
	maxSignature = 1024
)

// A Signature is what an object says about who signed it. This package carries it; what it is worth is for others to
// judge, by [Object.SignedBytes].
type Signature struct {
	Signer string // whose key it is
	Key    string // names the key among those of the signer
	Value  []byte
}

// check says what is wrong with the form of s.
func (s Signature) check(id string) *Error {
	wrong := func(name, text string) *Error {
		return &Error{ID: id, Property: "extensions." + SignatureExtension + "." + name, Text: text}
	}
	switch {
	case !plainName(s.Signer):
		return wrong("signer", "must be a name of at most 128 letters, digits and signs of ASCII")
	case !plainName(s.Key):
		return wrong("key", "must be a name of at most 128 letters, digits and signs of ASCII")
	case len(s.Value) == 0 || len(s.Value) > maxSignature:
		return wrong("signature", "must be of 1 to 1024 bytes, written in base64url without padding")
	}
	return nil
}

// plainName tells whether s is short, visible ASCII that JSON writes as it is.
func plainName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return s != "" && len(s) <= maxSigner
}

// Signature is the signature that the object carries; ok is false when it carries none. One that has more, fewer or
// other properties than a signature has is an error: nothing within it goes unjudged.
func (o Object) Signature() (s Signature, ok bool, err error) {
	if o.doc == nil {
		return s, false, errNoObject
	}
	n := o.doc.get(o.doc.get(0, "extensions"), SignatureExtension)
	if n < 0 {
		return s, false, nil
	}
	wrong := &Error{ID: o.ID, Property: "extensions." + SignatureExtension,
		Text: "is not a signature; it has the strings extension_type (property-extension), signer, key and signature (base64url without padding), and no other"}
	texts := map[string]string{}
	for name, v := range o.doc.members(n) {
		if o.doc.kind(v) != '"' {
			return s, true, wrong
		}
		texts[name] = o.doc.string(v)
	}
	s.Signer, s.Key = texts["signer"], texts["key"]
	s.Value, err = base64.RawURLEncoding.Strict().DecodeString(texts["signature"])
	if len(texts) != 4 || texts["extension_type"] != "property-extension" || err != nil || bytes.ContainsAny([]byte(texts["signature"]), "\r\n") {
		return Signature{}, true, wrong
	}
	if err := s.check(o.ID); err != nil {
		return Signature{}, true, err
	}
	return s, true, nil
}

// WithSignature is the object with s in place of the signature that it carries, if any; all other bytes and their
// order stay.
func (o Object) WithSignature(s Signature) (Object, error) {
	if o.doc == nil {
		return Object{}, errNoObject
	}
	if err := s.check(o.ID); err != nil {
		return Object{}, err
	}
	value, err := json.Marshal(struct {
		Type   string `json:"extension_type"`
		Signer string `json:"signer"`
		Key    string `json:"key"`
		Value  string `json:"signature"`
	}{"property-extension", s.Signer, s.Key, base64.RawURLEncoding.EncodeToString(s.Value)})
	if err != nil {
		return Object{}, err
	}
	d, member := o.doc, strconv.Quote(SignatureExtension)+":"+string(value)
	all := d.get(0, "extensions")
	if all < 0 {
		return o.with("extensions", "{"+member+"}")
	}
	if have := d.get(all, SignatureExtension); have >= 0 {
		return Parse([]byte(d.text[:d.nodes[have].start] + string(value) + d.text[d.nodes[have].end:]))
	}
	at := d.nodes[all].end - 1
	if !d.empty(all) {
		member = "," + member
		for _, v := range d.members(all) {
			at = d.nodes[v].end
		}
	}
	return Parse([]byte(d.text[:at] + member + d.text[at:]))
}

// SignedBytes is what a signature of the object is made over: its canonical form (RFC 8785) without the signature that
// it carries, and without extensions where nothing else is in it.
func (o Object) SignedBytes() ([]byte, error) {
	if o.doc == nil {
		return nil, errNoObject
	}
	w := canons.Get().(*canon)
	defer canons.Put(w)
	w.doc, w.buf, w.order, w.instants, w.bare, w.unsigned, w.within = o.doc, make([]byte, 0, len(o.doc.text)), w.order[:0], false, false, true, 0
	w.value(0)
	form := w.buf
	w.doc, w.buf = nil, nil
	return form, nil
}

// onlySignature tells whether extensions n holds a signature and nothing else, or nothing at all.
func (d *document) onlySignature(n int32) bool {
	if d.kind(n) != '{' {
		return false
	}
	for name := range d.members(n) {
		if name != SignatureExtension {
			return false
		}
	}
	return true
}
