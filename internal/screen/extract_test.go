package screen

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// mentioned is what a text must give: names and types, in order; a name may have its numbers behind it.
func mentioned(ms []Mention) string {
	var out []string
	for _, m := range ms {
		text := m.Name
		if m.Type != names.Any {
			text += " (" + m.Type.String() + ")"
		}
		for _, id := range m.Identifiers {
			text += " " + id.Kind + ":" + id.Value
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

func TestExtract(t *testing.T) {
	for _, c := range []struct{ name, why, text, want string }{
		{"a contract", "both parties stand behind between, each with its form and its signatory",
			`This Agreement is made on 3 March 2026 between Meridian Optics B.V., a private company having its registered office at
Keizersgracht 12, 1015 CS Amsterdam, registered with the Chamber of Commerce under number 12345678 ("Buyer"), represented by
its director Mr J. de Vries, and Positive Photonics LLC, a company organised under the laws of Delaware ("Seller"),
represented by Dr. Anna Kowalska.`,
			"Meridian Optics B.V. (company) registration:12345678\nJ. de Vries (person)\nPositive Photonics LLC (company)\nAnna Kowalska (person)"},
		{"labels", "an order names its parties behind labels; addresses are not names",
			"Purchase order 4711\nBuyer: Nordlicht Sensorik GmbH & Co. KG, Hafenstraße 4, 20457 Hamburg\nConsignee: Golden Gate Trading FZE\nEnd user: Institute of Applied Mechanics\nAttn: Mrs. Fatima al-Sayed\nNotify party: same as above\nTotal: EUR 4,500\n",
			"Nordlicht Sensorik GmbH & Co. KG (company)\nGolden Gate Trading FZE (company)\nInstitute of Applied Mechanics\nFatima al-Sayed (person)"},
		{"a label above its value", "forms put the value on the next line",
			"End user\nEnd user:\nHarbour Instruments Co., Ltd.\n12 Dock Road\n",
			"Harbour Instruments Co., Ltd. (company)"},
		{"Dutch", "the same words in Dutch",
			`Overeenkomst tussen Van der Meer Lasers B.V. en de Stichting Waterbeheer Noord. Koper: Lindenhof Precisie N.V. te Delft, t.a.v. mevrouw S. van den Berg. De heer P. Jansen tekent.`,
			"Van der Meer Lasers B.V. (company)\nStichting Waterbeheer Noord (company)\nLindenhof Precisie N.V. (company)\nS. van den Berg (person)\nP. Jansen (person)"},
		{"a letter", "firms in running text, among sentences that begin with capitals",
			"Dear Sir,\n\nWe are working with Acme Micro Devices Inc. and Delft University of Technology. Our partner Hangar Eight Ltd will ship the goods.\n\nKind regards,\n",
			"Acme Micro Devices Inc. (company)\nDelft University of Technology (company)\nHangar Eight Ltd (company)"},
		{"ships", "a ship with its number, and a number alone",
			"Loaded on M/V OCEAN HERON (IMO 9074729) at Rotterdam, then on the vessel \"Blue Marlin\". A second call of IMO: 9319466 is planned.",
			"OCEAN HERON (vessel) imo:9074729\nBlue Marlin (vessel) imo:9319466"},
		{"Cyrillic", "legal forms stand before quoted names", "Договор между ООО «Вектор Плюс» и АО «Завод Радиодеталь».\nГрузополучатель: Институт прикладной физики",
			"ООО «Вектор Плюс» (company)\nАО «Завод Радиодеталь» (company)\nИнститут прикладной физики"},
		{"Han", "names run on without spaces", "买方：杭州海纳光电有限公司，地址：杭州市。最终用户是北方理工大学。",
			"杭州海纳光电有限公司 (company)\n北方理工大学 (company)"},
		{"Arabic", "the word for a firm comes first", "المشتري: شركة النور للتجارة\nالعقد مع جامعة الشمال في بغداد",
			"شركة النور للتجارة (company)\nجامعة الشمال (company)"},
		{"names a line each", "a pasted list is taken line by line", "Acme Optics\nJohn Smith\nOcean Heron\n", "Acme Optics (company)\nJohn Smith\nOcean Heron"},
		{"an address", "its first line is the party", "Please deliver the goods to\n\nLindenhof Precisie\nIndustrieweg 8\n2627 AB Delft\nThe Netherlands\n\nWith kind regards", "Lindenhof Precisie"},
		{"an LEI", "it belongs to the firm before it", "Acme Optics B.V., LEI 5493001KJTIIGC8Y1R12, will pay.", "Acme Optics B.V. (company) lei:5493001KJTIIGC8Y1R12"},
		{"each once", "a party that is named again is one party", "Acme Optics B.V. sells. Acme Optics B.V. pays.", "Acme Optics B.V. (company)"},
		{"nobody", "small letters and headings are no parties", "we will see what to do about this as soon as the co-operation is agreed. it is sa far.", ""},
		{"nothing", "an empty text", " \n\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Extract(c.text)
			if mentioned(got) != c.want {
				t.Errorf("%s: got\n%s\nwant\n%s", c.why, mentioned(got), c.want)
			}
			for _, m := range got {
				if m.Why == "" {
					t.Errorf("%s: no reason", m.Name)
				}
			}
		})
	}
}

// checkMentions demands what holds of any text.
func checkMentions(t interface{ Fatalf(string, ...any) }, text string) {
	ms := Extract(text)
	if len(ms) > MaxMentions {
		t.Fatalf("%d mentions", len(ms))
	}
	last := -1
	for _, m := range ms {
		if m.Start < last || m.Start >= m.End || m.End > len(text) || m.Name == "" || len(m.Name) > maxMention+8 {
			t.Fatalf("mention %+v of %d bytes", m, len(text))
		}
		last = m.Start
		if utf8.ValidString(text) && len(m.Identifiers) == 0 && strings.Join(strings.Fields(text[m.Start:m.End]), " ") != m.Name {
			t.Fatalf("%q does not stand at %d", m.Name, m.Start)
		}
	}
}

// TestExtractLaws: whatever the text, what is found stands where it is said to stand, in order, and is bounded.
func TestExtractLaws(t *testing.T) {
	pieces := []string{"Buyer: ", "Acme", " Optics", " B.V.", ", ", "\n", "between ", " and ", "Mr ", "J. ", "M/V ", "IMO 9074729", "ООО «", "»", "有限公司", "杭州", "شركة ", "النور ", "12 Dock Road", "\"", "(", ")", " GmbH & Co. KG", "\u202e", "\xff"}
	rapid.Check(t, func(t *rapid.T) {
		checkMentions(t, strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 60).Draw(t, "pieces"), ""))
	})
}

