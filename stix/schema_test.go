package stix_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

// Every object of testdata/samples.jsonl, with each of its properties wrong in each of many ways, is judged by this
// package and by the JSON schemas that OASIS publishes. Where the two differ, the difference is one of the list below,
// with the standard's reason.

// A difference is a kind of mutant on which the schemas are known to be wrong or weaker.
type difference struct {
	schema string // what the schema says: "takes" or "refuses"
	types  string // space-separated; "" for all
	path   string // a regular expression for the whole path, indices as []
	how    string // a regular expression for the beginning of the mutation's name
	why    string
}

var differences = []difference{
	// The schemas take what the standard forbids.
	{"takes", "", `.*`, `time, 30 February`, "RFC 3339: a date must exist"},
	{"takes", "", `created_by_ref`, `id of`, "3.2: created_by_ref refers to an identity"},
	{"takes", "", `object_marking_refs\[\]`, `id of`, "3.2: object_marking_refs refers to marking-definitions"},
	{"takes", "", `external_references|external_references\[\]\.url|labels`, `drop`, "7.2.3: a selector refers to what is in the object"},
	{"takes", "", `lang|granular_markings\[\]\.lang`, ``, "3.2: lang is a language code of RFC 5646"},
	{"takes", "grouping note opinion report", `object_refs\[\]`, `id of bundle`, "8: a bundle is no STIX object, and nothing refers to it"},
	{"takes", "sighting", `sighting_of_ref`, `id of (file|ipv4-addr|software)`, "5.2: a sighting is of a domain object"},
	{"takes", "malware", `sample_refs\[\]`, ``, "4.11: sample_refs refers to files and artifacts"},
	{"takes", "malware-analysis", `analysis_sco_refs\[\]`, `id of`, "4.12: analysis_sco_refs refers to observables"},
	{"takes", "observed-data", `object_refs\[\]`, `id |longer`, "2.9: an identifier ends in a UUID; 4.14: of an observable or a relationship"},
	{"takes", strings.Join(observableTypes, " "), `.*_ref|.*_refs\[\]`, ``, "2.9 and part 6: a reference is an identifier of the types named"},
	{"takes", "language-content", `contents.*`, ``, "7.1: contents holds, by language code, objects that mirror the properties translated"},
	{"takes", "extension-definition", `extension_properties\[\]`, ``, "7.3: extension_properties names properties, whose names the standard limits"},
	{"takes", "marking-definition", `definition(_type)?`, `drop`, "7.2.1: definition_type and definition come together"},
	{"takes", "autonomous-system", `number`, `negative|huge`, "6.2: an AS number has 32 bits"},
	{"takes", "domain-name", `value`, ``, "6.4: value conforms to RFC 1034 or RFC 5890"},
	{"takes", "file", `extensions\.ntfs-ext\.alternate_data_streams(\[\])?`, ``, "6.7: alternate_data_streams is a list of objects"},
	{"takes", "file", `name`, `drop`, "3.1: name_enc is not there without name"},
	{"takes", "network-traffic", `(src|dst)_(byte_count|packets)`, `negative`, "6.12: a positive integer"},
	{"takes", "process", `environment_variables\.PATH`, ``, "6.13: the values of environment_variables are strings"},
	{"takes", "software", `cpe`, `spaced`, "6.14: cpe conforms to CPE 2.3 as a whole"},
	{"takes", "user-account", `extensions\.unix-account-ext\.gid`, `number`, "6.16: gid is an integer"},
	{"takes", "windows-registry-key", `number_of_subkeys`, `negative`, "6.17: a number of things"},

	// The schemas refuse what the standard allows.
	{"refuses", "", `external_references\[\]\.source_name`, ``, "2.5: only the sources cve and capec ask for identifiers of theirs, not the reverse"},
	{"refuses", "", `external_references\[\]\.hashes`, `object`, "2.7: the words of hash-algorithm-ov are an open vocabulary"},
	{"refuses", "marking-definition", `definition_type`, `longer`, "7.2.1: definition_type is an open vocabulary, and the schema's expression lacks its brackets"},
	{"refuses", "file", `extensions\.raster-image-ext\.exif_tags`, `object`, "6.7: the keys of exif_tags are names of EXIF, in their own case"},
	{"refuses", "file", `extensions\.windows-pebinary-ext\.optional_header`, `object`, "11.1: a property of one's own is allowed"},
	{"refuses", "artifact", `mime_type`, ``, "6.1: a media type of one's own is allowed"},
	{"refuses", "process", `extensions\.windows-process-ext\.startup_info.*`, ``, "6.13: startup_info is a dictionary; the standard gives its fields no types"},
	{"refuses", "software", `languages\[\]`, `capitals`, "RFC 5646: language codes are not case-sensitive"},
}

