package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// prefix is the length of a text in front of it, as a big-endian number. It is 32 bytes wide on purpose: the zeros in it
// tie a sealed body to one key, so that nobody makes one body that says different things to different readers.
const prefix = 32

// maxText is how long a text may be.
const maxText = 1 << 28

// PaddedSize is how many bytes a text of n bytes has after padding: never fewer than least, and above that at most
// twelve in a hundred more than it needs (Padmé). Texts of one class have the same size.
func PaddedSize(n, least int) int { return padme(max(n+prefix, least, prefix)) }

// padme rounds n up so that only its leading bits tell anything: as many of them as its length has bits.
func padme(n int) int {
	if n < 2 {
		return n
	}
	e := bits.Len(uint(n)) - 1
	low := e - bits.Len(uint(e))
	mask := 1<<max(low, 0) - 1
	return (n + mask) &^ mask
}

// Pad puts the length before text and zeros behind it, up to [PaddedSize].
func Pad(text []byte, least int) ([]byte, error) {
	if len(text) > maxText || least > maxText || least < 0 {
		return nil, fmt.Errorf("a text has at most %d bytes, not %d (padded to at least %d)", maxText, len(text), least)
	}
	out := make([]byte, PaddedSize(len(text), least))
	binary.BigEndian.PutUint32(out[prefix-4:], uint32(len(text)))
	copy(out[prefix:], text)
	return out, nil
}

var errPadding = errors.New("what was sealed is not padded as it must be")

// Unpad is the text of what [Pad] made.
func Unpad(padded []byte) ([]byte, error) {
	if len(padded) < prefix {
		return nil, errPadding
	}
	n := binary.BigEndian.Uint32(padded[prefix-4:])
	if !zero(padded[:prefix-4]) || uint64(n) > uint64(len(padded)-prefix) || !zero(padded[prefix+int(n):]) {
		return nil, errPadding
	}
	return padded[prefix : prefix+int(n) : prefix+int(n)], nil
}

func zero(b []byte) bool {
	var or byte
	for _, c := range b {
		or |= c
	}
	return or == 0
}
