package accounts

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestS6Rights lets random actors, some of them disabled, revoked or lying about their role, do random things, and after
// each holds the whole database against three laws, which are written here from the tables and not from the code:
//
//  1. a right that appears was given by somebody who held it at that moment;
//  2. who was disabled, revoked or has ended does nothing, and its secrets never work again;
//  3. a living token or session works, with the role that the tables say, and the epoch moves with every change.
func TestS6Rights(t *testing.T) {
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		sub := fmt.Sprintf("%s/%d", dir, run)
		ok(t, os.Mkdir(sub, 0o700))
		w := newWorld(newNodeAt(t, sub, Options{}))
		defer w.db.Close()
		rt.Repeat(map[string]func(*rapid.T){
			"person": w.addPerson, "role": w.setRole, "disable": w.disable, "enable": w.enable, "reset": w.reset,
			"token": w.createToken, "revoke": w.revokeToken,
			"log in": w.logIn, "end session": w.endSession, "time": w.time,
			"join": w.join, "leave": w.leave, "member role": w.memberRole,
			"invite": w.invite, "accept invitation": w.acceptInvitation,
			"request": w.request, "approve": w.approve, "agreement": w.agreement, "accept agreement": w.acceptAgreement,
			"": w.check,
		})
	})
}

// world is what the test remembers of what it did.
type world struct {
	*node
	orgs        []polder.OrgID
	communities []polder.CommunityID
	people      []account
	tokens      []madeToken
	cookies     []string
	sessions    []SessionID
	invites     []struct {
		text  string
		maker polder.Actor
		inv   Invitation
	}
	requests []JoinRequest
	dead     map[string]bool // secrets that have failed once
}

func newWorld(n *node) *world {
	w := &world{node: n, dead: map[string]bool{}}
	w.WrongTokens(1 << 30)
	first, err := n.Init(ctx, "Hub", "")
	ok(n.t, err)
	w.orgs = []polder.OrgID{first.Org.ID, n.org("Acme").ID, n.org("Bolt").ID}
	for _, name := range []string{"Optics", "Valves"} {
		c, err := n.AddCommunity(ctx, Local(), name, stix.None)
		ok(n.t, err)
		w.communities = append(w.communities, c.ID)
	}
	admins, err := n.People(ctx, Local(), first.Org.ID)
	ok(n.t, err)
	w.people = []account{{Person: admins[0], password: first.Password, actor: polder.Actor{Org: first.Org.ID, Person: admins[0].ID, Role: polder.RoleAdmin}},
		n.person(w.orgs[1], "s@acme.example", polder.RoleSteward), n.person(w.orgs[1], "c@acme.example", polder.RoleContributor), n.person(w.orgs[2], "s@bolt.example", polder.RoleSteward)}
	_, err = n.Join(ctx, Local(), w.communities[0], w.orgs[1], polder.RoleSteward)
	ok(n.t, err)
	return w
}

type madeToken struct {
	text  string
	actor polder.Actor
	maker polder.PersonID
}

// rights are what the tables say: who lives, with which role, and who is what where.
type rights struct {
	role   map[string]polder.Role // "person ID", "token ID": living ones
	org    map[string]polder.OrgID
	scoped map[string]bool
	scope  map[string]bool        // "token community"
	member map[string]polder.Role // "org community"
	seen   map[string]bool        // memberships whose agreement is accepted
	epoch  int64
}

