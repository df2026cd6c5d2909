package lists

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/names"
)

var birthForm = regexp.MustCompile(`^\d{4}(-\d{2}(-\d{2})?)?$|^\d{4}/\d{4}$`)

// validBirth tells whether a date of birth has one of the forms that [Entry] promises.
func validBirth(s string) bool { return birthForm.MatchString(s) }

func TestCountry(t *testing.T) {
	for in, want := range map[string]string{
		"NL": "NL", "nl": "NL", "NLD": "NL", "The Netherlands": "NL", "Netherlands (Kingdom of the)": "NL",
		"Korea, North": "KP", "Democratic People's Republic of Korea": "KP", "Korea (Democratic People’s Republic of)": "KP", "DPRK": "KP",
		"Korea, Republic of": "KR", "Korea, South": "KR", "South Korea": "KR",
		"Viet Nam": "VN", "Vietnam": "VN", "Socialist Republic of Viet Nam": "VN",
		"Côte d'Ivoire": "CI", "Cote d Ivoire": "CI", "COTE D’IVOIRE": "CI", "Ivory Coast": "CI",
		"Congo, Democratic Republic of the": "CD", "Congo, Republic of the": "CG", "Congo": "CG",
		"Türkiye": "TR", "TURKIYE": "TR", "Turkey": "TR", "PRC": "CN", "China": "CN", "Macau": "MO", "MAN, ISLE OF": "IM",
		"Iran (Islamic Republic of)": "IR", "Iran, Islamic Republic of": "IR", "Syrian Arab Republic": "SY", "Russian Federation": "RU",
		"Bahamas, The": "BS", "The Gambia": "GM", "Virgin Islands, British": "VG", "Virgin Islands (U.S.)": "VI", "U.S.A.": "US", "UK": "GB",
		"St. Kitts and Nevis": "KN", "Saint Kitts & Nevis": "KN", "Bosnia & Herzegovina": "BA", "Kosovo": "XK", "Palestinian": "PS",
		"REGION: WEST BANK": "PS", "Region: Iran": "IR", "REGION: KAFIA KINGI": "REGION: KAFIA KINGI", "undetermined": "", "-": "", "": "", "00": "",
		"Niger": "NE", "Nigeria": "NG", "Dominica": "DM", "Dominican Republic": "DO", "Guinea": "GN", "Guinea-Bissau": "GW", "Equatorial Guinea": "GQ",
		"Republic of China": "TW", "People's Republic of China": "CN", "Georgia": "GE", "Atlantis": "Atlantis", "QQ": "QQ",
	} {
		if got := Country(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestCountryTable: no two countries share a name, and every line has its codes.
func TestCountryTable(t *testing.T) {
	seen := map[string]string{}
	n := 0
	for line := range strings.Lines(strings.TrimSpace(countryTable)) {
		n++
		line = strings.TrimSpace(line)
		code, rest, _ := strings.Cut(line, " ")
		three, namesOf, _ := strings.Cut(rest, " ")
		if len(code) != 2 || len(three) != 3 || namesOf == "" {
			t.Fatalf("line %q", line)
		}
		for name := range strings.SplitSeq(namesOf, "|") {
			if other := seen[countryKey(name)]; other != "" && other != code {
				t.Errorf("%q stands for %s and %s", name, other, code)
			}
			seen[countryKey(name)] = code
		}
	}
	if n < 250 {
		t.Errorf("%d countries", n)
	}
}

// TestRealCountries: of the addresses in the real lists hardly any names a country that is not known.
func TestRealCountries(t *testing.T) {
	for _, file := range []string{"us_csl.jsonl", "UN_consolidated.xml", "us_ofac_2023"} {
		all, unknown := 0, map[string]int{}
		for _, e := range real(t, file).Parties {
			for _, c := range e.Countries {
				if all++; len(c) != 2 {
					unknown[c]++
				}
			}
		}
		if n := len(unknown); n*1000 > all {
			t.Errorf("%s: %d of %d countries are not known: %v", file, n, all, unknown)
		}
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"2006-01-02": "2006-01-02", "2006-01-02T15:04:05Z": "2006-01-02", "31/12/1960": "1960-12-31", "31-12-1960": "1960-12-31", "6.5.1971": "1971-05-06",
		"00/00/1969": "1969", "dd/mm/1969": "1969", "00/05/1969": "1969-05", "08 Jul 1961": "1961-07-08", "8 July 1961": "1961-07-08", "Jul 1961": "1961-07",
		"July 8, 1961": "1961-07-08", "1961": "1961", "1961-07": "1961-07", "circa 1961": "1959/1963", "c. 1961": "1959/1963", "Approximately 1961": "1959/1963",
		"1955 to 1957": "1955/1957", "between 1955 and 1957": "1955/1957", "1957-1955": "", "08 Jul 1961 to 09 Aug 1961": "1961", "31/02/1960": "", "99/99/1960": "",
		"": "", "unknown": "", "0000-00-00": "", "61": "", "1961/1963": "1961/1963", "circa 1961 to 1963": "1961/1963",
	} {
		if got := birth(in, dayFirst); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := date("12/31/1960", monthFirst); got != "1960-12-31" {
		t.Errorf("month first: %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		if d := birth(rapid.String().Draw(t, "text"), dayFirst); d != "" && !validBirth(d) {
			t.Fatalf("%q", d)
		}
	})
}

func TestIdentifierKinds(t *testing.T) {
	for label, want := range map[string]string{
		"Passport": IDPassport, "Diplomatic Passport": IDPassport, "Tax ID No.": IDTax, "V.A.T. Number": IDTax, "R.F.C.": IDTax, "NIT #": IDTax, "RUC #": IDTax,
		"Registration Number": IDRegistration, "Commercial Registry Number": IDRegistration, "Company Number": IDRegistration, "Unified Social Credit Code (USCC)": IDRegistration,
		"Matricula Mercantil No": IDRegistration, "C.R. No.": IDRegistration, "Trade License No.": IDRegistration, "National ID No.": IDNational, "Cedula No.": IDNational,
		"C.U.R.P.": IDNational, "D.N.I.": IDNational, "National Identification Number": IDNational, "Identification Number": IDNational, "Vessel Registration Identification": IDIMO,
		"Company Number IMO": IDIMO, "MMSI": IDMMSI, "SWIFT/BIC": IDBIC, "LEI": IDLEI, "Legal Entity Identifier": IDLEI, "D-U-N-S Number": IDOther, "Aircraft Tail Number": IDAircraft,
		"Driver's License No.": IDOther, "Birth Certificate Number": IDOther, "Electoral Registry No.": IDNational, "Leisure card": IDOther, "Unit number": IDOther, "": IDOther,
	} {
		if got := identifierKind(label); got != want {
			t.Errorf("%q: %s, want %s", label, got, want)
		}
	}
	for _, c := range []struct{ label, value, kind, want, why string }{
		{"IMO", "IMO 9074729", IDIMO, "9074729", "only the number is compared"},
		{"IMO number", "unknown", IDOther, "unknown", "what is no number decides nothing"},
		{"LEI", "5299 000J 2N45 DDNE 4Y28", IDLEI, "5299000J2N45DDNE4Y28", "spaces are for reading"},
		{"LEI", "12345", IDOther, "12345", "too short for a LEI"},
		{"Passport", "A1234567.", IDPassport, "A1234567", "the sentence's stop"},
	} {
		if got := identifier(c.label, c.value, ""); got.Kind != c.kind || got.Value != c.want {
			t.Errorf("%s %s: %+v (%s)", c.label, c.value, got, c.why)
		}
	}
}

func TestRemarks(t *testing.T) {
	r := parseRemarks("DOB 08 Jul 1961; alt. DOB circa 1960; POB Caracas, Venezuela; nationality Venezuela; Gender Male; Cedula No. 7.617.778 (Venezuela); Passport B0097656 (Venezuela) issued 01 Jan 2010 expires 01 Jan 2020; Identification Number IMO 5817786; Nationality of Registration Panama; Website http://a.example; Registration Number 1027739088410 (Russia); Executive Order 13846 information: LOANS; Organization Established Date 18 Oct 2010; Linked To: X CO., LTD.; a.k.a. 'BNC'; f.k.a. 'OLD'; Email Address a1@b.example; SWIFT/BIC DALVRU8X; Tax ID No. 5042118606.")
	if want := []string{"1961-07-08", "1958/1962"}; !slices.Equal(r.births, want) {
		t.Errorf("births %v", r.births)
	}
	if want := []Alias{{"BNC", true, ""}, {"OLD", true, "former"}}; !slices.Equal(r.aliases, want) {
		t.Errorf("aliases %v", r.aliases)
	}
	if want := []string{"Panama"}; !slices.Equal(r.countries, want) {
		t.Errorf("countries %v", r.countries)
	}
	want := []Identifier{{IDNational, "7.617.778", "Venezuela"}, {IDPassport, "B0097656", "Venezuela"}, {IDIMO, "5817786", ""}, {IDRegistration, "1027739088410", "Russia"}, {IDBIC, "DALVRU8X", ""}, {IDTax, "5042118606", ""}}
	if !slices.Equal(r.identifiers, want) {
		t.Errorf("identifiers %v", r.identifiers)
	}
	rest := []string{"Website http://a.example", "Executive Order 13846 information: LOANS", "Organization Established Date 18 Oct 2010", "Linked To: X CO., LTD", "Email Address a1@b.example"}
	if !slices.Equal(r.rest, rest) {
		t.Errorf("rest %q", r.rest)
	}
}

// TestEncodings: the same list in every encoding that publishers use is the same list.
func TestEncodings(t *testing.T) {
	const text = "id,name\n1,Société Générale d'Exemple\n2,Łukasz Ōta Ünlü\n"
	utf16s := func(big bool, mark bool) string {
		var out []byte
		s := text
		if mark {
			s = "\ufeff" + s
		}
		for _, u := range utf16.Encode([]rune(s)) {
			if big {
				out = append(out, byte(u>>8), byte(u))
			} else {
				out = append(out, byte(u), byte(u>>8))
			}
		}
		return string(out)
	}
	for name, in := range map[string]string{
		"UTF-8": text, "UTF-8 with mark": "\ufeff" + text, "UTF-16 little": utf16s(false, true), "UTF-16 big": utf16s(true, true),
		"UTF-16 without mark": utf16s(false, false), "UTF-16 big without mark": utf16s(true, false), "CR LF": strings.ReplaceAll(text, "\n", "\r\n"),
	} {
		l, err := Read("list.csv", strings.NewReader(in), ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if l.Parties[0].Name != "Société Générale d'Exemple" || l.Parties[1].Name != "Łukasz Ōta Ünlü" {
			t.Errorf("%s: %q, %q", name, l.Parties[0].Name, l.Parties[1].Name)
		}
	}
	latin, _ := charmap.Windows1252.NewEncoder().String("id,name\n1,Société Générale “d'Exemple”\n2," + strings.Repeat("plain ", 30_000) + "\n3,Ünlü\n")
	l, err := Read("list.csv", strings.NewReader(latin), ReadOptions{})
	if err != nil || l.Parties[0].Name != "Société Générale “d'Exemple”" || l.Parties[2].Name != "Ünlü" || l.Notes[0] != "the file is in Windows-1252" {
		t.Errorf("Windows-1252: %v", err)
	}
	cyrillic, _ := charmap.Windows1251.NewEncoder().String("No;Имя\n1;Нордлихт\n")
	m, err := ParseMapping("m.yaml", []byte("encoding: windows-1251\ncolumns: {id: No, name: Имя}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if l, err = Read("list.csv", strings.NewReader(cyrillic), ReadOptions{Mapping: m}); err != nil || l.Parties[0].Name != "Нордлихт" {
		t.Errorf("Windows-1251 by mapping: %v", err)
	}
	declared, _ := charmap.ISO8859_2.NewEncoder().String(`<?xml version="1.0" encoding="iso-8859-2"?><CONSOLIDATED_LIST><ENTITIES><ENTITY><DATAID>1</DATAID><FIRST_NAME>Łódź Ősz</FIRST_NAME></ENTITY></ENTITIES></CONSOLIDATED_LIST>`)
	if l, err = Read("un.xml", strings.NewReader(declared), ReadOptions{}); err != nil || l.Parties[0].Name != "Łódź Ősz" {
		t.Errorf("ISO 8859-2 by declaration: %v", err)
	}
	l, err = Read("list.csv", strings.NewReader("id,name\n1,Société Générale\n2,Bro\xffken\n"), ReadOptions{})
	if err != nil || l.Parties[1].Name != "Bro\ufffdken" || !strings.Contains(l.Notes[0], "1 places hold bytes that are no UTF-8 text, the first in line 3") {
		t.Errorf("a broken byte: %v %v", err, l)
	}
}

// TestEncodingsInPieces (law): wherever a file is cut while it is read, its text is the same.
func TestEncodingsInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.SampledFrom([]byte("aé\xffß哈\n,\xc3\xe5\x93")), 1, 400).Draw(t, "bytes")
		read := func(r interface{ Read([]byte) (int, error) }, size int) (out []byte, broken int) {
			d := newDecoder("x", r, ReadOptions{})
			p := make([]byte, size)
			for {
				n, err := d.Read(p)
				out = append(out, p[:n]...)
				if err != nil {
					return out, d.broken
				}
			}
		}
		whole, broken := read(bytes.NewReader(in), 1<<16)
		part, broken2 := read(bytes.NewReader(in), rapid.IntRange(1, 7).Draw(t, "size"))
		if !bytes.Equal(whole, part) || broken != broken2 {
			t.Fatalf("%q and %q", whole, part)
		}
	})
}

func TestTableDates(t *testing.T) {
	const text = "id,name,dob\n1,A B,03/04/1970\n2,C D,13/04/1970\n3,E F,1970-04-03\n4,G H,never\n"
	for dates, want := range map[string][]string{"": {"1970", "1970-04-13", "1970-04-03"}, "day-first": {"1970-04-03", "1970-04-13", "1970-04-03"}, "month-first": {"1970-03-04", "", "1970-04-03"}} {
		m, err := ParseMapping("m.yaml", []byte("dates: "+dates+"\ncolumns: {id: id, name: name, birth: dob}\n"))
		if err != nil {
			t.Fatal(err)
		}
		l, err := Read("x.csv", strings.NewReader(text), ReadOptions{Mapping: m})
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if got := strings.Join(l.Parties[i].Births, " "); got != w {
				t.Errorf("dates %q, row %d: %q, want %q", dates, i+1, got, w)
			}
		}
	}
}

