package journal

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

const (
	readerRetry   = 5 * time.Second // after an error
	readerRest    = 9               // times what a batch took, while more is being shared
	readerLongest = time.Second     // of such a rest
	readerCalm    = time.Second     // without anything shared: then there is no need to rest
)

// Reader keeps up to date what is made from the journal and may be made again at any time: an index, a count. An error,
// even a fault of ours over one object, costs a wait and no more than what is made. Sharing goes first: while much is
// shared the reader takes a small part of the time only, and what comes one by one it takes together.
type Reader struct {
	Name    string // as the log calls it
	Journal *Journal
	Log     *slog.Logger
	Gather  time.Duration                                // how long what came first waits for more
	Hurry   <-chan struct{}                              // somebody waits for it; nil when nobody does
	Step    func(context.Context) (more bool, err error) // takes in one batch; more is false when there was nothing
}

// Run steps until ctx ends.
func (r *Reader) Run(ctx context.Context) {
	top, moved := r.Journal.Top(), time.Time{}
	for ctx.Err() == nil {
		changed, began := r.Journal.Changed(), time.Now() //house:allow time.Now: it measures work, and says nothing of when
		more, err := r.safely(ctx)
		took := time.Since(began) //house:allow time.Since: the same
		if now := r.Journal.Top(); now > top {
			top, moved = now, began
		}
		switch {
		case err != nil && ctx.Err() == nil:
			r.Log.ErrorContext(ctx, r.Name+" waits after an error", "err", err)
			r.rest(ctx, readerRetry)
		case more && began.Sub(moved) < readerCalm:
			r.rest(ctx, max(r.Gather, min(readerRest*took, readerLongest)))
		case more:
		default:
			select {
			case <-changed:
				r.rest(ctx, r.Gather)
			case <-ctx.Done():
			}
		}
	}
}

func (r *Reader) safely(ctx context.Context) (more bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return r.Step(ctx)
}

// rest waits, unless somebody is in a hurry.
func (r *Reader) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Hurry:
	case <-ctx.Done():
	}
}
