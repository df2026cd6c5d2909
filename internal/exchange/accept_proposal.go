package exchange

import (
	"bytes"
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// decides is whom a proposal reaches that a member's node addresses to this node alone, which stands there for whoever
// shared the object: the custodian here of the version that the sharer sees. It is nobody for anything else.
func (in *accepting) decides(ctx context.Context, o stix.Object, h Handed) ([]polder.OrgID, error) {
	if len(h.To) != 1 {
		return nil, nil
	}
	if o.ID == proposalExtension {
		return in.defined[h.To[0]], nil
	}
	w, ok := proposalOf(o)
	if !ok || w.Target == "" {
		return nil, nil
	}
	s, me := in.sh.s, in.sh.actor.Org
	if _, err := s.accounts.Org(ctx, h.To[0]); polder.KindOf(err) != polder.NotFound {
		return nil, err // an organisation that is no member any more, or a fault
	}
	c := in.sh.member.Community.ID
	held, err := s.journal.History(s.db.Read(), c, []string{w.Target})
	if err != nil {
		return nil, err
	}
	for _, d := range held[w.Target] {
		if d.Kind == journal.Object && d.Version != "" && d.Reached.Contains(me) {
			if in.members[d.Custodian] && d.Custodian != me {
				return []polder.OrgID{d.Custodian}, nil
			}
			return nil, nil
		}
	}
	return nil, nil
}

// proposals finds out for whom the definition is that travels with proposals.
func (in *accepting) proposals(ctx context.Context, batch []Handed) error {
	in.defined = map[polder.OrgID][]polder.OrgID{}
	for _, h := range batch {
		if h.Everyone || len(h.To) != 1 || in.members[h.To[0]] || !bytes.Contains(h.Raw, []byte(proposalExtension)) {
			continue
		}
		o, err := stix.Parse(h.Raw)
		if err != nil || o.ID == proposalExtension {
			continue // refused by its own verdict
		}
		to, err := in.decides(ctx, o, h)
		if err != nil {
			return err
		}
		for _, o := range to {
			if !slices.Contains(in.defined[h.To[0]], o) {
				in.defined[h.To[0]] = append(in.defined[h.To[0]], o)
			}
		}
	}
	return nil
}
