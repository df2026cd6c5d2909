package detect

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/misp"
	"github.com/polder-exchange/polder/stix"
)

const (
	// loadGC keeps the garbage of a large load small: what is loaded holds no pointers, so that collecting costs little.
	loadGC = 20
	// manyValues is from how many values on memory is given back after a load.
	manyValues = 500_000
	// maxMISP is the longest MISP event.
	maxMISP = 64 << 20
	// firstBytes is what a loader looks at to recognise a format.
	firstBytes = 64 << 10
)

// LoadFile reads a file of indicators: STIX, a MISP event, a table, a list. The report accounts for all that it holds; the
// error is for a file that cannot be read. It may be called while events are matched, but not twice at once.
func (k *Knowledge) LoadFile(r io.Reader, o indicator.LoadOptions) (indicator.LoadReport, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(loadGC))
	in := bufio.NewReaderSize(r, firstBytes)
	if head, _ := in.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(in)
		if err != nil {
			return indicator.LoadReport{}, fmt.Errorf("%s: %w", o.Name, err)
		}
		in = bufio.NewReaderSize(z, firstBytes)
	}
	f := fileLoad{k: k, name: o.Name}
	f.lines = k.listNumber("lines "+o.Name, knownList{name: o.Name, lines: true})
	f.objects = k.listNumber("objects "+o.Name, knownList{name: o.Name})
	l := indicator.NewLoader(o, f.item)
	err := l.Read(in)
	if errors.Is(err, indicator.ErrMISP) {
		err = f.misp(l, in)
	}
	f.flush()
	if k.Table.Len() > manyValues {
		debug.FreeOSMemory()
	}
	return f.report(l.Report()), err
}

// fileLoad gathers what one file holds.
type fileLoad struct {
	k              *Knowledge
	name           string
	lines, objects uint32 // the numbers of its two lists
	batch          []indicator.Known
	at             []int // the line of each
	refused, rules int   // values that the table would not take, and rules that do not load
	errors         []*indicator.LoadError
	skipped        []misp.Skipped
}

// report adds to what the loader says what the table would not take.
func (f *fileLoad) report(r indicator.LoadReport) indicator.LoadReport {
	r.Values -= f.refused
	r.Patterns -= f.rules
	r.Wrong += f.refused + f.rules
	for _, s := range f.skipped {
		r.Wrong++
		f.errors = append(f.errors, &indicator.LoadError{Name: f.name, Line: 1, Text: s.Path + ": " + s.Reason})
	}
	for _, e := range f.errors {
		if len(r.Errors) < indicator.MaxLoadErrors {
			r.Errors = append(r.Errors, e)
		}
	}
	return r
}

// misp makes STIX objects of an event.
func (f *fileLoad) misp(l *indicator.Loader, in io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(in, maxMISP+1))
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	if len(raw) > maxMISP {
		return fmt.Errorf("%s: the event has more than %d bytes; export fewer at once", f.name, maxMISP)
	}
	result, err := misp.ToSTIX(raw, misp.Options{Now: func() time.Time { return time.Unix(0, 0).UTC() }})
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	for _, o := range result.Objects {
		l.Object(o, 1)
	}
	f.skipped = result.Skipped
	return nil
}

// item takes in one thing.
func (f *fileLoad) item(i *indicator.Item) error {
	id, isObject := indicator.ObjectUUID(i.ID)
	isObject = isObject && stix.TypeOf(i.ID) == "indicator"
	if i.Replaces && isObject {
		f.flush()
		f.k.Table.Forget(id, f.objects)
		f.k.dropPattern(id, f.objects)
	}
	switch {
	case i.Expression != nil:
		f.k.addPath(i, f.lines)
	case i.Sigma != "":
		c, err := sharedRule(i)
		if err != nil {
			f.rules++
			f.complain(i.Line, err)
			return nil
		}
		f.k.setPattern(id, f.objects, knownRule(i, c, Origin{Object: i.ID, Level: i.Marking, PAP: i.PAP, List: f.name}))
	case i.Pattern != nil:
		level, why := severity("", i.Confidence)
		f.k.setPattern(id, f.objects, &KnownPattern{Pattern: i.Pattern, ID: i.ID, Title: itemTitle(i), ValidFrom: i.ValidFrom, ValidUntil: i.ValidUntil,
			Level: level, Why: why, Origin: Origin{Object: i.ID, Level: i.Marking, PAP: i.PAP, List: f.name}})
	case i.Kind != "" && isObject:
		f.k.setTitle(id, i.Title)
		f.add(i, i.Reference(id, f.objects))
	case i.Kind != "":
		f.add(i, i.Reference(f.k.lineOf(i.Line, i.Title), f.lines))
	}
	return nil
}

func itemTitle(i *indicator.Item) string {
	if i.Title == "" {
		return "a pattern"
	}
	return i.Title
}

func (f *fileLoad) add(i *indicator.Item, r indicator.Reference) {
	f.batch = append(f.batch, indicator.Known{Kind: i.Kind, Value: i.Value.Value, Reference: r})
	f.at = append(f.at, i.Line)
	if len(f.batch) >= indicator.LoadBatch {
		f.flush()
	}
}

// complain names something that should have been of use.
func (f *fileLoad) complain(line int, err error) {
	if len(f.errors) < indicator.MaxLoadErrors {
		f.errors = append(f.errors, &indicator.LoadError{Name: f.name, Line: line, Text: err.Error()})
	}
}

func (f *fileLoad) flush() {
	f.k.Table.AddAll(f.batch, func(i int, err error) {
		f.refused++
		f.complain(f.at[i], err)
	})
	f.batch, f.at = f.batch[:0], f.at[:0]
}

func (k *Knowledge) addPath(i *indicator.Item, no uint32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.paths.Add(i.Expression)
	k.pathOf = append(k.pathOf, pathOrigin{i.Expression, no, i.Line, i.Confidence})
}

func (k *Knowledge) lineOf(line int, title string) [16]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.titles.line(line, title)
}

func (k *Knowledge) setTitle(object [16]byte, title string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.titles.setObject(object, title)
}
