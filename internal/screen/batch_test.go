package screen

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/names"
)

// partiesOf reads a file of parties: each as "name type country birth ref kind:value", an error as "!text".
func partiesOf(name, text string, o PartyOptions) (out []string, err error) {
	r, err := NewPartyReader(name, strings.NewReader(text), o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if p.Err != nil {
			out = append(out, "!"+p.Err.Error())
			continue
		}
		q := p.Query
		cells := []string{q.Name}
		if q.Type != names.Any {
			cells = append(cells, q.Type.String())
		}
		for _, c := range []string{q.Country, q.Birth, q.Ref} {
			if c != "" {
				cells = append(cells, c)
			}
		}
		for _, id := range q.Identifiers {
			cells = append(cells, id.Kind+":"+id.Value)
		}
		out = append(out, strings.Join(cells, " "))
	}
}

func encoded(t *testing.T, e interface{ String(string) (string, error) }, text string) string {
	out, err := e.String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReadParties(t *testing.T) {
	utf16 := encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), "name\nŁódź Optyka\n")
	bare := encoded(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder(), "name\nAcme Optics\n")
	for _, c := range []struct {
		name, why, text string
		o               PartyOptions
		want            string // lines, or the error behind "error: "
	}{
		{"a name a line", "a plain list", "Acme Optics\nSMITH, John\n\nOOO \"Vektor\"\n", PartyOptions{}, "Acme Optics\nSMITH, John\nOOO \"Vektor\""},
		{"a column", "the heading is known", "id,name\n7,Acme Optics\n8,\"Smith, John\"\n", PartyOptions{}, "Acme Optics 7\nSmith, John 8"},
		{"all columns", "each is used", "Ref;Company Name;Type;Country;LEI;Registration number;IMO;VAT number;Date of birth\nk1;Acme;company;Netherlands;5493001KJTIIGC8Y1R12;12345678;;NL001234567B01;1961-04-30\n",
			PartyOptions{}, "Acme company NL 1961-04-30 k1 lei:5493001KJTIIGC8Y1R12 registration:12345678 tax:NL001234567B01"},
		{"Dutch headings", "", "Klantnummer\tBedrijfsnaam\tLand\n1\tAcme\tDE\n", PartyOptions{}, "Acme DE 1"},
		{"Chinese headings", "", "公司名称,国家\n杭州海纳光电有限公司,CN\n", PartyOptions{}, "杭州海纳光电有限公司 CN"},
		{"Russian headings", "", "Наименование;Страна\nООО «Вектор»;RU\n", PartyOptions{}, "ООО «Вектор» RU"},
		{"two columns of a name", "the family name has a column of its own", "Voornaam,Achternaam,Geboortedatum\nAnna,Kowalska,30-4-1961\n", PartyOptions{}, "Anna Kowalska 1961-04-30"},
		{"a date that has two readings", "the year alone is sure", "name,dob\nA B,04/05/1961\nC D,30/04/1961\nE F,nobody knows\n", PartyOptions{}, "A B 1961\nC D 1961-04-30\nE F"},
		{"a column that is named", "", "what,who\n1,Acme\n", PartyOptions{Column: "who"}, "Acme"},
		{"a column by number", "", "x,y\n1,Acme\n", PartyOptions{Column: "2"}, "Acme"},
		{"a column that is not there", "", "x,y\n1,Acme\n", PartyOptions{Column: "z"}, `error: f.csv:1: there is no column "z"; there are: x, y`},
		{"no column of names", "a wrong guess would hide parties", "x;y\n1;2\n3;4\n", PartyOptions{}, "error: f.csv:1: no column is known to hold names; say which with --column, one of: x, y"},
		{"what a spreadsheet writes first", "", "sep=;\nname;country\nAcme;NL\n", PartyOptions{}, "Acme NL"},
		{"quotes in a cell", "they are letters", "name,country\nOOO \"Vektor\",RU\n\"Acme \"\"Best\"\" Ltd\",NL\n", PartyOptions{}, "OOO \"Vektor\" RU\nAcme \"Best\" Ltd NL"},
		{"a quote that is not closed", "it spoils its own line and no other", "name,country\n\"Acme\" Ltd,NL\n\"Open,NL\nNext,DE\n", PartyOptions{}, "\"Acme\" Ltd NL\n\"Open NL\nNext DE"},
		{"a cell of two lines", "", "name,address,country\nAcme,\"1 Dock Road\nTown\",NL\nNext,,DE\n", PartyOptions{}, "Acme NL\nNext DE"},
		{"rows without a name", "are said, and the others asked", "name,lei\n,\nAcme,\n,5493001KJTIIGC8Y1R12\n", PartyOptions{}, "!f.csv:2: there is no name; give one, or take the row out\nAcme\n lei:5493001KJTIIGC8Y1R12"},
		{"a formula", "its text is not the name", "name\n=A1&B1\nAcme\n", PartyOptions{}, "!f.csv:2: \"=A1&B1\" is a formula, not a name; save the file with its values\nAcme"},
		{"UTF-8 with its mark", "", "\ufeffname\nŁódź Optyka\n", PartyOptions{}, "Łódź Optyka"},
		{"UTF-16", "as spreadsheets write text", utf16, PartyOptions{}, "Łódź Optyka"},
		{"UTF-16 without its mark", "", bare, PartyOptions{}, "Acme Optics"},
		{"Windows-1252", "what is no UTF-8", encoded(t, charmap.Windows1252.NewEncoder(), "name\nMüller Söhne\n"), PartyOptions{}, "Müller Söhne"},
		{"Windows-1251", "when it is said", encoded(t, charmap.Windows1251.NewEncoder(), "name\nООО Вектор\n"), PartyOptions{Encoding: "windows-1251"}, "ООО Вектор"},
		{"GB 18030", "when it is said", encoded(t, simplifiedchinese.GB18030.NewEncoder(), "name\n杭州海纳\n"), PartyOptions{Encoding: "gb18030"}, "杭州海纳"},
		{"an encoding that is none", "", "name\nA\n", PartyOptions{Encoding: "klingon"}, `error: the encoding "klingon" is not known; there are utf-8, utf-16le, windows-1251, windows-1252, gb18030, big5, shift_jis and more`},
		{"JSON lines", "", `{"name":"Acme","type":"company","country":"NL","ref":17}` + "\n\n" + `{"naam":"Vektor","identifiers":[{"kind":"imo","value":"9074729"}]}` + "\n", PartyOptions{}, "Acme company NL 17\nVektor imo:9074729"},
		{"JSON lines that are wrong", "the others are asked", "{\"name\":\"A B\"}\n{\"name\":\n[1]\n{\"name\":\"C D\"}\n", PartyOptions{},
			"A B\n!f.csv:2: it cannot be read as JSON (unexpected end of JSON input); write {\"name\":\"…\"} on a line\n!f.csv:3: it is no JSON object; write {\"name\":\"…\"} on a line\nC D"},
		{"a JSON array", "", `[{"name":"A B"},{"name":"C D"}]`, PartyOptions{}, "A B\nC D"},
		{"a JSON array that is cut off", "", `[{"name":"A B"},{"na`, PartyOptions{}, "error: f.csv: object 2: the array is cut off; give the whole file"},
		{"nothing", "", " \n", PartyOptions{}, "error: f.csv: the file is empty; give a row for each party"},
		{"no text", "", "name\x00\x01\x02 and so on", PartyOptions{}, "error: f.csv: this is no text; give CSV, JSON lines or XLSX"},
		{"a line without an end", "bounded", "name\n" + strings.Repeat("x", maxPartyRecord+10), PartyOptions{}, fmt.Sprintf("error: f.csv:2: the line has more than %d bytes; is it a list of parties?", maxPartyRecord)},
		{"an XLS of old", "", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", PartyOptions{}, "error: f.csv: this is an XLS file of before 2007, or one with a password; save it as XLSX or CSV"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := "f.csv"
			if strings.HasPrefix(c.text, "[") {
				name = "f.json"
			}
			got, err := partiesOf(name, c.text, c.o)
			text := strings.Join(got, "\n")
			if err != nil {
				text = "error: " + strings.Replace(err.Error(), "f.json", "f.csv", 1)
			}
			if text != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.why, text, c.want)
			}
		})
	}
}

