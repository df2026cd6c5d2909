package pattern

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestStreamEqualsMatch is the law of the stream: an observation completes a binding exactly when the observations
// that are retained, with it, hold one that it is part of.
func TestStreamEqualsMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			p := &Pattern{Root: drawSmall(t, 2)}
			if places(p.Root) > 5 {
				continue // too many bindings to list
			}
			m, err := Compile(p)
			if err != nil {
				t.Fatal(err)
			}
			s := NewStream(m, StreamOptions{Window: 4 * time.Second, MaxRetained: 4})
			for i, o := range drawSeen(t, 8) {
				checkAdd(t, p, s, o, i)
			}
		}
	})
}

func checkAdd(t *rapid.T, p *Pattern, s *Stream, o *Observed, i int) {
	found, err := s.Add(o, Entry{Value: o})
	if err != nil {
		t.Fatalf("%s: observation %d: %v", p, i, err)
	}
	var kept []*Observed
	for _, h := range s.held {
		kept = append(kept, h.entry.Value.(*Observed))
	}
	if s.matcher.Stateless() { // it keeps nothing
		kept = []*Observed{o}
	}
	want := slices.ContainsFunc(bindings(p.Root, kept), func(b []slot) bool {
		return slices.ContainsFunc(b, func(s slot) bool { return kept[s.at] == o })
	})
	if want != (found != nil) {
		t.Fatalf("%s: observation %d of %d retained: found %v, want %v", p, i, len(kept), found, want)
	}
	if found != nil && !slices.ContainsFunc(found, func(e Entry) bool { return e.Value == o }) {
		t.Fatalf("%s: the binding is without observation %d, which completes it", p, i)
	}
	if n := s.Stats().Retained; n > 4 {
		t.Fatalf("%d are retained", n)
	}
}

