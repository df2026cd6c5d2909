package names

import "strings"

// cyrillicLetters is what all ways of writing Cyrillic in Latin share, as English does it.
var cyrillicLetters = table{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y", 'к': "k", 'л': "l",
	'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh",
	'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
	'і': "i", 'ї': "yi", 'є': "ye", 'ґ': "g", 'ў': "u",
	'ђ': "dj", 'ј': "j", 'љ': "lj", 'њ': "nj", 'ћ': "c", 'џ': "dz", 'ѓ': "gj", 'ќ': "kj", 'ѕ': "dz",
	'ә': "a", 'ғ': "gh", 'қ': "q", 'ң': "ng", 'ө': "o", 'ұ': "u", 'ү': "u", 'һ': "h", 'ҳ': "h", 'ҷ': "j", 'ӣ': "i", 'ӯ': "u", 'ҝ': "g", 'ҹ': "j",
	'ѣ': "e", 'ѳ': "f", 'ѵ': "i", 'ӑ': "a", 'ӗ': "e", 'ӱ': "u", 'ӳ': "u", 'ҫ': "s", 'җ': "zh", 'ҙ': "z", 'ҡ': "q", 'ӏ': "",
}

// cyrillicWay is a usual way of writing Cyrillic in Latin, as far as it differs from [cyrillicLetters].
type cyrillicWay struct {
	letters table
	softE   bool   // е is ye at the beginning, after a vowel and after ь and ъ
	iy      string // ий at the end; "" writes it letter by letter
	yy      string // ый at the end
	ks      string // кс; "" writes it letter by letter
	ov      string // ов and ев at the end with this for в; "" writes it letter by letter
}

// The usual ways, the most usual first. Ukrainian comes before them for words that only Ukrainian writes.
var (
	cyrillicWays = []cyrillicWay{
		{softE: true, iy: "iy", yy: "y"},
		{letters: table{'ё': "e"}, iy: "y", yy: "y"},
		{letters: table{'ё': "e", 'й': "i", 'ю': "iu", 'я': "ia", 'ъ': "ie"}, iy: "ii", yy: "yi"},
		{letters: table{'х': "h", 'ё': "o", 'й': "i", 'щ': "sch", 'ц': "c"}, iy: "i", yy: "i", ks: "x"},
		{letters: table{'у': "ou", 'ч': "tch", 'ш': "ch", 'ж': "j", 'ю': "iou", 'я': "ia", 'й': "i", 'щ': "chtch", 'ё': "io"}, iy: "i", yy: "y", ov: "ff"},
		{letters: table{'в': "w", 'ч': "tsch", 'ш': "sch", 'ж': "sch", 'ю': "ju", 'я': "ja", 'й': "i", 'щ': "schtsch", 'ё': "jo", 'х': "ch", 'ц': "z", 'з': "s"}, iy: "i", yy: "y"},
		{letters: table{'ю': "ju", 'я': "ja", 'й': "j", 'х': "h", 'ж': "z", 'ч': "c", 'ш': "s", 'щ': "sc", 'ц': "c", 'ё': "e"}, iy: "ij", yy: "yj"},
	}
	ukrainianWays = []cyrillicWay{
		{letters: table{'г': "h", 'и': "y", 'ё': "yo"}, iy: "yy", yy: "y"},
		{letters: table{'г': "h", 'и': "y", 'й': "i", 'ю': "iu", 'я': "ia", 'ї': "i", 'є': "ie", 'щ': "shch"}, iy: "yi", yy: "yi"},
		{letters: table{'г': "g", 'и': "i", 'ї': "i", 'є': "e"}, iy: "iy", yy: "y"},
	}
	belarusianWays = []cyrillicWay{
		{letters: table{'г': "h", 'ў': "u"}, softE: true, iy: "y", yy: "y"},
		{letters: table{'г': "h", 'ў': "w", 'ю': "iu", 'я': "ia", 'й': "i"}, softE: true},
		{letters: table{'г': "g", 'ў': "v"}, softE: true},
	}
	serbianWays = []cyrillicWay{
		{letters: table{'х': "h", 'ж': "z", 'ч': "c", 'ш': "s", 'ц': "c"}},
		{letters: table{'х': "h", 'ж': "zh", 'ч': "ch", 'ш': "sh", 'ц': "ts", 'ћ': "ch", 'џ': "dzh", 'ј': "y", 'љ': "ly", 'њ': "ny"}},
		{letters: table{'х': "h", 'ж': "z", 'ч': "c", 'ш': "s", 'ц': "c", 'ђ': "dj", 'џ': "dj", 'ј': "i", 'љ': "l", 'њ': "n"}},
	}
	bulgarianWays = []cyrillicWay{
		{letters: table{'х': "h", 'щ': "sht", 'ъ': "a", 'ь': "y"}, iy: "i"},
		{letters: table{'х': "kh", 'щ': "sht", 'ъ': "u", 'ь': "y"}, iy: "iy"},
	}
	kazakhWays = []cyrillicWay{
		{letters: table{}, iy: "iy", yy: "y"},
		{letters: table{'ғ': "g", 'қ': "k", 'ң': "n", 'ү': "u", 'ж': "j", 'ы': "i", 'ұ': "u", 'ә': "e", 'х': "h"}, iy: "i", yy: "y"},
	}
)

