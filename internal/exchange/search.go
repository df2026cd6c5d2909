package exchange

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
)

const (
	indexForm    = 1                      // of what is written; another number makes every index anew
	indexBatch   = 256                    // deliveries a transaction
	indexPatient = time.Second / 2        // how long a search waits for what was shared just before it
	indexGather  = 500 * time.Millisecond // to take in together what comes one by one; a search that waits ends it
)

// Index is the search over everything shared: words, values, names, external ids and references. It is a reader of the
// journal with a cursor, in a database of its own that may be deleted at any time: it is then made again from number 0.
// It decides nothing: what it finds is only ever a candidate, which the journal's page confirms for the reader.
// It runs behind the journal by a moment, and no share waits for it.
type Index struct {
	db      *db.DB
	journal *journal.Journal
	log     *slog.Logger

	turn    sync.Mutex   // one at a time reads on
	cursor  atomic.Int64 // the last number that it took in
	running atomic.Bool
	level   atomic.Bool // it has caught up once; until then nobody waits for it

	mu    sync.Mutex
	bell  chan struct{} // closed when the cursor moves
	hurry chan struct{} // a search waits
}

// OpenIndex opens the index at path. One that is missing, damaged, of another log or of another form is made anew; [Index.run]
// fills it.
func OpenIndex(ctx context.Context, path string, j *journal.Journal, log *slog.Logger) (*Index, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	x := &Index{journal: j, log: log, bell: make(chan struct{}), hurry: make(chan struct{}, 1)}
	err := x.open(ctx, path)
	if err == nil || ctx.Err() != nil {
		return x, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		log.WarnContext(ctx, "the search index is made anew", "why", err)
	}
	if err := removeIndex(path); err != nil {
		return nil, fmt.Errorf("make the search index anew: %w", err)
	}
	return x, x.open(ctx, path)
}

// errOtherIndex says that the file is sound but not of this log, or not of this form.
var errOtherIndex = errors.New("it belongs to another log or to another version of the program")

func (x *Index) open(ctx context.Context, path string) (err error) {
	if x.db, err = db.Open(ctx, path, db.Options{Log: x.log, Reserve: 64 << 10, DSN: db.Rebuildable}); err != nil {
		return err
	}
	if err = x.fit(ctx); err != nil {
		_ = x.db.Close() // the first error counts
	}
	return err
}

// fit migrates the index and finds its cursor.
func (x *Index) fit(ctx context.Context) error {
	sub, err := fs.Sub(searchMigrations, "searchdb")
	if err != nil {
		return err
	}
	if err := x.db.Migrate(ctx, "search", sub); err != nil {
		return err
	}
	lineage, err := x.journal.Lineage(ctx)
	if err != nil {
		return err
	}
	state, err := x.begin(ctx, lineage)
	if err != nil {
		return err
	}
	if state.lineage != lineage || state.form != indexForm || state.cursor > x.journal.Top() {
		return errOtherIndex
	}
	x.cursor.Store(int64(state.cursor))
	return nil
}

func removeIndex(path string) error {
	var errs []error
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close ends it.
func (x *Index) Close() error { return x.db.Close() }

// Lag is the time from the last delivery that the index took in to the journal's last; 0 when it has them all. An index
// that is being made anew counts from 1970.
func (x *Index) Lag() time.Duration {
	return max(0, x.journal.Top().Time().Sub(polder.Seq(x.cursor.Load()).Time()))
}

// run keeps the index up to date until ctx ends; a search that waits for it wakes it.
func (x *Index) run(ctx context.Context) {
	x.running.Store(true)
	defer x.running.Store(false)
	r := journal.Reader{Name: "the search index", Journal: x.journal, Log: x.log, Gather: indexGather, Hurry: x.hurry, Step: x.step}
	r.Run(ctx)
}

// Sync takes in everything that the journal holds now.
func (x *Index) Sync(ctx context.Context) error {
	for {
		if more, err := x.step(ctx); err != nil || !more {
			return err
		}
	}
}

// step takes in one batch; more is false when there was nothing to take in.
func (x *Index) step(ctx context.Context) (more bool, err error) {
	x.turn.Lock()
	defer x.turn.Unlock()
	cursor := polder.Seq(x.cursor.Load())
	batch, next, err := x.journal.Scan(ctx, cursor, indexBatch)
	if err != nil {
		return false, err
	}
	if next == cursor {
		x.level.Store(true)
		return false, nil
	}
	if err := x.take(ctx, batch, next); err != nil {
		return false, err
	}
	x.moved(next)
	return true, nil
}

// take writes one batch.
func (x *Index) take(ctx context.Context, batch []journal.Scanned, next polder.Seq) error {
	steps := make([]step, 0, len(batch))
	for _, d := range batch {
		if d.Kind == journal.Withdrawn {
			seqs, err := x.journal.TakenBy(ctx, d.Delivery)
			if err != nil {
				return err
			}
			steps = append(steps, step{gone: seqs})
			continue
		}
		if e, ok := entryOf(d); ok {
			steps = append(steps, step{entry: e})
		}
	}
	return x.store(ctx, steps, next)
}

func (x *Index) moved(to polder.Seq) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cursor.Store(int64(to))
	close(x.bell)
	x.bell = make(chan struct{})
}

// await gives the index a moment to take in what was shared just now, so that who shares and then searches finds it. An
// index that nobody runs takes it in here.
func (x *Index) await(ctx context.Context) error {
	if !x.running.Load() {
		return x.Sync(ctx)
	}
	top := x.journal.Top()
	if !x.level.Load() {
		return nil
	}
	enough := time.NewTimer(indexPatient)
	defer enough.Stop()
	for {
		x.mu.Lock()
		bell := x.bell
		x.mu.Unlock()
		if polder.Seq(x.cursor.Load()) >= top {
			return nil
		}
		select {
		case x.hurry <- struct{}{}:
		default:
		}
		select {
		case <-bell:
		case <-enough.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
