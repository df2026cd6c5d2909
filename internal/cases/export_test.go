package cases

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

var exportUpdate = flag.Bool("update-exports", false, "write the golden files of exports anew")

// exportSample is a case with one of everything, in words of our own.
func exportSample(format Format) *exportCase {
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 30, 0, 0, time.UTC) }
	item := func(n int, kind ItemKind, level stix.Marking, title, text string) Item {
		return Item{ID: fmt.Sprintf("item-%02d", n), Kind: kind, Level: level, Title: title, Text: text, At: at(10+n%10, n%20), Made: at(12, 8), MadeBy: "p1", Changed: at(12, 9), By: "p1", Version: 1}
	}
	seen := func(n int, level stix.Marking, kind indicator.Kind, value string, bad bool) Item {
		it := item(n, ItemObservable, level, "", "")
		it.Observable = &Observable{Type: kind, Value: value, First: at(9, 7), Last: at(11, 18), Bad: bad}
		return it
	}
	entry := item(1, ItemEntry, stix.Amber, "A message with a drawing", "It came to **three** people.\nOne opened it.")
	entry.Weighs = true
	task := item(2, ItemTask, stix.AmberStrict, "Change the pass codes", "")
	task.Task = &Task{Owner: "p2", Done: at(13, 10)}
	open := item(3, ItemTask, stix.Amber, "Ask the supplier", "By telephone")
	open.Task = &Task{Owner: "stranger"}
	decision := item(4, ItemDecision, stix.Amber, "Take the server off the network", "")
	decision.Decision = &Decision{Reason: "Files were still going out.", Person: "p2"}
	evidence := item(5, ItemEvidence, stix.AmberStrict, "Disk of the design server", "Sealed bag 7")
	evidence.Evidence = &Evidence{Name: "disk.img", Size: 4096, SHA256: strings.Repeat("ab", 32), Where: "safe, room 2", Custody: []Custody{
		{at(12, 10), "p1", "collected", "", "found running"}, {at(12, 15), "stranger", "handed over", "laboratory", "to be read"}}}
	note := item(6, ItemNote, stix.Green, "How they look", "They speak of a joint venture. Вопросы о линзах. 北京")
	c := &exportCase{
		View: CaseView{Case: Case{ID: "case--6f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b", Org: "identity--0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", Title: "Drawings of the lens holder left the house", Summary: "A message let somebody in, and drawings went out for two days.",
			Kind: KindIncident, Roads: []Road{RoadCyber, RoadInsider}, Class: "information-content-security/data-leak", Severity: SeverityHigh, Status: StatusContained, Level: stix.Amber, Aware: at(12, 7), Occurred: at(9, 7), Ended: at(13, 7),
			Noticed: "Tuesday morning", Sector: "manufacturing", Countries: []string{"NL", "DE"}, Crosses: true, Opened: at(12, 8), OpenedBy: "p1", Changed: at(13, 11), Version: 3}, OrgName: "Lenswerk"},
		Items: []Item{entry, task, open, decision, evidence, note, seen(7, stix.Green, indicator.Domain, "drawings.example", true), seen(8, stix.Green, indicator.IPv4, "198.51.100.7", true), seen(9, stix.Amber, indicator.SHA256, strings.Repeat("ab", 32), false),
			seen(10, stix.Green, indicator.URL, "https://drawings.example/a?b=1", true), seen(11, stix.Amber, indicator.CVE, "CVE-2024-12345", true), seen(12, stix.Amber, indicator.ASN, "AS64500", false), seen(13, stix.Amber, indicator.JA3, strings.Repeat("cd", 16), true)},
		Members: []Member{{Person: "p1", Name: "Ada de Wit", Part: PartLead, Ceiling: stix.Red}, {Person: "p2", Name: "Bo Smit", Part: PartWork, Ceiling: stix.Amber}, {Person: "stranger", Name: "Somebody Else", Part: PartRead}, {Org: "identity--x", Name: "Hub", Part: PartRead, Ceiling: stix.Green}},
		Damage: &DamageView{Damage: Damage{Taken: TakenSome, Jewels: []string{"j1"}, What: "Two drawings of the holder.", Partners: []string{"Glasbouw"}, Products: []string{"Holder 3"}, Platforms: []string{"Scanner X"}, Told: []string{"Glasbouw"}, Measures: "New pass codes.", Assessed: at(14, 9), AssessedBy: "p1", Level: stix.AmberStrict},
			Touched: []Jewel{{ID: "j1", Name: "Lens holder"}}, Signed: true},
		Deadlines: []exportDeadline{{Regulation: "NIS2 (Cbw)", What: "early warning", Recipient: "CSIRT", State: "sent", Source: "art. 23(4)(a)", Due: at(13, 7), Sent: at(12, 20)}, {Regulation: "NIS2 (Cbw)", What: "on request", State: "waits"}},
		Names:     map[polder.PersonID]string{"p1": "Ada de Wit", "p2": "Bo Smit", "stranger": ""},
		Org:       polder.Org{ID: "identity--0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", Name: "Lenswerk", Country: "nl", Created: at(1, 1)}, By: "Ada de Wit", Made: at(20, 9),
		Ask: ExportAsk{Format: format, Ceiling: stix.AmberStrict, PAP: stix.PAPAmber},
	}
	c.narrow()
	if format != FormatCSV {
		c.Level = max(c.Level, c.Damage.Level)
	}
	return c
}

