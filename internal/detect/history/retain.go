package history

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// Segment is what is known of a segment without opening it.
type Segment struct {
	Path     string    // in the folder of the store
	Hour     time.Time // zero for events without a time
	First    time.Time // of its events
	Last     time.Time
	Received time.Time // when the last of them was
	Events   int64
	Bytes    int64
	Whole    bool // it holds the events themselves, not their values alone
}

// Segments lists the segments, the oldest first; those without a time come before all. What is in memory alone is not in
// it. The error joins those of segments that cannot be read; the others are listed all the same.
func (s *Store) Segments() ([]Segment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.loadAll()
	var out []Segment
	for _, g := range all {
		e := g.entry
		info := Segment{Path: filepath.Join(g.day, g.name), First: fromMicros(e.First), Last: fromMicros(e.Last),
			Received: fromMicros(e.Received), Events: e.Rows, Bytes: g.bytes, Whole: e.Whole}
		if g.hour != undated {
			info.Hour = g.hour.start()
		}
		out = append(out, info)
	}
	return out, err
}

// loadAll is all segments that can be read, in order, and the errors of the others.
func (s *Store) loadAll() ([]*segment, error) {
	var all []*segment
	var errs []error
	for _, d := range s.days {
		if err := s.load(d); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, d.bad...)
		for _, g := range d.segments {
			if g.entry != nil {
				all = append(all, g)
			}
		}
	}
	slices.SortFunc(all, (*segment).before)
	return all, errors.Join(errs...)
}

// Removed is what [Store.Retain] took away.
type Removed struct {
	Segments int
	Events   int64
	Bytes    int64
}

// Retain removes what is older than Options.Keep at now, and then the oldest until no more than Options.MaxBytes are left.
// A segment is as old as its hour or as its last receipt, whichever is earlier, so that a clock that ran ahead keeps nothing
// for ever. When everything would be too old at once nothing is removed, and the error says so: a clock that jumped is
// likelier than a store in which nothing came for so long.
func (s *Store) Retain(now time.Time) (Removed, error) {
	s.maintain.Lock()
	defer s.maintain.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	var gone Removed
	if err := s.writable(); err != nil {
		return gone, err
	}
	all, err := s.loadAll()
	old, clockErr := s.tooOld(all, now)
	out := map[*segment]bool{}
	for _, g := range old {
		out[g] = true
	}
	if s.o.MaxBytes > 0 {
		total := s.filterSize()
		for _, g := range all {
			if !out[g] {
				total += g.bytes
			}
		}
		slices.SortStableFunc(all, func(a, b *segment) int { return cmp.Compare(a.age(), b.age()) })
		for _, g := range all {
			if total > s.o.MaxBytes && !out[g] {
				out[g] = true
				total -= g.bytes + int64(len(g.entry.filter.Fingerprints))
			}
		}
	}
	for g := range out {
		gone.Segments++
		gone.Events += g.entry.Rows
		gone.Bytes += g.bytes
	}
	return gone, errors.Join(err, clockErr, s.remove(out))
}

// age is the end of a segment's hour, or its last receipt when that was earlier, in microseconds.
func (g *segment) age() int64 {
	if g.hour == undated || g.entry.Received != 0 && g.entry.Received < int64(g.hour+1)*microsHour {
		return g.entry.Received
	}
	return int64(g.hour+1) * microsHour
}

// tooOld are the segments that Keep no longer covers.
func (s *Store) tooOld(all []*segment, now time.Time) ([]*segment, error) {
	if s.o.Keep <= 0 {
		return nil, nil
	}
	border := now.Add(-s.o.Keep).UnixMicro()
	var old []*segment
	newest := int64(0)
	for _, g := range all {
		newest = max(newest, g.entry.Received)
		if g.age() < border {
			old = append(old, g)
		}
	}
	if len(old) == len(all) && len(old) > 1 && newest < border {
		return nil, polder.Errorf(polder.Conflict,
			"by the clock (%s) all of the history in %s is older than %s, so nothing was removed: the last event came at %s; set the clock right, or remove the folder by hand",
			now.UTC().Format(time.RFC3339), s.dir, s.o.Keep, fromMicros(newest).Format(time.RFC3339))
	}
	return old, nil
}

// filterSize is how much disk the files of filters take.
func (s *Store) filterSize() int64 {
	var n int64
	for _, d := range s.days {
		n += d.size
	}
	return n
}

