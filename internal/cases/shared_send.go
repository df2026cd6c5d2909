package cases

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// sharedWhole reads a case for whoever shares it: its lead or who works on it in its own organisation, with a ceiling that
// leaves nothing out that is shared, so that nothing is taken back because somebody does not see it.
func (s *Service) sharedWhole(ctx context.Context, by polder.Actor, id CaseID, part Part, ceiling stix.Marking) (CaseView, []Item, error) {
	v, err := s.Case(ctx, by, id)
	if err != nil {
		return v, nil, err
	}
	switch {
	case s.o.Keeper == nil || s.o.Exchange == nil:
		return v, nil, polder.Errorf(polder.Unavailable, "there is no exchange here, so no case can be shared")
	case !v.Access.Own || !v.Access.May(part):
		return v, nil, polder.Errorf(polder.Forbidden, "sharing a case with another organisation is for its own organisation; your part in it is %s, this asks for %s", cmp.Or(v.Access.Part, "none"), part)
	case v.Access.Ceiling < ceiling:
		return v, nil, polder.Errorf(polder.Forbidden, "this goes up to %s, and you see up to %s only; ask somebody who sees all that is shared", ceiling.Label(), v.Access.Ceiling.Label())
	}
	var items []Item
	f := ItemFilter{Kinds: sharedKinds, Oldest: true, Limit: 200}
	for {
		page, err := s.Items(ctx, by, id, f)
		if err != nil {
			return v, nil, err
		}
		items = append(items, page.Items...)
		if f.Next = page.Next; page.Next == "" {
			return v, items, nil
		}
		if len(items) > sharedMaxItems {
			return v, nil, polder.Errorf(polder.TooLarge, "the case has more than %d items; that many are not shared as one", sharedMaxItems)
		}
	}
}

// ShareCase shares a case with another organisation, or shows what would leave. Only the case's lead may. Doing it again
// with the same organisation changes the ceiling and brings it up to date.
func (s *Service) ShareCase(ctx context.Context, by polder.Actor, ask SharingAsk) (ReleaseAnswer, error) {
	if ask.Part != PartRead && ask.Part != PartWork {
		return ReleaseAnswer{}, polder.Errorf(polder.Invalid, "part: %q is neither read nor work; a contact point is told by marking the early warning as sent", exportClip(string(ask.Part), 20))
	}
	if ask.Ceiling < stix.Clear || ask.Ceiling > stix.Red {
		return ReleaseAnswer{}, polder.Errorf(polder.Invalid, "ceiling: say up to which level it is shared")
	}
	v, items, err := s.sharedWhole(ctx, by, ask.Case, PartLead, ask.Ceiling)
	if err != nil {
		return ReleaseAnswer{}, err
	}
	if v.Level > ask.Ceiling {
		return ReleaseAnswer{}, polder.Errorf(polder.Forbidden, "ceiling: the case itself is marked %s; share it up to that at least, or mark it wider first", v.Level.Label())
	}
	if err := s.sharedMember(ctx, by, ask.Community, ask.Org); err != nil {
		return ReleaseAnswer{}, err
	}
	sh, isNew, err := s.sharingOf(ctx, by, ask)
	if err != nil {
		return ReleaseAnswer{}, err
	}
	out, err := s.keepSharing(ctx, by, v.Case, items, sh, ask.Confirmed, ask.Preview, isNew)
	return out, err
}

// sharedMember tells whether an organisation is a member of a community where the actor may share.
func (s *Service) sharedMember(ctx context.Context, by polder.Actor, community string, org polder.OrgID) error {
	places, _, err := s.o.Exchange.Places(ctx, by)
	if err != nil {
		return err
	}
	for _, p := range places {
		if p.Alias == community {
			if org == by.Org || !slices.ContainsFunc(p.Members, func(m PlaceMember) bool { return m.Org == org }) {
				return polder.Errorf(polder.Invalid, "org: %s is no other member of %s", exportClip(string(org), 60), p.Name)
			}
			return nil
		}
	}
	return polder.Errorf(polder.Invalid, "community: you may share in no community %q", exportClip(community, 60))
}

