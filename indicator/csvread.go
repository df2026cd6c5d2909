package indicator

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Row is one indicator of a table. What the table does not say is empty.
type Row struct {
	Line        int // in the file, 1 for the first
	Kind        Kind
	Value       string // normalised
	ID          string
	Name        string
	Description string
	Source      string
	TLP         string // as written
	Confidence  int    // 0 to 100; -1 when not given
	ValidFrom   time.Time
	ValidUntil  time.Time
	Labels      []string
}

// CSVLimits bounds what ReadCSV reads. Zero means the default.
type CSVLimits struct {
	Bytes int64 // of the whole file; default 32 MiB
	Rows  int   // default 500,000
}

// RowError says what is wrong with one line of a table and what would be right.
type RowError struct {
	Line int
	Text string
}

// Error is the line and the text.
func (e *RowError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// maxRowErrors is after how many wrong rows reading stops: then the file is another than it seems.
const maxRowErrors = 1000

// ReadCSV reads a table of indicators: with a heading that names its columns, in English or Dutch (type, value,
// description, tlp, valid_until, confidence …), or with one column and no heading. Values may be defanged; a missing type
// is told from the value. Comma, semicolon and tab are recognised, so are a byte order mark and lines that start with #.
// A row that is wrong is told in the error, a [*RowError] each, joined; the other rows are given beside it.
func ReadCSV(r io.Reader, limits CSVLimits) ([]Row, error) {
	if limits.Bytes <= 0 {
		limits.Bytes = 32 << 20
	}
	if limits.Rows <= 0 {
		limits.Rows = 500_000
	}
	raw, err := io.ReadAll(io.LimitReader(r, limits.Bytes+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(raw)) > limits.Bytes:
		return nil, fmt.Errorf("the table has more than %d bytes; split it", limits.Bytes)
	}
	if raw, err = checkText(raw); err != nil {
		return nil, err
	}
	t := table{limits: limits}
	t.read(bytes.NewReader(raw), delimiter(raw))
	return t.rows, errors.Join(t.errors...)
}

// checkText takes the byte order mark away and refuses what is not UTF-8.
func checkText(raw []byte) ([]byte, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		return nil, &RowError{1, "the table is UTF-16; save it as CSV UTF-8"}
	}
	if utf8.Valid(raw) {
		return raw, nil
	}
	line, rest := 1, raw
	for {
		head, tail, more := bytes.Cut(rest, []byte("\n"))
		if !utf8.Valid(head) || !more {
			return nil, &RowError{line, "the text is not UTF-8; save the table as CSV UTF-8"}
		}
		line, rest = line+1, tail
	}
}

// table reads rows and keeps what is wrong with them.
type table struct {
	limits  CSVLimits
	columns []column // by index; nil until the first row is read
	kind    string   // of the values, where the heading names it
	rows    []Row
	errors  []error

	// Who reads more than fits into memory takes each row and each problem as it comes; then nothing is kept here, and
	// neither wrong rows nor many rows end the reading.
	each func(Row)
	told func(line int, text string)
}

func (t *table) wrong(line int, format string, args ...any) {
	if t.told != nil {
		t.told(line, fmt.Sprintf(format, args...))
		return
	}
	t.errors = append(t.errors, &RowError{line, fmt.Sprintf(format, args...)})
}

func (t *table) read(text io.Reader, comma rune) {
	c := csv.NewReader(text)
	c.Comma = comma
	c.Comment = '#'
	c.FieldsPerRecord = -1
	c.LazyQuotes = true
	c.TrimLeadingSpace = c.Comma != '\t'
	c.ReuseRecord = true
	for {
		cells, err := c.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			line := 0
			if e, ok := errors.AsType[*csv.ParseError](err); ok {
				line = e.Line
			}
			t.wrong(line, "the row cannot be read: %v", err)
			return
		}
		line, _ := c.FieldPos(0)
		if t.record(line, cells) {
			return
		}
	}
}

