package accounts

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// statements keeps one prepared statement per text. Every text is a constant of this package, so they are few.
type statements struct {
	pool *sql.DB
	byQ  sync.Map // text → *sql.Stmt
}

func (s *statements) get(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.byQ.Load(query); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := s.pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if other, loaded := s.byQ.LoadOrStore(query, st); loaded {
		_ = st.Close()
		return other.(*sql.Stmt), nil
	}
	return st, nil
}

// pool reads with the pool of read-only connections.
type pool struct {
	ctx   context.Context
	stmts *statements
}

func (s *Service) read(ctx context.Context) pool { return pool{ctx, &s.stmts} }

func (p pool) Query(query string, args ...any) (*sql.Rows, error) {
	st, err := p.stmts.get(p.ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(p.ctx, args...)
}

func (p pool) QueryRow(query string, args ...any) *sql.Row {
	st, err := p.stmts.get(p.ctx, query)
	if err != nil { // the pool meets the same error and puts it into the row
		return p.stmts.pool.QueryRowContext(p.ctx, query, args...)
	}
	return st.QueryRowContext(p.ctx, args...)
}

// list reads every row of a query with one.
func list[T any](q db.Querier, one func(db.Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Query(query, args...)
	return db.All(one, rows, err)
}

// role and marking read what is stored by name.
type role struct{ to *polder.Role }

func (r role) Scan(v any) error {
	s, _ := v.(string)
	got, err := polder.ParseRole(s)
	*r.to = got
	return err
}

type marking struct{ to *stix.Marking }

func (m marking) Scan(v any) error {
	s, _ := v.(string)
	if s == "" {
		*m.to = stix.None
		return nil
	}
	got, err := stix.ParseMarking(s)
	*m.to = got
	return err
}

func exists(q db.Querier, query string, args ...any) (bool, error) {
	var found bool
	err := q.QueryRow(`SELECT EXISTS (`+query+`)`, args...).Scan(&found)
	return found, err
}

// orNotFound gives an empty result its kind and text.
func orNotFound(err error, format string, args ...any) error {
	if errors.Is(err, sql.ErrNoRows) {
		return polder.Errorf(polder.NotFound, format, args...)
	}
	return err
}

func bumpEpoch(tx *db.Tx) error {
	_, err := tx.Exec(`UPDATE accounts_state SET epoch = epoch + 1 WHERE id = 1`)
	return err
}

func readEpoch(q db.Querier) (n int64, err error) {
	err = q.QueryRow(`SELECT epoch FROM accounts_state WHERE id = 1`).Scan(&n)
	return n, err
}

var errGone = polder.Errorf(polder.Unauthorised, "who asks is not known, disabled, revoked or expired")

// readActor reads who claims to act, with the role held now. scoped: a token for some communities only.
func readActor(q db.Querier, by polder.Actor, now int64) (a polder.Actor, scoped bool, err error) {
	switch {
	case isLocal(by):
		return Local(), false, nil
	case by.Token != "":
		return readTokenActor(q, by, now)
	case by.Person != "":
		a, err = readPersonActor(q, by)
		return a, false, err
	}
	return a, false, errGone
}

func readTokenActor(q db.Querier, by polder.Actor, now int64) (a polder.Actor, scoped bool, err error) {
	var expires, revoked int64
	a.Token = by.Token
	err = q.QueryRow(`SELECT org, role, scoped, expires, revoked FROM accounts_token WHERE id = ?`, by.Token).
		Scan(&a.Org, role{&a.Role}, &scoped, &expires, &revoked)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && (a.Org != by.Org || !tokenLives(expires, revoked, now)):
		return polder.Actor{}, false, errGone
	}
	return a, scoped, err
}

func readPersonActor(q db.Querier, by polder.Actor) (a polder.Actor, err error) {
	var disabled bool
	a.Person = by.Person
	err = q.QueryRow(`SELECT org, role, name, disabled FROM accounts_person WHERE id = ?`, by.Person).
		Scan(&a.Org, role{&a.Role}, &a.Name, &disabled)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && (a.Org != by.Org || disabled):
		return polder.Actor{}, errGone
	}
	return a, err
}

// readActorNow is [readActor] at this moment.
func (s *Service) readActorNow(q db.Querier, by polder.Actor) (a polder.Actor, scoped bool, err error) {
	t, err := s.readClock(q)
	if err != nil {
		return a, false, err
	}
	return readActor(q, by, t.now)
}
