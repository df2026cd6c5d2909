package cases

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder/internal/seal"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// posts are the bodies that were posted to an address since it was last asked.
func (w *reportWorld) posts(path string) (bodies [][]byte) {
	for _, r := range w.took() {
		if r.method == http.MethodPost && strings.HasPrefix(r.uri, path) {
			bodies = append(bodies, r.body)
		}
	}
	return bodies
}

// sends fills in one answer and sends it, and gives what was posted.
func (w *reportWorld) sends(t *testing.T, b *webtest.Browser, what string, more func(*fingers)) (body []byte, receipt string) {
	t.Helper()
	f := phone(t, b, w.url+"/report?lang=en")
	f.Wait("#seals-device")
	webtest.Eval[bool](f.Page, fmt.Sprintf("((document.getElementById('what').value = %q), true)", what))
	if more != nil {
		more(f)
	}
	w.took()
	f.tap("#send")
	f.Wait("#sent")
	bodies := w.posts("/api/v1/reports")
	if len(bodies) != 1 {
		t.Fatalf("%d posts went out", len(bodies))
	}
	receipt = f.Text("#receipt")
	f.Close()
	return bodies[0], receipt
}

// TestBrowserReportS29Size: a report of 200 bytes and one of 5 kB, with a name and without, make as many bytes on the wire
// (trust.md S29).
func TestBrowserReportS29Size(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true})
	b := webtest.Start(t)
	short, receipt := w.sends(t, b, strings.Repeat("a", 200), nil)
	long, _ := w.sends(t, b, strings.Repeat("b", 5000), nil)
	named, none := w.sends(t, b, "c", func(f *fingers) {
		f.tap("label:has(#named)")
		f.fill("#name", "Kees Kwikstaart")
	})
	if len(short) != len(long) || len(short) != len(named) {
		t.Errorf("200 bytes make %d on the wire, 5,000 make %d, with a name %d", len(short), len(long), len(named))
	}
	t.Logf("%d bytes on the wire each", len(short))
	if receipt == "" || none != "" {
		t.Errorf("without a name the receipt is %q, with one %q", receipt, none)
	}
	views, answers := w.reportsOf()
	byName := 0
	for i, a := range answers {
		if strings.Contains(a, `"name":"Kees Kwikstaart"`) {
			byName++
			if views[i].Thread {
				t.Error("a report with a name has a thread")
			}
		}
	}
	if len(views) != 3 || byName != 1 {
		t.Errorf("%d reports arrived, %d with a name", len(views), byName)
	}
}

// TestBrowserReportAgain: where the network fails the very same is sent again and arrives once; where it fails for good
// the answers stay on the page.
func TestBrowserReportAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true})
	f := phone(t, webtest.Start(t), w.url+"/report?lang=en")
	f.Wait("#seals-device")
	f.fill("#what", "The line breaks.")
	w.took()
	w.cut(3) // the server has the report, and its answer is lost three times
	f.tap("#send")
	f.Wait("#fault")
	if text := f.Text("#fault"); !strings.Contains(text, "There is no connection") {
		t.Errorf("offline the page says %q", text)
	}
	if what := webtest.Eval[string](f.Page, "document.getElementById('what').value"); what != "The line breaks." {
		t.Errorf("the answer on the page is now %q", what)
	}
	f.tap("#send")
	f.Wait("#receipt")
	bodies := w.posts("/api/v1/reports")
	if len(bodies) != 4 {
		t.Fatalf("%d posts went out, want 4", len(bodies))
	}
	for _, body := range bodies[1:] {
		if string(body) != string(bodies[0]) {
			t.Error("a second sending was another one")
		}
	}
	if views, _ := w.reportsOf(); len(views) != 1 {
		t.Errorf("%d reports arrived", len(views))
	}
	receipt := f.Text("#receipt")
	f.Click("label:has(#confirm)")
	f.Go(w.url + "/report/thread?lang=en")
	f.Wait("#enter[data-ready]")
	f.Type("#words", receipt)
	f.Click("#open")
	f.Wait(".talk")
}

