package taxii

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// These tests follow the OASIS Standard TAXII 2.1, one by one in the order of its sections.

func TestT01_Paths(t *testing.T) {
	h := serve(t, newMemory(), nil)
	d := decode[Discovery](t, get(t, h, "alice", "/taxii2/"))
	if len(d.APIRoots) != 1 || d.APIRoots[0] != "/taxii2/root/" {
		t.Fatalf("api_roots %q, want the one root", d.APIRoots)
	}
	for _, path := range []string{"/taxii2", "/taxii2/root", base + "red/objects", base + "red/objects/x--1/versions", base + "red/objects/a%2Fb"} {
		w := get(t, h, "alice", path+"?limit=3")
		want(t, w, 308)
		if got := w.Header().Get("Location"); got != path+"/?limit=3" {
			t.Errorf("%s: Location %q, want the path with its slash", path, got)
		}
	}
	want(t, call{method: "POST", path: base + "red/objects", as: "alice", body: "{}"}.do(t, h), 308)
	for _, path := range []string{"/taxii2/x/", "/taxii2/root/x", base + "red/objects/a/b/", "/taxii2/root/status/"} {
		want(t, get(t, h, "alice", path), 404)
	}
	for path, allow := range map[string]string{"/taxii2/": "GET, HEAD", base: "GET, HEAD", base + "red/objects/": "GET, HEAD, POST", base + "red/objects/x/": "GET, HEAD, DELETE"} {
		w := call{method: "PATCH", path: path, as: "alice"}.do(t, h)
		want(t, w, 405)
		if got := w.Header().Get("Allow"); got != allow {
			t.Errorf("%s: Allow %q, want %q", path, got, allow)
		}
	}
	m := newMemory()
	m.put(t, red, object("indicator", 1, 1), "")
	h = serve(t, m, nil)
	for _, path := range []string{"/taxii2/", base, base + "red/objects/"} {
		full, head := get(t, h, "alice", path), call{method: "HEAD", path: path, as: "alice"}.do(t, h)
		want(t, head, 200)
		if head.Body.Len() != 0 || head.Header().Get("Content-Length") != itoa(full.Body.Len()) {
			t.Errorf("HEAD %s: %d bytes, Content-Length %s; want 0 and %d", path, head.Body.Len(), head.Header().Get("Content-Length"), full.Body.Len())
		}
	}
}

func TestT02_ContentTypeAndErrorResource(t *testing.T) {
	h := serve(t, newMemory(), nil)
	for _, c := range []struct {
		call
		status int
	}{
		{call{method: "GET", path: "/taxii2/", as: "alice"}, 200},
		{call{method: "GET", path: "/taxii2/"}, 401},
		{call{method: "GET", path: base + "none/", as: "alice"}, 404},
		{call{method: "GET", path: base + "red/objects/?limit=0", as: "alice"}, 400},
		{call{method: "POST", path: base + "red/objects/", as: "alice", body: "["}, 400},
		{call{method: "PUT", path: base, as: "alice"}, 405},
	} {
		want(t, c.do(t, h), c.status) // want checks type, title and http_status as a string
	}
	if w := get(t, h, "alice", base+"none/"); !strings.Contains(w.Body.String(), `"http_status":"404"`) {
		t.Errorf("http_status is no string in %s", w.Body)
	}
}

func TestT03_AcceptAndContentType(t *testing.T) {
	h := serve(t, newMemory(), nil)
	for _, c := range []struct {
		accept string
		status int
		why    string
	}{
		{"", 200, "absent asks for anything"},
		{"*/*", 200, "anything"},
		{"application/*", 200, "any application type"},
		{"application/taxii+json", 200, "no version: the highest"},
		{"application/taxii+json;version=2.1", 200, "as the standard writes it"},
		{"application/taxii+json; version=2.1", 200, "an optional space"},
		{"APPLICATION/TAXII+JSON ; VERSION=\"2.1\"", 200, "case and quotes"},
		{"text/html, application/taxii+json;version=2.1;q=0.3", 200, "in a list"},
		{"text/html;q=0.9, */*;q=0.1", 200, "a low q is still a yes"},
		{"application/taxii+json;version=2.0, application/taxii+json;version=2.1", 200, "one of two versions"},
		{"nonsense, */*", 200, "what cannot be read is passed over"},
		{"application/taxii+json;version=2.1;q=0, */*", 406, "the most specific range says no"},
		{"*/*;q=0", 406, "a no to everything"},
		{"application/taxii+json;version=2.0", 406, "another version"},
		{"application/vnd.oasis.taxii+json", 406, "TAXII 2.0"},
		{"application/json", 406, "not defined by TAXII"},
		{"text/html", 406, "not defined by TAXII"},
		{"/", 406, "no media range"},
	} {
		w := call{method: "GET", path: "/taxii2/", as: "alice", header: map[string]string{"Accept": c.accept}}.do(t, h)
		if w.Code != c.status {
			t.Errorf("Accept %q: %d, want %d: %s", c.accept, w.Code, c.status, c.why)
		}
		want(t, w, w.Code)
	}
	body := `{"objects":[` + object("indicator", 1, 1) + `]}`
	for _, c := range []struct {
		typ    string
		status int
		why    string
	}{
		{"application/taxii+json;version=2.1", 202, "as the standard writes it"},
		{"application/taxii+json", 202, "no version"},
		{"application/taxii+json; version=2.1; charset=UTF-8", 202, "JSON is UTF-8 anyway"},
		{"application/taxii+json;version=2.0", 415, "another version"},
		{"application/taxii+json;charset=latin1", 415, "not UTF-8"},
		{"application/json", 415, "not defined by TAXII"},
		{"application/stix+json;version=2.1", 415, "an object, not an envelope"},
		{"", 415, "absent"},
	} {
		w := call{method: "POST", path: base + "red/objects/", as: "alice", body: body, header: map[string]string{"Content-Type": c.typ}}.do(t, h)
		if w.Code != c.status {
			t.Errorf("Content-Type %q: %d, want %d: %s", c.typ, w.Code, c.status, c.why)
		}
		want(t, w, w.Code)
	}
	w := call{method: "POST", path: base + "red/objects/", as: "alice", body: body, header: map[string]string{"Accept": "text/html"}}.do(t, h)
	want(t, w, 406)
}

