package names

import (
	"math/bits"
	"strings"
)

// how is the way in which two words met.
type how uint8

// The ways, from the surest on. The zero value is that they did not meet.
const (
	howNot          how = iota
	howSame             // written alike
	howReading          // the same in one of their romanisations
	howMeaning          // the same meaning
	howSound            // romanisations of one word, by their sound
	howEdit             // a few letters differ
	howGiven            // forms of one given name
	howInitial          // a letter for a given name
	howJoined           // the same but for the spaces
	howAcronym          // the first letters of several words
	howPart             // a word of a phrase
	howOrganisation     // two names of one organisation
	howForeign          // legal forms of one kind, of two countries
	howContrary         // they contradict one another
)

// otherSyllable is what is left of a likeness by letters when one word is of a script of syllables: all its readings are
// known, so that another letter is another syllable and no slip. In longer words, which often render foreign ones, and
// for Hangul, which is romanised in more ways, less so.
func otherSyllable(a, b *Word) float64 {
	const short, hangul, long = 0.7, 0.85, 0.9
	factor := 1.0
	for _, w := range [2]*Word{a, b} {
		switch {
		case w.Script != Han && w.Script != Hangul:
		case len(w.Text) > 6:
			factor = min(factor, long)
		case w.Script == Han:
			factor = min(factor, short)
		default:
			factor = min(factor, hangul)
		}
	}
	return factor
}

// Below leastSim words are no partners.
const leastSim = 0.35

// wordSim says how alike two words are, from 0 to 1, and in which way. It is symmetric and looks at nothing but the two
// words, so that it may be kept for each pair of them.
func wordSim(a, b *Word) (float64, how) {
	if a == b || a.Text == b.Text && (a.Concept == b.Concept || a.Concept == 0 || b.Concept == 0) {
		return 1, howSame
	}
	if a.Kind == Number || b.Kind == Number {
		return numberSim(a, b)
	}
	if a.Concept != 0 && a.Concept == b.Concept {
		if a.Kind == LegalForm && otherArea(a, b) {
			return 0.9, howForeign
		}
		return 0.97, howMeaning
	}
	if a.Kind == Initial || b.Kind == Initial {
		return initialSim(a, b)
	}
	if a.Script == b.Script && (a.Script == Han || a.Script == Hangul) {
		return letterSim(a.Text, b.Text)
	}
	if s, h := readingSim(a, b); h != howNot {
		return s, h
	}
	if isPart(a.Text, b.Text) || isPart(b.Text, a.Text) {
		return 0.8, howPart
	}
	if a.Concept != 0 && b.Concept != 0 {
		return 0, howNot
	}
	return spellingSim(a, b)
}

// isPart says whether word is one of the words of phrase, and phrase has others.
func isPart(word, phrase string) bool {
	if len(phrase) <= len(word)+1 {
		return false
	}
	for {
		i := strings.IndexByte(phrase, ' ')
		if i < 0 {
			return false
		}
		if phrase[:i] == word || phrase[i+1:] == word {
			return true
		}
		phrase = phrase[i+1:]
	}
}

// numberSim compares words one of which is a number: the same value, or nothing in common.
func numberSim(a, b *Word) (float64, how) {
	if a.Kind == b.Kind && numberOf(a) == numberOf(b) {
		return 0.97, howMeaning
	}
	return 0, howNot
}

// numberOf is the value of a number in digits.
func numberOf(w *Word) string {
	if w.Concept != 0 {
		return w.Concept.String()
	}
	return w.Latin
}

// initialSim compares an initial with a word, or with another initial.
func initialSim(a, b *Word) (float64, how) {
	if a.Kind == b.Kind || a.Kind != Initial && a.Kind != Proper || b.Kind != Initial && b.Kind != Proper {
		if a.Latin == b.Latin && a.Latin != "" {
			return 0.98, howReading
		}
		return 0, howNot
	}
	if a.Kind == Initial {
		a, b = b, a
	}
	if b.Latin == "" {
		return 0, howNot
	}
	if strings.HasPrefix(a.Latin, b.Latin) {
		return 0.9, howInitial
	}
	for _, r := range a.Alt {
		if strings.HasPrefix(r, b.Latin) {
			return 0.85, howInitial
		}
	}
	return 0, howNot
}

