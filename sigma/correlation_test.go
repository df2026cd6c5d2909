package sigma

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/event"
)

// base is a rule document by this name; what it detects plays no part where matches are given by hand.
func base(name string) string {
	return fmt.Sprintf("---\ntitle: base %s\nname: %s\nlogsource: {product: windows}\ndetection: {s: {A: 1}, condition: s}\n", name, name)
}

// tester is what the tests' own helpers need of a test, rapid's too.
type tester interface {
	Helper()
	Fatal(args ...any)
}

// linked is a collection of these documents, with references resolved.
func linked(t tester, text string) (*Collection, []*Error) {
	t.Helper()
	return Parse([]byte(text), "test.yml", LoadOptions{})
}

// stage is a correlator and the rules by name, for tests that give matches by hand.
type stage struct {
	*Correlator
	rules map[string]*Rule
	n     Ref
}

var epoch = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newStage(t tester, text string, o CorrelatorOptions) *stage {
	t.Helper()
	c, errs := linked(t, text)
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	r, err := NewCorrelator(c, o)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{Correlator: r, rules: map[string]*Rule{}}
	for _, rule := range c.Rules {
		s.rules[rule.Name] = rule
	}
	return s
}

// see gives a match of a rule at a second, with fields "User=ann".
func (s *stage) see(second int, rule string, fields ...string) []Correlated {
	s.n++
	return s.seeAs(s.n, second, rule, fields...)
}

func (s *stage) seeAs(ref Ref, second int, rule string, fields ...string) []Correlated {
	return s.observe(s.uses[s.rules[rule]], makeEvent(fields...), ref, epoch.Add(time.Duration(second)*time.Second))
}

func makeEvent(fields ...string) *event.Event {
	e := &event.Event{}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		e.Fields = append(e.Fields, event.Field{Name: event.Intern(k), Value: []byte(v)})
	}
	return e
}

// told is a match in short: its second, its references.
func told(list []Correlated) string {
	var out []string
	for _, c := range list {
		out = append(out, fmt.Sprintf("%d:%v", int(c.Time.Sub(epoch).Seconds()), c.Refs))
	}
	return strings.Join(out, " ")
}

// step is one match given to a correlator.
type step struct {
	second int
	rule   string
	fields string
}

func correlationText(body string, rules ...string) string {
	text := "title: c\nid: c1\ncorrelation:\n" + body
	for _, r := range rules {
		text += base(r)
	}
	return text
}

// ofUserMinute is what most of these correlations share.
const ofUserMinute = "  group-by: [User]\n  timespan: 1m\n"

