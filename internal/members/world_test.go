package members

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/audit"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// world is a node with organisations that know each other and others that do not:
//
//	Acme      runs the node, belongs to nothing          admin
//	Klepwerk  steward of chips                           reader, contributor, steward
//	Optik     contributor in chips
//	Maas      in chips, agreement not accepted           maas
//	Bank      steward of finance, asks to join chips     foreign
//	Hidden    in nothing, with nobody
type world struct {
	store   *Store
	dir     string
	pages   *Pages
	handler http.Handler
	ids     map[string]string // "klep" → identity--…, and so on: see make
	cookies map[string]string // by who: reader, contributor, steward, admin, foreign, maas
	from    netip.Addr        // where requests come from
}

// password is what everybody in a world has chosen.
const password = "vier losse woorden hier"

// template is a world on disk that [newWorld] copies: making one takes many transactions.
var template struct {
	sync.Once
	dir     string
	ids     map[string]string
	cookies map[string]string
	err     error
}

func TestMain(m *testing.M) {
	code := webtest.Main(m)
	if template.dir != "" {
		_ = os.RemoveAll(template.dir)
	}
	os.Exit(code) //house:allow os.Exit: the end of the tests
}

func newWorld(t testing.TB) *world {
	t.Helper()
	template.Do(func() {
		w := &world{ids: map[string]string{}, cookies: map[string]string{}, from: netip.MustParseAddr("192.0.2.7")}
		if template.dir, template.err = os.MkdirTemp("", "polder-world-"); template.err != nil {
			return
		}
		if w.store, template.err = openFolder(context.Background(), template.dir, true); template.err != nil {
			return
		}
		w.make(t)
		template.ids, template.cookies, template.err = w.ids, w.cookies, w.store.Close()
	})
	if template.err != nil {
		t.Fatal(template.err)
	}
	dir := t.TempDir()
	body, err := os.ReadFile(filepath.Join(template.dir, "node.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "node.db"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	const reserve = "node.db.reserve" // large, and the same in every world
	_ = os.Link(filepath.Join(template.dir, reserve), filepath.Join(dir, reserve))
	s, err := openFolder(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{store: s, dir: dir, ids: template.ids, cookies: template.cookies, from: netip.MustParseAddr("192.0.2.7")}
	w.serve(t)
	return w
}

// serve puts the pages on a site, as node does.
func (w *world) serve(t testing.TB) {
	t.Helper()
	from := func(*http.Request) netip.Addr { return w.from }
	site, err := web.New(web.Options{Identify: NewIdentifier(w.store.Accounts), From: from}, Part())
	if err != nil {
		t.Fatal(err)
	}
	w.pages = New(Options{Accounts: w.store.Accounts, Audit: w.store.Audit, Site: site, From: from})
	site.AddNav(w.pages.Nav()...)
	overview := func(out http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(out, "the overview") }
	w.handler, err = site.Handler(append(w.pages.Routes(), w.pages.Home(overview))...)
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) make(t testing.TB) {
	ctx, a, local := context.Background(), w.store.Accounts, accounts.Local()
	host := must[accounts.Init](t)(a.Init(ctx, "Acme Optics", "NL"))
	w.ids["acme"], w.ids["admin-token"] = string(host.Org.ID), host.Token
	for key, n := range map[string]accounts.NewOrg{"klep": {Name: "Klepwerk", Sector: "manufacturing", Country: "NL"}, "optik": {Name: "Okular Optik", Country: "DE", Sector: "technology"},
		"maas": {Name: "Universiteit Maas"}, "bank": {Name: "Bankenveste"}, "hidden": {Name: "Verborgen Tegel"}} {
		w.ids[key] = string(must[polder.Org](t)(a.AddOrg(ctx, local, n)).ID)
	}
	for key, name := range map[string]string{"chips": "Chip supply chain", "finance": "Geldzaken", "open": "Open to all"} {
		w.ids[key] = string(must[polder.Community](t)(a.AddCommunity(ctx, local, name, stix.None)).ID)
	}
	join := func(c, org string, r polder.Role) {
		must[polder.Membership](t)(a.Join(ctx, local, polder.CommunityID(w.ids[c]), polder.OrgID(w.ids[org]), r))
	}
	join("chips", "klep", polder.RoleSteward)
	join("chips", "optik", polder.RoleContributor)
	join("finance", "bank", polder.RoleSteward)
	people := must[[]accounts.Person](t)(a.People(ctx, local, host.Org.ID))
	w.enter(t, "admin", people[0], host.Password)
	for _, p := range []struct {
		key, org string
		role     polder.Role
	}{{"reader", "klep", polder.RoleReader}, {"contributor", "klep", polder.RoleContributor}, {"steward", "klep", polder.RoleSteward},
		{"foreign", "bank", polder.RoleSteward}, {"maas", "maas", polder.RoleSteward}} {
		q, first, err := a.AddPerson(ctx, local, accounts.NewPerson{Org: polder.OrgID(w.ids[p.org]), Email: p.key + "@example.org", Name: strings.ToUpper(p.key[:1]) + p.key[1:] + " Jansen", Role: p.role})
		if err != nil {
			t.Fatal(err)
		}
		w.enter(t, p.key, q, first)
	}
	tok, text, err := a.CreateToken(ctx, w.actor(t, "contributor"), accounts.NewToken{Org: polder.OrgID(w.ids["klep"]), Role: polder.RoleContributor, Name: "SIEM"})
	if err != nil {
		t.Fatal(err)
	}
	w.ids["token"], w.ids["token-text"] = string(tok.ID), text
	inv, text, err := a.Invite(ctx, w.actor(t, "steward"), accounts.NewInvitation{Community: polder.CommunityID(w.ids["chips"]), Note: "for Delta"})
	if err != nil {
		t.Fatal(err)
	}
	w.ids["invitation"], w.ids["invitation-text"] = string(inv.ID), text
	ask := func(who, c string) accounts.JoinRequest {
		return must[accounts.JoinRequest](t)(a.RequestJoin(ctx, w.actor(t, who), polder.CommunityID(w.ids[c]), "May we join?", 0))
	}
	w.ids["request"] = string(ask("foreign", "chips").ID)
	must[polder.Membership](t)(a.ApproveRequest(ctx, w.actor(t, "steward"), ask("maas", "chips").ID, polder.RoleReader))
}

// enter logs a newcomer in and chooses the password.
func (w *world) enter(t testing.TB, key string, q accounts.Person, first string) {
	t.Helper()
	ctx, a := context.Background(), w.store.Accounts
	cookie, ses, err := a.LogIn(ctx, q.Email, first, w.from, "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.ChangePassword(ctx, polder.Actor{Org: q.Org, Person: q.ID}, first, password, ses.ID); err != nil {
		t.Fatal(err)
	}
	w.cookies[key], w.ids[key], w.ids[key+"-session"] = cookie, string(q.ID), string(ses.ID)
}

func (w *world) actor(t testing.TB, key string) polder.Actor {
	t.Helper()
	a, _, err := w.store.Accounts.Session(context.Background(), w.cookies[key])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fill puts the ids of the world into a text: {klep} and so on.
func (w *world) fill(s string) string {
	for key, id := range w.ids {
		s = strings.ReplaceAll(s, "{"+key+"}", id)
	}
	return s
}

// answer is what a request got.
type answer struct {
	*http.Response
	body string
}

// to is where the answer leads, without its query.
func (a answer) to() string {
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		return "unreadable"
	}
	return u.Path
}

// ask sends a request as somebody; a POST carries the form. Redirects are not followed.
func (w *world) ask(t testing.TB, who, method, path, form string) answer {
	t.Helper()
	r := httptest.NewRequest(method, w.fill(path), strings.NewReader(w.fill(form)))
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if cookie := w.cookies[who]; cookie != "" {
		r.AddCookie(&http.Cookie{Name: "polder", Value: cookie})
	}
	return w.send(t, r)
}

func (w *world) send(t testing.TB, r *http.Request) answer {
	t.Helper()
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	if out.Code >= 500 && out.Code != http.StatusServiceUnavailable {
		t.Errorf("%s %s answers %d", r.Method, r.URL.Path, out.Code)
	}
	return answer{out.Result(), out.Body.String()}
}

// get is a page as somebody reads it.
func (w *world) get(t testing.TB, who, path string) string {
	t.Helper()
	a := w.ask(t, who, http.MethodGet, path, "")
	if a.StatusCode != http.StatusOK {
		t.Fatalf("%s as %s answers %d", path, who, a.StatusCode)
	}
	return a.body
}

// record appends entries to the audit.
func (w *world) record(t testing.TB, entries ...audit.Entry) {
	t.Helper()
	if err := w.store.DB.Write(t.Context(), func(tx *db.Tx) error {
		for _, e := range entries {
			if err := w.store.Audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
