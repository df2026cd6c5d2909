package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// KeyAct is what a [Statement] does.
type KeyAct string

// What the owner of a key can say.
const (
	KeyBegin    KeyAct = "begin"    // the first key
	KeyRotate   KeyAct = "rotate"   // another key from now on; the one before is good for [KeyOverlap] more
	KeyRevoke   KeyAct = "revoke"   // these keys are good for nothing from now on; where the one in force is among them, another follows
	KeyRecovery KeyAct = "recovery" // the key, kept off the node, that can say all of this when the one in force was stolen
)

// KeyOverlap is how long a key is good after another took its place.
const KeyOverlap = 7 * 24 * time.Hour

// Bounds on statements.
const (
	MaxStatement  = 4096 // bytes of one
	MaxStatements = 1000 // in a chain
	maxRevoked    = 16   // keys in one statement
)

// Bounds of a file of keys as `polder keys show --all --json` prints it: a line holds the chain of one owner.
const (
	MaxKeyLine  = 2 * MaxStatements * MaxStatement // bytes
	MaxKeyLines = 100_000
)

// Statement is one change of the keys of an owner, which is an organisation or a node. Statements are only ever added;
// each names the hash of the one before and is signed by the key then in force, or by the recovery key. Its bytes are
// its canonical form (RFC 8785), and no others.
type Statement struct {
	Polder    string    `json:"polder"` // "statement 1"
	Owner     string    `json:"owner"`  // the id of an identity
	N         int       `json:"n"`      // 1, 2, 3 …
	Prev      string    `json:"prev"`   // hash of statement N-1; empty in the first
	Made      string    `json:"made"`   // by its maker's clock: 2006-01-02T15:04:05Z
	Act       KeyAct    `json:"act"`
	Key       string    `json:"key,omitempty"`      // begin, rotate, revoke: the key from now on
	Seal      string    `json:"seal,omitempty"`     // with it: what the owner alone may read is sealed to this key from now on
	Revoked   []KeyID   `json:"revoked,omitempty"`  // revoke
	Recovery  string    `json:"recovery,omitempty"` // recovery: the recovery key from now on
	Proof     signature `json:"proof,omitempty"`    // by the new key: its holder agrees
	By        KeyID     `json:"by"`                 // the key that signs
	Signature signature `json:"signature,omitempty"`

	raw []byte
}

const statementForm = "statement 1"

// signature is written in base64url without padding.
type signature []byte

func (s signature) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(s)), nil
}

func (s *signature) UnmarshalText(b []byte) (err error) {
	if len(b) != base64.RawURLEncoding.EncodedLen(SignatureSize) || bytes.ContainsAny(b, "\r\n") {
		return errors.New("a signature is 86 characters of base64url")
	}
	*s, err = base64.RawURLEncoding.Strict().DecodeString(string(b))
	return err
}

// ParseStatement reads one statement strictly: canonical JSON with the fields of its act and no others. Whether it may
// follow others, [Chain.Add] says.
func ParseStatement(raw []byte) (Statement, error) {
	var s Statement
	if len(raw) > MaxStatement {
		return s, fmt.Errorf("the statement has %d bytes; at most %d are read", len(raw), MaxStatement)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return Statement{}, fmt.Errorf("the statement is not JSON of the right form: %w", err)
	}
	form, err := s.form()
	if err != nil {
		return Statement{}, err
	}
	if !bytes.Equal(form, raw) {
		return Statement{}, errors.New("the statement is not in canonical form (RFC 8785), or has a field that its act does not have")
	}
	s.raw = form
	return s, s.check()
}

// form is the canonical form of s as it stands.
func (s Statement) form() ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return stix.Canonical(plain)
}

// Raw are the bytes of a statement that was read or made.
func (s Statement) Raw() []byte { return slices.Clone(s.raw) }

// Hash is what the next statement names.
func (s Statement) Hash() string {
	h := sha256.Sum256(s.raw)
	return hex.EncodeToString(h[:])
}

// Time is when its maker's clock said it was made.
func (s Statement) Time() time.Time {
	t, _ := time.Parse(time.RFC3339, s.Made) // checked
	return t
}

