package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
)

var migrationName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Migrate brings the tables of one capability up to date: it applies those of migrations (SQL files as goose writes
// them, NNN_name.sql) that the table <name>_version does not list, each in a transaction of its own. Two processes may
// call it at once. Tables that are newer than migrations are refused: an older program must not write to them.
func (d *DB) Migrate(ctx context.Context, name string, migrations fs.FS) error {
	if !migrationName.MatchString(name) {
		return fmt.Errorf("migrate %q: a name is lower-case letters, digits and _", name)
	}
	if err := d.migrate(ctx, name, migrations); err != nil {
		return fmt.Errorf("migrate %s of %s: %w", name, d.path, err)
	}
	return nil
}

func (d *DB) migrate(ctx context.Context, name string, migrations fs.FS) error {
	d.migrating.Lock()
	defer d.migrating.Unlock()
	if d.own {
		release, err := waitLock(ctx, d.path+".migrate")
		if err != nil {
			return err
		}
		defer release()
	}
	pool, err := d.connect(false, 1)
	if err != nil {
		return err
	}
	defer pool.Close()
	store, err := database.NewStore(goose.DialectSQLite3, name+"_version")
	if err != nil {
		return err
	}
	if err := versionTable(ctx, pool, store); err != nil {
		return d.translate(err)
	}
	p, err := goose.NewProvider(goose.DialectCustom, pool, migrations, goose.WithStore(store), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return d.translate(err)
	}
	if have > want {
		return polder.Errorf(polder.Conflict, "the database was written by a newer polder (version %d of %s, this one knows %d): use that one, or restore a backup made before", have, name, want)
	}
	for have < want {
		if err := fail.At("migrate.before"); err != nil {
			return err
		}
		r, err := p.UpByOne(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return nil
		}
		if err != nil {
			return d.translate(err)
		}
		have = r.Source.Version
	}
	return nil
}

// versionTable makes the table of versions if it is not there. goose would do it too, but takes any failure for another
// process at the same work and tries for seconds.
func versionTable(ctx context.Context, pool *sql.DB, store database.Store) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var there bool
	err = tx.QueryRowContext(ctx, `SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?`, store.Tablename()).Scan(&there)
	if err != nil || there {
		return err
	}
	if err := store.CreateVersionTable(ctx, tx); err != nil {
		return err
	}
	if err := store.Insert(ctx, tx, database.InsertRequest{Version: 0}); err != nil {
		return err
	}
	return tx.Commit()
}
