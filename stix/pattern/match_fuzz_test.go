package pattern

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// FuzzMatch: no pattern and no data makes the matcher panic, run on, or bind what is not there.
func FuzzMatch(f *testing.F) {
	const data = `{"type":"observed-data","id":"o","first_observed":"2024-01-01T00:00:00Z","last_observed":"2024-01-01T00:00:05Z","number_observed":2,` +
		`"objects":{"0":{"type":"x","a":1,"b_ref":"1","c_hex":"ff00","l":[1,"x",{"k":null}]},"1":{"type":"y","b_refs":["0","1"],"t":"2024-01-01T00:00:00Z"}}}`
	for _, text := range append([]string{
		"([x:a = 1] FOLLOWEDBY [x:l[*].k != 'x']) WITHIN 5.5 SECONDS REPEATS 2 TIMES", "[y:b_refs[*].b_ref.t > t'2023-01-01T00:00:00Z']",
		`[x:c_hex MATCHES '\\xff|(?i)a{2}'] START t'2024-01-01T00:00:00Z' STOP t'2024-01-01T00:00:05Z'`, "[x:l[1] LIKE '%_%'] AND [NOT EXISTS x:q]",
	}, setPatterns...) {
		f.Add(text, data)
	}
	f.Fuzz(func(t *testing.T, text, data string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		m, err := Compile(p)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Text == "" {
				t.Fatalf("error without a place: %#v", err)
			}
			return
		}
		seen, err := ReadObserved(strings.NewReader(data), 1<<16)
		if err != nil {
			return
		}
		began := time.Now()
		got, err := m.Match(seen)
		if took := time.Since(began); took > 20*time.Second {
			t.Fatalf("%s took %v", p, took)
		}
		for i, at := range got {
			if at < 0 || at >= len(seen) || i > 0 && got[i-1] >= at {
				t.Fatalf("%s bound %v of %d", p, got, len(seen))
			}
		}
		if again, other := m.Match(seen); (again == nil) != (got == nil) || (other == nil) != (err == nil) {
			t.Fatalf("%s: %v, %v, then %v, %v", p, got, err, again, other)
		}
		finder := NewSet([]*Matcher{m}).NewFinder()
		for i, o := range seen {
			hits, err := finder.Find(o)
			want := newTestSet(len(m.tests))
			if m.test(o, want, &work{left: MaxSteps}); err == nil && want.empty() != (len(hits) == 0) {
				t.Fatalf("%s: the set finds %v of observation %d, the tests %v", p, hits, i, want)
			}
		}
	})
}
