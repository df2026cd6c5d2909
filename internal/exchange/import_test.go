package exchange

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/stix"
)

// TestFormatOf: what a source is, told from its content first.
func TestFormatOf(t *testing.T) {
	for _, c := range []struct {
		name, file, kind, body string
		want                   Format
	}{
		{"bundle", "x.json", "", `{"type":"bundle","id":"bundle--1","objects":[]}`, FormatSTIX},
		{"one object", "-", "", ` {"type":"indicator","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}`, FormatSTIX},
		{"event", "x.json", "application/json", `{"Event":{"info":"x"}}`, FormatMISP},
		{"response", "x.json", "", `{"response":[{"Event":{}}]}`, FormatMISP},
		{"list of events", "x.json", "", `[{"Event":{}}]`, FormatMISP},
		{"table by name", "x.csv", "", "evil.example\n", FormatCSV},
		{"table by heading", "-", "", "type;value\ndomain;evil.example\n", FormatCSV},
		{"broken JSON said to be JSON", "x", "application/json", `{"typ`, FormatSTIX},
		{"prose", "mail.txt", "", "We saw evil[.]example today.", FormatText},
	} {
		if got := formatOf(Source{Name: c.file, ContentType: c.kind, Body: []byte(c.body)}); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestFreeText (X20–X22): indicators are found in a text, blind by default; what must never be blocked is left out and
// told; doing it again changes nothing; another organisation's same finding is another object.
func TestFreeText(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	a := w.as("a", polder.RoleContributor)
	text := []byte("Beacon to evil[.]klepwerk[.]example and 203.0.113.77 from 192.168.1.4, resolver 8.8.8.8, CVE-2026-12345.")
	share := func(by polder.Actor, named bool) Result {
		read, err := w.Read(ctx, by, Source{Community: "ring", Name: "mail.txt", Body: text})
		ok(t, err)
		return w.share(by, Request{Objects: read.Objects, LeftOut: read.LeftOut, Level: stix.Amber, Named: named, Confirmed: true})
	}
	got := share(a, false)
	if got.Stored != 3 || len(got.Refused) > 0 {
		t.Fatalf("got %+v", got)
	}
	var left []string
	for _, x := range got.Warnings {
		left = append(left, x.Value)
	}
	if !strings.Contains(strings.Join(left, " "), "192.168.1.4") || !strings.Contains(strings.Join(left, " "), "8.8.8.8") {
		t.Fatalf("left out: %v", got.Warnings)
	}
	for _, it := range got.Items {
		if bytes.Contains(it.Raw, []byte(a.Org)) || !bytes.Contains(it.Raw, []byte(w.where.Blind)) {
			t.Fatalf("not blind: %s", it.Raw)
		}
	}
	if again := share(a, false); again.Stored != 0 || again.Duplicates != 3 {
		t.Fatalf("again: %+v", again)
	}
	if other := share(w.as("b", polder.RoleContributor), false); other.Stored != 3 {
		t.Fatalf("another member: %+v", other)
	}
}

// TestExportLeavesOut (X5, X7, X17, X22): what is in no file, what is in no block list, and why.
func TestExportLeavesOut(t *testing.T) {
	w := newWorld(t)
	a := w.as("a", polder.RoleContributor)
	mark := func(n int, level stix.Marking, extra string) []byte { return someIndicator(n, 1, "x", level, extra) }
	pap := strings.Replace(string(mark(4, stix.Green, "")), `"]`, `","`+stix.PAPRed.ID()+`"]`, 1)
	w.share(a, Request{Objects: one(
		mark(1, stix.Green, ""), mark(2, stix.Red, ""), mark(3, stix.Green, `,"valid_until":"2026-01-02T00:00:00Z"`), []byte(pap), mark(5, stix.Green, `,"revoked":true`),
		[]byte(strings.Replace(string(mark(6, stix.Green, "")), "x6.example", "microsoft.com", 1)),
	)})
	for _, c := range []struct {
		format ExportFormat
		has    []string
		hasNot []string
	}{
		{AsSTIX, []string{"x1.example", "x3.example", "x4.example", "x5.example"}, []string{"x2.example"}},
		{AsCSV, []string{"x1.example", "x4.example"}, []string{"x2.example", "x3.example", "x5.example"}},
		{AsPlain, []string{"x1.example"}, []string{"x2.example", "x3.example", "x4.example", "x5.example", "microsoft.com"}},
		{AsSuricata, []string{"x1.example"}, []string{"x2.example", "x3.example", "x4.example", "x5.example", "microsoft"}},
		{AsZeek, []string{"x1.example"}, []string{"x4.example", "microsoft"}},
		{AsRPZ, []string{"x1.example"}, []string{"x4.example", "microsoft"}},
		{AsMISP, []string{"x1.example"}, []string{"x2.example"}},
	} {
		var b bytes.Buffer
		_, err := w.Export(context.Background(), a, "", c.format, &b)
		ok(t, err)
		for _, s := range c.has {
			if !strings.Contains(b.String(), s) {
				t.Errorf("%s lacks %s", c.format, s)
			}
		}
		for _, s := range c.hasNot {
			if strings.Contains(b.String(), s) {
				t.Errorf("%s has %s", c.format, s)
			}
		}
	}
}

// FuzzReadSource: no source, of whatever format, ends the program, and what it becomes passes the checks of stix.
func FuzzReadSource(f *testing.F) {
	w := newWorld(f)
	a := w.as("a", polder.RoleContributor)
	f.Add("x.txt", []byte("evil[.]example 1.2.3.4"))
	f.Add("x.csv", []byte("type,value,tlp\ndomain,evil.example,green\n"))
	f.Add("x.json", []byte(`{"Event":{"uuid":"5b7b3a6e-0000-4000-8000-000000000001","info":"x","date":"2026-01-01","timestamp":"1","Attribute":[{"type":"domain","value":"a.example","uuid":"5b7b3a6e-0000-4000-8000-000000000002","to_ids":true}]}}`))
	f.Add("x.json", someIndicator(1, 1, "x", stix.Amber, ""))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		read, err := w.Read(context.Background(), a, Source{Community: "ring", Name: name, Body: body})
		if err != nil {
			if polder.KindOf(err) == polder.Internal {
				t.Fatalf("a fault of ours: %v", err)
			}
			return
		}
		for _, in := range read.Objects {
			if !in.Made || in.Err != nil {
				continue
			}
			if _, err := stix.Parse(in.Raw); err != nil {
				t.Fatalf("made %s: %v", in.Raw, err)
			}
		}
	})
}
