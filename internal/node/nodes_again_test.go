package node

import (
	"context"
	"slices"
	"testing"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/stix"
)

// TestLinkTriedAgain: what the home of a community could not judge when it was handed up, for want of a key, is handed up
// again by itself, and then is in no list of what was refused; what was withdrawn meanwhile is not.
func TestLinkTriedAgain(t *testing.T) {
	t.Parallel() // it waits more than it works
	ctx, local := context.Background(), accounts.Local()
	f := newFleet(t, 7, "Hub", "Maker")
	hub, maker := f.hub, f.ships[1]
	ok(t, maker.federation.peers.Pause(ctx, local, maker.link))
	late, gone := maker.shares(t, f.c.ID, &thing{level: stix.Amber}), maker.shares(t, f.c.ID, &thing{level: stix.Amber})
	lineage, err := maker.Journal.Lineage(ctx)
	ok(t, err)
	maker.withdraws(t, f.c.ID, gone)
	top := maker.Journal.Top()
	for _, id := range []string{late, gone} { // as the home's answer leaves it
		u := id[len("indicator--"):]
		ok(t, maker.DB.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO peers_quarantine (link, ours, seq, community, object, reason, at, waits)
				SELECT ?, 1, seq, community, ?, 'unknown key', 1, 1 FROM delivery WHERE kind = 0 AND uuid = unhex(replace(?, '-', ''))`, maker.link, id, u)
			if err == nil {
				_, err = tx.Exec(`UPDATE peers_link SET pushed = ? WHERE id = ?`, top, maker.link)
			}
			return err
		}))
	}
	links, err := hub.federation.peers.Links(ctx, local)
	ok(t, err)
	ok(t, hub.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO peers_taken (link, lineage, n) VALUES (?1, ?2, ?3) ON CONFLICT (link, lineage) DO UPDATE SET n = ?3`, links[0].ID, lineage, top)
		return err
	}))
	ok(t, maker.federation.peers.Resume(ctx, local, maker.link))
	hub.holds(t, f.c.ID, late)
	until(t, "nothing waits", func() bool { return maker.linkAt(t, maker.link).Quarantined == 0 })
	hub.lacks(t, f.c.ID, gone)
	f.agree()
}

// TestF19LinksWithdrawn (F19): the hub is restored from a backup that knows nothing of two withdrawals. What a member had
// withdrawn is withdrawn there again by itself. What the hub's organisation had withdrawn stands at the hub, and stays
// withdrawn at the member, where it is named, until it is withdrawn again or shared anew.
func TestF19LinksWithdrawn(t *testing.T) {
	t.Parallel() // it waits more than it works
	f := newFleet(t, 8, "Hub", "Maker")
	hub, maker := f.hub, f.ships[1]
	mine, theirs, other := &thing{level: stix.Amber}, &thing{level: stix.Amber}, &thing{level: stix.Amber}
	f.allHold("what is in the backup", maker.shares(t, f.c.ID, mine), hub.shares(t, f.c.ID, theirs), hub.shares(t, f.c.ID, other))
	restore := hub.backup(t)
	maker.withdraws(t, f.c.ID, mine.id)
	hub.withdraws(t, f.c.ID, theirs.id)
	until(t, "both nodes have withdrawn both", func() bool {
		return len(maker.missing(t, f.c.ID, mine.id, theirs.id))+len(hub.missing(t, f.c.ID, mine.id, theirs.id)) == 4
	})
	hub.stop()
	restore()
	hub.start(t)
	until(t, "the member's is withdrawn again", func() bool { return len(hub.missing(t, f.c.ID, mine.id)) == 1 })
	until(t, "the hub's is named at the member", func() bool {
		refused, err := maker.federation.peers.Quarantine(context.Background(), accounts.Local(), maker.link)
		ok(t, err)
		return slices.ContainsFunc(refused, func(r peers.Refused) bool { return r.ID == theirs.id })
	})
	f.allHold("what is shared then", hub.shares(t, f.c.ID, &thing{level: stix.Amber}))
	if gone := maker.missing(t, f.c.ID, mine.id, theirs.id, other.id); !slices.Equal(gone, []string{mine.id, theirs.id}) {
		t.Errorf("the member lacks %q, want what was withdrawn", gone)
	}
	if gone := hub.missing(t, f.c.ID, theirs.id); len(gone) != 0 {
		t.Error("a member has withdrawn what is another's")
	}
	hub.withdraws(t, f.c.ID, theirs.id)
	f.allHold("what is shared again", hub.shares(t, f.c.ID, theirs))
}
