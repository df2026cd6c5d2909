package accounts

import (
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

func TestTokenText(t *testing.T) {
	h := newHouse(t)
	tok, text := h.token(h.acme.ID, polder.RoleContributor)
	if id, ok := parseToken(text); !ok || id != tok.ID {
		t.Fatalf("parseToken(%q) = %q, %v", text, id, ok)
	}
	a, err := h.Authenticate(ctx, text, home)
	if want := (polder.Actor{Org: h.acme.ID, Token: tok.ID, Role: polder.RoleContributor}); err != nil || a != want {
		t.Fatalf("authenticate: %+v, %v", a, err)
	}
	for i := range len(text) { // one wrong character anywhere
		bad := []byte(text)
		bad[i] ^= 1
		if _, err := h.Authenticate(ctx, string(bad), netip.Addr{}); err == nil {
			t.Fatalf("a token with character %d changed works", i)
		}
	}
	forged := text[:len(text)-sumLen-secretLen] + strings.Repeat("a", secretLen)
	_, err = h.Authenticate(ctx, forged+tokenSum(forged), home)
	kind(t, err, polder.Unauthorised, "the id of a token and a right checksum, but another secret")
	for _, bad := range []string{"", "polder_", text + "a", text[:len(text)-1], " " + text, strings.ToUpper(text), "polder_" + strings.Repeat("a", 52), strings.Repeat("x", 1<<20)} {
		if _, err := h.Authenticate(ctx, bad, netip.Addr{}); err == nil {
			t.Fatalf("%.80q works", bad)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	_, text, err := randomness{strings.NewReader(strings.Repeat("polder", 20))}.token()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("polder__")
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := parseToken(s)
		if ok && (len(id) != tokenIDLen || !strings.HasPrefix(s, tokenPrefix+string(id)+"_") || tokenSum(s[:len(s)-sumLen]) != s[len(s)-sumLen:]) {
			t.Fatalf("parseToken(%q) = %q", s, id)
		}
	})
}

// TestWhoMayMakeTokens is the table of S6 for tokens.
func TestWhoMayMakeTokens(t *testing.T) {
	h := newHouse(t)
	h.join(h.optics, h.acme, polder.RoleSteward)
	scoped, text, err := h.CreateToken(ctx, Local(), NewToken{Org: h.acme.ID, Role: polder.RoleSteward, Scope: []polder.CommunityID{h.optics.ID}})
	ok(t, err)
	limited, err := h.Authenticate(ctx, text, home)
	ok(t, err)
	if scoped.ID != limited.Token {
		t.Fatal("another token")
	}
	initToken, err := h.Authenticate(ctx, h.init.Token, home)
	ok(t, err)
	for _, tc := range []struct {
		by   polder.Actor
		n    NewToken
		want polder.Kind
		why  string
	}{
		{h.read.actor, NewToken{Org: h.acme.ID, Role: polder.RoleReader}, 0, "one's own role"},
		{h.read.actor, NewToken{Org: h.acme.ID, Role: polder.RoleContributor}, polder.Forbidden, "climbing: above one's own"},
		{h.steward.actor, NewToken{Org: h.acme.ID, Role: polder.RoleSteward}, 0, "a steward's"},
		{h.steward.actor, NewToken{Org: h.acme.ID, Role: polder.RoleAdmin}, polder.Forbidden, "climbing: admin"},
		{h.steward.actor, NewToken{Org: h.bolt.ID, Role: polder.RoleReader}, polder.NotFound, "another organisation"},
		{limited, NewToken{Org: h.acme.ID, Role: polder.RoleReader}, polder.Forbidden, "climbing: out of its communities"},
		{initToken, NewToken{Org: h.bolt.ID, Role: polder.RoleAdmin}, 0, "an administrator makes any"},
		{Local(), NewToken{Org: h.bolt.ID, Role: polder.RoleReader}, 0, "so does the machine"},
		{Local(), NewToken{Org: "identity--none", Role: polder.RoleReader}, polder.NotFound, "no such organisation"},
		{Local(), NewToken{Org: h.bolt.ID}, polder.Invalid, "no role"},
		{Local(), NewToken{Org: h.bolt.ID, Role: polder.RoleReader, Scope: []polder.CommunityID{h.optics.ID}}, polder.Invalid, "limited to a community it is not in"},
		{Local(), NewToken{Org: h.acme.ID, Role: polder.RoleAdmin, Scope: []polder.CommunityID{h.optics.ID}}, polder.Invalid, "a limited administrator"},
		{Local(), NewToken{Org: h.acme.ID, Role: polder.RoleReader, Expires: start.Add(-time.Hour)}, polder.Invalid, "expired at birth"},
		{Local(), NewToken{Org: h.acme.ID, Role: polder.RoleReader, Name: "a\x1bb"}, polder.Invalid, "S44: an escape in its name"},
	} {
		_, text, err := h.CreateToken(ctx, tc.by, tc.n)
		if tc.want == 0 {
			ok(t, err)
			if _, err := h.Authenticate(ctx, text, home); err != nil {
				t.Errorf("%s: %v", tc.why, err)
			}
			continue
		}
		kind(t, err, tc.want, tc.why)
	}
	_, _, err = h.AddPerson(ctx, limited, NewPerson{h.acme.ID, "x@acme.example", "", polder.RoleReader})
	kind(t, err, polder.Forbidden, "climbing: a limited token makes no people")
}

func TestRevokeToken(t *testing.T) {
	h := newHouse(t)
	made := func(by polder.Actor, org polder.OrgID, r polder.Role) (Token, string) {
		tok, text, err := h.CreateToken(ctx, by, NewToken{Org: org, Role: r})
		ok(t, err)
		return tok, text
	}
	contributor := h.person(h.acme.ID, "carl@acme.example", polder.RoleContributor).actor
	for _, tc := range []struct {
		by, maker polder.Actor
		role      polder.Role
		want      polder.Kind
		why       string
	}{
		{h.steward.actor, Local(), polder.RoleSteward, 0, "a steward of the organisation"},
		{h.steward.actor, Local(), polder.RoleAdmin, polder.Forbidden, "an admin token of its organisation"},
		{h.read.actor, Local(), polder.RoleReader, polder.Forbidden, "a reader revokes nothing that others made"},
		{contributor, contributor, polder.RoleReader, 0, "one's own"},
		{h.boltSteward.actor, Local(), polder.RoleReader, polder.NotFound, "another organisation's"},
		{Local(), h.steward.actor, polder.RoleSteward, 0, "the machine"},
	} {
		tok, text := made(tc.maker, h.acme.ID, tc.role)
		err := h.RevokeToken(ctx, tc.by, tok.ID)
		_, works := h.Authenticate(ctx, text, home)
		if tc.want == 0 {
			ok(t, err)
			kind(t, works, polder.Unauthorised, tc.why)
			ok(t, h.RevokeToken(ctx, tc.by, tok.ID)) // again
			continue
		}
		kind(t, err, tc.want, tc.why)
		ok(t, works)
	}
	kind(t, h.RevokeToken(ctx, Local(), "none"), polder.NotFound, "no such token")

	_, parent := made(Local(), h.acme.ID, polder.RoleSteward)
	p, err := h.Authenticate(ctx, parent, home)
	ok(t, err)
	_, child := made(p, h.acme.ID, polder.RoleReader)
	c, err := h.Authenticate(ctx, child, home)
	ok(t, err)
	_, grandchild := made(c, h.acme.ID, polder.RoleReader)
	ok(t, h.RevokeToken(ctx, p, p.Token)) // itself
	for _, text := range []string{parent, child, grandchild} {
		_, err := h.Authenticate(ctx, text, home)
		kind(t, err, polder.Unauthorised, "a token ends with the token that made it")
	}
	kindOf := func(a polder.Actor) polder.Kind { _, err := h.Refresh(ctx, a); return polder.KindOf(err) }
	if kindOf(p) != polder.Unauthorised || kindOf(c) != polder.Unauthorised {
		t.Fatal("an open stream of a revoked token is told")
	}
}

func TestTokensListed(t *testing.T) {
	h := newHouse(t)
	h.join(h.optics, h.acme, polder.RoleReader)
	_, _, err := h.CreateToken(ctx, Local(), NewToken{Org: h.acme.ID, Role: polder.RoleReader, Name: "SIEM", Scope: []polder.CommunityID{h.optics.ID}, Expires: start.Add(time.Hour)})
	ok(t, err)
	_, text, err := h.CreateToken(ctx, h.read.actor, NewToken{Org: h.acme.ID, Role: polder.RoleReader, Name: "mine"})
	ok(t, err)
	h.pass(90 * time.Second)
	_, err = h.Authenticate(ctx, text, home)
	ok(t, err)
	all, err := h.Tokens(ctx, h.steward.actor, h.acme.ID)
	if err != nil || len(all) != 2 {
		t.Fatalf("a steward sees %d tokens, %v", len(all), err)
	}
	for _, tok := range all {
		switch tok.Name {
		case "mine":
			if tok.Used.IsZero() || tok.Maker != h.read.ID || len(tok.Scope) != 0 {
				t.Errorf("mine is %+v", tok)
			}
		case "SIEM":
			if !tok.Used.IsZero() || len(tok.Scope) != 1 || !tok.Expires.Equal(start.Add(time.Hour)) {
				t.Errorf("SIEM is %+v", tok)
			}
		}
	}
	if own, err := h.Tokens(ctx, h.read.actor, h.acme.ID); err != nil || len(own) != 1 || own[0].Name != "mine" {
		t.Fatalf("a reader sees %+v, %v", own, err)
	}
	_, err = h.Tokens(ctx, h.boltSteward.actor, h.acme.ID)
	kind(t, err, polder.NotFound, "another organisation's tokens")
}

// TestUseIsWrittenOnceAMinute: a request does not cost a write.
func TestUseIsWrittenOnceAMinute(t *testing.T) {
	h := newHouse(t)
	tok, text := h.token(h.acme.ID, polder.RoleReader)
	used := func() (at int64) {
		ok(t, h.db.Read().QueryRow(`SELECT used FROM accounts_token WHERE id = ?`, tok.ID).Scan(&at))
		return at
	}
	seen := map[int64]bool{}
	for range 120 {
		_, err := h.Authenticate(ctx, text, home)
		ok(t, err)
		seen[used()] = true
		h.pass(time.Second)
	}
	if len(seen) != 2 {
		t.Fatalf("120 uses in two minutes were written %d times", len(seen))
	}
}

// TestS7IdentifiersAreNoSecrets tries everything that is stored, which holds every id and hash that any answer may
// show, as every kind of secret.
func TestS7IdentifiersAreNoSecrets(t *testing.T) {
	h := newHouse(t)
	h.WrongTokens(1_000_000)
	h.join(h.optics, h.acme, polder.RoleSteward)
	h.token(h.acme.ID, polder.RoleReader)
	_, ses, err := h.LogIn(ctx, h.steward.Email, h.steward.password, home, "agent")
	ok(t, err)
	inv, _, err := h.Invite(ctx, Local(), NewInvitation{Community: h.optics.ID})
	ok(t, err)
	blind, err := h.BlindObject(ctx, h.optics.ID)
	ok(t, err)
	tries := append(h.dump(), string(ses.ID), string(inv.ID), string(blind), "")
	for _, v := range h.dump() {
		if raw, err := hex.DecodeString(v); err == nil {
			tries = append(tries, base64.RawURLEncoding.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw), base32Lower.EncodeToString(raw))
		}
		tries = append(tries, "polder_"+v, "polder_"+v+"_"+v, invitationPrefix+v)
	}
	if len(tries) < 500 {
		t.Fatalf("only %d values to try", len(tries))
	}
	for _, v := range tries {
		_, err := h.Authenticate(ctx, v, home)
		kind(t, err, polder.Unauthorised, "as a token: "+v)
		_, _, err = h.Session(ctx, v)
		kind(t, err, polder.Unauthorised, "as a cookie: "+v)
		_, err = h.Invitation(ctx, v)
		kind(t, err, polder.Unauthorised, "as an invitation: "+v)
		_, err = h.AcceptInvitation(ctx, h.boltSteward.actor, v, 0)
		kind(t, err, polder.Unauthorised, "accepted as an invitation: "+v)
	}
}

