package detect

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/db/crashdisk"
)

// TestAlertsOnFullDisk: while the disk has no room for alerts, judging goes on and its findings wait; none is lost, and
// none is stored twice, when there is room again.
func TestAlertsOnFullDisk(t *testing.T) {
	disk := crashdisk.New(t, 1)
	var full atomic.Bool
	var refused atomic.Int64
	disk.Fault = func(op crashdisk.Op, _ string, _ int) error {
		if op == crashdisk.Write && full.Load() {
			refused.Add(1)
			return crashdisk.ErrFull
		}
		return nil
	}
	d, err := db.Open(t.Context(), "x.db", disk.Options())
	noErr(t, err)
	t.Cleanup(func() { d.Close() })
	clock := func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) }
	log := audit.New(d, clock)
	noErr(t, log.Migrate(t.Context()))
	noErr(t, Migrate(t.Context(), d))
	s := NewService(ServiceOptions{DB: d, Audit: log, Now: clock})
	j := newLineJudge()
	in, err := OpenIntake(t.Context(), IntakeOptions{Dir: t.TempDir(), Service: s, Judge: j, Now: clock, Wait: time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	noErr(t, err)
	full.Store(true)
	for _, line := range []string{`{"bad":1}`, `{"bad":2}`, `{"bad":1}`} {
		_, err := in.Accept(batchOf("f", line))
		noErr(t, err)
	}
	stop := running(t, in)
	until(t, "the disk to refuse", func() bool { return refused.Load() > 3 })
	if n := in.Waiting(); n == 0 {
		t.Error("nothing waits, and nothing could be stored")
	}
	full.Store(false)
	until(t, "room", func() bool { return in.Waiting() == 0 })
	stop()
	page, err := s.Alerts(t.Context(), polder.Actor{Org: here, Role: polder.RoleReader}, Filter{})
	noErr(t, err)
	if len(page.Groups) != 1 || page.Groups[0].Count != 2 || j.lines[`{"bad":1}`] != 2 {
		t.Errorf("stored %+v; judged %v", page.Groups, j.lines)
	}
}
