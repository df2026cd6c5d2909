package history

import "slices"

// maxKnown bounds the identities that are held in memory: 64 MiB of them.
const maxKnown = 8 << 20

// knownHours hold the identities of the events on disk, by hour, as far as they were asked for lately. Guarded by the
// store.
type knownHours struct {
	hours map[hour]*knownHour
	count int
	clock int
}

// knownHour is the identities of an hour, by the file they are in. Of an hour with more than maxKnown events the oldest
// files are left out: records in those are not known again.
type knownHour struct {
	ids  map[string][]uint64 // sorted
	used int
}

func newKnownHours() knownHours { return knownHours{hours: map[hour]*knownHour{}} }

func (k *knownHour) has(id uint64) bool {
	for _, ids := range k.ids {
		if _, ok := slices.BinarySearch(ids, id); ok {
			return true
		}
	}
	return false
}

// of is the identities of an hour, read from its segments when they are not held. A segment that cannot be read has none.
func (k *knownHours) of(s *Store, h hour) *knownHour {
	k.clock++
	have := k.hours[h]
	if have != nil {
		have.used = k.clock
		return have
	}
	have = &knownHour{ids: map[string][]uint64{}, used: k.clock}
	k.hours[h] = have
	d := s.days[h.day()]
	if d == nil {
		return have
	}
	n := 0
	for _, g := range slices.Backward(d.segments) {
		if g.hour != h || n >= maxKnown {
			continue
		}
		if ids, err := g.ids(s.dir); err == nil {
			have.ids[g.name] = ids
			n += len(ids)
		}
	}
	k.count += n
	k.forget(h)
	return have
}

// add says that a segment of these identities was written.
func (k *knownHours) add(h hour, name string, ids []uint64) {
	if have := k.hours[h]; have != nil {
		have.ids[name] = ids
		k.count += len(ids)
		k.forget(h)
	}
}

// drop says that a segment is gone.
func (k *knownHours) drop(h hour, name string) {
	if have := k.hours[h]; have != nil {
		k.count -= len(have.ids[name])
		delete(have.ids, name)
	}
}

// forget gives up the hours that were not asked for longest, but for the one in use.
func (k *knownHours) forget(use hour) {
	for k.count > maxKnown && len(k.hours) > 1 {
		var oldest hour
		least := k.clock + 1
		for h, have := range k.hours {
			if h != use && have.used < least {
				oldest, least = h, have.used
			}
		}
		for _, ids := range k.hours[oldest].ids {
			k.count -= len(ids)
		}
		delete(k.hours, oldest)
	}
}
