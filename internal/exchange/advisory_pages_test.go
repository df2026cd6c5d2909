package exchange

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/notify"
	"github.com/polder-exchange/polder/internal/web"
)

// send posts a file as a form does.
func (c *console) send(who, path, name, content string) (int, string) {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	ok(c.t, err)
	_, err = part.Write([]byte(content))
	ok(c.t, err)
	ok(c.t, form.Close())
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	out := httptest.NewRecorder()
	c.handler.ServeHTTP(out, r)
	return out.Code, out.Body.String()
}

// post sends a form that must lead on, and says where to.
func (c *console) post(who, path string, form url.Values) string {
	c.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	status, body, h := c.ask(who, "POST", path, form)
	if status != http.StatusSeeOther {
		c.t.Fatalf("POST %s as %s: %d %s", path, who, status, clip(body, 3000))
	}
	return h.Get("Location")
}

var changedField = regexp.MustCompile(`name="changed" value="(\d+)"`)

// TestAdvisoryPages: from the empty list over draft, file and preview to the reader's page and back to a new version.
func TestAdvisoryPages(t *testing.T) {
	c := newConsole(t)
	c.withFiles()
	for _, who := range []string{"maker", "uni"} {
		c.get(who, "/advisories")
	}
	c.get("valve", "/advisories/new")
	if status, _, _ := c.ask("uni", "GET", "/advisories/new", nil); status != http.StatusForbidden {
		t.Errorf("a reader opens a draft: %d", status)
	}
	form := url.Values{"title": {"Update edge devices"}, "body": {"## Seen\n\n<script>alert(1)</script>\n\n**bold**"}, "for-whom": {"You run one."}, "what-to-do": {"- Update"},
		"community": {c.where.Alias}, "tlp": {"amber"}}
	status, body, _ := c.ask("valve", "POST", "/advisories/new", url.Values{"body": {"kept"}, "tlp": {"amber"}})
	if status != http.StatusUnprocessableEntity && status != http.StatusBadRequest || !strings.Contains(body, "kept") {
		t.Errorf("without a title: %d", status)
	}
	at := c.post("valve", "/advisories/new", form)
	if status, _, _ := c.ask("optics", "GET", at, nil); status != http.StatusNotFound {
		t.Errorf("another organisation opens the draft: %d", status)
	}
	if status, body := c.send("valve", at+"/files", `..\steps "1".html`, "<script>x</script>"); status != http.StatusSeeOther {
		t.Fatalf("attach: %d %s", status, clip(body, 1000))
	}
	page := c.get("valve", at)
	for _, want := range []string{"steps _1_.html", "<strong>bold</strong>", "organisations will be able to read it"} {
		if !strings.Contains(page, want) {
			t.Errorf("the draft lacks %q", want)
		}
	}
	if strings.Contains(page, "<script>alert") {
		t.Error("the draft runs script")
	}
	changed := changedField.FindStringSubmatch(page)
	if status, _, _ := c.ask("valve", "POST", at+"/publish", url.Values{"changed": {"1"}}); status != http.StatusConflict {
		t.Errorf("publishing what nobody saw: %d", status)
	}
	c.post("valve", at+"/publish", url.Values{"changed": {changed[1]}, "confirm": {"yes"}})

	list := c.get("uni", "/advisories")
	link := regexp.MustCompile(`/advisories/chip-supply-chain/report--[0-9a-f-]+`).FindString(list)
	if link == "" {
		t.Fatal("a reader does not find the advisory")
	}
	read := c.get("uni", link)
	for _, want := range []string{"Is this for me?", "What do I do?", "You run one.", "A member", "TLP:AMBER", "steps _1_.html"} {
		if !strings.Contains(read, want) {
			t.Errorf("the reader's page lacks %q", want)
		}
	}
	if strings.Contains(read, "Klepwerk") {
		t.Error("the reader's page names who wrote it")
	}
	file := regexp.MustCompile(link + `/files/[0-9a-f]{64}`).FindString(read)
	status, got, h := c.ask("uni", "GET", file, nil)
	if status != 200 || got != "<script>x</script>" || h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the file: %d %q %v", status, got, h)
	}
	for _, path := range []string{link, file} {
		if status, _, _ := c.ask("new", "GET", path, nil); status != http.StatusNotFound {
			t.Errorf("a stranger opens %s: %d", path, status)
		}
	}
	next := c.post("valve", link+"/revise", nil)
	if !strings.Contains(c.get("valve", next), "steps _1_.html") {
		t.Error("the next version lost its file")
	}
	c.post("valve", next+"/delete", nil)
	c.post("valve", link+"/revoke", nil)
	if !strings.Contains(c.get("uni", link), "Revoked") {
		t.Error("the page does not say that it is revoked")
	}
}

