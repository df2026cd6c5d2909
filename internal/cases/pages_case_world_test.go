package cases

import (
	"context"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// casePages is a [caseWorld] with the console pages on a site. Cookies name somebody of [everyCaseActor].
type casePages struct {
	*caseWorld
	site    *web.Site
	pages   *Pages
	handler http.Handler
}

func newCasePages(t testing.TB) *casePages {
	t.Helper()
	w := &casePages{caseWorld: newCaseWorld(t)}
	w.Service.o.Exchange, w.Service.o.Objects = pageExchange{w.exchange}, pageExchange{w.exchange}
	zone, err := time.LoadLocation("Europe/Amsterdam")
	caseMust(t, err)
	w.site, err = web.New(web.Options{Identify: w, Now: w.tick, Zone: zone}, ConsolePart())
	caseMust(t, err)
	w.pages = w.Service.Pages(w.site)
	w.site.AddNav(w.pages.Nav()...)
	routes := append(w.pages.caseRoutes(), w.pages.jewelRoutes()...)
	w.handler, err = w.site.Handler(append(routes, w.pages.deadlineRoutes()...)...)
	caseMust(t, err)
	return w
}

// pageExchange is an exchange with one community of which nobody but a test reads, that knows which values an object names.
type pageExchange struct{ *caseExchange }

// Release lets everything out as it is.
func (pageExchange) Release(_ context.Context, _ polder.Actor, r Release) (out Released, _ error) {
	out = Released{Readers: []string{"Wafer Werke"}, Held: !r.Confirmed, Warnings: []string{"it names a value of your own"}}
	for _, raw := range r.Objects {
		o, err := stix.Parse(raw)
		if err == nil {
			o, err = o.WithMarking(r.Level)
		}
		if err != nil {
			return out, err
		}
		out.Raw = append(out.Raw, o.Raw())
		out.IDs = append(out.IDs, o.ID)
	}
	return out, nil
}

func (pageExchange) Places(context.Context, polder.Actor) ([]Place, []stix.Marking, error) {
	return []Place{{Alias: "chips", Name: "Chip supply chain", Members: []PlaceMember{{optics, "Acme Optics", "NL"}, {wafers, "Wafer Werke", "DE"}, {ncsc, "Contact Point BE", "BE"}}}}, []stix.Marking{stix.Amber, stix.AmberStrict, stix.Red}, nil
}

func (e pageExchange) Values(_ context.Context, _ polder.Actor, object string) (out []string, _ error) {
	for value, o := range e.known {
		if o.ID == object {
			out = append(out, value)
		}
	}
	return out, nil
}

func (w *casePages) BySession(_ context.Context, cookie string) (web.Identity, error) {
	a, ok := everyCaseActor[cookie]
	if !ok || a == (polder.Actor{}) {
		return web.Identity{}, polder.Errorf(polder.Unauthorised, "log in")
	}
	return web.Identity{Actor: a, OrgName: w.people.orgs[a.Org].Name}, nil
}

func (w *casePages) BySecret(context.Context, string, netip.Addr) (web.Identity, error) {
	return web.Identity{}, polder.Errorf(polder.Unauthorised, "log in")
}

// send sends a request as somebody.
func (w *casePages) send(who, method, path, contentType string, body io.Reader) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out
}

// see is a page as somebody sees it.
func (w *casePages) see(who, path string) string {
	w.t.Helper()
	out := w.send(who, "GET", path, "", nil)
	if out.Code != http.StatusOK {
		w.t.Fatalf("GET %s as %s: %d %.2000s", path, who, out.Code, caseMain(out.Body.String()))
	}
	return out.Body.String()
}

// caseMain is what stands in the main part of a page.
func caseMain(page string) string {
	if _, main, found := strings.Cut(page, "<main"); found {
		return main
	}
	return page
}

func (w *casePages) post(who, path string, pairs ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return w.send(who, "POST", path, "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
}

// did fails unless a form was taken, and gives where it leads.
func (w *casePages) did(who, path string, pairs ...string) string {
	w.t.Helper()
	out := w.post(who, path, pairs...)
	if out.Code != http.StatusSeeOther {
		w.t.Fatalf("POST %s as %s: %d %.2500s", path, who, out.Code, caseMain(out.Body.String()))
	}
	return out.Header().Get("Location")
}

// upload sends a form with a file.
func (w *casePages) upload(who, path, name, text string, pairs ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	var b strings.Builder
	form := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		caseMust(w.t, form.WriteField(pairs[i], pairs[i+1]))
	}
	part, err := form.CreateFormFile("file", name)
	caseMust(w.t, err)
	_, err = io.WriteString(part, text)
	caseMust(w.t, err)
	caseMust(w.t, form.Close())
	return w.send(who, "POST", path, form.FormDataContentType(), strings.NewReader(b.String()))
}

