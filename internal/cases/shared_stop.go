package cases

import (
	"context"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
)

// stopSharingWith ends the sharing of a case with an organisation that was taken out of it. What a contact point was told
// stays told: that is the law's, not the member's.
func (s *Service) stopSharingWith(ctx context.Context, by polder.Actor, id CaseID, org polder.OrgID) error {
	all, err := listSharings(s.committed(ctx), id, false)
	if err != nil {
		return err
	}
	for _, sh := range all {
		if sh.Org != org || sh.Part == PartContact {
			continue
		}
		if err := s.StopSharing(ctx, by, id, sh.ID); err != nil {
			return polder.Errorf(polder.KindOf(err), "the organisation is taken out of the case, and what is shared with it in %s goes on: %w; stop that sharing", sh.Community, err)
		}
	}
	return nil
}

// deadlineStage is how far a report takes the duty that contact points are told of, by the name of its rule. Empty: they
// are not told of it.
func (s *Service) deadlineStage(rule string) string {
	r, pack, ok := s.o.Packs.Rule(rule)
	if stage := strings.TrimSuffix(r.ID, "-report"); ok && pack.Act == "nis2" && slices.Contains(sharedStages, stage) {
		return stage
	}
	return ""
}

// MarkSentAndTell is [Service.MarkSent], and then tells the contact points of the countries that the case touches how far
// the duty to report has come. A person says so by asking for it. What was sent stays noted where nobody could be told.
func (s *Service) MarkSentAndTell(ctx context.Context, by polder.Actor, id CaseID, rule string, m DeadlineMark) (CaseDuties, []ContactPoint, error) {
	stage := s.deadlineStage(rule)
	if stage == "" {
		return CaseDuties{}, nil, polder.Errorf(polder.Invalid, "tell_contacts: goes with a report that has a stage, such as nis2-nl.early-warning; %.80s has none", rule)
	}
	out, err := s.MarkSent(ctx, by, id, rule, m)
	if err != nil {
		return out, nil, err
	}
	told, err := s.TellContacts(ctx, by, id, stage, false)
	if err != nil {
		return out, nil, polder.Errorf(polder.KindOf(err), "it is noted as sent, and the contact points were not told: %w; tell them from the page of the case", err)
	}
	return out, told, nil
}
