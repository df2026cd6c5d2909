package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Tx is a write under way. It is used by one goroutine, inside the function given to [DB.Write], and dead afterwards.
type Tx struct {
	d    *DB
	w    *write
	ctx  context.Context
	over bool
	rows []*sql.Rows
	one  []*sql.Row
}

// Context is the context of the write. It does not end before the write does, and [DB.Write] refuses it.
func (tx *Tx) Context() context.Context { return tx.ctx }

// OnCommit has fn run after the commit, in the order of commits and calls, before Write returns and before any later
// write begins. Without a commit it never runs. fn must be short and must not call Write.
func (tx *Tx) OnCommit(fn func()) { tx.w.after = append(tx.w.after, fn) }

// Exec runs a statement without rows.
func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	if err := tx.check(query); err != nil {
		return nil, err
	}
	return tx.d.pin.ExecContext(context.Background(), query, args...)
}

// Query runs a statement with rows. Rows that are still open when the write ends are closed then.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	if err := tx.check(query); err != nil {
		return nil, err
	}
	rows, err := tx.d.pin.QueryContext(context.Background(), query, args...)
	if err == nil {
		tx.rows = append(tx.rows, rows)
	}
	return rows, err
}

// QueryRow runs a statement of which one row is wanted.
func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	ctx := context.Background()
	if err := tx.check(query); err != nil {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		cancel(err)
	}
	row := tx.d.pin.QueryRowContext(ctx, query, args...)
	tx.one = append(tx.one, row)
	return row
}

// check refuses a statement that may not run: after the end, after an error that may have ended the transaction (the
// statement would be committed on its own), or one that is itself about transactions or the connection.
func (tx *Tx) check(query string) error {
	if tx.over {
		return fmt.Errorf("the write is over")
	}
	if err := tx.d.raw.broken; err != nil {
		return fmt.Errorf("the transaction was broken off: %w", err)
	}
	switch verb(query) {
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", "PRAGMA", "VACUUM":
		return fmt.Errorf("a write may not use %s", verb(query))
	}
	return nil
}

func verb(query string) string {
	query = strings.TrimLeft(query, " \t\r\n;")
	end := strings.IndexFunc(query, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' })
	if end < 0 {
		end = len(query)
	}
	if end > len("SAVEPOINT") {
		return ""
	}
	return strings.ToUpper(query[:end])
}

func (tx *Tx) end() {
	tx.over = true
	for _, r := range tx.rows {
		_ = r.Close()
	}
	for _, r := range tx.one {
		_ = r.Scan() // closes what nobody scanned; a scanned row is closed already
	}
}
