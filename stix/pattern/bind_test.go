package pattern

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// moment is a time of the tests, in seconds.
func moment(s int) time.Time { return time.Unix(1_700_000_000+int64(s), 0).UTC() }

// observedOnce is an observation of an x with these values of a, from a first to a last second.
func observedOnce(first, last, number int, values ...int64) *Observed {
	o := &Observed{First: moment(first), Last: moment(last), Number: number}
	for _, v := range values {
		x := new(Object)
		x.Reset("x")
		x.Int([]Step{{Kind: Key, Key: "a"}}, v)
		o.Add(x)
	}
	return o
}

// slot is one of the times that an observation was made.
type slot struct{ at, nth int }

// bindings lists every binding of an observation expression, as the standard describes them one by one.
func bindings(o Observation, seen []*Observed) [][]slot {
	switch o := o.(type) {
	case *Single:
		var all [][]slot
		for i, one := range seen {
			if got, err := matchText((&Pattern{Root: o}).String(), []*Observed{one}); err == nil && got != nil {
				for n := range one.number() {
					all = append(all, []slot{{i, int(n)}})
				}
			}
		}
		return all
	case *Combination:
		all := bindings(o.Terms[0], seen)
		for _, term := range o.Terms[1:] {
			right := bindings(term, seen)
			if o.Op == ObservationOr {
				all = append(all, right...)
				continue
			}
			all = joined(all, right, func(a, b []slot) bool {
				return o.Op == ObservationAnd || !latestFirst(a, seen).After(earliestLast(b, seen))
			})
		}
		return all
	}
	q := o.(*Qualified)
	all := bindings(q.Of, seen)
	for _, one := range q.Qualifiers {
		switch one := one.(type) {
		case Within:
			seconds, _ := one.Seconds.Float()
			all = slices.DeleteFunc(all, func(b []slot) bool {
				return latestFirst(b, seen).Sub(earliestLast(b, seen)).Seconds() > seconds
			})
		case StartStop:
			start, _ := one.Start.Time()
			stop, _ := one.Stop.Time()
			all = slices.DeleteFunc(all, func(b []slot) bool {
				return !start.Before(stop) || slices.ContainsFunc(b, func(s slot) bool {
					return !seen[s.at].First.Before(stop) || seen[s.at].Last.Before(start)
				})
			})
		case Repeats:
			each := all
			for range one.Times - 1 {
				all = joined(all, each, func(a, b []slot) bool { return true })
			}
		}
	}
	return all
}

func joined(left, right [][]slot, may func(a, b []slot) bool) (all [][]slot) {
	for _, a := range left {
		for _, b := range right {
			if !slices.ContainsFunc(a, func(s slot) bool { return slices.Contains(b, s) }) && may(a, b) {
				all = append(all, slices.Concat(a, b))
			}
		}
	}
	return all
}

func latestFirst(b []slot, seen []*Observed) (t time.Time) {
	for _, s := range b {
		if seen[s.at].First.After(t) {
			t = seen[s.at].First
		}
	}
	return t
}

func earliestLast(b []slot, seen []*Observed) time.Time {
	t := seen[b[0].at].Last
	for _, s := range b {
		if seen[s.at].Last.Before(t) {
			t = seen[s.at].Last
		}
	}
	return t
}

// drawSmall draws a pattern whose bindings can be listed.
func drawSmall(t *rapid.T, depth int) Observation {
	shape := 0
	if depth > 0 {
		shape = rapid.IntRange(0, 4).Draw(t, "shape")
	}
	switch shape {
	case 1, 2:
		return &Combination{
			Op:    rapid.SampledFrom([]ObservationOp{FollowedBy, FollowedBy, ObservationOr, ObservationAnd}).Draw(t, "op"),
			Terms: []Observation{drawSmall(t, depth-1), drawSmall(t, depth-1)},
		}
	case 3, 4:
		second := func(label string) Literal {
			return Literal{Timestamp, moment(rapid.IntRange(-1, 9).Draw(t, label)).Format(time.RFC3339)}
		}
		return &Qualified{Of: drawSmall(t, depth-1), Qualifiers: []Qualifier{rapid.OneOf(
			rapid.Custom(func(t *rapid.T) Qualifier {
				return Within{rapid.SampledFrom([]Literal{{Int, "1"}, {Int, "3"}, {Float, "1.5"}}).Draw(t, "within")}
			}),
			rapid.Custom(func(t *rapid.T) Qualifier { return Repeats{rapid.IntRange(1, 3).Draw(t, "times")} }),
			rapid.Custom(func(t *rapid.T) Qualifier { return StartStop{second("start"), second("stop")} }),
		).Draw(t, "qualifier")}}
	}
	op := rapid.SampledFrom([]Op{Equal, LessOrEqual, NotEqual}).Draw(t, "comparison")
	return &Single{Test: &Comparison{Path: ObjectPath{"x", []Step{{Kind: Key, Key: "a"}}}, Op: op,
		Values: []Literal{{Int, fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "value"))}}}}
}

