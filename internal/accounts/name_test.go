package accounts

import (
	"strings"
	"testing"
	"unicode"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

func TestAlias(t *testing.T) {
	for _, tc := range []struct{ name, want, why string }{
		{"Optics supply chain", "optics-supply-chain", "words by a dash"},
		{"  Optics --- (supply)  chain!", "optics-supply-chain", "one dash, none at the ends"},
		{"Zürich Präzision", "zurich-prazision", "marks fall off"},
		{"Straße Ørsted Łódź Þór Æther", "strasse-orsted-lodz-thor-aether", "letters that do not decompose"},
		{"ﬁne ＦＵＬＬ x²", "fine-full-x2", "compatibility forms"},
		{"İstanbul IĞDIR ışık", "istanbul-igdir-isik", "dotted and dotless i"},
		{"O'Neill & Sons", "o-neill-sons", "punctuation parts words"},
		{"半導体", "community", "nothing that folds"},
		{"Чипы NL", "nl", "what folds stays"},
		{"", "community", "empty"},
		{"3f2504e0-4f89-41d3-9a0c-0305e82c3301", "community", "no alias looks like an id"},
		{strings.Repeat("abcdefgh ", 20), "abcdefgh-abcdefgh-abcdefgh-abcdefgh-abcdefgh", "cut after a word"},
		{strings.Repeat("x", 100), strings.Repeat("x", 48), "one long word is cut"},
		{"a\u0301", "a", "decomposed"},
		{"C3 2026", "c3-2026", "digits"},
	} {
		if got := alias(tc.name); got != tc.want {
			t.Errorf("%s: alias(%q) = %q, want %q", tc.why, tc.name, got, tc.want)
		}
	}
}

func TestAliasCollision(t *testing.T) {
	n := newNode(t)
	for _, tc := range []struct{ name, want string }{
		{"Optics", "optics"}, {"OPTICS!", "optics-2"}, {"Öptics", "optics-3"}, {"Optics 2", "optics-2-2"}, {"半", "community"}, {"導", "community-2"},
	} {
		c, err := n.AddCommunity(ctx, Local(), tc.name, stix.None)
		if err != nil {
			t.Fatalf("%q: %v", tc.name, err)
		}
		if c.Alias != tc.want {
			t.Errorf("%q: alias %q, want %q", tc.name, c.Alias, tc.want)
		}
		for _, by := range []string{c.Alias, string(c.ID)} {
			if got, err := n.Community(ctx, by); err != nil || got != c {
				t.Errorf("by %q: %+v, %v", by, got, err)
			}
		}
	}
}

func FuzzAlias(f *testing.F) {
	for _, s := range []string{"Optics", "Łódź ß", "a-b--c", "\xff\xfe", "--", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := alias(s)
		if a == "" || len(a) > maxOfAlias || isUUID(a) || strings.HasPrefix(a, "-") || strings.HasSuffix(a, "-") || strings.Contains(a, "--") {
			t.Fatalf("alias(%q) = %q", s, a)
		}
		for _, r := range a {
			if r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
				t.Fatalf("alias(%q) = %q holds %q", s, a, r)
			}
		}
		if again := alias(a); again != a {
			t.Fatalf("alias(%q) = %q, again %q", s, a, again)
		}
	})
}

