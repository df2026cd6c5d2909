package history

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/FastFilter/xorfilter"

	"github.com/polder-exchange/polder"
)

// load reads the entries of a day's segments, and makes those again that are damaged or missing. Segments that another
// one replaces are dropped. A segment that cannot be read is put down in d.bad and left out.
func (s *Store) load(d *day) error {
	for range 3 {
		gone, err := s.loadListed(d)
		if err != nil || !gone {
			return err
		}
		// Another process merged or removed a segment since the day was listed.
		again, err := s.listDay(d.name)
		if err != nil {
			return err
		}
		d.segments, d.bad, d.loaded = nil, nil, again == nil
		if again != nil {
			d.segments = again.segments
		}
	}
	return polder.Errorf(polder.Unavailable, "%s changes faster than it can be read; try again", filepath.Join(s.dir, d.name))
}

// loadListed is load of the segments that were listed; gone says that one of them is no longer there.
func (s *Store) loadListed(d *day) (gone bool, err error) {
	if d.loaded {
		return false, nil
	}
	data, entries, readErr := s.readEntries(d.name)
	if readErr != nil && !errors.Is(readErr, errFilters) {
		return false, fmt.Errorf("read %s/%s: %w", d.name, filtersFile, readErr)
	}
	known := map[string]*entry{}
	for _, e := range entries {
		known[e.Name] = e
		if _, n, ok := parseSegment(d.name, e.Name); ok {
			d.next = max(d.next, n+1)
		}
	}
	made := 0
	replaced := map[string]bool{}
	for _, g := range d.segments {
		e := known[g.name]
		if e == nil || e.Bytes != g.bytes {
			var err error
			e, err = g.rebuild(s.dir)
			if errors.Is(err, fs.ErrNotExist) && s.o.ReadOnly {
				return true, nil
			}
			if err != nil {
				d.bad = append(d.bad, err)
				continue
			}
			made++
		}
		g.entry = e
		for _, r := range e.Replaces {
			replaced[r] = true
		}
	}
	d.loaded = true
	s.dropReplaced(d, replaced)
	d.size = int64(len(data))
	d.stale = max(0, len(entries)+made-len(d.segments))
	s.keepFilters(d, int64(len(data)))
	d.damaged = made > 0 || readErr != nil
	if d.damaged && !s.o.ReadOnly {
		if err := s.rewriteFilters(d); polder.KindOf(err) != polder.Full {
			return false, err
		}
	}
	return false, nil
}

// readEntries reads the file of filters of a day. Without one there are none.
func (s *Store) readEntries(name string) ([]byte, []*entry, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, name, filtersFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	entries, err := readFilters(data)
	return data, entries, err
}

// dropReplaced takes away what was merged before a crash could remove it.
func (s *Store) dropReplaced(d *day, replaced map[string]bool) {
	d.segments = slices.DeleteFunc(d.segments, func(g *segment) bool {
		if !replaced[g.name] {
			return false
		}
		if !s.o.ReadOnly {
			s.bury(g)
		}
		return true
	})
}

// keepFilters counts filters that came into memory. When there is no room for those of a day, they are let go again and
// read for each hunt.
func (s *Store) keepFilters(d *day, more int64) {
	if !d.cold && s.cached+more <= s.o.FilterBytes {
		s.cached += more
		d.cached += more
		return
	}
	d.cold = true
	s.cached -= d.cached
	d.cached = 0
	for _, g := range d.segments {
		if g.entry != nil {
			thin := *g.entry
			thin.filter = xorfilter.BinaryFuse8{}
			g.entry = &thin
		}
	}
}

// filtersOf is the entries of a day with their filters, by segment.
func (s *Store) filtersOf(d *day) (map[string]*entry, error) {
	all := map[string]*entry{}
	if d.cold {
		_, entries, err := s.readEntries(d.name)
		if err != nil && !errors.Is(err, errFilters) {
			return nil, err
		}
		for _, e := range entries {
			all[e.Name] = e
		}
		return all, nil
	}
	for _, g := range d.segments {
		if g.entry != nil {
			all[g.name] = g.entry
		}
	}
	return all, nil
}

// rewriteFilters writes the file of filters anew, with the segments that there are.
func (s *Store) rewriteFilters(d *day) error {
	entries, err := s.filtersOf(d)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString(filterMagic)
	for _, g := range d.segments {
		e := entries[g.name]
		if e == nil && g.entry != nil {
			if e, err = g.rebuild(s.dir); err != nil {
				return err
			}
		}
		if e != nil {
			out.Write(e.append(nil))
		}
	}
	if err := replaceFile(filepath.Join(s.dir, d.name), filtersFile, out.Bytes()); err != nil {
		return s.full(err)
	}
	d.size, d.stale, d.damaged = int64(out.Len()), 0, false
	return nil
}

// bury removes a segment's file, now or when no hunt can be about to open it.
func (s *Store) bury(g *segment) {
	s.known.drop(g.hour, g.name)
	s.graves = append(s.graves, g.path(s.dir))
	s.dig()
}

// dig removes what was buried, when no hunt runs. What cannot be removed now stays on the list.
func (s *Store) dig() {
	if s.hunts > 0 {
		return
	}
	s.graves = slices.DeleteFunc(s.graves, func(name string) bool {
		err := os.Remove(name)
		return err == nil || errors.Is(err, fs.ErrNotExist)
	})
}
