package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
)

// leafletFiles are a leaflet of one page, in English, Dutch and Frisian.
func leafletFiles() fstest.MapFS {
	return fstest.MapFS{
		"en.txt":                    {Data: []byte("language.name = English\nhello = Hello {who}\n")},
		"nl.txt":                    {Data: []byte("language.name = Nederlands\nhello = Hallo {who}\n")},
		"fy.txt":                    {Data: []byte("language.name = Frysk\nhello = Hoi {who}\n")},
		"templates/shell.part.html": {Data: []byte(`{{define "shell"}}<html lang="{{.Lang}}">{{range .Others}}<a href="{{.Href}}">{{.Name}}</a>{{end}}{{template "main" .Data}}</html>{{end}}{{define "main"}}{{end}}`)},
		"templates/greet.html":      {Data: []byte(`<p>{{t "hello" "who" .}} <a href="{{to "/x"}}">x</a> {{telephone .}}</p>`)},
		"templates/broken.html":     {Data: []byte(`{{.Nothing.There}}`)},
	}
}

func leafletHandler(t *testing.T, s *Site, page LeafletPage) http.Handler {
	t.Helper()
	l, err := s.Leaflet(leafletFiles())
	if err != nil {
		t.Fatal(err)
	}
	return handler(t, s, Route{Method: "GET", Pattern: "/leaflet", Exit: "test", Unseen: true, Handler: func(w http.ResponseWriter, r *http.Request) { l.Render(w, r, page) }})
}

func TestLeafletLanguages(t *testing.T) {
	h := leafletHandler(t, testSite(t, Options{}), LeafletPage{Name: "greet", Title: "T", Data: "<Sanne>\u202E"})
	for _, row := range []struct{ path, accept, want, why string }{
		{"/leaflet", "", `<html lang="en"><a href="/leaflet?lang=fy">Frysk</a><a href="/leaflet?lang=nl">Nederlands</a><p>Hello &lt;Sanne&gt;⟦U+202E⟧ <a href="/x?lang=en">`, "the first language when nothing is asked"},
		{"/leaflet?lang=fy", "nl", `<html lang="fy"><a href="/leaflet?lang=en">English</a><a href="/leaflet?lang=nl">Nederlands</a><p>Hoi`, "the address before the browser"},
		{"/leaflet?lang=xx", "fy;q=0.9, de", `<html lang="fy">`, "a language that is not there is not asked for"},
		{"/leaflet?lang=%22%3E", "", `<html lang="en">`, "markup is no language"},
	} {
		r := httptest.NewRequest("GET", row.path, nil)
		r.Header.Set("Accept-Language", row.accept)
		r.AddCookie(&http.Cookie{Name: "polder-lang", Value: "nl"})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !strings.HasPrefix(w.Body.String(), row.want) {
			t.Errorf("%s: %s, want %s", row.why, w.Body, row.want)
		}
		if len(w.Header()["Set-Cookie"]) > 0 {
			t.Errorf("%s: a cookie is set", row.why)
		}
	}
}

// TestLeafletFails: a page that cannot be made is an internal fault without details, whatever the route does with faults.
func TestLeafletFails(t *testing.T) {
	for _, name := range []string{"broken", "missing"} {
		w := httptest.NewRecorder()
		leafletHandler(t, testSite(t, Options{}), LeafletPage{Name: name, Data: 1}).ServeHTTP(w, httptest.NewRequest("GET", "/leaflet", nil))
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "Nothing") || strings.Contains(w.Body.String(), "<html") {
			t.Errorf("%s answers %d %s", name, w.Code, w.Body)
		}
	}
}

// TestUnseen: a route that looks at nobody knows nobody, and cannot ask for anybody.
func TestUnseen(t *testing.T) {
	s := testSite(t, Options{})
	h := handler(t, s, Route{Method: "GET", Pattern: "/unseen", Exit: "test", Unseen: true, Handler: func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(ActorOf(r).Name + From(r).String()))
	}})
	r := httptest.NewRequest("GET", "/unseen", nil)
	r.RemoteAddr = "192.0.2.7:1234"
	r.AddCookie(&http.Cookie{Name: "polder", Value: "steward"})
	r.Header.Set("Authorization", "Bearer broken")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.String() != "192.0.2.7" {
		t.Errorf("answers %d %s", w.Code, w.Body)
	}
	if _, err := s.Handler(Route{Method: "GET", Pattern: "/unseen", Need: Reader, Exit: "test", Unseen: true, Handler: http.NotFound}); err == nil {
		t.Error("a route that looks at nobody asks for a reader")
	}
	if got := From(httptest.NewRequest("GET", "/", nil)); got != (netip.Addr{}) {
		t.Errorf("outside a site the address is %v", got)
	}
}

func TestTelephone(t *testing.T) {
	for number, want := range map[string]string{
		"0800-7000":          `<a href="tel:08007000">0800-7000</a>`,
		"+31 (0)15 123 4567": `<a href="tel:+31151234567">+31 (0)15 123 4567</a>`,
		"112":                `<a href="tel:112">112</a>`,
		"ask for Anna":       "ask for Anna",
		`"><script>1234`:     `<a href="tel:1234">&#34;&gt;&lt;script&gt;1234</a>`,
		"1+2+3+4":            "1+2+3+4",
		"":                   "",
	} {
		if got := string(Telephone(number)); got != want {
			t.Errorf("%q is %s, want %s", number, got, want)
		}
	}
}
