package exchange

import (
	"bufio"
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

func TestCatalogues(t *testing.T) { webtest.Catalogues(t, Part(), ".") }

// pageSamples are full and empty data for every page of this part.
var pageSamples = map[string][]any{
	"exchange/objects": {objectsView{Count: "1 object", Note: "N", Text: "t", Hidden: []web.Hidden{{Name: "type", Value: "x"}}, Rows: []row{{Href: "/o", Title: "T", Kind: "K", Icon: "target", By: "B", Community: "C", TLP: stix.Red, Worth: tag{"ok", "check", "W"}, At: 5}},
		Facets: web.Facets{At: &url.URL{Path: "/objects"}, Groups: []web.FacetGroup{{Name: "type", Legend: "L", Options: []web.FacetOption{{Value: "v", Label: "V", Count: 3, Chosen: true}}}}}, Pager: web.Pager{Says: "s", Newer: "/n", Older: "/o"}}, objectsView{}},
	"exchange/page": {pageView{Alerts: []web.Alert{{Class: "warn", Title: "T", Text: "X"}}, Actions: []web.Action{{Label: "A", Href: "/a"}}, Dialogs: []web.Dialog{{ID: "d", Title: "T", Action: "/x", Page: "/x", Open: "O", Submit: "S"}},
		Main: []web.Block{block("P", "", "pattern", matchingView{Lines: []string{"a", "b"}, Values: []web.Link{{Text: "v", Href: "/v"}}, Note: "N"}), block("R", "", "properties", []property{{Name: "n", Text: "t", Code: true, Links: []web.Link{{Text: "a", Href: "/a"}}}}),
			block("S", "", "said", []saying{{Href: "/x", Title: "T", By: "B", Text: "X", At: time.Unix(9, 0), TLP: stix.Green}}), block("C", "", "chart", chart{Days: web.Columns{Label: "L", Items: []web.Bar{{Label: "d", Value: 1}}}, Kinds: web.Bars{Label: "K", Items: []web.Bar{{Label: "k", Value: 2, Text: "2"}}}, Note: "N"}),
			block("T", "", "object-table", objectsView{Rows: []row{{Href: "/o", Title: "T"}}}), block("N", "", "nothing", web.Empty{Icon: "search", Title: "E"}), block("H", "", "history", []web.Event{{Title: "H", Changes: []web.Change{{Property: "p", Was: "a", Is: "b"}}}}),
			block("W", "", "prose", "**b**"), block("F", "", "feed", web.Feed{Empty: web.Empty{Icon: "search", Title: "E"}})},
		Aside: []web.Block{block("F", "", "facts", []web.Pair{{Term: "t", Text: "x", TLP: stix.Amber}}), block("M", "", "notes", []web.Mark{{Class: "no", Text: "x"}})}}, pageView{}},
	"exchange/share": {shareView{Alert: &web.Alert{Class: "bad", Title: "T"}, Places: []web.Link{{Text: "P", Href: "/p"}}, Hidden: []web.Hidden{{Name: "community", Value: "c"}}, Text: web.Field{Name: "text", Rows: 3}, File: web.Field{Name: "file", Type: "file"},
		One: []web.Field{{Name: "value", Help: "h"}}, Levels: web.Field{Name: "tlp", Options: []web.Option{{Value: "red", TLP: stix.Red, Closed: true}}}, Named: web.Field{Name: "named"}, To: &web.Field{Name: "to", Many: true, Options: []web.Option{{Value: "a", Label: "A", Chosen: true}}}}, shareView{}, shareView{Nothing: &web.Empty{Icon: "share", Title: "N"}}},
	"exchange/preview": {previewView{Alerts: []web.Alert{{Title: "A"}}, Changes: []web.Diff{{Outcome: "blind", Property: "p", After: []web.Segment{{TLP: stix.Amber}}}}, Kept: []web.Diff{{Outcome: "keep", Property: "k"}}, KeptText: "K", Checks: []web.Mark{{Class: "mind", Text: "m"}},
		Audience: []web.Mark{{Icon: "people", Text: "x"}}, Names: []string{"N"}, All: "all", Hidden: []web.Hidden{{Name: "body", Value: "b"}}, Submit: "Share", Confirm: "c", Audit: "a"}, previewView{}},
	"exchange/search":     {searchView{Text: "t", Said: "s", Hits: []web.Hit{{Kind: "k", Icon: "bug", Title: "T", Href: "/x", Text: "x", TLP: stix.Clear}}}, searchView{Empty: web.Empty{Icon: "search", Title: "E"}}},
	"exchange/blocklists": {listsView{Places: []web.Link{{Text: "P", Href: "/p"}}, Lists: []listRow{{"N", "H", "/x", "GET /x"}}, Left: []leftRow{{"T", "/t", "R"}}}, listsView{Empty: web.Empty{Icon: "check", Title: "E"}}, listsView{Nothing: &web.Empty{Icon: "layers", Title: "N"}}},
	"exchange/confirm":    {confirmView{Alert: &web.Alert{Title: "A"}, Dialog: web.Dialog{ID: "d", Action: "/x", Submit: "S", Danger: true, Fields: []web.Field{{Name: "f", Label: "F"}}, Hidden: []web.Hidden{{Name: "h", Value: "v"}}}, Back: "/b"}, confirmView{}},
}

// Every template, full and empty, in every language.
func TestTemplates(t *testing.T) {
	site, err := web.New(web.Options{}, Part())
	ok(t, err)
	webtest.Renders(t, site, "exchange", pageSamples)
}

// TestPagesWithinSight: what stands on a page is what its reader may see. A canary for one organisation, and one in a
// community of others, are nowhere else: no page, search, count, preview or feed tells of them.
func TestPagesWithinSight(t *testing.T) {
	c := newConsole(t)
	c.story()
	csirt := c.who["csirt"].Actor
	c.share(csirt, Request{Objects: one(indicatorOf(90, 0, stix.Amber, "canary-named.example", `,"name":"Kanarie genoemd"`)), To: []polder.OrgID{c.orgs["maker"].ID}})
	c.share(csirt, Request{Community: "universities", Objects: one(indicatorOf(91, 0, stix.Green, "canary-uni.example", `,"name":"Kanarie elders"`))})
	c.share(csirt, Request{Objects: one(thing("note", 92, 0, stix.Red, `"abstract":"Kanarie rood","content":"canary-red","object_refs":["`+sid("indicator", 1)+`"]`))})
	paths := []string{"/", "/objects", "/objects?type=indicator", "/objects?q=canary", "/objects?tlp=red", "/objects?sort=when", "/objects/" + sid("indicator", 1), "/search?q=Kanarie", "/search?q=canary",
		"/values?value=canary-named.example", "/values?value=canary-uni.example", "/blocklists", "/share", "/objects?community=universities"}
	canaries := regexp.MustCompile(`(?i)kanarie (genoemd|elders|rood)|canary-red|canary-(named|uni)\.|canary-(named|uni)\[\.`)
	for _, path := range paths {
		for _, who := range []string{"optics", "valve", "uni", "new"} {
			status, page, _ := c.ask(who, "GET", path, nil)
			if status >= 500 || status != 200 && who != "new" {
				t.Errorf("%s as %s: %d", path, who, status)
			}
			if strings.HasPrefix(path, "/values") { // the value that was asked for may be said back
				page = regexp.MustCompile(`canary-(named|uni)(\.|\[\.\]|%5B)example`).ReplaceAllString(page, "")
			}
			if found := canaries.FindString(page); found != "" {
				t.Errorf("%s as %s tells of %q", path, who, found)
			}
		}
	}
	for _, who := range []string{"optics", "valve", "uni", "new"} {
		for _, id := range []string{sid("indicator", 90), sid("indicator", 91), sid("note", 92), sid("indicator", 999)} {
			status, body, _ := c.ask(who, "GET", "/objects/"+id, nil)
			if _, none, _ := c.ask(who, "GET", "/objects/"+sid(stix.TypeOf(id), 998), nil); status != 404 || blank(body) != blank(none) {
				t.Errorf("%s as %s: %d, or told from what is not there", id, who, status)
			}
		}
	}
	if page := c.get("maker", "/objects"); !strings.Contains(page, "Kanarie genoemd") || !strings.Contains(page, "Kanarie elders") {
		t.Error("who may see the canaries does not")
	}
	// The name of whoever shared blind is on no page of another, in no order of words.
	for _, path := range append(paths, "/objects/"+sid("indicator", 1)+"?community=chip-supply-chain") {
		if page := c.get("optics", path); path != "/share" && strings.Contains(page, "Klepwerk") {
			t.Errorf("%s names the blind contributor", path)
		}
	}
}

// blank takes what differs between two answers out: ids of objects and requests.
func blank(s string) string {
	return regexp.MustCompile(`[0-9a-f-]{16,}`).ReplaceAllString(s, "")
}

// TestS35 (S35): texts that try to become markup are shown as texts, on every page that shows them.
func TestS35(t *testing.T) {
	c := newConsole(t)
	for i, bad := range webtest.Strings() {
		said, err := json.Marshal(bad + "x")
		ok(t, err)
		res, err := c.Share(t.Context(), c.who["csirt"].Actor, Request{Community: c.where.Alias, Confirmed: true, Objects: one(
			indicatorOf(100+i, 0, stix.Amber, "x"+itoa(i)+".example", `,"name":`+string(said)+`,"description":`+string(said)+`,"labels":[`+string(said)+`]`),
			thing("note", 100+i, 0, stix.Amber, `"abstract":`+string(said)+`,"content":`+string(said)+`,"object_refs":["`+sid("indicator", 100+i)+`"]`))})
		ok(t, err)
		if len(res.Refused) > 0 {
			continue // what STIX refuses is on no page
		}
		page := c.get("maker", "/objects/"+sid("indicator", 100+i))
		for _, fault := range webtest.Broken([]byte(page)) {
			t.Errorf("the object named %q: %s", bad, fault)
		}
		if strings.Contains(bad, "<") && strings.Contains(page, bad) {
			t.Errorf("%q stands in the page as it is", bad)
		}
		status, preview, _ := c.ask("maker", "POST", "/share/preview", url.Values{"community": {c.where.Alias}, "tlp": {"amber"}, "value": {"y" + itoa(i) + ".example"}, "name": {bad}, "description": {bad}})
		for _, fault := range webtest.Broken([]byte(preview)) {
			t.Errorf("the preview (%d) of %q: %s", status, bad, fault)
		}
	}
	for _, path := range []string{"/", "/objects", "/objects?sort=when", "/search?q=x", "/search?q=" + url.QueryEscape(webtest.Strings()[0]), "/objects?type=%3Cscript%3E&q=%22%3E%3Cb%3E&community=%3C"} {
		for _, fault := range webtest.Broken([]byte(c.get("maker", path))) {
			t.Errorf("%s: %s", path, fault)
		}
	}
}

// hiddenFields are the values that a page's form carries along.
func hiddenFields(page string) url.Values {
	f := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		f.Add(m[1], html.UnescapeString(m[2]))
	}
	return f
}

