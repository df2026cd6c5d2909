package node

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/cases"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// What is said in the play of reports and cases. The canary stands in the report and in what is said about it between
// reporter and desk, and must never be in a case.
const (
	playCanary = "Roerdomp"
	playReport = "Somebody logs in at night with the account of a fitter who left. It was on the server for remote maintenance, from 203.0.113.77. We call that room the Roerdomp."
	playTitle  = "Log-ins at night"
	playGreen  = "Supplier accounts closed"
	playStrict = "Drawings of the valve were opened"
	playTheirs = "Seen at our gateway too"
)

// play is everybody of the story at a screen of their own: Noor is the steward of Klepwerk and reads for its desk, Wim is
// her colleague, Frieda works at Okular, Ilse at the university, and the reporter holds a phone and has no account.
type play struct {
	*stage
	t                             *testing.T
	noor, wim, frieda, ilse, hand *webtest.Page
	taps                          int // interactions of the reporter until the words are written down
	words, phrase                 string
	home                          string // the path of the case
	shared                        string // and of another, as the university sees it
}

// TestCasesStory plays reporter, officer and second organisation on a whole node: from an anonymous report on a phone to a
// closed case. Every page on the way, and every other page of reports and cases, is held to the rules of the console:
// labels, names, contrast, the order of the focus, every width, the dark theme at the narrowest and widest, no error, no
// request to elsewhere, no dialog.
func TestCasesStory(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser looks at every page; not in a short run")
	}
	b := webtest.Start(t)
	st, err := openStage(context.Background(), t.TempDir(), "127.0.0.1:0", io.Discard)
	ok(t, err)
	defer func() { ok(t, st.close()) }()
	_, err = shareFile("okular", chain, "intrusion.json", "tlp=green")(t.Context(), st) // it names the server
	ok(t, err)
	p := &play{stage: st, t: t}
	for email, page := range map[string]**webtest.Page{"export@klepwerk.example": &p.noor, "office@klepwerk.example": &p.wim, "soc@okular.example": &p.frieda, "cert@maasland.example": &p.ilse} {
		*page = p.logsIn(b, email)
	}
	for _, act := range []struct {
		name string
		do   func()
	}{
		{"the steward makes a key and a desk", p.opensDesk},
		{"somebody reports from a phone", func() { p.reports(b) }},
		{"the officer opens it", p.readsReport},
		{"the reporter comes back", p.comesBack},
		{"a case is opened", p.opensCase},
		{"the case is worked on", p.worksOn},
		{"the law's clock is answered", p.sendsWarning},
		{"a second organisation is let in", p.letsIn},
		{"two officers edit at once", p.editTogether},
		{"the damage is assessed", p.assesses},
		{"every page is looked at", p.everyPage},
		{"the case is closed", p.closes},
		{"nobody kept what was said", p.keptNothing},
	} {
		if act.do(); t.Failed() {
			t.Fatalf("%s: this went wrong; what follows needs it", act.name)
		}
	}
}

// logsIn logs somebody in by the form.
func (p *play) logsIn(b *webtest.Browser, email string) *webtest.Page {
	p.t.Helper()
	page := b.Open(p.t, p.at+"/login")
	i := slices.IndexFunc(p.logins, func(l login) bool { return l.Email == email })
	page.Type("#email", email)
	page.Type("#password", p.logins[i].Password)
	page.Submit("main form button[type=submit]")
	if got := page.Address(); got != p.at+"/" {
		p.t.Fatalf("the log-in of %s leads to %s", email, got)
	}
	return page
}

