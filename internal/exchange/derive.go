package exchange

import (
	"context"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// This file makes another object of one of which something was taken out (STIX 2.1, part 3.6): it has an id of its own,
// the sharer or the community's blind identity as its creator, and a relationship "derived-from" to what it was made of.
//
// The relationship names the id of the stricter object, so it is marked as strict as that one, and goes only to those
// among the readers of the derived object to whom the other was given in this community; where there are none, or where
// its mark is beyond what the organisation lets out, it stays with the sharer.

// withoutParts takes the properties out that are marked stricter than the level asked for, and prepares what is left.
func (sh *sharing) withoutParts(in Incoming, index int) (candidate, error) {
	if sh.request.Derive == stix.None || in.Err != nil {
		return prepare(in, index, sh.given, sh.creator)
	}
	c := candidate{Incoming: in, index: index}
	raw := in.Raw
	if stix.IsSTIX20(raw) {
		var err error
		if raw, err = stix.Upgrade20(raw); err != nil {
			return c, polder.Errorf(polder.Invalid, "%w", err)
		}
	}
	o, err := checked(raw)
	if err != nil {
		return c, polder.Errorf(polder.Invalid, "%w", err)
	}
	c.object = o
	left, changes, err := release.Parts(o, sh.request.Derive)
	if err != nil {
		return c, polder.Errorf(polder.Invalid, "%w", err)
	}
	if len(changes) == 0 {
		return prepare(in, index, sh.given, sh.creator)
	}
	if err := sh.identityRule(c); err != nil {
		return c, err
	}
	given := sh.given
	given.By = polder.OrgID(left.CreatedByRef) // whose it was does not matter to what is made of it
	out, err := prepare(Incoming{Raw: left.Raw(), Where: in.Where}, index, given, sh.creator)
	out.changes, out.origin = changes, &o
	return out, err
}

// becomesAnother tells whether what was changed can keep its id: it can when it is the sharer's own, or made here, and
// nobody has this version with other content.
func (sh *sharing) becomesAnother(r released, h holding) bool {
	o := r.now.object
	if o.IsObservable() {
		return false // without versions and owners: what says something else is a record of its own (X15)
	}
	mine := r.was.Made || r.was.object.CreatedByRef == "" || r.was.object.CreatedByRef == string(sh.actor.Org)
	digest, err := o.Digest()
	if err != nil {
		return true
	}
	for _, d := range h.here[o.ID] {
		before, err := stix.Parse(d.Raw)
		if err == nil && before.CreatedByRef != o.CreatedByRef {
			return true // a creator never changes
		}
	}
	for _, d := range slices.Concat(h.here[o.ID], h.elsewhere[o.ID]) {
		mine = mine || d.Custodian == sh.actor.Org && r.was.object.CreatedByRef == string(sh.member.Blind)
		if d.Version == sortable(o.Version()) && d.Digest != digest {
			return true
		}
		if d.Custodian != sh.actor.Org {
			return true
		}
	}
	return !mine
}

// another makes an object of its own of what is left of origin, and the relationship between them.
func (sh *sharing) another(ctx context.Context, c candidate, origin stix.Object, h holding) ([]candidate, error) {
	if origin.IsMarkingFree() {
		return nil, polder.Errorf(polder.Forbidden, "%s: a %s that somebody else made cannot be changed, and others go by its id; share it as it is, or not", c.changes[0].Path, origin.Type)
	}
	at := stix.FormatTime(sh.s.now().Truncate(time.Millisecond))
	id := sh.s.keyedID(origin.Type, sh.actor.Org, sh.member.Community.ID, "derived "+sh.request.Derive.String()+" "+origin.ID)
	if origin.IsObservable() {
		if made, err := stix.ObservableID(c.object.Raw()); err == nil {
			id = made
		}
	}
	raw, err := release.Anew(c.object, id, at)
	if err != nil {
		return nil, err
	}
	if c.object, err = checked(raw); err != nil {
		return nil, polder.Errorf(polder.Invalid, "%w", err)
	}
	if !origin.IsObservable() {
		if c.object, err = c.object.WithCreator(sh.creator); err != nil {
			return nil, err
		}
	}
	c.Made, c.from20, c.origin, c.found = true, false, &origin, Signature{}
	if id == origin.ID {
		c.origin = nil // an observable that says the same without what was taken out
		return []candidate{c}, nil
	}
	link, err := sh.derivedFrom(ctx, c, origin, at, h)
	return []candidate{c, link}, err
}

// derivedFrom is the relationship from what was made to what it was made of.
func (sh *sharing) derivedFrom(ctx context.Context, c candidate, origin stix.Object, at string, h holding) (candidate, error) {
	level, err := origin.Level()
	if err != nil {
		level = stix.Red
	}
	level = max(level, c.level)
	for _, d := range slices.Concat(h.here[origin.ID], h.elsewhere[origin.ID]) {
		level = max(level, d.Level)
	}
	o, err := stix.Make("relationship", func(m *stix.Members) {
		m.Set("id", sh.s.keyedID("relationship", sh.actor.Org, sh.member.Community.ID, "derived-from "+c.object.ID+" "+origin.ID))
		m.Set("created_by_ref", sh.creator)
		m.Set("created", at)
		m.Set("modified", at)
		m.Set("relationship_type", "derived-from")
		m.Set("source_ref", c.object.ID)
		m.Set("target_ref", origin.ID)
		m.Set("object_marking_refs", []string{level.ID()})
	})
	if err != nil {
		return candidate{}, polder.Errorf(polder.Invalid, "%w", err)
	}
	link := candidate{Incoming: Incoming{Raw: o.Raw(), Where: c.Where, Made: true}, index: c.index, object: o, level: level}
	link.named, err = sh.readersOf(ctx, h.here[origin.ID], c, level)
	return link, err
}

// readersOf are the readers of the derived object who hold its origin, and the sharer.
func (sh *sharing) readersOf(ctx context.Context, here []journal.Delivery, c candidate, level stix.Marking) ([]polder.OrgID, error) {
	out := []polder.OrgID{sh.actor.Org}
	if highest := sh.rules.Profile().Highest; highest != stix.None && level > highest {
		return out, nil
	}
	members, err := sh.s.members(ctx, sh.member.Community.ID)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		given := slices.ContainsFunc(here, func(d journal.Delivery) bool { return d.Reached.Contains(m.Org) })
		named := c.readers(sh.request)
		if given && m.Org != sh.actor.Org && (len(named) == 0 && c.level < stix.Red || slices.Contains(named, m.Org)) {
			out = append(out, m.Org)
		}
	}
	return out, nil
}

