package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"github.com/polder-exchange/polder"
)

// end is the last number and the chain up to it.
func (j *Journal) end(ctx context.Context) (seq polder.Seq, chain [32]byte, err error) {
	var raw []byte
	err = j.db.Read().QueryRowContext(ctx, `SELECT seq, chain FROM delivery ORDER BY seq DESC LIMIT 1`).Scan(&seq, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, chain, nil
	}
	copy(chain[:], raw)
	return seq, chain, err
}

// checkTail holds the last n rows against their hashes and chain.
func (j *Journal) checkTail(ctx context.Context, n int) error {
	var from sql.NullInt64
	err := j.db.Read().QueryRowContext(ctx, `SELECT min(seq) FROM (SELECT seq FROM delivery ORDER BY seq DESC LIMIT ?)`, n).Scan(&from)
	if err != nil || !from.Valid {
		return err
	}
	_, err = j.verifyFrom(ctx, polder.Seq(from.Int64), nil)
	return err
}

// Verify reads the whole log and holds every row and body against its hash and the chain. It returns how many rows it
// read, and an error that names the first that is wrong. progress, when given, is called now and then.
func (j *Journal) Verify(ctx context.Context, progress func(rows int64)) (int64, error) {
	return j.verifyFrom(ctx, 0, progress)
}

func (j *Journal) verifyFrom(ctx context.Context, from polder.Seq, progress func(int64)) (rows int64, err error) {
	var chain [32]byte
	if from > 0 {
		var raw []byte
		err = j.db.Read().QueryRowContext(ctx, `SELECT chain FROM delivery WHERE seq < ? ORDER BY seq DESC LIMIT 1`, int64(from)).Scan(&raw)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, err
		}
		copy(chain[:], raw)
		from--
	}
	for {
		n, last, next, err := j.verifySome(ctx, from, chain)
		rows += n
		if err != nil || n == 0 {
			return rows, err
		}
		if progress != nil {
			progress(rows)
		}
		from, chain = last, next
	}
}

const verifyChunk = 1000

func (j *Journal) verifySome(ctx context.Context, after polder.Seq, chain [32]byte) (n int64, last polder.Seq, end [32]byte, err error) {
	rows, err := j.db.Read().QueryContext(ctx, `SELECT `+columns+`, d.chain FROM delivery d LEFT JOIN body b ON b.id = d.body WHERE d.seq > ? ORDER BY d.seq LIMIT ?`, int64(after), verifyChunk)
	if err != nil {
		return 0, 0, chain, err
	}
	defer rows.Close()
	for rows.Next() {
		var have []byte
		d, hash, err := j.scanOne(withExtra{rows, &have})
		if err != nil {
			return n, last, chain, err
		}
		what := d.wrong(hash, true)
		chain = link(chain, hash)
		if what == "" && !bytes.Equal(chain[:], have) {
			what = "a row before it was changed, taken out or put in"
		}
		if what == "" && d.Kind == Object && d.Raw != nil && sha256.Sum256(d.Raw) != d.bodyHash {
			what = "the object differs from its hash"
		}
		if what != "" {
			return n, last, chain, polder.Errorf(polder.Unavailable, "journal %s (%d): %s", d.Seq, int64(d.Seq), what)
		}
		n, last = n+1, d.Seq
	}
	return n, last, chain, rows.Err()
}

// row is what scanOne reads from.
type row interface{ Scan(dest ...any) error }

// withExtra scans one more column at the end.
type withExtra struct {
	row
	extra any
}

func (w withExtra) Scan(dest ...any) error { return w.row.Scan(append(dest, w.extra)...) }
