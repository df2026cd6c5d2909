package cases

import (
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
)

// CaseID names a case: "case--" and a UUIDv4. It tells nothing of how many there are.
type CaseID string

// Road is one of the five by which know-how is taken.
type Road string

// The five roads, and the answer of who does not know.
const (
	RoadCyber       Road = "cyber"       // intrusion
	RoadInsider     Road = "insider"     // somebody with access
	RoadAcquisition Road = "acquisition" // an odd interest in buying
	RoadExport      Road = "export"      // an odd order, end user or way of shipping
	RoadResearch    Road = "research"    // collaboration, questions about know-how, reverse engineering
	RoadUnknown     Road = "unknown"
)

// Kind says what a report or a case is about.
type Kind string

const (
	KindIncident  Kind = "incident"
	KindNearMiss  Kind = "near-miss"
	KindApproach  Kind = "approach" // an invitation, a visitor, a contact
	KindSuspicion Kind = "suspicion"
)

// Severity is how bad a case is.
type Severity string

const (
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

// Status is how far a case has come.
type Status string

const (
	StatusOpen      Status = "open"
	StatusContained Status = "contained" // it no longer spreads; work goes on
	StatusClosed    Status = "closed"
)

// Case is what happened, and what an organisation does about it.
type Case struct {
	ID       CaseID       `json:"id"`
	Org      polder.OrgID `json:"org"`
	Title    string       `json:"title"`
	Summary  string       `json:"summary"`
	Kind     Kind         `json:"kind"`
	Roads    []Road       `json:"roads"`
	Class    string       `json:"class"` // RSIT: "intrusions/application-compromise"
	Severity Severity     `json:"severity"`
	Status   Status       `json:"status"`
	Level    stix.Marking `json:"tlp"` // of title, summary and the case's own fields; the default of what is added

	Aware     time.Time `json:"aware"`    // when the organisation first knew; every clock of the law runs from it
	Noticed   string    `json:"noticed"`  // in the words of who noticed
	Occurred  time.Time `json:"occurred"` // when it began, as far as known
	Ended     time.Time `json:"ended"`
	Sector    string    `json:"sector"`    // of the deadline packs
	Countries []string  `json:"countries"` // touched; ISO 3166-1 alpha-2
	Report    string    `json:"report"`    // the report that it came from; its content stays sealed
	Victim    string    `json:"victim"`    // who is hit, where it is not the organisation itself

	Opened   time.Time       `json:"opened"`
	OpenedBy polder.PersonID `json:"opened_by"`
	Closed   time.Time       `json:"closed"`
	Changed  time.Time       `json:"changed"`
	Version  int             `json:"version"` // of the case's own fields; a change names the version it was made on
}

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

// ItemKind is what an item of a case is.
type ItemKind string

const (
	ItemEntry      ItemKind = "entry"      // of the timeline
	ItemObservable ItemKind = "observable" // a value that was seen
	ItemEvidence   ItemKind = "evidence"   // a file, or a thing that is held somewhere
	ItemTask       ItemKind = "task"
	ItemNote       ItemKind = "note"
	ItemDecision   ItemKind = "decision"
	ItemLink       ItemKind = "link" // to another case
)

// Item is one thing in a case. Each has its own level, so whoever may not see it does not learn that it is there.
type Item struct {
	ID      string          `json:"id"`
	Case    CaseID          `json:"case"`
	Kind    ItemKind        `json:"kind"`
	Level   stix.Marking    `json:"tlp"`
	Title   string          `json:"title"`
	Text    string          `json:"text"` // Markdown
	At      time.Time       `json:"at"`   // when it happened, is due, was decided
	Version int             `json:"version"`
	Made    time.Time       `json:"made"`
	MadeBy  polder.PersonID `json:"made_by"`
	Changed time.Time       `json:"changed"`
	By      polder.PersonID `json:"changed_by"`
	Org     polder.OrgID    `json:"org"` // whose people made it
	Weighs  bool            `json:"weighs,omitempty"`

	Observable *Observable `json:"observable,omitempty"`
	Evidence   *Evidence   `json:"evidence,omitempty"`
	Task       *Task       `json:"task,omitempty"`
	Decision   *Decision   `json:"decision,omitempty"`
	Link       *Link       `json:"link,omitempty"`
}

// Observable is a value that was seen.
type Observable struct {
	Type  indicator.Kind `json:"type"`
	Value string         `json:"value"`
	First time.Time      `json:"first"`
	Last  time.Time      `json:"last"`
	Bad   bool           `json:"bad"` // known to be the adversary's
}

// Evidence is a file in the store, or a thing that lies somewhere. Files are handed out as downloads, never shown.
type Evidence struct {
	Name    string    `json:"name"`
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	Where   string    `json:"where"` // of a thing: the safe, the room
	Custody []Custody `json:"custody"`
}

// Custody is one step in the keeping of evidence; steps are only ever added.
type Custody struct {
	At     time.Time       `json:"at"`
	Person polder.PersonID `json:"person"`
	Did    string          `json:"did"` // collected, handed over, opened, copied, returned, destroyed
	To     string          `json:"to"`
	Reason string          `json:"reason"`
}

// Task is something to be done.
type Task struct {
	Owner polder.PersonID `json:"owner"`
	Done  time.Time       `json:"done"` // zero: to be done
}

// Decision is what somebody decided, and why.
type Decision struct {
	Reason string          `json:"reason"`
	Person polder.PersonID `json:"person"`
}

// Link leads to another case. Who may not see that case sees no link.
type Link struct {
	To CaseID `json:"to"`
}
