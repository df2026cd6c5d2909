package names

import "strings"

// plainSyllable is a word of one plain syllable (a consonant sound, a vowel, and perhaps one more consonant sound), as
// most names of China, Korea and Vietnam are built of, in one spelling of its vowel. ok is false for any other word.
// Such words lie close together: another letter is another syllable, and so another name, rather than a slip.
func plainSyllable(latin string) (spelt string, ok bool) {
	if len(latin) == 0 || len(latin) > 6 {
		return "", false
	}
	i := 0
	for i < len(latin) && (!isVowelLetter(latin[i]) || latin[i] == 'y' && i+1 < len(latin) && isVowelLetter(latin[i+1])) {
		i++
	}
	j := i
	for j < len(latin) && isVowelLetter(latin[j]) {
		j++
	}
	onset, vowel, coda := latin[:i], latin[i:j], latin[j:]
	if vowel == "" || len(vowel) > 3 || !isIn2(syllableOnsets, onset) || !isIn2(syllableCodas, coda) {
		return "", false
	}
	if one, known := syllableVowels[vowel]; known {
		vowel = one
	}
	return onset + vowel + strings.TrimLeft(coda, "h"), true
}

// syllableOnsets and syllableCodas are what a plain syllable begins and ends with, between spaces.
const (
	syllableOnsets = " b c d f g h j k l m n p q r s t v w x y z zh ch sh th ph kh gh nh ng ngh tr kk pp tt ss jj hs ts tz rh kw gw hw hy ky ry my by py gy "
	syllableCodas  = " n ng m p t k c ch nh l r h hn "
)

// syllableVowels are spellings of one vowel.
var syllableVowels = map[string]string{"ee": "i", "oo": "u", "ou": "u", "eu": "u", "ae": "e"}

func isIn2(list, s string) bool { return s == "" || isListed(list, s) }

// isListed says whether s stands in list between spaces. It does not allocate.
func isListed(list, s string) bool {
	for {
		i := strings.Index(list, s)
		if i < 0 {
			return false
		}
		if end := i + len(s); list[i-1] == ' ' && list[end] == ' ' {
			return true
		}
		list = list[i+1:]
		if list[0] != ' ' {
			list = list[strings.IndexByte(list, ' '):]
		}
	}
}

// vowelGap says how far the vowels of two words that sound alike lie apart: 1 for each that differs within the broad
// classes that romanisations confuse, 2 for each that differs beyond them or stands in one word alone.
func vowelGap(a, b string) int {
	var x, y hearing
	x.hear(a[:min(len(a), maxSoundBytes)])
	y.hear(b[:min(len(b), maxSoundBytes)])
	va, vb := x.vowels(), y.vowels()
	var row [maxSoundBytes + 1]int
	for j := range vb {
		row[j+1] = row[j] + 2
	}
	for i := range va {
		diagonal := row[0]
		row[0] += 2
		for j := range vb {
			cost := 2
			switch {
			case va[i] == vb[j]:
				cost = 0
			case broad(va[i]) == broad(vb[j]):
				cost = 1
			}
			best := min(diagonal+cost, row[j]+2, row[j+1]+2)
			diagonal, row[j+1] = row[j+1], best
		}
	}
	return row[len(vb)]
}

// vowels leaves only the vowels of what was heard.
func (h *hearing) vowels() []byte {
	n := 0
	for _, c := range h.out[:h.n] {
		if c >= 'a' {
			h.out[n] = c
			n++
		}
	}
	return h.out[:min(n, maxSoundBytes)]
}

// isTwoSyllables says whether a word is written as two syllables with a hyphen, or is two of Chinese.
func isTwoSyllables(w *Word) bool {
	if strings.IndexByte(w.Text, '-') > 0 {
		return true
	}
	_, _, two := twoPinyin(w.Latin)
	return two
}

