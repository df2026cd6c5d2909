package cases

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// deskBrowser is somebody's browser at the pages of w.
func deskBrowser(t *testing.T, b *webtest.Browser, w *readerWorld, who string) (*webtest.Page, string) {
	t.Helper()
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", who)
	return p.Tab(t, server.URL+"/cases/desks"), server.URL
}

// until waits until a JavaScript expression holds.
func until(t *testing.T, p *webtest.Page, what, expression string) {
	t.Helper()
	for range 400 {
		if webtest.Eval[bool](p, expression) {
			return
		}
		webtest.Await[bool](p, "new Promise(done => setTimeout(() => done(true), 25))")
	}
	t.Fatalf("%s: never; the page says %.1500s", what, p.Text("main"))
}

func unlock(t *testing.T, p *webtest.Page, phrase string) {
	t.Helper()
	until(t, p, "the form of the passphrase", `!document.getElementById("desk-unlock").hidden`)
	p.Type("#passphrase", phrase)
	p.Click("#desk-unlock button")
}

const deskCanary = "Zwanenhals-canary 44871"

// TestBrowserDesk is a reader's day: a wrong passphrase, the queue with what is proposed and what is alike, one report,
// an answer, a second reader who is let in, and one who is taken out. S29: of all that, no word is in what the node
// sends as HTML.
func TestBrowserDesk(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newReaderWorld(t)
	w.reader("anna")
	w.reader("bram")
	d := w.desk("carla", DeskSettings{Name: "Confidential adviser", Listed: true, Promise: "Somebody reads this within a day", Phone: "+31 15 123 4567"}, "bram")
	view := w.view(d.Alias)
	first := newDevice(w.deskWorld)
	w.ask("", "POST", "/api/v1/reports", first.post(view, Answers{What: "Ransomware on srv-files01, all files are encrypted. " + deskCanary, Roads: []Road{RoadCyber}, Ongoing: "yes", Kind: KindIncident, Noticed: "this morning", MayKnow: "desk", Language: "en", More: map[string]string{"systems": "srv-files01, betaal-hier.example"}}, "the ransom note "+deskCanary), nil, 201)
	newDevice(w.deskWorld).report(view, "Op srv-files01 staan versleutelde bestanden en een losgeldbrief. "+deskCanary)
	newDevice(w.deskWorld).report(view, "Somebody I met at a conference asks about our coating. "+deskCanary)
	p, site := deskBrowser(t, b, w, "bram")

	p.Go(site + "/cases/reports?lang=en")
	p.Check(t)
	p.Pictures("desk-locked")
	unlock(t, p, "these are not the right words")
	until(t, p, "a wrong passphrase is told", `!document.getElementById("desk-said").hidden && document.querySelector("#desk-said.bad")`+` !== null`)
	if said := p.Text("#desk-said"); !strings.Contains(said, "opens none of your keys") {
		t.Errorf("a wrong passphrase says %q", said)
	}
	p.Check(t)
	webtest.Eval[bool](p, `(document.getElementById("passphrase").value = "", true)`)
	unlock(t, p, readerPhrase)
	until(t, p, "the queue", `document.querySelectorAll("#desk-rows [data-row]").length === 3`)
	rows := p.Text("#desk-rows")
	for _, want := range []string{"Ransomware on srv-files01", "changed or locked", "Critical", "srv-files01", "Perhaps the same", "New", deskCanary} {
		if !strings.Contains(rows, want) {
			t.Errorf("the queue lacks %q: %s", want, rows)
		}
	}
	p.Check(t)
	p.Pictures("desk-queue")
	if asked := webtest.Eval[string](p, `JSON.stringify([localStorage.length, sessionStorage.length])`); asked != `[0,0]` {
		t.Errorf("the page keeps something: %s", asked)
	}
	filterQueue(t, p)
	w.readsReport(t, p, first)
	w.opensCase(t, p)
	w.letsIn(t, b, p, site, d.Alias)
	w.refusesKey(t, p, site)
	w.sendsNoWords(t, site, d.Alias)
	p.Quiet(t)
}

