package node

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
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
	t.Parallel() // it waits more than it works
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

// TestS17StolenNode: only CLEAR and GREEN flow until the fingerprint is confirmed; then what waited comes; a pause holds,
// a restart goes on where it was, a cut wire loses and doubles nothing; and a node that is removed gets nothing from the
// next second on, keeps what it read, and is asked for nothing any more.
func TestS17StolenNode(t *testing.T) {
	t.Parallel() // it waits more than it works
	ctx, local := context.Background(), accounts.Local()
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	wire := newStrait(t, hub.addr)
	got := joins(t, hub, maker, c, wire.url())
	shared := func(from *afloat, n int, level stix.Marking) string {
		raw := from.signal(n, "s")
		from.share(t, c.ID, level, nil, raw)
		return idOf(t, raw)
	}

	// Nobody has compared the fingerprint.
	amberDown, amberUp := shared(hub, 1, stix.Amber), shared(maker, 2, stix.Amber)
	greenDown, greenUp := shared(hub, 3, stix.Green), shared(maker, 4, stix.Green)
	maker.holds(t, c.ID, greenDown)
	hub.holds(t, c.ID, greenUp)
	maker.lacks(t, c.ID, amberDown)
	hub.lacks(t, c.ID, amberUp)
	if err := hub.federation.peers.Confirm(ctx, local, got.Link, got.Fingerprint); polder.KindOf(err) != polder.Conflict {
		t.Errorf("another fingerprint was confirmed: %v", err)
	}
	ok(t, hub.federation.peers.Confirm(ctx, local, got.Link, got.OwnFingerprint))
	maker.holds(t, c.ID, amberDown)
	hub.holds(t, c.ID, amberUp)

	// Paused on either side, nothing passes; resumed, all of it does.
	for _, by := range []*afloat{hub, maker} {
		ok(t, by.federation.peers.Pause(ctx, local, got.Link))
		time.Sleep(time.Second)
		held := shared(hub, 5, stix.Green)
		time.Sleep(500 * time.Millisecond)
		maker.lacks(t, c.ID, held)
		ok(t, by.federation.peers.Resume(ctx, local, got.Link))
		maker.holds(t, c.ID, held)
	}

	// Cut, and started again.
	for n := range 5 {
		wire.cut()
		maker.holds(t, c.ID, shared(hub, 10+n, stix.Amber))
		hub.holds(t, c.ID, shared(maker, 20+n, stix.Amber))
	}
	maker.stop()
	while := shared(hub, 30, stix.Amber)
	maker.start(t)
	maker.holds(t, c.ID, while)
	ids := map[string]int{}
	for _, one := range maker.sees(t, c.ID) {
		if ids[one]++; ids[one] > 1 {
			t.Errorf("the member holds %s twice", one)
		}
	}

	// Stolen.
	ok(t, hub.federation.peers.Remove(ctx, local, got.Link))
	time.Sleep(time.Second)
	secret, lost := shared(hub, 40, stix.Green), shared(maker, 41, stix.Green)
	until(t, "the member knows that it was removed", func() bool { return maker.linkAt(t, got.Link).Standing() == "stopped" })
	maker.lacks(t, c.ID, secret)
	hub.lacks(t, c.ID, lost)
	maker.holds(t, c.ID, while)
	if _, err := hub.Accounts.ActorOfToken(ctx, hub.linkAt(t, got.Link).Token); polder.KindOf(err) != polder.Unauthorised {
		t.Errorf("the link's token lives on: %v", err)
	}
}

