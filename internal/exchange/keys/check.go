package keys

import (
	"context"
	"fmt"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/fail"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// Check is what [exchange.Signatures] asks for.
func (s *Service) Check(ctx context.Context, c polder.CommunityID, o stix.Object, at polder.Seq) (exchange.Signature, error) {
	q := s.read(ctx)
	version, bound, err := readBound(q, c, o.ID)
	if err != nil {
		return exchange.Signature{}, err
	}
	s.seen(version)
	sig, signed, err := o.Signature()
	if err != nil {
		return exchange.Signature{State: exchange.SignatureWrong, Reason: err.Error()}, nil
	}
	if !signable(o) && !signed {
		return exchange.Signature{State: exchange.SignatureNone}, nil
	}
	creator := creatorOf(o)
	blind, isBlind, err := s.blind(ctx, polder.OrgID(creator))
	if err != nil {
		return exchange.Signature{}, err
	}
	var found exchange.Signature
	if isBlind && s.o.Pseudonyms != nil && o.ID != creator {
		found, err = s.o.Pseudonyms.CheckBlind(ctx, blind, o, at)
	} else {
		found, err = s.judge(ctx, q, c, o, sig, signed, at)
	}
	if err != nil || !found.State.Accepted() || o.IsObservable() {
		return found, err
	}
	return held(o, found, bound), nil
}

// blind is the community whose blind identity id is.
func (s *Service) blind(ctx context.Context, id polder.OrgID) (polder.Community, bool, error) {
	if id == "" {
		return polder.Community{}, false, nil
	}
	s.mu.Lock()
	com, ok := s.blinds[id]
	s.mu.Unlock()
	if ok {
		return com, com.ID != "", nil
	}
	c, ok, err := s.o.Accounts.BlindOf(ctx, id)
	if err != nil || !ok { // not kept: a community may come any time
		return com, false, err
	}
	if com, err = s.o.Accounts.Community(ctx, string(c)); err != nil {
		return com, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blinds[id] = com
	return com, true, nil
}

// judge holds the signature of o against the keys of its creator.
func (s *Service) judge(ctx context.Context, q db.Querier, c polder.CommunityID, o stix.Object, sig stix.Signature, signed bool, at polder.Seq) (exchange.Signature, error) {
	creator := creatorOf(o)
	who, err := s.owner(q, polder.OrgID(creator))
	if err != nil {
		return exchange.Signature{}, err
	}
	if who == nil || !signable(o) {
		return s.stranger(q, creator, sig, signed)
	}
	marks, err := s.marks(ctx, who, c)
	if err != nil {
		return exchange.Signature{}, err
	}
	if !signed {
		if at != 0 && int64(at) <= marks[0].at {
			return exchange.Signature{State: exchange.SignatureNone, Reason: "from before its creator had a key"}, nil
		}
		return exchange.Signature{State: exchange.SignatureMissing, Reason: "carries no signature, though its creator " + creator + " signs"}, nil
	}
	now := int64(at)
	if at == 0 {
		now = s.moment()
	}
	return weigh(who.chain, o, sig, lateness{marks: marks, now: now, all: at == 0}.of), nil
}

// stranger judges an object whose creator nobody here vouches for. It is taken as it is, but nobody signs in its name.
func (s *Service) stranger(q db.Querier, creator string, sig stix.Signature, signed bool) (exchange.Signature, error) {
	if !signed {
		return exchange.Signature{State: exchange.SignatureNone}, nil
	}
	if creator != "" && seal.IsPseudonym(sig.Signer) { // of a community elsewhere, whose members sign so for its blind identity
		return exchange.Signature{State: exchange.SignatureNone, Reason: "carries a signature under a pseudonym of a community that is not known here"}, nil
	}
	if sig.Signer != creator {
		return exchange.Signature{State: exchange.SignatureWrong, Signer: sig.Signer, Key: sig.Key, Reason: notCreator(sig.Signer, creator)}, nil
	}
	return exchange.Signature{State: exchange.SignatureNone, Reason: "carries a signature, but nobody here vouches for a key of its creator"}, nil
}

func notCreator(signer, creator string) string {
	if creator == "" {
		return fmt.Sprintf("is signed by %s, and names no creator; only who created an object signs it", signer)
	}
	return fmt.Sprintf("is signed by %s; only its creator %s signs it", signer, creator)
}

// marks are the numbers of who's statements in the log of c's home; where that has not numbered one yet, this node's.
func (s *Service) marks(ctx context.Context, who *owner, c polder.CommunityID) ([]mark, error) {
	home, err := s.homeOf(ctx, c)
	if err != nil || home == "" {
		return who.marks, err
	}
	theirs := who.homes[home]
	return append(theirs[:len(theirs):len(theirs)], who.marks[min(len(theirs), len(who.marks)):]...), nil
}

// homeOf is the node where a community lives, which stays; "" is this one, and that of a community that is not known.
func (s *Service) homeOf(ctx context.Context, c polder.CommunityID) (polder.OrgID, error) {
	s.mu.Lock()
	home, ok := s.homes[c]
	s.mu.Unlock()
	if ok {
		return home, nil
	}
	home, err := s.o.Accounts.HomeOfCommunity(ctx, c)
	if err != nil {
		if polder.KindOf(err) == polder.NotFound {
			err = nil
		}
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.homes[c] = home
	return home, nil
}

// moment is now, and never before the last number of the log, so that a clock that goes back revives no key.
func (s *Service) moment() int64 {
	now := int64(polder.SeqAt(s.o.Now()))
	if s.o.Top != nil {
		now = max(now, int64(s.o.Top()))
	}
	return now
}

// lateness says whether a statement had been made when an object came.
type lateness struct {
	marks []mark
	now   int64 // the number of the object
	all   bool  // it comes now, behind every statement
}

// of tells whether statement n came before the object, by more than d where that is not 0.
func (l lateness) of(n int, d time.Duration) bool {
	m := l.marks[n-1]
	if d > 0 {
		return l.now > max(m.at, m.seen)+d.Microseconds()
	}
	return l.all || l.now > m.at
}

// weigh holds a signature against the chain of the object's creator. late tells whether a statement of that number had
// been made when the object came, and longer ago than d.
func weigh(c seal.Chain, o stix.Object, sig stix.Signature, late func(n int, d time.Duration) bool) exchange.Signature {
	out := exchange.Signature{State: exchange.SignatureWrong, Signer: sig.Signer, Key: sig.Key}
	if sig.Signer != c.Owner() {
		out.Reason = notCreator(sig.Signer, c.Owner())
		return out
	}
	k, ok := c.Key(seal.KeyID(sig.Key))
	if !ok {
		out.State, out.Reason = exchange.SignatureUnknown, fmt.Sprintf("key %s is none that %s has made known here", sig.Key, sig.Signer)
		return out
	}
	form, err := o.SignedBytes()
	switch {
	case err != nil:
		out.Reason = err.Error()
	case !k.Key.Verify(seal.DomainObject, form, sig.Value) && !fail.Bug("signature-unchecked"):
		out.Reason = "its signature does not fit: the object was changed after it was signed, or signed with another key"
	case k.Revoked > 0 && late(k.Revoked, 0):
		out.Reason = fmt.Sprintf("key %s was revoked on %s, before this object came", sig.Key, day(c, k.Revoked))
	case k.Rotated > 0 && late(k.Rotated, seal.KeyOverlap):
		out.Reason = fmt.Sprintf("key %s was replaced on %s, more than seven days before this object came", sig.Key, day(c, k.Rotated))
	case k.Revoked > 0:
		out.State, out.Reason = exchange.SignatureEarlier, fmt.Sprintf("signed before key %s was revoked, on %s", sig.Key, day(c, k.Revoked))
	default:
		out.State = exchange.SignatureValid
	}
	return out
}

func day(c seal.Chain, n int) string { return c.Statement(n).Time().Format("2006-01-02") }

// held holds an object against who signed its id first; "" is nobody yet. The reason does not say who: it is told to who
// pushes an object, who may see nothing of the other's.
func held(o stix.Object, found exchange.Signature, signer string) exchange.Signature {
	if signer == "" || signer == found.Signer || found.Signer == "" && signer == creatorOf(o) || fail.Bug("binding-unchecked") {
		return found
	}
	found.State, found.Reason = exchange.SignatureWrong, "its id was first signed by another, who alone adds versions to it"
	return found
}

// Bind is what [exchange.Signatures] asks for.
func (s *Service) Bind(tx *db.Tx, c polder.CommunityID, id string, found exchange.Signature) error {
	if found.Signer == "" || found.State != exchange.SignatureValid && found.State != exchange.SignatureEarlier {
		return nil
	}
	if err := bind(tx, c, id, found.Signer); err != nil {
		return err
	}
	key := [2]string{string(c), found.Signer}
	s.mu.Lock()
	known := s.signers[key]
	s.mu.Unlock()
	if known {
		return nil
	}
	tx.OnCommit(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.signers) < maxOwners {
			s.signers[key] = true
		}
	})
	return insertSigner(tx, c, found.Signer)
}
