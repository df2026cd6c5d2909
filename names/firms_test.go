package names

import (
	"strings"
	"testing"
)

// TestLittleIsNotEnough holds names of which only what many bear meets below the threshold that stops one innocent name in
// a hundred, and what lacks little of them above it.
func TestLittleIsNotEnough(t *testing.T) {
	const threshold = 0.45
	for _, c := range []struct {
		a, b string
		meet bool
		why  string
	}{
		{"Emma de Groot", "EMMA LLC", false, "a given name is no firm of that name, and a surname may be a word of the trade"},
		{"Emma de Groot", "DE GROOT, Emma", true, "which is still met"},
		{"Oman Salahudin", "SALAHUDIN", false, "one word of two"},
		{"Jordán Anaya", "ANAYA", false, "one word of two, the other a country"},
		{"Sara Goodwin", "GOODWIN", false, "one word of two, a surname"},
		{"Salahudin Kareemov Bashirzade", "SALAHUDIN", false, "one word of three"},
		{"Salahudin", "SALAHUDDIN", true, "one word of one"},
		{"Korvessa Ltd", "KORVESSA", true, "a legal form is no word"},
		{"Korvessa Technologies", "KORVESSA", true, "a word of the trade weighs less than a name"},
		{"Global Trading Company B.V.", "GLOBAL TRADING GROUP", false, "words of the trade alone, one more"},
		{"Universal Logistics Co., Ltd.", "Universal Logistics Systems GmbH", false, "the same"},
		{"General Trading LLC", "International General Trading Co", false, "the same in front"},
		{"Universal Logistics Co., Ltd.", "Universal Logistics Limited", true, "all agree"},
		{"Global Trading Group", "GROUP GLOBAL TRADING", true, "all agree in another order"},
		{"National University of Defense Technology", "National University of Defence Technologies", true, "words of a trade that few have"},
	} {
		t.Run(c.why, func(t *testing.T) {
			if got := scorePair(c.a, c.b, Any); (got >= threshold) != c.meet {
				t.Errorf("%q and %q score %.3f", c.a, c.b, got)
			}
		})
	}
}

// TestOtherCountries holds that a name with a country or a legal form of another country scores lower than the same name
// without, and says why.
func TestOtherCountries(t *testing.T) {
	for _, c := range []struct{ a, b, plain, how string }{
		{"Korvessa Industrial GmbH", "Korvessa Industrial Sdn. Bhd.", "Korvessa Industrial Ltd", "legal form of another country"},
		{"Korvessa Industrial GmbH", "Korvessa Industrial B.V.", "Korvessa Industrial Limited", "legal form of another country"},
		{"Marrowby Chemicals Ltd", "Marrowby Chemicals (Thailand) Ltd", "Marrowby Chemicals Limited", "another country in the name, only in the second name"},
		{"Olvetra GmbH", "Olvetra Polska GmbH", "Olvetra Ges.m.b.H.", "another country in the name, only in the second name"},
		{"Olvetra Deutschland GmbH", "Olvetra Polska GmbH", "Olvetra GmbH", "another country in the name"},
	} {
		t.Run(c.b, func(t *testing.T) {
			a, b := Parse(c.a, Company), Parse(c.b, Company)
			got, plain := Compare(a, b), Compare(a, Parse(c.plain, Company))
			if got.Score > plain.Score-0.05 {
				t.Errorf("%q scores %.3f with %q, %.3f with %q", c.a, got.Score, c.b, plain.Score, c.plain)
			}
			said := false
			for _, p := range got.Parts {
				said = said || p.How == c.how
			}
			if !said {
				t.Errorf("%q and %q: no part says %q: %+v", c.a, c.b, c.how, got.Parts)
			}
		})
	}
}

// TestCountriesAreInTheLexicon holds that each country is a place that the lexicon knows, so that none is misspelt.
func TestCountriesAreInTheLexicon(t *testing.T) {
	for _, name := range strings.Split(strings.Trim(countries, ";"), ";") {
		if tables().ids[conceptKey{name: name, kind: Place}] == 0 {
			t.Errorf("no place is called %q", name)
		}
	}
}
