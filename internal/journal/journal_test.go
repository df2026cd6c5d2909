package journal

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/db/crashdisk"
	"github.com/polder-exchange/polder/stix"
)

const ring = polder.CommunityID("8c39ae5c-0a8a-4c0a-9a58-2c0d3a1f8f11")

// TestMain lets rapid try fewer cases in a short run: each step here writes to the disk.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		_ = flag.Set("rapid.checks", "15") // the flag is rapid's own
	}
	os.Exit(m.Run())
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// opened is a journal in a folder, and its database.
func opened(t testing.TB, dir string, now func() time.Time) (*Journal, *db.DB, error) {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, filepath.Join(dir, "polder.db"), db.Options{})
	ok(t, err)
	ok(t, Migrate(ctx, d))
	n := int64(0)
	j, err := Open(ctx, d, Options{Now: now, Step: func() int64 { n = n%16 + 1; return n }, Head: filepath.Join(dir, "head")})
	if err != nil {
		d.Close()
	}
	return j, d, err
}

func must(t testing.TB, dir string) (*Journal, *db.DB) {
	t.Helper()
	j, d, err := opened(t, dir, time.Now)
	ok(t, err)
	return j, d
}

func end(t testing.TB, j *Journal, d *db.DB) {
	t.Helper()
	ok(t, j.Close())
	ok(t, d.Close())
}

func delivery(n int, to polder.Audience) Delivery {
	id := fmt.Sprintf("indicator--00000000-0000-4000-8000-%012d", n)
	return Delivery{Community: ring, ID: id, Version: "2026-01-01T00:00:00.000", Sharer: "identity--a", Custodian: "identity--a", Level: stix.Amber,
		Nominal: to, Reached: to, Last: to, Raw: fmt.Appendf(nil, `{"type":"indicator","id":%q,"n":%d}`, id, n)}
}

func appended(t testing.TB, j *Journal, d *db.DB, from, n int, to polder.Audience) []Delivery {
	t.Helper()
	var batch, out []Delivery
	for i := range n {
		batch = append(batch, delivery(from+i, to))
	}
	ok(t, d.Write(context.Background(), func(tx *db.Tx) (err error) { out, err = j.Append(tx, batch); return err }))
	return out
}

func all(org string) polder.Sight {
	return polder.Sight{Org: polder.OrgID(org), Communities: []polder.CommunityID{ring}}
}

// TestNumbersRise (X11, F8): whatever the clock does, numbers strictly rise and stay below 2^53.
func TestNumbersRise(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	j, d, err := opened(t, dir, func() time.Time { return now })
	ok(t, err)
	defer func() { end(t, j, d) }()
	last, n := polder.Seq(0), 0
	rapid.Check(t, func(rt *rapid.T) {
		jump := rapid.SampledFrom([]time.Duration{0, time.Microsecond, -24 * time.Hour, 24 * time.Hour, -87600 * time.Hour, time.Second}).Draw(rt, "jump")
		now = now.Add(jump)
		for _, got := range appended(t, j, d, n, 3, polder.Everyone()) {
			if got.Seq <= last || got.Seq >= 1<<53 {
				rt.Fatalf("%d after %d", got.Seq, last)
			}
			last = got.Seq
			n++
		}
	})
}

// TestPagesMerge: a reader with many scopes gets exactly what it may see, in order, whatever the page size.
func TestPagesMerge(t *testing.T) {
	dir := t.TempDir()
	j, d := must(t, dir)
	defer end(t, j, d)
	rapid.Check(t, func(rt *rapid.T) {
		base := int(j.Top()) % 1_000_000_000
		from := j.Top()
		var want []polder.Seq
		for i := range rapid.IntRange(1, 30).Draw(rt, "n") {
			to := rapid.SampledFrom([]polder.Audience{polder.Everyone(), polder.Only("x"), polder.Only("x", "y"), polder.Only("y"), polder.AllBut("x"), polder.AllBut("y"), {}}).Draw(rt, "to")
			for _, got := range appended(t, j, d, base+i, 1, to) {
				if to.Contains("x") {
					want = append(want, got.Seq)
				}
			}
		}
		limit := rapid.IntRange(1, 7).Draw(rt, "limit")
		var got []polder.Seq
		for more := true; more; {
			page, err := j.Page(context.Background(), all("x"), Query{After: from, Limit: limit})
			ok(t, err)
			if len(page.Deliveries) < limit && page.More {
				rt.Fatal("a short page that is not the last")
			}
			for _, p := range page.Deliveries {
				got, from = append(got, p.Seq), p.Seq
			}
			more = page.More
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			rt.Fatalf("got %v, want %v", got, want)
		}
	})
}

