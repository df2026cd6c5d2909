package audit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Log is the audit log of a node. Its methods may be called from any goroutine.
type Log struct {
	Rand io.Reader // of the salts; set before first use

	d   *db.DB
	now func() time.Time
}

// New is the log kept in d. Call [Log.Migrate] before use.
func New(d *db.DB, now func() time.Time) *Log { return &Log{Rand: rand.Reader, d: d, now: now} }

// Migrate makes or updates the table.
func (l *Log) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return l.d.Migrate(ctx, "audit", files)
}

// Append adds e in the caller's transaction.
func (l *Log) Append(tx *db.Tx, e Entry) error {
	if e.Action == "" {
		return errors.New("audit: an entry needs an action")
	}
	n, before, err := l.HeadTx(tx)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(l.Rand, salt); err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	at := l.now()
	if e.Hour {
		at = at.UTC().Truncate(time.Hour)
	}
	r, err := rowOf(n+1, at, e, salt)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	hash := r.sum(before)
	_, err = tx.Exec(`INSERT INTO audit (n, time, org, person, token, action, community, object, detail, flags, salt, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.n, r.micros, r.org, r.person, r.token, r.action, r.community, r.object, r.detail, r.flags, r.salt, hash[:])
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

const headQuery = `SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1`

// HeadTx is the number and hash of the last entry, as the transaction sees it; 0 and zero when there is none.
func (l *Log) HeadTx(tx *db.Tx) (n int64, hash [32]byte, err error) {
	return scanHead(tx.QueryRow(headQuery))
}

// Head is the number and hash of the last entry; 0 and zero when there is none.
func (l *Log) Head(ctx context.Context) (n int64, hash [32]byte, err error) {
	return scanHead(l.d.Read().QueryRowContext(ctx, headQuery))
}

func scanHead(r *sql.Row) (n int64, hash [32]byte, err error) {
	var h []byte
	switch err = r.Scan(&n, &h); {
	case errors.Is(err, sql.ErrNoRows):
		return 0, hash, nil
	case err != nil:
		return 0, hash, err
	}
	copy(hash[:], h)
	return n, hash, nil
}

// Broken says where the log is not what was written.
type Broken struct {
	N    int64 // the first wrong entry
	What string
}

func (b *Broken) Error() string { return fmt.Sprintf("audit log, entry %d: %s", b.N, b.What) }

const chunk = 5000

// Verify reads the whole log and returns the number of its last entry, or a [*Broken] that names the first wrong one.
// progress, if not nil, is called now and then with the number reached.
func (l *Log) Verify(ctx context.Context, progress func(n int64)) (int64, error) {
	var n int64
	var hash [32]byte
	for {
		before := n
		var err error
		if n, hash, err = l.verifyAfter(ctx, n, hash); err != nil {
			return n, err
		}
		if progress != nil {
			progress(n)
		}
		if n == before {
			return n, nil
		}
	}
}

// verifyAfter follows the chain for one chunk from entry n with the hash given.
func (l *Log) verifyAfter(ctx context.Context, n int64, hash [32]byte) (int64, [32]byte, error) {
	// A number below the first is found with the first chunk.
	from := n
	if n == 0 {
		from = -1 << 62
	}
	rows, err := l.d.Read().QueryContext(ctx, `SELECT `+columns+` FROM audit WHERE n > ? ORDER BY n LIMIT ?`, from, chunk)
	if err != nil {
		return n, hash, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return n, hash, err
		}
		if r.n != n+1 {
			return n, hash, &Broken{min(n+1, r.n), gap(n+1, r.n)}
		}
		hash = r.sum(hash)
		if string(hash[:]) != string(r.hash) {
			return n, hash, &Broken{r.n, "it or the order of entries was changed: its hash does not follow from it and the entry before"}
		}
		n = r.n
	}
	return n, hash, rows.Err()
}

func gap(want, got int64) string {
	if got < want {
		return "there is no such number: the first entry is 1"
	}
	return fmt.Sprintf("it is missing, the next one is %d", got)
}

// Contains checks that entry n has the hash given: that the log still begins as it did when n was its head. A log that
// was cut short, put back to an older state or written anew does not. n = 0 is always contained.
func (l *Log) Contains(ctx context.Context, n int64, hash [32]byte) error {
	if n == 0 {
		return nil
	}
	var have []byte
	err := l.d.Read().QueryRowContext(ctx, `SELECT hash FROM audit WHERE n = ?`, n).Scan(&have)
	if errors.Is(err, sql.ErrNoRows) {
		last, _, err := l.Head(ctx)
		if err != nil {
			return err
		}
		return &Broken{min(n, last+1), fmt.Sprintf("it is missing: the log was cut short or put back, it once had %d entries and now has %d", n, last)}
	}
	if err != nil {
		return err
	}
	if string(have) != string(hash[:]) {
		return &Broken{n, "it is not the one that once stood there: the log was written anew from here or before"}
	}
	return nil
}

// Filter says which entries [Log.List] returns.
type Filter struct {
	Viewer      polder.Actor
	Communities []polder.CommunityID // where the viewer is steward
	Before      int64                // numbers below this one; 0 for all
	Limit       int                  // at most this many; 0 means 100, never above 1,000
	Action      string               // only these actions; "token." means all that begin so
	Object      string               // only about this thing
}
