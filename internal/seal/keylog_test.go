package seal

import (
	"slices"
	"testing"
	"time"
)

// exampleLog has one reader who was first, one who was confirmed, one who left, and one who waits.
func exampleLog(t testing.TB) []LogEntry {
	t.Helper()
	var keys []PublicKey
	for i := range 4 {
		keys = append(keys, NewPrivateKey([32]byte{1: byte(i + 1)}).Public())
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var log []LogEntry
	for i, e := range []LogEntry{
		{Did: DidAdd, Key: keys[0], Name: "Anna de Vries · Acme Optics", By: "Anna de Vries"},
		{Did: DidAdd, Key: keys[1], Name: "Bram Çelik", By: "Anna de Vries"},
		{Did: DidConfirm, Key: keys[1], Name: "Bram Çelik", By: string(keys[0].ID())},
		{Did: DidAdd, Key: keys[2], Name: "Carla <b>", By: "Anna de Vries"},
		{Did: DidRemove, Key: keys[2], Name: "Carla <b>", By: "Anna de Vries"},
		{Did: DidAdd, Key: keys[3], Name: "Dirk & zoon", By: "Bram Çelik"},
	} {
		e.At = at.Add(time.Duration(i) * time.Hour)
		next, err := AppendLog(log, e)
		if err != nil {
			t.Fatalf("entry %d: %v", i+1, err)
		}
		log = next
	}
	return log
}

type brokenLog struct {
	why string
	log []LogEntry
}

// resum makes the chain of a log whole again, as one who may write all of it would.
func resum(log []LogEntry) []LogEntry {
	prev := ""
	for i := range log {
		log[i].N, log[i].Prev = i+1, prev
		log[i].Hash = log[i].sum()
		prev = log[i].Hash
	}
	return log
}

// brokenLogs are logs that nobody must believe.
func brokenLogs(t testing.TB) []brokenLog {
	t.Helper()
	var out []brokenLog
	broken := func(why string, change func(log []LogEntry) []LogEntry) {
		out = append(out, brokenLog{why, change(exampleLog(t))})
	}
	stranger := NewPrivateKey([32]byte{1: 99}).Public()
	broken("a swapped key", func(l []LogEntry) []LogEntry { l[0].Key = stranger; return l })
	broken("a changed name", func(l []LogEntry) []LogEntry { l[1].Name = "Mallory"; return l })
	broken("a later time", func(l []LogEntry) []LogEntry { l[1].At = l[1].At.Add(time.Second); return l })
	broken("an entry left out", func(l []LogEntry) []LogEntry { return slices.Delete(l, 1, 2) })
	broken("the first left out", func(l []LogEntry) []LogEntry { return l[1:] })
	broken("two changed round", func(l []LogEntry) []LogEntry { l[3], l[4] = l[4], l[3]; return l })
	broken("an entry twice", func(l []LogEntry) []LogEntry { return append(l, l[5]) })
	broken("confirmed by itself", func(l []LogEntry) []LogEntry {
		l = append(l, LogEntry{At: l[5].At, Did: DidConfirm, Key: l[5].Key, By: string(l[5].Key.ID())})
		return resum(l)
	})
	broken("confirmed by who was removed", func(l []LogEntry) []LogEntry {
		return resum(append(l, LogEntry{At: l[5].At, Did: DidConfirm, Key: l[5].Key, By: string(l[3].Key.ID())}))
	})
	broken("confirmed and never added", func(l []LogEntry) []LogEntry {
		return resum(append(l, LogEntry{At: l[5].At, Did: DidConfirm, Key: stranger, By: string(l[0].Key.ID())}))
	})
	broken("added again", func(l []LogEntry) []LogEntry {
		return resum(append(l, LogEntry{At: l[5].At, Did: DidAdd, Key: l[0].Key, By: "x"}))
	})
	broken("removed and never added", func(l []LogEntry) []LogEntry {
		return resum(append(l, LogEntry{At: l[5].At, Did: DidRemove, Key: stranger, By: "x"}))
	})
	broken("an unknown deed", func(l []LogEntry) []LogEntry { l[5].Did = "swapped"; return resum(l) })
	broken("back in time", func(l []LogEntry) []LogEntry { l[5].At = l[0].At; return resum(l) })
	broken("a line end in a name", func(l []LogEntry) []LogEntry { l[5].Name = "a\nb"; return resum(l) })
	broken("a zero key", func(l []LogEntry) []LogEntry { l[5].Key = PublicKey{}; return resum(l) })
	broken("parts of a second", func(l []LogEntry) []LogEntry { l[5].At = l[5].At.Add(time.Millisecond); return resum(l) })
	return out
}

func TestKeyLog(t *testing.T) {
	log := exampleLog(t)
	if err := VerifyLog(log); err != nil {
		t.Fatal(err)
	}
	if got, want := InForce(log), []KeyID{log[0].Key.ID(), log[1].Key.ID()}; !slices.Equal(got, want) {
		t.Errorf("in force %v, want %v", got, want)
	}
	if got, want := Waiting(log), []KeyID{log[5].Key.ID()}; !slices.Equal(got, want) {
		t.Errorf("waiting %v, want %v", got, want)
	}
}

// TestS30BrokenLogs holds that a server cannot change, leave out or put in an entry unseen, and that a key counts only by
// the word of a reader (S30).
func TestS30BrokenLogs(t *testing.T) {
	for _, c := range brokenLogs(t) {
		if err := VerifyLog(c.log); err == nil {
			t.Errorf("%s: taken", c.why)
		}
		if len(InForce(c.log)) != 0 || len(Waiting(c.log)) != 0 {
			t.Errorf("%s: has readers", c.why)
		}
	}
}
