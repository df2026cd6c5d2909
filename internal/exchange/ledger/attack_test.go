package ledger

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
)

// twin is the same node once more, from a copy of its folder: it can tell another story from here on.
func (x *site) twin(dir string) *site {
	x.t.Helper()
	x.close()
	ok(x.t, os.CopyFS(dir, os.DirFS(x.dir)))
	x.open()
	y := &site{t: x.t, dir: dir, keys: &keyring{node: x.keys.node, book: x.keys.book}, now: x.now, stop: &stopper{}}
	y.open()
	x.t.Cleanup(y.close)
	return y
}

// forked are a hub, the same hub with another story since some deliveries ago, and two members who saw what came before.
func forked(t *testing.T) (hub, other, a, b *site) {
	land := newLand(t)
	hub, a, b = land.site(t.TempDir()), land.site(t.TempDir()), land.site(t.TempDir())
	hub.shares(0, 20)
	ok(t, hub.Build(ctx))
	ok(t, a.syncs(hub))
	ok(t, b.syncs(hub))
	other = hub.twin(t.TempDir())
	hub.shares(100, 10)
	ok(t, hub.Build(ctx))
	other.shares(200, 30)
	ok(t, other.Build(ctx))
	return hub, other, a, b
}

// caughtAs fails unless a caught the node of the log at this, kept the evidence and stopped the links.
func caughtAs(t *testing.T, a *site, err error, kind string) {
	t.Helper()
	if polder.KindOf(err) != polder.Conflict {
		t.Fatalf("not caught: %v", err)
	}
	if got := a.kinds(); len(got) != 1 || got[0] != kind {
		t.Fatalf("evidence %q, want %q", got, kind)
	}
	if len(a.stop.peers) != 1 {
		t.Fatalf("links were stopped %d times", len(a.stop.peers))
	}
	all, err := a.States(ctx)
	ok(t, err)
	if !slices.ContainsFunc(all, func(st State) bool { return slices.ContainsFunc(st.Alarms, Alarm.Bad) }) {
		t.Fatal("nothing is shown")
	}
}

// TestS27Fork: a member that saw one story is shown the other: its own consistency check catches that within one sync, and
// both checkpoints are kept.
func TestS27Fork(t *testing.T) {
	hub, other, a, _ := forked(t)
	ok(t, a.syncs(hub))
	err := a.Sync(ctx, a.linked(hub), a.lineTo(other))
	caughtAs(t, a, err, Forked)
	all, err := a.allEvidence(ctx)
	ok(t, err)
	key := hub.logKey()
	first, err := seal.OpenCheckpoint(all[0].First, key)
	ok(t, err)
	second, err := seal.OpenCheckpoint(all[0].Second, key)
	ok(t, err)
	if first.Origin != second.Origin || first.Root == second.Root {
		t.Fatalf("the evidence shows %+v and %+v", first.Checkpoint, second.Checkpoint)
	}
	k, err := a.logOfNode(ctx, hub.keys.node)
	ok(t, err)
	if k.Root != first.Root {
		t.Fatal("the other story was accepted")
	}
	ok(t, a.syncs(hub)) // the copy of the first story is still whole
}

// TestS27Compare: two members were told two stories. One gives its checkpoint to the other, who holds it against its own.
func TestS27Compare(t *testing.T) {
	hub, other, a, b := forked(t)
	ok(t, a.syncs(hub))
	ok(t, b.Sync(ctx, b.linked(hub), b.lineTo(other)))
	_, short, err := a.Checkpoint(ctx, string(hub.keys.node))
	ok(t, err)
	known, err := b.Keys(ctx)
	ok(t, err)
	witnessed, err := a.Keys(ctx)
	ok(t, err)
	v := VerifyFile("checkpoint of a", short, known.With(witnessed))
	ok(t, v.Err)
	caughtAs(t, b, b.Compare(ctx, v.Signed[0], true), Forked)

	_, long, err := b.Checkpoint(ctx, "the hub")
	ok(t, err)
	v = VerifyFile("checkpoint of b", long, known.With(witnessed))
	ok(t, v.Err)
	if err := a.Compare(ctx, v.Signed[0], true); !errors.Is(err, ErrNotSeen) {
		t.Fatalf("a longer log than was seen cannot be compared: %v", err)
	}
}

