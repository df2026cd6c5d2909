package event

import (
	"unicode/utf16"
	"unicode/utf8"
)

// unescape appends src to buf with the escapes of a JSON string resolved. What is no escape, and half a surrogate pair,
// is kept as far as it can be read: a log is evidence, not a message to refuse.
func unescape(buf, src []byte) []byte {
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c != '\\' || i+1 == len(src) {
			buf = append(buf, c)
			continue
		}
		i++
		switch src[i] {
		case 'n':
			buf = append(buf, '\n')
		case 't':
			buf = append(buf, '\t')
		case 'r':
			buf = append(buf, '\r')
		case 'b':
			buf = append(buf, '\b')
		case 'f':
			buf = append(buf, '\f')
		case 'u':
			r, n := hex4(src[i+1:])
			if n == 0 {
				buf = append(buf, '\\', 'u')
				continue
			}
			i += n
			if utf16.IsSurrogate(r) && i+2 < len(src) && src[i+1] == '\\' && src[i+2] == 'u' {
				if low, n := hex4(src[i+3:]); n > 0 && utf16.DecodeRune(r, low) != utf8.RuneError {
					r, i = utf16.DecodeRune(r, low), i+2+n
				}
			}
			buf = utf8.AppendRune(buf, r)
		default:
			buf = append(buf, src[i])
		}
	}
	return buf
}

// hex4 reads four hexadecimal digits; n is 4, or 0 when they are not there.
func hex4(s []byte) (r rune, n int) {
	if len(s) < 4 {
		return 0, 0
	}
	for _, c := range s[:4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, 0
		}
	}
	return r, 4
}
