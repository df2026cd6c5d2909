package ledger

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// copied replaces the rows of a table by those of another database.
func copied(t testing.TB, to, from *db.DB, table string) {
	t.Helper()
	rows, err := from.Read().QueryContext(ctx, `SELECT * FROM `+table)
	ok(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	ok(t, err)
	ok(t, to.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`DELETE FROM ` + table); err != nil {
			return err
		}
		for rows.Next() {
			values, places := make([]any, len(names)), make([]any, len(names))
			for i := range values {
				places[i] = &values[i]
			}
			if err := rows.Scan(places...); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO `+table+` VALUES (?`+strings.Repeat(", ?", len(names)-1)+`)`, values...); err != nil {
				return err
			}
		}
		return rows.Err()
	}))
}

// rewritten gives x the journal of another story, with hashes, chain and head that fit: what an administrator with a text
// editor and patience can do.
func (x *site) rewritten(other *site) {
	x.t.Helper()
	x.close()
	d, err := db.Open(ctx, filepath.Join(x.dir, "polder.db"), db.Options{})
	ok(x.t, err)
	for _, table := range []string{"delivery", "body", "scope"} {
		copied(x.t, d, other.db, table)
	}
	ok(x.t, d.Close())
	other.close()
	head, err := os.ReadFile(filepath.Join(other.dir, "head"))
	ok(x.t, err)
	ok(x.t, os.WriteFile(filepath.Join(x.dir, "head"), head, 0o600))
	x.open()
}

// TestS25Log: an administrator rewrites history in SQL so that the journal itself shows nothing. The log does: the first
// wrong delivery is named, nothing more is signed; and where he forgets all that was signed, the members have not.
func TestS25Log(t *testing.T) {
	for name, hide := range map[string]func(t *testing.T, hub *site){
		"leaves are there": func(*testing.T, *site) {},
		"leaves are gone":  func(t *testing.T, hub *site) { hub.close(); ok(t, os.Remove(filepath.Join(hub.dir, File))); hub.open() },
	} {
		t.Run(name, func(t *testing.T) {
			hub, other, a, _ := forked(t)
			ok(t, a.syncs(hub))
			wrong := firstOther(t, hub, other)
			hub.rewritten(other)
			hide(t, hub)
			if n, err := hub.VerifyOwn(ctx, nil); polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), wrong) && name == "leaves are there" {
				t.Fatalf("verified %d deliveries: %v; the first wrong one is %s", n, err, wrong)
			}
			if name == "leaves are there" {
				return
			}
			before, err := hub.logOf(ctx, hub.origin)
			ok(t, err)
			if err := hub.Build(ctx); polder.KindOf(err) != polder.Unavailable {
				t.Fatalf("signed over a changed journal: %v", err)
			}
			after, err := hub.logOf(ctx, hub.origin)
			ok(t, err)
			if after.Size != before.Size || hub.kinds()[0] != Changed {
				t.Fatalf("size %d after %d, evidence %v", after.Size, before.Size, hub.kinds())
			}
			ok(t, hub.db.Write(ctx, func(tx *db.Tx) error {
				for _, q := range []string{`DELETE FROM ledger_log`, `DELETE FROM ledger_checkpoint`, `DELETE FROM ledger_evidence`} {
					if _, err := tx.Exec(q); err != nil {
						return err
					}
				}
				return nil
			}))
			hub.restart()
			ok(t, hub.Build(ctx))
			caughtAs(t, a, a.syncs(hub), Forked)
		})
	}
}

// firstOther is the number of the first delivery of the second journal that the first one lacks.
func firstOther(t *testing.T, hub, other *site) string {
	t.Helper()
	for at := polder.Seq(0); ; {
		one, err := hub.j.Headers(ctx, at, 1)
		ok(t, err)
		two, err := other.j.Headers(ctx, at, 1)
		ok(t, err)
		if one[0].Seq != two[0].Seq || one[0].Digest != two[0].Digest {
			return two[0].Seq.String()
		}
		at = one[0].Seq
	}
}

// TestS25Row: a row that was changed by hand, without its hash, stops the log and is named.
func TestS25Row(t *testing.T) {
	land := newLand(t)
	hub := land.site(t.TempDir())
	rows := hub.shares(0, 12)
	ok(t, hub.Build(ctx))
	if n, err := hub.VerifyOwn(ctx, nil); err != nil || n != 12 {
		t.Fatalf("a sound journal: %d, %v", n, err)
	}
	ok(t, hub.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE delivery SET level = 1 WHERE seq = ?`, int64(rows[7].Seq))
		return err
	}))
	_, err := hub.VerifyOwn(ctx, nil)
	if err == nil || !strings.Contains(err.Error(), rows[6].Seq.String()) {
		t.Fatalf("the delivery after %s was changed: %v", rows[6].Seq, err)
	}
	var n int
	ok(t, hub.trees.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM leaf`).Scan(&n))
	if n != 12 {
		t.Fatalf("%d leaves are kept", n)
	}
}
