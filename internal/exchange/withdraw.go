package exchange

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// Withdrawal names what to take out of a community.
type Withdrawal struct {
	Community string // alias or id
	ID        string
	Versions  VersionChoice
	Erase     bool   // remove the bytes too, for good (X19); stewards only
	Reason    string // why, in the words of who withdraws; it stands in the audit

	expired bool                       // the community keeps nothing longer
	which   func(policy.Delivery) bool // instead of Versions, where they came from another node
}

// VersionChoice says which versions of an object; the zero value is all of them.
type VersionChoice struct {
	First, Last bool
	Exact       []string // sortable texts; for observables their number's
}

// Withdraw takes an object, or some of its versions, out of a community (X18), and erases it when asked (X19). It
// returns the number of the last withdrawal.
func (s *Service) Withdraw(ctx context.Context, a polder.Actor, w Withdrawal) (polder.Seq, error) {
	m, err := s.membership(ctx, a, w.Community)
	if err != nil {
		return 0, err
	}
	if !stix.ValidID(w.ID) {
		return 0, polder.Errorf(polder.Invalid, "id: %q is not a STIX id, such as indicator--01234567-89ab-4cde-8f01-23456789abcd", w.ID)
	}
	if w.Reason, err = s.releaseText(ctx, a.Org, "reason", w.Reason); err != nil {
		return 0, err
	}
	var top polder.Seq
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if a, m, err = s.again(tx, a, m.Community.ID); err != nil {
			return err
		}
		top, err = s.withdraw(tx, a, m, w)
		return err
	})
	return top, err
}

func (s *Service) withdraw(tx *db.Tx, a polder.Actor, m polder.Membership, w Withdrawal) (polder.Seq, error) {
	if w.Erase && m.Right(a) < polder.RoleSteward {
		return 0, polder.Errorf(polder.Forbidden, "only a steward of the community erases")
	}
	c := m.Community.ID
	held, err := s.journal.History(tx, c, []string{w.ID})
	if err != nil {
		return 0, err
	}
	rows := held[w.ID]
	if len(rows) == 0 && w.Erase {
		return s.eraseWithdrawn(tx, a, m, w)
	}
	history := make([]policy.Delivery, len(rows))
	for i, d := range rows {
		history[i] = known(d)
	}
	which := w.which
	if which == nil {
		which = w.Versions.filter(history, a.Org)
	}
	observable := len(rows) > 0 && rows[0].Version == ""
	effect, err := policy.Withdraw(history, policy.Withdrawal{By: a.Org, Steward: m.Right(a) >= polder.RoleSteward, Which: which}, observable)
	if err != nil {
		return 0, err
	}
	if m.Right(a) < polder.RoleContributor {
		return 0, polder.Errorf(polder.Forbidden, "community %s: you may read here but not withdraw", m.Alias)
	}
	return s.takeOut(tx, a, m, w, rows, effect)
}

// filter turns the choice into a test of deliveries; first and last are those that the actor sees.
func (v VersionChoice) filter(history []policy.Delivery, org polder.OrgID) func(policy.Delivery) bool {
	if !v.First && !v.Last && len(v.Exact) == 0 {
		return nil
	}
	key := func(d policy.Delivery) string {
		if d.Version == "" {
			return sortableSeq(d.Seq)
		}
		return d.Version
	}
	want := slices.Clone(v.Exact)
	var seen []string
	for _, d := range history {
		if d.Reached.Contains(org) {
			seen = append(seen, key(d))
		}
	}
	slices.Sort(seen)
	if v.First && len(seen) > 0 {
		want = append(want, seen[0])
	}
	if v.Last && len(seen) > 0 {
		want = append(want, seen[len(seen)-1])
	}
	return func(d policy.Delivery) bool { return slices.Contains(want, key(d)) }
}

