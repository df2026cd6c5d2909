package journal

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/polder-exchange/polder"
)

// shared tells a journal's readers of one more delivery, without a database.
func shared(j *Journal, n polder.Seq) { j.live.add([]Delivery{{Seq: n}}) }

// TestReader: what comes one by one is taken together, a reader that falls behind rests while more comes and not after,
// whoever waits for it wakes it, and neither an error nor a panic ends it.
func TestReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &Journal{live: newLive(0)}
		var took []polder.Seq // read once the reader waits
		var cursor atomic.Int64
		at := func() polder.Seq { return polder.Seq(cursor.Load()) }
		var fault atomic.Pointer[error]
		step := func(context.Context) (bool, error) {
			if err := fault.Swap(nil); err != nil {
				if *err == nil {
					panic("a fault of ours")
				}
				return false, *err
			}
			if at() == j.Top() {
				return false, nil
			}
			cursor.Store(int64(j.Top()))
			took = append(took, at())
			return true, nil
		}
		hurry := make(chan struct{}, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go (&Reader{Name: "a reader", Journal: j, Log: slog.New(slog.DiscardHandler), Gather: time.Second, Hurry: hurry, Step: step}).Run(ctx)
		synctest.Wait()

		for n := range polder.Seq(10) {
			shared(j, n+1)
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(took) != 1 || took[0] != 10 {
			t.Errorf("ten deliveries within half a second were taken as %v, want all at once", took)
		}

		time.Sleep(time.Minute)
		shared(j, 11)
		time.Sleep(10 * time.Millisecond)
		hurry <- struct{}{}
		synctest.Wait()
		if at() != 11 {
			t.Error("whoever waits did not wake it")
		}

		for _, err := range []error{errors.New("no room"), nil} {
			time.Sleep(time.Minute)
			fault.Store(&err)
			shared(j, at()+1)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if at() == j.Top() {
				t.Error("it did not wait after an error")
			}
			time.Sleep(readerRetry + time.Second)
			synctest.Wait()
			if at() != j.Top() {
				t.Errorf("it did not go on after %v", err)
			}
		}
	})
}

// TestTail: whoever follows all of the log gets every row once and in order, from memory and from the disk, whomever it
// reaches, and waits no longer than asked.
func TestTail(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	j, d := must(t, dir)
	open := appended(t, j, d, 0, 5, polder.Everyone())
	closed := appended(t, j, d, 5, 5, polder.Only("x"))
	read := func(j *Journal) (seqs []polder.Seq) {
		for cursor := polder.Seq(0); cursor < j.Top(); {
			rows, next, err := j.Tail(ctx, cursor, 3, time.Minute)
			ok(t, err)
			if len(rows) == 0 || len(rows) > 3 || rows[len(rows)-1].Seq != next {
				t.Fatalf("behind %d: %d rows, next %d", cursor, len(rows), next)
			}
			for _, r := range rows {
				seqs = append(seqs, r.Seq)
			}
			cursor = next
		}
		return seqs
	}
	want := []polder.Seq{}
	for _, r := range append(open, closed...) {
		want = append(want, r.Seq)
	}
	same := func(why string, got []polder.Seq) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %v, want %v", why, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s: %v, want %v", why, got, want)
			}
		}
	}
	same("from memory", read(j))
	end(t, j, d)
	j, d = must(t, dir)
	defer end(t, j, d)
	same("from the disk", read(j))
	if rows, next, err := j.Tail(ctx, j.Top(), 3, time.Millisecond); err != nil || len(rows) != 0 || next != j.Top() {
		t.Errorf("with nothing new: %v %d %v", rows, next, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := j.Tail(ended, j.Top(), 3, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("when it is not wanted any more: %v", err)
	}
}
