package cases

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/cases/triage"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// reportNow is a Sunday.
var reportNow = time.Date(2026, 11, 22, 9, 45, 0, 0, time.UTC)

// reportParts are those whose scripts and styles the pages load.
func reportParts() []web.Part {
	return []web.Part{{Name: "seal", Files: seal.Files}, {Name: "triage", Files: triage.Files}, ConsolePart()}
}

func reportSite(t testing.TB) *web.Site {
	t.Helper()
	site, err := web.New(web.Options{Now: func() time.Time { return reportNow }}, reportParts()...)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func reportReader(name string, n byte) Reader {
	key := seal.NewPrivateKey([32]byte{8 * n}).Public()
	return Reader{Key: key.ID(), Public: key, Fingerprint: key.Fingerprint(), Name: name, Since: reportNow}
}

// reportDeskFull is a desk of which everything is said; text stands in all that people write.
func reportDeskFull(text string) DeskView {
	return DeskView{Alias: "orion", Name: "Orion Optics" + text, Organisation: "Orion Group" + text, Kind: DeskReports, Listed: true, Promise: "You are called within 2 hours." + text, Phone: "+31 (0)15 123 4567",
		Readers: []Reader{reportReader("Anna Visser"+text, 1), reportReader("Bram Kuiper"+text, 2)},
		Team:    &DeskTeamView{Alias: "csirt", Name: "National CSIRT" + text, Readers: []Reader{reportReader("Duty officer"+text, 3)}}, Salt: []byte("salt of receipts")}
}

// reportViews are every page, made without a service, by name; text stands in all that people write.
func reportViews(t testing.TB, reports *reportPages, site *web.Site, text string) map[string]http.HandlerFunc {
	t.Helper()
	p := &Pages{Service: NewService(ServiceOptions{Now: func() time.Time { return reportNow }, Secret: make([]byte, 32)}), site: site, reporter: reports}
	return map[string]http.HandlerFunc{
		"form": func(w http.ResponseWriter, r *http.Request) {
			p.reportShow(w, r, p.newReportForm(r, reportDeskFull(text), true))
		},
		"form-empty": func(w http.ResponseWriter, r *http.Request) {
			p.reportShow(w, r, p.newReportForm(r, DeskView{Alias: "none", Name: "A desk"}, false))
		},
		"pressed": func(w http.ResponseWriter, r *http.Request) {
			f := p.newReportForm(r, reportDeskFull(text), false)
			p.reportShowPressed(w, r, reportPressedPage{Form: &f})
		},
		"pressed-none": func(w http.ResponseWriter, r *http.Request) {
			p.reportShowPressed(w, r, reportPressedPage{None: true, Choose: []reportDesk{{"A" + text, "B", "/report/pressed/a"}}})
		},
		"enter": p.reportEnter,
		"wrong": func(w http.ResponseWriter, r *http.Request) { p.reportAsk(w, r, "Wrong"+text, 0) },
		"talk": func(w http.ResponseWriter, r *http.Request) {
			p.reportTalk(w, r, p.newReportTalk(r, ReportPlain{ReportThreadView: ReportThreadView{State: ReportAcknowledged, Received: reportNow, Ends: reportNow, Desk: reportDeskFull(text), Also: "team",
				Messages: []Message{{ID: "m1", From: "desk", At: reportNow}, {ID: "m2", From: "reporter", At: reportNow}, {ID: "m3", From: "desk", At: reportNow}}},
				Answers: &Answers{What: "What" + text}, Texts: map[string]string{"m1": "Answer" + text}}, "one two three four five six"), 0)
		},
		"readers": func(w http.ResponseWriter, r *http.Request) {
			words := p.reporter.leaflet.Words(r)
			log, err := seal.AppendLog(nil, seal.LogEntry{At: reportNow, Did: seal.DidAdd, Key: reportReader("", 1).Public, Name: "Anna" + text, By: "the desk"})
			if err != nil { // the log refuses such a name
				log = nil
			}
			p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "readers", Title: "T", Data: reportKeyPage{Desk: reportDeskFull(text), Logs: []reportKeyLog{newReportKeyLog(words, "Desk"+text, log), {Broken: true}}, Back: "/report"}})
		},
		"choose": func(w http.ResponseWriter, r *http.Request) {
			p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "choose", Title: "T", Data: reportDeskLinks([]DeskView{reportDeskFull(text)}, "/report/d/")})
		},
		"sent": func(w http.ResponseWriter, r *http.Request) {
			p.reportSent(w, r, p.newReportForm(r, reportDeskFull(text), true), ReportPost{Anonymous: true, Also: "team"}, ReportPosted{Receipt: "one two three four five six"})
		},
		"sent-named": func(w http.ResponseWriter, r *http.Request) {
			p.reportSent(w, r, p.newReportForm(r, reportDeskFull(text), true), ReportPost{}, ReportPosted{ID: "R-7" + text})
		},
		"none": func(w http.ResponseWriter, r *http.Request) {
			p.reporter.leaflet.Render(w, r, web.LeafletPage{Name: "none", Title: "T"})
		},
		"fault":  func(w http.ResponseWriter, r *http.Request) { p.reportFail(w, r, io.ErrUnexpectedEOF) },
		"closed": p.reportClosed,
	}
}

// reportHandler serves the views below /report/.
func reportHandler(t testing.TB, reports *reportPages, site *web.Site, text string) http.Handler {
	t.Helper()
	var routes []web.Route
	for name, show := range reportViews(t, reports, site, text) {
		routes = append(routes, web.Route{Method: "GET", Pattern: "/report/" + name, Exit: "test", Unseen: true, Handler: show})
	}
	h, err := site.Handler(routes...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// reportShown renders every view in a language.
func reportShown(t testing.TB, reports *reportPages, site *web.Site, lang, text string) map[string]string {
	t.Helper()
	h, out := reportHandler(t, reports, site, text), map[string]string{}
	for name := range reportViews(t, reports, site, text) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/report/"+name+"?lang="+lang, nil))
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			t.Fatalf("%s in %s: %d %s", name, lang, w.Code, w.Body)
		}
		out[name] = w.Body.String()
	}
	return out
}

// TestReportPagesRender shows every page in every language, and with texts that try to become markup (trust.md S35).
func TestReportPagesRender(t *testing.T) {
	site := reportSite(t)
	reports := embeddedReportPages(site)
	for _, lang := range []string{"en", "nl"} {
		for name, page := range reportShown(t, reports, site, lang, "") {
			for _, fault := range webtest.Broken([]byte(page)) {
				t.Errorf("%s in %s: %s", name, lang, fault)
			}
			if !strings.Contains(page, `<html lang="`+lang+`">`) {
				t.Errorf("%s does not say that it is in %s", name, lang)
			}
		}
	}
	for _, evil := range webtest.Strings() {
		for name, page := range reportShown(t, reports, site, "en", evil) {
			for _, fault := range webtest.Broken([]byte(page)) {
				t.Errorf("%s with %q: %s", name, evil, fault)
			}
		}
	}
}
