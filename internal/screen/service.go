package screen

import (
	"context"
	"crypto/rand"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// Lists is what screening needs of the lists that organisations ask. node plugs the registry in.
//
// Which lists an organisation's parties were last asked against, in which versions, is kept with each party; so the
// registry need not remember who knows what. When the lists of [Lists.Screener] have other hashes than those, the
// service asks [Lists.Version] for both versions of each list that differs, compares them with [lists.Compare] and asks
// the parties against what was added or changed, and nothing else. A version that is not kept any more is no harm: then
// the parties are asked against the whole list.
type Lists interface {
	// Screener asks the lists that count for org now, in their present versions. One without lists asks nothing, and its
	// answers are not put on record. It may be called often, and must be quick when nothing has changed.
	Screener(ctx context.Context, org polder.OrgID) (*Screener, error)

	// Version is one version of a list that counts, or counted, for org: Name and SHA256 are as in its [lists.Meta]. One
	// that is not kept any more, and one that org may not read, is [polder.NotFound]. The caller changes nothing in it.
	Version(ctx context.Context, org polder.OrgID, name, sha256 string) (*lists.List, error)

	// Changed is closed when some list has another version, or counts for others than before; ask again then.
	Changed() <-chan struct{}
}

// Remote is the seam for a check that a hub makes on behalf of its members without learning who is asked about: by
// private matching, where what leaves the node are blinded forms of names that only the asker can unblind the answers
// to. Nothing implements it, so nothing about a query leaves the node. Whoever does must keep that promise: an
// implementation that sends a name, a hash of a name or an identifier breaks it, since names can be guessed.
type Remote interface {
	// Match answers queries in their order. Its answers say which lists of which dates were asked, as all answers do.
	Match(ctx context.Context, org polder.OrgID, qs []Query, o Options) ([]Answer, error)
}

// Service keeps what an organisation knows and decides about parties: who they are, what was asked about them, which
// listings they met and what people made of it. All of that belongs to the organisation: nobody else of the node reads
// it, its administrator included; it never enters the journal, and no name of a party and no reason stands in a log
// line. All its methods check what the actor may do, and may be called from any goroutine.
type Service struct {
	o       ServiceOptions
	mu      sync.Mutex
	changed chan struct{}                               // closed when the queue, or the progress of something, changed
	work    chan struct{}                               // holds one token when there is work for Run
	rate    map[polder.OrgID]rateSpan                   // of single questions
	storing map[string]bool                             // batches that come in just now
	around  func(func(*db.Tx) error) func(*db.Tx) error // what measures writes; nil: nothing
}

// ServiceOptions are what a [Service] needs; DB, Audit, Now and Lists must be there.
type ServiceOptions struct {
	DB     *db.DB
	Audit  *audit.Log
	Now    func() time.Time
	Lists  Lists
	Remote Remote // nil: nothing leaves the node
	Log    *slog.Logger

	PerMinute int // queries of an organisation that [Service.Screen] answers in a minute; 0 is 120,000
}

// NewService makes the service of a database that was brought up to date with [Migrate].
func NewService(o ServiceOptions) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.PerMinute == 0 {
		o.PerMinute = 120_000
	}
	return &Service{o: o, changed: make(chan struct{}), work: make(chan struct{}, 1), rate: map[polder.OrgID]rateSpan{}, storing: map[string]bool{}}
}

// Changed is closed when the queue or the progress of something has changed, of whatever organisation; ask again then.
func (s *Service) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// write runs fn in a transaction.
func (s *Service) write(ctx context.Context, fn func(*db.Tx) error) error {
	if s.around != nil {
		fn = s.around(fn)
	}
	return s.o.DB.Write(ctx, fn)
}

// wake tells whoever waits on [Service.Changed].
func (s *Service) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// toWork tells [Service.Run] that there is something to do.
func (s *Service) toWork() {
	select {
	case s.work <- struct{}{}:
	default:
	}
}