func TestT04_Authentication(t *testing.T) {
	h := serve(t, newMemory(), nil)
	for _, path := range []string{"/taxii2/", "/taxii2/root/", base, base + "red/", base + "red/objects/", "/taxii2/root/status/x/"} {
		w := get(t, h, "", path)
		want(t, w, 401)
		if got := strings.Join(w.Header().Values("WWW-Authenticate"), ", "); got != `Basic realm="test", charset="UTF-8", Bearer realm="test"` {
			t.Errorf("%s: WWW-Authenticate %q", path, got)
		}
	}
	want(t, get(t, h, "mallory", "/taxii2/"), 401)
	nobody := func(o *Options) { o.Authenticate = func(*http.Request) (Subject, error) { return nil, nil } }
	want(t, get(t, serve(t, newMemory(), nobody), "alice", base), 401)
	w := call{method: "GET", path: "/taxii2/", header: map[string]string{"Authorization": "Basic YWxpY2U6c2VjcmV0"}}.do(t, h)
	want(t, w, 200)
	w = get(t, h, "hasty", "/taxii2/")
	want(t, w, 429)
	if got := w.Header().Get("Retry-After"); got != "90" {
		t.Errorf("Retry-After %q, want 90", got)
	}
}

func TestT05_Timestamps(t *testing.T) {
	m := newMemory()
	m.put(t, red, `{"type":"tool","spec_version":"2.1","id":"tool--1","created":"2020-01-01T00:00:00Z","modified":"2020-01-01T00:00:00.12Z"}`, "")
	h := serve(t, m, nil)
	w := get(t, h, "alice", base+"red/manifest/")
	want(t, w, 200)
	for _, header := range []string{"X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"} {
		if got := w.Header().Get(header); got != "2026-01-02T03:04:05.000007Z" {
			t.Errorf("%s %q, want six digits and Z", header, got)
		}
	}
	var line struct {
		Objects []struct{ Version, DateAdded string }
	}
	_ = json.Unmarshal(bytes.ReplaceAll(w.Body.Bytes(), []byte("date_added"), []byte("DateAdded")), &line)
	if got := line.Objects[0]; got.Version != "2020-01-01T00:00:00.12Z" || got.DateAdded != "2026-01-02T03:04:05.000007Z" {
		t.Errorf("%+v: want the version as it came and date_added with six digits", got)
	}
	raw := decode[envelope](t, get(t, h, "alice", base+"red/objects/")).Objects[0]
	if !strings.Contains(string(raw), `"modified":"2020-01-01T00:00:00.12Z"`) {
		t.Errorf("the object's time was written anew: %s", raw)
	}
}

func TestT06_EmptyListsAreLeftOut(t *testing.T) {
	m := newMemory()
	h := serve(t, m, nil)
	for _, resource := range []string{"objects/", "manifest/"} {
		if got := get(t, h, "alice", base+"red/"+resource).Body.String(); got != "{}" {
			t.Errorf("%s: %s, want {}", resource, got)
		}
	}
	m.put(t, red, object("tool", 1, 1), "")
	if got := get(t, h, "alice", base+"red/objects/"+objectID("tool", 1)+"/versions/?match[spec_version]=2.0").Body.String(); got != "{}" {
		t.Errorf("versions: %s, want {}", got)
	}
	m.collections = m.collections[:1]
	if got := get(t, h, "carol", base).Body.String(); got != "{}" {
		t.Errorf("collections: %s, want {}", got)
	}
	for _, c := range decode[struct{ Collections []map[string]any }](t, get(t, h, "alice", base)).Collections {
		if _, ok := c["media_types"]; ok {
			t.Errorf("an empty media_types in %v", c)
		}
	}
}

