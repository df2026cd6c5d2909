package names

import (
	"strings"
	"testing"
)

func TestCompareExplains(t *testing.T) {
	for _, c := range []struct {
		a, b string
		t    Type
		want []string // "kind: a | b | how", in the order of the parts; how may be left out
		why  string
	}{
		{"Ivan Petrov", "PETROV, Ivan", Person, []string{"word: ivan | ivan | same", "word: petrov | petrov | same"}, "order is free"},
		{"Khalil Hasan", "KHA LIL, Hasan", Person, []string{"joined: khalil | kha lil | same but for the spaces", "word: hasan | hasan"}, "a space too many"},
		{"Solar Wayhong Kong", "Solar Way Hongkong", Any, []string{"word: solar | solar", "joined: wayhong kong | way hongkong | same but for the spaces"}, "a space elsewhere"},
		{"Siemens Ltd", "Siemens Limited", Company, []string{"word: siemens | siemens", "legal form: ltd | limited | same legal form: "}, "forms of one legal form"},
		{"Brennock Steel Tubes", "Brennock Steel Wires", Company, []string{"word: brennock | brennock", "word: steel | steel", "different: tubes | wires | different "}, "siblings"},
		{"Orion Petrov", "Orian Petrov", Person, []string{"word: orion | orian | one letter differs", "word: petrov | petrov"}, "a typing error"},
		{"Gerardo Ibarra", "Gerardo Ibarar", Person, []string{"word: gerardo | gerardo", "word: ibarra | ibarar | two letters are swapped"}, "another"},
		{"Иван Петров", "Ivan Petrov", Person, []string{"word: иван | ivan | romanised alike: ivan", "word: петров | petrov | romanised alike: petrov"}, "another script"},
		{"A. Kovalenko", "Anna Kovalenko", Person, []string{"initial: a | anna", "word: kovalenko | kovalenko"}, "an initial"},
		{"Qztx", "Quorum Zeta Trial Xenon", Company, []string{"first letters: qztx | quorum zeta trial xenon"}, "an acronym"},
		{"Brigade 44", "Brigade Forty-Four", Company, []string{"word: brigade | brigade", "number: 44 | forty four | same number"}, "a number in words"},
		{"Hoshikaze 8", "Hoshikaze 6", Vessel, []string{"word: hoshikaze | hoshikaze", "different: 8 | 6 | different numbers"}, "numbers must agree"},
		{"Yuri Napso", "NAPSO, Yuri Aisovich", Person, []string{"word: yuri | yuri", "word: napso | napso", "extra:  | aisovich | only in the second name"}, "a patronymic more"},
		{"Kovalenko GmbH", "Kovalenko", Company, []string{"word: kovalenko | kovalenko", "missing: gmbh |  | legal form, only in the first name"}, "a legal form less"},
	} {
		t.Run(c.why, func(t *testing.T) {
			parts := Compare(Parse(c.a, c.t), Parse(c.b, c.t)).Parts
			if len(parts) != len(c.want) {
				t.Fatalf("%d parts, want %d: %+v", len(parts), len(c.want), parts)
			}
			for i, p := range parts {
				if got := p.Kind + ": " + p.A + " | " + p.B + " | " + p.How; !strings.HasPrefix(got, c.want[i]) {
					t.Errorf("part %d is %q, want %q", i, got, c.want[i])
				}
			}
		})
	}
}

