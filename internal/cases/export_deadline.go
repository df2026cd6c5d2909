package cases

import (
	"context"

	"github.com/polder-exchange/polder"
)

// exportDeadlines are the duties of a case as they stand.
func (s *Service) exportDeadlines(ctx context.Context, by polder.Actor, id CaseID) ([]exportDeadline, error) {
	return nil, nil
}
