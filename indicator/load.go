package indicator

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/stix/pattern"
)

// LoadFormat is how a file holds indicators. Its text is stable: it is shown and may be asked for.
type LoadFormat string

// The formats of files.
const (
	LoadSTIX      LoadFormat = "stix"           // objects of STIX 2.1 or 2.0 in a bundle, an envelope, a list or lines
	LoadMISP      LoadFormat = "misp"           // events of MISP; see ErrMISP
	LoadCSV       LoadFormat = "csv"            // a table with a heading
	LoadPlain     LoadFormat = "list"           // a value a line, with a comment behind ; or # or ,
	LoadFilenames LoadFormat = "file-name-list" // an expression over a path a line, with a score behind ;
)

// ErrMISP says that the input is a MISP event, which package misp turns into STIX objects for [Loader.Object].
var ErrMISP = errors.New("this is a MISP event")

// Item is one thing that a file knows: a value, a pattern over several, or an expression over paths.
type Item struct {
	Value                       // Kind is "" where one of the next three is set
	Pattern    *pattern.Pattern // a STIX pattern that is more than values
	Sigma      string           // the text of a Sigma rule, when the pattern of the object is one
	Expression *PathExpression  // over the path of a file
	Line       int              // in the file, 1 for the first
	ID         string           // of the STIX object, or as a table gives it
	Title      string           // its name or the comment beside it
	Types      []string         // indicator_types, or the labels of a table
	ValidFrom  time.Time        // zero: no bound
	ValidUntil time.Time
	Confidence uint8 // 0 to 100, or NoConfidence
	Marking    stix.Marking
	PAP        stix.PAP
	// Replaces says that values of the same ID went before which this version takes the place of.
	Replaces bool
}

// Reference is the part of an item that a [Table] keeps; object is what it shall be found by.
func (i *Item) Reference(object [16]byte, list uint32) Reference {
	return Reference{object, list, i.ValidFrom, i.ValidUntil, i.Confidence, i.Marking, i.PAP}
}

// LoadOptions say how to read a file. The zero value recognises the format.
type LoadOptions struct {
	Name   string // of the file, for the errors, and to tell lists of file names by
	Format LoadFormat
}

// LoadError is something in a file that could not be used, and what would be right.
type LoadError struct {
	Name string
	Line int
	Text string
}

// Error is file:line: text.
func (e *LoadError) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Text) }

// MaxLoadErrors is how many errors a report names; the rest is counted.
const MaxLoadErrors = 100

// maxVersions is of how many objects a loader remembers the version.
const maxVersions = 1 << 20

// LoadReport says what became of all that a file holds. Every line or object is in exactly one of the counts.
type LoadReport struct {
	Format      LoadFormat
	Values      int // values given; an object may hold several
	Patterns    int // Sigma rules among them
	Expressions int
	// Skipped counts what is no indicator that is in force, by the reason in words.
	Skipped map[string]int
	// Wrong counts what should have been an indicator and could not be read; Errors names the first of them.
	Wrong  int
	Errors []*LoadError
}

// SkippedBlank is the reason under which a [LoadReport] counts lines that were never meant to be an indicator.
const SkippedBlank = "empty lines and comments"

// Loader reads files of indicators. One loader reads one file; it is not for several goroutines.
type Loader struct {
	o        LoadOptions
	each     func(*Item) error
	report   LoadReport
	versions map[[16]byte]int64 // of the objects read, in microseconds
	err      error              // of each
}

// NewLoader gives every indicator to each; an error of each ends the reading. The item is reused.
func NewLoader(o LoadOptions, each func(*Item) error) *Loader {
	return &Loader{o: o, each: each, report: LoadReport{Skipped: map[string]int{}}, versions: map[[16]byte]int64{}}
}

// Report is what became of what was read so far.
func (l *Loader) Report() LoadReport { return l.report }

// Load reads a file to its end: gzip is undone, the format recognised unless it is given. What is wrong within the file
// is in the report; the error is for a file that cannot be read on, and for [ErrMISP], in which case nothing was read
// that is not in r again.
func Load(r io.Reader, o LoadOptions, each func(*Item) error) (LoadReport, error) {
	l := NewLoader(o, each)
	err := l.Read(r)
	return l.report, err
}

const headBytes = 64 << 10

