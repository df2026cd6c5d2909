package accounts

import (
	"database/sql"
	"errors"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// readLogIn reads an account by its log-in name, with its password hash.
func readLogIn(q db.Querier, email string) (p Person, hash string, err error) {
	err = q.QueryRow(`SELECT id, org, email, name, role, disabled, must_change, language, theme, shortcuts, password FROM accounts_person WHERE email = ?`, email).
		Scan(&p.ID, &p.Org, &p.Email, &p.Name, role{&p.Role}, &p.Disabled, &p.MustChange, &p.Language, &p.Theme, &p.Shortcuts, &hash)
	return p, hash, err
}

func insertSession(tx *db.Tx, s Session, hash []byte, now, expires int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_session (id, hash, person, created, seen, expires, ended, network, agent, way) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
		s.ID, hash, s.Person, now, now, expires, s.Network, s.Agent, string(s.Way))
	return err
}

// live is what [Service.Session] needs, and the clocks, in one reading.
type live struct {
	Session
	actor                polder.Actor
	seen, expires, ended int64
	disabled             bool
	high, running        int64
}

func readLive(q db.Querier, hash []byte) (l live, err error) {
	var created int64
	err = q.QueryRow(`SELECT n.id, n.created, n.seen, n.expires, n.ended, n.network, n.agent, n.way,
			p.id, p.org, p.name, p.role, p.disabled, p.must_change, p.language, p.theme, p.shortcuts, s.high, s.running
		FROM accounts_session n JOIN accounts_person p ON p.id = n.person, accounts_state s WHERE n.hash = ? AND s.id = 1`, hash).
		Scan(&l.ID, &created, &l.seen, &l.expires, &l.ended, &l.Network, &l.Agent, &l.Way,
			&l.Person, &l.actor.Org, &l.actor.Name, role{&l.actor.Role}, &l.disabled, &l.MustChange, &l.Language, &l.Theme, &l.Shortcuts, &l.high, &l.running)
	l.actor.Person = l.Person
	l.MustChange = l.MustChange && l.Way == ByPassword // who came another way has used no password that somebody else knows
	l.Created, l.Seen, l.Expires = when(created), when(l.seen), when(l.expires)
	return l, err
}

func seeSession(tx *db.Tx, id SessionID, now int64) error {
	_, err := tx.Exec(`UPDATE accounts_session SET seen = max(seen, ?) WHERE id = ? AND ended = 0`, now, id)
	return err
}

func endSession(tx *db.Tx, id SessionID, now int64) error {
	_, err := tx.Exec(`UPDATE accounts_session SET ended = ? WHERE id = ? AND ended = 0`, now, id)
	return err
}

// endSessions ends a person's sessions but one.
func endSessions(tx *db.Tx, person polder.PersonID, but SessionID, now int64) error {
	_, err := tx.Exec(`UPDATE accounts_session SET ended = ? WHERE person = ? AND id <> ? AND ended = 0`, now, person, but)
	return err
}

func pruneSessions(tx *db.Tx, before int64) error {
	_, err := tx.Exec(`DELETE FROM accounts_session WHERE expires < ?`, before)
	return err
}

func personOfSession(q db.Querier, id SessionID) (p polder.PersonID, err error) {
	err = q.QueryRow(`SELECT person FROM accounts_session WHERE id = ?`, id).Scan(&p)
	return p, orNotFound(err, "no session %.80s", id)
}

func listSessions(q db.Querier, person polder.PersonID, now, idle int64) ([]Session, error) {
	return list(q, func(r db.Row) (s Session, err error) {
		var created, seen, expires int64
		err = r.Scan(&s.ID, &s.Person, &created, &seen, &expires, &s.Network, &s.Agent, &s.Way)
		s.Created, s.Seen, s.Expires = when(created), when(seen), when(expires)
		return s, err
	}, `SELECT id, person, created, seen, expires, network, agent, way FROM accounts_session
		WHERE person = ? AND ended = 0 AND expires > ? AND seen > ? ORDER BY seen DESC, id`, person, now, idle)
}

func readLimit(q db.Querier, key string) (full int64, err error) {
	err = q.QueryRow(`SELECT full FROM accounts_limit WHERE key = ?`, key).Scan(&full)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return full, err
}

func writeLimit(tx *db.Tx, key string, full int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_limit (key, full) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET full = excluded.full`, key, full)
	return err
}

// pruneLimits forgets allowances that are whole again.
func pruneLimits(tx *db.Tx, running int64) error {
	_, err := tx.Exec(`DELETE FROM accounts_limit WHERE full <= ?`, running)
	return err
}