// TestBrowserReportS30 plays a server that puts a key of its own among the readers: the page seals nothing and sends
// nothing (trust.md S30). Readers that changed honestly while the page was open are shown before it is sent again.
func TestBrowserReportS30(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	desk := w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true})
	b := webtest.Start(t)
	for why, lie := range map[string]func(*DeskView){
		"a reader swapped": func(d *DeskView) { d.Readers[0].Public = seal.NewPrivateKey([32]byte{9, 9}).Public() },
		"a reader added": func(d *DeskView) {
			d.Readers = append(d.Readers, Reader{Name: "Eve", Public: seal.NewPrivateKey([32]byte{9, 9}).Public()})
		},
		"the log rewritten": func(d *DeskView) {
			key := seal.NewPrivateKey([32]byte{9, 9}).Public()
			d.Log[0].Key, d.Readers[0].Public = key, key
		},
		"the log emptied":             func(d *DeskView) { d.Log = nil },
		"a name put on another's key": func(d *DeskView) { d.Readers[0].Name = "The confidential adviser" },
	} {
		w.lie = lie
		f := phone(t, b, w.url+"/report?lang=en")
		f.Wait("#fault")
		if text := f.Text("#fault"); !strings.Contains(text, "does not hold together") {
			t.Errorf("%s: the page says %q", why, text)
		}
		w.took()
		f.fill("#what", "secret")
		webtest.Eval[bool](f.Page, "(document.getElementById('form').requestSubmit(), true)")
		f.Press("\r")
		if seen := w.took(); len(seen) != 0 {
			t.Errorf("%s: %s %s went out", why, seen[0].method, seen[0].uri)
		}
		f.Close()
	}
	w.lie = nil
	f := phone(t, b, w.url+"/report?lang=en")
	f.Wait("#seals-device")
	w.secondReader(desk)
	f.fill("#what", "The readers change.")
	f.tap("#send")
	f.Wait("#fault")
	if text := f.Text("#fault") + f.Text("#readers"); !strings.Contains(text, "has changed") || !strings.Contains(text, "Sanne de Wit") || !strings.Contains(text, "2 people") {
		t.Errorf("after a change of readers the page says %q", text)
	}
	f.tap("#send")
	f.Wait("#receipt")
	if text := f.Text("#with-readers"); !strings.Contains(text, "Sanne de Wit") {
		t.Errorf("after sending the readers are %q", text)
	}
	if views, _ := w.reportsOf(); len(views) != 1 || len(views[0].Readers) != 2 {
		t.Errorf("what arrived: %v", views)
	}
}

// TestBrowserReportDraft: nothing is kept unless somebody asks for it; then it is on the device alone, and gone after
// sending.
func TestBrowserReportDraft(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true})
	f := phone(t, webtest.Start(t), w.url+"/report?lang=en")
	f.Wait("#draft")
	f.fill("#what", "A half-written kwikstaart")
	f.tap("label:has([name=road][value=export])")
	w.took()
	f.tap("#draft")
	f.Wait("#draft-ask")
	f.Pictures("report-draft")
	f.Size(390, 844)
	if n := webtest.Eval[int](f.Page, "localStorage.length"); n != 0 {
		t.Error("something is kept before it was asked for")
	}
	f.tap("#draft-keep")
	if kept := webtest.Eval[string](f.Page, "JSON.stringify({...localStorage})"); !strings.Contains(kept, "half-written") {
		t.Errorf("the draft is %q", kept)
	}
	f.Go(w.url + "/report?lang=en")
	f.Wait("#draft-found")
	f.tap("#draft-use")
	if what := webtest.Eval[string](f.Page, "document.getElementById('what').value + document.querySelectorAll('[name=road]:checked').length"); what != "A half-written kwikstaart1" {
		t.Errorf("the draft brings %q", what)
	}
	f.tap("#send")
	f.Wait("#receipt")
	if n := webtest.Eval[int](f.Page, "localStorage.length"); n != 0 {
		t.Error("after sending the draft is still there")
	}
	for _, r := range w.took() {
		if strings.Contains(string(r.body), "kwikstaart") {
			t.Errorf("%s carries the draft", r.uri)
		}
	}
}

// TestBrowserReportFiles seals files on the device, cleaned where that was asked, and never sends one that could not be.
func TestBrowserReportFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true})
	strange := filepath.Join(t.TempDir(), "kwikstaart.bin")
	w.must(os.WriteFile(strange, []byte{0, 1, 2, 3, 'z', 'e', 'l', 'd'}, 0o600))
	f := phone(t, webtest.Start(t), w.url+"/report?lang=en")
	f.Wait("#seals-device")
	f.fill("#what", "With a file")
	f.tap("details.more:not(#more) summary")
	f.Type("#files", strange)
	w.took()
	f.tap("#send")
	f.Wait("#files-e")
	if text := f.Text("#files-e"); !strings.Contains(text, "kwikstaart.bin is of a kind that cannot be cleaned here") {
		t.Errorf("the page says %q", text)
	}
	if n := len(w.posts("/")); n != 0 {
		t.Fatal("a file that could not be cleaned went out")
	}
	f.tap("label:has([name=strip])")
	f.tap("#send")
	f.Wait("#receipt")
	if bodies := w.posts("/api/v1/reports"); len(bodies) != 1 || strings.Contains(string(bodies[0]), "kwikstaart") {
		t.Errorf("%d posts, or the name of the file in clear", len(bodies))
	}
	views, _ := w.reportsOf()
	if len(views) != 1 || len(views[0].Files) != 1 {
		t.Fatalf("what arrived: %v", views)
	}
	file, _, err := w.ReportFile(t.Context(), reportAnna, views[0].ID, views[0].Files[0].ID)
	w.must(err)
	defer file.Close()
	var box seal.Box
	w.must(json.NewDecoder(file).Decode(&box))
	text, err := box.Open(PurposeFile, w.keys[string(reportAnna.Person)])
	if err != nil || !strings.HasPrefix(string(text), `{"name":"kwikstaart.bin"`) || !strings.HasSuffix(string(text), "\n\x00\x01\x02\x03zeld") {
		t.Errorf("the file is %q, %v", text, err)
	}
}

