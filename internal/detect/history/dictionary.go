package history

import (
	"strings"
	"sync"

	"github.com/polder-exchange/polder/event"
)

// dictionary gives numbers to the sources and mappings that layouts name, for the life of a store. Names of fields have
// theirs from package event. Safe for use by several goroutines.
type dictionary struct {
	mu       sync.RWMutex
	sourceOf map[*event.Source]uint64
	mapOf    map[*event.Mapping]uint64
	byName   map[string]uint64
	sources  []*event.Source
	mappings []string
	byText   map[string]*event.Source // those that came from segments, so that equal ones are one pointer
}

func newDictionary() *dictionary {
	return &dictionary{sourceOf: map[*event.Source]uint64{}, mapOf: map[*event.Mapping]uint64{},
		byName: map[string]uint64{}, byText: map[string]*event.Source{}}
}

func (d *dictionary) numbers(s *event.Source, m *event.Mapping) (source, mapping uint64) {
	d.mu.RLock()
	source, okS := d.sourceOf[s]
	mapping, okM := d.mapOf[m]
	d.mu.RUnlock()
	if okS && okM {
		return source, mapping
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if source, okS = d.sourceOf[s]; !okS {
		source = uint64(len(d.sources))
		d.sourceOf[s], d.sources = source, append(d.sources, s)
	}
	if mapping, okM = d.mapOf[m]; !okM {
		name := ""
		if m != nil {
			name = m.Name()
		}
		mapping = d.nameLocked(name)
		d.mapOf[m] = mapping
	}
	return source, mapping
}

// named is the number of a mapping by its name.
func (d *dictionary) named(name string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.nameLocked(name)
}

func (d *dictionary) nameLocked(name string) uint64 {
	n, ok := d.byName[name]
	if !ok {
		n = uint64(len(d.mappings))
		d.byName[name], d.mappings = n, append(d.mappings, name)
	}
	return n
}

// source is the one pointer for a source that was read from a segment.
func (d *dictionary) source(s event.Source) *event.Source {
	text := s.Product + "\x00" + strings.Join(s.Categories, "\x00") + "\x01" + strings.Join(s.Services, "\x00")
	d.mu.Lock()
	defer d.mu.Unlock()
	if have := d.byText[text]; have != nil {
		return have
	}
	if len(d.byText) >= 1<<16 {
		return &s
	}
	d.byText[text] = &s
	return &s
}

// words is the dictionary of one segment, as it is written into its file.
type words struct {
	Names    map[uint64]string       `json:"names,omitempty"`
	Sources  map[uint64]event.Source `json:"sources,omitempty"`
	Mappings map[uint64]string       `json:"mappings,omitempty"`
}

// wordsFor collects what the layouts of rows name.
func (d *dictionary) wordsFor(rows []row) (words, error) {
	w := words{Names: map[uint64]string{}, Sources: map[uint64]event.Source{}, Mappings: map[uint64]string{}}
	d.mu.RLock()
	defer d.mu.RUnlock()
	for i := range rows {
		if len(rows[i].Fields) == 0 {
			continue
		}
		source, mapping, ok := eachName(rows[i].Fields, func(name uint64) {
			if _, ok := w.Names[name]; !ok {
				w.Names[name] = event.Name(name).String()
			}
		})
		if !ok || source >= uint64(len(d.sources)) || mapping >= uint64(len(d.mappings)) {
			return w, errLayout
		}
		if _, ok := w.Sources[source]; !ok {
			w.Sources[source] = *d.sources[source]
		}
		if _, ok := w.Mappings[mapping]; !ok {
			w.Mappings[mapping] = d.mappings[mapping]
		}
	}
	return w, nil
}

// layout is a reader for a segment with these words.
func (d *dictionary) layout(w words) *layout {
	l := &layout{names: []event.Name{event.Other}, sources: map[uint64]*event.Source{}, mappings: map[uint64]*event.Mapping{}}
	for n, path := range w.Names {
		if n != 0 {
			l.setName(n, event.Known([]byte(path)))
		}
	}
	for n, s := range w.Sources {
		l.sources[n] = d.source(s)
	}
	for n, name := range w.Mappings {
		l.mappings[n] = event.MappingOf(name)
	}
	l.words = w
	return l
}