var correlationCases = []struct {
	why, body string
	steps     []step
	want      string
}{
	{"three in a minute", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {gte: 3}\n",
		[]step{{0, "a", "User=x"}, {10, "a", "User=x"}, {60, "a", "User=x"}}, "60:[1 2 3]"},
	{"the third a second too late", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {gte: 3}\n",
		[]step{{0, "a", "User=x"}, {10, "a", "User=x"}, {61, "a", "User=x"}}, ""},
	{"gt 2 is three", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {gt: 2}\n",
		[]step{{0, "a", "User=x"}, {10, "a", "User=x"}, {20, "a", "User=x"}}, "20:[1 2 3]"},
	{"another user is another group", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {gte: 2}\n",
		[]step{{0, "a", "User=x"}, {1, "a", "User=y"}}, ""},
	{"case of a group value does not count", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {gte: 2}\n",
		[]step{{0, "a", "User=Ann"}, {1, "a", "User=ANN"}}, "1:[1 2]"},
	{"an event without the group-by field takes no part", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {gte: 2}\n",
		[]step{{0, "a", "User=x"}, {1, "a", "Other=x"}}, ""},
	{"no group-by: all events are one group", "  type: event_count\n  rules: [a]\n  timespan: 1m\n  condition: {gte: 2}\n",
		[]step{{0, "a", "User=x"}, {1, "a", "User=y"}}, "1:[1 2]"},
	{"a storm is one match a timespan", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {gte: 2}\n",
		[]step{{0, "a", "User=x"}, {1, "a", "User=x"}, {2, "a", "User=x"}, {61, "a", "User=x"}, {62, "a", "User=x"}, {63, "a", "User=x"}}, "1:[1 2] 62:[3 4 5]"},
	{"an exact count is judged when the window is over", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {eq: 2}\n",
		[]step{{0, "a", "User=x"}, {1, "a", "User=x"}, {0, "a", "User=y"}, {1, "a", "User=y"}, {2, "a", "User=y"}}, "1:[1 2]"},
	{"fewer than two", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {lt: 2}\n",
		[]step{{0, "a", "User=x"}, {0, "a", "User=y"}, {1, "a", "User=y"}, {90, "a", "User=y"}}, "0:[1] 90:[4]"},
	{"a range", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {gt: 1, lte: 2}\n",
		[]step{{0, "a", "User=x"}, {1, "a", "User=x"}, {0, "a", "User=y"}, {1, "a", "User=y"}, {2, "a", "User=y"}}, "1:[1 2]"},
	{"not two", "  type: event_count\n  rules: [a]\n" + ofUserMinute + "  condition: {neq: 2}\n",
		[]step{{0, "a", "User=x"}, {1, "a", "User=x"}, {0, "a", "User=y"}}, "0:[3]"},
	{"two values, not two events", "  type: value_count\n  rules: [a]\n" + ofUserMinute + "  condition: {field: Host, gte: 2}\n",
		[]step{{0, "a", "User=x Host=1"}, {1, "a", "User=x Host=1"}, {2, "a", "User=x Host=2"}}, "2:[2 3]"},
	{"a value that left the window no longer counts", "  type: value_count\n  rules: [a]\n" + ofUserMinute + "  condition: {field: Host, gte: 2}\n",
		[]step{{0, "a", "User=x Host=1"}, {61, "a", "User=x Host=2"}}, ""},
	{"of two fields the pair counts", "  type: value_count\n  rules: [a]\n" + ofUserMinute + "  condition: {field: [Host, Port], gte: 3}\n",
		[]step{{0, "a", "User=x Host=1 Port=1"}, {1, "a", "User=x Host=1 Port=2"}, {2, "a", "User=x Host=2 Port=1"}}, "2:[1 2 3]"},
	{"both kinds, in any order", "  type: temporal\n  rules: [a, b]\n" + ofUserMinute,
		[]step{{0, "b", "User=x"}, {5, "b", "User=x"}, {9, "a", "User=x"}}, "9:[2 3]"},
	{"two of three kinds", "  type: temporal\n  rules: [a, b, c]\n" + ofUserMinute + "  condition: {gte: 2}\n",
		[]step{{0, "b", "User=x"}, {5, "b", "User=x"}, {9, "c", "User=x"}}, "9:[2 3]"},
	{"in order", "  type: temporal_ordered\n  rules: [a, b]\n" + ofUserMinute,
		[]step{{0, "b", "User=x"}, {5, "a", "User=x"}, {9, "b", "User=x"}}, "9:[2 3]"},
	{"the wrong order", "  type: temporal_ordered\n  rules: [a, b]\n" + ofUserMinute,
		[]step{{0, "b", "User=x"}, {5, "a", "User=x"}}, ""},
	{"the same second is in order, whichever is read first", "  type: temporal_ordered\n  rules: [a, b]\n" + ofUserMinute,
		[]step{{5, "b", "User=x"}, {5, "a", "User=x"}}, "5:[2 1]"},
	{"the order within the timespan", "  type: temporal_ordered\n  rules: [a, b, c]\n" + ofUserMinute,
		[]step{{0, "a", "User=x"}, {50, "b", "User=x"}, {61, "c", "User=x"}}, ""},
	{"an earlier start is replaced by a later one", "  type: temporal_ordered\n  rules: [a, b, c]\n" + ofUserMinute,
		[]step{{0, "a", "User=x"}, {40, "a", "User=x"}, {50, "b", "User=x"}, {90, "c", "User=x"}}, "90:[2 3 4]"},
	{"ordered: two of three", "  type: temporal_ordered\n  rules: [a, b, c]\n" + ofUserMinute + "  condition: {gte: 2}\n",
		[]step{{0, "c", "User=x"}, {1, "a", "User=x"}, {2, "c", "User=x"}}, "2:[2 3]"},
	{"ordered, with none of b between", "  type: temporal_ordered\n  rules: [a, b, c]\n" + ofUserMinute + "  condition: a and not b and c\n",
		[]step{{0, "a", "User=x"}, {1, "b", "User=x"}, {2, "c", "User=x"}, {3, "a", "User=x"}, {4, "c", "User=x"}}, "4:[4 5]"},
	{"a and either", "  type: temporal\n  rules: [a, b, c]\n" + ofUserMinute + "  condition: a and (b or c)\n",
		[]step{{0, "b", "User=x"}, {1, "c", "User=x"}, {2, "a", "User=x"}}, "2:[1 2 3]"},
	{"a without b: b comes after", "  type: temporal\n  rules: [a, b]\n" + ofUserMinute + "  condition: a and not b\n",
		[]step{{0, "a", "User=x"}, {59, "b", "User=x"}}, ""},
	{"a without b: b came before", "  type: temporal\n  rules: [a, b]\n" + ofUserMinute + "  condition: a and not b\n",
		[]step{{0, "b", "User=x"}, {59, "a", "User=x"}}, ""},
	{"a without b: b is too far", "  type: temporal\n  rules: [a, b]\n" + ofUserMinute + "  condition: a AND NOT b\n",
		[]step{{0, "b", "User=x"}, {61, "a", "User=x"}, {122, "b", "User=x"}}, "61:[2]"},
	{"a sum", "  type: value_sum\n  rules: [a]\n" + ofUserMinute + "  condition: {field: Bytes, gt: 100}\n",
		[]step{{0, "a", "User=x Bytes=60"}, {1, "a", "User=x Bytes=40"}, {2, "a", "User=x Bytes=0.5"}}, "2:[1 2 3]"},
	{"a sum leaves out what is no number", "  type: value_sum\n  rules: [a]\n" + ofUserMinute + "  condition: {field: Bytes, gt: 100}\n",
		[]step{{0, "a", "User=x Bytes=-"}, {1, "a", "User=x Bytes=NaN"}, {2, "a", "User=x Bytes=101"}}, "2:[3]"},
	{"a mean over the whole window, not at its first event", "  type: value_avg\n  rules: [a]\n" + ofUserMinute + "  condition: {field: Bytes, gt: 50}\n",
		[]step{{0, "a", "User=x Bytes=90"}, {1, "a", "User=x Bytes=1"}, {0, "a", "User=y Bytes=1"}, {1, "a", "User=y Bytes=101"}}, "1:[3 4]"},
	{"the median", "  type: value_percentile\n  rules: [a]\n" + ofUserMinute + "  condition: {field: Bytes, percentile: 50, gte: 10}\n",
		[]step{{0, "a", "User=x Bytes=1"}, {1, "a", "User=x Bytes=10"}, {2, "a", "User=x Bytes=99"}, {0, "a", "User=y Bytes=9"}, {1, "a", "User=y Bytes=9"}, {2, "a", "User=y Bytes=99"}}, "2:[1 2 3]"},
	{"a value of at most a quarter of all", "  type: value_percentile\n  rules: [a]\n" + ofUserMinute + "  condition: {field: Image, lte: 25}\n",
		[]step{{0, "a", "User=x Image=w"}, {1, "a", "User=x Image=w"}, {2, "a", "User=x Image=odd"}, {3, "a", "User=x Image=w"}}, "3:[3]"},
}

