package cases

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/polder-exchange/polder/internal/db"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the tables of cases in d up to date.
func Migrate(ctx context.Context, d *db.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return d.Migrate(ctx, "cases", sub)
}

// asking is a transaction, or whatever reads as one does.
type asking interface {
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

// readPool are the read-only connections under a context.
type readPool struct {
	ctx context.Context
	d   *sql.DB
}

func (c readPool) Query(query string, args ...any) (*sql.Rows, error) {
	return c.d.QueryContext(c.ctx, query, args...)
}

func (c readPool) QueryRow(query string, args ...any) *sql.Row {
	return c.d.QueryRowContext(c.ctx, query, args...)
}

// committed reads what is committed.
func (s *Service) committed(ctx context.Context) asking { return readPool{ctx, s.o.DB.Read()} }
