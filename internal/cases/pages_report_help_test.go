package cases

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/polder-exchange/polder/internal/web"
)

const helpOwn = `place: nl
order: 1
name: {en: Our town, nl: Onze stad}
contacts:
  - name: Confidential adviser
    phone: +31 (0)15 123 4567
    hours: {en: Working days.}
    for: {nl: Om te praten.}
    source: the intranet
    checked: 2026-10-01
`

func TestLoadHelp(t *testing.T) {
	all, err := LoadHelp()
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string][]string{}
	for _, p := range all {
		if p.Name["en"] == "" || p.Name["nl"] == "" {
			t.Errorf("%s has no name in both languages", p.Place)
		}
		for _, c := range p.Contacts {
			numbers[p.Place] = append(numbers[p.Place], c.Phone)
			for _, lang := range []string{"en", "nl"} {
				if c.Hours[lang] == "" || c.For[lang] == "" {
					t.Errorf("%s, %s says nothing in %s", p.Place, c.Name, lang)
				}
			}
		}
	}
	for place, want := range map[string][]string{"nl": {"112", "0900-8844", "0800-7000", "0900-0101", "0800-0113"}, "eu": {"112", "116 006"}, "be": {"101"}, "de": {"110"}} {
		for _, number := range want {
			if !slices.Contains(numbers[place], number) {
				t.Errorf("%s lacks %s: %v", place, number, numbers[place])
			}
		}
	}
	if all[0].Place != "nl" {
		t.Errorf("the first place is %s", all[0].Place)
	}
}

// TestLoadHelpOwn: a node's own file takes the place of the one of the same place; what a language lacks is said in
// English, or as it is.
func TestLoadHelpOwn(t *testing.T) {
	all, err := LoadHelp(fstest.MapFS{"town.yaml": {Data: []byte(helpOwn)}})
	if err != nil {
		t.Fatal(err)
	}
	site := reportSite(t)
	reports := embeddedReportPages(site)
	p := &Pages{reporter: reports}
	p.SetHelp(all)
	var words web.Words
	for _, lang := range []string{"en", "nl"} {
		page := reportShown(t, reports, site, lang, "")["pressed"]
		if strings.Contains(page, "0800-7000") || !strings.Contains(page, `<a href="tel:+31151234567">`) || !strings.Contains(page, "Working days.") || !strings.Contains(page, "Om te praten.") {
			t.Errorf("in %s the page does not show the node's own contact", lang)
		}
	}
	if shown := all.In(words); shown[0].Name != "Our town" {
		t.Errorf("without a language the place is %q", shown[0].Name)
	}
}

func TestLoadHelpRefuses(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(helpOwn, old, new, 1) }
	for _, row := range []struct{ text, want, why string }{
		{with("place: nl", "place: ../nl"), "place", "a place is a word"},
		{with("+31 (0)15 123 4567", "javascript:alert(1)"), "is no number", "a number is dialled, nothing else"},
		{with("+31 (0)15 123 4567", "1"), "is no number", "too short to call"},
		{with("2026-10-01", "lately"), "checked", "a date says how old it is"},
		{with("    source: the intranet\n", ""), "no source", "nobody could check it"},
		{with("    for: {nl: Om te praten.}\n", ""), "what it is for", "nobody would know when to call"},
		{with("name: {en: Our town, nl: Onze stad}\n", ""), "has no name", "a heading is needed"},
		{with("order: 1", "ordre: 1"), "ordre", "a word that is not known"},
		{"place: nl\nname: {en: A}\ncontacts: []\n", "0 contacts", "nothing to call"},
		{strings.Repeat("# x\n", 20_000), "at most", "a file has a bound"},
		{"a: *b", "", "broken YAML"},
	} {
		if _, err := LoadHelp(fstest.MapFS{"x.yaml": {Data: []byte(row.text)}}); err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "x.yaml") {
			t.Errorf("%.60q: %v, want an error that says %q: %s", row.text, err, row.want, row.why)
		}
	}
}

func FuzzParseHelp(f *testing.F) {
	f.Add([]byte(helpOwn))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parseHelp("x.yaml", text)
		if err == nil && (len(p.Contacts) == 0 || len(p.Name) == 0 || p.Contacts[0].Phone == "") {
			t.Fatalf("%q passes as %v", text, p)
		}
	})
}