// TestD1CutShort (D1, F21): a log that lost its end, its head file or its write-ahead log is not served.
func TestD1CutShort(t *testing.T) {
	for _, c := range []struct {
		name, why string
		harm      func(t *testing.T, dir string)
		want      string
	}{
		{"older database", "yesterday's file under today's head", func(t *testing.T, dir string) {
			ok(t, os.Rename(filepath.Join(dir, "older.db"), filepath.Join(dir, "polder.db")))
		}, "cut short"},
		{"no head", "cp of the .db alone", func(t *testing.T, dir string) { ok(t, os.Remove(filepath.Join(dir, "head"))) }, "head file is missing"},
		{"broken head", "both slots are noise", func(t *testing.T, dir string) {
			ok(t, os.WriteFile(filepath.Join(dir, "head"), make([]byte, 512), 0o600))
		}, "head file is missing or damaged"},
		{"changed row", "SQL by hand", func(t *testing.T, dir string) {
			edit(t, dir, `UPDATE delivery SET level = 1 WHERE seq = (SELECT max(seq) FROM delivery)`)
		}, "differs"},
		{"removed row", "SQL by hand", func(t *testing.T, dir string) {
			edit(t, dir, `DELETE FROM delivery WHERE seq = (SELECT min(seq) FROM delivery)`)
		}, "changed, taken out or put in"},
		{"changed body", "SQL by hand", func(t *testing.T, dir string) { edit(t, dir, `UPDATE body SET raw = x'7b7d' WHERE id = 3`) }, "differs from its hash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			j, d := must(t, dir)
			appended(t, j, d, 0, 20, polder.Everyone())
			end(t, j, d)
			copyFile(t, filepath.Join(dir, "polder.db"), filepath.Join(dir, "older.db"))
			j, d = must(t, dir)
			appended(t, j, d, 100, 20, polder.Everyone())
			end(t, j, d)
			c.harm(t, dir)
			j, d, err := opened(t, dir, time.Now)
			if err == nil {
				end(t, j, d)
				t.Fatalf("%s: opened as if nothing had happened", c.why)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%s: %v; want %q", c.why, err, c.want)
			}
		})
	}
}

func edit(t *testing.T, dir, query string) {
	t.Helper()
	d, err := db.Open(context.Background(), filepath.Join(dir, "polder.db"), db.Options{})
	ok(t, err)
	ok(t, d.Write(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(query); return err }))
	ok(t, d.Close())
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	ok(t, err)
	ok(t, os.WriteFile(to, b, 0o600))
}

// TestD1FlippedBit (D1, F7): a row that is damaged while the node runs is refused when it is read, named, and never served.
func TestD1FlippedBit(t *testing.T) {
	dir := t.TempDir()
	j, d := must(t, dir)
	defer end(t, j, d)
	got := appended(t, j, d, 0, 10, polder.Everyone())
	for _, query := range []string{
		`UPDATE body SET raw = x'7b7d' WHERE id = 4`,
		`UPDATE delivery SET reached = nominal + 1 WHERE seq = ` + fmt.Sprint(int64(got[7].Seq)),
	} {
		ok(t, d.Write(context.Background(), func(tx *db.Tx) error { _, err := tx.Exec(query); return err }))
		_, err := j.Page(context.Background(), all("x"), Query{IDs: []string{got[3].ID, got[7].ID}, All: true, Limit: 10})
		if !errors.Is(err, polder.ErrUnavailable) {
			t.Fatalf("after %s: %v; want Unavailable", query, err)
		}
	}
	if len(j.Damage()) == 0 {
		t.Fatal("the damage is not named")
	}
	if _, err := j.Verify(context.Background(), nil); err == nil {
		t.Fatal("verify finds nothing")
	}
}

