package cases

import (
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Damage is what an assessment says at the end of a case.
type Damage struct {
	Taken      Taken           `json:"taken"`
	Jewels     []string        `json:"jewels"` // ids
	What       string          `json:"what"`
	Partners   []string        `json:"partners"` // touched; proposed from the jewels
	Products   []string        `json:"products"`
	Platforms  []string        `json:"platforms"`
	Told       []string        `json:"told"` // who was told of it
	Measures   string          `json:"measures"`
	Assessed   time.Time       `json:"assessed"`
	AssessedBy polder.PersonID `json:"assessed_by"`
	Level      stix.Marking    `json:"tlp"`
	Version    int             `json:"version"`
}

// Taken is whether something was taken.
type Taken string

const (
	TakenNothing Taken = "nothing"
	TakenMaybe   Taken = "maybe"
	TakenSome    Taken = "some"
	TakenAll     Taken = "all"
)

// DamageView is the damage assessment of a case, and what the jewels that it touches propose.
type DamageView struct {
	Damage
	Touched  []Jewel `json:"touched"`  // by the case; only people of its own organisation see them
	Proposed Damage  `json:"proposed"` // partners, products and platforms of those
	Signed   bool    `json:"signed"`   // somebody has assessed
}
