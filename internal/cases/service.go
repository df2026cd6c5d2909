package cases

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/deadline"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
)

// Service keeps reports, cases, their deadlines and the register of crown jewels. All its methods check what the actor
// may do, and may be called from any goroutine.
type Service struct {
	o       ServiceOptions
	mu      sync.Mutex
	changed chan struct{} // closed when a queue, a case or a deadline changed
	reports *reportState
}

// ServiceOptions are what a [Service] needs; DB, Audit, Now, Blobs, Jobs and Accounts must be there.
type ServiceOptions struct {
	DB       *db.DB
	Audit    *audit.Log
	Now      func() time.Time
	Rand     io.Reader // nil is crypto/rand
	Blobs    *blob.Store
	Jobs     *jobs.Jobs
	Accounts Accounts
	Packs    deadline.Packs   // rules of the law; the zero value is those in the binary
	Exchange Exchange         // nil: nothing is looked up and nothing leaves
	Objects  Objects          // nil: pages of objects show no cases that hold the same values
	Keeper   Keeper           // nil: no case is shared
	Shared   SharedLog        // nil: no case of others is read
	Own      SharedOwn        // with Shared: what an organisation sees
	Reminder Reminder         // nil: nobody is reminded of deadlines
	Moments  []DeadlineMoment // when people are reminded; nil is [DeadlineMoments]
	Secret   []byte           // of this node, for receipts and limits: at least 32 bytes
	Log      *slog.Logger

	Rates ReportRates // what strangers may do; the zero value is right for a node
	Keep  ReportKeep  // how long reports and threads are kept; the zero value is right for a node
}

// Accounts is what cases need to know of people and organisations. node plugs [accounts.Service] in.
type Accounts interface {
	Org(ctx context.Context, id polder.OrgID) (polder.Org, error)
	// Doer is who acts: the person; for a token whoever made it; for a token that was made at the machine the token's own
	// id. Keys, parts in a case and everything that is signed go by it, so commands and scripts work as people do: never
	// use Actor.Person for that.
	Doer(ctx context.Context, by polder.Actor) (polder.PersonID, error)
	// Named is what a person of an organisation is called, for what others of that organisation read.
	Named(ctx context.Context, id polder.PersonID) (name string, org polder.OrgID, err error)
	// Colleagues are the people of an organisation who may work, by name.
	Colleagues(ctx context.Context, by polder.Actor) ([]Colleague, error)
	// Works tells whether somebody, or a token made at the machine, may act for an organisation now, and read its objects.
	Works(ctx context.Context, id polder.PersonID, org polder.OrgID) (bool, error)
}

// Colleague is a person of the actor's organisation.
type Colleague struct {
	ID   polder.PersonID
	Name string
	Role polder.Role
}

// NewService makes the service of a database that was brought up to date with [Migrate].
func NewService(o ServiceOptions) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	s := &Service{o: o, changed: make(chan struct{}), reports: newReportState(o)}
	if o.Jobs != nil {
		o.Jobs.Handle(reportKeepJob, s.keepReports)
		o.Jobs.Handle(deadlineJob, s.remindJob)
	}
	return s
}

// Changed is closed when a queue, a case or a deadline has changed, of whatever organisation; ask again then.
func (s *Service) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// tell wakes whoever waits on [Service.Changed].
func (s *Service) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}
