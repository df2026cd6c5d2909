package polder

import (
	"testing"

	"pgregory.net/rapid"
)

// TestX8Right is rule X8 as a table.
func TestX8Right(t *testing.T) {
	const org = "identity--a"
	for _, tc := range []struct {
		actor, member Role
		accepted      bool
		of            OrgID
		want          Role
		why           string
	}{
		{RoleReader, RoleSteward, true, org, RoleReader, "the lesser is the actor's"},
		{RoleSteward, RoleReader, true, org, RoleReader, "the lesser is the membership's"},
		{RoleSteward, RoleSteward, true, org, RoleSteward, "both"},
		{RoleAdmin, RoleSteward, true, org, RoleNone, "an administrator has no right on objects"},
		{RoleSteward, RoleAdmin, true, org, RoleNone, "nor has a membership that says so"},
		{RoleSteward, RoleSteward, false, org, RoleNone, "X10: nothing before acceptance"},
		{RoleSteward, RoleSteward, true, "identity--b", RoleNone, "another's membership"},
		{RoleNone, RoleSteward, true, org, RoleNone, "no role"},
	} {
		a := Actor{Org: org, Role: tc.actor}
		m := Membership{Org: tc.of, Role: tc.member, Accepted: tc.accepted}
		if got := m.Right(a); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.why, got, tc.want)
		}
	}
	if got := (Membership{Role: RoleSteward, Accepted: true}).Right(Actor{Name: "administrator", Role: RoleAdmin}); got != RoleNone {
		t.Errorf("the machine has %v on objects", got)
	}
}

// TestAudienceIsASet: union, intersection and difference are those of sets, and the text form reads back.
func TestAudienceIsASet(t *testing.T) {
	orgs := []OrgID{"a", "b", "c", "z"}
	draw := rapid.Custom(func(t *rapid.T) Audience {
		a := Only(rapid.SliceOfN(rapid.SampledFrom(orgs[:3]), 0, 4).Draw(t, "orgs")...)
		if rapid.Bool().Draw(t, "but") {
			return a.Complement()
		}
		return a
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		for _, o := range orgs {
			in, other := a.Contains(o), b.Contains(o)
			if a.Union(b).Contains(o) != (in || other) || a.Intersect(b).Contains(o) != (in && other) || a.Minus(b).Contains(o) != (in && !other) {
				t.Fatalf("%s in %s and %s", o, a, b)
			}
		}
		if !ParseAudience(a.String()).Equal(a) {
			t.Fatalf("%q reads back as %s", a.String(), ParseAudience(a.String()))
		}
		if a.Contains("") {
			t.Fatalf("the node belongs to %s", a)
		}
	})
}
