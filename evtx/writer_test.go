package evtx

import (
	"encoding/binary"
	"hash/crc32"
	"time"
	"unicode/utf16"
)

// This file writes logs for the tests, from the description of the format alone: it shares nothing with the reader.

// element, text, hole, cdata, charRef, entity and nested are what a template is built of.
type (
	element struct {
		name     string
		attrs    []attr
		children []any
		depends  uint16 // on the value of this number, none when it is independent
	}
	attr struct {
		name   string
		pieces []any
	}
	text    string
	cdata   string
	charRef uint16
	entity  string
	hole    struct { // where a value goes
		index    uint16
		typ      byte
		optional bool
	}
	instruction struct{ target, data string }
)

const independent = 0xffff

// value is one value of a record.
type value struct {
	typ  byte
	data []byte
	xml  func(w *chunkWriter) // writes the data in place instead: binary XML
}

// record is one record: a template with values, or an element without a template.
type record struct {
	id       uint64
	written  time.Time
	template *element
	values   []value
	plain    *element
}

type chunkWriter struct {
	b         []byte
	names     map[string]uint32
	templates map[*element]uint32
	first     uint64
	last      uint64
}

func newChunkWriter() *chunkWriter {
	return &chunkWriter{b: make([]byte, 512), names: map[string]uint32{}, templates: map[*element]uint32{}}
}

func utf16le(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func (w *chunkWriter) u8(v byte)    { w.b = append(w.b, v) }
func (w *chunkWriter) u16(v uint16) { w.b = binary.LittleEndian.AppendUint16(w.b, v) }
func (w *chunkWriter) u32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }
func (w *chunkWriter) u64(v uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, v) }

// size keeps four bytes for a size and fills them when the returned function is called.
func (w *chunkWriter) size() (fill func()) {
	at := len(w.b)
	w.u32(0)
	return func() { binary.LittleEndian.PutUint32(w.b[at:], uint32(len(w.b)-at-4)) }
}

func (w *chunkWriter) name(s string) {
	if off, ok := w.names[s]; ok {
		w.u32(off)
		return
	}
	off := uint32(len(w.b) + 4)
	w.names[s] = off
	w.u32(off)
	w.u32(0)
	var hash uint32
	for _, u := range utf16.Encode([]rune(s)) {
		hash = hash*65599 + uint32(u)
	}
	w.u16(uint16(hash))
	w.u16(uint16(len(utf16le(s)) / 2))
	w.b = append(w.b, utf16le(s)...)
	w.u16(0)
}

func (w *chunkWriter) counted(s string) {
	b := utf16le(s)
	w.u16(uint16(len(b) / 2))
	w.b = append(w.b, b...)
}

func (w *chunkWriter) element(e *element, dependency bool) {
	if len(e.attrs) > 0 {
		w.u8(0x41)
	} else {
		w.u8(0x01)
	}
	if dependency {
		w.u16(e.depends)
	}
	fill := w.size()
	w.name(e.name)
	if len(e.attrs) > 0 {
		list := w.size()
		for i, a := range e.attrs {
			if i+1 < len(e.attrs) {
				w.u8(0x46)
			} else {
				w.u8(0x06)
			}
			w.name(a.name)
			w.pieces(a.pieces, dependency)
		}
		list()
	}
	if len(e.children) == 0 {
		w.u8(0x03)
	} else {
		w.u8(0x02)
		w.pieces(e.children, dependency)
		w.u8(0x04)
	}
	fill()
}

