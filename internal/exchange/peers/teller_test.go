package peers

import (
	"testing"
	"time"
)

// TestTeller: when something changed the peers of a node are told one after another, each once, the first at once and the
// last within a second; what changes meanwhile is in it.
func TestTeller(t *testing.T) {
	var at time.Duration
	s := &Service{o: Options{Steady: func() time.Duration { return at }, Pace: DefaultPace}, links: map[string]Link{}, statuses: map[string]*status{}}
	tellers := map[string]*teller{}
	for _, id := range []string{"a", "b", "c"} {
		s.links[id] = served(id)
		tellers[id] = &teller{}
	}
	dialled := served("0 dialled")
	dialled.Serves = false
	s.links[dialled.ID] = dialled
	for id := range s.links {
		s.statusOf(id).syncs = 1
	}
	told := map[string]time.Duration{}
	for ; at < 2*time.Second; at += time.Millisecond {
		if at == 10*time.Millisecond {
			s.statusOf("c").syncs++ // it is not told twice of two changes
		}
		for id, one := range tellers {
			now, wait := one.now(s, id)
			if wait <= 0 {
				t.Fatalf("%s waits for %s", id, wait)
			}
			if _, twice := told[id]; now && twice {
				t.Fatalf("%s was told twice", id)
			}
			if now {
				told[id] = at
			}
		}
	}
	for id, want := range map[string]time.Duration{"a": 0, "b": tellGap, "c": 2 * tellGap} {
		if got, ok := told[id]; !ok || got != want {
			t.Errorf("%s was told after %s (%v), want %s", id, got, ok, want)
		}
	}
	for i := range 500 {
		id := string(rune('d')) + time.Duration(i).String()
		s.links[id] = served(id)
	}
	last := &teller{}
	s.links["z"] = served("z")
	s.statusOf("z").syncs = 1
	if now, wait := last.now(s, "z"); now || wait > tellMost {
		t.Errorf("the last of 500 is told %v, in %s", now, wait)
	}
}

func served(id string) Link {
	l := Link{}
	l.ID, l.Serves = id, true
	return l
}