func filterQueue(t *testing.T, p *webtest.Page) {
	t.Helper()
	p.Type("#desk-find", "coating")
	until(t, p, "the filter", `document.querySelectorAll("#desk-rows [data-row]").length === 1`)
	webtest.Eval[bool](p, `(() => { const f = document.getElementById("desk-find"); f.value = ""; f.dispatchEvent(new Event("input")); const s = document.getElementById("desk-sort"); s.value = "severity"; s.dispatchEvent(new Event("change")); return true })()`)
	until(t, p, "all again", `document.querySelectorAll("#desk-rows [data-row]").length === 3`)
	webtest.Eval[bool](p, `(document.activeElement.blur(), true)`)
}

// readsReport opens the first report by keys, acknowledges and answers it; the reporter reads the answer.
func (w *readerWorld) readsReport(t *testing.T, p *webtest.Page, reporter *device) {
	t.Helper()
	p.Press("j")
	p.Click("#desk-rows [data-row]")
	until(t, p, "the report", `!document.getElementById("desk-one").hidden && document.querySelector("#answer") !== null`)
	text := p.Text("#desk-one")
	for _, want := range []string{"Ransomware on srv-files01", "this morning", "This desk only", "srv-files01, betaal-hier.example", "Who can read this", "Bram Kuiper", "can be read by who runs this node"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q: %s", want, text)
		}
	}
	p.Check(t)
	p.Pictures("desk-report")
	p.Click("#desk-one button.primary:not([type=submit])")
	until(t, p, "the acknowledgement", `document.querySelector("#desk-said.ok") !== null && document.querySelector("#desk-one").textContent.includes("Close the report")`)
	until(t, p, "the form again", `document.querySelector("#answer") !== null`)
	p.Type("#answer", "Thank you. Is the server off? "+deskCanary)
	p.Click("#desk-one form .button.primary")
	until(t, p, "the answer", `document.querySelector("#desk-one ol") !== null && document.querySelector("#desk-one ol").textContent.includes("Is the server off")`)
	thread := reporter.thread()
	if len(thread.Messages) != 1 || deskText(t, thread.Messages[0].Box, PurposeMessage, reporter.key) != "Thank you. Is the server off? "+deskCanary || thread.State != ReportAcknowledged {
		t.Errorf("the reporter reads %+v", thread)
	}
}

// opensCase puts what is safe into a case, with what was proposed and one value that was ticked.
func (w *readerWorld) opensCase(t *testing.T, p *webtest.Page) {
	t.Helper()
	webtest.Eval[bool](p, `(document.querySelectorAll("#desk-one details")[0].open = true)`)
	p.Check(t)
	p.Pictures("desk-case")
	p.Type("#case-title", "Files locked on a server")
	webtest.Eval[bool](p, `(document.getElementById("case-aware").value = "2026-11-19T08:00", true)`) // the node's clock stands still in this test
	webtest.Eval[bool](p, `([...document.querySelectorAll("[id^=case-value-]")].find(b => b.value === "betaal-hier.example").checked = true)`)
	webtest.Eval[bool](p, `(document.querySelector("#desk-one details form button").click(), true)`)
	until(t, p, "the case", `document.getElementById("desk-one").textContent.includes("Go to the case")`)
	page, err := w.Cases(t.Context(), deskPeople["bram"], CaseFilter{})
	deskMust(t, err)
	if len(page.Cases) != 1 {
		t.Fatalf("there are %d cases", len(page.Cases))
	}
	c := page.Cases[0]
	if c.Title != "Files locked on a server" || c.Class != "information-content-security/unauthorised-information-modification" || c.Severity != SeverityCritical || len(c.Roads) != 1 {
		t.Errorf("the case is %+v", c)
	}
	if c.Summary != "" || strings.Contains(fmt.Sprint(c), deskCanary) {
		t.Errorf("words of the report are in the case: %+v", c)
	}
}

