package cases

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

// fingers are somebody with a phone; every tap and every field that is typed in is one interaction.
type fingers struct {
	*webtest.Page
	n int
}

func (f *fingers) tap(selector string)        { f.n++; f.Page.Click(selector) }
func (f *fingers) fill(selector, text string) { f.n++; f.Page.Type(selector, text) }

// phone opens an address in a window of the size of a phone.
func phone(t *testing.T, b *webtest.Browser, address string) *fingers {
	p := b.Open(t, address)
	p.Size(390, 844)
	return &fingers{Page: p}
}

// reportWords are words that must never be read by anybody but the readers.
var reportWords = []string{"kwikstaart", "0612349876", "zeldzaamword"}

// reportFills answers the six questions.
func reportFills(f *fingers) {
	f.fill("#what", "A kwikstaart logs in at night on the remote-access server. <b>zeldzaamword</b>")
	f.tap("label:has([name=day][value=yesterday])")
	f.tap("label:has([name=road][value=insider])")
	f.tap("label:has([name=on][value=yes])")
	f.fill("#call", "0612349876")
	f.tap("label:has([name=who][value=members])")
}

// TestBrowserReportS29 sends an anonymous report from a phone with script, comes back with six words, reads the answer
// and writes back (trust.md S29, S30, S34): what is typed leaves the device sealed only.
func TestBrowserReportS29(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true, Promise: "You are called within 2 hours.", Phone: "015 123 4567"})
	f := phone(t, webtest.Start(t), w.url+"/report?lang=en")
	f.Wait("#seals-device")
	if n := strings.Count(f.Text("#readers"), "Anna Visser"); n != 1 {
		t.Errorf("before sending the page names the reader %d times", n)
	}
	w.took()
	reportFills(f)
	if seen := w.took(); len(seen) != 0 {
		t.Fatalf("before Send something left: %s %s", seen[0].method, seen[0].uri)
	}
	f.tap("#send")
	f.Wait("#receipt")
	receipt := f.Text("#receipt")
	if len(strings.Fields(receipt)) != 6 {
		t.Fatalf("the receipt is %q", receipt)
	}
	f.Check(t)
	f.Pictures("report-arrived")
	f.Size(390, 844)
	reportKeptNothing(t, f, receipt)
	f.tap("label:has(#confirm)")
	f.tap("#done")
	f.Wait("main:not(:has(#receipt)) .note")
	if f.n > 12 {
		t.Errorf("a report takes %d interactions, above 12", f.n)
	}
	t.Logf("%d interactions to a sent report with its receipt written down", f.n)
	if got := f.Address(); !strings.HasSuffix(got, "/report/closed?lang=en") {
		t.Errorf("after finishing the address is %s", got)
	}
	views, answers := w.reportsOf()
	reportHeldTo(t, views, answers)
	w.answer(views[0], "Thank you. <img src=x> Which server?")
	comesBack(t, w, f, receipt)
	w.onTheWire(receipt)
	for _, word := range append(strings.Fields(receipt)[:0], append(reportWords, receipt)...) {
		for _, where := range w.holds(word, w.disk()) {
			t.Errorf("%q stands in %s", word, where)
		}
	}
	f.Quiet(t)
}

// reportHeldTo holds what arrived to what was answered.
func reportHeldTo(t *testing.T, views []ReportView, answers []string) {
	t.Helper()
	if len(views) != 1 {
		t.Fatalf("%d reports arrived", len(views))
	}
	var a Answers
	if err := json.Unmarshal([]byte(answers[0]), &a); err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().AddDate(0, 0, -1).Format(time.DateOnly)
	if !strings.Contains(a.What, "<b>zeldzaamword</b>") || a.Noticed != yesterday || len(a.Roads) != 1 || a.Roads[0] != RoadInsider || a.Ongoing != "yes" || a.Call != "0612349876" || a.MayKnow != "members" || a.Name != "" || a.Language != "en" || a.Proposed == nil {
		t.Errorf("the answers are %s, noticed yesterday was %s", answers[0], yesterday)
	}
	if v := views[0]; v.SealedBy != "device" || !v.Thread || v.Received.Minute() != 0 {
		t.Errorf("the report is sealed by %q, thread %v, received %v", v.SealedBy, v.Thread, v.Received)
	}
}

// reportKeptNothing fails when the browser keeps anything, or an address or title says the receipt.
func reportKeptNothing(t *testing.T, f *fingers, receipt string) {
	t.Helper()
	if n := webtest.Eval[int](f.Page, "localStorage.length + sessionStorage.length + document.cookie.length"); n != 0 {
		t.Errorf("the browser keeps %d things", n)
	}
	for _, word := range strings.Fields(receipt) {
		if at := f.Address() + webtest.Eval[string](f.Page, "document.title + JSON.stringify(history.state)"); strings.Contains(at, word) {
			t.Errorf("%q stands in address or title: %s", word, at)
		}
	}
}

// comesBack reads the answer and writes back.
func comesBack(t *testing.T, w *reportWorld, f *fingers, receipt string) {
	t.Helper()
	f.Go(w.url + "/report/thread?lang=en")
	f.Wait("#enter[data-ready]")
	f.Check(t)
	f.Pictures("report-enter")
	f.Size(390, 844)
	f.Type("#words", "  "+strings.ToUpper(receipt)+" ")
	f.Click("#open")
	f.Wait(".talk")
	talk := f.Text("main")
	for _, want := range []string{"<b>zeldzaamword</b>", "Thank you. <img src=x> Which server?", "From you", "Anna Visser"} {
		if !strings.Contains(talk, want) {
			t.Errorf("the conversation lacks %q: %s", want, talk)
		}
	}
	f.Type("#say", "The zeldzaamword in the cellar.")
	f.Click("#say-send")
	f.Wait(".toast")
	f.Check(t)
	f.Pictures("report-talk")
	f.Size(390, 844)
	views, _ := w.reportsOf()
	last := views[0].Messages[len(views[0].Messages)-1]
	text, err := last.Box.Open(PurposeMessage, w.keys[string(reportAnna.Person)])
	if err != nil || string(text) != "The zeldzaamword in the cellar." {
		t.Errorf("the reader reads %q, %v", text, err)
	}
	reportKeptNothing(t, f, receipt)
}

