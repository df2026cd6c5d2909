package event

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// W3C is the extended log of web servers and proxies, as IIS writes it: values between blanks under a line that begins
// with #Fields: and names them.
const W3C Format = "w3c"

// w3cFormat is the format of extended logs. The fields have the names of the log, which are nearly Sigma's; besides there
// is c-uri, the address put together. Blanks in the name of a browser are written as + by IIS and read as blanks.
func w3cFormat() format {
	return format{
		name:    W3C,
		mapping: "w3c",
		sniff:   sniffW3C,
		cutter:  func(*head) cutter { return &w3cCutter{} },
		reader:  func() reader { return new(w3cReader) },
	}
}

var w3cFields = []byte("#Fields:")

func sniffW3C(h *head) int {
	for _, line := range h.lines(8) {
		if bytes.HasPrefix(line, w3cFields) && bytes.Contains(line, []byte("time")) {
			return 95
		}
		if line[0] != '#' {
			break
		}
	}
	return 0
}

// w3cHeader is what a #Fields line says. Chunks share it; it is not changed.
type w3cHeader struct {
	columns                        []Name
	date, time, stem, query, agent int // where they stand, -1 without
	source                         *Source
}

func newW3CHeader(line []byte) *w3cHeader {
	h := &w3cHeader{date: -1, time: -1, stem: -1, query: -1, agent: -1, source: webSource}
	for i, name := range bytes.Fields(line[len(w3cFields):]) {
		if i == maxColumns {
			break
		}
		switch string(name) {
		case "date":
			h.date = i
		case "time":
			h.time = i
		case "cs-uri-stem":
			h.stem = i
		case "cs-uri-query":
			h.query = i
		case "cs(User-Agent)":
			h.agent = i
		case "s-action", "sc-filter-result", "x-exception-id":
			h.source = proxySource
		}
		h.columns = append(h.columns, Known(name))
	}
	return h
}

var proxySource = knownSource("", []string{"proxy"}, nil)

// w3cCutter cuts at line ends and begins a chunk at each header.
type w3cCutter struct {
	header *w3cHeader
	lines
}

func (w *w3cCutter) cut(data []byte, eof bool, c *Chunk) int {
	at := 0
	for at < len(data) {
		end := bytes.IndexByte(data[at:], '\n')
		next := at + end + 1
		if end < 0 {
			if !eof {
				break
			}
			next = len(data)
		}
		from, to := trim(data, at, next)
		switch {
		case from == to:
		case data[from] != '#':
			c.records = append(c.records, span{from, to})
		case bytes.HasPrefix(data[from:to], w3cFields):
			if len(c.records) > 0 {
				c.context = w.header
				return at
			}
			w.header = newW3CHeader(data[from:to])
		}
		at = next
	}
	c.context = w.header
	return at
}

// w3cReader reads a line of an extended log.
type w3cReader struct {
	buf []byte
}

func (r *w3cReader) read(record []byte, c *Chunk, e *Event) error {
	h, _ := c.context.(*w3cHeader)
	if h == nil {
		return errors.New("a line without a header: a line that begins with #Fields: and names the values is missing above it")
	}
	r.buf = r.buf[:0]
	var stem, query []byte
	dateAt, at, n := 0, 0, 0
	for ; at <= len(record); n++ {
		from, to, next := w3cValue(record, at)
		value := record[from:to]
		at = next
		if n >= len(h.columns) || len(value) == 0 || string(value) == "-" {
			continue
		}
		switch n {
		case h.date:
			dateAt = from
			e.at(value, readStamp)
		case h.time:
			if h.time == h.date+1 {
				e.at(record[dateAt:to], readW3CStamp)
			}
		case h.stem:
			stem = value
		case h.query:
			query = value
		case h.agent:
			value = r.blanks(value)
		}
		e.add(h.columns[n], String, value)
	}
	if n != len(h.columns) {
		return fmt.Errorf("the line has %d values under a header of %d", n, len(h.columns))
	}
	if stem != nil {
		r.address(stem, query, e)
	}
	e.Source = h.source
	return nil
}

// w3cValue is where the value at an offset lies and where the next begins; quotes may stand around it.
func w3cValue(record []byte, at int) (from, to, next int) {
	if at < len(record) && record[at] == '"' {
		if end := bytes.IndexByte(record[at+1:], '"'); end >= 0 {
			to = at + 1 + end
			return at + 1, to, to + 2
		}
	}
	end := bytes.IndexByte(record[at:], ' ')
	if end < 0 {
		return at, len(record), len(record) + 1
	}
	return at, at + end, at + end + 1
}

// blanks is text with + read as a blank, when it holds no blank of its own.
func (r *w3cReader) blanks(text []byte) []byte {
	if bytes.IndexByte(text, '+') < 0 || bytes.IndexByte(text, ' ') >= 0 {
		return text
	}
	from := len(r.buf)
	r.buf = append(r.buf, text...)
	text = r.buf[from:len(r.buf):len(r.buf)]
	for i, c := range text {
		if c == '+' {
			text[i] = ' '
		}
	}
	return text
}

// address adds the address that its two parts make.
func (r *w3cReader) address(stem, query []byte, e *Event) {
	if query == nil {
		e.add(nameURI, String, stem)
		return
	}
	from := len(r.buf)
	r.buf = append(append(append(r.buf, stem...), '?'), query...)
	e.add(nameURI, String, r.buf[from:len(r.buf):len(r.buf)])
}

// readW3CStamp reads 2026-03-02 10:00:00, which extended logs mean in UTC.
func readW3CStamp(text []byte) time.Time {
	return readStamp(bytes.Replace(text, []byte(`" "`), []byte{' '}, 1))
}
