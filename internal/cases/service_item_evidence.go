package cases

import (
	"context"
	"io"

	"github.com/polder-exchange/polder"
)

// AddEvidence stores a file as evidence, with its hash and the first step of its custody. It is never rendered. At most [MaxEvidence] bytes.
func (s *Service) AddEvidence(ctx context.Context, by polder.Actor, id CaseID, n Item, r io.Reader) (it Item, err error) {
	return
}

// OpenEvidence hands a file out, which is a step of its custody. The caller closes it.
func (s *Service) OpenEvidence(ctx context.Context, by polder.Actor, id CaseID, item, reason string) (f io.ReadSeekCloser, it Item, err error) {
	return
}

// AddCustody adds a step to the custody of evidence.
func (s *Service) AddCustody(ctx context.Context, by polder.Actor, id CaseID, item string, c Custody) (it Item, err error) {
	return
}
