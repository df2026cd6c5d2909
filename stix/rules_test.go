package stix_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/stix"
)

// gone, as the value of a change, takes a property away.
type gone struct{}

// change sets properties of an object.
type change map[string]any

// sample is the first sample of that type with a random id and without granular markings, changed.
func sample(t testing.TB, typ string, changes change) []byte {
	t.Helper()
	for _, raw := range samples(t) {
		if typeOf(raw) != typ {
			continue
		}
		var o map[string]any
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatal(err)
		}
		o["id"] = typ + "--00000000-0000-4000-8000-000000000001"
		delete(o, "granular_markings")
		for name, v := range changes {
			if _, drop := v.(gone); drop {
				delete(o, name)
			} else {
				o[name] = v
			}
		}
		out, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Fatalf("no sample of %s", typ)
	return nil
}

// required is what the standard's tables call required, apart from type.
var required = map[string]string{
	"attack-pattern": "name", "campaign": "name", "course-of-action": "name", "grouping": "context object_refs", "identity": "name",
	"incident": "name", "indicator": "pattern pattern_type valid_from", "infrastructure": "name", "intrusion-set": "name", "location": "",
	"malware": "is_family", "malware-analysis": "product", "note": "content object_refs",
	"observed-data": "first_observed last_observed number_observed", "opinion": "opinion object_refs", "report": "name published object_refs",
	"threat-actor": "name", "tool": "name", "vulnerability": "name", "relationship": "relationship_type source_ref target_ref",
	"sighting": "sighting_of_ref", "language-content": "object_ref contents",
	"extension-definition": "created_by_ref name schema version extension_types", "marking-definition": "definition_type definition",
	"artifact": "", "autonomous-system": "number", "directory": "path", "domain-name": "value", "email-addr": "value",
	"email-message": "is_multipart", "file": "", "ipv4-addr": "value", "ipv6-addr": "value", "mac-addr": "value", "mutex": "name",
	"network-traffic": "protocols", "process": "", "software": "name", "url": "value", "user-account": "", "windows-registry-key": "",
	"x509-certificate": "",
}

func TestRequiredProperties(t *testing.T) {
	for _, typ := range slices.Sorted(maps.Keys(required)) {
		names := append(strings.Fields(required[typ]), "id", "type")
		switch {
		case typ == "marking-definition":
			names = append(names, "spec_version", "created")
		case !slices.Contains(observableTypes, typ):
			names = append(names, "spec_version", "created", "modified")
		}
		for _, name := range names {
			c := change{name: gone{}}
			if typ == "marking-definition" {
				c["extensions"] = gone{} // which may stand in for a definition
			}
			wants(t, "without "+name, sample(t, typ, c), name, "is required")
		}
	}
}

// wants checks that an object is refused with an error that names the property and says so; with an empty property and
// text that it is taken.
func wants(t *testing.T, name string, raw []byte, property, text string) {
	t.Helper()
	_, err := stix.Parse(raw)
	if property == "" && text == "" {
		if err != nil {
			t.Errorf("%s: refused: %v", name, err)
		}
		return
	}
	e, ok := err.(*stix.Error)
	switch {
	case err == nil:
		t.Errorf("%s: taken; want it refused for %s: %s", name, property, text)
	case !ok:
		t.Errorf("%s: the error is a %T: %v", name, err, err)
	case e.Property != property || !strings.Contains(e.Text, text):
		t.Errorf("%s: error %v; want one of %q that says %q", name, e, property, text)
	case e.Line < 1:
		t.Errorf("%s: the error has no line: %v", name, e)
	}
}

const (
	early, late = "2024-03-05T06:07:08.123Z", "2024-04-05T06:07:08.500Z"
	ip          = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"
)

