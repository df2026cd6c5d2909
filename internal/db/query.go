package db

import (
	"context"
	"database/sql"
)

// Querier is a transaction, or what reads as one does; see [DB.In].
type Querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

// In is the read-only connections under a context.
func (d *DB) In(ctx context.Context) Querier { return reads{ctx, d.Read()} }

type reads struct {
	ctx context.Context
	d   *sql.DB
}

func (r reads) Query(query string, args ...any) (*sql.Rows, error) {
	return r.d.QueryContext(r.ctx, query, args...)
}

func (r reads) QueryRow(query string, args ...any) *sql.Row {
	return r.d.QueryRowContext(r.ctx, query, args...)
}
