package journal

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// TestScan: a rebuildable reader gets every row once and in order, whomever it reaches, in pieces of any size; the scope
// of each is one of exactly those who may see it; and a damaged row is passed over and named.
func TestScan(t *testing.T) {
	ctx := context.Background()
	j, d := must(t, t.TempDir())
	defer end(t, j, d)
	open := appended(t, j, d, 0, 5, polder.Everyone())
	closed := appended(t, j, d, 5, 5, polder.Only("x"))
	ok(t, d.Write(ctx, func(tx *db.Tx) error { return j.Remove(tx, []polder.Seq{open[1].Seq}, closed[0].Seq) }))
	var want []polder.Seq
	for _, r := range slices.Concat(open, closed) {
		want = append(want, r.Seq)
	}
	read := func(limit int) (got []Scanned) {
		for cursor := polder.Seq(0); ; {
			batch, next, err := j.Scan(ctx, cursor, limit)
			ok(t, err)
			if got = append(got, batch...); next == cursor {
				return got
			}
			cursor = next
		}
	}
	for _, limit := range []int{1, 3, 100} {
		var seqs []polder.Seq
		for _, r := range read(limit) {
			seqs = append(seqs, r.Seq)
			for _, org := range []string{"x", "y"} {
				if in := slices.Contains(j.Scopes(all(org)), r.Scope); in != all(org).Allows(r.Community, r.Reached) {
					t.Errorf("limit %d: %s has the scope of %s: %v", limit, org, r.ID, in)
				}
			}
		}
		if !slices.Equal(seqs, want) {
			t.Errorf("limit %d: got %v, want %v", limit, seqs, want)
		}
	}
	taken, err := j.TakenBy(ctx, Delivery{ID: open[1].ID, Community: ring, Seq: closed[0].Seq})
	if ok(t, err); !slices.Equal(taken, []polder.Seq{open[1].Seq}) {
		t.Errorf("taken: %v, want %v", taken, open[1].Seq)
	}
	ok(t, d.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE body SET raw = x'7b7d' WHERE id = (SELECT body FROM delivery WHERE seq = ?)`, int64(open[2].Seq))
		return err
	}))
	if got := read(2); len(got) != len(want)-1 || len(j.Damage()) != 1 {
		t.Errorf("with a damaged row: %d rows, damage %v", len(got), fmt.Sprint(j.Damage()))
	}
}
