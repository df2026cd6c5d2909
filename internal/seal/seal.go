package seal

import (
	"embed"
	"errors"
	"io"
)

// Files holds seal.js, the same for browsers, in the folder static.
//
//go:embed static
var Files embed.FS

// KeyID names a public key: the first 16 bytes of its SHA-256, in hexadecimal.
type KeyID string

// PublicKey is an X25519 public key; its text form is unpadded base64url.
type PublicKey [32]byte

// Fingerprint is what people compare, in groups that can be read aloud.
func (k PublicKey) Fingerprint() string { return "" }

// ID names k.
func (k PublicKey) ID() KeyID { return "" }

// PrivateKey opens what was sealed to its public key.
type PrivateKey struct{ seed [32]byte }

// NewPrivateKey is the key of a seed.
func NewPrivateKey(seed [32]byte) PrivateKey { return PrivateKey{seed} }

// GenerateKey makes a key.
func GenerateKey(rand io.Reader) (PrivateKey, error) { return PrivateKey{}, nil }

// Public is the key to seal to.
func (k PrivateKey) Public() PublicKey { return PublicKey{} }

// Box is a text sealed to some keys. It has a random content key; each Wrap carries that key for one reader (HPKE base
// mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; RFC 9180), so readers are added and taken away without
// touching the body. The body is padded to a size class.
type Box struct {
	V     int    `json:"v"`
	Wraps []Wrap `json:"wraps"`
	Nonce []byte `json:"nonce"`
	Body  []byte `json:"body"`
}

// Wrap is the content key of a box for one reader.
type Wrap struct {
	To  KeyID  `json:"to"`
	Enc []byte `json:"enc"`
	Key []byte `json:"key"`
}

// ErrNotForKey says that a box has no wrap for a key.
var ErrNotForKey = errors.New("this was not sealed to that key")

// Seal seals text to keys. purpose ("report", "message", "file") is bound in: a box opens for the same purpose only.
// least is the smallest padded size in bytes.
func Seal(rand io.Reader, purpose string, text []byte, least int, to ...PublicKey) (Box, error) {
	return Box{}, nil
}

// Open opens b.
func (b Box) Open(purpose string, k PrivateKey) ([]byte, error) { return nil, nil }

// For are wraps of b's content key for more readers, made by one who can open it.
func (b Box) For(rand io.Reader, purpose string, k PrivateKey, more ...PublicKey) ([]Wrap, error) {
	return nil, nil
}

// LockedKey is a private key that a passphrase opens: PBKDF2-HMAC-SHA-256, AES-256-GCM.
type LockedKey struct {
	Public     PublicKey `json:"public"`
	Iterations int       `json:"iterations"`
	Salt       []byte    `json:"salt"`
	Nonce      []byte    `json:"nonce"`
	Key        []byte    `json:"key"`
}

// Lock locks k with a passphrase.
func Lock(rand io.Reader, k PrivateKey, passphrase string) (LockedKey, error) {
	return LockedKey{}, nil
}

// Unlock opens l; a wrong passphrase is an error that says no more.
func (l LockedKey) Unlock(passphrase string) (PrivateKey, error) { return PrivateKey{}, nil }

// Receipt is six words that open a thread. It is never stored.
type Receipt string

// NewReceipt draws six words of the list of a language ("en", "nl").
func NewReceipt(rand io.Reader, lang string) (Receipt, error) { return "", nil }

// Access is what a receipt opens with: Proof shows the server that one has it, Key reads the thread.
type Access struct {
	Proof [32]byte
	Key   PrivateKey
}

// Access derives both from the words, however they are spaced and written, and the node's public salt
// (PBKDF2-HMAC-SHA-256, then HKDF). It takes about a second on purpose.
func (r Receipt) Access(salt []byte) (Access, error) { return Access{}, nil }
