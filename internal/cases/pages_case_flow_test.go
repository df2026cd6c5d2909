package cases

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// Every page of a full case says what it holds, in both languages.
func TestCasePagesSayWhatTheyHold(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	home := "/cases/" + string(c.ID)
	page := w.see("lead", home)
	holdsText(t, page, "Supplier’s remote access misused", "TLP:AMBER+STRICT", "Vendor accounts closed", "<strong>two</strong>", "firmware-klepwerk[.]example", "Tidepipe calls home", "Memory image", "Find which drawings were opened", "Customers are told on Monday", "They must check their own logs.",
		"Odd log-ins in Delft", "Valve drawings", "Clocks run from here.", "Lotte", "Wafer Werke")
	for _, path := range []string{"/edit", "/status", "/members", "/jewels", "/damage", "/history", "/export", "/release", "/sharing", "/tell", "/add/entry", "/add/observable", "/add/evidence", "/add/task", "/add/note", "/add/decision", "/add/link", "/all/entry", "/all/observable", "/all/evidence", "/all/task", "/all/note", "/all/decision", "/all/link"} {
		for _, lang := range []string{"en", "nl"} {
			w.see("lead", home+path+"?lang="+lang)
		}
	}
	for _, path := range []string{"/cases?", "/cases/new?", "/cases/border?", "/cases/shared?", "/cases/settings?", "/cases/jewels?", "/cases/jewels/new?", "/cases/jewels?removed=yes&", "/cases?status=all&severity=high&road=cyber&with=mine&sort=-severity&", "/cases?status=archived&", "/cases?class=fraud/phishing&kind=approach&"} {
		for _, lang := range []string{"en", "nl"} {
			w.see("chief", path+"lang="+lang)
		}
	}
	for _, path := range []string{home + "/nothing", home + "/add/nothing", home + "/items/item--1", "/cases/case--00000000-0000-4000-8000-000000000000"} {
		if out := w.send("lead", "GET", path, "", nil); out.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", path, out.Code)
		}
	}
}

// TestS1CasePages: each page of a case is there for who was let in and for nobody else, and says no more than the part and
// the ceiling allow.
func TestS1CasePages(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	home := "/cases/" + string(c.ID)
	for _, who := range []string{"chief", "contact", "admin"} {
		for _, path := range []string{"", "/edit", "/history", "/members", "/damage", "/export", "/add/entry", "/all/entry"} {
			if out := w.send(who, "GET", home+path, "", nil); out.Code != http.StatusNotFound && out.Code != http.StatusForbidden {
				t.Errorf("%s sees %s: %d", who, path, out.Code)
			} else {
				lacksText(t, out.Body.String(), "Supplier’s remote access", "Vendor accounts")
			}
		}
	}
	below := caseMain(w.see("looker", home)) // ceiling GREEN, the case is AMBER
	lacksText(t, below, "Supplier’s", "fitter", "Vendor accounts", "firmware-klepwerk", "Memory image", "Customers are told", `data-tlp="amber`, "intrusions/", "Odd log-ins")
	holdsText(t, below, "203.0.113[.]77")
	guest := caseMain(w.see("partner", home)) // ceiling AMBER, of another organisation
	lacksText(t, guest, "Talk with the police", "TLP:AMBER+STRICT", "Valve drawings", "Lotte", "Wim", "Six years of lead")
	holdsText(t, guest, "Vendor accounts closed", "Wafer Werke")
	for _, path := range []string{"/history", "/all/entry", "/export"} {
		lacksText(t, caseMain(w.see("partner", home+path)), "Talk with the police", "Lotte")
	}
	for _, path := range []string{"/edit", "/add/entry", "/status"} {
		if out := w.send("looker", "GET", home+path, "", nil); out.Code != http.StatusForbidden {
			t.Errorf("a reader opens %s: %d, want 403", path, out.Code)
		}
	}
	if out := w.post("looker", home+"/add/entry", "title", "x", "at", "2026-11-20T09:00", "tlp", "green"); out.Code != http.StatusForbidden {
		t.Errorf("a reader adds: %d, want 403", out.Code)
	}
}

