package indicator

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// briefRows writes rows as "line kind value".
func briefRows(rows []Row) string {
	var parts []string
	for _, r := range rows {
		parts = append(parts, fmt.Sprintf("%d %s %s", r.Line, r.Kind, r.Value))
	}
	return strings.Join(parts, ", ")
}

func TestReadCSV(t *testing.T) {
	for _, c := range []struct{ in, want, why string }{
		{"type,value\nipv4,192.0.2.1\ndomain,evil.com\n", "2 ipv4 192.0.2.1, 3 domain evil.com", "the plain case"},
		{"\xef\xbb\xbfSoort;Waarde;Omschrijving\r\ndomeinnaam;evil[.]com;\"a;b\"\r\n", "2 domain evil.com", "Dutch, semicolon, byte order mark"},
		{"indicator\tindicator_type\nhxxp://evil.com/x\tURL\n", "2 url http://evil.com/x", "tabs"},
		{"192.0.2.1\nevil[.]com\n\n# a comment\nhxxp://evil.com/a,b\n", "1 ipv4 192.0.2.1, 2 domain evil.com", "one column without a heading; a comma parts"},
		{"value\nevil.com\n192.0.2.0/24\n", "2 domain evil.com, 3 cidr 192.0.2.0/24", "a missing type is told from the value"},
		{"type,value\nip,192.0.2.1\nip-dst,2001:db8::1\nhash," + strings.Repeat("ab", 16) + "\n",
			"2 ipv4 192.0.2.1, 3 ipv6 2001:db8::1, 4 md5 " + strings.Repeat("ab", 16), "types that leave it open"},
		{"type,value\nipv4,192.0.2.0/24\n", "2 cidr 192.0.2.0/24", "a block called an address"},
		{"filename\nodd name.xyz\n", "2 filename odd name.xyz", "the heading names the kind"},
		{"mutex,naam\n'=x,y\n", "2 mutex =x", "a guarded cell"},
		{"type,value\n\ndomain,evil.com\n,,\n", "3 domain evil.com", "empty lines"},
		{"value,description\nevil.com,\"two\nlines\"\nevil.org,x\n", "2 domain evil.com, 4 domain evil.org", "a cell of two lines"},
		{"", "", "nothing"},
	} {
		rows, err := ReadCSV(strings.NewReader(c.in), CSVLimits{})
		if strings.Contains(c.why, "a comma parts") {
			if err == nil || !strings.Contains(err.Error(), "line 5: the row has 2 cells") {
				t.Errorf("%s: %v", c.why, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", c.why, err)
		}
		if got := briefRows(rows); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.why, got, c.want)
		}
	}
}

func TestReadCSVColumns(t *testing.T) {
	in := "id,naam,waarde,omschrijving,bron,TLP,betrouwbaarheid,geldig vanaf,geldig tot,trefwoorden,eigen kolom\n" +
		"indicator--1,C2,evil.com,\"'=x\",ISAC,amber,hoog,01-02-2024,2024-12-31T10:00:00+01:00,a|b; c,zzz\n"
	rows, err := ReadCSV(strings.NewReader(in), CSVLimits{})
	want := []Row{{Line: 2, Kind: Domain, Value: "evil.com", ID: "indicator--1", Name: "C2", Description: "=x", Source: "ISAC", TLP: "amber",
		Confidence: 85, ValidFrom: time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC), ValidUntil: time.Date(2024, 12, 31, 9, 0, 0, 0, time.UTC),
		Labels: []string{"a", "b", "c"}}}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("got %+v, %v\nwant %+v", rows, err, want)
	}
}

func TestReadCSVErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"type,value\nipv4,nonsense\n", "line 2: \"nonsense\" is no IPv4 address"},
		{"type,value\ndomain,\n", "line 2: the value is missing"},
		{"type,value\nnonsense,x\n", "line 2: \"nonsense\" is no kind"},
		{"value,confidence\nevil.com,200\n", "line 2: the confidence"},
		{"value,valid_until\nevil.com,tomorrow\n", "line 2: \"tomorrow\" is no date"},
		{"a,b\nevil.com,x\n", "line 1: no column is named value"},
		{"type,description\nx,y\n", "line 1: no column is named value"},
		{"domain,ipv4\nevil.com,192.0.2.1\n", "line 1: more than one column holds values"},
		{"just words\n", "line 1: \"just words\" is no indicator"},
		{"value\nevil.com\nb\xff\n", "line 3: the text is not UTF-8"},
		{"\xff\xfev\x00", "line 1: the table is UTF-16"},
		{"value\n" + strings.Repeat("x y\n", 1500), "reading stops here after 1000"},
	} {
		_, err := ReadCSV(strings.NewReader(c.in), CSVLimits{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ReadCSV(%.40q): %.200v, want %q", c.in, err, c.want)
			continue
		}
		if e, ok := errors.AsType[*RowError](err); !ok || e.Line < 1 {
			t.Errorf("ReadCSV(%.40q): %T names no line", c.in, err)
		}
	}
	rows, err := ReadCSV(strings.NewReader("value\nnonsense\nevil.com\n"), CSVLimits{})
	if briefRows(rows) != "3 domain evil.com" || err == nil {
		t.Errorf("a wrong row hides the right one: %v, %v", rows, err)
	}
}

func TestReadCSVLimits(t *testing.T) {
	if rows, err := ReadCSV(strings.NewReader("value\nevil.com\nevil.org\n"), CSVLimits{Rows: 1}); len(rows) != 1 || err == nil || !strings.Contains(err.Error(), "line 3: the table has more than 1 rows") {
		t.Errorf("rows: %v, %v", rows, err)
	}
	if rows, err := ReadCSV(strings.NewReader("value\nevil.com\n"), CSVLimits{Bytes: 5}); rows != nil || err == nil || !strings.Contains(err.Error(), "more than 5 bytes") {
		t.Errorf("bytes: %v, %v", rows, err)
	}
}

// TestCSVRoundTrip: what WriteCSV writes, ReadCSV reads.
func TestCSVRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Map(rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile)), func(s string) string {
			return strings.TrimSpace(strings.ToValidUTF8(strings.NewReplacer("\x00", "", "\r", "").Replace(s), ""))
		})
		e := Entry{Kind: rapid.SampledFrom([]Kind{Filename, Mutex, RegistryKey}).Draw(t, "kind"), Value: text.Draw(t, "value"),
			ID: "indicator--1", Description: text.Draw(t, "description"), Source: text.Draw(t, "source"), Label: "TLP:AMBER",
			ValidUntil: time.Unix(1_800_000_000, 0).UTC()}
		if e.Value == "" {
			return
		}
		var out bytes.Buffer
		if skipped, err := WriteCSV(&out, []Entry{e}); err != nil || skipped != nil {
			t.Fatal(skipped, err)
		}
		rows, err := ReadCSV(&out, CSVLimits{})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%q gives %d rows, %v", e.Value, len(rows), err)
		}
		r := rows[0]
		if got := (Entry{r.Kind, r.Value, r.ID, r.Description, r.Source, r.TLP, r.ValidUntil}); got != e {
			t.Fatalf("got  %+v\nwant %+v", got, e)
		}
	})
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"type,value\nipv4,192.0.2.1\n", "\xef\xbb\xbfSoort;Waarde\ndomein;evil[.]com\n", "evil.com\nx\n", "value\tconfidence\na.com\t50%\n",
		"value\n\"a\nb\"\n", "# c\n\n;;\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		rows, err := ReadCSV(bytes.NewReader(raw), CSVLimits{Bytes: 1 << 16, Rows: 100})
		if len(rows) > 100 {
			t.Fatalf("%d rows over the limit", len(rows))
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an error without a text")
		}
		last := 0
		for _, r := range rows {
			if r.Line < last || r.Line < 1 {
				t.Fatalf("line %d after %d", r.Line, last)
			}
			last = r.Line
			if v, err := Normalise(r.Kind, r.Value); err != nil || v != r.Value {
				t.Fatalf("%+v is not normal: %q, %v", r, v, err)
			}
		}
	})
}

func BenchmarkReadCSV(b *testing.B) {
	var in bytes.Buffer
	in.WriteString("type,value,description\n")
	for i := range 10_000 {
		fmt.Fprintf(&in, "domain,d%d.evil.example,C2 number %d\n", i, i)
	}
	b.SetBytes(int64(in.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if rows, err := ReadCSV(bytes.NewReader(in.Bytes()), CSVLimits{}); len(rows) != 10_000 || err != nil {
			b.Fatal(len(rows), err)
		}
	}
}