// TestExtractBounds: a text is read in a time that grows with its length, of a thousand names the first two hundred are given.
func TestExtractBounds(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "Supplier: Acme Works %d Ltd\n", i)
	}
	if got := Extract(b.String()); len(got) != MaxMentions {
		t.Errorf("%d mentions, want %d", len(got), MaxMentions)
	}
	for _, piece := range []string{"Acme ", "Ltd ", "Mr ", "(", "\"A", "Buyer: ", "有限公司", "between A and ", "IMO 9074729 ", "\n\n", ", Ltd", "vessel A "} {
		began := time.Now() //house:allow time.Now: how long it took is what is tested
		checkMentions(t, strings.Repeat(piece, MaxTextBytes/8/len(piece)))
		if took := time.Since(began); took > 10*time.Second { //house:allow time.Since: how long it took is what is tested
			t.Errorf("%q again and again took %v", piece, took)
		}
	}
	checkMentions(t, strings.Repeat("Acme ", MaxTextBytes/5+10))
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
		of   func(string) bool
	}{
		{"9074729", true, validIMO}, {"9074728", false, validIMO}, {"9319466", true, validIMO},
		{"5493001KJTIIGC8Y1R12", true, validLEI}, {"5493001KJTIIGC8Y1R13", false, validLEI}, {"00000000000000000001", false, validLEI},
	} {
		if c.of(c.text) != c.want {
			t.Errorf("%s: want %v", c.text, c.want)
		}
	}
	m := Mention{Name: "IMO 9074729", Identifiers: []lists.Identifier{{Kind: lists.IDIMO, Value: "9074729"}}}
	if q := m.Query(); q.Name != "" || len(q.Identifiers) != 1 {
		t.Errorf("a number alone is asked as %+v", q)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add("Buyer: Acme Optics B.V., Keizersgracht 12\nbetween Acme Ltd and ООО «Вектор»\nM/V OCEAN HERON (IMO 9074729)")
	f.Add("买方：杭州海纳光电有限公司\nشركة النور للتجارة\nMr J. de Vries")
	f.Fuzz(func(t *testing.T, text string) { checkMentions(t, text) })
}
