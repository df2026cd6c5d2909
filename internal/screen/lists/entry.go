package lists

import (
	"time"

	"github.com/polder-exchange/polder/names"
)

// Entry is one listing: a party as a list names it.
type Entry struct {
	ID          string       `json:"id"`                    // the list's own
	List        string       `json:"list,omitempty"`        // the part of a consolidated list it stands on: SDN, EL, …; else ""
	Type        names.Type   `json:"type,omitempty"`        // as the list says it; [names.Any] when it does not
	Name        string       `json:"name"`                  // the primary name, as listed
	Aliases     []Alias      `json:"aliases,omitempty"`     // further names, as listed
	Countries   []string     `json:"countries,omitempty"`   // of an address, registration or flag, as ISO 3166-1 alpha-2 where known, else as listed; never a nationality
	Births      []string     `json:"births,omitempty"`      // dates of birth: 2006, 2006-01 or 2006-01-02; two years "1960/1965" are a range
	Identifiers []Identifier `json:"identifiers,omitempty"` //
	Addresses   []string     `json:"addresses,omitempty"`   // one line each
	Programmes  []string     `json:"programmes,omitempty"`  // under which it is listed
	Means       string       `json:"means,omitempty"`       // what the listing forbids or asks for: in the list's words, else what its publisher says of the whole list
	Note        string       `json:"note,omitempty"`        // remarks, in the list's words, clipped to 2,000 bytes
	URL         string       `json:"url,omitempty"`         // where to read more, http(s) only
	Listed      string       `json:"listed,omitempty"`      // since when, 2006-01-02; "" when not said
	Changed     string       `json:"changed,omitempty"`     // last change, 2006-01-02; "" when not said
}

// Alias is a further name of a listing.
type Alias struct {
	Name string `json:"name"`
	Weak bool   `json:"weak,omitempty"` // the list calls it weak or low quality: broad, and likely to meet the innocent
	Kind string `json:"kind,omitempty"` // "former", "original script", …, in plain English; "" for also known as
}

// Identifier is a number that stands for one party.
type Identifier struct {
	Kind    string `json:"kind"`              // one of the Id… constants
	Value   string `json:"value"`             // as listed
	Country string `json:"country,omitempty"` // that gave it, ISO 3166-1 alpha-2 where known
}

// Kinds of identifiers. Two identifiers are compared when their kinds are equal and their countries do not differ.
const (
	IDLEI          = "lei"
	IDRegistration = "registration" // in a trade register (OGRN, KvK, USCC, …)
	IDTax          = "tax"
	IDIMO          = "imo"  // ships and their companies
	IDMMSI         = "mmsi" //
	IDAircraft     = "aircraft"
	IDBIC          = "bic"
	IDPassport     = "passport"
	IDNational     = "national" // a person's number
	IDOther        = "other"    // never decides
)

// Purpose is what a list is for.
type Purpose string

// The purposes. A hit on a list of verified parties speaks for a party, but clears it of nothing.
const (
	Restricted Purpose = "restricted"
	Verified   Purpose = "verified"
)

// Meta is what is known of a list as a whole.
type Meta struct {
	Name    string    `json:"name"`                  // "us_csl": short, as the importer gave it or by the file's name
	Title   string    `json:"title,omitempty"`       // "Consolidated Screening List"
	Source  string    `json:"source,omitempty"`      // publisher, or the URL or file it came from
	Licence string    `json:"licence,omitempty"`     //
	Purpose Purpose   `json:"purpose"`               //
	Form    string    `json:"form"`                  // of the file: "csl-jsonl", "un-xml", …
	Date    string    `json:"date,omitempty"`        // of publication as the list itself says, 2006-01-02; else of the file; "" when neither is known
	OfFile  bool      `json:"date_of_file,omitzero"` // Date is that of the file, since the list says none
	Version string    `json:"version,omitempty"`     // as the list itself says
	SHA256  string    `json:"sha256"`                // of the file, hexadecimal
	Entries int       `json:"entries"`               // how many listings
	Names   int       `json:"names"`                 // how many names they bear
	Notes   []string  `json:"notes,omitempty"`       // what this form lacks, what was skipped and why; shown with each answer
	Read    time.Time `json:"read"`                  // when it was read here
}

// When is the list's date in words.
func (m Meta) When() string {
	switch {
	case m.Date == "":
		return "no known date"
	case m.OfFile:
		return m.Date + ", the date of its file"
	}
	return m.Date
}

// List is a list as read.
type List struct {
	Meta
	Parties []Entry
}
