package cases

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
)

// PurposeRelock is that of the box which only who holds a key can open, before its lock may be changed.
const PurposeRelock = "relock"

// ReportKeyChallenge is a box sealed to a key, with purpose [PurposeRelock].
type ReportKeyChallenge struct {
	Box seal.Box `json:"box"`
}

// ReportKeyRelock is a key of one's own with another lock.
type ReportKeyRelock struct {
	Locked seal.LockedKey `json:"locked"`
	Proof  string         `json:"proof"` // what the box of the challenge holds, in base64
}

// relockProof is what who opens a key can read in its challenge. It is another one as soon as the lock is.
func (s *Service) relockProof(k ownKeyRow) ([]byte, error) {
	lock, err := json.Marshal(k.Locked)
	if err != nil {
		return nil, err
	}
	return reportKey(reportKey(s.o.Secret, "polder relock 1"), string(k.person)+"\n"+string(lock)), nil
}

// ownKey is a key of person.
func ownKey(q db.Querier, person polder.PersonID, id seal.KeyID) (ownKeyRow, error) {
	all, err := personKeys(q, person)
	if err != nil {
		return ownKeyRow{}, err
	}
	i := slices.IndexFunc(all, func(k ownKeyRow) bool { return k.ID == id })
	if i < 0 {
		return ownKeyRow{}, polder.Errorf(polder.NotFound, "you have no key of that id; look at /api/v1/reports/keys")
	}
	return all[i], nil
}

// KeyChallenge is a box that only who can open a key of by reads, for [Service.RelockKey].
func (s *Service) KeyChallenge(ctx context.Context, by polder.Actor, id seal.KeyID) (ReportKeyChallenge, error) {
	person, err := s.doer(ctx, by)
	if err != nil {
		return ReportKeyChallenge{}, err
	}
	k, err := ownKey(s.committed(ctx), person, id)
	if err != nil {
		return ReportKeyChallenge{}, err
	}
	proof, err := s.relockProof(k)
	if err != nil {
		return ReportKeyChallenge{}, err
	}
	box, err := seal.Seal(s.o.Rand, PurposeRelock, proof, 0, k.Locked.Public)
	return ReportKeyChallenge{box}, err
}

// RelockKey keeps a key of by under another lock; the old lock is gone. It is the same key, so desks, reports and posters
// stay as they are. Whoever asks must prove with the challenge that they can open the key: a session or a token alone
// cannot put a lock on it that nobody opens.
func (s *Service) RelockKey(ctx context.Context, by polder.Actor, id seal.KeyID, in ReportKeyRelock) (out OwnKey, err error) {
	person, err := s.doer(ctx, by)
	if err != nil {
		return out, err
	}
	if err := in.Locked.Validate(); err != nil {
		return out, polder.Errorf(polder.Invalid, "locked: %w", err)
	}
	proof, err := base64.StdEncoding.DecodeString(in.Proof)
	if err != nil {
		return out, polder.Errorf(polder.Invalid, "proof: is no base64; send what the box of /api/v1/reports/keys/%s/challenge holds", id)
	}
	err = s.o.DB.Write(ctx, func(tx *db.Tx) error {
		k, err := ownKey(tx, person, id)
		if err != nil {
			return err
		}
		if in.Locked.Public != k.Locked.Public {
			return polder.Errorf(polder.Invalid, "locked: is of another key; lock the key %s, or make a new one with POST", k.ID)
		}
		want, err := s.relockProof(k)
		if err != nil {
			return err
		}
		if !hmac.Equal(proof, want) {
			return polder.Errorf(polder.Forbidden, "proof: does not show that you can open this key as it is locked now; ask for a challenge and open it")
		}
		k.Locked = in.Locked
		if err := relockKey(tx, k); err != nil {
			return err
		}
		out = k.OwnKey
		tx.OnCommit(s.tell)
		return s.reportNote(tx, by, "report.key.relock", string(k.ID), nil)
	})
	return out, err
}
