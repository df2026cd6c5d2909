package screen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/names"
)

// pageWorld is a world with a registry of lists, pages and the API. Cookies name a role of ours, or "their-" and one.
type pageWorld struct {
	*serviceWorld
	registry *Registry
	site     *web.Site
	pages    *Pages
	api      *API
	handler  http.Handler
}

func newPageWorld(t testing.TB) *pageWorld {
	t.Helper()
	w := &pageWorld{serviceWorld: newServiceWorld(t)}
	clock := func() time.Time { return w.pass(0) }
	var err error
	w.registry, err = OpenRegistry(RegistryOptions{Dir: filepath.Join(t.TempDir(), "lists"), Now: clock, DB: w.db, Audit: w.audit})
	must(t, err)
	w.Service = NewService(ServiceOptions{DB: w.db, Audit: w.audit, Now: func() time.Time { return w.pass(time.Millisecond) }, Lists: w.registry})
	w.site, err = web.New(web.Options{Identify: w, Now: clock}, ConsolePart())
	must(t, err)
	w.pages = w.Service.Pages(w.site, PagesOptions{Lists: w.registry, Now: clock})
	w.api = NewAPI(w.Service, w.registry)
	w.site.AddNav(w.pages.Nav()...)
	w.handler, err = w.site.Handler(append(w.pages.Routes(), w.api.Routes()...)...)
	must(t, err)
	return w
}

func (w *pageWorld) actor(cookie string) (polder.Actor, error) {
	org := ours
	name, away := strings.CutPrefix(cookie, "their-")
	if away {
		org = theirs
	}
	role, person, _ := strings.Cut(name, ".") // "contributor.bram" is another person of the role
	r, err := polder.ParseRole(role)
	if err != nil {
		return polder.Actor{}, polder.Errorf(polder.Unauthorised, "log in")
	}
	return polder.Actor{Org: org, Person: polder.PersonID("p-" + name), Name: pageOr(person, "Sanne de Wit"), Role: r}, nil
}

func (w *pageWorld) BySession(_ context.Context, cookie string) (web.Identity, error) {
	a, err := w.actor(cookie)
	return web.Identity{Actor: a, OrgName: "Meridiaan Lithografie"}, err
}

func (w *pageWorld) BySecret(_ context.Context, secret string, _ netip.Addr) (web.Identity, error) {
	a, err := w.actor(secret)
	a.Person, a.Name, a.Token = "", "", "tok1"
	return web.Identity{Actor: a}, err
}

// The lists of most tests: made up, in several scripts.
var (
	restrictedEntries = []lists.Entry{
		{ID: "R-101", List: "EL", Type: names.Company, Name: "Северная Вакуумная Техника", Aliases: []lists.Alias{{Name: "Severnaya Vakuumnaya Tekhnika OOO"}, {Name: "SVT", Weak: true}}, Countries: []string{"RU"}, Addresses: []string{"14 Promyshlennaya St, Zelenograd"},
			Identifiers: []lists.Identifier{{Kind: lists.IDRegistration, Value: "1027735019001", Country: "RU"}}, Programmes: []string{"ELVAC"}, Means: "A licence is needed for all items; applications are presumed denied", URL: "https://lists.example/r-101", Listed: "2023-03-14", Changed: "2026-10-02", Note: "Maker of valves."},
		{ID: "R-102", List: "EL", Type: names.Company, Name: "Brundelwick Photonics", Countries: []string{"CN"}, Programmes: []string{"ELVAC"}, Means: "A licence is needed for all items"},
		{ID: "R-103", List: "SDN", Type: names.Person, Name: "ZARKONTIN, Ilya Petrovich", Births: []string{"1961-04-30"}, Programmes: []string{"TEST-1"}, Means: "No dealings"},
		{ID: "R-104", List: "SDN", Type: names.Company, Name: "深圳市蓝鹭光学技术有限公司", Aliases: []lists.Alias{{Name: "Shenzhen Lanlu Optical Technology Co., Ltd.", Kind: "translation"}}, Countries: []string{"CN"}, Programmes: []string{"TEST-1"}},
		{ID: "R-105", List: "SDN", Type: names.Company, Name: "شركة الخليج الأزرق للملاحة", Aliases: []lists.Alias{{Name: "Blue Gulf Navigation Company"}}, Countries: []string{"AE"}, Programmes: []string{"TEST-2"}},
	}
	verifiedEntries = []lists.Entry{{ID: "V-1", Type: names.Company, Name: "Meerwijk Optics B.V.", Countries: []string{"NL"}, Means: "Verified on site in 2026"}}
)

