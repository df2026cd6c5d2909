package node

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/stix"
)

// got reads an answer of the REST API into v.
func (p *place) got(t *testing.T, as, path string, v any) string {
	t.Helper()
	a := p.ask(ask{as: as, path: path})
	if a.status != http.StatusOK {
		t.Fatalf("GET %s by %s: %d %s", path, as, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("GET %s by %s: %v in %s", path, as, err, a.body)
	}
	return a.body
}

// TestCaseSharedThroughTheExchange: a case that is shared is objects of the real exchange: the named organisation reads
// what its ceiling allows, and nobody else; what changes is a new version, what is struck out is withdrawn; what the other
// side adds comes back; and the end of the sharing takes all of it back.
func TestCaseSharedThroughTheExchange(t *testing.T) {
	p := newPlace(t)
	plain := p.orgs["plain"].ID
	var c cases.CaseView
	ok(t, json.Unmarshal([]byte(p.post(t, "sharer", "/api/v1/cases", jsonKind, `{"title":"Lens holder","summary":"It went out","tlp":"green","countries":["NL","DE"],"severity":"high"}`, http.StatusCreated)), &c))
	at := "/api/v1/cases/" + string(c.ID)
	var entry cases.Item
	ok(t, json.Unmarshal([]byte(p.post(t, "sharer", at+"/items", jsonKind, `{"kind":"entry","title":"It began","tlp":"green","at":"2026-11-01T09:00:00Z"}`, http.StatusCreated)), &entry))
	p.post(t, "sharer", at+"/items", jsonKind, `{"kind":"entry","title":"canary-stricter","tlp":"red"}`, http.StatusCreated)
	p.post(t, "sharer", at+"/items", jsonKind, `{"kind":"observable","tlp":"green","observable":{"type":"domain","value":"drawings.example","bad":true}}`, http.StatusCreated)

	share := `{"community":"ring","org":"` + string(plain) + `","part":"work","ceiling":"amber"`
	if got := p.post(t, "sharer", at+"/sharings", jsonKind, share+`,"preview":true}`, http.StatusOK); !strings.Contains(got, `"left":false`) {
		t.Errorf("the preview: %s", got)
	}
	if got := p.post(t, "sharer", at+"/sharings", jsonKind, share+`,"confirmed":true}`, http.StatusOK); !strings.Contains(got, `"left":true`) || strings.Contains(got, "canary") {
		t.Fatalf("sharing: %s", got)
	}
	var list struct{ Cases []cases.SharedCase }
	text := p.got(t, "plain", "/api/v1/cases/shared", &list)
	if len(list.Cases) != 1 || list.Cases[0].Title != "Lens holder" || list.Cases[0].Level != stix.Green || strings.Contains(text, string(c.ID)) {
		t.Fatalf("plain sees %s", text)
	}
	key := list.Cases[0].Key
	var one cases.SharedCase
	if text := p.got(t, "plain", "/api/v1/shared-cases/"+key, &one); len(one.Items) != 2 || strings.Contains(text, "canary") {
		t.Fatalf("plain sees %s", text)
	}
	for _, other := range []string{"named", "foreign", "stew"} {
		var none struct{ Cases []cases.SharedCase }
		if text := p.got(t, other, "/api/v1/cases/shared", &none); len(none.Cases) != 0 {
			t.Errorf("%s is not named and sees %s", other, text)
		}
		if a := p.ask(ask{as: other, path: "/api/v1/shared-cases/" + key}); a.status != http.StatusNotFound {
			t.Errorf("%s opens it: %d", other, a.status)
		}
		if a := p.ask(ask{as: other, path: "/objects/" + key}); a.status == http.StatusOK {
			t.Errorf("%s opens the object", other)
		}
	}

	p.post(t, "plain", "/api/v1/shared-cases/"+key+"/items", jsonKind, `{"item":{"kind":"entry","title":"Seen here too","tlp":"green","at":"2026-10-01T00:00:00Z"},"confirmed":true}`, http.StatusCreated)
	back, err := p.cases.service.FromOthers(t.Context(), polder.Actor{Org: p.orgs["sharer"].ID, Person: c.OpenedBy, Role: polder.RoleContributor}, c.ID)
	ok(t, err)
	if len(back) != 1 || back[0].Title != "Seen here too" || back[0].Org != plain {
		t.Errorf("came back: %+v", back)
	}

	p.post(t, "sharer", at+"/items/"+entry.ID+"/strike", jsonKind, `{"version":1,"reason":"it was another day"}`, http.StatusOK)
	if got := p.post(t, "sharer", at+"/sharings", jsonKind, share+`,"confirmed":true}`, http.StatusOK); !strings.Contains(got, "1 objects are taken back") {
		t.Errorf("bringing it up to date: %s", got)
	}
	p.got(t, "plain", "/api/v1/shared-cases/"+key, &one)
	for _, it := range one.Items {
		if it.Title == "It began" {
			t.Error("what was struck out is still there")
		}
	}
	var sharings struct{ Sharings []cases.Sharing }
	p.got(t, "sharer", at+"/sharings", &sharings)
	if len(sharings.Sharings) != 1 || sharings.Sharings[0].Behind {
		t.Fatalf("sharings: %+v", sharings)
	}
	p.post(t, "sharer", at+"/sharings/"+sharings.Sharings[0].ID+"/stop", jsonKind, "", http.StatusNoContent)
	if a := p.ask(ask{as: "plain", path: "/api/v1/shared-cases/" + key}); a.status != http.StatusNotFound {
		t.Errorf("after it was stopped: %d", a.status)
	}
}

// TestCaseReleaseThroughTheExchange: what is let out of a case is known to the members, blind, and leads back to the case
// for who is in it.
func TestCaseReleaseThroughTheExchange(t *testing.T) {
	p := newPlace(t)
	var c cases.CaseView
	ok(t, json.Unmarshal([]byte(p.post(t, "sharer", "/api/v1/cases", jsonKind, `{"title":"Lens holder","tlp":"amber"}`, http.StatusCreated)), &c))
	at := "/api/v1/cases/" + string(c.ID)
	var it cases.Item
	ok(t, json.Unmarshal([]byte(p.post(t, "sharer", at+"/items", jsonKind, `{"kind":"observable","tlp":"green","observable":{"type":"domain","value":"drawings.example","bad":true}}`, http.StatusCreated)), &it))
	release := `{"items":["` + it.ID + `"],"title":"Look out","text":"They ask for drawings.","community":"ring","tlp":"green"`
	var look, out cases.ReleaseAnswer
	ok(t, json.Unmarshal([]byte(p.post(t, "sharer", at+"/release", jsonKind, release+`,"preview":true}`, http.StatusOK)), &look))
	if look.Left || len(look.Lines) != 2 || len(look.Readers) == 0 {
		t.Fatalf("the preview: %+v", look)
	}
	ok(t, json.Unmarshal([]byte(p.post(t, "sharer", at+"/release", jsonKind, release+`,"seen":"`+look.Digest+`"}`, http.StatusOK)), &out))
	if !out.Left || out.Lines[0].ID != look.Lines[0].ID {
		t.Fatalf("released: %+v", out)
	}
	known, err := forCases{p.Node}.Known(t.Context(), polder.Actor{Org: p.orgs["plain"].ID, Role: polder.RoleReader}, "drawings[.]example", 5)
	ok(t, err)
	if len(known) == 0 || known[0].Community != "ring" || known[0].Level != stix.Green || strings.Contains(out.Lines[0].Raw, string(p.orgs["sharer"].ID)) {
		t.Errorf("known of it: %+v; it left as %s", known, out.Lines[0].Raw)
	}
	if none, err := (forCases{p.Node}).Known(t.Context(), polder.Actor{Org: p.orgs["plain"].ID, Role: polder.RoleReader}, "no value at all", 5); err != nil || len(none) != 0 {
		t.Errorf("of no value: %v %v", none, err)
	}
	places, levels, err := forCases{p.Node}.Places(t.Context(), polder.Actor{Org: p.orgs["sharer"].ID, Role: polder.RoleReader})
	ok(t, err)
	if len(places) != 0 || len(levels) == 0 {
		t.Errorf("who reads may share in %v", places)
	}
}
