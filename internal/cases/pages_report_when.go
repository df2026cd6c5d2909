package cases

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// reportDates are the ways in which people write a day: 2026-11-22, 22 11 2026, 22 November 2026, November 22, 2026.
// static/report_when.js reads the same.
var reportDates = []*regexp.Regexp{
	regexp.MustCompile(`(?:^|[^0-9])(?P<y>[0-9]{4})[-/.](?P<m>[0-9]{1,2})[-/.](?P<d>[0-9]{1,2})(?:[^0-9]|$)`),
	regexp.MustCompile(`(?:^|[^0-9])(?P<d>[0-9]{1,2})[ ./-]+(?P<m>[0-9]{1,2})[ ./-]+(?P<y>[0-9]{4})(?:[^0-9]|$)`),
	regexp.MustCompile(`(?:^|[^0-9])(?P<d>[0-9]{1,2})\.?[ -]+(?P<name>\pL{3,})\.?,?[ -]+(?P<y>[0-9]{4})(?:[^0-9]|$)`),
	regexp.MustCompile(`(?P<name>\pL{3,})\.?[ ]+(?P<d>[0-9]{1,2}),?[ ]+(?P<y>[0-9]{4})(?:[^0-9]|$)`),
}

// reportAhead finds a day in own words that comes after today, and the day that was probably meant: the same one of this
// year or the year before. months are the twelve names, separated by "|". Words without a date are never ahead.
func reportAhead(own, months string, today time.Time) (wrote, meant time.Time, ahead bool) {
	year, month, day, ok := reportDateIn(own, months)
	if !ok {
		return wrote, meant, false
	}
	wrote = time.Date(year, month, day, 0, 0, 0, 0, today.Location())
	now := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, today.Location())
	if !wrote.After(now) {
		return wrote, meant, false
	}
	for back := range 8 { // 29 February comes every fourth year, at times every eighth
		meant = time.Date(now.Year()-back, month, day, 0, 0, 0, 0, now.Location())
		if meant.Month() == month && !meant.After(now) {
			break
		}
	}
	return wrote, meant, true
}

// reportDateIn is the first day that stands in a text and exists.
func reportDateIn(text, months string) (year int, month time.Month, day int, ok bool) {
	for _, form := range reportDates {
		m := form.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		part := func(name string) string {
			if i := form.SubexpIndex(name); i >= 0 {
				return m[i]
			}
			return ""
		}
		year, _ = strconv.Atoi(part("y"))
		day, _ = strconv.Atoi(part("d"))
		n, _ := strconv.Atoi(part("m"))
		if name := part("name"); name != "" {
			n = reportMonth(name, months)
		}
		month = time.Month(n)
		if n >= 1 && n <= 12 && year > 0 && time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() == day {
			return year, month, day, true
		}
	}
	return 0, 0, 0, false
}

// reportMonth is the number of the month whose name begins as given, three letters at least; 0 where none does.
func reportMonth(given, months string) int {
	given = strings.ToLower(given)
	for i, name := range strings.Split(months, "|") {
		if strings.HasPrefix(strings.ToLower(name), given) {
			return i + 1
		}
	}
	return 0
}

// reportQuickDay writes a quick answer as a date that reads alike in every language: 2026-11-22, or the days of this week
// until today. It is empty where nothing was chosen.
func reportQuickDay(chosen string, today time.Time) string {
	switch chosen {
	case "today":
		return today.Format(time.DateOnly)
	case "yesterday":
		return today.AddDate(0, 0, -1).Format(time.DateOnly)
	case "week":
		monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
		return monday.Format(time.DateOnly) + " – " + today.Format(time.DateOnly)
	}
	return ""
}
