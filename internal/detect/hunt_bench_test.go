package detect

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/internal/detect/history"
	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/sigma"
)

// BenchmarkRulesOverHistory runs all Windows rules over events of a real attack: live, as they stand in their file, with as
// many goroutines as the machine has processors, and as they stand in a history. Both decode nothing into maps; a history
// decodes nothing at all, but undoes its compression; the file is read without any.
func BenchmarkRulesOverHistory(b *testing.B) {
	rules, _ := sigma.Load([]string{testdata.File(b, "detect", "sigma", "rules", "windows")}, sigma.LoadOptions{})
	engine, err := sigma.Compile(rules, sigma.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"windows_purplesharp", "windows_mix"} {
		log := benchLog(b, name)
		b.Run(name+"/live", func(b *testing.B) {
			events, hits := int64(0), int64(0)
			for b.Loop() {
				events, hits = liveMatches(b, engine, log)
			}
			b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(hits), "hits")
		})
		dir := filepath.Join(b.TempDir(), "history")
		ingestBench(b, dir, name, log)
		store, err := history.Open(dir, history.Options{ReadOnly: true})
		if err != nil {
			b.Fatal(err)
		}
		number := map[*sigma.Rule]int{}
		for i, r := range rules.Rules {
			number[r] = i
		}
		q := history.Query{Match: func() history.Matcher { return &ruleMatcher{rules: engine.NewMatcher(), number: number} }}
		b.Run(name+"/history", func(b *testing.B) {
			var done Hunted
			for b.Loop() {
				h := Hunt{Store: store}
				if done, err = h.run(context.Background(), q, func(*history.Hit) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(done.Events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(done.Findings), "hits")
		})
	}
}

// benchLog is a log of the real data, its compression undone.
func benchLog(b *testing.B, name string) []byte {
	b.Helper()
	files, _ := filepath.Glob(filepath.Join(testdata.File(b, "detect", "events"), name+"*"))
	if len(files) == 0 {
		b.Fatalf("the real data has no events %s", name)
	}
	f, err := os.Open(files[0])
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	in, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	data, err := io.ReadAll(in)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func ingestBench(b *testing.B, dir, name string, log []byte) {
	b.Helper()
	store, err := history.Open(dir, history.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := Ingest(context.Background(), store, name, bytes.NewReader(log), "", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		b.Fatal(err)
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
}

// liveMatches is what a run over the file does, without its report.
func liveMatches(b *testing.B, engine *sigma.Engine, log []byte) (events, hits int64) {
	s, err := event.Open(bytes.NewReader(log), event.Options{})
	if err != nil {
		b.Fatal(err)
	}
	type sum struct{ events, hits int64 }
	chunks, sums := make(chan event.Chunk), make(chan sum)
	workers := runtime.GOMAXPROCS(0)
	for range workers {
		go func() {
			var ev event.Event
			var n sum
			d, m := s.NewDecoder(), engine.NewMatcher()
			for c := range chunks {
				d.Decode(c, &ev, func(bad *event.Error) bool {
					if bad == nil {
						n.events++
						n.hits += int64(len(m.Match(&ev)))
					}
					return true
				})
			}
			sums <- n
		}()
	}
	for {
		c, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		chunks <- c
	}
	close(chunks)
	for range workers {
		n := <-sums
		events, hits = events+n.events, hits+n.hits
	}
	return events, hits
}
