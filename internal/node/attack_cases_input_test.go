package node

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// caseBody is what would do at a route of cases, so that it is the right and not the form that refuses it.
func caseBody(pattern string) (kind, body string) {
	if !strings.HasPrefix(pattern, "/api/") {
		return formKind, "title=Acme&text=Acme&reason=none+of+your+business&version=1&did=copied&part=read&ceiling=green&status=contained&tlp=green&confirmed=yes"
	}
	for suffix, b := range map[string]string{
		"/{id}": `{"version":1,"title":"Acme"}`, "/{item}": `{"version":1,"title":"Acme"}`, "/status": `{"status":"contained","reason":"none of your business","version":1}`, "/archive": `{"archived":true}`,
		"/members": `{"org":"identity--5d0092c5-5f74-4287-9642-33f4c354e56d","part":"read","ceiling":"green"}`, "/damage": `{"taken":"nothing","what":"none of your business","version":1}`, "/jewels": `{"jewels":[]}`,
		"/items": `{"kind":"note","title":"Acme"}`, "/done": `{"done":true}`, "/strike": `{"version":1,"reason":"none of your business"}`, "/erase": `{"reason":"none of your business"}`,
		"/custody": `{"did":"copied","to":"Acme"}`, "/duties": `{"jurisdictions":["NL"],"sectors":[],"kinds":["incident"],"serious":"yes","version":1}`, "/aware": `{"at":"2026-01-01T00:00:00Z","reason":"none of your business","version":1}`,
		"/events": `{"name":"ongoing","at":"2026-01-01T00:00:00Z"}`, "/struck": `{"reason":"none of your business"}`, "/sent": `{"version":1}`, "/excused": `{"reason":"none of your business","version":1}`, "/reopened": `{"reason":"none of your business","version":1}`,
		"/sharings": `{"community":"ring","org":"identity--5d0092c5-5f74-4287-9642-33f4c354e56d","part":"read","ceiling":"green"}`, "/release": `{"community":"ring","tlp":"green","title":"Acme","text":"Acme"}`, "/restore": `{"version":1}`,
	} {
		if strings.HasSuffix(pattern, suffix) {
			return jsonKind, b
		}
	}
	return jsonKind, `{}`
}

// record is all of a case and of what its organisation keeps, as who leads it reads it.
func (x *casesWorld) record(t *testing.T, key, as string) (out string) {
	t.Helper()
	path := "/api/v1/cases/" + x.cases[key]
	for _, p := range []string{path, path + "/items?limit=200&struck=yes", path + "/members", path + "/history", path + "/damage", path + "/deadlines", path + "/sharings", "/api/v1/jewels", "/api/v1/desks", "/api/v1/cases/settings"} {
		a := x.ask(ask{as: as, path: p})
		if a.status != http.StatusOK {
			t.Fatalf("%s as %s: %d %s", p, as, a.status, a.body)
		}
		out += a.body + "\n"
	}
	return out
}