func newStream(t testing.TB, text string, o StreamOptions) *Stream {
	m, err := Compile(mustParse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return NewStream(m, o)
}

// add returns the entries that an observation completes, as text.
func add(t *testing.T, s *Stream, name string, second int, value int64) string {
	t.Helper()
	found, err := s.Add(observedOnce(second, second, 1, value), Entry{Value: name, Bytes: len(name)})
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, e := range found {
		text += e.Value.(string)
	}
	return text
}

func TestStream(t *testing.T) {
	s := newStream(t, "([x:a = 1] FOLLOWEDBY [x:a = 2]) WITHIN 10 SECONDS", StreamOptions{})
	for _, c := range []struct {
		name   string
		second int
		value  int64
		want   string
		why    string
	}{
		{"a", 0, 2, "", "the second comes first"},
		{"b", 1, 1, "", "the first"},
		{"c", 2, 3, "", "of no interest"},
		{"d", 3, 2, "bd", "the second"},
		{"e", 4, 2, "be", "another second"},
		{"f", 0, 1, "df", "a late one completes what came before"},
		{"g", 14, 2, "", "past the ten seconds of all but none"},
		{"h", 15, 1, "", "begins anew"},
		{"i", 16, 2, "hi", "and ends"},
		{"j", 100, 1, "", "a jump in time is not believed at once"},
		{"k", 17, 2, "hk", "so the window stays"},
		{"l", 101, 2, "jl", "until it is confirmed"},
		{"m", 17, 2, "", "then what is older comes too late"},
	} {
		if got := add(t, s, c.name, c.second, c.value); got != c.want {
			t.Errorf("%s: %s completes %q, want %q", c.why, c.name, got, c.want)
		}
	}
	if got := s.Stats(); got.Retained != 2 || got.Bytes != 2 || got.Expired == 0 || got.Crowded != 0 {
		t.Errorf("%+v", got)
	}
	s.Forget()
	if got := s.Stats(); got.Retained != 0 || got.Bytes != 0 {
		t.Errorf("after Forget: %+v", got)
	}
}

// TestStreamBounds: in number, in bytes, in work; and a pattern without a state keeps none.
func TestStreamBounds(t *testing.T) {
	s := newStream(t, "[x:a = 1] REPEATS 4 TIMES", StreamOptions{MaxRetained: 3})
	for i := range 10 {
		if got := add(t, s, "x", i, 1); got != "" {
			t.Errorf("three retained make four: %s", got)
		}
	}
	if got := s.Stats(); got.Retained != 3 || got.Crowded != 7 {
		t.Errorf("%+v", got)
	}
	s = newStream(t, "[x:a = 1] REPEATS 4 TIMES", StreamOptions{MaxBytes: 10})
	for i := range 10 {
		add(t, s, "1234", i, 1)
	}
	if got := s.Stats(); got.Retained != 2 || got.Bytes != 8 || got.Crowded != 8 {
		t.Errorf("%+v", got)
	}
	add(t, s, "more than ten bytes", 11, 1)
	if got := s.Stats(); got.Retained != 0 || got.Bytes != 0 {
		t.Errorf("one that is too large alone: %+v", got)
	}
	s = newStream(t, "[x:a = 1] REPEATS 4 TIMES", StreamOptions{MaxSteps: 2})
	if _, err := s.Add(observedOnce(0, 0, 1, 1), Entry{}); !errors.Is(err, ErrTooMuchWork) || s.Stats().Unsettled != 1 || s.Stats().Retained != 1 {
		t.Errorf("%v, %+v", err, s.Stats())
	}
	s = newStream(t, "[x:a = 1] START t'2023-11-14T22:13:20Z' STOP t'2023-11-14T22:13:25Z'", StreamOptions{})
	if got := add(t, s, "y", 5, 1) + add(t, s, "x", 4, 1); got != "x" || s.Stats().Retained != 0 {
		t.Errorf("a time without a state: %s, %+v", got, s.Stats())
	}
	s = newStream(t, "[x:a = 1] OR [x:a = 2] WITHIN 5 SECONDS", StreamOptions{})
	if got := add(t, s, "x", 0, 2); got != "x" || s.Stats().Retained != 0 {
		t.Errorf("without a state: %s, %+v", got, s.Stats())
	}
}

// setPatterns are patterns that are found by every kind of witness, over the data that drawObject draws.
var setPatterns = []string{
	"[x:t = 'alpha']", "[x:t IN ('beta', 'gamma-delta')]", "[x:t != 'alpha']", "[x:t NOT IN ('alpha', 'beta')]",
	"[x:t LIKE '%mma-de%']", "[x:t LIKE '%a%']", "[x:t NOT LIKE '%alpha%']", "[x:t MATCHES 'gamma.delta']", "[x:t MATCHES '(?i)GAMMA']",
	"[x:t MATCHES 'alpha|beta']", "[x:t MATCHES 'be(ta)+$']", "[x:n = 5]", "[x:n = 5.0]", "[x:n IN (1, 2.5)]", "[x:n > 3]", "[x:n != 5]",
	"[EXISTS x:n]", "[NOT EXISTS x:n]", "[x:l[*] = 'alpha']", "[x:l[1] = 'alpha']", "[y:up_ref.t = 'alpha']", "[y:up_refs[*].n = 5]",
	"[x:t = 'alpha' AND x:n = 5]", "[x:t LIKE '%alpha%' OR x:n = 5]", "[x:t = 'alpha' OR y:up_ref.t = 'beta']", "[x:b = true]",
	"[x:c_hex = 'ff00']", "[x:c_hex = h'ff00']", "[x:c_hex LIKE '%gamma%']", "[x:d > t'2024-01-01T00:00:00Z']", "[x:ip ISSUBSET '192.0.2.0/24']",
	"[x:t = 'alpha'] FOLLOWEDBY [x:n = 5]", "([x:t = 'alpha'] AND [y:up_ref.t = 'beta']) WITHIN 5 SECONDS",
	"[x:t LIKE '%\u0065\u0301t\u00e9%']",
}

func drawObject(t *rapid.T) *Object {
	x := new(Object)
	x.Reset(rapid.SampledFrom([]string{"x", "x", "y", "z"}).Draw(t, "type"))
	texts := rapid.SampledFrom([]string{"alpha", "beta", "betata", "gamma-delta", "a gamma-delta b", "GAMMA", "", "\u00e9te\u0301"})
	numbers := rapid.Int64Range(0, 6)
	key := func(k string) Step { return Step{Kind: Key, Key: k} }
	for _, f := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 6).Draw(t, "fields") {
		switch f {
		case 0:
			x.Text([]Step{key("t")}, texts.Draw(t, "text"))
		case 1:
			x.Int([]Step{key("n")}, numbers.Draw(t, "number"))
		case 2:
			x.Float([]Step{key("n")}, rapid.SampledFrom([]float64{2.5, 5}).Draw(t, "float"))
		case 3:
			x.Text([]Step{key("l"), {Kind: Any}}, texts.Draw(t, "text"))
		case 4:
			x.Text([]Step{key("up_ref"), key("t")}, texts.Draw(t, "text"))
		case 5:
			x.Int([]Step{key("up_refs"), {Kind: Any}, key("n")}, numbers.Draw(t, "number"))
		case 6:
			x.Bool([]Step{key("b")}, true)
		case 7:
			x.Text([]Step{key("c_hex")}, rapid.SampledFrom([]string{"ff00", "FF00", "67616d6d61", "zz"}).Draw(t, "hex"))
		case 8:
			x.Text([]Step{key("d")}, "2024-01-01T00:00:01Z")
		case 9:
			x.Text([]Step{key("ip")}, rapid.SampledFrom([]string{"192.0.2.7", "198.51.100.7"}).Draw(t, "ip"))
		}
	}
	return x
}

