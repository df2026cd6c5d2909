package node

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/stix"
)

// TestS2Weaker (S2, X4, X8): a refused share stays refused whatever parameters and headers are added, doubled, emptied or
// given another type, and stores nothing.
func TestS2Weaker(t *testing.T) {
	p := newPlace(t)
	ok(t, p.Accounts.SetWidest(t.Context(), accounts.Local(), p.orgs["plain"].ID, stix.Amber))
	refused := []struct{ name, as, query, object string }{
		{"wider than the organisation may", "plain", "", entry(1, 0, stix.Green, "")},
		{"without a level", "named", "", entry(2, 0, stix.None, "")},
		{"wider than its mark", "named", "tlp=green", entry(3, 0, stix.Amber, "")},
		{"by a reader", "reader", "tlp=amber", entry(4, 0, stix.Amber, "")},
		{"by the administrator", "admin", "", entry(5, 0, stix.Amber, "")},
		{"by no member", "foreign", "", entry(6, 0, stix.Amber, "")},
		{"to no member", "named", "to=" + string(p.orgs["foreign"].ID), entry(7, 0, stix.Amber, "")},
		{"in another's name", "named", "", entry(8, 0, stix.Amber, `,"created_by_ref":"`+string(p.orgs["plain"].ID)+`"`)},
	}
	params := []string{"", "tlp=", "tlp=&tlp=red", "tlp=0", "tlp[]=clear", "TLP=clear", "to=", "to=&to=", "to=null", "preview=0", "preview=", "confirm=1", "confirm=true&confirm=0",
		"named=1", "named=", "community=other", "unmarked=clear", "force=1", "widest=clear", "sharer=" + string(p.orgs["sharer"].ID), "org=" + string(p.orgs["sharer"].ID), "%00=1", "tlp=%00"}
	heads := []map[string]string{nil, {"X-HTTP-Method-Override": "PUT"}, {"synchronized-upsert": "true"}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Original-URL": "/api/v1/communities/other/share"},
		{"X-Rewrite-URL": "/healthz"}, {"X-Polder-Org": string(p.orgs["sharer"].ID)}, {"Content-Type": ""}, {"Content-Type": "text/plain"}, {"Content-Type": "application/stix+json;version=2.1, text/html"}, {"Accept": ""}}
	top := p.Journal.Top()
	tried := 0
	for _, r := range refused {
		for i, param := range params {
			for _, query := range []string{strings.Trim(r.query+"&"+param, "&"), strings.Trim(param+"&"+r.query, "&")} {
				head := heads[i%len(heads)]
				a := p.ask(ask{as: r.as, method: "POST", path: "/api/v1/communities/ring/share?" + query, body: r.object, kind: jsonKind, head: head})
				tried++
				if a.status < 400 {
					t.Errorf("%s, with %q and %v: %d %s", r.name, query, head, a.status, a.body)
				}
				if a.status >= 500 {
					t.Errorf("%s, with %q and %v: %d", r.name, query, head, a.status)
				}
			}
		}
	}
	if stored := p.seen(t, "sharer", ""); len(stored) > 0 || p.Journal.Top() != top {
		for id, level := range stored {
			t.Errorf("stored: %s as %s", id, level)
		}
	}
	if tried < 300 {
		t.Fatalf("%d requests", tried)
	}
}

