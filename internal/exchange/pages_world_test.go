package exchange

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// console is a world with pages: a chip supply chain, in which a valve maker shares what it met.
type console struct {
	*world
	site    *web.Site
	handler http.Handler
	who     map[string]web.Identity // by cookie
}

// BySession knows the cookies of the test.
func (c *console) BySession(_ context.Context, cookie string) (web.Identity, error) {
	if who, ok := c.who[cookie]; ok {
		return who, nil
	}
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "log in")
}

// BySecret knows nobody.
func (c *console) BySecret(context.Context, string, netip.Addr) (web.Identity, error) {
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "no token")
}

var neighbours = map[string]string{"maker": "Meridiaan Lithografie", "optics": "Okular Optik", "valve": "Klepwerk", "csirt": "National CSIRT", "uni": "Universiteit Maasland", "new": "Nieuwkomer"}

// newConsole has the organisations of neighbours in "Chip supply chain" (all but "new", which is alone in "Empty") and
// maker and csirt in "Universities" too. Each has a cookie of its name; maker is steward, uni reader.
func newConsole(t testing.TB) *console {
	t.Helper()
	w := newWorld(t)
	c := &console{world: w, who: map[string]web.Identity{}}
	w.where = w.community("Chip supply chain")
	uni, empty := w.community("Universities"), w.community("Empty")
	roles := map[string]polder.Role{"maker": polder.RoleSteward, "uni": polder.RoleReader}
	for who, name := range neighbours {
		role := max(polder.RoleContributor, roles[who])
		if who == "uni" {
			role = polder.RoleReader
		}
		o, err := w.accounts.AddOrg(t.Context(), accounts.Local(), accounts.NewOrg{Name: name})
		ok(t, err)
		w.orgs[who] = o
		if who == "new" {
			w.join(who, empty, role)
		} else {
			w.join(who, w.where, role)
		}
		if who == "maker" || who == "csirt" {
			w.join(who, uni, role)
		}
		a := w.as(who, role)
		a.Name = "Sanne de Wit"
		c.who[who] = web.Identity{Actor: a, OrgName: name}
	}
	var err error
	c.site, err = web.New(web.Options{Identify: c, Now: func() time.Time { return w.pass(0) }}, Part())
	ok(t, err)
	pages := w.Pages(c.site)
	c.site.AddNav(pages.Nav()...)
	c.site.AddSearches(pages)
	routes := append(pages.Routes(), web.Route{Method: "GET", Pattern: "/{$}", Need: web.LoggedIn, Exit: "home", Handler: pages.Overview})
	c.handler, err = c.site.Handler(append(routes, w.Routes()...)...)
	ok(t, err)
	return c
}

// ask sends a request as somebody and gives the answer.
func (c *console) ask(who, method, path string, form url.Values) (int, string, http.Header) {
	c.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	out := httptest.NewRecorder()
	c.handler.ServeHTTP(out, r)
	return out.Code, out.Body.String(), out.Header()
}

// get is a page that must be there.
func (c *console) get(who, path string) string {
	c.t.Helper()
	status, body, _ := c.ask(who, "GET", path, nil)
	if status != 200 {
		c.t.Fatalf("GET %s as %s: %d %s", path, who, status, clip(body, 2000))
	}
	return body
}

func sid(typ string, n int) string { return fmt.Sprintf("%s--00000000-0000-4000-8000-%012d", typ, n) }

// thing is a valid object at a level.
func thing(typ string, n, version int, level stix.Marking, rest string) []byte {
	mark := ""
	if level != stix.None {
		mark = fmt.Sprintf(`,"object_marking_refs":["%s"]`, level.ID())
	}
	return fmt.Appendf(nil, `{"type":%q,"spec_version":"2.1","id":%q,"created":"2026-11-18T08:00:00.000Z","modified":"2026-11-%02dT08:00:00.000Z",%s%s}`, typ, sid(typ, n), 18+version, rest, mark)
}

func indicatorOf(n, version int, level stix.Marking, value, rest string) []byte {
	return thing("indicator", n, version, level, fmt.Sprintf(`"pattern":"[domain-name:value = '%s']","pattern_type":"stix","valid_from":"2026-11-18T08:00:00Z"%s`, value, rest))
}

// story fills the console: what the valve maker met, what others add.
func (c *console) story() {
	c.t.Helper()
	csirt, valve, maker := c.who["csirt"].Actor, c.who["valve"].Actor, c.who["maker"].Actor
	put := func(a polder.Actor, named bool, raw ...[]byte) {
		c.t.Helper()
		objects := one(raw...)
		for i := range objects {
			objects[i].Made = true
		}
		res := c.share(a, Request{Objects: objects, Named: named, Confirmed: true})
		if len(res.Refused) > 0 {
			c.t.Fatalf("%+v", res.Refused)
		}
		c.pass(7 * time.Hour)
	}
	put(csirt, true, thing("intrusion-set", 3, 0, stix.Amber, `"name":"Salt Heron","description":"Goes for makers of vacuum and optics by way of their suppliers."`),
		thing("attack-pattern", 4, 0, stix.Clear, `"name":"T1199 Trusted Relationship"`))
	put(valve, false, indicatorOf(1, 0, stix.Amber, "firmware-klepwerk.example", `,"name":"firmware-klepwerk.example","description":"A domain that pretends to be a valve maker’s firmware service. Machines that ask for it are likely to run the Tidepipe loader."`))
	put(csirt, true, thing("malware", 2, 0, stix.Amber, `"name":"Tidepipe","is_family":false,"malware_types":["downloader"],"description":"A loader that hides in update checks."`),
		thing("relationship", 5, 0, stix.Amber, `"relationship_type":"indicates","source_ref":"`+sid("indicator", 1)+`","target_ref":"`+sid("malware", 2)+`"`),
		thing("relationship", 6, 0, stix.Amber, `"relationship_type":"uses","source_ref":"`+sid("intrusion-set", 3)+`","target_ref":"`+sid("malware", 2)+`"`))
	put(valve, false, indicatorOf(1, 1, stix.Amber, "firmware-klepwerk.example", `,"name":"firmware-klepwerk.example","confidence":82,"valid_until":"2027-02-23T00:00:00Z","description":"A domain that pretends to be a valve maker’s firmware service. Machines that ask for it are likely to run the Tidepipe loader."`))
	put(maker, false, thing("sighting", 7, 0, stix.Amber, `"sighting_of_ref":"`+sid("indicator", 1)+`","count":2,"first_seen":"2026-11-20T09:12:00Z","last_seen":"2026-11-20T09:14:00Z","description":"Resolver log, two workstations in assembly."`))
	put(csirt, true, thing("note", 8, 0, stix.AmberStrict, `"abstract":"Same lure text as in March","content":"The mail that leads there asks for a drawing “for re-certification”.","object_refs":["`+sid("indicator", 1)+`"]`),
		thing("opinion", 9, 0, stix.Amber, `"opinion":"agree","explanation":"Two sources, same week.","object_refs":["`+sid("indicator", 1)+`"]`))
	put(csirt, true, indicatorOf(10, 0, stix.Green, "vendor-portal-login.example", `,"valid_until":"2026-11-24T00:00:00Z"`), indicatorOf(11, 0, stix.Clear, "hr-vacancy-optics.example", `,"valid_until":"2026-11-19T00:00:00Z"`),
		indicatorOf(12, 0, stix.Amber, "old-drop.example", `,"revoked":true`))
}
