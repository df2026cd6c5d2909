package deadline

import (
	"fmt"
	"time"
)

// Calendar is the public holidays of a place.
type Calendar struct {
	ID   string    `yaml:"id"`
	Name string    `yaml:"name"`
	Days []Holiday `yaml:"days"`
}

// Holiday is one day of each year: a date, or so many days from Easter Sunday.
type Holiday struct {
	Date     string `yaml:"date"`      // "12-25"
	Easter   *int   `yaml:"easter"`    // 1 is Easter Monday
	IfSunday string `yaml:"if_sunday"` // the date instead, when Date is a Sunday
	Name     string `yaml:"name"`
	From     int    `yaml:"from"` // first year; 0: always was
	To       int    `yaml:"to"`   // last year; 0: still is
}

// CalendarNamed is a calendar of the package: NL, BE, DE, FR, EU (its institutions), or common, the days that every
// member state keeps.
func CalendarNamed(id string) (Calendar, error) {
	c, ok := words().calendars[id]
	if !ok {
		return c, fmt.Errorf("calendar %q is not known", id)
	}
	return c, nil
}

func (c Calendar) check() error {
	for _, h := range c.Days {
		for _, d := range []string{h.Date, h.IfSunday} {
			if _, err := time.Parse("01-02", d); d != "" && err != nil {
				return fmt.Errorf("calendar %s: %s: date %q is not month-day", c.ID, h.Name, d)
			}
		}
		if (h.Date == "") == (h.Easter == nil) {
			return fmt.Errorf("calendar %s: %s: write either date or easter", c.ID, h.Name)
		}
	}
	return nil
}

// Holiday is the name of the public holiday that a day is. Only the date of day counts.
func (c Calendar) Holiday(day time.Time) (string, bool) {
	day = civil(day)
	for _, h := range c.Days {
		if at, ok := h.in(day.Year()); ok && at.Equal(day) {
			return h.Name, true
		}
	}
	return "", false
}

// Working tells whether a day is none of Saturday, Sunday and public holiday.
func (c Calendar) Working(day time.Time) bool {
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	_, off := c.Holiday(day)
	return !off
}

// in is the day of h in a year.
func (h Holiday) in(year int) (time.Time, bool) {
	if h.From != 0 && year < h.From || h.To != 0 && year > h.To {
		return time.Time{}, false
	}
	if h.Easter != nil {
		return easter(year).AddDate(0, 0, *h.Easter), true
	}
	at := dateIn(year, h.Date)
	if h.IfSunday != "" && at.Weekday() == time.Sunday {
		at = dateIn(year, h.IfSunday)
	}
	return at, true
}

func dateIn(year int, monthDay string) time.Time {
	t, err := time.Parse("01-02", monthDay)
	if err != nil {
		return time.Time{}
	}
	return time.Date(year, t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// civil is the date of t, as the midnight of UTC.
func civil(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// easter is Easter Sunday of a year of the Gregorian calendar: the first Sunday after the church's full moon that falls
// on or after 21 March.
func easter(year int) time.Time {
	golden := year % 19
	century := year / 100
	moon := (century - century/4 - (8*century+13)/25 + 19*golden + 15) % 30
	moon -= (moon / 28) * (1 - (29/(moon+1))*((21-golden)/11))
	weekday := (year + year/4 + moon + 2 - century + century/4) % 7
	offset := moon - weekday // days from 28 March
	return time.Date(year, time.March, 28+offset, 0, 0, 0, 0, time.UTC)
}
