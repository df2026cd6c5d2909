package exchange

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/journal"
)

// rights tells followers when somebody's rights changed. The number is accounts' epoch.
type rights struct {
	epoch atomic.Int64
	mu    sync.Mutex
	bell  chan struct{}
}

func newRights() *rights { return &rights{bell: make(chan struct{})} }

func (r *rights) moved(epoch int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if epoch > r.epoch.Load() {
		r.epoch.Store(epoch)
		close(r.bell)
		r.bell = make(chan struct{})
	}
}

// now is the epoch, and a channel that closes when it moves.
func (r *rights) now() (int64, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.epoch.Load(), r.bell
}

// watchRights looks four times a second whether rights changed, by whatever process. It ends with ctx.
func (s *Service) watchRights(ctx context.Context) {
	t := time.NewTicker(250 * time.Millisecond)
	defer t.Stop()
	for {
		if epoch, err := s.accounts.Epoch(ctx); err == nil {
			s.rights.moved(epoch)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// The most live streams at once.
const (
	streamsPerActor = 32
	streamsInAll    = 2000
)

// doors counts the streams that are open.
type doors struct {
	mu  sync.Mutex
	by  map[polder.Actor]int
	all int
}

func newDoors() *doors { return &doors{by: map[polder.Actor]int{}} }

func (d *doors) enter(a polder.Actor) (leave func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.by[a] >= streamsPerActor:
		return nil, polder.Errorf(polder.Limited, "%d live streams are open for you already; close one first", streamsPerActor)
	case d.all >= streamsInAll:
		return nil, polder.Errorf(polder.Unavailable, "the node has as many live streams open as it can serve; try again in a minute")
	}
	d.by[a]++
	d.all++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.all--; d.by[a] > 1 {
			d.by[a]--
		} else {
			delete(d.by, a)
		}
	}, nil
}

// Since says where a follower begins.
type Since struct {
	Seq polder.Seq
	Now bool // with what comes from now on
}

// Follow hands every delivery that the actor may see to send, in order and each once, from since on; it goes on until
// ctx ends, send fails, or the actor's right to see ends (a polder error says so). send gets at most 256 at a time, and
// an empty batch at once and then at least every ten seconds.
func (s *Service) Follow(ctx context.Context, a polder.Actor, community string, since Since, send func([]journal.Delivery) error) error {
	leave, err := s.streams.enter(a)
	if err != nil {
		return err
	}
	defer leave()
	cursor := since.Seq
	if since.Now {
		cursor = s.journal.Top()
	}
	for first := true; ; first = false {
		epoch, bell := s.rights.now()
		sight, err := s.stillSees(ctx, a, community)
		if err != nil {
			return err
		}
		if first {
			if err := send(nil); err != nil {
				return err
			}
		}
		for fail.Bug("stream-unrevoked") || epoch == s.rights.epoch.Load() {
			batch, next, err := s.journal.Follow(ctx, sight, cursor, 256, bell, 10*time.Second)
			if err != nil {
				return err
			}
			if epoch != s.rights.epoch.Load() && !fail.Bug("stream-unrevoked") {
				break // look again before anything leaves
			}
			if err := send(batch); err != nil {
				return err
			}
			cursor = next
		}
	}
}

// stillSees re-reads who the actor is and what it may see.
func (s *Service) stillSees(ctx context.Context, a polder.Actor, community string) (polder.Sight, error) {
	a, err := s.accounts.Refresh(ctx, a)
	if err != nil {
		return polder.Sight{}, err
	}
	return s.SightIn(ctx, a, community)
}
