package seal

import "testing"

// typedWords are what people type, and what it is read as.
var typedWords = []struct{ typed, want, why string }{
	{"apple river", "apple river", "as it stands on the paper"},
	{"  Apple  RIVER\r\n", "apple river", "capitals, and spaces around and between"},
	{"apple-river_stone,lamp. boat", "apple river stone lamp boat", "other signs between words"},
	{"apple\u2013river\u00a0stone", "apple river stone", "a long dash, and a space that does not break"},
	{"\u00e9\u00e9n e\u0301\u00ebn", "een een", "accents, in one character and in two"},
	{"\u0133sje \u0132SJE", "ijsje ijsje", "the Dutch ij in one character"},
	{"ap\u00adple\u200b riv\ufeffer", "apple river", "what is not seen"},
	{"stra\u00dfe \u0152uvre", "strasse oeuvre", "two letters in one"},
	{"\u044f\u0431\u043b\u043e\u043a\u043e \u0130I\u0131", "\u044f\u0431\u043b\u043e\u043a\u043e iii", "other scripts stay; i with and without point is i"},
	{" - . ", "", "nothing"},
}

func TestNormalise(t *testing.T) {
	for _, c := range typedWords {
		if got := Normalise(c.typed); got != c.want {
			t.Errorf("%s: %q is read as %q, want %q", c.why, c.typed, got, c.want)
		}
	}
}
