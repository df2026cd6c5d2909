package evtx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

const (
	chunkMagic  = "ElfChnk\x00"
	recordMagic = "\x2a\x2a\x00\x00"
	firstRecord = 512 // where the records of a chunk begin
	recordFrame = 28  // the bytes of a record that are not its event
)

// Chunk goes through one chunk of a log. The zero value is empty; [Chunk.Reset] fills it and may be called again and
// again, which costs no memory once it has seen a few. It is for one goroutine.
type Chunk struct {
	data   []byte
	base   int64 // offset of the chunk in its file
	free   int   // where the records end, by the chunk's own word
	sound  bool  // the checksum of the records is right
	at     int
	last   uint64 // number of the record before, 0 before the first
	warn   *Damage
	rec    Record
	spans  map[uint32]span
	ops    []op
	text   []byte
	work   int // tokens compiled
	names  map[uint32]uint32
	name   []string
	intern map[string]string
	out    walker
}

// Record is one event of a log.
type Record struct {
	// ID is the number the log gave it.
	ID uint64
	// Written is when it was written, in UTC.
	Written time.Time
	// Offset is where in the file it lies, and Size how many bytes it has.
	Offset int64
	Size   int

	chunk *Chunk
	at    int // of its binary XML in the chunk
	end   int
}

// Reset begins another chunk: data, of at most [ChunkSize] bytes, less when the file was cut off, standing at the offset
// base in its file. The chunk keeps data until the next Reset.
func (c *Chunk) Reset(data []byte, base int64) {
	if len(data) > ChunkSize {
		data = data[:ChunkSize]
	}
	if c.spans == nil {
		c.spans, c.names, c.intern = map[uint32]span{}, map[uint32]uint32{}, map[string]string{}
	}
	clear(c.spans)
	clear(c.names)
	if len(c.intern) > maxInterned {
		clear(c.intern)
	}
	c.data, c.base, c.last, c.warn, c.work = data, base, 0, nil, 0
	c.ops, c.text, c.name = c.ops[:0], c.text[:0], c.name[:0]
	c.at, c.free, c.sound = firstRecord, len(data), false
	c.check()
}

// check reads the chunk's header and sets what Next says first.
func (c *Chunk) check() {
	d := c.data
	if allZero(d) {
		c.at = len(d)
		return
	}
	if len(d) < firstRecord {
		c.at = len(d)
		c.warn = &Damage{Offset: c.base, Lost: true, Text: fmt.Sprintf("the file ends %d bytes into a chunk, before its first record", len(d))}
		return
	}
	if string(d[:8]) != chunkMagic {
		c.warn = &Damage{Offset: c.base, Lost: true, Text: "a chunk does not begin with ElfChnk; what looks like a record in it is read"}
		c.seek(firstRecord)
		return
	}
	head := crc32.Update(crc32.ChecksumIEEE(d[:120]), crc32.IEEETable, d[128:512])
	if free := int(binary.LittleEndian.Uint32(d[48:])); free >= firstRecord && free <= ChunkSize {
		c.free = free
	}
	flags := binary.LittleEndian.Uint32(d[120:])
	switch {
	case len(d) < ChunkSize && len(d) < c.free:
		c.free = len(d)
		c.warn = &Damage{Offset: c.base, Lost: true, Text: fmt.Sprintf("the file ends %d bytes into a chunk of %d", len(d), ChunkSize)}
	case flags&noChecksums != 0:
		c.sound = true
	case head != binary.LittleEndian.Uint32(d[124:]):
		c.warn = &Damage{Offset: c.base, Text: "the checksum of a chunk's header is wrong"}
	case crc32.ChecksumIEEE(d[firstRecord:c.free]) != binary.LittleEndian.Uint32(d[52:]):
		c.warn = &Damage{Offset: c.base, Text: "the checksum of a chunk's records is wrong"}
	default:
		c.sound = true
	}
}

// noChecksums is the flag of a chunk whose checksums were never filled in.
const noChecksums = 4

func allZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// Next is the next record, good until the next call. Errors are [io.EOF] at the end, or a *[Damage], after which it may
// be called again.
func (c *Chunk) Next() (*Record, error) {
	if w := c.warn; w != nil {
		c.warn = nil
		return nil, w
	}
	if c.at+recordFrame <= len(c.data) && (c.at < c.free || !c.sound) {
		size, why := c.frame(c.at)
		switch {
		case why == "":
			return c.take(size), nil
		case c.at < c.free && !allZero(c.data[c.at:c.free]):
			from := c.at
			c.seek(c.at + 1)
			return nil, &Damage{Offset: c.base + int64(from), Lost: true, Text: why}
		}
	}
	c.at = len(c.data)
	return nil, io.EOF
}

// frame says how long the record at an offset is, or why there is none. Behind the place where the chunk says that its
// records end, only numbers that go on count: older records may lie there.
func (c *Chunk) frame(at int) (size int, why string) {
	d := c.data[at:]
	if len(d) < recordFrame || string(d[:4]) != recordMagic {
		return 0, "no record where one should begin"
	}
	n := binary.LittleEndian.Uint32(d[4:])
	switch {
	case n < recordFrame || n > ChunkSize-firstRecord:
		return 0, fmt.Sprintf("a record claims %d bytes, which no record can have", n)
	case int(n) > len(d):
		return 0, fmt.Sprintf("a record of %d bytes is cut off after %d", n, len(d))
	case binary.LittleEndian.Uint32(d[n-4:]) != n:
		return 0, fmt.Sprintf("a record claims %d bytes in front and %d behind", n, binary.LittleEndian.Uint32(d[n-4:]))
	}
	if id := binary.LittleEndian.Uint64(d[8:]); at >= c.free && id != c.last+1 {
		return 0, "an older record behind the end"
	}
	return int(n), ""
}

func (c *Chunk) take(size int) *Record {
	d := c.data[c.at:]
	c.rec = Record{
		ID:      binary.LittleEndian.Uint64(d[8:]),
		Written: filetime(binary.LittleEndian.Uint64(d[16:])),
		Offset:  c.base + int64(c.at),
		Size:    size,
		chunk:   c,
		at:      c.at + 24,
		end:     c.at + size - 4,
	}
	c.last = c.rec.ID
	c.at += size
	return &c.rec
}

// seek goes to the next whole record at or behind an offset, or to the end.
func (c *Chunk) seek(from int) {
	for from < len(c.data) {
		i := bytes.Index(c.data[from:], []byte(recordMagic))
		if i < 0 {
			break
		}
		if _, why := c.frame(from + i); why == "" {
			c.at = from + i
			return
		}
		from += i + 1
	}
	c.at = len(c.data)
}
