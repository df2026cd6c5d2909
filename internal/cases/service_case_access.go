package cases

import (
	"context"
	"database/sql"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/stix"
)

// caseViewer is who asks about cases: a person, through the console, the command line or a token.
type caseViewer struct {
	person polder.PersonID
	org    polder.OrgID
	role   polder.Role
}

// caseReads is a transaction, or whatever reads as one does.
type caseReads interface {
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

// caseViewer says who by is; [polder.ErrForbidden] for who reads no objects.
func (s *Service) caseViewer(ctx context.Context, by polder.Actor) (v caseViewer, err error) { return }

// caseReader reads what is committed.
func (s *Service) caseReader(ctx context.Context) caseReads { return nil }

// caseAt is a case and what the viewer may do in it, unredacted: [polder.ErrNotFound] for who was not let in,
// [polder.ErrForbidden] for who may not do what need says. Ask it in the transaction that changes something.
func (s *Service) caseAt(a caseReads, v caseViewer, id CaseID, need Part) (c Case, x Access, err error) {
	return
}

// sees tells whether what is marked so is seen.
func (x Access) sees(level stix.Marking) bool { return false }

// caseNote keeps in the history of a case, and in the audit, that somebody did something with it: what is a word such as
// "deadline", and nothing in reason is hidden from who sees level. It also marks the case as changed.
func (s *Service) caseNote(tx *db.Tx, by polder.Actor, v caseViewer, id CaseID, r CaseRevision) (err error) {
	return
}

// announceTx lets contact points see the header of a case from now on: an early warning was sent.
func (s *Service) announceTx(tx *db.Tx, id CaseID) (err error) { return }
