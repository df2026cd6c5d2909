package event

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
)

// This file reads tables with a header: values between commas, semicolons, tabs or bars, in quotes where they hold one of
// them or a line end. Each column is a field under its name in the header; an empty cell is no field. Tables of a
// firewall are of Sigma's category firewall, and its usual names of columns are known; those with the columns of a
// Windows event have its source.

// csvFormat is the format of tables of any kind.
func csvFormat() format {
	return format{
		name:    CSV,
		mapping: "csv",
		sniff:   sniffTable,
		cutter:  func(h *head) cutter { return &tableCutter{} },
		reader:  func() reader { return new(tableReader) },
	}
}

// firewallCSV is the format of a firewall's tables.
func firewallCSV() format {
	return format{
		name:    FirewallCSV,
		mapping: "firewall-csv",
		sniff:   sniffFirewallTable,
		cutter:  func(h *head) cutter { return &tableCutter{firewall: true} },
		reader:  func() reader { return new(tableReader) },
	}
}

// table is the header of a table. Chunks share it; it is not changed.
type table struct {
	comma   byte
	columns []Name
	source  *Source
	channel int // of a Windows event, -1 without
	id      int
	time    int // column with date and time, -1 without
	clock   int // column with the time of the day behind that of the date, -1 without
}

// separators are what may stand between values, the likeliest first.
const separators = ",;\t|"

// sniffTable looks for a header and lines of as many values.
func sniffTable(h *head) int {
	comma, columns := tableHeader(h)
	if comma == 0 {
		return 0
	}
	sure := 30
	if strings.HasSuffix(h.name, ".csv") || strings.HasSuffix(h.name, ".tsv") {
		sure = 40
	}
	if len(columns) < 3 && sure < 40 {
		return 0
	}
	return sure
}

// tableHeader is the separator and the names of the columns; 0 when the head is no table.
func tableHeader(h *head) (byte, []string) {
	all := h.lines(6)
	if len(all) == 0 || bytes.ContainsAny(all[0][:1], "{[<#") {
		return 0, nil
	}
	first := bytes.TrimPrefix(all[0], []byte("\xef\xbb\xbf"))
	best, most := byte(0), 1
	for i := range separators {
		if n := len(cells(first, separators[i])); n > most {
			best, most = separators[i], n
		}
	}
	if best == 0 {
		return 0, nil
	}
	names := cells(first, best)
	named := strings.HasSuffix(h.name, ".csv") || strings.HasSuffix(h.name, ".tsv")
	for _, n := range names {
		if len(n) > 100 || n == "" && len(names) < 3 || strings.Count(n, " ") > 6 && !named || len(n) > 0 && allDigits([]byte(n)) {
			return 0, nil
		}
	}
	fit := 0
	for _, line := range all[1:] {
		if n := len(cells(line, best)); n == most || bytes.IndexByte(line, '"') >= 0 {
			fit++
		}
	}
	if len(all) > 1 && fit*2 < len(all)-1 {
		return 0, nil
	}
	return best, names
}

// cells are the values of a line, for looking at headers.
func cells(line []byte, comma byte) []string {
	var all []string
	t := cellCutter{rest: line, comma: comma}
	for len(all) < maxColumns {
		value, ok := t.next()
		if !ok {
			break
		}
		all = append(all, strings.TrimSpace(string(value)))
	}
	return all
}

// Words that the columns of a firewall's table are made of. A table with a source and a destination is one.
var (
	sourceColumns      = []string{"src", "srcip", "src_ip", "sourceip", "source_ip", "sourceaddress", "source", "srcaddr", "clientip", "srcipaddr"}
	destinationColumns = []string{"dst", "dstip", "dst_ip", "dest", "destip", "dest_ip", "destinationip", "destination_ip", "destinationaddress", "destination", "dstaddr", "serverip", "dstipaddr"}
	actionColumns      = []string{"action", "act", "disposition", "decision", "policyaction", "dstport", "destport", "destinationport", "dport", "dst_port", "dest_port", "destination_port", "service"}
)

