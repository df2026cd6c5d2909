package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	polder "github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// one is an Identifier of one steward.
type one struct{}

func (one) BySession(context.Context, string) (web.Identity, error) {
	return web.Identity{Actor: polder.Actor{Org: "identity--1", Person: "p", Name: "Sanne de Wit", Role: polder.RoleSteward}, OrgName: "Meridiaan Lithografie"}, nil
}

func (o one) BySecret(ctx context.Context, _ string, _ netip.Addr) (web.Identity, error) {
	return o.BySession(ctx, "")
}

func newSite(t *testing.T) *web.Site {
	t.Helper()
	s, err := web.New(web.Options{Identify: one{}, Now: func() time.Time { return time.Date(2026, 11, 24, 14, 32, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	s.AddNav(web.NavItem{Group: web.Top, Key: "o", Path: "/", Icon: "grid", Title: "nav.node", Need: web.LoggedIn},
		web.NavItem{Group: web.Know, Key: "b", Path: "/components", Icon: "layers", Title: "components.title", Need: web.Reader})
	return s
}

func serve(t *testing.T, s *web.Site, routes ...web.Route) string {
	t.Helper()
	h, err := s.Handler(routes...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return server.URL
}

// page is a route that shows a page.
func page(s *web.Site, path string, p web.Page) web.Route {
	return web.Route{Method: "GET", Pattern: path, Exit: "test", Handler: func(w http.ResponseWriter, r *http.Request) { s.Render(w, r, p) }}
}

func TestBrowserPages(t *testing.T) {
	if testing.Short() {
		t.Skip("the browser takes a while")
	}
	browser := webtest.Start(t)
	s := newSite(t)
	address := serve(t, s, page(s, "/{$}", web.Page{Template: "web/error", Title: "Empty", Data: map[string]any{}}))
	for _, lang := range web.Languages {
		p := browser.Open(t, address+"/preferences?lang="+lang)
		p.Check(t)
		p.Pictures("preferences-" + lang)
		p.SetCookie("polder-lang", lang)
		p.SetCookie("polder", "x")
		for _, path := range []string{"/components", "/keyboard", "/preferences", "/"} {
			p.Go(path)
			p.Check(t)
			p.Pictures(strings.Trim("page-"+path[1:], "-") + "-" + lang)
		}
	}
}

// S35: what is stored comes out as text, whatever it is; the browser runs nothing and asks nobody.
func TestS35HostileText(t *testing.T) {
	if testing.Short() {
		t.Skip("the browser takes a while")
	}
	strings := append(webtest.Strings(), "admin\u202egnp.exe", "pay\u200bpal", "paypаl")
	s := newSite(t)
	var rows []web.FeedRow
	var pairs []web.Pair
	var fields []web.Field
	g := web.Graph{}
	for i, text := range strings {
		rows = append(rows, web.FeedRow{Key: text, Icon: "eye", Title: text, Href: text, Text: text, TLP: stix.Red})
		pairs = append(pairs, web.Pair{Term: text, Text: text, Href: text}, web.Pair{Term: text, Text: text, Code: true})
		fields = append(fields, web.Field{Name: fmt.Sprint("f", i), Label: text, Help: text, Error: text, Value: text, Rows: i % 2, Autocomplete: text})
		if i < web.MaxGraphNodes {
			g.Nodes = append(g.Nodes, web.GraphNode{ID: text, Label: text, Kind: text, Class: text, Href: text})
			g.Edges = append(g.Edges, web.GraphEdge{From: g.Nodes[0].ID, To: text, Label: text, Class: text})
		}
	}
	picture, err := web.NewPicture(g, strings[0], []web.LegendItem{{Class: strings[6], Text: strings[0]}})
	if err != nil {
		t.Fatal(err)
	}
	data := s.Specimens()
	data["Feed"], data["Pairs"], data["Fields"], data["Picture"] = web.Feed{URL: "/stream", Since: "0", Rows: rows, Label: strings[0]}, pairs, fields, picture
	data["Choices"], data["Errors"] = []web.Field(nil), web.ErrorsOf(fields...)
	data["Bars"] = web.Bars{Label: strings[0], Items: []web.Bar{{Label: strings[1], Value: 1, Text: strings[2]}}}
	data["Written"] = fmt.Sprintf("%s\n\n%s\n\n[x](javascript:alert(1)) [x](/\\evil.example) ![y](/evil.png)", strings[0], strings[1])
	stream := web.Route{Method: "GET", Pattern: "/stream", Exit: "test", Stream: true, Handler: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }}
	address := serve(t, s, stream, page(s, "/hostile", web.Page{Template: "web/components", Title: strings[0], Lede: strings[1], Crumbs: []web.Link{{Text: strings[2], Href: strings[18]}},
		Facts: pairs, Data: data}))
	p := webtest.Start(t).Open(t, address+"/preferences")
	p.SetCookie("polder", "x")
	p.Go("/hostile")
	p.Quiet(t)
	for _, where := range []string{"#live .what", ".pairs dt", ".facts dt", ".field > label", ".relations b", ".field .error span"} {
		got := webtest.Eval[[]string](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].map((e) => e.textContent)`, where))
		seen := map[string]bool{}
		for _, text := range got {
			seen[text] = true
		}
		for _, text := range strings {
			if where == ".relations b" && !nodeOf(g, text) {
				continue
			}
			if want := web.Visible(text); !seen[want] {
				t.Errorf("%s does not show %q", where, want)
			}
		}
	}
	values := webtest.Eval[[]string](p, `[...document.querySelectorAll(".field input, .field textarea")].map((e) => e.value)`)
	for _, text := range strings {
		if !contains(values, text) {
			t.Errorf("no field would send %q back as it is", text)
		}
	}
	links := webtest.Eval[[]string](p, `[...document.querySelectorAll("main a")].map((e) => e.href.baseVal ?? e.href).filter((h) => h && !h.startsWith(location.origin + "/") && !h.startsWith("/") && !h.startsWith("#"))`)
	for _, to := range links {
		t.Errorf("a link leaves this site: %s", to)
	}
	p.Press("j")
	p.Press("?")
	p.Quiet(t)
}

func nodeOf(g web.Graph, text string) bool {
	for _, n := range g.Nodes {
		if n.ID == text {
			return true
		}
	}
	return false
}

func contains(list []string, text string) bool {
	for _, v := range list {
		if v == text {
			return true
		}
	}
	return false
}

func TestCatalogues(t *testing.T) { webtest.Catalogues(t, web.Own, ".") }

// empty is data with every value the zero of its type.
func empty(full map[string]any) map[string]any {
	zero := map[string]any{}
	for name, v := range full {
		zero[name] = reflect.Zero(reflect.TypeOf(v)).Interface()
	}
	return zero
}

func TestTemplates(t *testing.T) {
	s := newSite(t)
	webtest.Renders(t, s, "web", map[string][]any{
		"web/components":  {s.Specimens(), empty(s.Specimens())},
		"web/error":       {map[string]any{"Text": "x", "ID": "y", "LogIn": true}, map[string]any{}},
		"web/keyboard":    {map[string]any{"Entries": nil, "Here": "/x"}, map[string]any{"Here": ""}},
		"web/preferences": {map[string]any{"Next": "/", "Fields": []web.Field{{Name: "a", Label: "b", Options: []web.Option{{Value: "c"}}}}}, map[string]any{}},
	})
}
