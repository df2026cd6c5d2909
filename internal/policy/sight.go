package policy

import (
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Sight is what an actor may see, given the current memberships of its organisation: the communities whose agreement
// was accepted (X10) and in which its right reads objects (X8).
func Sight(a polder.Actor, memberships []polder.Membership) polder.Sight {
	s := polder.Sight{Org: a.Org}
	for _, m := range memberships {
		if m.Right(a) >= polder.RoleReader {
			s.Communities = append(s.Communities, m.Community.ID)
		}
	}
	slices.Sort(s.Communities)
	return s
}

// Nominal is the audience that a share addresses (X6): those it names, with the sharer; the sharer alone when it is
// red and names nobody; else everyone in the community.
func Nominal(by polder.OrgID, to []polder.OrgID, level stix.Marking) polder.Audience {
	if len(to) == 0 && level != stix.Red {
		return polder.Everyone()
	}
	return polder.Only(append(slices.Clone(to), by)...)
}
