package cases

import (
	"time"

	"github.com/polder-exchange/polder/internal/seal"
)

// The purposes that boxes of reports are sealed for, and the smallest padded size of their text.
const (
	PurposeReport  = "report"
	PurposeMessage = "message"
	PurposeFile    = "file"
	SealLeast      = 8192
)

// ReportPost is a report on its way in: either Box, sealed on the device, or Answers, which the node seals on arrival.
//
// Box is sealed for [PurposeReport] to all readers in force of the desk, to those of the team where Also names it, and to
// nobody else; where Thread is there, it may be sealed to the reporter's own key too, so that the reporter can read it
// again. Its text is [Answers] as JSON; with Thread, their reply is the key in Thread, or no reader answers. Files are sealed for [PurposeFile] to the readers alone; the text of each is a
// line {"name","type"} of JSON, a line feed, and the bytes.
type ReportPost struct {
	To        string             `json:"to,omitempty"`   // alias of the desk; empty: the only one that is listed
	Also      string             `json:"also,omitempty"` // "team": the desk's response team reads too
	Box       *seal.Box          `json:"box,omitempty"`
	Thread    *ReportThread      `json:"thread,omitempty"` // with Box: the reporter keeps a receipt
	Files     []seal.Box         `json:"files,omitempty"`  // with Box
	Answers   *Answers           `json:"answers,omitempty"`
	Anonymous bool               `json:"anonymous,omitempty"` // with Answers: make a receipt, name nobody
	Plain     []ReportAttachment `json:"attachments,omitempty"`
	Once      string             `json:"once,omitempty"` // 20 to 64 random characters of the client: the same post again makes no second report
	Pad       string             `json:"pad,omitempty"`  // not read; for clients that make all posts equally long
}

// ReportThread is how a reporter comes back: what a receipt gives, never the receipt itself.
type ReportThread struct {
	Proof  string         `json:"proof"`  // 32 bytes in standard base64
	Public seal.PublicKey `json:"public"` // answers are sealed to it
}

// ReportAttachment is a file that the node seals on arrival.
type ReportAttachment struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Data []byte `json:"data"`
}

// ReportPosted answers a [ReportPost]. A sealed report with a thread is answered without an id, so that nothing but the
// receipt leads to it.
type ReportPosted struct {
	ID       string `json:"id,omitempty"`      // of a report without a thread
	Receipt  string `json:"receipt,omitempty"` // the six words of an anonymous report that the node sealed; they are shown this once
	SealedBy string `json:"sealed_by"`         // "device" or "server"
	Desk     string `json:"desk"`
	Pad      string `json:"pad"` // makes all answers equally long
}

// ReportConflict is the answer 409 to a box that was not sealed to the readers of now: seal it to these, and send again.
type ReportConflict struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Detail string   `json:"detail"`
	Desk   DeskView `json:"desk"`
}

// ReportProof asks for a thread.
type ReportProof struct {
	Proof string `json:"proof"` // 32 bytes in standard base64
}

// ReportSaid is a message of a reporter, sealed for [PurposeMessage] to all readers in force and, if the reporter wants
// to read it again, to the reporter's own key.
type ReportSaid struct {
	Proof string     `json:"proof"`
	Box   seal.Box   `json:"box"`
	Files []seal.Box `json:"files,omitempty"`
	Once  string     `json:"once,omitempty"`
	Pad   string     `json:"pad,omitempty"`
}

// ReportThreadView is what a receipt opens. Boxes carry the wrap for the reporter alone.
type ReportThreadView struct {
	State    ReportState    `json:"state"`
	Received time.Time      `json:"received"` // to the hour
	Ends     time.Time      `json:"ends"`     // until when the receipt opens this, if nothing more is said
	SealedBy string         `json:"sealed_by"`
	Also     string         `json:"also,omitempty"` // "team" where the response team reads too
	Public   seal.PublicKey `json:"public"`
	Desk     DeskView       `json:"desk"` // with the readers of now, and those of the team
	Box      *seal.Box      `json:"box"`  // null where the report was not sealed to the reporter
	Messages []Message      `json:"messages"`
	Files    []File         `json:"files"` // that they arrived; they are not handed out again
	Pad      string         `json:"pad"`
}

// ReportView is a report as a reader of its desk sees it.
type ReportView struct {
	Report
	Also          string          `json:"also,omitempty"`
	Reporter      *seal.PublicKey `json:"reporter"` // answers are sealed to it; null: the reporter cannot be asked
	Readers       []Reader        `json:"readers"`  // in force; answers are sealed to all of them
	Missing       []Reader        `json:"missing"`  // in force, but something of the report is not sealed to them yet
	Ends          time.Time       `json:"ends,omitzero"`
	AcknowledgeBy time.Time       `json:"acknowledge_by,omitzero"`
	FeedbackBy    time.Time       `json:"feedback_by,omitzero"`
	Closed        time.Time       `json:"closed,omitzero"`
	Changed       time.Time       `json:"changed"`
}

// ReportFilter chooses reports of a queue.
type ReportFilter struct {
	Desk  string      // alias; empty: all that one reads for
	State ReportState // empty: all that are not closed
	After string      // id of the last one of the page before
	Limit int         // 0 is 50; at most 200
}

// ReportAnswer is a message of a reader, sealed for [PurposeMessage] to the reporter's key and all readers in force.
type ReportAnswer struct {
	Box  seal.Box `json:"box"`
	Once string   `json:"once,omitempty"`
}

// ReportWraps are the content keys of what a report holds for readers that came later. A reader's client makes them.
type ReportWraps struct {
	Report   []seal.Wrap            `json:"report,omitempty"`
	Messages map[string][]seal.Wrap `json:"messages,omitempty"` // by id
	Files    map[string][]seal.Wrap `json:"files,omitempty"`    // by id
}
