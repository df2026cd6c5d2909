package event

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/polder-exchange/polder/internal/testdata"
)

// march is the time at which the samples are read, for dates without a year.
var march = time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)

// textSamples are the files of testdata/text and their formats.
var textSamples = map[string]Format{
	"zeek-two-headers.log": ZeekTSV, "zeek.ndjson": ZeekJSON, "x509.log.json": ZeekJSON, "eve.ndjson": EVE,
	"syslog-rfc5424.log": Syslog, "syslog-rfc3164.log": Syslog, "syslog-cisco.log": Syslog, "syslog-firewalls.log": Syslog,
	"cef.log": CEF, "auditd.log": Auditd, "access.log": WebLog, "iis.log": W3C, "firewall.csv": FirewallCSV, "table.csv": CSV, "windows.csv": CSV,
	"wevtutil.xml": Wevtutil, "wevtutil-root.xml": Wevtutil, "sysmon.evtx.gz": EVTX,
}

// TestGoldenText reads each sample of a text format and compares every event, field and refusal with its golden file.
func TestGoldenText(t *testing.T) {
	files, err := filepath.Glob("testdata/text/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range files {
		if strings.HasSuffix(path, ".golden") {
			continue
		}
		if n++; textSamples[filepath.Base(path)] == "" {
			t.Errorf("%s is in no test", path)
		}
		t.Run(filepath.Base(path), func(t *testing.T) { goldenText(t, path) })
	}
	if n != len(textSamples) {
		t.Errorf("%d samples of %d", n, len(textSamples))
	}
}

func goldenText(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Name: filepath.Base(path), Now: march}
	got := dump(t, data, o)
	golden := path + ".golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", path, got, want)
	}
}

// TestTextPiecemeal: where the stream is cut between two reads changes nothing.
func TestTextPiecemeal(t *testing.T) {
	for file, format := range textSamples {
		data, err := os.ReadFile(filepath.Join("testdata", "text", file))
		if err != nil {
			t.Fatal(err)
		}
		whole, wrong, s := readAll(t, bytes.NewReader(data), Options{Name: file, Now: march})
		if s.Format() != format {
			t.Errorf("%s is taken for %s", file, s.Format())
		}
		for name, r := range map[string]io.Reader{
			"a byte at a time": iotest.OneByteReader(bytes.NewReader(data)),
			"by halves":        iotest.HalfReader(bytes.NewReader(data)),
			"with the error":   iotest.DataErrReader(bytes.NewReader(data)),
		} {
			pieces, bad, _ := readAll(t, r, Options{Name: file, Now: march, Format: format, Live: true})
			if got, want := inWords(pieces, bad), inWords(whole, wrong); got != want {
				t.Errorf("%s %s:\n%s\nwant\n%s", file, name, got, want)
			}
		}
	}
}

func inWords(events []Event, errs []*Error) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%d %v %v\n", e.Index, *e.Source, e.Time())
		for _, f := range e.Fields {
			fmt.Fprintf(&b, "  %s %d %q\n", f.Name, f.Kind, f.Text(nil))
		}
	}
	for _, err := range errs {
		fmt.Fprintf(&b, "refused %d at %d: %s\n", err.Index, err.Offset, err.Text)
	}
	return b.String()
}

