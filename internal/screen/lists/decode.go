package lists

import (
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// decoder turns the bytes of a file into UTF-8. A byte order mark decides; without one a text that is UTF-8 is read as
// that, else as UTF-16 where every second byte is NUL, else as Windows-1252. What is no text in the encoding becomes
// U+FFFD and is counted; a NUL character is an error.
type decoder struct {
	name     string
	in       io.Reader
	encoding string // UTF-8, UTF-16 or Windows-1252, UTF-8 as long as all is ASCII; or what was declared
	big      bool   // UTF-16 with the high byte first
	decided  bool
	begun    bool
	eof      bool
	line     int // of the first byte that is not yet decoded
	n, max   int64
	broken   int
	brokenAt int
	raw      []byte // what was read and not yet decoded
	out      []byte // what was decoded and not yet given out
	space    []byte // holds out
	err      error
}

func newDecoder(name string, r io.Reader, o ReadOptions) *decoder {
	return &decoder{name: name, in: r, encoding: "UTF-8", line: 1, max: limit(o)}
}

// Read implements io.Reader.
func (d *decoder) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.fill()
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// fill decodes the next piece of the file.
func (d *decoder) fill() {
	const piece = 128 << 10
	if cap(d.raw) < 2*piece {
		d.raw = append(make([]byte, 0, 2*piece), d.raw...)
	}
	have := len(d.raw)
	n, err := io.ReadFull(d.in, d.raw[have:have+piece])
	d.raw = d.raw[:have+n]
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		d.eof = true
	default:
		d.err = wrap(d.name, err)
		return
	}
	if !d.begun {
		d.begun = true
		d.begin()
	}
	if !d.decided && !d.ascii(d.raw) {
		d.decide()
	}
	d.decode()
	if d.n += int64(len(d.out)); d.n > d.max {
		d.out, d.err = nil, tooLarge(d.name, d.max)
		return
	}
	if at := bytes.IndexByte(d.out, 0); at >= 0 {
		d.err = failf(d.name, d.line+bytes.Count(d.out[:at], []byte{'\n'}), "a NUL character", "a text file has none; load the list again")
		d.out = nil
		return
	}
	d.line += bytes.Count(d.out, []byte{'\n'})
	if d.eof {
		d.err = io.EOF
	}
}

// begin looks at the very beginning for marks of the encoding.
func (d *decoder) begin() {
	switch b := d.raw; {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		d.raw, d.decided = b[3:], true
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		d.raw, d.encoding, d.decided = b[2:], "UTF-16", true
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		d.raw, d.encoding, d.big, d.decided = b[2:], "UTF-16", true, true
	case len(b) >= 4 && b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0:
		d.encoding, d.decided = "UTF-16", true
	case len(b) >= 4 && b[0] == 0 && b[1] != 0 && b[2] == 0 && b[3] != 0:
		d.encoding, d.big, d.decided = "UTF-16", true, true
	}
}

func (d *decoder) ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decide tells UTF-8 from Windows-1252 by the first piece that has more than ASCII: text in one is hardly ever valid in the other.
func (d *decoder) decide() {
	good, bad := 0, 0
	for b := d.raw; len(b) > 0; {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		switch {
		case r != utf8.RuneError || n > 1:
			good++
		case utf8.FullRune(b) || d.eof:
			bad++
		}
		b = b[n:]
	}
	if good+bad == 0 {
		return // a rune cut by the end of the piece; the next piece tells
	}
	d.decided = true
	if bad > good {
		d.encoding = "Windows-1252"
	}
}

// decode moves what is whole from raw to out.
func (d *decoder) decode() {
	switch d.encoding { // any other was undone before
	case "UTF-16":
		d.decode16()
	case "Windows-1252":
		d.out = d.space[:0]
		for _, c := range d.raw {
			r := charmap.Windows1252.DecodeByte(c)
			if r == utf8.RuneError {
				d.mark()
			}
			d.out = utf8.AppendRune(d.out, r)
		}
		d.space, d.raw = d.out, d.raw[:0]
	default:
		d.decode8()
	}
}

func (d *decoder) mark() {
	if d.broken == 0 {
		d.brokenAt = d.line + bytes.Count(d.out, []byte{'\n'})
	}
	d.broken++
}

func (d *decoder) decode8() {
	whole := len(d.raw)
	for i := 1; i <= 3 && i <= whole && !d.eof; i++ {
		if c := d.raw[whole-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(d.raw[whole-i:]) {
				whole -= i
			}
			break
		}
	}
	text := d.raw[:whole]
	d.out = d.space[:0]
	for len(text) > 0 && !utf8.Valid(text) {
		n := 0
		for n < len(text) {
			r, size := utf8.DecodeRune(text[n:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		d.out = append(d.out, text[:n]...)
		d.mark()
		d.out = utf8.AppendRune(d.out, utf8.RuneError)
		text = text[n+1:]
	}
	d.out = append(d.out, text...)
	d.space = d.out
	d.raw = append(d.raw[:0], d.raw[whole:]...)
}

func (d *decoder) decode16() {
	unit := func(i int) rune {
		if d.big {
			return rune(d.raw[i])<<8 | rune(d.raw[i+1])
		}
		return rune(d.raw[i+1])<<8 | rune(d.raw[i])
	}
	d.out = d.space[:0]
	i := 0
	for i+1 < len(d.raw) {
		r := unit(i)
		if utf16.IsSurrogate(r) {
			if i+3 >= len(d.raw) && !d.eof {
				break
			}
			pair := rune(utf8.RuneError)
			if i+3 < len(d.raw) {
				pair = utf16.DecodeRune(r, unit(i+2))
			}
			if pair == utf8.RuneError {
				d.mark()
			} else {
				i += 2
			}
			r = pair
		}
		i += 2
		d.out = utf8.AppendRune(d.out, r)
	}
	d.space = d.out
	d.raw = append(d.raw[:0], d.raw[i:]...)
	if d.eof && len(d.raw) > 0 {
		d.mark()
		d.raw = d.raw[:0]
	}
}
