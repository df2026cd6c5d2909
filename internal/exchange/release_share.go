package exchange

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// This file puts a share through what its organisation set about what leaves it: every face shares by [Service.Share], so
// every face comes through here, before anything is planned, signed or stored.

// maxOverride is the longest reason.
const maxOverride = 500

// releaseBegins reads the rules of the sharer, and what they say about the share as a whole.
func (sh *sharing) releaseBegins(ctx context.Context) (err error) {
	if sh.rules, err = sh.s.ReleaseRules(ctx, sh.actor.Org); err != nil {
		return err
	}
	p := sh.rules.Profile()
	if p.Blind == release.BlindNever {
		sh.creator = string(sh.actor.Org)
	}
	if p.Mark > sh.given.Unmarked {
		sh.given.Unmarked = p.Mark
	}
	sh.request.Override = strings.TrimSpace(sh.request.Override)
	if len(sh.request.Override) > maxOverride {
		return polder.Errorf(polder.Invalid, "override: is longer than %d bytes; say in a sentence why it may leave", maxOverride)
	}
	if sh.request.Derive != stix.None && sh.request.Bytes {
		return polder.Errorf(polder.Invalid, "derive: TAXII keeps every byte; take marked properties out by another way in")
	}
	if label := sh.rules.ForbiddenIn(sh.request.Override); label != "" {
		return polder.Errorf(polder.Forbidden, "override: your reason runs into the wall %q; it stands in the audit, so say it without that", label)
	}
	if sh.creator == string(sh.actor.Org) && slices.ContainsFunc(sh.request.Objects, func(in Incoming) bool { return in.Made }) {
		return sh.identityPasses(ctx)
	}
	return nil
}

// identityPasses holds the walls against the identity that goes with what names the sharer.
func (sh *sharing) identityPasses(ctx context.Context) error {
	raw, err := sh.s.accounts.IdentityObject(ctx, sh.actor.Org)
	if err != nil {
		return err
	}
	o, err := stix.Parse(raw)
	if err != nil {
		return err
	}
	return breached(sh.rules.Breaches(o, stix.None))
}

// breached is the refusal of what runs into walls; it names them and the properties, and no word.
func breached(found []release.Breach) error {
	var said []string
	for _, b := range found {
		if b.Label == "" {
			continue
		}
		said = append(said, fmt.Sprintf("%s: holds what your organisation lets nobody send (%s); take it out", b.Path, b.Label))
	}
	if len(said) == 0 {
		return nil
	}
	return polder.Errorf(polder.Forbidden, "%s", strings.Join(said, "; "))
}

// walls refuses what runs into one. Nobody opens a wall for one share: a steward changes it for all.
func (sh *sharing) walls(c candidate) error {
	found := sh.rules.Breaches(c.object, c.level)
	for _, b := range found {
		if b.Label == "" && !slices.Equal(c.named, []polder.OrgID{sh.actor.Org}) {
			return polder.Errorf(polder.Forbidden, "%s: %s is stricter than %s, the strictest that your organisation lets out", b.Path, c.level.Label(), sh.rules.Profile().Highest.Label())
		}
	}
	return breached(found)
}

// release puts the candidates through the steps of the organisation. What comes out is what leaves.
func (sh *sharing) release(ctx context.Context) error {
	p := sh.rules.Profile()
	lists := p.Warninglists == release.ListsStop
	if sh.rules.Idle() && !lists && p.Blind != release.BlindAll && sh.request.Derive == stix.None {
		return nil
	}
	if lists {
		if err := sh.s.refreshShield(ctx); err != nil {
			return err
		}
	}
	var todo []released
	var ids []string
	for _, c := range sh.cands {
		r := sh.minimise(c)
		todo = append(todo, r)
		if len(r.now.changes) > 0 {
			ids = append(ids, c.object.ID)
			if c.origin != nil {
				ids = append(ids, c.origin.ID)
			}
		}
	}
	held, err := sh.heldOf(ctx, ids)
	if err != nil {
		return err
	}
	sh.cands = nil
	for _, r := range todo {
		out, err := sh.leave(ctx, r, held)
		if kind := polder.KindOf(err); err != nil && (kind == polder.Internal || kind == polder.Unavailable) {
			return err
		}
		if err != nil {
			sh.refuse(r.was, err)
			continue
		}
		sh.cands = append(sh.cands, out...)
	}
	return nil
}

