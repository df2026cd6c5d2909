package peers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// Exchange is what links need of the exchange.
type Exchange interface {
	// Inspect checks what a home handed over, which is then stored in this node's log.
	Inspect(ctx context.Context, from exchange.Origin, batch []exchange.Handed, before *exchange.Inspected) (*exchange.Inspected, error)
	// Accept brings what a member's node pushes into a community of this node, as the link's actor.
	Accept(ctx context.Context, a polder.Actor, c polder.CommunityID, batch []exchange.Handed, and func(tx *db.Tx) error) ([]exchange.Verdict, error)
	// HandDown is a delivery as it leaves for the node of org; HandUp one as it leaves for the home.
	HandDown(ctx context.Context, d journal.Delivery, org polder.OrgID) (exchange.Handed, bool, error)
	HandUp(ctx context.Context, d journal.Delivery, org polder.OrgID) (exchange.Handed, bool, error)
	// Upward is what org shared in some mirrored communities, among some rows of the log, as it leaves for their home.
	Upward(ctx context.Context, org polder.OrgID, communities []polder.CommunityID, rows []journal.Delivery) ([]exchange.Handed, error)
	// Retake tries again what waited for a key, when keys may have come; DropWaiting forgets it.
	Retake(ctx context.Context, from exchange.Origin) ([]exchange.Verdict, error)
	DropWaiting(tx *db.Tx, link string) error
	// Regain takes back what this node lost by being restored, where it is signed.
	Regain(ctx context.Context, a polder.Actor, c polder.CommunityID, batch []exchange.Handed, and func(tx *db.Tx) error) ([]exchange.Verdict, error)
	// Custodian tells of ids whether nobody but org is custodian of them here.
	Custodian(ctx context.Context, org polder.OrgID, c polder.CommunityID, ids []string) (map[string]bool, error)
	// YieldCustody gives the home's other members custody of an id, on the home's word.
	YieldCustody(tx *db.Tx, from exchange.Origin, id string) error
	// Sight is what an actor may see now.
	Sight(ctx context.Context, a polder.Actor) (polder.Sight, error)
}

// Options are what a [Service] needs. A command that only changes links gives DB, Audit, Accounts, Keys and Client; a
// node that serves gives all but what may be nil.
type Options struct {
	DB       *db.DB
	Audit    *audit.Log
	Accounts *accounts.Service
	Keys     exchange.NodeKeys
	Client   *http.Client // reaches other nodes, and nothing that an administrator has not allowed
	Journal  *journal.Journal
	Exchange Exchange
	Ledger   exchange.Ledger // nil: nothing is looked up in logs
	Parts    []exchange.PeerPart
	Now      func() time.Time
	Steady   func() time.Duration // how long the process has run, by a clock that nobody sets; nil is by Now
	Rand     io.Reader            // nil is crypto/rand
	Log      *slog.Logger         // nil discards
	Pace     Pace                 // zero fields take the values of [DefaultPace]
}

// Pace is how often what is done. Tests shorten it.
type Pace struct {
	Look   time.Duration // between looks for what other processes changed
	Beat   time.Duration // between signs of life on a stream, and of its reader
	Ack    time.Duration // within which the home hears that something was stored
	Silent time.Duration // after which the other side counts as gone
	Sync   time.Duration // between questions of the parts
	Pull   time.Duration // between pages that make certain
	First  time.Duration // before the second try to connect
	Last   time.Duration // most between tries
}

// DefaultPace notices a dead connection within 45 s on both sides.
var DefaultPace = Pace{
	Look: 250 * time.Millisecond, Beat: 10 * time.Second, Ack: time.Second, Silent: 35 * time.Second, Sync: time.Minute, Pull: 3 * time.Minute,
	First: 200 * time.Millisecond, Last: time.Minute,
}

func (p Pace) filled() Pace {
	or := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	or(&p.Look, DefaultPace.Look)
	or(&p.Beat, DefaultPace.Beat)
	or(&p.Ack, DefaultPace.Ack)
	or(&p.Silent, DefaultPace.Silent)
	or(&p.Sync, DefaultPace.Sync)
	or(&p.Pull, DefaultPace.Pull)
	or(&p.First, DefaultPace.First)
	or(&p.Last, DefaultPace.Last)
	return p
}

// What a peer may do when nobody set anything else.
const (
	DefaultRate  = 20_000   // deliveries a second
	DefaultBytes = 50 << 30 // bytes a day
)

