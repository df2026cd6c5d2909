package exchange

import (
	"context"
	"strconv"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// blockedDefinition is the object that says what the extension means; it travels with the first sighting that uses it.
const blockedDefinition = `{"type":"extension-definition","spec_version":"2.1","id":"` + BlockedExtension + `","created_by_ref":"identity--7f0a6d52-5d0b-4d3e-8a87-2f3c1b9e6d10","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","name":"Blocked","description":"Says in a sighting that who sighted has put what was sighted into a block list. Properties: blocked (boolean, required).","schema":"https://github.com/polder-exchange/polder/blob/main/docs/extensions.md","version":"1.0.0","extension_types":["property-extension"]}`

// Ref names an object in a community.
type Ref struct {
	Community polder.CommunityID `json:"community"`
	ID        string             `json:"id"`
}

// Blocked counts which objects stood in a block list that an organisation took. node plugs it in. Who took it is counted
// once for an object, and nothing of what the list held is kept.
type Blocked interface {
	Blocked(ctx context.Context, by polder.OrgID, objects []Ref) error
}

// CountBlocks has b told of the block lists that are taken from now on.
func (s *Service) CountBlocks(b Blocked) { s.blocked = b }

// tookList tells that by took a list with these objects. A list is a list whether or not it was counted.
func (s *Service) tookList(ctx context.Context, by polder.OrgID, objects []Ref) {
	if s.blocked == nil || by == "" || len(objects) == 0 {
		return
	}
	if err := s.blocked.Blocked(ctx, by, objects); err != nil {
		s.log.WarnContext(ctx, "a block list was not counted", "err", err)
	}
}

// setBlocked says in a sighting that the sighted object is blocked.
func setBlocked(o *stix.Members) {
	o.Set("extensions", func(e *stix.Members) {
		e.Set(BlockedExtension, func(x *stix.Members) {
			x.Set("extension_type", "property-extension")
			x.Set("blocked", true)
		})
	})
}

// ParseMinWorth reads the least worth that an export asks for; 0 for all that count today.
func ParseMinWorth(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 100 {
		return 0, polder.Errorf(polder.Invalid, "min_worth: %q is not a number from 0 to 100", clip(text, 20))
	}
	return n, nil
}
