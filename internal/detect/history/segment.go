package history

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
)

// Sizes of a segment's file.
const (
	rowsPerGroup = 16 << 10
	pageBytes    = 256 << 10
	dictBytes    = 1 << 20
	maxGroupRows = 1 << 22 // of a file that somebody else may have written
)

// metaKey is where a segment's file says what it is, in its metadata.
const metaKey = "polder.history"

// meta is what a segment's file says of itself: what its entry needs beside its values, and its dictionary.
type meta struct {
	Version  int      `json:"version"`
	First    int64    `json:"first"`
	Last     int64    `json:"last"`
	Received int64    `json:"received"`
	Whole    bool     `json:"whole"`
	Replaces []string `json:"replaces,omitempty"`
	Words    words    `json:"words"`
}

const metaVersion = 1

// write makes the segment of rows, which it sorts by time, and returns its entry. The file has a temporary name at first;
// finish gives it its own. Half of one is removed on an error.
func (g *segment) write(dir string, rows []row, m meta) (tmp string, e *entry, err error) {
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.Time, b.Time) })
	m.Version = metaVersion
	e = &entry{Name: g.name, Rows: int64(len(rows)), Whole: m.Whole, Replaces: m.Replaces}
	for i := range rows {
		e.Received = max(e.Received, rows[i].Metadata.Processed)
	}
	e.First, e.Last = rows[0].Time, rows[len(rows)-1].Time
	m.First, m.Last, m.Received = e.First, e.Last, e.Received
	if err := e.setKeys(keysOfRows(rows)); err != nil {
		return "", nil, err
	}
	tmp = filepath.Join(dir, g.day, tempPrefix+g.name)
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", nil, err
	}
	err = errors.Join(writeRows(f, rows, m), f.Sync())
	if err == nil {
		e.Bytes, e.sums, err = sumsOf(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(tmp)
		return "", nil, err
	}
	g.bytes = e.Bytes
	return tmp, e, nil
}

// finish makes a written segment count, durably.
func (g *segment) finish(dir, tmp string) error {
	if err := os.Rename(tmp, g.path(dir)); err != nil {
		return err
	}
	return db.SyncDir(filepath.Join(dir, g.day))
}

func writeRows(w io.Writer, rows []row, m meta) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	pw := parquet.NewGenericWriter[row](w,
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault}),
		parquet.MaxRowsPerRowGroup(rowsPerGroup),
		parquet.PageBufferSize(pageBytes),
		parquet.DictionaryMaxBytes(dictBytes),
		parquet.BloomFilters(bloomed()...),
		parquet.DataPageStatistics(true),
		parquet.SkipPageBounds("raw_data"), parquet.SkipPageBounds("raw_fields"),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("time"))),
		parquet.CreatedBy("polder", "1", ""),
		parquet.KeyValueMetadata(metaKey, string(text)),
	)
	for len(rows) > 0 {
		n := min(len(rows), 1024)
		if _, err := pw.Write(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return pw.Close()
}

// keysOfRows are the keys of all values in rows.
func keysOfRows(rows []row) []uint64 {
	var keys []uint64
	known := map[observable]struct{}{}
	for i := range rows {
		for _, o := range rows[i].Observables {
			o.Name = ""
			if _, ok := known[o]; ok {
				continue
			}
			known[o] = struct{}{}
			keys = keysOf(keys, o.value())
		}
	}
	return keys
}

func (o *observable) value() Value { return Value{Kind: indicator.Kind(o.Type), Value: o.Value} }

// opened is a segment's file, open for reading.
type opened struct {
	file *os.File
	pq   *parquet.File
	meta meta
	sums sums // as they were when the segment was written
}

// errDamaged says that a segment cannot be read.
var errDamaged = errors.New("the segment is damaged")

// open opens the segment. A file that is no segment is an errDamaged; one that is gone is an fs.ErrNotExist.
func (g *segment) open(dir string) (*opened, error) {
	f, err := os.Open(g.path(dir))
	if err != nil {
		return nil, err
	}
	o := &opened{file: f}
	err = guard(func() error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		g.bytes = info.Size()
		if g.entry != nil {
			o.sums = g.entry.sums
			if err := o.sums.check(f, g.entry.Bytes, info.Size()); err != nil {
				return err
			}
		}
		o.pq, err = parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(false))
		if err != nil {
			return err
		}
		text, _ := o.pq.Lookup(metaKey)
		if err := json.Unmarshal([]byte(text), &o.meta); err != nil {
			return fmt.Errorf("it does not say that polder wrote it: %w", err)
		}
		if o.meta.Version != metaVersion {
			return fmt.Errorf("it is of version %d, this program reads %d", o.meta.Version, metaVersion)
		}
		if o.pq.Schema().String() != schema.String() {
			return errors.New("its columns are not those of a segment")
		}
		for _, rg := range o.pq.RowGroups() {
			if rg.NumRows() > maxGroupRows {
				return fmt.Errorf("it has a group of %d rows", rg.NumRows())
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s/%s: %w: %w", g.day, g.name, errDamaged, err), f.Close())
	}
	return o, nil
}

var schema = parquet.SchemaOf(row{})

func (o *opened) Close() error { return o.file.Close() }

// guard turns a panic of the Parquet reader over a damaged file into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the reader gave up: %v", p)
		}
	}()
	return fn()
}

