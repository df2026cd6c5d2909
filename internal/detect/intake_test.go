package detect

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
)

// lineJudge finds every line that holds "bad", and notes what it was given.
type lineJudge struct {
	mu     sync.Mutex
	lines  map[string]int
	again  []int64
	fail   func(Batch) error
	judged chan int64
}

func newLineJudge() *lineJudge {
	return &lineJudge{lines: map[string]int{}, judged: make(chan int64, 10_000)}
}

func (j *lineJudge) Judge(_ context.Context, b Batch) (out []Finding, err error) {
	if j.fail != nil {
		if err := j.fail(b); err != nil {
			return nil, err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if b.Again {
		j.again = append(j.again, b.Number)
	}
	n := b.First
	for line := range bytes.Lines(b.Data) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		j.lines[string(line)]++
		if bytes.Contains(line, []byte("bad")) {
			out = append(out, Finding{Kind: ByRule, ID: "rule", Title: "T", Level: High, File: b.Name, Event: n, Events: [][]byte{line}})
		}
		n++
	}
	j.judged <- b.Number
	return out, nil
}

func (w *alertWorld) intake(o IntakeOptions) *Intake {
	w.t.Helper()
	o.Dir, o.Service, o.Now, o.Wait = filepath.Join(w.dir, "spool"), w.Service, func() time.Time { return w.pass(0) }, time.Millisecond
	in, err := OpenIntake(w.t.Context(), o)
	noErr(w.t, err)
	return in
}

// running runs an intake until the returned function is called.
func running(t testing.TB, in *Intake) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		noErr(t, <-done)
		noErr(t, in.Close())
	}
}

func batchOf(name string, lines ...string) Batch {
	return Batch{Org: here, Source: "token t", Name: name, Events: len(lines), Data: []byte(strings.Join(lines, "\n") + "\n")}
}

// until waits for something that another goroutine does.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}

func (w *alertWorld) judged(t testing.TB) int64 {
	n, err := cursor(context.Background(), w.db.Read(), judgedCursor)
	noErr(t, err)
	return n
}

// TestIntake: what is accepted is judged, its alerts stored, its figures counted, and after a start only what windows
// need is judged again, which stores nothing.
func TestIntake(t *testing.T) {
	w := newAlertWorld(t)
	j := newLineJudge()
	in := w.intake(IntakeOptions{Judge: j, Horizon: time.Hour})
	_, err := in.Accept(batchOf("a", `{"x":"bad one"}`, `{"x":"good"}`))
	noErr(t, err)
	stop := running(t, in)
	w.pass(2 * time.Hour)
	last, err := in.Accept(batchOf("b", `{"x":"bad two"}`))
	noErr(t, err)
	until(t, "both batches", func() bool { return w.judged(t) == last })
	stop()
	page, err := w.Alerts(t.Context(), w.reader(here), Filter{})
	noErr(t, err)
	if len(page.Groups) != 2 || in.Waiting() != 0 { // two hours lie between them
		t.Fatalf("%d groups, %d bytes wait", len(page.Groups), in.Waiting())
	}
	sources, err := w.Sources(t.Context(), w.reader(here))
	noErr(t, err)
	if len(sources) != 1 || sources[0].Events != 3 || sources[0].Lost != 0 || sources[0].Last.IsZero() {
		t.Errorf("the figures of the source are %+v", sources)
	}
	if other, err := w.Sources(t.Context(), w.reader(there)); err != nil || len(other) != 0 {
		t.Errorf("a neighbour reads them: %+v, %v", other, err)
	}

	j = newLineJudge()
	in = w.intake(IntakeOptions{Judge: j, Horizon: time.Hour})
	stop = running(t, in)
	next, err := in.Accept(batchOf("c", `{"x":"new"}`))
	noErr(t, err)
	until(t, "the new batch", func() bool { return w.judged(t) == next })
	stop()
	if len(j.again) != 1 || j.again[0] != last || j.lines[`{"x":"bad one"}`] != 0 || next <= last {
		t.Errorf("after the start these came again: %v, want batch %d alone; the next is %d", j.again, last, next)
	}
	page, err = w.Alerts(t.Context(), w.reader(here), Filter{})
	noErr(t, err)
	if len(page.Groups) != 2 || page.Groups[0].Count != 1 {
		t.Errorf("after the start there are %d groups", len(page.Groups))
	}
}