// record reads one row; true ends the reading.
func (t *table) record(line int, cells []string) (stop bool) {
	if isBlank(cells) {
		return false
	}
	if t.columns == nil {
		heading := false
		if heading, stop = t.heading(line, cells); heading || stop {
			return stop
		}
	}
	if t.each == nil && len(t.rows) >= t.limits.Rows {
		t.wrong(line, "the table has more than %d rows; split it", t.limits.Rows)
		return true
	}
	row, err := t.row(cells)
	if err != nil {
		t.wrong(line, "%v", err)
		if len(t.errors) >= maxRowErrors {
			t.wrong(line, "reading stops here after %d wrong rows", maxRowErrors)
			return true
		}
		return false
	}
	row.Line = line
	if t.each != nil {
		t.each(row)
		return false
	}
	t.rows = append(t.rows, row)
	return false
}

func isBlank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// delimiter is the sign that separates cells: the one that stands most often outside quotes in the first row that is no
// comment.
func delimiter(raw []byte) rune {
	for len(raw) > 0 && (raw[0] == '#' || raw[0] == '\n' || raw[0] == '\r') {
		_, raw, _ = bytes.Cut(raw, []byte("\n"))
	}
	counts := map[byte]int{}
	quoted := false
	for _, c := range raw {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return rune(best)
}

// column is what a column holds.
type column uint8

const (
	colIgnored column = iota
	colType
	colValue
	colID
	colName
	colDescription
	colSource
	colTLP
	colConfidence
	colValidFrom
	colValidUntil
	colLabels
)

// headings are the names of columns, as foldName leaves them.
var headings = map[string]column{
	"type": colType, "kind": colType, "indicatortype": colType, "ioctype": colType, "soort": colType,
	"value": colValue, "indicator": colValue, "ioc": colValue, "waarde": colValue, "indicatorvalue": colValue, "observable": colValue,
	"iocvalue": colValue, "indicatorwaarde": colValue, "ip": colValue, "ipaddress": colValue, "ipadres": colValue,
	"id": colID, "uuid": colID, "stixid": colID,
	"name": colName, "title": colName, "naam": colName, "titel": colName,
	"description": colDescription, "comment": colDescription, "comments": colDescription, "note": colDescription, "notes": colDescription,
	"omschrijving": colDescription, "beschrijving": colDescription, "toelichting": colDescription, "opmerking": colDescription,
	"opmerkingen": colDescription, "context": colDescription,
	"source": colSource, "bron": colSource, "reference": colSource, "origin": colSource, "herkomst": colSource, "feed": colSource,
	"tlp": colTLP, "marking": colTLP, "markering": colTLP, "classification": colTLP, "tlplevel": colTLP,
	"confidence": colConfidence, "score": colConfidence, "betrouwbaarheid": colConfidence, "zekerheid": colConfidence,
	"validfrom": colValidFrom, "firstseen": colValidFrom, "date": colValidFrom, "datum": colValidFrom, "geldigvanaf": colValidFrom,
	"geldigvan": colValidFrom, "eerstgezien": colValidFrom, "since": colValidFrom,
	"validuntil": colValidUntil, "validto": colValidUntil, "expires": colValidUntil, "expiration": colValidUntil, "expirationdate": colValidUntil,
	"expiry": colValidUntil, "geldigtot": colValidUntil, "vervaldatum": colValidUntil, "verloopt": colValidUntil, "until": colValidUntil,
	"labels": colLabels, "tags": colLabels, "label": colLabels, "tag": colLabels, "trefwoorden": colLabels,
}

// heading reads the first row: true if it names columns. A table of one column needs none.
func (t *table) heading(line int, cells []string) (heading, stop bool) {
	columns := make([]column, len(cells))
	values, known := 0, 0
	for i, cell := range cells {
		folded := foldName(cell)
		columns[i] = headings[folded]
		if columns[i] == colIgnored {
			if _, err := ParseKind(folded); err == nil {
				columns[i], t.kind = colValue, cell
			}
		}
		switch columns[i] {
		case colIgnored:
			continue
		case colValue:
			values++
		}
		known++
	}
	switch {
	case known == 0 && len(cells) == 1:
		t.columns = []column{colValue}
		return false, false
	case values == 0:
		t.wrong(line, "no column is named value; give the table a heading such as type,value,description,tlp,valid_until")
		return false, true
	case values > 1:
		t.wrong(line, "more than one column holds values; keep one, named value")
		return false, true
	}
	t.columns = columns
	return true, false
}

// row reads the cells of one indicator.
func (t *table) row(cells []string) (Row, error) {
	row := Row{Confidence: -1}
	value, kind := "", t.kind
	for i, cell := range cells {
		if i >= len(t.columns) {
			if strings.TrimSpace(cell) != "" {
				return row, fmt.Errorf("the row has %d cells, the heading %d; put text with a separator into double quotes", len(cells), len(t.columns))
			}
			continue
		}
		cell = strings.TrimSpace(UnguardCell(cell))
		switch t.columns[i] {
		case colValue:
			value = cell
		case colType:
			kind = cell
		default:
			if err := row.set(t.columns[i], cell); err != nil {
				return row, err
			}
		}
	}
	if value == "" {
		return row, errors.New("the value is missing")
	}
	var err error
	row.Kind, row.Value, err = typedValue(kind, value)
	return row, err
}

// typedValue reads a value under the type that the row names, or by its form where it names none or only "ip" or "hash".
func typedValue(typ, value string) (Kind, string, error) {
	switch folded := foldName(typ); folded {
	case "", "ip", "ipaddress", "ipadres", "ipaddr", "ipsrc", "ipdst", "address", "adres", "hash", "filehash", "checksum":
		return Recognise(value)
	}
	kind, err := ParseKind(typ)
	if err != nil {
		return "", "", err
	}
	plain := value
	switch kind {
	case IPv4, IPv6, CIDR, Domain, URL, Email:
		plain = Refang(value)
	}
	if (kind == IPv4 || kind == IPv6) && strings.Contains(plain, "/") {
		kind = CIDR
	}
	v, err := Normalise(kind, plain)
	return kind, v, err
}

// set reads a cell that is neither type nor value.
func (r *Row) set(c column, cell string) (err error) {
	if cell == "" {
		return nil
	}
	switch c {
	case colID:
		r.ID = cell
	case colName:
		r.Name = cell
	case colDescription:
		r.Description = cell
	case colSource:
		r.Source = cell
	case colTLP:
		r.TLP = cell
	case colConfidence:
		r.Confidence, err = parseConfidence(cell)
	case colValidFrom:
		r.ValidFrom, err = parseDate(cell)
	case colValidUntil:
		r.ValidUntil, err = parseDate(cell)
	case colLabels:
		r.Labels = strings.FieldsFunc(cell, func(c rune) bool { return c == ',' || c == ';' || c == '|' })
		for i := range r.Labels {
			r.Labels[i] = strings.TrimSpace(r.Labels[i])
		}
	}
	return err
}

// confidenceWords are the words for a confidence, with the middle of the range that STIX gives each.
var confidenceWords = map[string]int{"low": 15, "laag": 15, "medium": 50, "midden": 50, "gemiddeld": 50, "high": 85, "hoog": 85, "none": 0, "geen": 0}

func parseConfidence(s string) (int, error) {
	if n, ok := confidenceWords[strings.ToLower(s)]; ok {
		return n, nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(s, "%")))
	if err != nil || n < 0 || n > 100 {
		return 0, fmt.Errorf("the confidence %s is no number from 0 to 100", show(s))
	}
	return n, nil
}

var dateForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "02-01-2006", "2-1-2006"}

func parseDate(s string) (time.Time, error) {
	for _, form := range dateForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is no date; write 2024-12-31 or 2024-12-31T23:59:59Z", show(s))
}
