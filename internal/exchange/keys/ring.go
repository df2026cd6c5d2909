package keys

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/stix"
)

// Certificates are what a file of keys holds of pseudonyms, for verification without a node.
type Certificates interface {
	// Add takes a line of the file; known is false for what is no certificate.
	Add(line json.RawMessage) (known bool, err error)
	// Verify judges an object by its signature; known is false when the signer is none of the certified pseudonyms.
	Verify(o stix.Object, sig stix.Signature, r *Ring) (found exchange.Signature, known bool)
}

// Ring is the keys of a file, for verification without a node.
type Ring struct {
	lines        int // of the file that say something
	chains       map[string]seal.Chain
	names        map[string]string
	keys         map[seal.KeyID]string // whose each is
	blinds       map[string]knownBlind // identities that stand for "a member"
	certificates Certificates          // nil knows no pseudonyms
}

// Entry is a line of a file of keys: an owner with its statements, as `polder keys show --json` prints it.
type Entry struct {
	Owner       string            `json:"owner"`
	Name        string            `json:"name,omitempty"`
	Node        bool              `json:"node,omitempty"` // it is a node
	Local       bool              `json:"local,omitempty"`
	Key         string            `json:"key"` // id of the one in force
	Fingerprint string            `json:"fingerprint"`
	Recovery    string            `json:"recovery,omitempty"` // id of the recovery key
	Statements  []json.RawMessage `json:"statements"`
}

// blindEntry is a line of a file of keys about the identity that stands for "a member" of a community. Nobody signs it;
// it is right when it is the one that is known.
type blindEntry struct {
	Blind     string `json:"blind"`
	Community string `json:"community"`
	Digest    string `json:"digest"` // as [stix.Object.Digest], in hexadecimal
}

type knownBlind struct {
	community string
	digest    [32]byte
}

// ReadRing reads a file of keys: JSON lines. A chain that is broken, a line of unknown form and a key of two owners are
// errors; the place is named.
func ReadRing(in io.Reader, certificates Certificates) (*Ring, error) {
	r := &Ring{chains: map[string]seal.Chain{}, names: map[string]string{}, keys: map[seal.KeyID]string{}, blinds: map[string]knownBlind{}, certificates: certificates}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), seal.MaxKeyLine)
	n := 0
	for lines.Scan() {
		if n++; n > seal.MaxKeyLines {
			return nil, fmt.Errorf("%d: more lines than %d are not read", n, seal.MaxKeyLines)
		}
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := r.add(line); err != nil {
			return nil, fmt.Errorf("%d: %w", n, err)
		}
		r.lines++
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("%d: the line is longer than %d bytes", n+1, seal.MaxKeyLine)
	} else if err != nil {
		return nil, err
	}
	return r, nil
}

// Empty tells whether the ring holds nobody's key.
func (r *Ring) Empty() bool { return r.lines == 0 }

func (r *Ring) add(line []byte) error {
	var e struct {
		Entry
		blindEntry
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("is not JSON as `polder keys show --all --json` prints it: %w", err)
	}
	switch {
	case e.Owner != "":
		return r.addChain(e.Entry)
	case e.Blind != "":
		digest, err := hex.DecodeString(e.Digest)
		if err != nil || len(digest) != 32 {
			return errors.New("digest: must be 64 digits of hexadecimal")
		}
		r.blinds[e.Blind] = knownBlind{e.Community, [32]byte(digest)}
		return nil
	}
	if r.certificates != nil {
		if known, err := r.certificates.Add(bytes.Clone(line)); known || err != nil {
			return err
		}
	}
	return errors.New("is neither an owner with statements, nor a pseudonym; the file is what `polder keys show --all --json` prints")
}

func (r *Ring) addChain(e Entry) error {
	if len(e.Statements) > seal.MaxStatements {
		return fmt.Errorf("%s has %d statements; at most %d are read", e.Owner, len(e.Statements), seal.MaxStatements)
	}
	c, err := extend(r.chains[e.Owner], e.Statements)
	if err != nil {
		return err
	}
	if c.Owner() != e.Owner {
		return fmt.Errorf("the statements are of %q, not of %s", c.Owner(), e.Owner)
	}
	for _, k := range c.AllKeys() {
		if whose, taken := r.keys[k.ID()]; taken && whose != e.Owner {
			return fmt.Errorf("key %s is both that of %s and that of %s; a key belongs to one owner alone", k.ID(), whose, e.Owner)
		}
		r.keys[k.ID()] = e.Owner
	}
	r.chains[e.Owner], r.names[e.Owner] = c, e.Name
	return nil
}