// TestMappingColumns: a column that the list does not have is named with the line of the mapping; columns by number and
// a table without header work.
func TestMappingColumns(t *testing.T) {
	m, err := ParseMapping("m.yaml", []byte("columns:\n  id: code\n  name: title\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read("x.csv", strings.NewReader("id,name\n1,A B\n"), ReadOptions{Mapping: m}); err == nil || !strings.HasPrefix(err.Error(), `m.yaml:2: the list has no column "code"; one of id, name`) {
		t.Errorf("%v", err)
	}
	m, err = ParseMapping("m.yaml", []byte("header: 0\ndelimiter: tab\npurpose: verified\ncolumns: {id: 3, name: [1, 2]}\nconstants: {type: person}\n"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read("x.tsv", strings.NewReader("Orla\tSpringwell\t7\n"), ReadOptions{Mapping: m})
	if err != nil || l.Parties[0].Name != "Orla Springwell" || l.Parties[0].ID != "7" || l.Parties[0].Type != names.Person || l.Purpose != Verified {
		t.Errorf("%v %+v", err, l)
	}
}

// TestReadOptions: what the caller says of a list stands beside what the list says.
func TestReadOptions(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l, err := Read("dir/Own List.csv.gz", strings.NewReader("name\nNordlicht Optics, B.V.\n"), ReadOptions{Title: "Ours", Source: "us", Licence: "own", Date: "2026-01-01", Purpose: Verified, At: at})
	if err != nil {
		t.Fatal(err)
	}
	want := Meta{Name: "Own List", Title: "Ours", Source: "us", Licence: "own", Date: "2026-01-01", Purpose: Verified, Form: "table", Read: at, Entries: 1, Names: 1, SHA256: "70a0ac1f97a51cd83c4f1b0d6a8f7f4f"}
	want.SHA256 = l.SHA256
	if !reflect.DeepEqual(l.Meta, want) || len(l.SHA256) != 64 {
		t.Errorf("%+v", l.Meta)
	}
	l, err = Read("x", strings.NewReader("name\nA B\n"), ReadOptions{As: "mine"})
	if err != nil || l.Name != "mine" || l.Purpose != Restricted {
		t.Errorf("%v %+v", err, l)
	}
	if _, err = Read("x", strings.NewReader("name\nA B\n"), ReadOptions{Form: "xlsx"}); err == nil || !strings.Contains(err.Error(), `the form "xlsx" is not known`) {
		t.Errorf("%v", err)
	}
}

func anyEntry(t *rapid.T) Entry {
	word := rapid.StringN(1, 20, 60)
	words := func(label string) []string {
		out := rapid.SliceOfN(word, 0, 3).Draw(t, label)
		if len(out) == 0 {
			return nil
		}
		return out
	}
	e := Entry{ID: word.Draw(t, "id"), List: word.Draw(t, "list"), Type: names.Type(rapid.IntRange(0, 3).Draw(t, "type")), Name: word.Draw(t, "name"),
		Countries: words("countries"), Births: words("births"), Addresses: words("addresses"), Programmes: words("programmes"),
		Means: word.Draw(t, "means"), Note: word.Draw(t, "note"), URL: word.Draw(t, "url"), Listed: word.Draw(t, "listed")}
	for _, n := range words("aliases") {
		e.Aliases = append(e.Aliases, Alias{Name: n, Weak: rapid.Bool().Draw(t, "weak"), Kind: "former"})
	}
	for _, n := range words("numbers") {
		e.Identifiers = append(e.Identifiers, Identifier{Kind: IDTax, Value: n, Country: "NL"})
	}
	return e
}

// TestKeptExactly (law): what is written to disk is read back as it was.
func TestKeptExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &List{Meta: Meta{Name: "x", Purpose: Verified, Form: "table", SHA256: "00", Notes: []string{"a"}, Read: time.Unix(rapid.Int64Range(0, 250_000_000_000).Draw(t, "read"), 0).UTC()}}
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			l.Parties = append(l.Parties, anyEntry(t))
		}
		l.Entries = len(l.Parties)
		kept(t, l)
	})
	for _, file := range []string{"UN_consolidated.xml", "us_ofac_2023"} {
		kept(t, real(t, file))
	}
}

