package stix

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strings"
)

// An identifier is "type--UUID". The UUID is of RFC 4122, versions 1 to 5. That standard writes it in lower case and reads
// capitals too; so do we: bytes keep the spelling they came in, and everything that is decoded or compared is in lower
// case, so that no id (a marking's or an organisation's above all) slips by in another spelling.

const uuidLen = 36

// TypeOf is the type that an identifier names, or "" when id is not an identifier.
func TypeOf(id string) string {
	at := len(id) - uuidLen - 2
	if at < 1 || id[at:at+2] != "--" || !validType(id[:at]) || !validUUID(id[at+2:]) {
		return ""
	}
	return id[:at]
}

// ValidID tells whether id is an identifier.
func ValidID(id string) bool { return TypeOf(id) != "" }

func validUUID(s string) bool {
	for i := range len(s) {
		switch c := s[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		case 14:
			if c < '1' || c > '5' {
				return false
			}
		case 19:
			if c |= 0x20; c != '8' && c != '9' && c != 'a' && c != 'b' {
				return false
			}
		default:
			if !isHex(c) {
				return false
			}
		}
	}
	return len(s) == uuidLen
}

// validType tells whether s may name a type: 3 to 250 of a-z, 0-9 and single hyphens, a letter first.
func validType(s string) bool {
	if len(s) < 3 || len(s) > 250 || s[0] < 'a' || s[0] > 'z' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && s[i-1] != '-') {
			return false
		}
	}
	return true
}

// uuidVersion is the version of the UUID of a valid identifier.
func uuidVersion(id string) byte { return id[len(id)-uuidLen+14] - '0' }

// wrongID says what is wrong with id as an identifier.
func wrongID(id string) string {
	return "is not an identifier (" + quoted(id) + "); write a type, two hyphens and a UUID in lower case"
}

// foldID is the one spelling of an identifier.
func foldID(id string) string { return strings.ToLower(id) }

func foldIDs(ids []string) []string {
	for i, id := range ids {
		ids[i] = foldID(id)
	}
	return ids
}

// NewID makes an identifier of that type with a random UUID (version 4).
func NewID(typ string) string {
	var u [16]byte
	rand.Read(u[:]) // never fails
	return typ + "--" + formatUUID(u, 4)
}

// nameUUID is the version-5 UUID of name in namespace.
func nameUUID(namespace [16]byte, name []byte) string {
	h := sha1.New()
	h.Write(namespace[:])
	h.Write(name)
	return formatUUID([16]byte(h.Sum(nil)[:16]), 5)
}

func formatUUID(u [16]byte, version byte) string {
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
	var b [uuidLen]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// oneOf writes a short list of choices for an error text.
func oneOf(choices []string) string {
	if len(choices) == 1 {
		return choices[0]
	}
	last := len(choices) - 1
	return strings.Join(slices.Clone(choices[:last]), ", ") + " or " + choices[last]
}