// WrongTokens lifts the limits on wrong tokens for tests that try many.
func (n *node) WrongTokens(burst int) {
	all := Allowance{Burst: burst, Every: time.Second}
	n.wrongFrom, n.wrongAll = NewLimiter(all, 10, n.running), NewLimiter(all, 1, n.running)
}

// TestOneSecretIsNoOther: a token is no cookie, a cookie no token, an invitation neither.
func TestOneSecretIsNoOther(t *testing.T) {
	h := newHouse(t)
	_, token := h.token(h.acme.ID, polder.RoleReader)
	cookie, _, err := h.LogIn(ctx, h.steward.Email, h.steward.password, home, "")
	ok(t, err)
	_, invitation, err := h.Invite(ctx, Local(), NewInvitation{Community: h.optics.ID})
	ok(t, err)
	for _, s := range []string{cookie, invitation, h.steward.password} {
		_, err := h.Authenticate(ctx, s, home)
		kind(t, err, polder.Unauthorised, "not a token")
	}
	for _, s := range []string{token, invitation, h.steward.password} {
		_, _, err := h.Session(ctx, s)
		kind(t, err, polder.Unauthorised, "not a cookie")
	}
	for _, s := range []string{token, cookie} {
		_, err := h.Invitation(ctx, s)
		kind(t, err, polder.Unauthorised, "not an invitation")
	}
}

