package event

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// This file reads the tables that Zeek writes: lines of values under a header of lines that begin with #. A stream may
// hold several headers one after the other, as logs do that were joined; each holds for the lines below it. Values that
// are not set are no fields; sets and vectors are several fields of one name.

// zeekTSV is the format of Zeek's tables.
func zeekTSV() format {
	return format{
		name:    ZeekTSV,
		mapping: "zeek",
		sniff:   sniffZeek,
		cutter:  func(*head) cutter { return &zeekCutter{header: newZeekHeader()} },
		reader:  func() reader { return new(zeekReader) },
	}
}

// sniffZeek looks for the header that nothing else has.
func sniffZeek(h *head) int {
	for _, line := range h.lines(8) {
		switch {
		case bytes.HasPrefix(line, []byte("#separator ")):
			return 100
		case bytes.HasPrefix(line, []byte("#fields\t")):
			return 95
		case line[0] != '#':
			return 0
		}
	}
	return 0
}

// zeekColumn is one column of a table.
type zeekColumn struct {
	name Name
	kind Kind
	many bool // a set or a vector
}

// zeekHeader is what a header says. Chunks share it: it is never changed once it was given to one.
type zeekHeader struct {
	separator    []byte
	setSeparator []byte
	empty        []byte
	unset        []byte
	source       *Source
	columns      []zeekColumn
	time         int // index of the column ts, -1 without
}

// maxColumns bounds the columns of a table.
const maxColumns = 4096

func newZeekHeader() *zeekHeader {
	return &zeekHeader{separator: []byte{'\t'}, setSeparator: []byte{','}, empty: []byte("(empty)"), unset: []byte{'-'}, source: zeekSource(""), time: -1}
}

// read takes one line of a header.
func (h *zeekHeader) read(line []byte) {
	if rest, ok := bytes.CutPrefix(line, []byte("#separator ")); ok {
		if s := zeekUnescape(nil, rest); len(s) > 0 {
			*h = *newZeekHeader()
			h.separator = s
		}
		return
	}
	key, rest, _ := bytes.Cut(line, h.separator)
	switch string(key) {
	case "#set_separator":
		h.set(&h.setSeparator, rest)
	case "#empty_field":
		h.set(&h.empty, rest)
	case "#unset_field":
		h.set(&h.unset, rest)
	case "#path":
		h.source = zeekSource(string(rest[:min(len(rest), 64)]))
	case "#fields":
		h.columns, h.time = nil, -1
		for i, name := range bytes.SplitN(rest, h.separator, maxColumns+1) {
			if i == maxColumns {
				break
			}
			if string(name) == "ts" {
				h.time = i
			}
			h.columns = append(h.columns, zeekColumn{name: Known(name)})
		}
	case "#types":
		for i, typ := range bytes.SplitN(rest, h.separator, len(h.columns)+1) {
			if i < len(h.columns) {
				h.columns[i].kind, h.columns[i].many = zeekKind(string(typ))
			}
		}
	}
}

func (h *zeekHeader) set(field *[]byte, text []byte) {
	if len(text) > 0 {
		*field = bytes.Clone(text)
	}
}

// clone is a header of its own with the same words, for a header that begins.
func (h *zeekHeader) clone() *zeekHeader {
	c := *h
	c.columns = append([]zeekColumn(nil), h.columns...)
	return &c
}

func zeekKind(typ string) (k Kind, many bool) {
	if open := strings.IndexByte(typ, '['); open > 0 && strings.HasSuffix(typ, "]") {
		many, typ = true, typ[open+1:len(typ)-1]
	}
	switch typ {
	case "count", "int", "port", "double", "time", "interval":
		return Number, many
	case "bool":
		return Bool, many
	}
	return String, many
}

// zeekCategories are the categories of Sigma that Zeek's logs serve, by path.
var zeekCategories = map[string][]string{
	"conn": {"firewall"},
	"dns":  {"dns"},
	"http": {"proxy", "webserver"},
}