// until waits until an expression holds in a page.
func (p *play) until(page *webtest.Page, what, expression string) {
	p.t.Helper()
	for range 600 {
		if webtest.Eval[bool](page, expression) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.t.Fatalf("%s: never; the page says %.1500s", what, page.Text("main"))
}

// sees fails when texts are not in the main part of a page.
func (p *play) sees(page *webtest.Page, texts ...string) {
	p.t.Helper()
	said := page.Text("main")
	for _, text := range texts {
		if !strings.Contains(said, text) {
			p.t.Errorf("%s does not say %q: %.2000s", page.Address(), text, said)
		}
	}
}

// lacks fails when texts are in the main part of a page.
func (p *play) lacks(page *webtest.Page, texts ...string) {
	p.t.Helper()
	said := page.Text("main")
	for _, text := range texts {
		if strings.Contains(said, text) {
			p.t.Errorf("%s says %q", page.Address(), text)
		}
	}
}

// choose takes one of the options of a list, as a person does with one click.
func choose(page *webtest.Page, id, value string) bool {
	return webtest.Eval[bool](page, fmt.Sprintf(`(() => { const s = document.getElementById(%q); s.value = %q; s.dispatchEvent(new Event("change", {bubbles: true})); return s.value === %q })()`, id, value, value))
}

// press clicks the button that says a text.
func press(page *webtest.Page, text string) bool {
	return webtest.Eval[bool](page, fmt.Sprintf(`(() => { const b = [...document.querySelectorAll("main button")].find(b => b.textContent.trim() === %q); b?.click(); return b !== undefined })()`, text))
}

// opensDesk makes a key, opens a desk and names its reader, all on the console.
func (p *play) opensDesk() {
	page := p.noor
	page.Go("/cases/key?lang=en")
	p.until(page, "six words", `!document.getElementById("key-make").hidden && document.getElementById("offered").textContent.split(" ").length === 6`)
	page.Check(p.t)
	p.phrase = page.Text("#offered")
	page.Type("#again", p.phrase)
	page.Submit("#key-make [type=submit]")
	p.until(page, "the key", `document.querySelector("main").textContent.includes("In use")`)
	page.Go("/cases/desks?lang=en")
	page.Check(p.t)
	page.Type("#name", "Vertrouwenspunt")
	webtest.Eval[bool](page, `(document.querySelectorAll("main details").forEach(d => d.open = true), true)`)
	if !webtest.Eval[bool](page, `document.querySelector("input[name=listed]").checked`) {
		p.t.Fatal("a new desk is not put on the report page")
	}
	page.Type("#promise", "Noor reads within a working day.")
	page.Submit("form[action='/cases/desks'] button")
	page.Check(p.t)
	if !choose(page, "person", string(p.players["klepwerk"].person)) {
		p.t.Fatal("the steward is not among those who may read")
	}
	page.Submit("form[action$='/readers'] button")
	if readers := webtest.Eval[string](page, `document.querySelector("main table tbody")?.textContent ?? ""`); !strings.Contains(readers, "Noor Hendriks") {
		p.t.Fatalf("nobody reads for the desk: %s", page.Text("main"))
	}
	page.Check(p.t)
}

// The fingers of the reporter: every tap and every field is one interaction.
func (p *play) tap(selector string)        { p.taps++; p.hand.Click(selector) }
func (p *play) fill(selector, text string) { p.taps++; p.hand.Type(selector, text) }

// phone makes the reporter's window as wide as a phone.
func (p *play) phone() { p.hand.Size(390, 844) }

// reports fills in the report and writes the six words down.
func (p *play) reports(b *webtest.Browser) {
	p.hand = b.Open(p.t, p.at+"/report/closed?lang=en")
	p.phone()
	p.hand.Go("/report?lang=en")
	p.until(p.hand, "the device seals", `document.getElementById("seals-device")?.checkVisibility() === true`)
	p.hand.Check(p.t)
	p.phone()
	p.fill("#what", playReport)
	p.tap("label:has([name=day][value=yesterday])")
	p.tap("label:has([name=road][value=insider])")
	p.tap("label:has([name=on][value=yes])")
	p.fill("#call", "Not at work, please. "+playCanary)
	p.tap("label:has([name=who][value=desk])")
	p.tap("#send")
	p.hand.Wait("#receipt")
	p.hand.Check(p.t)
	p.phone()
	if p.words = p.hand.Text("#receipt"); len(strings.Fields(p.words)) != 6 {
		p.t.Fatalf("the receipt is %q", p.words)
	}
	p.tap("label:has(#confirm)")
	p.tap("#done")
	p.hand.Wait("main:not(:has(#receipt)) .note")
	p.hand.Check(p.t)
	if p.taps > 12 {
		p.t.Errorf("a report takes %d interactions, above 12", p.taps)
	}
	if n := webtest.Eval[int](p.hand, "localStorage.length + sessionStorage.length + document.cookie.length"); n != 0 {
		p.t.Errorf("the phone keeps %d things", n)
	}
	p.t.Logf("%d interactions from the empty form to the words written down", p.taps)
}

// opensQueue opens the queue with the passphrase.
func (p *play) opensQueue(path string) {
	p.noor.Go(path)
	p.until(p.noor, "the form of the passphrase", `document.getElementById("desk-unlock")?.hidden === false`)
	p.noor.Type("#passphrase", p.phrase)
	p.noor.Click("#desk-unlock button")
}

// readsReport reads what is proposed and why, changes the class, acknowledges and asks back.
func (p *play) readsReport() {
	page := p.noor
	p.opensQueue("/cases/reports?lang=en")
	p.until(page, "the queue", `document.querySelectorAll("#desk-rows [data-row]").length === 1`)
	page.Check(p.t)
	row := page.Text("#desk-rows")
	for _, want := range []string{"Somebody logs in at night", "account"} {
		if !strings.Contains(row, want) {
			p.t.Errorf("the queue lacks %q: %s", want, row)
		}
	}
	page.Click("#desk-rows [data-row]")
	p.until(page, "the report", `!document.getElementById("desk-one").hidden && document.querySelector("#answer") !== null`)
	p.sees(page, playReport, "Not at work, please.", "Who can read this", "Noor Hendriks")
	page.Check(p.t)
	proposed := webtest.Eval[string](page, `document.getElementById("judge-class").value`)
	why := webtest.Eval[string](page, `[...document.querySelector("#judge-class").closest("section").querySelectorAll("q")].map(q => q.textContent).join("|")`)
	if !strings.Contains(proposed, "/") || why == "" {
		p.t.Errorf("proposed is %q because of %q", proposed, why)
	}
	for part := range strings.FieldsFuncSeq(why, func(r rune) bool { return r == '…' || r == '|' }) {
		if !strings.Contains(strings.ToLower(playReport), strings.ToLower(strings.TrimSpace(part))) {
			p.t.Errorf("the reason names %q, which the report does not say", part)
		}
	}
	p.judges()
	page.Type("#answer", "Thank you. On which nights was it? "+playCanary)
	if !press(page, "Say that it was read") {
		p.t.Fatalf("no button acknowledges: %s", page.Text("#desk-one"))
	}
	p.until(page, "the acknowledgement", `document.querySelector("#answer") !== null && !document.querySelector("#desk-one").textContent.includes("Say that it was read")`)
	if draft := webtest.Eval[string](page, `document.getElementById("answer").value`); !strings.HasSuffix(draft, playCanary) {
		p.t.Errorf("the acknowledgement cost the answer that was half written: %q is left", draft)
	}
	page.Click("#desk-one form .button.primary")
	p.until(page, "the question", `document.querySelector("#desk-one ol")?.textContent.includes("On which nights") === true`)
	page.Check(p.t)
}

// judges takes another class and severity than what is proposed, with one click each. They stay in the tab only, so that a
// new page asks again.
func (p *play) judges() {
	p.t.Helper()
	if !choose(p.noor, "judge-class", "intrusions/privileged-account-compromise") || !choose(p.noor, "judge-severity", "high") {
		p.t.Fatal("class and severity cannot be changed")
	}
}

// comesBack reads the question with the six words, and answers it.
func (p *play) comesBack() {
	p.hand.Go("/report/thread?lang=en")
	p.hand.Wait("#enter[data-ready]")
	p.hand.Check(p.t)
	p.phone()
	p.hand.Type("#words", strings.ToUpper(p.words))
	p.hand.Click("#open")
	p.hand.Wait(".talk")
	p.sees(p.hand, playReport, "On which nights was it?", "Noor Hendriks")
	p.hand.Type("#say", "On the two Sundays. "+playCanary)
	p.hand.Click("#say-send")
	p.hand.Wait(".toast")
	p.hand.Check(p.t)
	report := strings.TrimPrefix(p.noor.Address(), p.at)
	p.opensQueue(report)
	p.until(p.noor, "the answer", `document.querySelector("#desk-one ol")?.textContent.includes("On the two Sundays") === true`)
}

// opensCase opens a case from the report: what is in it is what the officer typed and ticked.
func (p *play) opensCase() {
	page := p.noor
	p.judges()
	webtest.Eval[bool](page, `(document.getElementById("case-title").closest("details").open = true)`)
	page.Check(p.t)
	if filled := webtest.Eval[string](page, `document.getElementById("case-title").value + document.getElementById("case-summary").value + [...document.querySelectorAll("[id^=case-value-]:checked")].map(b => b.value).join()`); filled != "" {
		p.t.Errorf("the form of a case holds words of the report before anybody typed or ticked: %q", filled)
	}
	page.Type("#case-title", playTitle)
	page.Type("#case-summary", "An account that should have been closed was used.")
	page.Click("[id^=case-value-][value='" + serverValue + "']")
	page.Click("label:has(#case-road-cyber)")
	webtest.Eval[bool](page, `(document.getElementById("case-title").form.requestSubmit(), true)`)
	p.until(page, "the case", `document.querySelector("#desk-one a[href^='/cases/case--']") !== null`)
	page.Check(p.t)
	p.home = webtest.Eval[string](page, `document.querySelector("#desk-one a[href^='/cases/case--']").pathname`)
	page.Go(p.home + "?lang=en")
	p.sees(page, playTitle, "203.0.113[.]77", "High")
	p.lacks(page, playCanary, "fitter", "remote maintenance")
	var c cases.CaseView
	ok(p.t, p.ask(p.t.Context(), p.players["klepwerk"].officer, "GET", "/api/v1"+p.home, nil, &c))
	if c.Class != "intrusions/privileged-account-compromise" || !slices.Contains(c.Roads, cases.RoadCyber) || c.Report == "" {
		p.t.Errorf("the case is %+v", c)
	}
	page.Check(p.t)
}

// adds adds something to the case.
func (p *play) adds(page *webtest.Page, kind, level string, fields ...[2]string) {
	p.t.Helper()
	page.Go(p.home + "/add/" + kind + "?lang=en")
	for _, f := range fields {
		page.Type(f[0], f[1])
	}
	if level != "" {
		page.Click(fmt.Sprintf("label:has(input[name=tlp][value='%s'])", level))
	}
	page.Submit("main form button.primary")
	if len(fields) > 0 {
		p.sees(page, fields[len(fields)-1][1])
	}
}

// worksOn adds one of every kind, and says which crown jewel is touched.
func (p *play) worksOn() {
	page := p.noor
	page.Go("/cases/jewels/new?lang=en")
	page.Check(p.t)
	page.Type("#name", "Vacuum valve, series 40")
	page.Type("#partners", "Meridiaan Lithografie")
	page.Submit("main form button.primary")
	p.sees(page, "Vacuum valve, series 40")
	p.adds(page, "entry", "green", [2]string{"#title", playGreen})
	p.adds(page, "entry", "amber+strict", [2]string{"#title", playStrict})
	file := filepath.Join(p.t.TempDir(), "gateway.log")
	ok(p.t, os.WriteFile(file, []byte("accepted password for fitter\n"), 0o600))
	page.Go(p.home + "/add/evidence?lang=en")
	page.Type("#file", file)
	page.Type("#title", "Log of the gateway")
	page.Submit("main form button.primary")
	p.sees(page, "Log of the gateway")
	p.adds(page, "task", "", [2]string{"#title", "Close what is left of the accounts"})
	p.adds(page, "note", "", [2]string{"#title", "Talk with the supplier"}, [2]string{"#text", "They found nothing themselves."})
	p.adds(page, "decision", "", [2]string{"#title", "Customers are told later"}, [2]string{"#reason", "Now it would be guessing."})
	page.Go(p.home + "/jewels?lang=en")
	page.Check(p.t)
	page.Click("label:has(input[name=jewels])")
	page.Submit("main form button.primary")
	p.sees(page, "Vacuum valve, series 40")
	if known := webtest.Eval[int](page, `document.querySelectorAll("main a[href^='/objects/']").length`); known == 0 {
		p.t.Error("the server is known in the exchange, and the case links to nothing there")
	}
	page.Check(p.t)
	page.Click("main a[href^='/objects/']")
	p.until(page, "the object links back", fmt.Sprintf(`document.querySelector("main a[href='%s']") !== null`, p.home))
	page.Check(p.t)
}

// sendsWarning fills in the form, loads the PDF and marks the early warning as sent.
func (p *play) sendsWarning() {
	page, duties := p.noor, strings.Replace(p.home, "/cases/", "/cases/deadlines/", 1)
	page.Go(duties + "?lang=en")
	page.Check(p.t)
	warning := webtest.Eval[string](page, fmt.Sprintf(`[...document.querySelectorAll("main a[href^='%s/']")].find(a => a.textContent.toLowerCase().includes("early warning"))?.pathname ?? ""`, duties))
	if warning == "" {
		p.t.Fatalf("no early warning is due: %s", page.Text("main"))
	}
	page.Go(warning + "?lang=en")
	p.sees(page, "Klepwerk", "CSIRT")
	page.Check(p.t)
	v, err := p.visitAs(p.t.Context(), "export@klepwerk.example")
	ok(p.t, err)
	form, err := v.open(p.t.Context(), warning+"/form.json")
	ok(p.t, err)
	if !json.Valid([]byte(form)) {
		p.t.Errorf("the form as JSON is %.300s", form)
	}
	paper, err := v.open(p.t.Context(), warning+"/form.pdf")
	ok(p.t, err)
	if !strings.HasPrefix(paper, "%PDF-") || len(paper) < 2000 {
		p.t.Errorf("the form as PDF is %d bytes", len(paper))
	}
	page.Type("[name=reference]", "NC-26-20931")
	page.Submit("form[action$='/sent'] button.primary")
	p.sees(page, "NC-26-20931", "Sent")
	page.Check(p.t)
}

// letsIn lets the colleague in, and Okular up to GREEN, and shares the case with the university; each sees what it may.
func (p *play) letsIn() {
	p.lets("person:", "Wim Dekkers", "work", "amber+strict")
	p.lets("org:", "Okular", "work", "green")
	page := p.frieda
	page.Go("/cases?lang=en")
	page.Check(p.t)
	page.Go(p.home + "?lang=en")
	secret := []string{playTitle, playStrict, "account that should", "gateway.log", "Log of the gateway", "Close what is left", "guessing", "found nothing", "203.0.113", "Vacuum valve", "NC-26", "Noor", "Wim"}
	p.sees(page, playGreen)
	p.lacks(page, secret...)
	page.Check(p.t)
	p.adds(page, "entry", "green", [2]string{"#title", playTheirs})
	p.lacks(page, secret...)
	if n := webtest.Await[int](p.ilse, fmt.Sprintf(`fetch(%q).then(r => r.status)`, p.home)); n != http.StatusNotFound {
		p.t.Errorf("who was not let in is answered %d", n)
	}
	p.ilse.Quiet(quietly{p.t})
	p.noor.Go(p.home + "?lang=en")
	p.sees(p.noor, playTheirs, "Okular")
	p.sharesAnother(secret)
}

// sharesAnother shares another case through the exchange, with the university, which sees that one and not the first.
func (p *play) sharesAnother(secret []string) {
	var c cases.CaseView
	officer, page := p.players["klepwerk"].officer, p.ilse
	ok(p.t, p.ask(p.t.Context(), officer, "POST", "/api/v1/cases", map[string]any{"title": "A visitor who photographed the line", "kind": "approach", "tlp": "amber"}, &c))
	at := "/api/v1/cases/" + string(c.ID)
	ok(p.t, p.ask(p.t.Context(), officer, "POST", at+"/items", map[string]any{"kind": "entry", "title": "The visit", "tlp": "amber"}, nil))
	share := map[string]any{"community": chain, "org": p.players["maasland"].org.ID, "part": "work", "ceiling": "amber", "confirmed": true}
	ok(p.t, p.ask(p.t.Context(), officer, "POST", at+"/sharings", share, nil))
	page.Go("/cases/shared?lang=en")
	page.Check(p.t)
	page.Submit("main tbody a[href^='/cases/shared/']")
	p.shared = webtest.Eval[string](page, "location.pathname")
	p.sees(page, "A visitor who photographed the line", "The visit")
	p.lacks(page, secret...)
	page.Check(p.t)
}

// lets lets somebody in on the page of members.
func (p *play) lets(prefix, name, part, ceiling string) {
	p.t.Helper()
	page := p.noor
	page.Go(p.home + "/members?lang=en")
	if !webtest.Eval[bool](page, fmt.Sprintf(`(() => { const s = document.getElementById("who"), o = [...s.options].find(o => o.value.startsWith(%q) && o.textContent.includes(%q)); if (o) s.value = o.value; return o !== undefined })()`, prefix, name)) {
		p.t.Fatalf("%s cannot be chosen", name)
	}
	page.Click(fmt.Sprintf("label:has(input[name=part][value=%s])", part))
	page.Click(fmt.Sprintf("label:has(input[name=ceiling][value='%s'])", ceiling))
	page.Submit("form[action$='/members'] button.primary")
	p.sees(page, name)
	page.Check(p.t)
}

// quietly takes what a browser notes on its console of an answer that is a refusal.
type quietly struct{ testing.TB }

func (quietly) Errorf(string, ...any) {}

// editTogether opens one text at two screens: the second sees both, and neither's words vanish.
func (p *play) editTogether() {
	p.noor.Go(p.home + "/edit?lang=en")
	p.wim.Go(p.home + "/edit?lang=en")
	p.wim.Type("#summary", " Finance saw it first.")
	p.wim.Submit("form[action$='/edit'] button.primary")
	p.noor.Type("#summary", " The supplier was told.")
	p.noor.Submit("form[action$='/edit'] button.primary")
	p.sees(p.noor, "Finance saw it first.", "The supplier was told.")
	if own := webtest.Eval[string](p.noor, `document.getElementById("summary").value`); !strings.Contains(own, "The supplier was told.") {
		p.t.Errorf("the own words are gone from the box: %q", own)
	}
	p.noor.Quiet(quietly{p.t}) // the browser notes that the answer was a conflict
	p.noor.Check(p.t)
	p.noor.Submit("form[action$='/edit'] button.primary")
	p.sees(p.noor, "The supplier was told.")
	p.wim.Go(p.home + "/history?lang=en")
	p.sees(p.wim, "Finance saw it first.", "The supplier was told.")
	p.wim.Check(p.t)
	p.wim.Go(p.home + "?lang=en")
	p.wim.Check(p.t)
}

// assesses says what was taken.
func (p *play) assesses() {
	page := p.noor
	page.Go(p.home + "/damage?lang=en")
	page.Check(p.t)
	if got := webtest.Eval[string](page, `document.getElementById("partners").value`); got != "Meridiaan Lithografie" {
		p.t.Errorf("the crown jewel proposes %q as partners that it touches", got)
	}
	page.Click("label:has(input[name=taken][value=maybe])")
	page.Type("#what", "Two drawings were open for six minutes.")
	page.Type("#measures", "Accounts of suppliers end with the contract.")
	page.Submit("form[action$='/damage'] button.primary")
	p.sees(page, "Vacuum valve, series 40")
	page.Check(p.t)
}

// closes closes the case, which needs a reason, and a word about deadlines that are open.
func (p *play) closes() {
	page := p.noor
	page.Go(p.home + "/status?lang=en")
	page.Click("label:has(input[name=status][value=closed])")
	page.Type("#reason", "Accounts are closed and the damage is known.")
	page.Click("label:has(input[name=late])")
	page.Submit("form[action$='/status'] button.primary")
	p.sees(page, "Closed")
	page.Check(p.t)
	page.Go(p.home + "/status?lang=nl")
	page.Check(p.t)
	page.Go("/cases?status=closed&lang=en")
	p.sees(page, playTitle)
	page.Check(p.t)
	var c cases.CaseView
	ok(p.t, p.ask(p.t.Context(), p.players["klepwerk"].officer, "GET", "/api/v1"+p.home, nil, &c))
	if c.Status != cases.StatusClosed {
		p.t.Errorf("the case is %s", c.Status)
	}
}

// keptNothing looks for what was said in confidence, and for the six words and the passphrase, in every file of the node.
func (p *play) keptNothing() {
	files := 0
	ok(p.t, filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // it was of the moment
		}
		files++
		for _, word := range []string{playCanary, p.words, p.phrase} {
			if strings.Contains(string(text), word) {
				p.t.Errorf("%s holds %q", path, word)
			}
		}
		return err
	}))
	if files < 5 {
		p.t.Errorf("only %d files were looked at", files)
	}
	for _, page := range []*webtest.Page{p.noor, p.wim, p.frieda, p.ilse, p.hand} {
		page.Quiet(p.t)
	}
}