func TestT07_CustomPropertiesAndUserAgent(t *testing.T) {
	h := serve(t, newMemory(), nil)
	body := `{"x_ours":{"a":[1]},"more":false,"objects":[` + object("tool", 1, 1) + `]}`
	w := call{method: "POST", path: base + "red/objects/", as: "alice", body: body, header: map[string]string{"User-Agent": ""}}.do(t, h)
	want(t, w, 202)
	w = call{method: "POST", path: base + "red/objects/", as: "alice", body: `{"ours":1,"objects":[` + object("tool", 1, 1) + `]}`}.do(t, h)
	want(t, w, 422)
}

func TestT08_Discovery(t *testing.T) {
	h := serve(t, newMemory(), func(o *Options) { o.BaseURL, o.Root = "https://node.example", "/shared/" })
	d := decode[Discovery](t, get(t, h, "alice", "/taxii2/"))
	if d.Title == "" || d.Default != "https://node.example/shared/" || !slices.Contains(d.APIRoots, d.Default) {
		t.Errorf("%+v: want a title, and a default that is one of the roots", d)
	}
	want(t, get(t, h, "alice", "/shared/"), 200)
	want(t, get(t, h, "alice", "/shared/nothing/"), 404)
}

func TestT09_APIRoot(t *testing.T) {
	h := serve(t, newMemory(), func(o *Options) { o.MaxContentLength = 1000 })
	root := decode[APIRoot](t, get(t, h, "alice", "/taxii2/root/"))
	if root.Title == "" || !slices.Equal(root.Versions, []string{"application/taxii+json;version=2.1"}) || root.MaxContentLength != 1000 {
		t.Errorf("%+v", root)
	}
	post := func(size int, header map[string]string) int {
		o := object("tool", 1, 1)
		pad := size - len(`{"objects":[]}`) - len(o)
		body := `{"objects":[` + o + strings.Repeat(" ", pad) + `]}`
		w := call{method: "POST", path: base + "red/objects/", as: "alice", body: body, header: header}.do(t, h)
		want(t, w, w.Code)
		return w.Code
	}
	if got := post(1000, nil); got != 202 {
		t.Errorf("a body of max_content_length: %d, want 202", got)
	}
	if got := post(1001, nil); got != 413 {
		t.Errorf("a body one byte longer: %d, want 413", got)
	}
}

func TestT10_Collections(t *testing.T) {
	m := newMemory()
	h := serve(t, m, nil)
	rights := func(as string) string {
		var s []string
		for _, c := range decode[struct{ Collections []Collection }](t, get(t, h, as, base)).Collections {
			s = append(s, fmt.Sprintf("%s %v %v", c.Title, c.CanRead, c.CanWrite))
		}
		return strings.Join(s, "; ")
	}
	for as, list := range map[string]string{
		"alice": "Red true true; Blue true true; Drop box true false; Shown false false",
		"bob":   "Red true true; Drop box false true; Shown false false",
		"carol": "Shown false false",
	} {
		for range 3 {
			if got := rights(as); got != list {
				t.Errorf("%s: %s, want %s", as, got, list)
			}
		}
	}
	byID, byAlias := get(t, h, "alice", base+blue+"/"), get(t, h, "alice", base+"blue/")
	want(t, byID, 200)
	if byID.Body.String() != byAlias.Body.String() {
		t.Errorf("by id %s, by alias %s", byID.Body, byAlias.Body)
	}
	m.collections[0].Alias = blue
	if got := decode[Collection](t, get(t, h, "alice", base+blue+"/")).ID; got != blue {
		t.Errorf("an alias that equals another's id won: %s", got)
	}
	want(t, get(t, h, "bob", base+"blue/"), 404)
	want(t, get(t, h, "bob", base+dropID+"/"), 200)
}

func TestT11_Status(t *testing.T) {
	h := serve(t, newMemory(), nil)
	body := `{"objects":[` + object("tool", 1, 1) + `,{"type":"tool"}]}`
	w := call{method: "POST", path: base + "red/objects/", as: "alice", body: body}.do(t, h)
	want(t, w, 202)
	s := decode[Status](t, w)
	if s.Status != Complete || s.TotalCount != 2 || s.SuccessCount != 1 || s.FailureCount != 1 || s.PendingCount != 0 {
		t.Errorf("%+v", s)
	}
	if !strings.Contains(w.Body.String(), `"pending_count":0`) || strings.Contains(w.Body.String(), `"pendings"`) {
		t.Errorf("want every count and no empty list in %s", w.Body)
	}
	again := get(t, h, "alice", "/taxii2/root/status/"+s.ID+"/")
	want(t, again, 200)
	if again.Body.String() != w.Body.String() {
		t.Errorf("later %s, at first %s", again.Body, w.Body)
	}
	want(t, get(t, h, "bob", "/taxii2/root/status/"+s.ID+"/"), 404)
	want(t, get(t, h, "alice", "/taxii2/root/status/other/"), 404)
}

