package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/polder-exchange/polder"
)

// CopyTo writes what is committed now into a new database file, while others read and write. The copy is compact, holds
// no erased bytes, and lies in one file that only its owner may read. It is not synced.
func (d *DB) CopyTo(ctx context.Context, path string) (err error) {
	if !d.own {
		return errors.New("a copy needs the driver of a node")
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("copy database %s: %w", d.path, err), os.Remove(path))
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	base, err := ownConnector(fileURL(d.path) + "?mode=ro&" + settings + readerCache)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector{base, d})
	defer pool.Close()
	_, err = pool.ExecContext(ctx, `VACUUM INTO ?`, fileURL(path)+"?mode=rw")
	return d.translate(err)
}

// Inspect reads a whole database file that may come from anywhere, and that nobody has open, and tells what is wrong
// with it: damage, or tables that do something of their own when they are read or written (views, triggers, virtual
// tables), of which a node has none.
func Inspect(ctx context.Context, path string) error {
	if err := header(path); err != nil {
		return fmt.Errorf("inspect database %s: %w", filepath.Base(path), err)
	}
	base, err := ownConnector(fileURL(path) + "?mode=ro&immutable=1&_query_only=1&" + settings + readerCache)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(base)
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	if err := inspect(ctx, pool); err != nil {
		return fmt.Errorf("inspect database %s: %w", filepath.Base(path), err)
	}
	return nil
}

// header refuses what does not begin as a database: SQLite takes a file of a few bytes for an empty one.
func header(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(f, head); err != nil || string(head) != magic {
		return polder.Errorf(polder.Invalid, "it is damaged or no database")
	}
	return nil
}

func inspect(ctx context.Context, pool *sql.DB) error {
	var kind, name string
	err := pool.QueryRowContext(ctx, `SELECT type, name FROM sqlite_schema
		WHERE type NOT IN ('table', 'index') OR sql LIKE 'create virtual%' LIMIT 1`).Scan(&kind, &name)
	if err == nil {
		return polder.Errorf(polder.Invalid, "it holds the %s %q, and a node makes none that does something of its own: do not use this file", kind, name)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return polder.Errorf(polder.Invalid, "it is damaged or no database: %w", err)
	}
	var verdict string
	if err := pool.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return polder.Errorf(polder.Invalid, "it is damaged: %w", err)
	}
	if verdict != "ok" {
		return polder.Errorf(polder.Invalid, "it is damaged: %s", verdict)
	}
	return nil
}

// fileURL is path as SQLite and the driver read it without mistaking any character of it.
func fileURL(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if path == "" || path[0] != '/' {
		path = "/" + path // C:/x becomes /C:/x
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String()
}
