package node

import (
	"context"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// TestPeersReached: the home knows when the node of its last member held a delivery, waits for one that does not take it,
// and what a node joined too late for is not its delay.
func TestPeersReached(t *testing.T) {
	ctx := context.Background()
	home, member := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := home.community(t, "Chips")
	home.share(t, c.ID, stix.Green, nil, home.signal(0, "before"))
	before := home.Journal.Top()
	if at, done, err := home.federation.peers.ReachedAll(ctx, c.ID, before); err != nil || !done || !at.Equal(before.Time()) {
		t.Errorf("without other nodes: %v %v %v, want the time at which it was shared", at, done, err)
	}
	link := linked(t, home, member, c, home.url).Link
	raw := home.signal(1, "after")
	home.share(t, c.ID, stix.Green, nil, raw)
	seq := home.Journal.Top()
	member.holds(t, c.ID, idOf(t, raw))
	if _, done, err := member.federation.peers.ReachedAll(ctx, c.ID, member.Journal.Top()); done || polder.KindOf(err) != polder.NotFound {
		t.Errorf("at a member: %v, %v, want that it is not known there", done, err)
	}
	var at time.Time
	until(t, "the acknowledgement is known", func() (done bool) {
		var err error
		at, done, err = home.federation.peers.ReachedAll(ctx, c.ID, seq)
		ok(t, err)
		return done
	})
	if took := at.Sub(seq.Time()); took <= 0 || took > 8*time.Second {
		t.Errorf("it took %s to the last member, want about a second", took)
	}
	if at, done, err := home.federation.peers.ReachedAll(ctx, c.ID, before); err != nil || !done || !at.Equal(before.Time()) {
		t.Errorf("shared before the node joined: %v %v %v, want the time at which it was shared", at, done, err)
	}
	ok(t, home.federation.peers.Pause(ctx, accounts.Local(), link))
	home.share(t, c.ID, stix.Green, nil, home.signal(2, "paused"))
	if _, done, err := home.federation.peers.ReachedAll(ctx, c.ID, home.Journal.Top()); err != nil || done {
		t.Errorf("over a paused link: %v %v, want still waiting", done, err)
	}
}
