package accounts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

const (
	hubNode   = polder.OrgID("identity--0a0a0a0a-0000-4000-8000-000000000001")
	otherNode = polder.OrgID("identity--0a0a0a0a-0000-4000-8000-000000000002")
	farOrg    = polder.OrgID("identity--0b0b0b0b-0000-4000-8000-000000000001")
)

// in runs fn in a transaction.
func (n *node) in(fn func(tx *db.Tx) error) error { return n.db.Write(ctx, fn) }

// mirrored is a member's node that mirrors a community of another, and the shape of that.
func mirrored(t *testing.T) (m *node, own polder.Org, com polder.Community, home *node, shape CommunityShape) {
	t.Helper()
	home, m = newNode(t), newNode(t)
	made, err := home.AddCommunity(ctx, Local(), "Ring", stix.Green)
	ok(t, err)
	shape, err = home.Shape(ctx, made.ID)
	ok(t, err)
	_, err = m.AddCommunity(ctx, Local(), "Ring", stix.None) // takes the alias
	ok(t, err)
	own, err = m.AddOrg(ctx, Local(), NewOrg{Name: "Own"})
	ok(t, err)
	ok(t, m.in(func(tx *db.Tx) error {
		com, err = m.MirrorCommunity(tx, Local(), shape, Home{hubNode, "Hub"}, own.ID, polder.RoleSteward, 1)
		return err
	}))
	return m, own, com, home, shape
}