// TestIntakeJudgeFails: a judge that fails is asked again; what it never takes is counted and does not stop the rest.
func TestIntakeJudgeFails(t *testing.T) {
	w := newAlertWorld(t)
	j := newLineJudge()
	tried := 0
	j.fail = func(b Batch) error {
		switch {
		case b.Name == "poison":
			tried++
			panic("poison")
		case b.Name == "later" && tried < 4:
			tried++
			return errors.New("not now")
		}
		return nil
	}
	in := w.intake(IntakeOptions{Judge: j, Tries: 3})
	for _, name := range []string{"poison", "later", "good"} {
		_, err := in.Accept(batchOf(name, `{"bad":"`+name+`"}`))
		noErr(t, err)
	}
	stop := running(t, in)
	until(t, "all three", func() bool { return w.judged(t) == 3 })
	stop()
	sources, err := w.Sources(t.Context(), w.reader(here))
	noErr(t, err)
	if sources[0].Events != 3 || sources[0].Lost != 1 || j.lines[`{"bad":"later"}`] != 1 || j.lines[`{"bad":"good"}`] != 1 {
		t.Errorf("%+v, judged %v", sources, j.lines)
	}
}

// TestIntakeBackPressure: above its bound the spool sends away with a time to wait, and takes again when it was judged.
func TestIntakeBackPressure(t *testing.T) {
	w := newAlertWorld(t)
	in := w.intake(IntakeOptions{Judge: newLineJudge(), Bound: 3000, Segment: 1000})
	big := batchOf("x", `{"x":"`+strings.Repeat("y", 900)+`"}`)
	taken := 0
	var refused error
	for refused == nil && taken < 10 {
		if _, refused = in.Accept(big); refused == nil {
			taken++
		}
	}
	after, ok := errors.AsType[errSpoolFull](refused)
	if taken != 3 || polder.KindOf(refused) != polder.Limited || !ok || after.RetryAfter() < time.Second {
		t.Fatalf("took %d, then said %v", taken, refused)
	}
	stop := running(t, in)
	until(t, "room", func() bool { return in.Waiting() == 0 })
	_, err := in.Accept(big)
	noErr(t, err)
	until(t, "the last", func() bool { return w.judged(t) == 4 })
	stop()
	sources, err := w.Sources(t.Context(), w.reader(here))
	noErr(t, err)
	if sources[0].Refused != 1 {
		t.Errorf("the figures say %+v", sources[0])
	}
}

// TestIntakeTrims: segments that were judged and that no window needs are removed.
func TestIntakeTrims(t *testing.T) {
	w := newAlertWorld(t)
	in := w.intake(IntakeOptions{Judge: newLineJudge(), Segment: 100, Horizon: time.Hour})
	stop := running(t, in)
	for i := range 20 {
		n, err := in.Accept(batchOf("x", fmt.Sprintf(`{"n":%d,"pad":"%s"}`, i, strings.Repeat("z", 100))))
		noErr(t, err)
		until(t, "the batch", func() bool { return w.judged(t) == n })
		w.pass(20 * time.Minute)
	}
	stop()
	left, err := filepath.Glob(filepath.Join(w.dir, "spool", "*"+spoolSuffix))
	noErr(t, err)
	if len(left) < 3 || len(left) > 5 {
		t.Errorf("%d segments of 20 minutes are kept for a window of an hour", len(left))
	}
}

// failingFile is a segment on a disk that fails when it is told to.
type failingFile struct {
	spoolFile
	disk *failingDisk
}

type failingDisk struct {
	mu                    sync.Mutex
	write, sync, truncate error
	short                 int // bytes that a failing write still writes
}

func (d *failingDisk) set(write, sync, truncate error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.write, d.sync, d.truncate = write, sync, truncate
}

