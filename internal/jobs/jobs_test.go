package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// open opens the database at path with its table of jobs.
func open(t testing.TB, path string, o Options) (*db.DB, *Jobs) {
	t.Helper()
	d, err := db.Open(context.Background(), path, db.Options{Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	j := New(d, o)
	if err := j.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d, j
}

func write(t testing.TB, d *db.DB, fn func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func schedule(t testing.TB, d *db.DB, j *Jobs, key, kind string, at time.Time) {
	t.Helper()
	write(t, d, func(tx *db.Tx) error { return j.Schedule(tx, Job{Key: key, Kind: kind, At: at, Payload: []byte(key)}) })
}

// start runs j until the test stops it.
func start(j *Jobs) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

// bubble runs fn on a clock of its own that goes as fast as the program can.
func bubble(t *testing.T, fn func(t *testing.T, path string)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "node.db")
	synctest.Test(t, func(t *testing.T) { fn(t, path) })
}

// TestOnTime: jobs run when they are due, in order, with what they were given, and then are gone.
func TestOnTime(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d, j := open(t, path, Options{})
		defer d.Close()
		began := time.Now()
		var ran []string
		var mu sync.Mutex
		j.Handle("note", func(_ context.Context, job Job) error {
			mu.Lock()
			defer mu.Unlock()
			ran = append(ran, fmt.Sprintf("%s=%s after %s", job.Key, job.Payload, time.Since(began).Round(time.Second)))
			return nil
		})
		stop := start(j)
		schedule(t, d, j, "late", "note", began.Add(3*time.Hour))
		schedule(t, d, j, "early", "note", began.Add(time.Minute))
		schedule(t, d, j, "past", "note", began.Add(-time.Hour))
		schedule(t, d, j, "cancelled", "note", began.Add(time.Hour))
		write(t, d, func(tx *db.Tx) error { return j.Cancel(tx, "cancelled") })
		schedule(t, d, j, "nobody", "unknown kind", began)
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		want := []string{"past=past after 0s", "early=early after 1m0s", "late=late after 3h0m0s"}
		if !slices.Equal(ran, want) {
			t.Errorf("ran %q, want %q", ran, want)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		var left int
		if err := d.Read().QueryRow(`SELECT count(*) FROM job`).Scan(&left); err != nil || left != 1 {
			t.Errorf("%d jobs left (%v), want the one without a handler", left, err)
		}
	})
}

// TestTogether: a job is there exactly if the transaction that scheduled it is.
func TestTogether(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d, j := open(t, path, Options{})
		defer d.Close()
		j.Handle("note", func(context.Context, Job) error { t.Error("a job of an undone transaction ran"); return nil })
		stop := start(j)
		no := errors.New("no")
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			return errors.Join(j.Schedule(tx, Job{Key: "k", Kind: "note", At: time.Now()}), no)
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestRetries: a failure is tried again, each time later, and after the last try the job is kept and said to be dead.
func TestRetries(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d, j := open(t, path, Options{Tries: 4, First: time.Minute, Longest: 3 * time.Minute})
		defer d.Close()
		began := time.Now()
		var at []time.Duration
		failing := true
		j.Handle("note", func(_ context.Context, job Job) error {
			at = append(at, time.Since(began).Round(time.Second))
			if job.Try == 2 {
				panic("a fault of ours")
			}
			if failing {
				return fmt.Errorf("try %d failed", job.Try)
			}
			return nil
		})
		stop := start(j)
		schedule(t, d, j, "k", "note", began)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if want := []time.Duration{0, time.Minute, 3 * time.Minute, 6 * time.Minute}; !slices.Equal(at, want) {
			t.Errorf("tried after %v, want %v", at, want)
		}
		dead, err := j.Dead(t.Context(), 10)
		if err != nil || len(dead) != 1 || dead[0].Key != "k" || dead[0].Fault != "try 4 failed" || string(dead[0].Payload) != "k" {
			t.Errorf("dead: %+v, %v", dead, err)
		}
		failing = false
		write(t, d, func(tx *db.Tx) error { return j.Revive(tx, "k") })
		time.Sleep(time.Hour)
		synctest.Wait()
		if dead, _ := j.Dead(t.Context(), 10); len(dead) != 0 || len(at) != 5 {
			t.Errorf("after it was revived: dead %+v, %d tries, want 5", dead, len(at))
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return j.Revive(tx, "k") }); !errors.Is(err, polder.ErrNotFound) {
			t.Errorf("reviving what is done: %v", err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestRestart: a job that a process held when it died runs again, after its lease; one that it never saw runs too.
func TestRestart(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d, dying := open(t, path, Options{Lease: time.Minute})
		dying.Handle("note", func(context.Context, Job) error { return nil })
		schedule(t, d, dying, "held", "note", time.Now())
		if taken, err := dying.take(t.Context(), 1); err != nil || len(taken) != 1 {
			t.Fatalf("took %v, %v", taken, err)
		} // and the process ends here, without a word
		schedule(t, d, dying, "unseen", "note", time.Now())
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d, j := open(t, path, Options{Lease: time.Minute})
		defer d.Close()
		began, when := time.Now(), map[string]time.Duration{}
		var mu sync.Mutex
		j.Handle("note", func(_ context.Context, job Job) error {
			mu.Lock()
			defer mu.Unlock()
			when[job.Key] = time.Since(began).Round(time.Second)
			return nil
		})
		stop := start(j)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if want := map[string]time.Duration{"unseen": 0, "held": time.Minute}; !maps.Equal(when, want) {
			t.Errorf("ran %v, want %v", when, want)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestStop: stopping waits for the handler, which sees its context end; the try does not count.
func TestStop(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d, j := open(t, path, Options{})
		defer d.Close()
		ended := false
		j.Handle("note", func(ctx context.Context, _ Job) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
			return ctx.Err()
		})
		stop := start(j)
		schedule(t, d, j, "k", "note", time.Now())
		time.Sleep(time.Second)
		if err := stop(); err != nil || !ended {
			t.Errorf("%v, handler ended: %v", err, ended)
		}
		var tries, leased int
		if err := d.Read().QueryRow(`SELECT tries, leased FROM job WHERE key = 'k'`).Scan(&tries, &leased); err != nil || tries != 0 || leased != 0 {
			t.Errorf("tries %d, leased %d, %v: the next process should begin at once with the first try", tries, leased, err)
		}
	})
}

// TestLease: a handler's context ends with its lease, so that whoever takes the job next is alone.
func TestLease(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d, j := open(t, path, Options{Lease: time.Minute, First: time.Second})
		defer d.Close()
		at, most := 0, 0
		tries := 0
		j.Handle("note", func(ctx context.Context, job Job) error {
			at++
			most = max(most, at)
			defer func() { at-- }()
			if tries = job.Try; job.Try < 3 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		stop := start(j)
		schedule(t, d, j, "k", "note", time.Now())
		time.Sleep(time.Hour)
		synctest.Wait()
		if most != 1 || tries != 3 {
			t.Errorf("%d at the same time, %d tries; want 1 and 3", most, tries)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestAgain: what is scheduled again while it runs, runs again, and the first holder can neither finish nor fail it.
func TestAgain(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d, j := open(t, path, Options{})
		defer d.Close()
		var payloads []string
		j.Handle("note", func(ctx context.Context, job Job) error {
			payloads = append(payloads, string(job.Payload))
			if len(payloads) > 1 {
				return d.Write(ctx, func(tx *db.Tx) error { return j.Done(tx, job) })
			}
			write(t, d, func(tx *db.Tx) error {
				return j.Schedule(tx, Job{Key: "k", Kind: "note", At: time.Now(), Payload: []byte("second")})
			})
			err := d.Write(ctx, func(tx *db.Tx) error { return j.Done(tx, job) })
			if !errors.Is(err, polder.ErrConflict) {
				t.Errorf("the first holder finished the second job: %v", err)
			}
			return nil
		})
		stop := start(j)
		schedule(t, d, j, "k", "note", time.Now())
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := []string{"k", "second"}; !slices.Equal(payloads, want) {
			t.Errorf("ran with %q, want %q", payloads, want)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestF8Clock: a clock that is set back by a day does not hold a lease for a day, and a job never runs before its time.
func TestF8Clock(t *testing.T) {
	clock := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	d, j := open(t, filepath.Join(t.TempDir(), "node.db"), Options{Now: func() time.Time { return clock }, Lease: time.Minute})
	defer d.Close()
	j.Handle("note", func(context.Context, Job) error { return nil })
	schedule(t, d, j, "k", "note", clock.Add(-48*time.Hour))
	if taken, err := j.take(t.Context(), 1); err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	if taken, _ := j.take(t.Context(), 1); len(taken) != 0 {
		t.Error("taken twice within one lease")
	}
	clock = clock.Add(-24 * time.Hour)
	if taken, err := j.take(t.Context(), 1); err != nil || len(taken) != 1 {
		t.Errorf("after the clock was set back: took %v, %v; want the job, its lease cannot last a day", taken, err)
	}
	schedule(t, d, j, "tomorrow", "note", clock.Add(time.Microsecond))
	if taken, _ := j.take(t.Context(), 1); len(taken) != 0 {
		t.Error("taken before its time")
	}
}

// TestFull: with every worker busy nothing more is taken, and nothing is lost.
func TestFull(t *testing.T) {
	bubble(t, func(t *testing.T, path string) {
		d, j := open(t, path, Options{Workers: 2})
		defer d.Close()
		var mu sync.Mutex
		at, most, all := 0, 0, 0
		j.Handle("note", func(context.Context, Job) error {
			mu.Lock()
			at++
			all++
			most = max(most, at)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			at--
			mu.Unlock()
			return nil
		})
		stop := start(j)
		for i := range 9 {
			schedule(t, d, j, fmt.Sprint(i), "note", time.Now())
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if most != 2 || all != 9 {
			t.Errorf("%d at the same time and %d in all, want 2 and 9", most, all)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestBadJobs: a job without a name or a kind is refused.
func TestBadJobs(t *testing.T) {
	d, j := open(t, filepath.Join(t.TempDir(), "node.db"), Options{})
	defer d.Close()
	for _, bad := range []Job{{Kind: "note"}, {Key: "k"}} {
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return j.Schedule(tx, bad) }); err == nil || !strings.Contains(err.Error(), "needs a key and a kind") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestBackoff: waits never fall and never exceed the longest.
func TestBackoff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "first"))
		j := &Jobs{o: Options{First: first, Longest: time.Duration(rapid.Int64Range(int64(first), int64(24*time.Hour)).Draw(t, "longest"))}}
		try := rapid.IntRange(1, 1000).Draw(t, "try")
		a, b := j.backoff(try), j.backoff(try+1)
		if a < j.o.First || b < a || b > j.o.Longest {
			t.Fatalf("%v then %v with %+v", a, b, j.o)
		}
	})
}
