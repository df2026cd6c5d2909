package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// tagStream is a fast sequence without repetition, for many tags.
func tagStream(seed uint64) func() uint64 {
	return func() uint64 {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
}

func tagBytes(tag uint64) []byte { return binary.LittleEndian.AppendUint64(nil, tag) }

// TestTagSetLaw: a set has every tag that it was made of, read back too, and its size is that of its class.
func TestTagSetLaw(t *testing.T) {
	size := map[int]int{}
	rapid.Check(t, func(t *rapid.T) {
		tags := rapid.SliceOfN(rapid.Uint64(), 0, 3000).Draw(t, "tags")
		s, err := NewTagSet(rand.Reader, append([]uint64(nil), tags...))
		if err != nil {
			t.Fatal(err)
		}
		b := s.Bytes()
		back, err := ReadTagSet(b, s.Class())
		if err != nil || !bytes.Equal(back.Bytes(), b) {
			t.Fatalf("read back: %v", err)
		}
		for _, tag := range tags {
			if !s.Has(tagBytes(tag)) || !back.Has(tagBytes(tag)) {
				t.Fatalf("%x is missing", tag)
			}
		}
		if was, ok := size[s.Class()]; ok && was != len(b) {
			t.Fatalf("two sets of the class %d have %d and %d bytes: the size tells more than the class", s.Class(), was, len(b))
		}
		size[s.Class()] = len(b)
		if s.Class() < len(tags)/2 && s.Class() > MinTagClass {
			t.Fatalf("%d tags are of the class %d", len(tags), s.Class())
		}
	})
}

func TestTagClass(t *testing.T) {
	for n, want := range map[int]int{0: 1024, 1: 1024, 1024: 1024, 1025: 2048, 2048: 2048, 1_000_000: 1 << 20, MaxTags: MaxTags} {
		if got := TagClass(n); got != want {
			t.Errorf("%d values: class %d, want %d", n, got, want)
		}
	}
}

// TestTagSetRefuses: a set whose numbers do not fit each other, the class or the bounds is refused.
func TestTagSetRefuses(t *testing.T) {
	s, err := NewTagSet(rand.Reader, []uint64{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	good := s.Bytes()
	change := func(at int, v uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name  string
		b     []byte
		class int
	}{
		{"nothing", nil, 1024},
		{"another magic", change(0, 0), 1024},
		{"a class that was not announced", good, 2048},
		{"a class that is none", good, 1000},
		{"class 0", good, 0},
		{"cut short", good[:len(good)-1], 1024},
		{"longer", append(bytes.Clone(good), 0, 0, 0, 0), 1024},
		{"segments of 0", change(20, 0), 1024},
		{"segments of 3", change(20, 3), 1024},
		{"huge segments", change(20, 1<<31), 1024},
		{"no segment", change(24, 0), 1024},
		{"many segments", change(24, 0xffffffff), 1024},
	} {
		if _, err := ReadTagSet(c.b, c.class); err == nil {
			t.Errorf("%s: was read", c.name)
		}
	}
}

// TestTagSetMillion: a million values in at most 5 MB, and not one of ten million others is found in it; at a rate of
// one in a billion, one would be found in a hundred such tests.
func TestTagSetMillion(t *testing.T) {
	const values, others = 1_000_000, 10_000_000
	next := tagStream(1)
	tags := make([]uint64, values)
	for i := range tags {
		tags[i] = next()
	}
	s, err := NewTagSet(rand.Reader, tags)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Bytes()); n > 5_000_000 {
		t.Errorf("%d bytes for a million values; at most 5,000,000", n)
	}
	found := 0
	for range others {
		if s.filter.Contains(next()) {
			found++
		}
	}
	if found > 1 {
		t.Errorf("%d of %d others are found", found, others)
	}
}

// FuzzTagSet: whatever bytes come, they are refused or can be asked, and are written as they were read.
func FuzzTagSet(f *testing.F) {
	s, err := NewTagSet(rand.Reader, []uint64{1, 2, 3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Bytes(), uint64(7))
	f.Add([]byte("PLDRTAG1"), uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, tag uint64) {
		s, err := ReadTagSet(b, MinTagClass)
		if err != nil {
			return
		}
		s.Has(tagBytes(tag))
		s.Has(tagBytes(^tag))
		if !bytes.Equal(s.Bytes(), b) {
			t.Error("it was written otherwise than read")
		}
	})
}

// BenchmarkTagSetMillion makes the filter of a million tags.
func BenchmarkTagSetMillion(b *testing.B) {
	next := tagStream(1)
	tags := make([]uint64, 1_000_000)
	for i := range tags {
		tags[i] = next()
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := NewTagSet(rand.Reader, append([]uint64(nil), tags...))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(s.Bytes())), "bytes")
	}
}