// TestS27Witness: the hub tells a member one story and hands it, by mistake, the signature of a witness under the other.
func TestS27Witness(t *testing.T) {
	hub, other, a, b := forked(t)
	ok(t, b.Sync(ctx, b.linked(hub), b.lineTo(other)))
	hub.shares(300, 60) // longer than the story that b signed
	ok(t, hub.Build(ctx))
	line := a.lineTo(hub)
	line.change = func(path string, answer []byte) []byte {
		if path != "log/cosignatures" {
			return answer
		}
		all, err := other.cosignatures(ctx, hub.origin)
		ok(t, err)
		out := cosignaturesAnswer{Witnesses: 2}
		for _, c := range all {
			out.Notes = append(out.Notes, string(c.Note))
		}
		raw, err := json.Marshal(out)
		ok(t, err)
		return raw
	}
	caughtAs(t, a, a.Sync(ctx, a.linked(hub), line), Forked)
}

// TestS27Later: a command finds the contradiction while another process serves; the links are stopped at the next sync.
func TestS27Later(t *testing.T) {
	hub, other, a, _ := forked(t)
	ok(t, a.syncs(hub))
	_, raw, err := other.Checkpoint(ctx, "")
	ok(t, err)
	hub.shares(300, 60)
	ok(t, hub.Build(ctx))
	ok(t, a.syncs(hub))
	signed, err := seal.OpenCheckpoint(raw, hub.logKey())
	ok(t, err)
	a.o.Stop = nil // as in the process of a command that cannot reach the links
	if err := a.Compare(ctx, signed, true); polder.KindOf(err) != polder.Conflict || len(a.stop.peers) != 0 {
		t.Fatalf("compared: %v", err)
	}
	a.o.Stop = a.stop
	caughtAs(t, a, a.syncs(hub), Forked)
	ok(t, a.syncs(hub)) // a person let the link go on, and the hub tells the first story
}

// TestS27Rollback: a log that became shorter is caught. One that shows nothing is not accepted either, but nothing signed
// accuses it: a home that was restored a moment ago has signed nothing yet.
func TestS27Rollback(t *testing.T) {
	for name, answer := range map[string]func(old []byte) []byte{
		"yesterday's": func(old []byte) []byte { return old },
		"none":        func([]byte) []byte { return []byte(`{"note":""}`) },
	} {
		t.Run(name, func(t *testing.T) {
			land := newLand(t)
			hub, a := land.site(t.TempDir()), land.site(t.TempDir())
			hub.shares(0, 10)
			ok(t, hub.Build(ctx))
			var old []byte
			line := a.lineTo(hub)
			line.change = func(path string, answer []byte) []byte {
				if path == "log/checkpoint" {
					old = answer
				}
				return answer
			}
			ok(t, a.Sync(ctx, a.linked(hub), line))
			hub.shares(10, 10)
			ok(t, hub.Build(ctx))
			ok(t, a.syncs(hub))
			line.change = func(path string, now []byte) []byte {
				if path == "log/checkpoint" {
					return answer(old)
				}
				return now
			}
			err := a.Sync(ctx, a.linked(hub), line)
			if name == "yesterday's" {
				caughtAs(t, a, err, Shorter)
				return
			}
			if polder.KindOf(err) != polder.Unavailable || len(a.stop.peers) != 0 {
				t.Errorf("a log that shows nothing: %v, links stopped: %v", err, a.stop.peers)
			}
			all, err := a.States(ctx)
			ok(t, err)
			for _, st := range all {
				if !st.Own && st.Size == 0 {
					t.Error("what was accepted before is forgotten")
				}
			}
		})
	}
}