// TestRecogniseText holds what nearly is a format, or is two, to the right one.
func TestRecogniseText(t *testing.T) {
	for _, c := range []struct {
		why, file, data string
		want            Format // "" when none is right
	}{
		{"a header of Zeek whose first line was lost", "", "#fields\tts\tuid\n#types\ttime\tstring\n1.0\tC\n", ZeekTSV},
		{"a table of W3C is not Zeek's", "", "#Software: x\n#Fields: date time\n2026-03-02 10:00:00\n", W3C},
		{"comments are no header", "", "# Software\n# Fields of corn\ntext\n", ""},
		{"JSON with a path that is not Zeek's", "", `{"_path":"x","a":1}`, JSON},
		{"the name of a file helps Zeek's JSON without ends", "pe.2026-03-02.log.gz", `{"ts":1772445600.5,"id":"F1","machine":"AMD64"}`, ZeekJSON},
		{"the same without the name", "x.log", `{"ts":1772445600.5,"id":"F1","machine":"AMD64"}`, JSON},
		{"an event type alone is not Suricata's", "", `{"event_type":"click","user":"x"}`, JSON},
		{"CEF inside syslog", "", "<13>Mar  2 10:00:00 h CEF:0|a|b|1|2|n|3|src=192.0.2.1\n", CEF},
		{"a word about CEF", "", "<13>Mar  2 10:00:00 h app: CEF: is a format\n", Syslog},
		{"syslog whose messages are JSON", "", "<13>1 2026-03-02T10:00:00Z h app - - - {\"a\":1}\n", Syslog},
		{"a log with dates and commas", "", "2026-03-02 10:00:00,123 INFO a, b, c\n2026-03-02 10:00:01,123 INFO a, b, c\n", Syslog},
		{"dates and nothing else", "", "2026-03-02 10:00:00\n2026-03-02 10:00:01\n", ""},
		{"one line of a FortiGate, without a priority", "", `date=2026-03-02 time=10:00:00 devname="x" logid="1" type="traffic"` + "\n", Syslog},
		{"audit lines", "audit.log", "type=DAEMON_START msg=audit(1772445600.155:501): op=start\n", Auditd},
		{"a line that only begins like audit's", "", "type=CWD cwd=/\n", ""},
		{"an access log in the common form", "", `192.0.2.1 - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.0" 200 5` + "\n", WebLog},
		{"a table of addresses without what was done", "", "source,destination,weight\na,b,1\nc,d,2\n", CSV},
		{"a table of a firewall with semicolons", "", "time;src;dst;dport;act\n1;192.0.2.1;192.0.2.2;80;drop\n", FirewallCSV},
		{"a table with tabs", "", "name\tplace\tyear\na\tb\t2026\n", CSV},
		{"numbers are no header", "", "1,2,3\n4,5,6\n", ""},
		{"prose with commas", "", "Dear all, as we said, here it is.\nMany thanks.\nUntil then, bye, and so on, and on.\n", ""},
		{"a table of two columns is only known by its name", "a.csv", "a,b\n1,2\n", CSV},
		{"the same without a name", "", "a,b\n1,2\n", ""},
		{"a page", "", "<!DOCTYPE html><html><Events>none</Events></html>", ""},
		{"Windows events in a root", "", "<Events><Event><System><EventID>1</EventID></System></Event></Events>", Wevtutil},
		{"a chunk of a log without its file", "", "ElfChnk\x00\x01\x00\x00\x00\x00\x00\x00\x00", ""},
	} {
		s, err := Open(strings.NewReader(c.data), Options{Name: c.file})
		switch {
		case err != nil && c.want != "":
			t.Errorf("%s: %v, want %s", c.why, err, c.want)
		case err == nil && s.Format() != c.want:
			t.Errorf("%s: %s, want %q", c.why, s.Format(), c.want)
		}
	}
}