// TestS8WrongTokens: wrong ones are slowed down by address and over all, right ones never.
func TestS8WrongTokens(t *testing.T) {
	n := newNodeAt(t, t.TempDir(), Options{WrongTokens: WrongTokenLimits{Network: Allowance{3, time.Minute}, Node: Allowance{5, time.Minute}}})
	first, err := n.Init(ctx, "Dike Hub", "")
	ok(t, err)
	addr := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	try := func(from netip.Addr) polder.Kind {
		_, err := n.Authenticate(ctx, "polder_wrong", from)
		return polder.KindOf(err)
	}
	for _, step := range []struct {
		from string
		want polder.Kind
		why  string
	}{
		{"2001:db8:1:1::1", polder.Unauthorised, "first"},
		{"2001:db8:1:1::2", polder.Unauthorised, "the same /64"},
		{"2001:db8:1:1:ffff::3", polder.Unauthorised, "the same /64"},
		{"2001:db8:1:1::4", polder.Limited, "the network's allowance is used up"},
		{"192.0.2.1", polder.Unauthorised, "another network"},
		{"::ffff:192.0.2.1", polder.Unauthorised, "the same address, in other clothes"},
		{"192.0.2.1", polder.Limited, "the node's allowance is used up"},
	} {
		if got := try(addr(step.from)); got != step.want {
			t.Errorf("%s from %s: %v, want %v", step.why, step.from, got, step.want)
		}
	}
	_, err = n.Authenticate(ctx, "polder_wrong", addr("2001:db8:1:1::1"))
	if RetryAfter(err) <= 0 || RetryAfter(err) > time.Minute {
		t.Errorf("again in %v", RetryAfter(err))
	}
	if _, err := n.Authenticate(ctx, first.Token, addr("2001:db8:1:1::1")); err != nil {
		t.Fatalf("a right token is held up: %v", err)
	}
	n.jump(24 * time.Hour)
	if got := try(addr("192.0.2.1")); got != polder.Limited {
		t.Errorf("a clock moved forward opens the limit: %v", got)
	}
	n.pass(2 * time.Minute)
	if got := try(addr("192.0.2.1")); got != polder.Unauthorised {
		t.Errorf("the allowance does not come back: %v", got)
	}
}