func (w *world) rights() rights {
	r := rights{map[string]polder.Role{}, map[string]polder.OrgID{}, map[string]bool{}, map[string]bool{}, map[string]polder.Role{}, map[string]bool{}, w.epoch()}
	now := w.now().UnixMicro()
	query := func(q string, each func(v []string)) {
		rows, err := w.db.Read().Query(q)
		ok(w.t, err)
		defer rows.Close()
		for rows.Next() {
			v := make([]string, 4)
			ok(w.t, rows.Scan(&v[0], &v[1], &v[2], &v[3]))
			each(v)
		}
	}
	query(`SELECT id, org, role, '' FROM accounts_person WHERE disabled = 0`, func(v []string) {
		r.role["person "+v[0]], _ = polder.ParseRole(v[2])
		r.org["person "+v[0]] = polder.OrgID(v[1])
	})
	query(fmt.Sprintf(`SELECT id, org, role, scoped FROM accounts_token WHERE revoked = 0 AND (expires = 0 OR expires > %d)`, now), func(v []string) {
		r.role["token "+v[0]], _ = polder.ParseRole(v[2])
		r.org["token "+v[0]], r.scoped["token "+v[0]] = polder.OrgID(v[1]), v[3] == "1"
	})
	query(`SELECT token, community, '', '' FROM accounts_token_scope`, func(v []string) { r.scope[v[0]+" "+v[1]] = true })
	query(`SELECT m.org, m.community, m.role, m.accepted >= c.needed FROM accounts_membership m JOIN accounts_community c ON c.id = m.community`, func(v []string) {
		r.member[v[0]+" "+v[1]], _ = polder.ParseRole(v[2])
		r.seen[v[0]+" "+v[1]] = v[3] == "1"
	})
	return r
}

func key(a polder.Actor) string {
	if a.Token != "" {
		return "token " + string(a.Token)
	}
	return "person " + string(a.Person)
}

func (r rights) of(a polder.Actor) polder.Role {
	if isLocal(a) {
		return polder.RoleAdmin
	}
	if r.org[key(a)] != a.Org {
		return polder.RoleNone
	}
	return r.role[key(a)]
}

// steward tells whether a may give memberships of a community.
func (r rights) steward(a polder.Actor, community string) bool {
	if r.of(a) == polder.RoleAdmin {
		return true
	}
	m := string(a.Org) + " " + community
	inScope := !r.scoped[key(a)] || r.scope[string(a.Token)+" "+community]
	return r.of(a) >= polder.RoleSteward && r.member[m] >= polder.RoleSteward && r.seen[m] && inScope
}

// do runs an operation of an actor and holds its outcome against the laws. givers are those whose rights it may hand on.
func (w *world) do(rt *rapid.T, what string, by polder.Actor, op func() error, givers ...polder.Actor) error {
	before := w.rights()
	err := op()
	after := w.rights()
	if err != nil {
		if polder.KindOf(err) == polder.Internal {
			rt.Fatalf("%s: an error of ours: %v", what, err)
		}
		if after.epoch != before.epoch {
			rt.Fatalf("%s: refused (%v), but the epoch moved", what, err)
		}
		return err
	}
	if before.of(by) == polder.RoleNone {
		rt.Fatalf("%s: done by somebody who is nobody: %+v", what, by)
	}
	if after.epoch == before.epoch {
		rt.Fatalf("%s: done, but the epoch stands", what)
	}
	for k, role := range after.role {
		if role > before.role[k] && !before.mayGive(by, after.org[k], role) {
			rt.Fatalf("%s: %s became %v by %+v, who is %v", what, k, role, by, before.of(by))
		}
		if _, old := before.role[k]; !old && before.scoped[key(by)] {
			rt.Fatalf("%s: a limited token made %s", what, k)
		}
		if before.scoped[k] && !after.scoped[k] {
			rt.Fatalf("%s: %s lost its limits", what, k)
		}
	}
	for k := range after.scope {
		token, _, _ := strings.Cut(k, " ")
		if _, old := before.role["token "+token]; old && !before.scope[k] {
			rt.Fatalf("%s: token %s reaches further than it was made", what, token)
		}
	}
	for k, role := range after.member {
		org, community, _ := strings.Cut(k, " ")
		if role > before.member[k] && !before.anySteward(append(givers, by), community) {
			rt.Fatalf("%s: %s became %v in %s by %+v", what, org, role, community, by)
		}
		own := by.Person != "" && string(by.Org) == org && before.of(by) >= polder.RoleContributor
		if after.seen[k] && !before.seen[k] && !own && before.of(by) != polder.RoleAdmin && what != "approve" {
			rt.Fatalf("%s: the agreement of %s was accepted for %s by %+v", what, community, org, by)
		}
	}
	return nil
}

