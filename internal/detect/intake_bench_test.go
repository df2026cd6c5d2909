package detect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkAccept is a batch of 1,000 events of about 1,400 bytes made durable, by senders at the same time; to be read
// beside BenchmarkAcceptFloor of the same run.
func BenchmarkAccept(b *testing.B) {
	line := `{"EventID":1,"pad":"` + strings.Repeat("x", 1380) + `"}`
	batch := batchOf("f", strings.Split(strings.Repeat(line+"\n", 999)+line, "\n")...)
	for _, senders := range []int{1, 8} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			w := newAlertWorld(b)
			in := w.intake(IntakeOptions{Judge: newLineJudge(), Bound: 1 << 40})
			var left atomic.Int64
			left.Store(int64(b.N))
			b.SetBytes(int64(len(batch.Data)))
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range senders {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := in.Accept(batch); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkAcceptFloor is the same bytes written to a file and synced.
func BenchmarkAcceptFloor(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	noErr(b, err)
	defer f.Close()
	data := make([]byte, 1000*1402)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_, err := f.Write(data)
		noErr(b, err)
		noErr(b, f.Sync())
	}
}

// BenchmarkRecord is findings kept as alerts, a hundred a transaction.
func BenchmarkRecord(b *testing.B) {
	w := newAlertWorld(b)
	n := 0
	for b.Loop() {
		all := make([]Finding, recordBatch)
		for i := range all {
			n++
			all[i] = w.found(n)
			all[i].Host = fmt.Sprint("h", n%50)
			all[i].Time = all[i].Time.Add(time.Duration(n%1800) * time.Second)
		}
		_, err := w.Record(b.Context(), here, all)
		noErr(b, err)
	}
	b.ReportMetric(recordBatch*float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
}

// BenchmarkEventLines is the door's look at each line.
func BenchmarkEventLines(b *testing.B) {
	data := []byte(strings.Repeat(`{"EventID":1,"Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd /c echo 1","User":"MERIDIAAN\\s.dewit"}`+"\n", 10_000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_, _, err := checkLines(data)
		noErr(b, err)
	}
}