// casesWalk visits the pages of reports and cases that links lead to, one of each kind.
type casesWalk struct {
	*play
	mux  *http.ServeMux
	seen map[string]bool // by key
	by   map[string]bool // patterns
}

// everyPage visits every page that a route of reports and cases serves, as those who may see it; a route that nobody
// comes to fails the test, so that a new page is looked at too.
func (p *play) everyPage() {
	p.opensPressedDesk()
	site, err := web.New(web.Options{}, cases.Parts()...)
	ok(p.t, err)
	w := &casesWalk{play: p, mux: http.NewServeMux(), seen: map[string]bool{}, by: map[string]bool{}}
	var all []string
	for _, r := range p.node.cases.service.Pages(site).Routes() {
		if r.Method == "GET" {
			w.mux.HandleFunc("GET "+r.Pattern, http.NotFound)
			all = append(all, r.Pattern)
		}
	}
	w.from(p.noor, "export@klepwerk.example", "/cases", p.home)
	w.from(p.ilse, "cert@maasland.example", p.shared)
	w.from(p.hand, "", "/report", "/report/pressed", "/report/d/vertrouwenspunt", "/report/pressed/talk", "/report/thread", "/report/mail.txt")
	for _, pattern := range all {
		if !w.by[pattern] {
			p.t.Errorf("%s was not looked at: let a page link to it, or name it here", pattern)
		}
	}
	if len(w.seen) < len(all) {
		p.t.Errorf("%d pages for %d routes", len(w.seen), len(all))
	}
	p.t.Logf("%d pages of %d routes were looked at", len(w.seen), len(all))
}

