package screen

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// BenchmarkQueuePage is a page of fifty of a queue of 100,000 reviews: the first, one far behind, and one of few.
func BenchmarkQueuePage(b *testing.B) {
	w := newServiceWorld(b)
	manyDecisions(b, w, 100_000)
	deep := QueueFilter{}
	for range 200 {
		f := deep
		f.Limit = 200
		p, err := w.Queue(b.Context(), dirk, f)
		must(b, err)
		deep.Next = p.Next
	}
	for _, c := range []struct {
		name string
		f    QueueFilter
	}{
		{"first", QueueFilter{}}, {"deep", deep}, {"newest", QueueFilter{Sort: "-made"}}, {"all", QueueFilter{State: "all"}}, {"list", QueueFilter{List: "alpha"}},
		{"text of few", QueueFilter{Text: "r99999"}}, {"list of none", QueueFilter{List: "beta"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, err := w.Queue(b.Context(), dirk, c.f)
				must(b, err)
			}
		})
	}
	b.Run("waiting", func(b *testing.B) {
		for b.Loop() {
			_, err := w.Waiting(b.Context(), dirk)
			must(b, err)
		}
	})
	b.Run("counts", func(b *testing.B) {
		for b.Loop() {
			_, err := w.Counts(b.Context(), dirk)
			must(b, err)
		}
	})
}

// BenchmarkKeep puts 1,000 answers on record, every tenth with a hit that is new.
func BenchmarkKeep(b *testing.B) {
	w := newServiceWorld(b)
	list := lists.Meta{Name: "alpha", Date: "2026-11-01", SHA256: "00"}
	e := entry("1", firmOne)
	n := 0
	for b.Loop() {
		var answers []Answer
		for i := range 1000 {
			n++
			a := Answer{Query: company("", fmt.Sprint("Firm ", n)), Lists: []lists.Meta{list}, Threshold: 0.8}
			if i%10 == 0 {
				a.Hits = []Hit{{ID: "1", List: "alpha", Name: firmOne, Score: 0.9, Why: "alike", Listing: &e}}
			}
			answers = append(answers, a)
		}
		_, err := w.KeepAll(b.Context(), anna, answers, KeepOptions{})
		must(b, err)
	}
}

// BenchmarkWaitBesideWork is how long a small write of somebody else waits at most while 20,000 parties are imported and
// asked, every tenth with a hit: no transaction of the work holds the writer longer.
func BenchmarkWaitBesideWork(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := ready(b)
		b.StartTimer()
		stop, worst := make(chan struct{}), time.Duration(0)
		var beside sync.WaitGroup
		beside.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
				}
				start := time.Now()
				must(b, w.db.Write(b.Context(), func(*db.Tx) error { worst = max(worst, time.Since(start)); return nil }))
			}
		})
		start := time.Now()
		_, err := w.ImportParties(b.Context(), anna, Customers, manyRows(20_000, 10))
		must(b, err)
		imported := time.Since(start)
		must(b, w.Work(b.Context()))
		asked := time.Since(start) - imported
		close(stop)
		beside.Wait()
		b.ReportMetric(float64(worst.Microseconds())/1000, "ms-worst-wait")
		b.ReportMetric(20_000/imported.Seconds(), "imported/s")
		b.ReportMetric(20_000/asked.Seconds(), "asked/s")
	}
}
