package screen

import (
	"time"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// Query is a party that is asked about. Only Name must be there.
type Query struct {
	Ref         string             `json:"ref,omitempty"`         // the asker's own reference
	Name        string             `json:"name"`                  //
	Type        names.Type         `json:"type,omitempty"`        // as the asker says; [names.Any] asks for all
	Country     string             `json:"country,omitempty"`     // of address, registration or flag, ISO 3166-1 alpha-2; never a nationality
	Birth       string             `json:"birth,omitempty"`       // 2006, 2006-01 or 2006-01-02
	Identifiers []lists.Identifier `json:"identifiers,omitempty"` //
}

// Options bound an answer.
type Options struct {
	Threshold float64 // hits score at least this; 0 is [DefaultThreshold]
	Limit     int     // most hits; 0 is [DefaultLimit]
	Below     int     // how many entries just below the threshold to show beside them; 0 is none
}

// Part is one thing that was compared, and what it did to the score.
type Part struct {
	Kind   string  `json:"kind"`   // of [names.Part], or "birth date", "country", "identifier", "weak alias"
	Query  string  `json:"query"`  // as asked
	Listed string  `json:"listed"` // as listed
	Score  float64 `json:"score"`  // how alike, 0 to 1
	Points float64 `json:"points"` // what it adds to, or takes from, the score: the parts' points add up to it
	How    string  `json:"how"`    // in plain words
}

// Hit is a listing that a query met.
type Hit struct {
	ID      string       `json:"id"`   // the list's own
	List    string       `json:"list"` // the list's name
	Name    string       `json:"name"` // the listing's name that met best
	Score   float64      `json:"score"`
	Parts   []Part       `json:"parts"`
	Why     string       `json:"why"` // one sentence
	Listing *lists.Entry `json:"-"`
}

// Answer is what a query met on which lists. Without hits it says that these lists, of these dates, do not name the
// party; it never says that a party is cleared.
type Answer struct {
	Query     Query        `json:"query"`
	Hits      []Hit        `json:"hits"`
	Below     []Hit        `json:"-"`
	Lists     []lists.Meta `json:"lists"` // that were asked
	Threshold float64      `json:"threshold"`
	Asked     time.Time    `json:"asked"`
}
