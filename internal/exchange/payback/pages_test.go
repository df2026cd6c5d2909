package payback

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

func TestCatalogues(t *testing.T) { webtest.Catalogues(t, ConsolePart(), ".") }

// console is a world with pages; a cookie is the name of a member.
type console struct {
	*world
	handler http.Handler
}

// BySession knows the members of the world.
func (c console) BySession(_ context.Context, cookie string) (web.Identity, error) {
	if who, ok := c.who[cookie]; ok {
		who.Name = "Sanne de Wit"
		return web.Identity{Actor: who, OrgName: "Org " + cookie}, nil
	}
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "log in")
}

// BySecret knows nobody.
func (c console) BySecret(context.Context, string, netip.Addr) (web.Identity, error) {
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "no token")
}

func newConsole(t testing.TB, members int) console {
	c := console{world: newWorld(t, members)}
	site, err := web.New(web.Options{Identify: c, Now: func() time.Time { return c.pass(0) }}, exchange.Part(), ConsolePart())
	ok(t, err)
	pages, others := c.Pages(site), c.x.Pages(site)
	site.AddNav(pages.Nav()...)
	site.AddCards(pages)
	site.AddPanels(pages)
	home := web.Route{Method: "GET", Pattern: "/{$}", Need: web.LoggedIn, Exit: "home", Handler: others.Overview}
	routes := append(append(append(pages.Routes(), NewAPI(c.Service).Routes()...), others.Routes()...), home)
	c.handler, err = site.Handler(routes...)
	ok(t, err)
	return c
}

func (c console) get(who, path string) (int, string) {
	c.t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	out := httptest.NewRecorder()
	c.handler.ServeHTTP(out, r)
	return out.Code, out.Body.String()
}

// story: m0 gives ten objects, of which others judge six; three are questions of time.
func (c console) story() (ids []string) {
	for i := range 10 {
		ids = append(ids, c.give("m0", exchange.Request{Named: i < 8}, `,"name":"update-klepwerk.example","description":"It pretends to be a service for valves.","confidence":80,"labels":["c2"]`))
		c.pass(26 * time.Hour)
	}
	for i := 1; i < 6; i++ {
		c.sight(fmt.Sprintf("m%d", i), ids[0])
		c.sight("m2", ids[i])
	}
	c.opine("m3", ids[6], "disagree")
	c.opine("m4", ids[1], "agree")
	return ids
}

// TestPages: each page says what it should, in both languages, when there is something and when there is nothing.
func TestPages(t *testing.T) {
	c := newConsole(t, 12)
	for _, page := range []struct{ path, want, why string }{
		{"/payback", "Nothing of yours is here yet", "an empty page says what to do first"}, {"/payback", "Share something", "and offers it"},
		{"/payback/contributors", "Nobody can be told apart here", "nobody has given a name"}, {"/payback/health", "Nothing yet", "nobody has shared"},
		{"/payback/rules", "of 100 points", "the rules stand open"}, {"/payback?lang=nl", "Hier staat nog niets van u", "in Dutch"},
	} {
		if status, body := c.get("m0", page.path); status != 200 || !strings.Contains(body, page.want) {
			t.Errorf("%s: %d without %q: %s", page.path, status, page.want, page.why)
		}
	}
	ids := c.story()
	for _, page := range []struct{ who, path, want, why string }{
		{"m0", "/payback", "5 members", "five saw one object"}, {"m0", "/payback", "Called false:", "the score opens into its evidence"},
		{"m0", "/payback?lang=nl", "5 leden", "in Dutch"}, {"m0", "/", "What your knowledge did", "a card on the overview"},
		{"m0", "/objects/" + ids[0], "What it did", "its custodian reads a panel on the object's page"},
		{"m1", "/payback/contributors", "Org m0", "who gave its name stands in the list"},
		{"m1", "/payback/contributors/" + string(c.who["m0"].Org) + "?community=ring", "of 100", "with a score that opens"},
		{"m1", "/payback/health", "Health of Ring", "how the community is"}, {"m1", "/payback/health?community=ring&lang=nl", "Gezondheid van Ring", "in Dutch"},
	} {
		if status, body := c.get(page.who, page.path); status != 200 || !strings.Contains(body, page.want) {
			t.Errorf("%s as %s: %d without %q: %s", page.path, page.who, status, page.want, page.why)
		}
	}
	if _, body := c.get("m1", "/objects/"+ids[0]); strings.Contains(body, "What it did") {
		t.Error("another member reads what an object did")
	}
	for _, page := range []struct {
		who, path string
		want      int
		why       string
	}{
		{"m1", "/payback?community=elsewhere", 404, "no such community"}, {"m1", "/payback/health?community=elsewhere", 404, "nor its health"},
		{"m1", "/payback/contributors/identity--00000000-0000-4000-8000-000000000001?community=ring", 404, "nobody of that id"},
		{"m1", "/api/v1/payback", 200, "the API"}, {"m1", "/api/v1/payback/rules", 200, "its rules"}, {"m1", "/api/v1/communities/ring/health", 200, "its health"},
		{"m1", "/api/v1/communities/elsewhere/health", 404, "of no other"}, {"m1", "/api/v1/communities/ring/contributors", 200, "its contributors"},
		{"m1", "/api/v1/payback/quality/" + string(c.who["m0"].Org), 200, "one of them"},
	} {
		if status, body := c.get(page.who, page.path); status != page.want {
			t.Errorf("%s as %s: %d, want %d: %s %.300s", page.path, page.who, status, page.want, page.why, body)
		}
	}
}

// TestBrowser looks at every page in a browser, full and empty, and holds it to the rules of the console.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	c := newConsole(t, 12)
	server := httptest.NewServer(c.handler)
	t.Cleanup(server.Close)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "m0")
	p = p.Tab(t, server.URL+"/payback")
	p.Check(t)
	p.Pictures("payback-empty")
	c.story()
	for _, at := range []struct{ path, name string }{
		{"/payback", "account"}, {"/payback/contributors?lang=nl", "contributors-nl"}, {"/payback/contributors/" + string(c.who["m0"].Org) + "?community=ring", "contributor"},
		{"/payback/health", "health"}, {"/payback/rules", "rules"},
	} {
		p.Go(server.URL + at.path)
		p.Check(t)
		p.Pictures("payback-" + at.name)
	}
	p.Quiet(t)
}

// TestCardWaitsForNoLargeAccount: the overview never counts more than it can at once.
func TestCardWaitsForNoLargeAccount(t *testing.T) {
	c := newConsole(t, 2)
	for range 3 {
		c.give("m0", exchange.Request{}, "")
	}
	c.account("m0")
	for _, row := range []struct {
		n    int
		want bool
	}{{2, true}, {3, false}, {4, false}} {
		if more, err := c.index.gaveMore(t.Context(), c.who["m0"].Org, row.n); err != nil || more != row.want {
			t.Errorf("three objects are more than %d: %v, %v", row.n, more, err)
		}
	}
}
