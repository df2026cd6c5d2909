package accounts

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/polder-exchange/polder"
)

// This file says which texts people may give as names, and how two names are compared. The rules are: NFC; blanks at
// the ends gone and in between single; no control, formatting or bidirectional characters, so that a name looks the
// same on a page, in a terminal and in a log, and cannot pretend to be another (trust.md S44).

// The longest texts, in characters.
const (
	MaxName    = 100
	MaxNote    = 500
	maxEmail   = 254
	maxAgent   = 200
	maxAgreed  = 100_000
	maxSector  = 60
	maxOfAlias = 48
)

// cleanName brings a name into its one form or says what is wrong with it. what names it in the error.
func cleanName(what, s string, most int) (string, error) {
	s, err := cleanLine(what, s, most)
	if err != nil {
		return "", err
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return "", polder.Errorf(polder.Invalid, "the %s is empty or has no letter; give one that people can say", what)
	}
	return s, nil
}

// cleanLine is [cleanName] for a text that may be empty.
func cleanLine(what, s string, most int) (string, error) {
	if len(s) > 8*most {
		return "", polder.Errorf(polder.Invalid, "the %s is too long; at most %d characters", what, most)
	}
	if !utf8.ValidString(s) {
		return "", polder.Errorf(polder.Invalid, "the %s is not UTF-8", what)
	}
	if strings.ContainsFunc(s, hidden) {
		return "", polder.Errorf(polder.Invalid, "the %s holds a control or invisible character; use visible ones only", what)
	}
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if utf8.RuneCountInString(s) > most {
		return "", polder.Errorf(polder.Invalid, "the %s is too long; at most %d characters", what, most)
	}
	return s, nil
}

// hidden tells whether r is a character that one cannot see: controls, line separators, formatting (which holds the
// bidirectional controls and the zero-width ones), private use, unassigned.
func hidden(r rune) bool {
	return r == utf8.RuneError || !unicode.IsOneOf(visible, r)
}

var visible = []*unicode.RangeTable{unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Zs}

// nameKey is equal for names that a reader would take for the same.
func nameKey(s string) string {
	return strings.Join(strings.Fields(cases.Fold().String(norm.NFKC.String(s))), " ")
}

// cleanText checks a text of several lines: UTF-8 without hidden characters but line ends and tabs.
func cleanText(what, s string, most int) (string, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	switch {
	case utf8.RuneCountInString(s) > most:
		return "", polder.Errorf(polder.Invalid, "the %s is too long; at most %d characters", what, most)
	case !utf8.ValidString(s):
		return "", polder.Errorf(polder.Invalid, "the %s is not UTF-8", what)
	case strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && hidden(r) }):
		return "", polder.Errorf(polder.Invalid, "the %s holds a control or invisible character; use visible ones only", what)
	}
	return norm.NFC.String(strings.TrimSpace(s)), nil
}

// canonicalLogIn is the one form of a log-in name: NFKC and case-folded, so that no variant of it counts apart.
func canonicalLogIn(s string) string {
	s = strings.TrimSpace(norm.NFKC.String(s))
	return norm.NFKC.String(cases.Fold().String(s))
}

// cleanEmail checks an e-mail address that becomes a log-in name.
func cleanEmail(s string) (string, error) {
	wrong := polder.Errorf(polder.Invalid, "the e-mail address is not one; use the form name@example.org")
	if len(s) > 4*maxEmail || !utf8.ValidString(s) || strings.ContainsFunc(s, hidden) {
		return "", wrong
	}
	s = canonicalLogIn(s)
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case !ok, local == "", len(local) > 64, len(s) > maxEmail, strings.Contains(domain, "@"),
		strings.ContainsAny(s, " \"(),:;<>[\\]"), strings.ContainsFunc(s, unicode.IsSpace),
		domain == "", strings.HasPrefix(domain, "."), strings.HasSuffix(domain, "."), strings.Contains(domain, ".."):
		return "", wrong
	}
	return s, nil
}

// alias is the short name of a community.
func alias(name string) string { return Alias(name, "community") }

// Alias is a short name of something (rule X25): lower-case ASCII letters and digits, one '-' between words. It is
// otherwise for a name that has nothing of these.
func Alias(name, otherwise string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(name) {
		ascii, ok := fold(r)
		switch {
		case !ok:
			gap = gap || !unicode.Is(unicode.M, r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
			continue
		case gap && b.Len() > 0:
			b.WriteByte('-')
		}
		gap = false
		b.WriteString(ascii)
	}
	a := shorten(b.String(), maxOfAlias)
	if a == "" || isUUID(a) {
		return otherwise
	}
	return a
}

// fold is the ASCII that r is written as; not ok for what has none, a separator among them.
func fold(r rune) (string, bool) {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return string(r), true
	case r >= 'A' && r <= 'Z':
		return string(r - 'A' + 'a'), true
	}
	s, ok := letters[unicode.ToLower(r)]
	return s, ok
}

// letters are the Latin letters that no decomposition takes apart.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l", 'ħ': "h", 'ı': "i", 'ŋ': "ng", 'ŧ': "t", 'ĸ': "k", 'ſ': "s",
}

// shorten cuts s to at most n bytes, at the end of a word if there is one in the second half.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	cut := s[:n]
	if i := strings.LastIndexByte(cut, '-'); i > n/2 && s[n] != '-' {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, "-")
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}