// TestS3Mixed (S3): a body that names another object or community than the path is refused, and that object stays.
func TestS3Mixed(t *testing.T) {
	p := newPlace(t)
	p.share(t, "plain", "ring", "", entry(1, 0, stix.Green, ""))
	p.share(t, "sharer", "ring", "", entry(2, 0, stix.Green, ""))
	mine, theirs := entryID(1), entryID(2)
	before := p.ask(ask{as: "named", path: "/api/v1/objects/" + theirs + "?version=all"}).body
	top := p.Journal.Top()
	at := "/api/v1/communities/ring/objects/"
	for _, q := range []ask{
		{method: "POST", path: at + mine + "/opinions", body: `{"opinion":"agree","id":"` + theirs + `"}`},
		{method: "POST", path: at + mine + "/opinions", body: `{"opinion":"agree","object_refs":["` + theirs + `"]}`},
		{method: "POST", path: at + mine + "/sightings", body: `{"count":1,"sighting_of_ref":"` + theirs + `"}`},
		{method: "POST", path: at + mine + "/notes", body: `{"content":"x","community":"other"}`},
		{method: "PUT", path: at + theirs + "/custodian", body: `{"to":"` + string(p.orgs["plain"].ID) + `","id":"` + mine + `"}`},
		{method: "PUT", path: at + theirs + "/custodian", body: `{"to":"` + string(p.orgs["plain"].ID) + `"}`},
		{method: "DELETE", path: at + theirs, body: `{"id":"` + mine + `"}`},
		{method: "DELETE", path: at + theirs + "?id=" + mine},
		{method: "DELETE", path: "/api/v1/communities/other/objects/" + theirs},
		{method: "DELETE", path: "/taxii2/root/collections/ring/objects/" + theirs + "/?match[id]=" + mine},
		{method: "DELETE", path: "/taxii2/root/collections/other/objects/" + mine + "/"},
		{method: "POST", path: "/taxii2/root/collections/other/objects/", kind: taxiiKind, body: `{"objects":[` + entry(9, 0, stix.Green, "") + `],"collection":"ring"}`},
		{method: "POST", path: "/api/v1/communities/other/share?community=ring", body: entry(9, 0, stix.Green, "")},
		{method: "POST", path: "/api/v1/communities/ring/questions/" + theirs + "/close", body: `{}`},
	} {
		q.as = "plain"
		if q.kind == "" {
			q.kind = jsonKind
		}
		if a := p.ask(q); a.status < 400 || a.status >= 500 {
			t.Errorf("%s %s %s: %d %s", q.method, q.path, q.body, a.status, a.body)
		}
	}
	if after := p.ask(ask{as: "named", path: "/api/v1/objects/" + theirs + "?version=all"}).body; after != before || p.Journal.Top() != top {
		t.Fatalf("something changed: %s", after)
	}
}

// TestS9Hijack (S9, X13, X16): no other member writes a version of an object, revokes it, or puts other content under a
// version; the reason is said and the first bytes stay.
func TestS9Hijack(t *testing.T) {
	p := newPlace(t)
	p.share(t, "sharer", "ring", "", entry(1, 5, stix.Green, `,"name":"first"`))
	before := p.ask(ask{as: "named", path: "/api/v1/objects/" + entryID(1) + "?version=all"}).body
	top := p.Journal.Top()
	attacks := map[string]string{
		"a later version":          entry(1, 9, stix.Green, `,"name":"mine"`),
		"an earlier version":       entry(1, 1, stix.Green, `,"name":"mine"`),
		"a revocation":             entry(1, 9, stix.Green, `,"revoked":true`),
		"other content":            entry(1, 5, stix.Green, `,"name":"mine"`),
		"the same at another time": strings.Replace(entry(1, 5, stix.Green, `,"name":"mine"`), `00:05.000Z","pattern"`, `00:05Z","pattern"`, 1),
	}
	for name, object := range attacks {
		for _, as := range []string{"named", "stew"} {
			if a := p.tryShare(as, "ring", "", object); a.status != 422 || !strings.Contains(a.body, entryID(1)) {
				t.Errorf("%s by %s: %d %s", name, as, a.status, a.body)
			}
			a := p.ask(ask{as: as, method: "POST", path: "/taxii2/root/collections/ring/objects/", kind: taxiiKind, body: `{"objects":[` + object + `]}`})
			if a.status != 202 || !strings.Contains(a.body, `"failure_count":1`) {
				t.Errorf("%s by %s over TAXII: %d %s", name, as, a.status, a.body)
			}
		}
	}
	if a := p.tryShare("sharer", "ring", "", attacks["other content"]); a.status != 422 {
		t.Errorf("other content by its own sharer: %d", a.status)
	}
	if after := p.ask(ask{as: "named", path: "/api/v1/objects/" + entryID(1) + "?version=all"}).body; after != before || p.Journal.Top() != top {
		t.Fatalf("something changed: %s", after)
	}
}

// TestS10Times (S10, X14): times at the ends of the calendar are refused or kept as they are; they never decide order.
func TestS10Times(t *testing.T) {
	p := newPlace(t)
	last := p.Journal.Top()
	for i, at := range []string{"9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.500Z", "1969-12-31T23:59:59.999Z",
		"10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.123456789012345Z", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00z", ""} {
		object := strings.NewReplacer("2026-01-01T00:00:00.000Z", at, "2026-01-01T00:00:01.000Z", at).Replace(entry(i+1, 1, stix.Green, ""))
		a := p.tryShare("plain", "ring", "", object)
		switch a.status {
		case 422:
			if !strings.Contains(a.body, "created") && !strings.Contains(a.body, "modified") {
				t.Errorf("%q: refused without naming the property: %s", at, a.body)
			}
		case 200:
			var out struct{ Seq int64 }
			ok(t, json.Unmarshal([]byte(a.body), &out))
			if out.Seq <= int64(last) || out.Seq >= 1<<53 {
				t.Errorf("%q: number %d after %d", at, out.Seq, last)
			}
			if got := p.ask(ask{as: "named", path: "/api/v1/objects/" + entryID(i+1)}); !strings.Contains(got.body, at) {
				t.Errorf("%q is not echoed: %s", at, got.body)
			}
			last = p.Journal.Top()
		default:
			t.Errorf("%q: %d %s", at, a.status, a.body)
		}
	}
	p.share(t, "plain", "ring", "", entry(50, 1, stix.Green, ""))
	var page struct {
		Objects []struct{ Object struct{ ID string } }
	}
	ok(t, json.Unmarshal([]byte(p.ask(ask{as: "named", path: "/api/v1/objects?limit=1000"}).body), &page))
	if n := len(page.Objects); n < 3 || page.Objects[n-1].Object.ID != entryID(50) {
		t.Errorf("what was shared last does not stand last: %+v", page)
	}
}

