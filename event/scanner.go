package event

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Sizes of reading.
const (
	// DefaultMaxRecord is the longest record that is read when Options does not say.
	DefaultMaxRecord = 16 << 20
	// chunkBytes is about how much a chunk holds.
	chunkBytes = 1 << 20
)

// Options say how a stream is read. The zero value recognises everything by itself.
type Options struct {
	// Format of the stream; "" recognises it.
	Format Format
	// Name of the file, for messages and as a help to recognition.
	Name string
	// MaxRecord is the longest record in bytes; longer ones are refused one by one. 0 is DefaultMaxRecord.
	MaxRecord int
	// Mapping is used instead of the format's own; one's own mapping file names that one under use to keep it.
	Mapping *Mapping
	// Live hands out records as soon as they are read, for a stream that someone is still writing to, instead of
	// waiting for a chunk to fill.
	Live bool
	// Now is the time against which dates without a year are read, as syslog writes them: they lie before it. The zero
	// value leaves such events without a time.
	Now time.Time

	chunk int // about how much a chunk holds
}

// Scanner reads a stream and cuts it into chunks of whole records. One goroutine uses it at a time; decoders of its
// chunks may run elsewhere.
type Scanner struct {
	in          io.Reader
	o           Options
	format      *format
	mapping     *Mapping
	compression string
	cut         cutter

	rest   []byte // read, but not handed out
	err    error  // of the reader, once it gave one
	cutErr bool   // the error of the reader has been told

	index  int
	line   int64
	offset int64
	read   int64
}

// Open looks at the beginning of r: undoes gzip and zstd, one inside the other at most, reads UTF-16 as UTF-8, and
// recognises the format by content and by the name of the file. The error says what the stream looks like and which
// format to ask for; it is an *Error. An empty stream is no error: it has no records.
func Open(r io.Reader, o Options) (*Scanner, error) {
	if o.MaxRecord <= 0 {
		o.MaxRecord = DefaultMaxRecord
	}
	if o.chunk <= 0 {
		o.chunk = chunkBytes
	}
	s := &Scanner{o: o, line: 1}
	fail := func(err error) (*Scanner, error) {
		return nil, &Error{Name: o.Name, Index: -1, Text: err.Error(), cause: err}
	}
	in, compression, err := decompress(r)
	if err != nil {
		return fail(err)
	}
	s.compression = compression
	s.in, err = plain(in)
	if err != nil {
		return fail(err)
	}
	s.fill(headBytes)
	h := newHead(s.rest[:min(len(s.rest), headBytes)], s.err != nil && len(s.rest) <= headBytes, o.Name)
	h.now = o.Now
	if o.Format != "" {
		s.format = formatOf(o.Format)
		if s.format == nil {
			_, err := ParseFormat(string(o.Format))
			return fail(err)
		}
	} else if s.format, err = recognise(h); err != nil {
		if s.err != nil && s.err != io.EOF {
			err = fmt.Errorf("%w (%s)", err, s.broken())
		}
		return fail(err)
	}
	if s.mapping = o.Mapping; s.mapping == nil {
		s.mapping = MappingOf(s.format.mapping)
	}
	s.cut = s.format.cutter(h)
	return s, nil
}

// Format is the format that was recognised or asked for.
func (s *Scanner) Format() Format { return s.format.name }

// Compression is what was undone: "", "gzip", "zstd", or both as "gzip, zstd", the outer one first.
func (s *Scanner) Compression() string { return s.compression }

// Bytes is how many bytes of the uncompressed stream have been read so far.
func (s *Scanner) Bytes() int64 { return s.read }

// NewDecoder makes a decoder for chunks of this scanner, one for each goroutine.
func (s *Scanner) NewDecoder() Decoder {
	if s.format.decoder != nil {
		return refusing{s.format.decoder()}
	}
	return refusing{&records{reader: s.format.reader(), mapping: s.mapping}}
}

