package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
)

// Observer lists the values in an event that an indicator can name. One goroutine uses it at a time; the event belongs to
// the caller again when Observe returns.
type Observer interface {
	// Observe calls yield for each value, spelled as indicator.AppendKey does, with the name of the field it stands in.
	Observe(ev *event.Event, yield func(field string, v Value))
}

// Reading is one reading of a log: of a file from its beginning, of what came in by one intake. Records that are equal
// within it are told apart by counting them.
type Reading struct {
	store *Store
	o     Origin
	seen  map[uint64]uint32 // how often a record came so far; guarded by the store
}

// Origin says where the events of a reading come from.
type Origin struct {
	File     string       // the file or intake, as a person should see it
	Format   event.Format // how it is written
	Received time.Time    // when it is read
}

// maxCounted bounds the records that a reading counts. Beyond it, equal records that lie more than so many apart may be
// taken for one.
const maxCounted = 1 << 20

// NewReading begins a reading.
func (s *Store) NewReading(o Origin) *Reading {
	return &Reading{store: s, o: o, seen: map[uint64]uint32{}}
}

// Bounds of what is kept of one event.
const (
	maxObservables = 4096    // values of an event that are kept; further ones are not found
	maxRaw         = 1 << 24 // bytes of a record that are kept
)

// Batch gathers events to append at once. It is for one goroutine and may be used again after [Store.Append].
type Batch struct {
	reading  *Reading
	observer Observer
	rows     []row
	hashes   []uint64
	bytes    int

	slots   slots
	text    map[string]string // so that equal texts share their memory
	scratch []byte
	have    map[Value]bool
}

// NewBatch begins a batch of a reading. Each goroutine that decodes has its own, with an observer of its own.
func (r *Reading) NewBatch(o Observer) *Batch {
	return &Batch{reading: r, observer: o, text: map[string]string{}, have: map[Value]bool{}}
}

// Len is how many events the batch holds.
func (b *Batch) Len() int { return len(b.rows) }

// Bytes is about how much memory it holds.
func (b *Batch) Bytes() int { return b.bytes }

func (b *Batch) reset() {
	clear(b.rows)
	b.rows, b.hashes, b.bytes = b.rows[:0], b.hashes[:0], 0
	if len(b.text) > 1<<16 {
		clear(b.text)
	}
}

// Add copies what is kept of an event. A record is known again by its bytes; identity, when it is not nil, stands in for
// them: the place in a spool from which the record may come twice.
func (b *Batch) Add(ev *event.Event, identity []byte) { b.add(ev, ev.Time(), identity) }

func (b *Batch) add(ev *event.Event, at time.Time, identity []byte) {
	st := b.reading.store
	r := row{
		Time: clampTime(micros(at)),
		Metadata: metadata{
			Format: string(b.reading.o.Format), File: b.reading.o.File,
			Index: int64(ev.Index), Processed: micros(b.reading.o.Received),
		},
	}
	if ev.Source != nil {
		c := classOf(ev.Source)
		r.ClassUID, r.ClassName = c.uid, c.name
		r.Metadata.Product = ev.Source.Product
		if len(ev.Source.Services) > 0 {
			r.Metadata.LogName = ev.Source.Services[0]
		}
	}
	b.observe(ev, &r)
	if !st.o.ObservablesOnly {
		b.columns(ev, &r)
		if len(ev.Raw) <= maxRaw {
			r.Raw = bytes.Clone(ev.Raw)
			source, mapping := st.words.numbers(ev.Source, ev.Mapping)
			b.scratch = appendLayout(b.scratch[:0], ev, source, mapping)
			r.Fields = bytes.Clone(b.scratch)
		}
	}
	if identity == nil {
		identity = ev.Raw
	}
	b.hashes = append(b.hashes, st.identify(identity))
	b.rows = append(b.rows, r)
	b.bytes += r.size()
}

// Times outside these are taken for no time: a clock or a format that is wrong.
var (
	earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
)

func clampTime(t int64) int64 {
	if t < earliest || t >= latest {
		return 0
	}
	return t
}

// observe keeps the values of an event, and beside URLs and mail addresses the host in them.
func (b *Batch) observe(ev *event.Event, r *row) {
	clear(b.have)
	add := func(field string, v Value) {
		if v.Value == "" || len(r.Observables) >= maxObservables || b.have[v] {
			return
		}
		v.Value = b.intern([]byte(v.Value))
		b.have[v] = true
		r.Observables = append(r.Observables, observable{Name: b.intern([]byte(field)), Type: string(v.Kind), Value: v.Value})
	}
	b.observer.Observe(ev, func(field string, v Value) {
		add(field, v)
		if v.Kind == indicator.URL || v.Kind == indicator.Email {
			if kind, host, ok := indicator.Host(v.Kind, v.Value); ok {
				add(field, Value{Kind: kind, Value: host})
			}
		}
	})
}

// columns fills the columns that have a name in OCSF.
func (b *Batch) columns(ev *event.Event, r *row) {
	for i := range ev.Fields {
		f := &ev.Fields[i]
		if len(f.Value) == 0 {
			continue
		}
		c := b.slots.column(ev.Mapping, f.Name)
		if c == none {
			continue
		}
		text := f.Text(b.scratch[:0])
		if len(text) > maxColumn {
			text = bytes.ToValidUTF8(text[:maxColumn], nil)
		}
		r.set(c, b.intern(text))
	}
}

// intern is text as a string that equal ones share.
func (b *Batch) intern(text []byte) string {
	if s, ok := b.text[string(text)]; ok {
		return s
	}
	s := string(bytes.ToValidUTF8(text, []byte("\uFFFD")))
	if len(b.text) < 1<<17 {
		b.text[s] = s
	}
	return s
}

// identify is the hash by which a record is known again. It needs the store's key, so that nobody who can write into a log
// can make a record that passes for another.
func (s *Store) identify(record []byte) uint64 {
	h := sha256.New()
	h.Write(s.key[:])
	h.Write(record)
	var sum [sha256.Size]byte
	return binary.LittleEndian.Uint64(h.Sum(sum[:0]))
}

// nth is the identity of the n-th of equal records.
func nth(hash uint64, n uint32) uint64 {
	if n == 0 {
		return hash
	}
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], hash)
	binary.LittleEndian.PutUint32(b[8:], n)
	return key("nth", string(b[:]))
}
