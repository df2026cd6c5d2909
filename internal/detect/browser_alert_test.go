package detect

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// TestBrowserAlerts walks through every page as people do, under the strict policy, and holds each to the rules of the
// console.
func TestBrowserAlerts(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	c := newAlertConsole(t, nil)
	hit, own := c.record(c.hit(1)), c.record(c.found(1), c.found(2))
	gone := c.record(c.hit(2))
	c.exchange.withdraw(gone.Rule)
	server := httptest.NewServer(c.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "steward")
	p = p.Tab(t, server.URL+"/alerts")
	for _, at := range []struct{ path, name string }{
		{"/alerts", "queue"}, {"/alerts?state=new&level=high&lang=nl", "queue-nl"}, {"/alerts?host=none", "queue-none"}, {"/alerts/" + own.ID, "alert"}, {"/alerts/" + hit.ID + "?lang=nl", "alert-nl"}, {"/alerts/" + gone.ID, "hidden"},
		{"/alerts/" + own.ID + "/suppress", "suppress"}, {"/suppressions", "suppressions-none"}, {"/detection", "detection"}, {"/detection?lang=nl", "detection-nl"}, {"/check", "check"}, {"/check?lang=nl", "check-nl"},
	} {
		p.Go(server.URL + at.path)
		p.Check(t)
		p.Pictures("detect-" + at.name)
	}
	told(t, c, p, server.URL)
	confirms(t, p, server.URL, hit)
	suppresses(t, p, server.URL, own)
	checks(t, p, server.URL)
	alertsArrive(t, c, p, server.URL)
}

// told asks to be told of alerts, and ends it by the one click of a letter.
func told(t *testing.T, c *alertConsole, p *webtest.Page, site string) {
	p.Go(site + "/account/alerts?lang=nl")
	p.Check(t)
	p.Go(site + "/account/alerts")
	p.Submit("main form button.primary")
	if !strings.Contains(p.Text(".toast"), "You will be told") {
		t.Errorf("after asking the page says %q", p.Text("main"))
	}
	p.Check(t)
	p.Pictures("detect-notices")
	all, err := c.pages.more.Notifier.Notices(t.Context(), c.as(here, polder.RoleSteward))
	noErr(t, err)
	p.Go(site + "/alert-off/" + c.pages.more.Notifier.offToken(all[0].ID))
	p.Check(t)
	p.Submit("main form button.primary")
	if !strings.Contains(p.Text("main"), "You are told no more") {
		t.Errorf("after the click the page says %q", p.Text("main"))
	}
	p.Check(t)
}

// confirms says in a dialog that it happened, and shares it after a look at what leaves.
func confirms(t *testing.T, p *webtest.Page, site string, g Group) {
	p.Go(site + "/alerts/" + g.ID)
	p.Click("button[commandfor=to-confirmed]")
	p.Type("#to-confirmed-reason", "Seen on two machines.")
	p.Submit("#to-confirmed button[type=submit]")
	if !strings.Contains(p.Text(".toast"), "It is confirmed") {
		t.Errorf("after confirming the page says %q", p.Text("main"))
	}
	p.Submit(`.actions a[href$="/sighting"]`)
	p.Check(t)
	p.Pictures("detect-sighting")
	p.Submit("main form button.primary")
	if !strings.Contains(p.Text(".toast"), "Your sighting is shared") {
		t.Errorf("after sharing the page says %q", p.Text("main"))
	}
	p.Check(t)
}

// suppresses keeps alerts like one out, without script.
func suppresses(t *testing.T, p *webtest.Page, site string, g Group) {
	p.Script(false)
	p.Go(site + "/alerts/" + g.ID + "/suppress")
	p.Type("#reason", "The packer of the drawing office.")
	p.Submit("main form button.primary")
	p.Script(true)
	p.Go(site + "/suppressions")
	if !strings.Contains(p.Text("main"), "drawing office") {
		t.Errorf("the list says %q", p.Text("main"))
	}
	p.Check(t)
	p.Pictures("detect-suppressions")
}

// checks drops a log file and reads the answer.
func checks(t *testing.T, p *webtest.Page, site string) {
	dir := t.TempDir()
	for name, log := range map[string]string{"bad.json": `{"x":"bad"}`, "good.json": `{"x":1}`} {
		noErr(t, os.WriteFile(filepath.Join(dir, name), []byte(log), 0o600))
	}
	for _, name := range []string{"good.json", "bad.json"} {
		p.Go(site + "/check")
		p.Type("#log", filepath.Join(dir, name))
		p.Submit("main form button.primary")
		want := map[string]string{"good.json": "No sign of an attack", "bad.json": "Yes, probably"}[name]
		if !strings.Contains(p.Text("main"), want) {
			t.Errorf("%s: the page says %q", name, p.Text("main"))
		}
		p.Check(t)
		p.Pictures("detect-answer-" + strings.TrimSuffix(name, ".json"))
	}
}

// alertsArrive lets alerts come in while somebody reads: the rows wait behind the pill. Their texts try to become
// markup (S35), and so do those of the pages that show them.
func alertsArrive(t *testing.T, c *alertConsole, p *webtest.Page, site string) {
	p.Go(site + "/alerts")
	p.Wait(".live .dot:not(.off)")
	var last Group
	for i, bad := range webtest.Strings() {
		f := Finding{Kind: ByRule, ID: "hostile " + bad, Title: bad, Level: Levels[i%len(Levels)], Why: bad, File: bad, Host: bad, Account: bad, Evidence: []Evidence{{bad, bad}}, Events: [][]byte{[]byte(bad)},
			Origin: Origin{Author: bad, License: bad, References: []string{bad, "javascript:alert(1)"}, Tags: []string{bad}, List: bad, Level: stix.Green}}
		last = c.record(f)
	}
	p.Wait("[data-new]:not([hidden])")
	p.Press(".")
	p.Wait("tbody > tr.new:not([hidden])")
	p.Pictures("detect-live")
	p.Quiet(t)
	_, err := c.Suppress(t.Context(), c.as(here, polder.RoleSteward), Suppression{Rule: last.Rule, Scope: ScopeHost, Value: last.Host, Reason: last.Title, Until: c.pass(0).Add(longestSuppression / 2)}, last.ID)
	noErr(t, err)
	for _, path := range []string{"/alerts", "/alerts/" + last.ID, "/alerts/" + last.ID + "/suppress", "/suppressions"} {
		p.Go(site + path)
		p.Check(t)
	}
}
