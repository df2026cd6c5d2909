package accounts

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
)

// SessionID names a session. It is public to its person; the cookie is not.
type SessionID string

// Session is one log-in on one device.
type Session struct {
	ID      SessionID
	Person  polder.PersonID
	Created time.Time
	Seen    time.Time // to the minute
	Expires time.Time // whatever the use
	Network string    // the address it was begun from; of an IPv6 one the /64
	Agent   string    // what the browser calls itself
	Way     Way

	MustChange bool // the person must choose a password before anything else
	Preferences
}

var errLogIn = polder.Errorf(polder.Unauthorised, "the log-in name or the password is wrong")
var errSession = polder.Errorf(polder.Unauthorised, "nobody is logged in here, or no longer")

// keepSessions is how long an ended session is remembered, as a network that the person knows.
const keepSessions = 30 * 24 * time.Hour

// attempt is one try to log in.
type attempt struct {
	person   Person // zero: there is no such account
	hash     string // to compare the password with, whether there is an account or not
	rations  []ration
	from     string
	password string
	rehashed string // the password under today's cost; empty: as it was
}

// LogIn begins a session and answers its cookie, which is stored nowhere. Unauthorised for a wrong name or password,
// without saying which and at the same cost; Limited, with a [TooOften] as its cause, after too many failures.
// agent is what the browser calls itself.
func (s *Service) LogIn(ctx context.Context, email, password string, from netip.Addr, agent string) (cookie string, ses Session, err error) {
	if len(email) > 4*maxEmail || len(password) > MaxPassword || password == "" {
		return "", Session{}, errLogIn
	}
	a := attempt{from: network(from), password: password}
	ok, err := s.try(ctx, &a, canonicalLogIn(email))
	if err != nil {
		return "", Session{}, err
	}
	if !ok {
		return "", Session{}, s.failed(ctx, a)
	}
	return s.begin(ctx, a, cleanAgent(agent))
}

// try takes the attempt's rations, then compares the password, in the attempt's turn.
func (s *Service) try(ctx context.Context, a *attempt, email string) (bool, error) {
	done, err := s.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	err = s.db.Write(ctx, func(tx *db.Tx) error { return s.prepare(tx, a, email) })
	if err != nil {
		return false, err
	}
	ok, err := matches(a.hash, a.password)
	if err != nil || !ok || a.person.ID == "" || a.person.Disabled {
		return false, err
	}
	if c, _, _, err := parseHash(a.hash); err == nil && c != s.o.Password {
		salt, err := s.ids.bytes(saltBytes)
		if err != nil {
			return false, err
		}
		a.rehashed = s.o.Password.hash(a.password, salt)
	}
	return true, nil
}

// prepare finds the account and takes the rations.
func (s *Service) prepare(tx *db.Tx, a *attempt, email string) error {
	t, err := s.tick(tx)
	if err != nil {
		return err
	}
	key, err := s.nodeKeyTx(tx, "limits")
	if err != nil {
		return err
	}
	a.person, a.hash, err = readLogIn(tx, email)
	if errors.Is(err, sql.ErrNoRows) {
		a.person, a.hash, err = Person{}, s.o.Password.decoy(), nil
	}
	if err != nil {
		return err
	}
	known, err := exists(tx, `SELECT 1 FROM accounts_session WHERE person = ? AND network = ? AND expires > ?`,
		a.person.ID, a.from, t.now-keepSessions.Microseconds())
	if err != nil {
		return err
	}
	l := s.o.LogIn
	a.rations = []ration{s.ration(key, "network", a.from, l.Network)}
	if known {
		a.rations = append(a.rations, s.ration(key, "known", string(a.person.ID)+" "+a.from, l.Known))
	} else {
		a.rations = append(a.rations, s.ration(key, "account", email, l.Account), s.ration(key, "node", "", l.Node))
	}
	return take(tx, t.running, a.rations)
}

// failed writes down that an attempt failed, for an unknown account too, so that both cost the same. The limits bound
// how many entries there are; the name that was typed is not in them, for it may have been a password.
func (s *Service) failed(ctx context.Context, a attempt) error {
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		return s.audit.Append(tx, audit.Entry{Org: a.person.Org, Person: a.person.ID, Action: "session.fail", Detail: map[string]string{"from": a.from}})
	})
	if err != nil {
		return err
	}
	return errLogIn
}

