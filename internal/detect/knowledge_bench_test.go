package detect

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/testdata"
)

// manyLines is a plain list of n names, addresses and hashes, read as it is made.
type manyLines struct {
	n, i int
	rest []byte
}

func (l *manyLines) Read(p []byte) (int, error) {
	for len(l.rest) < len(p) && l.i < l.n {
		x := uint64(l.i)*0x9E3779B97F4A7C15 ^ 0x5bd1e995
		switch l.i % 3 {
		case 0:
			l.rest = fmt.Appendf(l.rest, "host-%x.bad%d.com\n", x>>20, x%9973)
		case 1:
			l.rest = fmt.Appendf(l.rest, "%d.%d.%d.%d\n", 11+x%80, x>>8&255, x>>16&255, x>>24&255)
		case 2:
			l.rest = fmt.Appendf(l.rest, "%016x%016x%016xabcdef0123456789\n", x, x*3, x*7)
		}
		l.i++
	}
	if len(l.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// BenchmarkKnowledge holds real events against five million indicators, beside decoding the same events: with this
// package's decoder, and with encoding/json into maps.
func BenchmarkKnowledge(b *testing.B) {
	k := NewKnowledge(nil)
	report, err := k.LoadFile(&manyLines{n: 5_000_000}, indicator.LoadOptions{Name: "many.txt"})
	if err != nil || report.Values < 4_900_000 {
		b.Fatalf("%+v, %v", report, err)
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.Logf("%d indicators: heap %.0f MB", k.Len(), float64(m.HeapAlloc)/1e6)
	for _, file := range []string{"windows_purplesharp_25993.jsonl.gz"} {
		text := plain(b, testdata.File(b, "detect", "events", file))
		lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")[:5000]
		text = strings.Join(lines, "")
		matcher, observer, observables := k.NewMatcher(), NewObserver(), 0
		eventsOf(b, text, file, "", func(ev *event.Event) {
			observer.Observe(ev, func(indicator.Kind, []byte, event.Name) { observables++ })
		})
		perEvent := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(lines)), "ns/event")
		}
		b.Run("decode", func(b *testing.B) {
			for b.Loop() {
				eventsOf(b, text, file, "", func(*event.Event) {})
			}
			perEvent(b)
		})
		b.Run("decode+check", func(b *testing.B) {
			for b.Loop() {
				eventsOf(b, text, file, "", func(ev *event.Event) { matcher.Match(ev) })
			}
			perEvent(b)
			b.ReportMetric(float64(observables)/float64(len(lines)), "observables/event")
		})
		b.Run("encoding-json", func(b *testing.B) {
			for b.Loop() {
				for _, line := range lines {
					var into map[string]any
					if err := json.Unmarshal([]byte(line), &into); err != nil {
						b.Fatal(err)
					}
				}
			}
			perEvent(b)
		})
	}
}

func plain(b *testing.B, file string) string {
	f, err := os.Open(file)
	good(b, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	good(b, err)
	all, err := io.ReadAll(z)
	good(b, err)
	return string(all)
}
