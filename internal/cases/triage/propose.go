package triage

// Propose says what a's words suggest. It never fails: where nothing speaks for a class, that is what it says.
func Propose(a Answers) Proposal { return Proposal{Class: "other/undetermined", Severity: "low", Kind: a.Kind} }