// TestMirrorIsTheSame: a mirrored community bears the same id and gives the same bytes for "a member", under an alias of
// its own, and its agreement is accepted by who joined it.
func TestMirrorIsTheSame(t *testing.T) {
	m, own, com, home, shape := mirrored(t)
	if com.ID != shape.ID || com.Alias != "ring-2" || com.Home != hubNode || com.Unmarked != stix.Green {
		t.Errorf("got %+v", com)
	}
	a, err := home.BlindObject(ctx, shape.ID)
	ok(t, err)
	b, err := m.BlindObject(ctx, com.ID)
	ok(t, err)
	if string(a) != string(b) {
		t.Errorf("blind identities differ:\n%s\n%s", a, b)
	}
	ms, err := m.Memberships(ctx, own.ID)
	ok(t, err)
	if len(ms) != 1 || !ms[0].Accepted || ms[0].Role != polder.RoleSteward || !ms[0].Mirrored() {
		t.Errorf("memberships %+v", ms)
	}
	if _, err := m.Shape(ctx, com.ID); polder.KindOf(err) != polder.Forbidden {
		t.Errorf("a mirror hands the community on: %v", err)
	}
	for name, change := range map[string]func(*CommunityShape){
		"another's id":     func(s *CommunityShape) { s.Blind = "identity--0a0a0a0a-0000-4000-8000-0000000000aa" },
		"a changed text":   func(s *CommunityShape) { s.Agreement.Text = "All yours." },
		"no text":          func(s *CommunityShape) { s.Agreement.Text = "" },
		"times":            func(s *CommunityShape) { s.Modified = 1 },
		"a hidden name":    func(s *CommunityShape) { s.Name = "Ring\u202e" },
		"an unsafe level":  func(s *CommunityShape) { s.Unmarked = stix.Red },
		"a version behind": func(s *CommunityShape) { s.Agreement.Needed = 7 },
	} {
		bad := shape
		change(&bad)
		if err := m.in(func(tx *db.Tx) error {
			_, err := m.MirrorCommunity(tx, Local(), bad, Home{hubNode, "Hub"}, own.ID, polder.RoleReader, 0)
			return err
		}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	err = m.in(func(tx *db.Tx) error {
		_, err := m.MirrorCommunity(tx, Local(), shape, Home{otherNode, "Other"}, own.ID, polder.RoleReader, 0)
		return err
	})
	if polder.KindOf(err) != polder.Conflict {
		t.Errorf("another home speaks for it: %v", err)
	}
}

// TestMirrorIsChangedAtHome: whatever adds members to a mirrored community, invites to it, changes its agreement or widens
// it here is refused, and says where to ask; so is acting for a remote organisation.
func TestMirrorIsChangedAtHome(t *testing.T) {
	m, own, com, _, shape := mirrored(t)
	remote := RosterEntry{RemoteOrg: RemoteOrg{ID: farOrg, Name: "Far"}, Role: "contributor", Accepted: true}
	ok(t, m.in(func(tx *db.Tx) error {
		_, err := m.SetRoster(tx, Local(), com.ID, own.ID, []RosterEntry{remote})
		return err
	}))
	local, err := m.AddOrg(ctx, Local(), NewOrg{Name: "Another"})
	ok(t, err)
	ann, _, err := m.AddPerson(ctx, Local(), NewPerson{Org: local.ID, Email: "ann@example.com", Name: "Ann", Role: polder.RoleSteward})
	ok(t, err)
	person := polder.Actor{Org: local.ID, Person: ann.ID, Name: ann.Name, Role: polder.RoleSteward}
	for name, do := range map[string]func() error{
		"join":           func() error { _, err := m.Join(ctx, Local(), com.ID, local.ID, polder.RoleReader); return err },
		"join a remote":  func() error { _, err := m.Join(ctx, Local(), com.ID, farOrg, polder.RoleReader); return err },
		"role":           func() error { return m.SetMemberRole(ctx, Local(), com.ID, own.ID, polder.RoleSteward) },
		"end a remote":   func() error { return m.Leave(ctx, Local(), com.ID, farOrg) },
		"invite":         func() error { _, _, err := m.Invite(ctx, Local(), NewInvitation{Community: com.ID}); return err },
		"request":        func() error { _, err := m.RequestJoin(ctx, person, com.ID, "please", 0); return err },
		"agreement":      func() error { _, err := m.SetAgreement(ctx, Local(), com.ID, "Another text.", true); return err },
		"unmarked":       func() error { return m.SetUnmarked(ctx, Local(), com.ID, stix.Clear) },
		"join at a node": func() error { return joinRemote(m, com.ID, farOrg) },
		"person of far":  func() error { return addPersonOf(m, farOrg) },
		"token of far": func() error {
			_, _, err := m.CreateToken(ctx, Local(), NewToken{Org: farOrg, Role: polder.RoleReader})
			return err
		},
		"rename far": func() error { return m.ChangeOrg(ctx, Local(), farOrg, NewOrg{Name: "Mine"}) },
	} {
		err := do()
		if polder.KindOf(err) != polder.Forbidden || !strings.Contains(err.Error(), "lives at Hub; ask there") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok(t, m.Leave(ctx, Local(), com.ID, own.ID)) // to leave takes nothing of anybody
	_ = shape
}

func joinRemote(m *node, com polder.CommunityID, org polder.OrgID) error {
	return m.in(func(tx *db.Tx) error {
		_, err := m.JoinRemote(tx, Local(), RemoteMember{Community: com, Org: org})
		return err
	})
}

func addPersonOf(m *node, org polder.OrgID) error {
	_, _, err := m.AddPerson(ctx, Local(), NewPerson{Org: org, Email: "x@example.com", Name: "X", Role: polder.RoleReader})
	return err
}

// TestRoster: the home's roster adds, changes and removes remote members, leaves this node's own alone but for the role of
// the link's, and says nothing new when there is nothing.
func TestRoster(t *testing.T) {
	m, own, com, _, _ := mirrored(t)
	local, err := m.AddOrg(ctx, Local(), NewOrg{Name: "Acme"})
	ok(t, err)
	set := func(entries ...RosterEntry) (changed bool) {
		t.Helper()
		ok(t, m.in(func(tx *db.Tx) (err error) {
			changed, err = m.SetRoster(tx, Local(), com.ID, own.ID, entries)
			return err
		}))
		return changed
	}
	far := RosterEntry{RemoteOrg: RemoteOrg{ID: farOrg, Name: "ACME", Country: "NL"}, Role: "contributor", Accepted: true}
	mine := RosterEntry{RemoteOrg: RemoteOrg{ID: own.ID, Name: "Impostor"}, Role: "reader"}
	others := RosterEntry{RemoteOrg: RemoteOrg{ID: local.ID, Name: "Impostor"}, Role: "steward"}
	if !set(far, mine, others) || set(far, mine, others) {
		t.Error("a change is not noticed, or none is taken for one")
	}
	o, err := m.Org(ctx, farOrg)
	ok(t, err)
	if o.Name != "ACME (Hub)" || o.Home != hubNode || !o.Remote() {
		t.Errorf("got %+v", o)
	}
	members, err := m.Members(ctx, com.ID)
	ok(t, err)
	roles := map[polder.OrgID]polder.Role{}
	for _, x := range members {
		roles[x.Org] = x.Role
	}
	if len(roles) != 2 || roles[own.ID] != polder.RoleReader || roles[farOrg] != polder.RoleContributor {
		t.Errorf("members %v", roles)
	}
	if own, _ := m.Org(ctx, own.ID); own.Name != "Own" {
		t.Errorf("a home renamed %s", own.Name)
	}
	far.Role = "steward"
	if !set(far, mine) {
		t.Error("another role is no change")
	}
	if !set(mine) {
		t.Error("who left is no change")
	}
	if _, err := m.Org(ctx, farOrg); polder.KindOf(err) != polder.NotFound {
		t.Errorf("who left is still there: %v", err)
	}
	err = m.in(func(tx *db.Tx) error {
		_, err := m.SetRoster(tx, Local(), com.ID, own.ID, make([]RosterEntry, MaxRoster+1))
		return err
	})
	if polder.KindOf(err) != polder.Invalid {
		t.Errorf("too many: %v", err)
	}
	ok(t, m.in(func(tx *db.Tx) error { return m.RemoveMirror(tx, Local(), com.ID, own.ID) }))
	if members, err = m.Members(ctx, com.ID); err != nil || len(members) != 0 {
		t.Errorf("left %v %v", members, err)
	}
}

// TestS22RosterOfOneMember: an organisation that joined its home under an id which stands for something else at a member
// is passed over there, and the other members come all the same. Otherwise one member could keep every other node from
// its community.
func TestS22RosterOfOneMember(t *testing.T) {
	m, own, com, _, _ := mirrored(t)
	set := func(entries ...RosterEntry) (changed bool) {
		t.Helper()
		ok(t, m.in(func(tx *db.Tx) (err error) {
			changed, err = m.SetRoster(tx, Local(), com.ID, own.ID, entries)
			return err
		}))
		return changed
	}
	mine := RosterEntry{RemoteOrg: RemoteOrg{ID: own.ID, Name: "Own"}, Role: "reader"}
	honest := RosterEntry{RemoteOrg: RemoteOrg{ID: farOrg, Name: "Honest"}, Role: "contributor"}
	for why, id := range map[string]polder.OrgID{"the home's own node": hubNode, "a member of the community": com.Blind, "nothing": "identity--none"} {
		entries := []RosterEntry{mine, {RemoteOrg: RemoteOrg{ID: id, Name: "Squatter"}, Role: "contributor"}, honest}
		set(entries...)
		if set(entries...) {
			t.Errorf("%s: the same roster is news each time", why)
		}
		if _, err := m.Org(ctx, farOrg); err != nil {
			t.Errorf("%s: the honest member is missing: %v", why, err)
		}
		if _, err := m.Org(ctx, id); polder.KindOf(err) != polder.NotFound {
			t.Errorf("%s: became an organisation: %v", why, err)
		}
	}
}

// TestS22RosterOfOneName: a home that gives thousands of members one name makes each known by its id, with a few looks and
// not with as many as there are others: that would hold the node's writer for minutes.
func TestS22RosterOfOneName(t *testing.T) {
	m, own, com, _, _ := mirrored(t)
	entries := []RosterEntry{{RemoteOrg: RemoteOrg{ID: own.ID, Name: "Own"}, Role: "reader"}}
	for n := range 300 {
		id := polder.OrgID(fmt.Sprintf("identity--0c0c0c0c-0000-4000-8000-%012d", n))
		entries = append(entries, RosterEntry{RemoteOrg: RemoteOrg{ID: id, Name: "Same"}, Role: "reader", Accepted: true})
	}
	for range 2 {
		ok(t, m.in(func(tx *db.Tx) error {
			_, err := m.SetRoster(tx, Local(), com.ID, own.ID, entries)
			return err
		}))
		for n, want := range map[int]string{0: "Same", 1: "Same (Hub)", 2: "Same (Hub 000000000002)", 299: "Same (Hub 000000000299)"} {
			if o, err := m.Org(ctx, entries[n+1].ID); err != nil || o.Name != want {
				t.Errorf("member %d is called %q, want %q; %v", n, o.Name, want, err)
			}
		}
	}
}

// TestLinkToken: a link acts as a remote organisation in its communities alone, nobody has its secret, and revoking it or
// ending the membership ends it.
func TestLinkToken(t *testing.T) {
	n := newNode(t)
	com, err := n.AddCommunity(ctx, Local(), "Ring", stix.None)
	ok(t, err)
	local, err := n.AddOrg(ctx, Local(), NewOrg{Name: "Local"})
	ok(t, err)
	var id polder.TokenID
	put := func(org polder.OrgID, home Home) error {
		return n.in(func(tx *db.Tx) error {
			_, err := n.PutRemoteOrg(tx, Local(), RemoteOrg{ID: org, Name: "Local"}, home)
			return err
		})
	}
	ok(t, put(farOrg, Home{otherNode, "Maker"}))
	for name, err := range map[string]error{"local": put(local.ID, Home{otherNode, "Maker"}), "of another home": put(farOrg, Home{hubNode, "Hub"}), "the blind identity": put(com.Blind, Home{otherNode, "Maker"})} {
		if polder.KindOf(err) != polder.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok(t, joinRemote(n, com.ID, farOrg))
	link := func(org polder.OrgID, role polder.Role, scope ...polder.CommunityID) error {
		return n.in(func(tx *db.Tx) (err error) { id, err = n.LinkToken(tx, Local(), org, role, scope, "link"); return err })
	}
	for name, err := range map[string]error{"of a local one": link(local.ID, polder.RoleReader, com.ID), "without limits": link(farOrg, polder.RoleReader), "an administrator": link(farOrg, polder.RoleAdmin, com.ID)} {
		if polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok(t, link(farOrg, polder.RoleSteward, com.ID))
	a, err := n.ActorOfToken(ctx, id)
	ok(t, err)
	ms, err := n.MembershipsOf(ctx, a)
	ok(t, err)
	if a.Org != farOrg || len(ms) != 1 || ms[0].Right(a) != polder.RoleNone {
		t.Errorf("before the agreement is accepted: %+v %+v", a, ms)
	}
	ok(t, n.in(func(tx *db.Tx) error {
		_, err := n.JoinRemote(tx, Local(), RemoteMember{Community: com.ID, Org: farOrg, Version: 1, Accepted: "Ann of Maker"})
		return err
	}))
	if ms, _ = n.MembershipsOf(ctx, a); ms[0].Right(a) != polder.RoleContributor {
		t.Errorf("then: %+v", ms)
	}
	n.pass(time.Hour)
	ok(t, n.in(func(tx *db.Tx) error { return n.RevokeLinkToken(tx, Local(), id) }))
	if _, err := n.ActorOfToken(ctx, id); polder.KindOf(err) != polder.Unauthorised {
		t.Errorf("a revoked link acts: %v", err)
	}
	for _, by := range []polder.Actor{{Org: local.ID, Role: polder.RoleSteward}, {}} {
		if err := n.in(func(tx *db.Tx) error {
			_, err := n.PutRemoteOrg(tx, by, RemoteOrg{ID: farOrg, Name: "x"}, Home{otherNode, "Maker"})
			return err
		}); err == nil {
			t.Errorf("%+v writes down an organisation", by)
		}
	}
}
