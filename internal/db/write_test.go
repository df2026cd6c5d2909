package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
)

func TestSettings(t *testing.T) {
	d := newDB(t, Options{})
	for _, c := range []struct {
		why, pragma, writer, reader string
	}{
		{"readers and the writer do not wait for each other", "journal_mode", "wal", "wal"},
		{"every commit is synced", "synchronous", "2", ""},
		{"references hold", "foreign_keys", "1", "1"},
		{"another process is waited for", "busy_timeout", "10000", "10000"},
		{"the schema is not trusted", "trusted_schema", "0", "0"},
		{"a reader cannot write", "query_only", "0", "1"},
		{"a failing disk is an error and not the death of the process", "mmap_size", "0", "0"},
		{"an error while the log is emptied is seen", "wal_autocheckpoint", "0", ""},
		{"nothing is spilled to files elsewhere", "temp_store", "2", "2"},
	} {
		ask := func(row *sql.Row) (got string) {
			if err := row.Scan(&got); err != nil {
				t.Fatalf("%s: %v", c.pragma, err)
			}
			return got
		}
		if got := ask(d.pin.QueryRowContext(t.Context(), `PRAGMA `+c.pragma)); got != c.writer {
			t.Errorf("%s: the writer's %s is %s, want %s", c.why, c.pragma, got, c.writer)
		}
		if c.reader == "" {
			continue
		}
		if got := ask(d.reader.QueryRowContext(t.Context(), `PRAGMA `+c.pragma)); got != c.reader {
			t.Errorf("%s: a reader's %s is %s, want %s", c.why, c.pragma, got, c.reader)
		}
	}
	if _, err := d.pin.ExecContext(t.Context(), `SELECT "no such column" FROM t`); err == nil {
		t.Error("a misspelt column in double quotes became a text")
	}
	_, _ = d.pin.ExecContext(t.Context(), `PRAGMA writable_schema = ON`)
	if _, err := d.pin.ExecContext(t.Context(), `UPDATE sqlite_schema SET sql = ''`); err == nil {
		t.Error("the schema was edited by hand: the connection is not defensive")
	}
}

func TestWriteWaitsForTheWriterWithinBounds(t *testing.T) {
	d := newDB(t, Options{Queue: 3, Patience: 50 * time.Millisecond})
	release := block(t, d)
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() { errs[i] = d.Write(context.Background(), insert(i)) })
	}
	for len(d.queue) < 3 {
		runtime.Gosched()
	}
	if err := d.Write(t.Context(), insert(9)); polder.KindOf(err) != polder.Unavailable || !strings.Contains(err.Error(), "3 writes wait") {
		t.Errorf("a full queue answers %v", err)
	}
	wg.Wait()
	for i, err := range errs {
		if polder.KindOf(err) != polder.Unavailable || !strings.Contains(err.Error(), "not begun") {
			t.Errorf("write %d, which waited too long, was answered %v", i, err)
		}
	}
	release()
	for len(d.queue) > 0 {
		runtime.Gosched()
	}
	if err := d.Write(t.Context(), insert(10)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, d, "t"); n != 1 {
		t.Fatalf("%d rows: a write that was refused ran all the same", n)
	}
}

func TestCancelledBeforeItBeganNeverRuns(t *testing.T) {
	d := newDB(t, Options{})
	release := block(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.Write(ctx, insert(1)) }()
	for len(d.queue) < 1 {
		runtime.Gosched()
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("answered %v", err)
	}
	release()
	mustWrite(t, d, `INSERT INTO t VALUES(2, 'x')`)
	if n := count(t, d, "t"); n != 1 {
		t.Fatalf("%d rows, want only the later one", n)
	}
	if err := d.Write(ctx, insert(3)); !errors.Is(err, context.Canceled) {
		t.Fatalf("with a dead context: %v", err)
	}
}

