package pattern

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/testdata"
)

// matcherVector is a case of the OASIS matcher.
type matcherVector struct {
	Pattern, Version, Test, Outcome, Error string
	Observed                               []json.RawMessage
	Match                                  *bool
	Matched                                []string
}

// windows are the times that the tests of temporal qualifiers set; the recorded vectors hold those of the last test
// only, since the tests change one list in place.
var windows = map[string][3][2]string{
	"test_temp_qual": {{"1994-11-29T13:37:52Z", "1994-11-29T13:37:52Z"}, {"1994-11-29T13:37:57Z", "1994-11-29T13:37:57Z"}, {"1994-11-29T13:38:02Z", "1994-11-29T13:38:02Z"}},
}

// intervalsOf are the times of the two first observations in a test named test_within_match[interval10-interval20-1],
// in seconds of one minute.
var intervalsOf = map[string][][4]int{
	"test_within_match":   {{0, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 0, 1}, {0, 1, 1, 2}, {0, 1, 2, 3}, {0, 3, 1, 2}, {0, 2, 1, 3}, {0, 1, 3, 4}},
	"test_within_nomatch": {{0, 1, 3, 4}, {0, 0, 3, 4}, {0, 1, 4, 4}},
}

// restore gives the observations of a test of temporal qualifiers the times that the test gave them.
func restore(t *testing.T, v *matcherVector, seen []*Observed) {
	name := v.Test[strings.Index(v.Test, "::")+2:]
	at := windows["test_temp_qual"]
	for kind, all := range intervalsOf {
		if strings.HasPrefix(name, kind+"[") {
			i := name[len(kind)+len("[interval1")] - '0'
			second := func(s int) string { return "2000-01-01T00:00:0" + string(rune('0'+s)) + "Z" }
			x := all[i]
			at[0], at[1] = [2]string{second(x[0]), second(x[1])}, [2]string{second(x[2]), second(x[3])}
		}
	}
	for i, o := range seen {
		var ok, also bool
		o.First, ok = instant(at[i][0])
		o.Last, also = instant(at[i][1])
		if !ok || !also {
			t.Fatalf("%s: bad times %v", name, at[i])
		}
	}
}

// TestMatcherVectors: the verdict of the OASIS matcher for 2.1, and where it raises an error, an error.
func TestMatcherVectors(t *testing.T) {
	judged, bound := 0, 0
	eachLine(t, func(line []byte) {
		var v matcherVector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		if v.Version != "2.1" || v.Outcome != "passed" {
			return
		}
		judged++
		list, err := json.Marshal(v.Observed)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := ReadObserved(bytes.NewReader(list), 0)
		if err != nil {
			t.Fatalf("%s: %v", v.Test, err)
		}
		if strings.Contains(v.Test, "test_temporal_qualifiers") {
			restore(t, &v, seen)
		}
		got, err := matchText(v.Pattern, seen)
		switch {
		case v.Match == nil && err == nil:
			t.Errorf("%s: got %v, want an error as %q", v.Pattern, got, v.Error)
		case v.Match != nil && err != nil:
			t.Errorf("%s: %v", v.Pattern, err)
		case v.Match != nil && *v.Match != (len(got) > 0):
			t.Errorf("%s (%s): got %v, want match %v", v.Pattern, v.Test, got, *v.Match)
		}
		if v.Match != nil && *v.Match && !strings.Contains(v.Test, "test_within") {
			bound++
			var ids []string
			for _, i := range got {
				ids = append(ids, seen[i].ID)
			}
			if strings.Join(ids, " ") != strings.Join(v.Matched, " ") {
				t.Errorf("%s bound %v, the vector names %v", v.Pattern, ids, v.Matched)
			}
		}
	}, "pattern", "matcher_vectors.jsonl.gz")
	if judged < 400 || bound < 150 {
		t.Fatalf("only %d vectors of 2.1 were judged, %d with a binding", judged, bound)
	}
}

func matchText(text string, seen []*Observed) ([]int, error) {
	p, err := Parse(text)
	if err != nil {
		return nil, err
	}
	m, err := Compile(p)
	if err != nil {
		return nil, err
	}
	return m.Match(seen)
}

// stricter are the cases of the fixtures that the standard decides otherwise; see docs/decisions/013-pattern-differences.md.
var stricter = map[string]bool{
	"file:extensions.raster-image-ext.image_height":       true,
	"file:extensions.raster-image-ext.image_width":        true,
	"file:extensions.raster-image-ext.bits_per_pixel":     true,
	"network-traffic:extensions.socket-ext.is_listening":  true,
	"process:extensions.windows-process-ext.aslr_enabled": true,
}