func (w *chunkWriter) pieces(all []any, dependency bool) {
	for i, p := range all {
		more := byte(0)
		if i+1 < len(all) {
			more = 0x40
		}
		switch p := p.(type) {
		case *element:
			w.element(p, dependency)
		case text:
			w.u8(0x05 | more)
			w.u8(0x01)
			w.counted(string(p))
		case cdata:
			w.u8(0x07 | more)
			w.counted(string(p))
		case charRef:
			w.u8(0x08 | more)
			w.u16(uint16(p))
		case entity:
			w.u8(0x09 | more)
			w.name(string(p))
		case instruction:
			w.u8(0x0a)
			w.name(p.target)
			w.u8(0x0b)
			w.counted(p.data)
		case hole:
			if p.optional {
				w.u8(0x0e)
			} else {
				w.u8(0x0d)
			}
			w.u16(p.index)
			w.u8(p.typ)
		}
	}
}

// instance writes the use of a template: its definition the first time, its values each time.
func (w *chunkWriter) instance(t *element, values []value) {
	w.u8(0x0c)
	w.u8(0x01)
	w.u32(0x1234)
	if off, ok := w.templates[t]; ok {
		w.u32(off)
	} else {
		off := uint32(len(w.b) + 4)
		w.templates[t] = off
		w.u32(off)
		w.u32(0)
		w.b = append(w.b, make([]byte, 16)...)
		fill := w.size()
		w.fragment()
		w.element(t, true)
		w.u8(0x00)
		fill()
	}
	w.u32(uint32(len(values)))
	sizes := make([]int, len(values))
	for i, v := range values {
		sizes[i] = len(w.b)
		w.u16(uint16(len(v.data)))
		w.u8(v.typ)
		w.u8(0)
	}
	for i, v := range values {
		from := len(w.b)
		if v.xml != nil {
			v.xml(w)
		}
		w.b = append(w.b, v.data...)
		binary.LittleEndian.PutUint16(w.b[sizes[i]:], uint16(len(w.b)-from))
	}
}

func (w *chunkWriter) fragment() { w.b = append(w.b, 0x0f, 1, 1, 0) }

func (w *chunkWriter) record(r record) {
	at := len(w.b)
	w.b = append(w.b, "\x2a\x2a\x00\x00"...)
	w.u32(0)
	w.u64(r.id)
	w.u64(uint64(r.written.UnixNano()/100) + 116444736000000000)
	w.fragment()
	if r.plain != nil {
		w.element(r.plain, true)
	} else {
		w.instance(r.template, r.values)
	}
	w.u8(0)
	for (len(w.b)-at+4)%8 != 0 {
		w.u8(0)
	}
	size := uint32(len(w.b) - at + 4)
	w.u32(size)
	binary.LittleEndian.PutUint32(w.b[at+4:], size)
	if w.first == 0 {
		w.first = r.id
	}
	w.last = r.id
}

// done is the chunk with its header and its checksums.
func (w *chunkWriter) done() []byte {
	le := binary.LittleEndian
	free := len(w.b)
	b := make([]byte, ChunkSize)
	copy(b, w.b)
	copy(b, "ElfChnk\x00")
	le.PutUint64(b[8:], w.first)
	le.PutUint64(b[16:], w.last)
	le.PutUint64(b[24:], w.first)
	le.PutUint64(b[32:], w.last)
	le.PutUint32(b[40:], 128)
	le.PutUint32(b[48:], uint32(free))
	le.PutUint32(b[52:], crc32.ChecksumIEEE(b[512:free]))
	le.PutUint32(b[124:], crc32.ChecksumIEEE(append(append([]byte(nil), b[:120]...), b[128:512]...)))
	return b
}

// file is a log of chunks.
func file(chunks ...[]byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, HeaderSize)
	copy(b, "ElfFile\x00")
	le.PutUint64(b[16:], uint64(max(len(chunks), 1)-1))
	le.PutUint64(b[24:], 100)
	le.PutUint32(b[32:], 128)
	le.PutUint16(b[36:], 1)
	le.PutUint16(b[38:], 3)
	le.PutUint16(b[40:], HeaderSize)
	le.PutUint16(b[42:], uint16(len(chunks)))
	le.PutUint32(b[124:], crc32.ChecksumIEEE(b[:120]))
	for _, c := range chunks {
		b = append(b, c...)
	}
	return b
}
