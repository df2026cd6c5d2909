package cases

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

const (
	reportMonthsEN = "January|February|March|April|May|June|July|August|September|October|November|December"
	reportMonthsNL = "januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december"
)

// reportAheadTable is read by Go and by the browser alike; today is Sunday 22 November 2026.
var reportAheadTable = []struct{ own, months, wrote, meant, why string }{
	{"22 11 2027, 9.45", reportMonthsEN, "2027-11-22", "2026-11-22", "a year too far, as in the design"},
	{"22-11-2026", reportMonthsNL, "", "", "today is not ahead"},
	{"23/11/2026", reportMonthsNL, "2026-11-23", "2025-11-23", "tomorrow: the same day of last year"},
	{"2026-12-01", reportMonthsEN, "2026-12-01", "2025-12-01", "year first"},
	{"on 3 December 2026 or so", reportMonthsEN, "2026-12-03", "2025-12-03", "a month in words"},
	{"December 3, 2026", reportMonthsEN, "2026-12-03", "2025-12-03", "month before day"},
	{"3 dec. 2026", reportMonthsNL, "2026-12-03", "2025-12-03", "a month cut short"},
	{"3 maart 2027", reportMonthsNL, "2027-03-03", "2026-03-03", "this year's day has been"},
	{"29 2 2028", reportMonthsEN, "2028-02-29", "2024-02-29", "a leap day was two years ago"},
	{"31 2 2027", reportMonthsEN, "", "", "no such day: words like others"},
	{"0 1 2027", reportMonthsEN, "", "", "no such day"},
	{"1 13 2027", reportMonthsEN, "", "", "no such month"},
	{"last week, I think", reportMonthsEN, "", "", "no date"},
	{"since summer 2030 plans were made", reportMonthsEN, "", "", "a year alone says no day"},
	{"order 22112027", reportMonthsEN, "", "", "a number is no date"},
	{"call 06 12 34 56 78", reportMonthsEN, "", "", "a telephone number is no date"},
	{"1 1 0000", reportMonthsEN, "", "", "there is no year 0"},
	{"1.12.9999", reportMonthsEN, "9999-12-01", "2025-12-01", "far ahead"},
	{"", reportMonthsEN, "", "", "nothing"},
}

func TestReportAhead(t *testing.T) {
	for _, row := range reportAheadTable {
		wrote, meant, ahead := reportAhead(row.own, row.months, reportNow)
		got := ""
		if ahead {
			got = wrote.Format(time.DateOnly) + " " + meant.Format(time.DateOnly)
		}
		want := ""
		if row.wrote != "" {
			want = row.wrote + " " + row.meant
		}
		if got != want {
			t.Errorf("%q is %q, want %q: %s", row.own, got, want, row.why)
		}
	}
}

func TestReportQuickDay(t *testing.T) {
	for _, row := range []struct{ chosen, today, want string }{
		{"today", "2026-11-22", "2026-11-22"}, {"yesterday", "2026-03-01", "2026-02-28"}, {"yesterday", "2027-01-01", "2026-12-31"},
		{"week", "2026-11-22", "2026-11-16 – 2026-11-22"}, {"week", "2026-11-23", "2026-11-23 – 2026-11-23"}, {"", "2026-11-22", ""}, {"never", "2026-11-22", ""},
	} {
		today, err := time.Parse(time.DateOnly, row.today)
		if err != nil {
			t.Fatal(err)
		}
		if got := reportQuickDay(row.chosen, today); got != row.want {
			t.Errorf("%s on %s is %q, want %q", row.chosen, row.today, got, row.want)
		}
	}
}

// TestReportAheadLaw: what was meant is never ahead, and falls on the same day of a month.
func TestReportAheadLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		today := time.Date(rapid.IntRange(2000, 2200).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 365).Draw(t, "day"))
		said := today.AddDate(0, 0, rapid.IntRange(-4000, 4000).Draw(t, "off"))
		wrote, meant, ahead := reportAhead(said.Format("2 1 2006"), reportMonthsEN, today)
		if ahead != said.After(today) {
			t.Fatalf("%v seen from %v: ahead is %v", said, today, ahead)
		}
		if ahead && (!wrote.Equal(said) || meant.After(today) || meant.Day() != said.Day() || meant.Month() != said.Month()) {
			t.Fatalf("%v seen from %v: meant %v", said, today, meant)
		}
	})
}

func FuzzReportAhead(f *testing.F) {
	for _, row := range reportAheadTable {
		f.Add(row.own)
	}
	f.Fuzz(func(t *testing.T, own string) {
		if wrote, meant, ahead := reportAhead(own, reportMonthsNL, reportNow); ahead && (!wrote.After(reportNow) || meant.After(reportNow)) {
			t.Fatalf("%q: wrote %v, meant %v", own, wrote, meant)
		}
	})
}

// TestBrowserReportWhen holds the browser's reading of days to Go's.
func TestBrowserReportWhen(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	p := webtest.Start(t).Open(t, w.url+"/report/thread?lang=en")
	module := reportScript.FindString(w.page("/report/thread?lang=en")) + "/report_when.js"
	webtest.Await[bool](p, fmt.Sprintf(`import(%q).then((m) => !!(globalThis.when = m))`, module))
	for _, row := range reportAheadTable {
		own, _ := json.Marshal(row.own)
		got := webtest.Eval[string](p, fmt.Sprintf(`(() => { const a = when.ahead(%s, %q.split("|"), new Date("2026-11-22T12:00:00Z")); return a ? when.iso(a.wrote) + " " + when.iso(a.meant) : ""; })()`, own, row.months))
		want := ""
		if row.wrote != "" {
			want = row.wrote + " " + row.meant
		}
		if got != want {
			t.Errorf("in the browser %q is %q, want %q: %s", row.own, got, want, row.why)
		}
	}
	for day := range 14 {
		today := reportNow.AddDate(0, 0, day)
		for _, chosen := range []string{"today", "yesterday", "week", ""} {
			got := webtest.Eval[string](p, fmt.Sprintf(`when.quick(%q, new Date(%q))`, chosen, today.Format(time.DateOnly)+"T12:00:00Z"))
			if want := reportQuickDay(chosen, today); got != want {
				t.Errorf("in the browser %q on %s is %q, want %q", chosen, today.Format(time.DateOnly), got, want)
			}
		}
	}
}