// begin makes the session of an attempt that succeeded.
func (s *Service) begin(ctx context.Context, a attempt, agent string) (string, Session, error) {
	cookie, err := s.ids.cookie()
	if err != nil {
		return "", Session{}, err
	}
	var ses Session
	err = s.change(ctx, polder.Actor{Org: a.person.Org, Person: a.person.ID}, func(c *change) error {
		_, hash, err := readLogIn(c.tx, a.person.Email)
		if err != nil {
			return err
		}
		if hash != a.hash { // changed in the meantime
			return errLogIn
		}
		if a.rehashed != "" {
			if err := setPassword(c.tx, a.person.ID, a.rehashed, a.person.MustChange); err != nil {
				return err
			}
		}
		if err := giveBack(c.tx, a.rations); err != nil {
			return err
		}
		ses, err = c.openSession(a.person, ByPassword, a.from, agent, cookie)
		return err
	})
	if err != nil {
		return "", Session{}, err
	}
	return cookie, ses, nil
}

// provePassword checks a person's own password, under the same limits as a log-in.
func (s *Service) provePassword(ctx context.Context, p Person, password string) error {
	if len(password) > MaxPassword {
		return errOldPassword
	}
	a := attempt{from: "console of " + string(p.ID), password: password}
	ok, err := s.try(ctx, &a, p.Email)
	if err != nil {
		return err
	}
	if !ok {
		if err := s.failed(ctx, a); !errors.Is(err, errLogIn) {
			return err
		}
		return errOldPassword
	}
	return s.db.Write(ctx, func(tx *db.Tx) error { return giveBack(tx, a.rations) })
}

var errOldPassword = polder.Errorf(polder.Forbidden, "the old password is wrong")

// Session answers who a cookie belongs to, and the session. Unauthorised when nobody is logged in with it.
func (s *Service) Session(ctx context.Context, cookie string) (polder.Actor, Session, error) {
	if len(cookie) != 43 { // 32 bytes in base64
		return polder.Actor{}, Session{}, errSession
	}
	l, err := readLive(s.read(ctx), digest(cookie))
	if errors.Is(err, sql.ErrNoRows) {
		return polder.Actor{}, Session{}, errSession
	}
	if err != nil {
		return polder.Actor{}, Session{}, err
	}
	at := s.instant(l.high, l.running)
	switch {
	case l.ended != 0 || l.disabled:
		return polder.Actor{}, Session{}, errSession
	case at.now >= l.expires || at.now >= l.seen+s.o.SessionIdle.Microseconds():
		s.touch(ctx, func(tx *db.Tx, now int64) error { return endSession(tx, l.ID, now) }) // once, and for ever
		return polder.Actor{}, Session{}, errSession
	case at.now-l.seen >= minute:
		s.touch(ctx, func(tx *db.Tx, now int64) error { return seeSession(tx, l.ID, now) })
	}
	return l.actor, l.Session, nil
}

// LogOut ends the session of a cookie. A cookie that nobody knows is no error.
func (s *Service) LogOut(ctx context.Context, cookie string) error {
	actor, ses, err := s.Session(ctx, cookie)
	if errors.Is(err, errSession) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.change(ctx, actor, func(c *change) error {
		if err := endSession(c.tx, ses.ID, c.now); err != nil {
			return err
		}
		return c.log("session.logout", "", string(ses.ID))
	})
}

// RevokeSession ends a session: one's own, or, who may change the person, another's.
func (s *Service) RevokeSession(ctx context.Context, by polder.Actor, id SessionID) error {
	return s.change(ctx, by, func(c *change) error {
		person, err := personOfSession(c.tx, id)
		if err != nil {
			return err
		}
		if c.by.Person == "" || person != c.by.Person {
			if _, err := c.manage(person); err != nil {
				return err
			}
		}
		if err := endSession(c.tx, id, c.now); err != nil {
			return err
		}
		return c.log("session.revoke", "", string(id), "person", string(person))
	})
}

// Sessions are the sessions that a person has open, latest first. The person may see them, and who may change the
// person.
func (s *Service) Sessions(ctx context.Context, by polder.Actor, person polder.PersonID) ([]Session, error) {
	q := s.read(ctx)
	t, err := s.readClock(q)
	if err != nil {
		return nil, err
	}
	by, scoped, err := readActor(q, by, t.now)
	if err != nil {
		return nil, err
	}
	p, err := readPerson(q, person)
	if err != nil {
		return nil, err
	}
	steward := by.Org == p.Org && by.Role >= polder.RoleSteward && by.Role >= p.Role && !scoped
	if by.Person != person && !steward && by.Role != polder.RoleAdmin {
		return nil, noPerson(person)
	}
	return listSessions(q, person, t.now, t.now-s.o.SessionIdle.Microseconds())
}

// cleanAgent makes what a browser calls itself fit to be shown.
func cleanAgent(s string) string {
	s = strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > maxAgent {
		s = s[:maxAgent]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return s
}