// TestShareThroughPreview (X20–X22): the preview stores nothing and tells who will read it; what is confirmed is what was
// seen, and if the audience has grown meanwhile it is shown again instead.
func TestShareThroughPreview(t *testing.T) {
	c := newConsole(t)
	form := url.Values{"community": {c.where.Alias}, "tlp": {"amber"}, "named": {"no"}, "text": {"We saw evil.klepwerk-service.example, asked by 192.168.1.4."}}
	status, preview, _ := c.ask("maker", "POST", "/share/preview", form)
	for _, want := range []string{"Share with 4 organisations", "A member", "TLP:AMBER", "192[.]168[.]1[.]4"} {
		if status != 200 || !strings.Contains(preview, want) {
			t.Errorf("the preview (%d) lacks %q", status, want)
		}
	}
	if page := c.get("csirt", "/objects"); strings.Contains(page, "klepwerk-service") {
		t.Fatal("the preview shared it")
	}
	carried := hiddenFields(preview)
	late := c.org("late")
	_, err := c.accounts.Join(t.Context(), accounts.Local(), c.where.ID, late.ID, polder.RoleReader)
	ok(t, err)
	status, again, _ := c.ask("maker", "POST", "/share", carried)
	if status != 200 || !strings.Contains(again, "Something changed since you looked") || !strings.Contains(again, "Share with 5 organisations") {
		t.Fatalf("an audience that grew goes unnoticed: %d", status)
	}
	status, _, head := c.ask("maker", "POST", "/share", hiddenFields(again))
	if status != http.StatusSeeOther || !strings.HasPrefix(head.Get("Location"), "/objects/indicator--") {
		t.Fatalf("sharing gives %d %s", status, head.Get("Location"))
	}
	if page := c.get("csirt", head.Get("Location")); !strings.Contains(page, "evil[.]klepwerk-service[.]example") && !strings.Contains(page, "evil.klepwerk-service[.]example") || strings.Contains(page, "Meridiaan") {
		t.Error("the reader does not see the object, or reads who shared it")
	}
	if status, _, _ := c.ask("uni", "POST", "/share/preview", form); status != 403 {
		t.Errorf("a reader previews: %d", status)
	}
	// Red for nobody, and a file that is no STIX, are told.
	form.Set("tlp", "red")
	if _, page, _ := c.ask("maker", "POST", "/share/preview", form); !strings.Contains(page, "Keep it for your organisation") {
		t.Error("RED that names nobody is not told")
	}
	form.Set("text", `{"type":"indicator","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}`)
	if _, page, _ := c.ask("maker", "POST", "/share/preview", form); !strings.Contains(page, "1 object cannot be shared") || strings.Contains(page, `class="button primary"`) {
		t.Error("a broken object is not told, or can be shared")
	}
	form.Set("text", " ")
	if status, _, _ := c.ask("maker", "POST", "/share/preview", form); status != 400 {
		t.Errorf("nothing at all: %d", status)
	}
}

