package exchange

import (
	"context"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Glimpse is what another capability shows of an object, as one reader may see it now.
type Glimpse struct {
	ID, Type, Title, Href    string
	Community, CommunityName string // where it was read: the alias, and the name
	By                       string // the neighbour or the identity it names as its creator; "" for "a member" and strangers
	Level                    stix.Marking
	PAP                      stix.PAP
	Confidence               int // 0 to 100; -1 when nothing was said
	Revoked                  bool
	Until                    time.Time // when it ends by itself; zero for never
}

// maxGlimpses is how many objects one question may be about.
const maxGlimpses = 500

// Glimpses are the last versions that a sees of objects, in one community (alias or id) or, when that is empty, in any.
// What a does not see is not among them; a community that a is not in has none.
func (s *Service) Glimpses(ctx context.Context, a polder.Actor, community string, ids []string) ([]Glimpse, error) {
	if len(ids) == 0 || len(ids) > maxGlimpses {
		return nil, nil
	}
	sight, err := s.SightIn(ctx, a, community)
	if polder.KindOf(err) == polder.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	page, err := s.journal.Page(ctx, sight, journal.Query{IDs: ids, Limit: 4 * len(ids)})
	if err != nil {
		return nil, err
	}
	return s.glimpses(ctx, a, page.Deliveries)
}

// ValuesIn are the values that an object names, in what a reads of it now; at most limit.
func (s *Service) ValuesIn(ctx context.Context, a polder.Actor, id string, limit int) (out []string, err error) {
	sight, err := s.Sight(ctx, a)
	if err != nil {
		return nil, err
	}
	page, err := s.journal.Page(ctx, sight, journal.Query{IDs: []string{id}, Limit: limit})
	if err != nil {
		return nil, err
	}
	for _, d := range page.Deliveries {
		o, err := stix.Parse(d.Raw)
		if err != nil {
			continue // withdrawn or erased
		}
		for _, v := range valuesOf(o) {
			if !slices.Contains(out, v.Value) && len(out) < limit {
				out = append(out, v.Value)
			}
		}
	}
	return out, nil
}

// Near is something that is said of an object: a relationship to another.
type Near struct {
	Text string // of the relationship: "indicates", "uses"
	Glimpse
}

// Around are the objects to which relationships lead from or to an object, as a may see them; at most limit.
func (s *Service) Around(ctx context.Context, a polder.Actor, id string, limit int) ([]Near, error) {
	refs, _, err := s.Referring(ctx, a, id, MaxFound)
	if err != nil {
		return nil, err
	}
	said := map[string]string{}
	var ids []string
	for _, d := range refs {
		if d.Type() != "relationship" || d.Raw == nil || d.Revoked || len(ids) == limit {
			continue
		}
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return nil, err
		}
		other := o.TargetRef
		if other == id {
			other = o.SourceRef
		}
		if _, have := said[other]; !have {
			said[other] = o.RelationshipType
			ids = append(ids, other)
		}
	}
	seen, err := s.Glimpses(ctx, a, "", ids)
	if err != nil {
		return nil, err
	}
	out := make([]Near, 0, len(seen))
	for _, g := range seen {
		if text, ok := said[g.ID]; ok {
			out = append(out, Near{Text: text, Glimpse: g})
			delete(said, g.ID) // once, whatever the communities it is in
		}
	}
	return out, nil
}

func (s *Service) glimpses(ctx context.Context, a polder.Actor, all []journal.Delivery) ([]Glimpse, error) {
	ms, err := s.accounts.MembershipsOf(ctx, a)
	if err != nil {
		return nil, err
	}
	places, names := map[polder.CommunityID]polder.Membership{}, map[string]string{}
	for _, m := range ms {
		if m.Right(a) < polder.RoleReader {
			continue
		}
		places[m.Community.ID] = m
		members, err := s.accounts.MemberList(ctx, a, m.Community.ID)
		if err != nil {
			return nil, err
		}
		for _, q := range members {
			names[string(q.Organisation.ID)] = q.Organisation.Name
		}
	}
	out := make([]Glimpse, 0, len(all))
	for _, d := range all {
		if d.Raw == nil {
			continue
		}
		o, err := stix.Parse(d.Raw)
		if err != nil {
			return nil, err
		}
		m := places[d.Community]
		g := Glimpse{
			ID: d.ID, Type: d.Type(), Title: clip(ownTitle(o), 120), Href: link(d.ID), Community: m.Alias, CommunityName: m.Name,
			By: names[o.CreatedByRef], Level: d.Level, PAP: o.PAP(), Confidence: -1, Revoked: d.Revoked, Until: o.ValidUntil.Time,
		}
		if o.Property("confidence") != nil {
			g.Confidence = int(number(o, "confidence"))
		}
		out = append(out, g)
	}
	return out, nil
}
