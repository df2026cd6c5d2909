package webtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// listener is a test that only notes what is said.
type listener struct {
	testing.TB
	said []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf(format, args...))
}
func (l *listener) Helper() {}

// Each rule of Check is broken by one page, and Check says so.
func TestCheckFindsFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("the browser takes a while")
	}
	good := `<!doctype html><html lang="en"><head><title>T</title><link rel="icon" href="/icon.svg"></head><body><main><h1>One</h1>%s</main></body></html>`
	pages := map[string]struct{ body, fault string }{
		"fine":       {`<p>Text with <a href="/x">a link</a>.</p><label for="a">A</label><input id="a">`, ""},
		"headings":   {`<h1>Two</h1>`, "2 h1"},
		"ids":        {`<p id="a"></p><p id="a"></p>`, "is there 2 times"},
		"references": {`<label for="none">x</label>`, "which is not there"},
		"anchors":    {`<a href="#none">xxxx</a>`, "which is not there"},
		"names":      {`<button></button>`, "has no name"},
		"fields":     {`<input>`, "has no name"},
		"styles":     {`<p style="margin:0">x</p>`, "style attribute"},
		"handlers":   {`<p onclick="x()">x</p>`, "has onclick"},
		"scripts":    {`<script>1</script>`, "must not be in a page"},
		"links":      {`<a href="javascript:x">xxxx</a>`, "leads to javascript"},
		"tables":     {`<table><tr><td>x</td></tr></table>`, "has no head"},
		"contrast":   {`<link rel="stylesheet" href="/pale.css"><p class="pale">pale</p>`, "has contrast"},
		"width":      {`<link rel="stylesheet" href="/pale.css"><p class="wide">wide</p>`, "scrolls sideways"},
		"targets":    {`<link rel="stylesheet" href="/pale.css"><p class="tight"><a href="/a">a</a><a href="/b">b</a></p>`, "under 24"},
		"outside":    {`<img alt="x" src="http://127.0.0.2:1/x.png">`, "a request went out"},
		"policy":     {`<link rel="stylesheet" href="data:text/css,x">`, "the console says"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' http:; script-src 'self'")
		switch r.URL.Path {
		case "/pale.css":
			w.Header().Set("Content-Type", "text/css")
			io.WriteString(w, `body{margin:0;background:#fff;color:#000} .pale{color:#999} .wide{width:2000px} .tight a{display:inline-block;width:10px;height:10px;overflow:hidden} a{color:#00c}`)
		case "/icon.svg":
			w.WriteHeader(204)
		default:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, good, pages[r.URL.Path[1:]].body)
		}
	}))
	defer server.Close()
	b := Start(t)
	for name, c := range pages {
		t.Run(name, func(t *testing.T) {
			p := b.Open(t, server.URL+"/"+name)
			heard := &listener{TB: t}
			p.Check(heard)
			all := strings.Join(heard.said, "\n")
			if c.fault == "" && all != "" || !strings.Contains(all, c.fault) {
				t.Errorf("want %q, heard:\n%s", c.fault, all)
			}
		})
	}
}

func TestBroken(t *testing.T) {
	for page, want := range map[string]int{
		"<p>a<br>b</p>": 0, "<p><b></p>": 1, "<p>": 1, "<p>ZgotmplZ</p>": 1, "<svg><path d=''/></svg>": 0,
	} {
		if got := Broken([]byte(page)); len(got) != want {
			t.Errorf("%s: %v", page, got)
		}
	}
}
