package node

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cli"
	"github.com/polder-exchange/polder/stix"
)

// polderRun runs a command as main does.
func polderRun(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = cli.Run(t.Context(), args, strings.NewReader(""), &o, &e, Commands()...)
	return code, o.String(), e.String()
}

// TestF8ClockBack (F8): the clock is set back a day, and ten years ahead and back: sharing and reading go on, numbers rise,
// and what had expired stays so.
func TestF8ClockBack(t *testing.T) {
	p := newPlace(t)
	last := p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""))
	start := p.ahead.Load()
	for i, by := range []time.Duration{-24 * time.Hour, 10 * 365 * 24 * time.Hour, -10 * 365 * 24 * time.Hour, -time.Since(time.Unix(0, 0))} {
		p.ahead.Store(start + int64(by))
		seq := p.share(t, "sharer", "ring", "", entry(i+10, 0, stix.Green, ""), entry(i+20, 0, stix.Green, ""))
		if seq <= last || seq >= 1<<53 {
			t.Errorf("by %v: %d after %d", by, seq, last)
		}
		last = seq
		if got := p.seen(t, "named", "ring"); len(got) != 3+2*i {
			t.Errorf("by %v: %d objects are seen", by, len(got))
		}
		if a := p.ask(ask{as: "expired", path: "/api/v1/objects"}); a.status != 401 {
			t.Errorf("by %v: an expired token gets %d", by, a.status)
		}
	}
}

