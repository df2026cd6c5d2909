package detect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// This file is the spool: events that were acknowledged and are not judged yet, and those that were judged lately, from
// which windows are rebuilt after a start. It is a folder of segments, files that are only appended to, each named by
// the number of its first record:
//
//	magic      4 bytes  "PSP1"
//	length     4 bytes  of the body, big-endian, as all numbers here
//	number     8 bytes  rises from record to record, with gaps
//	received   8 bytes  microseconds since 1970
//	check      4 bytes  CRC-32C of number, received and body
//	body       length bytes
//
// A record counts once it was synced; several that wait share one sync. What a crash left half written at the end is
// cut off at the next start: it was acknowledged to nobody.

const (
	spoolMagic  = "PSP1"
	spoolHeader = 28
	spoolSuffix = ".spool"

	// MaxBatch is how many bytes the events of one batch have at most.
	MaxBatch = 16 << 20
	maxBody  = MaxBatch + 64<<10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// spoolFile is the segment that is appended to.
type spoolFile interface {
	io.Writer
	Sync() error
	Truncate(size int64) error
	Close() error
}

type spoolOptions struct {
	dir     string
	bound   int64 // bytes that may wait to be judged
	segment int64 // bytes after which a new segment begins
	room    func() error
	create  func(path string) (spoolFile, error)
	log     *slog.Logger
}

// segment is a file of the spool. Its last record and size are known once it is not appended to any more; of the
// current one the spool knows them.
type segment struct {
	path         string
	first, last  int64
	lastReceived int64
	size         int64
}

type spool struct {
	o spoolOptions

	mu         sync.Mutex // of all below
	segments   []segment
	file       spoolFile // of the last segment; nil until something is appended
	next       int64
	pending    int64 // bytes that wait to be judged
	syncedSize int64 // of the last segment
	lostTo     int64 // records up to here that were not synced then are gone
	failed     error
	grown      chan struct{} // closed when there is more to read

	syncing sync.Mutex   // one sync at a time; never taken while mu is held
	synced  atomic.Int64 // the last record that is on disk
}

// openSpool opens the spool of a folder, cuts off a torn end, and says what waits behind a record.
func openSpool(o spoolOptions, judged int64) (*spool, error) {
	if o.create == nil {
		o.create = createSegment
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	s := &spool{o: o, next: judged + 1, grown: make(chan struct{})}
	names, err := filepath.Glob(filepath.Join(o.dir, "*"+spoolSuffix))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for i, name := range names {
		g, waiting, err := s.examine(name, i == len(names)-1, judged)
		if err != nil {
			return nil, fmt.Errorf("open the spool: %w", err)
		}
		if g.last == 0 { // nothing in it was ever acknowledged
			if err := os.Remove(name); err != nil {
				return nil, fmt.Errorf("open the spool: %w", err)
			}
			continue
		}
		s.segments = append(s.segments, g)
		s.pending += waiting
		s.next = max(s.next, g.last+1)
	}
	s.synced.Store(s.next - 1)
	return s, nil
}

func createSegment(path string) (spoolFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// recordHead is the header of a record.
type recordHead struct {
	length           int
	number, received int64
	check            uint32
}

// readHead reads the header at a place; ok is false where none begins.
func readHead(r io.ReaderAt, at int64) (h recordHead, ok bool) {
	var b [spoolHeader]byte
	if n, _ := r.ReadAt(b[:], at); n < spoolHeader || string(b[:4]) != spoolMagic {
		return h, false
	}
	h = recordHead{int(binary.BigEndian.Uint32(b[4:])), int64(binary.BigEndian.Uint64(b[8:])), int64(binary.BigEndian.Uint64(b[16:])), binary.BigEndian.Uint32(b[24:])}
	return h, h.length <= maxBody && h.number > 0
}

func (h recordHead) sum(body []byte) uint32 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(h.number))
	binary.BigEndian.PutUint64(b[8:], uint64(h.received))
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, body)
}

func (h recordHead) end(at int64) int64 { return at + spoolHeader + int64(h.length) }

