package cases

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

// bundled are the objects of a bundle, each checked by our own reader.
func bundled(t *testing.T, raw []byte) (out []stix.Object) {
	t.Helper()
	var b struct {
		Type, ID string
		Objects  []json.RawMessage
	}
	if err := json.Unmarshal(raw, &b); err != nil || b.Type != "bundle" {
		t.Fatalf("no bundle: %v", err)
	}
	for _, one := range b.Objects {
		if errs := stix.Check(one); len(errs) > 0 {
			t.Fatalf("%v\n%s", errs, one)
		}
		o, err := stix.Parse(one)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

func incidentOf(t *testing.T, c *exportCase) []stix.Object {
	t.Helper()
	raw, err := incidentBundle(c)
	if err != nil {
		t.Fatal(err)
	}
	return bundled(t, raw)
}

// TestIncidentBundle: a case as STIX has everything that STIX has words for, each with its own level; no reference
// leads nowhere but to who is not named.
func TestIncidentBundle(t *testing.T) {
	for _, named := range []bool{false, true} {
		c := exportSample(FormatSTIX)
		c.Ask.Named = named
		all := incidentOf(t, c)
		count, ids := map[string]int{}, map[string]bool{}
		for _, o := range all {
			count[o.Type]++
			if ids[o.ID] {
				t.Errorf("%s stands twice", o.ID)
			}
			ids[o.ID] = true
		}
		want := map[string]int{"incident": 1, "event": 1, "task": 2, "note": 5, "indicator": 3, "sighting": 3, "relationship": 3, "observed-data": 5, "vulnerability": 1, "grouping": 1,
			"domain-name": 1, "ipv4-addr": 1, "url": 1, "file": 1, "autonomous-system": 1, "marking-definition": 3}
		if named {
			want["identity"] = 1
		}
		for typ, n := range want {
			if count[typ] != n {
				t.Errorf("named %v: %d of %s, want %d", named, count[typ], typ, n)
			}
		}
		for _, o := range all {
			level, err := o.Level()
			if err != nil {
				t.Fatal(err)
			}
			if !o.IsMarkingFree() && o.Type != "identity" && level == stix.None {
				t.Errorf("%s bears no level", o.ID)
			}
			if o.Type == "file" && level != stix.Amber {
				t.Errorf("a value that stands in an AMBER and in an AMBER+STRICT item is %s", level.Label())
			}
			if o.Type == "domain-name" && level != stix.Green || o.Type == "incident" && level != stix.Amber || o.Type == "task" && o.Name == "Change the pass codes" && level != stix.AmberStrict {
				t.Errorf("%s is %s", o.ID, level.Label())
			}
			for _, ref := range o.Refs() {
				if !ids[ref.ID] && stix.TypeOf(ref.ID) != "marking-definition" {
					t.Errorf("%s leads to %s, which is not there", o.ID, ref.ID)
				}
			}
			if !named && (o.CreatedByRef != "" || strings.Contains(string(o.Raw()), string(c.Org.ID)) || strings.Contains(string(o.Raw()), "Lenswerk")) {
				t.Errorf("%s names the organisation", o.ID)
			}
			if strings.Contains(string(o.Raw()), "Ada de Wit") {
				t.Errorf("%s names a person", o.ID)
			}
		}
	}
}

// TestIncidentSame: the same case gives the same objects again, so whoever gets it twice has nothing twice; one that
// names the organisation is another object.
func TestIncidentSame(t *testing.T) {
	raw := func(named bool) map[string]string {
		c := exportSample(FormatSTIX)
		c.Ask.Named = named
		out := map[string]string{}
		for _, o := range incidentOf(t, c) {
			if o.Type != "grouping" {
				out[o.ID] = string(o.Raw())
			}
		}
		return out
	}
	first, again, named := raw(false), raw(false), raw(true)
	for id, text := range first {
		if again[id] != text {
			t.Errorf("%s is another the second time", id)
		}
		if other, ok := named[id]; ok && other != text {
			t.Errorf("%s is the same object with another content where the organisation is named", id)
		}
	}
	c := exportSample(FormatSTIX)
	c.Ask.Ceiling = stix.Green // a lower ceiling has fewer objects, of the same content
	c.Items = slices.DeleteFunc(c.Items, func(it Item) bool { return it.Level > stix.Green })
	c.Damage = nil
	for _, o := range incidentOf(t, c) {
		if text, ok := first[o.ID]; o.Type != "grouping" && (!ok || text != string(o.Raw())) {
			t.Errorf("%s differs under a lower ceiling", o.ID)
		}
	}
}

// TestIncidentSchemas: the schemas of OASIS take the bundle, object by object.
func TestIncidentSchemas(t *testing.T) {
	dir := filepath.Join(testdata.Dir(t), "stix-schemas", "schemas")
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(exportSchemas(dir))
	compiler.DefaultDraft(jsonschema.Draft7)
	at := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".json") {
			at[strings.TrimSuffix(d.Name(), ".json")] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, o := range incidentOf(t, exportSample(FormatSTIX)) {
		path, known := at[o.Type]
		if !known || o.Type == "event" || o.Type == "task" || o.Type == "marking-definition" {
			continue
		}
		schema, err := compiler.Compile("file://" + path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(o.Raw()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", o.ID, err)
		}
		checked++
	}
	if checked < 20 {
		t.Errorf("only %d objects were checked", checked)
	}
}

// exportSchemas loads schemas from the folder, whatever address they are asked for under.
type exportSchemas string

func (dir exportSchemas) Load(url string) (any, error) {
	path := strings.TrimPrefix(url, "file://")
	if _, rest, ok := strings.Cut(url, "/schemas/"); ok && !strings.HasPrefix(url, "file://") {
		path = filepath.Join(string(dir), rest)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return jsonschema.UnmarshalJSON(f)
}

// TestIncidentCore: the extension says what its published versions agree on, in their words.
func TestIncidentCore(t *testing.T) {
	for _, c := range []struct {
		kind   Kind
		status Status
		class  string
		want   string
	}{
		{KindIncident, StatusOpen, "fraud/phishing", `{"extension_type":"property-extension","determination":"confirmed","investigation_status":"open","criticality":70,"incident_types":["dissemination-phishing-emails"]}`},
		{KindNearMiss, StatusClosed, "", `{"extension_type":"property-extension","determination":"failed-attempt","investigation_status":"closed","criticality":70}`},
		{KindApproach, StatusContained, "availability/ddos", `{"extension_type":"property-extension","determination":"suspected","investigation_status":"open","criticality":70,"incident_types":["packet-flood"]}`},
	} {
		e := exportSample(FormatSTIX)
		e.View.Kind, e.View.Status, e.View.Class = c.kind, c.status, c.class
		for _, o := range incidentOf(t, e) {
			var x map[string]json.RawMessage
			if o.Type == "incident" && (json.Unmarshal(o.Property("extensions"), &x) != nil || string(x[incidentCore]) != c.want) {
				t.Errorf("%s: %s, want %s", c.kind, x[incidentCore], c.want)
			}
		}
	}
	for class := range incidentTypes {
		if a, b := rsitSplit(class); a+"/"+b != class {
			t.Errorf("%s is no class of the taxonomy", class)
		}
	}
}

// TestIncidentValues: each kind of value becomes an observable, an indicator or a note, and a value that is not of its
// kind is told all the same and breaks nothing.
func TestIncidentValues(t *testing.T) {
	good := map[indicator.Kind]string{
		indicator.IPv4: "198.51.100.7", indicator.IPv6: "2001:db8::7", indicator.CIDR: "198.51.100.0/24", indicator.Domain: "a.example", indicator.URL: "https://a.example/x", indicator.Email: "x@a.example",
		indicator.MD5: strings.Repeat("a1", 16), indicator.SHA1: strings.Repeat("a1", 20), indicator.SHA256: strings.Repeat("a1", 32), indicator.SHA512: strings.Repeat("a1", 64), indicator.Filename: "a.exe",
		indicator.Mutex: "m", indicator.ASN: "AS64500", indicator.CVE: "CVE-2024-12345", indicator.MAC: "00:00:5e:00:53:01", indicator.RegistryKey: `HKLM\Software\A`, indicator.Imphash: strings.Repeat("a1", 16),
		indicator.JA3: strings.Repeat("a1", 16), indicator.JA3S: strings.Repeat("a1", 16), indicator.CertSerial: "a1b2", indicator.CertHash: strings.Repeat("a1", 20), indicator.UserAgent: "agent/1",
	}
	for _, kind := range indicator.Kinds() {
		for _, value := range []string{good[kind], "", "\x01'\\]\"", "CIDR", "2001:zz::/x"} {
			for _, bad := range []bool{true, false} {
				c := exportSample(FormatSTIX)
				it := c.Items[6]
				it.Observable = &Observable{Type: kind, Value: value, Bad: bad}
				c.Items, c.Damage = []Item{it}, nil
				raw, err := incidentBundle(c)
				if err != nil {
					t.Fatalf("%s %q: %v", kind, value, err)
				}
				var said int
				for _, o := range bundled(t, raw) {
					if o.Type != "grouping" && o.Type != "incident" && !o.IsMarkingFree() {
						said++
					}
				}
				if said == 0 {
					t.Errorf("%s %q is told by no object", kind, value)
				}
			}
		}
		if good[kind] == "" {
			t.Errorf("no sample of %s", kind)
		}
	}
}
