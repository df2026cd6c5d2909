package evtx

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the sample log of package event anew")

// samplePath is the log that the tests of package event read.
const samplePath = "../event/testdata/text/sysmon.evtx.gz"

// sampleLog is a log of two chunks in which Sysmon and Security speak, with one record lost.
func sampleLog() []byte {
	data := func(name string, i uint16) *element {
		return &element{name: "Data", depends: independent, attrs: []attr{{"Name", []any{text(name)}}}, children: []any{hole{i, 0x01, false}}}
	}
	sysmon := &element{name: "Event", depends: independent, attrs: []attr{{"xmlns", []any{text("http://schemas.microsoft.com/win/2004/08/events/event")}}}, children: []any{
		&element{name: "System", depends: independent, children: []any{
			&element{name: "Provider", depends: independent, attrs: []attr{{"Name", []any{text("Microsoft-Windows-Sysmon")}}}},
			&element{name: "EventID", depends: independent, children: []any{hole{0, 0x06, false}}},
			&element{name: "TimeCreated", depends: independent, attrs: []attr{{"SystemTime", []any{hole{1, 0x11, false}}}}},
			&element{name: "Channel", depends: independent, children: []any{hole{2, 0x01, false}}},
			&element{name: "Security", depends: independent, attrs: []attr{{"UserID", []any{hole{3, 0x13, true}}}}},
		}},
		&element{name: "EventData", depends: independent, children: []any{data("Image", 4), data("CommandLine", 5)}},
	}}
	stamp := le(uint64(noon.UnixNano()/100)+116444736000000000, 8)
	say := func(w *chunkWriter, id uint64, event uint16, channel, image, command string) {
		w.record(record{id: id, written: noon, template: sysmon, values: []value{
			{typ: 0x06, data: le(uint64(event), 2)}, {typ: 0x11, data: stamp}, {typ: 0x01, data: utf16le(channel)}, {typ: 0x13, data: sid},
			{typ: 0x01, data: utf16le(image)}, {typ: 0x01, data: utf16le(command)},
		}})
	}
	a, b := newChunkWriter(), newChunkWriter()
	say(a, 1, 1, "Microsoft-Windows-Sysmon/Operational", `C:\Windows\System32\cmd.exe`, `cmd /c "whoami" > a & type a`)
	say(a, 2, 3, "Microsoft-Windows-Sysmon/Operational", `C:\Tools\rclone.exe`, "")
	lost := len(a.b)
	say(a, 3, 1, "Microsoft-Windows-Sysmon/Operational", "lost", "lost")
	say(a, 4, 4688, "Security", `C:\a.exe`, "é𝄞")
	say(b, 5, 11, "Microsoft-Windows-Sysmon/Operational", `C:\b.exe`, "-")
	first := a.done()
	first[lost] = 0
	return file(first, b.done())
}

func TestSample(t *testing.T) {
	log := sampleLog()
	if *update {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(log); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(samplePath, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(samplePath)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(got, log) {
		t.Fatalf("%s is not what the writer writes: %v", samplePath, err)
	}
	events, damage := all(t, log)
	if len(events) != 4 || len(damage) != 2 {
		t.Fatalf("%d events, %v", len(events), damage)
	}
}
