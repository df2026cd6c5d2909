package names

import "unicode"

// Script is a writing system, as far as names are read in it.
type Script uint8

// The scripts that are read.
const (
	OtherScript Script = iota
	Latin
	Cyrillic
	Arabic // Persian and Urdu letters too
	Han
	Greek
	Kana
	Hangul
	Hebrew
	Digits // a word of digits alone
)

var scriptNames = [...]string{"other", "latin", "cyrillic", "arabic", "han", "greek", "kana", "hangul", "hebrew", "digits"}

// String is the script's name in lower case.
func (s Script) String() string { return scriptNames[s] }

// ScriptOf is the script of a letter or digit; OtherScript for what belongs to none of them, marks and signs included.
func ScriptOf(r rune) Script {
	switch {
	case r < 0x80:
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return Latin
		case '0' <= r && r <= '9':
			return Digits
		}
		return OtherScript
	case r == 0x30FC: // the long sign belongs to no script in Unicode, but only stands in Kana
		return Kana
	case unicode.IsDigit(r):
		return Digits
	case !unicode.IsLetter(r) && r != 0x3007: // 〇 is a number, not a letter
		return OtherScript
	}
	return scriptOfLetter(r)
}

// scriptOfLetter is [ScriptOf] for a letter beyond ASCII.
func scriptOfLetter(r rune) Script {
	switch {
	case unicode.Is(unicode.Latin, r):
		return Latin
	case unicode.Is(unicode.Cyrillic, r):
		return Cyrillic
	case unicode.Is(unicode.Arabic, r):
		return Arabic
	case unicode.Is(unicode.Han, r):
		return Han
	case unicode.Is(unicode.Greek, r):
		return Greek
	case unicode.In(r, unicode.Hiragana, unicode.Katakana):
		return Kana
	case unicode.Is(unicode.Hangul, r):
		return Hangul
	case unicode.Is(unicode.Hebrew, r):
		return Hebrew
	}
	return OtherScript
}

// scriptOfWord is the script that most letters of a word have, the first of equals; Digits only when no letter is there.
func scriptOfWord(word string) Script {
	var n [len(scriptNames)]int
	best, digits := OtherScript, false
	for _, r := range word {
		s := ScriptOf(r)
		if s == Digits {
			digits = true
			continue
		}
		if s == OtherScript && !unicode.IsLetter(r) {
			continue
		}
		n[s]++
		if n[s] > n[best] {
			best = s
		}
	}
	if digits && n[best] == 0 {
		return Digits
	}
	return best
}
