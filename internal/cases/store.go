package cases

import (
	"context"
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

// committed reads what is committed.
func (s *Service) committed(ctx context.Context) db.Querier { return s.o.DB.In(ctx) }
