package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/internal/cli"
)

// printed is a report as a person reads it.
func printed(r *Report) string {
	var b strings.Builder
	c := &cobra.Command{}
	c.SetOut(&b)
	r.Print(cli.Out(c))
	return b.String()
}

func signOf(id string, level Level, at time.Time) *Finding {
	return &Finding{Kind: ByRule, ID: id, Title: "Title " + id, Level: level, Why: "why", File: "f", Time: at, Evidence: []Evidence{{"Image", "x"}}, Host: "H", Account: "A"}
}

// TestVerdict: the first line is the answer that the gravest sign gives, and steps follow that suit it.
func TestVerdict(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		levels []Level
		events int64
		want   Verdict
		says   string
	}{
		{[]Level{Critical}, 1, Probably, "PROBABLY HIT: there are grave signs (1 critical). Act today."},
		{[]Level{Low, High, High}, 1, Probably, "(2 high, 1 low)"},
		{[]Level{Informational, Medium}, 1, Perhaps, "PERHAPS: there are signs that somebody should look at (1 medium, 1 informational)."},
		{[]Level{Low}, 1, Unlikely, "NO CLEAR SIGN"},
		{[]Level{Informational}, 1, Unlikely, "NO CLEAR SIGN"},
		{[]Level{"no level of ours"}, 1, Unlikely, "NO CLEAR SIGN"},
		{nil, 1, NoSign, "NO SIGN FOUND in what was looked at."},
		{nil, 0, NothingRead, "NO ANSWER: there was no event to look at."},
	} {
		r := Report{Files: []Examined{{File: "f", Format: "json", Events: c.events}}}
		for i, l := range c.levels {
			r.Add(signOf(fmt.Sprint(i), l, at))
		}
		text := printed(&r)
		first, _, _ := strings.Cut(text, "\n")
		if r.Verdict() != c.want || !strings.Contains(first, c.says) || !strings.Contains(text, "What to do now\n  1. ") {
			t.Errorf("%v: %d, %q", c.levels, r.Verdict(), first)
		}
	}
}

