package jobs

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are the choices of [New]. The zero value is right for a node.
type Options struct {
	Now     func() time.Time // nil is the clock of the machine
	Log     *slog.Logger     // nil says nothing
	Lease   time.Duration    // how long a handler may take; 0 means 5 min
	Tries   int              // before a job is dead; 0 means 10
	First   time.Duration    // the wait after the first failure, doubled after each further one; 0 means 10 s
	Longest time.Duration    // the longest wait between two tries; 0 means 1 h
	Poll    time.Duration    // how long a job of another process may go unnoticed; 0 means 5 s
	Workers int              // handlers that run at the same time; 0 means 4
}

func (o Options) filled() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	or(&o.Lease, 5*time.Minute)
	or(&o.Tries, 10)
	or(&o.First, 10*time.Second)
	or(&o.Longest, time.Hour)
	or(&o.Poll, 5*time.Second)
	or(&o.Workers, 4)
	return o
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// Job is something to be done.
type Job struct {
	Key     string // names it; scheduling the same key again replaces what was there
	Kind    string // names its handler
	At      time.Time
	Payload []byte
	Try     int // 1 for the first; set for handlers

	turn int64
}

// Handler does a job. An error, a panic or the end of ctx means that it is tried again later; it may therefore run
// again after it had its effect.
type Handler func(ctx context.Context, j Job) error

// Jobs is the table of jobs and those who work at it. Its methods may be called from any goroutine.
type Jobs struct {
	d        *db.DB
	o        Options
	handlers map[string]Handler
	wake     chan struct{}
}

// New makes the jobs of a database. Give it handlers, then call [Jobs.Run].
func New(d *db.DB, o Options) *Jobs {
	return &Jobs{d: d, o: o.filled(), handlers: map[string]Handler{}, wake: make(chan struct{}, 1)}
}

// Migrate brings the table up to date.
func (j *Jobs) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return j.d.Migrate(ctx, "jobs", files)
}

// Handle names the handler of a kind, before [Jobs.Run]. Jobs without a handler wait.
func (j *Jobs) Handle(kind string, h Handler) { j.handlers[kind] = h }

// Schedule adds a job, or replaces the one with the same key, a dead one too. If that one is running just now, it runs
// to its end, and the new one runs as well.
func (j *Jobs) Schedule(tx *db.Tx, job Job) error {
	if job.Key == "" || job.Kind == "" {
		return errors.New("schedule a job: it needs a key and a kind")
	}
	if job.Payload == nil {
		job.Payload = []byte{}
	}
	_, err := tx.Exec(`INSERT INTO job (key, kind, due, payload) VALUES (?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, due = excluded.due, payload = excluded.payload,
			tries = 0, leased = 0, turn = turn + 1, dead = 0, fault = ''`, job.Key, job.Kind, job.At.UnixMicro(), job.Payload)
	if err != nil {
		return fmt.Errorf("schedule job %s: %w", job.Key, err)
	}
	tx.OnCommit(j.nudge)
	return nil
}

// Cancel takes a job away; one that is not there is no error. If it is running just now, it runs to its end.
func (j *Jobs) Cancel(tx *db.Tx, key string) error {
	if _, err := tx.Exec(`DELETE FROM job WHERE key = ?`, key); err != nil {
		return fmt.Errorf("cancel job %s: %w", key, err)
	}
	return nil
}

// Done takes away the job that a handler was given, in the transaction that makes its effect. It fails with
// [polder.ErrConflict] when the handler no longer holds the job, so that the effect is undone with it.
func (j *Jobs) Done(tx *db.Tx, job Job) error {
	r, err := tx.Exec(`DELETE FROM job WHERE key = ? AND turn = ?`, job.Key, job.turn)
	if err != nil {
		return fmt.Errorf("finish job %s: %w", job.Key, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 && !fail.Bug("old-holder") {
		return errors.Join(polder.Errorf(polder.Conflict, "job %s was scheduled again or taken by another", job.Key), err)
	}
	return nil
}

// Run works at jobs until ctx ends or the database fails, and returns when the last handler has returned. It returns
// nil when ctx ended. Handlers see ctx end, so they stop early; their jobs are tried again.
func (j *Jobs) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	free := make(chan struct{}, j.o.Workers)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-j.d.Failed():
			return j.d.Err()
		case <-timer.C:
		case <-j.wake:
		}
		taken, err := j.take(ctx, j.o.Workers-len(free))
		if err != nil && ctx.Err() == nil {
			j.o.Log.Error("cannot take jobs", "error", err)
		}
		for _, job := range taken {
			free <- struct{}{}
			running.Go(func() {
				j.work(ctx, job)
				<-free
				j.nudge()
			})
		}
		if err != nil || len(free) == j.o.Workers {
			timer.Reset(j.o.Poll) // the end of a handler wakes us before
		} else {
			timer.Reset(j.pause(ctx))
		}
	}
}

// nudge has Run look at once.
func (j *Jobs) nudge() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// sqlReady is the condition that a job may be taken; arguments: now, now, now + the lease. A lease that ends later
// than one taken now would, was taken before the clock was set back, and counts as over.
const sqlReady = `dead = 0 AND due <= ? AND (leased <= ? OR leased > ?)`