func TestCorrelationTypes(t *testing.T) {
	for _, c := range correlationCases {
		t.Run(c.why, func(t *testing.T) {
			s := newStage(t, correlationText(c.body, "a", "b", "c"), CorrelatorOptions{})
			var got []Correlated
			for _, st := range c.steps {
				got = append(got, s.see(st.second, st.rule, strings.Fields(st.fields)...)...)
			}
			if got = append(got, s.Flush()...); told(got) != c.want {
				t.Errorf("got %q, want %q", told(got), c.want)
			}
		})
	}
}

func TestCorrelationMatch(t *testing.T) {
	s := newStage(t, correlationText("  type: event_count\n  rules: [a]\n  group-by: [User, Host]\n  timespan: 1h\n  condition: {gte: 2}\n", "a"), CorrelatorOptions{})
	s.see(5, "a", "User=Ann", "Host=pc1")
	got := s.see(7, "a", "User=ann", "Host=PC1")
	if len(got) != 1 {
		t.Fatalf("%d matches, want 1", len(got))
	}
	m := got[0]
	want := []GroupValue{{"User", "Ann"}, {"Host", "pc1"}}
	if !slices.Equal(m.Group, want) || m.Events != 2 || m.Number != 2 || m.Correlation.ID != "c1" {
		t.Errorf("got %+v, want group %v of 2 events", m, want)
	}
	if m.From != epoch.Add(5*time.Second) || m.Time != epoch.Add(7*time.Second) {
		t.Errorf("from %v to %v, want seconds 5 to 7", m.From, m.Time)
	}
}