// syllableVowel is the vowel of a plain syllable, in one spelling.
func syllableVowel(latin string) string {
	i := 0
	for i < len(latin) && (!isVowelLetter(latin[i]) || latin[i] == 'y' && i+1 < len(latin) && isVowelLetter(latin[i+1])) {
		i++
	}
	j := i
	for j < len(latin) && isVowelLetter(latin[j]) {
		j++
	}
	switch vowel := latin[i:j]; vowel {
	case "eo", "o", "u", "oo", "ou", "eu", "uh":
		return "u"
	case "ae", "e":
		return "e"
	case "ee", "i", "yi":
		return "i"
	default:
		return vowel
	}
}

// syllablesDiffer says whether two words are both written as two syllables with a hyphen (Eun-ji) and one of these differs.
func syllablesDiffer(a, b *Word) bool {
	a1, a2, ok := strings.Cut(a.Text, "-")
	if !ok {
		return false
	}
	b1, b2, ok := strings.Cut(b.Text, "-")
	return ok && (!sameSyllable(a1, b1) || !sameSyllable(a2, b2))
}

// sameSyllable says whether two syllables are the same but for the spelling of the vowel.
func sameSyllable(a, b string) bool {
	if a == b {
		return true
	}
	x, okX := plainSyllable(a)
	y, okY := plainSyllable(b)
	return okX && okY && x == y
}

// pinyinDiffers says whether two words are both two syllables of Chinese and one of these differs: Jianhua and Zhenhua.
func pinyinDiffers(a, b string) bool {
	a1, a2, ok := twoPinyin(a)
	if !ok {
		return false
	}
	b1, b2, ok := twoPinyin(b)
	return ok && (!sameSyllable(a1, b1) || !sameSyllable(a2, b2))
}

// The beginnings and the ends of the syllables of Chinese, between spaces.
const (
	pinyinInitials = " b p m f d t n l g k h j q x zh ch sh r z c s y w "
	pinyinFinals   = " a o e ai ei ao ou an en ang eng i ia ie iao iu ian in iang ing u ua uo uai ui uan un uang ong iong ue "
)

// twoPinyin parts a word of two syllables of Chinese that both begin with a consonant; ok is false for any other word.
func twoPinyin(latin string) (first, second string, ok bool) {
	if len(latin) < 5 || len(latin) > 12 {
		return "", "", false
	}
	for cut := 2; cut+2 <= len(latin); cut++ {
		if isPinyin(latin[:cut]) && isPinyin(latin[cut:]) {
			return latin[:cut], latin[cut:], true
		}
	}
	return "", "", false
}

// isPinyin says whether a word is one syllable of Chinese.
func isPinyin(s string) bool {
	n := 1
	if len(s) > 2 && s[1] == 'h' {
		n = 2
	}
	if n == len(s) || !isListed(pinyinInitials, s[:n]) || !isListed(pinyinFinals, s[n:]) {
		return false
	}
	switch s[0] {
	case 'w':
		return s[1] != 'i' && (s[1] != 'u' || n+1 == len(s))
	case 'y':
		return s[1] != 'i' || s[2:] == "" || s[2:] == "n" || s[2:] == "ng"
	case 'j', 'q', 'x':
		return (s[1] == 'i' || s[1] == 'u') || n == 2
	}
	return true
}

// isKanaSpelt says whether a word of three syllables or more is spelt as Japanese is: each syllable a vowel, a consonant
// of Japanese and a vowel, or either with an n. Among such words another consonant makes another name more often than
// it is a slip.
func isKanaSpelt(s string) bool {
	syllables := 0
	for i := 0; i < len(s); {
		n := i
		for n < len(s) && !isVowelLetter(s[n]) {
			n++
		}
		switch onset := s[i:n]; {
		case onset == "n" && n == len(s) && i > 0:
			return syllables >= 3
		case n == len(s), onset != "" && !isListed(kanaOnsets, onset):
			return false
		}
		syllables++
		i = n + 1
	}
	return syllables >= 3
}

// kanaOnsets are what syllables of Japanese begin with, with the end of the one before, between spaces.
const kanaOnsets = " k s sh t ch ts n h f m y r w g z j d b p ky ry hy my ny by gy " +
	"kk ss ssh tt tch tts pp nk ns nsh nt nch nts nn nh nf nm mm mp mb ny nr nw ng nz nj nd nb np "
