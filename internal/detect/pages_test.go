package detect

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

func TestCatalogues(t *testing.T) { webtest.Catalogues(t, Part(), ".") }

// detectSamples are full and empty data for every page of this part.
var detectSamples = map[string][]any{
	"detect/alerts": {queueView{Alerts: []web.Alert{{Title: "A"}}, Count: "1", Note: "n", Since: "7", Newer: "/alerts", Heads: []web.Head{{Label: "H", Href: "/x", Order: "descending"}}, Pager: web.Pager{Older: "/o", Newer: "/n"},
		Facets: web.Facets{At: &url.URL{Path: "/alerts"}, Groups: []web.FacetGroup{{Name: "state", Legend: "L", Options: []web.FacetOption{{Value: "new", Label: "N", Count: 3, Chosen: true}}}}},
		Rows:   []queueRow{{Key: "k", Href: "/alerts/k", Title: "T", Kind: "Rule", Icon: "list", Where: "W", Level: mark{"bad", "flag", "High"}, State: mark{"info", "plus", "New"}, TLP: stix.Amber, Count: 3, Last: time.Unix(9, 0)}}}, queueView{Empty: web.Empty{Icon: "radar", Title: "E"}}},
	"detect/page": {pageView{Errors: []web.FieldError{{Name: "f", Text: "t"}}, Alerts: []web.Alert{{Class: "bad", Title: "T", Text: "X"}}, Actions: []web.Action{{Label: "A", Href: "/a"}}, Dialogs: []web.Dialog{{ID: "d", Title: "T", Action: "/x", Page: "/x", Open: "O", Submit: "S"}},
		Main: []web.Block{panel("E", "", "evidence", []web.Pair{{Term: "t", Text: "x"}}), panel("E", "", "evidence", []web.Pair(nil)), panel("M", "", "marks-body", []web.Mark{{Class: "no", Text: "x"}}), panel("N", "", "numbered", []string{"a"}), panel("T", "", "todos", []web.Todo{{Icon: "list", Title: "T", Href: "/x"}}),
			panel("V", "n", "events", eventsView{Note: "N", Rows: []eventRow{{At: time.Unix(9, 0), Place: "P", Evidence: []web.Pair{{Term: "a", Text: "b"}}, Raw: []string{"{}"}, Cut: "c"}}}), panel("H", "", "history", []web.Event{{Title: "H"}}),
			panel("S", "", "sources", sourcesTable{Label: "L", Heads: []web.Head{{Label: "A"}, {Label: "B"}}, Rows: []sourceRow{{"r", []web.Pair{{Term: "B", Text: "1"}}}}}), panel("S", "", "sources", sourcesTable{Empty: web.Empty{Icon: "list", Title: "E"}})},
		Aside: []web.Block{panel("F", "", "facts", []web.Pair{{Term: "t", Text: "x", TLP: stix.Amber}}), panel("E", "", "entries", entries{Empty: web.Empty{Icon: "veil", Title: "E"}}),
			panel("E", "", "entries", entries{Rows: []entry{{Icon: "veil", Title: "T", Href: "/x", Lines: []string{"l"}, Mark: mark{"ok", "check", "M"}, TLP: stix.Green, At: time.Unix(9, 0), Buttons: []button{{"/x", "B", []web.Hidden{{Name: "h", Value: "v"}}}}}}}),
			panel("F", "", "form", form{Action: "/x", Files: true, Hidden: []web.Hidden{{Name: "h"}}, Fields: []web.Field{{Name: "f", Label: "F"}, {Name: "c", Label: "C", Many: true}}, Note: "n", Submit: "S", Back: "/b"})}}, pageView{}},
	"detect/sighting": {sightingView{Alerts: []web.Alert{{Title: "A"}}, Rows: []web.Diff{{Outcome: "cut", Property: "p"}}, Checks: []web.Mark{{Class: "yes", Text: "x"}}, Readers: []web.Mark{{Icon: "people", Text: "x"}}, Form: form{Action: "/x", Submit: "S", Note: "n", Back: "/b", Fields: []web.Field{{Name: "f", Label: "F"}}}}, sightingView{}},
}

