package seal

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Iterations of PBKDF2-HMAC-SHA-256 for new locks and for receipts: a tenth of a second on a computer, up to a second on
// a phone, on purpose.
const Iterations = 600_000

const (
	leastIterations = 100_000
	mostIterations  = 10_000_000
	saltSize        = 16
)

// LockedKey is a private key that a passphrase opens: PBKDF2-HMAC-SHA-256, AES-256-GCM.
type LockedKey struct {
	Public     PublicKey `json:"public"`
	Iterations int       `json:"iterations"`
	Salt       []byte    `json:"salt"`
	Nonce      []byte    `json:"nonce"`
	Key        []byte    `json:"key"`
}

// ErrPassphrase says that a locked key did not open, and no more.
var ErrPassphrase = errors.New("that passphrase does not open this key")

// CheckPassphrase is the rule for passphrases that people make themselves: sixteen characters or more, not all the same.
// It counts them as [Normalise] leaves them.
func CheckPassphrase(p string) error {
	p = Normalise(p)
	n := utf8.RuneCountInString(p)
	if n < 16 {
		return fmt.Errorf("the passphrase has %d characters; take at least 16, or the six words that are offered", n)
	}
	if n > 1000 {
		return fmt.Errorf("the passphrase has %d characters; take at most 1000", n)
	}
	first, _ := utf8.DecodeRuneInString(p)
	for _, r := range p {
		if r != first {
			return nil
		}
	}
	return errors.New("the passphrase is one character over and over; take a sentence, or the six words that are offered")
}

// Lock locks k with a passphrase that passes [CheckPassphrase]. How it is spaced, and capitals, do not count later.
func Lock(rand io.Reader, k PrivateKey, passphrase string) (LockedKey, error) {
	if err := CheckPassphrase(passphrase); err != nil {
		return LockedKey{}, err
	}
	drawn := make([]byte, saltSize+nonceSize)
	if _, err := io.ReadFull(rand, drawn); err != nil {
		return LockedKey{}, fmt.Errorf("lock a key: %w", err)
	}
	l := LockedKey{Public: k.Public(), Iterations: Iterations, Salt: drawn[:saltSize], Nonce: drawn[saltSize:]}
	key, err := l.stretch(passphrase)
	if err != nil {
		return LockedKey{}, err
	}
	aead, err := gcm(key)
	if err != nil {
		return LockedKey{}, err
	}
	l.Key = aead.Seal(nil, l.Nonce, k.seed[:], l.bound())
	return l, nil
}

// Validate says what is wrong with the form of l: at a door, before it is kept or opened.
func (l LockedKey) Validate() error {
	if err := l.Public.Validate(); err != nil {
		return fmt.Errorf("public: %w", err)
	}
	switch {
	case l.Iterations < leastIterations || l.Iterations > mostIterations:
		return fmt.Errorf("iterations: are %d; from %d to %d are taken", l.Iterations, leastIterations, mostIterations)
	case len(l.Salt) != saltSize:
		return fmt.Errorf("salt: has %d bytes; it must have %d", len(l.Salt), saltSize)
	case len(l.Nonce) != nonceSize:
		return fmt.Errorf("nonce: has %d bytes; it must have %d", len(l.Nonce), nonceSize)
	case len(l.Key) != keySize+tagSize:
		return fmt.Errorf("key: has %d bytes; it must have %d", len(l.Key), keySize+tagSize)
	}
	return nil
}

// Unlock opens l; a wrong passphrase is an error that says no more.
func (l LockedKey) Unlock(passphrase string) (PrivateKey, error) {
	if err := l.Validate(); err != nil {
		return PrivateKey{}, fmt.Errorf("locked key: %w", err)
	}
	key, err := l.stretch(passphrase)
	if err != nil {
		return PrivateKey{}, err
	}
	aead, err := gcm(key)
	if err != nil {
		return PrivateKey{}, err
	}
	seed, err := aead.Open(nil, l.Nonce, l.Key, l.bound())
	if err != nil || len(seed) != keySize {
		return PrivateKey{}, ErrPassphrase
	}
	k := NewPrivateKey([32]byte(seed))
	if k.Public() != l.Public {
		return PrivateKey{}, ErrPassphrase
	}
	return k, nil
}

func (l LockedKey) stretch(passphrase string) ([]byte, error) {
	return pbkdf2.Key(sha256.New, Normalise(passphrase), l.Salt, l.Iterations, keySize)
}

func (l LockedKey) bound() []byte { return append([]byte("polder key 1\n"), l.Public[:]...) }
