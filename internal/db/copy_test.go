package db

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
)

// F19: a copy made under four writers is whole, and holds all that was acknowledged before it began.
func TestF19Copy(t *testing.T) {
	d := newDB(t, Options{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{}, 4)
	for w := range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for n := 0; ctx.Err() == nil; n++ {
				_ = d.Write(ctx, func(tx *Tx) error {
					for i := range 2 {
						if _, err := tx.Exec(`INSERT INTO t VALUES(?, ?)`, w*1_000_000+2*n+i, strings.Repeat("x", 500)); err != nil {
							return err
						}
					}
					return nil
				})
			}
		}()
	}
	for i := range 5 {
		mustWrite(t, d, `INSERT INTO t VALUES(?, 'before')`, 10_000_000+i)
		before := count(t, d, "t")
		path := filepath.Join(t.TempDir(), "copy.db")
		if err := d.CopyTo(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if err := Inspect(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		c := mustOpen(t, path, Options{})
		if n := count(t, c, "t"); n < before {
			t.Fatalf("the copy has %d rows, %d were there before it began", n, before)
		}
		var half int
		if err := c.Read().QueryRow(`SELECT count(*) FROM (SELECT 1 FROM t WHERE n < 10000000 GROUP BY n / 2 HAVING count(*) <> 2)`).Scan(&half); err != nil || half != 0 {
			t.Fatalf("%d writes by half, %v", half, err)
		}
	}
	stop()
	for range 4 {
		<-done
	}
	if err := d.CopyTo(t.Context(), d.Path()); err == nil {
		t.Fatal("it was copied over itself")
	}
}

// S48: files made to harm are refused by what they hold.
func TestS48Inspect(t *testing.T) {
	for _, c := range []struct{ name, sql, want string }{
		{"a plain table", `CREATE TABLE a(n CHECK (n > 0)); CREATE INDEX b ON a(n)`, ""},
		{"a view", `CREATE TABLE a(n); CREATE VIEW v AS SELECT load_extension('x') FROM a`, `view "v"`},
		{"a trigger", `CREATE TABLE a(n); CREATE TRIGGER g AFTER INSERT ON a BEGIN DELETE FROM a; END`, `trigger "g"`},
		{"a virtual table", `CREATE VIRTUAL TABLE f USING fts5(x)`, `table "f"`},
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		plain, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plain.Exec(c.sql); err != nil {
			t.Fatal(err)
		}
		if err := plain.Close(); err != nil {
			t.Fatal(err)
		}
		err = Inspect(t.Context(), path)
		if c.want == "" && err != nil || c.want != "" && (polder.KindOf(err) != polder.Invalid || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// F7: cut short or overwritten anywhere, a file is refused, or what can be read of it is what was written.
func TestF7Inspect(t *testing.T) {
	d := newDB(t, Options{})
	for i := range 200 {
		mustWrite(t, d, `INSERT INTO t VALUES(?, ?)`, i, fmt.Sprint(i, strings.Repeat("y", 300)))
	}
	good := filepath.Join(t.TempDir(), "good.db")
	if err := d.CopyTo(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	zeros := func(from, to int) []byte {
		b := bytes.Clone(whole)
		clear(b[from:to])
		return b
	}
	for name, data := range map[string][]byte{
		"cut by a page": whole[:len(whole)-4096], "cut in half": whole[:len(whole)/2], "no header": zeros(0, 100), "a page of zeros": zeros(4096, 8192),
		"the last page of zeros": zeros(len(whole)-4096, len(whole)), "noise": bytes.Repeat([]byte("noise"), 5000),
	} {
		path := filepath.Join(t.TempDir(), "bad.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Inspect(t.Context(), path); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