func sniffFirewallTable(h *head) int {
	comma, columns := tableHeader(h)
	if comma == 0 {
		return 0
	}
	var from, to, does bool
	for _, c := range columns {
		c = plainColumn(c)
		from = from || contains(sourceColumns, c)
		to = to || contains(destinationColumns, c)
		does = does || contains(actionColumns, c)
	}
	if from && to && does {
		return 85
	}
	return 0
}

// plainColumn is a column's name without case, blanks and hyphens.
func plainColumn(c string) string {
	return strings.NewReplacer(" ", "", "-", "", ".", "").Replace(strings.ToLower(strings.TrimSpace(c)))
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

// timeColumns are the columns of the time, the best first.
var timeColumns = []string{"@timestamp", "utctime", "timestamp", "_time", "datetime", "date/time", "eventtime", "timecreated", "time_generated", "timegenerated",
	"generatedtime", "generatetime", "receivetime", "starttime", "start", "date", "time", "ts"}

// newTable reads a header.
func newTable(line []byte, comma byte, firewall bool) *table {
	t := &table{comma: comma, source: &nothing, channel: -1, id: -1, time: -1, clock: -1}
	best := len(timeColumns)
	for i, name := range cells(line, comma) {
		if name == "" {
			name = fmt.Sprintf("column%d", i+1)
		}
		t.columns = append(t.columns, Known([]byte(name)))
		plain := plainColumn(name)
		switch plain {
		case "channel", "logname":
			t.channel = i
		case "eventid", "id":
			if plain == "eventid" || t.id < 0 {
				t.id = i
			}
		}
		for k, c := range timeColumns[:best] {
			if plain == c {
				best, t.time = k, i
			}
		}
		if plain == "time" && i > 0 && t.time == i-1 && timeColumns[best] == "date" {
			t.clock = i
		}
	}
	if firewall {
		t.source = knownSource("", firewallCategory, nil)
	}
	return t
}

// tableCutter takes the header off and cuts at line ends outside quotes.
type tableCutter struct {
	firewall bool
	table    *table
}

func (t *tableCutter) cut(data []byte, eof bool, c *Chunk) int {
	at := 0
	for at < len(data) {
		n := rowLength(data[at:], t.comma())
		if n < 0 {
			if !eof {
				break
			}
			n = len(data) - at
		}
		from, to := at, at+n
		for to > from && (data[to-1] == '\n' || data[to-1] == '\r') {
			to--
		}
		at += n
		switch {
		case len(bytes.TrimSpace(data[from:to])) == 0:
		case t.table == nil:
			t.header(data[from:to])
		default:
			c.records = append(c.records, span{from, to})
		}
	}
	c.context = t.table
	return at
}

func (t *tableCutter) header(line []byte) {
	line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	best, most := separators[0], 0
	for i := range separators {
		if n := len(cells(line, separators[i])); n > most {
			best, most = separators[i], n
		}
	}
	t.table = newTable(line, best, t.firewall)
}

func (t *tableCutter) comma() byte {
	if t.table == nil {
		return 0
	}
	return t.table.comma
}

// rowLength is the length of the first row with its line end, -1 when it does not end. Quotes count only where a value
// begins; before the separator is known (0), any of them may stand before a value.
func rowLength(data []byte, comma byte) int {
	if end := bytes.IndexByte(data, '\n'); end >= 0 && bytes.IndexByte(data[:end], '"') < 0 {
		return end + 1
	}
	begin := true
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n':
			return i + 1
		case c == '"' && begin:
			for i++; ; i++ {
				end := bytes.IndexByte(data[i:], '"')
				if end < 0 {
					return -1
				}
				i += end
				if i+1 >= len(data) || data[i+1] != '"' {
					break
				}
				i++
			}
			begin = false
		default:
			begin = c == comma || comma == 0 && strings.IndexByte(separators, c) >= 0 || begin && c == ' '
		}
	}
	return -1
}

