package lists

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

var update = flag.Bool("update", false, "write what was read as the expected output")

// golden are the small samples of each form, with invented parties, written after the published schemas.
var golden = []struct{ file, form string }{
	{"csl-jsonl.jsonl", "csl-jsonl"}, {"csl-json.json", "csl-json"}, {"csl-csv.csv", "csl-csv"}, {"ofac", "ofac-csv"}, {"ofac/sdn.csv", "ofac-csv"},
	{"ofac-xml.xml", "ofac-xml"}, {"ofac-advanced-xml.xml", "ofac-advanced-xml"}, {"eu-xml.xml", "eu-xml"}, {"eu-csv.csv", "eu-csv"}, {"uk-csv.csv", "uk-csv"},
	{"ofsi-csv.csv", "ofsi-csv"}, {"uk-xml.xml", "uk-xml"}, {"uk-names-csv.csv", "uk-names-csv"}, {"un-xml.xml", "un-xml"}, {"table.csv", "table"},
	{"mapped.csv", "table"}, {"names.txt", "names"}, {"ftm.jsonl", "ftm"}, {"opensanctions-csv.csv", "opensanctions-csv"}, {"bods.json", "bods"}, {"bods-0.3.jsonl", "bods"},
}

// sample reads one of the samples, with the mapping of the same name if there is one.
func sample(t testing.TB, file string) (*List, error) {
	t.Helper()
	path := filepath.Join("testdata", "forms", filepath.FromSlash(file))
	var o ReadOptions
	if yml, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".yaml"); err == nil {
		if o.Mapping, err = ParseMapping("mapped.yaml", yml); err != nil {
			t.Fatal(err)
		}
	}
	return ReadPath(path, o)
}

// TestForms reads a sample of each form, recognised from its content alone, and compares every field with the golden file.
func TestForms(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range golden {
		covered[c.form] = true
		t.Run(strings.ReplaceAll(c.file, "/", "-"), func(t *testing.T) {
			l, err := sample(t, c.file)
			if err != nil {
				t.Fatal(err)
			}
			if l.Form != c.form {
				t.Errorf("recognised as %s, want %s", l.Form, c.form)
			}
			if l.OfFile { // the day on which the sample was checked out
				l.Date, l.OfFile, l.Notes = "", false, l.Notes[:len(l.Notes)-1]
			}
			if len(l.Notes) == 0 {
				l.Notes = nil
			}
			got := dump(t, l)
			path := filepath.Join("testdata", "forms", strings.ReplaceAll(c.file, "/", "-")+".golden")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	for _, f := range Forms() {
		if !covered[f[0]] {
			t.Errorf("the form %s has no sample", f[0])
		}
	}
}

// dump is a list as golden files hold it: the list's own words, then an entry a line.
func dump(t *testing.T, l *List) []byte {
	t.Helper()
	var out bytes.Buffer
	meta := l.Meta
	meta.SHA256 = "" // of a file whose line ends the checkout may change
	line := func(v any) {
		if err := json.MarshalWrite(&out, v, json.Deterministic(true)); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	line(meta)
	for i := range l.Parties {
		line(&l.Parties[i])
	}
	return out.Bytes()
}

// TestNothingOfBirth (DESIGN: people are judged by nothing they were born with): of the samples that say where Orla
// Springwell was born and what her nationality is, nothing is kept.
func TestNothingOfBirth(t *testing.T) {
	for _, c := range golden {
		l, err := sample(t, c.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Parties {
			text := string(dump(t, &List{Parties: []Entry{e}}))
			for _, word := range []string{"Cork", "emale", "ationality", "Gender"} {
				if strings.Contains(text, word) {
					t.Errorf("%s: %q is kept: %s", c.file, word, text)
				}
			}
			for _, country := range e.Countries {
				if country == "IE" {
					t.Errorf("%s: the country of a nationality is kept: %s", c.file, text)
				}
			}
		}
	}
}
