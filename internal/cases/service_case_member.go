package cases

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// Members are those who were let into a case. People of another organisation see themselves and nobody else; a contact
// point sees none.
func (s *Service) Members(ctx context.Context, by polder.Actor, id CaseID) ([]Member, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	a := s.committed(ctx)
	r, x, err := caseRowAt(a, v, id, PartRead)
	if err != nil {
		return nil, err
	}
	all, err := listMembers(a, r.n)
	if err != nil {
		return nil, err
	}
	if !x.Own {
		all = slices.DeleteFunc(all, func(m Member) bool { return m.Org != v.org })
	}
	names, hide := s.orgNames(ctx), s.caseHider(ctx, v, r.Org)
	for i := range all {
		if err := s.nameMember(ctx, &all[i], names); err != nil {
			return nil, err
		}
		if err := hide.persons(&all[i].By); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// nameMember says what a member is called. A person who is not there any more has its id for a name.
func (s *Service) nameMember(ctx context.Context, m *Member, names func(polder.OrgID) (string, error)) (err error) {
	if m.Org != "" {
		m.Name, err = names(m.Org)
		return err
	}
	m.Name, _, err = s.o.Accounts.Named(ctx, m.Person)
	if err != nil && polder.KindOf(err) == polder.NotFound {
		m.Name, err = string(m.Person), nil
	}
	return err
}

// firstMembers checks those who are let in when a case is opened.
func (s *Service) firstMembers(ctx context.Context, c Case, all []CaseWithWhom) (out []Member, err error) {
	if len(all) > maxCaseMembers {
		return nil, polder.Errorf(polder.TooLarge, "members: %d are too many; at most %d", len(all), maxCaseMembers)
	}
	for _, m := range all {
		if m.Person == c.OpenedBy && m.Person != "" {
			continue // leads anyway
		}
		if err := s.checkMember(ctx, c, m); err != nil {
			return nil, err
		}
		out = append(out, Member{Person: m.Person, Org: m.Org, Part: m.Part, Ceiling: m.Ceiling})
	}
	return out, nil
}

// checkMember checks that somebody may be a member: a person of the case's organisation, or another organisation of the node.
func (s *Service) checkMember(ctx context.Context, c Case, m CaseWithWhom) error {
	if err := m.check(c); err != nil {
		return err
	}
	var err error
	if m.Org != "" {
		_, err = s.o.Accounts.Org(ctx, m.Org)
	} else {
		var org polder.OrgID
		if _, org, err = s.o.Accounts.Named(ctx, m.Person); err == nil && org != c.Org {
			err = polder.ErrNotFound
		}
	}
	if err != nil && polder.KindOf(err) == polder.NotFound {
		return polder.Errorf(polder.Invalid, "member: %.60q is neither a person of your organisation nor an organisation of this node", string(m.Person)+string(m.Org))
	}
	return err
}

// SetMember lets somebody into a case, or gives a member another part or ceiling. It asks for the lead, who grants nothing
// above the own ceiling and changes nobody who sees more. One lead who sees everything stays.
func (s *Service) SetMember(ctx context.Context, by polder.Actor, id CaseID, m CaseWithWhom) ([]Member, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return nil, err
	}
	c, _, err := s.caseAt(s.committed(ctx), v, id, PartLead)
	if err != nil {
		return nil, err
	}
	if err := s.checkMember(ctx, c, m); err != nil {
		return nil, err
	}
	err = s.caseWrite(ctx, func(tx *db.Tx) error {
		r, x, err := caseRowAt(tx, v, id, PartLead)
		if err != nil {
			return err
		}
		all, err := listMembers(tx, r.n)
		if err != nil {
			return err
		}
		next := Member{Person: m.Person, Org: m.Org, Part: m.Part, Ceiling: m.Ceiling, Since: s.caseNow(), By: v.person}
		at := slices.IndexFunc(all, func(h Member) bool { return h.Person == m.Person && h.Org == m.Org })
		did, had := "added", Member{}
		if at >= 0 {
			did, had = "changed", all[at]
			next.Since, next.By = had.Since, had.By
			all[at] = next
		} else {
			all = append(all, next)
		}
		if len(all) > maxCaseMembers {
			return polder.Errorf(polder.Conflict, "this case has %d members, as many as one has; take one out first", maxCaseMembers)
		}
		if err := x.mayGrant(next, had); err != nil {
			return err
		}
		if !ledBy(all) {
			return errLastLead
		}
		if err := setMember(tx, r.n, next); err != nil {
			return err
		}
		return s.caseNoteAt(tx, by, v, r.n, id, CaseRevision{What: "member", Did: did, Level: stix.Clear, Member: &next})
	})
	if err != nil {
		return nil, err
	}
	return s.Members(ctx, by, id)
}

var errLastLead = polder.Errorf(polder.Conflict, "somebody must lead this case who sees everything in it; make another person lead with the ceiling TLP:RED first")

// RemoveMember ends the sight of a member with the next request. It asks for the lead; anybody may leave. A lead with the
// ceiling TLP:RED stays. What was shared with an organisation that is taken out is taken back; one that leaves by itself
// keeps what its owner shares, until the owner stops that.
func (s *Service) RemoveMember(ctx context.Context, by polder.Actor, id CaseID, person polder.PersonID, org polder.OrgID) error {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return err
	}
	if (person == "") == (org == "") {
		return polder.Errorf(polder.Invalid, "member: name either a person or an organisation")
	}
	own := false
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		r, x, err := caseRowAt(tx, v, id, PartContact)
		if err != nil {
			return err
		}
		own = x.Own
		self := x.Own && person == v.person || !x.Own && org == v.org && v.role >= polder.RoleContributor
		if !x.Own && org != v.org && x.Part != PartLead {
			return polder.Errorf(polder.Forbidden, "who belongs to a case is the lead's to say; ask the lead")
		}
		all, err := listMembers(tx, r.n)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(h Member) bool { return h.Person == person && h.Org == org })
		if !self {
			had := Member{}
			if at >= 0 {
				had = all[at]
			}
			if err := x.mayGrant(Member{}, had); err != nil {
				return err
			}
		}
		if at < 0 {
			return polder.Errorf(polder.NotFound, "no such member of this case")
		}
		gone := all[at]
		if !ledBy(slices.Delete(all, at, at+1)) {
			return errLastLead
		}
		if err := deleteMember(tx, r.n, gone); err != nil {
			return err
		}
		return s.caseNoteAt(tx, by, v, r.n, id, CaseRevision{What: "member", Did: "removed", Level: stix.Clear, Member: &gone})
	})
	if err != nil || org == "" || !own {
		return err
	}
	return s.stopSharingWith(ctx, by, id, org)
}