// golden holds a file against the one that was looked at.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "export", name)
	if *exportUpdate {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what it was; look at it, and run the test with -update-exports where the new one is right\n%s", name, got)
	}
}

func exported(t *testing.T, b []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestExportGolden: each form of a file is what somebody has looked at.
func TestExportGolden(t *testing.T) {
	b, err := exportIndented(verisOf(exportSample(FormatVERIS)))
	golden(t, "veris.json", exported(t, b, err))
	b, err = exportIndented(rsitOf(exportSample(FormatRSIT)))
	golden(t, "rsit.json", exported(t, b, err))
	b, err = exportIndented(exportWhole(exportSample(FormatJSON)))
	golden(t, "whole.json", exported(t, b, err))
	for _, table := range []string{"", tableTimeline, tableObservables, tableRSIT} {
		c := exportSample(FormatCSV)
		c.Ask.Table = table
		c.narrow()
		b, err := exportCSV(c)
		golden(t, "table"+table+".csv", exported(t, b, err))
	}
	c := exportSample(FormatCSV)
	c.Ask.Table = "people"
	if _, err := exportCSV(c); polder.KindOf(err) != polder.Invalid {
		t.Errorf("a table that is none: %v", err)
	}
}

// taxonomy are the values of a MISP taxonomy, by predicate.
func taxonomy(t *testing.T, name string) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata.Dir(t), "taxonomies", name))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Values []struct {
			Predicate string
			Entry     []struct{ Value string }
		}
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, v := range all.Values {
		for _, e := range v.Entry {
			out[v.Predicate] = append(out[v.Predicate], e.Value)
		}
	}
	return out
}

// TestExportRSITClasses: our table of the taxonomy is the published one, so no class of a file is outside of it.
func TestExportRSITClasses(t *testing.T) {
	published := taxonomy(t, "rsit.json")
	if len(published) != len(rsitClasses) {
		t.Errorf("%d classifications, published are %d", len(rsitClasses), len(published))
	}
	for class, kinds := range published {
		if !slices.Equal(slices.Sorted(slices.Values(kinds)), slices.Sorted(slices.Values(rsitClasses[class]))) {
			t.Errorf("%s: %v, published are %v", class, rsitClasses[class], kinds)
		}
	}
	for in, want := range map[string]string{"fraud/phishing": "fraud/phishing", "": "other/undetermined", "fraud": "other/undetermined", "fraud/dos": "other/undetermined", "Fraud/Phishing/x": "other/undetermined"} {
		if class, kind := rsitSplit(in); class+"/"+kind != want {
			t.Errorf("%q is %s/%s, want %s", in, class, kind, want)
		}
	}
}

// verisFree are the properties of an incident that hold no word of the vocabulary.
var verisFree = []string{"schema_version", "incident_id", "source_id", "summary", "victim_id", "industry", "notes", "indicator", "comment", "time"}

