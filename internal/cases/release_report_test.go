package cases

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/indicator"
	"github.com/polder-exchange/polder/internal/journal"
	"github.com/polder-exchange/polder/internal/web/webtest"
	"github.com/polder-exchange/polder/stix"
)

// newReleaseWorld is a reader's world with an exchange, a desk that Bram reads, and one report.
func newReleaseWorld(t *testing.T) (w *readerWorld, ring *sharedRing, report string) {
	w = newReaderWorld(t)
	ring = &sharedRing{t: t, now: w.clock, objects: map[string]journal.Delivery{}}
	w.Service.o.Exchange = ring
	w.reader("bram")
	d := w.desk("carla", DeskSettings{Name: "Adviser", Listed: true}, "bram")
	newDevice(w.deskWorld).report(w.view(d.Alias), "Mail from jan@betaal-hier.example asks for drawings. "+deskCanary)
	return w, ring, w.inbox("bram")[0].ID
}

// noTrace checks that nothing that left, and no table but those of reports and of the audit, holds the id of the report.
func (w *readerWorld) noTrace(ring *sharedRing, report string) {
	w.t.Helper()
	for _, r := range ring.left {
		for _, raw := range r.Objects {
			if strings.Contains(string(raw), report) || strings.Contains(string(raw), deskCanary) {
				w.t.Errorf("it left with the report: %s", raw)
			}
		}
	}
	var kept int
	deskMust(w.t, w.db.Read().QueryRow(`SELECT count(*) FROM cases_release`).Scan(&kept))
	if kept != 0 {
		w.t.Errorf("%d lines say what left from a report", kept)
	}
	said := 0
	all, err := w.audit.List(w.t.Context(), deskAudit(deskPeople["carla"]))
	deskMust(w.t, err)
	for _, e := range all {
		if e.Action == "report.release" {
			said++
			if e.Object != report || len(e.Detail) != 0 || e.Org != deskAcme {
				w.t.Errorf("the audit says %+v", e)
			}
		}
	}
	if said != len(ring.left) {
		w.t.Errorf("%d left, and the audit says %d", len(ring.left), said)
	}
}

// TestReleaseOfReport: who reads a report may share what they chose of it, without a case; nothing leads back to it, and
// nobody else can.
func TestReleaseOfReport(t *testing.T) {
	w, ring, report := newReleaseWorld(t)
	ask := ReleaseAsk{Report: report, Values: []Observable{{Type: indicator.Domain, Value: "betaal-hier.example", Bad: true}}, Title: "Lure", Text: "They ask for drawings.", Community: "ring", Level: stix.Amber}
	for _, s := range []struct {
		why, who string
		is       polder.Kind
	}{
		{"a steward who does not read it", "carla", polder.NotFound},
		{"a colleague whose role reads", "anna", polder.Forbidden},
		{"another organisation", "olaf", polder.NotFound},
		{"who manages the node", "admin", polder.Forbidden},
	} {
		_, err := w.ReleaseFrom(t.Context(), deskPeople[s.who], ask)
		deskIs(t, s.why, err, s.is)
	}
	preview := ask
	preview.Preview = true
	got, err := w.ReleaseFrom(t.Context(), deskPeople["bram"], preview)
	deskMust(t, err)
	if got.Left || len(ring.left) != 0 || len(got.Lines) != 2 {
		t.Fatalf("the preview is %+v", got)
	}
	w.noTrace(ring, report)
	ask.Seen = got.Digest
	if got, err = w.ReleaseFrom(t.Context(), deskPeople["bram"], ask); err != nil || !got.Left || len(ring.left) != 1 {
		t.Fatalf("released: %+v %v", got, err)
	}
	w.noTrace(ring, report)
	deskMust(t, func() error {
		_, err := w.CloseReport(t.Context(), deskPeople["bram"], report)
		return err
	}())
}

