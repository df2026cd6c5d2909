package cases

import (
	"context"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

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
}

// ShareCase shares a case with another organisation, or shows what would leave. Only the case's lead may.
func (s *Service) ShareCase(ctx context.Context, by polder.Actor, ask SharingAsk) (ReleaseAnswer, error) {
	return ReleaseAnswer{}, polder.Errorf(polder.Unavailable, "sharing of cases is being built")
}

// Sharings are those with whom a case is shared.
func (s *Service) Sharings(ctx context.Context, by polder.Actor, id CaseID) ([]Sharing, error) {
	return nil, nil
}

// StopSharing withdraws what was shared of a case with an organisation.
func (s *Service) StopSharing(ctx context.Context, by polder.Actor, id CaseID, sharing string) error {
	return polder.Errorf(polder.NotFound, "the case is not shared so")
}

// BringShared brings everybody with whom a case is shared up to date.
func (s *Service) BringShared(ctx context.Context, by polder.Actor, id CaseID) error { return nil }

// SharedWithUs are the cases that others share with the actor's organisation, the last changed first. Their items are
// left out.
func (s *Service) SharedWithUs(ctx context.Context, by polder.Actor) ([]SharedCase, error) {
	return nil, nil
}

// SharedWith is one case that others share, with the items of all sides that the actor may see.
func (s *Service) SharedWith(ctx context.Context, by polder.Actor, key string) (SharedCase, error) {
	return SharedCase{}, polder.Errorf(polder.NotFound, "no such shared case")
}

// ReplyToShared adds an entry, an observable or a note to a case of another organisation, and shares it back.
func (s *Service) ReplyToShared(ctx context.Context, by polder.Actor, key string, item Item, confirmed bool) (Item, error) {
	return Item{}, polder.Errorf(polder.NotFound, "no such shared case")
}

// FromOthers are the items that others, with whom a case is shared, added to it, the earliest first.
func (s *Service) FromOthers(ctx context.Context, by polder.Actor, id CaseID) ([]Item, error) {
	return nil, nil
}

// ContactPoint is who takes notice of cases that touch a country.
type ContactPoint struct {
	Country   string       `json:"country"` // ISO 3166-1 alpha-2
	Community string       `json:"community"`
	Org       polder.OrgID `json:"org"`
	Name      string       `json:"name"`
}

// ContactPoints are those that the actor's organisation has set, by country.
func (s *Service) ContactPoints(ctx context.Context, by polder.Actor) ([]ContactPoint, error) {
	return nil, nil
}

// SetContactPoint sets who takes notice of cases that touch a country; without an organisation there is none.
func (s *Service) SetContactPoint(ctx context.Context, by polder.Actor, p ContactPoint) error {
	return polder.Errorf(polder.Unavailable, "contact points are being built")
}

// TellContacts tells the contact points of the countries that a case touches that it crosses borders, with what stage the
// duty to report has come to ("early-warning"), or shows whom it would tell. A person says so; nothing tells them by itself.
func (s *Service) TellContacts(ctx context.Context, by polder.Actor, id CaseID, stage string, preview bool) ([]ContactPoint, error) {
	return nil, nil
}

// CrossBorder are the cases that others told the actor's organisation of as a country's contact point, and its own that
// touch more than one country, the last changed first.
func (s *Service) CrossBorder(ctx context.Context, by polder.Actor) ([]SharedCase, error) {
	return nil, nil
}