// sharingOf is the sharing that is asked for: the one that is there, with the new part and ceiling, or a new one.
func (s *Service) sharingOf(ctx context.Context, by polder.Actor, ask SharingAsk) (Sharing, bool, error) {
	have, err := listSharings(s.committed(ctx), ask.Case, false)
	if err != nil {
		return Sharing{}, false, err
	}
	for _, sh := range have {
		if sh.Org == ask.Org && sh.Community == ask.Community && sh.Part != PartContact {
			sh.Part, sh.Ceiling = ask.Part, ask.Ceiling
			return sh, false, nil
		}
	}
	id, err := s.newCaseUUID()
	if err != nil {
		return Sharing{}, false, err
	}
	doer, err := s.o.Accounts.Doer(ctx, by)
	return Sharing{ID: id, Case: ask.Case, Community: ask.Community, Org: ask.Org, Part: ask.Part, Ceiling: ask.Ceiling, Since: s.caseNow(), By: doer}, true, err
}

// keepSharing brings what the other side sees up to date, and keeps that it did. The sharing is kept first, so that what
// left is never without the line that says so; sharing again finishes what was interrupted.
func (s *Service) keepSharing(ctx context.Context, by polder.Actor, v Case, items []Item, sh Sharing, confirmed, preview, isNew bool) (ReleaseAnswer, error) {
	header, rest := sharedParts(v, items, sh)
	set := Kept{Community: sh.Community, To: []polder.OrgID{sh.Org}, Level: sh.Ceiling, In: sharedIn(sh.ID), Named: sh.Part != PartContact, Confirmed: confirmed, Preview: true}
	look := []Kept{set, set}
	look[0].Name, look[0].Type, look[0].Definition, look[0].Parts = "case "+sh.ID, sharedCaseType, []byte(sharedCaseDefinition), header
	look[1].Name, look[1].Type, look[1].Definition, look[1].Parts = "items "+sh.ID, sharedItemType, []byte(sharedItemDefinition), rest
	out, err := s.keepAll(ctx, by, look)
	if err != nil {
		return out, err
	}
	out.Readers = nil
	for _, id := range []polder.OrgID{sh.Org, by.Org} { // what an organisation shares is read in the exchange by all of its own people
		o, err := s.o.Accounts.Org(ctx, id)
		if err != nil {
			return out, err
		}
		out.Readers = append(out.Readers, o.Name)
	}
	if preview || out.Held && !confirmed {
		return out, nil
	}
	if isNew {
		if err := s.noteSharing(ctx, by, sh, "shared", true); err != nil {
			return out, err
		}
	}
	for i := range look {
		look[i].Preview, look[i].Confirmed = false, true // the warnings of both sets were read above
	}
	done, err := s.keepAll(ctx, by, look)
	if err != nil {
		return out, err
	}
	done.Readers, done.Left = out.Readers, true
	sh.Sent, sh.digest = s.caseNow(), sharedDigest(v, items, sh)
	return done, s.noteSharing(ctx, by, sh, "sent", false)
}

// keepAll keeps sets one after the other, and says together what left or would leave.
func (s *Service) keepAll(ctx context.Context, by polder.Actor, sets []Kept) (out ReleaseAnswer, err error) {
	for _, set := range sets {
		got, err := s.o.Keeper.Keep(ctx, by, set)
		if err != nil {
			return out, err
		}
		out.take(got)
		if got.Withdrawn > 0 {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%d objects are taken back", got.Withdrawn))
		}
	}
	return out, nil
}