// examine reads the headers of a segment; of the last one it checks the bodies too and cuts off what is torn. waiting
// is the size of the records behind judged.
func (s *spool) examine(path string, last bool, judged int64) (g segment, waiting int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return g, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return g, 0, err
	}
	first, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(path), spoolSuffix), 10, 64)
	if err != nil {
		return g, 0, fmt.Errorf("%s is no segment; move it elsewhere", path)
	}
	g = segment{path: path, first: first}
	var body []byte
	for g.size < info.Size() {
		h, ok := readHead(f, g.size)
		if !ok || h.end(g.size) > info.Size() {
			break
		}
		if last {
			body = slices.Grow(body[:0], h.length)[:h.length]
			if _, err := f.ReadAt(body, g.size+spoolHeader); err != nil {
				return g, 0, err
			}
			next, follows := readHead(f, h.end(g.size))
			if h.sum(body) != h.check && !(follows && next.number > h.number) {
				break // torn; damage with whole records behind it is left to the reader
			}
		}
		if h.number > judged {
			waiting += h.end(g.size) - g.size
		}
		g.size, g.last, g.lastReceived = h.end(g.size), h.number, h.received
	}
	if g.size == info.Size() {
		return g, waiting, nil
	}
	if !last {
		s.o.log.Error("a segment of the spool is damaged; what follows in it is lost", "segment", filepath.Base(path), "offset", g.size, "bytes", info.Size()-g.size)
		return g, waiting, nil
	}
	s.o.log.Warn("the end of the spool was cut off: it was half written and acknowledged to nobody", "segment", filepath.Base(path), "bytes", info.Size()-g.size)
	return g, waiting, errors.Join(f.Truncate(g.size), f.Sync())
}

// errSpoolFull tells a sender to wait.
type errSpoolFull struct{ wait time.Duration }

func (e errSpoolFull) Error() string             { return "too much waits to be judged" }
func (e errSpoolFull) RetryAfter() time.Duration { return e.wait }

// append writes a record and returns when it is on disk. It fails with Limited when too much waits, with Full when the
// disk is full, and with Unavailable when the disk fails; then the record is not there.
func (s *spool) append(received time.Time, body []byte) (int64, error) {
	if len(body) > maxBody {
		return 0, polder.Errorf(polder.TooLarge, "the events are above %d bytes; send them in parts", MaxBatch)
	}
	if s.o.room != nil {
		if err := s.o.room(); err != nil {
			return 0, err
		}
	}
	n, err := s.write(received, body)
	if err != nil {
		return 0, err
	}
	return n, s.sync(n)
}

func (s *spool) write(received time.Time, body []byte) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := int64(spoolHeader + len(body))
	switch {
	case s.failed != nil:
		return 0, polder.Errorf(polder.Unavailable, "the spool of this node has failed and takes nothing more until a restart: %w", s.failed)
	case s.pending > 0 && s.pending+size > s.o.bound:
		return 0, polder.Errorf(polder.Limited, "%w here; send it again in a while", errSpoolFull{5 * time.Second})
	}
	if err := s.rotate(); err != nil {
		return 0, err
	}
	g := &s.segments[len(s.segments)-1]
	h := recordHead{len(body), s.next, received.UnixMicro(), 0}
	record := make([]byte, 0, size)
	record = append(record, spoolMagic...)
	record = binary.BigEndian.AppendUint32(record, uint32(h.length))
	record = binary.BigEndian.AppendUint64(record, uint64(h.number))
	record = binary.BigEndian.AppendUint64(record, uint64(h.received))
	record = binary.BigEndian.AppendUint32(record, h.sum(body))
	record = append(record, body...)
	if _, err := s.file.Write(record); err != nil {
		return 0, s.undo(err, g.size)
	}
	g.size += size
	g.last, g.lastReceived = h.number, h.received
	s.next++
	s.pending += size
	return h.number, nil
}

