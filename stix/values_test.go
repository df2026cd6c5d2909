package stix_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polder-exchange/polder/stix"
)

// TestTimestamps is S10 of the threat notes where it concerns reading.
func TestTimestamps(t *testing.T) {
	for in, want := range map[string]string{ // the instant, or "" where it is refused
		"2024-03-05T06:07:08Z":                                   "2024-03-05T06:07:08.000Z",
		"2024-03-05T06:07:08.0Z":                                 "2024-03-05T06:07:08.000Z",
		"2024-03-05T06:07:08.1200Z":                              "2024-03-05T06:07:08.120Z",
		"2024-03-05T06:07:08.123456Z":                            "2024-03-05T06:07:08.123456Z",
		"2024-03-05T06:07:08.10000000000000000000000000000001Z":  "2024-03-05T06:07:08.10000000000000000000000000000001Z",
		"2024-03-05T06:07:08.100000000000000000000000000000010Z": "",
		"0000-01-01T00:00:00Z":                                   "0000-01-01T00:00:00.000Z",
		"9999-12-31T23:59:59.999999999Z":                         "9999-12-31T23:59:59.999999999Z",
		"2016-12-31T23:59:60Z":                                   "2016-12-31T23:59:60.000Z",
		"2024-02-29T00:00:00Z":                                   "2024-02-29T00:00:00.000Z",
		"2000-02-29T00:00:00Z":                                   "2000-02-29T00:00:00.000Z",
		"2023-02-29T00:00:00Z":                                   "",
		"1900-02-29T00:00:00Z":                                   "",
		"2024-04-31T00:00:00Z":                                   "",
		"2024-00-10T00:00:00Z":                                   "",
		"2024-13-10T00:00:00Z":                                   "",
		"2024-01-00T00:00:00Z":                                   "",
		"2024-01-01T24:00:00Z":                                   "",
		"2024-01-01T00:60:00Z":                                   "",
		"2024-01-01T00:00:60Z":                                   "",
		"2024-01-01T00:00:61Z":                                   "",
		"2024-01-01T00:00:00":                                    "",
		"2024-01-01T00:00:00z":                                   "",
		"2024-01-01t00:00:00Z":                                   "",
		"2024-01-01 00:00:00Z":                                   "",
		"2024-01-01T00:00:00+00:00":                              "",
		"2024-01-01T00:00:00.Z":                                  "",
		"2024-01-01T00:00:00,5Z":                                 "",
		"2024-01-01T00:00:00.5 Z":                                "",
		"2024-01-01T00:00Z":                                      "",
		"2024-01-01":                                             "",
		"+024-01-01T00:00:00Z":                                   "",
		"20240101T000000Z":                                       "",
		"":                                                       "",
		"Z":                                                      "",
		"2024-01-01T00:00:00.٣Z":                                 "",
		"12024-01-01T00:00:00Z":                                  "",
		"-2024-01-01T00:00:00Z":                                  "",
		"2024-01-01T00:00:00.123456789012345678901234567890123" + "Z": "",
	} {
		got, err := stix.ParseTimestamp(in)
		if got.Instant() != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", in, got.Instant(), err, want)
		}
		if err == nil && got.Text != in {
			t.Errorf("%q: the text became %q", in, got.Text)
		}
		if err != nil && len(err.Error()) < 20 {
			t.Errorf("%q: the error is %q", in, err)
		}
	}
	leap, _ := stix.ParseTimestamp("2016-12-31T23:59:60.25Z")
	if want := time.Date(2017, 1, 1, 0, 0, 0, 25e7, time.UTC); !leap.Time.Equal(want) {
		t.Errorf("the leap second is at %v, want %v", leap.Time, want)
	}
	if !(stix.Timestamp{}).IsZero() || leap.IsZero() || (stix.Timestamp{}).Instant() != "" {
		t.Error("no timestamp is none")
	}
}

