package event

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// sourcesIn is what a log of JSON says: of each event the source, the mapping and how many fields it has.
func sourcesIn(t *testing.T, log []byte) (all []string) {
	t.Helper()
	s, err := Open(bytes.NewReader(log), Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := s.NewDecoder()
	for {
		c, err := s.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var e Event
		d.Decode(c, &e, func(bad *Error) bool {
			if bad != nil {
				all = append(all, bad.Text) // some of the logs have a line that is cut off
				return true
			}
			all = append(all, fmt.Sprintf("%v %s, %d fields, %s", *e.Source, e.Mapping.Name(), len(e.Fields), e.Time()))
			return true
		})
	}
}

// TestStrays: a record of one kind in the middle of many of another is read as it is read among its own.
func TestStrays(t *testing.T) {
	logs := map[string][]byte{}
	for _, name := range []string{"json/winlogbeat.ndjson", "json/nxlog.ndjson", "json/windows-json.ndjson", "json/evtx_dump.jsonl", "json/m365.ndjson",
		"json/entra-diagnostic.ndjson", "json/cloudtrail-lines.ndjson", "json/ecs.ndjson", "json/ocsf.ndjson", "text/eve.ndjson", "text/zeek.ndjson"} {
		data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		logs[name] = append(bytes.TrimSpace(data), '\n')
	}
	for most, many := range logs {
		for few, stray := range logs {
			log := append(bytes.Repeat(many, 20), stray...)
			log = append(log, many...)
			first, strays := sourcesIn(t, many), sourcesIn(t, stray)
			got := sourcesIn(t, log)
			if want := 21*len(first) + len(strays); len(got) != want {
				t.Errorf("%s among %s: %d events, want %d", few, most, len(got), want)
				continue
			}
			for i, want := range strays {
				if have := got[20*len(first)+i]; have != want {
					t.Errorf("%s among %s, record %d:\n%s, alone\n%s", few, most, i, have, want)
				}
			}
			for i, want := range first {
				if have := got[20*len(first)+len(strays)+i]; have != want {
					t.Errorf("%s behind %s, record %d:\n%s, alone\n%s", most, few, i, have, want)
				}
			}
		}
	}
}
