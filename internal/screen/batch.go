package screen

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/polder-exchange/polder"
)

// Bounds of a file of parties. Above them it is refused with a word, never cut.
const (
	MaxFileRows    = 2_000_000
	maxPartyBytes  = 2 << 30   // of the file, and of its text
	maxPartyRecord = 1 << 20   // bytes of one row
	maxSheetBytes  = 128 << 20 // of an XLSX file, which is held in memory
	maxPartyName   = 100_000   // characters; longer is no name
)

// FileParty is a row of a file of parties.
type FileParty struct {
	Row   int   // from 1
	Line  int   // of the file, where the row begins
	Query Query //
	Err   error // why this row cannot be asked about, with file and line; the others can
	Why   error // the same without them
}

// PartyOptions say what a file of parties does not. The zero value recognises everything.
type PartyOptions struct {
	Column   string // that holds the names: its heading, or its number from 1
	Encoding string // as "windows-1251"; "" recognises UTF-8, UTF-16 and, for what is neither, Windows-1252
	Sheet    string // of an XLSX file; "" is the first with a column of names
}

// PartyReader reads parties row by row, in the memory of a row (a whole file for XLSX).
type PartyReader struct {
	name  string
	rows  partyRows
	row   int
	notes []string
}

// partyRows are rows in one form. next returns io.EOF at the end; an error ends the reading.
type partyRows interface {
	next() (Query, int, error)
	close() error
}

// badRow is an error of one row; the next can be read.
type badRow struct {
	line int
	err  error
}

func (b *badRow) Error() string { return b.err.Error() }

// NewPartyReader recognises the form of a file of parties from its content: CSV (with any usual delimiter), JSON lines, a
// JSON array, XLSX, or plain text with a name a line. name stands in errors.
func NewPartyReader(name string, r io.Reader, o PartyOptions) (*PartyReader, error) {
	p := &PartyReader{name: name}
	in := bufio.NewReaderSize(&boundedReader{r: r, left: maxPartyBytes, name: name}, 1<<16)
	head, err := in.Peek(1 << 15)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if len(bytes.TrimSpace(head)) == 0 {
		return nil, polder.Errorf(polder.Invalid, "%s: the file is empty; give a row for each party", name)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		p.rows, err = newSheetRows(name, in, o)
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, polder.Errorf(polder.Invalid, "%s: this is an XLS file of before 2007, or one with a password; save it as XLSX or CSV", name)
	default:
		text, note, err := decoded(name, in, head, o.Encoding)
		if err != nil {
			return nil, err
		}
		if note != "" {
			p.notes = append(p.notes, note)
		}
		p.rows, err = newTextRows(name, text, o, p.note)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (p *PartyReader) note(text string) { p.notes = append(p.notes, text) }

// Notes are what was recognised and may be wrong, for a person.
func (p *PartyReader) Notes() []string { return p.notes }

// Close frees what reading holds.
func (p *PartyReader) Close() error { return p.rows.close() }

// Next is the next party, io.EOF after the last. Its Err says why it alone cannot be asked about; an error that is
// returned ends the reading.
func (p *PartyReader) Next() (FileParty, error) {
	q, line, err := p.rows.next()
	if bad, ok := errors.AsType[*badRow](err); ok {
		p.row++
		return FileParty{Row: p.row, Line: bad.line, Query: q, Err: polder.Errorf(polder.Invalid, "%s:%d: %w", p.name, bad.line, bad.err), Why: bad.err}, nil
	}
	if err != nil {
		return FileParty{}, err
	}
	if p.row++; p.row > MaxFileRows {
		return FileParty{}, polder.Errorf(polder.Invalid, "%s:%d: the file has more than %d parties; split it", p.name, line, MaxFileRows)
	}
	party := FileParty{Row: p.row, Line: line, Query: q}
	if err := checkName(q.Name); err != nil && (q.Name != "" || len(q.Identifiers) == 0) {
		party.Err, party.Why = polder.Errorf(polder.Invalid, "%s:%d: %w", p.name, line, err), err
	}
	return party, nil
}

// checkName says why a text is no name that can be asked about.
func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("there is no name; give one, or take the row out")
	case strings.HasPrefix(strings.TrimSpace(name), "="):
		return fmt.Errorf("%q is a formula, not a name; save the file with its values", clip(name, 40))
	case len(name) > 4*maxPartyName || len([]rune(name)) > maxPartyName:
		return fmt.Errorf("the name has more than %d characters; is a quote left open?", maxPartyName)
	}
	return nil
}

// boundedReader reads a file up to a bound, and refuses what is larger.
type boundedReader struct {
	r    io.Reader
	left int64
	name string
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, polder.Errorf(polder.Invalid, "%s: the file is too large; split it", b.name)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// decoded is a text as UTF-8. Bytes that are not are left to the reader of rows, which takes them for Windows-1252.
func decoded(name string, in *bufio.Reader, head []byte, as string) (*bufio.Reader, string, error) {
	var e encoding.Encoding
	note := ""
	switch {
	case as != "":
		found, err := htmlindex.Get(as)
		if err != nil {
			return nil, "", polder.Errorf(polder.Invalid, "the encoding %q is not known; there are utf-8, utf-16le, windows-1251, windows-1252, gb18030, big5, shift_jis and more", clip(as, 40))
		}
		if canonical, _ := htmlindex.Name(found); canonical == "utf-8" {
			e = unicode.UTF8BOM
		} else {
			e = found
		}
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		e = unicode.UTF8BOM
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		e = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case zeros(head, 1) > len(head)/8:
		e, note = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), name+": read as UTF-16, little end first"
	case zeros(head, 0) > len(head)/8:
		e, note = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), name+": read as UTF-16, big end first"
	case bytes.IndexByte(head, 0) >= 0:
		return nil, "", polder.Errorf(polder.Invalid, "%s: this is no text; give CSV, JSON lines or XLSX", name)
	default:
		return in, "", nil
	}
	return bufio.NewReaderSize(transform.NewReader(in, e.NewDecoder()), 1<<16), note, nil
}

// zeros counts the zero bytes at even (0) or odd (1) places.
func zeros(head []byte, odd int) int {
	n := 0
	for i := odd; i < len(head); i += 2 {
		if head[i] == 0 {
			n++
		}
	}
	return n
}

// newTextRows recognises which form of text it is.
func newTextRows(name string, in *bufio.Reader, o PartyOptions, note func(string)) (partyRows, error) {
	head, _ := in.Peek(1 << 15)
	trimmed := bytes.TrimLeft(head, " \t\r\n\ufeff")
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[' && path.Ext(name) != ".csv") {
		return newObjectRows(name, in, trimmed[0] == '[', o)
	}
	return newTableRows(name, in, o, note)
}