func (r rights) mayGive(by polder.Actor, org polder.OrgID, role polder.Role) bool {
	have := r.of(by)
	return have == polder.RoleAdmin || by.Org == org && have >= role && !r.scoped[key(by)]
}

func (r rights) anySteward(some []polder.Actor, community string) bool {
	for _, a := range some {
		if r.steward(a, community) {
			return true
		}
	}
	return false
}

// actor draws who acts: a person or token of now or before, who may claim a role it does not have, or the machine.
func (w *world) actor(rt *rapid.T) polder.Actor {
	var all []polder.Actor
	for _, p := range w.people {
		all = append(all, p.actor)
	}
	for _, t := range w.tokens {
		all = append(all, t.actor)
	}
	i := rapid.IntRange(0, len(all)).Draw(rt, "actor")
	if i == len(all) {
		return Local()
	}
	a := all[i]
	if rapid.IntRange(0, 3).Draw(rt, "lies") == 0 {
		a.Role = polder.RoleAdmin
	}
	if rapid.IntRange(0, 9).Draw(rt, "elsewhere") == 0 {
		a.Org = w.org(rt)
	}
	return a
}

func (w *world) org(rt *rapid.T) polder.OrgID { return rapid.SampledFrom(w.orgs).Draw(rt, "org") }
func (w *world) community(rt *rapid.T) polder.CommunityID {
	return rapid.SampledFrom(w.communities).Draw(rt, "community")
}
func (w *world) target(rt *rapid.T) account { return rapid.SampledFrom(w.people).Draw(rt, "target") }
func aRole(rt *rapid.T) polder.Role {
	return polder.Role(rapid.IntRange(int(polder.RoleReader), int(polder.RoleAdmin)).Draw(rt, "role"))
}

func (w *world) addPerson(rt *rapid.T) {
	by, n := w.actor(rt), NewPerson{w.org(rt), fmt.Sprintf("p%d@x.example", len(w.people)), "", aRole(rt)}
	_ = w.do(rt, "add person", by, func() error {
		p, password, err := w.AddPerson(ctx, by, n)
		if err == nil {
			w.people = append(w.people, account{p, password, polder.Actor{Org: p.Org, Person: p.ID, Role: p.Role}})
		}
		return err
	})
}

func (w *world) setRole(rt *rapid.T) {
	by, to, r := w.actor(rt), w.target(rt), aRole(rt)
	w.act(rt, "set role", by, to, func() error { return w.SetRole(ctx, by, to.ID, r) })
}

func (w *world) disable(rt *rapid.T) {
	by, to := w.actor(rt), w.target(rt)
	w.act(rt, "disable", by, to, func() error { return w.Disable(ctx, by, to.ID) })
}

// enable is the one way in which a person comes back; what it had made does not. So the law for it is that of adding.
func (w *world) enable(rt *rapid.T) {
	by, to := w.actor(rt), w.target(rt)
	_ = w.do(rt, "enable", by, func() error { return w.Enable(ctx, by, to.ID) })
}

func (w *world) reset(rt *rapid.T) {
	by, to := w.actor(rt), w.target(rt)
	w.act(rt, "reset password", by, to, func() error {
		password, err := w.ResetPassword(ctx, by, to.ID)
		if err == nil {
			for i := range w.people {
				if w.people[i].ID == to.ID {
					w.people[i].password = password
				}
			}
		}
		return err
	})
}

// act is do for an operation on an account: nobody acts on one that stands above his own.
func (w *world) act(rt *rapid.T, what string, by polder.Actor, to account, op func() error) {
	before := w.rights()
	if w.do(rt, what, by, op) == nil && !before.mayGive(by, to.Org, before.role["person "+string(to.ID)]) {
		rt.Fatalf("%s: %+v acted on %s, who stands above it", what, by, to.Email)
	}
}

