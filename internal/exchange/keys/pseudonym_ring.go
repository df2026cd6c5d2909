package keys

import (
	"fmt"

	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// Verify is what [Certificates] asks for: it holds the certificate against the keys of the home that made it, and the
// object against the certificate. A file has no order, so times decide what came before a stop.
func (r *pseudonymRing) Verify(o stix.Object, sig stix.Signature, ring *Ring) (found exchange.Signature, known bool) {
	all := r.entries[sig.Signer]
	if len(all) == 0 {
		return found, false
	}
	found = exchange.Signature{State: exchange.SignatureWrong, Signer: sig.Signer, Key: sig.Key}
	var certificate, stopped *seal.PseudonymEntry
	earlier := ""
	for _, e := range all {
		if e.Blind != creatorOf(o) {
			continue
		}
		state, why := certifiedBy(e, ring)
		if !state.Accepted() {
			found.State, found.Reason = state, why
			return found, true
		}
		switch e.Act {
		case seal.PseudonymCertified:
			certificate, earlier = &e, why
		case seal.PseudonymStopped:
			if stopped == nil {
				stopped = &e
			}
		}
	}
	if certificate == nil {
		found.Reason = "is signed by a pseudonym of another community than that of its creator"
		return found, true
	}
	at := o.Modified.Time
	if o.Modified.IsZero() {
		at = o.Created.Time
	}
	found = judgePseudonym(o, sig, *certificate.Key, stopped, func(e seal.PseudonymEntry) bool { return at.Before(e.Time()) })
	if found.State == exchange.SignatureValid && earlier != "" {
		found.State, found.Reason = exchange.SignatureEarlier, earlier
	}
	return found, true
}

// certifiedBy holds an entry against the keys of the home that it names.
func certifiedBy(e seal.PseudonymEntry, ring *Ring) (state exchange.SignatureState, why string) {
	home, ok := ring.Chain(e.Home)
	if !ok {
		return exchange.SignatureUnknown, fmt.Sprintf("the file of keys does not have the node %s, which certified the pseudonym", e.Home)
	}
	k, ok := home.Key(e.HomeKey)
	switch {
	case !ok:
		return exchange.SignatureUnknown, fmt.Sprintf("key %s, which certified the pseudonym, is none that %s has made known", e.HomeKey, e.Home)
	case !e.VerifiedBy(k.Key):
		return exchange.SignatureWrong, "the certificate of its pseudonym does not bear the signature of its home"
	case k.Revoked > 0:
		return exchange.SignatureEarlier, fmt.Sprintf("its pseudonym was certified with key %s, which was revoked on %s", e.HomeKey, day(home, k.Revoked))
	}
	return exchange.SignatureValid, ""
}