// TestKeptDamaged: a kept list that was cut off or changed is an error, never a shorter list.
func TestKeptDamaged(t *testing.T) {
	l, err := sample(t, "un-xml.xml")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteJSONL(&out, l); err != nil {
		t.Fatal(err)
	}
	for at := range out.Len() {
		if _, err := ReadJSONL("kept", bytes.NewReader(out.Bytes()[:at])); err == nil {
			t.Errorf("cut at %d was read", at)
		}
	}
}

// TestFingerprint: it changes with whatever a decision may rest on, and with nothing else.
func TestFingerprint(t *testing.T) {
	e := Entry{ID: "1", List: "SDN", Type: names.Company, Name: "Nordlicht", Aliases: []Alias{{Name: "A"}, {Name: "B", Weak: true}}, Countries: []string{"NL", "DE"}, Births: []string{"1971"}, Identifiers: []Identifier{{IDTax, "1", ""}},
		Addresses: []string{"x", "y"}, Programmes: []string{"p", "q"}, Means: "freeze", Note: "note", URL: "https://a.example", Listed: "2020-01-01", Changed: "2021-01-01"}
	was := Fingerprint(&e)
	change := func(f func(e *Entry)) bool {
		c := e
		c.Aliases, c.Countries, c.Programmes, c.Addresses = slices.Clone(e.Aliases), slices.Clone(e.Countries), slices.Clone(e.Programmes), slices.Clone(e.Addresses)
		f(&c)
		return Fingerprint(&c) != was
	}
	for name, f := range map[string]func(e *Entry){
		"name": func(e *Entry) { e.Name += "x" }, "type": func(e *Entry) { e.Type = names.Person }, "alias gone": func(e *Entry) { e.Aliases = e.Aliases[:1] }, "alias strong": func(e *Entry) { e.Aliases[1].Weak = false },
		"country": func(e *Entry) { e.Countries[0] = "FR" }, "birth": func(e *Entry) { e.Births = nil }, "number": func(e *Entry) { e.Identifiers = []Identifier{{IDTax, "2", ""}} }, "address": func(e *Entry) { e.Addresses[0] = "z" },
		"programme": func(e *Entry) { e.Programmes[0] = "r" }, "means": func(e *Entry) { e.Means = "" }, "note": func(e *Entry) { e.Note = "other" }, "list": func(e *Entry) { e.List = "EL" },
		"moved between fields": func(e *Entry) { e.Countries, e.Addresses = []string{"NL", "DE", "x"}, []string{"y"} },
	} {
		if !change(f) {
			t.Errorf("%s does not change it", name)
		}
	}
	for name, f := range map[string]func(e *Entry){
		"order of aliases": func(e *Entry) { slices.Reverse(e.Aliases) }, "order of countries": func(e *Entry) { slices.Reverse(e.Countries) }, "url": func(e *Entry) { e.URL = "" }, "changed": func(e *Entry) { e.Changed = "2022-02-02" }, "listed": func(e *Entry) { e.Listed = "" },
	} {
		if change(f) {
			t.Errorf("%s changes it", name)
		}
	}
}