// Read is [Load] on a loader of one's own.
func (l *Loader) Read(r io.Reader) error {
	in := bufio.NewReaderSize(r, headBytes)
	head, err := in.Peek(headBytes)
	if err != nil && err != io.EOF {
		return l.wrap(err)
	}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return l.wrap(err)
		}
		in = bufio.NewReaderSize(z, headBytes)
		if head, err = in.Peek(headBytes); err != nil && err != io.EOF {
			return l.wrap(err)
		}
	}
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return &LoadError{l.o.Name, 1, "the file is UTF-16; save it as UTF-8"}
	}
	if l.report.Format = l.o.Format; l.report.Format == "" {
		l.report.Format = recognise(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), l.o.Name)
	}
	switch l.report.Format {
	case LoadMISP:
		return ErrMISP
	case LoadSTIX:
		return l.wrap(l.stix(in))
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // they were peeked at
	}
	switch l.report.Format {
	case LoadCSV:
		return l.wrap(l.csv(in))
	case LoadPlain, LoadFilenames:
		return l.wrap(l.lines(in))
	}
	return fmt.Errorf("%s: %q is no format of indicators; use one of %s, %s, %s, %s, %s", l.o.Name, string(l.report.Format), LoadSTIX, LoadMISP, LoadCSV, LoadPlain, LoadFilenames)
}

func (l *Loader) wrap(err error) error {
	if err == nil {
		err = l.err
	}
	if _, named := errors.AsType[*LoadError](err); err == nil || named || err == l.err {
		return err
	}
	return fmt.Errorf("%s: %w", l.o.Name, err)
}

func (l *Loader) skip(reason string) { l.report.Skipped[reason]++ }

func (l *Loader) wrong(line int, format string, args ...any) {
	if l.report.Wrong++; len(l.report.Errors) < MaxLoadErrors {
		l.report.Errors = append(l.report.Errors, &LoadError{l.o.Name, line, fmt.Sprintf(format, args...)})
	}
}

// give hands an item on and counts it.
func (l *Loader) give(i *Item) {
	if l.err != nil {
		return
	}
	if l.err = l.each(i); l.err != nil {
		return
	}
	switch {
	case i.Pattern != nil, i.Sigma != "":
		l.report.Patterns++
	case i.Expression != nil:
		l.report.Expressions++
	default:
		l.report.Values++
	}
}

// recognise tells the format by the beginning of a file.
func recognise(head []byte, name string) LoadFormat {
	text := bytes.TrimLeft(head, " \t\r\n")
	if len(text) > 0 && (text[0] == '{' || text[0] == '[' && bytes.ContainsAny(text[:min(len(text), 4096)], "{\"")) && !defangedStart(text) {
		for _, sign := range []string{`"spec_version"`, `"objects"`, `"bundle"`} {
			if bytes.Contains(text, []byte(sign)) && !bytes.Contains(text, []byte(`"Event"`)) && !bytes.Contains(text, []byte(`"Attribute"`)) {
				return LoadSTIX
			}
		}
		if bytes.Contains(text, []byte(`"Event"`)) || bytes.Contains(text, []byte(`"Attribute"`)) || bytes.Contains(text, []byte(`"response"`)) {
			return LoadMISP
		}
		return LoadSTIX
	}
	if isTable(text) {
		return LoadCSV
	}
	if strings.Contains(strings.ToLower(name), "filename") || manyPaths(text) {
		return LoadFilenames
	}
	return LoadPlain
}

// defangedStart is for lists whose first value begins with a bracket.
func defangedStart(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	_, _, err := Recognise(string(line))
	return err == nil
}

// isTable says whether the first line that is no comment names columns, one of them of values.
func isTable(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		comma := string(delimiter(line))
		cells := strings.Split(string(line), comma)
		values, known := 0, 0
		for _, cell := range cells {
			cell = strings.Trim(cell, `" `)
			column := headings[foldName(cell)]
			if _, err := ParseKind(cell); err == nil && column == colIgnored && foldName(cell) != "" {
				column = colValue
			}
			switch {
			case column == colValue:
				values++
				known++
			case column != colIgnored:
				known++
			}
		}
		return values > 0 || known > 1
	}
	return false
}

// manyPaths says whether a list is of expressions over paths: most lines have escaped signs and a score behind them.
func manyPaths(text []byte) bool {
	lines, paths := 0, 0
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if lines++; lines > 200 {
			break
		}
		body, _, exclude, ok := cutScore(string(line))
		if ok && (strings.Contains(body, `\\`) || strings.Contains(body, `\.`) || exclude != "") {
			paths++
		}
	}
	return paths > 0 && paths*2 > lines
}

