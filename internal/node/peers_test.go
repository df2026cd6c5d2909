package node

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/exchange/peers"
	"github.com/polder-exchange/polder/stix"
)

// joins links member to a community of home over url, without a confirmation by the home.
func joins(t testing.TB, home, member *afloat, c polder.Community, url string) peers.Joined {
	t.Helper()
	inv, err := home.federation.peers.Invite(context.Background(), accounts.Local(), peers.NewInvitation{Community: c.Alias, URL: url})
	ok(t, err)
	got, err := member.federation.peers.Accept(context.Background(), accounts.Local(), peers.Acceptance{Line: inv.String()})
	ok(t, err)
	return got
}

// linked is joins, confirmed.
func linked(t testing.TB, home, member *afloat, c polder.Community, url string) peers.Joined {
	t.Helper()
	got := joins(t, home, member, c, url)
	ok(t, home.federation.peers.Confirm(context.Background(), accounts.Local(), got.Link, got.OwnFingerprint))
	return got
}

// linkAt is a link as a node shows it.
func (a *afloat) linkAt(t testing.TB, id string) peers.Link {
	t.Helper()
	l, err := a.federation.peers.Link(context.Background(), accounts.Local(), id)
	ok(t, err)
	return l
}

// holds waits until a's organisation sees an object, or the other way round.
func (a *afloat) holds(t testing.TB, c polder.CommunityID, id string) {
	t.Helper()
	until(t, a.name+" holds "+id, func() bool {
		return slices.ContainsFunc(a.sees(t, c), func(s string) bool { return strings.HasPrefix(s, id+" ") })
	})
}

// lacks checks that a does not see an object.
func (a *afloat) lacks(t testing.TB, c polder.CommunityID, id string) {
	t.Helper()
	if slices.ContainsFunc(a.sees(t, c), func(s string) bool { return strings.HasPrefix(s, id+" ") }) {
		t.Fatalf("%s holds %s", a.name, id)
	}
}

func idOf(t testing.TB, raw []byte) string {
	t.Helper()
	var o struct{ ID string }
	ok(t, json.Unmarshal(raw, &o))
	return o.ID
}

// TestPeersBothWays: what a member shares is at the home and at another member, and the other way round; each once.
func TestPeersBothWays(t *testing.T) {
	hub, maker, small := newAfloat(t, "Hub"), newAfloat(t, "Maker"), newAfloat(t, "Small")
	c := hub.community(t, "Chips")
	linked(t, hub, maker, c, hub.url)
	linked(t, hub, small, c, hub.url)
	down := hub.signal(1, "down")
	hub.share(t, c.ID, stix.Amber, nil, down)
	maker.holds(t, c.ID, idOf(t, down))
	small.holds(t, c.ID, idOf(t, down))
	up := maker.signal(2, "up")
	maker.share(t, c.ID, stix.Amber, nil, up)
	hub.holds(t, c.ID, idOf(t, up))
	small.holds(t, c.ID, idOf(t, up))
	time.Sleep(200 * time.Millisecond)
	for _, a := range []*afloat{hub, maker, small} {
		n := 0
		for _, s := range a.sees(t, c.ID) {
			if strings.HasPrefix(s, idOf(t, up)+" ") || strings.HasPrefix(s, idOf(t, down)+" ") {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%s holds %d deliveries, want each of the two once: %q", a.name, n, a.sees(t, c.ID))
		}
	}
}
