package accounts

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"io"
)

// randomness makes identifiers and secrets.
type randomness struct{ from io.Reader }

// base32Lower has no two characters that look alike in most typefaces, and no '_' or '-'.
var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (r randomness) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(r.from, b); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return b, nil
}

// word is a lower-case word of n random bytes.
func (r randomness) word(n int) (string, error) {
	b, err := r.bytes(n)
	return base32Lower.EncodeToString(b), err
}

// cookie is a secret of 256 bits.
func (r randomness) cookie() (string, error) {
	b, err := r.bytes(32)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// uuid is a UUID of version 4.
func (r randomness) uuid() (string, error) {
	b, err := r.bytes(16)
	if err != nil {
		return "", err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// identity is the id of a new STIX identity object.
func (r randomness) identity() (string, error) {
	u, err := r.uuid()
	return "identity--" + u, err
}

// digest is how a secret is stored. The secrets are long and random, so one plain hash is enough.
func digest(secret string) []byte {
	d := sha256.Sum256([]byte(secret))
	return d[:]
}
