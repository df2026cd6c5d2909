package exchange

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// Accept brings what a member's node pushes into the community whose home this node is, as a: by the rules of a share,
// object by object. A delivery that breaks one is refused, named in its verdict, and stands in no other's way; what is held already is a duplicate, and a withdrawal is obeyed
// once. A verdict says whether the sharer is the custodian of the id here: false only where another is. An error is about
// the batch as a whole: the right of a to share has ended, or a fault of this node; then nothing is stored. and runs in
// the transaction that stores.
func (s *Service) Accept(ctx context.Context, a polder.Actor, c polder.CommunityID, batch []Handed, and func(tx *db.Tx) error) ([]Verdict, error) {
	if len(batch) > Batch {
		return nil, polder.Errorf(polder.Invalid, "a node hands over at most %d deliveries at a time, not %d", Batch, len(batch))
	}
	sh, err := s.begin(ctx, a, Request{Community: string(c), Bytes: true, Partial: true})
	if err != nil {
		return nil, err
	}
	if sh.member.Mirrored() {
		return nil, polder.Errorf(polder.Forbidden, "community %s does not live here; share it with its home", sh.member.Alias)
	}
	members, err := s.members(ctx, c)
	if err != nil {
		return nil, err
	}
	in := &accepting{sh: sh, members: map[polder.OrgID]bool{}}
	for _, m := range members {
		in.members[m.Org] = true
	}
	if err := in.proposals(ctx, batch); err != nil {
		return nil, err
	}
	arrivals, err := inspectAll(batch, func(h *Handed) (arrival, error) { return in.inspect(ctx, h) })
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := sh.still(tx); err != nil {
			return err
		}
		in.verdicts = make([]Verdict, 0, len(batch))
		if err := in.store(ctx, tx, arrivals); err != nil || and == nil {
			return err
		}
		return and(tx)
	})
	return in.verdicts, err
}

// accepting is one batch under way from a member's node to the home.
type accepting struct {
	sh       *sharing
	members  map[polder.OrgID]bool
	defined  map[polder.OrgID][]polder.OrgID // for whom the definition of proposals is, by whom the batch names
	verdicts []Verdict
}

// inspect checks a delivery by itself. The level that it claims counts as a share's own: stricter than the mark narrows.
func (in *accepting) inspect(ctx context.Context, h *Handed) (a arrival, err error) {
	a.handed = *h
	if h.Community != in.sh.member.Community.ID {
		a.err = polder.Errorf(polder.Forbidden, "community: %.60q is not the one into which this batch goes", h.Community)
		return a, nil
	}
	if h.Kind == journal.Withdrawn {
		if !stix.ValidID(h.ID) {
			a.err = polder.Errorf(polder.Invalid, "id: %.100q is not a STIX id", h.ID)
		}
		return a, nil
	}
	if a.cand, a.err = opened(h, stix.Red); a.err == nil {
		a.err = in.allows(ctx, &a)
	}
	if a.err == nil {
		a.share, a.err = a.cand.share("", nil)
	}
	if a.err != nil {
		return a, nil
	}
	err = a.judge(ctx, in.sh.s, 0)
	a.cand.found = a.found
	return a, err
}

// allows holds a delivery against what needs no other object: level, whose identity it is, whom it names.
func (in *accepting) allows(ctx context.Context, a *arrival) error {
	c, h := &a.cand, a.handed
	given := in.sh.given
	given.Level = h.Level
	level, _, err := policy.Level(c.object, given)
	if err != nil {
		return err
	}
	c.level, c.handed = level, true
	if c.object.ID != in.sh.creator {
		if err := in.sh.identityRule(*c); err != nil {
			return err
		}
	}
	switch {
	case h.Everyone && len(h.To) == 0 && level == stix.Red:
		return polder.Errorf(polder.Forbidden, "to: TLP:RED names its readers, and this is for everybody")
	case h.Everyone && len(h.To) == 0:
		return nil
	}
	for _, o := range h.To {
		if in.members[o] && o != in.sh.actor.Org && !slices.Contains(c.to, o) {
			c.to = append(c.to, o)
		}
	}
	if len(c.to) == 0 {
		if c.to, err = in.decides(ctx, c.object, h); err != nil {
			return err
		}
	}
	if len(c.to) == 0 {
		return polder.Errorf(polder.Invalid, "to: it names nobody who is a member of %s now", in.sh.member.Alias)
	}
	return nil
}

// store shares the batch in its order, each withdrawal behind what came before it.
func (in *accepting) store(ctx context.Context, tx *db.Tx, arrivals []arrival) error {
	for len(arrivals) > 0 {
		n := slices.IndexFunc(arrivals, func(a arrival) bool { return a.handed.Kind == journal.Withdrawn })
		if n == 0 {
			if err := in.withdraw(tx, &arrivals[0]); err != nil {
				return err
			}
			arrivals = arrivals[1:]
			continue
		}
		if n < 0 {
			n = len(arrivals)
		}
		if err := in.share(ctx, tx, arrivals[:n]); err != nil {
			return err
		}
		arrivals = arrivals[n:]
	}
	return nil
}

