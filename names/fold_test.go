package names

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want, why string }{
		{"Ivan Petrov", "ivan petrov", "capitals"},
		{"ＩＢＭ", "ibm", "full width"},
		{"Müller-Lüdenscheidt", "muller-ludenscheidt", "accents"},
		{"Łukasz Żółć", "lukasz zolc", "Polish"},
		{"ØRSTED Ærø Straße STRAẞE", "orsted aero strasse strasse", "letters without decomposition"},
		{"İstanbul ISPARTA ıspa", "istanbul isparta ispa", "Turkish i"},
		{"Đặng Thị Thúy", "dang thi thuy", "two accents on a letter"},
		{"Nguyê\u0303n", "nguyen", "decomposed input"},
		{"Фёдор Йошкар Київ", "федор йошкар київ", "й and ї are letters, ё is е"},
		{"Семё́н", "семен", "a stress mark"},
		{"Άγγελος ΠΑΠΑΔΟΠΟΥΛΟΣ", "αγγελοσ παπαδοπουλοσ", "Greek accents and the final sigma"},
		{"مُحَمَّد", "محمد", "harakat"},
		{"محـــمد", "محمد", "tatweel"},
		{"علي", "علی", "Arabic ya is Persian ye"},
		{"أحمد", "احمد", "hamza on alef"},
		{"كاظم", "کاظم", "kaf"},
		{"فاطمة", "فاطمه", "ta marbuta"},
		{"שָׁלוֹם", "שלומ", "points and the final form"},
		{"ﾄﾖﾀ", "トヨタ", "half width Kana"},
		{"が", "が", "dakuten stays"},
		{"김정은", "김정은", "decomposed Hangul"},
		{"Pu\u00ADtin\u200B", "putin", "soft hyphen and zero width space"},
		{"\u202Enitup\u202C", "nitup", "bidirectional controls"},
		{"a\tb\nc", "a b c", "tabs and line ends part words"},
		{"O’Brien Ma‘ruf", "o'brien ma'ruf", "apostrophes"},
		{"Jean–Luc", "jean-luc", "dashes"},
		{"زاده\u200cفخری", "زادهفخری", "zero width non-joiner"},
		{"١٢٣ ۴۵", "123 45", "digits of other scripts"},
		{"Рutin", "putin", "a Cyrillic letter in a Latin word"},
		{"Pоссия", "россия", "a Latin letter in a Cyrillic word"},
		{"Αpple", "apple", "a Greek letter in a Latin word"},
		{"Москва Moscow", "москва moscow", "words of two scripts are not mixed words"},
		{"a\xffb", "a b", "broken UTF-8"},
		{"", "", "nothing"},
	} {
		if got := fold(c.in); got != c.want {
			t.Errorf("fold(%q) = %q, want %q (%s)", c.in, got, c.want, c.why)
		}
	}
}

func TestNormalKeepsAccents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{{"MÜLLER", "müller"}, {"Фёдор", "фёдор"}, {"Αι\u0308", "αϊ"}, {"Иванов\u200b", "иванов"}} {
		if got := normal(c.in); got != c.want {
			t.Errorf("normal(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestFoldedASCIIDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { fold("shanghai micro electronics") }); n != 0 {
		t.Errorf("fold of a folded string allocates %v times", n)
	}
}

// checkFold holds what fold promises for any string.
func checkFold(t interface{ Fatalf(string, ...any) }, s string) {
	f := fold(s)
	if !utf8.ValidString(f) {
		t.Fatalf("fold(%q) = %q is not UTF-8", s, f)
	}
	if again := fold(f); again != f {
		t.Fatalf("fold(%q) = %q, and folded again %q", s, f, again)
	}
	if n := normal(s); fold(n) != f {
		t.Fatalf("fold(%q) = %q, but by way of normal %q", s, f, fold(n))
	}
	if strings.ContainsAny(f, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200c\u200d\u00ad") {
		t.Fatalf("fold(%q) = %q has invisible signs", s, f)
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Müller", "Рutin", "Семё́н", "مُحَمَّد", "\xff\xfe", "Ǆ ǅ ﬁ Å ẞ İ", "ͅͅα", "각", "ΌΣΣ aά", "İ̈"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkFold(t, s) })
}

func TestFoldLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkFold(t, rapid.String().Draw(t, "s")) })
}

func BenchmarkFold(b *testing.B) {
	for name, s := range map[string]string{"folded": "shanghai", "capitals": "SHANGHAI", "accents": "Müller", "cyrillic": "Владимирович"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				fold(s)
			}
		})
	}
}
