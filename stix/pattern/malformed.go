package pattern

import "regexp"

// The forms of the literals with a prefix, as the grammar has them.
var (
	timestampForm = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?Z$`)
	hexForm       = regexp.MustCompile(`^([0-9A-Fa-f]{2})*$`)
	base64Form    = regexp.MustCompile(`^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$`)
)

// malformed says what is wrong with the text of a literal and what would be right, or nothing.
func malformed(kind LiteralKind, text string) string {
	switch {
	case kind == Timestamp && !timestampForm.MatchString(text):
		return "this is no timestamp; write t'2024-01-31T23:59:59Z', in UTC"
	case kind == Hex && !hexForm.MatchString(text):
		return "these are no hex bytes; write two hex digits a byte: h'ffd8'"
	case kind == Binary && !base64Form.MatchString(text):
		return "this is no base64; write at least one byte, padded: b'dGVzdA=='"
	}
	return ""
}