var observableTypes = []string{
	"artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file", "ipv4-addr", "ipv6-addr",
	"mac-addr", "mutex", "network-traffic", "process", "software", "url", "user-account", "windows-registry-key", "x509-certificate",
}

// samples is the objects of testdata/samples.jsonl: for every type of the standard one that has all its properties.
func samples(t testing.TB) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "samples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(b), []byte("\n"))
}

// A mutant is a sample with one thing changed.
type mutant struct {
	typ  string
	path string // with [] for positions in lists
	how  string
	raw  []byte
}

// common are the properties that objects share. They are mutated in one sample of each class.
var common = []string{
	"confidence", "created_by_ref", "defanged", "external_references", "granular_markings", "labels", "lang", "object_marking_refs",
	"revoked",
}

func commonToo(raw []byte) bool {
	return slices.Contains([]string{"attack-pattern", "relationship", "mutex", "marking-definition"}, typeOf(raw))
}

// mutants changes every value of the object, one at a time, in every way; the common properties only if asked to.
func mutants(t testing.TB, raw []byte, withCommon bool) []mutant {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	if !withCommon {
		delete(root, "granular_markings") // its selectors would refuse every property that is dropped
	}
	root["id"] = typeOf(raw) + "--00000000-0000-4000-8000-000000000001" // a random one binds no property
	var all []mutant
	add := func(path, how string) {
		out, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, mutant{typ: typeOf(raw), path: path, how: how, raw: out})
	}
	var walk func(path string, v any, set func(any))
	walk = func(path string, v any, set func(any)) {
		if path != "" {
			for _, m := range mutations(v) {
				set(m.value)
				add(path, m.how)
			}
			set(v)
		}
		switch v := v.(type) {
		case map[string]any:
			for _, name := range keysOf(v) {
				child := v[name]
				if path == "" && !withCommon && slices.Contains(common, name) {
					continue
				}
				below := strings.TrimPrefix(path+"."+name, ".")
				delete(v, name)
				add(below, "drop")
				v[name] = child
				walk(below, child, func(x any) { v[name] = x })
			}
		case []any:
			for i, child := range v {
				walk(path+"[]", child, func(x any) { v[i] = x })
			}
		}
	}
	walk("", root, nil)
	return all
}

func typeOf(raw []byte) string {
	var head struct{ Type string }
	_ = json.Unmarshal(raw, &head) // of a sample, which is sound
	return head.Type
}

