package payback

import (
	"context"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
)

// Contributor is somebody whose objects are told apart by everybody: a member that gives its name, or a pseudonym.
type Contributor struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"` // of a member; "" for a pseudonym and for strangers
	You     bool   `json:"you,omitempty"`  // the reader's own organisation, under its name
	Quality Score  `json:"quality"`
}

// maxContributors is how many contributors one page lists.
const maxContributors = 200

// Contributors are those of a community (alias or id) whom the actor tells apart, each with its quality as the actor sees
// it, from the objects and statements in its sight; the parts are with [Service.Quality]. Members who share as "a member"
// have none.
func (s *Service) Contributors(ctx context.Context, a polder.Actor, community string) ([]Contributor, error) {
	v, in, err := s.viewing(ctx, a, community)
	if err != nil {
		return nil, err
	}
	if community == "" {
		return nil, polder.Errorf(polder.Invalid, "community: say of which; contributors are told apart within one")
	}
	if _, err := s.index.caughtUp(ctx); err != nil {
		return nil, err
	}
	who, err := s.index.contributors(ctx, v, maxContributors)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx, a, in[0].Community.ID)
	if err != nil {
		return nil, err
	}
	out := []Contributor{}
	for _, id := range who {
		q, err := s.qualityOf(ctx, v, id)
		if err != nil {
			return nil, err
		}
		q.Parts = []ScorePart{}
		out = append(out, Contributor{id, names[id], id == string(a.Org), q})
	}
	return out, nil
}

// Quality is that of one contributor in a community, as the actor sees it. Somebody of whom it sees nothing is not found.
func (s *Service) Quality(ctx context.Context, a polder.Actor, community, contributor string) (Contributor, error) {
	v, in, err := s.viewing(ctx, a, community)
	if err != nil {
		return Contributor{}, err
	}
	if _, err := s.index.caughtUp(ctx); err != nil {
		return Contributor{}, err
	}
	q, err := s.qualityOf(ctx, v, contributor)
	if err == nil && q.Objects == 0 {
		return Contributor{}, polder.Errorf(polder.NotFound, "no such contributor, or none of whom you see anything")
	}
	if err == nil {
		q, err = s.confirmed(ctx, a, in, q)
	}
	if err != nil {
		return Contributor{}, err
	}
	out := Contributor{ID: contributor, You: contributor == string(a.Org), Quality: q}
	for _, m := range in {
		names, err := s.names(ctx, a, m.Community.ID)
		if err != nil {
			return Contributor{}, err
		}
		if n := names[contributor]; n != "" {
			out.Name = n
		}
	}
	return out, nil
}

func (s *Service) names(ctx context.Context, a polder.Actor, c polder.CommunityID) (map[string]string, error) {
	list, err := s.o.Accounts.MemberList(ctx, a, c)
	out := map[string]string{}
	for _, m := range list {
		out[string(m.Organisation.ID)] = m.Organisation.Name
	}
	return out, err
}

// qualityOf counts as a reader can: who says something is whom it names, and a statement of "a member" is somebody else's.
// To leave out those of the contributor itself would tell which of them are.
func (s *Service) qualityOf(ctx context.Context, v view, contributor string) (Score, error) {
	return once(ctx, s, cacheKey{what: "quality", org: contributor, scopes: v.scopes, community: v.community}, func() (Score, error) {
		lines, err := s.index.byOpen(ctx, v, contributor)
		if err != nil {
			return Score{}, err
		}
		said, err := s.index.saidOfOpen(ctx, v, contributor)
		if err != nil {
			return Score{}, err
		}
		l := newLedger(lines)
		for _, r := range said {
			if r.open != contributor {
				l.hear(r, r.open)
			}
		}
		return s.rules.Score(l.judged(blocked{by: map[exchange.Ref]blockCount{}})), nil
	})
}
