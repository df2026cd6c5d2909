package taxii

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// These tests are the traps in which TAXII servers and clients are known to lose data or their way.

// pages reads a resource to its end by next and counts what comes.
func pages(t *testing.T, h http.Handler, as, path string) (items []string, requests int) {
	t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for next := ""; ; requests++ {
		w := get(t, h, as, path+next)
		want(t, w, 200)
		e := decode[envelope](t, w)
		for _, o := range e.Objects {
			items = append(items, string(o))
		}
		items = append(items, e.Versions...)
		if !e.More {
			return items, requests + 1
		}
		if requests > 1000 {
			t.Fatal("the pages do not end")
		}
		next = sep + "next=" + e.Next
	}
}

// R1: a whole POST with one stamp makes pages by added_after lose objects.
func TestR01_EveryRecordHasItsOwnStamp(t *testing.T) {
	m := newMemory()
	h := serve(t, m, nil)
	var batch []string
	for n := range 300 {
		batch = append(batch, object("tool", n, 1))
	}
	want(t, call{method: "POST", path: base + "red/objects/", as: "alice", body: `{"objects":[` + strings.Join(batch, ",") + `]}`}.do(t, h), 202)
	got, after := 0, ""
	for range 10 {
		w := get(t, h, "alice", base+"red/objects/?limit=100"+after)
		got += len(decode[envelope](t, w).Objects)
		after = "&added_after=" + w.Header().Get("X-TAXII-Date-Added-Last")
	}
	if got != 300 {
		t.Errorf("%d objects by added_after, want 300", got)
	}
}

// R1: a store that breaks the order is noticed, not served: readers would lose objects in silence.
func TestR01_AStoreOutOfOrderIsNotServed(t *testing.T) {
	raw := []byte(`{}`)
	for name, p := range map[string]Page{
		"equal numbers":    {Records: []Record{{Number: 5, Raw: raw}, {Number: 5, Raw: raw}}},
		"falling numbers":  {Records: []Record{{Number: 5, Raw: raw}, {Number: 4, Raw: raw}}},
		"before the start": {Records: []Record{{Number: 0, Raw: raw}}},
		"more of nothing":  {More: true},
	} {
		h := serve(t, fixedPage{newMemory(), p}, nil)
		w := get(t, h, "alice", base+"red/objects/")
		want(t, w, 500)
		if !strings.Contains(w.Body.String(), `"error_id":"`) || strings.Contains(w.Body.String(), "number") {
			t.Errorf("%s: want an error_id and no detail: %s", name, w.Body)
		}
	}
}

type fixedPage struct {
	*memory
	page Page
}

func (f fixedPage) Records(context.Context, Subject, string, Query) (Page, error) { return f.page, nil }

// R2: manifest and versions have next too, and an empty next does not begin again in silence.
func TestR02_NextEverywhere(t *testing.T) {
	m := newMemory()
	for v := 1; v <= 9; v++ {
		m.put(t, red, object("tool", 1, v), "")
		m.put(t, red, object("indicator", v, 1), "")
	}
	h := serve(t, m, nil)
	for path, n := range map[string]int{
		"objects/?limit=2": 10, "manifest/?limit=3&match[version]=all": 18,
		"objects/" + objectID("tool", 1) + "/versions/?limit=2":               9,
		"objects/" + objectID("tool", 1) + "/?limit=4&match[version]=all":     9,
		"manifest/?limit=2&match[type]=tool&match[version]=first,last":        2,
		"objects/?limit=1&match[id]=" + objectID("tool", 1) + ",indicator--x": 1,
	} {
		items, requests := pages(t, h, "alice", base+"red/"+path)
		if slices.Sort(items); len(slices.Compact(items)) != n || n > 4 && requests < 2 {
			t.Errorf("%s: %d different items in %d requests, want %d", path, len(items), requests, n)
		}
	}
	for _, resource := range []string{"objects/", "manifest/", "objects/" + objectID("tool", 1) + "/versions/"} {
		want(t, get(t, h, "alice", base+"red/"+resource+"?next="), 400)
		w := get(t, h, "alice", base+"red/"+resource+"?next=&added_after=2020-01-01T00:00:00Z")
		want(t, w, 200)
	}
}

