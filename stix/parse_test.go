package stix_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

// campaign is a small sound object; the argument stands before its last brace.
func campaign(more string) string {
	return `{"type":"campaign","spec_version":"2.1","id":"campaign--00000000-0000-4000-8000-000000000001",` +
		`"created":"2024-03-05T06:07:08.123Z","modified":"2024-03-05T06:07:08.123Z","name":"Tulip"` + more + `}`
}

// TestStrictJSON is S24, S40 and S41 of the threat notes where they concern JSON.
func TestStrictJSON(t *testing.T) {
	deep := func(n int) string {
		return campaign(`,"x_deep":` + strings.Repeat(`[`, n) + "1" + strings.Repeat(`]`, n))
	}
	for _, v := range []struct {
		name, raw      string
		property, text string // of the error; both "" where it is taken
		line           int
	}{
		{name: "plain", raw: campaign("")},
		{name: "white space around", raw: " \n\t" + campaign("") + "\r\n"},
		{name: "escapes", raw: campaign(`,"description":"a\u0000\ud83d\ude00\"\/é"`)},
		{name: "unknown properties", raw: campaign(`,"x_own":{"Deep":[{"null":false}]}`)},
		{name: "nothing", raw: "", text: "is empty", line: 1},
		{name: "white space", raw: " \n", text: "is empty", line: 1},
		{name: "null", raw: "null", text: "must be an object", line: 1},
		{name: "a list", raw: "[" + campaign("") + "]", text: "must be an object", line: 1},
		{name: "an empty object", raw: "\n{}", text: "must not be empty", line: 2},
		{name: "a name twice", raw: campaign(",\n" + `"name":"Rose"`), property: "name", text: "is given twice", line: 2},
		{name: "a name twice, once escaped", raw: campaign(`,"n\u0061me":"Rose"`), property: "name", text: "is given twice", line: 1},
		{name: "a name twice within", raw: campaign(`,"x_own":[{"a":1,"a":1}]`), property: "x_own[0].a", text: "is given twice", line: 1},
		{name: "case variants", raw: campaign(`,"NAME":"Rose"`), property: "NAME", text: "is not the name of a property", line: 1},
		{name: "bad UTF-8", raw: campaign(`,"description":"` + "\xff" + `"`), property: "description", text: "UTF-8", line: 1},
		{name: "overlong UTF-8", raw: campaign(`,"description":"` + "\xc0\xaf" + `"`), property: "description", text: "UTF-8", line: 1},
		{name: "a surrogate in UTF-8", raw: campaign(`,"description":"` + "\xed\xa0\x80" + `"`), property: "description", text: "UTF-8", line: 1},
		{name: "a lone surrogate", raw: campaign(`,"description":"\ud800"`), property: "description", text: "is not JSON", line: 1},
		{name: "surrogates the wrong way", raw: campaign(`,"description":"\udc00\ud800"`), property: "description", text: "is not JSON", line: 1},
		{name: "a control character", raw: campaign(`,"description":"a` + "\n" + `b"`), property: "description", text: "is not JSON", line: 1},
		{name: "an object behind", raw: campaign("") + "\n" + campaign(""), text: "follows", line: 2},
		{name: "a brace behind", raw: campaign("") + "}", text: "follows", line: 1},
		{name: "a comma too many", raw: campaign(","), text: "is not JSON", line: 1},
		{name: "a comment", raw: campaign(" /* x */"), text: "is not JSON", line: 1},
		{name: "single quotes", raw: campaign(`,'x_a':1`), text: "is not JSON", line: 1},
		{name: "NaN", raw: campaign(`,"x_a":NaN`), property: "x_a", text: "is not JSON", line: 1},
		{name: "a leading zero", raw: campaign(`,"x_a":012`), text: "is not JSON", line: 1},
		{name: "cut off", raw: campaign("")[:60], text: "ends too early", line: 1},
		{name: "a byte order mark", raw: "\ufeff" + campaign(""), text: "is not JSON", line: 1},
		{name: "64 levels", raw: deep(63)},
		{name: "65 levels", raw: deep(64), text: "deeper than 64 levels", line: 1},
		{name: "20,000 levels", raw: deep(20_000), text: "", property: "*", line: 1},
		{name: "the largest integer", raw: campaign(`,"x_a":9007199254740991`)},
		{name: "an integer that no double holds", raw: campaign(`,"x_a":9007199254740993`), text: "is not exact", line: 1},
		{name: "1e400", raw: campaign(",\n" + `"x_a":[1e400]`), text: "beyond double precision", line: 2},
		{name: "a tiny number", raw: campaign(`,"x_a":1e-400`)},
		{name: "too long", raw: campaign(`,"description":"` + strings.Repeat("x", 8<<20) + `"`), text: "at most 8388608 are read", line: 1},
	} {
		_, err := stix.Parse([]byte(v.raw))
		e, _ := err.(*stix.Error)
		switch {
		case v.property == "" && v.text == "" && err != nil:
			t.Errorf("%s: refused: %v", v.name, err)
		case v.property == "" && v.text == "":
		case err == nil:
			t.Errorf("%s: taken", v.name)
		case v.property == "*":
		case !strings.Contains(e.Text, v.text) || v.property != "" && e.Property != v.property || e.Line != v.line:
			t.Errorf("%s: error %+v, want property %q, text %q, line %d", v.name, e, v.property, v.text, v.line)
		}
		if len(fmt.Sprint(err)) > 700 {
			t.Errorf("%s: the error is %d bytes long", v.name, len(fmt.Sprint(err)))
		}
	}
}