// TestS5Cases (S1, S5): whoever was not let into a case, or not let see an item, gets by whatever verb, page and file, word
// for word the answer about what does not exist; a jewel and a desk of another organisation are no different. Nothing of
// what was asked about has changed.
func TestS5Cases(t *testing.T) {
	x := newCasesWorld(t)
	before := x.record(t, "hidden", "contributor") + x.record(t, "open", "contributor")
	const none = "5d0092c5-5f74-4287-9642-33f4c354e56d"
	tried := 0
	same := func(r string, q ask, id, absent string) {
		t.Helper()
		w := q
		w.path = strings.ReplaceAll(q.path, id, absent)
		got, want := x.ask(q), x.ask(w)
		tried++
		if g, m := plainly(got, id), plainly(want, absent); strings.ReplaceAll(g, id, "ID") != strings.ReplaceAll(m, absent, "ID") {
			t.Errorf("%s %s as %q:\n%s\nand for what does not exist\n%s", q.method, r, q.as, g, m)
		}
		if got.status < 300 && !strings.Contains(r, "/new") || got.status >= 500 {
			t.Errorf("%s %s as %q: %d %s", q.method, r, q.as, got.status, got.body)
		}
	}
	for _, r := range x.Routes() {
		if _, of := caseExits[r.Exit]; !of || !strings.Contains(r.Pattern, "{") {
			continue
		}
		kind, body := caseBody(r.Pattern)
		q := ask{method: r.Method, kind: kind, body: body, head: map[string]string{"Sec-Fetch-Site": "same-origin"}}
		fill := strings.NewReplacer("{page}", "items", "{act}", "strike", "{rule}", "nis2-nl.early-warning", "{n}", "1", "{sharing}", x.sharing, "{member}", string(x.ids["w green"]))
		if strings.Contains(r.Pattern, "cases/{id}") || strings.Contains(r.Pattern, "cases/deadlines/{id}") {
			for _, page := range []string{"items", "history", "export", "members", "damage"} {
				path := strings.NewReplacer("{page}", page, "{item}", x.items["hidden"]["note at red"]).Replace(r.Pattern)
				path = strings.Replace(fill.Replace(path), "{id}", x.cases["hidden"], 1)
				for _, as := range []string{"plain", "plain steward", "w strict", "reader", "foreign", "steward", "admin"} {
					q.as, q.path = as, path
					same(r.Pattern, q, x.cases["hidden"], "case--"+none)
				}
				if !strings.Contains(r.Pattern, "{page}") {
					break
				}
			}
			if !strings.Contains(r.Pattern, "{item}") {
				continue
			}
			for _, name := range []string{"note at red", "file at red", "decision at amber+strict", "observable at red", "raised", "struck", "link"} {
				id := x.items["open"][name]
				for _, as := range []string{"w green", "w amber", "named", "stew", "left"} {
					q.as, q.path = as, strings.NewReplacer("{id}", x.cases["open"], "{item}", id).Replace(fill.Replace(r.Pattern))
					same(r.Pattern+" "+name, q, id, none)
				}
			}
		}
		if strings.Contains(r.Pattern, "/jewels/{") {
			for _, as := range []string{"named steward", "named", "foreign", "admin"} {
				q.as, q.path = as, strings.NewReplacer("{id}", x.jewels["plain"], "{jewel}", x.jewels["plain"]).Replace(r.Pattern)
				same(r.Pattern, q, x.jewels["plain"], strings.Repeat("a", len(x.jewels["plain"])))
			}
		}
		if strings.Contains(r.Pattern, "/shared") && strings.Contains(r.Pattern, "{key}") {
			for _, as := range []string{"named", "foreign", "stew", "admin"} {
				q.as, q.path = as, strings.Replace(r.Pattern, "{key}", x.shared, 1)
				same(r.Pattern, q, x.shared, none)
			}
		}
	}
	if after := x.record(t, "hidden", "contributor") + x.record(t, "open", "contributor"); after != before {
		t.Errorf("something has changed:\n%s\nwas\n%s", after, before)
	}
	if tried < 1000 {
		t.Errorf("%d pairs", tried)
	}
	t.Logf("%d pairs", tried)
}

