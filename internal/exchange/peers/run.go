package peers

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/fail"
)

// Run keeps links going until ctx ends: it takes up what commands and pages changed, dials the homes of mirrored
// communities, and writes down how links go.
func (s *Service) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, p := range s.o.Parts {
		all.Go(func() { s.listen(ctx, p) })
	}
	r := &runners{s: s, by: map[string]*runner{}, all: &all}
	tick := time.NewTicker(s.o.Pace.Look)
	defer tick.Stop()
	written := s.o.Steady()
	for {
		if err := s.takeStock(ctx, r); err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "links could not be looked at", "err", err)
		}
		now := s.o.Steady()
		s.flush(ctx, now-written >= s.o.Pace.Beat)
		if now-written >= s.o.Pace.Beat {
			written = now
		}
		select {
		case <-tick.C:
		case <-s.looked:
		case <-ctx.Done():
			return
		}
	}
}

// listen has peers sync whenever a part says so; and this node with its homes, where the part is one that the homes must
// hear before anything else, such as that a key was revoked.
func (s *Service) listen(ctx context.Context, p exchange.PeerPart) {
	const least = 50 * time.Millisecond // between two; what rings all the time costs no more
	_, first := p.(exchange.PeerFirst)
	for {
		changed := p.Changed()
		if changed == nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		for _, l := range s.links {
			s.statusOf(l.ID).syncs++
			if first {
				s.statusOf(l.ID).says++
			}
		}
		s.mu.Unlock()
		s.ring()
		pause := time.NewTimer(least)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}

// says counts how often this node had something to tell the home of a link at once.
func (s *Service) says(l Link) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statusOf(l.ID).says
}

// takeStock takes up what has changed since the last look, in this process or another.
func (s *Service) takeStock(ctx context.Context, r *runners) error {
	version, err := readVersion(s.read(ctx))
	if err != nil {
		return err
	}
	epoch, err := s.o.Accounts.Epoch(ctx)
	if err != nil {
		return err
	}
	if version == s.version && epoch == s.epoch {
		return nil
	}
	links, err := readLinks(s.read(ctx), false)
	if err != nil {
		return err
	}
	if epoch != s.epoch {
		if err := s.rightsMoved(ctx, links); err != nil {
			return err
		}
		if links, err = readLinks(s.read(ctx), false); err != nil {
			return err
		}
	}
	s.version, s.epoch = version, epoch
	s.takeUp(links)
	r.take(ctx, links)
	s.ring()
	return nil
}

// takeUp makes links the ones that count; sessions of those that have gone end.
func (s *Service) takeUp(links []Link) {
	s.mu.Lock()
	before := s.links
	s.links = map[string]Link{}
	for _, l := range links {
		s.links[l.ID] = l
		was, ok := before[l.ID]
		if ok && was.Stopped != "" && l.Stopped == "" && s.meters[l.ID] != nil {
			s.meters[l.ID].forgive()
		}
		if ok && (was.Rate != l.Rate || was.Bytes != l.Bytes) {
			s.statusOf(l.ID).syncs++ // a peer that was held up tries again
		}
	}
	gone := slices.DeleteFunc(slices.Collect(maps.Keys(before)), func(id string) bool { _, ok := s.links[id]; return ok })
	if fail.Bug("peer-unrevoked") {
		gone = nil
	}
	for _, id := range gone {
		if st := s.statuses[id]; st != nil && st.cancel != nil {
			st.cancel(errEnded)
		}
		delete(s.statuses, id)
		delete(s.meters, id)
	}
	s.mu.Unlock()
	for _, id := range gone {
		s.sessions.end(id)
	}
}

// rightsMoved begins another generation of the links whose organisation may do more or less than before, and has peers
// ask again for communities whose description or members changed.
func (s *Service) rightsMoved(ctx context.Context, links []Link) error {
	marks := map[polder.CommunityID]string{}
	for _, l := range links {
		if !l.Serves {
			continue
		}
		ms, err := s.o.Accounts.MembershipsOf(ctx, polder.Actor{Org: l.Org, Token: l.Token})
		if err != nil {
			return err
		}
		if rights := rightsText(l, ms); rights != l.Rights {
			if err := s.o.DB.Write(ctx, func(tx *db.Tx) error { return raise(tx, l.ID, rights) }); err != nil {
				return err
			}
		}
		mark, err := s.mark(ctx, l, marks)
		if err != nil {
			return err
		}
		s.mu.Lock()
		if st := s.statusOf(l.ID); st.mark != mark {
			st.mark = mark
			st.syncs++
		}
		s.mu.Unlock()
	}
	return nil
}

// mark changes with the description or the members of any of a link's communities.
func (s *Service) mark(ctx context.Context, l Link, known map[polder.CommunityID]string) (string, error) {
	var parts []string
	for _, c := range l.Communities {
		if known[c] == "" {
			shape, err := s.o.Accounts.Shape(ctx, c)
			if err != nil {
				return "", err
			}
			roster, err := s.o.Accounts.Roster(ctx, c)
			if err != nil {
				return "", err
			}
			text, err := json.Marshal(peerRoster{shape, roster})
			if err != nil {
				return "", err
			}
			known[c] = fmt.Sprintf("%x", sha256.Sum256(text))
		}
		parts = append(parts, known[c])
	}
	return strings.Join(parts, " "), nil
}

// runners are the links that this node dials.
type runners struct {
	s   *Service
	by  map[string]*runner
	all *sync.WaitGroup
}

// take starts and ends runners, and has those begin again whose link was changed by a person.
func (r *runners) take(ctx context.Context, links []Link) {
	living := map[string]bool{}
	for _, l := range links {
		if l.Serves {
			continue
		}
		living[l.ID] = true
		one := r.by[l.ID]
		if one == nil {
			run, cancel := context.WithCancel(ctx)
			one = &runner{s: r.s, id: l.ID, end: cancel, changed: make(chan struct{}, 1), told: map[polder.CommunityID][32]byte{}, shape: shapeOf(l)}
			r.by[l.ID] = one
			r.all.Go(func() { one.run(run) })
			continue
		}
		one.reshape(shapeOf(l))
	}
	for id, one := range r.by {
		if !living[id] {
			one.end()
			delete(r.by, id)
		}
	}
}

// shapeOf is what of a link a person may change, and a runner must heed.
func shapeOf(l Link) string {
	return fmt.Sprint(l.URL, l.Paused, l.Stopped, l.Confirmed, l.Communities, l.Rate, l.Bytes, l.Org)
}