func (w *world) createToken(rt *rapid.T) {
	by, n := w.actor(rt), NewToken{Org: w.org(rt), Role: aRole(rt)}
	if rapid.Bool().Draw(rt, "limited") {
		n.Scope = []polder.CommunityID{w.community(rt)}
	}
	if rapid.Bool().Draw(rt, "expires") {
		n.Expires = w.now().Add(time.Hour)
	}
	_ = w.do(rt, "create token", by, func() error {
		tok, text, err := w.CreateToken(ctx, by, n)
		if err == nil {
			w.tokens = append(w.tokens, madeToken{text, polder.Actor{Org: tok.Org, Token: tok.ID, Role: tok.Role}, by.Person})
		}
		return err
	})
}

func (w *world) revokeToken(rt *rapid.T) {
	if len(w.tokens) == 0 {
		rt.Skip("no token")
	}
	by, tok := w.actor(rt), rapid.SampledFrom(w.tokens).Draw(rt, "token")
	before := w.rights()
	err := w.do(rt, "revoke token", by, func() error { return w.RevokeToken(ctx, by, tok.actor.Token) })
	own := by.Person != "" && by.Person == tok.maker
	if err == nil && before.of(by) != polder.RoleAdmin && by.Org != tok.actor.Org && !own {
		rt.Fatalf("%+v revoked a token of %s", by, tok.actor.Org)
	}
}

func (w *world) logIn(rt *rapid.T) {
	p := w.target(rt)
	before := w.rights()
	cookie, ses, err := w.LogIn(ctx, p.Email, p.password, home, "")
	if lives := before.role["person "+string(p.ID)] != polder.RoleNone; lives != (err == nil) && polder.KindOf(err) != polder.Limited {
		rt.Fatalf("%s lives: %v; log-in: %v", p.Email, lives, err)
	}
	if err == nil {
		w.cookies, w.sessions = append(w.cookies, cookie), append(w.sessions, ses.ID)
	}
}

func (w *world) endSession(rt *rapid.T) {
	if len(w.sessions) == 0 {
		rt.Skip("no session")
	}
	by, id := w.actor(rt), rapid.SampledFrom(w.sessions).Draw(rt, "session")
	_ = w.do(rt, "end session", by, func() error { return w.RevokeSession(ctx, by, id) })
}

