package db

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/polder-exchange/polder"
)

// newDB opens a database in a fresh folder, with a table t(n INTEGER PRIMARY KEY, s TEXT).
func newDB(t testing.TB, o Options) *DB {
	t.Helper()
	d := mustOpen(t, filepath.Join(t.TempDir(), "node.db"), o)
	mustWrite(t, d, `CREATE TABLE t(n INTEGER PRIMARY KEY, s TEXT) STRICT`)
	return d
}

func mustOpen(t testing.TB, path string, o Options) *DB {
	t.Helper()
	d, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func mustWrite(t testing.TB, d *DB, query string, args ...any) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, d *DB, table string) (n int) {
	t.Helper()
	if err := d.Read().QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func insert(n int) func(*Tx) error {
	return func(tx *Tx) error { _, err := tx.Exec(`INSERT INTO t VALUES(?, 'x')`, n); return err }
}

func TestWriteIsThereForReaders(t *testing.T) {
	d := newDB(t, Options{})
	for i := range 10 {
		if err := d.Write(t.Context(), insert(i)); err != nil {
			t.Fatal(err)
		}
		if got := count(t, d, "t"); got != i+1 {
			t.Fatalf("after write %d a reader counts %d", i, got)
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	d := newDB(t, Options{})
	if _, err := d.Read().Exec(`INSERT INTO t VALUES(1, 'x')`); err == nil {
		t.Fatal("a reader wrote")
	}
}

// block holds the writer until release is called, so that later writes wait together.
func block(t *testing.T, d *DB) (release func()) {
	t.Helper()
	in, out, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = d.Write(context.Background(), func(*Tx) error { close(in); <-out; return nil })
	}()
	<-in
	return func() { close(out); <-ended }
}

func TestWaitingWritesStandAlone(t *testing.T) {
	d := newDB(t, Options{})
	boom := errors.New("boom")
	release := block(t, d)
	const n = 20
	got := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got[i] = d.Write(context.Background(), func(tx *Tx) error {
				if err := insert(i)(tx); err != nil {
					return err
				}
				switch i % 4 {
				case 1:
					return boom
				case 2:
					panic("bang")
				case 3:
					return insert(i)(tx) // the same key again
				}
				return nil
			})
		}()
	}
	for len(d.queue) < n {
		runtime.Gosched()
	}
	release()
	wg.Wait()
	for i, err := range got {
		var ok bool
		switch i % 4 {
		case 0:
			ok = err == nil
		case 1:
			ok = err == boom
		case 2:
			ok = err != nil && strings.Contains(err.Error(), "bang")
		case 3:
			ok = Unique(err)
		}
		if !ok {
			t.Errorf("write %d was answered %v", i, err)
		}
	}
	if c := count(t, d, "t"); c != n/4 {
		t.Fatalf("%d rows, want the %d of the writes that went well", c, n/4)
	}
}

func TestOnCommitOrder(t *testing.T) {
	d := newDB(t, Options{})
	release := block(t, d)
	var seen []int // touched by the writer's goroutine alone until all are answered
	var order []int
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_ = d.Write(context.Background(), func(tx *Tx) error {
				order = append(order, i)
				tx.OnCommit(func() { seen = append(seen, i) })
				if i == 5 {
					return errors.New("no")
				}
				return insert(i)(tx)
			})
		}()
	}
	for len(d.queue) < 10 {
		runtime.Gosched()
	}
	release()
	wg.Wait()
	var want []int
	for _, i := range order {
		if i != 5 {
			want = append(want, i)
		}
	}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Fatalf("callbacks ran as %v, commits as %v", seen, want)
	}
}

func TestF18Migrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "node.db")
	d := mustOpen(t, path, Options{})
	old := fstest.MapFS{"001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a(n INTEGER);\n")}}
	newer := fstest.MapFS{"001_a.sql": old["001_a.sql"], "002_b.sql": {Data: []byte("-- +goose Up\nALTER TABLE a ADD COLUMN s TEXT;\n")}}
	for _, step := range []fstest.MapFS{old, old, newer} {
		if err := d.Migrate(t.Context(), "thing", step); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Migrate(t.Context(), "other", old); err == nil {
		t.Fatal("a second capability made the same table")
	}
	// F18: an older program meets newer tables.
	err := d.Migrate(t.Context(), "thing", old)
	if polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), "newer polder") {
		t.Fatalf("older migrations on a newer database: %v", err)
	}
}
