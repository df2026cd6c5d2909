package screen

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
)

func TestBatch(t *testing.T) {
	w := ready(t)
	b, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: " parties.csv "}, rowsOf(company("1", firmOne), company("2", ""), company("3", "Harmless Bakery"), company("4", firmOne), company("5", firmTwo)))
	must(t, err)
	if b.State != BatchWaiting || b.Total != 5 || b.Name != "parties.csv" || b.Threshold != DefaultThreshold {
		t.Fatalf("the batch begins as %+v", b)
	}
	w.work()
	b, err = w.Batch(t.Context(), dirk, b.ID)
	must(t, err)
	if b.State != BatchDone || b.Done != 5 || b.Refused != 1 || b.Met != 3 || b.Hits != 3 || b.New != 2 || b.Ended.IsZero() || len(b.Lists) != 1 {
		t.Errorf("the batch ends as %+v", b)
	}
	rows, err := w.BatchRows(t.Context(), dirk, b.ID, BatchFilter{})
	must(t, err)
	if len(rows) != 5 || len(rows[0].Hits) != 1 || rows[1].Fault == "" || !rows[1].At.IsZero() || rows[2].At.IsZero() || len(rows[2].Hits) != 0 || rows[3].Hits[0].Review != rows[0].Hits[0].Review {
		t.Errorf("the rows are %+v", rows)
	}
	met, err := w.BatchRows(t.Context(), dirk, b.ID, BatchFilter{Hit: true, After: 1})
	must(t, err)
	if len(met) != 2 || met[0].N != 4 {
		t.Errorf("the rows behind the first that met something are %+v", met)
	}
	q, err := w.Queue(t.Context(), dirk, QueueFilter{Batch: b.ID})
	must(t, err)
	if len(q.Reviews) != 2 {
		t.Errorf("the batch opened %v", q.Reviews)
	}
	isKind(t, w.CancelBatch(t.Context(), anna, b.ID), polder.Conflict)
}

func TestBatchThatIsCut(t *testing.T) {
	w := ready(t)
	broken := func(n int) iter.Seq2[Query, error] {
		return func(yield func(Query, error) bool) {
			for range n {
				if !yield(company("", "Harmless"), nil) {
					return
				}
			}
			yield(Query{}, polder.Errorf(polder.Invalid, "line 301: a quote is not closed"))
		}
	}
	_, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, broken(300))
	isKind(t, err, polder.Invalid)
	if !strings.Contains(err.Error(), "row 301") {
		t.Errorf("the error does not say where: %v", err)
	}
	_, err = w.AddBatch(t.Context(), anna, BatchOrder{Name: "empty"}, rowsOf())
	isKind(t, err, polder.Invalid)
	if all, err := w.Batches(t.Context(), dirk, 10); err != nil || len(all) != 0 {
		t.Errorf("what could not be read left %v, %v", all, err)
	}
	// A process that ended while rows came in leaves a batch that the next one ends.
	ctx, cancel := context.WithCancel(t.Context())
	_, err = w.AddBatch(ctx, anna, BatchOrder{Name: "half"}, func(yield func(Query, error) bool) {
		for i := 0; ; i++ {
			if i == 250 {
				half, err := batchesIn(w.reader(t.Context()), BatchStoring, 10)
				must(t, err)
				must(t, w.Work(t.Context())) // it comes in just now: nothing is cut
				if now, err := batchesIn(w.reader(t.Context()), BatchStoring, 10); err != nil || len(now) != 1 || len(half) != 1 {
					t.Errorf("while rows come in: %v", now)
				}
				next := NewService(w.o)
				must(t, next.Work(t.Context()))
				cancel()
			}
			if !yield(company("", "Harmless"), nil) {
				return
			}
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("adding ended with %v", err)
	}
}

func TestBatchBounds(t *testing.T) {
	w := ready(t)
	for range maxUnended {
		_, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, rowsOf(company("", "Harmless")))
		must(t, err)
	}
	_, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: "b"}, rowsOf(company("", "Harmless")))
	isKind(t, err, polder.Conflict)
	all, err := w.Batches(t.Context(), dirk, 100)
	must(t, err)
	must(t, w.CancelBatch(t.Context(), bram, all[0].ID))
	w.work()
	if b, err := w.Batch(t.Context(), dirk, all[0].ID); err != nil || b.State != BatchCancelled || b.Done != 0 {
		t.Errorf("a cancelled batch is %+v, %v", b, err)
	}
	for _, name := range []string{"", "  ", strings.Repeat("x", maxShort+1)} {
		_, err := w.AddBatch(t.Context(), anna, BatchOrder{Name: name}, rowsOf(company("", "x")))
		isKind(t, err, polder.Invalid)
	}
	_, err = w.AddBatch(t.Context(), anna, BatchOrder{Name: "b", Threshold: 2}, rowsOf(company("", "x")))
	isKind(t, err, polder.Invalid)
}

func TestScreenBounds(t *testing.T) {
	w := ready(t)
	w.o.PerMinute = 10
	for _, c := range []struct {
		qs   []Query
		o    Options
		want polder.Kind
		why  string
	}{
		{[]Query{{Name: ""}}, Options{}, polder.Invalid, "nobody is asked about"},
		{[]Query{{Name: "\xff\xfe"}}, Options{}, polder.Invalid, "no text"},
		{[]Query{{Name: strings.Repeat("x", maxAskedName+1)}}, Options{}, polder.TooLarge, "a name is bounded"},
		{make([]Query, MaxQueries+1), Options{}, polder.TooLarge, "a call is bounded"},
		{[]Query{{Name: "x"}}, Options{Threshold: 1.5}, polder.Invalid, "no such threshold"},
		{[]Query{{Name: "x"}}, Options{Threshold: -1}, polder.Invalid, "no such threshold"},
		{[]Query{{Name: "x", Type: 9}}, Options{}, polder.Invalid, "no such type"},
	} {
		_, err := w.Screen(t.Context(), anna, c.qs, c.o)
		if err == nil || polder.KindOf(err) != c.want {
			t.Errorf("%s: %v", c.why, err)
		}
	}
	w.rate = map[polder.OrgID]rateSpan{}
	ten := make([]Query, 10)
	for i := range ten {
		ten[i] = company("", "Harmless Bakery")
	}
	_, err := w.Screen(t.Context(), anna, ten, Options{})
	must(t, err)
	_, err = w.Screen(t.Context(), bram, ten[:1], Options{})
	isKind(t, err, polder.Limited)
	_, err = w.Screen(t.Context(), other, ten, Options{})
	must(t, err)
	w.pass(61e9)
	_, err = w.Screen(t.Context(), anna, ten, Options{})
	must(t, err)
	if p, err := w.Screenings(t.Context(), dirk, ScreeningFilter{}); err != nil || len(p.Screenings) != 0 {
		t.Errorf("asking alone put %v on record", p)
	}
}
