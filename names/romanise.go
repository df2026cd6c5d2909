package names

import "strings"

// Bounds of a word's readings: a longer word is cut, a word with more readings keeps the first.
const (
	maxReadings    = 9
	maxReadRunes   = 64
	maxReadingSize = 256
)

// readings are the romanisations of one word, the usual one first, each folded to a–z and 0–9, none twice; at least
// one, which is "" when the word cannot be read, and at most nine. The word may come as written, as [normal] gives it,
// or folded: the first two tell more (ö: o, oe). A Latin word's first reading is itself without accents. A word of 64
// letters or more is read as far as that.
func readings(word string, s Script) []string {
	if s == Latin || s == Digits {
		if asciiWord(word) {
			return latinASCII(word)
		}
	}
	if len(word) > 8*maxReadRunes {
		word = string(cutRunes(word, 4*maxReadRunes))
	}
	rs := cutRunes(normal(word), maxReadRunes)
	r := reader{}
	switch s {
	case Latin, Digits:
		r.latin(rs)
	case Cyrillic:
		r.cyrillic(rs)
	case Arabic:
		r.arabic(rs)
	case Greek:
		r.greek(rs)
	case Hebrew:
		r.hebrew(rs)
	case Kana:
		r.kana(rs)
	case Hangul:
		r.hangul(rs)
	case Han:
		r.han(rs)
	default:
		r.other(rs)
	}
	if len(r.out) == 0 {
		return []string{""}
	}
	return r.out
}

// reader collects the readings of a word.
type reader struct{ out []string }

// add adds a reading, folded, unless it is empty, there already, or one too many.
func (r *reader) add(s string) {
	if len(r.out) >= maxReadings {
		return
	}
	s = lettersAndDigits(s)
	if s == "" {
		return
	}
	for _, have := range r.out {
		if have == s {
			return
		}
	}
	r.out = append(r.out, s)
}

// lettersAndDigits is what of s is a–z or 0–9 after folding, at most [maxReadingSize] bytes.
func lettersAndDigits(s string) string {
	if !asciiWord(s) {
		s = strings.Map(func(c rune) rune {
			if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
				return c
			}
			return -1
		}, fold(s))
	}
	if len(s) > maxReadingSize {
		s = s[:maxReadingSize]
	}
	return s
}

// asciiWord says that s has only a–z and 0–9.
func asciiWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// cutRunes is the first n runes of s.
func cutRunes(s string, n int) []rune {
	rs := make([]rune, 0, min(len(s), n))
	for _, r := range s {
		if len(rs) == n {
			break
		}
		rs = append(rs, r)
	}
	return rs
}

// latinASCII are the readings of a word without accents: itself, and, where it writes an umlaut or a long a with two
// letters, the word with one.
func latinASCII(word string) []string {
	if len(word) > maxReadingSize {
		word = word[:maxReadingSize]
	}
	for i := 0; i+2 < len(word) && len(word) >= 4; i++ {
		if two := word[i : i+2]; two == "ae" || two == "oe" || two == "ue" || two == "aa" {
			return []string{word, word[:i+1] + word[i+2:]}
		}
	}
	return []string{word}
}

// latinSecond holds the letters that have a second usual spelling without the accent.
var latinSecond = map[rune]string{
	'ö': "oe", 'ä': "ae", 'ü': "ue", 'å': "aa", 'ø': "oe", 'ñ': "ny", 'ş': "sh", 'ç': "ch", 'š': "sh", 'č': "ch", 'ž': "zh", 'ğ': "gh",
	'đ': "dj", 'ć': "ch", 'ș': "sh", 'ț': "ts", 'ő': "oe", 'ű': "ue", 'ə': "e", 'ı': "y", 'ś': "sh", 'ź': "zh", 'ż': "zh", 'þ': "t", 'ð': "th", 'æ': "a", 'ł': "w",
}

// latin reads a word with accents: without them, and with the usual second spellings.
func (r *reader) latin(word []rune) {
	r.add(string(word))
	var b strings.Builder
	second := false
	for _, c := range word {
		if two, ok := latinSecond[c]; ok {
			b.WriteString(two)
			second = true
			continue
		}
		b.WriteRune(c)
	}
	if second {
		r.add(b.String())
	}
}

// table is a simple writing of letters in Latin ones.
type table map[rune]string

// spell writes word by the first table that has the letter; a letter in none of them stays.
func spell(word []rune, tables ...table) string {
	var b strings.Builder
	b.Grow(2 * len(word))
letters:
	for _, c := range word {
		for _, t := range tables {
			if s, ok := t[c]; ok {
				b.WriteString(s)
				continue letters
			}
		}
		b.WriteRune(c)
	}
	return b.String()
}
