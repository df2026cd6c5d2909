package names

import "strings"

// maxSoundBytes is how much of a word is heard.
const maxSoundBytes = 64

// sound is the key that the usual romanisations of one word share, and that few other words do: its consonants by
// class, capitals, with the vowels of short words by class, small letters. latin is folded to a–z and 0–9. Equal keys
// say that two words can be one, not that they are: a key of one consonant says very little. "" has the key "".
func sound(latin string) string {
	if len(latin) > maxSoundBytes {
		latin = latin[:maxSoundBytes]
	}
	var h hearing
	h.hear(latin)
	return h.key()
}

// hearing is a word as heard: capitals for consonants, small letters for vowels, digits as they are.
type hearing struct {
	in  string
	out [maxSoundBytes * 2]byte
	n   int
}

// soundRule is how letters at some place are heard.
type soundRule struct {
	letters string
	heard   byte
}

// soundRules are, by their first letter, the groups of letters that stand for one sound, longer ones first.
var soundRules = func() (rules [26][]soundRule) {
	for _, r := range []soundRule{
		{"schtsch", 'X'}, {"stsch", 'X'}, {"shch", 'X'}, {"stch", 'X'}, {"sch", 'X'}, {"sh", 'X'}, {"sz", 'X'},
		{"tsch", 'C'}, {"tch", 'C'}, {"tsh", 'C'}, {"tsz", 'S'}, {"tz", 'S'}, {"ts", 'S'}, {"th", 'T'},
		{"chtch", 'X'}, {"chshch", 'X'}, {"cz", 'C'}, {"ck", 'K'}, {"ch", 'C'},
		{"dzh", 'C'}, {"dsch", 'C'}, {"dsh", 'C'}, {"dj", 'C'}, {"dh", 'D'}, {"zh", 'C'},
		{"kh", 'H'}, {"gh", 'K'}, {"ph", 'F'}, {"bh", 'B'}, {"jh", 'C'}, {"rh", 'R'}, {"lh", 'L'}, {"wh", 'V'},
	} {
		i := r.letters[0] - 'a'
		rules[i] = append(rules[i], r)
	}
	return rules
}()

// soundLetters is how single consonants are heard, by letter; 0 is a vowel, or depends on the letters around it.
var soundLetters = [26]byte{
	'b' - 'a': 'B', 'd' - 'a': 'D', 'f' - 'a': 'F', 'g' - 'a': 'K', 'k' - 'a': 'K', 'l' - 'a': 'L', 'm' - 'a': 'M', 'n' - 'a': 'N',
	'p' - 'a': 'P', 'q' - 'a': 'K', 'r' - 'a': 'R', 's' - 'a': 'S', 't' - 'a': 'T', 'v' - 'a': 'V', 'z' - 'a': 'S',
}

// hear fills out from latin.
func (h *hearing) hear(latin string) {
	h.in = latin
	for i := 0; i < len(latin); {
		i += h.step(i)
	}
}

// put adds a sound; a consonant twice in a row is one.
func (h *hearing) put(c byte) {
	if h.n > 0 && h.out[h.n-1] == c && (c > '9') {
		return
	}
	h.out[h.n] = c
	h.n++
}

// at is the letter at i, 0 beyond the word.
func (h *hearing) at(i int) byte {
	if i < 0 || i >= len(h.in) {
		return 0
	}
	return h.in[i]
}

// vowelAt says that a vowel letter stands at i.
func (h *hearing) vowelAt(i int) bool { return isVowelLetter(h.at(i)) }

// isVowelLetter says that c is a, e, i, o, u or y.
func isVowelLetter(c byte) bool {
	switch c {
	case 'a', 'e', 'i', 'o', 'u', 'y':
		return true
	}
	return false
}

// step hears what stands at i and says how many letters that were.
func (h *hearing) step(i int) int {
	c := h.in[i]
	if c < 'a' || c > 'z' {
		h.put(c)
		return 1
	}
	if c == 'c' && h.at(i+1) == 'h' && i == 0 && h.at(2) != 0 && strings.IndexByte("rlnmtw", h.at(2)) >= 0 {
		h.put('H')
		return 2
	}
	for _, r := range soundRules[c-'a'] {
		if strings.HasPrefix(h.in[i:], r.letters) {
			h.put(r.heard)
			return len(r.letters)
		}
	}
	if heard := soundLetters[c-'a']; heard != 0 {
		return h.consonant(i, heard)
	}
	switch c {
	case 'c':
		h.put(pick(h.vowelAt(i+1) && strings.IndexByte("eiy", h.at(i+1)) >= 0, "S", "K")[0])
	case 'x':
		h.ex(i)
	case 'h':
		return h.aitch(i)
	case 'j':
		if h.vowelAt(i + 1) {
			h.put('C')
		} else {
			h.put('i')
		}
	case 'w':
		h.doubleU(i)
	default:
		return h.vowel(i)
	}
	return 1
}

