package names

import (
	"strings"
	"testing"
)

// soundGroups are words that are one word in different romanisations.
var soundGroups = []struct{ words, why string }{
	{"mohamed muhammad mohammed mohammad mohamad muhammed", "o and u, a and e, doubled letters"},
	{"yevgeny evgenii evgueni yevgeniy evgeny evgeniy", "ye and e, endings of Russian names, gu before e"},
	{"khrushchev chruschtschow khrouchtchev", "the shch of four languages"},
	{"soltaev soltaeff soltaew", "the endings of Russian surnames"},
	{"karpov karpoff karpow", "the endings of Russian surnames"},
	{"qasim kasem ghassem qassem kassim qasem", "q, k and gh"},
	{"hussein hosein husayn hussain husain hossein", "vowels of Arabic"},
	{"aziz azeez asis", "long i; s for z"},
	{"xiao hsiao", "pinyin and Wade-Giles"},
	{"zhang chang", "pinyin and Wade-Giles"},
	{"tchaikovsky chaikovskiy tschaikowski", "tch, tsch and ch; endings"},
	{"aleksandr alexander alexandr aleksander", "ks and x"},
	{"vitaly vitaliy vitalii vitalij", "endings of Russian given names"},
	{"mussaevitch mussaevich musaevich", "tch; doubled letters"},
	{"ibrahim ebrahim ibraheem", "i and e"},
	{"zhukov joukov zhukoff", "zh and j"},
	{"tikhonova tihonova", "kh and h"},
	{"omar umar omer", "o and u"},
	{"yusuf youssef yusef yousuf", "long u"},
	{"dawud daoud dawood", "w between vowels"},
	{"vladimir wladimir vladimeer", "v and w"},
	{"yuri iouri iuri yuriy", "yu, iu and iou"},
	{"noor nur nour", "long u of a short word"},
	{"ali aly alee", "long i of a short word"},
	{"said saeed sayed saied", "a short word with two vowels"},
	{"abdullah abdulla abdallah", "h at the end"},
	{"gonzalez gonzales", "s and z"},
	{"sergey sergei serguei sergej", "ey and ei; gu"},
	{"prashant prashanth", "t and th"},
	{"jeong jung", "Revised and usual Korean"},
}

func TestSoundJoinsRomanisations(t *testing.T) {
	t.Parallel()
	for _, g := range soundGroups {
		words := strings.Fields(g.words)
		want := sound(words[0])
		for _, w := range words[1:] {
			if got := sound(w); got != want {
				t.Errorf("sound(%s) = %q, sound(%s) = %q: one word (%s)", words[0], want, w, got, g.why)
			}
		}
	}
}

func TestSoundKeepsWordsApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, why string }{
		{"li", "lu", "vowels of a short word"}, {"li", "la", "vowels of a short word"}, {"wang", "weng", "vowels of a short word"},
		{"wei", "wen", "consonants"}, {"chan", "chen", "vowels of a short word"}, {"zhou", "zhu", "ou and u of a syllable"},
		{"petrov", "petrova", "a vowel at the end of a short skeleton"}, {"ivanov", "novak", "other consonants"}, {"hassan", "hussein", "open and round vowels"},
		{"kim", "kam", "vowels of a short word"}, {"steel", "stall", "vowels"}, {"milandr", "militech", "consonants"}, {"tran", "trinh", "vowels and consonants"},
		{"nguyen", "nguyet", "consonants"}, {"adebayo", "adebola", "consonants"}, {"omar", "amir", "a first vowel"}, {"karim", "akram", "a vowel at the beginning"},
	} {
		if a, b := sound(c.a), sound(c.b); a == b {
			t.Errorf("sound(%s) = sound(%s) = %q; want two keys (%s)", c.a, c.b, a, c.why)
		}
	}
}