// opensPressedDesk opens a desk for people who are coerced at the CSIRT, which is not their employer.
func (p *play) opensPressedDesk() {
	path, err := p.stage.phrase("csirt")
	ok(p.t, err)
	ctx := p.t.Context()
	ok(p.t, p.officer(ctx, "csirt", nil, "report", "key", "--passphrase-file", path))
	ok(p.t, p.officer(ctx, "csirt", nil, "report", "desk", "open", "Somebody to talk to", "--alias", "talk", "--kind", "pressed", "--confirmed"))
}

// key says which kind of page a path is: the pattern of its route, with what makes another page of it.
func (w *casesWalk) key(path string) (key, pattern string) {
	r, err := http.NewRequest("GET", "http://node.example"+path, nil)
	if err != nil {
		return "", ""
	}
	_, pattern = w.mux.Handler(r)
	if pattern = strings.TrimPrefix(pattern, "GET "); pattern == "" {
		return "", ""
	}
	at, is := strings.Split(path, "/"), strings.Split(pattern, "/")
	for i := range is {
		if is[i] == "{page}" || is[i] == "{item}" { // pages of their own
			is[i] = at[i]
		}
	}
	return strings.Join(is, "/"), pattern
}

// from visits what links lead to from pages, as somebody; without an address nobody is logged in.
func (w *casesWalk) from(page *webtest.Page, email string, todo ...string) {
	v := &visitor{st: w.stage}
	if email != "" {
		var err error
		v, err = w.visitAs(w.t.Context(), email)
		ok(w.t, err)
	}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		key, pattern := w.key(path)
		if key == "" || w.seen[key] {
			continue
		}
		w.seen[key], w.by[pattern] = true, true
		if strings.Contains(filepath.Base(pattern), ".") { // a file
			if text, err := v.open(w.t.Context(), path); err != nil || text == "" {
				w.t.Errorf("%s: %v", path, err)
			}
			continue
		}
		page.Go(path + "?lang=nl")
		if len(webtest.Eval[string](page, `document.querySelector("h1")?.textContent ?? ""`)) == 0 {
			w.t.Errorf("%s has no heading", path)
		}
		page.Check(w.t)
		todo = append(todo, webtest.Eval[[]string](page, `[...document.querySelectorAll("a[href], form[method=get]")].map(a => new URL(a.href ?? a.action)).filter(u => u.origin === location.origin).map(u => u.pathname)`)...)
	}
}
