package names

import (
	"strings"
	"unicode/utf8"
)

// arabicConsonants writes the consonants of Arabic, Persian, Urdu, Pashto and Kurdish; hamza and ayn are not heard.
var arabicConsonants = table{
	'ب': "b", 'ت': "t", 'ث': "th", 'ج': "j", 'ح': "h", 'خ': "kh", 'د': "d", 'ذ': "dh", 'ر': "r", 'ز': "z", 'س': "s", 'ش': "sh", 'ص': "s",
	'ض': "d", 'ط': "t", 'ظ': "z", 'ع': "", 'غ': "gh", 'ف': "f", 'ق': "q", 'ك': "k", 'ک': "k", 'ڪ': "k", 'ل': "l", 'م': "m", 'ن': "n", 'ه': "h", 'ہ': "h",
	'پ': "p", 'چ': "ch", 'ژ': "zh", 'گ': "g", 'ڤ': "v", 'ٹ': "t", 'ڈ': "d", 'ڑ': "r", 'ں': "n", 'ھ': "", 'ء': "", 'ئ': "", 'ؤ': "",
	'ټ': "t", 'ډ': "d", 'ړ': "r", 'ږ': "zh", 'ښ': "sh", 'ځ': "dz", 'څ': "ts", 'ڼ': "n", 'ګ': "g", 'ڵ': "l", 'ڕ': "r", 'ێ': "e", 'ۆ': "o", 'ۇ': "u", 'ې': "e", 'ڭ': "ng", 'ڧ': "q", 'ڨ': "g",
}

// arabicWay is one way to supply what Arabic writing leaves out, and to write what languages say differently.
type arabicWay struct {
	first, later, long string // short vowels: after the first consonant, after a later one, after one that follows a long vowel
	waw, u             string // و as a consonant and as a vowel
	end                string // ه and ة at the end
	alefMaqsura        bool   // ya at the end is a
	letters            table
}

// persianLetters are the letters that Persian and Urdu say in their own way.
var persianLetters = table{'ث': "s", 'ذ': "z", 'ض': "z", 'ق': "gh"}

var arabicWays = []arabicWay{
	{first: "a", later: "a", long: "i", waw: "w", u: "u", end: "a"},
	{first: "u", later: "a", long: "i", waw: "w", u: "u", end: "a"},
	{first: "a", later: "i", long: "e", waw: "v", u: "u", end: "eh", letters: persianLetters},
	{first: "o", later: "a", long: "e", waw: "v", u: "ou", end: "eh", letters: persianLetters},
	{first: "i", later: "a", long: "i", waw: "w", u: "u", end: "a"},
	{first: "u", later: "i", long: "i", waw: "w", u: "o", end: "a"},
	{first: "u", later: "a", long: "i", waw: "w", u: "u", end: "a", alefMaqsura: true},
	{first: "e", later: "e", long: "e", waw: "v", u: "ou", end: "e", letters: table{'ج': "g", 'ذ': "z", 'ث': "s"}},
}

// arabic reads an Arabic word. Short vowels are not written, so that the vowels of a reading are a guess by the usual
// patterns, and [sound] is what meets its romanisations. A word with the article is read with and without it.
func (r *reader) arabic(word []rune) {
	word = arabicLetters(word)
	article, body := arabicArticle(word)
	for i, way := range arabicWays {
		s := way.write(body)
		switch {
		case article == "" || s == "":
			r.add(s)
		case i == 0:
			r.add(article + s)
			r.add(s)
		case article == "al":
			r.add(s)
		default:
			r.add([]string{"abdul", "abdal", "abdel", "abdol"}[i%4] + s)
		}
	}
}

// arabicLetters is word with what joins to Latin dropped and the presentation of letters plain.
func arabicLetters(word []rune) []rune {
	out := make([]rune, 0, len(word))
	for _, c := range word {
		if ScriptOf(c) == Arabic || ScriptOf(c) == Digits {
			out = append(out, c)
		}
	}
	return out
}

// arabicArticle parts the article, or Abd with the article, from what follows it.
func arabicArticle(word []rune) (article string, body []rune) {
	s := string(word)
	for _, p := range [...]struct{ prefix, latin string }{{"عبدال", "abdul"}, {"وال", "wal"}, {"ال", "al"}} {
		if strings.HasPrefix(s, p.prefix) {
			if body = []rune(strings.TrimPrefix(s, p.prefix)); len(body) >= 2 {
				if p.latin == "wal" && len(body) < 4 {
					continue
				}
				return p.latin, body
			}
		}
	}
	return "", word
}

// arabicThe is the article of Arabic, which is written on the word after it.
const arabicThe = "ال"

// arabicOn are what is written on a word with the article: and, with, to. No name of a person begins with them but by
// chance, nor does a name's first word.
var arabicOn = [...]string{"وال", "بال", "لل", "كال"}

