package history

import (
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/polder-exchange/polder/indicator"
)

// cursor goes through the values of one column, one after the other. It is for one goroutine; Close frees it.
type cursor struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    []parquet.Value
	at, n  int
	ended  bool // the page gives no more values
}

func newCursor(c parquet.ColumnChunk) *cursor {
	return &cursor{pages: c.Pages(), buf: make([]parquet.Value, 512), ended: true}
}

// next is the next value; it holds until the one after. ok is false at the end.
func (c *cursor) next() (v parquet.Value, ok bool, err error) {
	for c.at == c.n {
		if c.ended {
			parquet.Release(c.page)
			c.page, err = c.pages.ReadPage()
			if err == io.EOF {
				return v, false, nil
			}
			if err != nil {
				c.page = nil
				return v, false, err
			}
			c.values, c.ended = c.page.Values(), false
		}
		c.at = 0
		c.n, err = c.values.ReadValues(c.buf)
		if c.ended = err == io.EOF; err != nil && !c.ended {
			return v, false, err
		}
		if c.n == 0 && !c.ended {
			return v, false, io.ErrNoProgress
		}
	}
	v = c.buf[c.at]
	c.at++
	return v, true, nil
}

func (c *cursor) Close() error {
	parquet.Release(c.page)
	c.page = nil
	return c.pages.Close()
}

var errColumns = errors.New("its columns do not fit each other")

// eachObservable calls fn for the values of a group of rows, with the number of the row in the group. The value holds until
// fn returns.
func eachObservable(rg parquet.RowGroup, fn func(at int64, kind indicator.Kind, value []byte)) (err error) {
	chunks := rg.ColumnChunks()
	types, values := newCursor(chunks[typeColumn]), newCursor(chunks[valueColumn])
	defer func() { err = errors.Join(err, types.Close(), values.Close()) }()
	kinds := map[string]indicator.Kind{}
	at := int64(-1)
	for {
		v, ok, err := values.next()
		t, okT, errT := types.next()
		if err = errors.Join(err, errT); err != nil {
			return err
		}
		if ok != okT || ok && (v.RepetitionLevel() != t.RepetitionLevel() || v.IsNull() != t.IsNull()) {
			return errColumns
		}
		if !ok {
			return nil
		}
		if v.RepetitionLevel() == 0 {
			at++
		}
		if v.IsNull() {
			continue
		}
		kind, known := kinds[string(t.ByteArray())]
		if !known {
			kind = indicator.Kind(t.ByteArray())
			kinds[string(kind)] = kind
		}
		fn(at, kind, v.ByteArray())
	}
}
