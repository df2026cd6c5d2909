package seal

import (
	"crypto/ecdh"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

// KeyID names a public key: the first 16 bytes of its SHA-256, in hexadecimal.
type KeyID string

// ParseKeyID reads the text form of a KeyID: 32 digits of lower-case hexadecimal, and nothing else.
func ParseKeyID(s string) (KeyID, error) {
	if !KeyID(s).Valid() {
		return "", errors.New("the id of a key has 32 characters 0-9 a-f")
	}
	return KeyID(s), nil
}

// Valid says whether id has the form of one.
func (id KeyID) Valid() bool {
	if len(id) != 32 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// PublicKey is an X25519 public key; its text form is unpadded base64url.
type PublicKey [32]byte

var errPublicKey = errors.New("a public key is 43 characters of base64url for a point of X25519")

// ParsePublicKey reads the text form of a key. Each key has exactly one; points of small order, the zero among them,
// are refused, since what is sealed to them is open to everybody.
func ParsePublicKey(s string) (PublicKey, error) {
	var k PublicKey
	if len(s) != 43 || strings.ContainsAny(s, "\r\n") {
		return PublicKey{}, errPublicKey
	}
	n, err := base64.RawURLEncoding.Strict().Decode(k[:], []byte(s))
	if err != nil || n != len(k) {
		return PublicKey{}, errPublicKey
	}
	if err := k.Validate(); err != nil {
		return PublicKey{}, err
	}
	return k, nil
}

// Validate says why one must not seal to k; nil is that one may.
func (k PublicKey) Validate() error {
	if !k.canonical() {
		return errPublicKey
	}
	p, err := ecdh.X25519().NewPublicKey(k[:])
	if err != nil {
		return errPublicKey
	}
	// Whatever the private key, a point of small order leads to zero, which crypto/ecdh refuses.
	probe, err := ecdh.X25519().NewPrivateKey(make([]byte, 32))
	if err != nil {
		return err
	}
	if _, err := probe.ECDH(p); err != nil {
		return errors.New("that public key is a point of small order: what is sealed to it would be open to everybody")
	}
	return nil
}

// canonical is whether k is below 2^255-19, so that no two texts mean one point.
func (k PublicKey) canonical() bool {
	if k[31] > 0x7f {
		return false
	}
	if k[31] < 0x7f || k[0] < 0xed {
		return true
	}
	return slices.ContainsFunc(k[1:31], func(b byte) bool { return b != 0xff })
}

// String is the text form.
func (k PublicKey) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// MarshalText is the text form.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the text form as [ParsePublicKey] does.
func (k *PublicKey) UnmarshalText(b []byte) error {
	p, err := ParsePublicKey(string(b))
	if err != nil {
		return err
	}
	*k = p
	return nil
}

// ID names k.
func (k PublicKey) ID() KeyID {
	h := sha256.Sum256(k[:])
	return KeyID(hex.EncodeToString(h[:16]))
}

// Fingerprint is what people compare, in groups that can be read aloud: six groups of five digits, 99 bits.
func (k PublicKey) Fingerprint() string {
	h := sha256.Sum256(append([]byte("polder fingerprint 1\n"), k[:]...))
	groups := make([]string, 6)
	for i := range groups {
		var n [8]byte
		copy(n[3:], h[5*i:5*i+5])
		groups[i] = fmt.Sprintf("%05d", binary.BigEndian.Uint64(n[:])%100000)
	}
	return strings.Join(groups, " ")
}

// Matches says whether a fingerprint that somebody typed or read out is that of k. All its digits must be there; how
// they are grouped does not count.
func (k PublicKey) Matches(fingerprint string) bool {
	digits := func(s string) []byte {
		var out []byte
		for _, r := range s {
			switch {
			case r >= '0' && r <= '9':
				out = append(out, byte(r))
			case !strings.ContainsRune(" \t\r\n.-\u00a0\u202f", r):
				return nil
			}
		}
		return out
	}
	return subtle.ConstantTimeCompare(digits(fingerprint), digits(k.Fingerprint())) == 1
}

// PrivateKey opens what was sealed to its public key. It prints as the id of that key, whatever the verb, and has no
// other text form: [Lock] is the way to keep one.
type PrivateKey struct{ seed [32]byte }

// NewPrivateKey is the key of a seed.
func NewPrivateKey(seed [32]byte) PrivateKey { return PrivateKey{seed} }

// GenerateKey makes a key.
func GenerateKey(rand io.Reader) (PrivateKey, error) {
	var k PrivateKey
	if _, err := io.ReadFull(rand, k.seed[:]); err != nil {
		return PrivateKey{}, fmt.Errorf("make a key: %w", err)
	}
	return k, nil
}

// Public is the key to seal to.
func (k PrivateKey) Public() PublicKey {
	p, err := k.ecdh()
	if err != nil {
		return PublicKey{} // never: every 32 bytes are a private key of X25519
	}
	return PublicKey(p.PublicKey().Bytes())
}

func (k PrivateKey) ecdh() (*ecdh.PrivateKey, error) { return ecdh.X25519().NewPrivateKey(k.seed[:]) }

// Equal compares in constant time.
func (k PrivateKey) Equal(o PrivateKey) bool {
	return subtle.ConstantTimeCompare(k.seed[:], o.seed[:]) == 1
}

// String names the key and does not hold it.
func (k PrivateKey) String() string { return "private key of " + string(k.Public().ID()) }

// Format prints [PrivateKey.String] for every verb.
func (k PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is [PrivateKey.String].
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText refuses: a private key is kept locked, or not at all.
func (k PrivateKey) MarshalText() ([]byte, error) {
	return nil, errors.New("a private key is written down locked only")
}
