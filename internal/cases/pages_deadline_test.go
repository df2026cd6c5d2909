package cases

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// deadlineSamples are full and empty data for the pages of deadlines.
var deadlineSamples = map[string][]any{
	"cases/assistant": {assistantView{Tabs: []caseTab{{"T", "/cases", true}}, Errors: []web.FieldError{{Name: "aware", Text: "t"}}, Alerts: []web.Alert{{Class: "bad", Title: "T"}}, Fields: []web.Field{{Name: "aware", Label: "When?"}},
		Answer: []web.Block{caseBlock("H", "", "deadline-history", []deadlineHistoryRow{{Title: "T", Text: "x", By: "m", Made: time.Unix(9, 0), Struck: true}, {Title: "T", Action: "/x", Reason: web.Field{Name: "reason-1", Label: "Why?"}}}),
			caseBlock("H", "", "deadline-history", []deadlineHistoryRow(nil)), caseBlock("F", "", "deadline-form", []deadlineFormRow{{Label: "a", Value: "b"}, {Label: "a", Missing: true, Required: true}, {Label: "c"}}), caseBlock("F", "", "deadline-form", []deadlineFormRow(nil))}}, assistantView{}},
}

func TestDeadlineTemplates(t *testing.T) {
	site, err := web.New(web.Options{}, ConsolePart())
	caseMust(t, err)
	webtest.Renders(t, site, "cases-deadline", deadlineSamples)
}

// A case is counted, reported and answered for on its pages, in both languages, without script.
func TestDeadlinePages(t *testing.T) {
	w := newCasePages(t)
	id := w.energyCase(stix.Amber, "Odd log-ins in Delft")
	home := "/cases/deadlines/" + string(id)
	page := w.see("lead", home)
	holdsText(t, page, "What the law asks in this case", "Early warning", "Sat 21 Nov 2026, 09:00 CET", "Nobody has confirmed what this is", "Not confirmed that the law is in force", "Clocks run from Fri 20 Nov 2026, 09:00 CET", "What asks nothing, and why")
	holdsText(t, w.see("lead", home+"?lang=nl"), "Wat de wet in deze zaak vraagt", "Vroegtijdige waarschuwing", "za 21 nov 2026, 09:00 CET", "Niemand heeft bevestigd wat dit is")

	w.did("lead", home+"/duties", "profile", "1", "version", "1", "jurisdiction", "NL", "sector", "energy", "kind", "incident", "kind", "personal-data-breach", "serious", "yes")
	page = w.see("lead", home)
	holdsText(t, page, "Notification of a personal data breach", "Autoriteit Persoonsgegevens")
	lacksText(t, page, "Nobody has confirmed what this is")
	out := w.post("lead", home+"/duties", "profile", "1", "version", "1", "jurisdiction", "NL", "kind", "incident", "serious", "yes")
	if out.Code != http.StatusConflict {
		t.Errorf("a choice made on an old page: %d, want 409", out.Code)
	}

	form := home + "/nis2-nl.early-warning"
	page = w.see("lead", form)
	holdsText(t, page, "Early warning of an incident", "Acme Optics", "Odd log-ins in Delft", "Not known yet; needed", "Nothing of it was sent", "I have sent it")
	if pdf := w.send("lead", "GET", form+"/form.pdf", "", nil); pdf.Code != http.StatusOK || pdf.Header().Get("Content-Type") != "application/pdf" || !strings.HasPrefix(pdf.Body.String(), "%PDF-") || !strings.HasPrefix(pdf.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("the form for print: %d %v", pdf.Code, pdf.Header())
	}
	var filled DeadlineForm
	if raw := w.send("lead", "GET", form+"/form.json", "", nil); raw.Code != http.StatusOK || json.Unmarshal(raw.Body.Bytes(), &filled) != nil || filled.Form.ID != "nis2-early-warning" || len(filled.Form.Missing) == 0 {
		t.Errorf("the form for machines: %d %.300s", raw.Code, raw.Body)
	}
	out = w.post("lead", form+"/sent", "version", "1", "sent-at", "the day before yesterday")
	if out.Code != http.StatusBadRequest {
		t.Errorf("a time that cannot be read: %d, want 400", out.Code)
	}
	holdsText(t, out.Body.String(), "cannot be read as a time", "the day before yesterday")
	if to := w.did("lead", form+"/sent", "version", "1", "sent-at", "2026-11-20 09:30", "reference", "NC-26-20931"); to != home {
		t.Errorf("after sending one is led to %s", to)
	}
	holdsText(t, w.see("lead", home), "Sent after 30 min", "NC-26-20931")
	holdsText(t, w.see("lead", form), "Take this back")
	w.did("lead", form+"/reopened", "version", "2", "reason", "it went to the wrong desk")
	w.did("lead", form+"/excused", "version", "3", "reason", "the authority waived it")
	holdsText(t, w.see("lead", home), "Not needed")

	w.did("lead", home+"/events", "event", "ongoing", "event-at", "2026-11-20 09:45")
	holdsText(t, w.see("lead", home), "Progress report")
	w.did("lead", home+"/events/1/struck", "reason-1", "it has stopped")
	page = w.see("lead", home)
	holdsText(t, page, "Does not count", "it has stopped")
	lacksText(t, page, "Progress report")
	version := w.duties(lead, id).Case.Version
	w.did("lead", home+"/aware", "version", strconv.Itoa(version), "aware-at", "2026-11-20 08:00", "aware-reason", "the night watch saw it")
	holdsText(t, w.see("lead", home), "Known since Fri 20 Nov 2026, 08:00 CET", "the night watch saw it", "Known since Fri 20 Nov 2026, 09:00 CET")
	out = w.post("lead", home+"/aware", "version", strconv.Itoa(version+1), "aware-at", "2026-03-29 02:30", "aware-reason", "a test")
	holdsText(t, out.Body.String(), "there is no such time")
}

