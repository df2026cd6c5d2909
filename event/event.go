package event

import (
	"bytes"
	"strings"
	"time"
)

// Event is one entry of a log in flat form. Its slices belong to whoever decoded it and hold until that one decodes the
// next; Clone keeps it longer. The zero value is ready to be decoded into.
type Event struct {
	// Index counts the records of a file from 0, records that could not be read included.
	Index int
	// Source is what kind of log the event comes from, in Sigma's words. Never nil after decoding; the same pointer
	// for the same source, so that it can key a cache.
	Source *Source
	// Mapping knows under which other names a field of this event may be asked for. Never nil after decoding; the same
	// pointer for the same format.
	Mapping *Mapping
	Fields  []Field
	// Raw is the record as it was received: a line of JSON, an element of XML.
	Raw []byte

	when Clock
}

// Field is one value of an event. A list in the log gives several fields of one name; an object in it gives its members
// under dotted names, "winlog.event_data.Image".
type Field struct {
	Name Name
	Kind Kind
	// Escaped says that Value holds escapes of JSON, which Text resolves. Most values do not.
	Escaped bool
	// Value is the text of the value: of a JSON string what stands between the quotes, of a number its digits, "true"
	// or "false" of a boolean, nothing of null.
	Value []byte
}

// Kind is what a value is in its log. Formats without types have String alone.
type Kind uint8

// The kinds of values.
const (
	String Kind = iota
	Number
	Bool
	Null
)

// Text is the value with its escapes resolved. It appends to buf, which may be nil, only when there are escapes;
// otherwise it is Value itself.
func (f *Field) Text(buf []byte) []byte {
	if !f.Escaped {
		return f.Value
	}
	return unescape(buf, f.Value)
}

// Get is the first field under exactly this name, or nil. It looks at one after the other: for the hot path there is
// the slot table of an engine.
func (e *Event) Get(n Name) *Field {
	for i := range e.Fields {
		if e.Fields[i].Name == n {
			return &e.Fields[i]
		}
	}
	return nil
}

// Clone is the event on memory of its own.
func (e *Event) Clone() Event {
	c := *e
	c.Raw = bytes.Clone(e.Raw)
	c.when.text = bytes.Clone(e.when.text)
	c.Fields = make([]Field, len(e.Fields))
	for i, f := range e.Fields {
		f.Value = bytes.Clone(f.Value)
		c.Fields[i] = f
	}
	return c
}

// Time is when the event happened, by its own word, in UTC; zero when it does not say or says it in no known way. It is
// read when it is asked for.
func (e *Event) Time() time.Time { return e.when.Time() }

// SetTime says when the event happened, for one that does not come from the reader of a log; the zero time is that it is
// not known.
func (e *Event) SetTime(t time.Time) { e.when = Clock{at: t} }

// begin empties the event for the record raw.
func (e *Event) begin(index int, raw []byte, m *Mapping) {
	e.Index, e.Raw, e.Mapping, e.Source = index, raw, m, &nothing
	e.Fields, e.when = e.Fields[:0], Clock{}
}

// add appends a field.
func (e *Event) add(n Name, k Kind, value []byte) {
	e.Fields = append(e.Fields, Field{Name: n, Kind: k, Value: value})
}

// all are the texts of all fields of this name, in lower case.
func (e *Event) all(name string) (texts []string) {
	n := Intern(name)
	for i := range e.Fields {
		if f := &e.Fields[i]; f.Name == n && f.Kind != Null {
			texts = append(texts, lowered(f.Text(nil)))
		}
	}
	return texts
}

func lowered(text []byte) string { return strings.ToLower(string(text)) }

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}
