package stix_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/stix"
)

func TestMake(t *testing.T) {
	at := time.Date(2024, 3, 5, 6, 7, 8, 123e6, time.UTC)
	o, err := stix.Make("indicator", func(m *stix.Members) {
		m.Set("object_marking_refs", []string{stix.Green.ID()})
		m.Set("labels", []string{"optics"})
		m.Set("pattern", "[file:name = 'a\\'b \"ü\"\n']")
		m.Set("pattern_type", "stix")
		m.Set("valid_from", at)
		m.Set("created", at)
		m.Set("id", "indicator--00000000-0000-4000-8000-000000000001")
		m.Set("name", "")
		m.Set("description", "first")
		m.Set("description", "then")
		m.Set("valid_until", time.Time{})
		m.Set("indicator_types", []string(nil))
		m.Set("confidence", 0)
		m.Set("revoked", false)
		m.Set("external_references", []func(*stix.Members){
			func(m *stix.Members) { m.Set("source_name", "x"); m.Set("url", "https://example.com/?a=<b>&c"[:21]) },
			func(m *stix.Members) {},
		})
		m.Set("x_nothing", map[string]string{"empty": ""})
		m.Set("x_own", func(m *stix.Members) {
			m.Set("a", int64(1))
			m.Set("b", 2.5)
			m.Set("c", map[string]string{"z": "1", "y": "2"})
			m.Set("d", json.RawMessage(` [ 1 ] `))
			m.Set("e", nil)
			m.Set("f", uint64(9))
			m.Set("g", uint32(8))
		})
	})
	want := `{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000001",` +
		`"created":"2024-03-05T06:07:08.123Z","modified":"2024-03-05T06:07:08.123Z","revoked":false,` +
		`"pattern":"[file:name = 'a\\'b \"ü\"\n']","pattern_type":"stix","valid_from":"2024-03-05T06:07:08.123Z",` +
		`"description":"then","x_own":{"a":1,"b":2.5,"c":{"y":"2","z":"1"},"d":[ 1 ],"f":9,"g":8},"labels":["optics"],"confidence":0,` +
		`"external_references":[{"source_name":"x","url":"https://example.com/?"}],` +
		`"object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}`
	if err != nil || string(o.Raw()) != want {
		t.Errorf("got %s, %v\nwant %s", o.Raw(), err, want)
	}
}

func TestMakeIDs(t *testing.T) {
	at := time.Date(2024, 3, 5, 6, 7, 8, 0, time.UTC)
	for typ, set := range map[string]func(*stix.Members){
		"ipv4-addr": func(m *stix.Members) { m.Set("value", "198.51.100.3") },
		"process":   func(m *stix.Members) { m.Set("pid", 5) },
		"file":      func(m *stix.Members) { m.Set("name", "x"); m.Set("size", 5) },
		"identity":  func(m *stix.Members) { m.Set("name", "x"); m.Set("created", at) },
		"x-lens": func(m *stix.Members) {
			m.Set("created", at)
			m.Set("extensions", map[string]string(nil))
		},
		"marking-definition": func(m *stix.Members) {
			m.Set("created", at)
			m.Set("definition_type", "statement")
			m.Set("definition", map[string]string{"statement": "x"})
		},
	} {
		o, err := stix.Make(typ, set)
		if err != nil || stix.TypeOf(o.ID) != typ || o.SpecVersion != "2.1" {
			t.Errorf("%s: got %s, %v", typ, o.Raw(), err)
		}
		version := string(o.ID[len(typ)+2+14])
		if want := map[string]string{"ipv4-addr": "5", "file": "5"}[typ]; want != "" && version != want || want == "" && version != "4" {
			t.Errorf("%s: the id %s is of version %s", typ, o.ID, version)
		}
	}
	o, err := stix.Make("ipv4-addr", func(m *stix.Members) { m.Set("value", "198.51.100.3") })
	if want := "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"; err != nil || o.ID != want {
		t.Errorf("got %s, %v; want %s", o.ID, err, want)
	}
}

func TestMakeRefuses(t *testing.T) {
	for name, v := range map[string]struct {
		typ  string
		set  func(*stix.Members)
		text string
	}{
		"what is wrong":    {"identity", func(m *stix.Members) {}, "created: is required"},
		"no type":          {"", func(m *stix.Members) {}, "type: is required"},
		"another Go type":  {"url", func(m *stix.Members) { m.Set("value", struct{}{}) }, "value: cannot be written from a struct {}"},
		"bad UTF-8":        {"url", func(m *stix.Members) { m.Set("value", "\xff") }, "value: is not valid UTF-8"},
		"a bad name":       {"url", func(m *stix.Members) { m.Set("\xff", "x") }, "is not valid UTF-8"},
		"bad JSON":         {"url", func(m *stix.Members) { m.Set("value", json.RawMessage(`{"a":1,"a":2}`)) }, "is given twice"},
		"infinity":         {"location", func(m *stix.Members) { m.Set("latitude", math.Inf(1)) }, "latitude: is +Inf"},
		"the year 10000":   {"identity", func(m *stix.Members) { m.Set("created", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)) }, "years 0 to 9999"},
		"a wrong list":     {"url", func(m *stix.Members) { m.Set("x_own", []string{"a", "\xff"}) }, "x_own: is not valid UTF-8"},
		"a wrong inside":   {"url", func(m *stix.Members) { m.Set("x_own", func(m *stix.Members) { m.Set("deep", 'x'); m.Set("y", 1) }) }, "x_own.deep: cannot be written from a int32"},
		"another's number": {"autonomous-system", func(m *stix.Members) { m.Set("number", json.RawMessage("1e400")) }, "1e400"},
		"an object of wrong": {"url", func(m *stix.Members) {
			m.Set("value", "https://example.com")
			m.Set("type", "campaign")
			m.Set("id", "x")
		}, "id: is not an identifier"},
	} {
		o, err := stix.Make(v.typ, v.set)
		if err == nil || !strings.Contains(err.Error(), v.text) {
			t.Errorf("%s: got %s, %v; want %s", name, o.Raw(), err, v.text)
		}
	}
}

func TestMembersHas(t *testing.T) {
	_, err := stix.Make("url", func(m *stix.Members) {
		m.Set("value", "https://example.com")
		if !m.Has("value") || m.Has("x_own") || !m.Has("type") {
			t.Error("Has does not know what is set")
		}
	})
	if err != nil {
		t.Error(err)
	}
}