func TestCancelledAfterItBeganIsCarriedThrough(t *testing.T) {
	d := newDB(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Write(ctx, func(tx *Tx) error {
		cancel()
		if tx.Context().Err() != nil {
			return errors.New("the write's context ended")
		}
		return insert(1)(tx)
	})
	if err != nil || count(t, d, "t") != 1 {
		t.Fatalf("answered %v, %d rows", err, count(t, d, "t"))
	}
}

func TestWhatAWriteMayNotDo(t *testing.T) {
	d := newDB(t, Options{})
	var kept *Tx
	for _, c := range []struct {
		name string
		fn   func(*Tx) error
		want string
	}{
		{"commit by hand", func(tx *Tx) error { _, err := tx.Exec("  commit"); return err }, "may not use COMMIT"},
		{"roll back by hand", func(tx *Tx) error { _, err := tx.Query("ROLLBACK"); return err }, "may not use ROLLBACK"},
		{"attach a file", func(tx *Tx) error { return tx.QueryRow("ATTACH 'x' AS y").Scan() }, "context canceled"},
		{"change the connection", func(tx *Tx) error { _, err := tx.Exec(";PRAGMA foreign_keys=0"); return err }, "may not use PRAGMA"},
		{"write within a write", func(tx *Tx) error { return d.Write(tx.Context(), insert(1)) }, "may not begin another"},
		{"hand over a time", func(tx *Tx) error { _, err := tx.Exec(`INSERT INTO t VALUES(1, ?)`, time.Now()); return err }, "stored as a number"},
	} {
		err := d.Write(t.Context(), func(tx *Tx) error { kept = tx; return c.fn(tx) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: answered %v", c.name, err)
		}
	}
	if _, err := kept.Exec(`INSERT INTO t VALUES(7, '')`); err == nil || !strings.Contains(err.Error(), "over") {
		t.Errorf("a statement after the end: %v", err)
	}
	mustWrite(t, d, `INSERT INTO t VALUES(1, 'it goes on')`)
	if n := count(t, d, "t"); n != 1 {
		t.Fatalf("%d rows", n)
	}
}

// A write that goes on after an error that ended the transaction must not write outside of it.
func TestNothingIsWrittenAfterATransactionBroke(t *testing.T) {
	d := newDB(t, Options{})
	var pages int
	if err := d.pin.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	// F5 on the driver of a node: the file may not grow, as on a full disk.
	for _, err := range []error{d.exec(fmt.Sprint(`PRAGMA max_page_count = `, pages+20)), d.exec(`PRAGMA cache_size = 10`)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	release := block(t, d)
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() {
			errs[i] = d.Write(context.Background(), func(tx *Tx) error {
				if err := insert(i)(tx); err != nil || i != 1 {
					return err
				}
				for n := 100; n < 1000; n++ {
					_, _ = tx.Exec(`INSERT INTO t VALUES(?, ?)`, n, strings.Repeat("x", 4000)) // errors are overlooked
				}
				return nil
			})
		})
		for len(d.queue) < i+1 {
			runtime.Gosched()
		}
	}
	release()
	wg.Wait()
	if polder.KindOf(errs[0]) != polder.Full || polder.KindOf(errs[1]) != polder.Full || errs[2] != nil {
		t.Fatalf("answered %v", errs)
	}
	if n := count(t, d, "t"); n != 1 {
		t.Fatalf("%d rows: a write that was refused left something", n)
	}
	if d.Err() != nil {
		t.Fatal(d.Err())
	}
}

// A write that ends its goroutine (t.Fatal inside of one does) ends the database, and nobody waits for ever.
func TestGoexitInAWrite(t *testing.T) {
	d := newDB(t, Options{})
	err := d.Write(t.Context(), func(*Tx) error { runtime.Goexit(); return nil })
	if polder.KindOf(err) != polder.Unavailable || d.Err() == nil {
		t.Fatalf("answered %v, the database says %v", err, d.Err())
	}
	if err := d.Write(t.Context(), insert(1)); polder.KindOf(err) != polder.Unavailable {
		t.Fatalf("a later write was answered %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPanicAfterACommit(t *testing.T) {
	d := newDB(t, Options{})
	err := d.Write(t.Context(), func(tx *Tx) error { tx.OnCommit(func() { panic("x") }); return insert(1)(tx) })
	if err != nil || count(t, d, "t") != 1 {
		t.Fatalf("answered %v", err)
	}
}

func TestStatementsOfOneTextMayNest(t *testing.T) {
	d := newDB(t, Options{})
	for i := range 5 {
		mustWrite(t, d, `INSERT INTO t VALUES(?, 'x')`, i)
	}
	err := d.Write(t.Context(), func(tx *Tx) error {
		pairs := 0
		outer, err := tx.Query(`SELECT n FROM t ORDER BY n`)
		if err != nil {
			return err
		}
		for outer.Next() {
			inner, err := tx.Query(`SELECT n FROM t ORDER BY n`)
			if err != nil {
				return err
			}
			for inner.Next() {
				pairs++
			}
			if err := errors.Join(inner.Err(), inner.Close()); err != nil {
				return err
			}
		}
		if pairs != 25 {
			return fmt.Errorf("%d pairs", pairs)
		}
		_, _ = tx.Query(`SELECT n FROM t`) // left open
		tx.QueryRow(`SELECT n FROM t`)     // never read
		return outer.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, d, `DROP TABLE t`) // fails while rows of it are open
}

func TestKeptStatementsAreBounded(t *testing.T) {
	d := newDB(t, Options{})
	for i := range 3 * keptStatements {
		if err := d.Write(t.Context(), func(tx *Tx) error {
			var n int
			return tx.QueryRow(fmt.Sprintf(`SELECT %d FROM sqlite_schema`, i)).Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if n := d.raw.used.Len(); n > keptStatements || n != len(d.raw.kept) || n < keptStatements/2 {
		t.Fatalf("%d statements are kept, %d by text", n, len(d.raw.kept))
	}
}

// A kept statement follows a change of the tables.
func TestKeptStatementsSeeNewColumns(t *testing.T) {
	d := newDB(t, Options{Readers: 1})
	mustWrite(t, d, `INSERT INTO t VALUES(1, 'x')`)
	columns := func() int {
		rows, err := d.Read().Query(`SELECT * FROM t`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
		}
		return len(names)
	}
	if n := columns(); n != 2 {
		t.Fatal(n)
	}
	mustWrite(t, d, `ALTER TABLE t ADD COLUMN more TEXT`)
	columns()
	if n := columns(); n != 3 {
		t.Fatalf("%d columns after one was added", n)
	}
}

// F12: numbers given outside the order of commits lose rows for a reader with a cursor; numbers given inside the
// transaction lose none. The first half is the control that shows that the test bites.
func TestF12Order(t *testing.T) {
	d := newDB(t, Options{})
	number := func(inside bool, last *atomic.Int64) func() error {
		return func() error {
			before := last.Add(1)
			if before%16 == 0 {
				time.Sleep(time.Millisecond) // between taking a number and committing it others commit
			}
			return d.Write(context.Background(), func(tx *Tx) error {
				n := before
				if inside {
					if err := tx.QueryRow(`SELECT coalesce(max(n), 0) + 1 FROM t`).Scan(&n); err != nil {
						return err
					}
				}
				_, err := tx.Exec(`INSERT INTO t VALUES(?, 'x')`, n)
				return err
			})
		}
	}
	for _, c := range []struct {
		name   string
		inside bool
	}{{"numbers taken before the write", false}, {"numbers taken inside the write", true}} {
		mustWrite(t, d, `DELETE FROM t`)
		lost := cursorLoses(t, d, 800, number(c.inside, new(atomic.Int64)))
		t.Logf("%s: a reader with a cursor lost %d of 800", c.name, lost)
		if c.inside && lost != 0 || !c.inside && lost == 0 {
			t.Errorf("%s: a reader with a cursor lost %d of 800", c.name, lost)
		}
	}
}

// cursorLoses lets four writers write n rows while a reader follows with a cursor, and returns how many it never got.
func cursorLoses(t *testing.T, d *DB, n int, write func() error) int {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range n / 4 {
				if err := write(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	got, cursor := 0, 0
	follow := func() {
		rows, err := d.Read().Query(`SELECT n FROM t WHERE n > ? ORDER BY n`, cursor)
		if err != nil {
			t.Error(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&cursor); err != nil {
				t.Error(err)
			}
			got++
		}
	}
	for {
		select {
		case <-done:
			follow()
			return n - got
		default:
			follow()
			time.Sleep(200 * time.Microsecond)
		}
	}
}

// Queries whose context ends leave nothing behind that keeps the log from being emptied.
func TestCancelledQueries(t *testing.T) {
	d := newDB(t, Options{})
	mustWrite(t, d, `INSERT INTO t SELECT value, 'x' FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c LIMIT 20000) SELECT value FROM c)`)
	cancelled := 0
	for i := range 1000 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%50)*10*time.Microsecond)
		rows, err := d.Read().QueryContext(ctx, `SELECT count(*) FROM t a JOIN t b ON a.n = b.n + ?`, i)
		if err == nil {
			for rows.Next() {
			}
			err = errors.Join(rows.Err(), rows.Close())
		}
		if err != nil {
			cancelled++
		}
		cancel()
		if i%100 == 0 {
			mustWrite(t, d, `UPDATE t SET s = 'y' WHERE n = ?`, i+1)
		}
	}
	if cancelled < 500 {
		t.Fatalf("only %d of 1000 queries were cut off: the test does not test", cancelled)
	}
	var busy, pages, copied int
	if err := d.pin.QueryRowContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &copied); err != nil || busy != 0 || pages != 0 {
		t.Fatalf("busy %d, %d pages of the log left, %v", busy, pages, err)
	}
	if err := d.Err(); err != nil {
		t.Fatalf("a cut-off query ended the database: %v", err)
	}
}
