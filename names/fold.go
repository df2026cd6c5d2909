package names

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold is s in the form that words are compared in: [normal], and without accents, and with the letters that only
// habit or keyboard tell apart made one (ø o, ё е, Persian and Arabic kaf). Spaces and punctuation stay.
// fold(fold(s)) is fold(s). An ASCII string that is folded already is returned as it is.
func fold(s string) string {
	if asciiFolded(s) {
		return s
	}
	if isASCII(s) {
		return strings.ToLower(strings.Map(dropControl, s))
	}
	return norm.NFC.String(stripMarks(normal(s)))
}

// normal is s in NFKC and lower case, without controls, bidirectional signs, vowel points and other invisible things,
// with one form of apostrophe, hyphen, space and digit, and with each word in one script: a letter that only looks like
// one of the word's script becomes that. Accents stay, so that [readings] can tell ö from o.
func normal(s string) string {
	if asciiFolded(s) {
		return s
	}
	if isASCII(s) {
		return strings.ToLower(strings.Map(dropControl, s))
	}
	s = strings.Map(plainSign, norm.NFKD.String(strings.ToValidUTF8(s, "\uFFFD")))
	return norm.NFKC.String(strings.ToLower(unmix(s)))
}

// asciiFolded says that s has only ASCII, no capital and no control.
func asciiFolded(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || 'A' <= c && c <= 'Z' || c == '`' {
			return false
		}
	}
	return true
}

// isASCII says that s has only ASCII.
func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// dropControl drops ASCII controls; what breaks lines or columns becomes a space.
func dropControl(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == '\v' || r == '\f':
		return ' '
	case r < ' ' || r == 0x7F:
		return -1
	case r == '`':
		return '\''
	}
	return r
}

// plainSign gives signs their one form, and drops what is not seen.
func plainSign(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return dropControl(r)
	case r == utf8.RuneError:
		return ' '
	case r < 0x02B0 && unicode.IsLetter(r), r >= 0x0386 && r < 0x0530, r >= 0x4E00 && r < 0xA000, r >= 0xAC00 && r < 0xD800:
		return r // letters, and marks of Cyrillic that [stripMarks] drops
	case invisible(r):
		return -1
	case strings.ContainsRune("’‘‛ʼʻʾʿˈ′´ʹʽ՚＇ꞌ", r):
		return '\''
	case unicode.Is(unicode.Pd, r) || r == '−' || r == '־':
		return '-'
	case unicode.IsSpace(r) || unicode.Is(unicode.Z, r):
		return ' '
	case strings.ContainsRune("・·•‧｡。．", r):
		return ' '
	case r == '،' || r == '、' || r == '，' || r == '؛':
		return ','
	}
	if unicode.Is(unicode.Nd, r) {
		return digitOf(r)
	}
	return r
}

// invisible says that r is not part of how a name is written: controls, joiners, bidirectional signs, soft hyphen,
// tatweel, Arabic and Hebrew vowel points, variation selectors.
func invisible(r rune) bool {
	switch {
	case r == 0x0640, r == 0x0670, r == 0x034F, r == 0x3164, r == 0x115F, r == 0x1160:
		return true
	case r >= 0x064B && r <= 0x0652, r >= 0x0656 && r <= 0x065F, r >= 0x0610 && r <= 0x061A, r >= 0x06D6 && r <= 0x06ED && unicode.Is(unicode.Mn, r):
		return true
	case r >= 0x0591 && r <= 0x05C7 && unicode.Is(unicode.Mn, r):
		return true
	case r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0000 && r <= 0xE0FFF:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf)
}

// digitOf is the ASCII digit of a decimal digit of any script. Unicode keeps the ten digits of a script together.
func digitOf(r rune) rune {
	zero := r
	for zero > 0 && unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
		zero--
	}
	if unicode.Is(unicode.Nd, zero) && !unicode.Is(unicode.Nd, zero-1) {
		return '0' + r - zero
	}
	return r
}

// oneLetter holds letters without a decomposition, and letters that writers do not keep apart.
var oneLetter = map[rune]string{
	'ø': "o", 'ł': "l", 'đ': "d", 'ß': "ss", 'æ': "ae", 'œ': "oe", 'þ': "th", 'ð': "d", 'ħ': "h", 'ı': "i", 'ŋ': "ng",
	'ŧ': "t", 'ĸ': "k", 'ɨ': "i", 'ƶ': "z", 'ə': "a", 'ɓ': "b", 'ɗ': "d", 'ƙ': "k", 'ƴ': "y", 'ɛ': "e", 'ɔ': "o", 'ơ': "o",
	'ư': "u", 'ʃ': "sh", 'ʒ': "zh", 'ɣ': "gh", 'ǝ': "e", 'ƒ': "f", 'ƿ': "w", 'ȷ': "j", 'ɖ': "d", 'ɲ': "ny", 'ʋ': "v", 'ǥ': "g",
	'ё': "е", 'ґ': "г", 'ѐ': "е", 'ѝ': "и",
	'أ': "ا", 'إ': "ا", 'آ': "ا", 'ٱ': "ا", 'ي': "ی", 'ى': "ی", 'ے': "ی", 'ئ': "ی", 'ؤ': "و", 'ك': "ک", 'ة': "ه", 'ۀ': "ه", 'ہ': "ه", 'ھ': "ه",
	'ۂ': "ه", 'ۃ': "ه", 'ە': "ه", 'ڪ': "ک", 'ں': "ن", 'ء': "",
	'ך': "כ", 'ם': "מ", 'ן': "נ", 'ף': "פ", 'ץ': "צ", 'ς': "σ",
}

// stripMarks takes accents off letters and makes letters one that [oneLetter] names. Marks that are letters of their
// script (й, ў, dakuten, the vowel signs of India and Thailand) stay.
func stripMarks(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	base := OtherScript
	var letter rune
	for _, r := range norm.NFC.String(s) {
		if unicode.Is(unicode.Mn, r) {
			if keepsMark(base, r) {
				b.WriteRune(r)
			}
			continue
		}
		base = ScriptOf(r)
		letter = bareLetter(r, base)
		if one, ok := oneLetter[letter]; ok {
			b.WriteString(one)
		} else {
			b.WriteRune(letter)
		}
	}
	return b.String()
}

// bareLetter is r without accents, where its script takes them for accents.
func bareLetter(r rune, s Script) rune {
	if r < utf8.RuneSelf || s != Latin && s != Greek && s != Cyrillic {
		return r
	}
	switch r {
	case 'й', 'ў', 'ї', 'ѓ', 'ќ':
		return r
	}
	if d := norm.NFD.PropertiesString(string(r)).Decomposition(); len(d) > 0 {
		first, _ := utf8.DecodeRune(d)
		return first
	}
	return r
}

// keepsMark says that a mark which did not compose is a letter of its base's script.
func keepsMark(base Script, mark rune) bool {
	switch base {
	case Latin, Greek, Cyrillic, Arabic, Hebrew, Digits:
		return false
	case Kana:
		return mark == 0x3099 || mark == 0x309A
	}
	return mark >= 0x0900 && (mark < 0x0E47 || mark > 0x0E4E) // not the tone marks of Thai
}