// Next is the next chunk of whole records. At the end it is io.EOF. A stream that breaks off amid a record or amid its
// compression first gives what was whole, then one *Error, then io.EOF. A record longer than MaxRecord is a chunk of its
// own, whose decoding says so.
func (s *Scanner) Next() (Chunk, error) {
	want := s.o.chunk
	for {
		if len(s.rest) < s.o.chunk/2 || want > s.o.chunk {
			s.fill(want)
		}
		c := Chunk{First: s.index, Line: s.line, Offset: s.offset, name: s.o.Name, max: s.o.MaxRecord}
		n := 0
		if len(s.rest) > 0 {
			n = s.cut.cut(s.rest, s.err == io.EOF, &c)
		}
		switch {
		case len(c.records) > 0:
			s.hand(&c, n)
			return c, nil
		case n > 0:
			s.pass(n)
			want = s.o.chunk
		case s.err != nil && len(s.rest) == 0:
			return Chunk{}, s.end("")
		case len(s.rest) > s.o.MaxRecord+lineEnd:
			return s.refuse(c), nil
		case s.err != nil:
			err := s.end(fmt.Sprintf("the stream ends amid record %d: its last %d bytes were not read", s.index, len(s.rest)))
			s.pass(len(s.rest))
			return Chunk{}, err
		default:
			want = min(2*max(len(s.rest), s.o.chunk/2), s.o.MaxRecord+s.o.chunk)
			want = max(want, s.o.chunk+1, len(s.rest)+lineEnd+1)
		}
	}
}

// lineEnd is how much longer than its record a line may be.
const lineEnd = 2

// fill reads until want bytes are held or the reader is at its end. With Live it is content with less: with what one read
// gives, and amid a long record with a quarter more of it, since all of it is looked at again.
func (s *Scanner) fill(want int) {
	enough := want
	if s.o.Live {
		enough = min(want, len(s.rest)+1+max(0, len(s.rest)-s.o.chunk/4)/4)
	}
	if s.err != nil || len(s.rest) >= want {
		return
	}
	if cap(s.rest) < want {
		s.rest = append(make([]byte, 0, want), s.rest...)
	}
	for empty := 0; len(s.rest) < enough && s.err == nil; {
		n, err := s.in.Read(s.rest[len(s.rest):want])
		s.rest, s.err = s.rest[:len(s.rest)+n], err
		s.read += int64(n)
		if empty++; n > 0 {
			empty = 0
		}
		if empty > 100 && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
}

// hand gives the first n bytes to the chunk c. What is left moves to memory of its own, unless it is so much that it will
// be cut without reading more.
func (s *Scanner) hand(c *Chunk, n int) {
	c.Data = s.rest[:n:n]
	s.count(c.Data)
	s.index += len(c.records)
	if s.rest = s.rest[n:]; len(s.rest) < s.o.chunk/2 {
		s.rest = append(make([]byte, 0, s.o.chunk), s.rest...)
	}
}

// pass drops the first n bytes.
func (s *Scanner) pass(n int) {
	s.count(s.rest[:n])
	if left := s.rest[n:]; len(left) < s.o.chunk/2 {
		s.rest = append(s.rest[:0], left...)
	} else {
		s.rest = left
	}
}

func (s *Scanner) count(data []byte) {
	s.line += countLines(data)
	s.offset += int64(len(data))
}

// refuse passes over the record at the beginning of what is held, and makes the chunk c say so.
func (s *Scanner) refuse(c Chunk) Chunk {
	total := 0
	for {
		n, done := s.cut.skip(s.rest, s.err != nil)
		total += n
		s.pass(n)
		if done || s.err != nil && len(s.rest) == 0 || s.err != nil && n == 0 {
			break
		}
		s.fill(max(s.o.chunk, 2*len(s.rest)))
	}
	c.records, c.Data = nil, nil
	c.refused = &Error{Name: s.o.Name, Index: s.index, Line: c.Line, Offset: c.Offset, Text: tooLong(total, s.o.MaxRecord)}
	s.index++
	return c
}

func tooLong(n, most int) string {
	return fmt.Sprintf("a record of %d bytes: the longest that is read is %d", n, most)
}

// end is the error at the end of the stream: what text says, then io.EOF.
func (s *Scanner) end(text string) error {
	if s.err == io.EOF && text == "" || s.cutErr {
		return io.EOF
	}
	s.cutErr = true
	e := &Error{Name: s.o.Name, Index: s.index, Line: s.line, Offset: s.offset, Text: text}
	if s.err != io.EOF {
		e.cause = s.err
		e.Text = s.broken()
	}
	return e
}

// broken says in words why reading stopped before its end.
func (s *Scanner) broken() string {
	if errors.Is(s.err, io.ErrUnexpectedEOF) && s.compression != "" {
		return fmt.Sprintf("the %s stream breaks off after %d bytes of content: what came before was read", s.compression, s.read)
	}
	return fmt.Sprintf("reading stopped after %d bytes: %v", s.read, s.err)
}
