package exchange

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// picture takes pictures of a page, light and dark, wide and narrow, when $POLDER_SHOTS names a folder.
func picture(p *webtest.Page, name string) {
	dir := os.Getenv("POLDER_SHOTS")
	if dir == "" {
		return
	}
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int{1440, 390} {
			p.Theme(theme)
			p.Size(width, 900)
			p.Screenshot(filepath.Join(dir, "exchange-"+name+"-"+theme+"-"+strconv.Itoa(width)+".png"))
		}
	}
	p.Theme("light")
	p.Size(1440, 1000)
}

// TestBrowser walks through the pages as people do, under the strict policy, and holds each to the rules of the console.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	c := newConsole(t)
	c.story()
	server := httptest.NewServer(c.handler)
	t.Cleanup(server.Close)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "maker")
	p = p.Tab(t, server.URL+"/")
	for _, at := range []struct{ path, name string }{
		{"/", "overview"}, {"/objects", "objects"}, {"/objects?type=indicator&tlp=amber&lang=nl", "objects-nl"}, {"/objects/" + sid("indicator", 1), "object"},
	} {
		p.Go(server.URL + at.path)
		p.Check(t)
		picture(p, at.name)
	}
}