// Chain are the statements of an owner; ok is false when the file has none.
func (r *Ring) Chain(owner string) (c seal.Chain, ok bool) {
	c, ok = r.chains[owner]
	return c, ok
}

// States of an object that nobody signs and that is right all the same.
const (
	StateSelf     exchange.SignatureState = "self-certifying" // an observable whose id is made of what it says
	StateStandard exchange.SignatureState = "standard"        // a definition of TLP or PAP, or of one of Polder's extensions
	StateBlind    exchange.SignatureState = "known"           // the identity that stands for "a member" of a community
)

// Right tells whether an object in that state is what its creator made.
func Right(s exchange.SignatureState) bool {
	return s == exchange.SignatureValid || s == StateSelf || s == StateStandard || s == StateBlind
}

// Verify judges an object by the ring alone. Without a log nobody can say whether an object came before its key was
// revoked, so the object's own time decides, and its state says so: it is not [Right].
func (r *Ring) Verify(o stix.Object) exchange.Signature {
	sig, signed, err := o.Signature()
	switch {
	case err != nil:
		return exchange.Signature{State: exchange.SignatureWrong, Reason: err.Error()}
	case !signed:
		return r.unsigned(o)
	case !signable(o):
		return exchange.Signature{State: exchange.SignatureWrong, Signer: sig.Signer, Key: sig.Key, Reason: "objects of this kind are not signed"}
	}
	creator := creatorOf(o)
	if c, ok := r.chains[creator]; ok {
		return weigh(c, o, sig, byTime(c, o))
	}
	if r.certificates != nil {
		if found, known := r.certificates.Verify(o, sig, r); known {
			return found
		}
	}
	found := exchange.Signature{State: exchange.SignatureUnknown, Signer: sig.Signer, Key: sig.Key, Reason: "the file of keys does not have its signer"}
	if len(r.chains) == 0 {
		found.Reason = "no keys are given; print them with polder keys show --all --json --data DIR on a node, and name the file with --keys"
	}
	if sig.Signer != creator && (r.certificates == nil || !seal.IsPseudonym(sig.Signer)) {
		found.State, found.Reason = exchange.SignatureWrong, notCreator(sig.Signer, creator)
	}
	return found
}

// unsigned judges what carries no signature.
func (r *Ring) unsigned(o stix.Object) exchange.Signature {
	creator := creatorOf(o)
	_, signs := r.chains[creator]
	blind, isBlind := r.blinds[o.ID]
	digest, err := o.Digest()
	switch {
	case o.IsObservable() && len(o.ID) > 22 && o.ID[len(o.ID)-22] == '5':
		return exchange.Signature{State: StateSelf, Reason: "its id is made of what it says"}
	case stix.IsStandardMarking(o.ID):
		return exchange.Signature{State: StateStandard, Reason: "a definition of the standard"}
	case exchange.IsOwnDefinition(o):
		return exchange.Signature{State: StateStandard, Reason: "a definition of Polder's own"}
	case isBlind && err == nil && blind.digest == digest:
		return exchange.Signature{State: StateBlind, Reason: `stands for "a member" of ` + blind.community}
	case signs && signable(o):
		return exchange.Signature{State: exchange.SignatureMissing, Reason: "carries no signature, though its creator " + creator + " signs"}
	}
	return exchange.Signature{State: exchange.SignatureNone, Reason: "carries no signature"}
}

// byTime tells whether a statement was made before an object was, by the times that both claim.
func byTime(c seal.Chain, o stix.Object) func(n int, d time.Duration) bool {
	at := o.Modified.Time
	if o.Modified.IsZero() {
		at = o.Created.Time
	}
	at = at.Truncate(time.Second) // statements are made in whole seconds
	return func(n int, d time.Duration) bool { return at.After(c.Statement(n).Time().Add(d)) }
}

// entryOf is the line of an owner.
func entryOf(c seal.Chain, name string) Entry {
	e := Entry{Owner: c.Owner(), Name: name, Key: string(c.InForce().ID()), Fingerprint: c.InForce().Fingerprint()}
	if k, ok := c.Recovery(); ok {
		e.Recovery = string(k.ID())
	}
	for _, st := range c.Statements() {
		e.Statements = append(e.Statements, st.Raw())
	}
	return e
}

// blindOf is the line of a community's blind identity.
func blindOf(c polder.Community, raw []byte) (blindEntry, error) {
	o, err := stix.Parse(raw)
	if err != nil {
		return blindEntry{}, err
	}
	digest, err := o.Digest()
	return blindEntry{Blind: string(c.Blind), Community: c.Alias, Digest: hex.EncodeToString(digest[:])}, err
}
