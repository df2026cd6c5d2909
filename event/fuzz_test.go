package event

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func sortedCopy(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// seeds adds the samples of all formats.
func seeds(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no samples", err)
	}
	for _, path := range files {
		if data, err := os.ReadFile(path); err == nil && !strings.HasSuffix(path, ".golden") {
			f.Add(data)
		}
	}
}

// FuzzScanner reads any stream: it ends, its indexes rise by one, its values lie in bounds.
func FuzzScanner(f *testing.F) {
	seeds(f)
	f.Add(gzipped(jsonLines(3)))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range []Options{{}, {MaxRecord: 100, chunk: 50}} {
			s, err := Open(bytes.NewReader(data), o)
			if err != nil {
				return
			}
			d := s.NewDecoder()
			var e Event
			next := 0
			for {
				c, err := s.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					continue
				}
				if c.First != next || c.Len() == 0 {
					t.Fatalf("chunk of %d records at %d, want it at %d", c.Len(), c.First, next)
				}
				next += d.Decode(c, &e, func(err *Error) bool {
					if err == nil && (e.Source == nil || e.Mapping == nil) {
						t.Fatal("an event without a source or a mapping")
					}
					e.Time()
					return true
				})
			}
			if s.Bytes() > int64(len(data))*2000+1<<20 {
				t.Fatalf("%d bytes out of %d", s.Bytes(), len(data))
			}
		}
	})
}

// FuzzJSON holds the walk of JSON against encoding/json: what that takes for an object is read.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1,"b":[{"c":"\u00e9\\"}],"d":{"e":null}}`, `{"a":"x`, `{"a":[1,2,`, `{"\"":true}`} {
		f.Add([]byte(s))
	}
	r := newJSONReader(cloudTrail)
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.TrimSpace(data)
		var e Event
		e.begin(0, data, &noAlias)
		err := r.read(data, nil, &e)
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) == nil && len(data) > 0 && data[0] == '{' && err != nil && len(e.Fields) < maxFields {
			t.Fatalf("%q: %v", data, err)
		}
		for i := range e.Fields {
			e.Fields[i].Text(nil)
		}
		if end := objectEnd(data, 0); len(data) > 0 && data[0] == '{' && json.Valid(data) && end != len(data) {
			t.Fatalf("%q ends at %d, want %d", data, end, len(data))
		}
	})
}

// FuzzMapping reads any mapping file: an error with words, or a mapping that gives names.
func FuzzMapping(f *testing.F) {
	f.Add(ownMapping)
	for _, name := range Mappings() {
		text, err := mappingFiles.ReadFile("mappings/" + name + ".yml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ReadMapping(strings.NewReader(text))
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		if names := m.Names("winlog.event_data.Image"); names[0] != "winlog.event_data.Image" {
			t.Fatalf("names %v", names)
		}
	})
}

// FuzzTime reads any text as a time.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-03-02T08:15:30.123Z", "1772463600.25", "/Date(1)/", "1e9", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if when := readStamp([]byte(text)); !when.IsZero() && when.Location().String() != "UTC" {
			t.Fatalf("%q is read in %s", text, when.Location())
		}
	})
}
