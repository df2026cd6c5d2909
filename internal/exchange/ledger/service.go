package ledger

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

//go:embed migrations/*.sql
var migrations embed.FS

// File is the name of the file in a node's folder that holds the trees.
const File = "log.db"

// SecretName is the use of the node's key from which nonces and decoys are made.
const SecretName = "ledger.nonces"

// Every is how long passes at least between two checkpoints, and Stale how old the last one may be.
const (
	Every = 5 * time.Second
	Stale = 24 * time.Hour
)

// Stopper stops the links to a node until a person lets them go on.
type Stopper interface {
	StopPeer(ctx context.Context, peer polder.OrgID, reason string) error
}

// Options are what a ledger needs. Stop may be nil: nothing is stopped then, but refused at each attempt.
type Options struct {
	DB      *db.DB // the node's
	Path    string // of the file of trees
	Journal *journal.Journal
	Audit   *audit.Log
	Keys    exchange.NodeKeys // nil on a side that only reads (commands)
	Secret  []byte            // of the node, for nonces and decoys
	Stop    Stopper
	Linked  func(context.Context) (map[polder.OrgID]bool, error) // the nodes that links lead to; nil: all whose logs are known
	Now     func() time.Time
	Log     *slog.Logger
	Every   time.Duration // 0 is [Every]; below 0 is no pause
	Stale   time.Duration // 0 is [Stale]
}

// Service is the ledger of a node.
type Service struct {
	o       Options
	db      *db.DB
	trees   *trees
	journal *journal.Journal
	log     *slog.Logger
	node    polder.OrgID
	origin  string

	build  sync.Mutex // one at a time builds and signs
	failed atomic.Pointer[string]
	cursor atomic.Int64
	size   atomic.Int64

	mu      sync.Mutex
	changed chan struct{}
	peers   map[polder.OrgID]*sync.Mutex // one at a time follows a node's log
}

var (
	_ exchange.Ledger   = (*Service)(nil)
	_ exchange.PeerPart = (*Service)(nil)
)

// Migrate brings the tables in the node's database up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "ledger", sub)
}

// Open opens the ledger of a node; [Service.Run] lets it follow the journal. A file of trees that is missing, damaged or
// of another log is made anew.
func Open(ctx context.Context, o Options) (_ *Service, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Every == 0 {
		o.Every = Every
	}
	if o.Stale == 0 {
		o.Stale = Stale
	}
	if err := Migrate(ctx, o.DB); err != nil {
		return nil, err
	}
	s := &Service{o: o, db: o.DB, journal: o.Journal, log: o.Log, changed: make(chan struct{}, 1), peers: map[polder.OrgID]*sync.Mutex{}}
	if s.trees, err = openTrees(ctx, o.Path, o.Keys != nil, o.Log); err != nil {
		return nil, err
	}
	if o.Keys == nil {
		return s, s.adopt(ctx)
	}
	if err := s.begin(ctx); err != nil {
		_ = s.trees.db.Close() // the first error counts
		return nil, err
	}
	return s, nil
}

// begin finds out which log is this node's own now.
func (s *Service) begin(ctx context.Context) (err error) {
	if s.node, _, err = s.o.Keys.Node(ctx); err != nil {
		return err
	}
	lineage, err := s.journal.Lineage(ctx)
	if err != nil {
		return err
	}
	s.origin = seal.LogOrigin(string(s.node), lineage)
	if err := s.beginOwn(ctx); err != nil {
		return err
	}
	t, err := s.ownTree(ctx)
	if err != nil {
		return err
	}
	s.cursor.Store(int64(t.cursor))
	s.size.Store(t.size)
	return nil
}

// adopt takes over, for commands, which log the node said was its own.
func (s *Service) adopt(ctx context.Context) error {
	logs, err := s.logs(ctx)
	if err != nil {
		return err
	}
	for _, l := range logs {
		if l.Own && l.Ended.IsZero() {
			s.origin, s.node = l.Origin, l.Node
		}
	}
	return nil
}

// Close ends it.
func (s *Service) Close() error { return s.trees.db.Close() }

// Nonce opens the commitment to a delivery of this node.
func (s *Service) Nonce(d journal.Delivery) []byte { return seal.LeafNonce(s.o.Secret, int64(d.Seq)) }

// leafOf is what the log commits to of a delivery of this node.
func leafOf(d journal.Delivery) seal.Leaf {
	l := seal.Leaf{Seq: int64(d.Seq), Community: string(d.Community), Kind: byte(d.Kind), ID: d.ID, Digest: d.Digest}
	switch {
	case d.Kind == journal.Object && d.Version != "":
		l.Version = d.Version + "Z"
	case d.Kind != journal.Object && d.Digest == [32]byte{}:
		l.Version = d.Stated() // the withdrawal of an observable names it by its digest
	}
	return l
}

// handedLeaf is what the log of whoever handed h over must commit to; ok is false for what cannot be read, which is never
// stored either.
func handedLeaf(h exchange.Handed) (l seal.Leaf, ok bool) {
	l = seal.Leaf{Seq: int64(h.Seq), Community: string(h.Community), Kind: byte(h.Kind), ID: h.ID}
	if h.Kind != journal.Object {
		l.Version = h.Version
		if len(h.Record) == len(l.Digest) {
			l.Digest = [32]byte(h.Record)
		}
		return l, true
	}
	o := h.Parsed
	if o == nil {
		parsed, err := stix.Parse(h.Raw)
		if err != nil {
			return l, false
		}
		o = &parsed
	}
	digest, err := o.Digest()
	l.Version, l.Digest = o.Version(), digest
	return l, err == nil && o.ID == h.ID
}

// Changed rings when there is a new checkpoint, or a cosignature to pass on.
func (s *Service) Changed() <-chan struct{} { return s.changed }

func (s *Service) ring() {
	select {
	case s.changed <- struct{}{}:
	default: // it has not been heard yet
	}
}
