package journal

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
)

// The newest deliveries are kept in memory up to these bounds, so that followers who keep up read no database.
const (
	ringRows  = 8192
	ringBytes = 16 << 20
)

// live is the tail of the log in memory, and the bell that followers wait on.
type live struct {
	last atomic.Int64 // the highest number that readers may be told of

	mu    sync.Mutex
	ring  []Delivery // in order
	from  polder.Seq // the ring holds every delivery above from
	bytes int
	bell  chan struct{}
	done  bool
}

func newLive(seq polder.Seq) *live {
	l := &live{from: seq, bell: make(chan struct{})}
	l.last.Store(int64(seq))
	return l
}

// top bounds every page: what is committed but not yet told of here is not read, so that no reader's cursor passes a
// number whose scope it does not know yet.
func (l *live) top() polder.Seq { return polder.Seq(l.last.Load()) }

func (l *live) add(batch []Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring = append(l.ring, batch...)
	for _, d := range batch {
		l.bytes += len(d.Raw)
	}
	drop := 0
	for drop < len(l.ring) && (len(l.ring)-drop > ringRows || l.bytes > ringBytes) {
		l.bytes -= len(l.ring[drop].Raw)
		l.from = l.ring[drop].Seq
		drop++
	}
	if drop > 0 {
		l.ring = slices.Delete(l.ring, 0, drop)
	}
	l.last.Store(int64(batch[len(batch)-1].Seq))
	l.ringBell()
}

func (l *live) ringBell() {
	close(l.bell)
	l.bell = make(chan struct{})
}

// forget takes withdrawn or erased deliveries out of the ring.
func (l *live) forget(seqs []polder.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring = slices.DeleteFunc(slices.Clone(l.ring), func(d Delivery) bool { return slices.Contains(seqs, d.Seq) })
}

func (l *live) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done {
		l.done = true
		l.ringBell()
	}
}

// after returns what the ring holds above cursor. have is false when it begins later than that.
func (l *live) after(cursor polder.Seq) (batch []Delivery, have bool, bell <-chan struct{}, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cursor < l.from {
		return nil, false, l.bell, l.done
	}
	i, _ := slices.BinarySearchFunc(l.ring, cursor+1, func(d Delivery, s polder.Seq) int { return int(d.Seq - s) })
	return slices.Clone(l.ring[i:]), true, l.bell, l.done
}

func (j *Journal) published(batch []Delivery, chain [32]byte) {
	top := batch[len(batch)-1]
	if j.head != nil {
		j.head.write(top.Seq, chain)
	}
	j.live.add(batch)
}

// Top is the highest number handed out.
func (j *Journal) Top() polder.Seq { return j.live.top() }

// Changed is closed at the next append (or when the journal closes).
func (j *Journal) Changed() <-chan struct{} {
	j.live.mu.Lock()
	defer j.live.mu.Unlock()
	return j.live.bell
}

// Tail waits until there is something above after, of all communities and whoever may see it, and returns it, in order,
// at most limit deliveries, with the number to go on from; nothing when nothing came for as long as patience. What was
// withdrawn meanwhile may be missing. Like [Journal.Scan] it is no exit; its errors are those of [Journal.Follow].
func (j *Journal) Tail(ctx context.Context, after polder.Seq, limit int, patience time.Duration) (out []Delivery, next polder.Seq, err error) {
	batch, have, err := j.await(ctx, after, nil, patience)
	switch {
	case err != nil || have && len(batch) == 0:
		return nil, after, err
	case !have:
		return j.tailStored(ctx, after, limit)
	}
	batch = batch[:min(len(batch), limit)]
	return batch, batch[len(batch)-1].Seq, nil
}

// await waits until there is something above cursor, and returns it as far as it is in memory; have is false when that
// begins later than at the cursor. An empty batch is that wake was closed, or that nothing came for as long as patience.
func (j *Journal) await(ctx context.Context, cursor polder.Seq, wake <-chan struct{}, patience time.Duration) (batch []Delivery, have bool, err error) {
	enough := time.NewTimer(patience)
	defer enough.Stop()
	for {
		batch, have, bell, done := j.live.after(cursor)
		switch {
		case !have || len(batch) > 0:
			return batch, have, nil
		case done:
			return nil, true, polder.Errorf(polder.Unavailable, "the node is stopping; connect again")
		}
		select {
		case <-bell:
		case <-wake:
			return nil, true, nil
		case <-enough.C:
			return nil, true, nil
		case <-ctx.Done():
			return nil, true, ctx.Err()
		}
	}
}

func (j *Journal) tailStored(ctx context.Context, after polder.Seq, limit int) (out []Delivery, next polder.Seq, err error) {
	top := j.Top()
	rows, next, err := j.Scan(ctx, after, limit)
	for _, r := range rows {
		out = append(out, r.Delivery)
	}
	if err == nil && len(rows) == 0 {
		next = max(next, top)
	}
	return out, next, err
}

// Follow waits until the reader may see something above cursor and returns it, in order, at most limit deliveries,
// withdrawals included, with the cursor to go on from. It returns an empty batch when it passed only what the reader
// may not see, when wake is closed, or when nothing came for as long as patience; callers then look whether the
// reader's rights still hold and call again.
// It returns Unavailable when the journal closes, and ctx's error when that ends.
func (j *Journal) Follow(ctx context.Context, sight polder.Sight, cursor polder.Seq, limit int, wake <-chan struct{}, patience time.Duration) ([]Delivery, polder.Seq, error) {
	batch, have, err := j.await(ctx, cursor, wake, patience)
	switch {
	case err != nil || have && len(batch) == 0:
		return nil, cursor, err
	case !have:
		return j.catchUp(ctx, sight, cursor, limit)
	}
	return visible(sight, batch, cursor, limit)
}

func (j *Journal) catchUp(ctx context.Context, sight polder.Sight, cursor polder.Seq, limit int) ([]Delivery, polder.Seq, error) {
	top := j.Top()
	page, err := j.Page(ctx, sight, Query{After: cursor, Limit: limit, All: true, Withdrawals: true})
	if err != nil {
		return nil, cursor, err
	}
	if !page.More {
		if n := len(page.Deliveries); n > 0 {
			top = max(top, page.Deliveries[n-1].Seq)
		}
		return page.Deliveries, top, nil
	}
	return page.Deliveries, page.Deliveries[len(page.Deliveries)-1].Seq, nil
}

func visible(sight polder.Sight, batch []Delivery, cursor polder.Seq, limit int) ([]Delivery, polder.Seq, error) {
	var out []Delivery
	for _, d := range batch {
		if len(out) == limit {
			break
		}
		cursor = d.Seq
		if sight.Allows(d.Community, d.Reached) {
			out = append(out, d)
		}
	}
	return out, cursor, nil
}