// Every template, full and empty, in every language.
func TestDetectTemplates(t *testing.T) {
	site, err := web.New(web.Options{}, Part())
	noErr(t, err)
	webtest.Renders(t, site, "detect", detectSamples)
}

// alertConsole is a world with pages. Cookies name a role of here, or "neighbour".
type alertConsole struct {
	*alertWorld
	site    *web.Site
	pages   *Pages
	api     *API
	whole   *wholeJudge
	handler http.Handler
}

func (c *alertConsole) BySession(_ context.Context, cookie string) (web.Identity, error) {
	org := here
	name, other := strings.CutPrefix(cookie, "neighbour-")
	if other {
		org = there
	}
	role, err := polder.ParseRole(name)
	if err != nil {
		return web.Identity{}, polder.Errorf(polder.Unauthorised, "log in")
	}
	return web.Identity{Actor: c.as(org, role), OrgName: "Meridiaan Lithografie"}, nil
}

func (c *alertConsole) BySecret(_ context.Context, secret string, _ netip.Addr) (web.Identity, error) {
	role, err := polder.ParseRole(secret)
	if err != nil {
		return web.Identity{}, polder.Errorf(polder.Unauthorised, "no such token")
	}
	return web.Identity{Actor: polder.Actor{Org: here, Token: "tok1", Role: role}}, nil
}

func (c *alertConsole) Overview(context.Context, polder.Actor) (Overview, error) {
	return Overview{Knowing: c.whole.Knowing(), History: &Kept{Events: 46, Bytes: 9_400_000, First: c.pass(0).Add(-48 * time.Hour), Last: c.pass(0)}, Rules: []KnowledgeSource{{"Polder", 41, c.pass(0).Add(-time.Hour), nil}, {"own rules", 3, c.pass(0), []string{"odd.yml:3: no detection"}}}, Indicators: []KnowledgeSource{{"Chip supply chain", 1200, c.pass(0), nil}}}, nil
}

func newAlertConsole(t testing.TB, in *Intake) *alertConsole {
	t.Helper()
	return consoleOf(t, newAlertWorld(t), in)
}

func consoleOf(t testing.TB, w *alertWorld, in *Intake) *alertConsole {
	t.Helper()
	c := &alertConsole{alertWorld: w, whole: &wholeJudge{}}
	var err error
	c.site, err = web.New(web.Options{Identify: c, Now: func() time.Time { return c.pass(0) }}, Part())
	noErr(t, err)
	n := NewNotifier(NotifierOptions{Service: c.Service, Accounts: c.accounts, Outbox: c.db, Site: c.site, URL: "https://node.example/", Secret: []byte("secret"), Senders: map[notify.Channel]notify.Sender{notify.ByWebhook: nil, notify.ByMail: &kept{}}})
	noErr(t, n.Migrate(t.Context()))
	c.pages = c.Service.Pages(c.site, PagesOptions{Checker: c.whole, Overview: c, Notifier: n, Intake: in})
	c.api = NewAPI(c.Service, in)
	c.site.AddNav(c.pages.Nav()...)
	c.handler, err = c.site.Handler(append(c.pages.Routes(), c.api.Routes()...)...)
	noErr(t, err)
	return c
}

// ask sends a request with a cookie, or with a token when who begins with "token ".
func (c *alertConsole) ask(who, method, path, contentType string, body io.Reader) *httptest.ResponseRecorder {
	c.t.Helper()
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", contentType)
	if token, is := strings.CutPrefix(who, "token "); is {
		r.Header.Set("Authorization", "Bearer "+token)
	} else {
		r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	}
	out := httptest.NewRecorder()
	c.handler.ServeHTTP(out, r)
	return out
}

func (c *alertConsole) get(who, path string) string {
	c.t.Helper()
	out := c.ask(who, "GET", path, "", nil)
	if out.Code != 200 {
		c.t.Fatalf("GET %s as %s: %d %.2000s", path, who, out.Code, out.Body.String())
	}
	return out.Body.String()
}

