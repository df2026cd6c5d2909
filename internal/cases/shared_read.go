package cases

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/stix"
)

// sharedPages bounds how much of the journal one question reads.
const sharedPages = 100

// sharedEach gives every object of a type that an organisation sees now in its communities, with the alias of each.
func (s *Service) sharedEach(ctx context.Context, org polder.OrgID, typ string, in polder.CommunityID, each func(alias string, d journal.Delivery)) error {
	if s.o.Shared == nil || s.o.Own == nil {
		return nil
	}
	sight, aliases, err := s.o.Own(ctx, org)
	if err != nil {
		return err
	}
	if in != "" {
		sight = sight.In(in)
	}
	q := journal.Query{Types: []string{typ}, Limit: 500}
	for range sharedPages {
		page, err := s.o.Shared.Page(ctx, sight, q)
		if err != nil {
			return err
		}
		for _, d := range page.Deliveries {
			q.After = d.Seq
			if d.Raw != nil && !d.Revoked {
				each(aliases[d.Community], d)
			}
		}
		if !page.More {
			return nil
		}
	}
	return nil
}

// SharedWithUs are the cases that others share with the actor's organisation, the last changed first. Their items are
// left out.
func (s *Service) SharedWithUs(ctx context.Context, by polder.Actor) ([]SharedCase, error) {
	if _, err := s.caseViewer(ctx, by); err != nil {
		return nil, err
	}
	byKey, many := map[string]SharedCase{}, map[polder.OrgID]int{}
	err := s.sharedEach(ctx, by.Org, sharedCaseType, "", func(alias string, d journal.Delivery) {
		c, ok := sharedCaseOf(d)
		if !ok || d.Custodian == by.Org || many[d.Custodian] >= sharedMaxCases {
			return
		}
		if _, there := byKey[c.Key]; there {
			return // the same header in a second community
		}
		c.Community = alias
		if o, err := stix.Parse(d.Raw); err == nil && o.CreatedByRef == string(d.Custodian) {
			if org, err := s.o.Accounts.Org(ctx, d.Custodian); err == nil {
				c.Owner = org.Name
			}
		}
		byKey[c.Key] = c
		many[d.Custodian]++
	})
	if err != nil {
		return nil, err
	}
	out := make([]SharedCase, 0, len(byKey))
	for _, c := range byKey {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b SharedCase) int { return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.Key, b.Key)) })
	return out, nil
}

// SharedWith is one case that others share, with the items of all sides that the actor's organisation sees, by time.
func (s *Service) SharedWith(ctx context.Context, by polder.Actor, key string) (SharedCase, error) {
	all, err := s.SharedWithUs(ctx, by)
	if err != nil {
		return SharedCase{}, err
	}
	n := slices.IndexFunc(all, func(c SharedCase) bool { return c.Key == key })
	if n < 0 {
		return SharedCase{}, polder.Errorf(polder.NotFound, "no such shared case, or it was taken back")
	}
	c, many := all[n], map[polder.OrgID]int{}
	err = s.sharedEach(ctx, by.Org, sharedItemType, c.place, func(_ string, d journal.Delivery) {
		of, it, ok := sharedItemOf(d)
		if !ok || of != c.id || d.Custodian != c.custodian && d.Custodian != by.Org || many[d.Custodian] >= sharedMaxItems {
			return
		}
		it.Org = d.Custodian
		c.Items = append(c.Items, it)
		many[d.Custodian]++
	})
	sharedSort(c.Items)
	return c, err
}

func sharedSort(items []Item) {
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Or(exportAt(a).Compare(exportAt(b)), cmp.Compare(a.ID, b.ID)) })
}

// ReplyToShared adds an entry, an observable, a note or a decision to a case of another organisation, and shares it back
// with that organisation alone. It asks for a contributor, and for the part of who works on the case. A warning stops it
// unless it was read.
func (s *Service) ReplyToShared(ctx context.Context, by polder.Actor, key string, it Item, confirmed bool) (Item, error) {
	c, err := s.SharedWith(ctx, by, key)
	if err != nil {
		return Item{}, err
	}
	switch {
	case by.Role.OnObjects() < polder.RoleContributor:
		return Item{}, polder.Errorf(polder.Forbidden, "your role reads; adding to a case asks for the role contributor")
	case c.Part != PartWork:
		return Item{}, polder.Errorf(polder.Forbidden, "this case is shared with you to read; ask the other side to let you work on it")
	case s.o.Keeper == nil:
		return Item{}, polder.Errorf(polder.Unavailable, "there is no exchange here, so nothing can be shared back")
	}
	if it, err = s.replyItem(ctx, by, c, it); err != nil {
		return Item{}, err
	}
	have, err := listReplies(s.committed(ctx), by.Org, c.custodian, c.Community, c.id)
	if err != nil {
		return Item{}, err
	}
	if len(have) >= sharedMaxItems {
		return Item{}, polder.Errorf(polder.TooLarge, "your organisation has added %d items to this case; no more are taken", len(have))
	}
	set := Kept{Community: c.Community, To: []polder.OrgID{c.custodian}, Name: "replies " + c.id, Type: sharedItemType, Definition: []byte(sharedItemDefinition), In: sharedIn(c.id),
		Level: it.Level, Named: true, Confirmed: confirmed, Preview: true}
	for _, one := range append(have, it) {
		set.Parts = append(set.Parts, KeptPart{Key: one.ID, Level: one.Level, Set: sharedItem(c.id, one)})
	}
	look, err := s.o.Keeper.Keep(ctx, by, set)
	if err != nil {
		return Item{}, err
	}
	if look.Held && !confirmed {
		return Item{}, polder.Errorf(polder.Conflict, "nothing was shared; look at this and confirm: %s", strings.Join(look.Warnings, "; "))
	}
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := insertReply(tx, sharedReply{it.ID, c.Community, c.id, by.Org, c.custodian, it}); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		return s.caseAudit(tx, by, "case.reply", c.Key)
	})
	if err != nil {
		return Item{}, err
	}
	set.Preview, set.Confirmed = false, true
	_, err = s.o.Keeper.Keep(ctx, by, set)
	return it, err
}

