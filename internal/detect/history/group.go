package history

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
)

// hitOf is a hit in an event, on memory of its own.
func hitOf(r *row, what int, evidence []Evidence) found {
	return found{id: r.ID, hit: Hit{
		Time: fromMicros(r.Time), Received: fromMicros(r.Metadata.Processed),
		File: strings.Clone(r.Metadata.File), Index: r.Metadata.Index, Format: event.Format(strings.Clone(r.Metadata.Format)),
		Host: strings.Clone(r.Device.Hostname), User: strings.Clone(r.User.Name), Raw: bytes.Clone(r.Raw),
		What: what, Evidence: evidence,
	}}
}

// valuesIn appends the hits in one event: one for each value that is in it, with every field in which it stands.
func (h *hunt) valuesIn(hits []found, r *row) []found {
	if !h.covers(r.Time) {
		return hits
	}
	at := map[int]int{}
	var which []int
	var keys []uint64
	for i := range r.Observables {
		o := &r.Observables[i]
		which, keys = h.wanted.find(which[:0], o.value(), keys)
		for _, w := range which {
			if _, ok := at[w]; !ok {
				at[w] = len(hits)
				hits = append(hits, hitOf(r, w, nil))
			}
			hit := &hits[at[w]].hit
			hit.Evidence = append(hit.Evidence, Evidence{Field: strings.Clone(o.Name), Value: strings.Clone(o.Value)})
		}
	}
	return hits
}

func (h *hunt) valuesInRows(rows []row) (r result) {
	for i := range rows {
		r.hits = h.valuesIn(r.hits, &rows[i])
	}
	r.events = int64(len(rows))
	return r
}

// valuesInGroup reads the column of values, and then only the rows with one that is wanted.
func (h *hunt) valuesInGroup(u *unit) (r result, err error) {
	if !h.bloomHas(u) {
		return r, nil
	}
	r.events = u.group.NumRows()
	var rows []int64
	known := map[indicator.Kind]map[string]bool{}
	var which []int
	var keys []uint64
	err = eachObservable(u.group, func(at int64, kind indicator.Kind, value []byte) {
		of := known[kind]
		if of == nil {
			of = map[string]bool{}
			known[kind] = of
		}
		hit, ok := of[string(value)]
		if !ok {
			which, keys = h.wanted.find(which[:0], Value{Kind: kind, Value: string(value)}, keys)
			hit = len(which) > 0
			of[string(value)] = hit
		}
		if hit && (len(rows) == 0 || rows[len(rows)-1] != at) {
			rows = append(rows, at)
		}
	})
	if err != nil {
		return r, err
	}
	err = rowsAt(u.group, rows, func(_ int, row *row) { r.hits = h.valuesIn(r.hits, row) })
	return r, err
}

// bloomHas asks the bloom filter of the column of values, where it can tell.
func (h *hunt) bloomHas(u *unit) bool {
	exact := h.wanted.exact()
	filter := u.group.ColumnChunks()[valueColumn].BloomFilter()
	if len(exact) == 0 || filter == nil || !u.file.sums.bloomIsWhole(u.file.opened, u.number) {
		return true
	}
	return slices.ContainsFunc(exact, func(v string) bool {
		ok, err := filter.Check(parquet.ByteArrayValue([]byte(v)))
		return ok || err != nil
	})
}

// rowsAt reads the rows with these numbers, which rise.
func rowsAt(rg parquet.RowGroup, at []int64, fn func(i int, r *row)) (err error) {
	if len(at) == 0 {
		return nil
	}
	in := parquet.NewGenericRowGroupReader[row](rg)
	defer func() { err = errors.Join(err, in.Close()) }()
	buf := make([]row, 64)
	pos := int64(0)
	for i := 0; i < len(at); {
		if at[i] >= pos+256 || i == 0 {
			if err := in.SeekToRow(at[i]); err != nil {
				return err
			}
			pos = at[i]
		}
		clear(buf)
		n, err := in.Read(buf)
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		for ; i < len(at) && at[i] < pos+int64(n); i++ {
			fn(i, &buf[at[i]-pos])
		}
		pos += int64(n)
	}
	return nil
}

// eventReader reads the events of a group of rows, one after the other, for matchers.
type eventReader struct {
	times, raws, fields *cursor
	files, indexes      *cursor
	lay                 *layout
	event               event.Event
	at                  int64 // number of the row, from 0
	time                int64
	file                string
}

func (r *eventReader) where() Where { return Where{Time: fromMicros(r.time), File: r.file} }

func (h *hunt) newEventReader(rg parquet.RowGroup, lay *layout) *eventReader {
	c := rg.ColumnChunks()
	return &eventReader{times: newCursor(c[timeColumn]), raws: newCursor(c[rawColumn]), fields: newCursor(c[fieldsColumn]),
		files: newCursor(c[fileColumn]), indexes: newCursor(c[indexColumn]), lay: lay, at: -1}
}

func (r *eventReader) Close() error {
	return errors.Join(r.times.Close(), r.raws.Close(), r.fields.Close(), r.files.Close(), r.indexes.Close())
}

