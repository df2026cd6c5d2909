package exchange

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
)

// Batch is how many objects one transaction takes at most, unless they came in one TAXII POST.
const Batch = 1000

// Service is the exchange of one node. All its methods check what the actor may do.
type Service struct {
	db       *db.DB
	journal  *journal.Journal
	audit    *audit.Log
	accounts *accounts.Service
	log      *slog.Logger
	now      func() time.Time
	secret   []byte // for ids of what Polder makes, so that they tell nothing of who made it
	search   *Index
	warnings *indicator.Warnings
	shield   atomic.Pointer[shield]
	rights   *rights
	streams  *doors
	blobs    *blob.Store
	jobs     *jobs.Jobs
	notifier *Notifier // set by [NewNotifier]; nil tells nobody
	sign     Signatures
	grounds  grounds
	releases *releases
	decay    atomic.Pointer[Decay] // set by [Service.UseDecay]
	blocked  Blocked               // set by [Service.CountBlocks]; nil counts nothing
}

// Options are what a service needs; all are required but Log, Warnings, Blobs and Jobs.
type Options struct {
	DB         *db.DB
	Journal    *journal.Journal
	Audit      *audit.Log
	Accounts   *accounts.Service
	Now        func() time.Time
	Secret     []byte
	Search     *Index
	Warnings   *indicator.Warnings // what must never be blocked; nil is the built-in lists
	Log        *slog.Logger
	Blobs      *blob.Store // where attachments lie; nil takes none
	Jobs       *jobs.Jobs  // for daily work; nil keeps everything without end
	Signatures Signatures  // nil signs nothing, and holds no signature to be wrong
}

// New makes the service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Warnings == nil {
		o.Warnings = indicator.NewWarnings()
	}
	s := &Service{
		db: o.DB, journal: o.Journal, audit: o.Audit, accounts: o.Accounts, log: o.Log, now: o.Now, secret: o.Secret, search: o.Search,
		warnings: o.Warnings, rights: newRights(), streams: newDoors(), blobs: o.Blobs, jobs: o.Jobs, sign: o.Signatures, releases: newReleases(),
	}
	if s.jobs != nil {
		s.jobs.Handle(retentionJob, s.retain)
	}
	return s
}

// Sight is what the actor may see now.
func (s *Service) Sight(ctx context.Context, a polder.Actor) (polder.Sight, error) {
	ms, err := s.accounts.MembershipsOf(ctx, a)
	if err != nil {
		return polder.Sight{}, err
	}
	return policy.Sight(a, ms), nil
}

// SightIn is the actor's sight in one community, given by alias or id, or in all of its communities when that is
// empty. A community in which it sees nothing is not found.
func (s *Service) SightIn(ctx context.Context, a polder.Actor, community string) (polder.Sight, error) {
	if community == "" {
		return s.Sight(ctx, a)
	}
	m, err := s.membership(ctx, a, community)
	if err != nil {
		return polder.Sight{}, err
	}
	return policy.Sight(a, []polder.Membership{m}), nil
}

// membership is the actor's in a community that it may know of; NotFound for all others, whether they exist or not.
func (s *Service) membership(ctx context.Context, a polder.Actor, community string) (polder.Membership, error) {
	ms, err := s.accounts.MembershipsOf(ctx, a)
	if err != nil {
		return polder.Membership{}, err
	}
	for _, m := range ms {
		if m.Alias == community || string(m.Community.ID) == strings.ToLower(community) {
			if m.Right(a) < polder.RoleReader {
				break
			}
			return m, nil
		}
	}
	return polder.Membership{}, polder.Errorf(polder.NotFound, "community %q: your organisation is not a member of a community of that name, or its agreement is not accepted yet", community)
}

// members of a community who may see what is shared in it.
func (s *Service) members(ctx context.Context, c polder.CommunityID) ([]polder.Membership, error) {
	ms, err := s.accounts.Members(ctx, c)
	return slices.DeleteFunc(ms, func(m polder.Membership) bool { return !m.Accepted || m.Role < polder.RoleReader }), err
}

// Share brings objects into a community (X1–X16, X20–X21). Its error is about the request as a whole; what is wrong
// with single objects is in Result.Refused, and unless the request is Partial nothing is stored then.
func (s *Service) Share(ctx context.Context, a polder.Actor, r Request) (Result, error) {
	sh, err := s.begin(ctx, a, r)
	if err != nil {
		return Result{}, err
	}
	if err := sh.prepare(ctx); err != nil {
		return Result{}, err
	}
	if err := sh.release(ctx); err != nil {
		return Result{}, err
	}
	if r.Partial && !r.Preview {
		sh.result.Warnings, _ = sh.doubts()
		if r.told != nil {
			r.told(sh.result.Warnings)
		}
		return sh.store(ctx)
	}
	if err := sh.rehearse(ctx); err != nil {
		return Result{}, err
	}
	held, err := sh.warn(ctx)
	if err != nil {
		return Result{}, err
	}
	if r.Preview || held || sh.stopped || len(sh.result.Refused) > 0 && !r.Partial {
		return sh.preview(ctx)
	}
	return sh.store(ctx)
}

// aliases names each community.
func (s *Service) aliases(ctx context.Context) (map[polder.CommunityID]string, error) {
	all, err := s.accounts.Communities(ctx)
	out := map[polder.CommunityID]string{}
	for _, c := range all {
		out[c.ID] = c.Alias
	}
	return out, err
}

// Run keeps what the exchange does by itself going until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { s.search.run(ctx) })
	if s.notifier != nil {
		all.Go(func() { s.notifier.run(ctx) })
	}
	s.watchRights(ctx)
	all.Wait()
}

// SearchLag is how far the search index is behind the journal.
func (s *Service) SearchLag() time.Duration { return s.search.Lag() }
