package lists

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/polder-exchange/polder"
)

// raw is the file as it came: every byte is hashed, also those that the reader of the form leaves.
type raw struct {
	name string
	sum  hash.Hash
	n    int64 // bytes taken from the file
	in   io.Reader
	buf  *bufio.Reader
	max  int64
}

func newRaw(name string, r io.Reader, o ReadOptions) *raw {
	w := &raw{name: name, sum: sha256.New(), in: r, max: limit(o)}
	w.buf = bufio.NewReaderSize(readFunc(w.read), 256<<10)
	return w
}

// limit is the most text that is read.
func limit(o ReadOptions) int64 {
	if o.MaxBytes > 0 {
		return o.MaxBytes
	}
	return DefaultMaxBytes
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func (w *raw) read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	w.sum.Write(p[:n])
	if w.n += int64(n); w.n > w.max {
		return 0, tooLarge(w.name, w.max)
	}
	return n, err
}

// drain takes what is left of the file, so that the hash is that of the whole.
func (w *raw) drain() error {
	if _, err := io.Copy(io.Discard, w.buf); err != nil {
		return wrap(w.name, err)
	}
	return nil
}

func tooLarge(name string, max int64) error {
	return polder.Errorf(polder.TooLarge, "%s: more than %d MiB of text; a list is smaller, or raise the limit", name, max>>20)
}

// wrap gives a reading error the name of the file, unless it has it already.
func wrap(name string, err error) error {
	if _, ok := errors.AsType[*polder.Error](err); ok {
		return err
	}
	return polder.Errorf(polder.Invalid, "%s: %w; load the file again", name, err)
}

// gunzip undoes gzip, within the bounds of what an honest file unpacks to.
func gunzip(w *raw) (io.Reader, error) {
	z, err := gzip.NewReader(w.buf)
	if err != nil {
		return nil, failf(w.name, 0, "the gzip file is broken: "+err.Error(), "load it again")
	}
	return &unpacked{name: w.name, in: z, max: w.max, packed: func() int64 { return w.n }}, nil
}

// unpacked is the text of a packed file: it ends with an error where the text grows beyond all proportion.
type unpacked struct {
	name   string
	in     io.Reader
	n, max int64
	packed func() int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.in.Read(p)
	u.n += int64(n)
	switch {
	case u.n > u.max:
		return 0, tooLarge(u.name, u.max)
	case u.n > 64<<20 && u.n/maxRatio > u.packed():
		return 0, polder.Errorf(polder.TooLarge, "%s: unpacks to more than %d times its size; that is no list", u.name, maxRatio)
	case err != nil && err != io.EOF:
		return 0, failf(u.name, 0, "the packed file is broken: "+err.Error(), "load it again")
	}
	return n, err
}

// source is the text of a list as UTF-8, with the position in it.
type source struct {
	name string
	text *decoder
	in   *bufio.Reader
	more *companions // the other files of a set; nil for a list of one file
	line func() int  // where the reader of the form is; nil when it says so itself
}

// window is how much of the beginning a form is recognised by.
const window = 64 << 10

func newSource(name string, w *raw, o ReadOptions) (*source, error) {
	var r io.Reader = w.buf
	if magic, _ := w.buf.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gunzip(w)
		if err != nil {
			return nil, err
		}
		r = z
	}
	r, encoding, err := declared(name, r, o)
	if err != nil {
		return nil, err
	}
	d := newDecoder(name, r, o)
	d.encoding = encoding
	return &source{name: name, text: d, in: bufio.NewReaderSize(d, window)}, nil
}

var xmlEncoding = regexp.MustCompile(`^(?:\xef\xbb\xbf)?<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// declared undoes the encoding that a mapping or an XML declaration names. Without one, and for UTF-8 and UTF-16, whose
// bytes tell them, the decoder looks for itself.
func declared(name string, r io.Reader, o ReadOptions) (io.Reader, string, error) {
	in, label := bufio.NewReaderSize(r, 4<<10), ""
	if o.Mapping != nil {
		label = o.Mapping.Encoding
	}
	if start, _ := in.Peek(200); label == "" {
		if m := xmlEncoding.FindSubmatch(start); m != nil {
			label = string(m[1])
		}
	}
	switch strings.ToLower(label) {
	case "", "utf-8", "utf8", "utf-16", "us-ascii", "ascii":
		return in, "UTF-8", nil
	}
	enc, err := htmlindex.Get(label)
	if err != nil {
		return nil, "", failf(name, 1, "the encoding "+clip(label, 40)+" is not known", "UTF-8")
	}
	return enc.NewDecoder().Reader(in), label, nil
}

func (s *source) fail(line int, what, right string) error { return failf(s.name, line, what, right) }

// locate gives an error without a position the one where the reader stands.
func (s *source) locate(err error) error {
	if _, ok := errors.AsType[*polder.Error](err); ok {
		return err
	}
	line := 0
	if s.line != nil {
		line = s.line()
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return s.fail(line, "the file ends in the middle", "load it again; it was cut off")
	}
	return s.fail(line, strings.TrimPrefix(err.Error(), "jsontext: "), "")
}

// finish reads to the end and says what bytes were no text.
func (s *source) finish(b *builder) error {
	rest, err := io.ReadAll(io.LimitReader(s.in, 1<<16))
	if err != nil {
		return s.locate(err)
	}
	if len(bytes.Trim(rest, " \t\r\n\x1a")) > 0 {
		return s.fail(0, "something follows the end of the list", "only the list")
	}
	if d := s.text; d.broken > 0 {
		if b.strict || d.broken > 1_000 {
			return s.fail(d.brokenAt, "bytes that are no "+d.encoding+" text", "save the file as UTF-8")
		}
		b.note(fmt.Sprintf("%d places hold bytes that are no %s text, the first in line %d; each was read as \ufffd", d.broken, d.encoding, d.brokenAt))
	}
	if s.text.encoding != "UTF-8" {
		b.note("the file is in " + s.text.encoding)
	}
	return nil
}

// located tells whether an error says where it happened.
func located(err error) bool {
	_, ok := errors.AsType[*polder.Error](err)
	return ok
}
