package history

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/event"
)

// TestLayoutGivesTheEventBack: what a matcher sees of an event from history is what it would have seen live.
func TestLayoutGivesTheEventBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.ByteRange('a', 'e'), 0, 60).Draw(t, "raw")
		raw = append(make([]byte, 0, len(raw)+rapid.IntRange(0, 9).Draw(t, "spare")), raw...)
		ev := &event.Event{Raw: raw, Source: someSource, Mapping: someMapping}
		for range rapid.IntRange(0, 8).Draw(t, "fields") {
			f := event.Field{Name: event.Intern(rapid.SampledFrom([]string{"a", "b.c", "d"}).Draw(t, "name")),
				Kind: event.Kind(rapid.IntRange(0, 3).Draw(t, "kind")), Escaped: rapid.Bool().Draw(t, "escaped")}
			if from := rapid.IntRange(0, len(raw)).Draw(t, "from"); rapid.Bool().Draw(t, "inside") {
				f.Value = raw[from:rapid.IntRange(from, len(raw)).Draw(t, "to")]
			} else {
				f.Value = rapid.SliceOfN(rapid.ByteRange('a', 'z'), 0, 20).Draw(t, "value")
			}
			ev.Fields = append(ev.Fields, f)
		}
		l := &layout{names: []event.Name{event.Other}, sources: map[uint64]*event.Source{3: someSource}, mappings: map[uint64]*event.Mapping{5: someMapping}}
		data := appendLayout(nil, ev, 3, 5)
		if _, _, ok := eachName(data, func(n uint64) { l.setName(n, event.Name(n)) }); !ok {
			t.Fatal("its names cannot be read")
		}
		got := &event.Event{Raw: append([]byte(nil), raw...)}
		if err := l.read(data, got); err != nil {
			t.Fatal(err)
		}
		if got.Source != ev.Source || got.Mapping != ev.Mapping || len(got.Fields) != len(ev.Fields) {
			t.Fatalf("got %+v, want %+v", got, ev)
		}
		for i, f := range got.Fields {
			w := ev.Fields[i]
			if f.Name != w.Name || f.Kind != w.Kind || f.Escaped != w.Escaped || string(f.Value) != string(w.Value) {
				t.Fatalf("field %d: got %+v, want %+v", i, f, w)
			}
		}
	})
}

func FuzzLayout(f *testing.F) {
	ev := saying(received, [2]string{"ipv4", "10.1.2.3"}, [2]string{"x", "not in it"}).event()
	ev.Fields[1].Value = []byte("elsewhere")
	f.Add(appendLayout(nil, ev, 0, 0), ev.Raw)
	f.Fuzz(func(t *testing.T, data, raw []byte) {
		l := &layout{sources: map[uint64]*event.Source{0: someSource}, mappings: map[uint64]*event.Mapping{0: someMapping}}
		for n := range uint64(300) {
			l.setName(n, event.Name(n))
		}
		e := event.Event{Raw: raw}
		if l.read(data, &e) != nil {
			return
		}
		if _, _, ok := eachName(data, func(uint64) {}); !ok {
			t.Fatal("a layout is read whose names cannot be")
		}
		again := event.Event{Raw: raw}
		if err := l.read(appendLayout(nil, &e, 0, 0), &again); err != nil || len(again.Fields) != len(e.Fields) {
			t.Fatalf("what was read is not read again: %v", err)
		}
	})
}
