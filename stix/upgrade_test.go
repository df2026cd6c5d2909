package stix_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/stix"
)

const head20 = `"id":"TYPE--00000000-0000-4000-8000-000000000001","created":"2017-03-05T06:07:08.123Z","modified":"2017-03-05T06:07:08.123Z"`

func object20(typ, more string) string {
	return `{"type":"` + typ + `",` + strings.Replace(head20, "TYPE", typ, 1) + more + `}`
}

func object21(typ, more string) string {
	return `{"type":"` + typ + `","spec_version":"2.1",` + strings.Replace(head20, "TYPE", typ, 1) + more + `}`
}

// TestUpgrade has, for each thing that changed from STIX 2.0 to 2.1, the object before and after. All of them are sound.
func TestUpgrade(t *testing.T) {
	observed := `,"first_observed":"2017-03-05T06:07:08Z","last_observed":"2017-03-05T06:07:08Z","number_observed":1,"objects":`
	for _, v := range []struct{ name, typ, old, new string }{
		{"a plain object", "attack-pattern", `,"name":"x","labels":["kept"]`, `,"name":"x","labels":["kept"]`},
		{"indicator", "indicator", `,"labels":["malicious-activity"],"pattern":"[file:name = 'a']","valid_from":"2017-03-05T06:07:08Z"`,
			`,"indicator_types":["malicious-activity"],"pattern":"[file:name = 'a']","valid_from":"2017-03-05T06:07:08Z","pattern_type":"stix"`},
		{"times in a pattern", "indicator", `,"labels":["x"],"pattern":"[file:name = 'START \\'x\\' START '] START '2017-01-01T00:00:00Z' STOP  '2018-01-01T00:00:00Z'","valid_from":"2017-03-05T06:07:08Z"`,
			`,"indicator_types":["x"],"pattern":"[file:name = 'START \\'x\\' START '] START t'2017-01-01T00:00:00Z' STOP  t'2018-01-01T00:00:00Z'","valid_from":"2017-03-05T06:07:08Z","pattern_type":"stix"`},
		{"times in a pattern that are of 2.1", "indicator", `,"labels":["x"],"pattern":"[a:b = 'c'] START t'2017-01-01T00:00:00Z' STOP t'2018-01-01T00:00:00Z'","valid_from":"2017-03-05T06:07:08Z"`,
			`,"indicator_types":["x"],"pattern":"[a:b = 'c'] START t'2017-01-01T00:00:00Z' STOP t'2018-01-01T00:00:00Z'","valid_from":"2017-03-05T06:07:08Z","pattern_type":"stix"`},
		{"malware", "malware", `,"name":"x","labels":["trojan"]`, `,"name":"x","malware_types":["trojan"],"is_family":true`},
		{"report", "report", `,"name":"x","labels":["campaign"],"published":"2017-03-05T06:07:08Z","object_refs":["campaign--00000000-0000-4000-8000-000000000001"]`,
			`,"name":"x","report_types":["campaign"],"published":"2017-03-05T06:07:08Z","object_refs":["campaign--00000000-0000-4000-8000-000000000001"]`},
		{"threat actor", "threat-actor", `,"name":"x","labels":["spy"]`, `,"name":"x","threat_actor_types":["spy"]`},
		{"tool", "tool", `,"name":"x","labels":["remote-access"]`, `,"name":"x","tool_types":["remote-access"]`},
		{"identity", "identity", `,"name":"x","identity_class":"group","labels":["CEO"]`, `,"name":"x","identity_class":"group","roles":["CEO"]`},
		{"a property that is there already", "tool", `,"name":"x","labels":["a"],"tool_types":["b"]`, `,"name":"x","labels":["a"],"tool_types":["b"]`},
		{"a custom type", "x-lens", `,"x_focus":1.0`, `,"x_focus":1.0`},
		{"observables", "observed-data", observed + `{"0":{"type":"file","hashes":{"ssdeep":"3:a:b","MD5":"79054025255fb1a26e4bc422aef54eb4"},"created":"2017-03-05T06:07:08Z","modified":"2017-03-05T06:07:08Z","accessed":"2017-03-05T06:07:08Z"},` +
			`"1":{"type":"process","name":"x.exe","arguments":["-a","b"],"created":"2017-03-05T06:07:08Z","binary_ref":"0"},` +
			`"2":{"type":"windows-registry-key","key":"HKEY_USERS\\x","modified":"2017-03-05T06:07:08Z"},"3":{"type":"user-account","user_id":"x","password_last_changed":"2017-03-05T06:07:08Z"},` +
			`"4":{"type":"ipv4-addr","value":"192.0.2.1"},"5":{"type":"network-traffic","src_ref":"4","protocols":["tcp"],"extensions":{"http-request-ext":{"request_method":"get","request_value":"/","request_header":{"Host":"x","Accept":["a"]}}}},` +
			`"6":{"type":"process","pid":5,"command_line":"x"},"7":{"type":"directory","path":"/","created":"2017-03-05T06:07:08Z"}}`,
			observed + `{"0":{"type":"file","hashes":{"SSDEEP":"3:a:b","MD5":"79054025255fb1a26e4bc422aef54eb4"},"ctime":"2017-03-05T06:07:08Z","mtime":"2017-03-05T06:07:08Z","atime":"2017-03-05T06:07:08Z"},` +
				`"1":{"type":"process","x_name":"x.exe","x_arguments":["-a","b"],"created_time":"2017-03-05T06:07:08Z","image_ref":"0","command_line":"x.exe -a b"},` +
				`"2":{"type":"windows-registry-key","key":"HKEY_USERS\\x","modified_time":"2017-03-05T06:07:08Z"},"3":{"type":"user-account","user_id":"x","credential_last_changed":"2017-03-05T06:07:08Z"},` +
				`"4":{"type":"ipv4-addr","value":"192.0.2.1"},"5":{"type":"network-traffic","src_ref":"4","protocols":["tcp"],"extensions":{"http-request-ext":{"request_method":"get","request_value":"/","request_header":{"Host":["x"],"Accept":["a"]}}}},` +
				`"6":{"type":"process","pid":5,"command_line":"x"},"7":{"type":"directory","path":"/","ctime":"2017-03-05T06:07:08Z"}}`},
		{"relationship", "relationship", `,"relationship_type":"uses","source_ref":"campaign--00000000-0000-4000-8000-000000000001","target_ref":"tool--00000000-0000-4000-8000-000000000001"`,
			`,"relationship_type":"uses","source_ref":"campaign--00000000-0000-4000-8000-000000000001","target_ref":"tool--00000000-0000-4000-8000-000000000001"`},
	} {
		old, want := object20(v.typ, v.old), object21(v.typ, v.new)
		if !stix.IsSTIX20([]byte(old)) || stix.IsSTIX20([]byte(want)) {
			t.Errorf("%s: not told apart", v.name)
		}
		got, err := stix.Upgrade20([]byte(old))
		if err != nil || string(got) != want {
			t.Errorf("%s: got  %s, %v\nwant %s", v.name, got, err, want)
			continue
		}
		if again, err := stix.Upgrade20(got); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: the second time %s, %v", v.name, again, err)
		}
		if spaced, err := stix.Upgrade20([]byte(strings.Replace(old, `,"`, ` , "`, 3))); err != nil || digest(t, parse(t, spaced)) != digest(t, parse(t, got)) {
			t.Errorf("%s: not equal to the same with white space: %s", v.name, spaced)
		}
	}
}