// R3: clients send next together with the added_after of the last page: the cursor decides and nothing is skipped.
func TestR03_NextWithAddedAfter(t *testing.T) {
	m := newMemory()
	for n := range 30 {
		m.put(t, red, object("tool", n, 1), "")
	}
	h := serve(t, m, nil)
	for name, added := range map[string]func(last string) string{
		"of the last page": func(last string) string { return last },
		"the first one":    func(string) string { return "2020-01-01T00:00:00Z" },
		"of the future":    func(string) string { return "2099-01-01T00:00:00Z" },
	} {
		query, got := "?limit=7&added_after=2020-01-01T00:00:00Z", 0
		for range 10 {
			w := get(t, h, "alice", base+"red/objects/"+query)
			want(t, w, 200)
			e := decode[envelope](t, w)
			got += len(e.Objects)
			if !e.More {
				break
			}
			query = "?limit=7&next=" + e.Next + "&added_after=" + added(w.Header().Get("X-TAXII-Date-Added-Last"))
		}
		if got != 30 {
			t.Errorf("added_after %s: %d objects, want 30", name, got)
		}
	}
	w := get(t, h, "alice", base+"red/objects/?limit=7")
	want(t, get(t, h, "alice", base+"red/objects/?next="+decode[envelope](t, w).Next+"&added_after=banana"), 400)
}

// R4: no page is longer than the server likes, whatever the client asks or leaves out.
func TestR04_PagesAreCapped(t *testing.T) {
	m := newMemory()
	for n := range 1200 {
		m.put(t, red, object("tool", n, 1), "")
	}
	for query, n := range map[string]int{"": 250, "?limit=1000": 1000, "?limit=100000": 1000} {
		if got := len(decode[envelope](t, get(t, serve(t, m, nil), "alice", base+"red/objects/"+query)).Objects); got != n {
			t.Errorf("%q: %d objects, want %d", query, got, n)
		}
	}
	size := len(object("tool", 1, 1))
	h := serve(t, m, func(o *Options) { o.PageBytes = 10*size + 100 })
	w := get(t, h, "alice", base+"red/objects/?limit=1000")
	if e := decode[envelope](t, w); len(e.Objects) > 11 || len(e.Objects) < 9 || !e.More {
		t.Errorf("%d objects of %d bytes in a page of at most %d, more %v", len(e.Objects), size, 10*size, e.More)
	}
	if items, _ := pages(t, h, "alice", base+"red/objects/?limit=1000"); len(items) != 1200 {
		t.Errorf("%d objects by pages of bytes, want 1200", len(items))
	}
	h = serve(t, m, func(o *Options) { o.PageBytes = 10 })
	if n := len(decode[envelope](t, get(t, h, "alice", base+"red/objects/")).Objects); n != 1 {
		t.Errorf("%d objects where each is longer than a page, want 1", n)
	}
	// a store that gives more than it was asked for is cut, and the rest comes with the next page
	p := Page{}
	for n := range 5 {
		p.Records = append(p.Records, Record{Number: int64(n + 1), Raw: []byte(`{}`)})
	}
	e := decode[envelope](t, get(t, serve(t, fixedPage{m, p}, nil), "alice", base+"red/objects/?limit=3"))
	if len(e.Objects) != 3 || !e.More || e.Next == "" {
		t.Errorf("a page of 5 for a limit of 3: %+v", e)
	}
}

// R5: the cursor is in next alone: another process with the same key goes on.
func TestR05_NextWithoutServerState(t *testing.T) {
	m := newMemory()
	for n := range 10 {
		m.put(t, red, object("tool", n, 1), "")
	}
	next, got := "", 0
	for {
		e := decode[envelope](t, get(t, serve(t, m, nil), "alice", base+"red/objects/?limit=3"+next))
		got += len(e.Objects)
		if next = "&next=" + e.Next; !e.More {
			break
		}
	}
	if got != 10 {
		t.Errorf("%d objects from a new server at each page, want 10", got)
	}
	other := serve(t, m, func(o *Options) { o.CursorKey = []byte("another key, also of at least 32 bytes") })
	e := decode[envelope](t, get(t, serve(t, m, nil), "alice", base+"red/objects/?limit=3"))
	want(t, get(t, other, "alice", base+"red/objects/?next="+e.Next), 400)
}