// TestBrowserReportPressed goes the way of somebody who is pressed: numbers first, three questions, no name, nothing
// proposed, and what was written is sealed to the readers alone.
func TestBrowserReportPressed(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Alias: "orion", Listed: true})
	w.openDesk(DeskSettings{Name: "Confidential adviser", Alias: "adviser", Listed: true, Kind: DeskPressed, Phone: "015 765 4321"})
	f := phone(t, webtest.Start(t), w.url+"/report/pressed?lang=nl")
	f.Wait("#seals-device")
	f.Check(t)
	f.Pictures("report-pressed-script")
	f.Size(390, 844)
	if text := f.Text("main"); strings.Index(text, "112") > strings.Index(text, "Wat wordt er van u gevraagd") || !strings.Contains(text, "Het gaat niet naar uw werkgever") || !strings.Contains(text, "Anna Visser") {
		t.Errorf("the page says %q", text)
	}
	f.n = 0
	f.fill("#what", "They ask for the kwikstaart drawings and speak of my mother.")
	f.tap("label:has([name=danger][value=yes])")
	f.fill("#call", "0612349876, Tuesday after eight")
	w.took()
	f.tap("#send")
	f.Wait("#receipt")
	f.Check(t)
	receipt := f.Text("#receipt")
	if bodies := w.posts("/api/v1/reports"); len(bodies) != 1 || strings.Contains(string(bodies[0]), "kwikstaart") {
		t.Error("the words went out in clear")
	}
	f.tap("label:has(#confirm)")
	views, answers := w.reportsOf()
	var a Answers
	w.must(json.Unmarshal([]byte(answers[0]), &a))
	if len(views) != 1 || views[0].Desk != "adviser" || a.Proposed != nil || a.Kind != "" || a.MayKnow != "desk" || a.More["danger"] != "yes" || a.Name != "" || !strings.Contains(a.Call, "Tuesday") {
		t.Errorf("what arrived: %v, %s", views, answers)
	}
	w.answer(views[0], "Dank u.")
	f.Go(w.url + "/report/thread?lang=nl")
	f.Wait("#enter[data-ready]")
	f.Type("#words", receipt)
	f.Click("#open")
	f.Wait(".talk")
	if text := f.Text("main"); strings.Contains(text, "kwikstaart") || !strings.Contains(text, "alleen voor het meldpunt verzegeld") || !strings.Contains(text, "Dank u.") {
		t.Errorf("whoever finds the words reads %q", text)
	}
	f.Type("#say", "Het kwikstaart-gesprek was weer gisteren.")
	f.Click("#say-send")
	f.Wait(".toast")
	if text := f.Text("main"); strings.Contains(text, "kwikstaart") {
		t.Errorf("whoever finds the words reads %q", text)
	}
	f.Click("a.leave")
	f.Wait("main:not(:has(.talk)) .note")
	if at := f.Address(); !strings.HasSuffix(at, "/report/closed?lang=nl") || strings.Contains(f.Text("body"), "Dank u.") {
		t.Errorf("after leaving quickly the page is %s: %q", at, f.Text("body"))
	}
	f.Back()
	if text := f.Text("body"); strings.Contains(text, "Dank u.") {
		t.Errorf("Back brings the conversation: %q", text)
	}
}

// TestBrowserReportGuard: a receipt that nobody has said to have written down is not left by accident.
func TestBrowserReportGuard(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	w := newReportWorld(t)
	w.openDesk(DeskSettings{Name: "Orion Optics", Listed: true})
	f := phone(t, webtest.Start(t), w.url+"/report?lang=en")
	f.Wait("#seals-device")
	f.fill("#what", "Short")
	f.tap("#send")
	f.Wait("#receipt")
	f.tap("#done")
	if text := f.Text("#wait"); !strings.Contains(text, "Tick the box first") || f.Text("#receipt") == "" {
		t.Errorf("unticked the page says %q", text)
	}
	if !webtest.Eval[bool](f.Page, `(() => { const e = new Event("beforeunload", {cancelable: true}); dispatchEvent(e); return e.defaultPrevented; })()`) {
		t.Error("the page can be left without a word")
	}
	f.Press(" ") // the focus was moved to the box
	f.Wait("#confirm:checked")
	if webtest.Eval[bool](f.Page, `(() => { const e = new Event("beforeunload", {cancelable: true}); dispatchEvent(e); return e.defaultPrevented; })()`) {
		t.Error("the page holds who has written it down")
	}
	webtest.Eval[bool](f.Page, `(dispatchEvent(new PageTransitionEvent("pagehide")), true)`)
	if left := strings.TrimSpace(f.Text("main")); left != "" {
		t.Errorf("a hidden page still holds %q", left)
	}
}
