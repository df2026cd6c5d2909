// Package polder is the vocabulary that everybody in this program speaks: organisations, people, roles,
// communities, what a reader may see, and the few kinds of error.
//
// It imports the standard library and package stix only, and it does nothing: the folders below implement.
package polder

import (
	"strings"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// OrgID names an organisation. It is the id of the organisation's STIX identity object ("identity--" and a UUID).
// The empty OrgID is the node itself.
type OrgID string

// CommunityID names a community: a UUIDv4, which is also the id of the community's TAXII collection.
type CommunityID string

// PersonID names a person of an organisation.
type PersonID string

// TokenID names a token; it is public, the token itself is not.
type TokenID string

// Seq is the number of a delivery: its date_added in microseconds since 1970 (rule X11). It strictly rises in
// commit order, is unique over the node, and its gaps mean nothing. Zero means "before everything".
type Seq int64

// Time is the date_added that s is.
func (s Seq) Time() time.Time { return time.UnixMicro(int64(s)).UTC() }

// String writes s as TAXII asks: RFC 3339, UTC, exactly six digits of fraction.
func (s Seq) String() string { return s.Time().Format("2006-01-02T15:04:05.000000Z") }

// SeqAt is the number that t would have.
func SeqAt(t time.Time) Seq { return Seq(t.UnixMicro()) }

// Role says what a person, a token or a membership allows. Roles are ordered: a higher one includes the lower ones,
// except that RoleAdmin manages the node and has no right on objects (rule X8). The zero value allows nothing.
type Role uint8

const (
	RoleNone Role = iota
	RoleReader
	RoleContributor
	RoleSteward
	RoleAdmin
)

var roleNames = [...]string{"none", "reader", "contributor", "steward", "admin"}

func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "none"
}

// ParseRole reads a role by its name.
func ParseRole(s string) (Role, error) {
	for i, n := range roleNames[1:] {
		if s == n {
			return Role(i + 1), nil
		}
	}
	return RoleNone, Errorf(Invalid, "role %q is unknown; use one of %s", s, strings.Join(roleNames[1:], ", "))
}

// OnObjects is what r allows on objects: an admin has no right there.
func (r Role) OnObjects() Role {
	if r == RoleAdmin {
		return RoleNone
	}
	return r
}

// Org is an organisation of this node.
type Org struct {
	ID      OrgID
	Name    string
	Country string       // ISO 3166-1 alpha-2, or empty
	Sector  string       // a STIX industry-sector-ov term or a word of one's own, or empty
	Widest  stix.Marking // the widest marking it may use (rule X4); stix.Clear when it may use any
	Created time.Time
	Home    OrgID // the node where it lives; empty for this one
}

// Remote tells whether o lives on another node: nobody acts for it here.
func (o Org) Remote() bool { return o.Home != "" }

// Community is a group of organisations that share with each other.
type Community struct {
	ID       CommunityID
	Alias    string // ASCII lower case, in URLs and commands
	Name     string
	Unmarked stix.Marking // the level given to objects without one; stix.None when such objects are refused (rule X2)
	Blind    OrgID        // the identity that stands for "a member" (rule X20)
	Created  time.Time
	Home     OrgID // the node that decides who belongs to it and numbers what is shared in it; empty for this one
}

// Mirrored tells whether the home of c is another node: members, agreement and invitations are that node's.
func (c Community) Mirrored() bool { return c.Home != "" }

// Membership says that an organisation belongs to a community and as what.
type Membership struct {
	Community
	Org      OrgID
	Role     Role
	Accepted bool // a named person (or the administrator, audited) accepted the community's agreement (rule X10)
}

// Actor is who asks: an organisation, through a person or a token.
type Actor struct {
	Org    OrgID
	Person PersonID
	Token  TokenID
	Name   string // of the person, for pages and the audit; empty for tokens
	Role   Role   // of the person or token; the right in a community is the lesser of this and the membership's
}

// Sight is what a reader may see: every delivery of one of these communities whose audience holds the
// organisation, and nothing else. Policy makes it; SQL and Go both read it.
type Sight struct {
	Org         OrgID
	Communities []CommunityID // where it is a member, has accepted the agreement and its role reads objects; sorted
}

// Allows is the rule of sight in one place.
func (s Sight) Allows(c CommunityID, to Audience) bool {
	for _, have := range s.Communities {
		if have == c {
			return to.Contains(s.Org)
		}
	}
	return false
}

// In narrows s to one community.
func (s Sight) In(c CommunityID) Sight {
	for _, have := range s.Communities {
		if have == c {
			return Sight{s.Org, []CommunityID{c}}
		}
	}
	return Sight{Org: s.Org}
}

// Right is what a may do with the objects of m's community (rule X8): the lesser of its own role, where an
// administrator's counts for nothing, and the membership's. Without acceptance of the agreement (X10), and for another
// organisation's membership, it is nothing.
func (m Membership) Right(a Actor) Role {
	if !m.Accepted || a.Org == "" || a.Org != m.Org {
		return RoleNone
	}
	return min(a.Role.OnObjects(), m.Role.OnObjects())
}