func drawSeen(t *rapid.T, most int) (seen []*Observed) {
	for range rapid.IntRange(0, most).Draw(t, "observations") {
		first := rapid.IntRange(0, 7).Draw(t, "first")
		seen = append(seen, observedOnce(first, first+rapid.SampledFrom([]int{0, 0, 0, 1, 4}).Draw(t, "length"),
			rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(t, "number"), rapid.SliceOfN(rapid.Int64Range(0, 3), 1, 2).Draw(t, "values")...))
	}
	return seen
}

// TestMatchFindsWhatExists is the law of the search: it finds a binding exactly when listing them all finds one, and
// what it names is made of observations of such a one.
func TestMatchFindsWhatExists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 40 {
			checkMatch(t, &Pattern{Root: drawSmall(t, 3)}, drawSeen(t, 4))
		}
	})
}

func checkMatch(t *rapid.T, p *Pattern, seen []*Observed) {
	if places(p.Root) > 6 {
		return // too many bindings to list
	}
	m, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Match(seen)
	if err != nil {
		t.Fatalf("%s: %v", p, err)
	}
	all := bindings(p.Root, seen)
	if (got != nil) != (len(all) > 0) {
		t.Fatalf("%s: got %v, but there are %d bindings", p, got, len(all))
	}
	if got != nil && !slices.ContainsFunc(all, func(b []slot) bool { return slices.Equal(used(b), got) }) {
		t.Fatalf("%s: %v is no binding; %v are", p, got, all)
	}
}

