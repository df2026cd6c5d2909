package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strings"
)

// A SignatureDomain is what a signature is for: it stands before what is signed, so that a signature made for one purpose
// is worth nothing for another.
type SignatureDomain string

// The purposes for which keys of organisations and nodes sign. Nodes sign further messages, each with a first line of its own.
const (
	DomainObject    SignatureDomain = "polder object 1\n"
	DomainStatement SignatureDomain = "polder statement 1\n"
	DomainProof     SignatureDomain = "polder key proof 1\n"
)

// ReservedDomain tells whether a message would be taken for one of the purposes above, and so must not be signed for another.
func ReservedDomain(message []byte) bool {
	for _, d := range []SignatureDomain{DomainObject, DomainStatement, DomainProof} {
		if bytes.HasPrefix(message, []byte(d)) {
			return true
		}
	}
	return false
}

// SignatureSize is how many bytes a signature has.
const SignatureSize = ed25519.SignatureSize

// VerifyKey is an Ed25519 public key; its text form is unpadded base64url.
type VerifyKey [ed25519.PublicKeySize]byte

var errVerifyKey = errors.New("a key that verifies signatures is 43 characters of base64url for a point of Ed25519")

// ParseVerifyKey reads the text form of a key, and refuses what [VerifyKey.Validate] refuses.
func ParseVerifyKey(s string) (VerifyKey, error) {
	var k VerifyKey
	if len(s) != 43 || strings.ContainsAny(s, "\r\n") {
		return VerifyKey{}, errVerifyKey
	}
	n, err := base64.RawURLEncoding.Strict().Decode(k[:], []byte(s))
	if err != nil || n != len(k) {
		return VerifyKey{}, errVerifyKey
	}
	return k, k.Validate()
}

// field is the prime of the field in which both curves lie, 2^255-19.
var field = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// Validate refuses keys under which a signature says nothing: points of small order, for which one signature fits many
// texts, and other spellings of a point. It is for doors; it takes longer than a verification.
func (k VerifyKey) Validate() error {
	y := make([]byte, len(k))
	for i, b := range k {
		y[len(y)-1-i] = b
	}
	y[0] &= 0x7f
	v := new(big.Int).SetBytes(y)
	if v.Cmp(field) >= 0 {
		return errVerifyKey
	}
	// The same point on the curve of X25519 is (1+y)/(1-y); the package knows already which of those have small order.
	one := big.NewInt(1)
	below := new(big.Int).Mod(new(big.Int).Sub(one, v), field)
	if below.Sign() == 0 {
		return errVerifyKey
	}
	u := new(big.Int).Mul(new(big.Int).Add(one, v), new(big.Int).ModInverse(below, field))
	var montgomery PublicKey
	for i, b := range u.Mod(u, field).FillBytes(make([]byte, 32)) {
		montgomery[31-i] = b
	}
	if montgomery.Validate() != nil {
		return errors.New("that key is a point of small order: under it a signature says nothing")
	}
	return nil
}

// String is the text form.
func (k VerifyKey) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// MarshalText is the text form.
func (k VerifyKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the text form as [ParseVerifyKey] does.
func (k *VerifyKey) UnmarshalText(b []byte) error {
	p, err := ParseVerifyKey(string(b))
	if err != nil {
		return err
	}
	*k = p
	return nil
}

// ID names k.
func (k VerifyKey) ID() KeyID {
	h := sha256.Sum256(k[:])
	return KeyID(hex.EncodeToString(h[:16]))
}

// Fingerprint is what people compare, in six groups of five digits, as [PublicKey.Fingerprint] has them.
func (k VerifyKey) Fingerprint() string { return PublicKey(k).Fingerprint() }

// Matches says whether a fingerprint that somebody typed or read out is that of k, as [PublicKey.Matches] does.
func (k VerifyKey) Matches(fingerprint string) bool { return PublicKey(k).Matches(fingerprint) }

// Verify says whether signature is that of k over message, for this purpose.
func (k VerifyKey) Verify(d SignatureDomain, message, signature []byte) bool {
	return len(signature) == SignatureSize && ed25519.Verify(k[:], append([]byte(d), message...), signature)
}

// SigningKey signs. It prints as the id of its public key, whatever the verb.
type SigningKey struct{ private ed25519.PrivateKey }

// NewSigningKey is the key of a seed.
func NewSigningKey(seed [32]byte) SigningKey { return SigningKey{ed25519.NewKeyFromSeed(seed[:])} }

// GenerateSigningKey makes a key.
func GenerateSigningKey(rand io.Reader) (SigningKey, error) {
	var seed [32]byte
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return SigningKey{}, fmt.Errorf("make a key: %w", err)
	}
	return NewSigningKey(seed), nil
}

// Seed is what the key is kept by. Whoever has it signs.
func (k SigningKey) Seed() [32]byte {
	if k.private == nil {
		return [32]byte{}
	}
	return [32]byte(k.private.Seed())
}

// Public verifies what k signs.
func (k SigningKey) Public() VerifyKey {
	if k.private == nil {
		return VerifyKey{}
	}
	return VerifyKey(k.private[32:])
}

// IsZero tells whether there is no key.
func (k SigningKey) IsZero() bool { return k.private == nil }

// Sign signs message for a purpose.
func (k SigningKey) Sign(d SignatureDomain, message []byte) []byte {
	return ed25519.Sign(k.private, append([]byte(d), message...))
}

// String names the key and does not hold it.
func (k SigningKey) String() string { return "signing key of " + string(k.Public().ID()) }

// Format prints [SigningKey.String] for every verb.
func (k SigningKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is [SigningKey.String].
func (k SigningKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText refuses: [SigningKey.Seed] is the way to keep one.
func (k SigningKey) MarshalText() ([]byte, error) {
	return nil, errors.New("a signing key is not written into other things")
}

const recoveryPrefix = "polder-recovery-1:"

// RecoveryText is the key as a recovery key is written down, off the node: one line, with four digits by which a slip
// of the pen is seen.
func (k SigningKey) RecoveryText() string {
	seed := k.Seed()
	return recoveryPrefix + base64.RawURLEncoding.EncodeToString(seed[:]) + "-" + recoverySum(seed)
}

func recoverySum(seed [32]byte) string {
	h := sha256.Sum256(append([]byte("polder recovery sum 1\n"), seed[:]...))
	return hex.EncodeToString(h[:2])
}

// ParseRecovery reads what [SigningKey.RecoveryText] wrote; white space around and lines of remarks ("#") are passed over.
// Its errors hold nothing of what it read.
func ParseRecovery(text string) (SigningKey, error) {
	wrong := fmt.Errorf("is no recovery key; it is one line that begins with %s", recoveryPrefix)
	var line string
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		if line != "" {
			return SigningKey{}, wrong
		}
		line = l
	}
	rest, ok := strings.CutPrefix(line, recoveryPrefix)
	if !ok || len(rest) != 43+1+4 || rest[43] != '-' {
		return SigningKey{}, wrong
	}
	seed, err := base64.RawURLEncoding.Strict().DecodeString(rest[:43])
	if err != nil || len(seed) != 32 {
		return SigningKey{}, wrong
	}
	if recoverySum([32]byte(seed)) != rest[44:] {
		return SigningKey{}, errors.New("the recovery key was copied wrongly: its last four characters do not fit the rest")
	}
	return NewSigningKey([32]byte(seed)), nil
}
