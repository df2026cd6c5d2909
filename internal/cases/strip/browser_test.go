package strip

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestBrowserStrip holds strip.js to Go: the same bytes, the same list and the same refusals for the same files, whole,
// cut off, and with single bytes changed.
func TestBrowserStrip(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	script, err := os.ReadFile("../static/strip.js")
	if err != nil {
		t.Fatal(err)
	}
	serve := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; img-src 'self'")
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(body))
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /strip.js", serve("text/javascript", string(script)))
	mux.HandleFunc("GET /page.js", serve("text/javascript", `import {strip} from "./strip.js";
window.stripAll = list => Promise.all(list.map(async ([name, text]) => {
  try {
    const {out, removed} = await strip(name, Uint8Array.from(atob(text), ch => ch.charCodeAt(0)));
    let s = "";
    for (const b of out) s += String.fromCharCode(b);
    return [btoa(s), ...removed].join("|");
  } catch (e) {
    return e.code === "not-cleaned" ? "! " + e.reason : "failed: " + e.stack;
  }
}));`))
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /{$}", serve("text/html; charset=utf-8", "<!doctype html><title>strip</title><script type=module src=/page.js></script>"))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/")
	for _, s := range samples(t) {
		variants := [][]byte{s.data, s.data[:len(s.data)/2], s.data[:len(s.data)-1]}
		for i := 1; i < len(s.data); i += 1 + len(s.data)/60 {
			changed := append([]byte(nil), s.data...)
			changed[i] ^= byte(1 << (i % 8))
			variants = append(variants, changed)
		}
		list, want := make([][2]string, len(variants)), make([]string, len(variants))
		for i, v := range variants {
			list[i] = [2]string{s.name, base64.StdEncoding.EncodeToString(v)}
			c := &cleaner{data: v}
			if reason := c.clean(); reason != "" {
				want[i] = "! " + reason
			} else {
				want[i] = strings.Join(append([]string{base64.StdEncoding.EncodeToString(c.out)}, c.removed...), "|")
			}
		}
		raw, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		got := webtest.Await[[]string](p, "stripAll("+string(raw)+")")
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s, variant %d: the browser gives\n%.300s\nGo gives\n%.300s", s.name, i, got[i], want[i])
			}
		}
	}
	p.Quiet(t)
}
