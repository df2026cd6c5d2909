package blob

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/polder-exchange/polder/internal/db"
)

// Run takes away what nobody refers to, at once when something was erased and else from time to time, until ctx ends.
func (s *Store) Run(ctx context.Context) {
	t := time.NewTicker(s.o.Grace)
	defer t.Stop()
	for {
		if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("cannot take files away", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-s.wake:
		}
	}
}

// Sweep takes away erased contents, contents without an owner that are older than the grace, and what crashes left. It
// returns how many files went.
func (s *Store) Sweep(ctx context.Context) (gone int, err error) {
	erased, err := s.erased(ctx)
	if err != nil {
		return 0, err
	}
	for _, h := range erased {
		ok, err := s.remove(ctx, h, true)
		if err != nil {
			return gone, err
		}
		gone += ok
	}
	folders, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return gone, err
	}
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		n, err := s.sweepFolder(ctx, f.Name())
		gone += n
		if err != nil {
			return gone, err
		}
	}
	return gone, nil
}

func (s *Store) sweepFolder(ctx context.Context, folder string) (gone int, err error) {
	files, err := fs.ReadDir(s.root.FS(), folder)
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() || s.o.Now().Sub(info.ModTime()) < s.o.Grace {
			continue
		}
		if folder == waiting {
			if err := s.root.Remove(path.Join(waiting, f.Name())); err != nil {
				return gone, err
			}
			gone++
			continue
		}
		h, err := ParseHash(f.Name())
		if err != nil {
			continue // not ours
		}
		n, err := s.remove(ctx, h, false)
		gone += n
		if err != nil {
			return gone, err
		}
	}
	return gone, nil
}

func (s *Store) erased(ctx context.Context) ([]Hash, error) {
	rows, err := s.d.Read().QueryContext(ctx, `SELECT hash FROM blob_erased LIMIT 10000`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Hash
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		if len(b) == len(Hash{}) {
			out = append(out, Hash(b))
		}
	}
	return out, rows.Err()
}

// remove takes the file of h away unless somebody refers to it, or it should be erased and no longer is. It does so
// inside a write, so that no reference can be made in between, not even by another process.
func (s *Store) remove(ctx context.Context, h Hash, erased bool) (gone int, err error) {
	held, err := s.held(ctx, h)
	if err != nil || held && !erased {
		return 0, err
	}
	err = s.d.Write(ctx, func(tx *db.Tx) error {
		var refs, marks int
		if err := tx.QueryRow(`SELECT (SELECT count(*) FROM blob_ref WHERE hash = ?1), (SELECT count(*) FROM blob_erased WHERE hash = ?1)`, h[:]).Scan(&refs, &marks); err != nil {
			return err
		}
		if refs > 0 || erased && marks == 0 {
			return nil
		}
		switch err := s.root.Remove(h.path()); {
		case err == nil:
			gone = 1
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		_, err := tx.Exec(`DELETE FROM blob_erased WHERE hash = ?`, h[:])
		return err
	})
	return gone, err
}

func (s *Store) held(ctx context.Context, h Hash) (held bool, err error) {
	err = s.d.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM blob_ref WHERE hash = ?)`, h[:]).Scan(&held)
	return held, err
}