// TestS27Omitted: what is handed over and is not in the log as it was handed over, is caught as soon as a checkpoint
// covers its number.
func TestS27Omitted(t *testing.T) {
	for name, lie := range map[string]func(h *exchange.Handed){
		"other content":   func(h *exchange.Handed) { h.Raw = indicator(3, "another name") },
		"another number":  func(h *exchange.Handed) { h.Seq-- },
		"another room":    func(h *exchange.Handed) { h.Community = "8c39ae5c-0a8a-4c0a-9a58-2c0d3a1f8f12" },
		"no nonce":        func(h *exchange.Handed) { h.Nonce = nil },
		"a foreign nonce": func(h *exchange.Handed) { h.Nonce = make([]byte, seal.NonceSize) },
		"another's object": func(h *exchange.Handed) {
			h.Raw = indicator(99, "a name")
			h.ID = "indicator--00000000-0000-4000-8000-000000000099"
		},
	} {
		t.Run(name, func(t *testing.T) {
			land := newLand(t)
			hub, a := land.site(t.TempDir()), land.site(t.TempDir())
			batch := hub.handed(hub.shares(0, 10))
			ok(t, hub.Build(ctx))
			lie(&batch[3])
			a.takes(a.linked(hub), batch)
			caughtAs(t, a, a.syncs(hub), Omitted)
			found, err := a.receiptsOf(ctx, "indicator--00000000-0000-4000-8000-000000000004")
			ok(t, err)
			if len(found) != 1 || found[0].n == missing {
				t.Fatalf("what was handed over as it is stands at %+v", found)
			}
		})
	}
}

// TestS27Unproven: leaves that do not make the root that was signed; an answer that was damaged once is asked for again.
func TestS27Unproven(t *testing.T) {
	for name, always := range map[string]bool{"always": true, "once": false} {
		t.Run(name, func(t *testing.T) {
			land := newLand(t)
			hub, a := land.site(t.TempDir()), land.site(t.TempDir())
			hub.shares(0, 10)
			ok(t, hub.Build(ctx))
			line, done := a.lineTo(hub), false
			line.change = func(path string, answer []byte) []byte {
				if path != "log/leaves" || done {
					return answer
				}
				done = !always
				var l leavesAnswer
				ok(t, json.Unmarshal(answer, &l))
				l.Hashes[40] ^= 1
				raw, err := json.Marshal(l)
				ok(t, err)
				return raw
			}
			err := a.Sync(ctx, a.linked(hub), line)
			if always {
				caughtAs(t, a, err, Unproven)
				return
			}
			ok(t, err)
			if len(a.kinds()) != 0 {
				t.Fatalf("evidence %v after one damaged answer", a.kinds())
			}
		})
	}
}

// TestS27Killed: a witness is cut off after each of its steps and started again, while the hub's log grows and then forks.
// Whatever it signs was on its disk before, and what it signs never goes back or aside.
func TestS27Killed(t *testing.T) {
	land := newLand(t)
	hub, a := land.site(t.TempDir()), land.site(t.TempDir())
	hub.shares(0, 20)
	ok(t, hub.Build(ctx))
	other := hub.twin(t.TempDir())
	var size int64
	cosigns := 0
	die := false
	a.keys.signed = func(m []byte) error {
		_, text, _ := strings.Cut(strings.TrimPrefix(string(m), "cosignature/v1\n"), "\n")
		c, err := seal.ParseCheckpoint(text)
		ok(t, err)
		k, err := a.logOf(ctx, c.Origin)
		ok(t, err)
		if k.checkpoint() != c {
			t.Fatalf("signed %+v while %+v was on the disk", c, k.checkpoint())
		}
		if c.Size < size {
			t.Fatalf("signed %d leaves after %d", c.Size, size)
		}
		tree, err := hub.ownTree(ctx)
		ok(t, err)
		root, err := readHashes(hub.trees.db.Read(), tree).root(c.Size)
		ok(t, err)
		if root != c.Root {
			t.Fatal("signed the other story")
		}
		size = c.Size
		cosigns++
		if die {
			return errCut
		}
		return nil
	}
	for round := 1; round <= 8; round++ {
		hub.shares(1000*round, 5)
		ok(t, hub.Build(ctx))
		line := a.lineTo(hub)
		line.cut = round % 5
		die = round > 5
		_ = a.Sync(ctx, a.linked(hub), line) // it breaks off somewhere
		a.restart()
	}
	die = false
	other.shares(90_000, 400)
	ok(t, other.Build(ctx))
	if err := a.Sync(ctx, a.linked(hub), a.lineTo(other)); polder.KindOf(err) != polder.Conflict {
		t.Fatalf("the fork was not caught: %v", err)
	}
	ok(t, a.syncs(hub))
	if cosigns < 4 {
		t.Fatalf("only %d cosignatures were made", cosigns)
	}
}

