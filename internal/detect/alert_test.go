package detect

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/stix"
)

func TestAlertID(t *testing.T) {
	base := Finding{Kind: ByRule, ID: "r1", File: "a.json", Event: 3, Events: [][]byte{[]byte(`{"a":1}`), []byte(`{"b":2}`)}}
	change := func(f func(*Finding)) Finding { c := base; f(&c); return c }
	for _, c := range []struct {
		why  string
		f    Finding
		org  string
		same bool
	}{
		{"the same again", base, "o", true},
		{"judged out of another file, at another place", change(func(f *Finding) { f.File, f.Event = "b.json", 9 }), "o", true},
		{"its text was mended since", change(func(f *Finding) { f.Title, f.Level, f.Why = "T", High, "w" }), "o", true},
		{"another rule", change(func(f *Finding) { f.ID = "r2" }), "o", false},
		{"an indicator of the same name", change(func(f *Finding) { f.Kind = ByIndicator }), "o", false},
		{"other events", change(func(f *Finding) { f.Events = f.Events[:1] }), "o", false},
		{"the same bytes, cut elsewhere", change(func(f *Finding) { f.Events = [][]byte{[]byte(`{"a":1}{`), []byte(`"b":2}`)} }), "o", false},
		{"the events of a neighbour", base, "p", false},
		{"without events the place counts", change(func(f *Finding) { f.Events = nil }), "o", false},
	} {
		if same := alertID("o", base) == alertID(orgID(c.org), c.f); same != c.same {
			t.Errorf("%s: same id %v, want %v", c.why, same, c.same)
		}
	}
	a, b := change(func(f *Finding) { f.Events = nil }), change(func(f *Finding) { f.Events, f.Event = nil, 4 })
	if alertID("o", a) == alertID("o", b) {
		t.Error("two places without events have one id")
	}
}

func TestAlertBounds(t *testing.T) {
	f := Finding{ID: "r", Time: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i := range 100 {
		f.Events = append(f.Events, bytes.Repeat([]byte{byte(i)}, 40<<10))
		f.Evidence = append(f.Evidence, Evidence{"field", strings.Repeat("é", 10_000)})
	}
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	a := alertOf("o", f, at)
	total := 0
	for _, e := range a.Events {
		total += len(e)
	}
	if !a.Cut || total > maxEvents || len(a.Events) > MaxEvents || len(a.Evidence) != maxEvidence || len(a.Evidence[0].Value) > maxText+3 {
		t.Errorf("kept %d bytes of %d events, %d of evidence, cut %v", total, len(a.Events), len(a.Evidence), a.Cut)
	}
	if !a.Time.Equal(at) {
		t.Errorf("an event of the year 9999 is at %v; want when it was taken in", a.Time)
	}
}

func TestPackEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "events")
		got := unpackEvents(packEvents(events))
		if len(got) != len(events) {
			t.Fatalf("%d of %d events came back", len(got), len(events))
		}
		for i := range got {
			if !bytes.Equal(got[i], events[i]) {
				t.Fatalf("event %d came back as %q", i, got[i])
			}
		}
		unpackEvents(rapid.SliceOf(rapid.Byte()).Draw(t, "rubbish")) // must not panic
	})
}

