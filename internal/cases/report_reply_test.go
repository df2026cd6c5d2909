package cases

import (
	"testing"

	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// swapReporter puts another key in the place of the reporter's, as somebody does who edits the database.
func (w *deskWorld) swapReporter(id string, k seal.PublicKey) {
	w.t.Helper()
	deskMust(w.t, w.db.Write(w.t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE cases_report SET reporter = ? WHERE id = ?`, k[:], id)
		return err
	}))
}

// TestReportNamesReply: what the node seals names the key of a reporter who keeps a receipt, and nobody's otherwise; a
// client that sends plain answers names none.
func TestReportNamesReply(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	for _, c := range []struct {
		why       string
		anonymous bool
	}{{"with a receipt", true}, {"without one", false}} {
		var posted ReportPosted
		w.ask("", "POST", "/api/v1/reports", ReportPost{Answers: &Answers{What: "x " + c.why}, Anonymous: c.anonymous}, &posted, 201)
		want := ""
		if c.anonymous {
			access, err := seal.Receipt(posted.Receipt).Access(w.ReceiptSalt())
			deskMust(t, err)
			want = access.Key.Public().String()
		}
		found := false
		for _, v := range w.inbox("anna") {
			if a := deskAnswers(t, v.Box, w.keys["anna"]); a.What == "x "+c.why {
				found = true
				if a.Reply != want {
					t.Errorf("%s: the answers name the key %q, want %q", c.why, a.Reply, want)
				}
			}
		}
		if !found {
			t.Errorf("%s: no such report", c.why)
		}
	}
	w.ask("", "POST", "/api/v1/reports", ReportPost{Answers: &Answers{What: "x", Reply: newDevice(w).key.Public().String()}, Anonymous: true}, nil, 400)
}

// TestS30BrowserReporterKey (S30): where somebody has put a key of their own in the place of the reporter's, in the database
// and so in every answer of the node, the reader's page seals nothing to it.
func TestS30BrowserReporterKey(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := newReaderWorld(t)
	w.reader("bram")
	d := w.desk("carla", DeskSettings{Name: "Confidential adviser", Listed: true}, "bram")
	reporter := newDevice(w.deskWorld)
	reporter.report(w.view(d.Alias), "A visitor photographed the machine hall")
	id := w.inbox("bram")[0].ID
	w.swapReporter(id, newDevice(w.deskWorld).key.Public())
	p, site := deskBrowser(t, b, w, "bram")
	p.Go(site + "/cases/reports/" + id + "?lang=en")
	unlock(t, p, readerPhrase)
	until(t, p, "the report", `document.querySelector("#answer") !== null`)
	p.Type("#answer", "Thank you")
	webtest.Eval[bool](p, `(document.querySelector("#answer").form.requestSubmit(), true)`)
	until(t, p, "the refusal", `document.querySelector("#desk-said.bad") !== null`)
	if v, err := w.Report(t.Context(), deskPeople["bram"], id); err != nil || len(v.Messages) != 0 {
		t.Errorf("%d messages left, %v", len(v.Messages), err)
	}
	w.swapReporter(id, reporter.key.Public())
	p.Go(site + "/cases/reports/" + id)
	unlock(t, p, readerPhrase)
	until(t, p, "the report again", `document.querySelector("#answer") !== null`)
	p.Type("#answer", "Thank you")
	webtest.Eval[bool](p, `(document.querySelector("#answer").form.requestSubmit(), true)`)
	until(t, p, "the answer", `document.querySelector("#desk-one ol") !== null`)
	p.Quiet(t)
}
