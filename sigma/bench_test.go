package sigma

import (
	"encoding/json"
	"runtime"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// benchSets are the files that speed is measured on.
var benchSets = []struct{ name, file string }{
	{"purplesharp", "windows_purplesharp_25993.jsonl.gz"},
	{"mix", "windows_mix_123169.jsonl.gz"},
}

// perEvent is the lines measured: of a long file every fifth, so that all its data sets are in.
func perEvent(b *testing.B, file string) (out [][]byte, size int64) {
	all := lines(b, "detect", "events", file)
	every := 1 + len(all)/50000*2
	for i := 0; i < len(all); i += every {
		out = append(out, all[i])
		size += int64(len(all[i]))
	}
	return out, size
}

// BenchmarkMatch matches all rules for Windows against JSON lines, raw lines in and rules out, on one thread; beside it
// encoding/json decodes the same lines into maps.
func BenchmarkMatch(b *testing.B) {
	e := engineOf(b, loadWindows(b))
	for _, set := range benchSets {
		in, size := perEvent(b, set.file)
		m, w := e.NewMatcher(), newWalker()
		b.Run(set.name+"/engine", func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				for _, line := range in {
					n += len(m.Match(w.read(line)))
				}
			}
			b.ReportMetric(float64(len(in)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
		b.Run(set.name+"/walk", func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				for _, line := range in {
					w.read(line)
				}
			}
		})
		b.Run(set.name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				for _, line := range in {
					var v map[string]any
					if err := json.Unmarshal(line, &v); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(len(in)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkLoad reads and compiles the whole tree of rules.
func BenchmarkLoad(b *testing.B) {
	dir := testdata.File(b, "detect", "sigma")
	for b.Loop() {
		c, _ := Load([]string{dir}, LoadOptions{})
		e := engineOf(b, c)
		b.ReportMetric(float64(len(e.Rules())), "rules")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c, _ := Load([]string{dir}, LoadOptions{})
	e := engineOf(b, c)
	m, w := e.NewMatcher(), newWalker()
	for _, set := range benchSets {
		in, _ := perEvent(b, set.file)
		for _, line := range in {
			m.Match(w.read(line))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-resident")
	b.ReportMetric(float64(e.Bytes())/(1<<20), "MB-index")
	runtime.KeepAlive(m)
}