// readingSim compares the romanisations of two words for one that is the same.
func readingSim(a, b *Word) (float64, how) {
	if a.Latin == "" || b.Latin == "" {
		return 0, howNot
	}
	if a.Latin == b.Latin {
		if a.Script == b.Script {
			return 0.99, howReading
		}
		return 0.98, howReading
	}
	for _, r := range a.Alt {
		if r == b.Latin {
			return 0.96, howReading
		}
	}
	for _, r := range b.Alt {
		if r == a.Latin {
			return 0.96, howReading
		}
	}
	for _, r := range a.Alt {
		for _, q := range b.Alt {
			if r == q && len(r) > 2 {
				return 0.93, howReading
			}
		}
	}
	return 0, howNot
}

// spellingSim compares two words by their letters, by their sound and as given names, and takes the best.
func spellingSim(a, b *Word) (float64, how) {
	if a.Latin == "" && b.Latin == "" {
		return letterSim(a.Text, b.Text)
	}
	if len(a.Latin) < 2 || len(b.Latin) < 2 {
		return 0, howNot
	}
	spelled := bestEdit(a, b)
	best, way := 0.0, howNot
	if spelled >= leastSim {
		best, way = spelled, howEdit
	}
	if v := soundSim(a, b, spelled); v > best {
		best, way = v, howSound
	}
	if otherForm(a.Latin, b.Latin) {
		best *= 0.6
	}
	if best > 0 {
		s, k := syllableSim(a, b), knownApart(a, b)
		best *= min(s, k)
		if s < 1 && k < 1 {
			best *= 0.92
		}
	}
	if a.Kind == Proper && b.Kind == Proper {
		if v := 0.75 * givenSim(a.Latin, b.Latin); v > best {
			best, way = v, howGiven
		}
	}
	if best < leastSim {
		return 0, howNot
	}
	return best, way
}

// givenSim is how sure it is that two words are forms of one given name. Nicknames of three letters belong to too many
// names for two of them to be one.
func givenSim(a, b string) float64 {
	v := sameGivenName(a, b)
	if v <= givenStrength[roleNick][roleNick] && len(a) <= 3 && len(b) <= 3 {
		return 0
	}
	return v
}

// letterSim compares two words of one script that is not romanised, or whose letters say more than their romanisation:
// each letter that differs counts alike.
func letterSim(a, b string) (float64, how) {
	x, y := []rune(a), []rune(b)
	simpleHan(x)
	simpleHan(y)
	d := plainDistance(x, y)
	if d == 0 {
		return 0.99, howReading
	}
	v := 1 - float64(d)/(0.25*float64(len(x)+len(y))+0.8)
	if v < leastSim {
		return 0, howNot
	}
	return v, howEdit
}

// simpleHan makes traditional and Japanese forms of Han the simplified ones.
func simpleHan(word []rune) {
	plain := tables().plain
	for i, r := range word {
		if r >= 0x3400 {
			word[i] = simple(r, plain)
		}
	}
}

// soundSim is how alike two words are that sound alike, 0 when they do not: more consonants say more, and vowels that
// differ say that they are two words, where both are written in full.
func soundSim(a, b *Word, spelled float64) float64 {
	if a.Sound == "" || a.Sound != b.Sound || otherSyllable(a, b) < 1 || !sameDigits(a.Latin, b.Latin) {
		return 0
	}
	consonants := 0
	for i := range len(a.Sound) {
		if a.Sound[i] < 'a' {
			consonants++
		}
	}
	v := [...]float64{0.5, 0.6, 0.76, 0.86, 0.92}[min(consonants, 4)]
	if a.Script != Arabic && b.Script != Arabic && a.Script != Hebrew && b.Script != Hebrew {
		if gap := vowelGap(a.Latin, b.Latin); gap > 0 {
			return v - 0.08*float64(gap)
		}
	}
	return v + (0.97-v)*0.6*spelled
}

// syllableSim is what is left of a likeness by letters or sound when both words are one plain syllable, or are written
// as two with a hyphen: little differs between them, but it makes another name, unless only the vowel is spelt in another way.
func syllableSim(a, b *Word) float64 {
	if a.Script != Latin || b.Script != Latin {
		return 1
	}
	if syllablesDiffer(a, b) {
		return 0.55
	}
	switch x, okX := plainSyllable(a.Latin); {
	case pinyinDiffers(a.Latin, b.Latin):
		if editDistance(a.Latin, b.Latin) <= 1 { // or one slip
			return 0.9
		}
		return 0.7
	case a.Sound != b.Sound && isKanaSpelt(a.Latin) && isKanaSpelt(b.Latin):
		return 0.85
	case !okX:
		if _, okY := plainSyllable(b.Latin); okY && isTwoSyllables(a) {
			return 0.5
		}
		return 1
	default:
		y, okY := plainSyllable(b.Latin)
		switch {
		case !okY && isTwoSyllables(b):
			return 0.5
		case !okY:
			return 1
		case x == y:
			return 0.9
		case a.Sound != b.Sound:
			return 0.4
		case syllableVowel(a.Latin) != syllableVowel(b.Latin):
			return 0.6
		}
		return 0.7
	}
}

