package exchange

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// Regain takes back, on a node that was restored from a backup, what it had handed to a member before and lacks now: a is
// who offers it, in a community that lives here. Only what carries a valid signature is taken, and it stands for who
// signed it: an organisation that belongs to the community, or a pseudonym of it. Who offers cannot widen what it got:
// beyond CLEAR and GREEN, which it may pass on anyway, a delivery is taken for the signer and for who offers it, so that
// every member that has it and offers it gets it again. What does not verify, and withdrawals, which nobody signs, are
// quarantined in their verdicts. and runs in the transaction that stores.
func (s *Service) Regain(ctx context.Context, a polder.Actor, c polder.CommunityID, batch []Handed, and func(tx *db.Tx) error) ([]Verdict, error) {
	if len(batch) > Batch {
		return nil, polder.Errorf(polder.Invalid, "a node hands over at most %d deliveries at a time, not %d", Batch, len(batch))
	}
	m, err := s.membership(ctx, a, string(c))
	if err != nil {
		return nil, err
	}
	if m.Mirrored() {
		return nil, polder.Errorf(polder.Forbidden, "community %s does not live here; its home takes back what it lost", m.Alias)
	}
	g, err := newGround(ctx, s.accounts)
	if err != nil {
		return nil, err
	}
	if err := g.mirror(ctx, s.accounts, m); err != nil {
		return nil, err
	}
	t := &taking{ground: g, s: s, from: Origin{Org: a.Org, Community: c, Most: stix.Red}, individual: true}
	arrivals, err := inspectAll(slices.Clone(batch), func(h *Handed) (arrival, error) { return t.inspectReturned(ctx, h) })
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if _, _, err := s.again(tx, a, c); err != nil {
			return err
		}
		if err := t.begin(tx, len(batch)); err != nil {
			return err
		}
		if err := t.store(arrivals); err != nil || and == nil {
			return err
		}
		return and(tx)
	})
	for i := range t.verdicts {
		if t.verdicts[i].State == stateRefused {
			t.verdicts[i].State = stateQuarantined
		}
	}
	return t.verdicts, err
}

func (t *taking) inspectReturned(ctx context.Context, h *Handed) (arrival, error) {
	h.Mine = false
	if h.Level > stix.Green || len(h.To) > 0 {
		h.Everyone, h.To = false, []polder.OrgID{t.from.Org}
	}
	if h.Kind == journal.Withdrawn {
		return arrival{handed: *h, err: polder.Errorf(polder.Forbidden, "kind: nobody signs a withdrawal, so none is taken back")}, nil
	}
	a, err := t.inspectOne(ctx, h)
	a.wait = false
	if err != nil || a.err != nil {
		return a, err
	}
	signer := polder.OrgID(a.found.Signer)
	of, blind := t.blinds[polder.OrgID(a.cand.object.CreatedByRef)]
	switch {
	case signer == "" || a.found.State != SignatureValid && a.found.State != SignatureEarlier:
		a.err = polder.Errorf(polder.Forbidden, "signature: only what carries a valid one is taken back")
	case blind && of != h.Community:
		a.err = polder.Errorf(polder.Forbidden, "created_by_ref: it was shared as a member of another community")
	case !blind && !t.belongs[h.Community][signer]:
		a.err = polder.Errorf(polder.Forbidden, "signature: its signer does not belong to this community now")
	}
	return a, nil
}