// stix reads objects.
func (l *Loader) stix(in io.Reader) error {
	r := stix.NewReader(in, stix.Limits{})
	for l.err == nil {
		raw, pos, err := r.NextRaw()
		if err == io.EOF {
			return nil
		}
		if e, ok := err.(*stix.Error); ok {
			l.wrong(max(e.Line, pos.Line), "%s", e.Error())
			continue
		}
		if err != nil {
			return err
		}
		l.Object(raw, pos.Line)
	}
	return nil
}

// Object reads one STIX object that stands at a line.
func (l *Loader) Object(raw []byte, line int) {
	o, err := stix.Parse(raw)
	if err != nil && stix.IsSTIX20(raw) {
		upgraded, errUp := stix.Upgrade20(raw)
		if errUp == nil {
			o, err = stix.Parse(upgraded)
		}
	}
	if err != nil {
		if e, ok := err.(*stix.Error); ok && e.Line > 0 {
			line += e.Line - 1
		}
		l.wrong(line, "%v", err)
		return
	}
	if o.Type != "indicator" {
		l.skip("objects that are no indicators: " + o.Type)
		return
	}
	replaces, current := l.version(o)
	if !current {
		l.skip("older versions of an object")
		return
	}
	l.indicator(o, line, replaces)
}

// version says whether an object replaces an older version and whether it is the newest so far.
func (l *Loader) version(o stix.Object) (replaces, current bool) {
	id, ok := ObjectUUID(o.ID)
	if !ok {
		return false, true
	}
	now := o.Modified.Time.UnixMicro()
	have, seen := l.versions[id]
	if seen && have >= now {
		return false, false
	}
	if !seen && len(l.versions) >= maxVersions {
		return false, true
	}
	l.versions[id] = now
	return seen, true
}

// ObjectUUID is the 16 bytes of the UUID in a STIX id, under which a [Table] keeps it.
func ObjectUUID(id string) (out [16]byte, ok bool) {
	_, text, _ := strings.Cut(id, "--")
	if len(text) != 36 {
		return out, false
	}
	at := 0
	for i := 0; i < len(text); i++ {
		if text[i] == '-' {
			continue
		}
		if i+1 == len(text) || at == 16 {
			return out, false
		}
		high, low := hexDigit(text[i]), hexDigit(text[i+1])
		if high < 0 || low < 0 {
			return out, false
		}
		out[at] = byte(high<<4 | low)
		at, i = at+1, i+1
	}
	return out, at == 16
}

func (l *Loader) indicator(o stix.Object, line int, replaces bool) {
	if o.Revoked {
		if replaces {
			l.give(&Item{ID: o.ID, Line: line, Replaces: true})
			l.report.Values-- // it only takes back
		}
		l.skip("revoked indicators")
		return
	}
	item, values, err := ReadIndicator(o)
	switch {
	case errors.Is(err, errOtherPattern):
		l.skip("indicators whose pattern is not STIX: " + o.PatternType)
		return
	case err != nil:
		l.wrong(line, "%s: %v", o.ID, err)
		return
	}
	item.Line, item.Replaces = line, replaces
	if item.Pattern != nil || item.Sigma != "" {
		l.give(&item)
		return
	}
	for _, v := range values {
		item.Value = v
		l.value(&item)
		item.Replaces = false
	}
}

var errOtherPattern = errors.New("its pattern is in another language")

// ReadIndicator reads what an indicator object says: values of which each is an indicator by itself, or else a pattern
// or a Sigma rule in the item. A valid_from that is no other time than that of its making bounds nothing. Whether it is revoked is for the caller to ask. An object whose marking contradicts itself is taken
// for TLP:RED.
func ReadIndicator(o stix.Object) (item Item, values []Value, err error) {
	if o.PatternType != "stix" && o.PatternType != "sigma" {
		return item, nil, errOtherPattern
	}
	item = Item{ID: o.ID, Title: o.Name, ValidFrom: o.ValidFrom.Time, ValidUntil: o.ValidUntil.Time, PAP: o.PAP(), Confidence: confidenceOf(o), Types: typesOf(o)}
	if item.ValidFrom.Equal(o.Created.Time) || item.ValidFrom.Equal(o.Modified.Time) {
		item.ValidFrom = time.Time{} // it says when it was written down, and nothing of when the value began to mean something
	}
	if item.Marking, err = o.Level(); err != nil {
		item.Marking = stix.Red
	}
	if o.PatternType == "sigma" {
		item.Sigma = o.Pattern
		return item, nil, nil
	}
	p, err := pattern.Parse(o.Pattern)
	if err != nil {
		return item, nil, fmt.Errorf("pattern: %w", err)
	}
	values, err = Values(p)
	if err == nil && len(values) > 0 {
		return item, values, nil
	}
	item.Pattern = p
	return item, nil, nil
}