// TestS28Freeze: deliveries without a checkpoint that covers them, and a node that does not answer, are shown after a day.
func TestS28Freeze(t *testing.T) {
	land := newLand(t)
	hub, a := land.site(t.TempDir()), land.site(t.TempDir())
	a.takes(a.linked(hub), hub.handed(hub.shares(0, 5)))
	ok(t, hub.Build(ctx))
	ok(t, a.syncs(hub))
	late := hub.handed(hub.shares(5, 5)) // no checkpoint covers them: the hub stopped signing
	a.takes(a.linked(hub), late)
	shown := func() (kinds []string) {
		all, err := a.States(ctx)
		ok(t, err)
		for _, st := range all {
			for _, alarm := range st.Alarms {
				if alarm.Bad() {
					t.Fatalf("freezing is no lie: %s", alarm.Kind)
				}
				kinds = append(kinds, alarm.Kind)
			}
		}
		return kinds
	}
	land.now = land.now.Add(23 * time.Hour)
	ok(t, a.syncs(hub))
	if got := shown(); len(got) != 0 {
		t.Fatalf("alarms %v before a day is over", got)
	}
	land.now = land.now.Add(2 * time.Hour)
	ok(t, a.syncs(hub))
	if got := shown(); !slices.Equal(got, []string{Frozen}) {
		t.Fatalf("alarms %v after a day without a checkpoint", got)
	}
	land.now = land.now.Add(25 * time.Hour)
	if got := shown(); !slices.Equal(got, []string{Frozen, Silent}) {
		t.Fatalf("alarms %v after a day without an answer", got)
	}
	ok(t, hub.Build(ctx))
	ok(t, a.syncs(hub))
	if got := shown(); len(got) != 0 {
		t.Fatalf("alarms %v after the hub has caught up", got)
	}
}

// TestRestored: a restored node begins another log. That is shown and is no lie; that the log before comes back is one.
func TestRestored(t *testing.T) {
	land := newLand(t)
	hub, a := land.site(t.TempDir()), land.site(t.TempDir())
	a.takes(a.linked(hub), hub.handed(hub.shares(0, 5)))
	ok(t, hub.Build(ctx))
	ok(t, a.syncs(hub))
	backup := hub.twin(t.TempDir())
	lost := hub.handed(hub.shares(5, 3)) // handed over, and then lost with the disk before a checkpoint covered it
	a.takes(a.linked(hub), lost)
	land.now = land.now.Add(time.Hour)
	backup.close()
	d, err := db.Open(ctx, filepath.Join(backup.dir, "polder.db"), db.Options{})
	ok(t, err)
	ok(t, journal.Restored(ctx, d, filepath.Join(backup.dir, "head"), land.now))
	ok(t, d.Close())
	backup.open()
	backup.shares(9, 2)
	ok(t, backup.Build(ctx))
	ok(t, a.Sync(ctx, a.linked(hub), a.lineTo(backup)))
	all, err := a.States(ctx)
	ok(t, err)
	if len(all) != 3 || all[1].Origin != backup.origin || len(all[1].Alarms) != 0 || all[2].Ended.IsZero() || all[2].Before != 3 || all[2].Waiting != 0 {
		t.Fatalf("states %+v", all)
	}
	if len(a.kinds()) != 0 {
		t.Fatalf("evidence %v of a restore", a.kinds())
	}
	_, err = a.Prove(ctx, lost[0].ID, "", "")
	if polder.KindOf(err) != polder.NotFound {
		t.Fatalf("proof of what was lost: %v", err)
	}
	caughtAs(t, a, a.syncs(hub), Shorter)
}
