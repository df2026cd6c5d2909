package sigma

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// seen is a match that the law's plain recomputation works on.
type seen struct {
	at    int // seconds
	rule  int
	user  string
	value int
}

// immediate and later are the bodies of correlations that are judged at once and when a window is over. %d is a
// threshold.
var (
	immediate = []string{
		"  type: event_count\n  condition: {gte: %d}\n",
		"  type: value_count\n  condition: {field: V, gte: %d}\n",
		"  type: value_sum\n  condition: {field: V, gt: %d}\n",
		"  type: temporal\n  condition: {gte: %d}\n",
		"  type: temporal\n  condition: a and (b or c)\n",
		"  type: temporal_ordered\n  condition: {gte: %d}\n",
		"  type: temporal_ordered\n  condition: a and c and not b\n",
	}
	later = []string{
		"  type: event_count\n  condition: {lte: %d}\n",
		"  type: value_count\n  condition: {field: V, eq: %d}\n",
		"  type: value_avg\n  condition: {field: V, gt: %d}\n",
		"  type: value_percentile\n  condition: {field: V, percentile: 50, gte: %d}\n",
		"  type: temporal\n  condition: {lt: %d}\n",
		"  type: temporal\n  condition: a and not b\n",
	}
)

const lawSpan = 5

var lawRules = []string{"a", "b", "c"}

func lawText(body string, threshold int) string {
	if strings.Contains(body, "%d") {
		body = fmt.Sprintf(body, threshold)
	}
	return correlationText(body+"  rules: [a, b, c]\n  group-by: [User]\n  timespan: 5s\n", lawRules...)
}

func drawSeen(t *rapid.T) []seen {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) seen {
		return seen{rapid.IntRange(0, 40).Draw(t, "at"), rapid.IntRange(0, 2).Draw(t, "rule"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "user"), rapid.IntRange(0, 4).Draw(t, "value")}
	}), 0, 40).Draw(t, "events")
}

// ordered puts the events in the order in which a log would hold them; of one second, by rule.
func ordered(list []seen) []seen {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b seen) int { return (a.at-b.at)*10 + a.rule - b.rule })
	return out
}

// plain judges a window by looking at all its events.
func plain(c *Correlation, w []seen) bool {
	values, rules, sum, nums := map[int]bool{}, map[int]bool{}, 0, []int{}
	for _, e := range w {
		values[e.value], rules[e.rule] = true, true
		sum += e.value
		nums = append(nums, e.value)
	}
	slices.Sort(nums)
	n := 0.0
	switch c.Type {
	case EventCount:
		n = float64(len(w))
	case ValueCount:
		n = float64(len(values))
	case ValueSum:
		n = float64(sum)
	case ValueAvg:
		n = float64(sum) / float64(len(w))
	case ValuePercentile:
		n = float64(nums[(len(nums)+1)/2-1])
	case Temporal:
		if c.Condition.Expression != "" {
			return rules[0] && (rules[1] || rules[2])
		}
		n = float64(len(rules))
	case TemporalOrdered:
		if c.Condition.Expression != "" {
			return plainBetween(w)
		}
		n = float64(longestRise(w))
	}
	return c.Condition.holds(n)
}

// plainBetween: an a, then a c, with no b from the one to the other.
func plainBetween(w []seen) bool {
	for i := range w {
		for j := i; j < len(w); j++ {
			if w[i].rule == 0 && w[j].rule == 2 && !slices.ContainsFunc(w[i:j+1], func(e seen) bool { return e.rule == 1 }) &&
				!slices.ContainsFunc(w[j:], func(e seen) bool { return e.rule == 1 }) {
				return true
			}
		}
	}
	return false
}

// longestRise is the greatest number of different rules that follow on each other in their order.
func longestRise(w []seen) int {
	best := 0
	for set := range 8 {
		var want []int
		for r := range 3 {
			if set&(1<<r) != 0 {
				want = append(want, r)
			}
		}
		i := 0
		for _, e := range w {
			if i < len(want) && e.rule == want[i] {
				i++
			}
		}
		if i == len(want) {
			best = max(best, i)
		}
	}
	return best
}

func ofUser(list []seen, user string) []seen {
	return slices.DeleteFunc(slices.Clone(list), func(e seen) bool { return e.user != user })
}

// anchors are the seconds at which a window that ends there satisfies the condition.
func anchors(c *Correlation, list []seen) []int {
	var out []int
	for i, e := range list {
		from := slices.IndexFunc(list, func(x seen) bool { return x.at >= e.at-lawSpan })
		if plain(c, list[from:i+1]) {
			out = append(out, e.at)
		}
	}
	return out
}

