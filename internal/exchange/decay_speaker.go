package exchange

import (
	"context"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Speakers tells those who say something apart, for counting and never for showing: by who shared it where that is an
// organisation that this node knows, else, since another node hands on what many said, by signature, and without one by
// that node. It is for one goroutine.
type Speakers struct {
	isOrg func(context.Context, polder.OrgID) (bool, error)
	known map[polder.OrgID]bool
}

// NewSpeakers asks isOrg which organisations this node knows.
func NewSpeakers(isOrg func(context.Context, polder.OrgID) (bool, error)) *Speakers {
	return &Speakers{isOrg, map[polder.OrgID]bool{}}
}

// Of is who says what d, which is o, says.
func (s *Speakers) Of(ctx context.Context, d journal.Delivery, o stix.Object) (string, error) {
	org, asked := s.known[d.Sharer]
	if !asked {
		var err error
		if org, err = s.isOrg(ctx, d.Sharer); err != nil {
			return "", err
		}
		s.known[d.Sharer] = org
	}
	if signer := SignerOf(o); signer != "" && !org {
		return signer, nil
	}
	return string(d.Sharer), nil
}

// SignerOf is whom the signature of an object names: an organisation or a pseudonym; "" without a signature. Whether the
// signature is right was decided when the object came in.
func SignerOf(o stix.Object) string {
	carried, signed, err := o.Signature()
	if err != nil || !signed {
		return ""
	}
	return carried.Signer
}
