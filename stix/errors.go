package stix

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Error says what is wrong with one object: which property, and what would be right.
type Error struct {
	ID       string // of the object, or "" where it is not known
	Property string // path of the property, as in external_references[0].url; "" when it is the object as a whole
	Text     string // what is wrong; what would be right
	Line     int    // line of the bytes given to the parser, counted from 1; 0 where it is not known
}

// Error is the id, the property and the text, each where it is known.
func (e *Error) Error() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{e.ID, e.Property, e.Text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// syntaxError turns what the JSON decoder says into an Error with a line and, where there is one, a property.
func syntaxError(raw []byte, err error) *Error {
	e := &Error{Line: 1}
	var s *jsontext.SyntacticError
	switch {
	case errors.As(err, &s):
		at := min(max(int(s.ByteOffset), 0), len(raw))
		e.Line = lineAt(string(raw), at)
		e.Property = propertyOf(s.JSONPointer)
		e.Text = syntaxText(s)
	case errors.Is(err, io.EOF):
		e.Text = "is empty; give one JSON object"
	default:
		e.Text = "is not JSON: " + err.Error()
	}
	return e
}

func syntaxText(s *jsontext.SyntacticError) string {
	switch {
	case errors.Is(s.Err, jsontext.ErrDuplicateName):
		return "is given twice; give each property once"
	case errors.Is(s.Err, io.ErrUnexpectedEOF):
		return "the JSON ends too early; it may have been cut off"
	}
	return fmt.Sprintf("is not JSON: %v at byte %d", s.Err, s.ByteOffset)
}

// propertyOf writes a JSON pointer as this package writes properties.
func propertyOf(p jsontext.Pointer) string {
	const most = 200
	var b strings.Builder
	for tok := range p.Tokens() {
		if b.Len() > most {
			return b.String() + "…"
		}
		if _, err := strconv.ParseUint(tok, 10, 32); err == nil {
			b.WriteString("[" + tok + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(shorten(tok))
	}
	return b.String()
}

// shorten keeps a piece of hostile input fit for an error text.
func shorten(s string) string {
	const most = 80
	if len(s) <= most && utf8.ValidString(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}

// quoted is s as an error text shows it.
func quoted(s string) string { return strconv.Quote(shorten(s)) }

func lineAt(text string, offset int) int {
	return 1 + strings.Count(text[:offset], "\n")
}