func TestRules(t *testing.T) {
	null, empty := json.RawMessage("null"), []any{}
	long := strings.Repeat("x", 251)
	for _, v := range []struct {
		name     string
		typ      string
		change   change
		property string // "" where it is taken
		text     string
	}{
		// Common properties.
		{"modified before created", "campaign", change{"created": late, "modified": early}, "modified", "must not be before created"},
		{"modified as created, in another precision", "campaign", change{"created": "2024-03-05T06:07:08Z", "modified": "2024-03-05T06:07:08.000Z"}, "", ""},
		{"modified later by the last digit of many", "campaign", change{"created": "2024-03-05T06:07:08.0000000000001Z", "modified": "2024-03-05T06:07:08.0000000000002Z"}, "", ""},
		{"modified earlier by the last digit of many", "campaign", change{"created": "2024-03-05T06:07:08.0000000000002Z", "modified": "2024-03-05T06:07:08.0000000000001Z"}, "modified", "must not be before"},
		{"id of another type", "campaign", change{"id": "malware--00000000-0000-4000-8000-000000000001"}, "id", "must begin with campaign--"},
		{"id that is a number", "campaign", change{"id": 5}, "id", "must be a string"},
		{"id without UUID", "campaign", change{"id": "campaign--x"}, "id", "is not an identifier"},
		{"spec_version 2.0", "campaign", change{"spec_version": "2.0"}, "spec_version", "upgrade"},
		{"spec_version 2.2", "campaign", change{"spec_version": "2.2"}, "spec_version", `must be "2.1"`},
		{"observable without spec_version", "url", change{"spec_version": gone{}}, "", ""},
		{"observable of spec_version 2.0", "url", change{"spec_version": "2.0"}, "spec_version", "upgrade"},
		{"revoked as text", "campaign", change{"revoked": "false"}, "revoked", "must be true or false"},
		{"confidence over 100", "campaign", change{"confidence": 101}, "confidence", "from 0 to 100"},
		{"confidence with a fraction", "campaign", change{"confidence": 1.5}, "confidence", "must be an integer"},
		{"no labels", "campaign", change{"labels": empty}, "labels", "must not be an empty list"},
		{"a label that is a number", "campaign", change{"labels": []any{"a", 1}}, "labels[1]", "must be a string"},
		{"lang", "campaign", change{"lang": "e"}, "lang", "RFC 5646"},
		{"lang of a region", "campaign", change{"lang": "zh-Hant-TW"}, "", ""},
		{"private lang", "campaign", change{"lang": "x-whisky"}, "", ""},
		{"created_by_ref of a campaign", "campaign", change{"created_by_ref": "campaign--00000000-0000-4000-8000-000000000001"}, "created_by_ref", "must refer to identity"},
		{"created in the far past", "campaign", change{"created": "0000-01-01T00:00:00Z"}, "", ""},
		{"modified in the far future", "campaign", change{"modified": "9999-12-31T23:59:59.999Z"}, "", ""},
		{"five digits of year", "campaign", change{"modified": "10000-01-01T00:00:00Z"}, "modified", "is not a timestamp"},
		{"leap second", "campaign", change{"modified": "2026-12-31T23:59:60.5Z"}, "", ""},
		{"leap second at noon", "campaign", change{"modified": "2026-12-31T12:00:60Z"}, "modified", "does not exist"},
		{"33 digits of fraction", "campaign", change{"modified": "2026-12-31T12:00:00." + strings.Repeat("1", 33) + "Z"}, "modified", "more than 32 digits"},
		{"null", "campaign", change{"objective": null}, "objective", "must be a string"},
		{"null in a custom property", "campaign", change{"x_note": null}, "x_note", "must not be null"},
		{"an empty list in a custom property", "campaign", change{"x_note": empty}, "x_note", "empty list"},
		{"custom property", "campaign", change{"x_note": map[string]any{"A b": []any{1, 2.5, true}}}, "", ""},
		{"custom property with capitals", "campaign", change{"Name": "x"}, "Name", "is not the name of a property"},
		{"custom property of two letters", "campaign", change{"xy": "x"}, "xy", "is not the name of a property"},
		{"custom property of 251 letters", "campaign", change{long: "x"}, long[:80] + "…", "is not the name of a property"},
		{"custom property that begins with a digit", "campaign", change{"1abc": "x"}, "1abc", "is not the name of a property"},
		{"custom binary", "campaign", change{"x_key_bin": "no!"}, "x_key_bin", "base64"},
		{"custom hex", "campaign", change{"x_key_hex": "abc"}, "x_key_hex", "hexadecimal"},
		{"defanged campaign", "campaign", change{"defanged": true}, "defanged", "of observables only"},
		{"extension-definition with an extension", "extension-definition", change{"extensions": map[string]any{extID: map[string]any{"extension_type": "property-extension"}}},
			"extensions", "is not a property of this type"},
		{"language-content with a language", "language-content", change{"lang": "en"}, "lang", "is not a property of this type"},
		{"reserved property", "campaign", change{"severity": "high"}, "severity", "keeps for itself"},
		{"external reference that says nothing", "campaign", change{"external_references": []any{map[string]any{"source_name": "x"}}}, "external_references[0]", "at least one"},
		{"external reference without source", "campaign", change{"external_references": []any{map[string]any{"url": "https://example.com"}}}, "external_references[0].source_name", "is required"},
		{"external reference to no URL", "campaign", change{"external_references": []any{map[string]any{"source_name": "x", "url": "example.com"}}}, "external_references[0].url", "with its scheme"},
		{"external reference with a space in its URL", "campaign", change{"external_references": []any{map[string]any{"source_name": "x", "url": "https://example.com/a b"}}}, "external_references[0].url", "percent-encoded"},
		{"CVE without number", "campaign", change{"external_references": []any{map[string]any{"source_name": "cve", "external_id": "2024-1"}}}, "external_references[0].external_id", "CVE-2024-12345"},
		{"CAPEC without number", "campaign", change{"external_references": []any{map[string]any{"source_name": "capec", "external_id": "CAPEC-"}}}, "external_references[0].external_id", "CAPEC-163"},
		{"kill chain without phase", "tool", change{"kill_chain_phases": []any{map[string]any{"kill_chain_name": "x"}}}, "kill_chain_phases[0].phase_name", "is required"},

		// Domain and relationship objects.
		{"last_seen before first_seen", "campaign", change{"first_seen": late, "last_seen": early}, "last_seen", "must not be before first_seen"},
		{"valid_until as valid_from", "indicator", change{"valid_from": early, "valid_until": early}, "valid_until", "must be after valid_from"},
		{"indicator of a word of one's own", "indicator", change{"indicator_types": []any{"phishy"}, "pattern_type": "zeek"}, "", ""},
		{"place without place", "location", change{"region": gone{}, "country": gone{}, "latitude": gone{}, "longitude": gone{}, "precision": gone{}}, "", "at least one"},
		{"latitude alone", "location", change{"longitude": gone{}, "precision": gone{}}, "longitude", "is required beside latitude"},
		{"precision alone", "location", change{"longitude": gone{}, "latitude": gone{}}, "latitude", "is required beside precision"},
		{"latitude 91", "location", change{"latitude": 91}, "latitude", "from -90 to 90"},
		{"longitude -181", "location", change{"longitude": -180.5}, "longitude", "from -180 to 180"},
		{"family without name", "malware", change{"name": gone{}}, "name", "is required where is_family is true"},
		{"sample without name", "malware", change{"name": gone{}, "is_family": false}, "", ""},
		{"analysis without result", "malware-analysis", change{"result": gone{}, "analysis_sco_refs": gone{}}, "", "at least one"},
		{"analysis of a campaign", "malware-analysis", change{"sample_ref": "campaign--00000000-0000-4000-8000-000000000001"}, "sample_ref", "must refer to file, network-traffic or artifact"},
		{"observed nothing", "observed-data", change{"object_refs": gone{}}, "", "neither objects nor object_refs"},
		{"observed in two ways", "observed-data", change{"objects": map[string]any{"0": map[string]any{"type": "url", "value": "https://example.com"}}}, "object_refs", "must not be given beside objects"},
		{"observed by key", "observed-data", change{"object_refs": gone{}, "objects": map[string]any{
			"0": map[string]any{"type": "domain-name", "value": "example.com", "resolves_to_refs": []any{"1"}},
			"1": map[string]any{"type": "ipv4-addr", "value": "192.0.2.1"}}}, "", ""},
		{"observed by key, as STIX 2.0", "observed-data", change{"object_refs": gone{}, "objects": map[string]any{
			"0": map[string]any{"type": "file", "name": "x", "created": early}, "1": map[string]any{"type": "process", "name": "x", "binary_ref": "0"}}}, "", ""},
		{"observed by key of nothing", "observed-data", change{"object_refs": gone{}, "objects": map[string]any{
			"0": map[string]any{"type": "domain-name", "value": "example.com", "resolves_to_refs": []any{"1"}}}}, "objects.0.resolves_to_refs[0]", "refers to nothing"},
		{"observed a process that says nothing", "observed-data", change{"object_refs": gone{}, "objects": map[string]any{"0": map[string]any{"type": "process"}}},
			"objects.0", "says nothing"},
		{"observed by key, wrongly", "observed-data", change{"object_refs": gone{}, "objects": map[string]any{"0": map[string]any{"type": "ipv4-addr", "value": "x"}}}, "objects.0.value", "is not an IPv4 address"},
		{"observed by key, a campaign", "observed-data", change{"object_refs": gone{}, "objects": map[string]any{"0": map[string]any{
			"type": "campaign", "spec_version": "2.1", "name": "x", "created": early, "modified": early}}}, "objects.0.type", "must be an observable"},
		{"observed a campaign", "observed-data", change{"object_refs": []any{"campaign--00000000-0000-4000-8000-000000000001"}}, "object_refs[0]", "refers to campaign"},
		{"observed a custom observable", "observed-data", change{"object_refs": []any{"x-lens--00000000-0000-4000-8000-000000000001"}}, "", ""},
		{"observed zero times", "observed-data", change{"number_observed": 0}, "number_observed", "from 1 to 999999999"},
		{"observed too often", "observed-data", change{"number_observed": 1000000000}, "number_observed", "from 1 to 999999999"},
		{"last_observed before first", "observed-data", change{"first_observed": late, "last_observed": early}, "last_observed", "must not be before"},
		{"opinion of one's own", "opinion", change{"opinion": "meh"}, "opinion", "strongly-disagree, disagree, neutral, agree or strongly-agree"},
		{"report of nothing", "report", change{"object_refs": empty}, "object_refs", "must not be an empty list"},
		{"relationship to a relationship", "relationship", change{"target_ref": "relationship--00000000-0000-4000-8000-000000000001"}, "target_ref", "refers to relationship"},
		{"relationship from a marking", "relationship", change{"source_ref": "marking-definition--00000000-0000-4000-8000-000000000001"}, "source_ref", "refers to marking-definition"},
		{"relationship from an address", "relationship", change{"source_ref": ip}, "", ""},
		{"relationship in capitals", "relationship", change{"relationship_type": "Uses"}, "relationship_type", "write a-z"},
		{"stop_time as start_time", "relationship", change{"start_time": early, "stop_time": early}, "stop_time", "must be after start_time"},
		{"sighting of an address", "sighting", change{"sighting_of_ref": ip}, "sighting_of_ref", "refers to ipv4-addr"},
		{"sighting never", "sighting", change{"count": 0}, "", ""},
		{"sighting below never", "sighting", change{"count": -1}, "count", "from 0 to 999999999"},
		{"sighting by a campaign", "sighting", change{"where_sighted_refs": []any{"campaign--00000000-0000-4000-8000-000000000001"}}, "where_sighted_refs[0]", "must refer to identity or location"},

		// Observables.
		{"observable with a creation time", "url", change{"created": early}, "created", "is not a property of observables"},
		{"observable with a creator", "url", change{"created_by_ref": "identity--00000000-0000-4000-8000-000000000001"}, "created_by_ref", "is not a property of observables"},
		{"artifact in two ways", "artifact", change{"url": "https://example.com", "hashes": map[string]any{"MD5": strings.Repeat("a", 32)}}, "url", "must not be given beside payload_bin"},
		{"artifact elsewhere without hash", "artifact", change{"payload_bin": gone{}, "url": "https://example.com"}, "hashes", "is required beside url"},
		{"artifact of nothing", "artifact", change{"payload_bin": gone{}}, "", "neither payload_bin nor url"},
		{"artifact with a key to nothing", "artifact", change{"encryption_algorithm": gone{}}, "encryption_algorithm", "is required beside decryption_key"},
		{"artifact of another encryption", "artifact", change{"encryption_algorithm": "rot13"}, "encryption_algorithm", "must be AES-256-GCM"},
		{"artifact of a media type of one's own", "artifact", change{"mime_type": "jpeg"}, "", ""},
		{"MD5 of 31 digits", "file", change{"hashes": map[string]any{"MD5": strings.Repeat("a", 31)}}, "hashes.MD5", "must be 32 hexadecimal digits"},
		{"MD5 in capitals", "file", change{"hashes": map[string]any{"MD5": strings.Repeat("A", 32)}}, "", ""},
		{"TLSH with its version", "file", change{"hashes": map[string]any{"TLSH": "T1" + strings.Repeat("A", 70)}}, "", ""},
		{"hash by an algorithm of one's own", "file", change{"hashes": map[string]any{"WHIRLPOOL": "x"}}, "", ""},
		{"hash by no key", "file", change{"hashes": map[string]any{"SHA 1": "x"}}, "hashes.SHA 1", "is not a key"},
		{"no hashes", "file", change{"hashes": map[string]any{}}, "hashes", "must not be empty"},
		{"file without name and hash", "file", change{"hashes": gone{}, "name": gone{}, "name_enc": gone{}}, "", "at least one"},
		{"file of negative size", "file", change{"size": -1}, "size", "from 0"},
		{"extension that is empty", "file", change{"extensions": map[string]any{"pdf-ext": map[string]any{}}}, "extensions.pdf-ext", "must not be empty"},
		{"extension with nothing of its own", "file", change{"extensions": map[string]any{"pdf-ext": map[string]any{"x_own": 1}}}, "extensions.pdf-ext", "give at least one of"},
		{"domain with a space", "domain-name", change{"value": "exa mple.com"}, "value", "is not a domain name"},
		{"domain in its own script", "domain-name", change{"value": "пример.рф"}, "", ""},
		{"domain that is defanged and says so", "domain-name", change{"value": "example[.]com", "defanged": true}, "", ""},
		{"domain that is defanged and does not", "domain-name", change{"value": "example[.]com"}, "value", "is not a domain name"},
		{"domain that resolves to a file", "domain-name", change{"resolves_to_refs": []any{"file--00000000-0000-4000-8000-000000000001"}}, "resolves_to_refs[0]", "must refer to"},
		{"domain with a label of 64", "domain-name", change{"value": strings.Repeat("a", 64) + ".com"}, "value", "is not a domain name"},
		{"domain with an empty label", "domain-name", change{"value": "example..com"}, "value", "is not a domain name"},
		{"domain with its root", "domain-name", change{"value": "_dmarc.example.com."}, "", ""},
		{"domain of 254", "domain-name", change{"value": strings.Repeat("a.", 126) + "aa"}, "value", "is not a domain name"},
		{"e-mail address at an address", "email-addr", change{"value": "ann@[192.0.2.1]"}, "", ""},
		{"e-mail address with a name", "email-addr", change{"value": "Ann <ann@example.com>"}, "value", "is not an e-mail address"},
		{"e-mail address, quoted", "email-addr", change{"value": `"a b"@example.com`}, "", ""},
		{"body of a multipart message", "email-message", change{"body": "x"}, "body", "use body_multipart"},
		{"body_multipart of a plain message", "email-message", change{"is_multipart": false}, "body_multipart", "use body"},
		{"part without body", "email-message", change{"body_multipart": []any{map[string]any{"content_type": "text/plain"}}}, "body_multipart[0]", "at least one"},
		{"IPv4 with a zero in front", "ipv4-addr", change{"value": "192.0.02.1"}, "value", "is not an IPv4"},
		{"IPv4 network", "ipv4-addr", change{"value": "192.0.2.0/24"}, "", ""},
		{"IPv4 network of 33 bits", "ipv4-addr", change{"value": "192.0.2.0/33"}, "value", "is not an IPv4"},
		{"IPv6 as IPv4", "ipv4-addr", change{"value": "2001:db8::1"}, "value", "is not an IPv4"},
		{"IPv4 as IPv6", "ipv6-addr", change{"value": "192.0.2.1"}, "value", "is not an IPv6"},
		{"IPv6 network", "ipv6-addr", change{"value": "2001:db8::/32"}, "", ""},
		{"MAC in capitals", "mac-addr", change{"value": "D2:FB:49:24:37:18"}, "value", "lower case"},
		{"MAC with hyphens", "mac-addr", change{"value": "d2-fb-49-24-37-18"}, "value", "is not a MAC address"},
		{"traffic from nowhere to nowhere", "network-traffic", change{"src_ref": gone{}, "dst_ref": gone{}}, "", "at least one"},
		{"traffic to a file", "network-traffic", change{"dst_ref": "file--00000000-0000-4000-8000-000000000001"}, "dst_ref", "must refer to"},
		{"traffic that ended and goes on", "network-traffic", change{"is_active": true}, "is_active", "has an end"},
		{"traffic that ends before it starts", "network-traffic", change{"start": late, "end": early}, "end", "must not be before start"},
		{"port 65536", "network-traffic", change{"dst_port": 65536}, "dst_port", "from 0 to 65535"},
		{"header as a string", "network-traffic", change{"extensions": map[string]any{"http-request-ext": map[string]any{
			"request_method": "get", "request_value": "/", "request_header": map[string]any{"Host": "x"}}}}, "extensions.http-request-ext.request_header.Host", "must be a list"},
		{"hex in capitals", "network-traffic", change{"extensions": map[string]any{"tcp-ext": map[string]any{"src_flags_hex": "0A"}}}, "", ""},
		{"hash by two letters", "file", change{"hashes": map[string]any{"X1": "a"}}, "hashes.X1", "3 characters or more"},
		{"encoding of no name", "file", change{"name": gone{}}, "name", "is required beside name_enc"},
		{"executable of a type and no more", "file", change{"extensions": map[string]any{"windows-pebinary-ext": map[string]any{"pe_type": "exe"}}},
			"extensions.windows-pebinary-ext", "beside pe_type"},
		{"executable to the millisecond", "file", change{"extensions": map[string]any{"windows-pebinary-ext": map[string]any{"pe_type": "exe", "time_date_stamp": early}}},
			"extensions.windows-pebinary-ext.time_date_stamp", "without fraction"},
		{"CPE 2.2", "software", change{"cpe": "cpe:/a:microsoft:word"}, "cpe", "version 2.3"},
		{"URL without scheme", "url", change{"value": "//example.com"}, "value", "with its scheme"},
		{"URL with a bare percent", "url", change{"value": "https://example.com/100%"}, "value", "two hexadecimal digits"},
		{"registry key cut short", "windows-registry-key", change{"key": `HKLM\Software`}, "key", "in full"},
		{"registry value of nothing", "windows-registry-key", change{"values": []any{map[string]any{"x_own": 1}}}, "values[0]", "at least one"},
		{"registry value of another type", "windows-registry-key", change{"values": []any{map[string]any{"data_type": "REG_X"}}}, "values[0].data_type", "must be REG_NONE"},

		// Extensions and custom types.
		{"two extensions that make a type", "campaign", change{"type": "x-deal", "extensions": map[string]any{
			extID: map[string]any{"extension_type": "new-sdo"}, strings.Replace(extID, "e1", "e2", 1): map[string]any{"extension_type": "new-sro"}}},
			"extensions." + strings.Replace(extID, "e1", "e2", 1), "a second extension"},
		{"custom extension", "file", change{"extensions": map[string]any{"x-own-ext": map[string]any{"own_value": 1}}}, "", ""},
		{"custom extension of nothing", "file", change{"extensions": map[string]any{"x-own-ext": map[string]any{}}}, "extensions.x-own-ext", "must not be empty"},
		{"extensions of nothing", "file", change{"extensions": map[string]any{}}, "extensions", "must not be empty"},
		{"extension by a name", "campaign", change{"extensions": map[string]any{"mine": map[string]any{"extension_type": "property-extension"}}}, "extensions.mine", "is not an extension"},
		{"extension without type", "campaign", change{"extensions": map[string]any{extID: map[string]any{"rank": 1}}}, "extensions." + extID + ".extension_type", "is required"},
		{"extension of another type", "campaign", change{"extensions": map[string]any{extID: map[string]any{"extension_type": "big"}}}, "extensions." + extID + ".extension_type", "must be new-sdo"},
		{"extension that makes a known type", "campaign", change{"extensions": map[string]any{extID: map[string]any{"extension_type": "new-sdo"}}}, "extensions." + extID + ".extension_type", "type of the standard"},
		{"extension in capitals", "campaign", change{"extensions": map[string]any{strings.Replace(extID, "e1", "E1", 1): map[string]any{"extension_type": "property-extension"}}}, "extensions." + strings.Replace(extID, "e1", "E1", 1), "with capitals"},
		{"new domain object", "campaign", custom("x-deal", "new-sdo", nil), "", ""},
		{"new domain object without version", "campaign", custom("x-deal", "new-sdo", change{"modified": gone{}}), "modified", "is required"},
		{"new observable", "url", custom("lens", "new-sco", nil), "", ""},
		{"new relationship object", "campaign", custom("x-tie", "new-sro", change{"created": gone{}}), "created", "is required"},
		{"custom type with capitals", "campaign", change{"type": "Campaign"}, "type", "is not the name of a type"},
		{"custom type with two hyphens", "campaign", change{"type": "x--y"}, "type", "is not the name of a type"},
		{"reserved type", "campaign", change{"type": "action"}, "type", "keeps for itself"},
		{"bundle as an object", "campaign", change{"type": "bundle"}, "type", "holds them"},

		// Meta objects.
		{"marking with versions", "marking-definition", change{"modified": late}, "modified", "no versions"},
		{"marking without statement", "marking-definition", change{"definition": map[string]any{"text": "x"}}, "definition", "must hold a statement"},
		{"marking that marks itself", "marking-definition", change{"object_marking_refs": []any{"marking-definition--00000000-0000-4000-8000-000000000001"}}, "object_marking_refs", "itself"},
		{"properties of a narrow extension", "extension-definition", change{"extension_types": []any{"property-extension"}}, "extension_properties", "toplevel-property-extension"},
		{"content in no language", "language-content", change{"contents": map[string]any{"not a language": map[string]any{"name": "x"}}}, "contents.not a language", "RFC 5646"},
		{"content of a number", "language-content", change{"contents": map[string]any{"nl": map[string]any{"name": 5}}}, "contents.nl.name", "must be a string"},
	} {
		if v.change["type"] == "x-deal" || v.change["type"] == "x-tie" || v.change["type"] == "lens" {
			v.change["id"] = v.change["type"].(string) + "--00000000-0000-4000-8000-000000000001"
		}
		wants(t, v.typ+", "+v.name, sample(t, v.typ, v.change), v.property, v.text)
	}
}

