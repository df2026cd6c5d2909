package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The sizes of a log's parts.
const (
	HeaderSize = 4096
	ChunkSize  = 65536
)

// Magic is how a log begins.
const Magic = "ElfFile\x00"

// ErrFormat is what opening says of anything that is no event log of Windows.
var ErrFormat = errors.New("no Windows event log: it does not begin with ElfFile")

// Damage is one loss, or a doubt, in a log that is otherwise readable: reading may go on after it.
type Damage struct {
	// Offset is where in the file it lies.
	Offset int64
	// Lost says that at least one record cannot be read. Otherwise a checksum or a count is wrong, and what could be
	// read was.
	Lost bool
	Text string
}

func (d *Damage) Error() string { return fmt.Sprintf("evtx: at byte %d: %s", d.Offset, d.Text) }

// Header is what a log says of itself in its first bytes.
type Header struct {
	Major, Minor uint16
	// Chunks is how many chunks it claims; a log that was not closed may hold more.
	Chunks uint16
	// NextRecord is the number that the next record would get.
	NextRecord uint64
	// Dirty says that the log was not closed; Full that it had reached its size.
	Dirty, Full bool
	// Sound says that the header's own checksum is right.
	Sound bool
}

// ParseHeader reads the first bytes of a log, [HeaderSize] or at least 128 of them.
func ParseHeader(b []byte) (Header, error) {
	if !bytes.HasPrefix(b, []byte(Magic)) {
		return Header{}, ErrFormat
	}
	if len(b) < 128 {
		return Header{}, fmt.Errorf("evtx: the header has %d bytes of 128: %w", len(b), io.ErrUnexpectedEOF)
	}
	flags := binary.LittleEndian.Uint32(b[120:])
	return Header{
		NextRecord: binary.LittleEndian.Uint64(b[24:]),
		Minor:      binary.LittleEndian.Uint16(b[36:]),
		Major:      binary.LittleEndian.Uint16(b[38:]),
		Chunks:     binary.LittleEndian.Uint16(b[42:]),
		Dirty:      flags&1 != 0,
		Full:       flags&2 != 0,
		Sound:      crc32.ChecksumIEEE(b[:120]) == binary.LittleEndian.Uint32(b[124:]),
	}, nil
}

// Reader goes through a log from its first record to its last, in the order of the file. It is for one goroutine.
type Reader struct {
	src    io.Reader
	header Header
	buf    []byte
	at     int64 // offset of the next chunk
	chunk  Chunk
	open   bool // chunk has records left
	warn   *Damage
	end    error
}

// Open reads a log of size bytes.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	return NewReader(io.NewSectionReader(r, 0, size))
}

// NewReader reads a log from a stream.
func NewReader(src io.Reader) (*Reader, error) {
	r := &Reader{src: src, buf: make([]byte, ChunkSize)}
	n, err := io.ReadFull(src, r.buf[:HeaderSize])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("evtx: read the header: %w", err)
	}
	if r.header, err = ParseHeader(r.buf[:n]); err != nil {
		return nil, err
	}
	r.at = int64(n)
	if !r.header.Sound {
		r.warn = &Damage{Text: "the checksum of the file header is wrong"}
	}
	return r, nil
}

// Header is what the log says of itself.
func (r *Reader) Header() Header { return r.header }

// Next is the next record, good until the call after it. An error of type *[Damage] tells of a loss and may be followed
// by further records; [io.EOF] and every other error end the log.
func (r *Reader) Next() (*Record, error) {
	if w := r.warn; w != nil {
		r.warn = nil
		return nil, w
	}
	for {
		if r.open {
			rec, err := r.chunk.Next()
			if err != io.EOF {
				return rec, err
			}
			r.open = false
		}
		if r.end != nil {
			return nil, r.end
		}
		r.load()
	}
}

// load reads the next chunk. What ends the file is kept for later.
func (r *Reader) load() {
	n, err := io.ReadFull(r.src, r.buf)
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		r.end = io.EOF
	default:
		r.end = fmt.Errorf("evtx: read at byte %d: %w", r.at+int64(n), err)
	}
	if n > 0 {
		r.chunk.Reset(r.buf[:n], r.at)
		r.open = true
	}
	r.at += int64(n)
}
