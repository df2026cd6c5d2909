package cases

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/accounts"
	"github.com/polder-exchange/polder/internal/db"
	"github.com/polder-exchange/polder/internal/jobs"
)

// TestF5Reports (F5): on a full disk reports and messages get 507 and leave nothing, reading goes on, and with room again
// they are taken.
func TestF5Reports(t *testing.T) {
	var full atomic.Bool
	w := openDeskWorld(t, t.TempDir(), ServiceOptions{})
	w.acme()
	v, d := w.view("confidential-adviser"), newDevice(w)
	d.report(v, "x")
	deskMust(t, w.db.Close())
	free := func(string) (int64, error) {
		if full.Load() {
			return 1 << 20, nil
		}
		return 1 << 40, nil
	}
	w2 := openDeskWorldOn(t, w.dir, ServiceOptions{}, db.Options{Free: free})
	w2.keys, d.w = w.keys, w2
	tables := func() (n int) {
		deskMust(t, w2.db.Read().QueryRow(`SELECT (SELECT count(*) FROM cases_report) + (SELECT count(*) FROM cases_box) + (SELECT count(*) FROM cases_once) + (SELECT count(*) FROM blob_ref)`).Scan(&n))
		return n
	}
	before := tables()
	full.Store(true)
	second := newDevice(w2).post(v, Answers{What: "y"}, "a file")
	for what, out := range map[string]int{
		"a sealed report": w2.send("", "POST", "/api/v1/reports", second).Code,
		"plain answers":   w2.send("", "POST", "/api/v1/reports", ReportPost{Answers: &Answers{What: "z"}, Anonymous: true}).Code,
		"a message":       w2.send("", "POST", "/api/v1/reports/thread/message", ReportSaid{Proof: d.proof, Box: d.box(v, false, PurposeMessage, "m")}).Code,
	} {
		if out != http.StatusInsufficientStorage {
			t.Errorf("%s on a full disk: %d, want 507", what, out)
		}
	}
	if tables() != before {
		t.Error("a full disk left a half of something")
	}
	if len(w2.inbox("anna")) != 1 || d.thread().State != ReportNew {
		t.Error("reading does not go on")
	}
	full.Store(false)
	w2.ask("", "POST", "/api/v1/reports", second, nil, 201)
	if len(w2.inbox("anna")) != 2 {
		t.Error("with room again the report is not there")
	}
}

// keepOnce does the daily work.
func (w *deskWorld) keepOnce() {
	w.t.Helper()
	deskMust(w.t, w.keepReports(w.t.Context(), jobs.Job{}))
}

const deskDay = 24 * time.Hour

// TestF8ReportClock (F8): a clock that jumps ten years and back opens no limit and takes nothing away; what was removed
// when its time had come does not come back.
func TestF8ReportClock(t *testing.T) {
	rates := deskRates
	rates.Look = accounts.Allowance{Burst: 3, Every: time.Hour}
	w := openDeskWorld(t, t.TempDir(), ServiceOptions{Rates: rates})
	w.acme()
	v, d := w.view("confidential-adviser"), newDevice(w)
	d.report(v, "x")
	shut := newDevice(w)
	shut.report(v, "y")
	all := w.inbox("anna")
	i := slices.IndexFunc(all, func(r ReportView) bool { return deskAnswers(t, r.Box, w.keys["anna"]).What == "y" })
	_, err := w.CloseReport(t.Context(), deskPeople["anna"], all[i].ID)
	deskMust(t, err)
	var codes []int
	for _, jump := range []time.Duration{0, 3650 * deskDay, -3650 * deskDay, -3650 * deskDay, 3650 * deskDay} {
		w.pass(jump)
		w.keepOnce() // some hours in a wrong year take nothing
		w.pass(20 * time.Hour)
		w.keepOnce()
		codes = append(codes, w.send("", "POST", "/api/v1/reports/thread", ReportProof{"x"}).Code)
	}
	if want := []int{404, 404, 404, 429, 429}; !slices.Equal(codes, want) {
		t.Errorf("answers to guesses while the clock jumps: %v, want %v", codes, want)
	}
	w.reports.look = accounts.NewLimiter(deskRates.Look, 10, nil)
	if d.thread().State != ReportNew || shut.thread().State != ReportClosed {
		t.Error("a clock that jumped for a moment took something away")
	}
	w.pass(366 * deskDay)
	w.keepOnce()
	w.pass(2 * deskDay)
	w.keepOnce()
	w.pass(-3650 * deskDay)
	for name, who := range map[string]*device{"an ended receipt": d, "a receipt of a removed report": shut} {
		if out := w.send("", "POST", "/api/v1/reports/thread", ReportProof{who.proof}); out.Code != 404 {
			t.Errorf("%s opens again with the clock set back: %d", name, out.Code)
		}
	}
	if n := len(w.inbox("anna")); n != 1 {
		t.Errorf("%d reports are left, want the open one", n)
	}
}