func (j *Jobs) kinds() []any {
	out := make([]any, 0, len(j.handlers))
	for k := range j.handlers {
		out = append(out, k)
	}
	return out
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// take leases up to n jobs that are due. It writes only when there are some.
func (j *Jobs) take(ctx context.Context, n int) ([]Job, error) {
	kinds := j.kinds()
	if n <= 0 || len(kinds) == 0 {
		return nil, nil
	}
	now := j.o.Now()
	args := slices.Concat(kinds, []any{now.UnixMicro(), now.UnixMicro(), now.Add(j.o.Lease).UnixMicro()})
	var some bool
	err := j.d.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM job WHERE kind IN (`+marks(len(kinds))+`) AND `+sqlReady+`)`, args...).Scan(&some)
	if err != nil || !some {
		return nil, err
	}
	var out []Job
	err = j.d.Write(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(`SELECT key, kind, due, payload, tries + 1, turn + 1 FROM job WHERE kind IN (`+marks(len(kinds))+`) AND `+sqlReady+`
			ORDER BY due LIMIT ?`, append(args, n)...)
		if err != nil {
			return err
		}
		for rows.Next() {
			var job Job
			var at int64
			if err := rows.Scan(&job.Key, &job.Kind, &at, &job.Payload, &job.Try, &job.turn); err != nil {
				return err
			}
			job.At = time.UnixMicro(at).UTC()
			out = append(out, job)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, job := range out {
			_, err := tx.Exec(`UPDATE job SET leased = ?, tries = ?, turn = ? WHERE key = ?`, now.Add(j.o.Lease).UnixMicro(), job.Try, job.turn, job.Key)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// pause is how long Run may sleep: until the next job is due or a lease ends, and never longer than Poll.
func (j *Jobs) pause(ctx context.Context) time.Duration {
	kinds := j.kinds()
	if len(kinds) == 0 {
		return j.o.Poll
	}
	var next *int64
	err := j.d.Read().QueryRowContext(ctx, `SELECT min(max(due, leased)) FROM job WHERE dead = 0 AND kind IN (`+marks(len(kinds))+`)`, kinds...).Scan(&next)
	if err != nil || next == nil {
		return j.o.Poll
	}
	return min(max(time.UnixMicro(*next).Sub(j.o.Now()), time.Millisecond), j.o.Poll)
}

// work runs one job and writes down how it went.
func (j *Jobs) work(ctx context.Context, job Job) {
	held, cancel := context.WithTimeout(ctx, j.o.Lease)
	err := j.call(held, job)
	cancel()
	// The job is written down even when ctx has ended: the database is closed after Run returns.
	write := j.d.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		switch {
		case err == nil:
			_, err := tx.Exec(`DELETE FROM job WHERE key = ? AND turn = ?`, job.Key, job.turn)
			return err
		case ctx.Err() != nil: // we are stopping: the try does not count
			_, err := tx.Exec(`UPDATE job SET leased = 0, tries = tries - 1 WHERE key = ? AND turn = ?`, job.Key, job.turn)
			return err
		}
		_, err := tx.Exec(`UPDATE job SET leased = 0, due = ?, dead = ?, fault = ? WHERE key = ? AND turn = ?`,
			j.o.Now().Add(j.backoff(job.Try)).UnixMicro(), job.Try >= j.o.Tries, err.Error(), job.Key, job.turn)
		return err
	})
	switch {
	case write != nil:
		j.o.Log.Error("a job's end was not written down; it runs again when its lease is over", "kind", job.Kind, "key", job.Key, "error", write)
	case err != nil && ctx.Err() == nil:
		j.o.Log.Warn("job failed", "kind", job.Kind, "key", job.Key, "try", job.Try, "dead", job.Try >= j.o.Tries, "error", err)
	}
}

func (j *Jobs) call(ctx context.Context, job Job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			j.o.Log.Error("a job's handler panicked", "kind", job.Kind, "key", job.Key, "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return j.handlers[job.Kind](ctx, job)
}

// backoff is the wait after a try that failed: First, then twice as long each time, at most Longest.
func (j *Jobs) backoff(try int) time.Duration {
	d := j.o.First
	for ; try > 1 && d < j.o.Longest; try-- {
		d *= 2
	}
	return min(d, j.o.Longest)
}

// Fallen is a job that was given up, and why.
type Fallen struct {
	Job
	Fault string
}

// Dead lists jobs that were given up, the oldest first, at most limit.
func (j *Jobs) Dead(ctx context.Context, limit int) ([]Fallen, error) {
	rows, err := j.d.Read().QueryContext(ctx, `SELECT key, kind, due, payload, tries, fault FROM job WHERE dead = 1 ORDER BY due, key LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Fallen
	for rows.Next() {
		var f Fallen
		var at int64
		if err := rows.Scan(&f.Key, &f.Kind, &at, &f.Payload, &f.Try, &f.Fault); err != nil {
			return nil, err
		}
		f.At = time.UnixMicro(at).UTC()
		out = append(out, f)
	}
	return out, rows.Err()
}

// Revive has a dead job tried again from now, with all its tries; one that is not dead is [polder.ErrNotFound].
func (j *Jobs) Revive(tx *db.Tx, key string) error {
	r, err := tx.Exec(`UPDATE job SET dead = 0, tries = 0, leased = 0, turn = turn + 1, due = ? WHERE key = ? AND dead = 1`, j.o.Now().UnixMicro(), key)
	if err != nil {
		return fmt.Errorf("revive job %s: %w", key, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(polder.Errorf(polder.NotFound, "there is no dead job %s", key), err)
	}
	tx.OnCommit(j.nudge)
	return nil
}
