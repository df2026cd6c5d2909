package cases

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// caseBrowser is the pages in a browser, as one of [everyCaseActor].
func caseBrowser(t *testing.T, w *casePages, who string) (*webtest.Page, string) {
	t.Helper()
	b := webtest.Start(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", who)
	return p.Tab(t, server.URL+"/cases"), server.URL
}

// deaf takes what a browser says of an answer that is a refusal, which it notes on its console.
type deaf struct{ testing.TB }

func (deaf) Errorf(string, ...any) {}

// TestBrowserCasePages visits every page of cases, empty and full, in both languages, and holds each to the rules of the
// console: widths, contrast in light and dark, names, labels, targets, the strict policy.
func TestBrowserCasePages(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newCasePages(t)
	p, site := caseBrowser(t, w, "chief")
	for _, at := range []struct{ path, name string }{{"/cases", "list-none"}, {"/cases/jewels", "jewels-none"}, {"/cases/shared", "shared-none"}, {"/cases/border", "border"}, {"/cases/settings", "settings"}, {"/cases/jewels/new", "jewel-new"}} {
		p.Go(site + at.path + "?lang=en")
		p.Check(t)
		p.Pictures("case-" + at.name)
	}
	c := w.filledCase()
	home := "/cases/" + string(c.ID)
	w.let(c.ID, chief, PartLead, stix.Red)
	links, err := w.Items(t.Context(), lead, c.ID, ItemFilter{Kind: ItemLink})
	caseMust(t, err)
	w.let(links.Items[0].Link.To, chief, PartRead, stix.Red)
	for _, lang := range []string{"en", "nl"} {
		paths := map[string]string{"list": "/cases", "new": "/cases/new", "page": home}
		for _, name := range []string{"edit", "status", "members", "jewels", "damage", "history", "export", "release", "sharing", "tell"} {
			paths[name] = home + "/" + name
		}
		for _, kind := range itemKinds {
			paths["add-"+string(kind)], paths["all-"+string(kind)] = home+"/add/"+string(kind), home+"/all/"+string(kind)
			page, err := w.Items(t.Context(), lead, c.ID, ItemFilter{Kind: kind, Limit: 1})
			caseMust(t, err)
			paths["item-"+string(kind)] = home + "/items/" + page.Items[0].ID
		}
		jewels, err := w.Jewels(t.Context(), chief, JewelFilter{})
		caseMust(t, err)
		paths["jewels"], paths["jewel"] = "/cases/jewels", "/cases/jewels/"+jewels.Jewels[0].ID
		for name, path := range paths {
			p.Go(site + path + "?lang=" + lang)
			p.Check(t)
			p.Pictures("case-" + name + "-" + lang)
		}
	}
}

// TestBrowserCaseStory opens a case, adds everything, lets somebody in, meets another officer at the same text, and closes
// it with an assessment.
func TestBrowserCaseStory(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newCasePages(t)
	p, site := caseBrowser(t, w, "lead")
	p.Press("n") // the key that the button names
	p.Wait("#aware")
	webtest.Eval[string](p, `document.querySelector("#aware").value = "2026-11-20T08:00"`)
	p.Type("#title", "Odd log-ins at night")
	p.Type("#summary", "A password was phished and somebody read design documents.")
	p.Submit("main form button[name=propose]")
	if text := p.Text(".alert"); !strings.Contains(text, "Proposed") {
		t.Fatalf("the proposal says %q", text)
	}
	p.Submit("main form button.primary")
	home := strings.SplitN(p.Address(), "?", 2)[0]
	if !strings.Contains(p.Text(".toast"), "The case is open") || !strings.Contains(home, "/cases/case--") {
		t.Fatalf("after opening, %s says %q", home, p.Text("main"))
	}
	storyAdds(t, p, home)
	storyLetsIn(t, w, p, home)
	storyEditsTogether(t, w, p, home)
	storyCloses(t, p, home)
	p.Go(site + "/cases?status=closed&lang=en")
	if !strings.Contains(p.Text("main"), "Odd log-ins at night") {
		t.Errorf("the list of closed cases says %q", p.Text("main"))
	}
}

// storyAdds adds one of every kind.
func storyAdds(t *testing.T, p *webtest.Page, home string) {
	p.Press("e")
	p.Wait("#at")
	p.Type("#title", "Password reset for two accounts")
	p.Submit("main form button.primary")
	file := filepath.Join(t.TempDir(), "mail.eml")
	caseMust(t, os.WriteFile(file, []byte("Subject: <script>alert(1)</script>"), 0o600))
	for _, add := range []struct {
		kind   string
		fields [][2]string
		says   string
	}{
		{"observable", [][2]string{{"#value", "login-klepwerk[.]example\n198.51.100.7"}, {"#title", "Where the password went"}}, "login-klepwerk[.]example"},
		{"evidence", [][2]string{{"#file", file}, {"#title", "The mail"}}, "The mail"},
		{"task", [][2]string{{"#title", "Ask who clicked"}}, "Ask who clicked"},
		{"note", [][2]string{{"#title", "Talk"}, {"#text", "They remember **two** mails."}}, "They remember two mails."},
		{"decision", [][2]string{{"#title", "No notice to staff yet"}, {"#reason", "It would warn whoever did it."}}, "It would warn whoever did it."},
	} {
		p.Go(home + "/add/" + add.kind + "?lang=en")
		for _, f := range add.fields {
			p.Type(f[0], f[1])
		}
		p.Submit("main form button.primary")
		if text := p.Text("main"); !strings.Contains(text, add.says) {
			t.Fatalf("after adding a %s the page says %q", add.kind, text)
		}
	}
	p.Submit("form[action$='/done'] button")
	if text := p.Text(".toast"); !strings.Contains(text, "done") {
		t.Errorf("after the task was done the page says %q", text)
	}
	p.Check(t)
	p.Pictures("case-story")
}

// storyLetsIn lets a reader in whose ceiling is below all that the case holds.
func storyLetsIn(t *testing.T, w *casePages, p *webtest.Page, home string) {
	p.Go(home + "/members?lang=en")
	webtest.Eval[string](p, `document.querySelector("#who").value = "person:person-Rens"`)
	p.Click("input[name=part][value=read]")
	p.Click("input[name=ceiling][value=green]")
	p.Submit("form[action$='/members'] button.primary")
	if text := p.Text("main"); !strings.Contains(text, "Rens") || !strings.Contains(text, "Up to TLP:GREEN") {
		t.Fatalf("after letting in the page says %q", text)
	}
	_, path, _ := strings.Cut(home, "/cases/")
	page := caseMain(w.see("looker", "/cases/"+path))
	lacksText(t, page, "Odd log-ins at night", "phished", "login-klepwerk", "The mail", "Ask who clicked", "two", "warn whoever")
}

// storyEditsTogether is two officers at one text: the second sees both, keeps the own, and nobody's words vanish.
func storyEditsTogether(t *testing.T, w *casePages, p *webtest.Page, home string) {
	id := CaseID(home[strings.LastIndex(home, "/")+1:])
	p.Go(home + "/edit?lang=en")
	c, err := w.Case(t.Context(), lead, id)
	caseMust(t, err)
	theirs := "A password was phished. Finance saw it first."
	_, err = w.ChangeCase(t.Context(), lead, id, CaseChange{Version: c.Version, Summary: &theirs})
	caseMust(t, err)
	p.Type("#summary", " The mail came from a supplier.")
	p.Submit("form[action$='/edit'] button.primary")
	text := p.Text("main")
	for _, want := range []string{"Somebody else changed this", "Finance saw it first.", "The mail came from a supplier."} {
		if !strings.Contains(text, want) {
			t.Fatalf("the page with both texts does not say %q: %q", want, text)
		}
	}
	if own := webtest.Eval[string](p, `document.querySelector("#summary").value`); !strings.Contains(own, "The mail came from a supplier.") {
		t.Errorf("the own words are not in the box: %q", own)
	}
	p.Quiet(deaf{t}) // the browser notes that the answer was 409
	p.Check(t)
	p.Pictures("case-conflict")
	p.Submit("form[action$='/edit'] button.primary")
	c, err = w.Case(t.Context(), lead, id)
	caseMust(t, err)
	if !strings.Contains(c.Summary, "The mail came from a supplier.") {
		t.Errorf("after both texts were seen the case says %q", c.Summary)
	}
	p.Go(home + "/history?lang=en")
	if text := p.Text("main"); !strings.Contains(text, "Finance saw it first.") {
		t.Errorf("the words of the first officer are not in the history: %q", text)
	}
	p.Check(t)
}

// storyCloses assesses the damage and closes the case.
func storyCloses(t *testing.T, p *webtest.Page, home string) {
	p.Go(home + "/damage?lang=en")
	p.Click("input[name=taken][value=some]")
	p.Type("#what", "Drawings of one valve.")
	p.Type("#measures", "Second factor for all suppliers.")
	p.Submit("form[action$='/damage'] button.primary")
	p.Go(home + "/status?lang=en")
	p.Click("input[name=status][value=closed]")
	p.Type("#reason", "Accounts are closed and the damage is known.")
	p.Click("input[name=late][value=yes]")
	p.Submit("form[action$='/status'] button.primary")
	if text := p.Text("main"); !strings.Contains(text, "Closed:") {
		t.Fatalf("after closing the page says %q", text)
	}
	p.Check(t)
	p.Pictures("case-closed")
}