// NewKey is the key that s brings; ok is false when it brings none.
func (s Statement) NewKey() (k VerifyKey, ok bool) {
	text := s.Key
	if s.Act == KeyRecovery {
		text = s.Recovery
	}
	k, err := ParseVerifyKey(text)
	return k, err == nil
}

// check looks at s alone.
func (s Statement) check() error {
	t, err := time.Parse("2006-01-02T15:04:05Z", s.Made)
	switch {
	case s.Polder != statementForm:
		return fmt.Errorf("polder: is %q; must be %q", s.Polder, statementForm)
	case stix.TypeOf(s.Owner) != "identity" || !stix.ValidID(s.Owner) || s.Owner != strings.ToLower(s.Owner):
		return errors.New("owner: must be the id of an identity, in lower case")
	case s.N < 1 || s.N > MaxStatements:
		return fmt.Errorf("n: must be from 1 to %d", MaxStatements)
	case err != nil || t.Year() < 2000 || t.Year() > 9999:
		return errors.New("made: must be a time like 2026-01-31T12:00:00Z")
	case !s.By.Valid():
		return errors.New("by: must be the id of a key")
	case (s.N == 1) != (s.Act == KeyBegin):
		return errors.New("act: begin is the first statement, and only that")
	}
	return s.checkAct()
}

func (s Statement) checkAct() error {
	has := func(key, revoked, recovery bool) error {
		switch {
		case key != (s.Key != ""):
			return errors.New("key: is there without need, or missing")
		case revoked != (len(s.Revoked) > 0):
			return errors.New("revoked: is there without need, or missing")
		case recovery != (s.Recovery != ""):
			return errors.New("recovery: is there without need, or missing")
		case s.Seal != "" && s.Key == "" || s.Seal == "" && s.Act == KeyBegin:
			return errors.New("seal: is there without need, or missing")
		case (len(s.Proof) > 0) != (key || recovery):
			return errors.New("proof: is there without need, or missing")
		}
		return nil
	}
	var err error
	switch s.Act {
	case KeyBegin, KeyRotate:
		err = has(true, false, false)
	case KeyRevoke:
		err = has(s.Key != "", true, false)
	case KeyRecovery:
		err = has(false, false, true)
	default:
		return fmt.Errorf("act: is %q; must be begin, rotate, revoke or recovery", s.Act)
	}
	if err != nil {
		return err
	}
	if len(s.Revoked) > maxRevoked || !slices.IsSorted(s.Revoked) || len(slices.Compact(slices.Clone(s.Revoked))) != len(s.Revoked) ||
		slices.ContainsFunc(s.Revoked, func(k KeyID) bool { return !k.Valid() }) {
		return fmt.Errorf("revoked: must be at most %d ids of keys, sorted, each once", maxRevoked)
	}
	return s.checkKeys()
}

func (s Statement) checkKeys() error {
	if s.Seal != "" {
		if _, err := ParsePublicKey(s.Seal); err != nil {
			return fmt.Errorf("seal: %w", err)
		}
	}
	if len(s.Proof) == 0 {
		return nil
	}
	text := s.Key + s.Recovery // one of them
	k, err := ParseVerifyKey(text)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	form, err := s.bare(true)
	if err != nil {
		return err
	}
	if !k.Verify(DomainProof, form, s.Proof) {
		return errors.New("proof: is not a signature by the new key")
	}
	return nil
}

// bare is the form that is signed: without the signature, and for the proof without that too.
func (s Statement) bare(proof bool) ([]byte, error) {
	s.Signature = nil
	if proof {
		s.Proof = nil
	}
	return s.form()
}

// signed fills in By, proof and signature; fresh is the key that the statement brings, or the zero one.
func (s Statement) signed(by, fresh SigningKey) (Statement, error) {
	s.Polder, s.By, s.Proof, s.Signature = statementForm, by.Public().ID(), nil, nil
	if !fresh.IsZero() {
		form, err := s.bare(true)
		if err != nil {
			return s, err
		}
		s.Proof = fresh.Sign(DomainProof, form)
	}
	form, err := s.bare(false)
	if err != nil {
		return s, err
	}
	s.Signature = by.Sign(DomainStatement, form)
	if s.raw, err = s.form(); err != nil {
		return s, err
	}
	return s, s.check()
}
