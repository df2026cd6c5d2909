package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/FastFilter/xorfilter"
)

// TagSet is the published form of a set for private matching: a filter over the tags of its values, which are the first
// 64 bits of their outputs ([MatchKey.Output]). It says of an output whether it is in the set, wrongly so for one in
// four thousand million. Without outputs it says nothing, and there is none to be had without the key's holder: so
// whoever has the filter alone can neither read nor try values. It is filled up with random tags to a power of two, so
// that its size tells the class of the set's size and nothing more.
type TagSet struct {
	class  int
	filter xorfilter.BinaryFuse[uint32]
}

// Sizes of sets.
const (
	MinTagClass = 1 << 10 // the smallest size class
	MaxTags     = 1 << 22 // values of a set, and the largest class
)

var tagMagic = []byte("PLDRTAG1")

// tagHead is the magic, the class, the seed, and how long and how many the segments are.
const tagHead = 8 + 4 + 8 + 4 + 4

// ErrTagSet says that a file is no tagged set.
var ErrTagSet = errors.New("this is not a tagged set, or it was damaged")

// Tag is what stands in a tagged set for an output.
func Tag(output []byte) uint64 {
	if len(output) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(output)
}

// TagClass is the size class of a set of n values: the power of two, from 1,024, into which they fit.
func TagClass(n int) int {
	return max(MinTagClass, 1<<bits.Len(uint(max(n, 1)-1)))
}

// NewTagSet makes the tagged set of tags, which may come more than once. It takes the slice over. When rand fails there
// is none: an unpadded set would tell its size.
func NewTagSet(rand io.Reader, tags []uint64) (*TagSet, error) {
	if len(tags) > MaxTags {
		return nil, fmt.Errorf("tagged set: %d values are too many; at most %d", len(tags), MaxTags)
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	class := TagClass(len(tags))
	fill := make([]byte, 8*(class-len(tags)))
	if _, err := io.ReadFull(rand, fill); err != nil {
		return nil, fmt.Errorf("tagged set: draw what fills it up: %w", err)
	}
	for ; len(fill) > 0; fill = fill[8:] {
		tags = append(tags, binary.LittleEndian.Uint64(fill))
	}
	f, err := xorfilter.NewBinaryFuse[uint32](tags)
	if err != nil {
		return nil, fmt.Errorf("tagged set: %w", err)
	}
	return &TagSet{class, *f}, nil
}

// Class is the size class of the set: it has at most so many values and, above the smallest class, more than half.
func (s *TagSet) Class() int { return s.class }

// Has tells whether the set has the value of an output.
func (s *TagSet) Has(output []byte) bool {
	return len(output) >= 8 && s.filter.Contains(Tag(output))
}

// Bytes are the set as it is published.
func (s *TagSet) Bytes() []byte {
	out := make([]byte, 0, tagHead+4*len(s.filter.Fingerprints))
	out = append(out, tagMagic...)
	out = binary.LittleEndian.AppendUint32(out, uint32(s.class))
	out = binary.LittleEndian.AppendUint64(out, s.filter.Seed)
	out = binary.LittleEndian.AppendUint32(out, s.filter.SegmentLength)
	out = binary.LittleEndian.AppendUint32(out, s.filter.SegmentCount)
	for _, f := range s.filter.Fingerprints {
		out = binary.LittleEndian.AppendUint32(out, f)
	}
	return out
}

// MaxTagBytes is how long a published set of a class can be.
func MaxTagBytes(class int) int { return tagHead + 4*(class+class/2) }

// ReadTagSet reads a published set of a class that somebody else named, and nothing else: every number of it must fit
// the others and the class.
func ReadTagSet(b []byte, class int) (*TagSet, error) {
	if class < MinTagClass || class > MaxTags || class&(class-1) != 0 {
		return nil, fmt.Errorf("tagged set: %d is no size class; they are the powers of two from %d to %d", class, MinTagClass, MaxTags)
	}
	if len(b) < tagHead || len(b) > MaxTagBytes(class) || string(b[:8]) != string(tagMagic) {
		return nil, ErrTagSet
	}
	if binary.LittleEndian.Uint32(b[8:]) != uint32(class) {
		return nil, fmt.Errorf("tagged set: is of the class %d; %d was announced", binary.LittleEndian.Uint32(b[8:]), class)
	}
	length, count := binary.LittleEndian.Uint32(b[20:]), binary.LittleEndian.Uint32(b[24:])
	if length < 4 || length > 1<<18 || length&(length-1) != 0 || count == 0 || count > uint32(2*class) {
		return nil, ErrTagSet
	}
	n := (uint64(count) + 2) * uint64(length)
	if n != uint64(len(b)-tagHead)/4 || (len(b)-tagHead)%4 != 0 || n < uint64(class) {
		return nil, ErrTagSet
	}
	s := &TagSet{class: class, filter: xorfilter.BinaryFuse[uint32]{
		Seed: binary.LittleEndian.Uint64(b[12:]), SegmentLength: length, SegmentLengthMask: length - 1,
		SegmentCount: count, SegmentCountLength: count * length, Fingerprints: make([]uint32, n),
	}}
	for i := range s.filter.Fingerprints {
		s.filter.Fingerprints[i] = binary.LittleEndian.Uint32(b[tagHead+4*i:])
	}
	return s, nil
}