// refusesKey: S30, a node that slips in a key gets nothing sealed to it.
func (w *readerWorld) refusesKey(t *testing.T, p *webtest.Page, site string) {
	t.Helper()
	forged := newDevice(w.deskWorld).key.Public()
	text, err := forged.MarshalText()
	deskMust(t, err)
	p.Go(site + "/cases/reports")
	webtest.Eval[bool](p, fmt.Sprintf(`(window.sent = 0, window.real = window.fetch, window.fetch = async (path, o) => {
		if (o.method === "POST" && path.endsWith("/messages")) window.sent++;
		const answer = await window.real(path, o);
		if (!/inbox\/[^/]+$/.test(path)) return answer;
		const view = await answer.json();
		view.readers.push({...view.readers[0], name: "Helpful Node", key: %q, public: %q});
		return new Response(JSON.stringify(view), {status: 200});
	}, true)`, forged.ID(), text))
	unlock(t, p, readerPhrase)
	until(t, p, "the queue", `document.querySelectorAll("#desk-rows [data-row]").length > 0`)
	webtest.Eval[bool](p, `(document.querySelector("#desk-rows [data-row]").click(), true)`)
	until(t, p, "the report", `document.querySelector("#answer") !== null`)
	p.Type("#answer", deskCanary)
	webtest.Eval[bool](p, `(document.querySelector("#answer").form.requestSubmit(), true)`)
	until(t, p, "the refusal", `document.getElementById("desk-said").textContent.includes("Helpful Node")`)
	if n := webtest.Eval[int](p, "window.sent"); n != 0 {
		t.Errorf("%d messages left", n)
	}
}

// letsIn names a second reader, who reads what came before once the first opened it to him, and not after he is removed.
func (w *readerWorld) letsIn(t *testing.T, b *webtest.Browser, p *webtest.Page, site, alias string) {
	t.Helper()
	report := strings.TrimPrefix(p.Address(), site)
	steward, at := deskBrowser(t, b, w, "carla")
	steward.Go(at + "/cases/desks/" + alias + "?lang=en")
	steward.Check(t)
	steward.Pictures("desk-settings")
	webtest.Eval[bool](steward, `(document.getElementById("person").value = "p-anna", true)`)
	steward.Submit(fmt.Sprintf("form[action='/cases/desks/%s/readers'] button", alias))
	p.Go(site + "/cases/desks/" + alias)
	if !strings.Contains(p.Text("main"), "Waits to be confirmed") {
		t.Fatalf("after naming a reader the page says %s", p.Text("main"))
	}
	p.Check(t)
	p.Submit(fmt.Sprintf("form[action='/cases/desks/%s/confirm'] button", alias))
	p.Go(site + report)
	unlock(t, p, readerPhrase)
	until(t, p, "the reader who lacks it", `document.getElementById("desk-one").textContent.includes("Not opened to them yet")`)
	webtest.Eval[bool](p, `([...document.querySelectorAll("#desk-one button")].find(b => b.textContent === "Open it to them").click(), true)`)
	until(t, p, "opened to one more", `document.getElementById("desk-said").textContent.includes("Opened to one more")`)
	anna, there := deskBrowser(t, b, w, "anna")
	anna.Go(there + report)
	unlock(t, anna, readerPhrase)
	until(t, anna, "the second reader reads", `document.getElementById("desk-one").textContent.includes("Ransomware on srv-files01") && document.getElementById("desk-one").textContent.includes("Is the server off")`)
	anna.Quiet(t)
	steward.Go(at + "/cases/desks/" + alias)
	webtest.Eval[bool](steward, fmt.Sprintf(`([...document.querySelectorAll("form[action='/cases/desks/%s/remove'] button")].find(b => b.textContent.includes("Anna")).click(), true)`, alias))
	until(t, steward, "the reader is gone", `document.querySelector(".toast") !== null`)
	anna.Go(there + "/cases/reports")
	if !strings.Contains(anna.Text("main"), "do not read for a desk") {
		t.Errorf("who was removed reads %s", anna.Text("main"))
	}
	steward.Quiet(t)
}