func (d *failingDisk) create(path string) (spoolFile, error) {
	f, err := createSegment(path)
	return failingFile{f, d}, err
}

func (f failingFile) Write(b []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.write != nil {
		n, _ := f.spoolFile.Write(b[:min(len(b), f.disk.short)])
		return n, f.disk.write
	}
	return f.spoolFile.Write(b)
}

func (f failingFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.sync != nil {
		return f.disk.sync
	}
	return f.spoolFile.Sync()
}

func (f failingFile) Truncate(n int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.truncate != nil {
		return f.disk.truncate
	}
	return f.spoolFile.Truncate(n)
}

// TestIntakeFullDisk: a full disk is said to the sender, leaves nothing half written, and what was taken before is
// judged; with room again it goes on. A disk that fails takes nothing more.
func TestIntakeFullDisk(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	broken := errors.New("input/output error")
	for _, c := range []struct {
		why                   string
		write, sync, truncate error
		kind, after           polder.Kind // of the next one, when the disk is well again
	}{
		{"no room to write", full, nil, nil, polder.Full, polder.Internal},
		{"no room when it is synced", nil, full, nil, polder.Full, polder.Internal},
		{"the disk fails to sync: what it holds is unknown", nil, broken, nil, polder.Unavailable, polder.Unavailable},
		{"nor can it be taken back", full, nil, broken, polder.Full, polder.Unavailable},
	} {
		t.Run(c.why, func(t *testing.T) {
			w := newAlertWorld(t)
			j := newLineJudge()
			disk := &failingDisk{short: 17}
			in := w.intake(IntakeOptions{Judge: j, create: disk.create})
			_, err := in.Accept(batchOf("a", `{"x":"before"}`))
			noErr(t, err)
			disk.set(c.write, c.sync, c.truncate)
			if _, err := in.Accept(batchOf("b", `{"x":"during"}`)); polder.KindOf(err) != c.kind {
				t.Fatalf("on the failing disk: %v", err)
			}
			disk.set(nil, nil, nil)
			_, err = in.Accept(batchOf("c", `{"x":"after"}`))
			if (err == nil) != (c.after == polder.Internal) || err != nil && polder.KindOf(err) != c.after {
				t.Fatalf("afterwards: %v", err)
			}
			stop := running(t, in)
			until(t, "what was taken", func() bool { return in.Waiting() == 0 })
			stop()
			if j.lines[`{"x":"before"}`] != 1 || j.lines[`{"x":"during"}`] != 0 || (j.lines[`{"x":"after"}`] == 1) != (c.after == polder.Internal) {
				t.Errorf("judged %v", j.lines)
			}
			if c.truncate != nil {
				return
			}
			j = newLineJudge() // and nothing half written is met at the next start
			in = w.intake(IntakeOptions{Judge: j})
			stop = running(t, in)
			_, err = in.Accept(batchOf("d", `{"x":"next start"}`))
			noErr(t, err)
			until(t, "the next start", func() bool { return in.Waiting() == 0 })
			stop()
			if j.lines[`{"x":"next start"}`] != 1 || j.lines[`{"x":"during"}`] != 0 {
				t.Errorf("after the next start: %v", j.lines)
			}
		})
	}
}

func TestIntakeRoom(t *testing.T) {
	w := newAlertWorld(t)
	in := w.intake(IntakeOptions{Judge: newLineJudge(), Room: func() error { return polder.Errorf(polder.Full, "the disk is nearly full") }})
	if _, err := in.Accept(batchOf("a", `{}`)); polder.KindOf(err) != polder.Full {
		t.Errorf("without room: %v", err)
	}
}