func sheet(t *testing.T, rows [][]any) string {
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadSheet(t *testing.T) {
	text := sheet(t, [][]any{{"Customers of 2026"}, {}, {"Nr", "Company", "KvK", "Date of birth"}, {1, "Acme Optics", 12345678, 22401}, {2, "Vektor", 1.2345678e7, "1961"}, {}, {3, "", "", ""}})
	got, err := partiesOf("f.xlsx", text, PartyOptions{})
	want := "Acme Optics 1961-04-30 1 registration:12345678\nVektor 1961 2 registration:12345678\n!f.xlsx:7: there is no name; give one, or take the row out"
	if err != nil || strings.Join(got, "\n") != want {
		t.Errorf("got %s, %v\nwant %s", strings.Join(got, "\n"), err, want)
	}
	got, err = partiesOf("f.xlsx", text, PartyOptions{Column: "KvK"})
	if err != nil || !strings.HasPrefix(strings.Join(got, "\n"), "12345678 ") {
		t.Errorf("a column that is named: %v, %v", got, err)
	}
	for name, o := range map[string]PartyOptions{"no such sheet": {Sheet: "Nowhere"}, "no such column": {Column: "Nowhere"}} {
		if _, err := partiesOf("f.xlsx", text, o); err == nil || !strings.HasPrefix(err.Error(), "f.xlsx") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// workbook is an XLSX file whose only sheet is as given.
func workbook(t *testing.T, sheet string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"[Content_Types].xml":        `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`,
		"_rels/.rels":                `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/_rels/workbook.xml.rels": `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/workbook.xml":            `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/worksheets/sheet1.xml":   sheet,
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const sheetHead = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>`

// TestHostileSheets: bombs, rows without number and broken files are refused with a sentence, in bounded time and memory.
func TestHostileSheets(t *testing.T) {
	cell := func(ref, text string) string {
		return `<c r="` + ref + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
	}
	for _, c := range []struct{ name, text, want string }{
		{"a row far away", workbook(t, sheetHead+`<row r="2147483647">`+cell("A2147483647", "Acme")+`</row></sheetData></worksheet>`), "f.xlsx"},
		{"a column far away", workbook(t, sheetHead+`<row r="2">`+cell("ZZZZZZ2", "Acme")+`</row></sheetData></worksheet>`), "f.xlsx:2"},
		{"broken XML", workbook(t, sheetHead+`<row r="2">`+cell("A2", "Acme")+`</row></nothing`), ""},
		{"a sheet that is none", workbook(t, "not XML at all"), "f.xlsx"},
		{"a bomb", workbook(t, sheetHead+strings.Repeat(" ", maxSheetUnpacked>>4)+`</sheetData></worksheet>`), ""},
		{"a zip that is none", "PK\x03\x04 and nothing else", "f.xlsx: it cannot be read as XLSX"},
		{"a formula without a value", workbook(t, sheetHead+`<row r="2"><c r="A2"><f>B1</f></c><c r="B2"><v>1</v></c></row></sheetData></worksheet>`), "f.xlsx:2: there is no name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := partiesOf("f.xlsx", c.text, PartyOptions{})
			text := strings.Join(got, "\n")
			if err != nil {
				text = err.Error()
			}
			if !strings.Contains(text, c.want) || len(got) > 10 {
				t.Errorf("%d parties, %.300s; want %q", len(got), text, c.want)
			}
		})
	}
}

// TestScreenAll: answers come in the order of the parties, an error of a row does not stop the rest, one of the file does.
func TestScreenAll(t *testing.T) {
	s := NewScreener(testList("own", lists.Restricted, someParties...))
	const all = 2000
	n := 0
	stop := errors.New("stop")
	next := func(end error) func() (FileParty, error) {
		n = 0
		return func() (FileParty, error) {
			if n == all {
				return FileParty{}, end
			}
			n++
			p := FileParty{Row: n, Query: Query{Name: []string{"Zarimir Volkontev", "Marigold Hetherington"}[n%2]}}
			if n%100 == 0 {
				p.Err = errors.New("no name")
			}
			return p, nil
		}
	}
	row := 0
	err := s.ScreenAll(t.Context(), Options{}, next(io.EOF), func(x Answered) error {
		if row++; x.Party.Row != row || len(x.Answer.Hits) > 0 != (row%2 == 0 && row%100 != 0) {
			t.Fatalf("row %d: party %+v, %d hits", row, x.Party, len(x.Answer.Hits))
		}
		return nil
	})
	if err != nil || row != all {
		t.Errorf("%d rows, %v", row, err)
	}
	took := 0
	if err := s.ScreenAll(t.Context(), Options{}, next(stop), func(Answered) error { took++; return nil }); !errors.Is(err, stop) || took != all {
		t.Errorf("an error of the file after %d rows: %v", took, err)
	}
	if err := s.ScreenAll(t.Context(), Options{}, next(io.EOF), func(Answered) error { return stop }); !errors.Is(err, stop) || n > 1000 {
		t.Errorf("an error of the taker: %v after %d rows were read", err, n)
	}
}

func FuzzReadParties(f *testing.F) {
	for _, text := range []string{"name,country\nAcme,NL\n", "{\"name\":\"Acme\"}\n", "[{\"name\":\"A\"}]", "sep=;\nnaam;land\n\"a\";b\n", "Acme\nSMITH, John\n", "PK\x03\x04", "\xff\xfen\x00a\x00m\x00e\x00\n\x00", "\"\"\"\n\"a\nb\",c"} {
		f.Add(text, "")
	}
	f.Add("x,y\n1,2\n", "2")
	f.Fuzz(func(t *testing.T, text, column string) {
		r, err := NewPartyReader("f", strings.NewReader(text), PartyOptions{Column: column})
		if err != nil {
			return
		}
		defer r.Close()
		for row := 1; ; row++ {
			p, err := r.Next()
			if err != nil {
				return
			}
			if p.Row != row || row > len(text)+2 {
				t.Fatalf("row %d is %d of a text of %d bytes", row, p.Row, len(text))
			}
			if p.Err == nil && p.Query.Name == "" && len(p.Query.Identifiers) == 0 {
				t.Fatalf("row %d has nothing to ask about", row)
			}
		}
	})
}
