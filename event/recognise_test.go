package event

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// samples are the formats of the files in testdata/json.
var samples = map[string]Format{
	"winlogbeat.ndjson": Winlogbeat, "winlogbeat-old.ndjson": Winlogbeat, "kibana.ndjson": Winlogbeat,
	"get-winevent.json": WindowsJSON, "nxlog.ndjson": NXLog, "windows-json.ndjson": WindowsJSON,
	"evtx_dump.jsonl": EvtxDump, "evtx_dump-pretty.json": EvtxDump,
	"m365.ndjson": M365, "m365-export.json": M365, "m365-table-json.csv": M365,
	"entra-graph.json": Entra, "entra-diagnostic.ndjson": Entra,
	"cloudtrail.json": CloudTrail, "cloudtrail-lines.ndjson": CloudTrail,
	"ecs.ndjson": JSON, "ocsf.ndjson": JSON, "explicit.ndjson": JSON, "any.json": JSON, "mixed.ndjson": JSON, "broken.ndjson": JSON,
}

func TestRecognition(t *testing.T) {
	for file, want := range samples {
		data, err := os.ReadFile(filepath.Join("testdata", "json", file))
		if err != nil {
			t.Fatal(err)
		}
		for why, sample := range map[string][]byte{
			"as it is":              data,
			"compressed":            gzipped(data),
			"with CRLF":             bytes.ReplaceAll(data, []byte{'\n'}, []byte("\r\n")),
			"after empty lines":     append([]byte("\n \n"), data...),
			"without its last byte": data[:len(data)-1],
			"in UTF-16":             inUTF16(string(data), true, true),
		} {
			s, err := Open(bytes.NewReader(sample), Options{})
			if err != nil {
				t.Errorf("%s %s: %v", file, why, err)
			} else if s.Format() != want {
				t.Errorf("%s %s is taken for %s", file, why, s.Format())
			}
		}
	}
}

// A log that was cut off in front, as rotation leaves it, is recognised by what follows.
func TestRecogniseBegunAmid(t *testing.T) {
	line := `{"winlog":{"channel":"Security","event_id":4624},"@timestamp":"2026-03-02T08:15:31Z"}` + "\n"
	events, errs, s := readAll(t, strings.NewReader(`ame":"x"}}`+"\n"+line+line), Options{})
	if s.Format() != Winlogbeat || len(events) != 2 || len(errs) != 1 || events[0].Index != 1 {
		t.Errorf("%s, %d events, %v", s.Format(), len(events), errs)
	}
	if s, err := Open(strings.NewReader("body\n{ color: red }\n"), Options{}); err == nil {
		t.Errorf("a style sheet is taken for %s", s.Format())
	}
}

// A first record that is longer than what recognition looks at is recognised by its beginning.
func TestRecogniseLongFirstRecord(t *testing.T) {
	long := `{"Channel":"Security","EventID":4688,"Computer":"x","Message":"` + strings.Repeat("m", 2*headBytes) + `"}`
	events, errs, s := readAll(t, strings.NewReader(long+"\n"+long+"\n"), Options{})
	if s.Format() != WindowsJSON || len(events) != 2 || len(errs) != 0 {
		t.Errorf("%s, %d events, %v", s.Format(), len(events), errs)
	}
	list := `{"Records":[{"eventVersion":"1","eventSource":"a","eventName":"b","awsRegion":"c","requestParameters":{"x":"` + strings.Repeat("m", 2*headBytes) + `"}},{"eventName":"d"}]}`
	events, errs, s = readAll(t, strings.NewReader(list), Options{})
	if s.Format() != CloudTrail || len(events) != 2 || len(errs) != 0 {
		t.Errorf("%s, %d events, %v", s.Format(), len(events), errs)
	}
}

func TestParseFormat(t *testing.T) {
	seen := map[Format]bool{}
	for _, f := range Formats() {
		if got, err := ParseFormat(" " + strings.ToUpper(string(f))); err != nil || got != f || seen[f] {
			t.Errorf("%s: %s, %v", f, got, err)
		}
		seen[f] = true
	}
	for _, f := range []Format{EVTX, Winlogbeat, NXLog, EvtxDump, WindowsJSON, Wevtutil, M365, Entra, ZeekTSV, ZeekJSON, EVE, CloudTrail, Auditd, CEF, Syslog, FirewallCSV, JSON, CSV} {
		if !seen[f] {
			t.Errorf("%s is not in the list", f)
		}
	}
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), "there are evtx, winlogbeat") {
		t.Errorf("an unknown format: %v", err)
	}
}
