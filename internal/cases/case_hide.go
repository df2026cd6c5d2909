package cases

import (
	"context"
	"slices"

	"github.com/polder-exchange/polder"
)

// caseHider takes from what somebody reads of a case the persons of other organisations, and organisations other than the
// reader's and the case's own: who else belongs to a case is for its lead.
type caseHider struct {
	s     *Service
	ctx   context.Context
	v     caseViewer
	org   polder.OrgID // of the case
	known map[polder.PersonID]polder.OrgID
}

func (s *Service) caseHider(ctx context.Context, v caseViewer, caseOrg polder.OrgID) *caseHider {
	return &caseHider{s, ctx, v, caseOrg, map[polder.PersonID]polder.OrgID{}}
}

// persons empties those who are of another organisation than the reader.
func (h *caseHider) persons(all ...*polder.PersonID) error {
	for _, p := range all {
		if *p == "" || *p == h.v.person {
			continue
		}
		org, ok := h.known[*p]
		if !ok {
			var err error
			if _, org, err = h.s.o.Accounts.Named(h.ctx, *p); err != nil && polder.KindOf(err) != polder.NotFound {
				return err
			}
			h.known[*p] = org
		}
		if org != h.v.org {
			*p = ""
		}
	}
	return nil
}

// orgs empties those that the reader is not to know of.
func (h *caseHider) orgs(all ...*polder.OrgID) {
	for _, o := range all {
		if h.v.org != h.org && *o != h.v.org && *o != h.org {
			*o = ""
		}
	}
}

// item hides in an item, and in nothing else that points to its parts.
func (h *caseHider) item(it *Item) error {
	h.orgs(&it.Org)
	all := []*polder.PersonID{&it.MadeBy, &it.By}
	if it.Task != nil {
		t := *it.Task
		it.Task = &t
		all = append(all, &t.Owner)
	}
	if it.Decision != nil {
		d := *it.Decision
		it.Decision = &d
		all = append(all, &d.Person)
	}
	if it.Evidence != nil {
		e := *it.Evidence
		e.Custody = slices.Clone(e.Custody)
		if e.Custody == nil {
			e.Custody = []Custody{}
		}
		it.Evidence = &e
		for i := range e.Custody {
			all = append(all, &e.Custody[i].Person)
		}
	}
	return h.persons(all...)
}

// revision hides in a line of the history.
func (h *caseHider) revision(r *CaseRevision) error {
	h.orgs(&r.Org)
	all := []*polder.PersonID{&r.By}
	if r.Case != nil {
		all = append(all, &r.Case.OpenedBy)
		if h.v.org != h.org {
			r.Case.Report = ""
		}
	}
	if r.Member != nil {
		all = append(all, &r.Member.By, &r.Member.Person)
	}
	if r.Damage != nil {
		all = append(all, &r.Damage.AssessedBy)
	}
	if r.Of != nil {
		if err := h.item(r.Of); err != nil {
			return err
		}
	}
	return h.persons(all...)
}
