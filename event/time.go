package event

import (
	"bytes"
	"strconv"
	"time"
)

// Ways to write a time. Each gives the zero time for what it cannot read.

// layouts are the forms of a date and time that readStamp tries, in this order; the first that fits wins. What names no
// zone is taken as UTC. Fractions of a second are read after a dot or a comma in any of them.
var layouts = []string{
	time.RFC3339,
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05-0700",
	"2006-01-02T15:04:05-07",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 MST",
	"2006-01-02 15:04",
	"2006-01-02T15:04Z07:00",
	"2006/01/02 15:04:05",
	"01/02/2006 15:04:05",
	"1/2/2006 3:04:05 PM",
	"02/Jan/2006:15:04:05 -0700",
	"Mon, 02 Jan 2006 15:04:05 MST",
	"Mon Jan _2 15:04:05 2006",
	"2006-01-02",
}

// readStamp reads a date and time in any of the usual forms, also as a JSON string with escapes, milliseconds since 1970
// as PowerShell writes them, /Date(1772452800000)/, and numbers since 1970 as readEpoch does.
func readStamp(text []byte) time.Time {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || len(text) > 64 {
		return time.Time{}
	}
	if bytes.IndexByte(text, '\\') >= 0 {
		text = unescape(nil, text)
	}
	if inner, ok := bytes.CutPrefix(text, []byte("/Date(")); ok {
		digits, _, _ := bytes.Cut(inner, []byte{')'})
		millis, err := strconv.ParseInt(string(digits), 10, 64)
		if err != nil {
			return time.Time{}
		}
		return time.UnixMilli(millis).UTC()
	}
	if t := readEpoch(text); !t.IsZero() {
		return t
	}
	s := string(text)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// readEpoch reads a number since 1970: seconds, with a fraction or without; milliseconds, microseconds or nanoseconds
// when the number is too large for the coarser unit to be a year before 2286.
func readEpoch(text []byte) time.Time {
	whole, fraction, _ := bytes.Cut(bytes.TrimSpace(text), []byte{'.'})
	n, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil || n < 0 || len(whole) < 8 {
		return epochFloat(text)
	}
	const most = 10_000_000_000 // seconds: the year 2286
	switch {
	case n >= most*1e6:
		return time.Unix(0, n).UTC()
	case n >= most*1e3:
		return time.UnixMicro(n).UTC()
	case n >= most:
		return time.UnixMilli(n).UTC()
	}
	nanos, unit := int64(0), int64(time.Second)
	for _, c := range fraction {
		if c < '0' || c > '9' {
			return time.Time{}
		}
		unit /= 10
		nanos += int64(c-'0') * unit
	}
	return time.Unix(n, nanos).UTC()
}

// epochFloat reads seconds since 1970 written as 1.6e9; "" and plain small numbers are no time.
func epochFloat(text []byte) time.Time {
	if !bytes.ContainsAny(text, "eE") {
		return time.Time{}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f < 1e7 || f > 9e18/1e9 {
		return time.Time{}
	}
	return time.Unix(0, int64(f*1e9)).UTC()
}

// at sets when the event happened: text, read by read when it is asked for.
func (e *Event) at(text []byte, read func([]byte) time.Time) { e.when = Clock{text: text, read: read} }
