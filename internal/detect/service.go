package detect

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/stix"
)

// Ref names a shared object and the community by which it came; without a community it is the object wherever it came.
type Ref struct{ Community, ID string }

// Object is a shared object as one reader may see it now.
type Object struct {
	Ref
	Type, Title, Href string
	CommunityName     string
	By                string // who made it, as this reader may be told
	Level             stix.Marking
	PAP               stix.PAP
	Confidence        int // 0 to 100; -1 when nothing was said
	Revoked           bool
	Until             time.Time // when it ends by itself; zero for never
}

// Relation is something that is said of an object.
type Relation struct {
	Text              string // "indicates", "uses"
	Type, Title, Href string
	Level             stix.Marking
}

// Objects is what alerts need of the exchange. node plugs it in.
type Objects interface {
	// See returns those of the objects that by may see now; it is asked for at most a hundred at once. Whatever is missing
	// in the answer does not exist for by.
	See(ctx context.Context, by polder.Actor, refs []Ref) (map[Ref]Object, error)
	// Relations are one step around an object, for by; at most limit.
	Relations(ctx context.Context, by polder.Actor, ref Ref, limit int) ([]Relation, error)
}

// mostRefs is how many objects are asked for at once.
const mostRefs = 100

// Service keeps the alerts of a node's organisations. Alerts and the events in them belong to the organisation that
// took the events in: nobody else of the node reads them, its administrator included, and they never enter the journal.
// All its methods check what the actor may do, and may be called from any goroutine.
type Service struct {
	o       ServiceOptions
	mu      sync.Mutex
	changed chan struct{} // closed when there is a new group
}

// ServiceOptions are what a [Service] needs; DB, Audit and Now must be there.
type ServiceOptions struct {
	DB      *db.DB
	Audit   *audit.Log
	Now     func() time.Time
	Objects Objects // nil: there is no exchange, and what rests on a shared object is shown without content
	Release Release // nil: no sightings can be shared
	Log     *slog.Logger

	Accounts *accounts.Service // nil: a live list does not ask again who reads it

	Grouping Grouping      // zero is [DefaultGrouping]
	Keep     time.Duration // how long what is decided is kept; 0 is 180 days
}

// NewService makes the service of a database that was brought up to date with [Migrate].
func NewService(o ServiceOptions) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Grouping == (Grouping{}) {
		o.Grouping = DefaultGrouping
	}
	if o.Keep == 0 {
		o.Keep = 180 * 24 * time.Hour
	}
	return &Service{o: o, changed: make(chan struct{})}
}

// Changed is closed when there is a new group of alerts; ask again then.
func (s *Service) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Service) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// may checks that by acts for an organisation with a role that reads, or does, what is asked. Without a role that
// reads, there is nothing.
func may(by polder.Actor, need polder.Role) error {
	have := by.Role.OnObjects()
	switch {
	case by.Org == "" || have < polder.RoleReader:
		return polder.Errorf(polder.Forbidden, "alerts are for people and tokens of the organisation that took the events in, with a role that reads")
	case have < need:
		return polder.Errorf(polder.Forbidden, "your role reads alerts and decides nothing; this asks for %s", need)
	}
	return nil
}

// recordBatch is how many findings one transaction takes, so that it does not hold the writer.
const recordBatch = 100

// Record keeps findings of an organisation as alerts, each once, and tells how many were not there before. Recording
// the same again changes nothing.
func (s *Service) Record(ctx context.Context, org polder.OrgID, findings []Finding) (fresh int, err error) {
	for len(findings) > 0 {
		n := min(len(findings), recordBatch)
		err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
			added, err := s.recordTx(tx, org, findings[:n])
			if err == nil {
				tx.OnCommit(func() { fresh += added })
			}
			return err
		})
		if err != nil {
			return fresh, err
		}
		findings = findings[n:]
	}
	return fresh, nil
}

// recordTx is Record in the caller's transaction.
func (s *Service) recordTx(tx *db.Tx, org polder.OrgID, findings []Finding) (fresh int, err error) {
	if org == "" {
		return 0, polder.Errorf(polder.Internal, "record alerts: the organisation whose events these are is not said")
	}
	news := false
	for _, f := range findings {
		added, opened, err := s.recordOne(tx, org, f)
		if err != nil {
			return 0, err
		}
		if added {
			fresh++
		}
		news = news || opened
	}
	if news {
		tx.OnCommit(s.wake)
	}
	return fresh, nil
}

// recordOne keeps one finding. opened says that a group began with it.
func (s *Service) recordOne(tx *db.Tx, org polder.OrgID, f Finding) (added, opened bool, err error) {
	now := s.o.Now().UTC()
	f.ID, f.Host, f.Account, f.File = clipped(f.ID, maxText), clipped(f.Host, maxText), clipped(f.Account, maxText), clipped(f.File, maxText)
	a := alertOf(org, f, now)
	if held, err := alertHeld(tx, a.ID); err != nil || held {
		return false, false, err
	}
	suppressed, err := s.suppressedBy(tx, org, f, now)
	if err != nil {
		return false, false, err
	}
	g, err := s.groupFor(tx, org, &f, suppressed, a.Time, now)
	if err != nil {
		return false, false, err
	}
	if g.N == 0 {
		g = groupOf(org, f, a, suppressed, now)
		opened = true
		err = insertGroup(tx, &g)
	} else {
		g.add(f, a)
		err = widen(tx, g)
	}
	if err != nil {
		return false, false, err
	}
	return true, opened, insertAlert(tx, g.N, a, g.Count <= maxDetailed)
}

