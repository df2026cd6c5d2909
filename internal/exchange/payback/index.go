package payback

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
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
)

const (
	indexForm    = 1 // of what is written; another number makes every index anew
	indexBatch   = 500
	indexGather  = time.Second // to take in together what comes one by one
	indexPatient = time.Second // how long a reader waits for what was shared just before
)

// index is the reader of the journal: what was given, what was said about it, what was taken back. It belongs to nobody
// and sees every row; whatever is asked of it is asked with the scopes of a reader.
type index struct {
	db       *db.DB
	journal  *journal.Journal
	log      *slog.Logger
	speakers *exchange.Speakers
	blind    func(context.Context, polder.OrgID) (polder.CommunityID, bool, error)

	turn    sync.Mutex   // one at a time reads on; speakers are its
	cursor  atomic.Int64 // the last number that it took in
	custody atomic.Int64 // the last change of custody that it took in
}

var errOtherIndex = errors.New("it belongs to another log or to another version of the program")

// openIndex opens the file at path. One that is missing, damaged, of another log or of another form is made anew.
func openIndex(ctx context.Context, path string, x *index) (*index, error) {
	err := x.open(ctx, path)
	if err == nil || ctx.Err() != nil {
		return x, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		x.log.WarnContext(ctx, "the index of payback is made anew", "why", err)
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("make the index of payback anew: %w", err)
		}
	}
	return x, x.open(ctx, path)
}

func (x *index) open(ctx context.Context, path string) (err error) {
	if x.db, err = db.Open(ctx, path, db.Options{Log: x.log, Reserve: 64 << 10, DSN: db.Rebuildable}); err != nil {
		return err
	}
	if err = x.fit(ctx); err != nil {
		_ = x.db.Close() // the first error counts
	}
	return err
}

// fit migrates the index and finds its cursors.
func (x *index) fit(ctx context.Context) error {
	sub, err := fs.Sub(indexMigrations, "paybackdb")
	if err != nil {
		return err
	}
	if err := x.db.Migrate(ctx, "payback", sub); err != nil {
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
	x.custody.Store(state.custody)
	return nil
}

// run keeps the index up to date until ctx ends; who asks takes in what is missing by itself.
func (x *index) run(ctx context.Context) {
	r := journal.Reader{Name: "the index of payback", Journal: x.journal, Log: x.log, Gather: indexGather, Step: x.step}
	r.Run(ctx)
}

// caughtUp takes in what was shared just now, for as long as a reader waits; late says that there is more than that, as
// after the file was lost: then the numbers still grow.
func (x *index) caughtUp(ctx context.Context) (late bool, err error) {
	wait, cancel := context.WithTimeout(ctx, indexPatient)
	defer cancel()
	for {
		more, err := x.step(wait)
		switch {
		case ctx.Err() != nil:
			return true, ctx.Err()
		case wait.Err() != nil:
			return polder.Seq(x.cursor.Load()) < x.journal.Top(), nil
		case err != nil || !more:
			return false, err
		}
	}
}

// step takes in one batch; more is false when there was nothing to take in.
func (x *index) step(ctx context.Context) (more bool, err error) {
	x.turn.Lock()
	defer x.turn.Unlock()
	cursor := polder.Seq(x.cursor.Load())
	batch, next, err := x.journal.Scan(ctx, cursor, indexBatch)
	if err != nil {
		return false, err
	}
	custody, err := x.journal.CustodyAfter(ctx, x.custody.Load(), indexBatch)
	if err != nil || next == cursor && len(custody) == 0 {
		return false, err
	}
	var w writing
	for _, d := range batch {
		if err := x.read(ctx, d, &w); err != nil {
			return false, err
		}
	}
	w.custody, w.next, w.lastCustody = custody, next, x.custody.Load()
	if len(custody) > 0 {
		w.lastCustody = custody[len(custody)-1].N
	}
	if err := x.store(ctx, w); err != nil {
		return false, err
	}
	x.cursor.Store(int64(next))
	x.custody.Store(w.lastCustody)
	return true, nil
}
