package exchange

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// arrival is one handed delivery, checked by itself.
type arrival struct {
	handed Handed
	cand   candidate
	share  policy.Share // without whose it is, and for whom
	found  Signature
	err    error // why it is refused
	wait   bool  // it may be taken later: what is missing to judge it may still come
	only   bool  // it is in another's name, and taken only where exactly it is held
	gone   bool  // it was withdrawn, and a restored home hands it over again
}

// inspect checks every delivery of a batch by itself, on all cores: this is most of the work, and needs no transaction.
// An error is this node's own.
func (t *taking) inspect(ctx context.Context, batch []Handed) ([]arrival, error) {
	return inspectAll(batch, func(h *Handed) (arrival, error) { return t.inspectOne(ctx, h) })
}

func inspectAll(batch []Handed, one func(h *Handed) (arrival, error)) ([]arrival, error) {
	out := make([]arrival, len(batch))
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(batch)) {
		all.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(batch) {
					return
				}
				var err error
				if out[i], err = one(&batch[i]); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return out, nil
}

func (t *taking) inspectOne(ctx context.Context, h *Handed) (a arrival, err error) {
	a.handed = *h
	if _, ours := t.mirrors[h.Community]; !ours {
		a.err = polder.Errorf(polder.Forbidden, "community: %.60q is none that the peer delivers to this organisation", h.Community)
		return a, nil
	}
	if h.Kind == journal.Withdrawn {
		if !stix.ValidID(h.ID) {
			a.err = polder.Errorf(polder.Invalid, "id: %.100q is not a STIX id", h.ID)
		}
		return a, nil
	}
	if a.cand, a.err = opened(h, t.from.Most); a.err == nil {
		a.share, a.err = a.cand.share("", nil)
	}
	if a.err != nil {
		return a, nil
	}
	h.Parsed = &a.cand.object
	a.handed.Parsed = h.Parsed
	if a.err = t.addressed(h); a.err != nil {
		return a, nil
	}
	if err := a.judge(ctx, t.s, h.Seq); err != nil || a.err != nil {
		return a, err
	}
	a.err = t.names(&a)
	return a, nil
}

// opened reads the object of a handed delivery, and holds its level against the mark in its bytes: the original marking
// wins, and a claim may only be stricter.
func opened(h *Handed, most stix.Marking) (c candidate, err error) {
	if h.Kind != journal.Object {
		return c, polder.Errorf(polder.Invalid, "kind: %d is none that this node knows", h.Kind)
	}
	if stix.IsSTIX20(h.Raw) {
		return c, polder.Errorf(polder.Invalid, "spec_version: this is STIX 2.0; nodes exchange STIX 2.1")
	}
	c = candidate{Incoming: Incoming{Raw: h.Raw}, level: h.Level}
	if c.object, err = checked(h.Raw); err != nil {
		return c, polder.Errorf(polder.Invalid, "%w", err)
	}
	if c.object.ID != h.ID {
		return c, polder.Errorf(polder.Invalid, "id: the delivery says %.100q, the object %s", h.ID, c.object.ID)
	}
	mark, err := c.object.Level()
	switch {
	case err != nil:
		return c, polder.Errorf(polder.Invalid, "%w", err)
	case h.Level < stix.Clear || h.Level > stix.Red:
		return c, polder.Errorf(polder.Invalid, "level: the delivery claims none")
	case h.Level.Wider(mark) && !fail.Bug("marking-widened"):
		return c, polder.Errorf(polder.Forbidden, "marking widened: the delivery claims %s, and the object is marked %s; the original marking wins", h.Level.Label(), mark.Label())
	case most.Wider(h.Level) && !fail.Bug("taken-unconfirmed"):
		return c, polder.Errorf(polder.Forbidden, "level: %s is stricter than %s, the strictest that passes here until a person confirms the peer's fingerprint", h.Level.Label(), most.Label())
	}
	return c, nil
}

// addressed: a delivery is for everybody, or for the organisation of the link; red names its readers.
func (t *taking) addressed(h *Handed) error {
	switch {
	case h.Everyone && len(h.To) == 0 && h.Level == stix.Red:
		return polder.Errorf(polder.Forbidden, "to: TLP:RED names its readers, and this is for everybody")
	case h.Everyone && len(h.To) == 0 || h.Mine:
		return nil
	}
	for _, o := range h.To {
		if o == t.from.Org {
			return nil
		}
	}
	return polder.Errorf(polder.Forbidden, "to: it is not for the organisation to which the peer delivers")
}

// judge asks what the signature is worth. An error is this node's own.
func (a *arrival) judge(ctx context.Context, s *Service, at polder.Seq) (err error) {
	if s.sign == nil {
		return nil
	}
	if a.found, err = s.sign.Check(ctx, a.handed.Community, a.cand.object, at); err != nil || a.found.State.Accepted() || fail.Bug("taken-unsigned") {
		return err
	}
	a.wait = a.found.State == SignatureMissing || a.found.State == SignatureUnknown
	a.err = polder.Errorf(polder.Forbidden, "signature: %s", a.found.Reason)
	return nil
}

// names: whose identity it is, and in whose name it stands (X13). A blind identity, and what stands for an organisation of
// another node, comes from the home of the community alone; what bears the name of an organisation of this node comes
// back as it left, and is otherwise taken only where exactly it is held.
func (t *taking) names(a *arrival) error {
	o, h := a.cand.object, a.handed
	id, creator := polder.OrgID(o.ID), polder.OrgID(o.CreatedByRef)
	if of, blind := t.blinds[id]; blind && of != h.Community {
		return polder.Errorf(polder.Forbidden, "id: this identity stands for a member of another community")
	}
	if _, node := t.homes[id]; node && id != t.from.Peer {
		return polder.Errorf(polder.Forbidden, "id: this identity stands for another node")
	}
	if home, known := t.orgs[id]; known {
		switch {
		case home == "" && !t.own(a, id):
			a.only = true
		case home != "" && home != t.from.Peer && !t.belongs[h.Community][id]:
			return polder.Errorf(polder.Forbidden, "id: this identity stands for an organisation of another node, and does not belong to this community")
		}
	}
	if home, known := t.orgs[creator]; known && home == "" && !t.own(a, creator) {
		a.only = true
	}
	return nil
}

// own tells whether what bears the name of a local organisation is that one's: it carries its signature, or it is of a
// kind that nobody signs and the home says that the organisation of the link shared it. The home's word alone is not
// enough for what would have left here signed.
func (t *taking) own(a *arrival, org polder.OrgID) bool {
	signed := a.found.Signer == string(org) && (a.found.State == SignatureValid || a.found.State == SignatureEarlier)
	o := a.cand.object
	signs := t.s.sign != nil && !o.IsObservable() && o.Type != "extension-definition" && !stix.IsStandardMarking(o.ID)
	return signed || !signs && a.handed.Mine && t.from.Org == org
}