func TestT12_ManifestAndVersions(t *testing.T) {
	m := newMemory()
	m.put(t, red, object("tool", 1, 1), "")
	m.put(t, red, object("tool", 1, 2), "")
	h := serve(t, m, nil)
	lines := decode[struct{ Objects []ManifestRecord }](t, get(t, h, "alice", base+"red/manifest/?match[version]=all")).Objects
	if len(lines) != 2 || lines[0].Version != "2020-01-01T00:00:00.000Z" || lines[1].MediaType != STIXMediaType {
		t.Errorf("manifest %+v, want a record per version", lines)
	}
	w := get(t, h, "alice", base+"red/objects/"+objectID("tool", 1)+"/versions/")
	want(t, w, 200)
	if got := decode[envelope](t, w).Versions; !slices.Equal(got, []string{"2020-01-01T00:00:00.000Z", "2020-01-02T00:00:00.000Z"}) {
		t.Errorf("versions %q", got)
	}
}

func TestT13_DateAddedHeaders(t *testing.T) {
	m := newMemory()
	for v := 1; v <= 3; v++ {
		m.put(t, red, object("tool", 1, v), "")
	}
	h := serve(t, m, nil)
	id := objectID("tool", 1)
	for path, span := range map[string]string{
		"objects/?match[version]=all":                          "07-21",
		"objects/?match[version]=all&limit=2":                  "07-14",
		"manifest/?match[version]=first":                       "07-07",
		"objects/" + id + "/":                                  "21-21",
		"objects/" + id + "/versions/":                         "07-21",
		"objects/" + id + "/versions/?limit=1":                 "07-07",
		"objects/?match[type]=nothing":                         "-",
		"objects/" + id + "/?match[spec_version]=2.0":          "-",
		"manifest/?added_after=2030-01-01T00:00:00Z":           "-",
		"objects/" + id + "/versions/?match[spec_version]=2.0": "-",
	} {
		w := get(t, h, "alice", base+"red/"+path)
		want(t, w, 200)
		first, last := w.Header().Get("X-TAXII-Date-Added-First"), w.Header().Get("X-TAXII-Date-Added-Last")
		micro := func(s string) string {
			return strings.TrimSuffix(strings.TrimPrefix(s, "2026-01-02T03:04:05.0000"), "Z")
		}
		if got := micro(first) + "-" + micro(last); got != span {
			t.Errorf("%s: first-last %q, want %q", path, got, span)
		}
		if _, there := w.Header()["X-Taxii-Date-Added-First"]; there != (span != "-") {
			t.Errorf("%s: header there: %v", path, there)
		}
	}
}

func TestT14_Rights(t *testing.T) {
	m := newMemory()
	id := objectID("tool", 1)
	m.put(t, red, object("tool", 1, 1), "")
	m.put(t, dropID, object("tool", 1, 1), "")
	h := serve(t, m, nil)
	body := `{"objects":[` + object("tool", 2, 1) + `]}`
	for _, c := range []struct {
		call
		status int
		why    string
	}{
		{call{method: "GET", path: base + "drop/objects/", as: "bob"}, 403, "write-only"},
		{call{method: "GET", path: base + "drop/manifest/", as: "bob"}, 403, "write-only"},
		{call{method: "GET", path: base + "drop/objects/" + id + "/versions/", as: "bob"}, 403, "write-only"},
		{call{method: "GET", path: base + shown + "/objects/", as: "bob"}, 404, "neither right"},
		{call{method: "POST", path: base + "drop/objects/", as: "alice", body: body}, 403, "read-only"},
		{call{method: "POST", path: base + "drop/objects/", as: "bob", body: body}, 202, "write-only may write"},
		{call{method: "POST", path: base + shown + "/objects/", as: "bob", body: body}, 404, "neither right"},
		{call{method: "POST", path: base + "blue/objects/", as: "bob", body: body}, 404, "unknown to him"},
		{call{method: "DELETE", path: base + shown + "/objects/" + id + "/", as: "bob"}, 404, "neither right"},
		{call{method: "DELETE", path: base + "drop/objects/" + id + "/", as: "alice"}, 403, "read-only"},
		{call{method: "DELETE", path: base + "drop/objects/" + id + "/", as: "bob"}, 403, "write-only"},
		{call{method: "DELETE", path: base + "red/objects/" + id + "/", as: "bob"}, 200, "both"},
		{call{method: "GET", path: base + "red/objects/" + id + "/", as: "alice"}, 404, "deleted"},
		{call{method: "DELETE", path: base + "red/objects/" + id + "/", as: "bob"}, 404, "deleted"},
	} {
		w := c.do(t, h)
		if w.Code != c.status {
			t.Errorf("%s %s as %s: %d, want %d: %s", c.method, c.path, c.as, w.Code, c.status, c.why)
		}
		want(t, w, w.Code)
		if c.method == "DELETE" && w.Code == 200 && w.Body.Len() > 0 {
			t.Errorf("DELETE answers with a body: %s", w.Body)
		}
	}
	if got := get(t, h, "alice", base+"red/manifest/").Body.String(); got != "{}" {
		t.Errorf("the manifest still has it: %s", got)
	}
}

