package peers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
)

// retryOf is how long an error of a limit asks to wait.
func retryOf(err error) time.Duration {
	if no, ok := errors.AsType[*refusal](err); ok {
		return min(no.after, time.Hour)
	}
	if t, ok := errors.AsType[*accounts.TooOften](err); ok {
		return t.After
	}
	return 0
}

// own is what the link's organisation sees of the mirrored communities: all that it shared is in it.
func (y *cycle) own() polder.Sight {
	communities := slices.Clone(y.link.Communities)
	slices.Sort(communities)
	return polder.Sight{Org: y.link.Org, Communities: communities}
}

// push follows this node's own log and sends the home what the organisation shared, in order, as soon as it is on disk.
func (y *cycle) push(ctx context.Context) error {
	lineage, err := y.s.o.Journal.Lineage(ctx)
	if err != nil {
		return err
	}
	if err := y.offer(ctx); err != nil {
		return err
	}
	cursor := y.link.Pushed
	noted := cursor
	for {
		if err := y.retry(ctx, lineage); err != nil {
			return err
		}
		rows, next, err := y.s.o.Journal.Tail(ctx, cursor, pushRows, y.s.o.Pace.Beat)
		if err != nil {
			return over(ctx, err)
		}
		up, err := y.outgoing(ctx, rows)
		if err != nil {
			return err
		}
		if err := y.send(ctx, lineage, up); err != nil {
			return err
		}
		if cursor = next; len(up) > 0 || cursor-noted > polder.Seq(markEvery/time.Microsecond) {
			noted = cursor
			if err := y.s.o.DB.Write(ctx, func(tx *db.Tx) error { return writePushed(tx, y.link.ID, y.link.Generation, cursor) }); err != nil {
				return err
			}
		}
	}
}

// outgoing is what of some rows of the log leaves for the home: what the organisation shared for others, signed, and
// nothing above green until our fingerprint was compared there.
func (y *cycle) outgoing(ctx context.Context, rows []journal.Delivery) ([]exchange.Handed, error) {
	all, err := y.s.o.Exchange.Upward(ctx, y.link.Org, y.link.Communities, rows)
	return slices.DeleteFunc(all, func(h exchange.Handed) bool { return h.Level > most(y.link.Trusted) }), err
}

// send pushes deliveries, in requests that are bounded, until the home has answered for all of them.
func (y *cycle) send(ctx context.Context, lineage string, all []exchange.Handed) error {
	for try := 0; len(all) > 0; {
		n := some(all)
		if err := y.first(ctx); err != nil {
			return err
		}
		verdicts, err := y.deliver(ctx, "push", url.Values{"lineage": {lineage}}, all[:n])
		switch {
		case err == nil:
			if err := y.answered(ctx, all[:n], verdicts); err != nil {
				return err
			}
			y.wrong("")
			all, try = all[n:], 0
			continue
		case !patient(err):
			return err
		}
		y.wrong(err.Error())
		if err := y.wait(ctx, max(retryOf(err), backoff(y.s.o.Pace, try))); err != nil {
			return err
		}
		try++
	}
	return nil
}

// first has the parts say what the home must have heard before it is sent anything.
func (y *cycle) first(ctx context.Context) error {
	for _, p := range y.s.o.Parts {
		f, ok := p.(exchange.PeerFirst)
		if !ok {
			continue
		}
		if err := f.First(ctx, y.link.PeerLink, y.conn); err != nil {
			if ctx.Err() != nil || polder.KindOf(err) == polder.Unauthorised {
				return err
			}
			y.s.o.Log.WarnContext(ctx, "a part did not come to an end with a peer", "link", y.link.ID, "err", err)
		}
	}
	return nil
}

// some is how many deliveries go in one request.
func some(all []exchange.Handed) int {
	sizes := make([]int, min(len(all), pushRows))
	for i := range sizes {
		sizes[i] = len(all[i].Raw)
	}
	return split(sizes, pushBytes)
}

// deliver posts deliveries, and reads what became of them.
func (y *cycle) deliver(ctx context.Context, path string, query url.Values, batch []exchange.Handed) ([]exchange.Verdict, error) {
	body, err := frame{Generation: y.link.Generation, Next: batch[len(batch)-1].Seq, Batch: batch}.encode()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*callTime)
	defer cancel()
	var got peerVerdicts
	err = y.conn.raw(ctx, http.MethodPost, path, query, body, &got)
	if polder.KindOf(err) == polder.Conflict {
		return nil, errAnew
	}
	if len(got.Verdicts) > len(batch) {
		return nil, breached("the home judges more deliveries than it was sent")
	}
	return got.Verdicts, err
}

// patient tells whether an error of a push passes by itself, or by somebody's doing at the home, while the rest of the
// link works.
func patient(err error) bool {
	switch polder.KindOf(err) {
	case polder.Limited, polder.Full, polder.Forbidden:
		return true
	}
	return false
}

// wrong notes what keeps the pusher from going on.
func (y *cycle) wrong(text string) {
	y.mu.Lock()
	same := y.pushing == text
	y.pushing = text
	y.mu.Unlock()
	if !same {
		y.s.report(y.link.ID, func(s *status) {
			if s.state == stateLive {
				s.detail = text
			}
		})
	}
}

// wait waits before a push is tried again: until the time has passed, or the home says that something changed there, such
// as a limit.
func (y *cycle) wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-y.woken:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unpushed is how many deliveries wait to be pushed, and how long the first of them has.
func (y *cycle) unpushed(ctx context.Context) (n int, late time.Duration) {
	y.mu.Lock()
	held := y.pushing != ""
	y.mu.Unlock()
	if !held {
		return 0, 0
	}
	l, err := readLink(y.s.read(ctx), y.link.ID)
	if err != nil {
		return 0, 0
	}
	page, err := y.s.o.Journal.Page(ctx, y.own(), journal.Query{After: l.Pushed, Limit: behindMost, All: true, Withdrawals: true})
	if err != nil {
		return 0, 0
	}
	for _, d := range page.Deliveries {
		if _, ok, err := y.s.o.Exchange.HandUp(ctx, d, y.link.Org); ok && err == nil {
			if n++; n == 1 {
				late = max(0, y.s.o.Now().Sub(d.Seq.Time()))
			}
		}
	}
	return n, late
}

// answered heeds what the home said of what it was sent: what it refused is kept, for our people to look at, and no
// fault of the home; where another is the custodian there, custody is given up here.
func (y *cycle) answered(ctx context.Context, batch []exchange.Handed, verdicts []exchange.Verdict) error {
	if !slices.ContainsFunc(verdicts, func(v exchange.Verdict) bool { return refuses(v) || !v.Custodian }) {
		return nil
	}
	return y.s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := keepRefused(tx, y.link.ID, batch, verdicts, true, y.s.o.Now()); err != nil {
			return err
		}
		bySeq := bySeq(batch)
		for _, v := range verdicts {
			h, ok := bySeq[v.Seq]
			if !ok || v.Custodian || refuses(v) || h.Kind != journal.Object {
				continue
			}
			from := y.origin()
			from.Community = h.Community
			if err := y.s.o.Exchange.YieldCustody(tx, from, h.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
