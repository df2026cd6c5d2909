package cases

import (
	"context"

	"github.com/polder-exchange/polder"
)

// Members are those who were let into a case. People of another organisation see themselves and nobody else.
func (s *Service) Members(ctx context.Context, by polder.Actor, id CaseID) (out []Member, err error) {
	return
}

// SetMember lets somebody into a case, or gives a member another part or ceiling. It asks for the lead, who grants nothing above the own ceiling.
func (s *Service) SetMember(ctx context.Context, by polder.Actor, id CaseID, m CaseWithWhom) (out []Member, err error) {
	return
}

// RemoveMember ends the sight of a member with the next request. It asks for the lead; anybody may leave. A lead with the ceiling TLP:RED stays.
func (s *Service) RemoveMember(ctx context.Context, by polder.Actor, id CaseID, person polder.PersonID, org polder.OrgID) (err error) {
	return
}