func TestT15_Post(t *testing.T) {
	m := newMemory()
	h := serve(t, m, func(o *Options) { o.MaxObjects = 3 })
	o := object("tool", 1, 1)
	for _, c := range []struct {
		body   string
		status int
		why    string
	}{
		{`{"objects":[` + o + `]}`, 202, "an envelope"},
		{`{"objects":[` + o + `]}`, 202, "an exact duplicate is no error"},
		{``, 400, "nothing"},
		{`{"objects":[` + o, 400, "cut off"},
		{`{"objects":[` + o + `]} {}`, 400, "more after the envelope"},
		{`{"objects":[{"id":"a","id":"b"}]}`, 400, "a name twice"},
		{"{\"objects\":[{\"id\":\"\xff\"}]}", 400, "bad UTF-8"},
		{`{"objects":[{"id":"\ud800"}]}`, 400, "a lone surrogate"},
		{`{"objects":[{"a":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}]}`, 400, "too deep"},
		{strings.Repeat("[", 1_000_000), 400, "far too deep"},
		{`{"objects":[` + o + `],"objects":[]}`, 400, "two lists"},
		{`[]`, 422, "no object"},
		{`"objects"`, 422, "no object"},
		{`{}`, 422, "no objects"},
		{`{"objects":[]}`, 422, "no objects"},
		{`{"objects":{}}`, 422, "objects is no list"},
		{`{"objects":[` + o + `,1]}`, 422, "a number among the objects"},
		{`{"type":"bundle","id":"bundle--1","objects":[` + o + `]}`, 422, "a bundle"},
		{`{"objects":[{},{},{},{}]}`, 422, "more objects than the server takes"},
	} {
		before := len(m.statuses)
		w := call{method: "POST", path: base + "red/objects/", as: "alice", body: c.body}.do(t, h)
		if w.Code != c.status {
			t.Errorf("%.60q: %d, want %d: %s", c.body, w.Code, c.status, c.why)
		}
		want(t, w, w.Code)
		if reached := len(m.statuses) > before; reached != (w.Code == 202) {
			t.Errorf("%.60q: status %d but the store was called: %v", c.body, w.Code, reached)
		}
	}
	if got := len(m.in(red).records); got != 1 {
		t.Errorf("%d objects stored, want 1", got)
	}
}

func TestT16_OneObject(t *testing.T) {
	m := newMemory()
	m.put(t, red, object("tool", 1, 1), "")
	m.put(t, red, object("tool", 2, 1), "bob")
	h := serve(t, m, nil)
	for path, status := range map[string]int{
		objectID("tool", 1) + "/":                         200,
		objectID("tool", 1) + "/?match[spec_version]=2.0": 200,
		objectID("tool", 1) + "/versions/":                200,
		objectID("tool", 2) + "/":                         404,
		objectID("tool", 2) + "/versions/":                404,
		objectID("tool", 9) + "/":                         404,
		objectID("tool", 9) + "/versions/":                404,
		"%00/":                                            404,
		strings.Repeat("x", 5000) + "/":                   404,
	} {
		want(t, get(t, h, "alice", base+"red/objects/"+path), status)
	}
	if got := get(t, h, "alice", base+"red/objects/"+objectID("tool", 1)+"/?match[spec_version]=2.0").Body.String(); got != "{}" {
		t.Errorf("filters that exclude all: %s, want {}", got)
	}
}

func TestT17_OldestFirst(t *testing.T) {
	m := newMemory()
	for _, n := range []int{5, 1, 3} {
		m.put(t, red, object("tool", n, 1), "")
	}
	h := serve(t, m, nil)
	lines := decode[struct{ Objects []ManifestRecord }](t, get(t, h, "alice", base+"red/manifest/")).Objects
	for i, n := range []int{5, 1, 3} {
		if lines[i].ID != objectID("tool", n) || i > 0 && !lines[i].DateAdded.After(lines[i-1].DateAdded.Time) {
			t.Fatalf("record %d is %+v; want the order in which they were added", i, lines[i])
		}
	}
}

