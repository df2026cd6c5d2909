package deadline

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyTime draws a moment, more often than not near a change of clocks, the end of a month or of a year.
func anyTime(t *rapid.T) time.Time {
	base := rapid.Int64Range(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC).Unix()).Draw(t, "moment")
	at := time.Unix(base, 0).UTC()
	near := rapid.IntRange(-4000, 4000).Draw(t, "minutes")
	switch rapid.IntRange(0, 4).Draw(t, "near") {
	case 0:
		at = lastSunday(at.Year(), time.March).Add(time.Hour + time.Duration(near)*time.Minute)
	case 1:
		at = lastSunday(at.Year(), time.October).Add(time.Hour + time.Duration(near)*time.Minute)
	case 2:
		at = time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(near) * time.Minute)
	}
	return at
}

// lastSunday is the last Sunday of a month, when European clocks change at 01:00 UTC.
func lastSunday(year int, month time.Month) time.Time {
	day := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
	return day.AddDate(0, 0, -int(day.Weekday()))
}

var (
	lawZones     = []string{"Europe/Amsterdam", "Europe/Helsinki", "Europe/Dublin", "Europe/Lisbon", "UTC"}
	lawCalendars = []string{"NL", "BE", "DE", "FR", "EU", "common"}
	lawDays      = []string{"1 day", "2 days", "7 days", "14 days", "5 working days", "1 week", "2 weeks", "1 month", "3 months", "1 year", "7 days then 3 months"}
)

func drawZone(t *rapid.T) *time.Location {
	zone, err := time.LoadLocation(rapid.SampledFrom(lawZones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func drawCalendar(t *rapid.T) Calendar {
	c, err := CalendarNamed(rapid.SampledFrom(lawCalendars).Draw(t, "calendar"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustPeriod(t *rapid.T, s string) Period {
	p, err := ParsePeriod(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Hours are exact, through both changes of the clock.
func TestHoursAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, zone := anyTime(t), drawZone(t)
		for text, n := range map[string]int{"4 hours": 4, "24 hours": 24, "72 hours": 72} {
			end := mustPeriod(t, text).End(from, zone, drawCalendar(t), RestEU)
			if end.Sub(from) != time.Duration(n)*time.Hour {
				t.Fatalf("%s from %s end at %s: %s later", text, from, end, end.Sub(from))
			}
		}
	})
}

// A period in days ends with the last second of a day that works; what began later never ends earlier.
func TestDaysEndOnWorkingDaysAndKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, zone, c := anyTime(t), drawZone(t), drawCalendar(t)
		p := mustPeriod(t, rapid.SampledFrom(lawDays).Draw(t, "period"))
		end := p.End(from, zone, c, RestEU)
		if !c.Working(end) {
			name, _ := c.Holiday(end)
			t.Fatalf("%s from %s ends on %s %s, a day off %s", p, from, end.Weekday(), end, name)
		}
		if end.Format("15:04:05") != "23:59:59" {
			t.Fatalf("%s from %s ends at %s", p, from, end)
		}
		if rest := p.End(from, zone, c, RestNone); end.Before(rest) {
			t.Fatalf("%s from %s: the rest moves the end from %s back to %s", p, from, rest, end)
		}
		later := from.Add(time.Duration(rapid.Int64Range(0, 200*3600).Draw(t, "seconds")) * time.Second)
		if next := p.End(later, zone, c, RestEU); next.Before(end) {
			t.Fatalf("%s from %s ends %s, but from the later %s already %s", p, from, end, later, next)
		}
	})
}

// A period of two days or more holds at least two working days (Regulation 1182/71 art. 3(5)).
func TestTwoWorkingDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, zone, c := anyTime(t), drawZone(t), drawCalendar(t)
		p := mustPeriod(t, rapid.SampledFrom([]string{"2 days", "3 days", "7 days", "1 week", "1 month"}).Draw(t, "period"))
		end := civil(p.End(from, zone, c, RestEU))
		working := 0
		for day := civil(from.In(zone)).AddDate(0, 0, 1); !day.After(end); day = day.AddDate(0, 0, 1) {
			if c.Working(day) {
				working++
			}
		}
		if working < 2 {
			t.Fatalf("%s from %s to %s holds %d working days", p, from, end, working)
		}
	})
}

