package event

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
)

// fuzzText feeds a format with bytes around its samples. Whatever they are: nothing panics, each record of a chunk is told
// once, an event has a source and a mapping, and reading in pieces gives what reading at once does.
func fuzzText(f *testing.F, format Format) {
	for file, is := range textSamples {
		if is != format {
			continue
		}
		data, err := os.ReadFile(filepath.Join("testdata", "text", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		for line := range bytes.Lines(data) {
			f.Add(bytes.Clone(line))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<17 {
			return
		}
		o := Options{Format: format, Now: march, MaxRecord: 1 << 16}
		if _, err := Open(bytes.NewReader(data), o); err != nil {
			return // compression that is not sound
		}
		events, errs, _ := readAll(t, bytes.NewReader(data), o)
		for _, e := range events {
			if e.Source == nil || e.Mapping == nil {
				t.Fatalf("an event without a source or a mapping: %q", e.Raw)
			}
			for i := range e.Fields {
				e.Fields[i].Text(nil)
			}
			e.Time()
		}
		if len(data) > 1<<12 {
			return
		}
		o.Live = true
		pieces, bad, _ := readAll(t, iotest.HalfReader(bytes.NewReader(data)), o)
		if got, want := inWords(pieces, bad), inWords(events, errs); got != want {
			t.Fatalf("in pieces\n%s\nat once\n%s", got, want)
		}
	})
}

func FuzzZeekTSV(f *testing.F)  { fuzzText(f, ZeekTSV) }
func FuzzSyslog(f *testing.F)   { fuzzText(f, Syslog) }
func FuzzCEF(f *testing.F)      { fuzzText(f, CEF) }
func FuzzAuditd(f *testing.F)   { fuzzText(f, Auditd) }
func FuzzWebLog(f *testing.F)   { fuzzText(f, WebLog) }
func FuzzW3C(f *testing.F)      { fuzzText(f, W3C) }
func FuzzTable(f *testing.F)    { fuzzText(f, CSV) }
func FuzzWevtutil(f *testing.F) { fuzzText(f, Wevtutil) }
func FuzzEVTX(f *testing.F)     { fuzzText(f, EVTX) }