// Service keeps the links of a node. Its methods check what the actor may do, and may be called from any goroutine.
type Service struct {
	o        Options
	sessions *sessions
	knocks   *accounts.Limiter // before anybody is known, by address
	asks     *accounts.Limiter // of a link

	mu       sync.Mutex
	links    map[string]Link    // as last read
	statuses map[string]*status // of this process
	conns    map[string]*conn   // sessions with homes, by link
	bell     chan struct{}      // closed when links, rights or what parts say has changed
	looked   chan struct{}      // holds one token when [Service.Run] should look at once
	meters   map[string]*meter
	epoch    int64 // of accounts, at the last look
	version  int64
}

// New makes the service of a database that was brought up to date with [Migrate].
func New(o Options) (*Service, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Steady == nil {
		start := o.Now()
		o.Steady = func() time.Duration { return o.Now().Sub(start) }
	}
	o.Pace = o.Pace.filled()
	held, err := newSessions(o.Rand, o.Steady)
	if err != nil {
		return nil, err
	}
	return &Service{
		o: o, sessions: held,
		knocks: accounts.NewLimiter(accounts.Allowance{Burst: 200, Every: 100 * time.Millisecond}, 10_000, o.Steady),
		asks:   accounts.NewLimiter(accounts.Allowance{Burst: 500, Every: 4 * time.Millisecond}, 10_000, o.Steady),
		links:  map[string]Link{}, statuses: map[string]*status{}, conns: map[string]*conn{}, meters: map[string]*meter{},
		bell: make(chan struct{}), looked: make(chan struct{}, 1), epoch: -1, version: -1,
	}, nil
}

// ring tells every stream and runner to look again.
func (s *Service) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.bell)
	s.bell = make(chan struct{})
}

func (s *Service) bells() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bell
}

// lookNow has [Service.Run] take up a change of this process at once.
func (s *Service) lookNow() {
	select {
	case s.looked <- struct{}{}:
	default:
	}
}

// admin refuses everybody but administrators of the node.
func (s *Service) admin(ctx context.Context, by polder.Actor) error {
	by, err := s.o.Accounts.Refresh(ctx, by)
	if err != nil {
		return err
	}
	return onlyAdmin(by)
}

func onlyAdmin(by polder.Actor) error {
	if by.Role != polder.RoleAdmin {
		return polder.Errorf(polder.Forbidden, "links to other nodes are made and changed by an administrator of the node")
	}
	return nil
}

// change runs fn in a transaction as an administrator, with an audit entry, and has a running node take it up.
func (s *Service) change(ctx context.Context, by polder.Actor, action, object string, detail map[string]string, fn func(*db.Tx) error) error {
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
		now, err := s.o.Accounts.RefreshTx(tx, by)
		if err != nil {
			return err
		}
		if err := onlyAdmin(now); err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		if err := s.note(tx, now, action, object, detail); err != nil {
			return err
		}
		return moved(tx)
	})
	if err == nil {
		s.lookNow()
	}
	return err
}

func (s *Service) note(tx *db.Tx, by polder.Actor, action, object string, detail map[string]string) error {
	e := audit.EntryOf(by)
	e.Action, e.Object, e.Detail = action, object, detail
	return s.o.Audit.Append(tx, e)
}

// NewInvitation is what an invitation is made from. Role zero is contributor; Life zero is seven days.
type NewInvitation struct {
	Community string // alias or id
	URL       string // of this node, as the other reaches it
	Org       polder.OrgID
	Role      polder.Role
	Life      time.Duration
}

// Invite makes an invitation to a community of this node. Its line is stored nowhere.
func (s *Service) Invite(ctx context.Context, by polder.Actor, n NewInvitation) (Invitation, error) {
	if n.Role == polder.RoleNone {
		n.Role = polder.RoleContributor
	}
	if n.Role > polder.RoleSteward {
		return Invitation{}, polder.Errorf(polder.Invalid, "role: a member is a reader, contributor or steward")
	}
	if n.Life == 0 {
		n.Life = invitationLife
	}
	if n.Life < 0 || n.Life > longestLife {
		return Invitation{}, polder.Errorf(polder.Invalid, "expires: an invitation to a node lasts at most %d days", longestLife/(24*time.Hour))
	}
	if n.Org != "" && !nodeForm.MatchString(string(n.Org)) {
		return Invitation{}, polder.Errorf(polder.Invalid, "org: %.80q is not the id of an organisation", n.Org)
	}
	url, err := address(n.URL)
	if err == nil {
		_, err = reachOf(url)
	}
	if err != nil {
		return Invitation{}, err
	}
	com, err := s.o.Accounts.Community(ctx, n.Community)
	if err != nil {
		return Invitation{}, err
	}
	if com.Home != "" {
		return Invitation{}, polder.Errorf(polder.Conflict, "community %s lives at another node, %s; ask there for an invitation", com.Alias, s.nameOf(ctx, com.Home))
	}
	node, key, err := s.o.Keys.Node(ctx)
	if err != nil {
		return Invitation{}, err
	}
	secret, err := word(s.o.Rand)
	if err != nil {
		return Invitation{}, err
	}
	id, err := word(s.o.Rand)
	if err != nil {
		return Invitation{}, err
	}
	now := s.o.Now()
	inv := Invitation{URL: url, Node: node, Key: key, Community: com.ID, CommunityName: clip(com.Name, maxName-8), Org: n.Org, Role: n.Role.String(), Secret: secret, Expires: now.Add(n.Life).Unix()}
	err = s.change(ctx, by, "peer.invite", id, map[string]string{"community": string(com.ID), "role": n.Role.String()}, func(tx *db.Tx) error {
		return insertOffer(tx, offer{ID: id, Hash: secretHash(secret), Community: com.ID, Org: n.Org, Role: n.Role, Expires: time.Unix(inv.Expires, 0), Created: now})
	})
	return inv, err
}

