package cases

import (
	"testing"
)

// Every page of a full case says what it holds, in both languages.
func TestCasePagesSayWhatTheyHold(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	home := "/cases/" + string(c.ID)
	page := w.see("lead", home)
	holdsText(t, page, "Supplier’s remote access misused", "TLP:AMBER+STRICT", "Vendor accounts closed", "<strong>two</strong>", "firmware-klepwerk[.]example", "Tidepipe calls home", "Memory image", "Find which drawings were opened", "Customers are told on Monday", "They must check their own logs.",
		"Odd log-ins in Delft", "Valve drawings", "Clocks run from here.", "Lotte", "Wafer Werke")
	for _, path := range []string{"/edit", "/status", "/members", "/jewels", "/damage", "/history", "/export", "/release", "/sharing", "/add/entry", "/add/observable", "/add/evidence", "/add/task", "/add/note", "/add/decision", "/add/link", "/all/entry", "/all/observable", "/all/evidence", "/all/task", "/all/note", "/all/decision", "/all/link"} {
		for _, lang := range []string{"en", "nl"} {
			w.see("lead", home+path+"?lang="+lang)
		}
	}
	for _, path := range []string{"/cases", "/cases/new", "/cases/border", "/cases/shared", "/cases/settings", "/cases/jewels", "/cases/jewels/new", "/cases?status=all&severity=high&road=cyber&with=mine&sort=-severity", "/cases?status=archived"} {
		for _, lang := range []string{"en", "nl"} {
			w.see("chief", path+caseLang(path, lang))
		}
	}
}

func caseLang(path, lang string) string {
	for i := range path {
		if path[i] == '?' {
			return "&lang=" + lang
		}
	}
	return "?lang=" + lang
}