// TestFeed: the stream of rows begins where the page ends, sends each row as the page would show it, and says what went.
func TestFeed(t *testing.T) {
	c := newConsole(t)
	c.story()
	server := httptest.NewServer(c.handler)
	defer server.Close()
	since := regexp.MustCompile(`data-seq="(\d+)"`).FindStringSubmatch(c.get("uni", "/"))[1]
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/feed?since="+since, nil)
	ok(t, err)
	r.AddCookie(&http.Cookie{Name: "polder", Value: "uni"})
	answer, err := server.Client().Do(r)
	ok(t, err)
	defer answer.Body.Close()
	csirt := c.who["csirt"].Actor
	c.share(csirt, Request{Objects: one(indicatorOf(80, 0, stix.Amber, "hidden.example", "")), To: []polder.OrgID{c.orgs["maker"].ID}})
	c.share(csirt, Request{Objects: one(indicatorOf(81, 0, stix.Green, "fresh.example", `,"name":"<b>fresh</b>"`))})
	_, err = c.Withdraw(t.Context(), csirt, Withdrawal{Community: c.where.Alias, ID: sid("indicator", 81)})
	ok(t, err)
	lines := bufio.NewScanner(answer.Body)
	var got []string
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: "+string(c.where.ID)) {
		got = append(got, lines.Text())
	}
	all := strings.Join(got, "\n")
	if regexp.MustCompile(`hidden(\.|\[\.\])example|0080`).MatchString(all) || !strings.Contains(all, "event: gone") {
		t.Errorf("got %s", all)
	}
	if strings.Contains(all, "event: row") && (!strings.Contains(all, "&lt;b&gt;fresh") || !strings.Contains(all, "TLP:GREEN")) {
		t.Errorf("the row is %s", all)
	}
}