// A country's contact point sees the header of an announced case, and nothing that is written in it.
func TestCaseHeaderForContactPoint(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	w.let(c.ID, contact, PartContact, stix.Green)
	home := "/cases/" + string(c.ID)
	if out := w.send("contact", "GET", home, "", nil); out.Code != http.StatusNotFound {
		t.Errorf("before it was announced: %d, want 404", out.Code)
	}
	caseMust(t, w.Announce(t.Context(), lead, c.ID))
	page := caseMain(w.see("contact", home))
	holdsText(t, page, "DE, NL", "Acme Optics", "High")
	lacksText(t, page, "Supplier’s remote", "fitter", "Vendor accounts", "firmware", "Lotte", "Memory image", "Valve drawings", "Clocks run")
	for _, path := range []string{"/history", "/edit", "/members", "/damage", "/all/entry", "/add/entry", "/export", "/release"} {
		out := w.send("contact", "GET", home+path, "", nil)
		lacksText(t, caseMain(out.Body.String()), "Supplier’s remote", "Vendor accounts", "Lotte", "Memory image", "Valve drawings")
	}
}

// Two officers who change the same text at once both keep their words: the second sees both side by side, its own in the
// box, and nothing is written over.
func TestCaseEditedByTwo(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	home := "/cases/" + string(c.ID)
	mine := "The words of the second officer, who wrote for an hour."
	theirs := "What the first officer found."
	_, err := w.ChangeCase(t.Context(), worker, c.ID, CaseChange{Version: c.Version, Summary: &theirs})
	caseMust(t, err)
	form := []string{"version", "1", "title", c.Title, "summary", mine, "kind", "incident", "class", c.Class, "severity", "high", "roads", "cyber", "tlp", "amber"}
	out := w.post("lead", home+"/edit", form...)
	if out.Code != http.StatusConflict {
		t.Fatalf("the second change: %d, want 409", out.Code)
	}
	page := caseMain(out.Body.String())
	holdsText(t, page, "first ", "found.", `name="version" value="2"`)
	if n := strings.Count(page, "wrote for an hour"); n < 2 {
		t.Errorf("the second officer’s words stand %d times on the page, want them in the box and beside the other text", n)
	}
	form[1] = "2"
	w.did("lead", home+"/edit", form...)
	holdsText(t, w.see("lead", home), mine)
	holdsText(t, w.see("lead", home+"/history"), theirs)

	notes, err := w.Items(t.Context(), lead, c.ID, ItemFilter{Kind: ItemNote})
	caseMust(t, err)
	note := notes.Items[0]
	was := note
	note.Text = "They rotate keys every month now."
	_, err = w.ChangeItem(t.Context(), worker, c.ID, note)
	caseMust(t, err)
	out = w.post("lead", home+"/items/"+note.ID, "version", "1", "title", was.Title, "text", "They never rotate keys.", "tlp", "amber")
	if out.Code != http.StatusConflict {
		t.Fatalf("the second change of a note: %d, want 409: %.800s", out.Code, caseMain(out.Body.String()))
	}
	page = caseMain(out.Body.String())
	holdsText(t, page, "month now.", "never ", `name="version" value="2"`)
	w.did("lead", home+"/items/"+note.ID, "version", "2", "title", was.Title, "text", "They never rotate keys.", "tlp", "amber")
	holdsText(t, w.see("lead", home+"/items/"+note.ID), "They never rotate keys.", "month now.")

	d := []string{"version", "0", "taken", "some", "what", "Drawings of one valve.", "tlp", "amber"}
	w.did("lead", home+"/damage", d...)
	if out := w.post("worker", home+"/damage", "version", "0", "taken", "all", "what", "All drawings.", "tlp", "amber"); out.Code != http.StatusConflict {
		t.Errorf("the second assessment: %d, want 409", out.Code)
	} else {
		holdsText(t, caseMain(out.Body.String()), "Drawings of one valve.", "All drawings.", "Some of it")
	}
}

