package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

type fixture struct {
	*Store
	t     testing.TB
	clock time.Time
}

func open(t testing.TB, dir string) *fixture {
	t.Helper()
	d, err := db.Open(context.Background(), filepath.Join(dir, "node.db"), db.Options{Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, clock: time.Now()}
	f.Store, err = Open(d, filepath.Join(dir, "files"), Options{Max: 1000, Now: func() time.Time { return f.clock }})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close(); _ = d.Close() })
	return f
}

func (f *fixture) put(text string) Hash {
	f.t.Helper()
	h, n, err := f.Put(context.Background(), strings.NewReader(text))
	if err != nil || n != int64(len(text)) || h != Hash(sha256.Sum256([]byte(text))) {
		f.t.Fatalf("put %q: %s, %d, %v", text, h, n, err)
	}
	return h
}

func (f *fixture) write(fn func(tx *db.Tx) error) {
	f.t.Helper()
	if err := f.d.Write(context.Background(), fn); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) ref(h Hash, owner string) {
	f.t.Helper()
	f.write(func(tx *db.Tx) error { return f.Ref(tx, h, owner) })
}

// read is the content of h, or the kind of the refusal.
func (f *fixture) read(h Hash) string {
	f.t.Helper()
	r, err := f.Open(context.Background(), h)
	if err != nil {
		return polder.KindOf(err).String()
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// files are all files below the folder.
func (f *fixture) files() (out []string) {
	_ = filepath.WalkDir(f.dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, p)
		}
		return err
	})
	return out
}

func (f *fixture) sweep(want int) {
	f.t.Helper()
	if gone, err := f.Sweep(context.Background()); err != nil || gone != want {
		f.t.Errorf("%d files went (%v), want %d", gone, err, want)
	}
}

// TestLife: a content is read while somebody refers to it, is stored once, and goes after its last owner and a while.
func TestLife(t *testing.T) {
	f := open(t, t.TempDir())
	h := f.put("evidence")
	if got := f.read(h); got != "not found" {
		t.Errorf("without an owner: %q", got)
	}
	f.ref(h, "report/1")
	f.ref(h, "report/1")
	if f.put("evidence"); len(f.files()) != 1 {
		t.Errorf("stored twice: %q", f.files())
	}
	f.ref(h, "report/2")
	f.write(func(tx *db.Tx) error { return f.Unref(tx, h, "report/1") })
	f.clock = f.clock.Add(48 * time.Hour)
	f.sweep(0)
	if got := f.read(h); got != "evidence" {
		t.Errorf("with one owner left: %q", got)
	}
	f.write(func(tx *db.Tx) error { return f.UnrefAll(tx, "report/2") })
	if got := f.read(h); got != "not found" {
		t.Errorf("after its last owner: %q", got)
	}
	f.sweep(1)
	if len(f.files()) != 0 {
		t.Errorf("left on disk: %q", f.files())
	}
	if err := f.d.Write(t.Context(), func(tx *db.Tx) error { return f.Ref(tx, h, "report/3") }); !errors.Is(err, polder.ErrConflict) {
		t.Errorf("a reference to what is gone: %v", err)
	}
}

// TestGrace: what was just put waits for its reference.
func TestGrace(t *testing.T) {
	f := open(t, t.TempDir())
	h := f.put("fresh")
	f.sweep(0)
	f.ref(h, "report/1")
	if got := f.read(h); got != "fresh" {
		t.Errorf("got %q", got)
	}
}

// TestX19Erase: an erased content is gone for every owner at once, from the disk at the next sweep even after a crash
// in between, and may be put again.
func TestX19Erase(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	h := f.put("name of a person")
	f.ref(h, "report/1")
	f.ref(h, "report/2")
	f.write(func(tx *db.Tx) error { return f.Erase(tx, h) })
	if got := f.read(h); got != "not found" {
		t.Errorf("after erasure: %q", got)
	}
	_ = f.d.Close() // and the process ends before anything swept
	f = open(t, dir)
	f.sweep(1)
	if len(f.files()) != 0 {
		t.Errorf("left on disk: %q", f.files())
	}
	f.put("name of a person")
	f.ref(h, "report/3")
	f.sweep(0)
	if got := f.read(h); got != "name of a person" {
		t.Errorf("put again: %q", got)
	}
	// Erased, put and referred to again before any sweep: it stays.
	f.write(func(tx *db.Tx) error { return f.Erase(tx, h) })
	f.put("name of a person")
	f.ref(h, "report/4")
	f.sweep(0)
	if got := f.read(h); got != "name of a person" {
		t.Errorf("put again before the sweep: %q", got)
	}
}

