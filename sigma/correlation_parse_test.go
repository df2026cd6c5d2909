package sigma

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// TestCorrelationErrors: what is wrong is said with its line and with what would be right.
func TestCorrelationErrors(t *testing.T) {
	const head = "title: t\ncorrelation:\n"
	const rest = "  group-by: [User]\n  timespan: 1m\n"
	for _, c := range []struct {
		why, text string
		line      int
		want      []string
	}{
		{"no type", head + "  rules: [a]\n" + rest, 3, []string{"has no type", "event_count"}},
		{"a type nearly right", head + "  type: event_counts\n  rules: [a]\n" + rest, 3, []string{"event_counts", "did you mean event_count?"}},
		{"the median has no type", head + "  type: value_median\n  rules: [a]\n" + rest, 3, []string{"percentile: 50"}},
		{"no rules", head + "  type: temporal\n" + rest, 3, []string{"has no rules", "ids or names"}},
		{"rules empty", head + "  type: temporal\n  rules: []\n" + rest, 4, []string{"about no rule"}},
		{"a rule twice", head + "  type: temporal\n  rules: [a, a]\n" + rest, 4, []string{`"a" twice`}},
		{"rules of the wrong kind", head + "  type: temporal\n  rules: {a: 1}\n" + rest, 4, []string{"a map"}},
		{"no timespan", head + "  type: temporal\n  rules: [a]\n", 3, []string{"has no timespan", "90m"}},
		{"a timespan without unit", head + "  type: temporal\n  rules: [a]\n  timespan: 90\n", 5, []string{`"90"`, "90m"}},
		{"a timespan of nothing", head + "  type: temporal\n  rules: [a]\n  timespan: 0s\n", 5, []string{"nothing"}},
		{"a timespan in minutes written M is months, and too long", head + "  type: temporal\n  rules: [a]\n  timespan: 900M\n", 5, []string{"too long", "3650d"}},
		{"a part that does not exist", head + "  type: temporal\n  rules: [a]\n  groupby: [x]\n", 5, []string{"did you mean group-by?"}},
		{"no comparison", head + "  type: event_count\n  rules: [a]\n" + rest, 3, []string{"compares nothing", "gte: 10"}},
		{"a comparison nearly right", head + "  type: event_count\n  rules: [a]\n" + rest + "  condition:\n    gtee: 1\n", 8, []string{"did you mean gte?"}},
		{"a comparison with a word", head + "  type: event_count\n  rules: [a]\n" + rest + "  condition:\n    gte: many\n", 8, []string{`"many"`, "a number"}},
		{"a value type without field", head + "  type: value_count\n  rules: [a]\n" + rest + "  condition: {gte: 3}\n", 7, []string{"has no field"}},
		{"a count of events with a field", head + "  type: event_count\n  rules: [a]\n" + rest + "  condition: {gte: 3, field: x}\n", 7, []string{"value_count"}},
		{"a sum of two fields", head + "  type: value_sum\n  rules: [a]\n" + rest + "  condition: {gte: 3, field: [x, y]}\n", 7, []string{"one"}},
		{"a share above a hundred", head + "  type: value_percentile\n  rules: [a]\n" + rest + "  condition: {gte: 500, field: x}\n", 7, []string{"percentile: 50"}},
		{"a percentile above a hundred", head + "  type: value_percentile\n  rules: [a]\n" + rest + "  condition: {gte: 5, field: x, percentile: 101}\n", 7, []string{"0 to 100"}},
		{"more than a window holds", head + "  type: event_count\n  rules: [a]\n" + rest + "  condition: {gte: 1000001}\n", 7, []string{"1000000"}},
		{"an expression for a count", head + "  type: event_count\n  rules: [a]\n" + rest + "  condition: a and b\n", 7, []string{"gte: 10"}},
		{"an expression with a stranger", head + "  type: temporal\n  rules: [a]\n" + rest + "  condition: a and z\n", 7, []string{`"z"`, "they are a"}},
		{"an expression with an open bracket", head + "  type: temporal\n  rules: [a, b]\n" + rest + "  condition: a and (b\n", 7, []string{"not closed"}},
		{"an expression that asks for nothing", head + "  type: temporal\n  rules: [a]\n" + rest + "  condition: not a\n", 7, []string{"without not"}},
		{"an order with or", head + "  type: temporal_ordered\n  rules: [a, b]\n" + rest + "  condition: a or b\n", 7, []string{"write temporal"}},
		{"an order with an upper bound", head + "  type: temporal_ordered\n  rules: [a, b]\n" + rest + "  condition: {lt: 2}\n", 7, []string{"gt or gte"}},
		{"an alias of another rule", head + "  type: temporal\n  rules: [alpha]\n" + rest + "  aliases:\n    ip:\n      alpho: src\n", 9, []string{"did you mean alpha?"}},
		{"a group-by of the wrong kind", head + "  type: temporal\n  rules: [a]\n  timespan: 1m\n  group-by: {User: 1}\n", 6, []string{"a map"}},
		{"a correlation that is a list", "title: t\ncorrelation: [a]\n", 2, []string{"a list", "write a map"}},
		{"no such rule", head + "  type: temporal\n  rules: [nowhere]\n" + rest, 1, []string{"nowhere", "load the file"}},
		{"itself", "title: t\nname: me\ncorrelation:\n  type: temporal\n  rules: [me]\n" + rest, 1, []string{"me → me"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			col, errs := linked(t, c.text+base("a")+base("b")+base("alpha"))
			if len(errs) != 1 {
				t.Fatalf("%d errors, want one: %v", len(errs), errs)
			}
			if e := errs[0]; e.File != "test.yml" || e.Line != c.line {
				t.Errorf("%v; want line %d", e, c.line)
			}
			for _, w := range c.want {
				if !strings.Contains(errs[0].Text, w) {
					t.Errorf("%q does not say %q", errs[0].Text, w)
				}
			}
			if len(col.Correlations) != 0 || len(col.Rules) != 3 {
				t.Errorf("%d correlations and %d rules kept, want none and 3", len(col.Correlations), len(col.Rules))
			}
		})
	}
}