// released is one object on its way through the steps.
type released struct {
	was, now candidate
	stops    []release.Stop
}

// doubts warn of what may tell who the sharer is, such as the family name of one of its people: it stays, and a person
// decides. A share of the sharer's own words waits for that; of a finished object of another it is told.
func (sh *sharing) doubts() (out []Warning, held bool) {
	for i, c := range sh.cands {
		if i < len(sh.result.Items) && !sh.result.Items[i].New {
			continue
		}
		waits := !sh.request.Confirmed && sh.ownText(c)
		for _, d := range c.doubts {
			if len(out) == maxCareless {
				return out, held
			}
			held = held || waits
			out = append(out, Warning{ID: c.object.ID, Value: d.Value, Reason: d.Why + "; take it out, or share it as it is", Rule: d.Rule, Path: d.Path, Held: waits})
		}
	}
	return out, held
}

// minimise takes out what the rules take out, and blinds.
func (sh *sharing) minimise(c candidate) released {
	r := released{was: c, now: c}
	o, changes, stops, doubts := sh.rules.Examine(c.object)
	r.stops, r.now.doubts = stops, doubts
	r.now.object, r.now.changes = o, slices.Concat(c.changes, changes)
	own := string(sh.actor.Org)
	if sh.rules.Profile().Blind == release.BlindAll && !sh.request.Named {
		if o.ID == own {
			r.stops = append(r.stops, release.Stop{Path: "id", Value: own, Rule: string(release.RuleBlind), Why: "is the identity of your organisation, which shares blind", Overridable: true})
		}
		if blind, err := o.WithCreator(string(sh.member.Blind)); o.CreatedByRef == own && err == nil {
			r.now.object, r.now.Made = release.Unsigned(blind), true // it stands in the name of "a member" from now on
			r.now.changes = append(r.now.changes, release.Change{Path: "created_by_ref", Before: own, After: string(sh.member.Blind), Rule: string(release.RuleBlind), Why: "names your organisation as the creator"})
		}
	}
	if sh.rules.Profile().Warninglists == release.ListsStop {
		for _, w := range sh.harmless(c) {
			r.stops = append(r.stops, release.Stop{Path: "pattern", Value: w.Value, Rule: "warninglists", Why: w.Reason, Overridable: true})
		}
	}
	return r
}

// holding is what the sharer sees of ids, here and elsewhere.
type holding struct {
	here      map[string][]journal.Delivery
	elsewhere map[string][]journal.Delivery
}

func (sh *sharing) heldOf(ctx context.Context, ids []string) (h holding, err error) {
	if len(ids) == 0 {
		return h, nil
	}
	if h.here, err = sh.s.journal.History(sh.s.db.Read(), sh.member.Community.ID, ids); err != nil {
		return h, err
	}
	for id, ds := range h.here {
		h.here[id] = slices.DeleteFunc(ds, func(d journal.Delivery) bool { return !d.Reached.Contains(sh.actor.Org) && d.Sharer != sh.actor.Org })
	}
	h.elsewhere, err = sh.elsewhere(ctx, ids)
	return h, err
}

