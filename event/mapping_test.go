package event

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestShippedMappings(t *testing.T) {
	all := Mappings()
	if len(all) < 8 {
		t.Fatalf("only %v are shipped", all)
	}
	for _, name := range all {
		f, err := mappingFiles.Open("mappings/" + name + ".yml")
		if err != nil {
			t.Fatal(err)
		}
		m, err := ReadMapping(f)
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if m.Name() != name {
			t.Errorf("%s.yml names itself %q", name, m.Name())
		}
	}
	for _, f := range formats() {
		if f.mapping != "" && !slices.Contains(all, f.mapping) {
			t.Errorf("format %s asks for the mapping %q, which is not shipped", f.name, f.mapping)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ mapping, path, want, not, why string }{
		{"winlogbeat", "winlog.event_data.Image", "Image process.executable process.file.path", "", "the wrapper goes"},
		{"winlogbeat", "event_data.TargetFilename", "TargetFilename file.path", "", "the wrapper of old goes"},
		{"winlogbeat", "_source.winlog.event_data.QueryName", "QueryName dns.question.name", "", "wrappers lie in one another"},
		{"winlogbeat", "winlog.event_id", "EventID event.code", "", ""},
		{"winlogbeat", "process.executable", "Image", "TargetFilename", "Winlogbeat adds ECS names"},
		{"winlogbeat", "winlog.event_data.param1", "Data param1", "", "classic PowerShell"},
		{"evtx_dump", "Event.EventData.CommandLine", "CommandLine process.command_line", "", ""},
		{"evtx_dump", "Event.System.EventID.#text", "EventID", "", "the text of an element with attributes"},
		{"evtx_dump", "Event.System.Provider.#attributes.Name", "Provider_Name", "", ""},
		{"evtx_dump", "Event.EventData.Data.#text", "Data", "", "data without names"},
		{"evtx_dump", "Event.UserData.LogFileCleared.SubjectUserName", "SubjectUserName", "", ""},
		{"windows", "Image", "process.executable", "SourceImage", "a name does not stand for its names' names"},
		{"windows", "DestinationIp", "dst_ip destination.ip dst_endpoint.ip", "src_ip", ""},
		{"windows", "Id", "EventID event.code", "", "PowerShell's own name"},
		{"m365", "Workload", "eventSource", "", "rules on alerts"},
		{"m365", "ExtendedProperties.RequestType", "RequestType", "", "a name-value list"},
		{"m365", "auditData.Operation", "Operation eventName", "", "Graph"},
		{"entra", "properties.status.errorCode", "ResultType resultType", "", "the same in three shapes"},
		{"entra", "status.errorCode", "ResultType", "", ""},
		{"entra", "activityDisplayName", "properties.message OperationName", "", ""},
		{"entra", "deviceDetail.trustType", "DeviceDetail.trusttype", "", ""},
		{"cloudtrail", "sourceIPAddress", "src_ip source.ip", "", ""},
		{"json", "process.command_line", "CommandLine process.cmd_line", "", "ECS"},
		{"json", "process.file.path", "Image", "", "OCSF"},
		{"json", "dst_endpoint.ip", "DestinationIp dst_ip destination.ip", "", "OCSF"},
		{"json", "actor.process.file.path", "ParentImage Image", "", "in OCSF the actor is the parent, or the process that did it"},
		{"json", "user_agent.original", "c-useragent", "", "ECS"},
		{"json", "whatever", "whatever", "", ""},
	} {
		names := MappingOf(c.mapping).Names(c.path)
		if names[0] != c.path {
			t.Errorf("%s: %s: the path itself is not first in %v", c.mapping, c.path, names)
		}
		for _, want := range strings.Fields(c.want) {
			if !slices.Contains(names, want) {
				t.Errorf("%s: %s has no name %s, but %v %s", c.mapping, c.path, want, names, c.why)
			}
		}
		if c.not != "" && slices.Contains(names, c.not) {
			t.Errorf("%s: %s is also called %s; %s", c.mapping, c.path, c.not, c.why)
		}
		sorted := slices.Clone(names)
		slices.Sort(sorted)
		if len(slices.Compact(sorted)) != len(names) {
			t.Errorf("%s: %s: names come twice in %v", c.mapping, c.path, names)
		}
	}
	if got := MappingOf("no such").Names("a.b"); len(got) != 1 || got[0] != "a.b" {
		t.Errorf("without a mapping: %v", got)
	}
	if first := MappingOf("windows"); first != MappingOf("windows") {
		t.Error("a mapping has two pointers")
	}
}

const ownMapping = `name: acme
use: [windows]
strip: [acme.data.]
rename:
  acme.proc: Image
  acme.names: [User, SubjectUserName]
fields:
  - {sigma: Details, ecs: acme.details}
`

func TestReadMapping(t *testing.T) {
	m, err := ReadMapping(strings.NewReader(ownMapping))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"acme.proc":              "process.executable",
		"acme.data.ImageLoaded":  "dll.path",
		"acme.names":             "SubjectUserName",
		"acme.details":           "Details",
		"acme.data.acme.details": "Details",
	} {
		if names := m.Names(path); !slices.Contains(names, want) {
			t.Errorf("%s: %v, want %s among them", path, names, want)
		}
	}
	for _, line := range []string{`{"acme":{"proc":"x"}}`, `{"Channel":"Security","EventID":1}`} {
		for _, f := range []Format{"", JSON} {
			events, _, _ := readAll(t, strings.NewReader(line), Options{Mapping: m, Format: f})
			if len(events) != 1 || events[0].Mapping != m {
				t.Errorf("%s: a mapping that was given is not used", line)
			}
		}
	}
}

func TestMalformedMapping(t *testing.T) {
	for _, c := range []struct {
		text string
		line int64
		want string
	}{
		{"name: a\nfeilds: []\n", 2, `no "feilds"; there are name, use`},
		{"name: a\nname: b\n", 2, ""},
		{"name: a\nuse: [nothing]\n", 2, `no mapping "nothing" is shipped; there are`},
		{"name: a\nfields:\n  - {sigma: Image}\n", 3, "at least two, as {sigma"},
		{"name: a\nfields:\n  - {sigma: Image, ecs: 7}\n", 3, "a text of 1 to 512 bytes"},
		{"name: a\nfields:\n  - {sigma: Image, esc: b}\n", 3, "there are sigma, ecs, ocsf"},
		{"name: a\nfields: x\n", 2, "a list was expected"},
		{"name: [a]\n", 1, "a text of"},
		{"- a\n- b\n", 1, "names and values were expected"},
		{"", 0, "one YAML document"},
		{"name: a\n---\nname: b\n", 0, "one YAML document"},
		{"name: a\nrename: {a: {b: c}}\n", 2, "a text of"},
		{"name: a\nstrip: [\n", 0, "not YAML"},
		{"name: " + strings.Repeat("[", 100), 1, "nests at most 64"},
		{strings.Repeat("- ", 4000), 1, "lines of at most 4096"},
		{strings.Repeat("# comment\n", 30_000), 0, "longer than"},
	} {
		_, err := ReadMapping(strings.NewReader(c.text))
		var bad *Error
		if !errors.As(err, &bad) {
			t.Errorf("%.40q: %v, want an *Error", c.text, err)
			continue
		}
		if !strings.Contains(bad.Text, c.want) || c.line > 0 && bad.Line != c.line {
			t.Errorf("%.40q: %v, want line %d and %q", c.text, bad, c.line, c.want)
		}
	}
}