func TestBytesAreKept(t *testing.T) {
	raw := " {\n \"name\" : \"T\\u0075lip\",\"x_own\":[1.0, {}],\"type\":\"campaign\", \"spec_version\":\"2.1\"," +
		`"id":"campaign--00000000-0000-4000-8000-00000000000A","created":"2024-03-05T06:07:08Z","modified":"2024-03-05T06:07:08.10Z"} `
	given := []byte(raw)
	o, err := stix.Parse(given)
	if err != nil {
		t.Fatal(err)
	}
	for i := range given {
		given[i] = 'x' // the caller's bytes are the caller's
	}
	o.Raw()[0] = 'x' // and so are those handed out
	if got := string(o.Raw()); got != raw || o.Text() != raw {
		t.Errorf("got %q, want %q", got, raw)
	}
	out, err := json.Marshal(struct{ O stix.Object }{o})
	if err != nil || !strings.Contains(string(out), `"modified":"2024-03-05T06:07:08.10Z"`) {
		t.Errorf("marshalled as %s, %v", out, err)
	}
	if o.Name != "Tulip" || o.ID != "campaign--00000000-0000-4000-8000-00000000000a" || o.Modified.Text != "2024-03-05T06:07:08.10Z" {
		t.Errorf("decoded %+v", o)
	}
	if want := "2024-03-05T06:07:08.100Z"; o.Version() != want {
		t.Errorf("version %q, want %q", o.Version(), want)
	}
	if got := string(o.Property("x_own")); got != "[1.0, {}]" {
		t.Errorf("x_own is %q", got)
	}
	if o.Property("description") != nil {
		t.Error("a property that is absent is there")
	}
}

func TestEnvelope(t *testing.T) {
	o := parse(t, sample(t, "indicator", change{
		"granular_markings": []any{map[string]any{"selectors": []any{"name"}, "lang": "en"}}, "revoked": true,
	}))
	switch {
	case o.Type != "indicator" || o.SpecVersion != "2.1" || o.PatternType != "stix" || o.Pattern != "[ipv4-addr:value = '198.51.100.3']":
		t.Errorf("decoded %+v", o)
	case !o.Created.Time.Equal(time.Date(2024, 3, 5, 6, 7, 8, 123e6, time.UTC)) || o.ValidUntil.Text != late || o.ValidFrom.Text != early:
		t.Errorf("times %v, %v, %v", o.Created, o.ValidFrom, o.ValidUntil)
	case len(o.MarkingRefs) != 1 || len(o.Granular) != 1 || o.Granular[0].Lang != "en" || !o.Revoked || o.Labels[0] != "optics" || o.Lang != "en":
		t.Errorf("marks %v, %v", o.MarkingRefs, o.Granular)
	case o.CreatedByRef != "identity--00000000-0000-4000-8000-00000000feed" || o.IsObservable() || o.IsMarkingFree() || o.IsRelation():
		t.Errorf("decoded %+v", o)
	}
	for typ, is := range map[string]func(stix.Object) bool{
		"url": stix.Object.IsObservable, "sighting": stix.Object.IsRelation, "marking-definition": stix.Object.IsMarkingFree,
		"extension-definition": stix.Object.IsMarkingFree, "language-content": stix.Object.IsMarkingFree,
	} {
		if o := parse(t, sample(t, typ, nil)); !is(o) {
			t.Errorf("%s is not taken for what it is", typ)
		}
	}
	if o := parse(t, sample(t, "url", nil)); o.Version() != "" || o.Value != "https://example.com/research/index.html?a=%20b#c" {
		t.Errorf("url has version %q, value %q", o.Version(), o.Value)
	}
	if o := parse(t, sample(t, "marking-definition", nil)); o.Version() != early {
		t.Errorf("marking-definition has version %q, want created", o.Version())
	}
	var zero stix.Object
	if b, err := json.Marshal(zero); string(b) != "null" || err != nil || zero.Raw() != nil || zero.Text() != "" || zero.Refs() != nil || zero.IsObservable() {
		t.Errorf("the zero Object is %s, %v", b, err)
	}
	if _, err := zero.Digest(); err == nil {
		t.Error("the zero Object has a digest")
	}
}