// The forms say what is wrong, at the field, and keep what was typed.
func TestCaseFormsSayWhatIsWrong(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	home := "/cases/" + string(c.ID)
	for _, f := range []struct {
		path, why, says, keeps string
		form                   []string
	}{
		{"/cases/new", "no time of awareness", "Say when your organisation first knew", "Odd visit", []string{"title", "Odd visit", "summary", "x"}},
		{"/cases/new", "a time that is none", "is not a time", "Odd visit", []string{"title", "Odd visit", "aware", "yesterday"}},
		{"/cases/new", "no title", "title", "the summary", []string{"aware", "2026-11-20T08:00", "summary", "the summary"}},
		{"/cases/new", "a time that has not come", "aware", "Odd visit", []string{"aware", "2027-11-20T08:00", "title", "Odd visit"}},
		{home + "/add/entry", "neither title nor text", "title", "2026-11-20T08:00", []string{"at", "2026-11-20T08:00"}},
		{home + "/add/observable", "no value", "Write at least one value", "", []string{"value", " \n "}},
		{home + "/add/observable", "a value with a zero byte", "", "ok.example", []string{"value", "ok.example\x00"}},
		{home + "/add/decision", "no reason", "reason", "We wait", []string{"title", "We wait"}},
		{home + "/add/link", "no such case", "", "case--x", []string{"to", "case--x"}},
		{home + "/members", "nobody chosen", "Choose a person or an organisation", "", []string{"who", "", "part", "read", "ceiling", "green"}},
		{home + "/status", "closing without an assessment", "", "All is well", []string{"status", "closed", "reason", "All is well", "version", "1"}},
		{home + "/damage", "nothing said of what was taken", "", "Drawings", []string{"version", "0", "what", "Drawings", "taken", "perhaps"}},
	} {
		out := w.post("lead", f.path, f.form...)
		if out.Code < 400 || out.Code > 422 {
			t.Errorf("%s: %d: %.600s", f.why, out.Code, caseMain(out.Body.String()))
			continue
		}
		page := caseMain(out.Body.String())
		holdsText(t, page, f.says)
		holdsText(t, page, f.keeps)
		if !strings.Contains(page, "alert bad") {
			t.Errorf("%s: the page has no summary of what is wrong", f.why)
		}
	}
	if out := w.post("lead", home+"/edit", "title", "x"); out.Code != http.StatusBadRequest {
		t.Errorf("a change that names no version: %d, want 400", out.Code)
	}
}

// Evidence goes in as it is, and comes out as a download that no browser shows, as a step of its custody.
func TestCaseEvidenceIsHandedOut(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	home := "/cases/" + string(c.ID)
	evil := `<svg onload="alert(1)"><script>alert(2)</script>`
	out := w.upload("lead", home+"/add/evidence/file", `..\..\pic "a".svg`, evil, "title", "A picture", "tlp", "amber")
	if out.Code != http.StatusSeeOther {
		t.Fatalf("a file is kept: %d %.900s", out.Code, caseMain(out.Body.String()))
	}
	all, err := w.Items(t.Context(), lead, c.ID, ItemFilter{Kind: ItemEvidence})
	caseMust(t, err)
	n := slices.IndexFunc(all.Items, func(it Item) bool { return it.Title == "A picture" })
	page := home + "/items/" + all.Items[n].ID
	lacksText(t, w.see("lead", page), `<svg onload`, "alert(2)")
	if out := w.send("lead", "GET", page+"/file", "", nil); out.Code != http.StatusMethodNotAllowed {
		t.Errorf("a file is handed out without a word: %d, want 405", out.Code)
	}
	got := w.post("lead", page+"/file", "reason", "To look for macros")
	if got.Code != http.StatusOK || got.Body.String() != evil {
		t.Fatalf("the download: %d %.200q", got.Code, got.Body.String())
	}
	for name, want := range map[string]string{"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if got.Header().Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header().Get(name), want)
		}
	}
	if d := got.Header().Get("Content-Disposition"); !strings.HasPrefix(d, "attachment;") || strings.Contains(d, "..") {
		t.Errorf("Content-Disposition is %q", d)
	}
	w.did("lead", page+"/custody", "did", "handed over", "receiver", "Police, room 3", "because", "They asked for it", "when", "2026-11-20T09:30")
	holdsText(t, w.see("lead", page), "To look for macros", "Handed over, to Police, room 3", "They asked for it")
	if out := w.send("looker", "POST", page+"/file", "application/x-www-form-urlencoded", strings.NewReader("reason=x")); out.Code != http.StatusNotFound {
		t.Errorf("a reader below the level downloads: %d, want 404", out.Code)
	}
}

