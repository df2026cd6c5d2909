package detect

import (
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder"
)

// Scope says on what a suppression looks.
type Scope string

// The scopes: one host, one account, one file or intake, one value of the evidence.
const (
	ScopeHost    Scope = "host"
	ScopeAccount Scope = "account"
	ScopeFile    Scope = "file"
	ScopeValue   Scope = "value"
)

// Scopes lists them.
var Scopes = []Scope{ScopeHost, ScopeAccount, ScopeFile, ScopeValue}

// longestSuppression is how far away the end of a suppression may lie.
const longestSuppression = 366 * 24 * time.Hour

// Suppression keeps alerts of one rule within one scope out of the queue until it ends. They are kept and can be
// listed; a suppression hides work, not evidence.
type Suppression struct {
	ID     string
	Org    polder.OrgID
	Rule   string // of the finding
	Object string // the shared object that the rule came as; "" for a rule of one's own
	Title  string // of the rule, as it was then
	Scope  Scope
	Value  string
	Reason string
	By     string // who made it
	Made   time.Time
	Until  time.Time

	Ended   time.Time // when a person ended it before its time; zero when nobody did
	EndedBy string
	Hidden  bool // the object is no longer for the reader: nothing of it is told
	Count   int  // alerts that it met
	Last    time.Time
}

// Active tells whether the suppression counts at a time.
func (s Suppression) Active(at time.Time) bool { return s.Ended.IsZero() && at.Before(s.Until) }

// check puts the suppression into its kept form, or says what must be mended.
func (s *Suppression) check(now time.Time) error {
	s.Rule, s.Value, s.Reason = strings.TrimSpace(s.Rule), strings.TrimSpace(s.Value), strings.TrimSpace(s.Reason)
	switch {
	case s.Rule == "" || len(s.Rule) > maxText:
		return polder.Errorf(polder.Invalid, "rule: write the id of the rule or indicator whose alerts are not wanted")
	case !slices.Contains(Scopes, s.Scope):
		return polder.Errorf(polder.Invalid, "scope: %.40q is unknown; use host, account, file or value", s.Scope)
	case s.Value == "" || len(s.Value) > maxText+len("…"):
		return polder.Errorf(polder.Invalid, "value: write the %s for which the alerts are not wanted; a rule as a whole is switched off where it is loaded", s.Scope)
	case len(s.Reason) < 3 || len(s.Reason) > maxText:
		return polder.Errorf(polder.Invalid, "reason: say in a sentence why these alerts are not wanted, for whoever asks later")
	}
	return checkUntil(s.Until, now)
}

func checkUntil(until, now time.Time) error {
	switch {
	case !until.After(now):
		return polder.Errorf(polder.Invalid, "until: write a time after %s, when the suppression ends by itself", now.UTC().Format("2006-01-02 15:04"))
	case until.Sub(now) > longestSuppression:
		return polder.Errorf(polder.Invalid, "until: write a time within a year; then somebody looks at it again")
	}
	return nil
}

// meets tells whether the suppression is about a finding. Names of hosts, accounts and values are compared without
// regard to case.
func (s Suppression) meets(f Finding) bool {
	if s.Rule != f.ID {
		return false
	}
	switch s.Scope {
	case ScopeHost:
		return strings.EqualFold(s.Value, f.Host)
	case ScopeAccount:
		return strings.EqualFold(s.Value, f.Account)
	case ScopeFile:
		return s.Value == f.File
	case ScopeValue:
		return slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return strings.EqualFold(clipped(e.Value, maxText), s.Value) })
	}
	return false
}