func parse(t testing.TB, raw []byte) stix.Object {
	t.Helper()
	o, err := stix.Parse(raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return o
}

func TestRefs(t *testing.T) {
	o := parse(t, []byte(`{"type":"sighting","spec_version":"2.1","id":"sighting--00000000-0000-4000-8000-000000000001",`+
		`"created_by_ref":"identity--00000000-0000-4000-8000-000000000002","created":"2024-03-05T06:07:08Z","modified":"2024-03-05T06:07:08Z",`+
		`"sighting_of_ref":"indicator--00000000-0000-4000-8000-00000000000A","where_sighted_refs":["identity--00000000-0000-4000-8000-000000000003",`+
		`"location--00000000-0000-4000-8000-000000000004"],"x_own":[{"x_lens_ref":"x-lens--00000000-0000-4000-8000-000000000005","x_not_ref":"no"}],`+
		`"granular_markings":[{"selectors":["x_own"],"marking_ref":"marking-definition--00000000-0000-4000-8000-000000000006"}]}`))
	want := []stix.Ref{
		{Property: "created_by_ref", ID: "identity--00000000-0000-4000-8000-000000000002"},
		{Property: "sighting_of_ref", ID: "indicator--00000000-0000-4000-8000-00000000000a"},
		{Property: "where_sighted_refs[0]", ID: "identity--00000000-0000-4000-8000-000000000003"},
		{Property: "where_sighted_refs[1]", ID: "location--00000000-0000-4000-8000-000000000004"},
		{Property: "x_own[0].x_lens_ref", ID: "x-lens--00000000-0000-4000-8000-000000000005"},
		{Property: "granular_markings[0].marking_ref", ID: "marking-definition--00000000-0000-4000-8000-000000000006"},
	}
	if got := o.Refs(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestExamples judges everything that OASIS publishes beside its schemas: the examples are sound, and the files of the
// interoperability tests are JSON schemas, no objects.
func TestExamples(t *testing.T) {
	objects := map[string]int{
		"indicator-for-c2-ip-address.json": 1, "indicator-to-campaign-relationship.json": 3, "indicators-for-C2-with-COA.json": 8,
		"infrastructure.json": 10, "interop-objectmarking-test.json": 1, "malicious-email-indicator-with-attachment.json": 6,
		"threat-reports/apt1.json": 76, "threat-reports/poisonivy.json": 155,
	}
	dir := testdata.File(t, "stix-schemas", "examples")
	for name, want := range objects {
		got, errs := readFile(t, filepath.Join(dir, name))
		if got != want || len(errs) > 0 {
			t.Errorf("%s: %d objects taken, want %d; errors %v", name, got, want, errs)
		}
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	below, _ := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if n := len(found) + len(below); n != len(objects) {
		t.Errorf("there are %d examples, and this test knows %d", n, len(objects))
	}
	for _, folder := range []string{"interop", "schemas/*"} {
		paths, _ := filepath.Glob(filepath.Join(dir, "..", folder, "*.json"))
		if len(paths) < 20 {
			t.Errorf("%s holds %d schemas", folder, len(paths))
		}
		for _, path := range paths {
			if got, errs := readFile(t, path); got != 0 || len(errs) != 1 {
				t.Errorf("%s: a JSON schema gave %d objects and %d errors, want 0 and 1", path, got, len(errs))
			}
		}
	}
}

func readFile(t testing.TB, path string) (objects int, errs []error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return drain(stix.NewReader(f, stix.Limits{}))
}