func TestFormatTime(t *testing.T) {
	for want, in := range map[string]time.Time{
		"2024-03-05T06:07:08.000Z":       time.Date(2024, 3, 5, 8, 7, 8, 0, time.FixedZone("", 2*3600)),
		"2024-03-05T06:07:08.120Z":       time.Date(2024, 3, 5, 6, 7, 8, 12e7, time.UTC),
		"2024-03-05T06:07:08.000000001Z": time.Date(2024, 3, 5, 6, 7, 8, 1, time.UTC),
	} {
		if got := stix.FormatTime(in); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62e9, 253e9).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano")).UTC()
		back, err := stix.ParseTimestamp(stix.FormatTime(at))
		if err != nil || !back.Time.Equal(at) || back.Instant() != back.Text {
			t.Fatalf("%v became %v, %v", at, back, err)
		}
	})
}

func TestIdentifiers(t *testing.T) {
	for id, typ := range map[string]string{
		"url--00000000-0000-4000-8000-000000000001":                         "url",
		"x-some-lens2--ffffffff-ffff-1fff-bfff-ffffffffffff":                "x-some-lens2",
		"url--ABCDEFAB-CDEF-5ABC-ADEF-ABCDEFABCDEF":                         "url",
		strings.Repeat("a", 250) + "--00000000-0000-4000-8000-000000000001": strings.Repeat("a", 250),
		strings.Repeat("a", 251) + "--00000000-0000-4000-8000-000000000001": "",
		"ur--00000000-0000-4000-8000-000000000001":                          "",
		"URL--00000000-0000-4000-8000-000000000001":                         "",
		"2url--00000000-0000-4000-8000-000000000001":                        "",
		"-url--00000000-0000-4000-8000-000000000001":                        "",
		"url---00000000-0000-4000-8000-000000000001":                        "",
		"x--url--00000000-0000-4000-8000-000000000001":                      "",
		"url--00000000-0000-0000-8000-000000000001":                         "",
		"url--00000000-0000-6000-8000-000000000001":                         "",
		"url--00000000-0000-4000-7000-000000000001":                         "",
		"url--00000000-0000-4000-c000-000000000001":                         "",
		"url--00000000-0000-4000-8000-00000000000g":                         "",
		"url--00000000-0000-4000-8000-0000000000":                           "",
		"url--00000000-0000-4000-8000-000000000001 ":                        "",
		"url--000000000000-4000-8000-0000-00000001":                         "",
		"url--{0000000-0000-4000-8000-00000000001}":                         "",
		"--00000000-0000-4000-8000-000000000001":                            "",
		"":                                                                  "",
		"url":                                                               "",
	} {
		if got := stix.TypeOf(id); got != typ || stix.ValidID(id) != (typ != "") {
			t.Errorf("%q is of %q, want %q", id, got, typ)
		}
	}
	seen := make(map[string]bool)
	for range 1000 {
		id := stix.NewID("campaign")
		if stix.TypeOf(id) != "campaign" || id[len("campaign--")+14] != '4' || seen[id] {
			t.Fatalf("made %s", id)
		}
		seen[id] = true
	}
}

