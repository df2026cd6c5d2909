// Package sightmodel is the rules of sight once more, told reader by reader and as simply as can be, for tests only.
//
// Where package policy computes audiences when something is written, this model keeps for each reader what it has and
// replays what happens. Policy, pages, stream, search and export must all agree with it.
package sightmodel

import (
	"maps"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// Key is one version of one object, as a reader knows it. For an observable, Version names its content.
type Key struct{ ID, Version string }

// Model is one community. Make it with [New].
type Model struct {
	Readers []polder.OrgID
	lines   map[string][]*line // by id, oldest first
	seq     int
}

type line struct {
	custodian polder.OrgID
	versions  map[string]*version
	readers   map[polder.OrgID]map[string]bool // the versions that each reader has
}

type version struct {
	digest  string
	revoked bool
	shares  []share
}

type share struct {
	to    polder.Audience
	level stix.Marking
	at    int
}

// New is a community in which these organisations read.
func New(readers ...polder.OrgID) *Model {
	return &Model{Readers: readers, lines: map[string][]*line{}}
}

// Verdict is what a share comes to.
type Verdict int

const (
	Stored Verdict = iota
	Duplicate
	Refused
)

// Share brings a version of an id into the community.
func (m *Model) Share(by polder.OrgID, id, v, digest string, revoked bool, to polder.Audience, level stix.Marking) Verdict {
	m.seq++
	l := m.seenBy(by, id)
	if l == nil {
		l = &line{custodian: by, versions: map[string]*version{}, readers: map[polder.OrgID]map[string]bool{}}
		m.lines[id] = append(m.lines[id], l)
	} else if got := l.verdict(by, v, digest, revoked); got != Stored {
		return got
	}
	if l.versions[v] == nil {
		l.versions[v] = &version{digest: digest, revoked: revoked}
	}
	if !m.gains(l, id, v, to, level) {
		return Duplicate
	}
	l.versions[v].shares = append(l.versions[v].shares, share{to, level, m.seq})
	for _, r := range m.Readers {
		if seen := m.seenBy(r, id); to.Contains(r) && (seen == nil || seen == l) {
			l.give(r, v)
		}
	}
	return Stored
}

func (l *line) verdict(by polder.OrgID, v, digest string, revoked bool) Verdict {
	if held := l.versions[v]; held != nil && len(held.shares) > 0 {
		switch {
		case held.digest != digest && l.anyoneHas(v):
			return Refused
		case by != l.custodian:
			return Duplicate
		}
		return Stored
	}
	if by != l.custodian {
		return Refused
	}
	for other, held := range l.versions {
		if held.revoked && v > other || revoked && other > v {
			return Refused
		}
	}
	return Stored
}

func (l *line) anyoneHas(v string) bool { return len(l.versions[v].shares) > 0 }

func (l *line) give(r polder.OrgID, v string) {
	if l.readers[r] == nil {
		l.readers[r] = map[string]bool{}
	}
	l.readers[r][v] = true
}

// gains tells whether some reader gets sight of the version, or a wider level of it.
func (m *Model) gains(l *line, id, v string, to polder.Audience, level stix.Marking) bool {
	for _, r := range m.Readers {
		if seen := m.seenBy(r, id); !to.Contains(r) || seen != nil && seen != l {
			continue
		}
		if !l.readers[r][v] || level < l.versions[v].levelFor(r) {
			return true
		}
	}
	return false
}

func (v *version) levelFor(r polder.OrgID) stix.Marking {
	widest := stix.Red
	for _, s := range v.shares {
		if s.to.Contains(r) {
			widest = min(widest, s.level)
		}
	}
	return widest
}

// Withdraw takes versions of an id out, all of them when none is named. It tells whether it was allowed.
func (m *Model) Withdraw(by polder.OrgID, steward bool, id string, versions ...string) bool {
	m.seq++
	l := m.seenBy(by, id)
	if l == nil || !steward && l.custodian != by {
		return false
	}
	if len(versions) == 0 {
		versions = slices.Collect(maps.Keys(l.versions))
	}
	seen := false
	for _, v := range versions {
		seen = seen || l.readers[by][v]
	}
	if !seen {
		return false
	}
	var lost []polder.OrgID
	for _, v := range versions {
		delete(l.versions, v)
	}
	for _, r := range m.Readers {
		had := len(l.readers[r]) > 0
		for _, v := range versions {
			delete(l.readers[r], v)
		}
		if had && len(l.readers[r]) == 0 {
			lost = append(lost, r)
		}
	}
	m.prune(id)
	for _, r := range lost {
		m.fallBack(r, id)
	}
	return true
}

// prune forgets lines of which nothing is left.
func (m *Model) prune(id string) {
	m.lines[id] = slices.DeleteFunc(m.lines[id], func(l *line) bool { return len(l.versions) == 0 })
	slices.SortStableFunc(m.lines[id], func(a, b *line) int { return a.first() - b.first() })
}

func (l *line) first() int {
	at := 1 << 60
	for _, v := range l.versions {
		for _, s := range v.shares {
			at = min(at, s.at)
		}
	}
	return at
}

// fallBack gives r, who lost the line it saw, the oldest other line it may see.
func (m *Model) fallBack(r polder.OrgID, id string) {
	for _, l := range m.lines[id] {
		for name, v := range l.versions {
			for _, s := range v.shares {
				if s.to.Contains(r) {
					l.give(r, name)
				}
			}
		}
		if len(l.readers[r]) > 0 {
			return
		}
	}
}

func (m *Model) seenBy(r polder.OrgID, id string) *line {
	for _, l := range m.lines[id] {
		if len(l.readers[r]) > 0 {
			return l
		}
	}
	return nil
}

// Sees is everything r sees, with its level.
func (m *Model) Sees(r polder.OrgID) map[Key]stix.Marking {
	out := map[Key]stix.Marking{}
	for id := range m.lines {
		if l := m.seenBy(r, id); l != nil {
			for v := range l.readers[r] {
				out[Key{id, v}] = l.versions[v].levelFor(r)
			}
		}
	}
	return out
}

// Last is the last version of each object that r sees.
func (m *Model) Last(r polder.OrgID) map[string]string {
	out := map[string]string{}
	for k := range m.Sees(r) {
		out[k.ID] = max(out[k.ID], k.Version)
	}
	return out
}
