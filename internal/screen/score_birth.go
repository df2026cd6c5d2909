package screen

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/polder-exchange/polder/internal/screen/lists"
)

// birth is a date of birth as far as it is known.
type birth struct {
	year, month, day int  // 0 where not known
	until            int  // the last year of a range; else 0
	about            bool // "circa"
}

func (b birth) zero() bool { return b.year == 0 }

var (
	birthForm  = regexp.MustCompile(`^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$`)
	birthRange = regexp.MustCompile(`^(\d{4})(?:-\d{1,2}){0,2}\s*(?:/|–|-| to )\s*(\d{4})(?:-\d{1,2}){0,2}$`)
	birthAbout = regexp.MustCompile(`(?i)^\s*(?:circa|approximately|approx|about|ca|c)\b[.\s]*|^\s*~\s*`)
)

// parseBirth reads 2006, 2006-01, 2006-01-02, a range of years as 1960/1965, and "circa" before any of them.
// ok is false for anything else.
func parseBirth(text string) (b birth, ok bool) {
	if len(text) > 64 {
		return b, false
	}
	if at := birthAbout.FindStringIndex(text); at != nil {
		b.about, text = true, text[at[1]:]
	}
	text = strings.TrimSpace(text)
	if m := birthRange.FindStringSubmatch(text); m != nil {
		b.year, _ = strconv.Atoi(m[1])
		b.until, _ = strconv.Atoi(m[2])
		return b, 1000 <= b.year && b.year <= b.until
	}
	m := birthForm.FindStringSubmatch(text)
	if m == nil {
		return birth{}, false
	}
	b.year, _ = strconv.Atoi(m[1])
	b.month, _ = strconv.Atoi(m[2])
	b.day, _ = strconv.Atoi(m[3])
	if b.year < 1000 || b.month > 12 || b.day > 31 || m[2] != "" && b.month == 0 || m[3] != "" && b.day == 0 {
		return birth{}, false
	}
	return b, true
}

// ParseBirth checks a date of birth of a query: 2006, 2006-01 or 2006-01-02, or "circa 2006".
func ParseBirth(text string) (string, error) {
	text = strings.TrimSpace(text)
	if _, ok := parseBirth(text); !ok || !realDay(text) {
		return "", fmt.Errorf("%.40s is no date; write 1961, 1961-04 or 1961-04-30", clip(text, 40))
	}
	return text, nil
}

// meets compares two dates of birth. raise or lower says what it does; words say it.
func (b birth) meets(c birth) (m move) {
	if b.until > 0 || c.until > 0 {
		return b.meetsRange(c)
	}
	if b.year != c.year {
		return b.meetsOtherYear(c)
	}
	if b.placeholder() || c.placeholder() || b.month == 0 || c.month == 0 {
		return move{alike: 0.6, raise: raiseBirthYear, how: "the same year", why: "the birth year agrees"}
	}
	switch {
	case b.month == c.month && (b.day == 0 || c.day == 0):
		return move{alike: 0.8, raise: raiseBirthMonth, how: "the same month", why: "month and year of birth agree"}
	case b.month == c.month && b.day == c.day:
		return move{alike: 1, raise: raiseBirthDay, how: "the same day", why: "the date of birth agrees"}
	case b.day > 0 && b.month == c.day && b.day == c.month:
		return move{alike: 0.8, raise: raiseBirthSwapped, how: "the same, with day and month the other way round", why: "the date of birth agrees if day and month are exchanged"}
	case b.day > 0 && c.day > 0 && (b.month == c.month || b.day == c.day):
		return move{alike: 0.4, raise: raiseBirthSlip, how: "the same year; day or month differs", why: "the birth year agrees, but not the day"}
	}
	return move{alike: 0.3, lower: lowerBirthDay, how: "the same year, another day", why: "the birth year agrees, but not the day"}
}

// placeholder tells whether day and month may stand for "not known": lists write 1 January for that.
func (b birth) placeholder() bool { return b.month == 1 && b.day == 1 }

// meetsOtherYear compares dates of different years.
func (b birth) meetsOtherYear(c birth) move {
	apart := b.year - c.year
	if apart < 0 {
		apart = -apart
	}
	switch {
	case apart == 1 && (b.about || c.about), apart <= 2 && b.about && c.about:
		return move{alike: 0.5, raise: raiseBirthAbout, how: "about the same year", why: "the birth year is about the same"}
	case apart == 1:
		return move{alike: 0.2, lower: lowerBirthYear, how: "a year beside", why: "the birth year differs"}
	case b.month > 0 && b.day > 0 && b.month == c.month && b.day == c.day && !b.placeholder():
		return move{alike: 0.2, lower: lowerBirthYear, how: "the same day of another year", why: "the birth year differs"}
	case apart <= 5:
		return move{lower: lowerBirthYears, how: "another year", why: "the birth year differs"}
	}
	return move{lower: lowerBirthFar, how: "another year, far away", why: "the birth year differs"}
}

// meetsRange compares dates of which one or both are a range of years.
func (b birth) meetsRange(c birth) move {
	last := func(x birth) int { return max(x.year, x.until) }
	slack := 0
	if b.about || c.about {
		slack = 1
	}
	if b.year-slack <= last(c) && c.year-slack <= last(b) {
		return move{alike: 0.5, raise: raiseBirthAbout, how: "within the years that are listed", why: "the birth year is within those that are listed"}
	}
	apart := max(b.year-last(c), c.year-last(b))
	if apart > 5 {
		return move{lower: lowerBirthFar, how: "other years, far away", why: "the birth year differs"}
	}
	return move{lower: lowerBirthYears, how: "other years", why: "the birth year differs"}
}

// compareBirth holds the query's date of birth against those of an entry; the one that agrees best counts.
func (q *asked) compareBirth(e *lists.Entry) (best move, ok bool) {
	if q.birth.zero() {
		return best, false
	}
	for _, text := range e.Births[:min(len(e.Births), maxBirths)] {
		c, known := parseBirth(text)
		if !known {
			continue
		}
		m := q.birth.meets(c)
		m.kind, m.query, m.listed = "birth date", q.Birth, text
		if !ok || m.apply(0.5) > best.apply(0.5) {
			best, ok = m, true
		}
	}
	if ok && best.lower > 0 {
		best.why = fmt.Sprintf("%s (%s, listed %s)", best.why, clip(best.query, 20), clip(best.listed, 20))
	}
	return best, ok
}

// maxBirths is how many dates of birth of a listing are looked at.
const maxBirths = 50
