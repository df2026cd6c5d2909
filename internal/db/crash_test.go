package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2" //house:allow math/rand/v2: a round must be repeatable by its seed
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/db/crashdisk"
)

var tables = fstest.MapFS{
	"001_log.sql":   {Data: []byte("-- +goose Up\nCREATE TABLE log(batch INTEGER NOT NULL, part INTEGER NOT NULL, of INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (batch, part)) STRICT;\n")},
	"002_index.sql": {Data: []byte("-- +goose Up\nCREATE INDEX log_body ON log(body);\n")},
}

// batch appends as many rows as its number says, so that a half of it is recognised.
func batch(n int) (parts int, fn func(*db.Tx) error) {
	parts = n%7 + 1
	return parts, func(tx *db.Tx) error {
		for p := range parts {
			body := bytes.Repeat([]byte{byte(n)}, 100+(n*37+p*911)%1500)
			if _, err := tx.Exec(`INSERT INTO log(batch, part, of, body) VALUES(?, ?, ?, ?)`, n, p, parts, body); err != nil {
				return err
			}
		}
		return nil
	}
}

// fill opens the database and lets writers append until each has done its share or the disk is gone. It returns the
// batches that were acknowledged.
func fill(disk *crashdisk.Disk, writers, each int) (acknowledged []int, failed error) {
	ctx := context.Background()
	d, err := db.Open(ctx, "x.db", disk.Options())
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if err := d.Migrate(ctx, "log", tables); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				n := w*1000 + i
				_, fn := batch(n)
				err := d.Write(ctx, fn)
				mu.Lock()
				if err == nil {
					acknowledged = append(acknowledged, n)
				} else if failed == nil {
					failed = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return acknowledged, failed
}

// damage is what a disk shows after the power came back.
type damage struct {
	lost    int    // acknowledged batches that are not there, or not whole
	half    int    // batches of which some rows are there
	corrupt string // what SQLite says of the file, if it is not whole
}

func (x damage) String() string {
	return fmt.Sprintf("%d acknowledged lost, %d by half, corrupt: %q", x.lost, x.half, x.corrupt)
}

// examine opens the database again, without a hand, and counts.
func examine(disk *crashdisk.Disk, acknowledged []int) (x damage) {
	ctx := context.Background()
	d, err := db.Open(ctx, "x.db", disk.Options())
	if err != nil {
		return damage{corrupt: err.Error(), lost: len(acknowledged)}
	}
	defer d.Close()
	if err := d.Migrate(ctx, "log", tables); err != nil {
		return damage{corrupt: err.Error(), lost: len(acknowledged)}
	}
	var verdict string
	if err := d.Read().QueryRow(`PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		x.corrupt = err.Error()
	} else if verdict != "ok" {
		x.corrupt = verdict
	}
	whole := map[int]bool{}
	rows, err := d.Read().Query(`SELECT batch, count(*), max(of) FROM log NOT INDEXED GROUP BY batch`)
	if err != nil {
		return damage{corrupt: err.Error(), lost: len(acknowledged)}
	}
	defer rows.Close()
	for rows.Next() {
		var n, parts, of int
		if err := rows.Scan(&n, &parts, &of); err != nil {
			x.corrupt = err.Error()
			break
		}
		if whole[n] = parts == of; !whole[n] {
			x.half++
		}
	}
	if err := rows.Err(); err != nil {
		x.corrupt = err.Error()
	}
	for _, n := range acknowledged {
		if !whole[n] {
			x.lost++
		}
	}
	if x.corrupt == "" { // it goes on: what the crash cut off can be written again
		_, fn := batch(999_999)
		if err := d.Write(ctx, fn); err != nil {
			x.corrupt = err.Error()
		}
	}
	return x
}

func rounds(small, large int) int {
	if os.Getenv("POLDER_SOAK") != "" {
		return large
	}
	return small
}

// crash runs one round: writes until the power goes at a random operation, and looks at what is left.
func crash(t *testing.T, seed uint64, synchronous string, span int) (acknowledged int, x damage) {
	rng := rand.New(rand.NewPCG(seed, 3))
	disk := crashdisk.New(t, seed)
	if synchronous != "" {
		disk.Synchronous = synchronous
	}
	disk.Rough = rng.IntN(2) == 0
	disk.CrashAfter(1 + rng.IntN(span))
	acks, _ := fill(disk, 1+rng.IntN(4), 12)
	return len(acks), examine(disk.Crash(), acks)
}

// F1, F2: whatever is cut off by a loss of power, at whichever operation of making the database, migrating, appending or
// emptying the log, with sectors torn and names lost: every acknowledged batch is there, none by half, and the database
// opens without a hand.
func TestF1PowerLoss(t *testing.T) {
	span := operations(t)
	acknowledged, withAny := 0, 0
	for seed := range uint64(rounds(100, 1000)) {
		n, x := crash(t, seed, "", span)
		if x != (damage{}) {
			t.Fatalf("seed %d, after %d acknowledged batches: %v", seed, n, x)
		}
		acknowledged += n
		if n > 0 {
			withAny++
		}
	}
	t.Logf("%d acknowledged batches over rounds with any: %d; operations of a whole run: %d", acknowledged, withAny, span)
	if acknowledged == 0 {
		t.Fatal("no round acknowledged anything: the test does not test")
	}
}

// operations is how many a run takes whose disk does not lose power.
func operations(t *testing.T) int {
	disk := crashdisk.New(t, 0)
	acks, err := fill(disk, 3, 12)
	if err != nil || len(acks) != 36 {
		t.Fatalf("a run without a crash: %d acknowledged, %v", len(acks), err)
	}
	return disk.Operations()
}

// The control: with fewer syncs the same rounds lose what was acknowledged, and without any they break the file. So the
// test above bites.
func TestF1Bites(t *testing.T) {
	span := operations(t)
	for _, c := range []struct {
		synchronous string
		enough      func(lost, corrupt int) bool
	}{
		{"normal", func(lost, corrupt int) bool { return lost > 0 && corrupt == 0 }},
		{"off", func(lost, corrupt int) bool { return corrupt > 0 }},
	} {
		lost, corrupt := 0, 0
		n := rounds(25, 1000)
		for seed := range uint64(n) {
			_, x := crash(t, seed, c.synchronous, span)
			if x.lost > 0 && x.corrupt == "" {
				lost++
			}
			if x.corrupt != "" || x.half > 0 {
				corrupt++
			}
		}
		t.Logf("synchronous=%s: of %d rounds %d lost an acknowledged batch, %d were corrupt", c.synchronous, n, lost, corrupt)
		if !c.enough(lost, corrupt) {
			t.Errorf("synchronous=%s: of %d rounds %d lost an acknowledged batch, %d were corrupt", c.synchronous, n, lost, corrupt)
		}
	}
}

// F4: the n-th fsync fails, once or from then on, for every n: that write is not acknowledged, nothing is afterwards, and
// after a start everything acknowledged is there.
func TestF4Sync(t *testing.T) {
	t.Run("once", func(t *testing.T) { eachFault(t, crashdisk.Sync, crashdisk.ErrSync, 1, false) })
	t.Run("for ever", func(t *testing.T) { eachFault(t, crashdisk.Sync, crashdisk.ErrSync, 1, true) })
}

// F4: the same for every write.
func TestF4Write(t *testing.T) {
	eachFault(t, crashdisk.Write, crashdisk.ErrWrite, rounds(4, 1), false)
}

// eachFault lets the n-th operation of a kind fail, for n = 1, 1+step, … until a run goes through.
func eachFault(t *testing.T, kind crashdisk.Op, cause error, step int, forEver bool) {
	for n := 1; ; n += step {
		disk := crashdisk.New(t, uint64(n))
		var seen atomic.Int64
		disk.Fault = func(op crashdisk.Op, _ string, _ int) error {
			if op != kind {
				return nil
			}
			if now := int(seen.Add(1)); now == n || forEver && now > n {
				return cause
			}
			return nil
		}
		acks := failStop(t, disk, n)
		if int(seen.Load()) < n {
			if n < 5 {
				t.Fatalf("a whole run had %d operations of kind %s: the test does not test", seen.Load(), kind)
			}
			return
		}
		if x := examine(disk.Crash(), acks); x != (damage{}) {
			t.Fatalf("fault %d: %v", n, x)
		}
	}
}

// failStop writes one batch after the other, and checks that after the first failure none is acknowledged.
func failStop(t *testing.T, disk *crashdisk.Disk, n int) (acks []int) {
	ctx := context.Background()
	d, err := db.Open(ctx, "x.db", disk.Options())
	if err != nil {
		return nil
	}
	defer d.Close()
	if d.Migrate(ctx, "log", tables) != nil {
		return nil
	}
	for i := range 25 {
		_, fn := batch(i)
		failedBefore := d.Err() != nil
		switch err := d.Write(ctx, fn); {
		case err == nil && failedBefore:
			t.Fatalf("fault %d: batch %d was acknowledged after %v", n, i, d.Err())
		case err == nil:
			acks = append(acks, i)
		case polder.KindOf(err) != polder.Unavailable:
			t.Fatalf("fault %d: batch %d was answered %v", n, i, err)
		case d.Err() == nil:
			t.Fatalf("fault %d: batch %d failed with %v and the database goes on", n, i, err)
		default:
			<-d.Failed()
		}
	}
	return acks
}

// F5: at every point of a run the disk is full for a while: the write is refused with a clear text and leaves nothing,
// reads go on, and when there is room again so do writes.
func TestF5Full(t *testing.T) {
	ctx := context.Background()
	refused := 0
	for from := 0; ; from += rounds(5, 1) {
		disk := crashdisk.New(t, uint64(from))
		var mu sync.Mutex
		writes, full, ready := 0, false, false
		disk.Fault = func(op crashdisk.Op, _ string, _ int) error {
			mu.Lock()
			defer mu.Unlock()
			if op != crashdisk.Write || !ready {
				return nil
			}
			writes++
			if writes > from && full {
				return crashdisk.ErrFull
			}
			return nil
		}
		d, err := db.Open(ctx, "x.db", disk.Options())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Migrate(ctx, "log", tables); err != nil {
			t.Fatal(err)
		}
		set := func(f bool) { mu.Lock(); full, ready = f, true; mu.Unlock() }
		set(true)
		var acks []int
		hit := false
		for i := range 20 {
			_, fn := batch(i)
			switch err := d.Write(ctx, fn); {
			case err == nil:
				acks = append(acks, i)
			case polder.KindOf(err) == polder.Full && strings.Contains(err.Error(), "disk is full"):
				hit = true
				refused++
			default:
				t.Fatalf("full after %d writes: batch %d was answered %v", from, i, err)
			}
			var n int
			if err := d.Read().QueryRow(`SELECT count(DISTINCT batch) FROM log`).Scan(&n); err != nil || n != len(acks) {
				t.Fatalf("full after %d writes: a reader finds %d batches, %v; acknowledged were %d", from, n, err, len(acks))
			}
		}
		set(false)
		_, fn := batch(500)
		if err := d.Write(ctx, fn); err != nil {
			t.Fatalf("full after %d writes, room again: %v", from, err)
		}
		if err := d.Err(); err != nil {
			t.Fatalf("a full disk ended the database: %v", err)
		}
		_ = d.Close()
		if x := examine(disk.Crash(), append(acks, 500)); x != (damage{}) {
			t.Fatalf("full after %d writes: %v", from, x)
		}
		if !hit {
			break
		}
	}
	if refused < 15 {
		t.Fatalf("only %d writes were refused: the test does not test", refused)
	}
}

// D3: damage that a reader meets ends the database too, though no write failed.
func TestD3Reader(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		fault func(crashdisk.Op, string, int) error
		spoil func([]byte) []byte
	}{
		{"a read fails", func(op crashdisk.Op, name string, _ int) error {
			if op == crashdisk.Read && name == "x.db" {
				return crashdisk.ErrRead
			}
			return nil
		}, nil},
		{"pages are overwritten", nil, func(b []byte) []byte {
			for i := 4096; i < len(b); i++ {
				b[i] = 0xA5
			}
			return b
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := crashdisk.New(t, 1)
			if _, err := fill(disk, 1, 30); err != nil {
				t.Fatal(err)
			}
			if c.spoil != nil && !disk.Damage("x.db", c.spoil) {
				t.Fatal("no x.db")
			}
			d, err := db.Open(ctx, "x.db", disk.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			disk.Fault = c.fault
			var n int
			if err := d.Read().QueryRow(`SELECT sum(length(body)) FROM log`).Scan(&n); err == nil {
				t.Fatalf("the damage was not seen: %d", n)
			}
			select {
			case <-d.Failed():
			case <-time.After(5 * time.Second):
				t.Fatal("the database goes on")
			}
			_, fn := batch(1)
			if err := d.Write(ctx, fn); !errors.Is(err, polder.ErrUnavailable) {
				t.Fatalf("a write was answered %v", err)
			}
		})
	}
}
