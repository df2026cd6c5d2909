package cases

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// CaseOrphan is a case that nobody who may work leads any more: all that a steward sees of it.
type CaseOrphan struct {
	Case  string    `json:"case"`  // what stands for it, and tells nothing
	Since time.Time `json:"since"` // the day on which it was opened
}

// CaseOrphanList are the cases of an organisation that nobody leads any more.
type CaseOrphanList struct {
	Cases []CaseOrphan `json:"cases"`
}

// CaseOrphanLead hands such a case to a colleague.
type CaseOrphanLead struct {
	Case   string          `json:"case"`
	Person polder.PersonID `json:"person"` // who leads it from now on
	Reason string          `json:"reason"` // for whoever reads the history of the case
}

// caseOrphansMost is how many of them are shown at once; the next ones follow when these were handed over.
const (
	caseOrphansMost  = 100
	caseOrphanReason = 1000
)

// orphanSteward is a steward who asks for cases that nobody leads.
func (s *Service) orphanSteward(ctx context.Context, by polder.Actor) (caseViewer, error) {
	v, err := s.caseViewer(ctx, by)
	if err == nil && v.role < polder.RoleSteward {
		err = polder.Errorf(polder.Forbidden, "your role is %s; this asks for steward", by.Role)
	}
	return v, err
}

// OrphanedCases are the cases of the steward's organisation whose leads are all disabled or gone, the oldest first. It
// tells nothing of them but the day on which each was opened.
func (s *Service) OrphanedCases(ctx context.Context, by polder.Actor) ([]CaseOrphan, error) {
	out := []CaseOrphan{}
	v, err := s.orphanSteward(ctx, by)
	if err != nil {
		return out, err
	}
	all, err := s.orphans(ctx, s.committed(ctx), v.org)
	for _, r := range all[:min(len(all), caseOrphansMost)] {
		out = append(out, CaseOrphan{s.orphanName(v.org, r.ID), r.Opened.Truncate(24 * time.Hour)})
	}
	return out, err
}

// orphanName stands for a case towards the stewards of its organisation.
func (s *Service) orphanName(org polder.OrgID, id CaseID) string {
	return hex.EncodeToString(reportKey(reportKey(s.o.Secret, "polder orphaned case 1"), string(org)+"\n"+string(id))[:16])
}

// orphans are the cases of an organisation that nobody leads who sees all of it and may work.
func (s *Service) orphans(ctx context.Context, a db.Querier, org polder.OrgID) ([]caseHeld, error) {
	leads, err := caseLeads(a, org)
	if err != nil {
		return nil, err
	}
	working := []polder.PersonID{}
	for _, person := range leads {
		works, err := s.o.Accounts.Works(ctx, person, org)
		if err != nil {
			return nil, err
		}
		if works {
			working = append(working, person)
		}
	}
	if len(working) == len(leads) {
		return nil, nil
	}
	list, err := json.Marshal(working)
	if err != nil {
		return nil, err
	}
	return casesNotLedBy(a, org, string(list))
}

// HandOver makes a colleague lead a case that nobody leads any more, with a ceiling of TLP:RED. The steward does not see the
// case by that, and cannot name themselves. Its former leads stay in it: who comes back reads who handed it over, to whom
// and why. The stewards' audit says that a case was handed to that colleague.
func (s *Service) HandOver(ctx context.Context, by polder.Actor, in CaseOrphanLead) error {
	v, err := s.orphanSteward(ctx, by)
	if err != nil {
		return err
	}
	if in.Reason = strings.TrimSpace(in.Reason); in.Reason == "" {
		return polder.Errorf(polder.Invalid, "reason: is empty; say why, for whoever reads the history of the case")
	}
	if !utf8.ValidString(in.Reason) || utf8.RuneCountInString(in.Reason) > caseOrphanReason {
		return polder.Errorf(polder.TooLarge, "reason: has more than %d characters, or is no text; write it shorter", caseOrphanReason)
	}
	if err := s.mayInherit(ctx, by, v, in.Person); err != nil {
		return err
	}
	return s.caseWrite(ctx, func(tx *db.Tx) error {
		all, err := s.orphans(ctx, tx, v.org)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(r caseHeld) bool {
			return hmac.Equal([]byte(s.orphanName(v.org, r.ID)), []byte(in.Case))
		})
		if at < 0 {
			return polder.Errorf(polder.NotFound, "case: there is none of that name that nobody leads; look at the list again")
		}
		return s.handOver(tx, by, v, all[at], in)
	})
}

// mayInherit checks that a person may be handed a case by a steward.
func (s *Service) mayInherit(ctx context.Context, by polder.Actor, v caseViewer, person polder.PersonID) error {
	people, err := s.o.Accounts.Colleagues(ctx, by)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(people, func(c Colleague) bool { return c.ID == person })
	switch {
	case person == v.person:
		return polder.Errorf(polder.Forbidden, "person: nobody hands a case to themselves; name a colleague, or ask another steward")
	case at < 0:
		return polder.Errorf(polder.Invalid, "person: is nobody of your organisation who may work; name a colleague")
	case people[at].Role.OnObjects() < polder.RoleContributor:
		return polder.Errorf(polder.Invalid, "person: has a role that reads, and leading asks for contributor; name another colleague")
	}
	return nil
}

func (s *Service) handOver(tx *db.Tx, by polder.Actor, v caseViewer, r caseHeld, in CaseOrphanLead) error {
	members, err := listMembers(tx, r.n)
	if err != nil {
		return err
	}
	next := Member{Person: in.Person, Part: PartLead, Ceiling: stix.Red, Since: s.caseNow(), By: v.person}
	if at := slices.IndexFunc(members, func(m Member) bool { return m.Person == in.Person }); at >= 0 {
		next.Since, next.By = members[at].Since, members[at].By
	}
	if err := setMember(tx, r.n, next); err != nil {
		return err
	}
	if err := s.caseNoteAt(tx, by, v, r.n, r.ID, CaseRevision{What: "member", Did: "handed", Reason: in.Reason, Level: stix.Clear, Member: &next}); err != nil {
		return err
	}
	e := audit.EntryOf(by)
	e.Action, e.Object, e.Narrow = "case.handed-over", string(in.Person), true
	return s.o.Audit.Append(tx, e)
}