// TestObservableIDs is rule X15: the ids of testdata/samples.jsonl were made by another implementation (Python's uuid and
// json), those here are printed in the standard.
func TestObservableIDs(t *testing.T) {
	n := 0
	for _, raw := range samples(t) {
		o := parse(t, raw)
		if !o.IsObservable() || o.Type == "process" {
			continue
		}
		n++
		if id, err := stix.ObservableID(raw); id != o.ID || err != nil {
			t.Errorf("%s: got %s, %v", o.ID, id, err)
		}
	}
	if n < 18 {
		t.Errorf("%d observables have ids of their properties", n)
	}
	for raw, want := range map[string]string{
		`{"type":"ipv4-addr","value":"198.51.100.3"}`:                           "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
		`{"value":"\u003198.51.100.3","type":"ipv4-addr","x":1}`:                "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
		`{"type":"ipv6-addr","value":"2001:0db8::/96"}`:                         "ipv6-addr--084d3b4c-7785-568a-a569-0c61c95754ab",
		`{"type":"domain-name","value":"example.com"}`:                          "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7",
		`{"type":"autonomous-system","number":15139,"name":"Slime Industries"}`: "autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff",
		`{"type":"directory","path":"C:\\Windows\\System32"}`:                   "directory--0a58d0c1-59e6-5afd-8252-dcd3f13e5622",
		`{"type":"email-addr","value":"john@example.com","display_name":"J"}`:   "email-addr--7165e2a9-671f-585d-b1e1-ca59c671d934",
		`{"type":"mac-addr","value":"d2:fb:49:24:37:18"}`:                       "mac-addr--757b1725-9903-54f5-a855-1240691d7659",
		`{"type":"mutex","name":"__CLEANSWEEP__"}`:                              "mutex--f93fe911-e545-5239-b9b0-597840d0c871",
		`{"type":"url","value":"https://example.com/research/index.html"}`:      "url--47c3cf9a-5027-5bf0-997a-017c7edc7c55",
		`{"type":"file","size":25536,"name":"foo.dll","hashes":{"SHA-256":"fe90a7e910cb3a4739bed9180e807e93fa70c90f25a8915476f5e4bfbac681db"}}`: "file--949eb97a-da1e-5292-8959-03c4249dc9f3",
		`{"type":"file","name":"qu\u00eary.dll","hashes":{"SHA-256":"841a8921140aba50671ebb0770fecc4ee308c4952cfeff8de154ab14eeef4649"}}`:       "file--7d1e3a18-89e7-5bc5-be36-9879f5b7f5c8",
		`{"type":"software","name":"Word","cpe":"cpe:2.3:a:microsoft:word:2000:*:*:*:*:*:*:*","version":"2002","vendor":"Microsoft"}`:           "software--710b0b41-d4d0-5d6c-a400-fc9254554ffc",
	} {
		if got, err := stix.ObservableID([]byte(raw)); got != want || err != nil {
			t.Errorf("%s: got %s, %v; want %s", raw, got, err, want)
		}
	}
	file := func(hashes string) string {
		id, err := stix.ObservableID([]byte(`{"type":"file","hashes":{` + hashes + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if file(`"SHA-256":"b","MD5":"a","SSDEEP":"c"`) != file(`"MD5":"a"`) || file(`"SHA-512":"b","SHA-1":"a"`) != file(`"SHA-1":"a"`) {
		t.Error("the first hash by preference does not decide")
	}
	if file(`"TLSH":"b","SSDEEP":"a"`) != file(`"SSDEEP":"a"`) {
		t.Error("without a preferred hash the first by name does not decide")
	}
	for _, raw := range []string{
		`{"type":"process","pid":5}`, `{"type":"file","size":5}`, `{"type":"campaign","name":"x"}`, `{"type":"x-lens"}`, `{}`, `[]`, `{`,
		`{"type":"autonomous-system","number":1e400}`,
	} {
		if id, err := stix.ObservableID([]byte(raw)); err == nil {
			t.Errorf("%s: got %s", raw, id)
		}
	}
	wants(t, "another's id", []byte(`{"type":"ipv4-addr","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"198.51.100.4"}`),
		"id", "must be the one of its properties, ipv4-addr--")
	wants(t, "capitals", []byte(`{"type":"ipv4-addr","id":"ipv4-addr--28BB3599-77CD-5A82-A950-B5BC3CAF07C4","value":"198.51.100.3"}`), "", "")
	wants(t, "a process", []byte(`{"type":"process","id":"process--ff26c055-6336-5bc5-b98d-13d6226742dd","pid":5}`), "id", "use one of version 4")
	wants(t, "a custom observable", []byte(`{"type":"x-lens","id":"x-lens--ff26c055-6336-5bc5-b98d-13d6226742dd","x_focus":5}`), "", "")
}