// sendsNoWords: S29, whoever asks gets pages without a word of what was reported.
func (w *readerWorld) sendsNoWords(t *testing.T, site, alias string) {
	t.Helper()
	id := w.inbox("bram")[0].ID
	for _, path := range []string{"/cases/reports", "/cases/reports/" + id, "/cases/key", "/cases/desks", "/cases/desks/" + alias, "/cases/desks/" + alias + "/poster"} {
		page := w.see("bram", path)
		for _, word := range []string{deskCanary, "Ransomware on", "srv-files01", "coating", readerPhrase} {
			if strings.Contains(page, word) {
				t.Errorf("%s holds %q", path, word)
			}
		}
	}
	if strings.Contains(w.log.String(), deskCanary) || strings.Contains(w.log.String(), readerPhrase) {
		t.Error("the log holds what was reported")
	}
}

// TestBrowserDeskHostile: S35, whatever stands in the fields of a report, in messages and in names of files is shown as
// the text that it is.
func TestBrowserDeskHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newReaderWorld(t)
	w.reader("anna")
	d := w.desk("carla", DeskSettings{Name: "Adviser", Listed: true}, "anna")
	view := w.view(d.Alias)
	all := webtest.Strings()
	reporter := newDevice(w.deskWorld)
	nasty := strings.Join(all, "\n")
	a := Answers{What: nasty, Noticed: nasty, Call: nasty, Name: nasty, MayKnow: all[0], Ongoing: all[1], Roads: []Road{Road(all[2])}, Kind: Kind(all[3]), Language: all[4],
		More: map[string]string{"systems": nasty, "people": nasty, "constructor": all[5], "__proto__": all[6]}, Proposed: &Proposal{Class: all[7], Severity: Severity(all[8]), Why: all[9:11]}}
	text, err := json.Marshal(a)
	deskMust(t, err)
	box := reporter.box(view, false, PurposeReport, string(text))
	post := ReportPost{To: view.Alias, Box: &box, Thread: &ReportThread{Proof: reporter.proof, Public: reporter.key.Public()}}
	head, err := json.Marshal(map[string]string{"name": `"><img src=x onerror=alert(1)>/../../a.html`, "type": "text/html<script>"})
	deskMust(t, err)
	post.Files = append(post.Files, reporter.box(view, false, PurposeFile, string(head)+"\n<script>alert(1)</script>"))
	w.ask("", "POST", "/api/v1/reports", post, nil, 201)
	for _, broken := range []string{"no JSON", "null", "[]", `{"what":{"a":1},"roads":"x","more":7}`, `{"what":null}`} {
		other := newDevice(w.deskWorld)
		box := other.box(view, false, PurposeReport, broken)
		w.ask("", "POST", "/api/v1/reports", ReportPost{To: view.Alias, Box: &box, Thread: &ReportThread{Proof: other.proof, Public: other.key.Public()}}, nil, 201)
	}
	p, site := deskBrowser(t, b, w, "anna")
	p.Go(site + "/cases/reports")
	unlock(t, p, readerPhrase)
	until(t, p, "the queue", `document.querySelectorAll("#desk-rows [data-row]").length === 6`)
	p.Check(t)
	for i := range 6 {
		webtest.Eval[bool](p, fmt.Sprintf(`(document.querySelectorAll("#desk-rows [data-row]")[%d].click(), true)`, i))
		until(t, p, "a report", `!document.getElementById("desk-one").hidden && document.getElementById("desk-said").hidden`)
		if shown := p.Text("#desk-one"); strings.Contains(shown, all[3]) {
			for _, s := range all {
				if !strings.Contains(shown, web.Visible(s)) && !strings.Contains(shown, s) && !strings.ContainsFunc(s, hidden) {
					t.Errorf("the report lacks %q", s)
				}
			}
			webtest.Eval[bool](p, `([...document.querySelectorAll("#desk-one button")].find(b => b.textContent.includes("Open the seal")).click(), true)`)
			until(t, p, "the attachment", `document.getElementById("desk-one").textContent.includes("onerror=alert")`)
			p.Check(t)
		}
		webtest.Eval[bool](p, `(document.querySelector("#desk-one .button.quiet").click(), true)`)
		until(t, p, "the queue again", `document.querySelectorAll("#desk-rows [data-row]").length === 6`)
	}
	if n := webtest.Eval[int](p, `document.querySelectorAll("#desk script, #desk img, #desk iframe, #desk [onerror], #desk [style]").length`); n != 0 {
		t.Errorf("%d elements came out of a report", n)
	}
	p.Quiet(t)
}

