package lists

import (
	"bufio"
	"bytes"
	"io"
)

// rows reads a table whose columns are parted by a character and may be quoted, row by row. A quote inside a plain
// field and text after a closing quote are taken as they stand; a quoted field that never ends is an error with the
// line where it began. The fields of a row are valid until the next.
type rows struct {
	name  string
	in    *bufio.Reader
	delim byte
	line  int // of the row that was read last, from 1
	next1 int // of the row that comes
	buf   []byte
	long  []byte // holds a line that is longer than the reader's buffer
	ends  []int
	row   []string
	wide  int  // columns of the widest row so far
	cut   bool // the file ends without a line break
}

func newRows(name string, in *bufio.Reader, delim byte) *rows {
	return &rows{name: name, in: in, delim: delim, next1: 1}
}

// next is the next row that is not blank; io.EOF after the last.
func (r *rows) next() ([]string, error) {
	for {
		err := r.read()
		if err != nil {
			return nil, err
		}
		if len(r.ends) > 1 || len(bytes.Trim(r.buf, " \t\x1a")) > 0 {
			break
		}
	}
	text := string(r.buf)
	r.row = r.row[:0]
	start := 0
	for _, end := range r.ends {
		r.row = append(r.row, text[start:end])
		start = end
	}
	r.wide = max(r.wide, len(r.row))
	return r.row, nil
}

// read takes one row, over as many lines as its quotes span, into buf and ends.
func (r *rows) read() error {
	r.buf, r.ends = r.buf[:0], r.ends[:0]
	r.line = r.next1
	quoted, fresh := false, true
	for {
		line, err := r.readLine()
		if err != nil && err != io.EOF {
			return err
		}
		if len(line) == 0 {
			if quoted {
				return failf(r.name, r.line, "a quote opens in this row and never closes", "load the file again if it was cut off, or double the quote")
			}
			return io.EOF
		}
		r.cut = err == io.EOF
		quoted, fresh = r.fields(line, quoted, fresh)
		if len(r.buf) > maxRecord {
			return failf(r.name, r.line, "a row of more than 16 MiB", "check the quotes")
		}
		if !quoted {
			r.ends = append(r.ends, len(r.buf))
			return nil
		}
	}
}

// readLine is the next line with its end; io.EOF comes with the last when it has none.
func (r *rows) readLine() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		r.long = append(r.long[:0], line...)
		for err == bufio.ErrBufferFull && len(r.long) <= maxRecord {
			line, err = r.in.ReadSlice('\n')
			r.long = append(r.long, line...)
		}
		line = r.long
		if err == bufio.ErrBufferFull {
			return nil, failf(r.name, r.line, "a line of more than 16 MiB", "a list has shorter ones")
		}
	}
	if err == nil {
		r.next1++
	}
	return line, err
}

// fields adds a line of a row. quoted says that it begins inside quotes, fresh that it begins a field.
func (r *rows) fields(line []byte, quoted, fresh bool) (bool, bool) {
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quoted && c == '"':
			if i+1 < len(line) && line[i+1] == '"' {
				r.buf = append(r.buf, '"')
				i++
			} else {
				quoted = false
			}
		case quoted:
			r.buf = append(r.buf, c)
		case c == '"' && fresh:
			quoted, fresh = true, false
		case c == r.delim:
			r.ends = append(r.ends, len(r.buf))
			fresh = true
		case c == '\n', c == '\r':
		default:
			r.buf = append(r.buf, c)
			fresh = fresh && c == ' '
		}
	}
	return quoted, fresh
}
