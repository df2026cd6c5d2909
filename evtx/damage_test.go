package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// fiveRecords is a chunk of five records and where they begin.
func fiveRecords() (chunk []byte, at []int) {
	w := newChunkWriter()
	for i := range 5 {
		at = append(at, len(w.b))
		w.record(systemRecord(uint64(i+1), "x"))
	}
	return w.done(), append(at, len(w.b))
}

// seal puts the checksum of the records right, as if the damage had been there before.
func seal(chunk []byte) {
	le := binary.LittleEndian
	le.PutUint32(chunk[52:], crc32.ChecksumIEEE(chunk[512:le.Uint32(chunk[48:])]))
	le.PutUint32(chunk[124:], crc32.Update(crc32.ChecksumIEEE(chunk[:120]), crc32.IEEETable, chunk[128:512]))
}

func TestDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		hurt   func(file, chunk []byte, at []int) []byte
		events int
		texts  []string // of the damage, in order
		lost   int
	}{
		{"none", func(f, c []byte, at []int) []byte { return f }, 10, nil, 0},
		{"the file header's checksum", func(f, c []byte, at []int) []byte { f[20] ^= 1; return f }, 10, []string{"file header"}, 0},
		{"the chunk header's checksum", func(f, c []byte, at []int) []byte { c[200] ^= 1; return f }, 10, []string{"chunk's header"}, 0},
		{"a bit in a value", func(f, c []byte, at []int) []byte { c[at[3]-10] ^= 1; return f }, 10, []string{"chunk's records"}, 0},
		{"no checksums at all", func(f, c []byte, at []int) []byte {
			copy(c[52:], make([]byte, 4))
			copy(c[120:], []byte{4, 0, 0, 0, 0, 0, 0, 0})
			return f
		}, 10, nil, 0},
		{"a record's size in front", func(f, c []byte, at []int) []byte { c[at[2]+4]++; return f }, 9, []string{"chunk's records", "in front"}, 1},
		{"a record's size behind", func(f, c []byte, at []int) []byte { c[at[3]-3]++; return f }, 9, []string{"chunk's records", "behind"}, 1},
		{"a record's size of nothing", func(f, c []byte, at []int) []byte { copy(c[at[2]+4:], make([]byte, 4)); return f }, 9, []string{"chunk's records", "claims 0 bytes"}, 1},
		{"a record's signature, with a right checksum", func(f, c []byte, at []int) []byte { c[at[1]] = 0; seal(c); return f }, 9, []string{"no record"}, 1},
		{"the first record, which holds the template", func(f, c []byte, at []int) []byte { copy(c[at[0]:at[1]], make([]byte, at[1]-at[0])); return f }, 5,
			[]string{"chunk's records", "no record", "holds no element", "holds no element", "holds no element", "holds no element"}, 5},
		{"a chunk's signature", func(f, c []byte, at []int) []byte { c[0] = 'x'; return f }, 10, []string{"does not begin with ElfChnk"}, 1},
		{"an empty chunk", func(f, c []byte, at []int) []byte { copy(c, make([]byte, len(c))); return f }, 5, nil, 0},
		{"a token", func(f, c []byte, at []int) []byte { c[at[1]+28] = 0x3f; seal(c); return f }, 9, []string{"token"}, 1},
		{"cut off amid a record", func(f, c []byte, at []int) []byte { return f[:HeaderSize+ChunkSize+at[3]+40] }, 8, []string{"the file ends", "cut off"}, 2},
		{"cut off between records", func(f, c []byte, at []int) []byte { return f[:HeaderSize+ChunkSize+at[3]] }, 8, []string{"the file ends"}, 1},
		{"cut off before the first record", func(f, c []byte, at []int) []byte { return f[:HeaderSize+ChunkSize+100] }, 5, []string{"before its first record"}, 1},
		{"cut off behind the records", func(f, c []byte, at []int) []byte { return f[:HeaderSize+ChunkSize+at[5]] }, 10, nil, 0},
		{"cut off behind the header", func(f, c []byte, at []int) []byte { return f[:HeaderSize] }, 0, nil, 0},
		{"a count that was not brought up to date", func(f, c []byte, at []int) []byte {
			binary.LittleEndian.PutUint32(c[48:], uint32(at[3])) // the chunk was written on
			return f
		}, 10, []string{"chunk's header"}, 0},
		{"older records behind the end", func(f, c []byte, at []int) []byte {
			binary.LittleEndian.PutUint32(c[48:], uint32(at[3])) // the chunk is sound with three
			seal(c)
			return f
		}, 8, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, at := fiveRecords()
			second, _ := fiveRecords()
			data := file(first, second)
			hurt := data[HeaderSize : HeaderSize+ChunkSize]
			events, damage := all(t, c.hurt(data, hurt, at))
			lost := 0
			var texts []string
			for _, d := range damage {
				texts = append(texts, d.Text)
				if d.Lost {
					lost++
				}
			}
			if len(events) != c.events || len(damage) != len(c.texts) || lost != c.lost {
				t.Fatalf("%d events, %d lost, %q; want %d, %d, %q", len(events), lost, texts, c.events, c.lost, c.texts)
			}
			for i, want := range c.texts {
				if !strings.Contains(texts[i], want) {
					t.Fatalf("damage %d: %q, want %q", i, texts[i], want)
				}
			}
		})
	}
}

