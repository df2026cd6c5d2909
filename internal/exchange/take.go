package exchange

import (
	"context"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Take brings what the home of a community handed over into this node's log: checked again, signed as it should be,
// nothing twice, in the order given. and runs in the transaction that stores.
func (s *Service) Take(ctx context.Context, from Origin, batch []Handed, and func(tx *db.Tx) error) ([]Verdict, error) {
	return nil, polder.Errorf(polder.Unavailable, "not built")
}

// Accept brings what a member's node pushes into the community whose home this node is, as a, whose rights hold.
func (s *Service) Accept(ctx context.Context, a polder.Actor, c polder.CommunityID, batch []Handed, and func(tx *db.Tx) error) ([]Verdict, error) {
	return nil, polder.Errorf(polder.Unavailable, "not built")
}