func TestCorrelationAliases(t *testing.T) {
	s := newStage(t, correlationText(`  type: temporal
  rules: [a, b]
  group-by: [inside]
  timespan: 10s
  aliases:
    inside: {a: dst, b: src}
`, "a", "b"), CorrelatorOptions{})
	s.see(0, "a", "src=1", "dst=2")
	if got := s.see(1, "b", "src=1", "dst=2"); got != nil {
		t.Errorf("the same field names matched: %s; the alias names others", told(got))
	}
	if got := s.see(2, "b", "src=2", "dst=9"); told(got) != "2:[1 3]" {
		t.Errorf("got %q, want the address that was destination and is source now", told(got))
	}
}

// chained is the classic: many failures, then a success, of one user.
const chained = `title: broken in
id: outer
correlation:
  type: temporal_ordered
  rules: [many_failed, success]
  group-by: [User]
  timespan: 10m
---
title: many failed
name: many_failed
correlation:
  type: event_count
  rules: [failed]
  group-by: [Computer]
  timespan: 5m
  condition: {gte: 3}
`

func TestCorrelationOverCorrelation(t *testing.T) {
	s := newStage(t, chained+base("failed")+base("success"), CorrelatorOptions{})
	for i := range 3 {
		if got := s.see(i, "failed", "Computer=pc", "User=ann"); got != nil {
			t.Errorf("the inner correlation alerted by itself: %s; the outer does not say generate", told(got))
		}
	}
	if got := s.see(5, "success", "Computer=other", "User=bob"); got != nil {
		t.Errorf("another user matched: %s", told(got))
	}
	got := s.see(6, "success", "Computer=other", "User=ann")
	if told(got) != "6:[1 2 3 5]" || got[0].Correlation.ID != "outer" {
		t.Errorf("got %s, want the failures and the success of the user, whom the inner one does not group by", told(got))
	}
}

func TestCorrelationGenerate(t *testing.T) {
	for text, generate := range map[string]bool{
		chained: false,
		strings.Replace(chained, "  timespan: 10m\n", "  timespan: 10m\n  generate: false\n", 1): false,
		strings.Replace(chained, "  timespan: 10m\n", "  timespan: 10m\n  generate: true\n", 1):  true,
		strings.Replace(chained, "id: outer\n", "id: outer\ngenerate: true\n", 1):                true,
	} {
		s := newStage(t, text+base("failed")+base("success")+base("free"), CorrelatorOptions{})
		for _, c := range []struct {
			rule string
			want bool
		}{{"failed", false}, {"success", generate}, {"free", true}} {
			if got := s.Alone(s.rules[c.rule]); got != c.want {
				t.Errorf("generate %v: %s stands alone: %v, want %v", generate, c.rule, got, c.want)
			}
		}
		s.see(0, "failed", "Computer=pc", "User=ann")
		s.see(1, "failed", "Computer=pc", "User=ann")
		if got := s.see(2, "failed", "Computer=pc", "User=ann"); (len(got) == 1) != generate {
			t.Errorf("generate %v: the inner correlation fired %d times", generate, len(got))
		}
	}
}

func TestCorrelationOneEventTwoRules(t *testing.T) {
	s := newStage(t, correlationText("  type: event_count\n  rules: [a, b]\n  timespan: 1m\n  condition: {gte: 2}\n", "a", "b"), CorrelatorOptions{})
	s.seeAs(7, 0, "a")
	if got := s.seeAs(7, 0, "b"); got != nil {
		t.Errorf("one event that two rules match was counted twice: %s", told(got))
	}
	if got := s.seeAs(8, 0, "b"); told(got) != "0:[7 8]" {
		t.Errorf("got %q, want both events", told(got))
	}
}

