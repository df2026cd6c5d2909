package exchange

import (
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestTakeWidens (X9): what its custodian widens at the home, in level or from some to all, stands so at a member's node that
// took it before, at once; and a widening by a member goes up to the home, and on to the other. What one reader may see
// wider than all does not become so for others.
func TestTakeWidens(t *testing.T) {
	h := newHub(t)
	x, y := h.member("x", polder.RoleContributor), h.member("y", polder.RoleContributor)
	at := func(l *spoke) []string { l.pull(100, true); return sightOf(t, l.world, l.org.ID, l.com.ID) }
	same := func(what string, l *spoke) {
		t.Helper()
		sameText(t, what, at(l), sightOf(t, h.world, l.org.ID, h.where.ID))
	}
	by := h.as("a", polder.RoleContributor)
	share := func(n int, level stix.Marking, to ...polder.OrgID) {
		h.share(by, Request{Community: h.where.Alias, Objects: one(someIndicator(n, 1, "p", stix.Green, "")), Level: level, To: to})
	}
	share(1, stix.Amber)
	share(2, stix.Amber, x.org.ID)
	share(3, stix.Red, x.org.ID, y.org.ID)
	for _, l := range []*spoke{x, y} {
		same("before", l)
	}
	share(1, stix.Green)           // level
	share(2, stix.Amber)           // readers
	share(3, stix.Green, x.org.ID) // level for one alone
	for _, l := range []*spoke{x, y} {
		same("widened at the home", l)
		if got := l.pull(100, true); len(got) != 0 {
			t.Errorf("%s is told again: %+v", l.name(), got)
		}
	}
	share(2, stix.Amber, y.org.ID)
	if batch, _ := x.below(x.down, 100); len(batch) != 0 {
		t.Errorf("x is told that another was named: %+v", batch)
	}

	mine := someIndicator(4, 1, "p", stix.Green, "")
	x.shareAs(Request{Objects: one(mine), Level: stix.Amber})
	x.push(100, true)
	same("a member's", y)
	x.shareAs(Request{Objects: one(mine)})
	x.push(100, true)
	same("widened by a member", y)
	same("its own", x)
}

// TestTakeSharedAnew: the home's word of an organisation's own withdrawal comes back after that shared the object again,
// and takes out nothing of what was shared since.
func TestTakeSharedAnew(t *testing.T) {
	h := newHub(t)
	x := h.member("x", polder.RoleContributor)
	raw := someIndicator(1, 1, "p", stix.Green, "")
	got := x.shareAs(Request{Objects: one(raw)})
	x.push(100, true)
	x.pull(100, true)
	_, err := x.Withdraw(t.Context(), x.as("x", polder.RoleContributor), Withdrawal{Community: x.com.Alias, ID: got.Items[0].ID})
	ok(t, err)
	x.push(100, true)
	x.shareAs(Request{Objects: one(raw)})
	x.pull(100, true)
	if held := sightOf(t, x.world, x.org.ID, x.com.ID); len(held) != 1 {
		t.Errorf("what was shared since is gone: %q", held)
	}
	x.push(100, true)
	x.pull(100, true)
	sameText(t, "in the end", sightOf(t, x.world, x.org.ID, x.com.ID), sightOf(t, h.world, x.org.ID, h.where.ID))
}

// TestF19WithdrawnSince (F19): a home that was restored from a backup hands over again what was withdrawn there after it;
// on a member's node, which heard of the withdrawal, it stays withdrawn, and is named. What is shared there again comes.
func TestF19WithdrawnSince(t *testing.T) {
	h := newHub(t)
	x := h.member("x", polder.RoleContributor)
	by := h.as("a", polder.RoleContributor)
	for n := range 2 {
		h.share(by, Request{Community: h.where.Alias, Objects: one(someIndicator(n, 1, "p", stix.Green, ""))})
	}
	backup, upto := x.below(0, 100)
	x.pull(100, true)
	_, err := h.Withdraw(t.Context(), by, Withdrawal{Community: h.where.Alias, ID: backup[0].ID})
	ok(t, err)
	x.pull(100, true)
	restored := x.origin()
	restored.Restored = upto
	got, err := x.Take(t.Context(), restored, backup, nil)
	ok(t, err)
	if got[0].State != stateQuarantined || got[0].Reason == "" || got[1].State != stateDuplicate {
		t.Errorf("out of the backup: %+v", got)
	}
	if held := sightOf(t, x.world, x.org.ID, x.com.ID); len(held) != 1 {
		t.Errorf("what was withdrawn stands again: %q", held)
	}
	h.share(by, Request{Community: h.where.Alias, Objects: one(backup[0].Raw)})
	anew, _ := x.below(upto, 100)
	if _, err = x.Take(t.Context(), restored, anew, nil); err != nil || len(sightOf(t, x.world, x.org.ID, x.com.ID)) != 2 {
		t.Errorf("what was shared again there: %v, %q", err, sightOf(t, x.world, x.org.ID, x.com.ID))
	}
}
