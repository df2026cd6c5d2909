package history

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	someIPs      = []string{"10.1.2.3", "10.1.2.4", "10.1.3.4", "10.2.0.1", "192.0.2.7", "2001:db8::1", "2001:db8:0:1::9", "2001:dead::1"}
	someDomains  = []string{"evil.example.com", "example.com", "a.b.evil.example.com", "notexample.com", "host", "x.co.uk", "uk"}
	someFiles    = []string{"Report.docx", "report.DOCX", "b.exe"}
	someURLs     = []string{"http://evil.example.com/a", "https://10.1.2.3/x", "http://other.org/"}
	someMails    = []string{"a@example.com", "b@other.org"}
	someNetworks = []string{"10.1.0.0/16", "10.1.2.0/24", "10.0.0.0/8", "10.1.2.0/30", "0.0.0.0/0", "2001:db8::/32", "2001:db8::/61", "10.1.128.0/17", "2001::/16"}
)

func genSaid(t *rapid.T, i int) said {
	base := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := base.Add(time.Duration(rapid.IntRange(0, 5*3600).Draw(t, "second")) * time.Second)
	if rapid.IntRange(0, 9).Draw(t, "timeless") == 0 {
		at = time.Time{}
	}
	var fields [][2]string
	pick := func(name string, from []string) {
		if rapid.IntRange(0, 3).Draw(t, name+"?") == 0 {
			fields = append(fields, [2]string{name, rapid.SampledFrom(from).Draw(t, name)})
		}
	}
	ip := rapid.SampledFrom(someIPs).Draw(t, "ip")
	if slices.Index(someIPs, ip) < 5 {
		fields = append(fields, [2]string{"ipv4", ip})
	} else {
		fields = append(fields, [2]string{"ipv6", ip})
	}
	pick("domain", someDomains)
	pick("filename", someFiles)
	pick("url", someURLs)
	pick("email", someMails)
	pick("cidr", someNetworks)
	pick("other", []string{"needle in it", "nothing"})
	if rapid.Bool().Draw(t, "unique") {
		fields = append(fields, [2]string{"n", fmt.Sprint(i)})
	}
	return saying(at, fields...)
}

// TestHuntFindsWhatReadingEverythingFinds is the law of the package: whatever was appended, flushed, merged, opened anew
// and read twice, a hunt finds what a walk over all events finds.
func TestHuntFindsWhatReadingEverythingFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "history")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		o := Options{Free: plenty, FlushBytes: rapid.SampledFrom([]int{1 << 10, 8 << 10, 1 << 20}).Draw(t, "flush"),
			FilterBytes: rapid.SampledFrom([]int64{1, 1 << 20}).Draw(t, "filters")}
		s, err := Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		var all []said
		var last []said
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"append", "append", "append", "again", "flush", "reopen", "compact", "lose filters"}), 1, 25).Draw(t, "steps")
		for i, step := range steps {
			switch step {
			case "append":
				last = nil
				for j := range rapid.IntRange(1, 12).Draw(t, "count") {
					last = append(last, genSaid(t, i*100+j))
				}
				fresh := unseen(all, last)
				if n, err := tryKeep(s, "f", received, last...); err != nil || n != len(fresh) {
					t.Fatalf("kept %d of %d new: %v", n, len(fresh), err)
				}
				all = append(all, fresh...)
			case "again":
				if n, err := tryKeep(s, "f", received, last...); err != nil || n != 0 {
					t.Fatalf("reading again kept %d: %v", n, err)
				}
			case "flush":
				err = s.Flush()
			case "compact":
				_, err = s.Compact(context.Background())
			case "reopen":
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s, err = Open(dir, o)
			case "lose filters":
				for name := range s.days {
					_ = os.Remove(dir + "/" + name + "/" + filtersFile)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s, err = Open(dir, o)
			}
			if err != nil {
				t.Fatalf("%s: %v", step, err)
			}
		}
		compareHunts(t, s, all)
	})
}

// unseen are the events of a reading that are not in all: of equal ones, those beyond the number there is.
func unseen(all, reading []said) []said {
	have := map[string]int{}
	for _, e := range all {
		have[e.raw]++
	}
	var fresh []said
	for _, e := range reading {
		if have[e.raw]--; have[e.raw] < 0 {
			fresh = append(fresh, e)
		}
	}
	return fresh
}

func compareHunts(t *rapid.T, s *Store, all []said) {
	base := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	q := Query{}
	if rapid.Bool().Draw(t, "since?") {
		q.Since = base.Add(time.Duration(rapid.IntRange(0, 5*3600).Draw(t, "since")) * time.Second)
	}
	if rapid.Bool().Draw(t, "until?") {
		q.Until = base.Add(time.Duration(rapid.IntRange(5*3600, 6*3600).Draw(t, "until")) * time.Second)
	}
	want := func(is func(said) bool) []string {
		var out []string
		for _, e := range all {
			inTime := e.at.IsZero() || (q.Since.IsZero() || !e.at.Before(q.Since)) && (q.Until.IsZero() || e.at.Before(q.Until))
			if inTime && is(e) {
				out = append(out, e.raw)
			}
		}
		slices.Sort(out)
		return out
	}
	check := func(what string, expected []string) {
		got, errs := tryHunt(s, q)
		if len(errs) > 0 {
			t.Fatalf("%s: %v", what, errs)
		}
		if !slices.Equal(got, expected) {
			t.Fatalf("%s from %s to %s: got %q, want %q", what, q.Since, q.Until, got, expected)
		}
	}
	for _, texts := range [][]string{someIPs, someDomains, someFiles, someURLs, someMails, someNetworks} {
		text := rapid.SampledFrom(texts).Draw(t, "value")
		v, err := ParseValue(text)
		if err != nil {
			v, err = ParseValue("domain:" + text)
		}
		if err != nil {
			t.Fatal(err)
		}
		q.Values, q.Match = []Value{v}, nil
		check(text, want(func(e said) bool {
			return slices.ContainsFunc(e.values(), func(have Value) bool { return Matches(spelled(v), have) })
		}))
	}
	needle := func(e said) bool {
		return slices.ContainsFunc(e.fields, func(f [2]string) bool { return f[1] == "needle in it" })
	}
	q.Values, q.Match = nil, func() Matcher { return contains("needle") }
	check("a matcher", want(needle))
	q.Ordered = true
	check("an ordered matcher", want(needle))
}
