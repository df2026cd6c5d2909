package screen

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
)

// guardCell makes a text safe as a cell of a table that a spreadsheet opens.
func guardCell(s string) string { return indicator.GuardCell(s) }

// table reads the rows of a CSV text. It is forgiving: a quote within a cell is a quote, and a cell whose quotes are
// wrong spoils its own line and no other.
type table struct {
	name  string
	in    *bufio.Reader
	delim byte
	line  int      // of the last line that was read
	back  []string // lines that were read too far, the next one last
	noted bool
	note  func(string)
}

// maxQuotedLines is how many lines one quoted cell may span.
const maxQuotedLines = 100

// readLine is the next line without its end.
func (t *table) readLine() (string, error) {
	if n := len(t.back); n > 0 {
		l := t.back[n-1]
		t.back = t.back[:n-1]
		t.line++
		return l, nil
	}
	var text []byte
	for {
		piece, err := t.in.ReadSlice('\n')
		if len(text)+len(piece) > maxPartyRecord {
			return "", polder.Errorf(polder.Invalid, "%s:%d: the line has more than %d bytes; is it a list of parties?", t.name, t.line+1, maxPartyRecord)
		}
		text = append(text, piece...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(text) > 0:
		case err != nil:
			return "", err
		}
		t.line++
		return t.text(strings.TrimRight(string(text), "\r\n")), nil
	}
}

// text takes bytes that are no UTF-8 for Windows-1252, and says so once.
func (t *table) text(line string) string {
	if utf8.ValidString(line) {
		return line
	}
	if !t.noted {
		t.noted = true
		t.note(t.name + ": it is not all UTF-8; the rest was read as Windows-1252 (say with --encoding what it is)")
	}
	out, err := charmap.Windows1252.NewDecoder().String(line)
	if err != nil {
		return strings.ToValidUTF8(line, "\ufffd")
	}
	return out
}

// unread gives lines back, the first of them first.
func (t *table) unread(lines []string) {
	for i := len(lines) - 1; i >= 0; i-- {
		t.back = append(t.back, lines[i])
		t.line--
	}
}

// record is the next row that is not empty, and its line.
func (t *table) record() ([]string, int, error) {
	for {
		first, err := t.readLine()
		if err != nil {
			return nil, t.line, err
		}
		at := t.line
		if strings.TrimSpace(first) == "" {
			continue
		}
		if t.delim == '\n' {
			return []string{first}, at, nil
		}
		cells, state := splitRecord(first, t.delim)
		text, more := first, []string(nil)
		for state == quoteOpen && len(more) < maxQuotedLines {
			next, err := t.readLine()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					return nil, at, err
				}
				break
			}
			more = append(more, next)
			if text += "\n" + next; len(text) > maxPartyRecord {
				break
			}
			cells, state = splitRecord(text, t.delim)
		}
		if state != quoteOK {
			t.unread(more)
			cells = splitPlain(first, t.delim)
		}
		return cells, at, nil
	}
}

// What became of the quotes of a record.
const (
	quoteOK   = iota
	quoteOpen // one is not closed
	quoteBad  // something stands behind a closing one
)

// splitRecord cuts a record into its cells by the rules of CSV.
func splitRecord(text string, delim byte) (cells []string, state int) {
	for {
		if !strings.HasPrefix(text, `"`) {
			cell, rest, more := strings.Cut(text, string(delim))
			cells = append(cells, cell)
			if !more {
				return cells, quoteOK
			}
			text = rest
			continue
		}
		var b strings.Builder
		text = text[1:]
		for {
			end := strings.IndexByte(text, '"')
			if end < 0 {
				return nil, quoteOpen
			}
			b.WriteString(text[:end])
			if text = text[end+1:]; !strings.HasPrefix(text, `"`) {
				break
			}
			b.WriteByte('"')
			text = text[1:]
		}
		cells = append(cells, b.String())
		text = strings.TrimLeft(text, " ")
		switch {
		case text == "":
			return cells, quoteOK
		case text[0] != delim:
			return nil, quoteBad
		}
		text = text[1:]
	}
}