// onTheWire holds every request and answer of reporters to what is promised: no cookie, no referrer, no word in clear.
func (w *reportWorld) onTheWire(receipt string) {
	w.t.Helper()
	posts := 0
	for _, r := range w.took() {
		if strings.HasPrefix(r.uri, "/static/") {
			continue
		}
		if r.method == http.MethodPost {
			posts++
		}
		for _, h := range []string{"Set-Cookie"} {
			if r.header.Get(h) != "" {
				w.t.Errorf("%s %s sets %s", r.method, r.uri, h)
			}
		}
		if r.header.Get("Referrer-Policy") != "no-referrer" || r.header.Get("Cache-Control") != "no-store" || !strings.Contains(r.header.Get("Content-Security-Policy"), "default-src 'none'") {
			w.t.Errorf("%s %s: headers are %v", r.method, r.uri, r.header)
		}
		if r.referer != "" || r.cookie != "" {
			w.t.Errorf("%s %s says where it comes from: %q %q", r.method, r.uri, r.referer, r.cookie)
		}
		for _, word := range append([]string{receipt}, reportWords...) {
			if bytes.Contains(r.body, []byte(word)) || strings.Contains(r.uri, word) {
				w.t.Errorf("%s %s carries %q", r.method, r.uri, word)
			}
		}
	}
	if posts < 3 { // report, words, message
		w.t.Errorf("%d posts were seen; the test looks at too little", posts)
	}
}

// disk are all files of the node, as they lie there: database, write-ahead log, attachments.
func (w *reportWorld) disk() map[string][]byte {
	w.t.Helper()
	files := map[string][]byte{}
	w.must(filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[filepath.Base(path)], err = os.ReadFile(path)
		return err
	}))
	if len(files) == 0 {
		w.t.Fatal("the node keeps no files; the test looks in the wrong place")
	}
	return files
}

// TestBrowserReportWithoutScript goes the whole way where no script runs: the server seals on arrival, and says so before
// and after.
func TestBrowserReportWithoutScript(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true})
	f := phone(t, webtest.Start(t), w.url+"/report/closed?lang=nl")
	f.Script(false)
	f.Go(w.url + "/report?lang=nl")
	if text := f.Text("#seals-server"); !strings.Contains(text, "De server doet dat zodra uw melding binnenkomt") {
		t.Errorf("before sending the page says %q", text)
	}
	f.fill("#when", "22 11 2027, 9.45")
	f.Submit("#send")
	page := f.Text("main")
	for _, want := range []string{"2 antwoorden moeten anders", "U schreef 22 november 2027; bedoelt u 22 november 2026?", "wat u is opgevallen"} {
		if !strings.Contains(page, want) {
			t.Errorf("the form lacks %q", want)
		}
	}
	f.Pictures("report-errors")
	f.Go(w.url + "/report?lang=nl")
	f.Size(390, 844)
	f.n = 0
	reportFills(f)
	f.n++
	f.Submit("#send")
	receipt := strings.TrimSpace(f.Text("#receipt"))
	if len(strings.Fields(receipt)) != 6 || !strings.Contains(f.Text("#lede"), "De server heeft uw melding bij aankomst verzegeld") {
		t.Fatalf("after sending the page says %q", f.Text("main"))
	}
	if f.n > 12 {
		t.Errorf("without script a report takes %d interactions", f.n)
	}
	f.Pictures("report-arrived-server")
	views, answers := w.reportsOf()
	if len(views) != 1 || views[0].SealedBy != "server" || !strings.Contains(answers[0], "zeldzaamword") {
		t.Fatalf("what arrived: %d, %v", len(views), answers)
	}
	w.answer(views[0], "Dank u. <script>alert(1)</script>")
	f.Go(w.url + "/report/thread?lang=nl")
	f.Type("#words", "een twee drie vier vijf zes")
	f.Submit("#open")
	if text := f.Text("#wrong-text"); !strings.Contains(text, "Met deze woorden gaat er niets open") {
		t.Errorf("wrong words are answered %q", text)
	}
	f.Type("#words", receipt)
	f.Submit("#open")
	if text := f.Text("main"); !strings.Contains(text, "Dank u. <script>alert(1)</script>") {
		t.Errorf("the conversation is %q", text)
	}
	f.Type("#say", "Nog een zeldzaamword.")
	f.Submit("main form button.primary")
	if text := f.Text("main"); !strings.Contains(text, "Uw bericht is aangekomen") || !strings.Contains(text, "Nog een zeldzaamword.") {
		t.Errorf("after writing back the page says %q", text)
	}
	f.Pictures("report-talk-server")
	for _, word := range append([]string{receipt}, reportWords...) {
		for _, where := range w.holds(word, w.disk()) {
			t.Errorf("%q stands in %s", word, where)
		}
	}
	for _, r := range w.took() {
		if r.header.Get("Set-Cookie") != "" || r.cookie != "" || strings.Contains(r.uri, "zeldzaam") {
			t.Errorf("%s %s: cookie %q, header %v", r.method, r.uri, r.cookie, r.header)
		}
	}
}

// reportScript runs a test's words in the page's own modules.
var reportScript = regexp.MustCompile(`/static/[0-9a-f]+`)
