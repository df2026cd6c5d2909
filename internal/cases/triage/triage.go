package triage

import "time"

// Answers are what a proposal is made from. Roads, Ongoing and Kind are as in a report; Language is that of the reasons
// ("nl", else English). The words of What may be Dutch or English whatever Language says.
type Answers struct {
	What     string   `json:"what"`
	Roads    []string `json:"roads"`
	Ongoing  string   `json:"ongoing"`
	Kind     string   `json:"kind"`
	Language string   `json:"language"`
}

// Proposal is what the answers suggest, with the reasons, the heaviest first.
type Proposal struct {
	Class    string   `json:"class"`    // RSIT: "intrusions/application-compromise"
	Severity string   `json:"severity"` // low, medium, high, critical
	Kind     string   `json:"kind"`     // incident, near-miss, approach, suspicion
	Why      []Reason `json:"why"`
}

// Reason is what decided: words as they stand in the report, and what they speak for, as a sentence part.
type Reason struct {
	Words string `json:"words"`
	Says  string `json:"says"`
}

// Text is a report to be compared with others.
type Text struct {
	ID    string    `json:"id"`
	Words string    `json:"words"`
	At    time.Time `json:"at"`
}

// Pair is two reports that may speak of the same thing. A stands before B in what was given; Score is 0 to 1.
type Pair struct {
	A     string   `json:"a"`
	B     string   `json:"b"`
	Score float64  `json:"score"`
	Why   []Reason `json:"why"`
}