func TestUpgradeMarkings(t *testing.T) {
	tlp := strings.Replace(strings.Replace(old(oldAmber, "amber"), `"spec_version":"2.1",`, "", 1), `"name":"TLP:AMBER",`, "", 1)
	got, err := stix.Upgrade20([]byte(tlp))
	if err != nil || parse(t, got).ID != oldAmber {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestUpgradeBundle(t *testing.T) {
	in := `{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","spec_version":"2.0","objects":[` +
		object20("tool", `,"name":"x","labels":["a"]`) + "," + object21("campaign", `,"name":"x"`) + "]}"
	want := `{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[` +
		object21("tool", `,"name":"x","tool_types":["a"]`) + "," + object21("campaign", `,"name":"x"`) + "]}"
	got, err := stix.Upgrade20([]byte(in))
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestUpgradeLeavesTheRest(t *testing.T) {
	for _, raw := range []string{
		`{}`, `[]`, `5`, `"x"`, ` {"type":5} `, url(1), object21("campaign", ""), `{"created":"x"}`,
		`{"type":"bundle","id":"x","objects":[]}`,
	} {
		got, err := stix.Upgrade20([]byte(raw))
		if err != nil || string(got) != strings.TrimSpace(raw) || stix.IsSTIX20([]byte(raw)) {
			t.Errorf("%s became %s, %v", raw, got, err)
		}
	}
	for _, raw := range []string{`{"type":"tool","type":"tool"}`, `{`, ``} {
		if got, err := stix.Upgrade20([]byte(raw)); err == nil || stix.IsSTIX20([]byte(raw)) {
			t.Errorf("%s became %s", raw, got)
		}
	}
	// Not sound as STIX, and left to Parse.
	for _, raw := range []string{
		`{"type":"observed-data","created":"x","objects":[]}`, `{"type":"observed-data","created":"x","objects":{"0":{},"1":5,"2":{"hashes":5},"3":{"hashes":{}}}}`,
		`{"type":"indicator","created":"x","pattern":5}`, `{"type":"indicator","created":"x","pattern":"START '"}`, `{"type":"bundle","spec_version":"2.0","objects":5}`,
	} {
		got, err := stix.Upgrade20([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if _, err := stix.Parse(got); err == nil {
			t.Errorf("%s became sound: %s", raw, got)
		}
	}
}
