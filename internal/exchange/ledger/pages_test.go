package ledger

import (
	"cmp"
	"context"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

func TestCatalogues(t *testing.T) { webtest.Catalogues(t, ConsolePart(), ".") }

// TestTemplates: the page, full and empty, in every language.
func TestTemplates(t *testing.T) {
	site, err := web.New(web.Options{}, ConsolePart())
	ok(t, err)
	words := site.Words("en")
	full := ownTable(words)
	full.add(logRow{Name: "N", Sub: "s", Cells: []logCell{{Text: "1"}, {At: time.Unix(9, 0)}, {Text: "1 of 2", At: time.Unix(9, 0)}, {Tags: []logTag{{"bad", "alert", "T"}, {"ok", "check", "T"}}}, {Link: web.Link{Text: "D", Href: "/log"}}}})
	webtest.Renders(t, site, "log", map[string][]any{"log/page": {
		logView{Alerts: []web.Alert{{Class: "bad", Title: "T", Text: "X"}}, Main: []web.Block{logBlock("F", "n", "table", full), logBlock("E", "", "table", othersTable(words))}, Aside: []web.Block{tells(words)}},
		logView{},
	}})
}

// roles lets anybody in under the role that is given as the secret.
type roles struct{}

func (roles) BySession(context.Context, string) (web.Identity, error) {
	return web.Identity{}, polder.ErrUnauthorised
}

func (roles) BySecret(_ context.Context, role string, _ netip.Addr) (web.Identity, error) {
	r, err := polder.ParseRole(role)
	return web.Identity{Actor: polder.Actor{Org: "identity--acme", Role: r}}, err
}

// console are the pages of a node.
func (x *site) console() func(path, role string) *httptest.ResponseRecorder {
	x.t.Helper()
	s, err := web.New(web.Options{Identify: roles{}, Now: func() time.Time { return *x.now }}, ConsolePart())
	ok(x.t, err)
	p := x.Pages(s)
	s.AddNav(p.Nav()...)
	h, err := s.Handler(p.Routes()...)
	ok(x.t, err)
	return func(path, role string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
		r.Header.Set("Authorization", "Bearer "+cmp.Or(role, "admin"))
		h.ServeHTTP(w, r)
		return w
	}
}

// TestPage (S27, S28): what is wrong with a log stands on the page, a lie in red, with its evidence to be downloaded; and
// the page is the administrator's alone, since sizes and times tell how much is delivered.
func TestPage(t *testing.T) {
	hub, other, a, _ := forked(t)
	get := a.console()
	if w := get("/log", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "is sound") || !strings.Contains(w.Body.String(), "the hub") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	ok(t, a.syncs(hub))
	if err := a.Sync(ctx, a.linked(hub), a.lineTo(other)); err == nil {
		t.Fatal("not caught")
	}
	page := get("/log", "").Body.String()
	for _, want := range []string{"A log tells two stories", `class="alert bad"`, "the hub signed checkpoints that cannot be of one log", "/log/evidence/1", `class="tag bad"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	w := get("/log/evidence/1", "")
	if w.Code != 200 || strings.Count(w.Body.String(), hub.origin+`\n`) < 2 || !strings.Contains(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("evidence: %d %s", w.Code, w.Body)
	}
	if w := get("/log/evidence/2", ""); w.Code != 404 {
		t.Errorf("evidence that is not there: %d", w.Code)
	}
	if w := get("/log/checkpoint?log="+hub.origin, ""); w.Code != 200 || !strings.HasPrefix(w.Body.String(), hub.origin+"\n") {
		t.Errorf("checkpoint: %d %s", w.Code, w.Body)
	}
	card, err := a.Pages(nil).Card(ctx, polder.Actor{Role: polder.RoleSteward}, web.Words{})
	if err != nil || card.Template != "" {
		t.Errorf("a steward's overview tells of logs: %v, %v", card, err)
	}
	for _, role := range []string{"reader", "contributor", "steward"} {
		for _, path := range []string{"/log", "/log/evidence/1", "/log/checkpoint"} {
			if w := get(path, role); w.Code != 403 && w.Code != 404 {
				t.Errorf("%s opens %s: %d", role, path, w.Code)
			}
		}
	}
	hub.console() // its own log alone
	if w := hub.console()("/log", ""); !strings.Contains(w.Body.String(), "This node follows no log") {
		t.Errorf("a hub's page: %s", w.Body)
	}
}