func TestCompareRanks(t *testing.T) {
	for _, c := range []struct {
		name, closer, further string
		t                     Type
		why                   string
	}{
		{"Brennock Steel Tubes Ltd", "Brenock Steel Tubes Limited", "Brennock Steel Wires Ltd", Company, "a slip is nearer than another trade"},
		{"Castellan Agro Exports", "Castelan Agro Export", "Castellan Agro Imports", Company, "exports are not imports"},
		{"Kibaha Cement Traders", "Kibaha Cement Traders Ltd", "Kibaha Cement Products", Company, "traders are not a product"},
		{"Mwangi & Sons", "Mwangi and Sons Ltd", "Mwangi & Daughters", Company, "nor sons daughters"},
		{"Brandis Technologies", "Brandes Technology", "Branson Technologies", Company, "a word of the trade says little"},
		{"Olga Ivanova", "IVANOVA, Olga Petrovna", "KULYGINA, Olga Ivanovna", Person, "a patronymic is no surname"},
		{"Sergey Viktorovich Lavrenko", "Sergei Lavrenko", "Sergey Borisovich Lavrenko", Person, "patronymics that contradict"},
		{"Antonio Castellanos", "Antonio Castelanos", "Antonia Castellanos", Person, "a woman's name is another"},
		{"Tiger", "Tigger", "Tiger Woodward", Any, "a name of one word is not met by all that hold it"},
		{"Hoshikaze Maru No. 8", "Hoshikaze Maru 8", "Hoshikaze Maru No. 6", Vessel, "numbers must agree"},
		{"Orlova Anna", "ORLOVA, Anna", "ORLOV, Hannah", Person, "order and comma are nothing"},
		{"Frost, William G.", "William G Frost", "William W Frost", Person, "initials that contradict"},
		{"Ahmad bin Hasan al-Ubaidi", "Ahmed ibn Hassan al Ubaidi", "Hasan bin Ahmad al-Ubaidi", Person, "who is whose son"},
		{"习近平", "Xi Jinping", "习近朋", Person, "another letter of Han is another name"},
		{"Kapitan Guseynov", "KAPITAN GUSEINOV", "Kapitan Guseynov Shipping Ltd", Vessel, "a ship is not its owner"},
		{"Deutsche Bank AG", "Deutsche Bank Aktiengesellschaft", "Deutsche Bank GmbH", Company, "legal forms contradict a little"},
		{"Korvath Shipping Joint Stock Company", "Korvath Shipping Jont Stok Company", "Korvath Shipping Limited", Company, "a legal form with errors is that form"},
		{"Stock Company Agregat Joint", "Joint Stock Company Agregat", "Joint Stock Company Agrofert", Company, "a legal form that was torn"},
		{"Ig0r Sech1nov", "Igor Sechinov", "Igor Petrinov", Person, "digits for letters that look alike"},
	} {
		t.Run(c.why, func(t *testing.T) {
			closer, further := scorePair(c.name, c.closer, c.t), scorePair(c.name, c.further, c.t)
			if closer <= further+0.02 {
				t.Errorf("%q: %q scores %.3f, %q %.3f", c.name, c.closer, closer, c.further, further)
			}
		})
	}
}

func TestCompareEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		one  bool
		why  string
	}{
		{"SIEMENS AG", "Siemens A.G.", true, "case and dots are folded"},
		{"Société Générale", "Societe Generale", true, "so are accents"},
		{"Ｔｉｇｅｒ", "tiger", true, "and wide letters"},
		{"Ivan\u200fov", "ivanov", true, "and signs of direction"},
		{"Ivan Petrov", "Petrov Ivan", false, "another order is not equal"},
		{"Siemens AG", "Siemens", false, "nor is a word less"},
		{"Siemens Ltd", "Siemens Limited", false, "nor another form of a legal form"},
		{"Иванов", "Ivanov", false, "nor another script"},
	} {
		t.Run(c.why, func(t *testing.T) {
			got := scorePair(c.a, c.b, Any)
			if (got == 1) != c.one {
				t.Errorf("%q and %q score %v", c.a, c.b, got)
			}
			if got < 0.85 {
				t.Errorf("%q and %q score %v, want nearly 1", c.a, c.b, got)
			}
		})
	}
}

func TestWordSim(t *testing.T) {
	for _, c := range []struct {
		a, b     string
		min, max float64
		why      string
	}{
		{"mohammed", "mohamed", 0.85, 1, "a doubled letter"},
		{"khalil", "halil", 0.6, 1, "kh and h"},
		{"sechin", "sech1n", 0.85, 1, "a digit that looks alike"},
		{"gerardo", "gerarod", 0.7, 0.95, "swapped letters"},
		{"aleksandr", "alexandr", 0.85, 1, "ks and x"},
		{"block7", "block8", 0, 0.1, "digits differ"},
		{"li", "lu", 0, 0.6, "short words bear no slip"},
		{"prodrive", "positive", 0, 0.5, "too many letters"},
		{"ivanova", "ivanovna", 0, 0.6, "a surname and a patronymic"},
		{"petrovich", "ivanovich", 0, 0.4, "an ending in common is nothing"},
		{"wei", "wei", 1, 1, "the same"},
	} {
		t.Run(c.why, func(t *testing.T) {
			got, _ := wordSim(Parse(c.a, Company).Words[0], Parse(c.b, Company).Words[0])
			if got < c.min || got > c.max {
				t.Errorf("%q and %q: %.3f, want %.2f to %.2f", c.a, c.b, got, c.min, c.max)
			}
		})
	}
}
