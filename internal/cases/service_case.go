package cases

import (
	"context"

	"github.com/polder-exchange/polder"
)

// OpenCase opens a case. Who opens it becomes its lead, with the ceiling TLP:RED; nobody else of the organisation is in it. It asks for a contributor.
func (s *Service) OpenCase(ctx context.Context, by polder.Actor, n CaseNew) (v CaseView, err error) {
	return
}

// Cases are the cases that somebody was let into.
func (s *Service) Cases(ctx context.Context, by polder.Actor, f CaseFilter) (page CasePage, err error) {
	return
}

// CaseCounts counts the cases that somebody was let into.
func (s *Service) CaseCounts(ctx context.Context, by polder.Actor) (t CaseTotals, err error) { return }

// Case is a case as somebody may see it; [polder.ErrNotFound] for who was not let in.
func (s *Service) Case(ctx context.Context, by polder.Actor, id CaseID) (v CaseView, err error) {
	return
}

// ChangeCase changes the fields of a case. A change made on an older version is a [*CaseConflict].
func (s *Service) ChangeCase(ctx context.Context, by polder.Actor, id CaseID, c CaseChange) (v CaseView, err error) {
	return
}

// SetCaseStatus moves a case on, closes it or opens it again. Closing asks for a damage assessment, or the statement that nothing was touched, and for a reason where a deadline is open and due.
func (s *Service) SetCaseStatus(ctx context.Context, by polder.Actor, id CaseID, c CaseStatusChange) (v CaseView, err error) {
	return
}

// ArchiveCase puts a closed case away, or takes it out again. It asks for the lead.
func (s *Service) ArchiveCase(ctx context.Context, by polder.Actor, id CaseID, away bool) (v CaseView, err error) {
	return
}

// Announce lets the contact points of a case see its header from now on. It asks for the lead; marking an early warning as sent does the same.
func (s *Service) Announce(ctx context.Context, by polder.Actor, id CaseID) (err error) { return }

// CaseHistory is what became of a case, its items and its members, the latest first, as far as the asker sees each.
func (s *Service) CaseHistory(ctx context.Context, by polder.Actor, id CaseID) (out []CaseRevision, err error) {
	return
}

// StewardCases are the titles of the organisation's cases that its settings let a steward list, whether or not the steward was let in.
func (s *Service) StewardCases(ctx context.Context, by polder.Actor, next string) (page CasePage, err error) {
	return
}

// SimilarCases are other cases that are not closed, that hold one of the same observables, and that the asker sees.
func (s *Service) SimilarCases(ctx context.Context, by polder.Actor, id CaseID) (out []CaseRef, err error) {
	return
}

// CasesNaming are the cases in which the asker sees an observable of that value.
func (s *Service) CasesNaming(ctx context.Context, by polder.Actor, value string) (out []CaseRef, err error) {
	return
}

// CaseOfReport is the case that was opened from a report, where the asker sees it.
func (s *Service) CaseOfReport(ctx context.Context, by polder.Actor, report string) (ref CaseRef, found bool, err error) {
	return
}

// CaseSettings are the choices of the actor's organisation.
func (s *Service) CaseSettings(ctx context.Context, by polder.Actor) (set CaseSettings, err error) {
	return
}

// SetCaseSettings changes them. It asks for a steward.
func (s *Service) SetCaseSettings(ctx context.Context, by polder.Actor, set CaseSettings) (out CaseSettings, err error) {
	return
}