// groupFor is the group that a finding joins; N is 0 when it opens one. A rule that has opened very many lately opens one
// more for all other hosts, and the finding loses its host and account in the list.
func (s *Service) groupFor(tx *db.Tx, org polder.OrgID, f *Finding, suppressed string, at, now time.Time) (Group, error) {
	g, err := joinable(tx, org, *f, suppressed, at, s.o.Grouping)
	if err != nil || g.N != 0 || f.Host+f.Account == "" {
		return g, err
	}
	if many, err := manyScopes(tx, org, f.ID, now.Add(-24*time.Hour)); err != nil || !many {
		return g, err
	}
	f.Host, f.Account = "", ""
	return joinable(tx, org, *f, suppressed, at, s.o.Grouping)
}

// suppressedBy is the id of the suppression that meets a finding, "" for none, and counts that it did.
func (s *Service) suppressedBy(tx *db.Tx, org polder.OrgID, f Finding, now time.Time) (string, error) {
	since := now
	if fail.Bug("suppression-endless") {
		since = time.Time{}
	}
	active, err := activeSuppressions(tx, org, f.ID, since)
	if err != nil {
		return "", err
	}
	for _, u := range active {
		if u.meets(f) {
			return u.ID, countSuppressed(tx, u.ID, now)
		}
	}
	return "", nil
}

// groupOf is the group that begins with an alert.
func groupOf(org polder.OrgID, f Finding, a Alert, suppression string, now time.Time) Group {
	g := Group{ID: a.ID, Org: org, Kind: f.Kind, Rule: f.ID, Title: clipped(f.Title, maxText), Level: levelAt(f.Level.rank()), Why: clipped(f.Why, maxText), Host: f.Host, Account: f.Account,
		Origin: f.Origin, Count: 1, First: a.Time, Last: a.Time, Made: now, State: StateNew, Suppression: suppression, Changed: now}
	if g.Title == "" {
		g.Title = g.Rule
	}
	if suppression != "" {
		g.State = StateSuppressed
	}
	return g
}

// add counts one more alert. The group is as severe as its most severe alert.
func (g *Group) add(f Finding, a Alert) {
	g.Count++
	if a.Time.Before(g.First) {
		g.First = a.Time
	}
	if a.Time.After(g.Last) {
		g.Last = a.Time
	}
	if f.Level.rank() > g.Level.rank() {
		g.Level, g.Why = levelAt(f.Level.rank()), clipped(f.Why, maxText)
	}
}

// Decide gives a group of alerts a state, with who, why and when. False asks for a reason. A confirmed alert is shared
// as a sighting where a rule of the organisation says so; Released tells what came of it.
func (s *Service) Decide(ctx context.Context, by polder.Actor, id string, state State, reason string) (Released, error) {
	if err := may(by, polder.RoleContributor); err != nil {
		return Released{}, err
	}
	reason = strings.TrimSpace(reason)
	switch {
	case !state.decidable():
		return Released{}, polder.Errorf(polder.Invalid, "state: %.40q cannot be given; use new, in-work, confirmed, false or closed", state)
	case state == StateFalse && len(reason) < 3:
		return Released{}, polder.Errorf(polder.Invalid, "reason: say in a sentence why this is a false alarm; the next one who sees it will ask")
	case len(reason) > maxText:
		return Released{}, polder.Errorf(polder.Invalid, "reason: is longer than %d bytes", maxText)
	}
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
		g, err := readGroupTx(tx, by.Org, id)
		if err != nil {
			return err
		}
		if g.State == state && g.Reason == reason {
			return nil // said twice is said once
		}
		if err := setState(tx, g, by, state, reason, s.o.Now()); err != nil {
			return err
		}
		return s.noteTx(tx, by, "alert.state", g.ID, map[string]string{"state": string(state)})
	})
	if err != nil || state != StateConfirmed {
		return Released{}, err
	}
	return s.releaseByRule(ctx, by, id)
}

// noteTx writes the audit entry of what somebody did. Only the organisation itself reads it.
func (s *Service) noteTx(tx *db.Tx, by polder.Actor, action, object string, detail map[string]string) error {
	e := audit.EntryOf(by)
	e.Action, e.Object, e.Detail, e.Narrow = action, object, detail, true
	return s.o.Audit.Append(tx, e)
}

// maxSuppressions is how many suppressions of an organisation count at a time.
const maxSuppressions = 1000