// rotate begins a new segment when there is none or the last one is long enough.
func (s *spool) rotate() error {
	if s.file != nil && s.segments[len(s.segments)-1].size < s.o.segment {
		return nil
	}
	if s.file != nil {
		if err := s.file.Sync(); err != nil {
			return s.undo(err, s.syncedSize)
		}
		s.durable(s.segments[len(s.segments)-1])
		if err := s.file.Close(); err != nil {
			s.failed = err
			return polder.Errorf(polder.Unavailable, "the spool cannot be written: %w", err)
		}
		s.file = nil
	}
	path := filepath.Join(s.o.dir, fmt.Sprintf("%020d%s", s.next, spoolSuffix))
	f, err := s.o.create(path)
	if err == nil {
		if err = db.SyncDir(s.o.dir); err != nil {
			err = errors.Join(err, f.Close(), os.Remove(path))
		}
	}
	if err != nil {
		return diskError(err)
	}
	s.file, s.syncedSize = f, 0
	s.segments = append(s.segments, segment{path: path, first: s.next})
	return nil
}

// durable notes that a segment is on disk as it is now.
func (s *spool) durable(g segment) {
	s.syncedSize = g.size
	if g.last > s.synced.Load() {
		s.synced.Store(g.last)
		close(s.grown)
		s.grown = make(chan struct{})
	}
}

// sync returns when the record with this number is on disk.
func (s *spool) sync(n int64) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	s.mu.Lock()
	switch {
	case s.synced.Load() >= n:
		s.mu.Unlock()
		return nil
	case n <= s.lostTo || s.failed != nil:
		s.mu.Unlock()
		return polder.Errorf(polder.Unavailable, "the events could not be written; send them again")
	}
	f, g := s.file, s.segments[len(s.segments)-1]
	s.mu.Unlock()
	err := f.Sync()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.synced.Load() >= n {
		return nil // a new segment has begun meanwhile, and this one was synced for it
	}
	if err != nil {
		return s.undo(err, s.syncedSize)
	}
	s.durable(g)
	return nil
}

// undo takes back what was written behind a place of the last segment, after an error. When that fails too, nobody
// knows what the file holds, and the spool takes nothing more.
func (s *spool) undo(cause error, to int64) error {
	g := &s.segments[len(s.segments)-1]
	s.pending -= g.size - to
	if g.size != to {
		s.lostTo = s.next - 1
		g.last = s.synced.Load()
	}
	g.size = to
	if err := s.file.Truncate(to); err != nil {
		s.failed = errors.Join(cause, err)
	}
	out := diskError(cause)
	if s.failed == nil && polder.KindOf(out) != polder.Full {
		s.failed = cause
	}
	s.o.log.Error("events could not be kept", "error", cause)
	return out
}

// diskError says an error of the disk to a sender.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return polder.Errorf(polder.Full, "the disk of this node is full, so nothing of this was taken; what was taken before is still judged: %w", err)
	}
	return polder.Errorf(polder.Unavailable, "the spool cannot be written, so nothing of this was taken: %w", err)
}

// judgedUp tells that records up to a number need not be judged again, and takes away segments that no window needs:
// those whose last record was received before a time. When judged segments alone are above the bound, the oldest go
// too.
func (s *spool) judgedUp(judged, bytes int64, keep time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = max(0, s.pending-bytes)
	total := int64(0)
	for _, g := range s.segments {
		total += g.size
	}
	for len(s.segments) > 1 {
		g := s.segments[0]
		if g.last > judged || g.lastReceived >= keep.UnixMicro() && total <= 2*s.o.bound {
			return
		}
		if err := os.Remove(g.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.o.log.Error("a segment of the spool that was judged cannot be removed", "error", err)
			return
		}
		total -= g.size
		s.segments = s.segments[1:]
	}
}

// more is closed when there is a record behind the one with a number.
func (s *spool) more(behind int64) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.synced.Load() > behind {
		now := make(chan struct{})
		close(now)
		return now
	}
	return s.grown
}

// waiting is how many bytes wait to be judged.
func (s *spool) waiting() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending
}

// receivedAt is when the record with a number, or the last one before it, was received; zero when there is none.
func (s *spool) receivedAt(number int64) time.Time {
	var at time.Time
	r := &spoolReader{s: s}
	defer r.close()
	for {
		h, _, err := r.head()
		if err != nil || h.number > number {
			return at
		}
		at = time.UnixMicro(h.received).UTC()
		r.skip(h)
	}
}

func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Sync(), s.file.Close())
	s.file = nil
	s.failed = errors.New("it is closed")
	return err
}

// spoolReader reads records in order. It is used by one goroutine.
type spoolReader struct {
	s      *spool
	judged int64 // of the records up to this number,
	since  int64 // those received before are passed over
	lost   int   // records that were damaged

	file  *os.File
	first int64 // of the open segment
	at    int64
}

