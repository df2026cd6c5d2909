package accounts

import (
	"context"
	"crypto/rand"
	"embed"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are the settings of a [Service]. The zero value works.
type Options struct {
	Now         func() time.Time     // the machine's clock; nil is time.Now
	Steady      func() time.Duration // how long the process has run, by a clock nobody can set; nil is ours
	Rand        io.Reader            // randomness for ids and secrets; nil is crypto/rand
	Log         *slog.Logger         // nil discards
	Password    PasswordCost         // cost of new password hashes; zero is [DefaultPasswordCost]
	SessionIdle time.Duration        // a session ends when unused so long; 0 is eight hours
	SessionLife time.Duration        // a session ends so long after log-in; 0 is seven days
	LogIn       LogInLimits          // zero fields take the values of [DefaultLogInLimits]
	WrongTokens WrongTokenLimits     // zero fields take the values of [DefaultWrongTokenLimits]
}

// Service is the one door to accounts. It is safe for concurrent use.
type Service struct {
	db        *db.DB
	audit     *audit.Log
	o         Options
	clock     *clock
	stmts     statements
	hashing   chan struct{} // one place for each password hash at work
	wrongFrom *Limiter      // wrong tokens, by network
	wrongAll  *Limiter      // wrong tokens, all
	ids       randomness
}

// New makes the service. Call [Service.Migrate] before anything else.
func New(d *db.DB, l *audit.Log, o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Steady == nil {
		o.Steady = sinceNow()
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Password == (PasswordCost{}) {
		o.Password = DefaultPasswordCost
	}
	if o.SessionIdle == 0 {
		o.SessionIdle = 8 * time.Hour
	}
	if o.SessionLife == 0 {
		o.SessionLife = 7 * 24 * time.Hour
	}
	o.LogIn.defaults()
	o.WrongTokens.defaults()
	return &Service{
		db: d, audit: l, o: o,
		clock:     &clock{wall: o.Now, steady: o.Steady},
		stmts:     statements{pool: d.Read()},
		hashing:   make(chan struct{}, hashesAtOnce),
		wrongFrom: NewLimiter(o.WrongTokens.Network, 10_000, o.Steady),
		wrongAll:  NewLimiter(o.WrongTokens.Node, 1, o.Steady),
		ids:       randomness{o.Rand},
	}
}

// Migrate brings the tables of this package to the shape that the code expects.
func (s *Service) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return s.db.Migrate(ctx, "accounts", files)
}

// Local is the administrator at the machine: whoever can run a command on the node's folder. It is no account, and
// neither [Service.Authenticate] nor [Service.Session] ever answers it.
func Local() polder.Actor { return polder.Actor{Name: "administrator", Role: polder.RoleAdmin} }

func isLocal(a polder.Actor) bool {
	return a.Org == "" && a.Person == "" && a.Token == "" && a.Role == polder.RoleAdmin
}

// change is one transaction that changes something about rights.
type change struct {
	tx     *db.Tx
	s      *Service
	by     polder.Actor // as it is now
	scoped bool         // by is a token for some communities only
	instant
}

// change runs fn in a transaction that has read again who by is, and raises the epoch at its end.
func (s *Service) change(ctx context.Context, by polder.Actor, fn func(*change) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error { return s.changeIn(tx, by, fn) })
}

// changeIn is change in the caller's transaction.
func (s *Service) changeIn(tx *db.Tx, by polder.Actor, fn func(*change) error) error {
	t, err := s.tick(tx)
	if err != nil {
		return err
	}
	c := &change{tx: tx, s: s, instant: t}
	if c.by, c.scoped, err = readActor(tx, by, t.now); err != nil {
		return err
	}
	if err := fn(c); err != nil {
		return err
	}
	return bumpEpoch(tx)
}

// log appends the audit entry of a change: of one in a community without an object, for these are shared objects and
// hidden from administrators. detail is a list of keys and values.
func (c *change) log(action string, community polder.CommunityID, object string, detail ...string) error {
	e := audit.EntryOf(c.by)
	e.Action, e.Community, e.Object = action, community, object
	for i := 0; i+1 < len(detail); i += 2 {
		if e.Detail == nil {
			e.Detail = map[string]string{}
		}
		e.Detail[detail[i]] = detail[i+1]
	}
	return c.s.audit.Append(c.tx, e)
}

// needAdmin refuses everybody but administrators of the node.
func (c *change) needAdmin(what string) error {
	if c.by.Role != polder.RoleAdmin {
		return polder.Errorf(polder.Forbidden, "%s: only an administrator of the node may", what)
	}
	return nil
}

// mayGrant tells whether by may give role within org.
func (c *change) mayGrant(org polder.OrgID, role polder.Role) error {
	switch {
	case c.by.Role == polder.RoleAdmin:
		return nil
	case c.scoped:
		return polder.Errorf(polder.Forbidden, "a token for some communities manages no people and no tokens")
	case c.by.Org != org:
		return polder.Errorf(polder.NotFound, "no organisation %s", org)
	case role > c.by.Role:
		return polder.Errorf(polder.Forbidden, "the role %s is above your own, %s: ask somebody who holds it", role, c.by.Role)
	}
	return nil
}

// mayManagePeople tells whether by may add to, or change, the people of org who hold up to role.
func (c *change) mayManagePeople(org polder.OrgID, role polder.Role) error {
	if err := c.mayGrant(org, role); err != nil {
		return err
	}
	if c.by.Role < polder.RoleSteward {
		return polder.Errorf(polder.Forbidden, "people are managed by a steward of the organisation or an administrator")
	}
	return nil
}

// Refresh reads again who a is: the same organisation, person or token with the role it has now. It answers
// Unauthorised when the person is disabled, or the token revoked or expired. It does not know sessions; who holds a
// cookie asks [Service.Session].
func (s *Service) Refresh(ctx context.Context, a polder.Actor) (polder.Actor, error) {
	got, _, err := s.readActorNow(s.read(ctx), a)
	return got, err
}

// RefreshTx is [Service.Refresh] inside a transaction, so that a right is checked where it is used.
func (s *Service) RefreshTx(tx *db.Tx, a polder.Actor) (polder.Actor, error) {
	got, _, err := s.readActorNow(tx, a)
	return got, err
}

// Epoch is a number that rises with every change of a membership, role, acceptance, token, session, person,
// organisation or community. Whoever shows something for long asks again for its rights when it has moved.
func (s *Service) Epoch(ctx context.Context) (int64, error) { return readEpoch(s.read(ctx)) }

// EpochTx is [Service.Epoch] inside a transaction.
func (s *Service) EpochTx(tx *db.Tx) (int64, error) { return readEpoch(tx) }

// network is the part of an address that limits count by: all of an IPv4 address, the /64 of an IPv6 one. Who cannot
// be told by address shares the name "unknown".
func network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return "unknown"
	case a.Is4():
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return p.String()
}
