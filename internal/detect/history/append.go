package history

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Append takes the events of a batch, less those that the store has, and empties the batch. It returns how many are new.
// They are durable after the next [Store.Flush]; a hunt finds them at once.
//
// When the disk is full it refuses the batch with polder.Full and keeps it as it is: the caller may go on without, or try
// the same batch again.
func (s *Store) Append(b *Batch) (kept int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return 0, err
	}
	if err := s.room(int64(b.bytes)); err != nil {
		return 0, err
	}
	if s.held+b.bytes > s.o.FlushBytes {
		if err := s.flush(s.o.FlushBytes / 2); err != nil {
			return 0, err
		}
	}
	for i := range b.rows {
		r := &b.rows[i]
		h := hourOf(r.Time)
		known := s.known.of(s, h)
		if r.ID = b.reading.count(b.hashes[i]); known.has(r.ID) {
			continue
		}
		p := s.pending[h]
		if p == nil {
			p = &pending{ids: map[uint64]struct{}{}}
			s.pending[h] = p
		}
		if _, ok := p.ids[r.ID]; ok {
			continue
		}
		p.ids[r.ID] = struct{}{}
		p.rows = append(p.rows, *r)
		n := r.size()
		p.bytes += n
		s.held += n
		kept++
	}
	b.reset()
	return kept, nil
}

// count is the identity of a record that has come once more.
func (r *Reading) count(hash uint64) uint64 {
	if len(r.seen) >= maxCounted {
		clear(r.seen)
	}
	n := r.seen[hash]
	r.seen[hash] = n + 1
	return nth(hash, n)
}

// Flush writes what is in memory.
func (s *Store) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	return s.flush(0)
}

// Pending is how many events are in memory alone, and about how many bytes they take.
func (s *Store) Pending() (events, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pending {
		events += len(p.rows)
	}
	return events, s.held
}

// room says whether the disk has room for so many bytes more.
func (s *Store) room(more int64) error {
	have, err := s.o.Free(s.dir)
	if err != nil {
		return fmt.Errorf("free space in %s: %w", s.dir, err)
	}
	if have-more < s.o.Floor {
		return polder.Errorf(polder.Full, "history stands still: the disk of %s has %d MiB free, and %d MiB are left to other uses; make room and it goes on by itself",
			s.dir, have>>20, s.o.Floor>>20)
	}
	return nil
}

// full turns the errors of a full disk into polder.Full.
func (s *Store) full(err error) error {
	for _, e := range noSpace {
		if errors.Is(err, e) {
			return polder.Errorf(polder.Full, "history stands still: the disk of %s is full; make room and it goes on by itself: %w", s.dir, err)
		}
	}
	return err
}

// flush writes the largest hours until at most so many bytes are left in memory.
func (s *Store) flush(left int) error {
	hours := slices.SortedFunc(maps.Keys(s.pending), func(a, b hour) int {
		return cmp.Or(cmp.Compare(s.pending[b].bytes, s.pending[a].bytes), cmp.Compare(a, b))
	})
	for _, h := range hours {
		if s.held <= left {
			return nil
		}
		p := s.pending[h]
		if err := s.room(int64(p.bytes)); err != nil {
			return err
		}
		if err := s.writeHour(h, p); err != nil {
			return s.full(fmt.Errorf("write history in %s: %w", s.dir, err))
		}
		delete(s.pending, h)
		s.held -= p.bytes
	}
	return nil
}

// writeHour makes a segment of what is pending for an hour.
func (s *Store) writeHour(h hour, p *pending) error {
	d, err := s.dayFor(h)
	if err != nil {
		return err
	}
	w, err := s.words.wordsFor(p.rows)
	if err != nil {
		return err
	}
	// The rows in p stay in the order they have: a hunt may be reading them.
	g, err := s.addSegment(d, h, slices.Clone(p.rows), meta{Whole: !s.o.ObservablesOnly, Words: w})
	if err != nil {
		return err
	}
	s.known.add(h, g.name, slices.Sorted(maps.Keys(p.ids)))
	return nil
}

// dayFor is the folder of an hour, made when there is none, with its entries read.
func (s *Store) dayFor(h hour) (*day, error) {
	name := h.day()
	d := s.days[name]
	if d == nil {
		if err := os.MkdirAll(filepath.Join(s.dir, name), 0o700); err != nil {
			return nil, err
		}
		if err := db.SyncDir(s.dir); err != nil {
			return nil, err
		}
		d = &day{name: name, next: 1}
		s.days[name] = d
	}
	if err := s.load(d); err != nil || !d.damaged {
		return d, err
	}
	return d, s.rewriteFilters(d)
}

// addSegment writes a segment and makes it count. A crash in it leaves nothing, or an entry of a segment that is not
// there, which is passed over.
func (s *Store) addSegment(d *day, h hour, rows []row, m meta) (*segment, error) {
	g := &segment{hour: h, number: d.next, day: d.name, name: segmentName(h, d.next)}
	tmp, e, err := g.write(s.dir, rows, m)
	if err != nil {
		return nil, err
	}
	d.next++
	if err := s.appendEntry(d, e); err != nil {
		return nil, errors.Join(err, os.Remove(tmp))
	}
	if err := g.finish(s.dir, tmp); err != nil {
		d.stale++
		return nil, errors.Join(err, os.Remove(tmp))
	}
	g.entry = e
	s.keepFilters(d, int64(len(e.filter.Fingerprints)))
	d.segments = append(d.segments, g)
	slices.SortFunc(d.segments, (*segment).before)
	return g, nil
}

// appendEntry puts an entry at the end of the file of filters. What a failure left of it is taken off again.
func (s *Store) appendEntry(d *day, e *entry) (err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, d.name, filtersFile), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	var data []byte
	if d.size == 0 {
		data = append(data, filterMagic...)
	}
	data = e.append(data)
	_, err = f.WriteAt(data, d.size)
	if err = errors.Join(err, f.Sync()); err != nil {
		return errors.Join(err, f.Truncate(d.size), f.Close())
	}
	d.size += int64(len(data))
	return f.Close()
}
