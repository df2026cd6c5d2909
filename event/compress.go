package event

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// maxWindow bounds the memory that a zstd stream may ask for.
const maxWindow = 128 << 20

// decompress undoes gzip and zstd, one inside the other at most, as the content says. What it returns may fail later,
// when the stream turns out to be cut off.
func decompress(r io.Reader) (io.Reader, string, error) {
	var undone []string
	for range 2 {
		b := bufio.NewReaderSize(r, 64<<10)
		head, _ := b.Peek(4)
		switch {
		case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
			z, err := gzip.NewReader(b)
			if err != nil {
				return nil, "", fmt.Errorf("the gzip stream cannot be read: %w", err)
			}
			r, undone = z, append(undone, "gzip")
		case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
			z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return nil, "", fmt.Errorf("the zstd stream cannot be read: %w", err)
			}
			r, undone = z, append(undone, "zstd")
		default:
			return b, strings.Join(undone, ", "), nil
		}
	}
	return r, strings.Join(undone, ", "), nil
}

// plain is r without the mark of its encoding, UTF-16 read as UTF-8. UTF-16 without a mark is known by its zero bytes.
func plain(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, _ := b.Peek(256)
	utf16 := func(e unicode.Endianness) (io.Reader, error) {
		return transform.NewReader(b, unicode.UTF16(e, unicode.UseBOM).NewDecoder()), nil
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, err := b.Discard(3)
		return b, err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return utf16(unicode.LittleEndian)
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return utf16(unicode.BigEndian)
	case zeros(head, 1):
		return transform.NewReader(b, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()), nil
	case zeros(head, 0):
		return transform.NewReader(b, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()), nil
	}
	return b, nil
}

// zeros says whether nearly every second byte of head, from at, is zero and no other is: ASCII text in UTF-16.
func zeros(head []byte, at int) bool {
	if len(head) < 8 {
		return false
	}
	zero := [2]int{}
	for i, c := range head {
		if c == 0 {
			zero[(i+at)%2]++
		}
	}
	return zero[1] == 0 && zero[0]*10 >= len(head)*4
}
