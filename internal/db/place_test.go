package db

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"modernc.org/sqlite"

	"github.com/polder-exchange/polder"
)

// TestMain lets the test binary be a second process: see child.
func TestMain(m *testing.M) {
	if path := os.Getenv("POLDER_TEST_CHILD"); path != "" {
		if err := child(path, os.Getenv("POLDER_TEST_CHILD_DOES")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var shared = fstest.MapFS{
	"001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE shared(who INTEGER, n INTEGER, PRIMARY KEY (who, n));\n")},
	"002_b.sql": {Data: []byte("-- +goose Up\nALTER TABLE shared ADD COLUMN s TEXT;\n")},
}

const childWrites = 150

// child is what the second process does.
func child(path, what string) error {
	ctx := context.Background()
	if what == "lock" {
		release, err := LockDir(filepath.Dir(path))
		if err != nil {
			return err
		}
		fmt.Println("locked")
		_, _ = io.Copy(io.Discard, os.Stdin)
		release()
		return nil
	}
	d, err := Open(ctx, path, Options{LogPages: 40})
	if err != nil {
		return err
	}
	if err := d.Migrate(ctx, "shared", shared); err != nil {
		return err
	}
	if what == "pairs" {
		return writePairs(d)
	}
	for n := range childWrites {
		if err := writeShared(d, os.Getpid(), n); err != nil {
			return err
		}
	}
	return d.Close()
}

// writePairs has four writers write pairs of rows without end, and says each pair that was acknowledged.
func writePairs(d *DB) error {
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := 0; ; n += 2 {
				err := d.Write(context.Background(), func(tx *Tx) error {
					for i := range 2 {
						if _, err := tx.Exec(`INSERT INTO shared(who, n, s) VALUES(?, ?, ?)`, w, n+i, strings.Repeat("x", 2000)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					fmt.Println("failed", err)
					return
				}
				fmt.Println("pair", w, n)
			}
		})
	}
	wg.Wait()
	return d.Close()
}

func writeShared(d *DB, who, n int) error {
	return d.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO shared(who, n) VALUES(?, ?)`, who, n)
		return err
	})
}

func startChild(t *testing.T, path, what string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), exe)
	c.Env = append(os.Environ(), "POLDER_TEST_CHILD="+path, "POLDER_TEST_CHILD_DOES="+what)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(out)
}

// F22: processes that open, migrate and write the same file at the same time all get through.
func TestF22Processes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.db")
	type run struct {
		c   *exec.Cmd
		out *bufio.Reader
	}
	var children []run
	for range 3 {
		c, out := startChild(t, path, "write")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, run{c, out})
	}
	d := mustOpen(t, path, Options{})
	if err := d.Migrate(t.Context(), "shared", shared); err != nil {
		t.Fatal(err)
	}
	for n := range childWrites {
		if err := writeShared(d, os.Getpid(), n); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range children {
		said, _ := io.ReadAll(r.out)
		if err := r.c.Wait(); err != nil {
			t.Fatalf("a process failed: %v: %s", err, said)
		}
	}
	if n := count(t, d, "shared"); n != 4*childWrites {
		t.Fatalf("%d rows, want %d", n, 4*childWrites)
	}
}

// F22: a second serve on one folder is refused, and gets through when the first has ended, even by a kill.
func TestF22LockDir(t *testing.T) {
	dir := t.TempDir()
	release, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(pid int) {
		t.Helper()
		_, err := LockDir(dir)
		if polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), fmt.Sprintf("in use by another polder (process %d)", pid)) {
			t.Fatalf("a second lock: %v", err)
		}
	}
	refused(os.Getpid())
	release()
	c, out := startChild(t, filepath.Join(dir, "node.db"), "lock")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := out.ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other process said %q", line)
	}
	refused(c.Process.Pid)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	release, err = LockDir(dir)
	if err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	release()
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	noise := filepath.Join(dir, "noise.db")
	if err := os.WriteFile(noise, []byte(strings.Repeat("this is no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, want string }{
		{"a folder", dir, "not a regular file"},
		{"something else", noise, "not a database"},
		{"a folder that is not there", filepath.Join(dir, "no", "node.db"), "no such file"},
	} {
		if runtime.GOOS == "windows" && c.want == "no such file" {
			continue
		}
		d, err := Open(t.Context(), c.path, Options{})
		if err == nil {
			_ = d.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	d := newDB(t, Options{Reserve: 4096, Floor: 1})
	names, err := filepath.Glob(d.Path() + "*")
	if err != nil || len(names) < 4 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, n := range names {
		if info, err := os.Stat(n); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", n, info.Mode(), err)
		}
	}
}

func TestStrangePaths(t *testing.T) {
	for _, name := range []string{"a b.db", "ä?x.db", "100%25.db", "a#b.db", "a&mode=memory.db", "file:x.db"} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, "?:") {
			continue
		}
		path := filepath.Join(t.TempDir(), name)
		d := mustOpen(t, path, Options{})
		mustWrite(t, d, `CREATE TABLE t(n)`)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: the database is not where it should be: %v", name, err)
		}
	}
}

// A clean end leaves one file: the log is emptied into it.
func TestCloseEmptiesTheLog(t *testing.T) {
	d := newDB(t, Options{})
	mustWrite(t, d, `INSERT INTO t VALUES(1, 'x')`)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatalf("a second close: %v", err)
	}
	if info, err := os.Stat(d.Path() + "-wal"); err == nil && info.Size() > 0 {
		t.Fatalf("the log still holds %d bytes", info.Size())
	}
	if err := d.Write(t.Context(), insert(2)); polder.KindOf(err) != polder.Unavailable {
		t.Fatalf("a write after the end: %v", err)
	}
}

// The log is emptied as it grows, and after a reader that kept it from that has gone. What counts is the pages that are
// in it: the file itself stays long when the log begins anew within it.
func TestLogStaysShort(t *testing.T) {
	var clock atomic.Int64
	d := newDB(t, Options{LogPages: 50, Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
	pages := func() (n int) {
		if err := d.Read().QueryRow(`PRAGMA wal_checkpoint(NOOP)`).Scan(new(int), &n, new(int)); err != nil {
			t.Fatal(err)
		}
		return n
	}
	write := func(n int) {
		for range n {
			mustWrite(t, d, `INSERT INTO t(s) VALUES(?)`, strings.Repeat("x", 3000))
		}
	}
	write(500)
	if n := pages(); n > 200 {
		t.Errorf("the log grew to %d pages", n)
	}
	tx, err := d.Read().Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.QueryRow(`SELECT count(*) FROM t`).Scan(new(int)); err != nil {
		t.Fatal(err)
	}
	write(500)
	if n := pages(); n < 500 {
		t.Errorf("a reader did not hold the log: %d pages: the test does not test", n)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	clock.Add(60)
	write(50)
	if n := pages(); n > 200 {
		t.Errorf("the log was not emptied after the reader had gone: %d pages", n)
	}
}

func TestD4Room(t *testing.T) {
	var have int64 = 1 << 40
	var failing error
	o := Options{Floor: 1000, Reserve: 500, Free: func(string) (int64, error) { return have, failing }}
	d := newDB(t, o)
	reserve := d.Path() + ".reserve"
	if info, err := os.Stat(reserve); err != nil || info.Size() != 500 {
		t.Fatalf("no reserve after the start: %v", err)
	}
	for _, c := range []struct {
		why     string
		have    int64
		full    bool
		reserve bool
	}{
		{"below the floor", 999, true, false},
		{"at the floor, too little for the reserve", 1000, false, false},
		{"room for both", 1500, false, true},
	} {
		_ = os.Remove(reserve)
		have = c.have
		err := d.Room()
		if (polder.KindOf(err) == polder.Full) != c.full || err == nil == c.full {
			t.Errorf("%s: %v", c.why, err)
		}
		if _, err := os.Stat(reserve); (err == nil) != c.reserve {
			t.Errorf("%s: reserve: %v", c.why, err)
		}
	}
	failing = errors.New("gone")
	if err := d.Room(); !errors.Is(err, failing) {
		t.Errorf("free space unknown: %v", err)
	}
}

// F5, D4: a start on a full disk gives up the reserve and goes on; shares are refused until there is room.
func TestF5Start(t *testing.T) {
	dir := smallDisk(t, "4m")
	path := filepath.Join(dir, "node.db")
	o := Options{Reserve: 1 << 20, Floor: 256 << 10}
	d := mustOpen(t, path, o)
	mustWrite(t, d, `CREATE TABLE t(n INTEGER PRIMARY KEY, s TEXT) STRICT`)
	if err := d.Room(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	if err := fillFile(filler, 16<<20); err == nil {
		t.Fatal("the disk is not full")
	}
	d = mustOpen(t, path, o)
	if _, err := os.Stat(reservePath(path)); err == nil {
		t.Error("it started without the reserve: the test does not test")
	}
	mustWrite(t, d, `INSERT INTO t VALUES(1, 'x')`)
	var err error
	for n := 0; err == nil && n < 10000; n++ {
		err = d.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(`INSERT INTO t(s) VALUES(?)`, strings.Repeat("x", 20000))
			return err
		})
	}
	if polder.KindOf(err) != polder.Full || d.Err() != nil {
		t.Fatalf("the full disk was answered with %v; the database says %v", err, d.Err())
	}
	if err := d.Room(); polder.KindOf(err) != polder.Full {
		t.Fatalf("room: %v", err)
	}
	before := count(t, d, "t")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, d, `INSERT INTO t(s) VALUES('room again')`)
	if n := count(t, d, "t"); n != before+1 {
		t.Fatalf("%d rows, want %d", n, before+1)
	}
}

// smallDisk mounts a file system of its own, where that is allowed.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("a small disk needs root on Linux")
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "polder-test", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be mounted here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v %s", err, out)
		}
	})
	return dir
}

// The file's locks survive somebody in this process who opens and closes the file.
func TestLocksBelongToTheFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has locks of open files")
	}
	newDB(t, Options{})
	if on, err := sqlite.OFDLocking(true); err != nil || !on {
		t.Fatalf("locks of open files are not in use: %v, %v", on, err)
	}
	if !sqlite.StrictPragmasEnabled() {
		t.Fatal("a setting may hold more than one statement")
	}
}

// The translated C library must be exactly the version that the translated SQLite was made with.
func TestLibcIsTheOneThatSQLiteAsksFor(t *testing.T) {
	list := func(what, module string) string {
		out, err := exec.Command("go", "list", "-m", "-f", what, module).Output()
		if err != nil {
			t.Skipf("the go command is not at hand: %v", err)
		}
		return strings.TrimSpace(string(out))
	}
	text, err := os.ReadFile(list("{{.GoMod}}", "modernc.org/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\s*(?:require\s+)?modernc\.org/libc (\S+)`).FindSubmatch(text)
	if have := list("{{.Version}}", "modernc.org/libc"); m == nil || string(m[1]) != have {
		t.Fatalf("modernc.org/sqlite asks for libc %s, this program has %s", m[1], have)
	}
}
