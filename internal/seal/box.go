package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
)

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

// MaxWraps is how many readers a box can have.
const MaxWraps = 64

const (
	boxVersion = 1
	keySize    = 32
	nonceSize  = 12
	tagSize    = 16
	encSize    = 32
	context    = "polder seal 1\n"
)

// Errors of opening a box. They say nothing of what is in it.
var (
	ErrNotForKey = errors.New("this was not sealed to that key")
	ErrDamaged   = errors.New("this was damaged, or sealed for another purpose")
)

// Seal seals text to keys. purpose ("report", "message", "file") is bound in: a box opens for the same purpose only.
// least is the smallest padded size in bytes. A key that is named twice gets one wrap. The content key and the nonce
// come from rand; HPKE draws the keys of its wraps from crypto/rand.
func Seal(rand io.Reader, purpose string, text []byte, least int, to ...PublicKey) (Box, error) {
	if err := checkPurpose(purpose); err != nil {
		return Box{}, err
	}
	if len(to) == 0 {
		return Box{}, errors.New("seal: to nobody; name at least one key")
	}
	padded, err := Pad(text, least)
	if err != nil {
		return Box{}, fmt.Errorf("seal: %w", err)
	}
	drawn := make([]byte, keySize+nonceSize)
	if _, err := io.ReadFull(rand, drawn); err != nil {
		return Box{}, fmt.Errorf("seal: %w", err)
	}
	key, nonce := drawn[:keySize], drawn[keySize:]
	aead, err := gcm(key)
	if err != nil {
		return Box{}, err
	}
	b := Box{V: boxVersion, Nonce: nonce, Body: aead.Seal(nil, nonce, padded, []byte(context+purpose))}
	if b.Wraps, err = b.wrap(purpose, key, to); err != nil {
		return Box{}, err
	}
	return b, nil
}

// Validate says what is wrong with the form of b: at a door, before it is kept. maxBody is how many bytes its body may
// have. A body that is in no size class is refused, since its length would tell more than it should.
func (b Box) Validate(maxBody int) error {
	switch n := len(b.Body); {
	case b.V != boxVersion:
		return fmt.Errorf("v: is %d; this node knows boxes of version %d", b.V, boxVersion)
	case len(b.Nonce) != nonceSize:
		return fmt.Errorf("nonce: has %d bytes; it must have %d", len(b.Nonce), nonceSize)
	case n > maxBody:
		return fmt.Errorf("body: has %d bytes; at most %d are taken", n, maxBody)
	case n < prefix+tagSize || padme(n-tagSize) != n-tagSize:
		return fmt.Errorf("body: has %d bytes, which is no size that padding leaves", n)
	case len(b.Wraps) == 0 || len(b.Wraps) > MaxWraps:
		return fmt.Errorf("wraps: are %d; a box has from 1 to %d", len(b.Wraps), MaxWraps)
	}
	return ValidateWraps(b.Wraps)
}

// ValidateWraps says what is wrong with the form of wraps, which must be for different keys.
func ValidateWraps(wraps []Wrap) error {
	if len(wraps) > MaxWraps {
		return fmt.Errorf("wraps: are %d; at most %d are taken", len(wraps), MaxWraps)
	}
	seen := map[KeyID]bool{}
	for i, w := range wraps {
		switch {
		case !w.To.Valid():
			return fmt.Errorf("wraps[%d].to: the id of a key has 32 characters 0-9 a-f", i)
		case seen[w.To]:
			return fmt.Errorf("wraps[%d].to: key %s is named twice", i, w.To)
		case len(w.Enc) != encSize:
			return fmt.Errorf("wraps[%d].enc: has %d bytes; it must have %d", i, len(w.Enc), encSize)
		case len(w.Key) != keySize+tagSize:
			return fmt.Errorf("wraps[%d].key: has %d bytes; it must have %d", i, len(w.Key), keySize+tagSize)
		}
		seen[w.To] = true
	}
	return nil
}

// Readers are the keys that b has wraps for, in their order.
func (b Box) Readers() []KeyID {
	ids := make([]KeyID, len(b.Wraps))
	for i, w := range b.Wraps {
		ids[i] = w.To
	}
	return ids
}

// Open opens b. It gives [ErrNotForKey] where b has no wrap for k, and [ErrDamaged] where it has one that does not open.
func (b Box) Open(purpose string, k PrivateKey) ([]byte, error) {
	key, err := b.unwrap(purpose, k)
	if err != nil {
		return nil, err
	}
	aead, err := gcm(key)
	if err != nil {
		return nil, ErrDamaged
	}
	padded, err := aead.Open(nil, b.Nonce, b.Body, []byte(context+purpose))
	if err != nil {
		return nil, ErrDamaged
	}
	text, err := Unpad(padded)
	if err != nil {
		return nil, ErrDamaged
	}
	return text, nil
}