// noteSharing keeps a sharing, and in the case's history and the audit that somebody shared it, brought it up to date or
// stopped it.
func (s *Service) noteSharing(ctx context.Context, by polder.Actor, sh Sharing, did string, isNew bool) error {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return err
	}
	org, err := s.o.Accounts.Org(ctx, sh.Org)
	if err != nil {
		return err
	}
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		c, x, err := s.caseAt(tx, v, sh.Case, PartWork)
		if err != nil {
			return err
		}
		if !x.Own {
			return polder.Errorf(polder.Forbidden, "sharing a case is for its own organisation")
		}
		if isNew {
			err = insertSharing(tx, by.Org, sh)
		} else {
			err = updateSharing(tx, sh)
		}
		if err != nil {
			return err
		}
		return s.caseNote(tx, by, v, sh.Case, CaseRevision{What: "sharing", Did: did, Reason: strings.TrimSpace(org.Name + " " + sh.Ceiling.Label()), Level: c.Level})
	})
}

// Sharings are those with whom a case is shared; each says whether something has changed since it was sent. They are for
// the case's own organisation.
func (s *Service) Sharings(ctx context.Context, by polder.Actor, id CaseID) ([]Sharing, error) {
	v, err := s.Case(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if !v.Access.Own {
		return nil, polder.Errorf(polder.Forbidden, "with whom a case is shared is for its own organisation")
	}
	all, err := listSharings(s.committed(ctx), id, false)
	if err != nil || len(all) == 0 {
		return all, err
	}
	whole, items, err := s.sharedWhole(ctx, by, id, PartRead, stix.Clear)
	if err != nil && polder.KindOf(err) != polder.Unavailable {
		return nil, err
	}
	for i, sh := range all {
		org, err := s.o.Accounts.Org(ctx, sh.Org)
		if err != nil {
			return nil, err
		}
		all[i].Name = org.Name
		all[i].Behind = v.Access.Ceiling >= sh.Ceiling && sharedDigest(whole.Case, items, sh) != sh.digest
	}
	return all, nil
}

// StopSharing withdraws what was shared of a case with an organisation. The lead may, and who works on it.
func (s *Service) StopSharing(ctx context.Context, by polder.Actor, id CaseID, sharing string) error {
	v, _, err := s.sharedWhole(ctx, by, id, PartWork, stix.Clear)
	if err != nil {
		return err
	}
	all, err := listSharings(s.committed(ctx), v.ID, false)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(all, func(sh Sharing) bool { return sh.ID == sharing })
	if n < 0 {
		return polder.Errorf(polder.NotFound, "sharing: the case is not shared so")
	}
	sh := all[n]
	set := Kept{Community: sh.Community, To: []polder.OrgID{sh.Org}, Level: sh.Ceiling, In: sharedIn(sh.ID), Named: true, Confirmed: true}
	items, header := set, set
	items.Name, items.Type, items.Definition = "items "+sh.ID, sharedItemType, []byte(sharedItemDefinition)
	header.Name, header.Type, header.Definition = "case "+sh.ID, sharedCaseType, []byte(sharedCaseDefinition)
	if _, err := s.keepAll(ctx, by, []Kept{items, header}); err != nil {
		return err
	}
	sh.Stopped = s.caseNow()
	return s.noteSharing(ctx, by, sh, "stopped", false)
}

// BringShared brings everybody with whom a case is shared up to date. A warning stops it before anything leaves, unless
// it was read.
func (s *Service) BringShared(ctx context.Context, by polder.Actor, id CaseID, confirmed, preview bool) (ReleaseAnswer, error) {
	var out ReleaseAnswer
	all, err := listSharings(s.committed(ctx), id, false)
	if err != nil {
		return out, err
	}
	top := stix.Clear
	for _, sh := range all {
		if sh.Part != PartContact {
			top = max(top, sh.Ceiling)
		}
	}
	v, items, err := s.sharedWhole(ctx, by, id, PartWork, top)
	if err != nil {
		return out, err
	}
	for _, sh := range all {
		if sh.Part != PartContact && v.Level > sh.Ceiling {
			return out, polder.Errorf(polder.Forbidden, "the case itself is marked %s now, stricter than what is shared with %s; stop that sharing, or share it up to that", v.Level.Label(), exportClip(string(sh.Org), 60))
		}
		one, err := s.keepSharing(ctx, by, v.Case, items, sh, confirmed, preview, false)
		if err != nil {
			return out, err
		}
		out.IDs, out.Lines, out.Warnings, out.Readers = append(out.IDs, one.IDs...), append(out.Lines, one.Lines...), append(out.Warnings, one.Warnings...), append(out.Readers, one.Readers...)
		out.Held, out.Left = out.Held || one.Held, one.Left
	}
	return out, nil
}

// ContactPoints are those that the actor's organisation has set, by country.
func (s *Service) ContactPoints(ctx context.Context, by polder.Actor) ([]ContactPoint, error) {
	if _, err := s.caseViewer(ctx, by); err != nil {
		return nil, err
	}
	all, err := listContacts(s.committed(ctx), by.Org)
	if err != nil {
		return nil, err
	}
	for i := range all {
		org, err := s.o.Accounts.Org(ctx, all[i].Org)
		if err != nil {
			return nil, err
		}
		all[i].Name = org.Name
	}
	return all, nil
}

// SetContactPoint sets who takes notice of cases that touch a country; without an organisation there is none. It asks for
// a steward.
func (s *Service) SetContactPoint(ctx context.Context, by polder.Actor, p ContactPoint) error {
	if by.Role.OnObjects() < polder.RoleSteward {
		return polder.Errorf(polder.Forbidden, "contact points are set by a steward of your organisation")
	}
	p.Country = strings.ToUpper(strings.TrimSpace(p.Country))
	if len(p.Country) != 2 || strings.Trim(p.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return polder.Errorf(polder.Invalid, "country: %q is no code of two letters, such as NL", exportClip(p.Country, 20))
	}
	if p.Org != "" {
		if s.o.Exchange == nil {
			return polder.Errorf(polder.Unavailable, "there is no exchange here, so nobody can be told")
		}
		if err := s.sharedMember(ctx, by, p.Community, p.Org); err != nil {
			return err
		}
	}
	return s.o.DB.Write(ctx, func(tx *db.Tx) error {
		if err := putContact(tx, by.Org, p); err != nil {
			return err
		}
		return s.caseAudit(tx, by, "case.contact-point", p.Country)
	})
}

// TellContacts tells the contact points of the countries that a case touches that it crosses borders, and to what stage
// the duty to report has come ("early-warning"), or shows whom it would tell. A person says so; nothing tells them by
// itself. It asks for the lead or who works on the case.
func (s *Service) TellContacts(ctx context.Context, by polder.Actor, id CaseID, stage string, preview bool) ([]ContactPoint, error) {
	if !slices.Contains(sharedStages, stage) {
		return nil, polder.Errorf(polder.Invalid, "stage: %q is none of %s", exportClip(stage, 40), strings.Join(sharedStages, ", "))
	}
	points, err := s.ContactPoints(ctx, by)
	if err != nil {
		return nil, err
	}
	v, items, err := s.sharedWhole(ctx, by, id, PartWork, stix.Clear)
	if err != nil {
		return nil, err
	}
	points = slices.DeleteFunc(points, func(p ContactPoint) bool { return !slices.Contains(v.Countries, p.Country) })
	if preview || len(points) == 0 {
		return points, nil
	}
	have, err := listSharings(s.committed(ctx), id, false)
	if err != nil {
		return nil, err
	}
	for _, p := range points {
		n := slices.IndexFunc(have, func(sh Sharing) bool { return sh.Part == PartContact && sh.Country == p.Country && sh.Org == p.Org })
		sh, isNew := Sharing{}, n < 0
		if isNew {
			if sh, _, err = s.sharingOf(ctx, by, SharingAsk{Case: id, Community: p.Community, Org: p.Org, Part: PartContact, Ceiling: v.Level}); err != nil {
				return nil, err
			}
			sh.Part, sh.Country = PartContact, p.Country
		} else {
			sh = have[n]
		}
		sh.stage = stage
		if _, err := s.keepSharing(ctx, by, v.Case, items, sh, true, false, isNew); err != nil {
			return nil, err
		}
	}
	return points, nil
}