// leave decides what becomes of an object that went through the steps: it leaves as it is, as another object, or not.
func (sh *sharing) leave(ctx context.Context, r released, h holding) ([]candidate, error) {
	changed := len(r.now.changes) > len(r.was.changes)
	if changed && r.was.origin == nil && sh.hasLeft(r.was, h.here[r.was.object.ID]) {
		r.now = r.was // all who would read it hold it as it is
		changed, r.stops = false, nil
	}
	if changed && sh.request.Bytes {
		ch := r.now.changes[0]
		return nil, polder.Errorf(polder.Forbidden, "%s: %s (rule %s), and TAXII keeps every byte; take it out, or share it by another way in", ch.Path, ch.Why, ch.Rule)
	}
	if err := sh.stops(&r); err != nil {
		return nil, err
	}
	out := []candidate{r.now}
	if r.was.origin != nil || changed && sh.becomesAnother(r, h) {
		origin := r.was.object
		if r.was.origin != nil {
			origin = *r.was.origin
		}
		var err error
		if out, err = sh.another(ctx, r.now, origin, h); err != nil {
			return nil, err
		}
	}
	for _, c := range out {
		if err := sh.walls(c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// hasLeft tells whether all who would read an object by this share were given it before, exactly as it is.
func (sh *sharing) hasLeft(c candidate, here []journal.Delivery) bool {
	digest, err := c.object.Digest()
	if err != nil {
		return false
	}
	missing := policy.Nominal(sh.actor.Org, c.readers(sh.request), c.level)
	for _, d := range here {
		if d.Digest == digest && d.Level <= c.level && d.Custodian == sh.actor.Org {
			missing = missing.Minus(d.Nominal)
		}
	}
	return missing.Empty()
}

// stops decides about the values that stop an object: a person's reason lets those pass that a person may judge. Ways
// in that ask nobody refuse.
func (sh *sharing) stops(r *released) error {
	for _, st := range r.stops {
		if !st.Overridable || sh.request.Bytes || sh.request.Partial {
			return polder.Errorf(polder.Forbidden, "%s: %s %s (rule %s)%s", st.Path, clip(st.Value, 100), st.Why, st.Rule, map[bool]string{true: "; share it by another way in, with a reason, if it has to leave"}[st.Overridable])
		}
		w := Warning{ID: r.now.object.ID, Value: st.Value, Reason: st.Why, Stop: true, Rule: st.Rule, Path: st.Path, Held: sh.request.Override == ""}
		if w.Held {
			sh.stopped = true
			w.Reason += "; take it out, or say why it has to leave"
		} else {
			r.now.override = sh.request.Override
			if !slices.Contains(r.now.rules, st.Rule) {
				r.now.rules = append(r.now.rules, st.Rule)
			}
		}
		sh.result.Warnings = append(sh.result.Warnings, w)
	}
	return nil
}

// readers are whom a candidate names: the share's, or its own.
func (c candidate) readers(r Request) []polder.OrgID {
	if c.handed {
		return c.to
	}
	if c.named != nil {
		return c.named
	}
	return r.To
}

// overridden notes, in the transaction that stores them, which objects leave by somebody's word.
func (p *plan) overridden(tx *db.Tx) error {
	sh := p.sh
	rules := map[string]string{}
	for _, c := range p.accepted {
		if c.override != "" {
			rules[c.object.ID] = strings.Join(c.rules, ", ")
		}
	}
	for _, it := range p.items {
		of, ok := rules[it.ID]
		if !ok || !it.New {
			continue
		}
		o := Override{At: sh.s.now(), Person: sh.actor.Person, Rules: of, Reason: it.Override}
		if err := writeOverride(tx, p.community, it.ID, it.Version, sh.actor.Org, o); err != nil {
			return err
		}
		e := audit.EntryOf(sh.actor)
		e.Action, e.Community, e.Object, e.Blind, e.Narrow = "release.override", p.community, it.ID, !it.NamesYou, true
		e.Detail = map[string]string{"rules": of, "why": it.Override}
		if err := sh.s.audit.Append(tx, e); err != nil {
			return err
		}
	}
	return nil
}

// OverrideOf is why a version of an object left although a value in it stopped it, for its own organisation.
func (s *Service) OverrideOf(ctx context.Context, a polder.Actor, d journal.Delivery) (Override, bool, error) {
	if d.Sharer != a.Org {
		return Override{}, false, nil
	}
	return readOverride(ctx, s.db.Read(), d.Community, d.ID, d.VersionText(), a.Org)
}

// readerNames are the names of those who will be able to see any of a preview.
func (sh *sharing) readerNames(ctx context.Context) ([]string, error) {
	members, err := sh.s.accounts.MemberList(ctx, sh.actor, sh.member.Community.ID)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, m := range members {
		if m.Organisation.ID != sh.actor.Org && slices.ContainsFunc(sh.result.Items, func(it Item) bool { return slices.Contains(it.Readers, m.Organisation.ID) }) {
			out = append(out, m.Organisation.Name)
		}
	}
	return out, nil
}

// releaseText puts a text that others read and that stands in no object, such as why something is withdrawn, through
// the steps of its organisation. name is what a refusal calls it.
func (s *Service) releaseText(ctx context.Context, org polder.OrgID, name, text string) (string, error) {
	if text == "" || org == "" || fail.Bug("reason-unminimised") {
		return text, nil
	}
	rules, err := s.ReleaseRules(ctx, org)
	if err != nil {
		return "", err
	}
	text, _ = rules.Text(text)
	if label := rules.ForbiddenIn(text); label != "" {
		return "", polder.Errorf(polder.Forbidden, "%s: holds what your organisation lets nobody send (%s); say it without", name, label)
	}
	return text, nil
}