// TestHeadSurvivesTornWrites: whichever byte a torn write of the head stopped at, the slot before it stands.
func TestHeadSurvivesTornWrites(t *testing.T) {
	one, two := headState{"l", 5, [32]byte{1}, 2}, headState{"l", 9, [32]byte{2}, 3}
	for n := range slotSize {
		file := append(encodeHead(one), encodeHead(headState{"l", 1, [32]byte{}, 1})...)
		copy(file[slotSize:], encodeHead(two)[:n])
		got, sound := readHead(strings.NewReader(string(file)))
		if !sound || got.Seq != one.Seq && got.Seq != two.Seq {
			t.Fatalf("torn after %d bytes: %+v %v", n, got, sound)
		}
	}
}

// TestF1PowerLoss (F1, F2, D1): power fails after the n-th operation of a disk that then keeps any part of what was not
// synced. Every acknowledged batch is there whole, no other by half, and the chain holds.
func TestF1PowerLoss(t *testing.T) { losePower(t, 60, false) }

// TestF2TornSectors (F2): the same on a disk that tears sectors, and whose overwrites may harm the bytes beside them.
func TestF2TornSectors(t *testing.T) { losePower(t, 30, true) }

func losePower(t *testing.T, rounds int, rough bool) {
	if os.Getenv("POLDER_SOAK") != "" {
		rounds = 1000
	}
	cut := 0
	for n := range rounds {
		disk := crashdisk.New(t, uint64(n+1))
		disk.Rough = rough
		disk.CrashAfter(40 + n*3)
		acked := appendUntilDark(t, disk)
		after := disk.Crash()
		seqs := survivors(t, after)
		for batch := range acked {
			if seqs[batch] != 5 {
				t.Fatalf("round %d: acknowledged batch %d has %d of 5 rows", n, batch, seqs[batch])
			}
		}
		for batch, have := range seqs {
			if have != 5 {
				t.Fatalf("round %d: batch %d has %d of 5 rows", n, batch, have)
			}
		}
		cut += len(acked)
	}
	if cut == 0 {
		t.Fatal("nothing was acknowledged before the power failed, so nothing was tested")
	}
}

func appendUntilDark(t *testing.T, disk *crashdisk.Disk) map[int]bool {
	ctx := context.Background()
	acked := map[int]bool{}
	d, err := db.Open(ctx, "x.db", disk.Options())
	if err != nil {
		return acked
	}
	defer d.Close()
	if Migrate(ctx, d) != nil {
		return acked
	}
	j, err := Open(ctx, d, Options{Now: time.Now, Step: func() int64 { return 1 }})
	if err != nil {
		return acked
	}
	defer j.Close()
	for batch := 0; ; batch++ {
		var rows []Delivery
		for i := range 5 {
			rows = append(rows, delivery(batch*5+i, polder.Everyone()))
		}
		if d.Write(ctx, func(tx *db.Tx) error { _, err := j.Append(tx, rows); return err }) != nil {
			return acked
		}
		acked[batch] = true
	}
}

// survivors counts the rows of each batch after the power is back, and verifies the chain.
func survivors(t *testing.T, disk *crashdisk.Disk) map[int]int {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, "x.db", disk.Options())
	ok(t, err)
	defer d.Close()
	ok(t, Migrate(ctx, d))
	j, err := Open(ctx, d, Options{Now: time.Now, Step: func() int64 { return 1 }})
	ok(t, err)
	defer j.Close()
	_, err = j.Verify(ctx, nil)
	ok(t, err)
	out := map[int]int{}
	page, err := j.Page(ctx, all("x"), Query{Limit: 100000})
	ok(t, err)
	for _, p := range page.Deliveries {
		var n int
		_, err := fmt.Sscanf(p.ID[len(p.ID)-12:], "%d", &n)
		ok(t, err)
		out[n/5]++
	}
	return out
}
