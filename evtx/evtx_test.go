package evtx

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 1234500, time.UTC)

// system is a template like those of Windows: two attributes, one optional, and data under names.
var system = &element{name: "Event", depends: independent, attrs: []attr{{"xmlns", []any{text("http://example.org/event")}}}, children: []any{
	&element{name: "System", depends: independent, children: []any{
		&element{name: "Provider", depends: independent, attrs: []attr{{"Name", []any{text("Test")}}, {"Guid", []any{hole{0, 0x0f, true}}}}},
		&element{name: "EventID", depends: independent, children: []any{hole{1, 0x06, false}}},
		&element{name: "Version", depends: 2, children: []any{hole{2, 0x04, true}}},
	}},
	&element{name: "EventData", depends: independent, children: []any{
		&element{name: "Data", depends: independent, attrs: []attr{{"Name", []any{text("Image")}}}, children: []any{hole{3, 0x01, false}}},
	}},
}}

func systemRecord(id uint64, image string) record {
	return record{id: id, written: noon, template: system, values: []value{
		{typ: 0x0f, data: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
		{typ: 0x06, data: []byte{1, 0}},
		{typ: 0x00},
		{typ: 0x01, data: utf16le(image)},
	}}
}

func systemXML(image string) string {
	return `<Event xmlns="http://example.org/event"><System><Provider Name="Test" Guid="{04030201-0605-0807-090a-0b0c0d0e0f10}"/><EventID>1</EventID></System><EventData><Data Name="Image">` + image + `</Data></EventData></Event>`
}

// all reads a log to its end.
func all(t testing.TB, data []byte) (events []string, damage []*Damage) {
	t.Helper()
	r, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	for {
		rec, err := r.Next()
		var d *Damage
		switch {
		case err == io.EOF:
			return events, damage
		case errors.As(err, &d):
			damage = append(damage, d)
			continue
		case err != nil:
			t.Fatalf("Next: %v", err)
		}
		x, err := rec.AppendXML(nil)
		if errors.As(err, &d) {
			damage = append(damage, d)
			continue
		}
		if err != nil {
			t.Fatalf("AppendXML: %v", err)
		}
		events = append(events, string(x))
	}
}

func TestReadTemplates(t *testing.T) {
	var chunks [][]byte
	for c := range 3 {
		w := newChunkWriter()
		for i := range 5 {
			w.record(systemRecord(uint64(c*5+i+1), fmt.Sprintf(`C:\%d\é𝄞<&>".exe`, c*5+i)))
		}
		chunks = append(chunks, w.done())
	}
	data := file(chunks...)
	events, damage := all(t, data)
	if len(events) != 15 || len(damage) != 0 {
		t.Fatalf("%d events, %v", len(events), damage)
	}
	for i, x := range events {
		if want := systemXML(fmt.Sprintf(`C:\%d\é𝄞&lt;&amp;&gt;&quot;.exe`, i)); x != want {
			t.Fatalf("event %d:\n%s\nwant\n%s", i, x, want)
		}
	}
	r, err := NewReader(iotest.OneByteReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	h := r.Header()
	if !h.Sound || h.Dirty || h.Chunks != 3 || h.Major != 3 || h.NextRecord != 100 {
		t.Fatalf("header %+v", h)
	}
	for i := range 15 {
		rec, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if rec.ID != uint64(i+1) || !rec.Written.Equal(noon) || rec.Offset < HeaderSize || rec.Size < 40 {
			t.Fatalf("record %+v", rec)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatalf("at the end: %v", err)
	}
}

func le(n uint64, bytes int) []byte { return binary.LittleEndian.AppendUint64(nil, n)[:bytes] }

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

var sid = []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0}

func TestValues(t *testing.T) {
	filetime := le(uint64(noon.UnixNano()/100)+116444736000000000, 8)
	systime := cat(le(2026, 2), le(3, 2), le(1, 2), le(2, 2), le(12, 2), le(5, 2), le(6, 2), le(78, 2))
	for _, c := range []struct {
		name string
		typ  byte
		data []byte
		want string
	}{
		{"null", 0x00, nil, ""},
		{"string", 0x01, utf16le("abc"), "abc"},
		{"string filled with zeros", 0x01, cat(utf16le("abc"), make([]byte, 6)), "abc"},
		{"string of an odd number of bytes", 0x01, append(utf16le("ab"), 'x'), "ab"},
		{"half a pair", 0x01, []byte{0x34, 0xd8, 'a', 0}, "\ufffda"},
		{"the wrong half", 0x01, []byte{0x1e, 0xdd, 'a', 0}, "\ufffda"},
		{"ansi", 0x02, []byte{'a', 0xe9, 0}, "aé"},
		{"int8", 0x03, []byte{0xff}, "-1"},
		{"uint8", 0x04, []byte{0xff}, "255"},
		{"int16", 0x05, le(0xfffe, 2), "-2"},
		{"uint16", 0x06, le(65535, 2), "65535"},
		{"int32", 0x07, le(math.MaxUint32, 4), "-1"},
		{"uint32", 0x08, le(math.MaxUint32, 4), "4294967295"},
		{"int64", 0x09, le(math.MaxUint64, 8), "-1"},
		{"uint64", 0x0a, le(math.MaxUint64, 8), "18446744073709551615"},
		{"real32", 0x0b, le(uint64(math.Float32bits(1.5)), 4), "1.5"},
		{"real64", 0x0c, le(math.Float64bits(-0.25), 8), "-0.25"},
		{"true", 0x0d, le(1, 4), "true"},
		{"false", 0x0d, le(0, 4), "false"},
		{"a boolean of one byte", 0x0d, []byte{1}, "true"},
		{"a boolean of no byte", 0x0d, nil, ""},
		{"binary", 0x0e, []byte{0x0a, 0xff}, "0AFF"},
		{"size of 32 bits", 0x10, le(255, 4), "0xff"},
		{"size of 64 bits", 0x10, le(1<<40, 8), "0x10000000000"},
		{"file time", 0x11, filetime, "2026-03-02T12:00:00.0012345Z"},
		{"file time beyond time", 0x11, le(math.MaxUint64, 8), "0001-01-01T00:00:00.0000000Z"},
		{"system time", 0x12, systime, "2026-03-02T12:05:06.078Z"},
		{"sid", 0x13, sid, "S-1-5-32-544"},
		{"a sid cut off", 0x13, sid[:10], "01020000000000052000"},
		{"hex32", 0x14, le(0x3e7, 4), "0x3e7"},
		{"hex64", 0x15, le(0x8020000000000000, 8), "0x8020000000000000"},
		{"a guid cut off", 0x0f, []byte{1, 2}, "0102"},
		{"a type that is not known", 0x55, []byte{1, 2}, "0102"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(appendValue(nil, Type(c.typ), c.data))
			if got != c.want {
				t.Fatalf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestArrays(t *testing.T) {
	list := &element{name: "E", depends: independent, attrs: []attr{{"all", []any{hole{0, 0x81, false}}}}, children: []any{
		&element{name: "D", depends: independent, children: []any{hole{0, 0x81, false}}},
		&element{name: "M", depends: independent, children: []any{text("x"), hole{0, 0x81, false}}},
	}}
	for _, c := range []struct {
		name string
		typ  byte
		data []byte
		want string
	}{
		{"strings", 0x81, utf16le("a\x00\x00bc\x00"), `<E all="a,,bc"><D>a</D><D></D><D>bc</D><M>xa,,bc</M></E>`},
		{"no strings", 0x81, nil, `<E all=""><D></D><M>x</M></E>`},
		{"numbers", 0x86, cat(le(1, 2), le(2, 2)), `<E all="1,2"><D>1</D><D>2</D><M>x1,2</M></E>`},
		{"a number cut off", 0x88, cat(le(1, 4), le(2, 2)), `<E all="1,2"><D>1</D><D>2</D><M>x1,2</M></E>`},
		{"sids", 0x93, cat(sid, sid), `<E all="S-1-5-32-544,S-1-5-32-544"><D>S-1-5-32-544</D><D>S-1-5-32-544</D><M>xS-1-5-32-544,S-1-5-32-544</M></E>`},
		{"ansi", 0x82, []byte("a\x00b\x00"), `<E all="a,b"><D>a</D><D>b</D><M>xa,b</M></E>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newChunkWriter()
			w.record(record{id: 1, written: noon, template: list, values: []value{{typ: c.typ, data: c.data}}})
			events, damage := all(t, file(w.done()))
			if len(events) != 1 || len(damage) != 0 || events[0] != c.want {
				t.Fatalf("%s %v\nwant %s", events, damage, c.want)
			}
		})
	}
}

// TestPieces walks the tokens that templates seldom hold, and XML inside a value.
func TestPieces(t *testing.T) {
	inner := &element{name: "Inner", depends: independent, children: []any{hole{0, 0x01, false}}}
	outer := &element{name: "Event", depends: independent, children: []any{
		instruction{"target", "data"},
		&element{name: "Mixed", depends: independent, attrs: []attr{{"a", []any{text("x"), hole{1, 0x01, false}, charRef('y')}}},
			children: []any{text("a"), charRef(0xe9), entity("amp"), entity("lt"), entity("other"), cdata("<c>"), text("\x01")}},
		&element{name: "UserData", depends: independent, children: []any{hole{0, 0x21, false}}},
	}}
	w := newChunkWriter()
	for i, xml := range []func(w *chunkWriter){
		func(w *chunkWriter) { w.fragment(); w.instance(inner, []value{{typ: 0x01, data: utf16le("deep")}}) },
		func(w *chunkWriter) { w.element(&element{name: "Bare", children: []any{text("no template")}}, false) },
		func(w *chunkWriter) { w.fragment(); w.element(&element{name: "Bare", depends: independent}, true) },
		func(w *chunkWriter) {},
	} {
		w.record(record{id: uint64(i + 1), written: noon, template: outer, values: []value{{typ: 0x21, xml: xml}, {typ: 0x01, data: utf16le("-")}}})
	}
	w.record(record{id: 5, written: noon, plain: &element{name: "Plain", depends: independent, children: []any{text("t")}}})
	events, damage := all(t, file(w.done()))
	mixed := `<Event><Mixed a="x-y">aé&amp;&lt;&amp;other;&lt;c&gt;` + "\ufffd" + `</Mixed>`
	want := []string{
		mixed + `<UserData><Inner>deep</Inner></UserData></Event>`,
		mixed + `<UserData><Bare>no template</Bare></UserData></Event>`,
		mixed + `<UserData><Bare/></UserData></Event>`,
		mixed + `<UserData/></Event>`,
		`<Plain>t</Plain>`,
	}
	if len(damage) != 0 || strings.Join(events, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%v\n%s\nwant\n%s", damage, strings.Join(events, "\n"), strings.Join(want, "\n"))
	}
}

// TestRoundTrip: what the writer writes of any texts is what the reader reads, as XML that another parser takes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringN(0, 60, -1), 1, 20).Draw(t, "texts")
		w := newChunkWriter()
		for i, s := range texts {
			w.record(systemRecord(uint64(i+1), strings.TrimRight(s, "\x00")))
		}
		var c Chunk
		c.Reset(w.done(), 0)
		for i, s := range texts {
			rec, err := c.Next()
			if err != nil {
				t.Fatal(err)
			}
			x, err := rec.AppendXML(nil)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				EventData struct{ Data string }
			}
			if err := xml.Unmarshal(x, &got); err != nil {
				t.Fatalf("%v in %q", err, x)
			}
			if want := legible(strings.TrimRight(s, "\x00")); got.EventData.Data != want {
				t.Fatalf("record %d: %q, want %q", i, got.EventData.Data, want)
			}
		}
		if _, err := c.Next(); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	})
}

// legible is a text after a way through UTF-16 and XML.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff {
			return 0xfffd
		}
		return r
	}, s)
}
