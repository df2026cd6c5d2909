package cases

import (
	"time"

	"github.com/polder-exchange/polder"
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

	Aware     time.Time `json:"aware,omitzero"`    // when the organisation first knew; every clock of the law runs from it
	Noticed   string    `json:"noticed"`           // in the words of who noticed
	Occurred  time.Time `json:"occurred,omitzero"` // when it began, as far as known
	Ended     time.Time `json:"ended,omitzero"`
	Sector    string    `json:"sector"`    // of the deadline packs
	Countries []string  `json:"countries"` // touched; ISO 3166-1 alpha-2
	Report    string    `json:"report"`    // the report that it came from; its content stays sealed
	Victim    string    `json:"victim"`    // who is hit, where it is not the organisation itself

	Opened   time.Time       `json:"opened,omitzero"`
	OpenedBy polder.PersonID `json:"opened_by"`
	Closed   time.Time       `json:"closed,omitzero"`
	Changed  time.Time       `json:"changed,omitzero"`
	Version  int             `json:"version"` // of the case's own fields; a change names the version it was made on

	Archived  time.Time `json:"archived,omitzero"`  // put away by hand; zero: in the lists
	Announced time.Time `json:"announced,omitzero"` // from when contact points see the header
	Crosses   bool      `json:"cross_border"`       // whether it touches more than the organisation's own country
}

// CaseView is a case as somebody may see it.
type CaseView struct {
	Case
	OrgName string           `json:"org_name"`
	Access  Access           `json:"access"`
	Header  bool             `json:"header"` // only status, class, severity and countries are shown, and a title as far as the ceiling goes
	Counts  map[ItemKind]int `json:"counts"` // of the items that are seen and not struck out
}

// CaseNew is what a case is opened with.
type CaseNew struct {
	Title       string         `json:"title"`
	Summary     string         `json:"summary,omitempty"`
	Kind        Kind           `json:"kind,omitempty"` // empty: incident
	Roads       []Road         `json:"roads,omitempty"`
	Class       string         `json:"class,omitempty"`
	Severity    Severity       `json:"severity,omitempty"` // empty: medium
	Level       stix.Marking   `json:"tlp,omitzero"`       // none: TLP:AMBER+STRICT
	Aware       time.Time      `json:"aware,omitzero"`     // none: now
	Noticed     string         `json:"noticed,omitempty"`
	Occurred    time.Time      `json:"occurred,omitzero"`
	Ended       time.Time      `json:"ended,omitzero"`
	Sector      string         `json:"sector,omitempty"`
	Countries   []string       `json:"countries,omitempty"`
	Victim      string         `json:"victim,omitempty"`
	Report      string         `json:"report,omitempty"` // id of the report that it comes from, which the opener may read for its desk
	Observables []Observable   `json:"observables,omitempty"`
	Jewels      []string       `json:"jewels,omitempty"` // ids of the register
	Source      string         `json:"source,omitempty"` // where else it comes from, such as an alert; becomes the first entry of the timeline
	Members     []CaseWithWhom `json:"members,omitempty"`
}

// CaseWithWhom is somebody who is let in when a case is opened.
type CaseWithWhom struct {
	Person  polder.PersonID `json:"person,omitempty"`
	Org     polder.OrgID    `json:"org,omitempty"`
	Part    Part            `json:"part"`
	Ceiling stix.Marking    `json:"ceiling"`
}

// CaseChange changes the fields of a case that are not nil.
type CaseChange struct {
	Version   int           `json:"version"` // that was read
	Title     *string       `json:"title,omitempty"`
	Summary   *string       `json:"summary,omitempty"`
	Kind      *Kind         `json:"kind,omitempty"`
	Roads     *[]Road       `json:"roads,omitempty"`
	Class     *string       `json:"class,omitempty"`
	Severity  *Severity     `json:"severity,omitempty"`
	Level     *stix.Marking `json:"tlp,omitempty"` // the lead's alone
	Noticed   *string       `json:"noticed,omitempty"`
	Occurred  *time.Time    `json:"occurred,omitempty"`
	Ended     *time.Time    `json:"ended,omitempty"`
	Sector    *string       `json:"sector,omitempty"`
	Countries *[]string     `json:"countries,omitempty"`
	Victim    *string       `json:"victim,omitempty"`
	Confirmed bool          `json:"confirmed,omitempty"` // the warning of a wider marking was read
}

