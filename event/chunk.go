package event

// Chunk is a run of whole records of a stream. It is the caller's own: it may be decoded later, elsewhere, together with
// others, by any decoder of the same scanner.
type Chunk struct {
	First  int    // index of its first record
	Data   []byte // the records, with what stands between them
	Line   int64  // of the first byte of Data, from 1
	Offset int64  // of the first byte of Data in the uncompressed stream

	name    string
	max     int    // the longest record that is decoded
	records []span // where the records lie in Data
	context any    // what the format's cutter knows of these records: the header of a table
	refused *Error // instead of records: one record that was not read
}

// Len is how many records the chunk holds, those that cannot be read included.
func (c *Chunk) Len() int {
	if c.refused != nil {
		return 1
	}
	return len(c.records)
}

// span is where a record lies in the data of its chunk.
type span struct{ from, to int }

// Decoder reads the events of chunks. One goroutine uses it at a time.
type Decoder interface {
	// Decode calls yield once for each record of c, in order: with nil when e holds its event, with an error when it
	// could not be read. e is used again for the next; Event.Clone keeps one. When yield says false, Decode stops.
	// It returns how many records the chunk holds.
	Decode(c Chunk, e *Event, yield func(err *Error) bool) int
}

// records is the decoder of every format whose records are read one by one.
type records struct {
	reader  reader
	mapping *Mapping
	chunk   Chunk
	told    int   // up to where the lines of the chunk have been counted
	lines   int64 // how many there were
}

func (d *records) Decode(c Chunk, e *Event, yield func(err *Error) bool) int {
	d.chunk, d.told, d.lines = c, 0, 0
	for i, s := range c.records {
		e.begin(c.First+i, c.Data[s.from:s.to], d.mapping)
		var bad *Error
		if s.to-s.from > c.max {
			bad = d.errorAt(i, tooLong(s.to-s.from, c.max))
		} else if err := d.reader.read(e.Raw, &d.chunk, e); err != nil {
			bad = d.errorAt(i, err.Error())
		}
		if !yield(bad) {
			break
		}
	}
	return len(c.records)
}

// errorAt is an error about the i-th record of the chunk. It is asked for rising i.
func (d *records) errorAt(i int, text string) *Error {
	at := d.chunk.records[i].from
	d.lines += countLines(d.chunk.Data[d.told:at])
	d.told = at
	return &Error{Name: d.chunk.name, Index: d.chunk.First + i, Line: d.chunk.Line + d.lines, Offset: d.chunk.Offset + int64(at), Text: text}
}

// refusing yields the records that the scanner refused, and leaves the others to the format's decoder.
type refusing struct{ Decoder }

func (d refusing) Decode(c Chunk, e *Event, yield func(err *Error) bool) int {
	if c.refused != nil {
		yield(c.refused)
		return 1
	}
	return d.Decoder.Decode(c, e, yield)
}
