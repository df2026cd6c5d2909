package exchange

import (
	"cmp"
	"context"
	"slices"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// hub is a home, and nodes whose organisations are members of its community "ring".
type hub struct {
	*world
	id    polder.OrgID
	links []*spoke
}

// spoke is a member's side of a link, and what its home holds for it.
type spoke struct {
	*world   // of the member
	hub      *hub
	org      polder.Org
	token    polder.TokenID
	com      polder.Community // as it is mirrored
	down, up polder.Seq       // cursors
	taken    polder.Seq       // at the home: how far the member's log was taken
}

const hubID = polder.OrgID("identity--0b0b0b0b-0000-4000-8000-00000000000b")

func newHub(t testing.TB) *hub { return &hub{world: newWorld(t), id: hubID} }

// member is a new node, with an organisation of that name.
func (h *hub) member(name string, role polder.Role) *spoke {
	h.t.Helper()
	return h.join(newWorld(h.t), name, role)
}

// join makes an organisation of a node a member of the hub's community.
func (h *hub) join(w *world, name string, role polder.Role) *spoke {
	h.t.Helper()
	ctx := context.Background()
	l := &spoke{world: w, hub: h, org: w.org(name)}
	nodeOf := accounts.Home{ID: polder.OrgID("identity--0c0c0c0c-0000-4000-8000-" + string(w.orgs["a"].ID[len(w.orgs["a"].ID)-12:])), Name: "Node of " + name}
	shape, err := h.accounts.Shape(ctx, h.where.ID)
	ok(h.t, err)
	ok(h.t, h.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := h.accounts.PutRemoteOrg(tx, accounts.Local(), accounts.RemoteOrg{ID: l.org.ID, Name: l.org.Name}, nodeOf); err != nil {
			return err
		}
		if _, err := h.accounts.JoinRemote(tx, accounts.Local(), accounts.RemoteMember{Community: h.where.ID, Org: l.org.ID, Role: role, Version: 1, Accepted: "test"}); err != nil {
			return err
		}
		l.token, err = h.accounts.LinkToken(tx, accounts.Local(), l.org.ID, polder.RoleSteward, []polder.CommunityID{h.where.ID}, "link")
		return err
	}))
	ok(h.t, w.db.Write(ctx, func(tx *db.Tx) error {
		l.com, err = w.accounts.MirrorCommunity(tx, accounts.Local(), shape, accounts.Home{ID: h.id, Name: "Hub"}, l.org.ID, role, 1)
		return err
	}))
	h.links = append(h.links, l)
	for _, l := range h.links {
		l.roster()
	}
	return l
}

func (l *spoke) roster() {
	l.hub.t.Helper()
	entries, err := l.hub.accounts.Roster(context.Background(), l.hub.where.ID)
	ok(l.hub.t, err)
	ok(l.hub.t, l.db.Write(context.Background(), func(tx *db.Tx) error {
		_, err := l.accounts.SetRoster(tx, accounts.Local(), l.com.ID, l.org.ID, entries)
		return err
	}))
}

func (l *spoke) origin() Origin {
	return Origin{Link: "link", Peer: l.hub.id, Name: "Hub", Org: l.org.ID, Community: l.com.ID, Most: stix.Red}
}

func (l *spoke) actor() polder.Actor {
	a, err := l.hub.accounts.ActorOfToken(context.Background(), l.token)
	ok(l.hub.t, err)
	return a
}

// share shares at the member, as its organisation.
func (l *spoke) shareAs(r Request) Result {
	l.hub.t.Helper()
	r.Community = l.com.Alias
	return l.world.share(l.as(l.name(), polder.RoleContributor), r)
}

func (l *spoke) name() string {
	for n, o := range l.orgs {
		if o.ID == l.org.ID {
			return n
		}
	}
	return ""
}

// below is what the home hands down after a number.
func (l *spoke) below(after polder.Seq, limit int) (batch []Handed, next polder.Seq) {
	l.hub.t.Helper()
	ctx := context.Background()
	sight, err := l.hub.Sight(ctx, l.actor())
	ok(l.hub.t, err)
	page, err := l.hub.journal.Page(ctx, sight, journal.Query{After: after, All: true, Withdrawals: true, Limit: limit})
	ok(l.hub.t, err)
	top := l.hub.journal.Top()
	if page.More {
		top = page.Deliveries[len(page.Deliveries)-1].Seq
	}
	all, next, _, err := l.hub.journal.WithWidenings(ctx, sight, page.Deliveries, after, max(after, top), limit)
	ok(l.hub.t, err)
	for _, d := range all {
		if h, yes := HandOut(d, l.org.ID); yes {
			batch = append(batch, h)
		}
	}
	return batch, max(next, after)
}

// pull takes at most limit deliveries, and moves the cursor on if told to: a cut before the answer leaves it.
func (l *spoke) pull(limit int, move bool) []Verdict {
	l.hub.t.Helper()
	batch, next := l.below(l.down, limit)
	got, err := l.Take(context.Background(), l.origin(), batch, nil)
	ok(l.hub.t, err)
	if move {
		l.down = next
	}
	return got
}

// above is what the member hands up after a number, of the next limit deliveries.
func (l *spoke) above(after polder.Seq, limit int) (batch []Handed, next polder.Seq) {
	l.hub.t.Helper()
	ctx := context.Background()
	if after >= l.journal.Top() {
		return nil, after
	}
	rows, next, err := l.journal.Tail(ctx, after, limit, 0)
	ok(l.hub.t, err)
	batch, err = l.Upward(ctx, l.org.ID, []polder.CommunityID{l.com.ID}, rows)
	ok(l.hub.t, err)
	return batch, next
}

// push hands up at most limit deliveries. The home stores how far it got; a lost answer leaves the member's own cursor.
func (l *spoke) push(limit int, answered bool) []Verdict {
	l.hub.t.Helper()
	ctx := context.Background()
	batch, next := l.above(l.up, limit)
	batch = slices.DeleteFunc(batch, func(h Handed) bool { return h.Seq <= l.taken })
	got, err := l.hub.Accept(ctx, l.actor(), l.hub.where.ID, batch, nil)
	ok(l.hub.t, err)
	l.taken = max(l.taken, next)
	if !answered {
		return got
	}
	for _, v := range got {
		if !v.Custodian {
			ok(l.hub.t, l.db.Write(ctx, func(tx *db.Tx) error { return l.YieldCustody(tx, l.origin(), v.ID) }))
		}
	}
	l.up = next
	return got
}

// sightOf is what an organisation sees in a community: versions in the order of their numbers, each with its level.
func sightOf(t testing.TB, w *world, org polder.OrgID, c polder.CommunityID) []string {
	t.Helper()
	page, err := w.journal.Page(context.Background(), polder.Sight{Org: org, Communities: []polder.CommunityID{c}}, journal.Query{All: true, Limit: 1 << 20})
	ok(t, err)
	var out []string
	for _, d := range page.Deliveries {
		out = append(out, d.ID+" "+cmp.Or(d.Version, "-")+" "+d.Level.String()+" "+string(d.Digest[:4]))
	}
	return out
}

// states are the states of verdicts, in order.
func states(vs []Verdict) (out []string) {
	for _, v := range vs {
		out = append(out, v.State)
	}
	return out
}

func sameText(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s:\n got %q\nwant %q", what, got, want)
	}
}