// knownApart is what is left of a likeness by letters or sound when both words are common in names and no forms of one
// given name: they are two names rather than one with a slip in it.
func knownApart(a, b *Word) float64 {
	if a.Kind == Proper && b.Kind == Proper && isKnownName(a.Latin) && isKnownName(b.Latin) && sameGivenName(a.Latin, b.Latin) == 0 {
		return 0.7
	}
	return 1
}

// isKnownName says whether a romanised word is one of the common words of names, or a form of a given name.
func isKnownName(latin string) bool { return commonness(latin) > 0 || len(tables().given[latin]) > 0 }

// otherForm says whether two words that are nearly alike are known to be two: a surname and a patronymic of one stem
// (Ivanova, Ivanovna), a man's given name and a woman's (Antonio, Antonia; Daniel, Daniela; Yanto, Yanti).
func otherForm(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	n := len(a)
	if n < 4 {
		return false
	}
	if n == len(b) && a[:n-1] == b[:n-1] {
		switch string([]byte{min(a[n-1], b[n-1]), max(a[n-1], b[n-1])}) {
		case "ao", "ai", "io":
			return true
		}
		return false
	}
	if len(b) == n+1 && b[:n] == a && b[n] == 'a' && !isVowel(a[n-1]) && !isSurname(a) {
		return true
	}
	if len(b) == n+1 && b[:n] == a && b[n] == 'e' && isKnownName(a) && isKnownName(b) {
		return true // François, Françoise
	}
	return isPatronymic(a) != isPatronymic(b) && (isSurname(a) || isSurname(b))
}

// isSurname says whether a romanised word has the form of an East Slavic surname.
func isSurname(s string) bool {
	s = strings.TrimSuffix(s, "a")
	return strings.HasSuffix(s, "ov") || strings.HasSuffix(s, "ev") || strings.HasSuffix(s, "in")
}

// bestEdit is the likeness by letters of the closest romanisations of two words.
func bestEdit(a, b *Word) float64 {
	best := 0.0
	if near(a.letters, b.letters, len(a.Latin), len(b.Latin)) {
		best = editSim(a.Latin, b.Latin)
	}
	for _, r := range a.Alt {
		if near(letterSet(r), b.letters, len(r), len(b.Latin)) {
			best = max(best, 0.97*editSim(r, b.Latin))
		}
	}
	for _, r := range b.Alt {
		if near(a.letters, letterSet(r), len(a.Latin), len(r)) {
			best = max(best, 0.97*editSim(a.Latin, r))
		}
	}
	return best * otherSyllable(a, b)
}

// letterSet is the set of the letters and digits of s.
func letterSet(s string) uint64 {
	var set uint64
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			set |= 1 << (c - 'a')
		case c >= '0' && c <= '9':
			set |= 1 << (c - '0' + 26)
		}
	}
	return set
}

// near says whether words with these letters and lengths can be alike at all.
func near(a, b uint64, la, lb int) bool {
	shorter, longer := min(la, lb), max(la, lb)
	if longer-shorter > 1+longer/3 {
		return false
	}
	return max(bits.OnesCount64(a&^b), bits.OnesCount64(b&^a)) <= 1+longer/4
}

// isPatronymic says whether a romanised word has the form of an East Slavic patronymic.
func isPatronymic(s string) bool {
	return patronymicStem(s) < len(s)
}

// patronymicStem is how much of a word comes before the ending of a patronymic; all of it when it has none.
func patronymicStem[S letters](s S) int {
	if len(s) < 7 || s[len(s)-1] != 'h' && s[len(s)-1] != 'a' && s[len(s)-1] != 'c' {
		return len(s)
	}
	for _, end := range [...]string{"ovich", "evich", "ovitch", "evitch", "ovych", "ovytch", "yovych", "ovna", "evna", "ivna", "ovic", "evic"} {
		if len(s) >= len(end)+3 && string(s[len(s)-len(end):]) == end {
			return len(s) - len(end)
		}
	}
	return len(s)
}