// TestSpoolTorn: cut anywhere in its last record, or followed by rubbish, the spool opens with every record before; a
// damaged record in the middle loses itself alone.
func TestSpoolTorn(t *testing.T) {
	dir := t.TempDir()
	o := spoolOptions{dir: dir, bound: 1 << 20, segment: 1 << 20, log: slog.New(slog.DiscardHandler)}
	s, err := openSpool(o, 0)
	noErr(t, err)
	var ends []int64
	for i := range 5 {
		_, err := s.append(time.Unix(int64(100+i), 0), packBatch(batchOf("f", fmt.Sprintf(`{"n":%d}`, i))))
		noErr(t, err)
		ends = append(ends, s.segments[0].size)
	}
	path := s.segments[0].path
	noErr(t, s.close())
	whole, err := os.ReadFile(path)
	noErr(t, err)
	read := func(data []byte) (numbers []int64, lost int) {
		t.Helper()
		noErr(t, os.WriteFile(path, data, 0o600))
		s, err := openSpool(o, 0)
		noErr(t, err)
		r := &spoolReader{s: s}
		defer r.close()
		for {
			h, body, err := r.next()
			if err != nil {
				break
			}
			if body == nil {
				lost++
				continue
			}
			b, err := unpackBatch(h, body)
			noErr(t, err)
			if want := fmt.Sprintf("{\"n\":%d}\n", h.number-1); string(b.Data) != want {
				t.Fatalf("record %d holds %q", h.number, b.Data)
			}
			numbers = append(numbers, h.number)
		}
		n, err := s.append(time.Unix(200, 0), packBatch(batchOf("f", `{}`)))
		noErr(t, err)
		if len(numbers) > 0 && n <= numbers[len(numbers)-1] {
			t.Fatalf("the next record is %d after %v", n, numbers)
		}
		noErr(t, s.close())
		for _, g := range s.segments {
			if g.path != path {
				noErr(t, os.Remove(g.path))
			}
		}
		return numbers, lost
	}
	for cut := ends[3]; cut < ends[4]; cut++ {
		if got, _ := read(whole[:cut]); len(got) != 4 {
			t.Fatalf("cut at %d of %d: %v", cut, len(whole), got)
		}
	}
	if got, _ := read(append(bytes.Clone(whole), bytes.Repeat([]byte{0}, 5000)...)); len(got) != 5 {
		t.Errorf("followed by zeros: %v", got)
	}
	for at := ends[1] + spoolHeader; at < ends[2]; at++ {
		bad := bytes.Clone(whole)
		bad[at] ^= 0x40
		if got, lost := read(bad); len(got) != 4 || lost != 1 {
			t.Fatalf("damaged at %d: %v, %d lost", at, got, lost)
		}
	}
	bad := bytes.Clone(whole)
	bad[len(bad)-3] ^= 0x40
	if got, _ := read(bad); len(got) != 4 {
		t.Errorf("damaged in the last record: %v", got)
	}
}

func FuzzUnpackBatch(f *testing.F) {
	f.Add(packBatch(batchOf("f", `{}`)))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := unpackBatch(recordHead{number: 1}, body)
		if err != nil {
			return
		}
		again, err := unpackBatch(recordHead{number: 1}, packBatch(b))
		if err != nil || again.Org != b.Org || again.Name != b.Name || !bytes.Equal(again.Data, b.Data) || again.Events != b.Events {
			t.Fatalf("%+v came back as %+v: %v", b, again, err)
		}
	})
}

// TestSpoolGroupCommit: many senders at once share syncs, and each is answered after its record is on disk.
func TestSpoolGroupCommit(t *testing.T) {
	var syncs int
	var mu sync.Mutex
	o := spoolOptions{dir: t.TempDir(), bound: 1 << 20, segment: 20_000, log: slog.New(slog.DiscardHandler)}
	o.create = func(path string) (spoolFile, error) {
		f, err := createSegment(path)
		return countingFile{f, func() { mu.Lock(); syncs++; mu.Unlock(); time.Sleep(time.Millisecond) }}, err
	}
	s, err := openSpool(o, 0)
	noErr(t, err)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				n, err := s.append(time.Unix(1, 0), packBatch(batchOf("f", fmt.Sprintf(`{"w":%d,"i":%d}`, w, i))))
				if err != nil || s.synced.Load() < n {
					t.Errorf("record %d is acknowledged before it is on disk (%d is): %v", n, s.synced.Load(), err)
				}
			}
		})
	}
	wg.Wait()
	noErr(t, s.close())
	if syncs >= 320 {
		t.Errorf("%d syncs for 320 records: none was shared", syncs)
	}
	t.Logf("%d syncs for 320 records", syncs)
}

