package cases

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/stix"
)

// deadlineAPI is the REST API of deadlines over a world.
func deadlineAPI(t *testing.T) *casePages {
	t.Helper()
	w := newCasePages(t)
	var err error
	w.site, err = web.New(web.Options{Identify: w, Now: w.tick}, ConsolePart())
	caseMust(t, err)
	w.handler, err = w.site.Handler(NewAPI(w.Service).deadlineRoutes()...)
	caseMust(t, err)
	return w
}

func (w *casePages) call(who, method, path, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.send(who, method, "/api/v1"+path, "application/json", strings.NewReader(body))
}

// GET /api/v1/deadlines answers as the command line does; words that are not known are refused with those that are.
func TestDeadlineAPICompute(t *testing.T) {
	w := deadlineAPI(t)
	out := w.call("looker", "GET", "/deadlines?jurisdiction=NL&sector=energy&kind=incident&aware=2026-11-22T09:44:00%2B01:00", "")
	var answer deadlineAnswer
	if out.Code != http.StatusOK || json.Unmarshal(out.Body.Bytes(), &answer) != nil || len(answer.Deadlines) < 3 {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	if d := answer.Deadlines[0]; d.What != "early warning" || d.Due != "2026-11-23T09:44:00+01:00" || d.Status != "unconfirmed" || d.Source == "" {
		t.Errorf("first: %+v", d)
	}
	for query, want := range map[string]string{"jurisdiction=NL&sector=gardening&kind=incident&aware=now": "use one of any, other, energy", "jurisdiction=NL&kind=incident": "cannot be read as a time", "kind=incident&aware=now": "jurisdiction: nothing is said",
		"jurisdiction=NL&sectr=energy&kind=incident&aware=now": "is not known", "jurisdiction=NL&jurisdiction=DE&kind=incident&aware=now": "given twice", "jurisdiction=NL&kind=incident&aware=now&serious=perhaps": "use yes, no or unknown"} {
		if out := w.call("looker", "GET", "/deadlines?"+query, ""); out.Code != http.StatusBadRequest || !strings.Contains(out.Body.String(), want) {
			t.Errorf("%s: %d %s, want 400 and %q", query, out.Code, out.Body, want)
		}
	}
	for _, who := range []string{"", "admin"} {
		if out := w.call(who, "GET", "/deadlines?jurisdiction=NL&kind=incident&aware=now", ""); out.Code/100 == 2 {
			t.Errorf("%q asks: %d", who, out.Code)
		}
	}
}

// A case is counted, reported and answered for over the API; who is not in it finds nothing.
func TestDeadlineAPICase(t *testing.T) {
	w := deadlineAPI(t)
	id := w.energyCase(stix.Amber, "Odd log-ins")
	home := "/cases/" + string(id)
	for _, c := range []struct{ method, path, body, holds string }{
		{"GET", "/deadlines/open", "", `"open":5`},
		{"GET", home + "/deadlines", "", `"rule":"nis2-nl/early-warning"`},
		{"POST", home + "/duties", `{"jurisdictions":["NL"],"sectors":["energy"],"kinds":["incident","datalek"],"serious":"yes","version":1}`, `"rule":"gdpr-nl/notification"`},
		{"POST", home + "/events", `{"name":"ongoing","at":"2026-11-20T08:30:00Z"}`, `"rule":"nis2-nl/progress-report"`},
		{"POST", home + "/events/1/struck", `{"reason":"it has stopped"}`, `"struck":true`},
		{"POST", home + "/deadlines/nis2-nl.early-warning/sent", `{"reference":"NC-1","version":1}`, `"state":"sent"`},
		{"POST", home + "/deadlines/nis2-nl%2Fearly-warning/reopened", `{"reason":"wrong desk","version":2}`, `"version":3`},
		{"POST", home + "/deadlines/nis2-nl.early-warning/excused", `{"reason":"the authority waived it","version":3}`, `"state":"excused"`},
		{"POST", home + "/aware", `{"at":"2026-11-20T07:00:00Z","reason":"the night watch saw it","version":1}`, `"reason":"the night watch saw it"`},
		{"GET", home + "/deadlines/nis2-nl.notification/form", "", `"missing":[`},
		{"GET", home + "/deadlines/nis2-nl.notification/form.pdf", "", "%PDF-"},
	} {
		if c.method == "POST" || strings.Contains(c.path, "/cases/") {
			for _, who := range []string{"chief", "contact", "admin", "partner", ""} {
				if out := w.call(who, c.method, c.path, c.body); out.Code/100 == 2 {
					t.Errorf("%s %s as %q: %d", c.method, c.path, who, out.Code)
				}
			}
		}
		if out := w.call("lead", c.method, c.path, c.body); out.Code != http.StatusOK || !strings.Contains(out.Body.String(), c.holds) {
			t.Errorf("%s %s: %d %.600s, want %s", c.method, c.path, out.Code, out.Body, c.holds)
		}
	}
	for _, c := range []struct{ path, body string }{
		{"/deadlines/nis2-nl.early-warning/sent", `{"reference":"NC-1","versoin":1}`}, {"/deadlines/nis2-nl.early-warning/sent", `{`}, {"/deadlines/nis2-nl.early-warning/excused", `{"version":4}`}, {"/aware", `{"at":"yesterday"}`}, {"/events", `{"name":"moon","at":"2026-11-20T08:30:00Z"}`},
		{"/events/x/struck", `{}`}, {"/duties", `[]`}, {"/deadlines/nis2-nl.early-warning/sent", `{"version":4,"at":"2150-01-01T00:00:00Z"}`}} {
		if out := w.call("lead", "POST", home+c.path, c.body); out.Code/100 != 4 {
			t.Errorf("%s %s: %d, want that it is refused", c.path, c.body, out.Code)
		}
	}
	w.set(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	if out := w.call("lead", "GET", "/deadlines/open?late=yes", ""); out.Code != http.StatusOK || !strings.Contains(out.Body.String(), `"late":2`) {
		t.Errorf("late: %d %.300s, want the notifications of NIS2 and GDPR", out.Code, out.Body)
	}
}
