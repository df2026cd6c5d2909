package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Names of the members that are not the node's.
const (
	manifestName = "manifest.json"
	sumsName     = "SHA256SUMS"
)

// Format is the version of the format that is written.
const Format = 1

// Manifest says what a backup holds. What the caller of [Backup] knows before it begins he gives; Describe of a
// [Database] adds what stands in the copy.
type Manifest struct {
	Format    int        `json:"format"`
	Version   string     `json:"version"` // of the program
	Created   time.Time  `json:"created"`
	Lineage   string     `json:"lineage"`
	Seq       polder.Seq `json:"seq"` // of the last delivery
	AuditN    int64      `json:"audit_n"`
	AuditHash string     `json:"audit_hash"` // hex
	Databases []string   `json:"databases"`
}

// Database is a database to be copied.
type Database struct {
	Name string // in the backup
	DB   *db.DB

	// Describe, if set, is called with the path of the copy, to add to m what it holds: the copy is of a later moment
	// than anything read before.
	Describe func(ctx context.Context, path string, m *Manifest) error
}

// Sources is what a backup is made of.
type Sources struct {
	Databases []Database
	Dir       string   // the folder of the files
	Files     []string // names in Dir; of a folder, everything in it. What is not there is left out.
	Temp      string   // where copies of databases lie for a while; "" is Dir. They are not encrypted.

	Progress func(bytes int64) // if set, is called with the bytes written so far, before encryption
}

// Backup writes src to w, readable by the recipients. It may run beside reads and writes. What was put into w before an
// error is no backup, and says so when it is read.
func Backup(ctx context.Context, src Sources, w io.Writer, recipients []age.Recipient, m Manifest) error {
	if len(recipients) == 0 {
		return polder.Errorf(polder.Invalid, "a backup needs a passphrase or at least one recipient: it is never written in the clear")
	}
	sealed, err := age.Encrypt(w, recipients...)
	if err != nil {
		return polder.Errorf(polder.Invalid, "backup: recipients: %w", err)
	}
	packed := gzip.NewWriter(sealed)
	b := &writer{ctx: ctx, src: src, tar: tar.NewWriter(packed), at: m.Created}
	if err := b.all(m); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	for _, c := range []io.Closer{b.tar, packed, sealed} {
		if err := c.Close(); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
	}
	return nil
}

type writer struct {
	ctx  context.Context
	src  Sources
	tar  *tar.Writer
	at   time.Time
	sums bytes.Buffer
	done int64
}

func (b *writer) all(m Manifest) error {
	temp := b.src.Temp
	if temp == "" {
		temp = b.src.Dir
	}
	stage, err := os.MkdirTemp(temp, ".backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	m.Format, m.Databases = Format, []string{}
	for i, d := range b.src.Databases {
		if err := checkName(d.Name); err != nil {
			return err
		}
		copied := copyPath(stage, i)
		if err := d.DB.CopyTo(b.ctx, copied); err != nil {
			return err
		}
		if d.Describe != nil {
			if err := d.Describe(b.ctx, copied, &m); err != nil {
				return fmt.Errorf("describe %s: %w", d.Name, err)
			}
		}
		m.Databases = append(m.Databases, d.Name)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := b.small(manifestName, append(text, '\n')); err != nil {
		return err
	}
	for i, d := range b.src.Databases {
		if err := b.path(d.Name, copyPath(stage, i)); err != nil {
			return err
		}
	}
	if err := b.files(); err != nil {
		return err
	}
	return b.put(sumsName, int64(b.sums.Len()), bytes.NewReader(bytes.Clone(b.sums.Bytes())))
}

func copyPath(stage string, i int) string { return filepath.Join(stage, fmt.Sprintf("%d.db", i)) }

// files adds the files after the databases: what a database refers to is there, unless it was taken away meanwhile.
func (b *writer) files() error {
	if len(b.src.Files) == 0 {
		return nil
	}
	root, err := os.OpenRoot(b.src.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range b.src.Files {
		err := fs.WalkDir(root.FS(), path.Clean(filepath.ToSlash(name)), func(name string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case e.IsDir():
				return b.ctx.Err()
			case !e.Type().IsRegular():
				return polder.Errorf(polder.Invalid, "%s is not a regular file: take it out of the folder", name)
			}
			return b.file(root, name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *writer) file(root *os.Root, name string) error {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > 1<<20 {
		return b.put(name, info.Size(), f)
	}
	data, err := io.ReadAll(io.LimitReader(f, 2<<20)) // at once: small files are those that are written anew
	if err != nil {
		return err
	}
	return b.small(name, data)
}

func (b *writer) path(name, at string) error {
	f, err := os.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return b.put(name, info.Size(), f)
}

func (b *writer) small(name string, data []byte) error {
	return b.put(name, int64(len(data)), bytes.NewReader(data))
}

// put adds a member of exactly size bytes.
func (b *writer) put(name string, size int64, r io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: b.at, Format: tar.FormatPAX}
	if err := b.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(b.tar, sum, (*meter)(b)), io.LimitReader(r, size))
	if err == nil && n < size {
		err = errors.New("it became shorter while it was read; try again")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	line(&b.sums, sum, name)
	return nil
}

// line is a line of SHA256SUMS.
func line(w *bytes.Buffer, sum hash.Hash, name string) {
	fmt.Fprintf(w, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), name)
}

// meter counts what a writer has written, and ends it when its context ends.
type meter writer

func (m *meter) Write(p []byte) (int, error) {
	m.done += int64(len(p))
	if m.src.Progress != nil {
		m.src.Progress(m.done)
	}
	return len(p), m.ctx.Err()
}

// checkName refuses names that would not stay where they belong on some system, and files that only a running database
// may have.
func checkName(name string) error {
	bad := func(why string) error {
		return polder.Errorf(polder.Invalid, "the member name %.100q is refused: %s", name, why)
	}
	switch {
	case len(name) > 255:
		return bad("it is longer than 255 bytes")
	case !fs.ValidPath(name) || name == "." || !filepath.IsLocal(filepath.FromSlash(name)):
		return bad("it leads out of the folder")
	case strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) }):
		return bad("some systems cannot write it")
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || strings.HasPrefix(part, ".restore-") {
			return bad("some systems would change it")
		}
	}
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if strings.HasSuffix(strings.ToLower(name), end) {
			return bad("a database's log does not belong into a backup")
		}
	}
	return nil
}