// verisWords walks an incident and gives every word with the predicate that it must be of.
func verisWords(at string, v any, each func(predicate, word string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, in := range v {
			if k == "plus" || slices.Contains(verisFree, k) {
				continue
			}
			path := strings.TrimPrefix(at+":"+k, ":")
			verisWords(path, in, each)
		}
	case []any:
		for _, in := range v {
			verisWords(at, in, each)
		}
	case string:
		each(at, v)
	}
}

// TestExportVERISWords: whatever a case is, each word of its VERIS incident is of the published vocabulary, and what the
// schema asks for is there.
func TestExportVERISWords(t *testing.T) {
	vocabulary := taxonomy(t, "veris.json")
	classes := []string{"", "nonsense"}
	for class, kinds := range rsitClasses {
		for _, k := range kinds {
			classes = append(classes, class+"/"+k)
		}
	}
	roads := [][]Road{nil, {RoadCyber}, {RoadInsider}, {RoadAcquisition}, {RoadExport}, {RoadResearch}, {RoadUnknown}, {RoadCyber, RoadInsider, RoadResearch}}
	words := 0
	check := func(c *exportCase) {
		raw, err := exportIndented(verisOf(c))
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		for _, must := range []string{"actor", "action", "discovery_method", "schema_version", "asset", "timeline", "attribute", "incident_id", "security_incident", "victim"} {
			if v[must] == nil {
				t.Errorf("%s is missing", must)
			}
		}
		verisWords("", v, func(predicate, word string) {
			words++
			if !slices.Contains(vocabulary[predicate], word) {
				t.Errorf("%s: %q is no word of it (%s, %v)", predicate, word, c.View.Class, c.View.Roads)
			}
		})
		for name, a := range verisOf(c).Action {
			if name != "unknown" && (len(a.Variety) == 0 || len(a.Vector) == 0 || name == "social" && len(a.Target) == 0) {
				t.Errorf("the action %s lacks what the schema asks for: %+v", name, a)
			}
		}
	}
	for _, class := range classes {
		for _, r := range roads {
			for n, kind := range []Kind{KindIncident, KindNearMiss, KindApproach, KindSuspicion, ""} {
				c := exportSample(FormatVERIS)
				c.View.Class, c.View.Roads, c.View.Kind = class, r, kind
				c.View.Severity = []Severity{SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical, ""}[n]
				c.View.Status = []Status{StatusOpen, StatusContained, StatusClosed, "", StatusOpen}[n]
				c.Damage.Taken = []Taken{TakenNothing, TakenMaybe, TakenSome, TakenAll, ""}[n]
				if n == 4 {
					c.Damage, c.View.Occurred, c.View.Ended, c.Org.Country = nil, time.Time{}, time.Time{}, ""
				}
				check(c)
			}
		}
	}
	if words < 5000 {
		t.Errorf("only %d words were looked at", words)
	}
}

func TestExportVERISSpans(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		unit string
		n    int
	}{{-time.Hour, "NA", 0}, {0, "NA", 0}, {time.Second, "Seconds", 1}, {90 * time.Second, "Minutes", 1}, {25 * time.Hour, "Days", 1}, {15 * 24 * time.Hour, "Weeks", 2}, {70 * 24 * time.Hour, "Months", 2}, {800 * 24 * time.Hour, "Years", 2}} {
		if got := verisSpanOf(c.d); got.Unit != c.unit || got.Value != c.n {
			t.Errorf("%v is %+v, want %d %s", c.d, *got, c.n, c.unit)
		}
	}
}