// TestQuestionPages: ask, answer, judge, close; strangers see nothing.
func TestQuestionPages(t *testing.T) {
	c := newConsole(t)
	c.get("uni", "/questions")
	c.post("valve", "/questions", url.Values{"question": {"Who knows this loader?"}, "text": {"It *waits*."}, "community": {c.where.Alias}, "tlp": {"green"}, "confirm": {"yes"}})
	link := regexp.MustCompile(`/questions/chip-supply-chain/x-polder-question--[0-9a-f-]+`).FindString(c.get("uni", "/questions"))
	if link == "" {
		t.Fatal("a reader does not find the question")
	}
	c.post("optics", link+"/note", url.Values{"text": {"We met it in May"}, "confirm": {"yes"}})
	c.post("optics", link+"/opinion", url.Values{"opinion": {"agree"}})
	page := c.get("uni", link)
	for _, want := range []string{"We met it in May", "Answered", "<em>waits</em>", "Agrees"} {
		if !strings.Contains(page, want) {
			t.Errorf("the question lacks %q", want)
		}
	}
	if strings.Contains(page, "Okular") || strings.Contains(page, "Klepwerk") {
		t.Error("the question names somebody")
	}
	if status, _, _ := c.ask("optics", "POST", link+"/close", url.Values{}); status != http.StatusForbidden {
		t.Errorf("another closes it: %d", status)
	}
	c.post("valve", link+"/close", nil)
	if page := c.get("uni", link); !strings.Contains(page, "Closed") {
		t.Error("the question is not closed")
	}
	if status, _, _ := c.ask("new", "GET", link, nil); status != http.StatusNotFound {
		t.Errorf("a stranger opens it: %d", status)
	}
}

// TestNotificationPages: rules by form, the one click without a log-in, and the way from a message to its object.
func TestNotificationPages(t *testing.T) {
	c := newConsole(t)
	n := NewNotifier(c.Service, NotifierOptions{Site: c.site, URL: "https://node.example", Senders: map[notify.Channel]notify.Sender{notify.ByMail: &notify.Mail{}, notify.ByWebhook: &notify.Webhook{}}})
	ok(t, n.Migrate(t.Context()))
	o := office{world: c.world, Notifier: n, t: t}
	a, rule := o.person("uni", polder.RoleReader, Rule{Kind: RuleEverything})
	c.who["person"] = web.Identity{Actor: a, OrgName: "Universiteit Maasland"}
	c.get("person", "/account/notifications")
	c.post("person", "/account/notifications", url.Values{"kind": {"asset"}, "value": {"maasland.example"}, "channel": {"mail"}, "digest": {"daily"}})
	if page := c.get("person", "/account/notifications"); !strings.Contains(page, "maasland.example") {
		t.Error("the rule is not listed")
	}
	status, body, _ := c.ask("person", "POST", "/account/notifications", url.Values{"kind": {"everything"}, "channel": {"webhook"}, "target": {"https://chat.example/hook"}})
	if status != 200 || !strings.Contains(body, "data-copy") {
		t.Errorf("the webhook's secret is not shown: %d", status)
	}
	if status, _, _ = c.ask("person", "POST", "/account/notifications", url.Values{"kind": {"keyword"}, "channel": {"mail"}}); status != 400 && status != 422 {
		t.Errorf("a rule without a word: %d", status)
	}
	for _, act := range []string{"/test", "/off", "/on"} {
		c.post("person", "/account/notifications/"+rule.ID+act, nil)
	}
	if status, _, _ := c.ask("valve", "POST", "/account/notifications/"+rule.ID+"/delete", url.Values{}); status != http.StatusNotFound {
		t.Errorf("another deletes the rule: %d", status)
	}
	off := "/off/" + n.offToken(rule.ID)
	for _, method := range []string{"GET", "POST"} { // a look turns nothing off
		r, err := readRule(t.Context(), c.db.Read(), rule.ID)
		if err != nil || !r.Enabled {
			t.Fatalf("before %s: %+v (%v)", method, r, err)
		}
		if status, body, _ := c.ask("", method, off, url.Values{}); status != 200 || strings.Contains(body, "maasland") {
			t.Errorf("%s without a log-in: %d", method, status)
		}
	}
	if r, err := readRule(t.Context(), c.db.Read(), rule.ID); err != nil || r.Enabled {
		t.Errorf("after the click: %+v (%v)", r, err)
	}
	if status, _, _ := c.ask("", "POST", off+"x", url.Values{}); status != http.StatusNotFound {
		t.Errorf("a made-up token: %d", status)
	}
	res := c.share(c.who["valve"].Actor, Request{Objects: one(marked(1, "x", 3))})
	status, _, h := c.ask("person", "GET", "/notified/"+itoa(int(res.Seq)), nil)
	if status != http.StatusSeeOther || !strings.HasPrefix(h.Get("Location"), "/objects/indicator--") {
		t.Errorf("from the message: %d %s", status, h.Get("Location"))
	}
	if status, _, _ := c.ask("new", "GET", "/notified/"+itoa(int(res.Seq)), nil); status != http.StatusNotFound {
		t.Errorf("a stranger: %d", status)
	}
}
