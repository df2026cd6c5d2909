package detect

import (
	"time"

	"github.com/polder-exchange/polder/stix"
)

// Kind is what found something.
type Kind string

// The kinds of findings.
const (
	ByRule        Kind = "rule"        // a Sigma rule
	ByIndicator   Kind = "indicator"   // one value: an address, a name, a hash
	ByPattern     Kind = "pattern"     // a STIX pattern
	ByCorrelation Kind = "correlation" // a Sigma correlation
)

// Level is how severe a finding is, in Sigma's words.
type Level string

// The levels, from the least.
const (
	Informational Level = "informational"
	Low           Level = "low"
	Medium        Level = "medium"
	High          Level = "high"
	Critical      Level = "critical"
)

// Finding is one match of shared or local knowledge in one's own events, before it is grouped into an alert.
type Finding struct {
	Kind  Kind
	ID    string // of the rule; of an indicator its STIX id, or its list and value
	Title string
	Level Level
	// Why says in words where the level comes from: "the rule's own", "the indicator's confidence is 85".
	Why string
	// Advice is what to do about it, in words, where the rule says.
	Advice string

	File     string // the file or intake the events came from
	Event    int    // index of the event in its file, from 0; of several, the last
	Time     time.Time
	Evidence []Evidence
	// Events are the events as they were received, the last one last; at most MaxEvents.
	Events [][]byte
	// Scope is what the finding is about, as far as the event says: the host, then the person's account.
	Host, Account string

	Origin Origin
}

// MaxEvents is how many events a finding carries at most.
const MaxEvents = 20

// Evidence is a field of an event and the value in it that matched.
type Evidence struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Origin is whose knowledge a finding rests on, and under which terms.
type Origin struct {
	// Object is the id of the shared object; "" when the knowledge did not come by the exchange.
	Object string
	// Community is the alias of the community by which the object came.
	Community string
	Level     stix.Marking
	PAP       stix.PAP
	// Author, License and References are those of a rule (Detection Rule License: they travel into the alert).
	Author, License string
	References      []string
	// Tags are those of the rule: attack.t1059.001.
	Tags []string
	// List is the file or list an indicator came from.
	List string
}
