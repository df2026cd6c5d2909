package payback

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
)

// Acknowledgements tell when a delivery had reached the last member of its community that lives on another node. node plugs
// peers in.
type Acknowledgements interface {
	// ReachedAll is the time at which the last peer of the community said that it holds everything up to seq; ok is false
	// while one has not. A community without peers was reached when seq was given. It is NotFound when that is not known any
	// more.
	ReachedAll(ctx context.Context, c polder.CommunityID, seq polder.Seq) (at time.Time, ok bool, err error)
}

// Names are what a reader calls objects.
type Names interface {
	Glimpses(ctx context.Context, a polder.Actor, community string, ids []string) ([]exchange.Glimpse, error)
	Sight(ctx context.Context, a polder.Actor) (polder.Sight, error)
}

// Service is payback on one node. Its methods answer for the actor alone.
type Service struct {
	o     Options
	index *index
	rules Rules

	lists atomic.Int64 // rises with every block list that brought something new

	mu    sync.Mutex
	known map[cacheKey]cached
}

// Options are what payback needs; all are required but Reached and Log.
type Options struct {
	DB       *db.DB // with the tables of [Migrate]
	Path     string // of payback.db
	Journal  *journal.Journal
	Accounts *accounts.Service
	Exchange Names
	Reached  Acknowledgements // nil: all members live on this node
	Now      func() time.Time
	Log      *slog.Logger
}

// Open opens payback; [Service.Run] keeps it up to date.
func Open(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := Migrate(ctx, o.DB); err != nil {
		return nil, err
	}
	x, err := openIndex(ctx, o.Path, &index{journal: o.Journal, log: o.Log, speakers: exchange.NewSpeakers(o.Accounts.IsOrg), blind: o.Accounts.BlindOf})
	if err != nil {
		return nil, err
	}
	return &Service{o: o, index: x, rules: QualityRules(), known: map[cacheKey]cached{}}, nil
}

// Run keeps payback up to date until ctx ends.
func (s *Service) Run(ctx context.Context) { s.index.run(ctx) }

// Close ends it.
func (s *Service) Close() error { return s.index.db.Close() }

// Reaches sets who tells when deliveries reached other nodes.
func (s *Service) Reaches(a Acknowledgements) { s.o.Reached = a }

// Rules are those of the quality score.
func (s *Service) Rules() Rules { return s.rules }

// blockBatch is how many objects one write notes.
const blockBatch = 500

// Blocked notes that an organisation took a block list with these objects. It is what [exchange.Blocked] asks for.
func (s *Service) Blocked(ctx context.Context, by polder.OrgID, objects []exchange.Ref) error {
	ctx = context.WithoutCancel(ctx) // the list is out, whether or not its reader is still there
	day := s.o.Now().UTC().Truncate(24 * time.Hour)
	for some := range slices.Chunk(objects, blockBatch) {
		fresh, err := notYetBlocked(ctx, s.o.DB, by, some)
		if err != nil {
			return err
		}
		if len(fresh) == 0 {
			continue
		}
		if err := s.o.DB.Write(ctx, func(tx *db.Tx) error { return putBlocks(tx, by, fresh, day) }); err != nil {
			return err
		}
		s.lists.Add(1)
	}
	return nil
}

// place is a community that the actor reads.
func (s *Service) place(ctx context.Context, a polder.Actor, community string) (polder.Membership, error) {
	ms, err := s.places(ctx, a)
	if err != nil {
		return polder.Membership{}, err
	}
	for _, m := range ms {
		if m.Alias == community || string(m.Community.ID) == community {
			return m, nil
		}
	}
	return polder.Membership{}, polder.Errorf(polder.NotFound, "community %q: your organisation is not a member of a community of that name, or its agreement is not accepted yet", community)
}

// places are the communities that the actor reads, by name.
func (s *Service) places(ctx context.Context, a polder.Actor) ([]polder.Membership, error) {
	ms, err := s.o.Accounts.MembershipsOf(ctx, a)
	return slices.DeleteFunc(ms, func(m polder.Membership) bool { return m.Right(a) < polder.RoleReader }), err
}

// viewing is what the actor may be told of, in one community (alias or id) or in all of its communities, and those.
func (s *Service) viewing(ctx context.Context, a polder.Actor, community string) (view, []polder.Membership, error) {
	var in []polder.Membership
	var err error
	if community == "" {
		in, err = s.places(ctx, a)
	} else {
		var m polder.Membership
		m, err = s.place(ctx, a, community)
		in = []polder.Membership{m}
	}
	if err != nil {
		return view{}, nil, err
	}
	sight, err := s.o.Exchange.Sight(ctx, a)
	if err != nil {
		return view{}, nil, err
	}
	only := polder.CommunityID("")
	if community != "" {
		only = in[0].Community.ID
	}
	v, err := viewOf(s.o.Journal, sight, only)
	return v, in, err
}

// others is how many members of a community may see what is shared there, beside one.
func (s *Service) others(ctx context.Context, c polder.CommunityID, but polder.OrgID) (n int, err error) {
	ms, err := s.o.Accounts.Members(ctx, c)
	for _, m := range ms {
		if m.Org != but && m.Accepted && m.Role.OnObjects() >= polder.RoleReader {
			n++
		}
	}
	return n, err
}

// cacheKey is a question, and cached its answer for as long as nothing has changed and the hour is the same. An answer that
// took long may be older: for four times as long as it took, and at most a minute.
type cacheKey struct {
	what, org, scopes, community string
	members                      int64 // how often memberships changed
}

type cached struct {
	cursor, custody, lists int64
	at                     time.Time
	took                   time.Duration
	answer                 any
}

const (
	maxCached  = 64 // answers that are kept
	tookLong   = 250 * time.Millisecond
	longestOld = time.Minute
)

// fresh tells whether c may be given at a time, when the index is at now.
func (c cached) fresh(now cached) bool {
	if age := now.at.Sub(c.at); c.took >= tookLong && age >= 0 && age < min(4*c.took, longestOld) {
		return true
	}
	hour := func(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }
	return c.cursor == now.cursor && c.custody == now.custody && c.lists == now.lists && hour(c.at).Equal(hour(now.at))
}

// once gives the answer of compute, or the kept one. Answers are shared: whoever gets one does not change it.
func once[T any](ctx context.Context, s *Service, key cacheKey, compute func() (T, error)) (out T, err error) {
	if key.members, err = s.o.Accounts.Epoch(ctx); err != nil {
		return out, err
	}
	now := cached{cursor: s.index.cursor.Load(), custody: s.index.custody.Load(), lists: s.lists.Load(), at: s.o.Now()}
	s.mu.Lock()
	have, ok := s.known[key]
	s.mu.Unlock()
	if ok && have.fresh(now) {
		return have.answer.(T), nil
	}
	if out, err = compute(); err != nil {
		return out, err
	}
	now.answer, now.took = out, s.o.Now().Sub(now.at)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxCached {
		clear(s.known)
	}
	s.known[key] = now
	return out, nil
}
