package exchange

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/stix"
	"github.com/polder-exchange/polder/taxii"
)

// TestReleaseDoubts: a family name alone is nothing that goes and nothing that passes in silence: an own text waits until
// a person confirms, of another's finished object and over TAXII it is told.
func TestReleaseDoubts(t *testing.T) {
	w := newWorld(t)
	p := keeper()
	p.Facts.Staff = append(p.Facts.Staff, release.Person{Name: "Pieter Bakker"})
	w.sets("a", p)
	a := w.as("a", polder.RoleContributor)
	told := func(res Result) string {
		for _, x := range res.Warnings {
			if x.Rule == "staff" {
				return x.Path + " " + x.Value
			}
		}
		return ""
	}
	own := reportOf(1, 0, stix.Green, `"name":"Seen","description":"Bakker zag het bij de bakker; Pieter Bakker niet."`)
	preview := w.share(a, Request{Objects: one(own), Preview: true})
	if told(preview) != "description Bakker" || !preview.Waits() && preview.Stored != 1 {
		t.Errorf("the preview tells %q", told(preview))
	}
	if res := w.share(a, Request{Objects: one(own)}); res.Stored != 0 || !res.Waits() || res.Stopped() || told(res) != "description Bakker" {
		t.Errorf("unconfirmed: %d stored, told %q", res.Stored, told(res))
	}
	if res := w.share(a, Request{Objects: one(own), Confirmed: true}); res.Stored != 1 || told(res) != "description Bakker" {
		t.Errorf("confirmed: %d stored, told %q", res.Stored, told(res))
	}
	if got := w.reads("b", sid("report", 1)); got == nil || got.Description != "Bakker zag het bij de bakker; [person] niet." {
		t.Errorf("b reads %+v", got)
	}
	if res := w.share(a, Request{Objects: one(own)}); res.Duplicates != 1 || len(res.Warnings) != 0 {
		t.Errorf("again: %d duplicates, %+v", res.Duplicates, res.Warnings)
	}
	theirs := reportOf(2, 0, stix.Green, `"created_by_ref":"identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5","name":"Young and Bakker"`)
	if res := w.share(a, Request{Objects: one(theirs)}); res.Stored != 1 || told(res) != "name Bakker" {
		t.Errorf("another's: %d stored, told %q", res.Stored, told(res))
	}
	st, err := TAXII{w.Service}.Add(t.Context(), Subject(a), string(w.where.ID), []json.RawMessage{reportOf(3, 0, stix.Green, `"name":"Bakker"`), reportOf(4, 0, stix.Green, `"name":"Clean"`)})
	ok(t, err)
	kept, err := TAXII{w.Service}.Status(t.Context(), Subject(a), st.ID)
	ok(t, err)
	for _, st := range []taxii.Status{st, kept} {
		if st.SuccessCount != 2 || len(st.Successes) != 1 || st.Successes[0].ID != sid("report", 3) || !strings.Contains(st.Successes[0].Message, "name: Bakker") {
			t.Errorf("over TAXII: %+v", st)
		}
	}
}

// TestReleaseOverrideAnswers: notes, sightings and opinions about an object that names a fact of their organisation stop,
// and leave by a person's word, over API and page.
func TestReleaseOverrideAnswers(t *testing.T) {
	c := newConsole(t)
	id := "x-mlb-thing--00000000-0000-4000-8000-000000000077"
	raw := `{"type":"x-mlb-thing","spec_version":"2.1","id":"` + id + `","created":"2026-11-18T08:00:00.000Z","modified":"2026-11-18T08:00:00.000Z","name":"A thing","object_marking_refs":["` + stix.Amber.ID() + `"]}`
	if res := c.share(c.who["optics"].Actor, Request{Community: "chip-supply-chain", Objects: one([]byte(raw)), Confirmed: true}); res.Stored != 1 {
		t.Fatalf("%+v", res.Refused)
	}
	p := release.Default()
	p.Minimise.Names, p.Facts.Names = true, []string{"MLB"}
	maker := c.who["maker"].Actor
	_, err := c.SetRelease(t.Context(), maker, p, -1)
	ok(t, err)
	for path, body := range map[string]string{"notes": `"content":"Look."`, "sightings": `"count":1`, "opinions": `"opinion":"agree"`} {
		at := "/api/v1/communities/chip-supply-chain/objects/" + id + "/" + path
		if status, said, _ := c.sendJSON("maker", "POST", at, `{`+body+`}`); status != 409 || !strings.Contains(said, "override") || !strings.Contains(said, "_ref") {
			t.Errorf("%s: %d %s", path, status, said)
		}
		if status, said, _ := c.sendJSON("maker", "POST", at, `{`+body+`,"override":"It is their name for it."}`); status != 201 {
			t.Errorf("%s with a reason: %d %s", path, status, said)
		}
	}
	at := "/objects/" + id + "/note"
	form := url.Values{"community": {"chip-supply-chain"}, "note-text": {"Look."}, "note-named": {"no"}}
	status, page, _ := c.ask("maker", "POST", at, form)
	if status != 409 || !strings.Contains(page, `name="note-override"`) {
		t.Errorf("the page: %d, asks for a reason: %t", status, strings.Contains(page, "note-override"))
	}
	form.Set("note-override", "It is their name for it.")
	form.Set("confirm", "1")
	if status, page, _ = c.ask("maker", "POST", at, form); status != 303 {
		t.Errorf("the page with a reason: %d %s", status, page)
	}
	if n := len(c.audited("release.override")); n != 4 {
		t.Errorf("%d overrides are audited, want 4", n)
	}
}
