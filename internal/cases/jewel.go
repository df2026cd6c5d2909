package cases

import (
	"time"

	"github.com/polder-exchange/polder"
)

// Jewel is something of an organisation's own that is worth stealing, in its private register. The register holds names
// and list entries, never the know-how itself.
type Jewel struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Technology []string     `json:"technology"` // entries of control lists: "2B350.g"
	Systems    []string     `json:"systems"`    // where it is kept and used
	Products   []string     `json:"products"`   // made with it, joint ones too
	Partners   []string     `json:"partners"`   // who shares in it
	Platforms  []string     `json:"platforms"`  // of customers, that depend on it
	Worth      string       `json:"worth"`      // what its loss would mean, in plain words
	Owner      string       `json:"owner"`      // who answers for it
	Changed    time.Time    `json:"changed"`
	Version    int          `json:"version"`
	Org        polder.OrgID `json:"-"`
}

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
}

// Taken is whether something was taken.
type Taken string

const (
	TakenNothing Taken = "nothing"
	TakenMaybe   Taken = "maybe"
	TakenSome    Taken = "some"
	TakenAll     Taken = "all"
)
