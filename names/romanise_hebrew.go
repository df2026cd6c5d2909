package names

import "strings"

// hebrewLetters writes Hebrew without points, the final forms folded.
var hebrewLetters = table{
	'א': "a", 'ב': "b", 'ג': "g", 'ד': "d", 'ה': "h", 'ו': "v", 'ז': "z", 'ח': "h", 'ט': "t", 'י': "i", 'כ': "k", 'ל': "l", 'מ': "m",
	'נ': "n", 'ס': "s", 'ע': "a", 'פ': "p", 'צ': "tz", 'ק': "k", 'ר': "r", 'ש': "sh", 'ת': "t",
}

// hebrew reads a Hebrew word. Vowels are mostly not written: vav and yod are tried as vowels and as consonants, and
// between two consonants stands an a or an e.
func (r *reader) hebrew(word []rune) {
	plain := []rune(fold(string(word)))
	r.add(hebrewWrite(plain, "o", "aa", nil))
	r.add(hebrewWrite(plain, "u", "aa", nil))
	r.add(hebrewWrite(plain, "o", "ae", table{'ח': "ch", 'צ': "ts"}))
	r.add(hebrewWrite(plain, "v", "ai", table{'ב': "v", 'כ': "kh", 'פ': "f"}))
	r.add(hebrewWrite(plain, "o", "oe", table{'פ': "f", 'ש': "s", 'ח': "kh"}))
	r.add(hebrewWrite(plain, "v", "ee", table{'ב': "v", 'צ': "z", 'ח': "ch"}))
	r.add(hebrewWrite(plain, "u", "ie", table{'ב': "v", 'פ': "f"}))
	r.add(hebrewWrite(plain, "o", "oe", table{'כ': "c", 'ק': "c"}))
}

// hebrewWrite writes a folded Hebrew word with vav as given inside a word, and between consonants with the first of two
// vowels once, then with the second.
func hebrewWrite(word []rune, vav, between string, letters table) string {
	var b strings.Builder
	end := pick(between[1] == 'e', "eh", "ah")
	vowel := true // whether the last sound is a vowel
	for i := 0; i < len(word); i++ {
		c, last := word[i], i == len(word)-1
		s := spell(word[i:i+1], letters, hebrewLetters)
		isVowel := false
		switch {
		case c == 'ו' && i > 0 && !last && word[i+1] == 'ו':
			i++
			s = "v"
		case c == 'ו' && i > 0 && !last && word[i+1] == 'י':
		case c == 'ו' && i > 0 && !vowel:
			s, isVowel = vav, vav != "v"
		case c == 'י' && i+1 < len(word) && (i == 0 || word[i+1] == 'ה'):
			s = "y"
		case c == 'י':
			isVowel = true
		case c == 'ה' && last && i > 0:
			s, isVowel = "h", true
			if !vowel {
				s = end
			}
		case c == 'א' || c == 'ע':
			isVowel = true
			if vowel && i > 0 {
				s = ""
			}
		}
		if !isVowel && !vowel && s != "" {
			b.WriteString(between[:1])
			between = between[len(between)-1:]
		}
		b.WriteString(s)
		vowel = isVowel
	}
	return b.String()
}
