package deadline

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestForgivingWords: words as people, forms and other programs write them.
func TestForgivingWords(t *testing.T) {
	for _, c := range []struct {
		word, sector, why string
	}{
		{"ict", "ict-services", "a short word"},
		{"Digital Infrastructure", "digital-infrastructure", "another case, and a space"},
		{"digital_infrastructure", "digital-infrastructure", "another dash"},
		{"semiconductor", "manufacturing", "a branch of a sector"},
		{"aerospace", "manufacturing", "makers of aircraft; who runs stations on the ground is in space"},
		{"maritime", "transport", "a branch of a sector"},
		{"health", "health", "its own id"},
		{"energy/electricity", "energy", "a sector and its part"},
		{"Energy: gas", "energy", "a sector and its part"},
		{"energy/tidal", "energy", "a part that nobody has named"},
		{"Gezondheidszorg (ziekenhuis)", "health", "in Dutch"},
		{"banking/insurance", "", "two sectors, and no way to tell which"},
		{"///", "", "no word"},
		{"alchemy", "", "no sector"},
		{strings.Repeat("energy/", 40), "", "too long a word"},
	} {
		got, err := Packs{}.Sector(c.word)
		if got.ID != c.sector || (err == nil) != (c.sector != "") {
			t.Errorf("%.60q is %q, %v; want %q: %s", c.word, got.ID, err, c.sector, c.why)
		}
		unknown, ok := errors.AsType[*UnknownError](err)
		if err != nil && (!ok || !slices.Contains(unknown.Known, "manufacturing") || !strings.Contains(err.Error(), "manufacturing")) {
			t.Errorf("%.60q: the error does not list what is known: %v", c.word, err)
		}
	}
	for word, kind := range map[string]string{"data-breach": "personal-data-breach", "Datalek": "personal-data-breach", "vulnerability": "exploited-vulnerability", "actively-exploited-vulnerability": "exploited-vulnerability", "actively exploited vulnerability": "exploited-vulnerability",
		"major-incident": "incident", "major ICT-related incident": "incident", "significant-incident": "incident", "ransomware": "incident", "severe-incident": "product-incident", "whistleblower-report": "whistleblower-report", "whistleblower": "whistleblower-report", "breach/ransomware": "incident"} {
		if got, err := (Packs{}).Kind(word); got.ID != kind {
			t.Errorf("%q is %q, %v; want %q", word, got.ID, err, kind)
		}
	}
	if _, err := (Packs{}).Kind("fire"); err == nil || !strings.Contains(err.Error(), "personal-data-breach") {
		t.Errorf("an unknown kind: %v", err)
	}
}

// TestWordsMeanOneThing: no word names two terms of a list, so that which comes first says nothing.
func TestWordsMeanOneThing(t *testing.T) {
	for what, terms := range map[string][]Term{"sector": Packs{}.Sectors(), "kind": Packs{}.Kinds(), "event": Packs{}.Events(), "jurisdiction": Packs{}.Jurisdictions()} {
		seen := map[string]string{}
		for _, term := range terms {
			own := map[string]bool{plainWord(term.ID): true, plainWord(term.EN): true, plainWord(term.NL): true}
			for _, a := range term.Aliases {
				if plainWord(a) != a {
					t.Errorf("%s %s: the alias %q is not written plainly, and never found", what, term.ID, a)
				}
				own[a] = true
			}
			for word := range own {
				if other := seen[word]; other != "" && word != "" {
					t.Errorf("%s: %q names %s and %s", what, word, other, term.ID)
				}
				seen[word] = term.ID
			}
		}
	}
}

// TestBreachInEverySector: a personal data breach is to be notified within 72 hours in whatever sector and country, and
// what is due for no reason of its sector stays the same.
func TestBreachInEverySector(t *testing.T) {
	aware := time.Date(2026, 11, 22, 9, 44, 0, 0, time.UTC)
	for _, place := range (Packs{}).Jurisdictions() {
		for _, sector := range (Packs{}).Sectors() {
			all, err := Packs{}.Due(Situation{Jurisdiction: place.ID, Sector: sector.ID, Kind: "personal-data-breach", Aware: aware, Events: map[string]time.Time{}})
			at := slices.IndexFunc(all, func(d Deadline) bool { return strings.HasPrefix(d.ID, "gdpr-") && d.Rule.ID == "notification" })
			if err != nil || at < 0 || !all[at].Due.Equal(aware.Add(72*time.Hour)) {
				t.Errorf("%s, %s: %d deadlines, %v", place.ID, sector.ID, len(all), err)
			}
		}
	}
}