type countingFile struct {
	spoolFile
	synced func()
}

func (f countingFile) Sync() error { f.synced(); return f.spoolFile.Sync() }

// The child of TestKillBetweenIntakeAndAlert: it takes in and judges as fast as it can, and says what it acknowledged.
const killChild = "POLDER_DETECT_KILL_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killChild); dir != "" {
		if err := runKillChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

func killable(ctx context.Context, dir string, j Judge) (*Service, *Intake, *db.DB, error) {
	d, err := db.Open(ctx, filepath.Join(dir, "polder.db"), db.Options{})
	if err != nil {
		return nil, nil, nil, err
	}
	log := audit.New(d, time.Now)
	if err := errors.Join(log.Migrate(ctx), Migrate(ctx, d)); err != nil {
		return nil, nil, d, err
	}
	s := NewService(ServiceOptions{DB: d, Audit: log, Now: time.Now})
	in, err := OpenIntake(ctx, IntakeOptions{Dir: filepath.Join(dir, "spool"), Service: s, Judge: j, Now: time.Now, Segment: 4096})
	return s, in, d, err
}

func runKillChild(dir string) error {
	ctx := context.Background()
	j := newLineJudge()
	go func() {
		for range j.judged {
		}
	}()
	_, in, _, err := killable(ctx, dir, j)
	if err != nil {
		return err
	}
	go in.Run(ctx)
	round := os.Getenv(killChild + "_ROUND")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; err == nil; i++ {
				line := fmt.Sprintf(`{"bad":"%s-%d-%d"}`, round, w, i)
				if _, e := in.Accept(batchOf("f", line)); e == nil {
					fmt.Println("acknowledged " + line) // one write: a line is whole or not there
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// TestKillBetweenIntakeAndAlert: kill -9 at random moments. After the restart every acknowledged event has been judged,
// and its alert is stored once.
func TestKillBetweenIntakeAndAlert(t *testing.T) {
	dir := t.TempDir()
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	acknowledged := map[string]bool{}
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killChild+"="+dir, killChild+"_ROUND="+strconv.Itoa(round))
		out, err := cmd.StdoutPipe()
		noErr(t, err)
		cmd.Stderr = os.Stderr
		noErr(t, cmd.Start())
		lines := bufio.NewScanner(out)
		most := 40 + 97*round
		for n := 0; lines.Scan(); n++ {
			acknowledged[strings.TrimPrefix(lines.Text(), "acknowledged ")] = true
			if n == most {
				noErr(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait() // it was killed
	}
	if len(acknowledged) < rounds*40 {
		t.Fatalf("only %d events were acknowledged: the test does not test", len(acknowledged))
	}
	j := newLineJudge()
	s, in, d, err := killable(t.Context(), dir, j)
	noErr(t, err)
	defer d.Close()
	waited := in.Waiting()
	stop := running(t, in)
	until(t, "what waited", func() bool { return in.Waiting() == 0 })
	stop()
	stored := map[string]int{}
	rows, err := d.Read().Query(`SELECT id, count(*) FROM alert GROUP BY id`)
	noErr(t, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		var n int
		noErr(t, rows.Scan(&id, &n))
		stored[id] = n
	}
	for line := range acknowledged {
		id := alertID(here, Finding{Kind: ByRule, ID: "rule", Events: [][]byte{[]byte(line)}})
		if stored[id] != 1 {
			t.Errorf("%s was acknowledged and its alert is stored %d times", line, stored[id])
		}
	}
	page, err := s.Alerts(t.Context(), polder.Actor{Org: here, Role: polder.RoleReader}, Filter{Limit: 200})
	noErr(t, err)
	count := 0
	for _, g := range page.Groups {
		count += g.Count
	}
	if count != len(stored) {
		t.Errorf("the groups count %d alerts, and %d are stored", count, len(stored))
	}
	t.Logf("%d acknowledged over %d kills, %d alerts; %d bytes waited at the last start, %d batches came again for windows", len(acknowledged), rounds, len(stored), waited, len(j.again))
}
