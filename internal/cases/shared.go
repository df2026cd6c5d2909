package cases

import (
	"context"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// SharedLog is what cases of others are read from. *journal.Journal is one.
type SharedLog interface {
	// Page is what a reader may see.
	Page(ctx context.Context, sight polder.Sight, q journal.Query) (journal.Page, error)
}

// SharedOwn says what an organisation may see now in its own right, and the aliases of the communities in it.
type SharedOwn func(ctx context.Context, org polder.OrgID) (polder.Sight, map[polder.CommunityID]string, error)

// Sharing is a case that an organisation shares with another one in a community: as objects of the exchange, brought up
// to date until it is stopped.
type Sharing struct {
	ID        string          `json:"id"`
	Case      CaseID          `json:"case"`
	Community string          `json:"community"` // alias
	Org       polder.OrgID    `json:"org"`       // with whom
	Name      string          `json:"name"`
	Part      Part            `json:"part"`    // read, work (its entries come back into the timeline) or contact-point
	Ceiling   stix.Marking    `json:"ceiling"` // nothing stricter goes to it
	Country   string          `json:"country,omitempty"`
	Since     time.Time       `json:"since"`
	By        polder.PersonID `json:"by"`
	Sent      time.Time       `json:"sent,omitzero"`    // when it was last brought up to date
	Behind    bool            `json:"behind"`           // something has changed since
	Stopped   time.Time       `json:"stopped,omitzero"` // withdrawn

	stage, digest string
}

// SharingAsk is with whom a case is to be shared.
type SharingAsk struct {
	Case      CaseID
	Community string // alias
	Org       polder.OrgID
	Part      Part         // read or work; a contact point is told by [Service.TellContacts]
	Ceiling   stix.Marking // nothing stricter goes to it
	Confirmed bool         // the warnings were read
	Preview   bool         // nothing leaves
}

// SharedCase is a case that another organisation shares with the actor's.
type SharedCase struct {
	Key       string       `json:"key"` // names it here
	Community string       `json:"community"`
	Owner     string       `json:"owner"` // name, or empty where it did not give it
	Part      Part         `json:"part"`  // what the actor's organisation may do in it
	Title     string       `json:"title"`
	Summary   string       `json:"summary"`
	Kind      Kind         `json:"kind"`
	Class     string       `json:"class"`
	Severity  Severity     `json:"severity"`
	Status    Status       `json:"status"`
	Stage     string       `json:"stage"` // of the duty to report: early-warning, notification, final
	Countries []string     `json:"countries"`
	Crosses   bool         `json:"crosses_borders"`
	Aware     time.Time    `json:"aware,omitzero"`
	Level     stix.Marking `json:"tlp"`
	Changed   time.Time    `json:"changed"`
	Items     []Item       `json:"items"` // of all sides, the earliest first

	id        string       // that the objects of all sides bear
	custodian polder.OrgID // who keeps it where it is read from
	place     polder.CommunityID
}

// ContactPoint is who takes notice of cases that touch a country.
type ContactPoint struct {
	Country   string       `json:"country"` // ISO 3166-1 alpha-2
	Community string       `json:"community"`
	Org       polder.OrgID `json:"org"`
	Name      string       `json:"name"`
}