// TestF15Term (F15): SIGTERM under load: the process ends by itself within ten seconds and says nothing of a fault, every
// acknowledged batch is there, and the next start needs no hand.
func TestF15Term(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	writer, reader := prepared(t, dir)
	p := spawn(t, dir)
	l, err := follow(p.url, reader, "since=0")
	ok(t, err)
	defer l.cancel()
	var mu sync.Mutex
	acked := map[string]bool{}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for batch := 0; ; batch++ {
				ids, body := numbered(15, w, batch, 20)
				status, err := post(p.url, writer, body)
				if err != nil {
					return
				}
				if status == 202 {
					mu.Lock()
					acked[ids[0]] = true
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	began := time.Now()
	ok(t, p.cmd.Process.Signal(syscall.SIGTERM))
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil || strings.Contains(p.err.String(), "panic") {
			t.Errorf("ended with %v: %s", err, p.err.String())
		}
	case <-time.After(12 * time.Second):
		t.Fatal("it goes on")
	}
	t.Logf("ended after %v", time.Since(began))
	wg.Wait()
	for ended := false; !ended; { // a reader that takes nothing more would never end
		select {
		case <-l.events:
		case <-l.ended:
			ended = true
		}
	}
	p = spawn(t, dir)
	have := map[string]bool{}
	for _, id := range pageIDs(t, p.url, reader) {
		have[id] = true
	}
	for id := range acked {
		if !have[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	if len(acked) == 0 {
		t.Fatal("nothing was acknowledged, so nothing was tested")
	}
}

// TestF19Backup (F19, F20): a backup under four writers holds everything that was acknowledged before it began. Restored
// elsewhere the node starts, its audit is whole, and a reader with an old cursor misses and doubles nothing. A folder that
// holds anything is not restored into.
func TestF19Backup(t *testing.T) {
	p := newPlace(t)
	key, err := age.GenerateX25519Identity()
	ok(t, err)
	files := t.TempDir()
	backup, identity, to := filepath.Join(files, "b"), filepath.Join(files, "key"), filepath.Join(files, "node")
	ok(t, os.WriteFile(identity, []byte(key.String()+"\n"), 0o600))
	stop, early := p.writers(t)
	early()
	cursor := p.Journal.Top() // first: the writers go on
	before := p.seen(t, "named", "ring")
	code, _, errs := polderRun(t, "backup", "--data", p.dir, "--recipient", key.Recipient().String(), backup)
	if code != 0 {
		t.Fatalf("backup: %d %s", code, errs)
	}
	stop()
	top := p.Journal.Top()
	if code, _, errs := polderRun(t, "restore", "--check", "--identity", identity, backup); code != 0 {
		t.Fatalf("check: %d %s", code, errs)
	}
	for _, dir := range []string{p.dir, files} { // live, and dirty
		if code, _, errs := polderRun(t, "restore", "--data", dir, "--identity", identity, backup); code != 1 || !strings.Contains(errs, "empty") {
			t.Errorf("restored into %s: %d %s", dir, code, errs)
		}
	}
	p.end()
	if code, _, errs := polderRun(t, "restore", "--data", to, "--identity", identity, backup); code != 0 {
		t.Fatalf("restore: %d %s", code, errs)
	}
	if code, out, errs := polderRun(t, "audit", "verify", "--data", to); code != 0 {
		t.Errorf("audit: %d %s %s", code, out, errs)
	}
	p.dir = to
	p.open(t)
	after := p.seen(t, "named", "ring")
	for id := range before {
		if _, has := after[id]; !has {
			t.Errorf("%s was acknowledged before the backup began and is not in it", id)
		}
	}
	seq := p.share(t, "plain", "ring", "", entry(999_999, 0, stix.Green, ""))
	if seq <= cursor || seq <= p.lastBefore(t, seq) {
		t.Errorf("%d is not above what was handed out", seq)
	}
	t.Logf("%d before, %d restored; numbers %d then %d", len(before), len(after), top, seq)
	p.serve(t)
	l := p.listen(t, "named", fmt.Sprintf("since=%d", int64(cursor)))
	told := map[string]bool{}
	for len(told) == 0 || !told[entryID(999_999)] {
		e := <-l.events
		if told[e.id] {
			t.Errorf("told of %s twice", e.id)
		}
		told[e.id] = true
	}
	for id := range after {
		if _, old := before[id]; !old && !told[id] {
			t.Errorf("a reader with an old cursor misses %s", id)
		}
	}
}

// lastBefore is the highest number below seq that a reader sees.
func (p *place) lastBefore(t *testing.T, seq polder.Seq) polder.Seq {
	t.Helper()
	page, err := p.DB.Read().QueryContext(t.Context(), `SELECT max(seq) FROM delivery WHERE seq < ?`, int64(seq))
	ok(t, err)
	defer page.Close()
	var last int64
	for page.Next() {
		ok(t, page.Scan(&last))
	}
	return polder.Seq(last)
}

// writers share from four goroutines until stop; early waits until some of it is acknowledged.
func (p *place) writers(t *testing.T) (stop, early func()) {
	ctx, cancel := context.WithCancel(t.Context())
	some := make(chan struct{}, 1000)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if a := p.tryShare("plain", "ring", "", entry(w*10_000+i, 0, stix.Green, "")); a.status != 200 {
					t.Errorf("share: %d %s", a.status, a.body)
					return
				}
				select {
				case some <- struct{}{}:
				default:
				}
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop, func() {
		for range 40 {
			<-some
		}
	}
}

// TestF21Copy (F21, D1): a copy of polder.db without the files beside it is what people make. It is not served as if it
// were all: the refusal says what is missing and what to do.
func TestF21Copy(t *testing.T) {
	p := newPlace(t)
	for i := range 30 {
		p.share(t, "plain", "ring", "", entry(i+1, 0, stix.Green, ""))
	}
	refuseCopy(t, p, databaseFile) // before anything was moved into the database file
	p.end()
	p.open(t)
	for i := range 30 {
		p.share(t, "plain", "ring", "", entry(i+100, 0, stix.Green, ""))
	}
	refuseCopy(t, p, databaseFile)
	refuseCopy(t, p, databaseFile, headFile)
}

func refuseCopy(t *testing.T, p *place, files ...string) {
	t.Helper()
	to := t.TempDir()
	for _, name := range files {
		raw, err := os.ReadFile(filepath.Join(p.dir, name))
		ok(t, err)
		ok(t, os.WriteFile(filepath.Join(to, name), raw, 0o600))
	}
	n, err := Open(t.Context(), to, Config{}.filled(), Options{Log: p.log, Now: p.now})
	if err == nil {
		ok(t, n.Close())
		t.Errorf("a copy of %v is served", files)
		return
	}
	if text := err.Error(); !strings.Contains(text, "backup") || strings.Contains(text, "no such table") {
		t.Errorf("a copy of %v: %v", files, err)
	}
}

// TestF22Two (F22): a second serve on a folder is refused and says so; commands on it go through meanwhile.
func TestF22Two(t *testing.T) {
	p := newPlace(t)
	if n, err := Open(t.Context(), p.dir, Config{}.filled(), Options{Log: p.log}); err == nil {
		ok(t, n.Close())
		t.Error("two nodes serve one folder")
	} else if polder.KindOf(err) == polder.Internal {
		t.Errorf("refused with %v", err)
	}
	stop, early := p.writers(t)
	early()
	for i := range 5 {
		began := time.Now()
		if code, _, errs := polderRun(t, "org", "add", "--data", p.dir, "--name", fmt.Sprintf("Extra %d", i)); code != 0 {
			t.Errorf("org add: %d %s", code, errs)
		}
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("a command waited %v", took)
		}
	}
	stop()
	p.share(t, "plain", "ring", "", entry(99_999, 0, stix.Green, ""))
	p.end()
	p.open(t) // the first one gave the folder up
}

// TestF5Full (F5): below the floor of free space shares get 507 and say so over every face; reading, log-in and commands go
// on; with room again sharing goes on by itself.
func TestF5Full(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=140m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk needs the right to mount one: %v %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	p := &place{dir: filepath.Join(dir, "node"), log: &lines{}, orgs: map[string]polder.Org{}, tokens: map[string]string{}, ids: map[string]polder.TokenID{}}
	p.make(t)
	p.open(t)
	defer p.end()
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""))
	filler := filepath.Join(dir, "filler")
	ok(t, os.WriteFile(filler, make([]byte, 75<<20), 0o600))
	a := p.tryShare("plain", "ring", "", entry(2, 0, stix.Green, ""))
	b := p.ask(ask{as: "plain", method: "POST", path: "/taxii2/root/collections/ring/objects/", kind: taxiiKind, body: `{"objects":[` + entry(2, 0, stix.Green, "") + `]}`})
	if a.status != 507 || !strings.Contains(a.body, "room") && !strings.Contains(a.body, "disk") || b.status != 507 {
		t.Errorf("share on a full disk: %d %s; TAXII: %d %s", a.status, a.body, b.status, b.body)
	}
	if got := p.seen(t, "named", ""); len(got) != 1 {
		t.Errorf("reading: %v", got)
	}
	p.logIn(t, p.Accounts)
	if r := p.ask(ask{path: "/readyz"}); r.status != 507 && r.status != 503 {
		t.Errorf("/readyz: %d", r.status)
	}
	ok(t, os.Remove(filler))
	p.share(t, "plain", "ring", "", entry(2, 0, stix.Green, ""))
}