func TestT18_AddedAfter(t *testing.T) {
	m := newMemory()
	number := m.put(t, red, object("tool", 1, 1), "")
	m.put(t, red, object("tool", 2, 1), "")
	h := serve(t, m, nil)
	at := TimeOf(number).Time
	for _, c := range []struct {
		text string
		n    int // objects; -1 for 400
		why  string
	}{
		{TimeOf(number).String(), 1, "strictly greater"},
		{TimeOf(number - 1).String(), 2, "one microsecond before"},
		{TimeOf(number).UTC().Add(-time.Nanosecond).Format(time.RFC3339Nano), 2, "a nanosecond before"},
		{TimeOf(number).UTC().Add(999).Format(time.RFC3339Nano), 1, "999 ns after"},
		{"2026-01-02T03:04:05Z", 2, "no fraction"},
		{"2026-01-02t03:04:05.0z", 2, "lower case"},
		{at.In(time.FixedZone("", 3600)).Format(time.RFC3339Nano), 1, "an offset"},
		{"2026-01-02T03:04:05 00:00", 2, "+ that became a space"},
		{"0001-01-01T00:00:00Z", 2, "long ago"},
		{"9999-12-31T23:59:59.999999Z", 0, "far ahead"},
		{"", -1, "empty"}, {"banana", -1, "no time"}, {"2026-01-02", -1, "no time of day"},
		{"2026-13-02T03:04:05Z", -1, "no such month"}, {"2026-01-02T03:04:05", -1, "no zone"},
		{"2026-01-02T3:04:05Z", -1, "an hour of one digit"}, {"2026-01-02T03:04:05,5Z", -1, "a comma"},
		{"2026-01-02T03:04:05.Z", -1, "a point and no digits"}, {"1767322800", -1, "a number"},
		{"2026-01-02T03:04:05Z,2026-01-02T03:04:05Z", -1, "two times"},
		{"2026-01-02T03:04:05.0000000000000000000000000000000000000000000000000000001Z", -1, "endless digits"},
	} {
		w := get(t, h, "alice", base+"red/objects/?added_after="+queryEscape(c.text))
		n := -1
		if w.Code == 200 {
			n = len(decode[envelope](t, w).Objects)
		}
		if n != c.n {
			t.Errorf("added_after=%s: %d objects (status %d), want %d: %s", c.text, n, w.Code, c.n, c.why)
		}
	}
	want(t, get(t, h, "alice", base+"red/objects/?added_after=2026-01-02T03:04:05+00:00"), 200)
}

func TestT19_Limit(t *testing.T) {
	m := newMemory()
	for n := range 12 {
		m.put(t, red, object("tool", n, 1), "")
	}
	h := serve(t, m, func(o *Options) { o.PageMax, o.PageDefault = 10, 5 })
	for _, c := range []struct {
		limit string
		n     int // objects; -1 for 400
		more  bool
	}{
		{"", 5, true}, {"limit=1", 1, true}, {"limit=0007", 7, true}, {"limit=10", 10, true}, {"limit=11", 10, true},
		{"limit=99999999999999999999999999", 10, true},
		{"limit=0", -1, false}, {"limit=00", -1, false}, {"limit=-1", -1, false}, {"limit=1.0", -1, false}, {"limit=", -1, false},
		{"limit=+1", -1, false}, {"limit=abc", -1, false}, {"limit=1&limit=1", -1, false}, {"limit=1,2", -1, false},
		{"limit=10&match[id]=" + objectID("tool", 3), 1, false},
	} {
		w := get(t, h, "alice", base+"red/objects/?"+c.limit)
		n, more := -1, false
		if w.Code == 200 {
			e := decode[envelope](t, w)
			n, more = len(e.Objects), e.More
			if more != (e.Next != "") {
				t.Errorf("%s: more %v with next %q", c.limit, more, e.Next)
			}
		}
		if n != c.n || more != c.more {
			t.Errorf("%s: %d objects, more %v (status %d), want %d, %v", c.limit, n, more, w.Code, c.n, c.more)
		}
	}
	// exactly as many as the limit: all there is, and no more
	w := get(t, h, "alice", base+"red/objects/?added_after="+m.in(red).records[1].dateAdded()+"&limit=10")
	if e := decode[envelope](t, w); len(e.Objects) != 10 || e.More {
		t.Errorf("%d objects, more %v; want 10 and no more", len(e.Objects), e.More)
	}
}

func (r memRecord) dateAdded() string { return TimeOf(r.Number).String() }

func TestT20_Next(t *testing.T) {
	m := newMemory()
	for n := range 5 {
		m.put(t, red, object("tool", n, 1), "")
	}
	h := serve(t, m, nil)
	next := decode[envelope](t, get(t, h, "alice", base+"red/objects/?limit=2&match[type]=tool,indicator")).Next
	other := serve(t, m, nil) // a second node, or the same one after a restart
	w := get(t, other, "alice", base+red+"/objects/?limit=3&match[type]=indicator,tool,tool&next="+next)
	want(t, w, 200)
	if e := decode[envelope](t, w); len(e.Objects) != 3 || !strings.Contains(string(e.Objects[0]), "object 2") || e.More {
		t.Errorf("%d objects from %s; want the last three", len(e.Objects), e.Objects[0])
	}
	for _, bad := range []string{"match[type]=tool&next=" + next, "next=" + next, "match[type]=indicator,tool&next=" + next[:len(next)-1], "next=1", "next=%00"} {
		want(t, get(t, h, "alice", base+"red/objects/?"+bad), 400)
	}
	// the right is asked for again: the same next after the reader lost the collection
	m.in(red).readers = nil
	m.in(red).writers = nil
	want(t, get(t, h, "alice", base+"red/objects/?match[type]=indicator,tool&next="+next), 404)
}

