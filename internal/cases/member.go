package cases

import (
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Member is somebody who was let into a case: a person of the organisation, or another organisation of the node.
type Member struct {
	Person  polder.PersonID `json:"person,omitempty"`
	Org     polder.OrgID    `json:"org,omitempty"` // all its people; empty where Person is set
	Name    string          `json:"name"`
	Part    Part            `json:"part"`
	Ceiling stix.Marking    `json:"ceiling"` // sees nothing marked stricter
	Since   time.Time       `json:"since"`
	By      polder.PersonID `json:"by"`
}

// Part is what somebody does in a case.
type Part string

const (
	PartLead    Part = "lead"          // everything, membership included
	PartWork    Part = "work"          // adds and changes
	PartRead    Part = "read"          // reads
	PartContact Part = "contact-point" // a country's single point of contact: that it crosses borders, and how far it is
)

// rank orders parts by what they may do; a part that is none has rank 0.
func (p Part) rank() int {
	return slices.Index([]Part{PartContact, PartRead, PartWork, PartLead}, p) + 1
}

// Access is what somebody may do in a case, and up to which level. The zero value is nothing.
type Access struct {
	Part    Part         `json:"part"`
	Ceiling stix.Marking `json:"ceiling"`
	Own     bool         `json:"own"` // of the organisation whose case it is
}

// May tells whether x allows what asks for a part.
func (x Access) May(need Part) bool { return x.Part.rank() >= need.rank() }

// sees tells whether what is marked so is seen. It is the one rule of sight: the store says the same in SQL.
func (x Access) sees(level stix.Marking) bool {
	return x.Part.rank() > 0 && level >= stix.Clear && level <= x.Ceiling
}

// seesItem tells whether an item of that kind and level is seen; linked says whether its case is, where it is a link.
func (x Access) seesItem(kind ItemKind, level stix.Marking, linked bool) bool {
	return x.May(PartRead) && x.sees(level) && (kind != ItemLink || linked)
}

// caseViewer is who asks about cases: a person, through the console, the command line or a token.
type caseViewer struct {
	person polder.PersonID
	org    polder.OrgID
	role   polder.Role
}

// access is what a member's row gives the viewer in a case: nothing, where it is somebody else's, or where the case was not
// yet announced to the contact point. A role that only reads makes every part one that reads.
func (v caseViewer) access(c Case, m Member) Access {
	own := v.org == c.Org
	mine := m.Person != "" && m.Person == v.person && own || m.Person == "" && m.Org != "" && m.Org == v.org && !own
	if !mine || v.org == "" || v.role.OnObjects() < polder.RoleReader || m.Part == PartContact && c.Announced.IsZero() {
		return Access{}
	}
	x := Access{Part: m.Part, Ceiling: m.Ceiling, Own: own}
	if v.role < polder.RoleContributor && x.May(PartRead) {
		x.Part = PartRead
	}
	return x
}

// mayGrant checks that whoever has x may make a member of m, who had had before (the zero value: nothing) until now.
func (x Access) mayGrant(m, had Member) error {
	switch {
	case !x.May(PartLead):
		return polder.Errorf(polder.Forbidden, "who belongs to a case is the lead's to say; ask the lead")
	case m.Ceiling > x.Ceiling:
		return polder.Errorf(polder.Forbidden, "ceiling: %s is above your own, %s; nobody grants more than he has", m.Ceiling.Label(), x.Ceiling.Label())
	case had.Ceiling > x.Ceiling:
		return polder.Errorf(polder.Forbidden, "this member sees up to %s, above your own %s; a lead who sees that too can change it", had.Ceiling.Label(), x.Ceiling.Label())
	}
	return nil
}

// check puts what somebody is let in with right, or says what is wrong.
func (m CaseWithWhom) check(c Case) error {
	switch {
	case (m.Person == "") == (m.Org == ""):
		return polder.Errorf(polder.Invalid, "member: name a person of your organisation, or another organisation of this node")
	case m.Org == c.Org:
		return polder.Errorf(polder.Invalid, "org: it is the organisation's own case; let its people in one by one")
	case m.Org != "" && m.Part == PartLead:
		return polder.Errorf(polder.Invalid, "part: another organisation cannot lead; use work, read or contact-point")
	case m.Person != "" && m.Part == PartContact:
		return polder.Errorf(polder.Invalid, "part: a contact point is an organisation, not a person; use lead, work or read")
	}
	if err := caseOneOf("part", m.Part, caseParts); err != nil {
		return err
	}
	return caseLevel("ceiling", m.Ceiling)
}

// ledBy tells whether somebody leads who sees everything, so that no part of a case gets out of everybody's reach.
func ledBy(all []Member) bool {
	return slices.ContainsFunc(all, func(m Member) bool { return m.Part == PartLead && m.Ceiling == stix.Red })
}
