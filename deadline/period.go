package deadline

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rest is what a day off at the end of a period does.
type Rest string

// The rules of rest.
const (
	RestEU   Rest = ""     // Regulation 1182/71 art. 3(4) and (5): days, weeks, months and years move to the next working day; hours do not
	RestAtw  Rest = "atw"  // Algemene termijnenwet: as RestEU, for days, weeks and months up to 90, 12 and 3; two working days in three days or more
	RestNoon Rest = "noon" // to noon of the next working day, periods in hours too
	RestNone Rest = "none" // nothing
)

// Period is how long something may take. The zero Period gives no time.
type Period struct {
	text  string
	steps []step
}

type step struct {
	n    int
	unit unit
}

type unit uint8

const (
	hours unit = iota
	days
	workingDays
	weeks
	months
	years
)

var unitNames = map[string]unit{
	"hour": hours, "hours": hours, "day": days, "days": days, "working day": workingDays, "working days": workingDays,
	"week": weeks, "weeks": weeks, "month": months, "months": months, "year": years, "years": years,
}

// longest is how much of each unit a period may hold.
var longest = [...]int{hours: 10_000, days: 4_000, workingDays: 1_000, weeks: 520, months: 120, years: 10}

// noTime are the delays that give no time.
var noTime = []string{"without undue delay", "on request", "when you choose"}

// ParsePeriod reads "24 hours", "7 days", "5 working days", "2 weeks", "1 month", "1 year"; "7 days then 3 months", where
// the second begins when the first is over; or what gives no time: "without undue delay", "on request", "when you choose".
func ParsePeriod(s string) (Period, error) {
	for _, none := range noTime {
		if s == none {
			return Period{text: s}, nil
		}
	}
	p := Period{text: s}
	for part := range strings.SplitSeq(s, " then ") {
		count, name, _ := strings.Cut(part, " ")
		n, err := strconv.Atoi(count)
		u, ok := unitNames[name]
		if err != nil || !ok || n < 1 || n > longest[u] {
			return Period{}, fmt.Errorf("delay %q cannot be read; write a number and hours, days, working days, weeks, months or years, or one of: %s", s, strings.Join(noTime, ", "))
		}
		p.steps = append(p.steps, step{n, u})
	}
	if len(p.steps) > 2 || len(p.steps) == 2 && (p.steps[0].unit == hours || p.steps[1].unit == hours) {
		return Period{}, errors.New("delay: two periods at most, none of them in hours, may follow each other")
	}
	return p, nil
}

// String is p as it was written.
func (p Period) String() string { return p.text }

// Timed tells whether p gives a time.
func (p Period) Timed() bool { return len(p.steps) > 0 }

// Hours tells whether p is counted by the clock.
func (p Period) Hours() bool { return p.Timed() && p.steps[0].unit == hours }

// End is the last moment of a period that begins with what happened at from, in a zone and with a calendar of public
// holidays. It is the zero time where p gives none.
func (p Period) End(from time.Time, zone *time.Location, c Calendar, rest Rest) time.Time {
	if !p.Timed() {
		return time.Time{}
	}
	if p.Hours() {
		end := from.Add(time.Duration(p.steps[0].n) * time.Hour).In(zone)
		if rest == RestNoon && !c.Working(end) {
			return at(nextWorking(civil(end), c), 12, 0, 0, zone)
		}
		return end
	}
	first := civil(from.In(zone))
	last := first
	for _, s := range p.steps {
		last = s.after(last, c)
	}
	off := !c.Working(last)
	switch {
	case rest == RestNoon && off:
		return at(nextWorking(last, c), 12, 0, 0, zone)
	case rest == RestEU, rest == RestAtw && p.short():
		long := !last.Before(first.AddDate(0, 0, p.least(rest)))
		last = nextWorking(last, c)
		if long && p.steps[len(p.steps)-1].unit != workingDays {
			last = twoWorking(first, last, c)
		}
	}
	return at(last, 23, 59, 59, zone)
}

// least is from how many days on a period must hold two working days.
func (p Period) least(rest Rest) int {
	if rest == RestAtw {
		return 3
	}
	return 2
}

// short tells whether the Algemene termijnenwet holds for p (its art. 4).
func (p Period) short() bool {
	for _, s := range p.steps {
		switch s.unit {
		case days:
			if s.n > 90 {
				return false
			}
		case weeks:
			if s.n > 12 {
				return false
			}
		case months:
			if s.n > 3 {
				return false
			}
		case years:
			return false
		}
	}
	return true
}

// after is the last day of a step that begins with what happened on a day.
func (s step) after(day time.Time, c Calendar) time.Time {
	switch s.unit {
	case days:
		return day.AddDate(0, 0, s.n)
	case weeks:
		return day.AddDate(0, 0, 7*s.n)
	case workingDays:
		for left := s.n; left > 0; {
			day = day.AddDate(0, 0, 1)
			if c.Working(day) {
				left--
			}
		}
		return day
	case years:
		return sameDate(day, 12*s.n)
	}
	return sameDate(day, s.n)
}

// sameDate is the same date so many months on, or the last day of a month that has no such date.
func sameDate(day time.Time, months int) time.Time {
	first := time.Date(day.Year(), day.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day.Day(), last)-1)
}

// nextWorking is day, or the first working day after it.
func nextWorking(day time.Time, c Calendar) time.Time {
	for !c.Working(day) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// twoWorking is last, or the later day until which a period that began after first holds two working days.
func twoWorking(first, last time.Time, c Calendar) time.Time {
	working := 0
	for day := first.AddDate(0, 0, 1); !day.After(last) && working < 2; day = day.AddDate(0, 0, 1) {
		if c.Working(day) {
			working++
		}
	}
	for ; working < 2; working++ {
		last = nextWorking(last.AddDate(0, 0, 1), c)
	}
	return last
}

func at(day time.Time, hour, minute, second int, zone *time.Location) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), hour, minute, second, 0, zone)
}
