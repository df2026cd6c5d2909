package stix

import (
	"strings"
	"time"
)

// Timestamp is a moment of STIX: the text as received, which is never re-formatted, and the instant it names.
// The zero value means that there is none.
type Timestamp struct {
	Text string
	Time time.Time // to the nanosecond; further digits are in Text alone
}

// IsZero tells whether there is no timestamp.
func (t Timestamp) IsZero() bool { return t.Text == "" }

// maxFraction bounds the digits behind the second.
const maxFraction = 32

// ParseTimestamp reads a timestamp as STIX writes it: RFC 3339 in UTC with a capital T and Z, years 0000 to 9999, and
// any fraction of at most 32 digits. A leap second is taken where one can be, at 23:59:60, and names the instant that follows.
func ParseTimestamp(s string) (Timestamp, error) {
	t, why := parseTimestamp(s)
	if why != "" {
		return Timestamp{}, &Error{Text: why}
	}
	return t, nil
}

const timestampForm = "write it as 2024-01-31T23:59:59.000Z"

// parseTimestamp returns what is wrong, or "".
func parseTimestamp(s string) (Timestamp, string) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' ||
		s[len(s)-1] != 'Z' {
		return Timestamp{}, "is not a timestamp in UTC; " + timestampForm
	}
	year, ok0 := digits(s[0:4])
	month, ok1 := digits(s[5:7])
	day, ok2 := digits(s[8:10])
	hour, ok3 := digits(s[11:13])
	minute, ok4 := digits(s[14:16])
	second, ok5 := digits(s[17:19])
	if !(ok0 && ok1 && ok2 && ok3 && ok4 && ok5) {
		return Timestamp{}, "is not a timestamp in UTC; " + timestampForm
	}
	nanos, why := fraction(s[19 : len(s)-1])
	if why != "" {
		return Timestamp{}, why
	}
	leap := second == 60 && hour == 23 && minute == 59
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 && !leap {
		return Timestamp{}, "names a moment that does not exist; " + timestampForm
	}
	return Timestamp{s, time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC)}, ""
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}

// fraction reads ".123", or nothing.
func fraction(s string) (nanos int, why string) {
	if s == "" {
		return 0, ""
	}
	if s[0] != '.' || len(s) == 1 {
		return 0, "has no digits behind the second's point; " + timestampForm
	}
	if len(s) > maxFraction+1 {
		return 0, "has more than 32 digits behind the second"
	}
	if _, ok := digits(s[1:]); !ok {
		return 0, "is not a timestamp in UTC; " + timestampForm
	}
	scale := 100_000_000
	for i := 1; i < len(s) && scale > 0; i++ {
		nanos += int(s[i]-'0') * scale
		scale /= 10
	}
	return nanos, ""
}

// instant is the one form of all timestamps that name the same moment: no trailing zeros in the fraction.
// s is a valid timestamp.
func instant(s string) string {
	s = s[:len(s)-1]
	if strings.IndexByte(s, '.') >= 0 {
		s = strings.TrimRight(s, "0")
		s = strings.TrimSuffix(s, ".")
	}
	return s + "Z"
}

// Instant is the canonical text of t: at least three digits of fraction, further ones only while they are not zero.
// Two timestamps name the same moment exactly when their Instants are equal. It is "" for the zero Timestamp.
func (t Timestamp) Instant() string {
	if t.Text == "" {
		return ""
	}
	s := strings.TrimSuffix(instant(t.Text), "Z")
	if len(s) == len("2006-01-02T15:04:05") {
		s += "."
	}
	for len(s) < len("2006-01-02T15:04:05.000") {
		s += "0"
	}
	return s + "Z"
}

// before tells whether t is earlier than u, to the last digit.
func (t Timestamp) before(u Timestamp) bool {
	if !t.Time.Equal(u.Time) {
		return t.Time.Before(u.Time)
	}
	return strings.TrimSuffix(instant(t.Text), "Z") < strings.TrimSuffix(instant(u.Text), "Z")
}

// FormatTime writes t as this package's writers do: UTC, three digits of fraction, or as many as t needs.
// The year of t must be within 0000 to 9999.
func FormatTime(t time.Time) string {
	return Timestamp{Text: t.UTC().Format("2006-01-02T15:04:05.999999999Z")}.Instant()
}
