package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/fail"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Hash names a content: its SHA-256. It can be compared and used as a key.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what [Hash.String] wrote.
func ParseHash(s string) (Hash, error) {
	var h Hash
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) || hex.EncodeToString(b) != s {
		return Hash{}, polder.Errorf(polder.Invalid, "%q names no content; a name is 64 lower-case hexadecimal digits", s)
	}
	return Hash(b), nil
}

func (h Hash) folder() string { return hex.EncodeToString(h[:1]) }
func (h Hash) path() string   { return path.Join(h.folder(), h.String()) }

// Options are the choices of [Open]. The zero value is right for a node.
type Options struct {
	Max   int64            // bytes of one content; 0 means 32 MiB
	Grace time.Duration    // how long a content may wait for its first reference; 0 means 1 h
	Now   func() time.Time // nil is the clock of the machine
	Log   *slog.Logger     // nil says nothing
}

// Store is a folder of contents. Its methods may be called from any goroutine, and by two processes on one folder.
type Store struct {
	d    *db.DB
	dir  string
	root *os.Root
	o    Options
	wake chan struct{}
}

// waiting is the folder of files that are being written.
const waiting = "new"

// Open opens the folder, and makes it if there is none.
func Open(d *db.DB, dir string, o Options) (*Store, error) {
	if o.Max == 0 {
		o.Max = 32 << 20
	}
	if o.Grace == 0 {
		o.Grace = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Join(dir, waiting), 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Store{d: d, dir: dir, root: root, o: o, wake: make(chan struct{}, 1)}, nil
}

// Close ends the use of the folder.
func (s *Store) Close() error { return s.root.Close() }

// Migrate brings the tables up to date.
func (s *Store) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return s.d.Migrate(ctx, "blob", files)
}

// Put stores what r holds and returns its name and size once it is on disk. Give it a reference soon ([Store.Ref]):
// without one it goes after a while. More than the bound is [polder.ErrTooLarge], and nothing is kept.
func (s *Store) Put(ctx context.Context, r io.Reader) (h Hash, size int64, err error) {
	if err := s.d.Room(); err != nil {
		return Hash{}, 0, err
	}
	name := path.Join(waiting, rand.Text())
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Hash{}, 0, err
	}
	defer func() {
		if err != nil {
			_ = s.root.Remove(name)
		}
	}()
	sum := sha256.New()
	size, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(withContext{ctx, r}, s.o.Max+1))
	if err == nil && size > s.o.Max {
		err = polder.Errorf(polder.TooLarge, "the file is larger than %d bytes", s.o.Max)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return Hash{}, 0, err
	}
	h = Hash(sum.Sum(nil))
	return h, size, s.settle(name, h)
}

// settle gives a finished file its name, so that it is there after a power loss.
func (s *Store) settle(name string, h Hash) error {
	if err := s.root.Mkdir(h.folder(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.root.Rename(name, h.path()); err != nil {
		return err
	}
	return errors.Join(db.SyncDir(filepath.Join(s.dir, h.folder())), db.SyncDir(s.dir))
}

// withContext ends reading when ctx does.
type withContext struct {
	ctx context.Context
	r   io.Reader
}

func (w withContext) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}

// Ref says that owner holds a content; saying it twice is saying it once. It fails with [polder.ErrConflict] when the
// content is not there (any more): put it again.
func (s *Store) Ref(tx *db.Tx, h Hash, owner string) error {
	if owner == "" {
		return errors.New("refer to a content: the owner has no name")
	}
	if _, err := s.root.Stat(h.path()); err != nil {
		return polder.Errorf(polder.Conflict, "content %s is not stored; put it again: %w", h, err)
	}
	if _, err := tx.Exec(`INSERT INTO blob_ref (hash, owner) VALUES (?, ?) ON CONFLICT DO NOTHING`, h[:], owner); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM blob_erased WHERE hash = ?`, h[:])
	return err
}

// Unref says that owner no longer holds a content. Without any owner it goes from the disk after a while.
func (s *Store) Unref(tx *db.Tx, h Hash, owner string) error {
	_, err := tx.Exec(`DELETE FROM blob_ref WHERE hash = ? AND owner = ?`, h[:], owner)
	tx.OnCommit(s.nudge)
	return err
}

// UnrefAll says that owner no longer holds anything.
func (s *Store) UnrefAll(tx *db.Tx, owner string) error {
	_, err := tx.Exec(`DELETE FROM blob_ref WHERE owner = ?`, owner)
	tx.OnCommit(s.nudge)
	return err
}

// Erase takes a content from all its owners: nobody reads it after the commit, and [Store.Run] takes it from the disk.
func (s *Store) Erase(tx *db.Tx, h Hash) error {
	if _, err := tx.Exec(`DELETE FROM blob_ref WHERE hash = ?`, h[:]); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO blob_erased (hash) VALUES (?) ON CONFLICT DO NOTHING`, h[:])
	tx.OnCommit(s.nudge)
	return err
}

// Open opens a content that somebody refers to; the caller closes it. Its bytes were checked against its name. What
// nobody refers to is [polder.ErrNotFound]; what is damaged or lost is [polder.ErrUnavailable].
func (s *Store) Open(ctx context.Context, h Hash) (io.ReadSeekCloser, error) {
	switch held, err := s.held(ctx, h); {
	case err != nil:
		return nil, err
	case !held:
		return nil, polder.Errorf(polder.NotFound, "there is no content %s", h)
	}
	f, err := s.check(h)
	if err != nil {
		s.o.Log.Error("a stored file is not what it was", "hash", h.String(), "error", err)
		return nil, err
	}
	return f, nil
}

// check opens the file of h and holds its bytes against its name.
func (s *Store) check(h Hash) (*os.File, error) {
	f, err := s.root.Open(h.path())
	if err != nil {
		return nil, polder.Errorf(polder.Unavailable, "content %s is lost; restore it from a backup: %w", h, err)
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	if err == nil && !bytes.Equal(sum.Sum(nil), h[:]) && !fail.Bug("file-unchecked") {
		err = errors.New("its bytes have another hash")
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, polder.Errorf(polder.Unavailable, "content %s is damaged; restore it from a backup: %w", h, err)
	}
	return f, nil
}

// Each calls fn for every content that somebody refers to, in the order of names, until it fails.
func (s *Store) Each(ctx context.Context, fn func(Hash) error) error {
	after := []byte{}
	for {
		next, err := s.page(ctx, after)
		if err != nil || len(next) == 0 {
			return err
		}
		for _, h := range next {
			if err := fn(h); err != nil {
				return err
			}
		}
		after = next[len(next)-1][:]
	}
}

// page is a short read: no reader may hold the database's log for as long as files take.
func (s *Store) page(ctx context.Context, after []byte) ([]Hash, error) {
	rows, err := s.d.Read().QueryContext(ctx, `SELECT DISTINCT hash FROM blob_ref WHERE hash > ? ORDER BY hash LIMIT 1000`, after)
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
		if len(b) != len(Hash{}) {
			return nil, fmt.Errorf("table blob_ref holds a hash of %d bytes", len(b))
		}
		out = append(out, Hash(b))
	}
	return out, rows.Err()
}

// Verify reads every content that somebody refers to and returns how many are right, and an error that names each that is not.
func (s *Store) Verify(ctx context.Context) (right int, err error) {
	var wrong []error
	err = s.Each(ctx, func(h Hash) error {
		f, err := s.check(h)
		if err != nil {
			wrong = append(wrong, err)
			return ctx.Err()
		}
		right++
		return f.Close()
	})
	return right, errors.Join(append(wrong, err)...)
}

func (s *Store) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
