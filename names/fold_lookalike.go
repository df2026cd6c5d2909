package names

import (
	"strings"
	"unicode"
)

// lookAlikes pairs Latin letters with the Cyrillic and Greek letters that look like them, capitals with capitals. A
// letter stands here in both cases or in none, so that mixing is mended alike before and after lower-casing.
const lookAlikes = "" +
	"AАΑ aаα BВΒ bвβ EЕΕ eеε KКΚ kкκ MМΜ mмμ HНΗ hнη OОΟ oоο PРΡ pрρ TТΤ tтτ XХΧ xхχ YУΥ yуυ IІΙ iіι " +
	"CС_ cс_ SЅ_ sѕ_ JЈ_ jј_ QԚ_ qԛ_ WԜ_ wԝ_ HҺ_ hһ_ DԀ_ dԁ_ N_Ν n_ν Z_Ζ z_ζ"

// likeness maps a letter to the letter of each script that it looks like: index 0 Latin, 1 Cyrillic, 2 Greek.
type likeness [3]rune

var likenesses = func() map[rune]likeness {
	all := map[rune]likeness{}
	for _, group := range strings.Fields(lookAlikes) {
		var like likeness
		for i, r := range []rune(group) {
			if r != '_' {
				like[i] = r
			}
		}
		for _, r := range like {
			if _, known := all[r]; r != 0 && !known {
				all[r] = like
			}
		}
	}
	return all
}()

// likeIndex is the index of a script in a [likeness], -1 for scripts without look-alikes.
func likeIndex(s Script) int {
	switch s {
	case Latin:
		return 0
	case Cyrillic:
		return 1
	case Greek:
		return 2
	}
	return -1
}

// unmix writes each word of s in one script, where it mixes letters of Latin, Cyrillic and Greek that look alike.
func unmix(s string) string {
	if !mixes(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	start := -1
	for i, r := range s {
		in := unicode.IsLetter(r) || unicode.Is(unicode.Mn, r)
		switch {
		case in && start < 0:
			start = i
		case !in && start >= 0:
			unmixWord(&b, s[start:i])
			start = -1
		}
		if !in {
			b.WriteRune(r)
		}
	}
	if start >= 0 {
		unmixWord(&b, s[start:])
	}
	return b.String()
}

// mixes says that s has letters of more than one of the scripts that look alike.
func mixes(s string) bool {
	seen := 0
	for _, r := range s {
		if i := likeIndex(ScriptOf(r)); i >= 0 {
			seen |= 1 << i
		}
	}
	return seen&(seen-1) != 0
}

// unmixWord writes word with all its look-alikes in the script that it is most likely meant in: the one that alone has
// letters no other looks like, else the one that most letters have.
func unmixWord(b *strings.Builder, word string) {
	var count, sure [3]int
	for _, r := range word {
		i := likeIndex(ScriptOf(r))
		if i < 0 {
			continue
		}
		count[i]++
		if _, ok := likenesses[r]; !ok {
			sure[i]++
		}
	}
	to, scripts, certain := 0, 0, 0
	for i := range count {
		if count[i] > 0 {
			scripts++
		}
		if sure[i] > 0 {
			certain++
		}
	}
	if scripts < 2 {
		b.WriteString(word)
		return
	}
	for i := range count {
		switch {
		case certain == 1 && sure[i] > 0, certain != 1 && count[i] > count[to]:
			to = i
		}
	}
	for _, r := range word {
		if like, ok := likenesses[r]; ok && like[to] != 0 {
			r = like[to]
		}
		b.WriteRune(r)
	}
}
