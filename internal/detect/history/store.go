package history

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Options say how a store is kept. The zero value keeps everything and removes nothing.
type Options struct {
	// ReadOnly opens a store for hunting alone, also while another process writes to it.
	ReadOnly bool
	// ObservablesOnly keeps of each event its time, its place and the values in it, not the event itself: values can be
	// hunted, rules and patterns cannot.
	ObservablesOnly bool
	// Keep is how long events are kept, counted from when they happened or were received, whichever is earlier. 0 is for
	// good. See Store.Retain.
	Keep time.Duration
	// MaxBytes is how much disk the store may take; 0 is no bound.
	MaxBytes int64
	// Floor is how much room is left on the disk: below it nothing is appended. 0 is DefaultFloor.
	Floor int64
	// FlushBytes is how much may be in memory before it is written. 0 is DefaultFlush.
	FlushBytes int
	// FilterBytes is how much memory the filters may take; those of further days are read from disk for each hunt. 0 is
	// DefaultFilters.
	FilterBytes int64
	// Free tells the room on a disk, and Rand gives the store's key; nil is the machine's.
	Free func(dir string) (int64, error)
	Rand io.Reader
}

// Defaults of Options.
const (
	DefaultFloor   = 512 << 20
	DefaultFlush   = 64 << 20
	DefaultFilters = 256 << 20
)

func (o Options) withDefaults() Options {
	if o.Floor <= 0 {
		o.Floor = DefaultFloor
	}
	if o.FlushBytes <= 0 {
		o.FlushBytes = DefaultFlush
	}
	if o.FilterBytes <= 0 {
		o.FilterBytes = DefaultFilters
	}
	if o.Free == nil {
		o.Free = free
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return o
}

// Store is a folder of history. Its methods may be called from any goroutine.
type Store struct {
	dir     string
	o       Options
	key     [32]byte
	words   *dictionary
	release func() // gives up the lock of the writer

	maintain sync.Mutex // held while segments are merged or removed; taken before mu

	mu      sync.Mutex
	closed  bool
	days    map[string]*day
	pending map[hour]*pending
	held    int   // bytes in pending
	cached  int64 // bytes of filters in memory
	known   knownHours
	hunts   int      // running
	graves  []string // files to remove when no hunt runs
}

// day is the folder of one day.
type day struct {
	name     string
	segments []*segment // sorted
	next     int        // number of the next segment
	loaded   bool       // every segment has its entry, or is known to be bad
	cold     bool       // the entries' filters are not kept in memory
	bad      []error    // segments that cannot be read
	size     int64      // of the file of filters
	damaged  bool       // that file must be written anew before it is appended to
	cached   int64      // bytes of filters in memory
	stale    int        // entries in it of segments that are gone
}

// pending are events that are not on disk yet.
type pending struct {
	rows  []row
	bytes int
	ids   map[uint64]struct{}
}

// Open opens the history in dir, and makes it when there is none. Unless it is only read, this process is its one writer
// until Close; a second is refused with polder.Conflict. What a crash left half written is removed.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{dir: dir, o: o.withDefaults(), words: newDictionary(), days: map[string]*day{}, pending: map[hour]*pending{},
		known: newKnownHours(), release: func() {}}
	if err := s.openDir(); err != nil {
		return nil, err
	}
	if err := s.openKey(); err != nil {
		s.release()
		return nil, fmt.Errorf("open the history in %s: %w", dir, err)
	}
	if err := s.list(); err != nil {
		s.release()
		return nil, fmt.Errorf("open the history in %s: %w", dir, err)
	}
	return s, nil
}

// openDir makes the folder, refuses one that holds something else, and takes the writer's lock.
func (s *Store) openDir() error {
	found, err := os.ReadDir(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.o.ReadOnly:
		return polder.Errorf(polder.NotFound, "there is no history in %s; `polder ingest --store %s FILE` makes one", s.dir, s.dir)
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return fmt.Errorf("make the history in %s: %w", s.dir, err)
		}
	case err != nil:
		return fmt.Errorf("open the history in %s: %w", s.dir, err)
	}
	ours := func(d fs.DirEntry) bool {
		return d.Name() == keyFile || d.Name() == tempPrefix+keyFile || d.Name() == "polder.lock" || strings.HasPrefix(d.Name(), dayPrefix)
	}
	if len(found) > 0 && !slices.ContainsFunc(found, ours) {
		return polder.Errorf(polder.Invalid, "%s holds other files and no history; name a folder of its own", s.dir)
	}
	if s.o.ReadOnly {
		return nil
	}
	if s.release, err = db.LockDir(s.dir); err != nil {
		return err
	}
	return nil
}

// Holds says whether a folder is a history with anything written in it. One that was opened and got no event is none.
func Holds(dir string) (bool, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return slices.ContainsFunc(found, func(d fs.DirEntry) bool { return d.IsDir() && strings.HasPrefix(d.Name(), dayPrefix) }), err
}

// openKey reads the store's key, or makes it.
func (s *Store) openKey() error {
	name := filepath.Join(s.dir, keyFile)
	text, err := os.ReadFile(name)
	if err == nil && len(text) == len(s.key) {
		copy(s.key[:], text)
		return nil
	}
	if s.o.ReadOnly {
		return nil // it is needed for appending alone
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := io.ReadFull(s.o.Rand, s.key[:]); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	return replaceFile(s.dir, keyFile, s.key[:])
}

// replaceFile writes a file beside and renames it, durably.
func replaceFile(dir, name string, data []byte) error {
	tmp := filepath.Join(dir, tempPrefix+name)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(tmp, filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return db.SyncDir(dir)
}

// list finds the segments that there are.
func (s *Store) list() error {
	found, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, f := range found {
		if !f.IsDir() || !strings.HasPrefix(f.Name(), dayPrefix) {
			continue
		}
		d, err := s.listDay(f.Name())
		if err != nil {
			return err
		}
		if d != nil {
			s.days[d.name] = d
		}
	}
	return nil
}

// listDay reads the folder of a day; nil when it is gone. The writer clears away what a crash left.
func (s *Store) listDay(name string) (*day, error) {
	dir := filepath.Join(s.dir, name)
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := &day{name: name, next: 1}
	for _, f := range found {
		if strings.HasPrefix(f.Name(), tempPrefix) && !s.o.ReadOnly {
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				return nil, err
			}
			continue
		}
		h, n, ok := parseSegment(name, f.Name())
		if !ok {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		d.segments = append(d.segments, &segment{hour: h, number: n, day: name, name: f.Name(), bytes: info.Size()})
		d.next = max(d.next, n+1)
	}
	slices.SortFunc(d.segments, (*segment).before)
	return d, nil
}

// Close writes what is in memory and gives the store up.
func (s *Store) Close() error {
	s.maintain.Lock()
	defer s.maintain.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	err := s.flush(0)
	s.closed = true
	s.release()
	return err
}

var errClosed = errors.New("the history is closed")

// writable says why nothing can be written.
func (s *Store) writable() error {
	switch {
	case s.closed:
		return errClosed
	case s.o.ReadOnly:
		return polder.Errorf(polder.Forbidden, "the history in %s was opened for reading only", s.dir)
	}
	return nil
}