// holdsText fails unless a page says each text.
func holdsText(t testing.TB, page string, want ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(page, html.EscapeString(s)) && !strings.Contains(page, s) {
			t.Errorf("the page does not say %q", s)
		}
	}
}

func lacksText(t testing.TB, page string, unwanted ...string) {
	t.Helper()
	for _, s := range unwanted {
		if strings.Contains(page, html.EscapeString(s)) || strings.Contains(page, s) {
			t.Errorf("the page says %q", s)
		}
	}
}

// filledCase is a case with something of everything, opened by lead.
func (w *casePages) filledCase() CaseView {
	w.t.Helper()
	ctx := w.t.Context()
	jewel, err := w.SetJewel(ctx, chief, Jewel{Name: "Valve drawings", Technology: []string{"2B350.g"}, Systems: []string{"PLM vault"}, Products: []string{"KV-7 valve"}, Partners: []string{"Wafer Werke"}, Platforms: []string{"NXE line"}, Worth: "Six years of lead in tight valves.", Owner: "Head of engineering"})
	caseMust(w.t, err)
	c, err := w.OpenCase(ctx, lead, CaseNew{Title: "Supplier’s remote access misused", Summary: "A fitter’s account that should have been closed in September was used to reach the vendor networks of two customers.", Kind: KindIncident, Roads: []Road{RoadCyber, RoadInsider}, Class: "intrusions/unprivileged-account-compromise",
		Severity: SeverityHigh, Level: stix.Amber, Aware: w.tick().Add(-15 * time.Hour), Noticed: "A colleague saw log-ins at night.", Occurred: w.tick().Add(-200 * time.Hour), Sector: "manufacturing", Countries: []string{"NL", "DE"}, Jewels: []string{jewel.ID}})
	caseMust(w.t, err)
	w.let(c.ID, worker, PartWork, stix.AmberStrict)
	w.let(c.ID, looker, PartRead, stix.Green)
	w.let(c.ID, partner, PartWork, stix.Amber)
	w.exchange.known["firmware-klepwerk.example"] = KnownObject{ID: "indicator--11111111-1111-4111-8111-111111111111", Type: "indicator", Title: "Tidepipe calls home", Href: "/objects/indicator--11111111-1111-4111-8111-111111111111", CommunityName: "Chip supply chain", Level: stix.Amber, Seen: w.tick()}
	at := func(hours int) time.Time { return w.tick().Add(-time.Duration(hours) * time.Hour) }
	w.add(lead, c.ID, Item{Kind: ItemEntry, Level: stix.Amber, Title: "Vendor accounts closed", Text: "Nine accounts; **two** were in use last week.", At: at(3), Weighs: true})
	w.add(worker, c.ID, Item{Kind: ItemEntry, Level: stix.Amber, Title: "Loader calls out from assembly hall C", Text: "Two workstations asked for it.", At: at(5)})
	w.add(lead, c.ID, Item{Kind: ItemEntry, Level: stix.AmberStrict, Title: "Talk with the police", At: at(1)})
	w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Amber, Title: "Loader", Observable: &Observable{Value: "firmware-klepwerk[.]example", Bad: true, First: at(20), Last: at(4)}})
	w.add(lead, c.ID, Item{Kind: ItemObservable, Level: stix.Green, Observable: &Observable{Value: "203.0.113.77"}})
	w.add(lead, c.ID, Item{Kind: ItemTask, Level: stix.Amber, Title: "Find which drawings were opened", At: at(-20), Task: &Task{Owner: lead.Person}})
	w.add(lead, c.ID, Item{Kind: ItemTask, Level: stix.Amber, Title: "Renew keys for remote access", At: at(2), Task: &Task{Owner: worker.Person}})
	w.add(worker, c.ID, Item{Kind: ItemNote, Level: stix.Amber, Title: "Vendor call", Text: "They rotate keys every *two* years."})
	w.add(lead, c.ID, Item{Kind: ItemDecision, Level: stix.Amber, Title: "Customers are told on Monday", Decision: &Decision{Reason: "They must check their own logs."}})
	other := w.open(stix.Amber, "Odd log-ins in Delft")
	w.add(lead, other.ID, Item{Kind: ItemObservable, Level: stix.Amber, Observable: &Observable{Value: "203.0.113.77"}})
	w.add(lead, c.ID, Item{Kind: ItemLink, Level: stix.Amber, Title: "The same lure", Link: &Link{To: other.ID}})
	_, err = w.AddEvidence(ctx, lead, c.ID, Item{Kind: ItemEvidence, Level: stix.Amber, Title: "Memory image", Evidence: &Evidence{Name: "hall-c.mem", Type: "application/octet-stream"}}, strings.NewReader(strings.Repeat("memory ", 300)))
	caseMust(w.t, err)
	v, err := w.Case(ctx, lead, c.ID)
	caseMust(w.t, err)
	return v
}