func secretHash(secret string) []byte {
	h := sha256.Sum256([]byte("polder invitation 1\n" + secret))
	return h[:]
}

// Invited are the invitations to nodes that can still be used.
func (s *Service) Invited(ctx context.Context, by polder.Actor) ([]Offered, error) {
	if err := s.admin(ctx, by); err != nil {
		return nil, err
	}
	all, err := readOffers(s.read(ctx), s.o.Now())
	if err != nil {
		return nil, err
	}
	out := make([]Offered, len(all))
	for i, o := range all {
		out[i] = Offered{ID: o.ID, Role: o.Role, Expires: o.Expires, Created: o.Created}
		if com, err := s.o.Accounts.Community(ctx, string(o.Community)); err == nil {
			out[i].Community = com.Alias
		}
	}
	return out, nil
}

// Offered is an invitation that was made and not used.
type Offered struct {
	ID        string
	Community string // alias
	Role      polder.Role
	Expires   time.Time
	Created   time.Time
}

// Revoke takes an invitation back, if it was not used.
func (s *Service) Revoke(ctx context.Context, by polder.Actor, id string) error {
	return s.change(ctx, by, "peer.invite.revoke", clip(id, wordSize), nil, func(tx *db.Tx) error {
		done, err := tx.Exec(`UPDATE peers_invitation SET revoked = ? WHERE id = ? AND used = 0 AND revoked = 0`, micros(s.o.Now()), id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("revoke invitation: %w", polder.Errorf(polder.NotFound, "no invitation %.40q that could still be used", id))
		}
		return nil
	})
}

// Links are the links of this node for an administrator; for a steward those of the communities that it manages.
func (s *Service) Links(ctx context.Context, by polder.Actor) ([]Link, error) {
	by, err := s.o.Accounts.Refresh(ctx, by)
	if err != nil {
		return nil, err
	}
	all, err := readLinks(s.read(ctx), false)
	if err != nil || by.Role == polder.RoleAdmin {
		return all, err
	}
	ms, err := s.o.Accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, err
	}
	var mine []polder.CommunityID
	for _, m := range ms {
		if m.Right(by) >= polder.RoleSteward {
			mine = append(mine, m.Community.ID)
		}
	}
	return slices.DeleteFunc(all, func(l Link) bool {
		return !slices.ContainsFunc(l.Communities, func(c polder.CommunityID) bool { return slices.Contains(mine, c) })
	}), nil
}

// Link is one link of this node, by its id or the beginning of it, for an administrator.
func (s *Service) Link(ctx context.Context, by polder.Actor, id string) (Link, error) {
	if err := s.admin(ctx, by); err != nil {
		return Link{}, err
	}
	return s.find(ctx, id)
}