func keysOf(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

type mutation struct {
	how   string
	value any
}

// mutations are the wrong values to put in place of v.
func mutations(v any) []mutation {
	all := []mutation{
		{"null", nil}, {"number", 12345.5}, {"negative", -3}, {"huge", 1e15}, {"text", "something else"}, {"true", true},
		{"empty list", []any{}}, {"empty object", map[string]any{}}, {"list of numbers", []any{1}}, {"object", map[string]any{"some_key": "x"}},
		{"null in a list", []any{nil}}, {"empty text", ""},
	}
	s, isText := v.(string)
	if !isText {
		return all
	}
	if typ := stix.TypeOf(s); typ != "" {
		for _, other := range []string{"bundle", "campaign", "file", "identity", "ipv4-addr", "location", "marking-definition", "relationship", "software"} {
			all = append(all, mutation{"id of " + other, strings.Replace(s, typ+"--", other+"--", 1)})
		}
		all = append(all, mutation{"id without version", s[:len(s)-22] + "0" + s[len(s)-21:]}, mutation{"id cut", s[:len(s)-1]},
			mutation{"id with braces", strings.Replace(s, "--", "--{", 1) + "}"}, mutation{"id with one hyphen", strings.Replace(s, "--", "-", 1)})
	}
	if _, err := stix.ParseTimestamp(s); err == nil {
		for how, value := range map[string]string{
			"date": s[:10], "offset": strings.TrimSuffix(s, "Z") + "+00:00", "no zone": strings.TrimSuffix(s, "Z"), "month 13": s[:5] + "13" + s[7:],
			"hour 24": s[:11] + "24" + s[13:], "small t": strings.ToLower(s), "space": strings.Replace(s, "T", " ", 1),
			"point": s[:19] + ".Z", "30 February": s[:5] + "02-30" + s[10:],
		} {
			all = append(all, mutation{"time, " + how, value})
		}
		slices.SortFunc(all, func(a, b mutation) int { return strings.Compare(a.how, b.how) })
	}
	return append(all, mutation{"longer", s + "!"}, mutation{"capitals", strings.ToUpper(s)}, mutation{"spaced", " " + s})
}

// judge tells whether the schemas take the object.
type judge map[string]*jsonschema.Schema

func schemas(t *testing.T) judge {
	t.Helper()
	dir := testdata.File(t, "stix-schemas", "schemas")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	ids := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		doc, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			return err
		}
		id := doc.(map[string]any)["$id"].(string)
		ids[strings.TrimSuffix(filepath.Base(path), ".json")] = id
		return c.AddResource(id, doc)
	})
	if err != nil {
		t.Fatal(err)
	}
	j := make(judge)
	for _, raw := range samples(t) {
		typ := typeOf(raw)
		if j[typ], err = c.Compile(ids[typ]); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

func (j judge) takes(t *testing.T, typ string, raw []byte) bool {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return j[typ].Validate(doc) == nil
}

func TestSamplesAreTaken(t *testing.T) {
	for _, raw := range samples(t) {
		for _, e := range stix.Check(raw) {
			t.Error(e)
		}
	}
}

func TestMutantsAsTheSchemas(t *testing.T) {
	if testing.Short() {
		t.Skip("judges 15,000 mutants")
	}
	j := schemas(t)
	for _, raw := range samples(t) {
		if !j.takes(t, typeOf(raw), raw) {
			doc, _ := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
			t.Errorf("the schema refuses the sample of %s: %v", typeOf(raw), j[typeOf(raw)].Validate(doc))
		}
	}
	used := make([]int, len(differences))
	n := 0
	for _, raw := range samples(t) {
		for _, m := range mutants(t, raw, commonToo(raw)) {
			n++
			ours, theirs := len(stix.Check(m.raw)) == 0, j.takes(t, m.typ, m.raw)
			if ours == theirs {
				continue
			}
			if i := m.difference(theirs); i >= 0 {
				used[i]++
				continue
			}
			t.Errorf("%s, %s, %s: the schema takes it: %v; we find %v", m.typ, m.path, m.how, theirs, stix.Check(m.raw))
		}
	}
	for i, d := range differences {
		if used[i] == 0 {
			t.Errorf("no mutant differs as %+v says", d)
		}
	}
	t.Logf("%d mutants", n)
}

// difference is the first of the list that explains m, or -1.
func (m mutant) difference(schemaTakes bool) int {
	verdict := map[bool]string{true: "takes", false: "refuses"}[schemaTakes]
	return slices.IndexFunc(differences, func(d difference) bool {
		return d.schema == verdict && (d.types == "" || slices.Contains(strings.Fields(d.types), m.typ)) &&
			matches("^("+d.path+")$", m.path) && matches("^("+d.how+")", m.how)
	})
}

func matches(expression, s string) bool {
	re, have := expressions[expression]
	if !have {
		re = regexp.MustCompile(expression)
		expressions[expression] = re
	}
	return re.MatchString(s)
}

var expressions = make(map[string]*regexp.Regexp)