// TestCompareLaw (law): a difference applied to the old list gives the new one, and a list does not differ from itself in
// another order. Change and fingerprint agree.
func TestCompareLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gen := func(label string) *List {
			l := &List{}
			for i := range rapid.IntRange(0, 8).Draw(t, label) {
				if rapid.Bool().Draw(t, "in") {
					e := Entry{ID: fmt.Sprint(i), Name: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name"), Note: rapid.SampledFrom([]string{"", "n"}).Draw(t, "note")}
					l.Parties = append(l.Parties, e)
				}
			}
			return l
		}
		old, new := gen("old"), gen("new")
		d := Compare(old, new)
		after := map[string]string{}
		for i := range old.Parties {
			after[old.Parties[i].ID] = Fingerprint(&old.Parties[i])
		}
		for _, e := range d.Removed {
			delete(after, e.ID)
		}
		for _, e := range d.Added {
			after[e.ID] = Fingerprint(e)
		}
		for _, c := range d.Changed {
			if after[c.New.ID] == Fingerprint(c.New) || len(c.What) == 0 {
				t.Fatalf("%s did not change", c.New.ID)
			}
			after[c.New.ID] = Fingerprint(c.New)
		}
		want := map[string]string{}
		for i := range new.Parties {
			want[new.Parties[i].ID] = Fingerprint(&new.Parties[i])
		}
		if !reflect.DeepEqual(after, want) {
			t.Fatalf("%v, want %v", after, want)
		}
		turned := &List{Parties: slices.Clone(new.Parties)}
		slices.Reverse(turned.Parties)
		if !Compare(new, turned).Empty() || Compare(nil, new).Empty() != (len(new.Parties) == 0) {
			t.Fatal("a list differs from itself")
		}
	})
}

