package screen

import (
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// Screening is an answer on record: who asked what, when, against which lists of which date and hash, and what was met.
type Screening struct {
	ID        string
	Org       polder.OrgID
	At        time.Time
	By        string
	Person    polder.PersonID
	Token     polder.TokenID
	Party     string // the known party's id; "" for a query about nobody known
	Query     Query
	Threshold float64
	Lists     []lists.Meta // that were asked
	Hits      []BriefHit   // none: these lists, of these dates, do not name the party
	More      int          // hits beyond those kept
	Note      string       // what it was asked for: a deal, a visit
}

// BriefHit is a hit as it stands on record; the whole comparison is in its review.
type BriefHit struct {
	List   string  `json:"list"`
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Score  float64 `json:"score"`
	Review string  `json:"review,omitempty"` // its review's id
	Known  string  `json:"known,omitempty"`  // "true" or "false" where people have decided about this party and listing
}

// KeepOptions say more of answers that are put on record.
type KeepOptions struct {
	Party string // the known party that was asked about; its fields must be those of the query
	Note  string // what it was asked for
}

// ScreeningFilter says which answers on record are listed, the newest first.
type ScreeningFilter struct {
	Party string // only about this known party
	Text  string // only those whose name, reference or note holds it
	Hit   bool   // only those that met something
	Next  string // where the page begins, as the page before said
	Limit int    // 0 means 50; at most 200
}

// ScreeningPage is a part of the answers on record. Next is where the following part begins, "" at the end.
type ScreeningPage struct {
	Screenings []Screening
	Next       string
}

// BatchState is how far a batch is.
type BatchState string

// The states of a batch.
const (
	BatchStoring   BatchState = "storing" // its rows come in
	BatchWaiting   BatchState = "waiting" // for the lists, or for those before it
	BatchRunning   BatchState = "running"
	BatchDone      BatchState = "done"
	BatchCancelled BatchState = "cancelled"
	BatchCut       BatchState = "cut" // its rows did not come in whole; nothing of it was asked
)

// ended tells whether nothing more happens to it.
func (s BatchState) ended() bool { return s != BatchStoring && s != BatchWaiting && s != BatchRunning }

// BatchOrder is what a batch is to be.
type BatchOrder struct {
	Name      string  // a file's name, or a person's own word
	Threshold float64 // 0 is that of the settings
}

// Batch is many queries that are asked in the background, and go on after a restart.
type Batch struct {
	ID        string
	Org       polder.OrgID
	Name      string
	State     BatchState
	Made      time.Time
	By        string
	Ended     time.Time // zero while it has not
	Threshold float64
	Total     int          // rows
	Done      int          // rows that were looked at
	Refused   int          // of those: that cannot be asked about
	Met       int          // rows that met something
	Hits      int          // reviews that they led to, new or known
	New       int          // reviews that they opened
	Lists     []lists.Meta // that the last rows were asked against

	n      int64
	person polder.PersonID
	token  polder.TokenID
}

// BatchRow is a row of a batch and what became of it.
type BatchRow struct {
	N     int // from 1
	Query Query
	At    time.Time // when it was asked; zero: not yet
	Fault string    // why it cannot be asked about; "" when it can
	Hits  []BriefHit
}

// BatchFilter says which rows of a batch are listed, in their order.
type BatchFilter struct {
	Hit   bool // only those that met something
	Fault bool // only those that cannot be asked about
	After int  // rows behind this one
	Limit int  // 0 means 50; at most 1,000
}

// Progress is how far an organisation's known parties are asked against its lists as they are now.
type Progress struct {
	Parties int          // that are known
	Settled int          // that were asked against the lists as they are now
	New     int          // that were never asked about, or not since they changed
	Lists   []lists.Meta // as they are now
	Last    Rescreening  // the last one, still running while Ended is zero
}

// Rescreening is one time that known parties were asked again: those that are new or changed against everything, the
// others against what is new or changed on the lists.
type Rescreening struct {
	Started  time.Time
	Ended    time.Time // zero while it runs
	Parties  int       // asked
	Entries  int       // listings that were new or changed, and asked against
	Opened   int       // reviews
	Reopened int
	Unlisted int // reviews whose listing is no longer on its list
	Lists    []lists.Meta
}