func TestCorrelationOutOfOrder(t *testing.T) {
	body := "  type: event_count\n  rules: [a]\n  timespan: 1m\n  condition: {gte: 3}\n"
	s := newStage(t, correlationText(body, "a"), CorrelatorOptions{Grace: time.Minute})
	s.see(100, "a")
	s.see(60, "a")
	if got := s.see(50, "a"); told(got) != "100:[3 2 1]" {
		t.Errorf("got %q, want the late ones in their place", told(got))
	}
	s.see(1000, "a")
	s.see(1000-121, "a")
	if d := s.Dropped(); d.Late != 1 {
		t.Errorf("%d events too late, want the one beyond timespan and grace", d.Late)
	}
	none := newStage(t, correlationText(body, "a"), CorrelatorOptions{Grace: -1})
	none.see(100, "a")
	none.see(39, "a")
	if d := none.Dropped(); d.Late != 1 {
		t.Errorf("without grace %d events too late, want 1", d.Late)
	}
}

func TestCorrelationOneFileAfterTheOther(t *testing.T) {
	s := newStage(t, correlationText("  type: temporal\n  rules: [a, b]\n  group-by: [User]\n  timespan: 1m\n", "a", "b"), CorrelatorOptions{Grace: Forever})
	for i := range 10 {
		s.see(i*86400, "a", "User=x")
	}
	var got []Correlated
	for i := range 10 {
		got = append(got, s.see(i*86400+30, "b", "User=x")...)
	}
	if len(got) != 10 {
		t.Errorf("%d matches, want one a day though the second log begins where the first began", len(got))
	}
}

func TestCorrelationWindowsCloseByTime(t *testing.T) {
	s := newStage(t, correlationText("  type: event_count\n  rules: [a]\n  timespan: 1m\n  condition: {lte: 1}\n", "a", "b"), CorrelatorOptions{Grace: time.Minute})
	s.see(0, "a")
	if got := s.Advance(epoch.Add(2 * time.Minute)); got != nil {
		t.Errorf("judged at two minutes: %s; an event of the window may still come", told(got))
	}
	if got := s.Advance(epoch.Add(2*time.Minute + time.Second)); told(got) != "0:[1]" {
		t.Errorf("got %q when timespan and grace are over", told(got))
	}
	if got := s.Flush(); got != nil {
		t.Errorf("judged twice: %s", told(got))
	}
}

func TestCorrelationNoTime(t *testing.T) {
	s := newStage(t, correlationText("  type: event_count\n  rules: [a]\n  timespan: 1m\n  condition: {gte: 2}\n", "a"), CorrelatorOptions{})
	s.see(30, "a")
	if got := s.observe(s.uses[s.rules["a"]], makeEvent(), 9, time.Time{}); told(got) != "30:[1 9]" {
		t.Errorf("got %q; an event without a time is as late as the newest before", told(got))
	}
	if d := s.Dropped(); d.Timeless != 1 {
		t.Errorf("%d events without time counted, want 1", d.Timeless)
	}
}

func TestCorrelatorBounds(t *testing.T) {
	text := correlationText("  type: event_count\n  rules: [a]\n  group-by: [User]\n  timespan: 1h\n  condition: {gte: 50}\n", "a")
	s := newStage(t, text, CorrelatorOptions{MaxGroups: 10, MaxEventsPerGroup: 20, MaxEvents: 100})
	for i := range 1000 {
		s.see(i%100, "a", fmt.Sprintf("User=%d", i))
	}
	if groups, events := s.Size(); groups > 10 || events > 10 {
		t.Errorf("%d groups of %d events, want at most 10", groups, events)
	}
	if d := s.Dropped(); d.Groups != 990 || d.Events != 990 {
		t.Errorf("dropped %+v, want 990 groups of an event", d)
	}
	for i := range 49 {
		s.see(200+i, "a", "User=slow")
	}
	if got := s.see(260, "a", "User=slow"); len(got) != 1 {
		t.Error("a group may hold what its threshold needs, though MaxEventsPerGroup is less")
	}
	for i := range 1000 {
		s.see(300+i, "a", fmt.Sprintf("User=%d", i%5))
	}
	if _, events := s.Size(); events > 100 {
		t.Errorf("%d events remembered, want at most 100", events)
	}
	total := 0
	for _, p := range s.plans {
		for _, g := range p.groups {
			total += len(g.ev)
		}
	}
	if total != s.events {
		t.Errorf("%d events counted, %d there", s.events, total)
	}
}