func TestCorrelationReferences(t *testing.T) {
	const two = "title: %\nname: %\ncorrelation: {type: temporal, rules: [#], timespan: 1m}\n---\n"
	cor := func(name, about string) string {
		return strings.NewReplacer("%", name, "#", about).Replace(two)
	}
	for _, c := range []struct {
		why, text  string
		kept, errs int
	}{
		{"by name, over another, in any order of documents", cor("x", "y") + cor("y", "a") + base("a"), 2, 0},
		{"a ring of two", cor("x", "y") + cor("y", "x") + base("a"), 0, 2},
		{"a ring, and one that speaks of it", cor("w", "x") + cor("x", "y") + cor("y", "x") + base("a"), 0, 3},
		{"one that speaks of one that fails", cor("x", "y") + cor("y", "gone") + base("a"), 0, 2},
		{"two rules of one name", cor("x", "a") + base("a") + base("a"), 0, 1},
		{"a diamond is no ring", cor("w", "x, y") + cor("x", "a") + cor("y", "a") + base("a"), 3, 0},
	} {
		t.Run(c.why, func(t *testing.T) {
			col, errs := linked(t, c.text)
			if len(col.Correlations) != c.kept || len(errs) != c.errs {
				t.Errorf("%d kept, errors %v; want %d and %d", len(col.Correlations), errs, c.kept, c.errs)
			}
			if again := col.link(); len(again) != 0 {
				t.Errorf("linked again: %v", again)
			}
		})
	}
}

func TestCorrelationPrefersItsOwnFile(t *testing.T) {
	all, errs := Load([]string{"two.yml", "one.yml"}, LoadOptions{FS: fstest.MapFS{
		"one.yml": {Data: []byte("title: c\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n" + base("a"))},
		"two.yml": {Data: []byte(base("a"))},
	}})
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	if got := all.Correlations[0].targets[0].rule.File; got != "one.yml" {
		t.Errorf("leads to the rule of %s, want that of its own file", got)
	}
}

func TestParseTimespan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "90m": 90 * time.Minute, "1h": time.Hour, "7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour,
		"1M": 2629746 * time.Second, "1y": 31556952 * time.Second,
		"": 0, "h": 0, "-1h": 0, "1.5h": 0, "1H": 0, "99999999999h": 0, "1 h": 0,
	} {
		got, err := ParseTimespan(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

// FuzzCorrelation: whatever a file says, it loads or is refused with words, and what loads runs.
func FuzzCorrelation(f *testing.F) {
	f.Add(chained + base("failed") + base("success"))
	for _, body := range append(immediate, later...) {
		f.Add(lawText(body, 2))
	}
	f.Add(correlationText("  type: temporal\n  rules: [a, b]\n  timespan: 1M\n  aliases: {x: {a: y}}\n  group-by: [x]\n  generate: true\n", "a", "b"))
	f.Fuzz(func(t *testing.T, text string) {
		c, errs := linked(t, text)
		for _, e := range errs {
			if e.Text == "" {
				t.Error("an error without words")
			}
		}
		r, err := NewCorrelator(c, CorrelatorOptions{MaxEventsPerGroup: 16})
		if err != nil {
			t.Fatalf("loaded and cannot run: %v", err)
		}
		ev := makeEvent("User=x", "V=1", "x=1")
		for i := range Ref(6) {
			for _, rule := range c.Rules {
				r.observe(r.uses[rule], ev, i, epoch.Add(time.Duration(i%4)*time.Second))
			}
		}
		r.Flush()
		if len(r.due) != 0 {
			t.Error("windows are open after Flush")
		}
	})
}
