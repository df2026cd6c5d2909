package cases

import (
	"context"

	"github.com/polder-exchange/polder"
)

// maxJewelCases is how many cases are told of one jewel.
const maxJewelCases = 100

// JewelCases are the cases of the actor's organisation that touch a jewel, as far as the asker was let into each, the
// latest first.
func (s *Service) JewelCases(ctx context.Context, by polder.Actor, jewel string) ([]CaseRef, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	return casesTouching(s.committed(ctx), v, jewel, maxJewelCases)
}
