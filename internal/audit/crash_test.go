package audit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/db/crashdisk"
)

// F1: at whichever operation the power goes, the chain is whole, holds every acknowledged entry, and goes on.
func TestF1Chain(t *testing.T) {
	acknowledged := 0
	for seed := range uint64(40) {
		disk := crashdisk.New(t, seed)
		disk.CrashAfter(60 + int(seed)*13)
		n := appendUntilDark(disk)
		acknowledged += n
		d, err := db.Open(t.Context(), "x.db", disk.Crash().Options())
		if err != nil {
			t.Fatal(err)
		}
		l := audit.New(d, time.Now)
		if err := l.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		have, err := l.Verify(t.Context(), nil)
		if err != nil || have < int64(n) || have > int64(n)+1 {
			t.Fatalf("seed %d: %d entries are there, %d were acknowledged; %v", seed, have, n, err)
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return l.Append(tx, audit.Entry{Action: "again"}) }); err != nil {
			t.Fatal(err)
		}
		if again, err := l.Verify(t.Context(), nil); err != nil || again != have+1 {
			t.Fatalf("seed %d: after one more entry: %d, %v", seed, again, err)
		}
		_ = d.Close()
	}
	if acknowledged < 100 {
		t.Fatalf("%d entries were acknowledged: the test does not test", acknowledged)
	}
}

// appendUntilDark returns how many entries were acknowledged.
func appendUntilDark(disk *crashdisk.Disk) (n int) {
	ctx := context.Background()
	d, err := db.Open(ctx, "x.db", disk.Options())
	if err != nil {
		return 0
	}
	defer d.Close()
	l := audit.New(d, time.Now)
	if l.Migrate(ctx) != nil {
		return 0
	}
	for ; n < 60; n++ {
		err := d.Write(ctx, func(tx *db.Tx) error {
			return l.Append(tx, audit.Entry{Action: "share", Object: fmt.Sprint(n), Detail: map[string]string{"n": fmt.Sprint(n)}})
		})
		if err != nil {
			return n
		}
	}
	return n
}
