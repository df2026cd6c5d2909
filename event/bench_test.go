package event

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// unpacked is at most max bytes of a gzip file of the real data, to the end of a line.
func unpacked(t testing.TB, max int, elem ...string) []byte {
	t.Helper()
	f, err := os.Open(testdata.File(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(io.LimitReader(z, int64(max)))
	if err != nil {
		t.Fatal(err)
	}
	return data[:bytes.LastIndexByte(data, '\n')+1]
}

// BenchmarkDecode reads Windows events in one goroutine, beside what the standard library does with the same bytes.
func BenchmarkDecode(b *testing.B) {
	for _, file := range []string{"windows_purplesharp_25993.jsonl.gz", "windows_mix_123169.jsonl.gz"} {
		data := unpacked(b, 32<<20, "detect", "events", file)
		b.Run(file[:11]+"/event", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			events := 0
			for b.Loop() {
				s, err := Open(bytes.NewReader(data), Options{})
				if err != nil {
					b.Fatal(err)
				}
				d := s.NewDecoder()
				var e Event
				for {
					c, err := s.Next()
					if err == io.EOF {
						break
					}
					d.Decode(c, &e, func(err *Error) bool {
						if err != nil || len(e.Fields) == 0 {
							b.Fatal(err)
						}
						events++
						return true
					})
				}
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
		lines := bytes.Split(bytes.TrimSpace(data), []byte{'\n'})
		b.Run(file[:11]+"/valid", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				for _, l := range lines {
					if !json.Valid(l) {
						b.Fatal("not JSON")
					}
				}
			}
		})
		b.Run(file[:11]+"/maps", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				for _, l := range lines {
					var m map[string]any
					if err := json.Unmarshal(l, &m); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkCut finds the borders of records, in lines and in a list of objects.
func BenchmarkCut(b *testing.B) {
	data := unpacked(b, 16<<20, "detect", "events", "windows_purplesharp_25993.jsonl.gz")
	list := append(append([]byte("[ "), bytes.ReplaceAll(bytes.TrimSpace(data), []byte{'\n'}, []byte(",\n"))...), ']')
	for name, in := range map[string][]byte{"lines": data, "list": list} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				s, err := Open(bytes.NewReader(in), Options{})
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for {
					c, err := s.Next()
					if err != nil {
						break
					}
					n += c.Len()
				}
				if n < 9000 {
					b.Fatal(n)
				}
			}
		})
	}
}