func (w *world) time(rt *rapid.T) {
	w.pass(time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes")) * time.Minute)
}

func (w *world) join(rt *rapid.T) {
	by, c, o, r := w.actor(rt), w.community(rt), w.org(rt), aRole(rt)
	_ = w.do(rt, "join", by, func() error { _, err := w.Join(ctx, by, c, o, r); return err })
}

func (w *world) leave(rt *rapid.T) {
	by, c, o := w.actor(rt), w.community(rt), w.org(rt)
	before := w.rights()
	err := w.do(rt, "leave", by, func() error { return w.Leave(ctx, by, c, o) })
	own := by.Org == o && before.of(by) >= polder.RoleSteward
	if err == nil && !own && !before.steward(by, string(c)) {
		rt.Fatalf("%+v ended the membership of %s", by, o)
	}
}

func (w *world) memberRole(rt *rapid.T) {
	by, c, o, r := w.actor(rt), w.community(rt), w.org(rt), aRole(rt)
	before := w.rights()
	err := w.do(rt, "member role", by, func() error { return w.SetMemberRole(ctx, by, c, o, r) })
	if err == nil && !before.steward(by, string(c)) {
		rt.Fatalf("%+v changed the membership of %s", by, o)
	}
}

func (w *world) invite(rt *rapid.T) {
	by, n := w.actor(rt), NewInvitation{Community: w.community(rt), Role: aRole(rt)}
	before := w.rights()
	_ = w.do(rt, "invite", by, func() error {
		inv, text, err := w.Invite(ctx, by, n)
		if err == nil {
			if !before.steward(by, string(n.Community)) {
				rt.Fatalf("%+v invites", by)
			}
			w.invites = append(w.invites, struct {
				text  string
				maker polder.Actor
				inv   Invitation
			}{text, by, inv})
		}
		return err
	})
}

func (w *world) acceptInvitation(rt *rapid.T) {
	if len(w.invites) == 0 {
		rt.Skip("no invitation")
	}
	by, i := w.actor(rt), rapid.SampledFrom(w.invites).Draw(rt, "invitation")
	var got polder.Membership
	err := w.do(rt, "accept invitation", by, func() (err error) {
		got, err = w.AcceptInvitation(ctx, by, i.text, rapid.IntRange(0, 2).Draw(rt, "version"))
		return err
	}, i.maker)
	if err != nil {
		return
	}
	if w.dead[i.text] {
		rt.Fatalf("an invitation was used twice")
	}
	if w.dead[i.text] = true; got.Role > i.inv.Role {
		rt.Fatalf("an invitation as %v made a %v", i.inv.Role, got.Role)
	}
}

func (w *world) request(rt *rapid.T) {
	by, c := w.actor(rt), w.community(rt)
	_ = w.do(rt, "request", by, func() error {
		r, err := w.RequestJoin(ctx, by, c, "", rapid.IntRange(0, 1).Draw(rt, "version"))
		if err == nil {
			w.requests = append(w.requests, r)
		}
		return err
	})
}

func (w *world) approve(rt *rapid.T) {
	if len(w.requests) == 0 {
		rt.Skip("no request")
	}
	by, r := w.actor(rt), rapid.SampledFrom(w.requests).Draw(rt, "request")
	var m polder.Membership
	err := w.do(rt, "approve", by, func() (err error) {
		m, err = w.ApproveRequest(ctx, by, r.ID, aRole(rt))
		return err
	})
	if err == nil && m.Accepted && r.Version == 0 {
		rt.Fatalf("an acceptance that nobody gave: %+v", m)
	}
}

func (w *world) agreement(rt *rapid.T) {
	by, c := w.actor(rt), w.community(rt)
	before := w.rights()
	err := w.do(rt, "agreement", by, func() error {
		_, err := w.SetAgreement(ctx, by, c, "New.", rapid.Bool().Draw(rt, "anew"))
		return err
	})
	if err == nil && !before.steward(by, string(c)) {
		rt.Fatalf("%+v wrote the agreement", by)
	}
}

func (w *world) acceptAgreement(rt *rapid.T) {
	by, c := w.actor(rt), w.community(rt)
	_ = w.do(rt, "accept agreement", by, func() error {
		return w.AcceptAgreement(ctx, by, c, rapid.IntRange(1, 3).Draw(rt, "version"))
	})
}

// check is law 2 and 3 for every secret there ever was, and for whoever keeps a stream open.
func (w *world) check(rt *rapid.T) {
	r := w.rights()
	for _, tok := range w.tokens {
		want := r.role[key(tok.actor)]
		a, err := w.Authenticate(ctx, tok.text, home)
		_, open := w.Refresh(ctx, tok.actor)
		switch {
		case (err == nil) != (want != polder.RoleNone), err == nil && (a.Role != want || a.Org != tok.actor.Org), (err == nil) != (open == nil):
			rt.Fatalf("token %s: is %v by the tables, answers %v, %v; its stream: %v", tok.actor.Token, want, a.Role, err, open)
		case err == nil && w.dead[tok.text]:
			rt.Fatalf("token %s rose from the dead", tok.actor.Token)
		case err != nil:
			w.dead[tok.text] = true
		}
	}
	for _, cookie := range w.cookies {
		a, _, err := w.Session(ctx, cookie)
		switch {
		case err == nil && w.dead[cookie]:
			rt.Fatalf("a session rose from the dead")
		case err == nil && (r.of(a) == polder.RoleNone || r.of(a) != a.Role):
			rt.Fatalf("a session of %+v, who is %v", a, r.of(a))
		case err != nil:
			w.dead[cookie] = true
		}
	}
	for _, p := range w.people {
		if _, err := w.Refresh(ctx, p.actor); (err == nil) != (r.of(p.actor) != polder.RoleNone) {
			rt.Fatalf("the stream of %s: %v", p.Email, err)
		}
	}
}
