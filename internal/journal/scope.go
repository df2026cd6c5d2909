package journal

import (
	"context"
	"sync"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// scope is an audience of a community, interned.
type scope struct {
	id        int64
	community polder.CommunityID
	audience  polder.Audience
}

// scopes is the table of that name in memory. Rows are only ever added, by this process alone.
type scopes struct {
	mu      sync.RWMutex
	byID    map[int64]scope
	byKey   map[[2]string]int64
	tail    map[int64]polder.Seq
	open    map[polder.CommunityID][]scope                  // everyone, or all but some
	members map[polder.CommunityID]map[polder.OrgID][]scope // by organisation named
	pending map[int64]scope                                 // of the write under way, which may read its own rows
}

func loadScopes(ctx context.Context, d *db.DB) (*scopes, error) {
	s := &scopes{
		byID: map[int64]scope{}, byKey: map[[2]string]int64{}, tail: map[int64]polder.Seq{},
		open: map[polder.CommunityID][]scope{}, members: map[polder.CommunityID]map[polder.OrgID][]scope{}, pending: map[int64]scope{},
	}
	rows, err := d.Read().QueryContext(ctx, `SELECT id, community, audience, tail FROM scope`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, tail int64
		var community, audience string
		if err := rows.Scan(&id, &community, &audience, &tail); err != nil {
			return nil, err
		}
		s.add(scope{id, polder.CommunityID(community), polder.ParseAudience(audience)}, polder.Seq(tail))
	}
	return s, rows.Err()
}

func (s *scopes) add(c scope, tail polder.Seq) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, c.id)
	s.tail[c.id] = max(s.tail[c.id], tail)
	if _, have := s.byID[c.id]; have {
		return
	}
	s.byID[c.id] = c
	s.byKey[[2]string{string(c.community), c.audience.String()}] = c.id
	if c.audience.Except() {
		s.open[c.community] = append(s.open[c.community], c)
		return
	}
	if s.members[c.community] == nil {
		s.members[c.community] = map[polder.OrgID][]scope{}
	}
	for _, o := range c.audience.Listed() {
		s.members[c.community][o] = append(s.members[c.community][o], c)
	}
}

// seenBy lists the scopes that sight allows and that hold a number above after.
func (s *scopes) seenBy(sight polder.Sight, after polder.Seq) (ids []int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range sight.Communities {
		for _, sc := range s.open[c] {
			if sc.audience.Contains(sight.Org) && s.tail[sc.id] > after {
				ids = append(ids, sc.id)
			}
		}
		for _, sc := range s.members[c][sight.Org] {
			if s.tail[sc.id] > after {
				ids = append(ids, sc.id)
			}
		}
	}
	return ids
}

// audience of a scope id; nobody for 0. An id that is not known is damage, which the row's hash then shows.
func (s *scopes) audience(id int64) polder.Audience {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c, known := s.byID[id]; known {
		return c.audience
	}
	return s.pending[id].audience
}

// intern gives the id of an audience inside tx, and notes that number seq is used in it.
func (s *scopes) intern(tx *db.Tx, c polder.CommunityID, a polder.Audience, seq polder.Seq) (int64, error) {
	if a.Empty() {
		return 0, nil
	}
	key := a.String()
	s.mu.RLock()
	id, known := s.byKey[[2]string{string(c), key}]
	fresh := known && s.tail[id] >= seq
	s.mu.RUnlock()
	if fresh {
		return id, nil
	}
	err := tx.QueryRow(`INSERT INTO scope (community, audience, tail) VALUES (?, ?, ?)
		ON CONFLICT (community, audience) DO UPDATE SET tail = max(tail, excluded.tail) RETURNING id`, string(c), key, int64(seq)).Scan(&id)
	if err != nil {
		return 0, err
	}
	if !known {
		// An id that a write took and that was rolled back is overwritten by the write that takes it next.
		s.mu.Lock()
		s.pending[id] = scope{id, c, a}
		s.mu.Unlock()
	}
	tx.OnCommit(func() { s.add(scope{id, c, a}, seq) })
	return id, nil
}
