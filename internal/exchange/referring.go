package exchange

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Referring lists what the actor sees that refers to an object, oldest first, at most limit; more says that there is
// more.
func (s *Service) Referring(ctx context.Context, a polder.Actor, id string, limit int) (out []journal.Delivery, more bool, err error) {
	sight, err := s.Sight(ctx, a)
	if err != nil {
		return nil, false, err
	}
	err = s.everything(ctx, sight, []string{"note", "opinion", "relationship", "report", "sighting"}, func(d journal.Delivery) error {
		o, err := stix.Parse(d.Raw)
		if err == nil && slices.ContainsFunc(o.Refs(), func(r stix.Ref) bool { return r.ID == id }) {
			out = append(out, d)
		}
		return err
	})
	if len(out) > limit {
		return out[:limit], true, err
	}
	return out, false, err
}