// cyrillic reads a Cyrillic word: by the language that its letters give away, and else in the ways of Russian. A word
// whose letters all look like Latin ones is read as those too, last.
func (r *reader) cyrillic(word []rune) {
	for _, way := range cyrillicWaysOf(word) {
		r.add(way.write(word))
	}
	if like, ok := allAlike(word); ok {
		r.add(like)
	}
	if n := len(word); n > 3 && strings.HasSuffix(string(word), "ев") { // ё is mostly written е
		yo := append(append(word[:n-2:n-2], 'ё'), 'в')
		r.add(cyrillicWays[0].write(yo))
		r.add(cyrillicWay{letters: table{'ё': "o"}}.write(yo))
	}
	if indexRune(word, 'г') >= 0 {
		r.add(cyrillicWay{letters: table{'г': "h", 'и': "y"}, iy: "yi"}.write(word))
	}
}

// cyrillicWaysOf are the ways to write word, the one of its language first.
func cyrillicWaysOf(word []rune) []cyrillicWay {
	var first []cyrillicWay
	switch {
	case hasAny(word, "ђјљњћџѓќѕ"):
		return serbianWays
	case hasAny(word, "їєґ"), strings.Contains(string(word), "ськ"), strings.Contains(string(word), "цьк"):
		first = ukrainianWays
	case hasAny(word, "ў"):
		first = belarusianWays
	case hasAny(word, "әғқңөұүһҳҷӣӯҝҹҫҙҡ"):
		first = kazakhWays
	case hasAny(word, "і"):
		first = ukrainianWays
		if hasAny(word, "ыэ") {
			first = belarusianWays
		}
	case hardSignVowel(word):
		first = bulgarianWays
	default:
		return cyrillicWays
	}
	return append(first[:len(first):len(first)], cyrillicWays[:4]...)
}

// hardSignVowel says that ъ stands where only Bulgarian writes it: before a consonant.
func hardSignVowel(word []rune) bool {
	for i, c := range word {
		if c == 'ъ' && i+1 < len(word) && !strings.ContainsRune("еёюяіїє", word[i+1]) {
			return true
		}
	}
	return false
}

// write writes word in this way.
func (w cyrillicWay) write(word []rune) string {
	word, end := w.ending(word)
	var b strings.Builder
	b.Grow(2*len(word) + len(end))
	for i, c := range word {
		switch {
		case c == 'е' && w.softE && (i == 0 || strings.ContainsRune("аеёиоуыэюяьъіїєйў", word[i-1])):
			b.WriteString("ye")
			continue
		case c == 'ё' && i > 0 && strings.ContainsRune("жчшщ", word[i-1]):
			b.WriteString(map[bool]string{true: "o", false: "e"}[w.letters['ё'] == "o"])
			continue
		case c == 'к' && w.ks != "" && i+1 < len(word) && word[i+1] == 'с':
			b.WriteString(w.ks)
			continue
		case c == 'с' && w.ks != "" && i > 0 && word[i-1] == 'к':
			continue
		}
		if s, ok := w.letters[c]; ok {
			b.WriteString(s)
		} else if s, ok := cyrillicLetters[c]; ok {
			b.WriteString(s)
		} else {
			b.WriteRune(c)
		}
	}
	b.WriteString(end)
	return b.String()
}

// ending takes off the ending of word that this way writes as a whole, and gives it in Latin.
func (w cyrillicWay) ending(word []rune) (stem []rune, end string) {
	n := len(word)
	if n < 3 {
		return word, ""
	}
	switch last := string(word[n-2:]); {
	case last == "ий" && w.iy != "":
		return word[:n-2], w.iy
	case last == "ый" && w.yy != "":
		return word[:n-2], w.yy
	case (last == "ов" || last == "ев") && w.ov != "" && n > 3:
		return word[:n-1], w.ov
	}
	return word, ""
}

// allAlike is word in the Latin letters that its own look like, when all of them do.
func allAlike(word []rune) (string, bool) {
	var b strings.Builder
	for _, c := range word {
		like, ok := likenesses[c]
		if !ok || like[0] == 0 {
			return "", false
		}
		b.WriteRune(like[0])
	}
	return b.String(), true
}

// hasAny says that one of word's letters is among letters.
func hasAny(word []rune, letters string) bool {
	for _, c := range word {
		if strings.ContainsRune(letters, c) {
			return true
		}
	}
	return false
}

// indexRune is where c first stands in word, -1 if nowhere.
func indexRune(word []rune, c rune) int {
	for i, have := range word {
		if have == c {
			return i
		}
	}
	return -1
}