// Suppress keeps further alerts of a rule within a scope out of the queue. With the id of a group, that group is taken
// out of the queue too.
func (s *Service) Suppress(ctx context.Context, by polder.Actor, u Suppression, group string) (Suppression, error) {
	if err := may(by, polder.RoleContributor); err != nil {
		return u, err
	}
	now := s.o.Now().UTC()
	u.Until = u.Until.UTC().Truncate(time.Microsecond)
	if err := u.check(now); err != nil {
		return u, err
	}
	u.ID, u.Org, u.By, u.Made = strings.ToLower(rand.Text()), by.Org, actorName(by), now
	u.Ended, u.EndedBy, u.Count, u.Last = time.Time{}, "", 0, time.Time{}
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if n, err := countActive(tx, by.Org, now); err != nil || n >= maxSuppressions {
			if err == nil {
				err = polder.Errorf(polder.Conflict, "%d suppressions count already; end some first", n)
			}
			return err
		}
		if group != "" {
			g, err := readGroupTx(tx, by.Org, group)
			if err != nil {
				return err
			}
			if g.Rule != u.Rule {
				return polder.Errorf(polder.Invalid, "rule: %.80q is not the rule of this alert", u.Rule)
			}
			if err := setState(tx, g, by, StateSuppressed, u.Reason, now); err != nil {
				return err
			}
		}
		var err error
		if u.Object, u.Title, err = ofRule(tx, by.Org, u.Rule); err != nil {
			return err
		}
		if u.Object == "" && stix.ValidID(u.Rule) {
			u.Object = u.Rule
		}
		if err := insertSuppression(tx, u, by); err != nil {
			return err
		}
		return s.noteTx(tx, by, "suppression.add", u.ID, map[string]string{"rule": u.Rule, "scope": string(u.Scope), "until": u.Until.Format(time.RFC3339)})
	})
	return u, err
}

// Suppressions are those of the actor's organisation: what counts first.
func (s *Service) Suppressions(ctx context.Context, by polder.Actor) ([]Suppression, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return nil, err
	}
	all, err := listSuppressions(ctx, s.o.DB.Read(), by.Org, s.o.Now(), 2*maxSuppressions)
	if err != nil {
		return nil, err
	}
	return all, s.blankTitles(ctx, by, all)
}

// Suppression is one of the actor's organisation.
func (s *Service) Suppression(ctx context.Context, by polder.Actor, id string) (Suppression, error) {
	if err := may(by, polder.RoleReader); err != nil {
		return Suppression{}, err
	}
	u, err := readSuppression(ctx, s.o.DB.Read(), by.Org, id)
	if err != nil {
		return u, err
	}
	one := []Suppression{u}
	err = s.blankTitles(ctx, by, one)
	return one[0], err
}

// ChangeSuppression gives a suppression that still counts another reason or end.
func (s *Service) ChangeSuppression(ctx context.Context, by polder.Actor, id, reason string, until time.Time) error {
	now := s.o.Now().UTC()
	return s.onSuppression(ctx, by, id, "suppression.change", func(u *Suppression) error {
		if reason != "" {
			u.Reason = reason
		}
		if !until.IsZero() {
			u.Until = until.UTC().Truncate(time.Microsecond)
		}
		return u.check(now)
	})
}

// EndSuppression ends a suppression now.
func (s *Service) EndSuppression(ctx context.Context, by polder.Actor, id string) error {
	now := s.o.Now().UTC()
	return s.onSuppression(ctx, by, id, "suppression.end", func(u *Suppression) error {
		u.Ended, u.EndedBy = now, actorName(by)
		return nil
	})
}

func (s *Service) onSuppression(ctx context.Context, by polder.Actor, id, action string, change func(*Suppression) error) error {
	if err := may(by, polder.RoleContributor); err != nil {
		return err
	}
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		u, err := readSuppressionTx(tx, by.Org, id)
		if err != nil {
			return err
		}
		if !u.Active(s.o.Now()) {
			return polder.Errorf(polder.Conflict, "the suppression has ended; make a new one")
		}
		if err := change(&u); err != nil {
			return err
		}
		if err := changeSuppression(tx, u); err != nil {
			return err
		}
		return s.noteTx(tx, by, action, u.ID, map[string]string{"until": u.Until.Format(time.RFC3339)})
	})
}

// pruneEvery is how often what is kept too long is looked for.
const pruneEvery = 6 * time.Hour

// Run does what the service does by itself until ctx ends.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTicker(pruneEvery)
	defer t.Stop()
	for {
		if gone, err := s.Prune(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("alerts that were kept long enough cannot be taken away", "error", err)
		} else if gone > 0 {
			s.o.Log.Info("alerts that were kept long enough were taken away", "groups", gone)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Prune takes away alerts that were decided or suppressed and have not moved for as long as they are kept. It is called
// now and then; each call takes a bounded number of short transactions.
func (s *Service) Prune(ctx context.Context) (gone int64, err error) {
	before := s.o.Now().Add(-s.o.Keep)
	for range 100 {
		var n int64
		err := s.o.DB.Write(ctx, func(tx *db.Tx) (err error) {
			n, err = dropGroups(tx, before, 20)
			return err
		})
		gone += n
		if err != nil || n == 0 {
			return gone, err
		}
	}
	return gone, nil
}