// R6: bad input is 400, never 500; good input in unusual clothes is taken.
func TestR06_BadInputIs400(t *testing.T) {
	m := newMemory()
	m.put(t, red, object("tool", 1, 1), "")
	h := serve(t, m, nil)
	for _, query := range []string{"added_after=banana", "match[version]=banana", "limit=0", "limit=-5", "next=banana"} {
		for _, resource := range []string{"objects/", "manifest/", "objects/" + objectID("tool", 1) + "/"} {
			want(t, get(t, h, "alice", base+"red/"+resource+"?"+query), 400)
		}
	}
	want(t, get(t, h, "alice", base+"red/objects/?added_after=2020-01-01T00:00:00Z"), 200)
	body := `{"objects":[{"type":"ipv4-addr","id":"ipv4-addr--1","value":"198.51.100.1"},{"type":"tool","spec_version":"2.1","id":"tool--8","created":"2020-01-01T00:00:00Z","modified":"2020-01-01T00:00:00Z"}]}`
	if s := decode[Status](t, call{method: "POST", path: base + "red/objects/", as: "alice", body: body}.do(t, h)); s.SuccessCount != 2 {
		t.Errorf("%+v: times without fractions, or an observable without spec_version, refused", s)
	}
}

// R7: every time of the server's own is RFC 3339 with six digits; nobody is sent to a page to log in.
func TestR07_TimesAndNoRedirectToALogin(t *testing.T) {
	m := newMemory()
	m.put(t, red, object("tool", 1, 1), "")
	h := serve(t, m, nil)
	w := get(t, h, "alice", base+"red/objects/")
	for _, name := range []string{"X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"} {
		if _, err := time.Parse(stampLayout, w.Header().Get(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w := get(t, h, "", base+"red/objects/"); w.Code != 401 || w.Header().Get("Location") != "" {
		t.Errorf("without credentials: %d to %q, want 401", w.Code, w.Header().Get("Location"))
	}
}

// R8: what other servers refuse with 406, and a 401 that is TAXII and not HTML.
func TestR08_AcceptIsTaken(t *testing.T) {
	h := serve(t, newMemory(), nil)
	for _, accept := range []string{"application/taxii+json", "*/*", "application/taxii+json;version=2.1;q=0.9, */*;q=0.1"} {
		want(t, call{method: "GET", path: "/taxii2/", as: "alice", header: map[string]string{"Accept": accept}}.do(t, h), 200)
	}
	want(t, call{method: "GET", path: "/taxii2/", header: map[string]string{"Accept": "text/html"}}.do(t, h), 401)
}

// R9: what a store refuses reaches the client object by object, and a duplicate is a success.
func TestR09_RefusalsReachTheClient(t *testing.T) {
	h := serve(t, newMemory(), nil)
	post := func(objects string) Status {
		return decode[Status](t, call{method: "POST", path: base + "red/objects/", as: "alice", body: `{"objects":[` + objects + `]}`}.do(t, h))
	}
	if s := post(object("tool", 1, 1)); s.SuccessCount != 1 {
		t.Errorf("%+v", s)
	}
	s := post(object("tool", 1, 1) + `,{"type":"x","name":"no id"}`)
	if s.SuccessCount != 1 || s.FailureCount != 1 || s.Failures[0].Message != "the object has no id" {
		t.Errorf("%+v: want the duplicate as a success and the other as a failure with its reason", s)
	}
}

// R10: versions compare as instants and are echoed in the text in which they came.
func TestR10_VersionsAsInstantsEchoedAsText(t *testing.T) {
	m := newMemory()
	texts := []string{"2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5Z", "2020-01-01T00:00:00.123456789Z"}
	for _, modified := range texts {
		m.put(t, red, fmt.Sprintf(`{"type":"tool","spec_version":"2.1","id":"tool--1","created":"2020-01-01T00:00:00Z","modified":%q}`, modified), "")
	}
	h := serve(t, m, nil)
	if got := decode[envelope](t, get(t, h, "alice", base+"red/objects/tool--1/versions/")).Versions; !slices.Equal(got, texts) {
		t.Errorf("versions %q, want %q", got, texts)
	}
	for ask, text := range map[string]string{"2020-01-01T00:00:00.000Z": texts[0], "2020-01-01T00:00:00.500000Z": texts[1], texts[2]: texts[2]} {
		lines := decode[struct{ Objects []ManifestRecord }](t, get(t, h, "alice", base+"red/manifest/?match[version]="+ask)).Objects
		if len(lines) != 1 || lines[0].Version != text {
			t.Errorf("match[version]=%s: %+v, want %s", ask, lines, text)
		}
	}
}

// R11: after a deletion, pages by next and by added_after lose nothing of the rest.
func TestR11_DeletionsBetweenPages(t *testing.T) {
	m := newMemory()
	for n := range 10 {
		m.put(t, red, object("tool", n, 1), "")
	}
	h := serve(t, m, nil)
	w := get(t, h, "alice", base+"red/objects/?limit=4")
	next, last := decode[envelope](t, w).Next, w.Header().Get("X-TAXII-Date-Added-Last")
	for _, n := range []int{3, 4} { // the last one read, and the one after it
		want(t, call{method: "DELETE", path: base + "red/objects/" + objectID("tool", n) + "/", as: "alice"}.do(t, h), 200)
	}
	for _, query := range []string{"next=" + next, "added_after=" + last} {
		if got := len(decode[envelope](t, get(t, h, "alice", base+"red/objects/?"+query)).Objects); got != 5 {
			t.Errorf("%s: %d objects, want the 5 that are left", query, got)
		}
	}
}

// R12: a POST that is refused as a whole reached no store; a failure of the store is not a success.
func TestR12_NoHalfPost(t *testing.T) {
	m := newMemory()
	h := serve(t, m, nil)
	want(t, call{method: "POST", path: base + "red/objects/", as: "alice", body: `{"objects":[` + object("tool", 1, 1) + `,]}`}.do(t, h), 400)
	if len(m.in(red).records) != 0 {
		t.Error("a refused POST stored something")
	}
	for _, c := range []struct {
		fault  error
		status int
	}{
		{errors.New("disk on fire at /var/lib"), 500}, {&Error{Status: 503, RetryAfter: 2500 * time.Millisecond}, 503},
		{fmt.Errorf("wrapped: %w", ErrFull), 507}, {ErrLimited, 429}, {ErrForbidden, 403}, {ErrTooLarge, 413},
		{Errorf(422, "too odd"), 422}, {Errorf(200, "no refusal"), 500}, {Errorf(999, "no status"), 500},
	} {
		m := &faultyAdd{newMemory(), c.fault}
		w := call{method: "POST", path: base + "red/objects/", as: "alice", body: `{"objects":[{}]}`}.do(t, serve(t, m, nil))
		want(t, w, c.status)
		if strings.Contains(w.Body.String(), "fire") {
			t.Errorf("the inside shows: %s", w.Body)
		}
		if c.status == 503 && w.Header().Get("Retry-After") != "3" {
			t.Errorf("Retry-After %q, want 3", w.Header().Get("Retry-After"))
		}
	}
}

type faultyAdd struct {
	*memory
	fault error
}

func (f faultyAdd) Add(context.Context, Subject, string, []json.RawMessage) (Status, error) {
	return Status{}, f.fault
}

// R13: what a reader may not see takes no room on its pages, and cursors stay those of the whole sequence.
func TestR13_FilterBeforeLimit(t *testing.T) {
	m := newMemory()
	for n := range 1000 {
		only := user("bob")
		if n%100 == 50 {
			only = ""
		}
		m.put(t, red, object("tool", n, 1), only)
	}
	h := serve(t, m, nil)
	w := get(t, h, "alice", base+"red/objects/?limit=10")
	if e := decode[envelope](t, w); len(e.Objects) != 10 || e.More {
		t.Errorf("%d objects, more %v; want all 10 that she may see, and no more", len(e.Objects), e.More)
	}
	if items, requests := pages(t, h, "alice", base+"red/objects/?limit=3"); len(items) != 10 || requests != 4 {
		t.Errorf("%d objects in %d pages, want 10 in 4", len(items), requests)
	}
	if items, _ := pages(t, h, "bob", base+"red/objects/?limit=300"); len(items) != 1000 {
		t.Errorf("bob reads %d objects, want 1000", len(items))
	}
}

// A reader that pages while others write gets every object once.
func TestReadWhileOthersWrite(t *testing.T) {
	m := newMemory()
	server := httptest.NewServer(serve(t, m, nil))
	defer server.Close()
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for n := range 100 {
				m.put(t, red, object("tool", w*1000+n, 1), "")
			}
		})
	}
	c := &Client{URL: server.URL, Token: "alice", Limits: Limits{PageObjects: 7}}
	remote, err := c.Find(t.Context(), "red")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	var cursor Cursor
	read := func() {
		pull := remote.Objects(cursor, Filter{})
		for raw, err := range pull.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got[string(raw)]++
		}
		cursor = pull.Cursor()
	}
	for range 20 {
		read()
	}
	writers.Wait()
	read()
	if len(got) != 400 {
		t.Errorf("%d objects, want 400", len(got))
	}
	for raw, n := range got {
		if n != 1 {
			t.Fatalf("%d times %s", n, raw)
		}
	}
}
