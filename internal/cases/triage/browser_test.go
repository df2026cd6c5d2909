package triage

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestBrowserTriage holds triage.js to Go: over every labelled report in both languages and without kind and road, over
// texts drawn at random from the rules' own words and from all of Unicode, and over pairs of reports.
func TestBrowserTriage(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	p := openTriage(t)
	var asked []Answers
	for _, l := range readLabelled(t) {
		for _, lang := range []string{"nl", "en"} {
			a := l.answers()
			a.Language = lang
			asked = append(asked, a, Answers{What: l.text, Language: lang})
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		asked = append(asked, Answers{What: drawn(r), Roads: []string{"cyber", "export"}, Kind: []string{"", "incident", "approach"}[r.IntN(3)], Ongoing: "yes"})
	}
	for part := range slices.Chunk(asked, 100) {
		got := webtest.Await[string](p, "Promise.resolve(JSON.stringify("+asJSON(t, part)+".map(a => triage.propose(a))))")
		want := make([]Proposal, len(part))
		for i, a := range part {
			want[i] = Propose(a)
		}
		if got != asJSON(t, want) {
			t.Fatalf("the browser says\n%s\nGo says\n%s", got, asJSON(t, want))
		}
	}
	sameDuplicates(t, p, r)
	p.Quiet(t)
}

func sameDuplicates(t *testing.T, p *webtest.Page, r *rand.Rand) {
	t.Helper()
	var reports []Text
	for i, d := range readPairs(t) {
		reports = append(reports, Text{d.id, d.text, time.Date(2026, 11, 1+i%40, 9, 0, 0, 0, time.UTC)})
	}
	for i := range 60 {
		text := drawn(r)
		reports = append(reports, Text{ID: fmt.Sprint("r", i), Words: text}, Text{ID: fmt.Sprint("s", i), Words: text + " " + drawn(r)})
	}
	for _, lang := range []string{"nl", "en"} {
		want := Duplicates(reports, lang)
		if len(want) < 10 {
			t.Fatalf("only %d pairs to compare", len(want))
		}
		got := webtest.Await[string](p, "Promise.resolve(JSON.stringify(triage.duplicates("+asJSON(t, reports)+", \""+lang+"\")))")
		if got != asJSON(t, want) {
			t.Fatalf("the browser says\n%s\nGo says\n%s", got, asJSON(t, want))
		}
	}
}

// drawn is a text of words that the rules know, of separators, names of systems and of anything.
func drawn(r *rand.Rand) string {
	rules := theRules()
	names := slices.Sorted(maps.Keys(rules.Concepts))
	odd := []string{"\n", ". ", ", ", "; ", "não", "ÉÉN", "ĲSSEL", "ß", "Straße", "١٢٣", "データ", "。", "\u200b", "😀", "e\u0301", "İ", "ſ", "evil[.]example", "HXXPS://Login[.]Bad-Site.example/a?b", "10.0.0.1:443", "plc-12", "a@b.example", "\x00", "it's", "don't", "not", "niet", "…", "d41d8cd98f00b204e9800998ecf8427e"}
	var b strings.Builder
	for range 1 + r.IntN(60) {
		switch r.IntN(6) {
		case 0:
			b.WriteString(odd[r.IntN(len(odd))])
		case 1:
			c := rune(r.IntN(0x11000))
			if c >= 0xd800 && c <= 0xdfff {
				c = 'x'
			}
			b.WriteRune(c)
		default:
			phrases := strings.Split(rules.Concepts[names[r.IntN(len(names))]], ",")
			b.WriteString(strings.NewReplacer("*", "s", "~", "x y").Replace(phrases[r.IntN(len(phrases))]))
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// openTriage opens a page that has triage.js as "triage", under a policy as strict as that of the console.
func openTriage(t *testing.T) *webtest.Page {
	t.Helper()
	b := webtest.Start(t)
	script, err := os.ReadFile("../static/triage.js")
	if err != nil {
		t.Fatal(err)
	}
	serve := func(kind string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; img-src 'self'")
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(body)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(Files))
	mux.HandleFunc("GET /static/triage.js", serve("text/javascript", script))
	mux.HandleFunc("GET /page.js", serve("text/javascript", []byte("import * as triage from \"./static/triage.js\";\nwindow.triage = triage;\n")))
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /{$}", serve("text/html; charset=utf-8", []byte("<!doctype html><title>triage</title><script type=module src=/page.js></script>")))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return b.Open(t, server.URL+"/")
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("\u2028", "\\u2028").Replace(strings.TrimSpace(b.String()))
}
