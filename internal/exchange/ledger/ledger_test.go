package ledger

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/polder-exchange/polder/internal/seal"
)

// TestWitnessed: a member follows its home's log, finds there what it received, and the home passes its word on to
// another member.
func TestWitnessed(t *testing.T) {
	land := newLand(t)
	hub, a, b := land.site(t.TempDir()), land.site(t.TempDir()), land.site(t.TempDir())
	ok(t, a.syncs(hub)) // nothing was delivered yet
	for round := range 3 {
		got := hub.shares(round*40, 40)
		ok(t, hub.Build(ctx))
		a.takes(a.linked(hub), hub.handed(got))
		ok(t, a.syncs(hub))
		ok(t, b.syncs(hub))
	}
	ok(t, a.syncs(hub))
	k, err := a.logOfNode(ctx, hub.keys.node)
	ok(t, err)
	own, err := hub.logOf(ctx, hub.origin)
	ok(t, err)
	if k.Size != own.Size || k.Root != own.Root || k.Sent != own.Size || k.Witnesses != 2 {
		t.Fatalf("accepted %d of %d, told %d, %d witnesses", k.Size, own.Size, k.Sent, k.Witnesses)
	}
	cosigned, err := a.cosignatures(ctx, hub.origin)
	ok(t, err)
	if len(cosigned) != 2 {
		t.Fatalf("%d witnesses are known to a member, not itself and the other", len(cosigned))
	}
	some, err := a.receiptsOf(ctx, "indicator--00000000-0000-4000-8000-000000000077")
	ok(t, err)
	if len(some) != 1 || some[0].n < 0 {
		t.Fatalf("what was received stands at %+v", some)
	}
}

// TestRebuilt: the log is the same from the same journal, whatever was built when, and after its file was lost.
func TestRebuilt(t *testing.T) {
	land := newLand(t)
	hub := land.site(t.TempDir())
	hub.shares(0, 10)
	ok(t, hub.Build(ctx))
	first, err := hub.logOf(ctx, hub.origin)
	ok(t, err)
	hub.shares(10, 1200)
	ok(t, hub.Build(ctx))
	one, err := hub.logOf(ctx, hub.origin)
	ok(t, err)
	hub.close()
	ok(t, os.Remove(filepath.Join(hub.dir, File)))
	hub.open()
	ok(t, hub.Build(ctx))
	tree, err := hub.ownTree(ctx)
	ok(t, err)
	h := readHashes(hub.trees.db.Read(), tree)
	for _, k := range []known{first, one} {
		root, err := h.root(k.Size)
		ok(t, err)
		if root != k.Root || tree.size != one.Size {
			t.Fatalf("the root at %d of %d is %v, was %v", k.Size, tree.size, root, k.Root)
		}
	}
	if len(hub.kinds()) != 0 || one.Size < 1210 {
		t.Fatalf("evidence %v, size %d", hub.kinds(), one.Size)
	}
	if _, err := seal.OpenCheckpoint(one.Note, hub.logKey()); err != nil {
		t.Fatal(err)
	}
}