func TestNoLog(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       error
	}{
		{"empty", "", ErrFormat},
		{"another file", strings.Repeat("ElfChnk\x00", 100), ErrFormat},
		{"a log of Windows XP", "\x30\x00\x00\x00LfLe", ErrFormat},
		{"a header cut off", Magic + "short", io.ErrUnexpectedEOF},
	} {
		if _, err := NewReader(strings.NewReader(c.data)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := NewReader(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader that fails: %v", err)
	}
	chunk, _ := fiveRecords()
	r, err := NewReader(io.MultiReader(bytes.NewReader(file(chunk)), iotest.ErrReader(io.ErrClosedPipe)))
	for n := 0; err == nil; n++ {
		if _, err = r.Next(); err != nil && n != 5 {
			t.Fatalf("after %d records: %v", n, err)
		}
	}
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader that fails later: %v", err)
	}
}

// hostile is a log with one record of these bytes behind its frame.
func hostile(body func(w *chunkWriter)) []byte {
	w := newChunkWriter()
	at := len(w.b)
	w.b = append(w.b, "\x2a\x2a\x00\x00"...)
	w.u32(0)
	w.u64(1)
	w.u64(0)
	body(w)
	size := uint32(len(w.b) - at + 4)
	w.u32(size)
	binary.LittleEndian.PutUint32(w.b[at+4:], size)
	w.first, w.last = 1, 1
	return file(w.done())
}

// TestHostile: records made to harm end with a word, soon, whatever they say of themselves.
func TestHostile(t *testing.T) {
	self := &element{name: "E", depends: independent}
	for _, c := range []struct {
		name string
		body func(w *chunkWriter)
		want string
	}{
		{"a template that holds itself", func(w *chunkWriter) {
			// The definition's element holds an instance whose definition is the one around it.
			at := uint32(len(w.b) + 10)
			w.b = append(w.b, 0x0c, 1, 0, 0, 0, 0)
			w.u32(at)
			w.u32(0)
			w.b = append(w.b, make([]byte, 16)...)
			fill := w.size()
			w.b = append(w.b, 0x0c, 1, 0, 0, 0, 0)
			w.u32(at)
			w.u32(0) // no values
			fill()
			w.u32(0)
		}, "nests deeper"},
		{"a value of XML that is cut off", func(w *chunkWriter) {
			w.instance(&element{name: "E", depends: independent, children: []any{hole{0, 0x21, false}}}, []value{{typ: 0x21, data: []byte{0x0c}}})
		}, "cut off"},
		{"two thousand values of XML in each other's place", func(w *chunkWriter) {
			var holes []any
			for range 2000 {
				holes = append(holes, hole{0, 0x21, false})
			}
			w.instance(&element{name: "E", depends: independent, children: holes}, []value{{typ: 0x21, xml: func(w *chunkWriter) {
				var holes []any
				for range 2000 {
					holes = append(holes, hole{0, 0x01, false})
				}
				w.instance(&element{name: "F", depends: independent, children: holes}, []value{{typ: 0x01, data: []byte("aa")}})
			}}})
		}, "too many elements"},
		{"a long value a thousand times", func(w *chunkWriter) {
			var holes []any
			for range 1000 {
				holes = append(holes, hole{0, 0x01, false})
			}
			w.instance(&element{name: "E", depends: independent, children: holes}, []value{{typ: 0x01, data: bytes.Repeat([]byte{'a', 0}, 10000)}})
		}, "too much text"},
		{"elements in each other", func(w *chunkWriter) {
			e := &element{name: "E", depends: independent}
			for range MaxDepth {
				e = &element{name: "E", depends: independent, children: []any{e}}
			}
			w.element(e, true)
		}, "nests deeper"},
		{"an element that is not closed", func(w *chunkWriter) {
			w.element(self, true)
			w.b[len(w.b)-1] = 0x02
		}, "closes more or fewer"},
		{"a close without an open", func(w *chunkWriter) { w.u8(0x04) }, "closes more or fewer"},
		{"values that reach out", func(w *chunkWriter) {
			w.instance(self, []value{{typ: 0x01, data: []byte("ab")}})
			w.b[len(w.b)-6] = 0xff
		}, "reach past"},
		{"a count of values of four thousand million", func(w *chunkWriter) {
			w.instance(self, nil)
			copy(w.b[len(w.b)-4:], []byte{0xff, 0xff, 0xff, 0xff})
		}, "reach past"},
		{"a definition outside the chunk", func(w *chunkWriter) {
			w.b = append(w.b, 0x0c, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f)
		}, "impossible place"},
		{"a name outside the chunk", func(w *chunkWriter) {
			w.b = append(w.b, 0x01, 0xff, 0xff, 0, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff, 0x03)
		}, "impossible place"},
		{"a text longer than its record", func(w *chunkWriter) { w.b = append(w.b, 0x05, 1, 0xff, 0xff) }, "cut off"},
		{"nothing", func(w *chunkWriter) {}, "no element"},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			_, damage := all(t, hostile(c.body))
			if len(damage) != 1 || !strings.Contains(damage[0].Text, c.want) || !damage[0].Lost {
				t.Fatalf("%v, want %q", damage, c.want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Fatalf("took %v", took)
			}
		})
	}
}