// next goes to the next row; false at the end. known is false for an event of which only the values were kept.
func (r *eventReader) next() (ok, known bool, err error) {
	t, ok, err := r.times.next()
	raw, okRaw, errRaw := r.raws.next()
	fields, okFields, errFields := r.fields.next()
	name, okName, errName := r.files.next()
	index, okIndex, errIndex := r.indexes.next()
	if err := errors.Join(err, errRaw, errFields, errName, errIndex); err != nil {
		return false, false, err
	}
	if ok != okRaw || ok != okFields || ok != okName || ok != okIndex {
		return false, false, errColumns
	}
	if !ok {
		return false, false, nil
	}
	r.at++
	r.time = 0
	if !t.IsNull() {
		r.time = t.Int64()
	}
	if file := name.ByteArray(); string(file) != r.file {
		r.file = string(file)
	}
	r.event.Index = int(index.Int64())
	if fields.IsNull() {
		return true, false, nil
	}
	r.event.Raw = nil
	if !raw.IsNull() {
		r.event.Raw = raw.ByteArray()
	}
	return true, true, r.lay.read(fields.ByteArray(), &r.event)
}

// matchGroup shows the events of a group to a matcher, and then reads the rows in which it found something.
func (h *hunt) matchGroup(u *unit, m Matcher) (r result, err error) {
	in := h.newEventReader(u.group, h.store.words.layout(u.file.meta.Words))
	defer func() { err = errors.Join(err, in.Close()) }()
	var rows []int64
	for {
		ok, known, err := in.next()
		if err != nil {
			return r, err
		}
		if !ok {
			break
		}
		r.events++
		if !known || !h.covers(in.time) {
			continue
		}
		in.event.SetTime(fromMicros(in.time))
		for i, f := range cloneFindings(m.Match(&in.event, in.where())) {
			hit := Hit{Time: fromMicros(in.time), File: in.file, Index: int64(in.event.Index), What: f.What, Evidence: f.Evidence}
			if i == 0 {
				hit.Raw = bytes.Clone(in.event.Raw)
			} else {
				hit.Raw = r.hits[len(r.hits)-1].hit.Raw
			}
			r.hits = append(r.hits, found{hit: hit})
			rows = append(rows, in.at)
		}
	}
	return r, fillHits(u.group, rows, r.hits)
}

// fillHits reads what a hit says beside its event, from the columns that hold it. rows are the numbers of the hits' rows.
func fillHits(rg parquet.RowGroup, rows []int64, hits []found) error {
	if len(hits) == 0 {
		return nil
	}
	text := func(set func(h *found, s string)) func(h *found, v parquet.Value) {
		return func(h *found, v parquet.Value) { set(h, string(v.ByteArray())) }
	}
	for column, set := range map[int]func(h *found, v parquet.Value){
		idColumn:       func(h *found, v parquet.Value) { h.id = v.Uint64() },
		receivedColumn: func(h *found, v parquet.Value) { h.hit.Received = fromMicros(v.Int64()) },
		formatColumn:   text(func(h *found, s string) { h.hit.Format = event.Format(s) }),
		hostColumn:     text(func(h *found, s string) { h.hit.Host = s }),
		userColumn:     text(func(h *found, s string) { h.hit.User = s }),
	} {
		if err := pick(rg.ColumnChunks()[column], rows, func(i int, v parquet.Value) { set(&hits[i], v) }); err != nil {
			return err
		}
	}
	return nil
}

// pick calls fn for the values of a column, which is not repeated, in these rows, which do not fall.
func pick(c parquet.ColumnChunk, rows []int64, fn func(i int, v parquet.Value)) (err error) {
	in := newCursor(c)
	defer func() { err = errors.Join(err, in.Close()) }()
	at := int64(-1)
	var v parquet.Value
	for i, row := range rows {
		for at < row {
			var ok bool
			if v, ok, err = in.next(); err != nil || !ok {
				return cmp.Or(err, errColumns)
			}
			at++
		}
		if !v.IsNull() {
			fn(i, v)
		}
	}
	return nil
}

func cloneFindings(f []Finding) []Finding {
	f = slices.Clone(f)
	for i := range f {
		f[i].Evidence = slices.Clone(f[i].Evidence)
	}
	return f
}

// matchRows shows events that are in memory alone to a matcher.
func (h *hunt) matchRows(rows []row, m Matcher) (r result) {
	var e event.Event
	w, err := h.store.words.wordsFor(rows)
	if err != nil {
		return result{err: err}
	}
	lay := h.store.words.layout(w)
	for i := range rows {
		row := &rows[i]
		r.events++
		if len(row.Fields) == 0 || !h.covers(row.Time) {
			continue
		}
		e.Raw = row.Raw
		if err := lay.read(row.Fields, &e); err != nil {
			return result{err: err}
		}
		e.Index = int(row.Metadata.Index)
		e.SetTime(fromMicros(row.Time))
		for _, f := range cloneFindings(m.Match(&e, Where{Time: fromMicros(row.Time), File: row.Metadata.File})) {
			r.hits = append(r.hits, hitOf(row, f.What, f.Evidence))
		}
	}
	return r
}
