package lists

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// readColumns calls each for every row below the header, which is the first row that has all the columns of need; get
// finds a field by the name of its column, whatever its case and marks, and is "" where the row has none.
func readColumns(s *source, b *builder, delim byte, need []string, each func(line int, get func(string) string) error) error {
	rows := newRows(s.name, s.in, delim)
	cols, header, err := findHeader(s, rows, need)
	if err != nil {
		return err
	}
	var row []string
	keys := map[string]int{} // by the name as asked
	get := func(name string) string {
		at, ok := keys[name]
		if !ok {
			at = slices.Index(cols, columnKey(name))
			keys[name] = at
		}
		if at < 0 || at >= len(row) {
			return ""
		}
		return clean(row[at])
	}
	for {
		row, err = rows.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case strings.Trim(strings.Join(row, ""), " \x1a\t") == "":
			continue
		case len(row) < header && rows.cut:
			return s.fail(rows.line, fmt.Sprintf("the file ends within a row: %d columns of %d", len(row), header), "load it again; it was cut off")
		case len(row) > header && strings.TrimSpace(strings.Join(row[header:], "")) != "":
			b.skip(rows.line, fmt.Sprintf("more columns than the header's %d", header))
			continue
		}
		if err := each(rows.line, get); err != nil {
			return err
		}
	}
}

// findHeader reads down to the header, at most ten rows.
func findHeader(s *source, rows *rows, need []string) (cols []string, width int, err error) {
	for range 10 {
		row, err := rows.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		if !hasColumns(row, need...) {
			continue
		}
		for _, c := range row {
			key := columnKey(c)
			if key != "" && slices.Contains(cols, key) && slices.Contains(need, key) {
				return nil, 0, s.fail(rows.line, "two columns of the name "+clip(clean(c), 60), "one")
			}
			cols = append(cols, key)
		}
		return cols, len(row), nil
	}
	return nil, 0, s.fail(1, "no header with the columns "+strings.Join(need, ", "), "the file as published, or a mapping")
}

// gather reads a table in which a party has several rows. add puts a row into its party; the rows of a party need not
// follow each other.
func gather(s *source, b *builder, delim byte, need []string, id string, add func(e *Entry, get func(string) string)) error {
	b.merge = true
	var last Entry
	at, n := 0, 0
	flush := func() error {
		if last.ID == "" {
			return nil
		}
		return b.add(at, last)
	}
	err := readColumns(s, b, delim, need, func(line int, get func(string) string) error {
		key := get(id)
		if key == "" {
			b.skip(line, "no "+id)
			return nil
		}
		if key != last.ID {
			if err := flush(); err != nil {
				return err
			}
			last, at, n = Entry{ID: key}, line, 0
		}
		if n++; n > 4*maxAliases {
			b.skip(line, "more rows of one party than are read")
			return nil
		}
		add(&last, get)
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}
