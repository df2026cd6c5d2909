package members

import (
	"crypto/aes"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/polder-exchange/polder"
)

// A page of the audit begins below an entry's number. The number stands in the address, so it is sealed: from two
// numbers one could read how much happened in between that one may not see (rule X28). It is one block of AES under a
// key of the node: eight bytes of the number, eight of zero, by which a forged one is told.

// sealNumber writes a number for an address.
func sealNumber(key []byte, n int64) (string, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return "", fmt.Errorf("seal a cursor: %w", err)
	}
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(n))
	c.Encrypt(b[:], b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// openNumber reads what [sealNumber] wrote; the empty text is 0. Anything else is Invalid.
func openNumber(key []byte, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return 0, fmt.Errorf("open a cursor: %w", err)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err == nil && len(b) == aes.BlockSize {
		c.Decrypt(b, b)
		if n := int64(binary.BigEndian.Uint64(b[:8])); n > 0 && binary.BigEndian.Uint64(b[8:]) == 0 {
			return n, nil
		}
	}
	return 0, polder.Errorf(polder.Invalid, "this page of the list is unknown; begin at the newest")
}
