package event

import (
	"strings"
	"testing"
	"time"
)

func TestSyslogStamps(t *testing.T) {
	for _, c := range []struct {
		why, line, stamp string // stamp is what is taken for the date, "" for none
		want             string // in UTC, "" for no time
	}{
		{"the usual one", "Mar  2 10:00:00 host", "Mar  2 10:00:00", "2026-03-02T10:00:00Z"},
		{"a day of two digits", "Feb 28 10:00:00 host", "Feb 28 10:00:00", "2026-02-28T10:00:00Z"},
		{"last year, since this year's is to come", "Mar 20 10:00:00 host", "Mar 20 10:00:00", "2025-03-20T10:00:00Z"},
		{"tomorrow is still this year: clocks differ", "Mar  3 20:00:00 host", "Mar  3 20:00:00", "2026-03-03T20:00:00Z"},
		{"a leap day is in the latest leap year", "Feb 29 10:00:00 host", "Feb 29 10:00:00", "2024-02-29T10:00:00Z"},
		{"milliseconds", "Mar  2 10:00:00.123 host", "Mar  2 10:00:00.123", "2026-03-02T10:00:00.123Z"},
		{"a year before the time", "Mar  2 2024 10:00:00 host", "Mar  2 2024 10:00:00", "2024-03-02T10:00:00Z"},
		{"a year behind the time", "Mar  2 10:00:00 2024 host", "Mar  2 10:00:00 2024", "2024-03-02T10:00:00Z"},
		{"a year in front", "2024 Mar  2 10:00:00 host", "2024 Mar  2 10:00:00", "2024-03-02T10:00:00Z"},
		{"a zone before a colon", "Mar  2 10:00:00.5 UTC: text", "Mar  2 10:00:00.5 UTC", "2026-03-02T10:00:00.5Z"},
		{"an upper-case host is no zone", "Mar  2 10:00:00 HOST text", "Mar  2 10:00:00", "2026-03-02T10:00:00Z"},
		{"an offset", "Mar  2 10:00:00+02:00 host", "Mar  2 10:00:00+02:00", "2026-03-02T08:00:00Z"},
		{"ISO with an offset", "2026-03-02T10:00:00.123456+01:00 host", "2026-03-02T10:00:00.123456+01:00", "2026-03-02T09:00:00.123456Z"},
		{"ISO with Z", "2026-03-02T10:00:00Z host", "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"},
		{"ISO with a blank and a comma", "2026-03-02 10:00:00,250 host", "2026-03-02 10:00:00,250", "2026-03-02T10:00:00.25Z"},
		{"a clock of Cisco that is not set", "*Mar  1 00:00:05.100 host", "*Mar  1 00:00:05.100", ""},
		{"a day that no month has", "Feb 31 10:00:00 host", "Feb 31 10:00:00", ""},
		{"an hour that no day has", "Mar  2 25:00:00 host", "Mar  2 25:00:00", ""},
		{"no month", "Max  2 10:00:00 host", "", ""},
		{"a word that begins like a month", "March 2 10:00:00 host", "", ""},
		{"a date without a time", "Mar  2 host text", "", ""},
		{"a number", "20260302100000 host text", "", ""},
		{"nothing", "", "", ""},
	} {
		n := stampLength([]byte(c.line))
		if got := c.line[:n]; got != c.stamp {
			t.Errorf("%s: %q, want %q", c.why, got, c.stamp)
			continue
		}
		got := ""
		if w := readSyslogStamp([]byte(c.line[:n]), march); !w.IsZero() {
			got = w.Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
	if w := readSyslogStamp([]byte("Mar  2 10:00:00"), time.Time{}); !w.IsZero() {
		t.Errorf("without knowing what time it is: %v", w)
	}
}

// TestSyslogParts takes lines apart that differ in what is missing.
func TestSyslogParts(t *testing.T) {
	for _, c := range []struct{ why, line, host, app, proc, message string }{
		{"all of it", "<13>Mar  2 10:00:00 h app[12]: text", "h", "app", "12", "text"},
		{"no host", "Mar  2 10:00:00 app[12]: text", "", "app", "12", "text"},
		{"no number", "Mar  2 10:00:00 h app: text", "h", "app", "", "text"},
		{"no tag", "Mar  2 10:00:00 h text without a tag", "h", "", "", "text without a tag"},
		{"a tag with a path", "Mar  2 10:00:00 h /usr/sbin/cron[1]: text", "h", "/usr/sbin/cron", "1", "text"},
		{"a tag without a colon", "Mar  2 10:00:00 h app[12] text", "h", "app", "12", "text"},
		{"no date", "<13>app[12]: text", "", "app", "12", "text"},
		{"no date and no priority", "some text: more", "", "", "", "some text: more"},
		{"a message with colons", "Mar  2 10:00:00 h app: a: b", "h", "app", "", "a: b"},
		{"an address as host", "Mar  2 10:00:00 2001:db8::1 app: text", "2001:db8::1", "app", "", "text"},
		{"nothing behind the date", "Mar  2 10:00:00 ", "", "", "", ""},
		{"a host before the date", "<13>rtr: 12: Mar  2 10:00:00: %A-1-B: text", "rtr", "", "", "%A-1-B: text"},
		{"a message that begins with a percent sign", "Mar  2 10:00:00 %A-1-B: text", "", "", "", "%A-1-B: text"},
		{"a length in front", "20 <13>Mar  2 10:00:00 h app: text", "h", "app", "", "text"},
	} {
		var m syslogLine
		if err := m.parse([]byte(c.line)); err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		got := strings.Join([]string{string(m.host), string(m.app), string(m.proc), string(m.message)}, "|")
		if want := strings.Join([]string{c.host, c.app, c.proc, c.message}, "|"); got != want {
			t.Errorf("%s: %q, want %q", c.why, got, want)
		}
	}
	for _, line := range []string{"<192>text", "<>text", "<1a>text", "<13>1 2026-03-02T10:00:00Z", "<13>1 - - - - - no data", "<13>1 - - - - - [a b=\"]\" text"} {
		var m syslogLine
		err := m.parse([]byte(line))
		if refused := line != "<>text"; refused != (err != nil) {
			t.Errorf("%s: %v", line, err)
		}
	}
}
