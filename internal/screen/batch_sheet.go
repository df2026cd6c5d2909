package screen

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/polder-exchange/polder"
)

// Bounds of an XLSX file once it is unpacked.
const (
	maxSheetUnpacked = 1 << 30
	maxSheetRows     = 1_048_576 // as many as a sheet has
	maxSheetColumns  = 1_000
	maxHeadingRows   = 20 // a heading is looked for in so many first rows
)

// sheetRows are the rows of a sheet as queries.
type sheetRows struct {
	name string
	file *excelize.File
	rows *excelize.Rows
	line int
	h    heading
}

// newSheetRows opens a sheet that has a column of names.
func newSheetRows(name string, in io.Reader, o PartyOptions) (*sheetRows, error) {
	packed := &boundedReader{r: in, left: maxSheetBytes, name: name}
	f, err := excelize.OpenReader(packed, excelize.Options{RawCellValue: true, UnzipSizeLimit: maxSheetUnpacked, UnzipXMLSizeLimit: 16 << 20})
	if err != nil {
		if e, ok := errors.AsType[*polder.Error](err); ok {
			return nil, e
		}
		return nil, polder.Errorf(polder.Invalid, "%s: it cannot be read as XLSX (%s); save it again, or as CSV", name, plainSheetError(err))
	}
	r := &sheetRows{name: name, file: f}
	if err := r.open(o); err != nil {
		_ = r.close()
		return nil, err
	}
	return r, nil
}

func plainSheetError(err error) string { return clip(strings.TrimPrefix(err.Error(), "zip: "), 200) }

// open finds the sheet and its heading.
func (r *sheetRows) open(o PartyOptions) error {
	sheets := r.file.GetSheetList()
	if o.Sheet != "" {
		sheets = []string{o.Sheet}
	}
	var first []string
	for _, sheet := range sheets {
		rows, err := r.file.Rows(sheet)
		if err != nil {
			return polder.Errorf(polder.Invalid, "%s: the sheet %q cannot be read (%s); there are: %s", r.name, clip(sheet, 60), plainSheetError(err), columnsOf(r.file.GetSheetList()))
		}
		r.rows, r.line = rows, 0
		for range maxHeadingRows {
			cells, err := r.cells()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if first == nil && len(cells) > 0 {
				first = cells
			}
			h := readHeading(cells)
			if o.Column != "" && len(cells) > 0 {
				if _, number := strconv.Atoi(o.Column); h.choose(r.name, cells, o.Column) == nil && (number != nil || h.known > 0 || len(cells) > 1) {
					r.h = h
					return nil
				}
				continue
			}
			if h.named() {
				r.h = h
				return nil
			}
		}
		_ = rows.Close()
		r.rows = nil
	}
	if o.Column != "" {
		var h heading
		return h.choose(r.name, first, o.Column)
	}
	return noNames(r.name, first)
}

// cells are those of the next row.
func (r *sheetRows) cells() (cells []string, err error) {
	defer func() {
		if p := recover(); p != nil { // the reader of XLSX trusts its input more than it should
			err = polder.Errorf(polder.Invalid, "%s:%d: the sheet is broken (%s); save it again, or as CSV", r.name, r.line, clip(fmt.Sprint(p), 100))
		}
	}()
	if !r.rows.Next() {
		if err := r.rows.Error(); err != nil {
			return nil, polder.Errorf(polder.Invalid, "%s:%d: the sheet cannot be read further (%s); save it again, or as CSV", r.name, r.line+1, plainSheetError(err))
		}
		return nil, io.EOF
	}
	if r.line++; r.line > maxSheetRows {
		return nil, polder.Errorf(polder.Invalid, "%s: the sheet claims more than %d rows; save it again, or as CSV", r.name, maxSheetRows)
	}
	cells, err = r.rows.Columns()
	switch {
	case err != nil:
		return nil, polder.Errorf(polder.Invalid, "%s:%d: the row cannot be read (%s); save the file again, or as CSV", r.name, r.line, plainSheetError(err))
	case len(cells) > maxSheetColumns:
		return nil, polder.Errorf(polder.Invalid, "%s:%d: the row has more than %d columns; is it a list of parties?", r.name, r.line, maxSheetColumns)
	}
	return cells, nil
}

func (r *sheetRows) next() (Query, int, error) {
	for {
		cells, err := r.cells()
		if err != nil {
			return Query{}, r.line, err
		}
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue
		}
		for _, c := range []column{columnRef, columnRegistration, columnTax, columnIMO} {
			if i := r.h.at[c]; i >= 0 && i < len(cells) {
				cells[i] = plainNumber(cells[i])
			}
		}
		if i := r.h.at[columnBirth]; i >= 0 && i < len(cells) {
			cells[i] = sheetDate(cells[i])
		}
		return r.h.query(cells), r.line, nil
	}
}

// plainNumber is a number without an exponent: spreadsheets keep long numbers as 1.2345678E7.
func plainNumber(text string) string {
	if !strings.ContainsAny(text, "eE") {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return text
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// sheetDate is a day that a spreadsheet keeps as a number of days; other texts are as they were.
func sheetDate(text string) string {
	days, err := strconv.ParseFloat(text, 64)
	if err != nil || days < 2101 || days > 100_000 { // a number up to 2100 is a year
		return text
	}
	t, err := excelize.ExcelDateToTime(days, false)
	if err != nil {
		return text
	}
	return t.Format(time.DateOnly)
}

func (r *sheetRows) close() error {
	if r.rows != nil {
		_ = r.rows.Close()
	}
	return r.file.Close()
}
