package event

import (
	"bytes"
	"errors"

	"github.com/polder-exchange/polder/evtx"
)

// This file reads Windows' own event logs. An event is what wevtutil would have written of it, so Raw is its XML and
// the fields and the mapping are those of that format.

// evtxFormat is the format of .evtx files.
func evtxFormat() format {
	return format{
		name:    EVTX,
		mapping: "evtx_dump",
		sniff: func(h *head) int {
			if bytes.HasPrefix(h.data, []byte(evtx.Magic)) {
				return 100
			}
			return 0
		},
		cutter:  func(*head) cutter { return new(evtxCutter) },
		decoder: func() Decoder { return &evtxDecoder{mapping: MappingOf("evtx_dump")} },
	}
}

// evtxCutter cuts a log into its chunks, after the header.
type evtxCutter struct {
	headed bool
	chunk  evtx.Chunk
}

func (x *evtxCutter) cut(data []byte, eof bool, c *Chunk) int {
	at := 0
	if !x.headed {
		if len(data) < evtx.HeaderSize && !eof {
			return 0
		}
		at = min(len(data), evtx.HeaderSize)
		x.headed = true
	}
	c.context = at
	for at < len(data) && (eof || len(data)-at >= evtx.ChunkSize) {
		piece := data[at:min(len(data), at+evtx.ChunkSize)]
		x.chunk.Reset(piece, c.Offset+int64(at))
		for {
			rec, err := x.chunk.Next()
			if rec != nil {
				from := int(rec.Offset - c.Offset)
				c.records = append(c.records, span{from, from + rec.Size})
				continue
			}
			var d *evtx.Damage
			if !errors.As(err, &d) {
				break
			}
			if d.Lost {
				from := int(d.Offset - c.Offset)
				c.records = append(c.records, span{from, from})
			}
		}
		at += len(piece)
	}
	return at
}

func (x *evtxCutter) skip(data []byte, eof bool) (int, bool) { return len(data), eof }

// evtxDecoder reads the records of chunks. A loss takes the place of one record; a wrong checksum over records that can
// be read is none.
type evtxDecoder struct {
	mapping *Mapping
	chunk   evtx.Chunk
	xml     []byte
	reader  xmlReader
}

func (d *evtxDecoder) Decode(c Chunk, e *Event, yield func(err *Error) bool) int {
	at, _ := c.context.(int)
	n := 0
	for at < len(c.Data) {
		piece := c.Data[at:min(len(c.Data), at+evtx.ChunkSize)]
		d.chunk.Reset(piece, c.Offset+int64(at))
		at += len(piece)
		for {
			rec, err := d.chunk.Next()
			var bad *evtx.Damage
			switch {
			case rec != nil:
				if !yield(d.read(rec, &c, n, e)) {
					return c.Len()
				}
				n++
				continue
			case errors.As(err, &bad):
				if !bad.Lost {
					continue
				}
				if !yield(d.lost(&c, n, bad)) {
					return c.Len()
				}
				n++
				continue
			}
			break
		}
	}
	return c.Len()
}

// read fills e with a record.
func (d *evtxDecoder) read(rec *evtx.Record, c *Chunk, n int, e *Event) *Error {
	var err error
	d.xml, err = rec.AppendXML(d.xml[:0])
	e.begin(c.First+n, d.xml, d.mapping)
	if err != nil {
		var bad *evtx.Damage
		errors.As(err, &bad)
		return d.lost(c, n, bad)
	}
	if err := d.reader.read(d.xml, c, e); err != nil {
		return &Error{Name: c.name, Index: c.First + n, Offset: rec.Offset, Text: err.Error(), cause: err}
	}
	return nil
}

func (d *evtxDecoder) lost(c *Chunk, n int, bad *evtx.Damage) *Error {
	return &Error{Name: c.name, Index: c.First + n, Offset: bad.Offset, Text: bad.Text, cause: bad}
}
