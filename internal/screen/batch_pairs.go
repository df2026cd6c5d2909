package screen

import (
	"bufio"
	"errors"
	"io"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/names"
)

// pairs reads pairs of names from a table with the columns name1, name2 and perhaps type.
type pairs struct {
	t     *table
	h     heading
	first []string
	row   int
}

// pair is a row of two names.
type pair struct {
	row  int
	a, b string
	kind names.Type
}

// newPairs reads the heading. A table of two or three columns without one is taken as it is.
func newPairs(name string, r io.Reader) (*pairs, error) {
	in := bufio.NewReaderSize(&boundedReader{r: r, left: maxPartyBytes, name: name}, 1<<16)
	head, _ := in.Peek(1 << 15)
	text, _, err := decoded(name, in, head, "")
	if err != nil {
		return nil, err
	}
	head, _ = text.Peek(1 << 15)
	p := &pairs{t: &table{name: name, in: text, note: func(string) {}, delim: delimiterOf(string(head))}}
	cells, _, err := p.t.record()
	if errors.Is(err, io.EOF) {
		return nil, polder.Errorf(polder.Invalid, "%s: the file is empty; give the columns name1 and name2", name)
	}
	if err != nil {
		return nil, err
	}
	p.h = readHeading(cells)
	switch {
	case p.h.at[columnName1] >= 0 && p.h.at[columnName2] >= 0:
		return p, nil
	case p.h.known == 0 && (len(cells) == 2 || len(cells) == 3):
		p.first = cells
		p.h.at[columnName1], p.h.at[columnName2] = 0, 1
		if len(cells) == 3 {
			p.h.at[columnType] = 2
		}
		return p, nil
	}
	return nil, polder.Errorf(polder.Invalid, "%s:1: the columns name1 and name2 are not there; there are: %s", name, columnsOf(cells))
}

// next is the next pair; more is false after the last.
func (p *pairs) next() (x pair, more bool, err error) {
	cells := p.first
	if p.first = nil; cells == nil {
		if cells, _, err = p.t.record(); errors.Is(err, io.EOF) {
			return x, false, nil
		}
		if err != nil {
			return x, false, err
		}
	}
	p.row++
	cell := func(c column) string {
		if i := p.h.at[c]; i >= 0 && i < len(cells) {
			return cells[i]
		}
		return ""
	}
	return pair{p.row, cell(columnName1), cell(columnName2), statedType(cell(columnType))}, true, nil
}
