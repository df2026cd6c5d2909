package stix

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Members are the properties of an object that is being made, in the order in which they are set.
type Members struct {
	names  []string
	values [][]byte
	err    error
}

// Set gives a property a value. What says nothing is left out: an empty string, a zero time, an empty list or map, nil,
// and an object without members; false and 0 are written. A name that was set before gets the new value in its old place.
//
// A value is a string, a bool, an integer, a float64, a time.Time or [Timestamp], a []string, a map[string]string (written
// in the order of its keys), a json.RawMessage (any JSON), a func(*Members) for an object within, or a []func(*Members) for
// a list of them. Another type, and JSON that is not sound, make the object fail.
func (m *Members) Set(name string, value any) {
	b, err := encode(value)
	if err != nil {
		m.fail(name, err)
		return
	}
	if b == nil {
		return
	}
	if i := slices.Index(m.names, name); i >= 0 {
		m.values[i] = b
		return
	}
	m.names, m.values = append(m.names, name), append(m.values, b)
}

// Has tells whether a property has been set to something.
func (m *Members) Has(name string) bool { return slices.Contains(m.names, name) }

func (m *Members) fail(name string, err error) {
	if m.err != nil {
		return
	}
	e := &Error{Property: shorten(name), Text: err.Error()}
	if within, ok := err.(*Error); ok {
		e.Property, e.Text = e.Property+"."+within.Property, within.Text
	}
	m.err = e
}

// encode is the JSON of a value, or nil when it says nothing.
func encode(value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return encodeText(v)
	case bool:
		return strconv.AppendBool(nil, v), nil
	case int:
		return strconv.AppendInt(nil, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(nil, v, 10), nil
	case uint32:
		return strconv.AppendUint(nil, uint64(v), 10), nil
	case uint64:
		return strconv.AppendUint(nil, v, 10), nil
	case float64:
		return encodeFloat(v)
	case time.Time:
		return encodeTime(v)
	case Timestamp:
		return encodeText(v.Text)
	case []string:
		return encodeList(v, quote)
	case map[string]string:
		return encodeMap(v)
	case json.RawMessage:
		return encodeRaw(v)
	case func(*Members):
		return encodeObject(v)
	case []func(*Members):
		return encodeList(v, encodeObject)
	}
	return nil, fmt.Errorf("cannot be written from a %T", value)
}

func encodeText(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	return quote(s)
}

func quote(s string) ([]byte, error) {
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return nil, errors.New("is not valid UTF-8")
	}
	return b, nil
}

func encodeFloat(f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("is %v, which JSON cannot write", f)
	}
	return jsontext.AppendFloat(nil, f, 64), nil
}

func encodeTime(t time.Time) ([]byte, error) {
	switch y := t.UTC().Year(); {
	case t.IsZero():
		return nil, nil
	case y < 0 || y > 9999:
		return nil, fmt.Errorf("is of the year %d; timestamps are of the years 0 to 9999", y)
	}
	return jsontext.AppendQuote(nil, FormatTime(t))
}

func encodeList[T any](list []T, item func(T) ([]byte, error)) ([]byte, error) {
	var b []byte
	for _, v := range list {
		one, err := item(v)
		if err != nil {
			return nil, err
		}
		if one == nil {
			continue
		}
		b = append(append(b, ','), one...)
	}
	if b == nil {
		return nil, nil
	}
	b[0] = '['
	return append(b, ']'), nil
}

func encodeMap(m map[string]string) ([]byte, error) {
	return encodeObject(func(within *Members) {
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, compareUTF16)
		for _, k := range keys {
			within.Set(k, m[k])
		}
	})
}

func encodeRaw(raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if wrong := strict(raw); wrong != nil {
		return nil, errors.New(wrong.Text)
	}
	return []byte(strings.TrimSpace(string(raw))), nil
}

func encodeObject(set func(*Members)) ([]byte, error) {
	var m Members
	set(&m)
	if m.err != nil {
		return nil, m.err
	}
	if len(m.names) == 0 {
		return nil, nil
	}
	return m.json()
}

// json writes the members in the order set.
func (m *Members) json() ([]byte, error) {
	b := []byte{}
	for i, name := range m.names {
		var err error
		b = append(b, ',')
		if b, err = jsontext.AppendQuote(b, name); err != nil {
			return nil, fmt.Errorf("the name %s is not valid UTF-8", quoted(name))
		}
		b = append(append(b, ':'), m.values[i]...)
	}
	b[0] = '{'
	return append(b, '}'), nil
}

// The properties that the standard prints before and behind an object's own.
var (
	headProps = []string{"type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked"}
	tailProps = []string{"labels", "confidence", "lang", "external_references", "object_marking_refs", "granular_markings", "extensions"}
)

// sort puts the members in the order in which the standard prints them; its own properties keep the order set.
func (m *Members) sort() {
	sorted := Members{err: m.err}
	pick := func(want func(name string) bool) {
		for i, name := range m.names {
			if want(name) {
				sorted.names, sorted.values = append(sorted.names, name), append(sorted.values, m.values[i])
			}
		}
	}
	for _, p := range headProps {
		pick(func(name string) bool { return name == p })
	}
	pick(func(name string) bool { return !slices.Contains(headProps, name) && !slices.Contains(tailProps, name) })
	for _, p := range tailProps {
		pick(func(name string) bool { return name == p })
	}
	*m = sorted
}

// Make makes a STIX 2.1 object of that type, compact and in the order in which the standard prints properties, and
// checks it as [Parse] does. type and spec_version are set; an id that set does not give is made: the deterministic one
// for observables that have such, else a random one. Times are the caller's to set: modified follows created if it is not given.
func Make(typ string, set func(m *Members)) (Object, error) {
	var m Members
	m.Set("type", typ)
	set(&m)
	m.Set("type", typ)
	m.Set("spec_version", "2.1")
	if i := slices.Index(m.names, "created"); i >= 0 && !m.Has("modified") && typ != "marking-definition" {
		m.Set("modified", json.RawMessage(m.values[i]))
	}
	if m.err != nil {
		return Object{}, m.err
	}
	if !m.Has("id") {
		id, err := m.newID(typ)
		if err != nil {
			return Object{}, err
		}
		m.Set("id", id)
	}
	m.sort()
	raw, err := m.json()
	if err != nil {
		return Object{}, &Error{Text: err.Error()}
	}
	return Parse(raw)
}

func (m *Members) newID(typ string) (string, error) {
	s := specs[typ]
	if s == nil || s.class != observable {
		return NewID(typ), nil
	}
	raw, err := m.json()
	if err != nil {
		return "", &Error{Text: err.Error()}
	}
	d, wrong := readDocument(raw, defaultDepth, defaultBytes)
	if wrong != nil {
		return "", wrong
	}
	if wrong := d.numbers(); wrong != nil {
		return "", wrong
	}
	if id := d.observableID(0, typ, s.ids); id != "" {
		return id, nil
	}
	return NewID(typ), nil
}
