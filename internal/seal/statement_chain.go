package seal

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ChainKey is a key of a chain and how it fared. Numbers are of statements; 0 is none.
type ChainKey struct {
	Key     VerifyKey
	Since   int // the statement that brought it
	Rotated int // the statement that put another in its place
	Revoked int // the statement that revoked it
}

// Chain is the statements of one owner that were found to follow each other. The zero value is empty. It is not
// changed by [Chain.Add], which returns another.
type Chain struct {
	statements []Statement
	keys       []ChainKey // in the order in which they came; the last one is in force
	recovery   []VerifyKey
	seals      []PublicKey
}

// ErrOtherChain says that a statement contradicts one that is known: whoever signed both says one thing here and another
// there, or somebody else did.
var ErrOtherChain = errors.New("another statement of that number is known")

// ReadChain reads a whole chain.
func ReadChain(statements [][]byte) (Chain, error) {
	return Chain{}.Extend(statements)
}

// Extend adds statements; those that the chain has already are passed over, and one that contradicts them is
// [ErrOtherChain].
func (c Chain) Extend(statements [][]byte) (Chain, error) {
	for _, raw := range statements {
		s, err := ParseStatement(raw)
		if err != nil {
			return c, err
		}
		if c, err = c.Add(s); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Add is the chain with s behind it. A statement that it has already changes nothing.
func (c Chain) Add(s Statement) (Chain, error) {
	if len(c.statements) > 0 && s.Owner != c.Owner() {
		return c, fmt.Errorf("statement %d of %s: does not belong to the chain of %s", s.N, s.Owner, c.Owner())
	}
	if s.N <= len(c.statements) {
		if have := c.statements[s.N-1]; have.Hash() != s.Hash() {
			return c, fmt.Errorf("statement %d of %s: %w", s.N, s.Owner, ErrOtherChain)
		}
		return c, nil
	}
	next, err := c.add(s)
	if err != nil {
		return c, fmt.Errorf("statement %d of %s: %w", s.N, s.Owner, err)
	}
	return next, nil
}

func (c Chain) add(s Statement) (Chain, error) {
	if s.N != len(c.statements)+1 {
		return c, fmt.Errorf("does not follow statement %d", len(c.statements))
	}
	if s.N > 1 {
		last := c.statements[s.N-2]
		switch {
		case s.Prev != last.Hash():
			return c, errors.New("does not follow the one before it: something was changed or left out")
		case s.Time().Before(last.Time()):
			return c, errors.New("is older than the one before it")
		}
	} else if s.Prev != "" {
		return c, errors.New("is the first, and names one before it")
	}
	if err := c.authorised(s); err != nil {
		return c, err
	}
	return c.apply(s)
}

// authorised holds the signature of s against who may say what it says.
func (c Chain) authorised(s Statement) error {
	form, err := s.bare(false)
	if err != nil {
		return err
	}
	by, err := c.signer(s)
	if err != nil {
		return err
	}
	if !by.Verify(DomainStatement, form, s.Signature) {
		return errors.New("signature: does not fit")
	}
	return nil
}

func (c Chain) signer(s Statement) (VerifyKey, error) {
	if s.Act == KeyBegin {
		k, _ := s.NewKey()
		if s.By != k.ID() {
			return k, errors.New("by: the first statement is signed by its own key")
		}
		return k, nil
	}
	if n := len(c.recovery); n > 0 && s.By == c.recovery[n-1].ID() {
		return c.recovery[n-1], nil
	}
	inForce := c.InForce()
	switch {
	case s.By != inForce.ID():
		return inForce, errors.New("by: is neither the key in force nor the recovery key")
	case s.Act == KeyRecovery && len(c.recovery) > 0:
		return inForce, errors.New("by: another recovery key needs the signature of the one before it")
	}
	return inForce, nil
}

func (c Chain) apply(s Statement) (Chain, error) {
	if fresh, ok := s.NewKey(); ok && c.has(fresh) {
		return c, errors.New("key: was used before; every key is used once")
	}
	next := Chain{append(slices.Clone(c.statements), s), slices.Clone(c.keys), slices.Clone(c.recovery), slices.Clone(c.seals)}
	last := len(next.keys) - 1
	for _, id := range s.Revoked {
		i := slices.IndexFunc(next.keys, func(k ChainKey) bool { return k.Key.ID() == id && k.Revoked == 0 })
		if i < 0 {
			return c, fmt.Errorf("revoked: %s is no key of this owner, or revoked already", id)
		}
		if i == last && s.Key == "" {
			return c, errors.New("key: the key in force is revoked, so another must follow")
		}
		next.keys[i].Revoked = s.N
	}
	if s.Act == KeyRevoke && s.Key != "" && next.keys[last].Revoked != s.N {
		return c, errors.New("key: the key in force stays, so no other follows")
	}
	if s.Seal != "" {
		k, err := ParsePublicKey(s.Seal)
		if err != nil {
			return c, err
		}
		next.seals = append(next.seals, k)
	}
	fresh, ok := s.NewKey()
	switch {
	case !ok:
	case s.Act == KeyRecovery:
		next.recovery = append(next.recovery, fresh)
	default:
		if last >= 0 && next.keys[last].Revoked == 0 {
			next.keys[last].Rotated = s.N
		}
		next.keys = append(next.keys, ChainKey{Key: fresh, Since: s.N})
	}
	return next, nil
}

func (c Chain) has(k VerifyKey) bool {
	return slices.Contains(c.recovery, k) || slices.ContainsFunc(c.keys, func(have ChainKey) bool { return have.Key == k })
}

// Owner is whose chain it is; "" of an empty one.
func (c Chain) Owner() string {
	if len(c.statements) == 0 {
		return ""
	}
	return c.statements[0].Owner
}

// Len is how many statements it has.
func (c Chain) Len() int { return len(c.statements) }

// Statements are all of them, first to last.
func (c Chain) Statements() []Statement { return slices.Clone(c.statements) }

// Statement is the one of number n.
func (c Chain) Statement(n int) Statement { return c.statements[n-1] }

// Keys are all keys that sign, in the order in which they came; the last one is in force.
func (c Chain) Keys() []ChainKey { return slices.Clone(c.keys) }

// Key is the key of that id, if it is one of those that sign.
func (c Chain) Key(id KeyID) (ChainKey, bool) {
	for _, k := range c.keys {
		if k.Key.ID() == id {
			return k, true
		}
	}
	return ChainKey{}, false
}

// InForce is the key that signs now; the zero one of an empty chain.
func (c Chain) InForce() VerifyKey {
	if len(c.keys) == 0 {
		return VerifyKey{}
	}
	return c.keys[len(c.keys)-1].Key
}

// Recovery is the recovery key; ok is false when there is none.
func (c Chain) Recovery() (k VerifyKey, ok bool) {
	if len(c.recovery) == 0 {
		return k, false
	}
	return c.recovery[len(c.recovery)-1], true
}

// SealTo is what the owner alone may read is sealed to.
func (c Chain) SealTo() PublicKey {
	if len(c.seals) == 0 {
		return PublicKey{}
	}
	return c.seals[len(c.seals)-1]
}

// AllKeys are all keys that any statement brings, recovery keys included: none of them may be in another owner's chain (S16).
func (c Chain) AllKeys() []VerifyKey {
	var all []VerifyKey
	for _, s := range c.statements {
		if k, ok := s.NewKey(); ok {
			all = append(all, k)
		}
	}
	return all
}

// NewStatement is what is to be said next.
type NewStatement struct {
	Act     KeyAct
	Now     time.Time
	By      SigningKey // the key in force, or the recovery key
	Fresh   SigningKey // the key that it brings; the zero one for none
	Seal    *PublicKey // with a key that signs: what to seal to from now on; nil keeps it
	Revoked []KeyID    // of a revocation
}

// Begin makes the first statement of an owner.
func Begin(owner string, now time.Time, key SigningKey, seal PublicKey) (Chain, error) {
	s := Statement{Owner: owner, N: 1, Act: KeyBegin, Made: statementTime(now), Key: key.Public().String(), Seal: seal.String()}
	s, err := s.signed(key, key)
	if err != nil {
		return Chain{}, err
	}
	return Chain{}.Add(s)
}

func statementTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// Say makes the next statement and adds it.
func (c Chain) Say(n NewStatement) (Chain, error) {
	if c.Len() == 0 {
		return c, errors.New("there are no keys yet")
	}
	last := c.statements[c.Len()-1]
	if n.Now.Before(last.Time()) { // a clock went back
		n.Now = last.Time()
	}
	s := Statement{Owner: c.Owner(), N: c.Len() + 1, Prev: last.Hash(), Act: n.Act, Made: statementTime(n.Now), Revoked: slices.Sorted(slices.Values(n.Revoked))}
	switch {
	case n.Fresh.IsZero():
	case n.Act == KeyRecovery:
		s.Recovery = n.Fresh.Public().String()
	default:
		s.Key = n.Fresh.Public().String()
		if n.Seal != nil {
			s.Seal = n.Seal.String()
		}
	}
	s, err := s.signed(n.By, n.Fresh)
	if err != nil {
		return c, err
	}
	return c.Add(s)
}