// TestS3Cases (S3): a path that names an item of another case, and a body that names another's case, item, jewel, report,
// person or organisation, change nothing of it, join nothing to it and tell nothing of it.
func TestS3Cases(t *testing.T) {
	x := newCasesWorld(t)
	theirs, hidden := x.record(t, "theirs", "named"), x.record(t, "hidden", "contributor")
	jewels := x.ask(ask{as: "named", path: "/api/v1/jewels"}).body
	open := "/api/v1/cases/" + x.cases["open"]
	other, red := x.items["theirs"], x.items["hidden"]
	for _, q := range []ask{
		{method: "PATCH", path: open + "/items/" + other["note at clear"], body: `{"version":1,"title":"mine now"}`},
		{method: "POST", path: open + "/items/" + other["task at clear"] + "/done", body: `{"done":true}`},
		{method: "POST", path: open + "/items/" + other["note at clear"] + "/strike", body: `{"version":1,"reason":"mine now"}`},
		{method: "POST", path: open + "/items/" + other["note at clear"] + "/erase", body: `{"reason":"mine now, and for good"}`},
		{method: "POST", path: open + "/evidence/" + other["file at clear"] + "/custody", body: `{"did":"destroyed","reason":"mine"}`},
		{path: open + "/evidence/" + other["file at clear"]}, {path: open + "/items/" + other["note at clear"] + "/history"}, {path: open + "/items/" + other["observable at clear"] + "/lookup"},
		{path: open + "/items/" + red["note at clear"]}, {path: open + "/evidence/" + red["file at clear"]},
		{path: open + "/items?next=" + other["note at clear"]}, {path: open + "/items?next=" + red["note at clear"]}, {path: "/api/v1/cases?next=" + x.cases["theirs"]},
		{method: "POST", path: open + "/items", body: fmt.Sprintf(`{"kind":"link","title":"to theirs","link":{"to":%q}}`, x.cases["theirs"])},
		{method: "POST", path: open + "/items", body: fmt.Sprintf(`{"kind":"link","title":"to a hidden one","link":{"to":%q}}`, x.cases["hidden"])},
		{method: "POST", path: open + "/items", body: fmt.Sprintf(`{"kind":"decision","title":"In its place","decision":{"reason":"so be it","supersedes":%q}}`, other["decision at clear"])},
		{method: "POST", path: open + "/items", body: fmt.Sprintf(`{"kind":"task","title":"Yours to do","task":{"owner":%q}}`, x.ids["foreign"])},
		{method: "PUT", path: open + "/jewels", body: fmt.Sprintf(`{"jewels":[%q]}`, x.jewels["named"])},
		{method: "PUT", path: open + "/damage", body: fmt.Sprintf(`{"taken":"some","what":"theirs","jewels":[%q],"version":1}`, x.jewels["named"])},
		{method: "POST", path: "/api/v1/cases", body: fmt.Sprintf(`{"title":"With their jewel","jewels":[%q]}`, x.jewels["named"])},
		{method: "POST", path: "/api/v1/cases", body: `{"title":"From a report of nobody","report":"5d0092c5-5f74-4287-9642-33f4c354e56d"}`},
		{method: "POST", path: open + "/members", body: fmt.Sprintf(`{"person":%q,"part":"lead","ceiling":"red"}`, x.ids["w green"])},
		{method: "POST", path: open + "/members", body: fmt.Sprintf(`{"person":%q,"part":"read","ceiling":"green"}`, x.ids["foreign"])},
		{method: "DELETE", path: open + "/members/" + string(x.ids["contributor"])},
		{method: "POST", path: "/api/v1/cases/" + x.cases["theirs"] + "/sharings/" + x.sharing + "/stop"},
		{method: "POST", path: open + "/release", body: fmt.Sprintf(`{"items":[%q],"community":"ring","tlp":"clear","confirmed":true}`, other["observable at clear"])},
		{method: "POST", path: open + "/release", body: fmt.Sprintf(`{"items":[%q],"community":"ring","tlp":"clear","confirmed":true}`, x.items["open"]["observable at red"])},
	} {
		q.as = "w green"
		if q.body != "" {
			q.kind = jsonKind
		}
		a := x.ask(q)
		if a.status < 400 || a.status >= 500 {
			t.Errorf("%s %s %s: %d %s", q.method, q.path, q.body, a.status, a.body)
		}
		for _, w := range canaryWords(a.body) {
			if s := x.secrets[w]; !x.may(q.as, s) {
				t.Errorf("%s %s tells the %s of %s", q.method, q.path, s.what, s.in)
			}
		}
	}
	if after := x.record(t, "theirs", "named"); after != theirs {
		t.Errorf("something of named changed:\n%s\nwas\n%s", after, theirs)
	}
	if after := x.record(t, "hidden", "contributor"); after != hidden {
		t.Errorf("something of the hidden case changed:\n%s\nwas\n%s", after, hidden)
	}
	if after := x.ask(ask{as: "named", path: "/api/v1/jewels"}).body; after != jewels {
		t.Errorf("the register of named changed:\n%s\nwas\n%s", after, jewels)
	}
}

// caseFields are whole bodies of the main POSTs, as their optional fields and values.
var caseFields = map[string]map[string]string{
	"/api/v1/cases": {"title": `"Acme"`, "summary": `"Acme"`, "kind": `"incident"`, "roads": `["cyber"]`, "class": `"intrusions/application-compromise"`, "severity": `"low"`, "tlp": `"red"`, "aware": `"2026-01-01T00:00:00Z"`, "noticed": `"by night"`,
		"occurred": `"2026-01-01T00:00:00Z"`, "sector": `"energy"`, "countries": `["NL"]`, "victim": `"Acme"`, "observables": `[{"type":"domain","value":"acme.example"}]`, "members": `[]`},
	"/items":    {"kind": `"note"`, "tlp": `"red"`, "title": `"Acme"`, "text": `"Acme"`, "at": `"2026-01-01T00:00:00Z"`, "weighs": `true`, "confirmed": `true`},
	"/members":  {"person": `"{stranger}"`, "part": `"read"`, "ceiling": `"clear"`},
	"/release":  {"community": `"ring"`, "tlp": `"red"`, "to": `["{named}"]`, "title": `"Acme"`, "text": `"Acme"`, "values": `[{"type":"domain","value":"acme.example"}]`, "preview": `true`, "confirmed": `true`},
	"/sharings": {"community": `"ring"`, "org": `"{named}"`, "part": `"read"`, "ceiling": `"green"`, "preview": `true`, "confirmed": `true`},
}

