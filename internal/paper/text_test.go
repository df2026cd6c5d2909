package paper

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		in, want, why string
		as            bool
	}{
		{"Müller & Söhne GmbH", "Müller & Söhne GmbH", "Latin letters are there", true},
		{"Γεώργιος Ελ", "Γεώργιος Ελ", "so are Greek ones", true},
		{"Рособоронэкспорт", "Рособоронэкспорт", "and Cyrillic ones", true},
		{"cafe\u0301", "café", "marks are joined to their letters", true},
		{"a\u202eb", "a[U+202E]b", "what turns the reading direction is seen", false},
		{"a\u200bb", "a[U+200B]b", "so is what has no width", false},
		{"x😀y", "x[U+1F600]y", "signs that no name has are code points", false},
		{"a\tb\nc", "a b c", "breaks are spaces", true},
		{"\xff", "[U+FFFD]", "what is no text is seen to be none", false},
		{"", "", "nothing is nothing", true},
	} {
		if got, as := Text(c.in); got != c.want || as != c.as {
			t.Errorf("%q: %q %v, want %q %v: %s", c.in, got, as, c.want, c.as, c.why)
		}
	}
	for _, in := range []string{"北京大学", "شركة النور", "삼성전자", "בנק", "トヨタ", strings.Repeat("北", 500)} {
		got, as := Text(in)
		if as || !strings.HasPrefix(got, "[") {
			t.Errorf("%q: %q", in, got)
		}
		for _, r := range got {
			if !Prints(r) {
				t.Errorf("%q is printed as %q, of which %U is a box", in, got, r)
			}
		}
	}
}

// FuzzText: whatever a name holds, each character that is printed has a letter, and the text is not lost.
func FuzzText(f *testing.F) {
	for _, s := range []string{"Siltronic AG", "北京大学 abc", "\u202e\u0000\xff", "ä\u0301ö", "𐍈"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out, _ := Text(s)
		for _, r := range out {
			if !Prints(r) {
				t.Fatalf("%q: %q has no letter for %U", s, out, r)
			}
		}
		if strings.TrimSpace(s) != "" && out == "" {
			t.Fatalf("%q is printed as nothing", s)
		}
	})
}
