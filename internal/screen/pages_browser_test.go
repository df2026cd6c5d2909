package screen

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polder-exchange/polder"
	"github.com/polder-exchange/polder/internal/screen/lists"
	"github.com/polder-exchange/polder/internal/web/webtest"
)

// TestBrowserScreen walks through every page as people do, under the strict policy, and holds each to the rules of the
// console.
func TestBrowserScreen(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	b := webtest.Start(t)
	w := filled(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p := b.Open(t, server.URL+"/static/none")
	p.SetCookie("polder", "steward")
	p = p.Tab(t, server.URL+"/screen")
	for _, at := range []struct{ path, name string }{{"/screen", "ask"}, {"/screen?lang=nl", "ask-nl"}, {"/screen/queue", "queue-none"}, {"/screen/parties", "parties-none"}, {"/screen/batches", "batches-none"}, {"/screen/lists", "lists"}, {"/screen/lists?lang=nl", "lists-nl"}, {"/screen/record", "record-none"}, {"/screen/settings", "settings"}, {"/screen/settings?lang=nl", "settings-nl"}} {
		p.Go(server.URL + at.path)
		p.Check(t)
		p.Pictures("screen-" + at.name)
	}
	decidesContract(t, w, p, server.URL)
	knowsParties(t, w, p, server.URL)
	asksFile(t, w, p, server.URL)
	readsLists(t, w, p, server.URL)
	meetsHostile(t, w, p, server.URL)
}

// decidesContract pastes a contract, reads the answer, looks at both side by side, and decides by keys.
func decidesContract(t *testing.T, w *pageWorld, p *webtest.Page, site string) {
	p.Go(site + "/screen?lang=en")
	p.Type("#text", contract)
	p.Submit("main form button.primary")
	if !strings.Contains(p.Text("h1"), "Which of these parties") {
		t.Fatalf("after the contract the page says %q", p.Text("main"))
	}
	p.Check(t)
	p.Pictures("screen-found")
	p.Submit("main form button.primary")
	if !strings.Contains(p.Text("h1"), "resemble") {
		t.Fatalf("the answer says %q", p.Text("main"))
	}
	if strings.Contains(p.Address(), "Severn") || strings.Contains(p.Address(), "?") {
		t.Errorf("the address holds what was asked: %s", p.Address())
	}
	p.Check(t)
	p.Pictures("screen-answer")
	p.Press("j")
	p.Submit(":focus")
	if !strings.Contains(p.Text("h1"), "Is this the party") {
		t.Fatalf("side by side the page says %q", p.Text("main"))
	}
	p.Check(t)
	p.Pictures("screen-compare")
	p.Type("[name=for]", "Order 88213")
	p.Submit(`main form[action="/screen/keep"] button.primary`)
	if !strings.Contains(p.Text("main"), "Your decision") {
		t.Fatalf("after keeping the page says %q", p.Text("main"))
	}
	p.Check(t)
	p.Pictures("screen-review")
	w.reviewIn(Query{Name: "Brundelwick Photonics"})
	p.Go(p.Address())
	p.Press("1")
	p.Type("#reason", "Street and number agree with the register.")
	p.Submit("main form[action^='/screen/reviews'] button.primary")
	if !strings.Contains(p.Text(".toast"), "the same party") {
		t.Errorf("after deciding the page says %q", p.Text("main"))
	}
	p.Go(site + "/screen/queue?state=all")
	p.Check(t)
	p.Pictures("screen-queue")
	p.Go(site + "/screen/queue?state=all&lang=nl")
	p.Check(t)
	p.Pictures("screen-queue-nl")
	p.Press("j")
	p.Submit(":focus")
	if address := p.Address(); true {
		p.Press("j") // on a page of one thing j leads to the next
		p.Wait("h1")
		for range 50 {
			if p.Address() != address {
				break
			}
			webtest.Eval[int](p, "0")
		}
		if p.Address() == address {
			t.Errorf("j leads nowhere from %s", address)
		}
	}
	p.Check(t)
	p.Pictures("screen-review-nl")
	p.Go(site + "/screen/record?lang=en")
	p.Check(t)
	p.Pictures("screen-record")
	for name, q := range map[string]Query{"scripts": {Name: "Severnaya Vakumnaya Technika LLC", Country: "RU", Ref: "Order 88214"}, "rtl": {Name: "شركة الخليج الأزرق للملاحة المحدودة", Country: "NL"}} {
		p.Go(site + "/screen/reviews/" + w.reviewIn(q))
		p.Check(t)
		p.Pictures("screen-review-" + name)
	}
	p.Script(false)
	p.Go(site + "/screen")
	p.Type("#text", "深圳蓝鹭光学")
	p.Submit("main form button.primary")
	if !strings.Contains(p.Text("h1"), "resemble") {
		t.Errorf("without script the page says %q", p.Text("main"))
	}
	p.Script(true)
}

// knowsParties adds parties, looks at one, and removes it.
func knowsParties(t *testing.T, w *pageWorld, p *webtest.Page, site string) {
	p.Go(site + "/screen/parties")
	p.Type("#text", "شركة الخليج الأزرق")
	p.Type("#ref", "S-77")
	p.Submit("main form[action='/screen/parties'] button.primary")
	w.work()
	p.Go(p.Address())
	p.Check(t)
	p.Pictures("screen-party")
	p.Click("button[commandfor=remove]")
	p.Check(t)
	p.Submit("#remove button[type=submit]")
	_, err := w.AddParty(t.Context(), anna, Customers, company("C-1", "Meerwijk Optics"))
	must(t, err)
	_, err = w.AddParty(t.Context(), anna, Partners, Query{Name: "Zarkontin, Ilya", Ref: "P-9"})
	must(t, err)
	w.work()
	p.Go(site + "/screen/parties")
	p.Check(t)
	p.Pictures("screen-parties")
}

// asksFile sends a file and sees it move.
func asksFile(t *testing.T, w *pageWorld, p *webtest.Page, site string) {
	file := filepath.Join(t.TempDir(), "orders.csv")
	must(t, os.WriteFile(file, []byte("name,ref\nBrundelwick Photonics,A1\nZuivelhoeve Pannekoek,A2\nБрундельвик Фотоникс,A3\n"), 0o600))
	p.Go(site + "/screen/batches")
	p.Type("#file", file)
	p.Submit("main form button.primary")
	p.Wait("[data-watch]")
	p.Pictures("screen-batch-waits")
	w.work()
	for range 200 {
		if strings.Contains(p.Text("[data-watch]"), "Done") {
			break
		}
	}
	if text := p.Text("[data-watch]"); !strings.Contains(text, "Done") {
		t.Errorf("the figures did not move: %q", text)
	}
	p.Go(p.Address())
	p.Check(t)
	p.Pictures("screen-batch")
	p.Go(site + "/screen/batches")
	p.Check(t)
	p.Pictures("screen-batches")
}

// readsLists looks at a list with two versions.
func readsLists(t *testing.T, w *pageWorld, p *webtest.Page, site string) {
	changed := append([]lists.Entry{}, restrictedEntries[1:]...)
	changed[0].Means = "No dealings at all"
	changed = append(changed, lists.Entry{ID: "R-200", Name: "Oskar Vintergast"})
	w.put(listOf("restricted", "Made-up Consolidated List", "2026-11-19", lists.Restricted, changed...))
	p.Go(site + "/screen/lists/restricted")
	p.Check(t)
	p.Pictures("screen-list")
	p.Go(site + "/screen/lists/restricted?lang=nl")
	p.Check(t)
}

// meetsHostile shows names that try to become markup, or to turn the page round.
func meetsHostile(t *testing.T, w *pageWorld, p *webtest.Page, site string) {
	var evil []lists.Entry
	for i, s := range append(webtest.Strings(), "Kollwig \u202Egnp.exe Optics", strings.Repeat("Vexillium", 120)) {
		evil = append(evil, lists.Entry{ID: "H-" + itoaTest(i), Name: "Quorvath " + s, Aliases: []lists.Alias{{Name: s}}, Means: s, Note: s, Addresses: []string{s}, Programmes: []string{s}, URL: "https://example.com/" + s})
	}
	w.put(listOf("hostile", "<img src=x onerror=alert(1)>", "2026-11-19", lists.Restricted, evil...))
	by := actor(ours, "p-steward", polder.RoleSteward)
	for _, s := range webtest.Strings()[:6] {
		if answers, err := w.Screen(t.Context(), by, []Query{{Name: "Quorvath " + s, Ref: s}}, Options{}); err == nil {
			_, err = w.KeepAll(t.Context(), by, answers, KeepOptions{Note: s})
			must(t, err)
		}
	}
	page, err := w.Queue(t.Context(), by, QueueFilter{Limit: 3})
	must(t, err)
	paths := []string{"/screen/queue", "/screen/record", "/screen/lists", "/screen/lists/hostile", "/screen"}
	for _, r := range page.Reviews {
		paths = append(paths, "/screen/reviews/"+r.ID)
	}
	for _, path := range paths {
		p.Go(site + path + "?lang=en")
		p.Check(t)
	}
	p.Pictures("screen-hostile")
}