// Tasks are finished, items struck out and erased, decisions superseded, people let in and out, and a case goes its way to
// the end and back, all by forms without script.
func TestCaseWalkWithoutScript(t *testing.T) {
	w := newCasePages(t)
	home := w.did("lead", "/cases/new", "title", "Odd visit", "aware", "2026-11-20T09:00", "kind", "approach", "roads", "research", "roads", "insider", "class", "information-gathering/social-engineering", "severity", "low", "tlp", "amber", "summary", "A visitor asked too much.", "countries", "nl, de")
	w.did("lead", home+"/add/task", "title", "Ask the porter", "owner", string(lead.Person), "at", "2026-11-21T10:00")
	id := CaseID(home[strings.LastIndex(home, "/")+1:])
	one := func(kind ItemKind) string {
		page, err := w.Items(t.Context(), lead, id, ItemFilter{Kind: kind})
		caseMust(t, err)
		return home + "/items/" + page.Items[0].ID
	}
	w.did("lead", one(ItemTask)+"/done", "done", "yes")
	holdsText(t, w.see("lead", one(ItemTask)), "Done")
	w.did("lead", home+"/add/decision", "title", "No police yet", "reason", "Nothing happened.")
	first := one(ItemDecision)
	w.did("lead", home+"/add/decision", "title", "Police are told", "reason", "He came back.", "supersedes", first[strings.LastIndex(first, "/")+1:])
	holdsText(t, w.see("lead", first), "A later decision took its place")
	w.did("lead", home+"/add/note", "title", "Gossip", "text", "Name of a person")
	w.did("lead", one(ItemNote)+"/strike", "version", "1", "why", "Not needed")
	lacksText(t, caseMain(w.see("lead", home+"/all/note")), "Name of a person")
	holdsText(t, w.see("lead", home+"/all/note?struck=yes"), "Name of a person")
	w.did("lead", home+"/add/note", "title", "Secret", "text", "Must go")
	w.did("lead", one(ItemNote)+"/erase", "ground", "A person asked for it")
	holdsText(t, w.see("lead", home+"/history"), "A person asked for it")
	lacksText(t, w.see("lead", home+"/history"), "Must go")
	w.did("lead", home+"/members", "who", "person:"+string(worker.Person), "part", "work", "ceiling", "amber")
	w.see("worker", home)
	w.did("worker", home+"/leave")
	if out := w.send("worker", "GET", home, "", nil); out.Code != http.StatusNotFound {
		t.Errorf("who has left sees the case: %d", out.Code)
	}
	w.did("lead", home+"/members", "who", "org:"+string(wafers), "part", "read", "ceiling", "green")
	w.did("lead", home+"/leave", "who", "org:"+string(wafers))
	c, err := w.Case(t.Context(), lead, id)
	caseMust(t, err)
	w.did("lead", home+"/status", "status", "closed", "reason", "He only looked at the lobby.", "nothing", "yes", "late", "yes", "version", strconv.Itoa(c.Version))
	holdsText(t, w.see("lead", home), "Closed:")
	w.did("lead", home+"/archive", "away", "yes")
	lacksText(t, caseMain(w.see("lead", "/cases?status=closed")), "Odd visit")
	holdsText(t, w.see("lead", "/cases?status=archived"), "Odd visit")
	w.did("lead", home+"/archive", "away", "no")
	c, err = w.Case(t.Context(), lead, id)
	caseMust(t, err)
	w.did("lead", home+"/status", "status", "open", "reason", "He came back.", "version", strconv.Itoa(c.Version))
	out := w.post("lead", home+"/export", "format", "json", "ceiling", "amber", "language", "en")
	if out.Code != http.StatusOK || !strings.HasPrefix(out.Header().Get("Content-Disposition"), "attachment") || !strings.Contains(out.Body.String(), "Odd visit") {
		t.Errorf("the export: %d %v %.300s", out.Code, out.Header(), out.Body.String())
	}
}

// The words of a new case propose class and severity, with the reason, and decide nothing.
func TestCaseProposal(t *testing.T) {
	w := newCasePages(t)
	out := w.post("lead", "/cases/new", "propose", "yes", "title", "Phishing mail", "summary", "An employee typed the password on a fake login page after a phishing mail.")
	if out.Code != http.StatusOK {
		t.Fatalf("the proposal: %d", out.Code)
	}
	holdsText(t, out.Body.String(), "Proposed:", "It is a proposal")
	page, err := w.Cases(t.Context(), lead, CaseFilter{})
	caseMust(t, err)
	if len(page.Cases) != 0 {
		t.Errorf("a proposal opened %d cases", len(page.Cases))
	}
}

