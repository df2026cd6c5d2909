package screen

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
)

// Grounds lists why a person may erase something.
var Grounds = []Ground{GroundRequest, GroundMistake, GroundEnded}

// erasedAtOnce is how many reviews, or rows of one kind, one transaction takes away.
const erasedAtOnce = 50

// mayErase checks who erases, and why.
func mayErase(by polder.Actor, g Ground) error {
	if err := mayScreen(by, polder.RoleSteward); err != nil {
		return err
	}
	if !slices.Contains(Grounds, g) {
		return polder.Errorf(polder.Invalid, "ground: %.40q is unknown; use request, mistake or ended", g)
	}
	return nil
}

// EraseParty erases a party, known or removed, and its whole history: its fields, the answers, reviews, snapshots and
// decisions about it, and what was kept of queries with the very same fields about nobody known. What is left is a
// [Tombstone], and the audit, which has ids alone. After an error some of it may be gone; erasing again goes on. It asks
// for a steward.
func (s *Service) EraseParty(ctx context.Context, by polder.Actor, id string, g Ground) (Tombstone, error) {
	if err := mayErase(by, g); err != nil {
		return Tombstone{}, err
	}
	var subjects []string
	n, err := s.beginErasing(ctx, by, "party.erase", id, g, func(tx *db.Tx) error {
		p, err := readParty(tx, by.Org, id)
		if err != nil {
			return err
		}
		subjects = []string{subjectOf(p.ID, ""), subjectOf("", p.fingerprint)}
		if p.against == -1 {
			return nil
		}
		p.Removed, p.against, p.Version = s.o.Now().UTC(), -1, p.Version+1 // so that nobody asks about it meanwhile
		return updateParty(tx, p)
	})
	if err != nil {
		return Tombstone{}, err
	}
	return s.erase(ctx, by.Org, n, subjects, id)
}

// EraseScreening erases an answer on record. One about nobody known goes with all that is kept of the same query: its
// other answers, reviews, decisions and rows of batches. It asks for a steward.
func (s *Service) EraseScreening(ctx context.Context, by polder.Actor, id string, g Ground) (Tombstone, error) {
	if err := mayErase(by, g); err != nil {
		return Tombstone{}, err
	}
	var subjects []string
	n, err := s.beginErasing(ctx, by, "screen.erase", id, g, func(tx *db.Tx) error {
		k, err := scanScreening(tx.QueryRow(selectScreening+`WHERE id = ? AND org = ?`, id, string(by.Org)))
		if err != nil {
			return err
		}
		if k.Party != "" {
			return polder.Errorf(polder.Conflict, "this answer is about a known party; erase the party, and its whole history goes")
		}
		subjects = []string{subjectOf("", QueryFingerprint(k.Query))}
		return nil
	})
	if err != nil {
		return Tombstone{}, err
	}
	return s.erase(ctx, by.Org, n, subjects, "")
}

// EraseReview erases a review about nobody known, with all that is kept of the same query, as
// [Service.EraseScreening] does. It asks for a steward.
func (s *Service) EraseReview(ctx context.Context, by polder.Actor, id string, g Ground) (Tombstone, error) {
	if err := mayErase(by, g); err != nil {
		return Tombstone{}, err
	}
	var subjects []string
	n, err := s.beginErasing(ctx, by, "review.erase", id, g, func(tx *db.Tx) error {
		r, err := readReview(tx, by.Org, id)
		if err != nil {
			return err
		}
		if r.Party != "" {
			return polder.Errorf(polder.Conflict, "this review is about a known party; erase the party, and its whole history goes")
		}
		subjects = []string{subjectOf("", r.asked)}
		return nil
	})
	if err != nil {
		return Tombstone{}, err
	}
	return s.erase(ctx, by.Org, n, subjects, "")
}

// beginErasing notes who erases what and sets the tombstone, in the transaction that looks whether it may go.
func (s *Service) beginErasing(ctx context.Context, by polder.Actor, action, id string, g Ground, look func(tx *db.Tx) error) (n int64, err error) {
	err = s.write(ctx, func(tx *db.Tx) error {
		if err := look(tx); err != nil {
			return err
		}
		if n, err = insertTombstone(tx, by.Org, Tombstone{At: s.o.Now(), By: whoActs(by), Ground: g}); err != nil {
			return err
		}
		return s.noteTx(tx, by, action, id, map[string]string{"ground": string(g)})
	})
	return n, err
}