func TestCleanName(t *testing.T) {
	for _, tc := range []struct {
		in, want string
		bad      bool
		why      string
	}{
		{"Acme", "Acme", false, "plain"},
		{"  Acme \t", "", true, "a tab is a control"},
		{"  Acme   Optics ", "Acme Optics", false, "blanks are single"},
		{"A\u0301bc", "Ábc", false, "NFC"},
		{"半導体", "半導体", false, "any script"},
		{"שלום", "שלום", false, "right to left letters are letters"},
		{"Acme\u202eevil", "", true, "S44: a bidirectional override"},
		{"Ac\u200bme", "", true, "a zero-width space"},
		{"Ac\x1b[31mme", "", true, "S44: an escape"},
		{"Ac\x07me", "", true, "S44: a bell"},
		{"Ac\u009bme", "", true, "S44: a C1 control"},
		{"Ac\nme", "", true, "a line end"},
		{"Ac\u2028me", "", true, "a line separator"},
		{"Ac\ue000me", "", true, "private use"},
		{"Ac\xffme", "", true, "no UTF-8"},
		{"Ac\ufffdme", "", true, "a replacement of what was no UTF-8"},
		{"", "", true, "empty"},
		{"  ", "", true, "blank"},
		{"!!!", "", true, "no letter"},
		{strings.Repeat("é", 100), strings.Repeat("é", 100), false, "a hundred characters"},
		{strings.Repeat("é", 101), "", true, "too long"},
		{strings.Repeat("x", 1<<20), "", true, "far too long"},
	} {
		got, err := cleanName("name", tc.in, 100)
		if (err != nil) != tc.bad || got != tc.want {
			t.Errorf("%s: cleanName(%.40q) = %q, %v", tc.why, tc.in, got, err)
		}
		if err != nil && polder.KindOf(err) != polder.Invalid {
			t.Errorf("%s: kind %v", tc.why, polder.KindOf(err))
		}
	}
}

func FuzzCleanName(f *testing.F) {
	f.Add("Acme")
	f.Add("A\u0301 \u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := cleanName("name", s, 50)
		if err != nil {
			return
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("cleanName(%q) kept %U", s, r)
			}
		}
		if again, err := cleanName("name", got, 50); err != nil || again != got {
			t.Fatalf("cleanName(%q) = %q, again %q, %v", s, got, again, err)
		}
	})
}

func TestCleanEmail(t *testing.T) {
	for _, tc := range []struct{ in, want, why string }{
		{"Sam@Acme.Example", "sam@acme.example", "case-folded"},
		{" sam@acme.example ", "sam@acme.example", "trimmed"},
		{"ｓａｍ@acme.example", "sam@acme.example", "NFKC"},
		{"STRASSE@x.example", "strasse@x.example", "upper case"},
		{"straße@x.example", "strasse@x.example", "full folding"},
		{"jörg@x.example", "jörg@x.example", "an international name"},
		{"admin", "", "no @"},
		{"@x.example", "", "no local part"},
		{"a@", "", "no domain"},
		{"a@b@c", "", "two @"},
		{"a b@c.example", "", "a space"},
		{"a@.example", "", "a dot in front"},
		{"a@x..example", "", "two dots"},
		{"a@x.example\r\nBcc: b@c.example", "", "a header"},
		{"<a@x.example>", "", "brackets"},
		{strings.Repeat("a", 65) + "@x.example", "", "local part too long"},
		{"a@" + strings.Repeat("x", 260), "", "too long"},
		{"a\u200b@x.example", "", "invisible"},
	} {
		got, err := cleanEmail(tc.in)
		if got != tc.want || (err != nil) != (tc.want == "") {
			t.Errorf("%s: cleanEmail(%q) = %q, %v", tc.why, tc.in, got, err)
		}
	}
}

func FuzzCleanEmail(f *testing.F) {
	f.Add("Sam@Acme.Example")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := cleanEmail(s)
		if err != nil {
			return
		}
		if again, err := cleanEmail(got); err != nil || again != got {
			t.Fatalf("cleanEmail(%q) = %q, again %q, %v", s, got, again, err)
		}
		if canonicalLogIn(s) != got {
			t.Fatalf("a log-in as %q looks for %q, the account is %q", s, canonicalLogIn(s), got)
		}
	})
}

func TestCleanCountry(t *testing.T) {
	for _, tc := range []struct {
		in, want string
		bad      bool
	}{{"", "", false}, {"nl", "NL", false}, {"XK", "XK", false}, {"UK", "", true}, {"XX", "", true}, {"N", "", true}, {"NLD", "", true}, {"L ", "", true}, {" NL ", "NL", false}} {
		got, err := cleanCountry(tc.in)
		if got != tc.want || (err != nil) != tc.bad {
			t.Errorf("cleanCountry(%q) = %q, %v", tc.in, got, err)
		}
	}
	if n := len(strings.Fields(countries)); n != 250 {
		t.Errorf("%d countries, want the 249 of ISO 3166-1 and XK", n)
	}
}
