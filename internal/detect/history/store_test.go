package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/event"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// lines are n events, a minute apart.
func lines(from time.Time, first, n int) []said {
	var all []said
	for i := first; i < first+n; i++ {
		all = append(all, saying(from.Add(time.Duration(i)*time.Minute), [2]string{"domain", fmt.Sprintf("h%d.example.com", i)}))
	}
	return all
}

func count(t *testing.T, s *Store) int {
	return len(rawHits(t, s, Query{Values: value(t, "example.com")}))
}

func TestReadingAgainKeepsOnce(t *testing.T) {
	dir := storeDir(t)
	s := open(t, dir, Options{})
	same := saying(noon, [2]string{"domain", "same.example.com"})
	if n := keep(t, s, "a", same, same, same); n != 3 {
		t.Fatalf("of three equal records in one reading %d are kept", n)
	}
	keep(t, s, "a", lines(noon, 0, 100)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	for _, c := range []struct {
		what   string
		events []said
		want   int
	}{
		{"the same file", lines(noon, 0, 100), 0},
		{"a file that has grown", lines(noon, 0, 120), 20},
		{"a file that overlaps", lines(noon, 110, 20), 10},
		{"equal records, fewer than there are", []said{same, same}, 0},
		{"equal records, one more", []said{same, same, same, same}, 1},
	} {
		if n := keep(t, s, "b", c.events...); n != c.want {
			t.Errorf("%s: %d are new, want %d", c.what, n, c.want)
		}
	}
	if n := count(t, s); n != 134 {
		t.Errorf("%d events are kept", n)
	}
}

// TestIdentityStandsInForTheRecord: equal records of two places in a spool are two, one place read twice is one.
func TestIdentityStandsInForTheRecord(t *testing.T) {
	s := open(t, storeDir(t), Options{})
	e := saying(noon, [2]string{"domain", "a.example.com"})
	for _, place := range []string{"1", "2", "2", "1"} {
		b := s.NewReading(Origin{Received: received}).NewBatch(byKind{})
		b.add(e.event(), e.at, []byte(place))
		if _, err := s.Append(b); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, s); n != 2 {
		t.Errorf("%d events", n)
	}
}

func TestSegmentsAreByHourAndDescribed(t *testing.T) {
	s := open(t, storeDir(t), Options{})
	keep(t, s, "a", append(lines(noon, 0, 90), saying(time.Time{}, [2]string{"domain", "x.example.com"}))...)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	late := saying(noon.Add(time.Second), [2]string{"domain", "late.example.com"})
	keep(t, s, "b", late)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	got, err := s.Segments()
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, g := range got {
		have = append(have, fmt.Sprint(filepath.ToSlash(g.Path), " ", g.Events))
		if !g.Whole || g.Bytes == 0 || !g.Received.Equal(received) {
			t.Errorf("%+v", g)
		}
	}
	want := []string{"day=undated/00-000001.parquet 1", "day=2026-03-01/12-000001.parquet 60", "day=2026-03-01/12-000003.parquet 1", "day=2026-03-01/13-000002.parquet 30"}
	if !slices.Equal(have, want) {
		t.Errorf("got %q, want %q", have, want)
	}
	if !got[2].First.Equal(late.at) || !got[2].Last.Equal(late.at) || !got[2].Hour.Equal(noon) || !got[0].Hour.IsZero() {
		t.Errorf("%+v", got)
	}
}

func TestHitSaysWhereAndWhat(t *testing.T) {
	s := open(t, storeDir(t), Options{})
	e := saying(noon, [2]string{"url", "http://10.1.2.3/x"}, [2]string{"host.name", "pc7"}, [2]string{"user.name", "anna"})
	keep(t, s, "proxy.log", lines(noon, 0, 1)[0], e)
	for flushed := range 2 {
		var hits []Hit
		for h, err := range s.Hunt(context.Background(), Query{Values: append(value(t, "host.invalid.example"), value(t, "10.0.0.0/8")...)}, nil) {
			if err != nil {
				t.Fatal(err)
			}
			hits = append(hits, h)
		}
		if len(hits) != 1 {
			t.Fatalf("%d hits", len(hits))
		}
		h := hits[0]
		if h.What != 1 || !h.Time.Equal(noon) || !h.Received.Equal(received) || h.File != "proxy.log" || h.Index != 1 || h.Format != event.JSON ||
			h.Host != "pc7" || h.User != "anna" || string(h.Raw) != e.raw || !slices.Equal(h.Evidence, []Evidence{{"url", "10.1.2.3"}}) {
			t.Errorf("flushed %d: %+v", flushed, h)
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestObservablesOnly(t *testing.T) {
	dir := storeDir(t)
	s := open(t, dir, Options{ObservablesOnly: true})
	keep(t, s, "a", saying(noon, [2]string{"domain", "a.example.com"}, [2]string{"user.name", "anna"}, [2]string{"other", "secret words"}))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "day=*", "*"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil || strings.Contains(string(data), "secret") || strings.Contains(string(data), "anna") {
			t.Errorf("%s holds more than values: %v", f, err)
		}
	}
	s = open(t, dir, Options{})
	if got := rawHits(t, s, Query{Values: value(t, "example.com")}); !slices.Equal(got, []string{""}) {
		t.Errorf("a value gives %q", got)
	}
	var last Progress
	for range s.Hunt(context.Background(), Query{Match: func() Matcher { return contains("a") }}, func(p Progress) { last = p }) {
		t.Error("a matcher found something in values alone")
	}
	if last.Skipped != 1 || last.Open != 0 {
		t.Errorf("%+v", last)
	}
}

func TestFullDiskStopsAndResumes(t *testing.T) {
	room := int64(1 << 40)
	s := open(t, storeDir(t), Options{Free: func(string) (int64, error) { return room, nil }, Floor: 1 << 30})
	keep(t, s, "a", lines(noon, 0, 10)...)
	room = 1 << 29
	b := s.NewReading(Origin{Received: received}).NewBatch(byKind{})
	for _, e := range lines(noon, 10, 5) {
		b.add(e.event(), e.at, nil)
	}
	if _, err := s.Append(b); polder.KindOf(err) != polder.Full || !strings.Contains(err.Error(), "make room") {
		t.Fatalf("on a full disk: %v", err)
	}
	if err := s.Flush(); polder.KindOf(err) != polder.Full {
		t.Fatalf("flush on a full disk: %v", err)
	}
	if n := count(t, s); n != 10 {
		t.Errorf("a full disk hides what there is: %d", n)
	}
	room = 1 << 40
	if n, err := s.Append(b); n != 5 || err != nil {
		t.Fatalf("the same batch, with room: %d, %v", n, err)
	}
	if err := s.Flush(); err != nil || count(t, s) != 15 {
		t.Errorf("%d events: %v", count(t, s), err)
	}
}

func TestRetention(t *testing.T) {
	now := received
	day := 24 * time.Hour
	fill := func(t *testing.T, o Options) *Store {
		s := open(t, storeDir(t), o)
		for i, when := range []time.Time{now, now.Add(-40 * day), now.Add(-40 * day), now} {
			at := []time.Time{now.Add(-time.Hour), now.Add(-40 * day), now.Add(10 * 365 * day), {}}[i]
			if _, err := tryKeep(s, "a", when, saying(at, [2]string{"domain", fmt.Sprintf("%d.example.com", i)})); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Run("time", func(t *testing.T) {
		s := fill(t, Options{Keep: 30 * day})
		gone, err := s.Retain(now)
		if err != nil || gone.Segments != 2 || gone.Events != 2 {
			t.Fatalf("%+v, %v: want the old event, and the one of a clock that ran ahead", gone, err)
		}
		if n := count(t, s); n != 2 {
			t.Errorf("%d events are left", n)
		}
		if left, _ := filepath.Glob(filepath.Join(s.dir, "day=*")); len(left) != 2 {
			t.Errorf("folders left: %q", left)
		}
	})
	t.Run("a clock that jumps", func(t *testing.T) {
		s := fill(t, Options{Keep: 30 * day})
		if gone, err := s.Retain(now.Add(20 * 365 * day)); gone.Segments != 0 || polder.KindOf(err) != polder.Conflict {
			t.Errorf("ahead: %+v, %v", gone, err)
		}
		if gone, err := s.Retain(time.Unix(0, 0)); gone.Segments != 0 || err != nil {
			t.Errorf("back: %+v, %v", gone, err)
		}
		if n := count(t, s); n != 4 {
			t.Errorf("%d events are left", n)
		}
	})
	t.Run("size", func(t *testing.T) {
		s := fill(t, Options{})
		all, err := s.Segments()
		if err != nil {
			t.Fatal(err)
		}
		var total int64
		for _, g := range all {
			total += g.Bytes
		}
		s.o.MaxBytes = total/2 + s.filterSize()
		if gone, err := s.Retain(now); err != nil || gone.Segments != 2 {
			t.Fatalf("%+v, %v", gone, err)
		}
		if got := rawHits(t, s, Query{Values: value(t, "0.example.com")}); len(got) != 1 {
			t.Error("the newest event was removed")
		}
		if got := rawHits(t, s, Query{Values: value(t, "1.example.com")}); len(got) != 0 {
			t.Error("the oldest event was kept")
		}
	})
}

func TestOneWriter(t *testing.T) {
	dir := storeDir(t)
	s := open(t, dir, Options{})
	keep(t, s, "a", lines(noon, 0, 3)...)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{Free: plenty}); polder.KindOf(err) != polder.Conflict {
		t.Errorf("a second writer: %v", err)
	}
	r := open(t, dir, Options{ReadOnly: true})
	if n := count(t, r); n != 3 {
		t.Errorf("a reader beside the writer finds %d", n)
	}
	if _, err := tryKeep(r, "a", received, lines(noon, 0, 1)...); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a reader that writes: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := Open(storeDir(t), Options{ReadOnly: true}); polder.KindOf(err) != polder.NotFound {
		t.Errorf("reading what is not there: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.docx"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); polder.KindOf(err) != polder.Invalid {
		t.Errorf("a folder of other files: %v", err)
	}
	s := open(t, storeDir(t), Options{})
	if _, errs := tryHunt(s, Query{}); len(errs) != 1 || polder.KindOf(errs[0]) != polder.Invalid {
		t.Errorf("a hunt for nothing: %v", errs)
	}
	if _, errs := tryHunt(s, Query{Values: value(t, "10.0.0.1"), Since: noon, Until: noon}); len(errs) != 1 || polder.KindOf(errs[0]) != polder.Invalid {
		t.Errorf("a hunt in no time: %v", errs)
	}
}

func TestCompact(t *testing.T) {
	dir := storeDir(t)
	s := open(t, dir, Options{})
	for i := range 12 {
		keep(t, s, "a", lines(noon, i, 1)...)
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	replaced, err := os.ReadFile(filepath.Join(dir, "day=2026-03-01", "12-000003.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	// A reader that has listed the segments before they are merged finds each event once all the same.
	r := open(t, dir, Options{ReadOnly: true})
	if n, err := s.Compact(context.Background()); n != 12 || err != nil {
		t.Fatalf("merged %d: %v", n, err)
	}
	if n := count(t, r); n != 12 {
		t.Errorf("a reader that listed before finds %d", n)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "day=*", "*.parquet"))
	if len(files) != 1 || count(t, s) != 12 {
		t.Errorf("left %q with %d events", files, count(t, s))
	}
	if n := keep(t, s, "b", lines(noon, 0, 12)...); n != 0 {
		t.Errorf("after merging %d events are taken for new", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// A crash left a segment that was merged.
	if err := os.WriteFile(filepath.Join(dir, "day=2026-03-01", "12-000003.parquet"), replaced, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	if n := count(t, s); n != 12 {
		t.Errorf("after a crash amid merging: %d", n)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "day=*", "*.parquet")); len(files) != 1 {
		t.Errorf("left %q", files)
	}
	if got := rawHits(t, s, Query{Match: func() Matcher { return contains("h7") }}); len(got) != 1 {
		t.Errorf("a matcher after merging: %q", got)
	}
}

func TestDamage(t *testing.T) {
	dir := storeDir(t)
	s := open(t, dir, Options{})
	for i, e := range lines(noon, 0, 120) {
		keep(t, s, "a", saying(e.at, append(e.fields, [2]string{"url", fmt.Sprintf("http://h%d.example.com/", i)})...))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	filters := filepath.Join(dir, "day=2026-03-01", filtersFile)
	names, _ := filepath.Glob(filepath.Join(dir, "day=2026-03-01", "12-*.parquet"))
	if len(names) != 1 {
		t.Fatalf("segments of noon: %q", names)
	}
	name := names[0]
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cut", "flipped", "emptied", "another version"} {
		data, err := os.ReadFile(filters)
		if err != nil {
			t.Fatal(err)
		}
		good := slices.Clone(data)
		switch name {
		case "cut":
			data = data[:len(data)-3]
		case "flipped":
			data[len(filterMagic)+40]++
		case "emptied":
			data = nil
		default:
			data[len(filterMagic)-1]++
		}
		if err := os.WriteFile(filters, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, Options{})
		if n := count(t, s); n != 120 {
			t.Errorf("filters %s: %d events", name, n)
		}
		if again, err := os.ReadFile(filters); err != nil || len(again) != len(good) {
			t.Errorf("filters %s are not made again: %d bytes, want %d, %v", name, len(again), len(good), err)
		}
		_ = s.Close()
	}
	if err := os.WriteFile(name, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	cut := open(t, dir, Options{})
	got, errs := tryHunt(cut, Query{Values: value(t, "example.com")})
	if len(got) != 60 || len(errs) != 1 || !errors.Is(errs[0], ErrDamaged) || !strings.Contains(errs[0].Error(), filepath.Base(name)) {
		t.Errorf("a segment that was cut: %d events, %v", len(got), errs)
	}
	if _, err := cut.Segments(); !errors.Is(err, ErrDamaged) {
		t.Errorf("Segments: %v", err)
	}
	_ = cut.Close()
	for at := 4; at < len(whole); at += 1 + len(whole)/90 {
		bad := slices.Clone(whole)
		bad[at] ^= 0x55
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, Options{ReadOnly: true})
		exact := Query{}
		for i := range 120 {
			exact.Values = append(exact.Values, value(t, fmt.Sprintf("http://h%d.example.com/", i))...)
		}
		for _, q := range []Query{exact, {Values: value(t, "example.com")}, {Match: func() Matcher { return contains("example") }}, {Match: func() Matcher { return contains("example") }, Ordered: true}} {
			got, errs := tryHunt(s, q)
			if len(got) < 60 || len(got) < 120 && len(errs) == 0 {
				t.Fatalf("byte %d flipped: %d events, %v", at, len(got), errs)
			}
		}
		_ = s.Close()
	}
}

func TestHuntEndsWhenAsked(t *testing.T) {
	s := open(t, storeDir(t), Options{})
	keep(t, s, "a", lines(noon, 0, 600)...)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	for range s.Hunt(context.Background(), Query{Values: value(t, "example.com")}, nil) {
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var end error
	for _, err := range s.Hunt(ctx, Query{Values: value(t, "example.com")}, nil) {
		if err != nil {
			end = err
		}
		cancel()
	}
	if !errors.Is(end, context.Canceled) {
		t.Errorf("a cancelled hunt ends with %v", end)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hunts != 0 {
		t.Errorf("%d hunts are still running", s.hunts)
	}
}
