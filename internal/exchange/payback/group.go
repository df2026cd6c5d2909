package payback

import "encoding/json"

// SmallGroup is how many members a statistic about them needs at least (X28).
const SmallGroup = 5

// Members is how many different members did something. It tells its number from five up only.
type Members struct {
	n      int
	hidden bool // there are too few who could have done it, so that even "some" would tell
}

// MembersOf counts n of others who could have done it. Where what they did is there for the reader to see, others is not
// asked: pass -1.
func MembersOf(n, others int) Members {
	if others >= 0 && others < SmallGroup {
		return Members{hidden: true}
	}
	return Members{n: n}
}

// Says is "hidden", "none", "some" or "counted".
func (m Members) Says() string {
	switch {
	case m.hidden:
		return "hidden"
	case m.n == 0:
		return "none"
	case m.n < SmallGroup:
		return "some"
	}
	return "counted"
}

// Count is the number; 0 unless it may be told.
func (m Members) Count() int {
	if m.Says() == "counted" {
		return m.n
	}
	return 0
}

// membersJSON is how Members is written.
type membersJSON struct {
	Says  string `json:"says"`            // none, some (1 to 4), counted, or hidden
	Count int    `json:"count,omitempty"` // from 5 up
}

// MarshalJSON writes what may be told.
func (m Members) MarshalJSON() ([]byte, error) { return json.Marshal(membersJSON{m.Says(), m.Count()}) }

// UnmarshalJSON reads what a node told.
func (m *Members) UnmarshalJSON(text []byte) error {
	var j membersJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*m = Members{n: j.Count, hidden: j.Says == "hidden"}
	if j.Says == "some" {
		m.n = 1
	}
	return nil
}

// Part28 is a share of a group of members: k of n. It is told where both those who did and those who did not are none or
// at least five; otherwise it is "some" or "most".
type Part28 struct {
	Says  string `json:"says"`            // hidden, none, some, most, all or counted
	Count int    `json:"count,omitempty"` // where counted or all
	Of    int    `json:"of,omitempty"`    // members; 0 where hidden
}

// Part28Of tells of k of n what may be told.
func Part28Of(k, n int) Part28 {
	switch {
	case n < SmallGroup:
		return Part28{Says: "hidden"}
	case k == 0:
		return Part28{Says: "none", Of: n}
	case k == n:
		return Part28{Says: "all", Count: n, Of: n}
	case k >= SmallGroup && n-k >= SmallGroup:
		return Part28{Says: "counted", Count: k, Of: n}
	case 2*k > n:
		return Part28{Says: "most", Of: n}
	}
	return Part28{Says: "some", Of: n}
}
