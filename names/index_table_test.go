package names

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A table gives exactly what was put under a key, and a list turned twice is the list again.
func TestKeyTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e keyEntries
		want := map[uint32][]uint32{}
		keys := rapid.SampledFrom([]uint32{0, 1, 2, 1 << 31, 1<<31 + 1, 1<<32 - 1, 77})
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			key := rapid.OneOf(keys, rapid.Uint32()).Draw(t, "key")
			id := rapid.Uint32Range(0, 9).Draw(t, "id")
			e.add(key, id)
			if !slices.Contains(want[key], id) {
				want[key] = append(want[key], id)
			}
		}
		table := e.table()
		for key, ids := range want {
			slices.Sort(ids)
			if got := table.find(key); !slices.Equal(got, ids) {
				t.Fatalf("key %d: got %v, want %v", key, got, ids)
			}
		}
		if key := rapid.Uint32().Draw(t, "other"); want[key] == nil && len(table.find(key)) > 0 {
			t.Fatalf("key %d was never put in, but is found", key)
		}
	})
}

func TestListsTurned(t *testing.T) {
	var l rows
	l.add([]uint32{2, 0, 2})
	l.add(nil)
	l.add([]uint32{0, 3})
	turned := l.turned(4)
	for item, want := range [][]uint32{{0, 2}, {}, {0}, {2}} {
		if got := turned.of(uint32(item)); !slices.Equal(got, want) {
			t.Errorf("item %d is in %v, want %v", item, got, want)
		}
	}
}