// column finds a column's number by its path.
func columnAt(path ...string) int {
	leaf, ok := schema.Lookup(path...)
	if !ok {
		panic("history: the schema has no column " + path[len(path)-1])
	}
	return leaf.ColumnIndex
}

var (
	valueColumn  = columnAt(valuePath...)
	typeColumn   = columnAt(typePath...)
	idColumn     = columnAt("id")
	timeColumn   = columnAt("time")
	rawColumn    = columnAt("raw_data")
	fieldsColumn = columnAt("raw_fields")
	fileColumn   = columnAt("metadata", "log_file")
	indexColumn  = columnAt("metadata", "sequence")

	receivedColumn = columnAt("metadata", "processed_time")
	formatColumn   = columnAt("metadata", "log_format")
	hostColumn     = columnAt("device", "hostname")
	userColumn     = columnAt("user", "name")
)

// eachRow calls fn for the rows of the segment in turn; the row is used again.
func (o *opened) eachRow(fn func(r *row) error) error {
	for _, rg := range o.pq.RowGroups() {
		if err := eachOf(rg, fn); err != nil {
			return err
		}
	}
	return nil
}

func eachOf(rg parquet.RowGroup, fn func(r *row) error) error {
	r := parquet.NewGenericRowGroupReader[row](rg)
	defer r.Close()
	buf := make([]row, 256)
	for left := rg.NumRows(); left > 0; {
		clear(buf)
		n, err := r.Read(buf)
		for i := range buf[:n] {
			if err := fn(&buf[i]); err != nil {
				return err
			}
		}
		left -= int64(n)
		if err != nil && (err != io.EOF || left > 0) {
			return err
		}
		if n == 0 && left > 0 {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

// rebuild makes the entry of a segment from its file, when the file of filters does not have it.
func (g *segment) rebuild(dir string) (*entry, error) {
	o, err := g.open(dir)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	e := &entry{Name: g.name, Bytes: g.bytes, First: o.meta.First, Last: o.meta.Last, Received: o.meta.Received,
		Whole: o.meta.Whole, Replaces: o.meta.Replaces, Rows: o.pq.NumRows()}
	if err := guard(func() (err error) { _, e.sums, err = sumsOf(o.file); return err }); err != nil {
		return nil, fmt.Errorf("%s/%s: %w: %w", g.day, g.name, errDamaged, err)
	}
	var keys []uint64
	known := map[Value]struct{}{}
	err = guard(func() error {
		for _, rg := range o.pq.RowGroups() {
			err := eachObservable(rg, func(_ int64, kind indicator.Kind, value []byte) {
				v := Value{Kind: kind, Value: string(value)}
				if _, ok := known[v]; !ok {
					known[v] = struct{}{}
					keys = keysOf(keys, v)
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w: %w", g.day, g.name, errDamaged, err)
	}
	return e, e.setKeys(keys)
}

// ids are the identities of the events of the segment, sorted.
func (g *segment) ids(dir string) ([]uint64, error) {
	o, err := g.open(dir)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	var ids []uint64
	err = guard(func() error {
		for _, rg := range o.pq.RowGroups() {
			c := newCursor(rg.ColumnChunks()[idColumn])
			for {
				v, ok, err := c.next()
				if err != nil || !ok {
					if err = errors.Join(err, c.Close()); err != nil {
						return err
					}
					break
				}
				ids = append(ids, v.Uint64())
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w: %w", g.day, g.name, errDamaged, err)
	}
	slices.Sort(ids)
	return ids, nil
}
