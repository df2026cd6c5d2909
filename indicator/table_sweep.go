package indicator

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// source is an object in a list.
type source struct {
	object [16]byte
	list   uint32
}

// forgotten are the objects whose entries count no longer and still stand somewhere. It is usually empty.
type forgotten struct {
	some atomic.Int64
	mu   sync.RWMutex
	set  map[source]bool // what the sweep under way takes out
	next map[source]bool // what came while it was under way
}

func (f *forgotten) has(object [16]byte, list uint32) bool {
	if f.some.Load() == 0 {
		return false
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	s := source{object, list}
	return f.set[s] || f.next[s]
}

// Forget makes all values of an object in a list void at once, whatever they are: for objects of which only the name is
// left. The entries themselves go with [Table.Sweep].
func (t *Table) Forget(object [16]byte, list uint32) {
	t.writer.Lock()
	defer t.writer.Unlock()
	t.gone.mu.Lock()
	defer t.gone.mu.Unlock()
	if t.sweepAt == 0 {
		t.gone.set[source{object, list}] = true
	} else {
		t.gone.next[source{object, list}] = true
	}
	t.gone.some.Store(int64(len(t.gone.set) + len(t.gone.next)))
}

// Sweep takes forgotten entries out of so many of the 1,024 parts of the table, going on where the last call stopped.
// It says whether any are left. One part of a table of five million entries takes a few
// microseconds, or a few dozen where something goes.
func (t *Table) Sweep(parts int) (more bool) {
	t.writer.Lock()
	defer t.writer.Unlock()
	return t.sweep(parts)
}

func (t *Table) sweep(parts int) (more bool) {
	if t.gone.some.Load() == 0 {
		return false
	}
	if t.sweepAt == 0 {
		t.dropNetworks(func(r *Reference) bool { return t.gone.set[source{r.Object, r.List}] })
	}
	var begins [256]bool // spares most entries the look-up
	for s := range t.gone.set {
		begins[s.object[0]] = true
	}
	all := *t.terms.Load()
	for end := min(shardCount, t.sweepAt+parts); t.sweepAt < end; t.sweepAt++ {
		t.keep(t.sweepAt, func(s *shard, i int) bool {
			e := &s.entries[i]
			return !begins[e.object[0]] || !t.gone.set[source{e.object, all[e.check>>checkBits].list}]
		})
	}
	if t.sweepAt < shardCount {
		return true
	}
	t.sweepAt = 0
	t.gone.mu.Lock()
	defer t.gone.mu.Unlock()
	t.gone.set, t.gone.next = t.gone.next, map[source]bool{}
	t.gone.some.Store(int64(len(t.gone.set)))
	return len(t.gone.set) > 0
}

// finish sweeps to the end when an object that was forgotten comes back, so that its old entries do not come with it.
func (t *Table) finish(object [16]byte, list uint32) {
	for t.gone.has(object, list) {
		t.sweep(shardCount)
	}
}

// dropNetworks takes references of networks out.
func (t *Table) dropNetworks(drop func(r *Reference) bool) (dropped int) {
	type change struct {
		network netip.Prefix
		before  int
		refs    []Reference
	}
	var changes []change
	for network, refs := range t.nets.Load().All() {
		kept := slices.DeleteFunc(slices.Clone(refs), func(r Reference) bool { return drop(&r) })
		if len(kept) < len(refs) {
			changes = append(changes, change{network, len(refs), kept})
			dropped += len(refs) - len(kept)
		}
	}
	for _, c := range changes {
		t.storeNetwork(c.network, c.before, c.refs)
	}
	return dropped
}

// Expire takes out what ended at or before t, and says how many references that were. Look-ups need it not: an expired
// reference says so itself; but events of long ago are not asked for any more.
func (t *Table) Expire(before time.Time) (dropped int) {
	t.writer.Lock()
	defer t.writer.Unlock()
	end := seconds(before, false)
	dropped = t.dropNetworks(func(r *Reference) bool { return !r.ValidUntil.IsZero() && !r.ValidUntil.After(before) })
	size := t.size.Load()
	for no := range t.shards {
		if s := t.shards[no].Load(); s != nil {
			t.keep(no, func(s *shard, i int) bool { return s.entries[i].until == 0 || s.entries[i].until > end })
		}
	}
	return dropped + int(size-t.size.Load())
}

// DropList takes out everything that came from a list, and says how many references that were.
func (t *Table) DropList(list uint32) (dropped int) {
	t.writer.Lock()
	defer t.writer.Unlock()
	dropped = t.dropNetworks(func(r *Reference) bool { return r.List == list })
	size := t.size.Load()
	all := *t.terms.Load()
	for no := range t.shards {
		t.keep(no, func(s *shard, i int) bool { return all[s.entries[i].check>>checkBits].list != list })
	}
	return dropped + int(size-t.size.Load())
}

// Lists counts the references of each list, those of forgotten objects left out. It looks at every one.
func (t *Table) Lists() map[uint32]int {
	counts := map[uint32]int{}
	for no := range t.shards {
		s := t.shards[no].Load()
		if s == nil {
			continue
		}
		all := *t.terms.Load()
		for i := range s.entries {
			e := &s.entries[i]
			if list := all[e.check>>checkBits].list; !t.gone.has(e.object, list) {
				counts[list]++
			}
		}
	}
	for _, refs := range t.nets.Load().All() {
		for i := range refs {
			if r := &refs[i]; !t.gone.has(r.Object, r.List) {
				counts[r.List]++
			}
		}
	}
	return counts
}
