package accounts

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
)

// This file holds what the ways to log in beside a password share: see oidc.go and passkey.go.

// Way is how a session began.
type Way string

// The ways to log in.
const (
	ByPassword Way = "password"
	ByPasskey  Way = "passkey"
	ByProvider Way = "provider"
)

const (
	ceremonyLife  = 10 * time.Minute // how long somebody may take over a log-in elsewhere
	proofLife     = 2 * time.Minute  // how long after proving who one is the change may come
	mostCeremony  = 10_000           // under way at once, so that nobody fills the memory
	maxSubject    = 255              // of OpenID Connect
	maxPasskeys   = 10               // of one person
	maxIdentities = 5                // of one person
	maxKeyName    = 60
)

// beginnings is how often an address may begin to log in by a provider or passkey.
var beginnings = Allowance{Burst: 30, Every: 10 * time.Second}

// Proof is how somebody who is logged in shows, for one change, to be still the one: by the password, or by a ticket of
// [Passkeys.Prove].
type Proof struct {
	Password string
	Ticket   string
	Session  SessionID // of the browser that asks
}

// ErrProof is in the chain of every error that says: the proof of who asks is missing, wrong or too old.
var ErrProof = polder.Errorf(polder.Forbidden, "enter your present password, or confirm with a passkey")

// ceremonies are what people have begun and not finished, by a key that only the browser knows which began it. Each can
// be finished once, within its time. A restart forgets them.
type ceremonies[T any] struct {
	steady func() time.Duration

	mu  sync.Mutex
	all map[string]begun[T]
}

type begun[T any] struct {
	what T
	ends time.Duration
}

func newCeremonies[T any](steady func() time.Duration) *ceremonies[T] {
	return &ceremonies[T]{steady: steady, all: map[string]begun[T]{}}
}

// begin keeps what for its life; Unavailable when too many are under way.
func (c *ceremonies[T]) begin(key string, what T, life time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.steady()
	if len(c.all) >= mostCeremony {
		for k, b := range c.all {
			if now >= b.ends {
				delete(c.all, k)
			}
		}
	}
	if len(c.all) >= mostCeremony {
		return polder.Errorf(polder.Unavailable, "too many people log in at this moment; try again in a minute, or log in by password")
	}
	c.all[key] = begun[T]{what, now + life}
	return nil
}

// finish answers what was begun under key, once.
func (c *ceremonies[T]) finish(key string) (what T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.all[key]
	delete(c.all, key)
	if !ok || c.steady() >= b.ends {
		return what, false
	}
	return b.what, true
}

// enter begins a session of somebody who has proven who he is by another way than the password. also runs in the same
// transaction, before it. Unauthorised when the person is disabled.
func (s *Service) enter(ctx context.Context, id polder.PersonID, way Way, from netip.Addr, agent string, also func(*change) error) (cookie string, ses Session, err error) {
	p, err := readPerson(s.read(ctx), id)
	if err != nil {
		return "", Session{}, err
	}
	if cookie, err = s.ids.cookie(); err != nil {
		return "", Session{}, err
	}
	err = s.change(ctx, polder.Actor{Org: p.Org, Person: p.ID}, func(c *change) error {
		if err := also(c); err != nil {
			return err
		}
		ses, err = c.openSession(p, way, network(from), cleanAgent(agent), cookie)
		return err
	})
	if err != nil {
		return "", Session{}, err
	}
	return cookie, ses, nil
}

// openSession writes down a session of p.
func (c *change) openSession(p Person, way Way, from, agent, cookie string) (Session, error) {
	id, err := c.s.ids.word(10)
	if err != nil {
		return Session{}, err
	}
	if err := pruneSessions(c.tx, c.now-keepSessions.Microseconds()); err != nil {
		return Session{}, err
	}
	expires := c.now + c.s.o.SessionLife.Microseconds()
	ses := Session{
		ID: SessionID(id), Person: p.ID, Created: when(c.now), Seen: when(c.now), Expires: when(expires),
		Network: from, Agent: agent, Way: way, MustChange: p.MustChange && way == ByPassword, Preferences: p.Preferences,
	}
	if err := insertSession(c.tx, ses, digest(cookie), c.now, expires); err != nil {
		return Session{}, err
	}
	return ses, c.log("session.login", "", id, "from", from, "way", string(way))
}

// prove checks a proof of the person who asks; tickets are those of passkeys, nil when there are none.
func (s *Service) prove(ctx context.Context, by polder.Actor, proof Proof, tickets *ceremonies[ticket]) error {
	if by.Person == "" {
		return polder.Errorf(polder.Forbidden, "only a person logs in; a token has no account")
	}
	if proof.Ticket != "" && tickets != nil {
		if t, ok := tickets.finish(proof.Ticket); !ok || t.person != by.Person || t.session != proof.Session {
			return ErrProof
		}
		return nil
	}
	if proof.Password == "" {
		return ErrProof
	}
	p, err := s.Person(ctx, by.Person)
	if err != nil {
		return err
	}
	if err := s.provePassword(ctx, p, proof.Password); err != nil {
		if errors.Is(err, errOldPassword) {
			return ErrProof
		}
		return err
	}
	return nil
}

// lastWay refuses to take a way to log in from somebody whose password is not his own yet and who has no other.
func (c *change) lastWay(id polder.PersonID) error {
	p, err := readPerson(c.tx, id)
	if err != nil || !p.MustChange {
		return err
	}
	var left int
	err = c.tx.QueryRow(`SELECT (SELECT count(*) FROM accounts_identity WHERE person = ?1) + (SELECT count(*) FROM accounts_passkey WHERE person = ?1 AND cloned = 0)`, id).Scan(&left)
	if err == nil && left == 0 {
		err = polder.Errorf(polder.Conflict, "this is the last way to log in: the password is not the person's own yet; choose one first")
	}
	return err
}

// dropOtherWays leaves a person with the password alone.
func dropOtherWays(tx *db.Tx, id polder.PersonID) error {
	for _, sql := range []string{`DELETE FROM accounts_passkey WHERE person = ?`, `DELETE FROM accounts_identity WHERE person = ?`} {
		if _, err := tx.Exec(sql, id); err != nil {
			return err
		}
	}
	return nil
}

// refuse writes down that a log-in by way failed and answers why; what keeps it from being written goes before.
func (s *Service) refuse(ctx context.Context, why error, way Way, from netip.Addr, p Person) error {
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		return s.audit.Append(tx, audit.Entry{Org: p.Org, Person: p.ID, Action: "session.fail", Detail: map[string]string{"from": network(from), "way": string(way)}})
	})
	if err != nil {
		return err
	}
	return why
}
