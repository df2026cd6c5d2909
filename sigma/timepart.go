package sigma

import (
	"strconv"
	"time"
)

// timePart is the part of a time that a rule asks for.
type timePart uint8

const (
	noPart timePart = iota
	minutePart
	hourPart
	dayPart
	weekPart
	monthPart
	yearPart
)

var timeParts = map[string]timePart{
	"minute": minutePart, "hour": hourPart, "day": dayPart, "week": weekPart, "month": monthPart, "year": yearPart,
}

// of is the part of a time: the day of the month, the week of ISO 8601.
func (p timePart) of(t time.Time) float64 {
	switch p {
	case minutePart:
		return float64(t.Minute())
	case hourPart:
		return float64(t.Hour())
	case dayPart:
		return float64(t.Day())
	case weekPart:
		_, w := t.ISOWeek()
		return float64(w)
	case monthPart:
		return float64(t.Month())
	}
	return float64(t.Year())
}

// timeForms are the ways logs write a time that parseTime reads, beside seconds and milliseconds since 1970.
var timeForms = []string{
	time.RFC3339Nano,
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04:05.999999999-0700",
	"2006-01-02 15:04",
	"2006-01-02",
	"2006/01/02 15:04:05",
	"01/02/2006 15:04:05",
	"02/Jan/2006:15:04:05 -0700",
	time.RFC1123Z,
	time.RFC1123,
	time.ANSIC,
}

// parseTime reads a time as logs write it; the part that a rule asks for is that of the zone the log wrote.
func parseTime(s string) (time.Time, bool) {
	if len(s) > 64 {
		return time.Time{}, false
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		switch {
		case n >= 1e8 && n < 1e11:
			return time.Unix(int64(n), 0).UTC(), true
		case n >= 1e11 && n < 1e14:
			return time.UnixMilli(int64(n)).UTC(), true
		}
		return time.Time{}, false
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
