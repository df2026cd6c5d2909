package cases

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/seal"
)

// DeskView is what anybody reads of a desk before reporting to it.
type DeskView struct {
	Alias        string          `json:"alias"`
	Name         string          `json:"name"`
	Organisation string          `json:"organisation"`
	Kind         DeskKind        `json:"kind"`
	Listed       bool            `json:"listed"`
	Promise      string          `json:"promise"`
	Phone        string          `json:"phone"`
	Readers      []Reader        `json:"readers"` // in force; a report is sealed to all of them
	Log          []seal.LogEntry `json:"log"`     // of keys: every reader stands in it, or is not to be trusted
	Team         *DeskTeamView   `json:"team"`    // the response team that a reporter may let read too; null: none
	Salt         []byte          `json:"salt"`    // of receipts, the same on the whole node
	Limits       ReportLimits    `json:"limits"`
}

// DeskTeamView is the desk of a response team, as another desk offers it.
type DeskTeamView struct {
	Alias        string          `json:"alias"`
	Name         string          `json:"name"`
	Organisation string          `json:"organisation"`
	Readers      []Reader        `json:"readers"`
	Log          []seal.LogEntry `json:"log"`
}

// ReportLimits bound what a client sends.
type ReportLimits struct {
	Least     int `json:"least"`      // padded bytes of the smallest report or message
	MaxText   int `json:"max_text"`   // padded bytes of the largest
	MaxFiles  int `json:"max_files"`  // of a report or message
	MaxFile   int `json:"max_file"`   // padded bytes of one
	MaxTotal  int `json:"max_total"`  // padded bytes of all files together
	ThreadFor int `json:"thread_for"` // days after the last message that a receipt opens its thread
	ClosedFor int `json:"closed_for"` // days that a thread stays open after its report was closed
}

// DeskSettings are what a steward says of a desk.
type DeskSettings struct {
	Alias   string   `json:"alias"` // empty: made from the name
	Name    string   `json:"name"`
	Kind    DeskKind `json:"kind"` // cannot be changed; empty is reports
	Listed  bool     `json:"listed"`
	Promise string   `json:"promise"`
	Phone   string   `json:"phone"`
	Team    string   `json:"team"` // alias of a desk of a response team; empty: none

	// Confirmed says that a desk for people who are coerced may be read by people of this organisation, who are not the
	// employer of those who report to it. Without it there is no such desk.
	Confirmed bool `json:"confirmed,omitempty"`
}

// DeskReaderState is how far somebody has come to read for a desk.
type DeskReaderState string

const (
	DeskReaderWaiting DeskReaderState = "waiting" // until a reader confirms; nothing is sealed to the key yet
	DeskReaderReading DeskReaderState = "reading"
	DeskReaderGone    DeskReaderState = "gone"
)

// DeskReader is a reader of a desk as the desk's own organisation sees it.
type DeskReader struct {
	Reader
	Person    polder.PersonID `json:"person"`
	State     DeskReaderState `json:"state"`
	Asked     time.Time       `json:"asked"`
	AskedBy   string          `json:"asked_by"`
	Confirmed string          `json:"confirmed_by,omitempty"`
	Gone      time.Time       `json:"gone,omitzero"`
	Me        bool            `json:"me"`      // it is the one who asks
	Stale     bool            `json:"stale"`   // the person has another key now
	Missing   int             `json:"missing"` // open reports that are not sealed to this key yet; for readers only
}

// DeskDetail is a desk as its own organisation sees it.
type DeskDetail struct {
	Desk
	Readers    []DeskReader    `json:"readers"`     // those in force and those who wait, then those gone
	Log        []seal.LogEntry `json:"log"`         //
	Reads      bool            `json:"reads"`       // who asks is a reader in force
	Manages    bool            `json:"manages"`     // who asks may change the desk and name readers
	MayConfirm bool            `json:"may_confirm"` // who asks may confirm readers that wait
	Open       int             `json:"open"`        // reports that are not closed; for readers only
}

// OwnKey is one of the keys of a person: what the person's passphrase opens, and nobody else reads.
type OwnKey struct {
	ID          seal.KeyID      `json:"id"`
	Person      polder.PersonID `json:"person"` // whose it is, which a steward needs to name a reader
	Fingerprint string          `json:"fingerprint"`
	Locked      seal.LockedKey  `json:"locked"`
	Made        time.Time       `json:"made"`
	Current     bool            `json:"current"` // the others open what was sealed before
}

// Bounds of what is said of desks and keys.
const (
	MaxDesks       = 50 // of an organisation
	MaxDeskReaders = 12 // in force, of one desk
	MaxKeys        = 20 // that a person has had
	maxDeskName    = 120
	maxDeskAlias   = 60
	maxDeskPhone   = 60
	maxDeskPromise = 2_000
	maxDeskGone    = 500 // entries of the log of a desk
)

// Check refuses settings that no desk can have.
func (d DeskSettings) Check() error {
	for _, f := range []struct {
		name, value string
		most        int
	}{{"name", d.Name, maxDeskName}, {"phone", d.Phone, maxDeskPhone}, {"promise", d.Promise, maxDeskPromise}, {"alias", d.Alias, maxDeskAlias}, {"team", d.Team, maxDeskAlias}} {
		switch {
		case !utf8.ValidString(f.value):
			return polder.Errorf(polder.Invalid, "%s: is not UTF-8; save the text as UTF-8 and send it again", f.name)
		case utf8.RuneCountInString(f.value) > f.most:
			return polder.Errorf(polder.TooLarge, "%s: is longer than %d characters; write it shorter", f.name, f.most)
		}
	}
	switch {
	case strings.TrimSpace(d.Name) == "":
		return polder.Errorf(polder.Invalid, "name: is empty; write how the desk is called, such as %q", "Confidential adviser")
	case d.Kind != "" && d.Kind != DeskReports && d.Kind != DeskTeam && d.Kind != DeskPressed:
		return polder.Errorf(polder.Invalid, "kind: %.40q is not known; use reports, team or pressed", d.Kind)
	case d.Kind == DeskPressed && !d.Confirmed:
		return polder.Errorf(polder.Invalid, "confirmed: a desk for people who are coerced must not be read by their employer; confirm that those who will read for it work for nobody who may report to it")
	}
	return nil
}
