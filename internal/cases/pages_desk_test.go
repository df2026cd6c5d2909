package cases

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/seal"
)

// status is how the node answers somebody's browser.
func (w *readerWorld) status(who, method, path string) int {
	w.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if who != "" {
		r.AddCookie(&http.Cookie{Name: "polder", Value: who})
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out.Code
}

// TestDeskPagesOpenToReaders: who does not read a report learns nothing of it, whether it is there or not.
func TestDeskPagesOpenToReaders(t *testing.T) {
	w := newReaderWorld(t)
	d := w.acme()
	newDevice(w.deskWorld).report(w.view(d.Alias), "Something happened")
	id := w.inbox("anna")[0].ID
	for _, c := range []struct {
		who, path string
		want      int
		why       string
	}{
		{"anna", "/cases/reports/" + id, 200, "she reads for the desk"},
		{"carla", "/cases/reports/" + id, 404, "a steward who does not read sees none"},
		{"olaf", "/cases/reports/" + id, 404, "nor does another organisation"},
		{"anna", "/cases/reports/report--none", 404, "one that is not there"},
		{"admin", "/cases/reports", 403, "who administers the node reads nothing"},
		{"admin", "/cases/reports/" + id, 403, "nor one report"},
		{"admin", "/cases/key", 403, "nor has a key"},
		{"olaf", "/cases/desks/" + d.Alias, 404, "desks are shown to their own organisation"},
		{"olaf", "/cases/desks/" + d.Alias + "/poster", 404, "posters too"},
		{"anna", "/cases/desks/" + d.Alias, 200, "a reader sees who reads beside her"},
		{"", "/cases/reports", 303, "nobody is sent to the log-in page"},
	} {
		if got := w.status(c.who, "GET", c.path); got != c.want {
			t.Errorf("GET %s as %q: %d, want %d: %s", c.path, c.who, got, c.want, c.why)
		}
	}
	for _, path := range []string{"/cases/desks", "/cases/desks/" + d.Alias, "/cases/desks/" + d.Alias + "/close", "/cases/desks/" + d.Alias + "/readers"} {
		if got := w.status("anna", "POST", path); got != 403 {
			t.Errorf("POST %s as a reader: %d, want 403", path, got)
		}
	}
	if out := w.post("olaf", "/cases/desks/"+d.Alias+"/remove", "key", string(w.keys["anna"].Public().ID())); out.Code != 404 {
		t.Errorf("another organisation takes a reader out: %d", out.Code)
	}
}

// TestDeskPagesSettings walks a desk from its opening to its close by forms alone, in both languages.
func TestDeskPagesSettings(t *testing.T) {
	w := newReaderWorld(t)
	w.key("anna")
	w.key("bram")
	if out := w.post("carla", "/cases/desks", "name", "", "kind", "reports"); out.Code != 400 || !strings.Contains(out.Body.String(), "Is empty; write how the desk is called") {
		t.Errorf("without a name: %d %s", out.Code, out.Body.String())
	}
	out := w.post("carla", "/cases/desks", "name", "Meldpunt <b>", "alias", "meldpunt", "kind", "reports", "listed", "yes", "promise", "Binnen een dag", "phone", "+31 15 1")
	if out.Code != 303 || out.Header().Get("Location") != "/cases/desks/meldpunt" {
		t.Fatalf("opening: %d %s", out.Code, out.Body.String())
	}
	const home = "/cases/desks/meldpunt"
	if page := w.see("carla", home); !strings.Contains(page, "Meldpunt &lt;b&gt;") || !strings.Contains(page, "Nobody reads yet") {
		t.Errorf("the desk's page says %s", page)
	}
	for _, who := range []string{"p-anna", "p-bram"} {
		if out := w.post("carla", home+"/readers", "person", who, "called", ""); out.Code != 303 {
			t.Fatalf("naming %s: %d %s", who, out.Code, out.Body.String())
		}
	}
	if out := w.post("carla", home+"/readers", "person", "p-dirk"); out.Code < 400 || out.Code > 409 {
		t.Errorf("naming somebody without a key: %d", out.Code)
	}
	page := w.see("anna", home+"?lang=nl")
	for _, want := range []string{"Wacht op bevestiging", w.keys["bram"].Public().Fingerprint(), "Bevestig", "Lijst van sleutels", "Benoemd"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	bram := string(w.keys["bram"].Public().ID())
	if out := w.post("bram", home+"/confirm", "key", bram); out.Code == 303 {
		t.Error("somebody confirms himself")
	}
	if out := w.post("anna", home+"/confirm", "key", bram); out.Code != 303 {
		t.Fatalf("confirming: %d %s", out.Code, out.Body.String())
	}
	if v := w.view("meldpunt"); len(v.Readers) != 2 || len(seal.InForce(v.Log)) != 2 {
		t.Errorf("after confirming the desk has %+v", v.Readers)
	}
	if out := w.post("carla", home, "name", "Meldpunt", "kind", "reports", "promise", "Binnen een week"); out.Code != 303 {
		t.Errorf("changing: %d %s", out.Code, out.Body.String())
	}
	if v := w.view("meldpunt"); v.Name != "Meldpunt" || v.Promise != "Binnen een week" || v.Listed {
		t.Errorf("after the change the desk is %+v", v)
	}
	if out := w.post("carla", home+"/remove", "key", bram); out.Code != 303 {
		t.Errorf("removing: %d %s", out.Code, out.Body.String())
	}
	if v := w.view("meldpunt"); len(v.Readers) != 1 {
		t.Errorf("after removing the desk has %+v", v.Readers)
	}
	if out := w.post("carla", home+"/close"); out.Code != 303 {
		t.Errorf("closing: %d %s", out.Code, out.Body.String())
	}
}

// TestDeskPagesTexts: every text that the scripts use is there, in both languages.
func TestDeskPagesTexts(t *testing.T) {
	w := newReaderWorld(t)
	w.acme()
	for _, lang := range []string{"en", "nl"} {
		page := w.see("anna", "/cases/reports?lang="+lang)
		for _, key := range deskTexts {
			if !strings.Contains(page, `<li data-key="`+key+`">`) {
				t.Errorf("%s: the page lacks the text %q", lang, key)
			}
		}
		if strings.Contains(page, ">cases.desk.") {
			t.Errorf("%s: a text has no words", lang)
		}
	}
	scripts := ""
	for _, name := range []string{"desk.js", "desk_report.js", "desk_key.js", "desk_page.js"} {
		text, err := pageFiles.ReadFile("static/" + name)
		deskMust(t, err)
		scripts += string(text)
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage", "sessionStorage", "indexedDB", ".style"} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s uses %s", name, bad)
			}
		}
	}
	for _, key := range deskTexts {
		stem, _, _ := strings.Cut(key, ".")
		if !strings.Contains(scripts, `"`+strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")+`"`) && !strings.Contains(scripts, "`"+stem+".") && !strings.Contains(scripts, `"`+stem+`"`) {
			t.Errorf("no script says %q", key)
		}
	}
}
