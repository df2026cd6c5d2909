package lists

import (
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/names"
)

// real reads a list of the real data.
func real(t testing.TB, file string) *List {
	t.Helper()
	l, err := ReadPath(testdata.File(t, "screen", file), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// entry finds an entry by its id.
func entry(t testing.TB, l *List, id string) *Entry {
	t.Helper()
	for i := range l.Parties {
		if l.Parties[i].ID == id {
			return &l.Parties[i]
		}
	}
	t.Fatalf("%s has no entry %s", l.Name, id)
	return nil
}

func TestRealLists(t *testing.T) {
	for _, c := range []struct {
		file, form, date string
		entries, names   int
		types            [4]int // any, person, company, vessel
		note             string
	}{
		{"us_csl.jsonl", "csl-jsonl", "", 25_921, 0, [4]int{6256, 7591, 10206, 1868}, "countries of persons"},
		{"UN_consolidated.xml", "un-xml", "2026-02-27", 1003, 0, [4]int{0, 730, 273, 0}, ""},
		{"uk_sanctions_list_2025-08-11_primary_names.csv", "uk-names-csv", "", 5300, 5302, [4]int{0, 3752, 1087, 461}, "2 skipped: no name"},
		{"us_ofac_2023", "ofac-csv", "", 11443, 0, [4]int{0, 5890, 4575, 978}, "alias file (alt.csv) is missing"},
		{"us_ofac_2023/sdn.csv", "ofac-csv", "", 11443, 0, [4]int{0, 5890, 4575, 978}, "address file (add.csv) is missing"},
	} {
		t.Run(c.file, func(t *testing.T) {
			l := real(t, c.file)
			if l.Form != c.form || c.date != "" && (l.Date != c.date || l.OfFile) || c.date == "" && !l.OfFile || l.Entries != c.entries || len(l.SHA256) != 64 || l.Purpose != Restricted {
				t.Errorf("got form %s, date %q, %d entries, sha %s, purpose %s", l.Form, l.Date, l.Entries, l.SHA256, l.Purpose)
			}
			if c.names > 0 && l.Names != c.names {
				t.Errorf("%d names, want %d", l.Names, c.names)
			}
			var types [4]int
			ids := map[string]bool{}
			for _, e := range l.Parties {
				types[e.Type]++
				ids[e.ID] = true
				if e.Name == "" || e.ID == "" {
					t.Errorf("an entry without name or id: %+v", e)
				}
			}
			if types != c.types {
				t.Errorf("types %v, want %v", types, c.types)
			}
			if len(ids) != c.entries {
				t.Errorf("%d ids for %d entries", len(ids), c.entries)
			}
			if c.note != "" && !slices.ContainsFunc(l.Notes, func(n string) bool { return strings.Contains(n, c.note) }) {
				t.Errorf("no note %q in %q", c.note, l.Notes)
			}
			t.Logf("%s: %d names, title %q, notes %q", l.Name, l.Names, l.Title, l.Notes)
		})
	}
}

func TestRealEntries(t *testing.T) {
	un := real(t, "UN_consolidated.xml")
	e := entry(t, un, "CDi.001")
	if e.Name != "ERIC BADEGE" || e.Type != names.Person || !slices.Equal(e.Births, []string{"1971"}) || !slices.Equal(e.Countries, []string{"RW"}) || e.Listed != "2012-12-31" || e.Changed != "2016-10-13" {
		t.Errorf("%+v", e)
	}
	sdn := real(t, "us_ofac_2023")
	for id, check := range map[string]func(e *Entry) bool{
		"36": func(e *Entry) bool {
			return e.Name == "AEROCARIBBEAN AIRLINES" && e.Type == names.Company && slices.Equal(e.Countries, []string{"CU"})
		},
		"306": func(e *Entry) bool { return len(e.Addresses) == 4 && e.Aliases[0] == Alias{Name: "BNC", Weak: true} },
		"33751": func(e *Entry) bool {
			return e.Type == names.Vessel && slices.Contains(e.Identifiers, Identifier{IDIMO, "9878773", ""}) && slices.Contains(e.Countries, "CN") && strings.Contains(e.Note, "Linked To: FUJIAN")
		},
		"17812": func(e *Entry) bool {
			return e.Births[0] == "1961-07-08" && slices.Contains(e.Identifiers, Identifier{IDNational, "7.617.778", "VE"}) && slices.Contains(e.Identifiers, Identifier{IDPassport, "B0097656", "VE"}) && !strings.Contains(e.Note, "POB") && !strings.Contains(e.Note, "nationality")
		},
		"15771": func(e *Entry) bool { return slices.Equal(e.Programmes, []string{"NPWMD", "DPRK2"}) },
	} {
		if e := entry(t, sdn, id); !check(e) {
			t.Errorf("%+v", e)
		}
	}
}

// TestRealBODS reads the statements of real and example registers.
func TestRealBODS(t *testing.T) {
	for file, want := range map[string]int{"sample_300_statements.json": 0, "plc-entity-statement.json": 1, "fermcat.json": 0, "levent.json": 0} {
		l, err := ReadPath(testdata.File(t, "ownership", "bods04", file), ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if bad := sound(l); bad != "" || l.Form != "bods" || want > 0 && l.Entries != want {
			t.Errorf("%s: %s, form %s, %d entries", file, bad, l.Form, l.Entries)
		}
		t.Logf("%s: %d entries, %d names, %v, first %+v", file, l.Entries, l.Names, l.Notes, l.Parties[0])
	}
}
