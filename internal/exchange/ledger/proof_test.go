package ledger

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/seal"
)

// TestProve: what a member received, and what a node delivered itself, is proved to anybody who has the keys; withdrawals
// and erased objects like others.
func TestProve(t *testing.T) {
	land := newLand(t)
	hub, a := land.site(t.TempDir()), land.site(t.TempDir())
	rows := hub.shares(0, 30)
	withdrawn := journal.Delivery{Kind: journal.Withdrawn, Community: ring, Line: rows[3].Line, ID: rows[3].ID, Version: rows[3].Version, Sharer: "identity--a", Custodian: "identity--a",
		Level: rows[3].Level, Nominal: polder.Everyone(), Reached: polder.Everyone()}
	var gone []journal.Delivery
	ok(t, hub.db.Write(ctx, func(tx *db.Tx) (err error) { gone, err = hub.j.Append(tx, []journal.Delivery{withdrawn}); return err }))
	a.takes(a.linked(hub), hub.handed(append(rows, gone...)))
	if _, err := a.Prove(ctx, rows[5].ID, "", ""); polder.KindOf(err) != polder.Unavailable {
		t.Fatalf("proof before a checkpoint: %v", err)
	}
	ok(t, hub.db.Write(ctx, func(tx *db.Tx) error { return hub.j.Erase(tx, []polder.Seq{rows[9].Seq}) }))
	ok(t, hub.Build(ctx))
	ok(t, a.syncs(hub))
	known, err := a.Keys(ctx)
	ok(t, err)
	file, err := ReadKeys(strings.NewReader(strings.Join(known.Lines(), "\n")))
	ok(t, err)
	for _, from := range []*site{a, hub} {
		for _, id := range []string{rows[0].ID, rows[29].ID, rows[3].ID, rows[9].ID} {
			p, err := from.Prove(ctx, id, "", "")
			ok(t, err)
			v := VerifyFile("proof", p.Marshal(), file)
			if v.Err != nil || v.Leaf.ID != id || (v.Leaf.Kind == 1) != (id == rows[3].ID) {
				t.Fatalf("%v of %+v", v.Err, v.Leaf)
			}
			ok(t, a.Compare(ctx, v.Signed[0], true))
		}
	}
	if _, err := a.Prove(ctx, rows[0].ID, "2026-01-01T00:00:00Z", hub.origin); err != nil {
		t.Errorf("of a version, in another way of writing it: %v", err)
	}
	if _, err := a.Prove(ctx, rows[0].ID, "2026-01-02T00:00:00Z", ""); polder.KindOf(err) != polder.NotFound {
		t.Errorf("of a version that is not there: %v", err)
	}
	if len(a.kinds())+len(hub.kinds()) != 0 {
		t.Errorf("evidence %v %v", a.kinds(), hub.kinds())
	}
}

// TestProveGrowth: an old checkpoint is shown to be how the log began.
func TestProveGrowth(t *testing.T) {
	hub, other, a, _ := forked(t)
	_, old, err := a.Checkpoint(ctx, "")
	if err == nil {
		t.Fatalf("a node that delivered nothing has a checkpoint: %s", old)
	}
	_, old, err = a.Checkpoint(ctx, string(hub.keys.node))
	ok(t, err)
	ok(t, a.syncs(hub))
	p, err := a.ProveGrowth(ctx, old)
	ok(t, err)
	known, err := a.Keys(ctx)
	ok(t, err)
	if v := VerifyFile("growth", p.Marshal(), known); v.Err != nil || v.Signed[0].Size >= v.Signed[1].Size {
		t.Fatalf("%v: %+v", v.Err, v.Signed)
	}
	_, foreign, err := other.Checkpoint(ctx, "")
	ok(t, err)
	if _, err := a.ProveGrowth(ctx, foreign); err == nil {
		t.Fatal("another story is how the log began")
	}
	bad := p
	bad.Later = foreign
	if v := VerifyFile("growth", bad.Marshal(), known); v.Err == nil {
		t.Fatal("the other story grew from what was seen")
	}
}

