package exchange

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/exchange/release"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// releaseValues is the form of a profile, as a browser sends it.
func releaseValues() url.Values {
	return url.Values{"version": {"0"}, "minimise": {"names", "staff", "hosts", "networks"}, "warninglists": {"stop"}, "blind": {"made"}, "mark": {"amber"}, "highest": {"amber+strict"},
		"names": {"Meridiaan Lithografie B.V.\n\nMLB\n"}, "staff": {"Wil van Dijk <w.vandijk@meridiaan.example>\nZoë Çelik"}, "networks": {"203.0.113.0/24"}, "domains": {"meridiaan.example"},
		"forbidden": {"Programme: Zeekomkommer; Kwal\nNumbers ~ ML-\\d{4}"}, "keep": {"x_risk"}}
}

// TestReleasePage: stewards set what leaves in a form, try it, and read it back; others do not.
func TestReleasePage(t *testing.T) {
	c := newConsole(t)
	for _, who := range []string{"optics", "uni"} {
		if status, _, _ := c.ask(who, "GET", "/release", nil); status != 403 {
			t.Errorf("%s opens the page: %d", who, status)
		}
		if status, _, _ := c.ask(who, "POST", "/release", releaseValues()); status != 403 {
			t.Errorf("%s sets it: %d", who, status)
		}
	}
	if status, page, _ := c.ask("maker", "POST", "/release", releaseValues()); status != 303 {
		t.Fatalf("%d %s", status, clip(page, 2000))
	}
	p, version, err := c.Release(t.Context(), c.who["maker"].Actor)
	ok(t, err)
	want := release.Profile{Minimise: release.Minimise{Names: true, Staff: true, Hosts: true, Networks: true}, Warninglists: release.ListsStop, Blind: release.BlindMade, Mark: stix.Amber, Highest: stix.AmberStrict}
	if version != 1 || p.Minimise != want.Minimise || p.Warninglists != want.Warninglists || p.Mark != want.Mark || p.Highest != want.Highest || len(p.Facts.Names) != 2 || p.Facts.Staff[0].Mail != "w.vandijk@meridiaan.example" ||
		p.Facts.Staff[1].Name != "Zoë Çelik" || len(p.Forbidden) != 2 || p.Forbidden[0].Words[1] != "Kwal" || p.Forbidden[1].Expression != `ML-\d{4}` {
		t.Errorf("version %d: %+v", version, p)
	}
	page := c.get("maker", "/release")
	for _, said := range []string{"Meridiaan Lithografie B.V.", "Wil van Dijk &lt;w.vandijk@meridiaan.example&gt;", "Programme: Zeekomkommer; Kwal", `Numbers ~ ML-\d{4}`, `name="version" value="1"`} {
		if !strings.Contains(page, said) {
			t.Errorf("the page lacks %q", said)
		}
	}
	_, page, _ = c.ask("maker", "POST", "/release/try", url.Values{"text": {"Zoë Çelik van MLB meldde een kwal"}})
	if !strings.Contains(page, "[person]") || !strings.Contains(page, "[organisation]") || !strings.Contains(page, "wall “Programme”") {
		t.Errorf("trying says %s", page)
	}
	if _, page, _ = c.ask("maker", "POST", "/release/try", url.Values{"text": {"Çelik belde."}}); !strings.Contains(page, "may be the family name") {
		t.Errorf("trying a family name says %s", page)
	}
	for name, values := range map[string]url.Values{
		"an older version": releaseValues(), "a wrong network": {"version": {"1"}, "networks": {"ten"}}, "no label": {"version": {"1"}, "forbidden": {"Zeekomkommer"}},
		"a label that tells": {"version": {"1"}, "forbidden": {"Kwal: kwal"}}, "an unknown step": {"version": {"1"}, "blind": {"sometimes"}}, "no version": {},
	} {
		if status, page, _ := c.ask("maker", "POST", "/release", values); status < 400 || status >= 500 || strings.Contains(page, "Internal") {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// TestReleasePreviewPage: the preview shows each change with its rule, what stops, and asks for the reason.
func TestReleasePreviewPage(t *testing.T) {
	c := newConsole(t)
	if status, _, _ := c.ask("maker", "POST", "/release", releaseValues()); status != 303 {
		t.Fatal(status)
	}
	bundle := `{"objects":[` + string(indicatorOf(70, 0, stix.Amber, "mlb-login.example", `,"name":"Imitates us","description":"Seen by Wil van Dijk at MLB."`)) + `]}`
	form := url.Values{"community": {"chip-supply-chain"}, "tlp": {""}, "text": {bundle}}
	status, page, _ := c.ask("maker", "POST", "/share/preview", form)
	for _, said := range []string{"indicator.description", "[person]", "People", "Own names", "1 value does not leave by itself", "Why does it have to leave?", "mlb"} {
		if status != 200 || !strings.Contains(page, said) {
			t.Errorf("%d: the preview lacks %q", status, said)
		}
	}
	if c.t.Failed() {
		t.Log(page)
	}
	next := hiddenIn(page)
	status, page, _ = c.ask("maker", "POST", "/share", next)
	if status != 200 || !strings.Contains(page, "Say in a sentence why it has to leave") {
		t.Errorf("without a reason: %d", status)
	}
	next = hiddenIn(page)
	next.Set("override", "The domain is the attacker’s.")
	status, page, head := c.ask("maker", "POST", "/share", next)
	if status != 303 {
		t.Fatalf("with a reason: %d %s", status, page)
	}
	object := c.get("maker", head.Get("Location"))
	if !strings.Contains(object, "The domain is the attacker’s.") || !strings.Contains(object, "Seen by [person] at [organisation].") {
		t.Errorf("the object's page says %s", object)
	}
	if other := c.get("optics", head.Get("Location")); strings.Contains(other, "The domain is the attacker’s.") {
		t.Error("another organisation reads the reason")
	}
	// A wall: the form refuses, and names the rule alone.
	form.Set("text", `{"objects":[`+string(reportOf(71, 0, stix.Amber, `"name":"Zeekomkommer"`))+`]}`)
	if _, page, _ = c.ask("maker", "POST", "/share/preview", form); !strings.Contains(page, "lets nobody send (Programme)") {
		t.Errorf("the wall: %s", page)
	}
}

// hiddenIn are the hidden fields of the page's form.
func hiddenIn(page string) url.Values {
	out := url.Values{}
	for part := range strings.SplitSeq(page, `<input type="hidden" name="`) {
		name, rest, ok := strings.Cut(part, `" value="`)
		if value, _, end := strings.Cut(rest, `"`); ok && end && !strings.ContainsAny(name, "<> ") {
			out.Add(name, strings.NewReplacer("&#43;", "+", "&#34;", `"`, "&amp;", "&").Replace(value))
		}
	}
	return out
}

// TestReleaseBrowser walks from the settings to a preview as people do.
func TestReleaseBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	c := newConsole(t)
	server := httptest.NewServer(c.handler)
	t.Cleanup(server.Close)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "maker")
	p = p.Tab(t, server.URL+"/release")
	p.Check(t)
	p.Pictures("exchange-release")
	p.Click("input[name=minimise][value=names]")
	p.Type("#names", "MLB")
	p.Submit("main form[action='/release'] button[type=submit]")
	if !strings.Contains(p.Text(".toast"), "It holds from the next share on") {
		t.Errorf("setting it says %q", p.Text("main"))
	}
	p.Type("#text", "Called MLB twice")
	p.Submit("main form[action='/release/try'] button[type=submit]")
	if !strings.Contains(p.Text("main"), "[organisation]") {
		t.Errorf("trying says %q", p.Text("main"))
	}
	p.Check(t)
	p.Go(server.URL + "/release?lang=nl")
	p.Check(t)
	p.Go(server.URL + "/share?community=chip-supply-chain&lang=en")
	p.Click("#text")
	p.Type("#text", `{"objects":[`+string(indicatorOf(70, 0, stix.Amber, "mlb-login.example", `,"description":"Seen at MLB."`))+`]}`)
	p.Submit("main .bar button[type=submit]")
	p.Check(t)
	p.Pictures("exchange-release-preview")
	p.Type("#override", "It is the attacker's.")
	p.Submit("main .bar button[type=submit]")
	if res := c.share(c.who["maker"].Actor, Request{Community: "chip-supply-chain", Preview: true, Objects: one(indicatorOf(70, 0, stix.Amber, "mlb-login.example", `,"description":"Seen at MLB."`)), Override: "x"}); res.Duplicates != 1 {
		t.Errorf("it was not shared: %s says %q, %+v", p.Address(), p.Text("main"), res)
	}
	p.Quiet(t)
}

// TestReleaseAPI: the profile over REST, and a preview that stores nothing.
func TestReleaseAPI(t *testing.T) {
	c := newConsole(t)
	if status, _, _ := c.ask("optics", "GET", "/api/v1/release", nil); status != 403 {
		t.Errorf("a contributor reads the profile: %d", status)
	}
	status, body, _ := c.sendJSON("maker", "PUT", "/api/v1/release", `{"version":0,"profile":{"minimise":{"names":true},"highest":"amber","facts":{"names":["MLB"]},"forbidden":[{"label":"Programme","words":["Zeekomkommer"]}]}}`)
	if status != 200 || !strings.Contains(body, `"version":1`) || !strings.Contains(body, `"blind":"made"`) {
		t.Fatalf("%d %s", status, body)
	}
	for _, bad := range []string{`{}`, `{"version":0,"profile":{}}`, `{"version":1,"profile":{"facts":{"networks":["x"]}}}`, `{"version":1,"profile":{"nonsense":1}}`, `[]`, `{"version":1,"profile":{"forbidden":[{"label":"l","expression":"("}]}}`} {
		if status, body, _ := c.sendJSON("maker", "PUT", "/api/v1/release", bad); status < 400 || status >= 500 {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	if status, body, _ := c.ask("maker", "GET", "/api/v1/release", nil); status != 200 || !strings.Contains(body, "MLB") {
		t.Errorf("%d %s", status, body)
	}
	objects := `{"objects":[` + string(reportOf(1, 0, stix.Amber, `"name":"At MLB"`)) + `,` + string(reportOf(2, 0, stix.Amber, `"name":"Zeekomkommer"`)) + `,` + string(indicatorOf(3, 0, stix.Amber, "mlb.example", "")) + `]}`
	for _, at := range []string{"/api/v1/release/preview", "/api/v1/release/preview?community=chip-supply-chain"} {
		status, body, _ := c.sendJSON("maker", "POST", at, objects)
		for _, said := range []string{`"rule":"names"`, `"after":"At [organisation]"`, "(Programme)", `"stop":true`, `"path":"pattern"`} {
			if status != 200 || !strings.Contains(body, said) {
				t.Errorf("%s: %d, lacks %s: %s", at, status, said, body)
			}
		}
		if strings.Contains(at, "community") != strings.Contains(body, "Okular Optik") {
			t.Errorf("%s: readers in %s", at, body)
		}
	}
	res := c.share(c.who["maker"].Actor, Request{Community: "chip-supply-chain", Preview: true, Objects: one(reportOf(1, 0, stix.Amber, `"name":"At MLB"`))})
	if res.Stored != 1 {
		t.Errorf("a preview stored something: %+v", res)
	}
	if c.who["maker"].Actor.Role < polder.RoleSteward {
		t.Error("the maker is no steward any more, so this proves nothing")
	}
}

// sendJSON sends a JSON body.
func (c *console) sendJSON(who, method, path, body string) (int, string, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", "polder="+who)
	out := httptest.NewRecorder()
	c.handler.ServeHTTP(out, r)
	return out.Code, out.Body.String(), out
}