// TestSetFindsAll is the law of the set: it finds exactly what holding the observation against every test finds.
func TestSetFindsAll(t *testing.T) {
	var all []*Matcher
	for _, text := range setPatterns {
		m, err := Compile(mustParse(t, text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	f := NewSet(all).NewFinder()
	met := map[int]bool{}
	rapid.Check(t, func(t *rapid.T) {
		for range 40 {
			o := new(Observed)
			for range rapid.IntRange(1, 3).Draw(t, "objects") {
				o.Add(drawObject(t))
			}
			checkFind(t, f, all, o, met)
		}
	})
	for i := range all {
		if !met[i] {
			t.Errorf("%s was never met: the drawn data are too poor", all[i])
		}
	}
}

// checkFind holds an observation against the set and against each pattern, and notes which are met.
func checkFind(t *rapid.T, f *Finder, all []*Matcher, o *Observed, met map[int]bool) {
	hits, err := f.Find(o)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]testSet{}
	for _, h := range hits {
		got[h.Pattern] = h.tests
	}
	for i, m := range all {
		want := newTestSet(len(m.tests))
		m.test(o, want, &work{left: MaxSteps})
		if want.empty() != (got[i] == nil) {
			t.Fatalf("%s: the set finds %v, all tests %v", m, got[i], want)
		}
		for j := range m.tests {
			if one := newTestSet(j + 1); !want.empty() {
				one.set(j)
				if want.any(one) != got[i].any(one) {
					t.Fatalf("%s: the set finds %v, all tests %v", m, got[i], want)
				}
			}
		}
		met[i] = met[i] || !want.empty()
	}
}

// TestSetTriesFew: of many patterns an observation is held against few.
func TestSetTriesFew(t *testing.T) {
	f := manyPatterns(t, 1000).NewFinder()
	x := new(Object)
	x.Reset("process")
	x.Text([]Step{{Kind: Key, Key: "command_line"}}, `C:\Windows\System32\tool-00517.exe --out report`)
	o := new(Observed)
	o.Add(x)
	hits, err := f.Find(o)
	if err != nil || len(hits) != 2 {
		t.Errorf("%d hits, %v", len(hits), err)
	}
	if f.Tried() > 30 {
		t.Errorf("%d tests were tried, of %d", f.Tried(), 4000)
	}
}

// TestSetInTime: a pattern that one observation decides is found in its time alone.
func TestSetInTime(t *testing.T) {
	m, err := Compile(mustParse(t, "[x:a = 1] START t'2023-11-14T22:13:20Z' STOP t'2023-11-14T22:13:25Z'"))
	if err != nil {
		t.Fatal(err)
	}
	f := NewSet([]*Matcher{m}).NewFinder()
	for second, want := range map[int]int{-1: 0, 0: 1, 4: 1, 5: 0} {
		if hits, err := f.Find(observedOnce(second, second, 1, 1)); err != nil || len(hits) != want {
			t.Errorf("second %d: %d hits, %v", second, len(hits), err)
		}
	}
}

// manyPatterns are four times n patterns over four properties.
func manyPatterns(t testing.TB, n int) *Set {
	var all []*Matcher
	for i := range n {
		for _, text := range []string{
			"[process:command_line LIKE '%%tool-%05d.exe%%']", `[process:command_line MATCHES '(^|\\\\)tool-%05d\\.exe .*report']`,
			"[domain-name:value = 'host-%05d.example']", "[network-traffic:dst_ref.value = '198.51.%d.7' AND network-traffic:dst_port = 443]",
		} {
			m, err := Compile(mustParse(t, fmt.Sprintf(text, i)))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
	}
	return NewSet(all)
}