// A month ends on the same date, or on the last day of a month that has no such date.
func TestMonthsKeepTheirDate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, zone := anyTime(t), drawZone(t)
		n := rapid.IntRange(1, 24).Draw(t, "months")
		day := civil(from.In(zone))
		end := sameDate(day, n)
		months := 12*(end.Year()-day.Year()) + int(end.Month()) - int(day.Month())
		if months != n || end.Day() != day.Day() && (end.Day() > day.Day() || end.AddDate(0, 0, 1).Day() != 1) {
			t.Fatalf("%d months from %s end on %s", n, day, end)
		}
	})
}

// The first version of a report counts (SERIMA#451): a report that was sent earlier never makes what follows it later, and
// the estimate before it was sent is what it comes to when it is sent at the last moment.
func TestFirstVersionCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		aware := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 40_000).Draw(t, "hours")) * time.Hour)
		s := Situation{Jurisdiction: rapid.SampledFrom([]string{"NL", "DE", "BE", "FR", "SE"}).Draw(t, "state"), Sector: "energy", Kind: "incident", Aware: aware}
		final := func(events map[string]time.Time) Deadline {
			s.Events = events
			all, err := Packs{}.Due(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range all {
				if d.Rule.What == "final report" {
					return d
				}
			}
			t.Fatal("there is no final report")
			return Deadline{}
		}
		estimate := final(nil)
		last := aware.Add(72 * time.Hour)
		if d := final(map[string]time.Time{"sent:notification": last}); !d.Due.Equal(estimate.Due) {
			t.Fatalf("sent at the last moment, the final report is due %s, estimated %s", d.Due, estimate.Due)
		}
		first := aware.Add(time.Duration(rapid.Int64Range(1, 72*60).Draw(t, "minutes")) * time.Minute)
		if d := final(map[string]time.Time{"sent:notification": first}); d.Due.After(estimate.Due) || d.Estimated {
			t.Fatalf("sent at %s, the final report is due %s, after the estimate %s, or still an estimate", first, d.Due, estimate.Due)
		}
	})
}

// Before its first day a rule is absent, on it and after it is there; after its last day it is absent again.
func TestRulesAreDated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := Packs{}.All()
		pack := all[rapid.IntRange(0, len(all)-1).Draw(t, "pack")]
		rule := pack.Rules[rapid.IntRange(0, len(pack.Rules)-1).Draw(t, "rule")]
		from, to := rule.From, rule.To
		if len(pack.States) > 0 {
			from, to = pack.States[0].From, pack.States[len(pack.States)-1].To
		}
		zone, err := time.LoadLocation(pack.Zone)
		if err != nil {
			t.Fatal(err)
		}
		first, err := time.ParseInLocation(time.DateOnly, from, zone)
		if err != nil {
			t.Fatal(err)
		}
		s := Situation{Jurisdiction: pack.Jurisdiction, Sector: "any", Kind: rule.Kinds[0], Events: map[string]time.Time{}}
		if rule.If != "" {
			s.Events[rule.If] = first
		}
		check := func(at time.Time, want bool) {
			s.Aware = at
			due, err := Packs{}.Due(s)
			if err != nil {
				t.Fatal(err)
			}
			if got := said(due, pack.ID+"/"+rule.ID) != "absent"; got != want {
				t.Fatalf("%s/%s, known at %s: listed is %v, want %v", pack.ID, rule.ID, at, got, want)
			}
		}
		check(first.Add(-time.Second), false)
		check(first, true)
		if to == "" {
			check(first.AddDate(10, 0, rapid.IntRange(0, 3000).Draw(t, "days")), true)
			return
		}
		last, err := time.ParseInLocation(time.DateOnly, to, zone)
		if err != nil {
			t.Fatal(err)
		}
		check(last.Add(23*time.Hour), true)
		check(last.AddDate(0, 0, 1), false)
	})
}

// Easter of years that anybody can look up, and of the two edges of the calendar.
func TestEaster(t *testing.T) {
	for year, want := range map[int]string{1990: "04-15", 2000: "04-23", 2008: "03-23", 2011: "04-24", 2019: "04-21", 2024: "03-31", 2025: "04-20", 2026: "04-05", 2027: "03-28", 2028: "04-16", 2038: "04-25", 2049: "04-18", 2076: "04-19"} {
		if got := easter(year).Format("01-02"); got != want {
			t.Errorf("Easter %d is on %s, want %s", year, got, want)
		}
	}
}