func used(b []slot) (at []int) {
	for _, s := range b {
		at = append(at, s.at)
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// places is how many observations a binding takes at most.
func places(o Observation) int {
	switch o := o.(type) {
	case *Combination:
		n := 0
		for _, t := range o.Terms {
			n += places(t)
		}
		return n
	case *Qualified:
		n := places(o.Of)
		for _, q := range o.Qualifiers {
			if r, ok := q.(Repeats); ok {
				n *= r.Times
			}
		}
		return n
	}
	return 1
}

// TestBindings: which observations are named.
func TestBindings(t *testing.T) {
	seen := []*Observed{
		observedOnce(9, 9, 1, 2), observedOnce(1, 1, 2, 1), observedOnce(2, 2, 1, 1, 2), observedOnce(3, 3, 1, 2), observedOnce(4, 4, 1, 3),
	}
	for _, c := range []struct {
		in   string
		want []int
		why  string
	}{
		{"[x:a = 2]", []int{0}, "the smallest index"},
		{"[x:a = 9]", nil, "none"},
		{"[x:a = 1] FOLLOWEDBY [x:a = 2]", []int{0, 1}, "the index counts, not the time"},
		{"[x:a = 3] FOLLOWEDBY [x:a = 2]", []int{0, 4}, "a later one"},
		{"[x:a = 1] FOLLOWEDBY [x:a = 1]", []int{1}, "one that was made twice"},
		{"[x:a = 1] AND [x:a = 1] AND [x:a = 1]", []int{1, 2}, "one twice and another"},
		{"[x:a = 1] REPEATS 3 TIMES", []int{1, 2}, "the same by REPEATS"},
		{"[x:a = 1] REPEATS 4 TIMES", nil, "too few"},
		{"[x:a = 1] REPEATS 2147483647 TIMES REPEATS 2147483647 TIMES", nil, "far too few"},
		{"([x:a = 1] AND [x:a = 2]) WITHIN 1 SECONDS", []int{1, 2}, "the first pair that is near enough"},
		{"([x:a = 2] AND [x:a = 1] AND [x:a = 3]) WITHIN 2 SECONDS", []int{2, 3, 4}, "one observation cannot stand in two places"},
		{"[x:a = 9] OR ([x:a = 3] AND [x:a = 2])", []int{0, 4}, "the other branch"},
		{"[x:a = 2] START t'2023-11-14T22:13:23Z' STOP t'2023-11-14T22:13:29Z'", []int{3}, "from 3 to before 9"},
		{"[x:a = 3] START t'2023-11-14T22:13:25Z' STOP t'2023-11-14T22:13:23Z'", nil, "stop before start"},
		{"([x:a = 1] FOLLOWEDBY [x:a = 2] FOLLOWEDBY [x:a = 3]) WITHIN 1.5 SECONDS", nil, "all of a chain"},
		{"([x:a = 1] FOLLOWEDBY [x:a = 2] FOLLOWEDBY [x:a = 3]) WITHIN 3 SECONDS", []int{1, 2, 4}, "the first chain"},
		{"([x:a = 1] FOLLOWEDBY [x:a = 2]) REPEATS 2 TIMES", []int{0, 1, 2}, "a pair twice"},
		{"([x:a = 1] FOLLOWEDBY [x:a = 2]) REPEATS 3 TIMES", nil, "but not thrice: the third 1 is the third 2"},
	} {
		if got, err := matchText(c.in, seen); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %s bound %v, %v, want %v", c.why, c.in, got, err, c.want)
		}
	}
}

// TestAdversarial: patterns whose bindings grow as N!, or exponentially, are decided or given up in bounded time.
func TestAdversarial(t *testing.T) {
	var same, apart []*Observed
	for i := range 2000 {
		same = append(same, observedOnce(i%7, i%7, 1, 1))
		apart = append(apart, observedOnce(i, i, 1, int64(i%2)))
	}
	huge := []*Observed{observedOnce(0, 0, 999_999_999, 1), observedOnce(0, 0, 999_999_999, 1)}
	many := func(one, op string, n int) string {
		return strings.TrimSuffix(strings.Repeat(one+" "+op+" ", n), " "+op+" ")
	}
	for _, c := range []struct {
		name, in string
		seen     []*Observed
		want     bool
	}{
		{"AND of one more than there are", many("[x:a = 1]", "AND", 60), same[:59], false},
		{"AND of as many as there are", many("[x:a = 1]", "AND", 60), same[:60], true},
		{"REPEATS of one more", "[x:a = 1] REPEATS 2001 TIMES", same, false},
		{"REPEATS of pairs", "([x:a = 1] AND [x:a != 1]) REPEATS 1001 TIMES", apart, false},
		{"number_observed", "[x:a = 1] REPEATS 1999999999 TIMES", huge, false},
		{"number_observed that is enough", "[x:a = 1] REPEATS 1999999998 TIMES", huge, true},
		{"the pair that is never near", "([x:a = 0] AND [x:a = 0]) WITHIN 1 SECONDS", apart, false},
		{"a long chain", "(" + many("[x:a = 1]", "FOLLOWEDBY", 20) + ") WITHIN 30 SECONDS", apart, false},
		{"a long chain that is there", "(" + many("[x:a = 1]", "FOLLOWEDBY", 20) + ") WITHIN 40 SECONDS", apart, true},
		{"pairs again and again", "([x:a = 0] FOLLOWEDBY [x:a = 1]) REPEATS 40 TIMES WITHIN 90 SECONDS", apart, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			got, err := matchText(c.in, c.seen)
			if err != nil || (got != nil) != c.want {
				t.Errorf("%d bound, %v, want a match: %v", len(got), err, c.want)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestTooMuchWork: what cannot be decided within the bound is an error, not an endless search.
func TestTooMuchWork(t *testing.T) {
	var seen []*Observed
	for i := range 300 {
		seen = append(seen, observedOnce(i, i+200, 1, int64(i%5)))
	}
	// Four windows over intervals that all overlap, and a fifth that never holds: each choice of the others is tried.
	pair := "(([x:a = %d] FOLLOWEDBY [x:a = %d]) WITHIN 1 SECONDS)"
	var terms []string
	for i := range 4 {
		terms = append(terms, fmt.Sprintf(pair, i, (i+1)%5))
	}
	in := strings.Join(terms, " AND ") + " AND (([x:a = 0] REPEATS 61 TIMES) OR ([x:a = 9] AND [x:a = 8]))"
	began := time.Now()
	if got, err := matchText(in, seen); got != nil || !errors.Is(err, ErrTooMuchWork) && err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	// References in a ring, followed by a path that doubles with every step.
	ring := `{"type":"observed-data","first_observed":"2024-01-01T00:00:00Z","last_observed":"2024-01-01T00:00:00Z","objects":{` +
		`"0":{"type":"x","k_refs":["0","1"]},"1":{"type":"x","k_refs":["0","1"]}}}`
	data, err := ReadObserved(strings.NewReader(ring), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := matchText("[x:"+strings.Repeat("k_refs[*].", 60)+"v = 1]", data); !errors.Is(err, ErrTooMuchWork) {
		t.Errorf("a path that doubles: %v", err)
	}
	// An expression of many instructions over a long text.
	x := new(Object)
	x.Reset("x")
	x.Text([]Step{{Kind: Key, Key: "a"}}, strings.Repeat("a", 1<<20))
	o := new(Observed)
	o.Add(x)
	if _, err := matchText("[x:a MATCHES '(a?){500}[bc]']", []*Observed{o}); !errors.Is(err, ErrTooMuchWork) {
		t.Errorf("an expression over a long text: %v", err)
	}
	if _, err := matchText("[x:a LIKE '"+strings.Repeat("%a_", 5000)+"b']", []*Observed{o}); !errors.Is(err, ErrTooMuchWork) {
		t.Errorf("wildcards over a long text: %v", err)
	}
}