// consonant hears a plain consonant, with the vowel signs that only spell it (gui, qu) and the hard end of -off.
func (h *hearing) consonant(i int, heard byte) int {
	switch c := h.in[i]; {
	case c == 'f' && (i+1 == len(h.in) || h.in[i:] == "ff") && h.vowelAt(i-1):
		h.put('V')
		return len(h.in) - i
	case (c == 'g' || c == 'q') && h.at(i+1) == 'u' && (h.at(i+2) == 'e' || h.at(i+2) == 'i'):
		h.put('K')
		return 2
	case c == 'k' && h.at(i+1) == 's' && h.at(i+2) != 'h':
		h.put('K')
		h.put('S')
		return 2
	}
	h.put(heard)
	return 1
}

// ex hears an x: sh where Chinese writes it, else ks.
func (h *hearing) ex(i int) {
	soft := h.at(i+1) == 'i' || h.at(i+1) == 'u'
	if i == 0 || soft && !h.vowelAt(i-1) {
		h.put('X')
		return
	}
	h.put('K')
	h.put('S')
}

// aitch hears an h: not at the end after a vowel, and as sh in the hs of older Chinese spelling.
func (h *hearing) aitch(i int) int {
	switch {
	case i == 0 && h.at(1) == 's' && (h.at(2) == 'i' || h.at(2) == 'u'):
		h.put('X')
		return 2
	case i == 0 || i+1 < len(h.in):
		h.put('H')
	}
	return 1
}

// doubleU hears a w: v before a vowel and in the endings of German and Polish, else part of the vowel before it.
func (h *hearing) doubleU(i int) {
	slavic := h.at(i-1) == 'o' || h.at(i-1) == 'e'
	switch rest := h.in[i:]; {
	case slavic && len(h.in) >= 5 && (rest == "w" || rest == "wna" || strings.HasPrefix(rest, "wsk")):
		h.put('V')
	case h.at(i-1) == 'a' && (h.at(i+1) == 'u' || h.at(i+1) == 'o'): // Dawud is Daoud
	case h.vowelAt(i + 1), i == 0:
		h.put('V')
	case !h.vowelAt(i - 1):
		h.put('u')
	}
}

// vowel hears a group of vowel letters as one vowel, with the glide that begins it at the beginning of a word.
func (h *hearing) vowel(i int) int {
	end := i
	for end < len(h.in) && h.vowelAt(end) {
		end++
	}
	group := h.in[i:end]
	if i == 0 && len(group) > 1 && (group[0] == 'y' || group[0] == 'i') {
		group = group[1:]
		if group[0] != 'e' && group[0] != 'i' && group[0] != 'y' {
			h.put('Y')
		}
	}
	if h.n > 0 && h.out[h.n-1] >= 'a' {
		return end - i // after a vowel that was written with a consonant's letter
	}
	h.put(vowelClass(group, end < len(h.in)))
	return end - i
}

// vowelClass is the vowel that a group of vowel letters is heard as: a, e, i, o, u, or w for ou.
func vowelClass(group string, inside bool) byte {
	switch group {
	case "ee", "ie", "iy", "yi", "ii", "y", "iye":
		return 'i'
	case "oo", "uu", "eu":
		return 'u'
	case "ou":
		return 'w'
	case "eo":
		return 'o'
	case "ei", "ey":
		if inside {
			return 'a'
		}
		return 'e'
	}
	if len(group) > 1 && (group[0] == 'i' || group[0] == 'y') {
		return vowelClass(group[1:], inside)
	}
	return group[0]
}

// broad joins the vowels that romanisations confuse: a, e and i; o and u.
func broad(vowel byte) byte {
	switch vowel {
	case 'a', 'e', 'i':
		return 'a'
	case 'o', 'u', 'w':
		return 'o'
	}
	return vowel
}

// key is the key of what was heard. A word of one syllable keeps its vowel; one of two consonants keeps all vowels by
// broad class, one of three the first; each keeps that it begins or ends with a vowel.
func (h *hearing) key() string {
	heard := h.out[:h.n]
	consonants, vowels := 0, 0
	for _, c := range heard {
		if c >= 'a' {
			vowels++
		} else {
			consonants++
		}
	}
	var key [maxSoundBytes * 2]byte
	n, first := 0, true
	for i, c := range heard {
		edge := i == 0 || i == h.n-1
		switch {
		case c < 'a':
		case consonants <= 1:
			if c == 'w' && heard[0] >= 'a' {
				c = 'u'
			}
		case vowels == 1:
			if c == 'u' || c == 'w' {
				c = 'o'
			}
		case consonants == 2, consonants == 3 && first:
			c = broad(c)
		case edge:
			c = 'a'
		default:
			continue
		}
		first = first && c < 'a'
		key[n] = c
		n++
	}
	return string(key[:n])
}