// share shares a run of objects.
func (in *accepting) share(ctx context.Context, tx *db.Tx, run []arrival) error {
	p := &plan{sh: in.sh, community: in.sh.member.Community.ID, history: map[string][]policy.Delivery{}, rows: map[polder.Seq]journal.Delivery{}}
	var chunk []candidate
	for _, a := range run {
		if a.err == nil {
			chunk = append(chunk, a.cand)
		}
	}
	if len(chunk) > 0 {
		if err := p.load(ctx, tx, chunk); err != nil {
			return err
		}
		if err := p.introduce(ctx, chunk); err != nil {
			return err
		}
		p.stored, p.duplicates, p.items = 0, 0, nil // introductions are not the sharer's objects
	}
	for i := range run {
		if err := in.one(ctx, p, &run[i]); err != nil {
			return err
		}
	}
	return p.write(tx)
}

func (in *accepting) one(ctx context.Context, p *plan, a *arrival) error {
	v := Verdict{Seq: a.handed.Seq, ID: a.handed.ID, State: stateDuplicate}
	before, err := p.stored, a.err
	if err == nil {
		err = in.take(ctx, p, a)
	}
	switch {
	case err != nil && !isRefusal(err):
		return err
	case err != nil:
		in.refuse(p, a, v, err)
		return nil
	case p.stored > before:
		v.State = stateStored
	}
	v.Custodian = in.custodian(p, a)
	in.verdicts = append(in.verdicts, v)
	return nil
}

// take shares one object. The identity that stands for "a member" is the node's own, whoever brings it.
func (in *accepting) take(ctx context.Context, p *plan, a *arrival) error {
	if a.cand.object.ID != in.sh.creator {
		return p.take(ctx, a.cand)
	}
	raw, err := in.sh.s.accounts.BlindObject(ctx, in.sh.member.Community.ID)
	if err != nil {
		return err
	}
	own, err := stix.Parse(raw)
	if err != nil {
		return err
	}
	digest, err := own.Digest()
	if err != nil {
		return err
	}
	if digest != a.share.Digest {
		return polder.Errorf(polder.Forbidden, "id: the identity that stands for a member is the community's, and differs from this")
	}
	c := candidate{object: own, level: stix.Clear, index: a.cand.index}
	to := a.cand.to
	if len(to) > 0 {
		to = append(slices.Clone(to), in.sh.actor.Org)
	}
	share, err := c.share("", to)
	if err != nil {
		return err
	}
	return p.put(ctx, c, share)
}

func (in *accepting) refuse(p *plan, a *arrival, v Verdict, why error) {
	v.State, v.Reason, v.Custodian = stateRefused, why.Error(), in.custodian(p, a)
	if a.wait {
		v.State = stateQuarantined
	}
	in.verdicts = append(in.verdicts, v)
}

// custodian tells whether nobody else is custodian of what the sharer sees of an id.
func (in *accepting) custodian(p *plan, a *arrival) bool {
	me := in.sh.actor.Org
	if a.handed.ID == in.sh.creator {
		return true // the node's own, and nobody's
	}
	for _, d := range p.history[a.handed.ID] {
		if d.Version != "" && d.Reached.Contains(me) {
			return d.Custodian == me
		}
	}
	return true
}

// Custodian tells of ids in a community that lives here whether nobody but org is custodian of what it sees of them, as
// the verdicts of [Service.Accept] do; for what was taken before and is asked about again.
func (s *Service) Custodian(ctx context.Context, org polder.OrgID, c polder.CommunityID, ids []string) (map[string]bool, error) {
	com, err := s.accounts.Community(ctx, string(c))
	if err != nil {
		return nil, err
	}
	held, err := s.journal.History(s.db.Read(), c, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		i := slices.IndexFunc(held[id], func(d journal.Delivery) bool { return d.Version != "" && d.Reached.Contains(org) })
		out[id] = i < 0 || held[id][i].Custodian == org || id == string(com.Blind)
	}
	return out, nil
}

// withdraw withdraws as the sharer: what it may withdraw here, and erases where it may. What is gone already is no error.
func (in *accepting) withdraw(tx *db.Tx, a *arrival) error {
	h, m := a.handed, in.sh.member
	v := Verdict{Seq: h.Seq, ID: h.ID, State: stateWithdrawn, Custodian: true}
	err := a.err
	if err == nil {
		err = in.obey(tx, h, m)
	}
	if err != nil && !isRefusal(err) {
		return err
	}
	if err != nil && polder.KindOf(err) != polder.NotFound {
		v.State, v.Reason = stateRefused, err.Error()
	}
	in.verdicts = append(in.verdicts, v)
	return nil
}

func (in *accepting) obey(tx *db.Tx, h Handed, m polder.Membership) error {
	which, err := whichOf(h)
	if err != nil {
		return err
	}
	done, err := obeyed(tx, in.sh.actor.Org, h.Seq)
	if err != nil || done {
		return err
	}
	steward := m.Right(in.sh.actor) >= polder.RoleSteward
	_, err = in.sh.s.withdraw(tx, in.sh.actor, m, Withdrawal{ID: h.ID, Erase: h.Erased && steward, which: which})
	return err
}

// handedTo is whom objects that were handed over are for, together; nobody named is everybody.
func handedTo(cs []candidate) (to []polder.OrgID) {
	for _, c := range cs {
		if len(c.to) == 0 {
			return nil
		}
		for _, o := range c.to {
			if !slices.Contains(to, o) {
				to = append(to, o)
			}
		}
	}
	return to
}

// find keeps what fits.
func find[T any](all []T, fits func(T) bool) (out []T) {
	for _, x := range all {
		if fits(x) {
			out = append(out, x)
		}
	}
	return out
}
