package exchange

import (
	"context"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// warn looks for what a sharer should know before it shares. It tells whether the share waits for a confirmation.
func (sh *sharing) warn(ctx context.Context) (held bool, err error) {
	if err := sh.s.refreshShield(ctx); err != nil {
		return false, err
	}
	for _, c := range sh.cands {
		if sh.rules.Profile().Warninglists != release.ListsStop { // else it was stopped already
			sh.result.Warnings = append(sh.result.Warnings, sh.harmless(c)...)
		}
	}
	careless, err := sh.careless(ctx)
	if err != nil {
		return false, err
	}
	sh.result.Warnings = append(sh.result.Warnings, careless...)
	doubts, waits := sh.doubts()
	sh.result.Warnings = append(sh.result.Warnings, doubts...)
	return waits || len(careless) > 0 && !sh.request.Confirmed, nil
}

// preview is what would happen: each object as it would leave, and who would be able to see it.
func (sh *sharing) preview(ctx context.Context) (Result, error) {
	members, err := sh.s.members(ctx, sh.member.Community.ID)
	if err != nil {
		return Result{}, err
	}
	for i := range sh.result.Items {
		it := &sh.result.Items[i]
		to := policy.Nominal(sh.actor.Org, it.to, it.Level)
		for _, m := range members {
			if to.Contains(m.Org) {
				it.Readers = append(it.Readers, m.Org)
			}
		}
	}
	if sh.result.Readers, err = sh.readerNames(ctx); err != nil {
		return Result{}, err
	}
	if !sh.request.Preview {
		sh.result.Stored, sh.result.Duplicates = 0, 0
	}
	sh.result.Note = sh.note()
	return sh.result, nil
}

// Waits tells whether the share was held back until its sharer confirms what the warnings say.
func (r Result) Waits() bool {
	return slices.ContainsFunc(r.Warnings, func(w Warning) bool { return w.Held }) && r.Stored+r.Duplicates == 0
}

// Stopped tells whether a value stopped the share until a person gives a reason.
func (r Result) Stopped() bool {
	return slices.ContainsFunc(r.Warnings, func(w Warning) bool { return w.Held && w.Stop })
}

// stopsOf says which values stop a share, and what to do about it.
func stopsOf(r Result) string {
	var said []string
	for _, w := range r.Warnings {
		if w.Held && w.Stop && len(said) < 5 {
			said = append(said, w.Path+": "+clip(w.Value, 100)+" "+w.Reason)
		}
	}
	return strings.Join(said, "; ") + " (override)"
}

// Levels an actor's organisation may use, widest first.
func (s *Service) Levels(ctx context.Context, org polder.OrgID) ([]stix.Marking, error) {
	o, err := s.accounts.Org(ctx, org)
	if err != nil {
		return nil, err
	}
	all := []stix.Marking{stix.Clear, stix.Green, stix.Amber, stix.AmberStrict, stix.Red}
	return slices.DeleteFunc(all, func(m stix.Marking) bool { return m.Wider(o.Widest) }), nil
}
