package exchange

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// TestBrowser walks through the pages as people do, under the strict policy, and holds each to the rules of the console.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	c := newConsole(t)
	c.story()
	server := httptest.NewServer(c.handler)
	t.Cleanup(server.Close)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "maker")
	p = p.Tab(t, server.URL+"/")
	for _, at := range []struct{ path, name string }{
		{"/", "overview"}, {"/objects", "objects"}, {"/objects?type=indicator&tlp=amber&lang=nl", "objects-nl"}, {"/objects/" + sid("indicator", 1), "object"},
		{"/search?q=Tidepipe", "search"}, {"/search?q=firmware-klepwerk%5B.%5Dexample", "value"}, {"/blocklists?lang=nl", "blocklists-nl"},
	} {
		p.Go(server.URL + at.path)
		p.Check(t)
		p.Pictures("exchange-" + at.name)
	}
	sharesSomething(t, p, server.URL)
	answersSomething(t, p, server.URL)
	arrives(t, c, p, server.URL)
}

// arrives lets objects come in while somebody reads: the rows wait behind the pill. Their texts try to become markup
// (S35), and so do those of the pages that show them.
func arrives(t *testing.T, c *console, p *webtest.Page, site string) {
	p.Go(site + "/")
	p.Wait(".live .dot:not(.off)")
	for i, bad := range webtest.Strings() {
		said, err := json.Marshal(bad)
		ok(t, err)
		_, err = c.Share(t.Context(), c.who["csirt"].Actor, Request{Community: c.where.Alias, Confirmed: true, Objects: one(
			indicatorOf(200+i, 0, stix.Amber, "z"+itoa(i)+".example", `,"name":`+string(said)+`,"description":`+string(said)))})
		ok(t, err)
	}
	p.Wait("[data-new]:not([hidden])")
	p.Press(".")
	p.Wait(".feed > li.new:not([hidden])")
	p.Pictures("exchange-live")
	p.Quiet(t)
	for _, path := range []string{"/objects?q=z", "/objects", "/search?q=script", "/objects/" + sid("indicator", 203)} {
		p.Go(site + path)
		p.Check(t)
	}
}

// answersSomething says that it was seen here too, in a dialog; and asks before it withdraws, on a page without script.
func answersSomething(t *testing.T, p *webtest.Page, site string) {
	p.Go(site + "/objects/" + sid("malware", 2))
	p.Click("button[commandfor=sighting]")
	p.Pictures("exchange-dialog")
	p.Submit("#sighting button[type=submit]")
	if !strings.Contains(p.Text(".toast"), "Your sighting is shared") || !strings.Contains(p.Text("main"), "Seen 1 time") {
		t.Errorf("after the sighting the page says %q", p.Text("main"))
	}
	p.Check(t)
	p.Script(false)
	p.Go(site + "/objects/" + sid("malware", 2) + "/withdraw")
	p.Type("#withdraw-why", "It was a test machine of ours.")
	p.Pictures("exchange-withdraw")
	p.Submit("main form button[type=submit]")
	if !strings.Contains(p.Text(".toast"), "It is withdrawn") {
		t.Errorf("after the withdrawal the page says %q", p.Text("main"))
	}
	p.Script(true)
	p.Quiet(t)
}

// sharesSomething goes from the form over the preview to the object.
func sharesSomething(t *testing.T, p *webtest.Page, site string) {
	p.Go(site + "/share?community=chip-supply-chain")
	p.Check(t)
	p.Pictures("exchange-share")
	p.Click("#text")
	p.Type("#text", "Beacon to update[.]klepwerk-service[.]example and 203.0.113.77 from 192.168.1.4, hash d41d8cd98f00b204e9800998ecf8427e.")
	p.Submit("main .bar button[type=submit]")
	p.Check(t)
	p.Pictures("exchange-preview")
	p.Submit("main .bar button[type=submit]")
	if !strings.HasSuffix(p.Address(), "/objects") || !strings.Contains(p.Text(".toast"), "2 objects are shared") {
		t.Errorf("sharing leads to %s, which says %q", p.Address(), p.Text("main"))
	}
	p.Check(t)
}