// mayScreen checks that by acts for an organisation with a role that reads, or does, what is asked.
func mayScreen(by polder.Actor, need polder.Role) error {
	have := by.Role.OnObjects()
	switch {
	case by.Org == "" || have < polder.RoleReader:
		return polder.Errorf(polder.Forbidden, "screening is for people and tokens of an organisation, with a role that reads; who manages the node reads none of it")
	case have < need:
		return polder.Errorf(polder.Forbidden, "your role is %s; this asks for %s", have, need)
	}
	return nil
}

// Bounds of what is asked and kept.
const (
	MaxQueries    = 1_000   // that one call of [Service.Screen] or [Service.Keep] takes
	MaxParties    = 500_000 // that an organisation knows
	MaxBatchRows  = 100_000 // of one batch
	maxAskedName  = 100_000 // bytes of a name that is only asked
	maxKeptName   = 2_000   // bytes of a name that is kept
	maxShort      = 200     // bytes of a reference, a country, an identifier
	maxReason     = 4_000   // bytes of a reason or question
	minReason     = 10      // characters of a reason
	maxIDs        = 20      // identifiers of a query
	maxKeptHits   = 100     // hits of an answer that go on record and into the queue; the best
	maxParts      = 64      // parts of a comparison that are kept
	maxKeptString = 2_000   // bytes of any text of a listing that is kept
)

// checkQuery refuses what nobody can be asked about; longest bounds the name.
func checkQuery(q Query, longest int) error {
	switch {
	case strings.TrimSpace(q.Name) == "":
		return polder.Errorf(polder.Invalid, "name: is empty; write the name of the party")
	case len(q.Name) > longest:
		return polder.Errorf(polder.TooLarge, "name: is %d bytes long; at most %d", len(q.Name), longest)
	case !utf8.ValidString(q.Name):
		return polder.Errorf(polder.Invalid, "name: is not UTF-8; save the text as UTF-8 and send it again")
	case q.Type > names.Vessel:
		return polder.Errorf(polder.Invalid, "type: is not known; use person, company, vessel or any")
	case len(q.Ref) > maxShort || len(q.Country) > maxShort || len(q.Birth) > maxShort:
		return polder.Errorf(polder.TooLarge, "reference, country, birth: at most %d bytes each", maxShort)
	case len(q.Identifiers) > maxIDs:
		return polder.Errorf(polder.TooLarge, "identifiers: %d are too many; at most %d", len(q.Identifiers), maxIDs)
	}
	if q.Birth != "" {
		if _, err := ParseBirth(q.Birth); err != nil {
			return polder.Errorf(polder.Invalid, "birth: %w", err)
		}
	}
	for _, id := range q.Identifiers {
		if len(id.Kind)+len(id.Value)+len(id.Country) > 3*maxShort {
			return polder.Errorf(polder.TooLarge, "identifiers: one of kind %.20q is longer than %d bytes", id.Kind, maxShort)
		}
	}
	return nil
}

// rateSpan counts the queries of a minute.
type rateSpan struct {
	from time.Time
	n    int
}

// admit counts n queries of an organisation, or refuses them.
func (s *Service) admit(org polder.OrgID, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, r := s.o.Now(), s.rate[org]
	switch age := now.Sub(r.from); {
	case age >= time.Minute:
		r = rateSpan{from: now}
	case age < 0: // a clock that is set back opens no limit
		r.from = now
	}
	if r.n+n > s.o.PerMinute {
		return polder.Errorf(polder.Limited, "%d queries in a minute are as many as an organisation may ask; wait a minute, or send a batch", s.o.PerMinute)
	}
	r.n += n
	s.rate[org] = r
	return nil
}

