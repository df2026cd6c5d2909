package seal

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
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

// TestLawLog: a log that is made of what is allowed verifies; its readers are those who were added and confirmed and not
// removed; and no entry of it can be changed, left out or doubled.
func TestLawLog(t *testing.T) {
	keys := map[KeyID]PublicKey{}
	var ids []KeyID
	for i := range 5 {
		p := NewPrivateKey([32]byte{1: byte(i + 1)}).Public()
		keys[p.ID()] = p
		ids = append(ids, p.ID())
	}
	rapid.Check(t, func(t *rapid.T) {
		var log []LogEntry
		var reads, waits []KeyID
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(0, 15).Draw(t, "steps") {
			id := rapid.SampledFrom(ids).Draw(t, "key")
			did := rapid.SampledFrom([]Did{DidAdd, DidConfirm, DidRemove}).Draw(t, "did")
			by := rapid.SampledFrom(ids).Draw(t, "by")
			at = at.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
			there := slices.Contains(reads, id) || slices.Contains(waits, id)
			right := did == DidAdd && !there || did == DidRemove && there ||
				did == DidConfirm && slices.Contains(waits, id) && slices.Contains(reads, by)
			next, err := AppendLog(log, LogEntry{At: at, Did: did, Key: keys[id], Name: "N", By: string(by)})
			if (err == nil) != right {
				t.Fatalf("%s %s by %s: %v, want it taken: %v", did, id, by, err, right)
			}
			if err != nil {
				continue
			}
			log = next
			other := func(k KeyID) bool { return k == id }
			switch {
			case did == DidRemove:
				reads, waits = slices.DeleteFunc(reads, other), slices.DeleteFunc(waits, other)
			case did == DidConfirm:
				reads, waits = append(reads, id), slices.DeleteFunc(waits, other)
			case len(reads) == 0:
				reads = append(reads, id)
			default:
				waits = append(waits, id)
			}
			if !slices.Equal(InForce(log), reads) || !slices.Equal(Waiting(log), waits) {
				t.Fatalf("in force %v and waiting %v, want %v and %v", InForce(log), Waiting(log), reads, waits)
			}
		}
		if len(log) < 2 {
			return
		}
		i := rapid.IntRange(0, len(log)-2).Draw(t, "broken")
		if VerifyLog(slices.Delete(slices.Clone(log), i, i+1)) == nil || VerifyLog(slices.Insert(slices.Clone(log), i, log[i])) == nil {
			t.Fatal("an entry was left out or doubled unseen")
		}
		changed := slices.Clone(log)
		changed[i].Name += "x"
		if VerifyLog(changed) == nil {
			t.Fatal("an entry was changed unseen")
		}
	})
}

// TestLogTravels: a log verifies after it was JSON, as it comes to a client, with names of any script.
func TestLogTravels(t *testing.T) {
	text, err := json.Marshal(exampleLog(t))
	if err != nil {
		t.Fatal(err)
	}
	var log []LogEntry
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	if err := VerifyLog(log); err != nil {
		t.Error(err)
	}
}

// FuzzLog: a log from outside is refused or has readers that are in it, and what is refused has none.
func FuzzLog(f *testing.F) {
	text, err := json.Marshal(exampleLog(f))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{string(text), `[]`, `[{}]`, `[{"n":1,"did":"added"}]`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var log []LogEntry
		if json.Unmarshal(in, &log) != nil {
			return
		}
		err := VerifyLog(log)
		all := append(InForce(log), Waiting(log)...)
		if err != nil && len(all) > 0 {
			t.Errorf("a broken log (%v) has readers", err)
		}
		for _, id := range all {
			if !slices.ContainsFunc(log, func(e LogEntry) bool { return e.Key.ID() == id }) {
				t.Errorf("reader %s is not in the log", id)
			}
		}
	})
}
