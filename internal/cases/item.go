package cases

import (
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/stix"
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
	Struck  time.Time       `json:"struck,omitzero"`  // struck out: kept and shown as such, counts no more
	Erased  bool            `json:"erased,omitempty"` // the lead took the content away, with a reason that is kept

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
	Where   string    `json:"where"`          // of a thing: the safe, the room
	Type    string    `json:"type,omitempty"` // media type as the sender named it; nothing is shown by it
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
	Done  time.Time       `json:"done"`           // zero: to be done
	Step  string          `json:"step,omitempty"` // of the playbook that it comes from
}

// Decision is what somebody decided, and why.
type Decision struct {
	Reason string          `json:"reason"`
	Person polder.PersonID `json:"person"`

	Supersedes   string `json:"supersedes,omitempty"`    // id of the decision whose place this one takes
	SupersededBy string `json:"superseded_by,omitempty"` // where the asker sees that one
}

// Link leads to another case. Who may not see that case sees no link.
type Link struct {
	To     CaseID `json:"to"`
	Title  string `json:"title,omitempty"` // of that case, where the asker sees it
	Status Status `json:"status,omitempty"`
}

// ItemFilter says which items a list holds: by time, the latest first.
type ItemFilter struct {
	Kind   ItemKind // empty: all
	Kinds  []ItemKind
	Text   string // in title, text or value
	Struck bool   // with those that were struck out
	Oldest bool   // the oldest first
	Next   string
	Limit  int // at most 200; 0 is 50
}

// ItemPage is a page of a list.
type ItemPage struct {
	Items []Item `json:"items"`
	Next  string `json:"next"` // empty: this was the last
}

// CaseTask is a task with the case that it belongs to.
type CaseTask struct {
	Case CaseRef `json:"case"`
	Item Item    `json:"task"`
}

// ItemLookUp is what is known of an observable: in the exchange, and in other cases, as far as the asker sees either.
type ItemLookUp struct {
	Known []KnownObject
	Cases []CaseRef
}

// Careless says that a text holds a value that is marked stricter than the text is to be.
type Careless struct {
	Value string       `json:"value"`
	Item  string       `json:"item"`
	Level stix.Marking `json:"tlp"`
	Where string       `json:"where"` // which of the texts
}