func (c *alertConsole) post(who, path string, pairs ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return c.ask(who, "POST", path, "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
}

func contains(t *testing.T, page string, want ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
}

func lacks(t *testing.T, page string, unwanted ...string) {
	t.Helper()
	for _, s := range unwanted {
		if strings.Contains(page, s) {
			t.Errorf("the page holds %q", s)
		}
	}
}

// TestAlertPages walks from the queue over an alert to its sighting and its suppression.
func TestAlertPages(t *testing.T) {
	c := newAlertConsole(t, nil)
	hit, own := c.record(c.hit(1)), c.record(c.found(1), c.found(2))
	queue := c.get("reader", "/alerts")
	contains(t, queue, "firmware-klepwerk[.]example", "Archive made before upload", "2 new alerts are high or critical", `data-feed="/alerts/feed"`, "WS-041", "TLP:AMBER")
	lacks(t, c.get("reader", "/alerts?kind=rule"), "klepwerk", "data-feed")
	contains(t, c.get("reader", "/alerts?lang=nl"), "Meldingen", "hoog of kritiek")
	page := c.get("contributor", "/alerts/"+own.ID)
	contains(t, page, "7z.exe", "High: the rule&#39;s own", "DRL 1.1", "A. Author", "attack.t1560.001", "What to do next", "to-confirmed", "sysmon.json, event 2", "&#34;EventID&#34;:1")
	lacks(t, page, "/sighting\"")
	lacks(t, c.get("reader", "/alerts/"+own.ID), "to-confirmed", "/suppress\"")
	page = c.get("contributor", "/alerts/"+hit.ID)
	contains(t, page, "/objects/"+hit.Rule, "Chip supply chain", "A member", "82 of 100", "PAP:RED", "Sharing a sighting stays inside", "Tidepipe", "indicates")

	if out := c.post("contributor", "/alerts/"+hit.ID+"/state", "state", "false", "to-false-reason", ""); out.Code != 400 || !strings.Contains(out.Body.String(), "Say in a sentence why") && !strings.Contains(out.Body.String(), "say in a sentence why") {
		t.Errorf("false without a reason: %d", out.Code)
	}
	if out := c.post("reader", "/alerts/"+hit.ID+"/state", "state", "confirmed"); out.Code != 403 {
		t.Errorf("a reader decides: %d", out.Code)
	}
	if out := c.post("contributor", "/alerts/"+hit.ID+"/state", "state", "confirmed", "to-confirmed-reason", "seen on the wire"); out.Code != 303 {
		t.Fatalf("confirming: %d %s", out.Code, out.Body)
	}
	contains(t, c.get("contributor", "/alerts/"+hit.ID), "seen on the wire", "Sanne de Wit confirmed it", "/alerts/"+hit.ID+"/sighting")
	preview := c.get("contributor", "/alerts/"+hit.ID+"/sighting")
	contains(t, preview, "sighting_of_ref", "first_seen", "Not sent: your own", "Share with 14 organisations", "PAP:RED")
	if out := c.post("contributor", "/alerts/"+hit.ID+"/sighting"); out.Code != 303 || len(c.exchange.shared) != 1 {
		t.Errorf("sharing: %d, %d shared", out.Code, len(c.exchange.shared))
	}
	contains(t, c.get("contributor", "/alerts/"+hit.ID), "shared it as a sighting")

	contains(t, c.get("contributor", "/alerts/"+own.ID+"/suppress"), "host:WS-041", "For how long")
	if out := c.post("contributor", "/alerts/"+own.ID+"/suppress", "scope", "host:WS-041", "days", "7", "reason", ""); out.Code != 400 {
		t.Errorf("suppressing without a reason: %d", out.Code)
	}
	if out := c.post("contributor", "/alerts/"+own.ID+"/suppress", "scope", "host:WS-041", "days", "7", "reason", "the packer of the drawing office"); out.Code != 303 {
		t.Fatalf("suppressing: %d %s", out.Code, out.Body)
	}
	list := c.get("contributor", "/suppressions")
	contains(t, list, "drawing office", "WS-041", "One counts now")
	lacks(t, c.get("reader", "/alerts"), "Archive made before upload")
	all, err := c.Suppressions(t.Context(), c.reader(here))
	noErr(t, err)
	if out := c.post("contributor", "/suppressions/"+all[0].ID+"/end"); out.Code != 303 {
		t.Errorf("ending it: %d", out.Code)
	}
	contains(t, c.get("contributor", "/suppressions"), "Ended by Sanne de Wit")

	c.exchange.withdraw(hit.Rule)
	for _, path := range []string{"/alerts", "/alerts/" + hit.ID, "/suppressions"} {
		lacks(t, c.get("contributor", path), "klepwerk", "seen on the wire")
	}
	contains(t, c.get("contributor", "/alerts/"+hit.ID), "was withdrawn, or is no longer shared with you")
}

// TestAlertWall: no page, feed or API of one organisation tells another, or the administrator of the node, anything.
func TestAlertWall(t *testing.T) {
	c := newAlertConsole(t, nil)
	g := c.record(c.found(1))
	by := c.as(here, polder.RoleContributor)
	u, err := c.Suppress(t.Context(), by, Suppression{Rule: g.Rule, Scope: ScopeHost, Value: "WS-041", Reason: "drawing office", Until: c.pass(0).Add(time.Hour)}, "")
	noErr(t, err)
	for _, who := range []string{"neighbour-reader", "neighbour-steward", "admin", "neighbour-admin"} {
		for _, path := range []string{"/alerts", "/alerts/" + g.ID, "/alerts/" + g.ID + "/suppress", "/alerts/" + g.ID + "/sighting", "/suppressions", "/detection", "/check", "/api/v1/alerts", "/api/v1/alerts/" + g.ID, "/api/v1/suppressions", "/api/v1/suppressions/" + u.ID} {
			out := c.ask(who, "GET", path, "", nil)
			lacks(t, out.Body.String(), "Archive made", "WS-041", "drawing office", "7z.exe", "s.dewit")
			if single := strings.Contains(path, g.ID) || strings.Contains(path, u.ID); single && out.Code == 200 {
				t.Errorf("%s reads %s", who, path)
			}
		}
		actor := c.as(there, polder.RoleReader)
		if who == "admin" {
			actor = c.as(here, polder.RoleAdmin)
		}
		card, err := c.pages.Card(t.Context(), actor, c.site.Words("en"))
		if err != nil || card.Template != "" {
			t.Errorf("%s has a card: %+v, %v", who, card, err)
		}
		hits, err := c.pages.Search(t.Context(), actor, "Archive", 10, c.site.Words("en"))
		if err != nil || len(hits) != 0 {
			t.Errorf("%s finds %+v, %v", who, hits, err)
		}
	}
}

// TestParts: what detection brings to the pages of others.
func TestParts(t *testing.T) {
	c := newAlertConsole(t, nil)
	f := c.hit(1)
	c.record(f)
	words := c.site.Words("en")
	card, err := c.pages.Card(t.Context(), c.reader(here), words)
	if err != nil || card.Template != "detect/todos" {
		t.Errorf("the card is %+v, %v", card, err)
	}
	panel, err := c.pages.Panel(t.Context(), c.reader(here), f.ID, words)
	if err != nil || panel.Title != "Seen here once" {
		t.Errorf("the panel is %+v, %v", panel, err)
	}
	for name, b := range map[string]web.Block{"card": card, "panel": panel} {
		if _, err := c.site.Fragment(words, b.Template, b.Data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if other, err := c.pages.Panel(t.Context(), c.reader(there), f.ID, words); err != nil || other.Template != "" {
		t.Errorf("a neighbour's panel is %+v, %v", other, err)
	}
	c.exchange.withdraw(f.ID)
	if gone, err := c.pages.Panel(t.Context(), c.reader(here), f.ID, words); err != nil || gone.Template != "" {
		t.Errorf("the panel of what was withdrawn is %+v, %v", gone, err)
	}
}

// TestAlertFeed: a row for each new group of the reader's organisation, once, from where the page ended.
func TestAlertFeed(t *testing.T) {
	c := newAlertConsole(t, nil)
	c.record(c.found(1))
	server := httptest.NewServer(c.handler)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	since, err := newestGroup(ctx, c.db.Read(), here)
	noErr(t, err)
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/alerts/feed?since="+itoa(int(since)), nil)
	noErr(t, err)
	r.AddCookie(&http.Cookie{Name: "polder", Value: "reader"})
	res, err := server.Client().Do(r)
	noErr(t, err)
	defer res.Body.Close()
	go func() {
		_, _ = c.Record(context.Background(), there, []Finding{c.found(7)})
		f := c.found(2)
		f.Host = "WS-099"
		_, _ = c.Record(context.Background(), here, []Finding{c.found(3), f})
	}()
	var got strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(got.String(), "WS-099") {
		n, err := res.Body.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			t.Fatalf("the stream ended: %v, %s", err, got.String())
		}
	}
	if strings.Count(got.String(), "event: row") != 1 {
		t.Errorf("the stream holds more than the one new group: %s", got.String())
	}
	if out := c.ask("reader", "GET", "/alerts/feed?since=x", "", nil); out.Code != 400 {
		t.Errorf("a place that is none: %d", out.Code)
	}
}

// TestAdvicePages: what to do about a rule of Polder's own is said in the reader's language; how far back one can look too.
func TestAdvicePages(t *testing.T) {
	c := newAlertConsole(t, nil)
	f := c.found(1)
	f.ID = "310d6165-bc09-4c11-bbc6-be6f6058d7f5" // a new stick, then many drawings
	g := c.record(f)
	for lang, says := range map[string]string{"en": "Call the manager now.", "nl": "Bel nu de leidinggevende."} {
		page := c.get("reader", "/alerts/"+g.ID+"?lang="+lang)
		contains(t, page, says)
		lacks(t, page, c.site.Words(lang).T("detect.step.isolate"))
	}
	contains(t, c.get("reader", "/alerts/"+c.record(c.found(2)).ID), c.site.Words("en").T("detect.step.isolate"))
	contains(t, c.get("reader", "/detection?lang=nl"), "46 gebeurtenissen bewaard.", "9,4\u00a0MB op schijf",
		c.site.Words("nl").T("detect.between", "first", c.pass(0).Add(-48*time.Hour), "last", c.pass(0)))
}

// TestSightingPageWithoutPAP: an object without a PAP mark says nothing of what may be done with its values.
func TestSightingPageWithoutPAP(t *testing.T) {
	c := newAlertConsole(t, nil)
	f := c.hit(1)
	f.Origin.PAP = stix.PAPNone
	free := c.exchange.objects[f.ID]
	free.PAP = stix.PAPNone
	c.exchange.put(free)
	g := c.record(f)
	_, err := c.Decide(t.Context(), c.as(here, polder.RoleContributor), g.ID, StateConfirmed, "")
	noErr(t, err)
	for _, path := range []string{"/alerts/" + g.ID, "/alerts/" + g.ID + "/sighting"} {
		lacks(t, c.get("contributor", path), "you may act on the values", "PAP")
	}
}

// TestCheckPage: a log that is dropped gets its answer in plain words, and what was found is kept where that was asked.
func TestCheckPage(t *testing.T) {
	c := newAlertConsole(t, nil)
	send := func(who, keep, name, log string) *httptest.ResponseRecorder {
		body := "--b\r\nContent-Disposition: form-data; name=\"keep\"\r\n\r\n" + keep + "\r\n--b\r\nContent-Disposition: form-data; name=\"log\"; filename=\"" + name + "\"\r\n\r\n" + log + "\r\n--b--\r\n"
		return c.ask(who, "POST", "/check", "multipart/form-data; boundary=b", strings.NewReader(body))
	}
	contains(t, c.get("reader", "/check"), "Have we been hit?", "41 rules that come with Polder", `enctype="multipart/form-data"`)
	lacks(t, c.get("reader", "/check"), `name="keep"`)
	for _, x := range []struct{ why, who, keep, log, says string }{
		{"a clean log", "contributor", "yes", `{"x":1}`, "No sign of an attack was found"},
		{"a log that is none", "contributor", "yes", "rubbish", "There was nothing to look at"},
		{"a hit that is not kept", "contributor", "", `{"x":"bad, not kept"}`, "Yes, probably: act today"},
		{"a reader keeps nothing", "reader", "yes", `{"x":"bad, by a reader"}`, "Yes, probably: act today"},
		{"in Dutch", "reader", "", `{"x":1}`, "No sign"},
	} {
		out := send(x.who, x.keep, "dns.json", x.log)
		if out.Code != 200 || !strings.Contains(out.Body.String(), x.says) {
			t.Errorf("%s: %d, and no %q", x.why, out.Code, x.says)
		}
	}
	if counts, err := c.Counts(t.Context(), c.reader(here)); err != nil || len(counts.States) != 0 {
		t.Errorf("kept without being asked: %+v, %v", counts, err)
	}
	out := send("contributor", "yes", `C:\logs\dns.json`, `{"x":"bad"}`)
	contains(t, out.Body.String(), "They are kept as alerts", "Archive made before upload", "WS-041", "Take the machine off the network")
	lacks(t, out.Body.String(), `C:\logs`)
	if counts, err := c.Counts(t.Context(), c.reader(here)); err != nil || counts.States[StateNew] != 1 {
		t.Errorf("kept: %+v, %v", counts, err)
	}
	if out := send("contributor", "yes", "", "x"); out.Code != 400 || !strings.Contains(out.Body.String(), "o file was chosen") {
		t.Errorf("without a file: %d", out.Code)
	}
	if out := c.post("contributor", "/check", "log", "x"); out.Code != 400 {
		t.Errorf("a form of another kind: %d", out.Code)
	}
	if out := c.ask("contributor", "POST", "/check", "multipart/form-data; boundary=b", strings.NewReader("--b\r\nContent-Disp")); out.Code != 400 {
		t.Errorf("half a form: %d", out.Code)
	}
}

// TestDetectionPage: what comes in, what it is held against, what leaves by itself.
func TestDetectionPage(t *testing.T) {
	c := newAlertConsole(t, nil)
	page := c.get("reader", "/detection")
	contains(t, page, "41 rules and 1200 indicators", "own rules", "odd.yml:3: no detection", "Nothing comes in yet", "No sighting leaves by itself")
	lacks(t, page, `name="confidence"`)
	if out := c.post("steward", "/detection/sightings", "community", "chip", "confidence", "x"); out.Code != 400 {
		t.Errorf("a confidence that is none: %d", out.Code)
	}
	if out := c.post("steward", "/detection/sightings", "community", "chip", "confidence", "80"); out.Code != 303 {
		t.Errorf("a rule: %d", out.Code)
	}
	contains(t, c.get("steward", "/detection"), "From a confidence of 80 of 100")
	if out := c.post("steward", "/detection/sightings/end", "community", "chip"); out.Code != 303 {
		t.Errorf("ending it: %d", out.Code)
	}
}

// TestNoticePages: a person asks to be told, switches it, and ends it without a log-in.
func TestNoticePages(t *testing.T) {
	c := newAlertConsole(t, nil)
	contains(t, c.get("reader", "/account/alerts"), "You are told of nothing yet", "Messages never hold a host")
	if out := c.post("reader", "/account/alerts", "level", "high", "channel", "webhook", "target", "x"); out.Code != 400 {
		t.Errorf("a webhook without an address: %d", out.Code)
	}
	if out := c.post("reader", "/account/alerts", "level", "high", "channel", "mail", "digest", "daily"); out.Code != 303 {
		t.Errorf("a good one: %d", out.Code)
	}
	contains(t, c.get("reader", "/account/alerts"), "High and above", "each morning")
	all, err := c.pages.more.Notifier.Notices(t.Context(), c.reader(here))
	noErr(t, err)
	at := "/account/alerts/" + all[0].ID
	for _, x := range []struct {
		who, path string
		status    int
	}{{"steward", at + "/off", 404}, {"reader", at + "/off", 303}, {"reader", at + "/on", 303}, {"", "/alert-off/" + all[0].ID + ".x", 404}, {"", "/alert-off/" + c.pages.more.Notifier.offToken(all[0].ID), 200}, {"reader", at + "/delete", 303}} {
		if out := c.post(x.who, x.path); out.Code != x.status {
			t.Errorf("%s as %q: %d, want %d", x.path, x.who, out.Code, x.status)
		}
	}
}

// TestAlertAPI: the same by REST, strictly.
func TestAlertAPI(t *testing.T) {
	c := newAlertConsole(t, nil)
	hit := c.record(c.hit(1))
	c.record(c.found(1))
	call := func(method, path, body string, want int) map[string]any {
		t.Helper()
		out := c.ask("token contributor", method, path, "application/json", strings.NewReader(body))
		if out.Code != want {
			t.Fatalf("%s %s: %d %s", method, path, out.Code, out.Body)
		}
		var v map[string]any
		if out.Body.Len() > 0 {
			noErr(t, json.Unmarshal(out.Body.Bytes(), &v))
		}
		return v
	}
	list := call("GET", "/api/v1/alerts?kind=indicator&sort=-level&limit=10", "", 200)["alerts"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["tlp"] != "amber" {
		t.Errorf("listed: %v", list)
	}
	one := call("GET", "/api/v1/alerts/"+hit.ID, "", 200)
	if one["count"] != 1.0 || len(one["alerts"].([]any)) != 1 || one["origin"].(map[string]any)["pap"] != "red" {
		t.Errorf("one: %v", one)
	}
	call("GET", "/api/v1/alerts?limit=x", "", 400)
	call("GET", "/api/v1/alerts?state=odd", "", 400)
	call("GET", "/api/v1/alerts/none", "", 404)
	call("POST", "/api/v1/alerts/"+hit.ID+"/state", `{"state":"confirmed","odd":1}`, 400)
	call("GET", "/api/v1/alerts/"+hit.ID+"/sighting", "", 409)
	if v := call("POST", "/api/v1/alerts/"+hit.ID+"/state", `{"state":"confirmed","reason":"x"}`, 200); v["state"] != "confirmed" {
		t.Errorf("decided: %v", v)
	}
	if v := call("GET", "/api/v1/alerts/"+hit.ID+"/sighting", "", 200); v["readers"] != 14.0 || v["object"].(map[string]any)["type"] != "sighting" {
		t.Errorf("previewed: %v", v)
	}
	if v := call("POST", "/api/v1/alerts/"+hit.ID+"/sighting", `{}`, 201); v["id"] == "" {
		t.Errorf("shared: %v", v)
	}
	made := call("POST", "/api/v1/suppressions", `{"rule":"r","scope":"host","value":"h","reason":"our own","until":"2026-11-21T09:00:00Z"}`, 201)
	id := made["id"].(string)
	if made["by"] != "token tok1" || made["active"] != true {
		t.Errorf("made: %v", made)
	}
	call("POST", "/api/v1/suppressions", `{"rule":"r","scope":"host","value":"h","reason":"our own"}`, 400)
	if v := call("PATCH", "/api/v1/suppressions/"+id, `{"reason":"still ours"}`, 200); v["reason"] != "still ours" {
		t.Errorf("changed: %v", v)
	}
	call("DELETE", "/api/v1/suppressions/"+id, "", 204)
	call("DELETE", "/api/v1/suppressions/"+id, "", 409)
	if v := call("GET", "/api/v1/suppressions", "", 200)["suppressions"].([]any); len(v) != 1 || v[0].(map[string]any)["active"] != false {
		t.Errorf("listed: %v", v)
	}
}
