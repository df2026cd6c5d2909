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

// Row is a row of an answer: the only one, or the one among many at which [sql.Rows] stand.
type Row interface{ Scan(dest ...any) error }

// All reads every row of what [Querier.Query] returned, by scan, and closes it. No row is a nil list.
func All[T any](scan func(Row) (T, error), rows *sql.Rows, err error) (out []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, rows.Err()
}
