package cases

import (
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

// Access is what somebody may do in a case, and up to which level. The zero value is nothing.
type Access struct {
	Part    Part         `json:"part"`
	Ceiling stix.Marking `json:"ceiling"`
	Own     bool         `json:"own"` // of the organisation whose case it is
}