// zeekSource is the source of the log of a path: Sigma's services of Zeek are the paths. Rotated logs have a date behind
// the path, conn.2024-02-01; a stream may be named by its origin in front, ids/conn.
func zeekSource(path string) *Source {
	path, _, _ = strings.Cut(strings.ToLower(path), ".")
	path = strings.TrimPrefix(path, "corelight_")
	path = path[strings.LastIndexByte(path, '/')+1:]
	if path == "" {
		return knownSource("zeek", nil, nil)
	}
	return knownSource("zeek", zeekCategories[path], []string{path})
}

// zeekCutter cuts at line ends and begins a chunk at each header.
type zeekCutter struct {
	header *zeekHeader
	lines
}

func (z *zeekCutter) cut(data []byte, eof bool, c *Chunk) int {
	at, own := 0, false
	for at < len(data) {
		end := bytes.IndexByte(data[at:], '\n')
		next := at + end + 1
		if end < 0 {
			if !eof {
				break
			}
			next = len(data)
		}
		line := bytes.TrimRight(data[at:next], "\r\n")
		switch {
		case len(bytes.TrimSpace(line)) == 0:
		case line[0] != '#':
			c.records = append(c.records, span{at, at + len(line)})
		case len(c.records) > 0:
			c.context = z.header
			return at
		default:
			if !own {
				z.header, own = z.header.clone(), true
			}
			z.header.read(line)
		}
		at = next
	}
	c.context = z.header
	return at
}

// zeekReader reads a line of a table.
type zeekReader struct {
	buf []byte
}

func (r *zeekReader) read(record []byte, c *Chunk, e *Event) error {
	h, _ := c.context.(*zeekHeader)
	if h == nil || len(h.columns) == 0 {
		return errors.New("a line of a Zeek table without a header: a line that begins with #fields and names the columns is missing above it")
	}
	r.buf = r.buf[:0]
	rest, more := record, true
	i := 0
	for ; more && i < len(h.columns); i++ {
		var value []byte
		value, rest, more = r.next(rest, h.separator)
		if i == h.time {
			e.at(value, readEpoch)
		}
		r.add(&h.columns[i], value, h, e)
	}
	e.Source = h.source
	if e.full() {
		return errFull
	}
	if more || i < len(h.columns) {
		return fmt.Errorf("the line has %d values under a header of %d columns", bytes.Count(record, h.separator)+1, len(h.columns))
	}
	return nil
}

// next cuts a value off; more says that others follow.
func (r *zeekReader) next(rest, separator []byte) (value, after []byte, more bool) {
	if len(separator) == 1 {
		if end := bytes.IndexByte(rest, separator[0]); end >= 0 {
			return rest[:end], rest[end+1:], true
		}
		return rest, nil, false
	}
	return bytes.Cut(rest, separator)
}

func (r *zeekReader) add(col *zeekColumn, value []byte, h *zeekHeader, e *Event) {
	switch {
	case bytes.Equal(value, h.unset):
		return
	case bytes.Equal(value, h.empty):
		if !col.many {
			e.add(col.name, col.kind, nil)
		}
		return
	case !col.many:
		r.one(col, value, e)
		return
	}
	for more := true; more && !e.full(); {
		var item []byte
		item, value, more = r.next(value, h.setSeparator)
		if !bytes.Equal(item, h.unset) {
			r.one(col, item, e)
		}
	}
}

var textTrue, textFalse = []byte("true"), []byte("false")

func (r *zeekReader) one(col *zeekColumn, value []byte, e *Event) {
	if col.kind == Bool && len(value) == 1 {
		switch value[0] {
		case 'T':
			value = textTrue
		case 'F':
			value = textFalse
		}
	}
	if bytes.IndexByte(value, '\\') >= 0 {
		from := len(r.buf)
		r.buf = zeekUnescape(r.buf, value)
		value = r.buf[from:len(r.buf):len(r.buf)]
	}
	e.add(col.name, col.kind, value)
}

// zeekUnescape appends text with each \x and two digits resolved; other backslashes stand for themselves.
func zeekUnescape(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) && text[i+1] == 'x' {
			high, low := unhex(text[i+2]), unhex(text[i+3])
			if high < 16 && low < 16 {
				dst = append(dst, high<<4|low)
				i += 3
				continue
			}
		}
		dst = append(dst, text[i])
	}
	return dst
}

// unhex is the value of a hexadecimal digit, 16 or more of anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