// CaseStatusChange is a step of a case.
type CaseStatusChange struct {
	Status  Status `json:"status"`
	Reason  string `json:"reason"`            // always for closing and opening again
	Nothing bool   `json:"nothing,omitempty"` // closing: nothing was touched, and the reason says why that is known
	Late    bool   `json:"late,omitempty"`    // closing: a deadline is open and due, and the reason says why that is right
	Version int    `json:"version"`
}

// CaseRevision is what a case, an item, a member or a damage assessment once was.
type CaseRevision struct {
	What    string          `json:"what"` // case, item, member, damage
	Item    string          `json:"item,omitempty"`
	Version int             `json:"version"`
	At      time.Time       `json:"at"`
	By      polder.PersonID `json:"by,omitempty"` // of one's own organisation; empty: of another
	Org     polder.OrgID    `json:"org,omitempty"`
	Did     string          `json:"did"` // opened, changed, status, added, struck, erased, ...
	Reason  string          `json:"reason,omitempty"`
	Level   stix.Marking    `json:"tlp"`
	Case    *Case           `json:"case,omitempty"`   // as it was after this
	Of      *Item           `json:"of,omitempty"`     // the item after this
	Member  *Member         `json:"member,omitempty"` // the member after this
	Damage  *Damage         `json:"damage,omitempty"`
}

// CaseSort is an order of a list of cases.
type CaseSort string

// The orders of a list of cases. Each is the latest, or worst, first.
const (
	CasesByOpened   CaseSort = "opened"
	CasesByChanged  CaseSort = "changed"
	CasesBySeverity CaseSort = "severity"
)

// CaseFilter says which cases a list holds. The zero value is all that are not archived, the latest opened first.
type CaseFilter struct {
	Text     string // in title or summary
	Status   Status
	Open     bool // all but closed ones
	Class    string
	Severity Severity
	Road     Road
	Kind     Kind
	Archived bool // those that were put away instead
	Leads    bool // only those that the asker leads
	Sort     CaseSort
	Next     string // where the page begins, as the page before said
	Limit    int    // at most 200; 0 is 50
}

// CasePage is a page of a list.
type CasePage struct {
	Cases []CaseView `json:"cases"`
	Next  string     `json:"next"` // empty: this was the last
}

// CaseTotals are counts of the cases that somebody sees and that are not archived.
type CaseTotals struct {
	Open, Contained, Closed, Critical int // Critical: open or contained ones of that severity
}

// CaseRef names a case to somebody who sees it.
type CaseRef struct {
	ID      CaseID       `json:"id"`
	Title   string       `json:"title"`
	Status  Status       `json:"status"`
	Level   stix.Marking `json:"tlp"`
	Why     string       `json:"why,omitempty"`  // the value that both hold
	Item    string       `json:"item,omitempty"` // that names it
	Opened  time.Time    `json:"opened"`
	Changed time.Time    `json:"-"`
}

// CaseSettings are an organisation's choices about its cases.
type CaseSettings struct {
	StewardsList  stix.Marking `json:"stewards_list"`  // stewards may list the titles of cases up to this level; none: they may not
	ReadersJewels bool         `json:"readers_jewels"` // readers may read the register of crown jewels
	Version       int          `json:"version"`
}

// CaseConflict is the error of a change that was made on an older version: somebody else was faster. It carries what
// stands there now, so that nobody's words are lost.
type CaseConflict struct {
	Case   *CaseView // what changed meanwhile; one of the four is set
	Item   *Item
	Damage *DamageView
	Jewel  *Jewel
}

// Error says that somebody else was faster.
func (c *CaseConflict) Error() string {
	return "somebody else changed this since you read it; what stands there now comes with this answer: take over what you need, and send your change with its version"
}

// Unwrap makes a conflict of [polder.ErrConflict].
func (c *CaseConflict) Unwrap() error { return polder.Errorf(polder.Conflict, "%s", c.Error()) }