func TestIdentityObjects(t *testing.T) {
	h := newHouse(t)
	o, err := h.AddOrg(ctx, Local(), NewOrg{Name: `Łódź "Optics" <&> Co`, Sector: "Financial Services"})
	ok(t, err)
	if o.Sector != "financial-services" {
		t.Errorf("sector %q", o.Sector)
	}
	first, err := h.IdentityObject(ctx, o.ID)
	ok(t, err)
	want := `{"type":"identity","spec_version":"2.1","id":"` + string(o.ID) + `","created":"2026-03-29T00:30:00.000Z","modified":"2026-03-29T00:30:00.000Z",` +
		`"name":"Łódź \"Optics\" <&> Co","identity_class":"organization","sectors":["financial-services"]}`
	if string(first) != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
	again, err := h.IdentityObject(ctx, o.ID)
	if err != nil || string(again) != string(first) {
		t.Errorf("not the same bytes again: %s, %v", again, err)
	}
	ok(t, h.ChangeOrg(ctx, Local(), o.ID, NewOrg{Name: "Łódź Optics", Sector: "lens grinding"}))
	changed, err := h.IdentityObject(ctx, o.ID)
	ok(t, err)
	if !strings.Contains(string(changed), `"modified":"2026-03-29T00:30:00.001Z"`) || strings.Contains(string(changed), "sectors") {
		t.Errorf("changed at the same moment: %s", changed)
	}
	blind, err := h.BlindObject(ctx, h.optics.ID)
	ok(t, err)
	for _, raw := range [][]byte{first, changed, blind} {
		obj, err := stix.Parse(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if obj.Type != "identity" {
			t.Errorf("type %q", obj.Type)
		}
	}
	obj, err := stix.Parse(blind)
	ok(t, err)
	if level, err := obj.Level(); err != nil || level != stix.Clear || obj.Name != "A member of Optics supply chain" || obj.ID != string(h.optics.Blind) {
		t.Errorf("blind object %s: %v, %v", blind, level, err)
	}
	if c, ok, err := h.BlindOf(ctx, h.optics.Blind); err != nil || !ok || c != h.optics.ID {
		t.Errorf("BlindOf: %v, %v, %v", c, ok, err)
	}
	if _, ok, err := h.BlindOf(ctx, h.acme.ID); err != nil || ok {
		t.Errorf("an organisation is blind: %v, %v", ok, err)
	}
	for id, want := range map[polder.OrgID]bool{h.acme.ID: true, h.optics.Blind: false, "": false, "identity--none": false} {
		if got, err := h.IsOrg(ctx, id); err != nil || got != want {
			t.Errorf("IsOrg(%q) = %v, %v", id, got, err)
		}
	}
}

func TestAddOrgRefuses(t *testing.T) {
	h := newHouse(t)
	for _, tc := range []struct {
		n    NewOrg
		want polder.Kind
		why  string
	}{
		{NewOrg{Name: "Acme Optics"}, polder.Conflict, "the same name"},
		{NewOrg{Name: "ACME  optics"}, polder.Conflict, "the same to a reader"},
		{NewOrg{Name: "Ａｃｍｅ Optics"}, polder.Conflict, "the same in wide letters"},
		{NewOrg{Name: ""}, polder.Invalid, "no name"},
		{NewOrg{Name: "Acme\u202e"}, polder.Invalid, "S44: a hidden character"},
		{NewOrg{Name: "Fresh", Country: "XX"}, polder.Invalid, "no country"},
		{NewOrg{Name: "Fresh", Sector: "a\nb"}, polder.Invalid, "two lines"},
		{NewOrg{Name: "Fresh", Widest: 99}, polder.Invalid, "no marking"},
	} {
		_, err := h.AddOrg(ctx, Local(), tc.n)
		kind(t, err, tc.want, tc.why)
	}
	kind(t, h.ChangeOrg(ctx, Local(), h.bolt.ID, NewOrg{Name: "acme optics"}), polder.Conflict, "another's name")
	kind(t, h.ChangeOrg(ctx, h.boltSteward.actor, h.bolt.ID, NewOrg{Name: "National CSIRT"}), polder.Forbidden, "a steward takes no other name")
	kind(t, h.SetWidest(ctx, h.boltSteward.actor, h.acme.ID, stix.Red), polder.NotFound, "another organisation's widest marking")
	kind(t, h.SetWidest(ctx, h.read.actor, h.acme.ID, stix.Red), polder.Forbidden, "a reader")
	ok(t, h.SetWidest(ctx, h.steward.actor, h.acme.ID, stix.Amber))
	if o, err := h.Org(ctx, h.acme.ID); err != nil || o.Widest != stix.Amber {
		t.Errorf("widest %v, %v", o.Widest, err)
	}
}