// advance opens the segment behind the open one; io.EOF when there is none.
func (r *spoolReader) advance() error {
	r.s.mu.Lock()
	var next *segment
	for i := range r.s.segments {
		if g := &r.s.segments[i]; g.first > r.first && g.size > 0 {
			next = g
			break
		}
	}
	var path string
	if next != nil {
		path = next.path
		r.first = next.first
	}
	r.s.mu.Unlock()
	if path == "" {
		return io.EOF
	}
	r.close()
	f, err := os.Open(path)
	r.file, r.at = f, 0
	return err
}

func (r *spoolReader) close() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}

// head is the header of the next record, which is left where it is; io.EOF when no further one is on disk yet.
func (r *spoolReader) head() (h recordHead, at int64, err error) {
	for {
		if r.file == nil {
			if err := r.advance(); err != nil {
				return h, 0, err
			}
		}
		sealed, left := r.sealed() // asked before it is read: what is appended in between is met next time
		h, ok := readHead(r.file, r.at)
		if ok && h.number <= r.s.synced.Load() {
			return h, r.at, nil
		}
		if ok || !sealed {
			return h, 0, io.EOF
		}
		if left > 0 {
			r.lost++
			r.at += left
			r.s.o.log.Error("a segment of the spool is damaged; what follows in it is lost", "first", r.first, "bytes", left)
		}
		if err := r.advance(); err != nil {
			return h, 0, err
		}
	}
}

// sealed tells whether the open segment is not appended to any more, and how many bytes of records are left in it then.
func (r *spoolReader) sealed() (yes bool, left int64) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	for i, g := range r.s.segments {
		if g.first == r.first {
			if i == len(r.s.segments)-1 {
				return false, 0
			}
			return true, max(0, g.size-r.at)
		}
	}
	return true, 0 // it was removed
}

func (r *spoolReader) skip(h recordHead) { r.at = h.end(r.at) }

// next is the next record that is wanted; io.EOF when none is on disk yet. A record whose check is wrong has no body.
func (r *spoolReader) next() (h recordHead, body []byte, err error) {
	for {
		h, at, err := r.head()
		if err != nil {
			return h, nil, err
		}
		r.skip(h)
		if h.number <= r.judged && h.received < r.since {
			continue
		}
		body := make([]byte, h.length)
		if _, err := r.file.ReadAt(body, at+spoolHeader); err != nil {
			return h, nil, err
		}
		if h.sum(body) == h.check {
			return h, body, nil
		}
		r.lost++
		r.s.o.log.Error("a record of the spool is damaged and is lost", "number", h.number)
		return h, nil, nil
	}
}

// packBatch is the body of a record.
func packBatch(b Batch) []byte {
	out := make([]byte, 0, len(b.Data)+len(b.Org)+len(b.Source)+len(b.Name)+32)
	for _, s := range []string{string(b.Org), b.Source, b.Name} {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	out = binary.AppendUvarint(out, uint64(b.First))
	out = binary.AppendUvarint(out, uint64(b.Events))
	return append(out, b.Data...)
}

// unpackBatch reads what packBatch wrote.
func unpackBatch(h recordHead, body []byte) (b Batch, err error) {
	r := bytes.NewReader(body)
	var texts [3]string
	for i := range texts {
		n, err := binary.ReadUvarint(r)
		if err != nil || n > uint64(r.Len()) {
			return b, errors.New("a record of the spool is no batch")
		}
		at := len(body) - r.Len()
		texts[i] = string(body[at : at+int(n)])
		_, _ = r.Seek(int64(n), io.SeekCurrent) // within the bytes
	}
	first, err1 := binary.ReadUvarint(r)
	events, err2 := binary.ReadUvarint(r)
	if err := errors.Join(err1, err2); err != nil {
		return b, errors.New("a record of the spool is no batch")
	}
	return Batch{Number: h.number, Org: polder.OrgID(texts[0]), Source: texts[1], Name: texts[2], First: int(first), Events: int(events),
		Received: time.UnixMicro(h.received).UTC(), Data: body[len(body)-r.Len():]}, nil
}