// TestFieldFixtures: every property of every cyber-observable object is found.
func TestFieldFixtures(t *testing.T) {
	dir := testdata.File(t, "pattern", "rstix-fixtures", "pattern", "sco-fields")
	var cases []struct {
		ID, Pattern string
		File        string `json:"sco_file"`
		Bundle      string `json:"bundle_file"`
		Expect      bool
	}
	read := func(name string) []byte {
		raw, err := os.ReadFile(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if err := json.Unmarshal(read("manifest.json"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 276 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		seen, err := ReadObserved(strings.NewReader(observedOf(t, read(c.File), read(c.Bundle))), 0)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		got, err := matchText(c.Pattern, seen)
		if err != nil || (len(got) > 0) != (c.Expect && !stricter[c.ID]) {
			t.Errorf("%s: %s: got %v, %v", c.ID, c.Pattern, got, err)
		}
	}
}

// observedOf is a bundle with an observation of one object, among the objects of another bundle.
func observedOf(t *testing.T, object, bundle []byte) string {
	var o struct{ ID string }
	var b struct{ Objects []json.RawMessage }
	if json.Unmarshal(object, &o) != nil || json.Unmarshal(bundle, &b) != nil {
		t.Fatal("the fixture is no JSON")
	}
	objects := append([]json.RawMessage{object}, b.Objects...)
	objects = append(objects, json.RawMessage(`{"type":"observed-data","id":"observed-data--1","first_observed":"2024-01-01T00:00:00Z",`+
		`"last_observed":"2024-01-01T00:00:00Z","number_observed":1,"object_refs":["`+o.ID+`"]}`))
	raw, err := json.Marshal(map[string]any{"type": "bundle", "objects": objects})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestEvaluationFixtures: the examples of section 9.8 against data made for them, each object an observation.
func TestEvaluationFixtures(t *testing.T) {
	const dir = "rstix-fixtures/pattern/eval"
	for _, c := range []struct {
		pattern string
		times   string   // seconds after the first, one for each object
		files   []string // objects
		bundle  string
		want    bool
	}{
		{`[email-message:from_ref.value MATCHES '.+\\@example\\.com$' AND email-message:body_multipart[*].body_raw_ref.name MATCHES '^Final Report.+\\.exe$']`,
			"0", []string{"spec-9-8-email-bundle-email-message"}, "spec-9-8-email-bundle", true},
		{`[artifact:mime_type = 'application/vnd.tcpdump.pcap' AND artifact:payload_bin MATCHES '\\xd4\\xc3\\xb2\\xa1\\x02\\x00\\x04\\x00']`,
			"0", []string{"artifact-pcap-payload"}, "", true},
		{`[artifact:payload_bin = h'd4c3b2a102000400']`, "0", []string{"artifact-pcap-payload"}, "", true},
		{`[file:name = 'foo.dll' AND file:parent_directory_ref.path = 'C:\\Windows\\System32']`, "0",
			[]string{"spec-9-8-file-parent-bundle-file"}, "spec-9-8-file-parent-bundle", true},
		{`[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]`, "0", []string{"file-with-pe-ext-embedded"}, "", false},
		{`[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 0.05]`, "0", []string{"file-with-pe-ext-embedded"}, "", true},
		{`[file:mime_type = 'image/bmp' AND file:magic_number_hex = h'ffd8']`, "0", []string{"file-bmp-magic"}, "", true},
		{`[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.33']`, "0",
			[]string{"spec-9-8-network-traffic"}, "spec-9-8-network-bundle", true},
		{`[network-traffic:dst_ref.value = '203.0.113.33/32']`, "0", []string{"spec-9-8-network-traffic"}, "spec-9-8-network-bundle", false},
		{`[domain-name:value = 'www.5z8.info' AND domain-name:resolves_to_refs[*].value = '198.51.100.1']`, "0",
			[]string{"spec-9-8-domain-name"}, "spec-9-8-domain-bundle", true},
		{`[url:value = 'http://example.com/foo' OR url:value = 'http://example.com/bar']`, "0", []string{"url-example-foo"}, "", true},
		{`[x509-certificate:issuer = 'CN=WEBMAIL' AND x509-certificate:serial_number = '4c:0b:1d:19:74:86:a7:66:b4:1a:bf:40:27:21:76:28']`, "0",
			[]string{"x509-webmail"}, "", true},
		{`[(file:name = 'pdf.exe' OR file:size = 371712) AND file:created = t'2014-01-13T07:03:17Z']`, "0", []string{"file-with-ctime"}, "", true},
		{`[x-usb-device:usbdrive.serial_number = '575833314133343231313937']`, "0", []string{"custom-usb-device"}, "", true},
		{`[network-traffic:dst_ref.value ISSUBSET '2001:0db8:dead:beef:0000:0000:0000:0000/64']`, "0",
			[]string{"spec-9-8-ipv6-network-traffic"}, "spec-9-8-ipv6-network-bundle", true},
		{`[network-traffic:src_ref.value = '203.0.113.10' AND network-traffic:dst_ref.value = '198.51.100.58']`, "0",
			[]string{"spec-9-5-both-refs-nt"}, "spec-9-5-both-refs-bundle", true},
		{`[network-traffic:src_ref.value = '203.0.113.10' AND network-traffic:dst_ref.value = '198.51.100.58']`, "01",
			[]string{"spec-9-5-split-refs-nt-src", "spec-9-5-split-refs-nt-dst"}, "spec-9-5-split-refs-bundle", false},
		{`[network-traffic:src_ref.value = '203.0.113.10'] AND [network-traffic:dst_ref.value = '198.51.100.58']`, "01",
			[]string{"spec-9-5-split-refs-nt-src", "spec-9-5-split-refs-nt-dst"}, "spec-9-5-split-refs-bundle", true},
		{`([file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] FOLLOWEDBY [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\foo\\bar']) WITHIN 3 SECONDS`,
			"02", []string{"level23-file-md5", "registry-foo-bar"}, "", true},
		{`([file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] FOLLOWEDBY [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\foo\\bar']) WITHIN 3 SECONDS`,
			"20", []string{"level23-file-md5", "registry-foo-bar"}, "", false},
		{`([file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] FOLLOWEDBY [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\foo\\bar']) WITHIN 3 SECONDS`,
			"05", []string{"level23-file-md5", "registry-foo-bar"}, "", false},
		{`[user-account:account_login = 'Peter'] AND [user-account:account_login = 'Paul'] AND [user-account:account_login = 'Mary']`,
			"012", []string{"user-peter", "user-paul", "user-mary"}, "", true},
		{`[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'example.com'] REPEATS 3 TIMES WITHIN 4 SECONDS`,
			"024", []string{"level23-network-a", "level23-network-b", "level23-network-c"}, "spec-9-8-level23-network-bundle", true},
		{`[network-traffic:dst_ref.value = 'example.com'] REPEATS 3 TIMES WITHIN 4 SECONDS`,
			"025", []string{"level23-network-a", "level23-network-b", "level23-network-c"}, "spec-9-8-level23-network-bundle", false},
		{`[process:command_line MATCHES '^.+>-add GlobalSign.cer -c -s -r localMachine Root$'] FOLLOWEDBY [process:command_line MATCHES'^.+>-add GlobalSign.cer -c -s -r localMachineTrustedPublisher$'] WITHIN 300 SECONDS`,
			"02", []string{"process-globalsign-root", "process-globalsign-publisher"}, "", true},
		{`([file:name = 'foo.dll'] AND [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\foo\\bar']) OR [process:image_ref.name = 'fooproc']`,
			"01", []string{"level23-file-foo-dll", "registry-foo-bar"}, "spec-9-8-level23-or-bundle", true},
	} {
		var objects []string
		for i, name := range c.files {
			raw, err := os.ReadFile(testdata.File(t, "pattern", dir, name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var o struct{ ID string }
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatal(err)
			}
			at := `"2024-01-01T00:00:0` + c.times[i:i+1] + `Z"`
			objects = append(objects, string(raw), `{"type":"observed-data","first_observed":`+at+`,"last_observed":`+at+`,"object_refs":["`+o.ID+`"]}`)
		}
		if c.bundle != "" {
			raw, err := os.ReadFile(testdata.File(t, "pattern", dir, c.bundle+".json"))
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, string(raw))
		}
		seen, err := ReadObserved(strings.NewReader("["+strings.Join(objects, ",")+"]"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := matchText(c.pattern, seen); err != nil || (len(got) > 0) != c.want {
			t.Errorf("%s against %v: got %v, %v, want %v", c.pattern, c.files, got, err, c.want)
		}
	}
}

// TestExamplesCompile: what the standard shows can be matched.
func TestExamplesCompile(t *testing.T) {
	compiled := 0
	eachLine(t, func(line []byte) {
		p := mustParse(t, string(line))
		if _, err := Compile(p); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		compiled++
	}, "pattern", "spec_examples_v21.txt")
	if compiled != 23 {
		t.Errorf("%d examples", compiled)
	}
}
