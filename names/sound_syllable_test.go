package names

import "testing"

func TestSyllablesAreNoSlips(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		most float64
		why  string
	}{
		{"Kieu Luong", "LONG, Kieu", 0.7, "a vowel makes another syllable"},
		{"Fang Cheng", "Zheng Fang", 0.75, "zh and ch are two surnames"},
		{"Seo-jun Ki", "KI, Woo-jin", 0.6, "two given names of two syllables"},
		{"Young-hee Ye", "Doo Young-hee", 0.7, "surnames that look like small words"},
		{"Retno Supriyadi", "SUPRIYADI, Ratna", 0.85, "the same consonants with other vowels"},
	} {
		if got := Compare(Parse(c.a, Person), Parse(c.b, Person)).Score; got > c.most {
			t.Errorf("%s and %s score %.3f, want at most %.2f (%s)", c.a, c.b, got, c.most, c.why)
		}
	}
	for _, c := range []struct{ a, b, why string }{
		{"Eun-ji Kim", "KIM, Eun Ji", "a given name with and without a hyphen"},
		{"Eun-ji Kim", "Kim Eunji", "a given name in one word"},
		{"Yevgeny Karpoff", "KARPOV, Yevgeny", "one surname by its sound"},
	} {
		if got := Compare(Parse(c.a, Person), Parse(c.b, Person)).Score; got < 0.85 {
			t.Errorf("%s and %s score %.3f, want 0.85 (%s)", c.a, c.b, got, c.why)
		}
	}
}