// TestS11Markings (S11, X1): markings that contradict themselves, hide or pretend are refused over every face, and nothing
// of the batch is stored.
func TestS11Markings(t *testing.T) {
	p := newPlace(t)
	const tlp1Amber, tlp1Red = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
	marks := func(ids ...string) string {
		list, _ := json.Marshal(ids) // strings
		return entry(1, 0, stix.None, `,"object_marking_refs":`+string(list))
	}
	definition := func(id, typ, body string) string {
		return `{"type":"marking-definition","spec_version":"2.1","id":"` + id + `","created":"2026-01-01T00:00:00.000Z","definition_type":"` + typ + `","definition":` + body + `}`
	}
	for name, object := range map[string]string{
		"two levels of TLP 2.0":       marks(stix.Green.ID(), stix.Red.ID()),
		"TLP 1.0 and 2.0, different":  marks(tlp1Red, stix.Green.ID()),
		"TLP 1.0 twice, different":    marks(tlp1Amber, tlp1Red),
		"as text":                     entry(1, 0, stix.None, `,"object_marking_refs":"`+stix.Green.ID()+`"`),
		"an empty list":               marks(),
		"null":                        entry(1, 0, stix.None, `,"object_marking_refs":null`),
		"an id of another type":       marks("indicator--00000000-0000-4000-8000-000000000001"),
		"in capitals of another key":  entry(1, 0, stix.None, `,"Object_Marking_Refs":["`+stix.Green.ID()+`"]`),
		"twice":                       entry(1, 0, stix.Red, `,"object_marking_refs":["`+stix.Green.ID()+`"]`),
		"a selector to nowhere":       entry(1, 0, stix.Green, `,"granular_markings":[{"selectors":["description"],"marking_ref":"`+stix.Red.ID()+`"}]`),
		"a selector outside a list":   entry(1, 0, stix.Green, `,"labels":["a"],"granular_markings":[{"selectors":["labels.[7]"],"marking_ref":"`+stix.Red.ID()+`"}]`),
		"a granular mark without ref": entry(1, 0, stix.Green, `,"granular_markings":[{"selectors":["pattern"]}]`),
		"TLP redefined":               definition(stix.Red.ID(), "tlp", `{"tlp":"white"}`),
		"a TLP of one's own":          definition("marking-definition--00000000-0000-4000-8000-000000000001", "tlp", `{"tlp":"red"}`),
		"TLP 2.0 of one's own": `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--00000000-0000-4000-8000-000000000002","created":"2026-01-01T00:00:00.000Z","name":"TLP:CLEAR",` +
			`"extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"clear"}}}`,
	} {
		top := p.Journal.Top()
		a := p.tryShare("plain", "ring", "", entry(2, 0, stix.Green, ""), object)
		if a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		b := p.ask(ask{as: "plain", method: "POST", path: "/taxii2/root/collections/ring/objects/", kind: taxiiKind, body: `{"objects":[` + object + `]}`})
		if b.status < 400 && !strings.Contains(b.body, `"failure_count":1`) || b.status >= 500 {
			t.Errorf("%s over TAXII: %d %s", name, b.status, b.body)
		}
		if p.Journal.Top() != top {
			t.Errorf("%s: something was stored", name)
		}
	}
	raised := entry(3, 0, stix.Green, `,"description":"x","granular_markings":[{"selectors":["description"],"marking_ref":"`+stix.Red.ID()+`"}]`)
	p.share(t, "plain", "ring", "", raised, entry(4, 0, stix.Red, ""), entry(5, 0, stix.Green, ""))
	if got := p.seen(t, "named", ""); len(got) != 1 || got[entryID(5)] != "green" {
		t.Errorf("RED in part, and RED beside GREEN: another member sees %v", got)
	}
}