// TestStableIDs: a party without an id keeps the one it was given, wherever it stands in the file.
func TestStableIDs(t *testing.T) {
	lines := []string{"A B,company,NL", "C D,company,DE", "E F,person,", "A B,company,FR"}
	ids := func() map[string]string {
		l, err := Read("x.csv", strings.NewReader("name,type,country\n"+strings.Join(lines, "\n")+"\n"), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, e := range l.Parties {
			out[e.Name+strings.Join(e.Countries, "")] = e.ID
		}
		return out
	}
	was := ids()
	rand.New(rand.NewSource(1)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	if !reflect.DeepEqual(was, ids()) || len(was) != 4 {
		t.Errorf("%v and %v", was, ids())
	}
}

func TestInnerNames(t *testing.T) {
	for in, want := range map[string][]Alias{
		"Nordlicht Optics":                                                                  nil,
		"PEARL (A.K.A. NORA CHU) LINDE":                                                     {{"PEARL LINDE", false, ""}, {"NORA CHU", false, ""}},
		"K (AKA: AMBER, ALDRED HAZEL)":                                                      {{"AMBER, ALDRED HAZEL", false, ""}},
		"KOW LIMA -AKA- ERIC LIMA":                                                          {{"KOW LIMA", false, ""}, {"ERIC LIMA", false, ""}},
		"Kregg; a.k.a. Cow Cragg; a.k.a Hall Jerome":                                        {{"Kregg", false, ""}, {"Cow Cragg", false, ""}, {"Hall Jerome", false, ""}},
		"LTS Nordlicht (f.k.a., IPP Morgenstern Ltd.)":                                      {{"LTS Nordlicht", false, ""}, {"IPP Morgenstern Ltd.", false, "former"}},
		"Example Limited [aka General Example, aka Tiger]":                                  {{"Example Limited", false, ""}, {"General Example", false, ""}, {"Tiger", false, ""}},
		"Testing Institute a.k.a. Institute of Testing":                                     {{"Testing Institute", false, ""}, {"Institute of Testing", false, ""}},
		"PMC Example; and any successor, or subsidiary":                                     {{"PMC Example", false, ""}},
		"Lantern Company, and its sub-units and successors":                                 {{"Lantern Company", false, ""}},
		"Bearings LLC (Utopian entity); and any successor, sub-unit, or subsidiary thereof": {{"Bearings LLC", false, ""}},
		"AKA Bank": nil, "Studio AKA Films": nil, "Osaka Akasaka Kaka Ltd": nil, "Formerly Yours Inc": nil, "Successor Holdings": nil,
	} {
		if got := innerNames(in); !slices.Equal(got, want) {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, a := range innerNames(rapid.StringMatching(`([A-Z][a-z]{1,5}|a\.k\.a\.|, aka|\(fka|\)|;|and any successor| ){0,12}`).Draw(t, "name")) {
			if a.Name == "" || clean(a.Name) != a.Name {
				t.Fatalf("%q", a.Name)
			}
		}
	})
}

// TestPackedSame: a set of files is the same list in a folder and in a zip, and a file in gzip the same as plain.
func TestPackedSame(t *testing.T) {
	folder, err := sample(t, "ofac")
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, name := range []string{"sdn.csv", "alt.csv", "add.csv", "sdn_comments.csv"} {
		data, err := os.ReadFile("testdata/forms/ofac/" + name)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := z.Create("SDN_2026/" + strings.ToUpper(name))
		w.Write(data)
	}
	z.Close()
	zipped, err := Read("ofac.zip", bytes.NewReader(packed.Bytes()), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(zipped.Parties, folder.Parties) || zipped.Name != "ofac" || zipped.SHA256 == folder.SHA256 || len(zipped.SHA256) != 64 {
		t.Errorf("zip: %+v", zipped.Meta)
	}
	data, err := os.ReadFile("testdata/forms/eu-xml.xml")
	if err != nil {
		t.Fatal(err)
	}
	packed.Reset()
	g := gzip.NewWriter(&packed)
	g.Write(data)
	g.Close()
	sum := sha256.Sum256(packed.Bytes())
	plain, err := sample(t, "eu-xml.xml")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read("eu-xml.xml.gz", &packed, ReadOptions{})
	if err != nil || !reflect.DeepEqual(l.Parties, plain.Parties) || l.Name != "eu-xml" || l.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("gzip: %v", err)
	}
}