// The register of crown jewels is kept by stewards, read by its organisation alone, and says which cases touch what.
func TestJewelPages(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	out := w.upload("chief", "/cases/jewels/import", "jewels.csv", "name,technology,partners\nLens recipe,6A004,Wafer Werke\nValve drawings,2B350.g,\n")
	if out.Code != http.StatusOK {
		t.Fatalf("the import: %d %.800s", out.Code, caseMain(out.Body.String()))
	}
	holdsText(t, out.Body.String(), "Lens recipe", "1 added")
	at := w.did("chief", "/cases/jewels/new", "version", "0", "name", "Mirror coating", "technology", "6A004\n6A005", "worth", "Four years", "products", "M-3")
	w.did("chief", at, "version", "1", "name", "Mirror coating", "technology", "6A004", "worth", "Five years")
	holdsText(t, w.see("chief", at), "Five years", "Four")
	if out := w.post("chief", at, "version", "1", "name", "Mirror", "worth", "Two years"); out.Code != http.StatusConflict {
		t.Errorf("a change of an older version: %d, want 409", out.Code)
	} else {
		holdsText(t, caseMain(out.Body.String()), "Five ", "Two ", "Somebody else changed this")
	}
	w.did("chief", at+"/remove", "version", "2", "away", "yes")
	lacksText(t, caseMain(w.see("chief", "/cases/jewels")), "Mirror coating")
	holdsText(t, w.see("chief", "/cases/jewels?removed=yes"), "Mirror coating")
	jewels, err := w.Jewels(t.Context(), chief, JewelFilter{Text: "valve"})
	caseMust(t, err)
	jewel := "/cases/jewels/" + jewels.Jewels[0].ID
	holdsText(t, w.see("lead", jewel), "Supplier’s remote access misused")
	lacksText(t, caseMain(w.see("chief", jewel)), "Supplier’s remote access misused") // not let into the case
	for _, who := range []string{"partner", "looker"} {
		if out := w.send(who, "GET", jewel, "", nil); out.Code == http.StatusOK {
			t.Errorf("%s reads the register", who)
		}
	}
	w.did("lead", "/cases/"+string(c.ID)+"/jewels")
	lacksText(t, caseMain(w.see("lead", jewel)), "Supplier’s remote access misused")
}

// What the overview, the page of an object, the search and the rail say is cut to who reads.
func TestCaseSpans(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	ctx, words := t.Context(), w.site.Words("en")
	card, err := w.pages.Card(ctx, lead, words)
	caseMust(t, err)
	rows, _ := card.Data.([]web.Todo)
	if len(rows) == 0 || !slices.ContainsFunc(rows, func(r web.Todo) bool { return strings.Contains(r.Title, "Find which drawings") }) {
		t.Errorf("the card shows %+v", rows)
	}
	if card, err := w.pages.Card(ctx, chief, words); err != nil || card.Template != "" {
		t.Errorf("the card of who was not let in: %+v, %v", card, err)
	}
	w.mu.Lock()
	w.now = w.now.Add(6 * time.Hour) // the early warning presses now
	w.mu.Unlock()
	card, err = w.pages.Card(ctx, lead, words)
	caseMust(t, err)
	if rows, _ = card.Data.([]web.Todo); len(rows) == 0 || !strings.Contains(rows[0].Title, "arly warning") || rows[0].Class != "warn" {
		t.Errorf("the card shows first %+v", rows)
	}
	if n, due := w.pages.Nav()[0].Count(ctx, lead); n != 1 || !due {
		t.Errorf("the rail counts %d, %t; want one that is due", n, due)
	}
	if n, due := w.pages.Nav()[0].Count(ctx, looker); n != 0 || due {
		t.Errorf("the rail counts %d for who may not read the case", n)
	}
	panel, err := w.pages.Panel(ctx, lead, "indicator--11111111-1111-4111-8111-111111111111", words)
	if marks, _ := panel.Data.([]web.Mark); err != nil || len(marks) != 1 || !strings.Contains(marks[0].Text, "Supplier’s") {
		t.Errorf("the panel: %+v, %v", panel, err)
	}
	for name, who := range map[string]polder.Actor{"looker": looker, "chief": chief, "contact": contact} {
		if panel, err := w.pages.Panel(ctx, who, "indicator--11111111-1111-4111-8111-111111111111", words); err != nil || panel.Template != "" {
			t.Errorf("the panel of %s: %+v, %v", name, panel, err)
		}
	}
	for _, q := range []struct {
		text string
		who  polder.Actor
		want int
		why  string
	}{
		{string(c.ID), lead, 1, "an id goes straight to the case"},
		{"remote access", lead, 1, "words of the title"},
		{"firmware-klepwerk", lead, 1, "a value of the case"},
		{"remote access", looker, 0, "the title is above the reader’s ceiling"},
		{"firmware-klepwerk", looker, 0, "the value is above the reader’s ceiling"},
		{string(c.ID), chief, 0, "who was not let in does not learn that the id exists"},
		{"remote access", partner, 1, "the other organisation was let in"},
		{"police", partner, 0, "the entry is above its ceiling"},
		{"re", lead, 0, "too short to look for"},
	} {
		hits, err := w.pages.Search(ctx, q.who, q.text, 10, words)
		if len(hits) < min(q.want, 1) || q.want == 0 && len(hits) > 0 || err != nil {
			t.Errorf("search %q as %s: %d hits, %v; %s", q.text, q.who.Name, len(hits), err, q.why)
		}
	}
}