// The list of all cases shows those of the reader alone, the assistant answers with articles, and both say it in Dutch.
func TestDeadlineListAndAssistant(t *testing.T) {
	w := newCasePages(t)
	holdsText(t, w.see("lead", "/cases/deadlines"), "Nothing is due", "No report is open in the cases that you see.")
	w.energyCase(stix.Amber, "canary-velvet-otter")
	page := w.see("lead", "/cases/deadlines")
	holdsText(t, page, "5 reports are open, and in time.", "canary-velvet-otter", "Early warning", "5 open, 0 over")
	for _, who := range []string{"worker", "looker", "chief", "partner", "contact"} {
		page := w.see(who, "/cases/deadlines")
		lacksText(t, page, "canary-velvet-otter", "Early warning")
		holdsText(t, page, "No report is open")
	}
	w.set(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	holdsText(t, w.see("lead", "/cases/deadlines?late=yes"), "One report should have been sent already.", "over")

	ask := url.Values{"jurisdiction": {"NL"}, "sector": {"manufacturing"}, "kind": {"incident", "personal-data-breach"}, "serious": {"unknown"}, "aware": {"2026-11-22 09:44"}}
	page = w.see("looker", "/cases/assistant?"+ask.Encode())
	holdsText(t, page, "Early warning", "art. 23(4)(a)", "Mon 23 Nov 2026, 09:44 CET", "Autoriteit Persoonsgegevens", "DORA: it does not hold for what your organisation does")
	ask.Set("lang", "nl")
	holdsText(t, w.see("looker", "/cases/assistant?"+ask.Encode()), "Vroegtijdige waarschuwing", "ma 23 nov 2026, 09:44 CET", "geldt niet voor wat uw organisatie doet", "Wat moet ik melden?")
	holdsText(t, w.see("looker", "/cases/assistant"), "Five questions", "What happened?", "Is it serious?", "When did your organisation first know?")
	for name, bad := range map[string]url.Values{"no kind": {"jurisdiction": {"NL"}, "aware": {"now"}}, "no country": {"kind": {"incident"}}, "a word": {"jurisdiction": {"NL"}, "kind": {"incident"}, "serious": {"perhaps"}}, "no time": {"jurisdiction": {"NL"}, "kind": {"incident"}, "aware": {"soon"}},
		"many": {"jurisdiction": {"NL"}, "kind": make([]string, 500)}} {
		out := w.send("looker", "GET", "/cases/assistant?"+bad.Encode(), "", nil)
		if out.Code != http.StatusBadRequest || !strings.Contains(out.Body.String(), "This was not done") {
			t.Errorf("%s: %d, want 400 with the questions again", name, out.Code)
		}
	}
}

// A reader sees the duties and cannot change them; forms of another organisation's case are its own.
func TestDeadlineRights(t *testing.T) {
	w := newCasePages(t)
	id := w.energyCase(stix.Green, "Odd log-ins")
	w.let(id, looker, PartRead, stix.Red)
	w.let(id, partner, PartWork, stix.Red)
	home := "/cases/deadlines/" + string(id)
	for _, who := range []string{"looker", "partner"} {
		page := w.see(who, home)
		holdsText(t, page, "Early warning")
		lacksText(t, page, "Save and count again", "Change when we first knew")
	}
	lacksText(t, w.see("partner", home), "Lotte") // who of another organisation said so is its own
	if out := w.send("partner", "GET", home+"/nis2-nl.early-warning", "", nil); out.Code != http.StatusForbidden {
		t.Errorf("another organisation opens a form: %d", out.Code)
	}
	for _, who := range []string{"looker", "partner", "chief", "contact", "admin", "guest", ""} {
		for _, path := range []string{"/duties", "/aware", "/events", "/events/1/struck", "/nis2-nl.early-warning/sent", "/nis2-nl.early-warning/excused", "/nis2-nl.early-warning/reopened"} {
			out := w.post(who, home+path, "version", "1", "reason", "because", "jurisdiction", "NL", "kind", "incident", "event", "ongoing", "event-at", "2026-11-20 09:30", "aware-at", "2026-11-20 09:30", "aware-reason", "because", "reason-1", "because")
			if out.Code == http.StatusSeeOther && !strings.HasPrefix(out.Header().Get("Location"), "/login") || out.Code == http.StatusOK {
				t.Errorf("%q posts to %s: %d %s", who, path, out.Code, out.Header().Get("Location"))
			}
		}
	}
	if d := w.duty(id, ruleWarning); d.State != DeadlineDue || d.Version != 1 || len(w.duties(lead, id).Events) != 0 {
		t.Errorf("something was changed: %+v", d)
	}
}

// A browser looks at every page of deadlines: names, contrast, widths, both themes, no script of the page's own.
func TestBrowserDeadlines(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newCasePages(t)
	id := w.energyCase(stix.Amber, "Odd log-ins in Delft")
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "lead")
	p = p.Tab(t, server.URL+"/cases/deadlines")
	for _, path := range []string{"/cases/deadlines", "/cases/deadlines/" + string(id) + "?lang=nl", "/cases/deadlines/" + string(id) + "/nis2-nl.early-warning?lang=en", "/cases/assistant", "/cases/assistant?jurisdiction=NL&sector=manufacturing&kind=incident&serious=unknown&aware=2026-11-20+09:00&lang=en"} {
		p.Go(server.URL + path)
		p.Check(t)
	}
	p.Go(server.URL + "/cases/deadlines/" + string(id) + "/nis2-nl.early-warning")
	p.Type("[name=reference]", "NC-26-20931")
	p.Submit("main form button.primary")
	if !strings.Contains(p.Text("main"), "NC-26-20931") {
		t.Errorf("after sending the page says %q", p.Text("main"))
	}
}
