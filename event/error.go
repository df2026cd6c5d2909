package event

import (
	"fmt"
	"strings"
)

// Error is what is wrong with a file or with one record of it, and where. A record that could not be read keeps its
// index, so that the indexes of the others do not depend on it.
type Error struct {
	Name   string // of the file
	Index  int    // of the record, from 0; -1 when the whole file is meant
	Line   int64  // from 1; 0 when not known
	Offset int64  // of the record in the stream as it was before compression
	Text   string // what is wrong, and what would be right

	cause error
}

// Error is "name:line: text", with as much of it as is known.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Name != "" {
		b.WriteString(e.Name + ":")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:", e.Line)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if e.Line == 0 && e.Index >= 0 {
		fmt.Fprintf(&b, "record %d: ", e.Index)
	}
	b.WriteString(e.Text)
	return b.String()
}

// Unwrap is the error of the reader below, if that was it.
func (e *Error) Unwrap() error { return e.cause }