// splitPlain cuts a line whose quotes are wrong: they are letters like others, but a delimiter between two of them is none.
func splitPlain(line string, delim byte) []string {
	cells := strings.Split(line, string(delim))
	for i, c := range cells {
		if c = strings.TrimSpace(c); len(c) > 1 && c[0] == '"' && c[len(c)-1] == '"' && strings.Count(c, `"`) == 2 {
			c = c[1 : len(c)-1]
		}
		cells[i] = c
	}
	return cells
}

// delimiterOf guesses the delimiter from the first lines: the one that cuts them into most cells, and evenly.
func delimiterOf(head string) byte {
	lines := strings.Split(head, "\n")
	if len(lines) > 1 {
		lines = lines[:len(lines)-1] // the last one may be cut
	}
	lines = lines[:min(len(lines), 20)]
	best, most := byte(','), 0
	for _, d := range []byte{',', ';', '\t', '|'} {
		first, even := 0, 0
		for i, l := range lines {
			cells, state := splitRecord(strings.TrimRight(l, "\r"), d)
			if state != quoteOK {
				continue
			}
			if i == 0 {
				first = len(cells)
			}
			if len(cells) == first {
				even++
			}
		}
		if score := (first-1)*4*len(lines) + even; first > 1 && score > most {
			best, most = d, score
		}
	}
	return best
}

// tableRows are the rows of a table as queries.
type tableRows struct {
	t     *table
	h     heading
	first []string // a first row that is no heading
	at    int
}

func newTableRows(name string, in *bufio.Reader, o PartyOptions, note func(string)) (*tableRows, error) {
	head, _ := in.Peek(1 << 15)
	t := &table{name: name, in: in, note: note, delim: delimiterOf(string(head))}
	if first := bytes.TrimPrefix(head, []byte("\ufeff")); bytes.HasPrefix(first, []byte("sep=")) && len(first) > 5 && (first[5] == '\n' || first[5] == '\r') { // of spreadsheets
		t.delim = first[4]
		if _, err := t.readLine(); err != nil {
			return nil, err
		}
	}
	cells, at, err := t.record()
	if errors.Is(err, io.EOF) {
		return nil, polder.Errorf(polder.Invalid, "%s: the file is empty; give a row for each party", name)
	}
	if err != nil {
		return nil, err
	}
	r := &tableRows{t: t, h: readHeading(cells)}
	switch {
	case o.Column != "":
		return r, r.h.choose(name, cells, o.Column)
	case r.h.named():
		return r, nil
	case len(cells) == 1 || r.h.known == 0 && t.plainNames(string(head)):
		t.delim = '\n' // a name a line, whatever stands in it
		r.h.at[columnName] = 0
		r.first, r.at = []string{t.whole(cells, head)}, at
		note(name + ": it has no heading; each line was read as a name")
		return r, nil
	}
	return nil, noNames(name, cells)
}

// plainNames tells whether a text without a heading is names, a line each, some with commas ("SMITH, John") in them.
func (t *table) plainNames(head string) bool {
	if t.delim != ',' {
		return false
	}
	lines := strings.Split(head, "\n")
	with := 0
	for _, l := range lines {
		if n := strings.Count(l, ","); n > 2 || strings.Contains(l, `"`) {
			return false
		} else if n > 0 {
			with++
		}
	}
	return with < len(lines)-1 || strings.Contains(lines[0], ", ")
}

// whole is the first line of the text as it stands.
func (t *table) whole(cells []string, head []byte) string {
	if len(cells) == 1 {
		return cells[0]
	}
	line, _, _ := strings.Cut(strings.TrimLeft(string(head), " \t\r\n"), "\n")
	return t.text(strings.TrimRight(line, "\r"))
}

func (r *tableRows) next() (Query, int, error) {
	cells, at := r.first, r.at
	if r.first = nil; cells == nil {
		var err error
		if cells, at, err = r.t.record(); err != nil {
			return Query{}, at, err
		}
	}
	return r.h.query(cells), at, nil
}

func (r *tableRows) close() error { return nil }