// TestPeersJoin: who may join with an invitation, and with what.
func TestPeersJoin(t *testing.T) {
	t.Parallel() // it waits more than it works
	ctx, local := context.Background(), accounts.Local()
	hub, maker, other := newAfloat(t, "Hub"), newAfloat(t, "Maker"), newAfloat(t, "Other")
	c := hub.community(t, "Chips")
	invite := func(n peers.NewInvitation) peers.Invitation {
		n.Community, n.URL = c.Alias, hub.url
		inv, err := hub.federation.peers.Invite(ctx, local, n)
		ok(t, err)
		return inv
	}
	accept := func(by *afloat, inv peers.Invitation) (peers.Joined, error) {
		return by.federation.peers.Accept(ctx, local, peers.Acceptance{Line: inv.String()})
	}
	used := invite(peers.NewInvitation{})
	first, err := accept(maker, used)
	ok(t, err)
	again, err := accept(maker, used) // the first answer was lost
	ok(t, err)
	if again.Link != first.Link || again.Alias != first.Alias {
		t.Errorf("joining again gives %+v, want %+v", again, first)
	}
	forged, stranger, mine, expired, revoked := invite(peers.NewInvitation{}), invite(peers.NewInvitation{}), invite(peers.NewInvitation{Org: maker.org.ID}), invite(peers.NewInvitation{Life: time.Hour}), invite(peers.NewInvitation{})
	forged.Key = slices.Clone(forged.Key)
	forged.Key[0] ^= 1
	stranger.Secret = strings.Repeat("a", len(stranger.Secret))
	hub.ahead.Store(int64(2 * time.Hour))
	offers, err := hub.federation.peers.Invited(ctx, local)
	ok(t, err)
	ok(t, hub.federation.peers.Revoke(ctx, local, offers[len(offers)-1].ID))
	for _, row := range []struct {
		why  string
		inv  peers.Invitation
		want polder.Kind
	}{
		{"used by another node", used, polder.Unauthorised},
		{"with a key that the home does not have", forged, polder.Forbidden},
		{"with a secret that was made up", stranger, polder.Unauthorised},
		{"for another organisation", mine, polder.NotFound},
		{"that has expired by the home's clock", expired, polder.Unauthorised},
		{"that was withdrawn", revoked, polder.Unauthorised},
	} {
		if _, err := accept(other, row.inv); polder.KindOf(err) != row.want {
			t.Errorf("an invitation %s: %v, want %s", row.why, err, row.want)
		}
	}
	links, err := other.federation.peers.Links(ctx, local)
	if err != nil || len(links) != 0 {
		t.Errorf("refused invitations left links: %+v, %v", links, err)
	}
	if _, err := accept(hub, invite(peers.NewInvitation{})); polder.KindOf(err) != polder.Conflict {
		t.Errorf("the home joined itself: %v", err)
	}
	if _, err := maker.federation.peers.Invite(ctx, local, peers.NewInvitation{Community: first.Alias, URL: maker.url}); polder.KindOf(err) != polder.Conflict || !strings.Contains(err.Error(), "Hub") {
		t.Errorf("an invitation to a mirrored community: %v", err)
	}
}

// TestS19PeerDoor: requests without a session, with a foreign one, replayed, changed or in floods are refused, and the
// link of others goes on.
func TestS19PeerDoor(t *testing.T) {
	t.Parallel() // it waits more than it works
	hub, maker := newAfloat(t, "Hub"), newAfloat(t, "Maker")
	c := hub.community(t, "Chips")
	tap := &tapped{}
	door := httptest.NewServer(tap.before(hub.Handler()))
	defer door.Close()
	linked(t, hub, maker, c, door.URL)
	until(t, "a signed request", func() bool { return tap.last("/state") != nil })
	heard := tap.last("/state")
	ask := func(change func(*http.Request)) int {
		r, err := http.NewRequest(http.MethodGet, hub.url+heard.URL.RequestURI(), nil)
		ok(t, err)
		r.Header = heard.Header.Clone()
		if change != nil {
			change(r)
		}
		res, err := door.Client().Do(r)
		ok(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		ok(t, errors.Join(err, res.Body.Close()))
		return res.StatusCode
	}
	for _, row := range []struct {
		why    string
		change func(*http.Request)
		want   int
	}{
		{"replayed", nil, 409},
		{"with another number", func(r *http.Request) { r.Header.Set("Polder-Count", "900") }, 401},
		{"with a number of nobody", func(r *http.Request) { r.Header.Set("Polder-Count", "18446744073709551615") }, 409},
		{"for another path", func(r *http.Request) {
			r.URL.Path = "/api/v1/peer/deliveries"
			r.Header.Set("Polder-Count", "901")
		}, 401},
		{"without a signature", func(r *http.Request) {
			r.Header.Del("Polder-Signature")
			r.Header.Set("Polder-Count", "902")
		}, 401},
		{"of a session of nobody", func(r *http.Request) { r.Header.Set("Polder-Session", strings.Repeat("a", 26)) }, 401},
		{"without a session", func(r *http.Request) { r.Header = http.Header{} }, 401},
		{"packed", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 400},
	} {
		if got := ask(row.change); got != row.want {
			t.Errorf("a request %s is answered %d, want %d", row.why, got, row.want)
		}
	}
	limited := false
	for range 260 {
		limited = limited || ask(func(r *http.Request) { r.Header = http.Header{} }) == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("a flood from one address is not held up")
	}
	raw := hub.signal(1, "still")
	hub.share(t, c.ID, stix.Green, nil, raw)
	maker.holds(t, c.ID, idOf(t, raw))
	maker.stop() // before its door closes
}

// tapped remembers the requests that pass.
type tapped struct {
	mu  sync.Mutex
	all []*http.Request
}

func (p *tapped) before(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.all = append(p.all, r.Clone(context.Background()))
		p.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (p *tapped) last(path string) *http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range slices.Backward(p.all) {
		if strings.HasSuffix(r.URL.Path, path) {
			return r
		}
	}
	return nil
}
