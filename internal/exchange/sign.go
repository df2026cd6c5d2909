package exchange

import (
	"context"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/policy"
	"github.com/polder-exchange/polder/stix"
)

// This file is where shares are signed. A share carries the signature of its creator where that is the sharer or "a
// member" of the community, on every way in but those that keep the bytes (TAXII). It is made over the bytes as they
// are stored, so behind everything that still changes them, and as a rule before the writer's transaction.

// signedAs says who signed what is about to be stored.
type signedAs struct {
	id    string
	found Signature
}

// signatureRule refuses what carries the signature of a known signer that does not fit. An object without one is taken:
// whether it may stand in another's name, [plan.rights] decides.
func (sh *sharing) signatureRule(ctx context.Context, c *candidate) error {
	if sh.s.sign == nil {
		return nil
	}
	_, signed, err := c.object.Signature()
	if err != nil {
		return polder.Errorf(polder.Invalid, "%w", err)
	}
	if !signed {
		return nil
	}
	found, err := sh.s.sign.Check(ctx, sh.member.Community.ID, c.object, 0)
	if err != nil {
		return err
	}
	if !found.State.Accepted() {
		return polder.Errorf(polder.Forbidden, "signature: %s; take the signature out of extensions and share it as your own, or share it as it was signed", found.Reason)
	}
	c.found = found
	return nil
}

// signed is the candidate with the signature of its creator, if that signs here. A preview shows what is signed, unsigned.
func (p *plan) signed(ctx context.Context, c candidate) (candidate, error) {
	sh := p.sh
	if sh.s.sign == nil || sh.request.Bytes || sh.request.Preview {
		return c, nil
	}
	digest, err := c.object.Digest()
	if err != nil {
		return c, err
	}
	o, done := sh.signatures[digest]
	if !done {
		if o, err = sh.s.sign.Sign(ctx, sh.actor.Org, sh.member.Community, c.object); err != nil {
			return c, err
		}
		sh.signatures[digest] = o
	}
	sig, ok, err := o.Signature()
	if err != nil {
		return c, err
	}
	if ok && c.found.Signer != sig.Signer { // it came without, or with one that nobody here vouches for
		if before, had, _ := c.object.Signature(); !had || before.Signer != sig.Signer || before.Key != sig.Key {
			c.found = Signature{State: SignatureValid, Signer: sig.Signer, Key: sig.Key}
		}
	}
	c.object = o
	return c, nil
}

// bind notes who signed what is stored, in the transaction that stores it.
func (p *plan) bind(tx *db.Tx) error {
	for _, b := range p.bound {
		if err := p.sh.s.sign.Bind(tx, p.community, b.id, b.found); err != nil {
			return err
		}
	}
	return nil
}

// SignatureOf says what the signature of a stored object is worth. It was good when the object came, or the object would
// not be here; a key that was revoked since is said. ok is false where nothing is signed here, and of what is erased.
func (s *Service) SignatureOf(ctx context.Context, d journal.Delivery) (found Signature, ok bool, err error) {
	if s.sign == nil || d.Kind != journal.Object || d.Raw == nil {
		return found, false, nil
	}
	o, err := stix.Parse(d.Raw)
	if err != nil {
		return found, false, err
	}
	at := d.Seq
	if _, signed, _ := o.Signature(); signed {
		at = 1
	}
	found, err = s.sign.Check(ctx, d.Community, o, at)
	return found, err == nil, err
}

// appendSigned signs what is new and notes it.
func (p *plan) appendSigned(ctx context.Context, c candidate, share policy.Share, out policy.Outcome) (candidate, error) {
	c, err := p.signed(ctx, c)
	if err != nil {
		return c, err
	}
	if c.found.Signer != "" {
		p.bound = append(p.bound, signedAs{c.object.ID, c.found})
	}
	p.append(c, share, out)
	return c, nil
}
