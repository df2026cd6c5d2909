package names

import "testing"

func TestNumbersAgree(t *testing.T) {
	for _, c := range []struct {
		a, b string
		t    Type
		near bool
		why  string
	}{
		{"Nummer150x", "Nummer105x", Any, false, "digits change places within a word"},
		{"Nummer150x", "Nummer160x", Any, false, "another digit within a long word"},
		{"Nummer150x", "Nummer15x", Any, false, "a digit less"},
		{"Nummer150x", "Numer150x", Any, true, "a letter may be lost"},
		{"M1kron", "Mikron", Company, true, "a digit for the letter that looks like it"},
		{"Airbus A320", "Airbus A330", Any, false, "models are told apart by their digits"},
		{"Airbus A320", "Airbus A 320", Any, true, "however they are spaced"},
		{"Karvon S300", "Karvon S-300", Company, true, "or joined"},
		{"Karvon S300", "Karvon S-400", Company, false, "but not other ones"},
		{"Karvon Plant No. 7", "Karvon Plant Nr 7", Any, true, "signs for a number"},
		{"Karvon Plant No. 7", "Karvon Plant 7", Company, true, "and none"},
		{"Karvon Plant No. 7", "Karvon Plant number seven", Any, true, "a number in words"},
		{"Karvon Plant № 7", "Karvon Plant VII", Any, true, "a Roman number"},
		{"Karvon Plant V", "Karvon Plant 5", Any, true, "a Roman number of one letter"},
		{"Karvon Plant VI", "Karvon Plant VII", Any, false, "another Roman number"},
		{"Завод № 7", "Zavod No. 7", Company, true, "in two scripts"},
		{"第7工厂", "第七工厂", Company, true, "in Han"},
		{"Karvon Plant 7", "Karvon Plant 17", Company, false, "another number"},
		{"Plant 7", "Plant 17", Any, false, "and nothing else that sets them apart"},
	} {
		t.Run(c.why, func(t *testing.T) {
			if got := scorePair(c.a, c.b, c.t); (got >= 0.9) != c.near || !c.near && got > 0.3 {
				t.Errorf("%q and %q score %.3f", c.a, c.b, got)
			}
		})
	}
}

func TestNumberSignsAreNames(t *testing.T) {
	if got := scorePair("No Jin-ho", "NO, Jin Ho", Person); got < 0.97 {
		t.Errorf("a family name that is written like the sign for a number scores %.3f", got)
	}
}

func TestArabicArticle(t *testing.T) {
	for _, c := range []struct {
		a, b string
		t    Type
		near bool
		why  string
	}{
		{"محمد الفايد", "Mohammed Al-Fayed", Any, true, "the article on the word and before it"},
		{"محمد الفايد", "Mohammed El Fayed", Person, true, "spelt in another way"},
		{"محمد الفايد", "Mohammed Alfayed", Person, true, "written together"},
		{"محمد الفايد", "Mohammed Fayed", Person, true, "left out"},
		{"محمد الفايد", "محمد فايد", Person, true, "left out in Arabic letters"},
		{"سامي الطرابلسي", "Sami Trabelsi", Person, true, "a name of the Maghreb"},
		{"محمد الشرع", "Mohammed Ash-Sharaa", Any, true, "before a letter that it becomes like"},
		{"نور الدين", "Nureddin", Person, true, "inside of a name"},
		{"عبد الرحمن", "Abdul Rahman", Person, true, "behind the servant"},
		{"محمد الياس", "Mohammed Elias", Person, true, "letters that are no article: Elias"},
		{"الهام علیف", "Elham Aliev", Person, true, "Elham"},
		{"عبد الله", "Abdullah", Person, true, "the name of God"},
		{"حزب الله", "Hizballah", Any, true, "and by itself"},
		{"شركة المستقبل والخليج", "Al Mustaqbal and Al Khalij Company", Any, true, "and, with the article"},
		{"شركة البركة للتجارة", "Al Baraka Trading Company", Any, true, "for, with the article"},
		{"محمد الفايد", "Mohammed Al-Sharif", Person, false, "the article is no name"},
	} {
		t.Run(c.why, func(t *testing.T) {
			if got := scorePair(c.a, c.b, c.t); (got >= 0.7) != c.near {
				t.Errorf("%q and %q score %.3f", c.a, c.b, got)
			}
		})
	}
}
