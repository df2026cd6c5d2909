package pattern

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"
)

// LiteralKind is the type of a literal.
type LiteralKind uint8

// The kinds of literal.
const (
	String    LiteralKind = iota // 'text'
	Int                          // 5, +5, -5
	Float                        // 0.5, -.5
	Bool                         // true, false
	Timestamp                    // t'2024-01-02T03:04:05Z'
	Hex                          // h'ffd8'
	Binary                       // b'dGVzdA=='
)

var kindNames = [...]string{"a text", "a whole number", "a decimal number", "true or false", "a timestamp", "hex bytes", "base64 bytes"}

// String names the kind for a person.
func (k LiteralKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown literal kind " + strconv.Itoa(int(k))
}

// Literal is a constant in a pattern. Literals are comparable with ==, which compares how they were written.
type Literal struct {
	Kind LiteralKind
	Text string // a String without its escapes; else as written, without prefix and quotes
}

// Int is the whole number; false when the literal is none or does not fit.
func (l Literal) Int() (int64, bool) {
	if l.Kind != Int {
		return 0, false
	}
	n, err := strconv.ParseInt(l.Text, 10, 64)
	return n, err == nil
}

// Float is the number, whole or decimal; false when the literal is none or is beyond the range of a float64.
func (l Literal) Float() (float64, bool) {
	if l.Kind != Int && l.Kind != Float {
		return 0, false
	}
	f, err := strconv.ParseFloat(l.Text, 64)
	return f, err == nil
}

// Bool is the truth value; false, false when the literal is none.
func (l Literal) Bool() (value, ok bool) {
	return l.Text == "true", l.Kind == Bool
}

// Time is the instant; false when the literal is none or names a day that no calendar has. The grammar lets such days
// pass, and the second 60, which reads as the first of the next minute.
func (l Literal) Time() (time.Time, bool) {
	if l.Kind != Timestamp {
		return time.Time{}, false
	}
	text, leap := l.Text, time.Duration(0)
	if len(text) > 19 && text[17:19] == "60" {
		text, leap = text[:17]+"59"+text[19:], time.Second
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, false
	}
	return t.Add(leap), true
}

// Bytes are the bytes of a Hex or Binary literal; false for the others.
func (l Literal) Bytes() ([]byte, bool) {
	var b []byte
	var err error
	switch l.Kind {
	case Hex:
		b, err = hex.DecodeString(l.Text)
	case Binary:
		b, err = base64.StdEncoding.DecodeString(l.Text)
	default:
		return nil, false
	}
	return b, err == nil
}
