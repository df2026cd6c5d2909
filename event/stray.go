package event

import "math/bits"

// strayReader reads the records of one kind of JSON, and those of other kinds that stand among them as what they are:
// collectors send what comes from many systems as one stream. A record is a stray when this kind knows nothing of it, and
// another kind, or the common schemas, do.
type strayReader struct {
	own     *jsonReader
	mapping *Mapping // of the kind
	any     *anyReader
	strays  map[uint64]bool // by the shape of a record
	last    uint64          // the shape that was asked last, and its answer
	stray   bool
}

func newStrayReader(k *jsonKind, mapping string) reader {
	return &strayReader{own: newJSONReader(k), mapping: MappingOf(mapping), strays: map[uint64]bool{}}
}

func (s *strayReader) read(record []byte, c *Chunk, e *Event) error {
	if err := s.own.read(record, c, e); err != nil || !s.isStray(e) {
		return err
	}
	m := e.Mapping
	if m == s.mapping { // not one that the caller gave
		m = s.any.own
	}
	e.begin(e.Index, e.Raw, m)
	return s.any.read(record, c, e)
}

// isStray says whether the event is of another kind. Records of one shape are, or are not, together.
func (s *strayReader) isStray(e *Event) bool {
	shape := shapeOf(e)
	if shape == s.last {
		return s.stray
	}
	stray, known := s.strays[shape]
	if !known {
		stray = s.own.kind.sure(e) == 0 && s.elsewhere(e)
		if len(s.strays) >= maxShapes {
			clear(s.strays)
		}
		s.strays[shape] = stray
	}
	s.last, s.stray = shape, stray
	return stray
}

// elsewhere says whether another kind, or one of the common schemas, knows the event.
func (s *strayReader) elsewhere(e *Event) bool {
	if s.any == nil {
		s.any = newAnyReader()
	}
	return s.any.kindOf(e) != 0 || e.has("event.category", "class_uid", "product") > 0
}

// shapeOf is a hash of which fields an event has, in whatever order.
func shapeOf(e *Event) uint64 {
	sum := uint64(len(e.Fields))
	for i := range e.Fields {
		x := (uint64(e.Fields[i].Name) + 1) * 0x9E3779B97F4A7C15
		sum += bits.RotateLeft64(x, 31) * 0xBF58476D1CE4E5B9
	}
	return sum
}
