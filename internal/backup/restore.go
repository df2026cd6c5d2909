package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// limits bound what a backup may make this machine do.
type limits struct {
	bytes   int64 // of all members
	members int
	ratio   int64 // of members to what was read, above the first 64 MiB
}

var usual = limits{bytes: 1 << 40, members: 5_000_000, ratio: 200}

const (
	freeBytes    = 64 << 20
	manifestSize = 1 << 20
	sumsSize     = 1 << 30
)

// Check reads a whole backup and writes nothing: every member is there and is what was written.
func Check(ctx context.Context, r io.Reader, identities []age.Identity) (Manifest, error) {
	m, err := unpack(ctx, r, identities, usual, func(string) (io.WriteCloser, error) { return discard{}, nil })
	if err != nil {
		return Manifest{}, fmt.Errorf("check backup: %w", err)
	}
	return m, nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// Restore writes a backup into dir, which must not exist or be empty. Where dir does not exist, it appears whole or not
// at all; into an empty one the databases come last, so that half of it does not look like a node.
func Restore(ctx context.Context, r io.Reader, identities []age.Identity, dir string) (Manifest, error) {
	m, err := restore(ctx, r, identities, dir, usual)
	if err != nil {
		return Manifest{}, fmt.Errorf("restore into %s: %w", dir, err)
	}
	return m, nil
}

func restore(ctx context.Context, r io.Reader, identities []age.Identity, dir string, most limits) (m Manifest, err error) {
	exists, err := empty(dir)
	if err != nil {
		return m, err
	}
	dir = filepath.Clean(dir)
	beside := dir
	if !exists {
		beside = filepath.Dir(dir)
	}
	stage, err := os.MkdirTemp(beside, ".restore-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	root, err := os.OpenRoot(stage)
	if err != nil {
		return m, err
	}
	defer root.Close()
	m, err = unpack(ctx, r, identities, most, func(name string) (io.WriteCloser, error) { return create(root, name) })
	if err != nil {
		return m, err
	}
	for _, name := range m.Databases {
		if err := db.Inspect(ctx, filepath.Join(stage, filepath.FromSlash(name))); err != nil {
			return m, err
		}
	}
	for _, name := range []string{manifestName, sumsName} {
		if err := root.Remove(name); err != nil {
			return m, err
		}
	}
	if err := syncFolders(stage); err != nil {
		return m, err
	}
	if exists {
		return m, moveInto(stage, dir, m.Databases)
	}
	if err := os.Rename(stage, dir); err != nil {
		return m, err
	}
	return m, db.SyncDir(beside)
}

// empty tells whether dir exists, and refuses one that is not empty (F20).
func empty(dir string) (exists bool, err error) {
	names, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case len(names) > 0:
		return true, polder.Errorf(polder.Conflict, "the folder is not empty (it holds %s): a backup is only restored into a new or empty one", names[0].Name())
	}
	return true, nil
}

// file is a file being restored: synced when it is closed.
type file struct{ *os.File }

func (f file) Close() error { return errors.Join(f.Sync(), f.File.Close()) }

func create(root *os.Root, name string) (io.WriteCloser, error) {
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

func syncFolders(top string) error {
	return filepath.WalkDir(top, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			err = db.SyncDir(p)
		}
		return err
	})
}

