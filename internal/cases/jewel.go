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
	Removed    time.Time    `json:"removed,omitzero"` // no longer in the register; cases that name it still do
}

// JewelFilter says which jewels a list holds, by name.
type JewelFilter struct {
	Text       string // in any of its words
	Technology string // an entry of a control list, or the beginning of one
	Removed    bool   // those that are no longer in the register instead
	Next       string
	Limit      int // at most 200; 0 is 50
}

// JewelPage is a page of the register.
type JewelPage struct {
	Jewels []Jewel `json:"jewels"`
	Next   string  `json:"next"`
}

// JewelRevision is what a jewel once was.
type JewelRevision struct {
	At    time.Time       `json:"at"`
	By    polder.PersonID `json:"by"`
	Did   string          `json:"did"` // added, changed, removed, restored
	Jewel Jewel           `json:"jewel"`
}

// JewelImport tells what became of the rows of a file.
type JewelImport struct {
	Added   int      `json:"added"`
	Changed int      `json:"changed"`
	Same    int      `json:"same"`
	Refused int      `json:"refused"`
	Faults  []string `json:"faults"` // of the first refused rows
}
