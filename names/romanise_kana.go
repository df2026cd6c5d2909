package names

import "strings"

// kanaRows are the syllables of Kana in Hepburn: consonant, then the five Kana of a, i, u, e, o; '_' where there is none.
var kanaSyllables = func() map[rune]string {
	all := map[rune]string{'ん': "n", 'ゔ': "vu", 'ゐ': "i", 'ゑ': "e"}
	rows := []struct{ consonant, kana string }{
		{"", "あいうえお"}, {"k", "かきくけこ"}, {"g", "がぎぐげご"}, {"s", "さしすせそ"}, {"z", "ざじずぜぞ"}, {"t", "たちつてと"},
		{"d", "だぢづでど"}, {"n", "なにぬねの"}, {"h", "はひふへほ"}, {"b", "ばびぶべぼ"}, {"p", "ぱぴぷぺぽ"}, {"m", "まみむめも"},
		{"y", "や_ゆ_よ"}, {"r", "らりるれろ"}, {"w", "わ___を"},
	}
	for _, row := range rows {
		for i, k := range []rune(row.kana) {
			all[k] = row.consonant + "aiueo"[i:i+1]
		}
	}
	for k, s := range map[rune]string{'し': "shi", 'ち': "chi", 'つ': "tsu", 'ふ': "fu", 'じ': "ji", 'ぢ': "ji", 'づ': "zu", 'を': "o"} {
		all[k] = s
	}
	return all
}()

// kanaSmall are the small letters that change the vowel of the syllable before them.
var kanaSmall = map[rune]string{'ゃ': "ya", 'ゅ': "yu", 'ょ': "yo", 'ぁ': "a", 'ぃ': "i", 'ぅ': "u", 'ぇ': "e", 'ぉ': "o", 'ゎ': "wa"}

// kana reads a word in Kana: Hepburn without and with long vowels, the official Japanese way, and, since Kana has no l
// and no v, with these where Katakana writes a foreign name.
func (r *reader) kana(word []rune) {
	foreign := false
	for i, c := range word {
		if c >= 'ァ' && c <= 'ヶ' {
			word[i] = c - 0x60
			foreign = true
		}
	}
	whole := kanaHepburn(word)
	short := kanaShorten(whole)
	r.add(short)
	r.add(strings.ReplaceAll(whole, "-", ""))
	r.add(strings.NewReplacer("ou", "oh", "oo", "oh", "o-", "oh").Replace(whole))
	r.add(strings.NewReplacer("nb", "mb", "np", "mp", "nm", "mm").Replace(short))
	r.add(strings.NewReplacer("shi", "si", "chi", "ti", "tsu", "tu", "fu", "hu", "ji", "zi", "sh", "sy", "ch", "ty", "j", "zy").Replace(short))
	if foreign {
		r.add(strings.ReplaceAll(short, "r", "l"))
		r.add(strings.NewReplacer("b", "v", "shi", "si", "su", "s").Replace(short))
	}
}

// kanaHepburn writes Hiragana in Hepburn with every long vowel written; the long sign is a hyphen.
func kanaHepburn(word []rune) string {
	out := make([]byte, 0, 2*len(word))
	double := false
	for _, c := range word {
		switch {
		case c == 'っ':
			double = true
			continue
		case c == 'ー':
			out = append(out, '-')
			continue
		}
		if small, ok := kanaSmall[c]; ok {
			out = kanaBend(out, small)
			continue
		}
		s, ok := kanaSyllables[c]
		if !ok {
			if s = lettersAndDigits(string(c)); s == "" {
				continue
			}
		}
		if double && strings.IndexByte("aiueon", s[0]) < 0 {
			out = append(out, pick(strings.HasPrefix(s, "ch"), "t", s[:1])...)
		}
		double = false
		out = append(out, s...)
	}
	return string(out)
}

// kanaBend puts a small letter's vowel in the place of the last one: ki and ya are kya, shi and ya are sha, fu and a are fa.
func kanaBend(out []byte, small string) []byte {
	if len(out) == 0 {
		return append(out, small...)
	}
	last := out[len(out)-1]
	if strings.IndexByte("aiueo", last) < 0 {
		return append(out, small...)
	}
	stem := out[:len(out)-1]
	switch {
	case len(stem) == 0 || strings.IndexByte("aiueo", stem[len(stem)-1]) >= 0:
		if last == 'u' && len(small) == 1 {
			return append(append(stem, 'w'), small...)
		}
		return append(out, small...)
	case last == 'i' && len(small) == 2 && (stem[len(stem)-1] == 'h' && len(stem) > 1 && (stem[len(stem)-2] == 's' || stem[len(stem)-2] == 'c') || stem[len(stem)-1] == 'j'):
		small = small[1:]
	}
	return append(stem, small...)
}

// kanaShorten drops what only marks a long vowel: the long sign, and the second of oo, ou and uu.
func kanaShorten(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '-' || i > 0 && (s[i] == 'u' && (s[i-1] == 'o' || s[i-1] == 'u') || s[i] == 'o' && s[i-1] == 'o') {
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
