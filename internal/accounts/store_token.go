package accounts

import (
	"context"
	"database/sql"
	"errors"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

const minute = 60_000_000 // microseconds

const tokenColumns = `id, org, role, name, expires, revoked, used, created, maker_person`

func scanToken(r db.Row) (t Token, err error) {
	var expires, revoked, used, created int64
	err = r.Scan(&t.ID, &t.Org, role{&t.Role}, &t.Name, &expires, &revoked, &used, &created, &t.Maker)
	t.Expires, t.Revoked, t.Used, t.Created = when(expires), when(revoked), when(used), when(created)
	return t, err
}

func readToken(q db.Querier, id polder.TokenID) (Token, error) {
	t, err := scanToken(q.QueryRow(`SELECT `+tokenColumns+` FROM accounts_token WHERE id = ?`, id))
	return t, orNotFound(err, "no token %.80s", id)
}

func listTokens(q db.Querier, org polder.OrgID) ([]Token, error) {
	all, err := list(q, scanToken, `SELECT `+tokenColumns+` FROM accounts_token WHERE org = ?1 OR ?1 = '' ORDER BY created DESC, id`, org)
	if err != nil {
		return nil, err
	}
	for i, t := range all {
		all[i].Scope, err = list(q, func(r db.Row) (c polder.CommunityID, err error) { err = r.Scan(&c); return c, err },
			`SELECT community FROM accounts_token_scope WHERE token = ? ORDER BY community`, t.ID)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func insertToken(tx *db.Tx, t Token, maker polder.TokenID, hash []byte, expires, now int64) error {
	_, err := tx.Exec(`INSERT INTO accounts_token (id, org, role, name, hash, scoped, expires, revoked, used, created, maker_person, maker_token)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?)`,
		t.ID, t.Org, t.Role.String(), t.Name, hash, len(t.Scope) > 0, expires, now, t.Maker, maker)
	return err
}

func insertScope(tx *db.Tx, id polder.TokenID, org polder.OrgID, community polder.CommunityID) error {
	member, err := exists(tx, `SELECT 1 FROM accounts_membership WHERE org = ? AND community = ?`, org, community)
	if err != nil {
		return err
	}
	if !member {
		return polder.Errorf(polder.Invalid, "the organisation is not a member of the community %.80s; limit the token to communities it is in", community)
	}
	_, err = tx.Exec(`INSERT INTO accounts_token_scope (token, community) VALUES (?, ?) ON CONFLICT DO NOTHING`, id, community)
	return err
}

// descendants are a token and all that were made with it, and with these.
const descendants = `WITH RECURSIVE made (id) AS (
	SELECT ? UNION SELECT t.id FROM accounts_token t JOIN made m ON t.maker_token = m.id) `

func revokeToken(tx *db.Tx, id polder.TokenID, now int64) error {
	_, err := tx.Exec(descendants+`UPDATE accounts_token SET revoked = ? WHERE revoked = 0 AND id IN (SELECT id FROM made)`, id, now)
	return err
}

// tokensMadeBy are the living tokens that a person made, and those made with these.
func tokensMadeBy(q db.Querier, p polder.PersonID) ([]polder.TokenID, error) {
	return list(q, func(r db.Row) (id polder.TokenID, err error) { err = r.Scan(&id); return id, err },
		`WITH RECURSIVE made (id) AS (
			SELECT id FROM accounts_token WHERE maker_person <> '' AND maker_person = ?
			UNION SELECT t.id FROM accounts_token t JOIN made m ON t.maker_token = m.id)
		SELECT t.id FROM accounts_token t JOIN made m ON m.id = t.id WHERE t.revoked = 0 ORDER BY t.id`, p)
}

// secret is what [Service.Authenticate] needs of a token, and the clocks, in one reading.
type secret struct {
	actor            polder.Actor
	hash             []byte
	expires, revoked int64
	used             int64
	high, running    int64
}

// readSecret reads a token by its id; for an unknown id the hash is one that nothing has.
func readSecret(q db.Querier, id polder.TokenID) (t secret, err error) {
	err = q.QueryRow(`SELECT t.org, t.role, t.hash, t.expires, t.revoked, t.used, s.high, s.running
		FROM accounts_token t, accounts_state s WHERE t.id = ? AND s.id = 1`, id).
		Scan(&t.actor.Org, role{&t.actor.Role}, &t.hash, &t.expires, &t.revoked, &t.used, &t.high, &t.running)
	if errors.Is(err, sql.ErrNoRows) {
		return secret{hash: make([]byte, 32)}, nil
	}
	t.actor.Token = id
	return t, err
}

func useToken(tx *db.Tx, id polder.TokenID, now int64) error {
	_, err := tx.Exec(`UPDATE accounts_token SET used = max(used, ?) WHERE id = ?`, now, id)
	return err
}

// touch writes the clocks, and with update when something was used. It is a convenience: when it fails, on a full disk
// for one, whoever asked goes on.
func (s *Service) touch(ctx context.Context, update func(tx *db.Tx, now int64) error) {
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		t, err := s.tick(tx)
		if err != nil || update == nil {
			return err
		}
		return update(tx, t.now)
	})
	if err != nil && ctx.Err() == nil {
		s.o.Log.WarnContext(ctx, "time of last use not written", "err", err)
	}
}
