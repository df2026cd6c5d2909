package peers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/fail"
)

// pull takes what the home hands over: pages until there is no more, then the stream, and pages again after a while, for
// certainty.
func (y *cycle) pull(ctx context.Context) error {
	for {
		if err := y.flow(ctx, y.pages); err != nil {
			return err
		}
		y.r.worked = true
		y.s.report(y.link.ID, func(s *status) { s.state, s.detail, s.behind, s.lag = stateLive, "", 0, 0 })
		if err := y.flow(ctx, y.stream); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// flow takes the frames of a source: while some are stored, the next are checked, and those behind them fetched and read.
// What came before something broke off is stored all the same.
func (y *cycle) flow(ctx context.Context, source func(context.Context, polder.Seq, chan<- frame) error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	frames, checked := make(chan frame, 4), make(chan looked)
	ended, inspected := make(chan error, 1), make(chan error, 1)
	after := y.at()
	go func() {
		defer close(frames)
		ended <- source(ctx, after, frames)
	}()
	go func() {
		defer close(checked)
		inspected <- y.inspect(ctx, frames, checked)
	}()
	for l := range checked {
		if err != nil {
			continue // the source ends: its context has
		}
		if err = y.take(ctx, l); err != nil {
			cancel()
		}
	}
	if err == nil {
		err = <-inspected
	}
	if err == nil {
		err = <-ended
	}
	cancel()
	for range frames {
		// what has come behind an error comes again
	}
	return err
}

// looked is a frame whose deliveries were checked.
type looked struct {
	frame
	*exchange.Inspected // nil when it has none
}

// inspect checks frames as they come.
func (y *cycle) inspect(ctx context.Context, frames <-chan frame, to chan<- looked) error {
	var before *exchange.Inspected
	for f := range frames {
		f = together(f, frames)
		if err := y.slow(ctx, f); err != nil {
			return err
		}
		l := looked{frame: f}
		if len(f.Batch) > 0 {
			var err error
			if l.Inspected, err = y.s.o.Exchange.Inspect(ctx, y.origin(), f.Batch, before); err != nil {
				return err
			}
			before = l.Inspected
		}
		select {
		case to <- l:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// together joins a frame with those that have come meanwhile, as far as one transaction takes them.
func together(f frame, more <-chan frame) frame {
	for len(f.Batch) <= pageRows-frameRows {
		select {
		case next, ok := <-more:
			if !ok {
				return f
			}
			f.Batch = slices.Concat(f.Batch, next.Batch)
			f.Next, f.Top, f.More = next.Next, next.Top, next.More
		default:
			return f
		}
	}
	return f
}

// pages fetches pages until the home has no more.
func (y *cycle) pages(ctx context.Context, after polder.Seq, to chan<- frame) error {
	for {
		f, err := y.conn.page(ctx, y.link.Generation, after)
		if err != nil {
			return err
		}
		if err := y.check(f, after); err != nil {
			return err
		}
		if err := pass(ctx, f, to); err != nil {
			return err
		}
		if after = f.Next; !f.More {
			return nil
		}
	}
}

func pass(ctx context.Context, f frame, to chan<- frame) error {
	select {
	case to <- f:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stream follows the home until it is time to make certain by pages.
func (y *cycle) stream(ctx context.Context, after polder.Seq, to chan<- frame) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	enough := time.AfterFunc(y.s.o.Pace.Pull, func() { cancel(errEnough) })
	defer enough.Stop()
	silent := func() {
		cancel(polder.Errorf(polder.Unavailable, "nothing came from the home for %s", y.s.o.Pace.Silent))
	}
	query := url.Values{"generation": {y.link.Generation}, "after": {strconv.FormatInt(int64(after), 10)}}
	answer := time.AfterFunc(y.s.o.Pace.Silent, silent)
	res, err := y.conn.do(ctx, http.MethodGet, "stream", query, nil)
	answer.Stop()
	if err != nil {
		return over(ctx, err)
	}
	defer res.Body.Close()
	err = events(res.Body, silent, y.s.o.Pace.Silent, func(e event) error {
		y.s.heard(y.link.ID)
		switch e.name {
		case "sync":
			nudge(y.sync)
			return nil
		case "frame":
			f, err := decodeFrame(e.data, frameRows)
			if err != nil {
				return breach{err}
			}
			if err := y.check(f, after); err != nil {
				return err
			}
			after = f.Next
			return pass(ctx, f, to)
		}
		return nil // of a newer home
	})
	return over(ctx, err)
}

var errEnough = errors.New("time to make certain by pages")

// over is how a stream ended: nil when it was time.
func over(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// nudge gives a channel its one token.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// check holds a frame to what was agreed: the generation, numbers that rise, communities of the link.
func (y *cycle) check(f frame, after polder.Seq) error {
	if f.Generation != y.link.Generation {
		return errAnew
	}
	if err := f.rising(after); err != nil {
		return breach{err}
	}
	if f.Next >= polder.Seq(1)<<53 {
		return breached("the peer's number %d is above any that can be", int64(f.Next))
	}
	for _, h := range f.Batch {
		if !slices.Contains(y.link.Communities, h.Community) {
			return breached("the peer handed over a delivery of community %s, which this link is not for", h.Community)
		}
	}
	return nil
}

// Between two marks, and between two writings of a cursor that passed nothing, lies this long.
const markEvery = time.Minute

// take stores a frame with its cursor, in one transaction.
func (y *cycle) take(ctx context.Context, f looked) error {
	if f.Inspected == nil {
		return y.passed(ctx, f.frame)
	}
	l := y.link
	mark := y.s.o.Steady()-y.marked > markEvery || y.marked == 0
	top := y.s.o.Journal.Top()
	if fail.Bug("cursor-first") {
		if err := y.s.o.DB.Write(ctx, func(tx *db.Tx) error { return writeCursor(tx, l.ID, l.Generation, f.Next) }); err != nil {
			return err
		}
	}
	verdicts, err := f.Store(ctx, func(tx *db.Tx) error {
		if y.s.o.Ledger != nil {
			if err := y.s.o.Ledger.Received(tx, l.PeerLink, f.Batch); err != nil {
				return err
			}
		}
		if mark {
			if err := writeMark(tx, l.ID, f.Batch[0].Seq-1, top); err != nil {
				return err
			}
		}
		return writeCursor(tx, l.ID, l.Generation, f.Next)
	})
	if err != nil {
		return err
	}
	if mark {
		y.marked = y.s.o.Steady()
	}
	y.moved(f.frame)
	y.mu.Lock()
	y.noted = f.Next
	y.mu.Unlock()
	nudge(y.stored)
	y.s.refusals(ctx, l, f.Batch, verdicts)
	return nil
}

// origin is where what this link brings comes from.
func (y *cycle) origin() exchange.Origin {
	l := y.link
	return exchange.Origin{Link: l.ID, Peer: l.Peer, Name: l.Name, Org: l.Org, Most: most(l.Confirmed), Restored: y.began}
}

// slow waits as long as the limits of the link ask.
func (y *cycle) slow(ctx context.Context, f frame) error {
	size := 0
	for _, h := range f.Batch {
		size += len(h.Raw)
	}
	m := y.s.meter(y.link)
	for {
		err := m.admit(len(f.Batch), size)
		if err == nil {
			return nil
		}
		wait := time.Second
		if after := retryOf(err); after > 0 && after < wait {
			wait = after
		}
		y.s.report(y.link.ID, func(s *status) { s.detail = err.Error() })
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// passed moves the cursor over what was not for this link. It is written down now and then: asking for it again costs
// little.
func (y *cycle) passed(ctx context.Context, f frame) error {
	y.moved(f)
	y.mu.Lock()
	far := f.Next-y.noted > polder.Seq(markEvery/time.Microsecond)
	if far {
		y.noted = f.Next
	}
	y.mu.Unlock()
	if !far {
		return nil
	}
	return y.s.o.DB.Write(ctx, func(tx *db.Tx) error { return writeCursor(tx, y.link.ID, y.link.Generation, f.Next) })
}

func (y *cycle) moved(f frame) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.cursor, y.top = max(y.cursor, f.Next), max(y.top, f.Top)
}
