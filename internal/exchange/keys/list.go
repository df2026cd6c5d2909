package keys

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
)

// Entries are the owners of keys that are known, by name: those of this node, or everyone.
func (s *Service) Entries(ctx context.Context, everyone bool) ([]Entry, error) {
	node, err := s.NodeID(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.ensure(ctx, node); err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	ids, err := allOwners(s.read(ctx))
	if err != nil {
		return nil, err
	}
	out := []Entry{}
	for _, id := range ids {
		local, err := s.local(ctx, id)
		if err != nil {
			return nil, err
		}
		if !local && !everyone {
			continue
		}
		o, err := s.known(ctx, id)
		if err != nil {
			return nil, err
		}
		e := entryOf(o.chain, names[id].name)
		e.Node, e.Local = names[id].node, local
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Name+"\x00"+a.Owner, b.Name+"\x00"+b.Owner) })
	return out, nil
}

// named is how an owner is shown.
type named struct {
	name string
	node bool
}

// names are the names of all that have keys.
func (s *Service) names(ctx context.Context) (map[polder.OrgID]named, error) {
	node, err := s.NodeID(ctx)
	if err != nil {
		return nil, err
	}
	orgs, err := s.o.Accounts.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	homes, err := s.o.Accounts.Homes(ctx)
	if err != nil {
		return nil, err
	}
	out := map[polder.OrgID]named{}
	for id, name := range homes {
		out[id] = named{"node of " + name, true}
	}
	for _, o := range orgs {
		out[o.ID] = named{name: o.Name}
	}
	host, err := s.o.Accounts.Host(ctx)
	if err != nil && polder.KindOf(err) != polder.NotFound {
		return nil, err
	}
	out[node] = named{"node of " + host.Name, true}
	return out, nil
}

// more are the lines of a file of keys beside the owners: identities that stand for "a member", and pseudonyms.
func (s *Service) more(ctx context.Context) (out []json.RawMessage, err error) {
	communities, err := s.o.Accounts.Communities(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range communities {
		raw, err := s.o.Accounts.BlindObject(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		e, err := blindOf(c, raw)
		if err != nil {
			return nil, err
		}
		line, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		out = append(out, line)
	}
	if s.o.Pseudonyms == nil {
		return out, nil
	}
	certificates, err := s.o.Pseudonyms.Certificates(ctx)
	return append(out, certificates...), err
}