// TestAskedNames asks for fields of each format by the names of Sigma, ECS and OCSF.
func TestAskedNames(t *testing.T) {
	for _, c := range []struct{ mapping, path, name string }{
		{"zeek", "id.orig_h", "src_ip"}, {"zeek", "id_resp_p", "id.resp_p"}, {"zeek", "id_resp_p", "dst_port"}, {"zeek", "answers", "answer"},
		{"zeek", "answers", "dns.answers.data"}, {"zeek", "uri", "c-uri"}, {"zeek", "uri", "cs-uri-query"}, {"zeek", "user_agent", "c-useragent"},
		{"zeek", "certificate_serial", "certificate.serial"}, {"zeek", "id.resp_h", "destination.ip"},
		{"suricata", "dest_ip", "dst_ip"}, {"suricata", "http.http_user_agent", "c-useragent"}, {"suricata", "dns.answers.rdata", "answer"},
		{"syslog", "srcip", "src_ip"}, {"syslog", "DPT", "dst_port"}, {"syslog", "hostname", "host.name"},
		{"weblog", "c-uri", "cs-uri-query"}, {"weblog", "cs-user-agent", "user_agent.original"},
		{"w3c", "cs(User-Agent)", "cs-user-agent"}, {"w3c", "c-uri", "cs-uri-query"}, {"w3c", "c-ip", "source.ip"},
		{"auditd", "exe", "process.executable"}, {"auditd", "Image", "process.executable"},
		{"cef", "src", "src_ip"}, {"cef", "request", "url.original"},
		{"firewall-csv", "Destination Port", "dst_port"}, {"firewall-csv", "srcip", "source.ip"}, {"firewall-csv", "Action", "action"},
		{"csv", "CommandLine", "process.command_line"},
		{"evtx_dump", "Event.EventData.Data", "Data"}, {"evtx_dump", "Event.System.Provider.#attributes.Name", "Provider_Name"},
	} {
		names := MappingOf(c.mapping).Names(c.path)
		if names[0] != c.path || !contains(names, c.name) {
			t.Errorf("%s: %s is known as %q, want %s among them", c.mapping, c.path, names, c.name)
		}
	}
	for i := range formats() {
		f := &formats()[i]
		if f.mapping != "" && MappingOf(f.mapping) == &noAlias {
			t.Errorf("the mapping %s of %s cannot be read", f.mapping, f.name)
		}
	}
}

// TestZeekReal reads every log of the real data without one refusal.
func TestZeekReal(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata.Dir(t), "detect", "zeek-apt29", "*", "*.log"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	total := 0
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		events, errs, s := readAll(t, bytes.NewReader(data), Options{Name: filepath.Base(path)})
		if len(errs) > 0 || s.Format() != ZeekJSON || len(events) != bytes.Count(data, []byte{'\n'}) {
			t.Errorf("%s: %s, %d events, %v", path, s.Format(), len(events), errs)
		}
		total += len(events)
		for _, e := range events {
			if e.Source.Product != "zeek" || len(e.Source.Services) != 1 || e.Time().IsZero() {
				t.Fatalf("%s: event %d: %v %v", path, e.Index, *e.Source, e.Time())
			}
		}
	}
	if total != 4924 {
		t.Errorf("%d events", total)
	}
}

// TestCiscoReal reads the messages of a real lane as the lines of syslog that they are.
func TestCiscoReal(t *testing.T) {
	var lines bytes.Buffer
	for line := range bytes.Lines(unpacked(t, 8<<20, "detect", "rsigma-lanes", "cisco_syslog.ndjson.gz")) {
		var m struct{ Message string }
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		lines.WriteString(m.Message + "\n")
	}
	events, errs, s := readAll(t, &lines, Options{Now: march})
	if s.Format() != Syslog || len(events) != 10000 || len(errs) != 0 {
		t.Fatalf("%s, %d events, %v", s.Format(), len(events), errs)
	}
	for _, e := range events {
		if !e.Source.Is("cisco", "", "aaa") || e.Time().Year() != 2026 || e.Get(nameHostname) == nil || e.Get(nameMnemonic) == nil {
			t.Fatalf("%s: %v %v", e.Raw, *e.Source, e.Time())
		}
	}
}

// TestAuditdReal reads the real logs of Linux: each event that starts a process is one.
func TestAuditdReal(t *testing.T) {
	for name, commands := range map[string][]string{"sh_arp_cache.zip": {"arp -a", "grep -v ^?"}, "sh_binary_padding_dd.zip": {"dd if=/dev/zero bs=1 count=1"}} {
		z, err := zip.OpenReader(testdata.File(t, "detect", "events", "raw", name))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		f, err := z.File[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		events, errs, s := readAll(t, f, Options{})
		if s.Format() != Auditd || len(errs) != 0 || len(events) != len(commands) {
			t.Fatalf("%s: %s, %d events, %v", name, s.Format(), len(events), errs)
		}
		for i, e := range events {
			c := e.Get(nameCommandLine)
			if c == nil || string(c.Value) != commands[i] || !e.Source.Is("linux", "process_creation", "") || !e.Source.Is("linux", "", "auditd") {
				t.Errorf("%s %d: %v %v", name, i, c, *e.Source)
			}
		}
	}
}