// withoutArticle is an Arabic word (folded) without the article on it, or without a preposition and the article; "" for
// one that has none: the first letters of many names look like it (Ilyas, Albert), and the name of God is one word with it.
func withoutArticle(word string, t Type, first bool) string {
	const least = 3 // letters after it
	rest, ok := strings.CutPrefix(word, arabicThe)
	for _, on := range arabicOn {
		if !ok && !first && t != Person {
			rest, ok = strings.CutPrefix(word, on)
		}
	}
	if !ok || utf8.RuneCountInString(rest) < least || strings.HasPrefix(word, "الله") || len(givenReadings(word)) > 0 {
		return ""
	}
	return rest
}

// arabicSlot is a sound of a word: a consonant, which may be silent, or a vowel that is written.
type arabicSlot struct {
	text  string
	vowel bool
	long  bool
}

// write writes word in this way.
func (w arabicWay) write(word []rune) string {
	slots := w.slots(word)
	var b strings.Builder
	for i := 0; i < len(slots); {
		if slots[i].vowel {
			b.WriteString(slots[i].text)
			i++
			continue
		}
		end := i
		for end < len(slots) && !slots[end].vowel {
			end++
		}
		w.writeRun(&b, slots, i, end)
		i = end
	}
	return b.String()
}

// writeRun writes the consonants slots[from:to] with the short vowels that syllables need.
func (w arabicWay) writeRun(b *strings.Builder, slots []arabicSlot, from, to int) {
	k, begins, ends := to-from, from == 0, to == len(slots)
	for i := 1; i <= k; i++ {
		b.WriteString(slots[from+i-1].text)
		switch {
		case i == k:
		case begins && ends && k == 3, begins && i%2 == 1:
			b.WriteString(pick(i == 1, w.first, w.later))
		case begins:
		case i == 1 && slots[from-1].long:
			b.WriteString(w.long)
		case k == 2 && ends:
			b.WriteString(w.later)
		case k > 2 && i == k-1 && !slots[from-1].long:
			b.WriteString(w.later)
		}
	}
}

// pick is a when yes, else b.
func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// slots are the sounds of word.
func (w arabicWay) slots(word []rune) []arabicSlot {
	out := make([]arabicSlot, 0, len(word))
	for i, c := range word {
		next := rune(0)
		if i+1 < len(word) {
			next = word[i+1]
		}
		afterVowel := len(out) > 0 && out[len(out)-1].vowel
		switch c {
		case 'ا', 'أ', 'إ', 'آ', 'ٱ', 'ى':
			out = append(out, w.alef(c, i, next)...)
		case 'و':
			if i == 0 || afterVowel || strings.ContainsRune("اآأةىی", next) && next != 0 {
				out = append(out, arabicSlot{text: w.waw})
			} else {
				out = append(out, arabicSlot{text: w.u, vowel: true, long: true})
			}
		case 'ي', 'ی', 'ے':
			out = append(out, w.ya(i, next, afterVowel))
		case 'ة', 'ۃ':
			out = append(out, arabicSlot{text: w.end, vowel: true})
		case 'ه', 'ہ', 'ۀ', 'ە', 'ۂ':
			if next == 0 && i > 1 && !afterVowel || c == 'ە' {
				out = append(out, arabicSlot{text: w.end, vowel: true})
			} else {
				out = append(out, arabicSlot{text: "h"})
			}
		default:
			out = append(out, arabicSlot{text: spell([]rune{c}, w.letters, arabicConsonants)})
		}
	}
	return out
}

// alef is what an alef stands for: the short vowel that begins a word, or a long a.
func (w arabicWay) alef(c rune, i int, next rune) []arabicSlot {
	switch {
	case i > 0:
		return []arabicSlot{{text: "a", vowel: true, long: true}}
	case c == 'آ' || c == 'ى':
		return []arabicSlot{{text: "a", vowel: true, long: true}}
	case next == 'ي' || next == 'ی' || next == 'و':
		return nil // the long vowel that follows is all that is heard
	case c == 'إ':
		return []arabicSlot{{text: pick(w.first == "e", "e", "i"), vowel: true}}
	}
	return []arabicSlot{{text: w.first, vowel: true}}
}

// ya is what a ya stands for: y at the beginning and before a long vowel, else i; at the end it may be an alef without
// its dots.
func (w arabicWay) ya(i int, next rune, afterVowel bool) arabicSlot {
	beforeVowel := next != 0 && strings.ContainsRune("اآأةىو", next)
	switch {
	case i == 0 && next != 0 && !beforeVowel:
		return arabicSlot{text: "y"}
	case beforeVowel && (i == 0 || afterVowel):
		return arabicSlot{text: "y"}
	case beforeVowel:
		return arabicSlot{text: "iy", vowel: true}
	case next == 0 && i > 2 && !afterVowel && w.alefMaqsura:
		return arabicSlot{text: "a", vowel: true, long: true}
	}
	return arabicSlot{text: "i", vowel: true, long: true}
}