func (c candidate) derivedFrom() string {
	if c.origin == nil {
		return ""
	}
	return c.origin.ID
}

// originRights holds a derived object to what its sharer may do with what it was made of: to pass it on (X7), and not to
// widen what another shared here (X9).
func (p *plan) originRights(c candidate) error {
	if c.origin == nil {
		return nil
	}
	origin := candidate{object: *c.origin, level: c.level}
	history := p.history[origin.object.ID]
	if err := p.rights(origin, history); err != nil && !p.partsGoOn(c) {
		return err
	}
	mark, err := c.origin.Level()
	if err != nil {
		return polder.Errorf(polder.Invalid, "%w", err)
	}
	me := p.sh.actor.Org
	for _, d := range history {
		if !d.Reached.Contains(me) || d.Custodian == me || d.Sharer == me {
			continue
		}
		if d.Level > mark && c.level.Wider(d.Level) {
			return polder.Errorf(polder.Forbidden, "object_marking_refs: this object was given to you as %s, so what is made of it goes no wider", d.Level.Label())
		}
		share, err := c.share(me, c.readers(p.sh.request))
		if err != nil {
			return err
		}
		if more := nominalOf(share).Minus(d.Nominal); !more.Empty() {
			return polder.Errorf(polder.Forbidden, "to: this object was given to some members, you among them, so what is made of it goes to no others; name only these (--to)")
		}
	}
	return nil
}

// partsGoOn tells whether what is left of an object may go on to another community although the whole may not: its own
// mark is GREEN or CLEAR, and it was given to the sharer as strict as its strictest part asks, not stricter.
func (p *plan) partsGoOn(c candidate) bool {
	mark, err := c.origin.Level()
	if err != nil || p.sh.request.Derive == stix.None || c.level > stix.Green {
		return false
	}
	for _, d := range p.elsewhere[c.origin.ID] {
		if d.Level > mark {
			return false
		}
	}
	return len(p.elsewhere[c.origin.ID]) > 0
}

// nominalOf is whom a share addresses.
func nominalOf(s policy.Share) polder.Audience { return policy.Nominal(s.By, s.To, s.Level) }