// TestReportKept: what comes to its end when. A message, of either side, keeps a report; a closed one stays for a while.
func TestReportKept(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	v := w.view("confidential-adviser")
	closeIt := func(d *device, what string) string {
		for _, r := range w.inbox("anna") {
			if deskAnswers(t, r.Box, w.keys["anna"]).What == what {
				_, err := w.CloseReport(t.Context(), deskPeople["anna"], r.ID)
				deskMust(t, err)
				return r.ID
			}
		}
		t.Fatalf("no report %q", what)
		return ""
	}
	state := func(d *device) string {
		out := w.send("", "POST", "/api/v1/reports/thread", ReportProof{d.proof})
		var th ReportThreadView
		if out.Code == 200 {
			deskMust(t, json.Unmarshal(out.Body.Bytes(), &th))
			return string(th.State)
		}
		return fmt.Sprint(out.Code)
	}
	days := func(n int) {
		for range n / 10 {
			w.pass(10 * deskDay)
			w.keepOnce()
		}
	}
	open, shut, spoken := newDevice(w), newDevice(w), newDevice(w)
	for name, d := range map[string]*device{"open": open, "shut": shut, "spoken": spoken} {
		d.report(v, name, "a file of "+name)
	}
	closeIt(shut, "shut")
	id := closeIt(spoken, "spoken")
	days(80)
	if state(shut) != "closed" || state(spoken) != "closed" {
		t.Fatalf("after 80 days: %s, %s", state(shut), state(spoken))
	}
	w.ask("", "POST", "/api/v1/reports/thread/message", ReportSaid{Proof: spoken.proof, Box: spoken.box(v, false, PurposeMessage, "It goes on")}, nil, 200)
	days(40)
	if state(shut) != "404" || state(spoken) != "acknowledged" || state(open) != "new" {
		t.Errorf("after 120 days: closed %s, with a new message %s, open %s; want 404, acknowledged, new", state(shut), state(spoken), state(open))
	}
	if _, err := w.Report(t.Context(), deskPeople["anna"], id); err != nil {
		t.Errorf("a report into which a message just came is gone: %v", err)
	}
	days(300)
	if state(open) != "404" || len(w.inbox("anna")) != 2 {
		t.Errorf("after a year the receipt of an open report says %s, and its readers have %d reports; want 404 and 2", state(open), len(w.inbox("anna")))
	}
	_, err := w.blobs.Sweep(t.Context())
	deskMust(t, err)
	files, err := filepath.Glob(filepath.Join(w.dir, "files", "*", "*"))
	deskMust(t, err)
	if len(files) != 2 {
		t.Errorf("%d files are left, want those of the two reports that are", len(files))
	}
}

