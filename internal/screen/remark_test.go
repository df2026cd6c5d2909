package screen

import (
	"regexp"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
)

// TestRemarksInDutch: whatever the node says of a review by itself, and why somebody may not decide, a page says in its
// reader's language; the API says it in English.
func TestRemarksInDutch(t *testing.T) {
	w := filled(t)
	id := w.reviewIn(Query{Name: "Brundelwick Photonics", Country: "CN"})
	at := "/screen/reviews/" + id
	english := regexp.MustCompile(`the (party|listing) changed|no longer (listed|known|meet)|(T|t)wo people|You decided|Your role|addresses`)
	dutch := func(who string, want ...string) {
		t.Helper()
		_, page, _ := strings.Cut(w.see(who, at+"?state=all&lang=nl"), "<main")
		holds(t, page, want...)
		if said := english.FindString(page); said != "" {
			t.Errorf("the Dutch page says %q", said)
		}
	}
	dutch("reader", "Uw rol leest en beslist niet")
	by := actor(ours, "p-contributor", polder.RoleContributor)
	_, err := w.Decide(t.Context(), by, id, Judgement{VerdictFalse, "a baker of another town", 1})
	must(t, err)
	answered(t, "deciding with an old form", w.post("contributor", at, "decision", "true", "reason", "the same house and number", "seen", "1"), 409)
	holds(t, answered(t, "in Dutch", w.post("contributor", at+"?lang=nl", "decision", "true", "reason", "the same house and number", "seen", "1"), 409), "Het is gewijzigd sinds u het opende")
	holds(t, answered(t, "too short", w.post("contributor", at+"?lang=nl", "decision", "true", "reason", "no", "seen", "2"), 400), "Schrijf in ten minste 10 tekens")

	changed := append([]lists.Entry{}, restrictedEntries...)
	changed[1].Addresses = []string{"9 Dock Road"}
	changed[1].Means = "No dealings"
	w.put(listOf("restricted", "Made-up Consolidated List", "2026-11-19", lists.Restricted, changed...))
	w.work()
	dutch("contributor", "De vermelding wijzigde sinds", "adressen, wat het verbiedt.")
	holds(t, w.see("token reader", "/api/v1"+at), "the listing changed since 2026-11-18: addresses, what it forbids")

	w.put(listOf("restricted", "Made-up Consolidated List", "2026-11-20", lists.Restricted, restrictedEntries[0], restrictedEntries[2]))
	w.work()
	dutch("contributor", "Niet meer vermeld op restricted", "Niemand hoeft te beslissen")
	holds(t, w.see("token reader", "/api/v1"+at), "no longer listed on restricted of 2026-11-20")
}

// TestRemarkTexts: each kind of remark has its words in both languages, and they name what it is about.
func TestRemarkTexts(t *testing.T) {
	w := filled(t)
	for _, c := range []struct {
		m      Remark
		en, nl string
	}{
		{Remark{}, "", ""},
		{Remark{Kind: RemarkMet}, "It is met again.", "Zij is weer ontmoet."},
		{Remark{Kind: RemarkForgotten}, "The party is no longer known.", "De partij is niet meer bekend."},
		{Remark{Kind: RemarkDisagree}, "Two people disagree", "oneens"},
		{Remark{Kind: RemarkRelisted}, "on its list again", "weer op haar lijst"},
		{Remark{Kind: RemarkUnlisted}, "No longer listed.", "Niet meer vermeld."},
		{Remark{Kind: RemarkChanged}, "The party or the listing changed.", "De partij of de vermelding wijzigde."},
		{Remark{Kind: RemarkChanged, Party: []string{"name", "birth date"}, Unmet: true}, "The party changed: name, birth date. They no longer meet", "De partij wijzigde: naam, geboortedatum. Zij lijken"},
		{Remark{Kind: RemarkChanged, Listing: []string{"a new kind"}, Since: "2026-11-01"}, "a new kind", "a new kind"},
	} {
		for lang, want := range map[string]string{"en": c.en, "nl": c.nl} {
			if got := remarkText(w.site.Words(lang), c.m); !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("%+v in %s: %q, want %q", c.m, lang, got, want)
			}
		}
		if (c.m.String() == "") != (c.m.Kind == "") {
			t.Errorf("%+v in the record: %q", c.m, c.m.String())
		}
	}
	for _, what := range []string{"list", "type", "name", "aliases", "countries", "dates of birth", "identifiers", "addresses", "programmes", "what it forbids", "remarks", "country", "birth date"} {
		if !w.site.Words("nl").Has("screen.changed." + strings.ReplaceAll(what, " ", "-")) {
			t.Errorf("%s has no word", what)
		}
	}
}
