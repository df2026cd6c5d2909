package cases

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/blob"
	"github.com/polder-exchange/polder/internal/db"
)

// Bounds of custody. Whoever opens a file over and over comes to an end alone: others still open it, and the steps that
// are work on the evidence always have room.
const (
	maxCustody       = 5_000 // steps of one piece of evidence
	maxCustodyOpened = 4_000 // of them that it was opened
	maxOpenedPerson  = 500   // by one person
	maxOpenedOrg     = 1_000 // by all of an organisation that is not the case's own
)

// evidenceOwner names an item to the store of files.
func evidenceOwner(item string) string { return "case-item:" + item }

// AddEvidence stores a file as evidence, with its hash and the first step of its custody. It is never rendered. At most
// [MaxEvidence] bytes, or what the node's store takes. n.Evidence holds its name and, as far as known, its media type.
func (s *Service) AddEvidence(ctx context.Context, by polder.Actor, id CaseID, n Item, r io.Reader) (Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return Item{}, err
	}
	n.Kind = ItemEvidence
	if n.Evidence == nil {
		n.Evidence = &Evidence{}
	}
	e := Evidence{Name: n.Evidence.Name, Where: n.Evidence.Where, Type: n.Evidence.Type}
	if e.Name, err = evidenceName(e.Name); err != nil {
		return Item{}, err
	}
	c, _, err := s.caseAt(s.committed(ctx), v, id, PartWork) // before a byte is stored
	if err != nil {
		return Item{}, err
	}
	if c.Status == StatusClosed {
		return Item{}, errCaseClosed
	}
	hash, size, err := s.o.Blobs.Put(ctx, io.LimitReader(r, MaxEvidence+1))
	switch {
	case err != nil:
		return Item{}, err
	case size > MaxEvidence:
		return Item{}, polder.Errorf(polder.TooLarge, "the file is larger than %d MiB; keep it where it is, and add it as a thing with its place and hash", MaxEvidence>>20)
	case size == 0:
		return Item{}, polder.Errorf(polder.Invalid, "the file is empty; choose another one")
	}
	e.Size, e.SHA256 = size, hash.String()
	n.Evidence = &e
	return s.addItem(ctx, by, id, n, func(tx *db.Tx, it Item) error { return s.o.Blobs.Ref(tx, hash, evidenceOwner(it.ID)) })
}

// OpenEvidence hands a file out, which is a step of its custody, written before a byte is read. The caller closes it, and
// gives it as a download that no browser shows.
func (s *Service) OpenEvidence(ctx context.Context, by polder.Actor, id CaseID, item, reason string) (io.ReadSeekCloser, Item, error) {
	it, err := s.addCustody(ctx, by, id, item, PartRead, Custody{Did: "opened", Reason: reason})
	if err != nil {
		return nil, it, err
	}
	hash, err := blob.ParseHash(it.Evidence.SHA256)
	if err != nil {
		return nil, it, err
	}
	f, err := s.o.Blobs.Open(ctx, hash)
	return f, it, err
}

// AddCustody adds a step to the custody of evidence: handed over (and to whom), copied, returned or destroyed.
func (s *Service) AddCustody(ctx context.Context, by polder.Actor, id CaseID, item string, c Custody) (Item, error) {
	if !slices.Contains(custodySteps, c.Did) {
		return Item{}, polder.Errorf(polder.Invalid, "did: %.40q is no step that a person writes; use one of %s", c.Did, strings.Join(custodySteps, ", "))
	}
	if c.Did == "handed over" && strings.TrimSpace(c.To) == "" {
		return Item{}, polder.Errorf(polder.Invalid, "to: is empty; say to whom it was handed over")
	}
	return s.addCustody(ctx, by, id, item, PartWork, c)
}

func (s *Service) addCustody(ctx context.Context, by polder.Actor, id CaseID, item string, need Part, c Custody) (Item, error) {
	v, err := s.caseViewer(ctx, by)
	if err != nil {
		return Item{}, err
	}
	if c.To, err = caseLine("to", c.To, maxCaseWords, false); err != nil {
		return Item{}, err
	}
	if c.Reason, err = caseLine("reason", c.Reason, maxCaseWords, false); err != nil {
		return Item{}, err
	}
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		_, it, x, err := itemRowAt(tx, v, id, item, need)
		switch {
		case err != nil:
			return err
		case it.Evidence == nil:
			return polder.Errorf(polder.Invalid, "this is no evidence; only evidence has custody")
		case it.Erased:
			return polder.Errorf(polder.Conflict, "the content of this evidence was erased")
		case c.Did == "opened" && it.Evidence.SHA256 == "":
			return polder.Errorf(polder.Invalid, "this is a thing, not a file; it lies at the place that is written with it")
		}
		var steps int
		var last int64
		if err := tx.QueryRow(`SELECT count(*), coalesce(max(at), 0) FROM cases_custody WHERE item_n = ?`, it.n).Scan(&steps, &last); err != nil {
			return err
		}
		if steps >= maxCustody {
			return polder.Errorf(polder.Conflict, "this evidence has %d steps of custody, as many as are kept", steps)
		}
		if c.Did == "opened" {
			if err := mayOpenAgain(tx, it.n, v, x.Own); err != nil {
				return err
			}
		}
		if c.At = s.caseNow(); c.At.Before(caseTime(last)) {
			c.At = caseTime(last) // a clock that is set back changes no order
		}
		if err := insertCustody(tx, it.n, v, c); err != nil {
			return err
		}
		tx.OnCommit(s.tell)
		return s.caseAudit(tx, by, "case.evidence."+strings.ReplaceAll(c.Did, " ", "-"), string(id))
	})
	if err != nil {
		return Item{}, err
	}
	return s.oneItem(ctx, s.committed(ctx), v, id, item)
}

// mayOpenAgain refuses who has opened a file so often that there would soon be no room for others to.
func mayOpenAgain(tx *db.Tx, item int64, v caseViewer, own bool) error {
	var all, person, org int
	err := tx.QueryRow(`SELECT count(*), coalesce(sum(person = ?2 AND org = ?3), 0), coalesce(sum(org = ?3), 0) FROM cases_custody WHERE item_n = ?1 AND did = 'opened'`,
		item, string(v.person), string(v.org)).Scan(&all, &person, &org)
	switch {
	case err != nil:
		return err
	case person >= maxOpenedPerson, !own && org >= maxOpenedOrg, all >= maxCustodyOpened:
		return polder.Errorf(polder.Limited, "this evidence was opened %d times by you and %d times in all, and each is a step of its custody; ask a colleague, or work on the copy that you have", person, all)
	}
	return nil
}
