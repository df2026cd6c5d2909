package members

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
)

// neighbour is an organisation that somebody may read the name of, and why.
type neighbour struct {
	polder.Org
	Shared []string // names of the communities that both belong to; for an administrator, that it belongs to
}

// neighbours are the organisations that by may read: its own, those with which it shares a community whose agreement it
// has accepted, and for an administrator all. They are sorted by name, the own one first.
func (p *Pages) neighbours(ctx context.Context, by polder.Actor) ([]neighbour, error) {
	found := map[polder.OrgID]*neighbour{}
	add := func(o polder.Org) *neighbour {
		if found[o.ID] == nil {
			found[o.ID] = &neighbour{Org: o}
		}
		return found[o.ID]
	}
	own, err := p.accounts.Org(ctx, by.Org)
	if err != nil {
		return nil, err
	}
	add(own)
	if by.Role == polder.RoleAdmin {
		all, err := p.accounts.Orgs(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range all {
			add(o)
		}
	}
	places, err := p.readable(ctx, by)
	if err != nil {
		return nil, err
	}
	for _, c := range places {
		members, err := p.accounts.MemberList(ctx, by, c.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			n := add(m.Organisation)
			n.Shared = append(n.Shared, c.Name)
		}
	}
	return byName(found, by.Org), nil
}

func byName(found map[polder.OrgID]*neighbour, first polder.OrgID) []neighbour {
	all := make([]neighbour, 0, len(found))
	for _, n := range found {
		all = append(all, *n)
	}
	slices.SortFunc(all, func(a, b neighbour) int {
		switch {
		case a.ID == first:
			return -1
		case b.ID == first:
			return 1
		}
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return all
}

// readable are the communities whose list of members by may read: where it has accepted the agreement, and for an
// administrator all.
func (p *Pages) readable(ctx context.Context, by polder.Actor) ([]polder.Community, error) {
	if by.Role == polder.RoleAdmin {
		return p.accounts.Communities(ctx)
	}
	memberships, err := p.accounts.MembershipsOf(ctx, by)
	if err != nil {
		return nil, err
	}
	var all []polder.Community
	for _, m := range memberships {
		if m.Right(by) >= polder.RoleReader {
			all = append(all, m.Community)
		}
	}
	return all, nil
}

// neighbour is the organisation {org} of the address, if whoever asks may read it; NotFound otherwise.
func (p *Pages) neighbour(r *http.Request) (neighbour, error) {
	all, err := p.neighbours(r.Context(), web.ActorOf(r))
	if err != nil {
		return neighbour{}, err
	}
	for _, n := range all {
		if string(n.ID) == r.PathValue("org") {
			return n, nil
		}
	}
	return neighbour{}, polder.Errorf(polder.NotFound, "there is no such organisation, or you share no community with it")
}

// names are the names of the organisations that whoever asks may read.
func (p *Pages) names(r *http.Request) (map[polder.OrgID]string, error) {
	all, err := p.neighbours(r.Context(), web.ActorOf(r))
	names := make(map[polder.OrgID]string, len(all))
	for _, n := range all {
		names[n.ID] = n.Name
	}
	return names, err
}

// manages tells whether to offer the management of an organisation's people; accounts decides.
func manages(by polder.Actor, org polder.OrgID) bool {
	return by.Role == polder.RoleAdmin || by.Org == org && by.Role >= polder.RoleSteward
}
