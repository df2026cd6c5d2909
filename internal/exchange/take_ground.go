package exchange

import (
	"context"
	"sync"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
)

// ground is what deliveries of a peer are held against: who is who here, and which communities the peer is the home of.
// Nobody changes it once it is read.
type ground struct {
	epoch   int64                               // of accounts, at or before which it was read
	orgs    map[polder.OrgID]polder.OrgID       // organisations that are known here, with their homes
	blinds  map[polder.OrgID]polder.CommunityID // identities that stand for "a member"
	homes   map[polder.OrgID]string             // other nodes
	mirrors map[polder.CommunityID]polder.Membership
	belongs map[polder.CommunityID]map[polder.OrgID]bool // who belongs to these, as their home says
}

// grounds keeps them for as long as nothing about organisations, communities and members changes.
type grounds struct {
	mu    sync.Mutex
	epoch int64 // of accounts, for which those below were read
	by    map[Origin]*ground
}

// of is what batches from the home of communities are held against now.
func (k *grounds) of(ctx context.Context, a *accounts.Service, from Origin) (*ground, error) {
	epoch, err := a.Epoch(ctx) // before the rest: what changes meanwhile makes it be read again
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	if k.epoch != epoch || k.by == nil {
		k.epoch, k.by = epoch, map[Origin]*ground{}
	}
	g := k.by[from]
	k.mu.Unlock()
	if g != nil {
		return g, nil
	}
	if g, err = groundOf(ctx, a, from); err != nil {
		return nil, err
	}
	g.epoch = epoch
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.epoch == epoch {
		k.by[from] = g
	}
	return g, nil
}

func groundOf(ctx context.Context, a *accounts.Service, from Origin) (*ground, error) {
	home, err := a.HomeOf(ctx, from.Org)
	if err != nil {
		return nil, err
	}
	if home != "" {
		return nil, polder.Errorf(polder.Forbidden, "organisation %s does not live here, so nothing is taken for it", from.Org)
	}
	g, err := newGround(ctx, a)
	if err != nil {
		return nil, err
	}
	ms, err := a.Memberships(ctx, from.Org)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		if m.Home != from.Peer || from.Peer == "" || from.Community != "" && m.Community.ID != from.Community {
			continue
		}
		if err := g.mirror(ctx, a, m); err != nil {
			return nil, err
		}
	}
	if len(g.mirrors) == 0 {
		return nil, polder.Errorf(polder.Forbidden, "no community that lives at %s and that organisation %s belongs to", from.Name, from.Org)
	}
	return g, nil
}

// newGround reads who is who, without communities.
func newGround(ctx context.Context, a *accounts.Service) (*ground, error) {
	g := &ground{orgs: map[polder.OrgID]polder.OrgID{}, blinds: map[polder.OrgID]polder.CommunityID{},
		mirrors: map[polder.CommunityID]polder.Membership{}, belongs: map[polder.CommunityID]map[polder.OrgID]bool{}}
	var err error
	if g.homes, err = a.Homes(ctx); err != nil {
		return nil, err
	}
	orgs, err := a.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range orgs {
		g.orgs[o.ID] = o.Home
	}
	communities, err := a.Communities(ctx)
	for _, c := range communities {
		g.blinds[c.Blind] = c.ID
	}
	return g, err
}

// mirror adds a community, and who belongs to it.
func (g *ground) mirror(ctx context.Context, a *accounts.Service, m polder.Membership) error {
	ms, err := a.Members(ctx, m.Community.ID)
	g.mirrors[m.Community.ID], g.belongs[m.Community.ID] = m, map[polder.OrgID]bool{}
	for _, one := range ms {
		g.belongs[m.Community.ID][one.Org] = true
	}
	return err
}
