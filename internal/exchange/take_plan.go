package exchange

import (
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// plan decides what an object comes to and adds it to what is pending. The rules are those of a share (see package
// policy), looked at from the organisation to which the peer delivers; who holds custody is the home's to say.
func (t *taking) plan(a *arrival) (string, error) {
	p := t.plans[t.open]
	id := a.handed.ID
	history := p.history[id]
	if err := p.detail(history); err != nil {
		return "", err
	}
	owner := t.owner(a)
	share := a.share
	share.By = t.viewer(a)
	share.To = t.to(a, share.By)
	if err := t.fits(a); err != nil {
		return "", err
	}
	if len(history) > 0 {
		var err error
		if share.BareDigest, err = a.cand.object.DigestWithoutLevel(); err != nil {
			return "", polder.Errorf(polder.Invalid, "%w", err)
		}
	}
	view, yields := t.view(history, share, owner)
	out, err := policy.Plan(view, share)
	if err != nil {
		return "", err
	}
	if out.Held {
		if err := p.notWiderThanHeld(a.cand, out.HeldAs); err != nil {
			return "", err
		}
	}
	if !out.Append {
		return stateDuplicate, nil
	}
	if err := t.stands(p, a, share.Version, share.Digest); err != nil {
		return "", err
	}
	if !out.Held {
		if err := t.keptOut(a, share.Version, share.Digest); err != nil {
			return "", err
		}
	}
	if a.only {
		return "", polder.Errorf(polder.Forbidden, "created_by_ref: bears the name of an organisation of this node, which did not share it so")
	}
	if yields != 0 {
		if err := t.yield(p, id, yields, owner); err != nil {
			return "", err
		}
	}
	t.put(p, a, share, out, owner)
	return stateStored, nil
}

// stands refuses what is given back and was withdrawn here: a signature says who made it, and not that it still stands.
func (t *taking) stands(p *plan, a *arrival, version string, digest [32]byte) error {
	if !t.individual {
		return nil
	}
	gone, err := t.s.journal.Withdrew(t.tx, p.community, a.handed.ID, version, digest)
	if err == nil && gone {
		err = polder.Errorf(polder.Forbidden, "id: this version was withdrawn here; only who shared it shares it again")
	}
	return err
}

// owner is who gets custody of a line that begins with a.
func (t *taking) owner(a *arrival) polder.OrgID {
	switch {
	case t.individual:
		return polder.OrgID(a.found.Signer)
	case a.handed.Mine:
		return t.from.Org
	}
	return t.from.Peer
}

// viewer is from whose sight a is planned.
func (t *taking) viewer(a *arrival) polder.OrgID {
	if t.individual {
		return polder.OrgID(a.found.Signer)
	}
	return t.from.Org
}

func (t *taking) to(a *arrival, viewer polder.OrgID) []polder.OrgID {
	h := a.handed
	switch {
	case h.Everyone && len(h.To) == 0:
		return nil
	case t.individual:
		return []polder.OrgID{t.from.Org, viewer}
	case h.Mine:
		return append(slices.Clone(h.To), viewer)
	}
	return []polder.OrgID{viewer}
}

// fits: one signer for an id, also within a batch and the one before; what was stored earlier, [Signatures.Check] has
// looked at.
func (t *taking) fits(a *arrival) error {
	if a.found.Signer == "" || a.cand.object.IsObservable() {
		return nil
	}
	key := signedID{a.handed.Community, a.handed.ID}
	first, ok := t.signers[key]
	if !ok && t.before != nil {
		first, ok = t.before.signers[key]
	}
	if ok && first != a.found.Signer {
		return polder.Errorf(polder.Forbidden, "signature: its id was first signed by another, who alone adds versions to it")
	}
	return nil
}

// view is the history as policy should see it: where custody is the owner's, or the peer's, the viewer stands in for it.
// yields is a line whose custody goes to the owner if the share is taken: its custodian here adds no version that the
// home says is another's.
func (t *taking) view(history []policy.Delivery, s policy.Share, owner polder.OrgID) (view []policy.Delivery, yields int64) {
	if len(history) == 0 {
		return nil, 0
	}
	view = slices.Clone(history)
	if s.Observable() {
		for i := range view {
			if view[i].Sharer == owner {
				view[i].Sharer = s.By
			}
		}
		return view, 0
	}
	seen := slices.IndexFunc(history, func(d policy.Delivery) bool { return d.Reached.Contains(s.By) })
	if seen < 0 {
		return view, 0
	}
	line, holder := history[seen].Line, history[seen].Custodian
	held := slices.ContainsFunc(history, func(d policy.Delivery) bool { return d.Line == line && d.Version == s.Version })
	if holder != owner && holder != t.from.Peer {
		if held || t.individual {
			return view, 0
		}
		yields = line
	}
	for i := range view {
		if view[i].Line == line {
			view[i].Custodian = s.By
		}
	}
	return view, yields
}

// yield gives custody of a line to another: of what is held, and of what is pending.
func (t *taking) yield(p *plan, id string, line int64, to polder.OrgID) error {
	for i := range p.history[id] {
		if p.history[id][i].Line == line {
			p.history[id][i].Custodian = to
		}
	}
	for i := range p.batch {
		if p.batch[i].ID == id && p.batch[i].Line == line {
			p.batch[i].Custodian = to
		}
	}
	if line < 0 {
		return nil
	}
	return t.s.journal.SetCustodian(t.tx, p.community, id, line, to)
}

// put notes the delivery, whose it is, and who signed it.
func (t *taking) put(p *plan, a *arrival, share policy.Share, out policy.Outcome, owner polder.OrgID) {
	p.append(a.cand, share, out)
	n := len(p.batch)
	d, h := &p.batch[n-1], &p.history[a.handed.ID][len(p.history[a.handed.ID])-1]
	d.Sharer, h.Sharer = owner, owner
	if out.Line == 0 {
		d.Custodian, h.Custodian = owner, owner
	}
	if a.handed.Mine && !t.individual {
		t.echoes = append(t.echoes, -polder.Seq(n))
	}
	if a.found.Signer != "" && !a.cand.object.IsObservable() {
		key := signedID{a.handed.Community, a.handed.ID}
		t.signers[key] = a.found.Signer
		t.bound = append(t.bound, boundHere{key, a.found})
	}
}

// statedVersion is a version's text as the journal sorts it.
func statedVersion(text string) (string, error) {
	at, err := stix.ParseTimestamp(text)
	if err != nil {
		return "", polder.Errorf(polder.Invalid, "version: %.60q is not a timestamp", text)
	}
	return sortable(at.Instant()), nil
}
