package taxii

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// call is a request of the tests and the answer to it.
type call struct {
	method, path string
	as           string // token; "" for none
	body         string
	header       map[string]string // an empty value removes a header
}

func (c call) do(t testing.TB, h http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	r.Header.Set("Accept", MediaType)
	if c.method == "POST" {
		r.Header.Set("Content-Type", MediaType)
	}
	if c.as != "" {
		r.Header.Set("Authorization", "Bearer "+c.as)
	}
	for k, v := range c.header {
		if r.Header.Set(k, v); v == "" {
			r.Header.Del(k)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(t testing.TB, h http.Handler, as, path string) *httptest.ResponseRecorder {
	t.Helper()
	return call{method: "GET", path: path, as: as}.do(t, h)
}

// want fails the test unless the answer has the status, and TAXII's type and error body where they belong.
func want(t testing.TB, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != MediaType {
		t.Fatalf("Content-Type %q, want %q", got, MediaType)
	}
	if status >= 300 {
		var e errorResource
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Title == "" || e.HTTPStatus != itoa(status) {
			t.Fatalf("error body %q (%v), want a title and http_status %q", w.Body, err, itoa(status))
		}
	}
}

// envelope is the body of a page, of objects, manifest or versions.
type envelope struct {
	More     bool              `json:"more"`
	Next     string            `json:"next"`
	Objects  []json.RawMessage `json:"objects"`
	Versions []string          `json:"versions"`
}

func decode[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

const base = "/taxii2/root/collections/"

func TestPageThroughEverything(t *testing.T) {
	m := newMemory()
	for n := range 25 {
		m.put(t, red, object("indicator", n, 1), "")
	}
	h := serve(t, m, nil)
	for _, resource := range []string{"objects/", "manifest/"} {
		var got []json.RawMessage
		path := base + "red/" + resource + "?limit=10"
		for pages := 0; path != ""; pages++ {
			w := get(t, h, "alice", path)
			want(t, w, 200)
			e := decode[envelope](t, w)
			got, path = append(got, e.Objects...), ""
			if e.More {
				path = base + red + "/" + resource + "?limit=10&next=" + e.Next
			}
			if pages > 3 {
				t.Fatal("the pages do not end")
			}
		}
		if len(got) != 25 {
			t.Fatalf("%s: %d objects, want 25", resource, len(got))
		}
	}
}
