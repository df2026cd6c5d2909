package lists

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// order is how a publisher writes a date in numbers.
type order uint8

const (
	dayFirst   order = iota // 31/12/2006, 31-12-2006, 31.12.2006
	monthFirst              // 12/31/2006
)

var (
	dateISO     = regexp.MustCompile(`^(\d{4})-(\d{2})-(\d{2})(?:[T+Z ].*)?$`)
	dateMonth   = regexp.MustCompile(`^(\d{4})-(\d{2})$`)
	dateYear    = regexp.MustCompile(`^(\d{4})$`)
	dateNumbers = regexp.MustCompile(`^(\d{1,2}|[dD]{2})[/.-](\d{1,2}|[mM]{2})[/.-](\d{4})(?: .*)?$`)
	dateWords   = regexp.MustCompile(`^(?:(\d{1,2})(?:st|nd|rd|th)? )?([A-Za-z]{3,9})\.?,? (\d{4})$`)
	dateUS      = regexp.MustCompile(`^([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?, (\d{4})$`)
	dateAbout   = regexp.MustCompile(`(?i)^(?:circa|c\.|ca\.|approximately|approx\.?|about|around)\s*(.+)$`)
	dateSpan    = regexp.MustCompile(`(?i)^(?:between )?(.+?)(?: to | and | - |/)(.+)$`)
	months      = map[string]int{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}
)

// about is how many years to either side an approximate year of birth is taken to mean.
const about = 2

// date reads a day, or as much of it as is said: 2006, 2006-01 or 2006-01-02; "" when it is none. An unknown day or
// month (00, dd) is left out.
func date(s string, o order) string {
	if s = clean(s); s == "" || len(s) > 60 {
		return ""
	}
	if m := dateISO.FindStringSubmatch(s); m != nil {
		return day(m[1], m[2], m[3])
	}
	if m := dateNumbers.FindStringSubmatch(s); m != nil {
		if o == monthFirst {
			return day(m[3], m[1], m[2])
		}
		return day(m[3], m[2], m[1])
	}
	if m := dateMonth.FindStringSubmatch(s); m != nil {
		return day(m[1], m[2], "")
	}
	if m := dateYear.FindStringSubmatch(s); m != nil {
		return day(m[1], "", "")
	}
	if m := dateWords.FindStringSubmatch(s); m != nil {
		return dayOfWords(m[3], m[2], m[1])
	}
	if m := dateUS.FindStringSubmatch(s); m != nil {
		return dayOfWords(m[3], m[1], m[2])
	}
	return ""
}

func dayOfWords(y, month, d string) string {
	m, ok := months[strings.ToLower(month[:3])]
	if !ok {
		return ""
	}
	return day(y, strconv.Itoa(m), d)
}

// day puts a date together, without parts that are unknown; "" when it is none of the calendar.
func day(y, m, d string) string {
	year, err := strconv.Atoi(y)
	if err != nil || year < 1000 {
		return ""
	}
	month, _ := strconv.Atoi(m)
	dom, _ := strconv.Atoi(d)
	switch {
	case month == 0:
		return fmt.Sprintf("%04d", year)
	case month > 12 || dom > 31:
		return ""
	case dom == 0:
		return fmt.Sprintf("%04d-%02d", year, month)
	}
	at := time.Date(year, time.Month(month), dom, 0, 0, 0, 0, time.UTC)
	if at.Day() != dom {
		return ""
	}
	return at.Format(time.DateOnly)
}

// wholeDay is a date when it has a day; else "".
func wholeDay(s string, o order) string {
	if d := date(s, o); len(d) == len(time.DateOnly) {
		return d
	}
	return ""
}

// birth reads a date of birth: a date, about a year (two years to either side), or from one year to another. "" when it
// is none.
func birth(s string, o order) string {
	if s = clean(s); s == "" || len(s) > 60 {
		return ""
	}
	if d := date(s, o); d != "" {
		return d
	}
	if m := dateAbout.FindStringSubmatch(s); m != nil {
		if span := birth(m[1], o); strings.Contains(span, "/") {
			return span
		} else if span != "" {
			return aboutYear(span)
		}
		return ""
	}
	if m := dateSpan.FindStringSubmatch(s); m != nil {
		return years(date(m[1], o), date(m[2], o))
	}
	return ""
}

// aboutYear is the span that an approximate date stands for.
func aboutYear(d string) string {
	if len(d) < 4 {
		return ""
	}
	y, err := strconv.Atoi(d[:4])
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%04d/%04d", y-about, y+about)
}

// years is the span from one date to another, in years; one year when they are of the same.
func years(from, to string) string {
	switch {
	case len(from) < 4 || len(to) < 4:
		return ""
	case from[:4] == to[:4]:
		return from[:4]
	case from[:4] > to[:4]:
		from, to = to, from
	}
	return from[:4] + "/" + to[:4]
}