// replyItem is an item as it is kept, or what is wrong with it.
func (s *Service) replyItem(ctx context.Context, by polder.Actor, c SharedCase, in Item) (Item, error) {
	doer, err := s.o.Accounts.Doer(ctx, by)
	if err != nil {
		return in, err
	}
	id, err := s.newCaseUUID()
	if err != nil {
		return in, err
	}
	now := s.caseNow()
	it := Item{ID: id, Kind: in.Kind, Level: in.Level, Title: strings.TrimSpace(in.Title), Text: strings.TrimSpace(in.Text), At: in.At, Made: now, MadeBy: doer, Changed: now, By: doer, Org: by.Org, Version: 1, Weighs: in.Weighs}
	if it.Level == stix.None {
		it.Level = c.Level
	}
	if it.At.IsZero() {
		it.At = now
	}
	switch it.Kind {
	case ItemEntry, ItemNote:
	case ItemDecision:
		it.Decision = &Decision{Person: doer}
		if in.Decision != nil {
			it.Decision.Reason = sharedClip(in.Decision.Reason, sharedMaxText)
		}
	case ItemObservable:
		if in.Observable == nil {
			return it, polder.Errorf(polder.Invalid, "observable: is missing; give the type and the value that was seen")
		}
		value, err := indicator.Normalise(in.Observable.Type, in.Observable.Value)
		if err != nil {
			return it, polder.Errorf(polder.Invalid, "observable.value: %w", err)
		}
		it.Observable = &Observable{Type: in.Observable.Type, Value: value, First: in.Observable.First, Last: in.Observable.Last, Bad: in.Observable.Bad}
	default:
		return it, polder.Errorf(polder.Invalid, "kind: %q is none of entry, observable, note and decision", exportClip(string(it.Kind), 20))
	}
	switch {
	case it.Kind != ItemObservable && it.Title == "":
		return it, polder.Errorf(polder.Invalid, "title: is empty; say in a line what it is")
	case sharedClip(it.Title, sharedMaxTitle) != it.Title:
		return it, polder.Errorf(polder.TooLarge, "title: is longer than %d characters", sharedMaxTitle)
	case sharedClip(it.Text, sharedMaxText) != it.Text:
		return it, polder.Errorf(polder.TooLarge, "text: is longer than %d characters", sharedMaxText)
	case it.Level > stix.Red:
		return it, polder.Errorf(polder.Invalid, "tlp: is no level")
	}
	return it, nil
}

// FromOthers are the items that others, with whom a case is shared, added to it, by time: those that the actor may see.
func (s *Service) FromOthers(ctx context.Context, by polder.Actor, id CaseID) ([]Item, error) {
	v, err := s.Case(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if !v.Access.Own || v.Header {
		return nil, nil
	}
	sharings, err := listSharings(s.committed(ctx), id, false)
	if err != nil || len(sharings) == 0 {
		return nil, err
	}
	var out []Item
	many := map[polder.OrgID]int{}
	err = s.sharedEach(ctx, v.Org, sharedItemType, "", func(alias string, d journal.Delivery) {
		key, it, ok := sharedItemOf(d)
		if !ok || many[d.Custodian] >= sharedMaxItems || it.Level > v.Access.Ceiling {
			return
		}
		for _, sh := range sharings {
			if sh.ID == key && sh.Org == d.Custodian && sh.Community == alias && sh.Part == PartWork {
				it.Org, it.Case = d.Custodian, id
				out = append(out, it)
				many[d.Custodian]++
			}
		}
	})
	sharedSort(out)
	return out, err
}

// CrossBorder are the cases that others told the actor's organisation of as a country's contact point, and those that the
// actor was let into that touch more than one country, the last changed first.
func (s *Service) CrossBorder(ctx context.Context, by polder.Actor) ([]SharedCase, error) {
	all, err := s.SharedWithUs(ctx, by)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(all, func(c SharedCase) bool { return c.Part != PartContact && !c.Crosses })
	f := CaseFilter{Limit: 200, Sort: CasesByChanged}
	for range sharedPages {
		page, err := s.Cases(ctx, by, f)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Cases {
			if v.Crosses || v.Header {
				out = append(out, SharedCase{Key: string(v.ID), Owner: v.OrgName, Part: v.Access.Part, Title: v.Title, Summary: v.Summary, Kind: v.Kind, Class: v.Class, Severity: v.Severity, Status: v.Status,
					Countries: append([]string{}, v.Countries...), Crosses: v.Crosses, Aware: v.Aware, Level: v.Level, Changed: v.Changed, Items: []Item{}})
			}
		}
		if f.Next = page.Next; page.Next == "" {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b SharedCase) int { return b.Changed.Compare(a.Changed) })
	return out, nil
}