func TestNextSteps(t *testing.T) {
	rule := Group{Kind: ByRule, Level: High, State: StateNew}
	indicator := Group{Kind: ByIndicator, Level: Medium, State: StateConfirmed, Origin: Origin{Object: "indicator--x"}}
	for _, c := range []struct {
		why  string
		g    Group
		want []string
	}{
		{"a severe one begins with the machine", rule, []string{"isolate", "expected", "account", "keep", "decide"}},
		{"a confirmed indicator helps others", indicator, []string{"who-else", "harmless", "keep", "sighting"}},
		{"what is over asks nothing", Group{Kind: ByRule, State: StateClosed, Level: Critical}, nil},
	} {
		if got := nextSteps(c.g); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
}

func TestSuppressionMeets(t *testing.T) {
	f := Finding{ID: "r", Host: "PC-7", Account: "ACME\\ann", File: "dns.log", Evidence: []Evidence{{"query", "Example.COM"}}}
	for _, c := range []struct {
		why  string
		u    Suppression
		want bool
	}{
		{"the host, written otherwise", Suppression{Rule: "r", Scope: ScopeHost, Value: "pc-7"}, true},
		{"another host", Suppression{Rule: "r", Scope: ScopeHost, Value: "pc-70"}, false},
		{"the account", Suppression{Rule: "r", Scope: ScopeAccount, Value: "acme\\ANN"}, true},
		{"the file", Suppression{Rule: "r", Scope: ScopeFile, Value: "dns.log"}, true},
		{"files differ by case", Suppression{Rule: "r", Scope: ScopeFile, Value: "DNS.log"}, false},
		{"a value of the evidence", Suppression{Rule: "r", Scope: ScopeValue, Value: "example.com"}, true},
		{"part of a value", Suppression{Rule: "r", Scope: ScopeValue, Value: "example"}, false},
		{"another rule", Suppression{Rule: "q", Scope: ScopeHost, Value: "PC-7"}, false},
		{"an unknown scope", Suppression{Rule: "r", Scope: "all", Value: "PC-7"}, false},
	} {
		if got := c.u.meets(f); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

func TestOriginKept(t *testing.T) {
	o := Origin{Object: "indicator--1", Community: "ring", Level: stix.AmberStrict, PAP: stix.PAPRed, Author: "A", License: "DRL 1.1", References: []string{"https://x.example"}, Tags: []string{"attack.t1059"}, List: "l.csv"}
	text, err := packOrigin(o)
	noErr(t, err)
	got, err := unpackOrigin(text)
	noErr(t, err)
	if fmt.Sprint(got) != fmt.Sprint(o) {
		t.Errorf("kept %+v, got %+v", o, got)
	}
}

// TestGroupingLaws: whatever comes in whatever order, again and again, every alert is in exactly one group of its rule
// and scope, counts once, and a group has no gap and no span above what is allowed.
func TestGroupingLaws(t *testing.T) {
	w := newAlertWorld(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		org := orgID(fmt.Sprintf("identity--round-%d", round))
		start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		n := rapid.IntRange(1, 25).Draw(t, "n")
		var all []Finding
		for i := range n {
			minutes := rapid.IntRange(0, 60*60).Draw(t, "minutes")
			all = append(all, Finding{Kind: ByRule, ID: rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "rule"), Host: rapid.SampledFrom([]string{"a", "A", "b"}).Draw(t, "host"),
				Time: start.Add(time.Duration(minutes) * time.Minute), Events: [][]byte{fmt.Appendf(nil, "%d", i)}})
		}
		for len(all) < n+rapid.IntRange(0, 5).Draw(t, "again") {
			all = append(all, all[rapid.IntRange(0, n-1).Draw(t, "which")])
		}
		fresh, err := w.Record(t.Context(), org, all)
		if err != nil || fresh != n {
			t.Fatalf("recorded %d of %d: %v", fresh, n, err)
		}
		again, err := w.Record(t.Context(), org, all)
		if err != nil || again != 0 {
			t.Fatalf("recorded %d a second time: %v", again, err)
		}
		w.checkGroups(t, org, all[:n])
	})
}

func (w *alertWorld) checkGroups(t *rapid.T, org orgID, all []Finding) {
	by := map[string]Finding{}
	for _, f := range all {
		by[alertID(org, f)] = f
	}
	page, err := w.Alerts(t.Context(), w.reader(org), Filter{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, g := range page.Groups {
		sheet, err := w.Alert(t.Context(), w.reader(org), g.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(sheet.Alerts) != g.Count {
			t.Fatalf("a group counts %d and has %d", g.Count, len(sheet.Alerts))
		}
		slices.SortFunc(sheet.Alerts, func(a, b Alert) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
		last := sheet.Alerts[len(sheet.Alerts)-1].Time
		if !g.First.Equal(sheet.Alerts[0].Time) || !g.Last.Equal(last) || last.Sub(g.First) > DefaultGrouping.Span {
			t.Fatalf("a group says %v to %v and reaches from %v to %v", g.First, g.Last, sheet.Alerts[0].Time, last)
		}
		for i, a := range sheet.Alerts {
			f := by[a.ID]
			if seen[a.ID] || f.ID != g.Rule || !strings.EqualFold(f.Host, g.Host) {
				t.Fatalf("alert %+v stands in group %+v, seen before: %v", f, g.Group, seen[a.ID])
			}
			seen[a.ID] = true
			if i > 0 && a.Time.Sub(sheet.Alerts[i-1].Time) > DefaultGrouping.Gap {
				t.Fatalf("a group has a gap of %v", a.Time.Sub(sheet.Alerts[i-1].Time))
			}
		}
	}
	if len(seen) != len(by) {
		t.Fatalf("%d of %d alerts are in groups", len(seen), len(by))
	}
}
