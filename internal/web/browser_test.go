package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// shots is where pictures of the pages go when $POLDER_SHOTS names a folder; without it none are taken.
func shots(p *webtest.Page, name string) {
	dir := os.Getenv("POLDER_SHOTS")
	if dir == "" {
		return
	}
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int{1440, 390} {
			p.Theme(theme)
			p.Size(width, 1000)
			p.Screenshot(filepath.Join(dir, name+"-"+theme+"-"+map[int]string{1440: "1440", 390: "390"}[width]+".png"))
		}
	}
	p.Theme("light")
	p.Size(1440, 1000)
}

func serveSite(t *testing.T, s *Site, routes ...Route) string {
	t.Helper()
	server := httptest.NewServer(handler(t, s, routes...))
	t.Cleanup(server.Close)
	return server.URL
}

func TestBrowserPages(t *testing.T) {
	if testing.Short() {
		t.Skip("the browser takes a while")
	}
	browser := webtest.Start(t)
	s := testSite(t, Options{})
	address := serveSite(t, s, Route{Method: "GET", Pattern: "/{$}", Exit: "x", Handler: func(w http.ResponseWriter, r *http.Request) {
		s.Render(w, r, Page{Template: "web/error", Title: "Empty", Data: map[string]any{}})
	}})
	for _, lang := range []string{"en", "nl"} {
		p := browser.Open(t, address+"/preferences")
		p.SetCookie("polder-lang", lang)
		p.Go("/preferences")
		p.Check(t)
		shots(p, "preferences-"+lang)
		p.SetCookie("polder", "steward")
		for _, path := range []string{"/components", "/keyboard", "/preferences", "/"} {
			p.Go(path)
			p.Check(t)
			if path == "/components" || path == "/keyboard" {
				shots(p, path[1:]+"-"+lang)
			}
		}
	}
}
