package event

import (
	"bytes"
	"strings"
	"time"
)

// This file reads the dates of syslog. Most have no year: it is the latest in which the date is not after a day past the
// time that reading was told is now (Options.Now); without that time such a date is no time.

// stampLength is the length of the date that text begins with, 0 when it begins with none: Jan  2 15:04:05 with a year
// before or behind, a fraction and a zone; 2 Jan 2024 15:04:05; 2024-01-02T15:04:05Z with a blank for the T as well.
// Cisco puts * or . in front when the clock is not certain.
func stampLength(text []byte) int {
	at := 0
	if len(text) > 0 && (text[0] == '*' || text[0] == '.') {
		at = 1
	}
	if len(text) < at+15 || len(text) > at && text[at] > 'z' {
		return 0
	}
	if isDigit(text[at]) && isDigit(text[at+1]) && isDigit(text[at+2]) && isDigit(text[at+3]) {
		if text[at+4] == '-' || text[at+4] == '/' {
			return isoLength(text, at)
		}
		if text[at+4] != ' ' {
			return 0
		}
		at += 5 // the year in front
	}
	if len(text) < at+14 || !isMonth(text[at:at+3]) || text[at+3] != ' ' {
		return 0
	}
	at = blanks(text, at+3)
	n := number(text, &at)
	if n < 1 || n > 31 || at >= len(text) || text[at] != ' ' {
		return 0
	}
	at = blanks(text, at)
	if at+4 < len(text) && allDigits(text[at:at+4]) && text[at+4] == ' ' {
		at = blanks(text, at+4)
	}
	clock := clockLength(text[at:])
	if clock == 0 {
		return 0
	}
	return at + clock + zoneLength(text[at+clock:])
}

func blanks(text []byte, at int) int {
	for at < len(text) && text[at] == ' ' {
		at++
	}
	return at
}

// number reads digits from *at on and goes behind them; -1 without any.
func number(text []byte, at *int) int {
	n, from := 0, *at
	for *at < len(text) && isDigit(text[*at]) && *at-from < 4 {
		n = n*10 + int(text[*at]-'0')
		*at++
	}
	if *at == from {
		return -1
	}
	return n
}

// clockLength is the length of 15:04:05 or 15:04:05.123 at the beginning of text.
func clockLength(text []byte) int {
	if len(text) < 8 || text[2] != ':' || text[5] != ':' ||
		!allDigits(text[:2]) || !allDigits(text[3:5]) || !allDigits(text[6:8]) {
		return 0
	}
	n := 8
	if n+1 < len(text) && (text[n] == '.' || text[n] == ',') && isDigit(text[n+1]) {
		for n++; n < len(text) && isDigit(text[n]); n++ {
		}
	}
	return n
}

// zoneLength is the length of a year or zone behind a clock: " 2024", " UTC" before a colon, "Z", "+01:00".
func zoneLength(text []byte) int {
	if len(text) > 5 && text[0] == ' ' && allDigits(text[1:5]) && (text[5] == ' ' || text[5] == ':' && len(text) > 6 && text[6] == ' ') && text[1] <= '2' {
		return 5
	}
	n := 1
	for n < len(text) && n < 6 && 'A' <= text[n] && text[n] <= 'Z' {
		n++
	}
	if n > 2 && n < len(text) && text[0] == ' ' && text[n] == ':' {
		return n
	}
	return offsetLength(text)
}

// offsetLength is the length of Z, +01:00, +0100 or -05 at the beginning of text.
func offsetLength(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	if text[0] == 'Z' {
		return 1
	}
	if text[0] != '+' && text[0] != '-' {
		return 0
	}
	n := 1
	for n < len(text) && n < 6 && (isDigit(text[n]) || text[n] == ':') {
		n++
	}
	if n < 3 {
		return 0
	}
	return n
}

func isoLength(text []byte, at int) int {
	if len(text) < at+19 || !allDigits(text[at+5:at+7]) || !allDigits(text[at+8:at+10]) || text[at+10] != 'T' && text[at+10] != ' ' {
		return 0
	}
	n := clockLength(text[at+11:])
	if n == 0 {
		return 0
	}
	n += at + 11
	return n + offsetLength(text[n:])
}

func isMonth(text []byte) bool {
	return strings.Contains("JanFebMarAprMayJunJulAugSepOctNovDec", string(text)) && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[2] >= 'a'
}

// dated cuts lines and tells their readers what time it is.
type dated struct {
	lines
	now time.Time
}

func cutDated(h *head) cutter { return dated{now: h.now} }

func (d dated) cut(data []byte, eof bool, c *Chunk) int {
	c.context = d.now
	return d.lines.cut(data, eof, c)
}

// reads is the function that reads the dates of a chunk.
func (r *syslogReader) reads(c *Chunk) func([]byte) time.Time {
	var now time.Time
	if c != nil {
		now, _ = c.context.(time.Time)
	}
	if r.dated == nil || !now.Equal(r.base) {
		r.base = now
		r.dated = func(text []byte) time.Time { return readSyslogStamp(text, now) }
	}
	return r.dated
}

// classicLayouts are the dates of syslog after runs of blanks have become one; those without a year stand last.
var classicLayouts = []string{
	"Jan 2 2006 15:04:05",
	"2006 Jan 2 15:04:05",
	"Jan 2 15:04:05 2006",
	"Jan 2 2006 15:04:05 MST",
	"2006 Jan 2 15:04:05 MST",
	"Jan 2 2006 15:04:05Z07:00",
	"Jan 2 15:04:05",
	"Jan 2 15:04:05 MST",
	"Jan 2 15:04:05Z07:00",
}

// readSyslogStamp reads a date of syslog, with the year that now gives when it has none.
func readSyslogStamp(text []byte, now time.Time) time.Time {
	if len(text) > 64 || len(text) == 0 {
		return time.Time{}
	}
	if isDigit(text[0]) && len(text) > 4 && text[4] != ' ' {
		return readStamp(bytes.Replace(text, []byte{','}, []byte{'.'}, 1))
	}
	s := strings.Join(strings.Fields(string(text)), " ")
	for _, layout := range classicLayouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if t.Year() != 0 {
			return t.UTC()
		}
		return inYear(t, now)
	}
	return time.Time{}
}

// inYear puts a date without a year into the latest year in which it is not more than a day after now.
func inYear(t, now time.Time) time.Time {
	if now.IsZero() {
		return time.Time{}
	}
	for year := now.UTC().Year() + 1; year > now.Year()-8; year-- {
		d := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
		if d.Day() == t.Day() && !d.After(now.Add(24*time.Hour)) {
			return d.UTC()
		}
	}
	return time.Time{}
}
