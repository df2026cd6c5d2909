package taxii

import (
	"fmt"
	"strings"
	"time"
)

// ParseTime reads a timestamp liberally: RFC 3339 with any number of digits of fraction or none, "Z" or an offset,
// letters of either case. A "+" of an offset that was read from a URL as a space counts as "+".
func ParseTime(s string) (time.Time, error) {
	text := strings.ToUpper(s)
	if n := len(text); n > 6 && text[n-6] == ' ' {
		text = text[:n-6] + "+" + text[n-5:]
	}
	if !shapedAsTime(text) {
		return time.Time{}, badTime(s)
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, badTime(s)
	}
	return t.UTC(), nil
}

func badTime(s string) error {
	return fmt.Errorf("%q is no timestamp; write it as 2026-01-31T12:00:00.000000Z", clip(s))
}

// shapedAsTime tells whether s is digits and marks in the places of RFC 3339; the values are not judged.
// time.Parse alone would let through hours of one digit and a comma for the point.
func shapedAsTime(s string) bool {
	const shape = "0000-00-00T00:00:00"
	if len(s) <= len(shape) || len(s) > 64 || !fits(s[:len(shape)], shape) {
		return false
	}
	rest := s[len(shape):]
	if fraction, ok := strings.CutPrefix(rest, "."); ok {
		rest = strings.TrimLeft(fraction, "0123456789")
		if len(rest) == len(fraction) {
			return false
		}
	}
	return rest == "Z" || fits(rest, "+00:00") || fits(rest, "-00:00")
}

func fits(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9'
		if digit != (shape[i] == '0') || !digit && s[i] != shape[i] {
			return false
		}
	}
	return true
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