// find takes the beginning of an id where it names one link alone.
func (s *Service) find(ctx context.Context, id string) (Link, error) {
	if len(id) == wordSize {
		return readLink(s.read(ctx), id)
	}
	all, err := readLinks(s.read(ctx), false)
	if err != nil {
		return Link{}, err
	}
	var found []Link
	for _, l := range all {
		if len(id) >= 4 && strings.HasPrefix(l.ID, id) {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		return Link{}, polder.Errorf(polder.NotFound, "no link %.40q; see polder peer list", id)
	}
	return found[0], nil
}

// Pause has nothing flow over a link until it is resumed.
func (s *Service) Pause(ctx context.Context, by polder.Actor, id string) error {
	return s.set(ctx, by, id, "peer.pause", nil, func(tx *db.Tx, l Link) error {
		_, err := tx.Exec(`UPDATE peers_link SET paused = 1 WHERE id = ?`, l.ID)
		return err
	})
}

// Resume has a link go on that was paused, or that stopped by itself.
func (s *Service) Resume(ctx context.Context, by polder.Actor, id string) error {
	return s.set(ctx, by, id, "peer.resume", nil, func(tx *db.Tx, l Link) error {
		_, err := tx.Exec(`UPDATE peers_link SET paused = 0, stopped = '' WHERE id = ?`, l.ID)
		return err
	})
}

// Limit sets how much may come over a link: deliveries a second and bytes a day; 0 is the default.
func (s *Service) Limit(ctx context.Context, by polder.Actor, id string, rate, bytes int64) error {
	if rate < 0 || bytes < 0 || rate > 1_000_000 {
		return polder.Errorf(polder.Invalid, "a limit is a number from 0, the default, up; at most 1,000,000 deliveries a second")
	}
	return s.set(ctx, by, id, "peer.limit", map[string]string{"rate": fmt.Sprint(rate), "bytes": fmt.Sprint(bytes)}, func(tx *db.Tx, l Link) error {
		_, err := tx.Exec(`UPDATE peers_link SET rate = ?, bytes = ? WHERE id = ?`, rate, bytes, l.ID)
		return err
	})
}

// set changes one living link.
func (s *Service) set(ctx context.Context, by polder.Actor, id, action string, detail map[string]string, fn func(*db.Tx, Link) error) error {
	l, err := s.Link(ctx, by, id)
	if err != nil {
		return err
	}
	if !l.Ended.IsZero() {
		return polder.Errorf(polder.Conflict, "link %s has ended", l.ID)
	}
	return s.change(ctx, by, action, l.ID, detail, func(tx *db.Tx) error { return fn(tx, l) })
}

// Confirm notes that a person compared the fingerprint of the peer with what its people read out. From then on more
// than CLEAR and GREEN may flow; the link begins another generation, so what waited comes.
func (s *Service) Confirm(ctx context.Context, by polder.Actor, id, typed string) error {
	l, err := s.Link(ctx, by, id)
	if err != nil {
		return err
	}
	key := s.keyOf(ctx, l.PeerLink)
	if !seal.PublicKey(key).Matches(typed) {
		return polder.Errorf(polder.Conflict, "that is not the fingerprint of %s, which is %s; if their people read out another one, somebody stands in between: remove the link", l.Name, fingerprint(key))
	}
	return s.set(ctx, by, l.ID, "peer.confirm", map[string]string{"peer": string(l.Peer), "fingerprint": fingerprint(key)}, func(tx *db.Tx, l Link) error {
		if l.Confirmed {
			return nil
		}
		if _, err := tx.Exec(`UPDATE peers_link SET confirmed = 1, key = ? WHERE id = ?`, []byte(key), l.ID); err != nil || !l.Serves {
			return err
		}
		return raise(tx, l.ID, l.Rights)
	})
}

// Fingerprint is that of a link's peer, by the key that is in force.
func (s *Service) Fingerprint(ctx context.Context, l Link) string {
	return fingerprint(s.keyOf(ctx, l.PeerLink))
}

// keyOf is the peer's key that is in force: that of its statements, or the one it came with.
func (s *Service) keyOf(ctx context.Context, l exchange.PeerLink) []byte {
	if key, err := s.o.Keys.KeyOf(ctx, l.Peer); err == nil {
		return key
	}
	return l.Key
}

// most is the strictest level that flows over a link.
func most(confirmed bool) stix.Marking {
	if confirmed {
		return stix.Red
	}
	return stix.Green
}

// nameOf is how another node is shown.
func (s *Service) nameOf(ctx context.Context, node polder.OrgID) string {
	homes, err := s.o.Accounts.Homes(ctx)
	if name := homes[node]; err == nil && name != "" {
		return name
	}
	return string(node)
}

// StopLink has a link stand still until a person resumes it, with the reason shown: its peer was caught at something.
func (s *Service) StopLink(ctx context.Context, link, why string) error {
	err := s.o.DB.Write(ctx, func(tx *db.Tx) error {
		done, err := tx.Exec(`UPDATE peers_link SET stopped = ? WHERE id = ? AND stopped = '' AND ended = 0`, clip(why, 500), link)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := s.note(tx, polder.Actor{}, "peer.stop", link, map[string]string{"reason": clip(why, 500)}); err != nil {
			return err
		}
		return moved(tx)
	})
	if err != nil {
		return err
	}
	s.o.Log.WarnContext(ctx, "a link stands still until somebody resumes it", "link", link, "reason", clip(why, 500))
	s.lookNow()
	return nil
}

// stop is StopLink for those who go on whatever becomes of it.
func (s *Service) stop(ctx context.Context, link, why string) {
	if err := s.StopLink(ctx, link, why); err != nil {
		s.o.Log.ErrorContext(ctx, "a link could not be stopped", "link", link, "err", err)
	}
}