// TestDoor: what peers ask is bounded, and what they say of this node's log is held against it.
func TestDoor(t *testing.T) {
	land := newLand(t)
	hub, a := land.site(t.TempDir()), land.site(t.TempDir())
	hub.shares(0, 10)
	ok(t, hub.Build(ctx))
	line := a.lineTo(hub)
	size := hub.Size()
	for why, q := range map[string]url.Values{
		"no range":         {},
		"backwards":        {"from": {"5"}, "to": {"4"}},
		"empty":            {"from": {"5"}, "to": {"5"}},
		"below the first":  {"from": {"-1"}, "to": {"4"}},
		"too many":         {"from": {"0"}, "to": {strconv.Itoa(leavesAtOnce + 1)}},
		"beyond what is":   {"from": {"0"}, "to": {strconv.FormatInt(size+1, 10)}},
		"beyond all bound": {"from": {"0"}, "to": {"99999999999999999999"}},
	} {
		if err := line.Call(ctx, "GET", "log/leaves", q, nil, &leavesAnswer{}); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: %v", why, err)
		}
	}
	ok(t, a.syncs(hub))
	all, err := hub.cosignatures(ctx, hub.origin)
	ok(t, err)
	if len(all) != 1 || all[0].Witness != a.keys.node {
		t.Fatalf("cosignatures %+v", all)
	}
	b := land.site(t.TempDir())
	for why, note := range map[string]string{
		"another's signature": string(all[0].Note),
		"none":                "",
		"not a note":          "polder",
	} {
		if err := b.lineTo(hub).Call(ctx, "POST", "log/cosign", nil, cosignBody{note}, nil); polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: %v", why, err)
		}
	}
	other := hub.twin(t.TempDir())
	other.shares(50, 10)
	ok(t, other.Build(ctx))
	ok(t, b.Sync(ctx, b.linked(hub), b.lineTo(other)))
	seen, err := b.cosignatures(ctx, hub.origin)
	ok(t, err)
	if err := b.lineTo(hub).Call(ctx, "POST", "log/cosign", nil, cosignBody{string(seen[0].Note)}, nil); polder.KindOf(err) != polder.Conflict || hub.kinds()[0] != Usurped {
		t.Errorf("a checkpoint that the hub did not sign: %v, evidence %v", err, hub.kinds())
	}
	if err := a.Received(nil, exchange.PeerLink{Serves: true}, []exchange.Handed{{}}); err != nil {
		t.Errorf("what members push is in no log: %v", err)
	}
}

// TestRotated: a home changes its key; its log goes on, and the last checkpoint is signed again so that it verifies.
func TestRotated(t *testing.T) {
	land := newLand(t)
	hub, a := land.site(t.TempDir()), land.site(t.TempDir())
	hub.shares(0, 10)
	ok(t, hub.Build(ctx))
	ok(t, a.syncs(hub))
	land.book.private[hub.keys.node] = land.book.private[a.keys.node] // any other key
	if err := a.syncs(hub); polder.KindOf(err) != polder.Invalid {
		t.Fatalf("signed by a key that is not in force: %v", err)
	}
	_, err := hub.advance(ctx)
	ok(t, err)
	ok(t, a.syncs(hub))
	hub.shares(10, 10)
	ok(t, hub.Build(ctx))
	ok(t, a.syncs(hub))
	k, err := a.logOfNode(ctx, hub.keys.node)
	ok(t, err)
	if k.Size != hub.Size() || k.Sent != k.Size || len(a.kinds()) != 0 {
		t.Fatalf("accepted %d of %d, told %d, evidence %v", k.Size, hub.Size(), k.Sent, a.kinds())
	}
}

// FuzzReadKeys: no file of keys, and no note held against it, brings a command down.
func FuzzReadKeys(f *testing.F) {
	f.Add([]byte("# keys\n\npolder.exchange/a/b+00000000+AQ==\n"))
	f.Add([]byte(`{"owner":"identity--a","statements":[{}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		k, err := ReadKeys(bytes.NewReader(in))
		if err == nil {
			for _, line := range k.Lines() {
				if _, err := seal.ParseLogKey(line); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
			}
		}
		if v := VerifyFile("f", in, k); v.Err == nil {
			t.Fatalf("%q verifies", in)
		}
	})
}

// FuzzSync: whatever a home answers, a member neither falls nor signs what it has not checked.
func FuzzSync(f *testing.F) {
	f.Add([]byte(`{"note":"x\n\n— x AAAA\n"}`), []byte(`{"hashes":"AAAA"}`), []byte(`{"notes":["x"],"witnesses":-1}`))
	f.Fuzz(func(t *testing.T, checkpoint, leaves, cosigned []byte) {
		land := newLand(t)
		a, hub := land.site(t.TempDir()), land.site(t.TempDir())
		hub.shares(0, 2)
		ok(t, hub.Build(ctx))
		line := a.lineTo(hub)
		line.change = func(path string, answer []byte) []byte {
			for at, lie := range map[string][]byte{"log/checkpoint": checkpoint, "log/leaves": leaves, "log/cosignatures": cosigned} {
				if path == at && json.Valid(lie) {
					return lie
				}
			}
			return answer
		}
		_ = a.Sync(ctx, a.linked(hub), line) // refused in any way but a panic
		k, err := a.logOfNode(ctx, hub.keys.node)
		if err == nil && k.Size > 0 {
			own, err := hub.logOf(ctx, hub.origin)
			if err != nil || own.Root != k.Root {
				t.Fatalf("accepted %+v", k)
			}
		}
	})
}
