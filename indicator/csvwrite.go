package indicator

import (
	"encoding/csv"
	"io"
	"regexp"
	"time"
)

// csvHeader are the columns that WriteCSV writes and ReadCSV knows.
var csvHeader = []string{"type", "value", "id", "description", "source", "tlp", "valid_until"}

// WriteCSV writes a table with a heading, one indicator a row. A cell that a spreadsheet would run (one that starts
// with = + - @, a tab or a carriage return) has a single quote before it, which [ReadCSV] takes away.
func WriteCSV(w io.Writer, entries []Entry) ([]Skipped, error) {
	var l list
	c := csv.NewWriter(w)
	if err := c.Write(csvHeader); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !l.take(&e, false) {
			continue
		}
		until := ""
		if !e.ValidUntil.IsZero() {
			until = e.ValidUntil.UTC().Format(time.RFC3339)
		}
		row := []string{string(e.Kind), e.Value, e.ID, e.Description, e.Source, e.Label, until}
		for i := range row {
			row[i] = GuardCell(row[i])
		}
		if err := c.Write(row); err != nil {
			return l.skipped, err
		}
	}
	c.Flush()
	return l.skipped, c.Error()
}

var (
	runs    = regexp.MustCompile(`^'*[=+\-@\t\r＝＋－＠]`)
	guarded = regexp.MustCompile(`^'+[=+\-@\t\r＝＋－＠]`)
)

// GuardCell makes a text safe as a cell of a table that a spreadsheet opens: one that starts like a formula, in wide
// letters too, gets a single quote before it. NUL characters are dropped. UnguardCell takes the quote away again.
func GuardCell(s string) string {
	s = dropNUL(s)
	if runs.MatchString(s) {
		return "'" + s
	}
	return s
}

// UnguardCell takes away the quote that GuardCell has put before a cell.
func UnguardCell(s string) string {
	if guarded.MatchString(s) {
		return s[1:]
	}
	return s
}

func dropNUL(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != 0 {
			b = append(b, s[i])
		}
	}
	return string(b)
}