// remove takes segments away.
func (s *Store) remove(out map[*segment]bool) error {
	var errs []error
	for _, d := range s.days {
		before := len(d.segments)
		d.segments = slices.DeleteFunc(d.segments, func(g *segment) bool {
			if out[g] {
				s.bury(g)
			}
			return out[g]
		})
		if n := before - len(d.segments); n > 0 {
			d.stale += n
			errs = append(errs, s.trim(d))
		}
	}
	return errors.Join(errs...)
}

// trim removes the folder of a day without segments, and writes filters anew of which most are stale.
func (s *Store) trim(d *day) error {
	if len(d.segments) == 0 && len(d.bad) == 0 && s.hunts == 0 {
		delete(s.days, d.name)
		s.cached -= d.cached
		return os.RemoveAll(filepath.Join(s.dir, d.name))
	}
	if d.stale > len(d.segments) {
		return s.rewriteFilters(d)
	}
	return nil
}

// Bounds of merging.
const (
	mergeFrom  = 8        // so many small segments of an hour are merged
	smallBytes = 4 << 20  // a segment above is not small
	mergeBytes = 24 << 20 // what is merged at once
	mergeRows  = 200_000  //
)

// Compact merges hours that have many small segments, until ctx ends. It returns how many segments were merged into fewer.
// What a crash interrupts is put right by the next reading of the day: an event is never found twice.
func (s *Store) Compact(ctx context.Context) (merged int, err error) {
	s.maintain.Lock()
	defer s.maintain.Unlock()
	s.mu.Lock()
	all, err := s.loadAll()
	if wErr := s.writable(); wErr != nil {
		s.mu.Unlock()
		return 0, wErr
	}
	s.mu.Unlock()
	errs := []error{err}
	for len(all) > 0 && ctx.Err() == nil {
		n := 1
		for n < len(all) && all[n].hour == all[0].hour {
			n++
		}
		small := smallOnes(all[:n])
		all = all[n:]
		if len(small) < mergeFrom {
			continue
		}
		if err := s.merge(small); err != nil {
			errs = append(errs, err)
			if polder.KindOf(err) == polder.Full {
				break
			}
			continue
		}
		merged += len(small)
	}
	return merged, errors.Join(errs...)
}

// smallOnes are segments of one hour that may be merged at once.
func smallOnes(of []*segment) []*segment {
	var small []*segment
	var size, rows int64
	for _, g := range of {
		if g.bytes > smallBytes || size+g.bytes > mergeBytes || rows+g.entry.Rows > mergeRows {
			continue
		}
		// Segments with events and segments with values alone stay apart.
		if len(small) > 0 && small[0].entry.Whole != g.entry.Whole {
			continue
		}
		size, rows = size+g.bytes, rows+g.entry.Rows
		small = append(small, g)
	}
	return small
}

// merge makes one segment of several of an hour.
func (s *Store) merge(of []*segment) error {
	var rows []row
	var replaces []string
	for _, g := range of {
		more, err := s.readForMerge(g)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
		replaces = append(replaces, g.name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	var size int64
	for _, g := range of {
		size += g.bytes
	}
	if err := s.room(size); err != nil {
		return err
	}
	d := s.days[of[0].day]
	w, err := s.words.wordsFor(rows)
	if err != nil {
		return err
	}
	g, err := s.addSegment(d, of[0].hour, rows, meta{Whole: of[0].entry.Whole, Words: w, Replaces: replaces})
	if err != nil {
		return s.full(err)
	}
	ids := make([]uint64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	slices.Sort(ids)
	s.known.add(g.hour, g.name, ids)
	out := map[*segment]bool{}
	for _, g := range of {
		out[g] = true
	}
	return s.remove(out)
}

// readForMerge reads the rows of a segment, their layouts rewritten with the numbers of this process.
func (s *Store) readForMerge(g *segment) ([]row, error) {
	o, err := g.open(s.dir)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	lay := s.words.layout(o.meta.Words)
	var rows []row
	err = guard(func() error {
		return o.eachRow(func(r *row) error {
			kept := *r
			kept.Observables = slices.Clone(r.Observables)
			kept.Raw = slices.Clone(r.Raw)
			for i := range kept.Observables {
				kept.Observables[i].Value = strings.Clone(kept.Observables[i].Value)
			}
			if len(r.Fields) > 0 {
				if kept.Fields, err = s.relay(lay, &kept, r.Fields); err != nil {
					return err
				}
			}
			rows = append(rows, kept)
			return nil
		})
	})
	return rows, err
}