func TestCorrelatorForgetsWhatTimePassed(t *testing.T) {
	text := correlationText("  type: event_count\n  rules: [a]\n  group-by: [User]\n  timespan: 1m\n  condition: {gte: 50}\n", "a")
	s := newStage(t, text, CorrelatorOptions{Grace: time.Minute})
	for i := range 10_000 {
		s.see(i, "a", fmt.Sprintf("User=%d", i))
	}
	if groups, _ := s.Size(); groups > 200 {
		t.Errorf("%d groups remembered, want those of the last three minutes", groups)
	}
	if d := s.Dropped(); d != (Dropped{}) {
		t.Errorf("dropped %+v, want nothing: no event to come can reach them", d)
	}
}

func TestCorrelatorHorizon(t *testing.T) {
	s := newStage(t, chained+base("failed")+base("success"), CorrelatorOptions{Grace: time.Minute})
	if !s.Horizon().IsZero() {
		t.Error("a horizon before the first event")
	}
	s.see(0, "failed", "Computer=pc", "User=ann")
	if h := s.Horizon(); h.After(epoch.Add(-15*time.Minute)) || h.Before(epoch.Add(-time.Hour)) {
		t.Errorf("horizon %v; an event of the inner window matters to the outer one's", h)
	}
}

func TestCorrelatorSurvivesManyEvidence(t *testing.T) {
	s := newStage(t, correlationText("  type: event_count\n  rules: [a]\n  timespan: 1h\n  condition: {gte: 100}\n", "a"), CorrelatorOptions{})
	var got []Correlated
	for i := range 100 {
		got = append(got, s.see(i, "a")...)
	}
	if len(got) != 1 || len(got[0].Refs) != MaxRefs || got[0].Events != 100 || got[0].Refs[MaxRefs-1] != 100 {
		t.Fatalf("got %+v, want one match of 100 events that names the last %d", got, MaxRefs)
	}
	if d := s.Dropped(); d.Evidence != 80 {
		t.Errorf("%d not named, want 80", d.Evidence)
	}
}

func TestCorrelatorRemembers(t *testing.T) {
	text := strings.Replace(chained, "  timespan: 5m\n", "  timespan: 5m\n  generate: true\n", 1)
	text = strings.Replace(text, "  timespan: 10m\n", "  timespan: 10m\n  generate: true\n", 1)
	text = strings.Replace(text, "title: many failed\n", "title: many failed\nid: inner\n", 1) + base("failed") + base("success")
	replay := func(s *stage) (ids []string) {
		var got []Correlated
		for i := range 3 {
			got = append(got, s.see(i, "failed", "Computer=pc", "User=ann")...)
		}
		for _, m := range append(got, s.see(6, "success", "User=ann")...) {
			ids = append(ids, m.Correlation.ID)
		}
		return ids
	}
	if got := replay(newStage(t, text, CorrelatorOptions{})); !slices.Equal(got, []string{"inner", "outer"}) {
		t.Fatalf("the first time %v fired", got)
	}
	s := newStage(t, text, CorrelatorOptions{})
	if !s.Remember("inner", []GroupValue{{"Computer", "PC"}}, epoch.Add(2*time.Second)) {
		t.Fatal("the correlation is not known")
	}
	if s.Remember("nobody", nil, epoch) || s.Remember("inner", nil, epoch) {
		t.Error("remembered what is not there")
	}
	if got := replay(s); !slices.Equal(got, []string{"outer"}) {
		t.Errorf("%v fired; the inner one was told before, the outer one is about it all the same", got)
	}
	for i := range 3 {
		if got := s.see(400+i, "failed", "Computer=pc", "User=ann"); (len(got) == 1) != (i == 2) {
			t.Errorf("a timespan later, event %d: %s", i, told(got))
		}
	}
}

func TestCorrelationWrongClock(t *testing.T) {
	text := correlationText("  type: event_count\n  rules: [a]\n  group-by: [User]\n  timespan: 1m\n  condition: {lte: 1}\n", "a")
	now := epoch
	s := newStage(t, text, CorrelatorOptions{Grace: time.Minute, Now: func() time.Time { return now }})
	if got := s.see(400*86400, "a", "User=odd"); got != nil {
		t.Fatalf("an event of next year closed windows: %s", told(got))
	}
	s.see(0, "a", "User=x")
	now = now.Add(time.Hour)
	if got := s.Advance(now); len(got) != 2 {
		t.Errorf("%d windows were over after an hour, want both though one clock is a year ahead", len(got))
	}
	if d := s.Dropped(); d.Ahead != 1 || d.Late != 0 {
		t.Errorf("dropped %+v, want one ahead of its time", d)
	}
}
