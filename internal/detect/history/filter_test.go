package history

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func genEntry(t *rapid.T) *entry {
	n := rapid.Int64Range(0, 1<<50)
	e := &entry{Name: rapid.StringN(0, 30, 60).Draw(t, "name"), Bytes: n.Draw(t, "bytes"), Rows: n.Draw(t, "rows"), First: n.Draw(t, "first"),
		Last: n.Draw(t, "last"), Received: n.Draw(t, "received"), Whole: rapid.Bool().Draw(t, "whole"),
		Replaces: rapid.SliceOfN(rapid.StringN(1, 20, 40), 0, 3).Draw(t, "replaces")}
	if len(e.Replaces) == 0 {
		e.Replaces = nil
	}
	e.sums = sums{tail: n.Draw(t, "tail"), sum: rapid.Uint32().Draw(t, "sum"), blooms: []uint32{1, 2}}
	if err := e.setKeys(rapid.SliceOfN(rapid.Uint64(), 0, 300).Draw(t, "keys")); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestFiltersAreReadAsWritten, and of damage only what comes before it is read.
func TestFiltersAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := []byte(filterMagic)
		var all []*entry
		for range rapid.IntRange(0, 4).Draw(t, "count") {
			all = append(all, genEntry(t))
			data = all[len(all)-1].append(data)
		}
		got, err := readFilters(data)
		if err != nil || !reflect.DeepEqual(got, all) {
			t.Fatalf("read %v: %v", got, err)
		}
		bad := slices.Clone(data)
		at := rapid.IntRange(0, len(bad)-1).Draw(t, "at")
		cut := rapid.Bool().Draw(t, "cut")
		if cut {
			bad = bad[:at]
		} else {
			bad[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		}
		got, err = readFilters(bad)
		if len(got) > len(all) || len(got) > 0 && !reflect.DeepEqual(got, all[:len(got)]) {
			t.Fatalf("of damage, %d entries that were not written", len(got))
		}
		if err == nil && (!cut || len(got) == len(all)) || err != nil && !errors.Is(err, errFilters) {
			t.Fatalf("damage at byte %d of %d is not seen: %v", at, len(data), err)
		}
	})
}

// TestFilterHasItsKeys, and few others.
func TestFilterHasItsKeys(t *testing.T) {
	var e entry
	var keys []uint64
	for i := range 10_000 {
		keys = append(keys, key("domain", string(rune(i))+"x"))
	}
	if err := e.setKeys(slices.Concat(keys, keys)); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i, k := range keys {
		if !e.has(k) {
			t.Fatalf("key %d is missing", i)
		}
		if e.has(k + 1) {
			wrong++
		}
	}
	if wrong > 100 {
		t.Errorf("%d of 10,000 keys that are not in it", wrong)
	}
	if (&entry{}).has(1) {
		t.Error("an empty filter has a key")
	}
}

func FuzzReadFilters(f *testing.F) {
	var e entry
	_ = e.setKeys([]uint64{1, 2, 3})
	e.Name, e.Replaces = "14-000001.parquet", []string{"a"}
	f.Add(e.append([]byte(filterMagic)), uint64(2))
	f.Add([]byte(filterMagic), uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, k uint64) {
		// A sum is easily met by a fuzzer that is told it, so entries are read without it too.
		entries, _ := readFilters(data)
		if e, err := readEntry(data); err == nil {
			entries = append(entries, e)
		}
		for _, e := range entries {
			e.has(k)
			again, err := readEntry(e.appendBody(nil))
			if err != nil || !slices.Equal(again.appendBody(nil), e.appendBody(nil)) {
				t.Fatalf("what was read is not read again: %v", err)
			}
		}
	})
}