const extID = "extension-definition--00000000-0000-4000-8000-0000000000e1"

// custom makes a sample one of a type that an extension makes.
func custom(typ, kind string, more change) change {
	c := change{"type": typ, "extensions": map[string]any{extID: map[string]any{"extension_type": kind}}}
	maps.Copy(c, more)
	return c
}

func TestCheckGathersEverything(t *testing.T) {
	raw := []byte(`{
  "type": "indicator",
  "id": "indicator--00000000-0000-4000-8000-000000000001",
  "created": "yesterday",
  "confidence": 200
}`)
	var got []string
	for _, e := range stix.Check(raw) {
		got = append(got, strings.Join([]string{e.Property, e.ID}, " "))
		if want := map[string]int{"created": 4, "confidence": 5}[e.Property]; want > 0 && e.Line != want {
			t.Errorf("%v is of line %d, want %d", e, e.Line, want)
		}
	}
	const id = " indicator--00000000-0000-4000-8000-000000000001"
	want := []string{"created" + id, "confidence" + id, "spec_version" + id, "modified" + id, "pattern" + id, "pattern_type" + id, "valid_from" + id}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrorText(t *testing.T) {
	_, err := stix.Parse(sample(t, "malware", change{"is_family": gone{}}))
	if got, want := err.Error(), "malware--00000000-0000-4000-8000-000000000001: is_family: is required"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHints(t *testing.T) {
	for _, v := range []struct {
		typ      string
		change   change
		property string
	}{
		{"campaign", change{"modified": "2024-04-05T06:07:08Z"}, "modified"},
		{"artifact", change{"mime_type": "jpeg"}, "mime_type"},
		{"file", change{"magic_number_hex": "4D5A"}, "magic_number_hex"},
		{"threat-actor", change{"roles": []any{"spy-in-chief"}}, "roles[0]"},
	} {
		hints := stix.Hints(sample(t, v.typ, v.change))
		if len(hints) != 1 || hints[0].Property != v.property || hints[0].ID == "" {
			t.Errorf("%s: got %v, want a hint at %s", v.typ, hints, v.property)
		}
	}
	for _, raw := range samples(t) {
		if hints := stix.Hints(raw); len(hints) > 0 {
			t.Errorf("%s: %v", typeOf(raw), hints)
		}
	}
}

func TestHintsAreNoErrors(t *testing.T) {
	raw := sample(t, "indicator", change{"indicator_types": []any{"phishy", "benign"}})
	if errs := stix.Check(raw); len(errs) > 0 {
		t.Fatal(errs)
	}
	hints := stix.Hints(raw)
	if len(hints) != 1 || hints[0].Property != "indicator_types[0]" || !strings.Contains(hints[0].Text, "phishy") {
		t.Errorf("got %v, want one hint at indicator_types[0]", hints)
	}
	if hints := stix.Hints([]byte(`{"type":"indicator"}`)); hints != nil {
		t.Errorf("hints on an object that is wrong: %v", hints)
	}
}
