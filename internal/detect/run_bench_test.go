package detect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/sigma"
)

// windowsRules are the Windows rules of the collected tree.
func windowsRules(tb testing.TB) *sigma.Collection {
	tb.Helper()
	var paths []string
	for _, dir := range []string{"rules", "rules-emerging-threats", "rules-threat-hunting"} {
		paths = append(paths, testdata.File(tb, "detect", "sigma", dir))
	}
	c, _ := sigma.Load(paths, sigma.LoadOptions{}) // two ask for a placeholder's list
	if len(c.Rules) < 3000 {
		tb.Fatalf("%d rules were loaded", len(c.Rules))
	}
	return c
}

// unpacked is the content of a packed log.
func unpacked(tb testing.TB, name string) []byte {
	tb.Helper()
	f, err := os.Open(filepath.Join(testdata.File(tb, "detect", "events"), name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// BenchmarkRun is the whole way: raw JSON in, findings out, with all rules of the collected tree, on one thread and on
// two, in turns with encoding/json decoding the same events into maps and doing nothing else. x is how many times that
// rate it is; scale what the second thread brings.
func BenchmarkRun(b *testing.B) {
	set, err := FixedRules(windowsRules(b), ownAdvice)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"windows_purplesharp_25993.jsonl.gz", "windows_mix_123169.jsonl.gz"} {
		log := unpacked(b, name)
		e := NewEngine(set, nil)
		runOnce(b, e, log, 1) // indexes are built when the first event of a source comes
		b.Run(name, func(b *testing.B) {
			var one, two, decoding time.Duration
			events := 0
			for b.Loop() {
				events = bytes.Count(log, []byte("\n"))
				one += runOnce(b, e, log, 1)
				two += runOnce(b, e, log, 2)
				decoding += decodeOnce(b, log)
			}
			n := float64(b.N) * float64(events)
			b.ReportMetric(n/one.Seconds(), "events/s")
			b.ReportMetric(n/decoding.Seconds(), "json-events/s")
			b.ReportMetric(decoding.Seconds()/one.Seconds(), "x")
			b.ReportMetric(one.Seconds()/two.Seconds(), "scale")
		})
	}
}

// runOnce judges a log and returns how long it took.
func runOnce(b *testing.B, e *Engine, log []byte, threads int) time.Duration {
	found := 0
	run, err := e.NewRun(RunOptions{Threads: threads}, func(*Finding) error { found++; return nil })
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now() //house:allow time.Now: a benchmark measures
	if _, err := run.File(context.Background(), strconv.Itoa(threads), bytes.NewReader(log)); err != nil || found == 0 {
		b.Fatalf("%d found: %v", found, err)
	}
	return time.Since(began)
}

// decodeOnce decodes every event into a map and returns how long it took.
func decodeOnce(b *testing.B, log []byte) time.Duration {
	began := time.Now() //house:allow time.Now: a benchmark measures
	for line := range bytes.Lines(log) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}