// What leaves a case is shown first, with its readers and what to mind; nothing leaves before the second word.
func TestCaseReleaseIsShownFirst(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	page := "/cases/" + string(c.ID) + "/release"
	values, err := w.Items(t.Context(), lead, c.ID, ItemFilter{Kind: ItemObservable})
	caseMust(t, err)
	n := slices.IndexFunc(values.Items, func(it Item) bool { return it.Observable.Value == "firmware-klepwerk.example" })
	form := []string{"community", "chips", "items", values.Items[n].ID, "tlp", "amber", "title", "Look for this", "text", "Seen since Thursday."}
	out := w.post("lead", page, form...)
	if out.Code != http.StatusOK {
		t.Fatalf("the preview: %d %.900s", out.Code, caseMain(out.Body.String()))
	}
	holdsText(t, out.Body.String(), "What would leave", "Wafer Werke", "It names a value of your own.", "Share with 1 organisation", `name="seen"`)
	seen, _, _ := strings.Cut(strings.SplitN(out.Body.String(), `name="seen" value="`, 2)[1], `"`)
	if out := w.post("lead", page, append(form, "seen", seen, "send", "yes")...); out.Code != http.StatusOK || !strings.Contains(out.Body.String(), `name="confirmed"`) {
		t.Errorf("a held release without the word for its warnings: %d", out.Code)
	}
	if out := w.post("lead", page, append(form, "seen", "other", "send", "yes", "confirmed", "yes")...); out.Code != http.StatusConflict {
		t.Errorf("a release that is not the one that was seen: %d, want 409", out.Code)
	}
	if to := w.did("lead", page, append(form, "seen", seen, "send", "yes", "confirmed", "yes")...); to != "/cases/"+string(c.ID) {
		t.Errorf("after the release one is led to %s", to)
	}
	holdsText(t, w.see("lead", "/cases/"+string(c.ID)), "shared in chips at TLP:AMBER")
	if out := w.post("looker", page, form...); out.Code == http.StatusOK || out.Code == http.StatusSeeOther {
		t.Errorf("a reader releases: %d", out.Code)
	}
}

