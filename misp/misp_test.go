package misp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/testdata"
	"github.com/polder-exchange/polder/stix"
)

const blind = "identity--9d2f5c1e-4a63-4b1d-8c0e-3f5a7b9c1d20"

func clock() time.Time { return time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC) }

func realistic(t testing.TB) []byte {
	raw, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func convert(t testing.TB, raw []byte, o Options) ([]stix.Object, []Skipped) {
	t.Helper()
	if o.Now == nil {
		o.Now = clock
	}
	r, err := ToSTIX(raw, o)
	if err != nil {
		t.Fatal(err)
	}
	var objects []stix.Object
	for _, raw := range r.Objects {
		o, err := stix.Parse(raw)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		objects = append(objects, o)
	}
	return objects, r.Skipped
}

func back(t testing.TB, objects []stix.Object) (event, []Skipped) {
	t.Helper()
	var raw []json.RawMessage
	for _, o := range objects {
		raw = append(raw, o.Raw())
	}
	x, err := FromSTIX(raw, ExportOptions{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	events, err := readEvents(x.Event, Limits{}.withDefaults())
	if err != nil || len(events) != 1 {
		t.Fatalf("%v: %s", err, x.Event)
	}
	return events[0], x.Skipped
}

// brief is what the round trip has to keep of an attribute.
func brief(a attribute) string {
	var tags []string
	for _, t := range a.Tags {
		if !strings.HasPrefix(string(t.Name), "misp-galaxy:") {
			tags = append(tags, string(t.Name))
		}
	}
	return fmt.Sprintf("%s %s %q %q %q to_ids=%v relation=%s seen=%s..%s tags=%q at=%s", a.UUID, a.Type, a.Value, a.Category, a.Comment, a.ToIDs.yes(),
		a.Relation, a.FirstSeen, a.LastSeen, tags, a.Timestamp)
}

func briefAll(list []attribute) (out []string) {
	for _, a := range list {
		out = append(out, brief(a))
	}
	slices.Sort(out)
	return out
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, s := range want {
		if !slices.Contains(got, s) {
			t.Errorf("%s is lost:\n%s", what, s)
		}
	}
	for _, s := range got {
		if !slices.Contains(want, s) {
			t.Errorf("%s was not there:\n%s", what, s)
		}
	}
}

// TestRoundTrip: a realistic event comes back as it went, in every attribute, object, reference, tag and report.
func TestRoundTrip(t *testing.T) {
	events, err := readEvents(realistic(t), Limits{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	was := events[0]
	types := map[text]bool{}
	count := len(was.Attributes)
	for _, a := range was.Attributes {
		types[a.Type] = true
	}
	if count < 40 || len(types) < 20 || len(was.Objects) < 3 {
		t.Fatalf("the event is too small: %d attributes of %d types, %d objects", count, len(types), len(was.Objects))
	}
	objects, _ := convert(t, realistic(t), Options{Creator: blind})
	is, _ := back(t, objects)
	if is.UUID != was.UUID || is.Info != was.Info || is.Date != was.Date || is.ThreatLevel != was.ThreatLevel || is.Analysis != was.Analysis ||
		is.Timestamp != was.Timestamp || is.Published != was.Published {
		t.Errorf("the head of the event is %+v", is)
	}
	compare(t, "attribute", briefAll(is.Attributes), briefAll(was.Attributes))
	compare(t, "object", briefObjects(is.Objects), briefObjects(was.Objects))
	for i, o := range was.Objects {
		compare(t, "attribute of object", briefAll(is.Objects[i].Attributes), briefAll(o.Attributes))
	}
	was.Reports[0].Deleted = ""
	if len(is.Reports) != 1 || is.Reports[0] != was.Reports[0] {
		t.Errorf("the report is %+v, was %+v", is.Reports, was.Reports)
	}
	compare(t, "sighting", briefSightings(is.Attributes), briefSightings(was.Attributes))
	for _, want := range []string{"tlp:amber", "PAP:AMBER", `rsit:intrusions="application-compromise"`, `misp-galaxy:threat-actor="LITHO FOX"`,
		`misp-galaxy:sector="Semi-conductors"`} {
		if !slices.Contains(is.Tags, tag{text(want)}) {
			t.Errorf("the tag %s is lost: %v", want, is.Tags)
		}
	}
}

// unknown is the reference of the test event that leads nowhere.
const unknown = "00000000-0000-4000-8000-000000000005"

func briefObjects(list []object) (out []string) {
	for _, o := range list {
		refs := []string{}
		for _, r := range o.References {
			if r.Referenced != unknown {
				refs = append(refs, fmt.Sprintf("%s %s %s %q", r.UUID, r.Type, r.Referenced, r.Comment))
			}
		}
		out = append(out, fmt.Sprintf("%s %s %s %q %s %q", o.UUID, o.Name, o.MetaCategory, o.Comment, o.Timestamp, refs))
	}
	return out
}

func briefSightings(list []attribute) (out []string) {
	for _, a := range list {
		for _, s := range a.Sightings {
			out = append(out, fmt.Sprintf("%s %s %s %s", a.UUID, s.UUID, s.Type, s.Date))
		}
	}
	return out
}

func TestSkippedIsTold(t *testing.T) {
	_, skipped := convert(t, realistic(t), Options{})
	var got []string
	for _, s := range skipped {
		got = append(got, s.Path+": "+s.Reason)
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{`the tag "misp:type=\"spoof\"" is reserved`, `the type "btc" has no counterpart`, "is no IPv4 address", "the file itself is not carried",
		"which is not among what is shared", `the galaxy "cooking"`} {
		if !strings.Contains(all, want) {
			t.Errorf("nobody tells that %s:\n%s", want, all)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d pieces are told, want 6:\n%s", len(got), all)
	}
}

// TestSame: the same event gives the same objects, byte for byte, whenever it is read.
func TestSame(t *testing.T) {
	first, err := ToSTIX(realistic(t), Options{Creator: blind, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	second, err := ToSTIX(realistic(t), Options{Creator: blind, Now: func() time.Time { return clock().Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range first.Objects {
		if !bytes.Equal(first.Objects[i], second.Objects[i]) {
			t.Errorf("object %d changes:\n%s\n%s", i, first.Objects[i], second.Objects[i])
		}
	}
}

// TestBlind: no name of an organisation or person of the event is in the objects, and all carry the creator given.
func TestBlind(t *testing.T) {
	objects, _ := convert(t, realistic(t), Options{Creator: blind})
	for _, o := range objects {
		if !o.IsObservable() && o.CreatedByRef != blind {
			t.Errorf("%s is created by %q", o.ID, o.CreatedByRef)
		}
		for _, name := range []string{"Optics CERT", "Secret Org", "analyst@optics.example", "9d2f5c1e-4a63-4b1d-8c0e-3f5a7b9c1d2e"} {
			if strings.Contains(o.Text(), name) {
				t.Errorf("%s names %s", o.ID, name)
			}
		}
	}
	named, _ := convert(t, realistic(t), Options{NameOrg: true})
	if !slices.ContainsFunc(named, func(o stix.Object) bool {
		return o.ID == "identity--9d2f5c1e-4a63-4b1d-8c0e-3f5a7b9c1d2e" && o.Name == "Optics CERT"
	}) {
		t.Error("the organisation is not named though it was asked for")
	}
}

// TestMarkings: TLP and PAP of the event mark all; what is marked stricter raises what tells of it, and the report is
// silent about it.
func TestMarkings(t *testing.T) {
	objects, _ := convert(t, realistic(t), Options{})
	var red []string
	var report stix.Object
	for _, o := range objects {
		level, err := o.Level()
		if err != nil {
			t.Errorf("%s: %v", o.ID, err)
		}
		switch level {
		case stix.Red:
			red = append(red, o.ID)
		case stix.Amber:
		default:
			t.Errorf("%s is %v", o.ID, level)
		}
		if o.PAP() != stix.PAPAmber && !o.IsObservable() {
			t.Errorf("%s is %v", o.ID, o.PAP())
		}
		if o.Type == "report" {
			report = o
		}
	}
	if len(red) != 2 || !strings.HasPrefix(red[0], "indicator--") || !strings.HasPrefix(red[1], "relationship--") {
		t.Errorf("red are %v, want the attribute and the relationship that names it", red)
	}
	for _, id := range red {
		if slices.Contains(report.ObjectRefs, id) {
			t.Errorf("the report tells of %s", id)
		}
	}
}

func TestDefaultLevel(t *testing.T) {
	raw := []byte(`{"Event":{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa61","info":"x","timestamp":"1773742000","Attribute":[
		{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa62","type":"domain","value":"evil.com","to_ids":true,"timestamp":"1773742000"},
		{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa63","type":"domain","value":"evil.org","to_ids":1,"Tag":[{"name":"tlp:white"}]},
		{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa64","type":"domain","value":"evil.net","to_ids":"1","Tag":[{"name":"tlp:green"},{"name":"TLP:RED"},{"name":"tlp:nonsense"}]}]}}`)
	for _, c := range []struct {
		given stix.Marking
		want  []stix.Marking
	}{
		{stix.None, []stix.Marking{stix.None, stix.Clear, stix.Red, stix.None}},
		{stix.Green, []stix.Marking{stix.Green, stix.Green, stix.Red, stix.Green}},
	} {
		objects, skipped := convert(t, raw, Options{Default: c.given})
		for i, o := range objects {
			if got, _ := o.Level(); got != c.want[i] {
				t.Errorf("default %v: object %d is %v, want %v", c.given, i, got, c.want[i])
			}
		}
		if len(objects) != 4 || len(skipped) != 2 {
			t.Errorf("%d objects, told %v", len(objects), skipped)
		}
	}
}

// TestEveryMapping: each attribute type that is mapped gives a sound object either way and comes back with its value.
func TestEveryMapping(t *testing.T) {
	hash := func(n int) string { return strings.Repeat("0a", n/2) }
	samples := map[string]string{"ip-src": "192.0.2.1", "ip-dst": "2001:db8::1", "ip-src|port": "192.0.2.1|80", "ip-dst|port": "2001:db8::1|443",
		"hostname|port": "a.evil.com|8080", "domain": "evil.com", "hostname": "a.evil.com", "domain|ip": "evil.com|192.0.2.1", "url": "http://evil.com/'x",
		"uri": "http://evil.com/x", "mac-address": "00:1a:2b:3c:4d:5e", "filename": `it's a "file|name".exe`, "mutex": `Global\x'y`, "regkey": `HKEY_LOCAL_MACHINE\a`,
		"regkey|value": `HKEY_LOCAL_MACHINE\a|b|c`, "AS": "AS64500", "email-subject": "a | b", "email-message-id": "<a@b>", "user-agent": "a'b", "email-attachment": "a.exe",
		"imphash": hash(32), "port": "443", "yara": "rule x {\n}", "sigma": "title: x\n", "snort": `alert tcp any any -> any any (msg:"x";)`,
		"email": "a@evil.com", "email-src": "a@evil.com", "email-dst": "a@evil.com", "target-email": "a@evil.com", "whois-registrant-email": "a@evil.com",
		"md5": hash(32), "sha1": hash(40), "sha256": hash(64), "sha512": hash(128), "sha3-256": hash(64), "sha3-512": hash(128), "ssdeep": "3:a:b", "tlsh": "T1" + hash(70),
		"x509-fingerprint-md5": hash(32), "x509-fingerprint-sha1": hash(40), "x509-fingerprint-sha256": hash(64), "malware-sample": "a|b.exe|" + hash(32)}
	for typ := range hashNames {
		samples["filename|"+typ] = "a|b.exe|" + samples[typ]
	}
	for typ, m := range mappings {
		value := samples[typ]
		if value == "" {
			t.Errorf("no sample for the type %s", typ)
			continue
		}
		for _, toIDs := range []bool{true, false} {
			raw, err := json.Marshal(map[string]any{"Event": map[string]any{"uuid": "c63080f2-9182-4a7c-8340-b5ff0242fa61", "info": "x", "timestamp": 1773742000,
				"Attribute": []any{map[string]any{"uuid": "c63080f2-9182-4a7c-8340-b5ff0242fa62", "type": typ, "category": "C", "comment": "c",
					"value": value, "to_ids": toIDs, "timestamp": "1773742000"}}}})
			if err != nil {
				t.Fatal(err)
			}
			objects, skipped := convert(t, raw, Options{})
			want := "note"
			switch {
			case toIDs:
				want = "indicator"
			case m.observe != nil:
				want = "observed-data"
			}
			if !slices.ContainsFunc(objects, func(o stix.Object) bool { return o.Type == want }) {
				t.Errorf("%s, to_ids %v, gives no %s: %v", typ, toIDs, want, skipped)
			}
			is, _ := back(t, objects)
			if len(is.Attributes) != 1 || string(is.Attributes[0].Type) != typ || string(is.Attributes[0].Value) != value ||
				is.Attributes[0].ToIDs.yes() != toIDs || is.Attributes[0].Comment != "c" || is.Attributes[0].Category != "C" {
				t.Errorf("%s, to_ids %v, comes back as %+v", typ, toIDs, is.Attributes)
			}
			for _, o := range objects {
				if o.Type == "indicator" && o.PatternType == "stix" {
					if _, err := indicator.AnyFromPattern(o.Pattern); err != nil && !strings.Contains(err.Error(), "not the test for one value") {
						t.Errorf("%s: %v", o.Pattern, err)
					}
				}
			}
		}
	}
}

func TestRegistryKeysInFull(t *testing.T) {
	for in, want := range map[string]string{`HKLM\a\b`: `HKEY_LOCAL_MACHINE\a\b`, `hkcu\a`: `HKEY_CURRENT_USER\a`, `HKLM`: `HKLM`, `Software\a`: `Software\a`} {
		if got, err := registryKey(in); got != want || err != nil {
			t.Errorf("registryKey(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestWrappings(t *testing.T) {
	body := `{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa6%d","info":"x","timestamp":1773742000,"Attribute":[{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fb6%d","type":"md5","value":"` + strings.Repeat("ab", 16) + `","to_ids":true}]}`
	one, two := fmt.Sprintf(body, 1, 1), fmt.Sprintf(body, 2, 2)
	for _, c := range []struct {
		in   string
		want int
	}{
		{`{"Event":` + one + `}`, 2},
		{`{"response":[{"Event":` + one + `},{"Event":` + two + `}]}`, 4},
		{`{"response":{"Event":` + one + `}}`, 2},
		{`[{"Event":` + one + `},` + two + `]`, 4},
		{one, 2},
		{`[{"Event":` + one + `},{"Event":` + one + `}]`, 2},
	} {
		if objects, _ := convert(t, []byte(c.in), Options{}); len(objects) != c.want {
			t.Errorf("%.40s: %d objects, want %d", c.in, len(objects), c.want)
		}
	}
}

func TestHostileInput(t *testing.T) {
	const head = `{"Event":{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa61","info":"x",`
	for _, c := range []struct {
		in     string
		limits Limits
		want   string
	}{
		{``, Limits{}, "no JSON"},
		{`[]`, Limits{}, "holds no event"},
		{`{"a":1}`, Limits{}, "no MISP event"},
		{`{"Event":5}`, Limits{}, "event 1 is no MISP event"},
		{head + `"Attribute":{}}}`, Limits{}, "Attribute is a JSON object"},
		{head + `"Attribute":[{"value":{"a":1}}]}}`, Limits{}, "a text or a number is expected"},
		{head + `"Attribute":[`, Limits{}, "unexpected end"},
		{strings.Repeat("[", 100), Limits{}, "nested more than 64"},
		{head + `"x":"` + strings.Repeat("a", 2000) + `"}}`, Limits{Bytes: 1000}, "at most 1000"},
		{head + `"Attribute":[{},{},{}]}}`, Limits{Objects: 2}, "more than 2 attributes"},
	} {
		r, err := ToSTIX([]byte(c.in), Options{Limits: c.limits})
		if err == nil || !strings.Contains(err.Error(), c.want) || r.Objects != nil {
			t.Errorf("ToSTIX(%.60q): %v, want %q", c.in, err, c.want)
		}
	}
}

// TestPieces: what is wrong in one piece of an event is told and hurts nothing else.
func TestPieces(t *testing.T) {
	const good = `{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa62","type":"domain","value":"evil.com","to_ids":true}`
	for _, c := range []struct{ attributes, want string }{
		{`{"type":"domain","value":"a.com"}`, "no sound UUID"},
		{`{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa63","type":"domain","value":" "}`, "no value"},
		{`{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa63","type":"domain","value":"a.com","deleted":"1"}`, "deleted"},
		{`{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa63","type":"domain","value":"a.com","distribution":"0"}`, "own organisation only"},
		{`{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa63","type":"filename|md5","value":"a.exe"}`, "no bar"},
		{`{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa63","type":"ip-dst|port","value":"192.0.2.1|x","to_ids":true}`, "no port"},
		{`{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa62","type":"domain","value":"a.com","to_ids":true}`, "used twice"},
	} {
		raw := `{"Event":{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa61","info":"x","Attribute":[` + good + `,` + c.attributes + `]}}`
		objects, skipped := convert(t, []byte(raw), Options{})
		if len(skipped) != 1 || !strings.Contains(skipped[0].Reason, c.want) || skipped[0].Path != "Event[0].Attribute[1]" {
			t.Errorf("%s: told %v, want %q", c.attributes, skipped, c.want)
		}
		if objects[0].Pattern != "[domain-name:value = 'evil.com']" {
			t.Errorf("%s hurts the other: %s", c.attributes, objects[0].Text())
		}
	}
	for _, raw := range []string{`{"Event":{"uuid":"x","info":"x"}}`, `{"Event":{"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa61","info":"x"}}`} {
		if objects, skipped := convert(t, []byte(raw), Options{}); len(objects) != 0 || len(skipped) != 1 {
			t.Errorf("%s gives %d objects, told %v", raw, len(objects), skipped)
		}
	}
}

// TestForeign: objects that never came from MISP become an event as far as MISP has words for them.
func TestForeign(t *testing.T) {
	now := clock()
	make := func(typ string, set func(*stix.Members)) stix.Object {
		o, err := stix.Make(typ, func(m *stix.Members) {
			m.Set("created", now)
			set(m)
		})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	pattern := func(language, text, more string) stix.Object {
		return make("indicator", func(m *stix.Members) {
			m.Set("name", "n")
			m.Set("pattern", text)
			m.Set("pattern_type", language)
			m.Set("valid_from", now)
			m.Set("labels", []string{more})
			m.Set("revoked", more == "revoked")
		})
	}
	address, err := stix.Make("ipv4-addr", func(m *stix.Members) { m.Set("value", "192.0.2.9") })
	if err != nil {
		t.Fatal(err)
	}
	file, err := stix.Make("file", func(m *stix.Members) {
		m.Set("name", "a.exe")
		m.Set("hashes", map[string]string{"MD5": strings.Repeat("ab", 16)})
	})
	if err != nil {
		t.Fatal(err)
	}
	actor := make("intrusion-set", func(m *stix.Members) { m.Set("name", "LITHO FOX") })
	one := pattern("stix", "[domain-name:value = 'evil.com']", "seen")
	objects := []stix.Object{
		one,
		pattern("stix", "[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]", "x"),
		pattern("stix", "[domain-name:value = 'a.com'] FOLLOWEDBY [file:name = 'b.exe']", "x"),
		pattern("stix", "[domain-name:value = 'spoof.com']", `misp:type="ip-dst"`),
		pattern("yara", "rule x {}", "x"),
		pattern("stix", "[url:value = 'http://gone.com/']", "revoked"),
		make("observed-data", func(m *stix.Members) {
			m.Set("first_observed", now)
			m.Set("last_observed", now)
			m.Set("number_observed", 1)
			m.Set("object_refs", []string{file.ID})
		}),
		file, address, actor,
		make("relationship", func(m *stix.Members) {
			m.Set("relationship_type", "indicates")
			m.Set("source_ref", one.ID)
			m.Set("target_ref", actor.ID)
		}),
		make("sighting", func(m *stix.Members) { m.Set("sighting_of_ref", one.ID) }),
		make("note", func(m *stix.Members) {
			m.Set("content", "read this")
			m.Set("object_refs", []string{one.ID})
		}),
		make("vulnerability", func(m *stix.Members) { m.Set("name", "CVE-2024-12345") }),
		make("location", func(m *stix.Members) { m.Set("country", "NL") }),
	}
	is, skipped := back(t, objects)
	var got []string
	for _, a := range is.Attributes {
		got = append(got, fmt.Sprintf("%s %s %v %s", a.Type, a.Value, a.ToIDs.yes(), a.Deleted))
		if readUUID(a.UUID) == "" || a.Category == "" {
			t.Errorf("%+v is no sound attribute", a)
		}
	}
	want := []string{"domain evil.com true ", "ip-dst 192.0.2.1 true ", "ip-dst 192.0.2.2 true ", "stix2-pattern [domain-name:value = 'a.com'] FOLLOWEDBY [file:name = 'b.exe'] true ",
		"domain spoof.com true ", "yara rule x {} true ", "url http://gone.com/ true true", "filename a.exe false ", "md5 " + strings.Repeat("ab", 16) + " false ",
		"vulnerability CVE-2024-12345 false ", "ip-dst 192.0.2.9 false "}
	if !slices.Equal(got, want) {
		t.Errorf("attributes\n got %q\nwant %q", got, want)
	}
	if len(is.Reports) != 1 || is.Reports[0].Content != "read this" || len(is.Attributes[0].Sightings) != 1 {
		t.Errorf("reports %+v, sightings %+v", is.Reports, is.Attributes[0].Sightings)
	}
	if !slices.Contains(is.Attributes[0].Tags, tag{`misp-galaxy:mitre-intrusion-set="LITHO FOX"`}) {
		t.Errorf("tags %+v", is.Attributes[0].Tags)
	}
	if len(skipped) != 1 || !strings.Contains(skipped[0].Reason, "no place for a location") {
		t.Errorf("told %v", skipped)
	}
}

func TestFromSTIXBounds(t *testing.T) {
	raw := []json.RawMessage{[]byte(`{"type":"nonsense"}`), []byte(`{`)}
	x, err := FromSTIX(raw, ExportOptions{Now: clock})
	if err != nil || len(x.Skipped) != 2 || !bytes.Contains(x.Event, []byte(`"Attribute":[]`)) {
		t.Errorf("%v, %v, %s", err, x.Skipped, x.Event)
	}
	if _, err := FromSTIX(raw, ExportOptions{Limits: Limits{Objects: 1}}); err == nil {
		t.Error("too many objects pass")
	}
	if _, err := FromSTIX(raw, ExportOptions{Limits: Limits{Bytes: 10}}); err == nil {
		t.Error("too many bytes pass")
	}
}

// TestRealGalaxies: each cluster of the galaxies of the MISP project becomes a sound object of its name, the same twice.
func TestRealGalaxies(t *testing.T) {
	for file, want := range map[string]string{"threat-actor": "threat-actor", "mitre-intrusion-set": "intrusion-set", "sector": "identity"} {
		raw, err := os.ReadFile(testdata.File(t, "misp", file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var g struct {
			Type   string            `json:"type"`
			Values []json.RawMessage `json:"values"`
		}
		if err := json.Unmarshal(raw, &g); err != nil || len(g.Values) < 100 {
			t.Fatalf("%s: %d clusters, %v", file, len(g.Values), err)
		}
		in, err := json.Marshal(map[string]any{"Event": map[string]any{"uuid": "c63080f2-9182-4a7c-8340-b5ff0242fa61", "info": "x", "timestamp": "1773742000",
			"Galaxy": []any{map[string]any{"type": g.Type, "GalaxyCluster": g.Values}}}})
		if err != nil {
			t.Fatal(err)
		}
		objects, skipped := convert(t, in, Options{Creator: blind, Default: stix.Green})
		if len(skipped) > 0 || len(objects) != len(g.Values)+1 {
			t.Errorf("%s: %d objects of %d clusters, told %v", file, len(objects), len(g.Values), skipped)
		}
		for i, o := range objects[:len(objects)-1] {
			var c struct{ Value string }
			if err := json.Unmarshal(g.Values[i], &c); err != nil || o.Type != want || o.Name != strings.TrimSpace(c.Value) {
				t.Errorf("%s: %s %q, want %s %q", file, o.Type, o.Name, want, c.Value)
			}
		}
	}
}

func FuzzToSTIX(f *testing.F) {
	// Small seeds: the fuzzer spends its time on cutting down large ones.
	const uuid = `"uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa6`
	for _, inner := range []string{
		`"date":"2026-01-01","Attribute":[{` + uuid + `2","type":"ip-dst|port","value":"::1|1","to_ids":1,"first_seen":5}]`,
		`"Attribute":[{` + uuid + `2","type":"domain|ip","value":"a.com|1.2.3.4","Tag":[{"name":"tlp:red"}],"Sighting":[{"type":"1"}]}]`,
		`"Object":[{` + uuid + `3","name":"file","Attribute":[{` + uuid + `4","type":"regkey|value","value":"HKCU\\a|b"}],"ObjectReference":[{"referenced_uuid":"c63080f2-9182-4a7c-8340-b5ff0242fa64","relationship_type":"a b"}]}]`,
		`"Galaxy":[{"type":"mitre-tool","GalaxyCluster":[{"value":"x","meta":{"synonyms":"y","refs":["http://a"]}}]}],"EventReport":[{` + uuid + `5","name":"n"}]`,
	} {
		f.Add([]byte(`{"Event":{` + uuid + `1","info":"x",` + inner + `}}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := ToSTIX(raw, Options{Creator: blind, Default: stix.Green, Now: clock, Limits: Limits{Bytes: 1 << 17, Objects: 1000}})
		if err != nil {
			if err.Error() == "" || r.Objects != nil {
				t.Fatalf("%v with %d objects", err, len(r.Objects))
			}
			return
		}
		for _, one := range r.Objects {
			o, err := stix.Parse(one)
			if err != nil {
				t.Fatalf("%v: %s", err, one)
			}
			if level, err := o.Level(); err != nil || level == stix.None {
				t.Fatalf("%s is %v, %v", o.ID, level, err)
			}
		}
		if _, err := FromSTIX(r.Objects, ExportOptions{Now: clock}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzFromSTIX(f *testing.F) {
	r, err := ToSTIX(realistic(f), Options{Now: clock})
	if err != nil {
		f.Fatal(err)
	}
	seen := map[string]bool{}
	for _, one := range r.Objects {
		o, err := stix.Parse(one)
		if err != nil {
			f.Fatal(err)
		}
		if !seen[o.Type] && o.Type != "report" {
			seen[o.Type] = true
			f.Add([]byte("[" + string(one) + "]"))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var objects []json.RawMessage
		if json.Unmarshal(raw, &objects) != nil {
			return
		}
		x, err := FromSTIX(objects, ExportOptions{Now: clock, Limits: Limits{Bytes: 1 << 18, Objects: 1000}})
		if err != nil {
			return
		}
		if events, err := readEvents(x.Event, Limits{}.withDefaults()); err != nil || len(events) != 1 {
			t.Fatalf("%v: %s", err, x.Event)
		}
	})
}

func BenchmarkToSTIX(b *testing.B) {
	raw := realistic(b)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ToSTIX(raw, Options{Creator: blind, Now: clock}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromSTIX(b *testing.B) {
	r, err := ToSTIX(realistic(b), Options{Creator: blind, Now: clock})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := FromSTIX(r.Objects, ExportOptions{Now: clock}); err != nil {
			b.Fatal(err)
		}
	}
}
