package history

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/polder-exchange/polder/event"
)

// The column raw_fields says where the fields of an event lie in its raw_data, so that a rule that is run over history
// sees just what it would have seen live, without the record being decoded again. All numbers are varints:
//
//	source mapping                  indexes into the dictionary of the segment
//	then for each field
//	    name                        as above; 0 is event.Other
//	    how                         bits 0-1 the kind, 2 escaped, 3 the value stands here
//	    length bytes                of a value that stands here
//	    skip length                 of one in raw_data: bytes from the end of the value before, zigzag

const (
	howKind    = 3
	howEscaped = 4
	howInline  = 8
)

// searchWindow is how far behind the last value the next is looked for in the record, when it is not a part of it.
const searchWindow = 1 << 12

// appendLayout appends the layout of ev, whose Raw and fields have not changed since it was decoded.
func appendLayout(b []byte, ev *event.Event, source, mapping uint64) []byte {
	b = binary.AppendUvarint(b, source)
	b = binary.AppendUvarint(b, mapping)
	return appendFields(b, ev)
}

// appendFields appends where each field of ev lies.
func appendFields(b []byte, ev *event.Event) []byte {
	end := 0
	for i := range ev.Fields {
		f := &ev.Fields[i]
		how := byte(f.Kind) & howKind
		if f.Escaped {
			how |= howEscaped
		}
		b = binary.AppendUvarint(b, uint64(f.Name))
		at := place(ev.Raw, f.Value, end)
		if at < 0 {
			b = append(b, how|howInline)
			b = binary.AppendUvarint(b, uint64(len(f.Value)))
			b = append(b, f.Value...)
			continue
		}
		b = append(b, how)
		b = binary.AppendVarint(b, int64(at-end))
		b = binary.AppendUvarint(b, uint64(len(f.Value)))
		end = at + len(f.Value)
	}
	return b
}

// place is where value stands in raw, -1 when it is not found near.
func place(raw, value []byte, end int) int {
	if len(value) == 0 {
		return end
	}
	if at := cap(raw) - cap(value); at >= 0 && at+len(value) <= len(raw) && bytes.Equal(raw[at:at+len(value)], value) {
		return at
	}
	if at := bytes.Index(raw[end:min(len(raw), end+searchWindow+len(value))], value); at >= 0 {
		return end + at
	}
	return -1
}

// noName is in the place of a number that has no name.
const noName = event.Name(1<<32 - 1)

// maxNumber bounds the numbers of names in a segment.
const maxNumber = 1 << 20

// setName puts a name down. A number out of bounds has none.
func (l *layout) setName(n uint64, name event.Name) {
	if n >= maxNumber {
		return
	}
	for uint64(len(l.names)) <= n {
		l.names = append(l.names, noName)
	}
	l.names[n] = name
}

var errLayout = errors.New("raw_fields does not fit raw_data")

// layout reads what appendLayout wrote. It is for one goroutine.
type layout struct {
	names    []event.Name // by number; noName where there is none
	sources  map[uint64]*event.Source
	mappings map[uint64]*event.Mapping
	words    words
}

// read sets the fields, source and mapping of e, whose Raw is set. They point into Raw and data.
func (l *layout) read(data []byte, e *event.Event) error {
	e.Fields = e.Fields[:0]
	short := false
	number := func() uint64 {
		if len(data) > 0 && data[0] < 0x80 {
			n := data[0]
			data = data[1:]
			return uint64(n)
		}
		n, size := binary.Uvarint(data)
		if size <= 0 {
			short, data = true, nil
			return 0
		}
		data = data[size:]
		return n
	}
	var ok, known bool
	e.Source, ok = l.sources[number()]
	e.Mapping, known = l.mappings[number()]
	if !ok || !known {
		return errLayout
	}
	end := 0
	for len(data) > 0 {
		n := number()
		if n >= uint64(len(l.names)) || l.names[n] == noName || len(data) == 0 {
			return errLayout
		}
		name := l.names[n]
		how := data[0]
		data = data[1:]
		f := event.Field{Name: name, Kind: event.Kind(how & howKind), Escaped: how&howEscaped != 0}
		if how&howInline != 0 {
			n := number()
			if short || n > uint64(len(data)) {
				return errLayout
			}
			f.Value, data = data[:n:n], data[n:]
		} else {
			skip, size := binary.Varint(data)
			if size <= 0 {
				return errLayout
			}
			data = data[size:]
			n := number()
			at := int64(end) + skip
			if short || at < 0 || at > int64(len(e.Raw)) || n > uint64(int64(len(e.Raw))-at) {
				return errLayout
			}
			f.Value = e.Raw[at : at+int64(n)]
			end = int(at) + int(n)
		}
		e.Fields = append(e.Fields, f)
	}
	if short {
		return errLayout
	}
	return nil
}

// eachName calls fn for the number of each name in a layout.
func eachName(data []byte, fn func(name uint64)) (source, mapping uint64, ok bool) {
	number := func() uint64 {
		n, size := binary.Uvarint(data)
		if size <= 0 {
			ok, data = false, nil
			return 0
		}
		data = data[size:]
		return n
	}
	ok = true
	source, mapping = number(), number()
	for ok && len(data) > 0 {
		fn(number())
		if len(data) == 0 {
			return 0, 0, false
		}
		how := data[0]
		data = data[1:]
		if how&howInline == 0 {
			number() // skip; a zigzag varint has the same length
			number()
			continue
		}
		n := number()
		if n > uint64(len(data)) {
			return 0, 0, false
		}
		data = data[n:]
	}
	return source, mapping, ok
}

// relay is a layout with the names, source and mapping numbered as in this process.
func (s *Store) relay(l *layout, r *row, fields []byte) ([]byte, error) {
	source, mapping, ok := eachName(fields, func(uint64) {})
	if !ok || l.sources[source] == nil || l.mappings[mapping] == nil {
		return nil, errLayout
	}
	var out []byte
	newSource, _ := s.words.numbers(l.sources[source], nil)
	newMapping := s.words.named(l.words.Mappings[mapping])
	out = binary.AppendUvarint(out, newSource)
	out = binary.AppendUvarint(out, newMapping)
	e := event.Event{Raw: r.Raw}
	if err := l.read(fields, &e); err != nil {
		return nil, err
	}
	return appendFields(out, &e), nil
}