// judged are the matches of a run, per user, as seconds.
func judged(s *stage, list []seen) map[string][]int {
	var all []Correlated
	for _, e := range list {
		all = append(all, s.see(e.at, lawRules[e.rule], "User="+e.user, fmt.Sprintf("V=%d", e.value))...)
	}
	all = append(all, s.Flush()...)
	out := map[string][]int{}
	for _, m := range all {
		u := m.Group[0].Value
		out[u] = append(out[u], int(m.Time.Sub(epoch)/time.Second))
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// TestLawInOrder: over events in order, a correlation that is judged at once fires exactly where a recomputation over
// all events says, the first time and then not before a timespan is over.
func TestLawInOrder(t *testing.T) {
	for _, body := range immediate {
		t.Run(strings.ReplaceAll(body, "\n", ""), rapid.MakeCheck(func(t *rapid.T) {
			s := newStage(t, lawText(body, rapid.IntRange(1, 4).Draw(t, "threshold")), CorrelatorOptions{Grace: -1})
			list := ordered(drawSeen(t))
			got := judged(s, list)
			for _, u := range []string{"x", "y"} {
				var want []int
				for _, a := range anchors(s.plans[0].c, ofUser(list, u)) {
					if len(want) == 0 || a > want[len(want)-1]+lawSpan {
						want = append(want, a)
					}
				}
				if !slices.Equal(got[u], want) {
					t.Fatalf("user %s: fired at %v, want %v", u, got[u], want)
				}
			}
		}))
	}
}

// TestLawAnyOrder: in whatever order events come, every match is one by the recomputation, no two are within a timespan,
// and no window that satisfies the condition is without a match within a timespan of it.
func TestLawAnyOrder(t *testing.T) {
	for _, body := range immediate[:len(immediate)-1] { // an event that comes late can undo the last one's match
		t.Run(strings.ReplaceAll(body, "\n", ""), rapid.MakeCheck(func(t *rapid.T) {
			s := newStage(t, lawText(body, rapid.IntRange(1, 4).Draw(t, "threshold")), CorrelatorOptions{Grace: time.Minute})
			list := drawSeen(t)
			got := judged(s, list)
			for _, u := range []string{"x", "y"} {
				all := anchors(s.plans[0].c, ofUser(ordered(list), u))
				for i, a := range got[u] {
					if !slices.Contains(all, a) {
						t.Fatalf("user %s: fired at %d, which is none of %v", u, a, all)
					}
					if i > 0 && a-got[u][i-1] <= lawSpan {
						t.Fatalf("user %s: fired at %v, closer than the timespan", u, got[u])
					}
				}
				for _, a := range all {
					if !slices.ContainsFunc(got[u], func(g int) bool { return g-a <= lawSpan && a-g <= lawSpan }) {
						t.Fatalf("user %s: fired at %v, and not near %d", u, got[u], a)
					}
				}
			}
		}))
	}
}

// TestLawLater: what is judged when its window is over is what a recomputation says, in whatever order events come.
func TestLawLater(t *testing.T) {
	for _, body := range later {
		t.Run(strings.ReplaceAll(body, "\n", ""), rapid.MakeCheck(func(t *rapid.T) {
			s := newStage(t, lawText(body, rapid.IntRange(1, 4).Draw(t, "threshold")), CorrelatorOptions{Grace: Forever})
			list := drawSeen(t)
			got := judged(s, list)
			for _, u := range []string{"x", "y"} {
				mine := ofUser(ordered(list), u)
				want := windowsOf(s.plans[0].c, mine)
				if strings.Contains(body, "not b") {
					want = withoutB(mine)
				}
				if !slices.Equal(got[u], want) {
					t.Fatalf("user %s: fired at %v, want %v", u, got[u], want)
				}
			}
		}))
	}
}

// windowsOf cuts the events into windows that each begin with one, and judges each.
func windowsOf(c *Correlation, list []seen) []int {
	var out []int
	for len(list) > 0 {
		n := 0
		for n < len(list) && list[n].at <= list[0].at+lawSpan {
			n++
		}
		if plain(c, list[:n]) {
			out = append(out, list[n-1].at)
		}
		list = list[n:]
	}
	return out
}

// withoutB are the ends of the windows that begin with an a and have no b around.
func withoutB(list []seen) []int {
	var out []int
	last := -1000
	for _, e := range list {
		near := slices.ContainsFunc(list, func(x seen) bool { return x.rule == 1 && x.at >= e.at-lawSpan && x.at <= e.at+lawSpan })
		if e.rule != 0 || near || e.at-last <= lawSpan {
			continue
		}
		last = e.at
		end := e.at
		for _, x := range list {
			if x.at >= e.at && x.at <= e.at+lawSpan {
				end = max(end, x.at)
			}
		}
		out = append(out, end)
	}
	return out
}

func BenchmarkValueCount(b *testing.B) {
	s := newStage(b, "title: c\ncorrelation: {type: value_count, rules: [a], group-by: [User], timespan: 1h, condition: {field: V, gte: 1000000}}\n"+base("a"), CorrelatorOptions{})
	ev := makeEvent("User=x", "V=0")
	values := make([][]byte, 5000)
	for i := range values {
		values[i] = fmt.Appendf(nil, "value-%d", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ev.Fields[1].Value = values[i%len(values)]
		s.observe(s.uses[s.rules["a"]], ev, Ref(i), epoch.Add(time.Duration(i)*time.Millisecond))
	}
}

// BenchmarkLate gives events up to five seconds out of order to a group whose window is full and never fires: the
// dearest case.
func BenchmarkLate(b *testing.B) {
	for _, body := range immediate {
		b.Run(strings.Fields(body)[1], func(b *testing.B) {
			s := newStage(b, strings.Replace(lawText(body, 1_000_000), "5s", "1h", 1), CorrelatorOptions{})
			ev := makeEvent("User=x", "V=0")
			rule := s.uses[s.rules["b"]]
			for i := 0; b.Loop(); i++ {
				at := epoch.Add(time.Duration(i)*time.Millisecond - time.Duration(i*7919%5000)*time.Millisecond)
				s.observe(rule, ev, Ref(i), at)
			}
		})
	}
}