// hidden tells characters that pages show by their number.
func hidden(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xad || r == 0x61c || r == 0x180e || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff || r >= 0xfff9 && r <= 0xfffb
}

// TestBrowserDeskKey makes a key as a person does, and finds what it needs to know when script is off.
func TestBrowserDeskKey(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newReaderWorld(t)
	p, site := deskBrowser(t, b, w, "anna")
	for _, at := range []struct{ path, name string }{{"/cases/desks?lang=nl", "desks-none"}, {"/cases/reports", "reports-none"}} {
		p.Go(site + at.path)
		p.Check(t)
		p.Pictures("desk-" + at.name)
	}
	p.Go(site + "/cases/key?lang=en")
	until(t, p, "six words", `!document.getElementById("key-make").hidden && document.getElementById("offered").textContent.split(" ").length === 6`)
	p.Check(t)
	p.Pictures("desk-key")
	p.Type("#again", "other words")
	p.Click("#key-make [type=submit]")
	until(t, p, "the difference", `document.getElementById("key-said").textContent.includes("not the same")`)
	words := p.Text("#offered")
	webtest.Eval[bool](p, `(document.getElementById("again").value = document.getElementById("offered").textContent.toUpperCase(), true)`)
	p.Submit("#key-make [type=submit]")
	until(t, p, "the key", `document.querySelector("main").textContent.includes("In use")`)
	keys, err := w.OwnKeys(t.Context(), deskPeople["anna"])
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	if _, err := keys[0].Locked.Unlock(words); err != nil {
		t.Errorf("the six words do not open the key: %v", err)
	}
	if !strings.Contains(p.Text("main"), keys[0].Fingerprint) {
		t.Error("the page does not show the fingerprint")
	}
	p.Check(t)
	steward, at := deskBrowser(t, b, w, "carla")
	steward.Go(at + "/cases/desks?lang=en")
	steward.Type("#name", "Vertrouwenspersoon")
	steward.Submit("form[action='/cases/desks'] button")
	if !strings.Contains(steward.Text("h1"), "Vertrouwenspersoon") {
		t.Fatalf("after opening a desk the page says %s", steward.Text("main"))
	}
	steward.Check(t)
	webtest.Eval[bool](steward, `(document.getElementById("person").value = "p-anna", true)`)
	steward.Submit("form[action$='/readers'] button")
	steward.Check(t)
	steward.Go(at + "/cases/desks/vertrouwenspersoon/poster")
	steward.Check(t)
	steward.Pictures("desk-poster")
	if poster := steward.Text("main"); !strings.Contains(poster, keys[0].Fingerprint) || !strings.Contains(poster, "/report/d/vertrouwenspersoon") {
		t.Errorf("the poster says %s", poster)
	}
	if out := w.post("carla", "/cases/desks", "name", "For who is coerced", "kind", "pressed"); out.Code != 400 || !strings.Contains(out.Body.String(), "must not be read by their employer") {
		t.Errorf("a desk for people who are coerced opens without a word: %d %s", out.Code, out.Body.String())
	}
	p.Script(false)
	p.Go(site + "/cases/reports")
	if !strings.Contains(p.Text("main"), "needs script") {
		t.Errorf("without script the page says %s", p.Text("main"))
	}
	p.Check(t)
	p.Quiet(t)
	steward.Quiet(t)
}

