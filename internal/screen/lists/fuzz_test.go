package lists

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
)

// fuzzForm feeds a reader with changed samples. Whatever comes, it is an error of the caller's with the file's name, or a
// sound list that is kept on disk without loss.
func fuzzForm(f *testing.F, form string, files ...string) {
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join("testdata", "forms", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Read("fuzz", bytes.NewReader(data), ReadOptions{Form: form, MaxBytes: 8 << 20})
		if err != nil {
			if k := polder.KindOf(err); !strings.HasPrefix(err.Error(), "fuzz") || k != polder.Invalid && k != polder.TooLarge {
				t.Fatalf("%v (%v)", err, k)
			}
			return
		}
		if bad := sound(l); bad != "" {
			t.Fatal(bad)
		}
		kept(t, l)
	})
}

// kept writes a list, reads it back and wants the same.
func kept(t interface {
	Helper()
	Fatalf(string, ...any)
}, l *List) {
	t.Helper()
	var out bytes.Buffer
	if err := WriteJSONL(&out, l); err != nil {
		t.Fatalf("write: %v", err)
	}
	back, err := ReadJSONL("kept", &out)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if !reflect.DeepEqual(back, l) {
		t.Fatalf("read back\n%+v\nwant\n%+v", back, l)
	}
}

func FuzzReadCSLLines(f *testing.F)     { fuzzForm(f, "csl-jsonl", "csl-jsonl.jsonl") }
func FuzzReadCSLJSON(f *testing.F)      { fuzzForm(f, "csl-json", "csl-json.json") }
func FuzzReadCSLCSV(f *testing.F)       { fuzzForm(f, "csl-csv", "csl-csv.csv") }
func FuzzReadOFACCSV(f *testing.F)      { fuzzForm(f, "ofac-csv", "ofac/sdn.csv") }
func FuzzReadOFACXML(f *testing.F)      { fuzzForm(f, "ofac-xml", "ofac-xml.xml") }
func FuzzReadOFACAdvanced(f *testing.F) { fuzzForm(f, "ofac-advanced-xml", "ofac-advanced-xml.xml") }
func FuzzReadEUXML(f *testing.F)        { fuzzForm(f, "eu-xml", "eu-xml.xml") }
func FuzzReadEUCSV(f *testing.F)        { fuzzForm(f, "eu-csv", "eu-csv.csv") }
func FuzzReadUKCSV(f *testing.F)        { fuzzForm(f, "uk-csv", "uk-csv.csv") }
func FuzzReadUKNames(f *testing.F)      { fuzzForm(f, "uk-names-csv", "uk-names-csv.csv") }
func FuzzReadUKXML(f *testing.F)        { fuzzForm(f, "uk-xml", "uk-xml.xml") }
func FuzzReadOFSI(f *testing.F)         { fuzzForm(f, "ofsi-csv", "ofsi-csv.csv") }
func FuzzReadUN(f *testing.F)           { fuzzForm(f, "un-xml", "un-xml.xml") }
func FuzzReadFTM(f *testing.F)          { fuzzForm(f, "ftm", "ftm.jsonl") }
func FuzzReadTargets(f *testing.F)      { fuzzForm(f, "opensanctions-csv", "opensanctions-csv.csv") }
func FuzzReadBODS(f *testing.F)         { fuzzForm(f, "bods", "bods.json", "bods-0.3.jsonl") }
func FuzzReadTable(f *testing.F)        { fuzzForm(f, "table", "table.csv", "names.txt") }

// FuzzRead leaves the form to be recognised.
func FuzzRead(f *testing.F) {
	var files []string
	for _, g := range golden {
		if strings.Contains(g.file, ".") {
			files = append(files, g.file)
		}
	}
	fuzzForm(f, "", files...)
}

// FuzzReadMapped reads a table by any mapping.
func FuzzReadMapped(f *testing.F) {
	yml, err := os.ReadFile(filepath.Join("testdata", "forms", "mapped.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join("testdata", "forms", "mapped.csv"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(yml, table)
	f.Add([]byte("columns: {name: 1}\nheader: 0\n"), []byte("A B,2\n"))
	f.Fuzz(func(t *testing.T, yml, table []byte) {
		m, err := ParseMapping("fuzz", yml)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz") {
				t.Fatal(err)
			}
			return
		}
		l, err := Read("fuzz", bytes.NewReader(table), ReadOptions{Mapping: m, MaxBytes: 8 << 20})
		if err == nil {
			if bad := sound(l); bad != "" {
				t.Fatal(bad)
			}
		}
	})
}

// FuzzReadJSONL reads what may lie on the disk instead of a kept list.
func FuzzReadJSONL(f *testing.F) {
	l, err := sample(f, "eu-xml.xml")
	if err != nil {
		f.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteJSONL(&out, l); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if l, err := ReadJSONL("fuzz", bytes.NewReader(data)); err == nil && l.Entries != len(l.Parties) {
			t.Fatalf("%d entries, said to be %d", len(l.Parties), l.Entries)
		}
	})
}

// FuzzRemarks takes remarks of OFAC apart.
func FuzzRemarks(f *testing.F) {
	f.Add("DOB 08 Jul 1961; POB Venezuela; Passport B0097656 (Venezuela); a.k.a. 'BNC'; Linked To: X.")
	f.Fuzz(func(t *testing.T, s string) {
		r := parseRemarks(s)
		for _, d := range r.births {
			if !validBirth(d) {
				t.Fatalf("%q gave the date of birth %q", s, d)
			}
		}
		for _, p := range r.rest {
			if strings.HasPrefix(p, "POB ") || strings.HasPrefix(p, "nationality ") {
				t.Fatalf("%q kept %q", s, p)
			}
		}
	})
}
