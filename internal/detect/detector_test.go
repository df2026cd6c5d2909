package detect

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/detect/history"
	"github.com/polder-exchange/polder/stix"
)

// newDetector is a detector over a service and a journal, with a folder of rules and one of histories. here is in the community
// ring, there in none.
func newDetector(t *testing.T, w *alertWorld, s *shelf, log *slog.Logger) *Detector {
	t.Helper()
	rules := filepath.Join(w.dir, "rules")
	noErr(t, os.MkdirAll(rules, 0o700))
	noErr(t, os.WriteFile(filepath.Join(rules, "chain.yml"), []byte(chain), 0o600))
	d, err := NewDetector(DetectorOptions{Service: w.Service, Journal: s.journal, Now: w.Service.o.Now, Log: log, Rules: rules, Dir: filepath.Join(w.dir, "history"),
		Own: func(_ context.Context, org polder.OrgID) (polder.Sight, map[polder.CommunityID]string, error) {
			if org == here {
				return polder.Sight{Org: org, Communities: []polder.CommunityID{ring}}, map[polder.CommunityID]string{ring: "ring"}, nil
			}
			return polder.Sight{Org: org}, nil, nil
		}})
	noErr(t, err)
	t.Cleanup(func() { noErr(t, d.Close()) })
	return d
}

// TestDetectorWall: two organisations of a node send the same event. What is shared with one of them makes an alert for that one; the
// other is told of nothing.
func TestDetectorWall(t *testing.T) {
	w, s := newAlertWorld(t), newShelf(t)
	s.share(ring, 1, 1, is("gate.net"), polder.Everyone(), "")
	d := newDetector(t, w, s, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		org  polder.OrgID
		want int
	}{{here, 1}, {there, 0}} {
		b := batchOf("dns", `{"_path":"dns","ts":1795000000.1,"uid":"C1","id.orig_h":"198.51.100.1","id.resp_h":"198.51.100.2","query":"gate.net"}`)
		b.Org = c.org
		found, err := d.Judge(t.Context(), b)
		noErr(t, err)
		if len(found) != c.want || c.want == 1 && (found[0].Origin.Community != "ring" || found[0].Origin.Level != stix.Green) {
			t.Errorf("%s: %d findings, want %d: %+v", c.org, len(found), c.want, found)
		}
	}
}

// TestF5HistoryFull (F5): a disk without room stops the history, which is said once, and never the judging; with room again events are
// kept again.
func TestF5HistoryFull(t *testing.T) {
	w, s := newAlertWorld(t), newShelf(t)
	var log bytes.Buffer
	d := newDetector(t, w, s, slog.New(slog.NewTextHandler(&log, nil)))
	o, err := d.of(t.Context(), here)
	noErr(t, err)
	noErr(t, o.store.Close())
	var room atomic.Int64
	room.Store(1 << 40)
	options := HistoryBounds{}.options()
	options.Free = func(string) (int64, error) { return room.Load(), nil }
	o.store, err = history.Open(filepath.Join(w.dir, "another"), options)
	noErr(t, err)
	judge := func(i int) {
		t.Helper()
		b := batchOf("ws", fmt.Sprintf(`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","UtcTime":"2026-11-20 08:00:0%d.000","Computer":"WS","Image":"C:\\%d\\first.exe"}`, i, i))
		b.Number = int64(i + 1)
		found, err := d.Judge(t.Context(), b)
		noErr(t, err)
		if len(found) != 1 || found[0].Title != "First step" {
			t.Fatalf("event %d: %+v", i, found)
		}
	}
	judge(0)
	room.Store(1 << 20)
	judge(1)
	judge(2)
	room.Store(1 << 40)
	judge(3)
	if n := strings.Count(log.String(), "history keeps no events now; judging goes on"); n != 1 {
		t.Errorf("that history has no room was said %d times", n)
	}
	if n := strings.Count(log.String(), "history keeps events again"); n != 1 {
		t.Errorf("that it has room again was said %d times", n)
	}
	if kept := d.Judged().Kept; kept < 2 || kept > 4 {
		t.Errorf("%d events were kept", kept)
	}
}

// TestHotReload: while the folder of rules changes over and over, also for one that does not load, every event is judged, and by a rule
// that was there all the time each is found.
func TestHotReload(t *testing.T) {
	w, s := newAlertWorld(t), newShelf(t)
	d := newDetector(t, w, s, slog.New(slog.DiscardHandler))
	const each = 50
	stop := make(chan struct{})
	var reloads atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			text := strings.Replace(everyProcess, "Any process", fmt.Sprintf("Any process %d", i), 1)
			if i%3 == 2 {
				text = "title: broken\ndetection: [\n"
			}
			if err := os.WriteFile(filepath.Join(w.dir, "rules", "other.yml"), []byte(text), 0o600); err != nil {
				t.Error(err)
			}
			if err := d.rules.reload(d.rules.look()); err != nil {
				t.Error(err)
			}
			reloads.Add(1)
		}
	})
	first, batches, titles := 0, 0, map[string]bool{}
	for i := 0; reloads.Load() < 5 || i < 60; i++ {
		batches++
		var lines []string
		for k := range each {
			lines = append(lines, fmt.Sprintf(`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"WS","Image":"C:\\%d-%d\\first.exe"}`, i, k))
		}
		b := batchOf("ws", lines...)
		b.Number = int64(i + 1)
		found, err := d.Judge(t.Context(), b)
		noErr(t, err)
		for _, f := range found {
			if f.Title == "First step" {
				first++
			} else {
				titles[f.Title] = true
			}
		}
	}
	close(stop)
	wg.Wait()
	if first != batches*each || d.Judged().Events != int64(batches*each) || d.Judged().Unreadable != 0 {
		t.Errorf("%d of %d events were found over %d reloads; %+v", first, batches*each, reloads.Load(), d.Judged())
	}
	if len(titles) < 2 {
		t.Errorf("of the rules that changed, %d were met: nothing was tested", len(titles))
	}
}
