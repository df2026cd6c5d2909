package exchange

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// elsewhere is what the sharer sees of these ids in its other communities.
func (sh *sharing) elsewhere(ctx context.Context, ids []string) (map[string][]journal.Delivery, error) {
	sight, err := sh.s.Sight(ctx, sh.actor)
	if err != nil {
		return nil, err
	}
	sight.Communities = slices.DeleteFunc(sight.Communities, func(c polder.CommunityID) bool { return c == sh.member.Community.ID })
	if len(sight.Communities) == 0 {
		return nil, nil
	}
	page, err := sh.s.journal.Page(ctx, sight, journal.Query{IDs: ids, All: true, NoBodies: true, Limit: 1 << 20})
	out := map[string][]journal.Delivery{}
	for _, d := range page.Deliveries {
		out[d.ID] = append(out[d.ID], d)
	}
	return out, err
}

// rights checks that the sharer may bring this object here: in whose name it is (X13), and where it comes from (X7).
func (p *plan) rights(c candidate, history []policy.Delivery) error {
	digest, err := c.object.Digest()
	if err != nil {
		return polder.Errorf(polder.Invalid, "%w", err)
	}
	me := p.sh.actor.Org
	seenHere := slices.ContainsFunc(history, func(d policy.Delivery) bool { return d.Reached.Contains(me) && d.Digest == digest })
	if seenHere {
		return nil
	}
	creator := c.object.CreatedByRef
	if !c.Made && p.sh.orgs[creator] && creator != string(me) && !(c.handed && creator == p.sh.creator) && !p.mayName(c, digest, history) {
		return polder.Errorf(polder.Forbidden, "created_by_ref: names another organisation of this node; share it in your own name, or exactly a version that you received")
	}
	return p.onward(c, digest)
}

// mayName: another's name stands only in exactly a version that the sharer may read, or in further versions of what it
// shared blind itself.
func (p *plan) mayName(c candidate, digest [32]byte, history []policy.Delivery) bool {
	me := p.sh.actor.Org
	for _, d := range p.elsewhere[c.object.ID] {
		if d.Digest == digest {
			return true
		}
	}
	return slices.ContainsFunc(history, func(d policy.Delivery) bool {
		return d.Reached.Contains(me) && d.Custodian == me && d.CreatedBy == polder.OrgID(c.object.CreatedByRef)
	})
}

// onward: what the sharer only reads in another community goes on to this one if it is GREEN or CLEAR there.
// An observable is anybody's: only exactly the same record is held to that.
func (p *plan) onward(c candidate, digest [32]byte) error {
	widest := stix.None
	for _, d := range p.elsewhere[c.object.ID] {
		if d.Sharer == p.sh.actor.Org || d.Custodian == p.sh.actor.Org {
			return nil
		}
		if c.object.IsObservable() && d.Digest != digest {
			continue
		}
		if widest == stix.None || d.Level.Wider(widest) {
			widest = d.Level
		}
	}
	if widest > stix.Green {
		return polder.Errorf(polder.Forbidden, "object_marking_refs: you read this object as %s in another community; only TLP:GREEN and TLP:CLEAR go on to further communities, so ask there", widest.Label())
	}
	return nil
}

// settle gives what Polder made the version it has here: the one that is held when nothing else changed, else a new
// one that keeps the first one's created.
func (p *plan) settle(c candidate, history []policy.Delivery) (candidate, error) {
	if c.from20 {
		return p.settleOld(c, history)
	}
	if !c.Made || c.object.IsObservable() {
		return c, nil
	}
	var last *policy.Delivery
	for i, d := range history {
		if d.Custodian == p.sh.actor.Org && d.Reached.Contains(p.sh.actor.Org) && (last == nil || d.Version > last.Version) {
			last = &history[i]
		}
	}
	if last == nil || p.rows[last.Seq].Raw == nil {
		return c, nil
	}
	held, err := stix.Parse(p.rows[last.Seq].Raw)
	if err != nil {
		return c, err
	}
	same, err := sameSubstance(held, c.object)
	if err != nil {
		return c, err
	}
	if same {
		c.object = held
		return c, nil
	}
	if c.object, err = c.object.WithCreated(held.Created.Text); err != nil {
		return c, polder.Errorf(polder.Conflict, "modified: is older than the first version that is held, of %s", held.Created.Text)
	}
	if sortable(c.object.Version()) > last.Version || p.sh.s.now().Sub(c.object.Modified.Time) > time.Second {
		return c, nil
	}
	// Versions made here within one millisecond follow each other by a millisecond.
	c.object, err = c.object.WithModified(stix.FormatTime(held.Modified.Time.Truncate(time.Millisecond).Add(time.Millisecond)))
	return c, err
}

// settleOld: what came as STIX 2.0 is the version that is held as 2.1 under the same id and modified (X16), whatever
// the conversion made of the rest.
func (p *plan) settleOld(c candidate, history []policy.Delivery) (candidate, error) {
	for _, d := range history {
		if !d.Reached.Contains(p.sh.actor.Org) || d.Version != sortable(c.object.Version()) || p.rows[d.Seq].Raw == nil {
			continue
		}
		held, err := stix.Parse(p.rows[d.Seq].Raw)
		if err != nil {
			return c, err
		}
		c.object = held
		mark, err := held.Level()
		c.level = max(c.level, mark)
		return c, err
	}
	return c, nil
}

// sameSubstance compares two objects but for the times that say when they were made here, and their signatures.
func sameSubstance(a, b stix.Object) (bool, error) {
	var forms [2]string
	for i, o := range []stix.Object{a, b} {
		raw, err := o.SignedBytes()
		if err != nil {
			return false, err
		}
		var m map[string]json.RawMessage
		if err := json.Unmarshal(raw, &m); err != nil {
			return false, err
		}
		if string(m["valid_from"]) == string(m["created"]) || string(m["valid_from"]) == string(m["modified"]) {
			delete(m, "valid_from")
		}
		delete(m, "created")
		delete(m, "modified")
		plain, err := json.Marshal(m)
		if err != nil {
			return false, err
		}
		form, err := stix.Canonical(plain)
		if err != nil {
			return false, err
		}
		forms[i] = string(form)
	}
	return forms[0] == forms[1], nil
}