// Screen asks about up to [MaxQueries] parties and keeps nothing: no name and no answer is written anywhere. Without a
// threshold in o it is the organisation's own. Answers are in the order of the queries.
func (s *Service) Screen(ctx context.Context, by polder.Actor, qs []Query, o Options) ([]Answer, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	if len(qs) > MaxQueries {
		return nil, polder.Errorf(polder.TooLarge, "%d queries at once are too many; ask %d at a time, or send a batch", len(qs), MaxQueries)
	}
	for i, q := range qs {
		if err := checkQuery(q, maxAskedName); err != nil {
			return nil, polder.Errorf(polder.KindOf(err), "query %d: %w", i+1, err)
		}
	}
	if err := s.admit(by.Org, len(qs)); err != nil {
		return nil, err
	}
	o, err := s.options(ctx, by.Org, o)
	if err != nil {
		return nil, err
	}
	sc, err := s.screener(ctx, by.Org)
	if err != nil {
		return nil, err
	}
	out := sc.askAll(ctx, qs, o, s.o.Now().UTC())
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.withRemote(ctx, by.Org, qs, o, out)
}

// askAll answers queries in their order, on all cores, until ctx ends.
func (s *Screener) askAll(ctx context.Context, qs []Query, o Options, at time.Time) []Answer {
	out := make([]Answer, len(qs))
	var next atomic.Int64
	var all sync.WaitGroup
	var fell atomic.Pointer[any]
	for range min(runtime.GOMAXPROCS(0), len(qs)) {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					fell.Store(&p)
				}
			}()
			for i := next.Add(1) - 1; i < int64(len(qs)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				out[i] = s.Screen(qs[i], o)
				out[i].Asked = at
			}
		})
	}
	all.Wait()
	if p := fell.Load(); p != nil {
		panic(*p) // where the door of the node catches it
	}
	return out
}

// options are o with the organisation's threshold where it names none.
func (s *Service) options(ctx context.Context, org polder.OrgID, o Options) (Options, error) {
	if !(o.Threshold >= 0 && o.Threshold <= 1) {
		return o, polder.Errorf(polder.Invalid, "threshold: must lie between 0 and 1")
	}
	if o.Threshold > 0 {
		return o, nil
	}
	set, err := settingsOf(s.reader(ctx), org)
	o.Threshold = set.Threshold
	return o, err
}

// screener is the lists of an organisation, of which there must be one.
func (s *Service) screener(ctx context.Context, org polder.OrgID) (*Screener, error) {
	sc, err := s.o.Lists.Screener(ctx, org)
	if err != nil {
		return nil, err
	}
	if len(sc.Lists()) == 0 {
		return nil, polder.Errorf(polder.Conflict, "there is no list to ask; import one first, with polder lists import or on the page of the lists")
	}
	return sc, nil
}

// withRemote adds what a hub answers, where one is plugged in.
func (s *Service) withRemote(ctx context.Context, org polder.OrgID, qs []Query, o Options, out []Answer) ([]Answer, error) {
	if s.o.Remote == nil || len(qs) == 0 {
		return out, nil
	}
	more, err := s.o.Remote.Match(ctx, org, qs, o)
	if err != nil {
		return nil, err
	}
	if len(more) != len(out) {
		return nil, polder.Errorf(polder.Unavailable, "the hub answered %d of %d queries; ask again later", len(more), len(out))
	}
	for i := range out {
		out[i].Hits = append(out[i].Hits, more[i].Hits...)
		out[i].Lists = append(out[i].Lists, more[i].Lists...)
	}
	return out, nil
}

// noteTx writes the audit entry of what somebody did, by ids alone. Only the organisation itself reads it.
func (s *Service) noteTx(tx *db.Tx, by polder.Actor, action, object string, detail map[string]string) error {
	e := audit.EntryOf(by)
	e.Action, e.Object, e.Detail, e.Narrow = action, object, detail, true
	return s.o.Audit.Append(tx, e)
}

// newScreenID is an id that cannot be guessed.
func newScreenID() string { return strings.ToLower(rand.Text()) }

// whoActs is how whoever did something is named in the record.
func whoActs(by polder.Actor) string {
	switch {
	case by.Name != "":
		return clipKept(by.Name, maxShort)
	case by.Token != "":
		return "token " + string(by.Token)
	}
	return string(by.Person)
}

// clipKept is at most n bytes of s, cut between characters.
func clipKept(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
