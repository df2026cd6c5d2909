package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/FastFilter/xorfilter"
)

// A file of filters begins with filterMagic, whose last byte is its version. Entries follow, each
//
//	size   uint32  of the body
//	sum    uint32  CRC-32C of the body
//	body           what entry.appendBody writes
//
// all numbers little-endian. A file is only appended to, or written anew and renamed. Reading stops at the first entry
// that is cut short or does not have its sum: what follows cannot be trusted, and is made again from the segments.
const (
	filterMagic = "PLDRFLT\x01"
	maxBody     = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// entry is what the file of filters knows of a segment.
type entry struct {
	Name     string   // of the segment's file
	Bytes    int64    // of that file: a segment of another size is another segment
	Rows     int64    // events in it
	First    int64    // earliest and latest time of its events, in microseconds; both 0 of undated events
	Last     int64    //
	Received int64    // latest time of receipt, in microseconds
	Whole    bool     // it holds the events themselves, not their values alone
	Replaces []string // segments whose events it holds too: they are gone, or about to go
	sums     sums
	filter   xorfilter.BinaryFuse8
}

// has says whether a key may be in the segment.
func (e *entry) has(key uint64) bool {
	return len(e.filter.Fingerprints) > 0 && e.filter.Contains(key)
}

// setKeys makes the filter of keys, which are sorted and made unique in place.
func (e *entry) setKeys(keys []uint64) error {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) == 0 {
		e.filter = xorfilter.BinaryFuse8{}
		return nil
	}
	f, err := xorfilter.PopulateBinaryFuse8(keys)
	if err != nil {
		return fmt.Errorf("make the filter of %s: %w", e.Name, err)
	}
	e.filter = *f
	return nil
}

// append writes the entry behind buf.
func (e *entry) append(buf []byte) []byte {
	at := len(buf)
	buf = append(buf, make([]byte, 8)...)
	buf = e.appendBody(buf)
	body := buf[at+8:]
	binary.LittleEndian.PutUint32(buf[at:], uint32(len(body)))
	binary.LittleEndian.PutUint32(buf[at+4:], crc32.Checksum(body, castagnoli))
	return buf
}

func (e *entry) appendBody(b []byte) []byte {
	le := binary.LittleEndian
	b = appendText(b, e.Name)
	for _, n := range []int64{e.Bytes, e.Rows, e.First, e.Last, e.Received} {
		b = le.AppendUint64(b, uint64(n))
	}
	b = append(b, 0)
	if e.Whole {
		b[len(b)-1] = 1
	}
	b = le.AppendUint16(b, uint16(len(e.Replaces)))
	for _, r := range e.Replaces {
		b = appendText(b, r)
	}
	b = le.AppendUint64(b, uint64(e.sums.tail))
	b = le.AppendUint32(b, e.sums.sum)
	b = le.AppendUint32(b, uint32(len(e.sums.blooms)))
	for _, sum := range e.sums.blooms {
		b = le.AppendUint32(b, sum)
	}
	b = le.AppendUint64(b, e.filter.Seed)
	b = le.AppendUint32(b, e.filter.SegmentLength)
	b = le.AppendUint32(b, e.filter.SegmentCount)
	b = le.AppendUint32(b, uint32(len(e.filter.Fingerprints)))
	return append(b, e.filter.Fingerprints...)
}

func appendText(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

var errFilters = errors.New("the file of filters is damaged")

// readFilters reads the entries of a file of filters. What is returned beside an error is whole: the entries before the
// damage. The entries' filters lie in data, which must not change. It never panics, and nor does a filter it returns.
func readFilters(data []byte) ([]*entry, error) {
	rest, ok := bytes.CutPrefix(data, []byte(filterMagic))
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin as one of this version", errFilters)
	}
	var all []*entry
	for len(rest) > 0 {
		at := len(data) - len(rest)
		if len(rest) < 8 {
			return all, fmt.Errorf("%w: it ends amid an entry at byte %d", errFilters, at)
		}
		size, sum := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
		if size > maxBody || int(size) > len(rest)-8 {
			return all, fmt.Errorf("%w: it ends amid an entry at byte %d", errFilters, at)
		}
		body := rest[8 : 8+size : 8+size]
		if crc32.Checksum(body, castagnoli) != sum {
			return all, fmt.Errorf("%w: the entry at byte %d does not have its sum", errFilters, at)
		}
		e, err := readEntry(body)
		if err != nil {
			return all, fmt.Errorf("%w: the entry at byte %d %w", errFilters, at, err)
		}
		all = append(all, e)
		rest = rest[8+size:]
	}
	return all, nil
}

// body reads numbers and texts; it remembers that it came to the end too soon.
type body struct {
	data  []byte
	short bool
}

func (b *body) take(n int) []byte {
	if n > len(b.data) {
		b.short, b.data = true, nil
		return make([]byte, min(n, 8))
	}
	out := b.data[:n:n]
	b.data = b.data[n:]
	return out
}

func (b *body) uint16() int    { return int(binary.LittleEndian.Uint16(b.take(2))) }
func (b *body) uint32() uint32 { return binary.LittleEndian.Uint32(b.take(4)) }
func (b *body) int64() int64   { return int64(binary.LittleEndian.Uint64(b.take(8))) }
func (b *body) text() string   { return string(b.take(b.uint16())) }

func readEntry(data []byte) (*entry, error) {
	b := &body{data: data}
	e := &entry{Name: b.text()}
	for _, n := range []*int64{&e.Bytes, &e.Rows, &e.First, &e.Last, &e.Received} {
		*n = b.int64()
	}
	e.Whole = b.take(1)[0] == 1
	for range b.uint16() {
		if e.Replaces = append(e.Replaces, b.text()); b.short {
			break
		}
	}
	e.sums.tail, e.sums.sum = b.int64(), b.uint32()
	for range b.uint32() {
		if e.sums.blooms = append(e.sums.blooms, b.uint32()); b.short {
			break
		}
	}
	f := &e.filter
	f.Seed = uint64(b.int64())
	f.SegmentLength, f.SegmentCount = b.uint32(), b.uint32()
	size := b.uint32()
	if b.short || int64(size) != int64(len(b.data)) {
		return nil, errors.New("is cut short")
	}
	f.Fingerprints = b.data
	f.SegmentLengthMask = f.SegmentLength - 1
	f.SegmentCountLength = f.SegmentCount * f.SegmentLength
	if size == 0 {
		e.filter = xorfilter.BinaryFuse8{}
		return e, nil
	}
	length, count := uint64(f.SegmentLength), uint64(f.SegmentCount)
	if length == 0 || length&(length-1) != 0 || length > 1<<18 || count == 0 || (count+2)*length != uint64(size) {
		return nil, errors.New("has a filter whose sizes contradict each other")
	}
	return e, nil
}