// TestBrowserDeskRelock changes a passphrase as a person does: a wrong one, the same one, and then another.
func TestBrowserDeskRelock(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newReaderWorld(t)
	w.reader("anna")
	p, site := deskBrowser(t, b, w, "anna")
	p.Go(site + "/cases/key?lang=en")
	until(t, p, "the form", `!document.getElementById("key-change").hidden && document.getElementById("change-offered").textContent.split(" ").length === 6`)
	p.Check(t)
	p.Pictures("desk-relock")
	change := func(old, own string) {
		for field, text := range map[string]string{"change-old": old, "change-own": own, "change-again": own} {
			webtest.Eval[bool](p, fmt.Sprintf(`(document.getElementById(%q).value = %q, true)`, field, text))
		}
		webtest.Eval[bool](p, `(document.querySelector("#key-change form").requestSubmit(), true)`)
	}
	said := func(what string) {
		t.Helper()
		until(t, p, what, fmt.Sprintf(`document.getElementById("key-said").textContent.includes(%q)`, what))
	}
	change("these are not the right words", relockPhrase)
	said("opens none of your keys")
	change(readerPhrase, strings.ToUpper(readerPhrase))
	said("passphrase that you have already")
	change(readerPhrase, "short")
	said("fewer than 16 characters")
	change(readerPhrase, relockPhrase)
	said("opens with the new passphrase alone")
	keys, err := w.OwnKeys(t.Context(), deskPeople["anna"])
	deskMust(t, err)
	k, err := keys[0].Locked.Unlock(relockPhrase)
	if len(keys) != 1 || err != nil || k.Public() != w.keys["anna"].Public() {
		t.Errorf("%d keys; the new passphrase opens %v, %v", len(keys), k.Public(), err)
	}
	if left := webtest.Eval[string](p, `document.getElementById("change-old").value + document.getElementById("change-own").value + document.getElementById("change-again").value`); left != "" {
		t.Errorf("the form still holds %q", left)
	}
	p.Quiet(t)
}

// TestBrowserDeskLocks: after a quarter of an hour without anybody the tab forgets all.
func TestBrowserDeskLocks(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newReaderWorld(t)
	w.reader("anna")
	d := w.desk("carla", DeskSettings{Name: "Adviser", Listed: true}, "anna")
	newDevice(w.deskWorld).report(w.view(d.Alias), deskCanary)
	p, site := deskBrowser(t, b, w, "anna")
	p.Go(site + "/cases/reports")
	webtest.Eval[bool](p, `(window.late = [], window.then = window.setTimeout, window.setTimeout = (f, ms) => ms > 60000 ? (window.late.push(f), -1) : window.then(f, ms), true)`)
	unlock(t, p, readerPhrase)
	until(t, p, "the queue", `document.querySelectorAll("#desk-rows [data-row]").length === 1`)
	webtest.Eval[bool](p, `(window.late.at(-1)(), true)`)
	until(t, p, "the lock", `!document.getElementById("desk-unlock").hidden && document.getElementById("desk-queue").hidden`)
	if text := p.Text("main"); strings.Contains(text, deskCanary) {
		t.Errorf("after the lock the page holds the report: %s", text)
	}
	unlock(t, p, readerPhrase)
	until(t, p, "the queue again", `document.querySelectorAll("#desk-rows [data-row]").length === 1`)
	p.Click("#desk-lock")
	if text := p.Text("main"); strings.Contains(text, deskCanary) {
		t.Errorf("after closing the page holds the report: %s", text)
	}
	p.Quiet(t)
}