// takeOut writes what the withdrawal comes to.
func (s *Service) takeOut(tx *db.Tx, a polder.Actor, m polder.Membership, w Withdrawal, rows []journal.Delivery, e policy.Effect) (polder.Seq, error) {
	c := m.Community.ID
	bySeq := map[polder.Seq]journal.Delivery{}
	for _, d := range rows {
		bySeq[d.Seq] = d
	}
	var batch []journal.Delivery
	for _, r := range e.Removed {
		first := bySeq[r.Deliveries[0]]
		version := first.Version
		if version == "" {
			version = sortableSeq(first.Seq)
		}
		gone := journal.Delivery{Kind: journal.Withdrawn, Community: c, Line: r.Line, ID: w.ID, Version: version, Sharer: a.Org,
			Level: first.Level, Nominal: r.Audience, Reached: r.Audience, Custodian: first.Custodian, Erased: w.Erase}
		if first.Version == "" {
			gone.Digest = first.Digest // another node knows the record by what it says, not by a number of this one
		}
		batch = append(batch, gone)
	}
	for _, again := range e.Again {
		d := bySeq[again.Of]
		d.BodyOf, d.Nominal, d.Reached, d.Last = again.Of, again.Audience, again.Audience, again.Last
		batch = append(batch, d)
	}
	written, err := s.journal.Append(tx, batch)
	if err != nil {
		return 0, err
	}
	for i, r := range e.Removed {
		if err := s.journal.Remove(tx, r.Deliveries, written[i].Seq); err != nil {
			return 0, err
		}
		if err := s.forgetNotices(tx, w.ID, r.Deliveries); err != nil {
			return 0, err
		}
		if w.Erase {
			if err := s.erase(tx, r.Deliveries, rows); err != nil {
				return 0, err
			}
		}
	}
	for _, ch := range e.Last {
		if err := s.journal.SetLast(tx, c, ch.Seq, ch.Last); err != nil {
			return 0, err
		}
	}
	entry := audit.EntryOf(a)
	entry.Action, entry.Community, entry.Object, entry.Blind, entry.Narrow = "withdraw", c, w.ID, true, narrow(written)
	if w.Erase {
		entry.Action = "erase"
	}
	if w.expired {
		entry.Action = "erase.retention"
	}
	entry.Detail = map[string]string{"versions": itoa(len(e.Removed))}
	if w.Reason != "" {
		entry.Detail["why"] = clip(w.Reason, 500)
	}
	return written[len(written)-1].Seq, s.audit.Append(tx, entry)
}

// Reassign gives custody of an object, as the steward sees it, to another member (X13).
func (s *Service) Reassign(ctx context.Context, a polder.Actor, community, id string, to polder.OrgID) error {
	m, err := s.membership(ctx, a, community)
	if err != nil {
		return err
	}
	if m.Mirrored() {
		return polder.Errorf(polder.Forbidden, "community %s lives at another node, and custody is decided there; ask there", m.Alias)
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		a, m, err := s.again(tx, a, m.Community.ID)
		if err != nil {
			return err
		}
		if m.Right(a) < polder.RoleSteward {
			return polder.Errorf(polder.Forbidden, "only a steward of the community reassigns custody")
		}
		held, err := s.journal.History(tx, m.Community.ID, []string{id})
		if err != nil {
			return err
		}
		seen := slices.IndexFunc(held[id], func(d journal.Delivery) bool { return d.Reached.Contains(a.Org) })
		if seen < 0 || held[id][seen].Version == "" {
			return polder.Errorf(polder.NotFound, "no such object with a custodian in this community")
		}
		line := held[id][seen].Line
		if !slices.ContainsFunc(held[id], func(d journal.Delivery) bool { return d.Line == line && d.Reached.Contains(to) }) {
			return polder.Errorf(polder.Conflict, "to: %s does not see this object; share it with that member first", to)
		}
		if err := s.journal.SetCustodian(tx, m.Community.ID, id, line, to); err != nil {
			return err
		}
		e := audit.EntryOf(a)
		e.Action, e.Community, e.Object, e.Blind, e.Narrow = "custody", m.Community.ID, id, true, narrow(held[id])
		return s.audit.Append(tx, e)
	})
}