// moveInto moves what is in stage into dir around it, what holds databases last.
func moveInto(stage, dir string, databases []string) error {
	entries, err := os.ReadDir(stage)
	if err != nil {
		return err
	}
	last := func(e os.DirEntry) int {
		for _, d := range databases {
			if top, _, _ := strings.Cut(d, "/"); top == e.Name() {
				return 1
			}
		}
		return 0
	}
	slices.SortStableFunc(entries, func(a, b os.DirEntry) int { return last(a) - last(b) })
	for _, e := range entries {
		if err := os.Rename(filepath.Join(stage, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
		if err := db.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// unpack reads a backup to its end, gives every member to a file that create makes, and checks them all.
func unpack(ctx context.Context, r io.Reader, identities []age.Identity, most limits, create func(name string) (io.WriteCloser, error)) (Manifest, error) {
	in := &counter{r: r}
	opened, err := age.Decrypt(in, identities...)
	if err != nil {
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return Manifest{}, polder.Errorf(polder.Invalid, "none of the keys opens it: give the passphrase or the identity it was made for: %w", err)
		}
		return Manifest{}, polder.Errorf(polder.Invalid, "it is no backup, or damaged: %w", err)
	}
	unpacked, err := gzip.NewReader(opened)
	if err != nil {
		return Manifest{}, damaged(err)
	}
	unpacked.Multistream(false)
	u := &reader{ctx: ctx, in: in, most: most, create: create, seen: map[string]string{}}
	if err := u.all(tar.NewReader(&bounded{r: unpacked, u: u})); err != nil {
		return Manifest{}, err
	}
	return u.manifest, ended(unpacked, opened)
}

func damaged(err error) error {
	return polder.Errorf(polder.Invalid, "it is cut short or damaged: %w", err)
}

// ended reads to the end of the file: only there is it certain that nothing is missing, and nothing may follow.
func ended(unpacked, opened io.Reader) error {
	padding, err := io.ReadAll(io.LimitReader(unpacked, 1<<20))
	if err != nil {
		return damaged(err)
	}
	if len(bytes.Trim(padding, "\x00")) > 0 || len(padding) == 1<<20 {
		return damaged(errors.New("there is data after its end"))
	}
	if n, err := io.Copy(io.Discard, opened); err != nil || n > 0 {
		return damaged(errors.Join(err, errors.New("there is data after its end")))
	}
	return nil
}

type reader struct {
	ctx      context.Context
	in       *counter
	most     limits
	create   func(name string) (io.WriteCloser, error)
	seen     map[string]string // names by their folded form
	sums     bytes.Buffer
	total    int64
	manifest Manifest
}

func (u *reader) all(t *tar.Reader) error {
	for n := 0; ; n++ {
		h, err := t.Next()
		if err == io.EOF {
			return damaged(fmt.Errorf("its list of hashes is missing"))
		}
		if err != nil {
			return u.kind(err)
		}
		if n >= u.most.members {
			return polder.Errorf(polder.TooLarge, "it has more than %d members", u.most.members)
		}
		if err := u.accept(n, h); err != nil {
			return err
		}
		if h.Name == sumsName {
			return u.verify(t, h)
		}
		if err := u.member(t, h); err != nil {
			return err
		}
	}
}

// kind leaves errors that have one alone; what else goes wrong while reading is damage.
func (u *reader) kind(err error) error {
	if polder.KindOf(err) != polder.Internal || u.ctx.Err() != nil {
		return err
	}
	return damaged(err)
}

// accept refuses headers that a backup of ours does not have.
func (u *reader) accept(n int, h *tar.Header) error {
	if err := checkName(h.Name); err != nil {
		return err
	}
	folded := strings.ToLower(h.Name)
	switch {
	case h.Typeflag != tar.TypeReg:
		return polder.Errorf(polder.Invalid, "the member %s is refused: it is not a regular file", h.Name)
	case u.seen[folded] != "":
		return polder.Errorf(polder.Invalid, "the member %s is refused: its name is there twice", h.Name)
	case (n == 0) != (h.Name == manifestName):
		return polder.Errorf(polder.Invalid, "it is no backup: it must begin with its %s", manifestName)
	case h.Name == manifestName && h.Size > manifestSize, h.Name == sumsName && h.Size > sumsSize, h.Size > u.most.bytes-u.total:
		return polder.Errorf(polder.TooLarge, "the member %s is refused: %d bytes are too many", h.Name, h.Size)
	}
	u.seen[folded] = h.Name
	u.total += h.Size
	return nil
}

// member gives a member to its file, and notes its hash.
func (u *reader) member(t io.Reader, h *tar.Header) error {
	var head bytes.Buffer
	sum := sha256.New()
	w, err := u.create(h.Name)
	if err != nil {
		return err
	}
	to := io.MultiWriter(w, sum)
	if h.Name == manifestName {
		to = io.MultiWriter(to, &head)
	}
	n, err := io.Copy(to, t)
	if err == nil && n != h.Size {
		err = io.ErrUnexpectedEOF
	}
	if closed := w.Close(); err == nil && closed != nil {
		return closed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", h.Name, u.kind(err))
	}
	line(&u.sums, sum, h.Name)
	if h.Name == manifestName {
		return u.readManifest(head.Bytes())
	}
	return nil
}

func (u *reader) readManifest(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&u.manifest); err != nil {
		return polder.Errorf(polder.Invalid, "it is no backup: its %s cannot be read: %w", manifestName, err)
	}
	if f := u.manifest.Format; f != Format {
		return polder.Errorf(polder.Invalid, "its format is %d, this program reads %d: use the polder that made it (%.40q) or a newer one", f, Format, u.manifest.Version)
	}
	return nil
}

// verify compares what was read with the list of hashes, line by line.
func (u *reader) verify(t io.Reader, h *tar.Header) error {
	w, err := u.create(sumsName)
	if err != nil {
		return err
	}
	return errors.Join(u.compare(io.TeeReader(io.LimitReader(t, h.Size), w)), w.Close())
}

func (u *reader) compare(sums io.Reader) error {
	have := bufio.NewScanner(bytes.NewReader(u.sums.Bytes()))
	want := bufio.NewScanner(sums)
	for have.Scan() {
		if !want.Scan() {
			return u.kind(errors.Join(want.Err(), errors.New("its list of hashes is too short")))
		}
		if have.Text() != want.Text() {
			_, name, _ := strings.Cut(have.Text(), "  ")
			return damaged(fmt.Errorf("the member %s is not what was written", name))
		}
	}
	if want.Scan() || want.Err() != nil {
		return u.kind(errors.Join(want.Err(), errors.New("members are missing")))
	}
	for _, name := range u.manifest.Databases {
		if name == "" || u.seen[strings.ToLower(name)] != name {
			return damaged(fmt.Errorf("the database %.100q is missing", name))
		}
	}
	return nil
}

// counter counts what is read of the encrypted file.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// bounded is the tar, as long as it does not grow out of proportion to what was read of the file.
type bounded struct {
	r io.Reader
	u *reader
	n int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if b.n > freeBytes && b.n/b.u.most.ratio > b.u.in.n {
		return n, polder.Errorf(polder.TooLarge, "it unpacks to more than %d times its size: that is no backup", b.u.most.ratio)
	}
	if ended := b.u.ctx.Err(); ended != nil {
		return n, ended
	}
	return n, err
}
