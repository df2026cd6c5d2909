package event

// anyJSON is the kind of JSON of which the file as a whole says nothing.
var anyJSON = &jsonKind{
	format: JSON,
	sure:   func(*Event) int { return 10 },
	watch:  schemaPaths,
	times: []stamp{
		{"@timestamp", readStamp}, {"timestamp", readStamp}, {"time", readStamp}, {"ts", readStamp}, {"eventTime", readStamp},
		{"UtcTime", readStamp}, {"TimeCreated", readStamp}, {"EventTime", readStamp}, {"event_time", readStamp},
		{"datetime", readStamp}, {"date", readStamp}, {"Timestamp", readStamp}, {"Time", readStamp}, {"published", readStamp},
		{"created_at", readStamp}, {"createdAt", readStamp}, {"requestReceivedTimestamp", readStamp}, {"_source.@timestamp", readStamp},
	},
	source: func(r *jsonReader, e *Event) *Source { return r.schemaSource(e) },
}

// anyReader reads JSON of any kind: each record as the kind it is, found by which fields it has, so that a stream may mix
// them.
type anyReader struct {
	first  *jsonReader
	kinds  []format
	shapes map[uint64]int // index+1 in kinds by the shape of a record, 0 for none of them
	subs   []*jsonReader
	names  []*Mapping // of the kinds
	own    *Mapping   // of JSON of any kind
}

// maxShapes bounds the shapes that a reader remembers.
const maxShapes = 1 << 12

func newAnyReader() *anyReader {
	a := &anyReader{first: newJSONReader(anyJSON), shapes: map[uint64]int{}}
	for _, f := range formats() {
		if f.json == anyJSON {
			a.own = MappingOf(f.mapping)
		}
		if f.json != nil && f.json != anyJSON {
			a.kinds = append(a.kinds, f)
			a.names = append(a.names, MappingOf(f.mapping))
		}
	}
	a.subs = make([]*jsonReader, len(a.kinds))
	return a
}

func (a *anyReader) read(record []byte, c *Chunk, e *Event) error {
	if err := a.first.read(record, c, e); err != nil {
		return err
	}
	shape := shapeOf(e)
	i, known := a.shapes[shape]
	if !known {
		i = a.kindOf(e)
		if len(a.shapes) >= maxShapes {
			clear(a.shapes)
		}
		a.shapes[shape] = i
	}
	if i == 0 {
		return nil
	}
	if a.subs[i-1] == nil {
		a.subs[i-1] = newJSONReader(a.kinds[i-1].json)
	}
	m := e.Mapping
	if m == a.own {
		m = a.names[i-1]
	}
	e.begin(e.Index, e.Raw, m)
	return a.subs[i-1].read(record, c, e)
}

// kindOf is the index+1 of the kind that is most certain of the event, 0 when none is.
func (a *anyReader) kindOf(e *Event) int {
	best, most := 0, 0
	for i, f := range a.kinds {
		if sure := f.json.sure(e); sure > most {
			best, most = i+1, sure
		}
	}
	return best
}