// TestS34ReleaseOfPressed: nothing is shared of what somebody told who is under pressure.
func TestS34ReleaseOfPressed(t *testing.T) {
	w, ring, _ := newReleaseWorld(t)
	d := w.desk("carla", DeskSettings{Name: "For who is pressed", Kind: DeskPressed, Confirmed: true}, "bram")
	newDevice(w.deskWorld).report(w.view(d.Alias), "They threaten my family. "+deskCanary)
	for _, v := range w.inbox("bram") {
		if v.Desk != d.Alias {
			continue
		}
		ask := ReleaseAsk{Report: v.ID, Text: "x", Community: "ring", Level: stix.Amber, Confirmed: true}
		_, err := w.ReleaseFrom(t.Context(), deskPeople["bram"], ask)
		deskIs(t, "of the pressed", err, polder.Forbidden)
		if out := w.post("bram", "/cases/release", "report", v.ID, "start", "yes"); out.Code != 403 {
			t.Errorf("the page: %d", out.Code)
		}
	}
	if len(ring.left) != 0 {
		t.Errorf("%d left", len(ring.left))
	}
}

// TestReleasePageAsks: the page refuses what is none, in its words, and keeps what was filled in.
func TestReleasePageAsks(t *testing.T) {
	w, ring, report := newReleaseWorld(t)
	for _, c := range []struct {
		why  string
		code int
		says string
		form []string
	}{
		{"no report", 400, "which report", []string{"text", "x"}},
		{"nothing chosen", 400, "choose an observable or write a text", []string{"report", report, "community", "ring", "tlp", "amber"}},
		{"a value of no kind", 400, "values", []string{"report", report, "community", "ring", "tlp", "amber", "values", "nothing at all"}},
		{"items of a case", 400, "choose an observable", []string{"report", report, "community", "ring", "tlp", "amber", "items", "item-1"}},
		{"what was not seen", 409, "has changed since you looked", []string{"report", report, "community", "ring", "tlp", "amber", "text", "kept words", "seen", "else", "send", "yes"}},
	} {
		out := w.post("bram", "/cases/release?lang=en", c.form...)
		if out.Code != c.code || !strings.Contains(html.UnescapeString(out.Body.String()), c.says) {
			t.Errorf("%s: %d %.1500s", c.why, out.Code, caseMain(out.Body.String()))
		}
	}
	if len(ring.left) != 0 {
		t.Errorf("%d left", len(ring.left))
	}
}

// TestBrowserReleaseOfReport shares a value of a report and a text, as an officer does: chosen on the device, looked at,
// and let out. S29: of the report nothing comes to the node but what was chosen.
func TestBrowserReleaseOfReport(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w, ring, report := newReleaseWorld(t)
	p, site := deskBrowser(t, b, w, "bram")
	p.Go(site + "/cases/reports/" + report + "?lang=en")
	unlock(t, p, readerPhrase)
	until(t, p, "the form", `document.querySelector("#share-text") !== null`)
	webtest.Eval[bool](p, `(document.querySelector("#share-text").closest("details").open = true)`)
	p.Check(t)
	p.Pictures("desk-share")
	webtest.Eval[bool](p, `([...document.querySelectorAll("[id^=share-value-]")].find(b => b.value === "email jan@betaal-hier.example").checked = true)`)
	webtest.Eval[bool](p, `(document.querySelector("#share-title").value = "A lure", document.querySelector("#share-text").value = "Somebody asks for drawings by mail.", true)`)
	p.Submit("form[action='/cases/release'] button")
	shown := p.Text("main")
	if !strings.Contains(shown, "jan@betaal-hier[.]example") || strings.Contains(shown, deskCanary) {
		t.Fatalf("the page says %s", shown)
	}
	p.Check(t)
	p.Submit("form[action='/cases/release'] button.primary")
	look := p.Text("main")
	for _, want := range []string{"A lure", "Wafer Werke", "Contact Point BE"} {
		if !strings.Contains(look, want) {
			t.Errorf("the preview lacks %q: %s", want, look)
		}
	}
	if len(ring.left) != 0 {
		t.Fatal("it left before it was confirmed")
	}
	p.Check(t)
	p.Pictures("desk-share-preview")
	p.Submit("form:has(input[name=send]) button.primary")
	if len(ring.left) != 1 || !regexp.MustCompile(`email-addr.*jan@betaal-hier.example`).MatchString(fmt.Sprintf("%s", ring.left[0].Objects)) {
		t.Errorf("left: %+v", ring.left)
	}
	if at := p.Address(); !strings.HasSuffix(strings.Split(at, "?")[0], "/cases/reports/"+report) {
		t.Errorf("it leads to %s", at)
	}
	w.noTrace(ring, report)
	p.Quiet(t)
}