// TestS14ExportTables: whatever a value holds, a table has one line for each thing when another program reads it, and no
// cell that a spreadsheet runs.
func TestS14ExportTables(t *testing.T) {
	hostile := []string{"=cmd|' /C calc'!A1", "+1", "-1+2", "@SUM(A1)", "\tx", "\rx", "a\nb", "a\r\nb;c,\"d\"", "nul\x00nul", "\xff\xfe", "\u202eabc"}
	for _, table := range []string{"", tableTimeline, tableObservables, tableRSIT} {
		c := exportSample(FormatCSV)
		c.Ask.Table = table
		c.View.Title = hostile[0]
		c.Items = nil
		for n, h := range hostile {
			it := Item{ID: fmt.Sprint(n), Kind: ItemObservable, Level: stix.Green, Title: h, Text: h, Observable: &Observable{Type: indicator.Mutex, Value: h}}
			if table == tableTimeline {
				it.Kind, it.Observable, it.Decision = ItemDecision, nil, &Decision{Reason: h}
			}
			c.Items = append(c.Items, it)
		}
		b, err := exportCSV(c)
		exported(t, b, err)
		rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", table, err)
		}
		want := len(hostile) + 1
		if table == tableRSIT {
			want = 2
		}
		if len(rows) != want {
			t.Errorf("%q: %d lines, want %d", table, len(rows), want)
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") || strings.ContainsAny(cell, "\x00\r") {
					t.Errorf("%q: the cell %q would run, or breaks a line", table, cell)
				}
			}
		}
	}
}

// exportPrints tells whether a document that is not compressed prints a text.
func exportPrints(pdf []byte, text string) bool {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		for _, c := range []byte{byte(u >> 8), byte(u)} {
			if c == '(' || c == ')' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c)
		}
	}
	return bytes.Contains(pdf, b)
}

func exportDocumentOf(t *testing.T, c *exportCase) []byte {
	t.Helper()
	w, err := newExportWriter(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Uncompressed()
	w.all()
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestExportPDF: the document says everything that it should in both languages, names nobody of another organisation,
// and writes values so that nobody follows them.
func TestExportPDF(t *testing.T) {
	for lang, words := range map[string][]string{
		"en": {"What happened", "Decisions", "Because: Files were still going out.", "What the law asks, and until when", "early warning", "sent 2026-11-12", "Something was taken.", "Evidence", "somebody of another", "page 1 of "},
		"nl": {"Wat er gebeurde", "Besluiten", "Omdat: Files were still going out.", "Wat de wet vraagt, en tot wanneer", "verzonden", "Er is iets meegenomen.", "Bewijs", "iemand van een andere", "pagina 1 van "},
	} {
		c := exportSample(FormatPDF)
		c.Ask.Language = lang
		pdf := exportDocumentOf(t, c)
		for _, want := range append(words, "Drawings of the lens holder left the house", "drawings[.]example", "198[.]51[.]100[.]7", "SHA-256 "+strings.Repeat("ab", 32), "Ada de Wit", "Bo Smit", "Hub", "Lens holder", "Glasbouw", "TLP:AMBER+STRICT", "PAP:AMBER", "Вопросы", "[beijing]") {
			if !exportPrints(pdf, want) {
				t.Errorf("%s: %q is not in the document", lang, want)
			}
		}
		for _, never := range []string{"Somebody Else", "drawings.example", "https://", "stranger", "cases.export."} {
			if exportPrints(pdf, never) {
				t.Errorf("%s: %q is in the document", lang, never)
			}
		}
	}
	c := exportSample(FormatPDF)
	c.Ask.Language = "xx"
	if _, err := exportPDF(c); polder.KindOf(err) != polder.Invalid {
		t.Errorf("a language that is none: %v", err)
	}
	bare := &exportCase{View: CaseView{Case: Case{Title: "Bare", Level: stix.Green}}, Level: stix.Green, Ask: ExportAsk{Format: FormatPDF}}
	if b, err := exportPDF(bare); err != nil || !bytes.HasPrefix(b, []byte("%PDF-")) {
		t.Errorf("a case without anything: %v", err)
	}
}

// TestExportName: the name of a file says its level and nothing of the case.
func TestExportName(t *testing.T) {
	for format, want := range map[Format]string{FormatPDF: "case-6f1d2c3b-tlp-amber-strict.pdf", FormatVERIS: "case-6f1d2c3b-tlp-amber-strict-veris.json", FormatJSON: "case-6f1d2c3b-tlp-amber-strict.json"} {
		if got := exportName(exportSample(format)); got != want {
			t.Errorf("%s: %s, want %s", format, got, want)
		}
	}
	c := exportSample(FormatCSV)
	c.Ask.Table, c.Level = tableObservables, stix.Green
	if got := exportName(c); got != "case-6f1d2c3b-tlp-green-observables.csv" {
		t.Errorf("table: %s", got)
	}
}