// erase takes subjects away, some at a time, and at last the party.
func (s *Service) erase(ctx context.Context, org polder.OrgID, tombstone int64, subjects []string, party string) (Tombstone, error) {
	for more := true; more; {
		err := s.write(ctx, func(tx *db.Tx) error {
			var gone Tombstone
			more = false
			for _, subject := range subjects {
				ns, err := reviewsOfSubject(tx, org, subject, erasedAtOnce)
				if err != nil {
					return err
				}
				t, err := dropReviews(tx, ns)
				if err != nil {
					return err
				}
				if t.Screenings, err = dropScreenings(tx, org, subject, erasedAtOnce); err != nil {
					return err
				}
				if t.Rows, err = dropSubjectRows(tx, org, subject, erasedAtOnce); err != nil {
					return err
				}
				more = more || len(ns) > 0 || t.Screenings > 0 || t.Rows > 0
				gone.Reviews, gone.Decisions, gone.Screenings, gone.Rows = gone.Reviews+t.Reviews, gone.Decisions+t.Decisions, gone.Screenings+t.Screenings, gone.Rows+t.Rows
			}
			if !more && party != "" {
				var err error
				if gone.Parties, err = deleteParty(tx, org, party); err != nil {
					return err
				}
			}
			tx.OnCommit(s.wake)
			return addTombstone(tx, tombstone, gone)
		})
		if err != nil {
			return Tombstone{}, err
		}
	}
	return readTombstone(s.reader(ctx), tombstone)
}

// Tombstones are what is left of what was erased, the newest first; at most limit.
func (s *Service) Tombstones(ctx context.Context, by polder.Actor, limit int) ([]Tombstone, error) {
	if err := mayScreen(by, polder.RoleReader); err != nil {
		return nil, err
	}
	return listTombstones(s.reader(ctx), by.Org, min(max(limit, 1), 200))
}

// pruneEvery is how often what is kept too long is looked for.
const pruneEvery = 6 * time.Hour

// Prune takes away what was kept as long as each organisation's settings say, and leaves tombstones. What is decided of
// known parties is kept while they are known. Each call takes a bounded number of short transactions.
func (s *Service) Prune(ctx context.Context) (gone int, err error) {
	orgs, err := keepingOrgs(s.reader(ctx))
	if err != nil {
		return 0, err
	}
	var faults []error
	for _, org := range orgs {
		n, err := s.pruneOrg(ctx, org)
		gone += n
		faults = append(faults, err)
	}
	return gone, errors.Join(faults...)
}

// pruneSteps bounds the transactions of one call for one organisation.
const pruneSteps = 2_000

func (s *Service) pruneOrg(ctx context.Context, org polder.OrgID) (gone int, err error) {
	var tombstone int64
	for range pruneSteps {
		n := 0
		err := s.write(ctx, func(tx *db.Tx) error {
			t, count, err := s.pruneSome(tx, org)
			if err != nil || count == 0 {
				return err
			}
			n = count
			if t == (Tombstone{}) {
				return nil
			}
			if tombstone != 0 {
				return addTombstone(tx, tombstone, t)
			}
			t.At, t.Ground = s.o.Now(), GroundExpired
			id, err := insertTombstone(tx, org, t)
			tx.OnCommit(func() { tombstone = id })
			return err
		})
		if err != nil || n == 0 {
			return gone, err
		}
		gone += n
	}
	return gone, nil
}

// pruneSome takes some of what an organisation kept too long away.
func (s *Service) pruneSome(tx *db.Tx, org polder.OrgID) (t Tombstone, n int, err error) {
	set, err := settingsOf(tx, org)
	if err != nil {
		return t, 0, err
	}
	day := 24 * time.Hour
	decided, undecided := s.o.Now().Add(-time.Duration(set.KeepDecided)*day), s.o.Now().Add(-time.Duration(set.KeepUndecided)*day)
	old, err := expiredReviews(tx, org, false, decided, erasedAtOnce)
	if err != nil {
		return t, 0, err
	}
	waiting, err := expiredReviews(tx, org, true, undecided, erasedAtOnce)
	if err != nil {
		return t, 0, err
	}
	t, err = dropReviews(tx, append(old, waiting...))
	if err != nil {
		return t, 0, err
	}
	more, n, err := dropExpired(tx, org, decided, 4*erasedAtOnce)
	t.Screenings, t.Parties, t.Rows = more.Screenings, more.Parties, more.Rows
	return t, n + t.Reviews, err
}