// TestUndone: a transaction that is undone changes nothing.
func TestUndone(t *testing.T) {
	f := open(t, t.TempDir())
	h := f.put("kept")
	f.ref(h, "report/1")
	no := errors.New("no")
	if err := f.d.Write(t.Context(), func(tx *db.Tx) error { return errors.Join(f.Erase(tx, h), no) }); !errors.Is(err, no) {
		t.Fatal(err)
	}
	f.sweep(0)
	if got := f.read(h); got != "kept" {
		t.Errorf("got %q", got)
	}
}

type broken struct{ after int }

func (b *broken) Read(p []byte) (int, error) {
	if b.after--; b.after < 0 {
		return 0, errors.New("the connection was cut")
	}
	return copy(p, "x"), nil
}

// TestHalf: too much, a reader that fails and a context that ends leave nothing behind.
func TestHalf(t *testing.T) {
	f := open(t, t.TempDir())
	if _, _, err := f.Put(t.Context(), strings.NewReader(strings.Repeat("x", 1001))); !errors.Is(err, polder.ErrTooLarge) {
		t.Errorf("1,001 bytes: %v", err)
	}
	if _, _, err := f.Put(t.Context(), strings.NewReader(strings.Repeat("x", 1000))); err != nil {
		t.Errorf("1,000 bytes: %v", err)
	}
	if _, _, err := f.Put(t.Context(), &broken{3}); err == nil || !strings.Contains(err.Error(), "cut") {
		t.Errorf("a reader that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.Put(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	if n := len(f.files()); n != 1 {
		t.Errorf("%d files, want the one that fits: %q", n, f.files())
	}
}

// TestCrash: what a crash left half written goes, and is never taken for a content.
func TestCrash(t *testing.T) {
	f := open(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(f.dir, waiting, "HALF"), []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.sweep(0)
	f.clock = f.clock.Add(2 * time.Hour)
	f.sweep(1)
}

// TestF7Damage: a flipped bit, a cut file and a lost one are found by Verify and never served.
func TestF7Damage(t *testing.T) {
	f := open(t, t.TempDir())
	var all []Hash
	for _, text := range []string{"whole", "flipped", "cut", "lost"} {
		h := f.put(text)
		f.ref(h, "report/1")
		all = append(all, h)
	}
	path := func(i int) string { return filepath.Join(f.dir, filepath.FromSlash(all[i].path())) }
	for i, data := range map[int][]byte{1: []byte("fli\x50ped"), 2: []byte("cu")} {
		if err := os.WriteFile(path(i), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(path(3)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"whole", "unavailable", "unavailable", "unavailable"} {
		if got := f.read(all[i]); got != want {
			t.Errorf("content %d: %q, want %q", i, got, want)
		}
	}
	right, err := f.Verify(t.Context())
	if right != 1 || err == nil {
		t.Fatalf("%d right, %v", right, err)
	}
	for _, h := range all[1:] {
		if !strings.Contains(err.Error(), h.String()) {
			t.Errorf("the report does not name %s: %v", h, err)
		}
	}
}

// TestS43Names: no name but a hash reaches the file system, and a link out of the folder is not followed.
func TestS43Names(t *testing.T) {
	for _, name := range []string{"", "..", "../../etc/passwd", strings.Repeat("A", 64), strings.Repeat("g", 64), strings.Repeat("a", 63), "-", strings.Repeat("a", 64) + "\x00"} {
		if _, err := ParseHash(name); !errors.Is(err, polder.ErrInvalid) {
			t.Errorf("%q is a name: %v", name, err)
		}
	}
	dir := t.TempDir()
	f := open(t, dir)
	h := f.put("inside")
	f.ref(h, "report/1")
	outside := filepath.Join(dir, "outside")
	if err := os.WriteFile(outside, []byte("inside"), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(f.dir, filepath.FromSlash(h.path()))
	if err := os.Remove(inside); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, inside); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if got := f.read(h); got != "unavailable" {
		t.Errorf("a link out of the folder was followed: %q", got)
	}
}

// TestHashText: what a hash writes it reads again.
func TestHashText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
		if back, err := ParseHash(h.String()); err != nil || back != h {
			t.Fatalf("%s became %s, %v", h, back, err)
		}
	})
}

// TestTogether: while many put, refer, erase and sweep the same few contents, a referred content is always whole.
func TestTogether(t *testing.T) {
	f := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	var sweeping, writers sync.WaitGroup
	sweeping.Go(func() { f.Run(ctx) })
	for w := range 4 {
		writers.Go(func() {
			for i := range 25 {
				text := []byte{byte('a' + i%3)}
				h, _, err := f.Put(ctx, bytes.NewReader(text))
				if err != nil {
					t.Error(err)
					return
				}
				err = f.d.Write(ctx, func(tx *db.Tx) error { return f.Ref(tx, h, "writer") })
				if errors.Is(err, polder.ErrConflict) {
					continue // erased in between: the caller puts it again
				}
				if err == nil && w == 0 {
					err = f.d.Write(ctx, func(tx *db.Tx) error { return f.Erase(tx, h) })
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	cancel()
	sweeping.Wait()
	if _, err := f.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
