package sigma

import (
	"bytes"
	"encoding/json"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/internal/testdata"
)

// benchSets are the files that speed is measured on.
var benchSets = []struct {
	name, file string
	every      int // of a long file every so many parts, so that all its data sets are in
}{
	{"purplesharp", "windows_purplesharp_25993.jsonl.gz", 1},
	{"mix", "windows_mix_123169.jsonl.gz", 3},
}

// perEvent is the lines measured: of a long file every fifth, so that all its data sets are in.
func perEvent(b testing.TB, file string) (out [][]byte, size int64) {
	all := lines(b, "detect", "events", file)
	every := 1 + len(all)/50000*2
	for i := 0; i < len(all); i += every {
		out = append(out, all[i])
		size += int64(len(all[i]))
	}
	return out, size
}

// BenchmarkMatch reads JSON lines and matches all rules for Windows against them, bytes in and rules out, on one
// thread. In turns with it encoding/json decodes the same lines into maps, so that what else the machine does slows both alike.
func BenchmarkMatch(b *testing.B) {
	e := engineOf(b, loadWindows(b))
	for _, set := range benchSets {
		chunks := chunksOf(b, testdata.File(b, "detect", "events", set.file))
		m := e.NewMatcher()
		for _, c := range chunks { // the rules for a source are put together at its first event; BenchmarkLoad has that
			matchAll(b, m, c)
		}
		b.Run(set.name, func(b *testing.B) {
			var match, decode time.Duration
			events, size := 0, 0
			for b.Loop() {
				for i := 0; i < len(chunks); i += set.every {
					start := time.Now()
					events += matchAll(b, m, chunks[i])
					match += time.Since(start)
					size += len(chunks[i].Data)
					decode += decodeAll(b, bytes.Split(bytes.TrimSpace(chunks[i].Data), []byte("\n")))
				}
			}
			mb := float64(size) / 1e6
			b.ReportMetric(mb/match.Seconds(), "MB/s")
			b.ReportMetric(float64(events)/match.Seconds(), "events/s")
			b.ReportMetric(mb/decode.Seconds(), "encoding/json-MB/s")
			b.ReportMetric(decode.Seconds()/match.Seconds(), "times-encoding/json")
		})
	}
}

// matchAll decodes a chunk and matches its events; it says how many there are.
func matchAll(b *testing.B, m *Matcher, c chunk) (events int) {
	var ev event.Event
	return c.decoder.Decode(c.Chunk, &ev, func(err *event.Error) bool {
		if err != nil {
			b.Fatal(err)
		}
		m.Match(&ev)
		return true
	})
}

// decodeAll is how long encoding/json takes for some lines.
func decodeAll(b *testing.B, block [][]byte) time.Duration {
	start := time.Now()
	for _, line := range block {
		var v map[string]any
		if err := json.Unmarshal(line, &v); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// sourcesOf are the sources of the benchmark's events.
func sourcesOf(b *testing.B) (out []*event.Source) {
	w := newWalker()
	for _, set := range benchSets {
		in, _ := perEvent(b, set.file)
		for _, line := range in {
			if s := w.read(line).Source; !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// BenchmarkLoad reads and compiles the whole tree of rules, and builds the index for each source of the benchmark.
func BenchmarkLoad(b *testing.B) {
	dir := testdata.File(b, "detect", "sigma")
	met := sourcesOf(b)
	for b.Loop() {
		c, _ := Load([]string{dir}, LoadOptions{})
		e := engineOf(b, c)
		for _, s := range met {
			e.bucket(s)
		}
		b.ReportMetric(float64(len(e.Rules())), "rules")
	}
	e, held := heldBy(b, dir)
	b.ReportMetric(held, "MB-held")
	b.ReportMetric(float64(e.Bytes())/(1<<20), "MB-index")
}

// heldBy is an engine that has met all benchmark events, and the memory that it and its matcher hold, in MB.
func heldBy(t testing.TB, dir string) (*Engine, float64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c, _ := Load([]string{dir}, LoadOptions{})
	e := engineOf(t, c)
	m := e.NewMatcher()
	meet := func() {
		w := newWalker()
		for _, set := range benchSets {
			in, _ := perEvent(t, set.file)
			for _, line := range in {
				m.Match(w.read(line))
			}
		}
	}
	meet()
	m.Match(newWalker().read([]byte("{}"))) // lets go of the last event's bytes
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(m)
	return e, float64(after.HeapAlloc-before.HeapAlloc) / (1 << 20)
}
