package cases

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
)

// caseViewer says who by is; [polder.ErrForbidden] for who reads no objects.
func (s *Service) caseViewer(ctx context.Context, by polder.Actor) (caseViewer, error) {
	if by.Org == "" || by.Role.OnObjects() < polder.RoleReader {
		return caseViewer{}, polder.Errorf(polder.Forbidden, "cases are for people and tokens of an organisation, with a role that reads; who manages the node sees none")
	}
	person, err := s.o.Accounts.Doer(ctx, by)
	if err != nil {
		return caseViewer{}, err
	}
	return caseViewer{person, by.Org, by.Role.OnObjects()}, nil
}

// caseAt is a case and what the viewer may do in it, unredacted ([Case.seenWith] says what of it is seen):
// [polder.ErrNotFound] for who was not let in, [polder.ErrForbidden] for who may not do what need says. Ask it in the
// transaction that changes something.
func (s *Service) caseAt(a db.Querier, v caseViewer, id CaseID, need Part) (Case, Access, error) {
	r, x, err := caseRowAt(a, v, id, need)
	return r.Case, x, err
}

// caseRowAt is caseAt with the number of the case.
func caseRowAt(a db.Querier, v caseViewer, id CaseID, need Part) (caseHeld, Access, error) {
	r, err := readSeat(a, v, id)
	if err != nil {
		return caseHeld{}, Access{}, err
	}
	x := v.access(r.Case, r.member)
	switch {
	case x.Part == "":
		return caseHeld{}, Access{}, errNoCase
	case x.Part == PartContact && need != PartContact:
		return caseHeld{}, Access{}, polder.Errorf(polder.Forbidden, "a contact point sees the header of a case and nothing else")
	case !x.May(need) && r.member.Part.rank() >= need.rank():
		return caseHeld{}, Access{}, polder.Errorf(polder.Forbidden, "your role reads; changing a case asks for the role contributor")
	case !x.May(need):
		return caseHeld{}, Access{}, polder.Errorf(polder.Forbidden, "your part in this case is %s; this asks for %s", x.Part, need)
	}
	return r, x, nil
}

// caseFieldsAt is caseRowAt for what concerns the case's own fields, which must be within the ceiling.
func caseFieldsAt(a db.Querier, v caseViewer, id CaseID, need Part) (caseHeld, Access, error) {
	r, x, err := caseRowAt(a, v, id, need)
	if err == nil && !x.sees(r.Level) {
		err = polder.Errorf(polder.Forbidden, "the case's own fields are marked stricter than your ceiling, %s; a lead can raise it", x.Ceiling.Label())
	}
	return r, x, err
}

// caseWriter runs a change in a transaction.
type caseWriter func(context.Context, func(*db.Tx) error) error

// caseWrite runs what makes the database grow, where the disk has room for it. What takes something away is written
// whatever room there is.
func (s *Service) caseWrite(ctx context.Context, fn func(*db.Tx) error) error {
	if err := s.o.DB.Room(); err != nil {
		return err
	}
	return s.o.DB.Write(ctx, fn)
}

// caseNow is the time of a change.
func (s *Service) caseNow() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// caseNote keeps in the history of a case, and in the audit, that somebody did something with it: r.What and r.Did are
// words, and r.Level is that of all that r holds. r.Version and r.At may be left out.
func (s *Service) caseNote(tx *db.Tx, by polder.Actor, v caseViewer, id CaseID, r CaseRevision) error {
	row, err := readCase(tx, id)
	if err != nil {
		return err
	}
	return s.caseNoteAt(tx, by, v, row.n, id, r)
}

// caseNoteAt is caseNote where the number of the case is known.
func (s *Service) caseNoteAt(tx *db.Tx, by polder.Actor, v caseViewer, n int64, id CaseID, r CaseRevision) error {
	if r.At.IsZero() {
		r.At = s.caseNow()
	}
	if err := insertRevision(tx, n, v, r); err != nil {
		return err
	}
	tx.OnCommit(s.tell)
	return s.caseAudit(tx, by, "case."+r.What+"."+r.Did, string(id))
}

// caseAudit writes the audit entry of what somebody did, by ids alone. It names no organisation, and so nobody of one
// reads it in the pages of the audit: that a colleague works on a case is for the members of the case, who read it in the
// case's history.
func (s *Service) caseAudit(tx *db.Tx, by polder.Actor, action, object string) error {
	return s.o.Audit.Append(tx, audit.Entry{Person: by.Person, Token: by.Token, Action: action, Object: object, Narrow: true})
}

// announceTx lets contact points see the header of a case from now on: an early warning was sent.
func (s *Service) announceTx(tx *db.Tx, id CaseID) error {
	r, err := readCase(tx, id)
	if err != nil || !r.Announced.IsZero() {
		return err
	}
	r.Announced = s.caseNow()
	tx.OnCommit(s.tell)
	return updateCase(tx, r.n, r.Case)
}

// newCaseUUID is a UUIDv4 of the service's source of randomness.
func (s *Service) newCaseUUID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.o.Rand, b[:]); err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
