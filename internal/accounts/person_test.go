package accounts

import (
	"slices"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// TestWhoMayChangeWhom is the table of S6 for people: an account of one role in one organisation tries to act on
// another. "Climbing" rows are those by which systems of this kind were taken over.
func TestWhoMayChangeWhom(t *testing.T) {
	const none = polder.Internal // no error
	for _, tc := range []struct {
		by     polder.Role
		same   bool // the same organisation
		target polder.Role
		to     polder.Role
		want   polder.Kind
		why    string
	}{
		{polder.RoleReader, true, polder.RoleReader, polder.RoleReader, polder.Forbidden, "a reader manages nobody"},
		{polder.RoleContributor, true, polder.RoleReader, polder.RoleReader, polder.Forbidden, "nor does a contributor"},
		{polder.RoleSteward, true, polder.RoleReader, polder.RoleContributor, none, "a steward raises up to its own role"},
		{polder.RoleSteward, true, polder.RoleContributor, polder.RoleSteward, none, "to its own role"},
		{polder.RoleSteward, true, polder.RoleReader, polder.RoleAdmin, polder.Forbidden, "climbing: gives what it does not hold"},
		{polder.RoleSteward, true, polder.RoleAdmin, polder.RoleReader, polder.Forbidden, "climbing: an administrator of its own organisation"},
		{polder.RoleSteward, false, polder.RoleReader, polder.RoleReader, polder.NotFound, "another organisation's person is not known"},
		{polder.RoleAdmin, false, polder.RoleSteward, polder.RoleAdmin, none, "an administrator makes administrators"},
		{polder.RoleAdmin, false, polder.RoleAdmin, polder.RoleReader, none, "and takes it back"},
	} {
		h := newHouse(t)
		org := h.bolt.ID
		if tc.same {
			org = h.acme.ID
		}
		by := h.person(h.acme.ID, "by@acme.example", tc.by).actor
		target := h.person(org, "target@x.example", tc.target)
		check := func(what string, want polder.Kind, err error) {
			t.Helper()
			if want == none && err != nil || want != none && (err == nil || polder.KindOf(err) != want) {
				t.Errorf("%s: %s: got %v, want %v", tc.why, what, err, want)
			}
		}
		check("role", tc.want, h.SetRole(ctx, by, target.ID, tc.to))
		rest := tc.want
		if tc.to > tc.by { // it may act on the account, only not give that role
			rest = none
		}
		_, err := h.ResetPassword(ctx, by, target.ID)
		check("reset", rest, err)
		check("disable", rest, h.Disable(ctx, by, target.ID))
		check("enable", rest, h.Enable(ctx, by, target.ID))
	}
}

func TestWhoMayAddPeople(t *testing.T) {
	h := newHouse(t)
	contributor := h.person(h.acme.ID, "carl@acme.example", polder.RoleContributor).actor
	admin := h.person(h.acme.ID, "ada@acme.example", polder.RoleAdmin).actor
	for _, tc := range []struct {
		by   polder.Actor
		org  polder.OrgID
		role polder.Role
		want polder.Kind
		why  string
	}{
		{h.read.actor, h.acme.ID, polder.RoleReader, polder.Forbidden, "a reader"},
		{contributor, h.acme.ID, polder.RoleReader, polder.Forbidden, "a contributor"},
		{h.steward.actor, h.acme.ID, polder.RoleSteward, 0, "a steward, up to its own role"},
		{h.steward.actor, h.acme.ID, polder.RoleAdmin, polder.Forbidden, "climbing"},
		{h.steward.actor, h.bolt.ID, polder.RoleReader, polder.NotFound, "elsewhere"},
		{admin, h.bolt.ID, polder.RoleAdmin, 0, "an administrator"},
	} {
		_, _, err := h.AddPerson(ctx, tc.by, NewPerson{tc.org, "new@x.example", "", tc.role})
		if tc.want != 0 {
			kind(t, err, tc.want, tc.why)
			continue
		}
		ok(t, err)
		ok(t, h.rename("new@x.example", tc.why+"@x.example"))
	}
}

// rename frees a log-in name for the next row of a table.
func (n *node) rename(from, to string) error {
	return n.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE accounts_person SET email = ? WHERE email = ?`, to, from)
		return err
	})
}

// TestAClaimIsReadAgain: what an actor says of itself counts for nothing; the database does.
func TestAClaimIsReadAgain(t *testing.T) {
	h := newHouse(t)
	tok, _ := h.token(h.acme.ID, polder.RoleReader)
	for _, tc := range []struct {
		by   polder.Actor
		want polder.Kind
		why  string
	}{
		{polder.Actor{}, polder.Unauthorised, "nobody"},
		{polder.Actor{Org: h.acme.ID, Role: polder.RoleAdmin}, polder.Unauthorised, "neither person nor token"},
		{polder.Actor{Org: h.acme.ID, Person: h.read.ID, Role: polder.RoleAdmin}, polder.Forbidden, "a reader who says admin"},
		{polder.Actor{Org: h.bolt.ID, Person: h.read.ID, Role: polder.RoleReader}, polder.Unauthorised, "a person under another organisation"},
		{polder.Actor{Person: h.read.ID, Role: polder.RoleAdmin}, polder.Unauthorised, "a person without its organisation"},
		{polder.Actor{Org: h.acme.ID, Token: tok.ID, Role: polder.RoleAdmin}, polder.Forbidden, "a reading token that says admin"},
		{polder.Actor{Org: h.bolt.ID, Token: tok.ID, Role: polder.RoleAdmin}, polder.Unauthorised, "a token under another organisation"},
		{polder.Actor{Org: h.acme.ID, Token: "nosuchtoken1", Role: polder.RoleAdmin}, polder.Unauthorised, "a token that is none"},
		{polder.Actor{Org: h.acme.ID, Person: "nobody", Role: polder.RoleAdmin}, polder.Unauthorised, "a person who is none"},
	} {
		_, err := h.AddOrg(ctx, tc.by, NewOrg{Name: "Fresh"})
		kind(t, err, tc.want, tc.why)
		if a, err := h.Refresh(ctx, tc.by); err == nil && a.Role == polder.RoleAdmin {
			t.Errorf("%s: refresh answers an administrator", tc.why)
		}
	}
	ok(t, h.Disable(ctx, Local(), h.steward.ID))
	_, _, err := h.AddPerson(ctx, h.steward.actor, NewPerson{h.acme.ID, "late@acme.example", "", polder.RoleReader})
	kind(t, err, polder.Unauthorised, "a person disabled after it was authenticated")
}

func TestPeople(t *testing.T) {
	h := newHouse(t)
	got, err := h.People(ctx, h.read.actor, h.acme.ID)
	if err != nil || len(got) != 2 || got[0].Email != "rita@acme.example" {
		t.Fatalf("own people: %+v, %v", got, err)
	}
	_, err = h.People(ctx, h.read.actor, h.bolt.ID)
	kind(t, err, polder.NotFound, "another organisation's people")
	_, err = h.People(ctx, h.read.actor, "")
	kind(t, err, polder.NotFound, "everybody")
	if all, err := h.People(ctx, Local(), ""); err != nil || len(all) != 4 {
		t.Fatalf("an administrator sees %d people, %v", len(all), err)
	}
}

func TestAddPersonRefuses(t *testing.T) {
	h := newHouse(t)
	for _, tc := range []struct {
		n    NewPerson
		want polder.Kind
		why  string
	}{
		{NewPerson{h.acme.ID, "SAM@ACME.EXAMPLE", "", polder.RoleReader}, polder.Conflict, "S8: the same address in other letters"},
		{NewPerson{h.bolt.ID, "ｓａｍ@acme.example", "", polder.RoleReader}, polder.Conflict, "S8: Unicode-equal, elsewhere"},
		{NewPerson{h.acme.ID, "no address", "", polder.RoleReader}, polder.Invalid, "no address"},
		{NewPerson{h.acme.ID, "x@acme.example", "", polder.RoleNone}, polder.Invalid, "no role"},
		{NewPerson{h.acme.ID, "x@acme.example", "", 99}, polder.Invalid, "no such role"},
		{NewPerson{h.acme.ID, "x@acme.example", "S\u202eam", polder.RoleReader}, polder.Invalid, "S44: a hidden character"},
		{NewPerson{"identity--none", "x@acme.example", "", polder.RoleReader}, polder.NotFound, "no such organisation"},
	} {
		_, password, err := h.AddPerson(ctx, Local(), tc.n)
		kind(t, err, tc.want, tc.why)
		if password != "" {
			t.Errorf("%s: a refusal answers a password", tc.why)
		}
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	h := newHouse(t)
	people, err := h.People(ctx, Local(), h.init.Org.ID)
	ok(t, err)
	admin := people[0]
	kind(t, h.Disable(ctx, Local(), admin.ID), polder.Conflict, "the last one is disabled")
	kind(t, h.SetRole(ctx, Local(), admin.ID, polder.RoleReader), polder.Conflict, "the last one is lowered")
	second := h.person(h.acme.ID, "second@acme.example", polder.RoleAdmin)
	ok(t, h.Disable(ctx, Local(), admin.ID))
	kind(t, h.Disable(ctx, Local(), second.ID), polder.Conflict, "a disabled administrator does not count")
}

// TestWhatSomebodyMadeEndsWithHim: a person has read the tokens it made, so they follow the person.
func TestWhatSomebodyMadeEndsWithHim(t *testing.T) {
	h := newHouse(t)
	_, first, err := h.CreateToken(ctx, h.steward.actor, NewToken{Org: h.acme.ID, Role: polder.RoleSteward})
	ok(t, err)
	a, err := h.Authenticate(ctx, first, home)
	ok(t, err)
	_, second, err := h.CreateToken(ctx, a, NewToken{Org: h.acme.ID, Role: polder.RoleSteward})
	ok(t, err)
	_, other, err := h.CreateToken(ctx, h.read.actor, NewToken{Org: h.acme.ID, Role: polder.RoleReader})
	ok(t, err)

	ok(t, h.SetRole(ctx, Local(), h.steward.ID, polder.RoleContributor))
	for _, text := range []string{first, second} {
		if a, err := h.Authenticate(ctx, text, home); err != nil || a.Role != polder.RoleContributor {
			t.Fatalf("a token of a lowered person is %v, %v", a.Role, err)
		}
	}
	ok(t, h.Disable(ctx, Local(), h.steward.ID))
	for _, text := range []string{first, second} {
		_, err := h.Authenticate(ctx, text, home)
		kind(t, err, polder.Unauthorised, "a token made by a disabled person, or by its token")
	}
	if _, err := h.Authenticate(ctx, other, home); err != nil {
		t.Fatalf("another's token: %v", err)
	}
	ok(t, h.Enable(ctx, Local(), h.steward.ID))
	_, err = h.Authenticate(ctx, first, home)
	kind(t, err, polder.Unauthorised, "what ended stays ended")
}

func TestChangePassword(t *testing.T) {
	h := newHouse(t)
	by, now := h.steward.actor, h.steward.password
	here, ses, err := h.LogIn(ctx, h.steward.Email, now, home, "here")
	ok(t, err)
	there, _, err := h.LogIn(ctx, h.steward.Email, now, home, "there")
	ok(t, err)
	const good = "correct horse battery staple"
	kind(t, h.ChangePassword(ctx, by, "wrong password!", good, ses.ID), polder.Forbidden, "the old one is wrong")
	kind(t, h.ChangePassword(ctx, by, now, "short", ses.ID), polder.Invalid, "too short")
	kind(t, h.ChangePassword(ctx, by, now, now, ses.ID), polder.Invalid, "no change")
	kind(t, h.ChangePassword(ctx, Local(), now, good, ses.ID), polder.Forbidden, "nobody's password")
	ok(t, h.ChangePassword(ctx, by, now, good, ses.ID))
	if _, got, err := h.Session(ctx, here); err != nil || got.MustChange {
		t.Fatalf("the session at hand stays and need not change any more: %+v, %v", got, err)
	}
	_, _, err = h.Session(ctx, there)
	kind(t, err, polder.Unauthorised, "the other sessions end")
	_, _, err = h.LogIn(ctx, h.steward.Email, now, home, "")
	kind(t, err, polder.Unauthorised, "the old password")
	if _, _, err = h.LogIn(ctx, h.steward.Email, good, home, ""); err != nil {
		t.Fatalf("the new password: %v", err)
	}
}

func TestResetPassword(t *testing.T) {
	h := newHouse(t)
	cookie, _, err := h.LogIn(ctx, h.read.Email, h.read.password, home, "")
	ok(t, err)
	fresh, err := h.ResetPassword(ctx, h.steward.actor, h.read.ID)
	ok(t, err)
	_, _, err = h.Session(ctx, cookie)
	kind(t, err, polder.Unauthorised, "a reset ends sessions")
	_, _, err = h.LogIn(ctx, h.read.Email, h.read.password, home, "")
	kind(t, err, polder.Unauthorised, "the old password")
	_, ses, err := h.LogIn(ctx, h.read.Email, fresh, home, "")
	if err != nil || !ses.MustChange {
		t.Fatalf("the new password: %+v, %v", ses, err)
	}
}

func TestPreferences(t *testing.T) {
	h := newHouse(t)
	want := Preferences{Language: "nl", Theme: "dark", Shortcuts: false}
	ok(t, h.SetPreferences(ctx, h.read.actor, want))
	cookie, _, err := h.LogIn(ctx, h.read.Email, h.read.password, home, "")
	ok(t, err)
	if _, ses, err := h.Session(ctx, cookie); err != nil || ses.Preferences != want {
		t.Fatalf("session has %+v, %v", ses.Preferences, err)
	}
	kind(t, h.SetPreferences(ctx, h.read.actor, Preferences{Language: "xx"}), polder.Invalid, "no such language")
	kind(t, h.SetPreferences(ctx, h.read.actor, Preferences{Theme: "pink"}), polder.Invalid, "no such theme")
	tok, _ := h.token(h.acme.ID, polder.RoleReader)
	kind(t, h.SetPreferences(ctx, polder.Actor{Org: h.acme.ID, Token: tok.ID}, want), polder.Forbidden, "a token has none")
}

func TestCheckPassword(t *testing.T) {
	for _, tc := range []struct {
		password string
		good     bool
		why      string
	}{
		{"correct horse battery staple", true, "four words"},
		{"ünïcödé pässwörd", true, "any letters"},
		{"elevenchars", false, "eleven"},
		{"twelve chars", true, "twelve"},
		{string(slices.Repeat([]byte("x1y2z"), 60)), false, "above the bound"},
		{"aaaaaaaaaaaaaaaa", false, "one character"},
		{"abababababababab", false, "two"},
		{"sam.jansen-2026!", false, "the log-in name"},
		{"abcdefghijklmnop", false, "the alphabet"},
		{"ponmlkjihgfedcba", false, "and backwards"},
		{"qwertyuiopasdf", false, "a row of keys"},
		{"1234567890123", false, "digits"},
		{"not utf-8 \xff\xfe..", false, "no UTF-8"},
	} {
		if err := CheckPassword(tc.password, "Sam.Jansen@acme.example"); (err == nil) != tc.good {
			t.Errorf("%s: %q: %v", tc.why, tc.password, err)
		}
	}
}

func TestPasswordHash(t *testing.T) {
	salt := make([]byte, saltBytes)
	stored := cheap.hash("pa\u0301ss word one", salt)
	for _, tc := range []struct {
		password string
		want     bool
		why      string
	}{{"pa\u0301ss word one", true, "itself"}, {"p\u00e1ss word one", true, "Unicode-equal"}, {"Páss word one", false, "another case"}, {"", false, "empty"}} {
		if got, err := matches(stored, tc.password); err != nil || got != tc.want {
			t.Errorf("%s: %v, %v", tc.why, got, err)
		}
	}
	if got, err := matches(cheap.decoy(), ""); err != nil || got {
		t.Errorf("the decoy matches: %v, %v", got, err)
	}
	if c, _, _, err := parseHash(cheap.decoy()); err != nil || c != cheap {
		t.Errorf("the decoy costs %+v, %v; a known account %+v", c, err, cheap)
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(cheap.hash("x", make([]byte, saltBytes)))
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=0,t=0,p=0$$")
	f.Fuzz(func(t *testing.T, s string) {
		c, salt, key, err := parseHash(s)
		if err != nil {
			return
		}
		if c.MemoryKiB == 0 || c.MemoryKiB > maxCostMemory || c.Passes == 0 || c.Passes > maxCostPasses || c.Lanes == 0 || len(salt) != saltBytes || len(key) != keyBytes {
			t.Fatalf("parseHash(%q) = %+v", s, c)
		}
	})
}