func (t *tableCutter) skip(data []byte, eof bool) (int, bool) { return lines{}.skip(data, eof) }

// cellCutter goes through the values of a row.
type cellCutter struct {
	rest  []byte
	buf   []byte
	comma byte
	done  bool
}

// next is the next value without its quotes; ok is false behind the last.
func (c *cellCutter) next() (value []byte, ok bool) {
	if c.done {
		return nil, false
	}
	if trimmed := bytes.TrimLeft(c.rest, " "); len(trimmed) > 0 && trimmed[0] == '"' {
		return c.quoted(trimmed[1:]), true
	}
	end := bytes.IndexByte(c.rest, c.comma)
	if end < 0 {
		c.done = true
		return c.rest, true
	}
	value, c.rest = c.rest[:end], c.rest[end+1:]
	return value, true
}

// quoted reads a value behind its first quote; two quotes stand for one.
func (c *cellCutter) quoted(text []byte) []byte {
	from, copied, at := len(c.buf), 0, 0
	for {
		end := bytes.IndexByte(text[at:], '"')
		if end < 0 {
			at = len(text)
			break
		}
		at += end
		if at+1 >= len(text) || text[at+1] != '"' {
			break
		}
		c.buf = append(c.buf, text[copied:at+1]...)
		at += 2
		copied = at
	}
	value := text[:at]
	if copied > 0 {
		c.buf = append(c.buf, text[copied:at]...)
		value = c.buf[from:len(c.buf):len(c.buf)]
	}
	rest := text[min(len(text), at+1):]
	end := bytes.IndexByte(rest, c.comma)
	if end < 0 {
		c.done = true
	} else {
		c.rest = rest[end+1:]
	}
	return value
}

// tableReader reads rows.
type tableReader struct {
	cells cellCutter
}

func (r *tableReader) read(record []byte, c *Chunk, e *Event) error {
	t, _ := c.context.(*table)
	if t == nil {
		return errors.New("a row without a header: the first line must name the columns")
	}
	k := &r.cells
	k.rest, k.buf, k.comma, k.done = record, k.buf[:0], t.comma, false
	var channel, id []byte
	n := 0
	var when []byte
	for ; ; n++ {
		value, ok := k.next()
		if !ok {
			break
		}
		if n >= len(t.columns) {
			continue
		}
		switch n {
		case t.channel:
			channel = value
		case t.id:
			id = value
		case t.time:
			when = value
		case t.clock:
			when = joined(record, when, value)
		}
		if len(value) > 0 {
			e.add(t.columns[n], String, value)
		}
	}
	if n != len(t.columns) && !(n == len(t.columns)+1 && record[len(record)-1] == t.comma) {
		return fmt.Errorf("the row has %d values under a header of %d columns", n, len(t.columns))
	}
	e.Source = t.source
	if len(channel) > 0 && len(id) > 0 {
		e.Source = WindowsSource(channel, small(id))
	}
	if len(when) > 0 {
		e.at(when, readTableStamp)
	}
	return nil
}

// joined is the part of the record from a date to the time of day in the column behind it, when neither was in quotes.
func joined(record, date, clock []byte) []byte {
	at := bytes.Index(record, date)
	end := at + len(date) + 1
	if at < 0 || len(date) == 0 || end+len(clock) > len(record) || !bytes.Equal(record[end:end+len(clock)], clock) {
		return date
	}
	return record[at : end+len(clock)]
}

// readTableStamp reads a date and time, which may stand in two columns.
func readTableStamp(text []byte) time.Time {
	if t := readStamp(text); !t.IsZero() {
		return t
	}
	return readStamp([]byte(strings.Map(func(r rune) rune {
		if r == ',' || r == ';' || r == '\t' || r == '|' {
			return ' '
		}
		return r
	}, string(text))))
}