// TestS3Reports (S3): ids of one report with those of another, of another desk and of another organisation change and
// show nothing.
func TestS3Reports(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	w.desk("olaf", DeskSettings{Name: "Tulip", Listed: true}, "olaf")
	mine, theirs := newDevice(w), newDevice(w)
	mine.report(w.view("confidential-adviser"), "mine", "f")
	theirs.report(w.view("tulip"), "theirs", "f")
	a, b := w.inbox("anna")[0], w.inbox("olaf")[0]
	whole := func() string {
		v, err := w.Report(t.Context(), deskPeople["olaf"], b.ID)
		deskMust(t, err)
		text, err := json.Marshal(v)
		deskMust(t, err)
		return string(text)
	}
	before := whole()
	wraps := ReportWraps{Report: b.Box.Wraps, Messages: map[string][]sealWrap{b.Files[0].ID: b.Box.Wraps}}
	answer := ReportAnswer{Box: mine.box(w.view("confidential-adviser"), false, PurposeMessage, "x")}
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/inbox/" + b.ID, nil}, {"POST", "/inbox/" + b.ID + "/acknowledge", nil}, {"POST", "/inbox/" + b.ID + "/close", nil}, {"POST", "/inbox/" + b.ID + "/reopen", nil},
		{"POST", "/inbox/" + b.ID + "/messages", answer}, {"PUT", "/inbox/" + b.ID + "/case", reportCaseBody{"case--11111111-1111-4111-8111-111111111111"}},
		{"POST", "/inbox/" + b.ID + "/wraps", wraps}, {"DELETE", "/inbox/" + b.ID, nil}, {"GET", "/inbox/" + b.ID + "/files/" + b.Files[0].ID, nil},
		{"GET", "/inbox/" + a.ID + "/files/" + b.Files[0].ID, nil}, {"GET", "/inbox?after=" + b.ID, nil},
	} {
		for _, who := range []string{"anna", "carla"} {
			if who == "carla" && strings.Contains(c.path, "?") {
				continue // she reads for no desk: her queue is empty, whatever it is to come after
			}
			other, none := w.send(who, c.method, "/api/v1/reports"+c.path, c.body), w.send(who, c.method, "/api/v1/reports"+strings.ReplaceAll(c.path, b.ID, "aaaaaaaaaaaaaaaaaaaaaaaaaa"), c.body)
			if other.Code != 404 || none.Code != 404 && !strings.Contains(c.path, a.ID) || other.Body.Len() != none.Body.Len() && !strings.Contains(c.path, a.ID) {
				t.Errorf("%s %s as %s: %d; for an id of nothing %d (S5)", c.method, c.path, who, other.Code, none.Code)
			}
		}
		if out := w.send("admin", c.method, "/api/v1/reports"+c.path, c.body); out.Code != 403 {
			t.Errorf("%s %s as who manages the node: %d, want 403", c.method, c.path, out.Code)
		}
	}
	if whole() != before {
		t.Error("what others sent changed a report")
	}
	if out := w.send("olaf", "PUT", "/api/v1/desks/confidential-adviser", DeskSettings{Name: "Mine now"}); out.Code != 404 {
		t.Errorf("another organisation's desk: %d", out.Code)
	}
}

// TestS1ReportRoutes (S1): every route of reports and desks for nobody, each role and who manages the node, and each
// method that no route declares.
func TestS1ReportRoutes(t *testing.T) {
	w := newDeskWorld(t)
	w.acme()
	declared := map[string][]string{}
	for _, r := range NewAPI(w.Service).reportRoutes() {
		declared[r.Pattern] = append(declared[r.Pattern], r.Method)
	}
	roles := map[string]polder.Actor{"": {}, "anna": deskPeople["anna"], "bram": deskPeople["bram"], "carla": deskPeople["carla"], "admin": deskPeople["admin"]}
	for _, r := range NewAPI(w.Service).reportRoutes() {
		path := strings.NewReplacer("{id}", "aaaaaaaaaaaaaaaaaaaaaaaaaa", "{alias}", "nothing", "{key}", "00000000000000000000000000000000", "{file}", "x").Replace(r.Pattern)
		for name, who := range roles {
			out := w.send(name, r.Method, path, `{"what":"no such member"}`)
			denied := out.Code == 401 || out.Code == 403
			if allowed := r.Need.Allows(who); allowed == denied {
				t.Errorf("%s %s as %q: %d, and the door is for %s", r.Method, r.Pattern, name, out.Code, r.Need)
			}
			if r.Need != 0 && name == "" && out.Code != 401 || name == "admin" && r.Need != 0 && out.Code != 403 {
				t.Errorf("%s %s as %q: %d", r.Method, r.Pattern, name, out.Code)
			}
		}
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
			if out := w.send("carla", method, path, nil); !slices.Contains(declared[r.Pattern], method) && out.Code != 405 {
				t.Errorf("%s %s: %d, want 405", method, r.Pattern, out.Code)
			}
		}
		if r.Need == 0 && !r.Unseen {
			t.Errorf("%s %s is for reporters, and looks at who asks", r.Method, r.Pattern)
		}
	}
}