// TestReportGathers: findings of one rule are one sign, with how often, from when to when, and where; the gravest come first, then the
// most frequent.
func TestReportGathers(t *testing.T) {
	var r Report
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range 8 {
		f := signOf("often", Medium, at.Add(time.Duration(7-i)*time.Hour))
		f.Host, f.Account = fmt.Sprintf("H%d", i), ""
		r.Add(f)
	}
	r.Add(signOf("grave", High, time.Time{}))
	r.Add(signOf("grave", High, at))
	r.Add(signOf("once", Medium, time.Time{}))
	other := signOf("often", Medium, at)
	other.Kind = ByIndicator
	r.Add(other)
	var got []string
	for _, s := range r.Signs() {
		got = append(got, fmt.Sprintf("%s %s %d", s.Kind, s.ID, s.Count))
	}
	if want := []string{"rule grave 2", "rule often 8", "indicator often 1", "rule once 1"}; !slices.Equal(got, want) {
		t.Errorf("signs %q, want %q", got, want)
	}
	often := r.Signs()[1]
	if !often.First.Equal(at) || !often.Last.Equal(at.Add(7*time.Hour)) || often.Hosts.String() != "H0, H1, H2, H3, H4 and more" || often.Accounts.String() != "" {
		t.Errorf("%v to %v on %s", often.First, often.Last, often.Hosts)
	}
	text := printed(&r)
	for _, want := range []string{"when   2 times, 2026-03-02 09:00 UTC\n", "when   8 times, 2026-03-02 09:00 to 16:00 UTC\n", "when   once\n", "where  host H0, H1, H2, H3, H4 and more\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestReportBounds: a report of very many signs shows some whole, names more, and counts the rest; it holds no more than its bound.
func TestReportBounds(t *testing.T) {
	var r Report
	for i := range MaxSigns + 7 {
		r.Add(signOf(fmt.Sprint(i), Low, time.Time{}))
	}
	if len(r.Signs()) != MaxSigns || r.Beyond != 7 {
		t.Errorf("%d signs, %d beyond", len(r.Signs()), r.Beyond)
	}
	text := printed(&r)
	if strings.Count(text, "   saw    ") != shownSigns || !strings.Contains(text, fmt.Sprintf("and %d more; --json has them all", MaxSigns-namedSigns)) || !strings.Contains(text, "and 7 findings of further rules") {
		t.Errorf("the report:\n%.3000s", text)
	}
	if n := strings.Count(text, "\n"); n > 150 {
		t.Errorf("the report has %d lines", n)
	}
}

// TestReportFiles: of many files those with trouble are named, the others summed up.
func TestReportFiles(t *testing.T) {
	r := Report{With: Knowing{Rules: 2, Correlations: 1, Indicators: 3, Patterns: 4}}
	for i := range 20 {
		r.Files = append(r.Files, Examined{File: fmt.Sprint("f", i), Format: "json", Events: 5})
	}
	r.Files = append(r.Files, Examined{File: "bad", Trouble: []string{"no such file"}}, Examined{File: "half", Format: "eve", Compression: "gzip", Events: 1, Unreadable: 2, Gated: 3, Trouble: []string{"it breaks off"}})
	text := printed(&r)
	for _, want := range []string{"\n  bad: not read\n    no such file\n", "\n  half: eve (gzip), 1 events, 3 known values that a warning list explains, 2 records unreadable\n    it breaks off\n",
		"\n  20 files: json, 100 events\n", "\n  with 2 rules, 1 correlations, 3 indicators, 4 patterns\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestSpan: a stretch of time is said as short as it can be.
func TestSpan(t *testing.T) {
	at := time.Date(2026, 3, 2, 23, 30, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		more time.Duration
		want string
	}{{59 * time.Second, "2026-03-02 22:30 UTC"}, {time.Hour, "2026-03-02 22:30 to 23:30 UTC"}, {2 * time.Hour, "2026-03-02 22:30 to 2026-03-03 00:30 UTC"}} {
		if got := span(at, at.Add(c.more)); got != c.want {
			t.Errorf("%v: %q, want %q", c.more, got, c.want)
		}
	}
	if got := shorten(strings.Repeat("é", 50)+"end", 21); got != strings.Repeat("é", 9)+" … "+strings.Repeat("é", 6)+"end" {
		t.Errorf("shortened to %q", got)
	}
}

// TestSubjects: whom an event is about, in logs of different kinds. The site of a request is no machine of one's own, and a sensor tells of
// others.
func TestSubjects(t *testing.T) {
	for _, c := range []struct{ why, text, name, format, host, account string }{
		{"Sysmon", `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"WS-041","User":"ACME\\s.dewit","Image":"x"}`, "w.jsonl", "", "WS-041", `ACME\s.dewit`},
		{"the account that acts before the one that is acted on", `{"EventID":4720,"Channel":"Security","Computer":"DC","TargetUserName":"new","SubjectUserName":"admin"}`, "w.jsonl", "", "DC", "admin"},
		{"a dash is no account", `{"EventID":4624,"Channel":"Security","Computer":"DC","SubjectUserName":"-","TargetUserName":"who"}`, "w.jsonl", "", "DC", "who"},
		{"Zeek: the site of a request", `{"_path":"http","ts":1772442764.1,"uid":"C","id.orig_h":"198.51.100.1","id.resp_h":"192.0.2.1","method":"GET","host":"evil.example","uri":"/"}`, "http.log", "", "198.51.100.1", ""},
		{"Suricata", `{"timestamp":"2026-03-02T09:00:00.0+0000","event_type":"http","host":"sensor","src_ip":"198.51.100.1","dest_ip":"192.0.2.1","http":{"hostname":"evil.example","url":"/"}}`, "eve.json", "", "198.51.100.1", ""},
		{"CloudTrail", `{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","eventTime":"2026-03-02T09:00:00Z","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/a"}}`, "ct.json", "", "", "arn:aws:iam::1:user/a"},
	} {
		var s subjects
		met := false
		eventsOf(t, c.text+"\n", c.name, event.Format(c.format), func(ev *event.Event) {
			met = true
			for range 2 { // the second time from memory
				if host, account := s.of(ev); host != c.host || account != c.account {
					t.Errorf("%s: host %q, account %q; want %q, %q", c.why, host, account, c.host, c.account)
				}
			}
		})
		if !met {
			t.Errorf("%s: not read", c.why)
		}
	}
}