func TestT21_Match(t *testing.T) {
	m := newMemory()
	m.put(t, red, object("tool", 1, 1), "")
	m.put(t, red, object("tool", 2, 1), "")
	m.put(t, red, object("indicator", 3, 1), "")
	h := serve(t, m, nil)
	for _, c := range []struct {
		match string
		n     int // objects; -1 for 400
		why   string
	}{
		{"match[type]=tool", 2, "one type"},
		{"match[type]=tool,indicator", 3, "comma is or"},
		{"match[type]=x-never-heard-of", 0, "an unknown type is no error"},
		{"match[type]=tool&match[id]=" + objectID("tool", 1) + "," + objectID("indicator", 3), 1, "fields are anded"},
		{"match%5Btype%5D=tool", 2, "encoded brackets"},
		{"match[colour]=red", 3, "an unknown field is ignored"},
		{"colour=red&colour=blue", 3, "an unknown parameter is ignored"},
		{"match[type]=tool&match[type]=indicator", -1, "a field twice"},
		{"match[colour]=red&match[colour]=red", -1, "a field twice"},
		{"match[type]=", -1, "empty"},
		{"match[type]=tool,,indicator", -1, "an empty value"},
		{"match[type]=a%20b", -1, "a space"},
		{"match[id]=%ff", -1, "no UTF-8"},
		{"match[id]=a%00", -1, "a control character"},
		{"match[id]=" + strings.Repeat("a,", 2000) + "a", -1, "thousands of values"},
		{"match[id]=%zz", -1, "no URL encoding"},
		{"a;b", -1, "a semicolon"},
		{"match[spec_version]=banana", -1, "no version of STIX"},
	} {
		w := get(t, h, "alice", base+"red/objects/?"+c.match)
		n := -1
		if w.Code == 200 {
			n = len(decode[envelope](t, w).Objects)
		}
		if n != c.n || w.Code != 200 && w.Code != 400 {
			t.Errorf("%.80s: %d objects (status %d), want %d: %s", c.match, n, w.Code, c.n, c.why)
		}
	}
}

func TestT22_MatchVersion(t *testing.T) {
	m := newMemory()
	for v := 1; v <= 4; v++ {
		m.put(t, red, object("tool", 1, v), "")
	}
	m.put(t, red, `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--1","created":"2019-01-01T00:00:00Z"}`, "")
	m.put(t, red, `{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--1","value":"198.51.100.1"}`, "")
	h := serve(t, m, nil)
	id := objectID("tool", 1)
	for _, c := range []struct{ match, versions, why string }{
		{"", "4", "last by default"},
		{"last", "4", ""}, {"first", "1", ""}, {"first,last", "1 4", ""}, {"last,last", "4", ""}, {"all", "1 2 3 4", ""},
		{"2020-01-02T00:00:00.000Z", "2", "exact"},
		{"2020-01-02T00:00:00Z", "2", "the same instant in other words"},
		{"2020-01-02T01:00:00%2B01:00,first", "1 2", "an offset"},
		{"2020-01-02T00:00:00.000001Z", "", "another instant"},
		{"all,last", "400", "all stands alone"}, {"all,2020-01-02T00:00:00Z", "400", "all stands alone"},
		{"banana", "400", ""}, {"LAST", "400", "case counts"}, {"2020-01-02", "400", ""},
	} {
		path := base + "red/objects/" + id + "/"
		if c.match != "" {
			path += "?match[version]=" + c.match
		}
		w := get(t, h, "alice", path)
		got := itoa(w.Code)
		if w.Code == 200 {
			var days []string
			for _, o := range decode[envelope](t, w).Objects {
				_, day, _ := strings.Cut(string(o), `"modified":"2020-01-0`)
				days = append(days, day[:1])
			}
			got = strings.Join(days, " ")
		}
		if got != c.versions {
			t.Errorf("match[version]=%s: %q, want %q: %s", c.match, got, c.versions, c.why)
		}
	}
	for object, version := range map[string]string{"marking-definition--1": "2019-01-01T00:00:00Z", "ipv4-addr--1": "2026-01-02T03:04:05.000042Z"} {
		got := decode[envelope](t, get(t, h, "alice", base+"red/objects/"+object+"/versions/")).Versions
		if !slices.Equal(got, []string{version}) {
			t.Errorf("%s: versions %q, want %q: created, or date_added where there is none", object, got, version)
		}
	}
}