// TestHostileNames: a name cannot end its tag.
func TestHostileNames(t *testing.T) {
	w := newChunkWriter()
	w.record(record{id: 1, written: noon, plain: &element{name: `E><x y="`, depends: independent, attrs: []attr{{`a="b" c`, []any{text("v")}}}}})
	events, damage := all(t, file(w.done()))
	if len(damage) != 0 || len(events) != 1 || events[0] != `<E__x_y__ a__b__c="v"/>` {
		t.Fatalf("%q %v", events, damage)
	}
}

// FuzzReader: no file makes the reader panic or go on for ever, and each record it gives has XML that ends.
func FuzzReader(f *testing.F) {
	chunk, at := fiveRecords()
	f.Add(file(chunk)[:HeaderSize+at[5]])
	w := newChunkWriter()
	w.record(record{id: 1, written: noon, plain: &element{name: "P", depends: independent, children: []any{charRef('x'), entity("lt"), cdata("c")}}})
	f.Add(file(w.done())[:HeaderSize+len(w.b)])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 512 {
			copy(data, Magic)
		}
		r, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		var buf []byte
		for n := 0; ; n++ {
			if n > len(data) {
				t.Fatal("more records than bytes")
			}
			rec, err := r.Next()
			if err == io.EOF {
				return
			}
			if rec == nil {
				continue
			}
			if buf, err = rec.AppendXML(buf[:0]); err != nil {
				continue
			}
			if len(buf) > 8*MaxText+MaxSteps*2*maxName {
				t.Fatalf("%d bytes of XML", len(buf))
			}
		}
	})
}

// FuzzChunk goes straight at the records: the frame is put right around the bytes.
func FuzzChunk(f *testing.F) {
	chunk, at := fiveRecords()
	f.Add(chunk[at[0]+24 : at[1]-4])
	f.Add(chunk[at[1]+24 : at[2]-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 40000 {
			return
		}
		r, err := NewReader(bytes.NewReader(hostile(func(w *chunkWriter) { w.b = append(w.b, body...) })))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			rec, err := r.Next()
			if err == io.EOF {
				return
			}
			if rec != nil {
				_, _ = rec.AppendXML(nil)
			}
		}
	})
}

// BenchmarkVisit walks the records of a chunk, beside the checksum of the same bytes.
func BenchmarkVisit(b *testing.B) {
	w := newChunkWriter()
	n := 0
	for ; len(w.b) < 60000; n++ {
		w.record(systemRecord(uint64(n+1), `C:\Windows\System32\cmd.exe`))
	}
	data := w.done()
	var c Chunk
	var none nobody
	b.Run("visit", func(b *testing.B) {
		b.SetBytes(ChunkSize)
		b.ReportAllocs()
		for b.Loop() {
			c.Reset(data, 0)
			for {
				rec, err := c.Next()
				if err != nil {
					break
				}
				if err := rec.Visit(&none); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("crc32", func(b *testing.B) {
		b.SetBytes(ChunkSize)
		for b.Loop() {
			crc32.ChecksumIEEE(data)
		}
	})
}

// nobody looks at nothing.
type nobody struct{ n int }

func (v *nobody) Start(string)       { v.n++ }
func (v *nobody) Attr(string, Value) { v.n++ }
func (v *nobody) Text(Value)         { v.n++ }
func (v *nobody) End()               { v.n++ }