// TestS40JSON (S40, S41): JSON that two readers could read in two ways is refused.
func TestS40JSON(t *testing.T) {
	p := newPlace(t)
	good := entry(1, 0, stix.Green, "")
	for name, body := range map[string]string{
		"a key twice":          strings.Replace(good, `"pattern_type":"stix"`, `"pattern_type":"stix","pattern_type":"stix"`, 1),
		"the id twice":         strings.Replace(good, `"created"`, `"id":"`+entryID(2)+`","created"`, 1),
		"an escaped key twice": strings.Replace(good, `"created"`, `"\u0069d":"`+entryID(2)+`","created"`, 1),
		"something behind":     good + "}",
		"bad UTF-8":            strings.Replace(good, "x1.example", "x1\xff.example", 1),
		"a lone surrogate":     strings.Replace(good, "x1.example", `x1\ud800.example`, 1),
		"a comment":            "/* x */" + good,
		"a comma too many":     strings.Replace(good, `"]}`, `"],}`, 1),
		"too deep":             strings.Replace(good, `"pattern_type"`, `"x_deep":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000)+`,"pattern_type"`, 1),
		"UTF-16":               "\xff\xfe{\x00}\x00",
		"NaN":                  strings.Replace(good, `"pattern_type"`, `"confidence":NaN,"pattern_type"`, 1),
		"a number too large":   strings.Replace(good, `"pattern_type"`, `"confidence":1e400,"pattern_type"`, 1),
	} {
		top := p.Journal.Top()
		a := p.ask(ask{as: "plain", method: "POST", path: "/api/v1/communities/ring/share?name=x.json", kind: jsonKind, body: body})
		b := p.ask(ask{as: "plain", method: "POST", path: "/taxii2/root/collections/ring/objects/", kind: taxiiKind, body: `{"objects":[` + body + `]}`})
		if a.status < 400 || a.status >= 500 || b.status >= 500 || b.status < 400 && !strings.Contains(b.body, `"failure_count":1`) || p.Journal.Top() != top {
			t.Errorf("%s: %d %s; TAXII %d %s", name, a.status, a.body, b.status, b.body)
		}
	}
}

// mispEvent is a small event as MISP exports it.
const mispEvent = `{"Event":{"uuid":"5d0092c5-5f74-4287-9642-33f4c354e56e","info":"Phish at the gate","date":"2026-01-02","timestamp":"1767312000","threat_level_id":"2","analysis":"1","distribution":"1",` +
	`"Orgc":{"name":"Gewoon","uuid":"5d0092c5-5f74-4287-9642-33f4c354e56f"},"Tag":[{"name":"tlp:amber"}],"Attribute":[` +
	`{"uuid":"5d0092c5-5f74-4287-9642-33f4c354e570","type":"ip-dst","category":"Network activity","value":"198.51.100.9","to_ids":true,"timestamp":"1767312000"},` +
	`{"uuid":"5d0092c5-5f74-4287-9642-33f4c354e571","type":"filename|sha256","category":"Payload delivery","value":"a.exe|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","to_ids":true,"timestamp":"1767312000"}]}}`

// TestS41Damaged (S41): real files cut short and with flipped bits, by every format: an answer that says what is wrong, or
// a whole share; never a fault, never a part.
func TestS41Damaged(t *testing.T) {
	attack := attack(t)
	p := newPlace(t)
	rnd := rand.New(rand.NewPCG(41, 1))
	files := map[string]string{
		"a.json": bundleOf(string(attack[3]), string(attack[40]), string(attack[400])), "m.json": mispEvent,
		"t.csv": "type,value\nip,198.51.100.7\ndomain,evil.example\n", "t.txt": "Seen evil[.]example and 198.51.100[.]7 with CVE-2026-12345.",
	}
	for name, file := range files {
		for range soak(25, 500) {
			b := []byte(file)
			if rnd.IntN(2) == 0 {
				b = b[:rnd.IntN(len(b))]
			}
			for range rnd.IntN(4) {
				if len(b) > 0 {
					b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
				}
			}
			top := p.Journal.Top()
			a := p.ask(ask{as: "plain", method: "POST", path: "/api/v1/communities/ring/share?tlp=amber&confirm=1&name=" + name, body: string(b)})
			if a.status >= 500 || a.status < 200 {
				t.Fatalf("%s: %d %s\n%q", name, a.status, a.body, b)
			}
			if a.status >= 400 && p.Journal.Top() != top {
				t.Fatalf("%s was refused with %d and something is stored\n%q", name, a.status, b)
			}
		}
	}
}