func TestT23_MatchSpecVersion(t *testing.T) {
	m := newMemory()
	m.put(t, red, object("tool", 1, 1), "")
	m.put(t, red, strings.Replace(object("tool", 1, 2), `"spec_version":"2.1",`, "", 1), "")
	m.put(t, red, strings.Replace(object("tool", 2, 1), `"spec_version":"2.1",`, "", 1), "")
	h := serve(t, m, nil)
	for match, list := range map[string]string{
		"":                             "1/1 2/1",
		"?match[spec_version]=2.0":     "1/2 2/1",
		"?match[spec_version]=2.1":     "1/1",
		"?match[spec_version]=2.0,2.1": "1/2 2/1",
		"?match[spec_version]=3.7":     "",
	} {
		var got []string
		for _, l := range decode[struct{ Objects []ManifestRecord }](t, get(t, h, "alice", base+"red/manifest/"+match)).Objects {
			got = append(got, l.ID[len(l.ID)-1:]+"/"+l.Version[9:10])
			if old := l.MediaType == "application/stix+json;version=2.0"; old != (l.ID == objectID("tool", 2) || l.Version[9:10] == "2") {
				t.Errorf("%s: media type %s of %s", match, l.MediaType, l.ID)
			}
		}
		if strings.Join(got, " ") != list {
			t.Errorf("%s: %q, want %q", match, got, list)
		}
	}
}

func TestT24_DeleteFilters(t *testing.T) {
	m := newMemory()
	h := serve(t, m, nil)
	id := objectID("tool", 1)
	left := func() string {
		w := get(t, h, "alice", base+"red/objects/"+id+"/versions/")
		return strings.Join(decode[envelope](t, w).Versions, " ")
	}
	for v := 1; v <= 4; v++ {
		m.put(t, red, object("tool", 1, v), "")
	}
	remove := func(query string) int {
		w := call{method: "DELETE", path: base + "red/objects/" + id + "/" + query, as: "alice"}.do(t, h)
		want(t, w, w.Code)
		return w.Code
	}
	for _, query := range []string{"?match[type]=tool", "?match[id]=x", "?match[colour]=red", "?added_after=2020-01-01T00:00:00Z", "?limit=1", "?next=x", "?match[version]=banana", "?match[version]=first&match[version]=last"} {
		if got := remove(query); got != 400 {
			t.Errorf("DELETE %s: %d, want 400: it would delete more than was meant", query, got)
		}
	}
	if remove("?match[version]=2020-01-02T00:00:00Z") != 200 || left() != "2020-01-01T00:00:00.000Z 2020-01-03T00:00:00.000Z 2020-01-04T00:00:00.000Z" {
		t.Errorf("after deleting one version: %s", left())
	}
	if remove("?match[version]=last") != 200 || left() != "2020-01-01T00:00:00.000Z 2020-01-03T00:00:00.000Z" {
		t.Errorf("after deleting the last: %s", left())
	}
	if got := remove("?match[spec_version]=2.0"); got != 404 {
		t.Errorf("deleting what is not there: %d, want 404", got)
	}
	if remove("") != 200 {
		t.Error("deleting all")
	}
	want(t, get(t, h, "alice", base+"red/objects/"+id+"/"), 404)
}

func TestT25_EmptyLastPage(t *testing.T) {
	m := newMemory()
	for n := range 4 {
		m.put(t, red, object("tool", n, 1), "")
	}
	h := serve(t, m, nil)
	next := decode[envelope](t, get(t, h, "alice", base+"red/objects/?limit=2")).Next
	m.in(red).records = m.in(red).records[:2]
	w := get(t, h, "alice", base+"red/objects/?limit=2&next="+next)
	want(t, w, 200)
	if w.Body.String() != "{}" {
		t.Errorf("%s, want {}", w.Body)
	}
}

func queryEscape(s string) string { return url.QueryEscape(s) }

func TestRoutes(t *testing.T) {
	s, err := New(Options{Store: newMemory(), Authenticate: authenticate, CursorKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, r := range s.Routes() {
		if r.Method != "" {
			declared = append(declared, r.Method+" "+r.Path)
			if r.Pattern != r.Method+" "+r.Path {
				t.Errorf("pattern %q of %s %s", r.Pattern, r.Method, r.Path)
			}
		}
	}
	if len(declared) != 11 {
		t.Errorf("%d routes, want 11: %q", len(declared), declared)
	}
	mux := http.NewServeMux() // a host with pages and an API of its own
	mux.HandleFunc("GET /{$}", http.NotFound)
	mux.HandleFunc("GET /api/v1/objects", http.NotFound)
	for _, r := range s.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
}

func TestOptions(t *testing.T) {
	good := Options{Store: newMemory(), Authenticate: authenticate, CursorKey: testKey}
	for name, change := range map[string]func(*Options){
		"no store":         func(o *Options) { o.Store = nil },
		"no authenticate":  func(o *Options) { o.Authenticate = nil },
		"short key":        func(o *Options) { o.CursorKey = testKey[:31] },
		"root is all":      func(o *Options) { o.Root = "/" },
		"root is taxii2":   func(o *Options) { o.Root = "/taxii2/" },
		"root no slash":    func(o *Options) { o.Root = "/x" },
		"root pattern":     func(o *Options) { o.Root = "/{x}/" },
		"base no scheme":   func(o *Options) { o.BaseURL = "node.example" },
		"base with slash":  func(o *Options) { o.BaseURL = "https://node.example/" },
		"base with secret": func(o *Options) { o.BaseURL = "https://a:b@node.example" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
