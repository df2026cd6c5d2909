package accounts

import (
	"sync"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

func (n *node) memberships(a polder.Actor) []polder.Membership {
	n.t.Helper()
	m, err := n.MembershipsOf(ctx, a)
	ok(n.t, err)
	return m
}

func TestJoinAndLeave(t *testing.T) {
	h := newHouse(t)
	m, err := h.Join(ctx, Local(), h.optics.ID, h.acme.ID, polder.RoleNone)
	want := polder.Membership{Community: h.optics, Org: h.acme.ID, Role: polder.RoleContributor, Accepted: true}
	if err != nil || m != want {
		t.Fatalf("join: %+v, %v; want %+v", m, err, want)
	}
	if got := h.memberships(h.steward.actor); len(got) != 1 || got[0] != want {
		t.Fatalf("memberships %+v, want %+v", got, want)
	}
	h.join(h.optics, h.acme, polder.RoleReader) // again, as something else
	if got := h.memberships(h.steward.actor); len(got) != 1 || got[0].Role != polder.RoleReader || !got[0].Accepted {
		t.Fatalf("joined again: %+v", got)
	}
	h.join(h.optics, h.bolt, polder.RoleSteward)
	if all, err := h.Members(ctx, h.optics.ID); err != nil || len(all) != 2 {
		t.Fatalf("members %+v, %v", all, err)
	}
	acc, err := h.Acceptances(ctx, Local(), h.optics.ID)
	if err != nil || len(acc) != 3 || acc[0].Version != 1 || acc[0].Person != "" || acc[0].Name != "administrator" {
		t.Fatalf("the administrator accepted for them: %+v, %v", acc, err)
	}
	ok(t, h.Leave(ctx, Local(), h.optics.ID, h.acme.ID))
	if got := h.memberships(h.steward.actor); len(got) != 0 {
		t.Fatalf("after leaving: %+v", got)
	}
	kind(t, h.Leave(ctx, Local(), h.optics.ID, h.acme.ID), polder.NotFound, "leaving twice")
	for _, tc := range []struct {
		c    polder.CommunityID
		o    polder.OrgID
		r    polder.Role
		by   polder.Actor
		want polder.Kind
		why  string
	}{
		{"none", h.acme.ID, 0, Local(), polder.NotFound, "no such community"},
		{h.optics.ID, "identity--none", 0, Local(), polder.NotFound, "no such organisation"},
		{h.optics.ID, h.optics.Blind, 0, Local(), polder.NotFound, "a blind identity is no organisation"},
		{h.optics.ID, h.acme.ID, polder.RoleAdmin, Local(), polder.Invalid, "no membership is an administrator's"},
		{h.optics.ID, h.acme.ID, 0, h.boltSteward.actor, polder.Forbidden, "a steward joins nobody unasked"},
		{h.optics.ID, h.acme.ID, 0, h.steward.actor, polder.Forbidden, "nobody joins itself"},
	} {
		_, err := h.Join(ctx, tc.by, tc.c, tc.o, tc.r)
		kind(t, err, tc.want, tc.why)
	}
}

func TestLimitedToken(t *testing.T) {
	h := newHouse(t)
	other, err := h.AddCommunity(ctx, Local(), "Other", stix.None)
	ok(t, err)
	h.join(h.optics, h.acme, polder.RoleSteward)
	h.join(other, h.acme, polder.RoleSteward)
	_, text, err := h.CreateToken(ctx, Local(), NewToken{Org: h.acme.ID, Role: polder.RoleSteward, Scope: []polder.CommunityID{h.optics.ID}})
	ok(t, err)
	a, err := h.Authenticate(ctx, text, home)
	ok(t, err)
	if got := h.memberships(a); len(got) != 1 || got[0].ID != h.optics.ID {
		t.Fatalf("a limited token acts in %+v", got)
	}
	if got := h.memberships(h.steward.actor); len(got) != 2 {
		t.Fatalf("a person acts in %+v", got)
	}
	for id, want := range map[polder.CommunityID]bool{h.optics.ID: true, other.ID: false} {
		if got, err := h.CanManage(ctx, a, id); err != nil || got != want {
			t.Errorf("manages %v: %v, %v", id, got, err)
		}
	}
	kind(t, h.Leave(ctx, a, other.ID, h.acme.ID), polder.NotFound, "it cannot leave what it is not limited to")
	ok(t, h.Leave(ctx, Local(), h.optics.ID, h.acme.ID))
	h.join(h.optics, h.acme, polder.RoleSteward)
	if got := h.memberships(a); len(got) != 0 {
		t.Fatalf("a limit that fell away returned: %+v", got)
	}
}

func TestCanManage(t *testing.T) {
	h := newHouse(t)
	admin := h.person(h.init.Org.ID, "ada@hub.example", polder.RoleAdmin).actor
	contributor := h.person(h.acme.ID, "carl@acme.example", polder.RoleContributor).actor
	h.join(h.optics, h.acme, polder.RoleSteward)
	h.join(h.optics, h.bolt, polder.RoleContributor)
	third := h.person(h.org("Third").ID, "tom@third.example", polder.RoleSteward).actor
	for _, tc := range []struct {
		by   polder.Actor
		want bool
		why  string
	}{
		{h.steward.actor, true, "a steward of a steward"},
		{contributor, false, "a contributor of a steward"},
		{h.boltSteward.actor, false, "a steward of a contributor"},
		{third, false, "no member"},
		{admin, true, "an administrator"},
		{Local(), true, "the machine"},
		{polder.Actor{Org: h.acme.ID, Person: contributor.Person, Role: polder.RoleSteward}, false, "who says he is a steward"},
	} {
		if got, err := h.CanManage(ctx, tc.by, h.optics.ID); err != nil || got != tc.want {
			t.Errorf("%s: %v, %v", tc.why, got, err)
		}
		err := h.SetMemberRole(ctx, tc.by, h.optics.ID, h.bolt.ID, polder.RoleContributor)
		if (err == nil) != tc.want {
			t.Errorf("%s: %v", tc.why, err)
		}
		_, err = h.Requests(ctx, tc.by, h.optics.ID)
		if (err == nil) != tc.want {
			t.Errorf("%s: requests: %v", tc.why, err)
		}
		_, err = h.Invitations(ctx, tc.by, h.optics.ID)
		if (err == nil) != tc.want {
			t.Errorf("%s: invitations: %v", tc.why, err)
		}
	}
	_, notMember := h.Invitations(ctx, third, h.optics.ID)
	_, noSuch := h.Invitations(ctx, third, "none")
	if polder.KindOf(notMember) != polder.KindOf(noSuch) || polder.KindOf(noSuch) != polder.NotFound {
		t.Errorf("S5: who is no member is told %v and %v", notMember, noSuch)
	}
	kind(t, h.Leave(ctx, contributor, h.optics.ID, h.bolt.ID), polder.Forbidden, "a contributor expels nobody")
	kind(t, h.Leave(ctx, contributor, h.optics.ID, h.acme.ID), polder.Forbidden, "nor takes its own organisation out")
	ok(t, h.Leave(ctx, h.boltSteward.actor, h.optics.ID, h.bolt.ID))
	kind(t, h.Leave(ctx, h.steward.actor, h.optics.ID, h.bolt.ID), polder.NotFound, "who has left")
}

func TestAgreement(t *testing.T) {
	h := newHouse(t)
	admin := h.person(h.acme.ID, "ada@acme.example", polder.RoleAdmin).actor
	contributor := h.person(h.bolt.ID, "carl@bolt.example", polder.RoleContributor).actor
	reader := h.person(h.bolt.ID, "rob@bolt.example", polder.RoleReader).actor
	h.join(h.optics, h.acme, polder.RoleSteward)
	h.join(h.optics, h.bolt, polder.RoleContributor)
	first, err := h.Agreement(ctx, h.optics.ID)
	if err != nil || first.Version != 1 || first.Text == "" {
		t.Fatalf("a community begins with an agreement: %+v, %v", first, err)
	}
	sees := func(a polder.Actor) bool {
		m := h.memberships(a)
		return len(m) == 1 && m[0].Right(a) > polder.RoleNone
	}

	_, err = h.SetAgreement(ctx, h.steward.actor, h.optics.ID, "Small change.", false)
	ok(t, err)
	if !sees(contributor) {
		t.Fatal("a small change takes sight away")
	}
	second, err := h.SetAgreement(ctx, h.steward.actor, h.optics.ID, "Be kind.\r\nAnd fast.", true)
	if err != nil || second.Version != 3 || second.Text != "Be kind.\nAnd fast." {
		t.Fatalf("%+v, %v", second, err)
	}
	if sees(contributor) || sees(h.steward.actor) {
		t.Fatal("X10: sight without acceptance of what must be accepted anew")
	}
	tok, text := h.token(h.bolt.ID, polder.RoleContributor)
	machine, err := h.Authenticate(ctx, text, home)
	ok(t, err)
	for _, tc := range []struct {
		by      polder.Actor
		version int
		want    polder.Kind
		why     string
	}{
		{contributor, 1, polder.Conflict, "an old version"},
		{contributor, 4, polder.Conflict, "a version that is none"},
		{contributor, 0, polder.Conflict, "no version"},
		{reader, 3, polder.Forbidden, "a reader does not act for its organisation"},
		{machine, 3, polder.Forbidden, "X10: a token is no named person"},
		{Local(), 3, polder.Forbidden, "nor is the machine"},
	} {
		kind(t, h.AcceptAgreement(ctx, tc.by, h.optics.ID, tc.version), tc.want, tc.why)
	}
	if tok.Role != polder.RoleContributor || sees(contributor) {
		t.Fatal("a refused acceptance counts")
	}
	ok(t, h.AcceptAgreement(ctx, contributor, h.optics.ID, 3))
	ok(t, h.AcceptAgreement(ctx, admin, h.optics.ID, 3))
	if !sees(contributor) || !sees(machine) || !sees(h.steward.actor) || sees(admin) {
		t.Fatal("after acceptance its organisation sees, an administrator not")
	}
	all, err := h.Acceptances(ctx, h.steward.actor, h.optics.ID)
	if err != nil || len(all) != 4 || all[2].Person != contributor.Person || all[2].Version != 3 || all[2].Name != "carl@bolt.example" {
		t.Fatalf("acceptances %+v, %v", all, err)
	}
	_, err = h.Acceptances(ctx, contributor, h.optics.ID)
	kind(t, err, polder.Forbidden, "who accepted is for stewards")
	_, err = h.SetAgreement(ctx, contributor, h.optics.ID, "Mine.", false)
	kind(t, err, polder.Forbidden, "a contributor writes no agreement")
	for _, bad := range []string{"", " \n ", "a\x00b", "a\u202eb", "a\xffb"} {
		_, err := h.SetAgreement(ctx, Local(), h.optics.ID, bad, false)
		kind(t, err, polder.Invalid, "a text that is none: "+bad)
	}
	kind(t, h.AcceptAgreement(ctx, h.person(h.org("Third").ID, "t@third.example", polder.RoleSteward).actor, h.optics.ID, 3), polder.NotFound, "no member")
	list, err := h.MemberList(ctx, contributor, h.optics.ID)
	if err != nil || len(list) != 2 || list[0].Organisation.Name != "Acme Optics" || list[1].Version != 3 || list[1].Since.IsZero() {
		t.Fatalf("members %+v, %v", list, err)
	}
}

func TestMemberList(t *testing.T) {
	h := newHouse(t)
	h.join(h.optics, h.acme, polder.RoleReader)
	_, text, err := h.Invite(ctx, Local(), NewInvitation{Community: h.optics.ID})
	ok(t, err)
	_, err = h.MemberList(ctx, h.boltSteward.actor, h.optics.ID)
	kind(t, err, polder.NotFound, "no member")
	_, err = h.AcceptInvitation(ctx, h.boltSteward.actor, text, 0)
	ok(t, err)
	_, err = h.MemberList(ctx, h.boltSteward.actor, h.optics.ID)
	kind(t, err, polder.Forbidden, "X10: a member that has not accepted")
	if all, err := h.MemberList(ctx, Local(), h.optics.ID); err != nil || len(all) != 2 || all[1].Accepted {
		t.Fatalf("an administrator sees %+v, %v", all, err)
	}
}

func TestInvitation(t *testing.T) {
	h := newHouse(t)
	h.join(h.optics, h.acme, polder.RoleSteward)
	inv, text, err := h.Invite(ctx, h.steward.actor, NewInvitation{Community: h.optics.ID, Note: "Bolt Valves, Eindhoven"})
	ok(t, err)
	shown, err := h.Invitation(ctx, text)
	if err != nil || shown != inv || shown.Role != polder.RoleContributor || shown.Community != h.optics {
		t.Fatalf("the invitation shows %+v, %v; want %+v", shown, err, inv)
	}
	boltReader := h.person(h.bolt.ID, "rob@bolt.example", polder.RoleReader).actor
	_, err = h.AcceptInvitation(ctx, boltReader, text, 1)
	kind(t, err, polder.Forbidden, "a reader does not act for its organisation")
	_, err = h.AcceptInvitation(ctx, h.steward.actor, text, 1)
	kind(t, err, polder.Conflict, "a member already")
	_, err = h.AcceptInvitation(ctx, h.boltSteward.actor, text, 7)
	kind(t, err, polder.Conflict, "an agreement that is not the one")
	m, err := h.AcceptInvitation(ctx, h.boltSteward.actor, text, 1)
	if err != nil || !m.Accepted || m.Role != polder.RoleContributor || m.Org != h.bolt.ID {
		t.Fatalf("accepted: %+v, %v", m, err)
	}
	if got := h.memberships(h.boltSteward.actor); len(got) != 1 || got[0] != m {
		t.Fatalf("membership %+v, want %+v", got, m)
	}
	third := h.person(h.org("Third").ID, "t@third.example", polder.RoleSteward).actor
	_, err = h.AcceptInvitation(ctx, third, text, 1)
	kind(t, err, polder.Unauthorised, "used once")
	all, err := h.Invitations(ctx, h.steward.actor, h.optics.ID)
	if err != nil || len(all) != 1 || all[0].UsedBy != h.bolt.ID || all[0].Used.IsZero() {
		t.Fatalf("invitations %+v, %v", all, err)
	}

	dead := func(why string, kill func(text string, id InvitationID)) {
		t.Helper()
		inv, text, err := h.Invite(ctx, h.steward.actor, NewInvitation{Community: h.optics.ID})
		ok(t, err)
		kill(text, inv.ID)
		_, err = h.AcceptInvitation(ctx, third, text, 1)
		kind(t, err, polder.Unauthorised, why)
	}
	dead("withdrawn", func(_ string, id InvitationID) { ok(t, h.RevokeInvitation(ctx, h.steward.actor, id)) })
	dead("expired", func(string, InvitationID) { h.pass(15 * 24 * time.Hour) })
	dead("its maker is no steward any more", func(string, InvitationID) { ok(t, h.SetRole(ctx, Local(), h.steward.ID, polder.RoleReader)) })
	ok(t, h.SetRole(ctx, Local(), h.steward.ID, polder.RoleSteward))
	dead("its maker is disabled", func(string, InvitationID) { ok(t, h.Disable(ctx, Local(), h.steward.ID)) })
	ok(t, h.Enable(ctx, Local(), h.steward.ID))
	dead("its maker's organisation has left", func(string, InvitationID) { ok(t, h.Leave(ctx, Local(), h.optics.ID, h.acme.ID)) })

	for _, tc := range []struct {
		by   polder.Actor
		n    NewInvitation
		want polder.Kind
		why  string
	}{
		{h.boltSteward.actor, NewInvitation{Community: h.optics.ID}, polder.Forbidden, "a contributor"},
		{third, NewInvitation{Community: h.optics.ID}, polder.NotFound, "no member"},
		{Local(), NewInvitation{Community: h.optics.ID, Role: polder.RoleAdmin}, polder.Invalid, "no membership is an administrator's"},
		{Local(), NewInvitation{Community: h.optics.ID, Expires: h.now().Add(-time.Hour)}, polder.Invalid, "expired at birth"},
		{Local(), NewInvitation{Community: h.optics.ID, Expires: h.now().Add(365 * 24 * time.Hour)}, polder.Invalid, "a year"},
	} {
		_, _, err := h.Invite(ctx, tc.by, tc.n)
		kind(t, err, tc.want, tc.why)
	}
	kind(t, h.RevokeInvitation(ctx, third, inv.ID), polder.NotFound, "another community's invitation")
	kind(t, h.RevokeInvitation(ctx, Local(), "none"), polder.NotFound, "no such invitation")
}

func TestJoinRequest(t *testing.T) {
	h := newHouse(t)
	h.join(h.optics, h.acme, polder.RoleSteward)
	ask := func(version int) JoinRequest {
		t.Helper()
		r, err := h.RequestJoin(ctx, h.boltSteward.actor, h.optics.ID, "We make valves.", version)
		ok(t, err)
		return r
	}
	r := ask(1)
	_, err := h.RequestJoin(ctx, h.boltSteward.actor, h.optics.ID, "again", 1)
	kind(t, err, polder.Conflict, "one at a time")
	_, err = h.RequestJoin(ctx, h.steward.actor, h.optics.ID, "", 1)
	kind(t, err, polder.Conflict, "a member")
	_, err = h.RequestJoin(ctx, h.boltSteward.actor, "none", "", 1)
	kind(t, err, polder.NotFound, "no such community")
	_, err = h.ApproveRequest(ctx, h.boltSteward.actor, r.ID, 0)
	kind(t, err, polder.NotFound, "climbing: one's own request")
	_, err = h.ApproveRequest(ctx, h.read.actor, r.ID, 0)
	kind(t, err, polder.Forbidden, "a reader approves nothing")
	if all, err := h.Requests(ctx, h.steward.actor, h.optics.ID); err != nil || len(all) != 1 || all[0] != r {
		t.Fatalf("requests %+v, %v; want %+v", all, err, r)
	}
	ok(t, h.RefuseRequest(ctx, h.steward.actor, r.ID, "Not now."))
	own, err := h.OwnRequests(ctx, h.boltSteward.actor)
	if err != nil || len(own) != 1 || own[0].State != RequestRefused || own[0].Reason != "Not now." {
		t.Fatalf("own requests %+v, %v", own, err)
	}
	_, err = h.ApproveRequest(ctx, h.steward.actor, r.ID, 0)
	kind(t, err, polder.Conflict, "refused already")

	r = ask(1)
	kind(t, h.WithdrawRequest(ctx, h.steward.actor, r.ID), polder.NotFound, "another's request")
	ok(t, h.WithdrawRequest(ctx, h.boltSteward.actor, r.ID))
	kind(t, h.WithdrawRequest(ctx, h.boltSteward.actor, r.ID), polder.Conflict, "withdrawn already")

	r = ask(1)
	m, err := h.ApproveRequest(ctx, h.steward.actor, r.ID, polder.RoleReader)
	if err != nil || !m.Accepted || m.Role != polder.RoleReader {
		t.Fatalf("approved: %+v, %v", m, err)
	}
	if got := h.memberships(h.boltSteward.actor); len(got) != 1 || got[0] != m {
		t.Fatalf("membership %+v, want %+v", got, m)
	}
	ok(t, h.Leave(ctx, h.boltSteward.actor, h.optics.ID, h.bolt.ID))

	for _, tc := range []struct {
		version int // 0: accepted nothing; -1: the current one
		then    func() error
		why     string
	}{
		{0, func() error { return nil }, "accepted nothing"},
		{-1, func() error { _, err := h.SetAgreement(ctx, Local(), h.optics.ID, "New.", false); return err }, "the agreement changed"},
		{-1, func() error { return h.Disable(ctx, Local(), h.boltSteward.ID) }, "the person is disabled"},
	} {
		if tc.version < 0 {
			a, err := h.Agreement(ctx, h.optics.ID)
			ok(t, err)
			tc.version = a.Version
		}
		r := ask(tc.version)
		ok(t, tc.then())
		m, err := h.ApproveRequest(ctx, h.steward.actor, r.ID, 0)
		if err != nil || m.Accepted || m.Role != polder.RoleContributor {
			t.Errorf("%s: %+v, %v", tc.why, m, err)
		}
		if got := h.memberships(h.boltSteward.actor); len(got) != 1 || got[0] != m {
			t.Errorf("%s: membership %+v", tc.why, got)
		}
		ok(t, h.Enable(ctx, Local(), h.boltSteward.ID))
		ok(t, h.Leave(ctx, Local(), h.optics.ID, h.bolt.ID))
	}
}

func TestUnmarked(t *testing.T) {
	h := newHouse(t)
	for m, want := range map[stix.Marking]bool{stix.None: true, stix.Clear: true, stix.Green: true, stix.Amber: false, stix.AmberStrict: false, stix.Red: false} {
		if _, err := h.AddCommunity(ctx, Local(), "X "+m.String(), m); (err == nil) != want {
			t.Errorf("unmarked %v: %v", m, err)
		}
	}
	kind(t, h.SetUnmarked(ctx, h.steward.actor, h.optics.ID, stix.Clear), polder.NotFound, "no member")
	ok(t, h.SetUnmarked(ctx, Local(), h.optics.ID, stix.Green))
	if c, err := h.Community(ctx, "optics-supply-chain"); err != nil || c.Unmarked != stix.Green {
		t.Errorf("%+v, %v", c, err)
	}
	_, err := h.AddCommunity(ctx, h.steward.actor, "Mine", stix.None)
	kind(t, err, polder.Forbidden, "a steward makes no community")
	_, err = h.Community(ctx, "none")
	kind(t, err, polder.NotFound, "no such community")
	all, err := h.Communities(ctx)
	if err != nil || len(all) != 4 {
		t.Errorf("communities %+v, %v", all, err)
	}
}

// TestAtOnce: many callers at the same time; run it with -race. An invitation is used once however many try.
func TestAtOnce(t *testing.T) {
	h := newHouse(t)
	h.join(h.optics, h.acme, polder.RoleSteward)
	_, text := h.token(h.acme.ID, polder.RoleReader)
	cookie, _ := h.in(h.steward)
	_, invitation, err := h.Invite(ctx, h.steward.actor, NewInvitation{Community: h.optics.ID})
	ok(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	joined := 0
	for i := range 6 {
		o := h.org(string(rune('A'+i)) + " org")
		a := h.person(o.ID, string(rune('a'+i))+"@x.example", polder.RoleSteward)
		wg.Go(func() {
			if _, err := h.AcceptInvitation(ctx, a.actor, invitation, 1); err == nil {
				mu.Lock()
				joined++
				mu.Unlock()
			}
		})
		wg.Go(func() {
			for range 20 {
				if _, err := h.Authenticate(ctx, text, home); err != nil {
					t.Errorf("a good token: %v", err)
				}
				if _, _, err := h.Session(ctx, cookie); err != nil {
					t.Errorf("a good cookie: %v", err)
				}
				if _, err := h.MembershipsOf(ctx, h.steward.actor); err != nil {
					t.Errorf("memberships: %v", err)
				}
				h.pass(5 * time.Second)
			}
		})
		wg.Go(func() {
			if _, _, err := h.LogIn(ctx, a.Email, a.password, home, ""); err != nil {
				t.Errorf("log-in: %v", err)
			}
		})
	}
	wg.Wait()
	if joined != 1 {
		t.Fatalf("one invitation let %d organisations in", joined)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	h := newHouse(b)
	_, text := h.token(h.acme.ID, polder.RoleReader)
	for range 200 {
		h.token(h.acme.ID, polder.RoleReader)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Authenticate(ctx, text, home); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSession(b *testing.B) {
	h := newHouse(b)
	cookie, _ := h.in(h.steward)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := h.Session(ctx, cookie); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemberships(b *testing.B) {
	h := newHouse(b)
	for i := range 5 {
		c, err := h.AddCommunity(ctx, Local(), "C "+string(rune('a'+i)), stix.None)
		ok(b, err)
		h.join(c, h.acme, polder.RoleSteward)
	}
	_, text := h.token(h.acme.ID, polder.RoleReader)
	a, err := h.Authenticate(ctx, text, home)
	ok(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if m, err := h.MembershipsOf(ctx, a); err != nil || len(m) != 5 {
			b.Fatal(m, err)
		}
	}
}

func BenchmarkEpoch(b *testing.B) {
	h := newHouse(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Epoch(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFloor is one row from a prepared statement: what the others cannot be faster than.
func BenchmarkFloor(b *testing.B) {
	h := newHouse(b)
	st, err := h.db.Read().Prepare(`SELECT epoch FROM accounts_state WHERE id = 1`)
	ok(b, err)
	b.ReportAllocs()
	for b.Loop() {
		var n int64
		if err := st.QueryRow().Scan(&n); err != nil {
			b.Fatal(err)
		}
	}
}

// TestInsideATransaction: rights read where they are used are those outside, and see what the transaction did.
func TestInsideATransaction(t *testing.T) {
	h := newHouse(t)
	h.join(h.optics, h.acme, polder.RoleSteward)
	outside, err := h.Memberships(ctx, h.acme.ID)
	ok(t, err)
	epoch := h.epoch()
	ok(t, h.db.Write(ctx, func(tx *db.Tx) error {
		a, err := h.RefreshTx(tx, polder.Actor{Org: h.acme.ID, Person: h.steward.ID})
		if err != nil || a != h.steward.actor {
			t.Errorf("refreshed as %+v, %v", a, err)
		}
		inside, err := h.MembershipsOfTx(tx, a)
		if err != nil || len(inside) != 1 || inside[0] != outside[0] {
			t.Errorf("memberships %+v, %v; outside %+v", inside, err, outside)
		}
		if e, err := h.EpochTx(tx); err != nil || e != epoch {
			t.Errorf("epoch %d, %v; outside %d", e, err, epoch)
		}
		_, err = tx.Exec(`UPDATE accounts_person SET disabled = 1 WHERE id = ?`, h.steward.ID)
		ok(t, err)
		_, err = h.RefreshTx(tx, a)
		kind(t, err, polder.Unauthorised, "disabled in the same transaction")
		return nil
	}))
}