// The list holds what the address asks for, and "those I lead" only those.
func TestCaseListFilters(t *testing.T) {
	w := newCasePages(t)
	w.filledCase()
	for _, c := range []struct{ who, query, holds, lacks, why string }{
		{"lead", "?with=mine", "Supplier’s remote", "", "the lead leads it"},
		{"worker", "?with=mine", "No case fits", "Supplier’s remote", "who works on it does not lead it"},
		{"worker", "?severity=high", "Supplier’s remote", "", "its severity"},
		{"worker", "?severity=low", "No case fits", "Supplier’s remote", "another severity"},
		{"looker", "?severity=high", "No case fits", "Supplier’s remote", "its severity is above the reader’s ceiling"},
		{"lead", "?road=insider", "Supplier’s remote", "Odd log-ins", "one of its roads"},
		{"lead", "?class=intrusions/unprivileged-account-compromise", "An account was taken over", "Odd log-ins", "its class"},
		{"lead", "?status=closed", "No case fits", "Supplier’s remote", "it is open"},
		{"lead", "", "Early warning", "", "the next deadline stands at the case"},
	} {
		page := caseMain(w.see(c.who, "/cases"+c.query))
		if holdsText(t, page, c.holds); c.lacks != "" {
			lacksText(t, page, c.lacks)
		}
		if t.Failed() {
			t.Fatalf("%s as %s: %s", c.query, c.who, c.why)
		}
	}
}

// TestS35Cases stores texts that try to become markup in every field; each comes out as text, on every page.
func TestS35Cases(t *testing.T) {
	w := newCasePages(t)
	for i, s := range webtest.Strings() {
		line := strings.ReplaceAll(s, "\t", " ") // one line holds no tab
		c, err := w.OpenCase(t.Context(), lead, CaseNew{Title: "t " + line, Summary: s, Noticed: line, Sector: "manufacturing", Victim: line, Aware: w.tick(), Level: stix.Amber})
		caseMust(t, err)
		home := "/cases/" + string(c.ID)
		w.add(lead, c.ID, Item{Kind: ItemEntry, Title: "e " + line, Text: s, At: w.tick()})
		w.add(lead, c.ID, Item{Kind: ItemNote, Title: line, Text: s})
		w.add(lead, c.ID, Item{Kind: ItemTask, Title: "k " + line, Text: s, Task: &Task{}})
		w.add(lead, c.ID, Item{Kind: ItemDecision, Title: "d " + line, Text: s, Decision: &Decision{Reason: s}})
		w.add(lead, c.ID, Item{Kind: ItemEvidence, Title: "v " + line, Evidence: &Evidence{Name: "n.bin", Where: "w " + line}})
		paths := []string{"", "/history"}
		if i%10 == 0 {
			paths = append(paths, "/edit", "/all/entry", "/all/note", "/release")
		}
		for _, path := range paths {
			page := w.see("lead", home+path)
			for _, fault := range webtest.Broken([]byte(page)) {
				t.Errorf("%q on %s: %s", s, path, fault)
			}
			for _, bad := range []string{"<script>alert", "<img", "<svg onload", "onerror=alert(1)>", "<iframe", `href="javascript:`, `" onmouseover="`, "<base", "<meta http-equiv"} {
				if strings.Contains(caseMain(page), bad) {
					t.Errorf("%q on %s: the page holds %q", s, path, bad)
				}
			}
		}
	}
	w.see("lead", "/cases")
}

// A text search is posted: what is looked for stands in no address.
func TestS34CaseSearchIsPosted(t *testing.T) {
	w := newCasePages(t)
	w.filledCase()
	out := w.post("lead", "/cases/find", "find", "remote access")
	if out.Code != http.StatusOK {
		t.Fatalf("find: %d", out.Code)
	}
	page := out.Body.String()
	holdsText(t, page, "Supplier’s remote access misused")
	lacksText(t, caseMain(page), "Odd log-ins in Delft", "find=", "remote+access", "remote%20access")
	lacksText(t, caseMain(w.post("lead", "/cases/find", "find", "quantum").Body.String()), "Supplier’s remote")
}

// Only who may see more of an address gets more: cross-site forms are refused.
func TestS39CaseFormsCrossSite(t *testing.T) {
	w := newCasePages(t)
	c := w.filledCase()
	for _, path := range []string{"/cases/new", "/cases/" + string(c.ID) + "/edit", "/cases/" + string(c.ID) + "/members", "/cases/" + string(c.ID) + "/status", "/cases/" + string(c.ID) + "/add/entry", "/cases/jewels/new"} {
		r := httptest.NewRequest("POST", path, strings.NewReader("title=x"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.AddCookie(&http.Cookie{Name: "polder", Value: "lead"})
		out := httptest.NewRecorder()
		w.handler.ServeHTTP(out, r)
		if out.Code != http.StatusForbidden {
			t.Errorf("POST %s from another site: %d, want 403", path, out.Code)
		}
	}
}