// For are wraps of b's content key for more readers, made by one who can open it. Keys that b has wraps for already are
// passed over. HPKE draws its keys from crypto/rand; rand is not read.
func (b Box) For(rand io.Reader, purpose string, k PrivateKey, more ...PublicKey) ([]Wrap, error) {
	key, err := b.unwrap(purpose, k)
	if err != nil {
		return nil, err
	}
	have := b.Readers()
	more = slices.DeleteFunc(slices.Clone(more), func(p PublicKey) bool { return slices.Contains(have, p.ID()) })
	if len(have)+len(more) > MaxWraps {
		return nil, fmt.Errorf("a box has at most %d readers", MaxWraps)
	}
	return b.wrap(purpose, key, more)
}

// With is b with more wraps; of two for one key the newer stays.
func (b Box) With(wraps ...Wrap) Box {
	ids := Box{Wraps: wraps}.Readers()
	b.Wraps = append(b.Without(ids...).Wraps, wraps...)
	return b
}

// Without is b without the wraps of some keys. Who holds an earlier copy of b can still open that.
func (b Box) Without(ids ...KeyID) Box {
	b.Wraps = slices.DeleteFunc(slices.Clone(b.Wraps), func(w Wrap) bool { return slices.Contains(ids, w.To) })
	return b
}

// bound is what a wrap is tied to: the nonce and body that its key opens.
func (b Box) bound() []byte {
	h := sha256.New()
	h.Write(b.Nonce)
	h.Write(b.Body)
	return h.Sum(nil)
}

func (b Box) wrap(purpose string, key []byte, to []PublicKey) ([]Wrap, error) {
	bound := b.bound()
	var wraps []Wrap
	for _, p := range to {
		if slices.ContainsFunc(wraps, func(w Wrap) bool { return w.To == p.ID() }) {
			continue
		}
		if len(wraps) == MaxWraps {
			return nil, fmt.Errorf("a box has at most %d readers", MaxWraps)
		}
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("seal to key %s: %w", p.ID(), err)
		}
		pub, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(p[:])
		if err != nil {
			return nil, fmt.Errorf("seal to key %s: %w", p.ID(), err)
		}
		enc, s, err := hpke.NewSender(pub, hpke.HKDFSHA256(), hpke.AES256GCM(), wrapInfo(purpose))
		if err != nil {
			return nil, fmt.Errorf("seal to key %s: %w", p.ID(), err)
		}
		sealed, err := s.Seal(bound, key)
		if err != nil {
			return nil, fmt.Errorf("seal to key %s: %w", p.ID(), err)
		}
		wraps = append(wraps, Wrap{To: p.ID(), Enc: enc, Key: sealed})
	}
	return wraps, nil
}

func (b Box) unwrap(purpose string, k PrivateKey) ([]byte, error) {
	if err := checkPurpose(purpose); err != nil {
		return nil, err
	}
	id := k.Public().ID()
	i := slices.IndexFunc(b.Wraps, func(w Wrap) bool { return w.To == id })
	if i < 0 {
		return nil, ErrNotForKey
	}
	if b.V != boxVersion || len(b.Nonce) != nonceSize || len(b.Wraps[i].Enc) != encSize {
		return nil, ErrDamaged
	}
	raw, err := k.ecdh()
	if err != nil {
		return nil, err
	}
	private, err := hpke.NewDHKEMPrivateKey(raw)
	if err != nil {
		return nil, err
	}
	r, err := hpke.NewRecipient(b.Wraps[i].Enc, private, hpke.HKDFSHA256(), hpke.AES256GCM(), wrapInfo(purpose))
	if err != nil {
		return nil, ErrDamaged
	}
	key, err := r.Open(b.bound(), b.Wraps[i].Key)
	if err != nil || len(key) != keySize {
		return nil, ErrDamaged
	}
	return key, nil
}

func wrapInfo(purpose string) []byte { return []byte(context + purpose + "\n") }

func checkPurpose(p string) error {
	ok := len(p) > 0 && len(p) <= 32
	for _, c := range []byte(p) {
		ok = ok && (c >= 'a' && c <= 'z' || c == '-')
	}
	if !ok {
		return fmt.Errorf("purpose %q: is made of up to 32 letters a-z and dashes", p)
	}
	return nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(c)
}