func listOf(name, title, date string, purpose lists.Purpose, entries ...lists.Entry) *lists.List {
	text, err := json.Marshal(entries)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(append(text, date...))
	n := 0
	for _, e := range entries {
		n += 1 + len(e.Aliases)
	}
	return &lists.List{Meta: lists.Meta{Name: name, Title: title, Source: "Ministry of made-up affairs", Licence: "CC0", Purpose: purpose, Form: "jsonl", Date: date, SHA256: hex.EncodeToString(sum[:]), Entries: len(entries), Names: n, Notes: []string{"The file names no ships."}}, Parties: entries}
}

func (w *pageWorld) put(l *lists.List) {
	w.t.Helper()
	must(w.t, w.registry.Put(w.t.Context(), polder.Actor{Name: "Ines"}, "", l, true))
}

// filled is a world with a restricted and a verified list of the node.
func filled(t testing.TB) *pageWorld {
	t.Helper()
	w := newPageWorld(t)
	w.put(listOf("restricted", "Made-up Consolidated List", "2026-11-18", lists.Restricted, restrictedEntries...))
	w.put(listOf("verified", "Verified suppliers", "2026-11-01", lists.Verified, verifiedEntries...))
	return w
}

// send sends a request with a cookie, or with a token when who begins with "token ".
func (w *pageWorld) send(who, method, path, contentType string, body io.Reader) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if token, is := strings.CutPrefix(who, "token "); is {
		r.Header.Set("Authorization", "Bearer "+token)
	} else if who != "" {
		r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out
}

func (w *pageWorld) see(who, path string) string {
	w.t.Helper()
	out := w.send(who, "GET", path, "", nil)
	if out.Code != 200 {
		w.t.Fatalf("GET %s as %s: %d %.2000s", path, who, out.Code, out.Body.String())
	}
	return out.Body.String()
}

func (w *pageWorld) post(who, path string, pairs ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return w.send(who, "POST", path, "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
}

// upload sends a form with a file.
func (w *pageWorld) upload(who, path, file, text string, pairs ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	var b strings.Builder
	form := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		must(w.t, form.WriteField(pairs[i], pairs[i+1]))
	}
	part, err := form.CreateFormFile("file", file)
	must(w.t, err)
	_, err = io.WriteString(part, text)
	must(w.t, err)
	must(w.t, form.Close())
	return w.send(who, "POST", path, form.FormDataContentType(), strings.NewReader(b.String()))
}

// answered fails unless an answer has the status, and gives its body.
func answered(t testing.TB, what string, out *httptest.ResponseRecorder, want int) string {
	t.Helper()
	if out.Code != want {
		_, main, _ := strings.Cut(out.Body.String(), "<main")
		t.Fatalf("%s: %d, want %d: %.1500s", what, out.Code, want, pageOr(main, out.Body.String()))
	}
	return out.Body.String()
}

func holds(t testing.TB, page string, want ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
}

func holdsNot(t testing.TB, page string, unwanted ...string) {
	t.Helper()
	for _, s := range unwanted {
		if strings.Contains(page, s) {
			t.Errorf("the page holds %q", s)
		}
	}
}

// reviewIn keeps an answer about q and gives the review of its first hit.
func (w *pageWorld) reviewIn(q Query) string {
	w.t.Helper()
	by := actor(ours, "p-contributor", polder.RoleContributor)
	answers, err := w.Screen(w.t.Context(), by, []Query{q}, Options{})
	must(w.t, err)
	kept, err := w.KeepAll(w.t.Context(), by, answers, KeepOptions{Note: "Order 88213"})
	must(w.t, err)
	if len(kept[0].Hits) == 0 {
		w.t.Fatalf("%q met nothing", q.Name)
	}
	return kept[0].Hits[0].Review
}

// contract is a text as people paste it.
const contract = `PURCHASE ORDER 88213

Buyer: Severnaya Vakuumnaya Tekhnika OOO, 14 Promyshlennaya, Zelenograd
Seller: Meerwijk Optics B.V., Delft
Carrier: Lindhorst Cargo GmbH
Signed by Mr Ilya Petrovich Zarkontin.`

func itoaTest(n int) string { return strconv.Itoa(n) }

// htmlOf is a text as a page holds it.
func htmlOf(s string) string { return html.EscapeString(s) }