// TestS2Cases (S2): each field of each main POST left out, empty, twice and of every other type: nothing is a fault, what
// is given twice is refused, nothing becomes wider than what was asked or what the case is, and nobody gets in with more.
func TestS2Cases(t *testing.T) {
	x := newCasesWorld(t)
	tried := 0
	for _, suffix := range slices.Sorted(maps.Keys(caseFields)) {
		fields, path := caseFields[suffix], suffix
		if !strings.HasPrefix(path, "/api/") {
			path = "/api/v1/cases/" + x.cases["hidden"] + suffix
		}
		fill := strings.NewReplacer("{stranger}", string(x.ids["w amber"]), "{named}", string(x.orgs["named"].ID))
		names := slices.Sorted(maps.Keys(fields))
		body := func(of, value string) string {
			var out []string
			for _, n := range names {
				switch {
				case n != of:
					out = append(out, fmt.Sprintf("%q:%s", n, fields[n]))
				case value == "twice":
					out = append(out, fmt.Sprintf("%q:%s,%q:%s", n, fields[n], n, fields[n]))
				case value == "two spellings":
					out = append(out, fmt.Sprintf("%q:%s,%q:%s", n, fields[n], strings.ToUpper(n), fields[n]))
				case value != "":
					out = append(out, fmt.Sprintf("%q:%s", n, value))
				}
			}
			return fill.Replace("{" + strings.Join(out, ",") + "}")
		}
		for _, n := range names {
			for _, value := range []string{"", "twice", "two spellings", "null", `""`, `"clear"`, "7", "-1", "true", "false", "{}", "[]", `[null]`, `["",""]`, `"\u0000"`, "1e999", `{"a":{"a":{}}}`, `"` + strings.Repeat("a", 70_000) + `"`} {
				b := body(n, value)
				a := x.ask(ask{as: "contributor", method: "POST", path: path, kind: jsonKind, body: b})
				tried++
				what := fmt.Sprintf("POST %s with %s as %.20s: %d %.300s", suffix, n, value, a.status, a.body)
				switch {
				case a.status >= 500 || a.status < 200:
					t.Error(what)
				case (value == "twice" || value == "two spellings") && a.status < 400:
					t.Errorf("%s; it must be refused", what)
				case (suffix == "/items" || suffix == "/api/v1/cases") && a.status == http.StatusCreated && n != "tlp" && !strings.Contains(a.body, `"tlp":"TLP:RED"`) && !strings.Contains(a.body, `"tlp":"red"`):
					t.Errorf("%s; RED was asked for", what)
				case suffix == "/items" && n == "tlp" && value != `"clear"` && a.status == http.StatusCreated && !strings.Contains(a.body, `"tlp":"TLP:RED"`) && !strings.Contains(a.body, `"tlp":"red"`):
					t.Errorf("%s; the case is RED", what)
				case suffix == "/api/v1/cases" && n == "tlp" && value != `"clear"` && a.status == http.StatusCreated && !strings.Contains(strings.ToLower(a.body), `"tlp":"tlp:amber+strict"`) && !strings.Contains(a.body, `"tlp":"amber+strict"`):
					t.Errorf("%s; a case without a level is AMBER+STRICT", what)
				case suffix == "/members" && (n == "part" || n == "ceiling") && a.status < 300 && value != `"clear"`:
					t.Errorf("%s; nobody gets in by a part or ceiling that was not said", what)
				case (suffix == "/release" || suffix == "/sharings") && n != "preview" && strings.Contains(a.body, `"left":true`):
					t.Errorf("%s; it left though a preview was asked for", what)
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("%d bodies were tried", tried)
	}
	t.Logf("%d bodies", tried)
}
