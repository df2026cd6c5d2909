package cases

import (
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// Answers are what a reporter says. This, as JSON, is what is sealed; no other form of it is kept.
type Answers struct {
	What     string            `json:"what"`               // in the reporter's own words
	Noticed  string            `json:"noticed"`            // a date, a time, or words
	Roads    []Road            `json:"roads"`              // which of the five, or unknown
	Ongoing  string            `json:"ongoing"`            // yes, no, unknown
	Call     string            `json:"call"`               // how to reach the reporter; empty: not
	MayKnow  string            `json:"may_know"`           // desk, team, members, police
	Name     string            `json:"name,omitempty"`     // only where the reporter gave it
	Kind     Kind              `json:"kind,omitempty"`     // what it is, where the reporter said so
	Language string            `json:"language,omitempty"` // of the words, as in the page
	More     map[string]string `json:"more,omitempty"`     // what is asked later or never: systems, know_how, people, organisation, told

	Proposed *Proposal `json:"proposed,omitempty"` // made on the reporter's device

	// Reply is the reporter's public key in text form, where the reporter keeps a receipt. It is sealed with the answers,
	// so that who reads notices when the node shows another key as the reporter's.
	Reply string `json:"reply,omitempty"`
}

// Proposal is what the answers suggest, with the reason. A person changes it with one click.
type Proposal struct {
	Class    string   `json:"class"` // RSIT: "intrusions/application-compromise"
	Severity Severity `json:"severity"`
	Why      []string `json:"why"` // the words that decided
}

// Desk takes reports for an organisation.
type Desk struct {
	Alias   string       `json:"alias"`
	Org     polder.OrgID `json:"org"`
	Name    string       `json:"name"`
	Kind    DeskKind     `json:"kind"`
	Listed  bool         `json:"listed"`  // named on /report; others are reached by their own address only
	Promise string       `json:"promise"` // what happens next, in the desk's own words
	Phone   string       `json:"phone"`   // for who is in danger now
	Team    string       `json:"team"`    // alias of the desk of the response team that a reporter may let read too
	Changed time.Time    `json:"-"`
}

// DeskKind says what a desk is for.
type DeskKind string

const (
	DeskReports DeskKind = "reports"
	DeskTeam    DeskKind = "team"    // the response team of a hub
	DeskPressed DeskKind = "pressed" // for people who are coerced; never read by the employer by default
)

// Reader is somebody who reads for a desk: the reporter sees this before sending.
type Reader struct {
	Key         seal.KeyID     `json:"key"`
	Public      seal.PublicKey `json:"public"`
	Fingerprint string         `json:"fingerprint"`
	Name        string         `json:"name"` // person and organisation, as the desk names them
	Desk        string         `json:"desk"`
	Since       time.Time      `json:"since"`
}

// ReportState is how far a report has come. It is not sealed.
type ReportState string

const (
	ReportNew          ReportState = "new"
	ReportAcknowledged ReportState = "acknowledged"
	ReportInCase       ReportState = "in-case"
	ReportClosed       ReportState = "closed"
)

// Report is what the node keeps of a report: nothing that it can read.
type Report struct {
	ID           string      `json:"id"`
	Desk         string      `json:"desk"`
	State        ReportState `json:"state"`
	Received     time.Time   `json:"received"`  // to the hour
	SealedBy     string      `json:"sealed_by"` // "device", or "server" where no script ran
	Thread       bool        `json:"thread"`    // the reporter has a receipt and can be asked
	Box          seal.Box    `json:"box"`
	Messages     []Message   `json:"messages"`
	Files        []File      `json:"files"`
	Case         CaseID      `json:"case,omitempty"`
	Acknowledged time.Time   `json:"acknowledged,omitzero"`
}

// Message is one of the thread between a reporter and those who read, sealed to all of them.
type Message struct {
	ID   string    `json:"id"`
	From string    `json:"from"` // "reporter" or "desk"
	At   time.Time `json:"at"`   // to the hour where it comes from a reporter
	Box  seal.Box  `json:"box"`
}

// File is an attachment, sealed; name and type are inside the seal.
type File struct {
	ID   string `json:"id"`
	Size int64  `json:"size"`           // sealed and padded
	With string `json:"with,omitempty"` // the message that it came with; empty: the report itself
}
